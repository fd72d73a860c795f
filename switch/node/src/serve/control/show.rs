//! Requests that only look. Everything shown is durable: it comes from the read side, never from the core's newer state.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use torap_domain::{Money, ParticipantId, Phone, Service};
use torap_engine::{
    Command, Engine, Source,
    codec::Kind,
    directory::Record,
    instant::{self, Limits},
    participants::{self, Direction, PositionMode, State, View},
};
use torap_index::{Index, IndexError};

use super::change;
use crate::{control::Refusal, serve::switch::Switch};

pub(super) async fn status(switch: &Switch) -> Result<Value, Refusal> {
    let durable = switch.durable();
    let applied = switch.follower.applied.load(Ordering::Acquire);
    let stats = ask(switch, |engine| {
        (
            engine.stats(),
            engine.rules_version(),
            engine.conservation().is_ok(),
        )
    })
    .await?;
    let (stats, rules_version, conserved) = stats;
    let views = switch.published.views();
    let links: Vec<Value> =
        views.iter().map(|view| json!({ "code": view.code.as_str(), "up": view.link_up, "state": state_name(view.state) })).collect();
    Ok(json!({
        "mode": crate::serve::listener::wire_mode(switch.config.mode).to_string(),
        "binary": crate::serve::BINARY,
        "epoch": switch.epoch,
        "rules_version": rules_version,
        "durable_position": durable,
        "follower_lag": durable.saturating_sub(applied),
        "intake_waiting": switch.intake.waiting(),
        "in_flight": stats.in_flight,
        "window_entries": stats.window_entries,
        "conserved": conserved,
        "memory_bytes": resident_bytes(),
        "journal": journal(&switch.journal.health()),
        "participants": links,
    }))
}

fn journal(health: &torap_journal::Health) -> Value {
    let counts = &health.counts;
    let mean = counts.records.checked_div(counts.groups).unwrap_or(0);
    json!({
        "segments_ready": health.segments_ready,
        "segments_begun": counts.segments_begun,
        "segments_late": counts.segments_late,
        "preparations_failed": health.preparations_failed,
        "preparation_failure": health.failure,
        "records_each_sync": mean,
        "longest_sync_us": counts.sync_nanos_max / 1_000,
    })
}

pub(super) async fn positions(switch: &Switch) -> Result<Value, Refusal> {
    let (positions, conservation) = ask(switch, |engine| {
        (
            engine.positions().collect::<Vec<_>>(),
            engine.conservation(),
        )
    })
    .await?;
    let network = switch.network();
    let rows: Vec<Value> = positions
        .iter()
        .map(|position| {
            json!({
                "participant": network.by_id(position.participant).map(|view| view.code.as_str().to_string()),
                "balance": signed_decimal(position.posted),
                "held": decimal(Money::kzt(position.held)),
                "credit_line": decimal(Money::kzt(position.credit_line)),
                "available": signed_decimal(position.available),
            })
        })
        .collect();
    let conserved = conservation.is_ok();
    let difference = conservation.err().map(|error| error.to_string());
    Ok(json!({ "positions": rows, "conserved": conserved, "difference": difference }))
}

pub(super) fn participants(switch: &Switch) -> Result<Value, Refusal> {
    Ok(switch
        .published
        .views()
        .iter()
        .map(participant_json)
        .collect())
}

fn participant_json(view: &View) -> Value {
    json!({
        "id": view.id.value(),
        "code": view.code.as_str(),
        "name": view.name.as_str(),
        "bics": view.bics.iter().map(|bic| bic.as_str().to_string()).collect::<Vec<_>>(),
        "bank_codes": view.bank_codes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "services": view.services.iter().map(|service| service.name()).collect::<Vec<_>>(),
        "state": state_name(view.state),
        "link_up": view.link_up,
        "sponsor": view.sponsor.map(|id| id.value()),
        "successor": view.successor.map(|id| id.value()),
        "inbound_last": view.inbound_last.value(),
        "outbound_last": view.outbound_last.value(),
    })
}

