//! Reading a record: which account a number leads to.

use torap_domain::{Bic, IinBin};

use super::{Account, Person, Record};

/// Where a number leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved<'a> {
    Found {
        person: IinBin,
        account: &'a Account,
    },
    /// More than one person claims the number; nobody is told who.
    Suspended,
    /// Nobody, not the person named, or not at the bank chosen. The three look alike from outside.
    Unknown,
}

impl Record {
    /// The account that a payment or a look-up means: of `person` if one is named, at the bank `chosen` (its institution)
    /// or else the default one. The one rule for all who resolve a number.
    pub fn resolve(&self, person: Option<IinBin>, chosen: Option<&Bic>) -> Resolved<'_> {
        if self.suspended {
            return Resolved::Suspended;
        }
        let owner = self
            .persons
            .iter()
            .find(|owner| person.is_none_or(|person| person == owner.person));
        let found = owner.and_then(|owner| Some((owner.person, owner.account(chosen)?)));
        match found {
            Some((person, account)) => Resolved::Found { person, account },
            None => Resolved::Unknown,
        }
    }
}

impl Person {
    fn account(&self, chosen: Option<&Bic>) -> Option<&Account> {
        match chosen {
            Some(bic) => self
                .accounts
                .iter()
                .find(|account| account.agent.same_institution(bic)),
            None => self.accounts.get(usize::from(self.default)),
        }
    }
}

#[cfg(test)]
mod tests;
