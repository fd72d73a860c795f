//! Requests under way: taken, and waiting for a scheme or an issuer.

use torap_domain::{Date, ParticipantId, Position, Time};

use super::{
    ChipFact, Class, Decision, Enrichment, Fees, Finished, LinkNumber, PinFact, Trace, Transaction,
};
use crate::{
    Stamp,
    codec::{FactsError, Layout, Reader, Writer},
};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// Nobody yet; never kept in this stage.
    New = 0,
    Scheme = 1,
    Issuer = 2,
}

/// One request under way; before it is kept, one that is being decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InFlight {
    pub(super) transaction: Transaction,
    /// Record of the request.
    pub(super) submitted: Position,
    /// DE7 of the request, with its year.
    pub(super) transmitted: Time,
    /// Whose connection it came on, and which one: that of the last repeat.
    pub(super) sender: ParticipantId,
    pub(super) link: LinkNumber,
    pub(super) acquirer: ParticipantId,
    pub(super) issuer: ParticipantId,
    pub(super) product: u8,
    pub(super) stand_in: u16,
    pub(super) scheme: u8,
    pub(super) session: Date,
    pub(super) pin: PinFact,
    pub(super) chip: ChipFact,
    pub(super) partial_supported: bool,
    pub(super) stage: Stage,
    /// Whose connections the ask went to, and its trace there.
    pub(super) asked_of: ParticipantId,
    pub(super) trace: Trace,
    /// When silence counts, and when the whole must be decided.
    pub(super) deadline: Time,
    pub(super) whole: Time,
    pub(super) enrichment: Enrichment,
    /// The process that took it is gone: nobody stands in for it any more.
    pub(super) restarted: bool,
}

impl InFlight {
    /// How the issuer knows it, if it was asked.
    pub(super) fn asked(&self) -> Option<Trace> {
        (self.stage == Stage::Issuer).then_some(self.trace)
    }

    /// Whether an approval is remembered for completions.
    pub(super) fn authorises(&self) -> bool {
        self.transaction.class == Class::Authorisation && self.transaction.service.has_amount()
    }

    /// The transaction with its outcome, decided by `stamp`.
    pub(super) fn finished(
        &self,
        stamp: Stamp,
        decision: Decision,
        asked: Option<Trace>,
        fees: Option<Fees>,
    ) -> Finished {
        let transaction = &self.transaction;
        Finished {
            key: transaction.key,
            fingerprint: transaction.fingerprint,
            class: transaction.class,
            decision,
            submitted: self.submitted,
            decided: stamp.position,
            decided_at: stamp.time,
            references: transaction.references,
            card: transaction.card,
            service: transaction.service,
            channel: transaction.channel,
            mcc: transaction.mcc,
            product: self.product,
            amount: transaction.amount,
            acquirer: self.acquirer,
            issuer: self.issuer,
            asked,
            session: self.session,
            fees,
        }
    }
}

impl Stage {
    fn from_number(number: u8) -> Option<Stage> {
        match number {
            1 => Some(Stage::Scheme),
            2 => Some(Stage::Issuer),
            _ => None,
        }
    }
}

impl Layout for Enrichment {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Enrichment::NotAsked => writer.u8(1),
            Enrichment::Answered(position) => {
                writer.u8(2);
                writer.put(position);
            }
            Enrichment::Missing => writer.u8(3),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Enrichment, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Enrichment::NotAsked,
            2 => Enrichment::Answered(reader.field("enrichment record")?),
            3 => Enrichment::Missing,
            _ => return Err(reader.error(field, offset, crate::codec::LayoutRule::Tag)),
        })
    }
}

/// Snapshot of one request.
impl InFlight {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.transaction);
        writer.put(&self.submitted);
        writer.put(&self.transmitted);
        writer.put(&self.sender);
        writer.put(&self.link);
        writer.put(&self.acquirer);
        writer.put(&self.issuer);
        writer.u8(self.product);
        writer.u16(self.stand_in);
        writer.u8(self.scheme);
        writer.put(&self.session);
        writer.put(&self.pin);
        writer.put(&self.chip);
        writer.put(&self.partial_supported);
        writer.u8(self.stage as u8);
        writer.put(&self.asked_of);
        writer.put(&self.trace);
        writer.put(&self.deadline);
        writer.put(&self.whole);
        writer.put(&self.enrichment);
        writer.put(&self.restarted);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<InFlight, FactsError> {
        Ok(InFlight {
            transaction: reader.field("transaction")?,
            submitted: reader.field("submitted")?,
            transmitted: reader.field("transmitted")?,
            sender: reader.field("sender")?,
            link: reader.field("link")?,
            acquirer: reader.field("acquirer")?,
            issuer: reader.field("issuer")?,
            product: reader.u8("product")?,
            stand_in: reader.u16("stand-in")?,
            scheme: reader.u8("scheme")?,
            session: reader.field("session")?,
            pin: reader.field("PIN")?,
            chip: reader.field("chip")?,
            partial_supported: reader.field("partial supported")?,
            stage: reader.tag("stage", Stage::from_number)?,
            asked_of: reader.field("asked of")?,
            trace: reader.field("trace")?,
            deadline: reader.field("deadline")?,
            whole: reader.field("whole")?,
            enrichment: reader.field("enrichment")?,
            restarted: reader.field("restarted")?,
        })
    }
}
