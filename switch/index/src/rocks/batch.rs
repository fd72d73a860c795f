//! One atomic change of the tables on disk.

use std::collections::HashMap;

use rocksdb::{ColumnFamily, WriteBatch, WriteOptions};
use torap_domain::{ParticipantId, Phone, Position, Uetr};
use torap_engine::{
    Outbound,
    codec::Stored,
    directory::Record,
    instant::{Finished, PaymentKey},
};

use super::{
    RocksIndex, storage,
    tables::{self, STATE_KEY, StateRow, Table},
};
use crate::{CardOf, Counts, IndexError, Place, naming::IdentifierHash, projection::Tables};

/// Collects rows, and remembers those that later records of the same change may read.
pub(super) struct Batch<'a> {
    index: &'a RocksIndex,
    families: Families<'a>,
    rows: WriteBatch,
    /// Written by this change; kept only if a record of it reads payments.
    reads_payments: bool,
    finished: HashMap<PaymentKey, Finished>,
    /// Numbers that this change adds (true) or removes.
    held: HashMap<Phone, bool>,
    pub(super) counts: Counts,
    value: Vec<u8>,
}

struct Families<'a> {
    payments: &'a ColumnFamily,
    uetrs: &'a ColumnFamily,
    returns: &'a ColumnFamily,
    history: &'a ColumnFamily,
    outbound: &'a ColumnFamily,
    directory: &'a ColumnFamily,
    identifiers: &'a ColumnFamily,
    concerning: &'a ColumnFamily,
    cards: &'a ColumnFamily,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        index: &'a RocksIndex,
        reads_payments: bool,
    ) -> Result<Batch<'a>, IndexError> {
        let families = Families {
            payments: index.family(Table::Payments)?,
            uetrs: index.family(Table::Uetrs)?,
            returns: index.family(Table::Returns)?,
            history: index.family(Table::History)?,
            outbound: index.family(Table::Outbound)?,
            directory: index.family(Table::Directory)?,
            identifiers: index.family(Table::Identifiers)?,
            concerning: index.family(Table::Concerning)?,
            cards: index.family(Table::Cards)?,
        };
        Ok(Batch {
            index,
            families,
            rows: WriteBatch::default(),
            reads_payments,
            finished: HashMap::new(),
            held: HashMap::new(),
            counts: *index.counts.read(),
            value: Vec::new(),
        })
    }

    /// Writes all rows and the state row, or nothing; gives how many bytes they are.
    pub(super) fn write(mut self, state: &StateRow) -> Result<usize, IndexError> {
        self.rows.put(STATE_KEY, state.encode());
        let bytes = self.rows.size_in_bytes();
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.index
            .db
            .write_opt(self.rows, &options)
            .map_err(storage("write"))?;
        Ok(bytes)
    }

    fn encode(&mut self, stored: &impl Stored) {
        self.value.clear();
        stored.encode(&mut self.value);
    }
}

impl Tables for Batch<'_> {
    fn finished(&self, key: &PaymentKey) -> Result<Option<Finished>, IndexError> {
        match self.finished.get(key) {
            Some(finished) => Ok(Some(*finished)),
            None => self.index.value(Table::Payments, &key.0),
        }
    }

    fn put_finished(&mut self, finished: &Finished) {
        self.encode(finished);
        self.rows
            .put_cf(self.families.payments, finished.key.0, &self.value);
        if self.reads_payments {
            self.finished.insert(finished.key, *finished);
        }
    }

    fn put_uetr(&mut self, payment: &Finished) {
        self.rows
            .put_cf(self.families.uetrs, payment.uetr.bytes(), payment.key.0);
    }

    fn put_return(&mut self, payment_return: &Finished) {
        let key = tables::returns_key(&payment_return.uetr, &Place::of(payment_return));
        self.rows.put_cf(self.families.returns, key, []);
    }

    fn put_history(&mut self, participant: ParticipantId, finished: &Finished) {
        self.rows.put_cf(
            self.families.history,
            tables::history_key(participant, &Place::of(finished)),
            [],
        );
    }

    fn put_outbound(&mut self, outbound: &Outbound) {
        self.encode(outbound);
        self.rows.put_cf(
            self.families.outbound,
            tables::outbound_key(outbound.to, outbound.sequence),
            &self.value,
        );
    }

    fn put_identifier(&mut self, identifier: IdentifierHash, position: Position) {
        self.rows.put_cf(
            self.families.identifiers,
            tables::identifier_key(identifier, position),
            [],
        );
    }

    fn put_concerning(&mut self, uetr: &Uetr, position: Position) {
        self.rows.put_cf(
            self.families.concerning,
            tables::concerning_key(uetr, position),
            [],
        );
    }

    fn put_card(&mut self, of: CardOf, position: Position, steps: &[u8]) {
        self.rows
            .put_cf(self.families.cards, tables::card_key(of, position), steps);
    }

    fn held(&self, phones: &[Phone], held: &mut Vec<bool>) -> Result<(), IndexError> {
        let keys: Vec<[u8; 8]> = phones
            .iter()
            .map(|phone| tables::phone_key(*phone))
            .collect();
        let in_order = phones.is_sorted();
        let values = self
            .index
            .db
            .batched_multi_get_cf(self.families.directory, &keys, in_order);
        for (phone, value) in phones.iter().zip(values) {
            let stored = value.map_err(storage("read"))?.is_some();
            held.push(self.held.get(phone).copied().unwrap_or(stored));
        }
        Ok(())
    }

    fn put_alias(&mut self, record: &Record) {
        self.encode(record);
        self.rows.put_cf(
            self.families.directory,
            tables::phone_key(record.phone),
            &self.value,
        );
        self.held.insert(record.phone, true);
    }

    fn remove_alias(&mut self, phone: Phone) {
        self.rows
            .delete_cf(self.families.directory, tables::phone_key(phone));
        self.held.insert(phone, false);
    }

    fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }
}
