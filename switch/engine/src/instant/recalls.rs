//! Recalls (camt.056): the payer's bank asks for a settled payment back. A recall moves no money; the payee's bank answers with
//! a return or a refusal, and when the time for that is over the switch answers for it.
//!
//! What may be recalled, until when, and how long the answer may take is a table by reason code, changed by command. One
//! recall of a payment is open at a time; after its answer a new one may follow.

use std::collections::BTreeMap;

use torap_domain::{ParticipantId, Position, Reason, Span, Time, Uetr};

use super::{
    Finished, Recall, RecallRule, Resolution,
    returns::{check_settled, find_original},
};
use crate::{
    Event, Message, Outcome, Output, Source, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    links::Letter,
};

/// Reason codes that have a rule, at most.
pub(crate) const RULES_MAX: usize = 64;

const DAY_SECONDS: u64 = 86_400;
/// Ten banking business days, with the weekends and holidays they may hold.
const TECHNICAL_WINDOW: Span = Span::from_secs(14 * DAY_SECONDS);
/// Thirteen months.
const CUSTOMER_WINDOW: Span = Span::from_secs(395 * DAY_SECONDS);
/// Fifteen banking business days.
const ANSWER_WITHIN: Span = Span::from_secs(21 * DAY_SECONDS);

/// What holds as long as no command says otherwise; the values are those of the SEPA instant scheme's recalls.
const INITIAL_RULES: [([u8; 4], Span); 6] = [
    (*b"AC03", TECHNICAL_WINDOW),
    (*b"AM09", CUSTOMER_WINDOW),
    (*b"CUST", CUSTOMER_WINDOW),
    (*b"DUPL", TECHNICAL_WINDOW),
    (*b"FRAD", CUSTOMER_WINDOW),
    (*b"TECH", TECHNICAL_WINDOW),
];

/// A recall that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    /// Record of the camt.056.
    recall: Position,
    /// The link that it came on, and that gets the answer.
    reply_to: ParticipantId,
    /// The payee's bank, which was asked.
    payee: ParticipantId,
    deadline: Time,
}

/// Rules, and open recalls by the UETR of the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    rules: BTreeMap<[u8; 4], (Span, Span)>,
    open: BTreeMap<Uetr, Open>,
    /// The open recalls by deadline; a record opens one at most.
    due: BTreeMap<(Time, Position), Uetr>,
}

impl State {
    pub(crate) fn new() -> State {
        let rules = INITIAL_RULES.map(|(code, window)| (code, (window, ANSWER_WITHIN)));
        State {
            rules: BTreeMap::from(rules),
            open: BTreeMap::new(),
            due: BTreeMap::new(),
        }
    }

