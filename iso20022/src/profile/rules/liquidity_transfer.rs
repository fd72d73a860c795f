//! Rules of camt.050.

use crate::profile::generated::liquidity_transfer as field;
use crate::profile::{Breach, Facts};

pub(crate) fn between_two_accounts(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    if facts.plain(field::CREDITOR_ACCOUNT) == facts.plain(field::DEBTOR_ACCOUNT) {
        return Err(facts.wrong(field::CREDITOR_ACCOUNT));
    }
    Ok(())
}
