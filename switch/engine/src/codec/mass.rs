//! Layouts of the commands about batches on the instant rail.

use super::{FactsError, Layout, Reader, Writer};
use crate::{
    instant::PaymentKey,
    mass::{Command, Line, Submit},
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    let Command::Submit(submit) = command;
    writer.put(submit);
}

/// Reads what follows the version byte.
pub(super) fn take_submit(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    reader.field("submit").map(Command::Submit)
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