    /// What may be recalled, in the order of the reason codes.
    pub(crate) fn rules(&self) -> impl Iterator<Item = RecallRule> + '_ {
        let rules = self.rules.iter();
        rules.map(|(reason_code, (window, answer_within))| RecallRule {
            reason_code: *reason_code,
            window: *window,
            answer_within: *answer_within,
        })
    }

    /// Open recalls.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Record of the oldest open recall.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.open.values().map(|open| open.recall).min()
    }

    /// When the first recall's time for an answer is over.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        self.due.first_key_value().map(|(due, _)| *due)
    }

    /// The first bank's recalls are answered to the second one, which took it over.
    pub(crate) fn hand_over(&mut self, bank: ParticipantId, heir: ParticipantId) {
        for open in self.open.values_mut() {
            if open.reply_to == bank {
                open.reply_to = heir;
            }
        }
    }

    fn insert(&mut self, uetr: Uetr, open: Open) {
        self.due.insert((open.deadline, open.recall), uetr);
        self.open.insert(uetr, open);
    }

    fn close(&mut self, uetr: &Uetr) -> Option<Open> {
        let open = self.open.remove(uetr)?;
        self.due.remove(&(open.deadline, open.recall));
        Some(open)
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.rules.len());
        for (code, (window, answer_within)) in &self.rules {
            writer.put(code);
            writer.put(window);
            writer.put(answer_within);
        }
        writer.count(self.open.len());
        for (uetr, open) in &self.open {
            writer.put(uetr);
            writer.put(&open.recall);
            writer.put(&open.reply_to);
            writer.put(&open.payee);
            writer.put(&open.deadline);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State {
            rules: BTreeMap::new(),
            open: BTreeMap::new(),
            due: BTreeMap::new(),
        };
        for _ in 0..reader.count("recall rules")? {
            let offset = reader.offset();
            let code = reader.field("recall reason code")?;
            let last = state.rules.last_key_value();
            if last.is_some_and(|(before, _)| *before >= code) {
                return Err(reader.error("recall reason code", offset, LayoutRule::Value));
            }
            let spans = (
                reader.field("recall window")?,
                reader.field("recall answer within")?,
            );
            state.rules.insert(code, spans);
        }
        for _ in 0..reader.count("open recalls")? {
            let offset = reader.offset();
            let uetr = reader.field("recall UETR")?;
            let open = Open {
                recall: reader.field("recall record")?,
                reply_to: reader.field("recall reply to")?,
                payee: reader.field("recall payee")?,
                deadline: reader.field("recall deadline")?,
            };
            let last = state.open.last_key_value();
            let in_order = last.is_none_or(|(before, _)| *before < uetr);
            if !in_order || state.due.contains_key(&(open.deadline, open.recall)) {
                return Err(reader.error("recall UETR", offset, LayoutRule::Value));
            }
            state.insert(uetr, open);
        }
        Ok(state)
    }
}

/// camt.056 of the payer's bank: passed on, or answered by the switch.
pub(crate) fn apply_recall(
    state: &mut engine::State,
    stamp: Stamp,
    recall: &Recall,
    out: &mut Output,
) -> Outcome {
    let source = &recall.source;
    let participants = &state.participants;
    let sender = participants.sender(source, &recall.instructing_agent);
    let (Ok(sender), Some(link)) = (sender, source.link()) else {
        let reason = Reason::UnboundSender;
        return state.links.reject(out, stamp, source, reason);
    };
    match admit(state, stamp, recall, sender) {
        Ok((payee, answer_within)) => {
            let open = Open {
                recall: stamp.position,
                reply_to: link,
                payee,
                deadline: stamp.time.saturating_add(answer_within),
            };
            state.instant.recalls.insert(recall.references.uetr, open);
            let forward = Message::ForwardRecall {
                original: stamp.position,
            };
            let letter = Letter::new(forward).references(&recall.references);
            state.links.send(out, stamp, payee, letter);
            Outcome::Accepted
        }
        // Not an answer to the recall: it may be sent again in a moment.
        Err(reason @ Reason::RetryLater) => state.links.reject(out, stamp, source, reason),
        Err(reason) => {
            // A line of its own that waits to be handed in is no payment yet.
            let waits = state.mass.waiting_of(&recall.references.uetr);
            let is_own_line = waits.is_some_and(|owner| {
                let owner = state.participants.successor(owner);
                state.participants.acts_for(sender, owner)
            });
            let reason = match reason {
                Reason::OriginalUnknown if is_own_line => Reason::OriginalNotSettled,
                _ => reason,
            };
            out.event(Event::Refused { reason });
            resolve(state, stamp, link, stamp.position, reason, out);
            Outcome::Refused(reason)
        }
    }
}

