//! What the codec says when it refuses a message: the field, the place, and the rule.

use std::fmt;

use crate::class::Class;

/// Field number that a refusal of the message type indicator carries.
pub const FIELD_MTI: u8 = 0;
/// Field number that a refusal of a bitmap carries.
pub const FIELD_BITMAP: u8 = 1;

/// A refused message, or a refused value of a message to be written. A value, not a fault of ours: whoever wrote it must act. It holds no
/// byte of the message, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Field number; [`FIELD_MTI`] and [`FIELD_BITMAP`] for what is before the fields.
    pub field: u8,
    /// The subfield, where the breach is inside of a structured field.
    pub subfield: Option<Key>,
    /// Byte offset in the message (in the field's value, when a value is written) at which the breach was noticed.
    pub offset: u32,
    /// The rule that is broken.
    pub rule: Rule,
}

impl Refusal {
    /// A refusal of a whole field.
    #[cold]
    pub(crate) fn new(field: u8, offset: usize, rule: Rule) -> Refusal {
        Refusal {
            field,
            subfield: None,
            // Messages are shorter than `MESSAGE_BYTES_MAX`.
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            rule,
        }
    }

    /// A refusal inside of a structured field.
    #[cold]
    pub(crate) fn within(field: u8, subfield: Option<Key>, offset: usize, rule: Rule) -> Refusal {
        Refusal {
            subfield,
            ..Refusal::new(field, offset, rule)
        }
    }

    /// Stable kebab-case code of the rule.
    pub fn code(&self) -> &'static str {
        self.rule.code()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            FIELD_MTI => f.write_str("message type")?,
            FIELD_BITMAP => f.write_str("bitmap")?,
            field => write!(f, "field {field}")?,
        }
        if let Some(subfield) = self.subfield {
            write!(f, ".{subfield}")?;
        }
        write!(
            f,
            " at byte {}: {} {}",
            self.offset,
            self.rule,
            self.rule.code()
        )
    }
}

impl std::error::Error for Refusal {}

/// Which subfield of a structured field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// Position or bit, from 1.
    Number(u8),
    /// A tag of one to four ASCII characters, filled with zero bytes.
    Tag([u8; 4]),
    /// A binary tag: of BER-TLV, or of tagged binary data.
    Binary(u32),
}

impl Key {
    /// The key of a text tag; `None` if it is empty or longer than four characters.
    pub fn tag(text: &[u8]) -> Option<Key> {
        let mut tag = [0; 4];
        if text.is_empty() {
            return None;
        }
        tag.get_mut(..text.len())?.copy_from_slice(text);
        Some(Key::Tag(tag))
    }

