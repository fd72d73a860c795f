//! Merchant-presented QR codes: EMV QR Code Specification for Payment Systems, Merchant-Presented Mode 1.1, with the
//! scheme's own templates. `docs/qr.md` has the layout and the sub-tags.
//!
//! A code is read once into [`QrCode`], which cannot hold a value that does not encode. What this version does not
//! know is carried along and written back. Nothing here knows whether a code was paid; that is the engine's state.

mod crc;
mod decode;
mod encode;
mod error;
mod tlv;

pub use crc::crc16;
pub use error::{QrError, QrRule, TagPath};

use crate::bic::Bic;
use crate::iban::Iban;
use crate::ids::QrId;
use crate::iin::IinBin;
use crate::money::Money;
use crate::text::Text;
use crate::time::{Span, Time};

/// Longest code, in characters (EMVCo, section 4.1 recommends no more).
pub const QR_CHARACTERS_MAX: usize = 512;
/// Longest merchant name, in characters.
pub const QR_NAME_CHARACTERS_MAX: usize = 25;
/// Longest merchant city, in characters.
pub const QR_CITY_CHARACTERS_MAX: usize = 15;
/// Largest amount, in tiyn: with its point and two decimals it takes the 13 characters of tag 54.
pub const QR_AMOUNT_MINOR_MAX: u64 = 999_999_999_999;
/// Identifier of the scheme in sub-tag 00 of its templates.
pub const QR_SCHEME: &str = "kz.torap.qr";

/// How often a code is meant to be paid (tag 01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Initiation {
    /// Shown many times, paid many times; the payer may enter the amount.
    Static,
    /// Made for one purchase: has an amount, an identifier and an expiry, and is paid once.
    Dynamic,
}

/// Where the merchant is paid (account template, tags 26 to 51).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MerchantAccount {
    /// The merchant's bank.
    pub bank: Bic,
    /// The merchant's account.
    pub iban: Iban,
    /// The merchant's identifier at its bank: 1 to 15 printable ASCII characters.
    pub merchant_id: Text<15>,
    /// The merchant's BIN or IIN.
    pub bin: Option<IinBin>,
}

/// Name and city in another language, usually in Cyrillic letters (tag 64).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LanguageTemplate {
    /// ISO 639-1 code, two lower-case letters: `kk`, `ru`.
    pub language: Text<2>,
    /// The merchant's name, 1 to 25 characters.
    pub name: String,
    /// The merchant's city, 1 to 15 characters.
    pub city: Option<String>,
}

/// Which level of the code a field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The code itself.
    Root,
    /// The scheme's account template (tags 26 to 51).
    Account,
    /// The language template (tag 64).
    Language,
    /// The scheme's order template (tags 80 to 99).
    Order,
}

/// A field this version does not know, carried along as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnknownField {
    /// Where the field stands.
    pub level: Level,
    /// Its tag, 0 to 99.
    pub tag: u8,
    /// Its value, 1 to 99 characters.
    pub value: String,
}

/// The content of a code, field by field. [`QrCode::new`] checks it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QrFields {
    /// Static or dynamic.
    pub initiation: Initiation,
    /// Where the merchant is paid.
    pub merchant: MerchantAccount,
    /// Merchant category code (ISO 18245), 0 to 9999.
    pub mcc: u16,
    /// The amount in tenge, not zero; a dynamic code has one.
    pub amount: Option<Money>,
    /// The merchant's name, 1 to 25 characters.
    pub name: String,
    /// The merchant's city, 1 to 15 characters.
    pub city: String,
    /// Name and city in another language.
    pub language: Option<LanguageTemplate>,
    /// Identifier of the code; a dynamic code has one.
    pub id: Option<QrId>,
    /// Until when the code may be paid, in whole seconds; a dynamic code has one.
    pub expiry: Option<Time>,
    /// Fields this version does not know, by level and tag.
    pub unknown: Vec<UnknownField>,
}

/// A code that is right: what it holds can be encoded, and encoding and decoding gives the same again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QrCode {
    fields: QrFields,
}

impl QrCode {
    /// Checks the fields by encoding and decoding them; the error names the tag and the rule. An expiry is cut to
    /// whole seconds, unknown fields are put in order.
    pub fn new(mut fields: QrFields) -> Result<QrCode, QrError> {
        fields.expiry = fields.expiry.map(whole_seconds);
        fields.unknown.sort_by_key(|field| (field.level, field.tag));
        let code = QrCode::decode(&encode::encode(&fields)?)?;
        if code.fields == fields {
            Ok(code)
        } else {
            Err(QrError::whole(QrRule::NotReproducible))
        }
    }

    /// A code that is paid many times. With no amount, the payer enters it.
    pub fn new_static(
        merchant: MerchantAccount,
        mcc: u16,
        name: &str,
        city: &str,
        amount: Option<Money>,
    ) -> Result<QrCode, QrError> {
        QrCode::new(QrFields {
            amount,
            ..bare_fields(Initiation::Static, merchant, mcc, name, city)
        })
    }

    /// A code for one purchase.
    pub fn new_dynamic(
        merchant: MerchantAccount,
        mcc: u16,
        name: &str,
        city: &str,
        order: (QrId, Money, Time),
    ) -> Result<QrCode, QrError> {
        let (id, amount, expiry) = order;
        QrCode::new(QrFields {
            amount: Some(amount),
            id: Some(id),
            expiry: Some(expiry),
            ..bare_fields(Initiation::Dynamic, merchant, mcc, name, city)
        })
    }

    /// Reads a code. Everything is checked: shape, order, CRC, and every field this version knows.
    ///
    /// ```
    /// use torap_domain::qr::{MerchantAccount, QrCode};
    /// use torap_domain::{Bic, Iban, Text};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let merchant = MerchantAccount {
    ///     bank: Bic::parse("CASPKZKA")?,
    ///     iban: Iban::parse("KZ86125KZT5004100100")?,
    ///     merchant_id: Text::try_from("M-0001")?,
    ///     bin: None,
    /// };
    /// let code = QrCode::new_static(merchant, 5411, "Дүкен", "Алматы", None)?;
    /// assert_eq!(QrCode::decode(&code.encode())?, code);
    /// # Ok(())
    /// # }
    /// ```
    pub fn decode(text: &str) -> Result<QrCode, QrError> {
        let fields = decode::decode(text)?;
        // What was written more briefly than we write it (an amount without decimals) must still fit when written back.
        encode::encode(&fields)?;
        Ok(QrCode { fields })
    }

    /// Writes the code, tags in rising order, the CRC last.
    pub fn encode(&self) -> String {
        // Both constructors have encoded these very fields.
        encode::encode(&self.fields).unwrap_or_default()
    }

    /// What the code holds.
    pub fn fields(&self) -> &QrFields {
        &self.fields
    }
}

fn bare_fields(
    initiation: Initiation,
    merchant: MerchantAccount,
    mcc: u16,
    name: &str,
    city: &str,
) -> QrFields {
    QrFields {
        initiation,
        merchant,
        mcc,
        amount: None,
        name: name.to_owned(),
        city: city.to_owned(),
        language: None,
        id: None,
        expiry: None,
        unknown: Vec::new(),
    }
}

fn whole_seconds(time: Time) -> Time {
    Time::EPOCH.saturating_add(Span::from_secs(time.saturating_since(Time::EPOCH).secs()))
}

#[cfg(test)]
mod tests;
