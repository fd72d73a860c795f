mod any_sequence;
mod defaults;
mod deliveries;
mod liquidity;
mod nets;

use torap_domain::{Date, Money, ParticipantId, Span};

use super::*;
use crate::{
    Command as Any, Outcome,
    cards::{self, world::*},
    participants::Direction,
    settlement::{self as imts, Payment, Priority},
    world::{CASP, HSBK, IRTY, operator},
};
use torap_domain::Text;

/// The session in which [`Rail`] begins.
fn today() -> Date {
    Date::from_ymd(2026, 11, 21).unwrap()
}

fn source() -> crate::Source {
    operator()
}

fn settings(method: Method) -> Settings {
    Settings {
        card_nets: Some(method),
        ..Settings::initial()
    }
}

/// Card sessions that settle in IMTS by `method`; IMTS is closed.
fn rail(method: Method) -> Rail {
    let mut rail = Rail::new();
    set(&mut rail, settings(method));
    rail
}

fn set(rail: &mut Rail, settings: Settings) {
    let source = source();
    ancillary(rail, Command::SetSettings { source, settings });
}

fn ancillary(rail: &mut Rail, command: Command) {
    rail.world.accept(Any::Ancillary(command));
}

fn refused(rail: &mut Rail, command: Command) -> Outcome {
    rail.world.apply(Any::Ancillary(command))
}

fn imts(rail: &mut Rail, command: imts::Command) {
    rail.world.accept(Any::Settlement(command));
}

fn open(rail: &mut Rail) {
    let until = rail.now().saturating_add(Span::from_secs(8 * 3600));
    imts(
        rail,
        imts::Command::Open {
            source: source(),
            cut_off: None,
            until,
        },
    );
}

fn close(rail: &mut Rail) {
    imts(rail, imts::Command::Close { source: source() });
}

fn fund(rail: &mut Rail, participant: ParticipantId, amount: u64) {
    imts(
        rail,
        imts::Command::Fund {
            source: source(),
            participant,
            direction: Direction::In,
            amount: Money::kzt(amount),
        },
    );
}

fn contribute(rail: &mut Rail, participant: ParticipantId, amount: u64) {
    ancillary(
        rail,
        Command::Fund {
            source: source(),
            participant,
            what: FundMove::Contribute(Direction::In),
            amount: Money::kzt(amount),
        },
    );
}

/// A purchase of [`AMOUNT`] from CASP on a card of IRTY; that on one of HSBK is [`Rail::approved`].
fn approved_by_irty(rail: &mut Rail, number: u32) {
    rail.request(number, OF_IRTY, |_| ());
    let trace = rail.forwarded();
    rail.answer(IRTY, trace, approve());
}

fn cut_over(rail: &mut Rail) {
    let source = source();
    rail.accept(cards::Command::CutOver { source });
}

/// What is on a settlement account.
fn balance(rail: &Rail, participant: ParticipantId) -> i128 {
    let mut accounts = rail.world.engine.settlement_accounts();
    let account = accounts.find(|account| account.participant == participant);
    account.unwrap().balance
}

fn contribution(rail: &Rail, participant: ParticipantId) -> u64 {
    rail.world.engine.state.contribution(participant)
}

fn technical(rail: &Rail) -> i128 {
    let ledger = &rail.world.engine.state.ledger;
    let account = ledger.find(CARD_TECHNICAL);
    account.map_or(0, |account| ledger.balance(account))
}

fn events(rail: &Rail) -> Vec<Event> {
    let events = rail.world.out.events.iter();
    let ours = events.filter_map(|event| match event {
        crate::Event::Ancillary(event) => Some(*event),
        _ => None,
    });
    ours.collect()
}

fn is_settled(rail: &Rail) -> bool {
    let mut events = events(rail).into_iter();
    events.any(|event| matches!(event, Event::CardNetsSettled { .. }))
}

/// Debts of the issuer of one purchase of [`AMOUNT`]: less its interchange, and its fee of 20 tiyn.
const DEBT: u64 = AMOUNT - INTERCHANGE + 20;
/// What the acquirer of one is paid, and the operator.
const CREDIT: u64 = AMOUNT - INTERCHANGE - 50;
const FEES: u64 = 70;
