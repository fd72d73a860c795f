//! Sets of field numbers 1 to 128, laid out as the two bitmaps of a message.

use std::fmt;

/// Highest field number of ISO 8583:1987 and 1993.
pub const FIELD_MAX: u8 = 128;

/// A set of field numbers 1 to 128. Field 1 is the most significant bit, as in a message's bitmaps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FieldSet(u128);

impl FieldSet {
    /// No field.
    pub const EMPTY: FieldSet = FieldSet(0);
    /// Every field, 1 to 128.
    pub const ALL: FieldSet = FieldSet(u128::MAX);
    /// Fields 65 to 128: those of the secondary bitmap.
    pub const SECONDARY: FieldSet = FieldSet(u64::MAX as u128);

    /// The set of one field; a number outside of 1 to 128 gives the empty set.
    #[inline]
    pub const fn one(field: u8) -> FieldSet {
        // Of its half of the bitmaps: a shift of 128 bits costs several of 64.
        let bit = 1_u64 << (field.wrapping_neg() & 63);
        match field {
            1..=64 => FieldSet((bit as u128) << 64),
            65..=FIELD_MAX => FieldSet(bit as u128),
            _ => FieldSet(0),
        }
    }

    /// The set of the fields listed; numbers outside of 1 to 128 are left out.
    pub const fn of(fields: &[u8]) -> FieldSet {
        let mut set = FieldSet(0);
        let mut i = 0;
        while i < fields.len() {
            set = set.union(FieldSet::one(fields[i]));
            i += 1;
        }
        set
    }

    /// From the bits of the two bitmaps, primary in the upper half.
    pub const fn from_bits(bits: u128) -> FieldSet {
        FieldSet(bits)
    }

    /// The bits of the two bitmaps, primary in the upper half.
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// Is the field in the set?
    #[inline]
    pub const fn contains(self, field: u8) -> bool {
        let half = if field > 64 {
            self.0 as u64
        } else {
            (self.0 >> 64) as u64
        };
        let bit = half >> (field.wrapping_neg() & 63) & 1;
        bit == 1 && field != 0 && field <= FIELD_MAX
    }

    /// Are all of `other` in the set?
    #[inline]
    pub const fn contains_all(self, other: FieldSet) -> bool {
        other.0 & !self.0 == 0
    }

    /// Is any of `other` in the set?
    #[inline]
    pub const fn contains_any(self, other: FieldSet) -> bool {
        other.0 & self.0 != 0
    }

    /// With the field.
    #[inline]
    pub const fn with(self, field: u8) -> FieldSet {
        self.union(FieldSet::one(field))
    }

    /// Without the field.
    #[inline]
    pub const fn without(self, field: u8) -> FieldSet {
        self.difference(FieldSet::one(field))
    }

    /// In either.
    pub const fn union(self, other: FieldSet) -> FieldSet {
        FieldSet(self.0 | other.0)
    }

    /// In both.
    pub const fn intersection(self, other: FieldSet) -> FieldSet {
        FieldSet(self.0 & other.0)
    }

    /// In this one and not in the other.
    pub const fn difference(self, other: FieldSet) -> FieldSet {
        FieldSet(self.0 & !other.0)
    }

    /// Has it no field?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many fields.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The lowest field number.
    #[inline]
    pub const fn first(self) -> Option<u8> {
        if self.0 == 0 {
            None
        } else {
            Some(self.0.leading_zeros() as u8 + 1)
        }
    }

    /// The lowest field number that is not below the one given.
    #[inline]
    pub const fn first_from(self, field: u8) -> Option<u8> {
        match field {
            0 | 1 => self.first(),
            2..=FIELD_MAX => FieldSet(self.0 & (u128::MAX >> (field - 1))).first(),
            _ => None,
        }
    }

    /// The field numbers, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        let mut rest = self;
        std::iter::from_fn(move || {
            let field = rest.first()?;
            rest = rest.without(field);
            Some(field)
        })
    }

    /// Reads `2-4 7 11-13`: numbers and ranges between blanks.
    pub(crate) fn parse(text: &str) -> Result<FieldSet, String> {
        let mut set = FieldSet::EMPTY;
        for word in text.split_ascii_whitespace() {
            let (from, to) = word.split_once('-').unwrap_or((word, word));
            let number = |text: &str| {
                text.parse::<u8>()
                    .ok()
                    .filter(|n| (1..=FIELD_MAX).contains(n))
            };
            match (number(from), number(to)) {
                (Some(from), Some(to)) if from <= to => {
                    for field in from..=to {
                        set = set.with(field);
                    }
                }
                _ => {
                    return Err(format!(
                        "`{word}` is neither a field number nor a range of them"
                    ));
                }
            }
        }
        Ok(set)
    }
}

impl fmt::Display for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, field) in self.iter().enumerate() {
            write!(f, "{}{field}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests;
