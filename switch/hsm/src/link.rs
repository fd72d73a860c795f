//! The switch's end of a connection to an HSM that speaks the protocol of docs/hsm.md.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{Buf, BytesMut};
use zeroize::Zeroize;

use crate::limits::{
    CONNECT_NS_MAX, ECHO_NS, INPUT_BYTES_MAX, OUTPUT_BYTES_MAX, RECONNECT_NS_MAX, RECONNECT_NS_MIN,
    REQUEST_NS_MAX, REQUESTS_IN_FLIGHT_MAX, SILENCE_NS_MAX,
};
use crate::port::{Answer, DownReason, Failure, HsmEvent, NotTaken, PaymentHsm, RequestId};
use crate::request::{Command, Request};
use crate::response::Response;
use crate::wire::{Frame, decode_response, encode_request};

/// How a link behaves. Times are nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HsmLinkConfig {
    /// Most requests under way; the HSM may say fewer.
    pub in_flight_max: usize,
    /// Time from [`HsmEvent::Connect`] until the HSM must have said who it is.
    pub connect_ns_max: u64,
    /// Idle time after which an echo is sent.
    pub echo_ns: u64,
    /// Silence of an HSM that has been asked something after which the connection is given up.
    pub silence_ns_max: u64,
    /// First pause before a new connection; doubles with every failure.
    pub reconnect_ns_min: u64,
    /// Longest pause before a new connection.
    pub reconnect_ns_max: u64,
}

impl Default for HsmLinkConfig {
    /// The named limits as they stand.
    fn default() -> Self {
        HsmLinkConfig {
            in_flight_max: REQUESTS_IN_FLIGHT_MAX,
            connect_ns_max: CONNECT_NS_MAX,
            echo_ns: ECHO_NS,
            silence_ns_max: SILENCE_NS_MAX,
            reconnect_ns_min: RECONNECT_NS_MIN,
            reconnect_ns_max: RECONNECT_NS_MAX,
        }
    }
}

/// The switch's end of one connection, over all its reconnects. See [`PaymentHsm`] for how it is driven.
///
/// Answers come in any order. A request that is under way when the connection breaks fails; it is never sent again.
#[derive(Debug)]
pub struct HsmLink {
    config: HsmLinkConfig,
    now: u64,
    phase: Phase,
    pause_ns: u64,
    input: Wiped,
    ended: bool,
    output: Wiped,
    events: VecDeque<HsmEvent>,
    last_id: u64,
    in_flight: BTreeMap<RequestId, Asked>,
    deadlines: BTreeSet<(u64, RequestId)>,
    in_flight_max: usize,
    last_heard: u64,
    /// Since when the HSM owes a sign of life.
    asked_since: Option<u64>,
    late_answers: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Until it is time to connect.
    Pausing {
        until: u64,
    },
    /// The driver is connecting.
    Connecting {
        deadline: u64,
    },
    /// Connected; the HSM is to say who it is.
    Greeting {
        deadline: u64,
    },
    Up,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    command: Command,
    asked_at: u64,
    deadline: u64,
    /// Asked by the link itself: nobody waits for the answer.
    own: bool,
}

/// Bytes that hold PANs and PIN blocks: never shown, wiped when dropped here.
#[derive(Default)]
struct Wiped(BytesMut);

impl HsmLink {
    /// A link whose first event is [`HsmEvent::Connect`].
    pub fn new(config: HsmLinkConfig, now: u64) -> HsmLink {
        let mut link = HsmLink {
            now,
            phase: Phase::Pausing { until: now },
            pause_ns: config.reconnect_ns_min,
            input: Wiped::default(),
            ended: false,
            output: Wiped::default(),
            events: VecDeque::new(),
            last_id: 0,
            in_flight: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            in_flight_max: 0,
            last_heard: now,
            asked_since: None,
            late_answers: 0,
            config,
        };
        link.connect();
        link
    }

    /// Answers that came after their request had timed out, since the beginning.
    pub fn late_answers(&self) -> u64 {
        self.late_answers
    }

    fn connect(&mut self) {
        self.phase = Phase::Connecting {
            deadline: self.now.saturating_add(self.config.connect_ns_max),
        };
        self.events.push_back(HsmEvent::Connect);
    }

