//! Messages with values that nobody chose, by a dialect's own rows. A seed is a message.

use torap_iso8583::{
    Class, Dialect, FieldRow, Key, Layout, Message, Mti, SubfieldRow, TagForm, Writer, tlv,
};

/// A small generator of its own, so that a seed means the same for ever (xorshift64*).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From `least` to `most`, both included.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + (self.next() >> 33) as usize % (most - least + 1)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.between(1, times) == 1
    }

    /// Characters that a type allows, but for two: a packed track reads back with `=` for its separator, and stars are what masked values
    /// consist of.
    fn pick(&mut self, class: Class, length: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(length);
        while text.len() < length {
            let byte = self.between(0, 255) as u8;
            let left_out =
                class == Class::Track && byte == b'D' || class != Class::Binary && byte == b'*';
            if class.allows(text.len(), byte) && !left_out {
                text.push(byte);
            }
        }
        text
    }
}

/// A message of the dialect with every structured field in order.
pub fn message(dialect: &Dialect, chance: &mut Chance) -> Vec<u8> {
    let mtis: Vec<Mti> = dialect.messages().iter().map(|row| row.mti).collect();
    let mti = mtis[chance.between(0, mtis.len() - 1)];
    let mut out = Vec::new();
    let mut writer = Writer::start(dialect, mti, &mut out);
    let often = chance.between(1, 12);
    for row in dialect.rows() {
        if chance.one_in(often) {
            let value = value(row, chance);
            writer
                .field(row.number, &value)
                .unwrap_or_else(|refusal| panic!("{refusal}"));
        }
    }
    writer.finish().unwrap();
    out
}

/// A field's value as text, or as bytes of a binary field.
fn value(row: &FieldRow, chance: &mut Chance) -> Vec<u8> {
    let (min, max) = row.shape.length.bounds();
    // Lengths of hexadecimal values count digits.
    let halves = if row.shape.encoding == torap_iso8583::Encoding::Hex {
        2
    } else {
        1
    };
    let (min, max) = (usize::from(min) / halves, usize::from(max) / halves);
    loop {
        let value = match &row.layout {
            None => {
                let most = if chance.one_in(4) {
                    max
                } else {
                    max.min(min + 24)
                };
                let length = chance.between(min, most);
                chance.pick(row.shape.class, length)
            }
            Some(Layout::Positions { rows, repeat }) => {
                let times = if *repeat { chance.between(1, 3) } else { 1 };
                (0..times)
                    .flat_map(|_| {
                        rows.iter()
                            .flat_map(|row| plain(row, chance))
                            .collect::<Vec<u8>>()
                    })
                    .collect()
            }
            Some(Layout::Tags { form, rows }) => tags(*form, rows, row, chance),
            Some(Layout::Tlv { rows }) => data_objects(rows, chance),
            // Written by the JSON tests; here no subfield is named.
            Some(Layout::Bitmap { .. }) => return bitmap(row),
        };
        if (min..=max).contains(&value.len()) {
            return value;
        }
    }
}

fn plain(row: &SubfieldRow, chance: &mut Chance) -> Vec<u8> {
    let (min, max) = row.shape.length.bounds();
    let length = chance.between(usize::from(min), usize::from(max));
    chance.pick(row.shape.class, length)
}

fn tags(form: TagForm, rows: &[SubfieldRow], field: &FieldRow, chance: &mut Chance) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..chance.between(1, 4) {
        let known = if rows.is_empty() || chance.one_in(4) {
            None
        } else {
            Some(&rows[chance.between(0, rows.len() - 1)])
        };
        if field.shape.class == Class::Binary {
            // Tag and length of one byte each.
            let key = known.map_or(0x7E, |row| {
                if let Key::Binary(tag) = row.key {
                    tag as u8
                } else {
                    0x7E
                }
            });
            let row = known.filter(|row| row.shape.encoding == torap_iso8583::Encoding::Binary);
            let value = match row {
                Some(row) => plain(row, chance),
                None => chance.pick(Class::Binary, 5),
            };
            out.extend_from_slice(&[if row.is_some() { key } else { 0x7E }, value.len() as u8]);
            out.extend_from_slice(&value);
            continue;
        }
        let value = match known {
            Some(row) => plain(row, chance),
            None => chance.pick(field.shape.class, 7),
        };
        let key = known.map_or_else(
            || "ZZZZ"[..usize::from(form.tag)].to_owned(),
            |row| row.key.to_string(),
        );
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(format!("{:01$}", value.len(), usize::from(form.length)).as_bytes());
        out.extend_from_slice(&value);
    }
    out
}

fn data_objects(rows: &[SubfieldRow], chance: &mut Chance) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..chance.between(1, 8) {
        let row = &rows[chance.between(0, rows.len() - 1)];
        let (tag, value) = match row.key {
            Key::Binary(tag) if !chance.one_in(5) => (tag, plain(row, chance)),
            _ => {
                let length = if chance.one_in(4) { 130 } else { 3 };
                (0xDF01, chance.pick(Class::Binary, length))
            }
        };
        tlv::write(&mut out, tag, &value).unwrap();
    }
    out
}

fn bitmap(row: &FieldRow) -> Vec<u8> {
    match (&row.layout, row.shape.class) {
        // Subfield 6 of the national dialect, three digits: a value that is longer than the least one.
        (Some(Layout::Bitmap { hex: true, .. }), _) => b"0400000000000000710".to_vec(),
        _ => vec![0; 8],
    }
}

/// All values of a message as text, for comparison and for writing it again.
pub fn values(message: &Message<'_>) -> Vec<(u8, Vec<u8>)> {
    let value = |field| {
        let mut text = Vec::new();
        message.text_into(field, &mut text);
        (field, text)
    };
    message.fields().iter().map(value).collect()
}
