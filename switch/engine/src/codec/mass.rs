//! Layouts of the commands about batches on the instant rail.

use super::{FactsError, Layout, Reader, Writer};
use crate::{
    clearing::FileKey,
    instant::{Fingerprint, PaymentKey},
    mass::{Command, Fault, Item, Line, Miss, Submit, Take},
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Submit(submit) => writer.put(submit),
        Command::Take(take) => writer.put(take),
        Command::Miss(miss) => writer.put(miss),
    }
}

/// Reads what follows the version byte.
pub(super) fn take_submit(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    reader.field("submit").map(Command::Submit)
}

/// As [`take_submit`].
pub(super) fn take_piece(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    reader.field("piece").map(Command::Take)
}

/// As [`take_submit`].
pub(super) fn take_miss(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    reader.field("miss").map(Command::Miss)
}

impl Layout for Line {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.key.0);
        writer.put(&self.uetr);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Line, FactsError> {
        Ok(Line {
            key: PaymentKey(reader.field("key")?),
            uetr: reader.field("UETR")?,
        })
    }
}

impl Layout for Submit {
    fn put(&self, writer: &mut Writer<'_>) {
        let Submit {
            source,
            participant,
            piece,
            lines,
        } = self;
        writer.put(source);
        writer.put(participant);
        writer.put(piece);
        writer.list(lines);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Submit, FactsError> {
        Ok(Submit {
            source: reader.field("source")?,
            participant: reader.field("participant")?,
            piece: reader.field("piece")?,
            lines: reader.list("lines")?,
        })
    }
}

impl Layout for Take {
    fn put(&self, writer: &mut Writer<'_>) {
        let Take {
            source,
            message_id,
            message_version,
            instructing_agent,
            piece,
            starts,
            content,
            lines,
        } = self;
        writer.put(source);
        writer.put(message_id);
        writer.u8(*message_version);
        writer.put(instructing_agent);
        writer.put(piece);
        writer.put(starts);
        writer.put(&content.0);
        writer.list(lines);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Take, FactsError> {
        Ok(Take {
            source: reader.field("source")?,
            message_id: reader.field("message id")?,
            message_version: reader.u8("message version")?,
            instructing_agent: reader.field("instructing agent")?,
            piece: reader.field("piece")?,
            starts: reader.field("starts")?,
            content: Fingerprint(reader.field("content")?),
            lines: reader.list("lines")?,
        })
    }
}

impl Layout for Item {
    fn put(&self, writer: &mut Writer<'_>) {
        let Item {
            line,
            transaction_id,
            instruction_id,
            end_to_end_id,
            fault,
        } = self;
        writer.put(line);
        writer.put(transaction_id);
        writer.put(instruction_id);
        writer.put(end_to_end_id);
        writer.put(fault);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Item, FactsError> {
        Ok(Item {
            line: reader.field("line")?,
            transaction_id: reader.field("transaction id")?,
            instruction_id: reader.field("instruction id")?,
            end_to_end_id: reader.field("end-to-end id")?,
            fault: reader.field("fault")?,
        })
    }
}

impl Layout for Fault {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.code);
        writer.put(&self.text);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Fault, FactsError> {
        Ok(Fault {
            code: reader.field("fault code")?,
            text: reader.field("fault text")?,
        })
    }
}

impl Layout for Miss {
    fn put(&self, writer: &mut Writer<'_>) {
        let Miss {
            source,
            participant,
            file,
            piece,
            place,
            reason,
        } = self;
        writer.put(source);
        writer.put(participant);
        writer.put(&file.0);
        writer.u32(*piece);
        writer.u16(*place);
        writer.put(reason);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Miss, FactsError> {
        Ok(Miss {
            source: reader.field("source")?,
            participant: reader.field("participant")?,
            file: FileKey(reader.field("file")?),
            piece: reader.u32("piece")?,
            place: reader.u16("place")?,
            reason: reader.field("reason")?,
        })
    }
}
