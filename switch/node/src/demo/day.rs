//! Running the lines of the day, and the books at its end.

mod cards;

use std::time::{Duration, Instant};

use serde_json::Value;
use torap_bank::{PayOrder, Payee, Request as BankRequest, Seen, SentPayment, WaitFor};
use torap_domain::BankCode;

pub(super) use self::cards::{about, card_brief};
use super::lab::{BANKS, Lab};
use crate::control::Request;

/// How long a line waits for anything it expects.
const PATIENCE: Duration = Duration::from_secs(15);

/// The day under way: the laboratory and what lines need to know of each other.
#[derive(Debug)]
pub struct Day {
    pub lab: Lab,
    /// Number of the first message that the current line may look at, per bank.
    since: Vec<(&'static str, u64)>,
    /// The same for card hosts.
    card_since: Vec<(&'static str, u64)>,
}

/// What a line did, expected and got.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub sent: String,
    checks: Vec<(String, String)>,
}

/// A line's result.
#[derive(Clone, Debug)]
pub struct Report {
    pub told: Told,
    pub took: Duration,
}

impl Told {
    pub fn new(sent: impl Into<String>) -> Told {
        Told {
            sent: sent.into(),
            checks: Vec::new(),
        }
    }

    /// Adds a comparison.
    pub fn check(mut self, expected: impl Into<String>, got: impl Into<String>) -> Told {
        self.checks.push((expected.into(), got.into()));
        self
    }

    pub fn is_as_expected(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|(expected, got)| expected == got)
    }

