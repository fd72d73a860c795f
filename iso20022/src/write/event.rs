//! Writes admi.004.001.02 and admi.011.001.01.

use crate::message::MessageType;
use crate::view::{BusinessHeader, EventAcknowledgement, EventNotice, Parameters};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, Xml, closing, message, nested, optional,
};

/// Longest description of an event (Max1000Text).
const DESCRIPTION_CHARACTERS_MAX: usize = 1000;

/// Appends an event notice.
pub fn event_notice(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    notice: &EventNotice<'_>,
) {
    message(out, header, MessageType::ADMI_004_001_02, |xml| {
        xml.raw("<SysEvtNtfctn><EvtInf>");
        event(xml, notice.code, &notice.parameters);
        optional!(
            xml,
            [EvtDesc],
            &notice.description,
            DESCRIPTION_CHARACTERS_MAX
        );
        if let Some(time) = notice.time_ns {
            nested!(xml, [EvtTm], time(time));
        }
        xml.raw("</EvtInf></SysEvtNtfctn>");
    });
}

/// Appends the acknowledgement of an event notice.
pub fn event_acknowledgement(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    acknowledgement: &EventAcknowledgement<'_>,
) {
    message(out, header, MessageType::ADMI_011_001_01, |xml| {
        xml.raw("<SysEvtAck>");
        nested!(
            xml,
            [MsgId],
            text(acknowledgement.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        optional!(
            xml,
            [OrgtrRef],
            acknowledgement.originator_reference,
            IDENTIFIER_CHARACTERS_MAX
        );
        if let Some(code) = acknowledgement.code {
            xml.raw("<AckDtls>");
            event(xml, code, &acknowledgement.parameters);
            xml.raw("</AckDtls>");
        }
        xml.raw("</SysEvtAck>");
    });
}

fn event(xml: &mut Xml<'_>, code: &str, parameters: &Parameters<'_>) {
    nested!(xml, [EvtCd], text(code, CODE_CHARACTERS_MAX));
    for parameter in parameters.iter() {
        nested!(xml, [EvtParam], text(parameter, IDENTIFIER_CHARACTERS_MAX));
    }
}
