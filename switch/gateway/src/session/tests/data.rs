use torap_domain::Sequence;

use super::rig::*;
use crate::session::*;
use crate::wire::*;

fn server_messages(pair: &Pair) -> Vec<(u64, Vec<u8>)> {
    let message = |event: &ServerEvent| match event {
        ServerEvent::Message(message) => Some((message.sequence.0, message.body.to_vec())),
        _ => None,
    };
    pair.server_log.iter().filter_map(message).collect()
}

fn client_acknowledged(pair: &Pair) -> Vec<u64> {
    let upto = |event: &ClientEvent| match event {
        ClientEvent::Acknowledged { upto } => Some(upto.0),
        _ => None,
    };
    pair.client_log.iter().filter_map(upto).collect()
}

fn refused(pair: &Pair) -> Vec<(u64, ErrorCode)> {
    let refused = |event: &ServerEvent| match event {
        ServerEvent::Refused { sequence, code } => Some((sequence.0, *code)),
        _ => None,
    };
    pair.server_log.iter().filter_map(refused).collect()
}

#[test]
fn a_message_keeps_everything_it_carries() {
    let mut pair = Pair::open();
    let message = Outgoing {
        content_type: ContentType::CommandJson,
        body: b"{}",
        possible_duplicate: true,
        correlation: Some(b"c-1"),
        signature: Some(b"signed"),
        trace: Some(TraceId([7; 16])),
    };
    pair.client.send(Sequence(1), &message).unwrap();
    pair.run();
    let ServerEvent::Message(received) = &pair.server_log[0] else {
        panic!("{:?}", pair.server_log)
    };
    assert_eq!(received.sequence, Sequence(1));
    assert_eq!(received.content_type, ContentType::CommandJson);
    assert_eq!(&received.body[..], b"{}");
    assert!(received.possible_duplicate);
    assert_eq!(received.correlation.as_deref(), Some(&b"c-1"[..]));
    assert_eq!(received.signature.as_deref(), Some(&b"signed"[..]));
    assert_eq!(received.trace, Some(TraceId([7; 16])));
}

#[test]
fn the_switch_acknowledges_once_per_output() {
    let mut pair = Pair::open();
    for sequence in 1..=10 {
        pair.bank_sends(sequence, b"<Document/>");
    }
    pair.run();
    assert_eq!(server_messages(&pair).len(), 10);
    assert!(
        pair.sent.1.is_empty(),
        "nothing is acknowledged before it is durable"
    );
    pair.server.acknowledge(Sequence(3));
    pair.server.acknowledge(Sequence(8));
    pair.run();
    assert!(matches!(
        packets(&pair.sent.1)[..],
        [Packet::Acknowledge(Sequence(8))]
    ));
    assert_eq!(client_acknowledged(&pair), [8]);
}

#[test]
fn an_acknowledgement_rides_on_a_message() {
    let mut pair = Pair::open();
    pair.bank_sends(1, b"<Document/>");
    pair.run();
    pair.server.acknowledge(Sequence(1));
    pair.switch_sends(1, b"<Document/>");
    pair.run();
    assert!(matches!(
        &packets(&pair.sent.1)[..],
        [Packet::Data(data)] if data.head.acknowledged == Some(Sequence(1))
    ));
    assert_eq!(client_acknowledged(&pair), [1]);
}

#[test]
fn a_bank_acknowledges_after_a_number_or_a_time() {
    let mut pair = Pair::new(
        ClientConfig {
            acknowledge_every: 3,
            ..client_config()
        },
        server_config(),
    )
    .opened();
    (1..=4).for_each(|sequence| pair.switch_sends(sequence, b"<Document/>"));
    pair.run();
    pair.client.confirm(Sequence(2));
    pair.run();
    assert!(pair.sent.0.is_empty(), "two are not enough");
    pair.client.confirm(Sequence(3));
    pair.run();
    assert!(matches!(
        packets(&pair.sent.0)[..],
        [Packet::Acknowledge(Sequence(3))]
    ));
    pair.client.confirm(Sequence(4));
    let due = pair.client.poll_timeout().unwrap();
    assert_eq!(due, pair.now + limits::ACKNOWLEDGE_DELAY_NS);
    pair.wait_until(due);
    assert!(matches!(
        packets(&pair.sent.0)[..],
        [_, Packet::Acknowledge(Sequence(4))]
    ));
    assert!(pair.client.poll_timeout().unwrap() > due);
}

