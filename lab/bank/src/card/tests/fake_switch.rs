//! As little of a switch as two hosts need to talk to each other, with faults on demand.

use std::collections::{BTreeMap, VecDeque};

use torap_domain::Time;
use torap_domain::card::Transmission;
use torap_gateway::card::crosswalk::{Crossed, Toward, from_national};
use torap_iso8583::{Dialect, Message};

use crate::card::message::{Draft, Trace, national_mti, tag, text};
use crate::card::totals::{SessionBook, about_session, direction};
use crate::card::{CardHost, Output, Side};

const ISSUER_WITHIN_NS: u64 = 12_000_000_000;
const LETTER_WITHIN_NS: u64 = 15_000_000_000;
pub(super) const SESSION: &str = "1121";

/// One transaction at the switch.
struct Known {
    acquirer: usize,
    issuer: usize,
    request: Draft,
    asked: Trace,
    /// DE39 and the answer, once decided.
    decided: Option<Draft>,
    deadline: Time,
    stands: u64,
}

/// A switch between hosts; hosts are named by their place.
pub(super) struct FakeSwitch {
    pub(super) hosts: Vec<CardHost>,
    pub(super) now: Time,
    known: BTreeMap<String, Known>,
    by_asked: BTreeMap<Trace, String>,
    letters: Vec<VecDeque<Draft>>,
    /// The first letter is out since then.
    letter_out: Vec<Option<Time>>,
    stan: u32,
    pub(super) totals: Vec<SessionBook>,
    /// Deliver every answer to the acquirer twice.
    pub(super) doubles_answers: bool,
    /// Deliver every request to the issuer twice.
    pub(super) doubles_requests: bool,
    /// Lose answers to the acquirer.
    pub(super) loses_answers: bool,
    /// Every message that went to a host, in order.
    pub(super) log: Vec<(usize, Draft)>,
}

impl FakeSwitch {
    pub(super) fn new(hosts: Vec<CardHost>, now: Time) -> FakeSwitch {
        let count = hosts.len();
        let mut switch = FakeSwitch {
            hosts,
            now,
            known: BTreeMap::new(),
            by_asked: BTreeMap::new(),
            letters: vec![VecDeque::new(); count],
            letter_out: vec![None; count],
            stan: 500_000,
            totals: vec![SessionBook::default(); count],
            doubles_answers: false,
            doubles_requests: false,
            loses_answers: false,
            log: Vec::new(),
        };
        for host in 0..count {
            switch.hosts[host].link_up(0, now);
        }
        switch.run();
        switch
    }

    /// Carries messages until nobody has any.
    pub(super) fn run(&mut self) {
        loop {
            let mut any = false;
            for host in 0..self.hosts.len() {
                while let Some(output) = self.hosts[host].poll_output() {
                    any = true;
                    if let Output::Message { bytes, .. } = output {
                        self.take(host, &bytes);
                    }
                }
            }
            if !any {
                return;
            }
        }
    }

