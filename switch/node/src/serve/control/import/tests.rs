use torap_domain::Bic;
use torap_engine::directory::{Account, Person};

use super::*;

const OURS: ParticipantId = ParticipantId::new(1);
const THEIRS: ParticipantId = ParticipantId::new(2);
const NOW: Position = Position::new(70);

fn entry_of(person: &str, iban: &str, name: &str) -> ImportEntry {
    entry(&ImportRow {
        phone: "+77011234567".into(),
        person: person.into(),
        iban: iban.into(),
        name: name.into(),
    })
    .unwrap()
}

fn wanted() -> ImportEntry {
    entry_of("790305300457", "KZ45722S000054326792", "Иванов Сергей")
}

fn record(of: &ImportEntry, participant: ParticipantId, changed_at: Position) -> Record {
    Record {
        phone: of.phone,
        persons: vec![Person {
            person: of.person,
            accounts: vec![Account {
                participant,
                agent: Bic::parse("CASPKZKA").unwrap(),
                iban: of.iban,
                name: of.name,
            }],
            default: 0,
            claim: None,
        }],
        suspended: false,
        changed_at,
    }
}

#[test]
fn every_row_has_a_fate() {
    let (entry, before) = (wanted(), Position::new(60));
    let other_name = ImportEntry {
        name: Text::try_from("Петров").unwrap(),
        ..entry
    };
    let other_person = ImportEntry {
        person: IinBin::parse("900101300007").unwrap(),
        ..entry
    };
    let held = |why| Fate::Held(why);
    for (record, expected) in [
        (Some(record(&entry, OURS, NOW)), Fate::Imported),
        (Some(record(&entry, OURS, before)), Fate::There),
        (
            Some(record(&other_name, OURS, before)),
            held("the account stands there with another name"),
        ),
        (
            Some(record(&entry, THEIRS, before)),
            held("the number has an account of another bank"),
        ),
        (
            Some(record(&other_person, OURS, before)),
            held("the number belongs to another person"),
        ),
        (None, held("the number was taken out again at once")),
    ] {
        assert_eq!(fate(&entry, record.as_ref(), OURS, Some(NOW)), expected);
    }
}

#[test]
fn of_two_rows_with_one_number_the_second_is_no_import() {
    let entry = wanted();
    let imported = record(&entry, OURS, NOW);
    assert_eq!(fate(&entry, Some(&imported), OURS, None), Fate::There);
    let other = ImportEntry {
        person: IinBin::parse("900101300007").unwrap(),
        ..entry
    };
    let why = "a row before it gives the number to another person";
    assert_eq!(fate(&other, Some(&imported), OURS, None), Fate::Held(why));
}
