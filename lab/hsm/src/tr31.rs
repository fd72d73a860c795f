//! Key blocks after TR-31 / ANSI X9.143: version B under a Triple DES key, version D under an AES key.
//!
//! From the protecting key two keys are derived by CMAC over `counter, purpose, 0, algorithm, length`: one that
//! encrypts and one that authenticates. The MAC covers the header and the clear payload (length in bits, key, random
//! fill), and is the initial value of the CBC encryption. So a block is right as a whole or not at all.

use std::fmt;

use subtle::ConstantTimeEq;
use torap_hsm::{CheckValue, KeyAlgorithm, KeyBlock, KeyExport, KeyMode, KeyRef, KeyUsage, Status};
use zeroize::{Zeroize, Zeroizing};

use crate::cmac::CmacKey;
use crate::key_rules;
use crate::vault::{Cipher, Fault, Refusal, Vault};

/// Most bytes of a key.
const KEY_BYTES_MAX: usize = 32;
/// Most bytes of a key with its length and fill.
const PAYLOAD_BYTES_MAX: usize = 512;

/// A key in clear, inside the HSM; wiped when dropped, never shown.
#[derive(Clone)]
pub struct ClearKey {
    bytes: [u8; KEY_BYTES_MAX],
    length: usize,
}

impl ClearKey {
    /// Takes 16, 24 or 32 bytes; `None` for any other number.
    pub fn new(bytes: &[u8]) -> Option<ClearKey> {
        matches!(bytes.len(), 16 | 24 | 32).then(|| {
            let mut own = [0; KEY_BYTES_MAX];
            own[..bytes.len()].copy_from_slice(bytes);
            ClearKey {
                bytes: own,
                length: bytes.len(),
            }
        })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for ClearKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for ClearKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClearKey({} bytes)", self.length)
    }
}

/// What stands in clear about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// What it is for.
    pub usage: KeyUsage,
    /// Its cipher.
    pub algorithm: KeyAlgorithm,
    /// What may be done with it.
    pub mode: KeyMode,
    /// Its version as two characters, `00` if it has none.
    pub key_version: [u8; 2],
    /// Whether it may leave.
    pub export: KeyExport,
}

impl Attributes {
    /// As they stand in a block.
    pub fn of(block: KeyBlock<'_>) -> Attributes {
        Attributes {
            usage: block.usage(),
            algorithm: block.algorithm(),
            mode: block.mode(),
            key_version: block.key_version(),
            export: block.export(),
        }
    }
}

/// A key that protects key blocks, with what is derived from it.
pub(crate) struct Protection<K> {
    cipher: Cipher,
    strength: u16,
    encryption: K,
    authentication: CmacKey<K>,
}

/// For what a key is derived.
#[derive(Clone, Copy)]
enum Purpose {
    Encryption = 0,
    Authentication = 1,
}

impl<K> Protection<K> {
    /// Under the vault's master key, an AES key of 32 bytes.
    pub(crate) fn by_master<V: Vault<Key = K>>(vault: &V) -> Result<Protection<K>, Fault> {
        Protection::derive(vault, Cipher::Aes, 32, |data| vault.master_cmac(data))
    }

    /// Under a key encryption key.
    pub(crate) fn by_key<V: Vault<Key = K>>(
        vault: &V,
        cipher: Cipher,
        clear: &ClearKey,
    ) -> Result<Protection<K>, Fault> {
        let key = vault.load(cipher, clear.as_bytes())?;
        let cmac = CmacKey::new(vault, cipher, key)?;
        Protection::derive(vault, cipher, clear.length, |data| cmac.mac(vault, data))
    }

    fn derive<V: Vault<Key = K>>(
        vault: &V,
        cipher: Cipher,
        key_bytes: usize,
        cmac: impl Fn(&[u8]) -> Result<[u8; 16], Fault>,
    ) -> Result<Protection<K>, Fault> {
        let algorithm = match (cipher, key_bytes) {
            (Cipher::Tdes, 16) => 0,
            (Cipher::Tdes, _) => 1,
            (Cipher::Aes, 16) => 2,
            (Cipher::Aes, 24) => 3,
            (Cipher::Aes, _) => 4,
        };
        let [bits_high, bits_low] = ((key_bytes * 8) as u16).to_be_bytes();
        let key = |purpose: Purpose| {
            let mut derived = Zeroizing::new([0; KEY_BYTES_MAX]);
            let parts = derived[..key_bytes].chunks_mut(cipher.block_bytes());
            for (counter, part) in (1..).zip(parts) {
                let data = [
                    counter,
                    0,
                    purpose as u8,
                    0,
                    0,
                    algorithm,
                    bits_high,
                    bits_low,
                ];
                let mac = Zeroizing::new(cmac(&data)?);
                part.copy_from_slice(&mac[..part.len()]);
            }
            vault.load(cipher, &derived[..key_bytes])
        };
        Ok(Protection {
            cipher,
            strength: key_rules::strength(cipher, key_bytes),
            encryption: key(Purpose::Encryption)?,
            authentication: CmacKey::new(vault, cipher, key(Purpose::Authentication)?)?,
        })
    }

    fn version(&self) -> u8 {
        match self.cipher {
            Cipher::Tdes => b'B',
            Cipher::Aes => b'D',
        }
    }

    /// Is the protecting key at least as strong as this one?
    pub(crate) fn is_strong_enough(&self, cipher: Cipher, key_bytes: usize) -> bool {
        self.strength >= key_rules::strength(cipher, key_bytes)
    }

