mod duplicates;
mod numbers;

use torap_domain::{Bic, Iban, Money, ParticipantId, Position, QrId, Reason, Service, Span};

use crate::{
    Bounds, Command, Event, Message, Outcome, Source,
    directory::AliasKey,
    instant::{
        self, AliasFact, AliasResolution, CreditTransfer, FinalOutcome, Limits, PayeeFact, QrFact,
        Settings, Verdict,
    },
    participants::State,
    world::{CASP, FUNDS, HSBK, IRTY, World, bic, iban, key, operator, person, rejected, uetr},
};

fn command(payment: CreditTransfer) -> Command {
    Command::Instant(instant::Command::CreditTransfer(payment))
}

/// The last payment's money is held, and the payee's bank is asked.
fn forwarded(world: &World) -> bool {
    matches!(world.sent_to(HSBK)[..], [Message::Forward { .. }])
}

/// A payment of `service` that `change` has broken is refused for `reason`: nothing is held, the payer's bank alone is told,
/// and a repeat gets the same answer exactly if the identifier is remembered.
fn check(
    service: Service,
    reason: Reason,
    remembered: bool,
    change: impl Fn(&mut World, &mut CreditTransfer),
) {
    for version in [2, 3] {
        check_by(version, service, reason, remembered, &change);
    }
}

fn check_by(
    version: u32,
    service: Service,
    reason: Reason,
    remembered: bool,
    change: impl Fn(&mut World, &mut CreditTransfer),
) {
    let mut world = World::new();
    let source = operator();
    world.accept(Command::Rules { source, version });
    let mut payment = world.payment(1, service, 100);
    change(&mut world, &mut payment);
    // The link has gone on if the change sent something.
    payment.source = world.link(CASP);
    let before = (world.available(CASP), world.engine.stats().in_flight);
    world.refuse(command(payment), reason);
    if remembered || version < 3 {
        assert_eq!(world.status_to(CASP), (rejected(reason), false), "{reason}");
    } else {
        // No final status: the same may be on its way again, and settle.
        let original = world.stamp.position;
        assert_eq!(world.sent_to(CASP), [Message::Reject { original, reason }]);
    }
    assert_eq!(world.out.effects.len(), 1, "{reason}");
    let [event] = &world.out.events[..] else {
        panic!("{:?}", world.out.events);
    };
    match event {
        Event::PaymentFinished(finished) if remembered => {
            let outcome = FinalOutcome::Rejected {
                reason,
                agent_code: None,
            };
            assert_eq!((finished.outcome, finished.key), (outcome, payment.key));
            assert_eq!(finished.submitted, finished.decided);
        }
        Event::Refused { reason: told } if !remembered => assert_eq!(*told, reason),
        other => panic!("{reason}: {other:?}"),
    }
    let known = world.engine.find(&payment.key).is_some();
    assert_eq!(known, remembered, "{reason}");
    let after = (world.available(CASP), world.engine.stats().in_flight);
    assert_eq!(after, before, "{reason}");
    if remembered {
        payment.source = world.link(CASP);
        world.refuse(command(payment), Reason::DuplicateReplay);
        assert_eq!(world.status_to(CASP), (rejected(reason), true), "{reason}");
    }
}

/// As [`check`], of a payment by account whose identifier is remembered.
fn refused(reason: Reason, change: impl Fn(&mut World, &mut CreditTransfer)) {
    check(Service::C2cAccount, reason, true, change);
}

fn set_limits(world: &mut World, limits: Limits) {
    world.accept(Command::Instant(instant::Command::SetLimits {
        source: operator(),
        service: Service::C2cAccount,
        participant: None,
        limits,
    }));
}

fn set_bounds(world: &mut World, change: impl Fn(&mut Bounds)) {
    let mut bounds = Bounds::DEFAULT;
    change(&mut bounds);
    let source = operator();
    world.accept(Command::Bounds { source, bounds });
}

