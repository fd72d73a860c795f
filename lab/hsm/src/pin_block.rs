//! PIN blocks of ISO 9564-1 in clear: only an HSM, or a simulated bank that is its own HSM, comes here.
//!
//! ```text
//! format 0  0 N P P P P p p p p p p p p F F   xor   0 0 0 0 + the 12 PAN digits before the check digit
//! format 1  1 N P P P P p p p p p p p p r r   r: anything
//! format 3  3 N P P P P p p p p p p p p a a   xor   as format 0; a: random A to F
//! format 4  4 N P P P P p p p p p p p p A A r…r (16)  encrypted, xor M + PAN + 0…, encrypted again
//! ```
//! One character is four bits; p is a digit or fill, as N, 4 to 12, says.

use std::fmt;

use torap_hsm::{Pan, PinBlock, PinFormat, Status};
use zeroize::{Zeroize, Zeroizing};

use crate::vault::{Refusal, Vault};

/// Fewest digits of a PIN.
pub const PIN_DIGITS_MIN: usize = 4;
/// Most digits of a PIN.
pub const PIN_DIGITS_MAX: usize = 12;

/// A clear PIN; wiped when dropped, never shown.
#[derive(Clone)]
pub struct Pin {
    digits: [u8; PIN_DIGITS_MAX],
    length: usize,
}

impl Pin {
    /// Takes 4 to 12 ASCII digits; `None` for anything else.
    pub fn new(digits: &[u8]) -> Option<Pin> {
        let length = digits.len();
        if !(PIN_DIGITS_MIN..=PIN_DIGITS_MAX).contains(&length)
            || !digits.iter().all(u8::is_ascii_digit)
        {
            return None;
        }
        let mut own = [0; PIN_DIGITS_MAX];
        for (own, digit) in own.iter_mut().zip(digits) {
            *own = digit - b'0';
        }
        Some(Pin {
            digits: own,
            length,
        })
    }

