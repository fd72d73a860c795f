//! What a script asks for.

use serde_json::{Value, json};
use torap_domain::{Time, card::Direction};

use super::{CardHost, Output, next_stan};
use crate::card::acquirer::Post;
use crate::card::behaviour::Behaviour;
use crate::card::control::{Order, Request, Seen, SentTransaction, rows};
use crate::card::message::{Draft, amount};
use crate::card::pan::TestCard;
use crate::card::terminal::{Identity, set_times, tiyn, transaction};

/// Messages that one script request may call for, at most.
const COUNT_MAX: usize = 100_000;

impl CardHost {
    /// Carries out a script's request. `Wait` belongs to the driver.
    ///
    /// # Errors
    /// The place in the request and the rule.
    pub fn handle(&mut self, request: Request, now: Time) -> Result<Value, String> {
        self.now = now;
        match request {
            Request::Transact(order) => self.transact(&order, false),
            Request::ReverseUnsent { order } => self.reverse_unsent(&order),
            Request::SendReversed { reference } => self.again(&reference, false, None),
            Request::Again {
                reference,
                repeat,
                amount,
            } => self.again(&reference, repeat, amount.as_deref()),
            Request::Reverse {
                reference,
                stands,
                request,
            } => self.reverse(&reference, stands.as_deref(), request),
            Request::ReverseAgain { reference } => {
                let number = self.acquirer.number_of(&reference)?;
                let Post(draft) = self.acquirer.reverse_again(number)?;
                self.post(draft);
                Ok(json!({}))
            }
            Request::Complete { reference, amount } => self.complete(&reference, &amount),
            Request::Refund { reference, amount } => self.refund(&reference, &amount),
            Request::Reconcile {
                session,
                side,
                advice,
                off_by_tiyn,
            } => {
                let draft = self.totals_message(&session, side, advice, off_by_tiyn);
                self.send_anywhere(&draft)?;
                Ok(json!({ "stan": draft.text(11) }))
            }
            Request::StopList {
                prefix,
                card,
                action,
            } => self.stop_list(&prefix, card, &action),
            Request::Administrative { to, text, advice } => {
                self.administrative(to.as_deref(), &text, advice)
            }
            Request::Network { action } => self.network_request(&action),
            Request::Behave { behaviour, count } => {
                let behaviour =
                    Behaviour::parse(&behaviour).map_err(|error| format!("behaviour: {error}"))?;
                let scripted = self.script.push(behaviour, count.min(COUNT_MAX));
                Ok(json!({ "scripted": scripted }))
            }
            Request::Message { mti, fields } => self.any_message(mti, &fields),
            Request::Raw { hex } => {
                let bytes = from_hex("hex", &hex)?;
                let link = self.any_link().ok_or("no link is signed on")?;
                self.outputs.push_back(Output::Message { link, bytes });
                Ok(json!({}))
            }
            Request::Link { up } => {
                self.outputs
                    .push_back(if up { Output::Up } else { Output::Down });
                Ok(json!({}))
            }
            Request::SetBalance {
                prefix,
                card,
                balance,
            } => {
                let card = card_of(&prefix, card)?;
                self.issuer
                    .set_balance(card.pan(), tiyn("balance", &balance)?);
                Ok(json!({}))
            }
            Request::Counted {
                session,
                side,
                amount,
                credit,
                back,
            } => {
                let way = if credit {
                    Direction::Credit
                } else {
                    Direction::Debit
                };
                let tiyn = tiyn("amount", &amount)?;
                if back {
                    self.sessions.reverse(&session, side, way, tiyn);
                } else {
                    self.sessions.post(&session, side, way, tiyn);
                }
                Ok(json!({}))
            }
            Request::Books => Ok(self.books_json()),
            Request::Totals => Ok(self.totals_json()),
            Request::ToldTotals => Ok(rows(self.told.iter().map(|(session, side, totals)| {
                json!({ "session": session, "side": side, "totals": totals })
            }))),
            Request::Transactions => Ok(self.acquirer.sent_json()),
            Request::Issued => Ok(self.issuer.taken_json()),
            Request::Messages { since } => {
                let messages: Vec<&Seen> = self
                    .seen
                    .iter()
                    .filter(|seen| seen.number >= since)
                    .collect();
                Ok(json!({ "messages": messages, "next": self.next_seen }))
            }
            Request::Wait { .. } => Err("do: only a host with a driver can wait".into()),
        }
    }

