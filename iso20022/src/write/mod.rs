//! Typed views to bytes: every message that the switch and a bank's host send.
//!
//! A function appends one whole message to the caller's buffer and allocates nothing else. It takes the same struct that
//! [`Reader::read`](crate::view::Reader::read) returns, so what is written reads back equal (times to the millisecond); batches of
//! the clearing system have structs of their own, and are not read. Text is escaped,
//! and cut to the schema's longest length in characters. Output is valid against the schema if the fields hold what their documentation says: the
//! functions do not check identifiers, they are the caller's typed values.
//!
//! With a header the message is an Envelope of AppHdr and Document, without one a bare Document. The versions written are fixed:
//! head.001.001.03, pacs.008.001.10, pacs.009.001.10, pacs.002.001.12, pacs.004.001.11, pacs.028.001.05, camt.056.001.10, camt.029.001.11, camt.050.001.06, camt.025.001.05,
//! camt.052.001.10, camt.053.001.10, camt.054.001.10, camt.060.001.05, camt.003.001.07, camt.004.001.09, camt.005.001.08, camt.006.001.08, camt.007.001.10,
//! acmt.023.001.03, acmt.024.001.03, admi.002.001.01, admi.004.001.02, admi.011.001.01. A forward keeps the version it received.

mod account;
mod account_report;
mod bank_transfer;
mod cancellation_request;
mod clearing;
mod credit_transfer;
mod event;
mod forward;
mod liquidity;
mod payment;
mod payment_return;
mod reject;
mod resolution;
mod status_report;
mod status_request;
mod time;
mod verification_report;
mod verification_request;
mod xml;

#[cfg(test)]
mod tests;

pub use account::{
    AccountAnswer, AccountFigures, BilateralLimit, account_answer, account_query, account_request,
};
pub use account_report::{
    AccountReport, REPORT_PAGES_MAX, REPORT_TIYN_MAX, ReportBalance, ReportEntry, ReportPage,
    ReportSums, report_begin, report_end, report_page,
};
pub use bank_transfer::bank_transfer;
pub use cancellation_request::cancellation_request;
pub use clearing::{
    Batch, BatchItem, BatchParty, ItemRefusal, batch, item_refusals, status_reports,
};
pub use credit_transfer::{Address, Carried, credit_transfer, credit_transfers};
pub use event::{event_acknowledgement, event_notice};
pub(crate) use forward::forward_parts;
pub use forward::{Resolved, forward, forward_resolved};
pub use liquidity::{liquidity_transfer, receipt};
pub use payment::{PaymentAnswer, PaymentLine, payment_answer, payment_change, payment_query};
pub use payment_return::payment_return;
pub use reject::reject;
pub use resolution::resolution;
pub use status_report::status_report;
pub use status_request::status_request;
pub(crate) use time::time;
pub use verification_report::verification_report;
pub use verification_request::verification_request;
