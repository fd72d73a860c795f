//! What a day or month comes to, read from the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufWriter, Write},
};

use serde_json::{Value, json};
use torap_domain::{Date, ParticipantId, Position, Span, Time};
use torap_engine::{
    Engine,
    participants::{State, View},
    tariffs::{Charge, Due, Invoice, Table, Usage},
};
use torap_follower::{Measured, Metered, Rebuilt, Until, meter, rebuild};

use super::{PeriodArguments, TariffForm};
use crate::{
    cli::{
        Ending, Failure, print_line,
        replay::{self, Log},
    },
    control::tenge,
    folder::Folder,
};

/// How an invoice is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Csv,
}

/// A stretch of time: from midnight to midnight in UTC+5, the second excluded.
pub(super) struct Period {
    pub(super) name: String,
    pub(super) from: Time,
    pub(super) until: Time,
    /// Monthly minimums are those of whole months.
    is_month: bool,
}

impl Period {
    pub(super) fn of(arguments: &PeriodArguments) -> Result<Period, Failure> {
        let wrong = |key: &str, text: &str, shape: &str| {
            Failure::Usage(format!("--{key}: `{text}`: {shape}"))
        };
        let (name, first, next, is_month) = match (&arguments.month, &arguments.day) {
            (Some(month), _) => {
                let first = Date::parse(&format!("{month}-01"));
                let first = first.map_err(|_| wrong("month", month, "a month as 2026-11"))?;
                let (year, number, _) = first.ymd();
                let next = match number {
                    12 => Date::from_ymd(year + 1, 1, 1),
                    _ => Date::from_ymd(year, number + 1, 1),
                };
                (month, first, next, true)
            }
            (None, Some(day)) => {
                let date = Date::parse(day);
                let date = date.map_err(|_| wrong("day", day, "a date as 2026-11-28"))?;
                (day, date, Some(date.add_days(1)), false)
            }
            (None, None) => return Err(Failure::Usage("--month or --day is needed".into())),
        };
        match (first.start(), next.and_then(Date::start)) {
            (Some(from), Some(until)) => Ok(Period {
                name: name.clone(),
                from,
                until,
                is_month,
            }),
            _ => Err(wrong("month", name, "outside of what the log can hold")),
        }
    }
}

/// Meters the period: everything in it goes to `each`, with the state after it.
fn measure(
    log: &Log,
    period: &Period,
    each: &mut dyn FnMut(&Engine, &Metered),
) -> Result<Measured, Failure> {
    let start = before(log, period)?;
    let mut progress = replay::progress();
    let measured = meter(&log.reader, start, period.until, each, &mut progress);
    measured.map_err(|error| log.failed(&error))
}

/// The state at the beginning of the period.
pub(super) fn before(log: &Log, period: &Period) -> Result<Rebuilt, Failure> {
    let before = Until::Time(period.from.saturating_sub(Span::from_nanos(1)));
    let snapshots = log.snapshots.as_ref();
    let start = rebuild(&log.reader, snapshots, before, &mut replay::progress());
    start.map_err(|error| log.failed(&error))
}

pub(super) fn open(folder: &Folder, arguments: &PeriodArguments) -> Result<Log, Failure> {
    replay::open(folder, arguments.archive.clone(), arguments.from_genesis)
}

/// Adds what was metered, priced by the table in force at its record.
fn add(invoice: &mut Invoice, engine: &Engine, metered: &Metered) {
    match metered {
        Metered::Usage(usage) => {
            let (table, since) = engine.tariff();
            for charge in table.charges(usage) {
                invoice.add(usage, &charge, since);
            }
        }
        Metered::CardFee { participant, fee } => invoice.add_taken(*participant, *fee),
    }
}

pub(super) fn invoice(
    folder: &Folder,
    arguments: &PeriodArguments,
    participant: Option<&str>,
    form: Form,
) -> Result<Ending, Failure> {
    let period = Period::of(arguments)?;
    let log = open(folder, arguments)?;
    let mut invoice = Invoice::new();
    let measured = measure(&log, &period, &mut |engine, metered| {
        add(&mut invoice, engine, metered);
    })?;
    let codes = codes(&measured.engine);
    let wanted = wanted(&codes, participant)?;
    let last = measured.recovered.last.time;
    let table = measured.engine.tariff().0.clone();
    let table = Minimums::of(table, &measured.engine, &period, last);
    match form {
        Form::Csv => {
            csv(&period, &invoice, &codes, wanted, &table)?;
            // The last line: a file without it was cut off.
            let stands = if measured.complete {
                "complete"
            } else {
                "incomplete"
            };
            print_line(&format!("{},,{stands},,,,,,,", period.name))?;
        }
        Form::Json => print_line(&json(&period, &invoice, &measured, wanted, &table).to_string())?,
        Form::Text => {
            let value = json(&period, &invoice, &measured, wanted, &table);
            print_text(&value)?;
        }
    }
    Ok(Ending::Done)
}

