//! The card rail: requests, advices, reversals, sessions and fees of ISO 8583 traffic.
//!
//! A request is admitted by the `rules` or declined, asked about by `request`, waits in `in_flight` for a scheme or an issuer, is decided in `decision` and
//! remembered in `window`; `transactions` finds it wherever it is. What must reach a member waits in `queue`. Money moves in
//! `postings` alone, and is counted by `sessions`. docs/outcomes-cards.md says what every situation comes to.

mod administration;
mod advice;
mod answers;
mod authorisations;
mod bins;
mod command;
mod decision;
mod disputed;
mod effect;
mod event;
mod facts;
mod fees;
mod in_flight;
mod keys;
mod members;
mod postings;
mod presentments;
mod queue;
mod request;
mod reversal;
mod rules;
mod sessions;
mod settings;
mod stand_in;
mod stop_list;
mod tables;
mod transactions;
mod window;

pub use bins::BinTable;
pub use command::{
    Acknowledged, Administrative, Advice, Answer, Command, FileUpdate, Malformed, Network,
    NetworkAction, Reconciliation, Request, Reversal, SchemeAnswer, StopAction, StopCause, Verdict,
};
pub use effect::{AdvisedBy, Effect, Letter, Message, Notice, ReversalCause};
pub use event::{Event, Finished, MemberView, Posting, SessionTotals};
pub use facts::{
    Card, CardKey, ChipFact, Class, Decider, Decision, Enrichment, Fees, Fingerprint, LinkNumber,
    MacFact, Origin, Original, PinFact, References, Route, Side, Sum, Totals, Trace, Transaction,
};
pub use keys::{
    CHECK_DIGITS_MIN, CheckDigits, KEY_OVERLAP, KEY_OVERLAP_MAX, KeyAnswer, KeyChange, KeyCommand,
    KeyLength, KeyOutcome, KeyResult, KeyStage, KeyState, KeyUse, KeyUses, NewKeys,
};
pub use presentments::{
    Header, Known, Line, LineKind, LineVerdict, PIECE_AGAIN, PIECE_LINES_MAX, PieceTaken, Present,
    Presented, PresentmentFile,
};
pub use settings::{
    AMOUNT_MAX, BinRange, Bounds, Channels, FEE_ROWS_MAX, FeeRow, INSTITUTIONS_MAX, LIFETIME_MAX,
    LIFETIME_ROWS_MAX, LINKS_MAX, LifetimeRow, Profile, RANGES_MAX, Rate, Roles, SCHEME_NUMBER_MAX,
    SESSIONS_MAX, STAND_IN_NUMBER_MAX, Scheme, Services, Settings, StandIn, Tariff, Without,
};
pub use tables::{TABLE_PARTS_MAX, TableFault, TablePart, TableRule};

pub(crate) use disputed::{DisputeMovement, claim, disputed, standing};
pub(crate) use sessions::{
    SessionStage, leave_accounts, open_session, session_dates, session_nets, session_paid,
    session_stage,
};

use std::sync::Arc;

use torap_domain::{Money, ParticipantId, Position, Time};

use crate::{
    Outcome, Output, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
};

/// Everything the rail remembers.
#[derive(Clone, Debug)]
pub(crate) struct State {
    settings: Settings,
    bins: bins::Bins,
    members: members::Members,
    transactions: transactions::Transactions,
    authorisations: authorisations::Authorisations,
    queues: queue::Queues,
    sessions: sessions::Sessions,
    fees: fees::FeeTable,
    stand_in: stand_in::State,
    schemes: [Option<Scheme>; SCHEMES],
    stop_list: stop_list::StopList,
    keys: keys::Keys,
    presentments: presentments::Presentments,
}

/// Numbers of schemes, 0 among them, which is none.
const SCHEMES: usize = SCHEME_NUMBER_MAX as usize + 1;

/// Sizes of what the rail holds, for reports; no decision reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    pub in_flight: usize,
    pub window_entries: usize,
    pub authorisations: usize,
    pub queued: usize,
    pub stopped_cards: usize,
    pub stand_in_cards: usize,
}

