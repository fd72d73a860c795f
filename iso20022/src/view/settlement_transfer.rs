//! pacs.008 and pacs.009 of IMTS: a payment between settlement accounts.

use crate::capture::SlotId;
use crate::profile::generated::{bank_transfer, credit_transfer};

use super::fields::{Fields, Unread};
use super::time;

/// The fields of a payment of IMTS that the switch uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettlementTransfer<'a> {
    /// GrpHdr/MsgId.
    pub message_id: &'a str,
    /// GrpHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// IntrBkSttlmDt, `YYYY-MM-DD`.
    pub settlement_date: Option<&'a str>,
    /// InstgAgt, a BIC.
    pub instructing_agent: &'a str,
    /// InstdAgt, a BIC.
    pub instructed_agent: Option<&'a str>,
    /// PmtId/InstrId.
    pub instruction_id: Option<&'a str>,
    /// PmtId/EndToEndId.
    pub end_to_end_id: &'a str,
    /// PmtId/TxId.
    pub transaction_id: &'a str,
    /// PmtId/UETR.
    pub uetr: &'a str,
    /// IntrBkSttlmAmt in tiyn, above zero.
    pub tiyn: u64,
    /// SttlmPrty, or else PmtTpInf/InstrPrty, is `HIGH`.
    pub is_high: bool,
    /// SttlmTmReq/FrTm, nanoseconds since midnight of UTC+5.
    pub from_ns: Option<u64>,
    /// The earlier of SttlmTmReq/TillTm and RjctTm, nanoseconds since midnight of UTC+5.
    pub till_ns: Option<u64>,
    /// BIC of the payer's bank: DbtrAgt, in pacs.009 Dbtr.
    pub debtor_agent: &'a str,
    /// BIC of the payee's bank: CdtrAgt, in pacs.009 Cdtr.
    pub creditor_agent: &'a str,
    /// IBANs of the customers; none in pacs.009.
    pub accounts: Option<Accounts<'a>>,
}

/// The accounts of a customer payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accounts<'a> {
    /// DbtrAcct/Id/IBAN.
    pub debtor: &'a str,
    /// CdtrAcct/Id/IBAN.
    pub creditor: &'a str,
}

/// Where a message has its fields.
struct Places {
    message_id: SlotId,
    created: SlotId,
    settlement_date: [SlotId; 2],
    instructing_agent: [SlotId; 2],
    instructed_agent: [SlotId; 2],
    instruction_id: SlotId,
    end_to_end_id: SlotId,
    transaction_id: SlotId,
    uetr: SlotId,
    amount: SlotId,
    settlement_priority: SlotId,
    instruction_priority: [SlotId; 2],
    from_time: SlotId,
    till_time: SlotId,
    reject_time: SlotId,
    debtor_agent: SlotId,
    creditor_agent: SlotId,
}

macro_rules! places {
    ($table:ident, $debtor:ident, $creditor:ident) => {
        Places {
            message_id: $table::MESSAGE_ID,
            created: $table::CREATED,
            settlement_date: [$table::SETTLEMENT_DATE, $table::SETTLEMENT_DATE_OR],
            instructing_agent: [$table::INSTRUCTING_AGENT, $table::INSTRUCTING_AGENT_OR],
            instructed_agent: [$table::INSTRUCTED_AGENT, $table::INSTRUCTED_AGENT_OR],
            instruction_id: $table::INSTRUCTION_ID,
            end_to_end_id: $table::END_TO_END_ID,
            transaction_id: $table::TRANSACTION_ID,
            uetr: $table::UETR,
            amount: $table::AMOUNT,
            settlement_priority: $table::SETTLEMENT_PRIORITY,
            instruction_priority: [
                $table::INSTRUCTION_PRIORITY,
                $table::INSTRUCTION_PRIORITY_OR,
            ],
            from_time: $table::FROM_TIME,
            till_time: $table::TILL_TIME,
            reject_time: $table::REJECT_TIME,
            debtor_agent: $table::$debtor,
            creditor_agent: $table::$creditor,
        }
    };
}

const CUSTOMER: Places = places!(credit_transfer, DEBTOR_AGENT, CREDITOR_AGENT);
const BANK: Places = places!(bank_transfer, DEBTOR, CREDITOR);

/// pacs.008.
pub(super) fn read_customer<'a>(fields: &Fields<'_, 'a>) -> Result<SettlementTransfer<'a>, Unread> {
    let accounts = Accounts {
        debtor: fields.required(credit_transfer::DEBTOR_IBAN)?,
        creditor: fields.required(credit_transfer::CREDITOR_IBAN)?,
    };
    read(fields, &CUSTOMER, Some(accounts))
}

/// pacs.009.
pub(super) fn read_bank<'a>(fields: &Fields<'_, 'a>) -> Result<SettlementTransfer<'a>, Unread> {
    read(fields, &BANK, None)
}

fn read<'a>(
    fields: &Fields<'_, 'a>,
    places: &Places,
    accounts: Option<Accounts<'a>>,
) -> Result<SettlementTransfer<'a>, Unread> {
    let own = fields.optional(places.settlement_priority);
    let priority = own.or_else(|| fields.either(places.instruction_priority));
    let till = time_of_day(fields, places.till_time)?;
    let reject = time_of_day(fields, places.reject_time)?;
    Ok(SettlementTransfer {
        message_id: fields.required(places.message_id)?,
        created_ns: fields.time(places.created)?,
        settlement_date: fields.either(places.settlement_date),
        instructing_agent: fields.required_either(places.instructing_agent)?,
        instructed_agent: fields.either(places.instructed_agent),
        instruction_id: fields.optional(places.instruction_id),
        end_to_end_id: fields.required(places.end_to_end_id)?,
        transaction_id: fields.required(places.transaction_id)?,
        uetr: fields.required(places.uetr)?,
        tiyn: fields.tiyn(places.amount)?,
        is_high: priority == Some("HIGH"),
        from_ns: time_of_day(fields, places.from_time)?,
        till_ns: till.into_iter().chain(reject).min(),
        debtor_agent: fields.required(places.debtor_agent)?,
        creditor_agent: fields.required(places.creditor_agent)?,
        accounts,
    })
}

fn time_of_day(fields: &Fields<'_, '_>, slot: SlotId) -> Result<Option<u64>, Unread> {
    let text = fields.optional(slot);
    text.map(|text| time::time_of_day(text).map_err(|_| Unread(slot)))
        .transpose()
}
