//! The engine: the whole state and the one function that changes it.

use std::fmt;
use torap_domain::{Asset, ParticipantId, Position, Reason, Time};
use torap_ledger::{AccountId, AccountKey, Book, ConservationError, Ledger, LedgerRefusal};

use crate::{
    Bounds, Command, Event, Outcome, Output, Source, Stamp, ancillary, approval, cards, clearing,
    directory, disputes,
    instant::{self, Finished, Found, Limits, PaymentKey, RecallRule, Settings, UnderWay},
    links, mass, notices,
    participants::{self, Participants, PositionView, View},
    qr, reports, schedule, settlement, tariffs,
};
use torap_domain::{Money, Service, Uetr};

/// Deadlines that one Tick decides, at most; if more are due, [`Engine::next_deadline`] stays in the past and the core ticks
/// again, so that other commands get their turn between.
pub const TICK_EXPIRES_MAX: usize = 4096;

/// The newest rules this binary knows; it also runs those before.
///
/// | version | |
/// |---|---|
/// | 1 | |
/// | 2 | banks are told of card nets, defaults, the guarantee fund and disputes; presentments fill at most half of an issuer's queue |
/// | 3 | what is refused for the moment has no final status; every command of IMTS sends letters that wait |
///
/// By version 2, too: a bank withdraws what it has given itself, names its payments by references of its own, and leaves what it owes a card
/// session; suspensions stop what waits; IMTS forgets references when the date changes and ends its day in pieces; no clearing session is
/// closed before its business date.
pub const RULES_NEWEST: u32 = 3;
/// The oldest rules this binary knows.
pub const RULES_OLDEST: u32 = 1;
/// The rules of a log before its first command about them; the same in every binary, for ever.
const RULES_AT_FIRST: u32 = 1;

/// Everything a decision may depend on.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) rules: u32,
    pub(crate) bounds: Bounds,
    /// Place and time of the last command.
    pub(crate) last: Stamp,
    pub(crate) ledger: Ledger,
    pub(crate) participants: Participants,
    pub(crate) links: links::State,
    pub(crate) instant: instant::State,
    pub(crate) directory: directory::State,
    pub(crate) qr: qr::State,
    pub(crate) schedule: schedule::State,
    pub(crate) cards: cards::State,
    pub(crate) settlement: settlement::State,
    pub(crate) clearing: clearing::State,
    pub(crate) ancillary: ancillary::State,
    pub(crate) tariffs: tariffs::State,
    pub(crate) mass: mass::State,
    pub(crate) disputes: disputes::State,
    pub(crate) reports: reports::State,
    pub(crate) approval: approval::State,
    /// The record that holds the facts of the command under way, if another record makes it take effect; none between two commands.
    pub(crate) facts_in: Option<Position>,
}

/// The deterministic heart of the switch.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) state: State,
}

/// Sizes of what the engine holds, for reports; no decision reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    pub in_flight: usize,
    pub window_entries: usize,
    /// Memory of the window's entries and tables, in bytes.
    pub window_bytes: usize,
    pub customers_today: usize,
    pub open_recalls: usize,
    pub qr_codes: usize,
    pub participants: usize,
}

impl Engine {
    /// An engine before its first command: no participant, nothing on the mirror account, default settings and bounds.
    pub fn new() -> Engine {
        Engine::seeded(0)
    }

    /// As [`Engine::new`]. `seed` places entries inside the look-up tables and changes nothing else: results, snapshots and
    /// digests are the same under every seed. A secret one keeps outsiders, who choose the UETRs, from choosing them so
    /// that they collide.
    pub fn seeded(seed: u64) -> Engine {
        let mut ledger = Ledger::new();
        for key in [MIRROR, CENTRAL_BANK, RAIL_TECHNICAL, CLEARING_TECHNICAL] {
            ledger.open(key);
        }
        Engine {
            state: State {
                rules: RULES_AT_FIRST,
                bounds: Bounds::DEFAULT,
                last: Stamp {
                    position: Position::ZERO,
                    time: Time::EPOCH,
                },
                ledger,
                participants: Participants::new(),
                links: links::State::new(),
                instant: instant::State::new(seed),
                directory: directory::State::new(),
                qr: qr::State::new(),
                schedule: schedule::State::new(),
                cards: cards::State::new(seed),
                settlement: settlement::State::new(),
                clearing: clearing::State::new(seed),
                ancillary: ancillary::State::new(),
                tariffs: tariffs::State::new(),
                mass: mass::State::new(),
                disputes: disputes::State::new(),
                reports: reports::State::new(),
                approval: approval::State::new(),
                facts_in: None,
            },
        }
    }

