//! Connections that have not proved who they are: so many at once, of their own share, and the oldest makes room for a new one. What
//! strangers do therefore never keeps a participant out, nor does what others do under its name: a right proof is always taken.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Debug,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Who failed, remembered for so many, at most; beyond it the oldest go.
const FAILURES_MAX: usize = 4096;
const MINUTE: Duration = Duration::from_secs(60);

/// The connections that have not signed on, the oldest first.
#[derive(Debug)]
pub(super) struct Strangers {
    most: usize,
    waiting: Mutex<VecDeque<Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    must_leave: AtomicBool,
    wake: Arc<Notify>,
}

/// A connection's place among the strangers; given back when it is dropped, which is when the peer has proved who it is.
#[derive(Debug)]
pub(super) struct Stranger {
    entry: Arc<Entry>,
    strangers: Arc<Strangers>,
}

impl Strangers {
    pub(super) fn new(most: usize) -> Arc<Strangers> {
        Arc::new(Strangers {
            most,
            waiting: Mutex::new(VecDeque::new()),
        })
    }

    /// Takes a new connection in; if there are too many, the oldest is told to leave by its `wake`.
    pub(super) fn enter(self: &Arc<Strangers>, wake: Arc<Notify>) -> Stranger {
        let entry = Arc::new(Entry {
            must_leave: AtomicBool::new(false),
            wake,
        });
        let mut waiting = self.waiting.lock();
        waiting.push_back(Arc::clone(&entry));
        let oldest = (waiting.len() > self.most).then(|| waiting.pop_front());
        drop(waiting);
        if let Some(oldest) = oldest.flatten() {
            oldest.must_leave.store(true, Ordering::SeqCst);
            oldest.wake.notify_one();
        }
        Stranger {
            entry,
            strangers: Arc::clone(self),
        }
    }
}

impl Stranger {
    /// A newer connection needs the place.
    pub(super) fn must_leave(&self) -> bool {
        self.entry.must_leave.load(Ordering::SeqCst)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut waiting = self.strangers.waiting.lock();
        waiting.retain(|entry| !Arc::ptr_eq(entry, &self.entry));
    }
}

/// Failed sign-ons within the last minute, by whatever tells who fails: on the links of ISO 20022 address and participant named,
/// because behind a TLS terminator all banks have one address, and because anybody can say any name.
#[derive(Debug)]
pub(super) struct Failures<Who> {
    most: u32,
    seen: Mutex<HashMap<Who, (Instant, u32)>>,
}

impl<Who: Copy + Debug + Eq + Hash> Failures<Who> {
    pub(super) fn new(most: u32) -> Failures<Who> {
        Failures {
            most,
            seen: Mutex::new(HashMap::new()),
        }
    }

    pub(super) fn note(&self, who: Who) {
        let mut seen = self.seen.lock();
        if seen.len() >= FAILURES_MAX {
            seen.retain(|_, (since, _)| since.elapsed() < MINUTE);
        }
        if seen.len() >= FAILURES_MAX
            && let Some(oldest) = seen
                .iter()
                .min_by_key(|(_, (since, _))| *since)
                .map(|(who, _)| *who)
        {
            seen.remove(&oldest);
        }
        let entry = seen.entry(who).or_insert_with(|| (Instant::now(), 0));
        if entry.0.elapsed() >= MINUTE {
            *entry = (Instant::now(), 0);
        }
        entry.1 = entry.1.saturating_add(1);
        if entry.1 == self.most {
            tracing::warn!(?who, "too many failed sign-ons within a minute");
        }
    }

    /// Whether a further failure is one too many.
    pub(super) fn are_too_many(&self, who: Who) -> bool {
        self.seen
            .lock()
            .get(&who)
            .is_some_and(|(since, count)| since.elapsed() < MINUTE && *count >= self.most)
    }
}

#[cfg(test)]
mod tests;
