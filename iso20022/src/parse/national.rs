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

/// Whether text is wholly of the national set; `may_be_spaced` also lets tabs and line ends stand.
#[inline]
pub(super) fn accepts(text: &[u8], may_be_spaced: bool) -> bool {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return true;
    }
    text.utf8_chunks().all(|chunk| {
        let mut letters = chunk.valid().chars();
        chunk.invalid().is_empty()
            && letters.all(|letter| {
                accepts_character(letter) || (may_be_spaced && matches!(letter, '\t' | '\n' | '\r'))
            })
    })
}
