//! What the read side found for a bank: pages of statements, balances; and entries as they happen.

use torap_domain::{Bic, Date, MessageId, ParticipantId, Position, Span, Time};
use torap_engine::{
    Command,
    reports::{self, Answer, Entry as Moved, Figures, Found, Order, Page, Query, Sums, bounds},
};
use torap_iso20022::{
    MessageType,
    write::{self, AccountAnswer, AccountFigures, AccountReport, REPORT_TIYN_MAX},
};

use super::{
    RenderError,
    entry::Entry,
    settlement::{header, primary},
    statement::{Statements, TooLarge},
};
use crate::versions;

/// A balance of camt.004: its name, its amount, and for payments that wait their number.
type Balance = (&'static str, i64, Option<u64>);

/// camt.053, camt.052 or camt.004.
pub(super) fn answer(
    entry: &Entry<'_>,
    original: Position,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let Command::Reports(reports::Command::Answer(answer)) = entry.records.facts(original)? else {
        return Err(unexpected(original));
    };
    let Answer { order, found, .. } = *answer;
    let asked = asked(entry, &order)?;
    match &found {
        Found::Page(page) => statement(entry, original, &order, asked, page, out),
        Found::Balances { at, figures } => {
            balances(entry, original, &order, asked, (*at, figures), out)
        }
        Found::Failed(_) => Err(unexpected(original)),
    }
}

/// MsgId and version of the request.
fn asked(
    entry: &Entry<'_>,
    order: &Order,
) -> Result<Option<(MessageId, MessageType)>, RenderError> {
    let Some(position) = order.request else {
        return Ok(None);
    };
    let Command::Reports(reports::Command::Request(request)) = entry.records.facts(position)?
    else {
        return Err(unexpected(position));
    };
    let version = versions::message(request.message_version).ok_or(unexpected(position))?;
    Ok(Some((request.message_id, version)))
}

fn statement(
    entry: &Entry<'_>,
    original: Position,
    order: &Order,
    asked: Option<(MessageId, MessageType)>,
    page: &Page,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let (account, date, is_over) = match order.query {
        Query::Statement { account, date } => (account, date, true),
        Query::Intraday { account, .. } => (account, Date::from_time(order.at), false),
        Query::Balances => return Err(unexpected(original)),
    };
    let (before, last) = bounds(date).ok_or(unexpected(original))?;
    let nano = Span::from_nanos(1);
    let statements = Statements {
        report: if is_over {
            AccountReport::Statement
        } else {
            AccountReport::Intraday
        },
        date,
        from: before.saturating_add(nano),
        until: if is_over {
            last.saturating_add(nano)
        } else {
            order.at
        },
        created: entry.effect.outbound.time,
        is_over,
        owner: primary(entry, order.owner)?,
        servicer: entry.switch,
    };
    let query = asked
        .as_ref()
        .map(|(id, version)| (id.as_str(), version.as_str()));
    let head = header(entry, entry.id());
    statements.begin(out, Some(&head), entry.id(), query);
    let bic = |id: ParticipantId| bic_of(entry, id);
    let written = statements.page(out, account, page, &bic);
    written.map_err(|error| too_large(original, error))?;
    statements.end(out, Some(&head));
    Ok(())
}

fn balances(
    entry: &Entry<'_>,
    original: Position,
    order: &Order,
    asked: Option<(MessageId, MessageType)>,
    (at, figures): (Time, &[Figures]),
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let balances: Result<Vec<Vec<Balance>>, RenderError> = figures
        .iter()
        .map(|figures| balances_of(figures).ok_or(too_large(original, TooLarge::Amount)))
        .collect();
    let balances = balances?;
    let accounts: Vec<AccountFigures<'_>> = figures
        .iter()
        .zip(&balances)
        .map(|(figures, balances)| AccountFigures {
            account: figures.account.code(),
            balances,
        })
        .collect();
    let owner = primary(entry, order.owner)?;
    let answer = AccountAnswer {
        message_id: entry.id(),
        created_ns: entry.created_ns(),
        query: asked.as_ref().map(|(id, _)| id.as_str()),
        at_ns: at.nanos(),
        accounts: &accounts,
        owner: owner.as_str(),
    };
    write::account_answer(out, Some(&header(entry, entry.id())), &answer);
    Ok(())
}

fn balances_of(figures: &Figures) -> Option<Vec<Balance>> {
    let signed = |tiyn: i128| {
        let fits = tiyn.unsigned_abs() <= u128::from(REPORT_TIYN_MAX);
        i64::try_from(tiyn).ok().filter(|_| fits)
    };
    let amount = |tiyn: u64| signed(i128::from(tiyn));
    let mut all = vec![
        ("BALANCE", signed(figures.balance)?, None),
        ("AVAILABLE", signed(figures.available)?, None),
        ("HELD", amount(figures.held)?, None),
        ("CREDITLINE", amount(figures.credit_line)?, None),
    ];
    if figures.account == reports::Account::Settlement {
        let queued = amount(figures.queued_amount)?;
        all.push(("RESERVED", amount(figures.reserved)?, None));
        all.push(("QUEUED", queued, Some(figures.queued)));
    }
    Some(all)
}

/// camt.054: one entry of the settlement account.
pub(super) fn notice(
    entry: &Entry<'_>,
    moved: Moved,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let owner = entry.effect.outbound.to;
    let mut so_far = Sums::default();
    so_far.add(&moved);
    let page = Page {
        number: 1,
        is_last: true,
        before: 0,
        first: 1,
        entries: vec![moved],
        so_far,
    };
    let statements = Statements {
        report: AccountReport::Notification,
        date: Date::from_time(moved.time),
        from: moved.time,
        until: moved.time,
        created: entry.effect.outbound.time,
        is_over: false,
        owner: primary(entry, owner)?,
        servicer: entry.switch,
    };
    let head = header(entry, entry.id());
    statements.begin(out, Some(&head), entry.id(), None);
    let bic = |id: ParticipantId| bic_of(entry, id);
    let account = reports::Account::Settlement;
    let written = statements.page(out, account, &page, &bic);
    written.map_err(|error| too_large(moved.position, error))?;
    statements.end(out, Some(&head));
    Ok(())
}

fn bic_of(entry: &Entry<'_>, id: ParticipantId) -> Option<Bic> {
    let view = entry.network.by_id(id)?;
    view.bics.first().copied()
}

fn unexpected(position: Position) -> RenderError {
    RenderError::Facts {
        position,
        expected: "the answer of the read side to a request",
    }
}

fn too_large(position: Position, error: TooLarge) -> RenderError {
    RenderError::Facts {
        position,
        expected: match error {
            TooLarge::Pages => "at most 99,999 pages",
            TooLarge::Amount => "amounts of at most 18 digits",
        },
    }
}
