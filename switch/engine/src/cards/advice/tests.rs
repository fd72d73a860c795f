use torap_domain::{CardReason, CardService, Money, Span, card::Mcc};

use crate::{
    cards::{world::*, *},
    participants,
    world::{CASP, HSBK, operator},
};

fn complete(rail: &mut Rail, number: u32, original: &Transaction, amount: u64) {
    let original = named(original);
    rail.advise(number, |advice| {
        advice.transaction.amount = Money::kzt(amount);
        advice.completes = Some(original);
    });
}

#[test]
fn an_offline_approval_is_booked_once_and_forwarded() {
    let mut rail = Rail::new();
    let advice = rail.advise(1, |_| ());
    assert_eq!(rail.replied(), None);
    assert_eq!(
        (rail.balance(CASP), rail.balance(HSBK)),
        (acquired(), issued())
    );
    let (letter, trace) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Advice {
            by: AdvisedBy::Offline,
            class: Class::Financial,
            ..
        }
    ));
    rail.acknowledge(HSBK, trace);
    rail.accept(Command::Advice(Advice {
        repeat: true,
        ..advice
    }));
    assert!(matches!(
        rail.sent_to(CASP)[..],
        [Message::Reply {
            refusal: None,
            again: true,
            ..
        }]
    ));
    assert_eq!(rail.balance(CASP), acquired());
    let mut other = advice;
    other.transaction.fingerprint = Fingerprint([9; 16]);
    rail.accept(Command::Advice(other));
    assert_eq!(rail.replied(), Some(CardReason::DuplicateMismatch));
    rail.reverse(2, &advice.transaction, None);
    assert_eq!(rail.balance(CASP), 0);
    assert!(matches!(rail.letter(HSBK).0, Letter::Reversal { about, .. } if about == trace));
}

#[test]
fn an_offline_authorisation_moves_nothing() {
    let mut rail = Rail::new();
    let advice = rail.advise(1, |advice| advice.transaction.class = Class::Authorisation);
    assert_eq!(rail.replied(), None);
    assert_eq!(rail.balance(CASP), 0);
    complete(&mut rail, 2, &advice.transaction, AMOUNT);
    assert_eq!(rail.balance(CASP), acquired());
}

#[test]
fn completions_together_take_what_was_authorised_and_no_more() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    complete(&mut rail, 2, &request.transaction, AMOUNT / 2);
    assert_eq!(rail.replied(), None);
    assert!(
        matches!(
            rail.letter(HSBK).0,
            Letter::Advice {
                by: AdvisedBy::Completion,
                about: Some(_),
                ..
            }
        ),
        "the issuer knows the authorisation by the switch's trace"
    );
    complete(&mut rail, 3, &request.transaction, AMOUNT / 2 + 1);
    assert_eq!(rail.replied(), Some(CardReason::CompletionExceeds));
    complete(&mut rail, 4, &request.transaction, AMOUNT / 2);
    assert_eq!(rail.replied(), None);
    assert!(rail.events().iter().any(|event| matches!(
        event,
        Event::AuthorisationEnded { completed, .. } if *completed == Money::kzt(AMOUNT)
    )));
    complete(&mut rail, 5, &request.transaction, 1);
    assert_eq!(rail.replied(), Some(CardReason::AuthorisationUnknown));
    assert_eq!(
        rail.totals(CASP, Side::Acquirer).debits.amount,
        Money::kzt(AMOUNT)
    );
}

#[test]
fn a_reversed_completion_may_be_taken_again() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    let original = named(&request.transaction);
    let completion = rail.advise(2, |advice| {
        advice.transaction.amount = Money::kzt(AMOUNT / 2);
        advice.completes = Some(original);
    });
    rail.reverse(3, &completion.transaction, None);
    assert_eq!(rail.balance(CASP), 0);
    complete(&mut rail, 4, &request.transaction, AMOUNT);
    assert_eq!(rail.replied(), None);
    assert_eq!(rail.balance(CASP), acquired());
}

#[test]
fn lifetime_and_tolerance_are_those_of_the_merchant_category() {
    let mut rail = Rail::new();
    let rows = vec![LifetimeRow {
        mcc_from: Mcc::new(5400).unwrap(),
        mcc_to: Mcc::new(5499).unwrap(),
        within: Span::from_secs(3600),
        above_percent: 20,
    }];
    let source = operator();
    rail.accept(Command::SetLifetimes { source, rows });
    let request = rail.authorised(1);
    complete(&mut rail, 2, &request.transaction, AMOUNT + AMOUNT / 5 + 1);
    assert_eq!(rail.replied(), Some(CardReason::CompletionExceeds));
    complete(&mut rail, 3, &request.transaction, AMOUNT + AMOUNT / 5);
    assert_eq!(rail.replied(), None);
    let request = rail.authorised(4);
    rail.world.wait(Span::from_secs(3600));
    rail.world.tick();
    assert!(
        rail.events()
            .iter()
            .any(|event| matches!(event, Event::AuthorisationEnded { .. }))
    );
    complete(&mut rail, 5, &request.transaction, AMOUNT);
    assert_eq!(rail.replied(), Some(CardReason::AuthorisationUnknown));
    let rows = vec![LifetimeRow {
        mcc_from: Mcc::NONE,
        mcc_to: Mcc::NONE,
        within: Span::ZERO,
        above_percent: 0,
    }];
    rail.refuse(Command::SetLifetimes { source, rows });
}

#[test]
fn what_an_advice_may_not_be() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    let original = named(&request.transaction);
    let mut refused = |number, reason, change: &dyn Fn(&mut Advice)| {
        rail.advise(number, |advice| change(advice));
        assert_eq!(rail.replied(), Some(reason));
    };
    refused(2, CardReason::FunctionNotSupported, &|advice| {
        advice.transaction.service = CardService::BalanceEnquiry;
    });
    refused(3, CardReason::FunctionNotSupported, &|advice| {
        advice.transaction.class = Class::Authorisation;
        advice.completes = Some(original);
    });
    refused(4, CardReason::RouteUnknown, &|advice| {
        advice.transaction.route = None
    });
    refused(5, CardReason::AmountNotAllowed, &|advice| {
        advice.transaction.amount = Money::kzt(0);
    });
    refused(6, CardReason::MacWrong, &|advice| {
        advice.transaction.mac = MacFact::Bad
    });
    refused(7, CardReason::AuthorisationUnknown, &|advice| {
        advice.completes = Some(Original {
            key: key(1, 77),
            ..original
        });
    });
    refused(8, CardReason::OriginalMismatch, &|advice| {
        advice.completes = Some(original);
        advice.transaction.card.hash = torap_domain::card::CardHash([7; 16]);
    });
    assert_eq!(rail.balance(CASP), 0);
}

#[test]
fn a_member_that_is_suspended_or_signed_off_still_tells_what_happened() {
    let mut rail = Rail::new();
    rail.network(CASP, NetworkAction::SignOff);
    let suspended = participants::State::Suspended {
        debits: true,
        credits: true,
    };
    rail.world.state(CASP, suspended);
    rail.world.state(HSBK, suspended);
    rail.advise(1, |_| ());
    assert_eq!(rail.replied(), None);
    rail.world.state(HSBK, participants::State::Certifying);
    rail.advise(2, |_| ());
    assert_eq!(rail.replied(), Some(CardReason::IssuerNotActive));
}
