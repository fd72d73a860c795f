//! The clearing system as the operator sees and runs it, and the door for files of items.

mod purposes;

use serde_json::{Value, json};
use torap_domain::{
    Date, DayOverride, EndToEndId, Iban, IinBin, InstructionId, Knp, MessageId, Money, SectorCode,
    Span, TransactionId, Uetr,
};
use torap_engine::{
    Command, Engine, Outcome, Status,
    clearing::{
        self, FileKey, FileView, Line, Order, PIECE_ITEMS_MAX, Party, Piece, Priority, Report, Row,
        Settings, Submit,
    },
    participants::View,
};
use torap_gateway::translate::{file_key, item_fingerprint, payment_key, submission_version};

use super::{change, show};
use crate::{
    control::{ClearingItem, ClearingSettings, ClearingShow, Refusal, Request},
    serve::{
        intake::Stopped,
        switch::{Switch, wall_clock},
    },
};

pub(super) async fn show(switch: &Switch, what: ClearingShow) -> Result<Value, Refusal> {
    match what {
        ClearingShow::Session => session(switch).await,
        ClearingShow::Timetable => timetable(switch).await,
        ClearingShow::Purposes => purposes::show(switch).await,
        ClearingShow::Report { session } => report(switch, session.as_deref()).await,
        ClearingShow::Item { uetr } => item(switch, &uetr).await,
        ClearingShow::File { code, file } => {
            let (_, question) = file_of(switch, &code, &file)?;
            let view = show::ask(switch, question).await?;
            Ok(view.map_or(Value::Null, |view| file_json(&view)))
        }
    }
}

/// Refuses to close a session whose business date lies ahead, and names the date, which the engine's own refusal does not.
pub(super) async fn may_close(switch: &Switch) -> Result<(), Refusal> {
    let now = wall_clock();
    let ahead = show::ask(switch, move |engine| engine.clearing_date_ahead(now)).await?;
    ahead.map_or(Ok(()), |date| {
        let text = format!("the open session is of {date}; it may be closed from that date on");
        Err(Refusal::of_request("session", text))
    })
}

/// A change that is one command.
pub(super) fn command(request: Request) -> Result<Command, Refusal> {
    let command = match request {
        Request::ClearingWithdraw { by, uetr } => clearing::Command::Withdraw {
            source: change::source(&by)?,
            uetr: parsed("uetr", &uetr, Uetr::parse)?,
        },
        Request::ClearingClose { by } => clearing::Command::Close {
            source: change::source(&by)?,
        },
        Request::ClearingSet { by, settings } => clearing::Command::SetSettings {
            source: change::source(&by)?,
            settings: settings_of(&settings)?,
        },
        Request::ClearingPurposes { by, rows } => clearing::Command::SetPurposes {
            source: change::source(&by)?,
            rows: purposes::rows_of(&rows)?,
        },
        _ => return Err(Refusal::of_request("request", "it changes nothing")),
    };
    Ok(Command::Clearing(command))
}

