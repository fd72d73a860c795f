//! A key ceremony in a laboratory: makes the keys that the switch and each participant share, and writes both sides.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use torap_hsm::{
    KeyAlgorithm, KeyExport, KeyMode, KeyRef, KeySpec, KeyUsage, NewKey, Request, Response, Status,
};
use zeroize::Zeroizing;

use crate::key_file::{BankKeyFile, KeyEntry, ParticipantKeys, SwitchKeyFile};
use crate::machine::Machine;
use crate::tr31::Attributes;
use crate::vault::{Cipher, Refusal, Vault};

/// Longest participant code.
const CODE_CHARS_MAX: usize = 35;

/// Which ciphers the keys have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyKinds {
    /// The zone master key: AES with 256 bits and key blocks of version D, or Triple DES with 128 and version B.
    pub zone_master: Cipher,
    /// The zone PIN key: Triple DES for PIN block formats 0, 1 and 3, AES for format 4; 128 bits.
    pub pin: Cipher,
    /// The zone MAC key: Triple DES for ISO/IEC 9797-1 algorithm 3, AES for CMAC; 128 bits.
    pub mac: Cipher,
}

impl Default for KeyKinds {
    /// AES over Triple DES PIN keys, as most networks have them, and CMAC.
    fn default() -> Self {
        KeyKinds {
            zone_master: Cipher::Aes,
            pin: Cipher::Tdes,
            mac: Cipher::Aes,
        }
    }
}

/// Why a ceremony failed.
#[derive(Debug)]
pub enum CeremonyError {
    /// The code is no participant code: 1 to 35 letters, digits, `-` or `_`.
    Code(String),
    /// The HSM refused; with an AES key under a Triple DES zone master key it is `KeyTooWeak`.
    Refused(Refusal),
    /// A file could not be read or written.
    File(PathBuf, String),
}

/// Makes the keys of one participant: one side for the switch, one for the bank.
///
/// # Errors
/// [`CeremonyError::Code`] or [`CeremonyError::Refused`].
pub fn make_keys<V: Vault>(
    machine: &mut Machine<V>,
    code: &str,
    kinds: KeyKinds,
) -> Result<(ParticipantKeys, BankKeyFile), CeremonyError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if code.is_empty() || code.len() > CODE_CHARS_MAX || !code.bytes().all(allowed) {
        return Err(CeremonyError::Code(code.into()));
    }
    let zmk_bytes = match kinds.zone_master {
        Cipher::Aes => 32,
        Cipher::Tdes => 16,
    };
    let zmk_clear = machine.random_key(kinds.zone_master, zmk_bytes)?;
    let zmk = machine.seal(
        &Attributes {
            usage: KeyUsage::KeyBlockProtection,
            algorithm: algorithm(kinds.zone_master),
            mode: KeyMode::EncryptAndDecrypt,
            key_version: *b"00",
            export: KeyExport::Never,
        },
        &zmk_clear,
    )?;
    let mac_usage = match kinds.mac {
        Cipher::Tdes => KeyUsage::MacAlgorithm3,
        Cipher::Aes => KeyUsage::MacCmac,
    };
    let mut shared = |usage, cipher, mode| share(machine, &zmk.block, usage, cipher, mode);
    let zpk = shared(
        KeyUsage::PinEncryption,
        kinds.pin,
        KeyMode::EncryptAndDecrypt,
    )?;
    let zak = shared(mac_usage, kinds.mac, KeyMode::GenerateAndVerify)?;
    let pvk = shared(
        KeyUsage::PinVerification,
        Cipher::Tdes,
        KeyMode::GenerateAndVerify,
    )?;
    let zmk_algorithm = match kinds.zone_master {
        Cipher::Aes => "AES",
        Cipher::Tdes => "TDES",
    };
    let banks = [&zpk, &zak, &pvk].map(|key| key.under_zone_master.clone());
    let bank = BankKeyFile::new(code, zmk_algorithm, zmk.check_value.to_string(), banks)
        .with_zmk(&zmk_clear);
    let switch = ParticipantKeys {
        code: code.into(),
        zmk: entry(&zmk),
        zpk: zpk.under_master,
        zak: zak.under_master,
        pvk: Some(pvk.under_master),
    };
    Ok((switch, bank))
}

/// A key as each side holds it.
struct Shared {
    under_master: KeyEntry,
    under_zone_master: KeyEntry,
}

