//! Batches on the instant rail: a participant's file, piece by piece, each line an ordinary payment.
//!
//! The switch writes a piece as the pacs.008 with many transactions that the participant's host would have sent, and passes it through the
//! same translation, so that it keeps every rule of one; only who handed it in differs. The desk of files does the rest.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use torap_domain::{
    Asset, Iban, MessageId, Money, ParticipantId, Reason, Sequence, Time, TransactionId, Uetr,
};
use torap_engine::{
    Command, Engine, Outcome,
    clearing::{FileKey, Piece},
    instant::{FinalOutcome, Finished},
    links,
    mass::{self, Item, Line, PIECE_LINES_MAX, Take},
    participants::View,
};
use torap_gateway::{
    translate::{Inbound, Translator, file_key},
    wire::ContentType,
};
use torap_index::Index;
use torap_iso20022::{
    view::{BusinessHeader, CreditTransfer, MASS_SERVICE, Party, PersonNumber, TransferService},
    write::{self, Carried},
};

use super::{change, show};
use crate::{
    control::{MassLine, Refusal, Request},
    serve::{
        intake::Stopped,
        switch::{Switch, wall_clock},
    },
};

/// How long between two looks at a piece whose lines are being handed in.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often it is looked whether a piece has room, and how long between; then the submitter goes on with it later.
const ROOM_TRIES_MAX: u32 = 60;
const ROOM_TRY_AFTER: Duration = Duration::from_secs(1);
/// Lines that are shown at once.
const SHOWN_MAX: usize = 4096;

/// What became of a line.
enum Stands {
    /// It will be handed in.
    Waits,
    /// It was not handed in, or was refused before it became a payment.
    NotPaid,
    /// Its identifier is another payment's.
    Mismatch,
    UnderWay,
    Finished(Finished),
}

/// Takes one piece, and waits until its lines have been handed in; tells how far the file has come with it.
pub(super) async fn submit(switch: &Switch, request: Request) -> Result<Value, Refusal> {
    let Request::MassSubmit {
        by,
        code,
        file,
        number,
        last,
        starts,
        lines,
    } = request
    else {
        return Err(Refusal::of_request("request", "it submits nothing"));
    };
    let view = change::participant(switch, &code)?;
    if lines.is_empty() || lines.len() > PIECE_LINES_MAX {
        let text = format!("1 to {PIECE_LINES_MAX} in a piece");
        return Err(Refusal::of_request("lines", text));
    }
    let starts = starts.as_deref().map(Time::parse).transpose();
    let starts = starts.map_err(|error| Refusal::of_request("starts", error.to_string()))?;
    // Whatever is wrong with a line is said before anything of the piece is in the log.
    let (take, evidence) = piece(switch, &view, &message_id(number, &file)?, &lines)?;
    let key = file_key(view.id, &file);
    let take = Take {
        source: change::source(&by)?,
        piece: Piece {
            file: key,
            number,
            last,
        },
        starts,
        ..take
    };
    let items = take.lines.clone();
    let piece = (view.id, key, number);
    let again = taken(switch, piece, take, evidence).await?;
    let waits = starts.is_some_and(|starts| starts > wall_clock());
    if !waits {
        handed_in(switch, piece).await?;
    }
    let refusals = show::ask(switch, move |engine| refusals(engine, piece, &items)).await?;
    let refusals = refusals.into_iter().map(
        |(line, reason)| json!({ "line": line, "rule": reason.name(), "text": reason.text() }),
    );
    let refusals: Vec<Value> = refusals.collect();
    let participant = view.id;
    let file = show::ask(switch, move |engine| engine.mass_file(participant, key)).await?;
    Ok(json!({
        "next_piece": file.map(|file| file.next),
        "lines": file.map(|file| file.lines),
        "complete": file.map(|file| file.complete),
        "again": again,
        "refusals": refusals,
    }))
}

fn message_id(number: u32, file: &str) -> Result<String, Refusal> {
    let whole = format!("{number}/{file}");
    let text: String = whole.chars().take(35).collect();
    let text = text.trim_end();
    MessageId::parse(text).map_err(|error| Refusal::of_request("file", error.to_string()))?;
    Ok(text.to_owned())
}

