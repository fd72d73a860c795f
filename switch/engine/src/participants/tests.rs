use torap_domain::{Asset, BankCode, Bic, Money, ParticipantId, Reason, Sequence, Service, Text};

use super::{Command, Direction, PositionMode, Profile, State};
use crate::{
    Command as AnyCommand, Event, Message, Notice, Source,
    instant::{self, Limits, Verdict},
    world::{CASP, FUNDS, HSBK, IRTY, NOBODY, TSES, World, bic, operator, rejected},
};

const NEW: ParticipantId = ParticipantId(5);

fn profile(code: &str, agent: &str, bank_code: u16) -> Profile {
    Profile {
        code: Text::truncated(code),
        name: Text::truncated(code),
        bics: vec![Bic::parse(agent).unwrap()],
        bank_codes: vec![BankCode::from_value(bank_code).unwrap()],
        sponsor: None,
        technical_senders: Vec::new(),
        services: Service::ALL.to_vec(),
        floor: None,
        ceiling: None,
    }
}

fn new() -> Profile {
    profile("NEW", "NEWBKZKA", 111)
}

fn add(profile: Profile) -> AnyCommand {
    AnyCommand::Participants(Command::Add {
        source: operator(),
        profile,
        mode: PositionMode::Prefunded,
    })
}

fn update(participant: ParticipantId, profile: Profile) -> AnyCommand {
    AnyCommand::Participants(Command::Update {
        source: operator(),
        participant,
        profile,
    })
}

fn fund(participant: ParticipantId, direction: Direction, amount: u64) -> AnyCommand {
    AnyCommand::Participants(Command::Fund {
        source: operator(),
        participant,
        direction,
        amount: Money::kzt(amount),
    })
}

fn set_mode(participant: ParticipantId, mode: PositionMode) -> AnyCommand {
    AnyCommand::Participants(Command::SetPositionMode {
        source: operator(),
        participant,
        mode,
    })
}

fn set_successor(participant: ParticipantId, successor: ParticipantId) -> AnyCommand {
    AnyCommand::Participants(Command::SetSuccessor {
        source: operator(),
        participant,
        successor,
    })
}

fn notices(world: &World, participant: ParticipantId) -> Vec<Notice> {
    let sent = world.sent_to(participant).into_iter();
    let notices = sent.filter_map(|message| match message {
        Message::Notice { notice } => Some(notice),
        _ => None,
    });
    notices.collect()
}

fn pay(world: &mut World, number: u8, amount: u64) {
    let payment = world.payment(number, Service::C2cAccount, amount);
    world.accept(AnyCommand::Instant(instant::Command::CreditTransfer(
        payment,
    )));
}

#[test]
fn only_the_operator_commands() {
    let mut world = World::new();
    for source in [world.link(CASP), Source::Switch] {
        let participant = CASP;
        let commands = [
            Command::Add {
                source,
                profile: new(),
                mode: PositionMode::Prefunded,
            },
            Command::Update {
                source,
                participant,
                profile: new(),
            },
            Command::SetState {
                source,
                participant,
                state: State::Closing,
            },
            Command::SetPositionMode {
                source,
                participant,
                mode: PositionMode::Prefunded,
            },
            Command::SetSuccessor {
                source,
                participant,
                successor: HSBK,
            },
            Command::Fund {
                source,
                participant,
                direction: Direction::In,
                amount: Money::kzt(1),
            },
        ];
        for command in commands {
            // Each on its own sequence where it claims to come from a link.
            let command = match source {
                Source::Link { .. } => resourced(command, world.link(CASP)),
                _ => command,
            };
            world.refuse(AnyCommand::Participants(command), Reason::OperatorRefused);
            assert_eq!(
                world.out.events,
                [Event::Refused {
                    reason: Reason::OperatorRefused
                }]
            );
        }
    }
}

fn resourced(mut command: Command, new: Source) -> Command {
    match &mut command {
        Command::Add { source, .. }
        | Command::Update { source, .. }
        | Command::SetState { source, .. }
        | Command::SetPositionMode { source, .. }
        | Command::SetSuccessor { source, .. }
        | Command::Fund { source, .. } => *source = new,
    }
    command
}

