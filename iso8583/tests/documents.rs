//! The documents of the dialects agree with the tables: what stands between the marks is written from them.
//!
//! `TORAP_RENEW=1 cargo test --release -p torap-iso8583 --test documents` writes it again.

use torap_iso8583::{Dialect, explain};

const BEGIN: &str = "<!-- tables: begin, written from iso8583/dialects; do not edit -->\n";
const END: &str = "<!-- tables: end -->\n";

#[test]
fn every_document_has_the_tables_of_its_dialect() {
    for name in Dialect::BUILT_IN {
        let file = format!("../docs/dialects/{name}.md");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let parts = text
            .split_once(BEGIN)
            .and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
        let Some((before, (tables, after))) = parts else {
            panic!("{file} is missing, or has no marks for its tables");
        };
        let dialect = Dialect::built_in(name).unwrap();
        let expected = format!("\n{}\n", explain::tables(dialect).trim_end());
        if std::env::var_os("TORAP_RENEW").is_some() {
            std::fs::write(&file, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
        } else if tables != expected {
            let line = tables
                .lines()
                .zip(expected.lines())
                .position(|(own, new)| own != new);
            panic!(
                "{file} differs from iso8583/dialects/{name}.toml at line {} of its tables; write it again with\n  \
                 TORAP_RENEW=1 cargo test --release -p torap-iso8583 --test documents",
                line.unwrap_or_else(|| tables.lines().count().min(expected.lines().count())) + 1
            );
        }
    }
}
