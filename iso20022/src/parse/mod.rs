//! The parser: one pass over the bytes that checks well-formedness, validates against the XSD and notes the captured fields.
//!
//! The input is a bare `Document`, a bare `AppHdr`, or an envelope: a root element that holds exactly an `AppHdr` and then a
//! `Document`, each in the namespace of its own XSD. What is accepted under [`Mode::SchemaOnly`] is what libxml2 accepts, except
//! that document type declarations and processing instructions are always refused and that the bounds of `limits.rs` hold.
//!
//! A [`Parser`] keeps its working memory from one document to the next. It never allocates per element, never follows a
//! reference out of the document, and gives up at the first breach.

mod attributes;
pub(crate) mod content;
pub(crate) mod declaration;
mod element;
mod envelope;
mod leaf;
mod machine;
mod names;
mod namespaces;
mod national;
mod scanner;
#[cfg(test)]
mod tests;
mod wild;

use std::fmt;
use std::ops::Range;

use crate::capture::{CaptureSet, Slot, Slots};
use crate::limits::Limits;
use crate::message::{MessageLabel, MessageType};
use crate::refusal::{Refusal, Rule};

/// Namespace of the envelope of this system.
pub const ENVELOPE_NAMESPACE: &str = "urn:torap:envelope:1";

/// Root element of the envelope of this system.
pub const ENVELOPE_ELEMENT: &str = "Envelope";

/// What is refused beyond the XSD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: what libxml2 accepts is accepted.
    SchemaOnly,
    /// CDATA sections, characters outside the national set, undeclared prefixes, and envelopes other than
    /// [`ENVELOPE_ELEMENT`] in [`ENVELOPE_NAMESPACE`].
    National,
}

/// A reusable parser; keep one per connection or thread.
pub struct Parser {
    captures: &'static CaptureSet,
    limits: Limits,
    scratch: machine::Scratch,
}

impl Parser {
    /// A parser that validates and captures nothing.
    pub fn new() -> Parser {
        static NOTHING: CaptureSet = CaptureSet::EMPTY;
        Parser::with_captures(&NOTHING)
    }

    /// A parser that validates and captures.
    pub fn with_captures(captures: &'static CaptureSet) -> Parser {
        Parser {
            captures,
            limits: Limits::default(),
            scratch: machine::Scratch::default(),
        }
    }

    /// The same parser with other limits. None can be raised above its figure in `limits.rs`.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Parser {
        let most = Limits::default();
        self.limits = Limits {
            message_bytes_max: limits.message_bytes_max.min(most.message_bytes_max),
            depth_max: limits.depth_max.min(most.depth_max),
            attributes_max: limits.attributes_max.min(most.attributes_max),
        };
        self
    }

    /// Parses and validates one document.
    ///
    /// # Errors
    /// The first breach, with its path, rule and byte offset.
    pub fn parse<'p, 'a>(
        &'p mut self,
        bytes: &'a [u8],
        mode: Mode,
    ) -> Result<Parsed<'p, 'a>, Refusal> {
        let max = self.limits.message_bytes_max;
        if bytes.len() > max {
            let rule = Rule::Limit {
                name: "message_bytes_max",
                max,
            };
            return Err(Refusal::new("/", rule, max));
        }
        let start = match declaration::read(bytes) {
            Ok(prologue)
                if prologue
                    .encoding
                    .is_some_and(|encoding| !declaration::is_utf8(encoding)) =>
            {
                return Err(Refusal::new("/", Rule::Encoding, 0));
            }
            Ok(prologue) => prologue.len,
            Err((rule, at)) => return Err(Refusal::new("/", rule, at)),
        };
        // What is not UTF-8 is left out; if the parser gets that far, it says so.
        let text = std::str::from_utf8(bytes).unwrap_or_else(|error| {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        });
        let is_cut = text.len() < bytes.len();
        let outcome = machine::run(
            text.as_bytes(),
            is_cut,
            start,
            mode,
            self.limits,
            self.captures,
            &mut self.scratch,
        )
        .map_err(|refusal| *refusal)?;
        let part = |found: Option<envelope::FoundPart>, slots: &'p [Slot]| {
            found.map(|found| Part {
                found,
                slots: Slots { input: text, slots },
            })
        };
        Ok(Parsed {
            header: part(outcome.header, &self.scratch.header),
            document: part(outcome.document, &self.scratch.document),
            envelope: outcome.envelope,
        })
    }
}

impl Default for Parser {
    fn default() -> Parser {
        Parser::new()
    }
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// An accepted document. Borrows the bytes (`'a`) and the parser (`'p`).
#[derive(Debug)]
pub struct Parsed<'p, 'a> {
    header: Option<Part<'p, 'a>>,
    document: Option<Part<'p, 'a>>,
    envelope: Option<Envelope<'a>>,
}

impl<'p, 'a> Parsed<'p, 'a> {
    /// The business application header.
    pub fn header(&self) -> Option<&Part<'p, 'a>> {
        self.header.as_ref()
    }

    /// The message.
    pub fn document(&self) -> Option<&Part<'p, 'a>> {
        self.document.as_ref()
    }

    /// The root element around header and document, or `None` when the input is bare.
    pub fn envelope(&self) -> Option<&Envelope<'a>> {
        self.envelope.as_ref()
    }

    /// What was found.
    pub fn label(&self) -> MessageLabel {
        MessageLabel {
            header: self.header.as_ref().map(Part::message),
            document: self.document.as_ref().map(Part::message),
        }
    }
}

/// The root element of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Namespace as declared; empty when there is none.
    pub namespace: &'a [u8],
    /// Local name.
    pub name: &'a [u8],
}

/// A header or a message inside the input.
#[derive(Debug)]
pub struct Part<'p, 'a> {
    found: envelope::FoundPart,
    slots: Slots<'p, 'a>,
}

impl<'p, 'a> Part<'p, 'a> {
    /// Which message it is, by its namespace.
    pub fn message(&self) -> MessageType {
        self.found.message
    }

    /// Bytes of the root element in the input, from `<` to past `>`.
    pub fn range(&self) -> Range<usize> {
        self.found.span.0 as usize..self.found.span.1 as usize
    }

    /// The root element as it came.
    pub fn bytes(&self) -> &'a [u8] {
        self.slots
            .input
            .as_bytes()
            .get(self.range())
            .unwrap_or_default()
    }

    /// Whether no name in it leans on a namespace declared outside it, so that its bytes mean the same anywhere.
    pub fn is_self_contained(&self) -> bool {
        self.found.is_self_contained
    }

    /// The captured fields.
    pub fn slots(&self) -> Slots<'p, 'a> {
        self.slots
    }
}
