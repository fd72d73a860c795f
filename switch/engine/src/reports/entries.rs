//! What a record's events say that it moved, entry by entry.

use torap_domain::{Money, ParticipantId, Position, Text, Time, Uetr};

use super::Account;
use crate::{
    Engine, Event, Stamp,
    ancillary::{self, Cause},
    cards::{self, Posting, Side},
    clearing,
    disputes::{self, Move},
    engine,
    instant::{FinalOutcome, Finished},
    participants::Direction,
    settlement::{self, Done, End},
};

/// Why money moved. The number is stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EntryKind {
    InstantPayment = 1,
    InstantReturn = 2,
    /// A step of a dispute about an instant payment.
    Dispute = 3,
    /// Money that entered or left at the central bank.
    CentralBank = 4,
    /// Between the participant's own settlement account and instant position.
    Liquidity = 5,
    ImtsPayment = 6,
    ImtsReturn = 7,
    /// The net of a session of the clearing system.
    ClearingNet = 8,
    /// The net of a card session: on the settlement account what it paid or was paid, on the card account what left it.
    CardNet = 9,
    /// A contribution to the guarantee fund, or what came back of it or was used.
    Guarantee = 10,
    /// What a default had cost, paid back.
    Recovery = 11,
    /// Securities delivered against it.
    Delivery = 12,
    /// A card transaction with its fees.
    CardTransaction = 13,
    CardReversal = 14,
    /// What no event explains; the balance counts it.
    Other = 15,
}

/// One entry of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record that moved it: the switch's own reference.
    pub position: Position,
    pub time: Time,
    pub kind: EntryKind,
    /// None where it is the central bank, many, or the participant itself.
    pub counterparty: Option<ParticipantId>,
    /// The payer's identifier, or the session; may be empty.
    pub reference: Text<35>,
    pub uetr: Option<Uetr>,
    /// `In` is a credit.
    pub direction: Direction,
    pub amount: Money,
}

impl EntryKind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [EntryKind; 15] = [
        EntryKind::InstantPayment,
        EntryKind::InstantReturn,
        EntryKind::Dispute,
        EntryKind::CentralBank,
        EntryKind::Liquidity,
        EntryKind::ImtsPayment,
        EntryKind::ImtsReturn,
        EntryKind::ClearingNet,
        EntryKind::CardNet,
        EntryKind::Guarantee,
        EntryKind::Recovery,
        EntryKind::Delivery,
        EntryKind::CardTransaction,
        EntryKind::CardReversal,
        EntryKind::Other,
    ];

    /// The code in messages: BkTxCd/Prtry/Cd.
    pub const fn code(self) -> &'static str {
        match self {
            EntryKind::InstantPayment => "IPAY",
            EntryKind::InstantReturn => "IRTN",
            EntryKind::Dispute => "IDSP",
            EntryKind::CentralBank => "CBNK",
            EntryKind::Liquidity => "LIQT",
            EntryKind::ImtsPayment => "RPAY",
            EntryKind::ImtsReturn => "RRTN",
            EntryKind::ClearingNet => "ICSN",
            EntryKind::CardNet => "CRDN",
            EntryKind::Guarantee => "GFND",
            EntryKind::Recovery => "GREC",
            EntryKind::Delivery => "DVPC",
            EntryKind::CardTransaction => "CTRX",
            EntryKind::CardReversal => "CREV",
            EntryKind::Other => "OTHR",
        }
    }

    /// The kind of a stored number.
    pub fn from_number(number: u8) -> Option<EntryKind> {
        EntryKind::ALL
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

impl Entry {
    /// In minor units; below zero for a debit.
    pub fn signed(&self) -> i128 {
        let amount = i128::from(self.amount.minor());
        match self.direction {
            Direction::In => amount,
            Direction::Out => 0_i128.saturating_sub(amount),
        }
    }
}

impl Engine {
    /// What the events of the last record say that it moved, in their order, on the accounts of [`Account`]. Asked right after the
    /// record was applied.
    pub fn entries(
        &self,
        stamp: Stamp,
        events: &[Event],
        each: &mut dyn FnMut(ParticipantId, Account, Entry),
    ) {
        of_events(&self.state, stamp, events, each);
    }
}

/// As [`Engine::entries`].
pub(crate) fn of_events(
    state: &engine::State,
    stamp: Stamp,
    events: &[Event],
    each: &mut dyn FnMut(ParticipantId, Account, Entry),
) {
    let mut found = Found { state, stamp, each };
    let mut rest = events.iter().peekable();
    while let Some(event) = rest.next() {
        match event {
            // A liquidity transfer is told by the event behind, which has both accounts.
            Event::PositionChanged { .. }
                if matches!(
                    rest.peek(),
                    Some(Event::Settlement(settlement::Event::Transferred { .. }))
                ) => {}
            Event::PositionChanged {
                participant,
                funded,
                direction,
            } => {
                let owner = state.participants.settles_through(*participant);
                let entry = found.entry(EntryKind::CentralBank, *direction, *funded);
                found.on(owner, Account::Position, entry);
            }
            Event::PaymentFinished(done) => {
                let between = [done.debtor_agent, done.creditor_agent];
                found.instant(EntryKind::InstantPayment, done, between);
            }
            // A return is between those who have taken over the banks of the payment.
            Event::ReturnFinished(done) => {
                let between = [done.debtor_agent, done.creditor_agent];
                let between = between.map(|id| state.participants.successor(id));
                found.instant(EntryKind::InstantReturn, done, between);
            }
            Event::Dispute(event) => found.dispute(event),
            Event::Settlement(event) => found.settlement(event),
            Event::Clearing(clearing::Event::Net { session, row }) => {
                let reference = Text::format(format_args!("{session}"));
                let entry = found.net(EntryKind::ClearingNet, row.net());
                let reference = reference.unwrap_or(Text::EMPTY);
                found.on(
                    row.participant,
                    Account::Settlement,
                    Entry { reference, ..entry },
                );
            }
            Event::Ancillary(event) => found.ancillary(event),
            Event::Card(cards::Event::Posted(posting)) => found.card(posting),
            _ => {}
        }
    }
}

struct Found<'a> {
    state: &'a engine::State,
    stamp: Stamp,
    each: &'a mut dyn FnMut(ParticipantId, Account, Entry),
}