/// camt.029 of the payee's bank: the recall is refused.
pub(crate) fn apply_resolution(
    state: &mut engine::State,
    stamp: Stamp,
    resolution: &Resolution,
    out: &mut Output,
) -> Outcome {
    let source = &resolution.source;
    let participants = &state.participants;
    let Ok(sender) = participants.sender(source, &resolution.instructing_agent) else {
        let reason = Reason::UnboundSender;
        return state.links.reject(out, stamp, source, reason);
    };
    let recalls = &mut state.instant.recalls;
    let uetr = &resolution.references.uetr;
    // At its deadline a recall is over, even if no Tick has come yet; the Tick answers it.
    let asked = recalls.open.get(uetr).is_some_and(|open| {
        let payee = participants.successor(open.payee);
        participants.acts_for(sender, payee) && stamp.time < open.deadline
    });
    let closed = if asked { recalls.close(uetr) } else { None };
    // Whoever was not asked learns nothing of the recall.
    let Some(open) = closed else {
        let reason = Reason::OriginalUnknown;
        return state.links.reject(out, stamp, source, reason);
    };
    let forward = Message::ForwardResolution {
        original: stamp.position,
    };
    let letter = Letter::new(forward).references(&resolution.references);
    state.links.send(out, stamp, open.reply_to, letter);
    Outcome::Accepted
}

/// A rule for a reason code: the operator's. A window of nothing forbids recalls for the reason.
pub(crate) fn apply_rule(
    state: &mut engine::State,
    source: &Source,
    rule: &RecallRule,
    out: &mut Output,
) -> Outcome {
    let rules = &state.instant.recalls.rules;
    let written = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let room = rules.contains_key(&rule.reason_code) || rules.len() < RULES_MAX;
    let sound = rule.reason_code.iter().all(written) && rule.answer_within > Span::ZERO && room;
    state.configure(source, sound, out, |state| {
        let spans = (rule.window, rule.answer_within);
        let rules = &mut state.instant.recalls.rules;
        rules.insert(rule.reason_code, spans);
    })
}

/// A return of the payment was posted: that answers its recall, and the return itself tells the payer's bank.
pub(crate) fn close_by_return(state: &mut engine::State, original: &Finished) {
    state.instant.recalls.close(&original.uetr);
}

/// The time for an answer to the first recall is over: the switch refuses it for the payee's bank.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let recalls = &mut state.instant.recalls;
    let first = recalls.due.first_key_value().map(|(_, uetr)| *uetr);
    if let Some(open) = first.and_then(|uetr| recalls.close(&uetr)) {
        let reason = Reason::ReceiverTimeout;
        resolve(state, stamp, open.reply_to, open.recall, reason, out);
    }
}

/// Who is asked and how long that may take; checks stand in the order of their reasons.
fn admit(
    state: &engine::State,
    stamp: Stamp,
    recall: &Recall,
    sender: ParticipantId,
) -> Result<(ParticipantId, Span), Reason> {
    let participants = &state.participants;
    let recalls = &state.instant.recalls;
    let original = find_original(state, &recall.references, &recall.original)?;
    check_settled(&original)?;
    let payer = participants.successor(original.debtor_agent);
    if !participants.acts_for(sender, payer) {
        return Err(Reason::OriginalMismatch);
    }
    if original.returned >= original.amount {
        return Err(Reason::AlreadyReturned);
    }
    let rule = recalls.rules.get(&recall.reason_code);
    let (window, answer_within) = *rule.ok_or(Reason::RecallReasonUnknown)?;
    if stamp.time >= original.decided_at.saturating_add(window) {
        return Err(Reason::RecallWindowClosed);
    }
    if recalls.open.contains_key(&original.uetr) {
        return Err(Reason::RecallInProgress);
    }
    if recalls.open.len() >= state.bounds.open_recalls_max as usize {
        return Err(Reason::InternalLimit);
    }
    Ok((
        participants.successor(original.creditor_agent),
        answer_within,
    ))
}

/// The switch's own camt.029 about the recall at `original`.
fn resolve(
    state: &mut engine::State,
    stamp: Stamp,
    to: ParticipantId,
    original: Position,
    reason: Reason,
    out: &mut Output,
) {
    let message = Message::Resolution { original, reason };
    state.links.send(out, stamp, to, Letter::new(message));
}

#[cfg(test)]
mod tests;
