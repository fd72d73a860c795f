//! Requests about card nets in IMTS and the guarantee fund. Amounts are in tenge, dates as 2026-12-01, times of day as 10:00.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What of ancillary settlement is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AncillaryShow {
    /// Card sessions with their state and nets, all or one, and their settlements in IMTS.
    Sessions { session: Option<String> },
    /// The guarantee fund, and defaults that have not been paid back.
    Fund,
    /// Whose instant positions are topped up and swept by rule.
    Liquidity,
    /// Deliveries against payment, all or one.
    Deliveries { reference: Option<String> },
}

/// When an instant position is topped up and swept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liquidity {
    pub floor: String,
    pub target: String,
    pub keep: Option<String>,
    pub sweep_before_minutes: u32,
}

/// A payment of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryLeg {
    pub from: String,
    pub to: String,
    pub amount: String,
}

/// How the debits of a session are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CardNets {
    /// Each as soon as its debtor has the money, then the credits.
    DebitsFirst,
    /// All at one moment.
    Simultaneous,
    /// Sessions are settled elsewhere.
    Elsewhere,
}

/// A change that may also have an effective time, but for a session that is settled now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AncillaryChange {
    Set {
        card_nets: CardNets,
        within_minutes: u32,
        interim: Vec<String>,
        cap_percent: u32,
    },
    /// A closed session, or the open one in between.
    SettleCards {
        session: String,
    },
    Contribute {
        code: String,
        amount: String,
        /// Back to the settlement account.
        out: bool,
    },
    Require {
        code: String,
        amount: String,
    },
    Call,
    /// `default` as `guarantee show` lists it.
    Recover {
        code: String,
        default: u64,
        amount: String,
    },
    /// Without a rule nothing is topped up or swept.
    Liquidity {
        code: String,
        rule: Option<Liquidity>,
    },
    /// The money side of a delivery whose securities are blocked; `expires` in RFC 3339.
    Deliver {
        reference: String,
        legs: Vec<DeliveryLeg>,
        expires: String,
    },
    /// The depository is done with it; `id` as `rtgs deliveries` shows it.
    CloseDelivery {
        id: u64,
    },
}
