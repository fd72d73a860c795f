//! Steps of the instant rail's cases.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A step of a case. Names are the catalogue's own for messages of the case.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    // ---- The link.
    /// Cuts every link.
    Cut,
    /// Waits until the host has signed on (again).
    SignOn,
    /// Cuts the link and gives a wrong proof at the next sign-on: the host must leave.
    FalseProof,
    /// Says and expects nothing for so many heartbeats; the link must live on.
    Idle { heartbeats: u32 },
    /// Signs off in good order; the host must answer and come back.
    SignOff,
    /// Sends a frame that no switch sends.
    Frame { what: BadFrame },
    /// A sequence without a message.
    Skip,
    /// A message of a content type that nobody knows.
    UnknownContent,
    /// A message that is this text.
    Text { text: String },
    /// The host must have acknowledged everything.
    Acknowledged {
        #[serde(default = "acknowledged_ms")]
        within_ms: u64,
    },
    /// The host must end the link by itself.
    Left,
    /// Nothing may come for so long.
    Quiet { within_ms: u64 },

    // ---- What the switch sends.
    /// Forwards a payment.
    Pay(Pay),
    /// Sends the same payment again, marked as a possible duplicate.
    PayAgain { of: String },
    /// Forwards so many payments at once, wants all answers, and settles them.
    Burst { count: usize, amount: String },
    /// Tells what became of a payment or return.
    Decide(Decide),
    /// Asks whether an account is a person's.
    Confirm { person: Person },
    /// Answers a look-up.
    Found { of: String, found: bool },
    /// Returns a payment of the host's; with `again` the same return once more.
    Return {
        of: String,
        #[serde(default)]
        again: bool,
    },
    /// Asks for a payment back that the host received.
    Recall {
        of: String,
        reason: String,
        #[serde(rename = "as")]
        name: String,
    },
    /// Refuses a recall of the host's.
    Resolve { of: String, reason: String },
    /// Refuses a message of the host's as a message.
    Reject { of: String, code: String },
    /// Tells of an event.
    Notice {
        code: String,
        parameters: Vec<String>,
    },
    /// Answers a JSON command; without a reason it is accepted.
    CommandAnswer { of: String, reason: Option<String> },

    // ---- What the host does.
    /// Tells a simulated host what to do with the next payment; the data of a real one bring it about.
    Prepare { behave: String },
    /// Asks the host to begin something.
    Ask(AskFor),
    /// Waits for a message of the host's.
    Await(Await),
    /// Waits for the host's next message, takes it for lost, and cuts the link.
    Lose {
        #[serde(rename = "as")]
        name: String,
    },
    /// The lost message must come again: sequence and bytes as before, marked.
    Resent {
        of: String,
        #[serde(default = "patience_ms")]
        within_ms: u64,
    },
    /// Asks for the balance: keeps it, or compares it with one that was kept.
    Balance {
        keep: Option<String>,
        than: Option<String>,
        /// Tenge, with a sign if it falls.
        change: Option<String>,
    },
}

/// A frame that no switch sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadFrame {
    /// Of a type that nobody knows: ignored, and answered with error 5.
    UnknownType,
    /// With a critical header that nobody knows: refused with error 6.
    UnknownCriticalHeader,
    /// The last message again under its sequence: acknowledged and dropped.
    SameSequence,
    /// A sequence is left out: error 40, and the link ends.
    SequenceGap,
}

/// A payment for the host's customer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    #[serde(rename = "as")]
    pub name: String,
    /// Tenge.
    pub amount: String,
    #[serde(default)]
    pub to: Payee,
    /// Words for the payee, and fields that the switch does not use.
    #[serde(default)]
    pub rich: bool,
}

/// The payee as the payment names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payee {
    #[default]
    Account,
    /// By phone, resolved by the switch.
    Phone,
    /// A merchant's static code.
    StaticQr,
    /// An account that nobody has.
    Unknown,
    /// The payer's own account.
    OwnAccount,
}

/// Whose account it is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Person {
    Right,
    Other,
}

/// pacs.002 of the switch.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    pub of: String,
    pub status: Status,
    pub code: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Acsc,
    Rjct,
    Pdng,
}

/// What the host is asked to begin.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskFor {
    /// In words, for a person; `{iban}`, `{bank}`, `{name}`, `{phone}`, `{person}`, `{qr}`, `{uetr}` are filled in.
    pub say: String,
    /// For a simulated host: a request of its script, completed by the bench.
    pub what: BTreeMap<String, toml::Value>,
    /// Whom to pay.
    pub to: Option<PayTo>,
    /// About this message.
    pub of: Option<String>,
}

/// Whom the host is asked to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayTo {
    Account,
    Phone,
    DynamicQr,
}

/// What a message of the host's must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Await {
    /// `pacs.008`, `json`, …
    pub kind: String,
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// It is about this message: its identifiers come back.
    pub of: Option<String>,
    /// It is this payment again: the same identifiers, amount and parties.
    pub same: Option<String>,
    /// Tenge.
    pub amount: Option<String>,
    pub service: Option<String>,
    /// It carries what this look-up found.
    pub resolved_by: Option<String>,
    pub status: Option<String>,
    /// One of these.
    pub code: Option<Vec<String>>,
    /// Of an acmt.024.
    pub verified: Option<bool>,
    /// Of a JSON command.
    pub command: Option<String>,
    /// Sooner than this if the bench asked, at the latest then if a person had to.
    #[serde(default = "patience_ms")]
    pub within_ms: u64,
}

/// How long a case waits for the host unless it says otherwise.
const fn patience_ms() -> u64 {
    15_000
}

/// A host stores a message before it acknowledges it; this is long for that.
const fn acknowledged_ms() -> u64 {
    2_000
}
