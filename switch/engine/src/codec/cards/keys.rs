//! Layouts of key changes: commands, and their part of the snapshot.

use crate::{
    cards::{
        KeyAnswer, KeyChange, KeyCommand, KeyLength, KeyOutcome, KeyResult, KeyStage, KeyState,
        KeyUse, KeyUses, NewKeys,
    },
    codec::{FactsError, Kind, Layout, LayoutRule, Reader, Writer, reader::Flags},
};

/// Appends what follows the version byte.
pub(super) fn put(command: &KeyCommand, writer: &mut Writer<'_>) {
    match command {
        KeyCommand::Order {
            source,
            participant,
            uses,
            length,
            overlap,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(&Wish(*uses, *length));
            writer.put(overlap);
        }
        KeyCommand::Made {
            participant,
            ordered,
            made,
        } => {
            writer.put(participant);
            writer.put(ordered);
            match made {
                Ok(keys) => {
                    writer.u8(1);
                    writer.put(keys);
                }
                Err(status) => {
                    writer.u8(2);
                    writer.put(status);
                }
            }
        }
        KeyCommand::Answer(answer) => writer.put(answer),
        KeyCommand::Cancel {
            source,
            participant,
        } => {
            writer.put(source);
            writer.put(participant);
        }
    }
}

/// Reads what follows the version byte.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<KeyCommand, FactsError> {
    Ok(match kind {
        Kind::CardKeyOrder => {
            let source = reader.field("source")?;
            let participant = reader.field("participant")?;
            let Wish(uses, length) = reader.field("uses")?;
            KeyCommand::Order {
                source,
                participant,
                uses,
                length,
                overlap: reader.field("overlap")?,
            }
        }
        Kind::CardKeysMade => KeyCommand::Made {
            participant: reader.field("participant")?,
            ordered: reader.field("order")?,
            made: {
                let offset = reader.offset();
                match reader.u8("made")? {
                    1 => Ok(reader.field("keys")?),
                    2 => Err(reader.field("status")?),
                    _ => return Err(reader.error("made", offset, LayoutRule::Tag)),
                }
            },
        },
        Kind::CardKeyAnswer => KeyCommand::Answer(reader.field("answer")?),
        _ => KeyCommand::Cancel {
            source: reader.field("source")?,
            participant: reader.field("participant")?,
        },
    })
}

impl Layout for KeyUse {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<KeyUse, FactsError> {
        reader.tag(field, |tag| match tag {
            1 => Some(KeyUse::Pin),
            2 => Some(KeyUse::Mac),
            _ => None,
        })
    }
}

/// Which keys are wanted and how long, in one byte: bits 0 and 1 as [`KeyUses`], then the length.
struct Wish(KeyUses, KeyLength);

impl Layout for Wish {
    fn put(&self, writer: &mut Writer<'_>) {
        let Wish(uses, length) = self;
        let is = |other| *length == other;
        let flags = [
            uses.pin,
            uses.mac,
            is(KeyLength::Bits128),
            is(KeyLength::Bits256),
        ];
        writer.u8(Flags::of(&flags).0);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Wish, FactsError> {
        let offset = reader.offset();
        let flags = reader.flags(field, 0b1111)?;
        let uses = KeyUses {
            pin: flags.has(0),
            mac: flags.has(1),
        };
        Ok(Wish(
            uses,
            match (flags.has(2), flags.has(3)) {
                (false, false) => KeyLength::AsBefore,
                (true, false) => KeyLength::Bits128,
                (false, true) => KeyLength::Bits256,
                (true, true) => return Err(reader.error(field, offset, LayoutRule::Tag)),
            },
        ))
    }
}

impl Layout for KeyChange {
    fn put(&self, writer: &mut Writer<'_>) {
        let KeyChange {
            ordered,
            uses,
            length,
            overlap,
            stage,
        } = self;
        writer.put(ordered);
        writer.put(&Wish(*uses, *length));
        writer.put(overlap);
        writer.put(stage);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<KeyChange, FactsError> {
        let ordered = reader.field("order")?;
        let Wish(uses, length) = reader.field("uses")?;
        Ok(KeyChange {
            ordered,
            uses,
            length,
            overlap: reader.field("overlap")?,
            stage: reader.field("stage")?,
        })
    }
}

impl Layout for KeyUses {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(Flags::of(&[self.pin, self.mac]).0);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<KeyUses, FactsError> {
        let flags = reader.flags(field, 0b11)?;
        Ok(KeyUses {
            pin: flags.has(0),
            mac: flags.has(1),
        })
    }
}

impl Layout for KeyStage {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            KeyStage::Making => writer.u8(1),
            KeyStage::HandingOver { keys, of } => {
                writer.u8(2);
                writer.put(keys);
                writer.put(of);
            }
            KeyStage::PuttingIntoUse { keys } => {
                writer.u8(3);
                writer.put(keys);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<KeyStage, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => KeyStage::Making,
            2 => KeyStage::HandingOver {
                keys: reader.field("keys")?,
                of: reader.field("use")?,
            },
            3 => KeyStage::PuttingIntoUse {
                keys: reader.field("keys")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for KeyResult {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            KeyResult::Changed => writer.u8(1),
            KeyResult::RefusedByMember(code) => {
                writer.u8(2);
                writer.put(code);
            }
            KeyResult::CheckValueWrong => writer.u8(3),
            KeyResult::RefusedByHsm(status) => {
                writer.u8(4);
                writer.put(status);
            }
            KeyResult::Cancelled => writer.u8(5),
            KeyResult::Superseded => writer.u8(6),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<KeyResult, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => KeyResult::Changed,
            2 => KeyResult::RefusedByMember(reader.field("code")?),
            3 => KeyResult::CheckValueWrong,
            4 => KeyResult::RefusedByHsm(reader.field("status")?),
            5 => KeyResult::Cancelled,
            6 => KeyResult::Superseded,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for KeyState {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.change);
        writer.put(&self.before.is_some());
        if let Some((set, until)) = &self.before {
            writer.put(set);
            writer.put(until);
        }
        writer.put(&self.last);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<KeyState, FactsError> {
        Ok(KeyState {
            change: reader.field("change")?,
            before: if reader.field("set before")? {
                Some((reader.field("set")?, reader.field("until")?))
            } else {
                None
            },
            last: reader.field("last")?,
        })
    }
}

fields! {
    NewKeys {
        set: "set",
        pin: "PIN check value",
        mac: "MAC check value",
    }
    KeyOutcome {
        ordered: "order",
        ended: "ended",
        set: "set",
        result: "result",
    }
    KeyAnswer {
        origin: "origin",
        trace: "trace",
        mac: "MAC",
        code: "code",
        check_value: "check value",
    }
}
