//! The switch's end of a card link: sign-on, echo, sign-off, liveness, over a [`Transport`].
//!
//! Why it exists: what a host may do on a link, and when the switch gives it up, are rules worth running under a simulator, so they live
//! apart from sockets, clocks and threads. `now` is nanoseconds of any clock that never goes back; the wall clock comes with
//! [`CardLink::handle_timeout`], for the messages that the link writes itself.
//!
//! What it never does: it keeps no message, repeats none, and depends on no sequence. It reads network messages only; what else a
//! participant sends goes to the driver as it is.
//!
//! One turn of a driver:
//! ```text
//! handle_timeout(now, wall) → poll_event() until None, answering each → send what waits while has_room() → poll_output() → write the socket
//! → wait for the socket or poll_timeout(), read into input(), handle_input(now)
//! ```

use bytes::BytesMut;
use torap_domain::Time;
use torap_domain::card::{InstitutionId, ResponseCode, Stan, Transmission};
use torap_iso8583::{Dialect, Message, Refusal};

use super::framing::Tpdu;
use super::limits::{
    ECHO_ANSWER_NS_MAX, ECHO_IDLE_NS, SIGN_OFF_NS_MAX, SIGN_ON_NS_MAX, UNREADABLE_IN_A_ROW_MAX,
};
use super::network::{self, Trace, purpose};
use super::transport::{Broken, Framed, Transport, TransportConfig};

/// What a link speaks, and how long it waits. Times are nanoseconds.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// Frames and keep-alives.
    pub transport: TransportConfig,
    /// The dialect of its messages.
    pub dialect: &'static Dialect,
    /// The switch's own institution number, DE33 of what it sends.
    pub switch: InstitutionId,
    /// Time from the connection to the sign-on.
    pub sign_on_ns_max: u64,
    /// Time without a message after which the switch asks for an echo.
    pub echo_idle_ns: u64,
    /// Time in which any message has to come after that.
    pub echo_answer_ns_max: u64,
}

impl LinkConfig {
    /// The named limits as they stand.
    pub const fn new(
        transport: TransportConfig,
        dialect: &'static Dialect,
        switch: InstitutionId,
    ) -> LinkConfig {
        LinkConfig {
            transport,
            dialect,
            switch,
            sign_on_ns_max: SIGN_ON_NS_MAX,
            echo_idle_ns: ECHO_IDLE_NS,
            echo_answer_ns_max: ECHO_ANSWER_NS_MAX,
        }
    }
}

/// What the driver has to know or to do.
#[derive(Debug)]
pub enum LinkEvent {
    /// The first sign-on on this link: answer with [`CardLink::open`] or [`CardLink::refuse`]. Nothing else is read meanwhile.
    SignOn {
        /// DE33: who the peer says it is. Nothing is proven yet.
        institution: InstitutionId,
        /// The whole message.
        framed: Framed,
    },
    /// A message of a participant that has signed on. If it cannot be read, call [`CardLink::unreadable`].
    Message(Framed),
    /// The link is over: write what output is left, then close the socket.
    Closed(CloseReason),
}

/// Why a link is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The stream broke or could not be framed.
    Broken(Broken),
    /// No sign-on came in time.
    SignOnTimeout,
    /// Whoever signed on was turned away.
    SignOnRefused(ResponseCode),
    /// No message came, nor an answer to the echo.
    PeerSilent,
    /// Too many frames in a row were no messages.
    Unreadable,
    /// The switch signed off.
    SignedOff,
}

impl CloseReason {
    /// Stable kebab-case name, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            CloseReason::Broken(Broken::Unframeable(error)) => error.rule.name(),
            CloseReason::Broken(Broken::Flooded) => "flooded",
            CloseReason::Broken(Broken::SlowReader) => "slow-reader",
            CloseReason::Broken(Broken::Ended) => "ended",
            CloseReason::SignOnTimeout => "sign-on-timeout",
            CloseReason::SignOnRefused(_) => "sign-on-refused",
            CloseReason::PeerSilent => "peer-silent",
            CloseReason::Unreadable => "unreadable",
            CloseReason::SignedOff => "signed-off",
        }
    }
}

