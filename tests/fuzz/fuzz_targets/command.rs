//! Facts of the journal and rows of the index: a value has one written form, and nothing else is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use torap_engine::{
    Outbound,
    codec::{self, Kind, Stored},
    directory::Record,
    instant::Finished,
};

fuzz_target!(|data: &[u8]| {
    let Some((kind, facts)) = data.split_first() else {
        return;
    };
    // Few numbers are kinds, so one byte chooses among them; the last place stands for any number.
    let kinds = Kind::ALL.len();
    let number = match Kind::ALL.get(usize::from(*kind) % (kinds + 1)) {
        Some(kind) => *kind as u16,
        None => u16::from(*kind) << 3,
    };
    if let Ok(command) = codec::decode(number, facts) {
        let mut written = Vec::new();
        assert_eq!(codec::encode(&command, &mut written), number);
        assert_eq!(written, facts);
    }
    row::<Outbound>(facts);
    row::<Finished>(facts);
    row::<Record>(facts);
});

fn row<T: Stored>(bytes: &[u8]) {
    if let Ok(value) = T::decode(bytes) {
        let mut written = Vec::new();
        value.encode(&mut written);
        assert_eq!(written, bytes);
    }
}
