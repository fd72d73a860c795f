use std::time::{Duration, Instant};

use torap_domain::ParticipantId;
use torap_engine::instant::PayeeLoad;

use super::{Congestion, Gauge, SAMPLE_EVERY};

const SLOW: ParticipantId = ParticipantId(1);
const QUICK: ParticipantId = ParticipantId(2);

/// Samples every 100 ms: what is under way and what is decided between two samples, for two participants.
fn after(rounds: u32, slow: (u32, u64), quick: (u32, u64)) -> Congestion {
    let (congestion, mut gauge) = (Congestion::default(), Gauge::default());
    let start = Instant::now();
    for round in 0..rounds {
        let load = |(under_way, decided): (u32, u64)| PayeeLoad {
            under_way,
            decided: decided * u64::from(round),
        };
        let loads = loads(load(slow), load(quick));
        gauge.sample(start + SAMPLE_EVERY * round, &loads, &congestion);
    }
    congestion
}

fn loads(slow: PayeeLoad, quick: PayeeLoad) -> Vec<PayeeLoad> {
    let mut loads = vec![PayeeLoad::default(); QUICK.index() + 1];
    loads[SLOW.index()] = slow;
    loads[QUICK.index()] = quick;
    loads
}

#[test]
fn a_bank_whose_answers_would_take_too_long_is_congested_and_no_other() {
    // 3,000 under way: at 100 a sample three seconds, at 1,000 a sample 0.3.
    let congestion = after(20, (3_000, 100), (3_000, 1_000));
    assert!(congestion.is_congested(SLOW));
    assert!(!congestion.is_congested(QUICK));
    assert_eq!(congestion.count(), 1);
}

#[test]
fn a_bank_with_few_payments_may_take_its_time() {
    let congestion = after(20, (999, 0), (1_000, 0));
    assert!(!congestion.is_congested(SLOW));
    assert!(congestion.is_congested(QUICK), "nothing comes back at all");
}

#[test]
fn two_seconds_are_the_limit() {
    let congestion = after(20, (2_000, 100), (2_001, 100));
    assert!(!congestion.is_congested(SLOW));
    assert!(congestion.is_congested(QUICK));
}

#[test]
fn the_rate_is_that_of_the_last_second_and_recovery_is_seen_at_once() {
    let (congestion, mut gauge) = (Congestion::default(), Gauge::default());
    let start = Instant::now();
    let (mut now, mut decided) = (start, 0);
    for _ in 0..30 {
        decided += 1_000;
        sample(&mut gauge, now, 5_000, decided, &congestion);
        now += SAMPLE_EVERY;
    }
    assert!(!congestion.is_congested(SLOW));
    for _ in 0..30 {
        sample(&mut gauge, now, 5_000, decided, &congestion);
        now += SAMPLE_EVERY;
    }
    assert!(congestion.is_congested(SLOW), "the bank has fallen silent");
    sample(&mut gauge, now, 10, decided + 4_990, &congestion);
    assert!(!congestion.is_congested(SLOW));
}

#[test]
fn nothing_is_measured_between_two_samples() {
    let (congestion, mut gauge) = (Congestion::default(), Gauge::default());
    let start = Instant::now();
    sample(&mut gauge, start, 5_000, 0, &congestion);
    sample(
        &mut gauge,
        start + Duration::from_millis(99),
        5_000,
        0,
        &congestion,
    );
    assert!(!congestion.is_congested(SLOW));
    sample(
        &mut gauge,
        start + Duration::from_millis(100),
        5_000,
        0,
        &congestion,
    );
    assert!(congestion.is_congested(SLOW));
}

fn sample(gauge: &mut Gauge, now: Instant, under_way: u32, decided: u64, to: &Congestion) {
    let load = PayeeLoad { under_way, decided };
    gauge.sample(now, &loads(load, PayeeLoad::default()), to);
}
