//! What the read side found for a bank: pages of statements and payments, balances and limits; and entries as they happen.

use torap_domain::{Bic, Date, MessageId, ParticipantId, Position, Span, Text, Time};
use torap_engine::{
    Command,
    participants::Direction,
    reports::{
        self, Answer, Entry as Moved, Figures, Found, LIMITS_TOLD_MAX, Limit, Order, Page,
        PaymentPage, PaymentState, PaymentView, Query, Sums, bounds,
    },
    settlement::Priority,
};
use torap_iso20022::{
    MessageType,
    write::{
        self, AccountAnswer, AccountFigures, AccountReport, BilateralLimit, PaymentAnswer,
        PaymentLine, REPORT_TIYN_MAX,
    },
};

use super::{
    RenderError,
    entry::{Entry, hyphenated},
    settlement::{header, primary},
    statement::{Statements, TooLarge},
};
use crate::{codes, versions};

/// A balance of camt.004: its name, its amount, and for payments that wait their number.
type Balance = (&'static str, i64, Option<u64>);

/// camt.053, camt.052, camt.004 or camt.006.
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
        Found::Balances {
            at,
            figures,
            limits,
        } => {
            let what = (*at, figures.as_slice(), limits.as_slice());
            balances(entry, original, &order, asked, what, out)
        }
        Found::Payments(page) => payments(entry, original, asked, page, out),
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
        Query::Balances | Query::Payments { .. } => return Err(unexpected(original)),
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
        number: order
            .request
            .filter(|_| !is_over)
            .map(|request| request.value()),
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
    (at, figures, limits): (Time, &[Figures], &[Limit]),
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let has_more = limits.len() > LIMITS_TOLD_MAX;
    let limits = limits.get(..LIMITS_TOLD_MAX).unwrap_or(limits);
    let towards_all = limits.iter().find(|limit| limit.towards.is_none());
    let balances: Result<Vec<Vec<Balance>>, RenderError> = figures
        .iter()
        .map(|figures| {
            let of = balances_of(figures, (towards_all, has_more));
            of.ok_or(too_large(original, TooLarge::Amount))
        })
        .collect();
    let balances = balances?;
    let bilateral = bilateral(entry, original, limits)?;
    let bilateral: Vec<BilateralLimit<'_>> = bilateral
        .iter()
        .map(|(bic, limit)| BilateralLimit {
            towards: bic.as_str(),
            tiyn: limit.amount,
            left: limit.left,
        })
        .collect();
    let accounts: Vec<AccountFigures<'_>> = figures
        .iter()
        .zip(&balances)
        .map(|(figures, balances)| AccountFigures {
            account: figures.account.code(),
            balances,
            multilateral_limit: towards_all
                .filter(|_| figures.account == reports::Account::Settlement)
                .map(|limit| limit.amount),
            bilateral_limits: match figures.account {
                reports::Account::Settlement => &bilateral,
                _ => &[],
            },
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

/// Bilateral limits with the BIC of the other bank.
fn bilateral<'l>(
    entry: &Entry<'_>,
    original: Position,
    limits: &'l [Limit],
) -> Result<Vec<(Bic, &'l Limit)>, RenderError> {
    let most = limits.iter().map(|limit| limit.amount.max(limit.left));
    if most.max().is_some_and(|most| most > REPORT_TIYN_MAX) {
        return Err(too_large(original, TooLarge::Amount));
    }
    let mut named = Vec::new();
    for limit in limits {
        if let Some(towards) = limit.towards {
            named.push((primary(entry, towards)?, limit));
        }
    }
    Ok(named)
}

/// camt.006: a page of payments.
fn payments(
    entry: &Entry<'_>,
    original: Position,
    asked: Option<(MessageId, MessageType)>,
    page: &PaymentPage,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let (query, version) = asked.ok_or(unexpected(original))?;
    let written: Result<Vec<Paid>, RenderError> = page
        .payments
        .iter()
        .map(|payment| Paid::of(entry, original, payment))
        .collect();
    let written = written?;
    let lines: Vec<PaymentLine<'_>> = written.iter().map(Paid::line).collect();
    let sum = lines.iter().map(|line| u128::from(line.tiyn)).sum::<u128>();
    let answer = PaymentAnswer {
        message_id: entry.id(),
        created_ns: entry.created_ns(),
        page: (page.number, page.is_last),
        query: (query.as_str(), version.as_str()),
        payments: &lines,
        sum: u64::try_from(sum)
            .ok()
            .filter(|sum| *sum <= REPORT_TIYN_MAX),
    };
    write::payment_answer(out, Some(&header(entry, entry.id())), &answer);
    Ok(())
}

/// A payment with its texts.
struct Paid {
    view: PaymentView,
    uetr: Option<Text<36>>,
    date: Option<Text<10>>,
    payer: Bic,
    payee: Bic,
}

impl Paid {
    fn of(entry: &Entry<'_>, original: Position, view: &PaymentView) -> Result<Paid, RenderError> {
        if view.amount.minor() > REPORT_TIYN_MAX {
            return Err(too_large(original, TooLarge::Amount));
        }
        let date = |time| Text::format(format_args!("{}", Date::from_time(time))).ok();
        Ok(Paid {
            view: *view,
            uetr: view.uetr.map(hyphenated),
            date: view.entered.and_then(date),
            payer: primary(entry, view.from)?,
            payee: primary(entry, view.to)?,
        })
    }

    fn line(&self) -> PaymentLine<'_> {
        let view = &self.view;
        let nanos = |time: Option<Time>| time.map(Time::nanos);
        PaymentLine {
            transaction_id: view.reference.as_str(),
            uetr: self.uetr.as_ref().map(Text::as_str),
            tiyn: view.amount.minor(),
            date: self.date.as_ref().map(Text::as_str),
            payer: self.payer.as_str(),
            payee: self.payee.as_str(),
            is_credit: view.direction == Direction::In,
            end: match view.state {
                PaymentState::Waits => None,
                PaymentState::Settled => Some("STLD"),
                PaymentState::Withdrawn => Some("CAND"),
                PaymentState::Rejected(_) => Some("RJTD"),
            },
            since_ns: nanos(view.since),
            reason: match view.state {
                PaymentState::Rejected(Some(reason)) => {
                    Some((codes::status(reason), reason.text()))
                }
                _ => None,
            },
            priority: view.priority.map(|priority| match priority {
                Priority::CentralBank => "URGT",
                Priority::High => "HIGH",
                Priority::Normal => "NORM",
            }),
            from_ns: nanos(view.earliest),
            till_ns: nanos(view.latest),
        }
    }
}

/// `has_more`: of the limits only the first are told.
fn balances_of(
    figures: &Figures,
    (towards_all, has_more): (Option<&Limit>, bool),
) -> Option<Vec<Balance>> {
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
        if let Some(limit) = towards_all {
            all.push(("LIMITLEFT", amount(limit.left)?, None));
        }
        if has_more {
            all.push(("MORELIMITS", 0, None));
        }
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
        number: Some(entry.effect.outbound.sequence.value()),
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
