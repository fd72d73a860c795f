//! `torap ctl approval`, `proposals`, `approve`, `reject`: a second pair of eyes.

use clap::Subcommand;

use crate::control::{By, Request};

#[derive(Debug, Subcommand)]
pub(super) enum Approvals {
    /// Which families of commands take effect only when another operator approves them: money, participants, settings, cards, keys,
    /// imts, clearing, guarantee, tariffs; none of them switches it off. Itself needs approval as long as any is set
    Approval {
        family: Vec<String>,
        /// How long a proposal waits [default: 24; at most 720]
        #[arg(long, value_name = "HOURS")]
        within_hours: Option<u64>,
    },
    /// What needs approval, what waits for it, and what came of the last proposals
    Proposals,
    /// Another operator's proposal takes effect now; its own rules may still refuse it, and then it waits on
    Approve { id: u64 },
    /// A proposal comes to nothing
    Reject { id: u64 },
}

pub(super) fn request(command: Approvals, by: By) -> Request {
    match command {
        Approvals::Approval {
            family,
            within_hours,
        } => Request::ApprovalSet {
            by,
            families: family,
            within_hours,
        },
        Approvals::Proposals => Request::Proposals,
        Approvals::Approve { id } => Request::Approve { by, id },
        Approvals::Reject { id } => Request::Reject { by, id },
    }
}
