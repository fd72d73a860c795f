//! The thread that owns the core: intake in, batches to the journal, released effects out.
//!
//! One turn: release what the disk has made durable, take what waits, stamp and append it, apply it. While one batch syncs the next
//! one is applied. With nothing to do it spins for a moment and then parks until the next deadline.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use torap_core::Core;
use torap_domain::{ParticipantId, Position, Time};
use torap_engine::{Command, Message, Source};
use torap_journal::{Batch, Journal, ThreadedJournal};

use super::{
    card::Dispatch,
    congestion::{Congestion, Gauge},
    intake::{Decided, IntakeEnd, Queued, QueuedAt},
    outbox::{Kept, Outbox},
    switch::{Published, wall_clock},
};

/// Longest sleep; the journal and intake wake the thread earlier.
const PARK_MAX: Duration = Duration::from_millis(100);

pub(super) struct CoreThread {
    pub(super) core: Core,
    pub(super) journal: ThreadedJournal,
    pub(super) intake: IntakeEnd,
    pub(super) outbox: Arc<Outbox>,
    pub(super) published: Arc<Published>,
    pub(super) follower_applied: Arc<AtomicU64>,
    pub(super) wake_follower: Box<dyn Fn() + Send>,
    pub(super) spin: Duration,
    /// What is kept between turns.
    pub(super) turn: Turn,
    pub(super) congestion: Arc<Congestion>,
    pub(super) gauge: Gauge,
    /// Card effects go this way, if there is a card side.
    pub(super) cards: Option<Dispatch>,
}

/// Buffers and leftovers of the core thread's turns.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Streams that got something in this turn.
    touched: Vec<ParticipantId>,
    /// An empty batch for the next turn.
    spare: Option<Batch>,
    /// A command that found the core full.
    pending: Option<Queued>,
    /// When each command was queued that the core has taken and not yet released, in order.
    queued: VecDeque<QueuedAt>,
}

impl Turn {
    /// The core already holds so many commands.
    pub(super) fn after(commands: usize) -> Turn {
        Turn {
            queued: std::iter::repeat_n(QueuedAt::FIRST, commands).collect(),
            ..Turn::default()
        }
    }
}

impl CoreThread {
    /// Runs until the switch stops and everything taken is durable and published.
    ///
    /// # Errors
    /// The journal failed or the core met an impossible state: the process must end.
    pub(super) fn run(mut self) -> Result<(), String> {
        let mut idle_since: Option<Instant> = None;
        loop {
            let loads = self.core.engine().payee_loads();
            self.gauge.sample(Instant::now(), loads, &self.congestion);
            let released = self.release()?;
            let appended = self.append()?;
            if released || appended {
                idle_since = None;
                continue;
            }
            if self.intake.is_stopping() && self.intake.is_empty() && self.is_drained() {
                return self.journal.close().map_err(|error| error.to_string());
            }
            let since = *idle_since.get_or_insert_with(Instant::now);
            if since.elapsed() < self.spin {
                std::hint::spin_loop();
            } else {
                self.intake.park(self.rest());
                idle_since = None;
            }
        }
    }

    /// Hands out everything that has become durable.
    fn release(&mut self) -> Result<bool, String> {
        let durable = self.journal.durable_upto();
        let mut any = false;
        // Before anybody is told of any of it: who has been told may ask the read side, and finds it there.
        self.published.durable.store(durable, Ordering::Release);
        while let Some(released) = self.core.release(Position::new(durable)) {
            any = true;
            if !matches!(released.command, Command::Tick | Command::Mark { .. }) {
                // Ticks and marks are the core's own; all others were queued, and come out in the same order.
                self.turn.queued.pop_front();
            }
            if let Some(Source::Link {
                participant,
                sequence,
            }) = released.command.source()
            {
                self.outbox.stream(participant).inbound_is_durable(sequence);
                self.turn.touched.push(participant);
            }
            for effect in released.effects {
                let forwards = matches!(
                    effect.outbound.message,
                    Message::Forward { original } | Message::ForwardReturn { original } | Message::ForwardRecall { original }
                        | Message::ForwardResolution { original } | Message::ImtsForward { original, .. } if original == released.stamp.position
                );
                let evidence = forwards.then(|| released.evidence.clone());
                self.outbox.stream(effect.outbound.to).publish(Kept {
                    effect: *effect,
                    evidence,
                });
                self.turn.touched.push(effect.outbound.to);
            }
            self.published.note(&released);
            if let Some(cards) = &mut self.cards {
                cards.take(&released);
            }
            if let Some(ticket) = released.ticket {
                self.intake.tell(
                    ticket,
                    Decided {
                        position: released.stamp.position,
                        outcome: released.outcome,
                    },
                );
            }
        }
        if any {
            self.turn.touched.sort_unstable();
            self.turn.touched.dedup();
            for participant in self.turn.touched.drain(..) {
                self.outbox.stream(participant).announce();
            }
            if let Some(cards) = &mut self.cards {
                cards.announce();
            }
            self.intake.oldest_is(self.turn.queued.front().copied());
            (self.wake_follower)();
        }
        match self.journal.failure() {
            None => Ok(any),
            Some(failure) => Err(format!("the journal failed: {failure}")),
        }
    }

    /// Takes what waits and gives the journal one batch.
    fn append(&mut self) -> Result<bool, String> {
        self.core
            .follower_applied(Position::new(self.follower_applied.load(Ordering::Acquire)));
        let was_idle = self.turn.queued.is_empty();
        while self.core.room() > 0 {
            let Some(Queued { intake, at }) =
                self.turn.pending.take().or_else(|| self.intake.take())
            else {
                break;
            };
            if let Err(refused) = self.core.offer(intake) {
                // Full by bytes: it goes first next time.
                let intake = refused.intake;
                self.turn.pending = Some(Queued { intake, at });
                break;
            }
            self.turn.queued.push_back(at);
        }
        if was_idle {
            self.intake.oldest_is(self.turn.queued.front().copied());
        }
        let mut batch = self
            .turn
            .spare
            .take()
            .unwrap_or_else(|| self.journal.batch());
        self.core
            .step(wall_clock(), &mut batch)
            .map_err(|error| error.to_string())?;
        if let Some(refused) = self.core.refused() {
            // Translation bounds facts and evidence below a record's size, so the bounds disagree: a fault of ours.
            return Err(format!("a command fits no record: {}", refused.because));
        }
        if batch.is_empty() {
            self.turn.spare = Some(batch);
            return Ok(false);
        }
        self.journal
            .append(batch)
            .map_err(|error| error.to_string())?;
        self.published
            .appended
            .store(self.core.last().position.value(), Ordering::Release);
        self.published.window_dropped_upto.store(
            self.core.engine().window_dropped_upto().value(),
            Ordering::Release,
        );
        Ok(true)
    }

    fn is_drained(&self) -> bool {
        self.turn.pending.is_none() && self.core.waiting() == 0 && self.core.backlog() == 0
    }

    fn rest(&self) -> Duration {
        match self.core.poll_timeout() {
            None => PARK_MAX,
            Some(due) => until(due).min(PARK_MAX),
        }
    }
}

fn until(due: Time) -> Duration {
    Duration::from_nanos(due.saturating_since(wall_clock()).nanos())
}
