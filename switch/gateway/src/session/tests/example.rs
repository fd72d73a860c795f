//! The worked example of docs/wire.md is made here and compared with the text.

use std::fmt::Write;

use torap_domain::Sequence;

use super::rig::*;
use crate::session::proof::{Prover, Transcript};
use crate::session::*;
use crate::wire::*;

const DOCUMENT: &str = include_str!("../../../../../docs/wire.md");

fn dump(out: &mut String, title: &str, bytes: &[u8]) {
    writeln!(out, "{title}, {} bytes", bytes.len()).unwrap();
    for (row, chunk) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let visible = |byte: &u8| {
            if byte.is_ascii_graphic() {
                char::from(*byte)
            } else {
                '.'
            }
        };
        let text: String = chunk.iter().map(visible).collect();
        writeln!(out, "  {:04x}  {:<47}  {text}", row * 16, hex.join(" ")).unwrap();
    }
    out.push('\n');
}

/// Cuts a stretch of output into its frames.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = FrameDecoder::new();
    decoder.lift_sign_on_limit();
    let mut stream = bytes::BytesMut::from(bytes);
    std::iter::from_fn(|| {
        decoder
            .next(&mut stream)
            .unwrap()
            .map(|frame| frame.bytes().to_vec())
    })
    .collect()
}

#[test]
fn the_worked_example_is_true() {
    let window = Window {
        messages: 100,
        bytes: 1_048_576,
    };
    let config = ClientConfig {
        held: Sequence(5),
        window,
        ..client_config()
    };
    let mut pair = Pair::new(config, server_config());
    pair.admission = Admission {
        inbound_held: Sequence(7),
        outbound_last: Sequence(5),
    };
    pair.run();
    pair.bank_sends(8, b"<Document/>");
    pair.run();
    pair.server.acknowledge(Sequence(8));
    pair.switch_sends(6, b"<Document/>");
    pair.run();
    pair.client.confirm(Sequence(6));
    pair.client.sign_off(&[]);
    pair.run();

    let (bank, switch) = (frames(&pair.sent.0), frames(&pair.sent.1));
    let mut text = String::new();
    dump(&mut text, "bank -> switch: HELLO", &bank[0]);
    dump(&mut text, "switch -> bank: CHALLENGE", &switch[0]);
    dump(&mut text, "bank -> switch: SIGN_ON", &bank[1]);
    dump(&mut text, "switch -> bank: SIGNED_ON", &switch[1]);
    dump(&mut text, "bank -> switch: DATA 8", &bank[2]);
    dump(
        &mut text,
        "switch -> bank: DATA 6, which acknowledges 8",
        &switch[2],
    );
    dump(&mut text, "bank -> switch: ACKNOWLEDGE 6", &bank[3]);
    dump(&mut text, "bank -> switch: SIGN_OFF", &bank[4]);
    dump(&mut text, "switch -> bank: SIGN_OFF", &switch[3]);
    assert_eq!((bank.len(), switch.len()), (5, 4));
    let text = text.trim_end();
    assert!(
        DOCUMENT.contains(text),
        "docs/wire.md must hold this worked example:\n{text}"
    );
}

#[test]
fn the_document_describes_the_input_of_the_mac() {
    // The sentence in docs/wire.md, in code: label, binding length, binding, frames, frame without its MAC.
    let key = ring::hmac::Key::new(
        ring::hmac::HMAC_SHA256,
        &std::array::from_fn::<u8, 32, _>(|at| at as u8),
    );
    for (prover, label) in [(Prover::Bank, "bank"), (Prover::Switch, "switch")] {
        let mut transcript = Transcript::new(b"binding");
        transcript.add(b"hello");
        transcript.add(b"challenge");
        let mut frame = [vec![b'f'; 5], vec![0; 36]].concat();
        transcript.seal(&secret(), prover, &mut frame);
        let input = format!("torap-wire/1 {label}\0\0\x07bindinghellochallengefffff");
        assert_eq!(
            &frame[9..],
            ring::hmac::sign(&key, input.as_bytes()).as_ref()
        );
    }
}
