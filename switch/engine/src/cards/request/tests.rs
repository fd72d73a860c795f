use torap_domain::{CardReason, CardService, Money, Span, card::Prefix};

use crate::{
    cards::{world::*, *},
    participants,
    world::{CASP, HSBK, IRTY, NOBODY, TSES, operator},
};

/// A request that `change` has broken is declined for `reason`: nobody else is told, nothing moves, and a repeat gets the same answer
/// from memory exactly if it is remembered.
fn check(reason: CardReason, remembered: bool, change: impl Fn(&mut Request)) {
    check_in(&mut Rail::new(), reason, remembered, change);
}

fn check_in(rail: &mut Rail, reason: CardReason, remembered: bool, change: impl Fn(&mut Request)) {
    let request = rail.request(1, OF_HSBK, change);
    assert_eq!(rail.declined(), reason);
    assert_eq!(rail.world.out.cards.len(), 1, "{reason}");
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    rail.accept(Command::Request(Request {
        repeat: true,
        ..request
    }));
    assert_eq!(rail.declined(), reason, "a repeat");
    let again = matches!(
        rail.sent_to(CASP)[..],
        [Message::Answer { again: true, .. }]
    );
    assert_eq!(again, remembered, "{reason}");
}

#[test]
fn an_approved_purchase_moves_amount_and_fees_in_its_session() {
    let mut rail = Rail::new();
    let (request, trace) = rail.asked(1);
    let submitted = rail.world.stamp.position;
    let session = torap_domain::Date::from_ymd(2026, 11, 21).unwrap();
    assert_eq!(
        rail.sent_to(HSBK),
        [Message::Request {
            original: submitted,
            class: Class::Financial,
            trace,
            session,
            expires: rail.now().saturating_add(Span::from_secs(12)),
            enrichment: Enrichment::NotAsked,
        }]
    );
    rail.answer(HSBK, trace, approve());
    let fees = Fees {
        interchange: Money::kzt(INTERCHANGE),
        interchange_to: Side::Issuer,
        switch_acquirer: Money::kzt(50),
        switch_issuer: Money::kzt(20),
    };
    let [effect] = rail.world.out.cards[..] else {
        panic!()
    };
    assert_eq!((effect.to, effect.link), (CASP, Some(LinkNumber(1))));
    let Message::Answer {
        original,
        references,
        decision,
        answer,
        fees: told,
        again,
        ..
    } = effect.message
    else {
        panic!("{effect:?}")
    };
    assert_eq!(
        (original, answer),
        (submitted, Some(rail.world.stamp.position))
    );
    assert_eq!((references, again), (request.transaction.references, false));
    assert!(matches!(
        decision,
        Decision::Approved {
            by: Decider::Issuer,
            ..
        }
    ));
    assert_eq!(told, Some(fees));
    assert_eq!(rail.balance(CASP), acquired());
    assert_eq!(rail.balance(HSBK), issued());
    assert_eq!(rail.totals(HSBK, Side::Issuer).debits.count, 1);
    assert_eq!(
        rail.totals(CASP, Side::Acquirer).debits.amount,
        Money::kzt(AMOUNT)
    );
    assert!(rail.events().contains(&Event::Posted(Posting {
        key: request.transaction.key,
        session,
        debit: HSBK,
        credit: CASP,
        amount: Money::kzt(AMOUNT),
        acquirer: CASP,
        fees,
        reversal: false,
    })));
}

#[test]
fn an_authorisation_moves_nothing_and_is_remembered() {
    let mut rail = Rail::new();
    rail.authorised(1);
    assert!(matches!(rail.decision(), Decision::Approved { .. }));
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    assert_eq!(rail.world.engine.card_stats().authorisations, 1);
}

