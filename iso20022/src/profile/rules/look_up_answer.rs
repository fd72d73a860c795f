//! Rules of acmt.024.

use crate::profile::generated::look_up_answer as field;
use crate::profile::{Breach, Facts};

pub(crate) fn reason_when_not_verified(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let verified = matches!(facts.plain(field::VERIFIED), Some("true" | "1"));
    if verified || facts.slots.is_present(field::REASON) {
        Ok(())
    } else {
        Err(Breach::Missing(field::REASON))
    }
}