fn set_settings(world: &mut World, change: impl Fn(&mut Settings)) {
    let mut settings = Settings::initial();
    change(&mut settings);
    let source = operator();
    world.accept(Command::Instant(instant::Command::SetSettings {
        source,
        settings,
    }));
}

/// Makes a payment one by phone, as the directory answered.
fn by_phone(payment: &mut CreditTransfer, resolution: AliasResolution) {
    payment.service = Service::C2cPhone;
    payment.creditor_agent = Settings::initial().switch_bic;
    payment.creditor_account = None;
    payment.alias = Some(AliasFact {
        alias: AliasKey(7),
        as_of: Position(3),
        changed_at: Position(2),
        expected: Some(Position(2)),
        resolution,
    });
}

fn found() -> AliasResolution {
    AliasResolution::Found {
        agent: bic(HSBK),
        iban: iban(HSBK, 9),
        person: person(2),
    }
}

#[test]
fn a_payment_is_held_and_forwarded() {
    let mut world = World::new();
    let payment = world.payment(1, Service::C2cAccount, 100);
    world.accept(command(payment));
    let reserved = Event::PaymentReserved {
        key: key(1),
        debtor_agent: CASP,
        creditor_agent: HSBK,
        amount: Money::kzt(100),
    };
    assert_eq!(world.out.events, [reserved]);
    let [forward] = &world.out.effects[..] else {
        panic!("{:?}", world.out.effects);
    };
    assert_eq!(forward.outbound.to, HSBK);
    let original = world.stamp.position;
    assert_eq!(forward.outbound.message, Message::Forward { original });
    let expires = world.now().saturating_add(Span::from_secs(7));
    assert_eq!(forward.outbound.expires, Some(expires));
    assert_eq!(forward.references, Some(payment.references));
    assert_eq!(forward.resolved, None);
    assert_eq!(world.available(CASP), i128::from(FUNDS) - 100);
    assert_eq!(world.available(HSBK), i128::from(FUNDS));
    assert_eq!(world.engine.next_deadline(), Some(expires));
}

#[test]
fn who_may_send_is_decided_first_and_nothing_is_remembered() {
    let unbound: [fn(&mut World, &mut CreditTransfer); 4] = [
        |_, payment| payment.instructing_agent = bic(HSBK),
        |_, payment| payment.instructing_agent = Bic::parse("NOBOKZKA").unwrap(),
        |_, payment| payment.source = Source::Switch,
        // For a bank the operator may, as for a line of its file, but not for nobody.
        |_, payment| {
            payment.source = operator();
            payment.instructing_agent = Bic::parse("NOBOKZKA").unwrap();
        },
    ];
    for change in unbound {
        let mut world = World::new();
        let mut payment = world.payment(1, Service::C2cAccount, 100);
        // Everything else is wrong, too.
        payment.amount = Money::kzt(0);
        change(&mut world, &mut payment);
        let reason = Reason::UnboundSender;
        world.refuse(command(payment), reason);
        let original = world.stamp.position;
        let answered = match payment.source.link() {
            Some(_) => vec![Message::Reject { original, reason }],
            None => vec![],
        };
        assert_eq!(world.sent_to(CASP), answered);
        assert_eq!(world.out.events, [Event::Refused { reason }]);
        assert_eq!(world.engine.find(&key(1)), None);
    }
}

#[test]
fn agents_lead_to_participants() {
    let nobody = Bic::parse("NOBOKZKA").unwrap();
    refused(Reason::UnknownParticipant, |_, payment| {
        payment.debtor_agent = nobody;
    });
    refused(Reason::UnknownParticipant, |_, payment| {
        payment.creditor_agent = nobody;
    });
    // To the switch itself only by phone.
    refused(Reason::UnknownParticipant, |_, payment| {
        payment.creditor_agent = Settings::initial().switch_bic;
    });
    refused(Reason::UnknownParticipant, |_, payment| {
        by_phone(payment, found());
        if let Some(AliasFact {
            resolution: AliasResolution::Found { agent, .. },
            ..
        }) = &mut payment.alias
        {
            *agent = nobody;
        }
    });
    // CASP does not send for HSBK.
    refused(Reason::NotTechnicalSender, |_, payment| {
        payment.debtor_agent = bic(HSBK);
    });
}

