//! What banks are told of card nets, defaults, the guarantee fund and their cases: events of admi.004, written from the entry alone.
//! docs/settlement.md and docs/disputes.md list them with their parameters.

use torap_domain::{Date, Money};
use torap_engine::{
    CardCycle, CaseNotice, CaseStep, CaseSubject, Notice,
    disputes::{End, Move, Role, Stage},
    participants::Direction,
};
use torap_iso20022::view::SETTLEMENT_SERVICE;

use super::notice::{Event, Parameter, amount, parameter};

/// The event of such a notice, and its BizSvc if it is not the rail's; none for other notices.
pub(super) fn event(notice: &Notice) -> Option<(Event, Option<&'static str>)> {
    let event = match notice {
        Notice::CardNet {
            of,
            direction,
            net,
            moved,
        } => {
            let way = match direction {
                Direction::In => "IN",
                Direction::Out => "OUT",
            };
            Event {
                code: "CNET",
                text: "A net of card traffic has been settled on the settlement account. Parameters: settlement, IN (credited) or OUT (debited), \
                       the net, what was moved, in tenge.",
                parameters: vec![
                    cycle(of),
                    parameter(format_args!("{way}")),
                    amount(*net),
                    amount(*moved),
                ],
            }
        }
        Notice::Defaulted {
            of,
            contribution,
            short,
        } => Event {
            code: "DFLT",
            text: "The participant could not pay its net of card traffic in time. Parameters: settlement, taken from its own contribution, \
                   borne by others and owed to them, in tenge.",
            parameters: vec![cycle(of), amount(*contribution), amount(*short)],
        },
        Notice::FundUsed { of, amount: used } => Event {
            code: "GFUS",
            text: "The contribution to the guarantee fund was used for a debt of others. Parameters: settlement, amount in tenge.",
            parameters: vec![cycle(of), amount(*used)],
        },
        Notice::NetLost { of, amount: lost } => Event {
            code: "LOSS",
            text: "The participant was paid less than its net of card traffic, because others could not pay. Parameters: settlement, what is \
                   missing in tenge.",
            parameters: vec![cycle(of), amount(*lost)],
        },
        Notice::TopUpCalled { missing, required } => Event {
            code: "GCAL",
            text: "The contribution to the guarantee fund is below what is required. Parameters: missing, required, in tenge.",
            parameters: vec![amount(*missing), amount(*required)],
        },
        Notice::Case(case) => return Some((of_case(case), None)),
        _ => return None,
    };
    Some((event, Some(SETTLEMENT_SERVICE)))
}

/// `2026-12-01/1`.
fn cycle(of: &CardCycle) -> Parameter {
    parameter(format_args!("{}/{}", of.session, of.cycle))
}

fn of_case(case: &CaseNotice) -> Event {
    let code = match (case.step, case.stage) {
        (CaseStep::Opened, _) => "DSPO",
        (CaseStep::Expired, _) => "DSPX",
        (CaseStep::Acted, Stage::Closed) => "DSPE",
        (CaseStep::Acted, _) => "DSPS",
    };
    let role = if case.is_claimant {
        "CLAIMANT"
    } else {
        "RESPONDENT"
    };
    let reason = String::from_utf8_lossy(&case.reason_code);
    Event {
        code,
        text: "A dispute was opened (DSPO), has moved on (DSPS), has moved on because nobody acted in time (DSPX), or is over (DSPE). \
               Parameters: case, subject, the receiver's role, stage, reason, what stands with the claimant, what was moved (below zero: from \
               the receiver), who must act next and before which day.",
        parameters: vec![
            parameter(format_args!("{}", case.case)),
            subject(&case.subject),
            parameter(format_args!("{role}")),
            parameter(format_args!("{}", stage(case))),
            parameter(format_args!("{reason}")),
            amount(Money::kzt(case.stands)),
            moved(case),
            next(case),
        ],
    }
}

/// The UETR without its hyphens, or `CARD` and the log position of the transaction.
fn subject(subject: &CaseSubject) -> Parameter {
    match subject {
        CaseSubject::Payment(uetr) => {
            let value = u128::from_be_bytes(uetr.bytes());
            parameter(format_args!("{value:032x}"))
        }
        CaseSubject::Card(position) => parameter(format_args!("CARD {position}")),
    }
}

fn stage(case: &CaseNotice) -> &'static str {
    match (case.stage, case.end) {
        (Stage::Retrieval, _) => "retrieval",
        (Stage::Answered, _) => "answered",
        (Stage::Chargeback, _) => "chargeback",
        (Stage::Represented, _) => "represented",
        (Stage::PreArbitration, _) => "pre-arbitration",
        (Stage::Arbitration, _) => "arbitration",
        (Stage::Closed, Some(End::Accepted)) => "closed: accepted",
        (Stage::Closed, Some(End::Withdrawn)) => "closed: withdrawn",
        (Stage::Closed, Some(End::Ruled)) => "closed: ruled",
        (Stage::Closed, Some(End::Silence) | None) => "closed: silence",
    }
}

/// With the receiver's sign.
fn moved(case: &CaseNotice) -> Parameter {
    let (minor, to_receiver) = match case.moved {
        Move::Nothing => return amount(Money::kzt(0)),
        Move::ToClaimant(minor) => (minor, case.is_claimant),
        Move::ToRespondent(minor) => (minor, !case.is_claimant),
    };
    let sum = amount(Money::kzt(minor));
    if to_receiver {
        sum
    } else {
        parameter(format_args!("-{}", sum.as_str()))
    }
}

/// `RESPONDENT 2026-12-15`, or `NOBODY`.
fn next(case: &CaseNotice) -> Parameter {
    let role = match case.next() {
        Some(Role::Claimant) => "CLAIMANT",
        Some(Role::Respondent) => "RESPONDENT",
        Some(Role::Operator) => "OPERATOR",
        None => return parameter(format_args!("NOBODY")),
    };
    match case.deadline {
        Some(deadline) => parameter(format_args!("{role} {}", Date::from_time(deadline))),
        None => parameter(format_args!("{role}")),
    }
}
