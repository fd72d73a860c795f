//! The acquirer's side: sends transactions, waits, reverses what stays unanswered, and holds the switch to one outcome each.
//!
//! A transaction's outcome is its answer, and after that what its reversals left of it. An answer that crosses the acquirer's own
//! reversal changes nothing: the reversal stands.

mod reversing;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use torap_domain::Time;
use torap_domain::card::Direction;
use torap_iso8583::Message;

use super::books::Books;
use super::control::Side;
use super::message::{Draft, Trace, tag, text};
use super::recent::Recent;
use super::totals::{SessionBook, direction};

/// Transactions that are remembered.
const SENT_MAX: usize = 1_000_000;

/// Clocks of the acquirer, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A request without an answer is reversed after this time.
    pub answer_within_ms: u64,
    /// Advices and reversals are sent again after this time, under the type that marks a repeat.
    pub again_after_ms: u64,
    /// What was refused for the moment (96) is sent again after this time.
    pub later_after_ms: u64,
}

impl Default for Patience {
    /// Longer than the switch takes to decide.
    fn default() -> Patience {
        Patience {
            answer_within_ms: 25_000,
            again_after_ms: 15_000,
            later_after_ms: 1_000,
        }
    }
}

/// A transaction that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    reference: String,
    pub(crate) draft: Draft,
    pub(crate) trace: Trace,
    way: Direction,
    /// Advices are sent again until they are answered.
    is_advice: bool,
    /// Requests that nobody waits for.
    forgotten: bool,
    /// It was never sent, or not yet.
    unsent: bool,
    answer: Option<Answered>,
    reversals: Vec<Reversal>,
    /// When the acquirer does something about it.
    due: Option<Time>,
    /// Sent again to learn what became of it.
    is_asking: bool,
    /// Sent more than once, so that more than one answer may come.
    repeats: u32,
}

/// The answer that counts: the first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answered {
    code: String,
    approval: String,
    tiyn: u64,
    session: String,
    fees: Vec<(String, String)>,
}

/// A reversal of it.
#[derive(Debug)]
pub(crate) struct Reversal {
    draft: Draft,
    trace: Trace,
    stands: u64,
    /// DE39 of the answer, and its session.
    acknowledged: Option<(String, String)>,
    due: Option<Time>,
}

/// Something to put on a link; the reference says whose.
#[derive(Debug)]
pub(crate) struct Post(pub(crate) Draft);

#[derive(Debug)]
pub(crate) struct Acquirer {
    patience: Patience,
    /// By number; the reference (DE37) is made of it.
    sent: Recent<u64, Sent>,
    by_trace: Recent<Trace, u64>,
    by_reference: Recent<String, u64>,
    /// When which transaction wants to be looked at. May name times that have been given up.
    dues: BTreeSet<(Time, u64)>,
    last: u64,
}

impl Acquirer {
    pub(crate) fn new(patience: Patience) -> Acquirer {
        Acquirer {
            patience,
            sent: Recent::new(SENT_MAX),
            by_trace: Recent::new(4 * SENT_MAX),
            by_reference: Recent::new(SENT_MAX),
            dues: BTreeSet::new(),
            last: 0,
        }
    }

    /// Notes a transaction that leaves now (or, if `unsent`, does not). Gives what scripts call it: DE37, and for a completion, which
    /// has that of its authorisation, DE11 behind it.
    pub(crate) fn note(
        &mut self,
        draft: Draft,
        forgotten: bool,
        unsent: bool,
        now: Time,
    ) -> Result<String, String> {
        let trace = trace_of(&draft).ok_or("field 7 or 11: no trace")?;
        self.last += 1;
        let number = self.last;
        let is_advice = draft.mti() / 10 % 10 == 2;
        let wait = if is_advice {
            self.patience.again_after_ms
        } else {
            self.patience.answer_within_ms
        };
        let due = (!forgotten && !unsent).then(|| after(now, wait));
        self.dues.extend(due.map(|due| (due, number)));
        let mut reference = draft.text(37).trim_end().to_string();
        if draft.get(90).is_some() {
            reference = format!("{reference}/{}", draft.text(11));
        }
        self.by_trace.insert(trace, number);
        self.by_reference.insert(reference.clone(), number);
        self.sent.insert(
            number,
            Sent {
                way: direction(&draft.text(3)),
                reference: reference.clone(),
                draft,
                trace,
                is_advice,
                forgotten,
                unsent,
                answer: None,
                reversals: Vec::new(),
                due,
                is_asking: false,
                repeats: 0,
            },
        );
        Ok(reference)
    }

