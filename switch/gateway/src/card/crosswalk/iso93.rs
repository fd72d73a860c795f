//! `iso93-bcd`: ISO 8583:1993, where a good part of the fields has moved.
//!
//! Each move stands once, as two functions side by side. Where the standard gives no room for what the national dialect must have (private
//! payment data, key blocks, texts for the terminal), private fields carry it.

use torap_domain::card::MonthDay;
use torap_domain::{Date, Time};
use torap_iso8583::{Dialect, FieldSet, Mti, Refusal, Rule};

use super::point_of_service::{code, entry};
use super::refusal;
use super::values::Values;
use crate::codes_action::{action, national};

/// Fields with the same number and content in both.
const SAME: FieldSet = FieldSet::of(&[
    2, 3, 4, 5, 6, 7, 9, 10, 11, 14, 16, 17, 19, 20, 23, 32, 33, 35, 36, 37, 38, 40, 41, 42, 43,
    44, 45, 48, 49, 50, 51, 52, 54, 55, 60, 61, 63, 73, 74, 75, 76, 77, 86, 87, 88, 89, 97, 98, 99,
    100, 101, 102, 103, 104, 120,
]);
/// National private fields, and the private fields of 1993 that carry them as they are.
const PRIVATE: [(u8, u8); 2] = [(125, 96), (127, 126)];
/// Purposes of network messages: DE70, and the function code in DE24.
const PURPOSES: [(&[u8; 3], &[u8; 3]); 7] = [
    (b"001", b"801"),
    (b"002", b"802"),
    (b"101", b"811"),
    (b"161", b"891"),
    (b"162", b"892"),
    (b"201", b"821"),
    (b"301", b"831"),
];
/// File actions: DE91, and the function code.
const FILE_ACTIONS: [(&[u8; 1], &[u8; 3]); 4] = [
    (b"1", b"301"),
    (b"2", b"302"),
    (b"3", b"303"),
    (b"5", b"305"),
];
/// Why a reversal is sent: DE39, and the message reason code in DE25.
const REASONS: [(&[u8; 2], &[u8; 4]); 7] = [
    (b"17", b"4000"),
    (b"21", b"4001"),
    (b"22", b"4002"),
    (b"30", b"4003"),
    (b"32", b"4004"),
    (b"64", b"4005"),
    (b"68", b"4006"),
];
/// Reason codes that say more than DE39 can: the device could not complete, no answer could be delivered, none came in time.
const REASONS_ONLY: [(&[u8; 4], &[u8; 2]); 3] =
    [(b"4007", b"22"), (b"4013", b"68"), (b"4021", b"68")];
/// Settlement code (DE66) and the action codes that say the same.
const SETTLEMENTS: [(&[u8; 1], &[u8; 3]); 5] = [
    (b"1", b"500"),
    (b"2", b"501"),
    (b"3", b"503"),
    (b"2", b"502"),
    (b"2", b"504"),
];
/// Parts of DE95 that 1993 has no place for: actual fees.
const NO_FEES: &[u8] = b"C00000000C00000000";
/// An amount of DE46 that is not stated, and a rate that is none.
const NO_FEE: &[u8] = b"C00000000";
const NO_RATE: &[u8] = b"00000000";
const NO_CURRENCY: &[u8] = b"000";
const TENGE: &[u8] = b"398";
/// Bytes of one fee in DE46: type 2, currency 3, amount 9, rate 8, settlement amount 9, its currency 3.
const FEE_BYTES: usize = 34;
/// Types of fees, and the national fields of their amount and settlement amount.
const FEES: [(&[u8; 2], u8, u8); 2] = [(b"00", 28, 29), (b"01", 30, 31)];
/// DE43 of the national dialect.
const PLACE_BYTES: usize = 40;
/// First tag of 1993's DE62 that stands for a national one: D1 is 001.
const TEXT_TAGS: u8 = 0xD0;

pub(super) fn to_national(mti: Mti, from: &Values, to: &mut Values) -> Result<(), Refusal> {
    to.take_all(from, SAME);
    for (ours, theirs) in PRIVATE {
        to.take(ours, from, theirs);
    }
    to.take(18, from, 26);
    if let Some(place) = from.get(43) {
        let missing = PLACE_BYTES.saturating_sub(place.len());
        to.set(43, 43, &[place, b" ".repeat(missing).as_slice()]);
    }
    if let Some((date, time)) = from
        .get(12)
        .and_then(|moment| moment.get(2..)?.split_at_checked(4))
    {
        to.set(12, 12, &[time]);
        to.set(13, 12, &[date]);
    }
    let day = settlement_field(mti);
    if let Some(month_day) = from.get(day).and_then(|date| date.get(2..)) {
        to.set(15, day, &[month_day]);
    }
    if let Some(code) = from.get(22) {
        let completes = matches!(from.get(24), Some(b"201" | b"202"));
        let entry = entry(code, completes);
        to.set(22, 22, &[&entry.mode]);
        to.set(25, 22, &[&entry.condition]);
        if let Some(capture) = entry.capture {
            to.set(26, 22, &[&capture]);
        }
    }
    function_to_national(mti, from, to);
    outcome_to_national(mti, from, to);
    security_to_national(from, to)?;
    original_to_national(from, to)?;
    actual_to_national(mti, from, to);
    fees_to_national(from, to);
    texts_to_national(from, to);
    Ok(())
}

