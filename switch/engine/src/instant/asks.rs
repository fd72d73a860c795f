//! What a payment under way may be waiting for: one row per ask, each with its message, its time and what silence means.
//!
//! A payment is a sequence of asks between the reserve and the post or void. A further ask (screening, enrichment) is a further
//! row here and a place in [`first`] or [`Ask::next`].

use torap_domain::{Reason, Span, Time};

use super::{CreditTransfer, PayeeFact, Settings};
use crate::Message;
use torap_domain::{Position, Service};

/// What is asked of the payee's bank. The number is written to snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ask {
    /// Is the account's holder the person named? (acmt.023, answered by acmt.024)
    Confirmation = 1,
    /// Will the payment be credited? (pacs.008, answered by pacs.002)
    Acceptance = 2,
}

/// The policy of one ask.
struct Policy {
    ask: Ask,
    /// How long the answer may take; never past the deadline of the whole payment.
    within: fn(&Settings) -> Span,
    /// The outcome if that time passes without an answer.
    on_silence: Reason,
    /// Whether the payee's bank knows of the payment by then and is told its outcome.
    forwarded: bool,
}

const POLICIES: [Policy; 2] = [
    Policy {
        ask: Ask::Confirmation,
        within: |settings| settings.confirm_within,
        on_silence: Reason::ConfirmationRefused,
        forwarded: false,
    },
    Policy {
        ask: Ask::Acceptance,
        within: |settings| settings.receiver_within,
        on_silence: Reason::ReceiverTimeout,
        forwarded: true,
    },
];

/// The first ask of a payment.
pub(crate) fn first(transfer: &CreditTransfer) -> Ask {
    let unsure = !matches!(transfer.payee, Some(PayeeFact::Matched));
    if transfer.service == Service::Me2Me && unsure {
        Ask::Confirmation
    } else {
        Ask::Acceptance
    }
}

impl Ask {
    /// What follows a favourable answer; after the last one the payment is posted.
    pub(crate) fn next(self) -> Option<Ask> {
        match self {
            Ask::Confirmation => Some(Ask::Acceptance),
            Ask::Acceptance => None,
        }
    }

    /// The message that asks about the pacs.008 at `original`.
    pub(crate) fn message(self, original: Position) -> Message {
        match self {
            Ask::Confirmation => Message::Confirm { original },
            Ask::Acceptance => Message::Forward { original },
        }
    }

    /// When an ask made at `now` has been waited for long enough.
    pub(crate) fn deadline(self, settings: &Settings, now: Time, payment_deadline: Time) -> Time {
        let within = (self.policy().within)(settings);
        now.saturating_add(within).min(payment_deadline)
    }

    /// The reason for a payment whose ask was not answered by `deadline`.
    pub(crate) fn silence(self, deadline: Time, payment_deadline: Time) -> Reason {
        if deadline < payment_deadline {
            self.policy().on_silence
        } else {
            Reason::SwitchTimeout
        }
    }

    /// Whether the payee's bank has been sent the payment itself.
    pub(crate) fn forwarded(self) -> bool {
        self.policy().forwarded
    }

    pub(crate) fn from_number(number: u8) -> Option<Ask> {
        let policy = POLICIES.iter().find(|policy| policy.ask as u8 == number)?;
        Some(policy.ask)
    }

    fn policy(self) -> &'static Policy {
        let [confirmation, acceptance] = &POLICIES;
        match self {
            Ask::Confirmation => confirmation,
            Ask::Acceptance => acceptance,
        }
    }
}