#[test]
fn credits_move_the_other_way_and_enquiries_nothing() {
    let mut rail = Rail::new();
    for (number, service) in (1..).zip([
        CardService::Refund,
        CardService::Deposit,
        CardService::P2pCredit,
    ]) {
        rail.request(number, OF_HSBK, |request| {
            request.transaction.service = service
        });
        let trace = rail.forwarded();
        rail.answer(HSBK, trace, approve());
    }
    let credited = 3 * (i128::from(AMOUNT) + i128::from(INTERCHANGE) - 20);
    assert_eq!(rail.balance(HSBK), credited);
    assert_eq!(rail.totals(HSBK, Side::Issuer).credits.count, 3);
    for (number, service) in (10..).zip([
        CardService::BalanceEnquiry,
        CardService::AccountVerification,
    ]) {
        rail.request(number, OF_HSBK, |request| {
            request.transaction.service = service;
            request.transaction.amount = Money::kzt(0);
        });
        let trace = rail.forwarded();
        rail.answer(HSBK, trace, approve());
        assert!(matches!(
            rail.sent_to(CASP)[..],
            [Message::Answer { fees: None, .. }]
        ));
    }
    rail.request(20, OF_HSBK, |request| {
        request.transaction.service = CardService::AccountTransfer
    });
    let trace = rail.forwarded();
    rail.answer(HSBK, trace, approve());
    assert_eq!(rail.balance(HSBK), credited);
}

#[test]
fn every_rule_declines_with_its_reason() {
    use CardReason as R;
    check(R::RouteUnknown, true, |request| {
        request.transaction.route = None
    });
    check(R::RouteOutdated, false, |request| {
        request.transaction.route = Some(Route {
            version: 9,
            range: 0,
        });
    });
    check(R::RouteMismatch, false, |request| {
        request.transaction.card = card_of(OF_IRTY)
    });
    check(R::AcquirerUnbound, false, |request| {
        request.transaction.references.acquirer = institution(IRTY);
    });
    check(R::TransmissionTime, false, |request| {
        let trace = &mut request.transaction.references.trace;
        trace.transmitted = torap_domain::card::Transmission::parse(b"1121025500").unwrap();
    });
    check(R::TransmissionTime, false, |request| {
        let trace = &mut request.transaction.references.trace;
        trace.transmitted = torap_domain::card::Transmission::parse(b"1121041000").unwrap();
    });
    check(R::FunctionNotSupported, true, |request| {
        request.transaction.service = CardService::PreAuthorisation;
    });
    check(R::AmountNotAllowed, true, |request| {
        request.transaction.amount = Money::kzt(0)
    });
    check(R::AmountNotAllowed, true, |request| {
        request.transaction.amount = Money::kzt(AMOUNT_MAX + 1);
    });
    check(R::AmountNotAllowed, true, |request| {
        request.transaction.cash_back = Money::kzt(1)
    });
    check(R::AmountNotAllowed, true, |request| {
        request.transaction.service = CardService::BalanceEnquiry;
    });
    check(R::AmountNotAllowed, true, |request| {
        request.transaction.service = CardService::PurchaseWithCashBack;
        request.transaction.cash_back = Money::kzt(AMOUNT + 1);
    });
    check(R::PinRefused, true, |request| {
        request.pin = PinFact::Refused
    });
    check(R::PinUnavailable, false, |request| {
        request.pin = PinFact::Unavailable
    });
    check(R::MacWrong, false, |request| {
        request.transaction.mac = MacFact::Bad
    });
    check(R::MacUnavailable, false, |request| {
        request.transaction.mac = MacFact::Unavailable
    });
}

#[test]
fn a_participant_without_a_profile_is_no_member() {
    let mut rail = Rail::new();
    rail.request(1, OF_HSBK, |request| {
        request.origin.participant = NOBODY;
    });
    let reason = CardReason::NotMember;
    let refused = Event::Refused {
        participant: NOBODY,
        reason,
    };
    assert_eq!(rail.events(), [refused]);
    assert!(rail.sent_to(HSBK).is_empty());
}

