//! Standing in: what the switch approves for an issuer that cannot be asked, by the rule of the BIN range.
//!
//! Memory: about 100 bytes for each card counted today, bounded; yesterday's are forgotten a few with each that is counted.

use std::collections::BTreeMap;

use torap_domain::{
    CardReason, Date,
    card::{ApprovalCode, CardHash, Channel},
};

use super::{ChipFact, PinFact, STAND_IN_NUMBER_MAX, StandIn, in_flight::InFlight};
use crate::{
    Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
};

/// Cards of other days that are forgotten for one that is counted.
const FORGOTTEN_EACH: usize = 4;

/// What was approved for a card in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Used {
    count: u32,
    amount: u64,
}

/// Rules, and what was approved today.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    rules: BTreeMap<u16, StandIn>,
    used: BTreeMap<(Date, CardHash), Used>,
    /// Approvals so far: approval codes are made of it.
    approvals: u64,
}

impl State {
    pub(super) fn new() -> State {
        State::default()
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = (u16, StandIn)> + '_ {
        self.rules.iter().map(|(number, rule)| (*number, *rule))
    }

    /// Whether the HSM verifies PINs by the rule of this number.
    pub(super) fn verifies_pins(&self, number: u16) -> bool {
        self.rules
            .get(&number)
            .is_some_and(|rule| rule.pin_delegated)
    }

    /// Sets or takes away a rule.
    pub(super) fn set(&mut self, number: u16, rule: Option<StandIn>) {
        match rule {
            Some(rule) => {
                self.rules.insert(number, rule);
            }
            None => {
                self.rules.remove(&number);
            }
        }
    }

    /// Cards counted that are not forgotten yet.
    pub(super) fn cards(&self) -> usize {
        self.used.len()
    }

    /// Counts an approval and gives its code.
    fn approve(&mut self, today: Date, card: CardHash, amount: u64) -> ApprovalCode {
        for _ in 0..FORGOTTEN_EACH {
            match self.used.first_key_value() {
                Some(((day, _), _)) if *day < today => self.used.pop_first(),
                _ => break,
            };
        }
        let used = self.used.entry((today, card)).or_insert(Used {
            count: 0,
            amount: 0,
        });
        used.count = used.count.saturating_add(1);
        used.amount = used.amount.saturating_add(amount);
        self.approvals = self.approvals.saturating_add(1);
        ApprovalCode::from_number(self.approvals)
    }
}

/// Whether a rule may be set.
pub(super) fn is_sound(number: u16) -> bool {
    (1..=STAND_IN_NUMBER_MAX).contains(&number)
}

/// Approves for the issuer, or declines: with `otherwise` if nobody may stand in, or with the limit that is reached.
pub(super) fn decide(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    otherwise: CardReason,
) -> Result<ApprovalCode, CardReason> {
    let cards = &mut state.cards;
    let rule = cards
        .stand_in
        .rules
        .get(&request.stand_in)
        .copied()
        .ok_or(otherwise)?;
    let transaction = &request.transaction;
    let covers = rule.services.has(transaction.service) && rule.channels.has(transaction.channel);
    if request.restarted || !covers || !pin_is_proved(request, &rule) {
        return Err(otherwise);
    }
    cards.stop_list.check(transaction.card.hash)?;
    let amount = transaction.amount;
    let is_chip = transaction.entry.is_chip();
    if is_chip && request.chip == ChipFact::Wrong {
        return Err(CardReason::ChipWrong);
    }
    if amount > rule.amount_max {
        return Err(CardReason::StandInAmount);
    }
    let today = Date::from_time(stamp.time);
    let card = transaction.card.hash;
    let used = cards.stand_in.used.get(&(today, card)).copied();
    let before = used.unwrap_or(Used {
        count: 0,
        amount: 0,
    });
    let count = before.count.saturating_add(1);
    let total = before.amount.saturating_add(amount.minor());
    if count > rule.day_count_max || total > rule.day_amount_max.minor() {
        return Err(CardReason::StandInCount);
    }
    let is_proved = request.chip == ChipFact::Verified && rule.cryptogram_keys;
    if is_chip && !is_proved && amount > rule.floor {
        return Err(CardReason::StandInFloor);
    }
    let most = cards.settings.bounds.stand_in_cards_max as usize;
    if used.is_none() && cards.stand_in.used.len() >= most {
        return Err(otherwise);
    }
    Ok(cards.stand_in.approve(today, card, amount.minor()))
}

/// At an ATM, or with a PIN, only a PIN that was verified here proves the cardholder.
fn pin_is_proved(request: &InFlight, rule: &StandIn) -> bool {
    let needed = request.transaction.channel == Channel::Atm || request.pin != PinFact::Absent;
    !needed || (rule.pin_delegated && request.pin == PinFact::Verified)
}

/// Snapshot.
impl State {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(u32::try_from(self.rules.len()).unwrap_or(u32::MAX));
        for (number, rule) in &self.rules {
            writer.u16(*number);
            writer.put(rule);
        }
        writer.u32(u32::try_from(self.used.len()).unwrap_or(u32::MAX));
        for ((day, card), used) in &self.used {
            writer.put(day);
            writer.put(card);
            writer.u32(used.count);
            writer.u64(used.amount);
        }
        writer.u64(self.approvals);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        for _ in 0..reader.u32("stand-in rules")? {
            let offset = reader.offset();
            let number = reader.u16("rule number")?;
            let last = state.rules.last_key_value();
            if !is_sound(number) || last.is_some_and(|(before, _)| *before >= number) {
                return Err(reader.error("rule number", offset, LayoutRule::Value));
            }
            state.rules.insert(number, reader.field("rule")?);
        }
        for _ in 0..reader.u32("stand-in cards")? {
            let offset = reader.offset();
            let key = (
                reader.field("stand-in day")?,
                reader.field("stand-in card")?,
            );
            let last = state.used.last_key_value();
            if last.is_some_and(|(before, _)| *before >= key) {
                return Err(reader.error("stand-in card", offset, LayoutRule::Value));
            }
            let count = reader.u32("stand-in count")?;
            let amount = reader.u64("stand-in amount")?;
            state.used.insert(key, Used { count, amount });
        }
        state.approvals = reader.u64("stand-in approvals")?;
        Ok(state)
    }
}
