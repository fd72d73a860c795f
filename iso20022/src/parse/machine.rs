//! The state of a parse, and what every part of it needs: the next piece of the document, attributes, names, scopes, refusals.
//! What a document may be is in `envelope.rs`; what an element may hold in `element.rs`, `leaf.rs` and `wild.rs`.

use super::attributes::{self, Attribute, Summary};
use super::content;
use super::envelope::{self, FoundPart, Outcome};
use super::names;
use super::namespaces::{Namespace, Namespaces, Resolved, Span, slice};
use super::scanner::{Scanner, TagName, Token};
use super::{Mode, national};
use crate::capture::{CaptureSet, Plan, ROOT_NODE, Slot};
use crate::limits::{Limits, NAME_BYTES_MAX};
use crate::message::MessageType;
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
    /// Text that cannot be read as it stands.
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
    /// An envelope; `count` tells how far it is.
    Wrapper,
}

/// The tag of an element being opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag {
    /// Its `<`.
    pub at: u32,
    pub name: Span,
    /// Declarations in scope around the element.
    pub mark: u32,
    pub is_empty: bool,
    /// Whether there is anything in the tag but the name.
    pub has_attributes: bool,
}

/// Working state of one parse.
pub(super) struct Machine<'s, 'a> {
    pub input: &'a [u8],
    pub scanner: Scanner<'a>,
    /// Whether the input was cut before a byte that is no UTF-8.
    is_cut: bool,
    pub mode: Mode,
    limits: Limits,
    pub captures: &'static CaptureSet,
    pub scratch: &'s mut Scratch,
    /// The part being read.
    pub message: Option<MessageType>,
    pub plan: &'static Plan,
    /// Whether names without prefix are in the target namespace of the part.
    pub default_is_target: bool,
    /// Declarations in scope around the part.
    pub part_mark: u32,
    pub leans_outside: bool,
    pub is_header: bool,
    pub outcome: Outcome<'a>,
}

/// Parses the valid UTF-8 `input`, cut from a longer one if `is_cut`, from `start` on; the captured fields are left in `scratch`.
pub(super) fn run<'a>(
    input: &'a [u8],
    is_cut: bool,
    start: usize,
    mode: Mode,
    limits: Limits,
    captures: &'static CaptureSet,
    scratch: &mut Scratch,
) -> Result<Outcome<'a>, Fail> {
    scratch.frames.clear();
    scratch.namespaces.clear();
    scratch.header.clear();
    scratch.document.clear();
    let machine = Machine {
        input,
        scanner: Scanner::new(input, start),
        is_cut,
        mode,
        limits,
        captures,
        scratch,
        message: None,
        plan: Plan::nothing(),
        default_is_target: false,
        part_mark: 0,
        leans_outside: false,
        is_header: false,
        outcome: Outcome::default(),
    };
    envelope::document(machine)
}

