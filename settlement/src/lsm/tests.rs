use proptest::prelude::*;

use super::*;

fn payment(from: u32, to: u32, amount: u64) -> Payment {
    Payment { from, to, amount }
}

fn limit(from: u32, to: u32, amount: u64) -> Limit {
    Limit { from, to, amount }
}

/// What a set leaves everyone, computed from the definition alone and not by the solver's own books.
fn holds(funds: &[u64], payments: &[Payment], limits: &[Limit], chosen: &[usize]) -> bool {
    let sum = |counts: &dyn Fn(&Payment) -> bool| -> i128 {
        let chosen = chosen.iter().map(|place| payments[*place]);
        chosen
            .filter(|payment| counts(payment))
            .map(|payment| i128::from(payment.amount))
            .sum()
    };
    let banks = 0..u32::try_from(funds.len()).unwrap();
    let solvent = banks.clone().all(|bank| {
        let paid = sum(&|payment| payment.from == bank);
        let got = sum(&|payment| payment.to == bank);
        i128::from(funds[bank as usize]) + got - paid >= 0
    });
    solvent
        && limits.iter().all(|limit| {
            let paid = sum(&|payment| (payment.from, payment.to) == (limit.from, limit.to));
            let got = sum(&|payment| (payment.to, payment.from) == (limit.from, limit.to));
            paid - got <= i128::from(limit.amount)
        })
}

fn worth(payments: &[Payment], chosen: &[usize]) -> (u128, usize) {
    let value = chosen
        .iter()
        .map(|place| u128::from(payments[*place].amount));
    (value.sum(), chosen.len())
}

/// Every subset that holds; `prefixes` leaves only those that take a prefix of each bank's queue.
fn sets(funds: &[u64], payments: &[Payment], limits: &[Limit], prefixes: bool) -> Vec<Vec<usize>> {
    let in_order = |chosen: &[usize]| {
        chosen.iter().all(|place| {
            let earlier =
                (0..*place).filter(|other| payments[*other].from == payments[*place].from);
            earlier.into_iter().all(|other| chosen.contains(&other))
        })
    };
    (0..1_u32 << payments.len())
        .map(|mask| {
            (0..payments.len())
                .filter(|place| mask >> place & 1 == 1)
                .collect()
        })
        .filter(|chosen: &Vec<usize>| !prefixes || in_order(chosen))
        .filter(|chosen| holds(funds, payments, limits, chosen))
        .collect()
}

fn places(solution: &Solution) -> Vec<usize> {
    solution
        .settled
        .iter()
        .map(|place| *place as usize)
        .collect()
}

#[derive(Clone, Debug)]
struct Case {
    funds: Vec<u64>,
    payments: Vec<Payment>,
    limits: Vec<Limit>,
}

impl Case {
    fn problem(&self) -> Problem {
        Problem::new(self.funds.clone(), self.payments.clone(), &self.limits).unwrap()
    }
}

