//! What the host finds wrong with the switch.

use serde::Serialize;

/// Breaches that are kept with their text; the rest is counted.
const VIOLATIONS_KEPT: usize = 100;

/// A promise that the switch broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// Reference or trace of the message.
    pub about: String,
    pub text: String,
}

#[derive(Debug, Default)]
pub(crate) struct Books {
    kept: Vec<Breach>,
    count: u64,
}

impl Books {
    pub(crate) fn violation(&mut self, about: &str, text: &str) {
        self.count += 1;
        if self.kept.len() < VIOLATIONS_KEPT {
            self.kept.push(Breach {
                about: about.to_string(),
                text: text.to_string(),
            });
        }
    }

    pub(crate) fn kept(&self) -> &[Breach] {
        &self.kept
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}
