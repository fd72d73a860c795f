//! Writes pacs.008.001.10, as a payer's bank does.

use crate::message::MessageType;
use crate::view::{BusinessHeader, CreditTransfer, Party};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, NAME_CHARACTERS_MAX, Xml, closing, message,
    nested, optional,
};

/// Longest street name (Max70Text).
const STREET_CHARACTERS_MAX: usize = 70;
/// Longest building number (Max16Text).
const BUILDING_CHARACTERS_MAX: usize = 16;

/// Fields of pacs.008 that a bank may send and the switch carries along unread. The default is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried<'a> {
    /// Write TtlIntrBkSttlmAmt, equal to the amount.
    pub total: bool,
    /// SttlmInf/ClrSys/Prtry.
    pub clearing_system: Option<&'a str>,
    /// PmtTpInf/InstrPrty: `HIGH` or `NORM`.
    pub instruction_priority: Option<&'a str>,
    /// Write PmtTpInf/SvcLvl/Cd `INST`.
    pub instant_service_level: bool,
    /// PmtTpInf/CtgyPurp/Prtry.
    pub category_purpose: Option<&'a str>,
    /// Dbtr/PstlAdr.
    pub debtor_address: Option<Address<'a>>,
    /// DbtrAcct/Prxy of the type `TELE`.
    pub debtor_proxy_phone: Option<&'a str>,
}

/// A postal address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// StrtNm.
    pub street: &'a str,
    /// BldgNb.
    pub building: &'a str,
    /// TwnNm.
    pub town: &'a str,
    /// Ctry, two letters.
    pub country: &'a str,
}

/// Appends a credit transfer.
pub fn credit_transfer(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    transfer: &CreditTransfer<'_>,
    carried: &Carried<'_>,
) {
    credit_transfers(out, header, std::slice::from_ref(transfer), carried);
}

