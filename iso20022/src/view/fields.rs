//! Fields of a message that the profile has accepted, as borrowed text and numbers.

use std::borrow::Cow;
use std::ops::Range;

use crate::capture::{Occurrence, SlotId, Slots};

use super::original::Original;
use super::{amount, time};

/// A field that the profile should have demanded is not there, or does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unread(pub(crate) SlotId);

/// Reads the first occurrence of each field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'p, 'a>(pub(crate) Slots<'p, 'a>);

/// Where a message has the identifiers of the payment it is about. The first two may stand in either of two places.
#[derive(Debug)]
pub(crate) struct OriginalSlots {
    pub(crate) message_id: [SlotId; 2],
    pub(crate) message_name: [SlotId; 2],
    pub(crate) instruction_id: SlotId,
    pub(crate) end_to_end_id: SlotId,
    pub(crate) transaction_id: SlotId,
    pub(crate) uetr: SlotId,
}

impl<'a> Fields<'_, 'a> {
    pub(crate) fn required(&self, slot: SlotId) -> Result<&'a str, Unread> {
        self.0.plain(slot).ok_or(Unread(slot))
    }

    pub(crate) fn optional(&self, slot: SlotId) -> Option<&'a str> {
        self.0.plain(slot)
    }

    /// The field in whichever of its two places it stands.
    pub(crate) fn either(&self, places: [SlotId; 2]) -> Option<&'a str> {
        let [first, second] = places;
        self.0.plain(first).or_else(|| self.0.plain(second))
    }

    pub(crate) fn required_either(&self, places: [SlotId; 2]) -> Result<&'a str, Unread> {
        let [first, _] = places;
        self.either(places).ok_or(Unread(first))
    }

    /// Free text, decoded.
    pub(crate) fn text(&self, slot: SlotId) -> Option<Cow<'a, str>> {
        self.0.text(slot)
    }

    /// Nanoseconds since 1970 UTC.
    pub(crate) fn time(&self, slot: SlotId) -> Result<u64, Unread> {
        time::parse(self.required(slot)?).map_err(|_| Unread(slot))
    }

    pub(crate) fn optional_time(&self, slot: SlotId) -> Result<Option<u64>, Unread> {
        self.optional(slot).map(|_| self.time(slot)).transpose()
    }

    /// Tiyn.
    pub(crate) fn tiyn(&self, slot: SlotId) -> Result<u64, Unread> {
        amount::parse(self.required(slot)?).map_err(|_| Unread(slot))
    }

    pub(crate) fn optional_tiyn(&self, slot: SlotId) -> Result<Option<u64>, Unread> {
        self.optional(slot).map(|_| self.tiyn(slot)).transpose()
    }

    pub(crate) fn is_true(&self, slot: SlotId) -> bool {
        matches!(self.optional(slot), Some("true" | "1"))
    }

    pub(crate) fn original(&self, slots: &OriginalSlots) -> Result<Original<'a>, Unread> {
        Ok(Original {
            message_id: self.either(slots.message_id),
            message_name: self.either(slots.message_name),
            instruction_id: self.optional(slots.instruction_id),
            end_to_end_id: self.optional(slots.end_to_end_id),
            transaction_id: self.required(slots.transaction_id)?,
            uetr: self.required(slots.uetr)?,
        })
    }
}

/// The first occurrence of a field inside a parent element, given the parent's bytes.
pub(crate) fn inside<'a>(
    slots: &Slots<'_, 'a>,
    slot: SlotId,
    parent: &Range<usize>,
) -> Option<Occurrence<'a>> {
    slots
        .occurrences(slot)
        .find(|found| parent.contains(&found.element.start))
}
