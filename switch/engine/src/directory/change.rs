//! Decides a change of a directory entry: from the record as found to the record as it will be.

use torap_domain::{ParticipantId, Reason, Span, Text};

use super::{
    ACCOUNTS_MAX, Account, Action, AliasKey, Change, Claim, PERSONS_MAX, Person, Record, State,
    refuse,
};
use crate::{
    Event, Message, Notice, Outcome, Output, Source, Stamp, engine,
    links::Letter,
    participants::{Participants, State as Standing},
};

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    change: &Change,
    out: &mut Output,
) -> Outcome {
    let rules = Rules {
        participants: &state.participants,
        directory: &state.directory,
        contest_window: state.instant.settings.contest_window,
        stamp,
    };
    let decision = rules.decide(change);
    let refusal = decision.as_ref().err().copied();
    if let Ok(Some(decision)) = decision {
        let entries_max = state.bounds.recent_alias_changes_max;
        let alias = AliasKey::of(change.phone);
        let recent = &mut state.directory.recent;
        recent.note(alias, stamp.position, entries_max);
        out.event(Event::DirectoryChanged(Box::new(decision.record)));
        for (to, notice) in decision.notices {
            let letter = Letter::new(Message::Notice { notice });
            state.links.send(out, stamp, to, letter);
        }
    }
    if let Some(link) = change.source.link() {
        let message = Message::CommandAnswer {
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

/// The new record, and who is told what.
struct Decision {
    record: Record,
    notices: Vec<(ParticipantId, Notice)>,
}

/// What a decision may look at beside the command.
struct Rules<'a> {
    participants: &'a Participants,
    directory: &'a State,
    contest_window: Span,
    stamp: Stamp,
}

impl Rules<'_> {
    /// `Ok(None)`: what is asked for holds already. Checks stand in the order of their reasons.
    fn decide(&self, change: &Change) -> Result<Option<Decision>, Reason> {
        let bank = self.bank(change)?;
        self.current(change)?;
        self.active(change, bank)?;
        let suspended = change
            .found
            .record
            .as_ref()
            .is_some_and(|record| record.suspended);
        match &change.action {
            Action::Claim { .. } if suspended => return Err(Reason::AliasSuspended),
            Action::Register { account } | Action::Change { account } => self.owned(account)?,
            _ => {}
        }
        self.bound(&change.source, bank)?;
        let mut record = self.record(change)?;
        let mut notices = Vec::new();
        let changed = match &change.action {
            Action::Register { account } => {
                let account = self.settled(account, bank);
                self.register(&mut record, change, account, &mut notices)?
            }
            Action::Change { account } => {
                let account = self.settled(account, bank);
                self.replace(&mut record, change, account)?
            }
            Action::Remove { .. } => self.remove(&mut record, change, bank, &mut notices)?,
            Action::Claim { consent, .. } => {
                self.claim(&mut record, change, bank, *consent, &mut notices)?
            }
            Action::Contest { .. } => self.contest(&mut record, change, bank, &mut notices)?,
            Action::Release { .. } => self.release(&mut record, change, bank, &mut notices)?,
        };
        Ok(changed.then_some(Decision { record, notices }))
    }

    /// Whose entries the action touches, successors followed; the switch itself where the operator decides about everybody's.
    fn bank(&self, change: &Change) -> Result<ParticipantId, Reason> {
        let named = match &change.action {
            Action::Register { account } | Action::Change { account } => account.participant,
            Action::Remove { participant } => *participant,
            Action::Claim { gaining, .. } => *gaining,
            Action::Contest { losing } => *losing,
            Action::Release { participant } => match (participant, change.source.link()) {
                (Some(participant), _) => *participant,
                (None, Some(link)) => link,
                (None, None) => return Ok(ParticipantId::SWITCH),
            },
        };
        match self.participants.get(named) {
            Some(_) => Ok(self.participants.successor(named)),
            None => Err(Reason::UnknownParticipant),
        }
    }

    fn current(&self, change: &Change) -> Result<(), Reason> {
        let recent = &self.directory.recent;
        let as_of = change.found.as_of;
        let added = change.found.record.is_none() && recent.imported_since(as_of);
        if added || !recent.is_current(AliasKey::of(change.phone), as_of) {
            return Err(Reason::RetryLater);
        }
        Ok(())
    }

    /// A bank that is being set up or closed down adds nothing; what it has it may still give up.
    fn active(&self, change: &Change, bank: ParticipantId) -> Result<(), Reason> {
        let adds = match &change.action {
            Action::Register { .. } | Action::Change { .. } | Action::Claim { .. } => true,
            Action::Remove { .. } | Action::Contest { .. } | Action::Release { .. } => false,
        };
        let standing = self.participants.get(bank).map(|bank| bank.state);
        let outside = matches!(standing, Some(Standing::Certifying | Standing::Closing));
        if adds && outside && change.source.link().is_some() {
            return Err(Reason::SenderNotActive);
        }
        Ok(())
    }

    /// The account's IBAN and agent both lead to the participant named.
    fn owned(&self, account: &Account) -> Result<(), Reason> {
        let owner = self.participants.successor(account.participant);
        let by_code = account
            .iban
            .bank_code()
            .and_then(|code| self.participants.by_bank_code(code));
        if by_code == Some(owner) && self.participants.by_bic(&account.agent) == Some(owner) {
            Ok(())
        } else {
            Err(Reason::AccountBankMismatch)
        }
    }

    /// The sender may touch the bank's entries.
    fn bound(&self, source: &Source, bank: ParticipantId) -> Result<(), Reason> {
        match source {
            Source::Operator { .. } => Ok(()),
            Source::Switch => Err(Reason::OperatorRefused),
            Source::Link { participant, .. } => {
                if self.participants.acts_for(*participant, bank) {
                    Ok(())
                } else {
                    Err(Reason::EntryNotOwned)
                }
            }
        }
    }

    /// The record as found, or an empty one.
    fn record(&self, change: &Change) -> Result<Record, Reason> {
        let mut record = match &change.found.record {
            // A gateway that looked up another number is our fault, and the record must not go to a wrong place.
            Some(record) if record.phone != change.phone => return Err(Reason::InternalLimit),
            Some(record) => record.clone(),
            None => Record {
                phone: change.phone,
                persons: Vec::new(),
                suspended: false,
                changed_at: self.stamp.position,
            },
        };
        record.changed_at = self.stamp.position;
        Ok(record)
    }

    /// The account as it is kept: under the participant that answers for it today.
    fn settled(&self, account: &Account, bank: ParticipantId) -> Account {
        Account {
            participant: bank,
            ..*account
        }
    }

    fn register(
        &self,
        record: &mut Record,
        change: &Change,
        account: Account,
        notices: &mut Vec<(ParticipantId, Notice)>,
    ) -> Result<bool, Reason> {
        let known = record
            .persons
            .iter_mut()
            .find(|owner| owner.person == change.person);
        if let Some(owner) = known {
            if self.place(owner, account.participant).is_some() {
                return Err(Reason::EntryExists);
            }
            if owner.accounts.len() >= ACCOUNTS_MAX {
                return Err(Reason::InternalLimit);
            }
            owner.accounts.push(account);
            return Ok(true);
        }
        if record.persons.len() >= PERSONS_MAX {
            return Err(Reason::InternalLimit);
        }
        record.persons.push(Person {
            person: change.person,
            accounts: vec![account],
            default: 0,
            claim: None,
        });
        if record.persons.len() > 1 {
            record.suspended = true;
            let claim = self.stamp.position;
            self.tell_all(record, Notice::AliasSuspended { claim }, notices);
        }
        Ok(true)
    }

    fn replace(
        &self,
        record: &mut Record,
        change: &Change,
        account: Account,
    ) -> Result<bool, Reason> {
        let owner = owner(record, change)?;
        let place = self.place(owner, account.participant);
        let kept = place.and_then(|place| owner.accounts.get_mut(place));
        let kept = kept.ok_or(Reason::EntryUnknown)?;
        let changed = *kept != account;
        *kept = account;
        Ok(changed)
    }

    fn remove(
        &self,
        record: &mut Record,
        change: &Change,
        bank: ParticipantId,
        notices: &mut Vec<(ParticipantId, Notice)>,
    ) -> Result<bool, Reason> {
        let before = record.clone();
        let owner = owner(record, change)?;
        let place = self.place(owner, bank).ok_or(Reason::EntryUnknown)?;
        let default_before = usize::from(owner.default);
        owner.accounts.remove(place);
        let default = match place.cmp(&default_before) {
            std::cmp::Ordering::Less => default_before.saturating_sub(1),
            std::cmp::Ordering::Greater => default_before,
            // The default goes back to whom the last claim took it from, else to the oldest account.
            std::cmp::Ordering::Equal => {
                let losing = owner.claim.map(|claim| claim.losing);
                let losing = losing.and_then(|losing| self.place(owner, losing));
                losing.unwrap_or(0)
            }
        };
        owner.default = u8::try_from(default).unwrap_or(0);
        // A contested claim stays: leaving and coming back is no way around the operator's release.
        let involved = |claim: &Claim| {
            let parties = [claim.gaining, claim.losing];
            let is_bank = |party| self.participants.successor(party) == bank;
            !claim.contested && parties.into_iter().any(is_bank)
        };
        if owner.claim.as_ref().is_some_and(involved) {
            owner.claim = None;
        }
        record.persons.retain(|owner| !owner.accounts.is_empty());
        if record.suspended && record.persons.len() <= 1 {
            record.suspended = false;
            let release = self.stamp.position;
            self.tell_all(&before, Notice::AliasReleased { release }, notices);
        }
        Ok(true)
    }

    fn claim(
        &self,
        record: &mut Record,
        change: &Change,
        gaining: ParticipantId,
        consent: Text<35>,
        notices: &mut Vec<(ParticipantId, Notice)>,
    ) -> Result<bool, Reason> {
        let owner = owner(record, change)?;
        let place = self.place(owner, gaining).ok_or(Reason::EntryUnknown)?;
        let default = usize::from(owner.default);
        if place == default {
            return Ok(false);
        }
        let open = |claim: &Claim| claim.contested || self.contestable(claim);
        if owner.claim.as_ref().is_some_and(open) {
            return Err(Reason::ClaimOpen);
        }
        if consent.is_empty() {
            return Err(Reason::ConsentMissing);
        }
        let losing = owner
            .accounts
            .get(default)
            .map(|account| account.participant);
        let losing = losing.ok_or(Reason::EntryUnknown)?;
        let at = self.stamp.position;
        owner.default = u8::try_from(place).unwrap_or(0);
        owner.claim = Some(Claim {
            at,
            time: self.stamp.time,
            gaining,
            losing,
            consent,
            contested: false,
        });
        notices.push((losing, Notice::AliasClaimed { claim: at }));
        Ok(true)
    }

    fn contest(
        &self,
        record: &mut Record,
        change: &Change,
        losing: ParticipantId,
        notices: &mut Vec<(ParticipantId, Notice)>,
    ) -> Result<bool, Reason> {
        let owner = owner(record, change)?;
        let place = self.place(owner, losing).ok_or(Reason::EntryUnknown)?;
        let claim = owner.claim.as_mut().filter(|claim| {
            let theirs = self.participants.successor(claim.losing) == losing;
            theirs && !claim.contested && self.contestable(claim)
        });
        let claim = claim.ok_or(Reason::ClaimUnknown)?;
        claim.contested = true;
        notices.push((claim.gaining, Notice::ClaimContested { claim: claim.at }));
        owner.default = u8::try_from(place).unwrap_or(0);
        Ok(true)
    }

    /// A bank gives up its entry under a suspended number; the operator names the person who keeps the number, or opens the
    /// way for a new claim after a contested one.
    fn release(
        &self,
        record: &mut Record,
        change: &Change,
        bank: ParticipantId,
        notices: &mut Vec<(ParticipantId, Notice)>,
    ) -> Result<bool, Reason> {
        if bank != ParticipantId::SWITCH {
            let known = owner(record, change).is_ok_and(|owner| self.place(owner, bank).is_some());
            return match (known, record.suspended) {
                (false, _) => Err(Reason::EntryUnknown),
                (true, false) => Err(Reason::ClaimUnknown),
                (true, true) => self.remove(record, change, bank, notices),
            };
        }
        let contested = owner(record, change)?
            .claim
            .take_if(|claim| claim.contested)
            .is_some();
        if record.suspended {
            let release = self.stamp.position;
            self.tell_all(record, Notice::AliasReleased { release }, notices);
            record.suspended = false;
            record.persons.retain(|owner| owner.person == change.person);
            return Ok(true);
        }
        if contested {
            Ok(true)
        } else {
            Err(Reason::ClaimUnknown)
        }
    }

    /// Whether the losing bank may still contest.
    fn contestable(&self, claim: &Claim) -> bool {
        self.stamp.time < claim.time.saturating_add(self.contest_window)
    }

    /// Place of the bank's account among the person's.
    fn place(&self, owner: &Person, bank: ParticipantId) -> Option<usize> {
        let bank = self.participants.successor(bank);
        owner
            .accounts
            .iter()
            .position(|account| self.participants.successor(account.participant) == bank)
    }

    /// A notice to every bank with an entry under the number, each once.
    fn tell_all(
        &self,
        record: &Record,
        notice: Notice,
        notices: &mut Vec<(ParticipantId, Notice)>,
    ) {
        let accounts = record.persons.iter().flat_map(|owner| &owner.accounts);
        for account in accounts {
            let bank = self.participants.successor(account.participant);
            if !notices.iter().any(|(told, _)| *told == bank) {
                notices.push((bank, notice));
            }
        }
    }
}

/// The person whose entry the change is about.
fn owner<'a>(record: &'a mut Record, change: &Change) -> Result<&'a mut Person, Reason> {
    record
        .persons
        .iter_mut()
        .find(|owner| owner.person == change.person)
        .ok_or(Reason::EntryUnknown)
}
