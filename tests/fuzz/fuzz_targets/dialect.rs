//! Dialect files: refused by their path, or fit to read messages by. What follows the first zero byte is a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use torap_iso8583::{Dialect, Message, Step, Unmask, check_step, explain, json};

fuzz_target!(|data: &[u8]| {
    let (text, bytes) = match data.iter().position(|byte| *byte == 0) {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &b"0200"[..]),
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let dialect = match Dialect::read(text) {
        Ok(dialect) => dialect,
        Err(error) => return assert!(!error.path.is_empty() && !error.what.is_empty(), "{error}"),
    };
    assert!(explain::tables(&dialect).starts_with("## Message types"));
    if let Ok(message) = Message::parse(&dialect, bytes) {
        let _ = message.check_subfields();
        for step in Step::ALL {
            let _ = check_step(&message, step);
        }
        let mut redacted = Vec::new();
        message.redacted(&mut redacted);
        assert!(Message::parse(&dialect, &redacted).is_ok());
        if let Ok(document) = json::decode(&message, Unmask::Yes) {
            let _ = document.encode(&dialect, &mut Vec::new());
        }
        let _ = explain::explain(&message, Unmask::No);
    }
});
