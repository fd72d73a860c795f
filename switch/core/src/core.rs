//! Order, stamp, append, apply.

use bytes::Bytes;
use torap_domain::{Position, Time};
use torap_engine::{Command, Engine, Event, Output, RunningDigest, Stamp, codec, participants};
use torap_journal::{Batch, BatchError, RecordMeta};

use crate::{
    CoreError, CoreLimits, Intake, Recovered, Refused, RefusedBecause, Released, Secrets,
    backlog::Backlog, intake::Waiting, limits::TICKS_PER_STEP_MAX,
};

/// The one place where commands get their order and their time.
#[derive(Debug)]
pub struct Core {
    engine: Engine,
    limits: CoreLimits,
    waiting: Waiting,
    backlog: Backlog,
    /// Position and time of the last record.
    last: Stamp,
    running: RunningDigest,
    /// Position of the last mark.
    marked: Position,
    /// Position up to which the slowest follower has applied.
    follower: Position,
    too_large: Vec<Intake>,
    counters: Counters,
    // Used again for every record.
    facts: Vec<u8>,
    output: Output,
}

/// What one [`Core::step`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stepped {
    /// Records in the batch.
    pub records: usize,
    /// More could be done at once in another batch.
    pub more: bool,
    /// A bound kept the step from taking what waits.
    pub held: Option<Held>,
}

/// What keeps the core from taking more commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Too much is applied and not yet released: the journal or the reader of [`Core::release`] is behind.
    Backlog,
    /// A follower is too far behind. Timers go on.
    FollowerLag,
}

/// What the core did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commands written to the log.
    pub commands: u64,
    /// Ticks written to the log.
    pub ticks: u64,
    /// Marks written to the log.
    pub marks: u64,
    /// Commands not taken because the intake was full.
    pub refused_full: u64,
    /// Commands not taken because they fit into no batch.
    pub refused_too_large: u64,
    /// Steps that a full backlog cut short.
    pub held_by_backlog: u64,
    /// Steps that a follower's lag cut short.
    pub held_by_follower: u64,
}

/// How a record fared.
enum Recorded {
    Yes,
    /// It does not fit into this batch any more.
    BatchFull,
    /// It fits into no batch.
    TooLarge,
}

impl Core {
    /// A core that goes on where `recovered` ends; `engine` has applied everything up to there.
    pub fn new(engine: Engine, recovered: Recovered, limits: CoreLimits) -> Core {
        Core {
            engine,
            waiting: Waiting::new(limits.intake_commands_max, limits.intake_bytes_max),
            limits,
            backlog: Backlog::default(),
            last: recovered.last,
            running: RunningDigest::resume(recovered.running),
            marked: recovered.marked,
            follower: recovered.last.position,
            too_large: Vec::new(),
            counters: Counters::default(),
            facts: Vec::new(),
            output: Output::new(),
        }
    }

