//! A simulated bank in memory with a clock of its own, and banks that are wrong in one way each.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::{Value, json};
use torap_bank::{Bank, Config, LinkOrder, Request};
use torap_domain::{BankCode, Bic, Sequence, Time};
use torap_gateway::session::{
    ClientConfig, ClientEvent, ClientSession, CloseReason, Outgoing, Secret,
};
use torap_gateway::wire::{ErrorCode, Mode, Name, Nonce};

use crate::peer::Ask;
use crate::peer::stream::{Answer, Heard, Streams};

/// 21 November 2026, 13:04:05 UTC.
const NOW: &str = "2026-11-21T13:04:05Z";
/// How long the host takes to come back.
const BACK_NS: u64 = 100_000_000;
/// What the cases pay, in tiyn.
const PAID: i64 = 1_000;

pub(super) const SECRET: [u8; 32] = [7; 32];

/// What is wrong with a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    None,
    /// Its messages of this kind never leave.
    Mute(&'static str),
    /// In its messages this stands in place of that.
    Instead(&'static str, &'static str),
    /// It credits when a payment is forwarded.
    CreditsAtOnce,
    /// It credits or debits with every outcome that comes.
    CountsEvery,
    /// It does not come back after its link was cut.
    NoSignOn,
    WrongSecret,
    /// It stays when the switch's proof is wrong.
    Trusting,
    /// It acknowledges nothing.
    Unsafe,
    /// What it sends again is not marked.
    Unmarked,
    /// It sends no heartbeats.
    Dead,
    /// It begins nothing that it is asked for.
    Idle,
}

pub(super) struct MemoryBank {
    bank: Bank,
    session: Option<ClientSession>,
    held: Sequence,
    sent: Sequence,
    now: Time,
    stream: usize,
    back_at: Option<u64>,
    heard: VecDeque<Heard>,
    twist: Twist,
    was_cut: bool,
    /// UETRs of outcomes that came.
    outcomes: BTreeSet<String>,
    /// What its books are wrong by.
    wrong: i64,
    nonces: u8,
}

impl MemoryBank {
    pub(super) fn new(twist: Twist) -> MemoryBank {
        let now = Time::parse(NOW).unwrap();
        let bank = Bank::new(Config {
            code: "HSBK".into(),
            bic: Bic::parse("HSBKKZKX").unwrap(),
            bank_code: BankCode::parse("601").unwrap(),
            switch_bic: Bic::parse("TORPKZKA").unwrap(),
            seed: 5,
        });
        MemoryBank {
            bank,
            session: None,
            held: Sequence::new(0),
            sent: Sequence::new(0),
            now,
            stream: 0,
            back_at: Some(now.nanos()),
            heard: VecDeque::new(),
            twist,
            was_cut: false,
            outcomes: BTreeSet::new(),
            wrong: 0,
            nonces: 0,
        }
    }

    fn come_back(&mut self) {
        if self.back_at.is_none_or(|at| at > self.now.nanos())
            || self.twist == Twist::NoSignOn && self.was_cut
        {
            return;
        }
        self.back_at = None;
        self.stream += 1;
        self.nonces += 1;
        let secret = match self.twist {
            Twist::WrongSecret => [8; 32],
            _ => SECRET,
        };
        let bics = vec![self.bank.config().bic];
        let name = Name::parse("HSBK").unwrap();
        let mut config = ClientConfig::new(name, Mode::Test, bics, Secret::new(secret));
        config.held = self.held;
        let nonce = Nonce([self.nonces; 32]);
        self.session = Some(ClientSession::new(config, nonce, &[], self.now.nanos()));
        self.heard.push_back(Heard::Connected(self.stream));
    }

    fn leave(&mut self) {
        if self.session.take().is_some() {
            self.was_cut = true;
            self.back_at = Some(self.now.nanos() + BACK_NS);
        }
    }

    /// One turn of the bank's driver.
    fn work(&mut self) {
        let now = self.now.nanos();
        self.bank.handle_timeout(now);
        let Some(mut session) = self.session.take() else {
            return;
        };
        if self.twist != Twist::Dead {
            session.handle_timeout(now);
        }
        let mut leaves = false;
        while let Some(event) = session.poll_event() {
            leaves |= self.handle(event);
        }
        if self.twist != Twist::Unsafe {
            session.confirm(self.held);
        }
        while let Some(order) = self.bank.poll_link_order() {
            leaves |= order != LinkOrder::Up;
        }
        self.send(&mut session);
        let mut out = BytesMut::new();
        session.poll_output(&mut out, now);
        // Who believes everybody does not say that it refuses.
        let keeps_quiet = self.twist == Twist::Trusting && session.is_closed();
        if !out.is_empty() && !keeps_quiet {
            self.heard
                .push_back(Heard::Bytes(self.stream, out.to_vec()));
        }
        self.session = Some(session);
        if leaves {
            self.heard.push_back(Heard::Ended(self.stream));
            self.leave();
        }
    }

