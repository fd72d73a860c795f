//! Evidence at rest: AES-256-GCM over the original bytes of a command, one key per epoch, or stored clear.
//!
//! The key of an epoch is derived from the operator's key, the journal's identity, the epoch and the number drawn at its start;
//! the nonce is epoch and sequence. A sequence is written at most once in an epoch, so no nonce is used twice with one
//! key, not even by two copies of a journal that go on separately.

use crate::record::{Hash, RecordHeader};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::fmt;

/// Bytes that encryption adds to evidence.
pub(crate) const TAG_BYTES: usize = 16;

/// Over the erased evidence, again and again: only a redaction writes this, so damage never passes for one.
pub(crate) const REDACTION_MARK: [u8; 8] = *b"REDACTED";

/// The operator's key for evidence, 256 bits. It never appears in logs or errors.
#[derive(Clone)]
pub struct EvidenceKey([u8; 32]);

impl EvidenceKey {
    /// Takes the key's bytes, which must come from a good source of randomness.
    pub fn new(bytes: [u8; 32]) -> EvidenceKey {
        EvidenceKey(bytes)
    }

    /// Tells this key from another one in a segment's header, without giving anything away about it.
    pub(crate) fn check(&self, identity: &Hash) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"torap journal: evidence key check");
        hasher.update(identity);
        let mut check = [0; 16];
        hasher.finalize_xof().fill(&mut check);
        check
    }

    /// The cipher of an epoch.
    pub(crate) fn epoch(&self, identity: &Hash, epoch: u32, salt: u32) -> EpochCipher {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"torap journal: evidence key of an epoch");
        hasher.update(identity);
        hasher.update(&epoch.to_le_bytes());
        hasher.update(&salt.to_le_bytes());
        let key = UnboundKey::new(&AES_256_GCM, hasher.finalize().as_bytes())
            .expect("an AES-256 key has the 32 bytes of a BLAKE3 hash");
        EpochCipher {
            epoch,
            salt,
            key: LessSafeKey::new(key),
        }
    }
}

impl fmt::Debug for EvidenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EvidenceKey")
    }
}

/// Encrypts and decrypts the evidence of one epoch.
#[derive(Debug)]
pub(crate) struct EpochCipher {
    epoch: u32,
    salt: u32,
    key: LessSafeKey,
}

impl EpochCipher {
    /// Whether this cipher is the one of a record.
    pub(crate) fn fits(&self, header: &RecordHeader) -> bool {
        self.epoch == header.epoch && self.salt == header.epoch_salt
    }

    /// Encrypts in place; the last 16 bytes of `stored` are room for the tag. False if the evidence is too long for the
    /// cipher, which [`Batch`](crate::Batch) has excluded.
    pub(crate) fn seal(&self, sequence: u64, stored: &mut [u8]) -> bool {
        let Some(clear_bytes) = stored.len().checked_sub(TAG_BYTES) else {
            return false;
        };
        let (text, tag) = stored.split_at_mut(clear_bytes);
        match self
            .key
            .seal_in_place_separate_tag(self.nonce(sequence), Aad::empty(), text)
        {
            Ok(sealed) => {
                tag.copy_from_slice(sealed.as_ref());
                true
            }
            Err(_) => false,
        }
    }

    /// Decrypts in place and returns the clear bytes; `None` if the key is not the one it was sealed with.
    pub(crate) fn open<'b>(&self, sequence: u64, stored: &'b mut [u8]) -> Option<&'b [u8]> {
        self.key
            .open_in_place(self.nonce(sequence), Aad::empty(), stored)
            .ok()
            .map(|clear| &*clear)
    }

    fn nonce(&self, sequence: u64) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&self.epoch.to_le_bytes());
        nonce[4..].copy_from_slice(&sequence.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Whether the stored evidence was erased by a redaction, or began to be when the power went off. The mark at its
/// beginning is durable before the rest is overwritten.
pub(crate) fn is_redacted(stored: &[u8]) -> bool {
    stored.starts_with(&REDACTION_MARK)
}
