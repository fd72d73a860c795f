//! The masked name: enough for the payer to recognise the payee, too little to learn who owns a number.

use std::fmt::Write;

use torap_domain::Text;

/// `ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ` becomes `СЕРГЕЙ П. И.`
///
/// Banks give names as documents do: surname, given name, patronymic. The second word is shown whole, then the initials of
/// those after it, and last that of the surname; of a single word only the initial. An initial is the word's first letter or
/// digit; a word without any is left out, and so is all that no longer fits.
pub fn mask_name(name: &str) -> Text<96> {
    let mut words = name.split_whitespace();
    let surname = words.next();
    let mut masked = Text::truncated(words.next().unwrap_or_default());
    for word in words.chain(surname) {
        let Some(initial) = word.chars().find(|character| character.is_alphanumeric()) else {
            continue;
        };
        let blank = if masked.is_empty() { "" } else { " " };
        // Formatted apart, so that an initial is appended whole or not at all.
        let piece = Text::<16>::format(format_args!("{blank}{initial}."));
        if piece.is_ok_and(|piece| masked.write_str(piece.as_str()).is_err()) {
            break;
        }
    }
    masked
}

#[cfg(test)]
mod tests;
