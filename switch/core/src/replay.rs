//! The way back: records of the log to the state they led to. Recovery, followers and every tool use this one.

use torap_domain::{Position, Time};
use torap_engine::{
    Command, Effect, Engine, Event, Outcome, Output, RunningDigest, Stamp, cards, codec,
};
use torap_journal::RecordMeta;

use crate::{Recovered, ReplayError};

/// An engine that follows a log.
#[derive(Debug)]
pub struct Replay {
    engine: Engine,
    /// Position and time of the last record.
    last: Stamp,
    running: RunningDigest,
    /// Position of the last mark.
    marked: Position,
    output: Output,
}

/// What one record did.
#[derive(Debug)]
pub struct Applied<'a> {
    /// Its position and time.
    pub stamp: Stamp,
    /// Its facts.
    pub command: Command,
    /// What the submitter was told.
    pub outcome: Outcome,
    /// What happened; the caller may take it.
    pub events: &'a mut Vec<Event>,
    /// What went out to participants.
    pub effects: &'a [Effect],
    /// What went out on the card rail.
    pub cards: &'a [cards::Effect],
}

impl Replay {
    /// Goes on from `recovered`, where `engine` stands. A new engine stands at [`Recovered::genesis`].
    pub fn new(engine: Engine, recovered: Recovered) -> Replay {
        let Recovered {
            last,
            running,
            marked,
        } = recovered;
        Replay {
            engine,
            last,
            running: RunningDigest::resume(running),
            marked,
            output: Output::new(),
        }
    }

    /// Applies the next record. After an error the state stands before the record.
    pub fn apply(&mut self, meta: &RecordMeta, facts: &[u8]) -> Result<Applied<'_>, ReplayError> {
        let stamp = self.check_place(meta)?;
        let position = stamp.position;
        let command = codec::decode(meta.kind, facts)
            .map_err(|source| ReplayError::Facts { position, source })?;
        if let Command::Mark { upto, digest } = command {
            self.check_mark(position, upto, digest)?;
            self.marked = position;
        }
        self.output.clear();
        self.engine.apply(stamp, &command, &mut self.output);
        self.output.digest_into(stamp, &mut self.running);
        self.last = stamp;
        let Output {
            events,
            effects,
            cards,
            outcome,
        } = &mut self.output;
        Ok(Applied {
            stamp,
            command,
            outcome: *outcome,
            events,
            effects,
            cards,
        })
    }

    /// The state after the last record.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where the replay stands.
    pub fn recovered(&self) -> Recovered {
        Recovered {
            last: self.last,
            running: self.running.value(),
            marked: self.marked,
        }
    }

    /// Position of the last record applied.
    pub fn position(&self) -> Position {
        self.last.position
    }

    /// State and place, for a core or another replay.
    pub fn into_parts(self) -> (Engine, Recovered) {
        let recovered = self.recovered();
        (self.engine, recovered)
    }

    fn check_place(&self, meta: &RecordMeta) -> Result<Stamp, ReplayError> {
        let stamp = Stamp {
            position: Position(meta.sequence),
            time: Time::from_nanos(meta.time),
        };
        let (position, last) = (stamp.position, self.last);
        if position != last.position.next() {
            return Err(ReplayError::Gap {
                expected: last.position.next(),
                found: position,
            });
        }
        if stamp.time <= last.time && last.position != Position::ZERO {
            return Err(ReplayError::TimeNotRising { position });
        }
        let expected = self.engine.rules_version();
        if meta.rules_version != expected {
            return Err(ReplayError::RulesVersion {
                position,
                expected,
                found: meta.rules_version,
            });
        }
        Ok(stamp)
    }

    /// A mark speaks of everything before itself.
    fn check_mark(
        &self,
        position: Position,
        upto: Position,
        digest: u64,
    ) -> Result<(), ReplayError> {
        let found = self.running.value();
        if upto != self.last.position || digest != found {
            return Err(ReplayError::Diverged {
                position,
                since: self.marked,
                expected: digest,
                found,
            });
        }
        Ok(())
    }
}
