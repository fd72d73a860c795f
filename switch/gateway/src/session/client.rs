//! The bank's end of a link.

use bytes::BytesMut;
use torap_domain::{Bic, Sequence};

use super::inbound::{AcknowledgePolicy, InboundTerms, Message};
use super::link::{CloseReason, Link, LinkEvent, Side, Terms};
use super::outbound::{Outgoing, SendError, Wants};
use super::proof::{Prover, Secret, Transcript};
use crate::wire::limits::{
    ACKNOWLEDGE_DELAY_NS, ACKNOWLEDGE_EVERY, BICS_MAX, FORWARD_HEADROOM_BYTES, HEARTBEAT_MS_MAX,
    HEARTBEAT_MS_MIN,
};
use crate::wire::{
    Challenge, ErrorCode, Frame, Hello, Mode, Name, Nonce, Packet, PeerError, SignOn, SignedOn,
    Versions, Window,
};

/// Who signs on, and how.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The participant's name.
    pub name: Name,
    /// TEST or LIVE.
    pub mode: Mode,
    /// The BICs that the session speaks for, 1 to 16.
    pub bics: Vec<Bic>,
    /// The secret shared with the switch.
    pub secret: Secret,
    /// The last sequence of the switch's stream that the bank holds safely; 0 for none.
    pub held: Sequence,
    /// The heartbeat wished, in milliseconds; `None` leaves it to the switch.
    pub heartbeat_ms: Option<u32>,
    /// What the bank holds unacknowledged, in both directions.
    pub window: Window,
    /// Acknowledge at the latest after so many confirmed sequences.
    pub acknowledge_every: u32,
    /// Acknowledge at the latest this long after a confirmation, in nanoseconds.
    pub acknowledge_delay_ns: u64,
}

impl ClientConfig {
    /// The named limits as they stand, for a bank that holds nothing of the switch's stream yet.
    pub fn new(name: Name, mode: Mode, bics: Vec<Bic>, secret: Secret) -> ClientConfig {
        ClientConfig {
            name,
            mode,
            bics,
            secret,
            held: Sequence::ZERO,
            heartbeat_ms: None,
            window: Window::DEFAULT,
            acknowledge_every: ACKNOWLEDGE_EVERY,
            acknowledge_delay_ns: ACKNOWLEDGE_DELAY_NS,
        }
    }
}

/// What the bank's host has to know or to do.
#[derive(Debug)]
pub enum ClientEvent {
    /// Both sides are proven. Send again everything behind what the switch holds, in order.
    SignedOn {
        /// The switch's name.
        switch: Name,
        /// The last sequence of the bank's stream that the switch holds durably.
        held_by_switch: Sequence,
    },
    /// A message. Confirm it once it is safe.
    Message(Message),
    /// A sequence whose message is no longer delivered. Confirm it like a message.
    Skipped {
        /// The sequence used up.
        sequence: Sequence,
    },
    /// A message from the switch was refused on the link. Confirm it like a message.
    Refused {
        /// The sequence used up.
        sequence: Sequence,
        /// Why.
        code: ErrorCode,
    },
    /// The switch holds everything up to here durably.
    Acknowledged {
        /// The last sequence it holds.
        upto: Sequence,
    },
    /// The switch refused something; the link lives on.
    PeerError(PeerError),
    /// The session is over: flush the output, then close the socket.
    Closed(CloseReason),
}

/// The bank's end of one link. See the module for how it is driven.
#[derive(Debug)]
pub struct ClientSession {
    config: ClientConfig,
    link: Link,
    state: State,
}

#[derive(Debug)]
enum State {
    /// CHALLENGE is to come.
    Challenge { transcript: Transcript },
    /// SIGNED_ON is to come.
    SignedOn {
        transcript: Transcript,
        switch: Name,
    },
    /// Sign-on is over, well or badly; the link knows the rest.
    Done,
}

link_methods!(ClientSession);

impl ClientSession {
    /// A session for a connection that was just made; HELLO is in the output at once.
    ///
    /// `nonce` is 32 fresh random bytes. `channel_binding` is the TLS exporter value of the connection, at
    /// most 64 bytes, or empty on plain TCP.
    ///
    /// # Panics
    /// If there is no BIC, or more than the limit.
    pub fn new(
        config: ClientConfig,
        nonce: Nonce,
        channel_binding: &[u8],
        now: u64,
    ) -> ClientSession {
        assert!(
            (1..=BICS_MAX).contains(&config.bics.len()),
            "a session speaks for 1 to 16 BICs"
        );
        let hello = Hello {
            versions: Versions::OURS,
            name: config.name,
            mode: config.mode,
            bics: config.bics.clone(),
            held: config.held,
            nonce,
            heartbeat_ms: config.heartbeat_ms,
            window: config.window,
        };
        let mut link = Link::new(Side::Bank, now);
        let mut transcript = Transcript::new(channel_binding);
        let start = hello.write(link.output());
        transcript.add(&link.output()[start..]);
        ClientSession {
            config,
            link,
            state: State::Challenge { transcript },
        }
    }

