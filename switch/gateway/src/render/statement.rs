//! Statements of accounts as camt.053, camt.052 and camt.054.

use std::fmt;

use torap_domain::{Bic, Date, ParticipantId, Text, Time};
use torap_engine::{
    participants::Direction,
    reports::{Account, Line, Page},
};
use torap_iso20022::{
    view::BusinessHeader,
    write::{
        self, AccountReport, REPORT_PAGES_MAX, REPORT_TIYN_MAX, ReportBalance, ReportEntry,
        ReportPage, ReportSums,
    },
};

use super::entry::hyphenated;

/// One Document of statements of one owner and day, written piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct Statements {
    pub report: AccountReport,
    pub date: Date,
    /// ElctrncSeqNb of what is told more than once a day, and part of its Id: of a camt.052 the log position of the request, of a camt.054 the
    /// message's number in the stream of its receiver. A camt.053 has the number of its day since 1970.
    pub number: Option<u64>,
    /// The period; a notification has none.
    pub from: Time,
    pub until: Time,
    pub created: Time,
    /// The day is over, so that its last balance is a closing one.
    pub is_over: bool,
    pub owner: Bic,
    pub servicer: Bic,
}

/// The schemas cannot hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// More pages than [`REPORT_PAGES_MAX`].
    Pages,
    /// An amount, balance or sum above [`REPORT_TIYN_MAX`].
    Amount,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TooLarge::Pages => write!(
                formatter,
                "the statement has more than {REPORT_PAGES_MAX} pages, which its message cannot number"
            ),
            TooLarge::Amount => write!(
                formatter,
                "a balance or sum has more than {REPORT_TIYN_MAX} tiyn, which the message cannot hold"
            ),
        }
    }
}

impl std::error::Error for TooLarge {}

impl Statements {
    /// Everything before the first page. `query` is the MsgId and name of the message that asked.
    pub fn begin(
        &self,
        out: &mut Vec<u8>,
        header: Option<&BusinessHeader<'_>>,
        message_id: &str,
        query: Option<(&str, &str)>,
    ) {
        let created = self.created.nanos();
        write::report_begin(out, header, self.report, message_id, created, query);
    }

    /// One page; `bic` gives the primary BIC of a participant.
    ///
    /// # Errors
    /// The schema cannot hold it; `out` is as it was.
    pub fn page(
        &self,
        out: &mut Vec<u8>,
        account: Account,
        page: &Page,
        bic: &dyn Fn(ParticipantId) -> Option<Bic>,
    ) -> Result<(), TooLarge> {
        if page.number > REPORT_PAGES_MAX {
            return Err(TooLarge::Pages);
        }
        let is_notice = self.report == AccountReport::Notification;
        let (code, date) = (account.code(), self.date);
        let id: Text<35> = match self.number {
            Some(number) => text(format_args!("{code}-{date}-{number}")),
            None => text(format_args!("{code}-{date}")),
        };
        let balances = self.balances(page)?;
        let sums = sums(page)?;
        let information = self.information(page);
        let of_the_day = u64::try_from(date.days()).unwrap_or(0);
        let head = ReportPage {
            id: id.as_str(),
            page: (!is_notice).then_some((page.number, page.is_last)),
            sequence: Some(self.number.unwrap_or(of_the_day)),
            created_ns: self.created.nanos(),
            period_ns: (!is_notice).then_some((self.from.nanos(), self.until.nanos())),
            account: account.code(),
            owner: self.owner.as_str(),
            servicer: self.servicer.as_str(),
            balances: if is_notice { &[] } else { &balances },
            sums: Some(sums),
            information: information.as_deref(),
        };
        let lines: Result<Vec<Written>, TooLarge> =
            page.lines().map(|line| self.written(&line, bic)).collect();
        let lines = lines?;
        write::report_page(out, self.report, &head, lines.iter().map(Written::entry));
        Ok(())
    }

    /// Everything after the last page.
    pub fn end(&self, out: &mut Vec<u8>, header: Option<&BusinessHeader<'_>>) {
        write::report_end(out, header, self.report);
    }

    fn balances(&self, page: &Page) -> Result<[ReportBalance; 2], TooLarge> {
        let closes = page.is_last && self.is_over;
        Ok([
            ReportBalance {
                code: if page.first == 1 && page.number == 1 {
                    "OPBD"
                } else {
                    "ITBD"
                },
                tiyn: signed(page.before)?,
                at_ns: self.from.nanos(),
            },
            ReportBalance {
                code: if closes { "CLBD" } else { "ITBD" },
                tiyn: signed(page.after())?,
                at_ns: self.until.nanos(),
            },
        ])
    }

    fn information(&self, page: &Page) -> Option<String> {
        let sums = &page.so_far;
        if self.report == AccountReport::Notification || !page.is_last {
            return None;
        }
        if sums.entries() == 0 {
            return Some("No entries.".to_owned());
        }
        let tenge = |tiyn: u128| format!("{}.{:02}", tiyn / 100, tiyn % 100);
        Some(format!(
            "All pages: {} debits, {}; {} credits, {}.",
            sums.debits,
            tenge(sums.debited),
            sums.credits,
            tenge(sums.credited)
        ))
    }

    fn written(
        &self,
        line: &Line,
        bic: &dyn Fn(ParticipantId) -> Option<Bic>,
    ) -> Result<Written, TooLarge> {
        let entry = &line.entry;
        let counterparty = entry.counterparty.and_then(bic);
        Ok(Written {
            line: *line,
            position: text(format_args!("{}", entry.position)),
            uetr: entry.uetr.map(hyphenated),
            counterparty,
            balance: signed(line.balance)?,
            has_balance: self.report != AccountReport::Notification,
        })
    }
}

/// A line with its texts.
struct Written {
    line: Line,
    position: Text<35>,
    uetr: Option<Text<36>>,
    counterparty: Option<Bic>,
    balance: i64,
    has_balance: bool,
}

impl Written {
    fn entry(&self) -> ReportEntry<'_> {
        let entry = &self.line.entry;
        let reference = entry.reference.as_str();
        ReportEntry {
            number: self.has_balance.then_some(self.line.number),
            tiyn: entry.amount.minor(),
            is_credit: entry.direction == Direction::In,
            booked_ns: entry.time.nanos(),
            reference: self.position.as_str(),
            code: entry.kind.code(),
            uetr: self.uetr.as_ref().map(Text::as_str),
            transaction_id: (!reference.is_empty()).then_some(reference),
            counterparty: self.counterparty.as_ref().map(Bic::as_str),
            balance: self.has_balance.then_some(self.balance),
        }
    }
}

fn sums(page: &Page) -> Result<ReportSums, TooLarge> {
    let sums = page.sums();
    let sum = sums.debited.saturating_add(sums.credited);
    if sum > u128::from(REPORT_TIYN_MAX) {
        return Err(TooLarge::Amount);
    }
    let small = |tiyn: u128| u64::try_from(tiyn).map_err(|_| TooLarge::Amount);
    Ok(ReportSums {
        debits: sums.debits,
        debited: small(sums.debited)?,
        credits: sums.credits,
        credited: small(sums.credited)?,
    })
}

fn signed(tiyn: i128) -> Result<i64, TooLarge> {
    if tiyn.unsigned_abs() > u128::from(REPORT_TIYN_MAX) {
        return Err(TooLarge::Amount);
    }
    i64::try_from(tiyn).map_err(|_| TooLarge::Amount)
}

fn text<const N: usize>(arguments: fmt::Arguments<'_>) -> Text<N> {
    Text::format(arguments).unwrap_or(Text::EMPTY)
}