    fn send(
        &mut self,
        request: &Request<'_>,
        deadline: u64,
        own: bool,
    ) -> Result<RequestId, NotTaken> {
        let id = RequestId(self.last_id.saturating_add(1));
        encode_request(request, id.0, &mut self.output.0)?;
        self.last_id = id.0;
        let asked = Asked {
            command: request.command(),
            asked_at: self.now,
            deadline,
            own,
        };
        self.in_flight.insert(id, asked);
        self.deadlines.insert((deadline, id));
        self.asked_since.get_or_insert(self.now);
        Ok(id)
    }

    fn take(&mut self, id: RequestId) -> Option<Asked> {
        let asked = self.in_flight.remove(&id)?;
        self.deadlines.remove(&(asked.deadline, id));
        Some(asked)
    }

    fn answer(&mut self, id: RequestId, asked: Asked, outcome: Result<Response, Failure>) {
        if !asked.own {
            self.events.push_back(HsmEvent::Answer(Answer {
                id,
                command: asked.command,
                asked_at: asked.asked_at,
                outcome,
            }));
        }
    }

    /// Ends the connection: what is under way fails, in the order in which it was asked.
    fn disconnect(&mut self, reason: DownReason) {
        self.input.wipe();
        self.ended = false;
        self.output.wipe();
        self.deadlines.clear();
        for (id, asked) in std::mem::take(&mut self.in_flight) {
            self.answer(id, asked, Err(Failure::LinkLost));
        }
        self.asked_since = None;
        self.phase = Phase::Pausing {
            until: self.now.saturating_add(self.pause_ns),
        };
        self.pause_ns = self
            .pause_ns
            .saturating_mul(2)
            .min(self.config.reconnect_ns_max);
        self.events.push_back(HsmEvent::Disconnect(reason));
    }

    fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Greeting { .. } | Phase::Up)
    }

    /// Takes one frame off the input; false if there is none.
    fn handle_frame(&mut self) -> bool {
        if !self.is_connected() {
            return false;
        }
        let (id, command, decoded, length) = match Frame::first(&self.input.0) {
            Ok(None) => return false,
            Err(_) => {
                self.disconnect(DownReason::Unintelligible);
                return true;
            }
            Ok(Some((frame, length))) => {
                let id = RequestId(frame.correlation);
                (id, frame.command, decode_response(&frame), length)
            }
        };
        self.input.0.advance(length);
        let Ok(outcome) = decoded else {
            if let Some(asked) = self.take(id) {
                self.answer(id, asked, Err(Failure::Unintelligible));
            }
            self.disconnect(DownReason::Unintelligible);
            return true;
        };
        let Some(asked) = self.take(id) else {
            self.late_answers = self.late_answers.saturating_add(1);
            self.rest();
            return true;
        };
        self.rest();
        if asked.command != command {
            self.answer(id, asked, Err(Failure::Unintelligible));
            self.disconnect(DownReason::Unintelligible);
            return true;
        }
        match (self.phase, outcome) {
            (Phase::Greeting { .. }, Ok(Response::Diagnose(diagnosis))) => {
                let allowed = usize::try_from(diagnosis.in_flight_max).unwrap_or(usize::MAX);
                self.in_flight_max = self.config.in_flight_max.min(allowed);
                self.pause_ns = self.config.reconnect_ns_min;
                self.phase = Phase::Up;
                self.events.push_back(HsmEvent::Up(diagnosis));
            }
            (Phase::Greeting { .. }, _) => self.disconnect(DownReason::Unintelligible),
            (_, outcome) => self.answer(id, asked, outcome.map_err(Failure::Refused)),
        }
        true
    }

    /// Nothing is asked any more: silence is no fault.
    fn rest(&mut self) {
        if self.in_flight.is_empty() {
            self.asked_since = None;
        }
    }

    fn silence_deadline(&self) -> Option<u64> {
        let since = self.asked_since?;
        Some(since.saturating_add(self.config.silence_ns_max))
    }

    fn echo_deadline(&self) -> Option<u64> {
        let idle = self.phase == Phase::Up && self.asked_since.is_none();
        idle.then(|| self.last_heard.saturating_add(self.config.echo_ns))
    }

    fn expire_requests(&mut self) {
        while let Some(&(deadline, id)) = self.deadlines.first() {
            if deadline > self.now {
                return;
            }
            self.deadlines.pop_first();
            if let Some(asked) = self.in_flight.remove(&id) {
                self.answer(id, asked, Err(Failure::TimedOut));
            }
        }
    }
}

