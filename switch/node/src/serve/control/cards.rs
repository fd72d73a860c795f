//! The card side as the operator sees and changes it.

use serde_json::{Value, json};
use torap_domain::{Date, Money, ParticipantId, Span, card::Prefix};
use torap_engine::{
    Command,
    cards::{
        self, BinRange, Channels, FeeRow, LifetimeRow, Rate, Services, Side, StopAction, StopCause,
        Sum, TablePart, Totals,
    },
};
use torap_gateway::card::vault::CardVault;

use super::{change, decide, keys, show};
use crate::{
    control::{By, CardShow, Refusal, Request},
    serve::{
        card::Cards,
        seed::card::{CardTables, Ground, PlacedPart},
        switch::{Switch, wall_clock},
    },
};

/// Rows of a table that are shown at once.
const ROWS_MAX: usize = 1_000;

pub(super) async fn show(switch: &Switch, what: CardShow) -> Result<Value, Refusal> {
    let cards = side(switch)?;
    match what {
        CardShow::Status => status(switch, cards).await,
        CardShow::Bins { prefix } => bins(switch, cards, prefix.as_deref()),
        CardShow::Rules => rules(switch).await,
        CardShow::Sessions => sessions(switch).await,
    }
}

pub(super) fn side(switch: &Switch) -> Result<&Cards, Refusal> {
    switch.cards.as_deref().ok_or_else(|| {
        Refusal::of_request(
            "card",
            "this switch has no card side: torap.toml needs a [card] section",
        )
    })
}

/// Members, links, HSMs and what waits.
async fn status(switch: &Switch, cards: &Cards) -> Result<Value, Refusal> {
    let (views, debits, stats, session) = show::ask(switch, |engine| {
        let views: Vec<_> = engine.card_members().collect();
        let debits: Vec<Money> = views
            .iter()
            .map(|view| engine.card_net_debit(view.participant))
            .collect();
        let session = engine.card_sessions().map(|totals| totals.session).max();
        (views, debits, engine.card_stats(), session)
    })
    .await?;
    let links = cards.links.all();
    let members: Vec<Value> = views
        .iter()
        .zip(debits)
        .map(|(view, net_debit)| {
            let code = code(switch, view.participant);
            let (pin_sets, mac_sets) = cards.key_sets(&code);
            json!({
                "participant": code,
                "signed_on": view.signed_on,
                "links": links.iter().filter(|link| link.participant == view.participant).count(),
                "roles": roles(&view.profile),
                "host": view.profile.host.map(|host| self::code(switch, host)),
                "institutions": view.profile.institutions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                "dialect": view.profile.dialect.as_str(),
                "mac": view.profile.mac,
                "key_set": view.profile.key_set,
                "key_set_before": view.keys.before.map(keys::before),
                "key_change": view.keys.change.as_ref().map(keys::change),
                "last_key_change": view.keys.last.as_ref().map(keys::outcome),
                "pin_key_sets": words(&pin_sets),
                "mac_key_sets": words(&mac_sets),
                "queued": view.queued,
                "net_debit": show::decimal(net_debit),
                "cap": view.profile.cap.map(show::decimal),
            })
        })
        .collect();
    let links: Vec<Value> = links
        .iter()
        .map(|link| {
            json!({
                "link": link.number.0,
                "participant": code(switch, link.participant),
                "address": link.address.to_string(),
                "seconds": link.since.elapsed().as_secs(),
                "waiting": link.mailbox.waiting(),
            })
        })
        .collect();
    let hsms: Vec<Value> = cards
        .hsms
        .views()
        .into_iter()
        .map(|hsm| {
            json!({
                "address": hsm.address.to_string(),
                "up": hsm.name.is_some(),
                "name": hsm.name,
                "under_way": hsm.under_way,
                "answered": hsm.answered,
                "failed": hsm.failed,
                "late": hsm.late,
            })
        })
        .collect();
    Ok(json!({
        "session": session.map(date),
        "in_flight": stats.in_flight,
        "remembered": stats.window_entries,
        "authorisations": stats.authorisations,
        "queued": stats.queued,
        "stopped_cards": stats.stopped_cards,
        "bin_table_version": cards.network().bins.version(),
        "members": members,
        "links": links,
        "hsms": hsms,
    }))
}

