//! Arbitrary entries of outbound streams.

use proptest::{option, prelude::*, sample::select};

use super::*;
use crate::{
    CardCycle, CaseNotice, CaseStep, CaseSubject, Message, Notice, Outbound, Status,
    disputes::{End, Move, Stage},
    participants::Direction,
};

pub(in crate::codec) fn outbound() -> BoxedStrategy<Outbound> {
    (
        participant(),
        sequence(),
        position(),
        time(),
        option::of(time()),
        message(),
    )
        .prop_map(|(to, sequence, cause, time, expires, message)| Outbound {
            to,
            sequence,
            cause,
            time,
            expires,
            message,
        })
        .boxed()
}

pub(in crate::codec) fn message() -> BoxedStrategy<Message> {
    let status = prop_oneof![
        Just(Status::Pending),
        Just(Status::Settled),
        (reason(), option::of(code()))
            .prop_map(|(reason, agent_code)| Status::Rejected { reason, agent_code }),
    ];
    let about = position().prop_flat_map(|original| {
        select(vec![
            Message::Forward { original },
            Message::Confirm { original },
            Message::ForwardReturn { original },
            Message::ForwardRecall { original },
            Message::ForwardResolution { original },
            Message::NotReceived { original },
        ])
    });
    let with_reason = (position(), reason()).prop_flat_map(|(original, reason)| {
        select(vec![
            Message::Resolution { original, reason },
            Message::Reject { original, reason },
        ])
    });
    let with_refusal = (position(), option::of(reason())).prop_flat_map(|(original, refusal)| {
        select(vec![
            Message::LookUpAnswer { original, refusal },
            Message::CommandAnswer { original, refusal },
        ])
    });
    let notice = (position(), money()).prop_flat_map(|(at, available)| {
        select(vec![
            Notice::Floor { available },
            Notice::Ceiling { available },
            Notice::AliasClaimed { claim: at },
            Notice::ClaimContested { claim: at },
            Notice::AliasSuspended { claim: at },
            Notice::AliasReleased { release: at },
            Notice::StateChanged { change: at },
            Notice::Funded { funding: at },
        ])
    });
    let notice = prop_oneof![notice, settlement_notice(), case_notice()];
    prop_oneof![
        about,
        with_reason,
        with_refusal,
        notice.prop_map(|notice| Message::Notice { notice }),
        (position(), status, position(), time(), any::<bool>()).prop_map(
            |(original, status, decided, decided_at, repeat)| Message::Status {
                original,
                status,
                decided,
                decided_at,
                repeat,
            }
        ),
        clearing_message(),
        mass_message(),
        settlement_message(),
    ]
    .boxed()
}

fn settlement_notice() -> BoxedStrategy<Notice> {
    let of = (any::<i32>(), any::<u16>()).prop_map(|(days, cycle)| CardCycle {
        session: Date::from_days(days),
        cycle,
    });
    (of, money(), money())
        .prop_flat_map(|(of, one, other)| {
            let net = |direction| Notice::CardNet {
                of,
                direction,
                net: one,
                moved: other,
            };
            select(vec![
                net(Direction::In),
                net(Direction::Out),
                Notice::Defaulted {
                    of,
                    contribution: one,
                    short: other,
                },
                Notice::FundUsed { of, amount: one },
                Notice::NetLost { of, amount: one },
                Notice::TopUpCalled {
                    missing: one,
                    required: other,
                },
            ])
        })
        .boxed()
}

fn case_notice() -> BoxedStrategy<Notice> {
    let subject = prop_oneof![
        uetr().prop_map(CaseSubject::Payment),
        position().prop_map(CaseSubject::Card),
    ];
    let step = select(vec![CaseStep::Opened, CaseStep::Acted, CaseStep::Expired]);
    let stage = select(vec![
        Stage::Retrieval,
        Stage::Answered,
        Stage::Chargeback,
        Stage::Represented,
        Stage::PreArbitration,
        Stage::Arbitration,
        Stage::Closed,
    ]);
    let end = option::of(select(vec![
        End::Accepted,
        End::Silence,
        End::Withdrawn,
        End::Ruled,
    ]));
    let moved = prop_oneof![
        Just(Move::Nothing),
        any::<u64>().prop_map(Move::ToClaimant),
        any::<u64>().prop_map(Move::ToRespondent),
    ];
    let what = (position(), subject, code(), step, any::<bool>());
    (what, (stage, end, any::<u64>(), moved, option::of(time())))
        .prop_map(
            |(
                (case, subject, reason_code, step, is_claimant),
                (stage, end, stands, moved, deadline),
            )| {
                Notice::Case(CaseNotice {
                    case,
                    subject,
                    reason_code,
                    step,
                    is_claimant,
                    stage,
                    end,
                    stands,
                    moved,
                    deadline,
                })
            },
        )
        .boxed()
}
