//! What a run counts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::histogram::Histogram;
use crate::limits::{BREACHES_KEPT, REJECTION_CODES_MAX};
use crate::outcome::Outcome;

/// Counters of a run, over all banks.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) settled: u64,
    pub(crate) rejected: BTreeMap<String, u64>,
    /// From due to final answer.
    pub(crate) latency: Histogram,
    /// No latency is taken of what was due before.
    pub(crate) latency_from_ns: u64,
    /// When the last final answer came.
    pub(crate) last_answer_ns: Option<u64>,
    /// Final answers that came again.
    pub(crate) repeated: u64,
    pub(crate) links_lost: u64,
    pub(crate) breaches: u64,
    pub(crate) breach_texts: Vec<String>,
}

impl Tally {
    pub(crate) fn settle(&mut self, due_ns: u64, now: u64) {
        self.settled += 1;
        self.answered(due_ns, now);
    }

    pub(crate) fn reject(&mut self, code: &str, due_ns: u64, now: u64) {
        // Codes come from outside: only so many are told apart.
        let known = self.rejected.contains_key(code);
        let code = if known || self.rejected.len() < REJECTION_CODES_MAX {
            code
        } else {
            "other"
        };
        match self.rejected.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                self.rejected.insert(code.to_string(), 1);
            }
        }
        self.answered(due_ns, now);
    }

    pub(crate) fn rejections(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// The switch broke a promise, or the generator misread it: either spoils the run.
    pub(crate) fn breach(&mut self, bank: &str, text: impl FnOnce() -> String) {
        self.breaches += 1;
        if self.breach_texts.len() < BREACHES_KEPT {
            self.breach_texts.push(format!("bank {bank}: {}", text()));
        }
    }

    /// The figures of a run that began at `began`.
    pub(crate) fn outcome(
        self,
        scheduled: u64,
        unknown: u64,
        began: u64,
        checked: u64,
        own_cpu: Duration,
    ) -> Outcome {
        let ended = self.last_answer_ns.unwrap_or(began);
        Outcome {
            scheduled,
            sent: self.sent,
            settled: self.settled,
            rejected: self.rejected,
            unknown,
            elapsed: Duration::from_nanos(ended.saturating_sub(began)),
            latency: self.latency,
            warm_up: Duration::from_nanos(self.latency_from_ns.saturating_sub(began)),
            repeated: self.repeated,
            links_lost: self.links_lost,
            checked,
            breaches: self.breaches,
            breach_texts: self.breach_texts,
            own_cpu,
        }
    }

    fn answered(&mut self, due_ns: u64, now: u64) {
        if due_ns >= self.latency_from_ns {
            self.latency.record(now.saturating_sub(due_ns) / 1000);
        }
        self.last_answer_ns = Some(now);
    }
}
