//! What a payment costs the load generator itself, over real sockets: it shares the machine with the switch that it measures.
//!
//! Runs against a switch in memory on a second thread, and prints one JSON line with the processor time of the generator's thread
//! for each payment (pacs.008 out, pacs.008 in, pacs.002 out, two pacs.002 in). `cargo bench -p torap-load`; with `--test` a
//! second at a low rate, which only shows that it works.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Duration;

use torap_domain::{BankCode, Bic, Sequence};
use torap_gateway::session::Secret;
use torap_gateway::wire::{Mode, Name};
use torap_load::{LoadBank, Plan, run};

#[allow(dead_code, reason = "the tests of the generator use more of it")]
#[path = "../src/generator/tests/fake_switch.rs"]
mod fake_switch;

use fake_switch::{Account, Behaviour, FakeSwitch, Served};

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

fn bank(number: u8) -> LoadBank {
    LoadBank {
        code: Name::parse(&format!("BNK{number:02}")).expect("a name"),
        bic: Bic::parse(&format!("BN{}KKZKA", char::from(b'A' + number))).expect("a BIC"),
        bank_code: BankCode::from_value(900 + u16::from(number)).expect("three digits"),
        secret: Secret::new([number; 32]),
        held: Sequence::ZERO,
    }
}
