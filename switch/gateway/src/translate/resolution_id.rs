//! The resolution identifier: what a look-up answer gives and the payment carries back, so that the switch can tell whether
//! the directory still says what the payer was shown.
//!
//! ```text
//! R 9F3C52AA01B7E6D4 1A2B 47
//! | |                |    +-- two check digits (ISO 7064 mod 97-10 over what stands before them)
//! | |                +------- log position of the entry's last change, hexadecimal, 1 to 15 digits
//! | +------------------------ hash of the phone number, 16 hexadecimal digits
//! +-------------------------- mark
//! ```
//! Upper case, no blanks: 20 to 34 characters, so that it fits an account identification (Max34Text). It tells nothing that
//! the asker did not know.

use std::fmt;

use torap_domain::{Position, Text};
use torap_engine::directory::AliasKey;

/// Longest text form, in characters.
const CHARACTERS_MAX: usize = 34;
const ALIAS_DIGITS: usize = 16;
const CHECK_DIGITS: usize = 2;
/// Largest position that the text form can hold; a journal does not come that far.
const POSITION_MAX: u64 = (1 << 60) - 1;

/// An alias and the position of the change that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResolutionId {
    pub(crate) alias: AliasKey,
    pub(crate) changed_at: Position,
}

impl ResolutionId {
    /// Reads the text form; none if it is not one, or its check digits are wrong.
    pub(crate) fn parse(text: &str) -> Option<ResolutionId> {
        let (body, check) = text.split_at_checked(text.len().checked_sub(CHECK_DIGITS)?)?;
        let (alias, position) = body.strip_prefix('R')?.split_at_checked(ALIAS_DIGITS)?;
        let shaped =
            text.len() <= CHARACTERS_MAX && is_hexadecimal(alias) && is_hexadecimal(position);
        if !shaped || position.starts_with('0') && position.len() > 1 {
            return None;
        }
        let id = ResolutionId {
            alias: AliasKey(u64::from_str_radix(alias, 16).ok()?),
            changed_at: Position::new(u64::from_str_radix(position, 16).ok()?),
        };
        (check == id.check(body).as_str()).then_some(id)
    }

    /// The text form.
    pub(crate) fn text(&self) -> Text<CHARACTERS_MAX> {
        let body: Text<CHARACTERS_MAX> = written(format_args!(
            "R{:016X}{:X}",
            self.alias.0,
            self.changed_at.value().min(POSITION_MAX)
        ));
        written(format_args!("{body}{}", self.check(body.as_str())))
    }

    fn check(&self, body: &str) -> Text<CHECK_DIGITS> {
        let remainder = body.bytes().chain(*b"00").fold(0_u64, |sum, byte| {
            let (shift, value) = match byte {
                b'0'..=b'9' => (10, byte - b'0'),
                _ => (100, byte.saturating_sub(b'A').saturating_add(10)),
            };
            (sum * shift + u64::from(value)) % 97
        });
        written(format_args!("{:02}", 98 - remainder))
    }
}

fn is_hexadecimal(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
}

/// Text whose length is bounded by what is written.
fn written<const N: usize>(arguments: fmt::Arguments<'_>) -> Text<N> {
    Text::format(arguments).unwrap_or(Text::EMPTY)
}
