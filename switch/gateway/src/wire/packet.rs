//! Packets: a frame parsed once into a type that cannot be wrong, and written from it.

use std::fmt;

use bytes::{Bytes, BytesMut};
use torap_domain::Sequence;

use super::error::{ErrorCode, WireError};
use super::frame::{Flags, Frame, FrameType};
use super::header::{FrameWriter, Scan, Tag, missing, once};
use super::limits::{
    ADDRESS_BYTES_MAX, ADDRESSES_MAX, CORRELATION_BYTES_MAX, SIGNATURE_BYTES_MAX, TEXT_BYTES_MAX,
};
use super::sign_on::{Challenge, Hello, SignOn, SignedOn};
use super::terms::{ContentType, TraceId};

/// One parsed frame.
#[derive(Debug, Clone)]
pub enum Packet {
    /// Bank → switch: who it is and what it holds.
    Hello(Hello),
    /// Switch → bank: the version agreed and the switch's nonce.
    Challenge(Challenge),
    /// Bank → switch: the bank's proof.
    SignOn(SignOn),
    /// Switch → bank: the switch's proof and the terms of the session.
    SignedOn(SignedOn),
    /// A message or a part of one.
    Data(Data),
    /// The sender holds every sequence up to this one safely.
    Acknowledge(Sequence),
    /// This sequence has no message any more.
    Skip(Sequence),
    /// The sender is alive.
    Heartbeat,
    /// The sender ends the session in good order.
    SignOff(SignOff),
    /// The sender refused something.
    Error(PeerError),
}

impl Packet {
    /// Parses a frame.
    ///
    /// # Errors
    /// What is wrong, where, and about which message. [`ErrorCode::keeps_link`] of the code says whether
    /// the stream can go on behind the frame.
    pub fn parse(frame: &Frame) -> Result<Packet, WireError> {
        let Some(frame_type) = FrameType::from_number(frame.number()) else {
            return Err(WireError::new(
                ErrorCode::UnknownType,
                3,
                "the frame type is unknown",
            ));
        };
        match frame_type {
            FrameType::Hello => Hello::parse(frame).map(Packet::Hello),
            FrameType::Challenge => Challenge::parse(frame).map(Packet::Challenge),
            FrameType::SignOn => SignOn::parse(frame).map(Packet::SignOn),
            FrameType::SignedOn => SignedOn::parse(frame).map(Packet::SignedOn),
            FrameType::Data => Data::parse(frame).map(Packet::Data),
            FrameType::Acknowledge => {
                parse_number(frame, Tag::Acknowledged).map(Packet::Acknowledge)
            }
            FrameType::Skip => parse_number(frame, Tag::Sequence).map(Packet::Skip),
            FrameType::Heartbeat => parse_bare(frame).map(|()| Packet::Heartbeat),
            FrameType::SignOff => SignOff::parse(frame).map(Packet::SignOff),
            FrameType::Error => PeerError::parse(frame).map(Packet::Error),
        }
    }

    /// Writes an ACKNOWLEDGE.
    pub fn write_acknowledge(out: &mut BytesMut, version: u8, upto: Sequence) {
        let mut writer = FrameWriter::begin(out, version, FrameType::Acknowledge, Flags::NONE);
        writer.u64(Tag::Acknowledged, upto.0);
        writer.finish(b"");
    }

    /// Writes a SKIP.
    pub fn write_skip(out: &mut BytesMut, version: u8, sequence: Sequence) {
        let mut writer = FrameWriter::begin(out, version, FrameType::Skip, Flags::NONE);
        writer.u64(Tag::Sequence, sequence.0);
        writer.finish(b"");
    }

    /// Writes a HEARTBEAT.
    pub fn write_heartbeat(out: &mut BytesMut, version: u8) {
        FrameWriter::begin(out, version, FrameType::Heartbeat, Flags::NONE).finish(b"");
    }
}

/// What stands in the headers of a DATA frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataHead {
    /// The message's place in its stream.
    pub sequence: Sequence,
    /// What the body is; only on the first frame of a message.
    pub content_type: Option<ContentType>,
    /// Everything up to here is held safely by the sender of this frame.
    pub acknowledged: Option<Sequence>,
    /// Chosen by the sender of a command, repeated in its answer.
    pub correlation: Option<Bytes>,
    /// A detached signature over the whole body.
    pub signature: Option<Bytes>,
    /// The trace that the message belongs to.
    pub trace: Option<TraceId>,
    /// The message may have been delivered before.
    pub possible_duplicate: bool,
    /// The message goes on in the next DATA frame.
    pub more_follows: bool,
}

