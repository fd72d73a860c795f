//! What every index must do: one suite, run by each implementation's tests.

use torap_domain::{
    Bic, Iban, IinBin, Money, ParticipantId, Phone, Position, Reason, Sequence, Service, Text,
    Time, Uetr,
};
use torap_engine::{
    Command, Effect, Event, Message, Outbound, Stamp, Status,
    directory::{Account, ImportEntry, Person, Record},
    instant::{FinalOutcome, Fingerprint, Finished, PaymentKey},
};

use crate::{Added, Changes, Index, IndexError, Place};

mod cards;
pub(crate) mod names;

/// Runs the whole suite; `fresh` makes an empty index.
pub(crate) fn check_index<I: Index>(mut fresh: impl FnMut() -> I) {
    an_empty_index_knows_nothing(&fresh());
    payments_are_found_by_key_and_uetr(&fresh());
    returns_change_the_original(&fresh());
    a_return_without_original_is_refused(&fresh());
    streams_are_read_in_order(&fresh());
    participants_list_their_payments_in_pages(&fresh());
    aliases_follow_the_log(&fresh());
    imports_leave_held_numbers_alone(&fresh());
    applying_again_changes_nothing(&fresh());
    names::identifiers_lead_to_records(&fresh());
    names::entries_are_found_by_their_cause(&fresh());
    cards::a_card_transaction_is_found_with_all_that_was_done(&fresh());
}

pub(crate) const A: ParticipantId = ParticipantId(1);
pub(crate) const B: ParticipantId = ParticipantId(2);

pub(crate) fn stamp(position: u64) -> Stamp {
    Stamp {
        position: Position(position),
        time: time(position),
    }
}

/// One second per position.
pub(crate) fn time(position: u64) -> Time {
    Time::from_nanos(position * 1_000_000_000)
}

pub(crate) fn key(number: u64) -> PaymentKey {
    let mut key = [0; 16];
    // Scattered, as hashes are.
    key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key[8..].copy_from_slice(&number.to_be_bytes());
    PaymentKey(key)
}

pub(crate) fn uetr(number: u64) -> Uetr {
    Uetr::from_random(
        u128::from(number)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .to_be_bytes(),
    )
}

/// A settled payment from A to B, decided at `position`.
pub(crate) fn payment(number: u64, position: u64) -> Finished {
    Finished {
        key: key(number),
        uetr: uetr(number),
        fingerprint: Fingerprint([7; 16]),
        submitted: Position(position - 1),
        decided: Position(position),
        decided_at: time(position),
        outcome: FinalOutcome::Settled,
        service: Service::C2cPhone,
        amount: Money::kzt(1_525_000),
        returned: Money::kzt(0),
        debtor_agent: A,
        creditor_agent: B,
    }
}

/// The return `number` of the payment `original`, from B to A.
fn payment_return(number: u64, original: u64, position: u64) -> Finished {
    Finished {
        uetr: uetr(original),
        debtor_agent: B,
        creditor_agent: A,
        ..payment(number, position)
    }
}

pub(crate) fn phone(number: u64) -> Phone {
    Phone::from_value(77_010_000_000 + number).expect("a mobile number")
}

fn iban(number: u64) -> Iban {
    Iban::for_kz(
        torap_domain::BankCode::parse("722").unwrap(),
        &format!("{number:013}"),
    )
    .unwrap()
}

fn bic() -> Bic {
    Bic::parse("CASPKZKA").unwrap()
}

fn name() -> Text<96> {
    Text::try_from("Айгүл Серікқызы С.").unwrap()
}

pub(crate) fn record(number: u64, persons: usize, changed_at: u64) -> Record {
    let account = Account {
        participant: A,
        agent: bic(),
        iban: iban(number),
        name: name(),
    };
    let person = Person {
        person: person(number),
        accounts: vec![account],
        default: 0,
        claim: None,
    };
    Record {
        phone: phone(number),
        persons: vec![person; persons],
        suspended: persons > 1,
        changed_at: Position(changed_at),
    }
}

pub(crate) fn person(number: u64) -> IinBin {
    (0..)
        .find_map(|more| IinBin::with_check(85_010_100_000 + number % 1000 + more))
        .unwrap()
}

pub(crate) fn entry(number: u64) -> ImportEntry {
    ImportEntry {
        phone: phone(number),
        person: person(number),
        iban: iban(number),
        name: name(),
    }
}

