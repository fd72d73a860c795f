//! Requests that change something: each becomes one command in the log.

use serde_json::{Value, json};
use torap_domain::{BankCode, Bic, Money, ParticipantId, Position, Span, Text, Time};
use torap_engine::{
    Bounds, Command, RULES_NEWEST, RULES_OLDEST, Source,
    instant::{self, Limits, RecallRule, Settings},
    participants::{self, Direction, PositionMode, Profile, View},
    schedule,
};
use torap_gateway::translate::command_from_json;

use super::{ancillary, cards, clearing, decide, import, rtgs, tariff};
use crate::{
    control::{By, ParticipantForm, Refusal, Request, RtgsChange},
    folder::{random_bytes, write_secret},
    serve::{
        seed::{money, participant_code, service, state},
        switch::{Switch, wall_clock},
    },
};

pub(super) async fn change(switch: &Switch, request: Request) -> Result<Value, Refusal> {
    match request {
        Request::ParticipantAdd {
            by,
            participant,
            net_debit_cap,
        } => add(switch, &by, &participant, net_debit_cap).await,
        Request::Directory { by, command } => directory_command(switch, &by, &command).await,
        Request::DirectoryImport { by, code, rows } => {
            import::import(switch, &by, &code, &rows).await
        }
        Request::Later { by, at, change } => later(switch, &by, &at, *change).await,
        Request::Withdraw { by, id } => withdraw(switch, &by, id).await,
        request => {
            if let Request::RtgsChange {
                change: RtgsChange::Close,
                ..
            } = &request
            {
                rtgs::may_close(switch).await?;
            }
            let decided = decide(switch, configuration(switch, request).await?).await?;
            follow_up_to(switch, &decided).await;
            Ok(decided)
        }
    }
}

/// Whoever looks after a change of configuration sees it, and the next change starts from it: waits until the read side has applied
/// the record.
pub(super) async fn follow_up_to(switch: &Switch, decided: &Value) {
    let position = Position::new(decided["position"].as_u64().unwrap_or_default());
    // A read side that has ended ends the switch, which says so.
    let _ = switch.follower.ask(position, |_| ()).await;
}

/// Changes of configuration: what may also have an effective time.
async fn configuration(switch: &Switch, request: Request) -> Result<Command, Refusal> {
    match request {
        Request::Set { by, key, value } => set(switch, &by, &key, &value).await,
        Request::RtgsChange { by, change } => {
            rtgs::may_open(switch, &change).await?;
            rtgs::command(switch, &by, &change)
        }
        Request::AncillaryChange { by, change } => ancillary::command(switch, &by, &change),
        request @ (Request::CardSet { .. }
        | Request::CardStop { .. }
        | Request::CardCutOver { .. }
        | Request::CardKeyChange { .. }
        | Request::CardKeyCancel { .. }
        | Request::CardSettle { .. }) => cards::command(switch, request).await,
        request @ Request::ClearingClose { .. } => {
            clearing::may_close(switch).await?;
            clearing::command(request)
        }
        request @ (Request::ClearingWithdraw { .. }
        | Request::ClearingSet { .. }
        | Request::ClearingPurposes { .. }) => clearing::command(request),
        request @ (Request::TariffSet { .. } | Request::TariffNote { .. }) => {
            tariff::command(switch, request)
        }
        request => plain(switch, request),
    }
}

/// Orders a change for later. A participant is added at once, as `certifying`, because its secret is made with it.
async fn later(switch: &Switch, by: &By, at: &str, request: Request) -> Result<Value, Refusal> {
    let at = Time::parse(at).map_err(in_request("effective"))?;
    let now = wall_clock();
    if at <= now || at > now.saturating_add(schedule::AHEAD_MAX) {
        return Err(Refusal::of_request(
            "effective",
            "an effective time lies in the future, at most 400 days ahead",
        ));
    }
    let command = configuration(switch, request).await?;
    if !schedule::may_wait(&command) {
        let text = "this takes effect at once or not at all; it is not ordered for later";
        return Err(Refusal::of_request("effective", text));
    }
    let order = schedule::Command::Order {
        source: source(by)?,
        at,
        command: Box::new(command),
    };
    decide(switch, Command::Schedule(order)).await
}

