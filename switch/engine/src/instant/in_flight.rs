//! Payments under way: reserved, and waiting for somebody's answer. Found by key, by UETR and by deadline.
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
    table::{self, Table},
};

const PAGE_ENTRIES: usize = 256;
const TABLE_PART_BITS: u32 = 6;

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
pub(crate) struct Payments {
    seed: u64,
    pages: Vec<Vec<Option<InFlight>>>,
    free: Vec<u32>,
    count: usize,
    by_key: Table,
    by_uetr: Table,
    deadlines: Deadlines,
}

/// Place of a payment, valid until it is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

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

impl Payments {
    pub(crate) fn new(seed: u64) -> Payments {
        Payments {
            seed,
            pages: Vec::new(),
            free: Vec::new(),
            count: 0,
            by_key: Table::new(TABLE_PART_BITS),
            by_uetr: Table::new(TABLE_PART_BITS),
            deadlines: Deadlines::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&InFlight> {
        payment(&self.pages, slot.0)
    }

    pub(crate) fn slot_of_key(&self, key: &PaymentKey) -> Option<Slot> {
        let is_it = |slot| payment(&self.pages, slot).is_some_and(|payment| payment.key == *key);
        let hash = table::hash(self.seed, key.0);
        self.by_key.find(hash, is_it).map(Slot)
    }

    pub(crate) fn slot_of_uetr(&self, uetr: &Uetr) -> Option<Slot> {
        let is_it = |slot| payment(&self.pages, slot).is_some_and(|payment| payment.uetr == *uetr);
        let hash = table::hash(self.seed, uetr.bytes());
        self.by_uetr.find(hash, is_it).map(Slot)
    }

    pub(crate) fn find_key(&self, key: &PaymentKey) -> Option<&InFlight> {
        self.get(self.slot_of_key(key)?)
    }

    pub(crate) fn find_uetr(&self, uetr: &Uetr) -> Option<&InFlight> {
        self.get(self.slot_of_uetr(uetr)?)
    }

    /// Adds a payment whose key and UETR are in no other.
    pub(crate) fn insert(&mut self, payment: &InFlight) {
        let slot = self.free_slot();
        let by_key = table::hash(self.seed, payment.key.0);
        let by_uetr = table::hash(self.seed, payment.uetr.bytes());
        self.deadlines.insert(payment.deadline, payment.asked, slot);
        if let Some(place) = place(&mut self.pages, slot) {
            *place = Some(*payment);
            self.count = self.count.saturating_add(1);
        }
        let (seed, pages) = (self.seed, &self.pages);
        self.by_key.insert(by_key, slot, |slot| {
            self::payment(pages, slot).map_or(0, |other| table::hash(seed, other.key.0))
        });
        self.by_uetr.insert(by_uetr, slot, |slot| {
            self::payment(pages, slot).map_or(0, |other| table::hash(seed, other.uetr.bytes()))
        });
    }

    /// Takes a payment out: it is decided.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<InFlight> {
        let payment = place(&mut self.pages, slot.0)?.take()?;
        self.count = self.count.saturating_sub(1);
        self.by_key
            .remove(table::hash(self.seed, payment.key.0), slot.0);
        self.by_uetr
            .remove(table::hash(self.seed, payment.uetr.bytes()), slot.0);
        self.deadlines.remove(slot.0);
        self.free.push(slot.0);
        Some(payment)
    }

    /// Makes the next ask of a payment: what is waited for from now on, and until when.
    pub(crate) fn ask(&mut self, slot: Slot, ask: Ask, asked: Position, deadline: Time) {
        if let Some(Some(payment)) = place(&mut self.pages, slot.0) {
            payment.ask = ask;
            payment.asked = asked;
            payment.deadline = deadline;
            self.deadlines.insert(deadline, asked, slot.0);
        }
    }

    /// The payment whose deadline comes first.
    pub(crate) fn first_due(&self) -> Option<(Time, Position, Slot)> {
        let (time, position, slot) = self.deadlines.first()?;
        Some((time, position, Slot(slot)))
    }

    /// Whether the ledger's holds are exactly those of the payments, account by account.
    pub(crate) fn held(&self, ledger: &Ledger) -> bool {
        let mut held: BTreeMap<AccountId, u64> = BTreeMap::new();
        for payment in self.pages.iter().flatten().flatten() {
            if let Some((debit, _)) = payment.hold {
                let sum = held.entry(debit).or_default();
                *sum = sum.saturating_add(payment.amount.minor());
            }
        }
        let agree = |(id, account): (AccountId, &Account)| {
            account.debits_pending() == held.get(&id).copied().unwrap_or(0)
        };
        ledger.accounts().all(agree)
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
}

/// Snapshot: the payments in the order of their records.
impl Payments {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        let slots = self.pages.iter().flatten();
        let mut payments: Vec<&InFlight> = slots.flatten().collect();
        payments.sort_unstable_by_key(|payment| payment.submitted);
        writer.u32(u32::try_from(payments.len()).unwrap_or(u32::MAX));
        for payment in payments {
            payment.write(writer);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<Payments, FactsError> {
        let mut payments = Payments::new(seed);
        for _ in 0..reader.u32("in flight")? {
            let offset = reader.offset();
            let payment = InFlight::read(reader)?;
            let known = payments.find_key(&payment.key).is_some()
                || payments.find_uetr(&payment.uetr).is_some();
            if known {
                return Err(reader.error("in flight", offset, LayoutRule::Value));
            }
            payments.insert(&payment);
        }
        Ok(payments)
    }
}

impl InFlight {
    fn write(&self, writer: &mut Writer<'_>) {
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

    fn read(reader: &mut Reader<'_>) -> Result<InFlight, FactsError> {
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

fn payment(pages: &[Vec<Option<InFlight>>], slot: u32) -> Option<&InFlight> {
    let slot = slot as usize;
    let page = pages.get(slot / PAGE_ENTRIES)?;
    page.get(slot % PAGE_ENTRIES)?.as_ref()
}

fn place(pages: &mut [Vec<Option<InFlight>>], slot: u32) -> Option<&mut Option<InFlight>> {
    let slot = slot as usize;
    let page = pages.get_mut(slot / PAGE_ENTRIES)?;
    page.get_mut(slot % PAGE_ENTRIES)
}

#[cfg(test)]
mod tests;