    /// The number of the transaction that scripts call so.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn number_of(&self, reference: &str) -> Result<u64, String> {
        let number = self.by_reference.get(&reference.to_string());
        number.copied().ok_or_else(unknown)
    }

    /// The transaction, to be sent again.
    ///
    /// # Errors
    /// It was never sent.
    pub(crate) fn again(&mut self, number: u64, repeat: bool) -> Result<Draft, String> {
        let sent = self.sent.get_mut(&number).ok_or_else(unknown)?;
        sent.repeats += 1;
        sent.unsent = false;
        if sent
            .answer
            .as_ref()
            .is_some_and(|answer| answer.code == "96")
        {
            // Nothing was remembered of the first sending.
            sent.answer = None;
        }
        let mti = sent.draft.mti();
        Ok(sent.draft.retyped(if repeat { mti | 1 } else { mti }))
    }

    /// # Errors
    /// It was never sent.
    pub(crate) fn get(&self, number: u64) -> Result<&Sent, String> {
        self.sent.get(&number).ok_or_else(unknown)
    }

    /// An answer to 0100, 0120, 0200, 0220 or their repeats.
    pub(crate) fn answered(
        &mut self,
        message: &Message<'_>,
        sessions: &mut SessionBook,
        books: &mut Books,
    ) -> Option<()> {
        let trace = Trace::of(message)?;
        let Some(sent) = self
            .by_trace
            .get(&trace)
            .and_then(|number| self.sent.get_mut(number))
            .filter(|sent| sent.trace == trace)
        else {
            books.violation(&trace.to_string(), "an answer to nothing that was sent");
            return None;
        };
        check_echo(sent, message, books);
        let answered = Answered {
            code: text(message, 39),
            approval: text(message, 38),
            tiyn: message.number(4).unwrap_or(0),
            session: text(message, 15),
            fees: ["IF", "SF"]
                .into_iter()
                .filter_map(|name| Some((name.to_string(), tag(message, 48, name)?)))
                .collect(),
        };
        let reference = text(message, 37);
        if answered.code == "96" || answered.code == "94" {
            return self.refused_now(trace, answered);
        }
        match &sent.answer {
            // 96 to a repeat says nothing of the copy before it, which was taken.
            Some(first) if first.code == "96" && sent.repeats > 0 => {
                settle_answer(sent, answered, sessions);
            }
            Some(first)
                if (&first.code, first.tiyn, &first.approval)
                    != (&answered.code, answered.tiyn, &answered.approval) =>
            {
                books.violation(
                    &reference,
                    &format!("two outcomes: first {}, then {}", first.code, answered.code),
                );
            }
            Some(_) if sent.repeats == 0 => {
                books.violation(&reference, "the same answer came twice, unasked");
            }
            Some(_) => {}
            None => {
                settle_answer(sent, answered, sessions);
            }
        }
        Some(())
    }

    /// 96: nothing was remembered of this copy, so the outcome is this unless it is sent again. 94 is about another message than the first.
    fn refused_now(&mut self, trace: Trace, answered: Answered) -> Option<()> {
        let number = *self.by_trace.get(&trace)?;
        let sent = self.sent.get_mut(&number)?;
        // An advice goes on until it is taken, and so does a repeat: the copy before it may have been taken.
        let goes_on = sent.is_advice || sent.repeats > 0;
        if sent.answer.is_none() && answered.code == "96" && !goes_on {
            sent.due = None;
            sent.answer = Some(answered);
        }
        Some(())
    }

    /// Requests that have no outcome yet.
    pub(crate) fn open(&self) -> usize {
        let is_open = |sent: &Sent| {
            let reversing = sent
                .reversals
                .iter()
                .any(|reversal| reversal.acknowledged.is_none() && !sent.forgotten);
            let unanswered = sent.answer.is_none()
                && !sent.unsent
                && !sent.forgotten
                && sent.reversals.is_empty();
            reversing || unanswered || sent.is_asking
        };
        self.sent.iter().filter(|(_, sent)| is_open(sent)).count()
    }

    /// Every transaction sent, with its outcome.
    pub(crate) fn sent_json(&self) -> Value {
        super::control::rows(self.sent.iter().map(|(_, sent)| {
            let answer = sent.answer.as_ref();
            json!({
                "reference": sent.reference,
                "trace": sent.trace.to_string(),
                "mti": format!("{:04}", sent.draft.mti()),
                "key": sent.key(),
                "amount": sent.draft.text(4).parse::<u64>().ok(),
                "code": answer.map(|answer| &answer.code),
                "session": answer.map(|answer| &answer.session),
                "fees": answer.map(|answer| &answer.fees),
                "stands": sent.stands(),
                "reversals": sent.reversals.len(),
                "outcome": sent.outcome(),
            })
        }))
    }
}

