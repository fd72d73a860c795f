//! Elements below an `xs:any`.
//!
//! libxml2: an element below a lax wildcard is validated when it is the global element of the schema, or when `xsi:type` names a
//! type of the schema or of XML Schema itself; everything else need only be well-formed, down to the next such element.

use super::attributes::Attribute;
use super::content;
use super::element::Opening;
use super::leaf::TextType;
use super::machine::{Content, Fail, Machine};
use super::namespaces::{Namespace, Resolved, Span, slice};
use crate::capture::{NO_NODE, NO_SLOT};
use crate::refusal::Rule;
use crate::schema::{Process, TypeRef, Wildcard};
use crate::simple::builtin::Builtin;

/// What `xsi:type` names.
#[derive(Debug, Clone, Copy)]
pub(super) enum NamedType {
    /// A type of the schema.
    Declared(TypeRef),
    /// A built-in simple type.
    Builtin(Builtin),
    /// `xs:anyType`.
    Any,
}

impl NamedType {
    pub(super) fn is(self, ty: TypeRef) -> bool {
        matches!(self, NamedType::Declared(named) if named.is(ty))
    }
}

impl Machine<'_, '_> {
    /// The child of an element whose type is a lone wildcard.
    pub(super) fn wildcard_child(
        &mut self,
        wildcard: Wildcard,
        tag: usize,
        name: Span,
        mark: usize,
        is_empty: bool,
    ) -> Result<(), Fail> {
        let (resolved, local) = self.resolve_name(name)?;
        let is_allowed = wildcard.namespace.is_none_or(|namespace| {
            self.scratch
                .namespaces
                .is_called(self.input, resolved.namespace, namespace)
        });
        let is_first = match self.scratch.frames.last_mut() {
            Some(frame) => {
                frame.count = frame.count.saturating_add(1);
                frame.count == 1
            }
            None => false,
        };
        if !is_allowed || !is_first {
            let expected = match wildcard.namespace {
                _ if !is_first => "the end".to_owned(),
                Some(namespace) => format!("an element of {namespace}"),
                None => "any element".to_owned(),
            };
            let found = String::from_utf8_lossy(local).into_owned();
            return Err(self.refuse_inside(name, Rule::UnexpectedElement { found, expected }));
        }
        let opening = self.wild_opening(tag, name, mark, is_empty, local);
        match wildcard.process {
            Process::Skip => self.open_freely(Content::Skip, opening),
            Process::Lax => self.assess(resolved, local, false, opening),
            Process::Strict => self.assess(resolved, local, true, opening),
        }
    }

    /// A child of an element that is not in the schema.
    pub(super) fn lax_child(&mut self, name_len: usize, is_empty: bool) -> Result<(), Fail> {
        let (tag, name, mark) = self.open_tag(name_len)?;
        self.read_attributes(name, is_empty)?;
        let (resolved, local) = self.resolve_name(name)?;
        let opening = self.wild_opening(tag, name, mark, is_empty, local);
        self.assess(resolved, local, false, opening)
    }

    /// A child of an element that nobody looks at.
    pub(super) fn skipped_child(&mut self, name_len: usize, is_empty: bool) -> Result<(), Fail> {
        let (tag, name, mark) = self.open_tag(name_len)?;
        self.read_attributes(name, is_empty)?;
        let (_, local) = self.resolve_name(name)?;
        let opening = self.wild_opening(tag, name, mark, is_empty, local);
        self.open_freely(Content::Skip, opening)
    }

    fn wild_opening(
        &self,
        tag: usize,
        name: Span,
        mark: usize,
        is_empty: bool,
        local: &[u8],
    ) -> Opening {
        let parent = self
            .scratch
            .frames
            .last()
            .map_or(NO_NODE, |frame| frame.node);
        let node = self.plan.open_child(parent, local);
        Opening {
            tag,
            name,
            mark,
            is_empty,
            has_attributes: true,
            is_declared: false,
            node,
        }
    }

    fn assess(
        &mut self,
        resolved: Resolved,
        local: &[u8],
        is_strict: bool,
        opening: Opening,
    ) -> Result<(), Fail> {
        if let (Some(target), Namespace::Message(message)) = (self.message, resolved.namespace)
            && target == message
            && message.root_element().as_bytes() == local
        {
            return self.open(
                message.table().root.ty,
                Opening {
                    is_declared: true,
                    ..opening
                },
            );
        }
        if is_strict {
            return Err(self.refuse_inside(opening.name, Rule::UndeclaredElement));
        }
        let named = self.scratch.attributes.iter().copied().find(|attribute| {
            attribute.namespace == Namespace::Instance
                && slice(self.input, attribute.local) == b"type"
        });
        let Some(attribute) = named else {
            return self.open_freely(Content::Lax, opening);
        };
        match self.instance_type(attribute) {
            Some(NamedType::Declared(ty)) => self.open(ty, opening),
            Some(NamedType::Builtin(builtin)) => {
                self.only_instance_attributes(opening)?;
                self.leaf(TextType::Builtin(builtin), opening)
            }
            Some(NamedType::Any) => self.open_freely(Content::Lax, opening),
            None => Err(self.refuse_attribute(opening.name, attribute, Rule::XsiType)),
        }
    }

    fn open_freely(&mut self, content: Content, opening: Opening) -> Result<(), Fail> {
        let slot = self.plan.slot(opening.node);
        if opening.is_empty {
            let end = self.end as u32;
            self.record(slot, (opening.tag as u32, end), (end, end));
            self.leave(opening.mark);
            return Ok(());
        }
        self.push(
            content,
            opening.tag,
            opening.name,
            opening.mark,
            opening.node,
            slot,
        );
        if slot != NO_SLOT
            && let Some(frame) = self.scratch.frames.last_mut()
        {
            frame.slot = slot;
        }
        Ok(())
    }

    fn only_instance_attributes(&self, opening: Opening) -> Result<(), Fail> {
        for attribute in &self.scratch.attributes {
            let is_known = matches!(
                slice(self.input, attribute.local),
                b"type" | b"nil" | b"schemaLocation" | b"noNamespaceSchemaLocation"
            );
            if attribute.namespace != Namespace::Instance || !is_known {
                return Err(self.refuse_attribute(
                    opening.name,
                    *attribute,
                    Rule::UnexpectedAttribute,
                ));
            }
        }
        Ok(())
    }

    /// The type that the value of an `xsi:type` names.
    pub(super) fn instance_type(&mut self, attribute: Attribute) -> Option<NamedType> {
        let mut value = Vec::new();
        content::append_value(slice(self.input, attribute.value), &mut value).ok()?;
        let colon = value.iter().position(|&byte| byte == b':');
        let (resolved, local) = match colon {
            Some(colon) => {
                let resolved = self
                    .scratch
                    .namespaces
                    .prefixed(self.input, value.get(..colon)?)?;
                (resolved, value.get(colon + 1..)?)
            }
            None => (self.scratch.namespaces.default(), value.as_slice()),
        };
        self.note_use(resolved);
        match resolved.namespace {
            Namespace::Schema if local == b"anyType" => Some(NamedType::Any),
            Namespace::Schema => Builtin::from_name(local).map(NamedType::Builtin),
            Namespace::Message(message) if self.message == Some(message) => message
                .table()
                .types
                .iter()
                .find(|ty| ty.name().as_bytes() == local)
                .map(|ty| NamedType::Declared(*ty)),
            _ => None,
        }
    }
}
