//! What renderings hide: classes of the dialect's tables, and how each is shown.

use crate::class::Class;

/// Why a value is hidden. A class of the table, so that no rendering can forget one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mask {
    /// Shown.
    Open,
    /// A card number or token: the first six and the last four digits are shown.
    Pan,
    /// Track data.
    Track,
    /// A PIN block or anything else about a PIN.
    Pin,
    /// A card verification value, and values that take its place (CAVV, cryptogram of a token).
    Cvv,
    /// A message authentication code.
    Mac,
    /// Key material.
    Key,
    /// The cardholder's name.
    Name,
}

/// Whether a rendering shows what is hidden otherwise. The reason is for the log; whoever unmasks has to give one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unmask {
    /// Everything that has a class stays hidden.
    #[default]
    No,
    /// Everything is shown.
    Yes,
}

/// Digits of a card number that stay hidden at least.
const PAN_HIDDEN_MIN: usize = 5;
/// Digits shown in front.
const PAN_FIRST: usize = 6;
/// Most digits shown behind.
const PAN_LAST: usize = 4;

impl Mask {
    /// Names in the tables.
    pub(crate) const NAMES: [(&'static str, Mask); 8] = [
        ("open", Mask::Open),
        ("pan", Mask::Pan),
        ("track", Mask::Track),
        ("pin", Mask::Pin),
        ("cvv", Mask::Cvv),
        ("mac", Mask::Mac),
        ("key", Mask::Key),
        ("name", Mask::Name),
    ];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        Mask::NAMES
            .iter()
            .find(|(_, mask)| *mask == self)
            .map_or("", |(name, _)| name)
    }

    /// Which characters of a text of so many are hidden: a range; the rest is shown.
    pub fn hidden(self, length: usize) -> std::ops::Range<usize> {
        match self {
            Self::Open => 0..0,
            Self::Pan if length >= PAN_FIRST + PAN_HIDDEN_MIN => {
                let last = (length - PAN_FIRST - PAN_HIDDEN_MIN).min(PAN_LAST);
                PAN_FIRST..length - last
            }
            _ => 0..length,
        }
    }

    /// A text with `*` for each character that is hidden.
    pub fn shown(self, text: &str, unmask: Unmask) -> String {
        if unmask == Unmask::Yes || self == Self::Open {
            return text.to_owned();
        }
        let hidden = self.hidden(text.chars().count());
        let show = |(place, character)| {
            if hidden.contains(&place) {
                '*'
            } else {
                character
            }
        };
        text.chars().enumerate().map(show).collect()
    }
}

/// The character that stands for hidden ones where the message must stay readable.
pub(crate) fn neutral(class: Class) -> u8 {
    match class {
        Class::Alpha | Class::AlphaSpecial | Class::Special => b' ',
        _ => b'0',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mask: Mask, text: &str, expect: &str) {
        assert_eq!(mask.shown(text, Unmask::No), expect);
        assert_eq!(mask.shown(text, Unmask::Yes), text);
    }

    #[test]
    fn first_six_and_last_four_of_a_card_number_at_most() {
        check(Mask::Pan, "4111111111111111", "411111******1111");
        check(Mask::Pan, "6200000000000000005", "620000*********0005");
        check(Mask::Pan, "378282246310005", "378282*****0005");
        check(Mask::Pan, "412345678901", "412345*****1");
        check(Mask::Pan, "4123456789", "**********");
        check(Mask::Pan, "", "");
    }

    #[test]
    fn nothing_of_anything_else() {
        for mask in [
            Mask::Track,
            Mask::Pin,
            Mask::Cvv,
            Mask::Mac,
            Mask::Key,
            Mask::Name,
        ] {
            check(mask, "0123456789ABCDEF", "****************");
        }
        check(Mask::Open, "0123", "0123");
    }
}
