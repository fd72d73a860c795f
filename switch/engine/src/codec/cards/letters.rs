//! Layouts of what waits in a member's queue; part of the snapshot.

use crate::{
    cards::{AdvisedBy, Letter, Notice, ReversalCause},
    codec::{FactsError, Layout, LayoutRule, Reader, Writer},
};

impl Layout for Letter {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Letter::Advice {
                original,
                class,
                about,
                amount,
                approval,
                by,
                session,
            } => {
                writer.u8(1);
                writer.put(original);
                writer.put(class);
                writer.put(about);
                writer.put(amount);
                writer.put(approval);
                writer.u8(*by as u8);
                writer.put(session);
            }
            Letter::Reversal {
                original,
                class,
                about,
                reversal,
                amount,
                stands,
                cause,
                session,
            } => {
                writer.u8(2);
                writer.put(original);
                writer.put(class);
                writer.put(about);
                writer.put(reversal);
                writer.put(amount);
                writer.put(stands);
                writer.u8(*cause as u8);
                writer.put(session);
            }
            Letter::Administrative { original, to } => {
                writer.u8(3);
                writer.put(original);
                writer.put(to);
            }
            Letter::Notice(notice) => {
                writer.u8(4);
                writer.put(notice);
            }
            Letter::CutOver { session } => {
                writer.u8(5);
                writer.put(session);
            }
            Letter::Totals {
                participant,
                session,
                side,
            } => {
                writer.u8(6);
                writer.put(participant);
                writer.put(session);
                writer.put(side);
            }
            Letter::KeyHandedOver { set, of } => {
                writer.u8(7);
                writer.put(set);
                writer.put(of);
            }
            Letter::KeyInUse { set } => {
                writer.u8(8);
                writer.put(set);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Letter, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Letter::Advice {
                original: reader.field("original")?,
                class: reader.field("class")?,
                about: reader.field("about")?,
                amount: reader.field("amount")?,
                approval: reader.field("approval")?,
                by: reader.tag("advised by", AdvisedBy::from_number)?,
                session: reader.field("session")?,
            },
            2 => Letter::Reversal {
                original: reader.field("original")?,
                class: reader.field("class")?,
                about: reader.field("about")?,
                reversal: reader.field("reversal")?,
                amount: reader.field("amount")?,
                stands: reader.field("stands")?,
                cause: reader.tag("reversal cause", ReversalCause::from_number)?,
                session: reader.field("session")?,
            },
            3 => Letter::Administrative {
                original: reader.field("original")?,
                to: reader.field("to")?,
            },
            4 => Letter::Notice(reader.field("notice")?),
            5 => Letter::CutOver {
                session: reader.field("session")?,
            },
            6 => Letter::Totals {
                participant: reader.field("participant")?,
                session: reader.field("session")?,
                side: reader.field("side")?,
            },
            7 => Letter::KeyHandedOver {
                set: reader.field("set")?,
                of: reader.field("use")?,
            },
            8 => Letter::KeyInUse {
                set: reader.field("set")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for Notice {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Notice::NetDebit {
                participant,
                net_debit,
                cap,
            } => {
                writer.u8(1);
                writer.put(participant);
                writer.put(net_debit);
                writer.put(cap);
            }
            Notice::OutOfBalance {
                participant,
                session,
                side,
            } => {
                writer.u8(2);
                writer.put(participant);
                writer.put(session);
                writer.put(side);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Notice, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Notice::NetDebit {
                participant: reader.field("participant")?,
                net_debit: reader.field("net debit")?,
                cap: reader.field("cap")?,
            },
            2 => Notice::OutOfBalance {
                participant: reader.field("participant")?,
                session: reader.field("session")?,
                side: reader.field("side")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}
