//! IMTS as the operator sees and changes it, and the solver on demand.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use torap_domain::{Date, DayOverride, Money, ParticipantId, Position, Span, Text, Time};
use torap_engine::{
    Command,
    participants::Direction,
    reports,
    settlement::{
        self, AccountView, Change, Done, DueToday, End, Hours, LimitView, Payment, Priority,
        Waiting,
    },
};

use super::{
    change::{self, optional_money, participant_id, required_money},
    decide, show,
};
use crate::{
    control::{
        By, Refusal, RtgsChange, RtgsDay, RtgsHours, RtgsMove, RtgsPriority, RtgsRule, RtgsShow,
    },
    serve::{
        solver,
        switch::{Switch, wall_clock},
    },
};

/// What is due on a day that is to be ended, of which so many are named.
const NAMED_MAX: usize = 8;
/// Payments of the queue that are listed.
const ROWS_MAX: usize = 1_000;

/// Refuses a day of IMTS that would end too late, and names the latest end, which the engine's own refusal does not.
pub(super) async fn may_open(switch: &Switch, change: &RtgsChange) -> Result<(), Refusal> {
    let RtgsChange::Open { until, .. } = change else {
        return Ok(());
    };
    let until =
        Time::parse(until).map_err(|error| Refusal::of_request("until", error.to_string()))?;
    let now = wall_clock();
    let latest = show::ask(switch, move |engine| engine.imts_ends_by(now)).await?;
    match latest.filter(|latest| until > *latest) {
        None => Ok(()),
        Some(latest) => {
            let text = format!("a day ends at {latest} at the latest, when the next one comes");
            Err(Refusal::of_request("until", text))
        }
    }
}

pub(super) async fn show(switch: &Switch, what: RtgsShow) -> Result<Value, Refusal> {
    match what {
        RtgsShow::Status => status(switch).await,
        RtgsShow::Queue { code } => {
            let payer = code
                .as_deref()
                .map(|code| participant_id(switch, code))
                .transpose()?;
            queue(switch, payer).await
        }
        RtgsShow::Done => {
            let done: Vec<Done> =
                show::ask(switch, |engine| engine.settlement_done().collect()).await?;
            let rows: Vec<Value> = done.iter().map(|done| done_row(switch, done)).collect();
            Ok(json!({ "payments": rows }))
        }
        RtgsShow::Limits => {
            let limits: Vec<LimitView> =
                show::ask(switch, |engine| engine.settlement_limits().collect()).await?;
            let rows: Vec<Value> = limits
                .iter()
                .map(|limit| {
                    json!({
                        "participant": code(switch, limit.participant),
                        "towards": limit.towards.map_or("all".into(), |other| code(switch, other)),
                        "amount": show::decimal(limit.amount),
                        "left": show::decimal(limit.left),
                    })
                })
                .collect();
            Ok(json!({ "limits": rows }))
        }
    }
}

async fn status(switch: &Switch) -> Result<Value, Refusal> {
    let (day, accounts, conservation, wants) = show::ask(switch, |engine| {
        (
            engine.imts_day(),
            engine.settlement_accounts().collect::<Vec<AccountView>>(),
            engine.conservation(),
            engine.report_wants().collect::<BTreeMap<_, _>>(),
        )
    })
    .await?;
    let wanted = |id: ParticipantId| wants.get(&id).copied().unwrap_or_default();
    let dates: Vec<Value> = day
        .dates
        .iter()
        .map(|(date, what)| {
            let name = match what {
                DayOverride::Closed => "closed",
                DayOverride::Working => "working",
            };
            json!({ "date": date.to_string(), "day": name })
        })
        .collect();
    let rows: Vec<Value> = accounts
        .iter()
        .map(|account| {
            json!({
                "participant": code(switch, account.participant),
                "balance": show::signed_decimal(account.balance),
                "credit_line": show::decimal(Money::kzt(account.credit_line)),
                "available": show::signed_decimal(account.available),
                "reserved": show::decimal(Money::kzt(account.reserved)),
                "statements": wanted(account.participant).statements,
                "notices": wanted(account.participant).notices,
                "queued": account.queued,
                "queued_amount": show::signed_decimal(
                    i128::try_from(account.queued_amount).unwrap_or(i128::MAX),
                ),
            })
        })
        .collect();
    Ok(json!({
        "open": day.until.is_some(),
        "until": day.until.map(|time| time.to_string()),
        "cut_off": day.cut_off.map(|time| time.to_string()),
        "opens": day.opens.map(|time| time.to_string()),
        "hours": day.hours.map(|hours| {
            let times = [hours.opens, hours.cut_off, hours.closes];
            times.map(written).join(" ")
        }),
        "dates": dates,
        "liquidity_outside_days": if day.keeps_liquidity { "wait" } else { "refuse" },
        "liquidity_waiting": day.liquidity_waiting,
        "conserved": conservation.is_ok(),
        "difference": conservation.err().map(|error| error.to_string()),
        "accounts": rows,
    }))
}