    /// Takes a command to the end of the queue, or gives it back because the queue is full.
    #[expect(
        clippy::result_large_err,
        reason = "the command is given back as it came; a box would allocate under overload"
    )]
    pub fn offer(&mut self, intake: Intake) -> Result<(), Refused> {
        if !self.waiting.fits(intake.bytes()) {
            self.counters.refused_full = self.counters.refused_full.saturating_add(1);
            return Err(Refused {
                because: RefusedBecause::Full,
                intake,
            });
        }
        self.waiting.push(intake);
        Ok(())
    }

    /// Orders, stamps and applies what waits and what is due, and writes it into `batch`, which must be empty and from the
    /// journal that the batch is then appended to. `now` is the clock's time; records get times that rise strictly even if
    /// the clock does not.
    pub fn step(&mut self, now: Time, batch: &mut Batch) -> Result<Stepped, CoreError> {
        let before = self.last.position;
        let mut ticks: usize = 0;
        self.backlog.start_run();
        let (more, held) = loop {
            if self.records_since(before) >= self.limits.batch_records_max {
                break (true, None);
            }
            if self.is_backlog_full() {
                break (false, Some(Held::Backlog));
            }
            let time = self.next_time(now);
            let due = self
                .engine
                .next_deadline()
                .is_some_and(|deadline| deadline <= time);
            let recorded = if due && ticks < TICKS_PER_STEP_MAX {
                ticks = ticks.saturating_add(1);
                self.record_own(Command::Tick, time, batch)?
            } else if self.is_mark_due(now) {
                self.record_own(
                    Command::Mark {
                        upto: self.last.position,
                        digest: self.running.value(),
                    },
                    time,
                    batch,
                )?
            } else if self.waiting.len() == 0 {
                break (due, None);
            } else if self.follower_lag() > self.limits.follower_lag_max {
                break (false, Some(Held::FollowerLag));
            } else {
                self.record_waiting(time, batch)?
            };
            if matches!(recorded, Recorded::BatchFull) {
                break (true, None);
            }
        };
        self.count_held(held);
        Ok(Stepped {
            records: self.records_since(before),
            more,
            held,
        })
    }

    /// The next result whose record is durable, in log order, each once. Call it until it gives nothing.
    pub fn release(&mut self, durable: Position) -> Option<Released<'_>> {
        #[cfg(feature = "mutants")]
        let durable = if crate::mutants::is_on(&crate::mutants::SEND_BEFORE_DURABLE) {
            self.last.position
        } else {
            durable
        };
        self.backlog.release(durable)
    }

    /// A command that waited and turned out to fit into no record. Call it after each step until it gives nothing.
    pub fn refused(&mut self) -> Option<Refused> {
        self.too_large.pop().map(|intake| Refused {
            because: RefusedBecause::TooLarge,
            intake,
        })
    }

    /// When the core wants to be stepped even if nothing is offered: for the next deadline, or to close a run with a mark.
    pub fn poll_timeout(&self) -> Option<Time> {
        let mark = (self.last.position > self.marked)
            .then(|| self.last.time.saturating_add(self.limits.mark_idle_after));
        [self.engine.next_deadline(), mark]
            .into_iter()
            .flatten()
            .min()
    }

    /// Tells how far the slowest follower has come.
    pub fn follower_applied(&mut self, upto: Position) {
        self.follower = self.follower.max(upto);
    }

    /// Commands without an original that [`Core::offer`] is sure to take.
    pub fn room(&self) -> usize {
        self.waiting.room()
    }

    /// Commands that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Records applied and not yet released.
    pub fn backlog(&self) -> usize {
        self.backlog.records()
    }

    /// The state after the last record. It may be ahead of what is durable: never answer the outside from it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Position and time of the last record.
    pub fn last(&self) -> Stamp {
        self.last
    }

    /// The end of the log as a successor would have to know it.
    pub fn recovered(&self) -> Recovered {
        Recovered {
            last: self.last,
            running: self.running.value(),
            marked: self.marked,
        }
    }

    /// What the core did so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn record_waiting(&mut self, time: Time, batch: &mut Batch) -> Result<Recorded, CoreError> {
        let Some(intake) = self.waiting.first() else {
            return Ok(Recorded::BatchFull);
        };
        // Appended from where it waits, so that a command moves only once.
        let appended = append(
            &self.engine,
            self.last,
            intake,
            time,
            batch,
            &mut self.facts,
        )?;
        let (Recorded::Yes | Recorded::TooLarge) = appended else {
            return Ok(appended);
        };
        let Some(intake) = self.waiting.take() else {
            return Ok(appended);
        };
        if matches!(appended, Recorded::TooLarge) {
            self.counters.refused_too_large = self.counters.refused_too_large.saturating_add(1);
            self.too_large.push(intake);
            return Ok(appended);
        }
        self.counters.commands = self.counters.commands.saturating_add(1);
        self.apply(intake, time);
        Ok(Recorded::Yes)
    }

    /// Records a command of the core's own: a tick or a mark.
    fn record_own(
        &mut self,
        command: Command,
        time: Time,
        batch: &mut Batch,
    ) -> Result<Recorded, CoreError> {
        let is_mark = matches!(command, Command::Mark { .. });
        let intake = Intake {
            command,
            evidence: Bytes::new(),
            secrets: Secrets::NONE,
            ticket: None,
        };
        let appended = append(
            &self.engine,
            self.last,
            &intake,
            time,
            batch,
            &mut self.facts,
        )?;
        if !matches!(appended, Recorded::Yes) {
            return Ok(Recorded::BatchFull);
        }
        let counter = if is_mark {
            &mut self.counters.marks
        } else {
            &mut self.counters.ticks
        };
        *counter = counter.saturating_add(1);
        self.apply(intake, time);
        if is_mark {
            self.marked = self.last.position;
        }
        Ok(Recorded::Yes)
    }

    fn apply(&mut self, intake: Intake, time: Time) {
        let stamp = Stamp {
            position: self.last.position.next(),
            time,
        };
        self.last = stamp;
        self.output.clear();
        self.engine.apply(stamp, &intake.command, &mut self.output);
        self.output.digest_into(stamp, &mut self.running);
        let views = self
            .output
            .events
            .iter()
            .filter_map(|event| changed_view(&self.engine, event));
        self.backlog.push(stamp, intake, &self.output, views);
    }

    /// Strictly after the last record, and not before `now`.
    fn next_time(&self, now: Time) -> Time {
        now.max(Time::from_nanos(self.last.time.nanos().saturating_add(1)))
    }

    fn is_backlog_full(&self) -> bool {
        self.backlog.records() >= self.limits.backlog_records_max
            || self.backlog.bytes() >= self.limits.backlog_bytes_max
    }

    fn is_mark_due(&self, now: Time) -> bool {
        let unmarked = self
            .last
            .position
            .value()
            .saturating_sub(self.marked.value());
        let is_idle = self.waiting.len() == 0
            && now >= self.last.time.saturating_add(self.limits.mark_idle_after);
        unmarked >= self.limits.mark_every_records || (unmarked > 0 && is_idle)
    }

    fn follower_lag(&self) -> u64 {
        self.last
            .position
            .value()
            .saturating_sub(self.follower.value())
    }

    fn records_since(&self, before: Position) -> usize {
        usize::try_from(self.last.position.value().saturating_sub(before.value()))
            .unwrap_or(usize::MAX)
    }

    fn count_held(&mut self, held: Option<Held>) {
        let counter = match held {
            Some(Held::Backlog) => &mut self.counters.held_by_backlog,
            Some(Held::FollowerLag) => &mut self.counters.held_by_follower,
            None => return,
        };
        *counter = counter.saturating_add(1);
    }
}

