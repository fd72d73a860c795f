//! Batches on the instant rail: a participant's file, piece by piece, each line an ordinary payment.
//!
//! The switch writes each line as the pacs.008 that the participant's host would have sent, and passes it through the same
//! translation, so that it keeps every rule of one; only who handed it in differs. Lines go in few at a time, so that the payments
//! of customers pass between them.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use torap_domain::{
    Asset, Iban, Money, ParticipantId, Phone, Position, Reason, Sequence, TransactionId, Uetr,
};
use torap_engine::{
    Command, Engine, Outcome, Source,
    directory::Record,
    instant::{self, CreditTransfer, FinalOutcome, Finished, History, PaymentKey},
    mass::{self, Line, PIECE_LINES_MAX},
    participants::View,
};
use torap_gateway::{
    translate::{Inbound, Lookups, Translator, file_key},
    wire::ContentType,
};
use torap_index::Index;
use torap_iso20022::{
    view::{BusinessHeader, Party, PersonNumber, TransferService},
    write::{self, Carried},
};

use super::{change, show};
use crate::{
    control::{MassLine, Refusal, Request},
    serve::{
        intake::Stopped,
        lookups::IndexLookups,
        switch::{Switch, wall_clock},
    },
};

/// Lines that go in at once, and how long until the next: 500 a second at most.
const LINES_AT_ONCE: usize = 10;
const LINES_EVERY: Duration = Duration::from_millis(20);
/// How often a line is handed in while the switch has no room for it, and how long between.
const TRIES_MAX: u32 = 20;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// Lines that are shown at once.
const SHOWN_MAX: usize = 4096;

/// What became of a line.
enum Stands {
    /// It was not handed in, or was refused before it became a payment.
    NotPaid,
    /// Its identifier is another payment's.
    Mismatch,
    UnderWay,
    Finished(Finished),
}

/// Takes one piece and pays its lines; tells how far the file has come with it.
pub(super) async fn submit(switch: &Switch, request: Request) -> Result<Value, Refusal> {
    let Request::MassSubmit {
        by,
        code,
        file,
        number,
        last,
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
    let source = change::source(&by)?;
    // Whatever is wrong with a line is said before anything of the piece is in the log.
    let mut translator = Translator::new();
    let mut named = Vec::with_capacity(lines.len());
    for (place, line) in lines.iter().enumerate() {
        let checked = payment(switch, &mut translator, &view, source, line);
        let (transfer, _) = checked.map_err(|refusal| Refusal {
            place: format!("lines[{place}].{}", refusal.place),
            ..refusal
        })?;
        named.push(Line {
            key: transfer.key,
            uetr: transfer.references.uetr,
        });
    }
    let key = file_key(view.id, &file);
    let submit = mass::Submit {
        source,
        participant: view.id,
        piece: torap_engine::clearing::Piece {
            file: key,
            number,
            last,
        },
        lines: named.clone(),
    };
    let command = Command::Mass(mass::Command::Submit(submit));
    let decided = switch.intake.decide(command).await.map_err(stopping)?;
    let again = match decided.outcome {
        Outcome::Accepted => false,
        Outcome::AlreadyApplied => true,
        Outcome::Refused(reason) => return Err(refused(decided.position.value(), reason)),
    };
    let position = json!({ "position": decided.position.value() });
    change::follow_up_to(switch, &position).await;
    let mut refusals = Vec::new();
    for (chunk, first) in lines
        .chunks(LINES_AT_ONCE)
        .zip((0..).step_by(LINES_AT_ONCE))
    {
        for (line, place) in chunk.iter().zip(first..) {
            let known = again && is_known(switch, named.get(place).copied()).await?;
            if !known
                && let Some(reason) = pay(switch, &mut translator, &view, source, line).await?
            {
                refusals
                    .push(json!({ "line": place, "rule": reason.name(), "text": reason.text() }));
            }
        }
        tokio::time::sleep(LINES_EVERY).await;
    }
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

/// Hands one line in as a payment; the reason if it was refused at once.
async fn pay(
    switch: &Switch,
    translator: &mut Translator,
    view: &View,
    source: Source,
    line: &MassLine,
) -> Result<Option<Reason>, Refusal> {
    let mut tries = 0;
    loop {
        // Written anew each time: the payment's clock begins when it is handed in.
        let (transfer, evidence) = payment(switch, translator, view, source, line)?;
        let network = switch.network();
        let payee = network.by_bic(&transfer.creditor_agent);
        let outcome = if payee.is_some_and(|payee| switch.congestion.is_congested(payee.id)) {
            Outcome::Refused(Reason::Overloaded)
        } else {
            let command = Command::Instant(instant::Command::CreditTransfer(transfer));
            let decided = switch.intake.decide_with(command, evidence).await;
            decided.map_err(stopping)?.outcome
        };
        let reason = match outcome {
            Outcome::Accepted | Outcome::AlreadyApplied => return Ok(None),
            Outcome::Refused(reason) => reason,
        };
        tries += 1;
        let may_pass = matches!(
            reason,
            Reason::Overloaded
                | Reason::RetryLater
                | Reason::CustomerTableFull
                | Reason::InFlightFull
                | Reason::InternalLimit
        );
        if !may_pass || tries == TRIES_MAX {
            return Ok(Some(reason));
        }
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
    }
}

/// Look-ups for a line, which may wait: a payee's bank that has too much to answer is no fault of the line.
struct Unhurried<'a>(&'a IndexLookups);

impl Lookups for Unhurried<'_> {
    fn alias(&self, phone: Phone) -> (Position, Option<Record>) {
        self.0.alias(phone)
    }

    fn by_key(&self, key: &PaymentKey) -> Option<History> {
        self.0.by_key(key)
    }

    fn by_uetr(&self, uetr: &Uetr) -> Option<History> {
        self.0.by_uetr(uetr)
    }

    fn is_congested(&self, _: ParticipantId) -> bool {
        false
    }
}

