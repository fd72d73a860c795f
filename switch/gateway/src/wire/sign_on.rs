//! The four packets of a sign-on: HELLO, CHALLENGE, SIGN_ON, SIGNED_ON.

use bytes::BytesMut;
use torap_domain::{Bic, Sequence};

use super::error::WireError;
use super::frame::{Flags, Frame, FrameType};
use super::header::{FrameWriter, Header, Scan, Tag, missing, once};
use super::limits::{BICS_MAX, MAC_HEADER_BYTES, NAME_BYTES_MAX};
use super::terms::{Mode, Name, Nonce, Versions, WIRE_VERSION, Window};

/// The first frame of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Versions that the bank speaks.
    pub versions: Versions,
    /// The participant.
    pub name: Name,
    /// TEST or LIVE.
    pub mode: Mode,
    /// The BICs that the session speaks for, at least one.
    pub bics: Vec<Bic>,
    /// The last sequence of the switch's stream that the bank holds; 0 for none.
    pub held: Sequence,
    /// The bank's nonce.
    pub nonce: Nonce,
    /// The heartbeat that the bank wishes, in milliseconds.
    pub heartbeat_ms: Option<u32>,
    /// What the bank is ready to hold unacknowledged.
    pub window: Window,
}

impl Hello {
    /// Writes the frame, always with version 1 in the prefix. Returns where it begins.
    pub fn write(&self, out: &mut BytesMut) -> usize {
        let mut writer = FrameWriter::begin(out, WIRE_VERSION, FrameType::Hello, Flags::NONE);
        writer.value(Tag::Versions, &[self.versions.min, self.versions.max]);
        writer.value(Tag::Name, self.name.as_str().as_bytes());
        writer.u8(Tag::Mode, self.mode.number());
        for bic in &self.bics {
            writer.value(Tag::Bic, bic.as_str().as_bytes());
        }
        writer.u64(Tag::Held, self.held.0);
        writer.value(Tag::Nonce, &self.nonce.0);
        if let Some(heartbeat_ms) = self.heartbeat_ms {
            writer.u32(Tag::HeartbeatMs, heartbeat_ms);
        }
        write_window(&mut writer, self.window);
        writer.finish(b"")
    }

    pub(super) fn parse(frame: &Frame) -> Result<Hello, WireError> {
        let mut scan = Scan::default();
        let (mut versions, mut name, mut mode, mut bics) = (None, None, None, Vec::new());
        let (mut held, mut nonce, mut heartbeat_ms) = (None, None, None);
        let mut window = WindowHeaders::default();
        for header in frame.headers() {
            let header = header?;
            match header.tag {
                Some(Tag::Versions) => once(&mut versions, &header, parse_versions(&header)?)?,
                Some(Tag::Name) => once(&mut name, &header, parse_name(&header)?)?,
                Some(Tag::Mode) => once(&mut mode, &header, parse_mode(&header)?)?,
                Some(Tag::Bic) if bics.len() == BICS_MAX => {
                    return Err(header.malformed("too many BICs"));
                }
                Some(Tag::Bic) => bics.push(parse_bic(&header)?),
                Some(Tag::Held) => once(&mut held, &header, Sequence(header.u64()?))?,
                Some(Tag::Nonce) => once(&mut nonce, &header, Nonce(header.array()?))?,
                Some(Tag::HeartbeatMs) => once(&mut heartbeat_ms, &header, header.u32()?)?,
                Some(Tag::WindowMessages) => once(&mut window.messages, &header, header.u32()?)?,
                Some(Tag::WindowBytes) => once(&mut window.bytes, &header, header.u32()?)?,
                _ => scan.step_over(&header),
            }
        }
        scan.finish()?;
        if bics.is_empty() {
            return Err(missing("HELLO needs at least one BIC"));
        }
        Ok(Hello {
            versions: versions.ok_or_else(|| missing("HELLO needs versions"))?,
            name: name.ok_or_else(|| missing("HELLO needs a name"))?,
            mode: mode.ok_or_else(|| missing("HELLO needs a mode"))?,
            bics,
            held: held.ok_or_else(|| missing("HELLO needs the sequence held"))?,
            nonce: nonce.ok_or_else(|| missing("HELLO needs a nonce"))?,
            heartbeat_ms,
            window: window.or_default(),
        })
    }
}

