//! Entries explain every balance: checked after every command of every test of the engine's rules.

use std::collections::BTreeMap;

use torap_domain::ParticipantId;

use super::{Account, EntryKind};
use crate::{Engine, Event, Stamp, ancillary, cards};

#[test]
fn a_page_after_every_entry_has_no_lines_and_the_highest_number_is_none_too_many() {
    let mut page = super::Page {
        number: 1,
        is_last: true,
        before: 7,
        first: u64::MAX,
        entries: Vec::new(),
        so_far: super::Sums::default(),
    };
    assert_eq!(page.lines().count(), 0);
    assert_eq!(page.after(), 7);
    let entry = super::Entry {
        position: torap_domain::Position(1),
        time: torap_domain::Time::EPOCH,
        kind: EntryKind::Other,
        counterparty: None,
        reference: torap_domain::Text::EMPTY,
        uetr: None,
        direction: crate::participants::Direction::In,
        amount: torap_domain::Money::kzt(1),
    };
    page.entries = vec![entry; 2];
    let numbers: Vec<u64> = page.lines().map(|line| line.number).collect();
    assert_eq!(numbers, [u64::MAX, u64::MAX]);
}

/// An engine whose first participant has a limit towards each of `others` other ones.
fn with_limits(others: u16) -> Engine {
    use torap_domain::{BankCode, Bic, Money, Position, Text, Time};

    use crate::{Command, Output, participants, settlement, world::operator};

    let mut engine = Engine::new();
    let mut out = Output::new();
    let mut position = Position::ZERO;
    let mut apply = |command: Command| {
        position = position.next();
        let time = Time::EPOCH;
        engine.apply(Stamp { position, time }, &command, &mut out);
        assert_eq!(out.outcome, crate::Outcome::Accepted);
    };
    let source = operator();
    for number in 0..=others {
        let letters = [26 * 26, 26, 1].map(|by| char::from(b'A' + (number / by % 26) as u8));
        let [one, two, three] = letters;
        let agent = format!("{one}{two}{three}XKZKA");
        apply(Command::Participants(participants::Command::Add {
            source,
            profile: participants::Profile {
                code: Text::truncated(&agent),
                name: Text::truncated(&agent),
                bics: vec![Bic::parse(&agent).unwrap()],
                bank_codes: Vec::<BankCode>::new(),
                sponsor: None,
                technical_senders: Vec::new(),
                services: Vec::new(),
                floor: None,
                ceiling: None,
            },
            mode: participants::PositionMode::Prefunded,
        }));
    }
    for towards in 2..=others + 1 {
        apply(Command::Settlement(settlement::Command::SetLimit {
            source,
            participant: ParticipantId(1),
            towards: Some(ParticipantId(towards)),
            amount: Some(Money::kzt(u64::from(towards))),
        }));
    }
    engine
}

#[test]
fn one_limit_more_than_is_told_says_that_there_are_more() {
    use super::LIMITS_TOLD_MAX;

    let most = LIMITS_TOLD_MAX as u16;
    let towards = |engine: &Engine| {
        let limits = engine.account_limits(ParticipantId(1));
        limits
            .iter()
            .map(|limit| limit.towards.unwrap().0)
            .collect::<Vec<_>>()
    };
    let expected: Vec<u16> = (2..=most + 1).collect();
    assert_eq!(towards(&with_limits(most)), expected);
    let told = towards(&with_limits(most + 3));
    assert_eq!(told.len(), LIMITS_TOLD_MAX + 1);
    assert_eq!(told[..LIMITS_TOLD_MAX], expected);
}

/// Balances before a record.
#[derive(Debug)]
pub(crate) struct Before(BTreeMap<(ParticipantId, Account), i128>);

fn accounts(engine: &Engine) -> impl Iterator<Item = ((ParticipantId, Account), i128)> + '_ {
    let participants = engine.participant_views().map(|view| view.id);
    let owners = participants.chain([ParticipantId::SWITCH]);
    let keys = owners.flat_map(|owner| Account::ALL.map(|account| (owner, account)));
    keys.map(|(owner, account)| {
        let balance = engine.account_balance(owner, account).unwrap_or(0);
        ((owner, account), balance)
    })
}

impl Before {
    pub(crate) fn of(engine: &Engine) -> Before {
        Before(accounts(engine).collect())
    }

    /// What the record moved on the accounts of participants and operator is what its entries say.
    ///
    /// # Panics
    /// If it is not.
    pub(crate) fn check(mut self, engine: &Engine, stamp: Stamp, events: &[Event]) {
        let mut ends = false;
        for event in events {
            ends |= matches!(
                event,
                Event::Ancillary(ancillary::Event::CardNetsSettled { .. })
                    | Event::Card(cards::Event::SessionSettled { .. })
            );
        }
        engine.entries(stamp, events, &mut |owner, account, entry| {
            assert_ne!(entry.kind, EntryKind::Other);
            assert_eq!((entry.position, entry.time), (stamp.position, stamp.time));
            *self.0.entry((owner, account)).or_default() += entry.signed();
        });
        for ((owner, account), balance) in accounts(engine) {
            let told = self.0.entry((owner, account)).or_default();
            // Nets leave the card accounts with their session, and what is paid back to a contribution has no event of its own.
            let leaves = match account {
                Account::Card => ends,
                Account::Guarantee => balance > *told,
                Account::Settlement | Account::Position => false,
            };
            assert!(
                leaves || *told == balance,
                "{owner:?} {account:?}: told {told}, stands {balance}: {events:?}"
            );
        }
    }
}