pub(super) fn from_national(mti: Mti, from: &Values, now: Time, to: &mut Values) {
    let today = Date::from_time(now);
    to.take_all(from, SAME);
    for (ours, theirs) in PRIVATE {
        to.take(theirs, from, ours);
    }
    to.take(26, from, 18);
    // What has no local time states when it was sent.
    let sent = from.get(7).and_then(|sent| sent.split_at_checked(4));
    let date = from.get(13).or(sent.map(|sent| sent.0));
    let time = from.get(12).or(sent.map(|sent| sent.1));
    if let (Some(date), Some(time)) = (date, time) {
        to.set(12, 12, &[&year(date, today), date, time]);
    }
    if let Some(date) = from.get(15) {
        to.set(settlement_field(mti), 15, &[&year(date, today), date]);
    }
    if let Some(mode) = from.get(22) {
        let has_pin = from.has(52) || from.has(110);
        let code = code(mode, from.get(25), from.get(26), from.get(60), has_pin);
        to.set(22, 22, &[&code]);
    }
    function_from_national(mti, from, to);
    outcome_from_national(mti, from, to);
    security_from_national(from, to);
    original_from_national(from, today, to);
    actual_from_national(mti, from, to);
    fees_from_national(from, to);
    texts_from_national(from, to);
}

/// The national purpose (DE70) of a network message's function code.
pub(in crate::card) fn national_purpose(function: &[u8]) -> Option<&'static [u8; 3]> {
    let row = PURPOSES.iter().find(|row| row.1.as_slice() == function);
    row.map(|row| row.0)
}

/// The settlement date: DE28 where a session is meant, else DE15.
fn settlement_field(mti: Mti) -> u8 {
    match mti.class() {
        5 | 8 => 28,
        _ => 15,
    }
}

/// Two digits of the year in which a month and day are nearest to today.
fn year(month_day: &[u8], today: Date) -> [u8; 2] {
    let day = MonthDay::parse(month_day).ok();
    let date = day.and_then(|day| day.nearest(today)).unwrap_or(today);
    // Below a hundred.
    let year = date.ymd().0.rem_euclid(100) as u8;
    [b'0' + year / 10, b'0' + year % 10]
}

// DE24: what is to be done. 1987 states it in DE70 for network messages, in DE91 for files.

fn function_to_national(mti: Mti, from: &Values, to: &mut Values) {
    let Some(function) = from.get(24) else {
        return;
    };
    match mti.class() {
        8 => match national_purpose(function) {
            Some(purpose) => to.set(70, 24, &[purpose]),
            // Known to nobody: refused by name.
            None if function.starts_with(b"8") => to.set(70, 24, &[function]),
            None => {}
        },
        3 => {
            let row = FILE_ACTIONS.iter().find(|row| row.1.as_slice() == function);
            if let Some((action, _)) = row {
                to.set(91, 24, &[action.as_slice()]);
            }
        }
        _ => to.take(24, from, 24),
    }
}

fn function_from_national(mti: Mti, from: &Values, to: &mut Values) {
    match mti.class() {
        8 => {
            if let Some(purpose) = from.get(70) {
                let row = PURPOSES.iter().find(|row| row.0.as_slice() == purpose);
                to.set(24, 70, &[row.map_or(purpose, |row| row.1)]);
            }
        }
        3 => {
            let action = from.get(91).unwrap_or_default();
            let row = FILE_ACTIONS.iter().find(|row| row.0.as_slice() == action);
            if let Some((_, function)) = row {
                to.set(24, 91, &[function.as_slice()]);
            }
        }
        _ => to.take(24, from, 24),
    }
}

// DE39: the outcome, and in a reversal its cause. DE66: the outcome of a reconciliation.