impl PaymentHsm for HsmLink {
    fn request(
        &mut self,
        request: &Request<'_>,
        deadline: u64,
        now: u64,
    ) -> Result<RequestId, NotTaken> {
        self.now = now;
        if self.phase != Phase::Up || self.ended {
            return Err(NotTaken::Down);
        }
        if !self.takes_requests() {
            return Err(NotTaken::Full);
        }
        if deadline <= now {
            return Err(NotTaken::TooLate);
        }
        self.send(
            request,
            deadline.min(now.saturating_add(REQUEST_NS_MAX)),
            false,
        )
    }

    fn takes_requests(&self) -> bool {
        self.phase == Phase::Up
            && !self.ended
            && self.in_flight.len() < self.in_flight_max
            && self.output.0.len() < OUTPUT_BYTES_MAX
    }

    fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    fn handle_connected(&mut self, now: u64) {
        self.now = now;
        if let Phase::Connecting { deadline } = self.phase {
            self.phase = Phase::Greeting { deadline };
            self.last_heard = now;
            // Diagnose is never too long.
            let _ = self.send(&Request::Diagnose, deadline, true);
        }
    }

    fn handle_bytes(&mut self, bytes: &[u8], now: u64) -> usize {
        self.now = now;
        if !self.is_connected() {
            return bytes.len();
        }
        self.last_heard = now;
        if let Some(since) = &mut self.asked_since {
            *since = now;
        }
        let taken = bytes
            .len()
            .min(INPUT_BYTES_MAX.saturating_sub(self.input.0.len()));
        self.input
            .0
            .extend_from_slice(bytes.get(..taken).unwrap_or_default());
        taken
    }

    fn handle_end(&mut self, now: u64) {
        self.now = now;
        match self.phase {
            Phase::Pausing { .. } => {}
            Phase::Connecting { .. } => self.disconnect(DownReason::Unreachable),
            Phase::Greeting { .. } | Phase::Up => self.ended = true,
        }
    }

    fn handle_timeout(&mut self, now: u64) {
        self.now = now;
        match self.phase {
            Phase::Pausing { until } if until <= now => return self.connect(),
            Phase::Connecting { deadline } | Phase::Greeting { deadline } if deadline <= now => {
                return self.disconnect(DownReason::Unreachable);
            }
            _ => {}
        }
        self.expire_requests();
        if self
            .silence_deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            return self.disconnect(DownReason::Silent);
        }
        if self.echo_deadline().is_some_and(|deadline| deadline <= now) {
            let deadline = now.saturating_add(REQUEST_NS_MAX);
            // An empty echo is never too long.
            let _ = self.send(&Request::Echo(b""), deadline, true);
        }
    }

    fn poll_timeout(&self) -> Option<u64> {
        let phase = match self.phase {
            Phase::Pausing { until } => Some(until),
            Phase::Connecting { deadline } | Phase::Greeting { deadline } => Some(deadline),
            Phase::Up => None,
        };
        let request = self.deadlines.first().map(|(deadline, _)| *deadline);
        [
            phase,
            request,
            self.silence_deadline(),
            self.echo_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn poll_event(&mut self) -> Option<HsmEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.handle_frame() {
                continue;
            }
            if !self.ended {
                return None;
            }
            let reason = match self.phase {
                Phase::Up => DownReason::LinkLost,
                _ => DownReason::Unreachable,
            };
            self.disconnect(reason);
        }
    }

    fn poll_output(&mut self, out: &mut BytesMut) -> bool {
        if self.output.0.is_empty() {
            return false;
        }
        if out.is_empty() {
            std::mem::swap(out, &mut self.output.0);
            self.output.0.clear();
        } else {
            out.extend_from_slice(&self.output.0);
            self.output.wipe();
        }
        true
    }
}

impl Wiped {
    fn wipe(&mut self) {
        self.0.zeroize();
        self.0.clear();
    }
}

impl std::fmt::Debug for Wiped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wiped({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests;
