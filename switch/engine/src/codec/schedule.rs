//! Layouts of the commands about changes that take effect later.

use super::{FactsError, Kind, LayoutRule, Reader, Writer, decode, encode};
use crate::{Command as Any, schedule};

/// Appends what follows the version byte.
pub(super) fn put(command: &schedule::Command, writer: &mut Writer<'_>) {
    match command {
        schedule::Command::Order {
            source,
            at,
            command,
        } => {
            writer.put(source);
            writer.put(at);
            put_nested(command, writer);
        }
        schedule::Command::Withdraw { source, at, id } => {
            writer.put(source);
            writer.put(at);
            writer.put(id);
        }
    }
}

pub(super) fn take_order(reader: &mut Reader<'_>) -> Result<schedule::Command, FactsError> {
    Ok(schedule::Command::Order {
        source: reader.field("source")?,
        at: reader.field("effective time")?,
        command: Box::new(take_nested(reader)?),
    })
}

pub(super) fn take_withdraw(reader: &mut Reader<'_>) -> Result<schedule::Command, FactsError> {
    Ok(schedule::Command::Withdraw {
        source: reader.field("source")?,
        at: reader.field("effective time")?,
        id: reader.field("order")?,
    })
}

/// A command inside another: its kind and its facts with their length.
pub(crate) fn put_nested(command: &Any, writer: &mut Writer<'_>) {
    let mut facts = Vec::new();
    let kind = encode(command, &mut facts);
    writer.u16(kind);
    writer.count(facts.len());
    writer.bytes(&facts);
}

/// Nothing nests twice. Whether the command may wait at all is the engine's to say: what it has refused is in the log too.
pub(crate) fn take_nested(reader: &mut Reader<'_>) -> Result<Any, FactsError> {
    let offset = reader.offset();
    let kind = reader.u16("change kind")?;
    let outer = matches!(
        Kind::from_number(kind),
        Some(
            Kind::ScheduleOrder
                | Kind::ScheduleWithdraw
                | Kind::ApprovalSetSettings
                | Kind::ApprovalPropose
                | Kind::ApprovalDecide
        )
    );
    if outer {
        return Err(reader.error("change kind", offset, LayoutRule::Tag));
    }
    let length = reader.count("change length")?;
    decode(kind, reader.bytes("change", length)?)
}
