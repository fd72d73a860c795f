//! Layouts of the commands of IMTS.

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer};
use crate::settlement::{Change, Command, Done, End, Hours, Open, Payment, Priority};
use torap_domain::DayOverride;

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    writer.put(command.source());
    match command {
        Command::Fund {
            participant,
            direction,
            amount,
            ..
        }
        | Command::Transfer {
            participant,
            direction,
            amount,
            ..
        } => {
            writer.put(participant);
            writer.put(direction);
            writer.put(amount);
        }
        Command::Pay { payment, .. } => writer.put(payment),
        Command::Change { id, change, .. } => {
            writer.put(id);
            writer.put(change);
        }
        Command::SetCreditLine {
            participant,
            amount,
            ..
        }
        | Command::Reserve {
            participant,
            amount,
            ..
        } => {
            writer.put(participant);
            writer.put(amount);
        }
        Command::SetLimit {
            participant,
            towards,
            amount,
            ..
        } => {
            writer.put(participant);
            writer.put(towards);
            writer.put(amount);
        }
        Command::Resolve { payments, .. } => writer.list(payments),
        Command::Open { cut_off, until, .. } => {
            writer.put(cut_off);
            writer.put(until);
        }
        Command::Close { .. } => {}
        Command::SetHours { hours, .. } => writer.put(hours),
        Command::SetDay { date, day, .. } => {
            writer.put(date);
            writer.put(day);
        }
    }
}

/// Reads a command of one of the kinds of IMTS.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    let source = reader.field("source")?;
    Ok(match kind {
        Kind::SettlementFund => Command::Fund {
            source,
            participant: reader.field("participant")?,
            direction: reader.field("direction")?,
            amount: reader.field("amount")?,
        },
        Kind::SettlementTransfer => Command::Transfer {
            source,
            participant: reader.field("participant")?,
            direction: reader.field("direction")?,
            amount: reader.field("amount")?,
        },
        Kind::SettlementPay => Command::Pay {
            source,
            payment: reader.field("payment")?,
        },
        Kind::SettlementChange => Command::Change {
            source,
            id: reader.field("payment")?,
            change: reader.field("change")?,
        },
        Kind::SettlementCreditLine => Command::SetCreditLine {
            source,
            participant: reader.field("participant")?,
            amount: reader.field("amount")?,
        },
        Kind::SettlementLimit => Command::SetLimit {
            source,
            participant: reader.field("participant")?,
            towards: reader.field("towards")?,
            amount: reader.field("amount")?,
        },
        Kind::SettlementReserve => Command::Reserve {
            source,
            participant: reader.field("participant")?,
            amount: reader.field("amount")?,
        },
        Kind::SettlementResolve => Command::Resolve {
            source,
            payments: reader.list("payments")?,
        },
        Kind::SettlementOpen => Command::Open {
            source,
            cut_off: reader.field("cut-off")?,
            until: reader.field("until")?,
        },
        Kind::SettlementClose => Command::Close { source },
        Kind::SettlementHours => Command::SetHours {
            source,
            hours: reader.field("hours")?,
        },
        Kind::SettlementDay => Command::SetDay {
            source,
            date: reader.field("date")?,
            day: reader.field("day")?,
        },
        other => {
            let rule = LayoutRule::UnknownKind(other.number());
            return Err(reader.error("kind", 0, rule));
        }
    })
}

fields! {
    Payment {
        from: "payer",
        to: "payee",
        amount: "amount",
        priority: "priority",
        reference: "reference",
        earliest: "earliest",
        latest: "latest",
    }
    Hours {
        opens: "opens",
        cut_off: "cut-off",
        closes: "closes",
    }
    Open {
        date: "date",
        cut_off: "cut-off",
        until: "until",
        set: "set",
    }
    Done {
        id: "payment",
        from: "payer",
        to: "payee",
        amount: "amount",
        reference: "reference",
        end: "end",
        at: "at",
    }
}

impl Layout for DayOverride {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(match self {
            DayOverride::Closed => 1,
            DayOverride::Working => 2,
        });
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<DayOverride, FactsError> {
        reader.tag(field, |tag| match tag {
            1 => Some(DayOverride::Closed),
            2 => Some(DayOverride::Working),
            _ => None,
        })
    }
}

impl Layout for Priority {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(match self {
            Priority::CentralBank => 1,
            Priority::High => 2,
            Priority::Normal => 3,
        });
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Priority, FactsError> {
        reader.tag(field, |tag| match tag {
            1 => Some(Priority::CentralBank),
            2 => Some(Priority::High),
            3 => Some(Priority::Normal),
            _ => None,
        })
    }
}

impl Layout for Change {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Change::Priority(priority) => {
                writer.u8(1);
                writer.put(priority);
            }
            Change::ToHead => writer.u8(2),
            Change::ToTail => writer.u8(3),
            Change::Withdraw => writer.u8(4),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Change, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Change::Priority(reader.field("priority")?),
            2 => Change::ToHead,
            3 => Change::ToTail,
            4 => Change::Withdraw,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for End {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            End::Settled => writer.u8(1),
            End::Rejected(reason) => {
                writer.u8(2);
                writer.put(reason);
            }
            End::Withdrawn => writer.u8(3),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<End, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => End::Settled,
            2 => End::Rejected(reader.field("reason")?),
            3 => End::Withdrawn,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}
