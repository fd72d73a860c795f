//! Arbitrary commands about zone keys.

use super::*;

pub(super) fn key_uses() -> BoxedStrategy<KeyUses> {
    any::<(bool, bool)>()
        .prop_map(|(pin, mac)| KeyUses { pin, mac })
        .boxed()
}

fn key_length() -> BoxedStrategy<KeyLength> {
    select(vec![
        KeyLength::AsBefore,
        KeyLength::Bits128,
        KeyLength::Bits256,
    ])
    .boxed()
}

pub(super) fn key_command() -> BoxedStrategy<KeyCommand> {
    let keys = (
        any::<u16>(),
        option::of(text::<16>()),
        option::of(text::<16>()),
    )
        .prop_map(|(set, pin, mac)| NewKeys { set, pin, mac });
    let made = prop_oneof![keys.prop_map(Ok), text::<48>().prop_map(Err)];
    prop_oneof![
        (
            source(),
            participant(),
            key_uses(),
            key_length(),
            any::<u64>()
        )
            .prop_map(
                |(source, participant, uses, length, nanos)| KeyCommand::Order {
                    source,
                    participant,
                    uses,
                    length,
                    overlap: Span::from_nanos(nanos),
                }
            ),
        (participant(), position(), made).prop_map(|(participant, ordered, made)| {
            KeyCommand::Made {
                participant,
                ordered,
                made,
            }
        }),
        (origin(), trace(), mac(), code(), option::of(text::<16>())).prop_map(
            |(origin, trace, mac, code, check_value)| {
                KeyCommand::Answer(KeyAnswer {
                    origin,
                    trace,
                    mac,
                    code,
                    check_value,
                })
            }
        ),
        (source(), participant()).prop_map(|(source, participant)| KeyCommand::Cancel {
            source,
            participant,
        }),
    ]
    .boxed()
}
