//! Hosts against a fake switch: what comes out, and what they find wrong when the switch breaks its promises.

mod dialects;
mod fake_switch;
mod promises;
mod secured;
mod traffic;

use serde_json::Value;
use torap_domain::card::Channel;
use torap_domain::{CardService, Time};
use torap_iso8583::Dialect;

use self::fake_switch::FakeSwitch;
use super::{CardHost, Config, Order, Patience, Request};

const ACQUIRER: usize = 0;
const ISSUER: usize = 1;
const PREFIX: &str = "93986010";
/// 21 November 2026, 13:04:05 UTC.
const NOW: &str = "2026-11-21T13:04:05Z";

fn host(code: &str, institution: &str, prefix: &str) -> CardHost {
    CardHost::new(config(code, institution, prefix), None)
}

fn config(code: &str, institution: &str, prefix: &str) -> Config {
    Config {
        code: code.into(),
        institution: institution.into(),
        prefixes: vec![prefix.into()],
        is_scheme: false,
        local_prefixes: Vec::new(),
        dialect: Dialect::national(),
        mac: false,
        key_set: 1,
        patience: Patience::default(),
        seed: 7,
    }
}

/// An acquirer and an issuer, signed on.
fn switch() -> FakeSwitch {
    let now = Time::parse(NOW).unwrap();
    let hosts = vec![host("CASP", "722", "93987220"), host("HSBK", "601", PREFIX)];
    FakeSwitch::new(hosts, now)
}

fn order(service: CardService, channel: Channel, amount: &str) -> Order {
    Order::new(service, channel, PREFIX, 3, amount)
}

fn purchase(amount: &str) -> Order {
    order(CardService::Purchase, Channel::Pos, amount)
}

impl FakeSwitch {
    #[track_caller]
    fn ask(&mut self, host: usize, request: Request) -> Value {
        let now = self.now;
        let answer = self.hosts[host].handle(request, now).unwrap();
        self.run();
        answer
    }

    /// Sends and gives the reference.
    #[track_caller]
    fn transact(&mut self, order: Order) -> String {
        let sent = self.ask(ACQUIRER, Request::Transact(order));
        sent["reference"].as_str().unwrap().to_string()
    }

    #[track_caller]
    fn behave(&mut self, behaviour: &str) {
        let behaviour = behaviour.to_string();
        self.ask(
            ISSUER,
            Request::Behave {
                behaviour,
                count: 1,
            },
        );
    }

    /// Outcome, code and what stands of the acquirer's transaction.
    #[track_caller]
    fn outcome(&mut self, reference: &str) -> String {
        let rows = self.ask(ACQUIRER, Request::Transactions);
        let rows = rows.as_array().unwrap();
        let row = rows.iter().find(|row| row["reference"] == reference);
        let row = row.unwrap();
        format!(
            "{} {} {}",
            row["outcome"].as_str().unwrap(),
            row["code"].as_str().unwrap_or("-"),
            row["stands"]
        )
    }

    fn violations(&mut self, host: usize) -> Vec<String> {
        let books = self.ask(host, Request::Books);
        let violations = books["violations"].as_array().unwrap().iter();
        violations
            .map(|row| row["text"].as_str().unwrap().to_string())
            .collect()
    }

    /// Both hosts are content, nothing is open, and their totals are the switch's.
    #[track_caller]
    fn all_is_well(&mut self) {
        for (host, side) in [
            (ACQUIRER, super::Side::Acquirer),
            (ISSUER, super::Side::Issuer),
        ] {
            self.close(host, side);
            assert_eq!(self.violations(host), [""; 0]);
            let books = self.ask(host, Request::Books);
            assert_eq!(books["open"], 0);
            assert_eq!(self.letters_left(host), 0);
        }
        let stands = |rows: Value| {
            let rows = rows.as_array().unwrap().clone();
            let mut rows: Vec<String> = rows
                .iter()
                .filter(|row| row["stands"] != 0)
                .map(|row| format!("{} {}", row["key"], row["stands"]))
                .collect();
            rows.sort();
            rows
        };
        let sent = stands(self.ask(ACQUIRER, Request::Transactions));
        let issued = stands(self.ask(ISSUER, Request::Issued));
        assert_eq!(sent, issued);
    }
}
