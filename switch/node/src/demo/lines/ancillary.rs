//! Card nets in IMTS, a day on which IMTS is closed, and the day proved.

use std::time::{Duration, Instant};

use serde_json::Value;
use torap_domain::{Date, Time};

use super::{Line, cards::purchase, rtgs};
use crate::{
    control::{AncillaryChange, AncillaryShow, CardNets, Request, RtgsChange, RtgsDay},
    demo::{
        day::{Day, Told},
        lab::Lab,
    },
};

pub(super) static CARD_NETS: Line = Line {
    title: "card nets settled in IMTS, all at one moment",
    rows: &["S-50", "S-53"],
    run: card_nets,
};
pub(super) static WEEKEND: Line = Line {
    title: "a day off: cards go on under the next date, nets wait for IMTS",
    rows: &["S-51"],
    run: weekend,
};
pub(super) static RECONCILED: Line = Line {
    title: "the day reconciled: what records told against what moved",
    rows: &[],
    run: reconciled,
};

/// How long a session may take to close, while its last requests are decided.
const PATIENCE: Duration = Duration::from_secs(15);

fn change(day: &Day, change: AncillaryChange) -> Result<Value, String> {
    let by = Lab::by();
    day.ctl(&Request::AncillaryChange { by, change })
}

fn imts(day: &Day, change: RtgsChange) -> Result<Value, String> {
    let by = Lab::by();
    day.ctl(&Request::RtgsChange { by, change })
}

fn sessions(day: &Day) -> Result<Value, String> {
    let what = AncillaryShow::Sessions { session: None };
    day.ctl(&Request::Ancillary { what })
}

fn rows(shown: &Value, name: &str) -> Vec<Value> {
    shown[name].as_array().cloned().unwrap_or_default()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

/// Date of the session at this stage.
fn session(day: &Day, stage: &str) -> Result<String, String> {
    let since = Instant::now();
    loop {
        let shown = sessions(day)?;
        let found = rows(&shown, "sessions");
        let found = found.iter().find(|row| row["stage"] == stage);
        match found {
            Some(row) => return Ok(text(row, "session").to_owned()),
            None if since.elapsed() > PATIENCE => return Err(format!("no session is {stage}")),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The states of the settlements that wait, each once.
fn waiting(day: &Day) -> Result<String, String> {
    let mut states: Vec<String> = rows(&sessions(day)?, "waiting")
        .iter()
        .map(|row| text(row, "state").to_owned())
        .collect();
    states.dedup();
    Ok(states.join(" "))
}

/// Gives every debtor of the settlement that is due what it owes, and says who that was.
fn fund_debtors(day: &Day) -> Result<usize, String> {
    let waiting = rows(&sessions(day)?, "waiting");
    let debtors = waiting.iter().filter_map(|row| {
        let owes = text(row, "net").strip_prefix('-')?;
        (text(row, "participant") != "operator").then_some((text(row, "participant"), owes))
    });
    let mut count = 0;
    for (code, owes) in debtors {
        count += 1;
        let (code, amount) = (code.to_owned(), owes.to_owned());
        imts(
            day,
            RtgsChange::Fund {
                code,
                amount,
                out: false,
            },
        )?;
    }
    Ok(count)
}

/// What of a session is not settled.
fn left(day: &Day, date: &str) -> Result<String, String> {
    let shown = rows(&sessions(day)?, "sessions");
    let row = shown.iter().find(|row| row["session"] == date);
    let row = row.ok_or_else(|| format!("no session {date}"))?;
    Ok(text(row, "not_settled").to_owned())
}

fn card_nets(day: &mut Day) -> Result<Told, String> {
    rtgs::open(day)?;
    change(
        day,
        AncillaryChange::Set {
            card_nets: CardNets::Simultaneous,
            within_minutes: 60,
            interim: Vec::new(),
            cap_percent: 0,
        },
    )?;
    let date = session(day, "closed")?;
    let session = date.clone();
    change(day, AncillaryChange::SettleCards { session })?;
    let before = waiting(day)?;
    let debtors = fund_debtors(day)?;
    let told = Told::new(format!("session {date}, {debtors} banks owe"));
    Ok(told
        .check("due", before)
        .check("0.00 left", format!("{} left", left(day, &date)?))
        .check(date, self::session(day, "settled")?))
}

fn weekend(day: &mut Day) -> Result<Told, String> {
    imts(day, RtgsChange::Close)?;
    let today = today()?;
    let date = today.to_string();
    let closed = |date: &str, day| RtgsChange::Day {
        date: date.into(),
        day,
    };
    imts(day, closed(&date, RtgsDay::Closed))?;
    let sent = day.transact("CASP", purchase("IRTY", "640.00")?)?;
    let outcome = day.card_outcome("CASP", &sent)?;
    let session = session(day, "open")?;
    let flipped = Date::parse(&session).map_err(|error| error.to_string())? > today;
    change(
        day,
        AncillaryChange::SettleCards {
            session: session.clone(),
        },
    )?;
    let before = waiting(day)?;
    imts(day, closed(&date, RtgsDay::ByRule))?;
    rtgs::open(day)?;
    fund_debtors(day)?;
    let told = Told::new("640.00 by card while IMTS is closed");
    Ok(told
        .check("0210 00", outcome)
        .check("next date", if flipped { "next date" } else { "same date" })
        .check("queued", before)
        .check("0.00 left", format!("{} left", left(day, &session)?)))
}

pub(super) fn today() -> Result<Date, String> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_err(|error| error.to_string())?;
    let now = u64::try_from(now.as_nanos()).unwrap_or(0);
    Ok(Date::from_time(Time::from_nanos(now)))
}

fn reconciled(day: &mut Day) -> Result<Told, String> {
    let date = today()?.to_string();
    let report = day.ctl(&Request::Reconcile { day: date.clone() })?;
    let rows = rows(&report, "participants");
    let wrong = rows.iter().filter(|row| row["difference"] != "0.00");
    let told = Told::new(format!("{date}, {} records", report["records"]));
    Ok(told.check("true", report["agrees"].to_string()).check(
        "no difference",
        match wrong.count() {
            0 => "no difference".to_owned(),
            count => format!("{count} differences"),
        },
    ))
}
