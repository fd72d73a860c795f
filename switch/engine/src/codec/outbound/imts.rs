//! Layout of what IMTS tells, statements among it: tags 48 to 54.

use super::{put_about, put_clearing_status, take_clearing_status};
use crate::{
    DayEvent, Message, Receipt, Withdrawal,
    codec::{FactsError, LayoutRule, Reader, Writer},
};

pub(super) const TAG_FIRST: u8 = 48;
pub(super) const TAG_LAST: u8 = 54;

/// A message of IMTS; others write nothing.
pub(super) fn put(message: &Message, writer: &mut Writer<'_>) {
    match message {
        Message::ImtsStatus {
            original,
            status,
            decided,
            decided_at,
        } => {
            put_about(48, original, writer);
            put_clearing_status(status, writer);
            writer.put(decided);
            writer.put(decided_at);
        }
        Message::ImtsForward {
            original,
            settled_at,
        } => {
            put_about(49, original, writer);
            writer.put(settled_at);
        }
        Message::WithdrawalAnswer {
            original,
            withdrawal,
        } => {
            put_about(50, original, writer);
            put_withdrawal(*withdrawal, writer);
        }
        Message::ImtsReceipt { original, receipt } => {
            put_about(51, original, writer);
            match receipt {
                Receipt::Done => writer.u8(1),
                Receipt::Waits { opens } => {
                    writer.u8(2);
                    writer.put(opens);
                }
                Receipt::Refused { reason } => {
                    writer.u8(3);
                    writer.put(reason);
                }
                Receipt::Unchanged { withdrawal } => {
                    writer.u8(4);
                    put_withdrawal(*withdrawal, writer);
                }
            }
        }
        Message::ImtsDay { event } => {
            writer.u8(52);
            match event {
                DayEvent::Opened { until, cut_off } => {
                    writer.u8(1);
                    writer.put(until);
                    writer.put(cut_off);
                }
                DayEvent::Extended { until, cut_off } => {
                    writer.u8(2);
                    writer.put(until);
                    writer.put(cut_off);
                }
                DayEvent::CutOff => writer.u8(3),
                DayEvent::Closed => writer.u8(4),
            }
        }
        Message::Report { original } => put_about(53, original, writer),
        Message::ImtsNotice { entry } => {
            writer.u8(54);
            writer.put(entry);
        }
        _ => {}
    }
}

/// Reads what follows the tag, which stood at `offset`.
pub(super) fn take(tag: u8, offset: usize, reader: &mut Reader<'_>) -> Result<Message, FactsError> {
    Ok(match tag {
        48 => Message::ImtsStatus {
            original: reader.field("original")?,
            status: take_clearing_status(reader)?,
            decided: reader.field("decided")?,
            decided_at: reader.field("decided at")?,
        },
        49 => Message::ImtsForward {
            original: reader.field("original")?,
            settled_at: reader.field("settled at")?,
        },
        50 => Message::WithdrawalAnswer {
            original: reader.field("original")?,
            withdrawal: take_withdrawal(reader)?,
        },
        51 => Message::ImtsReceipt {
            original: reader.field("original")?,
            receipt: take_receipt(reader)?,
        },
        52 => Message::ImtsDay {
            event: take_day(reader)?,
        },
        53 => Message::Report {
            original: reader.field("original")?,
        },
        54 => Message::ImtsNotice {
            entry: reader.field("entry")?,
        },
        _ => return Err(reader.error("message", offset, LayoutRule::Tag)),
    })
}

fn put_withdrawal(withdrawal: Withdrawal, writer: &mut Writer<'_>) {
    writer.u8(match withdrawal {
        Withdrawal::Done => 1,
        Withdrawal::Settled => 2,
        Withdrawal::Ended => 3,
        Withdrawal::Unknown => 4,
    });
}

fn take_withdrawal(reader: &mut Reader<'_>) -> Result<Withdrawal, FactsError> {
    reader.tag("withdrawal", |tag| match tag {
        1 => Some(Withdrawal::Done),
        2 => Some(Withdrawal::Settled),
        3 => Some(Withdrawal::Ended),
        4 => Some(Withdrawal::Unknown),
        _ => None,
    })
}

fn take_receipt(reader: &mut Reader<'_>) -> Result<Receipt, FactsError> {
    let offset = reader.offset();
    Ok(match reader.u8("receipt")? {
        1 => Receipt::Done,
        2 => Receipt::Waits {
            opens: reader.field("opens")?,
        },
        3 => Receipt::Refused {
            reason: reader.field("reason")?,
        },
        4 => Receipt::Unchanged {
            withdrawal: take_withdrawal(reader)?,
        },
        _ => return Err(reader.error("receipt", offset, LayoutRule::Tag)),
    })
}

fn take_day(reader: &mut Reader<'_>) -> Result<DayEvent, FactsError> {
    let offset = reader.offset();
    Ok(match reader.u8("event")? {
        1 => DayEvent::Opened {
            until: reader.field("until")?,
            cut_off: reader.field("cut-off")?,
        },
        2 => DayEvent::Extended {
            until: reader.field("until")?,
            cut_off: reader.field("cut-off")?,
        },
        3 => DayEvent::CutOff,
        4 => DayEvent::Closed,
        _ => return Err(reader.error("event", offset, LayoutRule::Tag)),
    })
}
