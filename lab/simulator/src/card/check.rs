//! What must hold for cards: what hosts complain of, totals, and one outcome for each transaction at both banks and in the log.

use std::collections::{BTreeMap, BTreeSet};

use torap_bank::card::{Request, Side, Sum};
use torap_domain::{Date, ParticipantId, card::MonthDay};
use torap_engine::{
    Command, Engine, Event as Any,
    cards::{self, CardKey, Class, Decision, Event, LineKind, LineVerdict, SessionTotals, Trace},
    disputes::{Dispute, Move, Subject},
};

use super::{CardWorld, side::CardSide};
use crate::node::Node;

/// What the log says of card transactions, from its first record on.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    decided: BTreeMap<CardKey, Outcome>,
    /// A key with two outcomes, or another impossible thing.
    broken: Option<String>,
    /// Lines of presentment files: no message of their acquirers.
    lines: BTreeSet<CardKey>,
    /// What the switch counts without a message of the host, by participant, session and side: lines of its files, steps of cases.
    counted: BTreeMap<(ParticipantId, String, Side), torap_bank::card::Totals>,
}

#[derive(Debug)]
struct Outcome {
    acquirer: ParticipantId,
    issuer: ParticipantId,
    class: Class,
    /// DE7 and DE11 as the acquirer sent them, and as the issuer knows it.
    sent: String,
    asked: Option<String>,
    /// In tiyn; none if it was declined.
    approved: Option<u64>,
    stands: u64,
}

/// A row of a host's books.
#[derive(Debug)]
struct Row {
    trace: String,
    reference: String,
    code: String,
    stands: u64,
    outcome: String,
}

impl Outcomes {
    /// Takes in what a record of the log brought about.
    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::Decided(finished) => {
                let approved = match finished.decision {
                    Decision::Approved { amount, .. } => Some(amount.minor()),
                    Decision::Declined { .. } => None,
                };
                let outcome = Outcome {
                    acquirer: finished.acquirer,
                    issuer: finished.issuer,
                    class: finished.class,
                    sent: trace_of(finished.references.trace),
                    asked: finished.asked.map(trace_of),
                    approved,
                    stands: approved.unwrap_or(0),
                };
                let text = format!(
                    "card transaction {} has two outcomes in the log",
                    outcome.sent
                );
                if self.decided.insert(finished.key, outcome).is_some() {
                    self.broken.get_or_insert(text);
                }
            }
            Event::Reversed {
                original, stands, ..
            } => {
                let stands = stands.minor();
                match self.decided.get_mut(original) {
                    Some(outcome) if stands < outcome.stands => outcome.stands = stands,
                    _ => {
                        let text =
                            "a reversal in the log leaves more than stood, or has no original";
                        self.broken.get_or_insert(text.into());
                    }
                }
            }
            _ => {}
        }
    }
}

/// What happens to card transactions without a message of a host.
impl Outcomes {
    /// Takes a record in which lines of a file were taken, or cases went on; `engine` is the state after it.
    pub(crate) fn record(&mut self, engine: &Engine, command: &Command, events: &[Any]) {
        if let Command::Cards(cards::Command::Present(present)) = command {
            let file = engine.presentment_file(present.participant, present.piece.file);
            let known = file.map_or(&[][..], |file| &file.lines);
            for line in &present.lines {
                let verdict = known.iter().find(|known| known.number == line.number);
                if verdict.is_some_and(|known| known.verdict == LineVerdict::Taken) {
                    self.line(present.participant, line, events);
                }
            }
        }
        for event in events {
            let Any::Dispute(step) = event else {
                continue;
            };
            if let Some(dispute) = engine.dispute(step.case) {
                self.step(dispute, step.moved, events);
            }
        }
    }

    fn line(&mut self, acquirer: ParticipantId, line: &cards::Line, events: &[Any]) {
        let session = events.iter().find_map(|event| match event {
            Any::Card(Event::Decided(done)) if done.key == line.key => Some(done.session),
            _ => None,
        });
        let Some(session) = session else {
            return;
        };
        self.lines.insert(line.key);
        let totals = self.counted(acquirer, session, Side::Acquirer);
        let sum = match line.kind {
            LineKind::Purchase => &mut totals.debits,
            LineKind::Refund => &mut totals.credits,
        };
        add(sum, line.amount.minor());
    }

