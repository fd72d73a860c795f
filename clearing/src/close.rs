//! The close of a session: the longest prefix that every bank can afford.
//!
//! Each bank's items stand in a row, by priority and then by arrival, and only a prefix of the row may be taken. A choice of
//! prefixes is *affordable* if no bank's net debit (what its items pay to others, less what the others' items that are taken pay
//! it) is above its funds.
//!
//! # Why the answer is unique
//! Take two affordable choices and, for each bank, the longer of its two prefixes. What a bank pays is what it paid in the choice
//! that had its longer prefix; what it receives is at least what it received there, for nobody takes less. So the longer-of-both
//! is affordable too, and there is one choice that is the longest for every bank at once.
//!
//! # Why any order of removal finds it
//! Begin with everything, and while some bank cannot afford its prefix, remove the last item of one such bank. No item of the
//! longest affordable choice is ever removed: as long as all of it is there, a bank whose prefix is exactly its longest one
//! pays what it pays there and receives at least as much, so it can afford it and nothing is taken from it. What is left in the
//! end is affordable and holds the longest choice, so it is the longest choice, whichever bank was picked at each step.
//!
//! # Cost
//! An item is placed once and removed at most once, and a bank is looked at again only when it lost an incoming item:
//! O(items + banks), with 5 bytes an item beside the items themselves.

use std::{collections::BTreeMap, fmt};

/// Dense slot of a bank in one session, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member(pub u16);

/// What is taken first. The number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Priority {
    /// Before everything else of the same bank (`InstrPrty` HIGH).
    High = 1,
    /// `InstrPrty` NORM, or none.
    Normal = 2,
}

/// One item as a session sees it; its place in the list is its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Who pays.
    pub debtor: Member,
    /// Who is paid. An item within one bank moves nothing but stands in the bank's row like any other.
    pub creditor: Member,
    /// Place in its bank's row.
    pub priority: Priority,
    /// In minor units of the session's one asset.
    pub amount: u64,
}

/// What one bank does in a session. Amounts are in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    /// Items of the bank that are taken.
    pub sent: u32,
    /// What they pay to other banks.
    pub debits: u128,
    /// Items to the bank that are taken.
    pub received: u32,
    /// What they pay it.
    pub credits: u128,
    /// Items of the bank that are left out.
    pub left_out: u32,
    /// What they would have paid, within the bank included.
    pub left_out_amount: u128,
}

/// What is taken from one bank to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation {
    /// Who owes.
    pub debtor: Member,
    /// Who is owed.
    pub creditor: Member,
    /// Items taken.
    pub items: u32,
    /// Their sum, in minor units.
    pub amount: u128,
}

/// A closed session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// By item: whether it is settled.
    pub taken: Vec<bool>,
    /// By member.
    pub nets: Vec<Net>,
    /// Items removed on the way: those left out.
    pub steps: u32,
}

/// Why a session cannot be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseError {
    /// An item names a bank that has no funds stated.
    MemberUnknown {
        /// Its place in the list.
        item: usize,
    },
    /// More items than a session can number.
    TooManyItems,
}

impl Priority {
    /// Every priority, the first taken first.
    pub const ALL: [Priority; 2] = [Priority::High, Priority::Normal];

    /// The stored number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The priority of a stored number.
    pub const fn from_number(number: u8) -> Option<Priority> {
        match number {
            1 => Some(Priority::High),
            2 => Some(Priority::Normal),
            _ => None,
        }
    }

    /// Place in [`Priority::ALL`].
    const fn index(self) -> usize {
        match self {
            Priority::High => 0,
            Priority::Normal => 1,
        }
    }
}

impl Item {
    /// What the item moves between banks.
    const fn moves(&self) -> u64 {
        if self.debtor.0 == self.creditor.0 {
            0
        } else {
            self.amount
        }
    }
}

impl Net {
    const NOTHING: Net = Net {
        sent: 0,
        debits: 0,
        received: 0,
        credits: 0,
        left_out: 0,
        left_out_amount: 0,
    };

    /// What the bank is paid in the end; below zero, what it pays.
    pub fn balance(&self) -> i128 {
        // At most 2³² items of less than 2⁶⁴ each: far from the ends of i128.
        let signed = |sum: u128| i128::try_from(sum).unwrap_or(i128::MAX);
        signed(self.credits).saturating_sub(signed(self.debits))
    }

    /// Whether a net debit stays within `funds`.
    fn is_affordable(&self, funds: u64) -> bool {
        self.debits <= self.credits.saturating_add(u128::from(funds))
    }
}

impl Closing {
    /// What the banks owe each other before netting, by debtor and then creditor; pairs without an item are left out. `items`
    /// are those of the close. The nets are the sums of its rows and columns.
    pub fn obligations(&self, items: &[Item]) -> Vec<Obligation> {
        let mut pairs: BTreeMap<(Member, Member), (u32, u128)> = BTreeMap::new();
        let taken = items.iter().zip(&self.taken).filter(|(_, taken)| **taken);
        for (item, _) in taken {
            let (items, amount) = pairs.entry((item.debtor, item.creditor)).or_default();
            *items = items.saturating_add(1);
            *amount = amount.saturating_add(u128::from(item.amount));
        }
        let owed = pairs.into_iter();
        owed.map(|((debtor, creditor), (items, amount))| Obligation {
            debtor,
            creditor,
            items,
            amount,
        })
        .collect()
    }
}

