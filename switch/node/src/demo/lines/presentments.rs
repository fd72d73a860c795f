//! A presentment file of an acquirer, and a dispute about a card transaction.

use serde_json::Value;
use torap_bank::card::{Request as CardRequest, Side, WaitFor};
use torap_domain::{CardService, Date, card::Channel};

use super::{
    Line,
    cards::{of_type, order, purchase},
};
use crate::{
    control::Request,
    demo::{
        day::{Day, Told, about},
        lab::Lab,
    },
    presentment::{FileHeader, FileLine},
};

pub(super) static PRESENTED: Line = Line {
    title: "card: a presentment file collects for an authorisation, and gives back",
    rows: &["CP-1", "CP-2", "CP-8"],
    run: presented,
};
pub(super) static DISPUTED: Line = Line {
    title: "card: a chargeback, contested, and ruled",
    rows: &["D-12"],
    run: disputed,
};

/// What the switch knows of a transaction of CASP.
fn history(day: &Day, retrieval: &str) -> Result<Value, String> {
    while day.ctl(&Request::Status)?["follower_lag"] != 0 {}
    let id = format!("CASP:{retrieval}");
    day.ctl(&Request::CardTransaction { id })
}

/// A session of the hosts, MMDD, and the date of today.
fn dates() -> Result<(String, Date), String> {
    let today = super::ancillary::today()?;
    let text = today.to_string().replace('-', "");
    let day = text.get(4..).unwrap_or_default();
    Ok((day.to_owned(), today))
}

/// The host counts what the switch does without a message of it.
fn counted(
    day: &Day,
    (code, side): (&str, Side),
    session: &str,
    amount: &str,
    (credit, back): (bool, bool),
) -> Result<(), String> {
    let request = CardRequest::Counted {
        session: session.to_owned(),
        side,
        amount: amount.to_owned(),
        credit,
        back,
    };
    day.card(code, request).map(|_| ())
}

fn presented(day: &mut Day) -> Result<Told, String> {
    let held = order(
        CardService::PreAuthorisation,
        Channel::Pos,
        "HSBK",
        5,
        "900.00",
    )?;
    let held = day.transact("CASP", held)?;
    let seen = day.card_wait(
        "CASP",
        WaitFor {
            is_answer: true,
            ..about(&held)
        },
    )?;
    let session = seen.session.clone().ok_or("the answer has no DE15")?;
    let known = history(day, &held.reference)?;
    let text = |key: &str| known[key].as_str().unwrap_or_default().to_owned();
    let (_, today) = dates()?;
    let line = |kind, reference: &str, amount: &str| FileLine {
        kind,
        reference: reference.into(),
        retrieval: held.reference.clone(),
        terminal: text("terminal"),
        card: text("card"),
        approval: match kind {
            'P' => seen.approval.clone().unwrap_or_default(),
            _ => String::new(),
        },
        amount: amount.into(),
        date: today.to_string(),
        mcc: "5411".into(),
    };
    let present = |file: &str, lines: Vec<FileLine>, purchases, refunds| Request::CardPresent {
        by: Lab::by(),
        header: FileHeader {
            acquirer: "CASP".into(),
            file_id: file.into(),
            date: today.to_string(),
            lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
            purchases,
            refunds,
        },
        number: 1,
        last: true,
        first: 1,
        numbers: Vec::new(),
        lines,
    };
    let collect = vec![line('P', "DEMO-1", "850.00"), line('P', "DEMO-2", "50.01")];
    day.ctl(&present("DEMO-A", collect, 90_001, 0))?;
    let refund = vec![line('R', "DEMO-3", "100.00")];
    day.ctl(&present("DEMO-B", refund, 0, 10_000))?;
    counted(
        day,
        ("CASP", Side::Acquirer),
        &session,
        "850.00",
        (false, false),
    )?;
    counted(
        day,
        ("CASP", Side::Acquirer),
        &session,
        "100.00",
        (true, false),
    )?;
    let advice = day.card_wait("HSBK", of_type("0220", &held))?;
    Ok(
        Told::new("900.00 held: 850.00 and 50.01 presented, 100.00 back")
            .check("taken over-tolerance", verdicts(day, "DEMO-A")?)
            .check("taken", verdicts(day, "DEMO-B")?)
            .check(
                "issuer 85000",
                format!("issuer {}", advice.amount.unwrap_or(0)),
            ),
    )
}

fn verdicts(day: &Day, file: &str) -> Result<String, String> {
    let shown = day.ctl(&Request::CardPresentments {
        code: Some("CASP".into()),
        file: Some(file.into()),
        after: Some(0),
    })?;
    let rows = shown["shown"].as_array().ok_or("no lines")?;
    let verdicts: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["verdict"].as_str())
        .collect();
    Ok(verdicts.join(" "))
}

fn disputed(day: &mut Day) -> Result<Told, String> {
    let sent = day.transact("CASP", purchase("HSBK", "600.00")?)?;
    let seen = day.card_wait(
        "CASP",
        WaitFor {
            is_answer: true,
            ..about(&sent)
        },
    )?;
    let session = seen.session.ok_or("the answer has no DE15")?;
    let opened = day.ctl(&Request::DisputeOpenCard {
        by: Lab::by(),
        code: "HSBK".into(),
        id: format!("CASP:{}", sent.reference),
        reason: "CC01".into(),
        claim: Some("600.00".into()),
    })?;
    let case = opened["position"].as_u64().ok_or("no case")?;
    let act = |code: Option<&str>, action: &str, amount: Option<&str>| Request::DisputeAct {
        by: Lab::by(),
        case,
        code: code.map(Into::into),
        action: action.into(),
        amount: amount.map(Into::into),
    };
    day.ctl(&act(Some("CASP"), "represent", Some("600.00")))?;
    day.ctl(&act(Some("HSBK"), "escalate", Some("500.00")))?;
    day.ctl(&act(Some("CASP"), "decline", None))?;
    day.ctl(&act(None, "rule", Some("250.00")))?;
    // Three steps moved obligations: back, forth, and back.
    for (amount, back) in [("600.00", true), ("600.00", false), ("250.00", true)] {
        counted(
            day,
            ("CASP", Side::Acquirer),
            &session,
            amount,
            (false, back),
        )?;
        counted(day, ("HSBK", Side::Issuer), &session, amount, (false, back))?;
    }
    let shown = day.ctl(&Request::Disputes {
        case: Some(case),
        code: None,
        open: false,
    })?;
    let field = |key: &str| shown[key].as_str().unwrap_or_default().to_owned();
    Ok(
        Told::new("600.00 charged back and represented, 250.00 awarded")
            .check("ruled", field("end"))
            .check("250.00 stands", format!("{} stands", field("stands"))),
    )
}
