//! Random traffic both ways over links that break anywhere: every message arrives exactly once, in order.

use std::collections::VecDeque;

use bytes::BytesMut;
use torap_domain::Sequence;

use super::rig::*;
use crate::session::*;
use crate::wire::*;

/// One entry of a stream. `Skip` travels only from the switch, `Odd` only from the bank (refused there).
#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Body(Vec<u8>),
    Skip,
    Odd,
}

/// What one side keeps across links.
#[derive(Default)]
struct Keeper {
    /// Everything this side ever wants to send; entry n has sequence n + 1.
    outbox: Vec<Entry>,
    /// What it took in and holds safely.
    safe: Vec<Entry>,
    /// What it took in and would lose in a crash.
    volatile: VecDeque<Entry>,
}

impl Keeper {
    fn held(&self) -> Sequence {
        Sequence(self.safe.len() as u64)
    }

    fn take(&mut self, sequence: Sequence, entry: Entry) {
        let expected = self.safe.len() + self.volatile.len() + 1;
        assert_eq!(sequence.0, expected as u64, "exactly once and in order");
        self.volatile.push_back(entry);
    }

    fn save(&mut self, count: usize) {
        let count = count.min(self.volatile.len());
        self.safe.extend(self.volatile.drain(..count));
    }
}

struct Wire {
    client: ClientSession,
    server: ServerSession,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
}

struct World {
    dice: Dice,
    now: u64,
    bank: Keeper,
    switch: Keeper,
    wire: Option<Wire>,
    links: u32,
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice(seed);
        let mut entries = |odd: Entry| -> Vec<Entry> {
            (0..80)
                .map(|_| match dice.below(12) {
                    0 => odd.clone(),
                    1 => {
                        let size = 40_000 + dice.below(120_000) as usize;
                        Entry::Body(dice.bytes(size))
                    }
                    _ => {
                        let size = dice.below(400) as usize;
                        Entry::Body(dice.bytes(size))
                    }
                })
                .collect()
        };
        let bank = Keeper {
            outbox: entries(Entry::Odd),
            ..Keeper::default()
        };
        let switch = Keeper {
            outbox: entries(Entry::Skip),
            ..Keeper::default()
        };
        World {
            dice,
            now: 0,
            bank,
            switch,
            wire: None,
            links: 0,
        }
    }

    fn done(&self) -> bool {
        self.bank.safe.len() == self.switch.outbox.len()
            && self.switch.safe.len() == self.bank.outbox.len()
    }

    fn connect(&mut self) {
        let window = Window {
            messages: 1 + self.dice.below(20) as u32,
            bytes: 200_000,
        };
        let config = ClientConfig {
            held: self.bank.held(),
            acknowledge_every: 1 + self.dice.below(5) as u32,
            window,
            ..client_config()
        };
        let (mine, theirs) = (
            Nonce([self.links as u8; 32]),
            Nonce([!self.links as u8; 32]),
        );
        self.wire = Some(Wire {
            client: ClientSession::new(config, mine, b"", self.now),
            server: ServerSession::new(server_config(), theirs, b"", self.now),
            to_server: Vec::new(),
            to_client: Vec::new(),
        });
        self.links += 1;
    }

    /// The link breaks with bytes under way; either side may crash as well.
    fn cut(&mut self) {
        let Some(mut wire) = self.wire.take() else {
            return;
        };
        wire.client.handle_end(self.now);
        wire.server.handle_end(self.now);
        while let Some(event) = wire.client.poll_event() {
            note_client(&mut self.bank, event);
        }
        while let Some(event) = wire.server.poll_event() {
            note_server(&mut self.switch, &self.bank, event);
        }
        for keeper in [&mut self.bank, &mut self.switch] {
            if self.dice.one_in(2) {
                keeper.volatile.clear();
            }
            keeper.save(usize::MAX);
        }
    }

    fn step(&mut self) {
        self.now += self.dice.below(40_000_000);
        if self.wire.is_none() {
            self.connect();
        }
        let action = self.dice.below(100);
        let count = 1 + self.dice.below(4) as usize;
        let World {
            dice,
            now,
            bank,
            switch,
            wire,
            ..
        } = self;
        let Some(wire) = wire else { return };
        match action {
            0 if dice.one_in(4) => return self.cut(),
            0..20 => send_from_bank(wire, bank, count),
            20..40 => send_from_switch(wire, switch, count),
            40..55 => move_bytes_to_server(wire, switch, bank, dice, *now),
            55..70 => move_bytes_to_client(wire, bank, dice, *now),
            70..80 => {
                bank.save(count);
                wire.client.confirm(bank.held());
            }
            80..90 => {
                switch.save(count);
                wire.server.acknowledge(switch.held());
            }
            90..95 => {
                wire.client.handle_timeout(*now);
                wire.server.handle_timeout(*now);
            }
            _ => {
                if dice.one_in(2) {
                    wire.server.pause();
                } else {
                    wire.server.resume();
                }
            }
        }
        collect(wire, bank, switch, *now);
        assert!(
            !wire.client.is_closed() && !wire.server.is_closed(),
            "neither side finds fault"
        );
    }
}

