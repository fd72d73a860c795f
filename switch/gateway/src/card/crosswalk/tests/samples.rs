//! National messages that nobody chose: of every type and step that the presence table has, with values by the rows of their fields. A seed is a
//! message.

use std::collections::BTreeMap;

use torap_iso8583::{
    Class, Dialect, Encoding, FieldRow, Key, Layout, Message, Mti, Step, SubfieldRow, TagForm,
    Writer, tlv,
};

use crate::card::crosswalk::Toward;

/// A small generator of its own, so that a seed means the same for ever (xorshift64*).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From `least` to `most`, both included.
    fn between(&mut self, least: usize, most: usize) -> usize {
        least + (self.next() >> 33) as usize % (most - least + 1)
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.between(1, times) == 1
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.between(0, choices.len() - 1)]
    }

    /// A packed track reads back with `=` for its separator.
    fn characters(&mut self, class: Class, length: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(length);
        while text.len() < length {
            let byte = self.between(0, 255) as u8;
            if class.allows(text.len(), byte) && !(class == Class::Track && byte == b'D') {
                text.push(byte);
            }
        }
        text
    }
}

pub(super) type Values = BTreeMap<u8, Vec<u8>>;

/// A message of the table, and the step it was made for.
pub(super) struct Sample {
    pub(super) mti: Mti,
    pub(super) toward: Toward,
    pub(super) values: Values,
}

impl Sample {
    pub(super) fn bytes(&self) -> Vec<u8> {
        written(Dialect::national(), self.mti, &self.values)
    }
}

pub(super) fn written(dialect: &Dialect, mti: Mti, values: &Values) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::start(dialect, mti, &mut bytes);
    for (field, value) in values {
        writer
            .field(*field, value)
            .unwrap_or_else(|refusal| panic!("{mti}: {refusal}"));
    }
    writer.finish().unwrap();
    bytes
}

pub(super) fn values(message: &Message<'_>) -> Values {
    let value = |field| {
        let mut text = Vec::new();
        message.text_into(field, &mut text);
        (field, text)
    };
    message.fields().iter().map(value).collect()
}

/// One message for every type and step of the national dialect.
pub(super) fn all(chance: &mut Chance) -> Vec<Sample> {
    let mut samples = Vec::new();
    for presence in Dialect::national().presences() {
        for mti in presence.mtis() {
            for step in presence.steps() {
                samples.push(sample(*mti, *step, chance));
            }
        }
    }
    samples
}

fn toward(step: Step) -> Toward {
    match step {
        Step::FromAcquirer | Step::FromIssuer | Step::FromParticipant | Step::FromScheme => {
            Toward::Switch
        }
        Step::ToIssuer | Step::ToAcquirer | Step::ToParticipant | Step::ToScheme => Toward::Host,
    }
}

fn sample(mti: Mti, step: Step, chance: &mut Chance) -> Sample {
    let national = Dialect::national();
    let presence = national.presence(mti, step).unwrap();
    let often = chance.between(1, 4);
    let mut values = Values::new();
    for field in presence.allowed().iter() {
        // MACs are set last.
        if matches!(field, 64 | 128) {
            continue;
        }
        if presence.must().contains(field) || chance.one_in(often) {
            let row = national.field(field).unwrap();
            values.insert(field, chosen(mti, row, chance));
        }
    }
    agree(mti, &mut values);
    if chance.one_in(2) {
        let has_second = values.range(65..).next().is_some();
        let field = if has_second { 128 } else { 64 };
        if presence.allowed().contains(field) {
            values.insert(field, vec![0; 8]);
        }
    }
    Sample {
        mti,
        toward: toward(step),
        values,
    }
}

/// What fields say of each other.
fn agree(mti: Mti, values: &mut Values) {
    let text = |text: &str| text.as_bytes().to_vec();
    // There is one PIN block.
    if values.contains_key(&110) {
        values.remove(&52);
    }
    if mti.class() == 4 {
        if let Some(function) = values.get_mut(&24) {
            let is_partial = function == b"401";
            if !is_partial {
                values.remove(&95);
            } else {
                let settled = if values.contains_key(&5) { "7" } else { "0" };
                let actual = format!("{:012}{settled:0>12}C00000000C00000000", 125_000);
                values.insert(95, text(&actual));
            }
        } else {
            values.remove(&95);
        }
    }
    if let Some(settlement) = values.get(&66) {
        let code = if settlement == b"1" { "00" } else { "95" };
        values.insert(39, text(code));
    }
    // A completion alone is made under the condition of a completion.
    let completes = matches!(values.get(&24).map(Vec::as_slice), Some(b"201" | b"202"));
    if let Some(condition) = values.get_mut(&25)
        && condition == b"06"
        && !completes
    {
        *condition = text("00");
    }
    // Where no PIN can be entered its length is unknown.
    if values.get(&22).is_some_and(|mode| mode[2] == b'2') {
        values.remove(&26);
    }
}

