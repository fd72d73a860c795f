//! What came of a run: figures, and the one line that reports them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::histogram::Histogram;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Since the first payment was scheduled.
    pub elapsed: Duration,
    /// Payments sent.
    pub sent: u64,
    /// Payments settled (ACSC).
    pub settled: u64,
    /// Payments rejected.
    pub rejected: u64,
    /// Payments without a final answer.
    pub in_flight: u64,
    /// 99 of 100 final answers so far took no longer, in microseconds.
    pub p99_us: Option<u64>,
}

/// What the banks saw.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Payments that the rate called for; in a closed loop those sent.
    pub scheduled: u64,
    /// Payments sent.
    pub sent: u64,
    /// Payments answered with ACSC.
    pub settled: u64,
    /// Payments refused, by code: a status reason, `admi.002 …` or `wire …`.
    pub rejected: BTreeMap<String, u64>,
    /// Payments without a final answer when the drain time was over.
    pub unknown: u64,
    /// From the first scheduled payment to the last final answer.
    pub elapsed: Duration,
    /// From the scheduled time of each payment to its final answer.
    pub latency: Histogram,
    /// How long at the start no latency was taken.
    pub warm_up: Duration,
    /// Final answers that came more than once.
    pub repeated: u64,
    /// Links lost and made again.
    pub links_lost: u64,
    /// Messages parsed and validated in full.
    pub checked: u64,
    /// Broken promises: contradicting answers, misrouted or invalid messages.
    pub breaches: u64,
    /// The first of them in words.
    pub breach_texts: Vec<String>,
    /// Processor time of the generator itself.
    pub own_cpu: Duration,
}

/// What the switch says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchUse {
    /// Processor time of the run, in microseconds.
    pub cpu_us: u64,
    /// Payments that it finished in the run.
    pub payments_finished: u64,
    /// Debits equal credits, at the start and at the end.
    pub conserved: bool,
}

/// The report of a run. Serializes to the line that `torap load` ends with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Payments sent.
    pub sent: u64,
    /// Payments settled.
    pub settled: u64,
    /// Payments refused, by code.
    pub rejected: BTreeMap<String, u64>,
    /// Payments without a final answer.
    pub unknown: u64,
    /// Settled payments, divided by the time from the first scheduled payment to the last final answer.
    pub throughput_per_s: f64,
    /// From scheduled to final answer.
    pub latency_ms: LatencyMs,
    /// Seconds at the start of which no latency was taken, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up_s: Option<u64>,
    /// Processor time of the switch for each payment that it finished; `null` if it finished none.
    pub switch_cpu_us_per_payment: Option<f64>,
    /// Debits equal credits.
    pub conserved: bool,
}

/// Latencies in milliseconds; `null` if there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatencyMs {
    /// Of half of the payments.
    pub p50: Option<f64>,
    /// Of 90 in 100.
    pub p90: Option<f64>,
    /// Of 99 in 100.
    pub p99: Option<f64>,
    /// Of 999 in 1000.
    pub p999: Option<f64>,
}

impl Outcome {
    /// Whether the banks have nothing to complain of: no unknown, no breach, everything scheduled was sent, and at least 999 of
    /// 1000 settled.
    pub fn is_good(&self) -> bool {
        let enough = u128::from(self.settled) * 1000 >= u128::from(self.sent) * 999;
        self.sent > 0
            && self.sent == self.scheduled
            && self.unknown == 0
            && self.breaches == 0
            && enough
    }

    /// The report of the run, with the switch's part.
    pub fn line(&self, switch: SwitchUse) -> Line {
        let ms = |per_mille| {
            self.latency
                .at_per_mille(per_mille)
                .map(|us| us as f64 / 1000.0)
        };
        let seconds = self.elapsed.as_secs_f64();
        let throughput = if seconds > 0.0 {
            self.settled as f64 / seconds
        } else {
            0.0
        };
        let finished = switch.payments_finished;
        let cpu = (finished > 0).then(|| switch.cpu_us as f64 / finished as f64);
        Line {
            sent: self.sent,
            settled: self.settled,
            rejected: self.rejected.clone(),
            unknown: self.unknown,
            throughput_per_s: rounded(throughput, 10.0),
            latency_ms: LatencyMs {
                p50: ms(500),
                p90: ms(900),
                p99: ms(990),
                p999: ms(999),
            },
            warm_up_s: Some(self.warm_up.as_secs()).filter(|seconds| *seconds > 0),
            switch_cpu_us_per_payment: cpu.map(|cpu| rounded(cpu, 100.0)),
            conserved: switch.conserved,
        }
    }

    /// Processor time of the generator for each payment sent, in microseconds.
    pub fn own_cpu_us_per_payment(&self) -> f64 {
        let us = self.own_cpu.as_secs_f64() * 1e6;
        if self.sent > 0 {
            rounded(us / self.sent as f64, 100.0)
        } else {
            0.0
        }
    }
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

#[cfg(test)]
mod tests;
