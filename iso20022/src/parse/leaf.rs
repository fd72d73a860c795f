//! Elements that hold text: reading the text up to the end tag and checking it against the simple type.

use super::content;
use super::element::Opening;
use super::machine::{Fail, Machine, Token};
use super::namespaces::Span;
use super::{Mode, national};
use crate::capture::{NO_SLOT, Slot};
use crate::refusal::Rule;
use crate::simple::SimpleType;
use crate::simple::builtin::Builtin;

/// The type of the text of an element.
#[derive(Debug, Clone, Copy)]
pub(super) enum TextType {
    /// A type of the schema.
    Declared(&'static SimpleType),
    /// A built-in type, named by `xsi:type`.
    Builtin(Builtin),
}

impl From<&'static SimpleType> for TextType {
    fn from(ty: &'static SimpleType) -> TextType {
        TextType::Declared(ty)
    }
}

impl TextType {
    #[inline]
    fn accepts(self, text: &[u8]) -> bool {
        match self {
            TextType::Declared(ty) => ty.accepts(text),
            TextType::Builtin(builtin) => builtin.accepts(text),
        }
    }

    fn breach(self, text: &[u8]) -> Rule {
        match self {
            TextType::Declared(ty) => ty.breach(text),
            TextType::Builtin(builtin) => Rule::Lexical(builtin.name()),
        }
    }

    fn needed_prefix(self, text: &[u8]) -> Option<&[u8]> {
        match self {
            TextType::Declared(_) => None,
            TextType::Builtin(builtin) => builtin.needed_prefix(text),
        }
    }

    #[inline]
    fn proves_characters(self) -> bool {
        match self {
            TextType::Declared(ty) => ty.proves_characters(),
            TextType::Builtin(_) => false,
        }
    }

    fn collapses_blanks(self) -> bool {
        match self {
            TextType::Declared(ty) => ty.collapses_blanks(),
            TextType::Builtin(_) => false,
        }
    }
}

impl Machine<'_, '_> {
    /// Reads an element of type `ty`, whose start tag was just read, to its end.
    #[inline]
    pub(super) fn leaf(&mut self, ty: TextType, opening: Opening) -> Result<(), Fail> {
        let inner = self.end as u32;
        if opening.is_empty {
            if !ty.accepts(b"") {
                return Err(self.refuse_inside(opening.name, ty.breach(b"")));
            }
            self.finish_leaf(ty, opening, (inner, inner), false);
            return Ok(());
        }
        let mut token = self.next()?;
        let mut text = (inner, inner);
        if token == Token::Text {
            text.1 = self.end as u32;
            token = self.next()?;
        }
        if token != Token::End {
            return self.pieced_leaf(ty, opening, text, token);
        }
        self.check_end_tag(opening.name)?;
        let value = super::namespaces::slice(self.input, text);
        if ty.proves_characters() {
            if !ty.accepts(value) {
                return self.odd_leaf(ty, opening, text);
            }
        } else if matches!(ty, TextType::Builtin(_))
            || !content::is_plain(value)
            || (self.mode == Mode::National && !national::accepts_plain(value))
            || !ty.accepts(value)
        {
            return self.odd_leaf(ty, opening, text);
        }
        self.finish_leaf(ty, opening, text, false);
        Ok(())
    }

    /// A leaf whose text is in one piece but needs a closer look.
    #[cold]
    fn odd_leaf(&mut self, ty: TextType, opening: Opening, text: Span) -> Result<(), Fail> {
        self.scratch.text.clear();
        let has_escapes = self.append_text(opening, text)?;
        self.check_pieces(ty, opening)?;
        self.finish_leaf(ty, opening, text, has_escapes);
        Ok(())
    }

