//! The switch without its doors: core, journal, follower and index of one process life, driven step by step.
//!
//! It is the single-threaded counterpart of the program's core thread, journal thread and follower thread: the same parts in the
//! same order, but the simulation says when each of them gets a turn and what the disk does meanwhile.

use std::{
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    sync::Arc,
};

use torap_core::{Core, CoreLimits, Intake};
use torap_domain::{Bic, Epoch, ParticipantId, Position, Sequence, Span, Text, Time};
use torap_engine::{Command, Effect, Message, Outcome, Source, participants::View};
use torap_follower::{Follower, FollowerError, FollowerOptions, SnapshotStore, recover};
use torap_gateway::translate::Network;
use torap_index::{Index, MemoryIndex};
use torap_journal::{
    Entropy, EvidenceKey, Journal, JournalError, Log, Medium, MemoryMedium, Options, Recovery,
    Step, SteppedJournal,
};

use crate::{
    card::Desk,
    records::{IndexLookups, LogRecords},
    stream::{Kept, Stream},
};

/// What survives the process: two folders and, as far as it was flushed, the index.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) journal: MemoryMedium,
    pub(crate) snapshots: MemoryMedium,
    pub(crate) index: Arc<MemoryIndex>,
    pub(crate) config: NodeConfig,
}

/// How the switch is configured; nothing of it decides anything.
#[derive(Clone, Debug)]
pub(crate) struct NodeConfig {
    pub(crate) seed: u64,
    pub(crate) encrypted: bool,
    pub(crate) segment_bytes: u64,
    /// Least size of a group that is written while the one ahead is not synced, in bytes.
    pub(crate) overlap_bytes: usize,
    pub(crate) snapshot_every: u64,
    pub(crate) kept_entries: usize,
    pub(crate) intake_max: usize,
    pub(crate) batch_records: usize,
    pub(crate) follower_lag_max: u64,
    pub(crate) mark_every: u64,
    pub(crate) switch_bic: Bic,
}

impl NodeConfig {
    pub(crate) fn evidence_key(&self) -> Option<EvidenceKey> {
        self.encrypted
            .then(|| EvidenceKey::new(*blake3::hash(&self.seed.to_le_bytes()).as_bytes()))
    }
}

/// Why a switch did not start, or stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    Journal(JournalError),
    Follower(FollowerError),
    /// An impossible state of ours.
    Defect(String),
}

/// What became of a command that somebody waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision {
    pub(crate) ticket: u64,
    pub(crate) outcome: Outcome,
    pub(crate) position: Position,
}

/// A switch that runs.
pub(crate) struct Node {
    core: Core,
    journal: SteppedJournal,
    follower: Follower<MemoryIndex>,
    intake: VecDeque<Intake>,
    intake_max: usize,
    pub(crate) streams: BTreeMap<ParticipantId, Stream>,
    views: Vec<View>,
    network: Rc<Network>,
    kept_entries: usize,
    pub(crate) lookups: IndexLookups,
    pub(crate) records: LogRecords,
    /// Card messages on their way to links.
    pub(crate) desk: Desk,
    window_dropped_upto: Rc<Cell<u64>>,
    /// Last sequence given to the journal.
    appended: u64,
    next_ticket: u64,
    /// Tickets of commands that have become durable.
    pub(crate) decided: Vec<u64>,
    /// The same with what was decided, for back offices.
    pub(crate) decisions: Vec<Decision>,
    /// The session that is each participant's current one, by the number of its connection.
    pub(crate) current: BTreeMap<ParticipantId, u64>,
    next_session: u64,
    /// Until these records are durable nobody is let in.
    opens_at: u64,
    /// What the opening of the journal found.
    pub(crate) recovery: Recovery,
}