#[test]
fn a_mac_that_is_agreed_must_be_there() {
    let mut rail = Rail::new();
    rail.member(
        CASP,
        Profile {
            mac: true,
            ..profile(CASP)
        },
    );
    check_in(&mut rail, CardReason::MacMissing, false, |_| ());
    rail.request(2, OF_HSBK, |request| {
        request.transaction.mac = MacFact::Good
    });
    rail.forwarded();
}

#[test]
fn members_states_and_services_count() {
    let state = |state| {
        let mut rail = Rail::new();
        rail.world.state(CASP, state);
        rail
    };
    use participants::State;
    let suspended = |debits, credits| State::Suspended { debits, credits };
    check_in(
        &mut state(State::Closing),
        CardReason::SenderNotActive,
        true,
        |_| (),
    );
    check_in(
        &mut state(suspended(false, true)),
        CardReason::SenderSuspended,
        true,
        |_| (),
    );
    let mut rail = Rail::new();
    rail.world.state(HSBK, suspended(true, false));
    check_in(&mut rail, CardReason::IssuerSuspended, true, |_| ());
    // A refund credits the issuer.
    rail.request(2, OF_HSBK, |request| {
        request.transaction.service = CardService::Refund
    });
    rail.forwarded();
    let mut rail = Rail::new();
    rail.world.state(HSBK, State::Certifying);
    check_in(&mut rail, CardReason::IssuerNotActive, true, |_| ());
    let mut rail = Rail::new();
    let services = Services(CardService::Cash.bit());
    rail.member(
        HSBK,
        Profile {
            services,
            ..profile(HSBK)
        },
    );
    check_in(&mut rail, CardReason::ServiceNotAllowed, true, |_| ());
    let mut rail = Rail::new();
    rail.network(CASP, NetworkAction::SignOff);
    check_in(&mut rail, CardReason::NotSignedOn, false, |_| ());
    let mut rail = Rail::new();
    let request = |request: &mut Request| {
        request.origin = origin(HSBK);
        request.transaction.references.acquirer = institution(HSBK);
    };
    rail.request(1, OF_IRTY, request);
    assert!(matches!(
        rail.sent_to(HSBK)[..],
        [Message::Answer {
            decision: Decision::Declined {
                reason: CardReason::RoleNotAllowed,
                ..
            },
            ..
        }]
    ));
    rail.request(2, OF_IRTY, |request| {
        request.origin = origin(IRTY);
        request.transaction.references.acquirer = institution(IRTY);
    });
    assert!(matches!(
        rail.sent_to(IRTY)[..],
        [Message::Answer {
            decision: Decision::Declined {
                reason: CardReason::SameParticipant,
                ..
            },
            ..
        }]
    ));
}

#[test]
fn the_longest_prefix_counts_and_a_table_lives_one_version_longer() {
    let mut rail = Rail::new();
    let old = rail.transaction(1, OF_HSBK);
    let mut longer = ranges();
    let prefix = Prefix::parse("98601200000").unwrap();
    longer.push(BinRange {
        prefix,
        issuer: IRTY,
        stand_in: 0,
        ..longer[0]
    });
    rail.bins(longer.clone());
    // Looked up in the table of before.
    rail.request(1, OF_HSBK, |request| request.transaction = old);
    assert_eq!(rail.sent_to(HSBK).len(), 1);
    rail.request(2, OF_HSBK, |_| ());
    assert_eq!(rail.sent_to(IRTY).len(), 1);
    rail.bins(longer);
    let again = Transaction {
        key: key(2, 3),
        ..old
    };
    rail.request(3, OF_HSBK, |request| request.transaction = again);
    assert_eq!(rail.declined(), CardReason::RouteOutdated);
}

