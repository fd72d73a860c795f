//! Layout of a decided card transaction, as the index keeps it.

use crate::{
    cards::{Finished, Outcome},
    codec::{FactsError, Layout, LayoutRule, Reader, Writer},
};

impl Layout for Outcome {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Outcome::Decided(decision) => {
                writer.u8(1);
                writer.put(decision);
            }
            Outcome::Blocked => writer.u8(2),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Outcome, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Outcome::Decided(reader.field("decision")?),
            2 => Outcome::Blocked,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

fields! {
    Finished {
        key: "key",
        fingerprint: "fingerprint",
        class: "class",
        outcome: "outcome",
        submitted: "submitted",
        decided: "decided",
        decided_at: "decided at",
        references: "references",
        card: "card",
        service: "service",
        channel: "channel",
        mcc: "MCC",
        product: "product",
        amount: "amount",
        acquirer: "acquirer",
        issuer: "issuer",
        asked: "asked",
        session: "session",
        fees: "fees",
    }
}