async fn withdraw(switch: &Switch, by: &By, id: u64) -> Result<Value, Refusal> {
    let id = Position::new(id);
    let waiting = switch
        .ask(move |engine| engine.scheduled().find(|waiting| waiting.id == id))
        .await
        .map_err(in_request("switch"))?;
    let Some(waiting) = waiting else {
        let text = "no change with this id waits; `torap ctl schedule` lists them";
        return Err(Refusal::of_request("id", text));
    };
    let source = source(by)?;
    let at = waiting.at;
    decide(
        switch,
        Command::Schedule(schedule::Command::Withdraw { source, at, id }),
    )
    .await
}

/// Requests that need nothing but their own words and the list of participants.
fn plain(switch: &Switch, request: Request) -> Result<Command, Refusal> {
    let command = match request {
        Request::ParticipantUpdate { by, participant } => {
            let id = participant_id(switch, &participant.code)?;
            participants::Command::Update {
                source: source(&by)?,
                participant: id,
                profile: profile(switch, &participant)?,
            }
        }
        Request::ParticipantState {
            by,
            code,
            state: name,
        } => participants::Command::SetState {
            source: source(&by)?,
            participant: participant_id(switch, &code)?,
            state: state(&name).map_err(in_request("state"))?,
        },
        Request::ParticipantMode {
            by,
            code,
            net_debit_cap,
        } => participants::Command::SetPositionMode {
            source: source(&by)?,
            participant: participant_id(switch, &code)?,
            mode: mode(net_debit_cap.as_deref())?,
        },
        Request::ParticipantSuccessor {
            by,
            code,
            successor,
        } => participants::Command::SetSuccessor {
            source: source(&by)?,
            participant: participant_id(switch, &code)?,
            successor: participant_id(switch, &successor)?,
        },
        Request::Fund {
            by,
            code,
            amount,
            out,
        } => participants::Command::Fund {
            source: source(&by)?,
            participant: participant_id(switch, &code)?,
            direction: if out { Direction::Out } else { Direction::In },
            amount: required_money("amount", &amount)?,
        },
        Request::SetLimits {
            by,
            service: name,
            code,
            payment_max,
            customer_day_amount_max,
            customer_day_count_max,
            participant_day_amount_max,
        } => {
            let limits = Limits {
                payment_max: optional_money("payment_max", payment_max.as_deref())?,
                customer_day_amount_max: optional_money(
                    "customer_day_amount_max",
                    customer_day_amount_max.as_deref(),
                )?,
                customer_day_count_max,
                participant_day_amount_max: optional_money(
                    "participant_day_amount_max",
                    participant_day_amount_max.as_deref(),
                )?,
            };
            let participant = code
                .as_deref()
                .map(|code| participant_id(switch, code))
                .transpose()?;
            let service = service(&name).map_err(in_request("service"))?;
            return Ok(Command::Instant(instant::Command::SetLimits {
                source: source(&by)?,
                service,
                participant,
                limits,
            }));
        }
        Request::SetRecallRule {
            by,
            reason,
            window_ms,
            answer_within_ms,
        } => {
            let reason_code = reason
                .as_bytes()
                .try_into()
                .map_err(|_| Refusal::of_request("reason", "a reason code has four characters"))?;
            return Ok(Command::Instant(instant::Command::SetRecallRule {
                source: source(&by)?,
                rule: RecallRule {
                    reason_code,
                    window: Span::from_millis(window_ms),
                    answer_within: Span::from_millis(answer_within_ms),
                },
            }));
        }
        // A change comes to its own arm, here or before.
        _ => {
            let text = "this command shows something or acts at once: it has no effective time";
            return Err(Refusal::of_request("effective", text));
        }
    };
    Ok(Command::Participants(command))
}

/// Adds the participant and makes its sign-on secret; the secret itself never passes the socket.
async fn add(
    switch: &Switch,
    by: &By,
    form: &ParticipantForm,
    net_debit_cap: Option<String>,
) -> Result<Value, Refusal> {
    let profile = profile(switch, form)?;
    let mode = mode(net_debit_cap.as_deref())?;
    let path = switch.folder.secret(profile.code.as_str());
    let mut result = decide(
        switch,
        Command::Participants(participants::Command::Add {
            source: source(by)?,
            profile,
            mode,
        }),
    )
    .await?;
    if !path.exists() {
        let written = random_bytes().and_then(|secret| write_secret(&path, &secret));
        written.map_err(|error| {
            Refusal::of_request("secret", format!("the participant is added, but {error}"))
        })?;
    }
    result["secret_file"] = path.display().to_string().into();
    Ok(result)
}

