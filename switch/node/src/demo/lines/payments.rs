//! Payments that the switch decides by itself or that simply settle.

use torap_bank::{PayOrder, Payee, Request as BankRequest, WaitFor};

use super::Line;
use crate::demo::day::{Day, Told, brief, customer_of, kind};

pub(super) static BY_PHONE: Line = Line {
    title: "C2C by phone, Kaspi to Halyk",
    rows: &["O-02"],
    run: by_phone,
};
pub(super) static BY_RESOLUTION: Line = Line {
    title: "C2C by phone after a look-up",
    rows: &["O-04", "O-120"],
    run: by_resolution,
};
pub(super) static BY_ACCOUNT: Line = Line {
    title: "C2C by account, Halyk to Forte",
    rows: &["O-01"],
    run: by_account,
};
pub(super) static CHOSEN_BANK: Line = Line {
    title: "by phone to a chosen bank",
    rows: &["O-03"],
    run: chosen_bank,
};
pub(super) static PHONE_UNKNOWN: Line = Line {
    title: "unknown phone",
    rows: &["O-31"],
    run: phone_unknown,
};
pub(super) static SAME_BANK: Line = Line {
    title: "both sides in one bank",
    rows: &["O-24"],
    run: same_bank,
};
pub(super) static WRONG_BANK_CODE: Line = Line {
    title: "account of another bank",
    rows: &["O-29"],
    run: wrong_bank_code,
};
pub(super) static ABOVE_LIMIT: Line = Line {
    title: "above the service's limit",
    rows: &["O-35"],
    run: above_limit,
};
pub(super) static SHORT_OF_FUNDS: Line = Line {
    title: "payer's bank short of money",
    rows: &["O-21"],
    run: short_of_funds,
};
pub(super) static TOO_OLD: Line = Line {
    title: "accepted 11 s ago",
    rows: &["O-25"],
    run: too_old,
};
pub(super) static IN_FUTURE: Line = Line {
    title: "accepted 5 s ahead",
    rows: &["O-26"],
    run: in_future,
};
pub(super) static REPEATED: Line = Line {
    title: "the same payment again",
    rows: &["O-61"],
    run: repeated,
};
pub(super) static REPEATED_DIFFERENTLY: Line = Line {
    title: "same identifier, other amount",
    rows: &["O-62"],
    run: repeated_differently,
};
pub(super) static OWN_ACCOUNTS: Line = Line {
    title: "Me2Me, confirmed by the payee's bank",
    rows: &["O-06"],
    run: own_accounts,
};
pub(super) static OWN_ACCOUNTS_DENIED: Line = Line {
    title: "Me2Me, not confirmed",
    rows: &["O-18"],
    run: own_accounts_denied,
};
pub(super) static OWN_ACCOUNTS_OTHER: Line = Line {
    title: "Me2Me to another person",
    rows: &["O-34"],
    run: own_accounts_other,
};

/// Customer `number` of the bank, by phone.
pub(super) fn phone_of(code: &str, number: u32) -> Result<Payee, String> {
    Ok(Payee::Phone {
        phone: customer_of(code, number)?.phone.to_string(),
        bank: None,
        person: None,
    })
}

/// Customer `number` of the bank, by account.
pub(super) fn account_of(code: &str, number: u32) -> Result<Payee, String> {
    let customer = customer_of(code, number)?;
    Ok(Payee::Account {
        bank: format!("{code}KZK{}", last_letter(code)),
        iban: customer.iban.as_str().to_string(),
        name: customer.name,
        person: None,
    })
}

/// The BICs of the demonstration end in KZKA, but for Halyk's.
fn last_letter(code: &str) -> char {
    if code == "HSBK" { 'X' } else { 'A' }
}

fn by_phone(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "1500.00")?;
    Ok(Told::new("1 500.00")
        .check("ACSC", day.outcome("CASP", &sent)?)
        .check(
            "payee ACSC",
            format!("payee {}", day.outcome("HSBK", &sent)?),
        ))
}

fn by_resolution(day: &mut Day) -> Result<Told, String> {
    let phone = customer_of("IRTY", 1)?.phone.to_string();
    let asked = day.ask(
        "HSBK",
        &BankRequest::LookUp {
            phone: phone.clone(),
            person: None,
            bank: None,
        },
    )?;
    let reference = asked["verification_id"].as_str().map(String::from);
    let found = day.wait(
        "HSBK",
        WaitFor {
            kind: kind("acmt.024"),
            reference,
            ..WaitFor::default()
        },
    )?;
    let payee = Payee::Phone {
        phone,
        bank: None,
        person: None,
    };
    let order = PayOrder {
        resolution_id: found.resolution_id.clone(),
        ..PayOrder::new(2, payee, Some("700.00"))
    };
    let sent = day.pay_with("HSBK", order)?;
    Ok(Told::new("700.00").check("ACSC", day.outcome("HSBK", &sent)?))
}

fn by_account(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("HSBK", 1, account_of("IRTY", 5)?, "15250.00")?;
    Ok(Told::new("15 250.00")
        .check("ACSC", day.outcome("HSBK", &sent)?)
        .check(
            "payee ACSC",
            format!("payee {}", day.outcome("IRTY", &sent)?),
        ))
}

