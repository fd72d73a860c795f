//! Messages that pass from bank to bank: the Document as it came, under a header of the switch's own.

use bytes::Bytes;
use torap_domain::{Bic, Iban, Position};
use torap_iso20022::{
    MessageType,
    view::BusinessHeader,
    write::{self, Resolved},
};

use super::{RenderError, entry::Entry};
use crate::evidence;

/// The pacs.008 at `original`; by phone with the bank and account that the directory gave.
pub(super) fn payment(
    entry: &Entry<'_>,
    original: Position,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let about = entry.original(original)?;
    let header = entry.header(about.references.message_id.as_str());
    let message = Message::of(entry, original)?;
    let written = match about.resolved {
        Some(resolved) => spliced(message.bytes(), &header, about.version, resolved, out),
        None => carried(message.bytes(), &header, about.version, out),
    };
    written.map_err(|missing| RenderError::Evidence {
        position: original,
        missing,
    })
}

/// The message at `original`, every byte of its Document as received.
pub(super) fn unaltered(
    entry: &Entry<'_>,
    original: Position,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let about = entry.original(original)?;
    let header = entry.header(about.references.message_id.as_str());
    let message = Message::of(entry, original)?;
    carried(message.bytes(), &header, about.version, out).map_err(|missing| RenderError::Evidence {
        position: original,
        missing,
    })
}

/// As [`unaltered`], under a header that the caller has.
pub(super) fn document(
    entry: &Entry<'_>,
    original: Position,
    header: &BusinessHeader<'_>,
    version: MessageType,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let message = Message::of(entry, original)?;
    carried(message.bytes(), header, version, out).map_err(|missing| RenderError::Evidence {
        position: original,
        missing,
    })
}

/// The original message: at hand, or read from the log.
enum Message<'a> {
    AtHand(&'a [u8]),
    Read(Bytes),
}

impl<'a> Message<'a> {
    fn of(entry: &Entry<'a>, position: Position) -> Result<Message<'a>, RenderError> {
        Ok(match entry.evidence {
            Some(bytes) => Message::AtHand(bytes),
            None => Message::Read(entry.records.evidence(position)?),
        })
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Message::AtHand(bytes) => bytes,
            Message::Read(bytes) => bytes,
        }
    }
}

/// Names what the original lacks.
type Carried = Result<(), &'static str>;

fn carried(
    message: &[u8],
    header: &BusinessHeader<'_>,
    version: MessageType,
    out: &mut Vec<u8>,
) -> Carried {
    let document = evidence::document(message).and_then(|range| message.get(range));
    write::forward(out, header, version, document.ok_or("Document")?);
    Ok(())
}

fn spliced(
    message: &[u8],
    header: &BusinessHeader<'_>,
    version: MessageType,
    (bic, iban): (Bic, Iban),
    out: &mut Vec<u8>,
) -> Carried {
    let document = evidence::document(message).ok_or("Document")?;
    let parts = evidence::phone_parts(message, &document).ok_or("payee given by phone")?;
    let phone = message
        .get(parts.phone)
        .and_then(|phone| std::str::from_utf8(phone).ok());
    let phone = phone.ok_or("readable phone")?.trim();
    let resolved = Resolved {
        bic: bic.as_str(),
        iban: iban.as_str(),
        phone,
    };
    let whole = write::forward_resolved(
        out,
        header,
        version,
        message,
        document,
        &parts.splice,
        &resolved,
    );
    whole.then_some(()).ok_or("agent and account to replace")
}