pub(super) async fn limits(switch: &Switch) -> Result<Value, Refusal> {
    let rows = ask(switch, |engine| {
        Service::ALL.map(|service| (service, engine.limits(service, None)))
    })
    .await?;
    Ok(rows
        .iter()
        .map(|(service, limits)| limits_json(*service, limits))
        .collect())
}

fn limits_json(service: Service, limits: &Limits) -> Value {
    json!({
        "service": service.name(),
        "payment_max": limits.payment_max.map(decimal),
        "customer_day_amount_max": limits.customer_day_amount_max.map(decimal),
        "customer_day_count_max": limits.customer_day_count_max,
        "participant_day_amount_max": limits.participant_day_amount_max.map(decimal),
    })
}

pub(super) async fn settings(switch: &Switch) -> Result<Value, Refusal> {
    let (settings, bounds, rules) = ask(switch, |engine| {
        (
            *engine.settings(),
            *engine.bounds(),
            engine.recall_rules().collect::<Vec<_>>(),
        )
    })
    .await?;
    let mut shown = change::settings_json(&settings);
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(change::bounds_json(bounds));
    }
    shown["recall_rules"] = rules.iter().map(change::recall_rule_json).collect();
    Ok(shown)
}

/// Changes that wait for their effective time, and what came of the last ones.
pub(super) async fn schedule(switch: &Switch) -> Result<Value, Refusal> {
    let (waiting, done) = ask(switch, |engine| {
        let waiting: Vec<_> = engine.scheduled().collect();
        (waiting, engine.scheduled_done().collect::<Vec<_>>())
    })
    .await?;
    let waiting: Vec<Value> = waiting
        .iter()
        .map(|waiting| {
            let mut row = json!({
                "id": waiting.id.value(),
                "at": waiting.at.to_string(),
                "change": Kind::of(&waiting.command).name(),
                "what": what(switch, &waiting.command),
            });
            if let Some(Source::Operator { name, reference }) = waiting.command.source() {
                row["operator"] = name.as_str().into();
                row["reference"] = reference.as_str().into();
            }
            row
        })
        .collect();
    let done: Vec<Value> = done
        .iter()
        .map(|done| {
            json!({
                "id": done.id.value(),
                "at": done.at.to_string(),
                "position": done.applied.value(),
                "refused": done.refusal.map(|reason| reason.name()),
            })
        })
        .collect();
    Ok(json!({ "waiting": waiting, "done": done }))
}

/// A scheduled change in a few words.
/// A change in few words; empty for kinds that have none.
pub(super) fn what(switch: &Switch, command: &Command) -> String {
    let network = switch.network();
    let code = |id: &ParticipantId| {
        let view = network.by_id(*id);
        view.map_or_else(
            || id.value().to_string(),
            |view| view.code.as_str().to_string(),
        )
    };
    match command {
        Command::Participants(command) => match command {
            participants::Command::Add { profile, .. } => profile.code.as_str().to_string(),
            participants::Command::Update { participant, .. } => code(participant),
            participants::Command::SetState {
                participant, state, ..
            } => {
                format!("{} {}", code(participant), state_name(*state))
            }
            participants::Command::SetPositionMode {
                participant, mode, ..
            } => match mode {
                PositionMode::Prefunded => format!("{} prefunded", code(participant)),
                PositionMode::NetDebitCap(cap) => {
                    format!("{} net debit cap {}", code(participant), decimal(*cap))
                }
            },
            participants::Command::SetSuccessor {
                participant,
                successor,
                ..
            } => {
                format!("{} to {}", code(participant), code(successor))
            }
            participants::Command::Fund {
                participant,
                direction,
                amount,
                ..
            } => {
                let way = match direction {
                    Direction::In => "in",
                    Direction::Out => "out",
                };
                format!("{} {way} {}", code(participant), decimal(*amount))
            }
        },
        Command::Instant(instant::Command::SetSettings { settings, .. }) => {
            change::settings_json(settings).to_string()
        }
        Command::Instant(instant::Command::SetLimits {
            service,
            participant,
            limits,
            ..
        }) => {
            let whose = participant
                .as_ref()
                .map_or_else(String::new, |id| format!("{} ", code(id)));
            format!("{whose}{}", limits_json(*service, limits))
        }
        Command::Rules { version, .. } => format!("version {version}"),
        Command::Bounds { bounds, .. } => Value::from(change::bounds_json(*bounds)).to_string(),
        _ => String::new(),
    }
}

