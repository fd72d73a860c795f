//! What back offices and operators do beside customers' payments: banks' own messages to IMTS and the clearing system, statements,
//! files of payments, disputes, tariffs, the guarantee fund, and the second pair of eyes.
//!
//! Each area takes part in a fraction of the seeds. What a task of the program awaits (a file that goes in, a statement that is written)
//! is a state here, and is gone with the process.

mod approval;
mod audit;
mod delivery;
mod dispute;
mod facts;
mod fund;
mod heard;
mod mass;
mod presentment;
mod report;
mod stated;
mod tariff;
mod wire;

pub use audit::OfficeCounts;
pub(crate) use audit::{Audit, Taken};
pub(crate) use heard::Heard;

use std::sync::Arc;

use torap_domain::{Date, Money, ParticipantId, Span, Text, Time};
use torap_engine::{
    Command, Engine, Source,
    ancillary::{self, LiquidityRule},
    participants::Direction,
    settlement::{self, Hours},
};
use torap_follower::SnapshotStore;

use crate::{
    card::CardWorld,
    draw::Draw,
    host::Host,
    load::Sent,
    node::Node,
    plan::{MILLI, Plan, SECOND},
    world::World,
};

/// Keeps these draws apart from those of payments and cards.
const OFFICE: u64 = 0x6f66_6669_6365;
/// And these from those of other offices.
const PRESENTMENT: u64 = 0x7072_6573_656e;
/// In how many of a thousand runs an area takes part.
const PRESENCE: u64 = 300;
/// Nights of a run, at most.
const NIGHTS_MAX: u64 = 4;
/// Between two looks at what is under way in the program.
const LOOKS_EVERY: u64 = 20 * MILLI;

/// What a seed means for back offices.
#[derive(Clone, Debug)]
pub(crate) struct OfficePlan {
    seed: u64,
    /// Mean time between two actions, in nanoseconds.
    every: u64,
    pub(crate) wire: bool,
    pub(crate) reports: bool,
    fund: bool,
    tariffs: bool,
    disputes: bool,
    mass: bool,
    approval: bool,
    presentments: bool,
    /// How long an authorisation may be collected, where files are presented.
    collected_within: Span,
    /// How often the calendar jumps over a part of a day, or over days.
    nights: u64,
    /// Entries on a page of a statement.
    page_entries: usize,
}

impl OfficePlan {
    /// `expected` is how long the load of instant payments takes, in nanoseconds.
    pub(crate) fn draw(seed: u64, expected: u64, cards: bool) -> OfficePlan {
        let mut draw = Draw::new(seed ^ OFFICE);
        let [wire, reports, fund, tariffs, disputes, mass, approval] =
            std::array::from_fn(|_| draw.chance(PRESENCE));
        // Only with cards, so in half of the seeds.
        let fund = fund || draw.chance(PRESENCE);
        // Cards know their sessions by the date; a run with them stays on one day.
        let sleeps = !cards && (reports || disputes || tariffs);
        OfficePlan {
            seed: draw.next(),
            every: (expected / draw.range(40, 150)).max(MILLI),
            wire,
            reports,
            fund: fund && cards,
            tariffs,
            disputes,
            mass,
            approval,
            nights: if sleeps { draw.range(1, NIGHTS_MAX) } else { 0 },
            page_entries: draw.range(2, 60) as usize,
            presentments: draw.chance(PRESENCE) && cards,
            collected_within: Span::from_secs(draw.range(20, 400)),
        }
    }

    /// How long an authorisation may be collected: short enough that lines come late where files are presented.
    pub(crate) fn authorisations_live(&self) -> Span {
        if self.presentments {
            self.collected_within
        } else {
            Span::from_secs(7 * 86_400)
        }
    }

    pub(crate) fn has_tariffs(&self) -> bool {
        self.tariffs
    }