impl Found<'_> {
    fn entry(&self, kind: EntryKind, direction: Direction, amount: Money) -> Entry {
        Entry {
            position: self.stamp.position,
            time: self.stamp.time,
            kind,
            counterparty: None,
            reference: Text::EMPTY,
            uetr: None,
            direction,
            amount,
        }
    }

    /// An entry of a signed amount in minor units.
    fn net(&self, kind: EntryKind, net: i128) -> Entry {
        let direction = if net < 0 {
            Direction::Out
        } else {
            Direction::In
        };
        let amount = u64::try_from(net.unsigned_abs()).unwrap_or(u64::MAX);
        self.entry(kind, direction, Money::kzt(amount))
    }

    fn on(&mut self, owner: ParticipantId, account: Account, entry: Entry) {
        if !entry.amount.is_zero() {
            (self.each)(owner, account, entry);
        }
    }

    /// From one account to another of its kind.
    fn pair(&mut self, account: Account, from: ParticipantId, to: ParticipantId, entry: Entry) {
        if from == to {
            return;
        }
        for (owner, other, direction) in [(from, to, Direction::Out), (to, from, Direction::In)] {
            let entry = Entry {
                counterparty: Some(other),
                direction,
                ..entry
            };
            self.on(owner, account, entry);
        }
    }

    fn instant(&mut self, kind: EntryKind, done: &Finished, between: [ParticipantId; 2]) {
        if done.outcome != FinalOutcome::Settled {
            return;
        }
        let participants = &self.state.participants;
        let [from, to] = between.map(|id| participants.settles_through(id));
        let entry = Entry {
            uetr: Some(done.uetr),
            ..self.entry(kind, Direction::Out, done.amount)
        };
        self.pair(Account::Position, from, to, entry);
    }

    fn dispute(&mut self, event: &disputes::Event) {
        let Some(dispute) = self.state.disputes.get(event.case) else {
            return;
        };
        // What a case about a card transaction moves is a posting of its own.
        let disputes::Subject::Payment(uetr) = dispute.subject else {
            return;
        };
        let (claimant, respondent) = (dispute.claimant, dispute.respondent);
        let (from, to, amount) = match event.moved {
            Move::Nothing => return,
            Move::ToClaimant(amount) => (respondent, claimant, amount),
            Move::ToRespondent(amount) => (claimant, respondent, amount),
        };
        let participants = &self.state.participants;
        let (from, to) = (
            participants.settles_through(from),
            participants.settles_through(to),
        );
        let reference = Text::format(format_args!("{}", event.case));
        let entry = Entry {
            uetr: Some(uetr),
            reference: reference.unwrap_or(Text::EMPTY),
            ..self.entry(EntryKind::Dispute, Direction::Out, Money::kzt(amount))
        };
        self.pair(Account::Position, from, to, entry);
    }

    fn settlement(&mut self, event: &settlement::Event) {
        match event {
            settlement::Event::Transferred {
                participant,
                direction,
                amount,
            } => {
                let entry = self.entry(EntryKind::Liquidity, *direction, *amount);
                self.on(*participant, Account::Position, entry);
                let direction = opposite(*direction);
                self.on(
                    *participant,
                    Account::Settlement,
                    Entry { direction, ..entry },
                );
            }
            settlement::Event::Funded {
                participant,
                direction,
                amount,
            } => {
                let entry = self.entry(EntryKind::CentralBank, *direction, *amount);
                self.on(*participant, Account::Settlement, entry);
            }
            settlement::Event::Finished(done) if done.end == End::Settled => self.payment(done),
            _ => {}
        }
    }

    fn payment(&mut self, done: &Done) {
        let known = self.state.settlement.known(done.id);
        let kind = match known.and_then(|known| known.gives_back) {
            Some(_) => EntryKind::ImtsReturn,
            None => EntryKind::ImtsPayment,
        };
        let entry = Entry {
            uetr: known.map(|known| known.uetr),
            reference: done.reference,
            ..self.entry(kind, Direction::Out, done.amount)
        };
        self.pair(Account::Settlement, done.from, done.to, entry);
    }

    fn ancillary(&mut self, event: &ancillary::Event) {
        match event {
            ancillary::Event::Moved {
                participant,
                cause,
                direction,
                amount,
            } => {
                let kind = match cause {
                    Cause::CardNet => EntryKind::CardNet,
                    Cause::GuaranteeFund => EntryKind::Guarantee,
                    Cause::Recovery => EntryKind::Recovery,
                    Cause::Delivery => EntryKind::Delivery,
                };
                let entry = self.entry(kind, *direction, *amount);
                self.on(*participant, Account::Settlement, entry);
                if *cause == Cause::GuaranteeFund {
                    let direction = opposite(*direction);
                    self.on(
                        *participant,
                        Account::Guarantee,
                        Entry { direction, ..entry },
                    );
                }
            }
            ancillary::Event::FundUsed {
                participant,
                amount,
                ..
            } => {
                let entry = self.entry(EntryKind::Guarantee, Direction::Out, *amount);
                self.on(*participant, Account::Guarantee, entry);
            }
            _ => {}
        }
    }

    /// An obligation with its fees, as one entry of each side.
    fn card(&mut self, posting: &Posting) {
        let issuer = if posting.debit == posting.acquirer {
            posting.credit
        } else {
            posting.debit
        };
        let sign = |positive: bool, amount: Money| {
            let amount = i128::from(amount.minor());
            if positive {
                amount
            } else {
                0_i128.saturating_sub(amount)
            }
        };
        let fees = &posting.fees;
        let to_issuer = (fees.interchange_to == Side::Issuer) != posting.reversal;
        let kind = if posting.reversal {
            EntryKind::CardReversal
        } else {
            EntryKind::CardTransaction
        };
        let sides = [
            (posting.acquirer, issuer, !to_issuer, fees.switch_acquirer),
            (issuer, posting.acquirer, to_issuer, fees.switch_issuer),
        ];
        let mut taken = 0_i128;
        for (owner, other, is_paid, fee) in sides {
            let fee = sign(posting.reversal, fee);
            taken = taken.saturating_sub(fee);
            let net = sign(posting.credit == owner, posting.amount)
                .saturating_add(sign(is_paid, fees.interchange))
                .saturating_add(fee);
            let entry = Entry {
                counterparty: Some(other),
                ..self.net(kind, net)
            };
            self.on(owner, Account::Card, entry);
        }
        let entry = self.net(kind, taken);
        self.on(ParticipantId::SWITCH, Account::Card, entry);
    }
}

const fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::In => Direction::Out,
        Direction::Out => Direction::In,
    }
}
