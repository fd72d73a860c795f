//! A bank's host: the simulated participant, its real session, its clock, and how fast it works.

use bytes::BytesMut;
use torap_bank::{Bank, Config, LinkOrder};
use torap_domain::{BankCode, Bic, Sequence};
use torap_gateway::{
    session::{ClientConfig, ClientEvent, ClientSession, Outgoing, Secret},
    wire::{Mode, Name},
};

use crate::{gate::nonce_of, office::Heard};

/// Who the banks of a simulation are, in the order they join.
pub(crate) const BANKS: [(&str, &str, u16); 8] = [
    ("CASP", "CASPKZKA", 722),
    ("HSBK", "HSBKKZKX", 601),
    ("IRTY", "IRTYKZKA", 965),
    ("TSES", "TSESKZKA", 998),
    ("ATYN", "ATYNKZKA", 949),
    ("KCJB", "KCJBKZKX", 856),
    ("EURI", "EURIKZKA", 948),
    ("NURS", "NURSKZKX", 849),
];

/// A message as the bank received it, kept to be compared with the log at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Hash of content type and body.
    pub(crate) hash: u64,
    pub(crate) possible_duplicate: bool,
}

pub(crate) struct Host {
    pub(crate) bank: Bank,
    pub(crate) code: &'static str,
    pub(crate) bic: Bic,
    pub(crate) bank_code: BankCode,
    /// Last of the switch's sequences that the bank holds.
    pub(crate) held: Sequence,
    /// What was received at each sequence; none for one that was skipped.
    pub(crate) received: Vec<Option<Received>>,
    /// Last of its own sequences that the switch acknowledged.
    pub(crate) acknowledged: Sequence,
    /// Highest of its own sequences ever given to a link.
    sent_upto: Sequence,
    pub(crate) link: Option<HostLink>,
    pub(crate) stays_down: bool,
    pub(crate) connect_at: u64,
    /// It does nothing before this time.
    pub(crate) stuck_until: u64,
    /// Between two turns, for a slow bank.
    pub(crate) pause_ns: u64,
    pub(crate) next_turn: u64,
    /// What it was told of its own messages to IMTS and the clearing system.
    pub(crate) heard: Heard,
}

/// Its side of a connection.
pub(crate) struct HostLink {
    pub(crate) connection: u64,
    session: ClientSession,
    pub(crate) output: BytesMut,
    pub(crate) is_open: bool,
    pub(crate) closed: bool,
}

/// What a turn of the host tells the rest of the simulation.
#[derive(Debug, Default)]
pub(crate) struct HostTold {
    /// Messages of its own that it sent again.
    pub(crate) resent: u64,
    /// The link is to be cut.
    pub(crate) cuts: bool,
    pub(crate) violation: Option<String>,
}

/// The secret of a participant, on both sides.
pub(crate) fn secret_of(code: &str) -> Secret {
    Secret::new(*blake3::hash(code.as_bytes()).as_bytes())
}

impl Host {
    pub(crate) fn new(number: usize, seed: u64, switch_bic: Bic) -> Host {
        let (code, bic, bank_code) = BANKS[number];
        let bic = Bic::parse(bic).unwrap_or_else(|error| unreachable!("{bic}: {error}"));
        let bank_code = BankCode::parse(&format!("{bank_code:03}"))
            .unwrap_or_else(|error| unreachable!("{bank_code}: {error}"));
        Host {
            bank: Bank::new(Config {
                code: code.into(),
                bic,
                bank_code,
                switch_bic,
                seed: seed & 0xffff_ffff,
            }),
            code,
            bic,
            bank_code,
            held: Sequence::ZERO,
            received: Vec::new(),
            acknowledged: Sequence::ZERO,
            sent_upto: Sequence::ZERO,
            link: None,
            stays_down: false,
            connect_at: 0,
            stuck_until: 0,
            pause_ns: 0,
            next_turn: 0,
            heard: Heard::default(),
        }
    }

    pub(crate) fn connect(&mut self, connection: u64, nonce: u64, now: u64) {
        let name =
            Name::parse(self.code).unwrap_or_else(|| unreachable!("{} is a name", self.code));
        let secret = secret_of(self.code);
        let mut config = ClientConfig::new(name, Mode::Test, vec![self.bic], secret);
        config.held = self.held;
        self.link = Some(HostLink {
            connection,
            session: ClientSession::new(config, nonce_of(nonce), &[], now),
            output: BytesMut::new(),
            is_open: false,
            closed: false,
        });
    }

    /// Whether it takes bytes from the network now.
    pub(crate) fn reads(&mut self, now: u64) -> bool {
        now >= self.stuck_until
            && self
                .link
                .as_mut()
                .is_some_and(|link| link.session.wants_input())
    }

