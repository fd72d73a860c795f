//! Namespace declarations in scope, resolved without a table of strings: a declaration is a pair of byte ranges.
//!
//! libxml2: declarations that Namespaces in XML forbids (an empty namespace for a prefix, another prefix for the XML namespace …) are
//! reported and then left out, not refused.

use super::content;
use crate::limits::NAMESPACES_MAX;
use crate::message::MessageType;
use crate::refusal::Rule;

/// A namespace, as far as the parser tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    /// No namespace.
    Absent,
    /// The target namespace of a known message.
    Message(MessageType),
    /// `http://www.w3.org/2001/XMLSchema-instance`
    Instance,
    /// `http://www.w3.org/2001/XMLSchema`
    Schema,
    /// `http://www.w3.org/XML/1998/namespace`
    Xml,
    /// Any other, by the number of its declaration.
    Other(usize),
}

const XML: &[u8] = b"http://www.w3.org/XML/1998/namespace";
const XMLNS: &[u8] = b"http://www.w3.org/2000/xmlns/";
const INSTANCE: &[u8] = b"http://www.w3.org/2001/XMLSchema-instance";
const SCHEMA: &[u8] = b"http://www.w3.org/2001/XMLSchema";

/// A byte range of the input.
pub(super) type Span = (u32, u32);

/// The bytes of a span.
#[inline]
pub(super) fn slice(input: &[u8], span: Span) -> &[u8] {
    input
        .get(span.0 as usize..span.1 as usize)
        .unwrap_or_default()
}

#[derive(Debug, Clone, Copy)]
struct Declaration {
    /// Empty for the default namespace.
    prefix: Span,
    /// The value as it stands in the attribute.
    uri: Span,
    namespace: Namespace,
}

/// The declarations in scope, outermost first.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    declarations: Vec<Declaration>,
    /// Room for a value with references.
    value: Vec<u8>,
}

/// What a prefix resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resolved {
    pub namespace: Namespace,
    /// Number of the declaration, if there is one.
    pub declaration: Option<usize>,
}

impl Resolved {
    /// No namespace, and no declaration that says so.
    pub(super) const ABSENT: Resolved = Resolved {
        namespace: Namespace::Absent,
        declaration: None,
    };
}

impl Namespaces {
    pub(super) fn clear(&mut self) {
        self.declarations.clear();
    }

    /// How many declarations are in scope: the mark to go back to with [`Namespaces::truncate`].
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.declarations.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.declarations.truncate(len);
    }

    /// Takes a declaration of the element whose declarations begin at `mark`. `prefix` is empty for the default namespace.
    ///
    /// # Errors
    /// When the element declares the prefix twice, the value is malformed or too many are in scope.
    pub(super) fn declare(
        &mut self,
        input: &[u8],
        prefix: Span,
        uri: Span,
        mark: usize,
    ) -> Result<(), Rule> {
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        let appended = content::append_value(slice(input, uri), &mut value);
        let classified = self.classify(slice(input, prefix), &value);
        self.value = value;
        appended?;
        let Some(namespace) = classified else {
            return Ok(());
        };
        let own = self.declarations.get(mark..).unwrap_or_default();
        if own
            .iter()
            .any(|other| slice(input, other.prefix) == slice(input, prefix))
        {
            return Err(Rule::Malformed("attribute twice"));
        }
        if self.declarations.len() >= NAMESPACES_MAX {
            return Err(Rule::Limit {
                name: "namespaces_max",
                max: NAMESPACES_MAX,
            });
        }
        self.declarations.push(Declaration {
            prefix,
            uri,
            namespace,
        });
        Ok(())
    }

    /// What a declaration means, or `None` for one to be left out.
    fn classify(&self, prefix: &[u8], uri: &[u8]) -> Option<Namespace> {
        let is_default = prefix.is_empty();
        let is_forbidden = uri == XML
            || uri == XMLNS
            || (!is_default && (prefix == b"xml" || prefix == b"xmlns" || uri.is_empty()));
        if is_forbidden {
            return None;
        }
        Some(match uri {
            b"" => Namespace::Absent,
            INSTANCE => Namespace::Instance,
            SCHEMA => Namespace::Schema,
            _ => MessageType::from_namespace(uri).map_or(
                Namespace::Other(self.declarations.len()),
                Namespace::Message,
            ),
        })
    }

    /// The default namespace.
    pub(super) fn default(&self) -> Resolved {
        self.declarations
            .iter()
            .enumerate()
            .rev()
            .find(|(_, declaration)| declaration.prefix.0 == declaration.prefix.1)
            .map_or(Resolved::ABSENT, found)
    }

    /// The namespace of a prefix, `None` when it is not declared.
    pub(super) fn prefixed(&self, input: &[u8], prefix: &[u8]) -> Option<Resolved> {
        if prefix == b"xml" {
            return Some(Resolved {
                namespace: Namespace::Xml,
                declaration: None,
            });
        }
        self.declarations
            .iter()
            .enumerate()
            .rev()
            .find(|(_, declaration)| {
                !prefix.is_empty() && slice(input, declaration.prefix) == prefix
            })
            .map(found)
    }

    /// Whether a resolved namespace is the one called `name`.
    pub(super) fn is_called(&self, input: &[u8], namespace: Namespace, name: &str) -> bool {
        match namespace {
            Namespace::Absent => name.is_empty(),
            Namespace::Message(message) => message.namespace() == name,
            Namespace::Instance => name.as_bytes() == INSTANCE,
            Namespace::Schema => name.as_bytes() == SCHEMA,
            Namespace::Xml => name.as_bytes() == XML,
            Namespace::Other(number) => self.declarations.get(number).is_some_and(|declaration| {
                content::resolve(slice(input, declaration.uri), true) == name
            }),
        }
    }

    /// Where the value of declaration `number` stands.
    pub(super) fn uri(&self, number: usize) -> Option<Span> {
        self.declarations
            .get(number)
            .map(|declaration| declaration.uri)
    }
}

fn found((number, declaration): (usize, &Declaration)) -> Resolved {
    Resolved {
        namespace: declaration.namespace,
        declaration: Some(number),
    }
}