/// Appends a message of many lines; its group header is that of the first. Without any, nothing is written.
pub fn credit_transfers(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    transfers: &[CreditTransfer<'_>],
    carried: &Carried<'_>,
) {
    let Some(first) = transfers.first() else {
        return;
    };
    message(out, header, MessageType::PACS_008_001_10, |xml| {
        xml.raw("<FIToFICstmrCdtTrf><GrpHdr>");
        group_header(xml, first, transfers.len(), carried);
        xml.raw("</GrpHdr>");
        for transfer in transfers {
            transaction(xml, transfer, carried);
        }
        xml.raw("</FIToFICstmrCdtTrf>");
    });
}

fn transaction(xml: &mut Xml<'_>, transfer: &CreditTransfer<'_>, carried: &Carried<'_>) {
    xml.raw("<CdtTrfTxInf><PmtId>");
    payment_identification(xml, transfer);
    xml.raw("</PmtId>");
    xml.tenge(
        "<IntrBkSttlmAmt Ccy=\"KZT\">",
        transfer.tiyn,
        "</IntrBkSttlmAmt>",
    );
    nested!(xml, [AccptncDtTm], time(transfer.accepted_ns));
    xml.raw("<ChrgBr>SLEV</ChrgBr>");
    parties(xml, transfer, carried);
    nested!(xml, [Purp Prtry], text(transfer.knp, IDENTIFIER_CHARACTERS_MAX));
    sector_code(xml, "DEBT", transfer.kod);
    sector_code(xml, "CRED", transfer.kbe);
    remittance(xml, transfer);
    xml.raw("</CdtTrfTxInf>");
}

fn group_header(
    xml: &mut Xml<'_>,
    transfer: &CreditTransfer<'_>,
    count: usize,
    carried: &Carried<'_>,
) {
    nested!(
        xml,
        [MsgId],
        text(transfer.message_id, IDENTIFIER_CHARACTERS_MAX)
    );
    nested!(xml, [CreDtTm], time(transfer.created_ns));
    // A literal for one: a single payment allocates nothing.
    match count {
        1 => xml.raw("<NbOfTxs>1</NbOfTxs>"),
        _ => nested!(xml, [NbOfTxs], raw(&count.to_string())),
    }
    if carried.total {
        xml.tenge(
            "<TtlIntrBkSttlmAmt Ccy=\"KZT\">",
            transfer.tiyn,
            "</TtlIntrBkSttlmAmt>",
        );
    }
    optional!(
        xml,
        [IntrBkSttlmDt],
        transfer.settlement_date,
        IDENTIFIER_CHARACTERS_MAX
    );
    xml.raw("<SttlmInf><SttlmMtd>CLRG</SttlmMtd>");
    optional!(xml, [ClrSys Prtry], carried.clearing_system, IDENTIFIER_CHARACTERS_MAX);
    xml.raw("</SttlmInf><PmtTpInf>");
    optional!(
        xml,
        [InstrPrty],
        carried.instruction_priority,
        CODE_CHARACTERS_MAX
    );
    if carried.instant_service_level {
        xml.raw("<SvcLvl><Cd>INST</Cd></SvcLvl>");
    }
    nested!(xml, [LclInstrm Prtry], raw(transfer.service.local_instrument()));
    optional!(xml, [CtgyPurp Prtry], carried.category_purpose, IDENTIFIER_CHARACTERS_MAX);
    xml.raw("</PmtTpInf>");
    nested!(xml, [InstgAgt], agent(transfer.instructing_agent));
    if let Some(bic) = transfer.instructed_agent {
        nested!(xml, [InstdAgt], agent(bic));
    }
}

fn payment_identification(xml: &mut Xml<'_>, transfer: &CreditTransfer<'_>) {
    optional!(
        xml,
        [InstrId],
        transfer.instruction_id,
        IDENTIFIER_CHARACTERS_MAX
    );
    nested!(
        xml,
        [EndToEndId],
        text(transfer.end_to_end_id, IDENTIFIER_CHARACTERS_MAX)
    );
    nested!(
        xml,
        [TxId],
        text(transfer.transaction_id, IDENTIFIER_CHARACTERS_MAX)
    );
    nested!(xml, [UETR], uetr(transfer.uetr));
    optional!(
        xml,
        [ClrSysRef],
        transfer.resolution_id,
        IDENTIFIER_CHARACTERS_MAX
    );
}

fn parties(xml: &mut Xml<'_>, transfer: &CreditTransfer<'_>, carried: &Carried<'_>) {
    xml.raw("<Dbtr>");
    party(xml, &transfer.debtor, carried.debtor_address.as_ref());
    xml.raw("</Dbtr><DbtrAcct>");
    account(xml, Some(transfer.debtor_iban), carried.debtor_proxy_phone);
    xml.raw("</DbtrAcct>");
    nested!(xml, [DbtrAgt], agent(transfer.debtor_agent));
    nested!(xml, [CdtrAgt], agent(transfer.creditor_agent));
    xml.raw("<Cdtr>");
    party(xml, &transfer.creditor, None);
    xml.raw("</Cdtr><CdtrAcct>");
    account(xml, transfer.creditor_iban, transfer.creditor_phone);
    xml.raw("</CdtrAcct>");
}

fn party(xml: &mut Xml<'_>, party: &Party<'_>, address: Option<&Address<'_>>) {
    optional!(xml, [Nm], &party.name, NAME_CHARACTERS_MAX);
    if let Some(address) = address {
        xml.raw("<PstlAdr>");
        nested!(xml, [StrtNm], text(address.street, STREET_CHARACTERS_MAX));
        nested!(
            xml,
            [BldgNb],
            text(address.building, BUILDING_CHARACTERS_MAX)
        );
        nested!(xml, [TwnNm], text(address.town, IDENTIFIER_CHARACTERS_MAX));
        nested!(xml, [Ctry], text(address.country, 2));
        xml.raw("</PstlAdr>");
    }
    if let Some(number) = party.number {
        xml.number(number);
    }
    optional!(xml, [CtctDtls MobNb], party.phone, IDENTIFIER_CHARACTERS_MAX);
}

fn account(xml: &mut Xml<'_>, iban: Option<&str>, phone: Option<&str>) {
    optional!(xml, [Id IBAN], iban, IDENTIFIER_CHARACTERS_MAX);
    if let Some(phone) = phone {
        xml.phone_proxy(phone);
    }
}

fn sector_code(xml: &mut Xml<'_>, side: &str, code: Option<&str>) {
    if let Some(code) = code {
        xml.raw("<RgltryRptg>");
        nested!(xml, [DbtCdtRptgInd], raw(side));
        nested!(xml, [Dtls Cd], text(code, 2));
        xml.raw("</RgltryRptg>");
    }
}

fn remittance(xml: &mut Xml<'_>, transfer: &CreditTransfer<'_>) {
    if transfer.remittance.is_none() && transfer.qr_id.is_none() {
        return;
    }
    xml.raw("<RmtInf>");
    optional!(xml, [Ustrd], &transfer.remittance, NAME_CHARACTERS_MAX);
    if let Some(qr_id) = transfer.qr_id {
        xml.raw("<Strd><CdtrRefInf><Tp><CdOrPrtry><Prtry>QR</Prtry></CdOrPrtry></Tp>");
        nested!(xml, [Ref], text(qr_id, IDENTIFIER_CHARACTERS_MAX));
        xml.raw("</CdtrRefInf></Strd>");
    }
    xml.raw("</RmtInf>");
}
