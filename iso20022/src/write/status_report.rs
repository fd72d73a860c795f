//! Writes pacs.002.001.12.

use crate::message::MessageType;
use crate::view::{BusinessHeader, StatusReport};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, INFORMATION_CHARACTERS_MAX, Xml, closing,
    message, nested, optional,
};

/// Appends a status report.
pub fn status_report(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    report: &StatusReport<'_>,
) {
    message(out, header, MessageType::PACS_002_001_12, |xml| {
        xml.raw("<FIToFIPmtStsRpt>");
        group_header(xml, report);
        xml.raw("<TxInfAndSts>");
        transaction(xml, report);
        xml.raw("</TxInfAndSts></FIToFIPmtStsRpt>");
    });
}

pub(super) fn group_header(xml: &mut Xml<'_>, report: &StatusReport<'_>) {
    xml.raw("<GrpHdr>");
    nested!(
        xml,
        [MsgId],
        text(report.message_id, IDENTIFIER_CHARACTERS_MAX)
    );
    nested!(xml, [CreDtTm], time(report.created_ns));
    if let Some(bic) = report.instructing_agent {
        nested!(xml, [InstgAgt], agent(bic));
    }
    if let Some(bic) = report.instructed_agent {
        nested!(xml, [InstdAgt], agent(bic));
    }
    xml.raw("</GrpHdr>");
}

pub(super) fn transaction(xml: &mut Xml<'_>, report: &StatusReport<'_>) {
    optional!(xml, [StsId], report.status_id, IDENTIFIER_CHARACTERS_MAX);
    xml.original_group(&report.original);
    xml.original_identifiers(&report.original);
    nested!(xml, [OrgnlUETR], uetr(report.original.uetr));
    nested!(xml, [TxSts], raw(report.status.as_str()));
    if report.reason.is_some() || report.reason_text.is_some() {
        xml.raw("<StsRsnInf>");
        optional!(xml, [Rsn Cd], report.reason, CODE_CHARACTERS_MAX);
        optional!(
            xml,
            [AddtlInf],
            &report.reason_text,
            INFORMATION_CHARACTERS_MAX
        );
        xml.raw("</StsRsnInf>");
    }
    if let Some(accepted) = report.accepted_ns {
        nested!(xml, [AccptncDtTm], time(accepted));
    }
    optional!(xml, [FctvIntrBkSttlmDt Dt], report.settlement_date, IDENTIFIER_CHARACTERS_MAX);
    optional!(
        xml,
        [ClrSysRef],
        report.clearing_reference,
        IDENTIFIER_CHARACTERS_MAX
    );
}
