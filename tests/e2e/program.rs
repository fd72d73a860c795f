//! The program under test, and laboratories made of it.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use tempfile::TempDir;
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
