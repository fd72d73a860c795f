//! Interchange and switch fees: a table whose first fitting row counts.
//!
//! Every tariff that was ever in the table keeps its number, so that a transaction carries two bytes and a reversal, years and
//! tables later, corrects the fees by the tariff that they were taken by.

use std::collections::BTreeMap;

use torap_domain::{
    Asset, CardService, Money, Time,
    card::{Channel, Mcc},
};

use super::{AMOUNT_MAX, FEE_ROWS_MAX, FeeRow, Fees, Rate, Side, Tariff};
use crate::codec::{FactsError, LayoutRule, Reader, Writer};

/// Tariffs that have a number.
const TARIFFS_MAX: usize = 65_535;
/// Parts in a whole.
const MILLION: u128 = 1_000_000;

const CHANNELS: usize = Channel::ALL.len();
const BUCKETS: usize = CardService::ALL.len() * CHANNELS;

/// No fees.
pub(super) const NONE: Fees = Fees {
    interchange: Money::zero(Asset::Kzt),
    interchange_to: Side::Issuer,
    switch_acquirer: Money::zero(Asset::Kzt),
    switch_issuer: Money::zero(Asset::Kzt),
};

/// What a transaction is charged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charged {
    pub(super) product: u8,
    pub(super) service: CardService,
    pub(super) channel: Channel,
    pub(super) mcc: Mcc,
    pub(super) amount: u64,
    pub(super) at: Time,
}

/// The table, and every tariff there ever was.
#[derive(Clone, Debug)]
pub(super) struct FeeTable {
    rows: Vec<FeeRow>,
    /// The number of each row's tariff.
    row_tariffs: Vec<u16>,
    tariffs: Vec<Tariff>,
    /// Places of the rows that may fit a service and channel, in their order.
    buckets: Vec<Vec<u16>>,
}

impl FeeTable {
    pub(super) fn new() -> FeeTable {
        FeeTable {
            rows: Vec::new(),
            row_tariffs: Vec::new(),
            tariffs: Vec::new(),
            buckets: vec![Vec::new(); BUCKETS],
        }
    }

    pub(super) fn rows(&self) -> &[FeeRow] {
        &self.rows
    }

    /// Whether the rows may become the table.
    pub(super) fn accepts(&self, rows: &[FeeRow]) -> bool {
        let room = TARIFFS_MAX.saturating_sub(self.tariffs.len());
        rows.len() <= FEE_ROWS_MAX.min(room) && rows.iter().all(is_sound)
    }

    /// Replaces the table.
    pub(super) fn set(&mut self, rows: &[FeeRow]) {
        let mut numbers = self.numbers();
        self.rows = rows.to_vec();
        self.row_tariffs.clear();
        for row in rows {
            let key = key_of(&row.tariff);
            let number = match numbers.get(&key) {
                Some(number) => *number,
                None => {
                    // There is room: it was checked.
                    let number = u16::try_from(self.tariffs.len()).unwrap_or(u16::MAX);
                    self.tariffs.push(row.tariff);
                    numbers.insert(key, number);
                    number
                }
            };
            self.row_tariffs.push(number);
        }
        self.index();
    }

    /// The tariff of a transaction; none if no row fits.
    #[inline]
    pub(super) fn tariff(&self, charged: &Charged) -> Option<u16> {
        let bucket = bucket_of(charged.service, charged.channel);
        let places = self.buckets.get(bucket)?.iter();
        let mut fitting = places.filter(|place| {
            let row = self.rows.get(usize::from(**place));
            row.is_some_and(|row| fits(row, charged))
        });
        let place = fitting.next()?;
        self.row_tariffs.get(usize::from(*place)).copied()
    }

    /// What a tariff charges for an amount; nothing for nothing.
    pub(super) fn fees(&self, tariff: Option<u16>, amount: u64) -> Fees {
        let tariff = tariff.and_then(|number| self.tariffs.get(usize::from(number)));
        match tariff {
            Some(tariff) if amount > 0 => Fees {
                interchange: tariff.interchange.of(amount),
                interchange_to: tariff.interchange_to,
                switch_acquirer: tariff.switch_acquirer.of(amount),
                switch_issuer: tariff.switch_issuer.of(amount),
            },
            Some(tariff) => Fees {
                interchange_to: tariff.interchange_to,
                ..NONE
            },
            None => NONE,
        }
    }

    fn numbers(&self) -> BTreeMap<TariffKey, u16> {
        let numbers = (0..).zip(&self.tariffs);
        numbers
            .map(|(number, tariff)| (key_of(tariff), number))
            .collect()
    }

