//! A second pair of eyes: families of the operator's commands that take effect only when another operator approves them.
//!
//! No family needs approval until the operator says so. From then on a command of such a family is refused when it comes alone, through whatever
//! door; it is proposed, waits, and takes effect in the record of its approval, by the rules of its own kind at that moment. A command with an
//! effective time is of the family of what it orders, and is approved before it waits for its time.
//!
//! Who an operator is the engine is told: it compares names, and proves none.
//!
//! Memory: about 500 bytes a proposal, more with tables; bounded by [`PROPOSALS_MAX`] and [`DONE_MAX`].

mod command;

pub use command::Command;

use std::collections::{BTreeMap, VecDeque};

use torap_domain::{Position, Reason, Span, Text, Time};

use crate::{
    Command as Any, Event, Outcome, Output, Source, Stamp, ancillary, cards, clearing,
    codec::{FactsError, LayoutRule, Reader, Writer, put_nested, take_proposed},
    engine, instant, participants, schedule, settlement, tariffs,
};

/// Proposals that may wait.
pub const PROPOSALS_MAX: usize = 256;
/// Proposals whose end is remembered.
pub const DONE_MAX: usize = 256;
/// How long a proposal waits unless the settings say otherwise.
pub const WITHIN: Span = Span::from_secs(24 * 3600);
/// How long it may wait at most.
pub const WITHIN_MAX: Span = Span::from_secs(30 * 24 * 3600);

/// From this version of the rules on also what never waits for a time has its family: payments, deliveries and ends of sessions.
const RULES_WHOLE_FAMILIES: u32 = 2;

/// Version of the layout of this part in a snapshot.
const LAYOUT: u8 = 1;

/// Commands that need approval together. The number is the bit that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Family {
    /// Money between the central bank, settlement accounts, positions and the guarantee fund, and between settlement accounts by the
    /// operator's hand.
    Money = 0,
    /// Profiles, states, modes and successors of participants.
    Participants = 1,
    /// Clocks, limits, recall rules and bounds of the instant rail, and the rules version.
    Settings = 2,
    /// Card tables and profiles, and the end of sessions. Never the stop list: a stolen card must not wait.
    Cards = 3,
    /// Changes of zone keys.
    Keys = 4,
    /// Credit lines, limits, reservations and business days of IMTS.
    Imts = 5,
    /// Rules and timetable of the clearing system, and the early end of a session.
    Clearing = 6,
    /// How card nets settle, what the guarantee fund requires, liquidity by rule.
    Guarantee = 7,
    /// Tariff tables, and what the operator notes to be charged.
    Tariffs = 8,
}

/// A set of families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Families(pub u16);

/// What needs approval, and for how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub families: Families,
    pub within: Span,
}

/// A command that waits for another operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Record of the proposal: its identifier.
    pub id: Position,
    pub expires: Time,
    pub command: Any,
}

/// How a proposal ended. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    Approved = 1,
    Rejected = 2,
    Expired = 3,
}

/// A proposal that waits no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Record of the proposal.
    pub id: Position,
    /// Record that ended it.
    pub ended: Position,
    pub end: End,
    /// Who decided; empty if it expired.
    pub by: Text<35>,
}

/// What waits, in the order of (expiry, proposal), and what came of the last ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    settings: Settings,
    waiting: BTreeMap<(Time, Position), Any>,
    done: VecDeque<Done>,
}

impl Family {
    /// Every family, in the order of the numbers.
    pub const ALL: [Family; 9] = [
        Family::Money,
        Family::Participants,
        Family::Settings,
        Family::Cards,
        Family::Keys,
        Family::Imts,
        Family::Clearing,
        Family::Guarantee,
        Family::Tariffs,
    ];

