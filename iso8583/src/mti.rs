//! Message type indicators: four digits that say version, class, function and origin.

use std::fmt;

/// A message type indicator (ISO 8583, clause on message structure): version, class, function, origin, one digit each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mti(u16);

impl Mti {
    /// The type of that number: `Mti::new(200)` is `0200`; `None` above 9999.
    pub const fn new(number: u16) -> Option<Mti> {
        if number > 9999 {
            None
        } else {
            Some(Mti(number))
        }
    }

    /// Reads four ASCII digits; anything else is `None`.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Mti> {
        let digits: [u8; 4] = text.try_into().ok()?;
        let mut number = 0_u16;
        for digit in digits {
            let value = digit.wrapping_sub(b'0');
            if value > 9 {
                return None;
            }
            number = number.wrapping_mul(10).wrapping_add(u16::from(value));
        }
        Some(Mti(number))
    }

    /// As a number: 200 for `0200`.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// First digit: 0 is ISO 8583:1987, 1 is 1993.
    pub const fn version(self) -> u8 {
        (self.0 / 1000) as u8
    }

    /// Second digit: 1 authorisation, 2 financial, 3 file action, 4 reversal, 5 reconciliation, 6 administrative, 8 network management.
    pub const fn class(self) -> u8 {
        (self.0 / 100 % 10) as u8
    }

    /// Third digit: 0 request, 1 answer, 2 advice, 3 advice answer, 4 notification.
    pub const fn function(self) -> u8 {
        (self.0 / 10 % 10) as u8
    }

    /// Fourth digit: 0 acquirer, 1 acquirer's repeat, 2 issuer, 3 issuer's repeat, 4 other, 5 other's repeat.
    pub const fn origin(self) -> u8 {
        (self.0 % 10) as u8
    }

    /// Is it an answer: an odd function digit.
    pub const fn is_answer(self) -> bool {
        self.function() % 2 == 1
    }

    /// Is it a repeat: an odd origin digit.
    pub const fn is_repeat(self) -> bool {
        self.origin() % 2 == 1
    }

    /// The type that answers it, a repeat like its first sending: `0200` and `0201` → `0210`; an answer and a notification have none.
    pub const fn answer(self) -> Option<Mti> {
        match self.function() {
            0 | 2 => Some(Mti(self.0 + 10 - self.0 % 2)),
            _ => None,
        }
    }

    /// The type of its repeats: `0420` → `0421`; an answer has none.
    pub const fn repeat(self) -> Option<Mti> {
        if self.is_answer() || self.origin() > 5 {
            None
        } else {
            Some(Mti(self.0 | 1))
        }
    }

    /// The four ASCII digits.
    pub const fn digits(self) -> [u8; 4] {
        [
            b'0' + self.version(),
            b'0' + self.class(),
            b'0' + self.function(),
            b'0' + self.origin(),
        ]
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl fmt::Debug for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
