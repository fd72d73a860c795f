//! Presence: which fields must and may stand in a message at a step of its way.

use crate::{field_set::FieldSet, mti::Mti, step::Step};

/// A row of the presence table.
#[derive(Clone, Debug)]
pub struct Presence {
    pub(crate) must: FieldSet,
    /// Without those of `must`.
    pub(crate) may: FieldSet,
    /// Places in the dialect's rules.
    pub(crate) rules: Vec<u8>,
    pub(crate) mtis: Vec<Mti>,
    pub(crate) steps: Vec<Step>,
}

impl Presence {
    /// Fields that must be there.
    pub fn must(&self) -> FieldSet {
        self.must
    }

    /// Fields that may be there beside them.
    pub fn may(&self) -> FieldSet {
        self.may
    }

    /// Fields that may be there at all: everything else is refused.
    pub fn allowed(&self) -> FieldSet {
        self.must.union(self.may)
    }

    /// The message types that the row is for.
    pub fn mtis(&self) -> &[Mti] {
        &self.mtis
    }

    /// The steps that the row is for.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Its conditional rules, as places in [`crate::Dialect::rules`].
    pub fn rules(&self) -> &[u8] {
        &self.rules
    }
}
