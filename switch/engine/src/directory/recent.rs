//! The last changes of the directory: tells whether what a gateway looked up still holds.
//!
//! The gateway reads the index, which follows the log with a short delay. A fact is current if its number did not change
//! after the position as of which it was read. Positions of changes are kept for the last
//! [`Bounds::recent_alias_changes_max`](crate::Bounds) changes; a fact older than what was forgotten counts as stale.
//!
//! Memory: 16 bytes a change in the queue and about as much in the map.

use std::collections::{BTreeMap, VecDeque};

use torap_domain::Position;

use super::AliasKey;
use crate::codec::{FactsError, LayoutRule, Reader, Writer};

/// Changes forgotten for one that is noted, at most: a bound that was lowered is reached step by step.
const DROPS_MAX: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recent {
    /// In the order of the log.
    changes: VecDeque<(AliasKey, Position)>,
    /// The last change of each number in `changes`.
    last: BTreeMap<AliasKey, Position>,
    /// The newest change that was forgotten.
    dropped_upto: Position,
    /// The last bulk import. It may have added any number that was not there before.
    imported_upto: Position,
}

impl Recent {
    pub(super) fn new() -> Recent {
        Recent {
            changes: VecDeque::new(),
            last: BTreeMap::new(),
            dropped_upto: Position::ZERO,
            imported_upto: Position::ZERO,
        }
    }

    /// Notes that the record at `position` changes a number.
    pub(super) fn note(&mut self, alias: AliasKey, position: Position, entries_max: u32) {
        self.changes.push_back((alias, position));
        self.last.insert(alias, position);
        for _ in 0..DROPS_MAX {
            if self.changes.len() <= entries_max as usize {
                break;
            }
            self.forget_oldest();
        }
    }

    /// Notes a bulk import.
    pub(super) fn note_import(&mut self, position: Position) {
        self.imported_upto = position;
    }

    /// Whether nothing but an import can have changed the number since `as_of`. An import never touches a number that is
    /// already there, so this is enough for all who only read.
    pub(super) fn is_current(&self, alias: AliasKey, as_of: Position) -> bool {
        if as_of < self.dropped_upto {
            return false;
        }
        // Nearly always the index has seen the newest change, and no search is needed.
        if self
            .changes
            .back()
            .is_none_or(|(_, newest)| *newest <= as_of)
        {
            return true;
        }
        self.last
            .get(&alias)
            .is_none_or(|changed| *changed <= as_of)
    }

    /// Whether an import may have added numbers since `as_of`: then "not there" is no ground for adding one.
    pub(super) fn imported_since(&self, as_of: Position) -> bool {
        self.imported_upto > as_of
    }

    fn forget_oldest(&mut self) {
        if let Some((alias, position)) = self.changes.pop_front() {
            if self.last.get(&alias) == Some(&position) {
                self.last.remove(&alias);
            }
            self.dropped_upto = position;
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.dropped_upto);
        writer.put(&self.imported_upto);
        writer.count(self.changes.len());
        for (alias, position) in &self.changes {
            writer.put(alias);
            writer.put(position);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Recent, FactsError> {
        let mut recent = Recent::new();
        recent.dropped_upto = reader.field("directory dropped upto")?;
        recent.imported_upto = reader.field("directory imported upto")?;
        let mut before = recent.dropped_upto;
        for _ in 0..reader.count("directory changes")? {
            let alias = reader.field("alias")?;
            let offset = reader.offset();
            let position: Position = reader.field("changed at")?;
            if position <= before {
                return Err(reader.error("changed at", offset, LayoutRule::Value));
            }
            before = position;
            recent.changes.push_back((alias, position));
            recent.last.insert(alias, position);
        }
        Ok(recent)
    }
}

#[cfg(test)]
mod tests;
