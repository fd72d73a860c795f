//! A simulated bank's side of its zone keys: it is its own HSM, in software.

use std::fmt;

use torap_hsm::{
    KeyAlgorithm, KeyBlock, KeyBlockError, KeyExport, KeyMode, KeyRef, KeyUsage, Mac, MacMethod,
    Padding, Pan, PinBlock, PinFormat, Pvv, Status,
};

use super::{SoftKey, SoftVault};
use crate::key_file::BankKeyFile;
use crate::key_rules;
use crate::mac::MacKey;
use crate::pin_block::{self, Pin};
use crate::pvv;
use crate::tr31::{Attributes, ClearKey, Protection, check_value, random_key};
use crate::vault::{Cipher, Refusal, Vault};

/// The keys that a bank shares with the switch, opened, and what a bank does with them.
///
/// A key change is two steps: a new key is taken, and works for what comes under it; then it is put into use, and the one before still works
/// for what was sent under it, until [`BankKeys::forget_before`].
pub struct BankKeys {
    vault: SoftVault,
    zone_master: Protection<SoftKey>,
    pin: Keys<PinKey>,
    mac: Keys<ZoneMacKey>,
    pvk: Option<SoftKey>,
}

/// The key in force, the one before it, and the one that was handed over and is not in force yet.
struct Keys<K> {
    now: K,
    before: Option<K>,
    next: Option<K>,
}

/// Which keys of a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAge {
    /// Those before the last change; a key that was not changed is the one in force.
    Before,
    /// Those in force.
    Now,
    /// Those that were handed over; a key that was not is the one in force.
    Next,
}

struct PinKey {
    cipher: Cipher,
    bytes: usize,
    key: SoftKey,
}

struct ZoneMacKey {
    usage: KeyUsage,
    bytes: usize,
    key: MacKey<SoftKey>,
}

/// One of the two keys of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneKey {
    /// Of PIN blocks.
    Pin,
    /// Of MACs.
    Mac,
}

/// Why keys could not be taken or used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankError {
    /// The file is no key file; the text says what it should be.
    File(String),
    /// A key block is malformed.
    Block(KeyBlockError),
    /// The check value is not that of the key.
    CheckValue,
    /// A key or a PIN block was refused.
    Refused(Status),
}

impl BankKeys {
    /// Opens the keys of a bank's file (see `torap hsm-sim keys`); `seed` makes what is random in PIN blocks.
    ///
    /// # Errors
    /// [`BankError`]: the file, a block or a check value is wrong.
    pub fn open(file: &BankKeyFile, seed: [u8; 32]) -> Result<BankKeys, BankError> {
        let vault = SoftVault::new(seed);
        let algorithm = file.zmk_algorithm.as_str();
        let cipher = match algorithm {
            "AES" => Cipher::Aes,
            "TDES" => Cipher::Tdes,
            _ => return Err(BankError::File("zmk_algorithm must be AES or TDES".into())),
        };
        let zmk = file
            .zmk()
            .ok_or_else(|| BankError::File("zmk must be 32, 48 or 64 hexadecimal digits".into()))?;
        let zone_master = Protection::by_key(&vault, cipher, &zmk).map_err(Refusal::from)?;
        let open = |block: &str, usages: &[KeyUsage]| {
            let block = KeyRef::parse(block)?;
            open_block(&vault, &zone_master, block.block(), usages)
        };
        let pin = open(&file.zpk.block, &[KeyUsage::PinEncryption])?;
        let mac = open(
            &file.zak.block,
            &[KeyUsage::MacAlgorithm3, KeyUsage::MacCmac],
        )?;
        let pvk = match &file.pvk {
            None => None,
            Some(pvk) => Some(open(&pvk.block, &[KeyUsage::PinVerification])?),
        };
        let right = |opened: &Opened, expected: &str| opened.check_value == expected;
        let pvk_right = match (&pvk, &file.pvk) {
            (Some(opened), Some(pvk)) => right(opened, &pvk.check_value),
            _ => true,
        };
        if !right(&pin, &file.zpk.check_value) || !right(&mac, &file.zak.check_value) || !pvk_right
        {
            return Err(BankError::CheckValue);
        }
        let pvk = pvk.map(|opened| vault.load(Cipher::Tdes, opened.clear.as_bytes()));
        Ok(BankKeys {
            pin: Keys::new(PinKey::load(&vault, &pin)?),
            mac: Keys::new(ZoneMacKey::load(&vault, &mac)?),
            pvk: pvk.transpose().map_err(Refusal::from)?,
            zone_master,
            vault,
        })
    }

