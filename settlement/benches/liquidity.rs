//! How much money a day of payments needs with liquidity saving and without: one table.
//!
//! The day is made by a fixed sequence of numbers: 30 banks, of which the first are large, 20,000 payments spread over 480 minutes,
//! from 100 KZT to 200 million KZT, small ones much more often. What every bank would need to pay each of its payments at once
//! is its largest net outflow of the day; what it needs in any case is its net debit at the end. Between the two a share of the
//! difference is given, and the table says how much of the day's value settles by its end, and how long it waits on average.
//!
//! - `queue`: each bank pays in the order of arrival, whenever it has the money.
//! - `fifo`: the same, and once a minute the solver settles the largest set that keeps every bank's order.
//! - `bypass`: the same with the rule that may overtake, bounded by steps.
//!
//! `cargo xtask bench liquidity`; with `--test` a small day, which only shows that it works.

#![expect(clippy::print_stdout, reason = "it prints its table")]

use std::collections::VecDeque;

use torap_settlement::lsm::{self, Payment, Problem};

const BANKS: usize = 30;
const PAYMENTS: usize = 20_000;
const MINUTES: u64 = 480;
/// Payments that `bypass` looks at in one minute, at most.
const STEPS_MAX: u64 = 50_000;
/// Shares of the difference between the two needs, in thousandths.
const SHARES: [u64; 6] = [1000, 500, 200, 100, 50, 0];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Queue,
    Fifo,
    Bypass,
}

/// Payments in the order of arrival, with the minute.
struct Day {
    payments: Vec<(u64, Payment)>,
    /// What each bank needs to pay everything at once, and its net debit at the end.
    at_once: Vec<u64>,
    net: Vec<u64>,
}

/// What came of a day.
struct Settled {
    value: u128,
    /// Value times minutes waited.
    waited: u128,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut filters = arguments.iter().filter(|word| !word.starts_with("--"));
    if !filters.all(|filter| "liquidity".contains(filter.as_str())) {
        return;
    }
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let day = Day::new(if is_test { 500 } else { PAYMENTS });
    let total: u128 = day
        .payments
        .iter()
        .map(|(_, payment)| u128::from(payment.amount))
        .sum();
    let (most, least) = (sum(&day.at_once), sum(&day.net));
    println!(
        "value of the day {} million KZT in {} payments",
        total / 100_000_000,
        day.payments.len()
    );
    println!(
        "needed to pay each at once {} million; net debits {} million",
        most / 100_000_000,
        least / 100_000_000
    );
    println!(
        "| funds, million KZT | of what at once needs | queue: settled, mean wait | fifo | bypass |"
    );
    println!("|---|---|---|---|---|");
    for share in SHARES {
        let funds = day.funds(share);
        let all = sum(&funds);
        let cells = [Rule::Queue, Rule::Fifo, Rule::Bypass].map(|rule| {
            let settled = day.run(&funds, rule);
            let wait = settled.waited as f64 / settled.value.max(1) as f64;
            format!(
                "{:.1} %, {wait:.1} min",
                settled.value as f64 * 100.0 / total as f64
            )
        });
        let part = all as f64 * 100.0 / most as f64;
        println!(
            "| {} | {part:.0} % | {} |",
            all / 100_000_000,
            cells.join(" | ")
        );
    }
    let needed = [Rule::Queue, Rule::Fifo].map(|rule| day.least_funds(rule, total));
    for (name, funds) in ["queue", "fifo"].into_iter().zip(needed) {
        let part = funds as f64 * 100.0 / most as f64;
        println!(
            "least funds with which the whole day settles, {name}: {} million KZT, {part:.1} %",
            funds / 100_000_000
        );
    }
}

impl Day {
    fn new(count: usize) -> Day {
        let mut numbers = Numbers(2026);
        let mut payments = Vec::with_capacity(count);
        for place in 0..count {
            let minute = place as u64 * MINUTES / count as u64;
            let from = numbers.bank();
            let to = loop {
                let to = numbers.bank();
                if to != from {
                    break to;
                }
            };
            let size = 10_u64.pow(4 + numbers.below(7) as u32);
            let amount = size + numbers.below(size);
            payments.push((minute, Payment { from, to, amount }));
        }
        let mut balance = vec![0_i128; BANKS];
        let mut lowest = vec![0_i128; BANKS];
        for (_, payment) in &payments {
            let (from, to) = (payment.from as usize, payment.to as usize);
            balance[from] -= i128::from(payment.amount);
            balance[to] += i128::from(payment.amount);
            lowest[from] = lowest[from].min(balance[from]);
        }
        let owed = |balance: &i128| u64::try_from(-(*balance).min(0)).expect("a day's money");
        Day {
            payments,
            at_once: lowest.iter().map(owed).collect(),
            net: balance.iter().map(owed).collect(),
        }
    }