/// One piece of a file, and how far the file has come with it.
pub(super) async fn submit(switch: &Switch, request: Request) -> Result<Value, Refusal> {
    let Request::ClearingSubmit {
        by,
        code,
        file,
        number,
        last,
        items,
    } = request
    else {
        return Err(Refusal::of_request("request", "it submits nothing"));
    };
    let view = change::participant(switch, &code)?;
    if items.is_empty() || items.len() > PIECE_ITEMS_MAX {
        let text = format!("1 to {PIECE_ITEMS_MAX} in a piece");
        return Err(Refusal::of_request("items", text));
    }
    let mut orders = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let order = order(switch, &view, item);
        orders.push(order.map_err(|refusal| Refusal {
            place: format!("items[{place}].{}", refusal.place),
            ..refusal
        })?);
    }
    let message_id = format!("{number}/{file}");
    let message_id = MessageId::parse(message_id.get(..35).unwrap_or(&message_id).trim_end());
    let (key, question) = file_of(switch, &code, &file)?;
    let submit = Submit {
        source: change::source(&by)?,
        message_id: message_id.map_err(|error| Refusal::of_request("file", error.to_string()))?,
        message_version: submission_version(),
        instructing_agent: primary(&view)?,
        piece: Some(Piece {
            file: key,
            number,
            last,
        }),
        items: orders,
        refused: Vec::new(),
    };
    let command = Command::Clearing(clearing::Command::Submit(submit));
    let decided = switch.intake.decide(command).await;
    let decided = decided.map_err(|Stopped| Refusal::of_request("switch", "it is stopping"))?;
    let position = json!({ "position": decided.position.value() });
    change::follow_up_to(switch, &position).await;
    let file = show::ask(switch, question).await?;
    let taken = file.filter(|file| file.next > number);
    match (decided.outcome, taken) {
        (Outcome::Refused(reason), None) => Err(Refusal {
            place: format!("log position {}", decided.position.value()),
            rule: reason.name().to_string(),
            text: reason.text().to_string(),
            actor: reason.actor().to_string(),
        }),
        (outcome, taken) => {
            let mut value = taken.map_or(Value::Null, |file| file_json(&file));
            value["again"] = (outcome == Outcome::AlreadyApplied).into();
            Ok(value)
        }
    }
}

/// A file's key, and the question how far it has come.
fn file_of(
    switch: &Switch,
    code: &str,
    file: &str,
) -> Result<
    (
        FileKey,
        impl FnOnce(&Engine) -> Option<FileView> + Send + 'static,
    ),
    Refusal,
> {
    let participant = change::participant(switch, code)?.id;
    let key = file_key(participant, file);
    Ok((key, move |engine: &Engine| {
        engine.clearing_file(participant, key)
    }))
}

fn file_json(file: &FileView) -> Value {
    let refusals: Vec<Value> = file
        .refusals
        .iter()
        .map(|(index, reason)| {
            json!({ "item": index, "rule": reason.name(), "text": reason.text() })
        })
        .collect();
    json!({
        "next_piece": file.next,
        "accepted": file.accepted,
        "refused": file.refused,
        "complete": file.complete,
        "refusals": refusals,
    })
}

