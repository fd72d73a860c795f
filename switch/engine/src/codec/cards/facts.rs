//! Layouts of what the commands of the card rail are made of.

use torap_domain::{
    CardService, Date,
    card::{
        ApprovalCode, CardHash, Channel, EntryMode, InstitutionId, Mcc, MonthDay, Prefix,
        ResponseCode, Stan, Transmission, TruncatedPan,
    },
};

use crate::{
    cards::{
        Card, CardKey, ChipFact, Class, Decider, Decision, Fees, Fingerprint, LinkNumber, MacFact,
        Origin, Original, PinFact, References, Route, Side, Sum, Totals, Trace, Transaction,
    },
    codec::{FactsError, Layout, LayoutRule, Reader, Writer, block::Block, reader::Flags},
};

macro_rules! bytes {
    ($($type:ident: $to:expr, $from:expr;)+) => {$(
        impl Layout for $type {
            #[inline]
            fn put(&self, writer: &mut Writer<'_>) {
                writer.put(&$to(*self));
            }

            #[inline]
            fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
                let offset = reader.offset();
                let stored = reader.field(field)?;
                $from(stored).ok_or_else(|| reader.error(field, offset, LayoutRule::Value))
            }
        }
    )+};
}

bytes! {
    ApprovalCode: ApprovalCode::bytes, |bytes: [u8; 6]| ApprovalCode::parse(&bytes).ok();
    ResponseCode: ResponseCode::bytes, |bytes: [u8; 2]| ResponseCode::parse(&bytes).ok();
    CardHash: |hash: CardHash| hash.0, |bytes| Some(CardHash(bytes));
    CardKey: |key: CardKey| key.0, |bytes| Some(CardKey(bytes));
    Fingerprint: |print: Fingerprint| print.0, |bytes| Some(Fingerprint(bytes));
    LinkNumber: |link: LinkNumber| link.0, |number| Some(LinkNumber(number));
    Stan: Stan::value, Stan::new;
    Transmission: Transmission::value, Transmission::from_value;
    MonthDay: MonthDay::value, MonthDay::from_value;
    Mcc: Mcc::value, Mcc::new;
    Date: |date: Date| date.days().cast_unsigned(), |days: u32| Some(Date::from_days(days.cast_signed()));
    CardService: CardService::number, CardService::from_number;
    Channel: Channel::number, Channel::from_number;
    EntryMode: EntryMode::number, EntryMode::from_number;
    Class: Class::number, Class::from_number;
    MacFact: |fact: MacFact| fact as u8, MacFact::from_number;
    PinFact: |fact: PinFact| fact as u8, PinFact::from_number;
    ChipFact: |fact: ChipFact| fact as u8, ChipFact::from_number;
    Decider: |decider: Decider| decider as u8, Decider::from_number;
    Side: |side: Side| side as u8, Side::from_number;
}

impl Layout for InstitutionId {
    fn put(&self, writer: &mut Writer<'_>) {
        let (digits, length) = self.parts();
        writer.u8(length);
        writer.u64(digits);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<InstitutionId, FactsError> {
        let offset = reader.offset();
        let length = reader.u8(field)?;
        let digits = reader.u64(field)?;
        InstitutionId::from_parts(digits, length)
            .ok_or_else(|| reader.error(field, offset, LayoutRule::Value))
    }
}

impl Layout for Prefix {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(self.length());
        writer.u64(self.digits());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Prefix, FactsError> {
        let offset = reader.offset();
        let length = reader.u8(field)?;
        let digits = reader.u64(field)?;
        Prefix::from_parts(digits, length)
            .ok_or_else(|| reader.error(field, offset, LayoutRule::Value))
    }
}

impl Layout for TruncatedPan {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u32(self.first());
        writer.u16(self.last());
        writer.u8(self.length());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<TruncatedPan, FactsError> {
        let offset = reader.offset();
        let (first, last) = (reader.u32(field)?, reader.u16(field)?);
        let length = reader.u8(field)?;
        TruncatedPan::from_parts(first, last, length)
            .ok_or_else(|| reader.error(field, offset, LayoutRule::Value))
    }
}

/// Fields of one width first, in one piece.
impl Layout for Transaction {
    fn put(&self, writer: &mut Writer<'_>) {
        let Transaction {
            class,
            key,
            fingerprint,
            references,
            card,
            route,
            service,
            channel,
            entry,
            mcc,
            amount,
            cash_back,
            mac,
        } = self;
        let flags = Flags::of(&[route.is_some()]);
        let mut block = Block::<83>::new();
        block.field([flags.0]);
        block.field([class.number()]);
        block.field([service.number()]);
        block.field([channel.number()]);
        block.field([entry.number()]);
        block.field([*mac as u8]);
        block.field(mcc.value().to_le_bytes());
        block.field(key.0);
        block.field(fingerprint.0);
        block.field(card.hash.0);
        block.field(card.pan.first().to_le_bytes());
        block.field(card.pan.last().to_le_bytes());
        block.field([card.pan.length()]);
        block.field(amount.asset().number().to_le_bytes());
        block.field(amount.minor().to_le_bytes());
        block.field(cash_back.asset().number().to_le_bytes());
        block.field(cash_back.minor().to_le_bytes());
        block.write(writer);
        writer.put(references);
        writer.optional(route);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Transaction, FactsError> {
        let flags = reader.flags("transaction flags", 0b1)?;
        Ok(Transaction {
            class: reader.field("class")?,
            service: reader.field("service")?,
            channel: reader.field("channel")?,
            entry: reader.field("entry mode")?,
            mac: reader.field("MAC")?,
            mcc: reader.field("MCC")?,
            key: reader.field("key")?,
            fingerprint: reader.field("fingerprint")?,
            card: reader.field("card")?,
            amount: reader.field("amount")?,
            cash_back: reader.field("cash back")?,
            references: reader.field("references")?,
            route: reader.optional("route", flags.has(0))?,
        })
    }
}

impl Layout for Decision {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Decision::Approved {
                approval,
                amount,
                by,
            } => {
                writer.u8(1);
                writer.put(by);
                writer.put(amount);
                writer.put(approval);
            }
            Decision::Declined { reason, code } => {
                writer.u8(2);
                writer.put(reason);
                writer.put(code);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Decision, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Decision::Approved {
                by: reader.field("decider")?,
                amount: reader.field("approved amount")?,
                approval: reader.field("approval")?,
            },
            2 => Decision::Declined {
                reason: reader.field("reason")?,
                code: reader.field("code")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

fields! {
    Origin {
        participant: "participant",
        link: "link",
    }
    Trace {
        transmitted: "transmitted",
        stan: "STAN",
    }
    References {
        trace: "trace",
        acquirer: "acquirer",
        retrieval: "retrieval reference",
        terminal: "terminal",
    }
    Card {
        hash: "card hash",
        pan: "truncated PAN",
    }
    Route {
        version: "table version",
        range: "range",
    }
    Original {
        key: "original key",
        class: "original class",
        trace: "original trace",
    }
    Fees {
        interchange: "interchange",
        interchange_to: "interchange to",
        switch_acquirer: "switch fee of the acquirer",
        switch_issuer: "switch fee of the issuer",
    }
    Sum {
        count: "count",
        amount: "amount",
    }
    Totals {
        debits: "debits",
        debit_reversals: "debit reversals",
        credits: "credits",
        credit_reversals: "credit reversals",
        fees_paid: "fees paid",
        fees_received: "fees received",
    }
}
