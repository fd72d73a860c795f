//! torap.toml and network.toml: read from the program's own sources, since the program itself links RocksDB.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports, reason = "only the parsers are driven")]
#[path = "../../../switch/node/src"]
mod node {
    pub(crate) mod config;
    pub(crate) mod folder;
    pub(crate) mod serve {
        pub(crate) mod seed;
    }
}
use node::{config, folder, serve::seed};

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
