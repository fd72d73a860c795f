//! The HSM's rules: what each request may do with which key, over any [`Vault`].

use std::rc::Rc;

use subtle::ConstantTimeEq;
use torap_hsm::{
    CheckValue, Diagnosis, KeyBlock, KeyExport, KeySpec, KeyUsage, Mac, MacMethod, NewKey, Pan,
    PinBlock, PinFormat, PinSource, PinTarget, Pvv, Request, Response, Status, Verdict, pin,
};

use crate::key_cache::{KEYS_CACHED_MAX, KeyCache};
use crate::key_rules;
use crate::mac::MacKey;
use crate::pin_block;
use crate::pvv;
use crate::tr31::{Attributes, ClearKey, Protection, check_value, random_key};
use crate::vault::{Cipher, Fault, Refusal, Vault};

/// Most requests that it says it takes at a time on one connection.
pub const IN_FLIGHT_MAX: u32 = 4096;

/// An HSM without its socket: one request in, one answer out.
pub struct Machine<V: Vault> {
    vault: V,
    master: Protection<V::Key>,
    master_check_value: CheckValue,
    keys: KeyCache<OpenKey<V::Key>>,
}

/// A key opened and loaded for what it is for.
struct OpenKey<K> {
    attributes: Attributes,
    cipher: Cipher,
    work: Work<K>,
}

enum Work<K> {
    /// P0 and V2.
    Blocks(K),
    /// M3 and M6.
    Mac(MacKey<K>),
}

impl<V: Vault> Machine<V> {
    /// Derives what the master key protects key blocks with.
    ///
    /// # Errors
    /// The vault failed.
    pub fn new(vault: V) -> Result<Machine<V>, Fault> {
        let master = Protection::by_master(&vault)?;
        let mac = vault.master_cmac(&[0; 16])?;
        let master_check_value = CheckValue::from_bytes(&mac[..5])
            .ok_or_else(|| Fault("a check value has 5 bytes".into()))?;
        Ok(Machine {
            vault,
            master,
            master_check_value,
            keys: KeyCache::new(KEYS_CACHED_MAX),
        })
    }

    /// The vault.
    pub fn vault(&self) -> &V {
        &self.vault
    }

    /// Does what it is asked.
    ///
    /// # Errors
    /// [`Refusal`] says which rule forbids it, or that the vault failed.
    pub fn execute(&mut self, request: &Request<'_>) -> Result<Response, Refusal> {
        Ok(match request {
            Request::Echo(data) => Response::Echo(data.to_vec()),
            Request::Diagnose => Response::Diagnose(self.diagnose()),
            Request::TranslatePin { from, to, pan } => {
                Response::TranslatePin(self.translate_pin(from, to, *pan)?)
            }
            Request::VerifyPin {
                from,
                pan,
                pvk,
                pvv,
            } => Response::VerifyPin(self.verify_pin(from, *pan, *pvk, pvv)?),
            Request::GenerateMac { key, method, data } => {
                Response::GenerateMac(self.generate_mac(*key, *method, data)?)
            }
            Request::VerifyMac {
                key,
                method,
                data,
                mac,
            } => Response::VerifyMac(self.verify_mac(*key, *method, data, mac)?),
            Request::ImportKey { kek, block } => {
                Response::ImportKey(self.import_key(*kek, *block)?)
            }
            Request::ExportKey { kek, key } => Response::ExportKey(self.export_key(*kek, *key)?),
            Request::GenerateKey(spec) => Response::GenerateKey(self.generate_key(spec)?),
            Request::CheckKey(key) => {
                let (cipher, clear) = self.open(*key)?;
                Response::CheckKey(check_value(&self.vault, cipher, &clear)?)
            }
        })
    }

    fn diagnose(&self) -> Diagnosis {
        Diagnosis {
            name: self.vault.name(),
            master_key: self.master_check_value,
            in_flight_max: IN_FLIGHT_MAX,
        }
    }

    fn translate_pin(
        &mut self,
        from: &PinSource<'_>,
        to: &PinTarget<'_>,
        pan: Pan<'_>,
    ) -> Result<PinBlock, Refusal> {
        if !pin::may_translate(from.format, to.format) {
            return Err(Status::TranslationForbidden.into());
        }
        let target = self.key(to.key)?;
        let target_key = target.for_pins(to.format)?;
        if !target.attributes.mode.encrypts() {
            return Err(Status::KeyModeRefused.into());
        }
        let pin = self.read_pin(from, pan)?;
        let block = pin_block::encode(&self.vault, target_key, to.format, &pin, pan);
        self.watched(to.key, block)
    }

