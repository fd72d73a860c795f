//! Rules of camt.029.

use crate::profile::generated::recall_answer as field;
use crate::profile::{Breach, Direction, Facts};
use crate::view::CancellationStatus;

pub(crate) fn refusal_of_sender(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let status = facts
        .plain(field::STATUS)
        .and_then(CancellationStatus::from_code);
    if facts
        .plain(field::CONFIRMATION)
        .and_then(CancellationStatus::from_code)
        != status
    {
        return Err(facts.wrong(field::STATUS));
    }
    if facts.direction == Direction::ToSwitch && status != Some(CancellationStatus::Refused) {
        return Err(facts.wrong(field::STATUS));
    }
    Ok(())
}

pub(crate) fn reason_when_refused(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let refused = facts.plain(field::STATUS) == Some(CancellationStatus::Refused.as_str());
    if refused && !facts.slots.is_present(field::REASON) {
        Err(Breach::Missing(field::REASON))
    } else {
        Ok(())
    }
}
