//! When payments are due, and when a run is over.

use crate::limits::SIGN_ON_NS_MAX;
use crate::plan::Pace;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// What the run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    SigningOn {
        until: u64,
    },
    Paying {
        began: u64,
        /// When the last payment was sent, or could not be sent any more.
        ended: Option<u64>,
    },
    /// Signing off; nothing is sent any more.
    Ending,
}

#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) phase: Phase,
    pub(crate) in_flight_max: u64,
    /// Payments a second; 0 for a closed loop.
    rate: u32,
    duration_ns: u64,
    warm_up_ns: u64,
    drain_ns: u64,
    began: Option<u64>,
    /// Payments that the rate calls for; `None` in a closed loop.
    total: Option<u64>,
    /// No more than so many.
    count_max: Option<u64>,
}

impl Schedule {
    pub(crate) fn new(pace: &Pace, now: u64) -> Schedule {
        let nanos = |span: std::time::Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Schedule {
            phase: Phase::SigningOn {
                until: now.saturating_add(SIGN_ON_NS_MAX),
            },
            in_flight_max: pace.in_flight_max.into(),
            rate: pace.rate,
            duration_ns: nanos(pace.duration),
            warm_up_ns: nanos(pace.warm_up),
            drain_ns: nanos(pace.drain),
            began: None,
            total: (pace.rate > 0).then(|| {
                let by_rate = pace.duration.as_secs().saturating_mul(pace.rate.into());
                by_rate.min(pace.count_max.unwrap_or(u64::MAX))
            }),
            count_max: pace.count_max,
        }
    }

    /// Payments are scheduled from now on; gives the time from which latencies are taken.
    pub(crate) fn begin(&mut self, now: u64) -> u64 {
        self.began = Some(now);
        self.phase = Phase::Paying {
            began: now,
            ended: None,
        };
        now.saturating_add(self.warm_up_ns)
    }

    pub(crate) fn began(&self) -> Option<u64> {
        self.began
    }

    /// Payments that the rate or the count calls for; `None` in a closed loop without a count.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total.or(self.count_max)
    }

    /// When the payment is due; `None` if it is not to be sent (any more). In a closed loop every payment is due at once.
    pub(crate) fn due(&self, number: u64) -> Option<u64> {
        let Phase::Paying { began, ended: None } = self.phase else {
            return None;
        };
        match self.total {
            Some(total) if number < total => {
                let after = u128::from(number) * NANOS_PER_SECOND / u128::from(self.rate);
                Some(began.saturating_add(u64::try_from(after).unwrap_or(u64::MAX)))
            }
            Some(_) => None,
            None if self.count_max.is_some_and(|most| number >= most) => None,
            None => Some(began),
        }
    }

    /// From when the latency of a payment counts: with a rate from its place in the schedule, in a closed loop from its sending, as
    /// it was not due before.
    pub(crate) fn due_of_sent(&self, due: u64, now: u64) -> u64 {
        if self.rate > 0 { due } else { now }
    }

    /// Notes the end of sending: nothing is left, or time is over. With a rate, a backlog may still be sent in the drain time.
    pub(crate) fn settle_end(&mut self, has_rest: bool, now: u64) {
        let last = self.sending_until();
        if let Phase::Paying {
            ended: ended @ None,
            ..
        } = &mut self.phase
            && (!has_rest || last.is_some_and(|last| now >= last))
        {
            *ended = Some(now);
        }
    }

    /// When something of the schedule happens next; `next_due` tells it for banks that could send.
    pub(crate) fn timeout(&self, next_due: impl FnOnce(&Schedule) -> Option<u64>) -> Option<u64> {
        match self.phase {
            Phase::SigningOn { until } => Some(until),
            Phase::Paying {
                ended: Some(ended), ..
            } => Some(ended.saturating_add(self.drain_ns)),
            Phase::Paying { ended: None, .. } => [next_due(self), self.sending_until()]
                .into_iter()
                .flatten()
                .min(),
            Phase::Ending => None,
        }
    }

    /// Everything is sent, and answered or given up.
    pub(crate) fn is_done(&self, in_flight: u64, now: u64) -> bool {
        match self.phase {
            Phase::Paying {
                ended: Some(ended), ..
            } => in_flight == 0 || now >= ended.saturating_add(self.drain_ns),
            _ => false,
        }
    }

    fn sending_until(&self) -> Option<u64> {
        let backlog_ns = if self.rate > 0 { self.drain_ns } else { 0 };
        let span = self.duration_ns.saturating_add(backlog_ns);
        self.began.map(|began| began.saturating_add(span))
    }
}
