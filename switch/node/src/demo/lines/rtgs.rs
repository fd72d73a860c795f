//! IMTS: liquidity, the queue, a gridlock.

use serde_json::Value;
use torap_domain::{Span, Time};

use super::Line;
use crate::{
    control::{Request, RtgsChange, RtgsPriority, RtgsRule, RtgsShow},
    demo::{
        day::{Day, Told},
        lab::Lab,
    },
};

pub(super) static TRANSFER: Line = Line {
    title: "liquidity to the instant position and back",
    rows: &["S-40", "S-41"],
    run: transfer,
};
pub(super) static RELEASED: Line = Line {
    title: "a queued payment, released by an incoming one",
    rows: &["S-1", "S-2", "S-3"],
    run: released,
};
pub(super) static GRIDLOCK: Line = Line {
    title: "a gridlock of three banks, resolved",
    rows: &["S-5"],
    run: gridlock,
};

fn change(day: &Day, change: RtgsChange) -> Result<Value, String> {
    let by = Lab::by();
    day.ctl(&Request::RtgsChange { by, change })
}

fn show(day: &Day, what: RtgsShow) -> Result<Value, String> {
    day.ctl(&Request::Rtgs { what })
}

/// A business day that is open for the next hours; opening it again only moves its end.
pub(super) fn open(day: &Day) -> Result<(), String> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_err(|error| error.to_string())?;
    let now = Time::from_nanos(u64::try_from(now.as_nanos()).unwrap_or(0));
    let until = now.saturating_add(Span::from_secs(8 * 3600)).to_string();
    change(
        day,
        RtgsChange::Open {
            cut_off: None,
            until,
        },
    )
    .map(|_| ())
}

/// The record of a payment from one settlement account to another.
fn pay(day: &Day, from: &str, to: &str, amount: &str, id: &str) -> Result<u64, String> {
    let paid = RtgsChange::Pay {
        from: from.into(),
        to: to.into(),
        amount: amount.into(),
        priority: RtgsPriority::Normal,
        id: id.into(),
        earliest: None,
        latest: None,
    };
    change(day, paid)?["position"]
        .as_u64()
        .ok_or_else(|| "no position".into())
}

/// How a payment stands: queued, or its end.
fn status(day: &Day, id: u64) -> Result<String, String> {
    let find = |list: &Value| {
        let rows = list["payments"].as_array().cloned().unwrap_or_default();
        rows.into_iter().find(|row| row["id"] == id)
    };
    if find(&show(day, RtgsShow::Queue { code: None })?).is_some() {
        return Ok("queued".into());
    }
    let done = find(&show(day, RtgsShow::Done)?);
    let status = done.and_then(|row| row["status"].as_str().map(String::from));
    status.ok_or_else(|| format!("payment {id} is nowhere"))
}

fn transfer(day: &mut Day) -> Result<Told, String> {
    open(day)?;
    let (code, amount) = ("HSBK", "250000.00");
    let moved = |out| RtgsChange::Transfer {
        code: code.into(),
        amount: amount.into(),
        out,
    };
    change(
        day,
        RtgsChange::Fund {
            code: code.into(),
            amount: amount.into(),
            out: false,
        },
    )?;
    let balance = |day: &Day| -> Result<String, String> {
        let status = show(day, RtgsShow::Status)?;
        let accounts = status["accounts"].as_array().cloned().unwrap_or_default();
        let account = accounts.iter().find(|row| row["participant"] == code);
        let balance = account.and_then(|row| row["balance"].as_str().map(String::from));
        let conserved = status["conserved"] == true;
        Ok(format!(
            "{}{}",
            balance.unwrap_or_default(),
            if conserved { "" } else { ", not backed" }
        ))
    };
    change(day, moved(false))?;
    let after = balance(day)?;
    change(day, moved(true))?;
    let told = Told::new(format!("{code} {amount}"));
    Ok(told.check("0.00", after).check(amount, balance(day)?))
}

fn released(day: &mut Day) -> Result<Told, String> {
    open(day)?;
    let waits = pay(day, "IRTY", "TSES", "40000.00", "DEMO-WAITS")?;
    let before = status(day, waits)?;
    let incoming = pay(day, "HSBK", "IRTY", "40000.00", "DEMO-INCOMING")?;
    let told = Told::new("IRTY 40,000.00 to TSES; HSBK pays IRTY");
    Ok(told
        .check("queued", before)
        .check("settled", status(day, incoming)?)
        .check("settled", status(day, waits)?))
}

fn gridlock(day: &mut Day) -> Result<Told, String> {
    open(day)?;
    let circle = [("CASP", "IRTY"), ("IRTY", "TSES"), ("TSES", "CASP")];
    let mut ids = Vec::new();
    for (from, to) in circle {
        ids.push(pay(day, from, to, "5000000.00", &format!("DEMO-{from}"))?);
    }
    let all = |day: &Day| -> Result<String, String> {
        let each = ids.iter().map(|id| status(day, *id));
        Ok(each.collect::<Result<Vec<_>, _>>()?.join(" "))
    };
    let before = all(day)?;
    let solved = day.ctl(&Request::RtgsResolve {
        by: Lab::by(),
        rule: RtgsRule::Fifo,
        steps_max: 0,
    })?;
    let told = Told::new("5,000,000.00 in a circle, nobody has it");
    Ok(told
        .check("queued queued queued", before)
        .check("3", solved["settled"].to_string())
        .check("settled settled settled", all(day)?))
}
