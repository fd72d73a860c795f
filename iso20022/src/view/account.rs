//! camt.060 and camt.003: a bank asks about its own accounts.

use crate::profile::generated::{account_query, account_request};

use super::fields::{Fields, Unread};

/// The fields of camt.060 that the switch uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRequest<'a> {
    /// GrpHdr/MsgId.
    pub message_id: &'a str,
    /// GrpHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// ReqdMsgNmId is camt.053; otherwise camt.052.
    pub is_statement: bool,
    /// Acct/Id/Othr/Id: `IMTS`, `INST`, `CARD` or `FUND`.
    pub account: &'a str,
    /// AcctOwnr, a BIC.
    pub owner: &'a str,
    /// RptgPrd/FrToDt/FrDt; a statement has one.
    pub date: Option<&'a str>,
    /// RptgSeq/FrSeq, above zero.
    pub from_sequence: Option<u64>,
}

/// The fields of camt.003 that the switch uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountQuery<'a> {
    /// MsgHdr/MsgId.
    pub message_id: &'a str,
    /// MsgHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// AcctOwnr, a BIC.
    pub owner: &'a str,
}

pub(super) fn read_request<'a>(fields: &Fields<'_, 'a>) -> Result<AccountRequest<'a>, Unread> {
    use account_request as field;
    let sequence = fields.optional(field::FROM_SEQUENCE);
    let sequence = sequence.map(|text| text.parse().map_err(|_| Unread(field::FROM_SEQUENCE)));
    Ok(AccountRequest {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        is_statement: fields.required(field::WANTED)?.starts_with("camt.053"),
        account: fields.required(field::ACCOUNT)?,
        owner: fields.required(field::OWNER)?,
        date: fields.optional(field::FROM_DATE),
        from_sequence: sequence.transpose()?,
    })
}

pub(super) fn read_query<'a>(fields: &Fields<'_, 'a>) -> Result<AccountQuery<'a>, Unread> {
    use account_query as field;
    Ok(AccountQuery {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        owner: fields.required(field::OWNER)?,
    })
}
