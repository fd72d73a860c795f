//! The sample files beside the repository: the parser's verdict is the one their folder gives them.

use std::fs;

use torap_iso20022::check::{Profile, check};
use torap_iso20022::{MessageType, Mode, Parser};

use crate::oracle::{Case, Oracle, shared_data};

/// Samples that the folder's verdict is not about.
const SKIPPED: &[(&str, &str)] = &[(
    "valid/moov-io__head.001.001.02__fednow-sample-message-admi998.xml",
    "its header is valid, but its message is one of a single scheme, without an XSD of ISO 20022",
)];

#[test]
fn every_sample_of_a_known_message() {
    let folder = shared_data().join("samples");
    let Ok(sources) = fs::read_to_string(folder.join("SOURCES.tsv")) else {
        println!("skipped: no samples at {}", folder.display());
        return;
    };
    let mut counts = [0; 2];
    for line in sources.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (Some(file), Some(messages)) = (columns.first(), columns.get(5)) else {
            continue;
        };
        if !messages
            .split('+')
            .all(|message| MessageType::from_identifier(message).is_some())
        {
            continue;
        }
        if let Some((_, reason)) = SKIPPED.iter().find(|(name, _)| name == file) {
            println!("{file} skipped: {reason}");
            continue;
        }
        let bytes = fs::read(folder.join(file)).unwrap();
        let is_valid = !file.starts_with("invalid/");
        let verdict = check(&bytes, Profile::None);
        assert_eq!(verdict.is_ok(), is_valid, "{file}: {verdict:?}");
        if let Ok(label) = verdict {
            assert_eq!(label.to_string(), *messages, "{file}");
        }
        counts[usize::from(is_valid)] += 1;
    }
    assert!(counts[0] >= 10 && counts[1] >= 30, "{counts:?}");
}

#[test]
fn the_parts_of_sample_envelopes() {
    let folder = shared_data().join("samples/valid");
    let (Some(oracle), Ok(files)) = (Oracle::find(), fs::read_dir(&folder)) else {
        println!("skipped: no samples at {}", folder.display());
        return;
    };
    let mut parser = Parser::new();
    let mut parts = Vec::new();
    for file in files {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let Ok(parsed) = parser.parse(&bytes, Mode::SchemaOnly) else {
            continue;
        };
        for part in [parsed.header(), parsed.document()].into_iter().flatten() {
            assert!(part.is_self_contained());
            parts.push(Case {
                message: part.message(),
                bytes: part.bytes().to_vec(),
            });
        }
    }
    assert!(parts.len() >= 30, "{}", parts.len());
    assert!(oracle.verdicts(&parts).into_iter().all(|accepts| accepts));
}
