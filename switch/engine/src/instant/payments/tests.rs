use std::collections::BTreeMap;

use proptest::prelude::*;
use torap_domain::{
    Date, MessageId, Money, ParticipantId, Position, Reason, Service, Time, TransactionId, Uetr,
};
use torap_ledger::{AccountId, AccountKey, Book, Ledger};

use super::{Found, Payments, Slot};
use crate::{
    References, Stamp,
    codec::{Reader, Writer},
    instant::{
        FinalOutcome, Fingerprint, Finished, History, PaymentKey, asks::Ask, in_flight::InFlight,
        limits::Usage, window::Window,
    },
};

fn key(number: u8) -> PaymentKey {
    PaymentKey([number; 16])
}

fn uetr(number: u8) -> Uetr {
    Uetr::from_random([number; 16])
}

fn finished(number: u8, at: u64, outcome: FinalOutcome) -> Finished {
    Finished {
        key: key(number),
        uetr: uetr(number),
        fingerprint: Fingerprint([number ^ 0xFF; 16]),
        submitted: Position(at.saturating_sub(1)),
        decided: Position(at),
        decided_at: Time::from_nanos(at * 1000),
        outcome,
        service: Service::Qr,
        amount: Money::kzt(u64::from(number) + 1),
        returned: Money::kzt(0),
        debtor_agent: ParticipantId(1),
        creditor_agent: ParticipantId(2),
    }
}

fn under_way(number: u8, at: u64, deadline: u64) -> InFlight {
    InFlight {
        key: key(number),
        uetr: uetr(number),
        fingerprint: Fingerprint([number ^ 0xFF; 16]),
        submitted: Position(at.saturating_sub(1)),
        service: Service::Qr,
        amount: Money::kzt(u64::from(number) + 1),
        debtor_agent: ParticipantId(1),
        creditor_agent: ParticipantId(2),
        reply_to: ParticipantId(1),
        hold: None,
        ask: Ask::Acceptance,
        deadline: Time::from_nanos(deadline),
        asked: Position(at),
        payment_deadline: Time::from_nanos(deadline + 5),
        usage: Usage {
            day: Date::from_days(20_000),
            customer: None,
            participant: ParticipantId(1),
            service: Service::Qr,
            amount: u64::from(number) + 1,
        },
        qr: None,
        resolved: None,
        references: References {
            message_id: MessageId::parse("M").unwrap(),
            instruction_id: None,
            end_to_end_id: None,
            transaction_id: TransactionId::parse("T").unwrap(),
            uetr: uetr(number),
            message_version: 3,
        },
    }
}

fn restored(payments: &Payments, seed: u64) -> Payments {
    let mut bytes = Vec::new();
    payments.write(&mut Writer::new(&mut bytes));
    let mut copy = Payments::read(&mut Reader::new("test", &bytes), seed).unwrap();
    // Room for some, all and more than all of the entries: what is read must not depend on it.
    let room = 97 * (seed as usize % 3) * payments.remembered();
    let mut first = true;
    payments.write_window(&mut Vec::new(), &mut |piece| {
        let mut reader = Reader::new("test", piece);
        if std::mem::take(&mut first) {
            copy.read_window(&mut reader, room).unwrap();
        } else {
            copy.read_entries(&mut reader).unwrap();
        }
    });
    copy
}