#[test]
fn a_branch_is_its_institution() {
    let mut world = World::new();
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    payment.instructing_agent = Bic::parse("CASPKZKA722").unwrap();
    payment.creditor_agent = Bic::parse("HSBKKZKXXXX").unwrap();
    world.accept(command(payment));
    assert!(forwarded(&world));
}

#[test]
fn standings_stop_payments() {
    let suspended = |debits, credits| State::Suspended { debits, credits };
    let cases = [
        (CASP, State::Certifying, Some(Reason::SenderNotActive)),
        (CASP, State::Closing, Some(Reason::SenderNotActive)),
        (CASP, suspended(true, true), Some(Reason::SenderSuspended)),
        (CASP, suspended(true, false), Some(Reason::SenderSuspended)),
        (CASP, suspended(false, true), None),
        (HSBK, State::Certifying, Some(Reason::ReceiverNotActive)),
        (HSBK, State::Closing, Some(Reason::ReceiverNotActive)),
        (HSBK, suspended(true, true), Some(Reason::ReceiverSuspended)),
        (
            HSBK,
            suspended(false, true),
            Some(Reason::ReceiverSuspended),
        ),
        (HSBK, suspended(true, false), None),
    ];
    for (bank, state, reason) in cases {
        match reason {
            Some(reason) => refused(reason, |world, _| world.state(bank, state)),
            None => {
                let mut world = World::new();
                world.state(bank, state);
                let payment = world.payment(1, Service::C2cAccount, 100);
                world.accept(command(payment));
            }
        }
    }
}

#[test]
fn both_sides_in_one_bank_are_refused_unless_set() {
    let inside = |payment: &mut CreditTransfer| {
        payment.creditor_agent = bic(CASP);
        payment.creditor_account = Some(iban(CASP, 5));
    };
    refused(Reason::SameParticipant, |_, payment| inside(payment));
    let mut world = World::new();
    set_settings(&mut world, |settings| {
        settings.same_participant_allowed = true;
    });
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    inside(&mut payment);
    world.accept(command(payment));
    // Nothing is held: both sides settle on one position.
    assert_eq!(world.available(CASP), i128::from(FUNDS));
    let source = world.link(CASP);
    let answer = instant::Answer {
        source,
        message_id: payment.references.message_id,
        message_version: 0,
        uetr: uetr(1),
        transaction_id: payment.references.transaction_id,
        verdict: Verdict::Accept,
    };
    world.accept(Command::Instant(instant::Command::Answer(answer)));
    assert_eq!(world.finished().outcome, FinalOutcome::Settled);
    assert_eq!(world.sent_to(CASP).len(), 2);
    assert_eq!(world.available(CASP), i128::from(FUNDS));
}

#[test]
fn the_acceptance_time_bounds_the_payment() {
    // The command is applied a millisecond after `now`.
    let late = Span::from_millis(9_999);
    refused(Reason::AcceptanceTooOld, |world, payment| {
        payment.accepted = world.now().saturating_sub(late);
    });
    let ahead = Span::from_nanos(2_001_000_001);
    refused(Reason::AcceptanceInFuture, |world, payment| {
        payment.accepted = world.now().saturating_add(ahead);
    });
    for (back, forth, ask) in [
        (Span::from_nanos(9_998_999_999), Span::ZERO, 1),
        (Span::ZERO, Span::from_millis(2_001), 7_000_000_000),
        // The payee's bank has what is left of the whole payment's time.
        (Span::from_millis(4_999), Span::ZERO, 5_000_000_000),
    ] {
        let mut world = World::new();
        let mut payment = world.payment(1, Service::C2cAccount, 100);
        payment.accepted = world.now().saturating_sub(back).saturating_add(forth);
        world.accept(command(payment));
        let deadline = world.now().saturating_add(Span::from_nanos(ask));
        assert_eq!(world.engine.next_deadline(), Some(deadline));
    }
}

