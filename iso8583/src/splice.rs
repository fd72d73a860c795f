//! Forwarding: a message with some fields changed, and everything else byte for byte.

use std::ops::Range;

use crate::{
    code_page::CODE_PAGES,
    dialect::{Layout, TagForm},
    field_set::FieldSet,
    message::{MESSAGE_BYTES_MAX, Message},
    mti::Mti,
    refusal::{FIELD_BITMAP, FIELD_MTI, Key, Refusal, Rule},
    subfields::Subfields,
    wire::{Encoding, LengthEncoding},
    write::{append_bitmaps, write_mti},
};

/// Most tags that are set or removed at once.
pub const TAGS_MAX: usize = 64;

/// What is to be different in the message that is written.
#[derive(Clone, Copy)]
pub struct Change<'c> {
    /// Another message type.
    pub mti: Option<Mti>,
    /// Of the fields that are there, only these stay.
    pub keep: FieldSet,
    /// Fields that are set or removed, ascending.
    pub edits: &'c [Edit<'c>],
}

/// One field that is to be different.
#[derive(Clone, Copy)]
pub enum Edit<'c> {
    /// The field has this value, whether it was there or not: ASCII characters, or the bytes of a binary value.
    Set(u8, &'c [u8]),
    /// The field is not there.
    Remove(u8),
}

impl Default for Change<'_> {
    fn default() -> Self {
        Change {
            mti: None,
            keep: FieldSet::ALL,
            edits: &[],
        }
    }
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let edits: Vec<u8> = self.edits.iter().map(|edit| edit.field()).collect();
        write!(
            f,
            "Change({:?}, keep {:?}, edit {edits:?})",
            self.mti, self.keep
        )
    }
}

impl std::fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Set(field, value) => write!(f, "Set({field}, {} bytes)", value.len()),
            Self::Remove(field) => write!(f, "Remove({field})"),
        }
    }
}

impl Edit<'_> {
    /// The field that it is about.
    #[inline]
    pub fn field(&self) -> u8 {
        match self {
            Self::Set(field, _) | Self::Remove(field) => *field,
        }
    }
}

/// What has been copied of a message.
struct Copy<'b> {
    bytes: &'b [u8],
    /// Offset of the first byte that has not been.
    at: usize,
}

impl Copy<'_> {
    /// Copies what stands before a field, and steps over it.
    #[inline(always)]
    fn up_to(&mut self, field: Range<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes.get(self.at..field.start).unwrap_or_default());
        self.at = field.end;
    }
}

