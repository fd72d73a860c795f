//! Disputes as the operator opens, leads and sees them.

use bytes::Bytes;
use serde_json::{Value, json};
use torap_domain::{Asset, Money, Position, Span, Text, Uetr};
use torap_engine::{
    Command, Outcome,
    cards::Known,
    disputes::{self, ATTACHMENT_BYTES_MAX, Action, CARD_REASONS, Dispute, REASONS, Subject},
};
use torap_gateway::translate::Lookups as _;
use torap_index::is_disputable;

use super::{
    card_history::known::{self, Members},
    change, show,
};
use crate::{
    control::{Refusal, Request},
    serve::{intake::Stopped, switch::Switch},
};

/// Cases that are shown at once.
const SHOWN_MAX: usize = 1_000;

/// One case, or those of a participant.
pub(super) async fn show(
    switch: &Switch,
    case: Option<u64>,
    code: Option<&str>,
    open: bool,
) -> Result<Value, Refusal> {
    if let Some(number) = case {
        let dispute = find(switch, number).await?;
        return Ok(whole(switch, number, &dispute));
    }
    let participant = code
        .map(|code| change::participant(switch, code))
        .transpose()?;
    let participant = participant.map(|view| view.id);
    let wanted = move |dispute: &Dispute| {
        let theirs =
            participant.is_none_or(|id| [dispute.claimant, dispute.respondent].contains(&id));
        theirs && (!open || dispute.case.deadline.is_some())
    };
    let found: Vec<(Position, Dispute)> = show::ask(switch, move |engine| {
        let found = engine.disputes().filter(|(_, dispute)| wanted(dispute));
        let found = found.take(SHOWN_MAX);
        found.map(|(id, dispute)| (id, dispute.clone())).collect()
    })
    .await?;
    let rows = found
        .iter()
        .map(|(id, dispute)| short(switch, id.value(), dispute));
    Ok(json!({ "disputes": rows.collect::<Vec<_>>() }))
}

/// The bytes of a document, in hexadecimal.
pub(super) async fn evidence(switch: &Switch, case: u64, number: usize) -> Result<Value, Refusal> {
    let dispute = find(switch, case).await?;
    let place = number
        .checked_sub(1)
        .and_then(|place| dispute.attachments.get(place));
    let attachment =
        place.ok_or_else(|| Refusal::of_request("number", "the case has no such document"))?;
    let read = switch.records().read(attachment.position);
    let (_, _, bytes) = read.map_err(|error| Refusal::of_request("number", error.to_string()))?;
    let bytes = bytes.ok_or_else(|| Refusal::of_request("number", "its bytes are not kept"))?;
    Ok(json!({
        "name": attachment.name.as_str(),
        "hash": hex(&attachment.hash),
        "content": hex(&bytes),
    }))
}

/// Puts what is asked into the log.
pub(super) async fn change(switch: &Switch, request: Request) -> Result<Value, Refusal> {
    let _alone = match request {
        Request::DisputeOpenCard { .. } => Some(switch.known_facts.lock().await),
        _ => None,
    };
    let (command, evidence) = command(switch, request).await?;
    let decided = switch.intake.decide_with(command, evidence).await;
    let decided = decided.map_err(|Stopped| Refusal::of_request("switch", "it is stopping"))?;
    let position = decided.position.value();
    if let Outcome::Refused(reason) = decided.outcome {
        return Err(Refusal {
            place: format!("log position {position}"),
            rule: reason.name().to_string(),
            text: reason.text().to_string(),
            actor: reason.actor().to_string(),
        });
    }
    let value = json!({ "position": position });
    change::follow_up_to(switch, &value).await;
    Ok(value)
}

async fn command(switch: &Switch, request: Request) -> Result<(Command, Bytes), Refusal> {
    let mut evidence = Bytes::new();
    let command = match request {
        Request::DisputeOpen {
            by,
            code,
            uetr,
            reason,
            claim,
        } => {
            let uetr = Uetr::parse(&uetr)
                .map_err(|error| Refusal::of_request("uetr", error.to_string()))?;
            disputes::Command::Open {
                source: change::source(&by)?,
                claimant: change::participant(switch, &code)?.id,
                uetr,
                reason_code: reason_of(&REASONS, &reason)?,
                claim: claim
                    .as_deref()
                    .map(|text| amount("claim", text))
                    .transpose()?,
                original: switch.lookups().by_uetr(&uetr),
            }
        }
        Request::DisputeOpenCard {
            by,
            code,
            id,
            reason,
            claim,
        } => disputes::Command::OpenCard {
            source: change::source(&by)?,
            claimant: change::participant(switch, &code)?.id,
            reason_code: reason_of(&CARD_REASONS, &reason)?,
            claim: claim
                .as_deref()
                .map(|text| amount("claim", text))
                .transpose()?,
            known: Box::new(disputable(switch, &id).await?),
        },
        Request::DisputeAct {
            by,
            case,
            code,
            action,
            amount,
        } => {
            let action = action_of(&action, amount.as_deref())?;
            let original = match action {
                Action::Claim { .. } => match find(switch, case).await?.subject {
                    Subject::Payment(uetr) => switch.lookups().by_uetr(&uetr),
                    Subject::Card(_) => None,
                },
                _ => None,
            };
            let participant = code
                .as_deref()
                .map(|code| change::participant(switch, code));
            disputes::Command::Act {
                source: change::source(&by)?,
                case: Position::new(case),
                participant: participant.transpose()?.map(|view| view.id),
                action,
                original,
            }
        }
        Request::DisputeAttach {
            by,
            case,
            code,
            name,
            content,
        } => {
            let bytes =
                unhex(&content).ok_or_else(|| Refusal::of_request("content", "hexadecimal"))?;
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            if !(1..=ATTACHMENT_BYTES_MAX).contains(&length) {
                let text = format!("1 to {ATTACHMENT_BYTES_MAX} bytes");
                return Err(Refusal::of_request("content", text));
            }
            let hash = *blake3::hash(&bytes).as_bytes();
            evidence = Bytes::from(bytes);
            disputes::Command::Attach {
                source: change::source(&by)?,
                case: Position::new(case),
                participant: change::participant(switch, &code)?.id,
                name: Text::try_from(name.as_str())
                    .map_err(|error| Refusal::of_request("name", error.to_string()))?,
                hash,
                bytes: length,
            }
        }
        _ => return Err(Refusal::of_request("request", "it changes no dispute")),
    };
    Ok((Command::Disputes(command), evidence))
}

