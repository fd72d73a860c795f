//! Which keys there are: usage, cipher, length, mode, and how strong they are against each other.

use torap_hsm::{KeyAlgorithm, KeyMode, KeyUsage, Status};

use crate::vault::Cipher;

/// Is this a key that the HSM works with?
///
/// # Errors
/// `KeyUsageRefused`, `KeyAlgorithmRefused` or `KeyModeRefused`, in this order.
pub(crate) fn check(
    usage: KeyUsage,
    algorithm: KeyAlgorithm,
    key_bytes: usize,
    mode: KeyMode,
) -> Result<Cipher, Status> {
    let cipher = Cipher::of(algorithm).ok_or(Status::KeyAlgorithmRefused);
    let lengths: &[usize] = match (usage, cipher) {
        (KeyUsage::Other(_), _) => return Err(Status::KeyUsageRefused),
        // Two DES keys: the algorithm knows no third.
        (KeyUsage::MacAlgorithm3 | KeyUsage::PinVerification, Ok(Cipher::Tdes)) => &[16],
        (KeyUsage::MacAlgorithm3 | KeyUsage::PinVerification, Ok(Cipher::Aes)) => &[],
        (KeyUsage::MacCmac, Ok(Cipher::Tdes)) => &[],
        (_, Ok(Cipher::Tdes)) => &[16, 24],
        (_, Ok(Cipher::Aes)) => &[16, 24, 32],
        (_, Err(status)) => return Err(status),
    };
    if !lengths.contains(&key_bytes) {
        return Err(Status::KeyAlgorithmRefused);
    }
    let mode_fits = match usage {
        KeyUsage::PinEncryption | KeyUsage::KeyEncryption | KeyUsage::KeyBlockProtection => {
            mode.encrypts() || mode.decrypts()
        }
        _ => mode.generates() || mode.verifies(),
    };
    if !mode_fits {
        return Err(Status::KeyModeRefused);
    }
    cipher
}

/// A Triple DES key whose parts are equal is a DES key in disguise; parity bits do not count.
pub(crate) fn check_parts(cipher: Cipher, clear: &[u8]) -> Result<(), Status> {
    use subtle::ConstantTimeEq;
    if cipher == Cipher::Aes {
        return Ok(());
    }
    let part = |index: usize| {
        let mut own = [0; 8];
        for (own, byte) in own.iter_mut().zip(&clear[8 * index..]) {
            *own = byte & 0xFE;
        }
        zeroize::Zeroizing::new(own)
    };
    let same = |a: usize, b: usize| bool::from(part(a).ct_eq(&part(b)[..]));
    let degenerate = same(0, 1) || (clear.len() == 24 && same(1, 2));
    if degenerate {
        Err(Status::KeyAlgorithmRefused)
    } else {
        Ok(())
    }
}

/// Bits of strength (NIST SP 800-57 part 1, table 2), to compare a key with the one that protects it.
pub(crate) fn strength(cipher: Cipher, key_bytes: usize) -> u16 {
    match (cipher, key_bytes) {
        (Cipher::Tdes, 16) => 80,
        (Cipher::Tdes, _) => 112,
        (Cipher::Aes, 16) => 128,
        (Cipher::Aes, 24) => 192,
        (Cipher::Aes, _) => 256,
    }
}
