use super::*;
use crate::account::Book;
use proptest::prelude::*;
use std::collections::BTreeMap;
use torap_domain::ParticipantId;

const ABSENT: AccountId = AccountId(99);

fn key(owner: u16) -> AccountKey {
    let book = if owner == 0 {
        Book::CentralBankMirror
    } else {
        Book::InstantPosition
    };
    AccountKey {
        owner: ParticipantId::new(owner),
        book,
        asset: Asset::Kzt,
    }
}

/// The mirror account and two banks, the first funded with 1000.
fn funded() -> (Ledger, [AccountId; 3]) {
    let mut ledger = Ledger::new();
    let accounts = [0, 1, 2].map(|owner| ledger.open(key(owner)));
    ledger
        .transfer(accounts[0], accounts[1], Money::kzt(1000))
        .unwrap();
    (ledger, accounts)
}

fn check(ledger: &Ledger, account: AccountId, balance: i128, available: i128) {
    assert_eq!(
        (ledger.balance(account), ledger.available(account)),
        (balance, available)
    );
    assert_eq!(ledger.check_conservation(), Ok(()));
}

#[test]
fn slots_are_dense_and_keys_open_once() {
    let (mut ledger, accounts) = funded();
    assert_eq!(accounts.map(|id| id.0), [0, 1, 2]);
    assert_eq!(ledger.open(key(1)), accounts[1]);
    assert_eq!(ledger.find(key(2)), Some(accounts[2]));
    assert_eq!(ledger.find(key(3)), None);
    assert_eq!(ledger.accounts().count(), 3);
    assert_eq!(ledger.account(accounts[2]).map(Account::key), Some(key(2)));
    assert_eq!(ledger.account(ABSENT), None);
}

#[test]
fn funding_debits_the_mirror() {
    let (ledger, [mirror, bank, _]) = funded();
    check(&ledger, mirror, -1000, -1000);
    check(&ledger, bank, 1000, 1000);
    assert_eq!(ledger.totals(Asset::Kzt), (1000, 1000));
}

#[test]
fn a_hold_counts_when_made_and_moves_when_posted() {
    let (mut ledger, [_, from, to]) = funded();
    ledger.reserve(from, to, Money::kzt(600)).unwrap();
    check(&ledger, from, 1000, 400);
    check(&ledger, to, 0, 0);
    assert_eq!(ledger.account(from).map(Account::debits_pending), Some(600));
    assert_eq!(ledger.account(to).map(Account::credits_pending), Some(600));
    assert_eq!(ledger.totals_pending(Asset::Kzt), (600, 600));
    assert_eq!(
        ledger.reserve(from, to, Money::kzt(401)),
        Err(LedgerRefusal::InsufficientFunds)
    );
    ledger.post(from, to, Money::kzt(600)).unwrap();
    check(&ledger, from, 400, 400);
    check(&ledger, to, 600, 600);
    assert_eq!(ledger.totals_pending(Asset::Kzt), (0, 0));
}

#[test]
fn a_void_gives_everything_back() {
    let (mut ledger, [_, from, to]) = funded();
    let before = ledger.clone();
    ledger.reserve(from, to, Money::kzt(1000)).unwrap();
    check(&ledger, from, 1000, 0);
    ledger.void(from, to, Money::kzt(1000)).unwrap();
    assert_eq!(ledger, before);
}

#[test]
fn a_credit_line_lets_the_account_below_zero_by_its_amount() {
    let (mut ledger, [mirror, from, to]) = funded();
    ledger.set_credit_line(to, 50).unwrap();
    check(&ledger, to, 0, 50);
    ledger.transfer(to, from, Money::kzt(30)).unwrap();
    ledger.reserve(to, from, Money::kzt(20)).unwrap();
    check(&ledger, to, -30, 0);
    assert_eq!(
        ledger.transfer(to, from, Money::kzt(1)),
        Err(LedgerRefusal::InsufficientFunds)
    );
    assert_eq!(
        ledger.set_credit_line(to, 49),
        Err(LedgerRefusal::CreditLineInUse)
    );
    ledger.void(to, from, Money::kzt(20)).unwrap();
    ledger.set_credit_line(to, 30).unwrap();
    assert_eq!(ledger.account(to).map(Account::credit_line), Some(30));
    assert_eq!(
        ledger.set_credit_line(mirror, 1),
        Err(LedgerRefusal::CreditLineMeaningless)
    );
    assert_eq!(
        ledger.set_credit_line(ABSENT, 1),
        Err(LedgerRefusal::AccountUnknown)
    );
}

