//! What an HSM answers when it has done what it was asked.

use std::fmt;

use crate::key::CheckValue;
use crate::key_block::KeyRef;
use crate::mac::Mac;
use crate::pin::PinBlock;
use crate::request::Command;

/// Whether what was tried is right. A wrong PIN or MAC is an answer, not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
}

/// Who the HSM is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Maker, model and version, for a human; at most 64 bytes.
    pub name: String,
    /// The check value of its master key: another one means that none of the key blocks held will work.
    pub master_key: CheckValue,
    /// Most requests that it takes at a time on one connection.
    pub in_flight_max: u32,
}

/// A key block that the HSM has made, and the check value of the key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The block: under the master key, or under the key encryption key for an export.
    pub block: KeyRef,
    /// What the other side reads out on the telephone.
    pub check_value: CheckValue,
}

/// The answer to a request that was done. `Debug` shows what is not secret.
#[derive(Clone)]
pub enum Response {
    /// The bytes of the echo.
    Echo(Vec<u8>),
    /// Who it is.
    Diagnose(Diagnosis),
    /// The PIN block for the target.
    TranslatePin(PinBlock),
    /// Whether the PIN is right.
    VerifyPin(Verdict),
    /// The whole MAC, 8 or 16 bytes.
    GenerateMac(Mac),
    /// Whether the MAC is right.
    VerifyMac(Verdict),
    /// The key under the master key.
    ImportKey(NewKey),
    /// The key under the key encryption key.
    ExportKey(NewKey),
    /// The new key under the master key.
    GenerateKey(NewKey),
    /// The key's check value.
    CheckKey(CheckValue),
}

impl Response {
    /// The command that this answers.
    pub fn command(&self) -> Command {
        match self {
            Response::Echo(_) => Command::Echo,
            Response::Diagnose(_) => Command::Diagnose,
            Response::TranslatePin(_) => Command::TranslatePin,
            Response::VerifyPin(_) => Command::VerifyPin,
            Response::GenerateMac(_) => Command::GenerateMac,
            Response::VerifyMac(_) => Command::VerifyMac,
            Response::ImportKey(_) => Command::ImportKey,
            Response::ExportKey(_) => Command::ExportKey,
            Response::GenerateKey(_) => Command::GenerateKey,
            Response::CheckKey(_) => Command::CheckKey,
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Response::Echo(data) => write!(f, "Echo({} bytes)", data.len()),
            Response::Diagnose(diagnosis) => diagnosis.fmt(f),
            Response::TranslatePin(block) => f.debug_tuple("TranslatePin").field(block).finish(),
            Response::VerifyPin(verdict) => f.debug_tuple("VerifyPin").field(verdict).finish(),
            Response::GenerateMac(mac) => f.debug_tuple("GenerateMac").field(mac).finish(),
            Response::VerifyMac(verdict) => f.debug_tuple("VerifyMac").field(verdict).finish(),
            Response::ImportKey(key) => f.debug_tuple("ImportKey").field(key).finish(),
            Response::ExportKey(key) => f.debug_tuple("ExportKey").field(key).finish(),
            Response::GenerateKey(key) => f.debug_tuple("GenerateKey").field(key).finish(),
            Response::CheckKey(value) => f.debug_tuple("CheckKey").field(value).finish(),
        }
    }
}
