//! Layouts of the commands about approvals.

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer, decode, put_nested};
use crate::{
    Command as Any,
    approval::{Command, Families, Settings},
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::SetSettings { source, settings } => {
            writer.put(source);
            writer.put(settings);
        }
        Command::Propose { source, command } => {
            writer.put(source);
            put_nested(command, writer);
        }
        Command::Decide {
            source,
            id,
            approves,
        } => {
            writer.put(source);
            writer.put(id);
            writer.put(approves);
        }
    }
}

/// Reads what follows the version byte.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    let source = reader.field("source")?;
    Ok(match kind {
        Kind::ApprovalSetSettings => Command::SetSettings {
            source,
            settings: reader.field("settings")?,
        },
        Kind::ApprovalPropose => Command::Propose {
            source,
            command: Box::new(take_proposed(reader)?),
        },
        _ => Command::Decide {
            source,
            id: reader.field("proposal")?,
            approves: reader.field("approves")?,
        },
    })
}

/// Nothing that holds another proposal. Whether the command is one to be proposed is the engine's to say: what it has refused is in
/// the log too.
pub(crate) fn take_proposed(reader: &mut Reader<'_>) -> Result<Any, FactsError> {
    let offset = reader.offset();
    let kind = reader.u16("proposed kind")?;
    let nests = matches!(
        Kind::from_number(kind),
        Some(Kind::ApprovalPropose | Kind::ApprovalDecide)
    );
    if nests {
        return Err(reader.error("proposed kind", offset, LayoutRule::Tag));
    }
    let length = reader.count("proposed length")?;
    decode(kind, reader.bytes("proposed", length)?)
}

impl Layout for Families {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u16(self.0);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Families, FactsError> {
        let offset = reader.offset();
        let set = reader.u16(field)?;
        if set & !Families::ALL.0 != 0 {
            return Err(reader.error(field, offset, LayoutRule::Tag));
        }
        Ok(Families(set))
    }
}

fields! {
    Settings {
        families: "families",
        within: "within",
    }
}
