//! The BIN table: which issuer a card number leads to. Gateways look up in the published table; the engine only checks that the
//! row they found still holds.

use std::sync::Arc;

use torap_domain::{Time, card::Prefix};

use super::{BinRange, RANGES_MAX, Route};
use crate::codec::{FactsError, LayoutRule, Reader, Writer};

/// Ranges in the order of (length, digits, begin), with their version. Immutable; a change is another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinTable {
    version: u32,
    ranges: Box<[BinRange]>,
}

impl BinTable {
    /// A table before the first command about it.
    pub fn empty() -> BinTable {
        BinTable {
            version: 0,
            ranges: Box::default(),
        }
    }

    /// The table of these rows, in any order; none if there are too many, if two of one prefix hold at one time, if a row holds
    /// never, or if one of the local instrument names a foreign scheme.
    pub fn new(version: u32, ranges: &[BinRange]) -> Option<BinTable> {
        let mut sorted: Box<[BinRange]> = ranges.into();
        sorted.sort_unstable_by_key(place);
        let sound = sorted.len() <= RANGES_MAX
            && sorted.iter().all(is_sound)
            && sorted.is_sorted_by(|one, next| {
                one.prefix != next.prefix || one.until.is_some_and(|until| until <= next.from)
            });
        sound.then_some(BinTable {
            version,
            ranges: sorted,
        })
    }

    /// The version, which a route made with this table carries.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Every row, in the order that routes count in.
    pub fn ranges(&self) -> &[BinRange] {
        &self.ranges
    }

    /// The row of a card number at a time: of those that hold, the one with the longest prefix.
    pub fn route(&self, card: &[u8], at: Time) -> Option<(Route, &BinRange)> {
        (Prefix::DIGITS_MIN..=Prefix::DIGITS_MAX)
            .rev()
            .filter_map(|length| Prefix::of(card, length))
            .find_map(|prefix| self.find(prefix, at))
    }

    /// The row that a route names, if it is of this table.
    pub fn range(&self, route: Route) -> Option<&BinRange> {
        if route.version != self.version {
            return None;
        }
        self.ranges.get(usize::try_from(route.range).ok()?)
    }

    fn find(&self, prefix: Prefix, at: Time) -> Option<(Route, &BinRange)> {
        let wanted = (prefix.length(), prefix.digits(), at);
        let after = self.ranges.partition_point(|range| place(range) <= wanted);
        let index = after.checked_sub(1)?;
        let range = self.ranges.get(index)?;
        let found = range.prefix == prefix && range.holds(at);
        let route = Route {
            version: self.version,
            range: u32::try_from(index).ok()?,
        };
        found.then_some((route, range))
    }
}

/// The table that holds, and the one before: what a gateway looked up while the table changed still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bins {
    current: Arc<BinTable>,
    previous: Arc<BinTable>,
}

impl Bins {
    pub(super) fn new() -> Bins {
        let empty = Arc::new(BinTable::empty());
        Bins {
            current: Arc::clone(&empty),
            previous: empty,
        }
    }

    pub(super) fn current(&self) -> &Arc<BinTable> {
        &self.current
    }

    /// The row that a route names; none if its table no longer holds.
    #[inline]
    pub(super) fn range(&self, route: Route) -> Option<&BinRange> {
        self.current
            .range(route)
            .or_else(|| self.previous.range(route))
    }

    /// Replaces the table.
    pub(super) fn set(&mut self, table: Arc<BinTable>) {
        self.previous = std::mem::replace(&mut self.current, table);
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        for table in [&self.previous, &self.current] {
            writer.u32(table.version);
            writer.list(&table.ranges);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Bins, FactsError> {
        let mut tables = Bins::new();
        for _ in 0..2 {
            let offset = reader.offset();
            let version = reader.u32("table version")?;
            let ranges: Vec<BinRange> = reader.list("ranges")?;
            let table = BinTable::new(version, &ranges).filter(|table| *table.ranges == *ranges);
            let table = table.ok_or_else(|| reader.error("ranges", offset, LayoutRule::Value))?;
            tables.set(Arc::new(table));
        }
        Ok(tables)
    }
}

impl BinRange {
    /// Whether the row holds at a time.
    pub fn holds(&self, at: Time) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

fn place(range: &BinRange) -> (u8, u64, Time) {
    (range.prefix.length(), range.prefix.digits(), range.from)
}

fn is_sound(range: &BinRange) -> bool {
    let ever = range.until.is_none_or(|until| range.from < until);
    ever && !(range.local && range.scheme != 0)
}

#[cfg(test)]
mod tests;