fn written(payments: &Payments) -> Vec<u8> {
    let mut bytes = Vec::new();
    payments.write(&mut Writer::new(&mut bytes));
    payments.write_window(&mut Vec::new(), &mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// What is known, as plainly as it can be said.
#[derive(Default)]
struct Model {
    under_way: BTreeMap<u8, (u64, u64)>,
    /// Number, record that entered it, and the entry; oldest first. Returns are not found by UETR.
    remembered: Vec<(u8, u64, Finished, bool)>,
    dropped_upto: u64,
}

impl Model {
    fn known(&self, number: u8) -> bool {
        let remembered = self.remembered.iter().any(|entry| entry.0 == number);
        remembered || self.under_way.contains_key(&number)
    }

    fn push(&mut self, number: u8, at: u64, finished: Finished, has_uetr: bool, most: usize) {
        self.remembered.push((number, at, finished, has_uetr));
        // A lowered bound is reached step by step.
        for _ in 0..super::DROPS_MAX {
            if self.remembered.len() > most {
                self.dropped_upto = self.dropped_upto.max(self.remembered.remove(0).1);
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Admit(u8, u64),
    Decide(u8),
    Remember(u8),
    RememberReturn(u8),
    Update(u8, u64),
    Bound(u32),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<u8>(), 0_u64..500).prop_map(|(number, due)| Step::Admit(number, due)),
        4 => any::<u8>().prop_map(Step::Decide),
        3 => any::<u8>().prop_map(Step::Remember),
        2 => any::<u8>().prop_map(Step::RememberReturn),
        2 => (any::<u8>(), 1_u64..9).prop_map(|(number, more)| Step::Update(number, more)),
        1 => (1_u32..40).prop_map(Step::Bound),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn agrees_with_a_list(steps in prop::collection::vec(step(), 1..200)) {
        let mut payments = Payments::new(20, 1);
        let mut model = Model::default();
        let mut most = 20;
        for (at, step) in (1_u64..).zip(steps) {
            apply(&mut payments, &mut model, &mut most, at, step);
            check(&payments, &model)?;
        }
    }
}

fn apply(payments: &mut Payments, model: &mut Model, most: &mut usize, at: u64, step: Step) {
    match step {
        Step::Admit(number, due) if !model.known(number) => {
            payments.admit(&under_way(number, at, due));
            model.under_way.insert(number, (due, at));
        }
        Step::Decide(number) => {
            // The first one due from `number` on, so that most steps decide something.
            let Some(number) = model
                .under_way
                .range(number..)
                .next()
                .map(|(number, _)| *number)
            else {
                return;
            };
            let stamp = Stamp {
                position: Position(at),
                time: Time::from_nanos(at * 1000),
            };
            let outcome = FinalOutcome::Rejected {
                reason: Reason::ReceiverRejected,
                agent_code: Some(*b"AC04"),
            };
            let slot = slot_of(payments, number);
            let (payment, done) = payments.decide(slot, stamp, outcome).unwrap();
            assert_eq!(payment.key, key(number));
            assert!(payments.get(slot).is_none());
            model.under_way.remove(&number);
            model.push(number, at, done, true, *most);
        }
        Step::Remember(number) if !model.known(number) => {
            let entry = finished(number, at, FinalOutcome::Tombstone);
            payments.remember(&entry);
            model.push(number, at, entry, true, *most);
        }
        Step::RememberReturn(number) if !model.known(number) => {
            let entry = finished(number, at, FinalOutcome::Settled);
            payments.remember_return(&entry);
            model.push(number, at, entry, false, *most);
        }
        Step::Update(number, more) if !model.under_way.contains_key(&number) => {
            let place = model
                .remembered
                .iter()
                .position(|entry| entry.0 == number && entry.3);
            if place.is_none() && model.known(number) {
                return;
            }
            let mut entry = match place {
                Some(place) => model.remembered.remove(place).2,
                None => finished(number, at, FinalOutcome::Settled),
            };
            entry.outcome = FinalOutcome::Settled;
            entry.returned = Money::kzt(entry.returned.minor() + more);
            payments.update(&entry, Position(at));
            model.push(number, at, entry, true, *most);
        }
        Step::Bound(bound) => {
            payments.set_entries_max(bound);
            *most = bound as usize;
        }
        Step::Restart => {
            let copy = restored(payments, at);
            assert_eq!(written(&copy), written(payments));
            *payments = copy;
        }
        Step::Admit(..) | Step::Remember(_) | Step::RememberReturn(_) | Step::Update(..) => {}
    }
}

fn slot_of(payments: &Payments, number: u8) -> Slot {
    match payments.find_uetr(&uetr(number)) {
        Some(Found::UnderWay(slot)) => slot,
        other => panic!("{number} is not under way: {other:?}"),
    }
}

fn check(payments: &Payments, model: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(payments.under_way(), model.under_way.len());
    prop_assert_eq!(payments.remembered(), model.remembered.len());
    prop_assert_eq!(payments.dropped_upto(), Position(model.dropped_upto));
    let due = model.under_way.values().min();
    let first = payments
        .first_due()
        .map(|(time, at, _)| (time.nanos(), at.value()));
    prop_assert_eq!(first, due.copied());
    for number in 0..=u8::MAX {
        let by_key = payments.find_key(&key(number));
        let by_uetr = payments.find_uetr(&uetr(number));
        if model.under_way.contains_key(&number) {
            prop_assert!(matches!(by_key, Some(Found::UnderWay(_))));
            prop_assert!(matches!(by_uetr, Some(Found::UnderWay(_))));
            continue;
        }
        let entry = model.remembered.iter().find(|entry| entry.0 == number);
        prop_assert_eq!(done(by_key), entry.map(|entry| entry.2));
        prop_assert_eq!(
            done(by_uetr),
            entry.filter(|entry| entry.3).map(|entry| entry.2)
        );
    }
    Ok(())
}

fn done(found: Option<Found>) -> Option<Finished> {
    match found {
        Some(Found::Finished(finished)) => Some(finished),
        Some(Found::UnderWay(_)) | None => None,
    }
}

#[test]
fn a_fact_counts_if_it_is_as_new_as_what_was_forgotten() {
    let mut payments = Payments::new(2, 0);
    let known = finished(9, 1, FinalOutcome::Settled);
    // Nothing was forgotten: an identifier that is not here was never seen.
    assert_eq!(payments.beyond(&None), Ok(None));
    for number in 0..4 {
        payments.remember(&finished(
            number,
            10 + u64::from(number),
            FinalOutcome::Settled,
        ));
    }
    assert_eq!(payments.dropped_upto(), Position(11));
    let unknown = |as_of| {
        Some(History::Unknown {
            as_of: Position(as_of),
        })
    };
    let known_as_of = |as_of| {
        Some(History::Known {
            as_of: Position(as_of),
            finished: known,
        })
    };
    assert_eq!(payments.beyond(&None), Err(Reason::RetryLater));
    assert_eq!(payments.beyond(&unknown(10)), Err(Reason::RetryLater));
    assert_eq!(payments.beyond(&unknown(11)), Ok(None));
    assert_eq!(payments.beyond(&known_as_of(10)), Err(Reason::RetryLater));
    assert_eq!(payments.beyond(&known_as_of(11)), Ok(Some(known)));
}

#[test]
fn every_rejection_survives_packing() {
    let mut payments = Payments::new(u32::MAX, 0);
    for (number, reason) in (0..).zip(Reason::ALL) {
        let agent_code = (number % 2 == 0).then_some(*b"AB05");
        let outcome = FinalOutcome::Rejected {
            reason: *reason,
            agent_code,
        };
        let entry = finished(number, u64::from(number) + 1, outcome);
        payments.remember(&entry);
        assert_eq!(done(payments.find_key(&key(number))), Some(entry));
        // And the snapshot.
        assert_eq!(
            done(restored(&payments, 7).find_key(&key(number))),
            Some(entry)
        );
    }
}

#[test]
fn many_pages_come_and_go() {
    let mut payments = Payments::new(10_000, 3);
    let number_of = |number: u64| PaymentKey(u128::from(number).to_le_bytes());
    for number in 0..50_000_u64 {
        let mut entry = finished(0, number + 1, FinalOutcome::Settled);
        entry.key = number_of(number);
        entry.uetr = Uetr::from_random((u128::from(number) << 8 | 1 << 127).to_le_bytes());
        payments.remember(&entry);
    }
    assert_eq!(payments.remembered(), 10_000);
    assert_eq!(payments.dropped_upto(), Position(40_000));
    assert!(payments.find_key(&number_of(39_999)).is_none());
    assert!(payments.find_key(&number_of(40_000)).is_some());
    // Three to four pages of 96-byte entries, and the tables: nothing grows with what has come and gone.
    assert!(payments.memory_bytes() < 4 * 4096 * 96 + 10_000 * 24);
    let copy = restored(&payments, 4);
    assert_eq!(written(&copy), written(&payments));
}

#[test]
fn a_snapshot_with_an_identifier_twice_is_refused() {
    let mut payments = Payments::new(100, 0);
    payments.remember(&finished(1, 1, FinalOutcome::Settled));
    let mut pieces = Vec::new();
    payments.write_window(&mut Vec::new(), &mut |piece| pieces.push(piece.to_vec()));
    assert_eq!(pieces[1].len(), Window::ENTRY_BYTES_MIN);
    let twice = [&*pieces[1], &*pieces[1]].concat();
    let mut copy = Payments::new(100, 0);
    copy.read_window(&mut Reader::new("test", &pieces[0]), pieces[1].len())
        .unwrap();
    assert!(copy.read_entries(&mut Reader::new("test", &twice)).is_err());
}

#[test]
fn holds_are_those_of_the_payments() {
    let mut ledger = Ledger::new();
    let mut open = |owner| {
        let (owner, asset) = (ParticipantId(owner), torap_domain::Asset::Kzt);
        ledger.open(AccountKey {
            owner,
            book: Book::InstantPosition,
            asset,
        })
    };
    let (debit, credit) = (open(1), open(2));
    ledger.set_credit_line(debit, 1_000).unwrap();
    let mut payments = Payments::new(10, 0);
    let mut payment = under_way(1, 1, 100);
    payment.hold = Some((debit, credit));
    payments.admit(&payment);
    assert!(!payments.held(&ledger));
    ledger.reserve(debit, credit, payment.amount).unwrap();
    assert!(payments.held(&ledger));
    ledger.reserve(debit, credit, payment.amount).unwrap();
    assert!(!payments.held(&ledger));
    assert_ne!(debit, AccountId(9));
}
