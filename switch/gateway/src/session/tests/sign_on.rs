use torap_domain::{ParticipantId, Sequence};

use super::rig::*;
use crate::session::*;
use crate::wire::*;

#[test]
fn both_sides_learn_what_the_other_holds() {
    let mut pair = Pair::new(
        ClientConfig {
            held: Sequence(5),
            ..client_config()
        },
        server_config(),
    );
    pair.admission = Admission {
        inbound_held: Sequence(7),
        outbound_last: Sequence(9),
    };
    pair.run();
    match &pair.server_log[..] {
        [
            ServerEvent::SecretWanted { name: wanted },
            ServerEvent::Authenticated {
                participant,
                name: proven,
                mode,
                bics,
                held,
            },
        ] => {
            assert_eq!((wanted, proven), (&name("alatau"), &name("alatau")));
            assert_eq!(
                (*participant, *mode, *held),
                (ParticipantId(1), Mode::Test, Sequence(5))
            );
            assert_eq!(bics, &vec![bic("CASPKZKA")]);
        }
        other => panic!("{other:?}"),
    }
    match &pair.client_log[..] {
        [
            ClientEvent::SignedOn {
                switch,
                held_by_switch,
            },
        ] => {
            assert_eq!((*switch, *held_by_switch), (name("torap"), Sequence(7)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(pair.client.wants().unwrap().next, Sequence(8));
    assert_eq!(pair.server.wants().unwrap().next, Sequence(6));
}

#[test]
fn every_split_of_the_bytes_signs_on() {
    for size in [1, 2, 7, 64] {
        let mut pair = Pair::new(client_config(), server_config());
        let mut out = bytes::BytesMut::new();
        for _ in 0..4 {
            if pair.client.poll_output(&mut out, 0) {
                out.split()
                    .chunks(size)
                    .for_each(|chunk| pair.server_gets(chunk));
            }
            if pair.server.poll_output(&mut out, 0) {
                out.split()
                    .chunks(size)
                    .for_each(|chunk| pair.client_gets(chunk));
            }
        }
        assert!(matches!(
            pair.client_log[..],
            [ClientEvent::SignedOn { .. }]
        ));
    }
}

#[test]
fn a_right_proof_is_taken_whatever_a_wrong_one_is_refused_with() {
    let mut wrong = Pair::new(
        ClientConfig {
            secret: Secret::new([9; 32]),
            ..client_config()
        },
        server_config(),
    );
    wrong.server.refuse_proof_with(ErrorCode::TooManyAttempts);
    wrong.run();
    wrong.assert_refused_by_server(ErrorCode::TooManyAttempts);
    let mut right = Pair::new(client_config(), server_config());
    right.server.refuse_proof_with(ErrorCode::TooManyAttempts);
    right.run();
    assert!(right.server.wants().is_some());
}

#[test]
fn a_wrong_secret_and_an_unknown_name_look_the_same() {
    let mut wrong = Pair::new(
        ClientConfig {
            secret: Secret::new([9; 32]),
            ..client_config()
        },
        server_config(),
    );
    wrong.run();
    wrong.assert_refused_by_server(ErrorCode::BadCredentials);
    let mut unknown = Pair::new(client_config(), server_config());
    unknown.credentials = None;
    unknown.run();
    unknown.assert_refused_by_server(ErrorCode::BadCredentials);
    assert_eq!(
        wrong.sent.1, unknown.sent.1,
        "the switch says the same to both"
    );
}

#[test]
fn nobody_signs_on_with_the_secret_that_stands_for_nobody() {
    let mut pair = Pair::new(
        ClientConfig {
            secret: Secret::new([0; 32]),
            ..client_config()
        },
        server_config(),
    );
    pair.credentials = None;
    pair.run();
    pair.assert_refused_by_server(ErrorCode::BadCredentials);
}

#[test]
fn a_switch_without_the_secret_is_refused() {
    // The impostor says what a switch with another secret would say, up to and including its proof.
    let other = Secret::new([9; 32]);
    let mut impostor = Pair::new(
        ClientConfig {
            secret: other.clone(),
            ..client_config()
        },
        server_config(),
    );
    impostor.credentials = Some(Credentials {
        secret: other,
        ..credentials().unwrap()
    });
    impostor.run();
    let said = impostor.sent.1;
    assert!(matches!(
        packets(&said)[..],
        [Packet::Challenge(_), Packet::SignedOn(_)]
    ));
    let mut victim = Pair::new(client_config(), server_config());
    victim.client_gets(&said);
    assert_eq!(
        victim.client_closed(),
        Some(&CloseReason::Refused(ErrorCode::BadCredentials))
    );
    assert!(
        !victim
            .client_log
            .iter()
            .any(|event| matches!(event, ClientEvent::SignedOn { .. }))
    );
}

#[test]
fn every_changed_bit_of_the_sign_on_is_noticed() {
    let mut honest = Pair::new(client_config(), server_config());
    honest.run();
    let (from_bank, from_switch) = honest.sent;
    for at in 0..from_bank.len() {
        let mut changed = from_bank.clone();
        changed[at] ^= 1;
        let mut pair = Pair::new(client_config(), server_config());
        pair.server_gets(&changed);
        // The reserved byte and the flags mean nothing in a sign-on, yet they are covered as well.
        assert!(
            pair.server.wants().is_none(),
            "byte {at} of the bank's frames is not covered"
        );
    }
    for at in 0..from_switch.len() {
        let mut changed = from_switch.clone();
        changed[at] ^= 1;
        let mut pair = Pair::new(client_config(), server_config());
        pair.client_gets(&changed);
        assert!(
            pair.client.wants().is_none(),
            "byte {at} of the switch's frames is not covered"
        );
    }
}

#[test]
fn the_channel_binding_is_covered() {
    let mut pair = Pair::new(client_config(), server_config());
    pair.client = ClientSession::new(client_config(), Nonce([0xc1; 32]), b"one connection", 0);
    pair.server = ServerSession::new(server_config(), Nonce([0x5e; 32]), b"another connection", 0);
    pair.run();
    pair.assert_refused_by_server(ErrorCode::BadCredentials);
    let mut same = Pair::new(client_config(), server_config());
    same.client = ClientSession::new(client_config(), Nonce([0xc1; 32]), b"one connection", 0);
    same.server = ServerSession::new(server_config(), Nonce([0x5e; 32]), b"one connection", 0);
    same.opened();
}

#[test]
fn the_mode_must_match() {
    let mut pair = Pair::new(
        ClientConfig {
            mode: Mode::Live,
            ..client_config()
        },
        server_config(),
    );
    pair.run();
    pair.assert_refused_by_server(ErrorCode::WrongMode);
    assert!(
        matches!(pair.server_log[..], [ServerEvent::Closed(_)]),
        "no secret is looked up"
    );
}

#[test]
fn every_bic_must_be_allowed() {
    let bics = vec![bic("CASPKZKA"), bic("HSBKKZKX")];
    let mut pair = Pair::new(
        ClientConfig {
            bics,
            ..client_config()
        },
        server_config(),
    );
    pair.run();
    pair.assert_refused_by_server(ErrorCode::BicNotAllowed);
}

#[test]
fn a_bank_that_holds_what_was_never_sent_is_refused() {
    let mut pair = Pair::new(
        ClientConfig {
            held: Sequence(10),
            ..client_config()
        },
        server_config(),
    );
    pair.admission.outbound_last = Sequence(9);
    pair.run();
    pair.assert_refused_by_server(ErrorCode::HeldAhead);
}

#[test]
fn no_common_version() {
    let mut pair = Pair::new(client_config(), server_config());
    let mut out = bytes::BytesMut::new();
    pair.client.poll_output(&mut out, 0);
    // The value of the first header, which is the versions.
    out[16..18].copy_from_slice(&[2, 9]);
    pair.server_gets(&out);
    pair.run();
    pair.assert_refused_by_server(ErrorCode::NoCommonVersion);
}

#[test]
fn sign_on_comes_first() {
    let mut pair = Pair::new(client_config(), server_config());
    pair.server_gets(&raw_data(1, Flags::NONE, Some(1), b"<Document/>"));
    assert_eq!(
        pair.server_closed(),
        Some(&CloseReason::Refused(ErrorCode::NotSignedOn))
    );
    let mut pair = Pair::new(client_config(), server_config());
    pair.server_gets(&raw(
        FrameType::SignOn,
        Flags::NONE,
        &[(Tag::Mac, &[0; 32])],
        b"",
    ));
    assert_eq!(
        pair.server_closed(),
        Some(&CloseReason::Refused(ErrorCode::UnexpectedFrame))
    );
}

#[test]
fn hello_again_is_unexpected() {
    let mut pair = Pair::new(client_config(), server_config());
    pair.run();
    let hello = pair.sent.0.clone();
    pair.server_gets(&hello);
    pair.run();
    pair.assert_refused_by_server(ErrorCode::UnexpectedFrame);
}

#[test]
fn nothing_is_read_while_the_driver_decides() {
    let mut server = ServerSession::new(server_config(), Nonce([0x5e; 32]), b"", 0);
    let mut pair = Pair::new(client_config(), server_config());
    pair.run();
    let taken = server.handle_bytes(&pair.sent.0, 0);
    assert_eq!(taken, pair.sent.0.len());
    assert!(matches!(
        server.poll_event(),
        Some(ServerEvent::SecretWanted { .. })
    ));
    assert!(
        server.poll_event().is_none(),
        "SIGN_ON waits for the secret"
    );
    server.provide_secret(credentials());
    assert!(matches!(
        server.poll_event(),
        Some(ServerEvent::Authenticated { .. })
    ));
    assert!(server.poll_event().is_none());
    assert!(server.wants().is_none());
    server.refuse(ErrorCode::NotAdmitted);
    assert!(matches!(
        server.poll_event(),
        Some(ServerEvent::Closed(CloseReason::Refused(
            ErrorCode::NotAdmitted
        )))
    ));
    // Too late: the answer changes nothing.
    server.admit(Admission {
        inbound_held: Sequence(0),
        outbound_last: Sequence(0),
    });
    assert!(server.wants().is_none() && server.is_closed());
}

#[test]
fn a_link_lost_while_the_driver_decides_is_reported() {
    let mut pair = Pair::new(client_config(), server_config());
    pair.run();
    let mut server = ServerSession::new(server_config(), Nonce([0x5e; 32]), b"", 0);
    let _ = server.handle_bytes(&pair.sent.0, 0);
    assert!(matches!(
        server.poll_event(),
        Some(ServerEvent::SecretWanted { .. })
    ));
    server.handle_end(1);
    assert!(matches!(
        server.poll_event(),
        Some(ServerEvent::Closed(CloseReason::LinkLost))
    ));
}

#[test]
fn sign_on_takes_ten_seconds_at_most() {
    let mut pair = Pair::new(client_config(), server_config());
    pair.server.handle_timeout(10 * SECOND - 1);
    assert!(!pair.server.is_closed());
    assert_eq!(pair.server.poll_timeout(), Some(10 * SECOND));
    pair.server.handle_timeout(10 * SECOND);
    pair.run();
    pair.assert_refused_by_server(ErrorCode::SignOnTimeout);
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn a_stranger_fills_no_more_than_one_small_frame() {
    let mut server = ServerSession::new(server_config(), Nonce([0x5e; 32]), b"", 0);
    let endless = vec![b'T'; 1 << 20];
    assert_eq!(
        server.handle_bytes(&endless, 0),
        limits::SIGN_ON_FRAME_BYTES_MAX
    );
    assert!(!server.wants_input());
    assert!(matches!(
        server.poll_event(),
        Some(ServerEvent::Closed(CloseReason::Refused(
            ErrorCode::BadMagic
        )))
    ));
}

#[test]
fn the_wish_for_a_heartbeat_is_bounded() {
    for (wish, agreed) in [
        (None, 5_000),
        (Some(1), 1_000),
        (Some(7_000), 7_000),
        (Some(u32::MAX), 30_000),
    ] {
        let mut pair = Pair::new(
            ClientConfig {
                heartbeat_ms: wish,
                ..client_config()
            },
            server_config(),
        );
        pair.run();
        match &packets(&pair.sent.1)[..] {
            [Packet::Challenge(_), Packet::SignedOn(signed_on)] => {
                assert_eq!(signed_on.heartbeat_ms, agreed)
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn secrets_are_read_and_never_shown() {
    let secret = Secret::from_hex(&format!(" {}\n", "0aF1".repeat(16))).unwrap();
    assert_eq!(secret.to_hex().as_str(), "0af1".repeat(16));
    for wrong in [
        String::new(),
        "0a".repeat(31),
        "0a".repeat(33),
        "0".repeat(63),
        "0g".repeat(32),
    ] {
        assert_eq!(Secret::from_hex(&wrong).unwrap_err(), SecretError);
    }
    let shown = format!("{secret:?} {:?} {:?}", Pair::open().server, client_config());
    assert!(!shown.contains("0af1") && shown.contains("Secret(..)"));
}
