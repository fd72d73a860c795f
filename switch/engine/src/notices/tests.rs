use torap_domain::{Service, Span};

use super::*;
use crate::{
    Source,
    disputes::Action,
    world::{CASP, HSBK, IRTY, TSES, World, operator, uetr},
};

/// The notices of the last command.
pub(crate) fn told(world: &World) -> Vec<(ParticipantId, Notice)> {
    let effects = world.out.effects.iter();
    let told = effects.filter_map(|effect| match effect.outbound.message {
        Message::Notice { notice } => Some((effect.outbound.to, notice)),
        _ => None,
    });
    told.collect()
}

/// Those about cases.
fn cases(world: &World) -> Vec<(ParticipantId, CaseNotice)> {
    let told = told(world).into_iter();
    let cases = told.filter_map(|(to, notice)| match notice {
        Notice::Case(case) => Some((to, case)),
        _ => None,
    });
    cases.collect()
}

fn new_rules() -> Command {
    Command::Rules {
        source: operator(),
        version: RULES,
    }
}

fn open(claim: Option<u64>) -> Command {
    Command::Disputes(disputes::Command::Open {
        source: operator(),
        claimant: CASP,
        uetr: uetr(1),
        reason_code: *b"FRAD",
        claim,
        original: None,
    })
}

fn act(case: Position, participant: Option<ParticipantId>, action: Action) -> Command {
    Command::Disputes(disputes::Command::Act {
        source: operator(),
        case,
        participant,
        action,
        original: None,
    })
}

#[test]
fn both_parties_of_a_case_are_told_of_every_stage_and_nobody_else() {
    let mut world = World::new();
    world.accept(new_rules());
    world.settled(1, Service::C2cAccount, 1_000);
    world.accept(open(Some(900)));
    let case = world.stamp.position;
    let check = |world: &World, step, stage, stands, moved, next| {
        let told = cases(world);
        let to: Vec<ParticipantId> = told.iter().map(|(to, _)| *to).collect();
        assert_eq!(to, [CASP, HSBK]);
        for (to, notice) in told {
            assert_eq!((notice.case, notice.reason_code), (case, *b"FRAD"));
            assert_eq!(notice.subject, CaseSubject::Payment(uetr(1)));
            assert_eq!(notice.is_claimant, to == CASP);
            assert_eq!((notice.step, notice.stage), (step, stage));
            assert_eq!((notice.stands, notice.moved), (stands, moved));
            assert_eq!(notice.next(), next);
            assert_eq!(notice.deadline.is_some(), next.is_some());
        }
    };
    let (claimant, respondent) = (Some(Role::Claimant), Some(Role::Respondent));
    let to_claimant = Move::ToClaimant(900);
    check(
        &world,
        CaseStep::Opened,
        Stage::Chargeback,
        900,
        to_claimant,
        respondent,
    );
    world.accept(act(case, Some(HSBK), Action::Represent { contested: 700 }));
    let back = Move::ToRespondent(700);
    check(
        &world,
        CaseStep::Acted,
        Stage::Represented,
        200,
        back,
        claimant,
    );
    world.accept(act(case, Some(CASP), Action::Escalate { amount: 500 }));
    let nothing = Move::Nothing;
    check(
        &world,
        CaseStep::Acted,
        Stage::PreArbitration,
        200,
        nothing,
        respondent,
    );
    world.accept(act(case, Some(HSBK), Action::Decline));
    let operator = Some(Role::Operator);
    check(
        &world,
        CaseStep::Acted,
        Stage::Arbitration,
        200,
        nothing,
        operator,
    );
    world.accept(act(case, None, Action::Rule { awarded: 450 }));
    check(
        &world,
        CaseStep::Acted,
        Stage::Closed,
        450,
        Move::ToClaimant(250),
        None,
    );
    assert_eq!(cases(&world)[0].1.end, Some(End::Ruled));
    // A refused step is told to nobody.
    world.apply(act(case, None, Action::Rule { awarded: 450 }));
    assert!(told(&world).is_empty());
}

#[test]
fn silence_is_told_as_such() {
    let mut world = World::new();
    world.accept(new_rules());
    world.settled(1, Service::C2cAccount, 1_000);
    world.accept(open(None));
    assert_eq!(cases(&world)[0].1.step, CaseStep::Opened);
    let due = world.engine.next_deadline().unwrap();
    world.stamp.time = world.stamp.time.max(due);
    world.tick();
    let told = cases(&world);
    assert_eq!(told.len(), 2);
    for (_, notice) in told {
        assert_eq!(
            (notice.step, notice.stage),
            (CaseStep::Expired, Stage::Answered)
        );
        assert_eq!(notice.next(), Some(Role::Claimant));
    }
}

