//! Payments under way: reserved, and waiting for somebody's answer. Ordered by deadline; [`super::payments`] finds them by their
//! identifiers.
//!
//! Entries lie in a slab of pages whose free slots are used again, so that the steady state allocates nothing. Slot numbers
//! are never stored or shown: a snapshot lists the payments in the order of their records.

use std::collections::BTreeMap;

use torap_domain::{Bic, Date, Iban, Money, ParticipantId, Position, QrId, Service, Time, Uetr};
use torap_ledger::{Account, AccountId, Ledger};

use super::{
    FinalOutcome, Fingerprint, Finished, PaymentKey,
    asks::Ask,
    limits::{CustomerKey, Usage},
};
use crate::{
    References, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    deadlines::Deadlines,
};

const PAGE_ENTRIES: usize = 256;

/// One payment under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InFlight {
    pub(crate) key: PaymentKey,
    pub(crate) uetr: Uetr,
    pub(crate) fingerprint: Fingerprint,
    /// Record of the pacs.008.
    pub(crate) submitted: Position,
    pub(crate) service: Service,
    pub(crate) amount: Money,
    pub(crate) debtor_agent: ParticipantId,
    pub(crate) creditor_agent: ParticipantId,
    /// The link that the pacs.008 came on, and that gets the answer.
    pub(crate) reply_to: ParticipantId,
    /// The accounts of what is held; none if both sides settle on one position.
    pub(crate) hold: Option<(AccountId, AccountId)>,
    /// What is waited for, until when, and the record that asked.
    pub(crate) ask: Ask,
    pub(crate) deadline: Time,
    pub(crate) asked: Position,
    /// When the whole payment must be decided.
    pub(crate) payment_deadline: Time,
    pub(crate) usage: Usage,
    /// The dynamic code it pays.
    pub(crate) qr: Option<QrId>,
    /// For a payment by phone: the payee's bank and account.
    pub(crate) resolved: Option<(Bic, Iban)>,
    pub(crate) references: References,
}

/// Every payment under way.
#[derive(Clone, Debug)]
pub(super) struct Slab {
    pages: Vec<Vec<Option<InFlight>>>,
    free: Vec<u32>,
    count: usize,
    deadlines: Deadlines,
}

impl InFlight {
    /// The payment with its outcome, decided by `stamp`.
    pub(crate) fn finished(&self, stamp: Stamp, outcome: FinalOutcome) -> Finished {
        Finished {
            key: self.key,
            uetr: self.uetr,
            fingerprint: self.fingerprint,
            submitted: self.submitted,
            decided: stamp.position,
            decided_at: stamp.time,
            outcome,
            service: self.service,
            amount: self.amount,
            returned: Money::zero(self.amount.asset()),
            debtor_agent: self.debtor_agent,
            creditor_agent: self.creditor_agent,
        }
    }
}

