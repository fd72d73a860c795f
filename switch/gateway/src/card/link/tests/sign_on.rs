use torap_domain::card::{InstitutionId, ResponseCode};

use super::rig::{Rig, SECOND, network, written};
use crate::card::limits::{SIGN_OFF_NS_MAX, SIGN_ON_NS_MAX, UNREADABLE_IN_A_ROW_MAX};
use crate::card::link::{CloseReason, LinkEvent};
use crate::card::transport::Broken;

#[test]
fn a_sign_on_waits_for_the_driver_and_its_answer_comes_from_elsewhere() {
    let mut rig = Rig::new();
    rig.host_sends(&network(800, "000001", "001"));
    let Some(LinkEvent::SignOn { institution, .. }) = rig.event() else {
        panic!("the sign-on did not arrive");
    };
    assert_eq!(institution, InstitutionId::parse("601").unwrap());
    // Nothing is read before the driver has decided.
    rig.host_sends(&network(800, "000002", "002"));
    assert!(rig.event().is_none());
    assert!(!rig.link.wants_input());
    rig.link.open();
    assert_eq!(rig.message(), "0800 7=1121130405 11=000002 33=601 70=002");
    assert!(rig.host_gets().is_empty());
}

#[test]
fn whoever_is_turned_away_is_told_the_code() {
    let mut rig = Rig::new();
    rig.host_sends(&network(800, "000001", "001"));
    let Some(LinkEvent::SignOn { framed, .. }) = rig.event() else {
        panic!("the sign-on did not arrive");
    };
    let code = ResponseCode::parse(b"58").unwrap();
    rig.link.refuse(&framed, code);
    assert_eq!(rig.closed(), CloseReason::SignOnRefused(code));
    assert_eq!(
        rig.host_gets(),
        ["0810 7=1121130405 11=000001 33=601 39=58 70=001"]
    );
}

#[test]
fn without_a_sign_on_the_link_ends() {
    let mut rig = Rig::new();
    rig.after(SIGN_ON_NS_MAX - 1);
    assert!(rig.event().is_none());
    rig.after(1);
    assert_eq!(rig.closed(), CloseReason::SignOnTimeout);
    assert!(rig.event().is_none());
}

#[test]
fn traffic_before_the_sign_on_is_refused_and_the_link_survives() {
    let mut rig = Rig::new();
    rig.host_sends(&network(800, "000001", "301"));
    rig.host_sends(&written(
        800,
        &[(7, "1121130405"), (11, "000002"), (70, "001")],
    ));
    assert_eq!(
        rig.host_gets(),
        [
            "0620 7=1121130405 11=000000 24=610 33=900 44=sign-on comes first: 0800 with 001 in field 70",
            "0620 7=1121130405 11=000000 24=610 33=900 44=field 33: a sign-on names who signs on",
        ]
    );
    rig.host_sends(&network(800, "000003", "001"));
    assert!(matches!(rig.event(), Some(LinkEvent::SignOn { .. })));
}

#[test]
fn a_frame_that_is_no_message_is_answered_with_field_and_rule() {
    let mut rig = Rig::new();
    rig.host_sends(b"0800hello");
    // No letter has this trace number: the host's 0630 acknowledges none.
    assert_eq!(
        rig.host_gets(),
        [
            "0620 7=1121130405 11=000000 24=610 33=900 44=bitmap at byte 4: the bytes end before it does truncated",
        ]
    );
    assert!(rig.event().is_none());
}

#[test]
fn too_many_of_them_in_a_row_end_the_link() {
    let mut rig = Rig::open();
    for round in 0..2 * UNREADABLE_IN_A_ROW_MAX - 2 {
        // A message that can be read begins the count anew.
        if round == UNREADABLE_IN_A_ROW_MAX - 1 {
            rig.host_sends(&network(800, "000002", "301"));
        }
        rig.host_sends(b"0800hello");
        assert!(rig.event().is_none(), "{round}");
    }
    rig.host_sends(b"0800hello");
    assert_eq!(rig.closed(), CloseReason::Unreadable);
}

#[test]
fn the_driver_says_what_it_cannot_read() {
    let mut rig = Rig::open();
    for round in 0..UNREADABLE_IN_A_ROW_MAX {
        rig.host_sends(b"0200hello");
        let Some(LinkEvent::Message(framed)) = rig.event() else {
            panic!("{round}: no message");
        };
        let refusal = torap_iso8583::Message::parse(rig.link.dialect(), &framed.message);
        rig.link.unreadable(&framed, &refusal.unwrap_err());
    }
    assert_eq!(rig.closed(), CloseReason::Unreadable);
}

#[test]
fn the_switch_signs_off_and_takes_what_is_still_coming() {
    let mut rig = Rig::open();
    rig.link.sign_off();
    assert_eq!(
        rig.host_gets(),
        ["0800 7=1121130405 11=000000 33=900 70=002"]
    );
    rig.host_sends(&network(800, "000007", "201"));
    assert_eq!(rig.message(), "0800 7=1121130405 11=000007 33=601 70=201");
    rig.host_sends(&network(810, "000000", "002"));
    assert_eq!(rig.closed(), CloseReason::SignedOff);
}

#[test]
fn a_host_that_does_not_answer_the_sign_off_is_not_waited_for() {
    let mut rig = Rig::open();
    rig.link.sign_off();
    rig.after(SIGN_OFF_NS_MAX - 1);
    assert!(rig.event().is_none());
    rig.after(1);
    assert_eq!(rig.closed(), CloseReason::SignedOff);
}

#[test]
fn the_end_of_the_stream_is_the_end_of_the_link() {
    let mut rig = Rig::open();
    rig.link.handle_end(SECOND);
    assert_eq!(rig.closed(), CloseReason::Broken(Broken::Ended));
    assert!(rig.link.poll_timeout().is_none());
}
