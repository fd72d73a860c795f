//! Dialects: how one community writes ISO 8583. A dialect is a table, read from TOML; three come with the crate.
//!
//! One row of the table is one field. Nothing about a dialect is code: another network is another file. Reading compiles the table once
//! into what parsing needs, so that a message costs the same whichever file its dialect came from.

mod codes;
mod compile;
mod layout;
mod presence;
mod read;
mod rule;

use std::sync::LazyLock;

pub use codes::{CodeRow, CodeTable};
pub use layout::{Layout, SubfieldRow, TagForm};
pub use presence::Presence;
pub use read::TableError;
pub use rule::{Condition, StepRule};

pub(crate) use compile::{Check, Op};
pub(crate) use presence::Demand;
pub(crate) use rule::{pack, unpack};

use crate::{
    code_page::CodePage,
    field_set::FieldSet,
    mask::Mask,
    mti::Mti,
    step::Step,
    wire::{Encoding, Shape},
};

/// How a dialect's message types and bitmaps are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitmapEncoding {
    /// 8 bytes a bitmap.
    Binary,
    /// 16 hexadecimal ASCII digits a bitmap, upper case.
    Hex,
    /// 16 hexadecimal digits in the dialect's EBCDIC code page.
    HexEbcdic,
}

/// A dialect, ready to read and write messages.
pub struct Dialect {
    pub(crate) name: String,
    pub(crate) title: String,
    /// Year of the standard's version: 1987, 1993 or 2003; gives the first digit of message types.
    pub(crate) year: u16,
    pub(crate) mti_encoding: Encoding,
    pub(crate) bitmap_encoding: BitmapEncoding,
    pub(crate) page: &'static CodePage,
    /// What the parser needs of each field, by its number less one.
    pub(crate) ops: [Op; 128],
    /// The fields that have a row.
    pub(crate) known: FieldSet,
    /// Those whose wire form is their text or their bytes.
    pub(crate) plain: FieldSet,
    /// Row of each field, by its number; 0 is none, else one more than the place in `rows`.
    pub(crate) places: [u8; 129],
    pub(crate) rows: Vec<FieldRow>,
    pub(crate) messages: Vec<MessageRow>,
    /// By the last three digits of a message type: 0 is none, else one more than the place in `messages`.
    pub(crate) message_places: Box<[u8; 1000]>,
    pub(crate) presences: Vec<Presence>,
    pub(crate) rules: Vec<StepRule>,
    pub(crate) codes: Vec<CodeTable>,
}

/// One row of a dialect's table: one field.
#[derive(Clone, Debug)]
pub struct FieldRow {
    /// Field number, 2 to 128.
    pub number: u8,
    /// Its name in words.
    pub name: String,
    /// How its value stands on the wire.
    pub shape: Shape,
    /// What every rendering hides of it.
    pub mask: Mask,
    /// Its table of code values, a place in [`Dialect::codes`].
    pub codes: Option<usize>,
    /// Its subfields.
    pub layout: Option<Layout>,
}

/// A message type that the dialect knows.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// The message type.
    pub mti: Mti,
    /// Its name in words.
    pub name: String,
    /// The message type of another version of the standard that means the same.
    pub equivalent: Option<Mti>,
    /// Presence at each step, places in the dialect's presence table; 0 is none, else one more than the place.
    pub(crate) steps: [u8; Step::ALL.len()],
}

const NATIONAL: &str = include_str!("../../dialects/national.toml");
const ISO87_ASCII: &str = include_str!("../../dialects/iso87-ascii.toml");
const ISO93_BCD: &str = include_str!("../../dialects/iso93-bcd.toml");

/// A dialect that comes with the crate; that its file is in order is a test.
fn built_in(text: &str) -> Dialect {
    Dialect::read(text).unwrap_or_else(|error| panic!("built-in dialect: {error}"))
}

