//! Everything at one time: clock, network, banks and the switch, and which of them moves next.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Buf;
use torap_domain::Time;
use torap_index::MemoryIndex;
use torap_journal::{MemoryMedium, Step};

use crate::{
    card::CardWorld,
    draw::Draw,
    fault::{Counts, Fault},
    gate::Gate,
    host::Host,
    load::{Load, Wanted},
    net::{Arrived, Pipe},
    node::{Machine, Node},
    office::{Office, OfficeCounts},
    orders::{OrderCounts, Orders},
    plan::{MILLI, Plan, SECOND},
    trace::Trace,
};

/// Idle time after which the journal writes a witness.
const WITNESS_AFTER_NS: u64 = 50 * MILLI;
/// A step more than this is a run that turns on the spot.
const STEPS_MAX: u64 = 20_000_000;
/// Steps without the clock moving, at most.
const STEPS_AT_ONCE_MAX: u64 = 100_000;

/// A connection: two directions, and who is at its ends.
pub(crate) struct Connection {
    pub(crate) bank: usize,
    /// To the switch.
    pub(crate) up: Pipe,
    /// To the bank.
    pub(crate) down: Pipe,
    pub(crate) gate: Option<Gate>,
    /// The bank still holds its end.
    pub(crate) held: bool,
    dirty: bool,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) draw: Draw,
    pub(crate) now: u64,
    /// What the calendar has jumped over, in nanoseconds: nights and days in which nothing happens.
    pub(crate) skipped: u64,
    pub(crate) step: u64,
    /// How far the switch's clock is off, in nanoseconds.
    pub(crate) offset: i64,
    pub(crate) machine: Machine,
    pub(crate) node: Option<Node>,
    pub(crate) restart_at: u64,
    pub(crate) hosts: Vec<Host>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) next_connection: u64,
    /// Card hosts and their links, if cards take part.
    pub(crate) cards: Option<CardWorld>,
    pub(crate) load: Load,
    /// What the operator orders in IMTS and the clearing system.
    orders: Orders,
    /// What came of it, once the run has been checked at its end.
    pub(crate) order_counts: OrderCounts,
    /// Back offices, if the seed has any.
    pub(crate) office: Option<Office>,
    pub(crate) office_counts: OfficeCounts,
    next_request: u64,
    pub(crate) next_fault: u64,
    pub(crate) counts: Counts,
    pub(crate) crashes: u64,
    /// Last position that any life of the switch reported as durable.
    pub(crate) durable: u64,
    pub(crate) journal_at: Option<u64>,
    pub(crate) follower_at: Option<u64>,
    pub(crate) node_dirty: bool,
    pub(crate) slow_sync_until: u64,
    pub(crate) full_until: u64,
    pub(crate) slow_net_until: u64,
    /// The next write of a group is torn by a power failure.
    pub(crate) tears: bool,
    /// The next recovery loses the power.
    pub(crate) breaks_recovery: bool,
    /// The index is deleted before the next start.
    pub(crate) loses_index: bool,
    pub(crate) armed: Option<Fault>,
    pub(crate) healing: bool,
    pub(crate) failure: Option<String>,
    pub(crate) trace: Trace,
    steps_at_once: u64,
}

/// What the calendar shows when a simulation begins: 2 March 2026, 09:00 in Almaty.
const BEGIN: &str = "2026-03-02T09:00:00+05:00";

impl World {
    pub(crate) fn new(plan: Plan, trace: Trace) -> World {
        let mut draw = Draw::new(plan.node.seed ^ 0x5eed);
        let hosts = (0..plan.banks)
            .map(|number| Host::new(number, draw.next(), plan.node.switch_bic))
            .collect();
        let load = Load::new(draw.fork());
        let orders = Orders::new(Draw::new(plan.node.seed ^ 0x1c5));
        let machine = Machine {
            journal: MemoryMedium::new(),
            snapshots: MemoryMedium::new(),
            index: Arc::new(MemoryIndex::new()),
            config: plan.node.clone(),
        };
        let next_fault = if plan.fault_every == 0 {
            u64::MAX
        } else {
            SECOND
        };
        let cards = CardWorld::new(&plan);
        let office = Office::new(&plan);
        World {
            plan,
            draw,
            now: 0,
            skipped: 0,
            step: 0,
            offset: 0,
            machine,
            node: None,
            restart_at: 0,
            hosts,
            connections: BTreeMap::new(),
            next_connection: 1,
            cards,
            load,
            orders,
            order_counts: OrderCounts::default(),
            office,
            office_counts: OfficeCounts::default(),
            next_request: SECOND,
            next_fault,
            counts: Counts::new(),
            crashes: 0,
            durable: 0,
            journal_at: None,
            follower_at: None,
            node_dirty: false,
            slow_sync_until: 0,
            full_until: 0,
            slow_net_until: 0,
            tears: false,
            breaks_recovery: false,
            loses_index: false,
            armed: None,
            healing: false,
            failure: None,
            trace,
            steps_at_once: 0,
        }
    }

