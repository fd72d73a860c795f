//! DE63: what the switch says of a transaction to those it connects, as tags of three characters with lengths of three digits.

use torap_domain::{CardReason, Date, Position};
use torap_engine::cards::Side;

use super::edits::digits;

/// Writes tags one after another.
pub(super) struct SwitchData<'d>(&'d mut Vec<u8>);

/// Digits of the number of a session within its day; there is one a day.
const SESSION_OF_DAY: &[u8] = b"01";

impl<'d> SwitchData<'d> {
    /// Begins the field in a buffer that is used again.
    pub(super) fn begin(out: &'d mut Vec<u8>) -> SwitchData<'d> {
        out.clear();
        SwitchData(out)
    }

    /// Goes on behind what stands in the buffer.
    pub(super) fn go_on(out: &'d mut Vec<u8>) -> SwitchData<'d> {
        SwitchData(out)
    }

    /// 001: how the operator finds the transaction: the position of its record.
    pub(super) fn reference(&mut self, position: Position) -> &mut Self {
        let digits = digits::<20>(position.value());
        let zeros = digits.iter().take(19).take_while(|digit| **digit == b'0');
        let zeros = zeros.count();
        self.tag(b"001", digits.get(zeros..).unwrap_or_default())
    }

    /// 002: the clearing session.
    pub(super) fn session(&mut self, session: Date) -> &mut Self {
        let (year, month, day) = session.ymd();
        let year = u64::try_from(year).unwrap_or_default();
        let date = year * 10_000 + u64::from(month) * 100 + u64::from(day);
        let mut value = [0; 10];
        let (date_part, rest) = value.split_at_mut(8);
        date_part.copy_from_slice(&digits::<8>(date));
        rest.copy_from_slice(SESSION_OF_DAY);
        self.tag(b"002", &value)
    }

    /// 003: the operator's number of the product.
    pub(super) fn product(&mut self, product: u8) -> &mut Self {
        self.tag(b"003", &digits::<3>(u64::from(product)))
    }

    /// 004 and 005: a participant's code, if it has the form that the field takes.
    pub(super) fn participant(&mut self, tag: &[u8; 3], code: &str) -> &mut Self {
        let code = code.as_bytes();
        let fits = (4..=8).contains(&code.len()) && code.iter().all(u8::is_ascii_alphanumeric);
        if fits { self.tag(tag, code) } else { self }
    }

    /// 006: the acquirer's own trace number.
    pub(super) fn acquirer_stan(&mut self, stan: u32) -> &mut Self {
        self.tag(b"006", &digits::<6>(u64::from(stan)))
    }

    /// 007: whether the card is one of the local instrument.
    pub(super) fn local(&mut self, local: bool) -> &mut Self {
        self.tag(b"007", if local { b"1" } else { b"0" })
    }

    /// 008: why the switch declined.
    pub(super) fn reason(&mut self, reason: CardReason) -> &mut Self {
        self.tag(b"008", reason.name().as_bytes())
    }

    /// 005 or 004: whose totals these are, and of which side.
    pub(super) fn side(&mut self, side: Side, code: &str) -> &mut Self {
        match side {
            Side::Acquirer => self.participant(b"005", code),
            Side::Issuer => self.participant(b"004", code),
        }
    }

    /// The field's value.
    pub(super) fn end(&self) -> &[u8] {
        self.0
    }

    fn tag(&mut self, tag: &[u8; 3], value: &[u8]) -> &mut Self {
        self.0.extend_from_slice(tag);
        self.0.extend_from_slice(&digits::<3>(value.len() as u64));
        self.0.extend_from_slice(value);
        self
    }
}

/// DE15: month and day of a session.
pub(super) fn settlement_day(session: Date) -> [u8; 4] {
    let (_, month, day) = session.ymd();
    digits::<4>(u64::from(month) * 100 + u64::from(day))
}