/// A value with a meaning, where the crosswalk looks at it.
fn chosen(mti: Mti, row: &FieldRow, chance: &mut Chance) -> Vec<u8> {
    let functions: &[&str] = match mti.class() {
        1 => &["100", "101", "102", "108"],
        2 => &["108", "200", "201", "202", "203"],
        4 => &["400", "401"],
        5 => &["500", "501"],
        _ => &["600", "604", "610", "650"],
    };
    let outcomes = ["00", "05", "10", "51", "54", "1A", "91", "96", "17", "68"];
    let text = match row.number {
        7 => "1121130405".into(),
        12 => "180405".into(),
        13 | 15 => chance.one_of(&["1121", "1231", "0101", "0601"]).into(),
        24 => chance.one_of(functions).into(),
        26 => chance.one_of(&["04", "06", "12"]).into(),
        39 => chance.one_of(&outcomes).into(),
        48 => return additional(row, chance),
        90 => {
            let stan = chance.between(0, 999_999);
            let acquirer = chance.between(0, 99_999);
            format!("0200{stan:06}1120235959{acquirer:011}{:011}", 0)
        }
        _ => return value(row, chance),
    };
    text.into_bytes()
}

/// DE48 with a channel, and some other tags.
fn additional(row: &FieldRow, chance: &mut Chance) -> Vec<u8> {
    let mut out = b"CH03POS".to_vec();
    out.extend(value(row, chance));
    out
}

/// A field's value as text, or as bytes of a binary field; of lengths that all dialects have.
fn value(row: &FieldRow, chance: &mut Chance) -> Vec<u8> {
    let (min, max) = row.shape.length.bounds();
    let halves = if row.shape.encoding == Encoding::Hex {
        2
    } else {
        1
    };
    let (min, max) = (usize::from(min) / halves, usize::from(max) / halves);
    let max = max.min(255);
    if row.codes.is_some() {
        return plain_of(row.shape.class, (min, max), row.codes, chance);
    }
    loop {
        let value = match &row.layout {
            None => {
                let length = chance.between(min, max);
                chance.characters(row.shape.class, length)
            }
            Some(Layout::Positions { rows, repeat }) => {
                let times = if *repeat { chance.between(1, 3) } else { 1 };
                let once = |chance: &mut Chance| -> Vec<u8> {
                    rows.iter().flat_map(|row| plain(row, chance)).collect()
                };
                (0..times).flat_map(|_| once(chance)).collect()
            }
            Some(Layout::Tags { form, rows }) => tags(*form, rows, chance),
            Some(Layout::Tlv { rows }) => data_objects(rows, chance),
            Some(Layout::Bitmap { .. }) => b"0400000000000000710".to_vec(),
        };
        if (min..=max).contains(&value.len()) {
            return value;
        }
    }
}

fn plain(row: &SubfieldRow, chance: &mut Chance) -> Vec<u8> {
    let (min, max) = row.shape.length.bounds();
    plain_of(row.shape.class, (min.into(), max.into()), row.codes, chance)
}

fn plain_of(
    class: Class,
    (min, max): (usize, usize),
    codes: Option<usize>,
    chance: &mut Chance,
) -> Vec<u8> {
    let Some(codes) = codes else {
        let length = chance.between(min, max);
        return chance.characters(class, length);
    };
    let rows = &Dialect::national().codes()[codes].rows;
    let row = &rows[chance.between(0, rows.len() - 1)];
    row.code.as_bytes().to_vec()
}

fn tags(form: TagForm, rows: &[SubfieldRow], chance: &mut Chance) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..chance.between(1, 4) {
        let (key, value) = match rows.len() {
            0 => ("ZZZ".to_string(), b"a1-".to_vec()),
            count => {
                let row = &rows[chance.between(0, count - 1)];
                (row.key.to_string(), plain(row, chance))
            }
        };
        out.extend_from_slice(key.as_bytes());
        let digits = usize::from(form.length);
        out.extend_from_slice(format!("{:01$}", value.len(), digits).as_bytes());
        out.extend_from_slice(&value);
    }
    out
}

fn data_objects(rows: &[SubfieldRow], chance: &mut Chance) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..chance.between(1, 6) {
        let row = &rows[chance.between(0, rows.len() - 1)];
        if let Key::Binary(tag) = row.key {
            tlv::write(&mut out, tag, &plain(row, chance)).unwrap();
        }
    }
    out
}

/// A message of any dialect with values by its rows, meant to make no sense.
pub(super) fn senseless(dialect: &Dialect, chance: &mut Chance) -> Vec<u8> {
    let mtis: Vec<Mti> = dialect.messages().iter().map(|row| row.mti).collect();
    let mti = chance.one_of(&mtis);
    let often = chance.between(1, 6);
    let mut values = Values::new();
    for row in dialect.rows() {
        if chance.one_in(often) {
            let (min, max) = row.shape.length.bounds();
            let halves = if row.shape.encoding == Encoding::Hex {
                2
            } else {
                1
            };
            let (min, max) = (usize::from(min) / halves, usize::from(max) / halves);
            let length = chance.between(min, max.min(min + 40));
            values.insert(row.number, chance.characters(row.shape.class, length));
        }
    }
    written(dialect, mti, &values)
}
