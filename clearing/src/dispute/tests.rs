use proptest::prelude::*;
use torap_domain::{Calendar, Time};

use super::*;

const DAYS: Days = Days {
    retrieval: 10,
    answered: 10,
    chargeback: 15,
    represented: 10,
    pre_arbitration: 10,
    arbitration: 20,
};

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

fn now() -> Time {
    time("2026-11-23T10:00:00+05:00")
}

fn claimed(amount: u64) -> Case {
    let case = Case::retrieval(1_000, None);
    let (case, moved) = case
        .step(Role::Claimant, Action::Claim { amount }, now())
        .unwrap();
    assert_eq!(moved, Move::ToClaimant(amount));
    case
}

fn after(case: &Case, role: Role, action: Action) -> (Case, Move) {
    case.step(role, action, now()).unwrap()
}

fn refused(case: &Case, role: Role, action: Action) -> Refusal {
    case.step(role, action, now()).unwrap_err()
}

#[test]
fn the_whole_way_to_a_ruling() {
    let case = Case::retrieval(1_000, None);
    let (case, moved) = after(&case, Role::Respondent, Action::Answer);
    assert_eq!((case.stage, moved), (Stage::Answered, Move::Nothing));
    let (case, moved) = after(&case, Role::Claimant, Action::Claim { amount: 900 });
    assert_eq!(
        (case.stage, moved),
        (Stage::Chargeback, Move::ToClaimant(900))
    );
    let (case, moved) = after(
        &case,
        Role::Respondent,
        Action::Represent { contested: 700 },
    );
    assert_eq!(
        (case.stage, moved),
        (Stage::Represented, Move::ToRespondent(700))
    );
    let (case, moved) = after(&case, Role::Claimant, Action::Escalate { amount: 500 });
    assert_eq!((case.stage, moved), (Stage::PreArbitration, Move::Nothing));
    let (declined, moved) = after(&case, Role::Respondent, Action::Decline);
    assert_eq!((declined.stage, moved), (Stage::Arbitration, Move::Nothing));
    let (ruled, moved) = after(&declined, Role::Operator, Action::Rule { awarded: 100 });
    assert_eq!(
        (ruled.end, moved),
        (Some(End::Ruled), Move::ToRespondent(100))
    );
    let (accepted, moved) = after(&case, Role::Respondent, Action::Accept);
    assert_eq!((accepted.stands, moved), (700, Move::ToClaimant(500)));
}

#[test]
fn silence_ends_every_stage_as_the_table_says() {
    let expired = |case: &Case| {
        let (after, moved) = case.expire().unwrap();
        (after.stage, after.end, moved)
    };
    let retrieval = Case::retrieval(1_000, None);
    assert_eq!(expired(&retrieval), (Stage::Answered, None, Move::Nothing));
    let silence = Some(End::Silence);
    let chargeback = claimed(900);
    assert_eq!(
        expired(&chargeback),
        (Stage::Closed, silence, Move::Nothing)
    );
    let (represented, _) = after(
        &chargeback,
        Role::Respondent,
        Action::Represent { contested: 900 },
    );
    assert_eq!(
        expired(&represented),
        (Stage::Closed, silence, Move::Nothing)
    );
    let (again, _) = after(
        &represented,
        Role::Claimant,
        Action::Escalate { amount: 400 },
    );
    assert_eq!(
        expired(&again),
        (Stage::Closed, silence, Move::ToClaimant(400))
    );
    let (arbitration, _) = after(&again, Role::Respondent, Action::Decline);
    assert_eq!(
        expired(&arbitration),
        (Stage::Closed, silence, Move::Nothing)
    );
    let (over, _) = arbitration.expire().unwrap();
    assert_eq!(over.expire(), None);
}