    /// Applies one command: the only way state changes. What it did stands in `out` afterwards; what stood there before is
    /// forgotten.
    ///
    /// Stamps rise strictly: the core gives them, once. A stamp that does not rise means that a log is replayed wrongly, and
    /// going on would settle payments twice.
    ///
    /// # Panics
    /// If the position of `stamp` is not above, or its time below, that of the last command.
    pub fn apply(&mut self, stamp: Stamp, command: &Command, out: &mut Output) {
        let last = self.state.last;
        assert!(
            stamp.position > last.position && stamp.time >= last.time,
            "stamp {stamp:?} does not follow {last:?}"
        );
        self.state.last = stamp;
        out.clear();
        out.outcome = if approval::refuses(&self.state, command) {
            let reason = Reason::OperatorRefused;
            out.event(Event::Refused { reason });
            Outcome::Refused(reason)
        } else {
            self.state.dispatch(stamp, command, out)
        };
        reports::notify(&mut self.state, stamp, out);
        notices::tell(&mut self.state, stamp, command, out);
    }

    /// Reads what applying the command will need and is probably far from the processor: the places of its identifiers and
    /// of its payer. Called for each command of a batch before the first is applied, it lets several reads wait for memory at
    /// the same time. Changes nothing.
    pub fn warm(&self, command: &Command) {
        let touched = match command {
            Command::Instant(command) => self.state.instant.touch(command),
            Command::Cards(command) => self.state.cards.touch(command),
            Command::Clearing(command) => self.state.clearing.touch(command),
            _ => return,
        };
        std::hint::black_box(touched);
    }

    /// When the next Tick is due: the earliest time that decides something by itself.
    pub fn next_deadline(&self) -> Option<Time> {
        self.state.earliest().map(|(time, _, _)| time)
    }

    /// The version of the rules that decide.
    pub fn rules_version(&self) -> u32 {
        self.state.rules
    }

    /// Place and time of the last command applied.
    pub fn last(&self) -> Stamp {
        self.state.last
    }

    /// One participant as gateways see it.
    pub fn participant_view(&self, id: ParticipantId) -> Option<View> {
        self.state.participants.view(id, &self.state.links)
    }

    /// Every participant as gateways see it, in the order of identifiers.
    pub fn participant_views(&self) -> impl Iterator<Item = View> + '_ {
        let ids = self.state.participants.ids();
        ids.filter_map(|id| self.participant_view(id))
    }

    /// Positions of all participants that settle themselves.
    pub fn positions(&self) -> impl Iterator<Item = PositionView> + '_ {
        let participants = &self.state.participants;
        let settling = move |id: &ParticipantId| participants.settles_through(*id) == *id;
        let ids = participants.ids().filter(settling);
        ids.filter_map(|id| self.state.position(id))
    }

    /// What the central bank's mirror account was debited in all: the money on the rail, in minor units of KZT.
    pub fn funded(&self) -> i128 {
        0_i128.saturating_sub(self.state.ledger.balance(self.state.mirror()))
    }

    /// Checks that debits equal credits, that no account is below its line, and that the technical account in IMTS holds what
    /// the positions of the instant rail sum to. Reads every account.
    pub fn conservation(&self) -> Result<(), Imbalance> {
        self.state.conservation()
    }

    /// Clocks and rules of the rail.
    pub fn settings(&self) -> &Settings {
        &self.state.instant.settings
    }

    /// What may be recalled for which reason, in the order of the codes.
    pub fn recall_rules(&self) -> impl Iterator<Item = RecallRule> + '_ {
        self.state.instant.recalls.rules()
    }

    /// The engine's bounds.
    pub fn bounds(&self) -> &Bounds {
        &self.state.bounds
    }

    /// Changes that wait for their effective time, in that order.
    pub fn scheduled(&self) -> impl Iterator<Item = schedule::Waiting> + '_ {
        self.state.schedule.waiting()
    }

    /// What came of the last changes that had an effective time, oldest first.
    pub fn scheduled_done(&self) -> impl Iterator<Item = schedule::Done> + '_ {
        self.state.schedule.done()
    }

    /// The limits of a service: the participant's own where it has them, the rail's otherwise.
    pub fn limits(&self, service: Service, participant: Option<ParticipantId>) -> Limits {
        self.state.instant.limits.effective(service, participant)
    }

    /// The newest position of what the window has forgotten; zero while it has forgotten nothing. Identifiers not in the
    /// window need a fact from an index that is at least as new.
    pub fn window_dropped_upto(&self) -> Position {
        self.state.instant.payments.dropped_upto()
    }

    /// A finished payment or return that the window remembers.
    pub fn find(&self, key: &PaymentKey) -> Option<Finished> {
        finished(self.state.instant.payments.find_key(key)?)
    }

    /// A finished payment that the window remembers, by UETR.
    pub fn find_uetr(&self, uetr: &Uetr) -> Option<Finished> {
        finished(self.state.instant.payments.find_uetr(uetr)?)
    }

    /// A payment under way, by UETR.
    pub fn under_way(&self, uetr: &Uetr) -> Option<UnderWay> {
        self.state.instant.under_way(uetr)
    }

    /// A payment under way, by key.
    pub fn under_way_by_key(&self, key: &PaymentKey) -> Option<UnderWay> {
        self.state.instant.under_way_by_key(key)
    }

    /// The oldest record that the state still refers to: what waits will be answered, or notified, from it. Only for messages;
    /// no decision reads a record.
    pub fn oldest_referred(&self) -> Option<Position> {
        let scheduled = self.scheduled().map(|waiting| waiting.id).min();
        let rail = self.state.instant.oldest_referred();
        let cards = self.state.cards.oldest_referred();
        let clearing = self.state.clearing.oldest_referred();
        let settlement = self.state.settlement.oldest_referred();
        let oldest = scheduled.into_iter().chain(rail).chain(cards);
        let reports = self.state.reports.oldest_referred();
        let mass = self.state.mass.oldest_referred();
        let oldest = oldest.chain(clearing).chain(settlement).chain(reports);
        oldest.chain(mass).chain(self.oldest_proposal()).min()
    }

    /// What each participant has to answer as the bank of payees, by [`ParticipantId::index`]; those that never had anything may
    /// be missing at the end.
    pub fn payee_loads(&self) -> &[instant::PayeeLoad] {
        self.state.instant.payments.payee_loads()
    }

    /// Sizes of what the engine holds.
    pub fn stats(&self) -> Stats {
        let instant = &self.state.instant;
        Stats {
            in_flight: instant.payments.under_way(),
            window_entries: instant.payments.remembered(),
            window_bytes: instant.payments.memory_bytes(),
            customers_today: instant.limits.customers_today(),
            open_recalls: instant.recalls.len(),
            qr_codes: self.state.qr.len(),
            participants: self.state.participants.ids().count(),
        }
    }
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