    /// The switch's clock.
    pub(crate) fn wall(&self) -> u64 {
        self.true_time().saturating_add_signed(self.offset)
    }

    /// The banks' clock, which is right.
    pub(crate) fn true_time(&self) -> u64 {
        begin() + self.skipped + self.now
    }

    pub(crate) fn count(&mut self, fault: Fault) {
        *self.counts.entry(fault.name()).or_default() += 1;
        self.trace
            .note(self.step, self.now, || format!("fault: {}", fault.name()));
    }

    pub(crate) fn fail(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.trace
            .note(self.step, self.now, || format!("FAILURE: {text}"));
        self.failure.get_or_insert(text);
    }

    /// Whether the load is through.
    pub(crate) fn is_load_done(&self) -> bool {
        let cards = self.cards.as_ref();
        self.is_paying_done() && cards.is_none_or(CardWorld::is_load_done)
    }

    /// Whether the load of instant payments is through.
    pub(crate) fn is_paying_done(&self) -> bool {
        self.load.sent.len() as u64 >= self.plan.payments && self.now >= self.plan.lasts
    }

    /// Goes on to the next thing that happens, and does it.
    pub(crate) fn advance(&mut self) {
        let next = self.next_at().unwrap_or(self.now + SECOND);
        if next > self.now {
            self.now = next;
            self.steps_at_once = 0;
        }
        self.step += 1;
        self.steps_at_once += 1;
        if self.step > STEPS_MAX || self.steps_at_once > STEPS_AT_ONCE_MAX {
            let who = self.wanting();
            self.fail(format!("the simulation turns on the spot for {who}"));
            return;
        }
        self.do_load();
        self.do_card_load();
        self.do_office();
        if self.now >= self.next_fault && !self.healing {
            self.inject();
            self.next_fault = self.now + self.draw.range(1, self.plan.fault_every * 2);
        }
        if self.full_until > 0 && self.now >= self.full_until {
            self.full_until = 0;
            self.machine.journal.set_capacity(None);
            self.machine.snapshots.set_capacity(None);
        }
        if self.node.is_none() && self.now >= self.restart_at {
            self.start_node();
        }
        self.deliver();
        self.deliver_cards();
        self.work_hosts();
        self.work_gates();
        self.work_cards();
        self.work_node();
    }

    fn next_at(&mut self) -> Option<u64> {
        let (now, true_time, wall) = (self.now, self.true_time(), self.wall());
        let mut next = u64::MAX;
        let mut add = |at: Option<u64>| next = next.min(at.unwrap_or(u64::MAX));
        if !self.is_paying_done() && !self.healing {
            add(Some(self.next_request));
        }
        if !self.healing {
            add(Some(self.next_fault));
        }
        add((self.full_until > 0).then_some(self.full_until));
        match &self.node {
            None => add(Some(self.restart_at)),
            Some(node) => {
                add(self.journal_at);
                add(self.follower_at);
                add(self.node_dirty.then_some(now));
                let due = node.due().map(|due| now + due.saturating_sub(wall));
                add(due.map(|due| if due <= now { now + MILLI } else { due }));
            }
        }
        let open = self.node.as_ref().is_some_and(Node::is_open);
        if let Some(office) = self.office.as_ref().filter(|_| self.node.is_some()) {
            let idle = self.healing || self.is_paying_done();
            add(Some(office.next_at(idle)));
        }
        if let Some(cards) = &self.cards {
            add(Some(cards.next_at(now, true_time, self.healing, open)));
        }
        for host in &mut self.hosts {
            add(host.next_at(true_time, now));
            if host.link.is_none() && !host.stays_down {
                add(Some(host.connect_at.max(host.stuck_until)));
            }
        }
        for connection in self.connections.values_mut() {
            let host = &mut self.hosts[connection.bank];
            if let Some(gate) = &mut connection.gate {
                add(gate.next_at());
                if gate.reads() {
                    add(connection.up.next_at());
                }
                add(connection.dirty.then_some(now));
            }
            let ready = now.max(host.stuck_until);
            if connection.held && host.reads(ready) {
                add(connection.down.next_at().map(|at| at.max(ready)));
            }
        }
        (next != u64::MAX).then_some(next.max(now))
    }

