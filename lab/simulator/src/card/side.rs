//! A card host with its links, its clock, and how fast it works.

use torap_bank::card::{CardHost, Config, Output, Patience, Request};
use torap_domain::{ParticipantId, Time};
use torap_gateway::card::{
    framing::Framing,
    transport::{Transport, TransportConfig},
};
use torap_iso8583::Dialect;

use super::{
    CardPlan,
    seed::{SCHEME, foreign, institution, local},
};
use crate::{host::BANKS, plan::SECOND};

pub(crate) struct CardSide {
    pub(crate) host: CardHost,
    pub(crate) code: &'static str,
    pub(crate) participant: ParticipantId,
    pub(crate) is_scheme: bool,
    pub(crate) framing: Framing,
    pub(crate) links: Vec<SideLink>,
    pub(crate) stays_down: bool,
    /// It has signed off and not on again.
    pub(crate) is_off: bool,
    /// It does nothing before this time.
    pub(crate) stuck_until: u64,
    /// Between two turns, for a slow host.
    pub(crate) pause_ns: u64,
    pub(crate) next_turn: u64,
    /// Something has come that it has not looked at.
    pub(crate) has_input: bool,
    /// Of every message that it received.
    pub(crate) received: blake3::Hasher,
}

/// One of its links.
pub(crate) struct SideLink {
    /// Its connection, while there is one.
    pub(crate) up: Option<Up>,
    pub(crate) connect_at: u64,
}

pub(crate) struct Up {
    pub(crate) connection: u64,
    transport: Transport,
    pub(crate) output: Vec<u8>,
    pub(crate) ended: bool,
}

impl CardSide {
    /// The host of a bank, or behind them that of the scheme.
    pub(crate) fn new(plan: &CardPlan, number: usize, scheme: ParticipantId) -> CardSide {
        let is_scheme = number == plan.banks;
        let banks = 0..plan.banks;
        let (code, participant, prefixes) = if is_scheme {
            (SCHEME, scheme, banks.clone().map(foreign).collect())
        } else {
            let prefixes = vec![local(number), foreign(number)];
            (
                BANKS[number].0,
                ParticipantId::new(number as u16 + 1),
                prefixes,
            )
        };
        let whole_ms = plan.settings.whole_within.nanos() / 1_000_000;
        let config = Config {
            code: code.into(),
            institution: institution(number),
            prefixes,
            is_scheme,
            local_prefixes: banks.map(local).collect(),
            dialect: Dialect::national(),
            mac: false,
            key_set: 1,
            patience: Patience {
                answer_within_ms: whole_ms * 5 / 4,
                ..Patience::default()
            },
            seed: number as u64 + 1,
        };
        let links = (0..plan.links[number]).map(|_| SideLink {
            up: None,
            connect_at: 0,
        });
        CardSide {
            host: CardHost::new(config, None),
            code,
            participant,
            is_scheme,
            framing: plan.framings[number],
            links: links.collect(),
            stays_down: false,
            is_off: false,
            stuck_until: 0,
            pause_ns: 0,
            next_turn: 0,
            has_input: false,
            received: blake3::Hasher::new(),
        }
    }

    /// A link has its connection.
    pub(crate) fn connect(&mut self, link: usize, connection: u64, now: u64, wall: u64) {
        self.links[link].up = Some(Up {
            connection,
            transport: Transport::new(TransportConfig::new(self.framing), now),
            output: Vec::new(),
            ended: false,
        });
        self.host.link_up(link, Time::from_nanos(wall));
        self.has_input = true;
    }

    /// Its own end of a link is gone.
    pub(crate) fn disconnect(&mut self, link: usize, connect_at: u64, wall: u64) -> Option<u64> {
        let place = &mut self.links[link];
        place.connect_at = connect_at;
        let up = place.up.take()?;
        self.host.link_down(link, Time::from_nanos(wall));
        Some(up.connection)
    }

