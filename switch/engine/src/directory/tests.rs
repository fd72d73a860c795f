use torap_domain::{Iban, MessageId, ParticipantId, Phone, Position, Reason, Span, Text};

use super::*;
use crate::{
    Command as AnyCommand, Notice,
    instant::{self, Settings},
    participants::State as Standing,
    world::{CASP, HSBK, IRTY, NOBODY, TSES, World, bic, iban, operator, person},
};

mod look_ups;
mod rows;

const NUMBER: &str = "+77011234567";

fn phone() -> Phone {
    Phone::parse(NUMBER).unwrap()
}

fn account(bank: ParticipantId) -> Account {
    Account {
        participant: bank,
        agent: bic(bank),
        iban: iban(bank, 1),
        name: Text::truncated("Иванов Сергей Петрович"),
    }
}

fn register(bank: ParticipantId) -> Action {
    Action::Register {
        account: account(bank),
    }
}

fn claim(gaining: ParticipantId) -> Action {
    Action::Claim {
        gaining,
        consent: Text::truncated("CONSENT-1"),
    }
}

/// A world with one number, and the index's record of it.
struct Directory {
    world: World,
    record: Option<Record>,
}

impl Directory {
    fn new() -> Directory {
        Directory {
            world: World::new(),
            record: None,
        }
    }

    /// One person's number: CASP is the default, HSBK and IRTY follow.
    fn with_three_banks() -> Directory {
        let mut directory = Directory::new();
        for bank in [CASP, HSBK, IRTY] {
            directory.accept(bank, 1, register(bank));
        }
        directory
    }

    /// A number under two persons.
    fn suspended() -> Directory {
        let mut directory = Directory::new();
        directory.accept(CASP, 1, register(CASP));
        directory.accept(HSBK, 2, register(HSBK));
        directory
    }

    fn change(&self, source: Source, who: u64, action: Action) -> Change {
        Change {
            source,
            reference: MessageId::parse("REF-1").unwrap(),
            phone: phone(),
            person: person(who),
            action,
            found: Found {
                as_of: self.world.stamp.position,
                record: self.record.clone(),
            },
        }
    }

    fn apply(&mut self, change: Change) -> Outcome {
        let outcome = self
            .world
            .apply(AnyCommand::Directory(Command::Change(change)));
        for event in &self.world.out.events {
            if let Event::DirectoryChanged(record) = event {
                assert_eq!(record.changed_at, self.world.stamp.position);
                let kept = !record.persons.is_empty();
                self.record = kept.then(|| record.as_ref().clone());
            }
        }
        outcome
    }

    fn accept(&mut self, bank: ParticipantId, who: u64, action: Action) {
        let shown = format!("{action:?}");
        let source = self.world.link(bank);
        let change = self.change(source, who, action);
        assert_eq!(self.apply(change), Outcome::Accepted, "{shown}");
        assert_eq!(self.answer(bank), None);
    }

    /// The bank is answered with the reason, nothing changes, and followers are told.
    fn refuse(&mut self, bank: ParticipantId, who: u64, action: Action, reason: Reason) {
        let source = self.world.link(bank);
        let change = self.change(source, who, action);
        self.refuse_change(bank, change, reason);
    }

    fn refuse_change(&mut self, bank: ParticipantId, change: Change, reason: Reason) {
        let shown = format!("{:?}", change.action);
        assert_eq!(self.apply(change), Outcome::Refused(reason), "{shown}");
        assert_eq!(self.answer(bank), Some(reason), "{shown}");
        assert_eq!(self.world.out.events, [Event::Refused { reason }]);
        assert_eq!(self.world.out.effects.len(), 1);
    }

    /// The last entry sent to the bank: the answer to its command.
    fn answer(&self, bank: ParticipantId) -> Option<Reason> {
        match self.world.sent_to(bank).last() {
            Some(Message::CommandAnswer { original, refusal }) => {
                assert_eq!(*original, self.world.stamp.position);
                *refusal
            }
            other => panic!("{other:?}"),
        }
    }

    fn notices(&self, bank: ParticipantId) -> Vec<Notice> {
        let sent = self.world.sent_to(bank).into_iter();
        let notice = |message| match message {
            Message::Notice { notice } => Some(notice),
            _ => None,
        };
        sent.filter_map(notice).collect()
    }

