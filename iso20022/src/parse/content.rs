//! Text between tags and inside attribute values: legal characters, references, line ends.

use crate::refusal::Rule;

/// What a piece of text holds that needs a closer look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// A carriage return, to be turned into a line feed.
    pub has_carriage_return: bool,
}

/// Whether all bytes are blanks.
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|&byte| crate::simple::is_blank(byte))
}

/// Checks the characters of text between tags (XML 1.0 §2.2, §2.4). `text` is UTF-8.
pub(super) fn scan_text(text: &[u8]) -> Result<Scan, Rule> {
    let scan = scan(text)?;
    if text.windows(3).any(|window| window == b"]]>") {
        return Err(Rule::Malformed("]]> in text"));
    }
    Ok(scan)
}

/// Checks the characters of a comment, a CDATA section or an attribute value. `text` is UTF-8.
pub(super) fn scan(text: &[u8]) -> Result<Scan, Rule> {
    let mut scan = Scan::default();
    for (i, &byte) in text.iter().enumerate() {
        match byte {
            b'\r' => scan.has_carriage_return = true,
            b'\t' | b'\n' => {}
            0..=0x1F => return Err(Rule::Malformed("control character")),
            // U+FFFE and U+FFFF are no characters; surrogates are no UTF-8.
            0xEF if matches!(text.get(i + 1..i + 3), Some([0xBF, 0xBE | 0xBF])) => {
                return Err(Rule::Malformed("not a character"));
            }
            _ => {}
        }
    }
    Ok(scan)
}

/// The character that a reference stands for; `name` is what is between `&` and `;`.
pub(super) fn reference(name: &[u8]) -> Result<char, Rule> {
    let code = match name {
        b"amp" => return Ok('&'),
        b"lt" => return Ok('<'),
        b"gt" => return Ok('>'),
        b"apos" => return Ok('\''),
        b"quot" => return Ok('"'),
        [b'#', b'x', digits @ ..] => hexadecimal(digits),
        [b'#', digits @ ..] => decimal(digits),
        _ => return Err(Rule::Entity),
    };
    code.and_then(char::from_u32)
        .filter(|&letter| is_character(letter))
        .ok_or(Rule::Malformed("character reference"))
}

fn is_character(letter: char) -> bool {
    !matches!(letter, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

fn decimal(digits: &[u8]) -> Option<u32> {
    let mut code = 0u32;
    for &digit in digits {
        let value = char::from(digit).to_digit(10)?;
        code = code.saturating_mul(10).saturating_add(value);
    }
    (!digits.is_empty()).then_some(code)
}

/// libxml2: it counts digits to look for more input now and then, and forgets in between that letters are digits too: the eleventh
/// digit, and every eleventh after that, may not be a letter.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let mut code = 0u32;
    let mut count = 0u32;
    for &digit in digits {
        let is_over = count > 20;
        count = if is_over { 0 } else { count + 1 };
        if digit.is_ascii_alphabetic() && count >= 20 {
            return None;
        }
        let value = char::from(digit).to_digit(16)?;
        code = code.saturating_mul(16).saturating_add(value);
        count += 1;
    }
    (!digits.is_empty()).then_some(code)
}

/// Appends text with its line ends turned into line feeds (XML 1.0 §2.11).
pub(super) fn append_lines(text: &[u8], out: &mut Vec<u8>) {
    let mut pieces = text.split(|&byte| byte == b'\r');
    out.extend_from_slice(pieces.next().unwrap_or_default());
    for piece in pieces {
        if piece.first() != Some(&b'\n') {
            out.push(b'\n');
        }
        out.extend_from_slice(piece);
    }
}

/// Appends one character.
pub(super) fn append(letter: char, out: &mut Vec<u8>) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Appends an attribute value as it reads after normalisation (XML 1.0 §3.3.3, CDATA attributes).
///
/// # Errors
/// The rule broken by a reference.
pub(super) fn append_value(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Rule> {
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'&' => {
                let end = rest
                    .iter()
                    .position(|&byte| byte == b';')
                    .ok_or(Rule::Malformed("unfinished reference"))?;
                append(reference(rest.get(..end).unwrap_or_default())?, out);
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            b'\r' => {
                out.push(b' ');
                if let [b'\n', after @ ..] = rest {
                    rest = after;
                }
            }
            b'\t' | b'\n' => out.push(b' '),
            byte => out.push(byte),
        }
    }
    Ok(())
}

/// The text of accepted content: references, CDATA sections, comments and line ends resolved.
pub(crate) fn resolve(raw: &[u8], is_attribute: bool) -> String {
    let mut out = Vec::with_capacity(raw.len());
    if is_attribute {
        // An accepted value holds no broken reference.
        let _ = append_value(raw, &mut out);
        return String::from_utf8(out).unwrap_or_default();
    }
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'&' | b'<')) {
        append_lines(rest.get(..at).unwrap_or_default(), &mut out);
        rest = rest.get(at..).unwrap_or_default();
        let (inner, len) = if let Some(inner) = between(rest, b"<![CDATA[", b"]]>") {
            append_lines(inner, &mut out);
            (inner, 12)
        } else if let Some(inner) = between(rest, b"<!--", b"-->") {
            (inner, 7)
        } else if let Some(inner) = between(rest, b"&", b";") {
            if let Ok(letter) = reference(inner) {
                append(letter, &mut out);
            }
            (inner, 2)
        } else {
            break;
        };
        rest = rest.get(inner.len() + len..).unwrap_or_default();
    }
    append_lines(rest, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn between<'a>(text: &'a [u8], open: &[u8], close: &[u8]) -> Option<&'a [u8]> {
    let inner = text.strip_prefix(open)?;
    let end = inner
        .windows(close.len())
        .position(|window| window == close)?;
    inner.get(..end)
}
