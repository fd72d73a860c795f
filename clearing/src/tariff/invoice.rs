//! What a period comes to.

use std::collections::BTreeMap;

use torap_domain::{ParticipantId, Position};

use super::{Charge, Item, Side, Table, Usage};

/// What a line sums up: charges of a participant by one row of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    pub participant: ParticipantId,
    pub item: Item,
    pub side: Side,
    /// The record that set the table.
    pub table: Position,
    pub row: u16,
}

/// Sums of a line; amounts in minor units of KZT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub count: u64,
    pub amount: u128,
    pub bytes: u128,
    pub fee: u128,
}

/// Charges of a period, by line; and beside them what card sessions have already taken as switch fees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoice {
    lines: BTreeMap<LineKey, Line>,
    taken: BTreeMap<ParticipantId, i128>,
}

/// What a participant owes for a period, in minor units of KZT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Its lines.
    pub charged: u128,
    /// What is missing to the monthly minimum.
    pub top_up: u128,
    /// Switch fees that card sessions have taken in the period, less what they gave back. Not part of what is due.
    pub taken: i128,
}

impl Invoice {
    pub fn new() -> Invoice {
        Invoice::default()
    }

    /// Adds what one side of a usage is charged by the table set at `table`.
    pub fn add(&mut self, usage: &Usage, charge: &Charge, table: Position) {
        let line = self.lines.entry(LineKey {
            participant: charge.participant,
            item: usage.item,
            side: charge.side,
            table,
            row: charge.row,
        });
        let line = line.or_default();
        let count = u64::from(usage.count);
        line.count = line.count.saturating_add(count);
        let amount = u128::from(usage.amount).saturating_mul(u128::from(count));
        line.amount = line.amount.saturating_add(amount);
        line.bytes = line.bytes.saturating_add(u128::from(usage.bytes));
        line.fee = line.fee.saturating_add(u128::from(charge.fee));
    }

    /// Adds a switch fee that a card session took, or gave back if it is below zero.
    pub fn add_taken(&mut self, participant: ParticipantId, fee: i128) {
        let taken = self.taken.entry(participant).or_default();
        *taken = taken.saturating_add(fee);
    }

    /// Every line, by participant, item, side, table and row.
    pub fn lines(&self) -> impl Iterator<Item = (&LineKey, &Line)> + '_ {
        self.lines.iter()
    }

    /// What a participant owes; `table` is the one in force when the period ends and says its minimum.
    pub fn due(&self, participant: ParticipantId, table: &Table) -> Due {
        let own = self
            .lines
            .iter()
            .filter(|(key, _)| key.participant == participant);
        let charged = own.fold(0_u128, |sum, (_, line)| sum.saturating_add(line.fee));
        let minimum = u128::from(table.minimum(participant));
        Due {
            charged,
            top_up: minimum.saturating_sub(charged),
            taken: self.taken.get(&participant).copied().unwrap_or(0),
        }
    }
}

impl Due {
    /// What is invoiced.
    pub fn total(&self) -> u128 {
        self.charged.saturating_add(self.top_up)
    }
}
