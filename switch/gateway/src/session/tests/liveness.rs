use torap_domain::Sequence;

use super::rig::*;
use crate::session::*;
use crate::wire::*;

#[test]
fn an_idle_link_lives_on_heartbeats() {
    let mut pair = Pair::open();
    pair.wait_until(60 * SECOND);
    assert!(pair.client_closed().is_none() && pair.server_closed().is_none());
    assert_eq!(packets(&pair.sent.0).len(), 12);
    assert!(
        packets(&pair.sent.1)
            .iter()
            .all(|packet| matches!(packet, Packet::Heartbeat))
    );
}

#[test]
fn traffic_takes_the_place_of_heartbeats() {
    let mut pair = Pair::open();
    pair.wait_until(4 * SECOND);
    pair.bank_sends(1, b"x");
    pair.run();
    pair.server.acknowledge(Sequence(1));
    pair.run();
    pair.wait_until(9 * SECOND - 1);
    assert!(matches!(packets(&pair.sent.0)[..], [Packet::Data(_)]));
    pair.wait_until(9 * SECOND);
    assert!(matches!(
        packets(&pair.sent.0)[..],
        [Packet::Data(_), Packet::Heartbeat]
    ));
}

#[test]
fn a_silent_peer_is_dead_after_three_heartbeats() {
    let mut pair = Pair::open();
    let mut now = 0;
    while let Some(next) = pair.server.poll_timeout() {
        assert!(next > now, "time goes on");
        now = next;
        pair.server.handle_timeout(now);
    }
    assert_eq!(now, 15 * SECOND);
    pair.run();
    pair.assert_refused_by_server(ErrorCode::PeerSilent);
}

#[test]
fn a_reader_that_never_acknowledges_is_dropped() {
    let mut pair = Pair::open();
    pair.wait_until(2 * SECOND);
    pair.switch_sends(1, b"x");
    pair.switch_sends(2, b"x");
    pair.run();
    pair.wait_until(20 * SECOND);
    pair.client.confirm(Sequence(1));
    pair.wait_until(49 * SECOND);
    assert!(pair.server_closed().is_none(), "progress buys time");
    pair.wait_until(51 * SECOND);
    pair.assert_refused_by_server(ErrorCode::SlowReader);
}

#[test]
fn an_acknowledged_stream_is_never_slow() {
    let mut pair = Pair::open();
    pair.switch_sends(1, b"x");
    pair.run();
    pair.client.confirm(Sequence(1));
    pair.wait_until(200 * SECOND);
    assert!(pair.server_closed().is_none());
}

#[test]
fn signing_off_takes_both() {
    let mut pair = Pair::open();
    pair.bank_sends(1, b"x");
    pair.run();
    pair.server.acknowledge(Sequence(1));
    pair.server
        .sign_off(&["10.0.0.2:7801".to_owned(), "10.0.0.3:7801".to_owned()]);
    assert_eq!(pair.server.wants(), None);
    let message = Outgoing::new(ContentType::Iso20022Xml, b"x");
    assert_eq!(
        pair.server.send(Sequence(1), &message),
        Err(SendError::NotOpen)
    );
    // Sent before the bank learns of it: still taken.
    pair.bank_sends(2, b"y");
    pair.run();
    assert!(matches!(
        &packets(&pair.sent.1)[..],
        [Packet::Acknowledge(Sequence(1)), Packet::SignOff(_)]
    ));
    let moved = vec!["10.0.0.2:7801".to_owned(), "10.0.0.3:7801".to_owned()];
    assert_eq!(
        pair.client_closed(),
        Some(&CloseReason::SignedOff { moved })
    );
    assert_eq!(
        pair.server_closed(),
        Some(&CloseReason::SignedOff { moved: Vec::new() })
    );
    let messages = pair
        .server_log
        .iter()
        .filter(|event| matches!(event, ServerEvent::Message(_)));
    assert_eq!(messages.count(), 2);
}

#[test]
fn a_bank_signs_off_with_its_last_acknowledgement() {
    let mut pair = Pair::open();
    pair.switch_sends(1, b"x");
    pair.run();
    pair.client.confirm(Sequence(1));
    pair.client.sign_off(&[]);
    pair.run();
    assert!(matches!(
        &pair.server_log[..],
        [
            ServerEvent::Acknowledged { upto: Sequence(1) },
            ServerEvent::Closed(CloseReason::SignedOff { .. })
        ]
    ));
    assert!(pair.client.is_closed());
}

#[test]
fn an_unanswered_sign_off_ends_by_itself() {
    let mut pair = Pair::open();
    pair.server.sign_off(&[]);
    assert_eq!(pair.server.poll_timeout(), Some(5 * SECOND));
    pair.server.handle_timeout(5 * SECOND);
    assert!(matches!(
        pair.server.poll_event(),
        Some(ServerEvent::Closed(CloseReason::SignedOff { .. }))
    ));
}

#[test]
fn a_newer_sign_on_supersedes() {
    let mut pair = Pair::open();
    pair.server.supersede();
    pair.run();
    pair.assert_refused_by_server(ErrorCode::Superseded);
    pair.server.supersede();
    pair.run();
    let closed = pair
        .server_log
        .iter()
        .filter(|event| matches!(event, ServerEvent::Closed(_)));
    assert_eq!(closed.count(), 1, "a session closes once");
}

#[test]
fn what_was_read_before_the_end_is_delivered() {
    let mut pair = Pair::open();
    let _ = pair
        .server
        .handle_bytes(&raw_data(1, Flags::NONE, Some(1), b"x"), 1);
    pair.server.handle_end(2);
    assert!(matches!(
        pair.server.poll_event(),
        Some(ServerEvent::Message(_))
    ));
    assert!(matches!(
        pair.server.poll_event(),
        Some(ServerEvent::Closed(CloseReason::LinkLost))
    ));
    assert!(pair.server.poll_event().is_none());
}

#[test]
fn a_closed_session_takes_nothing_more() {
    let mut pair = Pair::open();
    pair.server.supersede();
    pair.run();
    pair.server_log.clear();
    pair.server_gets(&raw_data(1, Flags::NONE, Some(1), b"x"));
    assert!(pair.server_log.is_empty());
    assert!(pair.server.input().is_empty());
    assert_eq!(pair.server.poll_timeout(), None);
}
