//! Records of the log, read back to write an old outbound entry again.

use bytes::Bytes;
use torap_domain::Position;
use torap_engine::Command;
use torap_gateway::render::{RecordError, Records};
use torap_journal::{Evidence, Reader};

#[derive(Clone)]
pub struct LogRecords(Reader);

impl LogRecords {
    pub fn new(reader: Reader) -> LogRecords {
        LogRecords(reader)
    }

    /// The log itself.
    pub fn reader(&self) -> Reader {
        self.0.clone()
    }

    /// A record's command, time and original bytes.
    ///
    /// # Errors
    /// The record is not there, damaged, or its evidence is redacted.
    pub fn read(&self, position: Position) -> Result<(Command, u64, Option<Bytes>), RecordError> {
        let record = self
            .0
            .read_record(position.value())
            .map_err(|error| RecordError::new(position, error.to_string()))?;
        let record =
            record.ok_or_else(|| RecordError::new(position, "there is no such record".into()))?;
        let command = torap_engine::codec::decode(record.meta.kind, &record.facts)
            .map_err(|error| RecordError::new(position, error.to_string()))?;
        let evidence = match record.evidence {
            Evidence::Bytes(bytes) => Some(Bytes::from(bytes)),
            Evidence::Absent | Evidence::Redacted | Evidence::Sealed | Evidence::NotRead => None,
        };
        Ok((command, record.meta.time, evidence))
    }
}

impl std::fmt::Debug for LogRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogRecords")
    }
}

impl Records for LogRecords {
    fn facts(&self, position: Position) -> Result<Command, RecordError> {
        self.read(position).map(|(command, _, _)| command)
    }

    fn evidence(&self, position: Position) -> Result<Bytes, RecordError> {
        let (_, _, evidence) = self.read(position)?;
        evidence.ok_or_else(|| RecordError::new(position, "its original is not kept".into()))
    }
}
