use torap_domain::{CardReason, Span, card::ResponseCode};

use crate::{
    cards::{world::*, *},
    world::{CASP, HSBK},
};

#[test]
fn one_letter_is_outstanding_and_the_rest_follow_in_order() {
    let mut rail = Rail::new();
    let mut sent = Vec::new();
    for number in 1..=3 {
        rail.advise(number, |_| ());
        sent.extend(rail.letters(HSBK));
    }
    assert_eq!(sent.len(), 1, "the second waits for the first");
    let (first, trace, repeat) = sent[0];
    assert!(!repeat);
    // An acknowledgement of anything else changes nothing.
    let other = Trace {
        stan: trace.stan.next(),
        ..trace
    };
    rail.acknowledge(HSBK, other);
    assert!(matches!(rail.events()[..], [Event::Unmatched { .. }]));
    rail.acknowledge(HSBK, trace);
    let (second, next) = rail.letter(HSBK);
    assert_ne!(first, second);
    rail.acknowledge(HSBK, trace);
    assert!(
        matches!(rail.events()[..], [Event::Unmatched { .. }]),
        "acknowledged before"
    );
    rail.acknowledge(HSBK, next);
    let (_, last) = rail.letter(HSBK);
    rail.acknowledge(HSBK, last);
    assert_eq!(rail.world.engine.card_stats().queued, 0);
}

#[test]
fn a_letter_is_repeated_with_pauses_that_double_up_to_a_bound() {
    let mut rail = Rail::new();
    rail.advise(1, |_| ());
    let (letter, trace) = rail.letter(HSBK);
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let due = rail.world.engine.next_deadline().unwrap();
        let pause = due.saturating_since(rail.now());
        pauses.push(pause.secs());
        // The command comes a millisecond later.
        rail.world.wait(Span::from_nanos(pause.nanos() - 1_000_000));
        rail.world.tick();
        assert_eq!(rail.letters(HSBK), [(letter, trace, true)]);
    }
    assert_eq!(pauses, [15, 30, 60, 120, 240, 300, 300]);
}

#[test]
fn a_further_link_of_a_member_brings_nothing_a_second_time() {
    let mut rail = Rail::new();
    rail.advise(1, |_| ());
    rail.letter(HSBK);
    rail.network(HSBK, NetworkAction::SignOn);
    assert_eq!(rail.letters(HSBK), []);
}

#[test]
fn a_queue_rests_while_the_member_is_away_and_goes_on_at_sign_on() {
    let mut rail = Rail::new();
    rail.advise(1, |_| ());
    let (letter, trace) = rail.letter(HSBK);
    rail.disconnect(HSBK);
    rail.tick_after(Span::from_secs(3600));
    assert!(rail.letters(HSBK).is_empty());
    rail.accept(Command::LinkUp {
        participant: HSBK,
        link: LinkNumber(20),
    });
    assert!(rail.letters(HSBK).is_empty(), "not before it signs on");
    rail.network(HSBK, NetworkAction::SignOn);
    assert_eq!(rail.letters(HSBK), [(letter, trace, true)]);
    rail.network(HSBK, NetworkAction::SignOff);
    rail.tick_after(Span::from_secs(3600));
    assert!(rail.letters(HSBK).is_empty());
}

#[test]
fn a_complaint_acknowledges_and_is_told() {
    let mut rail = Rail::new();
    rail.advise(1, |_| ());
    let (_, trace) = rail.letter(HSBK);
    let code = ResponseCode::parse(b"30").unwrap();
    let acknowledged = |mac| Acknowledged {
        origin: origin(HSBK),
        trace,
        mac,
        code,
    };
    rail.accept(Command::Acknowledged(acknowledged(MacFact::Bad)));
    let reason = CardReason::MacWrong;
    assert_eq!(
        rail.events(),
        [Event::Refused {
            participant: HSBK,
            reason
        }]
    );
    rail.accept(Command::Acknowledged(acknowledged(MacFact::Missing)));
    let told = Event::Acknowledged {
        participant: HSBK,
        trace,
        code,
    };
    assert_eq!(rail.events(), [told]);
    assert_eq!(rail.balance(CASP), acquired());
}

#[test]
fn the_second_connection_keeps_a_member_reachable() {
    let mut rail = Rail::new();
    rail.accept(Command::LinkUp {
        participant: HSBK,
        link: LinkNumber(20),
    });
    rail.disconnect(HSBK);
    rail.asked(1);
    rail.accept(Command::LinkDown {
        participant: HSBK,
        link: LinkNumber(20),
    });
    rail.advise(2, |_| ());
    assert!(rail.letters(HSBK).is_empty());
}
