//! The shape of the tables that `cargo xtask codegen` derives from the ISO 20022 XSDs.
//!
//! The generated files under `generated/` hold nothing but statics of these types; the parser in `parse/` reads them while it
//! walks a document. An ISO 20022 XSD uses a narrow part of XML Schema, and the tables hold exactly that part: a complex type is
//! one flat sequence or one flat choice of element particles, or a lone `xs:any`, or simple content with attributes. The
//! generator refuses an XSD that uses anything else, so a table never means less than its XSD says.

use crate::simple::SimpleType;

pub use crate::generated::MessageKind;

/// One version of one message: its identity and its root element.
#[derive(Debug)]
pub struct MessageTable {
    /// Message identifier, such as `pacs.008.001.10`.
    pub identifier: &'static str,
    /// Target namespace of the XSD.
    pub namespace: &'static str,
    /// The message definition this is a version of.
    pub kind: MessageKind,
    /// The single global element: `Document`, or `AppHdr` for the business application header.
    pub root: Particle,
    /// Every named type of the XSD, ordered by name: what `xsi:type` may point at.
    pub types: &'static [TypeRef],
    /// File name of the XSD.
    pub source: &'static str,
    /// BLAKE3 of the XSD file, in hexadecimal.
    pub digest: &'static str,
}

/// A complex type: an ordered or an exclusive list of child elements.
#[derive(Debug)]
pub struct ComplexType {
    /// Name of the type in the XSD.
    pub name: &'static str,
    /// How the particles combine.
    pub model: Model,
    /// The child elements, in the order of the XSD; empty for [`Model::Any`].
    pub particles: &'static [Particle],
    /// How many particles must be behind before an element may end.
    required: u32,
}

impl ComplexType {
    /// `xs:sequence`.
    pub(crate) const fn sequence(
        name: &'static str,
        particles: &'static [Particle],
    ) -> ComplexType {
        let mut required = particles.len();
        while required > 0 && particles[required - 1].min == 0 {
            required -= 1;
        }
        ComplexType {
            name,
            model: Model::Sequence,
            particles,
            required: required as u32,
        }
    }

    /// `xs:choice`.
    pub(crate) const fn choice(name: &'static str, particles: &'static [Particle]) -> ComplexType {
        let mut required = 1;
        let mut i = 0;
        while i < particles.len() {
            if particles[i].min == 0 {
                required = 0;
            }
            i += 1;
        }
        ComplexType {
            name,
            model: Model::Choice,
            particles,
            required,
        }
    }

    /// A lone `xs:any`.
    pub(crate) const fn any(name: &'static str, wildcard: Wildcard) -> ComplexType {
        ComplexType {
            name,
            model: Model::Any(wildcard),
            particles: &[],
            required: 1,
        }
    }

    /// Whether an element of the type may end after `count` occurrences of the particle at `position`, the first if it has no
    /// children yet.
    #[inline]
    pub(crate) fn is_complete(&self, position: u32, count: u32) -> bool {
        match self.model {
            Model::Sequence => match self.particles.get(position as usize) {
                Some(particle) => count >= particle.min && position + 1 >= self.required,
                None => true,
            },
            Model::Choice if count == 0 => self.required == 0,
            Model::Choice => self
                .particles
                .get(position as usize)
                .is_some_and(|particle| count >= particle.min),
            Model::Any(_) => count == 1,
        }
    }
}

/// How the particles of a complex type combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// `xs:sequence`: each particle in turn, within its own occurrence bounds.
    Sequence,
    /// `xs:choice`: exactly one of the particles, within its own occurrence bounds.
    Choice,
    /// `xs:any`: exactly one element of the given namespace.
    Any(Wildcard),
}

/// An `xs:any` with `minOccurs` and `maxOccurs` of 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wildcard {
    /// The one namespace allowed, or `None` for `##any`.
    pub namespace: Option<&'static str>,
    /// What is to be done with the element found.
    pub process: Process,
}

/// `processContents` of a wildcard (XML Schema 1.0 part 1, §3.10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// The element must be a global element of the schema.
    Strict,
    /// The element is validated if it is a global element or names its type with `xsi:type`; otherwise only well-formedness counts.
    Lax,
    /// Only well-formedness counts, all the way down.
    Skip,
}

/// One child element of a complex type.
#[derive(Debug, Clone, Copy)]
pub struct Particle {
    /// First eight bytes of the name, little-endian, padded with zeros: what the parser compares first.
    pub(crate) key: u64,
    /// Local name.
    pub name: &'static str,
    /// `minOccurs`.
    pub min: u32,
    /// `maxOccurs`; [`UNBOUNDED`] for `unbounded`.
    pub max: u32,
    /// Type of the element.
    pub ty: TypeRef,
}

/// `maxOccurs="unbounded"`.
pub const UNBOUNDED: u32 = u32::MAX;

/// A reference to the type of an element.
#[derive(Debug, Clone, Copy)]
pub enum TypeRef {
    /// Element content.
    Complex(&'static ComplexType),
    /// Text content, no attributes.
    Simple(&'static SimpleType),
    /// Text content with attributes: the amounts with their currency.
    Attributed(&'static AttributedType),
}

/// `xs:simpleContent`: a simple type with attributes.
#[derive(Debug)]
pub struct AttributedType {
    /// Name of the type in the XSD.
    pub name: &'static str,
    /// Type of the text.
    pub content: &'static SimpleType,
    /// The attributes, all without a namespace.
    pub attributes: &'static [Attribute],
}

/// One attribute of an [`AttributedType`].
#[derive(Debug)]
pub struct Attribute {
    /// Name.
    pub name: &'static str,
    /// Type of the value.
    pub ty: &'static SimpleType,
    /// Whether `use="required"`.
    pub required: bool,
}

impl TypeRef {
    /// Name of the type in the XSD.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complex(ty) => ty.name,
            Self::Simple(ty) => ty.name,
            Self::Attributed(ty) => ty.name,
        }
    }

    /// Whether both are the same type of the same generated table.
    pub fn is(self, other: TypeRef) -> bool {
        match (self, other) {
            (Self::Complex(a), Self::Complex(b)) => std::ptr::eq(a, b),
            (Self::Simple(a), Self::Simple(b)) => std::ptr::eq(a, b),
            (Self::Attributed(a), Self::Attributed(b)) => std::ptr::eq(a, b),
            _ => false,
        }
    }
}

impl Particle {
    /// An element that occurs from `min` to `max` times.
    pub const fn new(name: &'static str, min: u32, max: u32, ty: TypeRef) -> Particle {
        Particle {
            key: name_key(name.as_bytes()),
            name,
            min,
            max,
            ty,
        }
    }
}

/// A mandatory element, exactly once.
pub(crate) const fn one(name: &'static str, ty: TypeRef) -> Particle {
    Particle::new(name, 1, 1, ty)
}

/// An optional element, at most once.
pub(crate) const fn opt(name: &'static str, ty: TypeRef) -> Particle {
    Particle::new(name, 0, 1, ty)
}

/// An element that may repeat.
pub(crate) const fn many(name: &'static str, min: u32, max: u32, ty: TypeRef) -> Particle {
    Particle::new(name, min, max, ty)
}

/// The first eight bytes of a name as one integer.
pub(crate) const fn name_key(name: &[u8]) -> u64 {
    let mut key = 0u64;
    let mut i = 0;
    while i < name.len() && i < 8 {
        key |= (name[i] as u64) << (8 * i);
        i += 1;
    }
    key
}
