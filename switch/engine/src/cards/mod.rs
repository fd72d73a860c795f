//! The card rail: requests, advices, reversals, sessions and fees of ISO 8583 traffic.

mod bins;
mod command;
mod effect;
mod event;
mod facts;
mod settings;

pub use bins::BinTable;
pub use command::{
    Acknowledged, Administrative, Advice, Answer, Command, FileUpdate, Malformed, Network,
    NetworkAction, Reconciliation, Request, Reversal, SchemeAnswer, StopAction, StopCause, Verdict,
};
pub use effect::{AdvisedBy, Effect, Letter, Message, Notice, ReversalCause};
pub use event::{Event, Finished, MemberView, Outcome, Posting, SessionTotals};
pub use facts::{
    Card, CardKey, ChipFact, Class, Decider, Decision, Enrichment, Fees, Fingerprint, LinkNumber,
    MacFact, Origin, Original, PinFact, References, Route, Side, Sum, Totals, Trace, Transaction,
};
pub use settings::{
    BinRange, Bounds, Channels, FEE_ROWS_MAX, FeeRow, INSTITUTIONS_MAX, LIFETIME_ROWS_MAX,
    LINKS_MAX, LifetimeRow, Profile, RANGES_MAX, Rate, Roles, SCHEME_NUMBER_MAX, SESSIONS_MAX,
    STAND_IN_NUMBER_MAX, Scheme, Services, Settings, StandIn, Tariff, Without,
};

use crate::{Outcome as Result, Output, Stamp, engine};

pub(crate) fn apply(
    _state: &mut engine::State,
    _stamp: Stamp,
    _command: &Command,
    _out: &mut Output,
) -> Result {
    Result::Refused(torap_domain::Reason::InternalLimit)
}
