//! How a message refers to the payment it is about.

/// Identifiers of an earlier payment (`Orgnl…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Original<'a> {
    /// MsgId of the payment's message.
    pub message_id: Option<&'a str>,
    /// Its message name, such as `pacs.008.001.10`. Written only together with `message_id`.
    pub message_name: Option<&'a str>,
    /// InstrId.
    pub instruction_id: Option<&'a str>,
    /// EndToEndId.
    pub end_to_end_id: Option<&'a str>,
    /// TxId.
    pub transaction_id: &'a str,
    /// UETR, lower case.
    pub uetr: &'a str,
}
