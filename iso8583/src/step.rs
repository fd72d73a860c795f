//! Steps of a message's way, and the check of a message at one of them.

use std::fmt;

use crate::{
    dialect::{Condition, StepRule},
    field_set::FieldSet,
    luhn::luhn,
    message::Message,
    mti::Mti,
};

/// A step of a message's way: through which door of the switch it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Step {
    /// A request, advice, repeat or reversal comes in at the acquirer's door.
    FromAcquirer,
    /// It goes out to the issuer.
    ToIssuer,
    /// The issuer's answer comes in.
    FromIssuer,
    /// The answer goes out to the acquirer.
    ToAcquirer,
    /// Network management, reconciliation, stop list and administration come in from a participant.
    FromParticipant,
    /// The same go out to a participant.
    ToParticipant,
    /// A question goes out to a foreign scheme.
    ToScheme,
    /// Its answer comes in.
    FromScheme,
}

impl Step {
    /// All steps.
    pub const ALL: [Step; 8] = [
        Step::FromAcquirer,
        Step::ToIssuer,
        Step::FromIssuer,
        Step::ToAcquirer,
        Step::FromParticipant,
        Step::ToParticipant,
        Step::ToScheme,
        Step::FromScheme,
    ];

    /// Its name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::FromAcquirer => "from-acquirer",
            Self::ToIssuer => "to-issuer",
            Self::FromIssuer => "from-issuer",
            Self::ToAcquirer => "to-acquirer",
            Self::FromParticipant => "from-participant",
            Self::ToParticipant => "to-participant",
            Self::ToScheme => "to-scheme",
            Self::FromScheme => "from-scheme",
        }
    }

    /// The step of that name.
    pub fn named(name: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.name() == name)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a message is not in order at a step.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepError<'a> {
    /// The message has no business at that step.
    NotExpected {
        /// Its type.
        mti: Mti,
        /// The step.
        step: Step,
    },
    /// A field that must be there is not.
    Missing {
        /// The lowest such field.
        field: u8,
    },
    /// A field that must not be there is.
    Forbidden {
        /// The lowest such field.
        field: u8,
    },
    /// A conditional rule is broken.
    Rule {
        /// The rule.
        rule: &'a StepRule,
        /// The field that is missing, forbidden or wrong; of several the lowest.
        field: u8,
    },
}

impl StepError<'_> {
    /// The field that the error is about; 0 for the message type.
    pub fn field(&self) -> u8 {
        match self {
            Self::NotExpected { .. } => 0,
            Self::Missing { field } | Self::Forbidden { field } | Self::Rule { field, .. } => {
                *field
            }
        }
    }

    /// Stable kebab-case code: of the rule, or of its kind.
    pub fn code(&self) -> &str {
        match self {
            Self::NotExpected { .. } => "not-expected",
            Self::Missing { .. } => "missing-field",
            Self::Forbidden { .. } => "forbidden-field",
            Self::Rule { rule, .. } => &rule.name,
        }
    }
}

impl fmt::Display for StepError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExpected { mti, step } => {
                write!(f, "message type {mti} is not expected at step {step}")?
            }
            Self::Missing { field } => write!(f, "field {field}: must be there")?,
            Self::Forbidden { field } => write!(f, "field {field}: must not be there")?,
            Self::Rule { rule, field } => write!(f, "field {field}: {}", rule.text)?,
        }
        write!(f, " {}", self.code())
    }
}

impl fmt::Debug for StepError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StepError<'_> {}

/// Checks presence, conditional rules and check digit of a message at a step, by its dialect's tables. Two masks decide about almost all
/// of it. Allocates nothing.
///
/// # Errors
/// The first breach: step, then missing, forbidden, then the rules in their order.
pub fn check_step<'a>(message: &Message<'a>, step: Step) -> Result<(), StepError<'a>> {
    let dialect = message.dialect();
    let mti = message.mti();
    let presence = dialect
        .presence(mti, step)
        .ok_or(StepError::NotExpected { mti, step })?;
    let fields = message.fields();
    if let Some(field) = presence.must.difference(fields).first() {
        return Err(StepError::Missing { field });
    }
    if let Some(field) = fields.difference(presence.allowed()).first() {
        return Err(StepError::Forbidden { field });
    }
    for demand in &presence.demands {
        // Most rules ask for nothing that is not so: then their conditions need not be looked at.
        let wrong = demand.wrong(fields);
        if (demand.looks_inside || !wrong.is_empty())
            && let Some(rule) = dialect.rules.get(usize::from(demand.rule))
            && let Some(field) = broken(rule, wrong, message, fields)
        {
            return Err(StepError::Rule { rule, field });
        }
    }
    Ok(())
}

/// The field by which a rule is broken; `wrong` are those that are missing or forbidden if its conditions hold.
fn broken(rule: &StepRule, wrong: FieldSet, message: &Message<'_>, fields: FieldSet) -> Option<u8> {
    let apply = |condition| holds(condition, message, fields);
    if !rule.when.iter().all(apply) {
        return None;
    }
    if let Some(field) = wrong.first() {
        return Some(field);
    }
    if let Some((field, key)) = rule.tag
        && !matches!(message.subfield(field, key), Ok(Some(_)))
    {
        return Some(field);
    }
    let field = rule.luhn.filter(|field| fields.contains(*field))?;
    wrong_check_digit(message, field).then_some(field)
}

fn wrong_check_digit(message: &Message<'_>, field: u8) -> bool {
    if message.dialect().plain.contains(field) {
        return !message.get(field).is_some_and(luhn);
    }
    let mut text = [0; 32];
    !message.text(field, &mut text).is_some_and(luhn)
}

#[inline]
fn holds(condition: &Condition, message: &Message<'_>, fields: FieldSet) -> bool {
    match condition {
        Condition::Any(set) => fields.contains_any(*set),
        Condition::None(set) => !fields.contains_any(*set),
        Condition::In {
            field,
            from,
            to,
            not,
            values,
        } => {
            let Some(packed) = message.packed(*field, usize::from(*from), usize::from(*to)) else {
                return false;
            };
            values.contains(&packed) != *not
        }
    }
}

#[cfg(test)]
mod tests;
