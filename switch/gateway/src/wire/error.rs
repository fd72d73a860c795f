//! The numbered table of everything that can be refused on a link, and the error that carries a number.

use std::fmt;

use torap_domain::{Actor, Sequence};

macro_rules! error_codes {
    ($($number:literal $variant:ident $name:literal $link:ident $actor:ident $text:literal)*) => {
        /// Why a frame or a session was refused. The number travels in the `code` header of ERROR;
        /// numbers are never reused. The table in `docs/wire.md` is checked against this one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum ErrorCode {
            $(#[doc = $text] $variant = $number,)*
        }

        impl ErrorCode {
            /// Every code, by rising number.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The code with this number, if there is one.
            pub fn from_number(number: u16) -> Option<ErrorCode> {
                match number {
                    $($number => Some(ErrorCode::$variant),)*
                    _ => None,
                }
            }

            /// The number on the wire.
            pub fn number(self) -> u16 {
                self as u16
            }

            /// The short name used in logs and metrics.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $name,)*
                }
            }

            /// One sentence for the peer; it never holds anything internal.
            pub fn text(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $text,)*
                }
            }

            /// Who has to act to make it go away.
            pub fn actor(self) -> Actor {
                match self {
                    $(ErrorCode::$variant => Actor::$actor,)*
                }
            }

            /// True when the link survives: only the frame, or the message it began, is refused.
            pub fn keeps_link(self) -> bool {
                match self {
                    $(ErrorCode::$variant => error_codes!(@$link),)*
                }
            }
        }
    };
    (@keeps) => { true };
    (@closes) => { false };
}

error_codes! {
    1 BadMagic "bad-magic" closes Peer "the bytes do not begin a frame of this protocol"
    2 UnsupportedVersion "unsupported-version" closes Peer "the frame's version is not the one agreed"
    3 BadLength "bad-length" closes Peer "the frame's lengths are impossible or above the limit"
    4 BadHeaders "bad-headers" closes Peer "a header is malformed, missing or given twice"
    5 UnknownType "unknown-type" keeps Peer "the frame type is unknown; the frame was ignored"
    6 UnknownCriticalHeader "unknown-critical-header" keeps Peer "a critical header is unknown; the frame was refused"
    7 UnexpectedFrame "unexpected-frame" closes Peer "the frame is not allowed at this point"
    20 NotSignedOn "not-signed-on" closes Peer "sign-on comes first"
    21 NoCommonVersion "no-common-version" closes Peer "no protocol version is common to both sides"
    22 WrongMode "wrong-mode" closes Peer "the stated mode, TEST or LIVE, is not the mode of this switch"
    23 BadCredentials "bad-credentials" closes Peer "participant and secret do not match"
    24 BicNotAllowed "bic-not-allowed" closes Operator "a BIC in HELLO is not bound to this participant"
    25 SignOnTimeout "sign-on-timeout" closes Peer "sign-on took too long"
    26 HeldAhead "held-ahead" closes Operator "the sequence held is above the last one ever sent"
    27 NotAdmitted "not-admitted" closes Operator "an indirect participant has no link of its own; its sponsor sends and receives for it"
    28 Superseded "superseded" closes Peer "a newer sign-on of the same participant took over"
    29 TooManyAttempts "too-many-attempts" closes Peer "too many failed sign-ons; try later"
    40 SequenceGap "sequence-gap" closes Peer "a sequence is missing before this one"
    41 AcknowledgedAhead "acknowledged-ahead" closes Peer "the acknowledged sequence was never sent"
    42 MessageTooLarge "message-too-large" keeps Peer "the message is above MESSAGE_BYTES_MAX of SIGNED_ON; it was refused"
    43 UnknownContentType "unknown-content-type" keeps Peer "the content type is missing, unknown or not for this direction; the message was refused"
    44 BadContinuation "bad-continuation" closes Peer "a continuation frame does not belong to the message that was begun"
    45 TooManyRefusals "too-many-refusals" closes Peer "too many frames had to be refused on this link"
    60 PeerSilent "peer-silent" closes Peer "nothing was received for three heartbeats"
    61 SlowReader "slow-reader" closes Peer "messages were not acknowledged in time"
    62 Overloaded "overloaded" closes Us "the switch cannot serve this link now; connect again later"
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.name())
    }
}

/// A frame that breaks a rule of the wire: which code, at which byte of the frame, against which rule.
///
/// Whether the link survives is the code's matter ([`ErrorCode::keeps_link`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireError {
    /// The numbered reason.
    pub code: ErrorCode,
    /// Byte offset from the start of the frame.
    pub offset: usize,
    /// The rule that is broken, for the peer to read.
    pub rule: &'static str,
    /// The sequence of the offending message, where it could be read.
    pub sequence: Option<Sequence>,
}

impl WireError {
    /// An error at `offset` bytes from the start of a frame.
    pub fn new(code: ErrorCode, offset: usize, rule: &'static str) -> WireError {
        WireError {
            code,
            offset,
            rule,
            sequence: None,
        }
    }

    /// The same error, naming the message it concerns.
    pub fn about(self, sequence: Sequence) -> WireError {
        WireError {
            sequence: Some(sequence),
            ..self
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (byte {})", self.code, self.rule, self.offset)
    }
}

impl std::error::Error for WireError {}
