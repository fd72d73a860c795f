//! `kill -9` at random moments under load, many times over: nothing is lost, nothing is doubled.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use torap_node::demo::Day;

use crate::{
    load::{Payers, reconcile, without_outcome},
    program::lab_with,
};

const ROUNDS: u32 = 20;
/// A round ends at a moment drawn from here on, after all banks are signed on.
const EARLIEST_MS: u64 = 20;
const LATEST_MS: u64 = 500;

/// `TORAP_KILL_ROUNDS` sets another number of rounds, for a night.
#[test]
fn killed_at_random_moments_under_load_nothing_is_lost_or_doubled() {
    let rounds = std::env::var("TORAP_KILL_ROUNDS")
        .map_or(ROUNDS, |text| text.parse().expect("TORAP_KILL_ROUNDS"));
    // The smallest segments: crashes also fall into their changes.
    let (_dir, lab) = lab_with(|options| options.segment_mib = 17);
    let mut day = Day::new(lab);
    let payers = Payers::start(&day.lab);
    let mut random = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("clock")
        .subsec_nanos();
    let mut in_flight = Vec::new();
    for _ in 0..rounds {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let pause = EARLIEST_MS + u64::from(random >> 8) % (LATEST_MS - EARLIEST_MS);
        // Not a wait for anything: the moment of the crash.
        std::thread::sleep(Duration::from_millis(pause));
        day.lab.kill_switch().expect("kill");
        in_flight.push(without_outcome(&day.lab));
        day.lab.start_switch().expect("restart");
        day.lab.wait_for_links().expect("links");
    }
    let paid = payers.finish();
    let reconciled = reconcile(&day, &paid);
    let total: u64 = in_flight.iter().sum();
    eprintln!(
        "kill -9: {rounds} rounds, {} payments, {} settled, in flight at the crash {total} ({in_flight:?}), lost {}, doubled {}",
        reconciled.payments,
        reconciled.settled,
        reconciled.lost.len(),
        reconciled.doubled.len(),
    );
    assert_eq!(reconciled.lost, Vec::<String>::new());
    assert_eq!(reconciled.doubled, Vec::<String>::new());
    assert!(
        in_flight.iter().filter(|count| **count > 0).count() * 2 > in_flight.len(),
        "no load: {in_flight:?}"
    );
    assert!(
        reconciled.settled * 2 > reconciled.payments,
        "{reconciled:?}"
    );
}