    fn verify_pin(
        &mut self,
        from: &PinSource<'_>,
        pan: Pan<'_>,
        pvk: KeyBlock<'_>,
        pvv: &Pvv,
    ) -> Result<Verdict, Refusal> {
        if from.format == PinFormat::Iso1 {
            return Err(Status::TranslationForbidden.into());
        }
        let verification = self.key(pvk)?;
        let verification_key = verification.for_usage(KeyUsage::PinVerification)?;
        if !verification.attributes.mode.verifies() {
            return Err(Status::KeyModeRefused.into());
        }
        let pin = self.read_pin(from, pan)?;
        let own = pvv::make(&self.vault, verification_key, pvv.index(), pan, &pin);
        let own = self.watched(pvk, own)?;
        Ok(verdict(own.digits(), pvv.digits()))
    }

    fn read_pin(&mut self, from: &PinSource<'_>, pan: Pan<'_>) -> Result<pin_block::Pin, Refusal> {
        let source = self.key(from.key)?;
        let key = source.for_pins(from.format)?;
        if !source.attributes.mode.decrypts() {
            return Err(Status::KeyModeRefused.into());
        }
        let pin = pin_block::decode(&self.vault, key, from.format, &from.block, pan);
        self.watched(from.key, pin)
    }

    fn generate_mac(
        &mut self,
        key: KeyBlock<'_>,
        method: MacMethod,
        data: &[u8],
    ) -> Result<Mac, Refusal> {
        let open = self.key(key)?;
        let mac_key = open.for_macs(method)?;
        if !open.attributes.mode.generates() {
            return Err(Status::KeyModeRefused.into());
        }
        let mac = mac_key.mac(&self.vault, method, data);
        self.watched(key, mac)
    }

    fn verify_mac(
        &mut self,
        key: KeyBlock<'_>,
        method: MacMethod,
        data: &[u8],
        mac: &Mac,
    ) -> Result<Verdict, Refusal> {
        let open = self.key(key)?;
        let mac_key = open.for_macs(method)?;
        if !open.attributes.mode.verifies() {
            return Err(Status::KeyModeRefused.into());
        }
        let own = mac_key.mac(&self.vault, method, data);
        let own = self.watched(key, own)?;
        let given = mac.as_bytes();
        let comparable = own.as_bytes().get(..given.len()).ok_or(Status::Malformed)?;
        Ok(verdict(comparable, given))
    }

    fn import_key(&mut self, kek: KeyBlock<'_>, block: KeyBlock<'_>) -> Result<NewKey, Refusal> {
        if !kek.mode().decrypts() {
            return Err(Status::KeyModeRefused.into());
        }
        let protection = self.protection(kek)?;
        let clear = protection.unwrap(&self.vault, block)?;
        let attributes = Attributes::of(block);
        let cipher = check_key(&attributes, &clear)?;
        if !protection.is_strong_enough(cipher, clear.as_bytes().len()) {
            return Err(Status::KeyTooWeak.into());
        }
        self.new_key(&self.master, &attributes, cipher, &clear)
    }

    fn export_key(&mut self, kek: KeyBlock<'_>, key: KeyBlock<'_>) -> Result<NewKey, Refusal> {
        if !kek.mode().encrypts() {
            return Err(Status::KeyModeRefused.into());
        }
        let protection = self.protection(kek)?;
        let (cipher, clear) = self.open(key)?;
        match key.export() {
            KeyExport::Trusted | KeyExport::Sensitive => {}
            KeyExport::Never | KeyExport::Other(_) => {
                return Err(Status::KeyNotExportable.into());
            }
        }
        if !protection.is_strong_enough(cipher, clear.as_bytes().len()) {
            return Err(Status::KeyTooWeak.into());
        }
        self.new_key(&protection, &Attributes::of(key), cipher, &clear)
    }

    fn generate_key(&mut self, spec: &KeySpec) -> Result<NewKey, Refusal> {
        if let KeyExport::Other(_) = spec.export {
            return Err(Status::Malformed.into());
        }
        let key_bytes = usize::from(spec.bits / 8);
        if !spec.bits.is_multiple_of(8) {
            return Err(Status::KeyAlgorithmRefused.into());
        }
        let cipher = key_rules::check(spec.usage, spec.algorithm, key_bytes, spec.mode)?;
        let clear = self.random_key(cipher, key_bytes)?;
        let attributes = Attributes {
            usage: spec.usage,
            algorithm: spec.algorithm,
            mode: spec.mode,
            key_version: *b"00",
            export: spec.export,
        };
        self.new_key(&self.master, &attributes, cipher, &clear)
    }