#[test]
fn a_new_participant_gets_the_next_identifier_and_begins_certifying() {
    let mut world = World::new();
    world.accept(add(new()));
    let view = world.engine.participant_view(NEW).unwrap();
    assert_eq!(view.state, State::Certifying);
    assert_eq!(view.code.as_str(), "NEW");
    assert!(!view.link_up);
    assert_eq!(
        (view.inbound_last, view.outbound_last),
        (Sequence::ZERO, Sequence::ZERO)
    );
    assert_eq!(
        world.out.events,
        [Event::ParticipantChanged(Box::new(view))]
    );
    assert_eq!(world.engine.participant_views().count(), 5);
}

/// What is wrong with a profile, and the reason.
type Break<'a> = (&'a dyn Fn(&mut Profile), Reason);

#[test]
fn what_is_anothers_cannot_be_taken() {
    let changed = |change: &dyn Fn(&mut Profile)| {
        let mut profile = new();
        change(&mut profile);
        profile
    };
    let refused = Reason::OperatorRefused;
    let cases: [Break<'_>; 16] = [
        (&|profile| profile.code = Text::truncated("CASP"), refused),
        (&|profile| profile.code = Text::EMPTY, refused),
        (&|profile| profile.bics.clear(), refused),
        (&|profile| profile.bics = vec![bic(CASP)], refused),
        // Another branch of the same institution, and the switch itself.
        (
            &|profile| profile.bics = vec![Bic::parse("CASPKZKAXXX").unwrap()],
            refused,
        ),
        (
            &|profile| profile.bics = vec![Bic::parse("TORPKZKA").unwrap()],
            refused,
        ),
        (
            &|profile| profile.bank_codes = vec![BankCode::from_value(722).unwrap()],
            refused,
        ),
        (
            &|profile| profile.sponsor = Some(NOBODY),
            Reason::UnknownParticipant,
        ),
        (
            &|profile| profile.sponsor = Some(NEW),
            Reason::UnknownParticipant,
        ),
        (
            &|profile| profile.sponsor = Some(ParticipantId::SWITCH),
            Reason::UnknownParticipant,
        ),
        (
            &|profile| profile.technical_senders = vec![NOBODY],
            Reason::UnknownParticipant,
        ),
        (
            &|profile| profile.bics = vec![profile.bics[0]; 9],
            Reason::InternalLimit,
        ),
        (
            &|profile| profile.bank_codes = vec![profile.bank_codes[0]; 9],
            Reason::InternalLimit,
        ),
        (
            &|profile| profile.technical_senders = vec![CASP; 9],
            Reason::InternalLimit,
        ),
        (
            &|profile| profile.services = vec![Service::Qr; 9],
            Reason::InternalLimit,
        ),
        (
            &|profile| {
                profile.floor = Some(Money::kzt(2));
                profile.ceiling = Some(Money::kzt(2));
            },
            refused,
        ),
    ];
    for (change, reason) in cases {
        let mut world = World::new();
        let profile = changed(change);
        world.refuse(add(profile.clone()), reason);
        assert_eq!(world.engine.participant_views().count(), 4);
        // The same holds for a change.
        world.accept(add(new()));
        world.refuse(update(NEW, profile), reason);
        assert_eq!(
            world.engine.participant_view(NEW).unwrap().code.as_str(),
            "NEW"
        );
    }
    let mut world = World::new();
    world.refuse(update(NOBODY, new()), Reason::UnknownParticipant);
}

#[test]
fn a_sponsor_is_direct() {
    let mut world = World::new();
    let sponsored = Profile {
        sponsor: Some(CASP),
        ..new()
    };
    world.accept(add(sponsored));
    let second = |sponsor| Profile {
        sponsor: Some(sponsor),
        ..profile("TWO", "TWOBKZKA", 112)
    };
    world.refuse(add(second(NEW)), Reason::OperatorRefused);
    // Who sponsors others takes no sponsor.
    let casp = Profile {
        sponsor: Some(HSBK),
        ..profile("CASP", "CASPKZKA", 722)
    };
    world.refuse(update(CASP, casp), Reason::OperatorRefused);
    // A position with money on it does not go out of use.
    let irty = Profile {
        sponsor: Some(HSBK),
        ..profile("IRTY", "IRTYKZKA", 965)
    };
    world.refuse(update(IRTY, irty.clone()), Reason::OperatorRefused);
    world.accept(fund(IRTY, Direction::Out, FUNDS));
    world.accept(update(IRTY, irty));
}

