//! What happened, in words, for the one run that is told in full: a failing one, once more.

use torap_bank::Request;

use crate::{card::CardSide, host::Host};

/// Lines of a run; empty unless asked for.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    on: bool,
    lines: Vec<String>,
    /// Number of the next message of each bank.
    seen: Vec<u64>,
    /// The same of each card host.
    cards_seen: Vec<u64>,
}

impl Trace {
    pub(crate) fn new(on: bool) -> Trace {
        Trace {
            on,
            lines: Vec::new(),
            seen: Vec::new(),
            cards_seen: Vec::new(),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    pub(crate) fn note(&mut self, step: u64, now: u64, text: impl FnOnce() -> String) {
        if self.on {
            let millis = now / 1_000_000;
            self.lines
                .push(format!("step {step} at {millis} ms: {}", text()));
        }
    }

    /// The messages that a bank has received since the last call.
    pub(crate) fn messages(&mut self, step: u64, now: u64, number: usize, host: &mut Host) {
        self.seen.resize(self.seen.len().max(number + 1), 1);
        let since = self.seen[number];
        let Ok(value) = host.bank.handle(Request::Messages { since }, 0) else {
            return;
        };
        for message in value["messages"].as_array().into_iter().flatten() {
            let part = |key: &str| message[key].as_str().unwrap_or("-").to_string();
            let code = host.code;
            self.note(step, now, || {
                format!(
                    "{code} receives {} {} {} of {} ({}) {}",
                    part("kind"),
                    part("status"),
                    part("reason"),
                    part("uetr"),
                    part("transaction_id"),
                    part("text")
                )
            });
        }
        self.seen[number] = value["next"].as_u64().unwrap_or(since);
    }

    /// The messages that a card host has received since the last call.
    pub(crate) fn card_messages(
        &mut self,
        step: u64,
        now: u64,
        number: usize,
        side: &mut CardSide,
    ) {
        self.cards_seen
            .resize(self.cards_seen.len().max(number + 1), 1);
        let since = self.cards_seen[number];
        let value = side.ask(torap_bank::card::Request::Messages { since }, 0);
        for message in value["messages"].as_array().into_iter().flatten() {
            let part = |key: &str| message[key].as_str().unwrap_or("-").to_string();
            let code = side.code;
            self.note(step, now, || {
                format!(
                    "card host {code} receives {} {} of {}, trace {}, amount {}, stands {}, session {} on link {} {}",
                    part("mti"),
                    part("code"),
                    part("reference"),
                    part("stan"),
                    message["amount"],
                    message["stands"],
                    part("session"),
                    message["link"],
                    part("text")
                )
            });
        }
        self.cards_seen[number] = value["next"].as_u64().unwrap_or(since);
    }

    /// The lines that concern what the failure names, and the faults; the last of them.
    pub(crate) fn shortest(&self, failure: &str, lines_max: usize) -> Vec<String> {
        let named: Vec<&str> = failure
            .split(|character: char| !character.is_ascii_alphanumeric() && character != '-')
            .filter(|word| {
                let is_uetr = word.len() == 36 && word.matches('-').count() == 4;
                // DE37 of card transactions.
                let is_reference =
                    word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit());
                is_uetr || is_reference
            })
            .collect();
        let of_cards = failure.contains("card") || failure.contains("totals of session");
        let concerns = |line: &&String| {
            line.contains("fault:")
                || line.contains("switch")
                || line.contains("FAILURE")
                || (named.is_empty() && (!of_cards || line.contains("card host")))
                || named.iter().any(|name| line.contains(name))
        };
        let mut chosen: Vec<String> = self.lines.iter().filter(concerns).cloned().collect();
        let from = chosen.len().saturating_sub(lines_max);
        chosen.drain(..from);
        chosen
    }
}
