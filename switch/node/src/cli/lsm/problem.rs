//! The input: banks and payments with their names. Errors name the place in the file and the rule.

use std::collections::BTreeMap;

use torap_settlement::lsm::{Limit, Payment, Problem};

use super::json::Json;

/// The problem, and the identifiers of its payments.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) problem: Problem,
    pub(super) payment_ids: Vec<&'a str>,
}

type Members<'a> = BTreeMap<&'a str, &'a Json>;

impl<'a> Input<'a> {
    pub(super) fn read(json: &'a Json) -> Result<Input<'a>, String> {
        let top = members(json, "the input", &["banks", "payments"], &[])?;
        let banks = list(&top, "banks")?;
        let mut funds = Vec::with_capacity(banks.len());
        let mut places: BTreeMap<&str, u32> = BTreeMap::new();
        let mut limits_of = Vec::new();
        for (place, bank) in (0_u32..).zip(banks) {
            let at = format!("banks[{place}]");
            let bank = members(bank, &at, &["id", "balance"], &["bilateral_limits"])?;
            let id = text(&bank, &at, "id")?;
            if places.insert(id, place).is_some() {
                return Err(format!("{at}.id: a second bank `{id}`"));
            }
            funds.push(number(&bank, &at, "balance", 0)?);
            if let Some(limits) = bank.get("bilateral_limits") {
                limits_of.push((place, at, *limits));
            }
        }
        let bank_at = |at: &str, id: &str| {
            let place = places.get(id).copied();
            place.ok_or_else(|| format!("{at}: no bank `{id}` is listed"))
        };
        let mut limits = Vec::new();
        for (from, at, stated) in limits_of {
            let at = format!("{at}.bilateral_limits");
            let Json::Object(stated) = stated else {
                return Err(format!("{at}: an object is needed, not {}", stated.kind()));
            };
            let mut seen = BTreeMap::new();
            for (id, amount) in stated {
                let at = format!("{at}.{id}");
                let to = bank_at(&at, id)?;
                if to == from {
                    return Err(format!("{at}: a bank has no limit towards itself"));
                }
                if seen.insert(id, ()).is_some() {
                    return Err(format!("{at}: stated twice"));
                }
                let amount = unsigned(amount, &at, 0)?;
                limits.push(Limit { from, to, amount });
            }
        }
        let stated = list(&top, "payments")?;
        let mut payments = Vec::with_capacity(stated.len());
        let mut payment_ids = Vec::with_capacity(stated.len());
        let mut seen = BTreeMap::new();
        for (place, payment) in stated.iter().enumerate() {
            let at = format!("payments[{place}]");
            let payment = members(payment, &at, &["id", "from", "to", "amount"], &["priority"])?;
            let id = text(&payment, &at, "id")?;
            if seen.insert(id, ()).is_some() {
                return Err(format!("{at}.id: a second payment `{id}`"));
            }
            let from = bank_at(&format!("{at}.from"), text(&payment, &at, "from")?)?;
            let to = bank_at(&format!("{at}.to"), text(&payment, &at, "to")?)?;
            if from == to {
                return Err(format!("{at}: from and to are one bank"));
            }
            let amount = number(&payment, &at, "amount", 1)?;
            payments.push(Payment { from, to, amount });
            payment_ids.push(id);
        }
        let problem = Problem::new(funds, payments, &limits).map_err(|error| error.to_string())?;
        Ok(Input {
            problem,
            payment_ids,
        })
    }
}

/// The members of an object: those needed, perhaps the others named, and nothing else.
fn members<'a>(
    json: &'a Json,
    at: &str,
    needed: &[&str],
    allowed: &[&str],
) -> Result<Members<'a>, String> {
    let Json::Object(list) = json else {
        return Err(format!("{at}: an object is needed, not {}", json.kind()));
    };
    let mut members = Members::new();
    for (name, value) in list {
        if !needed.contains(&name.as_str()) && !allowed.contains(&name.as_str()) {
            return Err(format!("{at}: unknown member `{name}`"));
        }
        if members.insert(name, value).is_some() {
            return Err(format!("{at}.{name}: stated twice"));
        }
    }
    match needed.iter().find(|name| !members.contains_key(**name)) {
        Some(missing) => Err(format!("{at}: member `{missing}` is missing")),
        None => Ok(members),
    }
}

fn list<'a>(members: &Members<'a>, name: &str) -> Result<&'a [Json], String> {
    match members.get(name) {
        Some(Json::List(list)) => Ok(list),
        other => Err(format!("{name}: a list is needed, not {}", kind(other))),
    }
}

fn text<'a>(members: &Members<'a>, at: &str, name: &str) -> Result<&'a str, String> {
    match members.get(name) {
        Some(Json::Text(text)) if !text.is_empty() => Ok(text),
        Some(Json::Text(_)) => Err(format!("{at}.{name}: is empty")),
        other => Err(format!(
            "{at}.{name}: a text is needed, not {}",
            kind(other)
        )),
    }
}

fn number(members: &Members<'_>, at: &str, name: &str, least: u64) -> Result<u64, String> {
    let at = format!("{at}.{name}");
    match members.get(name) {
        Some(value) => unsigned(value, &at, least),
        None => Err(format!("{at}: is missing")),
    }
}

fn unsigned(value: &Json, at: &str, least: u64) -> Result<u64, String> {
    match value {
        Json::Unsigned(number) if *number >= least => Ok(*number),
        other => Err(format!(
            "{at}: a whole number of tiyn from {least} to {} is needed, not {}",
            u64::MAX,
            other.kind()
        )),
    }
}

fn kind(value: Option<&&Json>) -> String {
    value.map_or_else(|| "nothing".into(), |value| value.kind())
}
