//! Layouts of the commands about links.

use super::{FactsError, Layout, Reader, Writer, reader::Flags};
use crate::links::{Command, Refusal};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Up {
            participant,
            session,
            received,
        } => {
            writer.put(participant);
            writer.put(session);
            writer.put(received);
        }
        Command::Down {
            participant,
            session,
        } => {
            writer.put(participant);
            writer.put(session);
        }
        Command::Refused { source, refusal } => {
            writer.put(source);
            writer.put(refusal);
        }
        Command::Noted { source } => writer.put(source),
    }
}

pub(super) fn take_up(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Up {
        participant: reader.field("participant")?,
        session: reader.field("session")?,
        received: reader.field("received")?,
    })
}

pub(super) fn take_down(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Down {
        participant: reader.field("participant")?,
        session: reader.field("session")?,
    })
}

pub(super) fn take_refused(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Refused {
        source: reader.field("source")?,
        refusal: reader.field("refusal")?,
    })
}

pub(super) fn take_noted(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Noted {
        source: reader.field("source")?,
    })
}

impl Layout for Refusal {
    fn put(&self, writer: &mut Writer<'_>) {
        let Refusal {
            reason,
            reference,
            json,
            path,
            rule,
            code,
        } = self;
        writer.u8(Flags::of(&[reference.is_some(), *json]).0);
        writer.put(reason);
        writer.optional(reference);
        writer.put(path);
        writer.put(rule);
        writer.put(code);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Refusal, FactsError> {
        let flags = reader.flags("flags", 0b11)?;
        Ok(Refusal {
            json: flags.has(1),
            reason: reader.field("reason")?,
            reference: reader.optional("reference", flags.has(0))?,
            path: reader.field("path")?,
            rule: reader.field("rule")?,
            code: reader.field("code")?,
        })
    }
}