fn outcome_to_national(mti: Mti, from: &Values, to: &mut Values) {
    let is_reversal = mti.class() == 4 && !mti.is_answer();
    if let Some(reason) = from.get(25).filter(|_| is_reversal) {
        let pair = REASONS.iter().find(|row| row.1.as_slice() == reason);
        let single = REASONS_ONLY.iter().find(|row| row.0.as_slice() == reason);
        if let Some(code) = pair.map(|row| row.0).or(single.map(|row| row.1)) {
            to.set(39, 25, &[code.as_slice()]);
        }
    }
    let Some(action) = from.get(39) else {
        return;
    };
    let number = std::str::from_utf8(action)
        .ok()
        .and_then(|digits| digits.parse().ok());
    let code = national(number.unwrap_or(u16::MAX));
    to.set(39, 39, &[code.as_slice()]);
    if mti.class() == 5 {
        let row = SETTLEMENTS.iter().find(|row| row.1.as_slice() == action);
        if let Some((settlement, _)) = row {
            to.set(66, 39, &[settlement.as_slice()]);
        }
    }
}

fn outcome_from_national(mti: Mti, from: &Values, to: &mut Values) {
    let Some(code) = from.get(39) else {
        return;
    };
    if mti.class() == 4 && !mti.is_answer() {
        let row = REASONS.iter().find(|row| row.0.as_slice() == code);
        if let Some((_, reason)) = row {
            return to.set(25, 39, &[reason.as_slice()]);
        }
    }
    let settlement = from.get(66).filter(|settlement| *settlement != b"1");
    let row = settlement.and_then(|settlement| {
        SETTLEMENTS
            .iter()
            .find(|row| row.0.as_slice() == settlement)
    });
    match row {
        Some((_, action)) => to.set(39, 39, &[action.as_slice()]),
        None => to.set(
            39,
            39,
            &[format!("{:03}", action(mti.class(), code)).as_bytes()],
        ),
    }
}

// DE53: sixteen digits, which 1993 has as eight bytes of packed digits.

fn security_to_national(from: &Values, to: &mut Values) -> Result<(), Refusal> {
    let Some(packed) = from.get(53) else {
        return Ok(());
    };
    let halves = packed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits: Vec<u8> = halves.map(|half| half.wrapping_add(b'0')).collect();
    if digits.len() != 16 {
        return Err(refusal(53, Rule::TooLong { max: 8 }));
    }
    to.set(53, 53, &[&digits]);
    Ok(())
}

fn security_from_national(from: &Values, to: &mut Values) {
    if let Some(digits) = from.get(53) {
        let pairs = digits.as_chunks::<2>().0.iter();
        let packed: Vec<u8> = pairs.map(|[tens, ones]| tens << 4 | ones & 15).collect();
        to.set(53, 53, &[&packed]);
    }
}

// DE90, 42 digits: type 4, DE11 6, DE7 10, DE32 11, DE33 11. DE56 of 1993: type 4, DE11 6, date and time 12, DE32 behind two digits of its length.
// The date and time is the original's DE7 with its year: by DE7 originals are found, and the local time of the original does not tell it.

fn original_to_national(from: &Values, to: &mut Values) -> Result<(), Refusal> {
    let Some(original) = from.get(56) else {
        return Ok(());
    };
    let wrong = || refusal(56, Rule::LengthDigits);
    let (mti, rest) = original.split_at_checked(4).ok_or_else(wrong)?;
    let (stan, rest) = rest.split_at_checked(6).ok_or_else(wrong)?;
    let (moment, acquirer) = rest.split_at_checked(12).ok_or_else(wrong)?;
    let transmitted = moment.get(2..).unwrap_or_default();
    let (length, acquirer) = acquirer.split_at_checked(2).unwrap_or_default();
    let stated = std::str::from_utf8(length).unwrap_or_default();
    if stated.parse().unwrap_or(0_usize) != acquirer.len() || acquirer.len() > 11 {
        return Err(wrong());
    }
    let mti = Mti::parse(mti).and_then(|mti| Dialect::iso93_bcd().equivalent(mti));
    let mti = mti.ok_or(refusal(56, Rule::UnknownMessageType))?;
    let zeros = b"0".repeat(11_usize.saturating_sub(acquirer.len()));
    let parts: [&[u8]; 6] = [
        &mti.digits(),
        stan,
        transmitted,
        &zeros,
        acquirer,
        b"00000000000",
    ];
    to.set(90, 56, &parts);
    Ok(())
}

fn original_from_national(from: &Values, today: Date, to: &mut Values) {
    let Some(original) = from.get(90) else {
        return;
    };
    let part = |range| original.get(range).unwrap_or_default();
    let mti = Mti::parse(part(0..4)).and_then(|mti| Dialect::national().equivalent(mti));
    // A type that nobody knows stays unknown.
    let mti = mti.map_or([b'0'; 4], Mti::digits);
    let transmitted = part(10..20);
    let year = year(transmitted.get(..4).unwrap_or_default(), today);
    let acquirer = part(20..31);
    let zeros = acquirer.iter().take(10).take_while(|digit| **digit == b'0');
    let acquirer = acquirer.get(zeros.count()..).unwrap_or_default();
    let length = format!("{:02}", acquirer.len());
    let parts: [&[u8]; 6] = [
        &mti,
        part(4..10),
        &year,
        transmitted,
        length.as_bytes(),
        acquirer,
    ];
    to.set(56, 90, &parts);
}

