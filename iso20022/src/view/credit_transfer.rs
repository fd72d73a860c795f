//! pacs.008: a payment from a customer of one bank to a customer of another.

use std::borrow::Cow;
use std::ops::Range;

use crate::capture::Slots;
use crate::profile::generated::credit_transfer as field;
use crate::profile::{Breach, Table, generated};

use super::fields::{Fields, Unread, inside};
use super::party::{NumberSlots, Party, number};

/// Which usage table of docs/messages.md a credit transfer follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferService {
    /// `C2C2`, the payee given by phone.
    C2cPhone,
    /// `C2C2`, the payee given by account.
    C2cAccount,
    /// `M2M2`, own accounts; by account or by phone.
    Me2Me,
    /// `C2B2`, a merchant's QR code.
    Qr,
}

impl TransferService {
    /// The service code written in PmtTpInf/LclInstrm/Prtry.
    pub fn local_instrument(self) -> &'static str {
        match self {
            TransferService::C2cPhone | TransferService::C2cAccount => "C2C2",
            TransferService::Me2Me => "M2M2",
            TransferService::Qr => "C2B2",
        }
    }
}

/// The fields of pacs.008 that the switch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditTransfer<'a> {
    /// GrpHdr/MsgId.
    pub message_id: &'a str,
    /// GrpHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// IntrBkSttlmDt, `YYYY-MM-DD`.
    pub settlement_date: Option<&'a str>,
    /// The usage table, from LclInstrm and CdtrAcct.
    pub service: TransferService,
    /// InstgAgt, a BIC.
    pub instructing_agent: &'a str,
    /// InstdAgt, a BIC; by phone it chooses one of the payee's banks.
    pub instructed_agent: Option<&'a str>,
    /// PmtId/InstrId.
    pub instruction_id: Option<&'a str>,
    /// PmtId/EndToEndId.
    pub end_to_end_id: &'a str,
    /// PmtId/TxId.
    pub transaction_id: &'a str,
    /// PmtId/UETR.
    pub uetr: &'a str,
    /// PmtId/ClrSysRef: the resolution identifier of a look-up answer.
    pub resolution_id: Option<&'a str>,
    /// IntrBkSttlmAmt in tiyn (1/100 KZT), above zero.
    pub tiyn: u64,
    /// AccptncDtTm, nanoseconds since 1970 UTC.
    pub accepted_ns: u64,
    /// Dbtr; name and number are there.
    pub debtor: Party<'a>,
    /// DbtrAcct/Id/IBAN.
    pub debtor_iban: &'a str,
    /// DbtrAgt, a BIC.
    pub debtor_agent: &'a str,
    /// CdtrAgt, a BIC: the payee's bank, or the switch when the payee is given by phone.
    pub creditor_agent: &'a str,
    /// Cdtr.
    pub creditor: Party<'a>,
    /// CdtrAcct/Id/IBAN; absent only when the payee is given by phone.
    pub creditor_iban: Option<&'a str>,
    /// CdtrAcct/Prxy/Id with the type `TELE`.
    pub creditor_phone: Option<&'a str>,
    /// Purp/Prtry, three digits.
    pub knp: &'a str,
    /// RgltryRptg of `DEBT`: residency and sector of the payer.
    pub kod: Option<&'a str>,
    /// RgltryRptg of `CRED`: residency and sector of the payee.
    pub kbe: Option<&'a str>,
    /// RmtInf/Strd/CdtrRefInf/Ref of the type `QR`.
    pub qr_id: Option<&'a str>,
    /// The first RmtInf/Ustrd, at most 140 characters.
    pub remittance: Option<Cow<'a, str>>,
}

/// Byte ranges, in the input, of the elements that a forward of a payment by phone replaces; each from `<` of the start tag to past `>` of
/// the end tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// InstdAgt, in either place.
    pub instructed_agent: Option<Range<usize>>,
    /// CdtrAgt.
    pub creditor_agent: Range<usize>,
    /// CdtrAcct.
    pub creditor_account: Range<usize>,
}

pub(crate) const DEBTOR_NUMBER: NumberSlots = NumberSlots {
    person: field::DEBTOR_PERSON,
    iin: field::DEBTOR_IIN,
    iin_scheme: field::DEBTOR_IIN_SCHEME,
    company: field::DEBTOR_COMPANY,
    bin: field::DEBTOR_BIN,
    bin_scheme: field::DEBTOR_BIN_SCHEME,
    bin_proprietary: field::DEBTOR_BIN_PROPRIETARY,
};

pub(crate) const CREDITOR_NUMBER: NumberSlots = NumberSlots {
    person: field::CREDITOR_PERSON,
    iin: field::CREDITOR_IIN,
    iin_scheme: field::CREDITOR_IIN_SCHEME,
    company: field::CREDITOR_COMPANY,
    bin: field::CREDITOR_BIN,
    bin_scheme: field::CREDITOR_BIN_SCHEME,
    bin_proprietary: field::CREDITOR_BIN_PROPRIETARY,
};

/// Whose residency and sector a regulatory report gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SectorSide {
    /// `DEBT`: KOD.
    Debtor,
    /// `CRED`: KBE.
    Creditor,
}

/// The service and its usage table; an error names what of LclInstrm is wrong.
pub(super) fn service(
    fields: &Fields<'_, '_>,
) -> Result<(TransferService, &'static Table), Unread> {
    let code = fields.required_either([field::LOCAL_INSTRUMENT, field::LOCAL_INSTRUMENT_OR])?;
    match code {
        "C2C2" | "C2C" if fields.0.is_present(field::CREDITOR_IBAN) => {
            Ok((TransferService::C2cAccount, &generated::C2C2_ACCOUNT))
        }
        "C2C2" | "C2C" => Ok((TransferService::C2cPhone, &generated::C2C2_PHONE)),
        "M2M2" => Ok((TransferService::Me2Me, &generated::M2M2)),
        "C2B2" | "C2B2_V2" => Ok((TransferService::Qr, &generated::C2B2)),
        _ => Err(Unread(field::LOCAL_INSTRUMENT)),
    }
}

