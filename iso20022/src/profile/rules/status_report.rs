//! Rules of pacs.002.

use crate::profile::generated::status_report as field;
use crate::profile::{Breach, Direction, Facts};
use crate::view::TransactionStatus;

pub(crate) fn status_of_sender(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let status = facts
        .plain(field::STATUS)
        .and_then(TransactionStatus::from_code);
    let allowed = match facts.direction {
        Direction::ToSwitch => matches!(
            status,
            Some(TransactionStatus::Acsp | TransactionStatus::Rjct)
        ),
        Direction::FromSwitch => {
            matches!(
                status,
                Some(TransactionStatus::Acsc | TransactionStatus::Rjct | TransactionStatus::Pdng)
            )
        }
        Direction::Either => status.is_some(),
    };
    if allowed {
        Ok(())
    } else {
        Err(facts.wrong(field::STATUS))
    }
}

pub(crate) fn reason_when_rejected(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let rejected = facts.plain(field::STATUS) == Some(TransactionStatus::Rjct.as_str());
    if rejected && !facts.slots.is_present(field::REASON) {
        Err(Breach::Missing(field::REASON))
    } else {
        Ok(())
    }
}
