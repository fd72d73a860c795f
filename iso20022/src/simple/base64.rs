//! `xs:base64Binary`.

/// Number of octets that `text` encodes, or `None` when it is not base64.
///
/// libxml2: a character outside the alphabet is skipped wherever it stands, not only a blank.
pub(super) fn octets(text: &[u8]) -> Option<usize> {
    let mut symbols = 0usize;
    let mut padding = 0usize;
    let mut last = 0u8;
    for &byte in text {
        match symbol(byte) {
            Some(value) if padding == 0 => {
                symbols += 1;
                last = value;
            }
            Some(_) => return None,
            None if byte == b'=' => padding += 1,
            None => {}
        }
    }
    let whole = 3 * (symbols / 4);
    // The bits that the padding leaves over must be zero (RFC 2045 §6.8).
    match (padding, symbols % 4) {
        (0, 0) => Some(whole),
        (1, 3) if last & 0b11 == 0 => Some(whole + 2),
        (2, 2) if last & 0b1111 == 0 => Some(whole + 1),
        _ => None,
    }
}

fn symbol(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
