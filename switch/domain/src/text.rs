//! Short text kept inline: the base of the identifiers.
//!
//! Why it exists: an identifier travels through every queue and table of the switch, so it must be `Copy` and
//! must not allocate. It never truncates silently; [`Text::truncated`] says so in its name.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// At most `N` bytes of UTF-8, stored inline (`N` ≤ 255). Compares, orders and hashes as its text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    // Bytes past `length` are always zero, so that the derived equality is the equality of the texts.
    length: u8,
    bytes: [u8; N],
}

rules! {
    /// Why a text was refused.
    TextError {
        TooLong => "text-too-long", "the text is longer than its field allows";
    }
}

impl<const N: usize> Text<N> {
    const LENGTH_FITS_A_BYTE: () = assert!(N <= u8::MAX as usize);

    /// The empty text.
    pub const EMPTY: Text<N> = Text {
        length: 0,
        bytes: [0; N],
    };

    /// The longest prefix of `text` that fits, cut between characters.
    pub fn truncated(text: &str) -> Text<N> {
        let mut end = text.len().min(N);
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        text.get(..end)
            .and_then(|prefix| Text::try_from(prefix).ok())
            .unwrap_or(Text::EMPTY)
    }

    /// The text that `arguments` writes, without allocating: `Text::format(format_args!("{n}"))`.
    pub fn format(arguments: fmt::Arguments<'_>) -> Result<Text<N>, TextError> {
        let mut text = Text::EMPTY;
        fmt::write(&mut text, arguments).map_err(|_| TextError::TooLong)?;
        Ok(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Only whole `&str` values are ever appended, so this cannot fail.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The UTF-8 bytes of the text.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    /// Length in bytes.
    pub const fn len(&self) -> usize {
        self.length as usize
    }

    /// Whether there is no character.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<const N: usize> TryFrom<&str> for Text<N> {
    type Error = TextError;

    fn try_from(text: &str) -> Result<Text<N>, TextError> {
        let () = Self::LENGTH_FITS_A_BYTE;
        let mut bytes = [0; N];
        let length = u8::try_from(text.len()).map_err(|_| TextError::TooLong)?;
        bytes
            .get_mut(..text.len())
            .ok_or(TextError::TooLong)?
            .copy_from_slice(text.as_bytes());
        Ok(Text { length, bytes })
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let start = usize::from(self.length);
        let end = start.checked_add(piece.len()).ok_or(fmt::Error)?;
        let length = u8::try_from(end).map_err(|_| fmt::Error)?;
        self.bytes
            .get_mut(start..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(piece.as_bytes());
        self.length = length;
        Ok(())
    }
}

impl<const N: usize> PartialOrd for Text<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> Ord for Text<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl<const N: usize> Hash for Text<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