fn finished(found: Found) -> Option<Finished> {
    match found {
        Found::Finished(finished) => Some(finished),
        Found::UnderWay(_) => None,
    }
}

/// Money that is not where it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imbalance {
    /// The accounts do not balance, or one is below its line.
    Ledger(ConservationError),
    /// The technical account in IMTS holds another amount than the positions of the instant rail sum to; in minor units of KZT.
    Backing { positions: i128, technical: i128 },
}

impl fmt::Display for Imbalance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Imbalance::Ledger(error) => error.fmt(formatter),
            Imbalance::Backing {
                positions,
                technical,
            } => write!(
                formatter,
                "the positions of the instant rail sum to {positions}, their technical account in IMTS holds {technical}"
            ),
        }
    }
}

impl std::error::Error for Imbalance {}

/// The central bank's counter-account on the instant rail; opened first.
const MIRROR: AccountKey = of_switch(Book::CentralBankMirror);
/// The central bank's counter-account in IMTS.
const CENTRAL_BANK: AccountKey = of_switch(Book::CentralBank);
/// What backs the positions of the instant rail in IMTS.
const RAIL_TECHNICAL: AccountKey = of_switch(Book::RailTechnical);
/// The technical account of clearing sessions in IMTS.
const CLEARING_TECHNICAL: AccountKey = of_switch(Book::ClearingTechnical);

const fn of_switch(book: Book) -> AccountKey {
    AccountKey {
        owner: ParticipantId::SWITCH,
        book,
        asset: Asset::Kzt,
    }
}

/// Whose deadline is due.
#[derive(Clone, Copy, Debug)]
enum Clock {
    Payment,
    Recall,
    QrCode,
    Schedule,
    Cards,
    Settlement,
    Clearing,
    Ancillary,
    Disputes,
    Reports,
    Approval,
}

impl State {
    /// The account that funding is booked against.
    pub(crate) fn mirror(&self) -> AccountId {
        self.technical(MIRROR)
    }

    /// The account that funding of settlement accounts is booked against.
    pub(crate) fn central_bank(&self) -> AccountId {
        self.technical(CENTRAL_BANK)
    }

    /// The account in IMTS that backs the positions of the instant rail.
    pub(crate) fn rail_technical(&self) -> AccountId {
        self.technical(RAIL_TECHNICAL)
    }

