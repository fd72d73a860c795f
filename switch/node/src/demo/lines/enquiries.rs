//! A bank's own payments in IMTS on its link: which of them wait, and one of them changed.

use torap_bank::{Request as BankRequest, Seen, WaitFor};
use torap_iso20022::{
    view::{BusinessHeader, PaymentChange, PaymentQuery, SETTLEMENT_SERVICE, SettlementTransfer},
    write,
};

use super::{Line, rtgs};
use crate::demo::day::{Day, Told, brief, kind};

pub(super) static CHANGED: Line = Line {
    title: "a bank asks which of its payments wait, and lets one overtake",
    rows: &["S-8", "S-107"],
    run: changed,
};

const BANK: &str = "HSBK";
const BIC: &str = "HSBKKZKX";
/// UETR of each of the bank's payments.
const UETRS: [&str; 2] = [
    "0d3a1c52-7f0e-4b61-9a44-5f1e2c7b9001",
    "0d3a1c52-7f0e-4b61-9a44-5f1e2c7b9002",
];

fn header<'a>(message_id: &'a str, now: u64) -> BusinessHeader<'a> {
    BusinessHeader {
        from: BIC,
        to: crate::demo::lab::SWITCH_BIC,
        message_id,
        service: Some(SETTLEMENT_SERVICE),
        created_ns: now,
        possible_duplicate: false,
    }
}

/// The bank sends what is written.
pub(super) fn send(day: &Day, bank: &str, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), String> {
    let mut text = Vec::new();
    write(&mut text);
    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
    day.ask(bank, &BankRequest::Raw { text }).map(|_| ())
}

/// pacs.009 to CASP.
fn pay(day: &Day, number: usize, tiyn: u64, now: u64) -> Result<(), String> {
    let id = format!("DEMO-IMTS-{number}");
    let transfer = SettlementTransfer {
        message_id: &id,
        created_ns: now,
        settlement_date: None,
        instructing_agent: BIC,
        instructed_agent: None,
        instruction_id: None,
        end_to_end_id: "NOTPROVIDED",
        transaction_id: &id,
        uetr: UETRS.get(number).copied().unwrap_or_default(),
        tiyn,
        is_high: false,
        from_ns: None,
        till_ns: None,
        debtor_agent: BIC,
        creditor_agent: "CASPKZKA",
        accounts: None,
    };
    let header = header(&id, now);
    send(day, BANK, |out| {
        write::bank_transfer(out, Some(&header), &transfer)
    })
}

/// What the bank was told of a payment behind message `since`.
fn status(day: &Day, number: usize, since: u64) -> Result<Seen, String> {
    let filter = WaitFor {
        since,
        kind: kind("pacs.002"),
        uetr: UETRS.get(number).map(|uetr| (*uetr).to_owned()),
        ..WaitFor::default()
    };
    day.wait(BANK, filter)
}

/// camt.005 for what waits; the identifiers that the camt.006 has.
fn waiting(day: &Day, now: u64) -> Result<String, String> {
    let query = PaymentQuery {
        message_id: "DEMO-Q",
        created_ns: now,
        status: Some("PDNG"),
        ..PaymentQuery::default()
    };
    let header = header(query.message_id, now);
    send(day, BANK, |out| {
        write::payment_query(out, Some(&header), &query)
    })?;
    let filter = WaitFor {
        kind: kind("camt.006"),
        ..WaitFor::default()
    };
    let text = day.wait(BANK, filter)?.text.unwrap_or_default();
    let ids = text.split("<TxId>").skip(1);
    let ids = ids.filter_map(|rest| rest.split('<').next());
    Ok(ids.collect::<Vec<_>>().join(" "))
}

/// camt.007: the second is of high priority from now on.
fn hurry(day: &Day, now: u64) -> Result<String, String> {
    let change = PaymentChange {
        message_id: "DEMO-M",
        created_ns: now,
        uetr: UETRS[1],
        transaction_id: None,
        is_high: Some(true),
        from_ns: None,
        till_ns: None,
    };
    let header = header(change.message_id, now);
    send(day, BANK, |out| {
        write::payment_change(out, Some(&header), &change)
    })?;
    let filter = WaitFor {
        kind: kind("camt.025"),
        reference: Some(change.message_id.into()),
        ..WaitFor::default()
    };
    day.wait(BANK, filter).map(|seen| brief(&seen))
}

fn changed(day: &mut Day) -> Result<Told, String> {
    rtgs::open(day)?;
    let now = rtgs::now()?.nanos();
    // More than the bank has, and behind it what it could pay.
    pay(day, 0, 90_000_000_000, now)?;
    let first = status(day, 0, 0)?;
    pay(day, 1, 10_000, now)?;
    let second = status(day, 1, 0)?;
    let before = waiting(day, now)?;
    let receipt = hurry(day, now)?;
    let settled = status(day, 1, second.number + 1)?;
    // Nothing is left waiting for the lines behind.
    let id = rtgs::waiting(day, BANK)?.ok_or("the first does not wait")?;
    rtgs::withdraw(day, id)?;
    let withdrawn = status(day, 0, first.number + 1)?;
    let told = Told::new(format!("{BANK}: 900,000,000.00 and 100.00 to CASP"));
    Ok(told
        .check("PDNG PDNG", format!("{} {}", brief(&first), brief(&second)))
        .check("DEMO-IMTS-0 DEMO-IMTS-1", before)
        .check(
            "ACSC, then ACSC",
            format!("{receipt}, then {}", brief(&settled)),
        )
        .check("RJCT DS02", brief(&withdrawn)))
}