    fn send(&mut self, session: &mut ClientSession) {
        while let Some(wants) = session.wants() {
            let Some(letter) = self.bank.next_to_send(wants.next) else {
                return;
            };
            let text = String::from_utf8(letter.body.clone()).unwrap();
            let text = match self.twist {
                Twist::Mute(kind) if text.contains(kind) => return,
                Twist::Instead(old, new) => text.replace(old, new),
                _ => text,
            };
            let mut outgoing = Outgoing::new(letter.content_type, text.as_bytes());
            outgoing.possible_duplicate = wants.next <= self.sent && self.twist != Twist::Unmarked;
            if session.send(wants.next, &outgoing).is_err() {
                return;
            }
            self.sent = self.sent.max(wants.next);
        }
    }

    /// Whether the link has to end.
    fn handle(&mut self, event: ClientEvent) -> bool {
        match event {
            ClientEvent::SignedOn { held_by_switch, .. } => self.bank.signed_on(held_by_switch),
            ClientEvent::Message(message) => {
                self.held = message.sequence;
                self.count(&message.body);
                let now = self.now.nanos();
                let again = message.possible_duplicate;
                self.bank
                    .receive(message.content_type, &message.body, again, now);
            }
            ClientEvent::Skipped { sequence } | ClientEvent::Refused { sequence, .. } => {
                self.held = sequence;
            }
            ClientEvent::Acknowledged { upto } => self.bank.acknowledged(upto),
            ClientEvent::PeerError(_) => {}
            ClientEvent::Closed(CloseReason::Refused(ErrorCode::BadCredentials))
                if self.twist == Twist::Trusting => {}
            ClientEvent::Closed(_) => return true,
        }
        false
    }

    /// Makes the books wrong as the twist has it.
    fn count(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let between = |open: &str, close: &str| {
            let text = text.split(open).nth(1)?;
            text.split(close).next().map(String::from)
        };
        if self.twist == Twist::CreditsAtOnce && text.contains("<FIToFICstmrCdtTrf>") {
            self.wrong += PAID;
        }
        let uetr = between("<OrgnlUETR>", "</OrgnlUETR>");
        if let (Twist::CountsEvery, true, Some(uetr)) = (self.twist, text.contains("ACSC"), uetr)
            && !self.outcomes.insert(uetr)
        {
            self.wrong += PAID;
        }
    }

    fn asked(&mut self, ask: &Ask) -> Result<Value, String> {
        if self.twist == Twist::Idle && ask.request["do"] == "pay" {
            return Ok(json!({}));
        }
        let request = serde_json::from_value(ask.request.clone());
        let request: Request = request.map_err(|error| error.to_string())?;
        let mut answer = self.bank.handle(request, self.now.nanos())?;
        if let Some(net) = answer.get("net_tiyn").and_then(Value::as_i64) {
            answer["net_tiyn"] = json!(net + self.wrong);
        }
        Ok(answer)
    }
}

impl Streams for MemoryBank {
    fn now(&self) -> Time {
        self.now
    }

    fn monotonic(&self) -> u64 {
        self.now.nanos()
    }

    fn next(&mut self, within: Duration) -> Option<Heard> {
        let end = self.now.nanos() + u64::try_from(within.as_nanos()).unwrap();
        loop {
            self.come_back();
            self.work();
            if let Some(heard) = self.heard.pop_front() {
                return Some(heard);
            }
            if self.now.nanos() >= end {
                return None;
            }
            let session = self.session.as_mut().and_then(ClientSession::poll_timeout);
            let timers = [session, self.bank.poll_timeout(), self.back_at, Some(end)];
            // A timer that has come and was not heeded will not be: the twist has no clock for it.
            let ahead = timers
                .into_iter()
                .flatten()
                .filter(|at| *at > self.now.nanos());
            self.now = Time::from_nanos(ahead.min().unwrap_or(end).min(end));
        }
    }

    fn write(&mut self, stream: usize, bytes: &[u8]) {
        let now = self.now.nanos();
        if let (true, Some(session)) = (stream == self.stream, &mut self.session) {
            let mut rest = bytes;
            while !rest.is_empty() {
                let taken = session.handle_bytes(rest, now);
                if taken == 0 {
                    break;
                }
                rest = &rest[taken..];
            }
        }
        self.work();
    }

    fn close(&mut self, stream: usize) {
        if stream == self.stream {
            self.leave();
        }
        let of_stream = |heard: &Heard| match heard {
            Heard::Connected(number) | Heard::Bytes(number, _) | Heard::Ended(number) => {
                *number == stream
            }
        };
        self.heard.retain(|heard| !of_stream(heard));
    }

    fn nonce(&mut self) -> Result<[u8; 32], String> {
        self.nonces = self.nonces.wrapping_add(1);
        Ok([self.nonces; 32])
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        let (sender, receiver) = mpsc::channel();
        sender.send(self.asked(ask)).unwrap();
        receiver
    }
}
