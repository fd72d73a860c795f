use torap_domain::{
    CardReason, CardService, Money, Span,
    card::{Channel, EntryMode},
};

use crate::{
    cards::{world::*, *},
    world::{CASP, HSBK, operator},
};

/// The switch approved for the issuer.
fn stood_in(rail: &Rail) -> bool {
    matches!(
        rail.decision(),
        Decision::Approved {
            by: Decider::StandIn,
            approval: Some(_),
            ..
        }
    )
}

#[test]
fn an_issuer_that_is_away_is_stood_in_for_and_advised_when_it_is_back() {
    let mut rail = Rail::new();
    rail.disconnect(HSBK);
    let request = rail.request(1, OF_HSBK, |_| ());
    let submitted = rail.world.stamp.position;
    assert!(stood_in(&rail));
    assert_eq!(
        rail.world.out.cards.len(),
        1,
        "nothing is sent to who is away"
    );
    assert_eq!(rail.balance(CASP), acquired());
    rail.request(2, OF_HSBK, |request| {
        request.transaction.class = Class::Authorisation
    });
    assert!(stood_in(&rail));
    rail.connect(HSBK, 12);
    let (letter, trace) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Advice {
            original,
            class: Class::Financial,
            by: AdvisedBy::StandInUnavailable,
            approval: Some(_),
            ..
        } if original == submitted
    ));
    rail.acknowledge(HSBK, trace);
    let (letter, trace) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Advice {
            class: Class::Authorisation,
            ..
        }
    ));
    rail.acknowledge(HSBK, trace);
    assert!(rail.world.out.cards.is_empty());
    // What the switch approved is reversed like anything else.
    rail.reverse(3, &request.transaction, None);
    assert_eq!(rail.replied(), None);
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    assert!(matches!(rail.letter(HSBK).0, Letter::Reversal { .. }));
}

#[test]
fn nobody_stands_in_without_a_rule() {
    let mut rail = Rail::new();
    rail.disconnect(crate::world::IRTY);
    rail.request(1, OF_IRTY, |_| ());
    assert_eq!(rail.declined(), CardReason::IssuerUnavailable);
    rail.disconnect(HSBK);
    for (number, service, channel) in [
        (2, CardService::Refund, Channel::Pos),
        (3, CardService::Payment, Channel::Pos),
        (4, CardService::Cash, Channel::Atm),
    ] {
        rail.request(number, OF_HSBK, |request| {
            request.transaction.service = service;
            request.transaction.channel = channel;
        });
        assert_eq!(rail.declined(), CardReason::IssuerUnavailable, "{service}");
    }
    assert_eq!(rail.world.engine.card_stats().queued, 0);
    // Signed off is as away as unplugged.
    let mut rail = Rail::new();
    rail.network(HSBK, NetworkAction::SignOff);
    rail.request(1, OF_HSBK, |request| request.pin = PinFact::Translated);
    assert_eq!(rail.declined(), CardReason::IssuerUnavailable);
}

#[test]
fn stand_in_keeps_its_limits() {
    let mut rail = Rail::new();
    rail.disconnect(HSBK);
    rail.request(1, OF_HSBK, |request| {
        request.transaction.amount = Money::kzt(2 * AMOUNT + 1)
    });
    assert_eq!(rail.declined(), CardReason::StandInAmount);
    for number in 2..4 {
        rail.request(number, OF_HSBK, |request| {
            request.transaction.amount = Money::kzt(2 * AMOUNT)
        });
        assert!(stood_in(&rail));
    }
    // By amount, then by number.
    rail.request(4, OF_HSBK, |request| {
        request.transaction.amount = Money::kzt(AMOUNT + 1)
    });
    assert_eq!(rail.declined(), CardReason::StandInCount);
    rail.request(5, OF_HSBK, |_| ());
    assert!(stood_in(&rail));
    rail.request(6, OF_HSBK, |request| {
        request.transaction.amount = Money::kzt(1)
    });
    assert_eq!(rail.declined(), CardReason::StandInCount);
    // Another card, and another day.
    rail.request(7, b"9860120000000020", |_| ());
    assert!(stood_in(&rail));
    rail.world.wait(Span::from_secs(86_400));
    rail.world.tick();
    rail.request(8, OF_HSBK, |_| ());
    assert!(stood_in(&rail));
    assert_eq!(
        rail.world.engine.card_stats().stand_in_cards,
        1,
        "yesterday is forgotten"
    );
}

