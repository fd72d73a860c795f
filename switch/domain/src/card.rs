//! The words of card traffic: numbers of a card that may be kept, fields that name a message, services, reasons.
//!
//! Why it exists: no type of this module can hold a whole card number, a PIN or a track, so nothing that is made of them can
//! show one. What a message carries beyond that stays in its bytes.

pub mod ids;
pub mod reason;
pub mod service;

pub use ids::{
    ApprovalCode, CardHash, CardIdError, InstitutionId, Mcc, MonthDay, Prefix, ResponseCode, Stan,
    Transmission, TruncatedPan,
};
pub use reason::CardReason;
pub use service::{CardService, Channel, Direction, EntryMode};
