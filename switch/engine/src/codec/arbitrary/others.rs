//! Arbitrary commands about participants, links and QR codes.

use proptest::{collection::vec, option, prelude::*, sample::select};
use torap_domain::*;

use super::*;
use crate::{links, participants, qr};

pub(in crate::codec) fn qr_command() -> BoxedStrategy<qr::Command> {
    let qr_id = || id("[A-Z0-9]{1,35}", QrId::parse);
    prop_oneof![
        (source(), message_id(), qr_id(), iban(), money(), time()).prop_map(
            |(source, reference, id, merchant_account, amount, expires)| {
                qr::Command::Register(qr::Register {
                    source,
                    reference,
                    id,
                    merchant_account,
                    amount,
                    expires,
                })
            }
        ),
        (source(), message_id(), qr_id()).prop_map(|(source, reference, id)| {
            qr::Command::Cancel {
                source,
                reference,
                id,
            }
        }),
    ]
    .boxed()
}

pub(in crate::codec) fn links_command() -> BoxedStrategy<links::Command> {
    use links::{Command, Refusal};
    prop_oneof![
        source().prop_map(|source| Command::Noted { source }),
        (participant(), any::<u64>(), sequence()).prop_map(|(participant, session, received)| {
            Command::Up {
                participant,
                session,
                received,
            }
        }),
        (participant(), any::<u64>()).prop_map(|(participant, session)| Command::Down {
            participant,
            session
        }),
        (
            source(),
            reason(),
            option::of(message_id()),
            any::<bool>(),
            text::<200>(),
            text::<120>(),
            text::<35>()
        )
            .prop_map(|(source, reason, reference, json, path, rule, code)| {
                Command::Refused {
                    source,
                    refusal: Refusal {
                        reason,
                        reference,
                        json,
                        path,
                        rule,
                        code,
                    },
                }
            }),
    ]
    .boxed()
}

pub(in crate::codec) fn participants_command() -> BoxedStrategy<participants::Command> {
    use participants::{Command, Direction, PositionMode, State};
    let mode = || {
        prop_oneof![
            Just(PositionMode::Prefunded),
            money().prop_map(PositionMode::NetDebitCap)
        ]
    };
    let state = prop_oneof![
        Just(State::Certifying),
        Just(State::Active),
        any::<(bool, bool)>().prop_map(|(debits, credits)| State::Suspended { debits, credits }),
        Just(State::Closing),
    ];
    prop_oneof![
        (source(), profile(), mode()).prop_map(|(source, profile, mode)| Command::Add {
            source,
            profile,
            mode
        }),
        (source(), participant(), profile()).prop_map(|(source, participant, profile)| {
            Command::Update {
                source,
                participant,
                profile,
            }
        }),
        (source(), participant(), state).prop_map(|(source, participant, state)| {
            Command::SetState {
                source,
                participant,
                state,
            }
        }),
        (source(), participant(), mode()).prop_map(|(source, participant, mode)| {
            Command::SetPositionMode {
                source,
                participant,
                mode,
            }
        }),
        (source(), participant(), participant()).prop_map(|(source, participant, successor)| {
            Command::SetSuccessor {
                source,
                participant,
                successor,
            }
        }),
        (
            source(),
            participant(),
            select(vec![Direction::In, Direction::Out]),
            money()
        )
            .prop_map(|(source, participant, direction, amount)| Command::Fund {
                source,
                participant,
                direction,
                amount
            }),
    ]
    .boxed()
}

pub(in crate::codec) fn profile() -> BoxedStrategy<participants::Profile> {
    let bank_code = (0_u16..1000).prop_map(|value| BankCode::from_value(value).unwrap());
    (
        (text::<35>(), text::<96>(), vec(bic(), 0..9)),
        (
            vec(bank_code, 0..9),
            option::of(participant()),
            vec(participant(), 0..9),
        ),
        (
            vec(service(), 0..5),
            option::of(money()),
            option::of(money()),
        ),
    )
        .prop_map(
            |(
                (code, name, bics),
                (bank_codes, sponsor, technical_senders),
                (services, floor, ceiling),
            )| participants::Profile {
                code,
                name,
                bics,
                bank_codes,
                sponsor,
                technical_senders,
                services,
                floor,
                ceiling,
            },
        )
        .boxed()
}
