//! The words every other crate of the switch speaks: money, identifiers, time, calendar, reasons, QR codes, cards.
//!
//! Why it exists: text from outside is parsed here once, into types that cannot hold a wrong value, so that no
//! later crate checks an IBAN, a phone number or a check digit again. What is used per payment is `Copy` and
//! allocates nothing.
//!
//! It never reads a clock, a file, a socket or randomness, and it depends on no other crate of the switch.
//! Every parser refuses with an enum whose variant names the broken rule; `rule()` gives its kebab-case name.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic
    )
)]

#[macro_use]
mod rule;
mod digits;

pub mod bic;
pub mod calendar;
pub mod card;
pub mod codes;
pub mod iban;
pub mod ids;
pub mod iin;
pub mod money;
pub mod phone;
pub mod qr;
pub mod reason;
pub mod service;
pub mod text;
pub mod time;
pub mod uetr;

pub use bic::{Bic, BicError};
pub use calendar::{Calendar, DayOverride, FixedHoliday};
pub use card::{CardReason, CardService};
pub use codes::{CodeError, Knp, SectorCode};
pub use iban::{BankCode, Iban, IbanError};
pub use ids::{
    CancellationId, CaseId, ClaimId, EndToEndId, Epoch, IdError, InstructionId, MessageId,
    ParticipantId, Position, QrId, ResolutionId, ReturnId, Sequence, StatusId, TransactionId,
};
pub use iin::{IinBin, IinBinError, PartyKind};
pub use money::{Asset, Money, MoneyError};
pub use phone::{Phone, PhoneError};
pub use reason::{Actor, Reason};
pub use service::Service;
pub use text::{Text, TextError};
pub use time::{Date, Span, Time, TimeError, Weekday};
pub use uetr::{Uetr, UetrError};
