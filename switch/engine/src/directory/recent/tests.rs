use torap_domain::Position;

use super::{AliasKey, Reader, Recent, Writer};

const A: AliasKey = AliasKey(1);
const B: AliasKey = AliasKey(2);
const C: AliasKey = AliasKey(3);

fn recent(changes: &[(AliasKey, u64)], entries_max: u32) -> Recent {
    let mut recent = Recent::new();
    for (alias, position) in changes {
        recent.note(*alias, Position(*position), entries_max);
    }
    recent
}

#[test]
fn a_fact_is_current_if_its_number_did_not_change_since() {
    let recent = recent(&[(A, 10), (B, 20), (A, 30)], 8);
    let cases = [
        (A, 9, false),
        (A, 10, false),
        (A, 29, false),
        (A, 30, true),
        (B, 19, false),
        (B, 20, true),
        (C, 0, true),
        (C, 40, true),
    ];
    for (alias, as_of, current) in cases {
        assert_eq!(
            recent.is_current(alias, Position(as_of)),
            current,
            "{alias:?} {as_of}"
        );
    }
}

#[test]
fn what_is_forgotten_makes_older_facts_stale() {
    let recent = recent(&[(A, 10), (B, 20), (A, 30), (C, 40)], 2);
    // 10 and 20 are forgotten: a fact from before 20 proves nothing, whatever its number.
    assert!(!recent.is_current(B, Position(19)));
    assert!(!recent.is_current(AliasKey(9), Position(19)));
    assert!(recent.is_current(B, Position(20)));
    // The first change of A is forgotten, the second is not.
    assert!(!recent.is_current(A, Position(25)));
    assert!(recent.is_current(A, Position(30)));
}

#[test]
fn a_lowered_bound_is_reached_in_steps() {
    let mut recent = recent(&[], 100);
    for position in 1..=50 {
        recent.note(AliasKey(position), Position(position), 100);
    }
    let mut kept = Vec::new();
    for position in 51..=70 {
        recent.note(AliasKey(position), Position(position), 5);
        kept.push(recent.changes.len());
    }
    assert_eq!(kept.first(), Some(&47));
    assert_eq!(kept.last(), Some(&5));
    assert_eq!(recent.last.len(), 5);
}

#[test]
fn an_import_counts_only_against_numbers_not_found() {
    let mut recent = recent(&[(A, 10)], 8);
    recent.note_import(Position(50));
    assert!(recent.is_current(A, Position(10)));
    assert!(recent.imported_since(Position(49)));
    assert!(!recent.imported_since(Position(50)));
}

#[test]
fn a_snapshot_holds_everything_and_its_order_is_checked() {
    let mut before = recent(&[(A, 10), (B, 20), (A, 30), (C, 40)], 3);
    before.note_import(Position(35));
    let mut bytes = Vec::new();
    before.write(&mut Writer::new(&mut bytes));
    let mut reader = Reader::new("snapshot", &bytes);
    let after = Recent::read(&mut reader).unwrap();
    reader.finish().unwrap();
    assert_eq!(after, before);
    // The last position, made older than the one before it.
    let last = bytes.len() - 8;
    bytes[last] = 5;
    assert!(Recent::read(&mut Reader::new("snapshot", &bytes)).is_err());
    for cut in 0..bytes.len() {
        assert!(Recent::read(&mut Reader::new("snapshot", &bytes[..cut])).is_err());
    }
}
