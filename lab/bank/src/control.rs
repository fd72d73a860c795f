//! What a script asks of a simulated bank: one JSON object a request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whom a payment goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Payee {
    /// By phone; `bank` chooses one of the payee's banks, `person` narrows the alias.
    Phone {
        phone: String,
        bank: Option<String>,
        person: Option<String>,
    },
    Account {
        bank: String,
        iban: String,
        name: String,
        person: Option<String>,
    },
    /// The text of a QR code; `amount` of the payment may be left out for a dynamic one.
    Qr { code: String },
}

/// A payment to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayOrder {
    /// Number of the paying customer.
    pub from: u32,
    pub payee: Payee,
    /// Tenge, e.g. "1500.00"; a QR code may have its own.
    pub amount: Option<String>,
    /// Between the payer's own accounts.
    #[serde(default)]
    pub me2me: bool,
    /// From a look-up.
    pub resolution_id: Option<String>,
    /// Shift of the acceptance time against the clock.
    #[serde(default)]
    pub accepted_shift_ms: i64,
    /// Identifiers of the script's choice; without them the bank makes fresh ones.
    pub transaction_id: Option<String>,
    pub uetr: Option<String>,
}

impl PayOrder {
    /// A plain payment; change the fields of what it gives for anything else.
    pub fn new(from: u32, payee: Payee, amount: Option<&str>) -> PayOrder {
        PayOrder {
            from,
            payee,
            amount: amount.map(String::from),
            me2me: false,
            resolution_id: None,
            accepted_shift_ms: 0,
            transaction_id: None,
            uetr: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Sends a payment; answers with its identifiers.
    Pay(PayOrder),
    /// Sends payments as lines of one message of a file (docs/mass.md), under this MsgId; answers with the identifiers of each.
    PayFile {
        message_id: String,
        orders: Vec<PayOrder>,
    },
    /// Sends the same payment again, or another amount under the same identifiers.
    PayAgain {
        transaction_id: String,
        amount: Option<String>,
    },
    /// Returns a received payment, in full or in part.
    Return {
        uetr: String,
        amount: Option<String>,
        reason: String,
    },
    /// Asks for a sent payment back.
    Recall {
        uetr: String,
        reason: String,
    },
    /// Answers a recall with no.
    RefuseRecall {
        uetr: String,
        reason: String,
    },
    /// Asks for the status of a payment; an unknown one may be named too.
    Status {
        uetr: String,
        transaction_id: String,
    },
    /// Who has this number?
    LookUp {
        phone: String,
        person: Option<String>,
        bank: Option<String>,
    },
    /// A JSON command of docs/wire.md (directory, QR registration).
    Command {
        command: Value,
    },
    /// Any bytes as an XML message.
    Raw {
        text: String,
    },
    /// Any bytes as a message of a content type that need not have a meaning.
    Frame {
        content_type: u16,
        text: String,
    },
    /// The last message once more, byte for byte, under the next sequence.
    Again,
    /// What the request would send, with texts replaced, as a faulty host might. Each text must occur.
    Edited {
        request: Box<Request>,
        replace: Vec<(String, String)>,
    },
    /// Several requests, whose messages leave in one write.
    Together {
        requests: Vec<Request>,
    },
    /// Answers a payment, asked or not: ACSP, or RJCT with `reason`.
    Answer {
        uetr: String,
        transaction_id: String,
        reason: Option<String>,
    },
    /// Behaviour for the next `count` incoming payments.
    Behave {
        behaviour: String,
        count: usize,
    },
    /// Cuts the link and stays away, or comes back.
    Link {
        up: bool,
    },
    Books,
    /// Messages received, from number `since` on.
    Messages {
        since: u64,
    },
    Customers {
        from: u32,
        count: u32,
    },
    /// Waits until a message has come that fits; the driver answers.
    Wait {
        filter: WaitFor,
        within_ms: u64,
    },
    /// For the card side; the driver hands it on.
    Card {
        request: crate::card::Request,
    },
    Stop,
}

/// What a message must have; what is left out fits anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaitFor {
    /// Only messages numbered from here on.
    pub since: u64,
    pub kind: Option<String>,
    pub status: Option<String>,
    pub reason: Option<String>,
    pub uetr: Option<String>,
    pub reference: Option<String>,
    /// Any final status, ACSC or RJCT, or the refusal of the message (admi.002), after which the same may be sent again.
    pub is_final: bool,
}

/// A payment that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentPayment {
    pub transaction_id: String,
    pub uetr: String,
    pub message_id: String,
    pub amount: String,
}

/// A message from the switch, in brief.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub number: u64,
    /// `pacs.008`, `pacs.002`, …, `json`, `skip`; `error` for a refused frame, with the number as `reason`.
    pub kind: String,
    pub status: Option<String>,
    pub reason: Option<String>,
    pub text: Option<String>,
    pub uetr: Option<String>,
    pub transaction_id: Option<String>,
    /// Message id of a report, return id, verification id, or reference of a JSON command.
    pub reference: Option<String>,
    pub amount: Option<String>,
    pub name: Option<String>,
    pub bank: Option<String>,
    pub resolution_id: Option<String>,
    pub possible_duplicate: bool,
}

impl WaitFor {
    pub fn fits(&self, seen: &Seen) -> bool {
        let fits =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let kind = self.kind.as_ref().is_none_or(|kind| *kind == seen.kind);
        let last = !self.is_final
            || seen.kind == "admi.002"
            || matches!(seen.status.as_deref(), Some("ACSC" | "RJCT"));
        seen.number >= self.since
            && kind
            && last
            && fits(&self.status, &seen.status)
            && fits(&self.reason, &seen.reason)
            && fits(&self.uetr, &seen.uetr)
            && fits(&self.reference, &seen.reference)
    }
}
