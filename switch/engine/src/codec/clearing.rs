//! Layouts of the commands of the clearing system, and of what its outbound entries and snapshots share with them.

use torap_clearing::{Priority, SessionId};
use torap_domain::DayOverride;

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer, reader::Flags};
use crate::{
    clearing::{
        Beneficiaries, Cancellation, Command, FileKey, Line, LineRule, ListUse, Order, Party,
        Piece, PurposeRow, RefusedLine, RefusedOrder, Row, Settings, Submit, has_lists, put_lists,
        take_lists,
    },
    instant::{Fingerprint, PaymentKey},
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Submit(submit) => {
            writer.put(submit);
            // A kind of its own has them; the other has none.
            if !submit.refused.is_empty() {
                writer.list(&submit.refused);
            }
        }
        Command::Withdraw { source, uetr } => {
            writer.put(source);
            writer.put(uetr);
        }
        Command::Close { source } => writer.put(source),
        Command::SetSettings { source, settings } => {
            writer.put(source);
            writer.put(settings);
        }
        Command::Cancel(cancellation) => {
            writer.put(&cancellation.source);
            writer.put(&cancellation.key);
            writer.put(&cancellation.references);
            writer.put(&cancellation.cancellation_id);
            writer.put(&cancellation.instructing_agent);
        }
        Command::SetPurposes { source, rows } => {
            writer.put(source);
            writer.list(rows);
            // A kind of its own has them.
            if has_lists(rows) {
                put_lists(rows, writer);
            }
        }
    }
}

/// Reads what follows the version byte of a kind of the clearing system.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    if matches!(kind, Kind::ClearingSubmit | Kind::ClearingSubmitPart) {
        let mut submit: Submit = reader.field("submit")?;
        if kind == Kind::ClearingSubmitPart {
            submit.refused = reader.list("refused")?;
        }
        return Ok(Command::Submit(submit));
    }
    let source = reader.field("source")?;
    Ok(match kind {
        Kind::ClearingWithdraw => Command::Withdraw {
            source,
            uetr: reader.field("UETR")?,
        },
        Kind::ClearingClose => Command::Close { source },
        Kind::ClearingSetSettings => Command::SetSettings {
            source,
            settings: reader.field("settings")?,
        },
        Kind::ClearingSetPurposes => Command::SetPurposes {
            source,
            rows: reader.list("purposes")?,
        },
        Kind::ClearingSetLists => {
            let mut rows: Vec<PurposeRow> = reader.list("purposes")?;
            take_lists(&mut rows, reader)?;
            Command::SetPurposes { source, rows }
        }
        Kind::ClearingCancel => Command::Cancel(Cancellation {
            source,
            key: reader.field("key")?,
            references: reader.field("references")?,
            cancellation_id: reader.field("cancellation")?,
            instructing_agent: reader.field("instructing agent")?,
        }),
        _ => {
            let rule = LayoutRule::UnknownKind(kind.number());
            return Err(reader.error("kind", reader.offset(), rule));
        }
    })
}

impl Layout for PurposeRow {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.from);
        writer.put(&self.to);
        writer.list(&self.accounts);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<PurposeRow, FactsError> {
        Ok(PurposeRow {
            from: reader.field("KNP from")?,
            to: reader.field("KNP to")?,
            accounts: reader.list("accounts")?,
            list: ListUse::Allowed,
        })
    }
}

impl Layout for Submit {
    fn put(&self, writer: &mut Writer<'_>) {
        let Submit {
            source,
            message_id,
            message_version,
            instructing_agent,
            piece,
            items,
            refused: _,
        } = self;
        writer.put(source);
        writer.put(message_id);
        writer.u8(*message_version);
        writer.put(instructing_agent);
        writer.put(piece);
        writer.list(items);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Submit, FactsError> {
        Ok(Submit {
            source: reader.field("source")?,
            message_id: reader.field("message id")?,
            message_version: reader.field("message version")?,
            instructing_agent: reader.field("instructing agent")?,
            piece: reader.field("piece")?,
            items: reader.list("items")?,
            refused: Vec::new(),
        })
    }
}

impl Layout for RefusedOrder {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u16(self.number);
        writer.put(&self.instruction_id);
        writer.put(&self.end_to_end_id);
        writer.put(&self.transaction_id);
        writer.put(&self.uetr);
        writer.put(&self.code);
        writer.put(&self.text);
        writer.list(&self.lines);
        writer.u16(self.more);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<RefusedOrder, FactsError> {
        Ok(RefusedOrder {
            number: reader.u16("number")?,
            instruction_id: reader.field("instruction id")?,
            end_to_end_id: reader.field("end-to-end id")?,
            transaction_id: reader.field("transaction id")?,
            uetr: reader.field("UETR")?,
            code: reader.field("code")?,
            text: reader.field("text")?,
            lines: reader.list("lines")?,
            more: reader.u16("more")?,
        })
    }
}

impl Layout for RefusedLine {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u16(self.number);
        writer.u8(self.rule as u8);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<RefusedLine, FactsError> {
        Ok(RefusedLine {
            number: reader.u16("line")?,
            rule: reader.tag("rule", LineRule::from_number)?,
        })
    }
}

impl Layout for Piece {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.file.0);
        writer.u32(self.number);
        writer.put(&self.last);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Piece, FactsError> {
        Ok(Piece {
            file: FileKey(reader.field("file")?),
            number: reader.field("piece number")?,
            last: reader.field("last piece")?,
        })
    }
}

