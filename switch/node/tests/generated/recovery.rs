//! The bench of a start, small: the log it generates leads to the state that wrote it, by snapshot, replay and index.

use crate::bed;

#[test]
fn a_start_on_a_generated_log_comes_to_the_state_that_wrote_it() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut generated = 0;
    let outcome = bed::run(folder.path(), 3_000, 1_000, &mut || generated += 1).expect("started");
    assert_eq!(generated, 1);
    assert_eq!(outcome.snapshot_age, 1_000);
    assert!(outcome.log_bytes > 1 << 20);
    assert!(outcome.snapshot.is_some_and(|(bytes, _)| bytes > 10_000));
    let start_up = outcome.start_up;
    assert_eq!(start_up.digest, outcome.digest);
    assert!(start_up.conserved);
    assert_eq!(start_up.payments, 3_000);
    let snapshot = start_up.snapshot.expect("it began with a snapshot");
    assert_eq!(snapshot + start_up.replayed, start_up.position);
    assert!(
        (2_000..2_100).contains(&start_up.replayed),
        "two records a payment, and marks: {}",
        start_up.replayed
    );
    assert!(!start_up.took.is_zero());
}
