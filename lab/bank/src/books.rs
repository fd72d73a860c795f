//! The bank's own books: what it sent, what it received, and how each came out.

use std::collections::HashMap;

use serde::Serialize;

/// A final outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Final {
    Acsc,
    Rjct,
}

/// A promise of the switch that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub uetr: String,
    pub text: String,
}

/// Which way a payment goes, seen from this bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

#[derive(Clone, Debug)]
struct Item {
    way: Way,
    tiyn: u64,
    outcome: Option<Final>,
    /// Refused without having been remembered: may be sent again.
    is_postponed: bool,
    /// Messages with it that went out and were not refused as messages.
    sends: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Books {
    items: HashMap<String, Item>,
    /// Returns by their own identifier, so that a repeat counts once.
    returns: HashMap<String, i128>,
    net: i128,
    violations: Vec<Violation>,
}

/// Violations kept, at most; one is already too many.
const VIOLATIONS_MAX: usize = 100;

impl Books {
    /// This bank sent a payment (again).
    pub fn sent(&mut self, uetr: &str, tiyn: u64) {
        let item = self.items.entry(uetr.to_string()).or_insert(Item {
            way: Way::Out,
            tiyn,
            outcome: None,
            is_postponed: false,
            sends: 0,
        });
        item.sends += 1;
        if item.is_postponed {
            (item.outcome, item.is_postponed) = (None, false);
        }
    }

    /// The switch forwarded a payment (again).
    pub fn received(&mut self, uetr: &str, tiyn: u64) {
        self.items.entry(uetr.to_string()).or_insert(Item {
            way: Way::In,
            tiyn,
            outcome: None,
            is_postponed: false,
            sends: 0,
        });
    }

    /// Whether the bank sent a payment, by its UETR without hyphens.
    pub fn has_sent(&self, uetr: &str) -> bool {
        self.has(uetr, Way::Out)
    }

    /// Whether the bank received a payment, by its UETR without hyphens.
    pub fn has_received(&self, uetr: &str) -> bool {
        self.has(uetr, Way::In)
    }

    fn has(&self, uetr: &str, way: Way) -> bool {
        let mut items = self.items.iter();
        items.any(|(known, item)| item.way == way && known.replace('-', "") == uetr)
    }

    /// The switch gave a final outcome.
    pub fn finished(&mut self, uetr: &str, outcome: Final) {
        let Some(item) = self.items.get_mut(uetr) else {
            return;
        };
        if item.is_postponed {
            // It was sent twice before the first answer came, or asked about since: this is the answer that counts.
            (item.outcome, item.is_postponed) = (None, false);
        }
        match item.outcome {
            None => {
                item.outcome = Some(outcome);
                if outcome == Final::Acsc {
                    match item.way {
                        Way::Out => self.net -= i128::from(item.tiyn),
                        Way::In => self.net += i128::from(item.tiyn),
                    }
                }
            }
            Some(first) if first == outcome => {}
            Some(first) => self.violation(
                uetr,
                format!("two outcomes: first {first:?}, then {outcome:?}"),
            ),
        }
    }

    /// The switch refused the payment for the moment, and remembers nothing of it.
    pub fn postponed(&mut self, uetr: &str) {
        if let Some(item) = self.items.get_mut(uetr)
            && item.outcome.is_none()
        {
            (item.outcome, item.is_postponed) = (Some(Final::Rjct), true);
        }
    }

    /// Refused for the moment, and neither sent again nor asked about since.
    pub fn is_postponed(&self, uetr: &str) -> bool {
        self.items.get(uetr).is_some_and(|item| item.is_postponed)
    }

    /// The switch could not take a message as a payment at all. If it was the only one, there is no payment.
    pub fn never_sent(&mut self, uetr: &str) {
        let Some(item) = self.items.get_mut(uetr) else {
            return;
        };
        item.sends = item.sends.saturating_sub(1);
        if item.sends == 0 && item.outcome.is_none() {
            self.items.remove(uetr);
        }
    }

    /// A return was settled: `tiyn` positive if money came in.
    pub fn returned(&mut self, return_id: &str, tiyn: i128) {
        if self.returns.insert(return_id.to_string(), tiyn).is_none() {
            self.net += tiyn;
        }
    }

    /// Money in minus money out, in tiyn, by settled payments and returns.
    pub fn net(&self) -> i128 {
        self.net
    }

    pub fn outcome(&self, uetr: &str) -> Option<Final> {
        self.items.get(uetr)?.outcome
    }

    /// Payments sent or received that have no outcome yet.
    pub fn open(&self) -> usize {
        self.items
            .values()
            .filter(|item| item.outcome.is_none())
            .count()
    }

    /// Payments sent that have no outcome yet.
    pub fn open_sent(&self) -> usize {
        self.items
            .values()
            .filter(|item| item.way == Way::Out && item.outcome.is_none())
            .count()
    }

    pub fn settled(&self) -> usize {
        self.items
            .values()
            .filter(|item| item.outcome == Some(Final::Acsc))
            .count()
    }

    pub fn violation(&mut self, uetr: &str, text: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation {
                uetr: uetr.to_string(),
                text,
            });
        }
    }

    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}
