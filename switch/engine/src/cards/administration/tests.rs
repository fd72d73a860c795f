use torap_domain::{CardReason, Text};

use crate::{
    cards::{world::*, *},
    world::{CASP, HSBK, IRTY, operator},
};

fn stop(
    rail: &mut Rail,
    by: torap_domain::ParticipantId,
    action: StopAction,
) -> Option<CardReason> {
    let trace = rail.trace(700);
    let route = rail.transaction(700, OF_HSBK).route;
    rail.accept(Command::FileUpdate(FileUpdate {
        origin: origin(by),
        trace,
        mac: MacFact::NotRequired,
        card: card_of(OF_HSBK),
        route,
        action,
    }));
    match rail.sent_to(by)[..] {
        [Message::Reply { refusal, .. }] => refusal,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_stopped_card_is_declined_with_its_cause_until_it_is_released() {
    let mut rail = Rail::new();
    let causes = [
        (StopCause::Lost, CardReason::CardLost),
        (StopCause::Stolen, CardReason::CardStolen),
        (StopCause::Restricted, CardReason::CardRestricted),
    ];
    for (number, (cause, reason)) in (1..).zip(causes) {
        assert_eq!(stop(&mut rail, HSBK, StopAction::Stop { cause }), None);
        rail.request(number, OF_HSBK, |_| ());
        assert_eq!(rail.declined(), reason);
    }
    assert_eq!(rail.world.engine.card_stats().stopped_cards, 1);
    // An advice tells what has happened already.
    rail.advise(10, |_| ());
    assert_eq!(rail.replied(), None);
    assert_eq!(
        stop(&mut rail, IRTY, StopAction::Release),
        Some(CardReason::EntryNotOwned)
    );
    assert_eq!(stop(&mut rail, HSBK, StopAction::Release), None);
    assert_eq!(
        stop(&mut rail, HSBK, StopAction::Release),
        Some(CardReason::EntryUnknown)
    );
    rail.asked(11);
}

#[test]
fn the_operator_stops_cards_too_and_the_list_is_bounded() {
    let mut rail = Rail::new();
    let source = operator();
    let action = StopAction::Stop {
        cause: StopCause::Stolen,
    };
    let card = card_of(b"9860120000000020");
    rail.settings(|settings| settings.bounds.stop_list_max = 1);
    rail.accept(Command::StopList {
        source,
        card,
        issuer: HSBK,
        action,
    });
    assert_eq!(
        stop(&mut rail, HSBK, action),
        Some(CardReason::StopListFull)
    );
    rail.refuse(Command::StopList {
        source,
        card,
        issuer: IRTY,
        action,
    });
    rail.refuse(Command::StopList {
        source,
        card,
        issuer: crate::world::TSES,
        action,
    });
    rail.accept(Command::StopList {
        source,
        card,
        issuer: HSBK,
        action: StopAction::Release,
    });
    assert_eq!(rail.world.engine.card_stats().stopped_cards, 0);
}

#[test]
fn network_management_is_answered_by_the_engine() {
    let mut rail = Rail::new();
    for (action, expected) in [
        (NetworkAction::Echo, None),
        (
            NetworkAction::CutOver,
            Some(CardReason::FunctionNotSupported),
        ),
        (NetworkAction::KeyChange { key_set: 8 }, None),
        (NetworkAction::SignOff, None),
        (NetworkAction::SignOn, None),
    ] {
        rail.network(CASP, action);
        assert_eq!(rail.replied(), expected, "{action:?}");
    }
    let member = rail
        .world
        .engine
        .card_members()
        .find(|member| member.participant == CASP)
        .unwrap();
    assert_eq!(member.profile.key_set, 8);
    assert!(member.signed_on);
    // The last connection takes the sign-on with it.
    rail.disconnect(CASP);
    let view = rail.events().into_iter().find_map(|event| match event {
        Event::MemberChanged(view) => Some(view),
        _ => None,
    });
    let view = view.unwrap();
    assert!(!view.signed_on && view.links.is_empty());
    let link = LinkNumber(1);
    let nobody = Command::LinkUp {
        participant: crate::world::NOBODY,
        link,
    };
    let unknown = torap_domain::Reason::UnknownParticipant;
    assert_eq!(rail.apply(nobody), crate::Outcome::Refused(unknown));
}

#[test]
fn administrative_messages_are_taken_and_passed_on() {
    let mut rail = Rail::new();
    let send = |rail: &mut Rail, to| {
        let trace = rail.trace(600);
        rail.accept(Command::Administrative(Administrative {
            origin: origin(CASP),
            trace,
            mac: MacFact::NotRequired,
            advice: false,
            to,
        }));
        rail.replied()
    };
    assert_eq!(send(&mut rail, None), None);
    assert_eq!(send(&mut rail, Some(institution(HSBK))), None);
    let original = rail.world.stamp.position;
    assert_eq!(
        rail.letter(HSBK).0,
        Letter::Administrative { original, to: HSBK }
    );
    let nobody = institution(crate::world::NOBODY);
    assert_eq!(
        send(&mut rail, Some(nobody)),
        Some(CardReason::RecipientUnknown)
    );
    rail.network(CASP, NetworkAction::SignOff);
    assert_eq!(send(&mut rail, None), Some(CardReason::NotSignedOn));
}

#[test]
fn what_cannot_be_understood_is_answered_if_it_can_be() {
    let mut rail = Rail::new();
    let malformed = |trace| Malformed {
        origin: origin(CASP),
        trace,
        reason: CardReason::ProfileViolation,
        field: 37,
        rule: Text::truncated("field-missing"),
    };
    let trace = rail.trace(500);
    rail.accept(Command::Malformed(malformed(Some(trace))));
    assert_eq!(rail.replied(), Some(CardReason::ProfileViolation));
    rail.accept(Command::Malformed(malformed(None)));
    assert!(rail.world.out.cards.is_empty());
    assert!(matches!(rail.events()[..], [Event::Refused { .. }]));
}
