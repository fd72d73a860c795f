//! Banks that misbehave, links that break, a switch that loses power.

use torap_bank::{Request as BankRequest, WaitFor};

use super::{
    Line,
    payments::{account_of, phone_of},
};
use crate::{
    control::Request,
    demo::{
        day::{Day, Told, brief, kind},
        lab::Lab,
    },
};

pub(super) static SHORT_CLOCKS: Line = Line {
    title: "operator shortens the clocks for the demonstration",
    rows: &[],
    run: short_clocks,
};
pub(super) static REJECTED: Line = Line {
    title: "payee's bank rejects",
    rows: &["O-10"],
    run: rejected,
};
pub(super) static SLOW: Line = Line {
    title: "payee's bank takes its time",
    rows: &["O-01"],
    run: slow,
};
pub(super) static REPEATED_IN_FLIGHT: Line = Line {
    title: "the same payment again in flight",
    rows: &["O-60"],
    run: repeated_in_flight,
};
pub(super) static SILENT: Line = Line {
    title: "payee's bank is silent",
    rows: &["O-11"],
    run: silent,
};
pub(super) static LATE: Line = Line {
    title: "answer after the decision",
    rows: &["O-14"],
    run: late,
};
pub(super) static TWICE: Line = Line {
    title: "payee's bank answers twice",
    rows: &["O-15"],
    run: twice,
};
pub(super) static WRONG_ID: Line = Line {
    title: "answer names another payment",
    rows: &["O-16"],
    run: wrong_id,
};
pub(super) static GARBAGE: Line = Line {
    title: "answer is no XML",
    rows: &["O-50", "O-11"],
    run: garbage,
};
pub(super) static LINK_DOWN: Line = Line {
    title: "payee's link is down",
    rows: &["O-20"],
    run: link_down,
};
pub(super) static LINK_DROPS: Line = Line {
    title: "payee's link drops after the forward",
    rows: &["O-13"],
    run: link_drops,
};
pub(super) static SUSPENDED: Line = Line {
    title: "payee's bank suspended",
    rows: &["O-22", "O-23"],
    run: suspended,
};
pub(super) static NOT_XML: Line = Line {
    title: "text that is no message",
    rows: &["O-50"],
    run: not_xml,
};
pub(super) static POWER_CUT: Line = Line {
    title: "power cut with payments in flight",
    rows: &["O-64", "O-65"],
    run: power_cut,
};

fn set(day: &Day, key: &str, value: u64) -> Result<(), String> {
    day.ctl(&Request::Set {
        by: Lab::by(),
        key: key.into(),
        value: value.into(),
    })
    .map(|_| ())
}

/// Two seconds for the payee's bank in place of seven, so that the day is short.
fn short_clocks(day: &mut Day) -> Result<Told, String> {
    set(day, "receiver_within_ms", 2_000)?;
    set(day, "payment_within_ms", 5_000)?;
    let settings = day.ctl(&Request::Settings)?;
    Ok(Told::new("payee 2 s, whole 5 s").check("2000", settings["receiver_within_ms"].to_string()))
}

fn rejected(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "reject:AC04")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "10.00")?;
    let (payer, payee) = (day.outcome("CASP", &sent)?, day.outcome("HSBK", &sent)?);
    Ok(Told::new("10.00")
        .check("RJCT AC04", payer)
        .check("payee RJCT AC04", format!("payee {payee}")))
}

fn slow(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "delay:1000")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "11.00")?;
    Ok(Told::new("11.00, answer after 1 s").check("ACSC", day.outcome("CASP", &sent)?))
}

fn repeated_in_flight(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "delay:1000")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "12.00")?;
    let forward = WaitFor {
        kind: kind("pacs.008"),
        uetr: Some(sent.uetr.clone()),
        ..WaitFor::default()
    };
    day.wait("HSBK", forward.clone())?;
    day.ask(
        "CASP",
        &BankRequest::PayAgain {
            transaction_id: sent.transaction_id.clone(),
            amount: None,
        },
    )?;
    let pending = WaitFor {
        kind: kind("pacs.002"),
        uetr: Some(sent.uetr.clone()),
        ..WaitFor::default()
    };
    let first = brief(&day.wait("CASP", pending)?);
    let last = day.outcome("CASP", &sent)?;
    let forwards = day.count("HSBK", &forward)?;
    Ok(Told::new("12.00 twice")
        .check("PDNG", first)
        .check("ACSC", last)
        .check("1 forward", format!("{forwards} forward")))
}

fn silent(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "silent")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "13.00")?;
    let (payer, payee) = (day.outcome("CASP", &sent)?, day.outcome("HSBK", &sent)?);
    Ok(Told::new("13.00")
        .check("RJCT AB05", payer)
        .check("payee RJCT AB05", format!("payee {payee}")))
}

fn late(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "delay:3000")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "14.00")?;
    let payer = day.outcome("CASP", &sent)?;
    let decided = WaitFor {
        kind: kind("pacs.002"),
        uetr: Some(sent.uetr.clone()),
        is_final: true,
        ..WaitFor::default()
    };
    let since = day.wait("HSBK", decided)?.number + 1;
    let reply = brief(&day.outcome_since("HSBK", &sent, since)?);
    Ok(Told::new("14.00, answer after 3 s")
        .check("RJCT AB05", payer)
        .check(
            "late bank told RJCT AB05",
            format!("late bank told {reply}"),
        ))
}