/// Queues the piece, once there is room for it; whether it was taken before. Nothing is put into the log while there is no room.
async fn taken(
    switch: &Switch,
    piece: (ParticipantId, FileKey, u32),
    take: Take,
    evidence: Bytes,
) -> Result<bool, Refusal> {
    let starts = take.starts;
    // Pieces with a start wait for it, so there will be no room in a moment.
    let tries = if starts.is_some() { 1 } else { ROOM_TRIES_MAX };
    for tried in 0..tries {
        if tried > 0 {
            tokio::time::sleep(ROOM_TRY_AFTER).await;
        }
        if switch.is_stopping() {
            return Err(stopping(Stopped));
        }
        let now = wall_clock();
        let has_room = show::ask(switch, move |engine| {
            engine.mass_has_room(piece, starts, now)
        });
        if !has_room.await? {
            continue;
        }
        let command = Command::Mass(mass::Command::Take(take.clone()));
        let decided = switch.intake.decide_with(command, evidence.clone()).await;
        let decided = decided.map_err(stopping)?;
        match decided.outcome {
            Outcome::Accepted => return Ok(false),
            Outcome::AlreadyApplied => return Ok(true),
            // Another piece has taken the room.
            Outcome::Refused(Reason::Overloaded) => {}
            Outcome::Refused(reason) => return Err(refused(decided.position.value(), reason)),
        }
    }
    let reason = Reason::Overloaded;
    let text = "pieces before it are still to be handed in, and there is no room for one more: submit it again later";
    Err(Refusal {
        place: "piece".to_owned(),
        rule: reason.name().to_string(),
        text: text.to_owned(),
        actor: reason.actor().to_string(),
    })
}

