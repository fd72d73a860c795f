//! Presentment files: an acquirer's file, piece by piece, and what became of its lines.

use serde_json::{Value, json};
use torap_domain::{Date, Money, ParticipantId, Position, Text};
use torap_engine::{
    Command, Outcome,
    cards::{
        self, Header, Known, Line, LineKind, LineVerdict, PIECE_AGAIN, PIECE_LINES_MAX, Present,
        Presented, PresentmentFile,
    },
    clearing::Piece,
};
use torap_gateway::translate::{file_key, presentment_key};

use super::{card_history::known::Members, change, show};
use crate::{
    control::{Refusal, Request},
    presentment::{Fields, FileHeader},
    serve::{
        intake::{Decided, Stopped},
        switch::Switch,
    },
};

/// Lines that are shown at once, and files.
const SHOWN_MAX: usize = 1_024;
/// Numbers of lines that were put off, in one answer.
const PUT_OFF_MAX: usize = 65_536;

/// Takes one piece: each line with the transaction that goes by what it says.
pub(super) async fn submit(switch: &Switch, request: Request) -> Result<Value, Refusal> {
    let Request::CardPresent {
        by,
        header,
        number,
        last,
        first,
        numbers,
        lines,
    } = request
    else {
        return Err(Refusal::of_request("request", "it submits nothing"));
    };
    let acquirer = change::participant(switch, &header.acquirer)?.id;
    if lines.is_empty() || lines.len() > PIECE_LINES_MAX {
        let text = format!("1 to {PIECE_LINES_MAX} in a piece");
        return Err(Refusal::of_request("lines", text));
    }
    let is_again = number == PIECE_AGAIN;
    if numbers.len() != if is_again { lines.len() } else { 0 } {
        let text = "one for each line of piece 0, and none of other pieces";
        return Err(Refusal::of_request("numbers", text));
    }
    let source = change::source(&by)?;
    let stated = stated(&header)?;
    let mut all = Vec::with_capacity(lines.len());
    for (line, place) in lines.iter().zip(0_u32..) {
        let fields = line.fields().map_err(|wrong| {
            Refusal::of_request(format!("lines[{place}].{}", wrong.field), wrong.rule)
        })?;
        let named = numbers.get(place as usize).copied();
        all.push((named.unwrap_or(first.saturating_add(place)), fields));
    }
    let piece = Present {
        source,
        participant: acquirer,
        piece: Piece {
            file: file_key(acquirer, &header.file_id),
            number,
            last,
        },
        header: stated,
        lines: Vec::new(),
    };
    let (file, of) = (piece.piece.file, acquirer);
    let Some(decided) = hand_over(switch, &piece, &all).await? else {
        return Ok(json!({ "position": null, "put_off": numbers }));
    };
    if let Outcome::Refused(reason) = decided.outcome {
        return Err(Refusal {
            place: format!("log position {}", decided.position.value()),
            rule: reason.name().to_string(),
            text: reason.text().to_string(),
            actor: reason.actor().to_string(),
        });
    }
    let mut value = json!({ "position": decided.position.value() });
    if is_again {
        value["put_off"] = show::ask(switch, move |engine| {
            let lines = engine.presentment_file(of, file).map(|file| &file.lines);
            let is_put_off = |number: &u32| {
                let line = lines.and_then(|lines| lines.get(number.checked_sub(1)? as usize));
                line.is_some_and(|line| line.verdict == LineVerdict::QueueFull)
            };
            numbers.into_iter().filter(is_put_off).collect::<Vec<u32>>()
        })
        .await?
        .into();
    }
    Ok(value)
}

/// Numbers of the lines of a file that were put off, behind a line.
pub(super) async fn put_off(
    switch: &Switch,
    code: &str,
    file: &str,
    after: u32,
) -> Result<Value, Refusal> {
    let acquirer = change::participant(switch, code)?.id;
    let key = (acquirer, file_key(acquirer, file));
    let numbers = show::ask(switch, move |engine| {
        engine.presentments_put_off(key, after, PUT_OFF_MAX)
    });
    Ok(json!({ "numbers": numbers.await? }))
}