/// Every charge by itself, in the order of the log.
pub(super) fn export(
    folder: &Folder,
    arguments: &PeriodArguments,
    participant: Option<&str>,
    as_json: bool,
) -> Result<Ending, Failure> {
    let period = Period::of(arguments)?;
    let log = open(folder, arguments)?;
    let end = rebuild(
        &log.reader,
        log.snapshots.as_ref(),
        Until::End,
        &mut replay::progress(),
    );
    let codes = codes(&end.map_err(|error| log.failed(&error))?.engine);
    let wanted = wanted(&codes, participant)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut written = if as_json {
        Ok(())
    } else {
        let heading = "position,time,item,pays,participant,other,amount,bytes,count,table,row,fee";
        writeln!(out, "{heading}")
    };
    measure(&log, &period, &mut |engine, metered| {
        let Metered::Usage(usage) = metered else {
            return;
        };
        let (table, since) = engine.tariff();
        for charge in table.charges(usage) {
            if written.is_ok() && wanted.is_none_or(|only| only == charge.participant) {
                let row = single(usage, &charge, since, &codes);
                written = if as_json {
                    writeln!(out, "{row}")
                } else {
                    writeln!(out, "{}", comma(&row))
                };
            }
        }
    })?;
    let written = written.and_then(|()| out.flush());
    written.map_err(|error| Failure::Failed(format!("standard output: {error}")))?;
    Ok(Ending::Done)
}

/// What a period came to by the tables that were in force, and would have by another.
pub(super) fn attempt(
    folder: &Folder,
    arguments: &PeriodArguments,
    tried: &TariffForm,
    as_json: bool,
) -> Result<Ending, Failure> {
    let period = Period::of(arguments)?;
    let log = open(folder, arguments)?;
    let end = rebuild(
        &log.reader,
        log.snapshots.as_ref(),
        Until::End,
        &mut replay::progress(),
    );
    let end = end.map_err(|error| log.failed(&error))?.engine;
    let codes = codes(&end);
    let id = |code: &str| {
        let mut codes = codes.iter();
        codes.find(|(_, known)| *known == code).map(|(id, _)| *id)
    };
    let table = tried.table(&id);
    let table =
        table.map_err(|wrong| Failure::Usage(format!("{}: {}", wrong.place, wrong.text)))?;
    let (mut now, mut then) = (Invoice::new(), Invoice::new());
    let measured = measure(&log, &period, &mut |engine, metered| {
        add(&mut now, engine, metered);
        if let Metered::Usage(usage) = metered {
            for charge in table.charges(usage) {
                then.add(usage, &charge, Position::ZERO);
            }
        }
    })?;
    let last = measured.recovered.last.time;
    let in_force = measured.engine.tariff().0.clone();
    let [in_force, tried] =
        [in_force, table].map(|table| Minimums::of(table, &measured.engine, &period, last));
    let mut sums = (0_u128, 0_u128);
    let mut rows = Vec::new();
    for (id, code) in &codes {
        let now = in_force.due(&now, *id).total();
        let then = tried.due(&then, *id).total();
        sums = (sums.0.saturating_add(now), sums.1.saturating_add(then));
        rows.push(json!({
            "participant": code,
            "in_force": tenge(now),
            "tried": tenge(then),
            "difference": difference(now, then),
        }));
    }
    let value = json!({
        "period": period.name,
        "complete": measured.complete,
        "records": measured.records,
        "in_force": tenge(sums.0),
        "tried": tenge(sums.1),
        "difference": difference(sums.0, sums.1),
        "participants": rows,
    });
    compared(&value, as_json)
}

pub(super) fn codes(engine: &Engine) -> BTreeMap<ParticipantId, String> {
    let views = engine.participant_views();
    views.map(|view| (view.id, view.code.to_string())).collect()
}

fn wanted(
    codes: &BTreeMap<ParticipantId, String>,
    participant: Option<&str>,
) -> Result<Option<ParticipantId>, Failure> {
    let find = |code: &str| {
        let mut codes = codes.iter();
        let found = codes.find(|(_, known)| *known == code).map(|(id, _)| *id);
        found.ok_or_else(|| Failure::Usage(format!("--participant: `{code}`: no such participant")))
    };
    participant.map(find).transpose()
}

/// Whose minimums hold, by the table in force when the month ends. A day has none, nor a month that has not begun by the end of the log.
struct Minimums {
    table: Table,
    none: Table,
    /// Those that settle themselves and are past their certification.
    whose: BTreeSet<ParticipantId>,
}

impl Minimums {
    /// `last` is the time of the last record.
    fn of(table: Table, engine: &Engine, period: &Period, last: Time) -> Minimums {
        let views = engine.participant_views();
        let has = |view: &View| view.sponsor.is_none() && view.state != State::Certifying;
        let hold = period.is_month && last >= period.from;
        Minimums {
            table,
            none: Table::default(),
            whose: views
                .filter(|view| hold && has(view))
                .map(|view| view.id)
                .collect(),
        }
    }

