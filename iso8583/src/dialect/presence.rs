//! Presence: which fields must and may stand in a message at a step of its way.

use super::rule::StepRule;
use crate::{field_set::FieldSet, mti::Mti, step::Step};

/// A row of the presence table.
#[derive(Clone, Debug)]
pub struct Presence {
    pub(crate) must: FieldSet,
    /// Without those of `must`.
    pub(crate) may: FieldSet,
    /// Places in the dialect's rules.
    pub(crate) rules: Vec<u8>,
    /// What the rules ask of fields, in their order.
    pub(crate) demands: Vec<Demand>,
    pub(crate) mtis: Vec<Mti>,
    pub(crate) steps: Vec<Step>,
}

/// What a rule asks of fields if its conditions hold: all that the check needs in almost every case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    must: FieldSet,
    must_not: FieldSet,
    one_of: FieldSet,
    /// It asks for a subfield or a check digit too.
    pub looks_inside: bool,
    /// Place in the dialect's rules.
    pub rule: u8,
}

impl Demand {
    pub(crate) fn of(rule: &StepRule, place: u8) -> Demand {
        Demand {
            must: rule.must,
            must_not: rule.must_not,
            one_of: rule.one_of,
            looks_inside: rule.tag.is_some() || rule.luhn.is_some(),
            rule: place,
        }
    }

    /// Fields that are missing or forbidden; of fields of which one must be there, all.
    #[inline]
    pub(crate) fn wrong(&self, fields: FieldSet) -> FieldSet {
        let missing = self.must.difference(fields);
        let forbidden = self.must_not.intersection(fields);
        let wrong = missing.union(forbidden);
        match fields.contains_any(self.one_of) {
            true => wrong,
            false => wrong.union(self.one_of),
        }
    }
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
