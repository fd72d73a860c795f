//! Layouts of the commands about disputes, and of a case, which snapshots share.

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer};
use crate::disputes::{
    Action, Attachment, CardSubject, Case, Command, Dispute, End, Stage, Step, Subject,
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Open {
            source,
            claimant,
            uetr,
            reason_code,
            claim,
            original,
        } => {
            writer.put(source);
            writer.put(claimant);
            writer.put(uetr);
            writer.put(reason_code);
            writer.put(claim);
            writer.put(original);
        }
        Command::OpenCard {
            source,
            claimant,
            reason_code,
            claim,
            known,
        } => {
            writer.put(source);
            writer.put(claimant);
            writer.put(reason_code);
            writer.put(claim);
            writer.put(known.as_ref());
        }
        Command::Act {
            source,
            case,
            participant,
            action,
            original,
        } => {
            writer.put(source);
            writer.put(case);
            writer.put(participant);
            writer.put(action);
            writer.put(original);
        }
        Command::Attach {
            source,
            case,
            participant,
            name,
            hash,
            bytes,
        } => {
            writer.put(source);
            writer.put(case);
            writer.put(participant);
            writer.put(name);
            writer.put(hash);
            writer.u32(*bytes);
        }
    }
}

/// Reads what follows the version byte of a kind about disputes.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    let source = reader.field("source")?;
    Ok(match kind {
        Kind::DisputeOpen => Command::Open {
            source,
            claimant: reader.field("claimant")?,
            uetr: reader.field("UETR")?,
            reason_code: reader.field("reason code")?,
            claim: reader.field("claim")?,
            original: reader.field("original")?,
        },
        Kind::DisputeOpenCard => Command::OpenCard {
            source,
            claimant: reader.field("claimant")?,
            reason_code: reader.field("reason code")?,
            claim: reader.field("claim")?,
            known: Box::new(reader.field("known")?),
        },
        Kind::DisputeAct => Command::Act {
            source,
            case: reader.field("case")?,
            participant: reader.field("participant")?,
            action: reader.field("action")?,
            original: reader.field("original")?,
        },
        Kind::DisputeAttach => Command::Attach {
            source,
            case: reader.field("case")?,
            participant: reader.field("participant")?,
            name: reader.field("name")?,
            hash: reader.field("hash")?,
            bytes: reader.u32("bytes")?,
        },
        _ => {
            let rule = LayoutRule::UnknownKind(kind.number());
            return Err(reader.error("kind", reader.offset(), rule));
        }
    })
}

impl Layout for Action {
    fn put(&self, writer: &mut Writer<'_>) {
        let (tag, amount) = match self {
            Action::Answer => (1, None),
            Action::Claim { amount } => (2, Some(*amount)),
            Action::Accept => (3, None),
            Action::Represent { contested } => (4, Some(*contested)),
            Action::Escalate { amount } => (5, Some(*amount)),
            Action::Decline => (6, None),
            Action::Withdraw => (7, None),
            Action::Rule { awarded } => (8, Some(*awarded)),
        };
        writer.u8(tag);
        if let Some(amount) = amount {
            writer.u64(amount);
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Action, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Action::Answer,
            2 => Action::Claim {
                amount: reader.u64("amount")?,
            },
            3 => Action::Accept,
            4 => Action::Represent {
                contested: reader.u64("amount")?,
            },
            5 => Action::Escalate {
                amount: reader.u64("amount")?,
            },
            6 => Action::Decline,
            7 => Action::Withdraw,
            8 => Action::Rule {
                awarded: reader.u64("amount")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for Stage {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Stage, FactsError> {
        reader.tag(field, Stage::from_number)
    }
}

impl Layout for End {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<End, FactsError> {
        reader.tag(field, End::from_number)
    }
}

impl Dispute {
    /// What follows the subject.
    pub(crate) fn write_rest(&self, writer: &mut Writer<'_>) {
        writer.put(&self.claimant);
        writer.put(&self.respondent);
        writer.put(&self.reason_code);
        writer.put(&self.case);
        writer.list(&self.steps);
        writer.list(&self.attachments);
    }

    /// Reads what follows the subject.
    pub(crate) fn read_rest(
        subject: Subject,
        reader: &mut Reader<'_>,
    ) -> Result<Dispute, FactsError> {
        Ok(Dispute {
            subject,
            claimant: reader.field("claimant")?,
            respondent: reader.field("respondent")?,
            reason_code: reader.field("reason code")?,
            case: reader.field("case")?,
            steps: reader.list("steps")?,
            attachments: reader.list("attachments")?,
        })
    }
}

fields! {
    CardSubject {
        key: "key",
        submitted: "submitted",
        at: "at",
        card: "card",
        interchange: "interchange",
        interchange_to: "interchange to",
    }
    Case {
        stage: "stage",
        disputable: "disputable",
        claimed: "claimed",
        contested: "contested",
        escalated: "escalated",
        stands: "stands",
        deadline: "deadline",
        end: "end",
    }
    Step {
        position: "position",
        at: "at",
        stage: "stage",
        stands: "stands",
    }
    Attachment {
        position: "position",
        participant: "participant",
        name: "name",
        hash: "hash",
        bytes: "bytes",
    }
}