    fn books_json(&self) -> Value {
        json!({
            "code": self.config.code,
            "signed_on": self.signed_on(),
            "open": self.acquirer.open(),
            "unsent": self.waiting.len(),
            "enquiries": self.scheme.asked(),
            "violations": self.books.kept(),
            "violations_count": self.books.count(),
        })
    }

    fn totals_json(&self) -> Value {
        rows(self.sessions.iter().map(
            |(session, side, totals)| json!({ "session": session, "side": side, "totals": totals }),
        ))
    }

    fn transact(&mut self, order: &Order, unsent: bool) -> Result<Value, String> {
        self.reference += 1;
        let reference = format!(
            "{:06}{:06}",
            self.config.seed % 1_000_000,
            self.reference % 1_000_000
        );
        let stan = next_stan(&mut self.stan);
        let identity = Identity {
            institution: &self.config.institution,
            stan,
            reference: &reference,
        };
        let card = TestCard::new(&order.prefix, order.card);
        let mut draft = transaction(order, card.as_ref(), &identity, &self.security, self.now)?;
        edit(&mut draft, &order.edits)?;
        self.note_and_send(draft, order.forget, unsent)
    }

    fn note_and_send(
        &mut self,
        draft: Draft,
        forgotten: bool,
        unsent: bool,
    ) -> Result<Value, String> {
        let is_advice = draft.mti() / 10 % 10 == 2;
        if !unsent && !is_advice && self.signed_on() == 0 {
            return Err("no link is signed on".into());
        }
        let note = self
            .acquirer
            .note(draft.clone(), forgotten, unsent, self.now);
        let sent = SentTransaction {
            reference: note?,
            stan: draft.text(11),
            mti: format!("{:04}", draft.mti()),
            amount: draft.text(4),
        };
        if !unsent {
            self.post(draft);
        }
        serde_json::to_value(sent).map_err(|error| error.to_string())
    }

    fn reverse_unsent(&mut self, order: &Order) -> Result<Value, String> {
        let sent = self.transact(order, true)?;
        let reference = sent["reference"].as_str().unwrap_or_default().to_string();
        self.reverse(&reference, None, false)?;
        Ok(sent)
    }

    fn again(
        &mut self,
        reference: &str,
        repeat: bool,
        tenge: Option<&str>,
    ) -> Result<Value, String> {
        let number = self.acquirer.number_of(reference)?;
        let mut draft = self.acquirer.again(number, repeat)?;
        if let Some(tenge) = tenge {
            draft.set(4, amount(tiyn("amount", tenge)?));
        }
        self.send_anywhere(&draft)?;
        Ok(json!({}))
    }

    fn reverse(
        &mut self,
        reference: &str,
        stands: Option<&str>,
        request: bool,
    ) -> Result<Value, String> {
        let number = self.acquirer.number_of(reference)?;
        let stands = stands.map(|tenge| tiyn("stands", tenge)).transpose()?;
        let stan = next_stan(&mut self.stan);
        let mti = if request { 400 } else { 420 };
        let Post(draft) = self.acquirer.reverse(number, stands, mti, stan, self.now)?;
        let sent = json!({ "stan": draft.text(11) });
        self.post(draft);
        Ok(sent)
    }

    fn complete(&mut self, reference: &str, tenge: &str) -> Result<Value, String> {
        let number = self.acquirer.number_of(reference)?;
        let stan = next_stan(&mut self.stan);
        let tiyn = tiyn("amount", tenge)?;
        let draft = self.acquirer.completion(number, tiyn, stan, self.now)?;
        self.note_and_send(draft, false, false)
    }

