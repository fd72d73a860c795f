//! A link of the switch and, opposite, a host that is nothing but a stream and a codec.

use torap_domain::Time;
use torap_domain::card::InstitutionId;
use torap_iso8583::{Dialect, Message, Mti, Writer};

use crate::card::framing::{Framing, LengthHeader, Tpdu};
use crate::card::link::{CardLink, CloseReason, LinkConfig, LinkEvent};
use crate::card::transport::{Framed, Transport, TransportConfig};

pub(super) const SECOND: u64 = 1_000_000_000;
/// 21 November 2026, 13:04:05 UTC.
pub(super) const WALL: &str = "2026-11-21T13:04:05Z";
pub(super) const HOST: Tpdu = Tpdu([0x60, 0x00, 0x01, 0x00, 0x09]);

pub(super) struct Rig {
    pub(super) link: CardLink,
    pub(super) host: Transport,
    pub(super) now: u64,
    wall: Time,
    events: Vec<LinkEvent>,
}

/// Fields of a message, in ascending order.
pub(super) type Fields<'f> = &'f [(u8, &'f str)];

pub(super) fn written(mti: u16, fields: Fields<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mti = Mti::new(mti).unwrap();
    let mut writer = Writer::start(Dialect::national(), mti, &mut bytes);
    for (number, value) in fields {
        writer.field(*number, value.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

/// A message as text: its type and its fields.
pub(super) fn shown(bytes: &[u8]) -> String {
    let message = Message::parse(Dialect::national(), bytes).unwrap();
    let mut text = message.mti().to_string();
    for field in message.fields().iter() {
        let value = message.get(field).unwrap();
        text.push_str(&format!(" {field}={}", value.escape_ascii()));
    }
    text
}

pub(super) fn network(mti: u16, stan: &str, purpose: &str) -> Vec<u8> {
    let trace = [(7, "1121130405"), (11, stan), (33, "601"), (70, purpose)];
    match mti {
        810 => {
            let [a, b, c, d] = trace;
            written(mti, &[a, b, c, (39, "00"), d])
        }
        _ => written(mti, &trace),
    }
}

impl Rig {
    pub(super) fn new() -> Rig {
        let framing = Framing {
            header: LengthHeader::Ascii4,
            tpdu: true,
        };
        let transport = TransportConfig {
            framing,
            keep_alive_ns: None,
        };
        let switch = InstitutionId::parse("900").unwrap();
        let wall = Time::parse(WALL).unwrap();
        let config = LinkConfig::new(transport, Dialect::national(), switch);
        Rig {
            link: CardLink::new(config, 0, wall),
            host: Transport::new(transport, 0),
            now: 0,
            wall,
            events: Vec::new(),
        }
    }

    /// A rig whose participant has signed on.
    pub(super) fn open() -> Rig {
        let mut rig = Rig::new();
        rig.host_sends(&network(800, "000001", "001"));
        let Some(LinkEvent::SignOn { .. }) = rig.event() else {
            panic!("the sign-on did not arrive");
        };
        rig.link.open();
        rig
    }

    pub(super) fn host_sends(&mut self, message: &[u8]) {
        assert!(self.host.send(Some(HOST.swapped()), message));
        let mut bytes = Vec::new();
        self.host.poll_output(&mut bytes, self.now);
        assert_eq!(self.link.handle_bytes(&bytes, self.now), bytes.len());
        self.turn();
    }

    /// What the host gets now, as text, with the TPDU checked.
    pub(super) fn host_gets(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        self.link.poll_output(&mut bytes, self.now);
        assert_eq!(self.host.handle_bytes(&bytes, self.now), bytes.len());
        let mut messages = Vec::new();
        while let Some(framed) = self.host.next_message() {
            let Framed { tpdu, message } = framed.unwrap();
            assert_eq!(tpdu, Some(HOST.swapped()));
            messages.push(shown(&message));
        }
        messages
    }

    pub(super) fn after(&mut self, time: u64) {
        self.now += time;
        self.link.handle_timeout(self.now, self.wall);
        self.turn();
    }

    fn turn(&mut self) {
        while let Some(event) = self.link.poll_event() {
            self.events.push(event);
        }
    }

    pub(super) fn event(&mut self) -> Option<LinkEvent> {
        self.turn();
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }

    pub(super) fn message(&mut self) -> String {
        match self.event() {
            Some(LinkEvent::Message(framed)) => shown(&framed.message),
            other => panic!("no message but {other:?}"),
        }
    }

    pub(super) fn closed(&mut self) -> CloseReason {
        match self.event() {
            Some(LinkEvent::Closed(reason)) => reason,
            other => panic!("not closed but {other:?}"),
        }
    }
}