#[test]
fn both_banks_must_offer_the_service() {
    for bank in [CASP, HSBK] {
        for service in [Service::C2cAccount, Service::Me2Me, Service::Qr] {
            check(service, Reason::ServiceNotAllowed, true, |world, _| {
                let offered = Service::ALL.into_iter().filter(|other| *other != service);
                offer(world, bank, offered.collect());
            });
        }
    }
}

fn offer(world: &mut World, bank: ParticipantId, services: Vec<Service>) {
    let view = world.engine.participant_view(bank).unwrap();
    let profile = crate::participants::Profile {
        code: view.code,
        name: view.name,
        bics: view.bics,
        bank_codes: view.bank_codes,
        sponsor: view.sponsor,
        technical_senders: view.technical_senders,
        services,
        floor: None,
        ceiling: None,
    };
    world.accept(Command::Participants(
        crate::participants::Command::Update {
            source: operator(),
            participant: bank,
            profile,
        },
    ));
}

#[test]
fn a_payment_by_phone_goes_where_the_directory_says() {
    let mut world = World::new();
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    by_phone(&mut payment, found());
    world.accept(command(payment));
    assert!(forwarded(&world));
    let resolved = world.out.effects[0].resolved;
    assert_eq!(resolved, Some((bic(HSBK), iban(HSBK, 9))));
    world.answer(1, Verdict::Accept);
    assert_eq!(world.finished().service, Service::C2cPhone);
    assert_eq!(world.finished().creditor_agent, HSBK);
}

#[test]
fn what_the_directory_does_not_know_is_not_paid() {
    refused(Reason::AliasUnknown, |_, payment| {
        by_phone(payment, AliasResolution::Unknown);
    });
    refused(Reason::AliasUnknown, |_, payment| {
        payment.service = Service::C2cPhone;
    });
    refused(Reason::AliasSuspended, |_, payment| {
        by_phone(payment, AliasResolution::Suspended);
    });
    refused(Reason::AliasChanged, |_, payment| {
        by_phone(payment, found());
        payment.alias.as_mut().unwrap().expected = Some(Position(1));
    });
    let mut world = World::new();
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    by_phone(&mut payment, found());
    payment.alias.as_mut().unwrap().expected = None;
    world.accept(command(payment));
}

#[test]
fn a_payment_to_oneself_goes_to_oneself() {
    let check = |change: fn(&mut CreditTransfer)| {
        let reason = Reason::OwnAccountsMismatch;
        check(Service::Me2Me, reason, true, |_, payment| change(payment));
    };
    check(|payment| payment.creditor = Some(person(2)));
    check(|payment| payment.creditor = None);
    check(|payment| payment.payee = Some(PayeeFact::Mismatch));
    check(|payment| {
        by_phone(payment, found());
        payment.service = Service::Me2Me;
    });
    let mut world = World::new();
    let payment = world.payment(1, Service::Me2Me, 100);
    world.accept(command(payment));
    assert!(forwarded(&world));
}

#[test]
fn the_account_is_at_the_payees_bank() {
    refused(Reason::AccountBankMismatch, |_, payment| {
        payment.creditor_account = Some(iban(IRTY, 1));
    });
    refused(Reason::AccountBankMismatch, |_, payment| {
        payment.creditor_account = Some(Iban::parse("DE89370400440532013000").unwrap());
    });
    refused(Reason::AccountBankMismatch, |_, payment| {
        payment.creditor_account = None;
    });
}

