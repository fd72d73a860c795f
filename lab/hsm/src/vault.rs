//! What the HSM's rules need from whatever holds the keys: a PKCS#11 token, or software.

use std::fmt;

use torap_hsm::{KeyAlgorithm, Status};

/// A block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// Triple DES with two or three keys, blocks of 8 bytes.
    Tdes,
    /// AES, blocks of 16 bytes.
    Aes,
}

impl Cipher {
    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Cipher::Tdes => 8,
            Cipher::Aes => 16,
        }
    }

    /// The cipher that a key block names, if it is one of the two.
    pub fn of(algorithm: KeyAlgorithm) -> Option<Cipher> {
        match algorithm {
            KeyAlgorithm::Tdes => Some(Cipher::Tdes),
            KeyAlgorithm::Aes => Some(Cipher::Aes),
            KeyAlgorithm::Other(_) => None,
        }
    }
}

/// A technical failure of whatever holds the keys, in words for the operator. It never holds key material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is against a rule; the peer is told which.
    Status(Status),
    /// The vault failed; the peer is told `InternalFault`, the operator this.
    Fault(Fault),
}

/// Holds keys and computes with them. Clear key bytes go in through [`Vault::load`] and never come out.
///
/// Data is always whole blocks of the key's cipher; anything else is a [`Fault`].
pub trait Vault {
    /// A key that the vault holds; it is forgotten when dropped.
    type Key;

    /// Takes a key in: 16 or 24 bytes for Triple DES, 16, 24 or 32 for AES.
    fn load(&self, cipher: Cipher, clear: &[u8]) -> Result<Self::Key, Fault>;

    /// Encrypts each block by itself, in place.
    fn encrypt(&self, key: &Self::Key, blocks: &mut [u8]) -> Result<(), Fault>;

    /// Decrypts each block by itself, in place.
    fn decrypt(&self, key: &Self::Key, blocks: &mut [u8]) -> Result<(), Fault>;

    /// Encrypts in CBC mode from this initial value, in place.
    fn encrypt_cbc(&self, key: &Self::Key, initial: &[u8], data: &mut [u8]) -> Result<(), Fault>;

    /// Decrypts in CBC mode from this initial value, in place.
    fn decrypt_cbc(&self, key: &Self::Key, initial: &[u8], data: &mut [u8]) -> Result<(), Fault>;

    /// As `encrypt_cbc` from zeros, for MACs: called often with the same key.
    fn chain(&self, key: &Self::Key, data: &mut [u8]) -> Result<(), Fault>;

    /// AES-CMAC under the master key, which does nothing else.
    fn master_cmac(&self, data: &[u8]) -> Result<[u8; 16], Fault>;

    /// Random bytes.
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Fault>;

    /// Who it is, for [`Diagnosis`](torap_hsm::Diagnosis).
    fn name(&self) -> String;
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Refusal {
        Refusal::Status(status)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Fault(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Status(status) => status.fmt(f),
            Refusal::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}