fn twice(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "twice")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "15.00")?;
    let payer = day.outcome("CASP", &sent)?;
    let first = WaitFor {
        kind: kind("pacs.002"),
        uetr: Some(sent.uetr.clone()),
        is_final: true,
        ..WaitFor::default()
    };
    let since = day.wait("HSBK", first)?.number + 1;
    let second = brief(&day.outcome_since("HSBK", &sent, since)?);
    Ok(Told::new("15.00")
        .check("ACSC", payer)
        .check("second answer ACSC", format!("second answer {second}")))
}

fn wrong_id(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "wrong-id")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "16.00")?;
    let payer = day.outcome("CASP", &sent)?;
    let rejects = day.count(
        "HSBK",
        &WaitFor {
            kind: kind("admi.002"),
            ..WaitFor::default()
        },
    )?;
    Ok(Told::new("16.00")
        .check("RJCT AB05", payer)
        .check("1 admi.002", format!("{rejects} admi.002")))
}

fn garbage(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "garbage")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "17.00")?;
    let reject = day.wait(
        "HSBK",
        WaitFor {
            kind: kind("admi.002"),
            ..WaitFor::default()
        },
    )?;
    let payer = day.outcome("CASP", &sent)?;
    Ok(Told::new("17.00")
        .check("RJCT AB05", payer)
        .check("admi.002", reject.kind))
}

/// Waits until the switch knows whether the bank's link is up.
fn wait_for_link(day: &Day, code: &str, up: bool) -> Result<(), String> {
    for _ in 0..2_000 {
        let status = day.ctl(&Request::Status)?;
        let rows = status["participants"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if rows
            .iter()
            .any(|row| row["code"] == code && row["up"] == up)
        {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Err(format!(
        "{code}: the link did not become {}",
        if up { "up" } else { "down" }
    ))
}

fn link_down(day: &mut Day) -> Result<Told, String> {
    day.ask("HSBK", &BankRequest::Link { up: false })?;
    wait_for_link(day, "HSBK", false)?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "18.00")?;
    let payer = day.outcome("CASP", &sent)?;
    day.ask("HSBK", &BankRequest::Link { up: true })?;
    wait_for_link(day, "HSBK", true)?;
    Ok(Told::new("18.00").check("RJCT AB08", payer))
}

fn link_drops(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "drop-link")?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "19.00")?;
    let (payer, payee) = (day.outcome("CASP", &sent)?, day.outcome("HSBK", &sent)?);
    wait_for_link(day, "HSBK", true)?;
    Ok(Told::new("19.00")
        .check("RJCT AB05", payer)
        .check("payee RJCT AB05", format!("payee {payee}")))
}

fn suspended(day: &mut Day) -> Result<Told, String> {
    let state = |state: &str| Request::ParticipantState {
        by: Lab::by(),
        code: "IRTY".into(),
        state: state.into(),
    };
    day.ctl(&state("suspended"))?;
    let to = day.pay("CASP", 0, account_of("IRTY", 3)?, "20.00")?;
    let from = day.pay("IRTY", 0, account_of("CASP", 3)?, "20.00")?;
    let (to, from) = (day.outcome("CASP", &to)?, day.outcome("IRTY", &from)?);
    day.ctl(&state("active"))?;
    Ok(Told::new("20.00 each way")
        .check("to RJCT AG11", format!("to {to}"))
        .check("from RJCT AG10", format!("from {from}")))
}

fn not_xml(day: &mut Day) -> Result<Told, String> {
    day.ask(
        "CASP",
        &BankRequest::Raw {
            text: "<Document>".into(),
        },
    )?;
    let reject = day.wait(
        "CASP",
        WaitFor {
            kind: kind("admi.002"),
            ..WaitFor::default()
        },
    )?;
    let sent = day.pay("CASP", 0, phone_of("HSBK", 1)?, "21.00")?;
    Ok(Told::new("`<Document>`")
        .check("admi.002", reject.kind)
        .check(
            "link lives: ACSC",
            format!("link lives: {}", day.outcome("CASP", &sent)?),
        ))
}

/// Payments are forwarded and unanswered when the switch dies; it starts again and every payment comes to one outcome.
fn power_cut(day: &mut Day) -> Result<Told, String> {
    const PAYMENTS: usize = 20;
    day.ask(
        "HSBK",
        &BankRequest::Behave {
            behaviour: "delay:400".into(),
            count: PAYMENTS,
        },
    )?;
    let mut sent = Vec::new();
    for _ in 0..PAYMENTS {
        sent.push(day.pay("CASP", 0, phone_of("HSBK", 1)?, "22.00")?);
    }
    if let Some(last) = sent.last() {
        day.wait(
            "HSBK",
            WaitFor {
                kind: kind("pacs.008"),
                uetr: Some(last.uetr.clone()),
                ..WaitFor::default()
            },
        )?;
    }
    day.lab.kill_switch()?;
    day.lab.start_switch()?;
    day.lab.wait_for_links()?;
    let (mut outcomes, mut agree) = (0, 0);
    for payment in &sent {
        let (payer, payee) = (day.outcome("CASP", payment)?, day.outcome("HSBK", payment)?);
        outcomes += 1;
        agree += usize::from(payer == payee);
    }
    Ok(Told::new(format!("{PAYMENTS} payments, kill -9"))
        .check(
            format!("{PAYMENTS} outcomes"),
            format!("{outcomes} outcomes"),
        )
        .check(format!("{PAYMENTS} agree"), format!("{agree} agree")))
}
