//! Where payments of a purpose must go: taxes to the Treasury's accounts, contributions to those of their fund.
//!
//! A row is a range of KNPs and the accounts that take it; an item of such a purpose to any other account is refused, the other items of its message
//! are not. Rows are replaced as a whole; without any every purpose goes to every account.

use torap_domain::{Iban, Knp};

use crate::codec::{FactsError, LayoutRule, Reader, Writer};

/// Rows, at most.
pub const PURPOSE_ROWS_MAX: usize = 64;
/// Accounts of a row, at most.
pub const PURPOSE_ACCOUNTS_MAX: usize = 32;

/// Version of the layout of this part in a snapshot.
const LAYOUT: u8 = 1;

/// A range of purposes and the accounts that they go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeRow {
    /// Both included.
    pub from: Knp,
    pub to: Knp,
    /// 1 to [`PURPOSE_ACCOUNTS_MAX`].
    pub accounts: Vec<Iban>,
}

/// The table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purposes(Vec<PurposeRow>);

/// Whether rows may become the table: in the order of their purposes, none of which stands in two.
pub fn are_sound(rows: &[PurposeRow]) -> bool {
    let rising = rows.iter().zip(rows.iter().skip(1));
    rows.len() <= PURPOSE_ROWS_MAX
        && rows.iter().all(|row| {
            row.from <= row.to && (1..=PURPOSE_ACCOUNTS_MAX).contains(&row.accounts.len())
        })
        && rising.into_iter().all(|(one, next)| one.to < next.from)
}

impl Purposes {
    pub(crate) fn rows(&self) -> &[PurposeRow] {
        &self.0
    }

    /// Sets rows that are sound.
    pub(super) fn set(&mut self, rows: &[PurposeRow]) {
        self.0 = rows.to_vec();
    }

    /// Whether a payment of the purpose may go to the account.
    pub(super) fn admits(&self, purpose: Knp, account: &Iban) -> bool {
        let place = self.0.partition_point(|row| row.to < purpose);
        let row = self.0.get(place).filter(|row| row.from <= purpose);
        row.is_none_or(|row| row.accounts.contains(account))
    }

    /// Without rows there is no part of the snapshot.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(LAYOUT);
        writer.list(&self.0);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Purposes, FactsError> {
        reader.version(LAYOUT)?;
        let offset = reader.offset();
        let rows: Vec<PurposeRow> = reader.list("purposes")?;
        if rows.is_empty() || !are_sound(&rows) {
            return Err(reader.error("purposes", offset, LayoutRule::Value));
        }
        Ok(Purposes(rows))
    }
}
