//! Encodings other than UTF-8, for the offline validator alone: libxml2 reads many, and its verdict is the one to agree with.
//!
//! Read are UTF-16, US-ASCII, ISO 8859-1, ISO 8859-5 and Windows-1251; a document in any other is refused. Nothing that travels through
//! the switch comes here: the national profile knows only UTF-8.

use std::borrow::Cow;

use crate::parse::declaration;

/// The document in UTF-8, without byte order mark and XML declaration when it had another encoding. `None` when it cannot be
/// read so; it is then for the parser to say why.
pub(crate) fn to_utf8(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if let Some(text) = utf16(bytes) {
        let text = text.filter(|text| !text.starts_with('\u{FEFF}'))?;
        let prologue = declaration::read(text.as_bytes()).ok()?;
        let is_consistent = prologue.encoding.is_none_or(|encoding| {
            declaration::is_utf8(encoding)
                || encoding.eq_ignore_ascii_case(b"UTF-16")
                || encoding.eq_ignore_ascii_case(b"UTF16")
        });
        return is_consistent.then(|| {
            Cow::Owned(
                text.as_bytes()
                    .get(prologue.len..)
                    .unwrap_or_default()
                    .to_vec(),
            )
        });
    }
    let prologue = declaration::read(bytes).ok()?;
    let Some(encoding) = prologue
        .encoding
        .filter(|encoding| !declaration::is_utf8(encoding))
    else {
        return Some(Cow::Borrowed(bytes));
    };
    let letter = single_byte(encoding)?;
    let body = bytes.get(prologue.len..)?;
    let text = body
        .iter()
        .map(|&byte| letter(byte))
        .collect::<Option<String>>()?;
    Some(Cow::Owned(text.into_bytes()))
}

/// The document if its first bytes are those of UTF-16 (XML 1.0, appendix F); the inner `None` if it then is not.
fn utf16(bytes: &[u8]) -> Option<Option<String>> {
    type Unit = fn([u8; 2]) -> u16;
    let (body, unit): (&[u8], Unit) = match bytes {
        [0xFF, 0xFE, body @ ..] => (body, u16::from_le_bytes),
        [0xFE, 0xFF, body @ ..] => (body, u16::from_be_bytes),
        [b'<', 0, b'?', 0, ..] => (bytes, u16::from_le_bytes),
        [0, b'<', 0, b'?', ..] => (bytes, u16::from_be_bytes),
        _ => return None,
    };
    // libxml2: half a unit at the end is passed over.
    let (units, _) = body.as_chunks::<2>();
    Some(
        char::decode_utf16(units.iter().map(|&pair| unit(pair)))
            .collect::<Result<String, _>>()
            .ok(),
    )
}

/// How an encoding with one byte per character reads a byte.
fn single_byte(encoding: &[u8]) -> Option<fn(u8) -> Option<char>> {
    let is = |names: &[&str]| {
        names
            .iter()
            .any(|name| encoding.eq_ignore_ascii_case(name.as_bytes()))
    };
    if is(&["ASCII", "US-ASCII"]) {
        return Some(|byte| byte.is_ascii().then(|| char::from(byte)));
    }
    if is(&["ISO-8859-1", "ISO8859-1", "ISO_8859-1", "LATIN1"]) {
        return Some(|byte| Some(char::from(byte)));
    }
    if is(&["ISO-8859-5", "ISO8859-5", "ISO_8859-5"]) {
        return Some(iso_8859_5);
    }
    if is(&["WINDOWS-1251", "CP1251"]) {
        return Some(windows_1251);
    }
    None
}

fn iso_8859_5(byte: u8) -> Option<char> {
    match byte {
        0xAD => Some('\u{AD}'),
        0xF0 => Some('№'),
        0xFD => Some('§'),
        0xA1.. => char::from_u32(u32::from(byte) - 0xA0 + 0x400),
        _ => Some(char::from(byte)),
    }
}

fn windows_1251(byte: u8) -> Option<char> {
    /// 0x80 to 0xBF; 0x98 is not assigned.
    const UPPER: &str =
        "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\0™љ›њќћџ\u{A0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{AD}®Ї°±Ііґµ¶·ё№є»јЅѕї";
    match byte {
        0xC0.. => char::from_u32(u32::from(byte) - 0xC0 + 0x410),
        0x80..=0xBF => UPPER
            .chars()
            .nth(usize::from(byte) - 0x80)
            .filter(|&letter| letter != '\0'),
        _ => Some(char::from(byte)),
    }
}
