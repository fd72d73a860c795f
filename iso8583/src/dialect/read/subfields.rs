//! Subfields of structured fields.

use super::{
    code_table, mask,
    place::{Keys, Place, TableError},
    shape::{self, Defaults},
};
use crate::{
    class::Class,
    dialect::{Dialect, Layout, SubfieldRow, TagForm},
    mask::Mask,
    refusal::Key,
    tlv,
    wire::{Encoding, Length, LengthEncoding, Shape},
};

pub(super) fn read(
    root: &Keys<'_>,
    defaults: &Defaults,
    dialect: &mut Dialect,
) -> Result<(), TableError> {
    let Some(place) = root.get("subfields") else {
        return Ok(());
    };
    for (number, place) in place.any_keys()?.all() {
        let row = number.parse().ok().and_then(|number| dialect.field(number));
        let Some((number, shape)) = row.map(|row| (row.number, row.shape)) else {
            return place.wrong("there is no such field");
        };
        let layout = layout(&place, shape, defaults, dialect)?;
        let slot = usize::from(dialect.places[usize::from(number)]) - 1;
        dialect.rows[slot].layout = Some(layout);
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Positions,
    Tags,
    Bitmap,
    Tlv,
}

fn layout(
    place: &Place<'_>,
    shape: Shape,
    defaults: &Defaults,
    dialect: &Dialect,
) -> Result<Layout, TableError> {
    let all = [
        "layout",
        "repeat",
        "tag",
        "binary_tag",
        "length",
        "length_encoding",
        "bits",
        "bitmap",
        "rows",
    ];
    let layout = place.keys(&all)?.need("layout")?;
    let kind = layout.one_of(&[
        ("positions", Kind::Positions),
        ("tags", Kind::Tags),
        ("bitmap", Kind::Bitmap),
        ("tlv", Kind::Tlv),
    ])?;
    // Subfields stand in the field's characters; of packed digits, in the text that they make; of bytes, as fields would.
    let defaults = match shape.encoding {
        Encoding::Binary | Encoding::Hex => defaults.bytes(),
        Encoding::Ebcdic => defaults.within(Encoding::Ebcdic),
        Encoding::Ascii | Encoding::BcdRight | Encoding::BcdLeft => {
            defaults.within(Encoding::Ascii)
        }
    };
    let binary = shape.encoding == Encoding::Binary;
    match kind {
        Kind::Positions => positions(place, shape, &defaults, dialect),
        Kind::Tags | Kind::Bitmap
            if !matches!(
                shape.encoding,
                Encoding::Ascii | Encoding::Ebcdic | Encoding::Binary
            ) =>
        {
            layout.wrong("the field's encoding leaves no room for it")
        }
        Kind::Tags => tags(place, &defaults, binary, dialect),
        Kind::Bitmap => bitmap(place, &defaults, binary, dialect),
        Kind::Tlv if !matches!(shape.encoding, Encoding::Binary | Encoding::Hex) => {
            layout.wrong("BER-TLV stands in a field of type b")
        }
        Kind::Tlv => {
            let keys = place.keys(&["layout", "rows"])?;
            let rows = rows(&keys, &defaults, dialect, Kind::Tlv, &|text| {
                binary_key(text, None)
            })?;
            Ok(Layout::Tlv { rows })
        }
    }
}

fn positions(
    place: &Place<'_>,
    shape: Shape,
    defaults: &Defaults,
    dialect: &Dialect,
) -> Result<Layout, TableError> {
    let keys = place.keys(&["layout", "repeat", "rows"])?;
    let repeat = keys
        .get("repeat")
        .map_or(Ok(false), |place| place.truth())?;
    let rows = rows(&keys, defaults, dialect, Kind::Positions, &number_key)?;
    let total: usize = rows
        .iter()
        .map(|row| row.shape.bytes_of(usize::from(row.shape.length.bounds().1)))
        .sum();
    let ascends = rows
        .iter()
        .zip(1..)
        .all(|(row, number)| row.key == Key::Number(number));
    if !ascends || total == 0 {
        return keys.need("rows")?.wrong("positions are 1, 2, 3 and so on");
    }
    let (min, max) = shape.length.bounds();
    let units = if shape.encoding == Encoding::Hex {
        2
    } else {
        1
    };
    let fits = |length: u16| match repeat {
        true => usize::from(length) % (total * units) == 0,
        false => usize::from(length) == total * units,
    };
    if !fits(min) || !fits(max) {
        return keys.need("rows")?.wrong(format!(
            "positions take {total}, which does not agree with the field's length"
        ));
    }
    Ok(Layout::Positions { rows, repeat })
}

fn tags(
    place: &Place<'_>,
    defaults: &Defaults,
    binary: bool,
    dialect: &Dialect,
) -> Result<Layout, TableError> {
    let keys = place.keys(&[
        "layout",
        "tag",
        "binary_tag",
        "length",
        "length_encoding",
        "rows",
    ])?;
    let length_encoding = match keys.get("length_encoding") {
        None => defaults.length(),
        Some(place) if binary => place.one_of(&[
            ("ascii", LengthEncoding::Ascii),
            ("ebcdic", LengthEncoding::Ebcdic),
            ("bcd", LengthEncoding::Bcd),
            ("binary", LengthEncoding::Binary),
        ])?,
        Some(place) => return place.wrong("goes with a field of type b"),
    };
    let binary_tag = match keys.get("binary_tag") {
        None => false,
        Some(place) if binary => place.truth()?,
        Some(place) => return place.wrong("goes with a field of type b"),
    };
    let form = TagForm {
        tag: keys.need("tag")?.number(1, 4)? as u8,
        binary: binary_tag,
        length: keys.need("length")?.number(1, 4)? as u8,
        length_encoding,
    };
    let key = |text: &str| match form.binary {
        true => binary_key(text, Some(form.tag)),
        false => Key::tag(text.as_bytes()).filter(|_| {
            text.len() == usize::from(form.tag)
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }),
    };
    let rows = rows(&keys, defaults, dialect, Kind::Tags, &key)?;
    Ok(Layout::Tags { form, rows })
}

fn bitmap(
    place: &Place<'_>,
    defaults: &Defaults,
    binary: bool,
    dialect: &Dialect,
) -> Result<Layout, TableError> {
    let keys = place.keys(&["layout", "bits", "bitmap", "rows"])?;
    let bits_place = keys.need("bits")?;
    let bits = bits_place.number(8, 64)? as u8;
    if !bits.is_multiple_of(8) {
        return bits_place.wrong("bits come in eights");
    }
    let hex_place = keys.need("bitmap")?;
    let hex = hex_place.one_of(&[("binary", false), ("hex", true)])?;
    if !hex && !binary {
        return hex_place.wrong("a binary bitmap stands in a field of type b");
    }
    let key = |text: &str| number_key(text).filter(|key| *key <= Key::Number(bits));
    let rows = rows(&keys, defaults, dialect, Kind::Bitmap, &key)?;
    Ok(Layout::Bitmap { bits, hex, rows })
}

fn rows(
    keys: &Keys<'_>,
    defaults: &Defaults,
    dialect: &Dialect,
    kind: Kind,
    key: &dyn Fn(&str) -> Option<Key>,
) -> Result<Vec<SubfieldRow>, TableError> {
    let mut rows: Vec<SubfieldRow> = Vec::new();
    for place in keys.need("rows")?.list()? {
        let keys = place.keys(&[
            "key",
            "name",
            "type",
            "length",
            "encoding",
            "length_encoding",
            "mask",
            "codes",
        ])?;
        let key_place = keys.need("key")?;
        let Some(key) = key(key_place.text()?) else {
            return key_place.wrong("is no key of such subfields");
        };
        let shape = shape::value(&keys, defaults)?;
        let fits = match (kind, shape.length) {
            (Kind::Positions, length) => matches!(length, Length::Fixed(_)),
            (Kind::Bitmap, length) => !matches!(length, Length::Bounded { .. }),
            (Kind::Tags | Kind::Tlv, length) => !matches!(length, Length::Variable { .. }),
        };
        if !fits {
            return keys.need("length")?.wrong("is no length of such subfields");
        }
        if kind == Kind::Tlv && shape.class != Class::Binary {
            return keys.need("type")?.wrong("values of BER-TLV are of type b");
        }
        let row = SubfieldRow {
            key,
            name: keys.need("name")?.text()?.to_owned(),
            shape,
            mask: mask(&keys)?,
            codes: code_table(&keys, dialect)?,
        };
        if row.mask == Mask::Name && kind != Kind::Tlv {
            return keys.need("mask")?.wrong("a masked name stands in BER-TLV");
        }
        rows.push(row);
    }
    rows.sort_by_key(|row| row.key);
    if let Some(pair) = rows.windows(2).find(|pair| pair[0].key == pair[1].key) {
        return keys
            .need("rows")?
            .wrong(format!("key {} stands twice", pair[0].key));
    }
    Ok(rows)
}

fn number_key(text: &str) -> Option<Key> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=64).contains(number))?;
    Some(Key::Number(number))
}

/// A key in hexadecimal, of a given number of bytes or as BER-TLV has it.
fn binary_key(text: &str, bytes: Option<u8>) -> Option<Key> {
    let number = u32::from_str_radix(text, 16).ok()?;
    let own = match bytes {
        Some(bytes) => text.len() == usize::from(bytes) * 2,
        None => {
            tlv::write(&mut Vec::new(), number, &[]).is_ok()
                && text.len().is_multiple_of(2)
                && !text.starts_with("00")
        }
    };
    own.then_some(Key::Binary(number))
}
