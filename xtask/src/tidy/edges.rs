//! Dependencies point one way. The table is the architecture; an edge that is not in it fails.

use std::path::Path;

use super::Finding;

/// Folder, and the packages of ours it may depend on outside of tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("iso20022", &[]),
    ("iso8583", &[]),
    ("switch/domain", &[]),
    ("switch/ledger", &["domain"]),
    ("clearing", &["domain", "ledger"]),
    ("settlement", &[]),
    (
        "switch/engine",
        &["domain", "ledger", "clearing", "settlement"],
    ),
    ("switch/journal", &[]),
    ("switch/core", &["domain", "engine", "journal"]),
    ("switch/index", &["domain", "engine"]),
    ("switch/hsm", &[]),
    (
        "switch/gateway",
        &["iso20022", "iso8583", "domain", "engine", "index", "hsm"],
    ),
    (
        "switch/follower",
        &["domain", "engine", "journal", "core", "index"],
    ),
    (
        "switch/node",
        &[
            "iso20022",
            "iso8583",
            "domain",
            "ledger",
            "settlement",
            "engine",
            "journal",
            "core",
            "index",
            "gateway",
            "follower",
            "bank",
            "load",
            "certify",
            "simulator",
            "hsm",
            "hsm-sim",
        ],
    ),
    (
        "lab/bank",
        &["iso20022", "iso8583", "domain", "hsm", "gateway", "hsm-sim"],
    ),
    ("lab/hsm", &["hsm"]),
    (
        "lab/load",
        &[
            "iso20022", "iso8583", "domain", "hsm", "gateway", "bank", "hsm-sim",
        ],
    ),
    (
        "lab/certify",
        &["iso20022", "iso8583", "domain", "gateway", "bank"],
    ),
    (
        "lab/simulator",
        &[
            "iso8583",
            "domain",
            "clearing",
            "settlement",
            "engine",
            "journal",
            "core",
            "index",
            "ledger",
            "iso20022",
            "gateway",
            "follower",
            "bank",
        ],
    ),
    (
        "tests",
        &[
            "iso20022", "iso8583", "domain", "engine", "journal", "gateway", "bank", "load",
            "node", "hsm", "hsm-sim",
        ],
    ),
    ("xtask", &[]),
];

pub(super) fn check(root: &Path, findings: &mut Vec<Finding>) {
    let members = members(root);
    for member in &members {
        let manifest = root.join(member).join("Cargo.toml");
        let place = format!("{member}/Cargo.toml");
        let Some((_, allowed)) = ALLOWED.iter().find(|(folder, _)| folder == member) else {
            findings.push(Finding::new(
                place,
                "member has no row in the table of allowed edges (xtask/src/tidy/edges.rs)",
            ));
            continue;
        };
        let text = std::fs::read_to_string(&manifest).unwrap_or_default();
        for (line, dependency) in normal_dependencies(&text) {
            if !allowed.contains(&dependency.as_str()) {
                findings.push(Finding::new(
                    format!("{place}:{line}"),
                    format!("edge {member} -> {dependency} is not allowed"),
                ));
            }
        }
    }
    for (folder, _) in ALLOWED {
        if !members.iter().any(|member| member == folder) {
            findings.push(Finding::new(
                "Cargo.toml",
                format!("`{folder}` stands in the table of edges but is no member"),
            ));
        }
    }
}

fn members(root: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let inside = text
        .lines()
        .skip_while(|line| !line.starts_with("members"))
        .skip(1)
        .take_while(|line| !line.starts_with(']'));
    inside
        .filter_map(|line| line.split('"').nth(1))
        .map(String::from)
        .collect()
}

/// `torap-x` dependencies with their line, those for tests and benches left out.
fn normal_dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut section = "";
    let mut found = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim();
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if let Some(short) = name.strip_prefix("torap-")
            && section == "[dependencies]"
        {
            found.push((index + 1, short.to_string()));
        }
    }
    found
}
