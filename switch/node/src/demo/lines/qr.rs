//! QR payments: static and dynamic codes.

use serde_json::json;
use torap_bank::{PayOrder, Payee, SentPayment};
use torap_domain::{
    Asset, Bic, Money, QrId, Span, Text,
    qr::{MerchantAccount, QrCode},
};

use super::Line;
use crate::{
    demo::day::{Day, Told, customer_of},
    serve::wall_clock,
};

pub(super) static STATIC: Line = Line {
    title: "static QR code of a Halyk merchant",
    rows: &["O-07"],
    run: static_code,
};
pub(super) static DYNAMIC: Line = Line {
    title: "dynamic QR code, paid once",
    rows: &["O-08", "O-43", "O-160"],
    run: dynamic_code,
};
pub(super) static TWO_AT_ONCE: Line = Line {
    title: "two banks pay one code at once",
    rows: &["O-42"],
    run: two_at_once,
};
pub(super) static FREE_AGAIN: Line = Line {
    title: "first payment fails, code is free again",
    rows: &["O-08"],
    run: free_again,
};
pub(super) static WRONG_AMOUNT: Line = Line {
    title: "another amount than the code's",
    rows: &["O-41"],
    run: wrong_amount,
};
pub(super) static UNKNOWN: Line = Line {
    title: "code that nobody registered",
    rows: &["O-39"],
    run: unknown,
};
pub(super) static REFUND: Line = Line {
    title: "partial refunds of a QR payment",
    rows: &["O-81", "O-85"],
    run: refund,
};

/// The shop's account: customer 50 of Halyk.
fn merchant() -> Result<MerchantAccount, String> {
    Ok(MerchantAccount {
        bank: Bic::parse("HSBKKZKX").map_err(|error| error.to_string())?,
        iban: customer_of("HSBK", 50)?.iban,
        merchant_id: Text::truncated("SHOP-50"),
        bin: None,
    })
}

/// A dynamic code; `register` tells the switch about it in the name of the merchant's bank.
fn code(day: &Day, id: &str, amount: &str, register: bool) -> Result<Payee, String> {
    let money = Money::parse(amount, Asset::Kzt).map_err(|error| error.to_string())?;
    let id = QrId::parse(id).map_err(|error| error.to_string())?;
    let expires = wall_clock().saturating_add(Span::from_secs(300));
    let merchant = merchant()?;
    if register {
        let command = json!({
            "command": "qr-register",
            "id": id.as_str(),
            "iban": merchant.iban.as_str(),
            "amount": amount,
            "expires": expires.to_string(),
        });
        let registered = day.command("HSBK", command)?;
        if registered != "accepted" {
            return Err(format!("qr-register: {registered}"));
        }
    }
    let code = QrCode::new_dynamic(merchant, 5411, "Дүкен", "Алматы", (id, money, expires))
        .map_err(|error| error.to_string())?;
    Ok(Payee::Qr {
        code: code.encode(),
    })
}

fn pay(day: &Day, bank: &str, payee: Payee, amount: Option<&str>) -> Result<SentPayment, String> {
    day.pay_with(bank, PayOrder::new(8, payee, amount))
}

fn static_code(day: &mut Day) -> Result<Told, String> {
    let code = QrCode::new_static(merchant()?, 5411, "Дүкен", "Алматы", None)
        .map_err(|error| error.to_string())?;
    let sent = pay(
        day,
        "CASP",
        Payee::Qr {
            code: code.encode(),
        },
        Some("4200.00"),
    )?;
    Ok(Told::new("4 200.00").check("ACSC", day.outcome("CASP", &sent)?))
}

fn dynamic_code(day: &mut Day) -> Result<Told, String> {
    let payee = code(day, "DAY-QR-1", "1250.00", true)?;
    let first = pay(day, "CASP", payee.clone(), None)?;
    let first = day.outcome("CASP", &first)?;
    let second = pay(day, "IRTY", payee, None)?;
    let second = day.outcome("IRTY", &second)?;
    Ok(Told::new("1 250.00 by Kaspi, then Forte")
        .check("ACSC", first)
        .check("RJCT", second.split(' ').next().unwrap_or_default()))
}

fn two_at_once(day: &mut Day) -> Result<Told, String> {
    let payee = code(day, "DAY-QR-2", "1300.00", true)?;
    day.behave("HSBK", "delay:500")?;
    let (first, second) = (
        pay(day, "CASP", payee.clone(), None)?,
        pay(day, "IRTY", payee, None)?,
    );
    let mut outcomes = [day.outcome("CASP", &first)?, day.outcome("IRTY", &second)?];
    outcomes.sort();
    let [settled, refused] = outcomes;
    Ok(Told::new("1 300.00 twice")
        .check("ACSC", settled)
        .check("RJCT", refused.split(' ').next().unwrap_or_default()))
}

fn free_again(day: &mut Day) -> Result<Told, String> {
    let payee = code(day, "DAY-QR-3", "1400.00", true)?;
    day.behave("HSBK", "reject:AC06")?;
    let first = pay(day, "CASP", payee.clone(), None)?;
    let first = day.outcome("CASP", &first)?;
    let second = pay(day, "IRTY", payee, None)?;
    let second = day.outcome("IRTY", &second)?;
    Ok(Told::new("1 400.00")
        .check("RJCT AC06", first)
        .check("ACSC", second))
}

fn wrong_amount(day: &mut Day) -> Result<Told, String> {
    let payee = code(day, "DAY-QR-4", "1500.00", true)?;
    let sent = pay(day, "CASP", payee, Some("1499.00"))?;
    Ok(Told::new("1 499.00 for 1 500.00").check("RJCT AM09", day.outcome("CASP", &sent)?))
}

fn unknown(day: &mut Day) -> Result<Told, String> {
    let payee = code(day, "DAY-QR-5", "1600.00", false)?;
    let sent = pay(day, "CASP", payee, None)?;
    Ok(Told::new("1 600.00").check(
        "RJCT",
        day.outcome("CASP", &sent)?
            .split(' ')
            .next()
            .unwrap_or_default(),
    ))
}

fn refund(day: &mut Day) -> Result<Told, String> {
    let payee = code(day, "DAY-QR-6", "1700.00", true)?;
    let sent = pay(day, "CASP", payee, None)?;
    day.outcome("CASP", &sent)?;
    let mut told = Told::new("700.00, 1 000.00, 0.01 of 1 700.00");
    for (amount, expected) in [("700.00", "ACSC"), ("1000.00", "ACSC"), ("0.01", "RJCT")] {
        let status = super::after::give_back(day, "HSBK", &sent.uetr, Some(amount))?;
        told = told.check(expected, status.split(' ').next().unwrap_or_default());
    }
    Ok(told)
}
