//! The proof of identity at sign-on: HMAC-SHA-256 (RFC 2104, FIPS 180-4) over everything both sides said.
//!
//! Each side proves that it knows the participant's secret by a MAC over the bytes of the sign-on frames
//! themselves, so that nothing that was agreed (versions, names, mode, BICs, sequences, windows, nonces) can
//! be changed under way. `docs/wire.md` gives the input byte by byte, with a worked example.

use std::fmt;

use ring::hmac;
use zeroize::Zeroizing;

use crate::wire::limits::{CHANNEL_BINDING_BYTES_MAX, MAC_HEADER_BYTES};

const MAC_BYTES: usize = 32;

/// The secret that a participant shares with the switch. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

/// The text does not hold a secret. It says nothing about the text, which may be one with a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretError;

impl Secret {
    /// A secret of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Secret {
        Secret(Zeroizing::new(bytes))
    }

    /// Reads 64 hexadecimal digits, as a secret file holds them; blanks and line ends around are allowed.
    ///
    /// # Errors
    /// Anything else.
    pub fn from_hex(text: &str) -> Result<Secret, SecretError> {
        let digits = text.trim().as_bytes();
        let mut secret = Secret::new([0; 32]);
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != secret.0.len() || !rest.is_empty() {
            return Err(SecretError);
        }
        for (byte, [high, low]) in secret.0.iter_mut().zip(pairs) {
            *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
        }
        Ok(secret)
    }

    /// The secret as 64 hexadecimal digits, for the one file that holds it.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        Zeroizing::new(
            digits
                .filter_map(|digit| char::from_digit(digit.into(), 16))
                .collect(),
        )
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret is 64 hexadecimal digits")
    }
}

impl std::error::Error for SecretError {}

/// Whose proof a MAC is. The labels differ, so that one side's proof is worthless as the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prover {
    Bank,
    Switch,
}

impl Prover {
    fn label(self) -> &'static [u8] {
        match self {
            Prover::Bank => b"torap-wire/1 bank\0",
            Prover::Switch => b"torap-wire/1 switch\0",
        }
    }
}

/// The frames of a sign-on so far.
#[derive(Debug)]
pub(super) struct Transcript {
    bytes: Vec<u8>,
}

impl Transcript {
    /// Begins with the channel binding: empty on plain TCP.
    ///
    /// # Panics
    /// If the channel binding is above its limit.
    pub(super) fn new(channel_binding: &[u8]) -> Transcript {
        assert!(
            channel_binding.len() <= CHANNEL_BINDING_BYTES_MAX,
            "the channel binding is below its limit"
        );
        let length = u16::try_from(channel_binding.len()).expect("checked above");
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(channel_binding);
        Transcript { bytes }
    }

    /// Adds a whole frame.
    pub(super) fn add(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
    }

    /// Fills in the MAC at the end of `frame` and adds the frame.
    pub(super) fn seal(&mut self, secret: &Secret, prover: Prover, frame: &mut [u8]) {
        let tag = hmac::sign(&secret.key(), &self.covered(prover, frame));
        let (_, mac) = frame
            .split_last_chunk_mut::<MAC_BYTES>()
            .expect("a frame of ours ends with its MAC");
        mac.copy_from_slice(tag.as_ref());
        self.add(frame);
    }

    /// Checks the MAC at the end of `frame`, in constant time, and adds the frame.
    pub(super) fn verify(&mut self, secret: &Secret, prover: Prover, frame: &[u8]) -> bool {
        let covered = self.covered(prover, frame);
        self.add(frame);
        let Some((_, mac)) = frame.split_last_chunk::<MAC_BYTES>() else {
            return false;
        };
        hmac::verify(&secret.key(), &covered, mac).is_ok()
    }

    /// What a MAC covers: the prover's label, the channel binding, all frames before this one, and this one
    /// without its MAC header.
    fn covered(&self, prover: Prover, frame: &[u8]) -> Vec<u8> {
        let before_mac = frame.len().saturating_sub(MAC_HEADER_BYTES);
        let unsealed = frame.get(..before_mac).unwrap_or_default();
        [prover.label(), &self.bytes, unsealed].concat()
    }
}

fn hex_digit(byte: u8) -> Result<u8, SecretError> {
    let digit = char::from(byte).to_digit(16).ok_or(SecretError)?;
    u8::try_from(digit).map_err(|_| SecretError)
}
