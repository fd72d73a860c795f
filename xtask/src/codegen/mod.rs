//! `cargo xtask codegen`: the tables of `iso20022/src/generated/` from the XSDs of ISO 20022.
//!
//! The XSDs are not part of the repository; they are read from `../shared/data/xsd` beside it. The tables are committed, so a build
//! never needs them. Another message or version is one line in [`MESSAGES`].

mod emit;
mod pattern;
#[cfg(test)]
mod tests;
mod usage;
mod xsd;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::root;

/// The messages that tables are generated for: every version whose XSD is present is taken.
const MESSAGES: &[&str] = &[
    "acmt.023", "acmt.024", "admi.002", "admi.004", "admi.007", "admi.009", "admi.010", "admi.011",
    "camt.003", "camt.004", "camt.005", "camt.006", "camt.007", "camt.025", "camt.029", "camt.050",
    "camt.052", "camt.053", "camt.054", "camt.056", "camt.060", "head.001", "pacs.002", "pacs.004",
    "pacs.008", "pacs.009", "pacs.028",
];

/// Writes the tables, or with `check_only` fails if the committed ones are not what the XSDs give.
///
/// # Errors
/// Says which XSD uses something that the tables cannot express, which file cannot be read or written, or which one is stale.
pub(crate) fn run(check_only: bool) -> Result<(), String> {
    usage::run(check_only)?;
    let root = root();
    let schemas = root.join("../shared/data/xsd");
    if !schemas.is_dir() {
        if check_only {
            println!(
                "codegen --check skipped: no XSD folder at {}",
                schemas.display()
            );
            return Ok(());
        }
        return Err(format!("no XSD folder at {}", schemas.display()));
    }
    let files = emit::files(&read_schemas(&schemas)?)?;
    let folder = root.join("iso20022/src/generated");
    if check_only {
        check(&folder, &files)
    } else {
        write(&folder, &files)
    }
}

fn read_schemas(folder: &Path) -> Result<Vec<xsd::Schema>, String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry
            .map_err(|error| format!("{}: {error}", folder.display()))?
            .path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let is_wanted = MESSAGES
            .iter()
            .any(|message| name.starts_with(&format!("{message}.")));
        if is_wanted && name.ends_with(".xsd") {
            paths.push(path);
        }
    }
    paths.sort();
    for message in MESSAGES {
        let is_present = paths.iter().any(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(message))
        });
        if !is_present {
            return Err(format!("no XSD of {message} in {}", folder.display()));
        }
    }
    paths
        .iter()
        .map(|path| {
            let text =
                fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            xsd::read(&name, &text).map_err(|error| format!("{}: {error}", path.display()))
        })
        .collect()
}

fn check(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, text) in files {
        let path = folder.join(name);
        let committed =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if committed != *text {
            return Err(format!(
                "{} is stale: run `cargo xtask codegen`",
                path.display()
            ));
        }
    }
    match stray_file(folder, files)? {
        Some(path) => Err(format!(
            "{} is generated from no XSD: run `cargo xtask codegen`",
            path.display()
        )),
        None => Ok(()),
    }
}

fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    while let Some(path) = stray_file(folder, files)? {
        fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for (name, text) in files {
        let path = folder.join(name);
        // An unchanged file keeps its time, so that a build after codegen compiles nothing anew.
        if fs::read_to_string(&path).is_ok_and(|committed| committed == *text) {
            continue;
        }
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    println!("codegen: {} files in {}", files.len(), folder.display());
    Ok(())
}

fn stray_file(folder: &Path, files: &BTreeMap<String, String>) -> Result<Option<PathBuf>, String> {
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry
            .map_err(|error| format!("{}: {error}", folder.display()))?
            .path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if !files.contains_key(&name) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
