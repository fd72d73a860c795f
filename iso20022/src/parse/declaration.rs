//! The XML declaration (XML 1.0 §2.8), and the encoding of a document.
//!
//! libxml2: any version `1.…` is taken, and no blank is needed between the encoding UTF-8 and `standalone`.

use crate::refusal::Rule;
use crate::simple::is_blank;

/// What stands before the first markup of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prologue<'a> {
    /// Bytes taken by the byte order mark and the declaration.
    pub len: usize,
    /// The encoding declared.
    pub encoding: Option<&'a [u8]>,
}

/// The byte order mark of UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads the byte order mark and the declaration, if there are any.
///
/// # Errors
/// The rule broken, and where.
pub(crate) fn read(bytes: &[u8]) -> Result<Prologue<'_>, (Rule, usize)> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut prologue = Prologue {
        len: bytes.len() - text.len(),
        encoding: None,
    };
    let is_declared = text.starts_with(b"<?xml") && text.get(5).is_some_and(|&byte| is_blank(byte));
    if is_declared {
        let mut cursor = Cursor {
            rest: text.get(5..).unwrap_or_default(),
        };
        match declaration(&mut cursor) {
            Ok(encoding) => prologue.encoding = encoding,
            Err(rule) => return Err((rule, bytes.len() - cursor.rest.len())),
        }
        prologue.len = bytes.len() - cursor.rest.len();
    }
    if bytes
        .get(prologue.len..)
        .is_some_and(|rest| rest.starts_with(BYTE_ORDER_MARK))
    {
        return Err((
            Rule::Malformed("byte order mark inside the document"),
            prologue.len,
        ));
    }
    Ok(prologue)
}

/// Whether an encoding name means UTF-8.
pub(crate) fn is_utf8(encoding: &[u8]) -> bool {
    encoding.eq_ignore_ascii_case(b"UTF-8") || encoding.eq_ignore_ascii_case(b"UTF8")
}

fn declaration<'a>(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, Rule> {
    cursor.skip_blanks();
    let version = cursor
        .pseudo_attribute(b"version")?
        .ok_or(Rule::Malformed("XML declaration without version"))?;
    let is_known = version
        .strip_prefix(b"1.")
        .is_some_and(|minor| minor.iter().all(u8::is_ascii_digit));
    if !is_known {
        return Err(Rule::Malformed("unknown XML version"));
    }
    if cursor.accept(b"?>") {
        return Ok(None);
    }
    cursor.need_blank()?;
    let encoding = cursor.pseudo_attribute(b"encoding")?;
    if let Some(encoding) = encoding {
        let is_name = encoding.first().is_some_and(u8::is_ascii_alphabetic)
            && encoding
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if !is_name {
            return Err(Rule::Malformed("encoding name"));
        }
        if !is_utf8(encoding) && !cursor.rest.starts_with(b"?>") {
            cursor.need_blank()?;
        }
    }
    cursor.skip_blanks();
    if let Some(standalone) = cursor.pseudo_attribute(b"standalone")?
        && !matches!(standalone, b"yes" | b"no")
    {
        return Err(Rule::Malformed("standalone must be yes or no"));
    }
    cursor.skip_blanks();
    if cursor.accept(b"?>") {
        return Ok(encoding);
    }
    Err(Rule::Malformed("unfinished XML declaration"))
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn accept(&mut self, text: &[u8]) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_blanks(&mut self) {
        while let [first, rest @ ..] = self.rest
            && is_blank(*first)
        {
            self.rest = rest;
        }
    }

    fn need_blank(&mut self) -> Result<(), Rule> {
        if !self.rest.first().is_some_and(|&byte| is_blank(byte)) {
            return Err(Rule::Malformed("blank needed in the XML declaration"));
        }
        self.skip_blanks();
        Ok(())
    }

    /// `name = "value"` if it comes next.
    fn pseudo_attribute(&mut self, name: &[u8]) -> Result<Option<&'a [u8]>, Rule> {
        if !self.accept(name) {
            return Ok(None);
        }
        self.skip_blanks();
        if !self.accept(b"=") {
            return Err(Rule::Malformed("= needed in the XML declaration"));
        }
        self.skip_blanks();
        let Some((quote @ (b'"' | b'\''), rest)) = self.rest.split_first() else {
            return Err(Rule::Malformed("quote needed in the XML declaration"));
        };
        let end = rest
            .iter()
            .position(|byte| byte == quote)
            .ok_or(Rule::Malformed("unclosed quote"))?;
        let value = rest.get(..end).unwrap_or_default();
        self.rest = rest.get(end + 1..).unwrap_or_default();
        Ok(Some(value))
    }
}
