//! `torap ctl rtgs`: IMTS of a running switch.

use clap::{Args, Subcommand, ValueEnum};
use torap_settlement::lsm::SEARCH_STEPS_MAX;

use crate::{
    cli::Failure,
    control::{
        AncillaryChange, AncillaryShow, By, DeliveryLeg, Liquidity, Request, RtgsChange, RtgsDay,
        RtgsHours, RtgsMove, RtgsPriority, RtgsRule, RtgsShow,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Rtgs {
    /// The business day and the settlement accounts
    Status,
    /// Payments that wait, in the order in which they settle, at most 1,000
    Queue {
        /// Only of this payer
        code: Option<String>,
    },
    /// The last payments that ended, and how
    Done,
    /// Limits, and what they leave for the rest of the day
    Limits,
    /// Move money from the central bank to a settlement account
    Fund { code: String, amount: String },
    /// Move money from a settlement account to the central bank
    Defund { code: String, amount: String },
    /// Move a participant's money from its settlement account to its instant position
    TopUp { code: String, amount: String },
    /// Move a participant's money from its instant position to its settlement account
    Sweep { code: String, amount: String },
    /// Pay from one settlement account to another; waits if the payer has not the money
    Pay(Pay),
    /// Give a payment that waits another priority
    Prioritise {
        id: u64,
        #[arg(value_enum)]
        priority: RtgsPriority,
    },
    /// Give a payment that waits another earliest or latest time; without one as it is
    Times {
        id: u64,
        /// Does not settle before
        #[arg(long, value_name = "TIME")]
        earliest: Option<String>,
        /// Rejected if it has not settled by then
        #[arg(long, value_name = "TIME", required_unless_present = "earliest")]
        latest: Option<String>,
    },
    /// Put a payment before the others of its payer and priority
    ToHead { id: u64 },
    /// Put a payment behind the others of its payer and priority
    ToTail { id: u64 },
    /// Take a payment back that waits
    Withdraw { id: u64 },
    /// Set how far below zero a settlement account may go, against collateral
    CreditLine { code: String, amount: String },
    /// Set the most that a participant pays net in a day; without --amount the limit goes
    Limit {
        code: String,
        /// Towards this participant only
        #[arg(long)]
        towards: Option<String>,
        #[arg(long)]
        amount: Option<String>,
    },
    /// Set what payments of normal priority must leave on a settlement account
    Reserve { code: String, amount: String },
    /// Look for payments that settle all at once, and settle them
    Resolve {
        /// `fifo` keeps every bank's order; `bypass` may overtake payments of normal priority
        #[arg(long, value_enum, default_value_t = RtgsRule::Fifo)]
        rule: RtgsRule,
        /// Payments looked at by `bypass` in a queue of more than 20, at most
        #[arg(long, default_value_t = SEARCH_STEPS_MAX, value_name = "STEPS")]
        steps_max: u64,
    },
    /// Begin a business day, or give the open one another end
    Open {
        /// RFC 3339 with an offset, as 2026-12-01T18:00:00+05:00
        #[arg(long, value_name = "TIME")]
        until: String,
        /// From then on no payment of normal priority is taken
        #[arg(long, value_name = "TIME")]
        cut_off: Option<String>,
    },
    /// End the business day now: what waits is rejected, credit is repaid
    Close {
        /// Also while card nets, a clearing session or deliveries are still to settle today
        #[arg(long)]
        regardless: bool,
    },
    /// When business days begin and end by themselves
    Hours {
        #[arg(long, default_value = "09:00", value_name = "HH:MM")]
        opens: String,
        /// The end for payments of normal priority
        #[arg(long, default_value = "17:00", value_name = "HH:MM")]
        cut_off: String,
        #[arg(long, default_value = "18:00", value_name = "HH:MM")]
        closes: String,
        /// Days begin only by `open`
        #[arg(long, conflicts_with_all = ["opens", "cut_off", "closes"])]
        none: bool,
    },
    /// Instant positions that are topped up and swept by rule
    #[command(subcommand)]
    Auto(Auto),
    /// Deliveries against payment that wait, or have ended
    Deliveries {
        /// The depository's identifier
        reference: Option<String>,
    },
    /// The money side of a delivery whose securities are blocked: payments that settle all or none
    Deliver {
        /// The depository's identifier
        reference: String,
        /// FROM:TO:AMOUNT, once for each payment
        #[arg(long = "leg", value_name = "LEG", required = true)]
        legs: Vec<String>,
        /// If they have not settled by then, they never do
        #[arg(long, value_name = "TIME")]
        expires: String,
    },
    /// The depository has moved or released the securities of a delivery whose time is over
    CloseDelivery { id: u64 },
    /// Say what becomes of banks' liquidity transfers outside business days: `wait` for the next one, or `refuse`, as at first
    Liquidity {
        #[arg(value_enum)]
        outside_days: OutsideDays,
    },
    /// Say what a bank is sent without asking: with neither, nothing
    Reports {
        code: String,
        /// camt.053 of each account and day, when the day is over
        #[arg(long)]
        statements: bool,
        /// camt.054 for every entry of its settlement account
        #[arg(long)]
        notices: bool,
    },
    /// Close a date, as 2026-12-01, have it worked, or give it back to the rules: in IMTS, the clearing system and disputes
    Day {
        date: String,
        #[arg(value_enum)]
        day: RtgsDay,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Auto {
    Show,
    /// While IMTS is open: top up below a floor, and sweep what is too much before the day ends
    Set {
        code: String,
        /// Below this the position is topped up
        #[arg(long)]
        floor: String,
        /// Up to this
        #[arg(long)]
        target: String,
        /// What is above this is swept; left out: nothing
        #[arg(long)]
        keep: Option<String>,
        /// How long before the end of the day
        #[arg(long, default_value_t = 15, value_name = "MINUTES")]
        sweep_before: u32,
    },
    Off {
        code: String,
    },
}

/// What becomes of a liquidity transfer outside business days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutsideDays {
    Wait,
    Refuse,
}

#[derive(Debug, Args)]
pub(super) struct Pay {
    from: String,
    to: String,
    /// In tenge
    amount: String,
    /// The payer's identifier of the payment, once a day
    #[arg(long)]
    id: String,
    #[arg(long, value_enum, default_value_t = RtgsPriority::Normal)]
    priority: RtgsPriority,
    /// Does not settle before
    #[arg(long, value_name = "TIME")]
    earliest: Option<String>,
    /// Rejected if it has not settled by then
    #[arg(long, value_name = "TIME")]
    latest: Option<String>,
}

impl Rtgs {
    /// Whether somebody must have ordered it on paper.
    pub(super) fn moves_money(&self) -> bool {
        matches!(
            self,
            Rtgs::Fund { .. }
                | Rtgs::Defund { .. }
                | Rtgs::TopUp { .. }
                | Rtgs::Sweep { .. }
                | Rtgs::Pay(_)
                | Rtgs::CreditLine { .. }
                | Rtgs::Deliver { .. }
        )
    }
}

pub(super) fn request(command: Rtgs, by: By) -> Result<Request, Failure> {
    Ok(match command {
        Rtgs::Auto(command) => auto(command, by),
        Rtgs::Deliveries { reference } => ancillary_show(AncillaryShow::Deliveries { reference }),
        Rtgs::Deliver {
            reference,
            legs,
            expires,
        } => {
            let legs = legs.iter().map(|text| leg(text));
            let legs = legs.collect::<Result<Vec<DeliveryLeg>, Failure>>()?;
            ancillary(
                by,
                AncillaryChange::Deliver {
                    reference,
                    legs,
                    expires,
                },
            )
        }
        Rtgs::CloseDelivery { id } => ancillary(by, AncillaryChange::CloseDelivery { id }),
        Rtgs::Status => show(RtgsShow::Status),
        Rtgs::Queue { code } => show(RtgsShow::Queue { code }),
        Rtgs::Done => show(RtgsShow::Done),
        Rtgs::Limits => show(RtgsShow::Limits),
        Rtgs::Resolve { rule, steps_max } => Request::RtgsResolve {
            by,
            rule,
            steps_max,
        },
        Rtgs::Fund { code, amount } => changed(
            by,
            RtgsChange::Fund {
                code,
                amount,
                out: false,
            },
        ),
        Rtgs::Defund { code, amount } => changed(
            by,
            RtgsChange::Fund {
                code,
                amount,
                out: true,
            },
        ),
        Rtgs::TopUp { code, amount } => changed(
            by,
            RtgsChange::Transfer {
                code,
                amount,
                out: false,
            },
        ),
        Rtgs::Sweep { code, amount } => changed(
            by,
            RtgsChange::Transfer {
                code,
                amount,
                out: true,
            },
        ),
        Rtgs::Pay(pay) => changed(
            by,
            RtgsChange::Pay {
                from: pay.from,
                to: pay.to,
                amount: pay.amount,
                priority: pay.priority,
                id: pay.id,
                earliest: pay.earliest,
                latest: pay.latest,
            },
        ),
        Rtgs::Prioritise { id, priority } => changed(
            by,
            RtgsChange::Queued {
                id,
                to: RtgsMove::Priority(priority),
            },
        ),
        Rtgs::Times {
            id,
            earliest,
            latest,
        } => changed(
            by,
            RtgsChange::QueuedTimes {
                id,
                earliest,
                latest,
            },
        ),
        Rtgs::ToHead { id } => changed(by, moved(id, RtgsMove::Head)),
        Rtgs::ToTail { id } => changed(by, moved(id, RtgsMove::Tail)),
        Rtgs::Withdraw { id } => changed(by, moved(id, RtgsMove::Withdrawn)),
        Rtgs::CreditLine { code, amount } => changed(by, RtgsChange::CreditLine { code, amount }),
        Rtgs::Limit {
            code,
            towards,
            amount,
        } => changed(
            by,
            RtgsChange::Limit {
                code,
                towards,
                amount,
            },
        ),
        Rtgs::Reserve { code, amount } => changed(by, RtgsChange::Reserve { code, amount }),
        Rtgs::Open { until, cut_off } => changed(by, RtgsChange::Open { cut_off, until }),
        Rtgs::Close { regardless: false } => changed(by, RtgsChange::Close),
        Rtgs::Close { regardless: true } => changed(by, RtgsChange::CloseRegardless),
        Rtgs::Hours {
            opens,
            cut_off,
            closes,
            none,
        } => changed(
            by,
            RtgsChange::Hours {
                hours: (!none).then_some(RtgsHours {
                    opens,
                    cut_off,
                    closes,
                }),
            },
        ),
        Rtgs::Liquidity { outside_days } => changed(
            by,
            RtgsChange::KeepLiquidity {
                keeps: outside_days == OutsideDays::Wait,
            },
        ),
        Rtgs::Reports {
            code,
            statements,
            notices,
        } => changed(
            by,
            RtgsChange::Reports {
                code,
                statements,
                notices,
            },
        ),
        Rtgs::Day { date, day } => changed(by, RtgsChange::Day { date, day }),
    })
}

fn auto(command: Auto, by: By) -> Request {
    let (code, rule) = match command {
        Auto::Show => return ancillary_show(AncillaryShow::Liquidity),
        Auto::Set {
            code,
            floor,
            target,
            keep,
            sweep_before,
        } => {
            let rule = Liquidity {
                floor,
                target,
                keep,
                sweep_before_minutes: sweep_before,
            };
            (code, Some(rule))
        }
        Auto::Off { code } => (code, None),
    };
    ancillary(by, AncillaryChange::Liquidity { code, rule })
}

fn ancillary_show(what: AncillaryShow) -> Request {
    Request::Ancillary { what }
}

fn ancillary(by: By, change: AncillaryChange) -> Request {
    Request::AncillaryChange { by, change }
}

fn leg(text: &str) -> Result<DeliveryLeg, Failure> {
    match text.split(':').collect::<Vec<_>>()[..] {
        [from, to, amount] => Ok(DeliveryLeg {
            from: from.into(),
            to: to.into(),
            amount: amount.into(),
        }),
        _ => Err(Failure::Usage(format!(
            "--leg: `{text}` is not FROM:TO:AMOUNT, as CASP:HSBK:1000.00"
        ))),
    }
}

fn changed(by: By, change: RtgsChange) -> Request {
    Request::RtgsChange { by, change }
}

fn show(what: RtgsShow) -> Request {
    Request::Rtgs { what }
}

fn moved(id: u64, to: RtgsMove) -> RtgsChange {
    RtgsChange::Queued { id, to }
}