#[test]
fn a_chip_is_approved_up_to_the_floor_and_a_pin_if_it_was_verified() {
    let chip = |rail: &mut Rail, number, fact, amount| {
        rail.request(number, OF_HSBK, |request| {
            request.transaction.entry = EntryMode::Chip;
            request.chip = fact;
            request.transaction.amount = Money::kzt(amount);
        });
    };
    let mut rail = Rail::new();
    rail.disconnect(HSBK);
    chip(&mut rail, 1, ChipFact::Unchecked, AMOUNT / 2 + 1);
    assert_eq!(rail.declined(), CardReason::StandInFloor);
    chip(&mut rail, 2, ChipFact::Unchecked, AMOUNT / 2);
    assert!(stood_in(&rail));
    chip(&mut rail, 3, ChipFact::Wrong, 1);
    assert_eq!(rail.declined(), CardReason::ChipWrong);
    chip(&mut rail, 4, ChipFact::Verified, AMOUNT);
    assert_eq!(
        rail.declined(),
        CardReason::StandInFloor,
        "no keys for this range"
    );
    let source = operator();
    let rule = Some(StandIn {
        pin_delegated: true,
        cryptogram_keys: true,
        ..stand_in()
    });
    rail.accept(Command::SetStandIn {
        source,
        number: 1,
        rule,
    });
    chip(&mut rail, 5, ChipFact::Verified, AMOUNT);
    assert!(stood_in(&rail));
    let atm = |pin| {
        move |request: &mut Request| {
            request.transaction.channel = Channel::Atm;
            request.transaction.service = CardService::Cash;
            request.pin = pin;
        }
    };
    rail.request(6, OF_HSBK, atm(PinFact::Absent));
    assert_eq!(rail.declined(), CardReason::IssuerUnavailable);
    rail.request(7, OF_HSBK, atm(PinFact::Translated));
    assert_eq!(rail.declined(), CardReason::IssuerUnavailable);
    rail.request(8, OF_HSBK, atm(PinFact::Verified));
    assert!(stood_in(&rail));
    rail.request(9, OF_HSBK, atm(PinFact::Wrong));
    assert_eq!(rail.declined(), CardReason::PinWrong);
}

#[test]
fn a_pin_is_wrong_only_where_its_verification_is_delegated() {
    let mut rail = Rail::new();
    rail.request(1, OF_HSBK, |request| request.pin = PinFact::Wrong);
    rail.forwarded();
}

#[test]
fn silence_is_reversed_first_and_then_stood_in_for() {
    let mut rail = Rail::new();
    let (request, asked) = rail.asked(1);
    rail.tick_after(Span::from_secs(12));
    assert!(stood_in(&rail));
    assert_eq!(rail.balance(CASP), acquired());
    let (letter, trace) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Reversal {
            about,
            cause: ReversalCause::Silent,
            reversal: None,
            ..
        } if about == asked
    ));
    rail.acknowledge(HSBK, trace);
    let (letter, advised) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Advice {
            by: AdvisedBy::StandInSilent,
            ..
        }
    ));
    rail.acknowledge(HSBK, advised);
    // The late answer is absorbed, whatever it says, and only once.
    rail.answer(HSBK, asked, approve());
    assert!(rail.world.out.cards.is_empty());
    let late = Event::LateAnswer {
        key: request.transaction.key,
        issuer: HSBK,
        approved: true,
    };
    assert_eq!(rail.events(), [late]);
    rail.answer(HSBK, asked, approve());
    assert!(matches!(rail.events()[..], [Event::Unmatched { .. }]));
    assert_eq!(rail.balance(CASP), acquired());
    // A reversal names the advice: that is what the issuer knows.
    rail.reverse(2, &request.transaction, None);
    let (letter, _) = rail.letter(HSBK);
    assert!(matches!(letter, Letter::Reversal { about, .. } if about == advised));
}

#[test]
fn silence_without_stand_in_is_91_and_a_reversal() {
    let mut rail = Rail::new();
    rail.request(1, OF_IRTY, |_| ());
    let asked = rail.forwarded();
    assert_eq!(
        rail.world.engine.next_deadline(),
        Some(rail.now().saturating_add(Span::from_secs(12)))
    );
    rail.tick_after(Span::from_secs(12));
    assert_eq!(rail.declined(), CardReason::IssuerSilent);
    let (letter, _) = rail.letter(crate::world::IRTY);
    assert!(matches!(letter, Letter::Reversal { about, .. } if about == asked));
    assert_eq!(rail.balance(CASP), 0);
    let mut rail = Rail::new();
    rail.request(1, OF_HSBK, |request| request.pin = PinFact::Translated);
    rail.tick_after(Span::from_secs(12));
    assert_eq!(
        rail.declined(),
        CardReason::IssuerSilent,
        "a PIN nobody verified"
    );
}

#[test]
fn the_whole_deadline_cuts_the_issuers_short() {
    let mut rail = Rail::new();
    rail.settings(|settings| settings.whole_within = Span::from_secs(12));
    rail.request(1, FOREIGN, |request| {
        request.transaction.channel = Channel::Web
    });
    let begun = rail.now();
    rail.tick_after(Span::from_millis(800));
    rail.forwarded();
    let end = begun.saturating_add(Span::from_secs(12));
    assert_eq!(rail.world.engine.next_deadline(), Some(end));
    rail.tick_after(Span::from_millis(11_200));
    assert_eq!(rail.declined(), CardReason::IssuerSilent);
    assert_eq!(rail.letters(HSBK).len(), 1);
}