    /// Who wants a turn right now, for the story of a run that does not come further.
    fn wanting(&mut self) -> String {
        let (now, true_time) = (self.now, self.true_time());
        let mut who = Vec::new();
        let at_once = |at: Option<u64>| at.is_some_and(|at| at <= now);
        for (name, at) in [
            ("the disk", self.journal_at),
            ("the follower", self.follower_at),
        ] {
            who.extend(at_once(at).then(|| name.to_string()));
        }
        who.extend(self.node_dirty.then(|| "the core".to_string()));
        if let Some(cards) = &self.cards {
            who.extend(cards.wanting(now, true_time));
        }
        for host in &mut self.hosts {
            who.extend(at_once(host.next_at(true_time, now)).then(|| host.code.to_string()));
        }
        for (id, connection) in &mut self.connections {
            let bank = self.hosts[connection.bank].code;
            if let Some(gate) = &mut connection.gate {
                who.extend(at_once(gate.next_at()).then(|| format!("gate {id} of {bank}")));
                let reads = gate.reads() && at_once(connection.up.next_at());
                who.extend(reads.then(|| format!("bytes of {bank} on {id}")));
            }
            who.extend(
                at_once(connection.down.next_at()).then(|| format!("bytes to {bank} on {id}")),
            );
        }
        who.join(", ")
    }

    fn do_load(&mut self) {
        if self.healing || self.is_paying_done() || self.now < self.next_request {
            return;
        }
        self.next_request = self.now + self.load.pause(&self.plan);
        let wall = self.true_time();
        let behaviour = self.load.behaviour(&self.plan);
        let bank = self.draw.index(self.hosts.len());
        // Behaviours wait for the payments to come; more than a few would never be used.
        let _ = self.hosts[bank].bank.handle(behaviour, wall);
        let sent = self.load.sent.len();
        let wanted = self.load.request(&self.plan, &mut self.hosts, wall);
        if let Some(node) = &mut self.node {
            let engine = node.follower().engine();
            let commands = match wanted {
                Wanted::Done => Vec::new(),
                Wanted::Operate(command) => vec![*command],
                Wanted::Settle => self.orders.settle(&self.plan, engine, wall),
                Wanted::Clear => {
                    let order = self.orders.clear(&self.plan, &self.hosts, engine, wall);
                    order.into_iter().collect()
                }
            };
            self.node_dirty |= !commands.is_empty();
            for command in commands {
                node.tell(command);
            }
        }
        if let Some(sent) = self.load.sent.get(sent) {
            let bank = self.hosts[sent.bank].code;
            self.trace.note(self.step, self.now, || {
                format!("{bank} pays {} as {}", sent.uetr, sent.transaction_id)
            });
        }
        for host in &mut self.hosts {
            host.next_turn = host.next_turn.min(self.now + host.pause_ns);
        }
    }

    fn latency(&mut self) -> u64 {
        let base = self.plan.latency;
        let slow = if self.now < self.slow_net_until {
            40
        } else {
            1
        };
        self.draw.range(base / 2, base * 2) * slow
    }

