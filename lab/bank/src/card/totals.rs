//! A host's own totals: what it thinks the switch must have counted, by session and side.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use torap_domain::card::Direction;

use super::control::Side;
use super::message::Draft;
use super::terminal::CURRENCY;

/// Number and amount of transactions of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub count: u64,
    pub tiyn: u64,
}

/// What one side did in a session (DE74 to DE77, DE86 to DE89).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub credits: Sum,
    pub credit_reversals: Sum,
    pub debits: Sum,
    pub debit_reversals: Sum,
}

/// Totals of many sessions, named as MMDD.
#[derive(Clone, Debug, Default)]
pub struct SessionBook {
    sessions: BTreeMap<(String, Side), Totals>,
}

impl Sum {
    fn add(&mut self, tiyn: u64) {
        self.count += 1;
        self.tiyn += tiyn;
    }

    fn take(&mut self, tiyn: u64) {
        self.count = self.count.saturating_sub(1);
        self.tiyn = self.tiyn.saturating_sub(tiyn);
    }
}

impl Totals {
    /// What the cardholders' bank pays for all of it, fees left out; negative if it receives.
    pub fn net(&self) -> i128 {
        let signed = |sum: Sum| i128::from(sum.tiyn);
        signed(self.debits) - signed(self.debit_reversals) - signed(self.credits)
            + signed(self.credit_reversals)
    }

    /// Writes DE74 to DE77, DE86 to DE89 and DE97.
    pub fn write(&self, draft: &mut Draft) {
        let sums = [
            self.credits,
            self.credit_reversals,
            self.debits,
            self.debit_reversals,
        ];
        for (place, sum) in (0_u8..).zip(sums) {
            draft.set(74 + place, format!("{:010}", sum.count));
            draft.set(86 + place, format!("{:016}", sum.tiyn));
        }
        let net = self.net();
        let sign = if net < 0 { 'D' } else { 'C' };
        draft.set(97, format!("{sign}{:016}", net.unsigned_abs()));
    }

    /// Reads what [`Totals::write`] writes.
    pub fn read(draft: &Draft) -> Option<Totals> {
        let sum = |place: u8| -> Option<Sum> {
            Some(Sum {
                count: draft.text(74 + place).parse().ok()?,
                tiyn: draft.text(86 + place).parse().ok()?,
            })
        };
        Some(Totals {
            credits: sum(0)?,
            credit_reversals: sum(1)?,
            debits: sum(2)?,
            debit_reversals: sum(3)?,
        })
    }
}

impl SessionBook {
    /// A transaction stands.
    pub fn post(&mut self, session: &str, side: Side, way: Direction, tiyn: u64) {
        let totals = self.of(session, side);
        match way {
            Direction::Debit => totals.debits.add(tiyn),
            Direction::Credit => totals.credits.add(tiyn),
            Direction::None => {}
        }
    }

    /// It never counted: the switch decided otherwise before it heard of it.
    pub fn forget(&mut self, session: &str, side: Side, way: Direction, tiyn: u64) {
        let totals = self.of(session, side);
        match way {
            Direction::Debit => totals.debits.take(tiyn),
            Direction::Credit => totals.credits.take(tiyn),
            Direction::None => {}
        }
    }

    /// So much of one that stood does not stand any more.
    pub fn reverse(&mut self, session: &str, side: Side, way: Direction, tiyn: u64) {
        let totals = self.of(session, side);
        match way {
            Direction::Debit => totals.debit_reversals.add(tiyn),
            Direction::Credit => totals.credit_reversals.add(tiyn),
            Direction::None => {}
        }
    }

    /// The totals of one side; zeros if there was nothing.
    pub fn get(&self, session: &str, side: Side) -> Totals {
        let key = (session.to_string(), side);
        self.sessions.get(&key).copied().unwrap_or_default()
    }

    /// All of them, by session.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Side, &Totals)> {
        self.sessions
            .iter()
            .map(|((session, side), totals)| (session.as_str(), *side, totals))
    }

    fn of(&mut self, session: &str, side: Side) -> &mut Totals {
        self.sessions
            .entry((session.to_string(), side))
            .or_default()
    }
}

/// Fields of a message about the totals of a session: 0500, 0520, 0510, 0530.
pub fn about_session(draft: &mut Draft, code: &str, side: Side, session_date: &str) {
    let side = match side {
        Side::Acquirer => "005",
        Side::Issuer => "004",
    };
    draft.set(50, CURRENCY);
    draft.set(
        63,
        format!(
            "002{:03}{session_date}{side}{:03}{code}",
            session_date.len(),
            code.len()
        ),
    );
}

/// Which way the money of a message goes, by the first two digits of DE3.
pub fn direction(processing_code: &str) -> Direction {
    match processing_code.get(..2) {
        Some("00" | "01" | "09" | "10" | "50") => Direction::Debit,
        Some("20" | "21" | "26") => Direction::Credit,
        _ => Direction::None,
    }
}
