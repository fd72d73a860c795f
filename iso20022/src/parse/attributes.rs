//! The attributes of one start tag: well-formedness, namespace declarations, duplicates.

use super::content;
use super::names::{self, QName};
use super::namespaces::{Namespace, Namespaces, Span, slice};
use crate::limits::NAME_BYTES_MAX;
use crate::refusal::Rule;
use crate::simple::is_blank;

/// An attribute that is no namespace declaration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    /// Empty when there is none.
    pub prefix: Span,
    pub local: Span,
    /// Between the quotes.
    pub value: Span,
    /// Whether the value reads otherwise than it stands.
    pub has_escapes: bool,
    /// Namespace of the prefix; [`Namespace::Absent`] also when the prefix is not declared.
    pub namespace: Namespace,
}

impl Attribute {
    /// Whether the name has no prefix.
    pub(super) fn is_bare(&self) -> bool {
        self.prefix.0 == self.prefix.1
    }
}

/// What a start tag says besides its attributes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Summary {
    /// Past the `>` of the tag.
    pub end: usize,
    /// Whether it is the tag of an empty element.
    pub is_empty: bool,
    /// Whether a prefix of an attribute is not declared, or a name is not a proper qualified name.
    pub has_stray_prefix: bool,
    /// Smallest number of a declaration that a prefix of an attribute leans on.
    pub outermost: Option<usize>,
}

/// Reads what follows the name in a start tag, from `at` on: the attributes into `attributes`, and the namespaces that they declare.
/// On failure says where.
pub(super) fn read(
    input: &[u8],
    mut at: usize,
    max: usize,
    namespaces: &mut Namespaces,
    attributes: &mut Vec<Attribute>,
) -> Result<Summary, (Rule, usize)> {
    let mark = namespaces.len();
    attributes.clear();
    let mut count = 0;
    let mut summary = Summary::default();
    loop {
        let blanks = count_blanks(input, at);
        at += blanks;
        let rest = input.get(at..).unwrap_or_default();
        match rest {
            [b'>', ..] => {
                summary.end = at + 1;
                break;
            }
            [b'/', b'>', ..] => {
                summary.end = at + 2;
                summary.is_empty = true;
                break;
            }
            [] => return Err((Rule::Malformed("unfinished start tag"), at)),
            _ if blanks == 0 => {
                return Err((Rule::Malformed("blank needed between attributes"), at));
            }
            _ => {}
        }
        count += 1;
        if count > max {
            return Err((
                Rule::Limit {
                    name: "attributes_max",
                    max,
                },
                at,
            ));
        }
        let (name, name_len) = names::split(rest).ok_or((Rule::Malformed("attribute name"), at))?;
        if name_len > NAME_BYTES_MAX {
            return Err((
                Rule::Limit {
                    name: "name_bytes_max",
                    max: NAME_BYTES_MAX,
                },
                at,
            ));
        }
        let (value, has_escapes) = read_value(input, at + name_len)?;
        take(
            input,
            at,
            name,
            value,
            has_escapes,
            namespaces,
            attributes,
            mark,
        )
        .map_err(|rule| (rule, at))?;
        summary.has_stray_prefix |= !name.is_proper;
        at = value.1 as usize + 1;
    }
    if !attributes.is_empty() {
        resolve(input, namespaces, attributes, &mut summary);
    }
    Ok(summary)
}

fn count_blanks(input: &[u8], at: usize) -> usize {
    let rest = input.get(at..).unwrap_or_default();
    rest.iter()
        .position(|&byte| !is_blank(byte))
        .unwrap_or(rest.len())
}

/// `= "value"`, and whether the value holds references or white space to be normalised.
fn read_value(input: &[u8], mut at: usize) -> Result<(Span, bool), (Rule, usize)> {
    at += count_blanks(input, at);
    if input.get(at) != Some(&b'=') {
        return Err((Rule::Malformed("attribute without value"), at));
    }
    at += 1;
    at += count_blanks(input, at);
    let rest = input.get(at..).unwrap_or_default();
    let Some((quote @ (b'"' | b'\''), rest)) = rest.split_first() else {
        return Err((Rule::Malformed("attribute value without quotes"), at));
    };
    let len = rest
        .iter()
        .position(|byte| byte == quote)
        .ok_or((Rule::Malformed("unclosed attribute value"), input.len()))?;
    let text = rest.get(..len).unwrap_or_default();
    let start = at + 1;
    let mut has_escapes = false;
    if !text
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<'))
    {
        content::scan(text).map_err(|rule| (rule, start))?;
        if text.contains(&b'<') {
            return Err((Rule::Malformed("< in an attribute value"), start));
        }
        check_references(text).map_err(|rule| (rule, start))?;
        has_escapes = text
            .iter()
            .any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r'));
    }
    Ok(((start as u32, (start + len) as u32), has_escapes))
}

fn check_references(text: &[u8]) -> Result<(), Rule> {
    let mut pieces = text.split(|&byte| byte == b'&');
    pieces.next();
    for piece in pieces {
        let end = piece
            .iter()
            .position(|&byte| byte == b';')
            .ok_or(Rule::Malformed("unfinished reference"))?;
        content::reference(piece.get(..end).unwrap_or_default())?;
    }
    Ok(())
}

#[expect(
    clippy::too_many_arguments,
    reason = "the pieces of one attribute and where they go; called once"
)]
fn take(
    input: &[u8],
    at: usize,
    name: QName<'_>,
    value: Span,
    has_escapes: bool,
    namespaces: &mut Namespaces,
    attributes: &mut Vec<Attribute>,
    mark: usize,
) -> Result<(), Rule> {
    let prefix_len = name.prefix.map_or(0, <[u8]>::len);
    let prefix = (at as u32, (at + prefix_len) as u32);
    let local_start = if name.prefix.is_some() {
        at + prefix_len + 1
    } else {
        at
    };
    let local = (local_start as u32, (local_start + name.local.len()) as u32);
    match name.prefix {
        None if name.local == b"xmlns" => {
            namespaces.declare(input, (at as u32, at as u32), value, mark)
        }
        Some(b"xmlns") => namespaces.declare(input, local, value, mark),
        _ => {
            let is_twice = attributes.iter().any(|other| {
                slice(input, other.local) == name.local
                    && slice(input, other.prefix) == slice(input, prefix)
            });
            if is_twice {
                return Err(Rule::Malformed("attribute twice"));
            }
            attributes.push(Attribute {
                prefix,
                local,
                value,
                has_escapes,
                namespace: Namespace::Absent,
            });
            Ok(())
        }
    }
}

/// Prefixes may be declared anywhere in the tag, so they are resolved at its end.
fn resolve(
    input: &[u8],
    namespaces: &Namespaces,
    attributes: &mut [Attribute],
    summary: &mut Summary,
) {
    for attribute in attributes
        .iter_mut()
        .filter(|attribute| !attribute.is_bare())
    {
        match namespaces.prefixed(input, slice(input, attribute.prefix)) {
            None => summary.has_stray_prefix = true,
            Some(resolved) => {
                attribute.namespace = resolved.namespace;
                if let Some(number) = resolved.declaration {
                    summary.outermost =
                        Some(summary.outermost.map_or(number, |other| other.min(number)));
                }
            }
        }
    }
}