    /// Stable, as operators write it.
    pub const fn name(self) -> &'static str {
        match self {
            Family::Money => "money",
            Family::Participants => "participants",
            Family::Settings => "settings",
            Family::Cards => "cards",
            Family::Keys => "keys",
            Family::Imts => "imts",
            Family::Clearing => "clearing",
            Family::Guarantee => "guarantee",
            Family::Tariffs => "tariffs",
        }
    }

    /// The one of a name.
    pub fn from_name(name: &str) -> Option<Family> {
        Family::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The family of a command; none for what never needs approval: messages of participants, what the switch does by itself, what must not
    /// wait, and what only asks or takes back.
    pub fn of(command: &Any) -> Option<Family> {
        match command {
            Any::Participants(command) => match command {
                participants::Command::Fund { .. } => Some(Family::Money),
                // It begins as certifying, without money.
                participants::Command::Add { .. } => None,
                participants::Command::Update { .. }
                | participants::Command::SetState { .. }
                | participants::Command::SetPositionMode { .. }
                | participants::Command::SetSuccessor { .. } => Some(Family::Participants),
            },
            Any::Rules { .. } | Any::Bounds { .. } => Some(Family::Settings),
            Any::Instant(
                instant::Command::SetSettings { .. }
                | instant::Command::SetLimits { .. }
                | instant::Command::SetRecallRule { .. },
            ) => Some(Family::Settings),
            Any::Cards(cards::Command::StopList { .. } | cards::Command::Present(_)) => None,
            Any::Cards(cards::Command::Keys(command)) => match command {
                cards::KeyCommand::Order { .. } => Some(Family::Keys),
                cards::KeyCommand::Made { .. }
                | cards::KeyCommand::Answer(_)
                | cards::KeyCommand::Cancel { .. } => None,
            },
            Any::Cards(command) => command.source().map(|_| Family::Cards),
            Any::Settlement(
                settlement::Command::Fund { .. }
                | settlement::Command::Transfer { .. }
                | settlement::Command::Pay { .. },
            ) => Some(Family::Money),
            Any::Settlement(_) => schedule::may_wait(command).then_some(Family::Imts),
            Any::Clearing(clearing::Command::Close { .. }) => Some(Family::Clearing),
            Any::Clearing(_) => schedule::may_wait(command).then_some(Family::Clearing),
            Any::Ancillary(command) => match command {
                ancillary::Command::Fund { .. }
                | ancillary::Command::Call { .. }
                | ancillary::Command::Deliver { .. }
                | ancillary::Command::CloseDelivery { .. } => Some(Family::Money),
                ancillary::Command::SettleCards { .. } => Some(Family::Cards),
                ancillary::Command::SetSettings { .. }
                | ancillary::Command::Require { .. }
                | ancillary::Command::SetLiquidity { .. } => Some(Family::Guarantee),
            },
            Any::Tariffs(tariffs::Command::Set { .. } | tariffs::Command::Note { .. }) => {
                Some(Family::Tariffs)
            }
            Any::Schedule(schedule::Command::Order { command, .. }) => Family::of(command),
            Any::Instant(_)
            | Any::Directory(_)
            | Any::Qr(_)
            | Any::Links(_)
            | Any::Mass(_)
            | Any::Disputes(_)
            | Any::Reports(_)
            | Any::Schedule(_)
            | Any::Approval(_)
            | Any::Tick
            | Any::Start { .. }
            | Any::Mark { .. } => None,
        }
    }

    const fn bit(self) -> u16 {
        1_u16.wrapping_shl(self as u32)
    }
}

impl Families {
    /// None.
    pub const NONE: Families = Families(0);
    /// Every one.
    pub const ALL: Families = Families(0x01FF);

    /// The set of these.
    pub fn of(families: &[Family]) -> Families {
        Families(families.iter().fold(0, |set, family| set | family.bit()))
    }

