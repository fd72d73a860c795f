//! Requests about IMTS. Amounts are in tenge, times in RFC 3339 with an offset.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What of IMTS is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RtgsShow {
    /// The business day and the settlement accounts.
    Status,
    Queue {
        code: Option<String>,
    },
    /// The last payments that ended.
    Done,
    Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RtgsPriority {
    CentralBank,
    High,
    Normal,
}

/// What the solver does to the order of a bank's payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RtgsRule {
    Fifo,
    Bypass,
}

/// Where a payment that waits goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RtgsMove {
    Priority(RtgsPriority),
    Head,
    Tail,
    Withdrawn,
}

/// Times of a business day, `HH:MM`, UTC+5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RtgsHours {
    pub opens: String,
    pub cut_off: String,
    pub closes: String,
}

/// What a single date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RtgsDay {
    Closed,
    Working,
    /// Weekends and holidays are closed, other dates are worked.
    ByRule,
}

/// A change that may also have an effective time, but for payments and what waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RtgsChange {
    /// Between the central bank and a settlement account.
    Fund {
        code: String,
        amount: String,
        out: bool,
    },
    /// Between a settlement account and the instant position; `out` of the position.
    Transfer {
        code: String,
        amount: String,
        out: bool,
    },
    Pay {
        from: String,
        to: String,
        amount: String,
        priority: RtgsPriority,
        id: String,
        earliest: Option<String>,
        latest: Option<String>,
    },
    /// `id` as the queue shows it.
    Queued {
        id: u64,
        to: RtgsMove,
    },
    /// Other times for a payment that waits; without one as it is.
    QueuedTimes {
        id: u64,
        earliest: Option<String>,
        latest: Option<String>,
    },
    CreditLine {
        code: String,
        amount: String,
    },
    /// Without `towards` towards all, without `amount` no limit.
    Limit {
        code: String,
        towards: Option<String>,
        amount: Option<String>,
    },
    Reserve {
        code: String,
        amount: String,
    },
    Open {
        /// When it stops taking payments of normal priority.
        cut_off: Option<String>,
        until: String,
    },
    /// Refused while something is still to settle today.
    Close,
    CloseRegardless,
    /// Times of day as `09:00`; without any the calendar opens no day.
    Hours {
        hours: Option<RtgsHours>,
    },
    /// Whether banks' liquidity transfers outside business days wait for the next one.
    KeepLiquidity {
        keeps: bool,
    },
    /// What a participant is sent without asking: the statement of each day, every entry of its settlement account.
    Reports {
        code: String,
        statements: bool,
        notices: bool,
    },
    /// A date as `2026-12-01` is closed or worked, or goes by the rules again.
    Day {
        date: String,
        day: RtgsDay,
    },
}
