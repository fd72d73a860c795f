//! What a document may be: a bare header or message, or an envelope around one header and one message.

use super::machine::{Content, Fail, Frame, Machine, Tag};
use super::namespaces::{Namespace, Resolved, Span, slice};
use super::scanner::{TagName, Token};
use super::{ENVELOPE_ELEMENT, ENVELOPE_NAMESPACE, Envelope, Mode};
use crate::capture::{NO_NODE, NO_SLOT, ROOT_NODE, Slot};
use crate::limits::WRAPPERS_MAX;
use crate::message::{MessageKind, MessageType};
use crate::refusal::Rule;

/// Where a header or document was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundPart {
    pub message: MessageType,
    pub span: Span,
    pub is_self_contained: bool,
}

/// What a document turned out to be.
#[derive(Debug, Default)]
pub(super) struct Outcome<'a> {
    pub header: Option<FoundPart>,
    pub document: Option<FoundPart>,
    pub envelope: Option<Envelope<'a>>,
}

/// How far an envelope is, in [`Frame::count`].
const EMPTY: u32 = 0;
const HAS_HEADER: u32 = 1;
const FULL: u32 = 2;

const SHAPE: Rule = Rule::Envelope("exactly one AppHdr and then one Document");

/// Reads a whole document.
pub(super) fn document<'a>(mut machine: Machine<'_, 'a>) -> Result<Outcome<'a>, Fail> {
    loop {
        machine.scanner.skip_blanks();
        match machine.next()? {
            Token::Comment => {}
            Token::Tag(name) => {
                machine.wrapped(name)?;
                break;
            }
            Token::Eof => return Err(machine.malformed("no root element")),
            _ => return Err(machine.malformed("text before the root element")),
        }
    }
    while !machine.scratch.frames.is_empty() {
        machine.step()?;
    }
    loop {
        machine.scanner.skip_blanks();
        // libxml2: a NUL behind the root element ends the document, whatever follows.
        if machine.mode == Mode::SchemaOnly && machine.scanner.byte(machine.scanner.end) == Some(0)
        {
            return Ok(machine.outcome);
        }
        match machine.next()? {
            Token::Comment => {}
            Token::Eof => return Ok(machine.outcome),
            _ => return Err(machine.malformed("content after the root element")),
        }
    }
}

impl<'a> Machine<'_, 'a> {
    /// The root element, or a child of an envelope.
    pub(super) fn wrapped(&mut self, name: TagName) -> Result<(), Fail> {
        // What its own name and attributes lean on counts, if it is the root of a part.
        self.part_mark = self.scratch.namespaces.len() as u32;
        self.leans_outside = false;
        let tag = self.open_tag(name)?;
        let (resolved, local) = self.resolve_name(tag.name)?;
        let state = self.scratch.frames.last().map(|frame| frame.count);
        let message = match resolved.namespace {
            Namespace::Message(message) if message.root_element().as_bytes() == local => message,
            _ => return self.wrapper(tag, resolved, local, state),
        };
        let is_header = message.kind() == MessageKind::Head001;
        let next = match (state, is_header) {
            (None, _) => FULL,
            (Some(EMPTY), true) => HAS_HEADER,
            (Some(HAS_HEADER), false) => FULL,
            _ => return Err(self.refuse_inside(tag.name, SHAPE)),
        };
        if let Some(frame) = self.scratch.frames.last_mut() {
            frame.count = next;
        }
        self.begin_part(message, is_header);
        self.note_use(resolved);
        self.part_root(message, tag)
    }

    /// An element that is no message, so it can only be an envelope around one.
    fn wrapper(
        &mut self,
        tag: Tag,
        resolved: Resolved,
        local: &'a [u8],
        state: Option<u32>,
    ) -> Result<(), Fail> {
        let is_ours = local == ENVELOPE_ELEMENT.as_bytes()
            && self.scratch.namespaces.is_called(
                self.input,
                resolved.namespace,
                ENVELOPE_NAMESPACE,
            );
        let is_message_name = local == b"Document" || local == b"AppHdr";
        let is_strict = self.mode == Mode::National;
        if is_message_name || tag.is_empty || (state.is_none() && is_strict && !is_ours) {
            return Err(self.refuse_inside(tag.name, Rule::UnknownMessage));
        }
        let is_allowed = match state {
            None => true,
            Some(EMPTY) => !is_strict && self.scratch.frames.len() < WRAPPERS_MAX,
            Some(_) => false,
        };
        if !is_allowed {
            return Err(self.refuse_inside(tag.name, SHAPE));
        }
        if let Some(parent) = self.scratch.frames.last_mut() {
            parent.count = FULL;
        } else {
            let uri = resolved
                .declaration
                .and_then(|number| self.scratch.namespaces.uri(number));
            let namespace = uri.map_or(&b""[..], |uri| slice(self.input, uri));
            self.outcome.envelope = Some(Envelope {
                namespace,
                name: local,
            });
        }
        self.push(Content::Wrapper, tag, NO_NODE, NO_SLOT);
        Ok(())
    }

    /// Checks that an envelope holds all it must.
    pub(super) fn check_wrapper(&self, frame: &Frame) -> Result<(), Fail> {
        if frame.count == FULL {
            return Ok(());
        }
        Err(self.refuse(SHAPE))
    }

    fn begin_part(&mut self, message: MessageType, is_header: bool) {
        self.message = Some(message);
        self.plan = self.captures.plan(message);
        self.is_header = is_header;
        let slots = self.plan.slots;
        self.slots().resize(slots, Slot::default());
        self.update_default();
        let default = self.scratch.namespaces.default();
        let is_outer = default
            .declaration
            .is_some_and(|number| number < self.part_mark as usize);
        self.leans_outside |= self.default_is_target && is_outer;
    }

    /// The root element of a part.
    fn part_root(&mut self, message: MessageType, tag: Tag) -> Result<(), Fail> {
        self.open_declared(message.table().root.ty, tag, ROOT_NODE)?;
        if tag.is_empty {
            self.end_part((tag.at, self.scanner.end as u32));
        }
        Ok(())
    }
}
