//! One registry of identifier types. Each kind is its own type, so that a message identifier cannot be passed for
//! a transaction identifier.
//!
//! Text identifiers hold 1 to 35 characters (`Max35Text`) of the set that survives every channel: letters, digits
//! and `/ - ? : ( ) . , ' + _` and blank, never a blank at either end.

use crate::text::Text;
use std::fmt;

/// Longest text identifier, in characters (`Max35Text`).
pub const IDENTIFIER_CHARACTERS_MAX: usize = 35;

rules! {
    /// Why an identifier was refused.
    IdError {
        Empty => "identifier-empty", "the identifier is empty";
        TooLong => "identifier-too-long", "the identifier has more than 35 characters";
        Characters => "identifier-characters", "the identifier has a character outside letters, digits, blank and / - ? : ( ) . , ' + _";
        Blank => "identifier-blank", "the identifier begins or ends with a blank";
    }
}

macro_rules! text_identifiers {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Text<IDENTIFIER_CHARACTERS_MAX>);

        impl $name {
            /// Reads the identifier; the rules are those of the module.
            pub fn parse(text: &str) -> Result<$name, IdError> {
                check_identifier(text).map($name)
            }

            /// The identifier that `arguments` writes, without allocating.
            pub fn format(arguments: fmt::Arguments<'_>) -> Result<$name, IdError> {
                let text: Text<IDENTIFIER_CHARACTERS_MAX> =
                    Text::format(arguments).map_err(|_| IdError::TooLong)?;
                $name::parse(text.as_str())
            }

            /// The identifier as written.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The identifier as bytes, all ASCII.
            #[inline]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }
    )+};
}

text_identifiers! {
    /// Identifier of one message (`MsgId`, `BizMsgIdr`); new for every message.
    MessageId;
    /// The instructing participant's own reference (`InstrId`).
    InstructionId;
    /// The payer's reference, carried to the payee unchanged (`EndToEndId`).
    EndToEndId;
    /// Identifier of a payment (`TxId`), unique within the instructing participant; the duplicate key.
    TransactionId;
    /// Identifier of a return (`RtrId` of pacs.004).
    ReturnId;
    /// Identifier of a recall (`CxlId` of camt.056).
    CancellationId;
    /// Identifier of an investigation case (`Case/Id`).
    CaseId;
    /// Identifier of a QR code, unique within the merchant's bank.
    QrId;
    /// Identifier of a directory look-up's result, which the payment carries back.
    ResolutionId;
    /// Identifier of a claim on a directory default.
    ClaimId;
    /// Identifier of a status line (`StsId` of pacs.002).
    StatusId;
}

macro_rules! numbers {
    ($($(#[$meta:meta])* $name:ident($inner:ty);)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            /// The identifier of a number.
            pub const fn new(value: $inner) -> $name {
                $name(value)
            }

            /// The number.
            pub const fn value(self) -> $inner {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }
    )+};
}

numbers! {
    /// Dense slot of a participant; 0 is the switch and the central bank.
    ParticipantId(u16);
    /// Sequence number of a record in the journal; the first record is 1, 0 is "before the first".
    Position(u64);
    /// Sequence number of a frame on one participant's link; the first is 1.
    Sequence(u64);
    /// Term of leadership over the journal; rises at every promotion.
    Epoch(u32);
}

impl ParticipantId {
    /// The switch itself, and the central bank as owner of the mirror account.
    pub const SWITCH: ParticipantId = ParticipantId(0);

    /// The slot as an index into a dense table.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Position {
    /// Before the first record.
    pub const ZERO: Position = Position(0);
    /// The first record.
    pub const FIRST: Position = Position(1);

    /// The position after this one; stays at the last possible one, which no journal reaches.
    pub const fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }
}

impl Sequence {
    /// Before the first frame.
    pub const ZERO: Sequence = Sequence(0);

    /// The sequence after this one; stays at the last possible one, which no link reaches.
    pub const fn next(self) -> Sequence {
        Sequence(self.0.saturating_add(1))
    }
}

fn check_identifier(text: &str) -> Result<Text<IDENTIFIER_CHARACTERS_MAX>, IdError> {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Err(IdError::Empty);
    };
    if !bytes.iter().all(|byte| is_identifier_byte(*byte)) {
        return Err(IdError::Characters);
    }
    if *first == b' ' || *last == b' ' {
        return Err(IdError::Blank);
    }
    Text::try_from(text).map_err(|_| IdError::TooLong)
}

const fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'-' | b'?' | b':' | b'(' | b')' | b'.' | b',' | b'\'' | b'+' | b' ' | b'_'
        )
}

#[cfg(test)]
mod tests;
