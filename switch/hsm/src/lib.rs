//! The port to a payment HSM: what the switch asks it, what it answers, and the link in between.
//!
//! Why it exists: PINs, MACs and keys are an HSM's business. The switch holds **key blocks** under the HSM's master
//! key ([`KeyRef`]) and **encrypted PIN blocks**; it asks for "translate this PIN block from that key to this one"
//! and never sees a clear PIN or a clear key. [`PaymentHsm`] is the port; [`HsmLink`] drives the protocol of
//! docs/hsm.md; another HSM is another implementation of the port.
//!
//! What it never does: no I/O, no clock, no randomness, no cryptography. A driver feeds bytes and time and takes
//! bytes and events; `now` is nanoseconds of any clock that never goes back. No `Debug` of this crate shows a PAN, a
//! PIN block, a MAC or the data under one.
//!
//! Rules: PIN blocks after ISO 9564-1 ([`pin::may_translate`]), key blocks after ASC X9 TR-31 / X9.143
//! ([`KeyBlock`]), MACs after ISO/IEC 9797-1 algorithm 3 and AES-CMAC ([`MacMethod`]), PIN verification values after
//! the Visa PVV method ([`Pvv`]).
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
mod open_enum;

pub mod key;
mod key_block;
pub mod limits;
mod link;
mod mac;
mod pan;
pub mod pin;
mod port;
mod request;
mod response;
mod status;
pub mod wire;

pub use key::{CheckValue, KeyAlgorithm, KeyExport, KeyMode, KeyUsage};
pub use key_block::{KeyBlock, KeyBlockError, KeyRef};
pub use link::{HsmLink, HsmLinkConfig};
pub use mac::{Mac, MacMethod, Padding};
pub use pan::{Pan, PanError};
pub use pin::{PinBlock, PinFormat, Pvv};
pub use port::{Answer, DownReason, Failure, HsmEvent, NotTaken, PaymentHsm, RequestId};
pub use request::{Command, KeySpec, PinSource, PinTarget, Request};
pub use response::{Diagnosis, NewKey, Response, Verdict};
pub use status::Status;
