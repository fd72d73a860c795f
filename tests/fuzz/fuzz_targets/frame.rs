//! Bytes of a link, in one piece and in many: the same frames, the same end.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use torap_gateway::wire::{FrameDecoder, Packet, WireError};

fuzz_target!(|data: &[u8]| {
    let Some((step, data)) = data.split_first() else {
        return;
    };
    let whole = decode(data, data.len());
    let pieces = decode(data, usize::from(*step).max(1));
    assert_eq!(whole, pieces);
});

/// Every frame's bytes, and what ended the stream.
fn decode(data: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<WireError>) {
    let mut decoder = FrameDecoder::new();
    decoder.lift_sign_on_limit();
    let mut stream = BytesMut::new();
    let mut frames = Vec::new();
    for piece in data.chunks(step.max(1)) {
        stream.extend_from_slice(piece);
        loop {
            match decoder.next(&mut stream) {
                Ok(Some(frame)) => {
                    if let Ok(packet) = Packet::parse(&frame) {
                        assert!(!format!("{packet:?}").is_empty());
                    }
                    frames.push(frame.bytes().to_vec());
                }
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}
