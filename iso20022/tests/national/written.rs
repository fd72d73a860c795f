//! What the writers write: byte for byte as the golden files, valid against the schemas, and read back equal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use torap_iso20022::profile::Direction;
use torap_iso20022::view::{Body, Reader, TransactionStatus};
use torap_iso20022::{Mode, Parser};

use crate::formats::formats;
use crate::samples::{self, all, header, identifier};
use crate::written;

/// Set to write the golden files anew, after a change that is meant.
const REWRITE: &str = "TORAP_BLESS";

fn golden(name: &str) -> PathBuf {
    Path::new("tests/golden").join(format!("{name}.xml"))
}

/// With a line break between elements, so that a difference in a golden file can be read.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec())
        .unwrap()
        .replace("><", ">\n<")
        + "\n"
}

#[test]
fn golden_files() {
    for (name, body) in all() {
        let text = readable(&written(Some(&header(identifier(&body))), &body));
        if std::env::var_os(REWRITE).is_some() {
            std::fs::write(golden(name), &text).unwrap();
        }
        let expected = std::fs::read_to_string(golden(name)).unwrap_or_default();
        assert!(
            text == expected,
            "{name} differs from its golden file; it is now:\n{text}"
        );
    }
}

#[test]
fn the_parser_accepts_every_message_in_both_modes() {
    for (name, body) in all() {
        let enveloped = written(Some(&header(identifier(&body))), &body);
        let bare = written(None, &body);
        for bytes in [&enveloped, &bare] {
            for mode in [Mode::SchemaOnly, Mode::National] {
                if let Err(refusal) = Parser::new().parse(bytes, mode) {
                    panic!(
                        "{name} {mode:?}: {refusal}\n{}",
                        String::from_utf8_lossy(bytes)
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_written_reads_back_equal() {
    let mut reader = Reader::new(formats());
    for (name, body) in all() {
        let header = header(identifier(&body));
        let bytes = written(Some(&header), &body);
        let message = reader
            .read(&bytes, Direction::Either)
            .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(message.header, Some(header), "{name}");
        assert_eq!(message.body, body, "{name}");
        assert!(
            bytes[message.document.clone()].starts_with(b"<Document xmlns="),
            "{name}"
        );
        assert!(bytes[message.document].ends_with(b"</Document>"), "{name}");

        let bare = written(None, &body);
        let message = reader
            .read(&bare, Direction::Either)
            .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!((message.header, message.body), (None, body), "{name}");
    }
}

#[test]
fn the_possible_duplicate_flag_survives() {
    let body = Body::StatusReport(samples::settled());
    let mut header = header(identifier(&body));
    header.possible_duplicate = true;
    header.service = None;
    let bytes = written(Some(&header), &body);
    let message = Reader::new(formats())
        .read(&bytes, Direction::FromSwitch)
        .unwrap();
    assert_eq!(message.header, Some(header));
}

#[test]
fn statuses_go_one_way() {
    let mut reader = Reader::new(formats());
    for (status, to_switch, from_switch) in [
        (TransactionStatus::Acsp, true, false),
        (TransactionStatus::Acsc, false, true),
        (TransactionStatus::Rjct, true, true),
        (TransactionStatus::Pdng, false, true),
    ] {
        let bytes = written(
            None,
            &Body::StatusReport(torap_iso20022::view::StatusReport {
                status,
                ..samples::rejected()
            }),
        );
        assert_eq!(
            reader.read(&bytes, Direction::ToSwitch).is_ok(),
            to_switch,
            "{status:?}"
        );
        assert_eq!(
            reader.read(&bytes, Direction::FromSwitch).is_ok(),
            from_switch,
            "{status:?}"
        );
    }
}

/// The credit transfer written with everything it can carry is the bench document without its blanks between elements.
#[test]
fn a_credit_transfer_has_the_shape_of_the_bench_document() {
    let bench = std::fs::read_to_string("benches/data/pacs008-84.xml").unwrap();
    let bench: String = bench.lines().map(str::trim).collect::<Vec<_>>().join("");
    // The bench document writes the service code in its short spelling.
    let bench = bench.replace("<Prtry>C2C</Prtry>", "<Prtry>C2C2</Prtry>");
    let bytes = written(None, &Body::CreditTransfer(samples::by_account()));
    assert_eq!(readable(&bytes), readable(bench.as_bytes()));
}

/// The envelope shown in docs/messages.md is one that the switch reads.
#[test]
fn the_example_of_the_documentation_is_right() {
    let page = std::fs::read_to_string("../docs/messages.md").unwrap();
    let example = page
        .split("```xml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let bare = written(None, &Body::CreditTransfer(samples::by_account()));
    let bare = String::from_utf8(bare).unwrap();
    let content = bare
        .split_once("tech:xsd:pacs.008.001.10\">")
        .unwrap()
        .1
        .replace("</Document>", "");
    let example = example.replace("    ...\n", &content);
    let message = Reader::new(formats())
        .read(example.as_bytes(), Direction::ToSwitch)
        .unwrap_or_else(|refusal| panic!("{refusal}\n{example}"));
    assert_eq!(
        message.header,
        Some(header("HSBKKZKX20261121000000000001234"))
    );
}

#[test]
fn xmllint_accepts_every_document() {
    is_valid_by_xmllint(all());
}

/// libxml2 with the XSDs, where both are at hand. Documents and headers are judged apart, all of one schema in one call.
pub(crate) fn is_valid_by_xmllint<'a>(
    messages: impl IntoIterator<Item = (&'static str, Body<'a>)>,
) {
    let mut parts = Vec::new();
    for (name, body) in messages {
        let header = header(identifier(&body));
        let enveloped = written(Some(&header), &body);
        parts.push((name, written(None, &body)));
        parts.push((name, header_of(&enveloped)));
    }
    xmllint_accepts(parts);
}

/// The header of an enveloped message.
fn header_of(enveloped: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(enveloped).unwrap();
    let start = text.find("<AppHdr").unwrap();
    let end = text.find("</AppHdr>").unwrap() + "</AppHdr>".len();
    text.as_bytes()[start..end].to_vec()
}

/// Documents and headers, each alone.
pub(crate) fn xmllint_accepts(parts: impl IntoIterator<Item = (&'static str, Vec<u8>)>) {
    let schemas = Path::new("../../shared/data/xsd");
    if !schemas.is_dir() || Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!(
            "skipped: needs xmllint and the XSDs in {}",
            schemas.display()
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (number, (name, part)) in parts.into_iter().enumerate() {
        let namespace = String::from_utf8_lossy(&part)
            .split("tech:xsd:")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let file = folder.path().join(format!("{number}-{name}.xml"));
        std::fs::write(&file, part).unwrap();
        files.entry(namespace).or_default().push(file);
    }
    for (namespace, files) in files {
        let output = Command::new("xmllint")
            .args(["--noout", "--schema"])
            .arg(schemas.join(format!("{namespace}.xsd")))
            .args(&files)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{namespace}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
