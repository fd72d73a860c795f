//! Layouts of the commands about tariffs, and of the table, which snapshots share.

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer};
use crate::tariffs::{Command, Item, Minimum, Rate, Row, Side, Table};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Set { source, table } => {
            writer.put(source);
            writer.put(table);
        }
        Command::Note {
            source,
            participant,
            item,
            count,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(item);
            writer.u32(*count);
        }
    }
}

/// Reads what follows the version byte of a kind about tariffs.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    let source = reader.field("source")?;
    Ok(match kind {
        Kind::TariffSet => Command::Set {
            source,
            table: reader.field("table")?,
        },
        Kind::TariffNote => Command::Note {
            source,
            participant: reader.field("participant")?,
            item: reader.field("item")?,
            count: reader.u32("count")?,
        },
        _ => {
            let rule = LayoutRule::UnknownKind(kind.number());
            return Err(reader.error("kind", reader.offset(), rule));
        }
    })
}

/// Only a sound table is read.
impl Layout for Table {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.list(self.rows());
        writer.list(self.minima());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Table, FactsError> {
        let offset = reader.offset();
        let rows = reader.list("tariff rows")?;
        let minima = reader.list("tariff minimums")?;
        Table::new(rows, minima).map_err(|_| reader.error(field, offset, LayoutRule::Value))
    }
}

impl Layout for Item {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Item, FactsError> {
        reader.tag(field, Item::from_number)
    }
}

impl Layout for Side {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Side, FactsError> {
        reader.tag(field, Side::from_number)
    }
}

fields! {
    Row {
        item: "item",
        pays: "pays",
        participant: "participant",
        amount_from: "amount from",
        amount_to: "amount to",
        minute_from: "minute from",
        minute_until: "minute until",
        rate: "rate",
    }
    Rate {
        fixed: "fixed",
        millionths: "millionths",
        per_kb: "per kilobyte",
        least: "least",
        most: "most",
    }
    Minimum {
        participant: "participant",
        amount: "amount",
    }
}
