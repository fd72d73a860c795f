//! Starting other programs, with the workspace's folder and target folder.

use crate::rocksdb;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong use: exit status 2.
    Usage(String),
    /// It was done and came out wrong: exit status 1.
    Refused(String),
}

/// Root of the workspace: the parent of this package's folder as cargo states it at run time. What was compiled in would name
/// another clone where clones share a target folder.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// `CARGO_TARGET_DIR`, or a folder under the user's cache, so that RocksDB is compiled once a machine.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => {
            let home = std::env::var_os("HOME").map_or_else(std::env::temp_dir, PathBuf::from);
            home.join(".cache/torap/target")
        }
    }
}

/// The built program.
pub(crate) fn torap() -> PathBuf {
    target_dir().join("release/torap")
}

/// A cargo command in the workspace with the shared target folder and the RocksDB that is already there.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = plain_cargo(arguments);
    if let Some(dir) = rocksdb::library_dir() {
        command
            .env("ROCKSDB_LIB_DIR", dir)
            .env("ROCKSDB_STATIC", "1");
    }
    command
}

/// A cargo command in the workspace with the shared target folder.
pub(crate) fn plain_cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(arguments)
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target_dir());
    // What `cargo run` says of this package would make build scripts run anew after every plain `cargo build`.
    for (name, _) in std::env::vars_os() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if of_package
            .iter()
            .any(|prefix| name.to_string_lossy().starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs to the end; a non-zero status is a refusal that names the command.
pub(crate) fn must(mut command: Command) -> Result<(), Failure> {
    let line = describe(&command);
    let status = command
        .status()
        .map_err(|error| Failure::Refused(format!("cannot start `{line}`: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Refused(format!("`{line}` ended with {status}")))
    }
}

/// Runs one named step and tells how long it took.
pub(crate) fn step(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    eprintln!("==> {name}");
    let start = Instant::now();
    work()?;
    eprintln!("==> {name}: ok in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Builds the program with cargo's own progress display.
pub(crate) fn build_torap() -> Result<(), Failure> {
    must(cargo(&[
        "build",
        "--release",
        "--workspace",
        "--bin",
        "torap",
    ]))
}

fn describe(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
