//! Commands about participants' links: who is signed on, and messages that could not be understood.

use torap_domain::{MessageId, ParticipantId, Sequence, Text};

use torap_domain::Reason;

use crate::Source;

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "commands travel in one enum whose largest variant is a payment; boxing the smaller refusal gains nothing"
)]
pub enum Command {
    /// Signed on; `session` tells sessions of one participant apart (rising within an epoch).
    Up {
        participant: ParticipantId,
        session: u64,
        received: Sequence,
    },
    /// Signed off, lost or closed. Ignored unless `session` is the one that is up.
    Down {
        participant: ParticipantId,
        session: u64,
    },
    /// A message that the gateway refused; answered with admi.002 (XML) or a JSON answer, and the link goes on.
    Refused { source: Source, refusal: Refusal },
    /// A message that asks nothing (the acknowledgement of a notice, a reject of one of ours): it uses up its sequence and is
    /// never answered, or two hosts would reject each other's rejects for ever.
    Noted { source: Source },
}

/// Why a message was not understood: place, rule and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// The sender's own identification of the message, if it could be read.
    pub reference: Option<MessageId>,
    /// The message was JSON, and the answer is.
    pub json: bool,
    pub path: Text<200>,
    pub rule: Text<120>,
    pub code: Text<35>,
}
