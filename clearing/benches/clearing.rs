//! One million items among thirty banks to nets: `cargo xtask bench clearing`.
//!
//! `funded`: nothing is left out. `short`: every bank has a hundredth of what its items come to, so that the nets decide.
//! `empty`: no bank has any funds, and most items are removed.

use criterion::{Criterion, criterion_group, criterion_main};
use torap_clearing::{Item, Member, Priority, close};

const ITEMS: usize = 1_000_000;
const BANKS: u16 = 30;
/// KZT 5 million in tiyn.
const AMOUNT_MAX: u64 = 500_000_000;

/// The same items in every run: a multiplicative congruential sequence.
fn items() -> Vec<Item> {
    let mut state: u64 = 0x5DEE_CE66_D123_4567;
    let mut next = |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % bound
    };
    (0..ITEMS)
        .map(|_| {
            let debtor = next(u64::from(BANKS)) as u16;
            let other = next(u64::from(BANKS) - 1) as u16 + 1;
            Item {
                debtor: Member(debtor),
                creditor: Member((debtor + other) % BANKS),
                priority: if next(10) == 0 {
                    Priority::High
                } else {
                    Priority::Normal
                },
                amount: 1 + next(AMOUNT_MAX),
            }
        })
        .collect()
}

fn clearing(criterion: &mut Criterion) {
    let items = items();
    let turnover = ITEMS as u64 / u64::from(BANKS) * (AMOUNT_MAX / 2);
    let mut group = criterion.benchmark_group("clearing/1-million-items-30-banks");
    group.sample_size(20);
    for (name, funds) in [
        ("funded", u64::MAX),
        ("short", turnover / 100),
        ("empty", 0),
    ] {
        let funds = vec![funds; usize::from(BANKS)];
        group.bench_function(name, |bencher| {
            bencher.iter(|| close(&funds, &items).expect("every bank has funds stated"));
        });
    }
    group.bench_function("funded-with-obligations", |bencher| {
        let funds = vec![u64::MAX; usize::from(BANKS)];
        bencher.iter(|| {
            let closing = close(&funds, &items).expect("every bank has funds stated");
            closing.obligations(&items)
        });
    });
    group.finish();
}

criterion_group!(benches, clearing);
criterion_main!(benches);
