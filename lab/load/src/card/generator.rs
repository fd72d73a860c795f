//! The generator of card traffic as a state machine: bytes and time in, bytes out. It opens no socket and reads no clock.

mod incoming;

use std::time::Duration;

use bytes::BytesMut;
use torap_domain::card::Transmission;
use torap_domain::{Date, Time};

use super::members::{Member, cards};
use super::plan::CardPlan;
use super::template::digits;
use super::terms::Recipe;
use crate::driver::Traffic;
use crate::identity::mixed;
use crate::limits::LINKS_LOST_MAX;
use crate::outcome::{Outcome, Progress};
use crate::plan::Failure;
use crate::schedule::{Phase, Schedule};
use crate::tally::Tally;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Business time is UTC+5.
const LOCAL_S: u64 = 5 * 3600;

/// Plays all members of a plan; driven as [`Generator`](crate::Generator) is.
#[derive(Debug)]
pub struct CardGenerator {
    members: Vec<Member>,
    links_each: usize,
    recipe: Recipe,
    schedule: Schedule,
    tally: Tally,
    wall_at_zero_ns: u64,
    stamp: Stamp,
    check_every: u64,
    incoming: u64,
    checked: u64,
    failure: Option<Failure>,
}

/// DE7, DE12 and DE13 of the present second.
#[derive(Debug, Default)]
struct Stamp {
    second: u64,
    transmitted: [u8; 10],
    time: [u8; 6],
    date: [u8; 4],
}

impl CardGenerator {
    /// A generator at monotonic time `now`. `seed` is random; `wall_at_zero_ns` is the wall clock (nanoseconds since 1970) when the
    /// monotonic clock was zero.
    ///
    /// # Errors
    /// The plan is wrong.
    pub fn new(
        plan: CardPlan,
        seed: u64,
        wall_at_zero_ns: u64,
        now: u64,
    ) -> Result<CardGenerator, Failure> {
        plan.check()?;
        let all_cards = plan.members.iter().map(|member| cards(&member.prefix));
        let all_cards = all_cards.collect::<Result<Vec<_>, _>>()?;
        let members = (0..plan.members.len()).map(|place| {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&mixed(seed ^ place as u64).to_le_bytes());
            Member::new(&plan, place, &all_cards, random)
        });
        Ok(CardGenerator {
            members: members.collect::<Result<_, _>>()?,
            links_each: plan.links,
            recipe: Recipe {
                seed,
                members: plan.members.len(),
                pin_percent: plan.pin_percent,
            },
            schedule: Schedule::new(&plan.pace(), now),
            tally: Tally::default(),
            wall_at_zero_ns,
            stamp: Stamp::default(),
            check_every: plan.check_every.into(),
            incoming: 0,
            checked: 0,
            failure: None,
        })
    }

    fn in_flight(&self) -> u64 {
        self.members.iter().map(|member| member.ledger.open()).sum()
    }

    /// Number, over all members, of the member's next transaction.
    fn next_number(&self, place: usize) -> u64 {
        self.members[place].ledger.next() * self.members.len() as u64 + place as u64
    }

    /// Sends what is due, the oldest first over all members that can send, as long as not too many are in flight.
    fn send(&mut self, now: u64) {
        self.set_stamp(now);
        let room = self.schedule.in_flight_max.saturating_sub(self.in_flight());
        for _ in 0..room {
            let ready = (0..self.members.len()).filter(|place| self.members[*place].is_ready());
            let oldest = ready.map(|place| (self.next_number(place), place)).min();
            let due = oldest.and_then(|(number, _)| self.schedule.due(number));
            let (Some((number, place)), Some(due)) = (oldest, due.filter(|due| *due <= now)) else {
                break;
            };
            self.acquire(place, number, self.schedule.due_of_sent(due, now));
        }
        let has_rest = (0..self.members.len())
            .any(|place| self.schedule.due(self.next_number(place)).is_some());
        self.schedule.settle_end(has_rest, now);
    }

    fn acquire(&mut self, place: usize, number: u64, due_ns: u64) {
        let terms = self.recipe.terms(number);
        let pan = self.members[terms.issuer].pans[terms.card as usize];
        let stan = digits::<6>(self.members[place].next_stan().into());
        let reference = digits::<12>(number);
        let mut own = *b"001012000000000000";
        own[6..].copy_from_slice(&reference);
        let tiyn = digits::<12>(terms.tiyn);
        let block = if terms.has_pin {
            self.members[place]
                .block(terms.issuer, terms.card)
                .copied()
                .unwrap_or_default()
        } else {
            [0; 8]
        };
        let values: [(u8, &[u8]); 9] = [
            (2, &pan),
            (4, &tiyn),
            (7, &self.stamp.transmitted),
            (11, &stan),
            (12, &self.stamp.time),
            (13, &self.stamp.date),
            (37, &reference),
            (61, &own),
            (52, &block),
        ];
        let values = if terms.has_pin {
            &values[..]
        } else {
            &values[..8]
        };
        let member = &mut self.members[place];
        member.ledger.sent(due_ns);
        let turn = number / self.recipe.members as u64;
        member.send_request(turn, terms.has_pin, values);
        self.tally.sent += 1;
    }

    fn set_stamp(&mut self, now: u64) {
        let nanos = self.wall_at_zero_ns.saturating_add(now);
        let second = nanos / NANOS_PER_SECOND;
        if second == self.stamp.second {
            return;
        }
        let time = Time::from_nanos(nanos);
        let local = (second + LOCAL_S) % 86_400;
        let (_, month, day) = Date::from_time(time).ymd();
        self.stamp = Stamp {
            second,
            transmitted: digits::<10>(Transmission::at(time).value().into()),
            time: digits::<6>(local / 3600 * 10_000 + local / 60 % 60 * 100 + local % 60),
            date: digits::<4>(u64::from(month) * 100 + u64::from(day)),
        };
    }

    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    fn place_of(&self, link: usize) -> (usize, usize) {
        (link / self.links_each, link % self.links_each)
    }

    fn lose(&mut self, link: usize, text: &str) {
        let (place, link) = self.place_of(link);
        if !self.members[place].links[link].is_there() {
            return;
        }
        let was_open = self.members[place].links[link].is_open;
        self.members[place].links[link].ended();
        match self.schedule.phase {
            Phase::Ending => return,
            Phase::SigningOn { .. } if !was_open => {}
            _ => self.tally.links_lost += 1,
        }
        if self.tally.links_lost > LINKS_LOST_MAX {
            let bank = self.members[place].details.code.clone();
            let text = format!("the link is closed: {text}");
            self.fail(Failure::Link { bank, text });
        }
    }
}