    /// Net debits, and so many thousandths of what is needed beyond them to pay at once.
    fn funds(&self, share: u64) -> Vec<u64> {
        let pairs = self.at_once.iter().zip(&self.net);
        pairs
            .map(|(most, least)| least + (most - least) / 1000 * share)
            .collect()
    }

    fn run(&self, funds: &[u64], rule: Rule) -> Settled {
        let mut system = System {
            balances: funds.to_vec(),
            queues: vec![VecDeque::new(); BANKS],
            settled: Settled {
                value: 0,
                waited: 0,
            },
        };
        let mut arriving = self.payments.iter().enumerate().peekable();
        for minute in 0..=MINUTES {
            while let Some((place, (_, payment))) = arriving.next_if(|(_, (at, _))| *at <= minute) {
                system.queues[payment.from as usize].push_back((place, minute, *payment));
                system.pay_from(payment.from as usize, minute);
            }
            if rule != Rule::Queue {
                system.resolve(rule, minute);
            }
        }
        assert_eq!(
            sum(&system.balances),
            sum(funds),
            "money neither comes nor goes"
        );
        system.settled
    }

    /// By halving; what settles with less settles with more, but for the order in which things happen, so this is a figure of the
    /// rule and no bound.
    fn least_funds(&self, rule: Rule, total: u128) -> u128 {
        let (mut low, mut high) = (0, 1000);
        while low < high {
            let middle = (low + high) / 2;
            if self.run(&self.funds(middle), rule).value == total {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        sum(&self.funds(high))
    }
}

struct System {
    balances: Vec<u64>,
    /// Of each bank: place of the payment in the day, minute of its arrival, and the payment.
    queues: Vec<VecDeque<(usize, u64, Payment)>>,
    settled: Settled,
}

impl System {
    /// Pays from the head of a bank's queue as long as there is money, and then from those that were paid.
    fn pay_from(&mut self, bank: usize, minute: u64) {
        let mut again = vec![bank];
        while let Some(bank) = again.pop() {
            while let Some((_, arrived, payment)) = self.queues[bank].front().copied() {
                if payment.amount > self.balances[bank] {
                    break;
                }
                self.queues[bank].pop_front();
                self.book(&payment, minute - arrived);
                again.push(payment.to as usize);
            }
        }
    }

    fn book(&mut self, payment: &Payment, waited: u64) {
        let (from, to) = (payment.from as usize, payment.to as usize);
        self.balances[from] -= payment.amount;
        self.balances[to] += payment.amount;
        self.settled.value += u128::from(payment.amount);
        self.settled.waited += u128::from(payment.amount) * u128::from(waited);
    }

    fn resolve(&mut self, rule: Rule, minute: u64) {
        let mut waiting: Vec<_> = self.queues.iter().flatten().copied().collect();
        waiting.sort_by_key(|(place, ..)| *place);
        let payments = waiting.iter().map(|(_, _, payment)| *payment).collect();
        let problem = Problem::new(self.balances.clone(), payments, &[]).expect("a sound problem");
        let settled = match rule {
            Rule::Bypass => lsm::bypass(&problem, STEPS_MAX).solution.settled,
            Rule::Queue | Rule::Fifo => lsm::fifo(&problem).settled,
        };
        // All at once: first everything is paid in, then out.
        let chosen: Vec<_> = settled
            .iter()
            .map(|place| waiting[*place as usize])
            .collect();
        for (_, arrived, payment) in &chosen {
            self.balances[payment.to as usize] += payment.amount;
            self.settled.value += u128::from(payment.amount);
            self.settled.waited += u128::from(payment.amount) * u128::from(minute - arrived);
        }
        for (place, _, payment) in &chosen {
            let bank = payment.from as usize;
            self.balances[bank] = self.balances[bank]
                .checked_sub(payment.amount)
                .expect("the set holds");
            self.queues[bank].retain(|(other, ..)| other != place);
        }
        for bank in 0..BANKS {
            self.pay_from(bank, minute);
        }
    }
}

fn sum(amounts: &[u64]) -> u128 {
    amounts.iter().map(|amount| u128::from(*amount)).sum()
}

/// A fixed sequence of numbers; the same day in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// The lower of two numbers: the first banks are the large ones.
    fn bank(&mut self) -> u32 {
        self.below(BANKS as u64).min(self.below(BANKS as u64)) as u32
    }
}