fn bins(switch: &Switch, cards: &Cards, prefix: Option<&str>) -> Result<Value, Refusal> {
    let is_prefix = |text: &str| {
        (1..=usize::from(Prefix::DIGITS_MAX)).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if prefix.is_some_and(|prefix| !is_prefix(prefix)) {
        let text = format!("1 to {} digits", Prefix::DIGITS_MAX);
        return Err(Refusal::of_request("prefix", text));
    }
    let table = &cards.network().bins;
    let wanted = |range: &&BinRange| {
        prefix.is_none_or(|prefix| range.prefix.to_string().starts_with(prefix))
    };
    let matching = table.ranges().iter().filter(wanted);
    let rows: Vec<Value> = matching
        .take(ROWS_MAX)
        .map(|range| {
            json!({
                "prefix": range.prefix.to_string(),
                "issuer": code(switch, range.issuer),
                "product": range.product,
                "scheme": range.scheme,
                "local": range.local,
                "stand_in": range.stand_in,
                "from": moment(range.from),
                "until": range.until.map(moment),
            })
        })
        .collect();
    Ok(json!({ "version": table.version(), "ranges": table.ranges().len(), "bins": rows }))
}

/// Fees, lifetimes, stand-in rules, schemes and settings.
async fn rules(switch: &Switch) -> Result<Value, Refusal> {
    let (settings, fees, lifetimes, stand_in, schemes) = show::ask(switch, |engine| {
        (
            *engine.card_settings(),
            engine.card_fees().to_vec(),
            engine.card_lifetimes().to_vec(),
            engine.card_stand_in().collect::<Vec<_>>(),
            engine.card_schemes().collect::<Vec<_>>(),
        )
    })
    .await?;
    let stand_in: Vec<Value> = stand_in
        .iter()
        .map(|(number, rule)| {
            json!({
                "number": number,
                "services": services(rule.services),
                "channels": channels(rule.channels),
                "amount_max": show::decimal(rule.amount_max),
                "day_amount_max": show::decimal(rule.day_amount_max),
                "day_count_max": rule.day_count_max,
                "pin_delegated": rule.pin_delegated,
                "cryptogram_keys": rule.cryptogram_keys,
                "floor": show::decimal(rule.floor),
            })
        })
        .collect();
    let schemes: Vec<Value> = schemes
        .iter()
        .map(|(number, scheme)| {
            json!({
                "number": number,
                "host": code(switch, scheme.host),
                "within_ms": scheme.within.millis(),
                "channels": channels(scheme.channels),
                "without": match scheme.without {
                    cards::Without::CarryOn => "carry-on",
                    cards::Without::Decline => "decline",
                },
            })
        })
        .collect();
    Ok(json!({
        "whole_within_ms": settings.whole_within.millis(),
        "issuer_within_ms": settings.issuer_within.millis(),
        "queue_within_ms": settings.queue_within.millis(),
        "queue_within_max_ms": settings.queue_within_max.millis(),
        "transmission_ahead_max_ms": settings.transmission_ahead_max.millis(),
        "transmission_age_max_ms": settings.transmission_age_max.millis(),
        "cut_over_at": settings.cut_over_at.map_or("none".to_string(), time_of_day),
        "window_entries": settings.bounds.window_entries,
        "authorisations_max": settings.bounds.authorisations_max,
        "queue_max": settings.bounds.queue_max,
        "cap_alert_percent": settings.cap_alert_percent,
        "cap_declines": services(settings.cap_declines),
        "stand_in": stand_in,
        "schemes": schemes,
        "fees": fees.iter().take(ROWS_MAX).map(fee).collect::<Vec<_>>(),
        "lifetimes": lifetimes.iter().map(lifetime).collect::<Vec<_>>(),
    }))
}

/// What every member did in each session that is kept.
async fn sessions(switch: &Switch) -> Result<Value, Refusal> {
    let totals = show::ask(switch, |engine| engine.card_sessions().collect::<Vec<_>>()).await?;
    let rows: Vec<Value> = totals
        .iter()
        .flat_map(|row| {
            [("acquirer", &row.acquirer), ("issuer", &row.issuer)]
                .map(|(side, totals)| (row, side, totals))
        })
        .filter(|(_, _, totals)| **totals != Totals::ZERO)
        .map(|(row, side, totals)| {
            json!({
                "session": date(row.session),
                "participant": code(switch, row.participant),
                "side": side,
                "debits": sum(&totals.debits),
                "debit_reversals": sum(&totals.debit_reversals),
                "credits": sum(&totals.credits),
                "credit_reversals": sum(&totals.credit_reversals),
                "fees_paid": show::decimal(totals.fees_paid),
                "fees_received": show::decimal(totals.fees_received),
            })
        })
        .collect();
    Ok(json!({ "sessions": rows }))
}

/// Sets tables, all of them or none: they are one record.
pub(super) async fn set(switch: &Switch, by: &By, tables: &CardTables) -> Result<Value, Refusal> {
    let source = change::source(by)?;
    let placed = parts(switch, tables).await?;
    if let Some(refusal) = fault(switch, &placed).await? {
        return Err(refusal);
    }
    let set: Vec<&str> = placed.iter().map(|placed| placed.part.table()).collect();
    let parts = placed.iter().map(|placed| placed.part.clone()).collect();
    let command = Command::Cards(cards::Command::SetTables { source, parts });
    let mut decided = match decide(switch, command).await {
        Ok(decided) => decided,
        // Something else was set between the check and the record.
        Err(refusal) => return Err(fault(switch, &placed).await?.unwrap_or(refusal)),
    };
    change::follow_up_to(switch, &decided).await;
    if decided.get("proposal").is_none() {
        decided["set"] = set.into();
    }
    Ok(decided)
}

/// The first part that would be refused now, with its place in the file and the rule it breaks.
async fn fault(switch: &Switch, placed: &[PlacedPart]) -> Result<Option<Refusal>, Refusal> {
    let parts: Vec<TablePart> = placed.iter().map(|placed| placed.part.clone()).collect();
    let fault = show::ask(switch, move |engine| engine.card_tables_fault(&parts)).await?;
    Ok(fault.map(|fault| Refusal {
        place: placed
            .get(fault.part)
            .map_or_else(|| "tables".to_string(), |placed| placed.place.clone()),
        rule: fault.rule.name().to_string(),
        text: format!("{}; nothing is set", fault.rule.text()),
        actor: "operator".into(),
    }))
}

/// A request that is one command.
pub(super) async fn command(switch: &Switch, request: Request) -> Result<Command, Refusal> {
    let command = match request {
        Request::CardSet { by, tables } => {
            // What later records change may make it fit or not: it is checked when it takes effect.
            let placed = parts(switch, &tables).await?;
            if placed.is_empty() {
                return Err(Refusal::of_request("tables", "there is nothing to set"));
            }
            cards::Command::SetTables {
                source: change::source(&by)?,
                parts: placed.into_iter().map(|placed| placed.part).collect(),
            }
        }
        Request::CardStop { by, pan, cause } => stop(switch, &by, &pan.0, cause.as_deref())?,
        Request::CardCutOver { by } => cards::Command::CutOver {
            source: change::source(&by)?,
        },
        Request::CardKeyChange {
            by,
            code,
            pin,
            mac,
            overlap_hours,
            bits,
        } => keys::order(switch, &by, &code, (pin, mac), (overlap_hours, bits))?,
        Request::CardKeyCancel { by, code } => keys::cancel(switch, &by, &code)?,
        Request::CardSettle { by, session } => cards::Command::SettleSession {
            source: change::source(&by)?,
            session: Date::parse(&session)
                .map_err(|error| Refusal::of_request("session", error.to_string()))?,
        },
        _ => return Err(Refusal::of_request("request", "it changes nothing")),
    };
    Ok(Command::Cards(command))
}

async fn parts(switch: &Switch, tables: &CardTables) -> Result<Vec<PlacedPart>, Refusal> {
    let (settings, version) = show::ask(switch, |engine| {
        (*engine.card_settings(), engine.card_bins().version())
    })
    .await?;
    let network = switch.network();
    let ground = Ground {
        settings,
        bins_version: version,
        participant: &|code| network.by_code(code).map(|view| view.id),
    };
    tables
        .into_parts(&ground)
        .map_err(|error| Refusal::of_request("tables", error))
}

/// Puts a card on the stop list, or takes it off.
fn stop(
    switch: &Switch,
    by: &By,
    pan: &str,
    cause: Option<&str>,
) -> Result<cards::Command, Refusal> {
    let cards = side(switch)?;
    let vault: &CardVault = cards.vault();
    let card = vault
        .card(pan.as_bytes())
        .map_err(|error| Refusal::of_request("pan", error.to_string()))?;
    let network = cards.network();
    let Some((_, range)) = network.bins.route(pan.as_bytes(), wall_clock()) else {
        return Err(Refusal::of_request("pan", "no BIN range holds this card"));
    };
    let action = match cause {
        None => StopAction::Release,
        Some("lost") => stopped(StopCause::Lost),
        Some("stolen") => stopped(StopCause::Stolen),
        Some("restricted") => stopped(StopCause::Restricted),
        Some(other) => {
            let text = format!("`{other}` is none of lost, stolen, restricted");
            return Err(Refusal::of_request("cause", text));
        }
    };
    Ok(cards::Command::StopList {
        source: change::source(by)?,
        card,
        issuer: range.issuer,
        action,
    })
}

const fn stopped(cause: StopCause) -> StopAction {
    StopAction::Stop { cause }
}

fn code(switch: &Switch, id: ParticipantId) -> String {
    let network = switch.network();
    network.by_id(id).map_or_else(
        || id.value().to_string(),
        |view| view.code.as_str().to_string(),
    )
}

fn roles(profile: &cards::Profile) -> String {
    let roles = [
        (profile.roles.acquirer, "acquirer"),
        (profile.roles.issuer, "issuer"),
        (profile.roles.scheme, "scheme"),
    ];
    let held: Vec<&str> = roles
        .into_iter()
        .filter_map(|(held, role)| held.then_some(role))
        .collect();
    held.join(" ")
}

fn services(set: Services) -> String {
    if set == Services::ALL {
        return "all".into();
    }
    let held = torap_domain::CardService::ALL
        .iter()
        .filter(|service| set.has(**service));
    held.map(|service| service.name())
        .collect::<Vec<_>>()
        .join(" ")
}

fn channels(set: Channels) -> String {
    if set == Channels::ALL {
        return "all".into();
    }
    let held = torap_domain::card::Channel::ALL
        .iter()
        .filter(|channel| set.has(**channel));
    held.map(|channel| channel.name())
        .collect::<Vec<_>>()
        .join(" ")
}

fn fee(row: &FeeRow) -> Value {
    let tariff = &row.tariff;
    json!({
        "product": row.product,
        "service": row.service.map(|service| service.name()),
        "channel": row.channel.map(|channel| channel.name()),
        "mcc": format!("{}-{}", row.mcc_from, row.mcc_to),
        "amount": format!("{}-{}", show::decimal(row.amount_from), show::decimal(row.amount_to)),
        "from": moment(row.from),
        "until": row.until.map(moment),
        "interchange": rate(&tariff.interchange),
        "to": match tariff.interchange_to {
            Side::Issuer => "issuer",
            Side::Acquirer => "acquirer",
        },
        "switch_acquirer": rate(&tariff.switch_acquirer),
        "switch_issuer": rate(&tariff.switch_issuer),
    })
}

fn rate(rate: &Rate) -> String {
    let percent = format!(
        "{}.{:04}%",
        rate.millionths / 10_000,
        rate.millionths % 10_000
    );
    let most = rate.most.map_or(String::new(), |most| {
        format!(" at most {}", show::decimal(most))
    });
    format!(
        "{} + {percent}, at least {}{most}",
        show::decimal(rate.fixed),
        show::decimal(rate.least)
    )
}

fn lifetime(row: &LifetimeRow) -> Value {
    json!({
        "mcc": format!("{}-{}", row.mcc_from, row.mcc_to),
        "days": row.within.secs() / 86_400,
        "above_percent": row.above_percent,
    })
}

fn sum(sum: &Sum) -> String {
    format!("{} / {}", sum.count, show::decimal(sum.amount))
}

fn words(numbers: &[u16]) -> String {
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    texts.join(" ")
}

fn date(date: Date) -> String {
    date.to_string()
}

fn moment(time: torap_domain::Time) -> String {
    if time.nanos() == 0 {
        return "ever".into();
    }
    time.to_string()
}

fn time_of_day(span: Span) -> String {
    let minutes = span.secs() / 60;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