impl Dialect {
    /// The names of the dialects that come with the crate.
    pub const BUILT_IN: [&'static str; 3] = ["national", "iso87-ascii", "iso93-bcd"];

    /// The national dialect (docs/dialects/national.md).
    pub fn national() -> &'static Dialect {
        static DIALECT: LazyLock<Dialect> = LazyLock::new(|| built_in(NATIONAL));
        &DIALECT
    }

    /// A plain ISO 8583:1987 dialect in ASCII with hexadecimal bitmaps.
    pub fn iso87_ascii() -> &'static Dialect {
        static DIALECT: LazyLock<Dialect> = LazyLock::new(|| built_in(ISO87_ASCII));
        &DIALECT
    }

    /// An ISO 8583:1993 dialect with packed digits, EBCDIC text and binary bitmaps.
    pub fn iso93_bcd() -> &'static Dialect {
        static DIALECT: LazyLock<Dialect> = LazyLock::new(|| built_in(ISO93_BCD));
        &DIALECT
    }

    /// The dialect of that name that comes with the crate.
    pub fn built_in(name: &str) -> Option<&'static Dialect> {
        match name {
            "national" => Some(Dialect::national()),
            "iso87-ascii" => Some(Dialect::iso87_ascii()),
            "iso93-bcd" => Some(Dialect::iso93_bcd()),
            _ => None,
        }
    }

    /// Reads a dialect from the text of its TOML file.
    ///
    /// # Errors
    /// The path of the first key or value that is wrong, and what is wrong with it.
    pub fn read(text: &str) -> Result<Dialect, TableError> {
        read::dialect(text)
    }

    /// Short name, such as `national`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name in words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Year of the standard's version.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// The fields that the dialect has.
    pub fn fields(&self) -> FieldSet {
        self.known
    }

    /// The rows, ascending by field number.
    pub fn rows(&self) -> &[FieldRow] {
        &self.rows
    }

    /// The row of a field.
    pub fn field(&self, number: u8) -> Option<&FieldRow> {
        let place = *self.places.get(usize::from(number))?;
        self.rows.get(usize::from(place).checked_sub(1)?)
    }

    /// The message types that the dialect has.
    pub fn messages(&self) -> &[MessageRow] {
        &self.messages
    }

    /// The row of a message type.
    #[inline]
    pub fn message(&self, mti: Mti) -> Option<&MessageRow> {
        let place = *self.message_places.get(usize::from(mti.number() % 1000))?;
        let row = self.messages.get(usize::from(place).checked_sub(1)?)?;
        (row.mti == mti).then_some(row)
    }

    /// The message type that the dialect of another version has for this one.
    pub fn equivalent(&self, mti: Mti) -> Option<Mti> {
        self.message(mti)?.equivalent
    }

    /// What must and may stand in a message at a step; `None` if the message has no business there.
    #[inline]
    pub fn presence(&self, mti: Mti, step: Step) -> Option<&Presence> {
        let place = self.message(mti)?.steps[step as usize];
        self.presences.get(usize::from(place).checked_sub(1)?)
    }

    /// All presence rows, as they stand in the table.
    pub fn presences(&self) -> &[Presence] {
        &self.presences
    }

    /// The conditional rules that presence rows name.
    pub fn rules(&self) -> &[StepRule] {
        &self.rules
    }

    /// The tables of code values.
    pub fn codes(&self) -> &[CodeTable] {
        &self.codes
    }

    /// What a code value means, such as `51` in the table `response`.
    pub fn meaning(&self, table: &str, code: &str) -> Option<&str> {
        self.codes
            .iter()
            .find(|codes| codes.name == table)?
            .meaning(code)
    }

    /// What a code value means, by the table that a row names.
    pub(crate) fn meaning_of(&self, table: Option<usize>, code: &str) -> Option<&str> {
        self.codes.get(table?)?.meaning(code)
    }

    /// How the bitmaps are written.
    pub fn bitmap_encoding(&self) -> BitmapEncoding {
        self.bitmap_encoding
    }

    /// How the message type is written.
    pub fn mti_encoding(&self) -> Encoding {
        self.mti_encoding
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dialect({})", self.name)
    }
}

#[cfg(test)]
mod tests;
