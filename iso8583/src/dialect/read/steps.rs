//! Presence by message and step, and the conditional rules.

use super::{
    ROWS_MAX,
    place::{Keys, Place, TableError},
};
use crate::{
    dialect::{Condition, Demand, Dialect, Layout, Presence, StepRule, pack},
    field_set::FieldSet,
    mti::Mti,
    refusal::Key,
    step::Step,
};

pub(super) fn rules(root: &Keys<'_>, dialect: &mut Dialect) -> Result<(), TableError> {
    let Some(place) = root.get("rules") else {
        return Ok(());
    };
    for place in place.list()? {
        let rule = rule(&place, dialect)?;
        if dialect.rules.iter().any(|known| known.name == rule.name) {
            return place.wrong(format!("the name {} stands twice", rule.name));
        }
        if dialect.rules.len() == ROWS_MAX {
            return place.wrong(format!("more than {ROWS_MAX} rules"));
        }
        dialect.rules.push(rule);
    }
    Ok(())
}

fn rule(place: &Place<'_>, dialect: &Dialect) -> Result<StepRule, TableError> {
    let keys = place.keys(&[
        "name", "text", "when", "must", "must_not", "one_of", "tag", "luhn",
    ])?;
    let set = |key: &str| {
        keys.get(key)
            .map_or(Ok(FieldSet::EMPTY), |place| known(&place, dialect))
    };
    let mut when = Vec::new();
    if let Some(place) = keys.get("when") {
        for place in place.list()? {
            when.push(condition(&place, dialect)?);
        }
    }
    let tag = keys
        .get("tag")
        .map(|place| field_and_tag(&place, dialect))
        .transpose()?;
    let luhn = match keys.get("luhn") {
        None => None,
        Some(place) => {
            let number = place.number(2, 128)? as u8;
            if !dialect.known.contains(number) {
                return place.wrong("there is no such field");
            }
            Some(number)
        }
    };
    let rule = StepRule {
        name: keys.need("name")?.text()?.to_owned(),
        text: keys.need("text")?.text()?.to_owned(),
        when,
        must: set("must")?,
        must_not: set("must_not")?,
        one_of: set("one_of")?,
        tag,
        luhn,
    };
    let asks = !rule.must.union(rule.must_not).union(rule.one_of).is_empty()
        || tag.is_some()
        || luhn.is_some();
    if asks {
        Ok(rule)
    } else {
        place.wrong("the rule asks for nothing")
    }
}

/// A set of fields that the dialect has.
fn known(place: &Place<'_>, dialect: &Dialect) -> Result<FieldSet, TableError> {
    let set = fields(place)?;
    match set.difference(dialect.known).first() {
        None => Ok(set),
        Some(field) => place.wrong(format!("there is no field {field}")),
    }
}

fn fields(place: &Place<'_>) -> Result<FieldSet, TableError> {
    FieldSet::parse(place.text()?).or_else(|what| place.wrong(what))
}

/// `52`, `any 65-127`, `none 65-127`, `39 in 00 10`, `22[1-2] in 05 07`, `!3[1-2] in 31 33`.
fn condition(place: &Place<'_>, dialect: &Dialect) -> Result<Condition, TableError> {
    let text = place.text()?;
    let set = |text: &str| FieldSet::parse(text).or_else(|what| place.wrong(what));
    if let Some(rest) = text.strip_prefix("any ") {
        return Ok(Condition::Any(set(rest)?));
    }
    if let Some(rest) = text.strip_prefix("none ") {
        return Ok(Condition::None(set(rest)?));
    }
    let Some((subject, values)) = text.split_once(" in ") else {
        return Ok(Condition::Any(known(place, dialect)?));
    };
    let (not, subject) = match subject.strip_prefix('!') {
        Some(subject) => (true, subject),
        None => (false, subject),
    };
    let (field, range) = match subject.split_once('[') {
        Some((field, range)) => (field, range.strip_suffix(']').and_then(characters)),
        None => (subject, Some((0, u8::MAX))),
    };
    let field = field
        .parse()
        .ok()
        .filter(|field| dialect.known.contains(*field));
    let (Some(field), Some((from, to))) = (field, range) else {
        return place.wrong(
            "`FIELD in VALUE…` or `FIELD[FROM-TO] in VALUE…` of a field that is there is expected",
        );
    };
    let values: Option<Vec<u64>> = values
        .split_ascii_whitespace()
        .map(|value| pack(value.as_bytes()))
        .collect();
    match values {
        Some(values) if !values.is_empty() => Ok(Condition::In {
            field,
            from,
            to,
            not,
            values,
        }),
        _ => place.wrong("values of one to eight characters are expected"),
    }
}

