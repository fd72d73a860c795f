//! How an HSM says no.

use std::fmt;

open_enum! {
    /// The outcome of a request as the HSM tells it. Numbers are never reused; the table in `docs/hsm.md` is checked
    /// against this one.
    Status(u16) {
        0 Done "Done."
        1 Malformed "A field is missing, given twice, malformed or out of its limits."
        2 UnknownCommand "The command is unknown."
        3 UnsupportedVersion "The protocol version is not spoken."
        4 UnknownField "A field that must be understood is unknown."
        10 KeyBlockInvalid "A key block is damaged, forged or under another key."
        11 KeyUsageRefused "A key's usage is not the one that the command needs."
        12 KeyModeRefused "A key's mode of use forbids what the command does."
        13 KeyAlgorithmRefused "A key's cipher or length does not fit the command."
        14 KeyNotExportable "The key may not leave the HSM."
        15 KeyTooWeak "A key would be protected by a weaker key."
        20 TranslationForbidden "This translation between PIN block formats is not allowed."
        21 PinBlockInvalid "The decrypted PIN block is not of its format, or belongs to another PAN."
        30 Overloaded "The HSM takes no more requests now; nothing was done."
        31 InternalFault "The HSM failed; nothing is known of the request."
    }
}

impl Status {
    /// The short name used in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Status::Done => "done",
            Status::Malformed => "malformed",
            Status::UnknownCommand => "unknown-command",
            Status::UnsupportedVersion => "unsupported-version",
            Status::UnknownField => "unknown-field",
            Status::KeyBlockInvalid => "key-block-invalid",
            Status::KeyUsageRefused => "key-usage-refused",
            Status::KeyModeRefused => "key-mode-refused",
            Status::KeyAlgorithmRefused => "key-algorithm-refused",
            Status::KeyNotExportable => "key-not-exportable",
            Status::KeyTooWeak => "key-too-weak",
            Status::TranslationForbidden => "translation-forbidden",
            Status::PinBlockInvalid => "pin-block-invalid",
            Status::Overloaded => "overloaded",
            Status::InternalFault => "internal-fault",
            Status::Other(_) => "other",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.name())
    }
}
