//! Rows of docs/outcomes.md that the scripted day does not show, each with simulated banks over the real wire, and the proof that
//! every row is shown somewhere.
//!
//! A case is a line as the scripted day has them, with the money that it moves for good; the positions at the switch are compared
//! before and after, and the banks' own books at the end. One laboratory serves the cases of one topic.

mod directory;
mod messages;
mod operator;
mod payments;
mod qr;
mod recalls;
mod returns;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use torap_bank::{PayOrder, Payee, Request as Bank, Seen, SentPayment, WaitFor};
use torap_domain::{Iban, IinBin, Phone, Uetr};
use torap_node::{
    control::{ParticipantForm, Request as Ctl},
    demo::{BANKS, Day, LINES, Lab, Line, customer_of},
};

use crate::program::lab;

/// A line of its own and the tenge that it moves to positions and from them, for good.
struct Case {
    line: Line,
    moved: &'static [(&'static str, i64)],
}

/// Rows that no bank can bring about from outside, and the tests of the engine that show them: file, and a word of the reason.
const SHOWN_BY_UNIT_TESTS: &[(&str, &str, &str)] = &[
    // Takes 65,536 payments under way, or 4 million payers in a day.
    (
        "O-45",
        "switch/engine/src/instant/payment/tests.rs",
        "InFlightFull",
    ),
    (
        "O-45",
        "switch/engine/src/instant/payment/tests.rs",
        "CustomerTableFull",
    ),
    // Takes a thousand numbers that nobody has.
    (
        "O-47",
        "switch/engine/src/instant/payment/tests/numbers.rs",
        "LookupRefused",
    ),
    // Takes a thousand payments that wait for one bank.
    (
        "O-57",
        "switch/node/src/serve/congestion/tests.rs",
        "is_congested",
    ),
    (
        "O-57",
        "switch/gateway/src/translate/tests/refusals.rs",
        "congested",
    ),
    // Take 16 million payments within the moment between the look-up and the decision.
    (
        "O-74",
        "switch/engine/src/instant/status/tests.rs",
        "RetryLater",
    ),
    (
        "O-94",
        "switch/engine/src/instant/returns/tests.rs",
        "RetryLater",
    ),
    (
        "O-111",
        "switch/engine/src/instant/recalls/tests.rs",
        "RetryLater",
    ),
];

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