    /// A new key under the master key whose bytes the caller has chosen: for the key ceremony of a laboratory, never
    /// reached by a request.
    pub(crate) fn seal(
        &self,
        attributes: &Attributes,
        clear: &ClearKey,
    ) -> Result<NewKey, Refusal> {
        let cipher = check_key(attributes, clear)?;
        self.new_key(&self.master, attributes, cipher, clear)
    }

    pub(crate) fn random_key(&self, cipher: Cipher, key_bytes: usize) -> Result<ClearKey, Refusal> {
        random_key(&self.vault, cipher, key_bytes)
    }

    fn new_key(
        &self,
        protection: &Protection<V::Key>,
        attributes: &Attributes,
        cipher: Cipher,
        clear: &ClearKey,
    ) -> Result<NewKey, Refusal> {
        Ok(NewKey {
            block: protection.wrap(&self.vault, attributes, clear)?,
            check_value: check_value(&self.vault, cipher, clear)?,
        })
    }

    /// What a key encryption key protects with.
    fn protection(&self, kek: KeyBlock<'_>) -> Result<Protection<V::Key>, Refusal> {
        if !kek.usage().protects_keys() {
            return Err(Status::KeyUsageRefused.into());
        }
        let (cipher, clear) = self.open(kek)?;
        Ok(Protection::by_key(&self.vault, cipher, &clear)?)
    }

    /// Opens a key block under the master key.
    fn open(&self, block: KeyBlock<'_>) -> Result<(Cipher, ClearKey), Refusal> {
        // Under the master key there are version D blocks only.
        if block.version() != b'D' {
            return Err(Status::KeyBlockInvalid.into());
        }
        let clear = self.master.unwrap(&self.vault, block)?;
        let cipher = check_key(&Attributes::of(block), &clear)?;
        Ok((cipher, clear))
    }

    /// The key of a block under the master key, loaded for its usage.
    fn key(&mut self, block: KeyBlock<'_>) -> Result<Rc<OpenKey<V::Key>>, Refusal> {
        if let Some(key) = self.keys.get(block.as_str()) {
            return Ok(key);
        }
        let (cipher, clear) = self.open(block)?;
        let attributes = Attributes::of(block);
        let work = match attributes.usage {
            KeyUsage::PinEncryption | KeyUsage::PinVerification => {
                Work::Blocks(self.vault.load(cipher, clear.as_bytes())?)
            }
            usage @ (KeyUsage::MacAlgorithm3 | KeyUsage::MacCmac) => {
                Work::Mac(MacKey::load(&self.vault, usage, clear.as_bytes())?)
            }
            // Keys that protect keys are opened for each use, and serve no other.
            _ => return Err(Status::KeyUsageRefused.into()),
        };
        let key = Rc::new(OpenKey {
            attributes,
            cipher,
            work,
        });
        self.keys.insert(block.as_str(), Rc::clone(&key));
        Ok(key)
    }

    /// After a fault the key is opened anew at its next use.
    fn watched<T>(
        &mut self,
        block: KeyBlock<'_>,
        result: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if let Err(Refusal::Fault(_)) = result {
            self.keys.remove(block.as_str());
        }
        result
    }
}

impl<K> OpenKey<K> {
    fn for_usage(&self, usage: KeyUsage) -> Result<&K, Status> {
        match &self.work {
            Work::Blocks(key) if self.attributes.usage == usage => Ok(key),
            _ => Err(Status::KeyUsageRefused),
        }
    }

    fn for_pins(&self, format: PinFormat) -> Result<&K, Status> {
        let key = self.for_usage(KeyUsage::PinEncryption)?;
        if format.algorithm().and_then(Cipher::of) != Some(self.cipher) {
            return Err(Status::KeyAlgorithmRefused);
        }
        Ok(key)
    }

    fn for_macs(&self, method: MacMethod) -> Result<&MacKey<K>, Status> {
        match &self.work {
            Work::Mac(key) if self.attributes.usage == method.usage() => Ok(key),
            _ => Err(Status::KeyUsageRefused),
        }
    }
}

/// Is what stands in the header true of the key, and does the HSM work with such keys?
fn check_key(attributes: &Attributes, clear: &ClearKey) -> Result<Cipher, Status> {
    let bytes = clear.as_bytes();
    let cipher = key_rules::check(
        attributes.usage,
        attributes.algorithm,
        bytes.len(),
        attributes.mode,
    )?;
    key_rules::check_parts(cipher, bytes)?;
    Ok(cipher)
}

/// In constant time for equal lengths.
fn verdict(own: &[u8], given: &[u8]) -> Verdict {
    if bool::from(own.ct_eq(given)) {
        Verdict::Right
    } else {
        Verdict::Wrong
    }
}

impl<V: Vault> std::fmt::Debug for Machine<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("vault", &self.vault.name())
            .field("master_check_value", &self.master_check_value)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