/// What the directory holds of a number. For the operator: names are shown in full.
pub(super) fn directory(switch: &Switch, phone: &str) -> Result<Value, Refusal> {
    let phone =
        Phone::parse(phone).map_err(|error| Refusal::of_request("phone", error.to_string()))?;
    let found = switch.index.alias(phone).map_err(unreadable)?;
    match found.value {
        Some(record) => Ok(record_of_number(&record)),
        None => Err(Refusal::of_request(
            "phone",
            format!("{phone} is not in the directory"),
        )),
    }
}

fn record_of_number(record: &Record) -> Value {
    let persons: Vec<Value> = record
        .persons
        .iter()
        .map(|person| {
            let accounts: Vec<Value> = person
                .accounts
                .iter()
                .zip(0_u8..)
                .map(|(account, number)| {
                    json!({
                        "agent": account.agent.as_str(),
                        "iban": account.iban.as_str(),
                        "name": account.name.as_str(),
                        "default": number == person.default,
                    })
                })
                .collect();
            json!({
                "person": person.person.to_string(),
                "accounts": accounts,
                "claim": person.claim.map(|claim| json!({
                    "position": claim.at.value(),
                    "time": claim.time.to_string(),
                    "consent": claim.consent.as_str(),
                    "contested": claim.contested,
                })),
            })
        })
        .collect();
    json!({
        "phone": record.phone.to_string(),
        "suspended": record.suspended,
        "changed_at": record.changed_at.value(),
        "persons": persons,
    })
}

/// For load runs: processor time of this process, payments with an outcome, conservation.
pub(super) async fn report(switch: &Switch) -> Result<Value, Refusal> {
    let conserved = ask(switch, |engine| engine.conservation().is_ok()).await?;
    Ok(json!({
        "cpu_us": cpu_us(),
        "payments_finished": switch.index.counts().payments,
        "conserved": conserved,
        "durable_position": switch.durable(),
        "memory_bytes": resident_bytes(),
    }))
}

pub(super) async fn snapshot(switch: &Switch) -> Result<Value, Refusal> {
    let info = switch
        .follower
        .snapshot()
        .await
        .map_err(|error| Refusal::of_request("snapshot", error))?;
    Ok(json!({ "position": info.position.value(), "bytes": info.bytes }))
}

pub(super) async fn ask<T: Send + 'static>(
    switch: &Switch,
    question: impl FnOnce(&Engine) -> T + Send + 'static,
) -> Result<T, Refusal> {
    switch
        .ask(question)
        .await
        .map_err(|error| Refusal::of_request("switch", error))
}

pub(super) fn unreadable(error: IndexError) -> Refusal {
    Refusal {
        place: "index".into(),
        rule: "unreadable".into(),
        text: error.to_string(),
        actor: "operator".into(),
    }
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Certifying => "certifying",
        State::Active => "active",
        State::Suspended {
            debits: true,
            credits: true,
        } => "suspended",
        State::Suspended {
            debits: true,
            credits: false,
        } => "suspended-debits",
        State::Suspended { debits: false, .. } => "suspended-credits",
        State::Closing => "closing",
    }
}

pub(super) fn decimal(money: Money) -> String {
    let mut text = Vec::new();
    money.write_decimal(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

pub(super) fn signed_decimal(tiyn: i128) -> String {
    let sign = if tiyn < 0 { "-" } else { "" };
    let size = tiyn.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

/// Processor time of this process, user and system, in microseconds.
pub fn cpu_us() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let micros = time
        .tv_sec
        .saturating_mul(1_000_000)
        .saturating_add(time.tv_nsec / 1_000);
    u64::try_from(micros).unwrap_or(0)
}

/// Resident memory of this process.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
