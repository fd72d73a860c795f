//! What an HSM can be asked.

use std::fmt;

use crate::key::{KeyAlgorithm, KeyExport, KeyMode, KeyUsage};
use crate::key_block::KeyBlock;
use crate::mac::{Mac, MacMethod};
use crate::pan::Pan;
use crate::pin::{PinBlock, PinFormat, Pvv};

open_enum! {
    /// The number of a request on the wire.
    Command(u16) {
        1 Echo "Answers with the data it was given."
        2 Diagnose "Says who it is, which master key it has and how much it takes at a time."
        10 TranslatePin "Takes a PIN block from one zone key and format to another, for the same PAN."
        11 VerifyPin "Tries the PIN in a PIN block against a PVV."
        20 GenerateMac "Makes a MAC."
        21 VerifyMac "Verifies a MAC."
        30 ImportKey "Takes a key from a key block under a key encryption key to one under the master key."
        31 ExportKey "Takes a key from a key block under the master key to one under a key encryption key."
        32 GenerateKey "Makes a new key under the master key."
        33 CheckKey "Says the check value of a key."
    }
}

impl Command {
    /// The short name used in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Command::Echo => "echo",
            Command::Diagnose => "diagnose",
            Command::TranslatePin => "translate-pin",
            Command::VerifyPin => "verify-pin",
            Command::GenerateMac => "generate-mac",
            Command::VerifyMac => "verify-mac",
            Command::ImportKey => "import-key",
            Command::ExportKey => "export-key",
            Command::GenerateKey => "generate-key",
            Command::CheckKey => "check-key",
            Command::Other(_) => "other",
        }
    }
}

/// Where a PIN block comes from.
#[derive(Debug, Clone)]
pub struct PinSource<'a> {
    /// The zone key of the sender, usage P0, a mode that decrypts.
    pub key: KeyBlock<'a>,
    /// The block's format.
    pub format: PinFormat,
    /// The block, encrypted.
    pub block: PinBlock,
}

/// Where a PIN block goes.
#[derive(Debug, Clone, Copy)]
pub struct PinTarget<'a> {
    /// The zone key of the receiver, usage P0, a mode that encrypts.
    pub key: KeyBlock<'a>,
    /// The format wished.
    pub format: PinFormat,
}

/// What a new key is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// What it is for.
    pub usage: KeyUsage,
    /// Its cipher.
    pub algorithm: KeyAlgorithm,
    /// Its length: 128 or 192 (Triple DES, parity bits counted), 128, 192 or 256 (AES).
    pub bits: u16,
    /// What may be done with it.
    pub mode: KeyMode,
    /// Whether it may leave.
    pub export: KeyExport,
}

/// One request to an HSM. Every key in it is a key block under the HSM's master key, unless said otherwise.
///
/// `Debug` shows the command and what is not secret.
#[derive(Clone)]
pub enum Request<'a> {
    /// Answered with the same bytes, 0 to 64.
    Echo(&'a [u8]),
    /// Answered with a [`Diagnosis`](crate::Diagnosis).
    Diagnose,
    /// Answered with the PIN block for the target. The rule is [`may_translate`](crate::pin::may_translate).
    TranslatePin {
        /// From where.
        from: PinSource<'a>,
        /// To where.
        to: PinTarget<'a>,
        /// The card's number, the same on both sides.
        pan: Pan<'a>,
    },
    /// Answered with a verdict. The format must not be 1: such a block may belong to another card.
    VerifyPin {
        /// The PIN that was entered.
        from: PinSource<'a>,
        /// The card's number.
        pan: Pan<'a>,
        /// The issuer's PIN verification key, usage V2, a mode that verifies.
        pvk: KeyBlock<'a>,
        /// What the issuer has on file.
        pvv: Pvv,
    },
    /// Answered with a whole MAC.
    GenerateMac {
        /// The MAC key, usage M3 or M6 as the method needs, a mode that generates.
        key: KeyBlock<'a>,
        /// How.
        method: MacMethod,
        /// The text, at most 32,768 bytes.
        data: &'a [u8],
    },
    /// Answered with a verdict.
    VerifyMac {
        /// The MAC key, usage M3 or M6 as the method needs, a mode that verifies.
        key: KeyBlock<'a>,
        /// How.
        method: MacMethod,
        /// The text, at most 32,768 bytes.
        data: &'a [u8],
        /// What came with it: the first 8 bytes of the MAC or more.
        mac: Mac,
    },
    /// Answered with a [`NewKey`](crate::NewKey) under the master key.
    ImportKey {
        /// The key encryption key, usage K0 or K1.
        kek: KeyBlock<'a>,
        /// The key, in a key block **under `kek`**.
        block: KeyBlock<'a>,
    },
    /// Answered with a [`NewKey`](crate::NewKey) **under `kek`**.
    ExportKey {
        /// The key encryption key, usage K0 or K1, at least as strong as the key.
        kek: KeyBlock<'a>,
        /// The key.
        key: KeyBlock<'a>,
    },
    /// Answered with a [`NewKey`](crate::NewKey) under the master key.
    GenerateKey(KeySpec),
    /// Answered with the key's check value.
    CheckKey(KeyBlock<'a>),
}

impl Request<'_> {
    /// The number on the wire.
    pub fn command(&self) -> Command {
        match self {
            Request::Echo(_) => Command::Echo,
            Request::Diagnose => Command::Diagnose,
            Request::TranslatePin { .. } => Command::TranslatePin,
            Request::VerifyPin { .. } => Command::VerifyPin,
            Request::GenerateMac { .. } => Command::GenerateMac,
            Request::VerifyMac { .. } => Command::VerifyMac,
            Request::ImportKey { .. } => Command::ImportKey,
            Request::ExportKey { .. } => Command::ExportKey,
            Request::GenerateKey(_) => Command::GenerateKey,
            Request::CheckKey(_) => Command::CheckKey,
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Echo(data) => write!(f, "Echo({} bytes)", data.len()),
            Request::Diagnose => f.write_str("Diagnose"),
            Request::TranslatePin { from, to, pan } => f
                .debug_struct("TranslatePin")
                .field("from", from)
                .field("to", to)
                .field("pan", pan)
                .finish(),
            Request::VerifyPin {
                from,
                pan,
                pvk,
                pvv,
            } => f
                .debug_struct("VerifyPin")
                .field("from", from)
                .field("pan", pan)
                .field("pvk", pvk)
                .field("pvv", pvv)
                .finish(),
            Request::GenerateMac { key, method, data }
            | Request::VerifyMac {
                key, method, data, ..
            } => f
                .debug_struct(self.command().name())
                .field("key", key)
                .field("method", method)
                .field("data_bytes", &data.len())
                .finish(),
            Request::ImportKey { kek, block } => f
                .debug_struct("ImportKey")
                .field("kek", kek)
                .field("block", block)
                .finish(),
            Request::ExportKey { kek, key } => f
                .debug_struct("ExportKey")
                .field("kek", kek)
                .field("key", key)
                .finish(),
            Request::GenerateKey(spec) => f.debug_tuple("GenerateKey").field(spec).finish(),
            Request::CheckKey(key) => f.debug_tuple("CheckKey").field(key).finish(),
        }
    }
}
