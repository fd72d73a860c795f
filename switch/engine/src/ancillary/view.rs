//! Ancillary settlement as the operator and the drill see it.

use torap_domain::{Date, ParticipantId, Time};

use super::{DefaultCase, KnownDelivery, LiquidityRule, Net, Report, Settings, card_nets};
use crate::{
    Engine,
    cards::{self, SessionStage},
};

/// A settlement of a card session that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardSettlementView {
    pub session: Date,
    pub cycle: u16,
    /// Whether the session is closed, and nothing of it is left afterwards.
    pub whole: bool,
    /// Until when debtors have time; none while it waits for IMTS or for another settlement.
    pub until: Option<Time>,
    /// By whoever settles itself, the operator's fees under the switch; and whether its debit has been taken.
    pub nets: Vec<(Net, bool)>,
}

/// A card session that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardSessionView {
    pub session: Date,
    /// `open`, `closing`, `closed`, `settled`.
    pub stage: &'static str,
    /// By card member, the operator's fees under the switch.
    pub nets: Vec<Net>,
    /// The part of them that has not been settled, in IMTS or elsewhere.
    pub left: Vec<Net>,
}

/// A participant in the guarantee fund, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContributionView {
    pub participant: ParticipantId,
    pub contribution: u64,
    pub required: u64,
    pub missing: u64,
}

impl Engine {
    /// How card sessions settle in IMTS.
    pub fn ancillary_settings(&self) -> &Settings {
        &self.state.ancillary.settings
    }

    /// Every card session that is kept, oldest first.
    pub fn card_session_views(&self) -> impl Iterator<Item = CardSessionView> + '_ {
        let state = &self.state;
        cards::session_dates(state).filter_map(|session| {
            let stage = cards::session_stage(state, session)?;
            Some(CardSessionView {
                session,
                stage: match stage {
                    SessionStage::Open => "open",
                    SessionStage::Closing => "closing",
                    SessionStage::Closed => "closed",
                    SessionStage::Settled => "settled",
                },
                nets: card_nets::nets(state, session),
                left: match stage {
                    SessionStage::Settled => Vec::new(),
                    _ => card_nets::not_settled(state, session),
                },
            })
        })
    }

    /// When the open card session is settled in between next.
    pub fn next_interim(&self) -> Option<Time> {
        self.state.ancillary.interim.map(|(time, _)| time)
    }

    /// Settlements of card sessions that wait or are due, in their order.
    pub fn card_settlements(&self) -> impl Iterator<Item = CardSettlementView> + '_ {
        let pending = self.state.ancillary.pending.iter();
        pending.map(|settlement| CardSettlementView {
            session: settlement.session,
            cycle: settlement.cycle,
            whole: settlement.whole,
            until: settlement.until.map(|(time, _)| time),
            nets: settlement
                .sides
                .iter()
                .map(|side| (side.net, side.paid))
                .collect(),
        })
    }

    /// The last settlements of card sessions that are over, oldest first.
    pub fn card_settlement_reports(&self) -> impl Iterator<Item = &Report> + '_ {
        self.state.ancillary.reports.iter()
    }

    /// Everybody with a contribution to the guarantee fund, or who has to make one.
    pub fn guarantee_fund(&self) -> impl Iterator<Item = ContributionView> + '_ {
        let state = &self.state;
        let all = state
            .participants
            .ids()
            .map(|participant| ContributionView {
                participant,
                contribution: state.contribution(participant),
                required: state
                    .ancillary
                    .required
                    .get(&participant)
                    .copied()
                    .unwrap_or(0),
                missing: state.missing_contribution(participant),
            });
        all.filter(|row| row.contribution > 0 || row.required > 0)
    }

    /// Defaults of card sessions that have not been paid back, oldest first.
    pub fn card_defaults(&self) -> impl Iterator<Item = &DefaultCase> + '_ {
        self.state.ancillary.defaults.iter()
    }

    /// Whose instant positions are topped up and swept by rule.
    pub fn liquidity_rules(&self) -> impl Iterator<Item = (ParticipantId, LiquidityRule)> + '_ {
        let rules = self.state.ancillary.rules.iter();
        rules.map(|(participant, rule)| (*participant, *rule))
    }

    /// Deliveries against payment that wait, or have ended and have not been closed.
    pub fn deliveries(&self) -> impl Iterator<Item = &KnownDelivery> + '_ {
        self.state.ancillary.deliveries.all()
    }

    /// The operator's own account in IMTS, in minor units.
    pub fn operator_settlement(&self) -> i128 {
        let account = self.state.ledger.find(super::OPERATOR);
        account.map_or(0, |account| self.state.ledger.balance(account))
    }
}
