//! A participant's test data for the instant rail.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use torap_bank::customer;
use torap_domain::{BankCode, Bic, Iban, IinBin, Phone};

/// Number of the simulated bank's customer whose account the cases use.
pub const CUSTOMER: u32 = 0;
/// An account number that no simulated customer has.
const UNKNOWN_ACCOUNT: &str = "9999999999999";

/// A participant's test data. No account of a person may stand here.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Participant code, the name at sign-on.
    pub participant: String,
    /// The BIC that its session speaks for.
    pub bic: String,
    /// The switch's BIC, in every header.
    #[serde(default = "switch_bic")]
    pub switch_bic: String,
    /// `test` or `live`, as its host states it at sign-on.
    #[serde(default)]
    pub mode: ModeName,
    /// File with the sign-on secret, relative to the data file.
    pub secret: PathBuf,
    /// It pays.
    #[serde(default = "yes")]
    pub payer: bool,
    /// It is paid.
    #[serde(default = "yes")]
    pub payee: bool,
    /// Its balance can be seen; without it cases that need that are left out.
    #[serde(default = "yes")]
    pub balance: bool,
    /// An account of its own that nobody has.
    pub unknown_iban: String,
    /// A test customer with at least 1,000.00 tenge on the account.
    pub account: Account,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModeName {
    #[default]
    Test,
    Live,
}

/// A customer and its account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub iban: String,
    pub name: String,
    /// IIN or BIN.
    pub person: String,
    pub phone: String,
}

impl Account {
    /// Customer `number` of a simulated bank.
    pub fn simulated(bank_code: BankCode, number: u32) -> Account {
        let customer = customer(bank_code, number);
        Account {
            iban: customer.iban.as_str().into(),
            name: customer.name,
            person: customer.person.to_string(),
            phone: customer.phone.to_string(),
        }
    }
}

impl Subject {
    /// Reads a participant's file.
    ///
    /// # Errors
    /// Place and rule.
    pub fn parse(text: &str) -> Result<Subject, String> {
        let subject: Subject = toml::from_str(text).map_err(|error| error.message().to_string())?;
        let at = |place: &'static str| move |error: String| format!("{place}: {error}");
        for (place, bic) in [("bic", &subject.bic), ("switch_bic", &subject.switch_bic)] {
            Bic::parse(bic).map_err(|error| at(place)(error.to_string()))?;
        }
        let own = Iban::parse(&subject.account.iban)
            .map_err(|error| at("account.iban")(error.to_string()))?;
        let unknown = Iban::parse(&subject.unknown_iban)
            .map_err(|error| at("unknown_iban")(error.to_string()))?;
        if own == unknown {
            return Err("unknown_iban: is the test customer's own".into());
        }
        if own.bank_code() != unknown.bank_code() {
            return Err("unknown_iban: is of another bank".into());
        }
        IinBin::parse(&subject.account.person)
            .map_err(|error| at("account.person")(error.to_string()))?;
        Phone::parse(&subject.account.phone)
            .map_err(|error| at("account.phone")(error.to_string()))?;
        Ok(subject)
    }

    /// The data of a simulated bank, whose customers everybody can compute.
    ///
    /// # Errors
    /// The BIC or the bank's code is none.
    pub fn simulated(participant: &str, bic: &str, bank_code: &str) -> Result<Subject, String> {
        Bic::parse(bic).map_err(|error| format!("--bic: {error}"))?;
        let code = BankCode::parse(bank_code).map_err(|error| format!("--bank-code: {error}"))?;
        let unknown =
            Iban::for_kz(code, UNKNOWN_ACCOUNT).map_err(|error| format!("--bank-code: {error}"))?;
        Ok(Subject {
            participant: participant.into(),
            bic: bic.into(),
            switch_bic: switch_bic(),
            mode: ModeName::Test,
            secret: format!("../secrets/{participant}.secret").into(),
            payer: true,
            payee: true,
            balance: true,
            unknown_iban: unknown.as_str().into(),
            account: Account::simulated(code, CUSTOMER),
        })
    }

    /// As the file that [`Subject::parse`] reads.
    ///
    /// # Errors
    /// It cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Subject({})", self.participant)
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(…)")
    }
}

fn switch_bic() -> String {
    "TORPKZKA".into()
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_bank_s_file_reads_back() {
        let subject = Subject::simulated("HSBK", "HSBKKZKX", "601").unwrap();
        let read = Subject::parse(&subject.to_toml().unwrap()).unwrap();
        assert_eq!(read.account.iban, subject.account.iban);
        assert_eq!(read.unknown_iban, subject.unknown_iban);
        assert!(!format!("{read:?}").contains(&subject.account.iban));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let subject = Subject::simulated("HSBK", "HSBKKZKX", "601").unwrap();
        let check = |change: fn(&mut Subject), expect: &str| {
            let mut subject = subject.clone();
            change(&mut subject);
            let refused = Subject::parse(&subject.to_toml().unwrap()).unwrap_err();
            assert!(refused.starts_with(expect), "{refused}");
        };
        check(|subject| subject.bic = "X".into(), "bic:");
        check(
            |subject| subject.account.iban = "KZ00".into(),
            "account.iban:",
        );
        check(
            |subject| subject.account.person = "1".into(),
            "account.person:",
        );
        check(
            |subject| subject.account.phone = "1".into(),
            "account.phone:",
        );
        check(
            |subject| subject.unknown_iban = subject.account.iban.clone(),
            "unknown_iban: is the test customer's own",
        );
        check(
            |subject| subject.unknown_iban = "KZ86125KZT5004100100".into(),
            "unknown_iban: is of another bank",
        );
        assert!(Subject::parse("participant = 1").is_err());
        assert!(Subject::simulated("HSBK", "HSBK", "601").is_err());
        assert!(Subject::simulated("HSBK", "HSBKKZKX", "6").is_err());
    }
}