async fn directory_command(switch: &Switch, by: &By, command: &Value) -> Result<Value, Refusal> {
    let text = command.to_string();
    let command = command_from_json(
        source(by)?,
        text.as_bytes(),
        &switch.network(),
        switch.lookups(),
    )
    .map_err(|refusal| Refusal {
        place: refusal.path.as_str().to_string(),
        rule: refusal.code.as_str().to_string(),
        text: refusal.rule.as_str().to_string(),
        actor: "operator".into(),
    })?;
    decide(switch, command).await
}

/// Changes one of the rail's settings or of the engine's bounds, by the name that `ctl settings` shows.
async fn set(switch: &Switch, by: &By, key: &str, value: &Value) -> Result<Command, Refusal> {
    if key == "rules_version" {
        let version = value
            .as_u64()
            .and_then(|version| u32::try_from(version).ok());
        let known = version.filter(|version| (RULES_OLDEST..=RULES_NEWEST).contains(version));
        let version = known.ok_or_else(|| {
            let text = format!("{RULES_OLDEST} to {RULES_NEWEST}");
            Refusal::of_request(key, text)
        })?;
        let source = source(by)?;
        return Ok(Command::Rules { source, version });
    }
    let (current, mut bounds) = switch
        .ask(|engine| (*engine.settings(), *engine.bounds()))
        .await
        .map_err(in_request("switch"))?;
    let bound = bounds_of(&mut bounds, &Bounds::MAX).find(|(name, ..)| *name == key);
    if let Some((name, bound, most)) = bound {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let sound = number.filter(|number| (1..=most).contains(number));
        *bound = sound.ok_or_else(|| Refusal::of_request(name, format!("1 to {most}")))?;
        let source = source(by)?;
        return Ok(Command::Bounds { source, bounds });
    }
    Ok(Command::Instant(instant::Command::SetSettings {
        source: source(by)?,
        settings: changed(current, key, value).map_err(in_request(key))?,
    }))
}

fn changed(mut settings: Settings, key: &str, value: &Value) -> Result<Settings, String> {
    let span = || {
        value
            .as_u64()
            .map(Span::from_millis)
            .ok_or("a number of milliseconds")
    };
    let number = || {
        value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .ok_or("a number")
    };
    match key {
        "payment_within_ms" => settings.payment_within = span()?,
        "receiver_within_ms" => settings.receiver_within = span()?,
        "confirm_within_ms" => settings.confirm_within = span()?,
        "clock_skew_max_ms" => settings.clock_skew_max = span()?,
        "return_window_ms" => settings.return_window = span()?,
        "contest_window_ms" => settings.contest_window = span()?,
        "same_participant_allowed" => {
            settings.same_participant_allowed = value.as_bool().ok_or("true or false")?
        }
        "lookup_capacity" => settings.lookup_capacity = number()?,
        "lookup_refill_per_s" => settings.lookup_refill_per_s = number()?,
        "lookup_hit_cost" => settings.lookup_hit_cost = number()?,
        "lookup_miss_cost" => settings.lookup_miss_cost = number()?,
        _ => return Err("there is no such setting; `torap ctl settings` lists them".into()),
    }
    Ok(settings)
}

/// Bounds by the names that `set` takes, each with the most that it may be.
fn bounds_of<'a>(
    bounds: &'a mut Bounds,
    most: &Bounds,
) -> impl Iterator<Item = (&'static str, &'a mut u32, u32)> + use<'a> {
    let Bounds {
        duplicate_window_entries,
        in_flight_max,
        customers_per_day_max,
        open_recalls_max,
        open_qr_codes_max,
        recent_alias_changes_max,
    } = bounds;
    [
        (
            "duplicate_window_entries",
            duplicate_window_entries,
            most.duplicate_window_entries,
        ),
        ("in_flight_max", in_flight_max, most.in_flight_max),
        (
            "customers_per_day_max",
            customers_per_day_max,
            most.customers_per_day_max,
        ),
        ("open_recalls_max", open_recalls_max, most.open_recalls_max),
        (
            "open_qr_codes_max",
            open_qr_codes_max,
            most.open_qr_codes_max,
        ),
        (
            "recent_alias_changes_max",
            recent_alias_changes_max,
            most.recent_alias_changes_max,
        ),
    ]
    .into_iter()
}

pub(super) fn bounds_json(mut bounds: Bounds) -> serde_json::Map<String, Value> {
    bounds_of(&mut bounds, &Bounds::MAX)
        .map(|(name, bound, _)| (name.to_string(), json!(*bound)))
        .collect()
}