    pub(crate) fn take_bytes(&mut self, bytes: &[u8], now: u64) {
        if let Some(link) = &mut self.link {
            link.session.input().extend_from_slice(bytes);
            link.session.handle_input(now);
        }
    }

    pub(crate) fn take_end(&mut self, now: u64) {
        if let Some(link) = &mut self.link {
            link.session.handle_end(now);
        }
    }

    /// When it wants a turn by itself.
    pub(crate) fn next_at(&mut self, wall: u64, now: u64) -> Option<u64> {
        let session = self
            .link
            .as_mut()
            .and_then(|link| link.session.poll_timeout());
        let bank = self
            .bank
            .poll_timeout()
            .map(|at| now + at.saturating_sub(wall));
        let next = [session, bank].into_iter().flatten().min()?;
        Some(next.max(self.stuck_until).max(self.next_turn))
    }

    pub(crate) fn is_signed_on(&self) -> bool {
        self.link
            .as_ref()
            .is_some_and(|link| link.is_open && !link.closed)
    }

    /// Everything the bank can do now.
    pub(crate) fn work(&mut self, now: u64, wall: u64) -> HostTold {
        let mut told = HostTold::default();
        if now < self.stuck_until || now < self.next_turn {
            return told;
        }
        self.next_turn = now + self.pause_ns;
        self.bank.handle_timeout(wall);
        let Some(mut link) = self.link.take() else {
            self.follow_orders(&mut told);
            return told;
        };
        if link.session.poll_timeout().is_some_and(|at| at <= now) {
            link.session.handle_timeout(now);
        }
        while let Some(event) = link.session.poll_event() {
            self.handle(&mut link, event, wall, &mut told);
        }
        link.session.confirm(self.held);
        self.follow_orders(&mut told);
        link.closed |= told.cuts;
        while let Some(wants) = link.session.wants() {
            let Some(letter) = self.bank.next_to_send(wants.next) else {
                break;
            };
            let outgoing = Outgoing::new(letter.content_type, &letter.body);
            if link.session.send(wants.next, &outgoing).is_err() {
                break;
            }
            if wants.next <= self.sent_upto {
                told.resent += 1;
            } else {
                self.sent_upto = wants.next;
            }
        }
        link.session.poll_output(&mut link.output, now);
        self.link = Some(link);
        told
    }

    fn handle(&mut self, link: &mut HostLink, event: ClientEvent, wall: u64, told: &mut HostTold) {
        match event {
            ClientEvent::SignedOn { held_by_switch, .. } => {
                link.is_open = true;
                if held_by_switch < self.acknowledged {
                    told.violation = Some(format!(
                        "{}: the switch acknowledged its message {}, and now holds only {}: something acknowledged was lost",
                        self.code,
                        self.acknowledged.value(),
                        held_by_switch.value()
                    ));
                }
                self.acknowledged = self.acknowledged.max(held_by_switch);
                self.bank.signed_on(held_by_switch);
            }
            ClientEvent::Message(message) => {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&[u8::from(
                    message.content_type == torap_gateway::wire::ContentType::AnswerJson,
                )]);
                hasher.update(&message.body);
                self.note(
                    message.sequence,
                    Some(Received {
                        hash: first_64(&hasher),
                        possible_duplicate: message.possible_duplicate,
                    }),
                );
                self.heard.take(&message.body);
                self.bank.receive(
                    message.content_type,
                    &message.body,
                    message.possible_duplicate,
                    wall,
                );
            }
            ClientEvent::Skipped { sequence } => {
                self.bank.skipped();
                self.note(sequence, None);
            }
            ClientEvent::Refused { sequence, code } => {
                told.violation = Some(format!(
                    "{}: message {} of the switch could not be taken: {code:?}",
                    self.code,
                    sequence.value()
                ));
                self.note(sequence, None);
            }
            ClientEvent::Acknowledged { upto } => {
                self.acknowledged = self.acknowledged.max(upto);
                self.bank.acknowledged(upto);
            }
            ClientEvent::PeerError(_) => {}
            ClientEvent::Closed(_) => link.closed = true,
        }
    }

    fn note(&mut self, sequence: Sequence, received: Option<Received>) {
        self.held = sequence;
        self.received.push(received);
    }

    fn follow_orders(&mut self, told: &mut HostTold) {
        while let Some(order) = self.bank.poll_link_order() {
            self.stays_down = order == LinkOrder::Down;
            told.cuts |= matches!(order, LinkOrder::Down | LinkOrder::Reconnect);
        }
    }
}

/// The first 64 bits of a hash.
pub(crate) fn first_64(hasher: &blake3::Hasher) -> u64 {
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