impl Sent {
    /// As the issuer knows it.
    fn key(&self) -> String {
        let acquirer = self.draft.text(32);
        format!(
            "{}/{}/{}",
            acquirer.trim_start_matches('0'),
            self.draft.text(37).trim_end(),
            self.draft.text(41).trim_end()
        )
    }

    /// What is left of it, in tiyn; nothing if it was not approved.
    pub(crate) fn stands(&self) -> u64 {
        let approved = self.answer.as_ref().filter(|answer| answer.is_approval());
        let reversed = self
            .reversals
            .iter()
            .filter(|reversal| reversal.is_done())
            .map(|reversal| reversal.stands)
            .min();
        let approved = approved.map_or(0, |answer| answer.tiyn);
        reversed.map_or(approved, |stands| stands.min(approved))
    }

    fn outcome(&self) -> &'static str {
        let reversed = self.reversals.iter().any(Reversal::is_done);
        match &self.answer {
            _ if reversed && self.stands() == 0 => "reversed",
            Some(answer) if answer.is_approval() => "approved",
            Some(_) => "declined",
            None if self.unsent => "unsent",
            None => "open",
        }
    }
}

impl Answered {
    fn is_approval(&self) -> bool {
        matches!(self.code.as_str(), "00" | "10" | "85")
    }
}

impl Reversal {
    fn is_done(&self) -> bool {
        self.acknowledged
            .as_ref()
            .is_some_and(|(code, _)| code == "00")
    }
}

/// Books the first answer. One that follows the acquirer's own reversal is booked as approved and taken back.
fn settle_answer(sent: &mut Sent, answered: Answered, sessions: &mut SessionBook) {
    sent.is_asking = false;
    if sent.reversals.is_empty() {
        sent.due = None;
    }
    let is_financial = sent.draft.mti() / 100 == 2;
    if answered.is_approval() && is_financial && answered.code != "85" {
        let (way, session) = (sent.way, answered.session.clone());
        sessions.post(&session, Side::Acquirer, way, answered.tiyn);
        let mut stands = answered.tiyn;
        for reversal in sent.reversals.iter().filter(|reversal| reversal.is_done()) {
            if let Some((_, session)) = &reversal.acknowledged {
                let undone = stands.saturating_sub(reversal.stands);
                stands = stands.min(reversal.stands);
                // One that changes nothing moves nothing, and is not counted.
                if undone > 0 {
                    sessions.reverse(session, Side::Acquirer, way, undone);
                }
            }
        }
    }
    sent.answer = Some(answered);
}

/// What an answer must repeat.
fn check_echo(sent: &Sent, message: &Message<'_>, books: &mut Books) {
    for field in [3, 32, 37, 41, 49, 61] {
        let expected = sent.draft.text(field);
        let found = text(message, field);
        let is_there = message.has(field);
        if expected.trim_end() != found && (is_there || field != 61) {
            books.violation(
                &sent.draft.text(37),
                &format!("field {field} of the answer is not that of the request"),
            );
        }
    }
}

pub(super) fn after(now: Time, ms: u64) -> Time {
    Time::from_nanos(now.nanos().saturating_add(ms.saturating_mul(1_000_000)))
}

pub(super) fn trace_of(draft: &Draft) -> Option<Trace> {
    Some(Trace {
        transmitted: draft.text(7).parse().ok()?,
        stan: draft.text(11).parse().ok()?,
    })
}

fn unknown() -> String {
    "reference: no such transaction was sent".into()
}