pub(super) fn read<'a>(
    fields: &Fields<'_, 'a>,
    service: TransferService,
) -> Result<CreditTransfer<'a>, Unread> {
    let slots = &fields.0;
    let creditor_iban = fields.optional(field::CREDITOR_IBAN);
    let is_phone = fields.optional(field::CREDITOR_PROXY_TYPE) == Some("TELE");
    let sector = |side| {
        sector_code(slots, side)
            .map(|found| found.map(|(code, _)| code))
            .map_err(|_| Unread(field::REGULATORY_CODE))
    };
    let qr_id = match service {
        TransferService::Qr => qr_reference(slots)
            .map_err(|_| Unread(field::REFERENCE))?
            .map(|(id, _)| id),
        TransferService::C2cPhone | TransferService::C2cAccount | TransferService::Me2Me => None,
    };
    Ok(CreditTransfer {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        settlement_date: fields.either([field::SETTLEMENT_DATE, field::SETTLEMENT_DATE_OR]),
        service,
        instructing_agent: fields
            .required_either([field::INSTRUCTING_AGENT, field::INSTRUCTING_AGENT_OR])?,
        instructed_agent: fields.either([field::INSTRUCTED_AGENT, field::INSTRUCTED_AGENT_OR]),
        instruction_id: fields.optional(field::INSTRUCTION_ID),
        end_to_end_id: fields.required(field::END_TO_END_ID)?,
        transaction_id: fields.required(field::TRANSACTION_ID)?,
        uetr: fields.required(field::UETR)?,
        resolution_id: fields.optional(field::RESOLUTION_ID),
        tiyn: fields.tiyn(field::AMOUNT)?,
        accepted_ns: fields.time(field::ACCEPTED)?,
        debtor: Party {
            name: fields.text(field::DEBTOR_NAME),
            number: number(slots, &DEBTOR_NUMBER)
                .map_err(|_| Unread(field::DEBTOR_IIN))?
                .map(|found| found.number),
            phone: fields.optional(field::DEBTOR_PHONE),
        },
        debtor_iban: fields.required(field::DEBTOR_IBAN)?,
        debtor_agent: fields.required(field::DEBTOR_AGENT)?,
        creditor_agent: fields.required(field::CREDITOR_AGENT)?,
        creditor: Party {
            name: fields.text(field::CREDITOR_NAME),
            number: number(slots, &CREDITOR_NUMBER)
                .map_err(|_| Unread(field::CREDITOR_IIN))?
                .map(|found| found.number),
            phone: fields.optional(field::CREDITOR_PHONE_CONTACT),
        },
        creditor_iban,
        creditor_phone: if is_phone {
            fields.optional(field::CREDITOR_PROXY)
        } else {
            None
        },
        knp: fields.required(field::PURPOSE)?,
        kod: sector(SectorSide::Debtor)?,
        kbe: sector(SectorSide::Creditor)?,
        qr_id,
        remittance: fields.text(field::REMITTANCE),
    })
}

/// What a forward by phone replaces, if CdtrAcct is there.
pub(super) fn splice(fields: &Fields<'_, '_>) -> Option<Splice> {
    let slots = &fields.0;
    Some(Splice {
        instructed_agent: slots
            .element_range(field::INSTRUCTED_AGENT_ELEMENT)
            .or_else(|| slots.element_range(field::INSTRUCTED_AGENT_ELEMENT_OR)),
        creditor_agent: slots.element_range(field::CREDITOR_AGENT_ELEMENT)?,
        creditor_account: slots.element_range(field::CREDITOR_ACCOUNT_ELEMENT)?,
    })
}

/// KOD or KBE with its byte offset; given twice it is a breach.
pub(crate) fn sector_code<'a>(
    slots: &Slots<'_, 'a>,
    side: SectorSide,
) -> Result<Option<(&'a str, usize)>, Breach> {
    let wanted = match side {
        SectorSide::Debtor => "DEBT",
        SectorSide::Creditor => "CRED",
    };
    let mut code = None;
    for report in slots.occurrences(field::REGULATORY) {
        let indicator = inside(slots, field::REGULATORY_SIDE, &report.element);
        if indicator.and_then(|found| found.plain()) != Some(wanted) {
            continue;
        }
        let Some(found) = inside(slots, field::REGULATORY_CODE, &report.element) else {
            continue;
        };
        let offset = found.content.start;
        let plain = found.plain().filter(|_| code.is_none());
        code = Some((
            plain.ok_or(Breach::Wrong(field::REGULATORY_CODE, offset))?,
            offset,
        ));
    }
    Ok(code)
}

/// The identifier of the QR code with its byte offset; given twice it is a breach.
pub(crate) fn qr_reference<'a>(slots: &Slots<'_, 'a>) -> Result<Option<(&'a str, usize)>, Breach> {
    let mut reference = None;
    for structured in slots.occurrences(field::STRUCTURED) {
        let kind = inside(slots, field::REFERENCE_TYPE, &structured.element);
        if kind.and_then(|found| found.plain()) != Some("QR") {
            continue;
        }
        let found = inside(slots, field::REFERENCE, &structured.element)
            .ok_or(Breach::Missing(field::REFERENCE))?;
        let offset = found.content.start;
        let plain = found.plain().filter(|_| reference.is_none());
        reference = Some((
            plain.ok_or(Breach::Wrong(field::REFERENCE, offset))?,
            offset,
        ));
    }
    Ok(reference)
}