impl<'a> Machine<'_, 'a> {
    /// One piece of the document inside the root element.
    #[inline]
    pub(super) fn step(&mut self) -> Result<(), Fail> {
        let Some(content) = self.scratch.frames.last().map(|frame| frame.content) else {
            return Err(self.malformed("content after the root element"));
        };
        if !matches!(content, Content::Lax | Content::Skip) {
            self.scanner.skip_blanks();
        }
        match self.next()? {
            Token::Tag(name) => match content {
                Content::Typed(ty) => self.typed_child(ty, name),
                Content::Lax => self.lax_child(name),
                Content::Skip => self.skipped_child(name),
                Content::Wrapper => self.wrapped(name),
            },
            Token::End => self.close(),
            Token::Text => self.text_between(),
            Token::Cdata => self.cdata_between(),
            Token::Reference => self.reference_between(),
            Token::Comment => Ok(()),
            _ => Err(self.malformed("the document ends inside an element")),
        }
    }

    /// An end tag.
    #[inline]
    fn close(&mut self) -> Result<(), Fail> {
        let Some(frame) = self.scratch.frames.last().copied() else {
            return Err(self.malformed("end tag without start tag"));
        };
        self.finish_end_tag(frame.name)?;
        match frame.content {
            Content::Typed(ty) => self.check_complete(ty, &frame)?,
            Content::Lax | Content::Skip => {}
            Content::Wrapper => self.check_wrapper(&frame)?,
        }
        self.scratch.frames.pop();
        let element = (frame.tag, self.scanner.end as u32);
        self.record(
            frame.slot,
            element,
            (frame.inner, self.scanner.start as u32),
        );
        self.leave(frame.mark);
        if frame.node == ROOT_NODE {
            self.end_part(element);
        }
        Ok(())
    }

    /// Goes to the next piece.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Token, Fail> {
        match self.scanner.next() {
            token @ (Token::Tag(_) | Token::End | Token::Text) => Ok(token),
            token => self.rare(token),
        }
    }

    #[cold]
    fn rare(&self, token: Token) -> Result<Token, Fail> {
        let body = |open: usize| {
            let span = self.scanner.start + open..self.scanner.end.saturating_sub(3);
            self.input.get(span).unwrap_or_default()
        };
        match token {
            Token::Comment => {
                let text = body(4);
                if text.windows(2).any(|window| window == b"--") || text.last() == Some(&b'-') {
                    return Err(self.malformed("-- in a comment"));
                }
                content::scan(text).map_err(|rule| self.refuse(rule))?;
            }
            Token::Cdata if self.mode == Mode::National => return Err(self.refuse(Rule::Cdata)),
            Token::Cdata => {
                content::scan(body(9)).map_err(|rule| self.refuse(rule))?;
            }
            Token::Doctype => return Err(self.refuse(Rule::Doctype)),
            Token::Instruction => return Err(self.refuse(Rule::ProcessingInstruction)),
            Token::Broken(what) => return Err(self.malformed(what)),
            Token::Eof if self.is_cut => return Err(self.malformed("not UTF-8")),
            _ => {}
        }
        Ok(token)
    }

    /// The text of the CDATA section that was the last piece.
    pub(super) fn cdata(&self) -> &'a [u8] {
        let span = self.scanner.start + 9..self.scanner.end.saturating_sub(3);
        self.input.get(span).unwrap_or_default()
    }

    /// The character of the reference that was the last piece.
    pub(super) fn referred(&self) -> Result<char, Rule> {
        let span = self.scanner.start + 1..self.scanner.end.saturating_sub(1);
        content::reference(self.input.get(span).unwrap_or_default())
    }

    /// Reads a start tag, of which `<` and the name were the last piece, to its end.
    #[inline]
    pub(super) fn open_tag(&mut self, name: TagName) -> Result<Tag, Fail> {
        let at = self.scanner.start as u32;
        if self.scratch.frames.len() >= self.limits.depth_max {
            let max = self.limits.depth_max;
            return Err(self.refuse(Rule::Limit {
                name: "depth_max",
                max,
            }));
        }
        let mut tag = Tag {
            at,
            name: (at + 1, at + 1 + name.len),
            mark: self.scratch.namespaces.len() as u32,
            is_empty: false,
            has_attributes: false,
        };
        if self.scanner.byte(self.scanner.end) == Some(b'>') {
            self.scanner.end += 1;
        } else {
            self.finish_tag(&mut tag)?;
        }
        Ok(tag)
    }

    fn finish_tag(&mut self, tag: &mut Tag) -> Result<(), Fail> {
        let scratch = &mut *self.scratch;
        let read = attributes::read(
            self.input,
            self.scanner.end,
            self.limits.attributes_max,
            &mut scratch.namespaces,
            &mut scratch.attributes,
        );
        let summary = match read {
            Ok(summary) => summary,
            Err((rule, at)) => {
                return Err(self.refuse_named(Some(tag.name), self.unless_cut(rule, at), at));
            }
        };
        self.scanner.end = summary.end;
        tag.is_empty = summary.is_empty;
        tag.has_attributes = !self.scratch.attributes.is_empty();
        if self.scratch.namespaces.len() > tag.mark as usize {
            self.update_default();
        }
        if tag.has_attributes {
            self.check_summary(tag.name, summary)?;
        }
        Ok(())
    }

    fn unless_cut(&self, rule: Rule, at: usize) -> Rule {
        if self.is_cut && at >= self.input.len() {
            Rule::Malformed("not UTF-8")
        } else {
            rule
        }
    }

    fn check_summary(&mut self, name: Span, summary: Summary) -> Result<(), Fail> {
        if summary
            .outermost
            .is_some_and(|number| number < self.part_mark as usize)
        {
            self.leans_outside = true;
        }
        if self.mode == Mode::National {
            if summary.has_stray_prefix {
                return Err(self.refuse_inside(name, Rule::Prefix));
            }
            for attribute in &self.scratch.attributes {
                if !national::accepts(slice(self.input, attribute.value), false) {
                    return Err(self.refuse_inside(name, Rule::CharacterSet));
                }
            }
        }
        Ok(())
    }

    /// The attributes of the tag just opened.
    #[inline]
    pub(super) fn attributes(&self, tag: Tag) -> &[Attribute] {
        if tag.has_attributes {
            &self.scratch.attributes
        } else {
            &[]
        }
    }

    /// Reads an end tag, of which `</` was the last piece, to its end.
    #[inline]
    pub(super) fn finish_end_tag(&mut self, name: Span) -> Result<(), Fail> {
        if self
            .scanner
            .finish_end_tag(name.0, (name.1 - name.0) as usize)
        {
            return Ok(());
        }
        Err(self.malformed("end tag does not match the start tag"))
    }

    /// Namespace and local part of an element's name. The local part of an undeclared prefix is the whole name.
    pub(super) fn resolve_name(&mut self, name: Span) -> Result<(Resolved, &'a [u8]), Fail> {
        let raw = slice(self.input, name);
        let Some((split, len)) = names::split(raw) else {
            return Err(self.malformed("element name"));
        };
        if len != raw.len() {
            return Err(self.malformed("element name"));
        }
        if raw.len() > NAME_BYTES_MAX {
            let max = NAME_BYTES_MAX;
            return Err(self.refuse(Rule::Limit {
                name: "name_bytes_max",
                max,
            }));
        }
        let Some(prefix) = split.prefix else {
            if !split.is_proper && self.mode == Mode::National {
                return Err(self.refuse_inside(name, Rule::Prefix));
            }
            let resolved = self.scratch.namespaces.default();
            self.note_use(resolved);
            return Ok((resolved, split.local));
        };
        match self.scratch.namespaces.prefixed(self.input, prefix) {
            Some(resolved) => {
                self.note_use(resolved);
                Ok((resolved, split.local))
            }
            None if self.mode == Mode::National => Err(self.refuse_inside(name, Rule::Prefix)),
            None => Ok((Resolved::ABSENT, raw)),
        }
    }

    /// Notes that a name of the part leans on a declaration.
    pub(super) fn note_use(&mut self, resolved: Resolved) {
        if resolved
            .declaration
            .is_some_and(|number| number < self.part_mark as usize)
        {
            self.leans_outside = true;
        }
    }

    pub(super) fn update_default(&mut self) {
        self.default_is_target = match (self.message, self.scratch.namespaces.default().namespace) {
            (Some(target), Namespace::Message(message)) => target == message,
            _ => false,
        };
    }

    /// Leaves the scope of an element, around which `mark` declarations are in scope.
    #[inline]
    pub(super) fn leave(&mut self, mark: u32) {
        if self.scratch.namespaces.len() > mark as usize {
            self.scratch.namespaces.truncate(mark as usize);
            self.update_default();
        }
    }

    #[inline]
    pub(super) fn push(&mut self, content: Content, tag: Tag, node: u16, slot: u16) {
        self.scratch.frames.push(Frame {
            content,
            name: tag.name,
            tag: tag.at,
            inner: self.scanner.end as u32,
            particle: 0,
            count: 0,
            mark: tag.mark,
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

    /// Notes that the root element of a part spans `span`.
    pub(super) fn end_part(&mut self, span: Span) {
        if let Some(message) = self.message.take() {
            let is_self_contained = !self.leans_outside;
            let found = Some(FoundPart {
                message,
                span,
                is_self_contained,
            });
            if self.is_header {
                self.outcome.header = found;
            } else {
                self.outcome.document = found;
            }
        }
        self.default_is_target = false;
    }

    #[cold]
    pub(super) fn malformed(&self, what: &'static str) -> Fail {
        let is_at_cut = self.is_cut && self.scanner.end >= self.input.len();
        self.refuse(Rule::Malformed(if is_at_cut { "not UTF-8" } else { what }))
    }

    /// A refusal at the innermost open element.
    #[cold]
    pub(super) fn refuse(&self, rule: Rule) -> Fail {
        self.refuse_named(None, rule, self.scanner.start)
    }

    /// A refusal at a child of the innermost open element.
    #[cold]
    pub(super) fn refuse_inside(&self, name: Span, rule: Rule) -> Fail {
        self.refuse_named(Some(name), rule, self.scanner.start)
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
