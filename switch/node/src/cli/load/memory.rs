//! How much memory the switch holds while a load runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Report, answer};
use crate::{
    cli::Failure,
    control::{Client, Request},
    folder::Folder,
};

/// How often the switch's memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A thread that asks the switch for its memory again and again.
pub(super) struct Memory {
    most: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Memory {
    pub(super) fn watch(folder: &Folder) -> Result<Memory, Failure> {
        let mut control = Client::connect(&folder.control())?;
        let (most, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (noted, stopped) = (Arc::clone(&most), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // The report at the end of the phase tells if the switch has gone.
                let Ok(report) = answer::<Report>(&mut control, &Request::Report) else {
                    return;
                };
                noted.fetch_max(report.memory_bytes.unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(LOOK_EVERY);
            }
        });
        Ok(Memory { most, stop, thread })
    }

    /// The most that was seen since the last mark or the start; none if nothing was.
    pub(super) fn mark(&self) -> Option<u64> {
        Some(self.most.swap(0, Ordering::Relaxed)).filter(|most| *most > 0)
    }

    /// The most that was seen.
    pub(super) fn finish(self) -> Option<u64> {
        self.stop.store(true, Ordering::Relaxed);
        // It ends by itself; what it noted is there either way.
        let _ = self.thread.join();
        Some(self.most.load(Ordering::Relaxed)).filter(|most| *most > 0)
    }
}
