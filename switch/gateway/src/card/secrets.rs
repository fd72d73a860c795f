//! What only the memory holds of a message that makes another one: the message itself, and its PIN block translated for the issuer.
//!
//! ```text
//! version 1 | bytes of the PIN block 0, 8 or 16 | its format | key set, u32 | room for 16 bytes | message
//! ```

use bytes::Bytes;
use torap_hsm::{PinBlock, PinFormat};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 1 + 1 + 4 + 16;

/// A PIN block for the receiver of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedPin {
    /// Its format.
    pub format: PinFormat,
    /// The receiver's key set that it is under.
    pub set: u32,
    /// The block.
    pub block: PinBlock,
}

/// What the next message is made of.
#[derive(Clone, PartialEq, Eq)]
pub struct Forwardable<'a> {
    /// The PIN block for the receiver, if there was one.
    pub pin: Option<ForwardedPin>,
    /// The message as it came.
    pub message: &'a [u8],
}

/// Secrets of a message, for now without a PIN block.
pub(super) fn begin(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + message.len());
    out.extend_from_slice(&[VERSION]);
    out.resize(HEAD_BYTES, 0);
    out.extend_from_slice(message);
    out
}

/// Puts a PIN block into the secrets that [`begin`] began.
pub(super) fn set_pin(secrets: &mut [u8], pin: &ForwardedPin) {
    let block = pin.block.as_bytes();
    let Some((_, [length, format, set @ ..])) = secrets
        .split_at_mut_checked(1)
        .and_then(|(version, rest)| Some((version, rest.first_chunk_mut::<{ HEAD_BYTES - 1 }>()?)))
    else {
        return;
    };
    // 8 or 16.
    *length = block.len() as u8;
    *format = pin.format.code();
    let (set, room) = set.split_at_mut(4);
    set.copy_from_slice(&pin.set.to_le_bytes());
    if let Some(room) = room.get_mut(..block.len()) {
        room.copy_from_slice(block);
    }
}

/// Reads secrets; `None` if there are none, as after a restart.
pub fn read(secrets: &Bytes) -> Option<Forwardable<'_>> {
    let (head, message) = secrets.split_first_chunk::<HEAD_BYTES>()?;
    let [VERSION, length, format, s0, s1, s2, s3, block @ ..] = head else {
        return None;
    };
    let pin = block
        .get(..usize::from(*length))
        .and_then(PinBlock::from_bytes)
        .map(|block| ForwardedPin {
            format: PinFormat::from_code(*format),
            set: u32::from_le_bytes([*s0, *s1, *s2, *s3]),
            block,
        });
    Some(Forwardable { pin, message })
}

impl std::fmt::Debug for Forwardable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forwardable")
            .field("pin", &self.pin)
            .field("message", &self.message.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