#[test]
fn every_refusal_changes_nothing() {
    let (mut ledger, [_, from, to]) = funded();
    ledger.reserve(from, to, Money::kzt(10)).unwrap();
    let before = ledger.clone();
    type Operation = fn(&mut Ledger, AccountId, AccountId, Money) -> Result<(), LedgerRefusal>;
    let moves: [Operation; 2] = [Ledger::transfer, Ledger::reserve];
    let ends: [Operation; 2] = [Ledger::post, Ledger::void];
    for operation in moves.into_iter().chain(ends) {
        let mut refuse = |debit, credit, amount, expect| {
            assert_eq!(
                operation(&mut ledger, debit, credit, Money::kzt(amount)),
                Err(expect)
            );
        };
        refuse(from, from, 1, LedgerRefusal::SameAccount);
        refuse(from, ABSENT, 1, LedgerRefusal::AccountUnknown);
        refuse(ABSENT, to, 1, LedgerRefusal::AccountUnknown);
        refuse(from, to, 0, LedgerRefusal::AmountZero);
    }
    for operation in moves {
        assert_eq!(
            operation(&mut ledger, from, to, Money::kzt(991)),
            Err(LedgerRefusal::InsufficientFunds)
        );
        assert_eq!(
            operation(&mut ledger, to, from, Money::kzt(1)),
            Err(LedgerRefusal::InsufficientFunds)
        );
    }
    for operation in ends {
        assert_eq!(
            operation(&mut ledger, from, to, Money::kzt(11)),
            Err(LedgerRefusal::HoldMissing)
        );
        assert_eq!(
            operation(&mut ledger, to, from, Money::kzt(10)),
            Err(LedgerRefusal::HoldMissing)
        );
    }
    assert_eq!(ledger, before);
}

#[test]
fn sums_that_would_not_fit_are_refused() {
    let (mut ledger, [mirror, from, to]) = funded();
    let most = Money::kzt(u64::MAX);
    ledger.reserve(mirror, to, most).unwrap();
    assert_eq!(
        ledger.reserve(mirror, from, Money::kzt(1)),
        Err(LedgerRefusal::Overflow)
    );
    assert_eq!(
        ledger.reserve(from, to, Money::kzt(1)),
        Err(LedgerRefusal::Overflow)
    );
    let full = ledger.accounts.get_mut(to.0 as usize).unwrap();
    full.credits_posted = POSTED_MAX;
    let before = ledger.clone();
    assert_eq!(ledger.post(mirror, to, most), Err(LedgerRefusal::Overflow));
    assert_eq!(
        ledger.transfer(from, to, Money::kzt(1)),
        Err(LedgerRefusal::Overflow)
    );
    assert_eq!(ledger, before);
    assert_eq!(ledger.balance(to), i128::MAX);
}

#[test]
fn conservation_notices_every_kind_of_damage() {
    let damage = |change: fn(&mut Account)| {
        let (mut ledger, [_, bank, _]) = funded();
        change(ledger.accounts.get_mut(bank.0 as usize).unwrap());
        ledger.check_conservation()
    };
    let asset = Asset::Kzt;
    assert_eq!(damage(|_| {}), Ok(()));
    let posted = ConservationError::Posted {
        asset,
        debits: 1000,
        credits: 1001,
    };
    assert_eq!(damage(|account| account.credits_posted += 1), Err(posted));
    let pending = ConservationError::Pending {
        asset,
        debits: 7,
        credits: 0,
    };
    assert_eq!(damage(|account| account.debits_pending += 7), Err(pending));
    let below = |account: &mut Account| {
        account.debits_pending = 1001;
        account.credits_pending = 1001;
    };
    let account = AccountId(1);
    assert_eq!(
        damage(below),
        Err(ConservationError::BelowLine {
            account,
            available: -1
        })
    );
}

#[test]
fn refusals_have_names_and_sentences() {
    assert_eq!(
        LedgerRefusal::InsufficientFunds.name(),
        "insufficient-funds"
    );
    assert_eq!(
        LedgerRefusal::HoldMissing.to_string(),
        "less is held than would be posted or voided"
    );
}

