//! What a payment costs the load generator itself, over real sockets: it shares the machine with the switch that it measures.
//!
//! Runs against a switch in memory on a second thread, and prints one JSON line with the processor time of the generator's thread
//! for each payment (pacs.008 out, pacs.008 in, pacs.002 out, two pacs.002 in) and for each card transaction (0200 out, 0200 in, 0210
//! out, 0210 in). `cargo bench -p torap-load`; with `--test` a second at a low rate, which only shows that it works.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Duration;

use torap_domain::{BankCode, Bic, Sequence};
use torap_gateway::session::Secret;
use torap_gateway::wire::{Mode, Name};
use torap_load::{LoadBank, Plan, run, run_cards};

#[allow(dead_code, reason = "the tests of the generator use more of it")]
#[path = "../src/generator/tests/fake_switch.rs"]
mod fake_switch;

#[path = "../src/serving.rs"]
mod serving;

#[allow(dead_code, reason = "the tests of the generator use more of it")]
#[path = "../src/card/generator/tests/fake_switch.rs"]
mod fake_card_switch;

/// The name under which the fake switch knows the plan.
mod card {
    pub(crate) use torap_load::card::{CardMember, CardPlan};
}

use fake_card_switch::FakeCardSwitch;
use fake_switch::{Account, Behaviour, FakeSwitch};
use serving::Served;

const BANKS: u8 = 4;

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let (rates, seconds): (&[u32], u64) = if is_test {
        (&[100], 1)
    } else {
        (&[2_000, 10_000, 0], 5)
    };
    for rate in rates {
        measure(*rate, seconds);
    }
    for rate in rates {
        for mac in [false, true] {
            measure_cards(*rate, seconds, mac);
        }
    }
}

fn measure(rate: u32, seconds: u64) {
    let banks: Vec<LoadBank> = (0..BANKS).map(bank).collect();
    let account = |bank: &LoadBank| Account {
        code: bank.code,
        bic: bank.bic,
        secret: bank.secret.clone(),
    };
    let accounts = banks.iter().map(account).collect();
    let served = Served::start(FakeSwitch::new(accounts, *torap_gateway::formats(), |_| {
        Behaviour::Settle
    }));
    let mut plan = Plan::new(
        banks,
        served.address,
        Mode::Test,
        rate,
        Duration::from_secs(seconds),
    );
    plan.in_flight_max = 512;
    let outcome = run(&plan, &mut |_| ControlFlow::Continue(())).expect("the run is made");
    assert!(outcome.is_good(), "{outcome:?}");
    let line = serde_json::json!({
        "rate": rate,
        "payments": outcome.settled,
        "generator_cpu_us_per_payment": outcome.own_cpu_us_per_payment(),
        "p50_us": outcome.latency.at_per_mille(500),
        "p99_us": outcome.latency.at_per_mille(990),
    });
    writeln!(std::io::stdout(), "{line}").expect("standard output is open");
}

/// 30 of 100 with a PIN.
fn measure_cards(rate: u32, seconds: u64, mac: bool) {
    let mut plan = fake_card_switch::plan(BANKS.into(), rate, Duration::from_secs(seconds));
    plan.mac = mac;
    plan.in_flight_max = 512;
    let served = Served::start(FakeCardSwitch::new(&plan, |_| {
        fake_card_switch::Behaviour::Approve
    }));
    for member in &mut plan.members {
        member.door = served.address;
    }
    let outcome = run_cards(plan, &mut |_| ControlFlow::Continue(())).expect("the run is made");
    assert!(outcome.is_good(), "{outcome:?}");
    let line = serde_json::json!({
        "rail": "card",
        "rate": rate,
        "mac": mac,
        "transactions": outcome.settled,
        "generator_cpu_us_per_transaction": outcome.own_cpu_us_per_payment(),
        "p50_us": outcome.latency.at_per_mille(500),
        "p99_us": outcome.latency.at_per_mille(990),
    });
    writeln!(std::io::stdout(), "{line}").expect("standard output is open");
}

fn bank(number: u8) -> LoadBank {
    LoadBank {
        code: Name::parse(&format!("BNK{number:02}")).expect("a name"),
        bic: Bic::parse(&format!("BN{}KKZKA", char::from(b'A' + number))).expect("a BIC"),
        bank_code: BankCode::from_value(900 + u16::from(number)).expect("three digits"),
        secret: Secret::new([number; 32]),
        held: Sequence::ZERO,
    }
}