    fn step(&mut self, dispute: &Dispute, moved: Move, events: &[Any]) {
        let (Subject::Card(subject), Move::ToClaimant(amount) | Move::ToRespondent(amount)) =
            (&dispute.subject, moved)
        else {
            return;
        };
        let session = events.iter().find_map(|event| match event {
            Any::Card(Event::Posted(posting)) if posting.key == subject.key => {
                Some(posting.session)
            }
            _ => None,
        });
        let Some(session) = session else {
            return;
        };
        for (participant, side) in [
            (dispute.respondent, Side::Acquirer),
            (dispute.claimant, Side::Issuer),
        ] {
            let totals = self.counted(participant, session, side);
            let sum = match moved {
                Move::ToClaimant(_) => &mut totals.debit_reversals,
                Move::ToRespondent(_) | Move::Nothing => &mut totals.debits,
            };
            add(sum, amount);
        }
    }

    fn counted(
        &mut self,
        participant: ParticipantId,
        session: Date,
        side: Side,
    ) -> &mut torap_bank::card::Totals {
        let session = format!("{:04}", MonthDay::of(session).value());
        self.counted
            .entry((participant, session, side))
            .or_default()
    }
}

fn add(sum: &mut Sum, tiyn: u64) {
    sum.count += 1;
    sum.tiyn += tiyn;
}

impl CardWorld {
    /// What the hosts have found wrong so far.
    pub(crate) fn complaints(&mut self, wall: u64) -> Option<String> {
        self.sides.iter_mut().find_map(|side| side.complaint(wall))
    }

    /// Both banks, the log and the sessions agree about everything.
    pub(crate) fn check_end(
        &mut self,
        node: &Node,
        told: &Outcomes,
        wall: u64,
    ) -> Result<(), String> {
        if let Some(text) = &told.broken {
            return Err(text.clone());
        }
        let sessions: Vec<SessionTotals> = node.core().engine().card_sessions().collect();
        for side in self.sides.iter_mut().filter(|side| !side.is_scheme) {
            side.check_sent(told, wall)?;
            side.check_taken(told, wall)?;
            side.check_totals(&sessions, told, wall)?;
        }
        Ok(())
    }
}

impl CardSide {
    fn complaint(&mut self, wall: u64) -> Option<String> {
        let books = self.ask(Request::Books, wall);
        if books["violations_count"] == 0 {
            return None;
        }
        let several = self.links.len() > 1;
        let complaints = books["violations"].as_array()?;
        complaints.iter().find_map(|complaint| {
            let (about, text) = (complaint["about"].as_str()?, complaint["text"].as_str()?);
            (!is_excused(about, text, several)).then(|| {
                format!(
                    "card host {} saw a broken promise about {about}: {text}",
                    self.code
                )
            })
        })
    }

