//! Writes values one after the other; the opposite of [`Reader`](super::Reader).

use super::Layout;

/// Appends to a buffer that the caller owns and reuses. Every write succeeds: what may be stored is decided before, by the
/// types and by the engine's rules.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

/// Counts below this take one byte; from here on the byte holds this value and four bytes follow.
pub(super) const COUNT_LONG: u8 = 0xFF;

impl<'a> Writer<'a> {
    /// Appends to `out`; what it holds stays.
    pub fn new(out: &'a mut Vec<u8>) -> Writer<'a> {
        Writer { out }
    }

    /// Appends `value` in its layout.
    #[inline]
    pub fn put<T: Layout>(&mut self, value: &T) {
        value.put(self);
    }

    /// Appends one byte.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// Appends two bytes, little-endian.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends four bytes, little-endian.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends eight bytes, little-endian.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends bytes as they are, without a length.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends a number of items: one byte below 255, else 255 and four bytes.
    pub fn count(&mut self, count: usize) {
        match u8::try_from(count) {
            Ok(short) if short != COUNT_LONG => self.u8(short),
            _ => {
                self.u8(COUNT_LONG);
                // A list of more than four thousand million items does not fit into memory.
                self.u32(u32::try_from(count).unwrap_or(u32::MAX));
            }
        }
    }

    /// Appends a text with its length, as [`Writer::count`].
    #[inline]
    pub fn text(&mut self, text: &[u8]) {
        self.count(text.len());
        self.bytes(text);
    }

    /// Appends the count and the items.
    pub fn list<T: Layout>(&mut self, items: &[T]) {
        self.count(items.len());
        for item in items {
            item.put(self);
        }
    }

    /// Appends the value if there is one; that it is there must stand in flags written before.
    #[inline]
    pub fn optional<T: Layout>(&mut self, value: &Option<T>) {
        if let Some(value) = value {
            value.put(self);
        }
    }
}
