//! Arbitrary commands about disputes.

use proptest::{option, prelude::*};

use super::*;
use crate::disputes::{Action, Command};

pub(in crate::codec) fn disputes_command() -> BoxedStrategy<Command> {
    let amount = || any::<u64>();
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
    let open = (
        (source(), participant(), uetr(), any::<[u8; 4]>()),
        option::of(amount()),
        option::of(history()),
    )
        .prop_map(
            |((source, claimant, uetr, reason_code), claim, original)| Command::Open {
                source,
                claimant,
                uetr,
                reason_code,
                claim,
                original,
            },
        );
    let act = (
        source(),
        position(),
        option::of(participant()),
        action,
        option::of(history()),
    )
        .prop_map(
            |(source, case, participant, action, original)| Command::Act {
                source,
                case,
                participant,
                action,
                original,
            },
        );
    let attach = (
        (source(), position(), participant()),
        text::<64>(),
        any::<[u8; 32]>(),
        any::<u32>(),
    )
        .prop_map(
            |((source, case, participant), name, hash, bytes)| Command::Attach {
                source,
                case,
                participant,
                name,
                hash,
                bytes,
            },
        );
    let open_card = (
        (source(), participant(), any::<[u8; 4]>()),
        option::of(amount()),
        super::cards::known(),
    )
        .prop_map(
            |((source, claimant, reason_code), claim, known)| Command::OpenCard {
                source,
                claimant,
                reason_code,
                claim,
                known: Box::new(known),
            },
        );
    prop_oneof![open, open_card, act, attach].boxed()
}
