//! Text to fields, strictly: shape first, then the CRC, then every field this version knows.

use super::crc::crc16;
use super::error::{QrError, QrRule, TagPath};
use super::tlv::{Field, split};
use super::{
    Initiation, LanguageTemplate, Level, MerchantAccount, QR_AMOUNT_MINOR_MAX, QR_CHARACTERS_MAX,
    QR_CITY_CHARACTERS_MAX, QR_NAME_CHARACTERS_MAX, QR_SCHEME, QrFields, UnknownField, encode,
};
use crate::bic::Bic;
use crate::digits::number;
use crate::iban::Iban;
use crate::ids::QrId;
use crate::iin::IinBin;
use crate::money::{Asset, Money};
use crate::text::Text;
use crate::time::{Span, Time};

/// Longest amount, in characters (EMVCo, table 3.3). Leading zeros count.
const AMOUNT_CHARACTERS_MAX: usize = 13;

pub(super) fn decode(text: &str) -> Result<QrFields, QrError> {
    if text
        .chars()
        .take(QR_CHARACTERS_MAX.saturating_add(1))
        .count()
        > QR_CHARACTERS_MAX
    {
        return Err(QrError::whole(QrRule::TooLong));
    }
    let fields = split(TagPath::WHOLE, text, 0)?;
    check_frame(text, &fields)?;
    let mut root = Fields {
        path: TagPath::WHOLE,
        rest: fields,
    };
    root.optional(0);
    root.optional(63);
    let initiation = initiation(&mut root)?;
    let account = root.scheme_template(26, 51)?.ok_or(QrError::at(
        TagPath::root(26),
        0,
        QrRule::SchemeMissing,
    ))?;
    let order = root.scheme_template(80, 99)?;
    let mut unknown = Vec::new();
    let merchant = merchant(account, &mut unknown)?;
    let mcc = mcc(&root.required(52)?)?;
    root.constant(53, "398", QrRule::Currency)?;
    let amount = root.optional(54).map(|field| amount(&field)).transpose()?;
    root.constant(58, "KZ", QrRule::Country)?;
    let name = name(&root.required(59)?)?;
    let city = city(&root.required(60)?)?;
    let language = root
        .optional(64)
        .map(|field| language(&field, &mut unknown))
        .transpose()?;
    let (id, expiry) = match order {
        Some(order) => order_fields(order, &mut unknown)?,
        None => (None, None),
    };
    root.into_unknown(Level::Root, &mut unknown);
    unknown.sort_by_key(|field| (field.level, field.tag));
    let fields = QrFields {
        initiation,
        merchant,
        mcc,
        amount,
        name,
        city,
        language,
        id,
        expiry,
        unknown,
    };
    check_completeness(&fields)?;
    Ok(fields)
}

/// Format indicator first, CRC last and right.
fn check_frame(text: &str, fields: &[Field<'_>]) -> Result<(), QrError> {
    match fields.first() {
        Some(first) if first.tag == 0 && first.value == "01" => {}
        _ => return Err(QrError::at(TagPath::root(0), 0, QrRule::FormatFirst)),
    }
    let crc = match fields.last() {
        Some(last) if last.tag == 63 && last.value.len() == 4 => last,
        _ => {
            return Err(QrError::at(
                TagPath::root(63),
                text.chars().count(),
                QrRule::CrcLast,
            ));
        }
    };
    let covered = text.strip_suffix(crc.value).unwrap_or_default();
    if crc.value != format!("{:04X}", crc16(covered.as_bytes())) {
        return Err(crc.error(QrRule::CrcMismatch));
    }
    Ok(())
}

fn check_completeness(fields: &QrFields) -> Result<(), QrError> {
    let missing = |path: TagPath, rule: QrRule| Err(QrError::at(path, 0, rule));
    let order = TagPath::root(80);
    match fields.initiation {
        Initiation::Dynamic if fields.amount.is_none() => {
            missing(TagPath::root(54), QrRule::DynamicIncomplete)
        }
        Initiation::Dynamic if fields.id.is_none() => {
            missing(order.child(1), QrRule::DynamicIncomplete)
        }
        Initiation::Dynamic if fields.expiry.is_none() => {
            missing(order.child(2), QrRule::DynamicIncomplete)
        }
        Initiation::Static if fields.expiry.is_some() && fields.id.is_none() => {
            missing(order.child(1), QrRule::ExpiryWithoutIdentifier)
        }
        Initiation::Dynamic | Initiation::Static => Ok(()),
    }
}

/// The fields of one level that were not yet read.
struct Fields<'a> {
    path: TagPath,
    rest: Vec<Field<'a>>,
}

impl<'a> Fields<'a> {
    fn inside(field: &Field<'a>) -> Result<Fields<'a>, QrError> {
        Ok(Fields {
            path: field.path,
            rest: split(field.path, field.value, field.offset)?,
        })
    }

    fn optional(&mut self, tag: u8) -> Option<Field<'a>> {
        let place = self.rest.iter().position(|field| field.tag == tag)?;
        Some(self.rest.remove(place))
    }