    /// Whether a family is in it.
    pub const fn has(self, family: Family) -> bool {
        self.0 & family.bit() != 0
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Proposal {
    /// Whether it is this operator's own, who may not approve it.
    pub fn is_by(&self, operator: &Source) -> bool {
        match operator {
            Source::Operator { name, .. } => {
                self.command.asked_by().is_none_or(|by| is_by(by, name))
            }
            Source::Link { .. } | Source::Switch => true,
        }
    }
}

impl Settings {
    /// Nothing needs approval.
    pub const INITIAL: Settings = Settings {
        families: Families::NONE,
        within: WITHIN,
    };

    /// Whether a command takes effect only with an approval, by a version of the rules. The settings themselves do as long as any family
    /// is set.
    pub fn guard(&self, rules: u32, command: &Any) -> bool {
        if self.families.is_empty()
            || (rules < RULES_WHOLE_FAMILIES && takes_effect_at_once(command))
        {
            return false;
        }
        match command {
            Any::Approval(Command::SetSettings { .. }) => true,
            command => {
                Family::of(command).is_some_and(|family| self.families.has(family))
                    || (self.families.has(Family::Keys) && names_keys(command))
            }
        }
    }

    fn are_sound(&self) -> bool {
        self.families.0 & !Families::ALL.0 == 0
            && self.within > Span::ZERO
            && self.within <= WITHIN_MAX
    }
}

impl State {
    pub(crate) fn new() -> State {
        State {
            settings: Settings::INITIAL,
            waiting: BTreeMap::new(),
            done: VecDeque::new(),
        }
    }

    /// Whether nothing was ever set or proposed; then the snapshot has no part for it.
    pub(crate) fn is_new(&self) -> bool {
        *self == State::new()
    }

    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        self.waiting.first_key_value().map(|(due, _)| *due)
    }

    fn find(&self, id: Position) -> Option<(Time, &Any)> {
        let mut waiting = self.waiting.iter();
        waiting
            .find(|((_, other), _)| *other == id)
            .map(|((expires, _), command)| (*expires, command))
    }

    fn remember(&mut self, done: Done) {
        if self.done.len() == DONE_MAX {
            self.done.pop_front();
        }
        self.done.push_back(done);
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(LAYOUT);
        writer.put(&self.settings);
        writer.count(self.waiting.len());
        for ((expires, id), command) in &self.waiting {
            writer.put(expires);
            writer.put(id);
            put_nested(command, writer);
        }
        writer.count(self.done.len());
        for done in &self.done {
            writer.put(&done.id);
            writer.put(&done.ended);
            writer.u8(done.end as u8);
            writer.put(&done.by);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        reader.version(LAYOUT)?;
        let offset = reader.offset();
        let settings: Settings = reader.field("approval settings")?;
        if !settings.are_sound() {
            return Err(reader.error("approval settings", offset, LayoutRule::Value));
        }
        let mut state = State {
            settings,
            ..State::new()
        };
        for _ in 0..reader.count("proposals")? {
            let offset = reader.offset();
            let due = (reader.field("expires")?, reader.field("proposal")?);
            let command = take_proposed(reader)?;
            let last = state.waiting.last_key_value();
            if !may_be_proposed(&command) || last.is_some_and(|(before, _)| *before >= due) {
                return Err(reader.error("expires", offset, LayoutRule::Value));
            }
            state.waiting.insert(due, command);
        }
        for _ in 0..reader.count("proposals done")? {
            state.done.push_back(Done {
                id: reader.field("proposal")?,
                ended: reader.field("ended")?,
                end: reader.tag("end", End::from_number)?,
                by: reader.field("by")?,
            });
        }
        Ok(state)
    }
}

impl End {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<End> {
        match number {
            1 => Some(End::Approved),
            2 => Some(End::Rejected),
            3 => Some(End::Expired),
            _ => None,
        }
    }
}

/// What reports and the operator's door read.
impl engine::Engine {
    /// What needs approval.
    pub fn approval_settings(&self) -> Settings {
        self.state.approval.settings
    }

    /// Proposals that wait, in the order of their expiry.
    pub fn proposals(&self) -> impl Iterator<Item = Proposal> + '_ {
        let waiting = self.state.approval.waiting.iter();
        waiting.map(|((expires, id), command)| Proposal {
            id: *id,
            expires: *expires,
            command: command.clone(),
        })
    }

    /// What came of the last proposals, oldest first.
    pub fn proposals_done(&self) -> impl Iterator<Item = Done> + '_ {
        self.state.approval.done.iter().copied()
    }

    /// The oldest record of a proposal that waits.
    pub(crate) fn oldest_proposal(&self) -> Option<Position> {
        let waiting = self.state.approval.waiting.keys();
        waiting.map(|(_, id)| *id).min()
    }
}

/// Refuses a command that comes alone although it needs approval.
pub(crate) fn refuses(state: &engine::State, command: &Any) -> bool {
    state.approval.settings.guard(state.rules, command)
        && matches!(command.asked_by(), Some(Source::Operator { .. }))
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    let decision = match command {
        Command::SetSettings { source, settings } => {
            return state.configure(source, settings.are_sound(), out, |state| {
                state.approval.settings = *settings;
            });
        }
        Command::Propose { source, command } => {
            propose(&mut state.approval, stamp, source, command)
        }
        Command::Decide {
            source,
            id,
            approves: true,
        } => return approve(state, stamp, source, *id, out),
        Command::Decide { source, id, .. } => reject(&mut state.approval, stamp, source, *id),
    };
    match decision {
        Ok(()) => Outcome::Accepted,
        Err(reason) => refused(reason, out),
    }
}