    /// The bank that the number leads to by default.
    fn default(&self) -> Option<ParticipantId> {
        match self.record.as_ref()?.resolve(None, None) {
            Resolved::Found { account, .. } => Some(account.participant),
            Resolved::Suspended | Resolved::Unknown => None,
        }
    }
}

#[test]
fn the_first_account_of_a_person_is_the_default() {
    let mut directory = Directory::new();
    directory.accept(CASP, 1, register(CASP));
    assert_eq!(directory.default(), Some(CASP));
    directory.accept(HSBK, 1, register(HSBK));
    assert_eq!(directory.default(), Some(CASP));
    let record = directory.record.unwrap();
    assert_eq!(record.phone, phone());
    assert_eq!(record.persons.len(), 1);
    assert_eq!(record.persons[0].person, person(1));
    assert_eq!(record.persons[0].accounts, [account(CASP), account(HSBK)]);
}

#[test]
fn registrations_are_refused() {
    let mut directory = Directory::with_three_banks();
    let other = |change: &dyn Fn(&mut Account)| {
        let mut account = account(TSES);
        change(&mut account);
        Action::Register { account }
    };
    directory.refuse(CASP, 1, register(CASP), Reason::EntryExists);
    let action = other(&|account| account.participant = NOBODY);
    directory.refuse(TSES, 1, action, Reason::UnknownParticipant);
    let action = other(&|account| account.iban = iban(CASP, 1));
    directory.refuse(TSES, 1, action, Reason::AccountBankMismatch);
    let action = other(&|account| account.agent = bic(CASP));
    directory.refuse(TSES, 1, action, Reason::AccountBankMismatch);
    let foreign = Iban::parse("DE89370400440532013000").unwrap();
    let action = other(&|account| account.iban = foreign);
    directory.refuse(TSES, 1, action, Reason::AccountBankMismatch);
    directory.refuse(CASP, 1, register(TSES), Reason::EntryNotOwned);
    for state in [Standing::Certifying, Standing::Closing] {
        directory.world.state(TSES, state);
        directory.refuse(TSES, 1, register(TSES), Reason::SenderNotActive);
    }
    directory.world.state(
        TSES,
        Standing::Suspended {
            debits: true,
            credits: true,
        },
    );
    directory.accept(TSES, 1, register(TSES));
}

#[test]
fn accounts_and_persons_are_bounded() {
    let mut directory = Directory::new();
    directory.accept(CASP, 1, register(CASP));
    let record = directory.record.as_mut().unwrap();
    let full = |bank| Account {
        participant: bank,
        ..account(CASP)
    };
    record.persons[0].accounts = (10..18).map(|id| full(ParticipantId(id))).collect();
    directory.refuse(CASP, 1, register(CASP), Reason::InternalLimit);

    let mut directory = Directory::suspended();
    directory.accept(IRTY, 3, register(IRTY));
    assert_eq!(
        directory.record.as_ref().unwrap().persons.len(),
        PERSONS_MAX
    );
    directory.refuse(TSES, 4, register(TSES), Reason::InternalLimit);
    // One more account of a person that is there already.
    directory.accept(TSES, 3, register(TSES));
}

#[test]
fn a_fact_that_the_directory_has_overtaken_is_refused() {
    let mut directory = Directory::new();
    directory.accept(CASP, 1, register(CASP));
    let source = directory.world.link(HSBK);
    let mut change = directory.change(source, 1, register(HSBK));
    change.found.as_of = Position(directory.world.stamp.position.value() - 1);
    directory.refuse_change(HSBK, change, Reason::RetryLater);
    // The same with the index caught up.
    directory.accept(HSBK, 1, register(HSBK));
}

#[test]
fn a_fact_about_another_number_is_ours_to_answer_for() {
    let mut directory = Directory::with_three_banks();
    directory.record.as_mut().unwrap().phone = Phone::parse("+77017654321").unwrap();
    directory.refuse(TSES, 1, register(TSES), Reason::InternalLimit);
}