    /// The link of a connection.
    pub(crate) fn link_of(&self, connection: u64) -> Option<usize> {
        self.links.iter().position(|link| {
            link.up
                .as_ref()
                .is_some_and(|up| up.connection == connection)
        })
    }

    /// Whether it takes bytes from the network now.
    pub(crate) fn reads(&self, link: usize, now: u64) -> bool {
        let up = self.links.get(link).and_then(|link| link.up.as_ref());
        now >= self.stuck_until && up.is_some_and(|up| !up.ended && up.transport.wants_input())
    }

    pub(crate) fn take_bytes(&mut self, link: usize, bytes: &[u8], now: u64) {
        if let Some(up) = &mut self.links[link].up {
            up.transport.input().extend_from_slice(bytes);
            up.transport.handle_input(now);
        }
        self.has_input = true;
    }

    pub(crate) fn take_end(&mut self, link: usize, now: u64) {
        if let Some(up) = &mut self.links[link].up {
            up.transport.handle_end(now);
        }
        self.has_input = true;
    }

    /// When it wants a turn by itself.
    pub(crate) fn next_at(&self, wall: u64, now: u64) -> Option<u64> {
        let links = self.links.iter().filter_map(|link| link.up.as_ref());
        let links = links.filter_map(|up| up.transport.poll_timeout()).min();
        let host = self
            .host
            .poll_timeout()
            .map(|at| now + at.nanos().saturating_sub(wall));
        let turn = self.has_input.then_some(now);
        let next = [links, host, turn].into_iter().flatten().min()?;
        Some(next.max(self.stuck_until).max(self.next_turn))
    }

    /// Everything the host can do now; true if it cuts its links.
    pub(crate) fn work(&mut self, now: u64, wall: u64) -> bool {
        if now < self.stuck_until || now < self.next_turn {
            return false;
        }
        self.next_turn = now + self.pause_ns;
        self.has_input = false;
        let time = Time::from_nanos(wall);
        for number in 0..self.links.len() {
            self.take_messages(number, now, time);
        }
        if self.host.poll_timeout().is_some_and(|at| at <= time) {
            self.host.handle_timeout(time);
        }
        let mut cuts = false;
        while let Some(output) = self.host.poll_output() {
            match output {
                Output::Message { link, bytes } => {
                    let up = self.links.get_mut(link).and_then(|link| link.up.as_mut());
                    if let Some(up) = up.filter(|up| !up.ended) {
                        up.transport.send(None, &bytes);
                    }
                }
                Output::Reconnect => cuts = true,
                Output::Down => {
                    self.stays_down = true;
                    cuts = true;
                }
                Output::Up => self.stays_down = false,
            }
        }
        for up in self.links.iter_mut().filter_map(|link| link.up.as_mut()) {
            if up.output.is_empty() {
                up.transport.poll_output(&mut up.output, now);
            }
        }
        cuts
    }

    fn take_messages(&mut self, number: usize, now: u64, time: Time) {
        while let Some(up) = self.links[number].up.as_mut().filter(|up| !up.ended) {
            up.transport.handle_timeout(now);
            match up.transport.next_message() {
                None => return,
                Some(Err(_)) => up.ended = true,
                Some(Ok(framed)) => {
                    self.received.update(&framed.message);
                    self.host.receive(number, &framed.message, time);
                }
            }
        }
    }

    /// Asks the host something that changes nothing.
    pub(crate) fn ask(&mut self, request: Request, wall: u64) -> serde_json::Value {
        self.host
            .handle(request, Time::from_nanos(wall))
            .unwrap_or_default()
    }

    /// It signs on again, if it had signed off.
    pub(crate) fn sign_on(&mut self, wall: u64) {
        if std::mem::take(&mut self.is_off) {
            self.network("sign-on", wall);
        }
    }

    pub(crate) fn network(&mut self, action: &str, wall: u64) -> bool {
        let request = Request::Network {
            action: action.into(),
        };
        self.host.handle(request, Time::from_nanos(wall)).is_ok()
    }
}

/// Pause before a link connects again, at most.
pub(crate) const RECONNECT_WITHIN: u64 = SECOND;
