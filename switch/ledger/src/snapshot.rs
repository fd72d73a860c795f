//! The ledger as bytes: hand-written layout, version 1. All numbers little-endian.
//!
//! ```text
//! offset  size  field
//!      0     4  magic "TLGR"
//!      4     2  version, 1
//!      6     4  number of accounts n
//!     10  n×62  accounts in the order of their slots
//!
//! account
//!      0     2  owner
//!      2     2  book
//!      4     2  asset
//!      6    16  debits posted
//!     22    16  credits posted
//!     38     8  debits pending
//!     46     8  credits pending
//!     54     8  credit line
//! ```
//!
//! The digest runs over the same account bytes in the same order, so equal snapshots mean equal digests.

use crate::account::{Account, AccountId, AccountKey, Book};
use crate::ledger::{ConservationError, Ledger};
use std::fmt;
use torap_domain::{Asset, ParticipantId};

const MAGIC: [u8; 4] = *b"TLGR";
const VERSION: u16 = 1;
const ACCOUNT_BYTES: usize = 62;

/// Why bytes are not a snapshot of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerDecodeError {
    /// The bytes do not begin with the magic.
    Magic,
    /// The layout is of a version this binary does not read.
    Version {
        /// The version found.
        found: u16,
    },
    /// The bytes end too early.
    Truncated,
    /// The account in this slot has a book this binary does not know.
    Book {
        /// The slot.
        account: AccountId,
        /// The number found.
        found: u16,
    },
    /// The account in this slot is of an asset this binary does not know.
    Asset {
        /// The slot.
        account: AccountId,
        /// The number found.
        found: u16,
    },
    /// The account in this slot has the key of an earlier one.
    Duplicate {
        /// The slot.
        account: AccountId,
    },
    /// A posted sum of the account in this slot is beyond what the ledger can hold.
    PostedSum {
        /// The slot.
        account: AccountId,
    },
    /// The accounts do not balance.
    Conservation(ConservationError),
}

impl Ledger {
    /// Appends the snapshot of the ledger.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        let count = u32::try_from(self.accounts().count()).unwrap_or(u32::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        for (_, account) in self.accounts() {
            out.extend_from_slice(&account_bytes(account));
        }
    }

    /// Reads a snapshot and gives back what follows it. The accounts are checked as
    /// [`Ledger::check_conservation`] does.
    pub fn decode(bytes: &[u8]) -> Result<(Ledger, &[u8]), LedgerDecodeError> {
        let mut reader = Reader { rest: bytes };
        if reader.take().ok_or(LedgerDecodeError::Truncated)? != MAGIC {
            return Err(LedgerDecodeError::Magic);
        }
        let found = reader.u16()?;
        if found != VERSION {
            return Err(LedgerDecodeError::Version { found });
        }
        let count = reader.u32()?;
        let mut ledger = Ledger::new();
        for slot in 0..count {
            let id = AccountId(slot);
            let account = read_account(&mut reader, id)?;
            ledger
                .restore(account)
                .ok_or(LedgerDecodeError::Duplicate { account: id })?;
        }
        ledger
            .check_conservation()
            .map_err(LedgerDecodeError::Conservation)?;
        Ok((ledger, reader.rest))
    }

    /// Feeds every account to a hash, in the order of their slots, without allocating.
    pub fn digest(&self, feed: &mut impl FnMut(&[u8])) {
        for (_, account) in self.accounts() {
            feed(&account_bytes(account));
        }
    }
}

impl fmt::Display for LedgerDecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LedgerDecodeError::Magic => {
                formatter.write_str("not a ledger snapshot: it does not begin with TLGR")
            }
            LedgerDecodeError::Version { found } => {
                write!(
                    formatter,
                    "ledger snapshot of version {found}; this binary reads version {VERSION}"
                )
            }
            LedgerDecodeError::Truncated => {
                formatter.write_str("the ledger snapshot ends too early")
            }
            LedgerDecodeError::Book { account, found } => {
                write!(formatter, "account {}: unknown book {found}", account.0)
            }
            LedgerDecodeError::Asset { account, found } => {
                write!(formatter, "account {}: unknown asset {found}", account.0)
            }
            LedgerDecodeError::Duplicate { account } => {
                write!(
                    formatter,
                    "account {}: owner, book and asset are those of an earlier account",
                    account.0
                )
            }
            LedgerDecodeError::PostedSum { account } => {
                write!(
                    formatter,
                    "account {}: a posted sum is too large",
                    account.0
                )
            }
            LedgerDecodeError::Conservation(error) => {
                write!(formatter, "the accounts do not balance: {error}")
            }
        }
    }
}

impl std::error::Error for LedgerDecodeError {}

fn account_bytes(account: &Account) -> [u8; ACCOUNT_BYTES] {
    let key = account.key;
    let mut bytes = [0; ACCOUNT_BYTES];
    let mut rest: &mut [u8] = &mut bytes;
    let mut put = |piece: &[u8]| {
        if let Some((head, tail)) = std::mem::take(&mut rest).split_at_mut_checked(piece.len()) {
            head.copy_from_slice(piece);
            rest = tail;
        }
    };
    put(&key.owner.value().to_le_bytes());
    put(&key.book.number().to_le_bytes());
    put(&key.asset.number().to_le_bytes());
    put(&account.debits_posted.to_le_bytes());
    put(&account.credits_posted.to_le_bytes());
    put(&account.debits_pending.to_le_bytes());
    put(&account.credits_pending.to_le_bytes());
    put(&account.credit_line.to_le_bytes());
    bytes
}

fn read_account(reader: &mut Reader<'_>, id: AccountId) -> Result<Account, LedgerDecodeError> {
    let owner = ParticipantId::new(reader.u16()?);
    let book = reader.u16()?;
    let asset = reader.u16()?;
    let key = AccountKey {
        owner,
        book: Book::from_number(book).ok_or(LedgerDecodeError::Book {
            account: id,
            found: book,
        })?,
        asset: Asset::from_number(asset).ok_or(LedgerDecodeError::Asset {
            account: id,
            found: asset,
        })?,
    };
    let account = Account {
        key,
        debits_posted: reader.u128()?,
        credits_posted: reader.u128()?,
        debits_pending: reader.u64()?,
        credits_pending: reader.u64()?,
        credit_line: reader.u64()?,
    };
    let sums_fit = [account.debits_posted, account.credits_posted]
        .iter()
        .all(|sum| i128::try_from(*sum).is_ok());
    if sums_fit {
        Ok(account)
    } else {
        Err(LedgerDecodeError::PostedSum { account: id })
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.rest.split_first_chunk::<N>()?;
        self.rest = tail;
        Some(*head)
    }

    fn u16(&mut self) -> Result<u16, LedgerDecodeError> {
        self.take()
            .map(u16::from_le_bytes)
            .ok_or(LedgerDecodeError::Truncated)
    }

    fn u32(&mut self) -> Result<u32, LedgerDecodeError> {
        self.take()
            .map(u32::from_le_bytes)
            .ok_or(LedgerDecodeError::Truncated)
    }

    fn u64(&mut self) -> Result<u64, LedgerDecodeError> {
        self.take()
            .map(u64::from_le_bytes)
            .ok_or(LedgerDecodeError::Truncated)
    }

    fn u128(&mut self) -> Result<u128, LedgerDecodeError> {
        self.take()
            .map(u128::from_le_bytes)
            .ok_or(LedgerDecodeError::Truncated)
    }
}

#[cfg(test)]
mod tests;