    /// A leaf whose text is broken by references, comments or CDATA sections; `token` is the first of them.
    #[cold]
    fn pieced_leaf(
        &mut self,
        ty: TextType,
        opening: Opening,
        first: Span,
        token: Token,
    ) -> Result<(), Fail> {
        self.scratch.text.clear();
        self.append_text(opening, first)?;
        let mut token = token;
        loop {
            match token {
                Token::End => break,
                Token::Text => {
                    self.append_text(opening, (self.start as u32, self.end as u32))?;
                }
                Token::Comment => {}
                Token::Cdata => {
                    let text = self
                        .input
                        .get(self.start + 9..self.end.saturating_sub(3))
                        .unwrap_or_default();
                    if let Err(rule) = content::scan(text) {
                        return Err(self.refuse_inside(opening.name, rule));
                    }
                    content::append_lines(text, &mut self.scratch.text);
                }
                Token::Reference => {
                    let name = self
                        .input
                        .get(self.start + 1..self.end.saturating_sub(1))
                        .unwrap_or_default();
                    match content::reference(name) {
                        Ok(letter) => content::append(letter, &mut self.scratch.text),
                        Err(rule) => return Err(self.refuse_inside(opening.name, rule)),
                    }
                }
                Token::Start(_) | Token::Empty(_) => {
                    let name = self.start as u32 + 1;
                    let rest = self.input.get(self.start + 1..self.end).unwrap_or_default();
                    let len = rest.iter().position(|byte| {
                        matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>')
                    });
                    let found = super::namespaces::slice(
                        self.input,
                        (name, name + len.unwrap_or(0) as u32),
                    );
                    let rule = Rule::UnexpectedElement {
                        found: String::from_utf8_lossy(super::names::local(found)).into_owned(),
                        expected: "text".to_owned(),
                    };
                    return Err(self.refuse_inside(opening.name, rule));
                }
                Token::Eof => return Err(self.malformed("the document ends inside an element")),
            }
            token = self.next()?;
        }
        self.check_end_tag(opening.name)?;
        self.check_pieces(ty, opening)?;
        self.finish_leaf(ty, opening, (first.0, self.start as u32), true);
        Ok(())
    }

    /// Appends text to the scratch; says whether it reads otherwise than it stands.
    fn append_text(&mut self, opening: Opening, span: Span) -> Result<bool, Fail> {
        let text = super::namespaces::slice(self.input, span);
        let scan = match content::scan_text(text) {
            Ok(scan) => scan,
            Err(rule) => return Err(self.refuse_inside(opening.name, rule)),
        };
        content::append_lines(text, &mut self.scratch.text);
        Ok(scan.has_carriage_return)
    }

    /// Checks the text gathered in the scratch.
    fn check_pieces(&mut self, ty: TextType, opening: Opening) -> Result<(), Fail> {
        let text = self.scratch.text.as_slice();
        if self.mode == Mode::National && !national::accepts_text(text, ty.collapses_blanks()) {
            return Err(self.refuse_inside(opening.name, Rule::CharacterSet));
        }
        let is_declared = ty.needed_prefix(text).is_none_or(|prefix| {
            self.scratch
                .namespaces
                .prefixed(self.input, prefix)
                .is_some()
        });
        if !is_declared || !ty.accepts(text) {
            let rule = ty.breach(text);
            return Err(self.refuse_inside(opening.name, rule));
        }
        Ok(())
    }

    /// Notes a checked leaf and leaves it.
    #[inline]
    fn finish_leaf(&mut self, ty: TextType, opening: Opening, text: Span, has_escapes: bool) {
        let slot = self.plan.slot(opening.node);
        if slot != NO_SLOT {
            let is_trimmed = ty.collapses_blanks();
            let content = if is_trimmed { self.trimmed(text) } else { text };
            let element = (opening.tag as u32, self.end as u32);
            self.fill(
                slot,
                Slot {
                    element,
                    content,
                    has_escapes,
                    is_trimmed,
                    ..Slot::default()
                },
            );
        }
        self.leave(opening.mark);
    }

    fn trimmed(&self, (start, end): Span) -> Span {
        let text = super::namespaces::slice(self.input, (start, end));
        let leading = text
            .iter()
            .take_while(|&&byte| crate::simple::is_blank(byte))
            .count();
        let trailing = text
            .iter()
            .rev()
            .take_while(|&&byte| crate::simple::is_blank(byte))
            .count();
        if leading == text.len() {
            return (start, start);
        }
        (start + leading as u32, end - trailing as u32)
    }
}