impl Message<'_> {
    /// Appends the message to a vector with the changes made and every other field as it stands. Allocates only what the vector grows by.
    ///
    /// # Errors
    /// Edits do not ascend, or a value breaks the dialect's table; nothing has been appended then.
    pub fn splice(&self, out: &mut Vec<u8>, change: &Change<'_>) -> Result<(), Refusal> {
        let before = out.len();
        let spliced = self.splice_all(out, change);
        if spliced.is_err() {
            out.truncate(before);
        }
        spliced
    }

    #[inline]
    fn splice_all(&self, out: &mut Vec<u8>, change: &Change<'_>) -> Result<(), Refusal> {
        let dialect = self.dialect();
        let bytes = self.bytes();
        let before = out.len();
        let mti = change.mti.unwrap_or(self.mti());
        if change.mti.is_some() && dialect.message(mti).is_none() {
            return Err(Refusal::new(FIELD_MTI, 0, Rule::UnknownMessageType));
        }
        let kept = self.fields().intersection(change.keep);
        let mut fields = kept;
        // Fields that go, beside those that are edited.
        let mut gone = self.fields().difference(kept);
        let mut last = 1;
        for edit in change.edits {
            let field = edit.field();
            if field <= last {
                return Err(Refusal::new(field, 0, Rule::Order));
            }
            last = field;
            let own = FieldSet::one(field);
            gone = gone.difference(own);
            fields = match edit {
                Edit::Set(..) => fields.union(own),
                Edit::Remove(_) => fields.difference(own),
            };
        }
        write_mti(dialect, mti, out);
        append_bitmaps(dialect, fields, out);
        let mut copy = Copy {
            bytes,
            at: usize::from(self.first()),
        };
        for edit in change.edits {
            let field = edit.field();
            while let Some(other) = gone.first().filter(|other| *other < field) {
                gone = gone.without(other);
                copy.up_to(self.span(other), out);
            }
            copy.up_to(self.span(field), out);
            if let Edit::Set(number, value) = edit {
                self.write_field(*number, value, out)?;
            }
        }
        for other in gone.iter() {
            copy.up_to(self.span(other), out);
        }
        copy.up_to(bytes.len()..bytes.len(), out);
        if out.len() - before > MESSAGE_BYTES_MAX {
            return Err(Refusal::new(
                FIELD_BITMAP,
                MESSAGE_BYTES_MAX,
                Rule::MessageTooLong,
            ));
        }
        Ok(())
    }

    #[inline]
    fn write_field(&self, number: u8, value: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let dialect = self.dialect();
        if let Some(op) = dialect.ops.get(usize::from(number).wrapping_sub(1))
            && op.append(value, out)
        {
            return Ok(());
        }
        let row = dialect
            .field(number)
            .ok_or_else(|| Refusal::new(number, 0, Rule::UnknownField))?;
        let written = row.shape.write(dialect.page, value, out);
        written.map_err(|(place, rule)| Refusal::new(number, place, rule))
    }

    /// The value of a tagged field with some tags set or removed, as text for [`Edit::Set`]: other tags stay as they are and where they
    /// are, a tag that was not there goes to the end. The value is appended to `out`; nothing is, if no tag is left (remove the field then).
    /// A field that is not there counts as one without tags.
    ///
    /// # Errors
    /// The field has no tags of characters in the table, its present value is malformed, or a value breaks the row of its tag; nothing has
    /// been appended then.
    pub fn splice_tags(
        &self,
        field: u8,
        tags: &[(&[u8], Option<&[u8]>)],
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let before = out.len();
        let spliced = self.splice_all_tags(field, tags, out);
        if spliced.is_err() {
            out.truncate(before);
        }
        spliced
    }

    fn splice_all_tags(
        &self,
        field: u8,
        tags: &[(&[u8], Option<&[u8]>)],
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let dialect = self.dialect();
        let refuse = |key, rule| Refusal::within(field, key, 0, rule);
        let row = dialect
            .field(field)
            .ok_or_else(|| refuse(None, Rule::UnknownField))?;
        let Some(layout @ Layout::Tags { form, .. }) = &row.layout else {
            return Err(refuse(None, Rule::NotStructured));
        };
        let ebcdic = match row.shape.encoding {
            Encoding::Ascii => false,
            Encoding::Ebcdic => true,
            _ => return Err(refuse(None, Rule::NotStructured)),
        };
        if tags.len() > TAGS_MAX {
            return Err(refuse(
                None,
                Rule::TooLong {
                    max: TAGS_MAX as u16,
                },
            ));
        }
        let value = self.get(field).unwrap_or_default();
        let is_key = |key: Key, tag: &[u8]| Key::tag(tag) == Some(key);
        // Places in `tags` that have been written.
        let mut written = 0_u64;
        let mut subfields =
            Subfields::new(dialect, layout, field, value, self.offset_of(field), ebcdic);
        let mut from = 0;
        while let Some(subfield) = subfields.next() {
            let key = subfield?.key;
            let end = subfields.walked();
            match tags.iter().position(|(tag, _)| is_key(key, tag)) {
                None if ebcdic => out.extend(
                    value[from..end]
                        .iter()
                        .map(|byte| dialect.page.ascii(*byte)),
                ),
                None => out.extend_from_slice(&value[from..end]),
                Some(place) if written & 1 << place == 0 => {
                    written |= 1 << place;
                    if let (tag, Some(new)) = tags[place] {
                        write_tag(layout, *form, field, tag, new, out)?;
                    }
                }
                Some(_) => {}
            }
            from = end;
        }
        for (place, (tag, new)) in tags.iter().enumerate() {
            if let (0, Some(new)) = (written & 1 << place, new) {
                write_tag(layout, *form, field, tag, new, out)?;
            }
        }
        Ok(())
    }
}

/// Appends one tag with its length and value, as text.
pub(crate) fn write_tag(
    layout: &Layout,
    form: TagForm,
    field: u8,
    tag: &[u8],
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let key = Key::tag(tag);
    let refuse = |rule| Refusal::within(field, key, 0, rule);
    let fits = !form.binary
        && tag.len() == usize::from(form.tag)
        && tag.iter().all(u8::is_ascii_alphanumeric);
    let Some(key) = key.filter(|_| fits) else {
        return Err(refuse(Rule::TagCharacters));
    };
    if let Some(row) = layout.row(key) {
        let (min, max) = row.shape.length.bounds();
        if value.len() > usize::from(max) {
            return Err(refuse(Rule::TooLong { max }));
        }
        if value.len() < usize::from(min) {
            return Err(refuse(Rule::TooShort { min }));
        }
        if let Some(place) = row.shape.class.first_wrong(value) {
            return Err(Refusal::within(
                field,
                Some(key),
                place,
                Rule::CharacterSet(row.shape.class),
            ));
        }
    }
    out.extend_from_slice(tag);
    let text_form = TagForm {
        length_encoding: LengthEncoding::Ascii,
        ..form
    };
    let written = text_form.shape().write(&CODE_PAGES[0], value, out);
    written.map_err(|(_, rule)| refuse(rule))
}

#[cfg(test)]
mod tests;
