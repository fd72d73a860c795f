//! Fields to text. The rules on values are those of the decoder; only what cannot be written at all is refused here.

use super::crc::crc16;
use super::error::{QrError, QrRule, TagPath};
use super::tlv::write;
use super::{Initiation, Level, QR_CHARACTERS_MAX, QR_SCHEME, QrFields};
use crate::money::Money;
use crate::time::Time;

pub(super) fn encode(fields: &QrFields) -> Result<String, QrError> {
    let mut root = level(fields, Level::Root);
    let mut add = |tag: u8, value: String| root.push((tag, value));
    add(0, "01".to_owned());
    add(1, initiation_code(fields.initiation).to_owned());
    add(free_tag(fields, 26, 51)?, account(fields)?);
    add(52, format!("{:04}", fields.mcc));
    if let Some(amount) = fields.amount {
        add(53, format!("{:03}", amount.asset().numeric()));
        add(54, decimal(amount));
    } else {
        add(53, "398".to_owned());
    }
    add(58, "KZ".to_owned());
    add(59, fields.name.clone());
    add(60, fields.city.clone());
    if let Some(value) = language(fields)? {
        add(64, value);
    }
    if let Some(value) = order(fields)? {
        add(free_tag(fields, 80, 99)?, value);
    }
    let mut text = join(TagPath::WHOLE, root)?;
    text.push_str("6304");
    let crc = crc16(text.as_bytes());
    text.push_str(&format!("{crc:04X}"));
    if text.chars().count() > QR_CHARACTERS_MAX {
        return Err(QrError::whole(QrRule::TooLong));
    }
    Ok(text)
}

pub(super) const fn initiation_code(initiation: Initiation) -> &'static str {
    match initiation {
        Initiation::Static => "11",
        Initiation::Dynamic => "12",
    }
}

fn account(fields: &QrFields) -> Result<String, QrError> {
    let merchant = &fields.merchant;
    let mut account = level(fields, Level::Account);
    account.push((0, QR_SCHEME.to_owned()));
    account.push((1, merchant.bank.as_str().to_owned()));
    account.push((2, merchant.iban.as_str().to_owned()));
    account.push((3, merchant.merchant_id.as_str().to_owned()));
    if let Some(bin) = merchant.bin {
        account.push((4, bin.to_string()));
    }
    join(TagPath::root(26), account)
}

fn order(fields: &QrFields) -> Result<Option<String>, QrError> {
    let mut order = level(fields, Level::Order);
    order.extend(fields.id.map(|id| (1, id.as_str().to_owned())));
    order.extend(
        fields
            .expiry
            .map(|expiry| (2, expiry.saturating_since(Time::EPOCH).secs().to_string())),
    );
    if order.is_empty() {
        return Ok(None);
    }
    order.push((0, QR_SCHEME.to_owned()));
    join(TagPath::root(80), order).map(Some)
}

fn language(fields: &QrFields) -> Result<Option<String>, QrError> {
    let Some(template) = &fields.language else {
        return Ok(None);
    };
    let mut language = level(fields, Level::Language);
    language.push((0, template.language.as_str().to_owned()));
    language.push((1, template.name.clone()));
    language.extend(template.city.clone().map(|city| (2, city)));
    join(TagPath::root(64), language).map(Some)
}

/// The unknown fields of one level, to which the known ones are added.
fn level(fields: &QrFields, level: Level) -> Vec<(u8, String)> {
    let unknown = fields.unknown.iter().filter(|field| field.level == level);
    unknown
        .map(|field| (field.tag, field.value.clone()))
        .collect()
}

fn join(parent: TagPath, mut fields: Vec<(u8, String)>) -> Result<String, QrError> {
    fields.sort_by_key(|(tag, _)| *tag);
    let mut text = String::new();
    for (tag, value) in &fields {
        write(parent.child(*tag), *tag, value, &mut text)?;
    }
    Ok(text)
}

/// The first tag that no other scheme's template takes.
fn free_tag(fields: &QrFields, first: u8, last: u8) -> Result<u8, QrError> {
    let taken = |tag: &u8| {
        fields
            .unknown
            .iter()
            .any(|field| field.level == Level::Root && field.tag == *tag)
    };
    (first..=last).find(|tag| !taken(tag)).ok_or(QrError::at(
        TagPath::root(first),
        0,
        QrRule::NoTemplateFree,
    ))
}

fn decimal(amount: Money) -> String {
    let mut text = Vec::with_capacity(16);
    amount.write_decimal(&mut text);
    String::from_utf8(text).unwrap_or_default()
}
