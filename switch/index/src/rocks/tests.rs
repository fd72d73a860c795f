use std::{fs, path::Path, sync::atomic::AtomicBool, sync::atomic::Ordering, thread};

use proptest::prelude::*;
use tempfile::TempDir;
use torap_domain::{ParticipantId, Position, Sequence, Time};
use torap_engine::{Command, Event, instant::PaymentKey};

use super::{
    RocksIndex, RocksOptions,
    tables::{self, STATE_KEY, StateRow, Table},
};
use crate::{
    Changes, Counts, Index, IndexError, MemoryIndex, Place,
    check::{
        A, B, apply, check_index, entry, key,
        names::{question, transfer},
        payment, phone, record, stamp, status, uetr,
    },
};

fn open(folder: &Path) -> RocksIndex {
    RocksIndex::open(folder, RocksOptions::default()).expect("opened")
}

/// What a crash leaves: the files as they are now, without the changes that are only in memory.
fn crash(index: &RocksIndex) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    // The background may make files meanwhile, but must not take away those that the list of files names; so the list is
    // copied first.
    index.db.disable_file_deletions().unwrap();
    let mut files: Vec<_> = fs::read_dir(index.db.path())
        .unwrap()
        .map(|file| file.unwrap())
        .collect();
    let is_list = |name: &std::ffi::OsStr| {
        name == "CURRENT" || name.as_encoded_bytes().starts_with(b"MANIFEST")
    };
    files.sort_by_key(|file| !is_list(&file.file_name()));
    for file in files {
        match fs::copy(file.path(), copy.path().join(file.file_name())) {
            // A file that was already on its way out when the list was made: no list names it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            copied => assert!(copied.is_ok(), "{copied:?}"),
        }
    }
    index.db.enable_file_deletions().unwrap();
    copy
}

fn apply_payments(index: &impl Index, positions: std::ops::RangeInclusive<u64>) {
    for position in positions {
        let events = vec![Event::PaymentFinished(payment(position, position))];
        apply(
            index,
            position,
            events,
            &[status(A, position, position), status(B, position, position)],
        );
    }
}

#[test]
fn behaves_as_every_index_does() {
    let mut folders = Vec::new();
    check_index(|| {
        let folder = tempfile::tempdir().unwrap();
        let index = open(folder.path());
        folders.push(folder);
        index
    });
}

/// The layout of docs/index.md; a change of these bytes needs a new number of the layout.
#[test]
fn the_bytes_of_keys_and_state_are_those_of_the_document() {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let place = Place {
        decided_at: Time::from_nanos(0x1122_3344_5566_7788),
        key: PaymentKey([0xcc; 16]),
    };
    let participant = ParticipantId(0x0102);
    assert_eq!(
        hex(&tables::outbound_key(participant, Sequence(0x0304))),
        "01020000000000000304"
    );
    assert_eq!(
        hex(&tables::history_key(participant, &place)),
        format!("01021122334455667788{}", "cc".repeat(16))
    );
    let uetr = uetr(1);
    let returned = tables::returns_key(&uetr, &place);
    assert_eq!(
        hex(&returned),
        format!("{}1122334455667788{}", hex(&uetr.bytes()), "cc".repeat(16))
    );
    let names = crate::naming::IdentifierHash::of("MSG-1");
    assert_eq!(
        hex(&tables::identifier_key(names, Position(0x0304))),
        format!("{}0000000000000304", hex(&names.0))
    );
    assert_eq!(
        hex(&tables::concerning_key(&uetr, Position(0x0304))),
        format!("{}0000000000000304", hex(&uetr.bytes()))
    );
    let transaction = crate::CardOf::Transaction(torap_engine::cards::CardKey([0xcc; 16]));
    assert_eq!(
        hex(&tables::card_key(transaction, Position(0x0304))),
        format!("01{}0000000000000304", "cc".repeat(16))
    );
    let message = crate::CardOf::Message(Position(0x0506));
    assert_eq!(
        hex(&tables::card_key(message, Position(0x0304))),
        format!("02{:032x}0000000000000304", 0x0506)
    );
    assert_eq!(hex(&tables::phone_key(phone(5))), "00000011ee275885");
    let counts = Counts {
        payments: 1,
        returns: 2,
        outbound: 3,
        aliases: 4,
        import_added: 5,
        import_held: 6,
    };
    let row = StateRow {
        applied: 0x0102,
        counts,
    };
    let numbers: String = (1..=6)
        .map(|count| format!("0{count}00000000000000"))
        .collect();
    assert_eq!(
        hex(&row.encode()),
        format!("030000000201000000000000{numbers}")
    );
    assert_eq!(StateRow::decode(&row.encode()), Ok(row));
}

#[test]
fn everything_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    apply_payments(&index, 1..=50);
    apply(
        &index,
        51,
        vec![Event::DirectoryChanged(Box::new(record(1, 1, 51)))],
        &[],
    );
    let counts = index.counts();
    assert_eq!(index.flush(), Ok(Position(51)));
    drop(index);
    let index = open(folder.path());
    assert_eq!(index.applied_upto(), Position(51));
    assert_eq!(index.counts(), counts);
    assert_eq!(index.alias(phone(1)).unwrap().value, Some(record(1, 1, 51)));
    for number in 1..=50 {
        assert_eq!(
            index.payment_by_uetr(&uetr(number)).unwrap().value,
            Some(payment(number, number))
        );
    }
}

