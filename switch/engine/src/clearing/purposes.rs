//! Where payments of a purpose must go: taxes to the Treasury's accounts, contributions to those of their fund.
//!
//! A row is a range of KNPs and the accounts that take it; an item of such a purpose to any other account is refused, the other items of its message
//! are not. Rows are replaced as a whole; without any every purpose goes to every account.

use torap_domain::{Iban, Knp, Reason};

use crate::codec::{FactsError, LayoutRule, Reader, Writer};

/// Rows, at most.
pub const PURPOSE_ROWS_MAX: usize = 64;
/// Accounts of a row, at most.
pub const PURPOSE_ACCOUNTS_MAX: usize = 32;

/// Version of the layout of this part in a snapshot, while no row says anything of lists.
const LAYOUT: u8 = 1;
/// With what each row says of lists.
const LAYOUT_WITH_LISTS: u8 = 2;

/// Whether payments of a purpose have a list of beneficiaries. The number is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ListUse {
    Required = 1,
    #[default]
    Allowed = 2,
    Refused = 3,
}

impl ListUse {
    /// The use of a stored number.
    pub fn from_number(number: u8) -> Option<ListUse> {
        let all = [ListUse::Required, ListUse::Allowed, ListUse::Refused];
        all.into_iter().find(|list| *list as u8 == number)
    }
}

/// A range of purposes and the accounts that they go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeRow {
    /// Both included.
    pub from: Knp,
    pub to: Knp,
    /// 1 to [`PURPOSE_ACCOUNTS_MAX`].
    pub accounts: Vec<Iban>,
    pub list: ListUse,
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

/// Whether a row says anything of lists; a command that does not has the layout from before there were any.
pub(crate) fn has_lists(rows: &[PurposeRow]) -> bool {
    rows.iter().any(|row| row.list != ListUse::Allowed)
}

/// What each row says of lists, behind the rows.
pub(crate) fn put_lists(rows: &[PurposeRow], writer: &mut Writer<'_>) {
    for row in rows {
        writer.u8(row.list as u8);
    }
}

pub(crate) fn take_lists(
    rows: &mut [PurposeRow],
    reader: &mut Reader<'_>,
) -> Result<(), FactsError> {
    for row in rows {
        row.list = reader.tag("list", ListUse::from_number)?;
    }
    Ok(())
}

impl Purposes {
    pub(crate) fn rows(&self) -> &[PurposeRow] {
        &self.0
    }

    /// Sets rows that are sound.
    pub(super) fn set(&mut self, rows: &[PurposeRow]) {
        self.0 = rows.to_vec();
    }

    /// Whether a payment of the purpose may go to the account, with or without a list of beneficiaries.
    pub(super) fn admits(
        &self,
        purpose: Knp,
        account: &Iban,
        has_list: bool,
    ) -> Result<(), Reason> {
        let place = self.0.partition_point(|row| row.to < purpose);
        let Some(row) = self.0.get(place).filter(|row| row.from <= purpose) else {
            return Ok(());
        };
        if !row.accounts.contains(account) {
            return Err(Reason::PurposeAccountMismatch);
        }
        let fits = match row.list {
            ListUse::Required => has_list,
            ListUse::Allowed => true,
            ListUse::Refused => !has_list,
        };
        if fits {
            Ok(())
        } else {
            Err(Reason::PurposeListMismatch)
        }
    }

    /// Without rows there is no part of the snapshot.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        let lists = has_lists(&self.0);
        writer.u8(if lists { LAYOUT_WITH_LISTS } else { LAYOUT });
        writer.list(&self.0);
        if lists {
            put_lists(&self.0, writer);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Purposes, FactsError> {
        let lists = reader.tag("version", |version| match version {
            LAYOUT => Some(false),
            LAYOUT_WITH_LISTS => Some(true),
            _ => None,
        })?;
        let offset = reader.offset();
        let mut rows: Vec<PurposeRow> = reader.list("purposes")?;
        if lists {
            take_lists(&mut rows, reader)?;
        }
        if rows.is_empty() || !are_sound(&rows) {
            return Err(reader.error("purposes", offset, LayoutRule::Value));
        }
        Ok(Purposes(rows))
    }
}
