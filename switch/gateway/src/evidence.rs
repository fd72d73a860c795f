//! Where the parts of a message stand, without parsing it.
//!
//! Why it exists: a forward carries the Document of a message that was read and validated when it came. To find it again,
//! walking over the tags is enough and an order of magnitude cheaper than validating once more. For messages that were *not*
//! understood the same walk gives the sender's identification, if there is one. It never judges a message, and no bytes
//! make it panic: what does not look like markup is `None`.

use std::ops::Range;

use memchr::memmem;
use torap_domain::MessageId;
use torap_iso20022::view::Splice;

/// How far into a message its kind and identification are looked for, in bytes; every definition has them near the start.
const START_BYTES_MAX: usize = 16 << 10;

/// What a forward by phone replaces, and the phone that it writes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhoneParts {
    pub(crate) splice: Splice,
    /// The text of CdtrAcct/Prxy/Id.
    pub(crate) phone: Range<usize>,
}

/// The Document element of a message that was valid, alone or in its envelope: from `<` to past `>`.
pub(crate) fn document(message: &[u8]) -> Option<Range<usize>> {
    let mut tags = Tags::new(message, 0);
    let root = tags.next().filter(|root| root.kind == TagKind::Start)?;
    let root_end = miscellaneous_start(message, message.len());
    if root.name == b"Document" {
        return Some(root.range.start..root_end);
    }
    let start = document_in_envelope(&mut tags)?;
    let envelope_end_tag = memmem::rfind(message.get(start..root_end)?, b"</")?;
    let end = miscellaneous_start(message, start.checked_add(envelope_end_tag)?);
    (start < end).then_some(start..end)
}

/// Whether a message is a pacs.008, as far as can be told without parsing.
pub(crate) fn is_credit_transfer(message: &[u8]) -> bool {
    let document =
        Tags::new(message, 0).find(|tag| tag.kind == TagKind::Start && tag.name == b"Document");
    let tag = document.and_then(|tag| message.get(tag.range));
    tag.is_some_and(|tag| memmem::find(tag, b":xsd:pacs.008.001.").is_some())
}

/// The sender's identification of a message that need not be valid: BizMsgIdr, MsgId or Assgnmt/Id, whichever comes first.
pub(crate) fn message_id(message: &[u8]) -> Option<MessageId> {
    let start = start(message);
    let mut parent: &[u8] = b"";
    for tag in Tags::new(start, 0) {
        if tag.kind == TagKind::Start {
            let is_id = matches!(tag.name, b"BizMsgIdr" | b"MsgId");
            if is_id || (parent == b"Assgnmt" && tag.name == b"Id") {
                let text =
                    std::str::from_utf8(start.get(text_from(start, tag.range.end)?)?).ok()?;
                return MessageId::parse(text.trim()).ok();
            }
        }
        parent = tag.name;
    }
    None
}

/// The parts of a valid pacs.008 by phone; `document` is its Document element. In front of the supplementary data, which ends
/// the message, the schema has each of these names in one place only.
pub(crate) fn phone_parts(message: &[u8], document: &Range<usize>) -> Option<PhoneParts> {
    let bytes = message.get(..document.end)?;
    let creditor_agent = element(bytes, document.start, b"CdtrAgt")?;
    let creditor_account = element(bytes, creditor_agent.end, b"CdtrAcct")?;
    let before = bytes.get(..creditor_agent.start)?;
    let instructed_agent = element(before, document.start, b"InstdAgt");
    let account = bytes.get(..creditor_account.end)?;
    let proxy = tag(account, creditor_account.start, b"Prxy", TagKind::Start)?;
    let id = tag(account, proxy.end, b"Id", TagKind::Start)?;
    let phone = id.end..id.end.checked_add(text_length(account.get(id.end..)?)?)?;
    let splice = Splice {
        instructed_agent,
        creditor_agent,
        creditor_account,
    };
    Some(PhoneParts { splice, phone })
}

/// The first element of a name at or after `from` that has no element of the same name inside.
fn element(bytes: &[u8], from: usize, name: &[u8]) -> Option<Range<usize>> {
    let start = tag(bytes, from, name, TagKind::Start)?;
    let end = tag(bytes, start.end, name, TagKind::End)?;
    Some(start.start..end.end)
}

