//! The program under test, and laboratories made of it.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use tempfile::TempDir;
use torap_domain::{Date, Span, Time};
use torap_node::demo::{Lab, Options};

/// `torap`, built beside this test's binary.
///
/// # Panics
/// It is not there: `cargo xtask test` builds it first.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().expect("own path");
    let program = own.ancestors().nth(2).expect("target folder").join("torap");
    assert!(
        program.is_file(),
        "{} is missing; run `cargo xtask test`, which builds it first",
        program.display()
    );
    program
}

/// Runs the program to its end.
pub fn torap(arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .output()
        .expect("torap runs")
}

/// The time of the machine.
pub fn now() -> Time {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    Time::from_nanos(u64::try_from(now.as_nanos()).expect("a clock before 2554"))
}

/// Waits for the next day if this one is about to end: a test of a day's statements must not see two.
pub fn within_one_day() {
    const NEEDED: Span = Span::from_secs(120);
    let soon = now().saturating_add(NEEDED);
    if Date::from_time(soon) != Date::from_time(now()) {
        std::thread::sleep(std::time::Duration::from_nanos(NEEDED.nanos()));
    }
}

/// A switch and four banks in a temporary folder, which is removed with the first of the pair.
pub fn lab() -> (TempDir, Lab) {
    lab_with(|_| {})
}

/// As `lab`, with other options.
pub fn lab_with(change: impl FnOnce(&mut Options)) -> (TempDir, Lab) {
    let dir = TempDir::new().expect("temporary folder");
    let mut options = Options::new(program(), dir.path().join("lab"));
    change(&mut options);
    let lab = Lab::start(options)
        .unwrap_or_else(|error| panic!("the laboratory does not start: {error}"));
    (dir, lab)
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
