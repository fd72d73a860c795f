use torap_domain::{Date, IinBin, Money, ParticipantId, Reason, Service};

use super::{State, UNLIMITED};
use crate::{
    codec::{Reader, Writer},
    instant::Limits,
};

const BANK: ParticipantId = ParticipantId(1);
const OTHER_BANK: ParticipantId = ParticipantId(2);
const DAY: Date = Date::from_days(20_000);
const NEXT_DAY: Date = Date::from_days(20_001);
const CUSTOMERS_MAX: u32 = 100;

fn person(number: usize) -> IinBin {
    let mut issued = (90_010_100_000..).filter_map(IinBin::with_check);
    issued.nth(number).unwrap()
}

fn limited(limits: Limits) -> State {
    let mut state = State::new(1);
    state.set(Service::C2cPhone, None, limits);
    state
}

/// A payment of person 0 at BANK, today: checked and, if it may, counted.
fn pay(state: &mut State, amount: u64) -> Result<(), Reason> {
    pay_as(state, DAY, BANK, person(0), Service::C2cPhone, amount)
}

fn pay_as(
    state: &mut State,
    day: Date,
    bank: ParticipantId,
    person: IinBin,
    service: Service,
    amount: u64,
) -> Result<(), Reason> {
    let amount = Money::kzt(amount);
    let usage = state.check(day, bank, person, service, amount, CUSTOMERS_MAX)?;
    state.charge(&usage);
    Ok(())
}

fn kzt(minor: u64) -> Option<Money> {
    Some(Money::kzt(minor))
}

#[test]
fn without_limits_nobody_is_counted() {
    let mut state = State::new(1);
    assert_eq!(pay(&mut state, u64::MAX), Ok(()));
    assert_eq!(pay(&mut state, u64::MAX), Ok(()));
    assert_eq!(state.customers_today(), 0);
}

#[test]
fn each_limit_holds_to_the_tiyn() {
    let payment = Limits {
        payment_max: kzt(100),
        ..UNLIMITED
    };
    let amount = Limits {
        customer_day_amount_max: kzt(100),
        ..UNLIMITED
    };
    let count = Limits {
        customer_day_count_max: Some(2),
        ..UNLIMITED
    };
    let bank = Limits {
        participant_day_amount_max: kzt(100),
        ..UNLIMITED
    };
    let cases = [
        (
            payment,
            vec![100, 100],
            101,
            Reason::AmountAboveServiceLimit,
        ),
        (amount, vec![60, 40], 1, Reason::CustomerDayLimit),
        (amount, vec![], 101, Reason::CustomerDayLimit),
        (count, vec![1, 1], 1, Reason::CustomerDayCount),
        (bank, vec![60, 40], 1, Reason::ParticipantDayLimit),
    ];
    for (limits, paid, refused, reason) in cases {
        let mut state = limited(limits);
        for amount in paid {
            assert_eq!(pay(&mut state, amount), Ok(()), "{reason}");
        }
        assert_eq!(pay(&mut state, refused), Err(reason));
    }
}

#[test]
fn the_first_limit_that_is_passed_is_the_reason() {
    let mut limits = Limits {
        payment_max: kzt(10),
        customer_day_amount_max: kzt(10),
        customer_day_count_max: Some(0),
        participant_day_amount_max: kzt(10),
    };
    assert_eq!(
        pay(&mut limited(limits), 11),
        Err(Reason::AmountAboveServiceLimit)
    );
    limits.payment_max = None;
    assert_eq!(pay(&mut limited(limits), 11), Err(Reason::CustomerDayLimit));
    limits.customer_day_amount_max = None;
    assert_eq!(pay(&mut limited(limits), 11), Err(Reason::CustomerDayCount));
    limits.customer_day_count_max = None;
    assert_eq!(
        pay(&mut limited(limits), 11),
        Err(Reason::ParticipantDayLimit)
    );
}

#[test]
fn a_customer_counts_across_banks_and_per_service() {
    let limits = Limits {
        customer_day_amount_max: kzt(100),
        ..UNLIMITED
    };
    let mut state = limited(limits);
    state.set(Service::Qr, None, limits);
    assert_eq!(pay(&mut state, 100), Ok(()));
    let refused = Err(Reason::CustomerDayLimit);
    let (phone, qr) = (Service::C2cPhone, Service::Qr);
    assert_eq!(
        pay_as(&mut state, DAY, OTHER_BANK, person(0), phone, 1),
        refused
    );
    assert_eq!(pay_as(&mut state, DAY, BANK, person(0), qr, 100), Ok(()));
    assert_eq!(pay_as(&mut state, DAY, BANK, person(1), phone, 100), Ok(()));
}

#[test]
fn a_bank_counts_per_service() {
    let limits = Limits {
        participant_day_amount_max: kzt(100),
        ..UNLIMITED
    };
    let mut state = limited(limits);
    state.set(Service::Qr, None, limits);
    assert_eq!(pay(&mut state, 100), Ok(()));
    let phone = Service::C2cPhone;
    let refused = Err(Reason::ParticipantDayLimit);
    assert_eq!(pay_as(&mut state, DAY, BANK, person(1), phone, 1), refused);
    assert_eq!(
        pay_as(&mut state, DAY, BANK, person(1), Service::Qr, 100),
        Ok(())
    );
    assert_eq!(
        pay_as(&mut state, DAY, OTHER_BANK, person(1), phone, 100),
        Ok(())
    );
}

