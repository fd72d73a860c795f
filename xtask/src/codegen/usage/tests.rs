use std::collections::BTreeMap;

use super::read::{Usage, assemble};
use super::{document, tables};

const BASE: &str = r#"
message = "pacs.008"
root = "Root"
rows = [
    { name = "id", path = "A/Id", or = "B/Id", use = "mandatory", format = "identifier", meaning = "One" },
    { name = "kind", path = "A/Kind", use = "optional", format = "code", values = ["X"], wrong = "FF05", meaning = "Two" },
    { path = "A/Rest", use = "carried", meaning = "Three" },
    { name = "whole", path = "A", use = "internal", format = "element" },
]
rules = [{ name = "id-twice", wrong = "RR10", text = "Both are equal" }]
"#;

const SERVICE: &str = r#"
title = "Service"
base = "base"
order = 1
intro = "About it.\n"
rows = [{ name = "kind", use = "mandatory", values = ["Y"] }]
"#;

fn assembled(service: &str) -> Result<Vec<Usage>, String> {
    let files = [("base", BASE), ("service", service)];
    assemble(
        &files
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    )
}

#[test]
fn a_service_changes_rows_of_its_base() {
    let usages = assembled(SERVICE).unwrap();
    let source = tables::source(&usages);
    assert!(
        source.contains("pub(crate) mod base for MessageKind::Pacs008 {"),
        "{source}"
    );
    assert!(source.contains("ID_OR = \"Root/B/Id\","), "{source}");
    assert!(source.contains("values: &[\"Y\"]"), "{source}");
    assert!(!source.contains("values: &[\"X\"]"), "{source}");
    assert!(source.contains("check: rules::base::id_twice,"), "{source}");
    // An internal row is a field to read, not one to check.
    assert!(source.contains("WHOLE = \"Root/A\","), "{source}");
    assert!(!source.contains("slot: base::WHOLE,"), "{source}");
}

#[test]
fn the_document_has_the_rows_in_the_place_of_the_tables() {
    let usages = assembled(SERVICE).unwrap();
    let text = document::text("Before\n<!-- tables -->\nAfter\n", &usages).unwrap();
    assert!(
        text.contains("Before\n### Service (pacs.008)\n\nAbout it.\n"),
        "{text}"
    );
    assert!(
        text.contains("| `A/Id` or `B/Id` | M | identifier | One | CH21 | RR10 |\n"),
        "{text}"
    );
    assert!(
        text.contains("| `A/Kind` | M | `Y` | Two | CH21 | FF05 |\n"),
        "{text}"
    );
    assert!(
        text.contains("| `A/Rest` | – |  | Three |  |  |\n"),
        "{text}"
    );
    assert!(
        text.ends_with("- `id-twice`: Both are equal. Wrong: RR10.\n\nAfter\n"),
        "{text}"
    );
    assert!(!text.contains("`A` |"), "{text}");
    assert!(document::text("no place", &usages).is_err());
}

#[test]
fn mistakes_in_tables_are_named() {
    for (wrong, part) in [
        (SERVICE.replace("\"kind\"", "\"king\""), "no path"),
        (
            SERVICE.replace("base = \"base\"", "base = \"bass\""),
            "no base `bass`",
        ),
        (
            SERVICE.replace("values = [\"Y\"]", "values = []"),
            "a code without values",
        ),
        (SERVICE.replace("values", "valves"), "unknown field"),
        (
            SERVICE.replace("values = [\"Y\"]", "use = \"never\""),
            "duplicate key",
        ),
        (
            SERVICE.replace("use = \"mandatory\"", "use = \"conditional\""),
            "conditional on no rule",
        ),
        (SERVICE.replace("order = 1", ""), "no order"),
    ] {
        let error = assembled(&wrong).unwrap_err();
        assert!(
            error.contains(part) && error.starts_with("service.toml"),
            "{error}"
        );
    }
}
