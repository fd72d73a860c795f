//! Which message a document is: definition and version.

use std::fmt;

use crate::generated::MESSAGES;
use crate::schema::MessageTable;

pub use crate::generated::MessageKind;

/// One version of one message definition, such as `pacs.008.001.10`. The versions known are the XSDs that the tables were
/// generated from; each has a constant here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(pub(crate) u8);

impl MessageType {
    /// Every message version known, ordered by identifier.
    pub fn all() -> impl ExactSizeIterator<Item = MessageType> {
        // The generator refuses more messages than a byte can number.
        (0..MESSAGES.len()).map(|index| MessageType(index as u8))
    }

    /// The version with this identifier, such as `pacs.008.001.10`.
    pub fn from_identifier(identifier: &str) -> Option<MessageType> {
        MessageType::all().find(|message| message.as_str() == identifier)
    }

    /// The version whose XSD has this target namespace.
    pub fn from_namespace(namespace: &[u8]) -> Option<MessageType> {
        let identifier = namespace.strip_prefix(NAMESPACE_PREFIX)?;
        MessageType::all().find(|message| message.as_str().as_bytes() == identifier)
    }

    /// Message identifier, such as `pacs.008.001.10`.
    pub fn as_str(self) -> &'static str {
        self.table().identifier
    }

    /// Target namespace of the XSD.
    pub fn namespace(self) -> &'static str {
        self.table().namespace
    }

    /// The definition this is a version of.
    pub fn kind(self) -> MessageKind {
        self.table().kind
    }

    /// Name of the root element: `Document` or `AppHdr`.
    pub fn root_element(self) -> &'static str {
        self.table().root.name
    }

    /// The table generated from the XSD.
    pub fn table(self) -> &'static MessageTable {
        // Values are made only from indices of MESSAGES: here and in the generated constants.
        MESSAGES[usize::from(self.0)]
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl MessageKind {
    /// The versions known of this definition, oldest first.
    pub fn versions(self) -> impl Iterator<Item = MessageType> {
        MessageType::all().filter(move |message| message.kind() == self)
    }

    /// Name of the root element: `Document`, or `AppHdr` for the business application header.
    pub fn root_element(self) -> &'static str {
        if self.as_str().starts_with("head.") {
            "AppHdr"
        } else {
            "Document"
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was found in one input: a message, a header, or a header and its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageLabel {
    /// The business application header.
    pub header: Option<MessageType>,
    /// The message.
    pub document: Option<MessageType>,
}

impl fmt::Display for MessageLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.header, self.document) {
            (Some(header), Some(document)) => write!(f, "{header}+{document}"),
            (Some(one), None) | (None, Some(one)) => write!(f, "{one}"),
            (None, None) => Ok(()),
        }
    }
}

/// What the target namespace of every ISO 20022 XSD begins with.
pub(crate) const NAMESPACE_PREFIX: &[u8] = b"urn:iso:std:iso:20022:tech:xsd:";
