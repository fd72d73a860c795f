//! A link whose host speaks another dialect: sign-on, echo, and what the link says by itself.

use torap_domain::Time;
use torap_domain::card::{InstitutionId, ResponseCode};
use torap_iso8583::{Dialect, Message, Mti};

use super::samples::{Values, values, written};
use crate::card::fixtures::fields;
use crate::card::framing::{Framing, LengthHeader};
use crate::card::limits::ECHO_IDLE_NS;
use crate::card::link::{CardLink, CloseReason, LinkConfig, LinkEvent};
use crate::card::transport::{Transport, TransportConfig};

struct Rig {
    dialect: &'static Dialect,
    link: CardLink,
    host: Transport,
}

impl Rig {
    fn new(dialect: &'static Dialect) -> Rig {
        let transport = TransportConfig {
            framing: Framing {
                header: LengthHeader::Binary2,
                tpdu: false,
            },
            keep_alive_ns: None,
        };
        let switch = InstitutionId::parse("900").unwrap();
        let wall = Time::parse("2026-11-21T13:04:05Z").unwrap();
        Rig {
            dialect,
            link: CardLink::new(LinkConfig::new(transport, dialect, switch), 0, wall),
            host: Transport::new(transport, 0),
        }
    }

    fn host_sends(&mut self, mti: u16, list: &[(u8, &str)]) {
        let list: Values = fields(list).into_iter().collect();
        self.host_sends_bytes(&written(self.dialect, Mti::new(mti).unwrap(), &list));
    }

    fn host_sends_bytes(&mut self, message: &[u8]) {
        assert!(self.host.send(None, message));
        let mut bytes = Vec::new();
        self.host.poll_output(&mut bytes, 0);
        assert_eq!(self.link.handle_bytes(&bytes, 0), bytes.len());
    }

    fn host_gets(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        self.link.poll_output(&mut bytes, 0);
        assert_eq!(self.host.handle_bytes(&bytes, 0), bytes.len());
        let mut messages = Vec::new();
        while let Some(framed) = self.host.next_message() {
            let framed = framed.unwrap();
            let message = Message::parse(self.dialect, &framed.message).unwrap();
            let mut text = message.mti().to_string();
            for (field, value) in values(&message) {
                text.push_str(&format!(" {field}={}", value.escape_ascii()));
            }
            messages.push(text);
        }
        messages
    }
}

#[test]
fn a_host_of_1993_signs_on_is_asked_for_an_echo_and_is_answered() {
    let mut rig = Rig::new(Dialect::iso93_bcd());
    let sign_on = [
        (7, "1121130405"),
        (11, "000001"),
        (12, "261121180405"),
        (24, "801"),
        (33, "601"),
    ];
    rig.host_sends(1804, &sign_on);
    let Some(LinkEvent::SignOn { institution, .. }) = rig.link.poll_event() else {
        panic!("the sign-on did not arrive");
    };
    assert_eq!(institution, InstitutionId::parse("601").unwrap());
    rig.link.open();
    rig.host_sends(
        1804,
        &[
            (7, "1121130406"),
            (11, "000002"),
            (12, "261121180406"),
            (24, "831"),
            (33, "601"),
        ],
    );
    assert!(rig.link.poll_event().is_none());
    assert_eq!(
        rig.host_gets(),
        ["1814 7=1121130406 11=000002 12=261121180406 24=831 33=601 39=800"]
    );
    let wall = Time::parse("2026-11-21T13:04:35Z").unwrap();
    rig.link.handle_timeout(ECHO_IDLE_NS, wall);
    assert_eq!(
        rig.host_gets(),
        ["1804 7=1121130435 11=000000 12=261121130435 24=831 33=900"]
    );
    rig.host_sends(
        1814,
        &[
            (7, "1121130435"),
            (11, "000000"),
            (12, "261121130435"),
            (24, "831"),
            (39, "800"),
        ],
    );
    assert!(rig.link.poll_event().is_none());
    rig.host_sends_bytes(b"\x12\x00 this is none");
    let Some(LinkEvent::Message(framed)) = rig.link.poll_event() else {
        panic!("no message");
    };
    let refusal = Message::parse(rig.dialect, &framed.message).unwrap_err();
    rig.link.unreadable(&framed, &refusal);
    let [said] = rig.host_gets().try_into().unwrap();
    assert!(
        said.starts_with("1624 7=1121130435 11=000000 12=261121130435 24=610 33=900 44="),
        "{said}"
    );
}

#[test]
fn whoever_is_turned_away_is_told_in_his_own_dialect() {
    for (name, question, expected) in [
        (
            "iso93-bcd",
            (
                1804,
                [
                    (7, "1121130405"),
                    (11, "000001"),
                    (12, "261121180405"),
                    (24, "801"),
                    (33, "601"),
                ],
            ),
            "1814 7=1121130405 11=000001 12=261121180405 24=801 33=601 39=120",
        ),
        (
            "iso87-ascii",
            (
                800,
                [
                    (7, "1121130405"),
                    (11, "000001"),
                    (12, "180405"),
                    (33, "601"),
                    (70, "001"),
                ],
            ),
            "0810 7=1121130405 11=000001 12=180405 33=601 39=58 70=001",
        ),
    ] {
        let mut rig = Rig::new(Dialect::built_in(name).unwrap());
        rig.host_sends(question.0, &question.1);
        let Some(LinkEvent::SignOn { framed, .. }) = rig.link.poll_event() else {
            panic!("the sign-on did not arrive");
        };
        let code = ResponseCode::parse(b"58").unwrap();
        rig.link.refuse(&framed, code);
        let closed = rig.link.poll_event();
        assert!(matches!(
            closed,
            Some(LinkEvent::Closed(CloseReason::SignOnRefused(_)))
        ));
        assert_eq!(rig.host_gets(), [expected]);
    }
}
