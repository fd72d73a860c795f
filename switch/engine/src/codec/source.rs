//! Who asked, what an answer repeats, and how much is remembered.

use torap_domain::ParticipantId;

use super::{FactsError, Layout, LayoutRule, Reader, Writer, block::Block, reader::Flags};
use crate::{Bounds, References, Source};

impl Layout for Source {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Source::Link {
                participant,
                sequence,
            } => {
                let mut block = Block::<11>::new();
                block.field([1]);
                block.field(participant.value().to_le_bytes());
                block.field(sequence.value().to_le_bytes());
                block.write(writer);
            }
            Source::Operator { name, reference } => {
                writer.u8(2);
                writer.put(name);
                writer.put(reference);
            }
            Source::Switch => writer.u8(3),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Source, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Source::Link {
                participant: reader.field::<ParticipantId>("source participant")?,
                sequence: reader.field("source sequence")?,
            },
            2 => Source::Operator {
                name: reader.field("operator name")?,
                reference: reader.field("operator reference")?,
            },
            3 => Source::Switch,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for References {
    fn put(&self, writer: &mut Writer<'_>) {
        let References {
            message_id,
            instruction_id,
            end_to_end_id,
            transaction_id,
            uetr,
            message_version,
        } = self;
        let flags = Flags::of(&[instruction_id.is_some(), end_to_end_id.is_some()]);
        let mut block = Block::<18>::new();
        block.field([flags.0]);
        block.field([*message_version]);
        block.field(uetr.bytes());
        block.write(writer);
        writer.put(message_id);
        writer.put(transaction_id);
        writer.optional(instruction_id);
        writer.optional(end_to_end_id);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<References, FactsError> {
        let flags = reader.flags("reference flags", 0b11)?;
        Ok(References {
            message_version: reader.field("message version")?,
            uetr: reader.field("UETR")?,
            message_id: reader.field("message id")?,
            transaction_id: reader.field("transaction id")?,
            instruction_id: reader.optional("instruction id", flags.has(0))?,
            end_to_end_id: reader.optional("end-to-end id", flags.has(1))?,
        })
    }
}

fields! {
    Bounds {
        duplicate_window_entries: "duplicate window entries",
        in_flight_max: "in flight max",
        customers_per_day_max: "customers per day max",
        open_recalls_max: "open recalls max",
        open_qr_codes_max: "open QR codes max",
        recent_alias_changes_max: "recent alias changes max",
    }
}
