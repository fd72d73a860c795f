//! Layouts of the commands of IMTS.

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer};
use crate::settlement::{
    Cancellation, Change, Command, Done, End, Hours, Instruction, Known, Liquidity, Modification,
    Open, Payment, Priority, Return, Waits,
};
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
        Command::Instruct(_)
        | Command::Cancel(_)
        | Command::Return(_)
        | Command::MoveLiquidity(_)
        | Command::Modify(_) => put_by_bank(command, writer),
        Command::KeepLiquidity { keeps, .. } => writer.put(keeps),
    }
}

/// What comes by a bank's own door, behind its source.
fn put_by_bank(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Instruct(instruction) => {
            writer.put(&instruction.references);
            writer.put(&instruction.instructing_agent);
            writer.put(&instruction.instructed_agent);
            writer.put(&instruction.debtor_agent);
            writer.put(&instruction.creditor_agent);
            writer.put(&instruction.creditor_account);
            writer.put(&instruction.amount);
            writer.put(&instruction.priority);
            writer.put(&instruction.date);
            writer.put(&instruction.earliest);
            writer.put(&instruction.latest);
        }
        Command::Cancel(cancellation) => {
            writer.put(&cancellation.references);
            writer.put(&cancellation.cancellation_id);
            writer.put(&cancellation.instructing_agent);
        }
        Command::Return(back) => {
            writer.put(&back.references);
            writer.put(&back.return_id);
            writer.put(&back.instructing_agent);
            writer.put(&back.amount);
        }
        Command::MoveLiquidity(order) => {
            writer.put(&order.message_id);
            writer.put(&order.agent);
            writer.put(&order.direction);
            writer.put(&order.amount);
        }
        Command::Modify(modification) => {
            writer.put(&modification.message_id);
            writer.u8(modification.message_version);
            writer.put(&modification.agent);
            writer.put(&modification.uetr);
            writer.put(&modification.transaction_id);
            writer.put(&modification.priority);
            writer.put(&modification.earliest);
            writer.put(&modification.latest);
        }
        _ => {}
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
        Kind::SettlementInstruct => Command::Instruct(Instruction {
            source,
            references: reader.field("references")?,
            instructing_agent: reader.field("instructing agent")?,
            instructed_agent: reader.field("instructed agent")?,
            debtor_agent: reader.field("debtor agent")?,
            creditor_agent: reader.field("creditor agent")?,
            creditor_account: reader.field("creditor account")?,
            amount: reader.field("amount")?,
            priority: reader.field("priority")?,
            date: reader.field("date")?,
            earliest: reader.field("earliest")?,
            latest: reader.field("latest")?,
        }),
        Kind::SettlementCancel => Command::Cancel(Cancellation {
            source,
            references: reader.field("references")?,
            cancellation_id: reader.field("cancellation")?,
            instructing_agent: reader.field("instructing agent")?,
        }),
        Kind::SettlementReturn => Command::Return(Return {
            source,
            references: reader.field("references")?,
            return_id: reader.field("return")?,
            instructing_agent: reader.field("instructing agent")?,
            amount: reader.field("amount")?,
        }),
        Kind::SettlementLiquidity => Command::MoveLiquidity(Liquidity {
            source,
            message_id: reader.field("message")?,
            agent: reader.field("agent")?,
            direction: reader.field("direction")?,
            amount: reader.field("amount")?,
        }),
        Kind::SettlementKeepLiquidity => Command::KeepLiquidity {
            source,
            keeps: reader.field("keeps")?,
        },
        Kind::SettlementModify => Command::Modify(Modification {
            source,
            message_id: reader.field("message")?,
            message_version: reader.u8("message version")?,
            agent: reader.field("agent")?,
            uetr: reader.field("uetr")?,
            transaction_id: reader.field("transaction")?,
            priority: reader.field("priority")?,
            earliest: reader.field("earliest")?,
            latest: reader.field("latest")?,
        }),
        other => {
            let rule = LayoutRule::UnknownKind(other.number());
            return Err(reader.error("kind", 0, rule));
        }
    })
}

fields! {
    Waits {
        id: "transfer",
        to: "answer to",
        participant: "participant",
        direction: "direction",
        amount: "amount",
    }
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

/// Without what a part of the snapshot of its own holds.
impl Layout for Known {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.from);
        writer.put(&self.to);
        writer.put(&self.amount);
        writer.put(&self.reference);
        writer.put(&self.uetr);
        writer.put(&self.answer_to);
        writer.put(&self.gives_back);
        writer.put(&self.settled);
        writer.put(&self.given_back);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Known, FactsError> {
        Ok(Known {
            from: reader.field("payer")?,
            to: reader.field("payee")?,
            amount: reader.field("amount")?,
            reference: reader.field("reference")?,
            uetr: reader.field("uetr")?,
            answer_to: reader.field("answer to")?,
            gives_back: reader.field("gives back")?,
            settled: reader.field("settled")?,
            given_back: reader.field("given back")?,
            about: None,
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
            Change::Times { earliest, latest } => {
                writer.u8(5);
                writer.put(earliest);
                writer.put(latest);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Change, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Change::Priority(reader.field("priority")?),
            2 => Change::ToHead,
            3 => Change::ToTail,
            4 => Change::Withdraw,
            5 => Change::Times {
                earliest: reader.field("earliest")?,
                latest: reader.field("latest")?,
            },
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
