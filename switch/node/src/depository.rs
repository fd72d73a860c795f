//! A simulated securities depository: delivery versus payment, model 1, against a running switch.
//!
//! It keeps a book of holdings in one file. For a delivery it blocks the securities first, then hands the money side to the switch, and
//! does with the block what the switch decides. **Its own clock decides nothing**: a time-out of its own, or a dead link, leaves the
//! block where it is, and the delivery is sent again until the switch says how it stands. A switch that does not know it, and whose
//! time for it is over, refuses it for ever; only then is the block released.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Deliveries of a book that have ended and are remembered.
const DONE_MAX: usize = 10_000;

/// Securities that are blocked for a delivery, and its money side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    pub isin: String,
    pub quantity: u64,
    /// Codes of participants.
    pub seller: String,
    pub buyer: String,
    /// In tenge.
    pub amount: String,
    /// RFC 3339.
    pub expires: String,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    Delivered,
    Released,
}

/// Holdings and blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// By ISIN and holder: what is free.
    pub holdings: BTreeMap<String, BTreeMap<String, u64>>,
    /// By the depository's reference.
    pub blocks: BTreeMap<String, Block>,
    pub done: BTreeMap<String, End>,
}

/// How a delivery stands at the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Waits,
    Settled,
    Ended,
    /// The switch does not know it.
    Unknown,
    /// The switch refused it because its time is over.
    TooLate,
    /// The switch refused it for another reason, or knows it already.
    Refused,
}

/// What the depository does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hands the money side over, perhaps again.
    Send,
    /// Asks again later; the block stays.
    Wait,
    /// The securities are the buyer's.
    Deliver,
    /// They are the seller's again.
    Release,
}

impl Standing {
    /// The whole rule; no time of the depository is in it.
    pub fn step(self) -> Step {
        match self {
            Standing::Settled => Step::Deliver,
            Standing::Ended | Standing::TooLate => Step::Release,
            Standing::Unknown => Step::Send,
            Standing::Waits | Standing::Refused => Step::Wait,
        }
    }
}

impl Book {
    /// The book of a file; an empty one if there is none.
    ///
    /// # Errors
    /// The file cannot be read or is no book.
    pub fn load(path: &Path) -> Result<Book, String> {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| at(&error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Book::default()),
            Err(error) => Err(at(&error)),
        }
    }

    /// Writes the book whole, or leaves the old one.
    ///
    /// # Errors
    /// The disk.
    pub fn save(&self, path: &Path) -> Result<(), String> {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let next = PathBuf::from(format!("{}.next", path.display()));
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| at(&error))?;
        let write = || {
            let mut file = fs::File::create(&next)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&next, path)
        };
        write().map_err(|error| at(&error))
    }

    /// New securities for a holder.
    ///
    /// # Errors
    /// The sum is beyond 64 bits.
    pub fn issue(&mut self, isin: &str, holder: &str, quantity: u64) -> Result<(), String> {
        let of = self.holdings.entry(isin.into()).or_default();
        let held = of.entry(holder.into()).or_default();
        *held = held
            .checked_add(quantity)
            .ok_or("more securities than a book holds")?;
        Ok(())
    }

    /// Takes the seller's securities out of what is free.
    ///
    /// # Errors
    /// The reference is used, or the seller has not as many.
    pub fn block(&mut self, reference: &str, block: Block) -> Result<(), String> {
        if self.blocks.contains_key(reference) || self.done.contains_key(reference) {
            return Err(format!("{reference} is used already"));
        }
        let of = self.holdings.entry(block.isin.clone()).or_default();
        let held = of.entry(block.seller.clone()).or_default();
        *held = held.checked_sub(block.quantity).ok_or_else(|| {
            format!(
                "{} has fewer than {} of {}",
                block.seller, block.quantity, block.isin
            )
        })?;
        self.blocks.insert(reference.into(), block);
        Ok(())
    }

    /// Ends a block: the securities are the buyer's, or the seller's again.
    ///
    /// # Errors
    /// There is no such block.
    pub fn end(&mut self, reference: &str, end: End) -> Result<(), String> {
        let block = self
            .blocks
            .remove(reference)
            .ok_or_else(|| format!("no block {reference}"))?;
        let holder = match end {
            End::Delivered => &block.buyer,
            End::Released => &block.seller,
        };
        self.issue(&block.isin, holder, block.quantity)?;
        if self.done.len() >= DONE_MAX {
            self.done.pop_first();
        }
        self.done.insert(reference.into(), end);
        Ok(())
    }

    /// Everything there is of a security, blocked or free.
    pub fn total(&self, isin: &str) -> u64 {
        let free = self
            .holdings
            .get(isin)
            .into_iter()
            .flat_map(|of| of.values());
        let blocks = self.blocks.values().filter(|block| block.isin == isin);
        free.sum::<u64>() + blocks.map(|block| block.quantity).sum::<u64>()
    }
}

#[cfg(test)]
mod tests;
