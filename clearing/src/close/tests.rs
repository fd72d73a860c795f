use proptest::{prelude::*, test_runner::TestRng};

use super::*;

const MEMBERS: u16 = 4;

fn item(debtor: u16, creditor: u16, amount: u64, priority: Priority) -> Item {
    Item {
        debtor: Member(debtor),
        creditor: Member(creditor),
        priority,
        amount,
    }
}

fn normal(debtor: u16, creditor: u16, amount: u64) -> Item {
    item(debtor, creditor, amount, Priority::Normal)
}

/// Each bank's row by definition: a stable sort.
fn rows(items: &[Item], members: usize) -> Vec<Vec<usize>> {
    let row = |member: usize| {
        let mut own: Vec<usize> = (0..items.len())
            .filter(|number| usize::from(items[*number].debtor.0) == member)
            .collect();
        own.sort_by_key(|number| items[*number].priority);
        own
    };
    (0..members).map(row).collect()
}

fn is_affordable(funds: &[u64], items: &[Item], rows: &[Vec<usize>], prefix: &[usize]) -> bool {
    let mut balance: Vec<i128> = funds.iter().map(|funds| i128::from(*funds)).collect();
    for (row, length) in rows.iter().zip(prefix) {
        for number in &row[..*length] {
            let item = items[*number];
            balance[usize::from(item.debtor.0)] -= i128::from(item.amount);
            balance[usize::from(item.creditor.0)] += i128::from(item.amount);
        }
    }
    balance.iter().all(|balance| *balance >= 0)
}

/// Tries every choice of prefixes: the longest for each bank over all affordable ones, and whether that one is affordable.
fn oracle(funds: &[u64], items: &[Item]) -> (Vec<usize>, bool) {
    let rows = rows(items, funds.len());
    let mut longest = vec![0; funds.len()];
    let mut prefix = vec![0; funds.len()];
    loop {
        if is_affordable(funds, items, &rows, &prefix) {
            for (longest, length) in longest.iter_mut().zip(&prefix) {
                *longest = (*longest).max(*length);
            }
        }
        let Some(place) = (0..prefix.len()).find(|place| prefix[*place] < rows[*place].len())
        else {
            let unique = is_affordable(funds, items, &rows, &longest);
            return (longest, unique);
        };
        prefix[..place].fill(0);
        prefix[place] += 1;
    }
}

/// The rule as it is told: remove the last item of some bank that cannot afford its prefix, the bank picked by `pick`.
fn remove_in_any_order(
    funds: &[u64],
    items: &[Item],
    mut pick: impl FnMut(usize) -> usize,
) -> Vec<usize> {
    let rows = rows(items, funds.len());
    let mut prefix: Vec<usize> = rows.iter().map(Vec::len).collect();
    loop {
        let mut balance: Vec<i128> = funds.iter().map(|funds| i128::from(*funds)).collect();
        for (row, length) in rows.iter().zip(&prefix) {
            for number in &row[..*length] {
                let item = items[*number];
                balance[usize::from(item.debtor.0)] -= i128::from(item.amount);
                balance[usize::from(item.creditor.0)] += i128::from(item.amount);
            }
        }
        let short: Vec<usize> = (0..funds.len()).filter(|bank| balance[*bank] < 0).collect();
        if short.is_empty() {
            return prefix;
        }
        prefix[short[pick(short.len())]] -= 1;
    }
}

fn prefix_of(closing: &Closing, items: &[Item], members: usize) -> Vec<usize> {
    let prefix_of_row = |row: Vec<usize>| {
        let length = row
            .iter()
            .take_while(|number| closing.taken[**number])
            .count();
        let beyond = row[length..].iter().any(|number| closing.taken[*number]);
        assert!(!beyond, "what is taken is a prefix");
        length
    };
    rows(items, members)
        .into_iter()
        .map(prefix_of_row)
        .collect()
}

/// Everything that a closing says of itself agrees with the items it took.
fn check_sums(funds: &[u64], items: &[Item], closing: &Closing) {
    let total: i128 = closing.nets.iter().map(Net::balance).sum();
    assert_eq!(total, 0);
    let left_out = closing.taken.iter().filter(|taken| !**taken).count();
    assert_eq!(closing.steps as usize, left_out);
    for (slot, (net, funds)) in closing.nets.iter().zip(funds).enumerate() {
        assert!(-net.balance() <= i128::from(*funds));
        let of = |taken: bool, incoming: bool| {
            let listed = items.iter().zip(&closing.taken);
            listed.filter(move |(item, is_taken)| {
                let member = if incoming { item.creditor } else { item.debtor };
                **is_taken == taken && usize::from(member.0) == slot
            })
        };
        let sum = |taken, incoming| -> u128 {
            let moved = of(taken, incoming).filter(|(item, _)| item.debtor != item.creditor);
            moved.map(|(item, _)| u128::from(item.amount)).sum()
        };
        assert_eq!(net.sent as usize, of(true, false).count());
        assert_eq!(net.received as usize, of(true, true).count());
        assert_eq!(net.left_out as usize, of(false, false).count());
        assert_eq!(net.debits, sum(true, false));
        assert_eq!(net.credits, sum(true, true));
    }
    let mut nets = vec![0_i128; funds.len()];
    for owed in closing.obligations(items) {
        let amount = i128::try_from(owed.amount).unwrap();
        nets[usize::from(owed.debtor.0)] -= amount;
        nets[usize::from(owed.creditor.0)] += amount;
    }
    let balances: Vec<i128> = closing.nets.iter().map(Net::balance).collect();
    assert_eq!(nets, balances);
}