    fn areas(&self) -> [u64; 10] {
        let on = |area: bool, weight: u64| if area { weight } else { 0 };
        [
            on(self.wire, 14),
            on(self.reports, 4),
            on(self.fund, 6),
            on(self.tariffs, 3),
            on(self.disputes, 12),
            on(self.mass, 3),
            on(self.approval, 6),
            on(self.wire, 4),
            on(self.nights > 0, 1),
            on(self.presentments, 8),
        ]
    }
}

/// Everything an action may look at or use.
pub(crate) struct Turn<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) hosts: &'a mut [Host],
    pub(crate) node: &'a mut Node,
    /// If cards take part.
    pub(crate) cards: Option<&'a mut CardWorld>,
    pub(crate) sent: &'a [Sent],
    /// The banks' clock, which is right.
    pub(crate) wall: u64,
}

pub(crate) struct Office {
    draw: Draw,
    plan: OfficePlan,
    next_at: u64,
    looks_at: u64,
    nights: u64,
    wire: wire::Wire,
    mass: mass::Mass,
    presenting: presentment::Presenting,
    facts: facts::Facts,
    tariffs: tariff::Prices,
    reporter: report::Reporter,
    asked: u64,
    numbers: u64,
}

impl Office {
    /// None if the seed has no area.
    pub(crate) fn new(plan: &Plan) -> Option<Office> {
        let plan = plan.office.clone();
        if plan.areas().iter().all(|weight| *weight == 0) {
            return None;
        }
        let mut draw = Draw::new(plan.seed);
        Some(Office {
            next_at: 2 * SECOND,
            looks_at: 0,
            nights: plan.nights,
            wire: wire::Wire::default(),
            mass: mass::Mass::new(draw.fork()),
            presenting: presentment::Presenting::new(Draw::new(plan.seed ^ PRESENTMENT)),
            facts: facts::Facts::default(),
            tariffs: tariff::Prices::default(),
            reporter: report::Reporter::new(plan.page_entries),
            asked: 0,
            numbers: 0,
            draw,
            plan,
        })
    }

    /// When it wants a turn; `idle` is a run whose load is over.
    pub(crate) fn next_at(&self, idle: bool) -> u64 {
        let acts = if idle { u64::MAX } else { self.next_at };
        let looks = self.plan.reports
            || self.mass.is_busy()
            || self.presenting.is_busy()
            || self.facts.is_busy();
        acts.min(if looks { self.looks_at } else { u64::MAX })
    }

    /// One action of the fault phase. Gives how far the calendar jumps, in nanoseconds.
    pub(crate) fn act(&mut self, turn: &mut Turn<'_>, now: u64) -> Result<u64, String> {
        if now < self.next_at {
            return Ok(0);
        }
        self.next_at = now + self.draw.range(1, self.plan.every * 2);
        let mut commands = Vec::new();
        let engine = turn.node.follower().engine();
        let needs_imts = self.plan.wire || self.plan.fund || self.plan.reports;
        if needs_imts {
            prepare(&mut self.draw, turn.plan, engine, turn.wall, &mut commands);
        }
        self.numbers += 1;
        match self.draw.weighted(&self.plan.areas()) {
            0 => self.wire.act(&mut self.draw, turn),
            1 => self.ask(turn, &mut commands),
            2 => fund::act(&mut self.draw, turn, &mut commands),
            3 => {
                let when = (turn.wall, self.plan.nights > 0);
                self.tariffs.act(&mut self.draw, turn, when, &mut commands);
            }
            4 if turn.cards.is_some() && self.draw.chance(300) => {
                if let Some(case) = dispute::open_card(&mut self.draw, turn) {
                    self.facts.add(now, facts::Job::Case(case));
                }
            }
            4 => dispute::act(&mut self.draw, turn, &mut commands),
            5 => self.mass.begin(turn),
            6 => approval::act(
                &mut self.draw,
                (turn.plan, turn.wall),
                engine,
                &mut commands,
            ),
            7 => delivery::act(&mut self.draw, turn, &mut commands),
            8 => {
                self.nights = self.nights.saturating_sub(1);
                if self.nights == 0 {
                    self.plan.nights = 0;
                }
                return Ok(self.night(turn.wall));
            }
            _ => self.presenting.begin(turn, &mut self.facts)?,
        }
        for command in commands {
            turn.node.tell(command);
        }
        Ok(0)
    }

