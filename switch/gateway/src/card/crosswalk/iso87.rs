//! `iso87-ascii`: the national field numbers, without a function code (its DE24 is the network's) and with private fields as free text.
//!
//! Private fields carry what the national dialect has in them, as text: tags in DE48 and 61 to 63, positions in DE60, payment data in DE127. What
//! the function code says is told by other fields; where it is not the usual one, tag FN of DE48 states it.

use torap_iso8583::{FieldSet, Mti};

use super::tags::{tag, without};
use super::values::Values;

/// Fields of another meaning, or none: the network's own identifier, and what is reserved where the national dialect has a PIN block.
const OTHERS: FieldSet = FieldSet::of(&[24, 64, 110, 128]);
/// Fields of the national dialect.
const NATIONAL: FieldSet = FieldSet::of(&[
    2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 25, 26, 28, 29, 30,
    31, 32, 33, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 48, 49, 50, 51, 52, 53, 54, 55, 60, 61,
    62, 63, 66, 70, 73, 74, 75, 76, 77, 86, 87, 88, 89, 90, 91, 95, 97, 98, 99, 100, 101, 102, 103,
    104, 120, 125, 127,
]);
/// Tag of DE48: the function code.
const FUNCTION: &[u8; 2] = b"FN";
/// Longest DE44.
const WORDS_BYTES_MAX: usize = 25;

pub(super) fn to_national(mti: Mti, from: &Values, to: &mut Values) {
    to.take_all(from, NATIONAL.difference(OTHERS));
    let stated = from.get(48).and_then(|field| tag(field, FUNCTION));
    if let (Some(field), true) = (from.get(48), stated.is_some()) {
        let rest = without(field, FUNCTION);
        to.set(48, 48, &[&rest]);
        if rest.is_empty() {
            to.remove(48);
        }
    }
    if let Some(function) = stated.or(usual_function(mti, to)) {
        to.set(24, 48, &[function]);
    }
}

pub(super) fn from_national(mti: Mti, from: &Values, to: &mut Values) {
    to.take_all(from, NATIONAL.difference(OTHERS));
    if let Some(words) = from.get(44) {
        let most = words.len().min(WORDS_BYTES_MAX);
        to.set(44, 44, &[words.get(..most).unwrap_or_default()]);
    }
    // The tag means something in this dialect only.
    let field = from.get(48).map(|field| without(field, FUNCTION));
    let field = field.unwrap_or_default();
    let function = from.get(24).filter(|_| !mti.is_answer());
    match function {
        Some(function) if usual_function(mti, to) != Some(function) => {
            to.set(48, 24, &[&field, FUNCTION, b"03", function]);
        }
        _ if field.is_empty() => to.remove(48),
        _ => to.set(48, 48, &[&field]),
    }
}

/// The function code that a message of this dialect has unless it says another.
fn usual_function(mti: Mti, values: &Values) -> Option<&'static [u8]> {
    if mti.is_answer() {
        return None;
    }
    let is_enquiry = matches!(values.get(3), Some([b'3', b'1' | b'3', ..]));
    let completes = values.has(38) && values.has(90);
    Some(match (mti.class(), mti.function()) {
        (1 | 2, _) if is_enquiry => b"108",
        (1, _) => b"100",
        (2, 0) => b"200",
        (2, _) if completes => b"202",
        (2, _) => b"203",
        (4, _) if values.has(95) => b"401",
        (4, _) => b"400",
        (5, _) => b"500",
        (6, _) => b"650",
        _ => return None,
    })
}
