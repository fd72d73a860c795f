//! A second pair of eyes at the operator's door: what needs approval becomes a proposal, and another operator decides on it.

use serde_json::{Value, json};
use torap_domain::{Position, Span};
use torap_engine::{
    Command, Source,
    approval::{self, End, Families, Family, Proposal, Settings},
    codec::Kind,
    participants, schedule,
};

use super::{change, put, show};
use crate::{
    control::{By, Refusal},
    serve::switch::Switch,
};

/// Characters of a proposal's facts that are shown.
const FACTS_CHARS_MAX: usize = 4_000;

/// The command itself, or its proposal if the operator's settings want another operator's approval.
pub(super) async fn proposed(switch: &Switch, command: Command) -> Result<Command, Refusal> {
    let is_settings = matches!(
        command,
        Command::Approval(approval::Command::SetSettings { .. })
    );
    // Most of what comes through the door never needs approval: nobody is asked about it.
    if !is_settings && Family::of(&command).is_none() {
        return Ok(command);
    }
    let (settings, rules) = show::ask(switch, |engine| {
        (engine.approval_settings(), engine.rules_version())
    })
    .await?;
    match (settings.guard(rules, &command), command.source()) {
        (true, Some(source)) => Ok(Command::Approval(approval::Command::Propose {
            source,
            command: Box::new(command),
        })),
        _ => Ok(command),
    }
}

/// Sets what needs approval.
pub(super) async fn set(
    switch: &Switch,
    by: &By,
    families: &[String],
    within_hours: Option<u64>,
) -> Result<Value, Refusal> {
    let mut set = Families::NONE;
    for name in families {
        let Some(family) = Family::from_name(name) else {
            let known: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
            let text = format!("`{name}` is none of {}", known.join(", "));
            return Err(Refusal::of_request("families", text));
        };
        set = Families(set.0 | Families::of(&[family]).0);
    }
    let within = within_hours.map_or(approval::WITHIN, |hours| {
        Span::from_secs(hours.saturating_mul(3600))
    });
    if within == Span::ZERO || within > approval::WITHIN_MAX {
        let text = format!("1 to {} hours", approval::WITHIN_MAX.secs() / 3600);
        return Err(Refusal::of_request("within_hours", text));
    }
    let command = Command::Approval(approval::Command::SetSettings {
        source: change::source(by)?,
        settings: Settings {
            families: set,
            within,
        },
    });
    let decided = super::decide(switch, command).await?;
    change::follow_up_to(switch, &decided).await;
    Ok(decided)
}

/// What needs approval, what waits for it, and what came of the last proposals.
pub(super) async fn list(switch: &Switch) -> Result<Value, Refusal> {
    let (settings, waiting, done) = show::ask(switch, |engine| {
        let waiting: Vec<Proposal> = engine.proposals().collect();
        let done: Vec<_> = engine.proposals_done().collect();
        (engine.approval_settings(), waiting, done)
    })
    .await?;
    let families = Family::ALL
        .into_iter()
        .filter(|family| settings.families.has(*family));
    let families: Vec<&str> = families.map(Family::name).collect();
    let waiting: Vec<Value> = waiting.iter().map(|row| proposal(switch, row)).collect();
    let done: Vec<Value> = done
        .iter()
        .map(|done| {
            json!({
                "id": done.id.value(),
                "position": done.ended.value(),
                "end": match done.end {
                    End::Approved => "approved",
                    End::Rejected => "rejected",
                    End::Expired => "expired",
                },
                "by": done.by.as_str(),
            })
        })
        .collect();
    Ok(json!({
        "families": families.join(" "),
        "within_hours": settings.within.secs() / 3600,
        "waiting": waiting,
        "done": done,
    }))
}

fn proposal(switch: &Switch, proposal: &Proposal) -> Value {
    let (at, command) = match &proposal.command {
        Command::Schedule(schedule::Command::Order { at, command, .. }) => (Some(at), &**command),
        command => (None, command),
    };
    let mut what = show::what(switch, command);
    // Who approves a profile sees all of it.
    let is_profile = matches!(
        command,
        Command::Participants(participants::Command::Update { .. })
    );
    if what.is_empty() || is_profile {
        what = facts(command);
    }
    let mut row = json!({
        "id": proposal.id.value(),
        "expires": proposal.expires.to_string(),
        "change": Kind::of(command).name(),
        "what": what,
        "at": at.map(ToString::to_string),
    });
    if let Some(Source::Operator { name, reference }) = command.source() {
        row["operator"] = name.as_str().into();
        row["reference"] = reference.as_str().into();
    }
    row
}

/// Every fact of a command, as far as there is room: nobody approves what cannot be seen.
fn facts(command: &Command) -> String {
    let all = format!("{command:?}");
    let count = all.chars().count();
    if count <= FACTS_CHARS_MAX {
        return all;
    }
    let shown: String = all.chars().take(FACTS_CHARS_MAX).collect();
    format!("{shown} … {} characters more", count - FACTS_CHARS_MAX)
}

/// Approves or rejects a proposal.
pub(super) async fn decide(
    switch: &Switch,
    by: &By,
    id: u64,
    approves: bool,
) -> Result<Value, Refusal> {
    let source = change::source(by)?;
    let id = Position::new(id);
    let waiting = show::ask(switch, move |engine| {
        engine.proposals().find(|proposal| proposal.id == id)
    })
    .await?;
    let Some(waiting) = waiting else {
        let text = "no proposal with this id waits; `torap ctl proposals` lists them";
        return Err(Refusal::of_request("id", text));
    };
    if approves && waiting.is_by(&source) {
        let text = "whoever proposes does not approve: another operator has to (--operator)";
        return Err(Refusal::of_request("operator", text));
    }
    let command = Command::Approval(approval::Command::Decide {
        source,
        id,
        approves,
    });
    let decided = put(switch, command).await?;
    change::follow_up_to(switch, &decided).await;
    Ok(decided)
}
