//! Suspensions that come after payments have been taken.

use super::*;
use crate::participants::State as Standing;

fn suspend(world: &mut World, bank: ParticipantId, debits: bool, credits: bool) {
    world.state(bank, Standing::Suspended { debits, credits });
}

#[test]
fn what_waits_of_a_suspended_bank_settles_when_the_suspension_ends_and_not_before() {
    for newest in [true, false] {
        let mut world = open();
        if newest {
            world.newest_rules();
        }
        let waits = plain(&mut world, HSBK, CASP, 300);
        suspend(&mut world, HSBK, true, false);
        fund(&mut world, HSBK, 1_000);
        if !newest {
            // So was it decided before, and so it is decided again.
            assert_eq!(end_of(&world, waits), Some(End::Settled));
            continue;
        }
        assert_eq!(queue(&world), [waits]);
        // Neither does a solver find it, nor is it offset.
        assert!(world.engine.gridlock(SolverOrder::Kept).is_none());
        let stale = resolve_command(vec![waits]);
        refuse(&mut world, stale, Reason::ResolutionStale);
        let back = plain(&mut world, CASP, HSBK, 310);
        assert_eq!(queue(&world), [back, waits]);
        world.state(HSBK, Standing::Active);
        assert_eq!(end_of(&world, waits), Some(End::Settled));
        assert_eq!((balance(&world, CASP), balance(&world, HSBK)), (300, 700));
        fund(&mut world, CASP, 10);
        assert_eq!(end_of(&world, back), Some(End::Settled));
    }
}

#[test]
fn a_payment_to_a_suspended_bank_is_rejected_at_its_turn_and_stands_in_nobodys_way() {
    let mut world = open();
    world.newest_rules();
    let first = plain(&mut world, HSBK, CASP, 300);
    let second = plain(&mut world, HSBK, IRTY, 200);
    suspend(&mut world, CASP, false, true);
    assert_eq!(queue(&world), [first, second]);
    fund(&mut world, HSBK, 200);
    let end = End::Rejected(Reason::ReceiverSuspended);
    assert_eq!(end_of(&world, first), Some(end));
    assert_eq!(end_of(&world, second), Some(End::Settled));
}

#[test]
fn a_suspension_of_debits_leaves_credits_and_one_of_a_bank_that_is_closing_is_none() {
    let mut world = open();
    world.newest_rules();
    let waits = plain(&mut world, HSBK, CASP, 300);
    suspend(&mut world, CASP, true, false);
    world.state(HSBK, Standing::Closing);
    fund(&mut world, HSBK, 300);
    assert_eq!(end_of(&world, waits), Some(End::Settled));
}