/// The switch's answer to HELLO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The version agreed.
    pub version: u8,
    /// The switch's name.
    pub name: Name,
    /// The switch's nonce.
    pub nonce: Nonce,
}

impl Challenge {
    /// Writes the frame, always with version 1 in the prefix. Returns where it begins.
    pub fn write(&self, out: &mut BytesMut) -> usize {
        let mut writer = FrameWriter::begin(out, WIRE_VERSION, FrameType::Challenge, Flags::NONE);
        writer.value(Tag::Versions, &[self.version, self.version]);
        writer.value(Tag::Name, self.name.as_str().as_bytes());
        writer.value(Tag::Nonce, &self.nonce.0);
        writer.finish(b"")
    }

    pub(super) fn parse(frame: &Frame) -> Result<Challenge, WireError> {
        let mut scan = Scan::default();
        let (mut versions, mut name, mut nonce) = (None, None, None);
        for header in frame.headers() {
            let header = header?;
            match header.tag {
                Some(Tag::Versions) => once(&mut versions, &header, parse_versions(&header)?)?,
                Some(Tag::Name) => once(&mut name, &header, parse_name(&header)?)?,
                Some(Tag::Nonce) => once(&mut nonce, &header, Nonce(header.array()?))?,
                _ => scan.step_over(&header),
            }
        }
        scan.finish()?;
        let versions = versions.ok_or_else(|| missing("CHALLENGE needs the version"))?;
        if versions.min != versions.max {
            return Err(missing("CHALLENGE names exactly one version"));
        }
        Ok(Challenge {
            version: versions.max,
            name: name.ok_or_else(|| missing("CHALLENGE needs a name"))?,
            nonce: nonce.ok_or_else(|| missing("CHALLENGE needs a nonce"))?,
        })
    }
}

/// The bank's proof that it knows the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOn {
    /// HMAC-SHA-256 over the sign-on so far.
    pub mac: [u8; 32],
}

impl SignOn {
    /// Writes the frame. Returns where it begins.
    pub fn write(&self, out: &mut BytesMut, version: u8) -> usize {
        let mut writer = FrameWriter::begin(out, version, FrameType::SignOn, Flags::NONE);
        writer.value(Tag::Mac, &self.mac);
        writer.finish(b"")
    }

    pub(super) fn parse(frame: &Frame) -> Result<SignOn, WireError> {
        let mut scan = Scan::default();
        let mut mac = None;
        for header in frame.headers() {
            let header = header?;
            match header.tag {
                Some(Tag::Mac) => once(&mut mac, &header, (header.array()?, header.offset))?,
                _ => scan.step_over(&header),
            }
        }
        scan.finish()?;
        Ok(SignOn {
            mac: mac_at_the_end(frame, mac)?,
        })
    }
}

/// The end of a successful sign-on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOn {
    /// The last sequence of the bank's stream that the switch holds safely; 0 for none.
    pub held: Sequence,
    /// Idle time after which either side sends HEARTBEAT, in milliseconds.
    pub heartbeat_ms: u32,
    /// What the switch is ready to hold unacknowledged.
    pub window: Window,
    /// The largest message on this rail, in bytes, both ways.
    pub message_bytes_max: u32,
    /// HMAC-SHA-256 over the whole sign-on.
    pub mac: [u8; 32],
}

impl SignedOn {
    /// Writes the frame. Returns where it begins.
    pub fn write(&self, out: &mut BytesMut, version: u8) -> usize {
        let mut writer = FrameWriter::begin(out, version, FrameType::SignedOn, Flags::NONE);
        writer.u64(Tag::Held, self.held.0);
        writer.u32(Tag::HeartbeatMs, self.heartbeat_ms);
        write_window(&mut writer, self.window);
        writer.u32(Tag::MessageBytesMax, self.message_bytes_max);
        writer.value(Tag::Mac, &self.mac);
        writer.finish(b"")
    }

