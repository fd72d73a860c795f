//! Steps of the card rail's cases.

use std::collections::BTreeMap;

use serde::Deserialize;
use torap_bank::card::{Order, Side};

/// A step of a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Cuts every link.
    Cut,
    /// Waits until the host has signed on (again).
    SignOn,
    /// Sends 0800, and wants its answer.
    Network { purpose: String },
    /// Sends a frame of length zero.
    KeepAlive,
    /// Sends a frame of these bytes.
    Garbage { hex: String },
    /// Nothing may come for so long.
    Quiet { within_ms: u64 },
    /// Sends 0100 or 0200 to the issuer, under a name.
    Request(Request),
    /// Wants the answer to it, with one of these codes.
    Answer { code: Vec<String> },
    /// Wants no approval for so long.
    NotApproved { within_ms: u64 },
    /// Sends so many requests at once, and wants all answers.
    Burst { count: usize, order: Order },
    /// Asks for the balance: keeps it, or compares it with one that was kept.
    Balance {
        keep: Option<String>,
        than: Option<String>,
        /// Tenge, with a sign if it falls.
        change: Option<String>,
    },
    /// Sends 0220 of what the switch approved.
    Advice { order: Order },
    /// Sends 0220 that completes an authorisation.
    Completion { of: String, amount: String },
    /// Sends 0420 about a request, with DE39.
    Reversal {
        of: String,
        why: String,
        stands: Option<String>,
    },
    /// Sends the last advice or reversal again, marked.
    Again,
    /// Wants the answer to the last advice or reversal.
    Acknowledged {
        #[serde(default = "approved")]
        code: Vec<String>,
    },
    /// Sends 0520 with the bench's totals.
    ClosingTotals {
        side: Side,
        /// The host must find them to agree.
        #[serde(default)]
        agrees: bool,
    },
    /// Asks the host to begin something.
    Ask {
        /// In words, for a person.
        say: String,
        /// For a simulated host: a request of its script, completed by the bench.
        what: BTreeMap<String, toml::Value>,
        of: Option<String>,
    },
    /// Waits for a message of the host's.
    Await(Await),
    /// Waits for its reversal of a message.
    AwaitReversal(AwaitReversal),
    /// Waits for its totals (0500 or 0520) and compares them with the bench's.
    AwaitTotals { side: Side },
    /// Answers a message of the host's.
    Reply {
        to: String,
        code: String,
        #[serde(default)]
        set: BTreeMap<String, String>,
    },
    /// Hands a zone key over, and wants its check value back.
    HandOver(HandOver),
    /// Puts the set that was handed over into use.
    PutIntoUse(PutIntoUse),
    /// Makes PIN blocks and MACs under these keys until the case is over.
    SpeakUnder { keys: KeySet },
    /// Waits until the host asks for new keys.
    AwaitKeyRequest {
        #[serde(default = "patience_ms")]
        within_ms: u64,
    },
}

/// A key of the next set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    pub key: HandedKey,
    /// The check value told is not that of the key: the host must not take it.
    #[serde(default)]
    pub wrong_value: bool,
    /// The same message comes again, and is answered like the first.
    #[serde(default)]
    pub twice: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandedKey {
    Pin,
    Mac,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutIntoUse {
    /// A set of which no key was handed over: the host must say so.
    #[serde(default)]
    pub unknown: bool,
    /// The same message comes again, and is answered like the first.
    #[serde(default)]
    pub twice: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySet {
    /// The set in use.
    Now,
    /// The one before, in its overlap.
    Before,
}

/// 0100 or 0200 to the issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub order: Order,
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// `unknown`: a number of the issuer's that nobody has.
    pub card: Option<String>,
    /// Fields in place of those that the order makes.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    #[serde(default)]
    pub wrong_cvv: bool,
    /// Adds tags that no table has.
    #[serde(default)]
    pub unknown_tags: bool,
    #[serde(default)]
    pub bad_mac: bool,
    /// It is remembered as if it had been sent.
    #[serde(default)]
    pub unsent: bool,
}

/// What a message of the host's must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Await {
    #[serde(rename = "as")]
    pub name: String,
    pub mti: String,
    /// Tenge.
    pub amount: Option<String>,
    /// First two digits of DE3.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// It carries a PIN block with the card's PIN.
    pub pin: Option<RightPin>,
    /// DE53 names this set for the PIN block.
    pub key_set: Option<KeySet>,
    /// It names this authorisation in DE90 and DE38.
    pub completes: Option<String>,
    /// It is the repeat of this one.
    pub repeats: Option<String>,
    #[serde(default = "patience_ms")]
    pub within_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RightPin {
    Right,
}

/// What a reversal of the host's must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwaitReversal {
    pub of: String,
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// It must be the repeat of this one.
    pub again: Option<String>,
    pub stands: Option<String>,
    #[serde(default = "patience_ms")]
    pub within_ms: u64,
}

fn approved() -> Vec<String> {
    vec!["00".into()]
}

/// How long a case waits for the host unless it says otherwise.
const fn patience_ms() -> u64 {
    15_000
}
