use proptest::prelude::*;
use torap_domain::ParticipantId;
use torap_ledger::{AccountKey, Book};

use super::*;

/// A ledger with a technical account and one constrained account for each of `funds`.
fn ledger(funds: &[u64]) -> (Ledger, AccountId, Vec<AccountId>) {
    let mut ledger = Ledger::new();
    let open = |ledger: &mut Ledger, owner, book| {
        ledger.open(AccountKey {
            owner: ParticipantId(owner),
            book,
            asset: Asset::Kzt,
        })
    };
    let mirror = open(&mut ledger, 0, Book::CentralBankMirror);
    let technical = open(&mut ledger, 0, Book::CardSettlement);
    let mut accounts = Vec::new();
    for (owner, funds) in (1..).zip(funds) {
        let account = open(&mut ledger, owner, Book::InstantPosition);
        if *funds > 0 {
            let funds = Money::kzt(*funds);
            ledger.transfer(mirror, account, funds).unwrap();
        }
        accounts.push(account);
    }
    (ledger, technical, accounts)
}

fn refuses(funds: &[u64], nets: &[i128], expect: impl Fn(&[AccountId]) -> SettleError) {
    let (mut ledger, technical, accounts) = ledger(funds);
    let before = ledger.clone();
    let nets: Vec<_> = accounts.iter().copied().zip(nets.iter().copied()).collect();
    let refused = settle(&mut ledger, technical, Asset::Kzt, &nets);
    assert_eq!(refused, Err(expect(&accounts)));
    assert_eq!(ledger, before);
}

#[test]
fn debtors_pay_creditors_and_the_technical_account_is_zero() {
    let (mut ledger, technical, accounts) = ledger(&[100, 20, 0]);
    let nets = [(accounts[0], -60), (accounts[1], 10), (accounts[2], 50)];
    settle(&mut ledger, technical, Asset::Kzt, &nets).unwrap();
    let balances = accounts.iter().map(|account| ledger.balance(*account));
    assert_eq!(balances.collect::<Vec<_>>(), [40, 30, 50]);
    assert_eq!(ledger.balance(technical), 0);
    ledger.check_conservation().unwrap();
}

#[test]
fn nets_that_do_not_add_up_are_refused() {
    refuses(&[100, 0], &[-60, 59], |_| SettleError::Unbalanced {
        sum: -1,
    });
}

#[test]
fn a_debtor_without_funds_refuses_the_whole_session() {
    refuses(&[100, 9, 0], &[-60, -10, 70], |accounts| {
        SettleError::Refused {
            account: accounts[1],
            refusal: LedgerRefusal::InsufficientFunds,
        }
    });
}

#[test]
fn a_net_above_what_one_booking_holds_is_refused() {
    let huge = i128::from(u64::MAX) + 1;
    refuses(&[0, 0], &[huge, -huge], |accounts| SettleError::Refused {
        account: accounts[0],
        refusal: LedgerRefusal::Overflow,
    });
}

#[test]
fn what_is_left_on_the_technical_account_stops_the_session() {
    let (mut ledger, technical, accounts) = ledger(&[100, 0]);
    ledger
        .transfer(accounts[0], technical, Money::kzt(1))
        .unwrap();
    let nets = [(accounts[0], -60), (accounts[1], 60)];
    let refused = settle(&mut ledger, technical, Asset::Kzt, &nets);
    assert_eq!(refused, Err(SettleError::TechnicalNotZero { balance: 1 }));
    assert_eq!(ledger.balance(accounts[1]), 0);
}

#[test]
fn each_account_has_one_net_and_the_technical_account_none() {
    let (mut ledger, technical, accounts) = ledger(&[100]);
    let account = accounts[0];
    let twice = [(account, -60), (account, 60)];
    let refused = settle(&mut ledger, technical, Asset::Kzt, &twice);
    assert_eq!(refused, Err(SettleError::AccountTwice(account)));
    let own = [(account, -60), (technical, 60)];
    let refused = settle(&mut ledger, technical, Asset::Kzt, &own);
    let refusal = LedgerRefusal::SameAccount;
    let account = technical;
    assert_eq!(refused, Err(SettleError::Refused { account, refusal }));
}

proptest! {
    #[test]
    fn a_session_is_booked_whole_or_not_at_all(
        funds in prop::collection::vec(0_u64..50, 4),
        first in prop::collection::vec(-40_i128..40, 3),
    ) {
        let (mut ledger, technical, accounts) = ledger(&funds);
        let last = -first.iter().sum::<i128>();
        let nets: Vec<_> = first.into_iter().chain([last]).collect();
        let affordable = nets.iter().zip(&funds).all(|(net, funds)| -net <= i128::from(*funds));
        let named: Vec<_> = accounts.iter().copied().zip(nets.iter().copied()).collect();
        let settled = settle(&mut ledger, technical, Asset::Kzt, &named);
        prop_assert_eq!(settled.is_ok(), affordable);
        for ((account, net), funds) in named.iter().zip(&funds) {
            let moved = if affordable { *net } else { 0 };
            prop_assert_eq!(ledger.balance(*account), i128::from(*funds) + moved);
        }
        prop_assert_eq!(ledger.balance(technical), 0);
        ledger.check_conservation().unwrap();
    }
}
