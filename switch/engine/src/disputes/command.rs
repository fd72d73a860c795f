//! Commands about disputes. All come through the operator's door, who acts for the banks there.

use torap_clearing::dispute::Action;
use torap_domain::{ParticipantId, Position, Text, Uetr};

use crate::{Source, cards::Known, instant::History};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The payer's bank opens a case about a settled payment: a claim, or without an amount a question for documents.
    Open {
        source: Source,
        claimant: ParticipantId,
        uetr: Uetr,
        reason_code: [u8; 4],
        /// In minor units of KZT.
        claim: Option<u64>,
        /// The payment beyond the window.
        original: Option<History>,
    },
    /// The card's bank opens a case about a card transaction.
    OpenCard {
        source: Source,
        claimant: ParticipantId,
        reason_code: [u8; 4],
        /// In minor units of KZT.
        claim: Option<u64>,
        known: Box<Known>,
    },
    /// A party acts, or the operator rules: then `participant` is none.
    Act {
        source: Source,
        case: Position,
        participant: Option<ParticipantId>,
        action: Action,
        /// The payment beyond the window; for a claim.
        original: Option<History>,
    },
    /// A party adds a document; its bytes are the record's evidence.
    Attach {
        source: Source,
        case: Position,
        participant: ParticipantId,
        name: Text<64>,
        /// BLAKE3 of the bytes.
        hash: [u8; 32],
        bytes: u32,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Open { source, .. }
            | Command::OpenCard { source, .. }
            | Command::Act { source, .. }
            | Command::Attach { source, .. } => source,
        }
    }
}
