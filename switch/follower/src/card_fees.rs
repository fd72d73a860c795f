//! What the card transactions of a stretch of the log cost, and would have cost by another fee table.
//!
//! A second engine goes over the same records with that table in place of every one that the log sets. Answers, completions and
//! reversals stand in the log, so that both post the same transactions, but where a cap declines: fees count towards it, and other fees
//! may reach it elsewhere. What began before the stretch keeps its fees.

use std::collections::BTreeMap;

use torap_core::Replay;
use torap_domain::{ParticipantId, Position, Time};
use torap_engine::{
    Event, Output,
    cards::{self, FeeRow, Posting, Side},
};
use torap_journal::{Depth, Reader, RecordStream};

use crate::{
    FollowerError, Measured, Rebuilt,
    metering::{PROGRESS_EVERY_RECORDS, issuer_of},
};

/// What a participant paid, in minor units; below zero what it got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardCosts {
    pub interchange: i128,
    /// Switch fees.
    pub switch: i128,
}

/// By participant: by the tables that were in force, and by the one that was tried.
pub type ComparedCosts = BTreeMap<ParticipantId, [CardCosts; 2]>;

/// Compares the fees of every record behind `from` and stamped before `until` with those of another table; none if the rows are not
/// sound.
///
/// # Errors
/// The log cannot be read or replayed.
pub fn compare_card_fees(
    log: &Reader,
    from: Rebuilt,
    until: Time,
    rows: &[FeeRow],
    progress: &mut dyn FnMut(Position),
) -> Result<Option<(Measured, ComparedCosts)>, FollowerError> {
    let mut other = from.engine.clone();
    if !other.try_card_fees(rows) {
        return Ok(None);
    }
    let mut replay = Replay::new(from.engine, from.recovered);
    let mut cursor = log.read_from(replay.position().next().value(), Depth::Facts)?;
    let mut output = Output::new();
    let mut costs = ComparedCosts::new();
    let (mut records, mut complete) = (0_u64, false);
    while let Some(record) = cursor.next()? {
        if Time::from_nanos(record.meta.time) >= until {
            complete = true;
            break;
        }
        let applied = replay.apply(&record.meta, record.facts)?;
        add(&mut costs, 0, applied.events);
        output.clear();
        other.apply(applied.stamp, &applied.command, &mut output);
        add(&mut costs, 1, &output.events);
        if other.card_fees() != rows {
            // The record set another one. These rows have been found sound.
            other.try_card_fees(rows);
        }
        records += 1;
        if records.is_multiple_of(PROGRESS_EVERY_RECORDS) {
            progress(replay.position());
        }
    }
    let (engine, recovered) = replay.into_parts();
    let measured = Measured {
        engine,
        recovered,
        records,
        complete,
    };
    Ok(Some((measured, costs)))
}

fn add(costs: &mut ComparedCosts, which: usize, events: &[Event]) {
    for event in events {
        if let Event::Card(cards::Event::Posted(posting)) = event {
            post(costs, which, posting);
        }
    }
}

fn post(costs: &mut ComparedCosts, which: usize, posting: &Posting) {
    let (acquirer, issuer) = (posting.acquirer, issuer_of(posting));
    let fees = &posting.fees;
    let (payer, payee) = match fees.interchange_to {
        Side::Issuer => (acquirer, issuer),
        Side::Acquirer => (issuer, acquirer),
    };
    let sign = if posting.reversal { -1 } else { 1 };
    let mut change = |participant, interchange: i128, switch: i128| {
        let both = costs.entry(participant).or_default();
        if let Some(costs) = both.get_mut(which) {
            costs.interchange += sign * interchange;
            costs.switch += sign * switch;
        }
    };
    let interchange = i128::from(fees.interchange.minor());
    change(payer, interchange, 0);
    change(payee, -interchange, 0);
    change(acquirer, 0, i128::from(fees.switch_acquirer.minor()));
    change(issuer, 0, i128::from(fees.switch_issuer.minor()));
}
