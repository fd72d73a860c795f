//! Whose payment waits, where sponsors settle for others; and whether a suspension that came after it stops it.
//!
//! A bank whose debits are suspended settles nothing: its queue is held whole, and goes on when the suspension ends. Of a queue that goes on,
//! a payment whose bank or payee is suspended when its turn comes is rejected: it does not stand in the way of the others.

use torap_domain::{ParticipantId, Position, Reason};

use super::{Payment, State, Waiting};
use crate::{
    Engine,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
};

/// From this version of the rules on a suspension stops what waits, and a bank's references are its own; before, what was taken settled,
/// and references were those of the account.
pub(crate) const RULES_PARTIES: u32 = 2;

/// The banks of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parties {
    /// Who has given it, and names it by a reference.
    pub(super) sender: ParticipantId,
    pub(super) debtor: ParticipantId,
    pub(super) creditor: ParticipantId,
}

impl Parties {
    /// Of a payment between the accounts' own banks.
    pub(super) fn of(payment: &Payment) -> Parties {
        Parties {
            sender: payment.from,
            debtor: payment.from,
            creditor: payment.to,
        }
    }
}

impl engine::State {
    /// By whom a reference names a payment.
    pub(super) fn names(&self, parties: Parties, payment: &Payment) -> ParticipantId {
        if self.rules >= RULES_PARTIES {
            parties.sender
        } else {
            payment.from
        }
    }

    /// Whether a bank's queue is held: its debits are suspended.
    pub(super) fn is_held(&self, payer: ParticipantId) -> bool {
        self.rules >= RULES_PARTIES
            && self.participants.may_debit(payer) == Err(Reason::SenderSuspended)
    }

    /// The suspension that stops money between two banks that was taken before it.
    pub(crate) fn suspension(
        &self,
        debtor: ParticipantId,
        creditor: ParticipantId,
    ) -> Option<Reason> {
        if self.rules < RULES_PARTIES {
            return None;
        }
        // Who is not active any more is not suspended: what was taken from it settles.
        let debit = self.participants.may_debit(debtor).err();
        let debit = debit.filter(|reason| *reason == Reason::SenderSuspended);
        let credit = self.participants.may_credit(creditor).err();
        debit.or(credit.filter(|reason| *reason == Reason::ReceiverSuspended))
    }

    /// The suspension that stops a payment that waits.
    pub(super) fn stopped(&self, waiting: &Waiting) -> Option<Reason> {
        let parties = self.settlement.parties.get(&waiting.id).copied();
        let parties = parties.unwrap_or(Parties::of(&waiting.payment));
        let of_debtor = self.suspension(parties.debtor, parties.creditor);
        of_debtor.or_else(|| self.suspension(parties.sender, parties.creditor))
    }
}

impl State {
    /// Remembers the banks of a payment, if they are not those of its accounts.
    pub(super) fn remember_parties(&mut self, id: Position, payment: &Payment, parties: Parties) {
        if parties != Parties::of(payment) {
            self.parties.insert(id, parties);
        }
    }
}

impl Engine {
    /// Who has given a payment of IMTS of the open business day or the one before, and whom it is for: where they settle on the accounts of
    /// others, none otherwise. By version 2 of the rules.
    pub fn imts_parties(&self, id: Position) -> Option<(ParticipantId, ParticipantId)> {
        let parties = self.state.settlement.parties.get(&id);
        parties.map(|parties| (parties.sender, parties.creditor))
    }
}

/// Snapshot, in a part of its own that came later.
impl State {
    pub(crate) fn has_parties(&self) -> bool {
        !self.parties.is_empty()
    }

    pub(crate) fn write_parties(&self, writer: &mut Writer<'_>) {
        writer.count(self.parties.len());
        for (id, parties) in &self.parties {
            writer.put(id);
            writer.put(&parties.sender);
            writer.put(&parties.debtor);
            writer.put(&parties.creditor);
        }
    }

    pub(crate) fn read_parties(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        let offset = reader.offset();
        for _ in 0..reader.count("payments")? {
            let offset = reader.offset();
            let id: Position = reader.field("payment")?;
            let parties = Parties {
                sender: reader.field("sender")?,
                debtor: reader.field("debtor")?,
                creditor: reader.field("creditor")?,
            };
            let rises = self.parties.last_key_value();
            let rises = rises.is_none_or(|(before, _)| *before < id);
            let known = self.told.get(id);
            let other = known.is_some_and(|known| {
                let accounts = Parties {
                    sender: known.from,
                    debtor: known.from,
                    creditor: known.to,
                };
                accounts != parties
            });
            if !rises || !other {
                return Err(reader.error("payment", offset, LayoutRule::Value));
            }
            self.parties.insert(id, parties);
        }
        if self.parties.is_empty() {
            return Err(reader.error("payments", offset, LayoutRule::Value));
        }
        Ok(())
    }
}
