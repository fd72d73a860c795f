//! What a seed means: how many banks, which load, which faults, how small every bound is.

use torap_domain::Bic;

use crate::{
    card::CardPlan,
    draw::Draw,
    fault::Fault,
    host::BANKS,
    load::Kind,
    node::{NodeConfig, SEGMENT_BYTES_MIN},
    office::OfficePlan,
};

/// BIC of the switch.
pub(crate) const SWITCH_BIC: &str = "TORPKZKA";
/// Nanoseconds of a second and a millisecond.
pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MILLI: u64 = 1_000_000;

/// Everything drawn before the first step.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) banks: usize,
    pub(crate) payments: u64,
    /// Mean time between two requests of the load, in nanoseconds.
    pub(crate) request_every: u64,
    /// The fault phase lasts at least so long, in nanoseconds.
    pub(crate) lasts: u64,
    pub(crate) weights: Vec<u64>,
    /// Weights of the behaviours of a payee's bank.
    pub(crate) behaviours: Vec<u64>,
    pub(crate) node: NodeConfig,
    /// Whether the log begins with the newest rules, as that of a new switch does; else it keeps the first ones.
    pub(crate) newest_rules: bool,
    /// Bounds of the engine, set by the first commands.
    pub(crate) window_entries: u32,
    pub(crate) in_flight_max: u32,
    /// Tenge that each bank starts with, and whether it may go below zero instead.
    pub(crate) funds: Vec<(u64, Option<u64>)>,
    /// Largest amount of a payment, in tiyn.
    pub(crate) amount_max: u64,
    /// Limits tight enough to be reached.
    pub(crate) tight_limits: bool,
    pub(crate) customers: u32,
    /// Faults that may happen in this run.
    pub(crate) faults: Vec<Fault>,
    /// Mean time between two faults, in nanoseconds; 0 for a run without.
    pub(crate) fault_every: u64,
    /// What is done to the only copy of the log, after how many payments in a thousand.
    pub(crate) corruption: Option<(Fault, u64)>,
    /// Latency of the network, in nanoseconds.
    pub(crate) latency: u64,
    /// A sync of the disk, in nanoseconds.
    pub(crate) sync: u64,
    /// Cards, if they take part.
    pub(crate) cards: Option<CardPlan>,
    /// Back offices.
    pub(crate) office: OfficePlan,
}