#[test]
fn a_repeat_is_answered_from_memory_and_other_content_is_refused() {
    let mut rail = Rail::new();
    let (request, trace) = rail.asked(1);
    let repeat = Request {
        repeat: true,
        origin: Origin {
            link: LinkNumber(99),
            ..origin(CASP)
        },
        ..request
    };
    rail.accept(Command::Request(repeat));
    assert!(
        rail.world.out.cards.is_empty(),
        "the issuer is not asked twice"
    );
    rail.answer(HSBK, trace, approve());
    assert_eq!(
        rail.world.out.cards[0].link,
        Some(LinkNumber(99)),
        "to where the repeat came from"
    );
    let first = rail.decision();
    rail.accept(Command::Request(repeat));
    assert_eq!(rail.decision(), first);
    assert!(matches!(
        rail.sent_to(CASP)[..],
        [Message::Answer {
            again: true,
            fees: Some(_),
            ..
        }]
    ));
    assert_eq!(rail.balance(CASP), acquired());
    let mut other = repeat;
    other.transaction.fingerprint = Fingerprint([77; 16]);
    rail.accept(Command::Request(other));
    assert_eq!(rail.declined(), CardReason::DuplicateMismatch);
    assert_eq!(rail.balance(CASP), acquired());
}

#[test]
fn what_was_dropped_is_refused_by_its_transmission_time() {
    let mut rail = Rail::new();
    rail.settings(|settings| settings.bounds.window_entries = 2);
    let first = rail.approved(1);
    rail.world.wait(Span::from_secs(60));
    for number in 2..5 {
        rail.approved(number);
    }
    rail.accept(Command::Request(first));
    assert_eq!(rail.declined(), CardReason::TransmissionTime);
    rail.reverse(9, &first.transaction, None);
    assert_eq!(rail.replied(), Some(CardReason::BeyondMemory));
    assert_eq!(rail.balance(CASP), 4 * acquired());
}

#[test]
fn bounds_are_kept() {
    let full = |change: fn(&mut Bounds)| {
        let mut rail = Rail::new();
        rail.settings(|settings| change(&mut settings.bounds));
        rail
    };
    let mut rail = full(|bounds| bounds.in_flight_max = 1);
    rail.asked(1);
    rail.request(2, OF_HSBK, |_| ());
    assert_eq!(rail.declined(), CardReason::InFlightFull);
    let mut rail = full(|bounds| bounds.authorisations_max = 1);
    rail.authorised(1);
    rail.request(2, OF_HSBK, |request| {
        request.transaction.class = Class::Authorisation
    });
    assert_eq!(rail.declined(), CardReason::AuthorisationsFull);
    let mut rail = full(|bounds| bounds.queue_max = 3);
    rail.asked(1);
    rail.request(2, OF_HSBK, |_| ());
    assert_eq!(rail.declined(), CardReason::QueueFull);
}

#[test]
fn the_cap_declines_new_debits_alone_and_is_told_once() {
    let mut rail = Rail::new();
    let cap = Some(Money::kzt(2 * AMOUNT));
    rail.member(
        HSBK,
        Profile {
            cap,
            ..profile(HSBK)
        },
    );
    rail.approved(1);
    let (_, trace) = rail.asked(2);
    rail.answer(HSBK, trace, approve());
    let near: Vec<_> = rail
        .events()
        .into_iter()
        .filter(|event| matches!(event, Event::NetDebit { .. }))
        .collect();
    assert!(matches!(
        near[..],
        [Event::NetDebit {
            near: true,
            participant: HSBK,
            ..
        }]
    ));
    let (letter, notice) = rail.letter(HSBK);
    assert!(matches!(
        letter,
        Letter::Notice(Notice::NetDebit {
            participant: HSBK,
            ..
        })
    ));
    rail.acknowledge(HSBK, notice);
    rail.request(3, OF_HSBK, |_| ());
    assert_eq!(rail.declined(), CardReason::NetDebitCap);
    // An authorisation, an advice and a reversal are as without a cap.
    let authorised = rail.authorised(4);
    assert!(matches!(rail.decision(), Decision::Approved { .. }));
    rail.advise(5, |_| ());
    assert_eq!(rail.replied(), None);
    rail.advise(6, |advice| {
        advice.completes = Some(named(&authorised.transaction))
    });
    assert_eq!(rail.replied(), None);
    // Credits bring it back.
    for number in 10..13 {
        rail.request(number, OF_HSBK, |request| {
            request.transaction.service = CardService::Refund
        });
        let trace = rail.forwarded();
        rail.answer(HSBK, trace, approve());
    }
    assert!(
        rail.events()
            .iter()
            .any(|event| matches!(event, Event::NetDebit { near: false, .. }))
    );
    rail.request(20, OF_HSBK, |_| ());
    rail.forwarded();
}

