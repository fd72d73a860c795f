//! Elements whose type the schema declares: the content model, the attributes, the captures.

use super::attributes::Attribute;
use super::machine::{Content, Fail, Frame, Machine, Tag};
use super::namespaces::{Namespace, Span, slice};
use super::scanner::TagName;
use super::{Mode, content, national};
use crate::capture::{NO_NODE, NO_SLOT, Slot};
use crate::limits::OCCURRENCES_MAX;
use crate::refusal::Rule;
use crate::schema::{
    Attribute as DeclaredAttribute, ComplexType, Model, Particle, TypeRef, name_key,
};
use crate::simple::SimpleType;

/// An element on its way to being opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    pub tag: Tag,
    /// Captures: its node.
    pub node: u16,
    /// Whether the element is declared by the schema, and not only given a type by `xsi:type`.
    pub is_declared: bool,
}

impl Machine<'_, '_> {
    /// A child of an element of type `ty`.
    #[inline]
    pub(super) fn typed_child(
        &mut self,
        ty: &'static ComplexType,
        name: TagName,
    ) -> Result<(), Fail> {
        let tag = self.open_tag(name)?;
        if let Model::Any(wildcard) = ty.model {
            return self.wildcard_child(wildcard, tag);
        }
        let expected = match self.scratch.frames.last_mut() {
            Some(frame) if self.default_is_target => {
                step(ty, frame, name.key, slice(self.input, tag.name))
            }
            _ => None,
        };
        let position = match expected {
            Some(position) => position,
            None => self.resolved_position(ty, tag.name)?,
        };
        let Some(particle) = ty.particles.get(position) else {
            return Err(self.malformed("element name"));
        };
        let parent = self
            .scratch
            .frames
            .last()
            .map_or(NO_NODE, |frame| frame.node);
        let node = self.plan.child(parent, position);
        self.open_declared(particle.ty, tag, node)
    }

    /// Opens an element that the schema declares.
    #[inline]
    pub(super) fn open_declared(&mut self, ty: TypeRef, tag: Tag, node: u16) -> Result<(), Fail> {
        self.open(
            ty,
            Opening {
                tag,
                node,
                is_declared: true,
            },
        )
    }

    /// The position of the particle that a child stands for whose namespace is still to be resolved.
    fn resolved_position(&mut self, ty: &'static ComplexType, name: Span) -> Result<usize, Fail> {
        let (resolved, local) = self.resolve_name(name)?;
        let is_target = match (self.message, resolved.namespace) {
            (Some(target), Namespace::Message(message)) => target == message,
            _ => false,
        };
        // Without a prefix in a default target namespace the name has been tried already.
        let is_tried = self.default_is_target && local.len() == slice(self.input, name).len();
        if is_target
            && !is_tried
            && let Some(frame) = self.scratch.frames.last_mut()
            && let Some(position) = step(ty, frame, name_key(local), local)
        {
            return Ok(position);
        }
        Err(self.unexpected(ty, name))
    }

    #[cold]
    fn unexpected(&self, ty: &'static ComplexType, name: Span) -> Fail {
        let (particle, count) = self
            .scratch
            .frames
            .last()
            .map_or((0, 0), |frame| (frame.particle, frame.count));
        let found =
            String::from_utf8_lossy(super::names::local(slice(self.input, name))).into_owned();
        self.refuse_inside(
            name,
            Rule::UnexpectedElement {
                found,
                expected: expected_names(ty, particle, count),
            },
        )
    }

    /// Opens an element of type `ty`.
    #[inline]
    pub(super) fn open(&mut self, ty: TypeRef, opening: Opening) -> Result<(), Fail> {
        match ty {
            TypeRef::Simple(simple) => {
                if opening.tag.has_attributes {
                    self.check_attributes(&[], ty, opening)?;
                }
                self.leaf(simple.into(), opening)
            }
            TypeRef::Attributed(attributed) => {
                self.check_attributes(attributed.attributes, ty, opening)?;
                self.leaf(attributed.content.into(), opening)
            }
            TypeRef::Complex(complex) => {
                if opening.tag.has_attributes {
                    self.check_attributes(&[], ty, opening)?;
                }
                let slot = self.plan.slot(opening.node);
                if opening.tag.is_empty {
                    return self.empty(complex, opening.tag, slot);
                }
                self.push(Content::Typed(complex), opening.tag, opening.node, slot);
                Ok(())
            }
        }
    }

    fn empty(&mut self, ty: &'static ComplexType, tag: Tag, slot: u16) -> Result<(), Fail> {
        if !ty.is_complete(0, 0) {
            let expected = expected_names(ty, 0, 0);
            return Err(self.refuse_inside(tag.name, Rule::MissingElement { expected }));
        }
        let end = self.scanner.end as u32;
        self.record(slot, (tag.at, end), (end, end));
        self.leave(tag.mark);
        Ok(())
    }

