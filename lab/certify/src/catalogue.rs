//! The catalogue: cases as data; a rail's steps are in its module.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub mod card;
pub mod instant;

/// Cases of the card rail; steps are [`card::Step`].
pub const CARD: &str = include_str!("../catalogue/card.toml");
/// Cases of instant payments; steps are [`instant::Step`].
pub const INSTANT: &str = include_str!("../catalogue/instant.toml");

/// A catalogue of cases for one rail, with that rail's steps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "S: DeserializeOwned")]
pub struct Catalogue<S> {
    pub title: String,
    #[serde(rename = "case")]
    pub cases: Vec<Case<S>>,
}

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "S: DeserializeOwned")]
pub struct Case<S> {
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
    pub steps: Vec<S>,
}

/// Who the host is in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Both,
    Acquirer,
    Issuer,
    /// The payer's bank.
    Payer,
    /// The payee's bank.
    Payee,
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
    /// The balance of the test customer can be seen.
    Balance,
}

/// Reads a catalogue.
///
/// # Errors
/// The text is none; place and rule.
pub fn read<S: DeserializeOwned>(text: &str) -> Result<Catalogue<S>, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Both => "both",
            Role::Acquirer => "acquirer",
            Role::Issuer => "issuer",
            Role::Payer => "payer's bank",
            Role::Payee => "payee's bank",
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
            Need::Balance => "the balance",
        }
    }
}

impl<S> Catalogue<S> {
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