    /// Takes a new zone key from the switch, under the zone master key, with its check value in upper-case hexadecimal. It is in force from
    /// [`BankKeys::put_into_use`] on.
    ///
    /// # Errors
    /// As [`BankKeys::open`]; the keys stay as they were.
    pub fn take(&mut self, block: KeyBlock<'_>, check_value: &str) -> Result<(), BankError> {
        let usages = [
            KeyUsage::PinEncryption,
            KeyUsage::MacAlgorithm3,
            KeyUsage::MacCmac,
        ];
        let opened = open_block(&self.vault, &self.zone_master, block, &usages)?;
        if opened.check_value != check_value {
            return Err(BankError::CheckValue);
        }
        if opened.usage == KeyUsage::PinEncryption {
            self.pin.next = Some(PinKey::load(&self.vault, &opened)?);
        } else {
            self.mac.next = Some(ZoneMacKey::load(&self.vault, &opened)?);
        }
        Ok(())
    }

    /// Makes a new key of the cipher and length of the one in force, as whoever hands it over: the block under the zone master key, and its check
    /// value. It is taken here, too.
    ///
    /// # Errors
    /// The source of randomness is broken.
    pub fn make_next(&mut self, of: ZoneKey) -> Result<(String, String), BankError> {
        let (usage, mode, bytes) = match of {
            ZoneKey::Pin => (
                KeyUsage::PinEncryption,
                KeyMode::EncryptAndDecrypt,
                self.pin.now.bytes,
            ),
            ZoneKey::Mac => (
                self.mac.now.usage,
                KeyMode::GenerateAndVerify,
                self.mac.now.bytes,
            ),
        };
        let cipher = match (of, usage) {
            (ZoneKey::Pin, _) => self.pin.now.cipher,
            (ZoneKey::Mac, KeyUsage::MacCmac) => Cipher::Aes,
            (ZoneKey::Mac, _) => Cipher::Tdes,
        };
        let attributes = Attributes {
            usage,
            algorithm: match cipher {
                Cipher::Aes => KeyAlgorithm::Aes,
                Cipher::Tdes => KeyAlgorithm::Tdes,
            },
            mode,
            key_version: *b"00",
            export: KeyExport::Sensitive,
        };
        let clear = random_key(&self.vault, cipher, bytes)?;
        let block = self.zone_master.wrap(&self.vault, &attributes, &clear)?;
        let value = check_value(&self.vault, cipher, &clear)?.to_string();
        self.take(block.block(), &value)?;
        Ok((block.as_str().to_string(), value))
    }

    /// What was handed over is in force from here on, and what it replaces is kept.
    pub fn put_into_use(&mut self) {
        self.pin.put_into_use();
        self.mac.put_into_use();
    }

    /// What was handed over and not put into use is worth nothing.
    pub fn forget_next(&mut self) {
        self.pin.next = None;
        self.mac.next = None;
    }

    /// From here on the keys before the last change are worth nothing.
    pub fn forget_before(&mut self) {
        self.pin.before = None;
        self.mac.before = None;
    }

    /// Makes a PIN block under the zone PIN key. Formats 0, 1 and 3 need a Triple DES key, format 4 AES.
    ///
    /// # Errors
    /// The format does not go with the key.
    pub fn encrypt_pin(
        &self,
        format: PinFormat,
        pin: &Pin,
        pan: Pan<'_>,
    ) -> Result<PinBlock, BankError> {
        self.encrypt_pin_under(KeyAge::Now, format, pin, pan)
    }