#[test]
fn large_bodies_are_split_and_joined() {
    let mut pair = Pair::open();
    let body = Dice(1).bytes(limits::BANK_MESSAGE_BYTES_MAX);
    pair.bank_sends(1, &body);
    pair.run();
    pair.bank_sends(2, b"small");
    pair.switch_sends(1, &body);
    pair.run();
    assert_eq!(
        server_messages(&pair),
        [(1, body.clone()), (2, b"small".to_vec())]
    );
    assert!(
        matches!(&pair.client_log[..], [ClientEvent::Message(message)] if message.body == body)
    );
    let frames = packets(&pair.sent.1);
    assert_eq!(
        frames.len(),
        body.len().div_ceil(limits::FRAME_BODY_BYTES_MAX)
    );
}

#[test]
fn what_a_bank_may_send_can_be_passed_on_with_a_header() {
    let mut pair = Pair::open();
    let passed_on = vec![b'x'; limits::BANK_MESSAGE_BYTES_MAX + limits::FORWARD_HEADROOM_BYTES];
    assert_eq!(passed_on.len(), limits::MESSAGE_BYTES_MAX);
    pair.switch_sends(1, &passed_on);
    pair.run();
    assert!(
        matches!(&pair.client_log[..], [ClientEvent::Message(message)] if message.body == passed_on)
    );
    let larger = vec![b'x'; limits::MESSAGE_BYTES_MAX + 1];
    let message = Outgoing::new(ContentType::Iso20022Xml, &larger);
    let sent = pair.server.send_or_skip(Sequence(2), &message);
    assert_eq!(sent, Ok(Sent::Skipped(SendError::TooLarge)));
    let message = Outgoing::new(ContentType::Iso20022Xml, b"small");
    let again = pair.server.send_or_skip(Sequence(2), &message);
    let expected = Sequence(3);
    assert_eq!(again, Err(SendError::WrongSequence { expected }));
    let sent = pair.server.send_or_skip(Sequence(3), &message);
    assert_eq!(sent, Ok(Sent::Message));
    pair.run();
    assert!(matches!(
        &pair.client_log[1..],
        [ClientEvent::Skipped { sequence: Sequence(2) }, ClientEvent::Message(message)] if message.sequence == Sequence(3)
    ));
}

#[test]
fn frames_without_a_sequence_may_stand_between_parts() {
    let mut pair = Pair::open();
    let first = raw_data(1, Flags::MORE_FOLLOWS, Some(1), b"one ");
    let second = raw_data(1, Flags::MORE_FOLLOWS, None, b"two ");
    let last = raw_data(1, Flags::NONE, None, b"three");
    let heartbeat = raw(FrameType::Heartbeat, Flags::NONE, &[], b"");
    let acknowledge = raw(
        FrameType::Acknowledge,
        Flags::NONE,
        &[(Tag::Acknowledged, &[0; 8])],
        b"",
    );
    pair.server_gets(&[first, heartbeat, second, acknowledge, last].concat());
    assert_eq!(server_messages(&pair), [(1, b"one two three".to_vec())]);
}

#[test]
fn parts_must_belong_together() {
    let begun = raw_data(1, Flags::MORE_FOLLOWS, Some(1), b"one");
    for next in [
        raw_data(2, Flags::NONE, Some(1), b"two"),
        raw_data(1, Flags::NONE, Some(1), b"one"),
    ] {
        let mut pair = Pair::open();
        pair.server_gets(&[begun.clone(), next].concat());
        pair.run();
        pair.assert_refused_by_server(ErrorCode::BadContinuation);
    }
}

#[test]
fn a_gap_closes_the_link_and_names_the_sequence() {
    let mut pair = Pair::open();
    pair.bank_sends(1, b"<Document/>");
    pair.run();
    pair.server_gets(&raw_data(3, Flags::NONE, Some(1), b"<Document/>"));
    pair.run();
    pair.assert_refused_by_server(ErrorCode::SequenceGap);
    let Some(CloseReason::PeerError(error)) = pair.client_closed() else {
        panic!("closed")
    };
    assert_eq!(
        (error.sequence, error.text.as_str()),
        (Some(Sequence(3)), "sequence 2 expected")
    );
}

