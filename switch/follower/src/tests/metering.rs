//! What a stretch of the log did, and that it comes to the same from wherever it is read.

use std::sync::Arc;

use torap_domain::{ParticipantId, Position, Time};
use torap_engine::{
    Command,
    tariffs::{self, DAY_MINUTES, Invoice, Item, Rate, Row, Side, Table, Usage},
};
use torap_journal::{MemoryMedium, Reader};

use super::{Rig, world};
use crate::{Metered, SnapshotStore, Until, meter, rebuild};

fn reader(medium: &MemoryMedium) -> Reader {
    Reader::open(Arc::new(medium.clone()), None)
        .expect("readable")
        .expect("a journal")
}

/// Usages and the invoice of what is stamped from `from` on and before `until`, and whether that is all.
fn metered(
    rig: &Rig,
    snapshots: Option<&SnapshotStore>,
    from: Time,
    until: Time,
) -> (Vec<Usage>, Invoice, bool) {
    let log = reader(&rig.journal_medium);
    let before = Until::Time(Time::from_nanos(from.nanos() - 1));
    let start = rebuild(&log, snapshots, before, &mut |_| {}).expect("rebuilt");
    let (mut usages, mut invoice) = (Vec::new(), Invoice::new());
    let measured = meter(
        &log,
        start,
        until,
        &mut |engine, metered| {
            let Metered::Usage(usage) = metered else {
                panic!("no card is used: {metered:?}");
            };
            let (table, since) = engine.tariff();
            for charge in table.charges(usage) {
                invoice.add(usage, &charge, since);
            }
            usages.push(*usage);
        },
        &mut |_| {},
    )
    .expect("metered");
    (usages, invoice, measured.complete)
}

fn set(item: Item, fixed: u64) -> Command {
    let row = Row {
        item,
        pays: Side::Sender,
        participant: None,
        amount_from: 0,
        amount_to: u64::MAX,
        minute_from: 0,
        minute_until: DAY_MINUTES,
        rate: Rate {
            fixed,
            ..Rate::default()
        },
    };
    Command::Tariffs(tariffs::Command::Set {
        source: world::operator(),
        table: Table::new(vec![row], Vec::new()).expect("sound"),
    })
}

fn of(usages: &[Usage], item: Item) -> usize {
    usages.iter().filter(|usage| usage.item == item).count()
}

#[test]
fn payments_and_services_are_metered_and_priced_by_the_table_of_their_record() {
    let mut rig = Rig::new();
    rig.pay(3);
    let begin = rig.now;
    rig.offer(set(Item::C2cAccount, 500));
    rig.settle();
    let (_, first) = rig.core.engine().tariff();
    rig.pay(4);
    rig.recovered().follower.snapshot_now().expect("a snapshot");
    rig.offer(set(Item::C2cAccount, 700));
    rig.settle();
    rig.pay(2);
    rig.offer(Command::Tariffs(tariffs::Command::Note {
        source: world::operator(),
        participant: ParticipantId(1),
        item: Item::Archive,
        count: 5,
    }));
    rig.settle();
    let end = Time::MAX;

    let (usages, invoice, complete) = metered(&rig, None, world::MORNING, end);
    assert!(!complete, "the log may go on");
    let payments = of(&usages, Item::C2cAccount);
    assert!(payments >= 6, "{usages:?}");
    let noted = usages.iter().find(|usage| usage.item == Item::Archive);
    assert_eq!(noted.map(|usage| usage.count), Some(5));
    // Before the first table nothing is charged; then each by the table of its record.
    let lines: Vec<_> = invoice.lines().collect();
    let charged: u64 = lines.iter().map(|(_, line)| line.count).sum();
    assert!(charged < payments as u64 && charged > 0, "{lines:?}");
    assert!(lines.iter().any(|(key, _)| key.table == first));
    for (key, line) in &lines {
        let price = if key.table == first { 500 } else { 700 };
        assert_eq!(line.fee, u128::from(line.count) * price);
    }

    // From a snapshot and from the first record, again and again: the same.
    let whole = metered(&rig, None, begin, end);
    assert_eq!(metered(&rig, Some(&rig.snapshots), begin, end), whole);
    assert_eq!(metered(&rig, None, begin, end), whole);

    // Two stretches are one.
    let middle = whole.0[whole.0.len() / 2].at;
    let (mut left, _, complete) = metered(&rig, None, begin, middle);
    let (right, _, _) = metered(&rig, Some(&rig.snapshots), middle, end);
    assert!(complete, "the log goes on behind it");
    left.extend(right);
    assert_eq!(left, whole.0);
}

#[test]
fn a_message_is_metered_by_its_size_and_only_the_first_time() {
    let mut rig = Rig::new();
    rig.pay(2);
    let (usages, _, _) = metered(&rig, None, world::MORNING, Time::MAX);
    let messages: Vec<&Usage> = usages
        .iter()
        .filter(|usage| usage.item == Item::Message)
        .collect();
    assert!(!messages.is_empty());
    let mut positions: Vec<Position> = messages.iter().map(|usage| usage.position).collect();
    positions.dedup();
    assert_eq!(positions.len(), messages.len());
    assert!(messages.iter().all(|usage| usage.bytes > 0));
}
