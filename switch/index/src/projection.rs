//! What each event means for the index; the same for every storage.

use torap_domain::{Bic, ParticipantId, Phone, Position, Uetr};
use torap_engine::{
    Event, Outbound,
    directory::{Account, ImportEntry, Person, Record},
    instant::{Finished, PaymentKey},
};

use crate::{
    Added, CardOf, Changes, Counts, IndexError,
    naming::{IdentifierHash, Naming},
};

/// A storage in the middle of one atomic change. Reads see what the same change wrote before.
pub(crate) trait Tables {
    fn finished(&self, key: &PaymentKey) -> Result<Option<Finished>, IndexError>;
    /// Stores the payment or return under its key alone.
    fn put_finished(&mut self, finished: &Finished);
    /// UETR to payment.
    fn put_uetr(&mut self, payment: &Finished);
    /// UETR of the original to a return.
    fn put_return(&mut self, payment_return: &Finished);
    /// A row in the participant's list.
    fn put_history(&mut self, participant: ParticipantId, finished: &Finished);
    fn put_outbound(&mut self, outbound: &Outbound);
    /// Identifier to a record that carries it.
    fn put_identifier(&mut self, identifier: IdentifierHash, position: Position);
    /// UETR to a record that concerns the payment.
    fn put_concerning(&mut self, uetr: &Uetr, position: Position);
    /// What a record did to a card transaction, as it is stored.
    fn put_card(&mut self, of: CardOf, position: Position, steps: &[u8]);
    /// For each number whether the directory holds it, in the same order.
    fn held(&self, phones: &[Phone], held: &mut Vec<bool>) -> Result<(), IndexError>;
    fn put_alias(&mut self, record: &Record);
    fn remove_alias(&mut self, phone: Phone);
    fn counts(&mut self) -> &mut Counts;
}

/// Carries `changes` beyond `applied` over to the tables.
pub(crate) fn project(
    changes: &Changes,
    applied: Position,
    tables: &mut impl Tables,
) -> Result<Added, IndexError> {
    let mut added = Added::default();
    for brought in changes.iter() {
        let position = brought.position;
        if position <= applied {
            added.skipped += 1;
            continue;
        }
        added.entries += 1;
        for event in brought.events {
            project_event(position, event, tables)?;
        }
        for entry in brought.outbound {
            tables.put_outbound(entry);
            tables.counts().outbound += 1;
        }
        for naming in brought.namings {
            match naming {
                Naming::Identifier(identifier) => tables.put_identifier(*identifier, position),
                Naming::Concerns(uetr) => tables.put_concerning(uetr, position),
                Naming::Card(name, message) => tables.put_identifier(*name, *message),
            }
        }
        for (of, steps) in brought.cards {
            let steps = brought.card_bytes.get(steps.clone()).unwrap_or_default();
            tables.put_card(*of, position, steps);
        }
    }
    Ok(added)
}

fn project_event(
    position: Position,
    event: &Event,
    tables: &mut impl Tables,
) -> Result<(), IndexError> {
    match event {
        Event::PaymentFinished(payment) => {
            put_both_sides(payment, tables);
            tables.put_uetr(payment);
            tables.counts().payments += 1;
        }
        Event::ReturnFinished(payment_return) => {
            put_both_sides(payment_return, tables);
            tables.put_return(payment_return);
            tables.counts().returns += 1;
        }
        Event::PaymentReturned { original, returned } => {
            let Some(mut finished) = tables.finished(original)? else {
                return Err(IndexError::OriginalMissing {
                    position,
                    original: *original,
                });
            };
            finished.returned = *returned;
            tables.put_finished(&finished);
        }
        Event::DirectoryChanged(record) => change_alias(record, tables)?,
        Event::DirectoryImported {
            participant,
            agent,
            entries,
        } => {
            import(position, *participant, *agent, entries, tables)?;
        }
        Event::PaymentReserved { .. }
        | Event::ParticipantChanged(_)
        | Event::LinkChanged { .. }
        | Event::PositionChanged { .. }
        | Event::LateAnswer { .. }
        | Event::Refused { .. }
        | Event::Card(_)
        | Event::Settlement(_)
        | Event::Clearing(_)
        | Event::Ancillary(_)
        | Event::Dispute(_) => {}
    }
    Ok(())
}

fn put_both_sides(finished: &Finished, tables: &mut impl Tables) {
    tables.put_finished(finished);
    let (debtor, creditor) = (finished.debtor_agent, finished.creditor_agent);
    // The switch stands where an agent was never known, and keeps no list.
    for participant in [Some(debtor), (creditor != debtor).then_some(creditor)]
        .into_iter()
        .flatten()
    {
        if participant != ParticipantId::SWITCH {
            tables.put_history(participant, finished);
        }
    }
}

/// A record without persons is gone.
fn change_alias(record: &Record, tables: &mut impl Tables) -> Result<(), IndexError> {
    let mut held = Vec::with_capacity(1);
    tables.held(&[record.phone], &mut held)?;
    let held = held.first().is_some_and(|held| *held);
    match (held, record.persons.is_empty()) {
        (_, false) => {
            tables.put_alias(record);
            tables.counts().aliases += u64::from(!held);
        }
        (true, true) => {
            tables.remove_alias(record.phone);
            tables.counts().aliases = tables.counts().aliases.saturating_sub(1);
        }
        (false, true) => {}
    }
    Ok(())
}

/// Adds the entries whose number is not held; of two entries for one number the first counts.
fn import(
    position: Position,
    participant: ParticipantId,
    agent: Bic,
    entries: &[ImportEntry],
    tables: &mut impl Tables,
) -> Result<(), IndexError> {
    // In key order, which is what a storage reads and writes fastest; the sort is stable, so the first entry stays first.
    let mut sorted: Vec<&ImportEntry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.phone);
    let given = sorted.len() as u64;
    sorted.dedup_by_key(|entry| entry.phone);
    let phones: Vec<Phone> = sorted.iter().map(|entry| entry.phone).collect();
    let mut held = Vec::with_capacity(phones.len());
    tables.held(&phones, &mut held)?;
    let mut record = None;
    let mut added = 0;
    for (entry, _) in sorted.iter().zip(&held).filter(|(_, held)| !**held) {
        tables.put_alias(fill(&mut record, entry, participant, agent, position));
        added += 1;
    }
    let counts = tables.counts();
    counts.aliases += added;
    counts.import_added += added;
    counts.import_held += given - added;
    Ok(())
}

/// The record of one imported entry, in a record that is used again and again.
fn fill<'a>(
    reused: &'a mut Option<Record>,
    entry: &ImportEntry,
    participant: ParticipantId,
    agent: Bic,
    position: Position,
) -> &'a Record {
    let account = Account {
        participant,
        agent,
        iban: entry.iban,
        name: entry.name,
    };
    let record = reused.get_or_insert_with(|| Record {
        phone: entry.phone,
        persons: vec![Person {
            person: entry.person,
            accounts: vec![account],
            default: 0,
            claim: None,
        }],
        suspended: false,
        changed_at: position,
    });
    record.phone = entry.phone;
    if let [person] = record.persons.as_mut_slice() {
        person.person = entry.person;
        person.accounts.clear();
        person.accounts.push(account);
    }
    record
}
