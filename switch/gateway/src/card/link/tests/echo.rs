use super::rig::{Rig, SECOND, network};
use crate::card::limits::{ECHO_ANSWER_NS_MAX, ECHO_IDLE_NS};
use crate::card::link::CloseReason;

#[test]
fn an_echo_is_answered_by_the_link_itself() {
    let mut rig = Rig::open();
    rig.host_sends(&network(800, "000002", "301"));
    assert_eq!(
        rig.host_gets(),
        ["0810 7=1121130405 11=000002 33=601 39=00 70=301"]
    );
    assert!(rig.event().is_none());
}

#[test]
fn a_silent_host_is_asked_and_its_answer_is_enough() {
    let mut rig = Rig::open();
    assert_eq!(rig.link.poll_timeout(), Some(ECHO_IDLE_NS));
    rig.after(ECHO_IDLE_NS);
    assert_eq!(
        rig.host_gets(),
        ["0800 7=1121130405 11=000000 33=900 70=301"]
    );
    assert_eq!(
        rig.link.poll_timeout(),
        Some(ECHO_IDLE_NS + ECHO_ANSWER_NS_MAX)
    );
    rig.after(SECOND);
    rig.host_sends(&network(810, "000000", "301"));
    assert!(rig.event().is_none());
    rig.after(ECHO_ANSWER_NS_MAX);
    assert!(rig.event().is_none());
    // The second echo.
    rig.after(ECHO_IDLE_NS);
    assert_eq!(
        rig.host_gets(),
        ["0800 7=1121130405 11=000000 33=900 70=301"]
    );
}

#[test]
fn any_message_is_as_good_as_the_answer_to_an_echo() {
    let mut rig = Rig::open();
    rig.after(ECHO_IDLE_NS);
    rig.after(SECOND);
    rig.host_sends(&network(800, "000002", "301"));
    rig.after(ECHO_ANSWER_NS_MAX);
    assert!(rig.event().is_none());
}

#[test]
fn a_host_that_stays_silent_is_given_up() {
    let mut rig = Rig::open();
    rig.after(ECHO_IDLE_NS);
    rig.after(ECHO_ANSWER_NS_MAX - 1);
    assert!(rig.event().is_none());
    rig.after(1);
    assert_eq!(rig.closed(), CloseReason::PeerSilent);
}

#[test]
fn keep_alives_do_not_stand_in_for_the_host_behind_them() {
    let mut rig = Rig::open();
    rig.after(ECHO_IDLE_NS);
    assert_eq!(rig.link.handle_bytes(b"0000", rig.now), 4);
    rig.after(ECHO_ANSWER_NS_MAX);
    assert_eq!(rig.closed(), CloseReason::PeerSilent);
}

#[test]
fn what_was_not_read_is_not_the_hosts_fault() {
    let mut rig = Rig::open();
    rig.link.pause();
    assert!(!rig.link.wants_input());
    rig.after(10 * ECHO_IDLE_NS);
    assert!(rig.host_gets().is_empty());
    rig.link.resume();
    rig.after(ECHO_IDLE_NS - 1);
    assert!(rig.host_gets().is_empty());
    rig.after(1);
    assert_eq!(rig.host_gets().len(), 1);
}

#[test]
fn a_late_answer_to_an_echo_is_nobodys_business() {
    let mut rig = Rig::open();
    rig.host_sends(&network(810, "000077", "301"));
    assert!(rig.event().is_none());
    // The answer to a cut-over is.
    rig.host_sends(&network(810, "000078", "201"));
    assert_eq!(
        rig.message(),
        "0810 7=1121130405 11=000078 33=601 39=00 70=201"
    );
}
