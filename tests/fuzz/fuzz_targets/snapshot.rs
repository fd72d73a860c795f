//! Snapshots: of the engine's state alone, and as files with header and checksums. What is restored is a state that writes the
//! same bytes and goes on; everything else is refused.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use torap_engine::{Command, Engine, Output, Stamp};
use torap_follower::SnapshotStore;
use torap_fuzz::{Mutations, world};
use torap_journal::{Medium, MemoryMedium};

/// A state with payments, aliases, recalls and QR codes in it.
static BUSY: LazyLock<Engine> = LazyLock::new(world::busy);
static BODY: LazyLock<Vec<u8>> = LazyLock::new(|| body(&BUSY));
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| file(&BUSY));

fuzz_target!(|data: &[u8]| {
    let Some((way, data)) = data.split_first() else {
        return;
    };
    match way % 3 {
        0 => restore(data),
        1 => {
            let mut bytes = BODY.clone();
            Mutations::read(data).apply(&mut bytes);
            restore(&bytes);
        }
        _ => load(data),
    }
});

fn body(engine: &Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.snapshot(&mut |piece| bytes.extend_from_slice(piece));
    bytes
}

fn restore(bytes: &[u8]) {
    let Ok(mut engine) = Engine::restore(bytes, 7) else {
        return;
    };
    assert_eq!(body(&engine), bytes);
    let last = engine.last();
    if last.position.0 < u64::MAX {
        let stamp = Stamp {
            position: last.position.next(),
            time: last.time,
        };
        engine.apply(stamp, &Command::Tick, &mut Output::new());
    }
    let _ = engine.conservation();
}

/// A damaged file is refused, whatever was changed in it.
fn load(data: &[u8]) {
    let position = BUSY.last().position;
    let mut bytes = FILE.clone();
    Mutations::read(data).apply(&mut bytes);
    let disk = MemoryMedium::new();
    let name = format!("snapshot-{:020}.torap", position.value());
    let file = disk.create(&name, bytes.len() as u64).expect("room");
    file.write_at(&bytes, 0).expect("room");
    let store = SnapshotStore::open(Arc::new(disk)).expect("a folder");
    assert_eq!(store.load(position, 3).is_ok(), bytes == *FILE);
}

/// The file of docs/snapshots.md around a state.
fn file(engine: &Engine) -> Vec<u8> {
    let body = body(engine);
    let mut bytes = b"TORAPSNP".to_vec();
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(engine.rules_version().to_le_bytes());
    let last = engine.last();
    let (running, marked) = (7, 1);
    for number in [
        last.position.value(),
        last.time.nanos(),
        running,
        marked,
        body.len() as u64,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(blake3::hash(&body).as_bytes());
    bytes.extend([0; 24]);
    let checksum = blake3::hash(&bytes);
    bytes.extend(&checksum.as_bytes()[..16]);
    bytes.extend(body);
    bytes
}
