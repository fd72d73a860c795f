//! How a field is divided into subfields.

use crate::{
    class::Class,
    mask::Mask,
    refusal::Key,
    wire::{Encoding, Length, LengthEncoding, Shape, VALUE_UNITS_MAX},
};

/// The subfields of a field.
#[derive(Clone, Debug)]
pub enum Layout {
    /// One behind the other, each of a fixed length.
    Positions {
        /// In their order.
        rows: Vec<SubfieldRow>,
        /// The whole group may come several times.
        repeat: bool,
    },
    /// Tag, length, value; tags without a row are kept.
    Tags {
        /// How tag and length are written.
        form: TagForm,
        /// Ascending by key.
        rows: Vec<SubfieldRow>,
    },
    /// A bitmap in front says which are there.
    Bitmap {
        /// Subfields that the bitmap can name: 8 to 64. There is no bit for another bitmap.
        bits: u8,
        /// The bitmap is hexadecimal digits in the field's encoding, else bytes.
        hex: bool,
        /// Ascending by key.
        rows: Vec<SubfieldRow>,
    },
    /// BER-TLV; tags without a row are kept.
    Tlv {
        /// Ascending by key.
        rows: Vec<SubfieldRow>,
    },
}

/// How tag and length of tagged data are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagForm {
    /// Characters (bytes of a binary tag) of a tag, 1 to 4.
    pub tag: u8,
    /// The tag is bytes, else characters in the field's encoding.
    pub binary: bool,
    /// Digits of a length, 1 to 4.
    pub length: u8,
    /// How the length is written.
    pub length_encoding: LengthEncoding,
}

impl TagForm {
    /// The shape of length and value behind the tag.
    pub(crate) fn shape(self) -> Shape {
        let most = match (self.length_encoding, self.length) {
            (LengthEncoding::Binary, 1 | 2) => 255,
            (LengthEncoding::Binary, _) => VALUE_UNITS_MAX,
            (_, digits) => 10_u16.saturating_pow(u32::from(digits)).saturating_sub(1),
        };
        Shape {
            class: Class::Binary,
            length: Length::Variable {
                digits: self.length,
                min: 0,
                max: most,
            },
            encoding: Encoding::Binary,
            length_encoding: self.length_encoding,
            sign_ebcdic: false,
        }
    }
}

/// One subfield.
#[derive(Clone, Debug)]
pub struct SubfieldRow {
    /// Position, bit, or tag.
    pub key: Key,
    /// Its name in words.
    pub name: String,
    /// How its value stands on the wire.
    pub shape: Shape,
    /// What every rendering hides of it.
    pub mask: Mask,
    /// Its table of code values, a place in the dialect's.
    pub codes: Option<usize>,
}

impl Layout {
    /// The rows, ascending by key.
    pub fn rows(&self) -> &[SubfieldRow] {
        match self {
            Self::Positions { rows, .. }
            | Self::Tags { rows, .. }
            | Self::Bitmap { rows, .. }
            | Self::Tlv { rows } => rows,
        }
    }

    /// The row of a subfield.
    pub fn row(&self, key: Key) -> Option<&SubfieldRow> {
        let rows = self.rows();
        let place = rows.binary_search_by_key(&key.order(), |row| row.key.order());
        let place = place.ok()?;
        rows.get(place)
    }
}
