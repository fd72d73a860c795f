//! A second pair of eyes: money that one operator brings in by the approval of another.

use serde_json::Value;

use super::Line;
use crate::{
    control::{By, Request},
    demo::day::{Day, Told},
};

pub(super) static APPROVED: Line = Line {
    title: "money that needs a second operator: proposed by one, approved by another",
    rows: &[],
    run: approved,
};

const CODE: &str = "TSES";

fn by(operator: &str) -> By {
    By {
        operator: operator.into(),
        reference: "scripted day".into(),
    }
}

fn families(day: &Day, operator: &str, families: &[&str]) -> Result<Value, String> {
    day.ctl(&Request::ApprovalSet {
        by: by(operator),
        families: families.iter().map(ToString::to_string).collect(),
        within_hours: None,
    })
}

/// The number of a proposal.
fn number(answer: &Value) -> Result<u64, String> {
    let number = answer["proposal"].as_u64();
    number.ok_or_else(|| format!("no proposal: {answer}"))
}

fn approve(day: &Day, operator: &str, id: u64) -> String {
    let by = by(operator);
    match day.ctl(&Request::Approve { by, id }) {
        Ok(_) => "approved".into(),
        Err(_) => "refused".into(),
    }
}

fn balance(day: &Day) -> Result<String, String> {
    let positions = day.ctl(&Request::Positions)?;
    let mut rows = positions["positions"].as_array().into_iter().flatten();
    let row = rows.find(|row| row["participant"] == CODE);
    let balance = row.and_then(|row| row["balance"].as_str());
    balance
        .map(ToOwned::to_owned)
        .ok_or_else(|| format!("{CODE} has no position"))
}

fn fund(day: &Day, out: bool) -> Result<Value, String> {
    day.ctl(&Request::Fund {
        by: by("aigerim"),
        code: CODE.into(),
        amount: "10.00".into(),
        out,
    })
}

/// Money in by two operators, then out by two, and then one suffices again.
fn approved(day: &mut Day) -> Result<Told, String> {
    families(day, "aigerim", &["money"])?;
    let before = balance(day)?;
    let incoming = number(&fund(day, false)?)?;
    let unmoved = balance(day)? == before;
    let own = approve(day, "Aigerim", incoming);
    let other = approve(day, "daniyar", incoming);
    let moved = balance(day)? != before;
    let outgoing = number(&fund(day, true)?)?;
    let again = approve(day, "daniyar", outgoing);
    let after = balance(day)?;
    let ends = number(&families(day, "aigerim", &[])?)?;
    approve(day, "daniyar", ends);
    let words = |unmoved: bool| if unmoved { "nothing moved" } else { "moved" };
    let told = Told::new(format!("{CODE} 10.00 in and out again"));
    Ok(told
        .check("nothing moved", words(unmoved))
        .check("aigerim refused", format!("aigerim {own}"))
        .check("daniyar approved", format!("daniyar {other}"))
        .check("moved", words(!moved))
        .check(format!("approved, {before}"), format!("{again}, {after}")))
}
