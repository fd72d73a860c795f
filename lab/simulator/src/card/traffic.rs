//! Cards in the world: which host, link or connection moves next, and what the network between them does.

use std::collections::BTreeMap;

use torap_bank::card::Request;
use torap_domain::CardService;

use super::{
    CardPlan,
    gate::{CardGate, HandedOut},
    load::Load,
    seed::scheme_of,
    side::{CardSide, RECONNECT_WITHIN},
};
use crate::{
    draw::Draw,
    fault::Fault,
    net::{Arrived, Pipe},
    node::Node,
    plan::{MILLI, Plan, SECOND},
    world::World,
};

/// Output that a host or the switch cannot put on the network waits for room in the pipe.
pub(crate) struct CardConnection {
    pub(crate) side: usize,
    /// To the switch.
    pub(crate) up: Pipe,
    /// To the host.
    pub(crate) down: Pipe,
    pub(crate) gate: Option<CardGate>,
    /// The host still holds its end.
    pub(crate) held: bool,
    dirty: bool,
}

pub(crate) struct CardWorld {
    pub(crate) plan: CardPlan,
    /// The banks' hosts, and behind them the scheme's.
    pub(crate) sides: Vec<CardSide>,
    pub(crate) connections: BTreeMap<u64, CardConnection>,
    pub(crate) load: Load,
    pub(crate) next_request: u64,
    draw: Draw,
    handed_out: HandedOut,
}

/// A transaction that a back office acts on.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// In the load.
    pub(crate) place: usize,
    /// DE37
    pub(crate) reference: String,
    pub(crate) service: CardService,
}

/// How the network is at a step.
#[derive(Clone, Copy)]
struct Network {
    now: u64,
    /// The hosts' clock, and the switch's.
    true_time: u64,
    wall: u64,
    latency: u64,
}

impl CardWorld {
    pub(crate) fn new(plan: &Plan) -> Option<CardWorld> {
        let cards = plan.cards.clone()?;
        let mut draw = Draw::new(cards.seed);
        let scheme = scheme_of(plan);
        Some(CardWorld {
            sides: (0..=cards.banks)
                .map(|number| CardSide::new(&cards, number, scheme))
                .collect(),
            connections: BTreeMap::new(),
            load: Load::new(draw.fork()),
            next_request: SECOND,
            draw,
            handed_out: HandedOut::default(),
            plan: cards,
        })
    }

    /// Whether the load is through.
    pub(crate) fn is_load_done(&self) -> bool {
        self.load.tried >= self.plan.requests
    }

    /// One of the latest transactions of a host that are approved for it and that it does not reverse.
    pub(crate) fn choose_for_office(
        &mut self,
        draw: &mut Draw,
        side: usize,
        wall: u64,
    ) -> Option<Chosen> {
        let rows = self.sides.get_mut(side)?.ask(Request::Transactions, wall);
        let approved: BTreeMap<&str, bool> = rows
            .as_array()?
            .iter()
            .filter_map(|row| {
                let is_approved = row["outcome"] == "approved" && row["reversals"] == 0;
                Some((row["reference"].as_str()?, is_approved))
            })
            .collect();
        let fitting = self.load.of_side(side);
        let fitting: Vec<Chosen> = fitting
            .filter(|(_, sent)| approved.get(sent.reference.as_str()) == Some(&true))
            .map(|(place, sent)| Chosen {
                place,
                reference: sent.reference.clone(),
                service: sent.service,
            })
            .collect();
        let back = if draw.chance(700) {
            fitting.len().min(30)
        } else {
            fitting.len()
        };
        let place = fitting.len().checked_sub(1 + draw.index(back))?;
        fitting.into_iter().nth(place)
    }

