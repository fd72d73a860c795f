//! Arbitrary entries of outbound streams.

use proptest::{option, prelude::*, sample::select};

use super::*;
use crate::{Message, Notice, Outbound, Status};

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
        settlement_message(),
    ]
    .boxed()
}
