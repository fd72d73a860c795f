//! Elements below an `xs:any`.
//!
//! libxml2: an element below a lax wildcard is validated when it is the global element of the schema, or when `xsi:type` names a
//! type of the schema or of XML Schema itself; everything else need only be well-formed, down to the next such element.

use super::attributes::Attribute;
use super::content;
use super::element::Opening;
use super::leaf::TextType;
use super::machine::{Content, Fail, Machine, Tag};
use super::namespaces::{Namespace, Resolved, slice};
use super::scanner::TagName;
use crate::capture::NO_NODE;
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
    pub(super) fn wildcard_child(&mut self, wildcard: Wildcard, tag: Tag) -> Result<(), Fail> {
        let (resolved, local) = self.resolve_name(tag.name)?;
        let is_first = match self.scratch.frames.last_mut() {
            Some(frame) => {
                frame.count = frame.count.saturating_add(1);
                frame.count == 1
            }
            None => false,
        };
        let is_allowed = wildcard.namespace.is_none_or(|namespace| {
            self.scratch
                .namespaces
                .is_called(self.input, resolved.namespace, namespace)
        });
        if !is_allowed || !is_first {
            let expected = match wildcard.namespace {
                _ if !is_first => "the end".to_owned(),
                Some(namespace) => format!("an element of {namespace}"),
                None => "any element".to_owned(),
            };
            let found = String::from_utf8_lossy(local).into_owned();
            return Err(self.refuse_inside(tag.name, Rule::UnexpectedElement { found, expected }));
        }
        let opening = self.wild_opening(tag, local);
        match wildcard.process {
            Process::Skip => self.open_freely(Content::Skip, opening),
            Process::Lax => self.assess(resolved, local, false, opening),
            Process::Strict => self.assess(resolved, local, true, opening),
        }
    }

    /// A child of an element that is not in the schema.
    pub(super) fn lax_child(&mut self, name: TagName) -> Result<(), Fail> {
        let tag = self.open_tag(name)?;
        let (resolved, local) = self.resolve_name(tag.name)?;
        let opening = self.wild_opening(tag, local);
        self.assess(resolved, local, false, opening)
    }

    /// A child of an element that nobody looks at.
    pub(super) fn skipped_child(&mut self, name: TagName) -> Result<(), Fail> {
        let tag = self.open_tag(name)?;
        let (_, local) = self.resolve_name(tag.name)?;
        let opening = self.wild_opening(tag, local);
        self.open_freely(Content::Skip, opening)
    }

    fn wild_opening(&self, tag: Tag, local: &[u8]) -> Opening {
        let parent = self
            .scratch
            .frames
            .last()
            .map_or(NO_NODE, |frame| frame.node);
        let node = self.plan.open_child(parent, local);
        Opening {
            tag,
            node,
            is_declared: false,
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
            return self.open_declared(message.table().root.ty, opening.tag, opening.node);
        }
        if is_strict {
            return Err(self.refuse_inside(opening.tag.name, Rule::UndeclaredElement));
        }
        let named = self
            .attributes(opening.tag)
            .iter()
            .copied()
            .find(|attribute| {
                attribute.namespace == Namespace::Instance
                    && slice(self.input, attribute.local) == b"type"
            });
        let Some(attribute) = named else {
            return self.open_freely(Content::Lax, opening);
        };
        match self.instance_type(attribute) {
            Some(NamedType::Declared(ty)) => self.open(ty, opening),
            Some(NamedType::Builtin(builtin)) => {
                self.only_instance_attributes(opening.tag)?;
                self.leaf(TextType::Builtin(builtin), opening)
            }
            Some(NamedType::Any) => self.open_freely(Content::Lax, opening),
            None => Err(self.refuse_attribute(opening.tag.name, attribute, Rule::XsiType)),
        }
    }

    fn open_freely(&mut self, content: Content, opening: Opening) -> Result<(), Fail> {
        let tag = opening.tag;
        let slot = self.plan.slot(opening.node);
        if !tag.is_empty {
            self.push(content, tag, opening.node, slot);
            return Ok(());
        }
        let end = self.scanner.end as u32;
        self.record(slot, (tag.at, end), (end, end));
        self.leave(tag.mark);
        Ok(())
    }

    fn only_instance_attributes(&self, tag: Tag) -> Result<(), Fail> {
        for attribute in self.attributes(tag) {
            let is_known = matches!(
                slice(self.input, attribute.local),
                b"type" | b"nil" | b"schemaLocation" | b"noNamespaceSchemaLocation"
            );
            if attribute.namespace != Namespace::Instance || !is_known {
                return Err(self.refuse_attribute(tag.name, *attribute, Rule::UnexpectedAttribute));
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
