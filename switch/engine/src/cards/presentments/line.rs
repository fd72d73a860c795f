//! What a presentment file is made of: its pieces and lines, the transactions that they are about, and what becomes of a line.

use torap_domain::{
    Date, Money, ParticipantId, Position, Text, Time,
    card::{ApprovalCode, Mcc, TruncatedPan},
};

use super::super::{CardKey, Trace, Transaction};
use crate::{
    Source,
    clearing::Piece,
    codec::{FactsError, Layout, Reader, Writer},
};

/// What a line asks for. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LineKind {
    /// Collects for an authorisation.
    Purchase = 1,
    /// Gives back for a purchase.
    Refund = 2,
}

/// What a file states of itself, in every piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub file_id: Text<35>,
    pub date: Date,
    pub lines: u32,
    /// Control sums, in minor units of KZT.
    pub purchases: u64,
    pub refunds: u64,
}

/// A transaction as index and log know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The record that letters about it are written from: its request or advice.
    pub submitted: Position,
    pub at: Time,
    pub transaction: Transaction,
    pub acquirer: ParticipantId,
    pub issuer: ParticipantId,
    pub approval: Option<ApprovalCode>,
    /// Zero if it was not approved.
    pub approved: Money,
    /// What stands of it.
    pub stands: Money,
    /// How the issuer knows it.
    pub asked: Option<Trace>,
}

/// One line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// In the file, from 1.
    pub number: u32,
    pub kind: LineKind,
    /// From participant and the acquirer's reference of the line.
    pub key: CardKey,
    pub reference: Text<23>,
    /// DE37 and DE41 of the original.
    pub retrieval: Text<12>,
    pub terminal: Text<8>,
    pub card: TruncatedPan,
    /// DE38 of the original's answer; none for a refund.
    pub approval: Option<ApprovalCode>,
    pub amount: Money,
    /// Of the sale at the merchant.
    pub date: Date,
    pub mcc: Mcc,
    /// The index has a line with this key.
    pub presented: bool,
    /// The transaction that goes by what the line says.
    pub known: Option<Known>,
}

/// A piece of an acquirer's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    pub source: Source,
    pub participant: ParticipantId,
    pub piece: Piece,
    pub header: Header,
    /// 1 to [`PIECE_LINES_MAX`](super::PIECE_LINES_MAX), in the order of the file.
    pub lines: Vec<Line>,
}

/// What became of a line. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LineVerdict {
    Taken = 1,
    /// A line with this reference was taken before.
    Duplicate = 2,
    /// No transaction goes by what the line says.
    Unmatched = 3,
    /// The transaction has another card, terminal or approval code, or is another acquirer's.
    Mismatch = 4,
    /// It was not approved, or nothing stands of it.
    NotApproved = 5,
    /// The authorisation's lifetime is over.
    Late = 6,
    /// Nothing is left of the authorisation.
    Completed = 7,
    /// More than the authorisation and its tolerance.
    OverTolerance = 8,
    /// Refunds together would be more than the purchase.
    RefundExceeds = 9,
    /// A purchase of what has moved its money already, or a refund of what has moved none.
    WrongKind = 10,
    /// The sale is after today, or more than a day before its authorisation.
    WrongDate = 11,
    /// Zero, or more than twelve digits.
    AmountNotAllowed = 12,
    /// A member may not use the service, or both are one.
    NotAllowed = 13,
    /// The acquirer or the issuer is no active member.
    NotActive = 14,
    /// Too much waits for the issuer; present the line again later, under the same reference.
    QueueFull = 15,
    /// A case about the purchase is open.
    Disputed = 16,
}

impl LineVerdict {
    /// Every verdict, in the order of the numbers.
    pub const ALL: [LineVerdict; 16] = [
        LineVerdict::Taken,
        LineVerdict::Duplicate,
        LineVerdict::Unmatched,
        LineVerdict::Mismatch,
        LineVerdict::NotApproved,
        LineVerdict::Late,
        LineVerdict::Completed,
        LineVerdict::OverTolerance,
        LineVerdict::RefundExceeds,
        LineVerdict::WrongKind,
        LineVerdict::WrongDate,
        LineVerdict::AmountNotAllowed,
        LineVerdict::NotAllowed,
        LineVerdict::NotActive,
        LineVerdict::QueueFull,
        LineVerdict::Disputed,
    ];

    /// Kebab-case name; stable, meant for machines.
    pub const fn name(self) -> &'static str {
        match self {
            LineVerdict::Taken => "taken",
            LineVerdict::Duplicate => "duplicate",
            LineVerdict::Unmatched => "unmatched",
            LineVerdict::Mismatch => "mismatch",
            LineVerdict::NotApproved => "not-approved",
            LineVerdict::Late => "late",
            LineVerdict::Completed => "completed",
            LineVerdict::OverTolerance => "over-tolerance",
            LineVerdict::RefundExceeds => "refund-exceeds",
            LineVerdict::WrongKind => "wrong-kind",
            LineVerdict::WrongDate => "wrong-date",
            LineVerdict::AmountNotAllowed => "amount-not-allowed",
            LineVerdict::NotAllowed => "not-allowed",
            LineVerdict::NotActive => "not-active",
            LineVerdict::QueueFull => "queue-full",
            LineVerdict::Disputed => "disputed",
        }
    }

    /// The verdict of a stored number.
    pub fn from_number(number: u8) -> Option<LineVerdict> {
        let mut all = LineVerdict::ALL.into_iter();
        all.find(|verdict| *verdict as u8 == number)
    }
}

impl LineKind {
    /// The kind of a stored number.
    pub const fn from_number(number: u8) -> Option<LineKind> {
        match number {
            1 => Some(LineKind::Purchase),
            2 => Some(LineKind::Refund),
            _ => None,
        }
    }

    /// Kebab-case name.
    pub const fn name(self) -> &'static str {
        match self {
            LineKind::Purchase => "purchase",
            LineKind::Refund => "refund",
        }
    }
}

/// A line of a file that is known, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    pub number: u32,
    pub kind: LineKind,
    pub verdict: LineVerdict,
    pub key: CardKey,
    /// In minor units of KZT.
    pub amount: u64,
}

impl Layout for Presented {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u32(self.number);
        writer.u8(self.kind as u8);
        writer.u8(self.verdict as u8);
        writer.put(&self.key);
        writer.u64(self.amount);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Presented, FactsError> {
        Ok(Presented {
            number: reader.u32("line number")?,
            kind: reader.tag("line kind", LineKind::from_number)?,
            verdict: reader.tag("verdict", LineVerdict::from_number)?,
            key: reader.field("line key")?,
            amount: reader.u64("amount")?,
        })
    }
}
