//! Rules of camt.060.

use crate::profile::generated::account_request as field;
use crate::profile::{Breach, Facts};

/// Digits of the number of an entry: more than any day can have.
const SEQUENCE_DIGITS_MAX: usize = 15;

pub(crate) fn one_day(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let (from, to) = (facts.plain(field::FROM_DATE), facts.plain(field::TO_DATE));
    let is_statement = facts
        .plain(field::WANTED)
        .is_some_and(|wanted| wanted.starts_with("camt.053"));
    if is_statement && from.is_none() {
        return Err(facts.wrong(field::FROM_DATE));
    }
    if to.is_some() && to != from {
        return Err(facts.wrong(field::TO_DATE));
    }
    Ok(())
}

pub(crate) fn sequence_is_a_number(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let Some(text) = facts.plain(field::FROM_SEQUENCE) else {
        return Ok(());
    };
    let digits =
        text.len() <= SEQUENCE_DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && text.parse::<u64>().is_ok_and(|number| number > 0) {
        Ok(())
    } else {
        Err(facts.wrong(field::FROM_SEQUENCE))
    }
}
