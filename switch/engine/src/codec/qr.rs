//! Layouts of the commands about dynamic QR codes.

use super::{FactsError, Reader, Writer};
use crate::qr::{Command, Register};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Register(register) => writer.put(register),
        Command::Cancel {
            source,
            reference,
            id,
        } => {
            writer.put(source);
            writer.put(reference);
            writer.put(id);
        }
    }
}

pub(super) fn take_cancel(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Cancel {
        source: reader.field("source")?,
        reference: reader.field("reference")?,
        id: reader.field("QR id")?,
    })
}

fields! {
    Register {
        source: "source",
        reference: "reference",
        id: "QR id",
        merchant_account: "merchant account",
        amount: "amount",
        expires: "expires",
    }
}
