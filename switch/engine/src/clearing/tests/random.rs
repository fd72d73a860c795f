//! Any mix of submissions, withdrawals and closes: money is conserved, every item has one outcome, and receivers get exactly
//! what was settled.

use proptest::prelude::*;

use super::*;
use crate::world::BANK_IDS;

#[derive(Clone, Debug)]
enum Step {
    Submit {
        bank: usize,
        /// Creditor, amount, high priority, days ahead of Monday.
        items: Vec<(usize, u64, bool, i32)>,
    },
    /// The item, counted round from the first.
    Withdraw(usize),
    Close,
    /// Sends a submission again.
    Repeat(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let item = (0..BANK_IDS.len(), 1_u64..90, any::<bool>(), 0..3);
    prop_oneof![
        6 => (0..BANK_IDS.len(), prop::collection::vec(item, 1..6))
            .prop_map(|(bank, items)| Step::Submit { bank, items }),
        2 => any::<usize>().prop_map(Step::Withdraw),
        1 => any::<usize>().prop_map(Step::Repeat),
        1 => Just(Step::Close),
    ]
}

/// What the test knows of an item.
#[derive(Debug)]
struct Known {
    debtor: ParticipantId,
    creditor: ParticipantId,
    amount: u64,
    told: Vec<Status>,
    forwards: u32,
}

/// Items by record and index.
type Book = BTreeMap<(Position, u16), Known>;

fn note(book: &mut Book, to: ParticipantId, message: &Message) {
    match *message {
        Message::ClearingStatus {
            original,
            first,
            items,
            status,
            ..
        } => {
            for index in indexes(first, items) {
                if let Some(item) = book.get_mut(&(original, index)) {
                    assert_eq!(item.debtor, to);
                    item.told.push(status);
                }
            }
        }
        Message::ClearingForward {
            original,
            first,
            items,
            ..
        } => {
            for index in indexes(first, items) {
                let item = book.get_mut(&(original, index)).unwrap();
                assert_eq!(item.creditor, to);
                item.forwards += 1;
            }
        }
        _ => {}
    }
}

fn note_all(book: &mut Book, world: &World) {
    for effect in &world.out.effects {
        note(book, effect.outbound.to, &effect.outbound.message);
    }
}

fn run(funds: &[u64], steps: Vec<Step>) {
    let mut world = World::new();
    for (bank, funds) in BANK_IDS.into_iter().zip(funds) {
        world.endow(bank, *funds);
    }
    let mut book = Book::new();
    let mut sent: Vec<(ParticipantId, Vec<Order>)> = Vec::new();
    let mut number = 0;
    for step in steps
        .into_iter()
        .chain([Step::Close, Step::Close, Step::Close, Step::Close])
    {
        match step {
            Step::Submit { bank, items } => {
                let debtor = BANK_IDS[bank];
                let today = world.engine.clearing_view().open;
                let today = today.map_or(date(MONDAY), |(session, _)| session.date);
                let orders = items.iter().map(|(creditor, amount, high, ahead)| {
                    number += 1;
                    let mut item = order(number, debtor, BANK_IDS[*creditor], *amount);
                    item.value_date = today.add_days(*ahead);
                    if *high {
                        item.priority = Priority::High;
                    }
                    item
                });
                let orders: Vec<Order> = orders.collect();
                let position = world.stamp.position.next();
                for (index, item) in (0..).zip(&orders) {
                    let creditor = BANK_IDS
                        .into_iter()
                        .find(|bank| bic(*bank) == item.creditor.agent);
                    let amount = item.amount.minor();
                    book.insert(
                        (position, index),
                        Known {
                            debtor,
                            creditor: creditor.unwrap(),
                            amount,
                            told: Vec::new(),
                            forwards: 0,
                        },
                    );
                }
                world.send(debtor, orders.clone());
                sent.push((debtor, orders));
                note_all(&mut book, &world);
            }
            Step::Withdraw(which) => {
                let count = number.max(1);
                let uetr = item_uetr(which as u32 % count + 1);
                let source = operator();
                world.apply(Any::Clearing(Command::Withdraw { source, uetr }));
                note_all(&mut book, &world);
            }
            Step::Repeat(which) => {
                let count = sent.len().max(1);
                if let Some((debtor, orders)) = sent.get(which % count).cloned() {
                    let known = world.engine.clearing_view().items;
                    let again = orders
                        .iter()
                        .all(|item| world.engine.clearing_item(&item.uetr).is_some());
                    world.send(debtor, orders);
                    if again {
                        assert_eq!(world.engine.clearing_view().items, known);
                    }
                    // Should one that was refused be taken now, it is no item of the book.
                    sent.retain(|_| again);
                }
            }
            Step::Close => {
                if world.engine.clearing_view().open.is_some() {
                    for (bank, messages) in world.close() {
                        for message in messages {
                            if let Message::ClearingForward { original, .. }
                            | Message::ClearingStatus { original, .. } = message
                                && !book.keys().any(|(position, _)| *position == original)
                            {
                                continue;
                            }
                            note(&mut book, bank, &message);
                        }
                    }
                    assert_eq!(world.technical(), 0);
                }
            }
        }
    }
    let mut moved: BTreeMap<ParticipantId, i128> = BTreeMap::new();
    for (place, item) in &book {
        let outcome = (item.told.first(), item.told.last(), item.told.len());
        match outcome {
            (Some(Status::Pending), Some(Status::Settled), 2) => {
                assert_eq!(item.forwards, 1, "{place:?} {item:?}");
                *moved.entry(item.debtor).or_default() -= i128::from(item.amount);
                *moved.entry(item.creditor).or_default() += i128::from(item.amount);
            }
            (Some(Status::Pending), Some(Status::Rejected { .. }), 2)
            | (Some(Status::Rejected { .. }), _, 1) => assert_eq!(item.forwards, 0),
            _ => panic!("{place:?} {item:?}"),
        }
    }
    assert_eq!(moved.values().sum::<i128>(), 0);
    let total: i128 = BANK_IDS
        .into_iter()
        .map(|bank| world.settlement(bank))
        .sum();
    assert_eq!(total, funds.iter().map(|funds| i128::from(*funds)).sum());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_item_has_one_outcome(
        funds in prop::collection::vec(0_u64..200, BANK_IDS.len()),
        steps in prop::collection::vec(step(), 1..25),
    ) {
        run(&funds, steps);
    }
}
