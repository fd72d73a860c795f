//! What became of a payment, from index, log and read side: who said what when, and the original messages.
//!
//! Any identifier leads to it. UETR, TxId and RtrId are keys of the index; for the others the index names records that may carry
//! them, and the records say whether they do.

mod steps;

use serde_json::{Value, json};
use torap_domain::{Span, Time, Uetr};
use torap_engine::{
    Command,
    instant::{self, FinalOutcome, Finished, PaymentKey, UnderWay},
};
use torap_gateway::translate::{payment_key, return_key};
use torap_index::{Index, Place};

use super::{
    change,
    show::{ask, decimal, unreadable},
};
use crate::{
    control::Refusal,
    serve::switch::{Switch, wall_clock},
};

/// Payments listed in one answer, at most.
const LISTED_MAX: usize = 1000;
/// Records read for one payment or one identifier, at most.
const RECORDS_MAX: usize = 1000;

/// A payment by UETR, `CODE:TxId` or any identifier its messages carry: its state, its steps, its returns, and the originals.
pub(super) async fn payment(switch: &Switch, id: &str) -> Result<Value, Refusal> {
    let uetr = resolve(switch, id).await?;
    let found = switch.index.payment_by_uetr(&uetr).map_err(unreadable)?;
    let under_way = ask(switch, move |engine| engine.under_way(&uetr)).await?;
    let concerning = switch
        .index
        .records_of(&uetr, RECORDS_MAX)
        .map_err(unreadable)?;
    let mut positions = concerning;
    let mut value = match (&found.value, &under_way) {
        (Some(finished), _) => {
            positions.extend([finished.submitted, finished.decided]);
            finished_json(switch, finished)
        }
        (None, Some(payment)) => {
            positions.push(payment.submitted);
            under_way_json(switch, payment)
        }
        (None, None) if positions.is_empty() => {
            let text = format!(
                "no payment `{id}` up to log position {}",
                found.as_of.value()
            );
            return Err(Refusal::of_request("id", text));
        }
        // Asked about, or recalled, but never accepted.
        (None, None) => json!({ "uetr": uetr.to_string(), "outcome": "unknown" }),
    };
    let returns = switch
        .index
        .returns_of(&uetr, LISTED_MAX)
        .map_err(unreadable)?;
    positions.extend(returns.iter().flat_map(|one| [one.submitted, one.decided]));
    positions.sort_unstable();
    positions.dedup();
    let payment = steps::Payment {
        finished: found.value,
        under_way,
    };
    let told = steps::tell(switch, &payment, &positions).map_err(unreadable)?;
    value["identifiers"] = told.identifiers;
    value["steps"] = told.steps.into();
    value["returns"] = returns
        .iter()
        .map(|finished| finished_json(switch, finished))
        .collect();
    value["originals"] = told.originals.into();
    Ok(value)
}

/// A participant's payments and returns by the time of their decision, oldest first; `after` is the `next` of the page before.
pub(super) fn payments(
    switch: &Switch,
    code: &str,
    range: (Option<&str>, Option<&str>),
    after: Option<&str>,
    max: usize,
) -> Result<Value, Refusal> {
    let view = change::participant(switch, code)?;
    let moment = |place: &str, text: &str| {
        Time::parse(text).map_err(|error| {
            let text = format!("`{text}`: {error}; as 2026-11-21T09:00:00+05:00");
            Refusal::of_request(place, text)
        })
    };
    let until = match range.1 {
        Some(text) => moment("until", text)?,
        None => wall_clock(),
    };
    let from = match range.0 {
        Some(text) => moment("from", text)?,
        None => until.saturating_sub(Span::from_secs(3600)),
    };
    let after = after.map(place_of).transpose()?;
    let page = switch
        .index
        .payments_of(view.id, from, until, after, max.min(LISTED_MAX))
        .map_err(unreadable)?;
    let payments: Vec<Value> = page
        .payments
        .iter()
        .map(|finished| finished_json(switch, finished))
        .collect();
    Ok(json!({
        "payments": payments,
        "more": page.next.is_some(),
        "next": page.next.map(|place| name_of(&place)),
    }))
}

