//! camt.050 and camt.025: a bank moves its own money, and the switch says what came of it.

use std::borrow::Cow;

use crate::profile::generated::{liquidity_transfer, receipt};

use super::fields::{Fields, Unread};

/// The fields of camt.050 that the switch uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidityTransfer<'a> {
    /// MsgHdr/MsgId.
    pub message_id: &'a str,
    /// MsgHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// Dbtr, a BIC: the bank whose accounts they are.
    pub agent: &'a str,
    /// Whether the money goes to the instant position (CdtrAcct `INST`, DbtrAcct `IMTS`), or from it.
    pub to_position: bool,
    /// TrfdAmt in tiyn, above zero.
    pub tiyn: u64,
}

/// The fields of camt.025.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// MsgHdr/MsgId.
    pub message_id: &'a str,
    /// MsgHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// OrgnlMsgId/MsgId.
    pub original_message_id: &'a str,
    /// OrgnlMsgId/MsgNmId.
    pub original_message_name: &'a str,
    /// ReqHdlg/StsCd: `ACSC`, `PDNG` or `RJCT`.
    pub status: &'a str,
    /// ReqHdlg/Desc, at most 140 characters.
    pub description: Option<Cow<'a, str>>,
}

pub(super) fn read_transfer<'a>(fields: &Fields<'_, 'a>) -> Result<LiquidityTransfer<'a>, Unread> {
    use liquidity_transfer as field;
    Ok(LiquidityTransfer {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        agent: fields.required(field::DEBTOR)?,
        to_position: fields.required(field::CREDITOR_ACCOUNT)? == "INST",
        tiyn: fields.tiyn(field::AMOUNT)?,
    })
}

pub(super) fn read_receipt<'a>(fields: &Fields<'_, 'a>) -> Result<Receipt<'a>, Unread> {
    use receipt as field;
    Ok(Receipt {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        original_message_id: fields.required(field::ORIGINAL_MESSAGE_ID)?,
        original_message_name: fields.required(field::ORIGINAL_MESSAGE_NAME)?,
        status: fields.required(field::STATUS)?,
        description: fields.text(field::DESCRIPTION),
    })
}
