//! The thread of the read side: durable records into index and snapshots.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use crossbeam::sync::{Parker, Unparker};
use torap_domain::Position;
use torap_engine::Engine;
use torap_follower::{Follower, SnapshotInfo};
use torap_index::RocksIndex;

/// Records in one step, so that questions do not wait long.
const STEP_RECORDS: usize = 1024;
/// Records gather for so long before the next step: each step costs the same whether it applies one record or twenty.
const GATHER: Duration = Duration::from_millis(1);
/// Longest sleep without news from the core.
const PARK_MAX: Duration = Duration::from_millis(200);

/// A question to the read side's engine, answered between two steps, once it has applied the record `after`.
struct Question {
    after: Position,
    put: Put,
}

type Put = Box<dyn FnOnce(&mut Follower<RocksIndex>) + Send>;

/// How others reach the follower's thread.
pub struct FollowerHandle {
    questions: mpsc::Sender<Question>,
    unparker: Unparker,
    pub applied: Arc<AtomicU64>,
}

/// The running thread; joined at the end.
pub(super) struct FollowerThread {
    pub(super) handle: FollowerHandle,
    thread: JoinHandle<Result<(), String>>,
    stop: Arc<AtomicBool>,
}

impl FollowerHandle {
    /// Asks the read side's engine: durable state, with the record `after` and perhaps some more.
    ///
    /// # Errors
    /// The thread has ended.
    pub async fn ask<T: Send + 'static>(
        &self,
        after: Position,
        question: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, String> {
        self.send(after, move |follower| question(follower.engine()))
            .await
    }

    /// Takes a snapshot now.
    ///
    /// # Errors
    /// The thread has ended, or the snapshot cannot be written.
    pub async fn snapshot(&self) -> Result<SnapshotInfo, String> {
        let question = |follower: &mut Follower<_>| follower.snapshot_now();
        let written = self.send(Position::ZERO, question).await?;
        written.map_err(|error| error.to_string())
    }

    async fn send<T: Send + 'static>(
        &self,
        after: Position,
        question: impl FnOnce(&mut Follower<RocksIndex>) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let question = Question {
            after,
            put: Box::new(move |follower| {
                // The asker may be gone.
                let _ = sender.send(question(follower));
            }),
        };
        let ended = || "the read side has ended".to_string();
        self.questions.send(question).map_err(|_| ended())?;
        self.unparker.unpark();
        receiver.await.map_err(|_| ended())
    }
}

impl FollowerThread {
    /// Starts the thread; `failed` is called once if it cannot go on.
    pub(super) fn start(
        mut follower: Follower<RocksIndex>,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> Result<FollowerThread, String> {
        let (questions, asked) = mpsc::channel::<Question>();
        let parker = Parker::new();
        let unparker = parker.unparker().clone();
        let stop = Arc::new(AtomicBool::new(false));
        let applied = follower.applied();
        let applied_at_end = Arc::clone(&applied);
        let stopping = Arc::clone(&stop);
        let work = move || {
            let mut waiting = VecDeque::new();
            loop {
                waiting.extend(asked.try_iter());
                let applied = follower.applied_upto();
                while let Some(question) =
                    waiting.pop_front_if(|question: &mut Question| question.after <= applied)
                {
                    (question.put)(&mut follower);
                }
                let progress = match follower.step(STEP_RECORDS) {
                    Ok(progress) => progress,
                    Err(error) => {
                        // Nobody is to wait for a read side that will not come.
                        applied_at_end.store(u64::MAX, Ordering::Release);
                        failed(format!("the read side failed: {error}"));
                        return Err(error.to_string());
                    }
                };
                if let Some(snapshot) = &progress.snapshot {
                    tracing::info!(position = snapshot.position.value(), "snapshot written");
                }
                if progress.caught_up {
                    if stopping.load(Ordering::SeqCst) {
                        follower.snapshot_now().map_err(|error| error.to_string())?;
                        return Ok(());
                    }
                    // Whoever asked has heard of the record it wants applied: it was durable before this step.
                    if !waiting.is_empty() {
                        continue;
                    }
                    parker.park_timeout(PARK_MAX);
                    std::thread::sleep(GATHER);
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("follower".into())
            .spawn(work)
            .map_err(|error| format!("cannot start the follower's thread: {error}"))?;
        let handle = FollowerHandle {
            questions,
            unparker,
            applied,
        };
        Ok(FollowerThread {
            handle,
            thread,
            stop,
        })
    }

    pub(super) fn unparker(&self) -> Unparker {
        self.handle.unparker.clone()
    }

    /// Takes the handle out for sharing; `stopper` ends the thread.
    pub(super) fn split(self) -> (FollowerHandle, Stopper) {
        let stopper = Stopper {
            thread: self.thread,
            stop: self.stop,
            unparker: self.handle.unparker.clone(),
        };
        (self.handle, stopper)
    }
}

pub(super) struct Stopper {
    thread: JoinHandle<Result<(), String>>,
    stop: Arc<AtomicBool>,
    unparker: Unparker,
}

impl Stopper {
    /// Lets the read side reach the end of the log and write a last snapshot.
    ///
    /// # Errors
    /// The read side failed.
    pub(super) fn finish(self) -> Result<(), String> {
        self.stop.store(true, Ordering::SeqCst);
        self.unparker.unpark();
        self.thread
            .join()
            .map_err(|_| "the follower's thread panicked".to_string())?
    }
}
