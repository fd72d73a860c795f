//! The same message in another dialect: from a host's own into the national one, and back.
//!
//! Why it exists: rules, evidence and rendering know the national dialect alone. A host that speaks another one is read in its own, and its
//! message is taken across before anything else sees it; what the switch has for it is written in the national dialect and taken across last.
//! Fields go by their content, so encodings, lengths and places of the two tables do not matter. `docs/cards.md` lists what goes where.
//!
//! What it never does: it checks no presence rules of the national dialect (translation does, and answers), knows no keys, and carries no MAC: a
//! MAC covers the bytes of its own dialect. It says where one was and leaves room for the next. What has no place in the other dialect is left
//! out; what must not be lost, or must be there and is not, is a refusal that names the field of the message at hand.

mod iso87;
mod iso93;
mod point_of_service;
mod tags;
mod values;

use torap_domain::Time;
use torap_iso8583::{
    Dialect, Encoding, FIELD_MTI, FieldRow, FieldSet, Mask, Message, Mti, Refusal, Rule, Step,
    Writer,
};
use zeroize::Zeroizing;

use self::values::Values;
use super::network::mti_in;
use super::translate::WireMac;

pub(super) use self::iso93::national_purpose;

/// Bytes of a MAC.
const MAC_BYTES: usize = 8;
/// Bytes of a PIN block of format 4, and where the national dialect has one.
const LONG_PIN_BYTES: u16 = 16;
const LONG_PIN: u8 = 110;
/// Where a MAC stands.
const MAC_FIELDS: FieldSet = FieldSet::of(&[64, 128]);
/// Fields that make a secondary bitmap, and DE128 the place of a MAC.
const ABOVE_64: FieldSet = FieldSet::SECONDARY.without(128);

/// Who reads the message: whose presence rules decide what is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// It comes from a host.
    Switch,
    /// It goes to a host.
    Host,
}

/// Appends a message of any dialect in the national one. The values of its MAC are the sender's, in the place that the national dialect has for
/// it; they are right for the sender's bytes only.
///
/// # Errors
/// The message type is not in the national dialect, or a value does not fit its table; nothing has been appended then. The field is the one of
/// the message at hand.
pub fn to_national(
    message: &Message<'_>,
    toward: Toward,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let national = Dialect::national();
    if is_national(message.dialect()) {
        out.extend_from_slice(message.bytes());
        return Ok(());
    }
    let mti = national_mti(message).ok_or(refusal(FIELD_MTI, Rule::UnknownMessageType))?;
    let from = Values::of(message);
    let mut to = Values::like(&from);
    match message.dialect().year() {
        1993 => iso93::to_national(mti, &from, &mut to)?,
        _ => iso87::to_national(mti, &from, &mut to),
    }
    if let Some(field) = long_pin_field(message.dialect()) {
        to.take(LONG_PIN, &from, field);
    }
    tags::add_channel(mti, &mut to);
    if message.before_mac().is_some() {
        let field = if from.has(128) { 128 } else { 64 };
        to.put_mac(field, from.get(field).unwrap_or_default());
    }
    if let Some(rules) = rules(national, mti, toward) {
        to.keep(rules.allowed.union(MAC_FIELDS));
    }
    write(national, mti, &to, out)
}

/// Appends a national message in another dialect. A MAC becomes a MAC's room at the end, filled with zeros: see [`covered`] and [`put_mac`].
/// `now` tells the years of dates that the national dialect states without one.
///
/// # Errors
/// The dialect has no such message type, a value does not fit its table, something has no place there and must not be lost, or the dialect
/// wants a field that the message lacks; nothing has been appended then.
pub fn from_national(
    message: &Message<'_>,
    dialect: &Dialect,
    toward: Toward,
    now: Time,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    if is_national(dialect) {
        out.extend_from_slice(message.bytes());
        return Ok(());
    }
    let mti = mti_in(dialect, message.mti().number())
        .ok_or(refusal(FIELD_MTI, Rule::UnknownMessageType))?;
    let from = Values::of(message);
    let mut to = Values::like(&from);
    match dialect.year() {
        1993 => iso93::from_national(message.mti(), &from, now, &mut to),
        _ => iso87::from_national(message.mti(), &from, &mut to),
    }
    if from.has(LONG_PIN) {
        let field = long_pin_field(dialect).ok_or(refusal(LONG_PIN, Rule::NoPlace))?;
        to.take(field, &from, LONG_PIN);
    }
    let rules = rules(dialect, mti, toward);
    if let Some(rules) = &rules {
        to.keep(rules.allowed);
    }
    if from.has(64) || from.has(128) {
        to.put_mac(64, &[0; MAC_BYTES]);
    }
    if let Some(field) = rules.and_then(|rules| rules.must.difference(to.fields()).first()) {
        return Err(refusal(field, Rule::Missing));
    }
    write(dialect, mti, &to, out)
}

/// The bytes of a written message that its MAC covers: all before its room at the end.
pub fn covered<'m>(dialect: &Dialect, message: &'m [u8]) -> &'m [u8] {
    let end = message.len().saturating_sub(mac_room(dialect));
    message.get(..end).unwrap_or_default()
}

