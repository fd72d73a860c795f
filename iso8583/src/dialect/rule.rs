//! Conditional rules of a step.

use crate::{field_set::FieldSet, refusal::Key};

/// A rule that goes beyond presence: if all its conditions hold, its demands must be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRule {
    /// Its name, which presence rows refer to and refusals carry.
    pub name: String,
    /// In words.
    pub text: String,
    /// All must hold; none of them reads a field that is not there.
    pub when: Vec<Condition>,
    /// Fields that must be there.
    pub must: FieldSet,
    /// Fields that must not be there.
    pub must_not: FieldSet,
    /// Fields of which at least one must be there; empty asks nothing.
    pub one_of: FieldSet,
    /// A field and one of its tags that must be there.
    pub tag: Option<(u8, Key)>,
    /// A field that, if it is there, must end with its check digit.
    pub luhn: Option<u8>,
}

/// What a rule depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Any of the fields is there.
    Any(FieldSet),
    /// None of the fields is there.
    None(FieldSet),
    /// Characters of a field are one of the values listed; does not hold if the field is not there.
    In {
        /// The field.
        field: u8,
        /// First character, from 0.
        from: u8,
        /// Character behind the last; 255 takes all.
        to: u8,
        /// Does not hold for the values instead; needs the field to be there all the same.
        not: bool,
        /// The values, each of at most eight characters, as `pack` packs them.
        values: Vec<u64>,
    },
}

/// At most eight characters as a number; longer text is `None`.
#[inline]
pub(crate) fn pack(text: &[u8]) -> Option<u64> {
    if text.len() > 8 {
        return None;
    }
    let pack = |packed, byte: &u8| packed << 8 | u64::from(*byte);
    Some(text.iter().fold(0, pack))
}

/// The characters that were packed.
pub(crate) fn unpack(packed: u64) -> String {
    let bytes = packed.to_be_bytes();
    let text = bytes.iter().skip_while(|byte| **byte == 0);
    text.map(|byte| char::from(*byte)).collect()
}
