//! What a gateway reads back: records of the log, and facts from the index.

use std::{cell::Cell, rc::Rc, sync::Arc};

use bytes::Bytes;
use torap_domain::{ParticipantId, Phone, Position, Time, Uetr};
use torap_engine::{
    Command, cards,
    directory::Record,
    instant::{Finished, History, PaymentKey},
};
use torap_gateway::{
    render::{RecordError, Records},
    translate::Lookups,
};
use torap_index::{AsOf, Index, IndexError, MemoryIndex};
use torap_journal::{Evidence, Reader};

/// Records of the log, to write an old outbound entry again.
#[derive(Debug, Clone)]
pub(crate) struct LogRecords(pub(crate) Reader);

impl LogRecords {
    /// The facts of a record, and its original if that is kept.
    pub(crate) fn read(&self, position: Position) -> Result<(Command, Option<Bytes>), RecordError> {
        let record = self
            .0
            .read_record(position.value())
            .map_err(|error| RecordError::new(position, error.to_string()))?
            .ok_or_else(|| RecordError::new(position, "there is no such record".into()))?;
        let command = torap_engine::codec::decode(record.meta.kind, &record.facts)
            .map_err(|error| RecordError::new(position, error.to_string()))?;
        let evidence = match record.evidence {
            Evidence::Bytes(bytes) => Some(Bytes::from(bytes)),
            Evidence::Absent | Evidence::Redacted | Evidence::Sealed | Evidence::NotRead => None,
        };
        Ok((command, evidence))
    }
}

impl LogRecords {
    /// The card command of a record, its time, and whether its message is kept; none if it has no such command.
    pub(crate) fn card(&self, position: Position) -> Option<(cards::Command, Time, bool)> {
        let record = self.0.read_record(position.value()).ok()??;
        let decoded = torap_engine::codec::decode(record.meta.kind, &record.facts);
        let Ok(Command::Cards(command)) = decoded else {
            return None;
        };
        let is_kept = matches!(record.evidence, Evidence::Bytes(_));
        Some((command, Time::from_nanos(record.meta.time), is_kept))
    }
}

impl Records for LogRecords {
    fn facts(&self, position: Position) -> Result<Command, RecordError> {
        self.read(position).map(|(command, _)| command)
    }

    fn evidence(&self, position: Position) -> Result<Bytes, RecordError> {
        let (_, evidence) = self.read(position)?;
        evidence.ok_or_else(|| RecordError::new(position, "its original is not kept".into()))
    }
}

/// Facts from the index, as the gateway looks them up before queueing.
#[derive(Debug)]
pub(crate) struct IndexLookups {
    pub(crate) index: Arc<MemoryIndex>,
    /// Written by the core's side after each batch.
    pub(crate) window_dropped_upto: Rc<Cell<u64>>,
}

impl IndexLookups {
    /// While the window has dropped nothing, the engine itself knows everything.
    fn is_needed(&self) -> bool {
        self.window_dropped_upto.get() > 0
    }

    fn history(found: Result<AsOf<Option<Finished>>, IndexError>) -> Option<History> {
        Some(match found {
            Ok(AsOf {
                value: Some(finished),
                as_of,
            }) => History::Known { as_of, finished },
            Ok(AsOf { as_of, value: None }) => History::Unknown { as_of },
            Err(_) => History::Unknown {
                as_of: Position::ZERO,
            },
        })
    }
}

impl Lookups for IndexLookups {
    fn alias(&self, phone: Phone) -> (Position, Option<Record>) {
        match self.index.alias(phone) {
            Ok(AsOf { as_of, value }) => (as_of, value),
            Err(_) => (Position::ZERO, None),
        }
    }

    fn by_key(&self, key: &PaymentKey) -> Option<History> {
        self.is_needed()
            .then(|| self.index.payment_by_key(key))
            .and_then(IndexLookups::history)
    }

    fn by_uetr(&self, uetr: &Uetr) -> Option<History> {
        self.is_needed()
            .then(|| self.index.payment_by_uetr(uetr))
            .and_then(IndexLookups::history)
    }

    /// The program measures by its own clock, which has no part in what is simulated.
    fn is_congested(&self, _: ParticipantId) -> bool {
        false
    }
}
