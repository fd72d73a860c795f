//! Dynamic QR codes: a merchant's bank registers a code before it is shown, and it is paid at most once.
//!
//! ```text
//!            Register            a payment is reserved
//! (unknown) ─────────► free ─────────────────────────► in flight ──► paid
//!     ▲                 ▲  │ Cancel, expiry                │  settled  │
//!     └─────────────────┼──┴───────────────────────────────┼───────────┘ expiry
//!                       └──────────────────────────────────┘ rejected
//! ```
//!
//! A code belongs to the participant that its account leads to, and its identifier is unique among that one's. Static codes
//! carry everything themselves and are not known here. A code that expires while it is being paid is kept until that payment
//! is decided; afterwards, as any expired code, it is unknown.
//!
//! Memory: about 250 bytes a code, bounded by [`Bounds::open_qr_codes_max`](crate::Bounds).

mod command;

pub use command::{Command, Register};

use std::collections::BTreeMap;

use torap_domain::{Iban, Money, ParticipantId, Position, QrId, Reason, Service, Span, Time};

use crate::{
    Event, Message, Outcome, Output, Source, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    instant::QrFact,
    links::Letter,
    participants::Participants,
};

/// A code may be registered for this long, at most.
pub const VALIDITY_MAX: Span = Span::from_secs(24 * 3600);

/// Where a code is in its life. The number is written to snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Stage {
    Free = 1,
    InFlight = 2,
    Paid = 3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Code {
    merchant_account: Iban,
    amount: Money,
    expires: Time,
    /// Record of the registration.
    registered: Position,
    stage: Stage,
}

/// Whose code, and its identifier.
type CodeKey = (ParticipantId, QrId);

