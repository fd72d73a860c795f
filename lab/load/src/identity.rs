//! The identifiers of a run: every one is a function of the payment's number, so that none has to be stored.
//!
//! ```text
//! TxId   TX 3fa1…(14 hex) 000000001234     run and number
//! MsgId  HSBKKZKX 3fa1…(11 hex) 000000001234
//! UETR   128 bits mixed from run and number
//! ```

use torap_domain::Uetr;

use crate::limits::{DURATION_S_MAX, RATE_MAX};

/// Hexadecimal digits of the run in a TxId.
const TAG_BYTES: usize = 14;
/// Of these, those in the MsgId of a payment.
const MESSAGE_TAG_BYTES: usize = 11;
/// Digits of a payment's number.
const NUMBER_DIGITS: usize = 12;
/// Payments of one run have numbers below this.
pub(crate) const NUMBER_END: u64 = 1_000_000_000_000;
const _: () = assert!(RATE_MAX as u64 * DURATION_S_MAX < NUMBER_END);
const PREFIX: &[u8] = b"TX";

/// What tells the payments of one run from those of all others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    seed: u64,
    tag: [u8; TAG_BYTES],
}

impl Identity {
    /// `seed` is random: two runs with the same one would use the same identifiers.
    pub(crate) fn new(seed: u64) -> Identity {
        let mut tag = [b'0'; TAG_BYTES];
        let mut rest = seed;
        for place in tag.iter_mut().rev() {
            *place = hex_digit(rest);
            rest >>= 4;
        }
        Identity { seed, tag }
    }

    /// A number mixed from run, payment and purpose.
    pub(crate) fn mixed(&self, number: u64, purpose: u64) -> u64 {
        mixed(self.seed ^ mixed(number ^ (purpose << 56)))
    }

    pub(crate) fn uetr(&self, number: u64) -> Uetr {
        let mut bytes = [0; 16];
        for (half, purpose) in bytes.chunks_exact_mut(8).zip([1, 2]) {
            half.copy_from_slice(&self.mixed(number, purpose).to_be_bytes());
        }
        Uetr::from_random(bytes)
    }

    /// The run, as a few characters for EndToEndId.
    pub(crate) fn write_tag(&self, out: &mut Vec<u8>) {
        out.extend(self.tag.iter().skip(TAG_BYTES - 8));
    }

    pub(crate) fn write_transaction_id(&self, number: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(PREFIX);
        out.extend_from_slice(&self.tag);
        write_digits(number, NUMBER_DIGITS, out);
    }

    /// MsgId of a payment: BIC, run, number.
    pub(crate) fn write_message_id(&self, bic: &str, number: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(bic.as_bytes());
        out.extend(self.message_tag());
        write_digits(number, NUMBER_DIGITS, out);
    }

    /// MsgId of a bank's answer: the capital letter keeps it apart from the payments, whose run is in small ones.
    pub(crate) fn write_answer_id(&self, bic: &str, number: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(bic.as_bytes());
        out.extend(self.message_tag().skip(1));
        out.push(b'A');
        write_digits(number, NUMBER_DIGITS, out);
    }

    /// The payment that a TxId of this run names.
    pub(crate) fn number_of_transaction(&self, transaction_id: &str) -> Option<u64> {
        let rest = transaction_id.as_bytes().strip_prefix(PREFIX)?;
        number(rest.strip_prefix(&self.tag)?)
    }

    /// The payment that a MsgId of this run and bank names.
    pub(crate) fn number_of_message(&self, message_id: &str, bic: &str) -> Option<u64> {
        let rest = message_id.strip_prefix(bic)?.as_bytes();
        let (tag, digits) = rest.split_at_checked(MESSAGE_TAG_BYTES)?;
        self.message_tag()
            .eq(tag.iter().copied())
            .then(|| number(digits))?
    }

    fn message_tag(&self) -> impl Iterator<Item = u8> {
        self.tag.into_iter().skip(TAG_BYTES - MESSAGE_TAG_BYTES)
    }
}

/// splitmix64 (Steele, Lea, Flood 2014): spreads numbers evenly, is no secret.
pub(crate) fn mixed(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Appends the last `width` decimal digits of a number.
pub(crate) fn write_digits(value: u64, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    let mut rest = value;
    for place in out.iter_mut().skip(start).rev() {
        // A remainder of ten always fits.
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

/// Appends a UETR as text.
pub(crate) fn write_uetr(uetr: Uetr, out: &mut Vec<u8>) {
    for (place, byte) in uetr.bytes().into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.push(hex_digit((byte >> 4).into()));
        out.push(hex_digit(byte.into()));
    }
}

fn hex_digit(value: u64) -> u8 {
    match (value & 15) as u8 {
        digit @ 0..=9 => b'0' + digit,
        digit => b'a' + (digit - 10),
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.len() != NUMBER_DIGITS {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u64::from(digit - b'0'))
    })
}
