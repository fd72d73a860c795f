//! A payer or payee, and the national number that identifies it.

use std::borrow::Cow;

use crate::capture::{Occurrence, SlotId, Slots};
use crate::profile::{Breach, Facts};

use super::fields::inside;

/// A person or company in a message: Dbtr, Cdtr, Pty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party<'a> {
    /// Nm, at most 140 characters.
    pub name: Option<Cow<'a, str>>,
    /// IIN or BIN.
    pub number: Option<PersonNumber<'a>>,
    /// CtctDtls/MobNb as the schema wants it: `+7-7011234567`.
    pub phone: Option<&'a str>,
}

/// The 12-digit national number, by the element that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonNumber<'a> {
    /// Individual identification number: Id/PrvtId/Othr with the scheme `NIDN`.
    Iin(&'a str),
    /// Business identification number: Id/OrgId/Othr with the scheme `TXID` (read also: proprietary `BIN`).
    Bin(&'a str),
}

impl<'a> PersonNumber<'a> {
    /// The twelve digits.
    pub fn digits(self) -> &'a str {
        match self {
            PersonNumber::Iin(digits) | PersonNumber::Bin(digits) => digits,
        }
    }
}

/// Where a message has the numbers of one party, with what marks each of them.
#[derive(Debug)]
pub(crate) struct NumberSlots {
    pub(crate) person: SlotId,
    pub(crate) iin: SlotId,
    pub(crate) iin_scheme: SlotId,
    pub(crate) company: SlotId,
    pub(crate) bin: SlotId,
    pub(crate) bin_scheme: SlotId,
    pub(crate) bin_proprietary: SlotId,
}

/// A number and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered<'a> {
    pub(crate) number: PersonNumber<'a>,
    slot: SlotId,
    offset: usize,
}

impl Numbered<'_> {
    /// Checks the digits.
    pub(crate) fn check(&self, facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
        (facts.formats.person_number)(self.number.digits())
            .map_err(|rule| Breach::Format(self.slot, self.offset, rule))
    }
}

/// The first IIN, or the first BIN; identifications of other schemes are passed over.
pub(crate) fn number<'a>(
    slots: &Slots<'_, 'a>,
    fields: &NumberSlots,
) -> Result<Option<Numbered<'a>>, Breach> {
    for other in slots.occurrences(fields.person) {
        if marks(slots, fields.iin_scheme, &other, "NIDN") {
            return numbered(slots, fields.iin, &other, PersonNumber::Iin);
        }
    }
    for other in slots.occurrences(fields.company) {
        if marks(slots, fields.bin_scheme, &other, "TXID")
            || marks(slots, fields.bin_proprietary, &other, "BIN")
        {
            return numbered(slots, fields.bin, &other, PersonNumber::Bin);
        }
    }
    Ok(None)
}

fn marks(slots: &Slots<'_, '_>, scheme: SlotId, other: &Occurrence<'_>, wanted: &str) -> bool {
    inside(slots, scheme, &other.element).and_then(|found| found.plain()) == Some(wanted)
}

fn numbered<'a>(
    slots: &Slots<'_, 'a>,
    slot: SlotId,
    other: &Occurrence<'a>,
    kind: fn(&'a str) -> PersonNumber<'a>,
) -> Result<Option<Numbered<'a>>, Breach> {
    let found = inside(slots, slot, &other.element).ok_or(Breach::Missing(slot))?;
    let offset = found.content.start;
    let digits = found.plain().ok_or(Breach::Wrong(slot, offset))?;
    Ok(Some(Numbered {
        number: kind(digits),
        slot,
        offset,
    }))
}