    /// When anything of it wants a turn.
    pub(crate) fn next_at(&self, now: u64, wall: u64, healing: bool, open: bool) -> u64 {
        let mut next = u64::MAX;
        let mut add = |at: Option<u64>| next = next.min(at.unwrap_or(u64::MAX));
        if !healing && !self.is_load_done() {
            add(Some(self.next_request));
        }
        for side in &self.sides {
            add(side.next_at(wall, now));
            for link in side.links.iter().filter(|link| link.up.is_none()) {
                if !side.stays_down && open {
                    add(Some(link.connect_at.max(side.stuck_until)));
                }
            }
        }
        for (id, connection) in &self.connections {
            let side = &self.sides[connection.side];
            if let Some(gate) = &connection.gate {
                add(gate.next_at());
                if gate.reads() {
                    add(connection.up.next_at());
                }
                add(connection.dirty.then_some(now));
            }
            let ready = now.max(side.stuck_until);
            let link = side.link_of(*id);
            if connection.held && link.is_some_and(|link| side.reads(link, ready)) {
                add(connection.down.next_at().map(|at| at.max(ready)));
            }
        }
        next
    }

    /// Who wants a turn right now, for the story of a run that does not come further.
    pub(crate) fn wanting(&self, now: u64, wall: u64) -> Vec<String> {
        let at_once = |at: Option<u64>| at.is_some_and(|at| at <= now);
        let sides = self.sides.iter();
        let mut who: Vec<String> = sides
            .filter(|side| at_once(side.next_at(wall, now)))
            .map(|side| format!("card host {}", side.code))
            .collect();
        for (id, connection) in &self.connections {
            let gate = connection.gate.as_ref();
            if connection.dirty || at_once(gate.and_then(CardGate::next_at)) {
                who.push(format!("card link {id}"));
            }
        }
        who
    }

    /// The core has moved: every link may have something to send.
    pub(crate) fn wake(&mut self) {
        for connection in self.connections.values_mut() {
            connection.dirty = connection.gate.is_some();
        }
    }

    /// The process is gone with its links; of what it had sent a part arrives.
    pub(crate) fn process_ends(&mut self, now: u64) {
        for connection in self.connections.values_mut() {
            let under_way = connection.down.under_way();
            let keep = self.draw.range(0, under_way as u64) as usize;
            connection.down.cut(now, keep);
            connection.gate = None;
        }
        self.connections.retain(|_, connection| connection.held);
    }

    pub(crate) fn heal(&mut self, now: u64, wall: u64) {
        for connection in self.connections.values_mut() {
            connection.up.heal();
            connection.down.heal();
        }
        for side in &mut self.sides {
            side.stuck_until = 0;
            side.pause_ns = 0;
            side.next_turn = now;
            side.has_input = true;
            side.stays_down = false;
            side.sign_on(wall);
        }
    }

    /// Bytes that have come, to whoever takes them.
    fn deliver(&mut self, now: u64) -> u64 {
        let mut reordered = 0;
        for (id, connection) in &mut self.connections {
            let side = &mut self.sides[connection.side];
            let link = side.link_of(*id);
            if let Some(gate) = &mut connection.gate {
                while gate.reads() {
                    match connection.up.take(now) {
                        Some(Arrived::Bytes(bytes)) => gate.take_bytes(&bytes, now),
                        Some(Arrived::End) => gate.take_end(now),
                        None => break,
                    }
                    connection.dirty = true;
                    // Bytes of an old connection come in after the host has opened a new one.
                    reordered += u64::from(!connection.held);
                }
            }
            let Some(link) = link else {
                continue;
            };
            while connection.held && side.reads(link, now) {
                match connection.down.take(now) {
                    Some(Arrived::Bytes(bytes)) => side.take_bytes(link, &bytes, now),
                    Some(Arrived::End) => side.take_end(link, now),
                    None => break,
                }
                // There is room in the pipe again.
                connection.dirty = true;
            }
        }
        reordered
    }

