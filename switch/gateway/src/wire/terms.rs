//! What the two sides tell each other at sign-on and in every message: small types that cannot be wrong.

use std::fmt;

use torap_domain::Text;

use super::limits::{NAME_BYTES_MAX, WINDOW_BYTES, WINDOW_MESSAGES};

/// The version of the frame layout and of its rules that this program speaks.
pub const WIRE_VERSION: u8 = 1;

/// Whether the traffic is real. Both sides must state the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mode {
    /// Trial traffic; no money moves.
    Test = 1,
    /// Real traffic.
    Live = 2,
}

impl Mode {
    /// The mode with this number.
    pub fn from_number(number: u8) -> Option<Mode> {
        match number {
            1 => Some(Mode::Test),
            2 => Some(Mode::Live),
            _ => None,
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Test => "TEST",
            Mode::Live => "LIVE",
        })
    }
}

/// The name by which a participant or a switch signs on: 1 to 35 visible ASCII characters, no blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Text<NAME_BYTES_MAX>);

impl Name {
    /// Reads a name; `None` if it is empty, longer than 35 or has anything but visible ASCII.
    ///
    /// ```
    /// use torap_gateway::wire::Name;
    /// assert!(Name::parse("alatau").is_some());
    /// assert!(Name::parse("ala tau").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Name> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible {
            Text::try_from(text).ok().map(Name)
        } else {
            None
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// 32 random bytes that one side contributes to a sign-on. The driver draws them, once per connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 32]);

/// An identifier of a distributed trace, 16 bytes as in W3C Trace Context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// The versions that a side speaks, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// Lowest version spoken.
    pub min: u8,
    /// Highest version spoken.
    pub max: u8,
}

impl Versions {
    /// What this program speaks.
    pub const OURS: Versions = Versions {
        min: WIRE_VERSION,
        max: WIRE_VERSION,
    };

    /// The highest version that both sides speak.
    ///
    /// ```
    /// use torap_gateway::wire::Versions;
    /// let ours = Versions { min: 1, max: 3 };
    /// assert_eq!(ours.agree(Versions { min: 2, max: 9 }), Some(3));
    /// assert_eq!(ours.agree(Versions { min: 4, max: 9 }), None);
    /// ```
    pub fn agree(self, other: Versions) -> Option<u8> {
        let highest = self.max.min(other.max);
        (highest >= self.min && highest >= other.min).then_some(highest)
    }
}

/// How much a receiver is ready to hold unacknowledged. A sender keeps within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Messages, skipped ones included.
    pub messages: u32,
    /// Bytes of bodies.
    pub bytes: u32,
}

impl Window {
    /// What holds when a side says nothing.
    pub const DEFAULT: Window = Window {
        messages: WINDOW_MESSAGES,
        bytes: WINDOW_BYTES,
    };

    /// The smaller of each number.
    pub fn narrowest(self, other: Window) -> Window {
        Window {
            messages: self.messages.min(other.messages),
            bytes: self.bytes.min(other.bytes),
        }
    }
}

/// What a message's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// 1: an ISO 20022 message in XML, UTF-8. Both directions.
    Iso20022Xml,
    /// 2: a command of Torap in JSON. Bank to switch.
    CommandJson,
    /// 3: the answer to a command, or a notice, in JSON. Switch to bank.
    AnswerJson,
    /// A number that this program does not know.
    Unknown(u16),
}

impl ContentType {
    /// The content type with this number; numbers without a meaning survive as they are.
    pub fn from_number(number: u16) -> ContentType {
        match number {
            1 => ContentType::Iso20022Xml,
            2 => ContentType::CommandJson,
            3 => ContentType::AnswerJson,
            other => ContentType::Unknown(other),
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            ContentType::Iso20022Xml => 1,
            ContentType::CommandJson => 2,
            ContentType::AnswerJson => 3,
            ContentType::Unknown(other) => other,
        }
    }
}