    pub fn expected(&self) -> String {
        self.checks
            .iter()
            .map(|(expected, _)| expected.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub fn got(&self) -> String {
        self.checks
            .iter()
            .map(|(_, got)| got.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Day {
    pub fn new(lab: Lab) -> Day {
        Day {
            lab,
            since: Vec::new(),
            card_since: Vec::new(),
        }
    }

    /// Runs one line; what it throws counts as what came back.
    pub fn run(&mut self, line: &super::Line) -> Report {
        let start = Instant::now();
        let told = match self.mark().and_then(|()| (line.run)(self)) {
            Ok(told) => told,
            Err(error) => Told::new("").check("no error", error),
        };
        Report {
            told,
            took: start.elapsed(),
        }
    }

    /// From here on only newer messages count.
    fn mark(&mut self) -> Result<(), String> {
        self.since.clear();
        for bank in &BANKS {
            let messages = self
                .lab
                .bank(bank.code, &BankRequest::Messages { since: u64::MAX })?;
            let next = messages["next"]
                .as_u64()
                .ok_or("messages: no next number")?;
            self.since.push((bank.code, next));
        }
        self.mark_cards()
    }

    fn since(&self, code: &str) -> u64 {
        self.since
            .iter()
            .find(|(known, _)| *known == code)
            .map_or(0, |(_, since)| *since)
    }

    /// A request to a bank.
    pub fn ask(&self, code: &str, request: &BankRequest) -> Result<Value, String> {
        self.lab.bank(code, request)
    }

    /// An operator's request.
    pub fn ctl(&self, request: &Request) -> Result<Value, String> {
        self.lab.ctl(request)
    }

    pub fn pay(
        &self,
        code: &str,
        from: u32,
        payee: Payee,
        amount: &str,
    ) -> Result<SentPayment, String> {
        self.pay_with(code, PayOrder::new(from, payee, Some(amount)))
    }

    pub fn pay_with(&self, code: &str, order: PayOrder) -> Result<SentPayment, String> {
        serde_json::from_value(self.ask(code, &BankRequest::Pay(order))?)
            .map_err(|error| error.to_string())
    }

    pub fn behave(&self, code: &str, behaviour: &str) -> Result<(), String> {
        self.ask(
            code,
            &BankRequest::Behave {
                behaviour: behaviour.to_string(),
                count: 1,
            },
        )
        .map(|_| ())
    }

    /// The first message of this line that fits.
    pub fn wait(&self, code: &str, filter: WaitFor) -> Result<Seen, String> {
        let filter = WaitFor {
            since: filter.since.max(self.since(code)),
            ..filter
        };
        let within_ms = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
        let text = format!("{filter:?}");
        let seen = self
            .ask(code, &BankRequest::Wait { filter, within_ms })
            .map_err(|error| format!("{error} ({text})"))?;
        serde_json::from_value(seen).map_err(|error| error.to_string())
    }

    /// `ACSC`, `RJCT AB05`, … : the first pacs.002 about the payment with a final status.
    pub fn outcome(&self, code: &str, sent: &SentPayment) -> Result<String, String> {
        self.wait(
            code,
            WaitFor {
                kind: kind("pacs.002"),
                uetr: Some(sent.uetr.clone()),
                is_final: true,
                ..WaitFor::default()
            },
        )
        .map(|seen| brief(&seen))
    }

    /// As `outcome`, for the payer's bank: it sends again at once what was refused only because the directory had just changed.
    pub fn lasting_outcome(&self, code: &str, sent: &SentPayment) -> Result<String, String> {
        let mut since = 0;
        loop {
            let seen = self.answer(code, sent, since)?;
            if seen.reason.as_deref() != Some("AB10") {
                return Ok(brief(&seen));
            }
            since = seen.number + 1;
            let transaction_id = sent.transaction_id.clone();
            let again = BankRequest::PayAgain {
                transaction_id,
                amount: None,
            };
            self.ask(code, &again)?;
        }
    }

    /// What the payer's bank is told of the payment from message `since` on: its outcome, or that its message was refused.
    pub fn answer(&self, code: &str, sent: &SentPayment, since: u64) -> Result<Seen, String> {
        self.wait(
            code,
            WaitFor {
                since,
                uetr: Some(sent.uetr.clone()),
                is_final: true,
                ..WaitFor::default()
            },
        )
    }

    /// The outcome of the payment for a bank, from message `since` on.
    pub fn outcome_since(
        &self,
        code: &str,
        sent: &SentPayment,
        since: u64,
    ) -> Result<Seen, String> {
        self.wait(
            code,
            WaitFor {
                since,
                kind: kind("pacs.002"),
                uetr: Some(sent.uetr.clone()),
                is_final: true,
                ..WaitFor::default()
            },
        )
    }

    /// How many messages of this line fit; for things that must not have come.
    pub fn count(&self, code: &str, filter: &WaitFor) -> Result<usize, String> {
        let messages = self.ask(
            code,
            &BankRequest::Messages {
                since: self.since(code),
            },
        )?;
        let messages: Vec<Seen> = serde_json::from_value(messages["messages"].clone())
            .map_err(|error| error.to_string())?;
        Ok(messages.iter().filter(|seen| filter.fits(seen)).count())
    }

    /// A JSON command of a bank, and `accepted` or `refused REASON`. A bank repeats what is refused as `retry-later`.
    pub fn command(&self, code: &str, command: Value) -> Result<String, String> {
        loop {
            let sent = self.ask(
                code,
                &BankRequest::Command {
                    command: command.clone(),
                },
            )?;
            let reference = sent["reference"].as_str().map(String::from);
            let seen = self.wait(
                code,
                WaitFor {
                    kind: kind("json"),
                    reference,
                    ..WaitFor::default()
                },
            )?;
            if seen.reason.as_deref() != Some("retry-later") {
                return Ok(brief(&seen));
            }
        }
    }

    /// Registers customer `number` of the bank in the directory.
    pub fn register(&self, code: &str, number: u32) -> Result<String, String> {
        let customer = customer_of(code, number)?;
        self.command(
            code,
            serde_json::json!({
                "command": "register",
                "phone": customer.phone.to_string(),
                "person": customer.person.to_string(),
                "iban": customer.iban.as_str(),
                "name": customer.name,
            }),
        )
    }

    /// Positions at the switch against the banks' own books; violations; conservation. Empty = all is well.
    pub fn differences(&self) -> Result<Vec<String>, String> {
        let mut differences = self.card_differences()?;
        let positions = self.ctl(&Request::Positions)?;
        if positions["conserved"] != true {
            differences.push(format!(
                "the switch's books do not balance: {}",
                positions["difference"]
            ));
        }
        for bank in &BANKS {
            let books = self.ask(bank.code, &BankRequest::Books)?;
            let net = books["net_tiyn"].as_i64().ok_or("books: no net")?;
            let rows = positions["positions"].as_array().ok_or("positions: none")?;
            let row = rows
                .iter()
                .find(|row| row["participant"] == bank.code)
                .ok_or("positions: a bank is missing")?;
            let balance = tiyn(row["balance"].as_str().unwrap_or_default())?;
            let expected = tiyn(bank.fund)? + net;
            if balance != expected {
                differences.push(format!(
                    "{}: position {balance} tiyn, own books say {expected}",
                    bank.code
                ));
            }
            if row["held"] != "0.00" {
                differences.push(format!("{}: {} still held", bank.code, row["held"]));
            }
            let violations = books["violations"].as_array().map_or(0, Vec::len);
            if violations > 0 {
                differences.push(format!("{}: {}", bank.code, books["violations"]));
            }
            if books["open"] != 0 {
                differences.push(format!(
                    "{}: {} payments without an outcome",
                    bank.code, books["open"]
                ));
            }
        }
        Ok(differences)
    }
}

/// A message's status and reason.
pub fn brief(seen: &Seen) -> String {
    let status = seen.status.as_deref().unwrap_or("-");
    match &seen.reason {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

pub fn kind(kind: &str) -> Option<String> {
    Some(kind.to_string())
}

/// A simulated customer, computed as the bank computes it.
pub fn customer_of(code: &str, number: u32) -> Result<torap_bank::Customer, String> {
    let bank = BANKS
        .iter()
        .find(|bank| bank.code == code)
        .ok_or_else(|| format!("no bank {code}"))?;
    let bank_code = BankCode::parse(bank.bank_code).map_err(|error| error.to_string())?;
    Ok(torap_bank::customer(bank_code, number))
}

/// Tiyn of a decimal text with two decimals and perhaps a sign.
fn tiyn(text: &str) -> Result<i64, String> {
    text.replace('.', "")
        .parse()
        .map_err(|error| format!("`{text}`: {error}"))
}
