//! Faults: which one comes next, and what it does to the network, the banks, the disk and the switch.

use torap_journal::Medium;

use crate::{
    fault::Fault,
    net::Pipe,
    node::{Node, Stop},
    plan::{MILLI, SECOND},
    world::World,
};

impl World {
    /// One fault, drawn among those of this run. A fault that finds nothing to break does nothing.
    pub(crate) fn inject(&mut self) {
        let faults = self.plan.faults.clone();
        let weights: Vec<u64> = faults.iter().map(|fault| fault.weight()).collect();
        if faults.is_empty() {
            return;
        }
        let fault = faults[self.draw.weighted(&weights)];
        match fault {
            Fault::LinkReset | Fault::CutMidFrame => self.break_link(fault),
            Fault::Reordering => self.linger(),
            Fault::Duplication => self.break_link(Fault::LinkReset),
            Fault::Loss => self.lose_segments(),
            Fault::Delay => {
                self.slow_net_until = self.now + self.draw.span(100 * MILLI, 10 * SECOND);
                self.count(fault);
            }
            Fault::OneWayPartition => self.partition(),
            Fault::SlowBank => {
                let host = self.any_host();
                let pause = self.draw.span(20 * MILLI, 3 * SECOND);
                match self.card_side(host) {
                    Some(side) => side.pause_ns = pause,
                    None => self.hosts[host].pause_ns = pause,
                }
                self.count(fault);
            }
            Fault::StuckBank => {
                let host = self.any_host();
                let until = self.now + self.draw.span(SECOND, 45 * SECOND);
                match self.card_side(host) {
                    Some(side) => side.stuck_until = until,
                    None => self.hosts[host].stuck_until = until,
                }
                self.count(fault);
            }
            Fault::ClockJump => {
                let by = self.draw.span(10 * MILLI, 20 * SECOND) as i64;
                self.offset = if self.draw.chance(500) { by } else { -by };
                self.count(fault);
            }
            Fault::SlowSync => {
                self.slow_sync_until = self.now + self.draw.span(100 * MILLI, 8 * SECOND);
                self.count(fault);
            }
            Fault::FullDisk => {
                self.full_until = self.now + self.draw.span(500 * MILLI, 10 * SECOND);
                self.machine.journal.set_capacity(Some(0));
                self.machine.snapshots.set_capacity(Some(0));
                self.count(fault);
            }
            Fault::Kill => self.kill(),
            Fault::PowerLoss => {
                if self.draw.chance(500) {
                    self.lose_power_now();
                } else if self.node.is_some() {
                    // In the middle of whatever the disk does next.
                    let operations = self.draw.range(1, 12);
                    self.machine.journal.power_off_after(operations);
                    self.armed = Some(fault);
                }
            }
            Fault::TornWrite => self.tears = self.node.is_some(),
            Fault::CrashInRecovery => {
                self.breaks_recovery = true;
                if self.draw.chance(500) {
                    self.kill()
                } else {
                    self.lose_power_now()
                }
            }
            Fault::CrashInSnapshot => self.crash_in_snapshot(),
            Fault::FailedSync if self.node.is_some() => {
                self.machine.journal.fail_sync(self.draw.range(1, 3));
                self.armed = Some(fault);
            }
            Fault::FailedWrite if self.node.is_some() => {
                self.machine.journal.fail_write(self.draw.range(1, 4));
                self.armed = Some(fault);
            }
            Fault::FailedSync | Fault::FailedWrite => {}
            Fault::SnapshotDamage => self.damage_snapshot(),
            Fault::IndexLoss => {
                self.loses_index = true;
                self.kill();
            }
            // Planned, or done by card hosts.
            Fault::BitFlip | Fault::MisdirectedWrite => {}
            Fault::SilentIssuer | Fault::SlowIssuer | Fault::SignOff => {}
        }
    }

    /// A bank, or behind them a card host.
    fn any_host(&mut self) -> usize {
        let sides = self.cards.as_ref().map_or(0, |cards| cards.sides.len());
        self.draw.index(self.hosts.len() + sides)
    }

    /// Connections with both ends, of banks and of card hosts.
    fn live(&self) -> Vec<u64> {
        let banks = self.connections.iter();
        let banks = banks.filter(|(_, connection)| connection.held && connection.gate.is_some());
        let cards = self.cards.iter().flat_map(|cards| &cards.connections);
        let cards = cards.filter(|(_, connection)| connection.held && connection.gate.is_some());
        banks
            .map(|(id, _)| *id)
            .chain(cards.map(|(id, _)| *id))
            .collect()
    }

    /// Both directions of a connection: to the switch, and from it.
    fn pipes(&mut self, id: u64) -> Option<[&mut Pipe; 2]> {
        if let Some(connection) = self.connections.get_mut(&id) {
            return Some([&mut connection.up, &mut connection.down]);
        }
        let connection = self.cards.as_mut()?.connections.get_mut(&id)?;
        Some([&mut connection.up, &mut connection.down])
    }