    fn required(&mut self, tag: u8) -> Result<Field<'a>, QrError> {
        let missing = QrError::at(self.path.child(tag), 0, QrRule::Missing);
        self.optional(tag).ok_or(missing)
    }

    fn constant(&mut self, tag: u8, value: &str, rule: QrRule) -> Result<(), QrError> {
        let field = self.required(tag)?;
        if field.value == value {
            Ok(())
        } else {
            Err(field.error(rule))
        }
    }

    /// Takes out the one template from `first` to `last` whose sub-tag 00 is our scheme. A template of another scheme
    /// need not even split into fields.
    fn scheme_template(&mut self, first: u8, last: u8) -> Result<Option<Fields<'a>>, QrError> {
        let opening = format!("00{:02}{QR_SCHEME}", QR_SCHEME.len());
        let ours = |field: &Field<'_>| {
            (first..=last).contains(&field.tag) && field.value.starts_with(&opening)
        };
        let Some(place) = self.rest.iter().position(ours) else {
            return Ok(None);
        };
        let template = self.rest.remove(place);
        if let Some(second) = self.rest.iter().find(|field| ours(field)) {
            return Err(second.error(QrRule::SchemeTwice));
        }
        let mut fields = Fields::inside(&template)?;
        fields.optional(0);
        Ok(Some(fields))
    }

    fn into_unknown(self, level: Level, unknown: &mut Vec<UnknownField>) {
        unknown.extend(self.rest.iter().map(|field| UnknownField {
            level,
            tag: field.tag,
            value: field.value.to_owned(),
        }));
    }
}

fn initiation(root: &mut Fields<'_>) -> Result<Initiation, QrError> {
    // EMVCo 4.7.1: a code without tag 01 is static.
    let Some(field) = root.optional(1) else {
        return Ok(Initiation::Static);
    };
    [Initiation::Static, Initiation::Dynamic]
        .into_iter()
        .find(|initiation| encode::initiation_code(*initiation) == field.value)
        .ok_or(field.error(QrRule::Initiation))
}

fn merchant(
    mut account: Fields<'_>,
    unknown: &mut Vec<UnknownField>,
) -> Result<MerchantAccount, QrError> {
    let bank = account.required(1)?;
    let iban = account.required(2)?;
    let merchant_id = account.required(3)?;
    let bin = account.optional(4);
    account.into_unknown(Level::Account, unknown);
    if !merchant_id
        .value
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~'))
    {
        return Err(merchant_id.error(QrRule::Characters));
    }
    Ok(MerchantAccount {
        bank: Bic::parse(bank.value).map_err(|_| bank.error(QrRule::Bank))?,
        iban: Iban::parse(iban.value).map_err(|_| iban.error(QrRule::Iban))?,
        merchant_id: Text::try_from(merchant_id.value)
            .map_err(|_| merchant_id.error(QrRule::ValueLength))?,
        bin: bin
            .map(|bin| IinBin::parse(bin.value).map_err(|_| bin.error(QrRule::Bin)))
            .transpose()?,
    })
}

fn order_fields(
    mut order: Fields<'_>,
    unknown: &mut Vec<UnknownField>,
) -> Result<(Option<QrId>, Option<Time>), QrError> {
    let id = order.optional(1);
    let expiry = order.optional(2);
    order.into_unknown(Level::Order, unknown);
    let id = id
        .map(|id| QrId::parse(id.value).map_err(|_| id.error(QrRule::Identifier)))
        .transpose()?;
    Ok((id, expiry.map(|expiry| expiry_time(&expiry)).transpose()?))
}

fn expiry_time(field: &Field<'_>) -> Result<Time, QrError> {
    let seconds =
        number(field.value.as_bytes()).filter(|seconds| seconds.to_string() == field.value);
    let latest = Time::MAX.saturating_since(Time::EPOCH).secs();
    match seconds {
        Some(seconds) if seconds <= latest => {
            Ok(Time::EPOCH.saturating_add(Span::from_secs(seconds)))
        }
        _ => Err(field.error(QrRule::Expiry)),
    }
}

fn mcc(field: &Field<'_>) -> Result<u16, QrError> {
    let value = number(field.value.as_bytes()).filter(|_| field.value.len() == 4);
    value
        .and_then(|value| u16::try_from(value).ok())
        .ok_or(field.error(QrRule::Mcc))
}

fn amount(field: &Field<'_>) -> Result<Money, QrError> {
    match Money::parse(field.value, Asset::Kzt) {
        Ok(amount)
            if (1..=QR_AMOUNT_MINOR_MAX).contains(&amount.minor())
                && field.value.len() <= AMOUNT_CHARACTERS_MAX =>
        {
            Ok(amount)
        }
        _ => Err(field.error(QrRule::Amount)),
    }
}

fn language(
    field: &Field<'_>,
    unknown: &mut Vec<UnknownField>,
) -> Result<LanguageTemplate, QrError> {
    let mut template = Fields::inside(field)?;
    let code = template.required(0)?;
    let localised_name = name(&template.required(1)?)?;
    let localised_city = template.optional(2).map(|field| city(&field)).transpose()?;
    template.into_unknown(Level::Language, unknown);
    let language = Text::try_from(code.value).ok();
    let language = language
        .filter(|text| text.len() == 2 && text.as_bytes().iter().all(u8::is_ascii_lowercase));
    Ok(LanguageTemplate {
        language: language.ok_or(code.error(QrRule::Language))?,
        name: localised_name,
        city: localised_city,
    })
}

fn name(field: &Field<'_>) -> Result<String, QrError> {
    limited(field, QR_NAME_CHARACTERS_MAX)
}

fn city(field: &Field<'_>) -> Result<String, QrError> {
    limited(field, QR_CITY_CHARACTERS_MAX)
}

fn limited(field: &Field<'_>, characters_max: usize) -> Result<String, QrError> {
    if field.value.chars().count() > characters_max {
        return Err(field.error(QrRule::ValueLength));
    }
    Ok(field.value.to_owned())
}