pub(crate) fn status(to: ParticipantId, sequence: u64, position: u64) -> Effect {
    let message = Message::Status {
        original: Position(position),
        status: Status::Rejected {
            reason: Reason::ReceiverRejected,
            agent_code: Some(*b"AC04"),
        },
        decided: Position(position),
        decided_at: time(position),
        repeat: false,
    };
    let outbound = Outbound {
        to,
        sequence: Sequence(sequence),
        cause: Position(position),
        time: time(position),
        expires: None,
        message,
    };
    Effect {
        outbound,
        references: None,
        amount: None,
        resolved: None,
    }
}

/// Applies one record.
pub(crate) fn apply(
    index: &impl Index,
    position: u64,
    events: Vec<Event>,
    effects: &[Effect],
) -> Added {
    let mut changes = Changes::new();
    let mut events = events;
    changes.push(stamp(position), &Command::Tick, &mut events, effects);
    assert!(events.is_empty(), "the events were taken over");
    index.apply(&changes, Position(position)).expect("applied")
}

fn an_empty_index_knows_nothing(index: &impl Index) {
    assert_eq!(index.applied_upto(), Position::ZERO);
    assert_eq!(index.payment_by_key(&key(1)).unwrap().value, None);
    assert_eq!(index.payment_by_uetr(&uetr(1)).unwrap().value, None);
    assert_eq!(index.alias(phone(1)).unwrap().value, None);
    assert_eq!(index.outbound(A, Sequence(1)).unwrap(), None);
    assert_eq!(index.outbound_last(A).unwrap(), Sequence::ZERO);
    assert_eq!(index.returns_of(&uetr(1), 10).unwrap(), []);
    assert_eq!(index.counts(), crate::Counts::default());
    let added = index.apply(&Changes::new(), Position(9)).unwrap();
    assert_eq!(
        added,
        Added {
            entries: 0,
            skipped: 0
        }
    );
    assert_eq!(
        index.applied_upto(),
        Position(9),
        "records without changes count as applied"
    );
    assert_eq!(index.alias(phone(1)).unwrap().as_of, Position(9));
}

fn payments_are_found_by_key_and_uetr(index: &impl Index) {
    let settled = payment(1, 10);
    let refused = Finished {
        outcome: FinalOutcome::Rejected {
            reason: Reason::InsufficientFunds,
            agent_code: None,
        },
        ..payment(2, 11)
    };
    let tombstone = Finished {
        outcome: FinalOutcome::Tombstone,
        creditor_agent: ParticipantId::SWITCH,
        ..payment(3, 12)
    };
    for finished in [settled, refused, tombstone] {
        apply(
            index,
            finished.decided.value(),
            vec![Event::PaymentFinished(finished)],
            &[],
        );
    }
    for finished in [settled, refused, tombstone] {
        let by_key = index.payment_by_key(&finished.key).unwrap();
        assert_eq!((by_key.as_of, by_key.value), (Position(12), Some(finished)));
        assert_eq!(
            index.payment_by_uetr(&finished.uetr).unwrap().value,
            Some(finished)
        );
    }
    assert_eq!(index.payment_by_key(&key(4)).unwrap().value, None);
    assert_eq!(index.payment_by_uetr(&uetr(4)).unwrap().value, None);
    assert_eq!(index.counts().payments, 3);
}

fn returns_change_the_original(index: &impl Index) {
    // The original of the second return is written by the same change that returns it.
    let (old, new) = (payment(1, 10), payment(2, 21));
    apply(index, 10, vec![Event::PaymentFinished(old)], &[]);
    let mut changes = Changes::new();
    let (first, second, third) = (
        payment_return(3, 1, 20),
        payment_return(4, 2, 22),
        payment_return(5, 2, 23),
    );
    let returned = |original: Finished, tiyn| Event::PaymentReturned {
        original: original.key,
        returned: Money::kzt(tiyn),
    };
    changes.push(
        stamp(20),
        &Command::Tick,
        &mut vec![Event::ReturnFinished(first), returned(old, 1_525_000)],
        &[],
    );
    changes.push(
        stamp(21),
        &Command::Tick,
        &mut vec![Event::PaymentFinished(new)],
        &[],
    );
    changes.push(
        stamp(22),
        &Command::Tick,
        &mut vec![Event::ReturnFinished(second), returned(new, 100)],
        &[],
    );
    changes.push(
        stamp(23),
        &Command::Tick,
        &mut vec![Event::ReturnFinished(third), returned(new, 300)],
        &[],
    );
    assert_eq!(
        index.apply(&changes, Position(23)).unwrap(),
        Added {
            entries: 4,
            skipped: 0
        }
    );

    let old_now = Finished {
        returned: Money::kzt(1_525_000),
        ..old
    };
    let new_now = Finished {
        returned: Money::kzt(300),
        ..new
    };
    assert_eq!(
        index.payment_by_uetr(&old.uetr).unwrap().value,
        Some(old_now)
    );
    assert_eq!(index.payment_by_key(&new.key).unwrap().value, Some(new_now));
    assert_eq!(
        index.payment_by_key(&second.key).unwrap().value,
        Some(second),
        "a return is found by its own key"
    );
    assert_eq!(index.returns_of(&new.uetr, 10).unwrap(), [second, third]);
    assert_eq!(index.returns_of(&new.uetr, 1).unwrap(), [second]);
    assert_eq!(index.returns_of(&old.uetr, 10).unwrap(), [first]);
    assert_eq!((index.counts().payments, index.counts().returns), (2, 3));
}