impl Slab {
    pub(super) fn new() -> Slab {
        Slab {
            pages: Vec::new(),
            free: Vec::new(),
            count: 0,
            deadlines: Deadlines::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&InFlight> {
        let slot = slot as usize;
        let page = self.pages.get(slot / PAGE_ENTRIES)?;
        page.get(slot % PAGE_ENTRIES)?.as_ref()
    }

    /// Adds a payment, which is found at the slot given back.
    pub(super) fn insert(&mut self, payment: &InFlight) -> u32 {
        let slot = self.free_slot();
        self.deadlines.insert(payment.deadline, payment.asked, slot);
        if let Some(place) = self.place(slot) {
            *place = Some(*payment);
            self.count = self.count.saturating_add(1);
        }
        slot
    }

    /// Takes a payment out: it is decided.
    #[inline]
    pub(super) fn remove(&mut self, slot: u32) -> Option<InFlight> {
        let payment = self.place(slot)?.take()?;
        self.count = self.count.saturating_sub(1);
        self.deadlines.remove(slot);
        self.free.push(slot);
        Some(payment)
    }

    /// Makes the next ask of a payment: what is waited for from now on, and until when.
    pub(super) fn ask(&mut self, slot: u32, ask: Ask, asked: Position, deadline: Time) {
        if let Some(Some(payment)) = self.place(slot) {
            payment.ask = ask;
            payment.asked = asked;
            payment.deadline = deadline;
            self.deadlines.insert(deadline, asked, slot);
        }
    }

    /// The payment whose deadline comes first.
    pub(super) fn first_due(&self) -> Option<(Time, Position, u32)> {
        self.deadlines.first()
    }

    /// Every payment, in the order of their records.
    pub(super) fn in_order(&self) -> Vec<&InFlight> {
        let mut payments: Vec<&InFlight> = self.pages.iter().flatten().flatten().collect();
        payments.sort_unstable_by_key(|payment| payment.submitted);
        payments
    }

    /// Whether the ledger's holds are exactly those of the payments, account by account, on both sides.
    pub(super) fn held(&self, ledger: &Ledger) -> bool {
        let mut held: BTreeMap<AccountId, (u64, u64)> = BTreeMap::new();
        for payment in self.pages.iter().flatten().flatten() {
            if let Some((debit, credit)) = payment.hold {
                let amount = payment.amount.minor();
                let (from, _) = held.entry(debit).or_default();
                *from = from.saturating_add(amount);
                let (_, to) = held.entry(credit).or_default();
                *to = to.saturating_add(amount);
            }
        }
        let agree = |(id, account): (AccountId, &Account)| {
            let pending = (account.debits_pending(), account.credits_pending());
            pending == held.get(&id).copied().unwrap_or_default()
        };
        // Every account that a payment names exists, and every account agrees.
        let known = held.keys().all(|id| ledger.account(*id).is_some());
        known && ledger.accounts().all(agree)
    }

    fn free_slot(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        let full = self
            .pages
            .last()
            .is_none_or(|page| page.len() >= PAGE_ENTRIES);
        if full {
            self.pages.push(Vec::with_capacity(PAGE_ENTRIES));
        }
        let whole = self
            .pages
            .len()
            .saturating_sub(1)
            .saturating_mul(PAGE_ENTRIES);
        let Some(page) = self.pages.last_mut() else {
            return 0;
        };
        let slot = whole.saturating_add(page.len());
        page.push(None);
        // The bound on payments under way is far below 2³².
        u32::try_from(slot).unwrap_or(u32::MAX)
    }

    fn place(&mut self, slot: u32) -> Option<&mut Option<InFlight>> {
        let slot = slot as usize;
        let page = self.pages.get_mut(slot / PAGE_ENTRIES)?;
        page.get_mut(slot % PAGE_ENTRIES)
    }
}

/// Snapshot of one payment.
impl InFlight {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.key);
        writer.put(&self.uetr);
        writer.put(&self.fingerprint);
        writer.put(&self.submitted);
        writer.put(&self.service);
        writer.put(&self.amount);
        writer.put(&self.debtor_agent);
        writer.put(&self.creditor_agent);
        writer.put(&self.reply_to);
        writer.put(&self.hold.is_some());
        if let Some((debit, credit)) = self.hold {
            writer.u32(debit.0);
            writer.u32(credit.0);
        }
        writer.u8(self.ask as u8);
        writer.put(&self.deadline);
        writer.put(&self.asked);
        writer.put(&self.payment_deadline);
        writer.u32(self.usage.day.days().cast_unsigned());
        writer.put(&self.usage.customer.map(CustomerKey::number));
        writer.put(&self.qr);
        writer.put(&self.resolved.is_some());
        if let Some((agent, account)) = &self.resolved {
            writer.put(agent);
            writer.put(account);
        }
        writer.put(&self.references);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<InFlight, FactsError> {
        let (key, uetr) = (reader.field("key")?, reader.field("uetr")?);
        let fingerprint = reader.field("fingerprint")?;
        let submitted = reader.field("submitted")?;
        let service = reader.field("service")?;
        let amount: Money = reader.field("amount")?;
        let debtor_agent = reader.field("debtor_agent")?;
        let creditor_agent = reader.field("creditor_agent")?;
        let reply_to = reader.field("reply_to")?;
        let hold = if reader.field("hold")? {
            let debit = AccountId(reader.u32("hold debit")?);
            Some((debit, AccountId(reader.u32("hold credit")?)))
        } else {
            None
        };
        let offset = reader.offset();
        let ask = Ask::from_number(reader.u8("ask")?)
            .ok_or_else(|| reader.error("ask", offset, LayoutRule::Tag))?;
        let deadline = reader.field("deadline")?;
        let asked = reader.field("asked")?;
        let payment_deadline = reader.field("payment_deadline")?;
        let day = Date::from_days(reader.u32("usage day")?.cast_signed());
        let customer: Option<u64> = reader.field("usage customer")?;
        let usage = Usage {
            day,
            customer: customer.map(CustomerKey::from_number),
            participant: debtor_agent,
            service,
            amount: amount.minor(),
        };
        let qr = reader.field("qr")?;
        let resolved = if reader.field("resolved")? {
            Some((reader.field("agent")?, reader.field("account")?))
        } else {
            None
        };
        Ok(InFlight {
            key,
            uetr,
            fingerprint,
            submitted,
            service,
            amount,
            debtor_agent,
            creditor_agent,
            reply_to,
            hold,
            ask,
            deadline,
            asked,
            payment_deadline,
            usage,
            qr,
            resolved,
            references: reader.field("references")?,
        })
    }
}
