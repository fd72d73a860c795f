//! What a seed means for cards: whether they take part, how many requests, which services, how hosts behave, how long clocks are.

use torap_domain::Span;
use torap_engine::cards::{Settings, Without};
use torap_gateway::card::framing::{Framing, LengthHeader};

use super::load::Kind;
use crate::{
    draw::Draw,
    fault::Fault,
    plan::{MILLI, SECOND},
};

/// Keeps the draws for cards apart from those for instant payments: a seed means the same payments with and without cards.
const CARDS: u64 = 0x0063_6172_6473;
/// In how many of a thousand runs cards take part.
const PRESENCE: u64 = 500;

/// Everything about cards that is drawn before the first step.
#[derive(Clone, Debug)]
pub(crate) struct CardPlan {
    /// Seed of everything else that chance decides about cards.
    pub(crate) seed: u64,
    /// The first so many banks are members.
    pub(crate) banks: usize,
    /// Attempts of terminals, shops and back offices in the fault phase.
    pub(crate) requests: u64,
    /// Mean time between two of them, in nanoseconds.
    pub(crate) request_every: u64,
    pub(crate) weights: Vec<u64>,
    /// Weights of [`super::load::BEHAVIOURS`].
    pub(crate) behaviours: Vec<u64>,
    /// Whether hosts sign off now and then.
    pub(crate) signs_off: bool,
    /// Links of each host, the scheme's last.
    pub(crate) links: Vec<usize>,
    pub(crate) framings: Vec<Framing>,
    pub(crate) settings: Settings,
    /// Largest amount of a transaction, in tiyn.
    pub(crate) amount_max: u64,
    /// Cards of each prefix.
    pub(crate) cards: u32,
    pub(crate) without_scheme: Without,
    /// Net debit cap of every member, in tiyn.
    pub(crate) cap: Option<u64>,
}

impl CardPlan {
    /// Draws it; none if the run is without cards. `expected` is how long the load of instant payments takes, in nanoseconds.
    pub(crate) fn draw(
        seed: u64,
        banks: usize,
        payments: u64,
        expected: u64,
        without: &[Fault],
    ) -> Option<CardPlan> {
        let mut draw = Draw::new(seed ^ CARDS);
        if !draw.chance(PRESENCE) {
            return None;
        }
        let banks = draw.range(2, banks.min(5) as u64) as usize;
        let requests = (payments * draw.range(10, 60) / 100).max(1);
        let weights = Kind::ALL
            .iter()
            .map(|kind| kind.weight(&mut draw))
            .collect();
        let mut behaviours: Vec<u64> = super::load::BEHAVIOURS
            .iter()
            .map(|behaviour| draw.range(behaviour.least, behaviour.most))
            .collect();
        for (weight, behaviour) in behaviours.iter_mut().zip(super::load::BEHAVIOURS) {
            if behaviour
                .fault
                .is_some_and(|fault| without.contains(&fault))
            {
                *weight = 0;
            }
        }
        let short = draw.chance(500);
        let (whole, issuer, queue) = if short { (4, 2, 1) } else { (20, 12, 15) };
        let headers = [
            LengthHeader::Binary2,
            LengthHeader::Binary4,
            LengthHeader::Ascii4,
            LengthHeader::Bcd2,
        ];
        let framings = (0..=banks)
            .map(|_| Framing {
                header: headers[draw.index(headers.len())],
                tpdu: draw.chance(250),
            })
            .collect();
        Some(CardPlan {
            seed: draw.next(),
            banks,
            requests,
            request_every: (expected / requests).max(MILLI),
            weights,
            behaviours,
            signs_off: !without.contains(&Fault::SignOff),
            links: (0..=banks).map(|_| draw.range(1, 3) as usize).collect(),
            framings,
            settings: Settings {
                whole_within: Span::from_secs(whole),
                issuer_within: Span::from_secs(issuer),
                queue_within: Span::from_secs(queue),
                queue_within_max: Span::from_nanos(queue * draw.range(1, 4) * SECOND),
                ..Settings::initial()
            },
            amount_max: draw.range(10_000, 5_000_000),
            cards: draw.range(3, 60) as u32,
            without_scheme: if draw.chance(300) {
                Without::Decline
            } else {
                Without::CarryOn
            },
            cap: draw
                .chance(200)
                .then(|| draw.range(20_000_000, 400_000_000)),
        })
    }
}
