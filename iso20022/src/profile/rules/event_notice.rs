//! Rules of admi.004.

use crate::profile::generated::event_notice as field;
use crate::profile::{Breach, Facts};
use crate::view::EVENT_PARAMETERS_MAX;

pub(crate) fn at_most_eight_parameters(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    if facts.slots.count(field::PARAMETER) as usize > EVENT_PARAMETERS_MAX {
        return Err(facts.wrong(field::PARAMETER));
    }
    Ok(())
}
