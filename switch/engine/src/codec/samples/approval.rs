//! One fixed command of every kind about approvals.

use torap_domain::{Position, Span};

use super::{operator, time};
use crate::{
    Command as Any,
    approval::{Command, Families, Family, Settings},
    schedule,
};

/// In the order of the kinds.
pub(super) fn commands() -> Vec<Command> {
    let source = operator();
    vec![
        Command::SetSettings {
            source,
            settings: Settings {
                families: Families::of(&[Family::Money, Family::Keys]),
                within: Span::from_secs(12 * 3600),
            },
        },
        Command::Propose {
            source,
            command: Box::new(Any::Schedule(schedule::Command::Order {
                source,
                at: time(),
                command: Box::new(Any::Rules { source, version: 1 }),
            })),
        },
        Command::Decide {
            source,
            id: Position(81_233),
            approves: true,
        },
    ]
}
