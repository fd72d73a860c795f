//! The walk over the events of a document: prologue, envelope, parts, epilogue. What happens inside a part is in `element.rs`,
//! `leaf.rs` and `wild.rs`.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::attributes::{self, Attribute, Summary};
use super::content;
use super::declaration;
use super::names;
use super::namespaces::{Namespace, Namespaces, Resolved, Span, slice};
use super::{ENVELOPE_ELEMENT, ENVELOPE_NAMESPACE, Envelope, Mode};
use crate::capture::{CaptureSet, Plan, Slot};
use crate::limits::{Limits, WRAPPERS_MAX};
use crate::message::{MessageKind, MessageType};
use crate::refusal::{Refusal, Rule};
use crate::schema::ComplexType;

/// A refusal on its way out; boxed, so that the way costs nothing while all is well.
pub(super) type Fail = Box<Refusal>;

/// Working memory, kept from one document to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub frames: Vec<Frame>,
    pub namespaces: Namespaces,
    pub attributes: Vec<Attribute>,
    /// Text of a leaf that cannot be read as it stands.
    pub text: Vec<u8>,
    pub header: Vec<Slot>,
    pub document: Vec<Slot>,
}

/// An open element that may have children.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub content: Content,
    /// Name as it stands in the start tag.
    pub name: Span,
    /// `<` of the start tag.
    pub tag: u32,
    /// Past `>` of the start tag.
    pub inner: u32,
    /// Position in the content model.
    pub particle: u32,
    /// Occurrences of that particle so far.
    pub count: u32,
    /// Declarations in scope around the element.
    pub mark: u32,
    /// Captures: node of the element, and its slot.
    pub node: u16,
    pub slot: u16,
}

/// What an open element may hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// What its type says.
    Typed(&'static ComplexType),
    /// Anything; elements are looked at as a lax wildcard does.
    Lax,
    /// Anything well-formed.
    Skip,
    /// An envelope: a header and a document, or one more envelope. `count` tells how far it is.
    Wrapper,
}

/// How far a wrapper is, in [`Frame::count`].
const WRAPPER_EMPTY: u32 = 0;
const WRAPPER_HEADER: u32 = 1;
const WRAPPER_FULL: u32 = 2;

/// An event, without what can be read from the input itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A start tag with a name of so many bytes.
    Start(usize),
    /// The same of an empty element.
    Empty(usize),
    End,
    Text,
    Cdata,
    Comment,
    Reference,
    Eof,
}

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

pub(super) struct Machine<'s, 'a> {
    pub input: &'a [u8],
    reader: Reader<&'a [u8]>,
    /// What the reader does not see: byte order mark and XML declaration.
    shift: usize,
    pub mode: Mode,
    pub limits: Limits,
    captures: &'static CaptureSet,
    pub scratch: &'s mut Scratch,
    /// Span of the last event.
    pub start: usize,
    pub end: usize,
    /// The part being read.
    pub message: Option<MessageType>,
    pub plan: &'static Plan,
    /// Whether names without prefix are in the target namespace of the part.
    pub default_is_target: bool,
    /// Declarations in scope around the part.
    part_mark: usize,
    leans_outside: bool,
    is_header: bool,
    outcome: Outcome<'a>,
}

/// Parses `bytes`; the captured fields are left in `scratch`.
pub(super) fn run<'a>(
    bytes: &'a [u8],
    mode: Mode,
    limits: Limits,
    captures: &'static CaptureSet,
    scratch: &mut Scratch,
) -> Result<Outcome<'a>, Fail> {
    scratch.frames.clear();
    scratch.namespaces.clear();
    scratch.header.clear();
    scratch.document.clear();
    let prologue =
        declaration::read(bytes).map_err(|(rule, at)| Box::new(Refusal::new("/", rule, at)))?;
    if prologue
        .encoding
        .is_some_and(|encoding| !declaration::is_utf8(encoding))
    {
        return Err(Box::new(Refusal::new("/", Rule::Encoding, 0)));
    }
    let mut reader = Reader::from_reader(bytes.get(prologue.len..).unwrap_or_default());
    // End tags are compared here, without the copy that the reader keeps of every name.
    reader.config_mut().check_end_names = false;
    let machine = Machine {
        input: bytes,
        reader,
        shift: prologue.len,
        mode,
        limits,
        captures,
        scratch,
        start: prologue.len,
        end: prologue.len,
        message: None,
        plan: captures.plan(MessageType(u8::MAX)),
        default_is_target: false,
        part_mark: 0,
        leans_outside: false,
        is_header: false,
        outcome: Outcome::default(),
    };
    machine.document()
}