#[test]
fn a_replay_is_acknowledged_and_dropped() {
    let mut pair = Pair::open();
    pair.bank_sends(1, b"<Document/>");
    pair.bank_sends(2, b"<Document/>");
    pair.run();
    pair.server.acknowledge(Sequence(1));
    pair.run();
    pair.sent.1.clear();
    pair.server_gets(&raw_data(2, Flags::NONE, Some(1), b"<Document/>"));
    pair.run();
    assert!(pair.sent.1.is_empty(), "the second is not durable yet");
    pair.server_gets(&raw_data(1, Flags::MORE_FOLLOWS, Some(1), b"<Docu"));
    pair.server_gets(&raw_data(1, Flags::NONE, None, b"ment/>"));
    pair.run();
    assert!(matches!(
        packets(&pair.sent.1)[..],
        [Packet::Acknowledge(Sequence(1))]
    ));
    assert_eq!(server_messages(&pair).len(), 2);
}

#[test]
fn what_an_older_link_made_durable_is_a_replay_here() {
    let mut pair = Pair::open();
    pair.server.acknowledge(Sequence(2));
    (1..=3).for_each(|sequence| pair.bank_sends(sequence, b"<Document/>"));
    pair.run();
    assert_eq!(server_messages(&pair), [(3, b"<Document/>".to_vec())]);
    assert_eq!(client_acknowledged(&pair), [2]);
    assert!(pair.server_closed().is_none());
}

#[test]
fn a_message_that_is_merely_wrong_keeps_the_link() {
    let mut pair = Pair::open();
    let critical = {
        let mut frame = raw_data(1, Flags::NONE, Some(1), b"x");
        // Turn the content type's tag into an unknown critical one.
        frame[24..26].copy_from_slice(&[0x87, 0]);
        frame
    };
    pair.server_gets(&critical);
    pair.server_gets(&raw_data(2, Flags::NONE, Some(99), b"x"));
    pair.server_gets(&raw_data(3, Flags::NONE, None, b"x"));
    pair.server_gets(&raw_data(4, Flags::NONE, Some(3), b"x"));
    for part in 0..22 {
        let content_type = (part == 0).then_some(1);
        pair.server_gets(&raw_data(
            5,
            Flags::MORE_FOLLOWS,
            content_type,
            &[b'x'; 48 * 1024],
        ));
    }
    assert!(
        format!("{:?}", pair.server).contains("Refused(42 message-too-large)"),
        "nothing of it is kept"
    );
    pair.server_gets(&raw_data(5, Flags::NONE, None, b"x"));
    pair.server_gets(&raw_data(6, Flags::NONE, Some(1), b"good"));
    pair.run();
    assert_eq!(
        refused(&pair),
        [
            (1, ErrorCode::UnknownCriticalHeader),
            (2, ErrorCode::UnknownContentType),
            (3, ErrorCode::UnknownContentType),
            (4, ErrorCode::UnknownContentType),
            (5, ErrorCode::MessageTooLarge),
        ]
    );
    assert_eq!(server_messages(&pair), [(6, b"good".to_vec())]);
    let told = pair.client_log.iter().map(|event| match event {
        ClientEvent::PeerError(error) => (error.sequence.unwrap().0, error.code().unwrap()),
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), refused(&pair));
    pair.server.acknowledge(Sequence(6));
    pair.client_log.clear();
    // The bank's machine has not sent these itself, so an honest acknowledgement is ahead of it.
    pair.run();
    pair.assert_refused_by_client(ErrorCode::AcknowledgedAhead);
}

#[test]
fn unknown_frames_keep_the_link_but_not_for_ever() {
    let mut pair = Pair::open();
    let mut unknown = raw(FrameType::Heartbeat, Flags::NONE, &[], b"?");
    unknown[3] = 99;
    for _ in 0..limits::REFUSALS_MAX {
        pair.server_gets(&unknown);
    }
    assert!(pair.server_closed().is_none());
    pair.server_gets(&unknown);
    assert_eq!(
        pair.server_closed(),
        Some(&CloseReason::Refused(ErrorCode::TooManyRefusals))
    );
}

