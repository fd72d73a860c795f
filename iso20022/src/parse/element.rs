//! Elements whose type the schema declares: the content model, the attributes, the captures.

use super::content;
use super::machine::{Content, Fail, Frame, Machine};
use super::namespaces::{Namespace, Span, slice};
use super::national;
use super::{Mode, attributes::Attribute};
use crate::limits::OCCURRENCES_MAX;
use crate::capture::{NO_NODE, NO_SLOT, ROOT_NODE, Slot};
use crate::message::MessageType;
use crate::refusal::Rule;
use crate::schema::{AttributedType, ComplexType, Model, Particle, TypeRef, name_key};

/// A start tag on its way to becoming an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    pub tag: usize,
    pub name: Span,
    /// Declarations in scope around the element.
    pub mark: usize,
    pub is_empty: bool,
    /// Whether there is anything in the tag but the name.
    pub has_attributes: bool,
    /// Whether the element is declared by the schema, and not only given a type by `xsi:type`.
    pub is_declared: bool,
    pub node: u16,
}

impl Machine<'_, '_> {
    /// The root element of a part.
    pub(super) fn part_root(
        &mut self,
        message: MessageType,
        tag: usize,
        name: Span,
        mark: usize,
        is_empty: bool,
    ) -> Result<(), Fail> {
        let opening = Opening {
            tag,
            name,
            mark,
            is_empty,
            has_attributes: true,
            is_declared: true,
            node: ROOT_NODE,
        };
        self.open(message.table().root.ty, opening)?;
        if is_empty {
            self.end_part((tag as u32, self.end as u32));
        }
        Ok(())
    }

