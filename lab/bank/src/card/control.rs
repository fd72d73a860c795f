//! What a script asks of the card side: one JSON object a request.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use torap_domain::CardService;
use torap_domain::card::{Channel, EntryMode};

/// A transaction to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Order {
    /// Kebab-case name of a service, such as `purchase`.
    pub service: String,
    /// `atm`, `pos`, `web` or `mobile`.
    pub channel: String,
    /// `manual`, `stripe`, `chip`, `contactless`, `fallback`, `e-commerce`, `card-on-file`; without it what the channel usually has.
    pub entry: Option<String>,
    /// Prefix of the card's issuer, and the card's number behind it.
    pub prefix: String,
    pub card: u32,
    /// A whole card number in its place, for one that is nobody's.
    pub pan: Option<String>,
    /// Tenge, such as `1500.00`; cash back included.
    pub amount: String,
    pub cash_back: Option<String>,
    pub pin: PinUse,
    /// Format of the PIN block: 0, 1, 3 or 4; without it the one that goes with the key.
    pub pin_format: Option<u8>,
    /// As 0100 or 0200; without it pre-authorisations and enquiries are 0100, the rest 0200.
    pub class: Option<MessageClass>,
    /// Four digits; without it what fits channel and service.
    pub mcc: Option<String>,
    /// The acquirer can use an approval of a part.
    pub partial: bool,
    /// DE2 is a payment token for the card, as a wallet has it; its scheme knows the card.
    pub token: bool,
    /// As an advice (0120, 0220): approved offline.
    pub offline: bool,
    /// Shift of DE7 against the clock.
    pub clock_shift_ms: i64,
    /// Fields that are changed before the message leaves, as a faulty host might: number to value; no value takes the field away.
    /// Binary values in hexadecimal.
    pub edits: Vec<(u8, Option<String>)>,
    /// Nothing more than the sending: no time-out, no reversal of the acquirer's own.
    pub forget: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinUse {
    #[default]
    None,
    Right,
    Wrong,
    /// Eight bytes that no key made.
    Garbage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageClass {
    Authorisation,
    Financial,
}

/// A side of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    Acquirer,
    Issuer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Sends a transaction; answers with its reference (DE37) and trace.
    Transact(Order),
    /// The same transaction again: as a repeat (0201), or as it was; with another amount if one is given.
    Again {
        reference: String,
        #[serde(default)]
        repeat: bool,
        amount: Option<String>,
    },
    /// Reverses a transaction, in full or so that `stands` is left; as 0420, or as 0400.
    Reverse {
        reference: String,
        stands: Option<String>,
        #[serde(default)]
        request: bool,
    },
    /// Reverses a transaction under these identifiers that is never sent, or sent later with [`Request::Transact`] edits.
    ReverseUnsent { order: Order },
    /// Sends the transaction that [`Request::ReverseUnsent`] reversed before.
    SendReversed { reference: String },
    /// The reversal again, as a repeat (0421).
    ReverseAgain { reference: String },
    /// Completes a pre-authorisation with this amount.
    Complete { reference: String, amount: String },
    /// Money back for goods: a refund to the card of that transaction.
    Refund { reference: String, amount: String },
    /// 0500, or 0520: this host's totals of a session (MMDD), falsified by `off_by_tiyn`.
    Reconcile {
        session: String,
        side: Side,
        #[serde(default)]
        advice: bool,
        #[serde(default)]
        off_by_tiyn: i64,
    },
    /// 0302: puts a card of this issuer on the stop list (`lost`, `stolen`, `restricted`), or takes it off (`release`).
    StopList {
        prefix: String,
        card: u32,
        action: String,
    },
    /// 0600, or 0620: words to another institution, or to the switch.
    Administrative {
        to: Option<String>,
        text: String,
        #[serde(default)]
        advice: bool,
    },
    /// 0800: `sign-on`, `sign-off`, `echo`, `cut-over`.
    Network { action: String },
    /// Behaviour for the next `count` requests, advices, reversals or enquiries that it is meant for.
    Behave { behaviour: String, count: usize },
    /// Any message: type and fields as text, binary ones in hexadecimal.
    Message { mti: u16, fields: Vec<(u8, String)> },
    /// Any bytes in a frame, in hexadecimal.
    Raw { hex: String },
    /// Cuts all links and stays away, or comes back.
    Link { up: bool },
    /// Changes what an account holds, in tenge.
    SetBalance {
        prefix: String,
        card: u32,
        balance: String,
    },
    /// The switch counts this in a session (MMDD) without a message of this host: a line of its presentment file, or a step of a
    /// dispute. Tenge; `credit` for money to the cardholder, `back` for what does not stand any more.
    Counted {
        session: String,
        side: Side,
        amount: String,
        #[serde(default)]
        credit: bool,
        #[serde(default)]
        back: bool,
    },
    /// Outcomes, violations, what is open.
    Books,
    /// This host's own totals, by session and side.
    Totals,
    /// Totals of closed sessions as the switch told them in answer to this host's own.
    ToldTotals,
    /// Transactions sent, and how each came out.
    Transactions,
    /// Transactions taken as issuer, and how each came out.
    Issued,
    /// Messages received, from number `since` on.
    Messages { since: u64 },
    /// Waits until a message has come that fits; the driver answers.
    Wait { filter: WaitFor, within_ms: u64 },
}