#[test]
fn an_indirect_participant_settles_on_its_sponsor_and_is_reached_through_it() {
    let mut world = World::new();
    world.accept(add(Profile {
        sponsor: Some(HSBK),
        ..new()
    }));
    world.state(NEW, State::Active);
    // Told through the sponsor's stream.
    let change = world.stamp.position;
    assert_eq!(notices(&world, HSBK), [Notice::StateChanged { change }]);
    world.refuse(fund(NEW, Direction::In, 5), Reason::OperatorRefused);
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    payment.creditor_agent = Bic::parse("NEWBKZKA").unwrap();
    let code = BankCode::from_value(111).unwrap();
    payment.creditor_account = torap_domain::Iban::for_kz(code, "0000000000001").ok();
    world.accept(AnyCommand::Instant(instant::Command::CreditTransfer(
        payment,
    )));
    assert!(matches!(world.sent_to(HSBK)[..], [Message::Forward { .. }]));
    world.answer(1, Verdict::Accept);
    assert_eq!(world.finished().creditor_agent, NEW);
    assert_eq!(world.available(HSBK), i128::from(FUNDS) + 100);
    assert_eq!(world.engine.positions().count(), 4);
    // The sponsor's standing holds for it, too.
    world.state(
        HSBK,
        State::Suspended {
            debits: false,
            credits: true,
        },
    );
    let mut payment = world.payment(2, Service::C2cAccount, 100);
    payment.creditor_agent = Bic::parse("NEWBKZKA").unwrap();
    let command = AnyCommand::Instant(instant::Command::CreditTransfer(payment));
    world.refuse(command, Reason::ReceiverSuspended);
}

#[test]
fn codes_lead_to_the_successor_at_the_end_of_the_chain() {
    let mut world = World::new();
    world.accept(set_successor(TSES, IRTY));
    world.accept(set_successor(IRTY, HSBK));
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    payment.creditor_agent = bic(TSES);
    payment.creditor_account = Some(crate::world::iban(TSES, 1));
    world.accept(AnyCommand::Instant(instant::Command::CreditTransfer(
        payment,
    )));
    assert!(matches!(world.sent_to(HSBK)[..], [Message::Forward { .. }]));
    world.refuse(set_successor(HSBK, TSES), Reason::OperatorRefused);
    world.refuse(set_successor(HSBK, HSBK), Reason::OperatorRefused);
    world.refuse(set_successor(HSBK, NOBODY), Reason::UnknownParticipant);
    world.refuse(set_successor(NOBODY, HSBK), Reason::UnknownParticipant);
}

#[test]
fn funding_is_a_transfer_from_the_central_bank() {
    let mut world = World::new();
    let before = world.engine.funded();
    assert_eq!(before, 4 * i128::from(FUNDS));
    world.accept(fund(CASP, Direction::In, 500));
    let funding = world.stamp.position;
    assert_eq!(notices(&world, CASP), [Notice::Funded { funding }]);
    let changed = Event::PositionChanged {
        participant: CASP,
        funded: Money::kzt(500),
        direction: Direction::In,
    };
    assert_eq!(world.out.events, [changed]);
    assert_eq!(world.engine.funded(), before + 500);
    world.accept(fund(CASP, Direction::Out, FUNDS + 500));
    assert_eq!(world.available(CASP), 0);
    world.refuse(fund(CASP, Direction::Out, 1), Reason::InsufficientFunds);
    world.refuse(fund(CASP, Direction::In, 0), Reason::AmountZero);
    world.refuse(fund(NOBODY, Direction::In, 1), Reason::UnknownParticipant);
}

#[test]
fn what_is_held_cannot_be_taken_out() {
    let mut world = World::new();
    pay(&mut world, 1, 100);
    world.refuse(fund(CASP, Direction::Out, FUNDS), Reason::InsufficientFunds);
    world.accept(fund(CASP, Direction::Out, FUNDS - 100));
    let position = world.engine.positions().next().unwrap();
    assert_eq!(
        (position.posted, position.held, position.available),
        (100, 100, 0)
    );
}

#[test]
fn a_net_debit_cap_lets_the_position_fall_below_zero() {
    let mut world = World::new();
    world.accept(fund(CASP, Direction::Out, FUNDS));
    world.accept(set_mode(CASP, PositionMode::NetDebitCap(Money::kzt(100))));
    let position = world.engine.positions().next().unwrap();
    assert_eq!((position.credit_line, position.available), (100, 100));
    pay(&mut world, 1, 100);
    let payment = world.payment(2, Service::C2cAccount, 1);
    let command = AnyCommand::Instant(instant::Command::CreditTransfer(payment));
    world.refuse(command, Reason::InsufficientFunds);
    // A cap below what is in use is refused, and the old one stays.
    world.refuse(
        set_mode(CASP, PositionMode::Prefunded),
        Reason::OperatorRefused,
    );
    world.answer(
        1,
        Verdict::Reject {
            agent_code: *b"AC04",
        },
    );
    world.accept(set_mode(CASP, PositionMode::Prefunded));
    world.refuse(
        set_mode(NOBODY, PositionMode::Prefunded),
        Reason::UnknownParticipant,
    );
}

