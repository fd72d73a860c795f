//! What happened, for everyone who follows the log: index, statements, console, adapters.

use torap_domain::{Money, ParticipantId, Reason, Time};

use crate::{
    ancillary, cards, clearing, directory, disputes,
    instant::{Finished, PaymentKey},
    participants, settlement,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Money is held and the payee's bank (or its confirmation) is being asked.
    PaymentReserved {
        key: PaymentKey,
        debtor_agent: ParticipantId,
        creditor_agent: ParticipantId,
        amount: Money,
    },
    /// The payment has its final outcome (also rejected before any reserve, and tombstones). The index stores it.
    PaymentFinished(Finished),
    /// `returned` is the new total of the original; the index updates it.
    PaymentReturned {
        original: PaymentKey,
        returned: Money,
    },
    /// A return has its final outcome; stored like a payment.
    ReturnFinished(Finished),
    /// The index stores the record; with no persons left it deletes it.
    DirectoryChanged(Box<directory::Record>),
    /// The index adds each entry whose number it does not hold.
    DirectoryImported {
        participant: ParticipantId,
        agent: torap_domain::Bic,
        entries: Box<[directory::ImportEntry]>,
    },
    /// The gateway's view of participants changes.
    ParticipantChanged(Box<participants::View>),
    LinkChanged {
        participant: ParticipantId,
        up: bool,
    },
    PositionChanged {
        participant: ParticipantId,
        funded: Money,
        direction: participants::Direction,
    },
    /// An answer that came after the decision; no money moved.
    LateAnswer {
        key: PaymentKey,
        accepted: bool,
        decided_at: Time,
    },
    Refused {
        reason: Reason,
    },
    Card(cards::Event),
    Settlement(settlement::Event),
    Clearing(clearing::Event),
    Ancillary(ancillary::Event),
    Dispute(disputes::Event),
}