fn refused(reason: Reason, out: &mut Output) -> Outcome {
    out.event(Event::Refused { reason });
    Outcome::Refused(reason)
}

/// What has a family, or the settings.
fn may_be_proposed(command: &Any) -> bool {
    let is_settings = matches!(command, Any::Approval(Command::SetSettings { .. }));
    is_settings || Family::of(command).is_some()
}

/// Who proposes is who is named in the command: what takes effect later stands under its name.
fn propose(state: &mut State, stamp: Stamp, source: &Source, command: &Any) -> Result<(), Reason> {
    source.by_operator()?;
    let asked_by = [command, schedule::ordered(command)].map(Any::asked_by);
    let own = asked_by == [Some(source); 2];
    if !may_be_proposed(command) || !own {
        return Err(Reason::OperatorRefused);
    }
    if state.waiting.len() >= PROPOSALS_MAX {
        return Err(Reason::InternalLimit);
    }
    // Whole settings stand in the command: of two that were made beside each other the second would undo the first.
    let mut others = state.waiting.values();
    if others.any(|other| schedule::replaces_same(other, command)) {
        return Err(Reason::EntryExists);
    }
    let expires = stamp.time.saturating_add(state.settings.within);
    state
        .waiting
        .insert((expires, stamp.position), command.clone());
    Ok(())
}

/// The command takes effect, or is refused by its own rules: then nothing has changed, and the proposal waits on.
fn approve(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    id: Position,
    out: &mut Output,
) -> Outcome {
    let Source::Operator { name, .. } = source else {
        return refused(Reason::OperatorRefused, out);
    };
    let waiting = state.approval.find(id);
    let Some((expires, command)) = waiting.filter(|(expires, _)| *expires > stamp.time) else {
        return refused(Reason::EntryUnknown, out);
    };
    if command.asked_by().is_none_or(|by| is_by(by, name)) {
        return refused(Reason::OperatorRefused, out);
    }
    let command = command.clone();
    let outcome = state.dispatch_from(id, stamp, &command, out);
    if let Outcome::Refused(_) = outcome {
        return outcome;
    }
    let approval = &mut state.approval;
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::APPROVE_TWICE) {
        return Outcome::Accepted;
    }
    approval.waiting.remove(&(expires, id));
    approval.remember(Done {
        id,
        ended: stamp.position,
        end: End::Approved,
        by: *name,
    });
    Outcome::Accepted
}

/// Whether a command of the systems below the rails has no effective time.
fn takes_effect_at_once(command: &Any) -> bool {
    matches!(
        command,
        Any::Settlement(_) | Any::Clearing(_) | Any::Ancillary(_) | Any::Tariffs(_)
    ) && !schedule::may_wait(command)
}

/// Whether a command sets the profile of a card member, and with it the key set in use and whether there are MACs.
fn names_keys(command: &Any) -> bool {
    match schedule::ordered(command) {
        Any::Cards(cards::Command::SetMember { .. }) => true,
        Any::Cards(cards::Command::SetTables { parts, .. }) => {
            let member = |part: &cards::TablePart| matches!(part, cards::TablePart::Member { .. });
            parts.iter().any(member)
        }
        _ => false,
    }
}

/// Names are compared without regard to case, in whatever alphabet: nobody becomes another by a capital.
fn is_by(source: &Source, name: &Text<35>) -> bool {
    let folded = |name: &str| -> String {
        let letters = name.trim().chars().flat_map(char::to_lowercase);
        letters.collect()
    };
    match source {
        Source::Operator { name: other, .. } => folded(other.as_str()) == folded(name.as_str()),
        Source::Link { .. } | Source::Switch => true,
    }
}

/// Also its own proposer may take it back.
fn reject(state: &mut State, stamp: Stamp, source: &Source, id: Position) -> Result<(), Reason> {
    let Source::Operator { name, .. } = source else {
        return Err(Reason::OperatorRefused);
    };
    let (expires, _) = state.find(id).ok_or(Reason::EntryUnknown)?;
    state.waiting.remove(&(expires, id));
    state.remember(Done {
        id,
        ended: stamp.position,
        end: End::Rejected,
        by: *name,
    });
    Ok(())
}

/// The first proposal that is due comes to nothing.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp) {
    if let Some(((_, id), _)) = state.approval.waiting.pop_first() {
        state.approval.remember(Done {
            id,
            ended: stamp.position,
            end: End::Expired,
            by: Text::truncated(""),
        });
    }
}

#[cfg(test)]
mod tests;
