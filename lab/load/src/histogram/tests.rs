use super::*;
use crate::identity::mixed;

#[test]
fn every_bucket_ends_where_the_next_begins() {
    for bucket in 0..BUCKETS - 1 {
        let last = last_of(bucket);
        assert_eq!(bucket_of(last), bucket, "end of bucket {bucket}");
        assert_eq!(
            bucket_of(last + 1),
            bucket + 1,
            "begin of bucket {}",
            bucket + 1
        );
    }
    assert_eq!(last_of(BUCKETS - 1), (1 << TOP_BITS) - 1);
}

#[test]
fn quantiles_agree_with_sorted_values_to_three_digits() {
    // Spread over all magnitudes: a random number of random bits.
    for count in [1_usize, 2, 999, 1000, 1001, 100_000] {
        let mut histogram = Histogram::default();
        let mut values: Vec<u64> = (0..count as u64)
            .map(|place| mixed(place) >> (64 - 26 + mixed(!place) % 26))
            .collect();
        for value in &values {
            histogram.record(*value);
        }
        values.sort_unstable();
        for per_mille in [1, 10, 500, 900, 990, 999, 1000] {
            let rank = (count * per_mille).div_ceil(1000).max(1);
            let exact = values[rank - 1];
            let found = histogram.at_per_mille(per_mille as u64).unwrap();
            assert!(found >= exact, "{per_mille} of {count}: {found} < {exact}");
            let slack = exact / 1024;
            assert!(
                found <= exact + slack,
                "{per_mille} of {count}: {found} > {exact} + {slack}"
            );
        }
        assert_eq!(histogram.total(), count as u64);
        assert_eq!(histogram.max_us(), *values.last().unwrap());
    }
}

#[test]
fn values_beyond_the_range_are_counted_and_the_largest_is_exact() {
    let mut histogram = Histogram::default();
    for value in [5, u64::MAX, 1 << 40] {
        histogram.record(value);
    }
    assert_eq!(histogram.at_per_mille(300), Some(5));
    assert_eq!(histogram.at_per_mille(1000), Some(u64::MAX));
    assert_eq!(histogram.max_us(), u64::MAX);
}

#[test]
fn an_empty_histogram_has_no_quantiles() {
    assert_eq!(Histogram::default().at_per_mille(500), None);
}