#[test]
fn nobody_acts_for_another_out_of_turn_or_above_the_claim() {
    let case = claimed(900);
    let contest = |contested| Action::Represent { contested };
    assert_eq!(
        refused(&case, Role::Claimant, contest(1)),
        Refusal::NotYours
    );
    assert_eq!(
        refused(&case, Role::Operator, contest(1)),
        Refusal::NotYours
    );
    assert_eq!(
        refused(&case, Role::Respondent, contest(0)),
        Refusal::Amount
    );
    assert_eq!(
        refused(&case, Role::Respondent, contest(901)),
        Refusal::Amount
    );
    assert_eq!(
        refused(&case, Role::Respondent, Action::Decline),
        Refusal::NotNow
    );
    assert_eq!(
        refused(&case, Role::Claimant, Action::Claim { amount: 1 }),
        Refusal::NotNow
    );
    let open = Case::retrieval(1_000, Some(now()));
    assert_eq!(
        refused(&open, Role::Respondent, Action::Answer),
        Refusal::Late
    );
    let open = Case::retrieval(1_000, None);
    assert_eq!(
        refused(&open, Role::Claimant, Action::Claim { amount: 1_001 }),
        Refusal::Amount
    );
    let (closed, moved) = after(&case, Role::Claimant, Action::Withdraw);
    assert_eq!((closed.stands, moved), (0, Move::ToRespondent(900)));
    assert_eq!(
        refused(&closed, Role::Claimant, Action::Withdraw),
        Refusal::NotNow
    );
}

#[test]
fn a_deadline_is_the_end_of_a_business_day() {
    let calendar = Calendar::kazakhstan();
    let deadline = |stage| DAYS.deadline(stage, now(), &calendar);
    // Ten business days from Monday the 23rd, today not counted.
    assert_eq!(
        deadline(Stage::Retrieval),
        Some(time("2026-12-08T00:00:00+05:00"))
    );
    assert_eq!(deadline(Stage::Closed), None);
}

fn any_action() -> impl Strategy<Value = (Role, Action)> {
    let role = prop_oneof![
        Just(Role::Claimant),
        Just(Role::Respondent),
        Just(Role::Operator)
    ];
    let amount = || 0_u64..1_200;
    let action = prop_oneof![
        Just(Action::Answer),
        amount().prop_map(|amount| Action::Claim { amount }),
        Just(Action::Accept),
        amount().prop_map(|contested| Action::Represent { contested }),
        amount().prop_map(|amount| Action::Escalate { amount }),
        Just(Action::Decline),
        Just(Action::Withdraw),
        amount().prop_map(|awarded| Action::Rule { awarded }),
    ];
    // Mostly whose it is, so that cases go far.
    (role, action, 0_u8..8).prop_map(|(role, action, any)| {
        if any == 0 {
            (role, action)
        } else {
            (action.role(), action)
        }
    })
}

proptest! {
    /// Over any sequence of steps and silences, what has moved sums to what stands, which is never more than the claim, and
    /// neither side ever paid what it did not have of it.
    #[test]
    fn what_moved_sums_to_what_stands(
        steps in prop::collection::vec((any_action(), 0_u8..6), 0..24),
    ) {
        let mut case = Case::retrieval(1_000, None);
        let mut with_claimant = 0_u64;
        for ((role, action), silence) in steps {
            let next = if silence == 0 {
                case.expire()
            } else {
                case.step(role, action, now()).ok()
            };
            let Some((after, moved)) = next else { continue };
            match moved {
                Move::Nothing => {}
                Move::ToClaimant(amount) => with_claimant += amount,
                Move::ToRespondent(amount) => {
                    prop_assert!(amount <= with_claimant);
                    with_claimant -= amount;
                }
            }
            prop_assert_eq!(with_claimant, after.stands);
            prop_assert!(after.stands <= after.claimed && after.claimed <= 1_000);
            prop_assert!(after.is_sound(), "{:?}", after);
            prop_assert_ne!(case.stage, Stage::Closed);
            case = after;
        }
    }
}