#[test]
fn a_banks_own_limits_take_the_place_of_the_rails() {
    let mut state = limited(Limits {
        payment_max: kzt(100),
        ..UNLIMITED
    });
    let own = Limits {
        payment_max: kzt(200),
        ..UNLIMITED
    };
    state.set(Service::C2cPhone, Some(BANK), own);
    assert_eq!(state.effective(Service::C2cPhone, Some(BANK)), own);
    assert_eq!(pay(&mut state, 200), Ok(()));
    let phone = Service::C2cPhone;
    let refused = Err(Reason::AmountAboveServiceLimit);
    assert_eq!(
        pay_as(&mut state, DAY, OTHER_BANK, person(0), phone, 200),
        refused
    );
}

#[test]
fn what_did_not_settle_is_given_back_on_its_day() {
    let limits = Limits {
        customer_day_amount_max: kzt(100),
        customer_day_count_max: Some(1),
        participant_day_amount_max: kzt(100),
        ..UNLIMITED
    };
    let mut state = limited(limits);
    let check = |state: &mut State, day| {
        let (phone, amount) = (Service::C2cPhone, Money::kzt(100));
        state.check(day, BANK, person(0), phone, amount, CUSTOMERS_MAX)
    };
    let usage = check(&mut state, DAY).unwrap();
    state.charge(&usage);
    assert_eq!(check(&mut state, DAY), Err(Reason::CustomerDayLimit));
    state.give_back(&usage, DAY);
    let again = check(&mut state, DAY).unwrap();
    state.charge(&again);
    // At midnight everything begins anew, and yesterday's payment gives nothing back to today.
    let today = check(&mut state, NEXT_DAY).unwrap();
    state.charge(&today);
    state.give_back(&again, NEXT_DAY);
    assert_eq!(check(&mut state, NEXT_DAY), Err(Reason::CustomerDayLimit));
}

#[test]
fn a_full_table_refuses_new_customers_and_serves_the_known() {
    let mut state = limited(Limits {
        customer_day_count_max: Some(9),
        ..UNLIMITED
    });
    let phone = Service::C2cPhone;
    for number in 0..CUSTOMERS_MAX as usize {
        assert_eq!(
            pay_as(&mut state, DAY, BANK, person(number), phone, 1),
            Ok(())
        );
    }
    let full = Err(Reason::CustomerTableFull);
    assert_eq!(pay_as(&mut state, DAY, BANK, person(100), phone, 1), full);
    assert_eq!(pay_as(&mut state, DAY, BANK, person(0), phone, 1), Ok(()));
    assert_eq!(
        pay_as(&mut state, NEXT_DAY, BANK, person(100), phone, 1),
        Ok(())
    );
    assert_eq!(state.customers_today(), 1);
}

#[test]
fn many_customers_are_told_apart_under_every_seed() {
    for seed in [0, 1, u64::MAX] {
        let mut state = State::new(seed);
        let limits = Limits {
            customer_day_amount_max: kzt(u64::MAX),
            ..UNLIMITED
        };
        state.set(Service::Me2Me, None, limits);
        let persons: Vec<IinBin> = (90_010_100_000..)
            .filter_map(IinBin::with_check)
            .take(20_000)
            .collect();
        for round in 1..=2_u64 {
            for (person, amount) in persons.iter().zip(1..) {
                let (service, paid) = (Service::Me2Me, Money::kzt(amount));
                let usage = state.check(DAY, BANK, *person, service, paid, u32::MAX);
                state.charge(&usage.unwrap());
                let key = super::CustomerKey::new(*person, Service::Me2Me);
                let used = state.customers.find(seed, key).unwrap();
                assert_eq!(
                    (used.amount, u64::from(used.count)),
                    (amount * round, round)
                );
            }
        }
        assert_eq!(state.customers_today(), 20_000);
    }
}

#[test]
fn yesterdays_table_is_freed_piece_by_piece() {
    let mut state = limited(Limits {
        customer_day_count_max: Some(9),
        ..UNLIMITED
    });
    for number in 0..50 {
        assert_eq!(
            pay_as(&mut state, DAY, BANK, person(number), Service::C2cPhone, 1),
            Ok(())
        );
    }
    assert_eq!(
        pay_as(&mut state, NEXT_DAY, BANK, person(0), Service::C2cPhone, 1),
        Ok(())
    );
    let pieces = state.retired.len();
    assert!(pieces > 1);
    assert_eq!(
        pay_as(&mut state, NEXT_DAY, BANK, person(0), Service::C2cPhone, 1),
        Ok(())
    );
    assert_eq!(state.retired.len(), pieces - 1);
}

#[test]
fn a_snapshot_holds_limits_and_usage_whatever_the_seed() {
    let limits = Limits {
        payment_max: kzt(500),
        customer_day_amount_max: kzt(1_000),
        customer_day_count_max: Some(3),
        participant_day_amount_max: kzt(100_000),
    };
    let mut state = limited(limits);
    state.set(Service::Qr, Some(OTHER_BANK), limits);
    for number in 0..50 {
        assert_eq!(
            pay_as(&mut state, DAY, BANK, person(number), Service::C2cPhone, 7),
            Ok(())
        );
    }
    let mut bytes = Vec::new();
    state.write(&mut Writer::new(&mut bytes));
    let mut reader = Reader::new("test", &bytes);
    let mut copy = State::read(&mut reader, 99).unwrap();
    assert_eq!(reader.remaining(), 0);
    let mut again = Vec::new();
    copy.write(&mut Writer::new(&mut again));
    assert_eq!(bytes, again);
    assert_eq!(copy.effective(Service::Qr, Some(OTHER_BANK)), limits);
    assert_eq!(copy.customers_today(), 50);
    for state in [&mut state, &mut copy] {
        assert_eq!(pay(state, 7), Ok(()));
        assert_eq!(pay(state, 7), Ok(()));
        assert_eq!(pay(state, 7), Err(Reason::CustomerDayCount));
    }
}