#[test]
fn a_bank_changes_and_removes_only_its_own_entries() {
    let mut directory = Directory::with_three_banks();
    let renamed = |bank| Action::Change {
        account: Account {
            name: Text::truncated("Иванова Анна"),
            iban: iban(bank, 9),
            ..account(bank)
        },
    };
    directory.accept(HSBK, 1, renamed(HSBK));
    let record = directory.record.as_ref().unwrap();
    assert_eq!(record.persons[0].accounts[1].iban, iban(HSBK, 9));
    assert_eq!(directory.default(), Some(CASP));
    // What holds already is accepted and changes nothing.
    directory.accept(HSBK, 1, renamed(HSBK));
    assert!(directory.world.out.events.is_empty());
    directory.refuse(HSBK, 1, renamed(IRTY), Reason::EntryNotOwned);
    directory.refuse(TSES, 1, renamed(TSES), Reason::EntryUnknown);
    directory.refuse(HSBK, 2, renamed(HSBK), Reason::EntryUnknown);
    let remove = |participant| Action::Remove { participant };
    directory.refuse(HSBK, 1, remove(IRTY), Reason::EntryNotOwned);
    directory.refuse(TSES, 1, remove(TSES), Reason::EntryUnknown);
    directory.refuse(TSES, 1, remove(NOBODY), Reason::UnknownParticipant);
    // A bank that is closing may still give up what it has.
    directory.world.state(HSBK, Standing::Closing);
    directory.accept(HSBK, 1, remove(HSBK));
    directory.refuse(HSBK, 1, remove(HSBK), Reason::EntryUnknown);
}

#[test]
fn the_default_follows_removals() {
    // (claims before, removed, default afterwards)
    let cases = [
        (None, CASP, Some(HSBK)),
        (None, HSBK, Some(CASP)),
        (Some(IRTY), CASP, Some(IRTY)),
        // The default goes back to whom the claim took it from.
        (Some(IRTY), IRTY, Some(CASP)),
        (Some(HSBK), IRTY, Some(HSBK)),
    ];
    for (gaining, removed, expected) in cases {
        let mut directory = Directory::with_three_banks();
        if let Some(gaining) = gaining {
            directory.accept(gaining, 1, claim(gaining));
        }
        let action = Action::Remove {
            participant: removed,
        };
        directory.accept(removed, 1, action);
        assert_eq!(directory.default(), expected, "{gaining:?} {removed:?}");
        let claim = directory.record.unwrap().persons[0].claim;
        let kept = gaining.is_some_and(|gaining| gaining != removed && removed != CASP);
        assert_eq!(claim.is_some(), kept, "{gaining:?} {removed:?}");
    }
}

#[test]
fn the_last_removal_empties_the_record() {
    let mut directory = Directory::new();
    directory.accept(CASP, 1, register(CASP));
    directory.accept(CASP, 1, Action::Remove { participant: CASP });
    assert_eq!(directory.record, None);
}

#[test]
fn a_claim_moves_the_default_and_the_losing_bank_is_told() {
    let mut directory = Directory::with_three_banks();
    directory.accept(HSBK, 1, claim(HSBK));
    assert_eq!(directory.default(), Some(HSBK));
    let at = directory.world.stamp.position;
    assert_eq!(
        directory.notices(CASP),
        [Notice::AliasClaimed { claim: at }]
    );
    let open = Claim {
        at,
        time: directory.world.now(),
        gaining: HSBK,
        losing: CASP,
        consent: Text::truncated("CONSENT-1"),
        contested: false,
    };
    assert_eq!(
        directory.record.as_ref().unwrap().persons[0].claim,
        Some(open)
    );
    // Claiming what one has changes nothing.
    directory.accept(HSBK, 1, claim(HSBK));
    assert!(directory.world.out.events.is_empty());
    // While the claim may be contested nobody else may claim.
    directory.refuse(IRTY, 1, claim(IRTY), Reason::ClaimOpen);
    directory.world.wait(Span::from_secs(24 * 3600));
    directory.accept(IRTY, 1, claim(IRTY));
    let position = directory.world.stamp.position;
    let notice = Notice::AliasClaimed { claim: position };
    assert_eq!(directory.notices(HSBK), [notice]);
}

#[test]
fn claims_are_refused() {
    let mut directory = Directory::with_three_banks();
    directory.refuse(TSES, 1, claim(TSES), Reason::EntryUnknown);
    directory.refuse(HSBK, 2, claim(HSBK), Reason::EntryUnknown);
    directory.refuse(TSES, 1, claim(HSBK), Reason::EntryNotOwned);
    directory.refuse(HSBK, 1, claim(NOBODY), Reason::UnknownParticipant);
    let without_consent = Action::Claim {
        gaining: HSBK,
        consent: Text::EMPTY,
    };
    directory.refuse(HSBK, 1, without_consent, Reason::ConsentMissing);
    directory.world.state(HSBK, Standing::Closing);
    directory.refuse(HSBK, 1, claim(HSBK), Reason::SenderNotActive);
    let mut directory = Directory::suspended();
    directory.refuse(CASP, 1, claim(CASP), Reason::AliasSuspended);
}