/// The first tag of a name at or after `from`, which is not inside a tag or comment.
fn tag(bytes: &[u8], from: usize, name: &[u8], kind: TagKind) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        let rest = bytes.get(from..)?;
        let hit = memmem::find(rest, name)?;
        if let Some(comment) = memmem::find(rest.get(..hit)?, b"<!--") {
            let inside = rest.get(comment.checked_add(4)?..)?;
            from = from
                .checked_add(comment)?
                .checked_add(memmem::find(inside, b"-->")?)?
                .checked_add(7)?;
            continue;
        }
        // Names of elements have letters only; in front stands `<`, `</` or one of them with a prefix.
        let open = rest.get(..hit)?.iter().rposition(|byte| *byte == b'<');
        let found = open.and_then(|open| {
            let start = from.checked_add(open)?;
            read_tag(rest.get(open..)?, start)
        });
        if let Some(found) = found.filter(|found| found.kind == kind && found.name == name) {
            return Some(found.range);
        }
        from = from.checked_add(hit)?.checked_add(1)?;
    }
}

fn start(message: &[u8]) -> &[u8] {
    message.get(..START_BYTES_MAX).unwrap_or(message)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagKind {
    Start,
    End,
    /// `<Name/>`
    Empty,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag<'a> {
    kind: TagKind,
    /// Without its prefix.
    name: &'a [u8],
    /// From `<` to past `>`.
    range: Range<usize>,
}

/// Start and end tags one after another; declaration and comments are stepped over. Ends where no further tag is whole.
#[derive(Debug, Clone)]
struct Tags<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tags<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Tags<'a> {
        Tags { bytes, at }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let start = self
                .at
                .checked_add(text_length(self.bytes.get(self.at..)?)?)?;
            let rest = self.bytes.get(start..)?;
            let aside = match rest {
                [b'<', b'!', b'-', b'-', comment @ ..] => {
                    memmem::find(comment, b"-->")?.checked_add(7)?
                }
                [b'<', b'?', ..] => memmem::find(rest, b"?>")?.checked_add(2)?,
                _ => {
                    let tag = read_tag(rest, start)?;
                    self.at = tag.range.end;
                    return Some(tag);
                }
            };
            self.at = start.checked_add(aside)?;
        }
    }
}

/// The tag that begins the bytes, which stand at `start`. Tags and the texts between them are short, so plain loops are
/// faster here than a search that has to be set up.
fn read_tag(bytes: &[u8], start: usize) -> Option<Tag<'_>> {
    let is_end = bytes.get(1) == Some(&b'/');
    let mut name_start = if is_end { 2 } else { 1 };
    let mut name_end = name_start;
    let last = loop {
        match bytes.get(name_end)? {
            last @ (b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n') => break *last,
            b':' => name_start = name_end.checked_add(1)?,
            _ => {}
        }
        name_end = name_end.checked_add(1)?;
    };
    let close = if last == b'>' {
        name_end
    } else {
        close_from(bytes, name_end)?
    };
    let is_empty = close.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'/');
    let kind = match (is_end, is_empty) {
        (true, _) => TagKind::End,
        (false, true) => TagKind::Empty,
        (false, false) => TagKind::Start,
    };
    let end = start.checked_add(close)?.checked_add(1)?;
    Some(Tag {
        kind,
        name: bytes.get(name_start..name_end)?,
        range: start..end,
    })
}

/// Place of the `>` that ends a tag, at or after `from`. Attribute values may have a `>`.
fn close_from(bytes: &[u8], from: usize) -> Option<usize> {
    let mut quote = None;
    for (index, byte) in bytes.iter().enumerate().skip(from) {
        match (quote, byte) {
            (None, b'>') => return Some(index),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), _) if open == *byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Length of the text in front of the next tag.
fn text_length(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'<')
}

/// The text that begins at `start`, up to the next tag.
fn text_from(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let length = text_length(bytes.get(start..)?)?;
    Some(start..start.checked_add(length)?)
}

/// Start of the Document tag inside an envelope, whose start tag has been read.
fn document_in_envelope(tags: &mut Tags<'_>) -> Option<usize> {
    let mut depth = 0_usize;
    for tag in tags {
        match tag.kind {
            TagKind::Start if depth == 0 && tag.name == b"Document" => {
                return Some(tag.range.start);
            }
            TagKind::Start => depth = depth.checked_add(1)?,
            TagKind::End => depth = depth.checked_sub(1)?,
            TagKind::Empty => {}
        }
    }
    None
}

/// Where the blanks and comments that end `bytes[..end]` begin.
fn miscellaneous_start(bytes: &[u8], end: usize) -> usize {
    let mut kept = bytes.get(..end).unwrap_or(bytes).trim_ascii_end();
    // A comment has no `--` inside, so the last opening before a closing is its own.
    while let Some(comment) = kept.strip_suffix(b"-->")
        && let Some(start) = memmem::rfind(comment, b"<!--")
    {
        kept = kept.get(..start).unwrap_or_default().trim_ascii_end();
    }
    kept.len()
}

#[cfg(test)]
mod tests;
