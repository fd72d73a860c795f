//! Values that the index keeps: one version byte, then the fields.

use super::{FactsError, Layout, Reader, Writer};
use crate::{Outbound, cards, directory, instant};

/// A value of the index.
pub trait Stored: Layout {
    /// Kebab-case name that errors give.
    const NAME: &'static str;
    /// Version of the layout that is written: the first byte.
    const VERSION: u8;

    /// Appends the stored form.
    fn encode(&self, out: &mut Vec<u8>) {
        let mut writer = Writer::new(out);
        writer.u8(Self::VERSION);
        writer.put(self);
    }

    /// Reads the stored form.
    fn decode(bytes: &[u8]) -> Result<Self, FactsError> {
        let mut reader = Reader::new(Self::NAME, bytes);
        reader.version(Self::VERSION)?;
        let value = reader.field(Self::NAME)?;
        reader.finish()?;
        Ok(value)
    }
}

impl Stored for Outbound {
    const NAME: &'static str = "outbound";
    const VERSION: u8 = 1;
}

impl Stored for instant::Finished {
    const NAME: &'static str = "finished";
    const VERSION: u8 = 1;
}

impl Stored for directory::Record {
    const NAME: &'static str = "directory-record";
    const VERSION: u8 = 1;
}

impl Stored for cards::Finished {
    const NAME: &'static str = "card-finished";
    const VERSION: u8 = 1;
}
