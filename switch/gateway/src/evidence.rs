//! Where the parts of a message stand, without parsing it.
//!
//! Why it exists: a forward carries the Document of a message that was read and validated when it came. To find it again,
//! walking over the tags is enough and an order of magnitude cheaper than validating once more. For messages that were *not*
//! understood the same walk gives the sender's identification, if there is one. It never judges a message, and no bytes
//! make it panic: what does not look like markup is `None`.

use std::{ops::Range, sync::LazyLock};

use memchr::memmem::{self, Finder};
use torap_domain::MessageId;
use torap_iso20022::view::Splice;

/// How far into a message its kind and identification are looked for, in bytes; every definition has them near the start.
const START_BYTES_MAX: usize = 16 << 10;

const COMMENT_START: &[u8] = b"<!--";
const COMMENT_END: &[u8] = b"-->";

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
    let searches = &*SEARCHES;
    let bytes = message.get(..document.end)?;
    let creditor_agent = searches.element(bytes, document.start, &searches.creditor_agent)?;
    let creditor_account =
        searches.element(bytes, creditor_agent.end, &searches.creditor_account)?;
    let before = bytes.get(..creditor_agent.start)?;
    let instructed_agent = searches.element(before, document.start, &searches.instructed_agent);
    let account = bytes.get(..creditor_account.end)?;
    let proxy = searches.tag(
        account,
        creditor_account.start,
        &searches.proxy,
        TagKind::Start,
    )?;
    let id = searches.tag(account, proxy.end, &searches.id, TagKind::Start)?;
    let phone = id.end..id.end.checked_add(text_length(account.get(id.end..)?)?)?;
    let splice = Splice {
        instructed_agent,
        creditor_agent,
        creditor_account,
    };
    Some(PhoneParts { splice, phone })
}

/// Searches that a payment by phone needs, set up once: that takes longer than most of them.
struct Searches {
    creditor_agent: Finder<'static>,
    creditor_account: Finder<'static>,
    instructed_agent: Finder<'static>,
    proxy: Finder<'static>,
    id: Finder<'static>,
    comment_start: Finder<'static>,
    comment_end: Finder<'static>,
}

static SEARCHES: LazyLock<Searches> = LazyLock::new(|| Searches {
    creditor_agent: Finder::new("CdtrAgt"),
    creditor_account: Finder::new("CdtrAcct"),
    instructed_agent: Finder::new("InstdAgt"),
    proxy: Finder::new("Prxy"),
    id: Finder::new("Id"),
    comment_start: Finder::new(COMMENT_START),
    comment_end: Finder::new(COMMENT_END),
});

impl Searches {
    /// The first element of a name at or after `from` that has no element of the same name inside.
    fn element(&self, bytes: &[u8], from: usize, name: &Finder<'_>) -> Option<Range<usize>> {
        let start = self.tag(bytes, from, name, TagKind::Start)?;
        let end = self.tag(bytes, start.end, name, TagKind::End)?;
        Some(start.start..end.end)
    }

    /// The first tag of a name at or after `from`, which is not inside a tag or comment.
    fn tag(
        &self,
        bytes: &[u8],
        from: usize,
        name: &Finder<'_>,
        kind: TagKind,
    ) -> Option<Range<usize>> {
        let mut from = from;
        loop {
            let rest = bytes.get(from..)?;
            let hit = name.find(rest)?;
            let before = rest.get(..hit)?;
            if let Some(comment) = self.comment_start.find(before) {
                let comment = comment.checked_add(COMMENT_START.len())?;
                let length = self.comment_end.find(rest.get(comment..)?)?;
                from = from
                    .checked_add(comment)?
                    .checked_add(length)?
                    .checked_add(COMMENT_END.len())?;
                continue;
            }
            // What is found may be text, or part of a longer name; the tag before it tells.
            let open = before.iter().rposition(|byte| *byte == b'<');
            let found = open.and_then(|open| read_tag(rest.get(open..)?, from.checked_add(open)?));
            if let Some(found) =
                found.filter(|found| found.kind == kind && found.name == name.needle())
            {
                return Some(found.range);
            }
            from = from.checked_add(hit)?.checked_add(1)?;
        }
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
                    memmem::find(comment, COMMENT_END)?.checked_add(7)?
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
    while let Some(comment) = kept.strip_suffix(COMMENT_END)
        && let Some(start) = memmem::rfind(comment, COMMENT_START)
    {
        kept = kept.get(..start).unwrap_or_default().trim_ascii_end();
    }
    kept.len()
}

#[cfg(test)]
mod tests;
