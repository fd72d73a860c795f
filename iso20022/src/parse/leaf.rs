//! Elements that hold text: reading the text up to the end tag and checking it against the simple type.

use super::element::Opening;
use super::machine::{Fail, Machine};
use super::namespaces::{Span, slice};
use super::scanner::Token;
use super::{Mode, content, names, national};
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

    /// Whether the type alone decides, without the prefixes in scope.
    #[inline]
    fn needs_no_scope(self) -> bool {
        matches!(self, TextType::Declared(_))
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
        let inner = self.scanner.end as u32;
        let name = opening.tag.name;
        if opening.tag.is_empty {
            if !ty.accepts(b"") {
                return Err(self.refuse_inside(name, ty.breach(b"")));
            }
            self.finish_leaf(ty, opening, (inner, inner), false);
            return Ok(());
        }
        let seen = self.scanner.text();
        let text = (inner, self.scanner.end as u32);
        let value = self.scanner.piece();
        if !self.scanner.closes(name.0, (name.1 - name.0) as usize) {
            return self.pieced_leaf(ty, opening, text);
        }
        let is_proven = ty.proves_characters()
            || (ty.needs_no_scope()
                && seen.is_plain
                && (seen.is_ascii
                    || self.mode == Mode::SchemaOnly
                    || national::accepts(value, false)));
        if !is_proven || !ty.accepts(value) {
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

    /// A leaf whose text is broken by references, comments or CDATA sections, or whose end tag is not written the usual way.
    #[cold]
    fn pieced_leaf(&mut self, ty: TextType, opening: Opening, first: Span) -> Result<(), Fail> {
        let name = opening.tag.name;
        self.scratch.text.clear();
        let mut has_escapes = self.append_text(opening, first)?;
        loop {
            match self.next()? {
                Token::End => break,
                Token::Text => {
                    self.append_text(
                        opening,
                        (self.scanner.start as u32, self.scanner.end as u32),
                    )?;
                }
                Token::Comment => {}
                Token::Cdata => content::append_lines(self.cdata(), &mut self.scratch.text),
                Token::Reference => match self.referred() {
                    Ok(letter) => content::append(letter, &mut self.scratch.text),
                    Err(rule) => return Err(self.refuse_inside(name, rule)),
                },
                Token::Tag(child) => {
                    let start = self.scanner.start as u32 + 1;
                    let found = names::local(slice(self.input, (start, start + child.len)));
                    let found = String::from_utf8_lossy(found).into_owned();
                    let rule = Rule::UnexpectedElement {
                        found,
                        expected: "text".to_owned(),
                    };
                    return Err(self.refuse_inside(name, rule));
                }
                _ => return Err(self.malformed("the document ends inside an element")),
            }
            has_escapes = true;
        }
        let text = (first.0, self.scanner.start as u32);
        self.finish_end_tag(name)?;
        self.check_pieces(ty, opening)?;
        self.finish_leaf(ty, opening, text, has_escapes);
        Ok(())
    }

    /// Appends text to the scratch; says whether it reads otherwise than it stands.
    fn append_text(&mut self, opening: Opening, span: Span) -> Result<bool, Fail> {
        let text = slice(self.input, span);
        let scan =
            content::scan_text(text).map_err(|rule| self.refuse_inside(opening.tag.name, rule))?;
        content::append_lines(text, &mut self.scratch.text);
        Ok(scan.has_carriage_return)
    }

    /// Checks the text gathered in the scratch.
    fn check_pieces(&mut self, ty: TextType, opening: Opening) -> Result<(), Fail> {
        let name = opening.tag.name;
        let text = self.scratch.text.as_slice();
        if self.mode == Mode::National && !national::accepts(text, ty.collapses_blanks()) {
            return Err(self.refuse_inside(name, Rule::CharacterSet));
        }
        let is_declared = ty.needed_prefix(text).is_none_or(|prefix| {
            self.scratch
                .namespaces
                .prefixed(self.input, prefix)
                .is_some()
        });
        if !is_declared || !ty.accepts(text) {
            return Err(self.refuse_inside(name, ty.breach(text)));
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
            let element = (opening.tag.at, self.scanner.end as u32);
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
        self.leave(opening.tag.mark);
    }

    fn trimmed(&self, (start, end): Span) -> Span {
        let text = slice(self.input, (start, end));
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
