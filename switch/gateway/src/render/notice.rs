//! admi.004: what the switch tells a bank unasked. docs/outcomes.md lists the events and their parameters.

use std::{borrow::Cow, fmt};

use torap_domain::{Money, Position, Text};
use torap_engine::{
    Command, Notice, Source,
    directory::{self, Change},
    participants::{self, Direction, State},
};
use torap_iso20022::{
    view::{BusinessHeader, EventNotice, Parameters},
    write,
};

use super::{RenderError, entry::Entry, settlement_notice};

/// One parameter of an event (Max35Text).
pub(super) type Parameter = Text<35>;

/// An event: its code, its sentence and at most eight parameters.
pub(super) struct Event {
    pub(super) code: &'static str,
    pub(super) text: &'static str,
    pub(super) parameters: Vec<Parameter>,
}

pub(super) fn notice(
    entry: &Entry<'_>,
    notice: Notice,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let (event, service) = match settlement_notice::event(&notice) {
        Some(event) => event,
        None => (event(entry, notice)?, None),
    };
    let mut parameters = Parameters::default();
    for parameter in &event.parameters {
        // Eight always fit.
        let _ = parameters.push(Cow::Borrowed(parameter.as_str()));
    }
    let notice = EventNotice {
        code: event.code,
        parameters,
        description: Some(Cow::Borrowed(event.text)),
        time_ns: Some(entry.created_ns()),
    };
    let header = entry.header(entry.id());
    let header = BusinessHeader {
        service: service.or(header.service),
        ..header
    };
    write::event_notice(out, Some(&header), &notice);
    Ok(())
}

fn event(entry: &Entry<'_>, notice: Notice) -> Result<Event, RenderError> {
    Ok(match notice {
        Notice::Floor { available } => Event {
            code: "FLOR",
            text: "The available position has fallen below the floor. Parameter: available, in tenge.",
            parameters: vec![amount(available)],
        },
        Notice::Ceiling { available } => Event {
            code: "CEIL",
            text: "The available position has risen above the ceiling. Parameter: available, in tenge.",
            parameters: vec![amount(available)],
        },
        Notice::AliasClaimed { claim } => {
            let change = change(entry, claim)?;
            Event {
                code: "CLAM",
                text: "Another bank has claimed the default of a phone number, with the customer's consent; it may be \
                       contested. Parameters: phone, IIN.",
                parameters: vec![phone(&change), person(&change)],
            }
        }
        Notice::ClaimContested { claim } => {
            let change = change(entry, claim)?;
            Event {
                code: "CLRV",
                text: "A claim was contested and the default went back. Parameters: phone, IIN.",
                parameters: vec![phone(&change), person(&change)],
            }
        }
        Notice::AliasSuspended { claim } => Event {
            code: "SUSP",
            text: "A phone number was registered under another person as well; nobody is paid through it until it is \
                   released. Parameter: phone.",
            parameters: vec![phone(&change(entry, claim)?)],
        },
        Notice::AliasReleased { release } => Event {
            code: "RLSD",
            text: "A suspended phone number was released. Parameter: phone.",
            parameters: vec![phone(&change(entry, release)?)],
        },
        Notice::StateChanged { change } => Event {
            code: "PART",
            text: "The operator has changed the participant's state. Parameter: state.",
            parameters: vec![state(entry, change)?],
        },
        Notice::Funded { funding } => funded(entry, funding)?,
        Notice::CardNet { .. }
        | Notice::Defaulted { .. }
        | Notice::FundUsed { .. }
        | Notice::NetLost { .. }
        | Notice::TopUpCalled { .. }
        | Notice::Case(_) => {
            return Err(RenderError::Facts {
                position: entry.effect.outbound.cause,
                expected: "a notice that is written from records",
            });
        }
    })
}

/// The directory command at a position.
fn change(entry: &Entry<'_>, position: Position) -> Result<Change, RenderError> {
    match entry.records.facts(position)? {
        Command::Directory(directory::Command::Change(change)) => Ok(change),
        _ => Err(RenderError::Facts {
            position,
            expected: "a change of the directory",
        }),
    }
}

fn state(entry: &Entry<'_>, position: Position) -> Result<Parameter, RenderError> {
    let command = entry.ordered(position)?;
    let Command::Participants(participants::Command::SetState { state, .. }) = command else {
        return Err(RenderError::Facts {
            position,
            expected: "a change of a participant's state",
        });
    };
    Ok(parameter(format_args!(
        "{}",
        match state {
            State::Certifying => "certifying",
            State::Active => "active",
            State::Suspended {
                debits: true,
                credits: true,
            } => "suspended",
            State::Suspended {
                debits: true,
                credits: false,
            } => "suspended-debits",
            State::Suspended {
                debits: false,
                credits: true,
            } => "suspended-credits",
            State::Suspended {
                debits: false,
                credits: false,
            } => "active",
            State::Closing => "closing",
        }
    )))
}

fn funded(entry: &Entry<'_>, position: Position) -> Result<Event, RenderError> {
    let command = entry.ordered(position)?;
    let Command::Participants(participants::Command::Fund {
        source,
        direction,
        amount: sum,
        ..
    }) = command
    else {
        return Err(RenderError::Facts {
            position,
            expected: "a change of a position",
        });
    };
    let way = match direction {
        Direction::In => "IN",
        Direction::Out => "OUT",
    };
    let reference = match source {
        Source::Operator { reference, .. } => Some(reference),
        Source::Link { .. } | Source::Switch => None,
    };
    Ok(Event {
        code: "FUND",
        text: "The operator has moved money to the position (IN) or from it (OUT). Parameters: direction, amount in \
               tenge, the operator's reference.",
        parameters: [
            Some(parameter(format_args!("{way}"))),
            Some(amount(sum)),
            reference,
        ]
        .into_iter()
        .flatten()
        .collect(),
    })
}

fn phone(change: &Change) -> Parameter {
    parameter(format_args!("{}", change.phone))
}

fn person(change: &Change) -> Parameter {
    parameter(format_args!("{}", change.person))
}

/// An amount of tenge with two decimals.
pub(super) fn amount(money: Money) -> Parameter {
    parameter(format_args!(
        "{}.{:02}",
        money.minor() / 100,
        money.minor() % 100
    ))
}

pub(super) fn parameter(arguments: fmt::Arguments<'_>) -> Parameter {
    Text::format(arguments).unwrap_or_else(|_| Text::truncated(&arguments.to_string()))
}
