//! Clocks and rules of the rail, and what they may be set to.

use torap_domain::{Bic, Reason, Span};

use super::Settings;
use crate::participants::Participants;

/// The switch's own BIC as long as no command says otherwise.
const SWITCH_BIC: &str = "TORPKZKA";
/// No clock of a payment may be longer: money held is money out of use.
const PAYMENT_WITHIN_MAX: Span = Span::from_secs(3600);

const DAY_SECONDS: u64 = 86_400;

impl Settings {
    /// What holds as long as no command says otherwise.
    pub fn initial() -> Settings {
        let Ok(switch_bic) = Bic::parse(SWITCH_BIC) else {
            unreachable!("{SWITCH_BIC} is a BIC")
        };
        Settings {
            switch_bic,
            payment_within: Span::from_secs(10),
            receiver_within: Span::from_secs(7),
            confirm_within: Span::from_secs(3),
            clock_skew_max: Span::from_secs(2),
            same_participant_allowed: false,
            return_window: Span::from_secs(395 * DAY_SECONDS),
            contest_window: Span::from_secs(DAY_SECONDS),
            lookup_capacity: 20_000,
            lookup_refill_per_s: 2_000,
            lookup_hit_cost: 1,
            lookup_miss_cost: 20,
        }
    }

    /// Refuses settings under which no payment could finish, or under which the switch's BIC leads to a participant.
    pub(crate) fn check(&self, participants: &Participants) -> Result<(), Reason> {
        let clocks = [
            self.payment_within,
            self.receiver_within,
            self.confirm_within,
        ];
        let clocks_sound = clocks
            .into_iter()
            .all(|clock| clock > Span::ZERO && clock <= PAYMENT_WITHIN_MAX);
        let sound = clocks_sound
            && self.clock_skew_max <= PAYMENT_WITHIN_MAX
            && self.receiver_within <= self.payment_within
            && participants.by_bic(&self.switch_bic).is_none();
        sound.then_some(()).ok_or(Reason::OperatorRefused)
    }
}
