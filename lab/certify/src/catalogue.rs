//! The catalogue: cases and their steps, as data.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use torap_bank::card::{Order, Side};

/// Cases of the card rail.
pub const CARD: &str = include_str!("../catalogue/card.toml");

/// A catalogue of cases for one rail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub title: String,
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub id: String,
    pub title: String,
    pub role: Role,
    pub kind: Kind,
    /// Rows of the outcome table that it shows.
    pub rows: Vec<String>,
    /// What the host must do.
    pub text: String,
    /// What has to be agreed; without it the case is left out.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// It waits for a clock of the host's own.
    #[serde(default)]
    pub slow: bool,
    pub steps: Vec<Step>,
}

/// Who the host is in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Both,
    Acquirer,
    Issuer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// All goes well.
    Positive,
    /// The other side makes a mistake, or a day is bad.
    Negative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Zone keys, for PIN blocks.
    Keys,
    /// Every message carries a MAC.
    Mac,
}

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

/// Reads a catalogue.
///
/// # Errors
/// The text is none; place and rule.
pub fn read(text: &str) -> Result<Catalogue, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Both => "both",
            Role::Acquirer => "acquirer",
            Role::Issuer => "issuer",
        }
    }
}

impl Kind {
    /// As in the catalogue.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Positive => "positive",
            Kind::Negative => "negative",
        }
    }
}

impl Need {
    fn name(self) -> &'static str {
        match self {
            Need::Keys => "zone keys",
            Need::Mac => "MACs",
        }
    }
}

impl Catalogue {
    /// As a table for docs/certification.md.
    pub fn markdown(&self) -> String {
        let mut out =
            String::from("| Case | Role | Kind | What is shown | What the host must do | Rows |\n");
        out.push_str("|---|---|---|---|---|---|\n");
        for case in &self.cases {
            let needs: Vec<&str> = case.needs.iter().map(|need| need.name()).collect();
            let needs = match needs.is_empty() {
                true => String::new(),
                false => format!(" (needs {})", needs.join(", ")),
            };
            // Writing to a string does not fail.
            let _ = writeln!(
                out,
                "| {} | {} | {} | {}{needs} | {} | {} |",
                case.id,
                case.role.name(),
                case.kind.name(),
                case.title,
                case.text,
                case.rows.join(", ")
            );
        }
        out
    }
}
