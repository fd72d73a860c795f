//! What both ends share: bytes in and out, the open stream both ways, liveness, closing.

use std::collections::VecDeque;
use std::fmt;

use bytes::BytesMut;
use torap_domain::Sequence;

use super::inbound::{Inbound, InboundTerms, Message, Taken};
use super::outbound::{Outbound, Outgoing, SendError, Wants, write_data};
use crate::wire::limits::{
    INPUT_BYTES_MAX, OUTPUT_BYTES_MAX, PROGRESS_NS_MAX, REFUSALS_MAX, SIGN_OFF_NS_MAX,
    SIGN_ON_FRAME_BYTES_MAX, SIGN_ON_NS_MAX, SILENT_HEARTBEATS,
};
use crate::wire::{
    ContentType, Data, ErrorCode, Flags, Frame, FrameDecoder, Packet, PeerError, SignOff,
    WIRE_VERSION, Window, WireError,
};

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// This side refused to go on and said so.
    Refused(ErrorCode),
    /// The peer refused to go on.
    PeerError(PeerError),
    /// Either side signed off in good order.
    SignedOff {
        /// Where the peer says that the service moved to.
        moved: Vec<String>,
    },
    /// The byte stream ended without a word.
    LinkLost,
}

/// Which end this is. It decides what may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Bank,
    Switch,
}

/// What happened on the open link.
#[derive(Debug)]
pub(super) enum LinkEvent {
    Message(Message),
    Skipped(Sequence),
    Refused { sequence: Sequence, code: ErrorCode },
    Acknowledged(Sequence),
    PeerError(PeerError),
    Closed(CloseReason),
}

/// What was agreed at sign-on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) heartbeat_ms: u32,
    pub(super) inbound: InboundTerms,
    pub(super) inbound_held: Sequence,
    pub(super) send_window: Window,
    /// Largest message that this side sends; what it takes in is a term of `inbound`.
    pub(super) send_bytes_max: usize,
    pub(super) outbound_held: Sequence,
}

/// The open stream both ways.
#[derive(Debug)]
struct Flow {
    inbound: Inbound,
    outbound: Outbound,
    heartbeat_ns: u64,
    last_heard: u64,
    last_sent: u64,
}

#[derive(Debug)]
enum Phase {
    SigningOn { deadline: u64 },
    Open(Box<Flow>),
    SigningOff { flow: Box<Flow>, deadline: u64 },
    Closed,
}

pub(super) struct Link {
    side: Side,
    now: u64,
    version: u8,
    decoder: FrameDecoder,
    input: BytesMut,
    output: BytesMut,
    events: VecDeque<LinkEvent>,
    phase: Phase,
    paused: bool,
    ended: bool,
    refusals: u32,
}

