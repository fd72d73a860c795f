//! Layouts of pieces of presentment files.

use crate::{
    cards::{Header, Known, Line, LineKind, PieceTaken, Present},
    codec::{FactsError, Layout, Reader, Writer},
};

fields! {
    PieceTaken {
        first: "first line",
        position: "position",
    }
    Header {
        file_id: "file id",
        date: "file date",
        lines: "file lines",
        purchases: "sum of purchases",
        refunds: "sum of refunds",
    }
    Known {
        submitted: "submitted",
        at: "at",
        transaction: "transaction",
        acquirer: "acquirer",
        issuer: "issuer",
        approval: "approval",
        approved: "approved",
        stands: "stands",
        asked: "asked",
    }
    Line {
        number: "line number",
        kind: "line kind",
        key: "line key",
        reference: "reference",
        retrieval: "retrieval",
        terminal: "terminal",
        card: "card",
        approval: "approval",
        amount: "amount",
        date: "date",
        mcc: "MCC",
        presented: "presented",
        known: "known",
    }
}

impl Layout for LineKind {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<LineKind, FactsError> {
        reader.tag(field, LineKind::from_number)
    }
}

impl Layout for Present {
    fn put(&self, writer: &mut Writer<'_>) {
        let Present {
            source,
            participant,
            piece,
            header,
            lines,
        } = self;
        writer.put(source);
        writer.put(participant);
        writer.put(piece);
        writer.put(header);
        writer.list(lines);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Present, FactsError> {
        Ok(Present {
            source: reader.field("source")?,
            participant: reader.field("participant")?,
            piece: reader.field("piece")?,
            header: reader.field("header")?,
            lines: reader.list("lines")?,
        })
    }
}
