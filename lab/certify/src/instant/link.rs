//! The host's links: the switch's own session, what comes of it, and frames that no switch sends.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::json;
use torap_domain::{ParticipantId, Sequence};
use torap_gateway::session::{
    Admission, CloseReason, Credentials, Outgoing, Secret, ServerConfig, ServerEvent, ServerSession,
};
use torap_gateway::wire::limits::SIGN_OFF_NS_MAX;
use torap_gateway::wire::{
    ContentType, ErrorCode, Flags, FrameType, FrameWriter, Name, Nonce, PeerError, Tag,
    WIRE_VERSION,
};

use super::outgoing::Letter;
use super::{InstantBench, LEAVE_WITHIN, SIGN_ON_WITHIN, mask};
use crate::catalogue::instant::BadFrame;
use crate::peer::stream::Heard;
use crate::report::{Line, Way};

/// Heartbeats of the bench, in milliseconds, for a host that wishes none of its own.
const HEARTBEAT_MS: u32 = 1_000;
/// Offset of the type in a frame, and numbers that no version has given.
const TYPE_OFFSET: usize = 3;
const UNKNOWN_TYPE: u8 = 200;
const UNKNOWN_CRITICAL_TAG: u16 = 0x8000 | 999;
const UNKNOWN_CONTENT: u16 = 999;
/// What a host does that believes everybody.
const STAYED: &str = "it stayed although the switch's proof was wrong";
/// Sequences left out of a gap.
const GAP: u64 = 5;

/// A stream with its session.
pub(super) struct Link {
    number: usize,
    session: ServerSession,
    is_open: bool,
    /// The last proof sent was a wrong one.
    lied: bool,
}

/// A message of the host's.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) sequence: u64,
    pub(super) content_type: ContentType,
    pub(super) body: Bytes,
    pub(super) possible_duplicate: bool,
}

