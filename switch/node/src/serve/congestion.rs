//! Which banks have more to answer than they can answer in time.
//!
//! A payment that is taken has seconds to live, and its payee's bank wants most of them. When payments come faster than that bank's
//! answers come back, whatever the reason (its host, its link, the switch, or one machine under all of them), the ones taken last
//! would all run into their time. So the core thread counts, and gateways refuse new payments to such a bank at once.
//!
//! The measure is the wait that a new payment would have: as many as are under way, at the rate at which the last ones were
//! decided. A bank that merely takes its time over few payments is never congested.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use parking_lot::RwLock;
use torap_domain::ParticipantId;
use torap_engine::instant::PayeeLoad;

/// How often it is measured.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
/// Samples that the rate is taken over.
const SAMPLES: usize = 10;
/// A payment would wait longer than this: under a third of the time in which the payee's bank answers.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// With fewer payments under way a bank is never congested.
const UNDER_WAY_MIN: u32 = 1000;

/// What gateways read: by participant, whether it is congested.
#[derive(Debug, Default)]
pub struct Congestion {
    congested: RwLock<Vec<bool>>,
}

impl Congestion {
    /// Whether new payments to this participant are to be refused.
    pub fn is_congested(&self, payee: ParticipantId) -> bool {
        let congested = self.congested.read();
        congested.get(payee.index()).copied().unwrap_or_default()
    }

    /// Participants that are congested.
    pub fn count(&self) -> usize {
        let congested = self.congested.read();
        congested.iter().filter(|congested| **congested).count()
    }
}

/// The core thread's side.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// The last samples, oldest first: when, and by participant how many payments had been decided.
    samples: VecDeque<(Instant, Vec<u64>)>,
}

impl Gauge {
    /// Measures, if it is time.
    pub(super) fn sample(&mut self, now: Instant, loads: &[PayeeLoad], congestion: &Congestion) {
        let last = self.samples.back();
        if last.is_some_and(|(at, _)| now.saturating_duration_since(*at) < SAMPLE_EVERY) {
            return;
        }
        if let Some((since, before)) = self.samples.front() {
            let span = now.saturating_duration_since(*since);
            let is_congested = |(payee, load): (usize, &PayeeLoad)| {
                let decided = before.get(payee).copied().unwrap_or_default();
                exceeds(load, load.decided.saturating_sub(decided), span)
            };
            let mut congested = congestion.congested.write();
            congested.clear();
            congested.extend(loads.iter().enumerate().map(is_congested));
        }
        let mut sample = if self.samples.len() < SAMPLES {
            Vec::with_capacity(loads.len())
        } else {
            self.samples.pop_front().unwrap_or((now, Vec::new())).1
        };
        sample.clear();
        sample.extend(loads.iter().map(|load| load.decided));
        self.samples.push_back((now, sample));
    }
}

/// Whether what is under way takes longer than it may, when so many were decided within `span`.
fn exceeds(load: &PayeeLoad, decided: u64, span: Duration) -> bool {
    let wait = u128::from(load.under_way) * span.as_nanos();
    load.under_way >= UNDER_WAY_MIN && wait > u128::from(decided) * WAIT_MAX.as_nanos()
}

#[cfg(test)]
mod tests;
