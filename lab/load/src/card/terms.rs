//! What a transaction is: a function of its number, so that nothing of it has to be kept.

use crate::identity::mixed;

/// Cards of each member that are used.
pub(crate) const CARDS: u32 = 4096;
/// Amounts are at least one tenge and below so many tiyn.
const TIYN_END: u64 = 10_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) acquirer: usize,
    pub(crate) issuer: usize,
    pub(crate) card: u32,
    pub(crate) tiyn: u64,
    pub(crate) has_pin: bool,
}

/// How terms come from numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) seed: u64,
    pub(crate) members: usize,
    pub(crate) pin_percent: u32,
}

impl Recipe {
    pub(crate) fn terms(&self, number: u64) -> Terms {
        let members = self.members as u64;
        let hash = mixed(self.seed ^ mixed(number));
        let acquirer = number % members;
        let issuer = (acquirer + 1 + hash % (members - 1)) % members;
        let hash = hash >> 8;
        Terms {
            acquirer: acquirer as usize,
            issuer: issuer as usize,
            card: (hash % u64::from(CARDS)) as u32,
            tiyn: 100 + (hash >> 12) % (TIYN_END - 100),
            has_pin: (hash >> 40) % 100 < u64::from(self.pin_percent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_spread_as_asked_for() {
        let recipe = Recipe {
            seed: 1,
            members: 4,
            pin_percent: 30,
        };
        let mut pins = 0;
        let mut issuers = [0; 4];
        for number in 0..10_000 {
            let terms = recipe.terms(number);
            assert_eq!(terms, recipe.terms(number));
            assert_ne!(terms.acquirer, terms.issuer);
            assert!((100..TIYN_END).contains(&terms.tiyn));
            pins += u32::from(terms.has_pin);
            issuers[terms.issuer] += 1;
        }
        assert!((2_800..3_200).contains(&pins), "{pins}");
        assert!(issuers.iter().all(|count| (2_300..2_700).contains(count)));
    }

    #[test]
    fn none_or_all_with_pin() {
        for (pin_percent, expect) in [(0, false), (100, true)] {
            let recipe = Recipe {
                seed: 1,
                members: 2,
                pin_percent,
            };
            assert!((0..1000).all(|number| recipe.terms(number).has_pin == expect));
        }
    }
}
