//! What the engine can be asked to do. A command holds only *facts*: values that a gateway has parsed, checked and
//! looked up before queueing, so that replay never looks anything up.

use torap_domain::{Epoch, ParticipantId, Position, Sequence, Text, Time};

use crate::{directory, instant, links, participants, qr};

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
    Link { participant: ParticipantId, sequence: Sequence },
    /// The operator, by name; `reference` is the paper or ticket that orders it.
    Operator { name: Text<35>, reference: Text<35> },
    /// The switch itself (timers, start).
    Switch,
}

/// One command: the unit of order, durability and replay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a credit transfer is the common case and must not be boxed")]
pub enum Command {
    Instant(instant::Command),
    Directory(directory::Command),
    Qr(qr::Command),
    Links(links::Command),
    Participants(participants::Command),
    /// Time has passed; everything due by the stamp's time is decided.
    Tick,
    /// A process opened the log: every link is down until it signs on again.
    Start { epoch: Epoch, binary: Text<64> },
    /// The rules version that holds from this position on.
    Rules { source: Source, version: u32 },
    /// Running digest of everything applied up to and including `upto`; replay must come to the same.
    Mark { upto: Position, digest: u64 },
}