/// The payment that a line becomes, and the message it would have come as.
fn payment(
    switch: &Switch,
    translator: &mut Translator,
    view: &View,
    source: Source,
    line: &MassLine,
) -> Result<(CreditTransfer, Bytes), Refusal> {
    let body = message(switch, view, line)?;
    let inbound = Inbound {
        participant: view.id,
        sequence: Sequence::ZERO,
        content_type: ContentType::Iso20022Xml,
        body: &body,
    };
    let network = switch.network();
    let translated = translator.translate(inbound, &network, &Unhurried(switch.lookups()), false);
    match translated.command {
        Command::Instant(instant::Command::CreditTransfer(transfer)) => {
            Ok((CreditTransfer { source, ..transfer }, body))
        }
        Command::Links(torap_engine::links::Command::Refused { refusal, .. }) => {
            let text = format!("{}: {}", refusal.path.as_str(), refusal.rule.as_str());
            Err(Refusal::of_request("message", text))
        }
        _ => Err(Refusal::of_request("message", "it is no payment")),
    }
}

fn message(switch: &Switch, view: &View, line: &MassLine) -> Result<Bytes, Refusal> {
    let bic = view.bics.first().copied();
    let bic = bic.ok_or_else(|| Refusal::of_request("code", "the participant has no BIC"))?;
    let wrong = |key: &'static str| {
        move |error: &dyn std::fmt::Display| Refusal::of_request(key, error.to_string())
    };
    let amount = Money::parse(&line.amount, Asset::Kzt).map_err(|error| wrong("amount")(&error))?;
    let account = Iban::parse(&line.creditor_account);
    let account = account.map_err(|error| wrong("creditor_account")(&error))?;
    TransactionId::parse(&line.transaction_id).map_err(|error| wrong("transaction_id")(&error))?;
    Uetr::parse(&line.uetr).map_err(|error| wrong("uetr")(&error))?;
    let network = switch.network();
    let creditor = account
        .bank_code()
        .and_then(|code| network.by_bank_code(code));
    let creditor = creditor.and_then(|view| view.bics.first().copied());
    let creditor = creditor.ok_or_else(|| {
        Refusal::of_request("creditor_account", "its bank code leads to no participant")
    })?;
    let now = wall_clock().nanos();
    let sector = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (kod, kbe) = (sector(&line.kod), sector(&line.kbe));
    let transfer = torap_iso20022::view::CreditTransfer {
        message_id: &line.transaction_id,
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
        tiyn: amount.minor(),
        accepted_ns: now,
        debtor: party(&line.debtor_name, &line.debtor),
        debtor_iban: &line.debtor_account,
        debtor_agent: bic.as_str(),
        creditor_agent: creditor.as_str(),
        creditor: party(&line.creditor_name, &line.creditor),
        creditor_iban: Some(account.as_str()),
        creditor_phone: None,
        knp: &line.purpose,
        kod: kod.as_deref(),
        kbe: kbe.as_deref(),
        qr_id: None,
        remittance: (!line.remittance.is_empty()).then(|| line.remittance.as_str().into()),
    };
    let switch_bic = network.switch_bic();
    let header = BusinessHeader {
        from: bic.as_str(),
        to: switch_bic.as_str(),
        message_id: &line.transaction_id,
        service: None,
        created_ns: now,
        possible_duplicate: false,
    };
    let carried = Carried {
        instant_service_level: true,
        ..Carried::default()
    };
    let mut body = Vec::with_capacity(4096);
    write::credit_transfer(&mut body, Some(&header), &transfer, &carried);
    Ok(Bytes::from(body))
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
    not_paid: u64,
}

impl Sums {
    /// Counts a line, and gives its row.
    fn add(&mut self, line: &Line, stands: &Stands, number: usize) -> Value {
        let mut row = json!({ "line": number, "uetr": line.uetr.to_string(), "status": null, "rule": null, "amount": null });
        let (count, status) = match stands {
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
    key: torap_engine::clearing::FileKey,
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

async fn is_known(switch: &Switch, line: Option<Line>) -> Result<bool, Refusal> {
    let Some(line) = line else {
        return Ok(false);
    };
    let known = show::ask(switch, move |engine| in_engine(engine, &line)).await?;
    let stands = match known {
        Some(stands) => stands,
        None => beyond(switch, &line)?,
    };
    Ok(matches!(stands, Stands::UnderWay | Stands::Finished(_)))
}

fn in_engine(engine: &Engine, line: &Line) -> Option<Stands> {
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