    /// Those of connections that have more than so many bytes under way. Without cards the first of them counts.
    fn busy(&mut self, ids: &[u64], more_than: usize) -> Option<u64> {
        let busy: Vec<u64> = ids
            .iter()
            .copied()
            .filter(|id| {
                let pipes = self.pipes(*id);
                pipes.is_some_and(|[up, down]| up.under_way() + down.under_way() > more_than)
            })
            .collect();
        if self.cards.is_none() {
            return busy.first().copied();
        }
        (!busy.is_empty()).then(|| busy[self.draw.index(busy.len())])
    }

    fn break_link(&mut self, fault: Fault) {
        let live = self.live();
        // A cut in the middle wants something under way.
        let busy = match fault {
            Fault::CutMidFrame => self.busy(&live, 1),
            _ => None,
        };
        let chosen = match fault {
            Fault::CutMidFrame => busy,
            _ if live.is_empty() => None,
            _ => Some(live[self.draw.index(live.len())]),
        };
        let Some(id) = chosen else {
            return;
        };
        for direction in 0..2 {
            let under_way = match self.pipes(id) {
                Some(pipes) => pipes[direction].under_way(),
                None => return,
            };
            let keep = match (fault, under_way) {
                (Fault::CutMidFrame, 2..) => self.draw.range(1, under_way as u64 - 1) as usize,
                _ => self.draw.range(0, under_way as u64) as usize,
            };
            let now = self.now;
            if let Some(pipes) = self.pipes(id) {
                pipes[direction].cut(now, keep);
            }
        }
        self.count(fault);
    }

    /// The bank opens a new connection while bytes of the old one are still on their way to the switch.
    fn linger(&mut self) {
        let bank = self.draw.index(self.hosts.len());
        let Some(link) = &self.hosts[bank].link else {
            return;
        };
        if let Some(connection) = self.connections.get_mut(&link.connection) {
            connection.up.delay(self.draw.span(50 * MILLI, 3 * SECOND));
        }
        self.hang_up(bank, false);
        self.hosts[bank].connect_at = self.now + MILLI;
    }

    fn lose_segments(&mut self) {
        let by = self.draw.span(200 * MILLI, 6 * SECOND);
        let banks = self.connections.iter();
        let banks = banks.filter(|(_, connection)| connection.held);
        let cards = self.cards.iter().flat_map(|cards| &cards.connections);
        let cards = cards.filter(|(_, connection)| connection.held);
        let held: Vec<u64> = banks
            .map(|(id, _)| *id)
            .chain(cards.map(|(id, _)| *id))
            .collect();
        let busy = self.busy(&held, 0);
        if let Some([up, down]) = busy.and_then(|id| self.pipes(id)) {
            if up.under_way() > 0 {
                up.delay(by);
            } else {
                down.delay(by);
            }
            self.count(Fault::Loss);
        }
    }

    fn partition(&mut self) {
        let until = self.now + self.draw.span(SECOND, 60 * SECOND);
        let up = self.draw.chance(500);
        let cards = self.cards.iter().flat_map(|cards| cards.connections.keys());
        let all: Vec<u64> = self.connections.keys().chain(cards).copied().collect();
        if all.is_empty() {
            return;
        }
        let id = all[self.draw.index(all.len())];
        if let Some(pipes) = self.pipes(id) {
            pipes[usize::from(!up)].block(until);
            self.count(Fault::OneWayPartition);
        }
    }

    fn kill(&mut self) {
        if self.node.is_some() {
            self.count(Fault::Kill);
            self.process_ends();
            self.machine.journal.kill();
            self.machine.snapshots.kill();
        }
    }

    fn lose_power_now(&mut self) {
        if self.node.is_some() {
            self.count(Fault::PowerLoss);
            self.lose_power();
        }
    }

    fn crash_in_snapshot(&mut self) {
        let operations = self.draw.range(1, 5);
        let Some(node) = &mut self.node else {
            return;
        };
        self.machine.snapshots.power_off_after(operations);
        self.armed = Some(Fault::CrashInSnapshot);
        if let Err(stop) = node.snapshot() {
            self.node_stops(&stop);
        }
    }

    fn damage_snapshot(&mut self) {
        if let Some(Err(stop)) = self.node.as_mut().map(Node::snapshot) {
            self.node_stops(&stop);
        }
        let names = self.machine.snapshots.list().unwrap_or_default();
        let newest = names.iter().filter(|name| name.ends_with(".torap")).max();
        let Some(name) = newest else {
            return;
        };
        let bytes = self
            .machine
            .snapshots
            .contents(name)
            .map_or(0, |bytes| bytes.len());
        let offset = self.draw.index(bytes) as u64;
        let bit = self.draw.index(8) as u8;
        if self.machine.snapshots.flip_bit(name, offset, bit) {
            self.count(Fault::SnapshotDamage);
        }
    }

