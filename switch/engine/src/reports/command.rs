//! Commands about statements and enquiries.

use torap_domain::{Bic, Date, MessageId, ParticipantId, Position, Reason, Time};

use super::{Account, Criteria, Page, PaymentPage};
use crate::Source;

/// What a bank asks about its own accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// The statement of a day that is over.
    Statement { account: Account, date: Date },
    /// What has moved on this day so far, from the entry of this number on.
    Intraday { account: Account, from: u64 },
    /// What stands on its accounts, and what limits it.
    Balances,
    /// Payments of its settlement account that fit, of those whose records come after `after`: what was told stands before it.
    Payments { criteria: Criteria, after: Position },
}

/// A camt.060, camt.003 or camt.005.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub source: Source,
    pub message_id: MessageId,
    /// Number of the message's version.
    pub message_version: u8,
    /// Whose accounts.
    pub agent: Bic,
    pub query: Query,
}

/// What a participant is sent without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// The statement of each day, when it is over.
    pub statements: bool,
    /// Every entry of the settlement account.
    pub notices: bool,
}

/// Something that the read side has to write down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who is told.
    pub to: ParticipantId,
    /// Whose accounts.
    pub owner: ParticipantId,
    pub query: Query,
    /// The request; none for a statement that the participant is sent anyway.
    pub request: Option<Position>,
    /// The record up to which it counts, and its time; that of the request, or of the end of the day.
    pub upto: Position,
    pub at: Time,
}

/// What stands on an account, in minor units of KZT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    pub account: Account,
    pub balance: i128,
    pub available: i128,
    pub held: u64,
    pub credit_line: u64,
    /// What payments of normal priority must leave.
    pub reserved: u64,
    /// Payments that wait, and their sum.
    pub queued: u64,
    pub queued_amount: u64,
}

/// What a settlement account pays net in a business day, at most, in minor units of KZT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// None: towards all others.
    pub towards: Option<ParticipantId>,
    pub amount: u64,
    /// What may still be paid.
    pub left: u64,
}

/// What the read side found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The next page.
    Page(Page),
    /// As of `at`.
    Balances {
        at: Time,
        figures: Vec<Figures>,
        /// Of the settlement account.
        limits: Vec<Limit>,
    },
    /// The next page of payments.
    Payments(PaymentPage),
    /// It cannot be written.
    Failed(Reason),
}

impl Found {
    /// The largest amount of balances or payments, whatever its sign, in minor units: a message holds no more than 18 digits of them.
    pub fn largest(&self) -> u128 {
        let of_figures = |figures: &Figures| {
            let signed = [figures.balance, figures.available].map(i128::unsigned_abs);
            let plain = [
                figures.held,
                figures.credit_line,
                figures.reserved,
                figures.queued_amount,
            ];
            signed.into_iter().chain(plain.map(u128::from)).max()
        };
        let most = match self {
            Found::Balances {
                figures, limits, ..
            } => {
                let limits = limits.iter().map(|limit| limit.amount.max(limit.left));
                let figures = figures.iter().filter_map(of_figures);
                figures.chain(limits.map(u128::from)).max()
            }
            Found::Payments(page) => {
                let amounts = page.payments.iter().map(|payment| payment.amount.minor());
                amounts.map(u128::from).max()
            }
            Found::Page(_) | Found::Failed(_) => None,
        };
        most.unwrap_or_default()
    }
}

/// The answer of the read side to an order, with everything that its message is written from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub source: Source,
    pub number: u64,
    pub order: Order,
    pub found: Found,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Request(Request),
    /// By the switch itself.
    Answer(Box<Answer>),
    SetWants {
        source: Source,
        participant: ParticipantId,
        wants: Wants,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Request(request) => &request.source,
            Command::Answer(answer) => &answer.source,
            Command::SetWants { source, .. } => source,
        }
    }
}