#[test]
fn a_crash_goes_back_to_one_flushed_position_and_applying_again_repairs_it() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    apply_payments(&index, 1..=30);
    assert_eq!(index.flush(), Ok(Position(30)));
    apply_payments(&index, 31..=60);
    let image = crash(&index);
    let crashed = open(image.path());
    assert_eq!(
        crashed.applied_upto(),
        Position(30),
        "what was not flushed is gone, in all tables alike"
    );
    assert_eq!(
        crashed.counts(),
        Counts {
            payments: 30,
            outbound: 60,
            ..Counts::default()
        }
    );
    assert_eq!(crashed.payment_by_key(&key(31)).unwrap().value, None);
    assert_eq!(crashed.outbound_last(A).unwrap(), Sequence(30));
    // The follower comes back with records from before the position too.
    apply_payments(&crashed, 20..=60);
    assert_eq!(crashed.applied_upto(), Position(60));
    assert_eq!(crashed.counts(), index.counts());
    for participant in [A, B] {
        let all = |index: &RocksIndex| {
            index
                .payments_of(participant, Time::EPOCH, Time::MAX, None, 100)
                .unwrap()
        };
        assert_eq!(all(&crashed), all(&index));
        assert_eq!(all(&crashed).payments.len(), 60);
    }
}

#[test]
fn another_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let mut row = StateRow {
        applied: 7,
        counts: Counts::default(),
    }
    .encode();
    row[0] = 9;
    index.db.put(STATE_KEY, row).unwrap();
    drop(index);
    let refused = RocksIndex::open(folder.path(), RocksOptions::default()).unwrap_err();
    assert_eq!(
        refused,
        IndexError::Format {
            found: 9,
            supported: 3
        }
    );
    assert!(refused.to_string().contains("delete the index folder"));
}

#[test]
fn a_damaged_value_is_named_and_never_answered() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    apply_payments(&index, 1..=1);
    index
        .db
        .put_cf(index.family(Table::Payments).unwrap(), key(1).0, [0xee; 5])
        .unwrap();
    let Err(IndexError::Damaged {
        table, key: place, ..
    }) = index.payment_by_key(&key(1))
    else {
        panic!("the damage was not noticed");
    };
    assert_eq!((table, place.len()), ("payments", 32));
    assert!(
        index
            .payments_of(A, Time::EPOCH, Time::MAX, None, 10)
            .is_err()
    );
    index
        .db
        .delete_cf(index.family(Table::Payments).unwrap(), key(1).0)
        .unwrap();
    assert!(
        index
            .payments_of(A, Time::EPOCH, Time::MAX, None, 10)
            .is_err(),
        "a listed payment that is not stored"
    );
}

#[test]
fn a_second_opener_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _index = open(folder.path());
    assert!(matches!(
        RocksIndex::open(folder.path(), RocksOptions::default()),
        Err(IndexError::Storage {
            operation: "open",
            ..
        })
    ));
}

#[test]
fn readers_never_see_less_than_the_position_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut seen = 0;
                while !done.load(Ordering::Acquire) || seen < 2000 {
                    let number = index.applied_upto().value();
                    let Some(number) = std::num::NonZero::new(number) else {
                        continue;
                    };
                    let found = index.payment_by_key(&key(number.get())).unwrap();
                    assert!(found.as_of >= Position(number.get()));
                    assert!(found.value.is_some(), "payment {number} was applied");
                    assert!(index.outbound(A, Sequence(number.get())).unwrap().is_some());
                    seen = number.get();
                }
            });
        }
        apply_payments(&index, 1..=2000);
        done.store(true, Ordering::Release);
    });
}

#[derive(Clone, Debug)]
enum Step {
    Pay(u64),
    Return(u64),
    Register(u64, usize),
    Import(Vec<u64>),
    Send(bool),
    Flush,
    CrashAndRepeat,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..40_u64).prop_map(Step::Pay),
        2 => (0..40_u64).prop_map(Step::Return),
        3 => (0..12_u64, 0..3_usize).prop_map(|(number, persons)| Step::Register(number, persons)),
        2 => prop::collection::vec(0..12_u64, 0..6).prop_map(Step::Import),
        3 => any::<bool>().prop_map(Step::Send),
        1 => Just(Step::Flush),
        1 => Just(Step::CrashAndRepeat),
    ];
    prop::collection::vec(step, 1..120)
}

/// Position, command, events and effects.
type RecordOf = (u64, Command, Vec<Event>, Vec<torap_engine::Effect>);

