//! Layouts of the values that all others are made of: numbers, and the words of the domain.

use torap_domain::{
    Asset, BankCode, Bic, CancellationId, EndToEndId, Epoch, Iban, IinBin, InstructionId, Knp,
    MessageId, Money, ParticipantId, Phone, Position, QrId, Reason, ReturnId, SectorCode, Sequence,
    Service, Span, Text, Time, TransactionId, Uetr,
};

use super::{FactsError, LayoutRule, Reader, Writer};

/// A value with one written form. `take` reads exactly what `put` wrote, and accepts nothing that `put` would not write.
pub trait Layout: Sized {
    /// Appends the value.
    fn put(&self, writer: &mut Writer<'_>);

    /// Reads a value; `field` names it in errors.
    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError>;
}

macro_rules! numbers {
    ($($inner:ident),+) => {$(
        impl Layout for $inner {
            #[inline]
            fn put(&self, writer: &mut Writer<'_>) {
                writer.$inner(*self);
            }

            #[inline]
            fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
                reader.$inner(field)
            }
        }
    )+};
}

numbers!(u8, u16, u32, u64);

macro_rules! numbered {
    ($($name:ident: $inner:ident, $to:expr, $from:expr;)+) => {$(
        impl Layout for $name {
            #[inline]
            fn put(&self, writer: &mut Writer<'_>) {
                writer.$inner($to(*self));
            }

            #[inline]
            fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
                let offset = reader.offset();
                let number = reader.$inner(field)?;
                $from(number).ok_or_else(|| reader.error(field, offset, LayoutRule::Value))
            }
        }
    )+};
}

numbered! {
    Asset: u16, Asset::number, Asset::from_number;
    BankCode: u16, BankCode::value, BankCode::from_value;
    Epoch: u32, Epoch::value, |number| Some(Epoch(number));
    IinBin: u64, IinBin::value, |number| IinBin::from_value(number).ok();
    Knp: u16, Knp::value, Knp::from_value;
    ParticipantId: u16, ParticipantId::value, |number| Some(ParticipantId(number));
    Phone: u64, Phone::value, Phone::from_value;
    Position: u64, Position::value, |number| Some(Position(number));
    Reason: u16, Reason::code_number, Reason::from_number;
    SectorCode: u8, SectorCode::value, SectorCode::from_value;
    Sequence: u64, Sequence::value, |number| Some(Sequence(number));
    Service: u8, Service::number, Service::from_number;
    Span: u64, Span::nanos, |number| Some(Span::from_nanos(number));
    Time: u64, Time::nanos, |number| Some(Time::from_nanos(number));
}

macro_rules! texts {
    ($($name:ident),+) => {$(
        impl Layout for $name {
            #[inline]
            fn put(&self, writer: &mut Writer<'_>) {
                writer.text(self.as_bytes());
            }

            fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
                reader.parsed(field, $name::parse)
            }
        }
    )+};
}

texts!(
    Bic,
    CancellationId,
    EndToEndId,
    Iban,
    InstructionId,
    MessageId,
    QrId,
    ReturnId,
    TransactionId
);

impl<const N: usize> Layout for Text<N> {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.text(self.as_bytes());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
        reader.parsed(field, |text| Text::try_from(text))
    }
}

impl<const N: usize> Layout for [u8; N] {
    #[inline]
    fn put(&self, writer: &mut Writer<'_>) {
        writer.bytes(self);
    }

    #[inline]
    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
        reader.array(field)
    }
}

impl Layout for bool {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(u8::from(*self));
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
        reader.flags(field, 1).map(|flags| flags.has(0))
    }
}

/// A byte 0 or 1, then the value if 1. Where several values are optional, their flags share one byte instead.
impl<T: Layout> Layout for Option<T> {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.is_some());
        writer.optional(self);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
        let present = reader.field(field)?;
        reader.optional(field, present)
    }
}

impl Layout for Uetr {
    #[inline]
    fn put(&self, writer: &mut Writer<'_>) {
        writer.bytes(&self.bytes());
    }

    #[inline]
    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
        let offset = reader.offset();
        let bytes = reader.array(field)?;
        Uetr::from_bytes(bytes).ok_or_else(|| reader.error(field, offset, LayoutRule::Value))
    }
}

impl Layout for Money {
    #[inline]
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.asset());
        writer.u64(self.minor());
    }

    #[inline]
    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
        let asset = reader.field(field)?;
        let minor = reader.u64(field)?;
        Ok(Money::from_minor(minor, asset))
    }
}