    /// A host lets go of a link; with `cuts` what is under way may be lost on the way.
    fn hang_up(&mut self, side: usize, link: usize, cuts: bool, network: Network) {
        let connect_at = network.now + self.draw.span(MILLI, RECONNECT_WITHIN);
        let id = self.sides[side].disconnect(link, connect_at, network.true_time);
        let Some(connection) = id.and_then(|id| self.connections.get_mut(&id)) else {
            return;
        };
        connection.held = false;
        connection.down = Pipe::default();
        if cuts {
            let under_way = connection.up.under_way();
            let keep = self.draw.range(0, under_way as u64) as usize;
            connection.up.cut(network.now, keep);
        } else {
            connection.up.close(network.now, network.latency);
        }
        let gone = connection.gate.is_none();
        self.connections
            .retain(|other, _| !gone || Some(*other) != id);
    }

    /// Every host does what it can.
    fn work_sides(&mut self, network: Network) {
        let now = network.now;
        for number in 0..self.sides.len() {
            let cuts = self.sides[number].work(now, network.true_time);
            for link in 0..self.sides[number].links.len() {
                let Some(up) = &mut self.sides[number].links[link].up else {
                    continue;
                };
                if let Some(connection) = self.connections.get_mut(&up.connection) {
                    let room = connection.up.room().min(up.output.len());
                    if room > 0 {
                        let bytes = up.output.drain(..room).collect();
                        connection.up.push(now, bytes, network.latency);
                    }
                }
                if cuts || up.ended {
                    self.hang_up(number, link, cuts, network);
                }
            }
        }
    }

    /// Links without a connection get one, as soon as the switch is there.
    fn connect(&mut self, node: &mut Node, next_connection: &mut u64, network: Network) {
        let now = network.now;
        for (number, side) in self.sides.iter_mut().enumerate() {
            for link in 0..side.links.len() {
                let at = side.links[link].connect_at.max(side.stuck_until);
                if side.stays_down || side.links[link].up.is_some() || now < at {
                    continue;
                }
                let id = *next_connection;
                *next_connection += 1;
                side.connect(link, id, now, network.true_time);
                let gate = CardGate::new(side.participant, side.framing, node, now, network.wall);
                self.connections.insert(
                    id,
                    CardConnection {
                        side: number,
                        up: Pipe::default(),
                        down: Pipe::default(),
                        gate: Some(gate),
                        held: true,
                        dirty: true,
                    },
                );
            }
        }
    }

    /// Every link of the switch that wants to does what it can; gives the first broken promise, and whether anything moved.
    fn work_gates(&mut self, node: &mut Node, network: Network) -> (Option<String>, bool) {
        let now = network.now;
        let mut violation = None;
        let mut moved = false;
        let mut over = Vec::new();
        for (id, connection) in &mut self.connections {
            let Some(gate) = &mut connection.gate else {
                continue;
            };
            if !connection.dirty && gate.next_at().is_none_or(|at| at > now) {
                continue;
            }
            moved = true;
            connection.dirty = false;
            let broken = gate.work(node, &mut self.handed_out, now, network.wall);
            violation = violation.or(broken);
            if connection.held {
                let room = connection.down.room().min(gate.output.len());
                if room > 0 {
                    let bytes = gate.output.drain(..room).collect();
                    connection.down.push(now, bytes, network.latency);
                    connection.dirty = !gate.output.is_empty() && connection.down.room() > 0;
                }
            } else {
                gate.output.clear();
            }
            if gate.closed {
                connection.gate = None;
                connection.down.close(now, network.latency);
                if !connection.held {
                    over.push(*id);
                }
            }
        }
        for id in over {
            self.connections.remove(&id);
        }
        (violation, moved)
    }

    /// Acquirers ask what became of transactions whose answer they never saw, as real ones do.
    pub(crate) fn ask_open(&mut self, wall: u64) {
        for side in self
            .sides
            .iter_mut()
            .filter(|side| side.host.signed_on() > 0)
        {
            if self.plan.signs_off {
                // An old sign-off may have come by a slow link after the newer sign-on.
                side.network("sign-on", wall);
            }
            for reference in side.unknown(wall) {
                side.ask(
                    Request::Again {
                        reference,
                        repeat: true,
                        amount: None,
                    },
                    wall,
                );
            }
        }
    }