fn chosen_bank(day: &mut Day) -> Result<Told, String> {
    let phone = customer_of("HSBK", 2)?.phone.to_string();
    let sent = day.pay(
        "CASP",
        1,
        Payee::Phone {
            phone,
            bank: Some("HSBKKZKX".into()),
            person: None,
        },
        "99.99",
    )?;
    Ok(Told::new("99.99").check("ACSC", day.outcome("CASP", &sent)?))
}

fn phone_unknown(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 0, phone_of("HSBK", 999)?, "100.00")?;
    Ok(Told::new("100.00").check("RJCT BE23", day.outcome("CASP", &sent)?))
}

fn same_bank(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 0, account_of("CASP", 7)?, "100.00")?;
    Ok(Told::new("100.00").check("RJCT AG12", day.outcome("CASP", &sent)?))
}

fn wrong_bank_code(day: &mut Day) -> Result<Told, String> {
    let customer = customer_of("IRTY", 3)?;
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: customer.iban.as_str().to_string(),
        name: customer.name,
        person: None,
    };
    let sent = day.pay("CASP", 0, payee, "100.00")?;
    Ok(Told::new("100.00").check("RJCT AGNT", day.outcome("CASP", &sent)?))
}

fn above_limit(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 3, account_of("HSBK", 3)?, "5000000.01")?;
    Ok(Told::new("5 000 000.01").check("RJCT AM02", day.outcome("CASP", &sent)?))
}

fn short_of_funds(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("TSES", 3, account_of("HSBK", 3)?, "999999.00")?;
    Ok(Told::new("999 999.00").check("RJCT AM04", day.outcome("TSES", &sent)?))
}

fn shifted(day: &mut Day, accepted_shift_ms: i64) -> Result<Told, String> {
    let order = PayOrder {
        accepted_shift_ms,
        ..PayOrder::new(4, account_of("HSBK", 3)?, Some("100.00"))
    };
    let sent = day.pay_with("CASP", order)?;
    Ok(Told::new("100.00").check("RJCT TM01", day.outcome("CASP", &sent)?))
}

fn too_old(day: &mut Day) -> Result<Told, String> {
    shifted(day, -11_000)
}

fn in_future(day: &mut Day) -> Result<Told, String> {
    shifted(day, 5_000)
}

fn repeated(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("IRTY", 0, account_of("HSBK", 4)?, "321.00")?;
    let first = day.outcome("IRTY", &sent)?;
    let all = WaitFor {
        kind: kind("pacs.002"),
        uetr: Some(sent.uetr.clone()),
        ..WaitFor::default()
    };
    let since = day.wait("IRTY", all)?.number + 1;
    day.ask(
        "IRTY",
        &BankRequest::PayAgain {
            transaction_id: sent.transaction_id.clone(),
            amount: None,
        },
    )?;
    let again = brief(&day.outcome_since("IRTY", &sent, since)?);
    let forwards = day.count(
        "HSBK",
        &WaitFor {
            kind: kind("pacs.008"),
            uetr: Some(sent.uetr.clone()),
            ..WaitFor::default()
        },
    )?;
    Ok(Told::new("321.00 twice")
        .check("ACSC", first)
        .check("ACSC", again)
        .check("1 forward", format!("{forwards} forward")))
}

fn repeated_differently(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("IRTY", 0, account_of("HSBK", 4)?, "322.00")?;
    let first = day.outcome("IRTY", &sent)?;
    day.ask(
        "IRTY",
        &BankRequest::PayAgain {
            transaction_id: sent.transaction_id.clone(),
            amount: Some("323.00".into()),
        },
    )?;
    let reason = Some("AM05".to_string());
    let filter = WaitFor {
        kind: kind("pacs.002"),
        uetr: Some(sent.uetr.clone()),
        reason,
        ..WaitFor::default()
    };
    let again = brief(&day.wait("IRTY", filter)?);
    Ok(Told::new("322.00, then 323.00")
        .check("ACSC", first)
        .check("RJCT AM05", again))
}

/// From customer 6 of Kaspi to an account of the same person at Halyk.
fn own(day: &mut Day, person: Option<String>) -> Result<Told, String> {
    let account = customer_of("HSBK", 6)?;
    let name = customer_of("CASP", 6)?.name;
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: account.iban.as_str().to_string(),
        name,
        person,
    };
    let order = PayOrder {
        me2me: true,
        ..PayOrder::new(6, payee, Some("2000.00"))
    };
    let sent = day.pay_with("CASP", order)?;
    Ok(Told::new("2 000.00").check("", day.outcome("CASP", &sent)?))
}

fn own_accounts(day: &mut Day) -> Result<Told, String> {
    let got = own(day, None)?.got();
    let asked = day.count(
        "HSBK",
        &WaitFor {
            kind: kind("acmt.023"),
            ..WaitFor::default()
        },
    )?;
    Ok(Told::new("2 000.00")
        .check("ACSC", got)
        .check("asked 1", format!("asked {asked}")))
}

fn own_accounts_denied(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "deny")?;
    let got = own(day, None)?.got();
    Ok(Told::new("2 000.00").check("RJCT BE01", got))
}

fn own_accounts_other(day: &mut Day) -> Result<Told, String> {
    let other = customer_of("HSBK", 6)?.person.to_string();
    let got = own(day, Some(other))?.got();
    Ok(Told::new("2 000.00").check("RJCT BE01", got))
}
