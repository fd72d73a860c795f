use torap_domain::{CardReason, Money, Span};

use crate::{
    cards::{world::*, *},
    world::{CASP, HSBK, IRTY},
};

#[test]
fn a_full_reversal_undoes_amount_and_fees_and_tells_the_issuer() {
    let mut rail = Rail::new();
    let (request, asked) = rail.asked(1);
    let submitted = rail.world.stamp.position;
    rail.answer(HSBK, asked, approve());
    let reversal = rail.reverse(2, &request.transaction, None);
    assert_eq!(rail.replied(), None);
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    let at = rail.world.stamp.position;
    let (letter, trace) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Reversal {
            original,
            about,
            reversal: Some(by),
            cause: ReversalCause::Acquirer,
            stands,
            ..
        } if original == submitted && about == asked && by == at && stands.is_zero()
    ));
    rail.acknowledge(HSBK, trace);
    // The same once more, and another one of the same.
    rail.accept(Command::Reversal(Reversal {
        repeat: true,
        ..reversal
    }));
    assert!(matches!(
        rail.sent_to(CASP)[..],
        [Message::Reply {
            refusal: None,
            again: true,
            ..
        }]
    ));
    rail.reverse(3, &request.transaction, None);
    assert_eq!(rail.replied(), None);
    assert!(rail.letters(HSBK).is_empty());
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    let totals = rail.totals(HSBK, Side::Issuer);
    assert_eq!((totals.debits.count, totals.debit_reversals.count), (1, 1));
}

#[test]
fn partial_reversals_only_ever_lower_what_stands() {
    let mut rail = Rail::new();
    let request = rail.approved(1);
    rail.reverse(2, &request.transaction, Some(AMOUNT / 2));
    assert_eq!(rail.replied(), None);
    let half = i128::from(AMOUNT / 2);
    assert_eq!(rail.balance(CASP), half - i128::from(INTERCHANGE / 2) - 50);
    assert_eq!(rail.balance(HSBK), -half + i128::from(INTERCHANGE / 2) - 20);
    let reversed = rail.events().into_iter().find_map(|event| match event {
        Event::Reversed { stands, fees, .. } => Some((stands, fees.interchange)),
        _ => None,
    });
    assert_eq!(
        reversed,
        Some((Money::kzt(AMOUNT / 2), Money::kzt(INTERCHANGE / 2)))
    );
    rail.reverse(3, &request.transaction, Some(AMOUNT / 2 + 1));
    assert_eq!(rail.replied(), Some(CardReason::ReversalExceeds));
    rail.reverse(4, &request.transaction, Some(AMOUNT / 2));
    assert_eq!(rail.replied(), None);
    rail.reverse(5, &request.transaction, Some(AMOUNT / 4));
    assert_eq!(rail.replied(), None);
    rail.reverse(6, &request.transaction, None);
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    assert_eq!(
        rail.totals(CASP, Side::Acquirer).debit_reversals.amount,
        Money::kzt(AMOUNT)
    );
}

#[test]
fn a_reversal_of_a_request_under_way_decides_it() {
    let mut rail = Rail::new();
    let (request, asked) = rail.asked(1);
    rail.reverse(2, &request.transaction, Some(AMOUNT / 2));
    assert_eq!(rail.replied(), Some(CardReason::OriginalUndecided));
    rail.reverse(2, &request.transaction, None);
    assert_eq!(rail.replied(), None);
    // Never counted, so that it is not in the issuer's totals either.
    assert!(matches!(
        rail.letter(HSBK).0,
        Letter::Reversal {
            about,
            reversal: Some(_),
            cause: ReversalCause::Cancelled,
            ..
        } if about == asked
    ));
    rail.answer(HSBK, asked, approve());
    assert!(rail.world.out.cards.is_empty());
    rail.accept(Command::Request(request));
    assert_eq!(rail.declined(), CardReason::Reversed);
    assert_eq!(rail.balance(CASP), 0);
    assert_eq!(rail.world.engine.card_stats().in_flight, 0);
}

#[test]
fn a_reversal_before_its_original_blocks_it() {
    let mut rail = Rail::new();
    let transaction = rail.transaction(1, OF_HSBK);
    rail.reverse(2, &transaction, None);
    assert_eq!(rail.replied(), None);
    assert!(matches!(
        rail.events()[..],
        [Event::Blocked {
            participant: CASP,
            ..
        }]
    ));
    for _ in 0..2 {
        rail.request(1, OF_HSBK, |request| request.transaction = transaction);
        assert_eq!(rail.declined(), CardReason::Blocked);
        assert!(rail.sent_to(HSBK).is_empty());
    }
    rail.advise(1, |advice| advice.transaction = transaction);
    assert_eq!(rail.replied(), Some(CardReason::Blocked));
    rail.reverse(3, &transaction, None);
    assert_eq!(rail.replied(), None);
    assert_eq!(rail.balance(CASP), 0);
}