    fn ask(&mut self, turn: &mut Turn<'_>, commands: &mut Vec<Command>) {
        self.asked += 1;
        report::ask(&mut self.draw, turn, self.asked, commands);
    }

    /// To a moment before midnight, over the rest of the day, or over days.
    fn night(&mut self, wall: u64) -> u64 {
        let today = Date::from_time(Time::from_nanos(wall));
        let days = match self.draw.index(4) {
            0 | 1 => 1,
            2 => self.draw.range(1, 4) as i32,
            _ => self.draw.range(8, 45) as i32,
        };
        let until = today.add_days(days).start().map_or(wall, Time::nanos);
        let around = self.draw.range(0, 12) * SECOND;
        let until = if self.draw.chance(700) {
            until.saturating_sub(around)
        } else {
            until + self.draw.range(0, 20) * 3600 * SECOND
        };
        until.saturating_sub(wall)
    }

    /// What is under way in the program goes on. True if the core got something.
    pub(crate) fn work(
        &mut self,
        node: &mut Node,
        hosts: &[Host],
        snapshots: &SnapshotStore,
        (now, wall): (u64, u64),
    ) -> Result<bool, String> {
        let decided = std::mem::take(&mut node.decisions);
        let mut told = false;
        for decision in &decided {
            self.mass.decided(*decision, now);
            self.reporter.decided(decision.ticket);
            self.facts.decided(*decision);
        }
        if now < self.looks_at {
            return Ok(told);
        }
        self.looks_at = now + LOOKS_EVERY;
        told |= self.mass.work(node, hosts, (now, wall))?;
        self.presenting.work(node, &mut self.facts, now);
        told |= self.facts.work(node, now)?;
        if self.plan.reports {
            told |= self.reporter.work(node, snapshots, now)?;
        }
        Ok(told)
    }

    /// What waits for the operator's tool to try again is tried now.
    pub(crate) fn process_ends(&mut self) {
        self.mass.process_ends();
        self.presenting.process_ends();
        self.facts.process_ends();
        self.reporter.process_ends();
    }

    /// What has not come to an end; empty if everything has.
    pub(crate) fn unfinished(&self, node: &Node) -> Vec<String> {
        let engine = node.core().engine();
        let mut open = Vec::new();
        if self.mass.is_busy() {
            open.push("a file of payments is going in".to_string());
        }
        if self.presenting.is_busy() || self.facts.is_busy() {
            open.push("a presentment file is going in".to_string());
        }
        let orders = engine.open_orders().count();
        if orders > 0 {
            open.push(format!("{orders} statements are not written"));
        }
        if engine.clearing_view().telling {
            open.push("outcomes of a clearing session are not told".to_string());
        }
        let letters = engine.imts_letters();
        if letters > 0 {
            open.push(format!("{letters} letters of IMTS wait"));
        }
        open
    }

    pub(crate) fn mass(&self) -> &mass::Mass {
        &self.mass
    }

    pub(crate) fn presenting(&self) -> &presentment::Presenting {
        &self.presenting
    }
}