/// The obvious ledger: balances that move, and a list of open holds.
#[derive(Debug, Default)]
struct Model {
    balances: BTreeMap<u32, i128>,
    lines: BTreeMap<u32, i128>,
    holds: Vec<(u32, u32, u64)>,
}

impl Model {
    fn available(&self, account: u32) -> i128 {
        let held: i128 = self
            .holds
            .iter()
            .filter(|hold| hold.0 == account)
            .map(|hold| i128::from(hold.2))
            .sum();
        let of = |map: &BTreeMap<u32, i128>| map.get(&account).copied().unwrap_or(0);
        of(&self.balances) - held + of(&self.lines)
    }

    fn may_debit(&self, account: u32, amount: u64) -> bool {
        account == 0 || self.available(account) >= i128::from(amount)
    }

    fn book(&mut self, debit: u32, credit: u32, amount: u64) {
        *self.balances.entry(debit).or_default() -= i128::from(amount);
        *self.balances.entry(credit).or_default() += i128::from(amount);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Transfer(u32, u32, u64),
    Reserve(u32, u32, u64),
    /// Which open hold ends, and whether it is posted.
    End(prop::sample::Index, bool),
    Line(u32, u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let account = 0_u32..4;
    let amount = 1_u64..500;
    prop_oneof![
        (account.clone(), account.clone(), amount.clone())
            .prop_map(|(debit, credit, n)| Step::Transfer(debit, credit, n)),
        (account.clone(), account.clone(), amount.clone())
            .prop_map(|(debit, credit, n)| Step::Reserve(debit, credit, n)),
        (any::<prop::sample::Index>(), any::<bool>())
            .prop_map(|(hold, posts)| Step::End(hold, posts)),
        (account, amount).prop_map(|(account, line)| Step::Line(account, line)),
    ]
}

/// Does one step on both and compares what was allowed.
fn step_both(ledger: &mut Ledger, model: &mut Model, step: &Step) {
    match *step {
        Step::Transfer(debit, credit, amount) => {
            let allowed = debit != credit && model.may_debit(debit, amount);
            let done = ledger.transfer(AccountId(debit), AccountId(credit), Money::kzt(amount));
            assert_eq!(done.is_ok(), allowed, "{step:?}: {done:?}");
            if allowed {
                model.book(debit, credit, amount);
            }
        }
        Step::Reserve(debit, credit, amount) => {
            let allowed = debit != credit && model.may_debit(debit, amount);
            let done = ledger.reserve(AccountId(debit), AccountId(credit), Money::kzt(amount));
            assert_eq!(done.is_ok(), allowed, "{step:?}: {done:?}");
            if allowed {
                model.holds.push((debit, credit, amount));
            }
        }
        Step::End(hold, posts) if !model.holds.is_empty() => {
            let (debit, credit, amount) = model.holds.swap_remove(hold.index(model.holds.len()));
            let end = if posts { Ledger::post } else { Ledger::void };
            assert_eq!(
                end(
                    ledger,
                    AccountId(debit),
                    AccountId(credit),
                    Money::kzt(amount)
                ),
                Ok(())
            );
            if posts {
                model.book(debit, credit, amount);
            }
        }
        Step::End(..) => {}
        Step::Line(account, line) => {
            let old = model.lines.get(&account).copied().unwrap_or(0);
            let allowed = account != 0 && model.available(account) - old + i128::from(line) >= 0;
            let done = ledger.set_credit_line(AccountId(account), line);
            assert_eq!(done.is_ok(), allowed, "{step:?}: {done:?}");
            if allowed {
                model.lines.insert(account, i128::from(line));
            }
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_the_obvious_model(steps in prop::collection::vec(any_step(), 1..200)) {
        let mut ledger = Ledger::new();
        let accounts = [0, 1, 2, 3].map(|owner| ledger.open(key(owner)));
        let mut model = Model::default();
        for step in &steps {
            step_both(&mut ledger, &mut model, step);
            for account in accounts {
                prop_assert_eq!(ledger.available(account), model.available(account.0));
            }
            prop_assert_eq!(ledger.check_conservation(), Ok(()));
        }
        for (debit, credit, amount) in model.holds.drain(..) {
            prop_assert_eq!(ledger.void(AccountId(debit), AccountId(credit), Money::kzt(amount)), Ok(()));
        }
        prop_assert_eq!(ledger.totals_pending(Asset::Kzt), (0, 0));
    }
}
