//! What the switch tells Prometheus. Every metric is named here, and set here or not at all.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;
use torap_index::Index;

use super::switch::Switch;
use crate::config::Listen;

/// How often gauges are taken.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

const LINKS: &str = "torap_links_signed_on";
const INTAKE: &str = "torap_intake_waiting";
const CONGESTED: &str = "torap_participants_congested";
const DURABLE: &str = "torap_log_durable_position";
const FOLLOWER_LAG: &str = "torap_follower_lag_records";
const PAYMENTS: &str = "torap_payments_finished";
const IN_FLIGHT: &str = "torap_payments_in_flight";
const AVAILABLE: &str = "torap_position_available_tiyn";
const CONSERVED: &str = "torap_ledger_conserved";
const SETTLEMENTS_DUE: &str = "torap_card_settlements_due";
const DEFAULTS: &str = "torap_card_defaults";
const RECONCILED: &str = "torap_reconciliation_agrees";
const UNWRITABLE: &str = "torap_outbound_unwritable_total";
const CPU: &str = "torap_cpu_microseconds_total";
const JOURNAL_RECORDS: &str = "torap_journal_records_total";
const JOURNAL_GROUPS: &str = "torap_journal_groups_total";
const JOURNAL_BYTES: &str = "torap_journal_bytes_total";
const SYNC: &str = "torap_journal_sync_microseconds_total";
const SYNC_MAX: &str = "torap_journal_sync_microseconds_max";
const SEGMENTS: &str = "torap_journal_segments_total";
const SEGMENTS_LATE: &str = "torap_journal_segments_late_total";
const SEGMENTS_READY: &str = "torap_journal_segments_ready";
const PREPARATIONS_FAILED: &str = "torap_journal_preparations_failed_total";

/// Opens the door, if it is configured; returns its address.
pub(super) fn open(listen: &Listen) -> Result<Option<SocketAddr>, String> {
    let Some(address) = listen.metrics else {
        return Ok(None);
    };
    // The exporter reports no address back, so a port of the system's choice is found first.
    let address = match address.port() {
        0 => std::net::TcpListener::bind(address)
            .and_then(|listener| listener.local_addr())
            .map_err(|error| format!("listen.metrics: cannot listen on {address}: {error}"))?,
        _ => address,
    };
    PrometheusBuilder::new()
        .with_http_listener(address)
        .install()
        .map_err(|error| format!("listen.metrics: cannot listen on {address}: {error}"))?;
    describe_gauge!(LINKS, "participants signed on");
    describe_gauge!(INTAKE, "commands that wait for the core");
    describe_gauge!(
        CONGESTED,
        "participants to which new payments are refused, because answers come back too slowly"
    );
    describe_gauge!(DURABLE, "last durable log position");
    describe_gauge!(FOLLOWER_LAG, "records that the read side is behind");
    describe_gauge!(PAYMENTS, "payments with a final outcome, in the index");
    describe_gauge!(IN_FLIGHT, "payments between reserve and outcome");
    describe_gauge!(AVAILABLE, "available position of a participant, in tiyn");
    describe_gauge!(CONSERVED, "1 while debits equal credits in every asset");
    describe_gauge!(
        RECONCILED,
        "1 if the day that was reconciled last agrees, 0 if not"
    );
    describe_gauge!(
        SETTLEMENTS_DUE,
        "card sessions in IMTS whose debtors have not all paid"
    );
    describe_gauge!(
        DEFAULTS,
        "defaults of card sessions that have not been paid back"
    );
    describe_counter!(
        UNWRITABLE,
        "messages to banks in whose place a SKIP was sent because they cannot be written"
    );
    // Shown from the first moment, so that its first rise is seen.
    counter!(UNWRITABLE).absolute(0);
    describe_counter!(CPU, "processor time of the switch");
    describe_journal();
    Ok(Some(address))
}

fn describe_journal() {
    describe_counter!(JOURNAL_RECORDS, "records written to the log");
    describe_counter!(JOURNAL_GROUPS, "groups of records, each with one sync");
    describe_counter!(JOURNAL_BYTES, "bytes written to the log");
    describe_counter!(SYNC, "time spent in syncs of the log");
    describe_gauge!(SYNC_MAX, "longest sync of the log since the start");
    describe_counter!(SEGMENTS, "segments begun");
    describe_counter!(
        SEGMENTS_LATE,
        "segments that were not ready when needed: everything waited for them"
    );
    describe_gauge!(
        SEGMENTS_READY,
        "segments filled in advance, two but for moments"
    );
    describe_counter!(
        PREPARATIONS_FAILED,
        "failed attempts to fill a segment in advance"
    );
}

fn sample_journal(health: &torap_journal::Health) {
    let counts = &health.counts;
    counter!(JOURNAL_RECORDS).absolute(counts.records);
    counter!(JOURNAL_GROUPS).absolute(counts.groups);
    counter!(JOURNAL_BYTES).absolute(counts.bytes);
    counter!(SYNC).absolute(counts.sync_nanos / 1_000);
    set(SYNC_MAX, counts.sync_nanos_max / 1_000);
    counter!(SEGMENTS).absolute(counts.segments_begun);
    counter!(SEGMENTS_LATE).absolute(counts.segments_late);
    set(SEGMENTS_READY, health.segments_ready as u64);
    counter!(PREPARATIONS_FAILED).absolute(health.preparations_failed);
}

/// A day has been reconciled.
pub(super) fn reconciled(agrees: bool) {
    set(RECONCILED, u64::from(agrees));
}

/// A message to a bank cannot be written; a SKIP was sent in its place.
pub(super) fn unwritable() {
    counter!(UNWRITABLE).increment(1);
}

/// Takes the gauges until it is aborted.
pub(super) async fn sample(switch: Arc<Switch>) {
    let mut every = tokio::time::interval(SAMPLE_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let durable = switch.durable();
        let applied = switch.follower.applied.load(Ordering::Acquire);
        set(LINKS, switch.registry.signed_on() as u64);
        set(INTAKE, switch.intake.waiting() as u64);
        set(CONGESTED, switch.congestion.count() as u64);
        set(DURABLE, durable);
        set(FOLLOWER_LAG, durable.saturating_sub(applied));
        set(PAYMENTS, switch.index.counts().payments);
        counter!(CPU).absolute(super::control::cpu_us());
        sample_journal(&switch.journal.health());
        let question = |engine: &torap_engine::Engine| {
            (
                engine.stats().in_flight,
                engine.positions().collect::<Vec<_>>(),
                engine.conservation().is_ok(),
                engine
                    .card_settlements()
                    .filter(|one| one.until.is_some())
                    .count(),
                engine.card_defaults().count(),
            )
        };
        let Ok((in_flight, positions, conserved, due, defaults)) = switch.ask(question).await
        else {
            return;
        };
        set(IN_FLIGHT, in_flight as u64);
        set(CONSERVED, u64::from(conserved));
        set(SETTLEMENTS_DUE, due as u64);
        set(DEFAULTS, defaults as u64);
        for position in positions {
            let view = switch
                .network()
                .by_id(position.participant)
                .map(|view| view.code.as_str().to_string());
            if let Some(code) = view {
                gauge!(AVAILABLE, "participant" => code).set(position.available as f64);
            }
        }
    }
}

fn set(name: &'static str, value: u64) {
    gauge!(name).set(as_gauge(value));
}

/// Gauges are 64-bit floats on the wire; beyond 2^53 the last digits are lost, which a chart does not show.
fn as_gauge(value: u64) -> f64 {
    value as f64
}
