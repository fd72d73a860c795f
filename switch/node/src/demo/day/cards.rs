//! What lines about cards ask of the hosts, and the hosts' books.

use serde_json::Value;
use torap_bank::{
    Request as BankRequest,
    card::{Order, Request, Seen, SentTransaction, WaitFor},
};

use super::{Day, PATIENCE};
use crate::demo::lab::{CARD_HOSTS, SCHEME_HOST};

impl Day {
    /// A request to a card host.
    pub fn card(&self, code: &str, request: Request) -> Result<Value, String> {
        self.ask(code, &BankRequest::Card { request })
    }

    pub(super) fn mark_cards(&mut self) -> Result<(), String> {
        self.card_since.clear();
        if !self.lab.has_cards() {
            return Ok(());
        }
        for host in CARD_HOSTS.iter().chain([&SCHEME_HOST]) {
            let messages = self.card(host.code, Request::Messages { since: u64::MAX })?;
            let next = messages["next"].as_u64();
            let next = next.ok_or("card messages: no next number")?;
            self.card_since.push((host.code, next));
        }
        Ok(())
    }

    pub fn transact(&self, code: &str, order: Order) -> Result<SentTransaction, String> {
        let sent = self.card(code, Request::Transact(order))?;
        serde_json::from_value(sent).map_err(|error| error.to_string())
    }

    /// What a card host does with the next message that it is meant for.
    pub fn card_behave(&self, code: &str, behaviour: &str) -> Result<(), String> {
        let behaviour = behaviour.to_string();
        self.card(
            code,
            Request::Behave {
                behaviour,
                count: 1,
            },
        )
        .map(|_| ())
    }

    /// The first card message of this line that fits.
    pub fn card_wait(&self, code: &str, filter: WaitFor) -> Result<Seen, String> {
        let filter = self.of_this_line(code, filter);
        let within_ms = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
        let text = format!("{filter:?}");
        let seen = self
            .card(code, Request::Wait { filter, within_ms })
            .map_err(|error| format!("{error} ({text})"))?;
        serde_json::from_value(seen).map_err(|error| error.to_string())
    }

    /// How many card messages of this line fit.
    pub fn card_count(&self, code: &str, filter: WaitFor) -> Result<usize, String> {
        let filter = self.of_this_line(code, filter);
        let since = filter.since;
        let mut messages = self.card(code, Request::Messages { since })?;
        let messages: Vec<Seen> = serde_json::from_value(messages["messages"].take())
            .map_err(|error| error.to_string())?;
        Ok(messages.iter().filter(|seen| filter.fits(seen)).count())
    }

    fn of_this_line(&self, code: &str, filter: WaitFor) -> WaitFor {
        let mut marks = self.card_since.iter();
        let mark = marks.find(|(known, _)| *known == code);
        WaitFor {
            since: filter.since.max(mark.map_or(0, |(_, since)| *since)),
            ..filter
        }
    }

    /// `0210 00`: the answer to the acquirer.
    pub fn card_outcome(&self, code: &str, sent: &SentTransaction) -> Result<String, String> {
        let filter = WaitFor {
            is_answer: true,
            ..about(sent)
        };
        self.card_wait(code, filter).map(|seen| card_brief(&seen))
    }

    /// What the card hosts hold against the switch, and what has no outcome. Empty = all is well.
    pub(super) fn card_differences(&self) -> Result<Vec<String>, String> {
        let mut differences = Vec::new();
        if !self.lab.has_cards() {
            return Ok(differences);
        }
        for host in CARD_HOSTS.iter().chain([&SCHEME_HOST]) {
            let books = self.card(host.code, Request::Books)?;
            if books["violations_count"] != 0 {
                let text = format!("{}: cards: {}", host.code, books["violations"]);
                differences.push(text);
            }
            if books["open"] != 0 {
                let text = format!(
                    "{}: {} card transactions without an outcome",
                    host.code, books["open"]
                );
                differences.push(text);
            }
        }
        Ok(differences)
    }
}

/// Messages about a transaction.
pub fn about(sent: &SentTransaction) -> WaitFor {
    WaitFor {
        reference: Some(sent.reference.clone()),
        ..WaitFor::default()
    }
}

/// Type and response code.
pub fn card_brief(seen: &Seen) -> String {
    match &seen.code {
        Some(code) => format!("{} {code}", seen.mti),
        None => seen.mti.clone(),
    }
}
