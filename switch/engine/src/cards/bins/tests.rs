use proptest::prelude::*;
use torap_domain::{ParticipantId, Time, card::Prefix};

use super::*;

fn range(prefix: &str, issuer: u16, from: u64, until: Option<u64>) -> BinRange {
    BinRange {
        prefix: Prefix::parse(prefix).unwrap(),
        issuer: ParticipantId(issuer),
        product: 0,
        scheme: 0,
        local: false,
        stand_in: 0,
        from: Time::from_nanos(from),
        until: until.map(Time::from_nanos),
    }
}

fn issuer(table: &BinTable, card: &str, at: u64) -> Option<u16> {
    let found = table.route(card.as_bytes(), Time::from_nanos(at));
    found.map(|(route, range)| {
        assert_eq!(table.range(route), Some(range));
        range.issuer.0
    })
}

#[test]
fn the_longest_prefix_that_holds_counts() {
    let ranges = [
        range("986012", 1, 0, None),
        range("98601234", 2, 10, Some(20)),
        range("98601234", 3, 20, None),
        range("98601234567", 4, 0, Some(5)),
    ];
    let table = BinTable::new(1, &ranges).unwrap();
    assert_eq!(issuer(&table, "9860123456789012", 0), Some(4));
    assert_eq!(issuer(&table, "9860123456789012", 5), Some(1));
    assert_eq!(issuer(&table, "9860123456789012", 10), Some(2));
    assert_eq!(issuer(&table, "9860123456789012", 19), Some(2));
    assert_eq!(issuer(&table, "9860123456789012", 20), Some(3));
    assert_eq!(issuer(&table, "9860129999999999", 20), Some(1));
    assert_eq!(issuer(&table, "9860119999999999", 20), None);
    assert_eq!(issuer(&table, "98601", 20), None);
    assert_eq!(issuer(&table, "9860x23456789012", 20), None);
    let other = Route {
        version: 2,
        range: 0,
    };
    assert_eq!(table.range(other), None);
}

#[test]
fn tables_that_are_ambiguous_are_refused() {
    let table = |ranges: &[BinRange]| BinTable::new(1, ranges);
    assert!(
        table(&[
            range("986012", 1, 0, Some(10)),
            range("986012", 2, 10, None)
        ])
        .is_some()
    );
    assert!(
        table(&[
            range("986012", 1, 0, Some(11)),
            range("986012", 2, 10, None)
        ])
        .is_none()
    );
    assert!(table(&[range("986012", 1, 0, None), range("986012", 2, 10, None)]).is_none());
    assert!(table(&[range("986012", 1, 10, Some(10))]).is_none());
    let foreign = BinRange {
        scheme: 1,
        local: true,
        ..range("986012", 1, 0, None)
    };
    assert!(table(&[foreign]).is_none());
    assert!(table(&vec![foreign; RANGES_MAX + 1]).is_none());
}

proptest! {
    /// As looking at every row.
    #[test]
    fn agrees_with_the_obvious_search(
        rows in proptest::collection::vec(("[12]{6,11}", 0_u64..20, proptest::option::of(20_u64..40)), 0..40),
        card in "[12]{16}",
        at in 0_u64..45,
    ) {
        let mut ranges: Vec<BinRange> = Vec::new();
        for (number, (prefix, from, until)) in (1..).zip(&rows) {
            let new = range(prefix, number, *from, *until);
            if ranges.iter().all(|old| old.prefix != new.prefix) {
                ranges.push(new);
            }
        }
        let table = BinTable::new(1, &ranges).unwrap();
        let fitting = ranges.iter().filter(|range| {
            card.starts_with(&range.prefix.to_string()) && range.holds(Time::from_nanos(at))
        });
        let longest = fitting.max_by_key(|range| range.prefix.length());
        prop_assert_eq!(issuer(&table, &card, at), longest.map(|range| range.issuer.0));
    }
}
