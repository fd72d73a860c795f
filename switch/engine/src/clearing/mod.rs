//! The clearing system (ICS): items are taken in all the time, netted multilaterally in sessions, and settled in IMTS.
//!
//! ```text
//!             session closes: affordable                outcome told
//!   waiting ───────────────────────────────► settled ────────────────► ACSC to the sender, then the item to its receiver
//!      │  └────────────────────────────────► left out ───────────────► RJCT to the sender; the receiver never sees it
//!      └─ withdrawn before the close
//! ```
//!
//! A session closes in one record: [`torap_clearing::close`] says what is settled, and its nets are booked between the settlement
//! accounts in IMTS and the technical account, which is zero before and after. The outcomes follow in the records after, a few
//! hundred at a time, so that a day's items never stand between an instant payment and its answer. docs/clearing.md has the rules
//! and what a bank sees of each.
//!
//! Intake is the `intake` module, sessions are `sessions`, `items` holds what is known, `files` says which piece of a file is next.

mod command;
mod event;
mod files;
mod intake;
mod items;
mod purposes;
mod sessions;

pub use command::{
    Beneficiaries, Cancellation, Command, DAYS_MAX, FileKey, ITEMS_MAX, Line, LineRule, Order,
    PIECE_ITEMS_MAX, Party, Piece, REFUSED_LINES_MAX, RefusedLine, RefusedOrder, Settings, Submit,
};
pub use event::{Event, FileView, ItemView, Report, Row, View};
pub use files::FILES_MAX;
pub use purposes::{
    ListUse, PURPOSE_ACCOUNTS_MAX, PURPOSE_ROWS_MAX, PurposeRow, are_sound as are_purposes_sound,
};
pub use sessions::{REPORTS_MAX, TOLD_EACH, TOLD_EVERY};

pub use torap_clearing::{Priority, SessionId};

pub(crate) use purposes::{Purposes, has_lists, put_lists, take_lists};
pub(crate) use sessions::expire_first;

use std::collections::{BTreeMap, VecDeque};

use torap_clearing::Timetable;
use torap_domain::{
    Asset, Calendar, Date, DayOverride, Money, ParticipantId, Position, Reason, Time, Uetr,
};

use crate::{
    Engine, Outcome, Output, Source, Stamp, Status,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
};
use files::Files;
use items::{Item, Items, Stage};

/// From this version of the rules on the single dates that are set for IMTS are those of the clearing system and of disputes too.
const RULES_ONE_CALENDAR: u32 = 2;

/// Everything the clearing system remembers.
#[derive(Clone, Debug)]
pub(crate) struct State {
    settings: Settings,
    pub(crate) purposes: Purposes,
    /// Both follow from the settings.
    calendar: Calendar,
    /// Single dates of the calendar that all systems share. Follows from it.
    shared: BTreeMap<Date, DayOverride>,
    timetable: Timetable,
    open: Option<Open>,
    last_closed: Option<SessionId>,
    /// Dates before this one are forgotten.
    forget_before: Option<Date>,
    telling: Option<Telling>,
    items: Items,
    files: Files,
    reports: VecDeque<Report>,
}

/// The session that closes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    session: SessionId,
    /// The record that opened it.
    opened: Position,
    closes: Time,
}

/// Outcomes of the last session that are being told, and dates that are being forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Telling {
    session: SessionId,
    /// The record that closed the session.
    closed: Position,
    /// When the next few are told.
    due: Time,
    /// Whether every participant has its report, and only forgetting is left.
    reported: bool,
}

impl State {
    pub(crate) fn new(seed: u64) -> State {
        State {
            settings: Settings::initial(),
            purposes: Purposes::default(),
            calendar: Calendar::kazakhstan(),
            shared: BTreeMap::new(),
            timetable: Timetable::default(),
            open: None,
            last_closed: None,
            forget_before: None,
            telling: None,
            items: Items::new(seed),
            files: Files::new(),
            reports: VecDeque::new(),
        }
    }