#[test]
fn a_contest_moves_the_default_back_and_bars_claims_until_the_operator_releases() {
    let contest = |losing| Action::Contest { losing };
    let mut directory = Directory::with_three_banks();
    directory.refuse(CASP, 1, contest(CASP), Reason::ClaimUnknown);
    directory.accept(HSBK, 1, claim(HSBK));
    let at = directory.world.stamp.position;
    directory.refuse(IRTY, 1, contest(IRTY), Reason::ClaimUnknown);
    directory.refuse(TSES, 1, contest(TSES), Reason::EntryUnknown);
    directory.refuse(IRTY, 1, contest(CASP), Reason::EntryNotOwned);
    directory.accept(CASP, 1, contest(CASP));
    assert_eq!(directory.default(), Some(CASP));
    assert_eq!(
        directory.notices(HSBK),
        [Notice::ClaimContested { claim: at }]
    );
    directory.refuse(CASP, 1, contest(CASP), Reason::ClaimUnknown);
    directory.refuse(HSBK, 1, claim(HSBK), Reason::ClaimOpen);
    directory.world.wait(Span::from_secs(48 * 3600));
    directory.refuse(HSBK, 1, claim(HSBK), Reason::ClaimOpen);
    // Leaving and coming back is no way around it.
    directory.accept(HSBK, 1, Action::Remove { participant: HSBK });
    directory.accept(HSBK, 1, register(HSBK));
    directory.refuse(HSBK, 1, claim(HSBK), Reason::ClaimOpen);
    // A bank's release is about suspensions only.
    let release = Action::Release { participant: None };
    directory.refuse(HSBK, 1, release.clone(), Reason::ClaimUnknown);
    let change = directory.change(operator(), 1, release);
    assert_eq!(directory.apply(change), Outcome::Accepted);
    directory.accept(HSBK, 1, claim(HSBK));
    assert_eq!(directory.default(), Some(HSBK));
}

#[test]
fn a_contest_comes_too_late_when_its_window_is_over() {
    let mut directory = Directory::with_three_banks();
    directory.accept(HSBK, 1, claim(HSBK));
    let claimed = directory.world.now();
    let window = Settings::initial().contest_window;
    // Commands come a millisecond apart; the next one falls on the end of the window.
    let last = window.nanos() - Span::from_millis(1).nanos();
    directory.world.stamp.time = claimed.saturating_add(Span::from_nanos(last));
    let contest = Action::Contest { losing: CASP };
    directory.refuse(CASP, 1, contest, Reason::ClaimUnknown);
    assert_eq!(directory.default(), Some(HSBK));
}

#[test]
fn a_number_under_two_persons_leads_to_nobody_and_every_bank_is_told() {
    let mut directory = Directory::new();
    directory.accept(CASP, 1, register(CASP));
    directory.accept(IRTY, 1, register(IRTY));
    directory.accept(HSBK, 2, register(HSBK));
    let claim = directory.world.stamp.position;
    let record = directory.record.as_ref().unwrap();
    assert!(record.suspended);
    assert_eq!(record.resolve(Some(person(1)), None), Resolved::Suspended);
    for bank in [CASP, IRTY, HSBK] {
        assert_eq!(directory.notices(bank), [Notice::AliasSuspended { claim }]);
    }
    assert!(directory.notices(TSES).is_empty());
}

#[test]
fn a_suspension_ends_when_one_person_is_left() {
    let by_hand = Action::Release { participant: None };
    let by_name = Action::Release {
        participant: Some(HSBK),
    };
    let removed = Action::Remove { participant: HSBK };
    for action in [by_hand, by_name, removed] {
        let mut directory = Directory::suspended();
        directory.accept(HSBK, 2, action.clone());
        let release = directory.world.stamp.position;
        let record = directory.record.as_ref().unwrap();
        assert!(!record.suspended, "{action:?}");
        assert_eq!(directory.default(), Some(CASP));
        for bank in [CASP, HSBK] {
            assert_eq!(directory.notices(bank), [Notice::AliasReleased { release }]);
        }
    }
}