impl Layout for Order {
    fn put(&self, writer: &mut Writer<'_>) {
        let Order {
            key,
            fingerprint,
            uetr,
            transaction_id,
            instruction_id,
            end_to_end_id,
            amount,
            value_date,
            priority,
            debtor,
            creditor,
            purpose,
            remittance,
            list,
        } = self;
        let flags = [
            instruction_id.is_some(),
            remittance.is_some(),
            list.is_some(),
        ];
        writer.u8(Flags::of(&flags).0);
        writer.put(&key.0);
        writer.put(&fingerprint.0);
        writer.put(uetr);
        writer.put(amount);
        writer.put(value_date);
        writer.put(priority);
        writer.put(purpose);
        writer.put(transaction_id);
        writer.optional(instruction_id);
        writer.put(end_to_end_id);
        writer.put(debtor);
        writer.put(creditor);
        writer.optional(remittance);
        writer.optional(list);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Order, FactsError> {
        let flags = reader.flags("item flags", 0b111)?;
        Ok(Order {
            key: PaymentKey(reader.field("key")?),
            fingerprint: Fingerprint(reader.field("fingerprint")?),
            uetr: reader.field("UETR")?,
            amount: reader.field("amount")?,
            value_date: reader.field("value date")?,
            priority: reader.field("priority")?,
            purpose: reader.field("purpose")?,
            transaction_id: reader.field("transaction id")?,
            instruction_id: reader.optional("instruction id", flags.has(0))?,
            end_to_end_id: reader.field("end-to-end id")?,
            debtor: reader.field("debtor")?,
            creditor: reader.field("creditor")?,
            remittance: reader.optional("remittance", flags.has(1))?,
            list: reader.optional("list", flags.has(2))?,
        })
    }
}

impl Layout for Beneficiaries {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u16(self.lines);
        writer.u32(self.start);
        writer.u32(self.length);
        writer.put(&self.digest);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Beneficiaries, FactsError> {
        Ok(Beneficiaries {
            lines: reader.u16("lines")?,
            start: reader.u32("start")?,
            length: reader.u32("length")?,
            digest: reader.field("digest")?,
        })
    }
}

fields! {
    Party {
        agent: "agent",
        account: "account",
        number: "number",
        name: "name",
        sector: "sector",
    }
    Row {
        participant: "participant",
        sent: "sent",
        debits: "debits",
        received: "received",
        credits: "credits",
        left_out: "left out",
        left_out_amount: "left out amount",
    }
}

impl Layout for Settings {
    fn put(&self, writer: &mut Writer<'_>) {
        let Settings {
            amount_max,
            closes_at,
            days_ahead,
            items_max,
            days,
        } = self;
        writer.put(amount_max);
        writer.list(closes_at);
        writer.u8(*days_ahead);
        writer.u32(*items_max);
        writer.count(days.len());
        for (date, what) in days {
            writer.put(date);
            writer.put(&matches!(what, DayOverride::Working));
        }
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Settings, FactsError> {
        let mut settings = Settings {
            amount_max: reader.field("amount max")?,
            closes_at: reader.list("closes at")?,
            days_ahead: reader.field("days ahead")?,
            items_max: reader.field("items max")?,
            days: Vec::new(),
        };
        for _ in 0..reader.count("days")? {
            let date = reader.field("day")?;
            let what = if reader.field("worked")? {
                DayOverride::Working
            } else {
                DayOverride::Closed
            };
            settings.days.push((date, what));
        }
        Ok(settings)
    }
}

impl<const CHARACTERS: usize> Layout for Line<CHARACTERS> {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.text(self.as_str().as_bytes());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, FactsError> {
        reader.parsed(field, |text| Line::parse(text).ok_or(()))
    }
}

impl Layout for SessionId {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.date);
        writer.u8(self.number);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<SessionId, FactsError> {
        Ok(SessionId {
            date: reader.field(field)?,
            number: reader.u8(field)?,
        })
    }
}

impl Layout for Priority {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(self.number());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Priority, FactsError> {
        reader.tag(field, Priority::from_number)
    }
}
