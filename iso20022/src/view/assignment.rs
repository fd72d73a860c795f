//! Who asks whom in messages of the investigation and verification kind.

/// Assgnmt of camt.056, camt.029, acmt.023 and acmt.024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Assignment<'a> {
    /// Assgnmt/Id or Assgnmt/MsgId: the identifier of the message.
    pub id: &'a str,
    /// BIC of the sender of the question or answer.
    pub assigner: &'a str,
    /// BIC of the receiver.
    pub assignee: &'a str,
    /// CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
}
