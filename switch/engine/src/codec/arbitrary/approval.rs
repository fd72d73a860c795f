//! Arbitrary commands about approvals.

use proptest::prelude::*;

use super::*;
use crate::approval::{Command, Families, Family, Settings};

pub(in crate::codec) fn approval_command() -> BoxedStrategy<Command> {
    let settings = (any::<u16>(), any::<u64>()).prop_map(|(set, nanos)| Settings {
        families: Families(set & Families::ALL.0),
        within: Span::from_nanos(nanos),
    });
    let proposed = prop_oneof![
        participants_command().prop_map(crate::Command::Participants),
        schedule_command().prop_map(crate::Command::Schedule),
        (source(), any::<u32>())
            .prop_map(|(source, version)| crate::Command::Rules { source, version }),
    ]
    .prop_filter("it has a family", |command| Family::of(command).is_some());
    prop_oneof![
        (source(), settings)
            .prop_map(|(source, settings)| Command::SetSettings { source, settings }),
        (source(), proposed).prop_map(|(source, command)| Command::Propose {
            source,
            command: Box::new(command),
        }),
        (source(), position(), any::<bool>()).prop_map(|(source, id, approves)| {
            Command::Decide {
                source,
                id,
                approves,
            }
        }),
    ]
    .boxed()
}
