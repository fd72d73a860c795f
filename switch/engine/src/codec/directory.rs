//! Layouts of the directory's commands and records.

use super::{FactsError, Layout, LayoutRule, Reader, Writer, reader::Flags};
use crate::directory::{
    Account, Action, AliasKey, Change, Claim, Command, Found, ImportEntry, LookUp, LookUpFound,
    Person, Record,
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Change(change) => writer.put(change),
        Command::LookUp(look_up) => writer.put(look_up),
        Command::Import {
            source,
            participant,
            entries,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.list(entries);
        }
    }
}

pub(super) fn take_import(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::Import {
        source: reader.field("source")?,
        participant: reader.field("participant")?,
        entries: reader.list("entries")?,
    })
}

impl Layout for AliasKey {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u64(self.0);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<AliasKey, FactsError> {
        reader.u64(field).map(AliasKey)
    }
}

impl Layout for Person {
    fn put(&self, writer: &mut Writer<'_>) {
        let Person {
            person,
            accounts,
            default,
            claim,
        } = self;
        writer.put(person);
        writer.put(default);
        writer.put(claim);
        writer.list(accounts);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Person, FactsError> {
        Ok(Person {
            person: reader.field("person")?,
            default: reader.field("default")?,
            claim: reader.field("claim")?,
            accounts: reader.list("accounts")?,
        })
    }
}

impl Layout for Record {
    fn put(&self, writer: &mut Writer<'_>) {
        let Record {
            phone,
            persons,
            suspended,
            changed_at,
        } = self;
        writer.put(phone);
        writer.put(suspended);
        writer.put(changed_at);
        writer.list(persons);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Record, FactsError> {
        Ok(Record {
            phone: reader.field("phone")?,
            suspended: reader.field("suspended")?,
            changed_at: reader.field("changed at")?,
            persons: reader.list("persons")?,
        })
    }
}

impl Layout for Action {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Action::Register { account } => {
                writer.u8(1);
                writer.put(account);
            }
            Action::Change { account } => {
                writer.u8(2);
                writer.put(account);
            }
            Action::Remove { participant } => {
                writer.u8(3);
                writer.put(participant);
            }
            Action::Claim { gaining, consent } => {
                writer.u8(4);
                writer.put(gaining);
                writer.put(consent);
            }
            Action::Contest { losing } => {
                writer.u8(5);
                writer.put(losing);
            }
            Action::Release { participant } => {
                writer.u8(6);
                writer.put(participant);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Action, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Action::Register {
                account: reader.field("account")?,
            },
            2 => Action::Change {
                account: reader.field("account")?,
            },
            3 => Action::Remove {
                participant: reader.field("participant")?,
            },
            4 => Action::Claim {
                gaining: reader.field("gaining")?,
                consent: reader.field("consent")?,
            },
            5 => Action::Contest {
                losing: reader.field("losing")?,
            },
            6 => Action::Release {
                participant: reader.field("participant")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for LookUp {
    fn put(&self, writer: &mut Writer<'_>) {
        let LookUp {
            source,
            message_id,
            verification_id,
            message_version,
            instructing_agent,
            phone,
            person,
            chosen,
            as_of,
            found,
        } = self;
        writer.u8(Flags::of(&[person.is_some(), chosen.is_some()]).0);
        writer.put(source);
        writer.put(message_id);
        writer.put(verification_id);
        writer.put(message_version);
        writer.put(instructing_agent);
        writer.put(phone);
        writer.optional(person);
        writer.optional(chosen);
        writer.put(as_of);
        writer.put(found);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<LookUp, FactsError> {
        let flags = reader.flags("flags", 0b11)?;
        Ok(LookUp {
            source: reader.field("source")?,
            message_id: reader.field("message id")?,
            verification_id: reader.field("verification id")?,
            message_version: reader.field("message version")?,
            instructing_agent: reader.field("instructing agent")?,
            phone: reader.field("phone")?,
            person: reader.optional("person", flags.has(0))?,
            chosen: reader.optional("chosen", flags.has(1))?,
            as_of: reader.field("as of")?,
            found: reader.field("found")?,
        })
    }
}

impl Layout for LookUpFound {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            LookUpFound::Hit {
                agent,
                masked_name,
                changed_at,
            } => {
                writer.u8(1);
                writer.put(agent);
                writer.put(masked_name);
                writer.put(changed_at);
            }
            LookUpFound::Suspended => writer.u8(2),
            LookUpFound::Miss => writer.u8(3),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<LookUpFound, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => LookUpFound::Hit {
                agent: reader.field("found agent")?,
                masked_name: reader.field("masked name")?,
                changed_at: reader.field("changed at")?,
            },
            2 => LookUpFound::Suspended,
            3 => LookUpFound::Miss,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

fields! {
    Account {
        participant: "account participant",
        agent: "agent",
        iban: "IBAN",
        name: "name",
    }
    Claim {
        at: "claim at",
        time: "claim time",
        gaining: "gaining",
        losing: "losing",
        consent: "consent",
        contested: "contested",
    }
    Found {
        as_of: "as of",
        record: "record",
    }
    Change {
        source: "source",
        reference: "reference",
        phone: "phone",
        person: "person",
        action: "action",
        found: "found",
    }
    ImportEntry {
        phone: "phone",
        person: "person",
        iban: "IBAN",
        name: "name",
    }
}