impl Node {
    /// Opens the journal, recovers state and index, and queues the start and, on an empty log, the seed.
    pub(crate) fn start(
        machine: &Machine,
        wall: u64,
        seed: Vec<Command>,
    ) -> Result<Node, Box<Stop>> {
        let config = &machine.config;
        let snapshots = SnapshotStore::open(Arc::new(machine.snapshots.clone()))
            .map_err(|error| Stop::Follower(FollowerError::Snapshot(error)))?;
        let snapshots = Arc::new(snapshots);
        let newest = snapshots
            .newest()
            .map_err(|error| Stop::Follower(FollowerError::Snapshot(error)))?
            .value();
        let options = Options {
            segment_bytes: config.segment_bytes,
            batch_bytes_max: BATCH_BYTES,
            group_bytes_max: GROUP_BYTES,
            overlap_bytes: config.overlap_bytes,
            evidence_key: config.evidence_key(),
            writer: "torap simulation".into(),
            opened_at: wall,
            verify_from: newest,
            must_reach: newest,
            entropy: Entropy::Fixed(*blake3::hash(&config.seed.to_le_bytes()).as_bytes()),
        };
        let medium: Arc<dyn Medium> = Arc::new(machine.journal.clone());
        let (log, recovery) = Log::open(medium, options).map_err(Stop::Journal)?;
        let journal = SteppedJournal::new(log);
        let options = FollowerOptions {
            snapshot_every_records: config.snapshot_every,
            index_rows_max: 512,
            engine_seed: config.seed,
        };
        let index = Arc::clone(&machine.index);
        let recovered = recover(
            &journal,
            snapshots,
            Arc::clone(&index),
            options,
            &mut |_| {},
        )
        .map_err(Stop::Follower)?;
        let (engine, end) = (recovered.engine, recovered.recovered);
        let is_empty = end.last.position == Position::ZERO;
        let views: Vec<View> = engine.participant_views().collect();
        // The epoch is another one in each life.
        let (began, salt) = (end.last.position, u64::from(recovery.epoch));
        let desk = Desk::open(&engine, began, config.seed, salt, |id| code_of(&views, id));
        let mut streams = BTreeMap::new();
        for view in &views {
            let mut stream = Stream::new(config.kept_entries);
            stream.start_at(view.outbound_last, view.inbound_last);
            streams.insert(view.id, stream);
        }
        let window_dropped_upto = Rc::new(Cell::new(engine.window_dropped_upto().value()));
        let limits = CoreLimits {
            intake_commands_max: 256,
            batch_records_max: config.batch_records,
            backlog_records_max: 1024,
            follower_lag_max: config.follower_lag_max,
            mark_every_records: config.mark_every,
            mark_idle_after: Span::from_millis(200),
            ..CoreLimits::default()
        };
        let mut core = Core::new(engine, end, limits);
        let mut first = vec![Command::Start {
            epoch: Epoch::new(recovery.epoch),
            binary: Text::truncated("torap simulation"),
        }];
        if is_empty {
            first.extend(seed);
        }
        let opens_at = end.last.position.value() + first.len() as u64;
        for command in first {
            core.offer(plain(command, None))
                .map_err(|refused| Stop::Defect(format!("the seed: {}", refused.because)))?;
        }
        let reader = journal.log().reader();
        Ok(Node {
            core,
            appended: journal.durable_upto(),
            journal,
            follower: recovered.follower,
            intake: VecDeque::new(),
            intake_max: config.intake_max,
            streams,
            network: Rc::new(Network::new(config.switch_bic, &views)),
            views,
            kept_entries: config.kept_entries,
            lookups: IndexLookups {
                index,
                window_dropped_upto: Rc::clone(&window_dropped_upto),
            },
            records: LogRecords(reader),
            desk,
            window_dropped_upto,
            next_ticket: 1,
            decided: Vec::new(),
            decisions: Vec::new(),
            current: BTreeMap::new(),
            next_session: 0,
            opens_at,
            recovery,
        })
    }

    /// Whether banks may sign on: the start and the seed are durable.
    pub(crate) fn is_open(&self) -> bool {
        self.journal.durable_upto() >= self.opens_at
    }

    /// Releases what is durable, takes what waits, and gives the journal one batch. True if anything was done.
    pub(crate) fn turn(&mut self, wall: u64) -> Result<bool, Box<Stop>> {
        let released = self.release();
        let appended = self.append(wall)?;
        Ok(released || appended)
    }

