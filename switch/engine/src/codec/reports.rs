//! Layouts of the commands about statements and enquiries.

use super::{FactsError, Kind, Layout, LayoutRule, Reader, Writer};
use crate::reports::{
    Account, Answer, Command, Criteria, Entry, EntryKind, Figures, Found, Limit, Order, Page,
    PaymentPage, PaymentState, PaymentView, Query, Request, Stage, Sums, Wants,
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::Request(request) => {
            writer.put(&request.source);
            writer.put(&request.message_id);
            writer.u8(request.message_version);
            writer.put(&request.agent);
            writer.put(&request.query);
        }
        Command::Answer(answer) => {
            writer.put(&answer.source);
            writer.u64(answer.number);
            writer.put(&answer.order);
            put_found(&answer.found, writer);
        }
        Command::SetWants {
            source,
            participant,
            wants,
        } => {
            writer.put(source);
            writer.put(participant);
            writer.put(wants);
        }
    }
}

/// Reads what follows the version byte of a kind about statements.
pub(super) fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    let source = reader.field("source")?;
    Ok(match kind {
        Kind::ReportRequest => Command::Request(Request {
            source,
            message_id: reader.field("message id")?,
            message_version: reader.u8("message version")?,
            agent: reader.field("agent")?,
            query: reader.field("query")?,
        }),
        Kind::ReportAnswer => Command::Answer(Box::new(Answer {
            source,
            number: reader.u64("number")?,
            order: reader.field("order")?,
            found: take_found(reader)?,
        })),
        Kind::ReportWants => Command::SetWants {
            source,
            participant: reader.field("participant")?,
            wants: reader.field("wants")?,
        },
        _ => {
            let rule = LayoutRule::UnknownKind(kind.number());
            return Err(reader.error("kind", reader.offset(), rule));
        }
    })
}

fn put_found(found: &Found, writer: &mut Writer<'_>) {
    match found {
        Found::Page(page) => {
            writer.u8(1);
            writer.u32(page.number);
            writer.put(&page.is_last);
            writer.put(&page.before);
            writer.u64(page.first);
            writer.list(&page.entries);
            writer.put(&page.so_far);
        }
        Found::Balances {
            at,
            figures,
            limits,
        } => {
            // Without limits as it was before there were any.
            writer.u8(if limits.is_empty() { 2 } else { 4 });
            writer.put(at);
            writer.list(figures);
            if !limits.is_empty() {
                writer.list(limits);
            }
        }
        Found::Payments(page) => {
            writer.u8(5);
            writer.u32(page.number);
            writer.put(&page.is_last);
            writer.put(&page.at);
            writer.list(&page.payments);
        }
        Found::Failed(reason) => {
            writer.u8(3);
            writer.put(reason);
        }
    }
}

fn take_found(reader: &mut Reader<'_>) -> Result<Found, FactsError> {
    let offset = reader.offset();
    Ok(match reader.u8("found")? {
        1 => Found::Page(Page {
            number: reader.u32("page")?,
            is_last: reader.field("last")?,
            before: reader.field("before")?,
            first: reader.u64("first")?,
            entries: reader.list("entries")?,
            so_far: reader.field("so far")?,
        }),
        2 => Found::Balances {
            at: reader.field("at")?,
            figures: reader.list("figures")?,
            limits: Vec::new(),
        },
        4 => Found::Balances {
            at: reader.field("at")?,
            figures: reader.list("figures")?,
            limits: some_limits(reader)?,
        },
        5 => Found::Payments(PaymentPage {
            number: reader.u32("page")?,
            is_last: reader.field("last")?,
            at: reader.field("at")?,
            payments: reader.list("payments")?,
        }),
        3 => Found::Failed(reader.field("reason")?),
        _ => return Err(reader.error("found", offset, LayoutRule::Tag)),
    })
}

/// Without limits the other form is written.
fn some_limits(reader: &mut Reader<'_>) -> Result<Vec<Limit>, FactsError> {
    let offset = reader.offset();
    let limits: Vec<Limit> = reader.list("limits")?;
    if limits.is_empty() {
        return Err(reader.error("limits", offset, LayoutRule::NotShortest));
    }
    Ok(limits)
}

impl Layout for i128 {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.bytes(&self.to_le_bytes());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<i128, FactsError> {
        reader.array(field).map(i128::from_le_bytes)
    }
}

impl Layout for u128 {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.bytes(&self.to_le_bytes());
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<u128, FactsError> {
        reader.array(field).map(u128::from_le_bytes)
    }
}

impl Layout for Account {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Account, FactsError> {
        reader.tag(field, Account::from_number)
    }
}

impl Layout for EntryKind {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<EntryKind, FactsError> {
        reader.tag(field, EntryKind::from_number)
    }
}

impl Layout for Stage {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Stage, FactsError> {
        reader.tag(field, Stage::from_number)
    }
}

impl Layout for PaymentState {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            PaymentState::Waits => writer.u8(1),
            PaymentState::Settled => writer.u8(2),
            PaymentState::Withdrawn => writer.u8(3),
            PaymentState::Rejected(reason) => {
                writer.u8(4);
                writer.put(reason);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<PaymentState, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => PaymentState::Waits,
            2 => PaymentState::Settled,
            3 => PaymentState::Withdrawn,
            4 => PaymentState::Rejected(reader.field("reason")?),
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for Query {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Query::Statement { account, date } => {
                writer.u8(1);
                writer.put(account);
                writer.put(date);
            }
            Query::Intraday { account, from } => {
                writer.u8(2);
                writer.put(account);
                writer.u64(*from);
            }
            Query::Balances => writer.u8(3),
            Query::Payments { criteria, after } => {
                writer.u8(4);
                writer.put(criteria);
                writer.put(after);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Query, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Query::Statement {
                account: reader.field("account")?,
                date: reader.field("date")?,
            },
            2 => Query::Intraday {
                account: reader.field("account")?,
                from: reader.u64("from")?,
            },
            3 => Query::Balances,
            4 => Query::Payments {
                criteria: reader.field("criteria")?,
                after: reader.field("after")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

fields! {
    Wants {
        statements: "statements",
        notices: "notices",
    }
    Order {
        to: "to",
        owner: "owner",
        query: "query",
        request: "request",
        upto: "upto",
        at: "at",
    }
    Criteria {
        transaction_id: "transaction",
        uetr: "uetr",
        end_to_end_id: "end to end",
        stage: "stage",
        direction: "direction",
        priority: "priority",
        least: "least",
        most: "most",
        date: "date",
    }
    PaymentView {
        id: "payment",
        from: "payer",
        to: "payee",
        direction: "direction",
        amount: "amount",
        reference: "reference",
        uetr: "uetr",
        state: "state",
        since: "since",
        entered: "entered",
        priority: "priority",
        earliest: "earliest",
        latest: "latest",
    }
    Limit {
        towards: "towards",
        amount: "amount",
        left: "left",
    }
    Sums {
        debits: "debits",
        debited: "debited",
        credits: "credits",
        credited: "credited",
    }
    Figures {
        account: "account",
        balance: "balance",
        available: "available",
        held: "held",
        credit_line: "credit line",
        reserved: "reserved",
        queued: "queued",
        queued_amount: "queued amount",
    }
    Entry {
        position: "position",
        time: "time",
        kind: "kind",
        counterparty: "counterparty",
        reference: "reference",
        uetr: "UETR",
        direction: "direction",
        amount: "amount",
    }
}