    /// Lets time pass, in steps of a second.
    pub(super) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now = Time::from_nanos(self.now.nanos() + 1_000_000_000);
            for host in &mut self.hosts {
                host.handle_timeout(self.now);
            }
            self.run();
            self.time_out();
            self.run();
        }
    }

    fn time_out(&mut self) {
        let late: Vec<String> = self
            .known
            .iter()
            .filter(|(_, known)| known.decided.is_none() && known.deadline <= self.now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in late {
            self.reverse_at_issuer(&key, None, "68");
            self.decide(&key, None, "91");
        }
        for host in 0..self.hosts.len() {
            if let Some(since) = self.letter_out[host]
                && self.now.nanos() >= since.nanos() + LETTER_WITHIN_NS
                && let Some(letter) = self.letters[host].front()
            {
                let repeat = letter.retyped(letter.mti() | 1);
                self.letter_out[host] = Some(self.now);
                self.deliver(host, &repeat);
            }
        }
    }

    fn take(&mut self, from: usize, bytes: &[u8]) {
        let dialect = self.hosts[from].config().dialect;
        let crossed = Crossed::read(dialect, bytes, Toward::Switch).unwrap();
        let message = Message::parse(Dialect::national(), crossed.national()).unwrap();
        let mti = national_mti(&message);
        let draft = Draft::of(&message);
        match (mti / 100, mti / 10 % 10) {
            (8, 0) => self.reply(from, &draft, "00", &[7, 11, 33, 70]),
            (1 | 2, 0) => self.request(from, &message, draft),
            (1 | 2, 1) => self.answered(&message, &draft),
            (1 | 2, 2) => {
                self.advice(from, &message, draft);
            }
            (4, 0 | 2) => self.reversal(from, &message, draft),
            (1 | 2 | 4 | 5, 3) | (4, 1) => self.acknowledged(from),
            (5, 0 | 2) => self.reconcile(from, &message, &draft),
            _ => {}
        }
    }

    fn request(&mut self, from: usize, message: &Message<'_>, draft: Draft) {
        let key = key(from, message);
        if let Some(known) = self.known.get(&key) {
            if let Some(answer) = known.decided.clone() {
                self.deliver(from, &answer);
            }
            return;
        }
        let issuer = self.issuer_of(&draft);
        let mut forward = draft.clone();
        let asked = self.stamp(&mut forward);
        self.by_asked.insert(asked, key.clone());
        self.known.insert(
            key,
            Known {
                acquirer: from,
                issuer,
                request: draft,
                asked,
                decided: None,
                deadline: Time::from_nanos(self.now.nanos() + ISSUER_WITHIN_NS),
                stands: 0,
            },
        );
        self.deliver(issuer, &forward);
        if self.doubles_requests {
            self.deliver(issuer, &forward);
        }
    }

    /// The switch's own trace, DE15 and DE63.
    fn stamp(&mut self, draft: &mut Draft) -> Trace {
        self.stan += 1;
        let transmitted = Transmission::at(self.now).to_string();
        draft
            .set(7, &transmitted)
            .set(11, format!("{:06}", self.stan));
        draft
            .set(15, SESSION)
            .set(63, format!("002010{:010}", 2026112101));
        Trace {
            transmitted: transmitted.parse().unwrap(),
            stan: u64::from(self.stan),
        }
    }

    fn issuer_of(&self, draft: &Draft) -> usize {
        let pan = draft.text(2);
        let holds = |host: &CardHost| {
            let mut prefixes = host.config().prefixes.iter();
            prefixes.any(|prefix| pan.starts_with(prefix))
        };
        self.hosts.iter().position(holds).unwrap()
    }

    fn answered(&mut self, message: &Message<'_>, draft: &Draft) {
        let Some(key) = Trace::of(message).and_then(|trace| self.by_asked.get(&trace).cloned())
        else {
            return;
        };
        if self.known[&key].decided.is_none() {
            self.decide(&key, Some(draft), &draft.text(39));
        }
    }

    fn decide(&mut self, key: &str, issuer: Option<&Draft>, code: &str) {
        let known = self.known.get_mut(key).unwrap();
        let mti = known.request.mti() / 10 * 10 + 10;
        let mut answer = known.request.retyped(mti);
        answer.keep(&[3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 61]);
        answer.set(15, SESSION).set(39, code);
        let code = if code == "10" { "00" } else { code };
        answer.set(39, code);
        if let Some(issuer) = issuer {
            for field in [4, 38, 54] {
                if let Some(value) = issuer.get(field) {
                    answer.set(field, value);
                }
            }
        }
        let tiyn: u64 = answer.text(4).parse().unwrap();
        known.decided = Some(answer.clone());
        let (acquirer, issuer) = (known.acquirer, known.issuer);
        if code == "00" {
            known.stands = tiyn;
            if mti / 100 == 2 {
                let way = direction(&known.request.text(3));
                self.totals[acquirer].post(SESSION, Side::Acquirer, way, tiyn);
                self.totals[issuer].post(SESSION, Side::Issuer, way, tiyn);
            }
        }
        if self.loses_answers {
            return;
        }
        self.deliver(acquirer, &answer);
        if self.doubles_answers {
            self.deliver(acquirer, &answer);
        }
    }

    fn advice(&mut self, from: usize, message: &Message<'_>, draft: Draft) {
        let key = key(from, message);
        if !self.known.contains_key(&key) {
            let issuer = self.issuer_of(&draft);
            let mut letter = draft.clone();
            let asked = self.stamp(&mut letter);
            if let Some(original) = Trace::of_original(message) {
                let authorisation = self
                    .known
                    .values()
                    .find(|known| trace_of(&known.request) == original);
                let text = crate::card::message::original(
                    100,
                    authorisation.unwrap().asked,
                    &draft.text(32),
                );
                letter.set(90, text);
            }
            let (tiyn, way) = (message.number(4).unwrap(), direction(&draft.text(3)));
            self.totals[from].post(SESSION, Side::Acquirer, way, tiyn);
            self.totals[issuer].post(SESSION, Side::Issuer, way, tiyn);
            self.known.insert(
                key,
                Known {
                    acquirer: from,
                    issuer,
                    request: draft.clone(),
                    asked,
                    decided: Some(Draft::new(230)),
                    deadline: self.now,
                    stands: tiyn,
                },
            );
            self.post(issuer, letter);
        }
        let fields = [3, 4, 7, 11, 15, 32, 37, 41, 42, 49, 61];
        self.reply(from, &draft, "00", &fields);
    }

    fn reversal(&mut self, from: usize, message: &Message<'_>, draft: Draft) {
        let about = Trace::of_original(message).unwrap();
        let found = self
            .known
            .iter()
            .find(|(_, known)| known.acquirer == from && trace_of(&known.request) == about)
            .map(|(key, _)| key.clone());
        if let Some(key) = found {
            let stands = draft.text(95).get(..12).map(|text| text.parse().unwrap());
            let known = &self.known[&key];
            if known.decided.is_none() {
                let mut answer = known.request.retyped(known.request.mti() + 10);
                answer.keep(&[3, 4, 7, 11, 32, 37, 41, 42, 49]);
                answer.set(15, SESSION).set(39, "21");
                self.reverse_at_issuer(&key, None, "68");
                self.known.get_mut(&key).unwrap().decided = Some(answer);
            } else {
                self.reverse_at_issuer(&key, stands, "17");
            }
        }
        let fields = [3, 4, 7, 11, 15, 32, 37, 41, 42, 49, 61, 90];
        self.reply(from, &draft, "00", &fields);
    }

    fn reverse_at_issuer(&mut self, key: &str, stands: Option<u64>, why: &str) {
        let known = self.known.get_mut(key).unwrap();
        let stands_before = known.stands;
        known.stands = stands.unwrap_or(0);
        let (issuer, acquirer) = (known.issuer, known.acquirer);
        let way = direction(&known.request.text(3));
        let undone = stands_before - known.stands;
        if undone == 0 && why == "17" {
            return;
        }
        if why == "17" && known.request.mti() / 100 == 2 {
            self.totals[acquirer].reverse(SESSION, Side::Acquirer, way, undone);
            self.totals[issuer].reverse(SESSION, Side::Issuer, way, undone);
        }
        let known = &self.known[key];
        let about = crate::card::message::original(
            known.request.mti(),
            known.asked,
            &known.request.text(32),
        );
        let mut letter = known.request.retyped(420);
        letter.keep(&[2, 3, 4, 12, 13, 18, 22, 32, 37, 41, 42, 49]);
        letter.set(90, about).set(39, why);
        letter.set(24, if stands.is_some() { "401" } else { "400" });
        if let Some(stands) = stands {
            letter.set(95, format!("{stands:012}{:012}D00000000D00000000", 0));
        }
        self.stamp(&mut letter);
        self.post(issuer, letter);
    }

    fn reconcile(&mut self, from: usize, message: &Message<'_>, draft: &Draft) {
        let side = match tag(message, 63, "004") {
            Some(_) => Side::Issuer,
            None => Side::Acquirer,
        };
        let mut answer = draft.retyped(draft.mti() / 10 * 10 + 10);
        answer.keep(&[7, 11, 15, 24, 33, 50, 63]);
        let own = self.totals[from].get(&draft.text(15), side);
        let agrees = crate::card::totals::Totals::read(draft) == Some(own);
        own.write(&mut answer);
        answer.set(39, if agrees { "00" } else { "95" });
        answer.set(66, if agrees { "1" } else { "2" });
        self.deliver(from, &answer);
    }

    /// The switch's own totals as a letter (0520).
    pub(super) fn close(&mut self, host: usize, side: Side) {
        let mut letter = Draft::new(520);
        self.stamp(&mut letter);
        letter.set(24, "500").set(33, "900");
        let code = self.hosts[host].config().code.clone();
        about_session(&mut letter, &code, side, "2026112101");
        self.totals[host].get(SESSION, side).write(&mut letter);
        self.post(host, letter);
        self.run();
    }

    fn post(&mut self, host: usize, letter: Draft) {
        self.letters[host].push_back(letter);
        self.send_first(host);
    }

    fn send_first(&mut self, host: usize) {
        if self.letter_out[host].is_none()
            && let Some(letter) = self.letters[host].front().cloned()
        {
            self.letter_out[host] = Some(self.now);
            self.deliver(host, &letter);
        }
    }

    fn acknowledged(&mut self, host: usize) {
        self.letters[host].pop_front();
        self.letter_out[host] = None;
        self.send_first(host);
    }

    pub(super) fn letters_left(&self, host: usize) -> usize {
        self.letters[host].len()
    }

    fn reply(&mut self, to: usize, question: &Draft, code: &str, fields: &[u8]) {
        let mut answer = question.retyped(question.mti() / 10 * 10 + 10);
        answer.keep(fields);
        answer.set(39, code);
        if fields.contains(&15) {
            answer.set(15, SESSION);
        }
        self.deliver(to, &answer);
    }

    pub(super) fn deliver(&mut self, host: usize, draft: &Draft) {
        let bytes = draft.write(Dialect::national(), self.now).unwrap();
        let message = Message::parse(Dialect::national(), &bytes).unwrap();
        let dialect = self.hosts[host].config().dialect;
        let mut crossed = Vec::new();
        from_national(&message, dialect, Toward::Host, self.now, &mut crossed).unwrap();
        self.log.push((host, draft.clone()));
        self.hosts[host].receive(0, &crossed, self.now);
    }
}

fn key(from: usize, message: &Message<'_>) -> String {
    let parts = [7, 11, 32, 37, 41].map(|field| text(message, field));
    let class = message.mti().class();
    format!("{from}/{class}/{}", parts.join("/"))
}

fn trace_of(draft: &Draft) -> Trace {
    crate::card::acquirer::trace_of(draft).unwrap()
}
