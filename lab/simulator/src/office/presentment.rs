//! Presentment files of acquirers: the operator's tool, piece by piece, with right lines and wrong ones, a tool that starts over where the
//! switch says, and a second one with the same piece.

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{Date, Money, ParticipantId, Reason, Span, Text, Time, card::ApprovalCode};
use torap_engine::{
    Command, Engine, Event, Outcome, Stamp,
    cards::{
        self, CardKey, Class, Decision, Event as CardEvent, Header, Known, Line, LineKind,
        LineVerdict, Present, Presented,
    },
    clearing::{FileKey, Piece},
};
use torap_gateway::translate::{file_key, presentment_key};
use torap_index::is_disputable;

use super::{
    Turn,
    facts::{Facts, Job, look},
    operator,
};
use crate::{card::ABOVE_PERCENT, draw::Draw, node::Node, plan::SECOND};

/// Lines of a file and of a piece, at most.
const LINES_MAX: u64 = 24;
const PIECE_LINES_MAX: u64 = 9;
/// How often a piece is tried for which an issuer's queue has no room, and how long between.
const TRIES_MAX: u32 = 30;
const TRY_AGAIN_AFTER: u64 = SECOND;
/// How often the operator starts the tool again with the same file.
const RESTARTS_MAX: u32 = 10;

/// What a line has to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Any,
    NeverTaken,
    Only(LineVerdict),
}

/// The tool with a file.
#[derive(Debug)]
struct Tool {
    participant: ParticipantId,
    header: Header,
    pieces: Vec<Vec<Line>>,
    intents: Vec<Intent>,
    /// The next piece, from 0; none: the switch is asked.
    at: Option<usize>,
    waits: bool,
    tries: u32,
    restarts: u32,
}

/// A file that the tool is done with.
#[derive(Debug)]
struct Submitted {
    participant: ParticipantId,
    key: FileKey,
    lines: Vec<Line>,
    intents: Vec<Intent>,
    /// All of it is in, as the tool was told.
    complete: bool,
}

/// All presentment files of a run.
#[derive(Debug)]
pub(crate) struct Presenting {
    draw: Draw,
    tool: Option<Tool>,
    submitted: Vec<Submitted>,
    /// References that were used, by acquirer.
    references: Vec<(ParticipantId, Text<23>)>,
    files: u64,
    numbers: u64,
}