fn all() -> impl Iterator<Item = &'static Case> {
    [
        payments::CASES,
        qr::CASES,
        messages::CASES,
        returns::CASES,
        recalls::CASES,
        directory::CASES,
        operator::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Rows of the table in docs/outcomes.md: `| O-12 | …`.
fn documented() -> Vec<String> {
    let text = fs::read_to_string("../docs/outcomes.md").expect("docs/outcomes.md");
    let id = |line: &str| {
        line.strip_prefix("| ")
            .and_then(|rest| rest.split(' ').next())
            .filter(|id| id.starts_with("O-"))
            .map(String::from)
    };
    text.lines().filter_map(id).collect()
}

#[test]
fn every_row_is_shown() {
    let rows = documented();
    assert!(rows.len() > 100, "docs/outcomes.md has lost its tables");
    let lines = LINES.iter().copied().chain(all().map(|case| &case.line));
    let mut shown: BTreeSet<&str> = lines.flat_map(|line| line.rows).copied().collect();
    for (row, file, reason) in SHOWN_BY_UNIT_TESTS {
        let text = fs::read_to_string(Path::new("..").join(file))
            .unwrap_or_else(|error| panic!("{row}: {file}: {error}"));
        assert!(text.contains(reason), "{row}: {file} has no {reason}");
        shown.insert(row);
    }
    let missing: Vec<&String> = rows
        .iter()
        .filter(|row| !shown.contains(row.as_str()))
        .collect();
    assert!(missing.is_empty(), "rows that nothing shows: {missing:?}");
    let unknown: Vec<&&str> = shown
        .iter()
        .filter(|row| !rows.iter().any(|known| known == **row))
        .collect();
    assert!(unknown.is_empty(), "docs/outcomes.md has no {unknown:?}");
}

/// Goes through the cases of one topic in one laboratory.
fn go_through(cases: &[Case]) {
    let (_dir, lab) = lab();
    let mut day = Day::new(lab);
    let mut wrong = Vec::new();
    for case in cases {
        let title = case.line.title;
        let mut expected = settled_balances(&day).expect("positions");
        for (bank, tenge) in case.moved {
            *expected.get_mut(*bank).expect("a bank of the laboratory") += tenge * 100;
        }
        let report = day.run(&case.line);
        if !report.told.is_as_expected() {
            wrong.push(format!(
                "{title} ({}): expected {}; came back {}",
                case.line.rows.join(", "),
                report.told.expected(),
                report.told.got()
            ));
        }
        let reached = until("positions", || Ok(balances(&day)? == expected));
        if reached.is_err() {
            let found = balances(&day).expect("positions");
            wrong.push(format!(
                "{title}: expected positions {expected:?}; found {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(day.differences().expect("books"), Vec::<String>::new());
}

/// Positions in tiyn, with what is held taken off: a payment under way is no movement yet, and must not be one later.
fn balances(day: &Day) -> Result<BTreeMap<String, i64>, String> {
    let positions = day.ctl(&Ctl::Positions)?;
    let rows = positions["positions"].as_array().ok_or("no positions")?;
    let of = |row: &Value| {
        let tiyn = |key: &str| -> Option<i64> { row[key].as_str()?.replace('.', "").parse().ok() };
        let code = row["participant"].as_str()?.to_string();
        Some((code, tiyn("balance")? - tiyn("held")?))
    };
    rows.iter()
        .map(|row| of(row).ok_or_else(|| format!("position: {row}")))
        .collect()
}

/// Positions once nothing is held any more.
fn settled_balances(day: &Day) -> Result<BTreeMap<String, i64>, String> {
    until("the end of all payments", || {
        Ok(!day.ctl(&Ctl::Positions)?["positions"]
            .as_array()
            .ok_or("no positions")?
            .iter()
            .any(|row| row["held"] != "0.00"))
    })?;
    balances(day)
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> Result<bool, String>) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    while !holds()? {
        if Instant::now() > end {
            return Err(format!("{what}: did not come in time"));
        }
        std::thread::yield_now();
    }
    Ok(())
}

/// Customer `number` of the bank, by account.
fn account_of(code: &str, number: u32) -> Result<Payee, String> {
    let customer = customer_of(code, number)?;
    Ok(Payee::Account {
        bank: bic(code).into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    })
}

fn bic(code: &str) -> &'static str {
    let bank = BANKS.iter().find(|bank| bank.code == code);
    bank.expect("a bank of the laboratory").bic
}

/// `ACSC`, `RJCT AB05`, … : the outcome of a plain payment, and the payment.
fn pay(
    day: &Day,
    from: (&str, u32),
    payee: Payee,
    amount: &str,
) -> Result<(SentPayment, String), String> {
    let sent = day.pay(from.0, from.1, payee, amount)?;
    let outcome = day.outcome(from.0, &sent)?;
    Ok((sent, outcome))
}

/// A payment from one bank's customer to another bank's, settled for both.
fn settled(day: &Day, from: &str, to: &str, amount: &str) -> Result<SentPayment, String> {
    let (sent, outcome) = pay(day, (from, 1), account_of(to, 2)?, amount)?;
    if outcome != "ACSC" {
        return Err(format!("{from} to {to}: {outcome}"));
    }
    let heard = day.outcome(to, &sent)?;
    if heard != "ACSC" {
        return Err(format!("{from} to {to}: the payee's bank heard {heard}"));
    }
    Ok(sent)
}

/// A payment that is changed before it leaves.
fn pay_edited(
    day: &Day,
    code: &str,
    order: PayOrder,
    replace: &[(&str, &str)],
) -> Result<SentPayment, String> {
    let sent = day.ask(code, &edited(Bank::Pay(order), replace))?;
    serde_json::from_value(sent).map_err(|error| error.to_string())
}

fn edited(request: Bank, replace: &[(&str, &str)]) -> Bank {
    Bank::Edited {
        request: Box::new(request),
        replace: replace
            .iter()
            .map(|(old, new)| ((*old).to_string(), (*new).to_string()))
            .collect(),
    }
}

/// Messages of a kind about a payment.
fn about(kind: &str, sent: &SentPayment) -> WaitFor {
    WaitFor {
        kind: Some(kind.into()),
        uetr: Some(sent.uetr.clone()),
        ..WaitFor::default()
    }
}

/// The admi.002 about the message of this identifier: its code.
fn rejected(day: &Day, code: &str, message_id: &str) -> Result<Seen, String> {
    day.wait(
        code,
        WaitFor {
            kind: Some("admi.002".into()),
            reference: Some(message_id.into()),
            ..WaitFor::default()
        },
    )
}

/// The message id in the answer to a bank's request.
fn message_id(answer: &Value) -> Result<String, String> {
    text(answer, "message_id")
}

fn text(answer: &Value, key: &str) -> Result<String, String> {
    let text = answer[key].as_str().map(String::from);
    text.ok_or_else(|| format!("{answer} has no {key}"))
}

/// A message's status and reason.
fn brief(seen: &Seen) -> String {
    let status = seen.status.as_deref().unwrap_or("-");
    match &seen.reason {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

/// The same message again, and the outcome that it gets.
fn again(day: &Day, code: &str, sent: &SentPayment) -> Result<String, String> {
    let since = next_number(day, code)?;
    day.ask(
        code,
        &Bank::PayAgain {
            transaction_id: sent.transaction_id.clone(),
            amount: None,
        },
    )?;
    day.outcome_since(code, sent, since)
        .map(|seen| brief(&seen))
}

/// Number that the bank's next message will have.
fn next_number(day: &Day, code: &str) -> Result<u64, String> {
    let messages = day.ask(code, &Bank::Messages { since: u64::MAX })?;
    messages["next"]
        .as_u64()
        .ok_or_else(|| "no next number".into())
}

/// An identifier that no payment has.
fn stray_uetr(day: &Day) -> Result<String, String> {
    // Made from how far the bank's messages have come, so that no two cases share one.
    let number = next_number(day, "CASP")?;
    let mut bytes = *b"stray identifier";
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Ok(Uetr::from_random(bytes).to_string())
}

fn set(day: &Day, key: &str, value: u64) -> Result<(), String> {
    let by = Lab::by();
    let (key, value) = (key.to_string(), value.into());
    day.ctl(&Ctl::Set { by, key, value }).map(|_| ())
}

fn set_state(day: &Day, code: &str, state: &str) -> Result<(), String> {
    let (code, state) = (code.to_string(), state.to_string());
    let by = Lab::by();
    day.ctl(&Ctl::ParticipantState { by, code, state })
        .map(|_| ())
}

/// Moves tenge to the bank's position, or from it if there are less than none.
fn fund(day: &Day, code: &str, tenge: i64) -> Result<(), String> {
    day.ctl(&Ctl::Fund {
        by: Lab::by(),
        code: code.into(),
        amount: format!("{}.00", tenge.unsigned_abs()),
        out: tenge < 0,
    })
    .map(|_| ())
}

/// The participant as the laboratory made it, for changes of single entries.
fn form(code: &str) -> ParticipantForm {
    let bank = BANKS.iter().find(|bank| bank.code == code);
    let bank = bank.expect("a bank of the laboratory");
    ParticipantForm {
        code: code.into(),
        name: bank.name.into(),
        bics: vec![bank.bic.into()],
        bank_codes: vec![bank.bank_code.into()],
        services: None,
        sponsor: None,
        technical_senders: Vec::new(),
        floor: Some("50000.00".into()),
        ceiling: None,
    }
}

fn update(day: &Day, participant: ParticipantForm) -> Result<(), String> {
    let by = Lab::by();
    day.ctl(&Ctl::ParticipantUpdate { by, participant })
        .map(|_| ())
}

/// Cuts a bank's link, or brings it back, and waits until the switch knows.
fn link(day: &Day, code: &str, up: bool) -> Result<(), String> {
    day.ask(code, &Bank::Link { up })?;
    until("the link", || {
        let status = day.ctl(&Ctl::Status)?;
        let rows = status["participants"].as_array().ok_or("no participants")?;
        Ok(rows
            .iter()
            .any(|row| row["code"] == code && row["up"] == up))
    })
}

/// A command about a number of the directory.
fn about_number(command: &str, phone: Phone, person: IinBin) -> Value {
    json!({ "command": command, "phone": phone.to_string(), "person": person.to_string() })
}

/// `register` or `change` of an account.
fn entry(command: &str, phone: Phone, person: IinBin, iban: &Iban, name: &str) -> Value {
    let mut value = about_number(command, phone, person);
    value["iban"] = iban.as_str().into();
    value["name"] = name.into();
    value
}

/// Waits until a look-up would find the account under the number.
fn is_found(day: &Day, phone: Phone, iban: &Iban) -> Result<(), String> {
    until("the directory's entry", || {
        let phone = phone.to_string();
        let record = day.ctl(&Ctl::DirectoryShow { phone });
        Ok(record.is_ok_and(|record| record.to_string().contains(iban.as_str())))
    })
}

/// Looks a number up; the bank's answer.
fn look_up(day: &Day, code: &str, phone: Phone) -> Result<Seen, String> {
    let asked = day.ask(
        code,
        &Bank::LookUp {
            phone: phone.to_string(),
            person: None,
            bank: None,
        },
    )?;
    let reference = Some(text(&asked, "verification_id")?);
    day.wait(
        code,
        WaitFor {
            kind: Some("acmt.024".into()),
            reference,
            ..WaitFor::default()
        },
    )
}
