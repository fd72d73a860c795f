//! The bounded queue between everyone who has a command and the core thread.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
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
    sender: Sender<CoreIntake>,
    unparker: Unparker,
}

/// The core thread's side.
#[derive(Debug)]
pub struct IntakeEnd {
    shared: Arc<Shared>,
    receiver: Receiver<CoreIntake>,
    parker: Parker,
}

#[derive(Debug)]
struct Shared {
    capacity: usize,
    /// Someone waits for room.
    starved: AtomicBool,
    room: Notify,
    next_ticket: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Decided>>>,
    stopping: AtomicBool,
}

/// Above this share of the queue new payments are refused as overloaded, so that answers and timers still get through.
const OVERLOAD_NUMERATOR: usize = 3;
const OVERLOAD_DENOMINATOR: usize = 4;

/// Makes both sides of a queue of `capacity` commands.
pub fn queue(capacity: usize) -> (Intake, IntakeEnd) {
    let (sender, receiver) = bounded(capacity);
    let parker = Parker::new();
    let unparker = parker.unparker().clone();
    let shared = Arc::new(Shared {
        capacity,
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
        match self.sender.try_send(intake) {
            Ok(()) => {
                self.unparker.unpark();
                Ok(())
            }
            Err(TrySendError::Full(intake) | TrySendError::Disconnected(intake)) => {
                self.shared.starved.store(true, Ordering::SeqCst);
                Err(Box::new(intake))
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
            room.await;
        }
    }

    /// Queues a command and waits until its record is durable.
    pub async fn decide(&self, command: torap_engine::Command) -> Result<Decided, Stopped> {
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
                evidence: bytes::Bytes::new(),
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
        if self.sender.len() < self.shared.capacity || self.is_stopping() {
            return;
        }
        self.shared.starved.store(true, Ordering::SeqCst);
        room.await;
    }

    /// New payments are to be refused.
    pub fn is_overloaded(&self) -> bool {
        self.sender.len() * OVERLOAD_DENOMINATOR > self.shared.capacity * OVERLOAD_NUMERATOR
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

impl IntakeEnd {
    pub fn take(&self) -> Option<CoreIntake> {
        let taken = self.receiver.try_recv().ok()?;
        if self.shared.starved.swap(false, Ordering::SeqCst) {
            self.shared.room.notify_waiters();
        }
        Some(taken)
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
