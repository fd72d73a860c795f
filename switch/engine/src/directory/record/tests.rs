use torap_domain::{BankCode, Bic, Iban, IinBin, ParticipantId, Phone, Position, Text};

use super::{Account, Person, Record, Resolved};
use crate::directory::AliasKey;

fn account(participant: u16, bic: &str) -> Account {
    Account {
        participant: ParticipantId(participant),
        agent: Bic::parse(bic).unwrap(),
        iban: Iban::for_kz(
            BankCode::from_value(600 + participant).unwrap(),
            "0000000000001",
        )
        .unwrap(),
        name: Text::truncated("Иванов Сергей"),
    }
}

fn person(prefix: u64) -> IinBin {
    IinBin::with_check(prefix).unwrap()
}

fn record() -> Record {
    Record {
        phone: Phone::parse("+77011234567").unwrap(),
        persons: vec![Person {
            person: person(90_010_112_345),
            accounts: vec![account(1, "CASPKZKA"), account(2, "HSBKKZKXALM")],
            default: 1,
            claim: None,
        }],
        suspended: false,
        changed_at: Position(7),
    }
}

#[test]
fn a_number_leads_to_the_default_or_to_the_bank_chosen() {
    let record = record();
    let owner = person(90_010_112_345);
    let stranger = person(85_121_254_321);
    let bic = |text| Bic::parse(text).unwrap();
    let cases = [
        (None, None, Some(2)),
        (Some(owner), None, Some(2)),
        (Some(stranger), None, None),
        (None, Some(bic("CASPKZKA")), Some(1)),
        // A branch is the same bank.
        (None, Some(bic("HSBKKZKX")), Some(2)),
        (Some(owner), Some(bic("TSESKZKA")), None),
    ];
    for (named, chosen, expected) in cases {
        let found = match record.resolve(named, chosen.as_ref()) {
            Resolved::Found { person, account } => {
                assert_eq!(person, owner);
                Some(account.participant.value())
            }
            Resolved::Unknown => None,
            Resolved::Suspended => panic!("not suspended"),
        };
        assert_eq!(found, expected, "{named:?} {chosen:?}");
    }
}

#[test]
fn a_suspended_number_leads_nowhere_even_if_the_person_is_named() {
    let mut record = record();
    record.suspended = true;
    let named = Some(person(90_010_112_345));
    assert_eq!(record.resolve(named, None), Resolved::Suspended);
}

#[test]
fn a_record_without_a_default_account_leads_nowhere() {
    let mut record = record();
    record.persons[0].default = 9;
    assert_eq!(record.resolve(None, None), Resolved::Unknown);
}

#[test]
fn the_alias_key_is_fixed_for_ever_and_tells_numbers_apart() {
    let key = |value| AliasKey::of(Phone::from_value(value).unwrap()).0;
    // Worked out apart from this code.
    assert_eq!(key(77_011_234_567), 5_230_802_902_688_958_719);
    assert_ne!(key(77_011_234_567), key(77_011_234_568));
}