    /// Makes a block.
    pub(crate) fn wrap<V: Vault<Key = K>>(
        &self,
        vault: &V,
        attributes: &Attributes,
        clear: &ClearKey,
    ) -> Result<KeyRef, Refusal> {
        let block_bytes = self.cipher.block_bytes();
        let payload_bytes = (2 + clear.length).next_multiple_of(block_bytes);
        let header = self.header(attributes, payload_bytes);
        let mut text = Zeroizing::new(Vec::with_capacity(header.len() + payload_bytes));
        text.extend_from_slice(header.as_bytes());
        text.extend_from_slice(&((clear.length * 8) as u16).to_be_bytes());
        text.extend_from_slice(clear.as_bytes());
        let fill = text.len();
        text.resize(header.len() + payload_bytes, 0);
        vault.fill_random(&mut text[fill..])?;
        let mac = self.authentication.mac(vault, &text)?;
        let mac = &mac[..block_bytes];
        let payload = &mut text[header.len()..];
        vault.encrypt_cbc(&self.encryption, mac, payload)?;
        let mut block = header;
        for byte in payload.iter().chain(mac) {
            block.push_str(&format!("{byte:02X}"));
        }
        KeyRef::parse(&block).map_err(|_| Status::Malformed.into())
    }

    /// Opens a block.
    ///
    /// # Errors
    /// `KeyAlgorithmRefused`: the block's version is not that of the key. `KeyBlockInvalid`: everything else; which
    /// part is wrong is not told.
    pub(crate) fn unwrap<V: Vault<Key = K>>(
        &self,
        vault: &V,
        block: KeyBlock<'_>,
    ) -> Result<ClearKey, Refusal> {
        if block.version() != self.version() {
            return Err(Status::KeyAlgorithmRefused.into());
        }
        let bytes = from_hex(block.payload()).ok_or(Status::KeyBlockInvalid)?;
        let split = bytes.len().checked_sub(self.cipher.block_bytes());
        let (payload, mac) = bytes.split_at(split.ok_or(Status::KeyBlockInvalid)?);
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Status::KeyBlockInvalid.into());
        }
        let header = block.header().as_bytes();
        let mut text = Zeroizing::new(Vec::with_capacity(header.len() + payload.len()));
        text.extend_from_slice(header);
        text.extend_from_slice(payload);
        vault.decrypt_cbc(&self.encryption, mac, &mut text[header.len()..])?;
        let right = self.authentication.mac(vault, &text)?;
        if !bool::from(right[..mac.len()].ct_eq(mac)) {
            return Err(Status::KeyBlockInvalid.into());
        }
        let (bits, rest) = text[header.len()..]
            .split_first_chunk::<2>()
            .ok_or(Status::KeyBlockInvalid)?;
        let bits = usize::from(u16::from_be_bytes(*bits));
        let clear = rest.get(..bits / 8).filter(|_| bits % 8 == 0);
        let clear = clear.and_then(ClearKey::new);
        clear.ok_or(Refusal::Status(Status::KeyBlockInvalid))
    }

    fn header(&self, attributes: &Attributes, payload_bytes: usize) -> String {
        let length = 16 + 2 * (payload_bytes + self.cipher.block_bytes());
        let [u0, u1] = attributes.usage.code();
        let [v0, v1] = attributes.key_version;
        let letters = [
            u0,
            u1,
            attributes.algorithm.code(),
            attributes.mode.code(),
            v0,
            v1,
            attributes.export.code(),
        ];
        let letters: String = letters.into_iter().map(char::from).collect();
        format!("{}{length:04}{letters}0000", char::from(self.version()))
    }
}

/// Random bytes for a key; Triple DES keys get odd parity and parts that differ.
pub(crate) fn random_key<V: Vault>(
    vault: &V,
    cipher: Cipher,
    key_bytes: usize,
) -> Result<ClearKey, Refusal> {
    /// Equal parts by chance come once in 2^56; twice in a row they are a broken source.
    const TRIES_MAX: usize = 2;
    let mut room = Zeroizing::new([0; KEY_BYTES_MAX]);
    for _ in 0..TRIES_MAX {
        let bytes = room
            .get_mut(..key_bytes)
            .ok_or(Status::KeyAlgorithmRefused)?;
        vault.fill_random(bytes)?;
        if cipher == Cipher::Tdes {
            for byte in bytes.iter_mut() {
                *byte ^= u8::from(byte.count_ones().is_multiple_of(2));
            }
        }
        if key_rules::check_parts(cipher, bytes).is_ok() {
            return ClearKey::new(bytes).ok_or(Refusal::Status(Status::KeyAlgorithmRefused));
        }
    }
    Err(Fault("the source of randomness repeats itself".into()).into())
}

/// The check value of a key. Triple DES: 3 bytes of a block of zeros encrypted; AES: 5 bytes of the CMAC of one.
pub(crate) fn check_value<V: Vault>(
    vault: &V,
    cipher: Cipher,
    clear: &ClearKey,
) -> Result<CheckValue, Refusal> {
    let key = vault.load(cipher, clear.as_bytes())?;
    let value = match cipher {
        Cipher::Tdes => {
            let mut block = [0; 8];
            vault.encrypt(&key, &mut block)?;
            CheckValue::from_bytes(&block[..3])
        }
        Cipher::Aes => {
            let mac = CmacKey::new(vault, cipher, key)?.mac(vault, &[0; 16])?;
            CheckValue::from_bytes(&mac[..5])
        }
    };
    value.ok_or(Refusal::Status(Status::InternalFault))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
        .collect()
}
