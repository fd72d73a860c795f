//! `torap ctl guarantee`: the guarantee fund. Card nets are in `torap ctl card`.

use clap::Subcommand;

use crate::control::{AncillaryChange, AncillaryShow, By, Request};

#[derive(Debug, Subcommand)]
pub(super) enum Guarantee {
    /// Contributions, what is missing, and defaults that have not been paid back
    Show,
    /// Move money from a settlement account to the participant's contribution
    Contribute { code: String, amount: String },
    /// Move back what is above the requirement
    Release { code: String, amount: String },
    /// Set what a participant has to have in the fund
    Require { code: String, amount: String },
    /// Take what is missing from the settlement accounts, as far as they have it
    Call,
    /// A debtor pays back what a default has cost: those who lost first, then the contributions that were used
    Recover {
        code: String,
        /// As `show` lists it
        default: u64,
        amount: String,
    },
}

impl Guarantee {
    /// Whether somebody must have ordered it on paper.
    pub(super) fn moves_money(&self) -> bool {
        !matches!(self, Guarantee::Show | Guarantee::Require { .. })
    }
}

pub(super) fn request(command: Guarantee, by: By) -> Request {
    let contribute = |code, amount, out| AncillaryChange::Contribute { code, amount, out };
    let change = match command {
        Guarantee::Show => {
            let what = AncillaryShow::Fund;
            return Request::Ancillary { what };
        }
        Guarantee::Contribute { code, amount } => contribute(code, amount, false),
        Guarantee::Release { code, amount } => contribute(code, amount, true),
        Guarantee::Require { code, amount } => AncillaryChange::Require { code, amount },
        Guarantee::Call => AncillaryChange::Call,
        Guarantee::Recover {
            code,
            default,
            amount,
        } => AncillaryChange::Recover {
            code,
            default,
            amount,
        },
    };
    Request::AncillaryChange { by, change }
}
