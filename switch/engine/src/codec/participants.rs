//! Layouts of the commands about participants.

use super::{FactsError, Layout, LayoutRule, Reader, Writer, reader::Flags};
use crate::participants::{Command, Direction, PositionMode, Profile, State};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Add {
            source,
            profile,
            mode,
        } => {
            writer.put(source);
            writer.put(profile);
            writer.put(mode);
        }
        Command::Update {
            source,
            participant,
            profile,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(profile);
        }
        Command::SetState {
            source,
            participant,
            state,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(state);
        }
        Command::SetPositionMode {
            source,
            participant,
            mode,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(mode);
        }
        Command::SetSuccessor {
            source,
            participant,
            successor,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(successor);
        }
        Command::Fund {
            source,
            participant,
            direction,
            amount,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(direction);
            writer.put(amount);
        }
    }
}

pub(super) fn take_add(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Add {
        source: reader.field("source")?,
        profile: reader.field("profile")?,
        mode: reader.field("mode")?,
    })
}

pub(super) fn take_update(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Update {
        source: reader.field("source")?,
        participant: reader.field("participant")?,
        profile: reader.field("profile")?,
    })
}

pub(super) fn take_state(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::SetState {
        source: reader.field("source")?,
        participant: reader.field("participant")?,
        state: reader.field("state")?,
    })
}

pub(super) fn take_position_mode(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::SetPositionMode {
        source: reader.field("source")?,
        participant: reader.field("participant")?,
        mode: reader.field("mode")?,
    })
}

pub(super) fn take_successor(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::SetSuccessor {
        source: reader.field("source")?,
        participant: reader.field("participant")?,
        successor: reader.field("successor")?,
    })
}

pub(super) fn take_fund(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Fund {
        source: reader.field("source")?,
        participant: reader.field("participant")?,
        direction: reader.field("direction")?,
        amount: reader.field("amount")?,
    })
}

impl Layout for Profile {
    fn put(&self, writer: &mut Writer<'_>) {
        let Profile {
            code,
            name,
            bics,
            bank_codes,
            sponsor,
            technical_senders,
            services,
            floor,
            ceiling,
        } = self;
        let flags = Flags::of(&[sponsor.is_some(), floor.is_some(), ceiling.is_some()]);
        writer.u8(flags.0);
        writer.put(code);
        writer.put(name);
        writer.list(bics);
        writer.list(bank_codes);
        writer.optional(sponsor);
        writer.list(technical_senders);
        writer.list(services);
        writer.optional(floor);
        writer.optional(ceiling);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Profile, FactsError> {
        let flags = reader.flags("profile flags", 0b111)?;
        Ok(Profile {
            code: reader.field("code")?,
            name: reader.field("name")?,
            bics: reader.list("BICs")?,
            bank_codes: reader.list("bank codes")?,
            sponsor: reader.optional("sponsor", flags.has(0))?,
            technical_senders: reader.list("technical senders")?,
            services: reader.list("services")?,
            floor: reader.optional("floor", flags.has(1))?,
            ceiling: reader.optional("ceiling", flags.has(2))?,
        })
    }
}

impl Layout for State {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            State::Certifying => writer.u8(1),
            State::Active => writer.u8(2),
            State::Suspended { debits, credits } => {
                writer.u8(3);
                writer.u8(Flags::of(&[*debits, *credits]).0);
            }
            State::Closing => writer.u8(4),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<State, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => State::Certifying,
            2 => State::Active,
            3 => {
                let blocked = reader.flags("suspended", 0b11)?;
                State::Suspended {
                    debits: blocked.has(0),
                    credits: blocked.has(1),
                }
            }
            4 => State::Closing,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for PositionMode {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            PositionMode::Prefunded => writer.u8(1),
            PositionMode::NetDebitCap(cap) => {
                writer.u8(2);
                writer.put(cap);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<PositionMode, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => PositionMode::Prefunded,
            2 => PositionMode::NetDebitCap(reader.field("cap")?),
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for Direction {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(match self {
            Direction::In => 1,
            Direction::Out => 2,
        });
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Direction, FactsError> {
        reader.tag(field, |tag| match tag {
            1 => Some(Direction::In),
            2 => Some(Direction::Out),
            _ => None,
        })
    }
}