    /// The technical account in IMTS of clearing sessions; zero between any two records.
    pub(crate) fn clearing_technical(&self) -> AccountId {
        self.technical(CLEARING_TECHNICAL)
    }

    /// One of the accounts that every engine opens first.
    fn technical(&self, key: AccountKey) -> AccountId {
        self.ledger.find(key).unwrap_or(AccountId(0))
    }

    /// A participant's settlement account in IMTS; opened with the participant.
    pub(crate) fn settlement_account(&self, id: ParticipantId) -> Option<AccountId> {
        self.ledger.find(AccountKey {
            owner: id,
            book: Book::Settlement,
            asset: Asset::Kzt,
        })
    }

    pub(crate) fn conservation(&self) -> Result<(), Imbalance> {
        let ledger = &self.ledger;
        ledger.check_conservation().map_err(Imbalance::Ledger)?;
        let accounts = ledger.accounts().map(|(_, account)| account);
        let positions = accounts
            .filter(|account| account.key().book == Book::InstantPosition)
            .fold(0_i128, |sum, account| sum.saturating_add(account.balance()));
        let technical = ledger.balance(self.rail_technical());
        if positions == technical {
            Ok(())
        } else {
            Err(Imbalance::Backing {
                positions,
                technical,
            })
        }
    }

    /// Money enters or leaves the instant rail: a booking between the central bank's mirror and a position, and beside it the
    /// booking in IMTS between `funds` and the technical account, so that the positions stay backed. Both or neither.
    pub(crate) fn move_to_rail(
        &mut self,
        direction: participants::Direction,
        position: AccountId,
        funds: AccountId,
        amount: Money,
    ) -> Result<(), LedgerRefusal> {
        let (mirror, technical) = (self.mirror(), self.rail_technical());
        let ledger = &mut self.ledger;
        match direction {
            participants::Direction::In => {
                ledger.transfer(funds, technical, amount)?;
                ledger
                    .transfer(mirror, position, amount)
                    .inspect_err(|_| undo(ledger, technical, funds, amount))
            }
            participants::Direction::Out => {
                ledger.transfer(position, mirror, amount)?;
                ledger
                    .transfer(technical, funds, amount)
                    .inspect_err(|_| undo(ledger, mirror, position, amount))
            }
        }
    }

    /// As [`State::dispatch`], for a command whose facts stand in an earlier record.
    pub(crate) fn dispatch_from(
        &mut self,
        record: Position,
        stamp: Stamp,
        command: &Command,
        out: &mut Output,
    ) -> Outcome {
        let outer = self.facts_in.replace(record);
        let outcome = self.dispatch(stamp, command, out);
        self.facts_in = outer;
        outcome
    }

    /// The record that holds the facts of the command under way: what a message about it is written from.
    pub(crate) fn facts_of(&self, stamp: Stamp) -> Position {
        self.facts_in.unwrap_or(stamp.position)
    }

    pub(crate) fn dispatch(
        &mut self,
        stamp: Stamp,
        command: &Command,
        out: &mut Output,
    ) -> Outcome {
        if let Some(Source::Link {
            participant,
            sequence,
        }) = command.asked_by()
        {
            match self.links.receive(*participant, *sequence) {
                Ok(true) => {}
                Ok(false) => return Outcome::AlreadyApplied,
                Err(reason) => return Outcome::Refused(reason),
            }
        }
        match command {
            Command::Instant(command) => instant::apply(self, stamp, command, out),
            Command::Directory(command) => directory::apply(self, stamp, command, out),
            Command::Qr(command) => qr::apply(self, stamp, command, out),
            Command::Links(command) => links::apply(self, stamp, command, out),
            Command::Participants(command) => participants::apply(self, stamp, command, out),
            Command::Schedule(command) => schedule::apply(self, stamp, command, out),
            Command::Cards(command) => cards::apply(self, stamp, command, out),
            Command::Settlement(command) => settlement::apply(self, stamp, command, out),
            Command::Clearing(command) => clearing::apply(self, stamp, command, out),
            Command::Ancillary(command) => ancillary::apply(self, stamp, command, out),
            Command::Tariffs(command) => tariffs::apply(self, stamp, command, out),
            Command::Mass(command) => mass::apply(self, stamp, command, out),
            Command::Disputes(command) => disputes::apply(self, stamp, command, out),
            Command::Reports(command) => reports::apply(self, stamp, command, out),
            Command::Approval(command) => approval::apply(self, stamp, command, out),
            Command::Tick => self.tick(stamp, out),
            Command::Start { .. } => {
                self.links.start(out);
                cards::start(self, stamp, out);
                Outcome::Accepted
            }
            Command::Rules { source, version } => {
                let known = (RULES_OLDEST..=RULES_NEWEST).contains(version);
                let outcome = self.configure(source, known, out, |state| state.rules = *version);
                clearing::calendar_changed(self, stamp, out);
                outcome
            }
            Command::Bounds { source, bounds } => {
                self.configure(source, bounds.are_sound(), out, |state| {
                    state.bounds = *bounds;
                    let entries_max = bounds.duplicate_window_entries;
                    state.instant.payments.set_entries_max(entries_max);
                })
            }
            // The core compares; a digest decides nothing.
            Command::Mark { .. } => Outcome::Accepted,
        }
    }

