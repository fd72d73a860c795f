//! Layout of a decided card transaction, as the index keeps it.

use crate::cards::Finished;

fields! {
    Finished {
        key: "key",
        fingerprint: "fingerprint",
        class: "class",
        decision: "decision",
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
