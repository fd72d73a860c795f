//! One level of a code: fields of ID(2) LEN(2) VALUE, where LEN counts characters.

use super::error::{QrError, QrRule, TagPath};
use crate::digits::number;

/// Most characters in one value.
pub(super) const VALUE_CHARACTERS_MAX: usize = 99;

/// A field as it stands in the code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) path: TagPath,
    pub(super) tag: u8,
    /// Where the value begins, in characters from the start of the code.
    pub(super) offset: usize,
    pub(super) value: &'a str,
}

impl Field<'_> {
    pub(super) fn error(&self, rule: QrRule) -> QrError {
        QrError::at(self.path, self.offset, rule)
    }
}

/// Splits one level into its fields. Control characters, empty values and a tag that stands twice are refused.
pub(super) fn split(parent: TagPath, text: &str, offset: usize) -> Result<Vec<Field<'_>>, QrError> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut cursor = Cursor { rest: text, offset };
    while !cursor.rest.is_empty() {
        let start = cursor.offset;
        let tag = cursor
            .two_digits()
            .ok_or(QrError::at(parent, start, QrRule::Tag))?;
        let path = parent.child(tag);
        let length_at = cursor.offset;
        let length = cursor
            .two_digits()
            .ok_or(QrError::at(path, length_at, QrRule::Length))?;
        if length == 0 {
            return Err(QrError::at(path, length_at, QrRule::Length));
        }
        let offset = cursor.offset;
        let value =
            cursor
                .take(usize::from(length))
                .ok_or(QrError::at(path, offset, QrRule::Truncated))?;
        let field = Field {
            path,
            tag,
            offset,
            value,
        };
        if value.chars().any(char::is_control) {
            return Err(field.error(QrRule::Characters));
        }
        if fields.iter().any(|earlier| earlier.tag == tag) {
            return Err(field.error(QrRule::Duplicate));
        }
        fields.push(field);
    }
    Ok(fields)
}

/// Appends one field; a value that is empty or too long for LEN is refused.
pub(super) fn write(path: TagPath, tag: u8, value: &str, out: &mut String) -> Result<(), QrError> {
    let length = value.chars().count();
    if length == 0 || length > VALUE_CHARACTERS_MAX || tag > 99 {
        return Err(QrError::at(path, 0, QrRule::ValueLength));
    }
    out.push_str(&format!("{tag:02}{length:02}{value}"));
    Ok(())
}

struct Cursor<'a> {
    rest: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, characters: usize) -> Option<&'a str> {
        let end = match self.rest.char_indices().nth(characters) {
            Some((place, _)) => place,
            None if self.rest.chars().count() == characters => self.rest.len(),
            None => return None,
        };
        let (taken, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(characters);
        Some(taken)
    }

    fn two_digits(&mut self) -> Option<u8> {
        number(self.take(2)?.as_bytes()).and_then(|value| u8::try_from(value).ok())
    }
}
