//! The Visa PIN verification value.
//!
//! The eleven rightmost PAN digits before the check digit, the key index and the PIN's first four digits are sixteen
//! digits, taken as one block of eight bytes and encrypted under the PIN verification key. The decimal digits of the
//! result from left to right, then its letters less ten, give the first four that there are.

use torap_hsm::{Pan, Pvv, Status};
use zeroize::Zeroizing;

use crate::pin_block::Pin;
use crate::vault::{Refusal, Vault};

/// Makes the value under a Triple DES key, for key index 0 to 9.
pub(crate) fn make<V: Vault>(
    vault: &V,
    key: &V::Key,
    index: u8,
    pan: Pan<'_>,
    pin: &Pin,
) -> Result<Pvv, Refusal> {
    let digits = pan.digits();
    let end = digits.len() - 1;
    let account = digits[end.saturating_sub(11)..end].iter();
    let account = account.map(|digit| digit - b'0');
    let rest = [index].into_iter().chain(pin.values()[..4].iter().copied());
    let field = Zeroizing::new(
        account
            .chain(rest)
            .fold(0u64, |field, digit| (field << 4) | u64::from(digit)),
    );
    let mut block = Zeroizing::new(field.to_be_bytes());
    vault.encrypt(key, &mut block[..])?;
    let nibbles = block.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    let decimal = nibbles.clone().filter(|nibble| *nibble <= 9);
    let letters = nibbles
        .filter(|nibble| *nibble > 9)
        .map(|nibble| nibble - 10);
    let mut value = [0; 4];
    for (place, digit) in value.iter_mut().zip(decimal.chain(letters)) {
        *place = b'0' + digit;
    }
    Pvv::new(index, value).ok_or(Refusal::Status(Status::Malformed))
}