    /// What the participant owes of the invoice, with what its minimum adds.
    fn due(&self, invoice: &Invoice, id: ParticipantId) -> Due {
        let holds = self.whose.contains(&id);
        invoice.due(id, if holds { &self.table } else { &self.none })
    }
}

fn json(
    period: &Period,
    invoice: &Invoice,
    measured: &Measured,
    wanted: Option<ParticipantId>,
    minimums: &Minimums,
) -> Value {
    let mut total = 0_u128;
    let mut participants = Vec::new();
    let mut lines = Vec::new();
    for (id, code) in codes(&measured.engine) {
        if wanted.is_some_and(|only| only != id) {
            continue;
        }
        let due = minimums.due(invoice, id);
        total = total.saturating_add(due.total());
        participants.push(json!({
            "participant": code,
            "charged": tenge(due.charged),
            "top_up_to_minimum": tenge(due.top_up),
            "due": tenge(due.total()),
            "taken_in_card_sessions": signed(due.taken),
        }));
        let own = invoice.lines().filter(|(key, _)| key.participant == id);
        lines.extend(own.map(|(key, line)| {
            json!({
                "participant": code,
                "item": key.item.name(),
                "pays": key.side.name(),
                "table": key.table.value(),
                "row": key.row,
                "count": line.count,
                "amount": tenge(line.amount),
                "bytes": u64::try_from(line.bytes).unwrap_or(u64::MAX),
                "fee": tenge(line.fee),
            })
        }));
    }
    json!({
        "period": period.name,
        "complete": measured.complete,
        "upto": measured.recovered.last.position.value(),
        "records": measured.records,
        "due": tenge(total),
        "participants": participants,
        "lines": lines,
    })
}

fn csv(
    period: &Period,
    invoice: &Invoice,
    codes: &BTreeMap<ParticipantId, String>,
    wanted: Option<ParticipantId>,
    minimums: &Minimums,
) -> Result<(), Failure> {
    print_line("period,participant,item,pays,table,row,count,amount,bytes,fee")?;
    for (id, code) in codes {
        if wanted.is_some_and(|only| only != *id) {
            continue;
        }
        let name = &period.name;
        for (key, line) in invoice.lines().filter(|(key, _)| key.participant == *id) {
            print_line(&format!(
                "{name},{code},{},{},{},{},{},{},{},{}",
                key.item.name(),
                key.side.name(),
                key.table,
                key.row,
                line.count,
                tenge(line.amount),
                line.bytes,
                tenge(line.fee)
            ))?;
        }
        let due = minimums.due(invoice, *id);
        if due.top_up > 0 {
            let top_up = tenge(due.top_up);
            print_line(&format!("{name},{code},top-up-to-minimum,,,,,,,{top_up}"))?;
        }
        print_line(&format!("{name},{code},due,,,,,,,{}", tenge(due.total())))?;
        if due.taken != 0 {
            let taken = signed(due.taken);
            print_line(&format!(
                "{name},{code},taken-in-card-sessions,,,,,,,{taken}"
            ))?;
        }
    }
    Ok(())
}

/// One charge.
fn single(
    usage: &Usage,
    charge: &Charge,
    table: Position,
    codes: &BTreeMap<ParticipantId, String>,
) -> Value {
    let other = if charge.participant == usage.sender {
        usage.receiver
    } else {
        usage.sender
    };
    let code = |id: ParticipantId| codes.get(&id).cloned().unwrap_or_default();
    json!({
        "position": usage.position.value(),
        "time": usage.at.to_string(),
        "item": usage.item.name(),
        "pays": charge.side.name(),
        "participant": code(charge.participant),
        "other": code(other),
        "amount": tenge(u128::from(usage.amount)),
        "bytes": usage.bytes,
        "count": usage.count,
        "table": table.value(),
        "row": charge.row,
        "fee": tenge(u128::from(charge.fee)),
    })
}

/// The values of a row with commas; none of them holds one.
fn comma(row: &Value) -> String {
    let columns = [
        "position",
        "time",
        "item",
        "pays",
        "participant",
        "other",
        "amount",
        "bytes",
        "count",
        "table",
        "row",
        "fee",
    ];
    let values = columns.map(|column| match &row[column] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    values.join(",")
}

/// Prints what was tried.
pub(super) fn compared(value: &Value, as_json: bool) -> Result<Ending, Failure> {
    if as_json {
        print_line(&value.to_string())?;
    } else {
        print_text(value)?;
    }
    Ok(Ending::Done)
}

fn print_text(value: &Value) -> Result<(), Failure> {
    print_line(super::super::render(value).trim_end()).map_err(Failure::Failed)
}

pub(super) fn signed(minor: i128) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}", tenge(minor.unsigned_abs()))
}

fn difference(before: u128, after: u128) -> String {
    let sign = if after < before { "-" } else { "" };
    format!("{sign}{}", tenge(after.abs_diff(before)))
}
