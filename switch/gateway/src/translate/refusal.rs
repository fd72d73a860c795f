//! Refusals that the gateway makes itself: place, rule, code and reason of a message that becomes no command.

use std::fmt;

use torap_domain::{Reason, Text};
use torap_engine::links::Refusal;
use torap_iso20022::Rule;

use crate::{codes, evidence};

/// A rule of the gateway and where it is broken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Breach<'a> {
    pub(super) reason: Reason,
    /// Path in the message, or the key of a JSON command.
    pub(super) path: &'a str,
    /// Kebab-case name of the rule.
    pub(super) rule: &'a str,
    /// The rule in words.
    pub(super) text: &'a str,
    /// ISO 20022 code; without one the reason's.
    pub(super) code: Option<&'a str>,
}

impl<'a> Breach<'a> {
    /// A breach of the national usage tables.
    pub(super) fn of_profile(
        path: &'a str,
        rule: &'a str,
        text: &'a str,
        code: &'a str,
    ) -> Breach<'a> {
        Breach {
            reason: Reason::ProfileViolation,
            path,
            rule,
            text,
            code: Some(code),
        }
    }

    /// A breach that has a reason of its own; the words are the reason's.
    pub(super) fn of_reason(reason: Reason, path: &'a str) -> Breach<'a> {
        Breach {
            reason,
            path,
            rule: reason.name(),
            text: reason.text(),
            code: None,
        }
    }

    /// The refusal of an ISO 20022 message; `message` need not be valid.
    pub(super) fn of_message(&self, message: &[u8]) -> Refusal {
        let mut refusal = self.in_json();
        refusal.reference = evidence::message_id(message);
        refusal.json = false;
        refusal
    }

    /// The refusal of a JSON command whose reference is not known.
    pub(super) fn in_json(&self) -> Refusal {
        Refusal {
            reason: self.reason,
            reference: None,
            json: true,
            path: Text::truncated(self.path),
            rule: rule_text(format_args!("{}: {}", self.rule, self.text)),
            code: Text::truncated(self.code.unwrap_or_else(|| codes::status(self.reason))),
        }
    }
}

/// What the parser and the profile refused.
pub(super) fn of_parser(refused: &torap_iso20022::Refusal, message: &[u8]) -> Refusal {
    let profile = refused.reason();
    let reason = match profile {
        Some(_) => Reason::ProfileViolation,
        None => Reason::MalformedMessage,
    };
    let text = refused.rule.to_string();
    // Paths start at AppHdr or Document, as in docs/messages.md; an envelope around them tells nothing.
    let inside = refused
        .path
        .strip_prefix("/Envelope")
        .filter(|path| path.starts_with('/'));
    let breach = Breach {
        reason,
        path: inside.unwrap_or(&refused.path),
        rule: refused.code(),
        text: &text,
        code: Some(profile.unwrap_or_else(|| schema_code(&refused.rule))),
    };
    breach.of_message(message)
}

/// The ISO 20022 code of a breach of XML or of the schema.
fn schema_code(rule: &Rule) -> &'static str {
    match rule {
        Rule::MissingElement { .. } | Rule::MissingAttribute(_) => "CH21",
        Rule::UnexpectedElement { .. } | Rule::UnexpectedAttribute | Rule::UndeclaredElement => {
            "CH17"
        }
        Rule::Lexical(_)
        | Rule::MinLength(_)
        | Rule::MaxLength(_)
        | Rule::Pattern(_)
        | Rule::Enumeration(_)
        | Rule::TotalDigits(_)
        | Rule::FractionDigits(_)
        | Rule::NotNegative => "CH16",
        Rule::CharacterSet => "RR10",
        _ => codes::status(Reason::MalformedMessage),
    }
}

/// The text cut to its field.
fn rule_text(arguments: fmt::Arguments<'_>) -> Text<120> {
    Text::format(arguments).unwrap_or_else(|_| Text::truncated(&arguments.to_string()))
}