impl InstantBench<'_> {
    /// Looks once: takes what has come within the time, and sends what is to be sent.
    fn turn(&mut self, within: Duration) {
        self.pump();
        let now = self.streams.monotonic();
        let timers = self.links.iter_mut();
        let timer = timers.filter_map(|link| link.session.poll_timeout()).min();
        let timer = timer.map(|at| Duration::from_nanos(at.saturating_sub(now)));
        let pause = timer.map_or(within, |timer| timer.min(within));
        match self.streams.next(pause) {
            Some(Heard::Connected(number)) => self.connected(number),
            Some(Heard::Bytes(number, bytes)) => self.bytes(number, &bytes),
            Some(Heard::Ended(number)) => {
                let now = self.streams.monotonic();
                self.with_link(number, |link| link.session.handle_end(now));
            }
            None => {}
        }
        let now = self.streams.monotonic();
        for link in &mut self.links {
            link.session.handle_timeout(now);
        }
        for number in self.numbers() {
            self.poll(number);
        }
        self.pump();
    }

    fn connected(&mut self, number: usize) {
        let (Some(name), Ok(nonce)) = (Name::parse("torap-bench"), self.streams.nonce()) else {
            self.complaint = Some("bench: no name or no random bytes".into());
            return;
        };
        let mut config = ServerConfig::new(name, self.mode);
        config.heartbeat_ms = HEARTBEAT_MS;
        let now = self.streams.monotonic();
        self.links.push(Link {
            number,
            session: ServerSession::new(config, Nonce(nonce), &[], now),
            is_open: false,
            lied: false,
        });
    }

    fn bytes(&mut self, number: usize, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let now = self.streams.monotonic();
            let taken = self.with_link(number, |link| link.session.handle_bytes(rest, now));
            self.poll(number);
            match taken {
                Some(taken) if taken > 0 => rest = rest.get(taken..).unwrap_or_default(),
                // The session is over, or the link was cut.
                _ => return,
            }
        }
    }

    fn with_link<T>(&mut self, number: usize, act: impl FnOnce(&mut Link) -> T) -> Option<T> {
        let mut links = self.links.iter_mut();
        links.find(|link| link.number == number).map(act)
    }

    fn numbers(&self) -> Vec<usize> {
        self.links.iter().map(|link| link.number).collect()
    }

    fn poll(&mut self, number: usize) {
        while let Some(Some(event)) = self.with_link(number, |link| link.session.poll_event()) {
            self.handle(number, event);
        }
    }

    fn handle(&mut self, number: usize, event: ServerEvent) {
        match event {
            ServerEvent::SecretWanted { name } => {
                let known = name.as_str() == self.subject.participant;
                if !known {
                    self.complain(format!("HELLO names `{}`", name.as_str()));
                }
                let credentials = known.then(|| Credentials {
                    secret: Secret::new(self.secret),
                    participant: ParticipantId(1),
                    bics: vec![self.bic],
                });
                self.with_link(number, |link| link.session.provide_secret(credentials));
            }
            ServerEvent::Authenticated { held, .. } => self.admit(number, held.value()),
            ServerEvent::Message(message) => self.received(
                number,
                Received {
                    sequence: message.sequence.value(),
                    content_type: message.content_type,
                    body: message.body,
                    possible_duplicate: message.possible_duplicate,
                },
            ),
            ServerEvent::Refused { sequence, code } => {
                self.held = sequence.value();
                let held = self.held;
                self.with_link(number, |link| link.session.acknowledge(Sequence::new(held)));
                self.complain(format!("message {sequence} had to be refused: {code}"));
            }
            ServerEvent::Acknowledged { upto } => self.stream.acknowledged = upto.value(),
            ServerEvent::PeerError(error) => self.error(&error),
            ServerEvent::Closed(reason) => self.closed(number, reason),
        }
    }

    fn admit(&mut self, number: usize, held: u64) {
        self.note(
            Way::FromHost,
            json!({ "sign-on": self.subject.participant, "held": held }),
        );
        if self.sign_ons == 0 {
            // What the host heard before the run is none of the run's business.
            self.stream.base = held;
            (self.stream.sent, self.stream.acknowledged) = (held, held);
        }
        if held > self.stream.sent {
            let sent = self.stream.sent;
            self.complain(format!("HELD is {held}, and only {sent} were sent"));
        }
        for older in self.numbers() {
            if older != number {
                self.with_link(older, |link| link.session.supersede());
            }
        }
        let admission = Admission {
            inbound_held: Sequence::new(self.held),
            outbound_last: Sequence::new(self.stream.last()),
        };
        let lies = std::mem::take(&mut self.lies);
        self.with_link(number, |link| {
            link.session.admit(admission);
            link.lied = lies;
            link.is_open = !lies;
        });
        if !lies {
            self.stream.acknowledged = self.stream.acknowledged.max(held);
            self.current = Some(number);
            self.sign_ons += 1;
        }
    }

    fn received(&mut self, number: usize, received: Received) {
        if self.with_link(number, |link| link.lied) == Some(true) {
            return self.complain("it went on although the switch's proof was wrong".into());
        }
        let shown = match received.content_type {
            ContentType::CommandJson => mask::json(&received.body),
            _ => mask::xml(&String::from_utf8_lossy(&received.body)).into(),
        };
        self.note(
            Way::FromHost,
            json!({ "sequence": received.sequence, "message": shown }),
        );
        if std::mem::take(&mut self.loses) {
            self.lost.insert(String::new(), received);
            return self.cut();
        }
        self.held = received.sequence;
        let held = Sequence::new(self.held);
        self.with_link(number, |link| link.session.acknowledge(held));
        self.inbox.push_back(received);
    }

    fn error(&mut self, error: &PeerError) {
        self.note(
            Way::FromHost,
            json!({ "error": error.number, "text": error.text.as_str() }),
        );
        self.errors.push(error.number);
        if !self.pardons {
            self.complain(format!("it refused a frame with error {}", error.number));
        }
    }

    fn closed(&mut self, number: usize, reason: CloseReason) {
        let lied = self.with_link(number, |link| link.lied) == Some(true);
        match reason {
            CloseReason::Refused(_) if lied => self.complain(STAYED.into()),
            CloseReason::Refused(ErrorCode::Superseded) | CloseReason::LinkLost => {}
            CloseReason::Refused(code) => {
                self.complain(format!("its link had to be ended: {code}"))
            }
            CloseReason::PeerError(error) => self.error(&error),
            CloseReason::SignedOff { .. } => {
                self.note(Way::FromHost, json!({ "sign-off": true }));
            }
        }
        self.flush(number);
        self.streams.close(number);
        self.links.retain(|link| link.number != number);
        if self.current == Some(number) {
            self.current = None;
        }
    }

    /// The first complaint is the cause of the others.
    fn complain(&mut self, text: String) {
        self.complaint.get_or_insert(text);
    }

    pub(super) fn note(&mut self, way: Way, message: serde_json::Value) {
        self.lines.push(Line { way, message });
    }

    /// Sends what the windows take.
    fn pump(&mut self) {
        if let Some(number) = self.current {
            while self.send_next(number) {}
        }
        for number in self.numbers() {
            self.flush(number);
        }
    }

    fn send_next(&mut self, number: usize) -> bool {
        let mut links = self.links.iter_mut();
        let Some(link) = links.find(|link| link.number == number && link.is_open) else {
            return false;
        };
        let Some(wants) = link.session.wants() else {
            return false;
        };
        let next = wants.next;
        let Some(letter) = self.stream.get(next.value()) else {
            return false;
        };
        let is_repeat = next.value() <= self.stream.sent;
        let (sent, shown) = match letter {
            Letter::Skip => (link.session.skip(next), json!("skip")),
            Letter::Message {
                content_type,
                body,
                marked,
            } => {
                let body = if is_repeat { marked } else { body };
                let mut outgoing = Outgoing::new(*content_type, body);
                outgoing.possible_duplicate = is_repeat;
                let shown = mask::xml(&String::from_utf8_lossy(body));
                (link.session.send(next, &outgoing), json!(shown))
            }
        };
        if sent.is_err() {
            return false;
        }
        self.stream.sent = self.stream.sent.max(next.value());
        let line = json!({ "sequence": next.value(), "again": is_repeat, "message": shown });
        self.note(Way::ToHost, line);
        true
    }

    fn flush(&mut self, number: usize) {
        let now = self.streams.monotonic();
        let mut out = BytesMut::new();
        let lied = self.with_link(number, |link| {
            link.session.poll_output(&mut out, now);
            link.lied
        });
        if lied == Some(true)
            && let Some(last) = out.last_mut()
        {
            // The MAC is the last header of SIGNED_ON, which is the first that goes out behind a proof.
            *last ^= 0xFF;
        }
        if !out.is_empty() {
            self.streams.write(number, &out);
        }
    }

    /// The next message of the host's.
    pub(super) fn next_message(&mut self, within: Duration) -> Result<Option<Received>, String> {
        let until = self.until(within);
        loop {
            self.turn(Duration::ZERO);
            if let Some(complaint) = self.complaint.take() {
                return Err(complaint);
            }
            if let Some(received) = self.inbox.pop_front() {
                return Ok(Some(received));
            }
            let rest = self.rest(until);
            if rest.is_zero() {
                return Ok(None);
            }
            self.turn(rest);
        }
    }

    /// A moment of the steady clock.
    pub(super) fn until(&self, within: Duration) -> u64 {
        let within = u64::try_from(within.as_nanos()).unwrap_or(u64::MAX);
        self.streams.monotonic().saturating_add(within)
    }

    pub(super) fn rest(&self, until: u64) -> Duration {
        Duration::from_nanos(until.saturating_sub(self.streams.monotonic()))
    }

    /// Makes turns until `done` says so; what comes meanwhile stays for the steps behind.
    fn turn_until(
        &mut self,
        within: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> Result<bool, String> {
        let until = self.until(within);
        loop {
            self.turn(Duration::ZERO);
            if let Some(complaint) = self.complaint.take() {
                return Err(complaint);
            }
            if done(self) {
                return Ok(true);
            }
            let rest = self.rest(until);
            if rest.is_zero() {
                return Ok(false);
            }
            self.turn(rest);
        }
    }

    /// Makes sure that the host is signed on.
    pub(super) fn ready(&mut self) -> Result<(), String> {
        self.turn_until(Duration::ZERO, |_| true)?;
        if self.current.is_none() {
            self.wait_for_sign_on()?;
        }
        Ok(())
    }

    pub(super) fn cut(&mut self) {
        for number in self.numbers() {
            self.streams.close(number);
        }
        self.links.clear();
        self.current = None;
    }

    pub(super) fn wait_for_sign_on(&mut self) -> Result<(), String> {
        let within = SIGN_ON_WITHIN.max(self.patience);
        let before = self.sign_ons;
        match self.turn_until(within, |bench| bench.sign_ons > before)? {
            true => Ok(()),
            false => Err(format!(
                "the host did not sign on within {} s",
                within.as_secs()
            )),
        }
    }

    pub(super) fn false_proof(&mut self) -> Result<(), String> {
        self.cut();
        self.lies = true;
        self.pardons = true;
        let tried = self.turn_until(SIGN_ON_WITHIN.max(self.patience), |bench| !bench.lies)?;
        if !tried {
            return Err("the host did not try to sign on".into());
        }
        let gone = |bench: &Self| bench.links.iter().all(|link| !link.lied);
        match self.turn_until(LEAVE_WITHIN, gone)? {
            true => Ok(()),
            false => Err(STAYED.into()),
        }
    }

    pub(super) fn idle(&mut self, heartbeats: u32) -> Result<(), String> {
        self.ready()?;
        let before = self.sign_ons;
        // A host may wish for the slowest heartbeat that there is; its silence is found out by the session.
        let within = Duration::from_millis(u64::from(HEARTBEAT_MS) * u64::from(heartbeats));
        self.quiet(within)?;
        match self.sign_ons == before && self.current.is_some() {
            true => Ok(()),
            false => Err("its link ended".into()),
        }
    }

    pub(super) fn sign_off(&mut self) -> Result<(), String> {
        self.ready()?;
        self.note(Way::ToHost, json!({ "sign-off": true }));
        if let Some(number) = self.current {
            self.with_link(number, |link| link.session.sign_off(&[]));
        }
        let before = self.streams.monotonic();
        let gone = |bench: &Self| bench.current.is_none();
        let left = self.turn_until(LEAVE_WITHIN + Duration::from_secs(1), gone)?;
        let took = self.streams.monotonic().saturating_sub(before);
        if !left || took >= SIGN_OFF_NS_MAX {
            return Err("it did not answer the sign-off".into());
        }
        self.wait_for_sign_on()
    }

    pub(super) fn left(&mut self) -> Result<(), String> {
        let gone = |bench: &Self| bench.current.is_none();
        match self.turn_until(LEAVE_WITHIN, gone)? {
            true => Ok(()),
            false => Err("it did not end the link".into()),
        }
    }

    /// Sends a frame that no switch sends; what the host says to it is no breach.
    pub(super) fn bad_frame(&mut self, what: BadFrame) -> Result<(), String> {
        self.ready()?;
        self.acknowledged(LEAVE_WITHIN)?;
        self.pardons = true;
        self.errors.clear();
        let mut out = BytesMut::new();
        match what {
            BadFrame::UnknownType => {
                FrameWriter::begin(&mut out, WIRE_VERSION, FrameType::Heartbeat, Flags::NONE)
                    .finish(b"");
                if let Some(number) = out.get_mut(TYPE_OFFSET) {
                    *number = UNKNOWN_TYPE;
                }
            }
            BadFrame::UnknownCriticalHeader => {
                let mut writer =
                    FrameWriter::begin(&mut out, WIRE_VERSION, FrameType::Heartbeat, Flags::NONE);
                writer.u16(Tag::Code, 0);
                writer.finish(b"");
                // Behind the prefix stands the one header's tag.
                let at = torap_gateway::wire::limits::PREFIX_BYTES;
                if let Some(tag) = out.get_mut(at..at + 2) {
                    tag.copy_from_slice(&UNKNOWN_CRITICAL_TAG.to_be_bytes());
                }
            }
            BadFrame::SameSequence => self.raw_message(&mut out, self.stream.sent)?,
            BadFrame::SequenceGap => self.raw_message(&mut out, self.stream.sent + GAP)?,
        }
        self.note(Way::ToHost, json!({ "frame": format!("{what:?}") }));
        if let Some(number) = self.current {
            self.streams.write(number, &out);
        }
        let wanted = match what {
            BadFrame::UnknownType => ErrorCode::UnknownType.number(),
            BadFrame::UnknownCriticalHeader => ErrorCode::UnknownCriticalHeader.number(),
            BadFrame::SameSequence => return Ok(()),
            BadFrame::SequenceGap => ErrorCode::SequenceGap.number(),
        };
        match self.turn_until(LEAVE_WITHIN, |bench| bench.errors.contains(&wanted))? {
            true => Ok(()),
            false => Err(format!("it did not answer with error {wanted}")),
        }
    }

    /// The last message that went out, in a frame of its own with this sequence.
    fn raw_message(&self, out: &mut BytesMut, sequence: u64) -> Result<(), String> {
        let last = self.stream.get(self.stream.sent);
        let Some(Letter::Message {
            content_type, body, ..
        }) = last
        else {
            return Err("catalogue: no message was sent yet".into());
        };
        let mut writer = FrameWriter::begin(out, WIRE_VERSION, FrameType::Data, Flags::NONE);
        writer.u16(Tag::ContentType, content_type.number());
        writer.u64(Tag::Sequence, sequence);
        writer.finish(body);
        Ok(())
    }

    pub(super) fn skip(&mut self) -> Result<(), String> {
        self.ready()?;
        self.stream.push(Letter::Skip);
        Ok(())
    }

    pub(super) fn unknown_content(&mut self) -> Result<(), String> {
        self.ready()?;
        let body = b"of a later version".to_vec();
        self.stream.push(Letter::Message {
            content_type: ContentType::from_number(UNKNOWN_CONTENT),
            marked: body.clone(),
            body,
        });
        Ok(())
    }

    pub(super) fn acknowledged(&mut self, within: Duration) -> Result<(), String> {
        self.ready()?;
        let done = |bench: &Self| bench.stream.acknowledged >= bench.stream.last();
        match self.turn_until(within, done)? {
            true => Ok(()),
            false => Err(format!(
                "it acknowledged {} of {} within {} ms",
                self.stream.acknowledged,
                self.stream.last(),
                within.as_millis()
            )),
        }
    }

    pub(super) fn lose(&mut self, name: &str) -> Result<(), String> {
        self.loses = true;
        let within = LEAVE_WITHIN.max(self.patience);
        let lost = |bench: &Self| bench.lost.contains_key("");
        if !self.turn_until(within, lost)? {
            return Err("no message came".into());
        }
        if let Some(received) = self.lost.remove("") {
            self.lost.insert(name.into(), received);
        }
        Ok(())
    }

    pub(super) fn resent(&mut self, of: &str, within: Duration) -> Result<(), String> {
        let lost = self.lost.get(of).cloned();
        let lost = lost.ok_or_else(|| format!("catalogue: nothing is called `{of}`"))?;
        let again = self.next_message(within.max(self.patience))?;
        let again = again.ok_or("it did not come again")?;
        if again.sequence != lost.sequence || again.body != lost.body {
            return Err("something else came under its sequence, or the same under another".into());
        }
        if !again.possible_duplicate {
            return Err("it came again without POSSIBLE_DUPLICATE".into());
        }
        let facts = self.read(&again)?;
        self.keep(of, facts, Vec::new());
        Ok(())
    }
}