    fn index(&mut self) {
        self.buckets = vec![Vec::new(); BUCKETS];
        for service in CardService::ALL {
            for channel in Channel::ALL {
                let fitting = (0_u16..).zip(&self.rows).filter(|(_, row)| {
                    row.service.is_none_or(|stated| stated == *service)
                        && row.channel.is_none_or(|stated| stated == *channel)
                });
                let places = fitting.map(|(place, _)| place).collect();
                if let Some(bucket) = self.buckets.get_mut(bucket_of(*service, *channel)) {
                    *bucket = places;
                }
            }
        }
    }
}

impl Rate {
    /// The fee for an amount.
    pub(super) fn of(&self, amount: u64) -> Money {
        let part = u128::from(amount).saturating_mul(u128::from(self.millionths));
        let rounded = part.saturating_add(MILLION / 2) / MILLION;
        let fee = rounded.saturating_add(u128::from(self.fixed.minor()));
        let fee = fee.max(u128::from(self.least.minor()));
        let fee = self
            .most
            .map_or(fee, |most| fee.min(u128::from(most.minor())));
        // Bounds of rates and amounts keep it far below.
        Money::from_minor(u64::try_from(fee).unwrap_or(u64::MAX), Asset::Kzt)
    }

    /// No rate takes more than the whole amount and a fixed part, and none falls when the amount rises.
    fn is_sound(&self) -> bool {
        let bounded = |amount: Money| amount.minor() <= AMOUNT_MAX;
        let most = self
            .most
            .is_none_or(|most| bounded(most) && most >= self.least);
        most && bounded(self.fixed) && bounded(self.least) && u128::from(self.millionths) <= MILLION
    }
}

/// What is given back when less stands than before.
pub(super) fn difference(before: &Fees, after: &Fees) -> Fees {
    let less = |before: Money, after: Money| {
        Money::from_minor(before.minor().saturating_sub(after.minor()), before.asset())
    };
    Fees {
        interchange: less(before.interchange, after.interchange),
        interchange_to: before.interchange_to,
        switch_acquirer: less(before.switch_acquirer, after.switch_acquirer),
        switch_issuer: less(before.switch_issuer, after.switch_issuer),
    }
}

/// A tariff in an order.
type TariffKey = ([(u64, u32, u64, Option<u64>); 3], u8);

fn key_of(tariff: &Tariff) -> TariffKey {
    let rate = |rate: &Rate| {
        (
            rate.fixed.minor(),
            rate.millionths,
            rate.least.minor(),
            rate.most.map(Money::minor),
        )
    };
    let rates = [
        rate(&tariff.interchange),
        rate(&tariff.switch_acquirer),
        rate(&tariff.switch_issuer),
    ];
    (rates, tariff.interchange_to as u8)
}

fn is_sound(row: &FeeRow) -> bool {
    let tariff = &row.tariff;
    let rates = [
        &tariff.interchange,
        &tariff.switch_acquirer,
        &tariff.switch_issuer,
    ];
    row.mcc_from <= row.mcc_to
        && row.amount_from <= row.amount_to
        && row.until.is_none_or(|until| row.from < until)
        && rates.into_iter().all(Rate::is_sound)
}

#[inline]
fn fits(row: &FeeRow, charged: &Charged) -> bool {
    row.product.is_none_or(|product| product == charged.product)
        && (row.mcc_from..=row.mcc_to).contains(&charged.mcc)
        && (row.amount_from.minor()..=row.amount_to.minor()).contains(&charged.amount)
        && row.from <= charged.at
        && row.until.is_none_or(|until| charged.at < until)
}

const fn bucket_of(service: CardService, channel: Channel) -> usize {
    service
        .index()
        .saturating_mul(CHANNELS)
        .saturating_add(channel.index())
}

/// Snapshot: the tariffs by their numbers, and the rows. The buckets are built again.
impl FeeTable {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.list(&self.tariffs);
        writer.list(&self.rows);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<FeeTable, FactsError> {
        let mut table = FeeTable::new();
        let offset = reader.offset();
        table.tariffs = reader.list("tariffs")?;
        let rows: Vec<FeeRow> = reader.list("fee rows")?;
        let numbers = table.numbers();
        let known = rows
            .iter()
            .all(|row| numbers.contains_key(&key_of(&row.tariff)));
        let each_once = numbers.len() == table.tariffs.len();
        if !known || !each_once || rows.len() > FEE_ROWS_MAX || !rows.iter().all(is_sound) {
            return Err(reader.error("fee rows", offset, LayoutRule::Value));
        }
        table.set(&rows);
        Ok(table)
    }
}

#[cfg(test)]
mod tests;