fn reason_of(table: &[([u8; 4], Span)], text: &str) -> Result<[u8; 4], Refusal> {
    let known = table.iter().find(|(code, _)| code == text.as_bytes());
    let (code, _) = known.ok_or_else(|| {
        let codes = table.iter().map(|(code, _)| String::from_utf8_lossy(code));
        let codes: Vec<_> = codes.collect();
        Refusal::of_request("reason", format!("one of {}", codes.join(", ")))
    })?;
    Ok(*code)
}

/// The one card transaction under an identifier that moved money from a cardholder.
async fn disputable(switch: &Switch, id: &str) -> Result<Known, Refusal> {
    let members = Members::gather(switch).await?;
    let mut found = known::by_id(switch, &members, id)?;
    let in_all = found.len();
    found.retain(is_disputable);
    match found.as_slice() {
        [known] => Ok(*known),
        [] if in_all == 0 => {
            let text = format!("no card transaction goes by `{id}`");
            Err(Refusal::of_request("id", text))
        }
        [] => {
            let text = "it moved no money from a cardholder: an authorisation is disputed by its presentment, POSITION/LINE of \
                        `torap ctl card presentments`";
            Err(Refusal::of_request("id", text))
        }
        several => {
            let count = several.len();
            let text = format!(
                "{count} transactions go by `{id}`: name one by its log position, a presentment as POSITION/LINE"
            );
            Err(Refusal::of_request("id", text))
        }
    }
}

fn action_of(name: &str, stated: Option<&str>) -> Result<Action, Refusal> {
    let needed = || {
        let text = stated.ok_or_else(|| Refusal::of_request("amount", "this step needs one"))?;
        amount("amount", text)
    };
    let action = match name {
        "answer" => Action::Answer,
        "claim" => Action::Claim { amount: needed()? },
        "accept" => Action::Accept,
        "represent" => Action::Represent {
            contested: needed()?,
        },
        "escalate" => Action::Escalate { amount: needed()? },
        "decline" => Action::Decline,
        "withdraw" => Action::Withdraw,
        "rule" => Action::Rule { awarded: needed()? },
        _ => {
            let text = "answer, claim, accept, represent, escalate, decline or withdraw";
            return Err(Refusal::of_request("action", text));
        }
    };
    Ok(action)
}

fn amount(place: &str, text: &str) -> Result<u64, Refusal> {
    let parsed = Money::parse(text, Asset::Kzt).map(Money::minor);
    parsed.map_err(|error| Refusal::of_request(place, format!("`{text}`: {error}")))
}

async fn find(switch: &Switch, case: u64) -> Result<Dispute, Refusal> {
    let id = Position::new(case);
    let found = show::ask(switch, move |engine| engine.dispute(id).cloned()).await?;
    found.ok_or_else(|| {
        let text = "no such case is known; `torap ctl dispute list` lists them";
        Refusal::of_request("case", text)
    })
}

fn short(switch: &Switch, number: u64, dispute: &Dispute) -> Value {
    let decimal = |minor| show::decimal(Money::kzt(minor));
    let case = &dispute.case;
    let mut value = json!({
        "case": number,
        "uetr": null,
        "card_transaction": null,
        "card": null,
        "claimant": code(switch, dispute.claimant),
        "respondent": code(switch, dispute.respondent),
        "reason": String::from_utf8_lossy(&dispute.reason_code),
        "stage": case.stage.name(),
        "end": case.end.map(|end| end.name()),
        "claimed": decimal(case.claimed),
        "stands": decimal(case.stands),
        "deadline": case.deadline.map(local),
    });
    match &dispute.subject {
        Subject::Payment(uetr) => value["uetr"] = uetr.to_string().into(),
        Subject::Card(subject) => {
            value["card_transaction"] = subject.submitted.value().into();
            value["card"] = subject.card.to_string().into();
        }
    }
    value
}

fn whole(switch: &Switch, number: u64, dispute: &Dispute) -> Value {
    let decimal = |minor| show::decimal(Money::kzt(minor));
    let mut value = short(switch, number, dispute);
    let case = &dispute.case;
    value["disputable"] = decimal(case.disputable).into();
    value["contested"] = decimal(case.contested).into();
    value["escalated"] = decimal(case.escalated).into();
    let steps = dispute.steps.iter().map(|step| {
        json!({
            "position": step.position.value(),
            "time": local(step.at),
            "stage": step.stage.name(),
            "stands": decimal(step.stands),
        })
    });
    value["steps"] = steps.collect();
    let documents = dispute
        .attachments
        .iter()
        .zip(1..)
        .map(|(attachment, number): (_, usize)| {
            json!({
                "number": number,
                "position": attachment.position.value(),
                "participant": code(switch, attachment.participant),
                "name": attachment.name.as_str(),
                "bytes": attachment.bytes,
                "hash": hex(&attachment.hash),
            })
        });
    value["documents"] = documents.collect();
    value
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

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    text
}

/// The bytes of hexadecimal text.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    rest.is_empty().then(|| bytes.collect()).flatten()
}
