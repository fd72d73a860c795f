//! What a check of the profile may look at, and what it finds.

use std::ops::Range;

use crate::capture::{SlotId, Slots};
use crate::message::MessageType;

use super::{Direction, Formats};

/// One message, parsed and valid against its schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'f, 'p, 'a> {
    /// Its fields.
    pub(crate) slots: Slots<'p, 'a>,
    /// National identifier checks.
    pub(crate) formats: &'f Formats,
    /// Who sent it to whom.
    pub(crate) direction: Direction,
    /// Definition and version of the Document.
    pub(crate) document: MessageType,
    /// Identifier of the Document, if it has one.
    pub(crate) document_id: Option<&'a str>,
}

/// A rule over several fields is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Breach {
    /// The field is not there.
    Missing(SlotId),
    /// The field holds what the rule does not allow.
    Wrong(SlotId, usize),
    /// The field breaks a rule of its format, whose code is given.
    Format(SlotId, usize, &'static str),
}

impl<'a> Facts<'_, '_, 'a> {
    /// Text of the first occurrence, if it needs no decoding.
    pub(crate) fn plain(&self, slot: SlotId) -> Option<&'a str> {
        self.slots.plain(slot)
    }

    /// The breach of the rule by the first occurrence of a field.
    pub(crate) fn wrong(&self, slot: SlotId) -> Breach {
        Breach::Wrong(slot, self.offset(slot))
    }

    /// Byte offset of the first occurrence, 0 if there is none.
    pub(crate) fn offset(&self, slot: SlotId) -> usize {
        self.slots
            .content_range(slot)
            .map_or(0, |Range { start, .. }| start)
    }
}