    /// The digits as numbers 0 to 9.
    pub(crate) fn values(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    /// Compares in constant time for equal lengths.
    pub fn is(&self, other: &Pin) -> bool {
        use subtle::ConstantTimeEq;
        self.length == other.length && bool::from(self.digits.ct_eq(&other.digits))
    }

    /// Control nibble, length, digits, then fill: the first 14 digits' worth of every format.
    fn field(&self, control: u8, mut fill: impl FnMut() -> u8) -> u64 {
        let mut field = (u64::from(control) << 4) | self.length as u64;
        for position in 0..14 {
            let nibble = self.values().get(position).copied();
            field = (field << 4) | u64::from(nibble.unwrap_or_else(&mut fill) & 0xF);
        }
        field
    }

    /// Reads a field: control nibble, length, digits, then what `is_fill` takes.
    fn from_field(field: u64, control: u8, is_fill: impl Fn(u8) -> bool) -> Option<Pin> {
        let nibble = |position: usize| ((field >> (60 - 4 * position)) & 0xF) as u8;
        let length = usize::from(nibble(1));
        if nibble(0) != control || !(PIN_DIGITS_MIN..=PIN_DIGITS_MAX).contains(&length) {
            return None;
        }
        let mut pin = Pin {
            digits: [0; PIN_DIGITS_MAX],
            length,
        };
        for position in 0..14 {
            let value = nibble(position + 2);
            let right = if position < length {
                pin.digits[position] = value;
                value <= 9
            } else {
                is_fill(value)
            };
            if !right {
                return None;
            }
        }
        Some(pin)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// The 12 rightmost digits before the check digit, as formats 0 and 3 take them; a shorter PAN is filled with zeros.
fn short_pan(pan: Pan<'_>) -> u64 {
    let digits = pan.digits();
    let end = digits.len() - 1;
    digits[end.saturating_sub(12)..end]
        .iter()
        .fold(0, |field, digit| (field << 4) | u64::from(digit - b'0'))
}

/// The whole PAN as format 4 takes it: how many digits it has more than 12, the digits, zeros. A PAN of less than 12
/// digits is filled with zeros in front.
fn long_pan(pan: Pan<'_>) -> u128 {
    let digits = pan.digits();
    let more = digits.len().saturating_sub(12);
    let field = digits.iter().fold(more as u128, |field, digit| {
        (field << 4) | u128::from(digit - b'0')
    });
    let used = 1 + digits.len().max(12);
    field << (4 * (32 - used))
}

/// Makes an encrypted block. For format 4 the key is AES, for the others Triple DES.
pub(crate) fn encode<V: Vault>(
    vault: &V,
    key: &V::Key,
    format: PinFormat,
    pin: &Pin,
    pan: Pan<'_>,
) -> Result<PinBlock, Refusal> {
    let mut random = Zeroizing::new([0; 14]);
    if format != PinFormat::Iso0 {
        vault.fill_random(&mut random[..])?;
    }
    let mut random_nibbles = random.iter().copied();
    let mut next = || random_nibbles.next().unwrap_or_default();
    let short = match format {
        PinFormat::Iso0 => pin.field(0, || 0xF) ^ short_pan(pan),
        PinFormat::Iso1 => pin.field(1, next),
        // Six values, each as likely as the others up to one part in 43.
        PinFormat::Iso3 => pin.field(3, || 0xA + next() % 6) ^ short_pan(pan),
        PinFormat::Iso4 => {
            let mut block = Zeroizing::new([0; 16]);
            block[..8].copy_from_slice(&pin.field(4, || 0xA).to_be_bytes());
            block[8..].copy_from_slice(&random[..8]);
            vault.encrypt(key, &mut block[..])?;
            let mixed = Zeroizing::new(u128::from_be_bytes(*block) ^ long_pan(pan));
            block.copy_from_slice(&mixed.to_be_bytes());
            vault.encrypt(key, &mut block[..])?;
            return whole(&block[..]);
        }
        PinFormat::Other(_) => return Err(Status::TranslationForbidden.into()),
    };
    let short = Zeroizing::new(short);
    let mut block = Zeroizing::new(short.to_be_bytes());
    vault.encrypt(key, &mut block[..])?;
    whole(&block[..])
}

/// Reads an encrypted block.
///
/// # Errors
/// `PinBlockInvalid`: it does not decrypt to a block of this format for this PAN. With formats 0 and 3 a wrong PAN may
/// go unnoticed if the digits come out as digits; the format cannot tell more.
pub(crate) fn decode<V: Vault>(
    vault: &V,
    key: &V::Key,
    format: PinFormat,
    block: &PinBlock,
    pan: Pan<'_>,
) -> Result<Pin, Refusal> {
    let mut clear = Zeroizing::new([0; 16]);
    let bytes = block.as_bytes().len();
    if format.bytes() != Some(bytes) {
        return Err(Status::PinBlockInvalid.into());
    }
    clear[..bytes].copy_from_slice(block.as_bytes());
    vault.decrypt(key, &mut clear[..bytes])?;
    let field = Zeroizing::new(u64::from_be_bytes(
        clear.first_chunk().copied().unwrap_or_default(),
    ));
    let pin = match format {
        PinFormat::Iso0 => Pin::from_field(*field ^ short_pan(pan), 0, |fill| fill == 0xF),
        PinFormat::Iso1 => Pin::from_field(*field, 1, |_| true),
        PinFormat::Iso3 => Pin::from_field(*field ^ short_pan(pan), 3, |fill| fill >= 0xA),
        PinFormat::Iso4 => {
            let mixed = Zeroizing::new(u128::from_be_bytes(*clear) ^ long_pan(pan));
            clear.copy_from_slice(&mixed.to_be_bytes());
            vault.decrypt(key, &mut clear[..])?;
            let field = clear.first_chunk().copied().unwrap_or_default();
            Pin::from_field(u64::from_be_bytes(field), 4, |fill| fill == 0xA)
        }
        PinFormat::Other(_) => None,
    };
    pin.ok_or(Refusal::Status(Status::PinBlockInvalid))
}

fn whole(bytes: &[u8]) -> Result<PinBlock, Refusal> {
    PinBlock::from_bytes(bytes).ok_or(Refusal::Status(Status::InternalFault))
}
