//! A simulated host in memory with a clock of its own, and hosts that are wrong in one way each.

use std::collections::VecDeque;
use std::time::Duration;

use torap_bank::card::{CardHost, Config, Output, Patience, Request};
use torap_domain::Time;
use torap_hsm_sim::soft::BankKeys;
use torap_iso8583::{Change, Dialect, Edit, FieldSet, Message, Mti};

use crate::peer::{Ask, Incoming, Peer};

/// 21 November 2026, 13:04:05 UTC.
const NOW: &str = "2026-11-21T13:04:05Z";
/// How long the host takes to come back.
const BACK_NS: u64 = 100_000_000;

/// What is wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    None,
    /// It answers no request.
    Deaf,
    /// A field of its answers is another.
    Field(u8, &'static str),
    /// A field of its answers is missing.
    Without(u8),
    /// It answers requests twice.
    Twice,
    /// It books a repeated advice once more.
    Greedy,
    /// It does not sign on after its link was cut.
    NoSignOn,
    WrongInstitution,
    /// Its answers are no messages.
    Garbage,
    /// It begins nothing that it is asked for.
    Idle,
    /// It takes keys whatever their check value.
    Trusting,
    /// Check values that it states are others.
    WrongValue,
    /// It says that it uses a set, and has no key of it.
    Obedient,
    /// It forgets the set before as soon as another is in use.
    Forgetful,
}

pub(super) struct MemoryPeer {
    host: CardHost,
    now: Time,
    link: usize,
    is_up: bool,
    back_at: Option<u64>,
    waiting: VecDeque<Incoming>,
    twist: Twist,
    was_cut: bool,
    /// The last request was under another set than the newest that was put into use.
    is_under_set_before: bool,
    newest_set: Vec<u8>,
}

impl MemoryPeer {
    pub(super) fn new(prefix: &str, keys: Option<BankKeys>, mac: bool, twist: Twist) -> MemoryPeer {
        let now = Time::parse(NOW).unwrap();
        let institution = match twist {
            Twist::WrongInstitution => "602",
            _ => "601",
        };
        let config = Config {
            code: "HSBK".into(),
            institution: institution.into(),
            prefixes: vec![prefix.into()],
            is_scheme: false,
            local_prefixes: Vec::new(),
            dialect: Dialect::national(),
            mac,
            key_set: 1,
            patience: Patience {
                answer_within_ms: 5_000,
                again_after_ms: 3_000,
                later_after_ms: 500,
            },
            seed: 5,
        };
        MemoryPeer {
            host: CardHost::new(config, keys),
            now,
            link: 0,
            is_up: false,
            back_at: Some(now.nanos()),
            waiting: VecDeque::new(),
            twist,
            was_cut: false,
            is_under_set_before: false,
            newest_set: b"000001".to_vec(),
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.host.poll_output() {
            if let Output::Message { bytes, .. } = output
                && self.is_up
            {
                let twisted = self.twisted(bytes).into_iter();
                self.waiting
                    .extend(twisted.map(|bytes| Incoming::Message(self.link, bytes)));
            }
        }
    }

    fn twisted(&self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let message = Message::parse(Dialect::national(), &bytes).unwrap();
        let is_answer = message.mti().is_answer() && matches!(message.mti().class(), 1 | 2);
        let is_enquiry = message.get(3).is_some_and(|code| code.starts_with(b"31"));
        let edited = |edits: &[Edit<'_>]| vec![spliced(&message, None, edits)];
        let is_word_about_keys = message.mti().number() == 810
            && message
                .get(70)
                .is_some_and(|purpose| matches!(purpose, b"101" | b"161"));
        match self.twist {
            Twist::Trusting | Twist::Obedient if is_word_about_keys => {
                edited(&[Edit::Set(39, b"00")])
            }
            Twist::WrongValue if is_word_about_keys && message.has(125) => {
                edited(&[Edit::Set(125, b"KS006000002KU001PKV006000000")])
            }
            // Its PIN blocks of before are strange to it.
            Twist::Forgetful if self.is_under_set_before && is_answer => {
                edited(&[Edit::Set(39, b"55")])
            }
            Twist::NoSignOn if message.mti().number() == 800 && self.was_cut => Vec::new(),
            _ if !is_answer || is_enquiry => vec![bytes],
            Twist::Deaf => Vec::new(),
            // An approval has its code.
            Twist::Field(39, "00") => edited(&[Edit::Set(38, b"123456"), Edit::Set(39, b"00")]),
            Twist::Field(field, value) => edited(&[Edit::Set(field, value.as_bytes())]),
            Twist::Without(field) => edited(&[Edit::Remove(field)]),
            Twist::Twice => vec![bytes.clone(), bytes],
            Twist::Garbage => vec![b"0210 no message".to_vec()],
            _ => vec![bytes],
        }
    }

    fn come_back(&mut self) {
        if self.back_at.is_some_and(|at| at <= self.now.nanos()) {
            self.back_at = None;
            self.is_up = true;
            self.link += 1;
            self.waiting.push_back(Incoming::Connected(self.link));
            self.host.link_up(0, self.now);
        }
    }
}

fn spliced(message: &Message<'_>, mti: Option<u16>, edits: &[Edit<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let change = Change {
        mti: mti.and_then(Mti::new),
        keep: FieldSet::ALL,
        edits,
    };
    message.splice(&mut out, &change).unwrap();
    out
}

impl Peer for MemoryPeer {
    fn now(&self) -> Time {
        self.now
    }

