//! Every bound of the parser, in one place. What exceeds one is refused with its name, never grown into.

/// Largest document, in bytes. The same figure as libxml2's look-ahead limit, so that the two agree on large documents.
pub const MESSAGE_BYTES_MAX: usize = 10_000_000;

/// Deepest element, the root being at depth 1. The figure at which libxml2 stops.
pub const DEPTH_MAX: usize = 257;

/// Attributes of one element, namespace declarations included.
pub const ATTRIBUTES_MAX: usize = 64;

/// Namespace declarations in scope at one place.
pub const NAMESPACES_MAX: usize = 256;

/// Length of a name, in bytes. The figure at which libxml2 stops.
pub const NAME_BYTES_MAX: usize = 50_000;

/// Elements of a foreign envelope around the header and the document, one inside the other.
pub const WRAPPERS_MAX: usize = 4;

/// Fields that one message definition may capture.
pub const CAPTURES_MAX: usize = 512;

/// Second and later occurrences of captured fields that one header or document remembers; the others are only counted.
pub const OCCURRENCES_MAX: usize = 512;

/// The limits of one parser that its owner may lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest document, in bytes.
    pub message_bytes_max: usize,
    /// Deepest element, the root being at depth 1.
    pub depth_max: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_bytes_max: MESSAGE_BYTES_MAX,
            depth_max: DEPTH_MAX,
            attributes_max: ATTRIBUTES_MAX,
        }
    }
}
