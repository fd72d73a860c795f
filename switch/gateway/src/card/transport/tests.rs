use super::{Broken, Transport, TransportConfig};
use crate::card::framing::{Framing, FramingRule, LengthHeader, Tpdu};
use crate::card::limits::{
    INPUT_BYTES_MAX, KEEP_ALIVE_NS, KEEP_ALIVES_IN_A_ROW_MAX, OUTPUT_BYTES_MAX, PROGRESS_NS_MAX,
};

const SECOND: u64 = 1_000_000_000;
const WITH_TPDU: Framing = Framing {
    header: LengthHeader::Ascii4,
    tpdu: true,
};

fn transport(framing: Framing) -> Transport {
    Transport::new(TransportConfig::new(framing), 0)
}

/// Moves all output of one end to the other.
fn carry(from: &mut Transport, to: &mut Transport, now: u64) -> usize {
    let mut bytes = Vec::new();
    from.poll_output(&mut bytes, now);
    assert_eq!(to.handle_bytes(&bytes, now), bytes.len());
    bytes.len()
}

fn message(transport: &mut Transport) -> Vec<u8> {
    let framed = transport.next_message().unwrap().unwrap();
    framed.message.to_vec()
}

fn broken(transport: &mut Transport) -> Broken {
    transport.next_message().unwrap().unwrap_err()
}

#[test]
fn messages_go_both_ways_and_an_answer_to_where_its_question_came_from() {
    let (mut host, mut switch) = (transport(WITH_TPDU), transport(WITH_TPDU));
    let (first, second) = (Tpdu([0x60, 0, 1, 0, 2]), Tpdu([0x60, 0, 1, 0, 3]));
    assert!(host.send(Some(first.swapped()), b"question 1"));
    assert!(host.send(Some(second.swapped()), b"question 2"));
    carry(&mut host, &mut switch, SECOND);
    let one = switch.next_message().unwrap().unwrap();
    let two = switch.next_message().unwrap().unwrap();
    assert_eq!((one.tpdu, two.tpdu), (Some(first), Some(second)));
    assert!(switch.next_message().is_none());
    assert!(switch.send(one.tpdu, b"answer 1"));
    assert!(switch.send(None, b"unasked"));
    carry(&mut switch, &mut host, SECOND);
    let answer = host.next_message().unwrap().unwrap();
    assert_eq!(answer.tpdu, Some(first.swapped()));
    let unasked = host.next_message().unwrap().unwrap();
    assert_eq!(unasked.tpdu, Some(second.swapped()));
}

#[test]
fn a_silent_link_gets_a_keep_alive_and_the_other_side_hears_it() {
    let (mut host, mut switch) = (transport(Framing::PLAIN), transport(Framing::PLAIN));
    assert_eq!(switch.poll_timeout(), Some(KEEP_ALIVE_NS));
    switch.handle_timeout(KEEP_ALIVE_NS - 1);
    assert_eq!(carry(&mut switch, &mut host, KEEP_ALIVE_NS - 1), 0);
    switch.handle_timeout(KEEP_ALIVE_NS);
    assert_eq!(carry(&mut switch, &mut host, KEEP_ALIVE_NS), 2);
    assert!(host.next_message().is_none());
    assert_eq!(host.heard_at(), KEEP_ALIVE_NS);
    assert_eq!(switch.poll_timeout(), Some(2 * KEEP_ALIVE_NS));
}

#[test]
fn what_was_sent_puts_the_keep_alive_off() {
    let (mut host, mut switch) = (transport(Framing::PLAIN), transport(Framing::PLAIN));
    switch.send(None, b"something");
    carry(&mut switch, &mut host, 10 * SECOND);
    assert_eq!(switch.poll_timeout(), Some(10 * SECOND + KEEP_ALIVE_NS));
}

#[test]
fn a_flood_of_keep_alives_ends_the_link() {
    let mut switch = transport(Framing::PLAIN);
    for _ in 0..KEEP_ALIVES_IN_A_ROW_MAX {
        assert_eq!(switch.handle_bytes(&[0, 0], 1), 2);
    }
    assert!(switch.next_message().is_none());
    let _ = switch.handle_bytes(&[0, 0], 1);
    assert_eq!(broken(&mut switch), Broken::Flooded);
}

#[test]
fn garbage_ends_the_link_and_says_which_rule() {
    let mut switch = transport(Framing::PLAIN);
    let _ = switch.handle_bytes(b"GET / HTTP/1.1\r\n\r\n", 1);
    let Broken::Unframeable(error) = broken(&mut switch) else {
        panic!("garbage was framed");
    };
    assert_eq!(error.rule, FramingRule::TooLong);
    assert!(!switch.wants_input());
    assert!(!switch.has_room());
    assert_eq!(switch.poll_timeout(), None);
}

#[test]
fn what_came_before_the_end_is_still_delivered() {
    let (mut host, mut switch) = (transport(Framing::PLAIN), transport(Framing::PLAIN));
    host.send(None, b"last");
    carry(&mut host, &mut switch, 1);
    switch.handle_end(2);
    assert_eq!(message(&mut switch), b"last");
    assert_eq!(broken(&mut switch), Broken::Ended);
}

#[test]
fn half_a_frame_is_waited_for_and_dropped_at_the_end() {
    let mut switch = transport(Framing::PLAIN);
    let _ = switch.handle_bytes(&[0, 10, b'0', b'8'], 1);
    assert!(switch.next_message().is_none());
    assert!(switch.wants_input());
    switch.handle_end(2);
    assert_eq!(broken(&mut switch), Broken::Ended);
}

#[test]
fn unread_input_is_bounded() {
    let mut switch = transport(Framing::PLAIN);
    let flood = vec![0; 2 * INPUT_BYTES_MAX];
    assert_eq!(switch.handle_bytes(&flood, 1), INPUT_BYTES_MAX);
    assert!(!switch.wants_input());
    assert_eq!(switch.handle_bytes(&flood, 1), 0);
}

#[test]
fn a_host_that_reads_nothing_gets_no_more_and_is_given_up() {
    let mut switch = transport(Framing::PLAIN);
    while switch.has_room() {
        assert!(switch.send(None, &[b'x'; 1000]));
    }
    let mut bytes = Vec::new();
    switch.poll_output(&mut bytes, 0);
    assert!(bytes.len() < OUTPUT_BYTES_MAX + 1002);
    // The socket takes nothing, so the driver does not ask again; what is sent meanwhile waits.
    switch.handle_timeout(KEEP_ALIVE_NS);
    switch.handle_timeout(KEEP_ALIVE_NS + PROGRESS_NS_MAX - 1);
    assert!(switch.next_message().is_none());
    assert_eq!(switch.poll_timeout(), Some(KEEP_ALIVE_NS + PROGRESS_NS_MAX));
    switch.handle_timeout(KEEP_ALIVE_NS + PROGRESS_NS_MAX);
    assert_eq!(broken(&mut switch), Broken::SlowReader);
}

#[test]
fn a_message_that_was_given_up_leaves_no_trace() {
    let (mut host, mut switch) = (transport(WITH_TPDU), transport(WITH_TPDU));
    assert!(!host.send_with(None, |out| {
        out.extend_from_slice(b"half");
        false
    }));
    assert!(host.send(None, b"whole"));
    carry(&mut host, &mut switch, 1);
    assert_eq!(message(&mut switch), b"whole");
}
