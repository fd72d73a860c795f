//! The switch's end of a link.

use bytes::BytesMut;
use torap_domain::{Bic, ParticipantId, Sequence};

use super::inbound::{AcknowledgePolicy, InboundTerms, Message};
use super::link::{CloseReason, Link, LinkEvent, Side, Terms};
use super::outbound::{Outgoing, SendError, Wants};
use super::proof::{Prover, Secret, Transcript};
use crate::wire::limits::{
    BANK_MESSAGE_BYTES_MAX, FORWARD_HEADROOM_BYTES, HEARTBEAT_MS, HEARTBEAT_MS_MAX,
    HEARTBEAT_MS_MIN,
};
use crate::wire::{
    Challenge, ContentType, ErrorCode, Frame, FrameType, Hello, Mode, Name, Nonce, Packet,
    PeerError, SignedOn, Versions, Window,
};

/// What a switch says of itself on every link.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The switch's name.
    pub name: Name,
    /// TEST or LIVE; a bank has to state the same.
    pub mode: Mode,
    /// What the switch holds unacknowledged per link, in both directions.
    pub window: Window,
    /// Largest message that a bank may send, in bytes; the switch's own may be [`FORWARD_HEADROOM_BYTES`] longer.
    pub message_bytes_max: u32,
    /// Heartbeat for banks that wish none of their own, in milliseconds.
    pub heartbeat_ms: u32,
}

impl ServerConfig {
    /// The named limits as they stand.
    pub fn new(name: Name, mode: Mode) -> ServerConfig {
        ServerConfig {
            name,
            mode,
            window: Window::DEFAULT,
            message_bytes_max: u32::try_from(BANK_MESSAGE_BYTES_MAX).unwrap_or(u32::MAX),
            heartbeat_ms: HEARTBEAT_MS,
        }
    }
}

/// What the switch knows of a participant that signs on.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The secret shared with the participant.
    pub secret: Secret,
    /// The participant's slot.
    pub participant: ParticipantId,
    /// The BICs that its sessions may speak for.
    pub bics: Vec<Bic>,
}

/// Where both streams stand when a participant is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The last sequence from the bank that is durable; 0 for none.
    pub inbound_held: Sequence,
    /// The last sequence that was ever produced for the bank; 0 for none.
    pub outbound_last: Sequence,
}

/// What took a sequence of the switch's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The message.
    Message,
    /// SKIP, because the message can never be sent.
    Skipped(SendError),
}

/// What the driver has to know or to do.
#[derive(Debug)]
pub enum ServerEvent {
    /// Answer with [`ServerSession::provide_secret`]. Nothing is proven yet: change nothing, supersede nobody.
    SecretWanted {
        /// The name that the peer claims.
        name: Name,
    },
    /// The peer proved who it is. Supersede the participant's older session, let what it brought become
    /// durable, then answer with [`ServerSession::admit`] or [`ServerSession::refuse`].
    Authenticated {
        /// The participant, as the credentials said.
        participant: ParticipantId,
        /// Its name.
        name: Name,
        /// The mode, equal to the switch's.
        mode: Mode,
        /// The BICs that this session speaks for, all of them allowed.
        bics: Vec<Bic>,
        /// The last sequence of the switch's stream that the bank holds.
        held: Sequence,
    },
    /// A message. Acknowledge it once it is durable.
    Message(Message),
    /// A message was refused on the link and the bank was told so. Its sequence counts as received: note
    /// durably that it is used up, like a message with nothing in it.
    Refused {
        /// The sequence used up.
        sequence: Sequence,
        /// Why.
        code: ErrorCode,
    },
    /// The bank holds everything up to here.
    Acknowledged {
        /// The last sequence it holds.
        upto: Sequence,
    },
    /// The bank refused something; the link lives on.
    PeerError(PeerError),
    /// The session is over: flush the output, then close the socket.
    Closed(CloseReason),
}

/// The switch's end of one link. See the module for how it is driven.
#[derive(Debug)]
pub struct ServerSession {
    config: ServerConfig,
    link: Link,
    state: State,
    /// What a wrong proof is refused with.
    wrong_proof: ErrorCode,
}

#[derive(Debug)]
enum State {
    /// HELLO is to come.
    Hello {
        nonce: Nonce,
        transcript: Transcript,
    },
    /// The driver is looking up the secret; nothing is read meanwhile.
    Secret {
        hello: Hello,
        transcript: Transcript,
    },
    /// SIGN_ON is to come. `None`: nobody of that name.
    Proof {
        hello: Hello,
        transcript: Transcript,
        credentials: Option<Credentials>,
    },
    /// The driver is making room; nothing is read meanwhile.
    Admission {
        hello: Hello,
        transcript: Transcript,
        secret: Secret,
    },
    /// Sign-on is over, well or badly; the link knows the rest.
    Done,
}

