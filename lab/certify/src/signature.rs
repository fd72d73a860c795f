//! The operator's signature on a report: Ed25519 (RFC 8032).
//!
//! The file is one JSON object. What is signed are the bytes of `report` as JSON without blanks, members of objects in the order of
//! their names.
//! ```text
//! { "report": { … }, "signature": { "algorithm": "Ed25519", "public_key": "64 hex digits", "value": "128 hex digits" } }
//! ```

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::Report;

const ALGORITHM: &str = "Ed25519";

/// The operator's key.
pub struct Key(Ed25519KeyPair);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    algorithm: String,
    public_key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    report: Value,
    signature: Signature,
}

impl Key {
    /// A fresh key as PKCS#8, to be kept where only the operator reads.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Vec<u8>, String> {
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map(|document| document.as_ref().to_vec())
            .map_err(|_| "the system gives no randomness".into())
    }

    /// Reads a key.
    ///
    /// # Errors
    /// It is none.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Key, String> {
        Ed25519KeyPair::from_pkcs8(bytes)
            .map(Key)
            .map_err(|error| format!("no Ed25519 key in PKCS#8: {error}"))
    }

    /// As hexadecimal digits, to be handed out.
    pub fn public(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    /// The signed report as text.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn sign(&self, report: &Report) -> Result<String, String> {
        let report = serde_json::to_value(report).map_err(|error| error.to_string())?;
        let value = self.0.sign(report.to_string().as_bytes());
        let signature = Signature {
            algorithm: ALGORITHM.into(),
            public_key: self.public(),
            value: hex(value.as_ref()),
        };
        let signed = serde_json::json!({ "report": report, "signature": signature });
        serde_json::to_string_pretty(&signed).map_err(|error| error.to_string())
    }
}

/// Checks a signed report. With `public_key` only that key counts; without it the file's own, which proves that nothing was changed but
/// not by whom it was signed. Gives the report and the key's hexadecimal digits.
///
/// # Errors
/// It is no report, or the signature does not hold; the text says which.
pub fn verify(text: &str, public_key: Option<&str>) -> Result<(Report, String), String> {
    let signed: Signed = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Signature {
        algorithm,
        public_key: own,
        value,
    } = signed.signature;
    if algorithm != ALGORITHM {
        return Err(format!(
            "signature.algorithm: `{algorithm}` is not {ALGORITHM}"
        ));
    }
    if public_key.is_some_and(|expected| !expected.trim().eq_ignore_ascii_case(&own)) {
        return Err("signature.public_key: signed by another key".into());
    }
    let key = from_hex(&own).ok_or("signature.public_key: not hexadecimal")?;
    let value = from_hex(&value).ok_or("signature.value: not hexadecimal")?;
    UnparsedPublicKey::new(&ED25519, key)
        .verify(signed.report.to_string().as_bytes(), &value)
        .map_err(|_| "signature.value: does not hold; the report was changed".to_string())?;
    let report = serde_json::from_value(signed.report);
    let report = report.map_err(|error| format!("report: {error}"))?;
    Ok((report, own))
}

/// SHA-256 as hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Pairs of hexadecimal digits as bytes.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    let bytes = digits.chunks(2);
    Some(
        bytes
            .map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit))
            .collect(),
    )
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> (Key, String) {
        let key = Key::from_pkcs8(&Key::generate().unwrap()).unwrap();
        let times = ("begin".to_string(), "end".to_string());
        let report = Report::new("HSBK", "card", "catalogue", times, Vec::new());
        let text = key.sign(&report).unwrap();
        (key, text)
    }

    #[test]
    fn a_signed_report_holds_and_names_its_key() {
        let (key, text) = signed();
        let (report, by) = verify(&text, None).unwrap();
        assert_eq!(report.participant, "HSBK");
        assert_eq!(by, key.public());
        assert!(verify(&text, Some(&key.public().to_uppercase())).is_ok());
    }

    #[test]
    fn blanks_change_nothing() {
        let (_, text) = signed();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(verify(&value.to_string(), None).is_ok());
    }

    #[test]
    fn any_change_is_found() {
        let (_, text) = signed();
        for (from, to) in [
            ("HSBK", "HSBX"),
            ("\"failed\": 0", "\"failed\": 1"),
            ("\"card\"", "\"cash\""),
        ] {
            assert!(text.contains(from), "{from}");
            let refused = verify(&text.replacen(from, to, 1), None).unwrap_err();
            assert!(refused.contains("does not hold"), "{refused}");
        }
    }

    #[test]
    fn another_key_is_found() {
        let (_, text) = signed();
        let (other, _) = signed();
        let refused = verify(&text, Some(&other.public())).unwrap_err();
        assert!(refused.contains("another key"), "{refused}");
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for text in ["", "{}", "[]", "{\"report\":{},\"signature\":{}}"] {
            assert!(verify(text, None).is_err(), "{text}");
        }
        assert!(Key::from_pkcs8(b"no key").is_err());
    }
}
