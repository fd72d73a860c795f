//! Layout of one entry of an outbound stream: at most 60 bytes with the version, 76 for the report of a session, 97 for a case, 131 for an entry of the settlement account (8 more for one that expires, which none of the longest does).

mod imts;
mod notices;

use super::{FactsError, Layout, LayoutRule, Reader, Writer, reader::Flags};
use crate::{Message, Notice, Outbound, Standing, Status};

// Bits of the flag byte: what every entry may have, then what only a status has.
const EXPIRES: u32 = 0;
const REPEAT: u32 = 1;
const AGENT_CODE: u32 = 2;
const REFUSAL: u32 = 3;

impl Layout for Outbound {
    fn put(&self, writer: &mut Writer<'_>) {
        let Outbound {
            to,
            sequence,
            cause,
            time,
            expires,
            message,
        } = self;
        let (repeat, agent_code, refusal) = match message {
            Message::Status { status, repeat, .. } => {
                let coded = matches!(
                    status,
                    Status::Rejected {
                        agent_code: Some(_),
                        ..
                    }
                );
                (*repeat, coded, false)
            }
            Message::LookUpAnswer { refusal, .. } | Message::CommandAnswer { refusal, .. } => {
                (false, false, refusal.is_some())
            }
            _ => (false, false, false),
        };
        writer.u8(Flags::of(&[expires.is_some(), repeat, agent_code, refusal]).0);
        writer.put(to);
        writer.put(sequence);
        writer.put(cause);
        writer.put(time);
        writer.optional(expires);
        put_message(message, writer);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Outbound, FactsError> {
        let offset = reader.offset();
        let flags = reader.flags("flags", 0b1111)?;
        let entry = Outbound {
            to: reader.field("to")?,
            sequence: reader.field("sequence")?,
            cause: reader.field("cause")?,
            time: reader.field("time")?,
            expires: reader.optional("expires", flags.has(EXPIRES))?,
            message: take_message(reader, flags)?,
        };
        let known = match entry.message {
            Message::Status {
                status: Status::Rejected { .. },
                ..
            } => flag(EXPIRES) | flag(REPEAT) | flag(AGENT_CODE),
            Message::Status { .. } => flag(EXPIRES) | flag(REPEAT),
            Message::LookUpAnswer { .. } | Message::CommandAnswer { .. } => {
                flag(EXPIRES) | flag(REFUSAL)
            }
            _ => flag(EXPIRES),
        };
        if flags.0 & !known != 0 {
            return Err(reader.error("flags", offset, LayoutRule::Tag));
        }
        Ok(entry)
    }
}

const fn flag(place: u32) -> u8 {
    1 << (place & 7)
}

fn put_message(message: &Message, writer: &mut Writer<'_>) {
    match message {
        Message::Forward { original } => put_about(1, original, writer),
        Message::Confirm { original } => put_about(2, original, writer),
        Message::Status {
            original,
            status,
            decided,
            decided_at,
            repeat: _,
        } => {
            put_about(3, original, writer);
            writer.put(decided);
            writer.put(decided_at);
            match status {
                Status::Pending => writer.u8(1),
                Status::Settled => writer.u8(2),
                Status::Rejected { reason, agent_code } => {
                    writer.u8(3);
                    writer.put(reason);
                    writer.optional(agent_code);
                }
            }
        }
        Message::ForwardReturn { original } => put_about(4, original, writer),
        Message::ForwardRecall { original } => put_about(5, original, writer),
        Message::ForwardResolution { original } => put_about(6, original, writer),
        Message::Resolution { original, reason } => {
            put_about(7, original, writer);
            writer.put(reason);
        }
        Message::LookUpAnswer { original, refusal } => {
            put_about(8, original, writer);
            writer.optional(refusal);
        }
        Message::Reject { original, reason } => {
            put_about(9, original, writer);
            writer.put(reason);
        }
        Message::CommandAnswer { original, refusal } => {
            put_about(10, original, writer);
            writer.optional(refusal);
        }
        Message::Notice { notice } => {
            writer.u8(11);
            writer.put(notice);
        }
        Message::NotReceived { original } => put_about(12, original, writer),
        Message::ClearingStatus {
            original,
            first,
            items,
            status,
            session,
        } => {
            put_about(32, original, writer);
            writer.u16(*first);
            writer.u64(*items);
            put_clearing_status(status, writer);
            writer.put(session);
        }
        Message::ClearingForward {
            original,
            first,
            items,
            session,
        } => {
            put_about(33, original, writer);
            writer.u16(*first);
            writer.u64(*items);
            writer.put(session);
        }
        Message::ClearingRefused {
            original,
            first,
            items,
        } => {
            put_about(35, original, writer);
            writer.u16(*first);
            writer.u64(*items);
        }
        Message::ClearingReport {
            session,
            sent,
            debits,
            received,
            credits,
            left_out,
            left_out_amount,
        } => {
            writer.u8(34);
            writer.put(session);
            for (items, amount) in [
                (sent, debits),
                (received, credits),
                (left_out, left_out_amount),
            ] {
                writer.u32(*items);
                writer.put(amount);
            }
        }
        Message::MassStatus {
            original,
            first,
            lines,
            standing,
        } => {
            put_about(40, original, writer);
            writer.u16(*first);
            writer.u64(*lines);
            match standing {
                Standing::Accepted => writer.u8(1),
                Standing::Pending => writer.u8(2),
                Standing::Refused { reason } => {
                    writer.u8(3);
                    writer.put(reason);
                }
                Standing::Broken => writer.u8(4),
            }
        }
        Message::ImtsStatus { .. }
        | Message::ImtsForward { .. }
        | Message::WithdrawalAnswer { .. }
        | Message::ImtsReceipt { .. }
        | Message::ImtsDay { .. }
        | Message::Report { .. }
        | Message::ImtsNotice { .. } => imts::put(message, writer),
    }
}

/// Items have no bank's own code, so their status has no flag.
fn put_clearing_status(status: &Status, writer: &mut Writer<'_>) {
    match status {
        Status::Pending => writer.u8(1),
        Status::Settled => writer.u8(2),
        Status::Rejected { reason, .. } => {
            writer.u8(3);
            writer.put(reason);
        }
    }
}

fn take_clearing_status(reader: &mut Reader<'_>) -> Result<Status, FactsError> {
    let offset = reader.offset();
    Ok(match reader.u8("status")? {
        1 => Status::Pending,
        2 => Status::Settled,
        3 => Status::Rejected {
            reason: reader.field("reason")?,
            agent_code: None,
        },
        _ => return Err(reader.error("status", offset, LayoutRule::Tag)),
    })
}

fn take_clearing_report(reader: &mut Reader<'_>) -> Result<Message, FactsError> {
    Ok(Message::ClearingReport {
        session: reader.field("session")?,
        sent: reader.field("sent")?,
        debits: reader.field("debits")?,
        received: reader.field("received")?,
        credits: reader.field("credits")?,
        left_out: reader.field("left out")?,
        left_out_amount: reader.field("left out amount")?,
    })
}

fn put_about(tag: u8, original: &torap_domain::Position, writer: &mut Writer<'_>) {
    writer.u8(tag);
    writer.put(original);
}

fn take_message(reader: &mut Reader<'_>, flags: Flags) -> Result<Message, FactsError> {
    let offset = reader.offset();
    let tag = reader.u8("message")?;
    if tag == 11 {
        return reader
            .field("notice")
            .map(|notice| Message::Notice { notice });
    }
    if tag == 34 {
        return take_clearing_report(reader);
    }
    if (imts::TAG_FIRST..=imts::TAG_LAST).contains(&tag) {
        return imts::take(tag, offset, reader);
    }
    let original = reader.field("original")?;
    Ok(match tag {
        1 => Message::Forward { original },
        2 => Message::Confirm { original },
        3 => Message::Status {
            original,
            decided: reader.field("decided")?,
            decided_at: reader.field("decided at")?,
            status: take_status(reader, flags)?,
            repeat: flags.has(REPEAT),
        },
        4 => Message::ForwardReturn { original },
        5 => Message::ForwardRecall { original },
        6 => Message::ForwardResolution { original },
        7 => Message::Resolution {
            original,
            reason: reader.field("reason")?,
        },
        8 => Message::LookUpAnswer {
            original,
            refusal: reader.optional("refusal", flags.has(REFUSAL))?,
        },
        9 => Message::Reject {
            original,
            reason: reader.field("reason")?,
        },
        10 => Message::CommandAnswer {
            original,
            refusal: reader.optional("refusal", flags.has(REFUSAL))?,
        },
        12 => Message::NotReceived { original },
        32 => Message::ClearingStatus {
            original,
            first: reader.field("first item")?,
            items: reader.field("items")?,
            status: take_clearing_status(reader)?,
            session: reader.field("session")?,
        },
        33 => Message::ClearingForward {
            original,
            first: reader.field("first item")?,
            items: reader.field("items")?,
            session: reader.field("session")?,
        },
        35 => Message::ClearingRefused {
            original,
            first: reader.field("first item")?,
            items: reader.field("items")?,
        },
        40 => Message::MassStatus {
            original,
            first: reader.field("first line")?,
            lines: reader.field("lines")?,
            standing: take_standing(reader)?,
        },
        _ => return Err(reader.error("message", offset, LayoutRule::Tag)),
    })
}

fn take_standing(reader: &mut Reader<'_>) -> Result<Standing, FactsError> {
    let offset = reader.offset();
    Ok(match reader.u8("standing")? {
        1 => Standing::Accepted,
        2 => Standing::Pending,
        3 => Standing::Refused {
            reason: reader.field("reason")?,
        },
        4 => Standing::Broken,
        _ => return Err(reader.error("standing", offset, LayoutRule::Tag)),
    })
}

fn take_status(reader: &mut Reader<'_>, flags: Flags) -> Result<Status, FactsError> {
    let offset = reader.offset();
    Ok(match reader.u8("status")? {
        1 => Status::Pending,
        2 => Status::Settled,
        3 => Status::Rejected {
            reason: reader.field("reason")?,
            agent_code: reader.optional("agent code", flags.has(AGENT_CODE))?,
        },
        _ => return Err(reader.error("status", offset, LayoutRule::Tag)),
    })
}

impl Layout for Notice {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Notice::Floor { available } => {
                writer.u8(1);
                writer.put(available);
            }
            Notice::Ceiling { available } => {
                writer.u8(2);
                writer.put(available);
            }
            Notice::AliasClaimed { claim } => put_about(3, claim, writer),
            Notice::ClaimContested { claim } => put_about(4, claim, writer),
            Notice::AliasSuspended { claim } => put_about(5, claim, writer),
            Notice::AliasReleased { release } => put_about(6, release, writer),
            Notice::StateChanged { change } => put_about(7, change, writer),
            Notice::Funded { funding } => put_about(8, funding, writer),
            Notice::CardNet { .. }
            | Notice::Defaulted { .. }
            | Notice::FundUsed { .. }
            | Notice::NetLost { .. }
            | Notice::TopUpCalled { .. }
            | Notice::Case(_) => notices::put(self, writer),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Notice, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Notice::Floor {
                available: reader.field("available")?,
            },
            2 => Notice::Ceiling {
                available: reader.field("available")?,
            },
            3 => Notice::AliasClaimed {
                claim: reader.field("claim")?,
            },
            4 => Notice::ClaimContested {
                claim: reader.field("claim")?,
            },
            5 => Notice::AliasSuspended {
                claim: reader.field("claim")?,
            },
            6 => Notice::AliasReleased {
                release: reader.field("release")?,
            },
            7 => Notice::StateChanged {
                change: reader.field("change")?,
            },
            8 => Notice::Funded {
                funding: reader.field("funding")?,
            },
            tag @ notices::TAG_FIRST..=notices::TAG_LAST => notices::take(tag, reader)?,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}
