//! Rules of camt.005.

use crate::capture::SlotId;
use crate::profile::generated::payment_query as field;
use crate::profile::{Breach, Facts};
use crate::view::amount;

/// What would choose payments and is not understood.
const REFUSED: &[SlotId] = &[
    field::QUERY_NAME,
    field::NEW_QUERY_NAME,
    field::PAYMENT_TO,
    field::PAYMENT_FROM,
    field::ENTRY_SEARCH,
    field::SEARCHED_MESSAGE,
    field::EXECUTION,
    field::QUEUE_ID,
    field::SHORT_ID,
    field::STATUS_TIME,
    field::OWN_STATUS,
    field::INSTRUCTED_AMOUNT,
    field::INSTRUCTED_CURRENCY,
    field::AMOUNT_WITH_CURRENCY,
    field::UNEQUAL_AMOUNT,
    field::AMOUNT_SIDE,
    field::CURRENCY,
    field::METHOD,
    field::PAYMENT_TYPE,
    field::OWN_PRIORITY,
    field::VALIDITY,
    field::INSTRUCTION,
    field::PARTIES,
];

/// What may repeat by its schema and is taken once: all criteria hold together.
const ONCE: &[SlotId] = &[field::IDENTIFICATION, field::STATUS, field::AMOUNT];

pub(crate) fn understood(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    for slot in REFUSED {
        if facts.slots.is_present(*slot) {
            return Err(facts.wrong(*slot));
        }
    }
    for slot in ONCE {
        if facts.slots.count(*slot) > 1 {
            return Err(facts.wrong(*slot));
        }
    }
    Ok(())
}

pub(crate) fn long_has_a_uetr(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    if facts.slots.is_present(field::LONG_ID) && facts.plain(field::UETR_OR).is_none() {
        return Err(Breach::Missing(field::UETR_OR));
    }
    Ok(())
}

pub(crate) fn amounts_rise(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let of = |places: [SlotId; 2]| {
        let text = places.into_iter().find_map(|slot| facts.plain(slot))?;
        amount::parse(text).ok()
    };
    let from = of([field::FROM_AMOUNT, field::FROM_AMOUNT_OR]);
    let to = of([field::TO_AMOUNT, field::TO_AMOUNT_OR]);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(facts.wrong(field::TO_AMOUNT_OR));
    }
    Ok(())
}
