//! Rules of admi.011.

use crate::profile::generated::event_acknowledgement as field;
use crate::profile::{Breach, Facts};
use crate::view::EVENT_PARAMETERS_MAX;

pub(crate) fn at_most_eight_parameters(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    if facts.slots.count(field::PARAMETER) as usize > EVENT_PARAMETERS_MAX {
        return Err(facts.wrong(field::PARAMETER));
    }
    Ok(())
}
