//! Rules of pacs.009.

use crate::profile::generated::bank_transfer as field;
use crate::profile::{Breach, Facts};
use crate::view::amount;

pub(crate) fn total_equals_amount(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let Some(total) = facts.plain(field::TOTAL) else {
        return Ok(());
    };
    let equal = facts
        .plain(field::AMOUNT)
        .is_some_and(|sum| amount::parse(sum) == amount::parse(total));
    if equal {
        Ok(())
    } else {
        Err(facts.wrong(field::TOTAL))
    }
}
