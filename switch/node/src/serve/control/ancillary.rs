//! Card nets in IMTS and the guarantee fund, as the operator sees and changes them.

use serde_json::{Value, json};
use torap_domain::{Date, Money, ParticipantId, Position, Span, Text, Time};
use torap_engine::{
    Command, Engine,
    ancillary::{
        self, CardSessionView, CardSettlementView, DefaultCase, Delivery, DeliveryState, FundMove,
        KnownDelivery, Leg, LiquidityRule, Method, Net, Report, Row, Settings,
    },
    participants::Direction,
};

use super::{
    change::{self, participant_id, required_money},
    rtgs::{time_of_day, written},
    show,
};
use crate::{
    control::{AncillaryChange, AncillaryShow, By, CardNets, DeliveryLeg, Liquidity, Refusal},
    serve::switch::Switch,
};

/// Deliveries that are listed.
const ROWS_MAX: usize = 1_000;

pub(super) async fn show(switch: &Switch, what: AncillaryShow) -> Result<Value, Refusal> {
    let codes = |id: ParticipantId| code(switch, id);
    match what {
        AncillaryShow::Sessions { session } => {
            let wanted = session.as_deref().map(date).transpose()?;
            let seen = show::ask(switch, move |engine| Sessions::of(engine, wanted)).await?;
            Ok(seen.shown(&codes))
        }
        AncillaryShow::Liquidity => {
            let rules = show::ask(switch, |engine| {
                engine.liquidity_rules().collect::<Vec<_>>()
            });
            let rows = rules.await?;
            let rows = rows.iter().map(|(id, rule)| {
                json!({
                    "participant": codes(*id),
                    "floor": show::decimal(rule.floor),
                    "target": show::decimal(rule.target),
                    "keep": rule.keep.map(show::decimal),
                    "sweep_before_minutes": rule.sweep_before.secs() / 60,
                })
            });
            Ok(json!({ "rules": rows.collect::<Vec<_>>() }))
        }
        AncillaryShow::Deliveries { reference } => {
            let known = show::ask(switch, move |engine| {
                let is = |known: &&KnownDelivery| {
                    let own = known.delivery.reference.as_str();
                    reference.as_deref().is_none_or(|wanted| wanted == own)
                };
                engine
                    .deliveries()
                    .filter(is)
                    .take(ROWS_MAX)
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .await?;
            let rows: Vec<Value> = known
                .iter()
                .map(|known| delivery_row(known, &codes))
                .collect();
            Ok(json!({ "deliveries": rows }))
        }
        AncillaryShow::Fund => {
            let (rows, cases) = show::ask(switch, |engine| {
                let rows: Vec<_> = engine.guarantee_fund().collect();
                let cases: Vec<DefaultCase> = engine.card_defaults().cloned().collect();
                (rows, cases)
            })
            .await?;
            let sum = rows.iter().map(|row| i128::from(row.contribution)).sum();
            let rows: Vec<Value> = rows
                .iter()
                .map(|row| {
                    json!({
                        "participant": codes(row.participant),
                        "contribution": tenge(row.contribution),
                        "required": tenge(row.required),
                        "missing": tenge(row.missing),
                    })
                })
                .collect();
            let cases: Vec<Value> = cases.iter().map(|case| default_row(case, &codes)).collect();
            Ok(json!({
                "fund": show::signed_decimal(sum),
                "order_of_loss": "account and credit line, own contribution, contributions of the others, creditors of the session",
                "contributions": rows,
                "defaults": cases,
            }))
        }
    }
}

fn delivery_row(known: &KnownDelivery, code: &dyn Fn(ParticipantId) -> String) -> Value {
    let (state, at) = match known.state {
        DeliveryState::Waits => ("waits", None),
        DeliveryState::Settled(at) => ("settled", Some(at)),
        DeliveryState::Ended(at) => ("ended", Some(at)),
    };
    let legs = known.delivery.legs.iter().map(|leg| {
        let (from, to) = (code(leg.from), code(leg.to));
        format!("{from} {to} {}", show::decimal(leg.amount))
    });
    json!({
        "id": known.id.value(),
        "reference": known.delivery.reference.as_str(),
        "state": state,
        "at": at.map(|at| at.to_string()),
        "expires": known.delivery.expires.to_string(),
        "payments": legs.collect::<Vec<_>>().join(", "),
    })
}

/// Card sessions and their settlements, taken from one state.
struct Sessions {
    settings: Settings,
    interim: Option<String>,
    sessions: Vec<CardSessionView>,
    pending: Vec<CardSettlementView>,
    reports: Vec<Report>,
    opens: Option<String>,
    operator: i128,
}

impl Sessions {
    fn of(engine: &Engine, wanted: Option<Date>) -> Sessions {
        let is = |session: Date| wanted.is_none_or(|wanted| wanted == session);
        let sessions = engine.card_session_views();
        let pending = engine.card_settlements();
        let reports = engine.card_settlement_reports();
        let day = engine.imts_day();
        Sessions {
            settings: engine.ancillary_settings().clone(),
            interim: engine.next_interim().map(|time| time.to_string()),
            sessions: sessions.filter(|view| is(view.session)).collect(),
            pending: pending.filter(|one| is(one.session)).collect(),
            reports: reports.filter(|one| is(one.session)).cloned().collect(),
            opens: day.opens.map(|time| time.to_string()),
            operator: engine.operator_settlement(),
        }
    }

    fn shown(&self, code: &dyn Fn(ParticipantId) -> String) -> Value {
        let settings = &self.settings;
        let times = settings.interim.iter().map(|time| written(*time));
        json!({
            "card_nets": match settings.card_nets {
                Some(Method::DebitsFirst) => "debits-first",
                Some(Method::Simultaneous) => "simultaneous",
                None => "elsewhere",
            },
            "within_minutes": settings.within.secs() / 60,
            "interim": times.collect::<Vec<_>>().join(" "),
            "next_interim": self.interim,
            "cap_percent": settings.cap_percent,
            "operator_account": show::signed_decimal(self.operator),
            "sessions": self.sessions.iter().map(|view| json!({
                "session": view.session.to_string(),
                "stage": view.stage,
                "members": view.nets.len(),
                "debits": tenge(view.nets.iter().map(|net| net.owes).sum()),
                "not_settled": tenge(view.left.iter().map(|net| net.owes).sum()),
            })).collect::<Vec<_>>(),
            "nets": self.sessions.iter().flat_map(|view| view.nets.iter().map(|net| {
                let left = view.left.iter().find(|left| left.participant == net.participant);
                json!({
                    "session": view.session.to_string(),
                    "participant": code(net.participant),
                    "net": show::signed_decimal(net.balance()),
                    "not_settled": show::signed_decimal(left.map_or(0, Net::balance)),
                })
            })).collect::<Vec<_>>(),
            "waiting": self.pending.iter().flat_map(|one| one.nets.iter().map(|(net, paid)| json!({
                "settlement": format!("{}/{}", one.session, one.cycle),
                "state": if one.until.is_some() { "due" } else { "queued" },
                // One that is queued is taken up when IMTS opens, if the calendar says when.
                "opens": if one.until.is_some() { None } else { self.opens.clone() },
                "until": one.until.map(|time| time.to_string()),
                "participant": code(net.participant),
                "net": show::signed_decimal(net.balance()),
                "paid": paid,
            }))).collect::<Vec<_>>(),
            "settled": self.reports.iter().flat_map(|report| {
                report.rows.iter().map(|row| report_row(report, row, code))
            }).collect::<Vec<_>>(),
        })
    }
}

/// One participant of a settlement that is over.
pub(crate) fn report_row(
    report: &Report,
    row: &Row,
    code: &dyn Fn(ParticipantId) -> String,
) -> Value {
    json!({
        "settlement": format!("{}/{}", report.session, report.cycle),
        "at": report.at.to_string(),
        "participant": code(row.participant),
        "owes": tenge(row.owes),
        "owed": tenge(row.owed),
        "paid": tenge(row.paid),
        "own_contribution": tenge(row.own_contribution),
        "short": tenge(row.short),
        "fund": tenge(row.fund),
        "lost": tenge(row.lost),
        "received": tenge(row.received),
    })
}

fn default_row(case: &DefaultCase, code: &dyn Fn(ParticipantId) -> String) -> Value {
    let owed = |nets: &[Net]| {
        let each = nets
            .iter()
            .map(|net| format!("{} {}", code(net.participant), tenge(net.owed)));
        each.collect::<Vec<_>>().join(", ")
    };
    json!({
        "default": case.id.value(),
        "settlement": format!("{}/{}", case.session, case.cycle),
        "debtor": code(case.debtor),
        "short": tenge(case.short),
        "left": tenge(case.left()),
        "creditors": owed(&case.losses),
        "fund": owed(&case.fund),
    })
}

/// A change that is one command.
pub(super) fn command(
    switch: &Switch,
    by: &By,
    requested: &AncillaryChange,
) -> Result<Command, Refusal> {
    let source = change::source(by)?;
    let fund = |code: &str, what, amount: &str| {
        Ok(ancillary::Command::Fund {
            source,
            participant: participant_id(switch, code)?,
            what,
            amount: required_money("amount", amount)?,
        })
    };
    let command = match requested {
        AncillaryChange::Set {
            card_nets,
            within_minutes,
            interim,
            cap_percent,
        } => ancillary::Command::SetSettings {
            source,
            settings: settings(*card_nets, *within_minutes, interim, *cap_percent)?,
        },
        AncillaryChange::SettleCards { session } => ancillary::Command::SettleCards {
            source,
            session: date(session)?,
        },
        AncillaryChange::Contribute { code, amount, out } => {
            let direction = if *out { Direction::Out } else { Direction::In };
            fund(code, FundMove::Contribute(direction), amount)?
        }
        AncillaryChange::Require { code, amount } => ancillary::Command::Require {
            source,
            participant: participant_id(switch, code)?,
            amount: required_money("amount", amount)?,
        },
        AncillaryChange::Call => ancillary::Command::Call { source },
        AncillaryChange::Recover {
            code,
            default,
            amount,
        } => {
            let default = Position::new(*default);
            fund(code, FundMove::Recover { default }, amount)?
        }
        AncillaryChange::Liquidity { code, rule } => ancillary::Command::SetLiquidity {
            source,
            participant: participant_id(switch, code)?,
            rule: rule.as_ref().map(liquidity_rule).transpose()?,
        },
        AncillaryChange::Deliver {
            reference,
            legs,
            expires,
        } => ancillary::Command::Deliver {
            source,
            delivery: delivery(switch, reference, legs, expires)?,
        },
        AncillaryChange::CloseDelivery { id } => ancillary::Command::CloseDelivery {
            source,
            id: Position::new(*id),
        },
    };
    Ok(Command::Ancillary(command))
}

fn settings(
    card_nets: CardNets,
    within_minutes: u32,
    interim: &[String],
    cap_percent: u32,
) -> Result<Settings, Refusal> {
    let times = interim.iter().map(|time| time_of_day("interim", time));
    if !(1..=24 * 60).contains(&within_minutes) {
        let text = "debtors have from a minute to a day";
        return Err(Refusal::of_request("within", text));
    }
    let settings = Settings {
        card_nets: match card_nets {
            CardNets::DebitsFirst => Some(Method::DebitsFirst),
            CardNets::Simultaneous => Some(Method::Simultaneous),
            CardNets::Elsewhere => None,
        },
        within: Span::from_secs(u64::from(within_minutes) * 60),
        interim: times.collect::<Result<Vec<Span>, Refusal>>()?,
        cap_percent,
    };
    if settings.are_sound() {
        Ok(settings)
    } else {
        let text = "times of day rise below 24:00, at most 24 of them";
        Err(Refusal::of_request("interim", text))
    }
}

fn liquidity_rule(stated: &Liquidity) -> Result<LiquidityRule, Refusal> {
    let rule = LiquidityRule {
        floor: required_money("floor", &stated.floor)?,
        target: required_money("target", &stated.target)?,
        keep: change::optional_money("keep", stated.keep.as_deref())?,
        sweep_before: Span::from_secs(u64::from(stated.sweep_before_minutes) * 60),
    };
    if rule.is_sound() {
        Ok(rule)
    } else {
        let text = "the floor is above neither target nor what is kept, and a sweep is at most a day before the end";
        Err(Refusal::of_request("rule", text))
    }
}

fn delivery(
    switch: &Switch,
    reference: &str,
    legs: &[DeliveryLeg],
    expires: &str,
) -> Result<Delivery, Refusal> {
    let legs = legs.iter().map(|leg| {
        Ok(Leg {
            from: participant_id(switch, &leg.from)?,
            to: participant_id(switch, &leg.to)?,
            amount: required_money("amount", &leg.amount)?,
        })
    });
    Ok(Delivery {
        reference: Text::try_from(reference)
            .map_err(|error| Refusal::of_request("reference", error.to_string()))?,
        legs: legs.collect::<Result<Vec<Leg>, Refusal>>()?,
        expires: Time::parse(expires)
            .map_err(|error| Refusal::of_request("expires", error.to_string()))?,
    })
}

fn date(text: &str) -> Result<Date, Refusal> {
    Date::parse(text).map_err(|error| Refusal::of_request("session", error.to_string()))
}

fn tenge(minor: u64) -> String {
    show::decimal(Money::kzt(minor))
}

/// The switch stands for the operator's fees.
fn code(switch: &Switch, id: ParticipantId) -> String {
    if id == ParticipantId::SWITCH {
        return "operator".into();
    }
    let network = switch.network();
    network
        .by_id(id)
        .map_or_else(String::new, |view| view.code.as_str().to_string())
}