    /// The same under the zone PIN key of that age.
    ///
    /// # Errors
    /// The format does not go with the key.
    pub fn encrypt_pin_under(
        &self,
        age: KeyAge,
        format: PinFormat,
        pin: &Pin,
        pan: Pan<'_>,
    ) -> Result<PinBlock, BankError> {
        let key = self.pin.of(age).for_format(format)?;
        Ok(pin_block::encode(&self.vault, key, format, pin, pan)?)
    }

    /// Opens a PIN block under the zone PIN key in force, or the one before.
    ///
    /// # Errors
    /// It is no block of this format for this PAN under either.
    pub fn decrypt_pin(
        &self,
        format: PinFormat,
        block: &PinBlock,
        pan: Pan<'_>,
    ) -> Result<Pin, BankError> {
        let open = |key: &PinKey| -> Result<Pin, BankError> {
            let key = key.for_format(format)?;
            Ok(pin_block::decode(&self.vault, key, format, block, pan)?)
        };
        let now = open(&self.pin.now);
        match &self.pin.before {
            Some(before) if now.is_err() => open(before).or(now),
            _ => now,
        }
    }

    /// Opens a PIN block under the zone PIN key of that age.
    ///
    /// # Errors
    /// It is no block of this format for this PAN under it.
    pub fn decrypt_pin_under(
        &self,
        age: KeyAge,
        format: PinFormat,
        block: &PinBlock,
        pan: Pan<'_>,
    ) -> Result<Pin, BankError> {
        let key = self.pin.of(age).for_format(format)?;
        Ok(pin_block::decode(&self.vault, key, format, block, pan)?)
    }

    /// The format in which this bank makes PIN blocks unless told otherwise: 0 under Triple DES, 4 under AES.
    pub fn pin_format(&self) -> PinFormat {
        match self.pin.now.cipher {
            Cipher::Tdes => PinFormat::Iso0,
            Cipher::Aes => PinFormat::Iso4,
        }
    }

    /// Makes a MAC under the zone MAC key in force.
    ///
    /// # Errors
    /// The method does not go with the key.
    pub fn mac(&self, method: MacMethod, data: &[u8]) -> Result<Mac, BankError> {
        Ok(self.mac.now.key.mac(&self.vault, method, data)?)
    }

    /// Makes a MAC under the zone MAC key of that age, by the method that goes with it.
    ///
    /// # Errors
    /// None that a loaded key has.
    pub fn mac_under(&self, age: KeyAge, data: &[u8]) -> Result<Mac, BankError> {
        let key = self.mac.of(age);
        Ok(key.key.mac(&self.vault, mac_method(key.usage), data)?)
    }

    /// Verifies the first 8 bytes of a MAC or more, under the zone MAC key in force or the one before, in constant time.
    pub fn verify_mac(&self, method: MacMethod, data: &[u8], mac: &Mac) -> bool {
        let keys = [Some(&self.mac.now), self.mac.before.as_ref()];
        keys.into_iter()
            .flatten()
            .any(|key| self.is_mac_of(key, method, data, mac))
    }

    /// The same under the zone MAC key of that age, by the method that goes with it.
    pub fn verify_mac_under(&self, age: KeyAge, data: &[u8], mac: &Mac) -> bool {
        let key = self.mac.of(age);
        self.is_mac_of(key, mac_method(key.usage), data, mac)
    }

    fn is_mac_of(&self, key: &ZoneMacKey, method: MacMethod, data: &[u8], mac: &Mac) -> bool {
        use subtle::ConstantTimeEq;
        let own = key.key.mac(&self.vault, method, data);
        own.is_ok_and(|own| {
            let part = own.as_bytes().get(..mac.as_bytes().len());
            part.is_some_and(|part| bool::from(part.ct_eq(mac.as_bytes())))
        })
    }

    /// The usage of the zone MAC key in force, which says which method goes with it.
    pub fn mac_usage(&self) -> KeyUsage {
        self.mac.now.usage
    }

