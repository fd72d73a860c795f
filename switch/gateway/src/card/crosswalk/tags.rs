//! DE48 of the national dialect: tags of two characters, lengths of two digits.

use std::ops::Range;

use torap_iso8583::Mti;

use super::values::Values;

/// A tag where it stands in the field.
pub(super) struct Tag<'v> {
    pub(super) name: &'v [u8],
    pub(super) value: &'v [u8],
    /// Name, length and value.
    pub(super) whole: Range<usize>,
}

/// The tags up to the end of the field, or to what is none.
pub(super) fn tags(field: &[u8]) -> impl Iterator<Item = Tag<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let name = field.get(at..at + 2)?;
        let &[tens, ones] = field.get(at + 2..at + 4)? else {
            return None;
        };
        let digit = |byte: u8| byte.is_ascii_digit().then(|| usize::from(byte - b'0'));
        let end = at + 4 + digit(tens)? * 10 + digit(ones)?;
        let value = field.get(at + 4..end)?;
        let whole = at..end;
        at = end;
        Some(Tag { name, value, whole })
    })
}

/// The value of a tag.
pub(super) fn tag<'v>(field: &'v [u8], name: &[u8; 2]) -> Option<&'v [u8]> {
    tags(field)
        .find(|tag| tag.name == name)
        .map(|tag| tag.value)
}

/// Takes the tags of one name out of a field.
pub(super) fn without(field: &[u8], name: &[u8; 2]) -> Vec<u8> {
    let mut rest = Vec::with_capacity(field.len());
    let mut from = 0;
    for tag in tags(field).filter(|tag| tag.name == name) {
        rest.extend_from_slice(field.get(from..tag.whole.start).unwrap_or_default());
        from = tag.whole.end;
    }
    rest.extend_from_slice(field.get(from..).unwrap_or_default());
    rest
}

/// Tells the channel (tag CH) of a transaction whose sender does not: by the entry mode, and the merchant category.
pub(super) fn add_channel(mti: Mti, values: &mut Values) {
    let is_asked = matches!(mti.class(), 1 | 2) && !mti.is_answer();
    let told = values.get(48).and_then(|field| tag(field, b"CH"));
    if !is_asked || told.is_some() {
        return;
    }
    let channel: &[u8] = match (values.get(22), values.get(18)) {
        (Some([b'8', b'1', ..]), _) => b"WEB",
        (Some([b'8', b'2', ..]), _) => b"MOB",
        (_, Some(b"6011")) => b"ATM",
        (_, Some(b"6010")) => b"BRN",
        _ => b"POS",
    };
    let before = values.get(48).unwrap_or_default().to_vec();
    values.set(48, 48, &[&before, b"CH03", channel]);
}
