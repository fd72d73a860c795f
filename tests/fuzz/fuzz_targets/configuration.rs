//! torap.toml and network.toml: read from the program's own sources, since the program itself links RocksDB.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "only the parser is driven")]
#[path = "../../../switch/node/src/config.rs"]
mod config;
#[allow(dead_code, reason = "only the parser is driven")]
#[path = "../../../switch/node/src/folder.rs"]
mod folder;
#[allow(dead_code, reason = "only the parser is driven")]
#[path = "../../../switch/node/src/serve/seed.rs"]
mod seed;

fuzz_target!(|text: &str| {
    for outcome in [
        config::Config::parse(text).map(drop),
        seed::Plan::parse(text).map(drop),
    ] {
        if let Err(refusal) = outcome {
            assert!(!refusal.is_empty());
        }
    }
});
