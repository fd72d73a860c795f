//! How long a start takes: `cargo xtask bench recovery [--payments N]`.
//!
//! It writes the log of so many payments straight to the disk (10 million unless told), with a snapshot 1 million payments
//! before the end or halfway, and starts on it by the code of every start: journal, snapshot, state and index. One line of
//! JSON on standard output. `TORAP_BENCH_DIR` is where the log is written and removed again; by default the system's temporary
//! folder.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench reports")]

mod bed;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

/// The allocator of the switch.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAYMENTS: u64 = 10_000_000;
/// Payments after the snapshot, at most.
const SNAPSHOT_AGE_MAX: u64 = 1_000_000;
/// Room that a payment takes on the disk: log, index and its compactions, snapshots.
const ROOM_PER_PAYMENT: u64 = 2_600;
/// Room that even an empty switch takes: two segments.
const ROOM: u64 = 1 << 30;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let payments = match wanted(&arguments) {
        Ok(payments) => payments,
        Err(text) => {
            eprintln!("recovery: {text}");
            return ExitCode::from(2);
        }
    };
    let parent = std::env::var_os("TORAP_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    match measure(&parent, payments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("recovery: {text}");
            ExitCode::FAILURE
        }
    }
}

/// `--payments N`; what `cargo bench` adds by itself is passed over.
fn wanted(arguments: &[String]) -> Result<u64, String> {
    let mut payments = PAYMENTS;
    let mut rest = arguments.iter().filter(|argument| *argument != "--bench");
    while let Some(argument) = rest.next() {
        let value = match argument.as_str() {
            "--payments" => rest.next(),
            other => return Err(format!("unknown argument `{other}`")),
        };
        payments = value
            .and_then(|value| value.parse().ok())
            .filter(|payments| *payments > 0)
            .ok_or("--payments takes a number above zero")?;
    }
    Ok(payments)
}

fn measure(parent: &Path, payments: u64) -> Result<bool, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", parent.display());
    let free = {
        let room = rustix::fs::statvfs(parent).map_err(|error| named(&error))?;
        room.f_bavail * room.f_frsize
    };
    let needed = ROOM + payments * ROOM_PER_PAYMENT;
    if free < needed {
        let skipped = format!(
            "{}: {} MiB are free, {} MiB are needed",
            parent.display(),
            free >> 20,
            needed >> 20
        );
        println!(
            "{}",
            serde_json::json!({ "payments": payments, "skipped": skipped })
        );
        return Ok(true);
    }
    let folder = tempfile::Builder::new()
        .prefix("torap-recovery-")
        .tempdir_in(parent)
        .map_err(|error| named(&error))?;
    let age = SNAPSHOT_AGE_MAX.min(payments / 2);
    let began = Instant::now();
    let mut generate_s = 0.0;
    let outcome = bed::run(folder.path(), payments, age, &mut || {
        generate_s = began.elapsed().as_secs_f64();
    })?;
    let start_up = &outcome.start_up;
    let is_right = start_up.digest == outcome.digest
        && start_up.conserved
        && start_up.payments == payments
        && start_up.snapshot.is_some();
    let (snapshot_bytes, snapshot_took) = outcome.snapshot.unwrap_or_default();
    let line = serde_json::json!({
        "payments": payments,
        "log_bytes": outcome.log_bytes,
        "generate_s": rounded(generate_s),
        "snapshot_age": outcome.snapshot_age,
        "snapshot_bytes": snapshot_bytes,
        "snapshot_s": rounded(snapshot_took.as_secs_f64()),
        "records_replayed": start_up.replayed,
        "recover_s": rounded(start_up.took.as_secs_f64()),
        "load_s": rounded(start_up.loaded.as_secs_f64()),
        "indexed": start_up.payments,
        "conserved": start_up.conserved,
        "same_state": start_up.digest == outcome.digest,
    });
    println!("{line}");
    Ok(is_right)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}
