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
