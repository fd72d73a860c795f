//! How the card was read and where: entry mode (DE22), condition (DE25) and PIN capture (DE26) of 1987, and the twelve characters of 1993's DE22.
//!
//! The 1993 code has no value for some entry modes that banks price and decide by; the letters S to Y of its seventh place are this switch's own.

/// Places of the 1993 code, from 0.
const AUTHENTICATION: usize = 1;
const ENVIRONMENT: usize = 3;
const CARDHOLDER: usize = 4;
const CARD: usize = 5;
const INPUT: usize = 6;
const PIN_CAPTURE: usize = 11;

/// Entry modes and input modes that stand for each other.
const INPUTS: [(&[u8; 2], u8); 12] = [
    (b"00", b'0'),
    (b"01", b'6'),
    (b"03", b'3'),
    (b"05", b'5'),
    (b"07", b'S'),
    (b"10", b'X'),
    (b"80", b'U'),
    (b"81", b'V'),
    (b"82", b'W'),
    (b"90", b'2'),
    (b"91", b'T'),
    (b"95", b'Y'),
];
/// Input modes that say less than an entry mode: typed in without a terminal, characters read by eye.
const INPUTS_ONLY: [(u8, &[u8; 2]); 2] = [(b'1', b"01"), (b'4', b"03")];

/// Conditions, and environment, cardholder and card that say the same.
const CONDITIONS: [(&[u8; 2], [u8; 3]); 8] = [
    (b"00", *b"101"),
    (b"01", *b"110"),
    (b"02", *b"201"),
    (b"05", *b"100"),
    (b"06", *b"010"),
    (b"08", *b"020"),
    (b"59", *b"550"),
    (b"71", *b"040"),
];

/// What the 1987 fields say.
pub(super) struct Entry {
    /// DE22: entry mode, and whether a PIN can be entered.
    pub(super) mode: [u8; 3],
    /// DE25.
    pub(super) condition: [u8; 2],
    /// DE26: digits of a PIN at most.
    pub(super) capture: Option<[u8; 2]>,
}

/// The 1993 code for DE22, DE25 and DE26. `terminal` is DE60; `has_pin` tells of a PIN block.
pub(super) fn code(
    mode: &[u8],
    condition: Option<&[u8]>,
    capture: Option<&[u8]>,
    terminal: Option<&[u8]>,
    has_pin: bool,
) -> [u8; 12] {
    let known = |(entry, _): &&(&[u8; 2], u8)| mode.get(..2) == Some(entry.as_slice());
    let input = INPUTS.iter().find(known).map_or(b'0', |row| row.1);
    let known = |(two, _): &&(&[u8; 2], [u8; 3])| condition.unwrap_or(b"00") == two.as_slice();
    let [environment, cardholder, card] =
        CONDITIONS.iter().find(known).map_or(*b"101", |row| row.1);
    let (authentication, usual_capture) = match mode.get(2) {
        Some(b'1') => (b'1', b'1'),
        Some(b'8') => (b'5', b'1'),
        Some(b'2') => (b'0', b'0'),
        _ => (b'0', b'1'),
    };
    // Where none can be entered, none has a length.
    let capture = match capture.filter(|_| usual_capture != b'0') {
        Some([b'0', digit @ b'3'..=b'9']) => *digit,
        Some([b'1', digit @ b'0'..=b'2']) => b'A' + (digit - b'0'),
        _ => usual_capture,
    };
    let [capability, keeps_cards, method, entity] = told_by_terminal(terminal, has_pin);
    [
        capability,
        authentication,
        keeps_cards,
        environment,
        cardholder,
        card,
        input,
        method,
        entity,
        b'0',
        b'0',
        capture,
    ]
}

/// Places 1, 3, 8 and 9: what the terminal can, and how the cardholder was verified.
fn told_by_terminal(terminal: Option<&[u8]>, has_pin: bool) -> [u8; 4] {
    let part = |place: usize| terminal.and_then(|parts| parts.get(place)).copied();
    let capability = match part(2) {
        Some(b'1') => b'6',
        Some(b'2') => b'2',
        Some(b'5' | b'7') => b'5',
        _ => b'0',
    };
    let keeps_cards = if part(6) == Some(b'1') { b'1' } else { b'0' };
    let (method, entity) = match part(5) {
        _ if has_pin => (b'1', b'3'),
        Some(b'1') => (b'1', b'3'),
        Some(b'2') => (b'1', b'1'),
        Some(b'3') => (b'5', b'4'),
        Some(b'4' | b'5') => (b'6', b'5'),
        _ => (b'0', b'0'),
    };
    [capability, keeps_cards, method, entity]
}

/// What a 1993 code says in 1987 fields; `completes` is the function code's word that an authorisation is completed.
pub(super) fn entry(code: &[u8], completes: bool) -> Entry {
    let at = |place: usize| code.get(place).copied().unwrap_or(b'0');
    let input = at(INPUT);
    let pair = INPUTS.iter().find(|row| row.1 == input).map(|row| row.0);
    let single = INPUTS_ONLY.iter().find(|row| row.0 == input);
    let [tens, ones] = *pair.or(single.map(|row| row.1)).unwrap_or(b"00");
    let capability = match (at(AUTHENTICATION), at(PIN_CAPTURE)) {
        (b'1', _) => b'1',
        (b'5', _) => b'8',
        (b'0', b'0') => b'2',
        _ => b'0',
    };
    let condition = match (at(CARDHOLDER), at(CARD), at(ENVIRONMENT)) {
        (b'1', _, b'0') if completes => b"06",
        (b'1', ..) => b"01",
        (b'2' | b'3', ..) => b"08",
        (b'4', ..) => b"71",
        (b'5', ..) => b"59",
        (_, b'0', _) => b"05",
        (_, _, b'2' | b'4') => b"02",
        _ => b"00",
    };
    let capture = match at(PIN_CAPTURE) {
        digit @ b'3'..=b'9' => Some([b'0', digit]),
        digit @ b'A'..=b'C' => Some([b'1', b'0' + (digit - b'A')]),
        _ => None,
    };
    Entry {
        mode: [tens, ones, capability],
        condition: *condition,
        capture,
    }
}