impl Traffic for CardGenerator {
    fn links(&self) -> usize {
        self.members.len() * self.links_each
    }

    fn wants_link(&mut self, link: usize) -> bool {
        let (place, link) = self.place_of(link);
        !self.members[place].links[link].is_there()
    }

    fn connected(&mut self, link: usize, _nonce: [u8; 32], now: u64) {
        let (place, link) = self.place_of(link);
        self.set_stamp(now);
        self.members[place].links[link].connected(now);
        self.network(place, link, b"001");
    }

    fn handle_bytes(&mut self, link: usize, bytes: &[u8], now: u64) {
        let (place, wire) = self.place_of(link);
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.members[place].links[wire].take(rest, now);
            rest = rest.get(taken..).unwrap_or_default();
            loop {
                match self.members[place].links[wire].next() {
                    None => break,
                    Some(Ok(framed)) => self.receive(place, wire, &framed.message, now),
                    Some(Err(text)) => return self.lose(link, &text),
                }
            }
            if taken == 0 {
                return self.lose(link, "no room for what comes");
            }
        }
    }

    fn handle_end(&mut self, link: usize, _now: u64) {
        self.lose(link, "the switch ended it");
    }

    fn advance(&mut self, now: u64) {
        match self.schedule.phase {
            Phase::SigningOn { until } => {
                if self.members.iter().all(Member::is_open) {
                    self.tally.latency_from_ns = self.schedule.begin(now);
                    self.send(now);
                } else if now >= until {
                    let missing = self.members.iter().find(|member| !member.is_open());
                    let bank =
                        missing.map_or_else(String::new, |member| member.details.code.clone());
                    let text = "could not sign on in time".to_string();
                    self.fail(Failure::Link { bank, text });
                }
            }
            Phase::Paying { .. } => self.send(now),
            Phase::Ending => {}
        }
    }

    fn poll_output(&mut self, link: usize, out: &mut BytesMut, now: u64) {
        let (place, link) = self.place_of(link);
        self.members[place].links[link].poll_output(out, now);
    }

    fn poll_timeout(&mut self) -> Option<u64> {
        let wires = self.members.iter().flat_map(|member| &member.links);
        let links = wires.filter_map(super::members::Wire::poll_timeout).min();
        let open = self.in_flight();
        let due = self.schedule.timeout(|schedule| {
            let may_send = open < schedule.in_flight_max;
            let ready =
                (0..self.members.len()).filter(|place| may_send && self.members[*place].is_ready());
            ready
                .filter_map(|place| schedule.due(self.next_number(place)))
                .min()
        });
        [links, due].into_iter().flatten().min()
    }

    fn is_done(&self, now: u64) -> bool {
        self.failure.is_some() || self.schedule.is_done(self.in_flight(), now)
    }

    fn sign_off(&mut self) {
        self.schedule.phase = Phase::Ending;
        for place in 0..self.members.len() {
            for link in 0..self.links_each {
                if self.members[place].links[link].is_open {
                    self.network(place, link, b"002");
                }
            }
        }
    }

    fn progress(&self, now: u64) -> Progress {
        let began = self.schedule.began().unwrap_or(now);
        Progress {
            elapsed: Duration::from_nanos(now.saturating_sub(began)),
            sent: self.tally.sent,
            settled: self.tally.settled,
            rejected: self.tally.rejections(),
            in_flight: self.in_flight(),
            p99_us: self.tally.latency.at_per_mille(990),
        }
    }

    fn outcome(self, own_cpu: Duration) -> Result<Outcome, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let unknown = self.in_flight();
        let began = self.schedule.began().unwrap_or(0);
        let scheduled = self.schedule.total().unwrap_or(self.tally.sent);
        Ok(self
            .tally
            .outcome(scheduled, unknown, began, self.checked, own_cpu))
    }
}

#[cfg(test)]
pub(crate) mod tests;
