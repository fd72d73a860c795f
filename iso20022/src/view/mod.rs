//! Bytes to typed views: one struct per message of the instant rail.
//!
//! [`Reader::read`] parses, validates against the schema and the national profile, and gives the fields that docs/messages.md lists, borrowed from
//! the input. A view cannot be had of a message that the profile refuses. Only free text that the sender escaped is copied; nothing else allocates.

mod account;
pub(crate) mod amount;
mod assignment;
mod batch;
pub(crate) mod beneficiaries;
mod cancellation_request;
pub(crate) mod credit_transfer;
mod event;
mod fields;
mod header;
mod lines;
mod liquidity;
mod original;
mod parameters;
pub(crate) mod party;
mod payment;
mod payment_return;
pub(crate) mod reader;
mod reject;
mod resolution;
mod settlement_transfer;
mod status_report;
mod status_request;
pub(crate) mod time;
mod verification_report;
pub(crate) mod verification_request;

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::message::MessageType;

pub use account::{AccountQuery, AccountRequest};
pub use assignment::Assignment;
pub use batch::{BATCH_ITEMS_MAX, BatchEntry, Item, ItemParty, RefusedItem};
pub use beneficiaries::{
    BATCH_LINES_MAX, Beneficiaries, LINES_MAX, LISTS_BYTES_MAX, LineRule, WRONG_LINES_MAX,
    WrongLine,
};
pub use cancellation_request::CancellationRequest;
pub use credit_transfer::{CreditTransfer, Splice, TransferService};
pub use event::{EventAcknowledgement, EventNotice};
pub use header::BusinessHeader;
pub use lines::{LineStatus, Lines, OUTSIDE_LINES_BYTES_MAX, accepted_at, line_statuses};
pub use liquidity::{LiquidityTransfer, Receipt};
pub use original::Original;
pub use parameters::{EVENT_PARAMETERS_MAX, Parameters};
pub use party::{Party, PersonNumber};
pub use payment::{PaymentChange, PaymentQuery};
pub use payment_return::Return;
pub use reader::{CLEARING_SERVICE, Identity, MASS_SERVICE, Reader, SETTLEMENT_SERVICE};
pub use reject::Reject;
pub use resolution::{CancellationStatus, Resolution};
pub use settlement_transfer::{Accounts, SettlementTransfer};
pub use status_report::{StatusReport, TransactionStatus};
pub use status_request::StatusRequest;
pub use verification_report::VerificationReport;
pub use verification_request::VerificationRequest;

/// One message, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// The business application header, if the message came in an envelope.
    pub header: Option<BusinessHeader<'a>>,
    /// Definition and version of the Document.
    pub message_type: MessageType,
    /// The Document element in the input, from `<` to past `>`. Its bytes stand alone: it declares every namespace that it uses.
    pub document: Range<usize>,
    /// What a forward by phone replaces; for a credit transfer with a CdtrAcct.
    pub splice: Option<Splice>,
    /// The fields.
    pub body: Body<'a>,
}

/// The fields of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a box would allocate for every payment"
)]
pub enum Body<'a> {
    /// pacs.008.
    CreditTransfer(CreditTransfer<'a>),
    /// pacs.002.
    StatusReport(StatusReport<'a>),
    /// pacs.004.
    Return(Return<'a>),
    /// pacs.028.
    StatusRequest(StatusRequest<'a>),
    /// camt.056.
    CancellationRequest(CancellationRequest<'a>),
    /// camt.029.
    Resolution(Resolution<'a>),
    /// acmt.023.
    VerificationRequest(VerificationRequest<'a>),
    /// acmt.024.
    VerificationReport(VerificationReport<'a>),
    /// admi.002.
    Reject(Reject<'a>),
    /// admi.004.
    EventNotice(EventNotice<'a>),
    /// admi.011.
    EventAcknowledgement(EventAcknowledgement<'a>),
    /// pacs.008 or pacs.009 of IMTS, by BizSvc.
    SettlementTransfer(SettlementTransfer<'a>),
    /// camt.050.
    LiquidityTransfer(LiquidityTransfer<'a>),
    /// camt.025.
    Receipt(Receipt<'a>),
    /// camt.060.
    AccountRequest(AccountRequest<'a>),
    /// camt.003.
    AccountQuery(AccountQuery<'a>),
    /// camt.005.
    PaymentQuery(PaymentQuery<'a>),
    /// camt.007.
    PaymentChange(PaymentChange<'a>),
    /// A message that is valid against its schema but not part of the instant rail.
    Other,
    /// A message about many payments, by BizSvc: of the clearing system, whose pacs.008 is read by [`Reader::read_batch`], or of files of
    /// instant payments, whose pacs.008 is taken apart by [`Lines`].
    Clearing,
}
