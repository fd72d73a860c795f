//! Messages of a foreign dialect, taken into the national one and back: refused without a trace, or a message that reads; what was
//! national stays byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use torap_domain::Time;
use torap_fuzz::card;
use torap_gateway::card::crosswalk::{Crossed, Toward, from_national, is_national, to_national};
use torap_iso8583::{Dialect, Message};

/// 21 November 2026, 13:04:05 UTC: what tells the years of dates without one.
const NOW: Time = Time::from_nanos(1_795_266_245_000_000_000);
/// What stands in the buffer before.
const BEFORE: &[u8] = b"before";

fuzz_target!(|data: &[u8]| {
    let Some((way, bytes)) = data.split_first() else {
        return;
    };
    let dialect = card::dialect(*way);
    let Ok(message) = Message::parse(dialect, bytes) else {
        return;
    };
    let toward = match way & 0x80 {
        0 => Toward::Switch,
        _ => Toward::Host,
    };
    if let Some(national) = crossed(|out| to_national(&message, toward, out)) {
        let national = Message::parse(Dialect::national(), &national).expect("it reads");
        if is_national(dialect) {
            assert_eq!(national.bytes(), message.bytes());
        }
        for name in ["iso87-ascii", "iso93-bcd"] {
            let other = Dialect::built_in(name).expect("it comes with the crate");
            if let Some(there) = crossed(|out| from_national(&national, other, toward, NOW, out)) {
                Message::parse(other, &there).expect("it reads");
            }
        }
    }
    // What a link does with it: never a panic, and the same verdict twice.
    let read = Crossed::read(dialect, bytes, toward).is_ok();
    assert_eq!(Crossed::read(dialect, bytes, toward).is_ok(), read);
});

/// What was appended; a refusal leaves the buffer as it was.
fn crossed<E>(cross: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Option<Vec<u8>> {
    let mut out = BEFORE.to_vec();
    match cross(&mut out) {
        Ok(()) => Some(out.split_off(BEFORE.len())),
        Err(_) => {
            assert_eq!(out, BEFORE);
            None
        }
    }
}