async fn queue(switch: &Switch, payer: Option<ParticipantId>) -> Result<Value, Refusal> {
    let (waiting, count) = show::ask(switch, move |engine| {
        let wanted = |waiting: &Waiting| payer.is_none_or(|payer| waiting.payment.from == payer);
        let listed: Vec<Waiting> = engine
            .settlement_queue()
            .filter(wanted)
            .take(ROWS_MAX)
            .collect();
        (listed, engine.settlement_queue().filter(wanted).count())
    })
    .await?;
    let rows: Vec<Value> = waiting
        .iter()
        .map(|Waiting { id, payment, .. }| {
            json!({
                "id": id.value(),
                "from": code(switch, payment.from),
                "to": code(switch, payment.to),
                "amount": show::decimal(payment.amount),
                "priority": priority_name(payment.priority),
                "reference": payment.reference.as_str(),
                "earliest": payment.earliest.map(|time| time.to_string()),
                "latest": payment.latest.map(|time| time.to_string()),
            })
        })
        .collect();
    Ok(json!({ "waiting": count, "payments": rows }))
}

fn done_row(switch: &Switch, done: &Done) -> Value {
    let (status, reason) = match done.end {
        End::Settled => ("settled", None),
        End::Rejected(reason) => ("rejected", Some(reason.name())),
        End::Withdrawn => ("withdrawn", None),
    };
    json!({
        "id": done.id.value(),
        "from": code(switch, done.from),
        "to": code(switch, done.to),
        "amount": show::decimal(done.amount),
        "reference": done.reference.as_str(),
        "status": status,
        "reason": reason,
        "at": done.at.to_string(),
    })
}

fn code(switch: &Switch, id: ParticipantId) -> String {
    let network = switch.network();
    network
        .by_id(id)
        .map_or_else(String::new, |view| view.code.as_str().to_string())
}

/// A change that is one command.
pub(super) fn command(
    switch: &Switch,
    by: &By,
    requested: &RtgsChange,
) -> Result<Command, Refusal> {
    let source = change::source(by)?;
    let direction = |out: bool| if out { Direction::Out } else { Direction::In };
    let command = match requested {
        RtgsChange::Fund { code, amount, out } => settlement::Command::Fund {
            source,
            participant: participant_id(switch, code)?,
            direction: direction(*out),
            amount: required_money("amount", amount)?,
        },
        RtgsChange::Transfer { code, amount, out } => settlement::Command::Transfer {
            source,
            participant: participant_id(switch, code)?,
            direction: direction(*out),
            amount: required_money("amount", amount)?,
        },
        RtgsChange::Pay {
            from,
            to,
            amount,
            priority: named,
            id,
            earliest,
            latest,
        } => settlement::Command::Pay {
            source,
            payment: Payment {
                from: participant_id(switch, from)?,
                to: participant_id(switch, to)?,
                amount: required_money("amount", amount)?,
                priority: priority(*named),
                reference: Text::try_from(id.as_str())
                    .map_err(|error| Refusal::of_request("id", error.to_string()))?,
                earliest: time("earliest", earliest.as_deref())?,
                latest: time("latest", latest.as_deref())?,
            },
        },
        RtgsChange::Queued { id, to } => settlement::Command::Change {
            source,
            id: Position::new(*id),
            change: match to {
                RtgsMove::Priority(named) => Change::Priority(priority(*named)),
                RtgsMove::Head => Change::ToHead,
                RtgsMove::Tail => Change::ToTail,
                RtgsMove::Withdrawn => Change::Withdraw,
            },
        },
        RtgsChange::QueuedTimes {
            id,
            earliest,
            latest,
        } => settlement::Command::Change {
            source,
            id: Position::new(*id),
            change: Change::Times {
                earliest: time("earliest", earliest.as_deref())?,
                latest: time("latest", latest.as_deref())?,
            },
        },
        RtgsChange::CreditLine { code, amount } => settlement::Command::SetCreditLine {
            source,
            participant: participant_id(switch, code)?,
            amount: required_money("amount", amount)?,
        },
        RtgsChange::Limit {
            code,
            towards,
            amount,
        } => settlement::Command::SetLimit {
            source,
            participant: participant_id(switch, code)?,
            towards: towards
                .as_deref()
                .map(|code| participant_id(switch, code))
                .transpose()?,
            amount: optional_money("amount", amount.as_deref())?,
        },
        RtgsChange::Reserve { code, amount } => settlement::Command::Reserve {
            source,
            participant: participant_id(switch, code)?,
            amount: required_money("amount", amount)?,
        },
        RtgsChange::Open { cut_off, until } => settlement::Command::Open {
            source,
            cut_off: time("cut_off", cut_off.as_deref())?,
            until: Time::parse(until)
                .map_err(|error| Refusal::of_request("until", error.to_string()))?,
        },
        RtgsChange::Close | RtgsChange::CloseRegardless => settlement::Command::Close { source },
        RtgsChange::Hours { hours: stated } => settlement::Command::SetHours {
            source,
            hours: stated.as_ref().map(hours).transpose()?,
        },
        RtgsChange::KeepLiquidity { keeps } => settlement::Command::KeepLiquidity {
            source,
            keeps: *keeps,
        },
        RtgsChange::Reports {
            code,
            statements,
            notices,
        } => {
            return Ok(Command::Reports(reports::Command::SetWants {
                source,
                participant: participant_id(switch, code)?,
                wants: reports::Wants {
                    statements: *statements,
                    notices: *notices,
                },
            }));
        }
        RtgsChange::Day { date, day } => settlement::Command::SetDay {
            source,
            date: Date::parse(date)
                .map_err(|error| Refusal::of_request("date", error.to_string()))?,
            day: match day {
                RtgsDay::Closed => Some(DayOverride::Closed),
                RtgsDay::Working => Some(DayOverride::Working),
                RtgsDay::ByRule => None,
            },
        },
    };
    Ok(Command::Settlement(command))
}

