//! The alias directory: which bank and account a phone number leads to.
//!
//! The records themselves live in the index, a projection of the log; the engine holds none of them. A command carries the
//! record as its gateway found it, the engine decides and emits the new record. What the engine keeps is small: the positions
//! of the last changes, which tell a stale fact (`RetryLater`), and the look-up guard's buckets.
//!
//! Rules: a bank touches only its own entries; the default moves only by a claim of the gaining bank with the customer's
//! consent, and back by the losing bank's contest; a number under two persons leads to nobody until it is released. The
//! operator may do what any bank may. No full name ever leaves the switch.

mod change;
mod command;
mod guard;
mod mask;
mod recent;
mod record;

pub use command::{
    ACCOUNTS_MAX, Account, Action, AliasKey, Change, Claim, Command, Found, IMPORT_MAX,
    ImportEntry, LookUp, LookUpFound, PERSONS_MAX, Person, Record,
};
pub use mask::mask_name;
pub use record::Resolved;

use torap_domain::{ParticipantId, Position, Reason};

use crate::{
    Event, Message, Outcome, Output, Source, Stamp,
    codec::{FactsError, Reader, Writer},
    engine,
    links::Letter,
    participants::Participants,
};
use guard::Guard;
use recent::Recent;

/// What the engine keeps of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    recent: Recent,
    guard: Guard,
}

impl State {
    pub(crate) fn new() -> State {
        State {
            recent: Recent::new(),
            guard: Guard::new(),
        }
    }

    /// Whether a number that was looked up as of `as_of` still leads where it led then. A bulk import does not count: it only
    /// adds numbers that led nowhere.
    pub(crate) fn is_current(&self, alias: AliasKey, as_of: Position) -> bool {
        self.recent.is_current(alias, as_of)
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        self.recent.write(writer);
        self.guard.write(writer);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        Ok(State {
            recent: Recent::read(reader)?,
            guard: Guard::read(reader)?,
        })
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    match command {
        Command::Change(change) => change::apply(state, stamp, change, out),
        Command::LookUp(look_up) => apply_look_up(state, stamp, look_up, out),
        Command::Import {
            source,
            participant,
            entries,
        } => match import(&state.participants, source, *participant, entries) {
            Ok(event) => {
                state.directory.recent.note_import(stamp.position);
                out.event(event);
                Outcome::Accepted
            }
            Err(reason) => refuse(reason, out),
        },
    }
}

fn apply_look_up(
    state: &mut engine::State,
    stamp: Stamp,
    look_up: &LookUp,
    out: &mut Output,
) -> Outcome {
    let refusal = decide_look_up(state, stamp, look_up).err();
    if let Some(link) = look_up.source.link() {
        let message = Message::LookUpAnswer {
            original: stamp.position,
            refusal,
        };
        state.links.send(out, stamp, link, Letter::new(message));
    }
    match refusal {
        None => Outcome::Accepted,
        Some(reason) => refuse(reason, out),
    }
}

/// The guard stands before the result although its reason ranks after "unknown": else a refusal would tell what it guards.
fn decide_look_up(state: &mut engine::State, stamp: Stamp, look_up: &LookUp) -> Result<(), Reason> {
    let participants = &state.participants;
    let sender = participants.sender(&look_up.source, &look_up.instructing_agent)?;
    let directory = &mut state.directory;
    let alias = AliasKey::of(look_up.phone);
    if !directory.recent.is_current(alias, look_up.as_of) {
        return Err(Reason::RetryLater);
    }
    // Looking up serves paying: who may not pay may not look up.
    participants.may_debit(sender)?;
    let hit = matches!(look_up.found, LookUpFound::Hit { .. });
    let settings = &state.instant.settings;
    if !directory.guard.charge(sender, hit, settings, stamp.time) {
        return Err(Reason::LookupRefused);
    }
    match look_up.found {
        LookUpFound::Hit { .. } => Ok(()),
        LookUpFound::Suspended => Err(Reason::AliasSuspended),
        LookUpFound::Miss => Err(Reason::AliasUnknown),
    }
}

/// Whether the guard would answer a look-up of `sender`.
pub(crate) fn answers(state: &mut engine::State, stamp: Stamp, sender: ParticipantId) -> bool {
    let settings = &state.instant.settings;
    state.directory.guard.answers(sender, settings, stamp.time)
}

/// Charges `sender` as for a look-up that found nobody.
pub(crate) fn charge_miss(state: &mut engine::State, stamp: Stamp, sender: ParticipantId) {
    let settings = &state.instant.settings;
    let guard = &mut state.directory.guard;
    guard.charge(sender, false, settings, stamp.time);
}

/// All entries or none: one account that is not the participant's refuses the whole import.
fn import(
    participants: &Participants,
    source: &Source,
    participant: ParticipantId,
    entries: &[ImportEntry],
) -> Result<Event, Reason> {
    let known = participants.get(participant);
    let agent = known.and_then(|known| known.profile.bics.first());
    let agent = *agent.ok_or(Reason::UnknownParticipant)?;
    let owner = participants.successor(participant);
    let leads_to_owner = |entry: &ImportEntry| {
        let code = entry.iban.bank_code();
        code.and_then(|code| participants.by_bank_code(code)) == Some(owner)
    };
    if !entries.iter().all(leads_to_owner) {
        return Err(Reason::AccountBankMismatch);
    }
    source.by_operator()?;
    if entries.len() > IMPORT_MAX {
        return Err(Reason::InternalLimit);
    }
    Ok(Event::DirectoryImported {
        participant: owner,
        agent,
        entries: entries.into(),
    })
}

fn refuse(reason: Reason, out: &mut Output) -> Outcome {
    out.event(Event::Refused { reason });
    Outcome::Refused(reason)
}

#[cfg(test)]
mod tests;