    fn release(&mut self) -> bool {
        let durable = Position::new(self.journal.durable_upto());
        let mut any = false;
        while let Some(released) = self.core.release(durable) {
            any = true;
            let entries_max = self.kept_entries;
            if let Some(Source::Link {
                participant,
                sequence,
            }) = released.command.source()
            {
                stream_of(&mut self.streams, participant, entries_max).inbound_is_durable(sequence);
            }
            for effect in released.effects {
                let evidence =
                    forwards(effect, released.stamp.position).then(|| released.evidence.clone());
                stream_of(&mut self.streams, effect.outbound.to, entries_max).publish(Kept {
                    effect: *effect,
                    evidence,
                });
            }
            if !released.views.is_empty() && released.outcome != Outcome::AlreadyApplied {
                for view in released.views {
                    match self.views.iter_mut().find(|known| known.id == view.id) {
                        Some(known) => *known = view.clone(),
                        None => self.views.push(view.clone()),
                    }
                }
                let switch_bic = self.network.switch_bic();
                self.network = Rc::new(Network::new(switch_bic, &self.views));
            }
            let views = &self.views;
            self.desk.take(&released, |id| code_of(views, id));
            self.decided.extend(released.ticket);
            self.decisions
                .extend(released.ticket.map(|ticket| Decision {
                    ticket,
                    outcome: released.outcome,
                    position: released.stamp.position,
                }));
        }
        any
    }

    fn append(&mut self, wall: u64) -> Result<bool, Box<Stop>> {
        self.core.follower_applied(self.follower.applied_upto());
        while self.core.room() > 0 {
            let Some(intake) = self.intake.pop_front() else {
                break;
            };
            if let Err(refused) = self.core.offer(intake) {
                self.intake.push_front(refused.intake);
                break;
            }
        }
        let mut batch = self.journal.batch();
        self.core
            .step(Time::from_nanos(wall), &mut batch)
            .map_err(|error| Stop::Defect(error.to_string()))?;
        if let Some(refused) = self.core.refused() {
            let text = format!("a command fits no record: {}", refused.because);
            return Err(Box::new(Stop::Defect(text)));
        }
        let any = !batch.is_empty();
        self.journal.append(batch).map_err(Stop::Journal)?;
        self.appended = self.core.last().position.value();
        self.window_dropped_upto
            .set(self.core.engine().window_dropped_upto().value());
        Ok(any)
    }

    /// One write, one sync, one witness or one piece of the next segment.
    pub(crate) fn journal_step(&mut self) -> Result<Step, Box<Stop>> {
        Ok(self.journal.step().map_err(Stop::Journal)?)
    }

    /// The read side takes up to `records`. True if it has caught up.
    pub(crate) fn follower_step(&mut self, records: usize) -> Result<bool, Box<Stop>> {
        let progress = self.follower.step(records).map_err(Stop::Follower)?;
        Ok(progress.caught_up)
    }

    pub(crate) fn snapshot(&mut self) -> Result<(), Box<Stop>> {
        self.follower.snapshot_now().map_err(Stop::Follower)?;
        Ok(())
    }

    /// Queues a command; gives it back when the queue is full.
    #[expect(
        clippy::result_large_err,
        reason = "the command is given back as it came"
    )]
    pub(crate) fn push(&mut self, intake: Intake) -> Result<(), Intake> {
        if self.intake.len() >= self.intake_max {
            return Err(intake);
        }
        self.intake.push_back(intake);
        Ok(())
    }

    /// Queues a command of the switch or the operator, which finds room always, and gives its ticket.
    pub(crate) fn ask(&mut self, command: Command) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.intake.push_back(plain(command, Some(ticket)));
        ticket
    }

    /// As [`Node::ask`], for a payment with its original.
    pub(crate) fn ask_with(&mut self, intake: Intake) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.intake.push_back(Intake {
            ticket: Some(ticket),
            ..intake
        });
        ticket
    }

    /// As [`Node::ask`], for a command whose outcome nobody waits for.
    pub(crate) fn tell(&mut self, command: Command) {
        self.intake.push_back(plain(command, None));
    }

    /// As [`Node::tell`], for a message of a connection that ends.
    pub(crate) fn tell_with(&mut self, intake: Intake) {
        self.intake.push_back(intake);
    }

    pub(crate) fn is_overloaded(&self) -> bool {
        self.intake.len() * 4 > self.intake_max * 3
    }

    pub(crate) fn new_session(&mut self) -> u64 {
        self.next_session += 1;
        self.next_session
    }

    pub(crate) fn network(&self) -> Rc<Network> {
        Rc::clone(&self.network)
    }

    /// An outbound entry that memory no longer holds; none while the read side is behind it.
    pub(crate) fn rebuild(&self, participant: ParticipantId, sequence: Sequence) -> Option<Effect> {
        let found = self.lookups.index.outbound(participant, sequence);
        found.ok().flatten().map(Effect::from)
    }

    pub(crate) fn durable(&self) -> u64 {
        self.journal.durable_upto()
    }

    /// Records given to the journal that are not durable yet.
    pub(crate) fn undurable(&self) -> u64 {
        self.appended - self.journal.durable_upto()
    }

    /// Records that the read side has not applied yet.
    pub(crate) fn behind(&self) -> u64 {
        self.follower
            .lag(Position::new(self.journal.durable_upto()))
    }

    /// Whether the core has something to do at this time of the switch's clock.
    pub(crate) fn wants_turn(&self, wall: u64) -> bool {
        !self.intake.is_empty()
            || self.core.waiting() > 0
            || self.due().is_some_and(|due| due <= wall)
    }

    /// When the core wants a turn by itself, by the switch's clock.
    pub(crate) fn due(&self) -> Option<u64> {
        self.core.poll_timeout().map(Time::nanos)
    }

    /// Everything taken is decided, durable, released and followed.
    pub(crate) fn is_drained(&self) -> bool {
        self.intake.is_empty()
            && self.core.waiting() == 0
            && self.core.backlog() == 0
            && self.undurable() == 0
            && self.behind() == 0
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn follower(&self) -> &Follower<MemoryIndex> {
        &self.follower
    }

    pub(crate) fn journal(&self) -> &SteppedJournal {
        &self.journal
    }
}