#[test]
fn by_the_rules_of_an_older_log_nobody_is_told() {
    let mut world = World::new();
    world.settled(1, Service::C2cAccount, 1_000);
    world.accept(open(Some(900)));
    assert!(told(&world).is_empty());
    let newer = Command::Rules {
        source: operator(),
        version: crate::RULES_NEWEST + 1,
    };
    world.refuse(newer, torap_domain::Reason::OperatorRefused);
    let by_switch = Command::Rules {
        source: Source::Switch,
        version: RULES,
    };
    world.refuse(by_switch, torap_domain::Reason::OperatorRefused);
}

mod nets {
    use super::*;
    use crate::{
        ancillary::{Command as Ancillary, FundMove, Method, Settings},
        cards::{self, world::*},
        settlement as imts,
    };

    /// HSBK owes one purchase of CASP and has `money`; IRTY and TSES contribute what is required of them.
    fn session(money: u64) -> Rail {
        let mut rail = Rail::new();
        rail.world.accept(new_rules());
        let settings = Settings {
            card_nets: Some(Method::Simultaneous),
            ..Settings::initial()
        };
        let source = operator();
        rail.world
            .accept(Command::Ancillary(Ancillary::SetSettings {
                source,
                settings,
            }));
        let until = rail.now().saturating_add(Span::from_secs(8 * 3600));
        rail.world.accept(Command::Settlement(imts::Command::Open {
            source,
            cut_off: None,
            until,
        }));
        for (participant, amount) in [(IRTY, 30_000), (TSES, 10_000)] {
            let required = Money::kzt(amount);
            fund(&mut rail, participant, amount);
            for command in [
                Ancillary::Require {
                    source,
                    participant,
                    amount: required,
                },
                Ancillary::Fund {
                    source,
                    participant,
                    what: FundMove::Contribute(Direction::In),
                    amount: required,
                },
            ] {
                rail.world.accept(Command::Ancillary(command));
            }
        }
        fund(&mut rail, HSBK, money);
        rail.approved(1);
        rail.accept(cards::Command::CutOver { source });
        rail
    }

    fn fund(rail: &mut Rail, participant: ParticipantId, amount: u64) {
        rail.world.accept(Command::Settlement(imts::Command::Fund {
            source: operator(),
            participant,
            direction: Direction::In,
            amount: Money::kzt(amount),
        }));
    }

    /// What the issuer owes, and what the acquirer is owed.
    const DEBT: u64 = AMOUNT - INTERCHANGE + 20;
    const CREDIT: u64 = AMOUNT - INTERCHANGE - 50;

    fn cycle() -> CardCycle {
        CardCycle {
            session: Date::from_ymd(2026, 11, 21).unwrap(),
            cycle: 1,
        }
    }

    fn net(direction: Direction, net: u64, moved: u64) -> Notice {
        Notice::CardNet {
            of: cycle(),
            direction,
            net: Money::kzt(net),
            moved: Money::kzt(moved),
        }
    }

    #[test]
    fn whoever_has_a_net_is_told_when_it_has_settled() {
        let rail = session(DEBT);
        let expected = [
            (CASP, net(Direction::In, CREDIT, CREDIT)),
            (HSBK, net(Direction::Out, DEBT, DEBT)),
        ];
        assert_eq!(told(&rail.world), expected);
    }

    #[test]
    fn a_default_is_told_to_the_debtor_and_to_whoever_bears_it() {
        let mut rail = session(DEBT - 4_000);
        assert!(told(&rail.world).is_empty());
        rail.tick_after(Span::from_secs(1_800));
        let of = cycle();
        let used = |amount| Notice::FundUsed {
            of,
            amount: Money::kzt(amount),
        };
        let called = |missing, required| Notice::TopUpCalled {
            missing: Money::kzt(missing),
            required: Money::kzt(required),
        };
        let expected = [
            (CASP, net(Direction::In, CREDIT, CREDIT)),
            (HSBK, net(Direction::Out, DEBT, DEBT - 4_000)),
            (
                HSBK,
                Notice::Defaulted {
                    of,
                    contribution: Money::kzt(0),
                    short: Money::kzt(4_000),
                },
            ),
            (IRTY, used(3_000)),
            (TSES, used(1_000)),
            (IRTY, called(3_000, 30_000)),
            (TSES, called(1_000, 10_000)),
        ];
        assert_eq!(told(&rail.world), expected);
    }

    #[test]
    fn survivors_are_told_what_they_lose() {
        let mut rail = session(1_000);
        rail.tick_after(Span::from_secs(1_800));
        let short = DEBT - 1_000;
        let told = told(&rail.world);
        let of_creditor: Vec<Notice> = told
            .iter()
            .filter(|(to, _)| *to == CASP)
            .map(|(_, notice)| *notice)
            .collect();
        let [
            Notice::CardNet { net, moved, .. },
            Notice::NetLost { amount, .. },
        ] = of_creditor.as_slice()
        else {
            panic!("{of_creditor:?}");
        };
        assert_eq!(net.minor(), CREDIT);
        assert_eq!(moved.minor() + amount.minor(), CREDIT);
        assert!(amount.minor() <= short - 40_000);
    }
}