    fn next(&mut self, within: Duration) -> Option<Incoming> {
        let end = self.now.nanos() + u64::try_from(within.as_nanos()).unwrap();
        loop {
            self.come_back();
            self.host.handle_timeout(self.now);
            self.collect();
            if let Some(incoming) = self.waiting.pop_front() {
                return Some(incoming);
            }
            if self.now.nanos() >= end {
                return None;
            }
            let host = self.host.poll_timeout().map(Time::nanos);
            let next = [host, self.back_at, Some(end)].into_iter().flatten().min();
            let next = next.unwrap_or(end).max(self.now.nanos() + 1).min(end);
            self.now = Time::from_nanos(next);
        }
    }

    fn send(&mut self, _link: usize, message: &[u8]) {
        let parsed = Message::parse(Dialect::national(), message);
        if let Ok(parsed) = &parsed
            && let Some(set) = parsed.get(53).and_then(|control| control.get(2..8))
        {
            if parsed.get(70) == Some(b"161") {
                self.newest_set = set.to_vec();
            }
            self.is_under_set_before = set < self.newest_set.as_slice();
        }
        if let (Twist::Greedy, Ok(parsed)) = (self.twist, &parsed)
            && parsed.mti().number() == 221
        {
            // It takes the repeat for another advice, and nobody sees it from its answer.
            let own = parsed.get(11).unwrap();
            let other = spliced(parsed, Some(220), &[Edit::Set(11, b"888888")]);
            self.host.receive(0, &other, self.now);
            while let Some(output) = self.host.poll_output() {
                if let Output::Message { bytes, .. } = output {
                    let answer = Message::parse(Dialect::national(), &bytes).unwrap();
                    let answer = spliced(&answer, None, &[Edit::Set(11, own)]);
                    self.waiting.push_back(Incoming::Message(self.link, answer));
                }
            }
            return;
        }
        self.host.receive(0, message, self.now);
    }

    fn keep_alive(&mut self, _link: usize) {}

    fn cut(&mut self) {
        self.host.link_down(0, self.now);
        while self.host.poll_output().is_some() {}
        self.waiting.clear();
        self.was_cut = self.is_up;
        self.is_up = false;
        self.back_at = Some(self.now.nanos() + BACK_NS);
    }

    fn ask(&mut self, ask: &Ask) -> Result<(), String> {
        if self.twist == Twist::Idle {
            return Ok(());
        }
        let request = serde_json::from_value(ask.request.clone());
        let request: Request = request.map_err(|error| error.to_string())?;
        self.host.handle(request, self.now).map(|_| ())
    }
}
