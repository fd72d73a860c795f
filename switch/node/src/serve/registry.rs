//! Which session is a participant's current one. A newer sign-on takes over; the older session ends first, so that the commands of
//! both stand in the log in the order of their sequences.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::Notify;
use torap_domain::ParticipantId;

#[derive(Debug, Default)]
pub struct Registry {
    sessions: Mutex<HashMap<ParticipantId, Arc<Entry>>>,
    next_session: AtomicU64,
}

/// A session's place in the registry, shared between the session and its successor.
#[derive(Debug)]
struct Entry {
    session: u64,
    superseded: AtomicBool,
    /// The wake-up of the session's connection.
    wake: Arc<Notify>,
    finished: AtomicBool,
    end: Notify,
}

/// Held by a connection while it is its participant's current one; the end is announced even when the connection's task fails.
#[derive(Debug)]
pub struct Registration(Arc<Entry>);

impl Registry {
    /// Registers a new session after ending the older one; waits at most `patience` for it. `wake` is notified when the new one is
    /// superseded in its turn.
    pub async fn replace(
        &self,
        participant: ParticipantId,
        wake: Arc<Notify>,
        patience: Duration,
    ) -> Registration {
        let session = self.next_session.fetch_add(1, Ordering::Relaxed) + 1;
        let entry = Arc::new(Entry {
            session,
            superseded: AtomicBool::new(false),
            wake,
            finished: AtomicBool::new(false),
            end: Notify::new(),
        });
        let older = self.sessions.lock().insert(participant, Arc::clone(&entry));
        if let Some(older) = older {
            older.superseded.store(true, Ordering::SeqCst);
            older.wake.notify_one();
            if tokio::time::timeout(patience, older.wait_for_end())
                .await
                .is_err()
            {
                tracing::warn!(
                    participant = participant.value(),
                    "the older session did not end in time"
                );
            }
        }
        Registration(entry)
    }

    /// Participants with a live session.
    pub fn signed_on(&self) -> usize {
        self.sessions
            .lock()
            .values()
            .filter(|entry| !entry.finished.load(Ordering::SeqCst))
            .count()
    }
}

impl Entry {
    async fn wait_for_end(&self) {
        loop {
            let end = self.end.notified();
            if self.finished.load(Ordering::SeqCst) {
                return;
            }
            end.await;
        }
    }
}

impl Registration {
    pub fn session(&self) -> u64 {
        self.0.session
    }

    pub fn is_superseded(&self) -> bool {
        self.0.superseded.load(Ordering::SeqCst)
    }

    /// Everything of this session is in the queue.
    pub fn finish(self) {}
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.0.finished.store(true, Ordering::SeqCst);
        self.0.end.notify_waiters();
    }
}