fn a_return_without_original_is_refused(index: &impl Index) {
    let mut changes = Changes::new();
    changes.push(
        stamp(5),
        &Command::Tick,
        &mut vec![Event::PaymentReturned {
            original: key(1),
            returned: Money::kzt(1),
        }],
        &[],
    );
    let refused = index.apply(&changes, Position(5));
    assert_eq!(
        refused,
        Err(IndexError::OriginalMissing {
            position: Position(5),
            original: key(1)
        })
    );
    assert_eq!(index.applied_upto(), Position::ZERO);
}

fn streams_are_read_in_order(index: &impl Index) {
    let highest = ParticipantId(u16::MAX);
    apply(
        index,
        3,
        vec![],
        &[status(A, 1, 3), status(B, 1, 3), status(highest, 1, 3)],
    );
    apply(index, 4, vec![], &[status(A, 2, 4), status(A, 3, 4)]);
    apply(
        index,
        300,
        vec![],
        &(4..=300)
            .map(|sequence| status(A, sequence, 300))
            .collect::<Vec<_>>(),
    );
    assert_eq!(
        index.outbound(A, Sequence(2)).unwrap(),
        Some(status(A, 2, 4).outbound)
    );
    assert_eq!(index.outbound(B, Sequence(2)).unwrap(), None);
    assert_eq!(index.outbound_last(A).unwrap(), Sequence(300));
    assert_eq!(index.outbound_last(B).unwrap(), Sequence(1));
    assert_eq!(index.outbound_last(highest).unwrap(), Sequence(1));
    assert_eq!(
        index.outbound_last(ParticipantId(3)).unwrap(),
        Sequence::ZERO
    );
    let mut read = vec![status(B, 1, 3).outbound];
    index.outbound_range(A, Sequence(2), 3, &mut read).unwrap();
    let expected = [
        status(B, 1, 3),
        status(A, 2, 4),
        status(A, 3, 4),
        status(A, 4, 300),
    ]
    .map(|effect| effect.outbound);
    assert_eq!(
        read, expected,
        "appended, from the sequence on, no more than asked for"
    );
    for (to, from, count) in [(A, 256, 45), (A, 301, 0), (B, 1, 1), (highest, 1, 1)] {
        read.clear();
        index
            .outbound_range(to, Sequence(from), usize::MAX, &mut read)
            .unwrap();
        assert_eq!(read.len(), count, "{to:?} from {from}");
        assert!(
            read.iter()
                .zip(from..)
                .all(|(entry, sequence)| entry.sequence == Sequence(sequence) && entry.to == to)
        );
    }
    assert_eq!(index.counts().outbound, 302);
}