#[test]
fn amounts_and_limits() {
    refused(Reason::AmountZero, |_, payment| {
        payment.amount = Money::kzt(0);
    });
    let none = Limits {
        payment_max: None,
        customer_day_amount_max: None,
        customer_day_count_max: None,
        participant_day_amount_max: None,
    };
    let some = Some(Money::kzt(99));
    let cases = [
        (
            Reason::AmountAboveServiceLimit,
            Limits {
                payment_max: some,
                ..none
            },
        ),
        (
            Reason::CustomerDayLimit,
            Limits {
                customer_day_amount_max: some,
                ..none
            },
        ),
        (
            Reason::CustomerDayCount,
            Limits {
                customer_day_count_max: Some(0),
                ..none
            },
        ),
        (
            Reason::ParticipantDayLimit,
            Limits {
                participant_day_amount_max: some,
                ..none
            },
        ),
    ];
    for (reason, limits) in cases {
        refused(reason, |world, _| set_limits(world, limits));
    }
    check(
        Service::C2cAccount,
        Reason::CustomerTableFull,
        false,
        |world, _| {
            set_limits(
                world,
                Limits {
                    customer_day_count_max: Some(9),
                    ..none
                },
            );
            set_bounds(world, |bounds| bounds.customers_per_day_max = 1);
            let mut other = world.payment(9, Service::C2cAccount, 1);
            other.debtor = person(5);
            world.accept(command(other));
            world.answer(9, Verdict::Accept);
        },
    );
}

#[test]
fn what_was_rejected_does_not_count_against_the_limit() {
    let mut world = World::new();
    set_limits(
        &mut world,
        Limits {
            payment_max: None,
            customer_day_amount_max: Some(Money::kzt(100)),
            customer_day_count_max: Some(1),
            participant_day_amount_max: Some(Money::kzt(100)),
        },
    );
    let payment = world.payment(1, Service::C2cAccount, 100);
    world.accept(command(payment));
    let second = world.payment(2, Service::C2cAccount, 100);
    world.refuse(command(second), Reason::CustomerDayLimit);
    world.answer(
        1,
        Verdict::Reject {
            agent_code: *b"AC04",
        },
    );
    let third = world.payment(3, Service::C2cAccount, 100);
    world.accept(command(third));
    // Silence gives back, too.
    world.wait(Span::from_secs(8));
    world.tick();
    let fourth = world.payment(4, Service::C2cAccount, 100);
    world.accept(command(fourth));
}

#[test]
fn a_code_that_is_not_there_is_not_paid() {
    let qr = |reason, change: fn(&mut CreditTransfer)| {
        check(Service::Qr, reason, true, |_, payment| change(payment));
    };
    qr(Reason::QrUnknown, |payment| payment.qr = None);
    qr(Reason::QrUnknown, |payment| {
        let id = QrId::parse("NEVER-REGISTERED").unwrap();
        payment.qr = Some(QrFact { id, dynamic: true });
    });
}

#[test]
fn a_bank_that_is_away_gets_nothing_and_nothing_is_held() {
    refused(Reason::ReceiverOffline, |world, _| world.sign(HSBK, false));
    // The payer's bank may be away when its message is applied; the answer waits in its stream.
    let mut world = World::new();
    let payment = world.payment(1, Service::C2cAccount, 100);
    world.sign(CASP, false);
    world.accept(command(payment));
}

#[test]
fn the_bound_on_payments_under_way_holds_and_is_not_remembered() {
    check(
        Service::C2cAccount,
        Reason::InFlightFull,
        false,
        |world, _| {
            set_bounds(world, |bounds| bounds.in_flight_max = 1);
            let mut other = world.payment(9, Service::C2cAccount, 1);
            other.source = world.link(IRTY);
            (other.instructing_agent, other.debtor_agent) = (bic(IRTY), bic(IRTY));
            world.accept(command(other));
        },
    );
}

#[test]
fn funds_are_the_last_thing_to_be_missing() {
    refused(Reason::InsufficientFunds, |_, payment| {
        payment.amount = Money::kzt(FUNDS + 1);
    });
    let mut world = World::new();
    let payment = world.payment(1, Service::C2cAccount, FUNDS);
    world.accept(command(payment));
    assert_eq!(world.available(CASP), 0);
    // What is coming in does not count before it is posted.
    let mut back = world.payment(2, Service::C2cAccount, 1);
    back.source = world.link(CASP);
    world.refuse(command(back), Reason::InsufficientFunds);
}

/// A reason, and what breaks its rule.
type Break = (Reason, fn(&mut World, &mut CreditTransfer));