    /// Bytes that have come, to whoever takes them.
    fn deliver(&mut self) {
        let now = self.now;
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        for id in ids {
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            if let Some(gate) = &mut connection.gate {
                while gate.reads() {
                    match connection.up.take(now) {
                        Some(Arrived::Bytes(bytes)) => gate.take_bytes(&bytes, now),
                        Some(Arrived::End) => gate.take_end(now),
                        None => break,
                    }
                    connection.dirty = true;
                    if !connection.held {
                        // Bytes of an old connection come in after the bank has opened a new one.
                        let later = self.hosts[connection.bank].link.is_some();
                        if later {
                            *self.counts.entry(Fault::Reordering.name()).or_default() += 1;
                        }
                    }
                    if gate.closed {
                        break;
                    }
                    // The session decodes lazily; what was handed in is worked off before more is taken.
                    if connection.up.next_at().is_none_or(|at| at > now) {
                        break;
                    }
                }
            }
            let host = &mut self.hosts[connection.bank];
            let ours = host.link.as_ref().is_some_and(|link| link.connection == id);
            while ours && connection.held && host.reads(now) {
                match connection.down.take(now) {
                    Some(Arrived::Bytes(bytes)) => host.take_bytes(&bytes, now),
                    Some(Arrived::End) => host.take_end(now),
                    None => break,
                }
                // There is room in the pipe again.
                connection.dirty = true;
            }
        }
    }

    fn work_hosts(&mut self) {
        let wall = self.true_time();
        for number in 0..self.hosts.len() {
            let latency = self.latency();
            let host = &mut self.hosts[number];
            if host.link.is_none()
                && !host.stays_down
                && self.now >= host.connect_at.max(host.stuck_until)
            {
                self.connect(number);
            }
            let host = &mut self.hosts[number];
            let seen = host.received.len();
            let told = host.work(self.now, wall);
            if told.resent > 0 {
                *self.counts.entry(Fault::Duplication.name()).or_default() += told.resent;
            }
            if self.trace.is_on() && host.received.len() > seen {
                self.trace.messages(self.step, self.now, number, host);
            }
            if let Some(link) = &mut host.link {
                let id = link.connection;
                if let Some(connection) = self.connections.get_mut(&id) {
                    let room = connection.up.room().min(link.output.len());
                    if room > 0 {
                        let bytes = link.output.split_to(room).to_vec();
                        connection.up.push(self.now, bytes, latency);
                    }
                }
                if link.closed {
                    self.hang_up(number, told.cuts);
                }
            }
            if let Some(violation) = told.violation {
                self.fail(violation);
            }
        }
    }

    /// The bank lets go of its connection; with `cuts` what is under way may be lost on the way.
    pub(crate) fn hang_up(&mut self, bank: usize, cuts: bool) {
        let latency = self.latency();
        let pause = self.draw.span(MILLI, SECOND);
        let host = &mut self.hosts[bank];
        host.connect_at = self.now + pause;
        let Some(link) = host.link.take() else {
            return;
        };
        let Some(connection) = self.connections.get_mut(&link.connection) else {
            return;
        };
        connection.held = false;
        connection.down = Pipe::default();
        if cuts {
            let under_way = connection.up.under_way();
            let keep = self.draw.range(0, under_way as u64) as usize;
            connection.up.cut(self.now, keep);
        } else {
            connection.up.close(self.now, latency);
        }
        if connection.gate.is_none() {
            self.connections.remove(&link.connection);
        }
    }

    fn connect(&mut self, bank: usize) {
        let open = self.node.as_ref().is_some_and(Node::is_open);
        if !open {
            self.hosts[bank].connect_at = self.now + 100 * MILLI;
            return;
        }
        let id = self.next_connection;
        self.next_connection += 1;
        let nonces = (self.draw.next(), self.draw.next());
        self.hosts[bank].connect(id, nonces.0, self.now);
        self.hosts[bank].next_turn = self.now;
        self.connections.insert(
            id,
            Connection {
                bank,
                up: Pipe::default(),
                down: Pipe::default(),
                gate: Some(Gate::new(id, nonces.1, self.now)),
                held: true,
                dirty: true,
            },
        );
    }

    fn work_gates(&mut self) {
        let (now, wall) = (self.now, self.wall());
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        for id in ids {
            let Some(node) = &mut self.node else {
                return;
            };
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            let Some(gate) = &mut connection.gate else {
                continue;
            };
            if !connection.dirty && gate.next_at().is_none_or(|at| at > now) {
                continue;
            }
            connection.dirty = false;
            let told = gate.work(node, now, wall);
            self.node_dirty = true;
            if told.resent > 0 {
                *self.counts.entry(Fault::Duplication.name()).or_default() += told.resent;
            }
            if let Some(older) = told.supersedes {
                self.end_gate(older);
            }
            self.sign_on(id);
            self.flush(id);
            for text in [told.violation, told.unwritten].into_iter().flatten() {
                self.fail(text);
            }
        }
    }

