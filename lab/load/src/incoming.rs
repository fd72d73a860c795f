//! What an incoming message says, found fast, and checked in full every so often.

use std::borrow::Cow;

use torap_iso20022::profile::Direction;
use torap_iso20022::view::{Body, Message, Reader, TransactionStatus};

use crate::scan::Scanner;

/// The part of a message that a load run acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming<'a> {
    /// A payment for a customer of this bank.
    Forwarded(Forwarded<'a>),
    /// What became of a payment.
    Status(Status<'a>),
    /// A message of ours could not be taken (admi.002).
    Rejected {
        related: Cow<'a, str>,
        reason: Cow<'a, str>,
    },
    /// Anything else that the switch may say.
    Other,
}

/// pacs.008 from the switch: what an answer repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forwarded<'a> {
    pub(crate) message_name: &'a str,
    pub(crate) message_id: &'a str,
    pub(crate) end_to_end_id: &'a str,
    pub(crate) transaction_id: &'a str,
    pub(crate) uetr: &'a str,
}

/// pacs.002 from the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status<'a> {
    pub(crate) transaction_id: &'a str,
    pub(crate) uetr: &'a str,
    pub(crate) status: TransactionStatus,
    /// With `RJCT`.
    pub(crate) reason: Option<&'a str>,
}

/// What a full check found beside the parts above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked<'a> {
    pub(crate) incoming: Incoming<'a>,
    /// Of a forwarded payment: amount, payee's bank and account.
    pub(crate) payee: Option<Payee<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payee<'a> {
    pub(crate) tiyn: u64,
    pub(crate) agent: &'a str,
    pub(crate) iban: Option<&'a str>,
}

/// Reads incoming messages. The fast way never decides alone: what it does not find is left to the parser, and every so often both
/// read the same message.
#[derive(Debug)]
pub(crate) struct Inspector {
    scanner: Scanner,
    reader: Reader,
    check_every: u32,
    /// Messages that are only searched until the next full check.
    until_check: u32,
    /// Messages parsed in full.
    pub(crate) checked: u64,
}

impl Inspector {
    pub(crate) fn new(check_every: u32) -> Inspector {
        Inspector {
            scanner: Scanner::default(),
            reader: Reader::new(*torap_gateway::formats()),
            check_every: check_every.max(1),
            // The very first message is checked.
            until_check: 0,
            checked: 0,
        }
    }

    /// What the message says; the second part is there if it was checked in full.
    ///
    /// # Errors
    /// The text of a breach: the message is not valid, or the two ways of reading it disagree.
    pub(crate) fn inspect<'a>(
        &mut self,
        bytes: &'a [u8],
    ) -> Result<(Incoming<'a>, Option<Payee<'a>>), String> {
        let found = self.scanner.scan(bytes);
        match (found, self.until_check.checked_sub(1)) {
            (Some(found), Some(left)) => {
                self.until_check = left;
                Ok((found, None))
            }
            (found, None) => {
                self.until_check = self.check_every - 1;
                self.check(bytes, found)
            }
            (None, Some(_)) => self.check(bytes, None),
        }
    }

    fn check<'a>(
        &mut self,
        bytes: &'a [u8],
        found: Option<Incoming<'a>>,
    ) -> Result<(Incoming<'a>, Option<Payee<'a>>), String> {
        self.checked += 1;
        let message = self.reader.read(bytes, Direction::FromSwitch);
        let checked = message.map(checked).map_err(|refusal| {
            format!("a message of the switch that the national profile refuses: {refusal}")
        })?;
        match found {
            Some(found) if found != checked.incoming => Err(format!(
                "found {found:?}, but parsed {:?}",
                checked.incoming
            )),
            _ => Ok((checked.incoming, checked.payee)),
        }
    }
}

fn checked(message: Message<'_>) -> Checked<'_> {
    let message_name = message.message_type.as_str();
    let mut payee = None;
    let incoming = match message.body {
        Body::CreditTransfer(transfer) => {
            payee = Some(Payee {
                tiyn: transfer.tiyn,
                agent: transfer.creditor_agent,
                iban: transfer.creditor_iban,
            });
            Incoming::Forwarded(Forwarded {
                message_name,
                message_id: transfer.message_id,
                end_to_end_id: transfer.end_to_end_id,
                transaction_id: transfer.transaction_id,
                uetr: transfer.uetr,
            })
        }
        Body::StatusReport(report) => Incoming::Status(Status {
            transaction_id: report.original.transaction_id,
            uetr: report.original.uetr,
            status: report.status,
            reason: match report.status {
                TransactionStatus::Rjct => report.reason,
                _ => None,
            },
        }),
        Body::Reject(reject) => Incoming::Rejected {
            related: reject.related,
            reason: reject.reason,
        },
        _ => Incoming::Other,
    };
    Checked { incoming, payee }
}