/// Every code that has not expired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    codes: BTreeMap<CodeKey, Code>,
    /// By expiry, without those in flight: their payment's deadline comes first. A record registers one code.
    due: BTreeMap<(Time, Position), CodeKey>,
}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    /// Codes that are kept.
    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    /// The first rule that a payment of this code breaks, in the order of the reasons.
    pub(crate) fn admit(
        &self,
        fact: &QrFact,
        merchant_agent: ParticipantId,
        account: &Iban,
        amount: Money,
        now: Time,
    ) -> Result<(), Reason> {
        if !fact.dynamic {
            return Ok(());
        }
        let code = self.codes.get(&(merchant_agent, fact.id));
        let code = code.ok_or(Reason::QrUnknown)?;
        if now >= code.expires {
            return Err(Reason::QrExpired);
        }
        if amount != code.amount {
            return Err(Reason::QrAmountMismatch);
        }
        match code.stage {
            Stage::InFlight => return Err(Reason::QrInProgress),
            Stage::Paid => return Err(Reason::QrAlreadyPaid),
            Stage::Free => {}
        }
        if *account != code.merchant_account {
            return Err(Reason::QrMerchantMismatch);
        }
        Ok(())
    }

    /// A payment of the code is reserved: no other may pay it meanwhile.
    pub(crate) fn hold(&mut self, merchant_agent: ParticipantId, id: &QrId) {
        if let Some(code) = self.codes.get_mut(&(merchant_agent, *id)) {
            code.stage = Stage::InFlight;
            self.due.remove(&(code.expires, code.registered));
        }
    }

    /// The payment failed: the code may be paid again.
    pub(crate) fn release(&mut self, merchant_agent: ParticipantId, id: &QrId, now: Time) {
        self.leave_flight((merchant_agent, *id), Stage::Free, now);
    }

    /// The payment is settled: the code is known as paid until it expires.
    pub(crate) fn pay(&mut self, merchant_agent: ParticipantId, id: &QrId, now: Time) {
        self.leave_flight((merchant_agent, *id), Stage::Paid, now);
    }

    fn leave_flight(&mut self, key: CodeKey, stage: Stage, now: Time) {
        match self.codes.get_mut(&key) {
            Some(code) if now < code.expires => {
                code.stage = stage;
                self.due.insert((code.expires, code.registered), key);
            }
            _ => {
                self.codes.remove(&key);
            }
        }
    }

    /// When the first code expires.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        self.due.first_key_value().map(|(due, _)| *due)
    }

    fn remove(&mut self, key: &CodeKey) {
        if let Some(code) = self.codes.remove(key) {
            self.due.remove(&(code.expires, code.registered));
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(u32::try_from(self.codes.len()).unwrap_or(u32::MAX));
        for ((participant, id), code) in &self.codes {
            writer.put(participant);
            writer.put(id);
            writer.put(&code.merchant_account);
            writer.put(&code.amount);
            writer.put(&code.expires);
            writer.put(&code.registered);
            writer.u8(code.stage as u8);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        for _ in 0..reader.u32("QR codes")? {
            let offset = reader.offset();
            let key = (reader.field("QR participant")?, reader.field("QR id")?);
            let code = Code {
                merchant_account: reader.field("QR account")?,
                amount: reader.field("QR amount")?,
                expires: reader.field("QR expires")?,
                registered: reader.field("QR registered")?,
                stage: reader.tag("QR stage", |tag| {
                    let stages = [Stage::Free, Stage::InFlight, Stage::Paid];
                    stages.into_iter().find(|stage| *stage as u8 == tag)
                })?,
            };
            let last = state.codes.last_key_value();
            let in_order = last.is_none_or(|(before, _)| *before < key);
            let due = (code.expires, code.registered);
            if !in_order || state.due.contains_key(&due) {
                return Err(reader.error("QR id", offset, LayoutRule::Value));
            }
            if code.stage != Stage::InFlight {
                state.due.insert(due, key);
            }
            state.codes.insert(key, code);
        }
        Ok(state)
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    let decision = match command {
        Command::Register(register) => apply_register(state, stamp, register),
        Command::Cancel { source, id, .. } => apply_cancel(state, source, id),
    };
    let refusal = decision.err();
    if let Some(link) = command.source().link() {
        let message = Message::CommandAnswer {
            original: stamp.position,
            refusal,
        };
        state.links.send(out, stamp, link, Letter::new(message));
    }
    match refusal {
        None => Outcome::Accepted,
        Some(reason) => {
            out.event(Event::Refused { reason });
            Outcome::Refused(reason)
        }
    }
}

/// The first code to expire is forgotten.
pub(crate) fn expire_first(state: &mut engine::State, _stamp: Stamp, _out: &mut Output) {
    let first = state.qr.due.first_key_value().map(|(_, key)| *key);
    if let Some(key) = first {
        state.qr.remove(&key);
    }
}

/// Checks stand in the order of their reasons. The same registration once more changes nothing and is accepted.
fn apply_register(
    state: &mut engine::State,
    stamp: Stamp,
    register: &Register,
) -> Result<(), Reason> {
    let Register {
        source,
        reference: _,
        id,
        merchant_account,
        amount,
        expires,
    } = register;
    if *expires > stamp.time.saturating_add(VALIDITY_MAX) {
        return Err(Reason::ProfileViolation);
    }
    let participants = &state.participants;
    let code = merchant_account.bank_code();
    let merchant_agent = code.and_then(|code| participants.by_bank_code(code));
    let merchant_agent = merchant_agent.ok_or(Reason::UnknownParticipant)?;
    participants.may_credit(merchant_agent)?;
    if !participants.offers(merchant_agent, Service::Qr) {
        return Err(Reason::ServiceNotAllowed);
    }
    if amount.is_zero() {
        return Err(Reason::AmountZero);
    }
    if *expires <= stamp.time {
        return Err(Reason::QrExpired);
    }
    if !touches(participants, source, merchant_agent) {
        return Err(Reason::EntryNotOwned);
    }
    let key = (merchant_agent, *id);
    if let Some(known) = state.qr.codes.get(&key) {
        let same = known.merchant_account == *merchant_account
            && known.amount == *amount
            && known.expires == *expires;
        return if same {
            Ok(())
        } else {
            Err(Reason::EntryExists)
        };
    }
    if state.qr.codes.len() >= state.bounds.open_qr_codes_max as usize {
        return Err(Reason::InternalLimit);
    }
    let code = Code {
        merchant_account: *merchant_account,
        amount: *amount,
        expires: *expires,
        registered: stamp.position,
        stage: Stage::Free,
    };
    state.qr.due.insert((code.expires, code.registered), key);
    state.qr.codes.insert(key, code);
    Ok(())
}

/// A code is withdrawn by whoever may register it. A sender that acts for several participants means its own code, or else the
/// first of those it acts for, in the order of identifiers.
fn apply_cancel(state: &mut engine::State, source: &Source, id: &QrId) -> Result<(), Reason> {
    let participants = &state.participants;
    let own = source.link().into_iter();
    let others = participants
        .ids()
        .filter(|other| touches(participants, source, *other));
    let mut keys = own.chain(others).map(|participant| (participant, *id));
    let key = keys.find(|key| state.qr.codes.contains_key(key));
    let key = key.ok_or(Reason::QrUnknown)?;
    match state.qr.codes.get(&key).map(|code| code.stage) {
        None => Err(Reason::QrUnknown),
        Some(Stage::InFlight) => Err(Reason::QrInProgress),
        Some(Stage::Paid) => Err(Reason::QrAlreadyPaid),
        Some(Stage::Free) => {
            state.qr.remove(&key);
            Ok(())
        }
    }
}

/// Whether the sender may register and withdraw codes of `participant`.
fn touches(participants: &Participants, source: &Source, participant: ParticipantId) -> bool {
    match source {
        Source::Link {
            participant: link, ..
        } => participants.acts_for(*link, participant),
        Source::Operator { .. } => true,
        Source::Switch => false,
    }
}

#[cfg(test)]
mod tests;