    /// A newer connection takes over from this one.
    fn end_gate(&mut self, id: u64) {
        let now = self.now;
        let (Some(node), Some(connection)) = (&mut self.node, self.connections.get_mut(&id)) else {
            return;
        };
        if let Some(gate) = &mut connection.gate {
            gate.supersede(node, now);
            self.flush(id);
        }
    }

    fn sign_on(&mut self, id: u64) {
        if let (Some(node), Some(connection)) = (&mut self.node, self.connections.get_mut(&id))
            && let Some(gate) = &mut connection.gate
        {
            gate.sign_on(node);
        }
    }

    /// What the switch has to say, into the pipe; and the end of the connection after its last words.
    fn flush(&mut self, id: u64) {
        let latency = self.latency();
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let Some(gate) = &mut connection.gate else {
            return;
        };
        if connection.held {
            let room = connection.down.room().min(gate.output.len());
            if room > 0 {
                let bytes = gate.output.split_to(room).to_vec();
                connection.down.push(now, bytes, latency);
                if !gate.output.is_empty() {
                    connection.dirty = connection.down.room() > 0;
                }
            }
        } else {
            gate.output.advance(gate.output.len());
        }
        if gate.closed {
            connection.gate = None;
            connection.down.close(now, latency);
            if !connection.held {
                self.connections.remove(&id);
            }
        }
    }

    fn work_node(&mut self) {
        if self.node.is_none() {
            return;
        }
        let outcome = self.turn_node().and_then(|()| self.step_disk());
        if let Err(stop) = outcome {
            self.node_stops(&stop);
        }
    }

    fn turn_node(&mut self) -> Result<(), Box<crate::node::Stop>> {
        let (now, wall) = (self.now, self.wall());
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        if !self.node_dirty && !node.wants_turn(wall) {
            return Ok(());
        }
        self.node_dirty = node.turn(wall)?;
        let decided = std::mem::take(&mut node.decided);
        if self.node_dirty || !decided.is_empty() {
            if let Some(cards) = &mut self.cards {
                cards.wake();
            }
            for connection in self.connections.values_mut() {
                connection.dirty = connection.gate.is_some();
                if let Some(gate) = &mut connection.gate {
                    for decided in &decided {
                        gate.decided(*decided, node);
                    }
                }
            }
        }
        if node.undurable() > 0 && self.journal_at.is_none_or(|at| at > now + MILLI) {
            self.journal_at = Some(now + self.draw.range(2_000, 60_000));
        }
        Ok(())
    }

    fn step_disk(&mut self) -> Result<(), Box<crate::node::Stop>> {
        let now = self.now;
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        if self.journal_at.is_some_and(|at| at <= now) {
            let step = node.journal_step()?;
            self.durable = self.durable.max(node.durable());
            let slow = now < self.slow_sync_until;
            self.journal_at = match step {
                Step::Wrote(_) if self.tears => {
                    self.tears = false;
                    self.count(Fault::TornWrite);
                    self.lose_power();
                    return Ok(());
                }
                Step::Wrote(_) => {
                    let sync = if slow {
                        self.draw.range(50 * MILLI, 2 * SECOND)
                    } else {
                        self.plan.sync
                    };
                    Some(now + self.draw.range(sync / 2, sync * 2))
                }
                Step::Synced(_) => {
                    self.node_dirty = true;
                    let pause = if node.undurable() > 0 {
                        5_000
                    } else {
                        WITNESS_AFTER_NS
                    };
                    Some(now + pause)
                }
                Step::Witnessed | Step::Prepared => Some(now + MILLI),
                Step::Idle => None,
            };
        }
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        if self.follower_at.is_some_and(|at| at <= now) {
            let records = self.draw.range(1, 256) as usize;
            let caught_up = node.follower_step(records)?;
            self.node_dirty = true;
            self.follower_at = (!caught_up).then_some(now + 50_000);
        }
        if self.follower_at.is_none() && node.behind() > 0 {
            self.follower_at = Some(now + self.draw.span(50_000, 20 * MILLI));
        }
        Ok(())
    }
}

fn begin() -> u64 {
    Time::parse(BEGIN).map_or(0, Time::nanos)
}
