//! Finds the few elements that a load run needs, by name and in the order of the schema, without parsing the message.
//!
//! It knows messages as the switch writes them: an envelope whose header names the definition, no prefixes, identifiers without
//! references. Whatever it does not find in that shape it leaves alone, and the caller parses the message.

use memchr::memchr;
use memchr::memmem::Finder;
use torap_iso20022::view::TransactionStatus;

use crate::incoming::{Forwarded, Incoming, Status};
use crate::limits::SCAN_BYTES_MAX;

/// Longest value that is looked for.
const VALUE_BYTES_MAX: usize = 40;

/// Prepared searches for start tags.
#[derive(Debug)]
pub(crate) struct Scanner {
    definition: Finder<'static>,
    message_id: Finder<'static>,
    end_to_end_id: Finder<'static>,
    transaction_id: Finder<'static>,
    uetr: Finder<'static>,
    original_transaction_id: Finder<'static>,
    original_uetr: Finder<'static>,
    status: Finder<'static>,
    reason: Finder<'static>,
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner {
            definition: Finder::new("<MsgDefIdr>"),
            message_id: Finder::new("<MsgId>"),
            end_to_end_id: Finder::new("<EndToEndId>"),
            transaction_id: Finder::new("<TxId>"),
            uetr: Finder::new("<UETR>"),
            original_transaction_id: Finder::new("<OrgnlTxId>"),
            original_uetr: Finder::new("<OrgnlUETR>"),
            status: Finder::new("<TxSts>"),
            reason: Finder::new("<StsRsnInf><Rsn><Cd>"),
        }
    }
}

impl Scanner {
    /// The message's elements; `None` if it is none of the two common ones, or not in the expected shape.
    pub(crate) fn scan<'a>(&self, bytes: &'a [u8]) -> Option<Incoming<'a>> {
        let mut rest = bytes.get(..bytes.len().min(SCAN_BYTES_MAX))?;
        let name = value(&self.definition, &mut rest)?;
        match name.get(..9)? {
            "pacs.008." => Some(Incoming::Forwarded(Forwarded {
                message_name: name,
                message_id: value(&self.message_id, &mut rest)?,
                end_to_end_id: value(&self.end_to_end_id, &mut rest)?,
                transaction_id: value(&self.transaction_id, &mut rest)?,
                uetr: value(&self.uetr, &mut rest)?,
            })),
            "pacs.002." => {
                let transaction_id = value(&self.original_transaction_id, &mut rest)?;
                let uetr = value(&self.original_uetr, &mut rest)?;
                let status = TransactionStatus::from_code(value(&self.status, &mut rest)?)?;
                let reason = match status {
                    TransactionStatus::Rjct => Some(value(&self.reason, &mut rest)?),
                    _ => None,
                };
                Some(Incoming::Status(Status {
                    transaction_id,
                    uetr,
                    status,
                    reason,
                }))
            }
            _ => None,
        }
    }
}

/// Text of the next element that begins with the start tag; `rest` goes on behind it.
fn value<'a>(start_tag: &Finder<'_>, rest: &mut &'a [u8]) -> Option<&'a str> {
    let begin = start_tag.find(rest)? + start_tag.needle().len();
    let behind = rest.get(begin..)?;
    let window = behind.get(..behind.len().min(VALUE_BYTES_MAX))?;
    let length = memchr(b'<', window)?;
    let text = std::str::from_utf8(window.get(..length)?).ok()?;
    *rest = behind.get(length..)?;
    // A reference would have to be decoded.
    (!text.is_empty() && !text.contains('&')).then_some(text)
}

#[cfg(test)]
mod tests;
