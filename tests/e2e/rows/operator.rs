//! What the operator does, and what the banks are told of it.

use torap_bank::{Request as Bank, WaitFor};
use torap_node::demo::{Day, Line, Told};

use super::{Case, about, account_of, form, fund, go_through, next_number, set_state, update};

pub(super) const CASES: &[Case] = &[
    Case {
        line: Line {
            title: "a position falls below its floor and rises above its ceiling",
            rows: &["O-180", "O-181"],
            run: floor_and_ceiling,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "the operator changes a bank's state",
            rows: &["O-182"],
            run: states,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "suspended with a payment in flight",
            rows: &["O-183"],
            run: suspended_in_flight,
        },
        moved: &[("CASP", -183), ("HSBK", 183)],
    },
    Case {
        line: Line {
            title: "banks that are not active",
            rows: &["O-22", "O-23"],
            run: not_active,
        },
        moved: &[],
    },
];

#[test]
fn the_operators_acts_are_told_as_documented() {
    go_through(CASES);
}

/// The next notice that the bank got from message `since` on: code and parameters.
fn notice(day: &Day, code: &str, event: &str, since: u64) -> Result<String, String> {
    let filter = WaitFor {
        since,
        kind: Some("admi.004".into()),
        status: Some(event.into()),
        ..WaitFor::default()
    };
    let seen = day.wait(code, filter)?;
    Ok(seen.text.unwrap_or_default())
}

/// Whether a notice has these words among its parameters.
fn says(text: &str, words: &[&str]) -> String {
    let parts: Vec<&str> = text.split([' ', ':']).collect();
    let has_all = words.iter().all(|word| parts.contains(word));
    if has_all {
        words.join(" ")
    } else {
        text.to_string()
    }
}

fn count(day: &Day, code: &str, event: &str) -> Result<String, String> {
    let filter = WaitFor {
        kind: Some("admi.004".into()),
        status: Some(event.into()),
        ..WaitFor::default()
    };
    Ok(format!("{} {event}", day.count(code, &filter)?))
}

fn floor_and_ceiling(day: &mut Day) -> Result<Told, String> {
    // 100,000 tenge at the start, the floor at 50,000.
    let since = next_number(day, "TSES")?;
    fund(day, "TSES", -60_000)?;
    let out = says(&notice(day, "TSES", "FUND", since)?, &["OUT", "60000.00"]);
    let fell = says(&notice(day, "TSES", "FLOR", since)?, &["40000.00"]);
    let since = next_number(day, "TSES")?;
    fund(day, "TSES", -1)?;
    notice(day, "TSES", "FUND", since)?;
    let since = next_number(day, "TSES")?;
    fund(day, "TSES", 60_001)?;
    let back = says(&notice(day, "TSES", "FUND", since)?, &["IN", "60001.00"]);
    let once = count(day, "TSES", "FLOR")?;
    let mut narrow = form("TSES");
    narrow.ceiling = Some("150000.00".into());
    update(day, narrow)?;
    let since = next_number(day, "TSES")?;
    fund(day, "TSES", 60_000)?;
    let rose = says(&notice(day, "TSES", "CEIL", since)?, &["160000.00"]);
    fund(day, "TSES", -60_000)?;
    update(day, form("TSES"))?;
    Ok(Told::new("40,000.00, 39,999.00, 160,000.00")
        .check("OUT 60000.00", out)
        .check("40000.00", fell)
        .check("IN 60001.00", back)
        .check("1 FLOR", once)
        .check("160000.00", rose))
}

fn states(day: &mut Day) -> Result<Told, String> {
    let mut told = Told::new("IRTY");
    for state in [
        "suspended",
        "suspended-debits",
        "suspended-credits",
        "closing",
        "certifying",
        "active",
    ] {
        let since = next_number(day, "IRTY")?;
        set_state(day, "IRTY", state)?;
        let heard = says(&notice(day, "IRTY", "PART", since)?, &[state]);
        told = told.check(state, heard);
    }
    Ok(told)
}

fn suspended_in_flight(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "silent")?;
    let sent = day.pay("CASP", 83, account_of("HSBK", 83)?, "183.00")?;
    day.wait("HSBK", about("pacs.008", &sent))?;
    set_state(day, "HSBK", "suspended")?;
    set_state(day, "CASP", "suspended")?;
    let answer = Bank::Answer {
        uetr: sent.uetr.clone(),
        transaction_id: sent.transaction_id.clone(),
        reason: None,
    };
    day.ask("HSBK", &answer)?;
    let (payer, payee) = (day.outcome("CASP", &sent)?, day.outcome("HSBK", &sent)?);
    set_state(day, "HSBK", "active")?;
    set_state(day, "CASP", "active")?;
    Ok(Told::new("183.00, both banks suspended meanwhile")
        .check("ACSC", payer)
        .check("ACSC", payee))
}

fn not_active(day: &mut Day) -> Result<Told, String> {
    let pay = |from: &str, to: &str| -> Result<String, String> {
        Ok(super::pay(day, (from, 22), account_of(to, 22)?, "22.00")?.1)
    };
    let mut told = Told::new("22.00 each way");
    for (state, from, to) in [
        ("suspended-debits", "RJCT AG10", None),
        ("suspended-credits", "", Some("RJCT AG11")),
        ("certifying", "RJCT DNOR", Some("RJCT CNOR")),
        ("closing", "RJCT DNOR", Some("RJCT CNOR")),
    ] {
        set_state(day, "IRTY", state)?;
        if !from.is_empty() {
            told = told.check(from, pay("IRTY", "CASP")?);
        }
        if let Some(expected) = to {
            told = told.check(expected, pay("CASP", "IRTY")?);
        }
    }
    set_state(day, "IRTY", "active")?;
    Ok(told)
}
