use super::*;
use crate::generator::tests::fake_switch::{Behaviour, FakeSwitch};
use crate::generator::tests::{accounts, plan};
use crate::serving::Served;

fn served(plan: &mut Plan, behave: impl FnMut(u64) -> Behaviour + Send + 'static) -> Served {
    let switch = FakeSwitch::new(accounts(plan), *torap_gateway::formats(), behave);
    let served = Served::start(switch);
    plan.switch = served.address;
    served
}

#[test]
fn a_run_over_sockets_comes_out_whole() {
    let mut plan = plan(4, 0, 1);
    plan.in_flight_max = 64;
    let _switch = served(&mut plan, |nth| match nth {
        3 => Behaviour::Reject("AM04"),
        _ => Behaviour::Settle,
    });
    let outcome = run(&plan, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(outcome.breach_texts, [""; 0]);
    assert_eq!(outcome.sent, outcome.settled + 1);
    assert_eq!(outcome.rejected.get("AM04"), Some(&1));
    assert_eq!((outcome.unknown, outcome.links_lost), (0, 0));
    assert!(outcome.own_cpu > Duration::ZERO);
}

#[test]
fn the_caller_may_break_off() {
    let mut plan = plan(2, 10, 3600);
    let _switch = served(&mut plan, |_| Behaviour::Settle);
    let mut calls = 0;
    let broken = run(&plan, &mut |progress| {
        calls += 1;
        assert!(progress.sent <= 30 && progress.settled <= progress.sent);
        ControlFlow::Break(())
    });
    assert_eq!(broken.unwrap_err(), Failure::Interrupted);
    assert_eq!(calls, 1);
}

#[test]
fn banks_that_are_turned_away_end_the_run_at_once() {
    let mut plan = plan(2, 10, 3600);
    let _switch = served(&mut plan, |_| Behaviour::Settle);
    plan.banks[0].code = torap_gateway::wire::Name::parse("NOBODY").unwrap();
    let failure = run(&plan, &mut |_| ControlFlow::Continue(()))
        .unwrap_err()
        .to_string();
    assert!(
        failure.contains("NOBODY") && failure.contains("number: 23"),
        "{failure}"
    );
}
