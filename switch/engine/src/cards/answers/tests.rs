use torap_domain::{
    CardReason, Money, Span,
    card::{Channel, EntryMode},
};

use crate::{
    cards::{world::*, *},
    world::{CASP, HSBK, TSES},
};

#[test]
fn a_scheme_is_asked_and_the_request_carries_its_answer() {
    let mut rail = Rail::new();
    let web = |request: &mut Request| {
        request.transaction.channel = Channel::Web;
        request.transaction.entry = EntryMode::ECommerce;
    };
    rail.request(1, FOREIGN, web);
    let submitted = rail.world.stamp.position;
    let [
        Message::Enquiry {
            original, trace, ..
        },
    ] = rail.sent_to(TSES)[..]
    else {
        panic!("{:?}", rail.world.out.cards)
    };
    assert_eq!(original, submitted);
    let answer = |declines| SchemeAnswer {
        origin: origin(TSES),
        trace,
        mac: MacFact::NotRequired,
        declines,
    };
    rail.accept(Command::SchemeAnswer(answer(None)));
    let answered = rail.world.stamp.position;
    let [
        Message::Request {
            original,
            enrichment,
            ..
        },
    ] = rail.sent_to(HSBK)[..]
    else {
        panic!()
    };
    assert_eq!(
        (original, enrichment),
        (submitted, Enrichment::Answered(answered))
    );
    // Once is enough.
    rail.accept(Command::SchemeAnswer(answer(None)));
    assert!(matches!(
        rail.events()[..],
        [Event::Unmatched {
            participant: TSES,
            ..
        }]
    ));
    // A POS purchase does not ask; a token always does.
    rail.request(2, FOREIGN, |_| ());
    rail.forwarded();
    rail.request(3, FOREIGN, |request| request.token = true);
    assert!(matches!(rail.sent_to(TSES)[..], [Message::Enquiry { .. }]));
    // It may forbid.
    rail.request(4, FOREIGN, web);
    let [Message::Enquiry { trace, .. }] = rail.sent_to(TSES)[..] else {
        panic!()
    };
    let code = torap_domain::card::ResponseCode::parse(b"62").unwrap();
    rail.accept(Command::SchemeAnswer(SchemeAnswer {
        trace,
        ..answer(Some(code))
    }));
    let forbidden = Decision::Declined {
        reason: CardReason::SchemeDeclined,
        code: Some(code),
    };
    assert_eq!(rail.decision(), forbidden);
}

#[test]
fn a_scheme_that_is_away_or_silent_is_done_without_or_declines() {
    let web = |request: &mut Request| request.transaction.channel = Channel::Web;
    let mut rail = Rail::new();
    rail.request(1, FOREIGN, web);
    rail.tick_after(Span::from_millis(800));
    let [Message::Request { enrichment, .. }] = rail.sent_to(HSBK)[..] else {
        panic!()
    };
    assert_eq!(enrichment, Enrichment::Missing);
    rail.disconnect(TSES);
    rail.request(2, FOREIGN, web);
    rail.forwarded();
    rail.scheme(Without::Decline);
    rail.request(3, FOREIGN, web);
    assert_eq!(rail.declined(), CardReason::SchemeUnavailable);
    rail.connect(TSES, 4);
    rail.request(4, FOREIGN, web);
    rail.tick_after(Span::from_millis(800));
    assert_eq!(rail.declined(), CardReason::SchemeUnavailable);
}

#[test]
fn a_part_is_used_only_by_an_acquirer_that_can() {
    let mut rail = Rail::new();
    let part = |part| Verdict::Approve {
        approval: None,
        part: Some(Money::kzt(part)),
    };
    rail.request(1, OF_HSBK, |request| request.partial_supported = true);
    let trace = rail.forwarded();
    rail.answer(HSBK, trace, part(AMOUNT / 2));
    assert!(
        matches!(rail.decision(), Decision::Approved { amount, .. } if amount == Money::kzt(AMOUNT / 2))
    );
    let half = rail.balance(CASP);
    assert_eq!(half, i128::from(AMOUNT / 2 - INTERCHANGE / 2 - 50));
    for (number, supported, amount) in [(2, false, AMOUNT / 2), (3, true, 0), (4, true, AMOUNT * 2)]
    {
        rail.request(number, OF_HSBK, |request| {
            request.partial_supported = supported
        });
        let trace = rail.forwarded();
        rail.answer(HSBK, trace, part(amount));
        assert_eq!(rail.declined(), CardReason::PartialNotSupported);
        if number == 2 {
            let (letter, _) = rail.letter(HSBK);
            assert!(matches!(
                letter,
                Letter::Reversal { cause: ReversalCause::PartialUnusable, about, .. } if about == trace
            ));
        }
        assert_eq!(rail.balance(CASP), half);
    }
}