fn participants_list_their_payments_in_pages(index: &impl Index) {
    // Two decisions in one record, as a timer makes them, and one payment inside one bank.
    for number in 0..10 {
        let finished = payment(number, 100 + number / 2);
        apply(
            index,
            100 + number,
            vec![Event::PaymentFinished(finished)],
            &[],
        );
    }
    let inside = Finished {
        creditor_agent: A,
        ..payment(10, 110)
    };
    apply(index, 110, vec![Event::PaymentFinished(inside)], &[]);

    let all = |participant| {
        index
            .payments_of(participant, Time::EPOCH, Time::MAX, None, 100)
            .unwrap()
    };
    assert_eq!((all(A).payments.len(), all(B).payments.len()), (11, 10));
    assert_eq!(all(ParticipantId(3)).payments, []);
    assert!(
        all(A).payments.is_sorted_by_key(Place::of),
        "in order of their decision"
    );
    assert_eq!(all(A).next, None);

    let (from, until) = (time(101), time(104));
    let mut after = None;
    let mut pages = Vec::new();
    loop {
        let page = index.payments_of(B, from, until, after, 4).unwrap();
        after = page.next;
        pages.push(page.payments);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    let expected: Vec<_> = all(B)
        .payments
        .into_iter()
        .filter(|one| one.decided_at >= from && one.decided_at < until)
        .collect();
    assert_eq!(pages.concat(), expected);
    assert_eq!(
        index.payments_of(B, until, from, None, 4).unwrap().payments,
        [],
        "an empty span of time"
    );
}

fn aliases_follow_the_log(index: &impl Index) {
    let changed = |record: &Record| vec![Event::DirectoryChanged(Box::new(record.clone()))];
    let (one, two) = (record(1, 1, 5), record(2, 1, 6));
    apply(index, 5, changed(&one), &[]);
    apply(index, 6, changed(&two), &[]);
    assert_eq!(index.alias(phone(1)).unwrap().value, Some(one));
    assert_eq!(index.counts().aliases, 2);
    let suspended = record(1, 2, 7);
    apply(index, 7, changed(&suspended), &[]);
    assert_eq!(index.alias(phone(1)).unwrap().value, Some(suspended));
    assert_eq!(index.counts().aliases, 2);
    apply(index, 8, changed(&record(1, 0, 8)), &[]);
    apply(index, 9, changed(&record(1, 0, 9)), &[]);
    let gone = index.alias(phone(1)).unwrap();
    assert_eq!((gone.as_of, gone.value), (Position(9), None));
    assert_eq!(index.alias(phone(2)).unwrap().value, Some(two));
    assert_eq!(index.counts().aliases, 1);
}

fn imports_leave_held_numbers_alone(index: &impl Index) {
    let import = |numbers: &[u64]| {
        let entries = numbers.iter().map(|number| entry(*number)).collect();
        Event::DirectoryImported {
            participant: A,
            agent: bic(),
            entries,
        }
    };
    let held = record(5, 2, 3);
    apply(
        index,
        3,
        vec![Event::DirectoryChanged(Box::new(held.clone()))],
        &[],
    );
    // In one change: an import with a number given twice, one of its numbers removed, and an import of that number again.
    let mut changes = Changes::new();
    changes.push(
        stamp(10),
        &Command::Tick,
        &mut vec![import(&[9, 5, 7, 9, 1])],
        &[],
    );
    changes.push(
        stamp(11),
        &Command::Tick,
        &mut vec![Event::DirectoryChanged(Box::new(record(7, 0, 11)))],
        &[],
    );
    changes.push(
        stamp(12),
        &Command::Tick,
        &mut vec![import(&[7, 1, 8])],
        &[],
    );
    index.apply(&changes, Position(12)).unwrap();

    assert_eq!(index.alias(phone(5)).unwrap().value, Some(held));
    for (number, changed_at) in [(1, 10), (9, 10), (7, 12), (8, 12)] {
        let expected = record(number, 1, changed_at);
        assert_eq!(
            index.alias(phone(number)).unwrap().value,
            Some(expected),
            "number {number}"
        );
    }
    let counts = index.counts();
    assert_eq!(
        (counts.aliases, counts.import_added, counts.import_held),
        (5, 5, 3)
    );
}

fn applying_again_changes_nothing(index: &impl Index) {
    let mut changes = Changes::new();
    changes.push(
        stamp(10),
        &Command::Tick,
        &mut vec![Event::PaymentFinished(payment(1, 10))],
        &[status(A, 1, 10)],
    );
    changes.push(
        stamp(11),
        &Command::Tick,
        &mut vec![Event::ReturnFinished(payment_return(2, 1, 11))],
        &[status(A, 2, 11)],
    );
    assert_eq!(
        index.apply(&changes, Position(11)).unwrap(),
        Added {
            entries: 2,
            skipped: 0
        }
    );
    let counts = index.counts();
    changes.push(
        stamp(12),
        &Command::Tick,
        &mut vec![Event::PaymentFinished(payment(3, 12))],
        &[],
    );
    assert_eq!(
        index.apply(&changes, Position(13)).unwrap(),
        Added {
            entries: 1,
            skipped: 2
        }
    );
    assert_eq!(
        index.counts(),
        crate::Counts {
            payments: counts.payments + 1,
            ..counts
        }
    );
    assert_eq!(
        index.apply(&changes, Position(2)).unwrap(),
        Added {
            entries: 0,
            skipped: 3
        }
    );
    assert_eq!(index.applied_upto(), Position(13), "never goes back");
}
