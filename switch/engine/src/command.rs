//! What the engine can be asked to do. A command holds only *facts*: values that a gateway has parsed, checked and
//! looked up before queueing, so that replay never looks anything up.

use torap_domain::{Epoch, ParticipantId, Position, Reason, Sequence, Text, Time};

use crate::{
    Bounds, ancillary, approval, cards, clearing, directory, disputes, instant, links, mass,
    participants, qr, reports, schedule, settlement, tariffs,
};

/// Place and time of a command in the log; given by the core, both strictly rising.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Log position of the record.
    pub position: Position,
    /// The switch's time of the record; the only clock a decision may use.
    pub time: Time,
}

/// Who asked: a participant's link or the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A message on the link of `participant` (the technical sender), with the link's own sequence.
    Link {
        participant: ParticipantId,
        sequence: Sequence,
    },
    /// The operator, by name; `reference` is the paper or ticket that orders it.
    Operator { name: Text<35>, reference: Text<35> },
    /// The switch itself (timers, start).
    Switch,
}

/// One command: the unit of order, durability and replay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a credit transfer is the common case and must not be boxed"
)]
pub enum Command {
    Instant(instant::Command),
    Directory(directory::Command),
    Qr(qr::Command),
    Links(links::Command),
    Participants(participants::Command),
    /// A change with an effective time.
    Schedule(schedule::Command),
    Cards(cards::Command),
    Settlement(settlement::Command),
    Clearing(clearing::Command),
    Ancillary(ancillary::Command),
    Tariffs(tariffs::Command),
    Mass(mass::Command),
    Disputes(disputes::Command),
    Reports(reports::Command),
    /// A second pair of eyes.
    Approval(approval::Command),
    /// Time has passed; everything due by the stamp's time is decided.
    Tick,
    /// A process opened the log: every link is down until it signs on again.
    Start {
        epoch: Epoch,
        binary: Text<64>,
    },
    /// The rules version that holds from this position on.
    Rules {
        source: Source,
        version: u32,
    },
    /// Running digest of everything applied up to and including `upto`; replay must come to the same.
    Mark {
        upto: Position,
        digest: u64,
    },
    /// How much the engine remembers from this position on.
    Bounds {
        source: Source,
        bounds: Bounds,
    },
}

impl Source {
    /// The participant whose link the message came on.
    pub fn link(&self) -> Option<ParticipantId> {
        match self {
            Source::Link { participant, .. } => Some(*participant),
            Source::Operator { .. } | Source::Switch => None,
        }
    }

    /// Refuses everyone but the operator, with [`Reason::OperatorRefused`].
    pub(crate) fn by_operator(&self) -> Result<(), Reason> {
        match self {
            Source::Operator { .. } => Ok(()),
            Source::Link { .. } | Source::Switch => Err(Reason::OperatorRefused),
        }
    }
}

impl Command {
    /// Who asked; none for what the core submits itself, for links that come and go, and for card messages, which name their
    /// participant and connection.
    pub fn source(&self) -> Option<Source> {
        self.asked_by().copied()
    }

    /// As [`Command::source`], without a copy: for every command.
    pub(crate) fn asked_by(&self) -> Option<&Source> {
        let source = match self {
            Command::Instant(command) => command.source(),
            Command::Directory(command) => command.source(),
            Command::Qr(command) => command.source(),
            Command::Links(
                links::Command::Refused { source, .. } | links::Command::Noted { source },
            ) => source,
            Command::Links(links::Command::Up { .. } | links::Command::Down { .. }) => return None,
            Command::Participants(command) => command.source(),
            Command::Schedule(command) => command.source(),
            Command::Cards(command) => return command.source(),
            Command::Settlement(command) => command.source(),
            Command::Clearing(command) => command.source(),
            Command::Ancillary(command) => command.source(),
            Command::Tariffs(command) => command.source(),
            Command::Mass(command) => command.source(),
            Command::Disputes(command) => command.source(),
            Command::Reports(command) => command.source(),
            Command::Approval(command) => command.source(),
            Command::Rules { source, .. } | Command::Bounds { source, .. } => source,
            Command::Tick | Command::Start { .. } | Command::Mark { .. } => return None,
        };
        Some(source)
    }
}
