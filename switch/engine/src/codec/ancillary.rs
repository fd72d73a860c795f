//! Layouts of the commands of ancillary settlement.

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer};
use crate::ancillary::{
    Cause, Command, DefaultCase, Delivery, Event, FundMove, Leg, LiquidityRule, Method, Net,
    Report, Row, Settings,
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    writer.put(command.source());
    match command {
        Command::SetSettings { settings, .. } => writer.put(settings),
        Command::SettleCards { session, .. } => writer.put(session),
        Command::Fund {
            participant,
            what,
            amount,
            ..
        } => {
            writer.put(participant);
            writer.put(what);
            writer.put(amount);
        }
        Command::Require {
            participant,
            amount,
            ..
        } => {
            writer.put(participant);
            writer.put(amount);
        }
        Command::Call { .. } => {}
        Command::SetLiquidity {
            participant, rule, ..
        } => {
            writer.put(participant);
            writer.put(rule);
        }
        Command::Deliver { delivery, .. } => writer.put(delivery),
        Command::CloseDelivery { id, .. } => writer.put(id),
    }
}

/// Reads a command of one of the kinds of ancillary settlement.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    let source = reader.field("source")?;
    Ok(match kind {
        Kind::AncillarySetSettings => Command::SetSettings {
            source,
            settings: reader.field("settings")?,
        },
        Kind::AncillarySettleCards => Command::SettleCards {
            source,
            session: reader.field("session")?,
        },
        Kind::GuaranteeFund => Command::Fund {
            source,
            participant: reader.field("participant")?,
            what: reader.field("what")?,
            amount: reader.field("amount")?,
        },
        Kind::GuaranteeRequire => Command::Require {
            source,
            participant: reader.field("participant")?,
            amount: reader.field("amount")?,
        },
        Kind::GuaranteeCall => Command::Call { source },
        Kind::LiquidityRule => Command::SetLiquidity {
            source,
            participant: reader.field("participant")?,
            rule: reader.field("rule")?,
        },
        Kind::Deliver => Command::Deliver {
            source,
            delivery: reader.field("delivery")?,
        },
        Kind::DeliveryClose => Command::CloseDelivery {
            source,
            id: reader.field("delivery")?,
        },
        other => {
            let rule = LayoutRule::UnknownKind(other.number());
            return Err(reader.error("kind", 0, rule));
        }
    })
}

fields! {
    Settings {
        card_nets: "card nets",
        within: "within",
        interim: "interim",
        cap_percent: "cap percent",
    }
    LiquidityRule {
        floor: "floor",
        target: "target",
        keep: "keep",
        sweep_before: "sweep before",
    }
    Leg {
        from: "payer",
        to: "payee",
        amount: "amount",
    }
    Delivery {
        reference: "reference",
        legs: "legs",
        expires: "expires",
    }
    Net {
        participant: "participant",
        owes: "owes",
        owed: "owed",
    }
    Row {
        participant: "participant",
        owes: "owes",
        owed: "owed",
        paid: "paid",
        own_contribution: "own contribution",
        short: "short",
        fund: "fund",
        lost: "lost",
        received: "received",
    }
    Report {
        session: "session",
        cycle: "cycle",
        at: "at",
        rows: "rows",
    }
    DefaultCase {
        id: "record",
        session: "session",
        cycle: "cycle",
        debtor: "debtor",
        short: "short",
        losses: "losses",
        fund: "fund",
    }
}

/// A count, then the items.
impl<T: Layout> Layout for Vec<T> {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.list(self);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Vec<T>, FactsError> {
        reader.list(field)
    }
}

impl Layout for Method {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(match self {
            Method::DebitsFirst => 1,
            Method::Simultaneous => 2,
        });
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Method, FactsError> {
        reader.tag(field, |tag| match tag {
            1 => Some(Method::DebitsFirst),
            2 => Some(Method::Simultaneous),
            _ => None,
        })
    }
}

impl Layout for FundMove {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            FundMove::Contribute(direction) => {
                writer.u8(1);
                writer.put(direction);
            }
            FundMove::Recover { default } => {
                writer.u8(2);
                writer.put(default);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<FundMove, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => FundMove::Contribute(reader.field("direction")?),
            2 => FundMove::Recover {
                default: reader.field("default")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

/// Events are written for the running digest alone, never read.
pub(crate) fn put_event(event: &Event, writer: &mut Writer<'_>) {
    match event {
        Event::CardNetsReady { session, cycle } => {
            writer.u8(1);
            writer.put(session);
            writer.u16(*cycle);
        }
        Event::CardNetsDue {
            session,
            cycle,
            until,
        } => {
            writer.u8(2);
            writer.put(session);
            writer.u16(*cycle);
            writer.put(until);
        }
        Event::CardNetsSettled { session, cycle } => {
            writer.u8(3);
            writer.put(session);
            writer.u16(*cycle);
        }
        Event::Defaulted {
            session,
            cycle,
            participant,
            amount,
        } => {
            writer.u8(4);
            writer.put(session);
            writer.u16(*cycle);
            writer.put(participant);
            writer.put(amount);
        }
        Event::FundUsed {
            participant,
            amount,
            own,
        } => {
            writer.u8(5);
            writer.put(participant);
            writer.put(amount);
            writer.put(own);
        }
        Event::Lost {
            participant,
            amount,
        } => {
            writer.u8(6);
            writer.put(participant);
            writer.put(amount);
        }
        Event::Moved {
            participant,
            cause,
            direction,
            amount,
        } => {
            writer.u8(7);
            writer.put(participant);
            writer.u8(cause_number(*cause));
            writer.put(direction);
            writer.put(amount);
        }
        Event::TopUpCalled {
            participant,
            missing,
        } => {
            writer.u8(8);
            writer.put(participant);
            writer.put(missing);
        }
        Event::DeliverySettled { id } => {
            writer.u8(9);
            writer.put(id);
        }
        Event::DeliveryEnded { id } => {
            writer.u8(10);
            writer.put(id);
        }
    }
}

const fn cause_number(cause: Cause) -> u8 {
    cause as u8
}
