//! What can go wrong with an index, and who must act.

use std::fmt;

use torap_domain::Position;
use torap_engine::{codec::FactsError, instant::PaymentKey};

/// Why the index could not answer or change. All of them concern the operator; none may leave the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexError {
    /// The storage failed; `operation` says at what.
    Storage {
        operation: &'static str,
        detail: String,
    },
    /// A stored value cannot be read. The index must be deleted; it is written again from the log.
    Damaged {
        table: &'static str,
        key: String,
        rule: String,
    },
    /// Written by a program with another layout. The index must be deleted; it is written again from the log.
    Format { found: u32, supported: u32 },
    /// What records did to a card transaction cannot be read. As [`IndexError::Damaged`].
    CardSteps(FactsError),
    /// The log returns a payment that the index never saw: the index belongs to another log, or was applied with a gap.
    OriginalMissing {
        position: Position,
        original: PaymentKey,
    },
}

impl fmt::Display for IndexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexError::Storage { operation, detail } => {
                write!(formatter, "index: {operation} failed: {detail}")
            }
            IndexError::Damaged { table, key, rule } => write!(
                formatter,
                "index: table {table}, key {key}: {rule}; delete the index folder, it is written again from the log"
            ),
            IndexError::Format { found, supported } => write!(
                formatter,
                "index: layout {found} is not {supported}, the one this program reads; delete the index folder, it is \
                 written again from the log"
            ),
            IndexError::CardSteps(error) => write!(
                formatter,
                "index: card transactions: {error}; delete the index folder, it is written again from the log"
            ),
            IndexError::OriginalMissing { position, original } => {
                write!(
                    formatter,
                    "index: record {position} returns payment {}, which the index does not hold; ",
                    Hex(&original.0)
                )?;
                formatter.write_str("delete the index folder, it is written again from the log")
            }
        }
    }
}

impl std::error::Error for IndexError {}

/// Bytes in hexadecimal, for messages.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