#[test]
fn an_answer_too_late_to_forward_is_68() {
    let mut rail = Rail::new();
    let (_, trace) = rail.asked(1);
    rail.world.wait(Span::from_secs(12));
    rail.answer(HSBK, trace, approve());
    assert_eq!(rail.declined(), CardReason::AnswerTooLate);
    let (letter, _) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Reversal {
            cause: ReversalCause::TooLate,
            ..
        }
    ));
    let (_, trace) = rail.asked(2);
    rail.world.wait(Span::from_secs(12));
    rail.answer(HSBK, trace, decline("51"));
    assert_eq!(rail.declined(), CardReason::AnswerTooLate);
    assert!(
        rail.letters(HSBK).is_empty(),
        "a decline leaves nothing to undo"
    );
    assert_eq!(rail.balance(CASP), 0);
}

#[test]
fn a_decline_carries_the_issuers_own_code() {
    let mut rail = Rail::new();
    let (_, trace) = rail.asked(1);
    rail.answer(HSBK, trace, decline("51"));
    let code = torap_domain::card::ResponseCode::parse(b"51").ok();
    assert_eq!(
        rail.decision(),
        Decision::Declined {
            reason: CardReason::IssuerDeclined,
            code
        }
    );
    assert_eq!(rail.balance(CASP), 0);
    rail.answer(HSBK, trace, approve());
    assert!(
        matches!(rail.events()[..], [Event::Unmatched { .. }]),
        "a second answer"
    );
}

#[test]
fn answers_match_by_member_class_and_trace() {
    let mut rail = Rail::new();
    let (_, trace) = rail.asked(1);
    rail.answer_of(HSBK, Class::Authorisation, trace, approve());
    assert!(matches!(rail.events()[..], [Event::Unmatched { .. }]));
    rail.answer(crate::world::IRTY, trace, approve());
    assert!(matches!(rail.events()[..], [Event::Unmatched { .. }]));
    let mut other = Answer {
        origin: Origin {
            link: LinkNumber(77),
            ..origin(HSBK)
        },
        class: Class::Financial,
        trace,
        mac: MacFact::NotRequired,
        verdict: approve(),
    };
    rail.accept(Command::Answer(other));
    assert!(
        matches!(rail.decision(), Decision::Approved { .. }),
        "another connection"
    );
    other.trace.stan = other.trace.stan.next();
    rail.accept(Command::Answer(other));
    assert!(matches!(rail.events()[..], [Event::Unmatched { .. }]));
}

#[test]
fn an_answer_without_a_good_mac_does_not_count() {
    let mut rail = Rail::new();
    rail.member(
        HSBK,
        Profile {
            mac: true,
            ..profile(HSBK)
        },
    );
    let answer = |trace, mac| Answer {
        origin: origin(HSBK),
        class: Class::Financial,
        trace,
        mac,
        verdict: approve(),
    };
    let (_, trace) = rail.asked(1);
    for mac in [MacFact::Bad, MacFact::Missing, MacFact::NotRequired] {
        rail.accept(Command::Answer(answer(trace, mac)));
        assert!(rail.world.out.cards.is_empty());
        assert!(matches!(
            rail.events()[..],
            [Event::Refused {
                participant: HSBK,
                ..
            }]
        ));
    }
    rail.accept(Command::Answer(answer(trace, MacFact::Good)));
    assert!(matches!(rail.decision(), Decision::Approved { .. }));
    let (_, trace) = rail.asked(2);
    rail.accept(Command::Answer(answer(trace, MacFact::Unavailable)));
    assert_eq!(rail.declined(), CardReason::AnswerUnverifiable);
    let (letter, _) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Reversal {
            cause: ReversalCause::Unverifiable,
            ..
        }
    ));
    assert_eq!(rail.balance(CASP), acquired());
}

#[test]
fn after_a_restart_nothing_is_sent_again_and_nobody_stands_in() {
    let mut rail = Rail::new();
    let (request, asked) = rail.asked(1);
    let enriching = rail.request(2, FOREIGN, |request| request.token = true);
    rail.world.accept(crate::Command::Start {
        epoch: torap_domain::Epoch(2),
        binary: torap_domain::Text::truncated("torap"),
    });
    assert!(rail.sent_to(HSBK).is_empty());
    assert!(
        rail.world
            .engine
            .card_members()
            .all(|member| !member.signed_on && member.links.is_empty())
    );
    rail.connect(CASP, 101);
    rail.accept(Command::Request(enriching));
    assert_eq!(rail.declined(), CardReason::Restarted);
    rail.tick_after(Span::from_secs(12));
    assert_eq!(rail.declined(), CardReason::Restarted);
    rail.accept(Command::Request(request));
    assert_eq!(rail.declined(), CardReason::Restarted);
    assert_eq!(rail.balance(CASP), 0);
    rail.connect(HSBK, 102);
    let (letter, _) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Reversal { cause: ReversalCause::Restarted, about, .. } if about == asked
    ));
    rail.answer(HSBK, asked, approve());
    assert!(matches!(rail.events()[..], [Event::LateAnswer { .. }]));
}