#[test]
fn what_cannot_be_framed_closes_the_link() {
    for (bytes, code) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], ErrorCode::BadMagic),
        (b"TP\x02\x05\0\0\0\0\0\0\0\0", ErrorCode::UnsupportedVersion),
        (b"TP\x01\x05\0\0\0\0\0\x10\0\0", ErrorCode::BadLength),
        (
            b"TP\x01\x05\0\0\0\x04\0\0\0\x04\0\x02\0\x08",
            ErrorCode::BadHeaders,
        ),
    ] {
        let mut pair = Pair::open();
        pair.server_gets(bytes);
        pair.run();
        pair.assert_refused_by_server(code);
        let mut pair = Pair::open();
        pair.client_gets(bytes);
        pair.run();
        pair.assert_refused_by_client(code);
    }
}

#[test]
fn a_skipped_sequence_keeps_the_stream_contiguous() {
    let mut pair = Pair::new(
        ClientConfig {
            acknowledge_every: 1,
            ..client_config()
        },
        server_config(),
    )
    .opened();
    pair.switch_sends(1, b"one");
    pair.server.skip(Sequence(2)).unwrap();
    pair.switch_sends(3, b"three");
    pair.run();
    assert!(matches!(
        &pair.client_log[..],
        [
            ClientEvent::Message(_),
            ClientEvent::Skipped {
                sequence: Sequence(2)
            },
            ClientEvent::Message(_)
        ]
    ));
    pair.client.confirm(Sequence(3));
    pair.run();
    assert!(matches!(
        &pair.server_log[..],
        [ServerEvent::Acknowledged { upto: Sequence(3) }]
    ));
}

#[test]
fn only_the_switch_skips() {
    let mut pair = Pair::open();
    pair.server_gets(&raw(
        FrameType::Skip,
        Flags::NONE,
        &[(Tag::Sequence, &1u64.to_be_bytes())],
        b"",
    ));
    pair.run();
    pair.assert_refused_by_server(ErrorCode::UnexpectedFrame);
}

#[test]
fn only_what_was_sent_can_be_acknowledged() {
    let mut pair = Pair::open();
    pair.switch_sends(1, b"one");
    pair.run();
    pair.server_gets(&raw(
        FrameType::Acknowledge,
        Flags::NONE,
        &[(Tag::Acknowledged, &2u64.to_be_bytes())],
        b"",
    ));
    pair.run();
    pair.assert_refused_by_server(ErrorCode::AcknowledgedAhead);
}

#[test]
fn sending_keeps_to_the_narrower_window() {
    let window = Window {
        messages: 3,
        bytes: 1000,
    };
    let mut pair = Pair::new(
        ClientConfig {
            window,
            ..client_config()
        },
        server_config(),
    )
    .opened();
    assert_eq!(
        pair.server.wants(),
        Some(Wants {
            next: Sequence(1),
            messages: 3,
            bytes: limits::MESSAGE_BYTES_MAX
        })
    );
    pair.switch_sends(1, &[0; 600]);
    assert_eq!(
        pair.server.wants(),
        Some(Wants {
            next: Sequence(2),
            messages: 2,
            bytes: 400
        })
    );
    let message = Outgoing::new(ContentType::Iso20022Xml, &[0; 401]);
    assert_eq!(
        pair.server.send(Sequence(2), &message),
        Err(SendError::WindowFull)
    );
    pair.switch_sends(2, b"");
    pair.server.skip(Sequence(3)).unwrap();
    assert_eq!(pair.server.wants(), None);
    assert_eq!(pair.server.skip(Sequence(4)), Err(SendError::WindowFull));
    pair.run();
    pair.client.confirm(Sequence(2));
    pair.wait_until(pair.now + limits::ACKNOWLEDGE_DELAY_NS);
    assert_eq!(
        pair.server.wants(),
        Some(Wants {
            next: Sequence(4),
            messages: 2,
            bytes: 1000
        })
    );
}