impl Plan {
    /// Draws the plan of a seed. `without` are kinds that must not happen, for a smaller run of the same seed.
    pub(crate) fn draw(seed: u64, payments: u64, minutes: Option<u64>, without: &[Fault]) -> Plan {
        let mut draw = Draw::new(seed);
        let banks = draw.range(2, BANKS.len() as u64) as usize;
        let weights: Vec<u64> = Kind::ALL
            .iter()
            .map(|kind| kind.weight(&mut draw))
            .collect();
        let behaviours = vec![
            draw.range(60, 200),
            draw.range(0, 12),
            draw.range(0, 12),
            draw.range(0, 6),
            draw.range(0, 6),
            draw.range(0, 4),
            draw.range(0, 4),
            draw.range(0, 3),
            draw.range(0, 6),
        ];
        let paying: u64 = weights
            .iter()
            .zip(Kind::ALL)
            .map(|(weight, kind)| weight * u64::from(kind.pays()))
            .sum();
        let total: u64 = weights.iter().sum::<u64>().max(1);
        let requests = payments * total / paying.max(1);
        let requests_a_second = if draw.chance(300) {
            draw.range(3, 20)
        } else {
            draw.range(20, 400)
        };
        let mut request_every = SECOND / requests_a_second;
        let mut lasts = 0;
        if let Some(minutes) = minutes {
            lasts = minutes * 60 * SECOND;
            request_every = (lasts / requests.max(1)).max(1);
        }
        let corruption = match draw.range(0, 9) {
            0 | 1 => Some(Fault::BitFlip),
            2 | 3 => Some(Fault::MisdirectedWrite),
            _ => None,
        };
        let corruption = corruption.map(|fault| (fault, draw.range(150, 950)));
        let faults: Vec<Fault> = Fault::ALL
            .iter()
            .copied()
            .filter(|fault| !matches!(fault, Fault::BitFlip | Fault::MisdirectedWrite))
            .filter(|fault| !fault.is_of_cards())
            .filter(|fault| draw.chance(fault.presence()) && !without.contains(fault))
            .collect();
        let expected = (request_every * requests).max(lasts);
        let fault_every = if draw.chance(960) {
            (expected / draw.range(10, 60)).max(MILLI)
        } else {
            0
        };
        let small_window = draw.chance(500);
        let funds = (0..banks)
            .map(|_| {
                if draw.chance(200) {
                    (draw.range(0, 5_000), Some(draw.range(10_000, 1_000_000)))
                } else if draw.chance(200) {
                    (draw.range(10_000, 60_000), None)
                } else {
                    (draw.range(1_000_000, 50_000_000), None)
                }
            })
            .collect();
        let cards = CardPlan::draw(seed, banks, payments, expected, without);
        let bic = Bic::parse(SWITCH_BIC).unwrap_or_else(|_| unreachable!("{SWITCH_BIC} is a BIC"));
        Plan {
            banks,
            payments,
            request_every,
            lasts,
            weights,
            behaviours,
            node: NodeConfig {
                seed,
                encrypted: draw.chance(400),
                overlap_bytes: draw.range(0, 2) as usize * 2048,
                segment_bytes: SEGMENT_BYTES_MIN + draw.range(0, 3) * draw.range(0, 32) * 8192,
                snapshot_every: if draw.chance(150) {
                    0
                } else {
                    draw.range(200, 4000)
                },
                kept_entries: draw.range(1, 64) as usize,
                intake_max: draw.range(8, 256) as usize,
                batch_records: draw.range(1, 64) as usize,
                follower_lag_max: draw.range(50, 1000),
                mark_every: draw.range(16, 512),
                switch_bic: bic,
            },
            newest_rules: !seed.is_multiple_of(4),
            window_entries: if small_window {
                draw.range(20, 300) as u32
            } else {
                1 << 20
            },
            in_flight_max: if draw.chance(100) {
                draw.range(4, 30) as u32
            } else {
                65_536
            },
            funds,
            amount_max: draw.range(1_000, 2_000_000),
            tight_limits: draw.chance(200),
            customers: draw.range(4, 60) as u32,
            faults,
            fault_every,
            corruption: corruption.filter(|(fault, _)| !without.contains(fault)),
            latency: draw.range(20_000, 3 * MILLI),
            sync: draw.range(80_000, 4 * MILLI),
            office: OfficePlan::draw(seed, expected, cards.is_some()),
            cards,
        }
    }
}

impl Fault {
    /// In how many of a thousand runs the kind may happen at all.
    fn presence(self) -> u64 {
        match self {
            Fault::BitFlip | Fault::MisdirectedWrite => 0,
            Fault::SilentIssuer | Fault::SlowIssuer | Fault::SignOff => 0,
            _ => 650,
        }
    }

    /// How often it is drawn among the kinds of a run.
    pub(crate) fn weight(self) -> u64 {
        match self {
            Fault::LinkReset | Fault::CutMidFrame | Fault::Loss | Fault::Delay => 6,
            Fault::OneWayPartition | Fault::SlowBank | Fault::StuckBank => 4,
            Fault::Kill | Fault::PowerLoss | Fault::TornWrite => 4,
            Fault::CrashInSnapshot | Fault::FailedSync | Fault::FailedWrite => 3,
            Fault::SlowSync | Fault::FullDisk | Fault::ClockJump => 3,
            Fault::SnapshotDamage | Fault::IndexLoss | Fault::CrashInRecovery => 2,
            // They follow from the others, or are planned.
            Fault::Reordering | Fault::Duplication => 2,
            Fault::BitFlip | Fault::MisdirectedWrite => 0,
            Fault::SilentIssuer | Fault::SlowIssuer | Fault::SignOff => 0,
        }
    }
}
