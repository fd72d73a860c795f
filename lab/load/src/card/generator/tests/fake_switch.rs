//! A switch in memory for the tests and the bench of the card generator: real frames and messages, no journal, no money. All members
//! share one set of keys, so PIN blocks need no translation.

use std::collections::HashMap;
use std::time::Duration;

use bytes::BytesMut;
use torap_gateway::card::framing::Framing;
use torap_gateway::card::transport::{Transport, TransportConfig};
use torap_hsm::MacMethod;
use torap_hsm_sim::ceremony::{KeyKinds, make_keys};
use torap_hsm_sim::key_file::BankKeyFile;
use torap_hsm_sim::machine::Machine;
use torap_hsm_sim::soft::{BankKeys, SoftVault};
use torap_iso8583::{Change, Dialect, Edit, FieldSet, Message, Mti};

use crate::card::{CardMember, CardPlan};
use crate::serving::Answering;

/// What the switch does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Forwards it and hands on the answer.
    Approve,
    /// Refuses it without forwarding.
    Decline(&'static [u8; 2]),
    /// Hands on the answer twice.
    Twice,
    /// Asks the issuer twice.
    AskTwice,
    /// Approves without asking.
    Unasked,
    /// Hands on another amount.
    OtherAmount,
    /// Asks an issuer that is none of this card's.
    WrongIssuer,
    /// Says nothing.
    Silent,
    /// Reverses at the issuer after it has answered, too.
    Reverse,
    /// Leaves a field out.
    LeaveOut(u8),
}

/// The switch; connections are told apart by who signed on.
pub(crate) struct FakeCardSwitch {
    framing: Framing,
    institutions: Vec<String>,
    prefixes: Vec<String>,
    connections: Vec<Connection>,
    keys: Option<BankKeys>,
    behave: Box<dyn FnMut(u64) -> Behaviour + Send>,
    requests: u64,
    /// By the switch's trace: acquirer's connection, DE11, behaviour.
    asked: HashMap<Vec<u8>, (usize, Vec<u8>, Behaviour)>,
    stan: u32,
    pub(crate) acknowledged: u64,
    body: Vec<u8>,
}

struct Connection {
    transport: Transport,
    member: Option<usize>,
    is_closed: bool,
}

/// Keys for everybody, always the same.
pub(crate) fn key_file() -> BankKeyFile {
    let vault = SoftVault::with_master(&[7; 32], [1; 32]).unwrap();
    let mut machine = Machine::new(vault).unwrap();
    make_keys(&mut machine, "ALL", KeyKinds::default())
        .unwrap()
        .1
}

/// A plan for so many members; PINs in 30 of 100, no MACs.
pub(crate) fn plan(members: u32, rate: u32, duration: Duration) -> CardPlan {
    let keys = key_file();
    let member = |place: u32| CardMember {
        code: format!("BNK{place:02}"),
        institution: format!("{}", 900 + place),
        prefix: format!("9398{}0", 900 + place),
        door: ([127, 0, 0, 1], 1).into(),
        keys: Some(keys.clone()),
        key_set: 1,
    };
    CardPlan::new((0..members).map(member).collect(), rate, duration)
}

impl FakeCardSwitch {
    pub(crate) fn new(
        plan: &CardPlan,
        behave: impl FnMut(u64) -> Behaviour + Send + 'static,
    ) -> FakeCardSwitch {
        let keys = plan
            .mac
            .then(|| BankKeys::open(&key_file(), [9; 32]).unwrap());
        let members = plan.members.iter();
        FakeCardSwitch {
            framing: plan.framing,
            institutions: members
                .clone()
                .map(|member| member.institution.clone())
                .collect(),
            prefixes: members.map(|member| member.prefix.clone()).collect(),
            connections: Vec::new(),
            keys,
            behave: Box::new(behave),
            requests: 0,
            asked: HashMap::new(),
            stan: 0,
            acknowledged: 0,
            body: Vec::new(),
        }
    }

    fn receive(&mut self, connection: usize, bytes: &[u8]) {
        let message = Message::parse(Dialect::national(), bytes).unwrap();
        if let Some(keys) = &self.keys {
            let (covered, mac) = message.before_mac().unwrap();
            let mac = torap_hsm::Mac::from_bytes(mac).unwrap();
            assert!(keys.verify_mac(MacMethod::AesCmac, covered, &mac));
        }
        match message.mti().number() {
            800 => self.network(connection, &message),
            200 => self.request(connection, &message),
            210 => self.answer(&message),
            _ => self.acknowledged += 1,
        }
    }

    fn network(&mut self, connection: usize, message: &Message<'_>) {
        let institution = String::from_utf8(message.get(33).unwrap().to_vec()).unwrap();
        let member = self
            .institutions
            .iter()
            .position(|known| *known == institution);
        let code: &[u8] = if member.is_some() { b"00" } else { b"58" };
        self.connections[connection].member = member;
        let edits = [Edit::Set(39, code)];
        self.send(connection, message, 810, FieldSet::ALL, &edits);
        self.connections[connection].is_closed = message.get(70) == Some(b"002");
    }