/// Whose deadline is due.
#[derive(Clone, Copy, Debug)]
enum Clock {
    Request,
    Queue,
    Authorisation,
    Session,
}

impl State {
    pub(crate) fn new(seed: u64) -> State {
        let settings = Settings::initial();
        State {
            settings,
            bins: bins::Bins::new(),
            members: members::Members::new(),
            transactions: transactions::Transactions::new(settings.bounds.window_entries, seed),
            authorisations: authorisations::Authorisations::new(seed),
            queues: queue::Queues::new(),
            sessions: sessions::Sessions::new(),
            fees: fees::FeeTable::new(),
            stand_in: stand_in::State::new(),
            schemes: [None; SCHEMES],
            stop_list: stop_list::StopList::new(seed),
            keys: keys::Keys::default(),
            presentments: presentments::Presentments::default(),
        }
    }

    /// When the rail decides something by itself, and the record that set it.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        self.earliest().map(|(time, position, _)| (time, position))
    }

    fn earliest(&self) -> Option<(Time, Position, Clock)> {
        let request = self
            .transactions
            .first_due()
            .map(|(time, position, _)| (time, position));
        let clocks = [
            (request, Clock::Request),
            (self.queues.next_deadline(), Clock::Queue),
            (self.authorisations.next_deadline(), Clock::Authorisation),
            (
                self.sessions.next_deadline(self.settings.cut_over_at),
                Clock::Session,
            ),
        ];
        let waiting = clocks
            .into_iter()
            .filter_map(|(due, clock)| due.map(|(time, position)| (time, position, clock)));
        waiting.min_by_key(|(time, position, _)| (*time, *position))
    }

    /// Records that something waiting is still written from.
    pub(crate) fn oldest_referred(&self) -> Option<Position> {
        let requests = self.transactions.in_order();
        let request = requests.first().map(|(_, request)| request.submitted);
        let others = [
            self.queues.oldest_referred(),
            self.authorisations.oldest_referred(),
        ];
        others.into_iter().chain([request]).flatten().min()
    }

    /// Reads the places that the identifiers of a message lead to; the value means nothing.
    pub(crate) fn touch(&self, command: &Command) -> u64 {
        match command {
            Command::Request(request) => self.transactions.touch_key(&request.transaction.key),
            Command::Advice(advice) => self.transactions.touch_key(&advice.transaction.key),
            Command::Reversal(reversal) => self.transactions.touch_key(&reversal.original.key),
            Command::Answer(answer) => {
                let asked_of = answer.origin.participant;
                self.transactions.touch_trace(asked_of, &answer.trace)
            }
            _ => 0,
        }
    }

    fn member_view(&self, id: ParticipantId) -> Option<MemberView> {
        self.members
            .view(id, self.queues.len(id), self.keys.get(id))
    }

    /// Members with connections of their own.
    fn hosts(&self) -> impl Iterator<Item = ParticipantId> + '_ {
        self.members
            .ids()
            .filter(|id| self.members.reach(*id) == *id)
    }

    /// Whether accounts and sessions of the rail agree with the ledger.
    pub(crate) fn agrees(
        &self,
        ledger: &torap_ledger::Ledger,
        taken: &dyn Fn(ParticipantId) -> i128,
    ) -> bool {
        let account = |id| self.members.get(id).map(|member| (id, member.account));
        let accounts: Vec<_> = self.members.ids().filter_map(account).collect();
        self.members.have_accounts(ledger) && self.sessions.agree(ledger, &accounts, taken)
    }
}

/// What reports and gateways read.
impl engine::Engine {
    /// Clocks, rules and bounds of the card rail.
    pub fn card_settings(&self) -> &Settings {
        &self.state.cards.settings
    }

    /// The BIN table that holds.
    pub fn card_bins(&self) -> Arc<BinTable> {
        Arc::clone(self.state.cards.bins.current())
    }

