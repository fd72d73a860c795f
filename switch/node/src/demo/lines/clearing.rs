//! The clearing system: a session in which one bank has no funds.

use serde_json::Value;
use torap_bank::WaitFor;
use torap_domain::{BankCode, Iban, IinBin};

use super::Line;
use crate::{
    control::{ClearingItem, ClearingSettings, ClearingShow, Request, RtgsChange},
    demo::{
        BANKS,
        day::{Day, Told},
        lab::Lab,
    },
};

pub(super) static SESSION: Line = Line {
    title: "an ICS session with one bank that has no funds",
    rows: &["I-1", "I-10", "I-11"],
    run: session,
};

fn account(code: &str) -> Result<String, String> {
    let bank = BANKS.iter().find(|bank| bank.code == code);
    let bank = bank.ok_or_else(|| format!("no bank {code}"))?;
    let number = BankCode::parse(bank.bank_code).map_err(|error| error.to_string())?;
    let iban = Iban::for_kz(number, "CLEARING00001").map_err(|error| error.to_string())?;
    Ok(iban.as_str().to_owned())
}

fn item(
    number: u8,
    from: &str,
    to: &str,
    amount: &str,
    date: &str,
) -> Result<ClearingItem, String> {
    let mut issued = (90_010_100_010..).filter_map(IinBin::with_check);
    let person = issued.next().ok_or("no IIN")?.to_string();
    Ok(ClearingItem {
        transaction_id: format!("ICS-{number}"),
        uetr: format!("00000000-0000-4000-8000-0000000000{number:02}"),
        end_to_end_id: "NOTPROVIDED".into(),
        amount: amount.into(),
        value_date: date.into(),
        priority: String::new(),
        debtor_account: account(from)?,
        debtor: person.clone(),
        debtor_name: "Ертай Болатұлы".into(),
        kod: "19".into(),
        creditor_account: account(to)?,
        creditor: person,
        creditor_name: "Айгүл Сериковна".into(),
        kbe: "19".into(),
        purpose: "119".into(),
        remittance: String::new(),
    })
}

/// A circle of 100 KZT between three banks without funds, and 1 KZT more that one of them cannot pay.
fn session(day: &mut Day) -> Result<Told, String> {
    let by = Lab::by();
    let settings = ClearingSettings {
        closes_at: vec!["23:59".into()],
        days_ahead: 3,
        amount_max: "5000000.00".into(),
        items_max: 100_000,
        closed: Vec::new(),
        worked: Vec::new(),
    };
    day.ctl(&Request::ClearingSet {
        by: by.clone(),
        settings,
    })?;
    let show = |day: &Day, what| day.ctl(&Request::Clearing { what });
    let open = show(day, ClearingShow::Session)?;
    let session = open["session"].as_str().ok_or("no session")?.to_owned();
    let date = session.split('/').next().unwrap_or_default().to_owned();
    // Nobody has more than what it is paid: what is on the settlement accounts is taken off first.
    let status = day.ctl(&Request::Rtgs {
        what: crate::control::RtgsShow::Status,
    })?;
    let accounts = status["accounts"].as_array().cloned().unwrap_or_default();
    for row in &accounts {
        let (code, balance) = (row["participant"].as_str(), row["balance"].as_str());
        if let (Some(code), Some(amount)) = (code, balance.filter(|text| *text != "0.00"))
            && !amount.starts_with('-')
        {
            let change = RtgsChange::Fund {
                code: code.into(),
                amount: amount.into(),
                out: true,
            };
            let by = by.clone();
            day.ctl(&Request::RtgsChange { by, change })?;
        }
    }
    let circle = [("CASP", "HSBK"), ("HSBK", "IRTY"), ("IRTY", "CASP")];
    for (number, (from, to)) in (1..).zip(circle) {
        let mut items = vec![item(number, from, to, "100.00", &date)?];
        if from == "IRTY" {
            items.push(item(9, from, to, "1.00", &date)?);
        }
        day.ctl(&Request::ClearingSubmit {
            by: by.clone(),
            code: from.into(),
            file: "demonstration".into(),
            number: 1,
            last: true,
            items,
        })?;
    }
    day.ctl(&Request::ClearingClose { by })?;
    let stands = |day: &Day, number: u8| -> Result<String, String> {
        let uetr = format!("00000000-0000-4000-8000-0000000000{number:02}");
        let item = show(day, ClearingShow::Item { uetr })?;
        let reason = item["reason"].as_str().map(|reason| format!(" {reason}"));
        Ok(format!(
            "{}{}",
            text(&item["status"]),
            reason.unwrap_or_default()
        ))
    };
    let report = show(
        day,
        ClearingShow::Report {
            session: Some(session),
        },
    )?;
    let rows = report["participants"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let nets: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", text(&row["participant"]), text(&row["net"])))
        .collect();
    // The item that was settled reaches its receiver.
    day.wait(
        "HSBK",
        WaitFor {
            kind: crate::demo::day::kind("pacs.008"),
            status: Some("clearing".into()),
            ..WaitFor::default()
        },
    )?;
    let told = Told::new("100.00 in a circle, 1.00 more from IRTY");
    Ok(told
        .check(
            "ACSC ACSC ACSC",
            [stands(day, 1)?, stands(day, 2)?, stands(day, 3)?].join(" "),
        )
        .check("RJCT insufficient-funds", stands(day, 9)?)
        .check("CASP 0.00, HSBK 0.00, IRTY 0.00", nets.join(", ")))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}
