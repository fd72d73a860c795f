//! Commands about dynamic QR codes: a merchant's bank registers a code before it is shown; it is paid at most once.

use torap_domain::{Iban, MessageId, Money, QrId, Time};

use crate::Source;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    pub source: Source,
    pub reference: MessageId,
    pub id: QrId,
    pub merchant_account: Iban,
    pub amount: Money,
    pub expires: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Register(Register),
    /// Withdraws a code that is not being paid.
    Cancel {
        source: Source,
        reference: MessageId,
        id: QrId,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Register(register) => &register.source,
            Command::Cancel { source, .. } => source,
        }
    }
}