impl<'a> Machine<'_, 'a> {
    fn document(mut self) -> Result<Outcome<'a>, Fail> {
        loop {
            match self.next()? {
                Token::Text if content::is_blank(self.text()) => {}
                Token::Comment => {}
                Token::Start(name_len) => {
                    self.wrapped(name_len, false, None)?;
                    break;
                }
                Token::Empty(name_len) => {
                    self.wrapped(name_len, true, None)?;
                    break;
                }
                Token::Eof => return Err(self.malformed("no root element")),
                _ => return Err(self.malformed("text before the root element")),
            }
        }
        while !self.scratch.frames.is_empty() {
            self.step()?;
        }
        self.epilogue()?;
        Ok(self.outcome)
    }

    fn epilogue(&mut self) -> Result<(), Fail> {
        loop {
            if self.is_at_nul() {
                return Ok(());
            }
            match self.next()? {
                Token::Text if content::is_blank(self.text()) => {}
                Token::Comment => {}
                Token::Eof => return Ok(()),
                _ => return Err(self.malformed("content after the root element")),
            }
        }
    }

    /// libxml2: a NUL behind the root element ends the document, whatever follows.
    fn is_at_nul(&self) -> bool {
        let rest = self.input.get(self.end..).unwrap_or_default();
        let first = rest.iter().find(|&&byte| !crate::simple::is_blank(byte));
        self.mode == Mode::SchemaOnly && first == Some(&0)
    }

    /// One event inside the root element.
    fn step(&mut self) -> Result<(), Fail> {
        match self.next()? {
            Token::Start(name_len) => self.child(name_len, false),
            Token::Empty(name_len) => self.child(name_len, true),
            Token::End => self.close(),
            Token::Text => self.text_between(),
            Token::Cdata => self.cdata_between(),
            Token::Comment => Ok(()),
            Token::Reference => self.reference_between(),
            Token::Eof => Err(self.malformed("the document ends inside an element")),
        }
    }

    fn child(&mut self, name_len: usize, is_empty: bool) -> Result<(), Fail> {
        match self.scratch.frames.last().map(|frame| frame.content) {
            Some(Content::Typed(ty)) => self.typed_child(ty, name_len, is_empty),
            Some(Content::Lax) => self.lax_child(name_len, is_empty),
            Some(Content::Skip) => self.skipped_child(name_len, is_empty),
            Some(Content::Wrapper) => {
                let count = self
                    .scratch
                    .frames
                    .last()
                    .map_or(WRAPPER_FULL, |frame| frame.count);
                self.wrapped(name_len, is_empty, Some(count))
            }
            None => Err(self.malformed("content after the root element")),
        }
    }

    /// The root element (`state` is `None`), or a child of a wrapper that is as far as `state`.
    fn wrapped(&mut self, name_len: usize, is_empty: bool, state: Option<u32>) -> Result<(), Fail> {
        let (tag, name, mark) = self.open_tag(name_len)?;
        self.read_attributes(name, is_empty)?;
        let (resolved, local) = self.resolve_name(name)?;
        let known = match resolved.namespace {
            Namespace::Message(message) if message.root_element().as_bytes() == local => {
                Some(message)
            }
            _ => None,
        };
        let Some(message) = known else {
            return self.wrapper(tag, name, mark, resolved, local, is_empty, state);
        };
        let is_header = message.kind() == MessageKind::Head001;
        let next = match (state, is_header) {
            (None, _) => None,
            (Some(WRAPPER_EMPTY), true) => Some(WRAPPER_HEADER),
            (Some(WRAPPER_HEADER), false) => Some(WRAPPER_FULL),
            _ => {
                return Err(self.refuse_inside(
                    name,
                    Rule::Envelope("exactly one AppHdr and then one Document"),
                ));
            }
        };
        if let (Some(next), Some(frame)) = (next, self.scratch.frames.last_mut()) {
            frame.count = next;
        }
        self.begin_part(message, is_header, mark);
        self.note_use(resolved);
        self.part_root(message, tag, name, mark, is_empty)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the pieces of one start tag; called once"
    )]
    fn wrapper(
        &mut self,
        tag: usize,
        name: Span,
        mark: usize,
        resolved: Resolved,
        local: &'a [u8],
        is_empty: bool,
        state: Option<u32>,
    ) -> Result<(), Fail> {
        let is_ours =
            self.scratch
                .namespaces
                .is_called(self.input, resolved.namespace, ENVELOPE_NAMESPACE)
                && local == ENVELOPE_ELEMENT.as_bytes();
        let is_message_name = local == b"Document" || local == b"AppHdr";
        if is_message_name
            || is_empty
            || (state.is_none() && self.mode == Mode::National && !is_ours)
        {
            return Err(self.refuse_inside(name, Rule::UnknownMessage));
        }
        let depth = self.scratch.frames.len();
        let is_allowed = match state {
            None => true,
            Some(WRAPPER_EMPTY) => self.mode == Mode::SchemaOnly && depth < WRAPPERS_MAX,
            Some(_) => false,
        };
        if !is_allowed {
            return Err(self.refuse_inside(
                name,
                Rule::Envelope("exactly one AppHdr and then one Document"),
            ));
        }
        if let Some(parent) = self.scratch.frames.last_mut() {
            parent.count = WRAPPER_FULL;
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
        self.push(
            Content::Wrapper,
            tag,
            name,
            mark,
            0,
            crate::capture::NO_SLOT,
        );
        Ok(())
    }

    fn begin_part(&mut self, message: MessageType, is_header: bool, mark: usize) {
        self.message = Some(message);
        self.plan = self.captures.plan(message);
        self.is_header = is_header;
        self.part_mark = mark;
        self.leans_outside = false;
        let slots = self.plan.slots;
        self.slots().resize(slots, Slot::default());
        self.update_default();
        let default = self.scratch.namespaces.default();
        if self.default_is_target && default.declaration.is_some_and(|number| number < mark) {
            self.leans_outside = true;
        }
    }

    /// Notes that the root element of a part spans `span`.
    pub(super) fn end_part(&mut self, span: Span) {
        if let Some(message) = self.message.take() {
            let found = Some(FoundPart {
                message,
                span,
                is_self_contained: !self.leans_outside,
            });
            if self.is_header {
                self.outcome.header = found;
            } else {
                self.outcome.document = found;
            }
        }
        self.default_is_target = false;
    }

    /// An end tag.
    fn close(&mut self) -> Result<(), Fail> {
        let Some(frame) = self.scratch.frames.last().copied() else {
            return Err(self.malformed("end tag without start tag"));
        };
        self.check_end_tag(frame.name)?;
        match frame.content {
            Content::Typed(ty) => self.check_complete(ty, frame.particle, frame.count)?,
            Content::Lax | Content::Skip => {}
            Content::Wrapper if frame.count == WRAPPER_FULL => {}
            Content::Wrapper => {
                return Err(self.refuse(Rule::Envelope("exactly one AppHdr and then one Document")));
            }
        }
        self.scratch.frames.pop();
        self.record(
            frame.slot,
            (frame.tag, self.end as u32),
            (frame.inner, self.start as u32),
        );
        self.leave(frame.mark as usize);
        let is_part = match self.scratch.frames.last() {
            None => true,
            Some(parent) => matches!(parent.content, Content::Wrapper),
        };
        if is_part && !matches!(frame.content, Content::Wrapper) {
            self.end_part((frame.tag, self.end as u32));
        }
        Ok(())
    }

    /// Goes to the next event.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Token, Fail> {
        self.start = self.end;
        let token = match self.reader.read_event() {
            Ok(Event::Start(tag)) => Token::Start(tag.name().as_ref().len()),
            Ok(Event::End(_)) => Token::End,
            Ok(Event::Text(_)) => Token::Text,
            Ok(Event::Empty(tag)) => Token::Empty(tag.name().as_ref().len()),
            Ok(Event::CData(_)) => Token::Cdata,
            Ok(Event::Comment(_)) => Token::Comment,
            Ok(Event::GeneralRef(_)) => Token::Reference,
            Ok(Event::Eof) => Token::Eof,
            Ok(Event::DocType(_)) => return Err(self.refuse(Rule::Doctype)),
            Ok(Event::PI(_) | Event::Decl(_)) => {
                return Err(self.refuse(Rule::ProcessingInstruction));
            }
            Err(error) => return Err(self.unreadable(&error)),
        };
        self.end = self.shift + self.reader.buffer_position() as usize;
        match token {
            Token::Comment => self.check_comment()?,
            Token::Cdata if self.mode == Mode::National => return Err(self.refuse(Rule::Cdata)),
            _ => {}
        }
        Ok(token)
    }

    #[cold]
    fn unreadable(&self, error: &quick_xml::Error) -> Fail {
        use quick_xml::Error;
        use quick_xml::errors::IllFormedError;
        let rest = self.input.get(self.start..).unwrap_or_default();
        self.refuse(match error {
            _ if rest.starts_with(b"<!DOCTYPE") => Rule::Doctype,
            _ if rest.starts_with(b"<?") => Rule::ProcessingInstruction,
            Error::Encoding(_) => Rule::Malformed("not UTF-8"),
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                Rule::Malformed("unfinished reference")
            }
            Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => {
                Rule::Malformed("end tag without start tag")
            }
            _ => Rule::Malformed("unfinished markup"),
        })
    }

    #[cold]
    fn check_comment(&mut self) -> Result<(), Fail> {
        let text = self
            .input
            .get(self.start + 4..self.end.saturating_sub(3))
            .unwrap_or_default();
        if text.windows(2).any(|window| window == b"--") || text.last() == Some(&b'-') {
            return Err(self.malformed("-- in a comment"));
        }
        match content::scan(text) {
            Ok(_) => Ok(()),
            Err(rule) => Err(self.refuse(rule)),
        }
    }

    /// The bytes of the last event.
    #[inline]
    pub(super) fn text(&self) -> &'a [u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    /// Position, name and declarations around the element whose start tag was just read.
    #[inline]
    pub(super) fn open_tag(&self, name_len: usize) -> Result<(usize, Span, usize), Fail> {
        let tag = self.start;
        let name = ((tag + 1) as u32, (tag + 1 + name_len) as u32);
        if self.scratch.frames.len() >= self.limits.depth_max {
            return Err(self.refuse(Rule::Limit {
                name: "depth_max",
                max: self.limits.depth_max,
            }));
        }
        Ok((tag, name, self.scratch.namespaces.len()))
    }

    /// Reads the attributes of the tag; says whether there was anything but the name.
    #[inline]
    pub(super) fn read_attributes(&mut self, name: Span, is_empty: bool) -> Result<bool, Fail> {
        let tag_end = (self.end - if is_empty { 2 } else { 1 }) as u32;
        if tag_end <= name.1 {
            self.scratch.attributes.clear();
            return Ok(false);
        }
        self.attributes_until(name, tag_end)?;
        Ok(true)
    }

    fn attributes_until(&mut self, name: Span, tag_end: u32) -> Result<(), Fail> {
        let scratch = &mut *self.scratch;
        let mark = scratch.namespaces.len();
        let read = attributes::read(
            self.input,
            (name.1, tag_end),
            self.limits.attributes_max,
            &mut scratch.namespaces,
            &mut scratch.attributes,
        );
        let summary = match read {
            Ok(summary) => summary,
            Err((rule, at)) => return Err(self.refuse_named(Some(name), rule, at)),
        };
        if self.scratch.namespaces.len() > mark {
            self.update_default();
        }
        self.check_summary(name, summary)
    }

    fn check_summary(&mut self, name: Span, summary: Summary) -> Result<(), Fail> {
        if summary
            .outermost
            .is_some_and(|number| number < self.part_mark)
        {
            self.leans_outside = true;
        }
        if self.mode == Mode::National {
            if summary.has_stray_prefix {
                return Err(self.refuse_inside(name, Rule::Prefix));
            }
            for attribute in &self.scratch.attributes {
                if !super::national::accepts_value(slice(self.input, attribute.value)) {
                    return Err(self.refuse_inside(name, Rule::CharacterSet));
                }
            }
        }
        Ok(())
    }

    /// Namespace and local part of an element's name. The local part of an undeclared prefix is the whole name.
    pub(super) fn resolve_name(&mut self, name: Span) -> Result<(Resolved, &'a [u8]), Fail> {
        let input = self.input;
        let raw = slice(input, name);
        let Some((split, len)) = names::split(raw) else {
            return Err(self.malformed("element name"));
        };
        if len != raw.len() {
            return Err(self.malformed("element name"));
        }
        if raw.len() > crate::limits::NAME_BYTES_MAX {
            let max = crate::limits::NAME_BYTES_MAX;
            return Err(self.refuse(Rule::Limit {
                name: "name_bytes_max",
                max,
            }));
        }
        let Some(prefix) = split.prefix else {
            let resolved = self.scratch.namespaces.default();
            if !split.is_proper && self.mode == Mode::National {
                return Err(self.refuse_inside(name, Rule::Prefix));
            }
            self.note_use(resolved);
            return Ok((resolved, split.local));
        };
        match self.scratch.namespaces.prefixed(input, prefix) {
            Some(resolved) => {
                self.note_use(resolved);
                Ok((resolved, split.local))
            }
            None if self.mode == Mode::National => Err(self.refuse_inside(name, Rule::Prefix)),
            None => Ok((
                Resolved {
                    namespace: Namespace::Absent,
                    declaration: None,
                },
                raw,
            )),
        }
    }

    /// Notes that a name of the part leans on a declaration.
    pub(super) fn note_use(&mut self, resolved: Resolved) {
        if resolved
            .declaration
            .is_some_and(|number| number < self.part_mark)
        {
            self.leans_outside = true;
        }
    }

    fn update_default(&mut self) {
        self.default_is_target = match (self.message, self.scratch.namespaces.default().namespace) {
            (Some(target), Namespace::Message(message)) => target == message,
            _ => false,
        };
    }

    /// Leaves the scope of an element, around which `mark` declarations are in scope.
    #[inline]
    pub(super) fn leave(&mut self, mark: usize) {
        if self.scratch.namespaces.len() > mark {
            self.scratch.namespaces.truncate(mark);
            self.update_default();
        }
    }

    pub(super) fn push(
        &mut self,
        content: Content,
        tag: usize,
        name: Span,
        mark: usize,
        node: u16,
        slot: u16,
    ) {
        self.scratch.frames.push(Frame {
            content,
            name,
            tag: tag as u32,
            inner: self.end as u32,
            particle: 0,
            count: 0,
            mark: mark as u32,
            node,
            slot,
        });
    }

    pub(super) fn slots(&mut self) -> &mut Vec<Slot> {
        if self.is_header {
            &mut self.scratch.header
        } else {
            &mut self.scratch.document
        }
    }

    /// Whether the end tag just read closes an element called `name`.
    #[inline]
    pub(super) fn check_end_tag(&self, name: Span) -> Result<(), Fail> {
        let found = self
            .input
            .get(self.start + 2..self.end.saturating_sub(1))
            .unwrap_or_default();
        let wanted = slice(self.input, name);
        if found == wanted {
            return Ok(());
        }
        match found.strip_prefix(wanted) {
            Some(rest) if content::is_blank(rest) => Ok(()),
            _ => Err(self.malformed("end tag does not match the start tag")),
        }
    }

    #[cold]
    pub(super) fn malformed(&self, what: &'static str) -> Fail {
        self.refuse(Rule::Malformed(what))
    }

    /// A refusal at the innermost open element.
    #[cold]
    pub(super) fn refuse(&self, rule: Rule) -> Fail {
        self.refuse_named(None, rule, self.start)
    }

    /// A refusal at a child of the innermost open element.
    #[cold]
    pub(super) fn refuse_inside(&self, name: Span, rule: Rule) -> Fail {
        self.refuse_named(Some(name), rule, self.start)
    }

    #[cold]
    pub(super) fn refuse_named(&self, name: Option<Span>, rule: Rule, at: usize) -> Fail {
        let mut path = String::new();
        let open = self.scratch.frames.iter().map(|frame| frame.name);
        for name in open.chain(name) {
            path.push('/');
            path.push_str(&String::from_utf8_lossy(names::local(slice(
                self.input, name,
            ))));
        }
        if path.is_empty() {
            path.push('/');
        }
        Box::new(Refusal::new(path, rule, at))
    }
}