/// Trace number of what a link says by itself. The engine gives 1 and up: the answer to a link's own word is never taken for the
/// acknowledgement of a letter that went out in the same second.
const NEVER_GIVEN: Stan = match Stan::new(0) {
    Some(stan) => stan,
    None => panic!("zero has six digits at most"),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A sign-on is to come.
    SigningOn {
        deadline: u64,
    },
    /// The driver decides about it.
    Deciding,
    Open,
    /// The switch has signed off and waits for the answer.
    SigningOff {
        trace: Trace,
        deadline: u64,
    },
    Closed {
        reason: CloseReason,
        told: bool,
    },
}

/// The switch's end of one link. See the module for how it is driven.
#[derive(Debug)]
pub struct CardLink {
    config: LinkConfig,
    transport: Transport,
    phase: Phase,
    now: u64,
    wall: Time,
    /// When a message last came; keep-alives do not count.
    message_at: u64,
    /// The echo that was asked for and not answered, and until when.
    echo: Option<(Trace, u64)>,
    unreadable_in_a_row: u32,
    /// The driver has the last message and has not said that it cannot be read.
    unjudged: bool,
    paused: bool,
}

impl CardLink {
    /// A link for a connection that was just made, whoever made it.
    pub fn new(config: LinkConfig, now: u64, wall: Time) -> CardLink {
        CardLink {
            transport: Transport::new(config.transport, now),
            phase: Phase::SigningOn {
                deadline: now.saturating_add(config.sign_on_ns_max),
            },
            config,
            now,
            wall,
            message_at: now,
            echo: None,
            unreadable_in_a_row: 0,
            unjudged: false,
            paused: false,
        }
    }

    /// The buffer into which the socket is read; then [`CardLink::handle_input`]. Read only while [`CardLink::wants_input`].
    pub fn input(&mut self) -> &mut BytesMut {
        self.transport.input()
    }

    /// Bytes were read into [`CardLink::input`].
    pub fn handle_input(&mut self, now: u64) {
        self.now = now;
        self.transport.handle_input(now);
    }

    /// Copies bytes from the stream; returns how many were taken.
    #[must_use = "bytes that were not taken have to be offered again"]
    pub fn handle_bytes(&mut self, bytes: &[u8], now: u64) -> usize {
        self.now = now;
        self.transport.handle_bytes(bytes, now)
    }

    /// The stream ended or broke. What was read before is still delivered, then `Closed`.
    pub fn handle_end(&mut self, now: u64) {
        self.now = now;
        self.transport.handle_end(now);
    }

    /// Whether the socket should be read now.
    pub fn wants_input(&self) -> bool {
        !self.is_gated() && !self.is_closed() && self.transport.wants_input()
    }

    /// What happened next. Reads one message at a time: a driver that stops asking stops the intake.
    pub fn poll_event(&mut self) -> Option<LinkEvent> {
        loop {
            if let Phase::Closed { reason, told } = &mut self.phase {
                let first = !std::mem::replace(told, true);
                return first.then_some(LinkEvent::Closed(*reason));
            }
            if self.is_gated() {
                return None;
            }
            match self.transport.next_message()? {
                Err(broken) => self.close(CloseReason::Broken(broken)),
                Ok(framed) => {
                    self.message_at = self.now;
                    if let Some(event) = self.handle_message(framed) {
                        return Some(event);
                    }
                }
            }
        }
    }

    /// Answers [`LinkEvent::SignOn`]: the peer is a participant. The answer to the message itself comes from the engine.
    pub fn open(&mut self) {
        if self.phase == Phase::Deciding {
            self.phase = Phase::Open;
        }
    }

    /// Answers [`LinkEvent::SignOn`]: the peer is turned away with this code, and the link closed.
    pub fn refuse(&mut self, framed: &Framed, code: ResponseCode) {
        if self.phase == Phase::Deciding {
            self.answer(framed, code);
            self.close(CloseReason::SignOnRefused(code));
        }
    }

    /// A frame could not be read as a message: the peer is told why. Too many of them in a row end the link.
    pub fn unreadable(&mut self, framed: &Framed, refusal: &Refusal) {
        self.refuse_frame(framed, &refusal.to_string());
    }

