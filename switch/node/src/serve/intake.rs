//! The bounded queue between everyone who has a command and the core thread.
//!
//! It also says when new payments are to be refused: a payment that is taken has seconds to live and passes the queue twice, with
//! its answer the second time, so what waits must never wait long. The measure is time, not length: how many commands are too
//! many depends on the machine and on what else it does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam::{
    channel::{Receiver, Sender, TrySendError, bounded},
    sync::{Parker, Unparker},
};
use parking_lot::Mutex;
use std::collections::HashMap;
use tokio::sync::{Notify, oneshot};
use torap_core::Intake as CoreIntake;
use torap_domain::Position;
use torap_engine::Outcome;

/// What became of a command, known once its record is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    pub position: Position,
    pub outcome: Outcome,
}

/// The sending side; cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake {
    shared: Arc<Shared>,
    sender: Sender<Queued>,
    unparker: Unparker,
}

/// The core thread's side.
#[derive(Debug)]
pub struct IntakeEnd {
    shared: Arc<Shared>,
    receiver: Receiver<Queued>,
    parker: Parker,
}

/// A command with the time at which it was queued.
#[derive(Debug)]
pub struct Queued {
    pub intake: CoreIntake,
    pub at: QueuedAt,
}

/// Microseconds since the queue was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueuedAt(u64);

impl QueuedAt {
    /// Before everything that is queued.
    pub const FIRST: QueuedAt = QueuedAt(0);
}

/// Nothing waits.
const NEVER: u64 = u64::MAX;

#[derive(Debug)]
struct Shared {
    capacity: usize,
    started: Instant,
    /// When the oldest command was queued that the core thread has taken and whose record is not yet durable.
    oldest: AtomicU64,
    /// Someone waits for room.
    starved: AtomicBool,
    room: Notify,
    next_ticket: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Decided>>>,
    stopping: AtomicBool,
}

/// When the oldest command has waited so long for its record to be durable, new payments are refused as overloaded. A tenth of
/// the time that a payment has in all, because it is in the queue twice and its payee's bank wants most of the time.
const OVERLOAD_AFTER: Duration = Duration::from_secs(1);
/// Above this share of the queue they are refused as well, so that answers and timers still get through.
const OVERLOAD_NUMERATOR: usize = 3;
const OVERLOAD_DENOMINATOR: usize = 4;

/// Makes both sides of a queue of `capacity` commands.
pub fn queue(capacity: usize) -> (Intake, IntakeEnd) {
    queue_since(capacity, Instant::now())
}

fn queue_since(capacity: usize, started: Instant) -> (Intake, IntakeEnd) {
    let (sender, receiver) = bounded(capacity);
    let parker = Parker::new();
    let unparker = parker.unparker().clone();
    let shared = Arc::new(Shared {
        capacity,
        started,
        oldest: AtomicU64::new(NEVER),
        starved: AtomicBool::new(false),
        room: Notify::new(),
        next_ticket: AtomicU64::new(1),
        waiting: Mutex::new(HashMap::new()),
        stopping: AtomicBool::new(false),
    });
    (
        Intake {
            shared: Arc::clone(&shared),
            sender,
            unparker,
        },
        IntakeEnd {
            shared,
            receiver,
            parker,
        },
    )
}

impl Intake {
    /// Queues a command; `Err` gives it back when the queue is full.
    pub fn try_push(&self, intake: CoreIntake) -> Result<(), Box<CoreIntake>> {
        let at = QueuedAt(self.shared.now());
        match self.sender.try_send(Queued { intake, at }) {
            Ok(()) => {
                self.unparker.unpark();
                Ok(())
            }
            Err(TrySendError::Full(queued) | TrySendError::Disconnected(queued)) => {
                self.shared.starved.store(true, Ordering::SeqCst);
                Err(Box::new(queued.intake))
            }
        }
    }

