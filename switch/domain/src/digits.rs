//! Reading and writing of plain ASCII digits, shared by the parsers of this crate.

/// The value of one ASCII digit.
pub(crate) const fn digit(byte: u8) -> Option<u8> {
    if byte.is_ascii_digit() {
        Some(byte.wrapping_sub(b'0'))
    } else {
        None
    }
}

/// The number written by `bytes`; none if empty, if any byte is not a digit, or if it passes `u64`.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for &byte in bytes {
        value = value
            .checked_mul(10)?
            .checked_add(u64::from(digit(byte)?))?;
    }
    Some(value)
}

/// Appends `value` in decimal, with leading zeros up to `width` digits; a wider value is written whole.
pub(crate) fn write_padded(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let mut buffer = [b'0'; 20];
    let mut used: usize = 0;
    for slot in buffer.iter_mut().rev() {
        if value == 0 && used >= width {
            break;
        }
        // A remainder of ten always fits a byte.
        *slot = b'0'.wrapping_add((value % 10) as u8);
        value /= 10;
        used = used.saturating_add(1);
    }
    out.extend(buffer.iter().skip(buffer.len().saturating_sub(used)));
}
