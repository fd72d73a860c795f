//! Rules for source files: length, names of folders, words that do not belong.

use std::{path::Path, process::Command};

use super::Finding;

/// A file tells one story.
const LINES_MAX: usize = 700;

/// Longer files, each with why it is one story. A row whose file has become short is a finding too.
const LONGER: &[(&str, &str)] = &[];

/// A piece lives with the idea it serves.
const FOLDERS_FORBIDDEN: &[&str] = &["utils", "util", "common", "helpers", "misc"];

/// Tracked files and new ones that git does not ignore.
pub(super) fn tracked(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git ls-files: {error}"))?;
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names
        .lines()
        .filter(|name| root.join(name).is_file())
        .map(String::from)
        .collect())
}

pub(super) fn check(root: &Path, files: &[String], findings: &mut Vec<Finding>) {
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        check_path(file, findings);
        if !file.contains("/generated/") {
            check_length(file, text.lines().count(), findings);
            check_words(file, &text, findings);
        }
    }
}

fn check_path(file: &str, findings: &mut Vec<Finding>) {
    let parts = file.trim_end_matches(".rs").split('/');
    if let Some(part) = parts
        .into_iter()
        .find(|part| FOLDERS_FORBIDDEN.contains(part))
    {
        findings.push(Finding::new(file, format!("`{part}` names no idea")));
    }
}

fn check_length(file: &str, lines: usize, findings: &mut Vec<Finding>) {
    let exception = LONGER.iter().find(|(name, _)| *name == file);
    match (lines > LINES_MAX, exception) {
        (true, None) => findings.push(Finding::new(
            file,
            format!("{lines} lines, more than {LINES_MAX}: does it tell one story?"),
        )),
        (false, Some(_)) => findings.push(Finding::new(
            file,
            "no longer over the limit; take its row out of LONGER",
        )),
        _ => {}
    }
}

fn check_words(file: &str, text: &str, findings: &mut Vec<Finding>) {
    // Built at run time so that this file does not find itself.
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["#[ig", "nore"].concat(),
    ];
    let folder = ["env!(\"CARGO_", "MANIFEST_DIR\")"].concat();
    for (index, line) in text.lines().enumerate() {
        // Clones share a target folder, so that a program may have been built in one that is gone. xtask falls back to it.
        if line.contains(&folder) && file != "xtask/src/run.rs" {
            findings.push(Finding::new(
                format!("{file}:{}", index + 1),
                "the folder of this clone would be compiled in: ask for it at run time",
            ));
        }
        if let Some(word) = words.iter().find(|word| line.contains(word.as_str())) {
            findings.push(Finding::new(
                format!("{file}:{}", index + 1),
                format!("`{word}`: finish it, or leave it out"),
            ));
        }
    }
}
