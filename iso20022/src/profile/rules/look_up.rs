//! Rules of acmt.023.

use crate::profile::generated::look_up as field;
use crate::profile::{Breach, Facts};
use crate::view::party;
use crate::view::verification_request::PARTY_NUMBER;

pub(crate) fn party_number(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    party::number(&facts.slots, &PARTY_NUMBER)?.map_or(Ok(()), |found| found.check(facts))
}

pub(crate) fn question(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    if facts.slots.is_present(field::IBAN) {
        let number = party::number(&facts.slots, &PARTY_NUMBER)?;
        return if number.is_some() {
            Ok(())
        } else {
            Err(Breach::Missing(field::PARTY_IIN))
        };
    }
    if !facts.slots.is_present(field::PROXY) {
        return Err(Breach::Missing(field::PROXY));
    }
    if facts.plain(field::PROXY_TYPE) != Some("TELE") {
        return Err(facts.wrong(field::PROXY));
    }
    let phone = facts
        .plain(field::PROXY)
        .ok_or_else(|| facts.wrong(field::PROXY))?;
    (facts.formats.phone)(phone)
        .map_err(|rule| Breach::Format(field::PROXY, facts.offset(field::PROXY), rule))
}