/// Looks the lines of a piece up and hands it to the core. What one operator takes of a transaction another one sees: the next look-up comes
/// after the read side knows of this one. None: each line was put off, and its issuer's queue has still no room; nothing of that needs a record.
async fn hand_over(
    switch: &Switch,
    piece: &Present,
    lines: &[(u32, Fields)],
) -> Result<Option<Decided>, Refusal> {
    let _alone = switch.known_facts.lock().await;
    let members = Members::gather(switch).await?;
    let acquirer = piece.participant;
    let found = lines
        .iter()
        .map(|(number, fields)| line_of(switch, &members, acquirer, *number, fields));
    // Some reads of the index a line, for a whole piece: the other tasks of this thread go on elsewhere meanwhile.
    let found: Result<Vec<Line>, Refusal> = tokio::task::block_in_place(|| found.collect());
    let mut found = found?;
    if piece.piece.number == PIECE_AGAIN {
        found = with_room(switch, found).await?;
    }
    if found.is_empty() {
        return Ok(None);
    }
    let present = Present {
        lines: found,
        ..piece.clone()
    };
    let command = Command::Cards(cards::Command::Present(present));
    let decided = switch.intake.decide(command).await;
    let decided = decided.map_err(|Stopped| Refusal::of_request("switch", "it is stopping"))?;
    let position = json!({ "position": decided.position.value() });
    change::follow_up_to(switch, &position).await;
    Ok(Some(decided))
}

/// The lines whose issuers' queues have room.
async fn with_room(switch: &Switch, lines: Vec<Line>) -> Result<Vec<Line>, Refusal> {
    show::ask(switch, move |engine| {
        let has_room = |line: &Line| {
            let known = line.known.as_ref();
            known.is_none_or(|known| engine.presentments_have_room(known.issuer))
        };
        lines.into_iter().filter(has_room).collect()
    })
    .await
}

fn stated(header: &FileHeader) -> Result<Header, Refusal> {
    let wrong = |key: &'static str| {
        move |error: &dyn std::fmt::Display| Refusal::of_request(key, error.to_string())
    };
    Ok(Header {
        file_id: Text::try_from(header.file_id.as_str())
            .map_err(|error| wrong("header.file_id")(&error))?,
        date: Date::parse(&header.date).map_err(|error| wrong("header.date")(&error))?,
        lines: header.lines,
        purchases: header.purchases,
        refunds: header.refunds,
    })
}

fn line_of(
    switch: &Switch,
    members: &Members,
    acquirer: ParticipantId,
    number: u32,
    fields: &Fields,
) -> Result<Line, Refusal> {
    let line = Line {
        number,
        kind: fields.kind,
        key: presentment_key(acquirer, fields.reference.as_str()),
        reference: fields.reference,
        retrieval: fields.retrieval,
        terminal: fields.terminal,
        card: fields.card,
        approval: fields.approval,
        amount: fields.amount,
        date: fields.date,
        mcc: fields.mcc,
        presented: false,
        known: None,
    };
    let is_kept = |known: &Known| is_kept(switch, known);
    let found = members.look(switch, |facts| facts.line(acquirer, line, is_kept));
    found.map_err(show::unreadable)
}

/// Whether the message of an original is still there, from which the issuer's letter is written: after an expiry or a redaction it would
/// stand at the head of the issuer's queue for ever.
fn is_kept(switch: &Switch, known: &Known) -> bool {
    let read = switch.records().read(known.submitted);
    read.is_ok_and(|(_, _, message)| message.is_some())
}

/// What is told of a file.
struct Told {
    acquirer: ParticipantId,
    header: Header,
    next: u32,
    complete: bool,
    presented: usize,
    /// Amounts of lines that were taken, in minor units.
    purchases: u64,
    refunds: u64,
    /// Lines by verdict.
    counts: [usize; LineVerdict::ALL.len()],
}

impl Told {
    fn of(acquirer: ParticipantId, file: &PresentmentFile) -> Told {
        let mut told = Told {
            acquirer,
            header: file.header,
            next: file.next,
            complete: file.complete,
            presented: file.lines.len(),
            purchases: 0,
            refunds: 0,
            counts: [0; LineVerdict::ALL.len()],
        };
        for line in &file.lines {
            if let Some(count) = told
                .counts
                .get_mut((line.verdict as usize).saturating_sub(1))
            {
                *count += 1;
            }
            if line.verdict == LineVerdict::Taken {
                let sum = match line.kind {
                    LineKind::Purchase => &mut told.purchases,
                    LineKind::Refund => &mut told.refunds,
                };
                *sum = sum.saturating_add(line.amount);
            }
        }
        told
    }

