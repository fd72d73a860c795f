//! What a key ceremony leaves behind: a file for the switch, and one for each bank.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::tr31::ClearKey;

/// A key block and the check value of the key in it, as upper-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The TR-31 key block.
    pub block: String,
    /// 6 or 10 hexadecimal digits.
    pub check_value: String,
}

/// `keys/switch.toml`: the keys of all participants, under the HSM's master key. It tells nothing without the HSM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchKeyFile {
    /// One entry a participant, in the order of the ceremonies.
    #[serde(default, rename = "participant")]
    pub participants: Vec<ParticipantKeys>,
}

/// The keys that the switch shares with one participant, each under the HSM's master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParticipantKeys {
    /// The participant's code.
    pub code: String,
    /// The zone master key, usage K1: protects zone keys on their way.
    pub zmk: KeyEntry,
    /// The zone PIN key, usage P0.
    pub zpk: KeyEntry,
    /// The zone MAC key, usage M3 or M6.
    pub zak: KeyEntry,
    /// The participant's PIN verification key, usage V2, for verification on its behalf.
    pub pvk: Option<KeyEntry>,
}

/// `keys/CODE.toml`: what one bank gets. **It holds the zone master key in clear**, which only a laboratory does: a real
/// one travels in components, each with its own custodian.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankKeyFile {
    /// The participant's code.
    pub code: String,
    /// `AES` or `TDES`.
    pub zmk_algorithm: String,
    zmk: String,
    /// The check value of the zone master key.
    pub zmk_check_value: String,
    /// The zone PIN key under the zone master key.
    pub zpk: KeyEntry,
    /// The zone MAC key under the zone master key.
    pub zak: KeyEntry,
    /// The PIN verification key under the zone master key.
    pub pvk: Option<KeyEntry>,
}

impl SwitchKeyFile {
    /// Reads the file's text.
    ///
    /// # Errors
    /// It is no such file; the text says where and why.
    pub fn parse(text: &str) -> Result<SwitchKeyFile, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    /// The keys of one participant.
    pub fn participant(&self, code: &str) -> Option<&ParticipantKeys> {
        self.participants.iter().find(|keys| keys.code == code)
    }
}

impl BankKeyFile {
    /// Reads the file's text.
    ///
    /// # Errors
    /// It is no such file; the text names the line and quotes nothing of it, since the file holds a key.
    pub fn parse(text: &str) -> Result<BankKeyFile, String> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.as_bytes().get(..start).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            format!("line {line}: this is no key file of `torap hsm-sim keys`")
        })
    }

    pub(crate) fn with_zmk(mut self, zmk: &ClearKey) -> BankKeyFile {
        self.zmk.zeroize();
        self.zmk = zmk
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        self
    }

    pub(crate) fn new(
        code: &str,
        zmk_algorithm: &str,
        zmk_check_value: String,
        keys: [KeyEntry; 3],
    ) -> BankKeyFile {
        let [zpk, zak, pvk] = keys;
        BankKeyFile {
            code: code.into(),
            zmk_algorithm: zmk_algorithm.into(),
            zmk: String::new(),
            zmk_check_value,
            zpk,
            zak,
            pvk: Some(pvk),
        }
    }

    pub(crate) fn zmk(&self) -> Option<ClearKey> {
        let digits = self.zmk.as_bytes();
        if !digits.len().is_multiple_of(2) {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let bytes: Option<Vec<u8>> = digits
            .chunks_exact(2)
            .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
            .collect();
        ClearKey::new(&Zeroizing::new(bytes?))
    }
}

impl Drop for BankKeyFile {
    fn drop(&mut self) {
        self.zmk.zeroize();
    }
}

impl fmt::Debug for BankKeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BankKeyFile")
            .field("code", &self.code)
            .field("zmk_check_value", &self.zmk_check_value)
            .field("zpk", &self.zpk)
            .field("zak", &self.zak)
            .field("pvk", &self.pvk)
            .finish_non_exhaustive()
    }
}
