//! Names of XML 1.0, fifth edition (§2.3), and their split into prefix and local part.
//!
//! The split follows libxml2, which takes names that Namespaces in XML forbids (`:a`, `a:`, `a:b:c`) and merely reports them;
//! such a name matches nothing in a schema, so it can only stand below an `xs:any`.

/// A name split at its colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QName<'a> {
    pub prefix: Option<&'a [u8]>,
    pub local: &'a [u8],
    /// Whether Namespaces in XML allows the name.
    pub is_proper: bool,
}

/// Splits the name that `text` begins with; also says how many bytes it takes. `None` if there is no name.
pub(super) fn split(text: &[u8]) -> Option<(QName<'_>, usize)> {
    let first = length(text, Kind::NoColon);
    if first == 0 {
        let whole = length(text, Kind::Name);
        let local = text.get(..whole).filter(|local| !local.is_empty())?;
        return Some((
            QName {
                prefix: None,
                local,
                is_proper: false,
            },
            whole,
        ));
    }
    if text.get(first) != Some(&b':') {
        return Some((
            QName {
                prefix: None,
                local: text.get(..first)?,
                is_proper: true,
            },
            first,
        ));
    }
    let prefix = text.get(..first)?;
    let rest = text.get(first + 1..)?;
    let second = length(rest, Kind::NoColon);
    if second == 0 {
        let whole = first + 1 + length(rest, Kind::Token);
        return Some((
            QName {
                prefix: None,
                local: text.get(..whole)?,
                is_proper: false,
            },
            whole,
        ));
    }
    if rest.get(second) == Some(&b':') {
        let tail = rest.get(second + 1..)?;
        let local = rest.get(..second + 1 + length(tail, Kind::Name))?;
        let whole = first + 1 + local.len();
        return Some((
            QName {
                prefix: Some(prefix),
                local,
                is_proper: false,
            },
            whole,
        ));
    }
    Some((
        QName {
            prefix: Some(prefix),
            local: rest.get(..second)?,
            is_proper: true,
        },
        first + 1 + second,
    ))
}

/// The local part of a name taken to be well-formed: what follows its first colon.
pub(super) fn local(name: &[u8]) -> &[u8] {
    match name.iter().position(|&byte| byte == b':') {
        Some(colon) => name.get(colon + 1..).unwrap_or_default(),
        None => name,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `Name`.
    Name,
    /// `NCName`.
    NoColon,
    /// `Nmtoken`.
    Token,
}

/// Length in bytes of the name that `text` begins with.
fn length(text: &[u8], kind: Kind) -> usize {
    let mut end = 0;
    while let Some(&byte) = text.get(end) {
        let is_first = end == 0 && kind != Kind::Token;
        if byte.is_ascii() {
            let is_allowed = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
                b'0'..=b'9' | b'-' | b'.' => !is_first,
                b':' => kind != Kind::NoColon,
                _ => false,
            };
            if !is_allowed {
                break;
            }
            end += 1;
            continue;
        }
        match first_character(text.get(end..).unwrap_or_default()) {
            Some(letter) if is_name_start(letter) || (!is_first && is_name_extender(letter)) => {
                end += letter.len_utf8()
            }
            _ => break,
        }
    }
    end
}

fn first_character(text: &[u8]) -> Option<char> {
    let chunk = text.utf8_chunks().next()?;
    chunk.valid().chars().next()
}

fn is_name_start(letter: char) -> bool {
    matches!(letter,
        '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
        | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_extender(letter: char) -> bool {
    matches!(letter, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