    /// A child of an element of type `ty`.
    #[inline]
    pub(super) fn typed_child(
        &mut self,
        ty: &'static ComplexType,
        name_len: usize,
        is_empty: bool,
    ) -> Result<(), Fail> {
        let (tag, name, mark) = self.open_tag(name_len)?;
        let has_attributes = self.read_attributes(name, is_empty)?;
        if let Model::Any(wildcard) = ty.model {
            return self.wildcard_child(wildcard, tag, name, mark, is_empty);
        }
        let position = match self.expected(ty, slice(self.input, name)) {
            Some(position) if self.default_is_target => position,
            _ => self.resolved_position(ty, name)?,
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
        let opening = Opening {
            tag,
            name,
            mark,
            is_empty,
            has_attributes,
            is_declared: true,
            node,
        };
        self.open(particle.ty, opening)
    }

    /// The position of the particle that a child called `name` stands for, noted in the frame. `name` is in the target namespace.
    #[inline]
    fn expected(&mut self, ty: &'static ComplexType, name: &[u8]) -> Option<usize> {
        if !self.default_is_target {
            return None;
        }
        let frame = self.scratch.frames.last_mut()?;
        step(ty, frame, name)
    }

    /// The same for a name that needs its namespace resolved first.
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
            && let Some(position) = step(ty, frame, local)
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
                if opening.has_attributes {
                    self.check_attributes(None, ty, opening)?;
                }
                self.leaf(simple.into(), opening)
            }
            TypeRef::Attributed(attributed) => {
                self.check_attributes(Some(attributed), ty, opening)?;
                self.leaf(attributed.content.into(), opening)
            }
            TypeRef::Complex(complex) => {
                if opening.has_attributes {
                    self.check_attributes(None, ty, opening)?;
                }
                let slot = self.plan.slot(opening.node);
                if opening.is_empty {
                    return self.empty(complex, opening, slot);
                }
                self.push(
                    Content::Typed(complex),
                    opening.tag,
                    opening.name,
                    opening.mark,
                    opening.node,
                    slot,
                );
                Ok(())
            }
        }
    }

    fn empty(&mut self, ty: &'static ComplexType, opening: Opening, slot: u16) -> Result<(), Fail> {
        if !is_complete(ty, 0, 0) {
            let rule = Rule::MissingElement {
                expected: expected_names(ty, 0, 0),
            };
            return Err(self.refuse_inside(opening.name, rule));
        }
        let end = self.end as u32;
        self.record(slot, (opening.tag as u32, end), (end, end));
        self.leave(opening.mark);
        Ok(())
    }

    /// Checks the attributes of an element of type `ty`, `attributed` when that declares any.
    fn check_attributes(
        &mut self,
        attributed: Option<&'static AttributedType>,
        ty: TypeRef,
        opening: Opening,
    ) -> Result<(), Fail> {
        let declared = attributed.map_or(&[][..], |attributed| attributed.attributes);
        for i in 0..self.scratch.attributes.len() {
            let Some(attribute) = self.scratch.attributes.get(i).copied() else {
                break;
            };
            if attribute.namespace == Namespace::Instance {
                self.check_instance_attribute(attribute, ty, opening)?;
                continue;
            }
            let local = slice(self.input, attribute.local);
            let is_bare = attribute.prefix.0 == attribute.prefix.1;
            let Some(known) = declared
                .iter()
                .find(|known| is_bare && known.name.as_bytes() == local)
            else {
                return Err(self.refuse_attribute(
                    opening.name,
                    attribute,
                    Rule::UnexpectedAttribute,
                ));
            };
            let mut resolved = std::mem::take(&mut self.scratch.text);
            let verdict = attribute_verdict(self.input, attribute, known.ty, &mut resolved);
            self.scratch.text = resolved;
            if let Err(rule) = verdict {
                return Err(self.refuse_attribute(opening.name, attribute, rule));
            }
            let slot = self.plan.attribute_slot(opening.node, local);
            self.record_attribute(slot, attribute);
        }
        for known in declared.iter().filter(|known| known.required) {
            let is_present = self.scratch.attributes.iter().any(|attribute| {
                attribute.prefix.0 == attribute.prefix.1
                    && slice(self.input, attribute.local) == known.name.as_bytes()
            });
            if !is_present {
                return Err(self.refuse_inside(opening.name, Rule::MissingAttribute(known.name)));
            }
        }
        Ok(())
    }

    /// An attribute in the namespace of schema instances (XML Schema part 1, §2.6).
    fn check_instance_attribute(
        &mut self,
        attribute: Attribute,
        ty: TypeRef,
        opening: Opening,
    ) -> Result<(), Fail> {
        match slice(self.input, attribute.local) {
            b"schemaLocation" | b"noNamespaceSchemaLocation" => Ok(()),
            b"nil" if opening.is_declared => {
                Err(self.refuse_attribute(opening.name, attribute, Rule::Nil))
            }
            b"nil" => Ok(()),
            b"type" if opening.is_declared => {
                // No type of the standard is derived from another that an element has, so only its own will do.
                if self
                    .instance_type(attribute)
                    .is_some_and(|named| named.is(ty))
                {
                    return Ok(());
                }
                Err(self.refuse_attribute(opening.name, attribute, Rule::XsiType))
            }
            b"type" => Ok(()),
            _ => Err(self.refuse_attribute(opening.name, attribute, Rule::UnexpectedAttribute)),
        }
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
        particle: u32,
        count: u32,
    ) -> Result<(), Fail> {
        if is_complete(ty, particle, count) {
            return Ok(());
        }
        Err(self.refuse(Rule::MissingElement {
            expected: expected_names(ty, particle, count),
        }))
    }

    /// Text between elements.
    #[inline]
    pub(super) fn text_between(&mut self) -> Result<(), Fail> {
        let text = self.text();
        if content::is_blank(text) {
            return Ok(());
        }
        self.odd_text_between(text)
    }

    #[cold]
    fn odd_text_between(&mut self, text: &[u8]) -> Result<(), Fail> {
        if let Err(rule) = content::scan_text(text) {
            return Err(self.refuse(rule));
        }
        if self.mode == Mode::National && !national::accepts_spaced(text) {
            return Err(self.refuse(Rule::CharacterSet));
        }
        self.only_where_mixed()
    }

    #[cold]
    pub(super) fn cdata_between(&mut self) -> Result<(), Fail> {
        let text = self
            .input
            .get(self.start + 9..self.end.saturating_sub(3))
            .unwrap_or_default();
        if let Err(rule) = content::scan(text) {
            return Err(self.refuse(rule));
        }
        self.only_where_mixed()
    }

    #[cold]
    pub(super) fn reference_between(&mut self) -> Result<(), Fail> {
        let name = self
            .input
            .get(self.start + 1..self.end.saturating_sub(1))
            .unwrap_or_default();
        match content::reference(name) {
            Err(rule) => Err(self.refuse(rule)),
            // A blank is white space even when it is written as a reference.
            Ok(' ' | '\t' | '\n' | '\r') => Ok(()),
            Ok(letter) => {
                if self.mode == Mode::National && !national::accepts_character(letter) {
                    return Err(self.refuse(Rule::CharacterSet));
                }
                self.only_where_mixed()
            }
        }
    }

    fn only_where_mixed(&self) -> Result<(), Fail> {
        match self.scratch.frames.last().map(|frame| frame.content) {
            Some(Content::Lax | Content::Skip) => Ok(()),
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
        let Some(first) = slots.get_mut(usize::from(slot)) else { return };
        if first.count == 0 {
            *first = Slot { count: 1, last: u32::from(slot), ..found };
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
    ty: &crate::simple::SimpleType,
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
fn step(ty: &'static ComplexType, frame: &mut Frame, name: &[u8]) -> Option<usize> {
    let key = name_key(name);
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
    particle.key == key && particle.name.as_bytes() == name
}

/// Whether an element of type `ty` may end after `count` of the particle at `position`.
#[inline]
fn is_complete(ty: &ComplexType, position: u32, count: u32) -> bool {
    let rest = ty.particles.get(position as usize..).unwrap_or_default();
    match ty.model {
        Model::Sequence => match rest {
            [] => true,
            [current, later @ ..] => {
                count >= current.min && later.iter().all(|particle| particle.min == 0)
            }
        },
        Model::Choice if count == 0 => ty.particles.iter().any(|particle| particle.min == 0),
        Model::Choice => rest.first().is_some_and(|particle| count >= particle.min),
        Model::Any(_) => count == 1,
    }
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
