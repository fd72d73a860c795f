//! The bank: state, timers, and what its driver calls.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::{Value, json};
use torap_domain::{BankCode, Bic, Sequence, Uetr};
use torap_gateway::wire::ContentType;
use torap_iso20022::view::Reader;

use crate::{
    behaviour::Behaviour,
    books::Books,
    control::{Request, Seen, WaitFor},
    customers::customer,
    outgoing::{Letter, Outgoing},
    send::Payment,
};

/// Who the bank is.
#[derive(Clone, Debug)]
pub struct Config {
    /// Participant code, the name at sign-on.
    pub code: String,
    pub bic: Bic,
    pub bank_code: BankCode,
    pub switch_bic: Bic,
    /// Distinguishes identifiers of this run from those of earlier ones, and feeds the UETRs.
    pub seed: u64,
}

/// What the script wants of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkOrder {
    /// Cut it at once, then come back.
    Reconnect,
    /// Cut it and stay away.
    Down,
    Up,
}

/// Messages remembered for scripts, at most.
const SEEN_MAX: usize = 100_000;

#[derive(Debug)]
pub struct Bank {
    pub(crate) config: Config,
    pub(crate) reader: Reader,
    pub(crate) outgoing: Outgoing,
    pub(crate) books: Books,
    /// Payments this bank sent, by TxId.
    pub(crate) sent: HashMap<String, Payment>,
    /// UETRs of the payments of each message it sent, by MsgId.
    pub(crate) messages: HashMap<String, Vec<String>>,
    /// Payments forwarded to it, by UETR.
    pub(crate) received: HashMap<String, Payment>,
    /// Recalls to answer, by UETR: the case and cancellation id.
    pub(crate) recalls: HashMap<String, Recalled>,
    /// Returns under way: RtrId to amount in tiyn.
    pub(crate) returning: HashMap<String, u64>,
    script: VecDeque<Behaviour>,
    /// Answers that go out later, by time in nanoseconds.
    pub(crate) later: BTreeMap<(u64, u64), Letter>,
    pub(crate) orders: VecDeque<LinkOrder>,
    seen: VecDeque<Seen>,
    next_seen: u64,
    counter: u64,
    random: u64,
}

/// A camt.056 that this bank may answer.
#[derive(Clone, Debug)]
pub(crate) struct Recalled {
    pub(crate) case_id: Option<String>,
    pub(crate) transaction_id: String,
}

impl Bank {
    pub fn new(config: Config) -> Bank {
        // Banks that start in the same moment must not draw the same numbers.
        let letters = config.code.bytes();
        let random = letters.fold(config.seed, |random, byte| {
            random.rotate_left(8) ^ u64::from(byte)
        });
        Bank {
            reader: Reader::new(*torap_gateway::formats()),
            config,
            outgoing: Outgoing::default(),
            books: Books::default(),
            sent: HashMap::new(),
            messages: HashMap::new(),
            received: HashMap::new(),
            recalls: HashMap::new(),
            returning: HashMap::new(),
            script: VecDeque::new(),
            later: BTreeMap::new(),
            orders: VecDeque::new(),
            seen: VecDeque::new(),
            next_seen: 1,
            counter: 0,
            random,
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The link is open; `held` is the last of our sequences that the switch holds.
    pub fn signed_on(&mut self, held: Sequence) {
        self.outgoing.signed_on(held);
    }

    /// The switch holds everything up to here.
    pub fn acknowledged(&mut self, upto: Sequence) {
        self.outgoing.acknowledged(upto);
    }

    /// The message with this sequence, if there is one yet.
    pub fn next_to_send(&self, sequence: Sequence) -> Option<&Letter> {
        self.outgoing.get(sequence)
    }

    /// What the script wants of the link.
    pub fn poll_link_order(&mut self) -> Option<LinkOrder> {
        self.orders.pop_front()
    }

    /// When `handle_timeout` wants to be called, in nanoseconds of the caller's clock.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.later.first_key_value().map(|((at, _), _)| *at)
    }

    /// Sends what was delayed until now.
    pub fn handle_timeout(&mut self, now: u64) {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let letter = entry.remove();
            self.outgoing.push(letter);
        }
    }