link_methods!(ServerSession);

impl ServerSession {
    /// A session for a connection that was just accepted.
    ///
    /// `nonce` is 32 fresh random bytes. `channel_binding` is the TLS exporter value of the connection, at
    /// most 64 bytes, or empty on plain TCP.
    pub fn new(
        config: ServerConfig,
        nonce: Nonce,
        channel_binding: &[u8],
        now: u64,
    ) -> ServerSession {
        let transcript = Transcript::new(channel_binding);
        ServerSession {
            config,
            link: Link::new(Side::Switch, now),
            state: State::Hello { nonce, transcript },
            wrong_proof: ErrorCode::BadCredentials,
        }
    }

    /// What happened next. Decodes one frame at a time: call until `None`, also after having acknowledged,
    /// resumed, provided or admitted; stop calling to hold the intake back.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        loop {
            if let Some(event) = self.link.pop_event() {
                return Some(event.into());
            }
            if let State::Secret { .. } | State::Admission { .. } = self.state {
                self.link.close_if_ended();
                return self.link.pop_event().map(ServerEvent::from);
            }
            let Some(frame) = self.link.next_frame() else {
                return self.link.pop_event().map(ServerEvent::from);
            };
            if self.link.is_open() {
                self.link.handle_frame(&frame);
            } else if let Some(event) = self.handle_sign_on(&frame) {
                return Some(event);
            }
        }
    }

    /// Answers [`ServerEvent::SecretWanted`]; `None` for an unknown participant, which to the peer looks
    /// exactly like a wrong secret. Ignored when nothing was asked.
    pub fn provide_secret(&mut self, credentials: Option<Credentials>) {
        self.state = match std::mem::replace(&mut self.state, State::Done) {
            State::Secret { hello, transcript } => State::Proof {
                hello,
                transcript,
                credentials,
            },
            other => other,
        };
    }

    /// A wrong proof is refused with this code instead of [`ErrorCode::BadCredentials`]; a right one is taken all the same.
    pub fn refuse_proof_with(&mut self, code: ErrorCode) {
        self.wrong_proof = code;
    }

    /// Answers [`ServerEvent::Authenticated`]: the session opens and the switch's stream goes on behind what
    /// the bank holds. A bank that holds more than was ever sent is refused. Ignored when nothing was asked.
    pub fn admit(&mut self, admission: Admission) {
        let State::Admission {
            hello,
            mut transcript,
            secret,
        } = std::mem::replace(&mut self.state, State::Done)
        else {
            return;
        };
        if self.link.is_closed() {
            return;
        }
        if hello.held > admission.outbound_last {
            return self.link.fail_with(ErrorCode::HeldAhead);
        }
        let signed_on = self.terms_for(&hello, admission.inbound_held);
        let version = self.link.version();
        let message_bytes_max = usize::try_from(signed_on.message_bytes_max).unwrap_or(usize::MAX);
        let output = self.link.output();
        let start = signed_on.write(output, version);
        transcript.seal(&secret, Prover::Switch, &mut output[start..]);
        self.link.open(Terms {
            heartbeat_ms: signed_on.heartbeat_ms,
            inbound: InboundTerms {
                accepts: |content_type| {
                    matches!(
                        content_type,
                        ContentType::Iso20022Xml | ContentType::CommandJson
                    )
                },
                window: self.config.window,
                message_bytes_max,
                // The driver acknowledges what a sync made durable, many at a time already.
                acknowledge: AcknowledgePolicy {
                    every: 1,
                    delay_ns: 0,
                },
            },
            inbound_held: admission.inbound_held,
            send_window: self.config.window.narrowest(hello.window),
            send_bytes_max: message_bytes_max.saturating_add(FORWARD_HEADROOM_BYTES),
            outbound_held: hello.held,
        });
    }

    /// Ends the session with an error, during sign-on or later.
    pub fn refuse(&mut self, code: ErrorCode) {
        self.link.fail_with(code);
    }

    /// Ends the session because the same participant signed on again.
    pub fn supersede(&mut self) {
        self.refuse(ErrorCode::Superseded);
    }

    /// Everything from the bank up to `upto` is durable. The next output tells the bank.
    pub fn acknowledge(&mut self, upto: Sequence) {
        self.link.acknowledge(upto);
    }

    /// Sends SKIP in place of a message that is no longer to be delivered.
    ///
    /// # Errors
    /// Nothing was sent; as for [`ServerSession::send`].
    pub fn skip(&mut self, sequence: Sequence) -> Result<(), SendError> {
        self.link.skip(sequence)
    }

    /// Sends a message, or SKIP in its place if it can never be sent: a stream must not stand still for one message.
    ///
    /// # Errors
    /// Nothing was sent; it is to be tried again when the session wants more. Never [`SendError::TooLarge`] or
    /// [`SendError::BadHeader`].
    pub fn send_or_skip(
        &mut self,
        sequence: Sequence,
        message: &Outgoing<'_>,
    ) -> Result<Sent, SendError> {
        match self.send(sequence, message) {
            Ok(()) => Ok(Sent::Message),
            Err(never @ (SendError::TooLarge | SendError::BadHeader)) => {
                self.skip(sequence).map(|()| Sent::Skipped(never))
            }
            Err(
                later @ (SendError::NotOpen
                | SendError::WrongSequence { .. }
                | SendError::WindowFull),
            ) => Err(later),
        }
    }

    fn terms_for(&self, hello: &Hello, held: Sequence) -> SignedOn {
        let wished = hello.heartbeat_ms.unwrap_or(self.config.heartbeat_ms);
        SignedOn {
            held,
            heartbeat_ms: wished.clamp(HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX),
            window: self.config.window,
            message_bytes_max: self.config.message_bytes_max,
            mac: [0; 32],
        }
    }

    fn handle_sign_on(&mut self, frame: &Frame) -> Option<ServerEvent> {
        if let Some(FrameType::Data | FrameType::Acknowledge | FrameType::Skip) =
            FrameType::from_number(frame.number())
        {
            self.link.fail_with(ErrorCode::NotSignedOn);
            return None;
        }
        let packet = match Packet::parse(frame) {
            Ok(packet) => packet,
            Err(error) => {
                self.link.fail(error);
                return None;
            }
        };
        match (std::mem::replace(&mut self.state, State::Done), packet) {
            (State::Hello { nonce, transcript }, Packet::Hello(hello)) => {
                self.handle_hello(hello, frame, nonce, transcript)
            }
            (
                State::Proof {
                    hello,
                    transcript,
                    credentials,
                },
                Packet::SignOn(_),
            ) => self.handle_proof(hello, frame, transcript, credentials),
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

    fn handle_hello(
        &mut self,
        hello: Hello,
        frame: &Frame,
        nonce: Nonce,
        mut transcript: Transcript,
    ) -> Option<ServerEvent> {
        let Some(version) = Versions::OURS.agree(hello.versions) else {
            self.link.fail_with(ErrorCode::NoCommonVersion);
            return None;
        };
        if hello.mode != self.config.mode {
            self.link.fail_with(ErrorCode::WrongMode);
            return None;
        }
        transcript.add(frame.bytes());
        let challenge = Challenge {
            version,
            name: self.config.name,
            nonce,
        };
        let output = self.link.output();
        let start = challenge.write(output);
        transcript.add(&output[start..]);
        self.link.agree_version(version);
        let name = hello.name;
        self.state = State::Secret { hello, transcript };
        Some(ServerEvent::SecretWanted { name })
    }

    fn handle_proof(
        &mut self,
        hello: Hello,
        frame: &Frame,
        mut transcript: Transcript,
        credentials: Option<Credentials>,
    ) -> Option<ServerEvent> {
        // The same work for a name that does not exist, so that names cannot be probed.
        let nobody = Secret::new([0; 32]);
        let secret = credentials
            .as_ref()
            .map_or(&nobody, |credentials| &credentials.secret);
        let proven = transcript.verify(secret, Prover::Bank, frame.bytes());
        let Some(credentials) = credentials.filter(|_| proven) else {
            self.link.fail_with(self.wrong_proof);
            return None;
        };
        if !hello.bics.iter().all(|bic| credentials.bics.contains(bic)) {
            self.link.fail_with(ErrorCode::BicNotAllowed);
            return None;
        }
        let event = ServerEvent::Authenticated {
            participant: credentials.participant,
            name: hello.name,
            mode: hello.mode,
            bics: hello.bics.clone(),
            held: hello.held,
        };
        self.state = State::Admission {
            hello,
            transcript,
            secret: credentials.secret,
        };
        Some(event)
    }
}

impl From<LinkEvent> for ServerEvent {
    fn from(event: LinkEvent) -> ServerEvent {
        match event {
            LinkEvent::Message(message) => ServerEvent::Message(message),
            // The switch's end refuses SKIP, so this cannot come; a used-up sequence is its meaning.
            LinkEvent::Skipped(sequence) => ServerEvent::Refused {
                sequence,
                code: ErrorCode::UnexpectedFrame,
            },
            LinkEvent::Refused { sequence, code } => ServerEvent::Refused { sequence, code },
            LinkEvent::Acknowledged(upto) => ServerEvent::Acknowledged { upto },
            LinkEvent::PeerError(error) => ServerEvent::PeerError(error),
            LinkEvent::Closed(reason) => ServerEvent::Closed(reason),
        }
    }
}