/// Makes a key as the switch does for a key change: generated, then exported.
fn share<V: Vault>(
    machine: &mut Machine<V>,
    zmk: &KeyRef,
    usage: KeyUsage,
    cipher: Cipher,
    mode: KeyMode,
) -> Result<Shared, CeremonyError> {
    let made = new_key(machine.execute(&Request::GenerateKey(KeySpec {
        usage,
        algorithm: algorithm(cipher),
        bits: 128,
        mode,
        export: KeyExport::Trusted,
    })))?;
    let exported = new_key(machine.execute(&Request::ExportKey {
        kek: zmk.block(),
        key: made.block.block(),
    }))?;
    Ok(Shared {
        under_master: entry(&made),
        under_zone_master: entry(&exported),
    })
}

fn new_key(answer: Result<Response, Refusal>) -> Result<NewKey, Refusal> {
    match answer? {
        Response::GenerateKey(key) | Response::ExportKey(key) => Ok(key),
        _ => Err(Status::InternalFault.into()),
    }
}

fn entry(key: &NewKey) -> KeyEntry {
    KeyEntry {
        block: key.block.as_str().into(),
        check_value: key.check_value.to_string(),
    }
}

fn algorithm(cipher: Cipher) -> KeyAlgorithm {
    match cipher {
        Cipher::Tdes => KeyAlgorithm::Tdes,
        Cipher::Aes => KeyAlgorithm::Aes,
    }
}

/// Where the switch's side of all participants is.
pub fn switch_file(dir: &Path) -> PathBuf {
    dir.join("keys").join("switch.toml")
}

/// Where one bank's side is.
pub fn bank_file(dir: &Path, code: &str) -> PathBuf {
    dir.join("keys").join(format!("{code}.toml"))
}

/// Makes the keys of the participants and writes both sides below `dir/keys`, mode 0600. Keys that a participant had
/// before are replaced; other participants keep theirs.
///
/// # Errors
/// [`CeremonyError`]; nothing is written unless all keys could be made.
pub fn hold<V: Vault>(
    machine: &mut Machine<V>,
    dir: &Path,
    codes: &[String],
    kinds: KeyKinds,
) -> Result<(), CeremonyError> {
    let path = switch_file(dir);
    let mut switch = match fs::read_to_string(&path) {
        Ok(text) => {
            SwitchKeyFile::parse(&text).map_err(|text| CeremonyError::File(path.clone(), text))?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => SwitchKeyFile::default(),
        Err(error) => return Err(file_error(&path, &error)),
    };
    let mut banks = Vec::with_capacity(codes.len());
    for code in codes {
        let (keys, bank) = make_keys(machine, code, kinds)?;
        switch.participants.retain(|old| old.code != *code);
        switch.participants.push(keys);
        banks.push(bank);
    }
    let folder = dir.join("keys");
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(&folder)
        .map_err(|error| file_error(&folder, &error))?;
    for bank in &banks {
        write_private(&bank_file(dir, &bank.code), &to_toml(bank)?)?;
    }
    write_private(&path, &to_toml(&switch)?)
}

fn to_toml(value: &impl serde::Serialize) -> Result<Zeroizing<String>, CeremonyError> {
    toml::to_string(value)
        .map(Zeroizing::new)
        .map_err(|error| CeremonyError::File("key file".into(), error.to_string()))
}

/// Replaces a file as a whole; only its owner may read it.
fn write_private(path: &Path, text: &str) -> Result<(), CeremonyError> {
    let beside = path.with_extension("toml.new");
    let write = || {
        // A leftover of an earlier run may have other rights.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| file_error(path, &error))
}

fn file_error(path: &Path, error: &std::io::Error) -> CeremonyError {
    CeremonyError::File(path.into(), error.to_string())
}

impl From<Refusal> for CeremonyError {
    fn from(refusal: Refusal) -> CeremonyError {
        CeremonyError::Refused(refusal)
    }
}

impl fmt::Display for CeremonyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CeremonyError::Code(code) => write!(
                f,
                "`{code}` is no participant code: 1 to {CODE_CHARS_MAX} letters, digits, `-` or `_`"
            ),
            CeremonyError::Refused(Refusal::Status(status)) => f.write_str(status.text()),
            CeremonyError::Refused(Refusal::Fault(fault)) => fault.fmt(f),
            CeremonyError::File(path, text) => write!(f, "{}: {text}", path.display()),
        }
    }
}

impl std::error::Error for CeremonyError {}

#[cfg(test)]
mod tests;