    /// Checks the attributes of an element of type `ty`, which declares `declared`.
    fn check_attributes(
        &mut self,
        declared: &'static [DeclaredAttribute],
        ty: TypeRef,
        opening: Opening,
    ) -> Result<(), Fail> {
        let count = self.attributes(opening.tag).len();
        let mut required = declared.iter().filter(|known| known.required).count();
        for i in 0..count {
            let Some(attribute) = self.attributes(opening.tag).get(i).copied() else {
                break;
            };
            if attribute.namespace == Namespace::Instance {
                self.check_instance_attribute(attribute, ty, opening)?;
                continue;
            }
            let local = slice(self.input, attribute.local);
            let known = declared
                .iter()
                .find(|known| attribute.is_bare() && known.name.as_bytes() == local);
            let Some(known) = known else {
                return Err(self.refuse_attribute(
                    opening.tag.name,
                    attribute,
                    Rule::UnexpectedAttribute,
                ));
            };
            if let Err(rule) =
                attribute_verdict(self.input, attribute, known.ty, &mut self.scratch.text)
            {
                return Err(self.refuse_attribute(opening.tag.name, attribute, rule));
            }
            // A name stands only once, so each of these is another one.
            required -= usize::from(known.required);
            let slot = self.plan.attribute_slot(opening.node, local);
            self.record_attribute(slot, attribute);
        }
        if required > 0 {
            return Err(self.missing_attribute(declared, opening.tag));
        }
        Ok(())
    }

    #[cold]
    fn missing_attribute(&self, declared: &'static [DeclaredAttribute], tag: Tag) -> Fail {
        let is_present = |name: &str| {
            let mut attributes = self.attributes(tag).iter();
            attributes.any(|attribute| {
                attribute.is_bare() && slice(self.input, attribute.local) == name.as_bytes()
            })
        };
        let missing = declared
            .iter()
            .find(|known| known.required && !is_present(known.name));
        self.refuse_inside(
            tag.name,
            Rule::MissingAttribute(missing.map_or("", |known| known.name)),
        )
    }

    /// An attribute in the namespace of schema instances (XML Schema part 1, §2.6).
    fn check_instance_attribute(
        &mut self,
        attribute: Attribute,
        ty: TypeRef,
        opening: Opening,
    ) -> Result<(), Fail> {
        let rule = match slice(self.input, attribute.local) {
            b"schemaLocation" | b"noNamespaceSchemaLocation" => return Ok(()),
            b"nil" | b"type" if !opening.is_declared => return Ok(()),
            b"nil" => Rule::Nil,
            b"type" => {
                // No type of the standard is derived from another that an element has, so only its own will do.
                if self
                    .instance_type(attribute)
                    .is_some_and(|named| named.is(ty))
                {
                    return Ok(());
                }
                Rule::XsiType
            }
            _ => Rule::UnexpectedAttribute,
        };
        Err(self.refuse_attribute(opening.tag.name, attribute, rule))
    }

    #[cold]
    pub(super) fn refuse_attribute(&self, name: Span, attribute: Attribute, rule: Rule) -> Fail {
        let mut refusal = self.refuse_named(Some(name), rule, attribute.value.0 as usize);
        refusal.path.push_str("/@");
        refusal
            .path
            .push_str(&String::from_utf8_lossy(slice(self.input, attribute.local)));
        refusal
    }

    /// Checks that an element of type `ty` may end here.
    #[inline]
    pub(super) fn check_complete(
        &self,
        ty: &'static ComplexType,
        frame: &Frame,
    ) -> Result<(), Fail> {
        if ty.is_complete(frame.particle, frame.count) {
            return Ok(());
        }
        let expected = expected_names(ty, frame.particle, frame.count);
        Err(self.refuse(Rule::MissingElement { expected }))
    }

    /// Text between elements; blanks alone do not come here, unless they are in pieces.
    #[cold]
    pub(super) fn text_between(&mut self) -> Result<(), Fail> {
        let text = self.scanner.piece();
        content::scan_text(text).map_err(|rule| self.refuse(rule))?;
        if self.mode == Mode::National && !national::accepts(text, true) {
            return Err(self.refuse(Rule::CharacterSet));
        }
        self.only_where_mixed(content::is_blank(text))
    }

    /// A CDATA section between elements; even one of blanks is no white space.
    #[cold]
    pub(super) fn cdata_between(&mut self) -> Result<(), Fail> {
        self.only_where_mixed(false)
    }

