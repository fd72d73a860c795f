//! Arbitrary commands and records of the directory.

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::directory;

pub(in crate::codec) fn record() -> BoxedStrategy<directory::Record> {
    (phone(), vec(person(), 0..4), any::<bool>(), position())
        .prop_map(
            |(phone, persons, suspended, changed_at)| directory::Record {
                phone,
                persons,
                suspended,
                changed_at,
            },
        )
        .boxed()
}

pub(in crate::codec) fn directory_command() -> BoxedStrategy<directory::Command> {
    use directory::{Change, Command, Found, ImportEntry, LookUp, LookUpFound};
    let found =
        (position(), option::of(record())).prop_map(|(as_of, record)| Found { as_of, record });
    let change = (
        source(),
        message_id(),
        phone(),
        person_id(),
        action(),
        found,
    )
        .prop_map(|(source, reference, phone, person, action, found)| {
            Command::Change(Change {
                source,
                reference,
                phone,
                person,
                action,
                found,
            })
        });
    let look_up_found = prop_oneof![
        (bic(), text::<96>(), position()).prop_map(|(agent, masked_name, changed_at)| {
            LookUpFound::Hit {
                agent,
                masked_name,
                changed_at,
            }
        }),
        Just(LookUpFound::Suspended),
        Just(LookUpFound::Miss),
    ];
    let look_up = (
        (source(), message_id(), message_id(), any::<u8>(), bic()),
        (
            phone(),
            option::of(person_id()),
            option::of(bic()),
            position(),
            look_up_found,
        ),
    )
        .prop_map(
            |(
                (source, message_id, verification_id, message_version, instructing_agent),
                (phone, person, chosen, as_of, found),
            )| {
                Command::LookUp(LookUp {
                    source,
                    message_id,
                    verification_id,
                    message_version,
                    instructing_agent,
                    phone,
                    person,
                    chosen,
                    as_of,
                    found,
                })
            },
        );
    let entry =
        (phone(), person_id(), iban(), text::<96>()).prop_map(|(phone, person, iban, name)| {
            ImportEntry {
                phone,
                person,
                iban,
                name,
            }
        });
    let import =
        (source(), participant(), vec(entry, 0..6)).prop_map(|(source, participant, entries)| {
            Command::Import {
                source,
                participant,
                entries,
            }
        });
    prop_oneof![change, look_up, import].boxed()
}

pub(in crate::codec) fn action() -> BoxedStrategy<directory::Action> {
    use directory::Action;
    prop_oneof![
        account().prop_map(|account| Action::Register { account }),
        account().prop_map(|account| Action::Change { account }),
        participant().prop_map(|participant| Action::Remove { participant }),
        (participant(), text::<35>())
            .prop_map(|(gaining, consent)| Action::Claim { gaining, consent }),
        participant().prop_map(|losing| Action::Contest { losing }),
        option::of(participant()).prop_map(|participant| Action::Release { participant }),
    ]
    .boxed()
}

pub(in crate::codec) fn account() -> BoxedStrategy<directory::Account> {
    (participant(), bic(), iban(), text::<96>())
        .prop_map(|(participant, agent, iban, name)| directory::Account {
            participant,
            agent,
            iban,
            name,
        })
        .boxed()
}

pub(in crate::codec) fn person() -> BoxedStrategy<directory::Person> {
    let claim = (
        position(),
        time(),
        participant(),
        participant(),
        text::<35>(),
        any::<bool>(),
    )
        .prop_map(
            |(at, time, gaining, losing, consent, contested)| directory::Claim {
                at,
                time,
                gaining,
                losing,
                consent,
                contested,
            },
        );
    (
        person_id(),
        vec(account(), 0..4),
        any::<u8>(),
        option::of(claim),
    )
        .prop_map(|(person, accounts, default, claim)| directory::Person {
            person,
            accounts,
            default,
            claim,
        })
        .boxed()
}
