//! Peers that mean harm at the card door: nothing they send stops the switch, troubles another bank, or gets anybody in.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use torap_iso8583::{Dialect, Message, Mti, Writer};
use torap_node::control::CardShow;

use super::lab::{CardLab, FOREIGN, Keys, purchase};

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connect");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("timeout");
    stream
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = (message.len() as u16).to_be_bytes().to_vec();
    frame.extend_from_slice(message);
    frame
}

/// The next message, `None` when the switch has closed the connection.
fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message).ok()?;
        if !message.is_empty() {
            return Some(message);
        }
    }
}

fn code_of(message: &[u8]) -> String {
    let message = Message::parse(Dialect::national(), message).expect("a message");
    let code = message.get(39).expect("a code");
    String::from_utf8_lossy(code).into_owned()
}

fn sign_on(institution: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mti = Mti::new(800).expect("a type");
    let mut writer = Writer::start(Dialect::national(), mti, &mut out);
    for (field, value) in [
        (7, "1121130406"),
        (11, "000001"),
        (33, institution),
        (70, "001"),
    ] {
        writer.field(field, value.as_bytes()).expect("a field");
    }
    writer.finish().expect("a message");
    out
}

fn links(lab: &CardLab) -> usize {
    let status = lab.show(CardShow::Status);
    status["links"].as_array().map_or(0, Vec::len)
}

#[test]
fn strangers_are_turned_away_and_traffic_goes_on() {
    let lab = CardLab::start(Keys::Macs);
    let (shared, acquirers) = (lab.doors[0], lab.doors[1]);
    let before = links(&lab);

    // Bytes that are no frames.
    let mut random = 0x1234_5678_9abc_def0_u64;
    for round in 0..10_usize {
        let mut stream = connect(shared);
        let bytes: Vec<u8> = (0..round * 131 + 2)
            .map(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) as u8 | 0x80
            })
            .collect();
        // The switch may close at once.
        let _ = stream.write_all(&bytes);
        assert_eq!(
            read(&mut stream),
            None,
            "a length beyond the limit ends the link"
        );
    }
    // A message before the sign-on is refused and the link stays.
    let mut stream = connect(shared);
    stream.write_all(&framed(b"0200nonsense")).expect("sent");
    let refusal = read(&mut stream).expect("an answer");
    let refusal = Message::parse(Dialect::national(), &refusal).expect("a message");
    assert_eq!(refusal.mti(), Mti::new(620).expect("a type"));
    // Nobody's institution, and somebody's without a MAC.
    for (institution, code) in [("999", "58"), ("601001", "63"), ("602001", "63")] {
        let mut stream = connect(shared);
        stream
            .write_all(&framed(&sign_on(institution)))
            .expect("sent");
        let answer = read(&mut stream).expect("an answer");
        assert_eq!(code_of(&answer), code, "{institution}");
        assert_eq!(
            read(&mut stream),
            None,
            "{institution}: and the link is closed"
        );
    }
    // A bank at another bank's own door.
    let mut stream = connect(acquirers);
    stream.write_all(&framed(&sign_on("602001"))).expect("sent");
    assert_eq!(code_of(&read(&mut stream).expect("an answer")), "58");

    assert_eq!(links(&lab), before, "nobody new is signed on");
    assert_eq!(lab.transact(purchase(1, "100.00")).1, "00");
    lab.has_no_complaint();
}

/// Sign-ons of nobody, at most, until their address has to wait.
const FLOOD_MAX: usize = 2_000;

#[test]
fn a_flood_of_sign_ons_is_held_off_and_whoever_is_there_stays() {
    let lab = CardLab::start(Keys::None);
    let before = links(&lab);
    let mut refused = 0;
    let mut is_held_off = || {
        let mut stream = connect(lab.doors[0]);
        // Whoever has to wait is cut off, perhaps before he has written.
        let _ = stream.write_all(&framed(&sign_on("999")));
        let Some(answer) = read(&mut stream) else {
            return true;
        };
        assert_eq!(code_of(&answer), "58");
        assert_eq!(read(&mut stream), None, "and the link is closed");
        refused += 1;
        false
    };
    assert!((0..FLOOD_MAX).any(|_| is_held_off()), "nobody has to wait");
    assert!(refused > 0);
    // From now on nobody of that address is heard, however many there are.
    let crowd: Vec<TcpStream> = (0..200).map(|_| connect(lab.doors[0])).collect();
    for mut stream in crowd {
        let _ = stream.write_all(&framed(&sign_on("999")));
        assert_eq!(read(&mut stream), None);
    }
    assert_eq!(
        links(&lab),
        before,
        "nobody new is signed on, and nobody has left"
    );
    assert_eq!(lab.transact(purchase(1, "100.00")).1, "00");
    lab.has_no_complaint();
}

#[test]
fn strangers_who_fill_the_shared_door_keep_nobody_from_his_own() {
    let mut lab = CardLab::start(Keys::None);
    // As many as may be there at once, and some that wait.
    let _held: Vec<TcpStream> = (0..300).map(|_| connect(lab.doors[0])).collect();
    lab.end_host("ISSB");
    lab.start_host("ISSB");
    assert_eq!(lab.transact(purchase(1, "100.00")).1, "00");
    lab.has_no_complaint();
}

#[test]
fn garbage_from_a_signed_on_host_is_refused_and_counts_for_nothing() {
    let lab = CardLab::start(Keys::None);
    for hex in ["00", "303230300000", "ffffffff", "3032303070000000000000"] {
        let raw = torap_bank::card::Request::Raw { hex: hex.into() };
        lab.ask("ACQB", raw);
    }
    lab.behave("ISSB", "garbage", 1);
    let foreign = torap_bank::card::Order {
        prefix: FOREIGN.into(),
        ..purchase(1, "100.00")
    };
    assert_eq!(lab.transact(foreign).1, "91");
    assert_eq!(lab.transact(purchase(1, "101.00")).1, "00");
}
