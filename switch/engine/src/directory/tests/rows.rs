//! Rows of changes, at random.

use proptest::{collection::vec, prelude::*};
use torap_domain::IinBin;

use super::*;

/// A record as the rules leave it.
fn check_record(record: &Record) {
    assert_eq!(record.suspended, record.persons.len() > 1);
    assert!((1..=PERSONS_MAX).contains(&record.persons.len()));
    for owner in &record.persons {
        let default = owner.accounts.get(usize::from(owner.default));
        assert!(default.is_some(), "{owner:?}");
        for account in &owner.accounts {
            let same = |other: &&Account| other.participant == account.participant;
            assert_eq!(owner.accounts.iter().filter(same).count(), 1);
        }
    }
}

/// Every entry of one bank under the number.
fn entries_of(record: &Option<Record>, bank: ParticipantId) -> Vec<(IinBin, Account)> {
    let persons = record.iter().flat_map(|record| &record.persons);
    let entries = persons.flat_map(|owner| {
        let accounts = owner.accounts.iter();
        accounts.map(|account| (owner.person, *account))
    });
    entries
        .filter(|(_, account)| account.participant == bank)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever banks do, a record stays whole, and nobody but its bank changes an entry.
    #[test]
    fn no_row_of_changes_breaks_a_record(steps in vec((0_u8..8, 1_u64..=2, 0_u8..7, 1_u16..=4), 1..40)) {
        let mut directory = Directory::new();
        for (foreign, who, action, bank) in steps {
            let bank = ParticipantId(bank);
            // One in eight tries its hand at another bank's entries.
            let sender = if foreign == 0 { TSES } else { bank };
            let account = Account {
                name: Text::truncated(&format!("Иванов {who}")),
                ..account(bank)
            };
            let action = match action {
                0 | 1 => Action::Register { account },
                2 => Action::Change { account },
                3 => Action::Remove { participant: bank },
                4 => claim(bank),
                5 => Action::Contest { losing: bank },
                _ => Action::Release { participant: Some(bank) },
            };
            let before = directory.record.clone();
            let source = directory.world.link(sender);
            let change = directory.change(source, who, action);
            let outcome = directory.apply(change);
            for other in [CASP, HSBK, IRTY, TSES] {
                if other != sender || outcome != Outcome::Accepted {
                    prop_assert_eq!(entries_of(&directory.record, other), entries_of(&before, other));
                }
            }
            if let Some(record) = &directory.record {
                check_record(record);
            }
        }
    }
}
