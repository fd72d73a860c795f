//! Rules of pacs.008.

use crate::profile::generated::credit_transfer as field;
use crate::profile::{Breach, Direction, Facts};
use crate::view::credit_transfer::{CREDITOR_NUMBER, DEBTOR_NUMBER, SectorSide, sector_code};
use crate::view::{amount, credit_transfer, party};

pub(crate) use super::beneficiaries::{list_amount, list_name, list_number, list_period};

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

pub(crate) fn debtor_number(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    match party::number(&facts.slots, &DEBTOR_NUMBER)? {
        Some(found) => found.check(facts),
        None => Err(Breach::Missing(field::DEBTOR_IIN)),
    }
}

pub(crate) fn creditor_number(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    party::number(&facts.slots, &CREDITOR_NUMBER)?.map_or(Ok(()), |found| found.check(facts))
}

pub(crate) fn creditor_number_present(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    match party::number(&facts.slots, &CREDITOR_NUMBER)? {
        Some(_) => Ok(()),
        None => Err(Breach::Missing(field::CREDITOR_IIN)),
    }
}

pub(crate) fn creditor_name(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    if facts.slots.is_present(field::CREDITOR_NAME) || facts.direction == Direction::FromSwitch {
        return Ok(());
    }
    Err(Breach::Missing(field::CREDITOR_NAME))
}

pub(crate) fn sector_codes(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    for side in [SectorSide::Debtor, SectorSide::Creditor] {
        if let Some((code, offset)) = sector_code(&facts.slots, side)? {
            (facts.formats.sector_code)(code)
                .map_err(|rule| Breach::Format(field::REGULATORY_CODE, offset, rule))?;
        }
    }
    Ok(())
}

pub(crate) fn account_or_phone(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    if facts.slots.is_present(field::CREDITOR_IBAN) {
        return Ok(());
    }
    if !facts.slots.is_present(field::CREDITOR_PROXY) {
        return Err(Breach::Missing(field::CREDITOR_IBAN));
    }
    if facts.plain(field::CREDITOR_PROXY_TYPE) != Some("TELE") {
        return Err(facts.wrong(field::CREDITOR_PROXY));
    }
    let phone = facts
        .plain(field::CREDITOR_PROXY)
        .ok_or_else(|| facts.wrong(field::CREDITOR_PROXY))?;
    (facts.formats.phone)(phone).map_err(|rule| {
        Breach::Format(
            field::CREDITOR_PROXY,
            facts.offset(field::CREDITOR_PROXY),
            rule,
        )
    })
}

pub(crate) fn qr_reference(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let (reference, offset) =
        credit_transfer::qr_reference(&facts.slots)?.ok_or(Breach::Missing(field::REFERENCE))?;
    (facts.formats.identifier)(reference)
        .map_err(|rule| Breach::Format(field::REFERENCE, offset, rule))
}