/// What a message must have; what is left out fits anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaitFor {
    /// Only messages numbered from here on.
    pub since: u64,
    /// Four digits.
    pub mti: Option<String>,
    /// DE39
    pub code: Option<String>,
    /// DE37
    pub reference: Option<String>,
    /// DE11
    pub stan: Option<String>,
    /// DE70
    pub purpose: Option<String>,
    /// Any answer to the acquirer: 0110, 0210.
    pub is_answer: bool,
}

/// A message from the switch, in brief. Card numbers are masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub number: u64,
    /// Type in the national dialect.
    pub mti: String,
    pub code: Option<String>,
    pub reference: Option<String>,
    pub stan: Option<String>,
    pub approval: Option<String>,
    /// DE4, in tiyn.
    pub amount: Option<u64>,
    /// DE95: what stands, in tiyn.
    pub stands: Option<u64>,
    /// DE15
    pub session: Option<String>,
    pub purpose: Option<String>,
    /// DE66
    pub settlement: Option<String>,
    /// DE44
    pub text: Option<String>,
    pub pan: Option<String>,
    /// Tags of DE48 that may be shown.
    pub tags: Vec<(String, String)>,
    /// On which of the host's links it came.
    pub link: usize,
}

/// What [`Request::Transact`] answers with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTransaction {
    /// DE37
    pub reference: String,
    /// DE11
    pub stan: String,
    pub mti: String,
    pub amount: String,
}

impl Default for Order {
    /// A purchase of nothing by card 0 of no issuer at a terminal.
    fn default() -> Order {
        Order {
            service: CardService::Purchase.name().into(),
            channel: Channel::Pos.name().into(),
            entry: None,
            prefix: String::new(),
            card: 0,
            pan: None,
            amount: "0.00".into(),
            cash_back: None,
            pin: PinUse::None,
            pin_format: None,
            class: None,
            mcc: None,
            partial: false,
            token: false,
            offline: false,
            clock_shift_ms: 0,
            edits: Vec::new(),
            forget: false,
        }
    }
}

impl Order {
    /// A transaction of the service at the channel; change the fields of what it gives for anything else.
    pub fn new(
        service: CardService,
        channel: Channel,
        prefix: &str,
        card: u32,
        amount: &str,
    ) -> Order {
        Order {
            service: service.name().into(),
            channel: channel.name().into(),
            prefix: prefix.into(),
            card,
            amount: amount.into(),
            ..Order::default()
        }
    }

    pub(crate) fn service(&self) -> Result<CardService, String> {
        named("service", &self.service, CardService::from_name)
    }

    pub(crate) fn channel(&self) -> Result<Channel, String> {
        named("channel", &self.channel, Channel::from_name)
    }

    /// As stated, or what the channel usually has.
    pub(crate) fn entry(&self) -> Result<EntryMode, String> {
        match &self.entry {
            Some(entry) => named("entry", entry, EntryMode::from_name),
            None => Ok(match self.channel()? {
                Channel::Atm => EntryMode::Chip,
                Channel::Pos => EntryMode::Contactless,
                Channel::Web | Channel::Mobile => EntryMode::ECommerce,
            }),
        }
    }

    pub(crate) fn class(&self) -> Result<MessageClass, String> {
        let service = self.service()?;
        let usual = match service {
            CardService::PreAuthorisation
            | CardService::BalanceEnquiry
            | CardService::AccountVerification => MessageClass::Authorisation,
            _ => MessageClass::Financial,
        };
        Ok(self.class.unwrap_or(usual))
    }
}

impl WaitFor {
    pub fn fits(&self, seen: &Seen) -> bool {
        let fits =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let is_answer = !self.is_answer || matches!(seen.mti.as_str(), "0110" | "0210");
        seen.number >= self.since
            && is_answer
            && self.mti.as_ref().is_none_or(|mti| *mti == seen.mti)
            && fits(&self.code, &seen.code)
            && fits(&self.reference, &seen.reference)
            && fits(&self.stan, &seen.stan)
            && fits(&self.purpose, &seen.purpose)
    }
}

/// Rows of a JSON table.
pub(crate) fn rows(rows: impl Iterator<Item = Value>) -> Value {
    Value::Array(rows.collect())
}

fn named<T>(place: &str, name: &str, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    find(name).ok_or_else(|| format!("{place}: `{name}` is none"))
}