/// The records of a run of steps, made to hang together as the engine's do.
fn records(steps: &[Step]) -> Vec<RecordOf> {
    let mut paid = std::collections::BTreeMap::new();
    let mut sequences = [0; 2];
    let mut records = Vec::new();
    for (position, step) in (1..).zip(steps) {
        let (mut events, mut effects) = (Vec::new(), Vec::new());
        let mut command = Command::Tick;
        match step {
            Step::Pay(number) if !paid.contains_key(number) => {
                paid.insert(*number, 0);
                command = transfer(*number);
                events.push(Event::PaymentFinished(payment(*number, position)));
            }
            Step::Return(number) if paid.contains_key(number) => {
                let total = paid.entry(*number).or_default();
                command = question(*number, position);
                *total += 1;
                let own = payment(1000 + position, position);
                events.push(Event::ReturnFinished(torap_engine::instant::Finished {
                    uetr: uetr(*number),
                    ..own
                }));
                let returned = torap_domain::Money::kzt(*total);
                events.push(Event::PaymentReturned {
                    original: key(*number),
                    returned,
                });
            }
            Step::Register(number, persons) => {
                events.push(Event::DirectoryChanged(Box::new(record(
                    *number, *persons, position,
                ))));
            }
            Step::Import(numbers) => {
                let entries = numbers.iter().map(|number| entry(*number)).collect();
                let agent = torap_domain::Bic::parse("CASPKZKA").unwrap();
                events.push(Event::DirectoryImported {
                    participant: A,
                    agent,
                    entries,
                });
            }
            Step::Send(first) => {
                let stream = usize::from(*first);
                sequences[stream] += 1;
                effects.push(status([A, B][stream], sequences[stream], position));
            }
            Step::Pay(_) | Step::Return(_) | Step::Flush | Step::CrashAndRepeat => {}
        }
        records.push((position, command, events, effects));
    }
    records
}

fn last_of(records: &[RecordOf]) -> Position {
    records
        .last()
        .map_or(Position::ZERO, |record| Position(record.0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any run of changes, in batches of any size, with crashes, gives what the model in memory gives.
    #[test]
    fn agrees_with_the_model(steps in steps(), batch in 1..20_usize) {
        let mut folder = tempfile::tempdir().unwrap();
        let mut index = open(folder.path());
        let model = MemoryIndex::new();
        let records = records(&steps);
        let all = |records: &[RecordOf]| {
            let mut changes = Changes::new();
            for (position, command, events, effects) in records {
                changes.push(stamp(*position), command, &mut events.clone(), effects);
            }
            changes
        };
        for (at, run) in records.chunks(batch).enumerate() {
            let last = Position(run.last().unwrap().0);
            model.apply(&all(run), last).unwrap();
            index.apply(&all(run), last).unwrap();
            match steps[at] {
                Step::Flush => prop_assert_eq!(index.flush(), Ok(last)),
                Step::CrashAndRepeat => {
                    let image = crash(&index);
                    drop(index);
                    folder = image;
                    index = open(folder.path());
                    prop_assert!(index.applied_upto() <= last);
                    index.apply(&all(&records[..last.value() as usize]), last).unwrap();
                }
                _ => {}
            }
        }
        prop_assert_eq!(index.applied_upto(), model.applied_upto());
        // How many numbers an import found held depends on nothing but the log either.
        prop_assert_eq!(index.counts(), model.counts());
        for number in 0..40 {
            prop_assert_eq!(index.payment_by_key(&key(number)).unwrap(), model.payment_by_key(&key(number)).unwrap());
            prop_assert_eq!(index.payment_by_uetr(&uetr(number)).unwrap(), model.payment_by_uetr(&uetr(number)).unwrap());
            prop_assert_eq!(index.returns_of(&uetr(number), 50).unwrap(), model.returns_of(&uetr(number), 50).unwrap());
            prop_assert_eq!(index.records_of(&uetr(number), 50).unwrap(), model.records_of(&uetr(number), 50).unwrap());
            let message = format!("M{number}");
            prop_assert_eq!(index.identified(&message, 9).unwrap(), model.identified(&message, 9).unwrap());
        }
        for number in 0..12 {
            prop_assert_eq!(index.alias(phone(number)).unwrap(), model.alias(phone(number)).unwrap());
        }
        for participant in [A, B] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            index.outbound_range(participant, Sequence(2), 100, &mut ours).unwrap();
            model.outbound_range(participant, Sequence(2), 100, &mut theirs).unwrap();
            prop_assert_eq!(ours, theirs);
            for cause in [Position(3), Position(20), last_of(&records)] {
                prop_assert_eq!(index.outbound_caused(participant, cause).unwrap(), model.outbound_caused(participant, cause).unwrap());
            }
            prop_assert_eq!(index.outbound_last(participant).unwrap(), model.outbound_last(participant).unwrap());
            let after = Some(Place { decided_at: crate::check::time(5), key: key(1) });
            for (after, max) in [(None, 1000), (after, 7)] {
                let (from, until) = (crate::check::time(3), crate::check::time(90));
                let page = |index: &dyn Index| index.payments_of(participant, from, until, after, max).unwrap();
                prop_assert_eq!(page(&index), page(&model));
            }
        }
    }

    #[test]
    fn state_rows_of_any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(row) = StateRow::decode(&bytes) {
            prop_assert_eq!(row.encode().to_vec(), bytes);
        }
    }
}