    fn rows(&mut self, request: Request, stands: &str, wall: u64) -> Vec<Row> {
        let rows = self.ask(request, wall);
        let rows = rows.as_array().into_iter().flatten();
        rows.map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_string();
            Row {
                trace: text("trace"),
                reference: text("reference"),
                code: text("code"),
                stands: row[stands].as_u64().unwrap_or(0),
                outcome: text("outcome"),
            }
        })
        .collect()
    }

    /// What it sent as acquirer came out as the log says: nothing that was answered is lost, and nothing stands that it does not know of.
    fn check_sent(&mut self, told: &Outcomes, wall: u64) -> Result<(), String> {
        let (code, participant) = (self.code, self.participant);
        let own = told
            .decided
            .iter()
            .filter(|(key, outcome)| outcome.acquirer == participant && !told.lines.contains(key));
        let own = own.map(|(_, outcome)| outcome);
        let in_log: BTreeMap<(&str, Class), &Outcome> = own
            .map(|outcome| ((outcome.sent.as_str(), outcome.class), outcome))
            .collect();
        for row in self.rows(Request::Transactions, "stands", wall) {
            let found = [Class::Authorisation, Class::Financial]
                .into_iter()
                .find_map(|class| in_log.get(&(row.trace.as_str(), class)));
            let is_approval = matches!(row.code.as_str(), "00" | "10" | "85");
            let approved = found.is_some_and(|outcome| outcome.approved.is_some());
            let stands = found.map_or(0, |outcome| outcome.stands);
            let agree = if is_approval {
                approved && stands == row.stands
            } else {
                stands == 0 && (!approved || row.outcome == "reversed")
            };
            if !agree {
                return Err(format!(
                    "card transaction {} ({}) is {} with {:?} for {code}, of which {} stand; the log has it approved: {approved}, and \
                     {stands} stand",
                    row.reference, row.trace, row.outcome, row.code, row.stands
                ));
            }
        }
        Ok(())
    }

    /// What it took as issuer stands as the log says.
    fn check_taken(&mut self, told: &Outcomes, wall: u64) -> Result<(), String> {
        let (code, participant) = (self.code, self.participant);
        let taken = self.rows(Request::Issued, "stands", wall);
        let taken: BTreeMap<&str, &Row> =
            taken.iter().map(|row| (row.trace.as_str(), row)).collect();
        let mut known = BTreeMap::new();
        let own = told
            .decided
            .values()
            .filter(|outcome| outcome.issuer == participant);
        for outcome in own {
            let Some(asked) = outcome.asked.as_deref() else {
                continue;
            };
            known.insert(asked, outcome.stands);
            let row = taken.get(asked);
            let stands = row.map_or(0, |row| row.stands);
            if stands != outcome.stands {
                return Err(format!(
                    "of card transaction {} of the acquirer, {asked} for its issuer {code}, {} stand in the log and {stands} for the issuer",
                    outcome.sent, outcome.stands
                ));
            }
        }
        let lost = taken
            .values()
            .find(|row| row.stands > 0 && !known.contains_key(row.trace.as_str()));
        match lost {
            Some(row) => Err(format!(
                "{} stand of {} for {code} as issuer, which the log does not know as approved",
                row.stands, row.trace
            )),
            None => Ok(()),
        }
    }

    /// Its own totals are the switch's, session by session, for both sides.
    fn check_totals(
        &mut self,
        sessions: &[SessionTotals],
        told: &Outcomes,
        wall: u64,
    ) -> Result<(), String> {
        let rows = self.ask(Request::Totals, wall);
        let mut own: BTreeMap<(String, Side), torap_bank::card::Totals> = BTreeMap::new();
        for row in rows.as_array().into_iter().flatten() {
            let session = row["session"].as_str().unwrap_or_default().to_string();
            let side = serde_json::from_value(row["side"].clone());
            let totals = serde_json::from_value(row["totals"].clone());
            let (Ok(side), Ok(totals)) = (side, totals) else {
                return Err(format!("{}: totals {row} cannot be read", self.code));
            };
            own.insert((session, side), totals);
        }
        let participant = self.participant;
        for ((of, session, side), more) in &told.counted {
            if *of == participant {
                let totals = own.entry((session.clone(), *side)).or_default();
                *totals = sum_of(totals, more);
            }
        }
        let mut switch = BTreeMap::new();
        for totals in sessions.iter().filter(|of| of.participant == participant) {
            let session = format!("{:04}", MonthDay::of(totals.session).value());
            switch.insert((session.clone(), Side::Acquirer), of_host(&totals.acquirer));
            switch.insert((session, Side::Issuer), of_host(&totals.issuer));
        }
        self.check_told(&switch, wall)?;
        let keys: BTreeSet<&(String, Side)> = own.keys().chain(switch.keys()).collect();
        let mut more = Unknown::default();
        for key in keys {
            let (own, switch) = (own.get(key).copied(), switch.get(key).copied());
            let (own, switch) = (own.unwrap_or_default(), switch.unwrap_or_default());
            let excused = key.1 == Side::Acquirer && more.add(&own, &switch);
            if own != switch && !excused {
                return Err(format!(
                    "totals of session {} of {} as {:?}: {own:?} by its own books, {switch:?} by the switch's",
                    key.0, self.code, key.1
                ));
            }
        }
        if !more.is_pairs() {
            return Err(format!(
                "totals of {} as {:?}: over all sessions the switch counts {more:?} beyond its books",
                self.code,
                Side::Acquirer
            ));
        }
        Ok(())
    }
}

/// What the switch counts beyond an acquirer's own books, over all sessions. An acquirer that has signed off learns by no repeat what
/// came of a request (58), and does not count it; if it was taken, posted and then reversed in full, the switch counts both, perhaps in
/// two sessions.
#[derive(Debug, Default)]
struct Unknown {
    /// Count and tiyn of debits, their reversals, credits, their reversals.
    sums: [(u64, u64); 4],
}

