//! The rules that no single row expresses. Each is named in a usage table, which says it in words.

pub(super) mod account_request;
pub(super) mod bank_transfer;
pub(super) mod beneficiaries;
pub(super) mod credit_transfer;
pub(super) mod event_acknowledgement;
pub(super) mod event_notice;
pub(super) mod header;
pub(super) mod liquidity_transfer;
pub(super) mod look_up;
pub(super) mod look_up_answer;
pub(super) mod payment_change;
pub(super) mod payment_query;
pub(super) mod payment_return;
pub(super) mod recall_answer;
pub(super) mod status_report;
