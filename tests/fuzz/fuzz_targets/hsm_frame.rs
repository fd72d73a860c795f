//! Bytes between the switch and its HSM: in one piece or in many, the same frames and the same end; what is read as a
//! request or an answer is written so that it reads the same; a link and an HSM in memory take them without harm.
#![no_main]

use bytes::{Buf, BytesMut};
use libfuzzer_sys::fuzz_target;
use torap_hsm::wire::{
    Frame, FrameError, decode_request, decode_response, encode_request, encode_response,
};
use torap_hsm::{HsmLink, HsmLinkConfig, PaymentHsm};
use torap_hsm_sim::soft::SoftHsm;

fuzz_target!(|data: &[u8]| {
    let Some((step, data)) = data.split_first() else {
        return;
    };
    let whole = decode(data, data.len());
    let pieces = decode(data, usize::from(*step).max(1));
    assert_eq!(whole, pieces);

    let mut link = HsmLink::new(HsmLinkConfig::default(), 0);
    link.poll_event();
    link.handle_connected(0);
    let taken = link.handle_bytes(data, 1);
    assert_eq!(taken, data.len());
    while link.poll_event().is_some() {}

    let mut hsm = SoftHsm::new(&[7; 32], [1; 32]).expect("a master key of 32 bytes");
    let mut output = BytesMut::new();
    // A stream that is none ends the connection; what came before it is answered.
    let served = hsm.serve(&mut BytesMut::from(data), &mut output);
    let mut answers = 0;
    while let Some((frame, length)) = Frame::first(&output).expect("its own answers") {
        let _ = decode_response(&frame).expect("its own answers");
        answers += 1;
        output.advance(length);
    }
    if let Ok(served) = served {
        assert_eq!(answers, served);
    }
});

/// Every frame's bytes, and what ended the stream.
fn decode(data: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut stream = BytesMut::new();
    let mut frames = Vec::new();
    for piece in data.chunks(step.max(1)) {
        stream.extend_from_slice(piece);
        loop {
            match Frame::first(&stream) {
                Ok(Some((frame, length))) => {
                    check(&frame);
                    frames.push(stream[..length].to_vec());
                    stream.advance(length);
                }
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// Written again, it is read as the same: order, unknown fields and the critical bit aside.
fn check(frame: &Frame<'_>) {
    let correlation = frame.correlation;
    if let Ok(request) = decode_request(frame) {
        assert!(!format!("{request:?}").is_empty());
        let mut once = BytesMut::new();
        encode_request(&request, correlation, &mut once).expect("it was within the limits");
        let (again, _) = Frame::first(&once).expect("a frame").expect("a whole one");
        let mut twice = BytesMut::new();
        let read = decode_request(&again).expect("a request");
        encode_request(&read, correlation, &mut twice).expect("it was within the limits");
        assert_eq!(once, twice);
    }
    if let Ok(answer) = decode_response(frame) {
        assert!(!format!("{answer:?}").is_empty());
        let mut once = BytesMut::new();
        encode_response(frame.command, correlation, &answer, &mut once);
        let (again, _) = Frame::first(&once).expect("a frame").expect("a whole one");
        let mut twice = BytesMut::new();
        let read = decode_response(&again).expect("an answer");
        encode_response(frame.command, correlation, &read, &mut twice);
        assert_eq!(once, twice);
    }
}