    /// A reference between elements; a blank is white space even when it is written so.
    #[cold]
    pub(super) fn reference_between(&mut self) -> Result<(), Fail> {
        let letter = self.referred().map_err(|rule| self.refuse(rule))?;
        let is_blank = matches!(letter, ' ' | '\t' | '\n' | '\r');
        if self.mode == Mode::National && !is_blank && !national::accepts_character(letter) {
            return Err(self.refuse(Rule::CharacterSet));
        }
        self.only_where_mixed(is_blank)
    }

    fn only_where_mixed(&self, is_blank: bool) -> Result<(), Fail> {
        match self.scratch.frames.last().map(|frame| frame.content) {
            Some(Content::Lax | Content::Skip) => Ok(()),
            _ if is_blank => Ok(()),
            _ => Err(self.refuse(Rule::UnexpectedText)),
        }
    }

    /// Notes an element in its slot.
    #[inline]
    pub(super) fn record(&mut self, slot: u16, element: Span, inner: Span) {
        if slot != NO_SLOT {
            self.fill(
                slot,
                Slot {
                    element,
                    content: inner,
                    ..Slot::default()
                },
            );
        }
    }

    fn record_attribute(&mut self, slot: u16, attribute: Attribute) {
        if slot != NO_SLOT {
            let found = Slot {
                element: attribute.value,
                content: attribute.value,
                has_escapes: attribute.has_escapes,
                is_attribute: true,
                ..Slot::default()
            };
            self.fill(slot, found);
        }
    }

    pub(super) fn fill(&mut self, slot: u16, found: Slot) {
        let limit = self.plan.slots + OCCURRENCES_MAX;
        let slots = self.slots();
        let end = slots.len();
        let Some(first) = slots.get_mut(usize::from(slot)) else {
            return;
        };
        if first.count == 0 {
            *first = Slot {
                count: 1,
                last: u32::from(slot),
                ..found
            };
            return;
        }
        first.count = first.count.saturating_add(1);
        if end >= limit {
            return;
        }
        let last = std::mem::replace(&mut first.last, end as u32);
        if let Some(last) = slots.get_mut(last as usize) {
            last.next = end as u32;
        }
        slots.push(Slot { count: 1, ..found });
    }
}

fn attribute_verdict(
    input: &[u8],
    attribute: Attribute,
    ty: &SimpleType,
    resolved: &mut Vec<u8>,
) -> Result<(), Rule> {
    let mut value = slice(input, attribute.value);
    if attribute.has_escapes {
        resolved.clear();
        content::append_value(value, resolved)?;
        value = resolved;
    }
    if ty.accepts(value) {
        Ok(())
    } else {
        Err(ty.breach(value))
    }
}

/// Moves `frame` to the particle that an element called `name` stands for and counts it; `None` if none may.
#[inline]
fn step(ty: &'static ComplexType, frame: &mut Frame, key: u64, name: &[u8]) -> Option<usize> {
    let mut position = frame.particle as usize;
    let mut count = frame.count;
    if ty.model == Model::Choice {
        if count == 0 {
            position = ty
                .particles
                .iter()
                .position(|particle| is_named(particle, key, name))?;
        } else if !is_named(ty.particles.get(position)?, key, name) {
            return None;
        }
    } else {
        while let Some(particle) = ty.particles.get(position) {
            if is_named(particle, key, name) {
                break;
            }
            if count < particle.min {
                return None;
            }
            position += 1;
            count = 0;
        }
    }
    if count >= ty.particles.get(position)?.max {
        return None;
    }
    frame.particle = position as u32;
    frame.count = count + 1;
    Some(position)
}

#[inline]
fn is_named(particle: &Particle, key: u64, name: &[u8]) -> bool {
    let wanted = particle.name.as_bytes();
    particle.key == key && wanted.len() == name.len() && (name.len() <= 8 || wanted == name)
}

/// The names that could stand after `count` of the particle at `position`.
fn expected_names(ty: &ComplexType, position: u32, count: u32) -> String {
    let mut names: Vec<&str> = Vec::new();
    match ty.model {
        Model::Any(wildcard) => {
            return match (count, wildcard.namespace) {
                (0, None) => "any element".to_owned(),
                (0, Some(namespace)) => format!("an element of {namespace}"),
                _ => "the end".to_owned(),
            };
        }
        Model::Choice if count == 0 => {
            names.extend(ty.particles.iter().map(|particle| particle.name))
        }
        Model::Choice => {
            let chosen = ty.particles.get(position as usize);
            names.extend(
                chosen
                    .filter(|particle| count < particle.max)
                    .map(|particle| particle.name),
            );
        }
        Model::Sequence => {
            let mut count = count;
            for particle in ty.particles.iter().skip(position as usize) {
                if count < particle.max {
                    names.push(particle.name);
                }
                if count < particle.min {
                    break;
                }
                count = 0;
            }
        }
    }
    if names.is_empty() {
        "the end".to_owned()
    } else {
        names.join("|")
    }
}