/// The payment that an identifier leads to.
async fn resolve(switch: &Switch, id: &str) -> Result<Uetr, Refusal> {
    if let Ok(uetr) = Uetr::parse(id) {
        return Ok(uetr);
    }
    let mut found = Vec::new();
    if let Some((code, transaction_id)) = id.split_once(':')
        && let Ok(view) = change::participant(switch, code)
    {
        for key in [payment_key, return_key] {
            found.extend(by_key(switch, key(view.id, transaction_id)).await?);
        }
    }
    for view in switch.published.views() {
        for key in [payment_key, return_key] {
            found.extend(by_key(switch, key(view.id, id)).await?);
        }
    }
    let mut expired = None;
    for position in switch
        .index
        .identified(id, RECORDS_MAX)
        .map_err(unreadable)?
    {
        match switch.records().read(position) {
            Ok((command, ..)) => found.extend(carried(&command, id)),
            Err(error) => expired = Some(error),
        }
    }
    found.sort_unstable();
    found.dedup();
    match (found.as_slice(), expired) {
        ([uetr], _) => Ok(*uetr),
        ([], Some(error)) => Err(Refusal::of_request(
            "id",
            format!("`{id}` leads to a record that cannot be read: {error}"),
        )),
        ([], None) => {
            let upto = switch.index.applied_upto();
            let text = format!("no payment `{id}` up to log position {}", upto.value());
            Err(Refusal::of_request("id", text))
        }
        (several, _) => {
            let uetrs: Vec<String> = several.iter().take(20).map(Uetr::to_string).collect();
            let text = format!(
                "`{id}` is carried by {} payments; ask by UETR: {}",
                several.len(),
                uetrs.join(" ")
            );
            Err(Refusal::of_request("id", text))
        }
    }
}

async fn by_key(switch: &Switch, key: PaymentKey) -> Result<Option<Uetr>, Refusal> {
    let finished = switch.index.payment_by_key(&key).map_err(unreadable)?;
    if let Some(finished) = finished.value {
        return Ok(Some(finished.uetr));
    }
    let under_way = ask(switch, move |engine| engine.under_way_by_key(&key)).await?;
    Ok(under_way.map(|payment| payment.uetr))
}

/// The payment that a record is about, if the record carries the identifier.
fn carried(command: &Command, id: &str) -> Option<Uetr> {
    let Command::Instant(command) = command else {
        return None;
    };
    let (references, own) = match command {
        instant::Command::CreditTransfer(transfer) => (&transfer.references, None),
        instant::Command::Return(payment_return) => (&payment_return.references, None),
        instant::Command::Recall(recall) => {
            (&recall.references, Some(recall.cancellation_id.as_str()))
        }
        instant::Command::Resolution(resolution) => (&resolution.references, None),
        instant::Command::StatusRequest(request) => (&request.references, None),
        instant::Command::Answer(_)
        | instant::Command::ConfirmAnswer(_)
        | instant::Command::SetSettings { .. }
        | instant::Command::SetLimits { .. }
        | instant::Command::SetRecallRule { .. } => return None,
    };
    let carries = references.message_id.as_str() == id
        || own == Some(id)
        || references
            .instruction_id
            .is_some_and(|one| one.as_str() == id)
        || references
            .end_to_end_id
            .is_some_and(|one| one.as_str() == id);
    carries.then_some(references.uetr)
}

/// The identifier of the page that follows.
fn name_of(place: &Place) -> String {
    let key: String = place
        .key
        .0
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}-{key}", place.decided_at.nanos())
}

fn place_of(text: &str) -> Result<Place, Refusal> {
    let parse = || {
        let (nanos, key) = text.split_once('-')?;
        let key = u128::from_str_radix(key, 16).ok()?;
        Some(Place {
            decided_at: Time::from_nanos(nanos.parse().ok()?),
            key: PaymentKey(key.to_be_bytes()),
        })
    };
    parse().ok_or_else(|| Refusal::of_request("after", "the `next` of an answer before"))
}

fn under_way_json(switch: &Switch, payment: &UnderWay) -> Value {
    let network = switch.network();
    let code = |id| network.by_id(id).map(|view| view.code.as_str().to_string());
    json!({
        "uetr": payment.uetr.to_string(),
        "service": payment.service.name(),
        "amount": decimal(payment.amount),
        "debtor_agent": code(payment.debtor_agent),
        "creditor_agent": code(payment.creditor_agent),
        "outcome": "under-way",
        "submitted": payment.submitted.value(),
        "deadline": payment.deadline.to_string(),
    })
}

fn finished_json(switch: &Switch, finished: &Finished) -> Value {
    let network = switch.network();
    let code = |id| network.by_id(id).map(|view| view.code.as_str().to_string());
    let (outcome, reason, agent_code) = match finished.outcome {
        FinalOutcome::Settled => ("settled", None, None),
        FinalOutcome::Rejected { reason, agent_code } => (
            "rejected",
            Some(reason.name()),
            agent_code.map(|code| String::from_utf8_lossy(&code).into_owned()),
        ),
        FinalOutcome::Tombstone => ("never-received", None, None),
    };
    json!({
        "uetr": finished.uetr.to_string(),
        "service": finished.service.name(),
        "amount": decimal(finished.amount),
        "returned": decimal(finished.returned),
        "debtor_agent": code(finished.debtor_agent),
        "creditor_agent": code(finished.creditor_agent),
        "outcome": outcome,
        "reason": reason,
        "agent_code": agent_code,
        "submitted": finished.submitted.value(),
        "decided": finished.decided.value(),
        "decided_at": finished.decided_at.to_string(),
    })
}