    /// Every member of card traffic, in the order of participants.
    pub fn card_members(&self) -> impl Iterator<Item = MemberView> + '_ {
        let cards = &self.state.cards;
        cards.members.ids().filter_map(|id| cards.member_view(id))
    }

    /// What a member owes the others, net: posted obligations and fees that are not settled.
    pub fn card_net_debit(&self, id: ParticipantId) -> Money {
        Money::kzt(members::net_debit(&self.state, id))
    }

    /// What every member did in the sessions that are kept.
    pub fn card_sessions(&self) -> impl Iterator<Item = SessionTotals> + '_ {
        self.state.cards.sessions.report()
    }

    /// The fee table.
    pub fn card_fees(&self) -> &[FeeRow] {
        self.state.cards.fees.rows()
    }

    /// Replaces the fee table without a command, on a copy that tries one. Whether the rows are sound; nothing changes otherwise.
    pub fn try_card_fees(&mut self, rows: &[FeeRow]) -> bool {
        let fees = &mut self.state.cards.fees;
        let sound = fees.accepts(rows);
        if sound {
            fees.set(rows);
        }
        sound
    }

    /// The table of lifetimes.
    pub fn card_lifetimes(&self) -> &[LifetimeRow] {
        self.state.cards.authorisations.lifetimes()
    }

    /// The stand-in rules by their numbers.
    pub fn card_stand_in(&self) -> impl Iterator<Item = (u16, StandIn)> + '_ {
        self.state.cards.stand_in.rules()
    }

    /// The foreign schemes by their numbers.
    pub fn card_schemes(&self) -> impl Iterator<Item = (u8, Scheme)> + '_ {
        let numbers = (0_u8..).zip(&self.state.cards.schemes);
        numbers.filter_map(|(number, scheme)| scheme.map(|scheme| (number, scheme)))
    }

    /// Why tables would be refused if they were set now; none if they would be set.
    pub fn card_tables_fault(&self, parts: &[TablePart]) -> Option<TableFault> {
        tables::fault(&self.state, parts)
    }

    /// Sizes of what the card rail holds.
    pub fn card_stats(&self) -> Stats {
        let cards = &self.state.cards;
        Stats {
            in_flight: cards.transactions.under_way(),
            window_entries: cards.transactions.remembered(),
            authorisations: cards.authorisations.len(),
            queued: cards.queues.waiting(),
            stopped_cards: cards.stop_list.len(),
            stand_in_cards: cards.stand_in.cards(),
        }
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    match command {
        Command::Request(request) => request::apply(state, stamp, request, out),
        Command::Advice(advice) => advice::apply(state, stamp, advice, out),
        Command::Reversal(reversal) => reversal::apply(state, stamp, reversal, out),
        Command::Answer(answer) => answers::apply(state, stamp, answer, out),
        Command::SchemeAnswer(answer) => answers::apply_scheme(state, stamp, answer, out),
        Command::Acknowledged(acknowledged) => {
            answers::apply_acknowledged(state, stamp, acknowledged, out)
        }
        Command::FileUpdate(update) => administration::apply_file_update(state, stamp, update, out),
        Command::Reconciliation(reconciliation) => {
            administration::apply_reconciliation(state, stamp, reconciliation, out)
        }
        Command::Administrative(message) => {
            administration::apply_administrative(state, stamp, message, out)
        }
        Command::Keys(command) => keys::apply(state, stamp, command, out),
        Command::Network(network) => administration::apply_network(state, stamp, network, out),
        Command::Malformed(malformed) => {
            administration::apply_malformed(state, stamp, malformed, out)
        }
        Command::LinkUp { participant, link } => {
            members::link(state, *participant, *link, true, out)
        }
        Command::LinkDown { participant, link } => {
            members::link(state, *participant, *link, false, out)
        }
        Command::SetMember {
            source,
            participant,
            profile,
        } => members::set(state, stamp, source, *participant, profile, out),
        Command::StopList {
            source,
            card,
            issuer,
            action,
        } => stop_list::apply(state, source, card, *issuer, *action, out),
        Command::Present(present) => presentments::apply(state, stamp, present, out),
        Command::CutOver { source } => sessions::apply_cut_over(state, stamp, source, out),
        Command::SettleSession { source, session } => {
            sessions::settle(state, stamp, source, *session, out)
        }
        Command::SetSettings { .. }
        | Command::SetBins { .. }
        | Command::SetFees { .. }
        | Command::SetLifetimes { .. }
        | Command::SetStandIn { .. }
        | Command::SetScheme { .. } => configure(state, command, out),
        Command::SetTables { source, parts } => tables::apply(state, stamp, source, parts, out),
    }
}