/// Refuses to end a business day by hand on which something is still to settle, and names it.
pub(super) async fn may_close(switch: &Switch) -> Result<(), Refusal> {
    let now = wall_clock();
    let due = show::ask(switch, move |engine| engine.imts_due_today(now)).await?;
    if due.is_empty() {
        return Ok(());
    }
    let named = due.iter().take(NAMED_MAX).map(due_text);
    let mut named: Vec<String> = named.collect();
    if due.len() > NAMED_MAX {
        named.push(format!("{} more", due.len() - NAMED_MAX));
    }
    let text = format!(
        "still to settle today: {}; `rtgs close --regardless` ends the day all the same",
        named.join(", ")
    );
    Err(Refusal {
        place: "day".to_owned(),
        rule: "settlement-due".to_owned(),
        text,
        actor: "operator".to_owned(),
    })
}

fn due_text(due: &DueToday) -> String {
    match due {
        DueToday::Clearing {
            session,
            closes,
            items,
        } => format!("clearing session {session} at {closes} with {items} items"),
        DueToday::Cards {
            session,
            cycle,
            until: Some(until),
        } => format!("card nets {session}/{cycle}, whose debtors have until {until}"),
        DueToday::Cards {
            session,
            cycle,
            until: None,
        } => format!("card nets {session}/{cycle}, which wait"),
        DueToday::Delivery { reference, expires } => {
            format!("delivery {reference}, which waits until {expires}")
        }
    }
}

/// Looks for payments that settle all at once, on threads of the read side, and submits them as one command.
pub(super) async fn resolve(
    switch: &Switch,
    by: &By,
    rule: RtgsRule,
    steps_max: u64,
) -> Result<Value, Refusal> {
    let source = change::source(by)?;
    let failed = |text: String| Refusal::of_request("queue", text);
    let found = solver::solve(switch, rule, steps_max)
        .await
        .map_err(failed)?;
    if found.payments.is_empty() {
        return Ok(json!({ "settled": 0, "amount": "0.00", "steps": found.steps }));
    }
    let count = found.payments.len();
    let resolve = settlement::Command::Resolve {
        source,
        payments: found.payments,
    };
    let mut decided = decide(switch, Command::Settlement(resolve)).await?;
    change::follow_up_to(switch, &decided).await;
    decided["settled"] = count.into();
    decided["amount"] =
        show::signed_decimal(i128::try_from(found.value).unwrap_or(i128::MAX)).into();
    decided["steps"] = found.steps.into();
    Ok(decided)
}

fn time(place: &str, text: Option<&str>) -> Result<Option<Time>, Refusal> {
    text.map(Time::parse)
        .transpose()
        .map_err(|error| Refusal::of_request(place, error.to_string()))
}

fn hours(stated: &RtgsHours) -> Result<Hours, Refusal> {
    let hours = Hours {
        opens: time_of_day("opens", &stated.opens)?,
        cut_off: time_of_day("cut_off", &stated.cut_off)?,
        closes: time_of_day("closes", &stated.closes)?,
    };
    if hours.are_sound() {
        Ok(hours)
    } else {
        let text = "a day opens before its cut-off, and closes at it or after it";
        Err(Refusal::of_request("hours", text))
    }
}

/// `HH:MM` from 00:00 to 24:00.
pub(super) fn time_of_day(place: &str, text: &str) -> Result<Span, Refusal> {
    let number = |digits: &str| {
        let sound = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        sound.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let parts = text.split_once(':');
    let parts = parts.and_then(|(hours, minutes)| number(hours).zip(number(minutes)));
    match parts {
        Some((hours, minutes)) if minutes < 60 && hours * 60 + minutes <= 24 * 60 => {
            Ok(Span::from_secs((hours * 60 + minutes) * 60))
        }
        _ => {
            let rule = format!("`{text}` is not a time of day as 09:00");
            Err(Refusal::of_request(place, rule))
        }
    }
}

pub(super) fn written(span: Span) -> String {
    let minutes = span.secs() / 60;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn priority(named: RtgsPriority) -> Priority {
    match named {
        RtgsPriority::CentralBank => Priority::CentralBank,
        RtgsPriority::High => Priority::High,
        RtgsPriority::Normal => Priority::Normal,
    }
}

fn priority_name(priority: Priority) -> &'static str {
    match priority {
        Priority::CentralBank => "central-bank",
        Priority::High => "high",
        Priority::Normal => "normal",
    }
}
