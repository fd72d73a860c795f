//! What a record names: the identifiers that must lead to it, and the payment whose history it belongs to.
//!
//! Two ways need no row here. The key of a payment or return is the hash of participant and TxId or RtrId, so these lead to it
//! through the table of payments. And a payment's own record and the answer that decided it stand in its `Finished`; only
//! what else concerns a payment (recalls, returns, questions, repeats, late answers) is listed by its UETR.

use torap_domain::{Position, Uetr};
use torap_engine::{Command, Event, instant};

/// Hash of an identifier's text. Two texts may share one: whoever follows it compares the text in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IdentifierHash(pub(crate) [u8; 8]);

/// A row that a record brings beside its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The record carries this identifier.
    Identifier(IdentifierHash),
    /// The record concerns the payment with this UETR.
    Concerns(Uetr),
    /// A name of a card message, which leads to this record.
    Card(IdentifierHash, Position),
}

/// The payer's reference where there is none; it names nothing.
const NOT_PROVIDED: &str = "NOTPROVIDED";

impl IdentifierHash {
    pub(crate) fn of(text: &str) -> IdentifierHash {
        let hash = blake3::hash(text.as_bytes());
        let mut bytes = [0; 8];
        bytes
            .iter_mut()
            .zip(hash.as_bytes())
            .for_each(|(to, from)| *to = *from);
        IdentifierHash(bytes)
    }
}

/// The rows of a command at `position`, which caused `events`.
pub(crate) fn namings(
    position: Position,
    command: &Command,
    events: &[Event],
    out: &mut Vec<Naming>,
) {
    let Command::Instant(command) = command else {
        return;
    };
    match command {
        instant::Command::CreditTransfer(transfer) => {
            let references = &transfer.references;
            let transaction = references.transaction_id.as_str();
            let instruction = references.instruction_id.as_ref().map(|id| id.as_str());
            let end_to_end = references.end_to_end_id.as_ref().map(|id| id.as_str());
            identify(references.message_id.as_str(), out);
            if let Some(instruction) = instruction.filter(|id| *id != transaction) {
                identify(instruction, out);
            }
            let is_new =
                |id: &&str| *id != transaction && Some(*id) != instruction && *id != NOT_PROVIDED;
            if let Some(end_to_end) = end_to_end.filter(is_new) {
                identify(end_to_end, out);
            }
            if !begins_or_ends_a_payment(position, events) {
                out.push(Naming::Concerns(references.uetr));
            }
        }
        instant::Command::Answer(answer) => {
            if !begins_or_ends_a_payment(position, events) {
                out.push(Naming::Concerns(answer.uetr));
            }
        }
        instant::Command::ConfirmAnswer(answer) => {
            if !begins_or_ends_a_payment(position, events) {
                out.push(Naming::Concerns(answer.uetr));
            }
        }
        instant::Command::Return(payment_return) => {
            identify(payment_return.references.message_id.as_str(), out);
            out.push(Naming::Concerns(payment_return.references.uetr));
        }
        instant::Command::Recall(recall) => {
            identify(recall.references.message_id.as_str(), out);
            identify(recall.cancellation_id.as_str(), out);
            out.push(Naming::Concerns(recall.references.uetr));
        }
        instant::Command::Resolution(resolution) => {
            identify(resolution.references.message_id.as_str(), out);
            out.push(Naming::Concerns(resolution.references.uetr));
        }
        instant::Command::StatusRequest(request) => {
            identify(request.references.message_id.as_str(), out);
            out.push(Naming::Concerns(request.references.uetr));
        }
        instant::Command::SetSettings { .. }
        | instant::Command::SetLimits { .. }
        | instant::Command::SetRecallRule { .. } => {}
    }
}

fn identify(text: &str, out: &mut Vec<Naming>) {
    out.push(Naming::Identifier(IdentifierHash::of(text)));
}

/// Whether the record reserved its payment, refused it at once, or decided it: then `Finished` names it.
fn begins_or_ends_a_payment(position: Position, events: &[Event]) -> bool {
    events.iter().any(|event| match event {
        Event::PaymentReserved { .. } => true,
        Event::PaymentFinished(finished) => finished.decided == position,
        _ => false,
    })
}