/// The operator's tables and settings.
fn configure(state: &mut engine::State, command: &Command, out: &mut Output) -> Outcome {
    match command {
        Command::SetSettings { source, settings } => {
            state.configure(source, settings.are_sound(), out, |state| {
                state.cards.settings = *settings;
                let entries_max = settings.bounds.window_entries;
                state.cards.transactions.set_entries_max(entries_max);
            })
        }
        Command::SetBins {
            source,
            version,
            ranges,
        } => {
            let table = tables::are_bins_sound(state, *version, ranges).map(Arc::new);
            let outcome = state.configure(source, table.is_ok(), out, |_| ());
            if outcome == Outcome::Accepted
                && let Ok(table) = table
            {
                state.cards.bins.set(Arc::clone(&table));
                out.card_event(Event::BinsChanged(table));
            }
            outcome
        }
        Command::SetFees { source, rows } => {
            let sound = state.cards.fees.accepts(rows);
            state.configure(source, sound, out, |state| state.cards.fees.set(rows))
        }
        Command::SetLifetimes { source, rows } => {
            state.configure(source, authorisations::are_sound(rows), out, |state| {
                state.cards.authorisations.set_lifetimes(rows);
            })
        }
        Command::SetStandIn {
            source,
            number,
            rule,
        } => state.configure(source, stand_in::is_sound(*number), out, |state| {
            state.cards.stand_in.set(*number, *rule);
        }),
        Command::SetScheme {
            source,
            number,
            scheme,
        } => {
            let cards = &state.cards;
            let sound =
                tables::is_scheme_sound(&cards.members, &cards.settings, *number, scheme.as_ref());
            state.configure(source, sound.is_ok(), out, |state| {
                if let Some(place) = state.cards.schemes.get_mut(usize::from(*number)) {
                    *place = *scheme;
                }
            })
        }
        _ => Outcome::Refused(torap_domain::Reason::InternalLimit),
    }
}

/// A process opened the log: nobody is connected, and no request of before is sent again.
pub(crate) fn start(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    for id in state.cards.members.start() {
        state.cards.queues.rest(id);
        members::changed(state, id, out);
    }
    let under_way: Vec<_> = state.cards.transactions.in_order();
    let slots: Vec<_> = under_way
        .into_iter()
        .map(|(slot, request)| (slot, *request))
        .collect();
    for (slot, request) in slots {
        match request.stage {
            in_flight::Stage::Issuer => state.cards.transactions.restarted(slot),
            in_flight::Stage::New | in_flight::Stage::Scheme => {
                let decline = window::declined(torap_domain::CardReason::Restarted, None);
                decision::decline(state, stamp, &request, Some(slot), decline, None, out);
            }
        }
    }
}

/// Decides what is due first.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    match state.cards.earliest() {
        Some((_, _, Clock::Request)) => decision::expire_first(state, stamp, out),
        Some((_, _, Clock::Queue)) => queue::expire_first(state, stamp, out),
        Some((_, _, Clock::Authorisation)) => authorisations::expire_first(state, stamp, out),
        Some((_, _, Clock::Session)) => sessions::expire(state, stamp, out),
        None => {}
    }
}