#[test]
fn a_processing_centre_sends_and_receives_for_its_banks() {
    let mut rail = Rail::new();
    rail.network(IRTY, NetworkAction::SignOff);
    rail.member(
        IRTY,
        Profile {
            host: Some(CASP),
            ..profile(IRTY)
        },
    );
    // CASP's connection sends for IRTY as acquirer.
    rail.request(1, OF_HSBK, |request| {
        request.transaction.references.acquirer = institution(IRTY);
    });
    let trace = rail.forwarded();
    rail.answer(HSBK, trace, approve());
    assert!(matches!(rail.decision(), Decision::Approved { .. }));
    assert_eq!(rail.balance(IRTY), acquired());
    // And takes for it as issuer.
    rail.request(2, OF_IRTY, |_| ());
    let asked = rail.world.out.cards[0];
    assert_eq!(asked.to, CASP);
    let trace = rail.forwarded();
    rail.answer(CASP, trace, approve());
    assert_eq!(rail.balance(IRTY), acquired() + issued());
}

#[test]
fn settings_and_tables_that_make_no_sense_are_refused() {
    let mut rail = Rail::new();
    let source = operator();
    let mut settings = *rail.world.engine.card_settings();
    settings.issuer_within = Span::from_secs(30);
    rail.refuse(Command::SetSettings { source, settings });
    let mut settings = *rail.world.engine.card_settings();
    settings.bounds.queue_max = 0;
    rail.refuse(Command::SetSettings { source, settings });
    let ranges = ranges();
    rail.refuse(Command::SetBins {
        source,
        version: 7,
        ranges: ranges.clone(),
    });
    let twice = vec![ranges[0], ranges[0]];
    rail.refuse(Command::SetBins {
        source,
        version: 2,
        ranges: twice,
    });
    let foreign = vec![BinRange {
        scheme: 1,
        ..ranges[0]
    }];
    rail.refuse(Command::SetBins {
        source,
        version: 2,
        ranges: foreign,
    });
    let mut row = fee_row();
    row.tariff.interchange.millionths = 1_000_001;
    rail.refuse(Command::SetFees {
        source,
        rows: vec![row],
    });
    rail.refuse(Command::SetStandIn {
        source,
        number: 0,
        rule: None,
    });
    rail.refuse(Command::SetScheme {
        source,
        number: 1,
        scheme: Some(Scheme {
            host: CASP,
            within: Span::from_millis(10),
            channels: Channels::ALL,
            without: Without::Decline,
        }),
    });
    let link = crate::Source::Link {
        participant: CASP,
        sequence: torap_domain::Sequence(500),
    };
    rail.refuse(Command::CutOver { source: link });
    let taken = Profile {
        institutions: vec![institution(CASP)],
        ..profile(IRTY)
    };
    rail.refuse(Command::SetMember {
        source,
        participant: IRTY,
        profile: taken,
    });
    let own_host = Profile {
        host: Some(IRTY),
        ..profile(IRTY)
    };
    rail.refuse(Command::SetMember {
        source,
        participant: IRTY,
        profile: own_host,
    });
    rail.refuse(Command::SetMember {
        source,
        participant: NOBODY,
        profile: profile(TSES),
    });
}
