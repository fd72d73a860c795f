//! Rules of camt.007.

use crate::profile::generated::payment_change as field;
use crate::profile::{Breach, Facts};

pub(crate) fn understood(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    for slot in [field::INSTRUCTION, field::PAYMENT_TYPE, field::OWN_PRIORITY] {
        if facts.slots.is_present(slot) {
            return Err(facts.wrong(slot));
        }
    }
    Ok(())
}

pub(crate) fn something_changes(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let is_given = [
        field::PRIORITY,
        field::FROM,
        field::FROM_OR,
        field::TILL,
        field::TILL_OR,
    ];
    if is_given.iter().any(|slot| facts.slots.is_present(*slot)) {
        Ok(())
    } else {
        Err(Breach::Missing(field::PRIORITY))
    }
}