/// Version of the layout of this part and of its window in a snapshot: its first byte. A change of either is a new number.
const LAYOUT: u8 = 1;
/// Version of the layout of presentment files in a snapshot.
const PRESENTMENTS_LAYOUT: u8 = 1;
/// Version of the layout of key changes in a snapshot.
const KEYS_LAYOUT: u8 = 1;

/// Snapshot: everything but the window, which is written in pieces.
impl State {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(LAYOUT);
        writer.put(&self.settings);
        self.bins.write(writer);
        self.members.write(writer);
        self.transactions.write(writer);
        self.authorisations.write(writer);
        self.queues.write(writer);
        self.sessions.write(writer);
        self.fees.write(writer);
        self.stand_in.write(writer);
        for scheme in &self.schemes {
            writer.put(scheme);
        }
        self.stop_list.write(writer);
    }

    pub(crate) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<State, FactsError> {
        reader.version(LAYOUT)?;
        let offset = reader.offset();
        let settings: Settings = reader.field("settings")?;
        if !settings.are_sound() {
            return Err(reader.error("settings", offset, LayoutRule::Value));
        }
        let mut state = State {
            settings,
            bins: bins::Bins::read(reader)?,
            members: members::Members::read(reader)?,
            transactions: transactions::Transactions::read(reader, seed)?,
            authorisations: authorisations::Authorisations::read(reader, seed)?,
            queues: queue::Queues::read(reader)?,
            sessions: sessions::Sessions::read(reader)?,
            fees: fees::FeeTable::read(reader)?,
            stand_in: stand_in::State::read(reader)?,
            schemes: [None; SCHEMES],
            stop_list: stop_list::StopList::new(seed),
            keys: keys::Keys::default(),
            presentments: presentments::Presentments::default(),
        };
        for scheme in &mut state.schemes {
            *scheme = reader.field("scheme")?;
        }
        state.stop_list = stop_list::StopList::read(reader, seed)?;
        state.count_under_way();
        Ok(state)
    }

    /// Whether anything is known of key changes; without it their part is not written.
    pub(crate) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Snapshot: what is known of key changes.
    pub(crate) fn write_keys(&self, writer: &mut Writer<'_>) {
        writer.u8(KEYS_LAYOUT);
        self.keys.write(writer);
    }

    pub(crate) fn read_keys(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        reader.version(KEYS_LAYOUT)?;
        self.keys = keys::Keys::read(reader)?;
        Ok(())
    }

    /// Whether a presentment file is known; without one their part is not written.
    pub(crate) fn has_presentments(&self) -> bool {
        !self.presentments.is_empty()
    }

    /// Snapshot: what is known of presentment files.
    pub(crate) fn write_presentments(&self, writer: &mut Writer<'_>) {
        writer.u8(PRESENTMENTS_LAYOUT);
        self.presentments.write(writer);
    }

    pub(crate) fn read_presentments(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        reader.version(PRESENTMENTS_LAYOUT)?;
        self.presentments = presentments::Presentments::read(reader)?;
        Ok(())
    }

    /// What is counted and not written.
    fn count_under_way(&mut self) {
        let requests = self.transactions.in_order();
        let under_way: Vec<_> = requests.into_iter().map(|(_, request)| *request).collect();
        self.sessions
            .recount(under_way.iter().map(|request| request.session));
        let asked = under_way
            .iter()
            .filter(|request| request.stage == in_flight::Stage::Issuer);
        for request in asked {
            if let Some(member) = self.members.get_mut(request.asked_of) {
                member.asked = member.asked.saturating_add(1);
            }
        }
    }

    /// Feeds the window in pieces of one page.
    pub(crate) fn write_window(&self, scratch: &mut Vec<u8>, piece: &mut dyn FnMut(&[u8])) {
        self.transactions.write_window(scratch, piece);
    }

    /// Reads the first piece of the window.
    pub(crate) fn read_window(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        self.transactions.read_window(reader)
    }

    /// Reads a further piece: entries.
    pub(crate) fn read_entries(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        self.transactions.read_entries(reader)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod world;