    /// The PVV that goes on a card's file, for key index 0 to 9.
    ///
    /// # Errors
    /// There is no PIN verification key, or the index is none.
    pub fn pvv(&self, index: u8, pan: Pan<'_>, pin: &Pin) -> Result<Pvv, BankError> {
        let key = self.pvk.as_ref();
        let key = key.ok_or(BankError::Refused(Status::KeyUsageRefused))?;
        Ok(pvv::make(&self.vault, key, index, pan, pin)?)
    }
}

/// The method that goes with a MAC key; algorithm 3 with padding method 2.
fn mac_method(usage: KeyUsage) -> MacMethod {
    match usage {
        KeyUsage::MacAlgorithm3 => MacMethod::Algorithm3(Padding::Method2),
        _ => MacMethod::AesCmac,
    }
}

/// A key out of its block.
struct Opened {
    usage: KeyUsage,
    cipher: Cipher,
    clear: ClearKey,
    check_value: String,
}

fn open_block(
    vault: &SoftVault,
    zone_master: &Protection<SoftKey>,
    block: KeyBlock<'_>,
    usages: &[KeyUsage],
) -> Result<Opened, BankError> {
    let usage = block.usage();
    if !usages.contains(&usage) {
        return Err(BankError::Refused(Status::KeyUsageRefused));
    }
    let clear = zone_master.unwrap(vault, block)?;
    let bytes = clear.as_bytes().len();
    let cipher = key_rules::check(usage, block.algorithm(), bytes, block.mode())
        .map_err(BankError::Refused)?;
    let check_value = check_value(vault, cipher, &clear)?.to_string();
    Ok(Opened {
        usage,
        cipher,
        clear,
        check_value,
    })
}

impl<K> Keys<K> {
    fn new(now: K) -> Keys<K> {
        Keys {
            now,
            before: None,
            next: None,
        }
    }

    fn put_into_use(&mut self) {
        self.before = self
            .next
            .take()
            .map(|next| std::mem::replace(&mut self.now, next));
    }

    fn of(&self, age: KeyAge) -> &K {
        let changed = match age {
            KeyAge::Before => self.before.as_ref(),
            KeyAge::Now => None,
            KeyAge::Next => self.next.as_ref(),
        };
        changed.unwrap_or(&self.now)
    }
}

impl PinKey {
    fn load(vault: &SoftVault, opened: &Opened) -> Result<PinKey, BankError> {
        let key = vault.load(opened.cipher, opened.clear.as_bytes());
        Ok(PinKey {
            cipher: opened.cipher,
            bytes: opened.clear.as_bytes().len(),
            key: key.map_err(Refusal::from)?,
        })
    }

    fn for_format(&self, format: PinFormat) -> Result<&SoftKey, BankError> {
        if format.algorithm().and_then(Cipher::of) == Some(self.cipher) {
            Ok(&self.key)
        } else {
            Err(BankError::Refused(Status::KeyAlgorithmRefused))
        }
    }
}

impl ZoneMacKey {
    fn load(vault: &SoftVault, opened: &Opened) -> Result<ZoneMacKey, BankError> {
        Ok(ZoneMacKey {
            usage: opened.usage,
            bytes: opened.clear.as_bytes().len(),
            key: MacKey::load(vault, opened.usage, opened.clear.as_bytes())?,
        })
    }
}

impl From<KeyBlockError> for BankError {
    fn from(error: KeyBlockError) -> BankError {
        BankError::Block(error)
    }
}

impl From<Refusal> for BankError {
    fn from(refusal: Refusal) -> BankError {
        match refusal {
            Refusal::Status(status) => BankError::Refused(status),
            Refusal::Fault(_) => BankError::Refused(Status::InternalFault),
        }
    }
}

impl fmt::Display for BankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BankError::File(text) => write!(f, "key file: {text}"),
            BankError::Block(error) => error.fmt(f),
            BankError::CheckValue => f.write_str("the check value is not that of the key"),
            BankError::Refused(status) => write!(f, "refused: {}", status.text()),
        }
    }
}

impl std::error::Error for BankError {}

impl fmt::Debug for BankKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BankKeys(…)")
    }
}