    fn refund(&mut self, reference: &str, tenge: &str) -> Result<Value, String> {
        let number = self.acquirer.number_of(reference)?;
        let first = &self.acquirer.get(number)?.draft;
        let order = Order {
            service: "refund".into(),
            pan: Some(first.text(2)),
            amount: tenge.into(),
            entry: Some("manual".into()),
            ..Order::default()
        };
        self.transact(&order, false)
    }

    fn stop_list(&mut self, prefix: &str, card: u32, action: &str) -> Result<Value, String> {
        let card = card_of(prefix, card)?;
        let (update, reason, code) = match action {
            "lost" => ("1", "01", "41"),
            "stolen" => ("1", "02", "43"),
            "restricted" => ("1", "05", "62"),
            "release" => ("3", "", ""),
            other => {
                return Err(format!(
                    "action: `{other}` is none of lost, stolen, restricted, release"
                ));
            }
        };
        let mut draft = Draft::new(302);
        draft.set(2, card.pan());
        set_times(&mut draft, self.now);
        draft.set(11, format!("{:06}", next_stan(&mut self.stan)));
        draft.set(33, &self.config.institution);
        draft.set(91, update).set(101, "STOPLIST");
        if update == "1" {
            draft.set(120, format!("RS02{reason}AC02{code}"));
        }
        self.send_anywhere(&draft)?;
        Ok(json!({ "stan": draft.text(11) }))
    }

    fn administrative(
        &mut self,
        to: Option<&str>,
        text: &str,
        advice: bool,
    ) -> Result<Value, String> {
        let mut draft = Draft::new(if advice { 620 } else { 600 });
        set_times(&mut draft, self.now);
        draft.set(11, format!("{:06}", next_stan(&mut self.stan)));
        draft.set(24, "650").set(33, &self.config.institution);
        draft.set(104, text);
        if let Some(to) = to {
            draft.set(100, to);
        }
        self.send_anywhere(&draft)?;
        Ok(json!({ "stan": draft.text(11) }))
    }

    fn network_request(&mut self, action: &str) -> Result<Value, String> {
        let purpose: &[u8] = match action {
            "sign-on" => b"001",
            "sign-off" => b"002",
            "cut-over" => b"201",
            "echo" => b"301",
            "key-request" => b"162",
            other => {
                return Err(format!(
                    "action: `{other}` is none of sign-on, sign-off, cut-over, echo, key-request"
                ));
            }
        };
        let mut draft = self.network(purpose);
        if action == "cut-over" {
            let day = draft.text(13);
            draft.set(15, day);
        }
        self.send_anywhere(&draft)?;
        Ok(json!({ "stan": draft.text(11) }))
    }

    fn any_message(&mut self, mti: u16, fields: &[(u8, String)]) -> Result<Value, String> {
        let mut draft = Draft::new(mti);
        for (field, value) in fields {
            set_field(&mut draft, *field, value)?;
        }
        self.send_anywhere(&draft)?;
        Ok(json!({}))
    }
}

/// Changes what a message says.
fn edit(draft: &mut Draft, edits: &[(u8, Option<String>)]) -> Result<(), String> {
    for (field, value) in edits {
        match value {
            Some(value) => set_field(draft, *field, value)?,
            None => {
                draft.remove(*field);
            }
        }
    }
    Ok(())
}

/// Binary fields come in hexadecimal.
fn set_field(draft: &mut Draft, field: u8, value: &str) -> Result<(), String> {
    if matches!(field, 52 | 55 | 64 | 110 | 128) {
        draft.set(field, from_hex("field", value)?);
    } else {
        draft.set(field, value);
    }
    Ok(())
}

fn from_hex(place: &str, text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    match digits {
        Some(digits) if digits.len().is_multiple_of(2) => Ok(digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit))
            .collect()),
        _ => Err(format!("{place}: not pairs of hexadecimal digits")),
    }
}

fn card_of(prefix: &str, number: u32) -> Result<TestCard, String> {
    TestCard::new(prefix, number).ok_or_else(|| format!("prefix: `{prefix}` has no card {number}"))
}