#[test]
fn a_peer_that_only_refuses_is_given_up() {
    let mut pair = Pair::open();
    let mut error = bytes::BytesMut::new();
    PeerError::write(&mut error, 1, ErrorCode::UnknownType, None, "no\n", false);
    for _ in 0..limits::REFUSALS_MAX {
        pair.server_gets(&error);
    }
    assert!(pair.server_closed().is_none());
    pair.server_gets(&error);
    assert_eq!(
        pair.server_closed(),
        Some(&CloseReason::Refused(ErrorCode::TooManyRefusals))
    );
}

#[test]
fn sending_is_checked() {
    let mut pair = Pair::new(client_config(), server_config());
    let message = Outgoing::new(ContentType::Iso20022Xml, b"x");
    assert_eq!(
        pair.client.send(Sequence(1), &message),
        Err(SendError::NotOpen)
    );
    let mut pair = Pair::open();
    let expected = Sequence(1);
    assert_eq!(
        pair.client.send(Sequence(2), &message),
        Err(SendError::WrongSequence { expected })
    );
    let large = vec![0; limits::BANK_MESSAGE_BYTES_MAX + 1];
    let message = Outgoing::new(ContentType::Iso20022Xml, &large);
    assert_eq!(
        pair.client.send(Sequence(1), &message),
        Err(SendError::TooLarge)
    );
    let message = Outgoing {
        correlation: Some(b""),
        ..Outgoing::new(ContentType::Iso20022Xml, b"x")
    };
    assert_eq!(
        pair.client.send(Sequence(1), &message),
        Err(SendError::BadHeader)
    );
    pair.run();
    assert!(pair.sent.0.is_empty(), "a refused message leaves no trace");
}

#[test]
fn output_is_bounded_while_the_socket_is_stuck() {
    let mut pair = Pair::open();
    let body = vec![0; 100_000];
    let mut sequence = 0;
    while let Some(wants) = pair.server.wants() {
        sequence += 1;
        assert_eq!(wants.next, Sequence(sequence));
        pair.switch_sends(sequence, &body);
    }
    assert_eq!(
        sequence, 11,
        "the first message above one mebibyte is the last"
    );
    pair.run();
    assert!(pair.server.wants().is_some());
}

#[test]
fn a_full_window_holds_the_intake_back() {
    let window = Window {
        messages: 2,
        bytes: 1_000_000,
    };
    let mut pair = Pair::new(
        client_config(),
        ServerConfig {
            window,
            ..server_config()
        },
    )
    .opened();
    let rude: Vec<u8> = (1..=5)
        .flat_map(|sequence| raw_data(sequence, Flags::NONE, Some(1), b"x"))
        .collect();
    pair.server_gets(&rude);
    assert_eq!(server_messages(&pair).len(), 2);
    assert!(!pair.server.wants_input());
    pair.wait_until(20 * SECOND);
    assert!(
        pair.server_closed().is_none(),
        "a peer that is not read is not silent"
    );
    pair.server.acknowledge(Sequence(1));
    while let Some(event) = pair.server.poll_event() {
        pair.server_log.push(event);
    }
    assert_eq!(server_messages(&pair).len(), 3);
}

#[test]
fn a_paused_intake_decodes_nothing() {
    let mut pair = Pair::open();
    pair.server.pause();
    pair.bank_sends(1, b"x");
    pair.run();
    assert!(!pair.server.wants_input());
    assert!(pair.server_log.is_empty());
    pair.wait_until(100 * SECOND);
    assert!(pair.server_closed().is_none());
    pair.server.resume();
    pair.run();
    assert_eq!(server_messages(&pair).len(), 1);
}

#[test]
fn reading_into_the_session_copies_nothing() {
    let mut pair = Pair::open();
    let input = pair.server.input();
    input.reserve(8192);
    let memory = input.spare_capacity_mut().as_ptr() as usize;
    for sequence in 1..=2 {
        input.extend_from_slice(&raw_data(sequence, Flags::NONE, Some(1), &[7; 2000]));
    }
    pair.server.handle_input(0);
    for _ in 1..=2 {
        let Some(ServerEvent::Message(message)) = pair.server.poll_event() else {
            panic!("a message")
        };
        assert!((memory..memory + 8192).contains(&(message.body.as_ptr() as usize)));
    }
}
