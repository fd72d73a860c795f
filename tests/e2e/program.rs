//! The program under test, and laboratories made of it.

use std::{
    net::SocketAddr,
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
    let dir = TempDir::new().expect("temporary folder");
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options {
        program: program(),
        dir: dir.path().join("lab"),
        listen,
        metrics: None,
    };
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
