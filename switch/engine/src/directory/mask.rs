//! The masked name: enough for the payer to recognise the payee, too little to learn who owns a number.

use std::fmt::Write;

use torap_domain::Text;

/// `Сергей Петров Иванович` becomes `Сергей П. И.`
///
/// Banks give names with the given name first; that word is shown whole, of every other word only its first letter or digit
/// and a point. Words without any are left out, and so is everything from the first initial on that no longer fits.
pub fn mask_name(name: &str) -> Text<96> {
    let mut words = name.split_whitespace();
    let mut masked = Text::truncated(words.next().unwrap_or_default());
    for word in words {
        let Some(initial) = word.chars().find(|character| character.is_alphanumeric()) else {
            continue;
        };
        // Formatted apart, so that an initial is appended whole or not at all.
        let piece = Text::<16>::format(format_args!(" {initial}."));
        if piece.is_ok_and(|piece| masked.write_str(piece.as_str()).is_err()) {
            break;
        }
    }
    masked
}

#[cfg(test)]
mod tests;