    /// Whether there is room for another message to send.
    pub fn has_room(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::SigningOff { .. }) && self.transport.has_room()
    }

    /// Sends what `write` appends to the buffer it is given: one message. In answer to a message that came with a TPDU, `to` is that
    /// TPDU. False, and nothing sent, if nothing or too much was written.
    pub fn send_with(
        &mut self,
        to: Option<Tpdu>,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> bool {
        self.transport.send_with(to, write)
    }

    /// As [`CardLink::send_with`], for a message that is written already.
    pub fn send(&mut self, to: Option<Tpdu>, message: &[u8]) -> bool {
        self.transport.send(to, message)
    }

    /// Moves all pending output to the end of `out`; see [`Transport::poll_output`].
    pub fn poll_output(&mut self, out: &mut Vec<u8>, now: u64) -> bool {
        self.now = now;
        self.transport.poll_output(out, now)
    }

    /// When [`CardLink::handle_timeout`] wants to be called next; ask again after every other call.
    pub fn poll_timeout(&self) -> Option<u64> {
        let own = match self.phase {
            Phase::SigningOn { deadline } | Phase::SigningOff { deadline, .. } => Some(deadline),
            Phase::Open if self.paused => None,
            Phase::Open => Some(match self.echo {
                Some((_, deadline)) => deadline,
                None => self.message_at.saturating_add(self.config.echo_idle_ns),
            }),
            Phase::Deciding => None,
            Phase::Closed { .. } => return None,
        };
        [own, self.transport.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what time demands: echo, keep-alive, giving up. `wall` is the time that messages of the link itself state.
    pub fn handle_timeout(&mut self, now: u64, wall: Time) {
        self.now = now;
        self.wall = wall;
        self.transport.handle_timeout(now);
        match self.phase {
            Phase::SigningOn { deadline } if now >= deadline => {
                self.close(CloseReason::SignOnTimeout);
            }
            Phase::SigningOff { deadline, .. } if now >= deadline => {
                self.close(CloseReason::SignedOff);
            }
            // What the peer said meanwhile was not read; that is not its fault.
            Phase::Open if self.paused => self.message_at = now,
            Phase::Open => self.ask_for_life(),
            _ => {}
        }
    }

    /// Holds the intake back: nothing is read, and the peer's silence does not count.
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// Ends [`CardLink::pause`]; poll events afterwards.
    pub fn resume(&mut self) {
        if std::mem::take(&mut self.paused) {
            self.message_at = self.now;
            self.echo = None;
        }
    }

    /// Signs off in good order. What the peer sent meanwhile is still taken, until it answers or five seconds have passed.
    pub fn sign_off(&mut self) {
        match self.phase {
            Phase::Open => {
                let trace = self.own_trace();
                let (dialect, switch, now) = (self.config.dialect, self.config.switch, self.wall);
                self.transport.send_with(None, |out| {
                    network::write_question(dialect, purpose::SIGN_OFF, trace, switch, now, out)
                });
                self.phase = Phase::SigningOff {
                    trace,
                    deadline: self.now.saturating_add(SIGN_OFF_NS_MAX),
                };
            }
            Phase::SigningOn { .. } | Phase::Deciding => self.close(CloseReason::SignedOff),
            Phase::SigningOff { .. } | Phase::Closed { .. } => {}
        }
    }

    /// Whether the link is over: only pending output is left.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    /// The dialect of its messages.
    pub fn dialect(&self) -> &'static Dialect {
        self.config.dialect
    }

    fn is_gated(&self) -> bool {
        self.paused || self.phase == Phase::Deciding
    }

    fn handle_message(&mut self, framed: Framed) -> Option<LinkEvent> {
        let is_open = matches!(self.phase, Phase::Open | Phase::SigningOff { .. });
        if std::mem::take(&mut self.unjudged) {
            self.unreadable_in_a_row = 0;
        }
        if is_open && network::peek_class(self.config.dialect, &framed.message) != Some(8) {
            self.unjudged = true;
            return Some(LinkEvent::Message(framed));
        }
        let bytes = framed.message.clone();
        let message = match Message::parse(self.config.dialect, &bytes) {
            Ok(message) => message,
            Err(refusal) => {
                self.unreadable(&framed, &refusal);
                return None;
            }
        };
        if is_open {
            self.handle_network(&message, framed)
        } else {
            self.handle_sign_on(&message, framed)
        }
    }

    fn handle_sign_on(&mut self, message: &Message<'_>, framed: Framed) -> Option<LinkEvent> {
        let is_question = !message.mti().is_answer();
        let is_sign_on = network::purpose_of(message, &mut [0; 3]) == Some(purpose::SIGN_ON);
        if !(is_question && is_sign_on) {
            self.refuse_frame(&framed, "sign-on comes first: 0800 with 001 in field 70");
            return None;
        }
        let mut text = [0; 16];
        let institution = message
            .text(33, &mut text)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| InstitutionId::parse(digits).ok());
        let Some(institution) = institution else {
            self.refuse_frame(&framed, "field 33: a sign-on names who signs on");
            return None;
        };
        self.unreadable_in_a_row = 0;
        self.phase = Phase::Deciding;
        Some(LinkEvent::SignOn {
            institution,
            framed,
        })
    }

    /// Echoes, and the answers to what the link itself asked, are its own affair; the rest is the driver's.
    fn handle_network(&mut self, message: &Message<'_>, framed: Framed) -> Option<LinkEvent> {
        self.unreadable_in_a_row = 0;
        let mut text = [0; 3];
        let purpose = network::purpose_of(message, &mut text);
        if message.mti().is_answer() {
            let trace = Trace::of(message);
            if self.echo.is_some_and(|(echo, _)| trace == Some(echo)) {
                self.echo = None;
                return None;
            }
            if let Phase::SigningOff { trace: ours, .. } = self.phase
                && trace == Some(ours)
            {
                self.close(CloseReason::SignedOff);
                return None;
            }
            // A late answer to an older echo says nothing new.
            return (purpose != Some(purpose::ECHO)).then_some(LinkEvent::Message(framed));
        }
        if purpose == Some(purpose::ECHO) {
            self.answer(&framed, ResponseCode::APPROVED);
            return None;
        }
        Some(LinkEvent::Message(framed))
    }

    fn ask_for_life(&mut self) {
        match self.echo {
            // Any message is as good as the answer.
            Some((_, deadline))
                if self.message_at > deadline.saturating_sub(self.config.echo_answer_ns_max) =>
            {
                self.echo = None;
            }
            Some((_, deadline)) if self.now >= deadline => self.close(CloseReason::PeerSilent),
            None if self.now >= self.message_at.saturating_add(self.config.echo_idle_ns) => {
                let trace = self.own_trace();
                let (dialect, switch, now) = (self.config.dialect, self.config.switch, self.wall);
                self.transport.send_with(None, |out| {
                    network::write_question(dialect, purpose::ECHO, trace, switch, now, out)
                });
                let deadline = self.now.saturating_add(self.config.echo_answer_ns_max);
                self.echo = Some((trace, deadline));
            }
            _ => {}
        }
    }

    fn answer(&mut self, framed: &Framed, code: ResponseCode) {
        let (dialect, now) = (self.config.dialect, self.wall);
        self.transport.send_with(framed.tpdu, |out| {
            Message::parse(dialect, &framed.message)
                .is_ok_and(|question| network::write_answer(&question, code, now, out))
        });
    }

    fn refuse_frame(&mut self, framed: &Framed, text: &str) {
        let trace = self.own_trace();
        let (dialect, switch, now) = (self.config.dialect, self.config.switch, self.wall);
        self.transport.send_with(framed.tpdu, |out| {
            network::write_unreadable(dialect, text, trace, switch, now, out)
        });
        self.unjudged = false;
        self.unreadable_in_a_row = self.unreadable_in_a_row.saturating_add(1);
        if self.unreadable_in_a_row >= UNREADABLE_IN_A_ROW_MAX {
            self.close(CloseReason::Unreadable);
        }
    }

    /// The trace of a message that the link writes itself.
    fn own_trace(&self) -> Trace {
        Trace {
            transmission: Transmission::at(self.wall),
            stan: NEVER_GIVEN,
        }
    }

    fn close(&mut self, reason: CloseReason) {
        if !self.is_closed() {
            self.phase = Phase::Closed {
                reason,
                told: false,
            };
        }
    }
}

#[cfg(test)]
mod tests;
