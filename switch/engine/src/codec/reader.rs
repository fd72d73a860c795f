//! Reads values one after the other from bytes that may be anything.

use super::{FactsError, Layout, LayoutRule, writer::COUNT_LONG};

/// A place in stored bytes. Never panics, and never trusts a count: memory grows with the items that are really there.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    layout: &'static str,
    rest: &'a [u8],
    length: usize,
}

/// Items for which a list reserves memory before it has read them, at most.
const RESERVED_ITEMS_MAX: usize = 4096;

impl<'a> Reader<'a> {
    /// Reads `bytes`; `layout` is the name that errors give.
    pub fn new(layout: &'static str, bytes: &'a [u8]) -> Reader<'a> {
        Reader {
            layout,
            rest: bytes,
            length: bytes.len(),
        }
    }

    /// Reads a value; `field` is the name that errors give.
    #[inline]
    pub fn field<T: Layout>(&mut self, field: &'static str) -> Result<T, FactsError> {
        T::take(self, field)
    }

    /// Bytes read so far.
    #[inline]
    pub fn offset(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The error of a field that began at `offset`.
    pub fn error(&self, field: &'static str, offset: usize, rule: LayoutRule) -> FactsError {
        FactsError {
            layout: self.layout,
            field,
            offset,
            rule,
        }
    }

    /// Reads `length` bytes as they are.
    #[inline]
    pub fn bytes(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], FactsError> {
        match self.rest.split_at_checked(length) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.error(field, self.offset(), LayoutRule::Truncated)),
        }
    }

    /// Reads `N` bytes as they are.
    #[inline]
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], FactsError> {
        match self.rest.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(self.error(field, self.offset(), LayoutRule::Truncated)),
        }
    }

    /// Reads one byte.
    #[inline]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, FactsError> {
        let [byte] = self.array(field)?;
        Ok(byte)
    }

    /// Reads two bytes, little-endian.
    #[inline]
    pub fn u16(&mut self, field: &'static str) -> Result<u16, FactsError> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// Reads four bytes, little-endian.
    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, FactsError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// Reads eight bytes, little-endian.
    #[inline]
    pub fn u64(&mut self, field: &'static str) -> Result<u64, FactsError> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// Reads a number of items as [`Writer::count`](super::Writer::count) writes it. The number is not trusted: reserve
    /// no memory for it.
    pub fn count(&mut self, field: &'static str) -> Result<usize, FactsError> {
        let offset = self.offset();
        let short = self.u8(field)?;
        if short != COUNT_LONG {
            return Ok(usize::from(short));
        }
        let long = self.u32(field)?;
        if long < u32::from(COUNT_LONG) {
            return Err(self.error(field, offset, LayoutRule::NotShortest));
        }
        usize::try_from(long).map_err(|_| self.error(field, offset, LayoutRule::Value))
    }

    /// Reads a text with its length.
    pub fn text(&mut self, field: &'static str) -> Result<&'a str, FactsError> {
        let offset = self.offset();
        let length = self.count(field)?;
        let bytes = self.bytes(field, length)?;
        std::str::from_utf8(bytes).map_err(|_| self.error(field, offset, LayoutRule::Value))
    }

    /// Reads a text and parses it.
    pub fn parsed<T, E>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, FactsError> {
        let offset = self.offset();
        let text = self.text(field)?;
        parse(text).map_err(|_| self.error(field, offset, LayoutRule::Value))
    }

    /// Reads a count and that many items.
    pub fn list<T: Layout>(&mut self, field: &'static str) -> Result<Vec<T>, FactsError> {
        let count = self.count(field)?;
        let mut items = Vec::with_capacity(count.min(self.remaining()).min(RESERVED_ITEMS_MAX));
        for _ in 0..count {
            items.push(T::take(self, field)?);
        }
        Ok(items)
    }

    /// Reads a byte of flags, of which only those in `known` may be set.
    #[inline]
    pub fn flags(&mut self, field: &'static str, known: u8) -> Result<Flags, FactsError> {
        let offset = self.offset();
        let bits = self.u8(field)?;
        if bits & !known != 0 {
            return Err(self.error(field, offset, LayoutRule::Tag));
        }
        Ok(Flags(bits))
    }

    /// Reads a value if `present`.
    #[inline]
    pub fn optional<T: Layout>(
        &mut self,
        field: &'static str,
        present: bool,
    ) -> Result<Option<T>, FactsError> {
        if present {
            T::take(self, field).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads the version byte; only `written`, the version that this binary writes, is known.
    pub fn version(&mut self, written: u8) -> Result<(), FactsError> {
        let offset = self.offset();
        match self.u8("version")? {
            version if version == written => Ok(()),
            version => Err(self.error("version", offset, LayoutRule::UnknownVersion(version))),
        }
    }

    /// Reads a tag and finds its meaning; none is an error.
    #[inline]
    pub fn tag<T>(
        &mut self,
        field: &'static str,
        meaning: impl FnOnce(u8) -> Option<T>,
    ) -> Result<T, FactsError> {
        let offset = self.offset();
        let tag = self.u8(field)?;
        meaning(tag).ok_or_else(|| self.error(field, offset, LayoutRule::Tag))
    }

    /// Nothing may follow the last field.
    pub fn finish(self) -> Result<(), FactsError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error("end", self.offset(), LayoutRule::Trailing))
        }
    }
}

/// Eight flags; bit 0 is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// Flags from bit 0 upwards.
    #[inline]
    pub fn of(bits: &[bool]) -> Flags {
        let mut value = 0_u8;
        for (place, bit) in bits.iter().take(8).enumerate() {
            value |= u8::from(*bit) << place;
        }
        Flags(value)
    }

    /// Whether the flag at `place` (0 to 7) is set.
    #[inline]
    pub const fn has(self, place: u32) -> bool {
        (self.0 >> (place & 7)) & 1 == 1
    }
}
