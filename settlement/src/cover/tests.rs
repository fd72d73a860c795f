use proptest::{collection::vec, prelude::*};

use super::*;

fn party(net: i128, available: u64, contribution: u64) -> Party {
    Party {
        net,
        available,
        contribution,
    }
}

#[test]
fn whoever_has_the_money_pays_and_nobody_loses() {
    let parties = [
        party(-70, 70, 50),
        party(-30, 40, 0),
        party(100, 0, 10),
        party(0, 5, 5),
    ];
    let shares = cover(&parties, 0).unwrap();
    let flat: Vec<(u64, u64)> = shares.iter().map(|s| (s.pays, s.receives)).collect();
    assert_eq!(flat, [(70, 0), (30, 0), (0, 100), (0, 0)]);
    assert!(
        shares
            .iter()
            .all(|s| s.own_contribution + s.short + s.fund + s.loses == 0)
    );
}

#[test]
fn the_layers_are_used_in_their_order() {
    let others = |available, contribution| {
        let parties = [
            party(-100, available, contribution),
            party(60, 0, 30),
            party(40, 0, 10),
        ];
        let shares = cover(&parties, 0).unwrap();
        (
            shares[0].own_contribution,
            [shares[1].fund, shares[2].fund],
            [shares[1].loses, shares[2].loses],
        )
    };
    // Its collateral, then its own contribution.
    assert_eq!(others(100, 50), (0, [0, 0], [0, 0]));
    assert_eq!(others(80, 50), (20, [0, 0], [0, 0]));
    // The fund, in proportion.
    assert_eq!(others(80, 0), (0, [15, 5], [0, 0]));
    // And the survivors, in proportion to what they are paid.
    assert_eq!(others(10, 0), (0, [30, 10], [30, 20]));
}

#[test]
fn what_was_paid_before_is_given_on() {
    let shares = cover(&[party(-40, 0, 0), party(100, 0, 0)], 60).unwrap();
    assert_eq!((shares[0].short, shares[1].receives), (40, 60));
    assert_eq!(
        cover(&[party(-40, 0, 0), party(100, 0, 0)], 59),
        Err(CoverError::Unbalanced { sum: 60 })
    );
}

#[test]
fn nets_beyond_64_bits_are_refused() {
    let large = i128::from(u64::MAX) + 1;
    assert_eq!(
        cover(&[party(large, 0, 0), party(-large, 0, 0)], 0),
        Err(CoverError::Net { place: 0 })
    );
}

#[test]
fn units_left_over_go_to_the_largest_fractions() {
    assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
    assert_eq!(apportion(2, &[5, 3, 2]), [1, 1, 0]);
    assert_eq!(
        apportion(u128::from(u64::MAX), &[u64::MAX, 0]),
        [u64::MAX, 0]
    );
    let all = u128::from(u64::MAX) * 3;
    assert_eq!(apportion(all, &[u64::MAX; 3]), [u64::MAX; 3]);
    assert_eq!(apportion(7, &[0, 0]), [0, 0]);
}

/// Debts and contributions of any size, paid to creditors that are owed the same sum.
fn sessions() -> impl Strategy<Value = Vec<Party>> {
    let amount = || prop_oneof![0..20_u64, any::<u64>()];
    let debtors = vec((amount(), amount(), amount()), 1..8);
    let creditors = vec((amount(), amount()), 1..8);
    (debtors, creditors).prop_map(|(debtors, creditors)| {
        let mut parties: Vec<Party> = debtors
            .into_iter()
            .map(|(owes, available, contribution)| {
                party(-i128::from(owes), available, contribution)
            })
            .collect();
        let mut owed = parties.iter().map(|party| -party.net).sum::<i128>();
        let last = creditors.len() - 1;
        for (place, (credit, contribution)) in creditors.into_iter().enumerate() {
            // As many as are needed take what is left, each inside 64 bits.
            let most = owed.min(i128::from(u64::MAX));
            let net = if place == last {
                most
            } else {
                i128::from(credit).min(most)
            };
            owed -= net;
            parties.push(party(net, 0, contribution));
        }
        while owed > 0 {
            let net = owed.min(i128::from(u64::MAX));
            owed -= net;
            parties.push(party(net, 0, 0));
        }
        parties
    })
}

proptest! {
    #[test]
    fn every_session_is_covered_whole_and_no_layer_before_its_turn(parties in sessions()) {
        let shares = cover(&parties, 0).unwrap();
        let sum = |of: fn(&Share) -> u64| shares.iter().map(|s| i128::from(of(s))).sum::<i128>();
        // Everything that is taken is given.
        let taken = sum(|s| s.pays) + sum(|s| s.own_contribution) + sum(|s| s.fund);
        prop_assert_eq!(taken, sum(|s| s.receives));
        prop_assert_eq!(sum(|s| s.short), sum(|s| s.fund) + sum(|s| s.loses));
        for (party, share) in parties.iter().zip(&shares) {
            let owes = (-party.net).max(0);
            let covered = share.pays as i128 + share.own_contribution as i128 + share.short as i128;
            prop_assert_eq!(covered, owes);
            prop_assert!(share.pays <= party.available);
            let used = u128::from(share.own_contribution) + u128::from(share.fund);
            prop_assert!(used <= u128::from(party.contribution));
            prop_assert_eq!(share.receives as i128 + share.loses as i128, party.net.max(0));
            // The own contribution only behind the account, the others' only behind it.
            prop_assert!(share.own_contribution == 0 || share.pays == party.available);
            prop_assert!(share.short == 0 || share.own_contribution == party.contribution);
        }
        // Nobody loses while the fund holds anything.
        let left = parties.iter().zip(&shares).map(|(party, share)| {
            i128::from(party.contribution) - share.own_contribution as i128 - share.fund as i128
        });
        prop_assert!(sum(|s| s.loses) == 0 || left.sum::<i128>() == 0);
    }

    #[test]
    fn parts_are_the_whole_and_within_one_unit_of_exact(
        weights in vec(prop_oneof![0..9_u64, any::<u64>()], 1..12),
        part in 0..=1_000_u128,
    ) {
        let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        let total = sum / 1_000 * part;
        let parts = apportion(total, &weights);
        prop_assert_eq!(parts.iter().map(|part| u128::from(*part)).sum::<u128>(), total);
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(part <= weight);
        }
    }
}