/// Waits until no line of a piece waits.
async fn handed_in(
    switch: &Switch,
    (participant, file, number): (ParticipantId, FileKey, u32),
) -> Result<(), Refusal> {
    loop {
        let waiting = show::ask(switch, move |engine| {
            engine.mass_piece(participant, file, number).waiting
        });
        if waiting.await? == 0 {
            return Ok(());
        }
        if switch.is_stopping() {
            return Err(stopping(Stopped));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Lines that were refused at once, by their place.
fn refusals(
    engine: &Engine,
    (participant, file, number): (ParticipantId, FileKey, u32),
    items: &[Item],
) -> Vec<(usize, Reason)> {
    let piece = engine.mass_piece(participant, file, number);
    let known = |place: usize| {
        let mut taken = piece.taken.iter();
        taken.find(|(known, _)| usize::from(*known) == place)
    };
    let refused = items.iter().enumerate().filter_map(|(place, item)| {
        let reason = match known(place) {
            // A line of another piece or file has its identifiers.
            None => Reason::DuplicateMismatch,
            Some((_, Some(missed))) => *missed,
            Some((_, None)) => rejected_at_once(&engine.find(&item.line.key)?)?,
        };
        Some((place, reason))
    });
    refused.collect()
}

fn rejected_at_once(finished: &Finished) -> Option<Reason> {
    match finished.outcome {
        FinalOutcome::Rejected { reason, .. } => {
            (finished.submitted == finished.decided).then_some(reason)
        }
        FinalOutcome::Settled | FinalOutcome::Tombstone => None,
    }
}

/// The lines as one message and the command that it becomes, if no line is refused.
fn piece(
    switch: &Switch,
    view: &View,
    message_id: &str,
    lines: &[MassLine],
) -> Result<(Take, Bytes), Refusal> {
    let of_line = |place: usize, refusal: Refusal| Refusal {
        place: format!("lines[{place}].{}", refusal.place),
        ..refusal
    };
    let body = message(switch, view, message_id, lines)
        .map_err(|(place, refusal)| of_line(place, refusal))?;
    let take = match translated(switch, view, &body) {
        Ok(take) => take,
        // It breaks the schema: which line does?
        Err(refusal) => {
            for (place, line) in lines.iter().enumerate() {
                let one = message(switch, view, message_id, std::slice::from_ref(line));
                let one = one.map_err(|(_, refusal)| of_line(place, refusal))?;
                translated(switch, view, &one).map_err(|refusal| of_line(place, refusal))?;
            }
            return Err(refusal);
        }
    };
    let mut items = take.lines.iter().enumerate();
    if let Some((place, fault)) = items.find_map(|(place, item)| Some((place, item.fault?))) {
        let refusal = Refusal::of_request("message", fault.text.as_str());
        return Err(of_line(place, refusal));
    }
    Ok((take, body))
}

fn translated(switch: &Switch, view: &View, body: &Bytes) -> Result<Take, Refusal> {
    let inbound = Inbound {
        participant: view.id,
        sequence: Sequence::ZERO,
        content_type: ContentType::Iso20022Xml,
        body,
    };
    let network = switch.network();
    let translated = Translator::new().translate(inbound, &network, switch.lookups(), false);
    match translated.command {
        Command::Mass(mass::Command::Take(take)) => Ok(take),
        Command::Links(links::Command::Refused { refusal, .. }) => {
            let text = format!("{}: {}", refusal.path.as_str(), refusal.rule.as_str());
            Err(Refusal::of_request("message", text))
        }
        _ => Err(Refusal::of_request("message", "it is no piece of a file")),
    }
}

/// The pacs.008 of a piece; what is wrong with a line has its place.
fn message(
    switch: &Switch,
    view: &View,
    message_id: &str,
    lines: &[MassLine],
) -> Result<Bytes, (usize, Refusal)> {
    let bic = view.bics.first().copied();
    let missing = || Refusal::of_request("code", "the participant has no BIC");
    let bic = bic.ok_or_else(|| (0, missing()))?;
    let now = wall_clock().nanos();
    let mut agents = Vec::with_capacity(lines.len());
    for (place, line) in lines.iter().enumerate() {
        agents.push(checked(switch, line).map_err(|refusal| (place, refusal))?);
    }
    let transfers: Vec<CreditTransfer<'_>> = lines
        .iter()
        .zip(&agents)
        .map(|(line, (creditor, tiyn))| CreditTransfer {
            message_id,
            created_ns: now,
            settlement_date: None,
            service: TransferService::C2cAccount,
            instructing_agent: bic.as_str(),
            instructed_agent: None,
            instruction_id: None,
            end_to_end_id: &line.end_to_end_id,
            transaction_id: &line.transaction_id,
            uetr: &line.uetr,
            resolution_id: None,
            tiyn: *tiyn,
            accepted_ns: now,
            debtor: party(&line.debtor_name, &line.debtor),
            debtor_iban: &line.debtor_account,
            debtor_agent: bic.as_str(),
            creditor_agent: creditor.as_str(),
            creditor: party(&line.creditor_name, &line.creditor),
            creditor_iban: Some(&line.creditor_account),
            creditor_phone: None,
            knp: &line.purpose,
            kod: (!line.kod.is_empty()).then_some(line.kod.as_str()),
            kbe: (!line.kbe.is_empty()).then_some(line.kbe.as_str()),
            qr_id: None,
            remittance: (!line.remittance.is_empty()).then(|| line.remittance.as_str().into()),
        })
        .collect();
    let switch_bic = switch.network().switch_bic();
    let header = BusinessHeader {
        from: bic.as_str(),
        to: switch_bic.as_str(),
        message_id,
        service: Some(MASS_SERVICE),
        created_ns: now,
        possible_duplicate: false,
    };
    let carried = Carried {
        instant_service_level: true,
        ..Carried::default()
    };
    let mut body = Vec::with_capacity(2048 * lines.len());
    write::credit_transfers(&mut body, Some(&header), &transfers, &carried);
    Ok(Bytes::from(body))
}

/// What the message would not name by its key: the payee's bank and the amount in tiyn.
fn checked(switch: &Switch, line: &MassLine) -> Result<(torap_domain::Bic, u64), Refusal> {
    let wrong = |key: &'static str| {
        move |error: &dyn std::fmt::Display| Refusal::of_request(key, error.to_string())
    };
    let amount = Money::parse(&line.amount, Asset::Kzt).map_err(|error| wrong("amount")(&error))?;
    let account = Iban::parse(&line.creditor_account);
    let account = account.map_err(|error| wrong("creditor_account")(&error))?;
    TransactionId::parse(&line.transaction_id).map_err(|error| wrong("transaction_id")(&error))?;
    Uetr::parse(&line.uetr).map_err(|error| wrong("uetr")(&error))?;
    let network = switch.network();
    let code = account.bank_code();
    let creditor = code.and_then(|code| network.by_bank_code(code));
    let creditor = creditor.and_then(|view| view.bics.first().copied());
    let creditor = creditor.ok_or_else(|| {
        Refusal::of_request("creditor_account", "its bank code leads to no participant")
    })?;
    Ok((creditor, amount.minor()))
}

/// The fifth digit tells a company from a person.
fn party<'a>(name: &'a str, number: &'a str) -> Party<'a> {
    let numbered = match number.as_bytes().get(4) {
        Some(b'4'..=b'6') => PersonNumber::Bin(number),
        _ => PersonNumber::Iin(number),
    };
    Party {
        name: Some(name.into()),
        number: Some(numbered),
        phone: None,
    }
}

/// How far a file has come; with `lines`, up to [`SHOWN_MAX`] of them behind `after`.
pub(super) async fn show(
    switch: &Switch,
    code: &str,
    file: &str,
    after: Option<usize>,
) -> Result<Value, Refusal> {
    let participant = change::participant(switch, code)?.id;
    let key = file_key(participant, file);
    let view = show::ask(switch, move |engine| engine.mass_file(participant, key)).await?;
    let Some(view) = view else {
        return Ok(Value::Null);
    };
    let mut sums = Sums::default();
    let mut shown = Vec::new();
    let (mut from, until) = match after {
        Some(after) => (after, after.saturating_add(SHOWN_MAX).min(view.lines)),
        None => (0, view.lines),
    };
    while from < until {
        let most = (until - from).min(SHOWN_MAX);
        let stands = standing(switch, participant, key, from, most).await?;
        let read = stands.len();
        for ((line, stands), number) in stands.into_iter().zip(from + 1..) {
            let row = sums.add(&line, &stands, number);
            if after.is_some() {
                shown.push(row);
            }
        }
        if read == 0 {
            break;
        }
        from += read;
    }
    let mut value = json!({
        "next_piece": view.next,
        "complete": view.complete,
        "lines": view.lines,
    });
    if after.is_some() {
        value["shown"] = shown.into();
        value["next"] = (until < view.lines).then_some(until).into();
    } else {
        value["settled"] = sums.settled.into();
        value["settled_amount"] = show::decimal(Money::kzt(sums.settled_amount)).into();
        value["rejected"] = sums.rejected.into();
        value["under_way"] = sums.under_way.into();
        value["waiting"] = sums.waiting.into();
        value["not_paid"] = sums.not_paid.into();
    }
    Ok(value)
}

#[derive(Default)]
struct Sums {
    settled: u64,
    settled_amount: u64,
    rejected: u64,
    under_way: u64,
    waiting: u64,
    not_paid: u64,
}

impl Sums {
    /// Counts a line, and gives its row.
    fn add(&mut self, line: &Line, stands: &Stands, number: usize) -> Value {
        let mut row = json!({ "line": number, "uetr": line.uetr.to_string(), "status": null, "rule": null, "amount": null });
        let (count, status) = match stands {
            Stands::Waits => (&mut self.waiting, "waits"),
            Stands::NotPaid => (&mut self.not_paid, "not-paid"),
            Stands::UnderWay => (&mut self.under_way, "under-way"),
            Stands::Mismatch => {
                row["rule"] = Reason::DuplicateMismatch.name().into();
                (&mut self.not_paid, "not-paid")
            }
            Stands::Finished(finished) => {
                row["amount"] = show::decimal(finished.amount).into();
                match finished.outcome {
                    FinalOutcome::Settled => {
                        let sum = self.settled_amount.saturating_add(finished.amount.minor());
                        self.settled_amount = sum;
                        (&mut self.settled, "settled")
                    }
                    FinalOutcome::Rejected { reason, .. } => {
                        row["rule"] = reason.name().into();
                        (&mut self.rejected, "rejected")
                    }
                    FinalOutcome::Tombstone => {
                        row["rule"] = Reason::Tombstoned.name().into();
                        (&mut self.rejected, "rejected")
                    }
                }
            }
        };
        *count += 1;
        row["status"] = status.into();
        row
    }
}

/// How lines of a file stand: by the engine, and beyond its window by the index.
async fn standing(
    switch: &Switch,
    participant: ParticipantId,
    key: FileKey,
    from: usize,
    most: usize,
) -> Result<Vec<(Line, Stands)>, Refusal> {
    let known = show::ask(switch, move |engine| {
        let lines = engine.mass_lines(participant, key);
        let lines = lines.iter().skip(from).take(most);
        let stands = lines.map(|line| (*line, in_engine(engine, line)));
        stands.collect::<Vec<_>>()
    })
    .await?;
    known
        .into_iter()
        .map(|(line, stands)| {
            let stands = match stands {
                Some(stands) => stands,
                None => beyond(switch, &line)?,
            };
            Ok((line, stands))
        })
        .collect()
}

fn in_engine(engine: &Engine, line: &Line) -> Option<Stands> {
    if let Some(uetr) = engine.mass_waits(&line.key) {
        // This one was given up if another line of its TxId waits.
        return Some(if uetr == line.uetr {
            Stands::Waits
        } else {
            Stands::Mismatch
        });
    }
    if let Some(finished) = engine.find(&line.key) {
        return Some(of_finished(line, finished));
    }
    let under_way = engine.under_way_by_key(&line.key)?;
    Some(if under_way.uetr == line.uetr {
        Stands::UnderWay
    } else {
        Stands::Mismatch
    })
}

fn beyond(switch: &Switch, line: &Line) -> Result<Stands, Refusal> {
    let found = switch.index.payment_by_key(&line.key);
    let found = found.map_err(show::unreadable)?.value;
    Ok(found.map_or(Stands::NotPaid, |finished| of_finished(line, finished)))
}

fn of_finished(line: &Line, finished: Finished) -> Stands {
    if finished.uetr == line.uetr {
        Stands::Finished(finished)
    } else {
        Stands::Mismatch
    }
}

fn stopping(_: Stopped) -> Refusal {
    Refusal::of_request("switch", "it is stopping")
}

fn refused(position: u64, reason: Reason) -> Refusal {
    Refusal {
        place: format!("log position {position}"),
        rule: reason.name().to_string(),
        text: reason.text().to_string(),
        actor: reason.actor().to_string(),
    }
}
