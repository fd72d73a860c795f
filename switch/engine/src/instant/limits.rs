//! Limits: what one payment, one customer in a day and one participant in a day may amount to, by service.
//!
//! A day is a date in UTC+5 of the switch's own time. A customer is the payer by IIN or BIN, across all banks, counted per
//! service; a participant is the payer's bank. Usage is counted when money is reserved and given back when the payment does
//! not settle, within the same day. At midnight everything starts from zero, so only today is kept.
//!
//! Memory: a customer takes about 50 bytes ([`Customers`]). Yesterday's are freed page by page, by the commands after midnight.

use std::collections::BTreeMap;

use torap_domain::{Date, IinBin, Money, ParticipantId, Reason, Service};

use super::{
    Limits,
    customers::{Bucket, Customer, Customers},
};
use crate::codec::{FactsError, Reader, Writer};

/// No limit at all: the default.
pub(crate) const UNLIMITED: Limits = Limits {
    payment_max: None,
    customer_day_amount_max: None,
    customer_day_count_max: None,
    participant_day_amount_max: None,
};

const SERVICES: usize = Service::ALL.len();

/// What a payment is counted as, kept while it is in flight so that it can be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) day: Date,
    /// Whether the customer's day was counted: only where a limit asks for it.
    pub(crate) customer: Option<CustomerKey>,
    pub(crate) participant: ParticipantId,
    pub(crate) service: Service,
    pub(crate) amount: u64,
}

/// A payer and a service, in one word: the IIN or BIN has 12 digits, 40 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CustomerKey(u64);

/// Limits and today's usage.
#[derive(Clone, Debug)]
pub(crate) struct State {
    seed: u64,
    defaults: [Limits; SERVICES],
    own: BTreeMap<(ParticipantId, Service), Limits>,
    day: Date,
    customers: Customers,
    /// Minor units sent today, by participant and service.
    participants: Vec<[u64; SERVICES]>,
    /// Pages of yesterday's customers.
    retired: Vec<Vec<Bucket>>,
}

impl State {
    pub(crate) fn new(seed: u64) -> State {
        State {
            seed,
            defaults: [UNLIMITED; SERVICES],
            own: BTreeMap::new(),
            day: Date::from_days(0),
            customers: Customers::new(),
            participants: Vec::new(),
            retired: Vec::new(),
        }
    }

    /// Sets the rail's limits of a service, or a participant's own.
    pub(crate) fn set(
        &mut self,
        service: Service,
        participant: Option<ParticipantId>,
        limits: Limits,
    ) {
        match participant {
            Some(participant) => {
                self.own.insert((participant, service), limits);
            }
            None => {
                if let Some(there) = self.defaults.get_mut(service.index()) {
                    *there = limits;
                }
            }
        }
    }

    /// The limits that hold for a participant's payments of a service.
    pub(crate) fn effective(&self, service: Service, participant: Option<ParticipantId>) -> Limits {
        let own = participant.and_then(|participant| self.own.get(&(participant, service)));
        let default = self.defaults.get(service.index());
        own.or(default).copied().unwrap_or(UNLIMITED)
    }

    /// Whether a payment stays within the limits; counts nothing yet. The order of the reasons is their precedence.
    pub(crate) fn check(
        &mut self,
        day: Date,
        participant: ParticipantId,
        customer: IinBin,
        service: Service,
        amount: Money,
        customers_max: u32,
    ) -> Result<Usage, Reason> {
        self.turn(day);
        let limits = if self.own.is_empty() {
            self.effective(service, None)
        } else {
            self.effective(service, Some(participant))
        };
        let above =
            |limit: Option<Money>, amount: u64| limit.is_some_and(|limit| amount > limit.minor());
        let minor = amount.minor();
        if above(limits.payment_max, minor) {
            return Err(Reason::AmountAboveServiceLimit);
        }
        let counted =
            limits.customer_day_amount_max.is_some() || limits.customer_day_count_max.is_some();
        let key = CustomerKey::new(customer, service);
        let used = if counted {
            self.customers
                .find(self.seed, key)
                .unwrap_or(Customer::NOBODY)
        } else {
            Customer::NOBODY
        };
        if above(
            limits.customer_day_amount_max,
            used.amount.saturating_add(minor),
        ) {
            return Err(Reason::CustomerDayLimit);
        }
        let count = used.count.saturating_add(1);
        if limits.customer_day_count_max.is_some_and(|max| count > max) {
            return Err(Reason::CustomerDayCount);
        }
        let sent = self.sent(participant, service);
        if above(
            limits.participant_day_amount_max,
            sent.saturating_add(minor),
        ) {
            return Err(Reason::ParticipantDayLimit);
        }
        if counted
            && used.key == CustomerKey::NOBODY
            && self.customers.count() >= customers_max as usize
        {
            return Err(Reason::CustomerTableFull);
        }
        Ok(Usage {
            day,
            customer: counted.then_some(key),
            participant,
            service,
            amount: minor,
        })
    }