    /// Carries out a script's request. `Wait` and `Stop` belong to the driver.
    ///
    /// # Errors
    /// The place in the request and the rule.
    pub fn handle(&mut self, request: Request, now: u64) -> Result<Value, String> {
        match request {
            Request::Pay(order) => self.pay(order, now),
            Request::PayFile { message_id, orders } => self.pay_file(message_id, orders, now),
            Request::PayAgain {
                transaction_id,
                amount,
            } => self.pay_again(&transaction_id, amount.as_deref(), now),
            Request::Return {
                uetr,
                amount,
                reason,
            } => self.return_payment(&uetr, amount.as_deref(), &reason, now),
            Request::Recall { uetr, reason } => self.recall(&uetr, &reason, now),
            Request::RefuseRecall { uetr, reason } => self.refuse_recall(&uetr, &reason, now),
            Request::Status {
                uetr,
                transaction_id,
            } => self.ask_status(&uetr, &transaction_id, now),
            Request::LookUp {
                phone,
                person,
                bank,
            } => self.look_up(&phone, person.as_deref(), bank.as_deref(), now),
            Request::Command { command } => self.json_command(command),
            Request::Raw { text } => {
                self.post(text.into_bytes());
                Ok(json!({}))
            }
            Request::Frame { content_type, text } => {
                self.outgoing.push(Letter {
                    content_type: ContentType::from_number(content_type),
                    body: text.into_bytes(),
                });
                Ok(json!({}))
            }
            Request::Again => {
                let last = self.outgoing.last().cloned();
                self.outgoing.push(last.ok_or("do: nothing was sent yet")?);
                Ok(json!({}))
            }
            Request::Edited { request, replace } => self.edited(*request, &replace, now),
            Request::Together { requests } => requests
                .into_iter()
                .map(|request| self.handle(request, now))
                .collect(),
            Request::Answer {
                uetr,
                transaction_id,
                reason,
            } => self.answer_unasked(uetr, transaction_id, reason.as_deref(), now),
            Request::Behave { behaviour, count } => {
                let behaviour =
                    Behaviour::parse(&behaviour).map_err(|error| format!("behaviour: {error}"))?;
                self.script
                    .extend(std::iter::repeat_n(behaviour, count.min(SEEN_MAX)));
                Ok(json!({ "scripted": self.script.len() }))
            }
            Request::Link { up } => {
                self.orders
                    .push_back(if up { LinkOrder::Up } else { LinkOrder::Down });
                Ok(json!({}))
            }
            Request::Books => Ok(self.books_json()),
            Request::Messages { since } => {
                let messages: Vec<&Seen> = self
                    .seen
                    .iter()
                    .filter(|seen| seen.number >= since)
                    .collect();
                Ok(json!({ "messages": messages, "next": self.next_seen }))
            }
            Request::Customers { from, count } => Ok(self.customers_json(from, count)),
            Request::Wait { .. } | Request::Stop => {
                Err("do: only a bank with a driver can wait or stop".into())
            }
            Request::Card { .. } => Err("do: only a bank with a driver has a card side".into()),
        }
    }

    fn books_json(&self) -> Value {
        json!({
            "code": self.config.code,
            "net_tiyn": i64::try_from(self.books.net()).ok(),
            "settled": self.books.settled(),
            "open": self.books.open(),
            "open_sent": self.books.open_sent(),
            "unacknowledged": self.outgoing.len(),
            "violations": self.books.violations(),
        })
    }

    fn customers_json(&self, from: u32, count: u32) -> Value {
        let customers = (from..from.saturating_add(count.min(10_000))).map(|number| {
            let customer = customer(self.config.bank_code, number);
            json!({
                "number": number,
                "person": customer.person.to_string(),
                "phone": customer.phone.to_string(),
                "iban": customer.iban.as_str(),
                "name": customer.name,
            })
        });
        customers.collect()
    }

    /// The first message that fits.
    pub fn find(&self, filter: &WaitFor) -> Option<&Seen> {
        self.seen.iter().find(|seen| filter.fits(seen))
    }

    pub(crate) fn see(&mut self, mut seen: Seen) {
        seen.number = self.next_seen;
        self.next_seen += 1;
        if self.seen.len() == SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(seen);
    }

    /// The switch skipped a sequence: an expired payment was not delivered.
    pub fn skipped(&mut self) {
        self.see(Seen {
            kind: "skip".into(),
            ..Seen::default()
        });
    }

    /// The switch refused a frame or, with it, the message that it began.
    pub fn refused_by_switch(&mut self, error: u16, text: &str) {
        self.see(Seen {
            kind: "error".into(),
            reason: Some(error.to_string()),
            text: Some(text.to_string()),
            ..Seen::default()
        });
    }

    pub(crate) fn next_behaviour(&mut self) -> Behaviour {
        self.script.pop_front().unwrap_or(Behaviour::Accept)
    }

    /// What the script wants of the next confirmation. Other behaviours wait for a payment.
    pub(crate) fn next_confirmation(&mut self) -> Option<Behaviour> {
        self.script.pop_front_if(|behaviour| {
            matches!(behaviour, Behaviour::Deny | Behaviour::ConfirmLate(_))
        })
    }

    /// Carries out the request and changes what it sends before it leaves.
    fn edited(
        &mut self,
        request: Request,
        replace: &[(String, String)],
        now: u64,
    ) -> Result<Value, String> {
        let before = self.outgoing.len();
        let result = self.handle(request, now)?;
        if self.outgoing.len() != before + 1 {
            return Err("request: does not send one message".into());
        }
        let letter = self.outgoing.take_back().ok_or("request: sent nothing")?;
        let mut text = String::from_utf8(letter.body).map_err(|error| error.to_string())?;
        for (old, new) in replace {
            if !text.contains(old) {
                return Err(format!("replace: `{old}` does not occur in {text}"));
            }
            text = text.replace(old, new);
        }
        self.outgoing.push(Letter {
            content_type: letter.content_type,
            body: text.into_bytes(),
        });
        Ok(result)
    }

    /// A fresh identifier, unique over runs of this bank.
    pub(crate) fn identifier(&mut self, kind: char) -> String {
        self.counter += 1;
        format!(
            "{}-{kind}{:x}-{:x}",
            self.config.code, self.config.seed, self.counter
        )
    }

    pub(crate) fn uetr(&mut self) -> String {
        let mut bytes = [0; 16];
        for half in bytes.chunks_exact_mut(8) {
            half.copy_from_slice(&self.next_random().to_le_bytes());
        }
        Uetr::from_random(bytes).to_string()
    }

    /// splitmix64: enough to tell payments apart, not meant to be secret.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