/// Limits of the journal, small enough that a run fills many segments.
const BATCH_BYTES: usize = 64 << 10;
const GROUP_BYTES: usize = 96 << 10;
/// Smallest segment that one group fits into with its header.
pub(crate) const SEGMENT_BYTES_MIN: u64 = 104 << 10;

pub(crate) fn plain(command: Command, ticket: Option<u64>) -> Intake {
    Intake {
        command,
        evidence: bytes::Bytes::new(),
        secrets: torap_core::Secrets::NONE,
        ticket,
    }
}

fn stream_of(
    streams: &mut BTreeMap<ParticipantId, Stream>,
    id: ParticipantId,
    entries_max: usize,
) -> &mut Stream {
    streams
        .entry(id)
        .or_insert_with(|| Stream::new(entries_max))
}

fn code_of(views: &[View], id: ParticipantId) -> Option<Text<35>> {
    let view = views.iter().find(|view| view.id == id);
    view.map(|view| view.code)
}

/// Whether the entry forwards the message that caused it, whose original is at hand then.
fn forwards(effect: &Effect, position: Position) -> bool {
    matches!(
        effect.outbound.message,
        Message::Forward { original } | Message::ForwardReturn { original } | Message::ForwardRecall { original }
            | Message::ForwardResolution { original } | Message::ImtsForward { original, .. } if original == position
    )
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Stop {
        Stop::Journal(error)
    }
}

impl Stop {
    /// Damage that the journal proved, with segment and offset.
    pub(crate) fn damage(&self) -> Option<&torap_journal::Damage> {
        match self {
            Stop::Journal(error) | Stop::Follower(FollowerError::Journal(error)) => {
                damage_in(error)
            }
            Stop::Follower(_) | Stop::Defect(_) => None,
        }
    }

    /// The disk or the power failed, which the simulation did itself.
    pub(crate) fn is_of_medium(&self) -> bool {
        match self {
            Stop::Journal(error) | Stop::Follower(FollowerError::Journal(error)) => {
                medium_failed(error)
            }
            Stop::Follower(FollowerError::Snapshot(torap_follower::SnapshotError::Medium {
                ..
            })) => true,
            Stop::Follower(_) | Stop::Defect(_) => false,
        }
    }
}

fn damage_in(error: &JournalError) -> Option<&torap_journal::Damage> {
    match error {
        JournalError::Damaged(damage) => Some(damage),
        JournalError::Fenced { cause } => damage_in(cause),
        _ => None,
    }
}

fn medium_failed(error: &JournalError) -> bool {
    match error {
        JournalError::Medium { .. } | JournalError::Full { .. } => true,
        JournalError::Fenced { cause } => medium_failed(cause),
        _ => false,
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Journal(error) => write!(f, "journal: {error}"),
            Stop::Follower(error) => write!(f, "{error}"),
            Stop::Defect(text) => f.write_str(text),
        }
    }
}