fn items(most: usize) -> impl Strategy<Value = Vec<Item>> {
    let priority = prop_oneof![Just(Priority::High), Just(Priority::Normal)];
    let one = (0..MEMBERS, 0..MEMBERS, 1_u64..60, priority);
    let one = one
        .prop_map(|(debtor, creditor, amount, priority)| item(debtor, creditor, amount, priority));
    prop::collection::vec(one, 0..most)
}

fn funds() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(0_u64..80, usize::from(MEMBERS))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn it_is_the_longest_affordable_prefix_of_every_bank(funds in funds(), items in items(12)) {
        let closing = close(&funds, &items).unwrap();
        let (longest, unique) = oracle(&funds, &items);
        prop_assert!(unique);
        prop_assert_eq!(prefix_of(&closing, &items, funds.len()), longest);
        check_sums(&funds, &items, &closing);
    }

    #[test]
    fn any_order_of_removal_comes_to_the_same(
        funds in funds(),
        items in items(60),
        seeds in prop::collection::vec(any::<[u8; 32]>(), 4),
    ) {
        let closing = close(&funds, &items).unwrap();
        let prefix = prefix_of(&closing, &items, funds.len());
        for seed in seeds {
            let mut random = TestRng::from_seed(prop::test_runner::RngAlgorithm::ChaCha, &seed);
            let pick = |choices: usize| random.next_u32() as usize % choices;
            prop_assert_eq!(&remove_in_any_order(&funds, &items, pick), &prefix);
        }
        check_sums(&funds, &items, &closing);
    }
}

#[test]
fn a_circle_without_money_settles() {
    let items = [normal(0, 1, 50), normal(1, 2, 50), normal(2, 0, 50)];
    let closing = close(&[0, 0, 0], &items).unwrap();
    assert_eq!(closing.taken, [true; 3]);
    assert!(closing.nets.iter().all(|net| net.balance() == 0));
}

#[test]
fn one_left_out_may_take_others_with_it() {
    // Bank 0 cannot pay the first of its row, so bank 1 cannot pay bank 2, so bank 2 cannot pay bank 3.
    let items = [normal(2, 3, 50), normal(1, 2, 50), normal(0, 1, 51)];
    let closing = close(&[50, 0, 0, 0], &items).unwrap();
    assert_eq!(closing.taken, [false; 3]);
    assert_eq!(closing.steps, 3);
}

#[test]
fn a_large_item_in_front_blocks_what_could_be_paid_behind_it() {
    let items = [normal(0, 1, 51), normal(0, 1, 1)];
    let closing = close(&[50, 0], &items).unwrap();
    assert_eq!(closing.taken, [false, false]);
}

#[test]
fn high_priority_goes_before_earlier_arrivals() {
    let items = [normal(0, 1, 40), item(0, 1, 40, Priority::High)];
    let closing = close(&[50, 0], &items).unwrap();
    assert_eq!(closing.taken, [false, true]);
}

#[test]
fn funds_are_used_to_the_last_tiyn() {
    let closing = close(&[50, 0], &[normal(0, 1, 50), normal(0, 1, 1)]).unwrap();
    assert_eq!(closing.taken, [true, false]);
    assert_eq!(closing.nets[0].balance(), -50);
    assert_eq!(closing.nets[0].left_out_amount, 1);
}

#[test]
fn the_largest_amounts_do_not_overflow() {
    let items = [normal(0, 1, u64::MAX), normal(0, 1, u64::MAX)];
    let closing = close(&[u64::MAX, 0], &items).unwrap();
    assert_eq!(closing.taken, [true, false]);
    assert_eq!(closing.nets[1].balance(), i128::from(u64::MAX));
}

#[test]
fn a_session_without_items_is_nothing() {
    let closing = close(&[10, 0], &[]).unwrap();
    assert_eq!(closing.nets, [Net::NOTHING; 2]);
    assert!(closing.obligations(&[]).is_empty());
}

#[test]
fn an_item_of_an_unknown_bank_is_an_error() {
    for items in [
        [normal(0, 1, 1), normal(2, 0, 1)],
        [normal(0, 1, 1), normal(0, 2, 1)],
    ] {
        let error = close(&[10, 10], &items).unwrap_err();
        assert_eq!(error, CloseError::MemberUnknown { item: 1 });
    }
}
