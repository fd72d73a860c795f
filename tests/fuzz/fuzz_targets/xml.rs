//! Documents under both modes, and the typed view: what the national profile takes, the schema takes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use torap_iso20022::{
    Mode, Parser, Refusal,
    check::{self, Profile},
    profile::Direction,
    view::Reader,
};

fuzz_target!(|data: &[u8]| {
    let mut parser = Parser::new();
    let schema = parser
        .parse(data, Mode::SchemaOnly)
        .map(|parsed| parsed.label());
    let national = parser
        .parse(data, Mode::National)
        .map(|parsed| parsed.label());
    for outcome in [&schema, &national] {
        if let Err(refusal) = outcome {
            is_placed(refusal, data);
        }
    }
    if national.is_ok() {
        assert_eq!(national, schema);
    }
    if std::str::from_utf8(data).is_ok() && schema.is_ok() {
        assert_eq!(check::check(data, Profile::None), schema);
    }
    let mut reader = Reader::new(*torap_gateway::formats());
    match reader.read(data, Direction::Either) {
        Ok(_) => assert!(national.is_ok()),
        Err(refusal) => is_placed(&refusal, data),
    }
    let _ = reader.identify(data);
});

fn is_placed(refusal: &Refusal, data: &[u8]) {
    assert!(refusal.path.starts_with('/'), "{refusal}");
    assert!(refusal.offset <= data.len(), "{refusal}");
}
