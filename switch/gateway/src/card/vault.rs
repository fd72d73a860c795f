//! What is kept of card numbers: a keyed hash and a truncated form for everyone, and a sealed form for the few later messages that need
//! the whole number.
//!
//! Both keys are derived from one card key, which lies beside the journal's key and never in the log. The sealed form is AES-256-GCM
//! under a key of this process: derived from the card key and 16 random bytes that stand in front of every sealed number, so that a
//! counter is a nonce that is never used twice, whatever becomes of journals and copies of them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use torap_domain::card::{CardHash, CardIdError, TruncatedPan};
use torap_engine::cards::Card;
use zeroize::Zeroize;

/// Random bytes of a process in front of what it sealed.
pub const SALT_BYTES: usize = 16;
/// Bytes of a sealed card number: salt, counter, length and digits, tag.
pub const SEALED_BYTES: usize = SALT_BYTES + 8 + CLEAR_BYTES + 16;
/// Length and digits: every card number takes the same room.
const CLEAR_BYTES: usize = 1 + DIGITS_MAX;
/// Digits of the longest card number.
const DIGITS_MAX: usize = 19;
/// Ciphers of earlier processes that are kept at hand.
const EARLIER_MAX: usize = 8;

/// A whole card number in memory; wiped when dropped, never shown.
#[derive(Clone)]
pub struct ClearPan {
    digits: [u8; DIGITS_MAX],
    length: usize,
}

/// Hashes and seals card numbers. Shared by all links.
pub struct CardVault {
    /// Of the keyed hash.
    hash_key: [u8; 32],
    /// Of the ciphers.
    seal_key: [u8; 32],
    salt: [u8; SALT_BYTES],
    cipher: LessSafeKey,
    next: AtomicU64,
    earlier: Mutex<Vec<([u8; SALT_BYTES], LessSafeKey)>>,
}

impl CardVault {
    /// A vault of this process. `key` is the card key; `salt` is fresh randomness.
    pub fn new(key: [u8; 32], salt: [u8; SALT_BYTES]) -> CardVault {
        let mut key = key;
        let hash_key = blake3::derive_key("torap cards: hash of card numbers", &key);
        let seal_key = blake3::derive_key("torap cards: sealed card numbers", &key);
        key.zeroize();
        CardVault {
            cipher: cipher(&seal_key, &salt),
            hash_key,
            seal_key,
            salt,
            next: AtomicU64::new(0),
            earlier: Mutex::new(Vec::new()),
        }
    }

    /// What the log keeps of a card number.
    ///
    /// # Errors
    /// It is not 12 to 19 digits.
    pub fn card(&self, digits: &[u8]) -> Result<Card, CardIdError> {
        let pan = TruncatedPan::from_pan(digits)?;
        let hash = blake3::keyed_hash(&self.hash_key, digits);
        let hash = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        Ok(Card {
            hash: CardHash(hash),
            pan,
        })
    }

    /// Appends the sealed form of a card number; it opens only together with the card's hash. Nothing is appended, and `false` given, for
    /// more than 19 digits.
    pub fn seal(&self, digits: &[u8], card: CardHash, out: &mut Vec<u8>) -> bool {
        let Some(pan) = ClearPan::new(digits) else {
            return false;
        };
        let counter = self.next.fetch_add(1, Ordering::Relaxed);
        let start = out.len();
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&counter.to_le_bytes());
        let text = out.len();
        // At most 19 digits.
        out.push(pan.length as u8);
        out.extend_from_slice(&pan.digits);
        let sealed = out.get_mut(text..).map(|clear| {
            let associated = Aad::from(card.0);
            self.cipher
                .seal_in_place_separate_tag(nonce(counter), associated, clear)
        });
        match sealed {
            Some(Ok(tag)) => out.extend_from_slice(tag.as_ref()),
            Some(Err(_)) | None => out.truncate(start),
        }
        out.len() > start
    }

    /// The card number that was sealed for this card; `None` if it was sealed under another card key, for another card, or is damaged.
    pub fn open(&self, sealed: &[u8], card: CardHash) -> Option<ClearPan> {
        let (salt, rest) = sealed.split_first_chunk::<SALT_BYTES>()?;
        let (counter, rest) = rest.split_first_chunk::<8>()?;
        let counter = u64::from_le_bytes(*counter);
        let mut text: [u8; CLEAR_BYTES + 16] = rest.try_into().ok()?;
        let opened = if *salt == self.salt {
            open(&self.cipher, counter, card, &mut text)
        } else {
            let mut earlier = self.earlier.lock();
            let place = match earlier.iter().position(|(known, _)| known == salt) {
                Some(place) => place,
                None => {
                    if earlier.len() >= EARLIER_MAX {
                        earlier.remove(0);
                    }
                    earlier.push((*salt, cipher(&self.seal_key, salt)));
                    earlier.len() - 1
                }
            };
            let (_, cipher) = earlier.get(place)?;
            open(cipher, counter, card, &mut text)
        };
        text.zeroize();
        opened
    }
}

impl ClearPan {
    /// Keeps up to 19 digits.
    pub fn new(digits: &[u8]) -> Option<ClearPan> {
        let mut pan = ClearPan {
            digits: [0; DIGITS_MAX],
            length: digits.len(),
        };
        pan.digits.get_mut(..digits.len())?.copy_from_slice(digits);
        Some(pan)
    }

    /// The digits.
    pub fn digits(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }
}

fn open(cipher: &LessSafeKey, counter: u64, card: CardHash, text: &mut [u8]) -> Option<ClearPan> {
    let clear = cipher
        .open_in_place(nonce(counter), Aad::from(card.0), text)
        .ok()?;
    let (length, digits) = clear.split_first()?;
    ClearPan::new(digits.get(..usize::from(*length))?)
}

fn cipher(seal_key: &[u8; 32], salt: &[u8; SALT_BYTES]) -> LessSafeKey {
    let mut hasher = blake3::Hasher::new_keyed(seal_key);
    hasher.update(salt);
    let key = UnboundKey::new(&AES_256_GCM, hasher.finalize().as_bytes());
    LessSafeKey::new(key.unwrap_or_else(|_| unreachable!("a BLAKE3 hash has 32 bytes")))
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    if let Some(room) = nonce.first_chunk_mut() {
        *room = counter.to_le_bytes();
    }
    Nonce::assume_unique_for_key(nonce)
}

impl fmt::Debug for ClearPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClearPan({} digits)", self.length)
    }
}

impl fmt::Debug for CardVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardVault")
    }
}

impl Drop for ClearPan {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

impl Drop for CardVault {
    fn drop(&mut self) {
        self.hash_key.zeroize();
        self.seal_key.zeroize();
    }
}

#[cfg(test)]
mod tests;