    pub(super) fn parse(frame: &Frame) -> Result<SignedOn, WireError> {
        let mut scan = Scan::default();
        let (mut held, mut heartbeat_ms, mut message_bytes_max, mut mac) = (None, None, None, None);
        let mut window = WindowHeaders::default();
        for header in frame.headers() {
            let header = header?;
            match header.tag {
                Some(Tag::Held) => once(&mut held, &header, Sequence(header.u64()?))?,
                Some(Tag::HeartbeatMs) => once(&mut heartbeat_ms, &header, header.u32()?)?,
                Some(Tag::WindowMessages) => once(&mut window.messages, &header, header.u32()?)?,
                Some(Tag::WindowBytes) => once(&mut window.bytes, &header, header.u32()?)?,
                Some(Tag::MessageBytesMax) => once(&mut message_bytes_max, &header, header.u32()?)?,
                Some(Tag::Mac) => once(&mut mac, &header, (header.array()?, header.offset))?,
                _ => scan.step_over(&header),
            }
        }
        scan.finish()?;
        Ok(SignedOn {
            held: held.ok_or_else(|| missing("SIGNED_ON needs the sequence held"))?,
            heartbeat_ms: heartbeat_ms.ok_or_else(|| missing("SIGNED_ON needs the heartbeat"))?,
            window: window.or_default(),
            message_bytes_max: message_bytes_max
                .ok_or_else(|| missing("SIGNED_ON needs the message limit"))?,
            mac: mac_at_the_end(frame, mac)?,
        })
    }
}

#[derive(Default)]
struct WindowHeaders {
    messages: Option<u32>,
    bytes: Option<u32>,
}

impl WindowHeaders {
    /// A window of nothing would stop the stream for ever; the least is one message at a time.
    fn or_default(self) -> Window {
        Window {
            messages: self.messages.unwrap_or(Window::DEFAULT.messages).max(1),
            bytes: self.bytes.unwrap_or(Window::DEFAULT.bytes).max(1),
        }
    }
}

fn write_window(writer: &mut FrameWriter<'_>, window: Window) {
    writer.u32(Tag::WindowMessages, window.messages);
    writer.u32(Tag::WindowBytes, window.bytes);
}

fn mac_at_the_end(frame: &Frame, mac: Option<([u8; 32], usize)>) -> Result<[u8; 32], WireError> {
    let (mac, offset) = mac.ok_or_else(|| missing("the frame needs a MAC"))?;
    // The MAC covers every byte in front of it, so nothing may stand behind it.
    if offset + MAC_HEADER_BYTES == frame.bytes().len() {
        Ok(mac)
    } else {
        Err(missing("the MAC is the last header, without a body"))
    }
}

fn parse_versions(header: &Header<'_>) -> Result<Versions, WireError> {
    let [min, max] = header.array()?;
    if min == 0 || max < min {
        Err(header.malformed("lowest version first, from 1"))
    } else {
        Ok(Versions { min, max })
    }
}

fn parse_name(header: &Header<'_>) -> Result<Name, WireError> {
    let text = header.text(NAME_BYTES_MAX)?;
    Name::parse(text).ok_or_else(|| header.malformed("a name is 1 to 35 visible ASCII characters"))
}

fn parse_mode(header: &Header<'_>) -> Result<Mode, WireError> {
    Mode::from_number(header.u8()?).ok_or_else(|| header.malformed("the mode is 1 TEST or 2 LIVE"))
}

fn parse_bic(header: &Header<'_>) -> Result<Bic, WireError> {
    let malformed = || header.malformed("a BIC has 8 or 11 characters");
    std::str::from_utf8(header.value)
        .ok()
        .and_then(|text| Bic::parse(text).ok())
        .ok_or_else(malformed)
}