#[test]
fn a_declined_original_has_nothing_to_reverse() {
    let mut rail = Rail::new();
    let (request, asked) = rail.asked(1);
    rail.answer(HSBK, asked, decline("05"));
    rail.reverse(2, &request.transaction, None);
    assert_eq!(rail.replied(), None);
    assert!(rail.letters(HSBK).is_empty());
}

#[test]
fn an_authorisation_is_reversed_in_part_or_in_full() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    rail.reverse(2, &request.transaction, Some(AMOUNT / 2));
    assert_eq!(rail.replied(), None);
    rail.advise(3, |advice| {
        advice.completes = Some(named(&request.transaction));
    });
    assert_eq!(rail.replied(), Some(CardReason::CompletionExceeds));
    rail.reverse(4, &request.transaction, None);
    assert!(
        rail.events()
            .iter()
            .any(|event| matches!(event, Event::AuthorisationEnded { .. }))
    );
    assert_eq!(rail.world.engine.card_stats().authorisations, 0);
    assert_eq!(rail.balance(CASP), 0);
}

#[test]
fn an_authorisation_outlives_the_window() {
    let mut rail = Rail::new();
    rail.settings(|settings| settings.bounds.window_entries = 1);
    let request = rail.authorised(1);
    rail.world.wait(Span::from_secs(5));
    rail.approved(2);
    rail.approved(3);
    rail.world.wait(Span::from_secs(5));
    rail.reverse(4, &request.transaction, Some(AMOUNT / 4));
    assert_eq!(rail.replied(), None);
    let (letter, trace) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Reversal { amount, stands, .. } if amount == Money::kzt(AMOUNT) && stands == Money::kzt(AMOUNT / 4)
    ));
    rail.acknowledge(HSBK, trace);
    rail.reverse(5, &request.transaction, Some(AMOUNT / 2));
    assert_eq!(rail.replied(), Some(CardReason::ReversalExceeds));
}

#[test]
fn another_card_or_another_bank_reverses_nothing() {
    let mut rail = Rail::new();
    let request = rail.approved(1);
    let other = Transaction {
        card: card_of(OF_IRTY),
        ..request.transaction
    };
    rail.reverse(2, &other, None);
    assert_eq!(rail.replied(), Some(CardReason::OriginalMismatch));
    let mut reversal = rail.reverse(3, &request.transaction, Some(AMOUNT));
    reversal.key = key(4, 9);
    reversal.origin = origin(IRTY);
    rail.accept(Command::Reversal(reversal));
    assert!(matches!(
        rail.sent_to(IRTY)[..],
        [Message::Reply {
            refusal: Some(CardReason::AcquirerUnbound),
            ..
        }]
    ));
    assert_eq!(rail.balance(CASP), acquired());
}

#[test]
fn the_state_of_the_issuer_and_of_the_sender_does_not_matter() {
    let mut rail = Rail::new();
    let request = rail.approved(1);
    rail.disconnect(HSBK);
    rail.network(CASP, NetworkAction::SignOff);
    rail.reverse(2, &request.transaction, None);
    assert_eq!(rail.replied(), None);
    assert_eq!(rail.balance(CASP), 0);
    assert_eq!(rail.world.engine.card_stats().queued, 1);
    let mut bad = rail.reverse(3, &request.transaction, None);
    bad.key = key(4, 4);
    bad.mac = MacFact::Bad;
    rail.accept(Command::Reversal(bad));
    assert_eq!(rail.replied(), Some(CardReason::MacWrong));
}

#[test]
fn a_full_queue_is_told_to_the_acquirer_and_changes_nothing() {
    let mut rail = Rail::new();
    let request = rail.approved(1);
    rail.settings(|settings| settings.bounds.queue_max = 2);
    let reversal = rail.reverse(2, &request.transaction, None);
    assert_eq!(rail.replied(), Some(CardReason::QueueFull));
    assert_eq!(rail.balance(CASP), acquired());
    rail.settings(|settings| settings.bounds.queue_max = 10);
    rail.accept(Command::Reversal(reversal));
    assert_eq!(rail.replied(), None);
    assert_eq!(rail.balance(CASP), 0);
}