    fn request(&mut self, connection: usize, message: &Message<'_>) {
        self.requests += 1;
        let behaviour = (self.behave)(self.requests - 1);
        let echoed = FieldSet::of(&[3, 4, 7, 11, 32, 37, 41, 49, 53, 61, 64]);
        match behaviour {
            Behaviour::Silent => return,
            Behaviour::Decline(code) => {
                let edits = [Edit::Set(39, code)];
                return self.send(connection, message, 210, echoed, &edits);
            }
            Behaviour::Unasked => {
                let number = message.get(37).unwrap();
                let edits = [Edit::Set(38, &number[6..]), Edit::Set(39, b"00")];
                return self.send(connection, message, 210, echoed, &edits);
            }
            _ => {}
        }
        let pan = message.get(2).unwrap();
        let issuer = self
            .prefixes
            .iter()
            .position(|prefix| pan.starts_with(prefix.as_bytes()))
            .unwrap();
        let issuer = match behaviour {
            Behaviour::WrongIssuer => (issuer + 1) % self.prefixes.len(),
            _ => issuer,
        };
        let mut to = self.connections.iter();
        let to = to
            .position(|known| known.member == Some(issuer) && !known.is_closed)
            .unwrap();
        self.stan = self.stan % 999_999 + 1;
        let stan = format!("{:06}", self.stan).into_bytes();
        let own = message.get(11).unwrap().to_vec();
        self.asked
            .insert(stan.clone(), (connection, own, behaviour));
        let mut edits = vec![
            Edit::Set(11, &stan),
            Edit::Set(15, b"1121"),
            Edit::Set(63, b"0020102026112101"),
        ];
        if let Behaviour::LeaveOut(field) = behaviour {
            edits.retain(|edit| edit.field() < field);
            edits.push(Edit::Remove(field));
        }
        self.send(to, message, 200, FieldSet::ALL, &edits);
        if behaviour == Behaviour::AskTwice {
            self.send(to, message, 200, FieldSet::ALL, &edits);
        }
        if behaviour == Behaviour::Reverse {
            let about = format!("0200{:06}{:010}{:011}{:011}", self.stan, 0, 0, 0);
            let edits = [
                Edit::Set(11, b"999999"),
                Edit::Set(15, b"1121"),
                Edit::Set(63, b"0020102026112101"),
                Edit::Set(90, about.as_bytes()),
            ];
            let kept = FieldSet::of(&[2, 3, 4, 7, 12, 13, 24, 32, 37, 41, 42, 49, 53]);
            self.send(to, message, 420, kept, &edits);
        }
    }

    fn answer(&mut self, message: &Message<'_>) {
        let stan = message.get(11).unwrap();
        let Some((to, own, behaviour)) = self.asked.remove(stan) else {
            return;
        };
        let other = b"000000000001";
        let mut edits = vec![Edit::Set(11, &own)];
        if behaviour == Behaviour::OtherAmount {
            edits.insert(0, Edit::Set(4, other));
        }
        self.send(to, message, 210, FieldSet::ALL, &edits);
        if behaviour == Behaviour::Twice {
            self.send(to, message, 210, FieldSet::ALL, &edits);
        }
    }

    /// Splices, and makes the MAC anew.
    fn send(
        &mut self,
        to: usize,
        message: &Message<'_>,
        mti: u16,
        keep: FieldSet,
        edits: &[Edit<'_>],
    ) {
        let change = Change {
            mti: Mti::new(mti),
            keep,
            edits,
        };
        self.body.clear();
        message.splice(&mut self.body, &change).unwrap();
        if let Some(keys) = &self.keys {
            let has_mac = Message::parse(Dialect::national(), &self.body)
                .unwrap()
                .before_mac()
                .is_some();
            if has_mac {
                let end = self.body.len() - 8;
                let mac = keys.mac(MacMethod::AesCmac, &self.body[..end]).unwrap();
                self.body[end..].copy_from_slice(&mac.first_8());
            }
        }
        self.connections[to].transport.send(None, &self.body);
    }
}

impl Answering for FakeCardSwitch {
    fn accept(&mut self, now: u64) -> usize {
        self.connections.push(Connection {
            transport: Transport::new(TransportConfig::new(self.framing), now),
            member: None,
            is_closed: false,
        });
        self.connections.len() - 1
    }

    fn handle_bytes(&mut self, connection: usize, bytes: &[u8], now: u64) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let transport = &mut self.connections[connection].transport;
            let taken = transport.handle_bytes(rest, now);
            rest = &rest[taken..];
            while let Some(next) = self.connections[connection].transport.next_message() {
                match next {
                    Ok(framed) => self.receive(connection, &framed.message),
                    Err(_) => {
                        self.connections[connection].is_closed = true;
                        return;
                    }
                }
            }
        }
    }

    fn handle_end(&mut self, connection: usize, _now: u64) {
        self.connections[connection].is_closed = true;
    }

    fn handle_timeout(&mut self, connection: usize, now: u64) {
        self.connections[connection].transport.handle_timeout(now);
    }

    fn poll_output(&mut self, connection: usize, out: &mut BytesMut, now: u64) {
        let mut bytes = Vec::new();
        let transport = &mut self.connections[connection].transport;
        if transport.poll_output(&mut bytes, now) {
            out.extend_from_slice(&bytes);
        }
    }

    fn is_closed(&self, connection: usize) -> bool {
        self.connections[connection].is_closed
    }
}
