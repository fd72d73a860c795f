//! What to do on the card rail.

use std::net::SocketAddr;
use std::time::Duration;

use torap_gateway::card::framing::Framing;
use torap_hsm_sim::key_file::BankKeyFile;

use crate::limits::{BANKS_MAX, BANKS_MIN, CARD_LINKS_MAX, CHECK_EVERY, DRAIN_S, IN_FLIGHT_MAX};
use crate::plan::{Failure, Pace, within};

/// One participant whose card host the generator plays.
#[derive(Debug, Clone)]
pub struct CardMember {
    /// Participant code.
    pub code: String,
    /// DE32 and DE33, digits.
    pub institution: String,
    /// Prefix of its cards, 6 to 11 digits.
    pub prefix: String,
    /// Where the switch waits for its links.
    pub door: SocketAddr,
    /// Its side of the keys; without them it can neither send PINs nor MACs.
    pub keys: Option<BankKeyFile>,
    /// Key set in use, as DE53 names it.
    pub key_set: u32,
}

/// One load run on the card rail.
#[derive(Debug, Clone)]
pub struct CardPlan {
    /// 2 to 32.
    pub members: Vec<CardMember>,
    /// Frames of its links; no TPDU.
    pub framing: Framing,
    /// Links of each member, 1 to 16.
    pub links: usize,
    /// Transactions a second over all members; 0 for a closed loop.
    pub rate: u32,
    /// How long transactions are scheduled, in whole seconds.
    pub duration: Duration,
    /// How long at the start no latency is taken, while caches and buffers of a fresh process fill; shorter than `duration`. What is
    /// sent in that time counts in everything else.
    pub warm_up: Duration,
    /// Most transactions without an answer.
    pub in_flight_max: u32,
    /// How long after the last transaction its answer may take.
    pub drain: Duration,
    /// Of so many incoming messages one is checked against all rules of its step, subfields and MAC included.
    pub check_every: u32,
    /// Of so many transactions in a hundred the cardholder types a PIN.
    pub pin_percent: u32,
    /// Every message carries a MAC.
    pub mac: bool,
    /// No more transactions than so many; none: as many as the duration has.
    pub count_max: Option<u64>,
}

impl CardPlan {
    /// A run with the named limits as they stand: one link a member, PINs in 30 of 100 if there are keys, no MACs.
    pub fn new(members: Vec<CardMember>, rate: u32, duration: Duration) -> CardPlan {
        let has_keys = members.iter().all(|member| member.keys.is_some());
        CardPlan {
            members,
            framing: Framing::PLAIN,
            links: 1,
            rate,
            duration,
            warm_up: Duration::ZERO,
            in_flight_max: IN_FLIGHT_MAX,
            drain: Duration::from_secs(DRAIN_S),
            check_every: CHECK_EVERY,
            pin_percent: if has_keys { 30 } else { 0 },
            mac: false,
            count_max: None,
        }
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace {
            rate: self.rate,
            duration: self.duration,
            warm_up: self.warm_up,
            in_flight_max: self.in_flight_max,
            drain: self.drain,
            count_max: self.count_max,
        }
    }

    /// Checks the plan.
    ///
    /// # Errors
    /// [`Failure::Plan`] names the field and the rule.
    pub fn check(&self) -> Result<(), Failure> {
        let (least, most) = (BANKS_MIN as u64, BANKS_MAX as u64);
        within("banks", self.members.len() as u64, least, most)?;
        self.pace().check()?;
        within("check-every", self.check_every.into(), 1, u32::MAX.into())?;
        within("pin-percent", self.pin_percent.into(), 0, 100)?;
        within("links", self.links as u64, 1, CARD_LINKS_MAX as u64)?;
        let needs_keys = self.pin_percent > 0 || self.mac;
        for (place, member) in self.members.iter().enumerate() {
            let refuse = |rule: &str| Failure::Plan {
                place: "banks",
                rule: format!("{} {rule}", member.code),
            };
            let mut others = self.members.iter().take(place);
            let is_double = others.any(|other| {
                other.code == member.code
                    || other.institution == member.institution
                    || other.prefix == member.prefix
            });
            if is_double {
                return Err(refuse("or its institution or prefix is named twice"));
            }
            if needs_keys && member.keys.is_none() {
                return Err(refuse("has no keys for PINs and MACs"));
            }
        }
        Ok(())
    }
}