/// Puts a MAC into the room at the end of a message. False if the message is shorter than that.
pub fn put_mac(dialect: &Dialect, message: &mut [u8], mac: [u8; MAC_BYTES]) -> bool {
    let start = message.len().checked_sub(mac_room(dialect));
    let Some(room) = start.and_then(|start| message.get_mut(start..)) else {
        return false;
    };
    if room.len() == MAC_BYTES {
        room.copy_from_slice(&mac);
        return true;
    }
    for (digits, byte) in room.as_chunks_mut::<2>().0.iter_mut().zip(mac) {
        *digits = [byte >> 4, byte & 15].map(|half| match half {
            0..=9 => b'0' + half,
            _ => b'A' + (half - 10),
        });
    }
    true
}

/// Bytes that a MAC takes on the wire.
fn mac_room(dialect: &Dialect) -> usize {
    let is_hex = |row: &FieldRow| row.shape.encoding == Encoding::Hex;
    match dialect.field(64).is_some_and(is_hex) {
        true => 2 * MAC_BYTES,
        false => MAC_BYTES,
    }
}

/// Where a dialect's table has room for a PIN block of format 4: a field of 16 bytes that is masked as one.
fn long_pin_field(dialect: &Dialect) -> Option<u8> {
    let is_room = |row: &&FieldRow| {
        let halves = match row.shape.encoding {
            Encoding::Hex => 2,
            _ => 1,
        };
        let bytes = LONG_PIN_BYTES * halves;
        row.mask == Mask::Pin && row.shape.length.bounds() == (bytes, bytes)
    };
    dialect.rows().iter().find(is_room).map(|row| row.number)
}

/// A message that came in another dialect, taken across.
pub struct Crossed<'w> {
    national: Zeroizing<Vec<u8>>,
    covered: &'w [u8],
    mac: Option<[u8; MAC_BYTES]>,
}

impl<'w> Crossed<'w> {
    /// Reads a host's message in its dialect and takes it across.
    ///
    /// # Errors
    /// It is no message of the dialect, or cannot be one of the national dialect.
    pub fn read(dialect: &'w Dialect, bytes: &'w [u8], toward: Toward) -> Result<Self, Refusal> {
        let message = Message::parse(dialect, bytes)?;
        let mut national = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_mul(2)));
        to_national(&message, toward, &mut national)?;
        let mut mac = [0; MAC_BYTES];
        let field = if message.has(128) { 128 } else { 64 };
        let before = message.before_mac();
        let has_mac = before.is_some() && message.text(field, &mut mac).is_some();
        Ok(Crossed {
            national,
            covered: before.map_or(bytes, |(covered, _)| covered),
            mac: has_mac.then_some(mac),
        })
    }

    /// The message in the national dialect.
    pub fn national(&self) -> &[u8] {
        &self.national
    }

    /// What its MAC covers, and the MAC, as they stood on the wire.
    pub fn wire(&self) -> Option<WireMac<'_>> {
        Some(WireMac {
            covered: self.covered,
            mac: self.mac.as_ref()?,
        })
    }
}

impl std::fmt::Debug for Crossed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crossed({} bytes)", self.national.len())
    }
}

/// Whether messages of the dialect need not be taken across.
pub fn is_national(dialect: &Dialect) -> bool {
    dialect.name() == Dialect::national().name()
}

/// The national message type that means the same; none for one that the switch does not know.
pub fn national_mti(message: &Message<'_>) -> Option<Mti> {
    let (mti, national) = (message.mti(), Dialect::national());
    let same = (message.dialect().year() == national.year()).then_some(mti);
    same.or(message.dialect().equivalent(mti))
        .filter(|mti| national.message(*mti).is_some())
}

/// What a dialect says of a message on its way from or to a host, whatever the step.
struct Rules {
    must: FieldSet,
    allowed: FieldSet,
}

/// `None` if it says nothing.
fn rules(dialect: &Dialect, mti: Mti, toward: Toward) -> Option<Rules> {
    let steps = match toward {
        Toward::Switch => [
            Step::FromAcquirer,
            Step::FromIssuer,
            Step::FromParticipant,
            Step::FromScheme,
        ],
        Toward::Host => [
            Step::ToIssuer,
            Step::ToAcquirer,
            Step::ToParticipant,
            Step::ToScheme,
        ],
    };
    let presences = steps
        .into_iter()
        .filter_map(|step| dialect.presence(mti, step));
    let both = presences.map(|presence| Rules {
        must: presence.must(),
        allowed: presence.allowed(),
    });
    both.reduce(|one, other| Rules {
        must: one.must.intersection(other.must),
        allowed: one.allowed.union(other.allowed),
    })
}

fn write(dialect: &Dialect, mti: Mti, values: &Values, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let before = out.len();
    let mut writer = Writer::start(dialect, mti, out);
    let mut written = Ok(());
    for field in values.fields().iter() {
        let value = values.get(field).unwrap_or_default();
        if let Err(refused) = writer.field(field, value) {
            // In the words of whoever wrote the message.
            written = Err(Refusal {
                field: values.origin(field),
                ..refused
            });
            break;
        }
    }
    let written = match written {
        Ok(()) => writer.finish(),
        Err(refused) => Err(refused),
    };
    if written.is_err() {
        out.truncate(before);
    }
    written
}

fn refusal(field: u8, rule: Rule) -> Refusal {
    Refusal {
        field,
        subfield: None,
        offset: 0,
        rule,
    }
}

#[cfg(test)]
mod tests;