impl Unknown {
    /// Adds a session; false if the switch counts less than the books.
    fn add(&mut self, own: &torap_bank::card::Totals, switch: &torap_bank::card::Totals) -> bool {
        let pairs = [
            (switch.debits, own.debits),
            (switch.debit_reversals, own.debit_reversals),
            (switch.credits, own.credits),
            (switch.credit_reversals, own.credit_reversals),
        ];
        for (sum, (of, than)) in self.sums.iter_mut().zip(pairs) {
            let count = of.count.checked_sub(than.count);
            let Some((count, tiyn)) = count.zip(of.tiyn.checked_sub(than.tiyn)) else {
                return false;
            };
            *sum = (sum.0 + count, sum.1 + tiyn);
        }
        true
    }

    /// Whether all of it was posted and reversed.
    fn is_pairs(&self) -> bool {
        let [debits, debits_reversed, credits, credits_reversed] = self.sums;
        debits == debits_reversed && credits == credits_reversed
    }
}

impl CardSide {
    /// What the switch told of a closed session is what it still says at the end.
    fn check_told(
        &mut self,
        switch: &BTreeMap<(String, Side), torap_bank::card::Totals>,
        wall: u64,
    ) -> Result<(), String> {
        let rows = self.ask(Request::ToldTotals, wall);
        for row in rows.as_array().into_iter().flatten() {
            let session = row["session"].as_str().unwrap_or_default().to_string();
            let side = serde_json::from_value(row["side"].clone());
            let totals: Result<torap_bank::card::Totals, _> =
                serde_json::from_value(row["totals"].clone());
            let (Ok(side), Ok(told)) = (side, totals) else {
                return Err(format!("{}: totals {row} cannot be read", self.code));
            };
            let own = switch.get(&(session.clone(), side)).copied();
            if told != own.unwrap_or_default() {
                return Err(format!(
                    "{} was told {told:?} of session {session} as {side:?}, closed then, which is {own:?} now",
                    self.code
                ));
            }
        }
        Ok(())
    }
}

/// What a host finds wrong that the network did, not the switch.
fn is_excused(about: &str, text: &str, several_links: bool) -> bool {
    // An answer that was lost is not in the totals yet: they are compared at the end.
    let early = about == "0520";
    // One of two links may be so slow that the other overtakes it; what left the switch, and in which order, is checked there.
    let overtaken = several_links
        && [
            "a letter came twice without its mark",
            "a letter came while the one before it had no answer",
            "a request came after its reversal",
        ]
        .contains(&text);
    // A host that has signed off is refused whatever it asks for, also what came of an earlier request.
    let signed_off = text.starts_with("two outcomes: ") && text.ends_with("then 58");
    early || overtaken || signed_off
}

fn sum_of(
    one: &torap_bank::card::Totals,
    other: &torap_bank::card::Totals,
) -> torap_bank::card::Totals {
    let sum = |one: Sum, other: Sum| Sum {
        count: one.count + other.count,
        tiyn: one.tiyn + other.tiyn,
    };
    torap_bank::card::Totals {
        credits: sum(one.credits, other.credits),
        credit_reversals: sum(one.credit_reversals, other.credit_reversals),
        debits: sum(one.debits, other.debits),
        debit_reversals: sum(one.debit_reversals, other.debit_reversals),
    }
}

/// The switch's totals as a host counts them, fees left out.
fn of_host(totals: &cards::Totals) -> torap_bank::card::Totals {
    let sum = |sum: &cards::Sum| Sum {
        count: sum.count,
        tiyn: sum.amount.minor(),
    };
    torap_bank::card::Totals {
        credits: sum(&totals.credits),
        credit_reversals: sum(&totals.credit_reversals),
        debits: sum(&totals.debits),
        debit_reversals: sum(&totals.debit_reversals),
    }
}

/// As hosts write it.
fn trace_of(trace: Trace) -> String {
    format!("{}/{}", trace.transmitted, trace.stan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_network_did_is_excused() {
        let late = "a request came after its reversal";
        assert!(is_excused("1/2", late, true));
        assert!(!is_excused("1/2", late, false));
        assert!(!is_excused("1/2", "a request came twice", true));
        assert!(!is_excused("1/2", "two outcomes: first 00, then 91", true));
    }
}