#[test]
fn a_release_by_a_bank_that_leaves_two_persons_lifts_nothing() {
    let mut directory = Directory::suspended();
    directory.accept(IRTY, 2, register(IRTY));
    directory.accept(HSBK, 2, Action::Release { participant: None });
    assert!(directory.record.as_ref().unwrap().suspended);
    let release = Action::Release { participant: None };
    directory.refuse(TSES, 2, release.clone(), Reason::EntryUnknown);
    directory.refuse(HSBK, 9, release.clone(), Reason::EntryUnknown);
    let others = Action::Release {
        participant: Some(CASP),
    };
    directory.refuse(IRTY, 1, others, Reason::EntryNotOwned);
    let mut directory = Directory::with_three_banks();
    directory.refuse(CASP, 1, release, Reason::ClaimUnknown);
}

#[test]
fn the_operator_names_the_person_who_keeps_the_number() {
    let mut directory = Directory::suspended();
    let release = Action::Release { participant: None };
    let change = directory.change(operator(), 2, release.clone());
    assert_eq!(directory.apply(change), Outcome::Accepted);
    assert_eq!(directory.default(), Some(HSBK));
    assert_eq!(directory.record.as_ref().unwrap().persons.len(), 1);
    let at = directory.world.stamp.position;
    let notice = Notice::AliasReleased { release: at };
    assert_eq!(directory.notices(CASP), [notice]);
    assert_eq!(directory.notices(HSBK), [notice]);
    // The operator gets an outcome, not a message.
    let change = directory.change(operator(), 2, release.clone());
    assert_eq!(
        directory.apply(change),
        Outcome::Refused(Reason::ClaimUnknown)
    );
    assert!(directory.world.out.effects.is_empty());
    let change = directory.change(operator(), 9, release);
    assert_eq!(
        directory.apply(change),
        Outcome::Refused(Reason::EntryUnknown)
    );
}

#[test]
fn the_operator_acts_for_every_bank_and_the_switch_for_none() {
    let mut directory = Directory::new();
    directory.world.state(CASP, Standing::Certifying);
    let change = directory.change(operator(), 1, register(CASP));
    assert_eq!(directory.apply(change), Outcome::Accepted);
    assert_eq!(directory.default(), Some(CASP));
    let change = directory.change(Source::Switch, 1, register(HSBK));
    assert_eq!(
        directory.apply(change),
        Outcome::Refused(Reason::OperatorRefused)
    );
}

#[test]
fn a_successor_owns_the_entries_of_the_bank_it_took_over() {
    let mut directory = Directory::new();
    directory.accept(IRTY, 1, register(IRTY));
    directory.accept(CASP, 1, register(CASP));
    directory.world.succeed(IRTY, HSBK);
    // Its account is already there, under the old name.
    directory.refuse(HSBK, 1, register(HSBK), Reason::EntryExists);
    let renewed = Action::Change {
        account: Account {
            participant: IRTY,
            iban: iban(IRTY, 5),
            ..account(HSBK)
        },
    };
    // Its old bank codes lead to it.
    directory.accept(HSBK, 1, renewed);
    let kept = &directory.record.as_ref().unwrap().persons[0].accounts[0];
    assert_eq!((kept.participant, kept.agent), (HSBK, bic(HSBK)));
    // A default that the lost bank held is claimed from its successor, which is told.
    directory.accept(CASP, 1, claim(CASP));
    assert_eq!(directory.notices(HSBK).len(), 1);
}

#[test]
fn a_damaged_snapshot_of_the_directory_is_refused_or_read_but_never_panics() {
    let directory = Directory::with_three_banks();
    let mut bytes = Vec::new();
    directory
        .world
        .engine
        .state
        .directory
        .write(&mut Writer::new(&mut bytes));
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let mut reader = Reader::new("snapshot", &damaged);
            if let Ok(state) = State::read(&mut reader) {
                let mut again = Vec::new();
                state.write(&mut Writer::new(&mut again));
                assert_eq!(again, damaged[..again.len()]);
            }
        }
    }
}

#[test]
fn an_alias_leads_a_payment_only_as_long_as_the_fact_is_current() {
    let mut directory = Directory::new();
    directory.accept(HSBK, 2, register(HSBK));
    let read = directory.world.stamp.position;
    let alias = AliasKey::of(phone());
    let state = |directory: &Directory| directory.world.engine.state.directory.clone();
    assert!(state(&directory).is_current(alias, read));
    directory.accept(CASP, 2, register(CASP));
    assert!(!state(&directory).is_current(alias, read));
    let other = AliasKey::of(Phone::parse("+77017654321").unwrap());
    assert!(state(&directory).is_current(other, read));
}
