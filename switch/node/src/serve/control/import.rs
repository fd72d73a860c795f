//! A bulk import into the directory: one command in the log, then what became of each row. A row that changed nothing is told, never
//! lost in silence.

use std::collections::HashSet;

use serde_json::{Value, json};
use torap_domain::{Iban, IinBin, ParticipantId, Phone, Position, Text};
use torap_engine::{
    Command,
    directory::{self, IMPORT_MAX, ImportEntry, Record},
};
use torap_index::Index;

use super::{
    change::{follow_up_to, in_request, participant_id, source},
    decide,
};
use crate::{
    control::{By, ImportRow, Refusal},
    serve::switch::Switch,
};

/// Rows of one request that are held and named; the others are counted.
const HELD_NAMED_MAX: usize = 20;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Imported,
    /// The account stands there as the row has it.
    There,
    /// Nothing was changed, for this reason.
    Held(&'static str),
}

/// Imports the rows, all in one command.
///
/// # Errors
/// Nothing was imported: a row is wrong, or the engine refuses.
pub(super) async fn import(
    switch: &Switch,
    by: &By,
    code: &str,
    rows: &[ImportRow],
) -> Result<Value, Refusal> {
    let participant = participant_id(switch, code)?;
    if rows.len() > IMPORT_MAX {
        return Err(Refusal::of_request(
            "rows",
            format!("at most {IMPORT_MAX} at once"),
        ));
    }
    let mut entries = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        entries.push(entry(row).map_err(in_request(&format!("rows[{number}]")))?);
    }
    let source = source(by)?;
    let command = directory::Command::Import {
        source,
        participant,
        entries: entries.clone(),
    };
    let mut decided = decide(switch, Command::Directory(command)).await?;
    let position = decided["position"].as_u64().map(Position::new);
    let Some(position) = position.filter(|_| decided.get("proposal").is_none()) else {
        return Ok(decided);
    };
    follow_up_to(switch, &decided).await;
    let fates = fates(switch, entries, participant, position).await?;
    let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|fate| wanted(fate)).count();
    decided["imported"] = count(|fate| matches!(fate, Fate::Imported)).into();
    decided["there"] = count(|fate| matches!(fate, Fate::There)).into();
    decided["held"] = count(|fate| matches!(fate, Fate::Held(_))).into();
    let held = fates
        .iter()
        .enumerate()
        .filter_map(|(row, fate)| match fate {
            Fate::Held(why) => Some(json!({ "row": row, "why": why })),
            Fate::Imported | Fate::There => None,
        });
    decided["held_rows"] = held.take(HELD_NAMED_MAX).collect();
    Ok(decided)
}

/// What the directory holds of each row's number once the command at `position` has been applied.
async fn fates(
    switch: &Switch,
    entries: Vec<ImportEntry>,
    participant: ParticipantId,
    position: Position,
) -> Result<Vec<Fate>, Refusal> {
    let index = std::sync::Arc::clone(&switch.index);
    let look = move || -> Result<Vec<Fate>, String> {
        let mut seen = HashSet::with_capacity(entries.len());
        let fates = entries.iter().map(|entry| {
            let found = index
                .alias(entry.phone)
                .map_err(|error| error.to_string())?;
            let is_first = seen.insert(entry.phone);
            Ok(fate(
                entry,
                found.value.as_ref(),
                participant,
                is_first.then_some(position),
            ))
        });
        fates.collect()
    };
    // The disk may have to be read for every row, which no thread of the gateway waits for.
    let looked = tokio::task::spawn_blocking(look).await;
    let looked = looked.unwrap_or_else(|error| Err(error.to_string()));
    looked.map_err(|error| {
        let text = format!(
            "the command is in the log at position {}, but what became of its rows cannot be read: {error}",
            position.value()
        );
        Refusal::of_request("rows", text)
    })
}

/// What became of an entry, by what its number has now; `imported_at` is none if an entry before it had the same number.
fn fate(
    entry: &ImportEntry,
    record: Option<&Record>,
    participant: ParticipantId,
    imported_at: Option<Position>,
) -> Fate {
    let Some(record) = record else {
        return Fate::Held("the number was taken out again at once");
    };
    let person = record
        .persons
        .iter()
        .find(|known| known.person == entry.person);
    let Some(person) = person else {
        return Fate::Held(match imported_at {
            Some(_) => "the number belongs to another person",
            None => "a row before it gives the number to another person",
        });
    };
    let mut accounts = person.accounts.iter();
    let account = accounts.find(|account| account.participant == participant);
    match account {
        Some(account) if account.iban != entry.iban => {
            Fate::Held("the bank has another account under the number")
        }
        Some(_) if imported_at.is_some_and(|position| record.changed_at >= position) => {
            Fate::Imported
        }
        Some(account) if account.name != entry.name => {
            Fate::Held("the account stands there with another name")
        }
        Some(_) => Fate::There,
        None => Fate::Held("the number has an account of another bank"),
    }
}

fn entry(row: &ImportRow) -> Result<ImportEntry, String> {
    Ok(ImportEntry {
        phone: Phone::parse(&row.phone).map_err(|error| format!("phone: {error}"))?,
        person: IinBin::parse(&row.person).map_err(|error| format!("person: {error}"))?,
        iban: Iban::parse(&row.iban).map_err(|error| format!("iban: {error}"))?,
        name: Text::try_from(row.name.as_str()).map_err(|error| format!("name: {error}"))?,
    })
}

#[cfg(test)]
mod tests;
