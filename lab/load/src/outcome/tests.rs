use super::*;

fn outcome() -> Outcome {
    let mut latency = Histogram::default();
    for us in 1..=1000 {
        latency.record(us * 10);
    }
    Outcome {
        scheduled: 1000,
        sent: 1000,
        settled: 999,
        rejected: BTreeMap::from([("AM04".to_string(), 1)]),
        unknown: 0,
        elapsed: Duration::from_millis(500),
        latency,
        warm_up: Duration::ZERO,
        repeated: 0,
        links_lost: 0,
        checked: 3,
        breaches: 0,
        breach_texts: Vec::new(),
        own_cpu: Duration::from_micros(12_345),
    }
}

const SWITCH: SwitchUse = SwitchUse {
    cpu_us: 41_234,
    payments_finished: 1000,
    conserved: true,
};

#[test]
fn the_line_has_exactly_these_keys_in_this_order() {
    let line = serde_json::to_string(&outcome().line(SWITCH)).unwrap();
    let expected = concat!(
        r#"{"sent":1000,"settled":999,"rejected":{"AM04":1},"unknown":0,"throughput_per_s":1998.0,"#,
        r#""latency_ms":{"p50":5.003,"p90":9.007,"p99":9.903,"p999":9.991},"#,
        r#""switch_cpu_us_per_payment":41.23,"conserved":true}"#,
    );
    assert_eq!(line, expected);
    let warmed = Outcome {
        warm_up: Duration::from_secs(5),
        ..outcome()
    };
    let line = serde_json::to_string(&warmed.line(SWITCH)).unwrap();
    assert!(
        line.contains(r#""p999":9.991},"warm_up_s":5,"switch_cpu"#),
        "{line}"
    );
}

#[test]
fn nothing_measured_is_null_and_never_a_figure() {
    let empty = Outcome {
        settled: 0,
        latency: Histogram::default(),
        ..outcome()
    };
    let line = empty.line(SwitchUse {
        payments_finished: 0,
        ..SWITCH
    });
    assert_eq!(
        line.latency_ms,
        LatencyMs {
            p50: None,
            p90: None,
            p99: None,
            p999: None
        }
    );
    assert_eq!(line.switch_cpu_us_per_payment, None);
    assert_eq!(
        Outcome {
            elapsed: Duration::ZERO,
            ..empty
        }
        .line(SWITCH)
        .throughput_per_s,
        0.0
    );
}

#[test]
fn a_run_is_good_only_without_any_loss() {
    assert!(outcome().is_good());
    assert!(
        !Outcome {
            settled: 998,
            ..outcome()
        }
        .is_good()
    );
    assert!(
        !Outcome {
            unknown: 1,
            ..outcome()
        }
        .is_good()
    );
    assert!(
        !Outcome {
            breaches: 1,
            ..outcome()
        }
        .is_good()
    );
    assert!(
        !Outcome {
            scheduled: 1001,
            ..outcome()
        }
        .is_good()
    );
    assert!(
        !Outcome {
            scheduled: 0,
            sent: 0,
            settled: 0,
            ..outcome()
        }
        .is_good()
    );
}

#[test]
fn own_cost_is_per_payment_sent() {
    assert_eq!(outcome().own_cpu_us_per_payment(), 12.35);
}
