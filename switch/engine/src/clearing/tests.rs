//! Scenarios of the clearing system in the small world; after each command the engine goes on from its own snapshot.

mod calendar;
mod files;
mod intake;
mod memory;
mod purposes;
mod random;
mod sessions;
mod settings;

use std::collections::BTreeMap;

use torap_clearing::{Priority, SessionId};
use torap_domain::{
    Date, EndToEndId, Knp, MessageId, Money, ParticipantId, Position, Reason, SectorCode, Span,
    Text, Time, TransactionId, Uetr,
};

use super::{Command, Line, Order, Party, Piece, RefusedOrder, Submit};
use crate::{
    Command as Any, Message, Outcome, Source, Status,
    instant::{Fingerprint, PaymentKey},
    world::{World, bic, iban, operator, person},
};

/// The day on which the small world begins is a Saturday; the first session is on Monday.
const MONDAY: &str = "2026-11-23";
const TUESDAY: &str = "2026-11-24";

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn session(text: &str, number: u8) -> SessionId {
    SessionId {
        date: date(text),
        number,
    }
}

/// Sixteen bytes of a number.
fn bytes(number: u32) -> [u8; 16] {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn item_uetr(number: u32) -> Uetr {
    Uetr::from_random(bytes(number))
}

fn party(bank: ParticipantId, number: u32) -> Party {
    Party {
        agent: bic(bank),
        account: iban(bank, number),
        number: person(u64::from(number % 10)),
        name: Line::parse("Айгуль Сериковна").unwrap(),
        sector: SectorCode::parse("19").unwrap(),
    }
}

/// An item for Monday.
fn order(number: u32, debtor: ParticipantId, creditor: ParticipantId, amount: u64) -> Order {
    Order {
        key: PaymentKey(bytes(number)),
        fingerprint: Fingerprint(bytes(amount as u32)),
        uetr: item_uetr(number),
        transaction_id: TransactionId::parse(&format!("TX-{number}")).unwrap(),
        instruction_id: None,
        end_to_end_id: EndToEndId::parse("E2E").unwrap(),
        amount: Money::kzt(amount),
        value_date: date(MONDAY),
        priority: Priority::Normal,
        debtor: party(debtor, 1),
        creditor: party(creditor, 2),
        purpose: Knp::parse("911").unwrap(),
        remittance: Line::parse("налог"),
        list: None,
    }
}

fn submit(source: Source, bank: ParticipantId, items: Vec<Order>) -> Submit {
    Submit {
        source,
        message_id: MessageId::parse("MSG").unwrap(),
        message_version: 0,
        instructing_agent: bic(bank),
        piece: None,
        items,
        refused: Vec::new(),
    }
}

fn rejected(reason: Reason) -> Status {
    Status::Rejected {
        reason,
        agent_code: None,
    }
}

impl World {
    /// Puts money on a settlement account from the central bank's own.
    fn endow(&mut self, bank: ParticipantId, amount: u64) {
        let state = &mut self.engine.state;
        let account = state.settlement_account(bank).unwrap();
        let funds = state.central_bank();
        if amount > 0 {
            let amount = Money::kzt(amount);
            state.ledger.transfer(funds, account, amount).unwrap();
        }
    }

    fn settlement(&self, bank: ParticipantId) -> i128 {
        let state = &self.engine.state;
        state
            .ledger
            .balance(state.settlement_account(bank).unwrap())
    }

    fn technical(&self) -> i128 {
        let state = &self.engine.state;
        state.ledger.balance(state.clearing_technical())
    }

    /// Items on the link of a bank, of which it is the debtor's bank.
    fn send(&mut self, bank: ParticipantId, items: Vec<Order>) -> Outcome {
        let source = self.link(bank);
        let submit = submit(source, bank, items);
        self.apply(Any::Clearing(Command::Submit(submit)))
    }

    fn send_one(
        &mut self,
        number: u32,
        debtor: ParticipantId,
        creditor: ParticipantId,
        amount: u64,
    ) {
        let item = order(number, debtor, creditor, amount);
        assert_eq!(self.send(debtor, vec![item]), Outcome::Accepted);
    }

    /// The statuses that the last command sent to a bank: the record, the indexes and the status of each message.
    fn statuses(&self, bank: ParticipantId) -> Vec<(Position, Vec<u16>, Status)> {
        let sent = self.sent_to(bank).into_iter();
        sent.filter_map(|message| match message {
            Message::ClearingStatus {
                original,
                first,
                items,
                status,
                ..
            } => Some((original, indexes(first, items), status)),
            _ => None,
        })
        .collect()
    }

    /// Ticks until every outcome of the sessions that are due is told; what each bank was sent meanwhile.
    fn tell(&mut self) -> BTreeMap<ParticipantId, Vec<Message>> {
        let mut sent: BTreeMap<ParticipantId, Vec<Message>> = BTreeMap::new();
        loop {
            self.tick();
            for effect in &self.out.effects {
                let theirs = sent.entry(effect.outbound.to).or_default();
                theirs.push(effect.outbound.message);
            }
            if !self.engine.clearing_view().telling {
                return sent;
            }
            self.wait(super::TOLD_EVERY);
        }
    }

    /// Waits until the open session closes and tells its outcomes.
    fn close(&mut self) -> BTreeMap<ParticipantId, Vec<Message>> {
        let (_, closes) = self.engine.clearing_view().open.unwrap();
        let span = closes.saturating_since(self.now());
        self.wait(Span::from_nanos(span.nanos()));
        self.tell()
    }

    fn item(&self, number: u32) -> Status {
        let item = self.engine.clearing_item(&item_uetr(number));
        item.unwrap().status
    }
}

fn indexes(first: u16, items: u64) -> Vec<u16> {
    let set = (0..64).filter(|place| items >> place & 1 == 1);
    set.map(|place| first + place).collect()
}

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}
