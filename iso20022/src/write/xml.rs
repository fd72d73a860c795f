//! Elements, text, amounts and times as bytes at the end of the caller's buffer.

use crate::message::MessageType;
use crate::parse::{ENVELOPE_ELEMENT, ENVELOPE_NAMESPACE};
use crate::view::{Assignment, BusinessHeader, Original, PersonNumber};

use super::time;

/// Longest identifier (Max35Text), in characters.
pub(super) const IDENTIFIER_CHARACTERS_MAX: usize = 35;
/// Longest name (Max140Text).
pub(super) const NAME_CHARACTERS_MAX: usize = 140;
/// Longest additional information (Max105Text).
pub(super) const INFORMATION_CHARACTERS_MAX: usize = 105;
/// Longest explanation (Max500Text).
pub(super) const TEXT_CHARACTERS_MAX: usize = 500;
/// Longest external code (1 to 4 characters).
pub(super) const CODE_CHARACTERS_MAX: usize = 4;
/// Length of a UETR.
const UETR_CHARACTERS: usize = 36;
/// Longest BIC.
pub(super) const BIC_CHARACTERS_MAX: usize = 11;

/// The closing tags of the elements named, innermost first.
macro_rules! closing {
    ([$($done:ident)+]) => { concat!($("</", stringify!($done), ">"),+) };
    ([$($done:ident)*] $next:ident $($rest:ident)*) => { closing!([$next $($done)*] $($rest)*) };
}

/// `nested!(writer, [A B C], text_method(arguments…))` writes `<A><B><C>`, the content, `</C></B></A>`.
macro_rules! nested {
    ($w:expr, [$($name:ident)+], $method:ident($($argument:expr),*)) => {{
        $w.raw(concat!($("<", stringify!($name), ">"),+));
        $w.$method($($argument),*);
        $w.raw(closing!([] $($name)+));
    }};
}

/// The same around a value that may be absent.
macro_rules! optional {
    ($w:expr, [$($name:ident)+], $value:expr, $limit:expr) => {
        if let Some(value) = $value {
            nested!($w, [$($name)+], text(value, $limit));
        }
    };
}

pub(super) use {closing, nested, optional};

/// Appends to the caller's buffer.
pub(super) struct Xml<'o> {
    out: &'o mut Vec<u8>,
}