    /// Queues a command, waiting for room; gives up only when the switch stops.
    pub async fn push(&self, intake: CoreIntake) -> Result<(), Stopped> {
        let mut pending = Box::new(intake);
        loop {
            let room = self.shared.room.notified();
            match self.try_push(*pending) {
                Ok(()) => return Ok(()),
                Err(back) => pending = back,
            }
            if self.is_stopping() {
                return Err(Stopped);
            }
            // The core may have taken everything before it could see that somebody waits.
            if self.is_full() {
                room.await;
            }
        }
    }

    /// Queues a command and waits until its record is durable.
    pub async fn decide(&self, command: torap_engine::Command) -> Result<Decided, Stopped> {
        self.decide_with(command, bytes::Bytes::new()).await
    }

    /// As [`Intake::decide`], with the original message.
    pub async fn decide_with(
        &self,
        command: torap_engine::Command,
        evidence: bytes::Bytes,
    ) -> Result<Decided, Stopped> {
        let ticket = self.shared.next_ticket.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.shared.waiting.lock().insert(ticket, sender);
        if self.is_stopping() {
            // The core thread may have ended before it could see the ticket.
            self.shared.waiting.lock().remove(&ticket);
            return Err(Stopped);
        }
        let queued = self
            .push(CoreIntake {
                command,
                evidence,
                secrets: torap_core::Secrets::NONE,
                ticket: Some(ticket),
            })
            .await;
        if queued.is_err() {
            self.shared.waiting.lock().remove(&ticket);
            return Err(Stopped);
        }
        receiver.await.map_err(|_| Stopped)
    }

    /// Waits until the core has taken something from a full queue.
    pub async fn room(&self) {
        let room = self.shared.room.notified();
        self.shared.starved.store(true, Ordering::SeqCst);
        if self.is_full() && !self.is_stopping() {
            room.await;
        }
    }

    fn is_full(&self) -> bool {
        self.sender.len() >= self.shared.capacity
    }

    /// New payments are to be refused.
    pub fn is_overloaded(&self) -> bool {
        self.oldest_waits() > OVERLOAD_AFTER
            || self.sender.len() * OVERLOAD_DENOMINATOR > self.shared.capacity * OVERLOAD_NUMERATOR
    }

    /// How long the oldest command has waited that the core thread has taken and whose record is not yet durable.
    pub fn oldest_waits(&self) -> Duration {
        match self.shared.oldest.load(Ordering::Relaxed) {
            NEVER => Duration::ZERO,
            oldest => Duration::from_micros(self.shared.now().saturating_sub(oldest)),
        }
    }

    /// Commands that wait.
    pub fn waiting(&self) -> usize {
        self.sender.len()
    }

    /// Wakes the core thread, e.g. because something became durable.
    pub fn wake(&self) {
        self.unparker.unpark();
    }

    /// Tells the core thread to finish what it holds and end.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.unparker.unpark();
        self.shared.room.notify_waiters();
    }

    pub fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::SeqCst)
    }
}

/// The switch is stopping: the command was not taken, or nobody will learn its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(NEVER - 1)
    }
}

impl IntakeEnd {
    pub fn take(&self) -> Option<Queued> {
        let taken = self.receiver.try_recv().ok()?;
        if self.shared.starved.swap(false, Ordering::SeqCst) {
            self.shared.room.notify_waiters();
        }
        Some(taken)
    }

    /// Tells since when the oldest command waits that was taken; none if all of them are durable.
    pub fn oldest_is(&self, oldest: Option<QueuedAt>) {
        let oldest = oldest.map_or(NEVER, |at| at.0);
        self.shared.oldest.store(oldest, Ordering::Relaxed);
    }

    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    pub fn park(&self, longest: std::time::Duration) {
        self.parker.park_timeout(longest);
    }

    pub fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::SeqCst)
    }

    /// Tells whoever submitted the ticket.
    pub fn tell(&self, ticket: u64, decided: Decided) {
        if let Some(sender) = self.shared.waiting.lock().remove(&ticket) {
            // The asker may have given up; that is its own affair.
            let _ = sender.send(decided);
        }
    }
}

/// The core thread has ended, perhaps because the journal failed: nobody waits for it any longer.
impl Drop for IntakeEnd {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.waiting.lock().clear();
        self.shared.room.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
