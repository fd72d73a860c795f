//! RocksDB's library, compiled once a machine and version, outside of everything that cargo would rebuild it for.
//!
//! It takes 12 to 20 minutes on two cores, and cargo compiles it anew whenever the features of any crate around its build script
//! change, which they do from command to command. So it is built here once, kept beside the other artefacts, and linked by
//! `ROCKSDB_LIB_DIR`. A plain `cargo build` still works; it just compiles its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::run::{Failure, must, plain_cargo, root, target_dir};

/// The crate that compiles it.
const CRATE: &str = "librocksdb-sys";
const LIBRARY: &str = "librocksdb.a";

/// The folder that holds the library of the version in Cargo.lock, if it has been built.
pub(crate) fn library_dir() -> Option<PathBuf> {
    let dir = store().ok()?;
    dir.join(LIBRARY).is_file().then_some(dir)
}

/// Builds the library unless it is there.
pub(crate) fn prepare() -> Result<(), Failure> {
    if library_dir().is_some() {
        return Ok(());
    }
    let store = store().map_err(Failure::Refused)?;
    let build = target_dir().join("rocksdb-build");
    eprintln!(
        "compiling RocksDB, once: 12 to 20 minutes on two cores; kept in {}",
        store.display()
    );
    let mut command = plain_cargo(&["build", "--release", "--package", CRATE]);
    // Without debug information the library links in a tenth of the time.
    command
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    must(command)?;
    let built = find(&build).ok_or_else(|| {
        Failure::Refused(format!("{}: no {LIBRARY} after the build", build.display()))
    })?;
    keep(&built, &store)
        .map_err(|error| Failure::Refused(format!("{}: {error}", store.display())))?;
    // What is left is not needed; failing to remove it costs only space.
    let _ = fs::remove_dir_all(&build);
    Ok(())
}

/// Whole or not at all, even if two builds run at once.
fn keep(built: &Path, store: &Path) -> std::io::Result<()> {
    fs::create_dir_all(store)?;
    let part = store.join(format!("{LIBRARY}.{}", std::process::id()));
    fs::copy(built, &part)?;
    fs::rename(part, store.join(LIBRARY))
}

fn store() -> Result<PathBuf, String> {
    let lock = root().join("Cargo.lock");
    let text = fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    let after = text
        .split_once(&format!("name = \"{CRATE}\"\nversion = \""))
        .ok_or_else(|| format!("Cargo.lock: no {CRATE}"))?
        .1;
    let version = after.split('"').next().unwrap_or_default();
    Ok(target_dir().join(format!("rocksdb-{version}")))
}

fn find(build: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(build.join("release/build")).ok()?;
    let outputs = entries.flatten().map(|entry| entry.path()).filter(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(CRATE))
    });
    outputs
        .map(|path| path.join("out").join(LIBRARY))
        .find(|path| path.is_file())
}