    /// The machine goes dark: of what was not synced only a part survives.
    pub(crate) fn lose_power(&mut self) {
        self.process_ends();
        self.machine.journal.crash(self.draw.next());
        self.machine.snapshots.crash(self.draw.next());
    }

    /// The process is gone, with its memory and its connections.
    fn process_ends(&mut self) {
        if let Some(node) = self.node.take() {
            self.durable = self.durable.max(node.durable());
        }
        self.crashes += 1;
        self.machine.index.crash();
        self.journal_at = None;
        self.follower_at = None;
        self.tears = false;
        self.restart_at = self.now + self.draw.span(50 * MILLI, 2 * SECOND);
        for connection in self.connections.values_mut() {
            let under_way = connection.down.under_way();
            let keep = self.draw.range(0, under_way as u64) as usize;
            connection.down.cut(self.now, keep);
            connection.gate = None;
        }
        self.connections.retain(|_, connection| connection.held);
        let now = self.now;
        if let Some(cards) = &mut self.cards {
            cards.process_ends(now);
        }
        if let Some(office) = &mut self.office {
            office.process_ends();
        }
    }

    /// A part of the switch failed, so the process stops, as it must.
    pub(crate) fn node_stops(&mut self, stop: &Stop) {
        self.trace
            .note(self.step, self.now, || format!("the switch stops: {stop}"));
        if !stop.is_of_medium() {
            self.fail(format!("the switch stops by itself: {stop}"));
        }
        let armed = self.armed.take();
        let dark = self.machine.journal.is_off() || self.machine.snapshots.is_off();
        if dark {
            self.count(armed.unwrap_or(Fault::PowerLoss));
            self.lose_power();
        } else {
            if let Some(fault) = armed {
                self.count(fault);
            }
            self.process_ends();
            self.machine.journal.kill();
            self.machine.snapshots.kill();
        }
        if self.full_until > 0 {
            self.machine.journal.set_capacity(Some(0));
            self.machine.snapshots.set_capacity(Some(0));
        }
    }

    /// Starts the switch on what the disk holds.
    pub(crate) fn start_node(&mut self) {
        if self.loses_index {
            self.loses_index = false;
            self.machine.index = std::sync::Arc::default();
            self.count(Fault::IndexLoss);
        }
        if self.breaks_recovery {
            let operations = self.draw.range(1, 6);
            self.machine.journal.power_off_after(operations);
        }
        let seed = crate::seed::seed(&self.plan);
        match Node::start(&self.machine, self.wall(), seed) {
            Ok(node) => {
                self.breaks_recovery = false;
                self.trace.note(self.step, self.now, || {
                    format!("the switch starts: {}", node.recovery)
                });
                let last = node.recovery.last_sequence;
                if last < self.durable {
                    let told = self.durable;
                    self.fail(format!(
                        "records up to {told} were reported as durable, but after the restart the log ends at {last}: something \
                         acknowledged was lost"
                    ));
                }
                self.node = Some(node);
                self.journal_at = Some(self.now);
                self.check_running();
            }
            Err(stop) => self.start_failed(&stop),
        }
    }

    fn start_failed(&mut self, stop: &Stop) {
        self.trace.note(self.step, self.now, || {
            format!("the switch does not start: {stop}")
        });
        if !stop.is_of_medium() {
            self.fail(format!("the switch does not start: {stop}"));
            return;
        }
        self.crashes += 1;
        self.machine.index.crash();
        self.restart_at = self.now + self.draw.span(50 * MILLI, SECOND);
        if self.machine.journal.is_off() || self.machine.snapshots.is_off() {
            let fault = if self.breaks_recovery {
                Fault::CrashInRecovery
            } else {
                Fault::PowerLoss
            };
            self.breaks_recovery = false;
            self.count(fault);
            self.machine.journal.crash(self.draw.next());
            self.machine.snapshots.crash(self.draw.next());
        } else {
            self.machine.journal.kill();
            self.machine.snapshots.kill();
        }
    }

    /// The faults are over: everything works again from now on.
    pub(crate) fn heal(&mut self) {
        self.trace
            .note(self.step, self.now, || "everything heals".into());
        self.healing = true;
        self.offset = 0;
        self.slow_net_until = 0;
        self.slow_sync_until = 0;
        self.full_until = 0;
        self.tears = false;
        self.breaks_recovery = false;
        self.machine.journal.set_capacity(None);
        self.machine.snapshots.set_capacity(None);
        self.restart_at = self.restart_at.min(self.now + SECOND);
        for connection in self.connections.values_mut() {
            connection.up.heal();
            connection.down.heal();
        }
        for host in &mut self.hosts {
            host.stuck_until = 0;
            host.pause_ns = 0;
            host.next_turn = self.now;
            host.stays_down = false;
        }
        let (now, wall) = (self.now, self.true_time());
        if let Some(cards) = &mut self.cards {
            cards.heal(now, wall);
        }
    }
}
