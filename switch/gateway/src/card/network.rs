//! The few messages that a link writes by itself: echo, sign-off, their answers, and the word that a frame was no message.
//!
//! Everything else that leaves the switch is written from an effect of the engine. They are written in the national dialect, and taken across
//! for a link that speaks another one.

use torap_domain::Time;
use torap_domain::card::{InstitutionId, ResponseCode, Stan, Transmission};
use torap_iso8583::{Change, Dialect, Edit, Encoding, FieldSet, Message, Mti, Refusal, Writer};

use super::crosswalk::{Toward, from_national, is_national, national_purpose, to_national};

/// Purposes of network messages (DE70).
pub mod purpose {
    /// A participant takes requests from now on.
    pub const SIGN_ON: &[u8] = b"001";
    /// It takes none any more.
    pub const SIGN_OFF: &[u8] = b"002";
    /// A new key is handed over.
    pub const KEY_HANDED_OVER: &[u8] = b"101";
    /// The new key is in use from now on.
    pub const KEY_IN_USE: &[u8] = b"161";
    /// The participant asks the switch for new keys.
    pub const KEY_REQUEST: &[u8] = b"162";
    /// Cut-over to the next settlement date.
    pub const CUT_OVER: &[u8] = b"201";
    /// Is anybody there?
    pub const ECHO: &[u8] = b"301";
}

/// A message type that no dialect has.
const NO_TYPE: Mti = match Mti::new(9999) {
    Some(mti) => mti,
    None => panic!("four digits"),
};
/// DE24 of an administrative advice: a message of the other side could not be read.
const FORMAT_REFUSED: &[u8] = b"610";
/// Longest text in DE44.
const TEXT_BYTES_MAX: usize = 99;
/// What an answer to a network message repeats of its question.
const REPEATED: FieldSet = FieldSet::of(&[7, 11, 12, 13, 15, 33, 53, 63, 70, 100]);

/// Names a message of ours until its answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// DE7.
    pub transmission: Transmission,
    /// DE11.
    pub stan: Stan,
}

impl Trace {
    /// The trace of a message; `None` if it has none that can be read.
    pub fn of(message: &Message<'_>) -> Option<Trace> {
        let transmission = u32::try_from(message.number(7)?).ok()?;
        let stan = u32::try_from(message.number(11)?).ok()?;
        Some(Trace {
            transmission: Transmission::from_value(transmission)?,
            stan: Stan::new(stan)?,
        })
    }
}

/// The message type of the dialect that means the same as a national one.
pub fn mti_in(dialect: &Dialect, national: u16) -> Option<Mti> {
    let mti = Mti::new(national)?;
    if dialect.message(mti).is_some() {
        return Some(mti);
    }
    Dialect::national()
        .equivalent(mti)
        .filter(|mti| dialect.message(*mti).is_some())
}

/// The class of a message (the second digit of its type), by a look at its first bytes; `None` if they are no message type.
pub fn peek_class(dialect: &Dialect, message: &[u8]) -> Option<u8> {
    let digit = match dialect.mti_encoding() {
        Encoding::Ascii => message.get(1)?.wrapping_sub(b'0'),
        Encoding::Ebcdic => message.get(1)?.wrapping_sub(0xf0),
        Encoding::BcdLeft | Encoding::BcdRight => message.first()? & 0x0f,
        Encoding::Binary | Encoding::Hex => return None,
    };
    (digit <= 9).then_some(digit)
}

/// A message's purpose, if it is a network message: DE70 of a message of class 8, which the 1993 version states as the function code in DE24.
pub fn purpose_of<'t>(message: &Message<'_>, text: &'t mut [u8; 3]) -> Option<&'t [u8]> {
    if message.mti().class() != 8 {
        return None;
    }
    if message.dialect().year() == 1993 {
        let purpose = national_purpose(message.text(24, text)?)?;
        return Some(purpose);
    }
    message.text(70, text).map(|purpose| purpose as &[u8])
}

/// Appends a question of the switch's own, 0800. False, and nothing appended, if the dialect has no such message. `now` tells the years of its
/// dates.
pub fn write_question(
    dialect: &Dialect,
    purpose: &[u8],
    trace: Trace,
    switch: InstitutionId,
    now: Time,
    out: &mut Vec<u8>,
) -> bool {
    across(dialect, now, out, |out| {
        let mut writer = start(800, out);
        writer.field(7, trace.transmission.to_string().as_bytes())?;
        writer.field(11, trace.stan.to_string().as_bytes())?;
        writer.field(33, switch.to_string().as_bytes())?;
        writer.field(70, purpose)?;
        writer.finish()
    })
}

/// Appends the answer to a network message, in the dialect of the question: what it repeats of the question, and DE39.
pub fn write_answer(
    question: &Message<'_>,
    code: ResponseCode,
    now: Time,
    out: &mut Vec<u8>,
) -> bool {
    across(question.dialect(), now, out, |out| {
        let mut national = Vec::new();
        let question = if is_national(question.dialect()) {
            question.clone()
        } else {
            to_national(question, Toward::Switch, &mut national)?;
            Message::parse(Dialect::national(), &national)?
        };
        let code = code.bytes();
        let change = Change {
            mti: question.mti().answer(),
            keep: REPEATED,
            edits: &[Edit::Set(39, &code)],
        };
        question.splice(out, &change)
    })
}

/// Appends an administrative advice: a frame could not be read as a message, and why.
pub fn write_unreadable(
    dialect: &Dialect,
    text: &str,
    trace: Trace,
    switch: InstitutionId,
    now: Time,
    out: &mut Vec<u8>,
) -> bool {
    across(dialect, now, out, |out| {
        let mut writer = start(620, out);
        writer.field(7, trace.transmission.to_string().as_bytes())?;
        writer.field(11, trace.stan.to_string().as_bytes())?;
        writer.field(24, FORMAT_REFUSED)?;
        writer.field(33, switch.to_string().as_bytes())?;
        writer.field(44, reason_text(text).as_bytes())?;
        writer.finish()
    })
}

/// A national message of that type, which is in its table.
fn start(mti: u16, out: &mut Vec<u8>) -> Writer<'_> {
    Writer::start(Dialect::national(), Mti::new(mti).unwrap_or(NO_TYPE), out)
}

/// Appends what `write` writes in the national dialect, in another one. Takes back what was written if it was refused.
fn across(
    dialect: &Dialect,
    now: Time,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Refusal>,
) -> bool {
    let before = out.len();
    let written = if is_national(dialect) {
        write(out)
    } else {
        let mut national = Vec::new();
        write(&mut national).and_then(|()| {
            let message = Message::parse(Dialect::national(), &national)?;
            from_national(&message, dialect, Toward::Host, now, out)
        })
    };
    if written.is_err() {
        out.truncate(before);
    }
    written.is_ok()
}

/// The beginning of a text that fits DE44: printable ASCII, at least one character.
pub fn reason_text(text: &str) -> String {
    let printable = |character: char| match character {
        ' '..='~' => character,
        _ => '?',
    };
    text.chars().take(TEXT_BYTES_MAX).map(printable).collect()
}
