//! `xs:decimal`, read digit by digit; no value is ever computed.

use super::is_blank;

/// Most significant digits read; libxml2: a number with more is refused, whatever its facets say. Zeros before the first other
/// digit of the integer part do not count.
const DIGITS_MAX: u32 = 24;

/// What the facets of a decimal look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    /// Digits without zeros in front of the integer part and at the end of the fraction; a zero has one.
    pub total_digits: u32,
    /// Digits of the fraction without zeros at its end.
    pub fraction_digits: u32,
    /// Below zero; `-0` is not.
    pub is_negative: bool,
}

/// Reads the lexical form of a decimal.
///
/// libxml2: blanks around the number are accepted, and so are a point without digits after it (`1.`) and a sign followed only
/// by blanks (`- `), which counts as zero.
pub(super) fn read(text: &[u8]) -> Option<Decimal> {
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    rest = skip_blanks(rest);
    let mut is_negative = false;
    if let [sign @ (b'-' | b'+'), after @ ..] = rest {
        is_negative = *sign == b'-';
        rest = after;
    }
    if rest.is_empty() {
        return None;
    }
    let significant = skip_zeros(rest);
    let has_leading_zeros = significant.len() < rest.len();
    rest = significant;

    let integer = digits(rest, DIGITS_MAX);
    let mut total = integer.len() as u32;
    let mut fraction = 0;
    let mut is_zero = integer.is_empty();
    rest = rest.get(integer.len()..).unwrap_or_default();
    if let [b'.', after @ ..] = rest
        && total < DIGITS_MAX
    {
        let decimals = digits(after, DIGITS_MAX - total);
        if total == 0 && decimals.is_empty() && !has_leading_zeros {
            return None;
        }
        rest = after.get(decimals.len()..).unwrap_or_default();
        fraction = trim_zeros(decimals).len() as u32;
        is_zero &= fraction == 0;
        total += fraction;
    }
    if !skip_blanks(rest).is_empty() {
        return None;
    }
    Some(Decimal {
        total_digits: total.max(1),
        fraction_digits: fraction,
        is_negative: is_negative && !is_zero,
    })
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .position(|&byte| !is_blank(byte))
        .unwrap_or(text.len());
    text.get(end..).unwrap_or_default()
}

fn skip_zeros(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .position(|&byte| byte != b'0')
        .unwrap_or(text.len());
    text.get(end..).unwrap_or_default()
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    let end = digits
        .iter()
        .rposition(|&byte| byte != b'0')
        .map_or(0, |last| last + 1);
    digits.get(..end).unwrap_or_default()
}

/// The digits that `text` begins with, at most `max` of them.
fn digits(text: &[u8], max: u32) -> &[u8] {
    let end = text
        .iter()
        .take(max as usize)
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len().min(max as usize));
    text.get(..end).unwrap_or_default()
}
