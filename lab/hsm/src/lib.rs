//! A payment HSM for laboratories: `torap hsm-sim`, a process of its own that answers the protocol of docs/hsm.md.
//!
//! Why it exists: tests, the demonstration and load runs need an HSM that behaves as one does. The rules
//! ([`machine`]) are those of a payment HSM: every key in a key block with its usage enforced, PIN blocks translated
//! for the same PAN only. Keys are held by a PKCS#11 token, SoftHSM2 ([`token`]); the same rules run in memory for
//! simulators ([`soft::SoftHsm`]), and simulated banks, which are their own HSM, use them through [`soft::BankKeys`].
//!
//! What it never is: secure. SoftHSM2 keeps its keys in files and in this process. Production needs a payment HSM;
//! docs/hsm.md says what to adapt. Clear zone keys and PINs exist inside this process alone, in buffers that are wiped;
//! no log line, error or `Debug` shows one.

pub mod behaviour;
pub mod ceremony;
pub mod client;
mod cmac;
pub mod host;
mod key_cache;
pub mod key_file;
mod key_rules;
#[cfg(test)]
mod known_answers;
mod mac;
pub mod machine;
mod pin_block;
mod pvv;
pub mod server;
pub mod soft;
#[cfg(test)]
mod test_token;
pub mod token;
mod tr31;
mod vault;

pub use machine::Machine;
pub use pin_block::{PIN_DIGITS_MAX, PIN_DIGITS_MIN, Pin};
pub use tr31::{Attributes, ClearKey};
pub use vault::{Cipher, Fault, Refusal, Vault};