/// A DATA frame.
#[derive(Clone, PartialEq, Eq)]
pub struct Data {
    /// The headers.
    pub head: DataHead,
    /// The body, or the part of it in this frame, sharing the memory of the input buffer.
    pub body: Bytes,
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies hold personal data; only the length is shown.
        f.debug_struct("Data")
            .field("head", &self.head)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl Data {
    fn parse(frame: &Frame) -> Result<Data, WireError> {
        let mut scan = Scan::default();
        let (mut sequence, mut content_type, mut acknowledged) = (None, None, None);
        let (mut correlation, mut signature, mut trace) = (None, None, None);
        for header in frame.headers() {
            let header = header?;
            match header.tag {
                Some(Tag::Sequence) => once(&mut sequence, &header, Sequence(header.u64()?))?,
                Some(Tag::ContentType) => {
                    once(
                        &mut content_type,
                        &header,
                        ContentType::from_number(header.u16()?),
                    )?;
                }
                Some(Tag::Acknowledged) => {
                    once(&mut acknowledged, &header, Sequence(header.u64()?))?
                }
                Some(Tag::Correlation) => {
                    once(
                        &mut correlation,
                        &header,
                        frame.share(header.some_bytes(CORRELATION_BYTES_MAX)?),
                    )?;
                }
                Some(Tag::Signature) => {
                    once(
                        &mut signature,
                        &header,
                        frame.share(header.some_bytes(SIGNATURE_BYTES_MAX)?),
                    )?;
                }
                Some(Tag::Trace) => once(&mut trace, &header, TraceId(header.array()?))?,
                _ => scan.step_over(&header),
            }
        }
        let sequence = sequence.ok_or_else(|| missing("DATA needs a sequence"))?;
        scan.finish().map_err(|error| error.about(sequence))?;
        let head = DataHead {
            sequence,
            content_type,
            acknowledged,
            correlation,
            signature,
            trace,
            possible_duplicate: frame.flags().contains(Flags::POSSIBLE_DUPLICATE),
            more_follows: frame.flags().contains(Flags::MORE_FOLLOWS),
        };
        Ok(Data {
            head,
            body: frame.body(),
        })
    }
}

/// The end of a session in good order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignOff {
    /// Where the service moved to, `host:port`, in order of preference; empty if it did not move.
    pub moved: Vec<String>,
}

impl SignOff {
    /// Writes the frame.
    ///
    /// # Panics
    /// If there are more or longer addresses than the limits allow.
    pub fn write(&self, out: &mut BytesMut, version: u8) {
        assert!(
            self.moved.len() <= ADDRESSES_MAX,
            "no more addresses than the limit"
        );
        let mut writer = FrameWriter::begin(out, version, FrameType::SignOff, Flags::NONE);
        for address in &self.moved {
            assert!(
                address.len() <= ADDRESS_BYTES_MAX,
                "an address is below its limit"
            );
            writer.value(Tag::Address, address.as_bytes());
        }
        writer.finish(b"");
    }

    fn parse(frame: &Frame) -> Result<SignOff, WireError> {
        let mut scan = Scan::default();
        let mut moved = Vec::new();
        for header in frame.headers() {
            let header = header?;
            match header.tag {
                Some(Tag::Address) if moved.len() == ADDRESSES_MAX => {
                    return Err(header.malformed("too many addresses"));
                }
                Some(Tag::Address) => {
                    let address = header.text(ADDRESS_BYTES_MAX)?;
                    if address.is_empty() || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
                        return Err(header.malformed("an address is visible ASCII"));
                    }
                    moved.push(address.to_owned());
                }
                _ => scan.step_over(&header),
            }
        }
        scan.finish()?;
        Ok(SignOff { moved })
    }
}

/// An ERROR that the peer sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerError {
    /// The number; [`PeerError::code`] is its meaning, if it is known here.
    pub number: u16,
    /// The error in words, for a human.
    pub text: String,
    /// The message that the error is about.
    pub sequence: Option<Sequence>,
    /// The peer closes the link.
    pub closes: bool,
}

impl PeerError {
    /// The code, if this program knows the number.
    pub fn code(&self) -> Option<ErrorCode> {
        ErrorCode::from_number(self.number)
    }

    /// Writes the frame. The text is cut at a character boundary if it is above its limit.
    pub fn write(
        out: &mut BytesMut,
        version: u8,
        code: ErrorCode,
        sequence: Option<Sequence>,
        text: &str,
        closes: bool,
    ) {
        let flags = if closes { Flags::CLOSES } else { Flags::NONE };
        let mut writer = FrameWriter::begin(out, version, FrameType::Error, flags);
        writer.u16(Tag::Code, code.number());
        if let Some(sequence) = sequence {
            writer.u64(Tag::Sequence, sequence.0);
        }
        let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
        writer.value(Tag::Text, text.as_bytes());
        writer.finish(b"");
    }

    fn parse(frame: &Frame) -> Result<PeerError, WireError> {
        let mut scan = Scan::default();
        let (mut number, mut text, mut sequence) = (None, None, None);
        for header in frame.headers() {
            let header = header?;
            match header.tag {
                Some(Tag::Code) => once(&mut number, &header, header.u16()?)?,
                Some(Tag::Text) => {
                    once(&mut text, &header, header.text(TEXT_BYTES_MAX)?.to_owned())?
                }
                Some(Tag::Sequence) => once(&mut sequence, &header, Sequence(header.u64()?))?,
                _ => scan.step_over(&header),
            }
        }
        scan.finish()?;
        Ok(PeerError {
            number: number.ok_or_else(|| missing("ERROR needs a code"))?,
            text: text.unwrap_or_default(),
            sequence,
            closes: frame.flags().contains(Flags::CLOSES),
        })
    }
}

fn parse_number(frame: &Frame, tag: Tag) -> Result<Sequence, WireError> {
    let mut scan = Scan::default();
    let mut number = None;
    for header in frame.headers() {
        let header = header?;
        if header.tag == Some(tag) {
            once(&mut number, &header, Sequence(header.u64()?))?;
        } else {
            scan.step_over(&header);
        }
    }
    scan.finish()?;
    number.ok_or_else(|| missing("the frame needs its number"))
}

fn parse_bare(frame: &Frame) -> Result<(), WireError> {
    let mut scan = Scan::default();
    for header in frame.headers() {
        scan.step_over(&header?);
    }
    scan.finish()
}