/// An item as a line of a file gives it; the banks are those of the accounts.
fn order(switch: &Switch, debtor: &View, item: &ClearingItem) -> Result<Order, Refusal> {
    let account = |key: &'static str, text: &str| parsed(key, text, Iban::parse);
    let debtor_account = account("debtor_account", &item.debtor_account)?;
    let creditor_account = account("creditor_account", &item.creditor_account)?;
    let network = switch.network();
    let code = creditor_account.bank_code();
    let creditor = code.and_then(|code| network.by_bank_code(code));
    let creditor = creditor.ok_or_else(|| {
        Refusal::of_request("creditor_account", "its bank code leads to no participant")
    })?;
    let party = |agent,
                 account,
                 number: (&'static str, &str),
                 name: (&'static str, &str),
                 sector: (&'static str, &str)| {
        let line = Line::parse(name.1);
        Ok::<Party, Refusal>(Party {
            agent,
            account,
            number: parsed(number.0, number.1, IinBin::parse)?,
            name: line.ok_or_else(|| Refusal::of_request(name.0, "1 to 140 characters"))?,
            sector: parsed(sector.0, sector.1, SectorCode::parse)?,
        })
    };
    let debtor_party = party(
        primary(debtor)?,
        debtor_account,
        ("debtor", &item.debtor),
        ("debtor_name", &item.debtor_name),
        ("kod", &item.kod),
    )?;
    let creditor_party = party(
        primary(creditor)?,
        creditor_account,
        ("creditor", &item.creditor),
        ("creditor_name", &item.creditor_name),
        ("kbe", &item.kbe),
    )?;
    let transaction_id = parsed("transaction_id", &item.transaction_id, TransactionId::parse)?;
    let amount = parsed("amount", &item.amount, |text| {
        Money::parse(text, torap_domain::Asset::Kzt)
    })?;
    let value_date = parsed("value_date", &item.value_date, Date::parse)?;
    let purpose = parsed("purpose", &item.purpose, Knp::parse)?;
    let remittance = (!item.remittance.is_empty()).then(|| Line::parse(&item.remittance));
    Ok(Order {
        key: payment_key(debtor.id, transaction_id.as_str()),
        fingerprint: item_fingerprint(
            amount,
            value_date,
            (&debtor_party.agent, &debtor_party.account),
            (&creditor_party.agent, &creditor_party.account),
            purpose,
            None,
        ),
        uetr: parsed("uetr", &item.uetr, Uetr::parse)?,
        transaction_id,
        instruction_id: None::<InstructionId>,
        end_to_end_id: parsed("end_to_end_id", &item.end_to_end_id, EndToEndId::parse)?,
        amount,
        value_date,
        priority: match item.priority.as_str() {
            "high" => Priority::High,
            "" | "normal" => Priority::Normal,
            _ => return Err(Refusal::of_request("priority", "high, normal, or nothing")),
        },
        debtor: debtor_party,
        creditor: creditor_party,
        purpose,
        remittance: match remittance {
            None => None,
            Some(Some(line)) => Some(line),
            Some(None) => {
                let text = "at most 140 characters, none of them a control character";
                return Err(Refusal::of_request("remittance", text));
            }
        },
        // Lists of beneficiaries come by message only.
        list: None,
    })
}

fn primary(view: &View) -> Result<torap_domain::Bic, Refusal> {
    let bic = view.bics.first().copied();
    bic.ok_or_else(|| Refusal::of_request("code", "the participant has no BIC"))
}

fn settings_of(form: &ClearingSettings) -> Result<Settings, Refusal> {
    let closes_at = form.closes_at.iter().map(|text| {
        time_of_day(text).ok_or_else(|| {
            Refusal::of_request("closes_at", format!("`{text}`: a time of day as 15:00"))
        })
    });
    let mut days = Vec::new();
    for (texts, what) in [
        (&form.closed, DayOverride::Closed),
        (&form.worked, DayOverride::Working),
    ] {
        for text in texts {
            days.push((parsed("closed, worked", text, Date::parse)?, what));
        }
    }
    days.sort_by_key(|(date, _)| *date);
    Ok(Settings {
        amount_max: parsed("amount_max", &form.amount_max, |text| {
            Money::parse(text, torap_domain::Asset::Kzt)
        })?,
        closes_at: closes_at.collect::<Result<_, _>>()?,
        days_ahead: form.days_ahead,
        items_max: form.items_max,
        days,
    })
}

fn time_of_day(text: &str) -> Option<Span> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        (text.len() == 2)
            .then(|| text.parse::<u64>().ok())
            .flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then(|| Span::from_secs(hour * 3600 + minute * 60))
}

async fn timetable(switch: &Switch) -> Result<Value, Refusal> {
    let (settings, common) = show::ask(switch, |engine| {
        let common: Vec<_> = engine.clearing_common_days().collect();
        (engine.clearing_settings().clone(), common)
    })
    .await?;
    let closes_at = settings.closes_at.iter().map(|at| {
        let minutes = at.secs() / 60;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    });
    let days = |days: &[(Date, DayOverride)], wanted: DayOverride| -> Vec<String> {
        let days = days.iter().filter(|(_, what)| *what == wanted);
        days.map(|(date, _)| date.to_string()).collect()
    };
    Ok(json!({
        "closes_at": closes_at.collect::<Vec<_>>(),
        "days_ahead": settings.days_ahead,
        "amount_max": show::decimal(settings.amount_max),
        "items_max": settings.items_max,
        "closed": days(&settings.days, DayOverride::Closed),
        "worked": days(&settings.days, DayOverride::Working),
        "common_closed": days(&common, DayOverride::Closed),
        "common_worked": days(&common, DayOverride::Working),
    }))
}

/// The open session, what waits, and what would come of it now.
async fn session(switch: &Switch) -> Result<Value, Refusal> {
    let (view, forecast) = show::ask(switch, |engine| {
        (engine.clearing_view(), engine.clearing_forecast())
    })
    .await?;
    let waiting: Vec<Value> = view
        .waiting
        .iter()
        .map(|(date, items, amount)| {
            let amount = show::decimal(Money::kzt(*amount));
            json!({ "value_date": date.to_string(), "items": items, "amount": amount })
        })
        .collect();
    Ok(json!({
        "session": view.open.map(|(session, _)| session.to_string()),
        "closes": view.open.map(|(_, closes)| local(closes)),
        "telling": view.telling,
        "items_known": view.items,
        "bytes": view.bytes,
        "waiting": waiting,
        "if_it_closed_now": rows(switch, &forecast),
    }))
}

/// One session, or the last ones in short.
async fn report(switch: &Switch, session: Option<&str>) -> Result<Value, Refusal> {
    let reports: Vec<Report> = show::ask(switch, |engine| {
        engine.clearing_reports().cloned().collect()
    })
    .await?;
    let Some(wanted) = session else {
        let sessions = reports.iter().map(|report| {
            let settled: u64 = report.rows.iter().map(|row| u64::from(row.sent)).sum();
            let left_out: u64 = report.rows.iter().map(|row| u64::from(row.left_out)).sum();
            let amount: u64 = report.rows.iter().map(|row| row.debits).sum();
            json!({
                "session": report.session.to_string(),
                "closed": local(report.closed_at),
                "settled": settled,
                "amount": show::decimal(Money::kzt(amount)),
                "left_out": left_out,
            })
        });
        return Ok(json!({ "sessions": sessions.collect::<Vec<_>>() }));
    };
    let mut found = reports.iter();
    let report = found.find(|report| report.session.to_string() == wanted);
    let report = report.ok_or_else(|| {
        let text = "no such session is remembered; `torap ctl clearing report` lists them";
        Refusal::of_request("session", text)
    })?;
    Ok(json!({
        "session": report.session.to_string(),
        "closed": local(report.closed_at),
        "position": report.closed.value(),
        "participants": rows(switch, &report.rows),
    }))
}

fn rows(switch: &Switch, rows: &[Row]) -> Vec<Value> {
    let decimal = |minor| show::decimal(Money::kzt(minor));
    let rows = rows.iter().map(|row| {
        let net = row.net();
        let sign = if net < 0 { "-" } else { "" };
        let size = u64::try_from(net.unsigned_abs()).unwrap_or(u64::MAX);
        json!({
            "participant": code(switch, row.participant),
            "paid": row.sent,
            "debits": decimal(row.debits),
            "received": row.received,
            "credits": decimal(row.credits),
            "net": format!("{sign}{}", decimal(size)),
            "left_out": row.left_out,
            "left_out_amount": decimal(row.left_out_amount),
        })
    });
    rows.collect()
}

async fn item(switch: &Switch, uetr: &str) -> Result<Value, Refusal> {
    let uetr = parsed("uetr", uetr, Uetr::parse)?;
    let item = show::ask(switch, move |engine| engine.clearing_item(&uetr)).await?;
    let item = item.ok_or_else(|| {
        let text = "no item of this UETR is known; those of earlier dates are in the log alone";
        Refusal::of_request("uetr", text)
    })?;
    let (status, reason) = match item.status {
        Status::Pending => ("PDNG", None),
        Status::Settled => ("ACSC", None),
        Status::Rejected { reason, .. } => ("RJCT", Some(reason.name())),
    };
    Ok(json!({
        "debtor_agent": code(switch, item.debtor_agent),
        "creditor_agent": code(switch, item.creditor_agent),
        "amount": show::decimal(item.amount),
        "value_date": item.value_date.to_string(),
        "status": status,
        "reason": reason,
        "session": item.session.map(|session| session.to_string()),
        "position": item.submitted.value(),
        "item": item.index,
    }))
}

fn code(switch: &Switch, id: torap_domain::ParticipantId) -> String {
    let network = switch.network();
    let view = network.by_id(id);
    view.map_or_else(|| id.value().to_string(), |view| view.code.to_string())
}

fn local(time: torap_domain::Time) -> String {
    let mut text = Vec::new();
    time.write_local(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn parsed<T, E: ToString>(
    key: &str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Refusal> {
    parse(text)
        .map_err(|error| Refusal::of_request(key, format!("`{text}`: {}", error.to_string())))
}
