//! Payments under way as the operator may see them, and which records the rail still refers to.

use torap_domain::{Money, ParticipantId, Position, Service, Time, Uetr};

use super::{Found, PaymentKey, State, in_flight::InFlight};

/// A payment that is reserved and waits for its decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay {
    pub key: PaymentKey,
    pub uetr: Uetr,
    /// Record of the pacs.008.
    pub submitted: Position,
    pub service: Service,
    pub amount: Money,
    pub debtor_agent: ParticipantId,
    pub creditor_agent: ParticipantId,
    /// When the one who is being asked must have answered.
    pub deadline: Time,
}

impl State {
    /// The payment under way with this UETR.
    pub(crate) fn under_way(&self, uetr: &Uetr) -> Option<UnderWay> {
        self.view(self.payments.find_uetr(uetr)?)
    }

    /// The payment under way with this key.
    pub(crate) fn under_way_by_key(&self, key: &PaymentKey) -> Option<UnderWay> {
        self.view(self.payments.find_key(key)?)
    }

    /// The oldest record that a payment under way or an open recall will be answered from.
    pub(crate) fn oldest_referred(&self) -> Option<Position> {
        let payments = self.payments.oldest_under_way();
        payments.into_iter().chain(self.recalls.oldest()).min()
    }

    fn view(&self, found: Found) -> Option<UnderWay> {
        let Found::UnderWay(slot) = found else {
            return None;
        };
        let InFlight {
            key,
            uetr,
            submitted,
            service,
            amount,
            debtor_agent,
            creditor_agent,
            deadline,
            ..
        } = *self.payments.get(slot)?;
        Some(UnderWay {
            key,
            uetr,
            submitted,
            service,
            amount,
            debtor_agent,
            creditor_agent,
            deadline,
        })
    }
}

#[cfg(test)]
mod tests;
