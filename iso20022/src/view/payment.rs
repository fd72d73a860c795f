//! camt.005 and camt.007: a bank asks about its payments in IMTS, and changes one that waits.

use crate::profile::generated::{payment_change, payment_query};

use super::fields::{Fields, Unread};

/// The fields of camt.005 that the switch uses; what is given holds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaymentQuery<'a> {
    /// MsgHdr/MsgId.
    pub message_id: &'a str,
    /// MsgHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// PmtSch/TxId, or PmtId/TxId.
    pub transaction_id: Option<&'a str>,
    /// PmtId/PrtryId, or PmtId/LngBizId/UETR.
    pub uetr: Option<&'a str>,
    /// PmtSch/EndToEndId.
    pub end_to_end_id: Option<&'a str>,
    /// Sts/PmtInstrSts: `PSTL`, `PDNG`, `STLD`, `RJTD`, `CAND`, `FNLD` or `FINL`.
    pub status: Option<&'a str>,
    /// CdtDbtInd is `CRDT`.
    pub is_credit: Option<bool>,
    /// IntrBkSttlmAmt in tiyn, from the first to the second, both included.
    pub tiyn: Option<(u64, u64)>,
    /// Prty/Cd: `URGT`, `HIGH` or `NORM`.
    pub priority: Option<&'a str>,
    /// IntrBkSttlmDt.
    pub date: Option<&'a str>,
}

/// The fields of camt.007 that the switch uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentChange<'a> {
    /// MsgHdr/MsgId.
    pub message_id: &'a str,
    /// MsgHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// PmtId/UETR, or PmtId/LngBizId/UETR.
    pub uetr: &'a str,
    /// PmtId/LngBizId/TxId.
    pub transaction_id: Option<&'a str>,
    /// Prty/Cd is `HIGH`; none: as it is.
    pub is_high: Option<bool>,
    /// PrcgVldtyTm, nanoseconds since 1970 UTC; none: as it is.
    pub from_ns: Option<u64>,
    pub till_ns: Option<u64>,
}

pub(super) fn read_query<'a>(fields: &Fields<'_, 'a>) -> Result<PaymentQuery<'a>, Unread> {
    use payment_query as field;
    let statuses = [
        field::PENDING_STATUS,
        field::FINAL_STATUS,
        field::EITHER_STATUS,
    ];
    Ok(PaymentQuery {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        transaction_id: fields.either([field::TRANSACTION_ID, field::TRANSACTION_ID_OR]),
        uetr: fields.either([field::UETR, field::UETR_OR]),
        end_to_end_id: fields.optional(field::END_TO_END_ID),
        status: statuses.into_iter().find_map(|slot| fields.optional(slot)),
        is_credit: fields.optional(field::SIDE).map(|side| side == "CRDT"),
        tiyn: amounts(fields)?,
        priority: fields.optional(field::PRIORITY),
        date: fields.optional(field::DATE),
    })
}

/// From the least to the most, both included.
fn amounts(fields: &Fields<'_, '_>) -> Result<Option<(u64, u64)>, Unread> {
    use payment_query as field;
    if let Some(tiyn) = fields.optional_tiyn(field::EQUAL_AMOUNT)? {
        return Ok(Some((tiyn, tiyn)));
    }
    let bound = |amounts: [_; 2], included: [_; 2]| {
        for slot in amounts {
            if let Some(tiyn) = fields.optional_tiyn(slot)? {
                let is_included = included.into_iter().any(|slot| fields.is_true(slot));
                return Ok(Some((tiyn, is_included)));
            }
        }
        Ok(None)
    };
    let from = bound(
        [field::FROM_AMOUNT, field::FROM_AMOUNT_OR],
        [field::FROM_INCLUDED, field::FROM_INCLUDED_OR],
    )?;
    let to = bound(
        [field::TO_AMOUNT, field::TO_AMOUNT_OR],
        [field::TO_INCLUDED, field::TO_INCLUDED_OR],
    )?;
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let least = from.map_or(0, |(tiyn, included)| {
        tiyn.saturating_add(u64::from(!included))
    });
    let most = to.map_or(u64::MAX, |(tiyn, included)| {
        tiyn.saturating_sub(u64::from(!included))
    });
    Ok(Some((least, most)))
}

pub(super) fn read_change<'a>(fields: &Fields<'_, 'a>) -> Result<PaymentChange<'a>, Unread> {
    use payment_change as field;
    let time = |places: [_; 2]| {
        for slot in places {
            if let Some(time) = fields.optional_time(slot)? {
                return Ok(Some(time));
            }
        }
        Ok(None)
    };
    Ok(PaymentChange {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        uetr: fields.required_either([field::UETR, field::UETR_OR])?,
        transaction_id: fields.optional(field::TRANSACTION_ID),
        is_high: fields.optional(field::PRIORITY).map(|code| code == "HIGH"),
        from_ns: time([field::FROM, field::FROM_OR])?,
        till_ns: time([field::TILL, field::TILL_OR])?,
    })
}