/// `1-2`: characters counted from 1, both included.
fn characters(text: &str) -> Option<(u8, u8)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.parse::<u8>().ok()?, to.parse::<u8>().ok()?);
    (1 <= from && from <= to && to - from < 8 && to < u8::MAX).then(|| (from - 1, to))
}

/// `48.EC`.
fn field_and_tag(place: &Place<'_>, dialect: &Dialect) -> Result<(u8, Key), TableError> {
    let found = place.text()?.split_once('.').and_then(|(field, tag)| {
        let field = field.parse().ok()?;
        let Some(Layout::Tags { form, .. }) = &dialect.field(field)?.layout else {
            return None;
        };
        let key = Key::tag(tag.as_bytes())
            .filter(|_| !form.binary && tag.len() == usize::from(form.tag))?;
        Some((field, key))
    });
    match found {
        Some(found) => Ok(found),
        None => place.wrong("`FIELD.TAG` of a field with tags is expected"),
    }
}

pub(super) fn presence(root: &Keys<'_>, dialect: &mut Dialect) -> Result<(), TableError> {
    let Some(place) = root.get("presence") else {
        return Ok(());
    };
    for place in place.list()? {
        let row = row(&place, dialect)?;
        if dialect.presences.len() == ROWS_MAX {
            return place.wrong(format!("more than {ROWS_MAX} rows"));
        }
        let number = dialect.presences.len() as u8 + 1;
        for mti in &row.mtis {
            let message = dialect
                .messages
                .iter_mut()
                .find(|message| message.mti == *mti);
            let Some(message) = message else {
                return place.wrong(format!("there is no message type {mti}"));
            };
            for step in &row.steps {
                let slot = &mut message.steps[*step as usize];
                if *slot != 0 {
                    return place.wrong(format!(
                        "message type {mti} has a row for step {step} already"
                    ));
                }
                *slot = number;
            }
        }
        dialect.presences.push(row);
    }
    Ok(())
}

fn row(place: &Place<'_>, dialect: &Dialect) -> Result<Presence, TableError> {
    let keys = place.keys(&["mti", "step", "must", "may", "rules"])?;
    let mti_place = keys.need("mti")?;
    let mut mtis = Vec::new();
    for word in mti_place.text()?.split_ascii_whitespace() {
        match Mti::parse(word.as_bytes()) {
            Some(mti) => mtis.push(mti),
            None => return mti_place.wrong(format!("`{word}` is no message type")),
        }
    }
    let step_place = keys.need("step")?;
    let mut steps = Vec::new();
    for word in step_place.text()?.split_ascii_whitespace() {
        match Step::named(word) {
            Some(step) => steps.push(step),
            None => {
                let names = Step::ALL.map(Step::name).join(", ");
                return step_place.wrong(format!("`{word}` is none of {names}"));
            }
        }
    }
    let must = known(&keys.need("must")?, dialect)?;
    let may = known(&keys.need("may")?, dialect)?;
    if let Some(field) = must.intersection(may).first() {
        return keys
            .need("may")?
            .wrong(format!("field {field} stands in both lists"));
    }
    let mut rules = Vec::new();
    if let Some(place) = keys.get("rules") {
        for word in place.text()?.split_ascii_whitespace() {
            match dialect.rules.iter().position(|rule| rule.name == word) {
                Some(rule) => rules.push(rule as u8),
                None => return place.wrong(format!("there is no rule `{word}`")),
            }
        }
    }
    let demand = |place: &u8| Demand::of(&dialect.rules[usize::from(*place)], *place);
    Ok(Presence {
        must,
        may,
        demands: rules.iter().map(demand).collect(),
        rules,
        mtis,
        steps,
    })
}