/// Few banks, little money, amounts that offset each other or nearly do: most cases are gridlocks of some kind.
fn case(payments_max: usize) -> impl Strategy<Value = Case> {
    (2_u32..=5).prop_flat_map(move |banks| {
        let funds = prop::collection::vec(0_u64..12, banks as usize);
        let payment =
            (0..banks, 1..banks, 1_u64..12).prop_map(move |(from, shift, amount)| Payment {
                from,
                to: (from + shift) % banks,
                amount,
            });
        let payments = prop::collection::vec(payment, 0..=payments_max);
        let limit = (0..banks, 1..banks, 0_u64..10);
        let limits = prop_oneof![Just(Vec::new()), prop::collection::vec(limit, 1..8),];
        (funds, payments, limits).prop_map(move |(funds, payments, limits)| {
            let mut named: Vec<Limit> = Vec::new();
            for (from, shift, amount) in limits {
                let to = (from + shift) % banks;
                if !named
                    .iter()
                    .any(|other| (other.from, other.to) == (from, to))
                {
                    named.push(Limit { from, to, amount });
                }
            }
            Case {
                funds,
                payments,
                limits: named,
            }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Not only the best in value and number: it contains every order-respecting set that holds.
    #[test]
    fn fifo_contains_every_set_that_respects_the_order(case in case(10)) {
        let Case { funds, payments, limits } = &case;
        let problem = case.problem();
        let solution = fifo(&problem);
        let found = places(&solution);
        let all = sets(funds, payments, limits, true);
        prop_assert!(all.contains(&found), "{found:?} is none of {all:?}");
        prop_assert!(problem.holds(&solution.settled));
        for other in &all {
            prop_assert!(other.iter().all(|place| found.contains(place)), "{other:?} is not in {found:?}");
        }
        prop_assert_eq!(solution.value, worth(payments, &found).0);
    }

    #[test]
    fn bypass_is_the_best_set(case in case(11)) {
        let Case { funds, payments, limits } = &case;
        let best = sets(funds, payments, limits, false)
            .iter()
            .map(|chosen| worth(payments, chosen))
            .max()
            .unwrap();
        let result = bypass(&case.problem(), 0);
        let found = places(&result.solution);
        prop_assert!(holds(funds, payments, limits, &found));
        prop_assert_eq!(worth(payments, &found), best);
        prop_assert_eq!(result.solution.value, best.0);
        prop_assert!(result.exact && result.gap() == 0);
    }

    /// The rules of the long queues, on short ones, where the best is known.
    #[test]
    fn the_search_holds_and_its_bound_is_one(case in case(11), steps_max in 0_u64..500) {
        let Case { funds, payments, limits } = &case;
        let problem = case.problem();
        let best = sets(funds, payments, limits, false)
            .iter()
            .map(|chosen| worth(payments, chosen).0)
            .max()
            .unwrap();
        let solution = super::bypass::search::solve(&problem, steps_max);
        let found = places(&solution);
        prop_assert!(holds(funds, payments, limits, &found));
        prop_assert_eq!(solution.value, worth(payments, &found).0);
        prop_assert!(solution.value >= fifo(&problem).value && solution.value <= best);
        prop_assert!(super::bypass::bound::of(&problem) >= best);
    }

    #[test]
    fn whether_a_set_holds_is_what_the_definition_says(case in case(10), mask in any::<u32>()) {
        let chosen: Vec<usize> =
            (0..case.payments.len()).filter(|place| mask >> place & 1 == 1).collect();
        let listed: Vec<u32> = chosen.iter().map(|place| *place as u32).collect();
        let expected = holds(&case.funds, &case.payments, &case.limits, &chosen);
        prop_assert_eq!(case.problem().holds(&listed), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn long_queues_hold_and_stay_within_the_bound(case in case(120), steps_max in 0_u64..20_000) {
        let problem = case.problem();
        let result = bypass(&problem, steps_max);
        prop_assert!(problem.holds(&result.solution.settled));
        prop_assert!(result.solution.value >= fifo(&problem).value);
        prop_assert!(result.solution.value + result.gap() == result.upper_bound);
        prop_assert_eq!(bypass(&problem, steps_max), result);
    }
}

#[test]
fn three_banks_in_a_circle_settle_without_money() {
    let circle = vec![payment(0, 1, 100), payment(1, 2, 100), payment(2, 0, 100)];
    let problem = Problem::new(vec![0; 3], circle, &[]).unwrap();
    let solution = fifo(&problem);
    assert_eq!((solution.settled, solution.value), (vec![0, 1, 2], 300));
}

#[test]
fn a_payment_at_the_head_that_cannot_settle_holds_up_its_bank() {
    let queue = vec![payment(0, 1, 500), payment(0, 1, 10), payment(1, 0, 10)];
    let problem = Problem::new(vec![0, 0], queue, &[]).unwrap();
    assert_eq!(fifo(&problem).settled, Vec::<u32>::new());
    assert_eq!(bypass(&problem, 0).solution.settled, vec![1, 2]);
}

#[test]
fn a_limit_of_zero_lets_pay_what_comes_back() {
    let queue = vec![payment(0, 1, 30), payment(0, 1, 1), payment(1, 0, 30)];
    let limits = [limit(0, 1, 0)];
    let problem = Problem::new(vec![1_000, 1_000], queue, &limits).unwrap();
    assert_eq!(fifo(&problem).settled, vec![0, 2]);
}

#[test]
fn equal_value_is_decided_by_number() {
    let queue = vec![payment(0, 1, 10), payment(0, 1, 5), payment(0, 1, 5)];
    let problem = Problem::new(vec![10, 0], queue, &[]).unwrap();
    assert_eq!(bypass(&problem, 0).solution.settled, vec![1, 2]);
}

#[test]
fn the_largest_amounts_do_not_overflow() {
    let queue = vec![payment(0, 1, u64::MAX); 40];
    let problem = Problem::new(vec![u64::MAX; 2], queue, &[limit(0, 1, u64::MAX)]).unwrap();
    assert_eq!(fifo(&problem).value, u128::from(u64::MAX));
    let result = bypass(&problem, 10_000);
    assert_eq!(result.solution.value, u128::from(u64::MAX));
    assert_eq!(result.gap(), 0);
}

#[test]
fn places_that_do_not_rise_do_not_hold() {
    let problem = Problem::new(vec![100, 100], vec![payment(0, 1, 1); 3], &[]).unwrap();
    assert!(problem.holds(&[0, 2]) && problem.holds(&[]));
    for places in [&[1, 1][..], &[2, 0], &[3]] {
        assert!(!problem.holds(places), "{places:?}");
    }
}

#[test]
fn what_does_not_make_sense_is_refused_with_its_place() {
    let good = payment(0, 1, 1);
    let check = |payments: Vec<Payment>, limits: &[Limit], expected: ProblemError| {
        let error = Problem::new(vec![5, 5], payments, limits).unwrap_err();
        assert_eq!(error, expected);
        assert!(error.to_string().len() > 10);
    };
    let place = 1;
    check(
        vec![good, payment(0, 2, 1)],
        &[],
        ProblemError::PaymentBank { place },
    );
    check(
        vec![good, payment(2, 0, 1)],
        &[],
        ProblemError::PaymentBank { place },
    );
    check(
        vec![good, payment(1, 1, 1)],
        &[],
        ProblemError::PaymentToSelf { place },
    );
    check(
        vec![good, payment(0, 1, 0)],
        &[],
        ProblemError::PaymentZero { place },
    );
    let fine = limit(0, 1, 1);
    check(
        vec![good],
        &[fine, limit(0, 9, 1)],
        ProblemError::LimitBank { place },
    );
    check(
        vec![good],
        &[fine, limit(1, 1, 1)],
        ProblemError::LimitToSelf { place },
    );
    check(
        vec![good],
        &[fine, limit(0, 1, 2)],
        ProblemError::LimitTwice { place },
    );
    let many = vec![0; BANKS_MAX + 1];
    let error = Problem::new(many, Vec::new(), &[]).unwrap_err();
    assert_eq!(error, ProblemError::TooManyBanks);
}
