//! Rules of a line of a list of beneficiaries. They look at the first Strd: a line is checked in a document that has no other.

use crate::profile::generated::credit_transfer as field;
use crate::profile::{Breach, Facts};
use crate::view::amount;
use crate::view::beneficiaries::person;

pub(crate) fn list_name(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    demand(facts, facts.slots.is_present(field::LIST_NAME), || {
        Breach::Missing(field::LIST_NAME)
    })
}

pub(crate) fn list_number(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let number = person(&facts.slots);
    let is_right = number.is_some_and(|number| {
        is_of_a_person(number) && (facts.formats.person_number)(number).is_ok()
    });
    demand(facts, is_right, || Breach::Missing(field::LIST_IIN))
}

pub(crate) fn list_amount(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let amount = facts.plain(field::LIST_AMOUNT);
    let is_right = amount.is_some_and(|text| amount::parse(text).is_ok())
        && facts.plain(field::LIST_CURRENCY) == Some("KZT");
    demand(facts, is_right, || Breach::Missing(field::LIST_AMOUNT))
}

pub(crate) fn list_period(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let year = facts.plain(field::LIST_YEAR);
    let month = facts.plain(field::LIST_MONTH);
    let is_year = year.is_some_and(|year| {
        year.len() == 4 && year.starts_with("20") && year.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_month = month.is_some_and(|month| month.starts_with("MM"));
    let is_one = facts.slots.count(field::LIST_RECORD) == 1;
    demand(facts, is_year && is_month && is_one, || {
        Breach::Missing(field::LIST_YEAR)
    })
}

/// The fifth digit of a BIN is 4, 5 or 6: there an IIN has the day's tens.
fn is_of_a_person(number: &str) -> bool {
    !matches!(number.as_bytes().get(4), Some(b'4'..=b'6'))
}

/// An item without a list has no lines to break a rule.
fn demand(
    facts: &Facts<'_, '_, '_>,
    holds: bool,
    breach: impl FnOnce() -> Breach,
) -> Result<(), Breach> {
    if holds || !facts.slots.is_present(field::STRUCTURED) {
        Ok(())
    } else {
        Err(breach())
    }
}