/// Closes a session: for each bank the longest affordable prefix of its items. `funds` are by member, in minor units; `items` in
/// the order of arrival.
///
/// ```
/// use torap_clearing::{Item, Member, Priority, close};
///
/// let item = |debtor, creditor, amount| Item {
///     debtor: Member(debtor),
///     creditor: Member(creditor),
///     priority: Priority::Normal,
///     amount,
/// };
/// // Neither bank has money of its own; netted, only the last item is too much.
/// let items = [item(0, 1, 70), item(1, 0, 70), item(0, 1, 30)];
/// let closing = close(&[0, 0], &items).unwrap();
/// assert_eq!(closing.taken, [true, true, false]);
/// ```
pub fn close(funds: &[u64], items: &[Item]) -> Result<Closing, CloseError> {
    let mut rows = Rows::build(funds.len(), items)?;
    let mut nets = sum_everything(funds.len(), items);
    let mut waiting: Vec<Member> = Vec::new();
    for (slot, (net, funds)) in (0_u16..).zip(nets.iter().zip(funds)) {
        if !net.is_affordable(*funds) {
            waiting.push(Member(slot));
        }
    }
    let mut taken = vec![true; items.len()];
    let mut steps: u32 = 0;
    while let Some(member) = waiting.pop() {
        while !affords(&nets, funds, member) {
            // A bank that pays nothing can afford it, so there is an item to remove.
            let Some(number) = rows.pop(member) else {
                break;
            };
            let Some(item) = items.get(number as usize) else {
                break;
            };
            if let Some(taken) = taken.get_mut(number as usize) {
                *taken = false;
            }
            let could = affords(&nets, funds, item.creditor);
            remove(&mut nets, item);
            steps = steps.saturating_add(1);
            // One that could not before is waiting already, or is the one in hand.
            if could && !affords(&nets, funds, item.creditor) {
                waiting.push(item.creditor);
            }
        }
    }
    Ok(Closing { taken, nets, steps })
}

/// Every bank's items in the order in which they are taken.
struct Rows {
    /// Numbers of items, bank after bank.
    order: Vec<u32>,
    /// By member: where its row begins, and where what is left of it ends.
    bounds: Vec<(u32, u32)>,
}

impl Rows {
    /// Places every item once: the length of each row and priority is counted first.
    fn build(members: usize, items: &[Item]) -> Result<Rows, CloseError> {
        if u32::try_from(items.len()).is_err() {
            return Err(CloseError::TooManyItems);
        }
        let mut next = vec![[0_u32; Priority::ALL.len()]; members];
        for (number, item) in items.iter().enumerate() {
            let known = usize::from(item.creditor.0) < members;
            let row = next.get_mut(usize::from(item.debtor.0));
            let place = row.and_then(|row| row.get_mut(item.priority.index()));
            match place.filter(|_| known) {
                Some(count) => *count = count.saturating_add(1),
                None => return Err(CloseError::MemberUnknown { item: number }),
            }
        }
        let mut end: u32 = 0;
        let mut bounds = Vec::with_capacity(members);
        for row in &mut next {
            let begin = end;
            for place in row {
                let length = std::mem::replace(place, end);
                end = end.saturating_add(length);
            }
            bounds.push((begin, end));
        }
        let mut order = vec![0; items.len()];
        for (number, item) in (0_u32..).zip(items) {
            let row = next.get_mut(usize::from(item.debtor.0));
            if let Some(place) = row.and_then(|row| row.get_mut(item.priority.index())) {
                if let Some(slot) = order.get_mut(*place as usize) {
                    *slot = number;
                }
                *place = place.saturating_add(1);
            }
        }
        Ok(Rows { order, bounds })
    }

    /// Takes the last item off what is left of a bank's row.
    fn pop(&mut self, member: Member) -> Option<u32> {
        let (begin, end) = self.bounds.get_mut(usize::from(member.0))?;
        if begin == end {
            return None;
        }
        *end = end.saturating_sub(1);
        self.order.get(*end as usize).copied()
    }
}

fn sum_everything(members: usize, items: &[Item]) -> Vec<Net> {
    let mut nets = vec![Net::NOTHING; members];
    for item in items {
        let moves = u128::from(item.moves());
        if let Some(net) = nets.get_mut(usize::from(item.debtor.0)) {
            net.sent = net.sent.saturating_add(1);
            net.debits = net.debits.saturating_add(moves);
        }
        if let Some(net) = nets.get_mut(usize::from(item.creditor.0)) {
            net.received = net.received.saturating_add(1);
            net.credits = net.credits.saturating_add(moves);
        }
    }
    nets
}

fn remove(nets: &mut [Net], item: &Item) {
    let moves = u128::from(item.moves());
    if let Some(net) = nets.get_mut(usize::from(item.debtor.0)) {
        net.sent = net.sent.saturating_sub(1);
        net.debits = net.debits.saturating_sub(moves);
        net.left_out = net.left_out.saturating_add(1);
        net.left_out_amount = net.left_out_amount.saturating_add(u128::from(item.amount));
    }
    if let Some(net) = nets.get_mut(usize::from(item.creditor.0)) {
        net.received = net.received.saturating_sub(1);
        net.credits = net.credits.saturating_sub(moves);
    }
}

fn affords(nets: &[Net], funds: &[u64], member: Member) -> bool {
    let slot = usize::from(member.0);
    match (nets.get(slot), funds.get(slot)) {
        (Some(net), Some(funds)) => net.is_affordable(*funds),
        _ => true,
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloseError::MemberUnknown { item } => {
                write!(formatter, "item {item} names a bank without stated funds")
            }
            CloseError::TooManyItems => {
                formatter.write_str("a session numbers its items with 32 bits")
            }
        }
    }
}

impl std::error::Error for CloseError {}

#[cfg(test)]
mod tests;
