//! The operator's commands about participants, and the checks that keep the tables unambiguous.

use torap_domain::{Asset, Money, ParticipantId, Reason};
use torap_ledger::{AccountKey, Book};

use super::{
    CODES_MAX, Command, Direction, PARTICIPANTS_MAX, Participant, Participants, PositionMode,
    Profile, RULES_TAKE_OVER, State, watch,
};
use crate::{Event, Message, Notice, Outcome, Output, Stamp, engine, links::Letter, settlement};

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    match change(state, stamp, command, out) {
        Ok(()) => Outcome::Accepted,
        Err(reason) => {
            out.event(Event::Refused { reason });
            Outcome::Refused(reason)
        }
    }
}

fn change(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Result<(), Reason> {
    match command {
        Command::Add {
            source,
            profile,
            mode,
        } => {
            source.by_operator()?;
            add(state, profile, *mode, out)
        }
        Command::Update {
            source,
            participant,
            profile,
        } => {
            source.by_operator()?;
            update(state, stamp, *participant, profile, out)
        }
        Command::SetState {
            source,
            participant,
            state: standing,
        } => {
            source.by_operator()?;
            set_state(state, stamp, *participant, *standing, out)
        }
        Command::SetPositionMode {
            source,
            participant,
            mode,
        } => {
            source.by_operator()?;
            set_mode(state, *participant, *mode)?;
            watch(state, stamp, *participant, out);
            Ok(())
        }
        Command::SetSuccessor {
            source,
            participant,
            successor,
        } => {
            source.by_operator()?;
            set_successor(state, *participant, *successor, out)
        }
        Command::Fund {
            source,
            participant,
            direction,
            amount,
        } => {
            source.by_operator()?;
            fund(state, stamp, *participant, *direction, *amount, out)
        }
    }
}

fn add(
    state: &mut engine::State,
    profile: &Profile,
    mode: PositionMode,
    out: &mut Output,
) -> Result<(), Reason> {
    if state.participants.list.len() >= PARTICIPANTS_MAX {
        return Err(Reason::InternalLimit);
    }
    let next = state.participants.list.len().saturating_add(1);
    let id = ParticipantId(u16::try_from(next).map_err(|_| Reason::InternalLimit)?);
    check_profile(state, id, profile)?;
    check_mode(mode)?;
    let account = state.ledger.open(AccountKey {
        owner: id,
        book: Book::InstantPosition,
        asset: Asset::Kzt,
    });
    state.ledger.open(AccountKey {
        owner: id,
        book: Book::Settlement,
        asset: Asset::Kzt,
    });
    state.participants.list.push(Participant {
        profile: profile.clone(),
        state: State::Certifying,
        successor: None,
        mode: PositionMode::Prefunded,
        account,
        below_floor: false,
        above_ceiling: false,
    });
    set_mode(state, id, mode)?;
    // The position begins at zero: a floor is told when the position falls below it, not before it was ever funded.
    if let Some(added) = state.participants.get_mut(id) {
        added.below_floor = true;
    }
    state
        .links
        .route(id, state.participants.settles_through(id));
    state.participants.index();
    changed(state, id, out);
    Ok(())
}

fn update(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    profile: &Profile,
    out: &mut Output,
) -> Result<(), Reason> {
    let participants = &state.participants;
    let old = participants.get(id).ok_or(Reason::UnknownParticipant)?;
    check_profile(state, id, profile)?;
    // Holds stay on the account they were made on; a position with money on it must not go out of use.
    let idle = state
        .ledger
        .account(old.account)
        .is_some_and(|account| account.balance() == 0 && account.debits_pending() == 0);
    if profile.sponsor.is_some() && old.profile.sponsor.is_none() && !idle {
        return Err(Reason::OperatorRefused);
    }
    if let Some(participant) = state.participants.get_mut(id) {
        participant.profile = profile.clone();
    }
    state
        .links
        .route(id, state.participants.settles_through(id));
    state.participants.index();
    changed(state, id, out);
    watch(state, stamp, id, out);
    Ok(())
}

fn set_state(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    standing: State,
    out: &mut Output,
) -> Result<(), Reason> {
    let participant = state.participants.get_mut(id);
    participant.ok_or(Reason::UnknownParticipant)?.state = standing;
    let notice = Notice::StateChanged {
        change: state.facts_of(stamp),
    };
    state
        .links
        .send(out, stamp, id, Letter::new(Message::Notice { notice }));
    changed(state, id, out);
    if state.rules >= settlement::RULES_PARTIES {
        // What a suspension held may go on, of the account that it settles on.
        let settling = state.participants.settles_through(id);
        settlement::credited(state, stamp, settling, out);
    }
    Ok(())
}

fn set_mode(
    state: &mut engine::State,
    id: ParticipantId,
    mode: PositionMode,
) -> Result<(), Reason> {
    check_mode(mode)?;
    let line = match mode {
        PositionMode::Prefunded => 0,
        PositionMode::NetDebitCap(cap) => cap.minor(),
    };
    let participant = state.participants.get_mut(id);
    let participant = participant.ok_or(Reason::UnknownParticipant)?;
    // The ledger refuses a line below what is in use.
    state
        .ledger
        .set_credit_line(participant.account, line)
        .map_err(|_| Reason::OperatorRefused)?;
    participant.mode = mode;
    Ok(())
}

fn set_successor(
    state: &mut engine::State,
    id: ParticipantId,
    successor: ParticipantId,
    out: &mut Output,
) -> Result<(), Reason> {
    let participants = &mut state.participants;
    if participants.get(successor).is_none() {
        return Err(Reason::UnknownParticipant);
    }
    // A chain that came back to its start would lead nowhere.
    if participants.successor(successor) == id {
        return Err(Reason::OperatorRefused);
    }
    let participant = participants.get_mut(id);
    participant.ok_or(Reason::UnknownParticipant)?.successor = Some(successor);
    participants.index();
    hand_over(state, id);
    changed(state, id, out);
    Ok(())
}

/// What was asked on the link of the bank that was taken over, and has no answer yet, is answered on that of the bank that took over. An
/// instant payment in flight is answered where it was asked: the bank still waits for it, for seconds.
fn hand_over(state: &mut engine::State, id: ParticipantId) {
    if state.rules < RULES_TAKE_OVER {
        return;
    }
    let heir = state.participants.successor(id);
    state.settlement.hand_over(id, heir);
    state.clearing.hand_over(id, heir);
    state.instant.recalls.hand_over(id, heir);
    state.mass.hand_over(id, heir);
}

/// Money enters and leaves the rail as a transfer between the central bank's mirror account and the position; in IMTS the
/// central bank's own account pays the technical account that backs the positions.
fn fund(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    direction: Direction,
    amount: Money,
    out: &mut Output,
) -> Result<(), Reason> {
    let participant = state.participants.get(id);
    let participant = participant.ok_or(Reason::UnknownParticipant)?;
    if participant.profile.sponsor.is_some() {
        return Err(Reason::OperatorRefused);
    }
    if amount.is_zero() {
        return Err(Reason::AmountZero);
    }
    let (position, funds) = (participant.account, state.central_bank());
    state
        .move_to_rail(direction, position, funds, amount)
        .map_err(engine::refused_by_ledger)?;
    out.event(Event::PositionChanged {
        participant: id,
        funded: amount,
        direction,
    });
    let notice = Notice::Funded {
        funding: state.facts_of(stamp),
    };
    let letter = Letter::new(Message::Notice { notice }).amount(amount);
    state.links.send(out, stamp, id, letter);
    watch(state, stamp, id, out);
    Ok(())
}

fn changed(state: &engine::State, id: ParticipantId, out: &mut Output) {
    if let Some(view) = state.participants.view(id, &state.links) {
        out.event(Event::ParticipantChanged(Box::new(view)));
    }
}

fn check_mode(mode: PositionMode) -> Result<(), Reason> {
    match mode {
        PositionMode::Prefunded => Ok(()),
        PositionMode::NetDebitCap(cap) if cap.asset() == Asset::Kzt => Ok(()),
        PositionMode::NetDebitCap(_) => Err(Reason::OperatorRefused),
    }
}

/// A profile may be given to `id`: nothing in it is another's, and everyone it names exists.
fn check_profile(
    state: &engine::State,
    id: ParticipantId,
    profile: &Profile,
) -> Result<(), Reason> {
    let participants = &state.participants;
    let lengths = [
        profile.bics.len(),
        profile.bank_codes.len(),
        profile.technical_senders.len(),
        profile.services.len(),
    ];
    if lengths.into_iter().any(|length| length > CODES_MAX) {
        return Err(Reason::InternalLimit);
    }
    let known = |other: &ParticipantId| *other != id && participants.get(*other).is_some();
    let senders_exist = profile.technical_senders.iter().all(known);
    let sponsor_exists = profile.sponsor.iter().all(known);
    if !senders_exist || !sponsor_exists {
        return Err(Reason::UnknownParticipant);
    }
    let sound = !profile.code.is_empty()
        && !profile.bics.is_empty()
        && sponsor_is_direct(participants, id, profile)
        && notices_are_sound(profile)
        && codes_are_free(state, id, profile);
    sound.then_some(()).ok_or(Reason::OperatorRefused)
}

/// One level of sponsors: a sponsor has none, and who sponsors others takes none.
fn sponsor_is_direct(participants: &Participants, id: ParticipantId, profile: &Profile) -> bool {
    let Some(sponsor) = profile.sponsor else {
        return true;
    };
    let sponsors_others = participants
        .list
        .iter()
        .any(|other| other.profile.sponsor == Some(id));
    let direct = participants
        .get(sponsor)
        .is_some_and(|sponsor| sponsor.profile.sponsor.is_none());
    direct && !sponsors_others
}

fn notices_are_sound(profile: &Profile) -> bool {
    let in_tenge = |bound: &Option<Money>| bound.iter().all(|money| money.asset() == Asset::Kzt);
    let ordered = match (profile.floor, profile.ceiling) {
        (Some(floor), Some(ceiling)) => floor < ceiling,
        _ => true,
    };
    in_tenge(&profile.floor) && in_tenge(&profile.ceiling) && ordered
}

fn codes_are_free(state: &engine::State, id: ParticipantId, profile: &Profile) -> bool {
    let switch = state.instant.settings.switch_bic;
    let others = || {
        let listed = state.participants.list.iter().zip(state.participants.ids());
        listed.filter(move |(_, other)| *other != id)
    };
    let code_free = others().all(|(other, _)| other.profile.code != profile.code);
    let bics_free = profile.bics.iter().all(|bic| {
        let taken = |other: &Participant| {
            let bics = other.profile.bics.iter();
            bics.into_iter().any(|theirs| theirs.same_institution(bic))
        };
        !bic.same_institution(&switch) && !others().any(|(other, _)| taken(other))
    });
    let bank_codes_free = profile
        .bank_codes
        .iter()
        .all(|code| others().all(|(other, _)| !other.profile.bank_codes.contains(code)));
    code_free && bics_free && bank_codes_free
}