    /// Business days, with the single dates that all systems share and those that the settings name, which count before them.
    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// When outcomes are told or the open session closes.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        match (&self.telling, &self.open) {
            (Some(telling), _) => Some((telling.due, telling.closed)),
            (None, Some(open)) => Some((open.closes, open.opened)),
            (None, None) => None,
        }
    }

    /// The oldest record whose items wait or are not told.
    pub(crate) fn oldest_referred(&self) -> Option<Position> {
        self.items.oldest_referred()
    }

    /// Reads the places that the identifiers of a command lead to; the value means nothing.
    pub(crate) fn touch(&self, command: &Command) -> u64 {
        match command {
            Command::Submit(submit) => {
                let touched = submit.items.iter().map(|order| {
                    let (key, uetr) = (&order.key, &order.uetr);
                    self.items.touch(key, uetr)
                });
                touched.fold(0, |all, one| all ^ one)
            }
            Command::Withdraw { .. }
            | Command::Close { .. }
            | Command::SetSettings { .. }
            | Command::SetPurposes { .. }
            | Command::Cancel(_) => 0,
        }
    }

    /// What becomes of the first bank's items is told to the second one, which took it over.
    pub(crate) fn hand_over(&mut self, bank: ParticipantId, heir: ParticipantId) {
        self.items.hand_over(bank, heir);
    }

    fn item(&self, uetr: &Uetr) -> Option<ItemView> {
        let (_, item) = self.items.find_uetr(uetr)?;
        Some(view_of(item))
    }

    fn view(&self) -> View {
        View {
            open: self.open.map(|open| (open.session, open.closes)),
            telling: self.telling.is_some(),
            waiting: self.items.waiting_by_date().collect(),
            items: self.items.len(),
            bytes: self.items.memory_bytes(),
        }
    }

    /// Sets settings whose [`timetable_of`] is `timetable`.
    fn configure(&mut self, settings: &Settings, timetable: Timetable) {
        self.timetable = timetable;
        self.settings = settings.clone();
        self.draw_up();
    }

    /// Takes over the single dates that all systems share.
    fn share(&mut self, days: BTreeMap<Date, DayOverride>) {
        self.shared = days;
        self.draw_up();
    }

    fn draw_up(&mut self) {
        let mut calendar = Calendar::kazakhstan();
        let own = self.settings.days.iter().map(|(date, what)| (date, what));
        for (date, what) in self.shared.iter().chain(own) {
            calendar.set(*date, Some(*what));
        }
        self.calendar = calendar;
    }

    /// Everything but the items, which are written in pieces.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.settings);
        writer.put(&self.last_closed);
        writer.put(&self.forget_before);
        writer.put(&self.open.is_some());
        if let Some(open) = &self.open {
            writer.put(&open.session);
            writer.put(&open.opened);
            writer.put(&open.closes);
        }
        writer.put(&self.telling.is_some());
        if let Some(telling) = &self.telling {
            writer.put(&telling.session);
            writer.put(&telling.closed);
            writer.put(&telling.due);
            writer.put(&telling.reported);
        }
        writer.count(self.reports.len());
        for report in &self.reports {
            writer.put(&report.session);
            writer.put(&report.closed);
            writer.put(&report.closed_at);
            writer.list(&report.rows);
        }
        self.files.write(writer);
        self.items.write(writer);
    }

    pub(crate) fn write_items(&self, scratch: &mut Vec<u8>, piece: &mut dyn FnMut(&[u8])) {
        self.items.write_items(scratch, piece);
    }

    /// Reads what [`State::write`] wrote; the items follow.
    pub(crate) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<State, FactsError> {
        let mut state = State::new(seed);
        let offset = reader.offset();
        let settings: Settings = reader.field("clearing settings")?;
        let timetable = timetable_of(&settings);
        let timetable = timetable
            .ok_or_else(|| reader.error("clearing settings", offset, LayoutRule::Value))?;
        state.configure(&settings, timetable);
        state.last_closed = reader.field("last closed")?;
        state.forget_before = reader.field("forget before")?;
        if reader.field("open")? {
            state.open = Some(Open {
                session: reader.field("open session")?,
                opened: reader.field("open opened")?,
                closes: reader.field("open closes")?,
            });
        }
        if reader.field("telling")? {
            state.telling = Some(Telling {
                session: reader.field("telling session")?,
                closed: reader.field("telling closed")?,
                due: reader.field("telling due")?,
                reported: reader.field("telling reported")?,
            });
        }
        let reports = reader.count("session reports")?;
        if reports > REPORTS_MAX {
            return Err(reader.error("session reports", offset, LayoutRule::Value));
        }
        for _ in 0..reports {
            state.reports.push_back(Report {
                session: reader.field("report session")?,
                closed: reader.field("report closed")?,
                closed_at: reader.field("report closed at")?,
                rows: reader.list("report rows")?,
            });
        }
        state.files = Files::read(reader)?;
        state.items = Items::read(reader, seed)?;
        Ok(state)
    }

    /// Items that are known.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn read_items(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        self.items.read_items(reader)
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    match command {
        Command::Submit(submit) => intake::apply(state, stamp, submit, out),
        Command::Withdraw { source, uetr } => {
            let decided = source
                .by_operator()
                .and_then(|()| intake::withdraw(state, stamp, uetr, None, out));
            match decided {
                Ok(()) => Outcome::Accepted,
                Err(reason) => {
                    out.event(crate::Event::Refused { reason });
                    Outcome::Refused(reason)
                }
            }
        }
        Command::Cancel(cancellation) => intake::cancel(state, stamp, cancellation, out),
        Command::Close { source } => sessions::apply_close(state, stamp, source, out),
        Command::SetSettings { source, settings } => {
            set_settings(state, stamp, source, settings, out)
        }
        Command::SetPurposes { source, rows } => {
            state.configure(source, purposes::are_sound(rows), out, |state| {
                state.clearing.purposes.set(rows);
            })
        }
    }
}

