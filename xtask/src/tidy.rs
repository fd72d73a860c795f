//! `cargo xtask tidy`: the house rules that a compiler does not check. Each failure names file, line and rule.

mod documents;
mod edges;
mod sources;

use crate::run::{Failure, root};

/// One broken rule.
pub(super) struct Finding {
    place: String,
    rule: String,
}

impl Finding {
    fn new(place: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            rule: rule.into(),
        }
    }
}

pub(crate) fn run() -> Result<(), Failure> {
    let root = root();
    let files = sources::tracked(&root).map_err(Failure::Refused)?;
    let mut findings = Vec::new();
    edges::check(&root, &mut findings);
    sources::check(&root, &files, &mut findings);
    documents::check(&root, &files, &mut findings);
    for finding in &findings {
        println!("{}: {}", finding.place, finding.rule);
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(Failure::Refused(format!("tidy: {count} broken rule(s)"))),
    }
}