impl World {
    /// Back offices act, and what they wait for goes on.
    pub(crate) fn do_office(&mut self) {
        let idle = self.healing || self.is_paying_done();
        let (now, wall) = (self.now, self.true_time());
        let (Some(office), Some(node)) = (&mut self.office, &mut self.node) else {
            return;
        };
        let mut told = Ok(false);
        if !idle {
            let turn = &mut Turn {
                plan: &self.plan,
                hosts: &mut self.hosts,
                node,
                cards: self.cards.as_mut(),
                sent: &self.load.sent,
                wall,
            };
            match office.act(turn, now) {
                Ok(skipped) => self.skipped += skipped,
                Err(text) => told = Err(text),
            }
            self.node_dirty = true;
        }
        let snapshots = SnapshotStore::view(Arc::new(self.machine.snapshots.clone()));
        let worked = office.work(node, &self.hosts, &snapshots, (now, wall));
        match told.and(worked) {
            Ok(told) => self.node_dirty |= told,
            Err(text) => self.fail(text),
        }
    }
}

/// The commands that an empty journal starts with, behind all others.
pub(crate) fn seed(plan: &Plan) -> Vec<Command> {
    let mut commands = Vec::new();
    if plan.office.reports {
        commands.extend(report::seed(plan));
    }
    if plan.office.fund {
        commands.extend(fund::seed(plan));
    }
    commands
}

/// IMTS is open and has money, mostly: what banks do there is to come to something.
fn prepare(draw: &mut Draw, plan: &Plan, engine: &Engine, wall: u64, commands: &mut Vec<Command>) {
    let source = operator("dana", "office");
    if engine.imts_day().until.is_none() && draw.chance(400) {
        let until = Time::from_nanos(wall + draw.range(20, 400) * SECOND);
        commands.push(Command::Settlement(settlement::Command::Open {
            source,
            cut_off: None,
            until,
        }));
    }
    if draw.chance(60) {
        commands.push(rules(draw, plan, wall));
    }
    if draw.chance(150) {
        commands.push(Command::Settlement(settlement::Command::Fund {
            source,
            participant: participant(draw, plan),
            direction: Direction::In,
            amount: Money::kzt(draw.range(1, 20_000_000)),
        }));
    }
}

/// When IMTS opens by itself, what becomes of liquidity transfers until then, and how positions are topped up and swept.
fn rules(draw: &mut Draw, plan: &Plan, wall: u64) -> Command {
    let source = operator("dana", "office");
    match draw.index(3) {
        0 => {
            let now = Time::from_nanos(wall);
            let midnight = Date::from_time(now).start().map_or(wall, Time::nanos);
            let opens = wall.saturating_sub(midnight) + draw.range(2, 40) * SECOND;
            let cut_off = opens + draw.range(2, 60) * SECOND;
            let closes = cut_off + draw.range(0, 60) * SECOND;
            let [opens, cut_off, closes] = [opens, cut_off, closes].map(Span::from_nanos);
            let hours = Hours {
                opens,
                cut_off,
                closes,
            };
            Command::Settlement(settlement::Command::SetHours {
                source,
                hours: (hours.are_sound() && draw.chance(800)).then_some(hours),
            })
        }
        1 => Command::Settlement(settlement::Command::KeepLiquidity {
            source,
            keeps: draw.chance(700),
        }),
        _ => {
            let floor = draw.range(0, 2_000_000);
            let target = floor + draw.range(1, 2_000_000);
            let rule = LiquidityRule {
                floor: Money::kzt(floor),
                target: Money::kzt(target),
                keep: draw
                    .chance(500)
                    .then(|| Money::kzt(target + draw.range(0, 3_000_000))),
                sweep_before: Span::from_secs(draw.range(0, 30)),
            };
            Command::Ancillary(ancillary::Command::SetLiquidity {
                source,
                participant: participant(draw, plan),
                rule: draw.chance(800).then_some(rule),
            })
        }
    }
}

fn participant(draw: &mut Draw, plan: &Plan) -> ParticipantId {
    ParticipantId::new(draw.index(plan.banks) as u16 + 1)
}

/// An operator of this name, by an order.
fn operator(name: &str, reference: &str) -> Source {
    Source::Operator {
        name: Text::truncated(name),
        reference: Text::truncated(reference),
    }
}
