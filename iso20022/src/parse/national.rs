//! The national character set: printable Basic Latin, Cyrillic with the Kazakh letters, and common punctuation.

/// Whether a character may stand in a message.
pub(super) fn accepts_character(letter: char) -> bool {
    matches!(letter,
        ' '..='~'
        // Cyrillic: the letters of Russian and its neighbours, and those that Kazakh adds.
        | '\u{400}'..='\u{45F}'
        | 'Ғ' | 'ғ' | 'Қ' | 'қ' | 'Ң' | 'ң' | 'Ү' | 'ү' | 'Ұ' | 'ұ' | 'Һ' | 'һ' | 'Ә' | 'ә' | 'Ө' | 'ө'
        | '«' | '»' | '–' | '—' | '‘' | '’' | '“' | '”' | '„' | '…' | '№')
}

/// Whether text that [`is_plain`](super::content::is_plain) passed is wholly of the national set.
#[inline]
pub(super) fn accepts_plain(text: &[u8]) -> bool {
    accepts(text, false)
}

/// Whether resolved text is wholly of the national set; blanks of any kind may surround a value whose type collapses them.
pub(super) fn accepts_text(text: &[u8], may_be_spaced: bool) -> bool {
    accepts(text, may_be_spaced)
}

/// The same for text that may hold any blanks.
pub(super) fn accepts_spaced(text: &[u8]) -> bool {
    accepts(text, true)
}

/// Whether an attribute value as it stands is wholly of the national set. References are looked at by their own letters only.
pub(super) fn accepts_value(text: &[u8]) -> bool {
    accepts(text, false)
}

#[inline]
fn accepts(text: &[u8], may_be_spaced: bool) -> bool {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return true;
    }
    text.utf8_chunks().all(|chunk| {
        chunk.invalid().is_empty()
            && chunk.valid().chars().all(|letter| {
                accepts_character(letter) || (may_be_spaced && matches!(letter, '\t' | '\n' | '\r'))
            })
    })
}
