//! Accounts behind an issuer's cards: balance, holds, limit, PIN tries.

use std::collections::{BTreeMap, HashMap};

use super::message::Trace;

/// What an account holds until a script says otherwise, in tiyn.
const BALANCE: i128 = 100_000_000;
/// Most that one transaction may take, in tiyn.
const AMOUNT_MAX: u64 = 50_000_000;
/// Wrong PINs in a row after which the card's PIN is taken no more.
const PIN_TRIES_MAX: u32 = 3;

#[derive(Debug)]
pub(crate) struct Account {
    /// May fall below zero: advices are booked whatever they find.
    pub(crate) balance: i128,
    holds: BTreeMap<Trace, u64>,
    wrong_pins: u32,
}

/// By card number.
#[derive(Default)]
pub(crate) struct Accounts(HashMap<String, Account>);

impl Default for Account {
    fn default() -> Account {
        Account {
            balance: BALANCE,
            holds: BTreeMap::new(),
            wrong_pins: 0,
        }
    }
}

impl Account {
    /// What can still be spent.
    pub(crate) fn available(&self) -> i128 {
        let held: i128 = self.holds.values().map(|tiyn| i128::from(*tiyn)).sum();
        self.balance - held
    }

    /// Whether it can bear a debit, by DE39 if not.
    pub(crate) fn bears(&self, tiyn: u64) -> Result<(), &'static str> {
        if tiyn > AMOUNT_MAX {
            Err("61")
        } else if i128::from(tiyn) > self.available() {
            Err("51")
        } else {
            Ok(())
        }
    }

    /// Counts a PIN; DE39 if the card may not be used with it.
    pub(crate) fn pin_typed(&mut self, is_right: bool) -> Result<(), &'static str> {
        if self.wrong_pins >= PIN_TRIES_MAX {
            return Err("75");
        }
        if is_right {
            self.wrong_pins = 0;
            Ok(())
        } else {
            self.wrong_pins += 1;
            Err("55")
        }
    }

    /// The authorisation of that trace holds so much from now on; nothing ends it.
    pub(crate) fn hold(&mut self, trace: Trace, tiyn: u64) {
        if tiyn == 0 {
            self.holds.remove(&trace);
        } else {
            self.holds.insert(trace, tiyn);
        }
    }

    /// Part of a hold has been taken.
    pub(crate) fn use_hold(&mut self, trace: Trace, tiyn: u64) {
        let held = self.holds.get(&trace).copied().unwrap_or(0);
        self.hold(trace, held.saturating_sub(tiyn));
    }

    /// What was taken of a hold has come back.
    pub(crate) fn restore_hold(&mut self, trace: Trace, tiyn: u64) {
        let held = self.holds.get(&trace).copied().unwrap_or(0);
        self.hold(trace, held.saturating_add(tiyn));
    }

    /// Positive: the cardholder is credited.
    pub(crate) fn book(&mut self, tiyn: i128) {
        self.balance += tiyn;
    }
}

impl Accounts {
    pub(crate) fn of(&mut self, pan: &str) -> &mut Account {
        self.0.entry(pan.to_string()).or_default()
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The keys are card numbers.
        write!(f, "Accounts({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: Trace = Trace {
        transmitted: 1121130405,
        stan: 1,
    };

    #[test]
    fn holds_count_until_they_are_used_or_end() {
        let mut account = Account::default();
        account.hold(TRACE, 40_000_000);
        assert_eq!(account.bears(50_000_000), Ok(()));
        assert_eq!(account.bears(50_000_001), Err("61"));
        account.book(-20_000_000);
        assert_eq!(account.bears(45_000_000), Err("51"));
        account.use_hold(TRACE, 30_000_000);
        assert_eq!(account.available(), 70_000_000);
        account.use_hold(TRACE, 30_000_000);
        assert_eq!(account.available(), 80_000_000);
    }

    #[test]
    fn the_third_wrong_pin_is_the_last() {
        let mut account = Account::default();
        for expect in [Err("55"), Err("55"), Err("55"), Err("75"), Err("75")] {
            assert_eq!(account.pin_typed(false), expect);
        }
        assert_eq!(account.pin_typed(true), Err("75"));
    }

    #[test]
    fn a_right_pin_forgives() {
        let mut account = Account::default();
        for _ in 0..4 {
            assert_eq!(account.pin_typed(false), Err("55"));
            assert_eq!(account.pin_typed(true), Ok(()));
        }
    }
}
