//! The alias directory: registration, look-up, claims, recycled numbers, the enumeration guard.

use serde_json::{Value, json};
use torap_bank::{Request as BankRequest, WaitFor};

use super::{Line, payments::phone_of};
use crate::demo::{
    day::{Day, Told, brief, customer_of, kind},
    lab::BANKS,
};

pub(super) static REGISTER: Line = Line {
    title: "banks register customers 0 to 3",
    rows: &["O-140"],
    run: register,
};
pub(super) static LOOK_UP: Line = Line {
    title: "who has this number?",
    rows: &["O-120"],
    run: look_up,
};
pub(super) static LOOK_UP_MISS: Line = Line {
    title: "who has an unknown number?",
    rows: &["O-121"],
    run: look_up_miss,
};
pub(super) static CLAIM: Line = Line {
    title: "Forte claims the default of a Halyk customer",
    rows: &["O-145"],
    run: claim,
};
pub(super) static CONTEST: Line = Line {
    title: "Halyk contests the claim",
    rows: &["O-146"],
    run: contest,
};
pub(super) static RECYCLED_NUMBER: Line = Line {
    title: "number registered under another person",
    rows: &["O-147", "O-32", "O-148"],
    run: recycled_number,
};
pub(super) static FOREIGN_ENTRY: Line = Line {
    title: "a bank touches another bank's entry",
    rows: &["O-144"],
    run: foreign_entry,
};
pub(super) static GUARD: Line = Line {
    title: "a bank tries numbers one after the other",
    rows: &["O-123"],
    run: guard,
};

fn register(day: &mut Day) -> Result<Told, String> {
    let mut accepted = 0;
    for bank in &BANKS {
        for number in 0..4 {
            accepted += usize::from(day.register(bank.code, number)? == "accepted");
        }
    }
    Ok(Told::new("16 accounts").check("16 accepted", format!("{accepted} accepted")))
}

/// Looks a number up; the bank's answer.
fn find(day: &Day, code: &str, phone: &str) -> Result<torap_bank::Seen, String> {
    let asked = day.ask(
        code,
        &BankRequest::LookUp {
            phone: phone.into(),
            person: None,
            bank: None,
        },
    )?;
    let reference = asked["verification_id"].as_str().map(String::from);
    day.wait(
        code,
        WaitFor {
            kind: kind("acmt.024"),
            reference,
            ..WaitFor::default()
        },
    )
}

fn look_up(day: &mut Day) -> Result<Told, String> {
    let customer = customer_of("HSBK", 1)?;
    let found = find(day, "CASP", &customer.phone.to_string())?;
    let masked = found
        .name
        .as_ref()
        .is_some_and(|name| *name != customer.name && name.contains('.'));
    Ok(Told::new(customer.phone.to_string())
        .check("found", brief(&found))
        .check("HSBKKZKX", found.bank.unwrap_or_default())
        .check(
            "name masked",
            if masked {
                "name masked"
            } else {
                "name in full"
            },
        ))
}

fn look_up_miss(day: &mut Day) -> Result<Told, String> {
    let phone = customer_of("HSBK", 900)?.phone.to_string();
    let found = find(day, "CASP", &phone)?;
    Ok(Told::new(phone).check("refused AC01", brief(&found)))
}

/// A directory command about customer 2 of Halyk, whose account at Forte is customer 2's there.
fn about_customer(command: &str) -> Result<Value, String> {
    let customer = customer_of("HSBK", 2)?;
    Ok(
        json!({ "command": command, "phone": customer.phone.to_string(), "person": customer.person.to_string() }),
    )
}

fn claim(day: &mut Day) -> Result<Told, String> {
    let mut command = about_customer("register")?;
    command["iban"] = customer_of("IRTY", 20)?.iban.as_str().into();
    command["name"] = customer_of("HSBK", 2)?.name.into();
    let registered = day.command("IRTY", command)?;
    let mut command = about_customer("claim")?;
    command["consent"] = "CONSENT-2026-0001".into();
    let claimed = day.command("IRTY", command)?;
    let notice = day.wait(
        "HSBK",
        WaitFor {
            kind: kind("admi.004"),
            status: Some("CLAM".into()),
            ..WaitFor::default()
        },
    )?;
    let sent = day.pay("CASP", 2, phone_of("HSBK", 2)?, "30.00")?;
    day.lasting_outcome("CASP", &sent)?;
    let paid = day.outcome("IRTY", &sent)?;
    Ok(Told::new("with consent")
        .check("accepted", registered)
        .check("accepted", claimed)
        .check("Halyk told CLAM", format!("Halyk told {}", brief(&notice)))
        .check("Forte ACSC", format!("Forte {paid}")))
}

fn contest(day: &mut Day) -> Result<Told, String> {
    let contested = day.command("HSBK", about_customer("contest")?)?;
    let sent = day.pay("CASP", 2, phone_of("HSBK", 2)?, "31.00")?;
    day.lasting_outcome("CASP", &sent)?;
    let paid = day.outcome("HSBK", &sent)?;
    Ok(Told::new("within the window")
        .check("accepted", contested)
        .check("Halyk ACSC", format!("Halyk {paid}")))
}

fn recycled_number(day: &mut Day) -> Result<Told, String> {
    let (holder, newcomer) = (customer_of("HSBK", 3)?, customer_of("TSES", 30)?);
    let command = json!({
        "command": "register",
        "phone": holder.phone.to_string(),
        "person": newcomer.person.to_string(),
        "iban": newcomer.iban.as_str(),
        "name": newcomer.name,
    });
    let registered = day.command("TSES", command)?;
    let sent = day.pay("CASP", 3, phone_of("HSBK", 3)?, "32.00")?;
    let suspended = day.lasting_outcome("CASP", &sent)?;
    // The bank that has lost the number gives its entry up.
    let release = json!({ "command": "release", "phone": holder.phone.to_string(), "person": newcomer.person.to_string() });
    let released = day.command("TSES", release)?;
    let sent = day.pay("CASP", 3, phone_of("HSBK", 3)?, "33.00")?;
    let paid = day.lasting_outcome("CASP", &sent)?;
    Ok(Told::new("32.00, released, 33.00")
        .check("accepted", registered)
        .check("RJCT AC06", suspended)
        .check("accepted", released)
        .check("ACSC", paid))
}

fn foreign_entry(day: &mut Day) -> Result<Told, String> {
    let customer = customer_of("HSBK", 1)?;
    let command = json!({ "command": "remove", "phone": customer.phone.to_string(), "person": customer.person.to_string() });
    Ok(Told::new("remove").check("refused entry-unknown", day.command("CASP", command)?))
}

/// Misses cost more than hits, so that guessing numbers soon ends.
fn guard(day: &mut Day) -> Result<Told, String> {
    for number in 0..5_000_u32 {
        let phone = customer_of("HSBK", 10_000 + number)?.phone.to_string();
        let found = find(day, "TSES", &phone)?;
        if found.reason.as_deref() != Some("AC01") {
            return Ok(Told::new("unknown numbers in a row").check("refused NR01", brief(&found)));
        }
    }
    Ok(Told::new("5 000 unknown numbers").check("refused", "answered them all"))
}