    /// Counts a payment that was checked by the same command.
    pub(crate) fn charge(&mut self, usage: &Usage) {
        if let Some(key) = usage.customer
            && let Some(customer) = self.customers.entry(self.seed, key)
        {
            customer.amount = customer.amount.saturating_add(usage.amount);
            customer.count = customer.count.saturating_add(1);
        }
        if let Some(sent) = self.sent_mut(usage.participant, usage.service) {
            *sent = sent.saturating_add(usage.amount);
        }
    }

    /// Gives back what a payment was counted as, if its day is not over.
    pub(crate) fn give_back(&mut self, usage: &Usage, day: Date) {
        self.turn(day);
        if usage.day != day {
            return;
        }
        if let Some(key) = usage.customer
            && let Some(customer) = self.customers.entry(self.seed, key)
        {
            customer.amount = customer.amount.saturating_sub(usage.amount);
            customer.count = customer.count.saturating_sub(1);
        }
        if let Some(sent) = self.sent_mut(usage.participant, usage.service) {
            *sent = sent.saturating_sub(usage.amount);
        }
    }

    /// Customers counted today.
    pub(crate) fn customers_today(&self) -> usize {
        self.customers.count()
    }

    /// Whether so few payers are counted that nothing need be brought near.
    #[inline]
    pub(crate) fn is_near(&self) -> bool {
        self.customers.is_near()
    }

    /// Brings near what counting this payer will read; the value means nothing.
    pub(crate) fn touch(&self, customer: IinBin, service: Service) -> u64 {
        let key = CustomerKey::new(customer, service);
        self.customers.touch(self.seed, key)
    }

    /// Starts a new day if `day` is one; frees a part of the day before.
    fn turn(&mut self, day: Date) {
        if day == self.day {
            self.retired.pop();
            return;
        }
        self.day = day;
        let old = std::mem::replace(&mut self.customers, Customers::new());
        self.retired.extend(old.into_pages());
        self.participants.fill([0; SERVICES]);
    }

    fn sent(&self, participant: ParticipantId, service: Service) -> u64 {
        let row = self.participants.get(participant.index());
        row.and_then(|row| row.get(service.index()))
            .copied()
            .unwrap_or(0)
    }

    fn sent_mut(&mut self, participant: ParticipantId, service: Service) -> Option<&mut u64> {
        let slot = participant.index();
        if self.participants.len() <= slot {
            self.participants
                .resize(slot.saturating_add(1), [0; SERVICES]);
        }
        self.participants.get_mut(slot)?.get_mut(service.index())
    }
}

/// Snapshot: limits, the day, and who has used what, sorted by key.
impl State {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        for limits in &self.defaults {
            writer.put(limits);
        }
        writer.u32(u32::try_from(self.own.len()).unwrap_or(u32::MAX));
        for ((participant, service), limits) in &self.own {
            writer.put(participant);
            writer.put(service);
            writer.put(limits);
        }
        writer.u32(self.day.days().cast_unsigned());
        let customers = self.customers.sorted();
        writer.u32(u32::try_from(customers.len()).unwrap_or(u32::MAX));
        for customer in customers {
            writer.u64(customer.key.0);
            writer.u64(customer.amount);
            writer.u32(customer.count);
        }
        // Rows of participants that sent nothing are the same as none.
        let sent = (0_u16..).zip(&self.participants);
        let sent: Vec<_> = sent.filter(|(_, row)| **row != [0; SERVICES]).collect();
        writer.u32(u32::try_from(sent.len()).unwrap_or(u32::MAX));
        for (participant, row) in sent {
            writer.u16(participant);
            for amount in row {
                writer.u64(*amount);
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<State, FactsError> {
        let mut state = State::new(seed);
        for limits in &mut state.defaults {
            *limits = reader.field("limits default")?;
        }
        for _ in 0..reader.u32("limits own")? {
            let participant = reader.field("limits participant")?;
            let service = reader.field("limits service")?;
            state
                .own
                .insert((participant, service), reader.field("limits")?);
        }
        state.day = Date::from_days(reader.u32("limits day")?.cast_signed());
        for _ in 0..reader.u32("limits customers")? {
            let key = CustomerKey(reader.u64("customer key")?);
            let amount = reader.u64("customer amount")?;
            let count = reader.u32("customer count")?;
            if let Some(customer) = state.customers.entry(seed, key) {
                customer.amount = amount;
                customer.count = count;
            }
        }
        for _ in 0..reader.u32("limits participants")? {
            let participant: ParticipantId = reader.field("sent participant")?;
            for service in Service::ALL {
                let amount = reader.u64("sent amount")?;
                if let Some(sent) = state.sent_mut(participant, service) {
                    *sent = amount;
                }
            }
        }
        Ok(state)
    }
}

impl CustomerKey {
    pub(super) const NOBODY: CustomerKey = CustomerKey(0);

    fn new(customer: IinBin, service: Service) -> CustomerKey {
        CustomerKey(customer.value() << 8 | u64::from(service.number()))
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    pub(crate) fn from_number(number: u64) -> CustomerKey {
        CustomerKey(number)
    }
}

#[cfg(test)]
mod tests;