/// One whole message: declaration, envelope and header if there is one, and the Document around `content`.
pub(super) fn message(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    message_type: MessageType,
    content: impl FnOnce(&mut Xml<'_>),
) {
    let mut xml = Xml::new(out);
    xml.open_document(header, message_type);
    content(&mut xml);
    xml.close_document(header);
}

/// One whole message around a Document that is there already.
pub(super) fn enveloped(
    out: &mut Vec<u8>,
    header: &BusinessHeader<'_>,
    message_type: MessageType,
    document: impl FnOnce(&mut Xml<'_>),
) {
    let mut xml = Xml::new(out);
    xml.open_envelope(Some(header), message_type);
    document(&mut xml);
    xml.close_envelope(Some(header));
}

impl<'o> Xml<'o> {
    /// Appends to `out`.
    pub(super) fn new(out: &'o mut Vec<u8>) -> Xml<'o> {
        Xml { out }
    }

    /// Markup, or bytes copied from a message that has been validated.
    pub(super) fn raw(&mut self, markup: &str) {
        self.out.extend_from_slice(markup.as_bytes());
    }

    /// Bytes copied from a message that has been validated.
    pub(super) fn copy(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Escaped text, cut after `characters_max` characters. Characters that XML 1.0 does not allow become blanks.
    pub(super) fn text(&mut self, text: &str, characters_max: usize) {
        let unusual = text.bytes().fold(false, |found, byte| {
            found | (byte < 0x20) | matches!(byte, b'&' | b'<' | b'>' | 0xEF)
        });
        if text.len() <= characters_max && !unusual {
            self.raw(text);
            return;
        }
        for character in text.chars().take(characters_max) {
            match character {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '\r' => self.raw("&#13;"),
                '\t' | '\n' | ' '..='\u{FFFD}' | '\u{10000}'.. => {
                    self.raw(character.encode_utf8(&mut [0; 4]));
                }
                _ => self.raw(" "),
            }
        }
    }

    /// Tiyn as a decimal number of tenge, always with two decimals.
    pub(super) fn amount(&mut self, tiyn: u64) {
        const DIGITS_MAX: usize = 20;
        let mut digits = [b'0'; DIGITS_MAX + 1];
        let mut rest = tiyn;
        let mut start = digits.len();
        for (index, place) in digits.iter_mut().enumerate().rev() {
            let written = DIGITS_MAX - index;
            if written == 2 {
                *place = b'.';
            } else if written > 3 && rest == 0 {
                break;
            } else {
                *place = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            start = index;
        }
        self.out.extend(digits.iter().skip(start));
    }

    /// A whole number.
    pub(super) fn count(&mut self, number: u64) {
        const DIGITS_MAX: usize = 20;
        let mut digits = [b'0'; DIGITS_MAX];
        let mut rest = number;
        let mut start = DIGITS_MAX;
        for (index, place) in digits.iter_mut().enumerate().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            start = index;
            if rest == 0 {
                break;
            }
        }
        self.out.extend(digits.iter().skip(start));
    }

    /// Nanoseconds since 1970 UTC as local time of UTC+5 with milliseconds.
    pub(super) fn time(&mut self, nanoseconds: u64) {
        self.copy(&time::local(nanoseconds));
    }

    /// Nanoseconds since midnight of UTC+5 as a time of day with milliseconds.
    pub(super) fn time_of_day(&mut self, nanoseconds: u64) {
        // A moment of 2 January 1970: its local day begins 19 hours after the epoch.
        let moment = time::local(nanoseconds.saturating_add(19 * 3600 * 1_000_000_000));
        self.copy(moment.get(11..).unwrap_or_default());
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// The element of the given opening and closing tag around an amount in KZT.
    pub(super) fn tenge(&mut self, opening: &str, tiyn: u64, closing: &str) {
        self.raw(opening);
        self.amount(tiyn);
        self.raw(closing);
    }

    /// A UETR.
    pub(super) fn uetr(&mut self, uetr: &str) {
        self.text(uetr, UETR_CHARACTERS);
    }

    /// FinInstnId with a BIC.
    pub(super) fn agent(&mut self, bic: &str) {
        nested!(self, [FinInstnId BICFI], text(bic, BIC_CHARACTERS_MAX));
    }

    /// Id with an IIN or BIN.
    pub(super) fn number(&mut self, number: PersonNumber<'_>) {
        let digits = number.digits();
        match number {
            PersonNumber::Iin(_) => {
                self.raw("<Id><PrvtId><Othr><Id>");
                self.text(digits, IDENTIFIER_CHARACTERS_MAX);
                self.raw("</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id>");
            }
            PersonNumber::Bin(_) => {
                self.raw("<Id><OrgId><Othr><Id>");
                self.text(digits, IDENTIFIER_CHARACTERS_MAX);
                self.raw("</Id><SchmeNm><Cd>TXID</Cd></SchmeNm></Othr></OrgId></Id>");
            }
        }
    }

    /// A phone as the alias of an account.
    pub(super) fn phone_proxy(&mut self, phone: &str) {
        self.raw("<Prxy><Tp><Cd>TELE</Cd></Tp><Id>");
        self.text(phone, IDENTIFIER_CHARACTERS_MAX);
        self.raw("</Id></Prxy>");
    }

    /// OrgnlGrpInf, if the message of the payment is known.
    pub(super) fn original_group(&mut self, original: &Original<'_>) {
        if let (Some(id), Some(name)) = (original.message_id, original.message_name) {
            self.raw("<OrgnlGrpInf>");
            nested!(self, [OrgnlMsgId], text(id, IDENTIFIER_CHARACTERS_MAX));
            nested!(self, [OrgnlMsgNmId], text(name, IDENTIFIER_CHARACTERS_MAX));
            self.raw("</OrgnlGrpInf>");
        }
    }

    /// OrgnlInstrId, OrgnlEndToEndId and OrgnlTxId.
    pub(super) fn original_identifiers(&mut self, original: &Original<'_>) {
        optional!(
            self,
            [OrgnlInstrId],
            original.instruction_id,
            IDENTIFIER_CHARACTERS_MAX
        );
        optional!(
            self,
            [OrgnlEndToEndId],
            original.end_to_end_id,
            IDENTIFIER_CHARACTERS_MAX
        );
        nested!(
            self,
            [OrgnlTxId],
            text(original.transaction_id, IDENTIFIER_CHARACTERS_MAX)
        );
    }

    /// Assgnmt of camt.056 and camt.029.
    pub(super) fn case_assignment(&mut self, assignment: &Assignment<'_>) {
        self.raw("<Assgnmt>");
        nested!(self, [Id], text(assignment.id, IDENTIFIER_CHARACTERS_MAX));
        nested!(self, [Assgnr Agt], agent(assignment.assigner));
        nested!(self, [Assgne Agt], agent(assignment.assignee));
        nested!(self, [CreDtTm], time(assignment.created_ns));
        self.raw("</Assgnmt>");
    }

    /// Assgnmt of acmt.023 and acmt.024.
    pub(super) fn verification_assignment(&mut self, assignment: &Assignment<'_>) {
        self.raw("<Assgnmt>");
        nested!(
            self,
            [MsgId],
            text(assignment.id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(self, [CreDtTm], time(assignment.created_ns));
        nested!(self, [Assgnr Agt], agent(assignment.assigner));
        nested!(self, [Assgne Agt], agent(assignment.assignee));
        self.raw("</Assgnmt>");
    }

    /// Case or RslvdCase: the payer's bank, which recalls, is its creator.
    pub(super) fn case(&mut self, id: &str, creator: &str) {
        nested!(self, [Id], text(id, IDENTIFIER_CHARACTERS_MAX));
        nested!(self, [Cretr Agt], agent(creator));
    }

    /// Everything before the content of a Document.
    pub(super) fn open_document(
        &mut self,
        header: Option<&BusinessHeader<'_>>,
        message_type: MessageType,
    ) {
        self.open_envelope(header, message_type);
        self.raw("<Document xmlns=\"");
        self.raw(message_type.namespace());
        self.raw("\">");
    }

    /// Everything after it.
    pub(super) fn close_document(&mut self, header: Option<&BusinessHeader<'_>>) {
        self.raw("</Document>");
        self.close_envelope(header);
    }

    fn open_envelope(&mut self, header: Option<&BusinessHeader<'_>>, message_type: MessageType) {
        self.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        let Some(header) = header else { return };
        self.raw("<");
        self.raw(ENVELOPE_ELEMENT);
        self.raw(" xmlns=\"");
        self.raw(ENVELOPE_NAMESPACE);
        self.raw("\"><AppHdr xmlns=\"");
        self.raw(MessageType::HEAD_001_001_03.namespace());
        self.raw("\">");
        nested!(self, [Fr FIId], agent(header.from));
        nested!(self, [To FIId], agent(header.to));
        nested!(
            self,
            [BizMsgIdr],
            text(header.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(self, [MsgDefIdr], raw(message_type.as_str()));
        optional!(self, [BizSvc], header.service, IDENTIFIER_CHARACTERS_MAX);
        nested!(self, [CreDt], time(header.created_ns));
        if header.possible_duplicate {
            self.raw("<PssblDplct>true</PssblDplct>");
        }
        self.raw("</AppHdr>");
    }

    fn close_envelope(&mut self, header: Option<&BusinessHeader<'_>>) {
        if header.is_some() {
            self.raw("</");
            self.raw(ENVELOPE_ELEMENT);
            self.raw(">");
        }
    }
}