/// Settings by the names that `set` takes.
pub(super) fn settings_json(settings: &Settings) -> Value {
    json!({
        "switch_bic": settings.switch_bic.as_str(),
        "payment_within_ms": settings.payment_within.millis(),
        "receiver_within_ms": settings.receiver_within.millis(),
        "confirm_within_ms": settings.confirm_within.millis(),
        "clock_skew_max_ms": settings.clock_skew_max.millis(),
        "return_window_ms": settings.return_window.millis(),
        "contest_window_ms": settings.contest_window.millis(),
        "same_participant_allowed": settings.same_participant_allowed,
        "lookup_capacity": settings.lookup_capacity,
        "lookup_refill_per_s": settings.lookup_refill_per_s,
        "lookup_hit_cost": settings.lookup_hit_cost,
        "lookup_miss_cost": settings.lookup_miss_cost,
    })
}

pub(super) fn recall_rule_json(rule: &RecallRule) -> Value {
    json!({
        "reason": String::from_utf8_lossy(&rule.reason_code),
        "window_ms": rule.window.millis(),
        "answer_within_ms": rule.answer_within.millis(),
    })
}

fn profile(switch: &Switch, form: &ParticipantForm) -> Result<Profile, Refusal> {
    let bics = form
        .bics
        .iter()
        .map(|bic| Bic::parse(bic).map_err(|error| format!("`{bic}`: {error}")));
    let bank_codes = form
        .bank_codes
        .iter()
        .map(|code| BankCode::parse(code).map_err(|error| format!("`{code}`: {error}")));
    let services = match &form.services {
        None => torap_domain::Service::ALL.to_vec(),
        Some(names) => names
            .iter()
            .map(|name| service(name))
            .collect::<Result<_, _>>()
            .map_err(in_request("services"))?,
    };
    Ok(Profile {
        code: participant_code(&form.code).map_err(in_request("code"))?,
        name: Text::try_from(form.name.as_str())
            .map_err(|error| Refusal::of_request("name", error.to_string()))?,
        bics: bics.collect::<Result<_, _>>().map_err(in_request("bics"))?,
        bank_codes: bank_codes
            .collect::<Result<_, _>>()
            .map_err(in_request("bank_codes"))?,
        sponsor: form
            .sponsor
            .as_deref()
            .map(|code| participant_id(switch, code))
            .transpose()?,
        technical_senders: form
            .technical_senders
            .iter()
            .map(|code| participant_id(switch, code))
            .collect::<Result<_, _>>()?,
        services,
        floor: optional_money("floor", form.floor.as_deref())?,
        ceiling: optional_money("ceiling", form.ceiling.as_deref())?,
    })
}

fn mode(net_debit_cap: Option<&str>) -> Result<PositionMode, Refusal> {
    Ok(match optional_money("net_debit_cap", net_debit_cap)? {
        None => PositionMode::Prefunded,
        Some(cap) => PositionMode::NetDebitCap(cap),
    })
}

/// Every change names an operator and a reference.
pub(super) fn source(by: &By) -> Result<Source, Refusal> {
    let text = |key: &str, text: &str| match Text::try_from(text) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(Refusal::of_request(key, "1 to 35 bytes of text")),
    };
    Ok(Source::Operator {
        name: text("operator", &by.operator)?,
        reference: text("reference", &by.reference)?,
    })
}

pub(super) fn participant(switch: &Switch, code: &str) -> Result<View, Refusal> {
    let network = switch.network();
    network
        .by_code(code)
        .cloned()
        .ok_or_else(|| Refusal::of_request("code", format!("there is no participant `{code}`")))
}

pub(super) fn participant_id(switch: &Switch, code: &str) -> Result<ParticipantId, Refusal> {
    participant(switch, code).map(|view| view.id)
}

pub(super) fn optional_money(key: &str, text: Option<&str>) -> Result<Option<Money>, Refusal> {
    money(key, text).map_err(in_request(key))
}

pub(super) fn required_money(key: &str, text: &str) -> Result<Money, Refusal> {
    optional_money(key, Some(text))?.ok_or_else(|| Refusal::of_request(key, "is missing"))
}

pub(super) fn in_request<E: ToString>(place: &str) -> impl Fn(E) -> Refusal {
    move |error| Refusal::of_request(place, error.to_string())
}