/// The single dates of the business calendar are others than before, or the first that count here: the open session is the next by them.
pub(crate) fn calendar_changed(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let days = shared_days(state);
    if days == state.clearing.shared {
        return;
    }
    // What is due by now is decided by the calendar that held until now.
    sessions::close_due(state, stamp, out);
    state.clearing.share(days);
    if state.clearing.open.is_some() {
        sessions::reopen(&mut state.clearing, stamp);
    }
}

/// The state comes from a snapshot, where the calendar stands once.
pub(crate) fn calendar_restored(state: &mut engine::State) {
    let days = shared_days(state);
    state.clearing.share(days);
}

fn shared_days(state: &engine::State) -> BTreeMap<Date, DayOverride> {
    if state.rules < RULES_ONE_CALENDAR {
        return BTreeMap::new();
    }
    state.settlement.days().collect()
}

fn set_settings(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    settings: &Settings,
    out: &mut Output,
) -> Outcome {
    // What is due by now is decided by the rules that held until now.
    sessions::close_due(state, stamp, out);
    let timetable = timetable_of(settings);
    let sound = timetable.is_some();
    state.configure(source, sound, out, |state| {
        if let Some(timetable) = timetable {
            state.clearing.configure(settings, timetable);
            sessions::reopen(&mut state.clearing, stamp);
        }
    })
}

/// The timetable of settings that are sound; none for others.
fn timetable_of(settings: &Settings) -> Option<Timetable> {
    let rising = settings.days.iter().zip(settings.days.iter().skip(1));
    let sound = settings.amount_max.asset() == Asset::Kzt
        && !settings.amount_max.is_zero()
        && (1..=ITEMS_MAX).contains(&settings.items_max)
        && settings.days.len() <= DAYS_MAX
        && rising.into_iter().all(|((one, _), (next, _))| one < next);
    let timetable = Timetable::new(settings.closes_at.clone(), settings.days_ahead).ok()?;
    sound.then_some(timetable)
}

fn view_of(item: &Item) -> ItemView {
    ItemView {
        key: item.key,
        debtor_agent: item.debtor,
        creditor_agent: item.creditor,
        amount: Money::kzt(item.amount),
        value_date: item.value_date,
        status: status_of(item),
        session: item.session,
        submitted: item.submitted,
        index: item.index,
    }
}

/// How an item stands, as its sender sees it.
fn status_of(item: &Item) -> Status {
    let rejected = |reason| Status::Rejected {
        reason,
        agent_code: None,
    };
    match item.stage {
        Stage::Waiting => Status::Pending,
        Stage::Settled => Status::Settled,
        Stage::Withdrawn => rejected(Reason::ItemWithdrawn),
        Stage::LeftOut => rejected(Reason::InsufficientFunds),
        Stage::DebtorSuspended => rejected(Reason::SenderSuspended),
        Stage::CreditorSuspended => rejected(Reason::ReceiverSuspended),
    }
}

/// What reports and doors ask.
impl Engine {
    /// Rules of the clearing system.
    pub fn clearing_settings(&self) -> &Settings {
        &self.state.clearing.settings
    }

    /// The business date that has to come before the operator may close the open session; none if it has come.
    pub fn clearing_date_ahead(&self, now: Time) -> Option<Date> {
        sessions::date_ahead(&self.state, now)
    }

    /// Single dates of the common calendar that hold here too; those of the settings count before them.
    pub fn clearing_common_days(&self) -> impl Iterator<Item = (Date, DayOverride)> + '_ {
        let days = self.state.clearing.shared.iter();
        days.map(|(date, what)| (*date, *what))
    }

    /// Where payments of which purposes must go, in the order of the purposes.
    pub fn clearing_purposes(&self) -> &[PurposeRow] {
        self.state.clearing.purposes.rows()
    }

    /// The session that is open, and what waits.
    pub fn clearing_view(&self) -> View {
        self.state.clearing.view()
    }

    /// The sessions that are remembered, oldest first.
    pub fn clearing_reports(&self) -> impl Iterator<Item = &Report> + '_ {
        self.state.clearing.reports.iter()
    }

    /// An item that is known, by UETR.
    pub fn clearing_item(&self, uetr: &Uetr) -> Option<ItemView> {
        self.state.clearing.item(uetr)
    }

    /// Every item that is known, by value date and in the order in which they came.
    pub fn clearing_items(&self) -> impl Iterator<Item = ItemView> + '_ {
        self.state.clearing.items.all().map(view_of)
    }

    /// How far a participant's file has come.
    pub fn clearing_file(&self, participant: ParticipantId, file: FileKey) -> Option<FileView> {
        self.state.clearing.files.view(participant, file)
    }

    /// What the open session would come to if it closed now. Reads every item that waits for it.
    pub fn clearing_forecast(&self) -> Vec<Row> {
        sessions::forecast(&self.state)
    }
}

#[cfg(test)]
mod tests;