#[test]
fn the_first_rule_that_is_broken_is_the_reason() {
    // Each breaks its rule on top of all that follow; so the reasons come in their order.
    let breaks: [Break; 12] = [
        (Reason::UnknownParticipant, |_, payment| {
            payment.debtor_agent = Bic::parse("NOBOKZKA").unwrap();
        }),
        (Reason::SenderSuspended, |world, _| {
            let state = State::Suspended {
                debits: true,
                credits: false,
            };
            world.state(CASP, state);
        }),
        (Reason::ReceiverSuspended, |world, _| {
            let state = State::Suspended {
                debits: false,
                credits: true,
            };
            world.state(HSBK, state);
        }),
        (Reason::AcceptanceTooOld, |world, payment| {
            payment.accepted = world.now().saturating_sub(Span::from_secs(60));
        }),
        (Reason::ServiceNotAllowed, |world, _| {
            offer(world, HSBK, vec![Service::C2cPhone]);
        }),
        (Reason::OwnAccountsMismatch, |_, payment| {
            payment.creditor = Some(person(7));
        }),
        (Reason::AccountBankMismatch, |_, payment| {
            payment.creditor_account = Some(iban(IRTY, 1));
        }),
        (Reason::AmountAboveServiceLimit, |world, _| {
            world.accept(Command::Instant(instant::Command::SetLimits {
                source: operator(),
                service: Service::Me2Me,
                participant: None,
                limits: Limits {
                    payment_max: Some(Money::kzt(1)),
                    customer_day_amount_max: None,
                    customer_day_count_max: None,
                    participant_day_amount_max: None,
                },
            }));
        }),
        (Reason::QrUnknown, |_, payment| {
            let id = QrId::parse("NO").unwrap();
            payment.qr = Some(QrFact { id, dynamic: true });
        }),
        (Reason::ReceiverOffline, |world, _| world.sign(HSBK, false)),
        (Reason::InFlightFull, |world, _| {
            set_bounds(world, |bounds| bounds.in_flight_max = 1);
            let mut other = world.payment(200, Service::C2cAccount, 1);
            other.creditor_agent = bic(IRTY);
            other.creditor_account = Some(iban(IRTY, 1));
            world.accept(command(other));
        }),
        (Reason::InsufficientFunds, |_, payment| {
            payment.amount = Money::kzt(u64::MAX);
        }),
    ];
    for first in 0..breaks.len() {
        let mut world = World::new();
        let mut payment = world.payment(1, Service::Me2Me, 100);
        for (_, change) in breaks[first..].iter().rev() {
            change(&mut world, &mut payment);
        }
        payment.source = world.link(CASP);
        assert_eq!(
            world.apply(command(payment)),
            Outcome::Refused(breaks[first].0)
        );
    }
    let reasons: Vec<Reason> = breaks.iter().map(|(reason, _)| *reason).collect();
    assert!(reasons.is_sorted());
}

#[test]
fn settings_under_which_nothing_could_finish_are_refused() {
    let changes: [fn(&mut Settings); 6] = [
        |settings| settings.payment_within = Span::ZERO,
        |settings| settings.receiver_within = Span::ZERO,
        |settings| settings.confirm_within = Span::from_secs(3601),
        |settings| settings.clock_skew_max = Span::from_secs(3601),
        |settings| settings.receiver_within = Span::from_secs(11),
        |settings| settings.switch_bic = bic(CASP),
    ];
    for change in changes {
        let mut world = World::new();
        let mut settings = Settings::initial();
        change(&mut settings);
        let source = operator();
        let command = Command::Instant(instant::Command::SetSettings { source, settings });
        world.refuse(command, Reason::OperatorRefused);
        assert_eq!(*world.engine.settings(), Settings::initial());
    }
    let mut world = World::new();
    let source = world.link(CASP);
    let settings = Settings::initial();
    let command = Command::Instant(instant::Command::SetSettings { source, settings });
    world.refuse(command, Reason::OperatorRefused);
}
