//! What to do, and why it cannot be done.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use torap_domain::{BankCode, Bic, Sequence};
use torap_gateway::session::Secret;
use torap_gateway::wire::{Mode, Name};

use crate::limits::{
    BANKS_MAX, BANKS_MIN, CHECK_EVERY, DRAIN_S, DURATION_S_MAX, IN_FLIGHT_MAX, RATE_MAX,
};

/// One participant whose host the generator plays. It pays and is paid.
#[derive(Debug, Clone)]
pub struct LoadBank {
    /// Participant code, the name at sign-on.
    pub code: Name,
    /// BIC that it signs on with and sends under.
    pub bic: Bic,
    /// Code of the bank in its customers' IBANs.
    pub bank_code: BankCode,
    /// Secret of the sign-on.
    pub secret: Secret,
    /// Last sequence of the switch's stream that it holds; what came before is not sent again. 0 for none.
    pub held: Sequence,
}

/// One load run on the instant rail.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The banks, 2 to 32.
    pub banks: Vec<LoadBank>,
    /// The switch's ISO 20022 door.
    pub switch: SocketAddr,
    /// TEST or LIVE, as the switch is.
    pub mode: Mode,
    /// Payments a second over all banks, evenly spaced; 0 for a closed loop, which sends whenever fewer than `in_flight_max` payments
    /// are without a final answer.
    pub rate: u32,
    /// How long payments are scheduled, in whole seconds.
    pub duration: Duration,
    /// How long at the start no latency is taken, while caches and buffers of a fresh process fill; shorter than `duration`. What is
    /// sent in that time counts in everything else.
    pub warm_up: Duration,
    /// Most payments without a final answer; with a rate a payment held back by it is still late by its schedule.
    pub in_flight_max: u32,
    /// How long after the last payment its answer may take.
    pub drain: Duration,
    /// Of so many incoming messages one is parsed and validated in full; 1 for all.
    pub check_every: u32,
}

/// When payments leave, and how long their answers may take: the same for every rail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) rate: u32,
    pub(crate) duration: Duration,
    pub(crate) warm_up: Duration,
    pub(crate) in_flight_max: u32,
    pub(crate) drain: Duration,
    /// No more than so many, however long the run may take; none: by time alone.
    pub(crate) count_max: Option<u64>,
}

impl Pace {
    pub(crate) fn check(&self) -> Result<(), Failure> {
        within("rate", self.rate.into(), 0, RATE_MAX.into())?;
        within("duration", self.duration.as_secs(), 1, DURATION_S_MAX)?;
        let warm_up_max = self.duration.as_secs().saturating_sub(1);
        within("warm-up", self.warm_up.as_secs(), 0, warm_up_max)?;
        within(
            "inflight",
            self.in_flight_max.into(),
            1,
            IN_FLIGHT_MAX.into(),
        )
    }
}

impl Plan {
    pub(crate) fn pace(&self) -> Pace {
        Pace {
            rate: self.rate,
            duration: self.duration,
            warm_up: self.warm_up,
            in_flight_max: self.in_flight_max,
            drain: self.drain,
            count_max: None,
        }
    }

    /// A run with the named limits as they stand: 15 s drain, one message in 1000 checked in full.
    pub fn new(
        banks: Vec<LoadBank>,
        switch: SocketAddr,
        mode: Mode,
        rate: u32,
        duration: Duration,
    ) -> Plan {
        Plan {
            banks,
            switch,
            mode,
            rate,
            duration,
            warm_up: Duration::ZERO,
            in_flight_max: IN_FLIGHT_MAX,
            drain: Duration::from_secs(DRAIN_S),
            check_every: CHECK_EVERY,
        }
    }

    /// Checks the plan.
    ///
    /// # Errors
    /// [`Failure::Plan`] names the field and the rule.
    pub fn check(&self) -> Result<(), Failure> {
        within(
            "banks",
            self.banks.len() as u64,
            BANKS_MIN as u64,
            BANKS_MAX as u64,
        )?;
        self.pace().check()?;
        within("check-every", self.check_every.into(), 1, u32::MAX.into())?;
        for (place, bank) in self.banks.iter().enumerate() {
            let others = self.banks.iter().take(place);
            if others
                .clone()
                .any(|other| other.code == bank.code || other.bic == bank.bic)
            {
                let rule = format!("{} or its BIC is named twice", bank.code.as_str());
                return Err(Failure::Plan {
                    place: "banks",
                    rule,
                });
            }
        }
        Ok(())
    }
}

pub(crate) fn within(
    place: &'static str,
    value: u64,
    least: u64,
    most: u64,
) -> Result<(), Failure> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let rule = format!("{value} is not between {least} and {most}");
    Err(Failure::Plan { place, rule })
}

/// Why a run could not be made. What the switch answered is never a failure, but part of the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The plan is wrong; the caller must act.
    Plan {
        /// The field.
        place: &'static str,
        /// What is wrong with it.
        rule: String,
    },
    /// A bank could not sign on, or was turned away; the operator of the switch or the caller must act.
    Link {
        /// The bank's code.
        bank: String,
        /// What happened.
        text: String,
    },
    /// The operating system refused something.
    System(String),
    /// The caller wanted the run to end.
    Interrupted,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Plan { place, rule } => write!(f, "{place}: {rule}"),
            Failure::Link { bank, text } => write!(f, "bank {bank}: {text}"),
            Failure::System(text) => f.write_str(text),
            Failure::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Failure {}