impl Link {
    pub(super) fn new(side: Side, now: u64) -> Link {
        Link {
            side,
            now,
            version: WIRE_VERSION,
            decoder: FrameDecoder::new(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            events: VecDeque::new(),
            phase: Phase::SigningOn {
                deadline: now.saturating_add(SIGN_ON_NS_MAX),
            },
            paused: false,
            ended: false,
            refusals: 0,
        }
    }

    // Bytes and time.

    pub(super) fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    pub(super) fn handle_input(&mut self, now: u64) {
        self.now = now;
        if let Phase::Closed = self.phase {
            self.input.clear();
        }
        if let Some(flow) = self.phase.flow() {
            flow.last_heard = now;
        }
    }

    pub(super) fn handle_bytes(&mut self, bytes: &[u8], now: u64) -> usize {
        let taken = bytes
            .len()
            .min(self.input_bytes_max().saturating_sub(self.input.len()));
        self.input
            .extend_from_slice(bytes.get(..taken).unwrap_or_default());
        self.handle_input(now);
        taken
    }

    pub(super) fn handle_end(&mut self, now: u64) {
        self.now = now;
        self.ended = true;
    }

    pub(super) fn wants_input(&mut self) -> bool {
        !self.is_closed()
            && !self.ended
            && !self.is_gated()
            && self.input.len() < self.input_bytes_max()
    }

    pub(super) fn poll_output(&mut self, out: &mut BytesMut, now: u64) -> bool {
        self.now = now;
        self.write_due_acknowledgement();
        if self.output.is_empty() {
            return false;
        }
        if out.is_empty() {
            std::mem::swap(out, &mut self.output);
            self.output.clear();
        } else {
            out.extend_from_slice(&self.output);
            self.output.clear();
        }
        if let Some(flow) = self.phase.flow() {
            flow.last_sent = now;
        }
        true
    }

    pub(super) fn poll_timeout(&mut self) -> Option<u64> {
        match &mut self.phase {
            Phase::SigningOn { deadline } | Phase::SigningOff { deadline, .. } => Some(*deadline),
            Phase::Open(flow) => [
                Some(flow.heartbeat_at()),
                Some(flow.silent_at()),
                flow.progress_at(),
                flow.inbound.due_at(),
            ]
            .into_iter()
            .flatten()
            .min(),
            Phase::Closed => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: u64) {
        self.now = now;
        let gated = self.is_gated();
        match &mut self.phase {
            Phase::SigningOn { deadline } if now >= *deadline => {
                self.fail_with(ErrorCode::SignOnTimeout)
            }
            Phase::SigningOff { deadline, .. } if now >= *deadline => {
                self.close(CloseReason::SignedOff { moved: Vec::new() });
            }
            Phase::Open(flow) => {
                if gated {
                    // What the peer said meanwhile was not read; that is not its fault.
                    flow.excuse(now);
                }
                if now >= flow.silent_at() {
                    return self.fail_with(ErrorCode::PeerSilent);
                }
                if flow.progress_at().is_some_and(|at| now >= at) {
                    return self.fail_with(ErrorCode::SlowReader);
                }
                let idle = now >= flow.heartbeat_at();
                if idle {
                    flow.last_sent = now;
                }
                self.write_due_acknowledgement();
                if idle && self.output.is_empty() {
                    Packet::write_heartbeat(&mut self.output, self.version);
                }
            }
            Phase::SigningOn { .. } | Phase::SigningOff { .. } | Phase::Closed => {}
        }
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) fn resume(&mut self) {
        self.paused = false;
        let now = self.now;
        if let Some(flow) = self.phase.flow() {
            flow.excuse(now);
        }
    }

    // Sign-on, driven by the two ends.

    /// The buffer for what is to be sent; sign-on writes its frames here.
    pub(super) fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    pub(super) fn agree_version(&mut self, version: u8) {
        self.version = version;
        self.decoder.expect_version(version);
    }

    pub(super) fn version(&self) -> u8 {
        self.version
    }

    pub(super) fn open(&mut self, terms: Terms) {
        self.decoder.lift_sign_on_limit();
        self.phase = Phase::Open(Box::new(Flow {
            inbound: Inbound::new(terms.inbound, terms.inbound_held),
            outbound: Outbound::new(terms.send_window, terms.send_bytes_max, terms.outbound_held),
            heartbeat_ns: u64::from(terms.heartbeat_ms).saturating_mul(1_000_000),
            last_heard: self.now,
            last_sent: self.now,
        }));
    }

    // Events and frames.

    pub(super) fn pop_event(&mut self) -> Option<LinkEvent> {
        self.events.pop_front()
    }

    /// The next whole frame, unless intake is held back. A stream that cannot be framed closes the link.
    pub(super) fn next_frame(&mut self) -> Option<Frame> {
        if self.is_closed() || self.is_gated() {
            return None;
        }
        match self.decoder.next(&mut self.input) {
            Ok(Some(frame)) => Some(frame),
            Ok(None) => {
                self.close_if_ended();
                None
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    pub(super) fn close_if_ended(&mut self) {
        if self.ended && !self.is_closed() {
            self.close(CloseReason::LinkLost);
        }
    }

    /// A frame on the open link.
    pub(super) fn handle_frame(&mut self, frame: &Frame) {
        match Packet::parse(frame) {
            Ok(Packet::Data(data)) => self.handle_data(data),
            Ok(Packet::Acknowledge(upto)) => self.handle_acknowledged(upto),
            Ok(Packet::Skip(sequence)) if self.side == Side::Bank => {
                self.handle_taken(|inbound| inbound.skip(sequence));
            }
            Ok(Packet::Heartbeat) => {}
            Ok(Packet::SignOff(sign_off)) => self.handle_sign_off(sign_off),
            Ok(Packet::Error(error)) => self.handle_peer_error(error),
            Ok(
                Packet::Hello(_)
                | Packet::Challenge(_)
                | Packet::SignOn(_)
                | Packet::SignedOn(_)
                | Packet::Skip(_),
            ) => self.fail_with(ErrorCode::UnexpectedFrame),
            Err(error) => match error.sequence {
                Some(sequence) if error.code.keeps_link() => {
                    let more_follows = frame.flags().contains(Flags::MORE_FOLLOWS);
                    self.handle_taken(|inbound| inbound.refuse(sequence, more_follows, error.code));
                }
                _ if error.code.keeps_link() => self.refuse(error.code, None, &described(&error)),
                _ => self.fail(error),
            },
        }
    }

    pub(super) fn handle_sign_off(&mut self, sign_off: SignOff) {
        if let Phase::Open(_) = self.phase {
            self.write_pending_acknowledgement();
            SignOff::default().write(&mut self.output, self.version);
        }
        self.close(CloseReason::SignedOff {
            moved: sign_off.moved,
        });
    }

    pub(super) fn handle_peer_error(&mut self, error: PeerError) {
        if error.closes {
            return self.close(CloseReason::PeerError(error));
        }
        // A peer that refuses for ever is as broken as one that has to be refused for ever.
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals > REFUSALS_MAX {
            return self.fail_with(ErrorCode::TooManyRefusals);
        }
        self.events.push_back(LinkEvent::PeerError(error));
    }

    // What the driver asks for.

    pub(super) fn acknowledge(&mut self, upto: Sequence) {
        let now = self.now;
        let was_gated = self.is_gated();
        if let Some(flow) = self.phase.flow() {
            flow.inbound.acknowledge(upto, now);
            if was_gated {
                flow.excuse(now);
            }
        }
    }

    pub(super) fn wants(&self) -> Option<Wants> {
        match &self.phase {
            Phase::Open(flow) if self.output.len() < OUTPUT_BYTES_MAX => flow.outbound.wants(),
            _ => None,
        }
    }

    pub(super) fn send(
        &mut self,
        sequence: Sequence,
        message: &Outgoing<'_>,
    ) -> Result<(), SendError> {
        let Phase::Open(flow) = &mut self.phase else {
            return Err(SendError::NotOpen);
        };
        flow.outbound.check(sequence, message)?;
        if self.output.len() >= OUTPUT_BYTES_MAX {
            return Err(SendError::WindowFull);
        }
        flow.outbound.sent(message.body.len(), self.now);
        let acknowledged = flow.inbound.take_pending();
        write_data(
            &mut self.output,
            self.version,
            sequence,
            acknowledged,
            message,
        );
        Ok(())
    }

    pub(super) fn skip(&mut self, sequence: Sequence) -> Result<(), SendError> {
        let Phase::Open(flow) = &mut self.phase else {
            return Err(SendError::NotOpen);
        };
        let nothing = Outgoing::new(ContentType::Iso20022Xml, b"");
        flow.outbound.check(sequence, &nothing)?;
        flow.outbound.sent(0, self.now);
        Packet::write_skip(&mut self.output, self.version, sequence);
        Ok(())
    }

    pub(super) fn sign_off(&mut self, moved: &[String]) {
        self.write_pending_acknowledgement();
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Open(flow) => {
                SignOff {
                    moved: moved.to_vec(),
                }
                .write(&mut self.output, self.version);
                let deadline = self.now.saturating_add(SIGN_OFF_NS_MAX);
                self.phase = Phase::SigningOff { flow, deadline };
            }
            Phase::SigningOn { .. } => {
                SignOff {
                    moved: moved.to_vec(),
                }
                .write(&mut self.output, self.version);
                self.close(CloseReason::SignedOff { moved: Vec::new() });
            }
            signing_off_or_closed => self.phase = signing_off_or_closed,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_) | Phase::SigningOff { .. })
    }

    // Refusing and closing.

    /// Tells the peer why and closes.
    pub(super) fn fail(&mut self, error: WireError) {
        self.fail_about(error.code, error.sequence, &described(&error));
    }

    /// Tells the peer the code's own text and closes.
    pub(super) fn fail_with(&mut self, code: ErrorCode) {
        self.fail_about(code, None, code.text());
    }

    fn fail_about(&mut self, code: ErrorCode, sequence: Option<Sequence>, text: &str) {
        if !self.is_closed() {
            PeerError::write(&mut self.output, self.version, code, sequence, text, true);
            self.close(CloseReason::Refused(code));
        }
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        self.phase = Phase::Closed;
        self.input = BytesMut::new();
        self.events.push_back(LinkEvent::Closed(reason));
    }

    /// Tells the peer that something was refused; the link lives on, unless it happens too often.
    fn refuse(&mut self, code: ErrorCode, sequence: Option<Sequence>, text: &str) {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals > REFUSALS_MAX {
            return self.fail_with(ErrorCode::TooManyRefusals);
        }
        PeerError::write(&mut self.output, self.version, code, sequence, text, false);
    }

    // Helpers.

    fn handle_data(&mut self, data: Data) {
        if let Some(upto) = data.head.acknowledged {
            self.handle_acknowledged(upto);
        }
        self.handle_taken(|inbound| inbound.take(data));
    }

    fn handle_taken(&mut self, take: impl FnOnce(&mut Inbound) -> Result<Taken, WireError>) {
        let Some(flow) = self.phase.flow() else {
            return;
        };
        match take(&mut flow.inbound) {
            Ok(Taken::Nothing) => {}
            Ok(Taken::Message(message)) => self.events.push_back(LinkEvent::Message(message)),
            Ok(Taken::Skipped(sequence)) => self.events.push_back(LinkEvent::Skipped(sequence)),
            Ok(Taken::Refused { sequence, code }) => {
                self.events.push_back(LinkEvent::Refused { sequence, code });
                self.refuse(code, Some(sequence), code.text());
            }
            Err(error) if error.code == ErrorCode::SequenceGap => {
                let text = format!("sequence {} expected", flow.inbound.last_received().next());
                self.fail_about(error.code, error.sequence, &text);
            }
            Err(error) => self.fail_about(error.code, error.sequence, error.rule),
        }
    }

    fn handle_acknowledged(&mut self, upto: Sequence) {
        let now = self.now;
        let Some(flow) = self.phase.flow() else {
            return;
        };
        match flow.outbound.acknowledge(upto, now) {
            Ok(true) => self.events.push_back(LinkEvent::Acknowledged(upto)),
            Ok(false) => {}
            Err(error) => self.fail_about(error.code, error.sequence, error.rule),
        }
    }

    fn write_due_acknowledgement(&mut self) {
        let now = self.now;
        if let Some(upto) = self
            .phase
            .flow()
            .and_then(|flow| flow.inbound.take_due(now))
        {
            Packet::write_acknowledge(&mut self.output, self.version, upto);
        }
    }

    fn write_pending_acknowledgement(&mut self) {
        if let Some(upto) = self
            .phase
            .flow()
            .and_then(|flow| flow.inbound.take_pending())
        {
            Packet::write_acknowledge(&mut self.output, self.version, upto);
        }
    }

    /// A stranger cannot make the switch hold more than one frame of the sign-on.
    fn input_bytes_max(&self) -> usize {
        match self.phase {
            Phase::SigningOn { .. } if self.side == Side::Switch => SIGN_ON_FRAME_BYTES_MAX,
            _ => INPUT_BYTES_MAX,
        }
    }

    /// True while nothing may be decoded: the driver said so, or too much is not safe yet.
    fn is_gated(&mut self) -> bool {
        self.paused || self.phase.flow().is_some_and(|flow| flow.inbound.is_full())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Buffers hold personal data and sign-on frames; only their lengths are shown.
        f.debug_struct("Link")
            .field("side", &self.side)
            .field("phase", &self.phase)
            .field("input_bytes", &self.input.len())
            .field("output_bytes", &self.output.len())
            .finish_non_exhaustive()
    }
}

impl Phase {
    fn flow(&mut self) -> Option<&mut Flow> {
        match self {
            Phase::Open(flow) | Phase::SigningOff { flow, .. } => Some(flow),
            Phase::SigningOn { .. } | Phase::Closed => None,
        }
    }
}

impl Flow {
    fn heartbeat_at(&self) -> u64 {
        self.last_sent.saturating_add(self.heartbeat_ns)
    }

    fn silent_at(&self) -> u64 {
        self.last_heard
            .saturating_add(self.heartbeat_ns.saturating_mul(SILENT_HEARTBEATS))
    }

    fn progress_at(&self) -> Option<u64> {
        self.outbound
            .waiting_since()
            .map(|since| since.saturating_add(PROGRESS_NS_MAX))
    }

    fn excuse(&mut self, now: u64) {
        self.last_heard = now;
        self.outbound.excuse(now);
    }
}

fn described(error: &WireError) -> String {
    format!("{} (byte {})", error.rule, error.offset)
}
