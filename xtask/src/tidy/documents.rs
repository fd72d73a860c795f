//! Rules for documents: links lead somewhere, and every promise names a bench or test that exists.

use std::path::Path;

use super::Finding;

/// Marks a promise's proof in SPECIFICATION.md: `proof: path/to/file.rs`, optionally `::name`.
const PROOF: &str = "proof: `";

pub(super) fn check(root: &Path, files: &[String], findings: &mut Vec<Finding>) {
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        check_links(root, file, &text, findings);
        if file == "SPECIFICATION.md" {
            check_promises(root, file, &text, findings);
        }
    }
}

fn check_links(root: &Path, file: &str, text: &str, findings: &mut Vec<Finding>) {
    let folder = root.join(file);
    let folder = folder.parent().unwrap_or(root);
    for (index, line) in text.lines().enumerate() {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
            let outside =
                target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !outside && !folder.join(target).exists() {
                findings.push(Finding::new(
                    format!("{file}:{}", index + 1),
                    format!("link to `{target}` leads nowhere"),
                ));
            }
        }
    }
}

fn check_promises(root: &Path, file: &str, text: &str, findings: &mut Vec<Finding>) {
    let mut numbers = std::collections::BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let place = || format!("{file}:{}", index + 1);
        let is_promise = line.starts_with("| P");
        if is_promise && !line.contains(PROOF) {
            findings.push(Finding::new(place(), "a promise without a proof"));
        }
        let number = line.split('|').nth(1).unwrap_or_default().trim();
        if is_promise && !numbers.insert(number) {
            findings.push(Finding::new(place(), format!("promise {number} twice")));
        }
        for rest in line.split(PROOF).skip(1) {
            let proof = rest.split('`').next().unwrap_or_default();
            let (path, name) = proof.split_once("::").unwrap_or((proof, ""));
            match std::fs::read_to_string(root.join(path)) {
                Err(_) => findings.push(Finding::new(
                    place(),
                    format!("proof `{path}` does not exist"),
                )),
                Ok(source) if !source.contains(name) => {
                    findings.push(Finding::new(place(), format!("`{path}` has no `{name}`")))
                }
                Ok(_) => {}
            }
        }
    }
}
