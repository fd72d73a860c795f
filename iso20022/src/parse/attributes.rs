//! The attributes of one start tag: well-formedness, namespace declarations, duplicates.

use super::content;
use super::names::{self, QName};
use super::namespaces::{Namespace, Namespaces, Span, slice};
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

/// What the attributes of a start tag say besides themselves.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Summary {
    /// Whether a prefix of an attribute is not declared, or a name is not a proper qualified name.
    pub has_stray_prefix: bool,
    /// Smallest number of a declaration that a prefix of an attribute leans on.
    pub outermost: Option<usize>,
}

/// Reads what stands between the name and the end of a start tag into `attributes`, and declares its namespaces. On failure says
/// where.
pub(super) fn read(
    input: &[u8],
    span: Span,
    max: usize,
    namespaces: &mut Namespaces,
    attributes: &mut Vec<Attribute>,
) -> Result<Summary, (Rule, usize)> {
    let mark = namespaces.len();
    attributes.clear();
    let mut at = span.0 as usize;
    let end = span.1 as usize;
    let mut count = 0;
    let mut summary = Summary::default();
    loop {
        let blanks = count_blanks(input, at, end);
        at += blanks;
        if at >= end {
            break;
        }
        if blanks == 0 {
            return Err((Rule::Malformed("blank needed between attributes"), at));
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
        let (name, name_len) = names::split(input.get(at..end).unwrap_or_default())
            .ok_or((Rule::Malformed("attribute name"), at))?;
        let (value, has_escapes) =
            read_value(input, at + name_len, end).map_err(|(rule, place)| (rule, place))?;
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
        resolve(input, namespaces, attributes, &mut summary)
            .map_err(|rule| (rule, span.0 as usize))?;
    }
    Ok(summary)
}

fn count_blanks(input: &[u8], at: usize, end: usize) -> usize {
    let rest = input.get(at..end).unwrap_or_default();
    rest.iter()
        .position(|&byte| !is_blank(byte))
        .unwrap_or(rest.len())
}

/// `= "value"`, and whether the value holds references or white space to be normalised.
fn read_value(input: &[u8], mut at: usize, end: usize) -> Result<(Span, bool), (Rule, usize)> {
    at += count_blanks(input, at, end);
    if input.get(at) != Some(&b'=') || at >= end {
        return Err((Rule::Malformed("attribute without value"), at));
    }
    at += 1;
    at += count_blanks(input, at, end);
    let rest = input.get(at..end).unwrap_or_default();
    let Some((quote @ (b'"' | b'\''), rest)) = rest.split_first() else {
        return Err((Rule::Malformed("attribute value without quotes"), at));
    };
    let len = rest
        .iter()
        .position(|byte| byte == quote)
        .ok_or((Rule::Malformed("unclosed attribute value"), at))?;
    let text = rest.get(..len).unwrap_or_default();
    let start = at + 1;
    let mut has_escapes = false;
    if !content::is_plain(text) || text.iter().any(|byte| matches!(byte, b'&' | b'<')) {
        content::scan(text).map_err(|rule| (rule, start))?;
        if text.contains(&b'<') {
            return Err((Rule::Malformed("< in an attribute value"), start));
        }
        check_references(text).map_err(|rule| (rule, start))?;
        has_escapes = text
            .iter()
            .any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r'));
    }
    Ok((((start as u32), (start + len) as u32), has_escapes))
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
) -> Result<(), Rule> {
    for attribute in attributes {
        if attribute.prefix.0 == attribute.prefix.1 {
            continue;
        }
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
    Ok(())
}