    fn value(&self, switch: &Switch) -> Value {
        let network = switch.network();
        let code = network
            .by_id(self.acquirer)
            .map(|view| view.code.to_string());
        let mut value = json!({
            "acquirer": code,
            "file": self.header.file_id.as_str(),
            "date": self.header.date.to_string(),
            "lines": self.header.lines,
            "purchases": show::decimal(Money::kzt(self.header.purchases)),
            "refunds": show::decimal(Money::kzt(self.header.refunds)),
            "presented": self.presented,
            "next_piece": self.next,
            "complete": self.complete,
            "purchases_taken": show::decimal(Money::kzt(self.purchases)),
            "refunds_taken": show::decimal(Money::kzt(self.refunds)),
        });
        let refused: usize = self.counts.iter().skip(1).sum();
        value["taken"] = self.counts.first().copied().into();
        value["refused"] = refused.into();
        value
    }

    /// Lines by verdict, those that occur.
    fn verdicts(&self) -> Value {
        let verdicts = LineVerdict::ALL.into_iter().zip(self.counts);
        let rows = verdicts.filter(|(_, count)| *count > 0);
        rows.map(|(verdict, count)| json!({ "verdict": verdict.name(), "lines": count }))
            .collect()
    }
}

/// The files that are known; of one file, what became of it, and behind `after` its lines.
pub(super) async fn show(
    switch: &Switch,
    code: Option<&str>,
    file: Option<&str>,
    after: Option<usize>,
) -> Result<Value, Refusal> {
    let participant = code
        .map(|code| change::participant_id(switch, code))
        .transpose()?;
    let wanted = file.map(ToOwned::to_owned);
    let told: Vec<Told> = show::ask(switch, move |engine| {
        let files = engine.presentment_files();
        let files = files.filter(|(id, _)| participant.is_none_or(|wanted| wanted == *id));
        let files = files.filter(|(_, file)| {
            let wanted = wanted.as_deref();
            wanted.is_none_or(|wanted| file.header.file_id.as_str() == wanted)
        });
        let files = files.take(SHOWN_MAX);
        files.map(|(id, file)| Told::of(id, file)).collect()
    })
    .await?;
    let Some(name) = file else {
        let rows: Vec<Value> = told.iter().map(|told| told.value(switch)).collect();
        return Ok(json!({ "files": rows }));
    };
    let [told] = told.as_slice() else {
        if told.is_empty() {
            return Ok(Value::Null);
        }
        let text = format!("several acquirers have a file `{name}`: name one");
        return Err(Refusal::of_request("participant", text));
    };
    let mut value = told.value(switch);
    match after {
        None => value["verdicts"] = told.verdicts(),
        Some(after) => {
            let shown = rows(switch, (told.acquirer, name), after).await?;
            let next = after.saturating_add(shown.len());
            value["next"] = (next < told.presented && !shown.is_empty())
                .then_some(next)
                .into();
            value["shown"] = shown.into();
        }
    }
    Ok(value)
}

/// Lines behind `after` with what they say, which is in the log.
async fn rows(
    switch: &Switch,
    (acquirer, name): (ParticipantId, &str),
    after: usize,
) -> Result<Vec<Value>, Refusal> {
    let key = file_key(acquirer, name);
    let lines: Vec<(Presented, Option<Position>)> = show::ask(switch, move |engine| {
        let file = engine.presentment_file(acquirer, key);
        let lines = file.into_iter().flat_map(|file| {
            let lines = file.lines.iter().skip(after).take(SHOWN_MAX);
            lines.map(|line| (*line, file.piece_of(line.number)))
        });
        lines.collect()
    })
    .await?;
    let mut piece: Option<(Position, Present)> = None;
    let mut shown = Vec::with_capacity(lines.len());
    for (line, position) in lines {
        if let Some(position) = position
            && piece.as_ref().is_none_or(|(read, _)| *read != position)
        {
            piece = match switch.records().read(position) {
                Ok((Command::Cards(cards::Command::Present(present)), _, _)) => {
                    Some((position, present))
                }
                _ => None,
            };
        }
        let stated = piece.as_ref().and_then(|(_, present)| {
            let mut lines = present.lines.iter();
            lines.find(|one| one.number == line.number)
        });
        shown.push(json!({
            "line": line.number,
            "kind": line.kind.name(),
            "verdict": line.verdict.name(),
            "amount": show::decimal(Money::kzt(line.amount)),
            "reference": stated.map(|line| line.reference.as_str()),
            "retrieval": stated.map(|line| line.retrieval.as_str()),
            "terminal": stated.map(|line| line.terminal.as_str()),
            "card": stated.map(|line| line.card.to_string()),
            "date": stated.map(|line| line.date.to_string()),
            "position": position.map(Position::value),
        }));
    }
    Ok(shown)
}