#[test]
fn floor_and_ceiling_are_told_when_they_are_passed_and_not_again() {
    let mut world = World::new();
    let mut watched = profile("CASP", "CASPKZKA", 722);
    watched.floor = Some(Money::kzt(FUNDS - 100));
    watched.ceiling = Some(Money::kzt(FUNDS + 100));
    world.accept(update(CASP, watched));
    assert_eq!(notices(&world, CASP), []);
    // Exactly at the floor is not below it.
    pay(&mut world, 1, 100);
    assert_eq!(notices(&world, CASP), []);
    pay(&mut world, 2, 1);
    let available = Money::kzt(FUNDS - 101);
    assert_eq!(notices(&world, CASP), [Notice::Floor { available }]);
    pay(&mut world, 3, 1);
    assert_eq!(notices(&world, CASP), []);
    // Back above, and below once more.
    world.answer(
        1,
        Verdict::Reject {
            agent_code: *b"AC04",
        },
    );
    pay(&mut world, 4, 100);
    let available = Money::kzt(FUNDS - 102);
    assert_eq!(notices(&world, CASP), [Notice::Floor { available }]);
    world.accept(fund(CASP, Direction::In, 203));
    let told = notices(&world, CASP);
    let available = Money::kzt(FUNDS + 101);
    assert_eq!(told[1..], [Notice::Ceiling { available }]);
    world.accept(fund(CASP, Direction::In, 1));
    assert_eq!(notices(&world, CASP).len(), 1);
}

#[test]
fn the_payees_bank_is_told_of_its_ceiling_when_the_payment_settles() {
    let mut world = World::new();
    let mut watched = profile("HSBK", "HSBKKZKX", 601);
    watched.ceiling = Some(Money::kzt(FUNDS));
    world.accept(update(HSBK, watched));
    pay(&mut world, 1, 5);
    assert_eq!(notices(&world, HSBK), []);
    world.answer(1, Verdict::Accept);
    let available = Money::kzt(FUNDS + 5);
    assert_eq!(notices(&world, HSBK), [Notice::Ceiling { available }]);
}

#[test]
fn a_technical_sender_sends_for_others_and_gets_the_answers() {
    let mut world = World::new();
    let mut casp = profile("CASP", "CASPKZKA", 722);
    casp.technical_senders = vec![TSES];
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    payment.source = world.link(TSES);
    let command = AnyCommand::Instant(instant::Command::CreditTransfer(payment));
    world.refuse(command, Reason::UnboundSender);
    world.accept(update(CASP, casp));
    payment.source = world.link(TSES);
    let command = AnyCommand::Instant(instant::Command::CreditTransfer(payment));
    world.accept(command);
    world.answer(1, Verdict::Accept);
    assert_eq!(world.sent_to(CASP), []);
    assert_eq!(world.status_to(TSES), (crate::Status::Settled, false));
    assert_eq!(world.available(CASP), i128::from(FUNDS) - 100);
}

#[test]
fn limits_can_be_set_for_a_participant_that_exists() {
    let mut world = World::new();
    let set = |participant| {
        AnyCommand::Instant(instant::Command::SetLimits {
            source: operator(),
            service: Service::C2cAccount,
            participant,
            limits: Limits {
                payment_max: Some(Money::from_minor(5, Asset::Kzt)),
                customer_day_amount_max: None,
                customer_day_count_max: None,
                participant_day_amount_max: None,
            },
        })
    };
    world.refuse(set(Some(NOBODY)), Reason::OperatorRefused);
    world.accept(set(Some(CASP)));
    let payment = world.payment(1, Service::C2cAccount, 6);
    let command = AnyCommand::Instant(instant::Command::CreditTransfer(payment));
    world.refuse(command, Reason::AmountAboveServiceLimit);
    assert_eq!(
        world.status_to(CASP),
        (rejected(Reason::AmountAboveServiceLimit), false)
    );
}