    /// A number that orders keys as `Ord` does.
    pub(crate) fn order(self) -> u64 {
        match self {
            Self::Number(number) => u64::from(number),
            Self::Tag(tag) => 1 << 32 | u64::from(u32::from_be_bytes(tag)),
            Self::Binary(tag) => 2 << 32 | u64::from(tag),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Tag(tag) => {
                for &byte in tag.iter().take_while(|byte| **byte != 0) {
                    write!(f, "{}", byte.escape_ascii())?;
                }
                Ok(())
            }
            Self::Binary(tag) if *tag > 0xFF_FFFF => write!(f, "{tag:08X}"),
            Self::Binary(tag) if *tag > 0xFFFF => write!(f, "{tag:06X}"),
            Self::Binary(tag) if *tag > 0xFF => write!(f, "{tag:04X}"),
            Self::Binary(tag) => write!(f, "{tag:02X}"),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The rule that a refused message breaks; `Display` gives it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// More bytes than [`crate::MESSAGE_BYTES_MAX`].
    MessageTooLong,
    /// The message ends before this does.
    Truncated,
    /// Bytes are left behind the last field (or behind the last subfield).
    Trailing,
    /// The message type is not four digits.
    MessageTypeDigits,
    /// The message type is not in the dialect's table.
    UnknownMessageType,
    /// A bitmap in hexadecimal with another character.
    BitmapDigits,
    /// A secondary bitmap that names no field.
    EmptyBitmap,
    /// The bitmap names a field that the dialect's table does not have.
    UnknownField,
    /// A length that is not written in digits.
    LengthDigits,
    /// Longer than the table allows.
    TooLong {
        /// Most units: digits, characters or bytes, as the length counts them.
        max: u16,
    },
    /// Shorter than the table allows.
    TooShort {
        /// Least units.
        min: u16,
    },
    /// A character outside of the field type's set.
    CharacterSet(Class),
    /// A filling half-byte that is not what the alignment fills with.
    Filler,
    /// A tag of BER-TLV that is malformed.
    TlvTag,
    /// A length of BER-TLV that is malformed or more than is there.
    TlvLength,
    /// More nested templates than [`crate::tlv::DEPTH_MAX`].
    TlvDepth,
    /// The tag is not of the tag's characters.
    TagCharacters,
    /// The field has no subfields of that kind in the table.
    NotStructured,
    /// The field's subfields cannot be borrowed from the wire: half-bytes; read them from its text.
    Packed,
    /// A field that is written was not above the one before it, or was edited twice.
    Order,
    /// A message that is taken into another dialect lacks a field that it must have there.
    Missing,
    /// What the field says must not be lost, and the other dialect has no place for it.
    NoPlace,
}

impl Rule {
    /// Stable kebab-case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MessageTooLong => "message-too-long",
            Self::Truncated => "truncated",
            Self::Trailing => "trailing-bytes",
            Self::MessageTypeDigits => "message-type-digits",
            Self::UnknownMessageType => "unknown-message-type",
            Self::BitmapDigits => "bitmap-digits",
            Self::EmptyBitmap => "empty-bitmap",
            Self::UnknownField => "unknown-field",
            Self::LengthDigits => "length-digits",
            Self::TooLong { .. } => "too-long",
            Self::TooShort { .. } => "too-short",
            Self::CharacterSet(_) => "character-set",
            Self::Filler => "filler",
            Self::TlvTag => "tlv-tag",
            Self::TlvLength => "tlv-length",
            Self::TlvDepth => "tlv-depth",
            Self::TagCharacters => "tag-characters",
            Self::NotStructured => "not-structured",
            Self::Packed => "packed",
            Self::Order => "order",
            Self::Missing => "missing-field",
            Self::NoPlace => "no-place",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MessageTooLong => write!(f, "more than {} bytes", crate::MESSAGE_BYTES_MAX),
            Self::Truncated => f.write_str("the bytes end before it does"),
            Self::Trailing => f.write_str("bytes are left over"),
            Self::MessageTypeDigits => f.write_str("the message type is not four digits"),
            Self::UnknownMessageType => f.write_str("the message type is not in the dialect"),
            Self::BitmapDigits => f.write_str("the bitmap is not hexadecimal"),
            Self::EmptyBitmap => f.write_str("the secondary bitmap names no field"),
            Self::UnknownField => f.write_str("the field is not in the dialect"),
            Self::LengthDigits => f.write_str("the length is not written in digits"),
            Self::TooLong { max } => write!(f, "longer than {max}"),
            Self::TooShort { min } => write!(f, "shorter than {min}"),
            Self::CharacterSet(class) => write!(f, "not of type {class}"),
            Self::Filler => f.write_str("the filling half-byte is wrong"),
            Self::TlvTag => f.write_str("malformed BER-TLV tag"),
            Self::TlvLength => f.write_str("malformed BER-TLV length"),
            Self::TlvDepth => f.write_str("BER-TLV templates nested too deep"),
            Self::TagCharacters => f.write_str("the tag is not of letters and digits"),
            Self::NotStructured => f.write_str("no such subfields in the dialect"),
            Self::Packed => f.write_str("packed digits have to be read as text"),
            Self::Order => f.write_str("fields have to be written once, in ascending order"),
            Self::Missing => f.write_str("it must be there in the other dialect"),
            Self::NoPlace => f.write_str("the other dialect has no place for it"),
        }
    }
}