// A reversal in part. 1987: DE4 is the original amount, DE95 what is to stand. 1993: DE4 is what is to stand, DE30 the original amount. The same
// of the settlement amount, DE5.

fn actual_to_national(mti: Mti, from: &Values, to: &mut Values) {
    let is_partial = mti.class() == 4 && from.get(24) != Some(b"400");
    let original = from
        .get(30)
        .and_then(|amounts| amounts.split_at_checked(12));
    let (Some((original, settled)), Some(stands), true) = (original, from.get(4), is_partial)
    else {
        return;
    };
    let stands_settled = from.get(5).unwrap_or(b"000000000000");
    to.set(95, 4, &[stands, stands_settled, NO_FEES]);
    to.set(4, 30, &[original]);
    if from.has(5) {
        to.set(5, 30, &[settled]);
    }
}

fn actual_from_national(mti: Mti, from: &Values, to: &mut Values) {
    let actual = from
        .get(95)
        .and_then(|amounts| amounts.get(..24)?.split_at_checked(12));
    let (Some((stands, stands_settled)), Some(original), 4) = (actual, from.get(4), mti.class())
    else {
        return;
    };
    to.set(30, 4, &[original, from.get(5).unwrap_or(b"000000000000")]);
    to.set(4, 95, &[stands]);
    if from.has(5) {
        to.set(5, 95, &[stands_settled]);
    }
}

// DE28 to DE31, the fees of the transaction: DE46 of 1993.

fn fees_to_national(from: &Values, to: &mut Values) {
    for fee in from.get(46).unwrap_or_default().chunks_exact(FEE_BYTES) {
        let part = |range| fee.get(range).unwrap_or_default();
        let Some((_, amount, settled)) = FEES.iter().find(|row| row.0.as_slice() == part(0..2))
        else {
            continue;
        };
        for (field, value, currency) in [
            (*amount, part(5..14), part(2..5)),
            (*settled, part(22..31), part(31..34)),
        ] {
            if currency != NO_CURRENCY {
                to.set(field, 46, &[value]);
            }
        }
    }
}

fn fees_from_national(from: &Values, to: &mut Values) {
    let mut fees = Vec::new();
    for (kind, amount, settled) in FEES {
        if !from.has(amount) && !from.has(settled) {
            continue;
        }
        let stated = |field, currency| match from.get(field) {
            Some(value) => (value, from.get(currency).unwrap_or(TENGE)),
            None => (NO_FEE, NO_CURRENCY),
        };
        let ((amount, currency), (settled, settled_in)) = (stated(amount, 49), stated(settled, 50));
        let parts = [kind, currency, amount, NO_RATE, settled, settled_in];
        fees.extend(parts.into_iter().flatten());
    }
    if !fees.is_empty() {
        to.set(46, 28, &[&fees]);
    }
}

// DE62: texts for the terminal. National tags 001 to 015; 1993's tags of one byte, D1 to DF.

fn texts_to_national(from: &Values, to: &mut Values) {
    let mut texts = Vec::new();
    let mut rest = from.get(62).unwrap_or_default();
    while let [tag, length, after @ ..] = rest {
        let Some((text, after)) = after.split_at_checked(usize::from(*length)) else {
            break;
        };
        if *tag > TEXT_TAGS && *tag < TEXT_TAGS + 16 {
            let head = format!("{:03}{length:03}", tag - TEXT_TAGS);
            texts.extend_from_slice(head.as_bytes());
            texts.extend_from_slice(text);
        }
        rest = after;
    }
    if !texts.is_empty() {
        to.set(62, 62, &[&texts]);
    }
}

fn texts_from_national(from: &Values, to: &mut Values) {
    let mut texts = Vec::new();
    let mut rest = from.get(62).unwrap_or_default();
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u8>().ok();
    while let Some((head, after)) = rest.split_at_checked(6) {
        let (tag, length) = head.split_at(3);
        // A text of more than 255 characters is in no table.
        let Some(length) = number(length) else { break };
        let Some((text, after)) = after.split_at_checked(usize::from(length)) else {
            break;
        };
        if let Some(tag) = number(tag).filter(|tag| (1..16).contains(tag)) {
            texts.extend_from_slice(&[TEXT_TAGS + tag, length]);
            texts.extend_from_slice(text);
        }
        rest = after;
    }
    if !texts.is_empty() {
        to.set(62, 62, &[&texts]);
    }
}