fn send_from_bank(wire: &mut Wire, bank: &Keeper, count: usize) {
    for _ in 0..count {
        let Some(wants) = wire.client.wants() else {
            return;
        };
        let Some(entry) = bank.outbox.get(wants.next.0 as usize - 1) else {
            return;
        };
        let message = match entry {
            Entry::Body(body) => Outgoing::new(ContentType::Iso20022Xml, body),
            Entry::Odd | Entry::Skip => Outgoing::new(ContentType::Unknown(77), b"odd"),
        };
        match wire.client.send(wants.next, &message) {
            Ok(()) => {}
            Err(SendError::WindowFull) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

fn send_from_switch(wire: &mut Wire, switch: &Keeper, count: usize) {
    for _ in 0..count {
        let Some(wants) = wire.server.wants() else {
            return;
        };
        let sent = match switch.outbox.get(wants.next.0 as usize - 1) {
            Some(Entry::Body(body)) => wire
                .server
                .send(wants.next, &Outgoing::new(ContentType::Iso20022Xml, body)),
            Some(_) => wire.server.skip(wants.next),
            None => return,
        };
        match sent {
            Ok(()) => {}
            Err(SendError::WindowFull) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

fn move_bytes_to_server(
    wire: &mut Wire,
    switch: &mut Keeper,
    bank: &Keeper,
    dice: &mut Dice,
    now: u64,
) {
    let length = (dice.below(60_000) as usize).min(wire.to_server.len());
    let taken = wire.server.handle_bytes(&wire.to_server[..length], now);
    wire.to_server.drain(..taken);
    while let Some(event) = wire.server.poll_event() {
        match event {
            ServerEvent::SecretWanted { .. } => wire.server.provide_secret(credentials()),
            ServerEvent::Authenticated { .. } => {
                let outbound_last = Sequence(switch.outbox.len() as u64);
                wire.server.admit(Admission {
                    inbound_held: switch.held(),
                    outbound_last,
                });
            }
            other => note_server(switch, bank, other),
        }
    }
}

fn move_bytes_to_client(wire: &mut Wire, bank: &mut Keeper, dice: &mut Dice, now: u64) {
    let length = (dice.below(60_000) as usize).min(wire.to_client.len());
    let taken = wire.client.handle_bytes(&wire.to_client[..length], now);
    wire.to_client.drain(..taken);
    while let Some(event) = wire.client.poll_event() {
        note_client(bank, event);
    }
}

/// Moves output to the pipes and lets paused or acknowledged sessions go on with what they have read.
fn collect(wire: &mut Wire, bank: &mut Keeper, switch: &mut Keeper, now: u64) {
    while let Some(event) = wire.client.poll_event() {
        note_client(bank, event);
    }
    while let Some(event) = wire.server.poll_event() {
        match event {
            ServerEvent::SecretWanted { .. } => wire.server.provide_secret(credentials()),
            ServerEvent::Authenticated { .. } => {
                let outbound_last = Sequence(switch.outbox.len() as u64);
                wire.server.admit(Admission {
                    inbound_held: switch.held(),
                    outbound_last,
                });
            }
            other => note_server(switch, bank, other),
        }
    }
    let mut out = BytesMut::new();
    if wire.client.poll_output(&mut out, now) {
        wire.to_server.extend_from_slice(&out.split());
    }
    if wire.server.poll_output(&mut out, now) {
        wire.to_client.extend_from_slice(&out.split());
    }
}

fn note_client(bank: &mut Keeper, event: ClientEvent) {
    match event {
        ClientEvent::Message(message) => {
            bank.take(message.sequence, Entry::Body(message.body.to_vec()))
        }
        ClientEvent::Skipped { sequence } => bank.take(sequence, Entry::Skip),
        ClientEvent::SignedOn { .. }
        | ClientEvent::Acknowledged { .. }
        | ClientEvent::PeerError(_)
        | ClientEvent::Closed(CloseReason::LinkLost) => {}
        other => panic!("{other:?}"),
    }
}

fn note_server(switch: &mut Keeper, bank: &Keeper, event: ServerEvent) {
    match event {
        ServerEvent::Message(message) => {
            switch.take(message.sequence, Entry::Body(message.body.to_vec()))
        }
        ServerEvent::Refused { sequence, .. } => {
            assert_eq!(bank.outbox[sequence.0 as usize - 1], Entry::Odd);
            switch.take(sequence, Entry::Odd);
        }
        ServerEvent::SecretWanted { .. }
        | ServerEvent::Authenticated { .. }
        | ServerEvent::Acknowledged { .. }
        | ServerEvent::Closed(CloseReason::LinkLost) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_message_arrives_exactly_once_over_links_that_break() {
    let mut links = 0;
    for seed in 0..40 {
        eprintln!("seed {seed}");
        let mut world = World::new(seed);
        let mut steps = 0;
        while !world.done() {
            world.step();
            steps += 1;
            assert!(steps < 200_000, "seed {seed} comes to no end");
        }
        assert!(
            world.bank.safe == world.switch.outbox,
            "seed {seed}: the bank holds the switch's stream"
        );
        assert!(
            world.switch.safe == world.bank.outbox,
            "seed {seed}: the switch holds the bank's stream"
        );
        links += world.links;
    }
    assert!(links > 80, "links did break");
}
