//! Code pages: how the printable ASCII characters stand on the wire. EBCDIC is more than one table; each is a row of [`CODE_PAGES`].

/// Byte of a table that stands for no printable ASCII character.
pub(crate) const NONE: u8 = 0xFF;

/// A code page, both ways.
#[derive(Debug)]
pub struct CodePage {
    name: &'static str,
    to_ascii: [u8; 256],
    from_ascii: [u8; 128],
}

/// The code pages that a dialect may name.
pub static CODE_PAGES: [CodePage; 3] = [
    CodePage::new("cp037", LATIN_1),
    CodePage::new("cp500", &moved(LATIN_1, INTERNATIONAL)),
    CodePage::new("cp1047", &moved(LATIN_1, OPEN_SYSTEMS)),
];

/// EBCDIC of the bytes of ASCII 20 to 7E, in order, as IBM's code page 37 has them.
const LATIN_1: &[u8; 95] = &[
    0x40, 0x5A, 0x7F, 0x7B, 0x5B, 0x6C, 0x50, 0x7D, 0x4D, 0x5D, 0x5C, 0x4E, 0x6B, 0x60, 0x4B,
    0x61, // space to /
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x7A, 0x5E, 0x4C, 0x7E, 0x6E,
    0x6F, // 0 to ?
    0x7C, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5,
    0xD6, // @ to O
    0xD7, 0xD8, 0xD9, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xBA, 0xE0, 0xBB, 0xB0,
    0x6D, // P to _
    0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95,
    0x96, // ` to o
    0x97, 0x98, 0x99, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xC0, 0x4F, 0xD0,
    0xA1, // p to ~
];

/// Where code page 500 differs.
const INTERNATIONAL: &[(u8, u8)] = &[
    (b'!', 0x4F),
    (b'[', 0x4A),
    (b']', 0x5A),
    (b'^', 0x5F),
    (b'|', 0xBB),
];

/// Where code page 1047 differs.
const OPEN_SYSTEMS: &[(u8, u8)] = &[(b'[', 0xAD), (b']', 0xBD), (b'^', 0x5F)];

const fn moved(base: &[u8; 95], differences: &[(u8, u8)]) -> [u8; 95] {
    let mut table = *base;
    let mut i = 0;
    while i < differences.len() {
        let (ascii, wire) = differences[i];
        table[(ascii - b' ') as usize] = wire;
        i += 1;
    }
    table
}

impl CodePage {
    const fn new(name: &'static str, printable: &[u8; 95]) -> CodePage {
        let mut to_ascii = [NONE; 256];
        let mut from_ascii = [NONE; 128];
        let mut i = 0;
        while i < printable.len() {
            let ascii = b' ' + i as u8;
            to_ascii[printable[i] as usize] = ascii;
            from_ascii[ascii as usize] = printable[i];
            i += 1;
        }
        CodePage {
            name,
            to_ascii,
            from_ascii,
        }
    }

    /// The code page of that name, such as `cp037`.
    pub fn named(name: &str) -> Option<&'static CodePage> {
        CODE_PAGES.iter().find(|page| page.name == name)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The ASCII character that a byte stands for; FF if it is none that prints.
    #[inline]
    pub fn ascii(&self, byte: u8) -> u8 {
        self.to_ascii[byte as usize]
    }

    /// The byte of an ASCII character; `None` if it does not print.
    #[inline]
    pub fn wire(&self, ascii: u8) -> Option<u8> {
        let byte = *self.from_ascii.get(ascii as usize)?;
        // FF is no printable character in any of the pages.
        (byte != NONE).then_some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printable_character_comes_back() {
        for page in &CODE_PAGES {
            for ascii in b' '..=b'~' {
                let byte = page.wire(ascii).unwrap();
                assert_eq!(page.ascii(byte), ascii, "{}", page.name());
            }
            assert_eq!(page.wire(b'\n'), None);
            assert_eq!(page.wire(0x80), None);
            let printing = (0..=255).filter(|byte| page.ascii(*byte) != NONE).count();
            assert_eq!(printing, 95);
        }
    }
}