    /// What has not come to an end at the hosts, in words.
    pub(crate) fn unfinished(&mut self, wall: u64) -> Vec<String> {
        let mut open = Vec::new();
        for side in &mut self.sides {
            let (signed_on, links) = (side.host.signed_on(), side.links.len());
            let books = side.ask(Request::Books, wall);
            let (sent, unsent) = (&books["open"], &books["unsent"]);
            if signed_on < links || *sent != 0 || *unsent != 0 {
                open.push(format!(
                    "card host {}: {signed_on} of {links} links signed on, {sent} transactions open, {unsent} messages unsent",
                    side.code
                ));
                continue;
            }
            if side.host.poll_timeout().is_some() {
                open.push(format!("card host {} waits for something", side.code));
                continue;
            }
            open.extend(side.unknown(wall).first().map(|reference| {
                format!(
                    "card host {} does not know what became of {reference}",
                    side.code
                )
            }));
        }
        open
    }
}

impl CardSide {
    /// Transactions of which it does not know what became.
    fn unknown(&mut self, wall: u64) -> Vec<String> {
        let rows = self.ask(Request::Transactions, wall);
        let rows = rows.as_array().into_iter().flatten();
        let unknown = rows.filter(|row| {
            let is_unsent = row["outcome"] == "unsent";
            // 96 says that the switch has not taken it, or could not look: it is sent again.
            (row["code"].is_null() && !is_unsent) || row["code"] == "96"
        });
        unknown
            .filter_map(|row| row["reference"].as_str().map(String::from))
            .collect()
    }
}

/// Cards as part of the world. Each takes them out for its turn, because the world is handed on.
impl World {
    fn card_network(&mut self, cards: &mut CardWorld) -> Network {
        let base = self.plan.latency;
        let slow = if self.now < self.slow_net_until {
            40
        } else {
            1
        };
        Network {
            now: self.now,
            true_time: self.true_time(),
            wall: self.wall(),
            latency: cards.draw.range(base / 2, base * 2) * slow,
        }
    }

    pub(crate) fn do_card_load(&mut self) {
        let (now, wall, healing) = (self.now, self.true_time(), self.healing);
        let Some(cards) = &mut self.cards else {
            return;
        };
        if healing || cards.is_load_done() || now < cards.next_request {
            return;
        }
        cards.next_request = now + cards.load.pause(&cards.plan);
        let told = cards.load.request(&cards.plan, &mut cards.sides, wall);
        for side in &mut cards.sides {
            side.has_input = true;
        }
        if let (Some(command), Some(node)) = (told.operate, &mut self.node) {
            node.tell(command);
            self.node_dirty = true;
        }
        for fault in told.faults {
            self.count(fault);
        }
        if !told.text.is_empty() {
            self.trace.note(self.step, now, || told.text);
        }
    }

    pub(crate) fn deliver_cards(&mut self) {
        let now = self.now;
        let reordered = self.cards.as_mut().map_or(0, |cards| cards.deliver(now));
        if reordered > 0 {
            *self.counts.entry(Fault::Reordering.name()).or_default() += reordered;
        }
    }

    pub(crate) fn work_cards(&mut self) {
        let Some(mut cards) = self.cards.take() else {
            return;
        };
        let network = self.card_network(&mut cards);
        let open = self.node.as_mut().filter(|node| node.is_open());
        if let Some(node) = open {
            cards.connect(node, &mut self.next_connection, network);
        }
        cards.work_sides(network);
        if self.trace.is_on() {
            for (number, side) in cards.sides.iter_mut().enumerate() {
                self.trace.card_messages(self.step, self.now, number, side);
            }
        }
        if let Some(node) = &mut self.node {
            let (violation, moved) = cards.work_gates(node, network);
            self.node_dirty |= moved;
            if let Some(text) = violation {
                self.fail(text);
            }
        }
        self.cards = Some(cards);
    }

    /// A card host for a fault that is drawn among all hosts; `number` counts on behind the banks.
    pub(crate) fn card_side(&mut self, number: usize) -> Option<&mut CardSide> {
        let place = number.checked_sub(self.hosts.len())?;
        self.cards.as_mut()?.sides.get_mut(place)
    }
}
