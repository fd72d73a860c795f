//! Snapshots while a load runs: what the operator's `torap ctl snapshot` does, again and again.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    cli::Failure,
    control::{Client, Request},
};

/// Asks for a snapshot every so often, until it is dropped.
#[derive(Debug)]
pub(super) struct Snapshots {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Snapshots {
    pub(super) fn start(control: &Path, every: Duration) -> Result<Snapshots, Failure> {
        let mut client = Client::connect(control)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let work = move || {
            loop {
                thread::park_timeout(every);
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let began = Instant::now();
                match client.must(&Request::Snapshot) {
                    Ok(snapshot) => {
                        let seconds = began.elapsed().as_secs_f32();
                        tracing::info!(bytes = %snapshot["bytes"], seconds, "snapshot");
                    }
                    Err(error) => return tracing::warn!(%error, "no more snapshots"),
                }
            }
        };
        let thread = thread::Builder::new()
            .name("snapshots".into())
            .spawn(work)
            .map_err(|error| Failure::Failed(format!("cannot start a thread: {error}")))?;
        Ok(Snapshots {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // Its only way to fail is a panic, which has been printed.
            let _ = thread.join();
        }
    }
}
