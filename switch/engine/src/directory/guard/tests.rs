use torap_domain::{ParticipantId, Span, Time};

use super::{Guard, Reader, Settings, Writer};

const BANK: ParticipantId = ParticipantId(1);

/// 10 tokens, 2 a second, a hit costs 1 and a miss 4.
fn settings() -> Settings {
    Settings {
        lookup_capacity: 10,
        lookup_refill_per_s: 2,
        lookup_hit_cost: 1,
        lookup_miss_cost: 4,
        ..Settings::initial()
    }
}

fn at(millis: u64) -> Time {
    Time::EPOCH.saturating_add(Span::from_millis(1_000_000 + millis))
}

#[test]
fn misses_cost_more_and_an_empty_bucket_refuses_hits_and_misses_alike() {
    // (milliseconds, hit, answered)
    let script = [
        (0, false, true),   // 10 → 6
        (0, false, true),   // 6 → 2
        (0, true, false),   // 2 is below the dearer price: even a hit is not answered
        (0, false, false),  // and costs nothing
        (999, true, false), // 3.998
        (1000, true, true), // 4 → 3
        (1499, true, false),
        (1500, false, true),    // 4 → 0
        (1500, true, false),    // 0
        (100_000, true, true),  // full again, never above 10: 10 → 9
        (100_000, false, true), // 9 → 5
        (100_000, false, true), // 5 → 1
        (100_000, true, false),
    ];
    let mut guard = Guard::new();
    for (step, (millis, hit, answered)) in script.into_iter().enumerate() {
        let charged = guard.charge(BANK, hit, &settings(), at(millis));
        assert_eq!(charged, answered, "step {step}");
    }
}

#[test]
fn refills_add_up_exactly_however_often_they_are_taken() {
    // A bucket of one token, refilled in a second and asked a thousand times meanwhile: nothing is lost or won by rounding.
    let settings = Settings {
        lookup_capacity: 1,
        lookup_refill_per_s: 1,
        lookup_hit_cost: 1,
        lookup_miss_cost: 1,
        ..settings()
    };
    let mut guard = Guard::new();
    assert!(guard.charge(BANK, true, &settings, Time::from_nanos(0)));
    for nanos in (0..1_000_000_000).step_by(999_983) {
        assert!(!guard.charge(BANK, true, &settings, Time::from_nanos(nanos)));
    }
    let last = Time::from_nanos(999_999_999);
    assert!(!guard.charge(BANK, true, &settings, last));
    assert!(guard.charge(BANK, true, &settings, Time::from_nanos(1_000_000_000)));
}

#[test]
fn one_bank_does_not_empty_the_bucket_of_another() {
    let mut guard = Guard::new();
    while guard.charge(BANK, false, &settings(), at(0)) {}
    assert!(guard.charge(ParticipantId(2), false, &settings(), at(0)));
}

#[test]
fn the_largest_settings_and_times_overflow_nothing() {
    let settings = Settings {
        lookup_capacity: u32::MAX,
        lookup_refill_per_s: u32::MAX,
        lookup_hit_cost: u32::MAX,
        lookup_miss_cost: u32::MAX,
        ..settings()
    };
    let mut guard = Guard::new();
    assert!(guard.charge(BANK, true, &settings, Time::EPOCH));
    assert!(!guard.charge(BANK, true, &settings, Time::EPOCH));
    assert!(guard.charge(BANK, true, &settings, Time::MAX));
    // A lowered capacity takes what is above it.
    assert!(!guard.charge(BANK, true, &self::settings(), Time::MAX));
    // A price above the capacity closes the directory.
    let closed = Settings {
        lookup_miss_cost: 11,
        ..self::settings()
    };
    assert!(!guard.charge(ParticipantId(2), true, &closed, Time::MAX));
}

#[test]
fn a_snapshot_holds_every_bucket_in_order() {
    let mut before = Guard::new();
    for id in [3, 1, 2] {
        before.charge(ParticipantId(id), true, &settings(), at(u64::from(id)));
    }
    let mut bytes = Vec::new();
    before.write(&mut Writer::new(&mut bytes));
    assert_eq!(
        Guard::read(&mut Reader::new("snapshot", &bytes)),
        Ok(before)
    );
    // The first bucket under the identifier of the second.
    bytes[1] = 2;
    assert!(Guard::read(&mut Reader::new("snapshot", &bytes)).is_err());
    for cut in 0..bytes.len() {
        assert!(Guard::read(&mut Reader::new("snapshot", &bytes[..cut])).is_err());
    }
}