    /// What happened next. Decodes one frame at a time: call until `None`, also after having confirmed or
    /// resumed; stop calling to hold the intake back.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        loop {
            if let Some(event) = self.link.pop_event() {
                return Some(event.into());
            }
            let Some(frame) = self.link.next_frame() else {
                return self.link.pop_event().map(ClientEvent::from);
            };
            if self.link.is_open() {
                self.link.handle_frame(&frame);
            } else if let Some(event) = self.handle_sign_on(&frame) {
                return Some(event);
            }
        }
    }

    /// Everything from the switch up to `upto` is safe with the bank. The switch is told soon: on the next
    /// message, after `acknowledge_every` sequences or after `acknowledge_delay_ns`.
    pub fn confirm(&mut self, upto: Sequence) {
        self.link.acknowledge(upto);
    }

    fn handle_sign_on(&mut self, frame: &Frame) -> Option<ClientEvent> {
        let packet = match Packet::parse(frame) {
            Ok(packet) => packet,
            Err(error) => {
                self.link.fail(error);
                return None;
            }
        };
        match (std::mem::replace(&mut self.state, State::Done), packet) {
            (State::Challenge { transcript }, Packet::Challenge(challenge)) => {
                self.handle_challenge(challenge, frame, transcript);
                None
            }
            (State::SignedOn { transcript, switch }, Packet::SignedOn(signed_on)) => {
                self.handle_signed_on(signed_on, frame, transcript, switch)
            }
            (_, Packet::SignOff(sign_off)) => {
                self.link.handle_sign_off(sign_off);
                None
            }
            (_, Packet::Error(error)) => {
                self.link.close(CloseReason::PeerError(error));
                None
            }
            _ => {
                self.link.fail_with(ErrorCode::UnexpectedFrame);
                None
            }
        }
    }

    fn handle_challenge(
        &mut self,
        challenge: Challenge,
        frame: &Frame,
        mut transcript: Transcript,
    ) {
        let chosen = Versions {
            min: challenge.version,
            max: challenge.version,
        };
        let Some(version) = Versions::OURS.agree(chosen) else {
            return self.link.fail_with(ErrorCode::NoCommonVersion);
        };
        transcript.add(frame.bytes());
        self.link.agree_version(version);
        let output = self.link.output();
        let start = SignOn { mac: [0; 32] }.write(output, version);
        transcript.seal(&self.config.secret, Prover::Bank, &mut output[start..]);
        self.state = State::SignedOn {
            transcript,
            switch: challenge.name,
        };
    }

    fn handle_signed_on(
        &mut self,
        signed_on: SignedOn,
        frame: &Frame,
        mut transcript: Transcript,
        switch: Name,
    ) -> Option<ClientEvent> {
        if !transcript.verify(&self.config.secret, Prover::Switch, frame.bytes()) {
            self.link.fail_with(ErrorCode::BadCredentials);
            return None;
        }
        let send_bytes_max = usize::try_from(signed_on.message_bytes_max).unwrap_or(usize::MAX);
        let every = u64::from(self.config.acknowledge_every.max(1));
        self.link.open(Terms {
            heartbeat_ms: signed_on
                .heartbeat_ms
                .clamp(HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX),
            inbound: InboundTerms {
                // A content type that a newer switch invents is for the application to step over.
                accepts: |_| true,
                window: self.config.window,
                message_bytes_max: send_bytes_max.saturating_add(FORWARD_HEADROOM_BYTES),
                acknowledge: AcknowledgePolicy {
                    every,
                    delay_ns: self.config.acknowledge_delay_ns,
                },
            },
            inbound_held: self.config.held,
            send_window: self.config.window.narrowest(signed_on.window),
            send_bytes_max,
            outbound_held: signed_on.held,
        });
        Some(ClientEvent::SignedOn {
            switch,
            held_by_switch: signed_on.held,
        })
    }
}

impl From<LinkEvent> for ClientEvent {
    fn from(event: LinkEvent) -> ClientEvent {
        match event {
            LinkEvent::Message(message) => ClientEvent::Message(message),
            LinkEvent::Skipped(sequence) => ClientEvent::Skipped { sequence },
            LinkEvent::Refused { sequence, code } => ClientEvent::Refused { sequence, code },
            LinkEvent::Acknowledged(upto) => ClientEvent::Acknowledged { upto },
            LinkEvent::PeerError(error) => ClientEvent::PeerError(error),
            LinkEvent::Closed(reason) => ClientEvent::Closed(reason),
        }
    }
}