/// Writes the next record into the batch.
fn append(
    engine: &Engine,
    last: Stamp,
    intake: &Intake,
    time: Time,
    batch: &mut Batch,
    facts: &mut Vec<u8>,
) -> Result<Recorded, CoreError> {
    facts.clear();
    let kind = codec::encode(&intake.command, facts);
    let position = last.position.next();
    let meta = RecordMeta {
        kind,
        sequence: position.value(),
        time: time.nanos(),
        rules_version: engine.rules_version(),
    };
    match batch.push(meta, facts, &intake.evidence) {
        Ok(()) => Ok(Recorded::Yes),
        Err(BatchError::Full) if !batch.is_empty() => Ok(Recorded::BatchFull),
        Err(BatchError::Full | BatchError::RecordTooLarge { .. }) => Ok(Recorded::TooLarge),
        Err(source) => Err(CoreError::Batch { position, source }),
    }
}

/// The participant's state after an event that gateways must know of.
fn changed_view(engine: &Engine, event: &Event) -> Option<participants::View> {
    match event {
        Event::ParticipantChanged(view) => Some(view.as_ref().clone()),
        Event::LinkChanged { participant, .. } => engine.participant_view(*participant),
        Event::PaymentReserved { .. }
        | Event::PaymentFinished(_)
        | Event::PaymentReturned { .. }
        | Event::ReturnFinished(_)
        | Event::DirectoryChanged(_)
        | Event::DirectoryImported { .. }
        | Event::PositionChanged { .. }
        | Event::LateAnswer { .. }
        | Event::Refused { .. }
        | Event::Card(_)
        | Event::Settlement(_)
        | Event::Clearing(_)
        | Event::Ancillary(_)
        | Event::Dispute(_) => None,
    }
}
