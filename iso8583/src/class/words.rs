//! The checks of eight characters at a time.
//!
//! Each check sets the top bit of every byte of a word that is wrong. A byte above 7F is wrong for all of them, and only beside a wrong byte do
//! sums and differences carry into the next one, so the verdict over the whole word stays the same.

/// The top bit of each of eight bytes: where a check leaves its verdict.
const TOPS: u64 = each(0x80);

const fn each(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

// Each is a function of its own, called and not copied: what they are called from stays small.

#[inline(never)]
pub(super) fn numeric(text: &[u8]) -> bool {
    all(text, digits)
}

#[inline(never)]
pub(super) fn printable(text: &[u8]) -> bool {
    all(text, |word| {
        word | word.wrapping_add(each(0x7F - b'~')) | word.wrapping_sub(each(b' '))
    })
}

#[inline(never)]
pub(super) fn track1(text: &[u8]) -> bool {
    all(text, |word| {
        word | word.wrapping_add(each(0x7F - b'_')) | word.wrapping_sub(each(b' '))
    })
}

#[inline(never)]
pub(super) fn alpha(text: &[u8]) -> bool {
    all(text, |word| word | !(letters(word) | equal(word, b' ')))
}

#[inline(never)]
pub(super) fn alphanumeric(text: &[u8]) -> bool {
    all(text, |word| {
        word | !(figures(word) | letters(word) | equal(word, b' '))
    })
}

#[inline(never)]
pub(super) fn track(text: &[u8]) -> bool {
    all(text, |word| {
        word | !(figures(word) | equal(word, b'=') | equal(word, b'D'))
    })
}

/// Checks eight characters at a time; what is left over is read again together with characters before it.
#[inline(always)]
fn all(text: &[u8], wrong: impl Fn(u64) -> u64) -> bool {
    let length = text.len();
    if let Some(last) = text.last_chunk::<8>() {
        let mut found = wrong(u64::from_le_bytes(*last));
        let (words, _) = text.as_chunks::<8>();
        for word in words {
            found |= wrong(u64::from_le_bytes(*word));
        }
        return found & TOPS == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let low = u64::from(u32::from_le_bytes(*first));
        let high = u64::from(u32::from_le_bytes(*last));
        return wrong(low | high << 32) & TOPS == 0;
    }
    match (text.first(), text.get(length / 2), text.last()) {
        // Three characters at most, and each of them is one of these.
        (Some(&a), Some(&b), Some(&c)) => {
            wrong(u64::from_le_bytes([a, b, c, a, a, a, a, a])) & TOPS == 0
        }
        _ => true,
    }
}

#[inline(always)]
const fn digits(word: u64) -> u64 {
    word | word.wrapping_add(each(0x7F - b'9')) | word.wrapping_sub(each(b'0'))
}

/// Top bits of the bytes that are digits, if all are below 80.
#[inline(always)]
const fn figures(word: u64) -> u64 {
    !word.wrapping_add(each(0x7F - b'9')) & word.wrapping_add(each(0x80 - b'0'))
}

/// Top bits of the bytes that are letters, if all are below 80.
#[inline(always)]
const fn letters(word: u64) -> u64 {
    let lower = word | each(0x20);
    !lower.wrapping_add(each(0x7F - b'z')) & lower.wrapping_add(each(0x80 - b'a'))
}

/// Top bits of the bytes that are `byte`, if all are below 80.
#[inline(always)]
const fn equal(word: u64, byte: u8) -> u64 {
    !(word ^ each(byte)).wrapping_add(each(0x7F))
}
