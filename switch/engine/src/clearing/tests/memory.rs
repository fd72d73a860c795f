//! Days of many items: outcomes are told in small pieces, and memory stays as it is.

use super::*;
use crate::{
    Engine, Output, Stamp,
    clearing::{PIECE_ITEMS_MAX, TOLD_EACH, items::Item},
    world::{BANK_IDS, CASP},
};

const ITEMS_A_DAY: usize = 20 * PIECE_ITEMS_MAX;

#[test]
fn an_item_is_small() {
    assert!(size_of::<Option<Item>>() <= 96);
}

/// An engine without the world's checks after every command, which would take long here.
struct Long {
    engine: Engine,
    out: Output,
    stamp: Stamp,
    numbers: u32,
}

impl Long {
    fn new() -> Long {
        let mut world = World::new();
        for bank in BANK_IDS {
            world.endow(bank, 1_000_000);
        }
        Long {
            engine: world.engine,
            out: world.out,
            stamp: world.stamp,
            numbers: 0,
        }
    }

    fn apply(&mut self, command: &Any) -> Outcome {
        self.stamp.position = self.stamp.position.next();
        self.engine.apply(self.stamp, command, &mut self.out);
        self.out.outcome
    }

    /// A day's items, and its session until everything is told.
    fn day(&mut self, value_date: Date) {
        for piece in 0..ITEMS_A_DAY / PIECE_ITEMS_MAX {
            let debtor = BANK_IDS[piece % BANK_IDS.len()];
            let items = (0..PIECE_ITEMS_MAX).map(|item| {
                self.numbers += 1;
                let creditor = BANK_IDS[(piece + 1 + item % 3) % BANK_IDS.len()];
                Order {
                    value_date,
                    ..order(self.numbers, debtor, creditor, 100 + item as u64)
                }
            });
            let submit = submit(operator(), debtor, items.collect());
            let command = Any::Clearing(Command::Submit(submit));
            assert_eq!(self.apply(&command), Outcome::Accepted);
        }
        let (_, closes) = self.engine.clearing_view().open.unwrap();
        self.stamp.time = closes;
        loop {
            assert_eq!(self.apply(&Any::Tick), Outcome::Accepted);
            // A record of more items than are told at once is told whole.
            let most = TOLD_EACH + PIECE_ITEMS_MAX;
            assert!(self.out.effects.len() <= most, "{}", self.out.effects.len());
            if !self.engine.clearing_view().telling {
                break;
            }
            self.stamp.time = self.engine.next_deadline().unwrap();
        }
        self.engine.conservation().unwrap();
    }
}

#[test]
fn days_of_as_many_items_take_no_more_memory() {
    let mut long = Long::new();
    let days = [
        "2026-11-23",
        "2026-11-24",
        "2026-11-25",
        "2026-11-26",
        "2026-11-27",
    ];
    let mut sizes = Vec::new();
    for day in days {
        long.day(date(day));
        let view = long.engine.clearing_view();
        // Those of the date that has just closed are known, and no others.
        sizes.push((view.items, view.bytes));
    }
    let (items, bytes) = sizes[1];
    assert_eq!(items, ITEMS_A_DAY);
    for (later, later_bytes) in &sizes[2..] {
        assert_eq!(*later, items);
        assert!(*later_bytes <= bytes + bytes / 10, "{sizes:?}");
    }
    assert!(bytes / items <= 150, "{} bytes an item", bytes / items);
}

#[test]
fn a_snapshot_while_outcomes_are_told_and_dates_forgotten_goes_on_the_same() {
    let mut long = Long::new();
    long.day(date("2026-11-23"));
    let mut twin: Option<Long> = None;
    for day in ["2026-11-24", "2026-11-25"] {
        long.day(date(day));
        if let Some(twin) = &mut twin {
            twin.day(date(day));
            assert_eq!(twin.engine.digest(), long.engine.digest());
        }
        let mut bytes = Vec::new();
        long.engine
            .snapshot(&mut |piece| bytes.extend_from_slice(piece));
        twin = Some(Long {
            engine: Engine::restore(&bytes, 77).unwrap(),
            out: Output::new(),
            stamp: long.stamp,
            numbers: long.numbers,
        });
    }
    // And in the middle of both.
    let mut middle = 0;
    let command = Any::Clearing(Command::Close { source: operator() });
    assert_eq!(long.apply(&command), Outcome::Accepted);
    while long.engine.clearing_view().telling {
        let mut bytes = Vec::new();
        long.engine
            .snapshot(&mut |piece| bytes.extend_from_slice(piece));
        let restored = Engine::restore(&bytes, middle).unwrap();
        assert_eq!(restored.digest(), long.engine.digest());
        assert_eq!(restored.next_deadline(), long.engine.next_deadline());
        long.engine = restored;
        middle += 1;
        long.stamp.time = long.engine.next_deadline().unwrap();
        assert_eq!(long.apply(&Any::Tick), Outcome::Accepted);
    }
    assert!(middle > 10, "{middle}");
    assert!(long.engine.clearing_view().items == 0, "{CASP}");
}