impl Presenting {
    pub(super) fn new(draw: Draw) -> Presenting {
        Presenting {
            draw,
            tool: None,
            submitted: Vec::new(),
            references: Vec::new(),
            files: 0,
            numbers: 0,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.tool.is_some()
    }

    /// A new file, unless one is going in; then sometimes its piece comes from a second tool as well.
    pub(super) fn begin(&mut self, turn: &mut Turn<'_>, facts: &mut Facts) -> Result<(), String> {
        if let Some(tool) = &self.tool {
            if tool.waits
                && let Some(at) = tool.at
                && self.draw.chance(500)
            {
                let present = tool.piece(at);
                let awaited = false;
                facts.add(0, Job::Piece { present, awaited });
            }
            return Ok(());
        }
        let Some(banks) = turn.cards.as_ref().map(|cards| cards.plan.banks) else {
            return Ok(());
        };
        let acquirer = self.draw.index(banks);
        let participant = ParticipantId::new(acquirer as u16 + 1);
        let count = self.draw.range(1, LINES_MAX);
        let (mut lines, mut intents) = (Vec::new(), Vec::new());
        for _ in 0..count {
            if let Some((line, intent)) = self.line(turn, acquirer)? {
                lines.push(Line {
                    number: lines.len() as u32 + 1,
                    ..line
                });
                intents.push(intent);
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.files += 1;
        let sum = |kind: LineKind| {
            let lines = lines.iter().filter(|line| line.kind == kind);
            lines.map(|line| line.amount.minor()).sum()
        };
        let header = Header {
            file_id: Text::truncated(&format!("PRES-{}", self.files)),
            date: Date::from_time(Time::from_nanos(turn.wall)),
            lines: lines.len() as u32,
            purchases: sum(LineKind::Purchase),
            refunds: sum(LineKind::Refund),
        };
        let each = self.draw.range(1, PIECE_LINES_MAX) as usize;
        self.tool = Some(Tool {
            participant,
            header,
            pieces: lines.chunks(each).map(<[Line]>::to_vec).collect(),
            intents,
            at: None,
            waits: false,
            tries: 0,
            restarts: 0,
        });
        Ok(())
    }

    /// A line about something that the acquirer did lately.
    fn line(
        &mut self,
        turn: &mut Turn<'_>,
        acquirer: usize,
    ) -> Result<Option<(Line, Intent)>, String> {
        let Some(cards) = turn.cards.as_deref_mut() else {
            return Ok(None);
        };
        let participant = ParticipantId::new(acquirer as u16 + 1);
        let Some(chosen) = cards.choose_for_office(&mut self.draw, acquirer, turn.wall) else {
            return Ok(None);
        };
        let known = look(turn.node, |facts| {
            facts.by_retrieval(participant, &chosen.reference)
        });
        let known = known.map_err(|error| error.to_string())?;
        let Some(known) = known.get(self.draw.index(known.len())).copied() else {
            return Ok(None);
        };
        let is_own_kind = self.draw.chance(950);
        let kind = if is_disputable(&known) == is_own_kind {
            LineKind::Refund
        } else {
            LineKind::Purchase
        };
        // Whoever gives back by file does not reverse besides.
        if kind == LineKind::Refund && !cards.load.reserve(chosen.place) {
            return Ok(None);
        }
        Ok(Some(self.about(participant, kind, &known, turn.wall)))
    }

    fn about(
        &mut self,
        participant: ParticipantId,
        kind: LineKind,
        known: &Known,
        wall: u64,
    ) -> (Line, Intent) {
        let references = &known.transaction.references;
        let today = Date::from_time(Time::from_nanos(wall));
        let whole = known.stands.minor();
        let part = self.draw.range(1, whole.max(1));
        let mut line = Line {
            number: 0,
            kind,
            key: CardKey([0; 16]),
            reference: self.reference(participant),
            retrieval: references.retrieval,
            terminal: references.terminal,
            card: known.transaction.card.pan,
            approval: match kind {
                LineKind::Purchase => known.approval,
                LineKind::Refund => None,
            },
            amount: Money::kzt(if self.draw.chance(500) { whole } else { part }),
            date: today,
            mcc: known.transaction.mcc,
            presented: false,
            known: None,
        };
        let mut intent = Intent::Any;
        match self.draw.weighted(&[60, 6, 6, 5, 4, 3, 3]) {
            1 => {
                line.amount = Money::kzt(whole + whole / 10);
            }
            2 => {
                let most = known.approved.minor();
                line.amount = Money::kzt(most + most / 5 + 100);
                // Of another transaction under the same DE37 it may be a part.
                let is_whole = known.transaction.class == Class::Authorisation;
                if is_whole && kind == LineKind::Purchase {
                    intent = Intent::NeverTaken;
                }
            }
            3 => {
                line.retrieval = Text::truncated(&format!("X{:011}", self.numbers));
                intent = Intent::Only(LineVerdict::Unmatched);
            }
            4 if kind == LineKind::Purchase => {
                line.approval = ApprovalCode::parse(b"WRONG1").ok();
                intent = Intent::Only(LineVerdict::Mismatch);
            }
            5 => {
                line.date = today.add_days(1);
                intent = Intent::NeverTaken;
            }
            6 => {
                line.amount = Money::kzt(0);
                intent = Intent::Only(LineVerdict::AmountNotAllowed);
            }
            _ => {}
        }
        if line.amount.is_zero() {
            intent = Intent::Only(LineVerdict::AmountNotAllowed);
        }
        line.key = presentment_key(participant, line.reference.as_str());
        let is_again = self.references.contains(&(participant, line.reference));
        self.references.push((participant, line.reference));
        // A line that was taken before is that before it is anything else.
        match intent {
            Intent::Only(_) if is_again => (line, Intent::NeverTaken),
            intent => (line, intent),
        }
    }

    /// A new one, or now and then one that was used before.
    fn reference(&mut self, participant: ParticipantId) -> Text<23> {
        self.numbers += 1;
        if self.draw.chance(80) {
            let mut used = self.references.iter().rev();
            let used = used.find(|(of, _)| *of == participant);
            if let Some((_, reference)) = used {
                return *reference;
            }
        }
        Text::truncated(&format!("ARN-{}", self.numbers))
    }

    /// Goes on with the file.
    pub(super) fn work(&mut self, node: &Node, facts: &mut Facts, now: u64) {
        while let Some(outcome) = facts.outcomes.pop_front() {
            if let Some(tool) = &mut self.tool {
                tool.decided(outcome, facts, now);
            }
        }
        let Some(tool) = self.tool.as_mut().filter(|tool| !tool.waits) else {
            return;
        };
        let file = || {
            node.follower()
                .engine()
                .presentment_file(tool.participant, tool.key())
        };
        let next = || file().map_or(0, |file| file.next as usize - 1);
        let at = tool.at.unwrap_or_else(next);
        tool.at = Some(at);
        let complete = at >= tool.pieces.len();
        if !complete && tool.restarts <= RESTARTS_MAX {
            tool.waits = true;
            let (present, awaited) = (tool.piece(at), true);
            facts.add(now, Job::Piece { present, awaited });
            return;
        }
        if let Some(tool) = self.tool.take() {
            self.submitted.push(Submitted {
                participant: tool.participant,
                key: tool.key(),
                lines: tool.pieces.concat(),
                intents: tool.intents,
                complete,
            });
        }
    }

    /// The tool starts over with the piece that the switch says is next.
    pub(super) fn process_ends(&mut self) {
        if let Some(tool) = &mut self.tool {
            (tool.at, tool.waits, tool.tries) = (None, false, 0);
        }
    }

    /// What was handed in is what the switch has, line by line, and wrong lines came to what is wrong with them.
    pub(super) fn check(&self, engine: &Engine) -> Result<(), String> {
        for file in &self.submitted {
            let known = engine.presentment_file(file.participant, file.key);
            let lines: &[Presented] = known.map_or(&[], |known| &known.lines);
            let name = || {
                let files = engine.presentment_files();
                let mut of = files.filter(|(id, _)| *id == file.participant);
                let found = of.find(|(_, found)| Some(*found) == known);
                found.map_or("a file".into(), |(_, found)| {
                    found.header.file_id.to_string()
                })
            };
            if file.complete && lines.len() != file.lines.len() {
                return Err(format!(
                    "presentment {}: {} lines were handed in, {} are known",
                    name(),
                    file.lines.len(),
                    lines.len()
                ));
            }
            for ((line, intent), known) in file.lines.iter().zip(&file.intents).zip(lines) {
                let same = (known.number, known.key, known.amount)
                    == (line.number, line.key, line.amount.minor());
                let as_meant = match intent {
                    Intent::Any => true,
                    Intent::NeverTaken => known.verdict != LineVerdict::Taken,
                    Intent::Only(verdict) => known.verdict == *verdict,
                };
                if !same || !as_meant {
                    return Err(format!(
                        "presentment {}, line {}: {} where {intent:?} was to come, as handed in: {same}",
                        name(),
                        line.number,
                        known.verdict.name()
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Tool {
    fn key(&self) -> FileKey {
        file_key(self.participant, self.header.file_id.as_str())
    }

    fn piece(&self, at: usize) -> Present {
        Present {
            source: operator("berik", "presentments"),
            participant: self.participant,
            piece: Piece {
                file: self.key(),
                number: at as u32 + 1,
                last: at + 1 == self.pieces.len(),
            },
            header: self.header,
            lines: self.pieces.get(at).cloned().unwrap_or_default(),
        }
    }

    fn decided(&mut self, outcome: Outcome, facts: &mut Facts, now: u64) {
        let Some(at) = self.at else {
            return;
        };
        match outcome {
            Outcome::Accepted | Outcome::AlreadyApplied => {
                (self.at, self.waits, self.tries) = (Some(at + 1), false, 0);
            }
            Outcome::Refused(Reason::RetryLater) if self.tries < TRIES_MAX => {
                self.tries += 1;
                let (present, awaited) = (self.piece(at), true);
                facts.add(now + TRY_AGAIN_AFTER, Job::Piece { present, awaited });
            }
            Outcome::Refused(_) => {
                self.restarts += 1;
                (self.at, self.waits, self.tries) = (None, false, 0);
            }
        }
    }
}

/// What the log says of presentments.
#[derive(Debug)]
pub(super) struct Presentments {
    /// How long an authorisation may be collected.
    lifetime: Span,
    taken_keys: BTreeSet<CardKey>,
    /// Approved authorisations: since when, how much, and what lines collected.
    authorised: BTreeMap<CardKey, (Time, u64, u64)>,
    /// Approved transactions that moved money: how much, and what was given back or claimed of it.
    moved: BTreeMap<CardKey, (u64, u64)>,
    /// Transactions that were reversed, in which files and cases find less.
    reversed: BTreeSet<CardKey>,
    pub(super) lines: u64,
    pub(super) taken: u64,
}

impl Presentments {
    pub(super) fn new(lifetime: Span) -> Presentments {
        Presentments {
            lifetime,
            taken_keys: BTreeSet::new(),
            authorised: BTreeMap::new(),
            moved: BTreeMap::new(),
            reversed: BTreeSet::new(),
            lines: 0,
            taken: 0,
        }
    }

    /// Takes a record; `engine` is the state after it.
    pub(super) fn record(
        &mut self,
        engine: &Engine,
        stamp: Stamp,
        (command, outcome): (&Command, Outcome),
        events: &[Event],
    ) -> Result<(), String> {
        let at = stamp.position.value();
        if let Command::Cards(cards::Command::Present(present)) = command {
            let told = self.piece(engine, stamp, (present, outcome), events);
            told.map_err(|text| format!("record {at}: {text}"))?;
        }
        for event in events {
            match event {
                Event::Card(CardEvent::Decided(done)) => {
                    let Decision::Approved { amount, .. } = done.decision else {
                        continue;
                    };
                    let amount = amount.minor();
                    match done.class {
                        Class::Authorisation => {
                            let row = (done.decided_at, amount, 0);
                            self.authorised.insert(done.key, row);
                        }
                        Class::Financial => {
                            self.moved.insert(done.key, (amount, 0));
                        }
                    }
                }
                Event::Card(CardEvent::Reversed { original, .. }) => {
                    self.reversed.insert(*original);
                }
                Event::Card(CardEvent::Reduced {
                    original,
                    stands,
                    case,
                }) => {
                    if let Some(dispute) = case.and_then(|case| engine.dispute(case)) {
                        self.give_back(original, dispute.case.claimed);
                    }
                    self.reduced(original, stands.minor(), is_last(events, event))
                        .map_err(|text| format!("record {at}: {text}"))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn give_back(&mut self, original: &CardKey, amount: u64) {
        if let Some((_, given_back)) = self.moved.get_mut(original) {
            *given_back += amount;
        }
    }

    /// What stands of a transaction is what was approved less what files gave back and cases claim.
    fn reduced(&self, original: &CardKey, stands: u64, is_last: bool) -> Result<(), String> {
        let Some((amount, given_back)) = self.moved.get(original) else {
            return Err("less stands of a card transaction that moved nothing".into());
        };
        let sound = stands.checked_add(*given_back) == Some(*amount);
        if is_last && !sound && !self.reversed.contains(original) {
            return Err(format!(
                "{stands} stand of a card transaction of {amount}, of which {given_back} were given back or claimed"
            ));
        }
        Ok(())
    }

    /// Every line of a piece has its verdict, moved its amount once if it was taken, and nothing otherwise.
    fn piece(
        &mut self,
        engine: &Engine,
        stamp: Stamp,
        (present, outcome): (&Present, Outcome),
        events: &[Event],
    ) -> Result<(), String> {
        let file = engine.presentment_file(present.participant, present.piece.file);
        let known = file.map_or(&[][..], |file| &file.lines);
        let accepted = outcome == Outcome::Accepted;
        let is_taken = |line: &Line| {
            let verdict = known.iter().find(|known| known.number == line.number);
            accepted && verdict.is_some_and(|known| known.verdict == LineVerdict::Taken)
        };
        let taken: Vec<&Line> = present.lines.iter().filter(|line| is_taken(line)).collect();
        for line in &present.lines {
            // Of two lines with one reference the posting is that of the one that was taken.
            let of_key = taken.iter().find(|taken| taken.key == line.key);
            self.moves(
                present.participant,
                of_key.unwrap_or(&line),
                of_key.is_some(),
                events,
            )?;
            self.lines += u64::from(accepted);
        }
        for line in taken {
            self.taken += 1;
            self.take(stamp, line)?;
        }
        Ok(())
    }

    fn moves(
        &self,
        acquirer: ParticipantId,
        line: &Line,
        taken: bool,
        events: &[Event],
    ) -> Result<(), String> {
        let mut postings = events.iter().filter_map(|event| match event {
            Event::Card(CardEvent::Posted(posting)) if posting.key == line.key => Some(posting),
            _ => None,
        });
        let (first, more) = (postings.next(), postings.count());
        let right = match first {
            None => !taken,
            Some(posting) => {
                let earns = match line.kind {
                    LineKind::Purchase => posting.credit,
                    LineKind::Refund => posting.debit,
                };
                taken && more == 0 && earns == acquirer && posting.amount == line.amount
            }
        };
        if right {
            return Ok(());
        }
        Err(format!(
            "line {} ({}), taken: {taken}, of {}: {} postings, the first {first:?}",
            line.number,
            line.reference,
            line.amount.minor(),
            usize::from(first.is_some()) + more
        ))
    }

    fn take(&mut self, stamp: Stamp, line: &Line) -> Result<(), String> {
        let name = line.reference;
        if !self.taken_keys.insert(line.key) {
            return Err(format!("line {name} was taken twice"));
        }
        let original = line.known.map(|known| known.transaction.key);
        let original = original.ok_or_else(|| format!("line {name} is taken about nothing"))?;
        let amount = line.amount.minor();
        match line.kind {
            LineKind::Refund => self.give_back(&original, amount),
            LineKind::Purchase => {
                let row = self.authorised.get_mut(&original);
                let (since, approved, collected) =
                    row.ok_or_else(|| format!("line {name} collects for no authorisation"))?;
                *collected += amount;
                let most = *approved + *approved * u64::from(ABOVE_PERCENT) / 100;
                let late = since.saturating_add(self.lifetime) <= stamp.time;
                if *collected > most || late {
                    return Err(format!(
                        "line {name}: {collected} are collected of {approved}, late: {late}"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Whether no later event of the record is about the same original.
fn is_last(events: &[Event], event: &Event) -> bool {
    let of = |event: &Event| match event {
        Event::Card(CardEvent::Reduced { original, .. }) => Some(*original),
        _ => None,
    };
    let last = events.iter().rev().find(|other| of(other) == of(event));
    last.is_some_and(|last| std::ptr::eq(last, event))
}