    /// A change of configuration: by the operator, and only to something sound.
    pub(crate) fn configure(
        &mut self,
        source: &Source,
        sound: bool,
        out: &mut Output,
        change: impl FnOnce(&mut State),
    ) -> Outcome {
        let allowed = source.by_operator().is_ok() && sound;
        if allowed {
            change(self);
            return Outcome::Accepted;
        }
        let reason = Reason::OperatorRefused;
        out.event(Event::Refused { reason });
        Outcome::Refused(reason)
    }

    /// Decides what is due, in the order of (deadline, record that set it).
    fn tick(&mut self, stamp: Stamp, out: &mut Output) -> Outcome {
        for _ in 0..TICK_EXPIRES_MAX {
            match self.earliest() {
                Some((time, _, clock)) if time <= stamp.time => match clock {
                    Clock::Payment => instant::expire_first(self, stamp, out),
                    Clock::Recall => instant::recalls::expire_first(self, stamp, out),
                    Clock::QrCode => qr::expire_first(self, stamp, out),
                    Clock::Schedule => schedule::expire_first(self, stamp, out),
                    Clock::Cards => cards::expire_first(self, stamp, out),
                    Clock::Settlement => settlement::expire_first(self, stamp, out),
                    Clock::Clearing => clearing::expire_first(self, stamp, out),
                    Clock::Ancillary => ancillary::expire_first(self, stamp, out),
                    Clock::Disputes => disputes::expire_first(self, stamp, out),
                    Clock::Reports => reports::expire_first(self, stamp),
                    Clock::Approval => approval::expire_first(self, stamp),
                },
                _ => break,
            }
        }
        Outcome::Accepted
    }

    fn earliest(&self) -> Option<(Time, Position, Clock)> {
        let clocks = [
            (self.instant.next_deadline(), Clock::Payment),
            (self.instant.recalls.next_deadline(), Clock::Recall),
            (self.qr.next_deadline(), Clock::QrCode),
            (self.schedule.next_deadline(), Clock::Schedule),
            (self.cards.next_deadline(), Clock::Cards),
            (self.settlement.next_deadline(), Clock::Settlement),
            (self.clearing.next_deadline(), Clock::Clearing),
            (self.ancillary.next_deadline(), Clock::Ancillary),
            (self.disputes.next_deadline(), Clock::Disputes),
            (self.reports.next_deadline(), Clock::Reports),
            (self.approval.next_deadline(), Clock::Approval),
        ];
        let waiting = clocks
            .into_iter()
            .filter_map(|(due, clock)| due.map(|(time, position)| (time, position, clock)));
        waiting.min_by_key(|(time, position, _)| (*time, *position))
    }
}

/// Takes a booking back that was made a moment ago; the second of a pair was refused because a sum is full.
fn undo(ledger: &mut Ledger, debit: AccountId, credit: AccountId, amount: Money) {
    let back = ledger.transfer(debit, credit, amount);
    assert!(back.is_ok(), "a booking of this command is taken back");
}

/// What a refusal of the ledger means for a payment. All but missing funds break a rule of the engine itself, and are refused
/// without having booked anything.
pub(crate) fn refused_by_ledger(refusal: LedgerRefusal) -> Reason {
    match refusal {
        LedgerRefusal::InsufficientFunds => Reason::InsufficientFunds,
        LedgerRefusal::AmountZero => Reason::AmountZero,
        LedgerRefusal::AccountUnknown
        | LedgerRefusal::SameAccount
        | LedgerRefusal::AssetMismatch
        | LedgerRefusal::HoldMissing
        | LedgerRefusal::Overflow
        | LedgerRefusal::CreditLineInUse
        | LedgerRefusal::CreditLineMeaningless => Reason::InternalLimit,
    }
}

#[cfg(test)]
mod tests;
