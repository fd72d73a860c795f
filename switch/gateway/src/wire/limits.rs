//! Every limit of the wire and of a session, by name. `docs/wire.md` repeats them for the reader outside.

/// The fixed part in front of every frame, in bytes.
pub const PREFIX_BYTES: usize = 12;
/// Largest whole frame: prefix, headers and body, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Largest frame before sign-on is complete, in bytes: a stranger cannot make the switch hold more.
pub const SIGN_ON_FRAME_BYTES_MAX: usize = 4 * 1024;
/// Largest header block of a frame, in bytes.
pub const HEADERS_BYTES_MAX: usize = 8 * 1024;
/// Most headers in one frame.
pub const HEADERS_MAX: usize = 64;
/// Tag and length in front of a header's value, in bytes.
pub const HEADER_PREFIX_BYTES: usize = 4;
/// The MAC header at the end of SIGN_ON and SIGNED_ON: tag, length and 32 bytes.
pub const MAC_HEADER_BYTES: usize = HEADER_PREFIX_BYTES + 32;
/// Largest body that a writer of ours puts into one frame, in bytes; a longer message is split.
pub const FRAME_BODY_BYTES_MAX: usize = 48 * 1024;
/// Largest message of the switch after reassembly, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// What the switch may add to a bank's message when it passes it on, in bytes: an Envelope and a header of its own, bank and account
/// of a payment by phone, references and escapes in a message that it writes anew from up to 64 items.
pub const FORWARD_HEADROOM_BYTES: usize = 64 * 1024;
/// Largest message that a bank may send, in bytes: whatever is taken in fits when it is passed on.
pub const BANK_MESSAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX - FORWARD_HEADROOM_BYTES;
/// Longest correlation, in bytes.
pub const CORRELATION_BYTES_MAX: usize = 64;
/// Longest detached signature, in bytes.
pub const SIGNATURE_BYTES_MAX: usize = 4 * 1024;
/// Longest text of an ERROR, in bytes of UTF-8.
pub const TEXT_BYTES_MAX: usize = 256;
/// Longest participant or switch name, in ASCII characters.
pub const NAME_BYTES_MAX: usize = 35;
/// Most BICs that one session speaks for.
pub const BICS_MAX: usize = 16;
/// Longest address in a SIGN_OFF, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 128;
/// Most addresses in a SIGN_OFF.
pub const ADDRESSES_MAX: usize = 8;
/// Longest TLS channel binding, in bytes.
pub const CHANNEL_BINDING_BYTES_MAX: usize = 64;

/// Messages that a receiver is ready to hold unacknowledged, unless it says otherwise at sign-on.
pub const WINDOW_MESSAGES: u32 = 8192;
/// Bytes of bodies that a receiver is ready to hold unacknowledged, unless it says otherwise at sign-on.
pub const WINDOW_BYTES: u32 = 16 * 1024 * 1024;
/// Unread input that a session holds before it takes no more, in bytes.
pub const INPUT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Unsent output above which a session takes no more messages to send, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 1024 * 1024;
/// Frames refused on a living link before the link is given up.
pub const REFUSALS_MAX: u32 = 256;

/// Time from connection to the end of sign-on, in nanoseconds.
pub const SIGN_ON_NS_MAX: u64 = 10_000_000_000;
/// Idle time after which a side sends HEARTBEAT unless agreed otherwise, in milliseconds.
pub const HEARTBEAT_MS: u32 = 5_000;
/// Shortest heartbeat that a bank may ask for, in milliseconds.
pub const HEARTBEAT_MS_MIN: u32 = 1_000;
/// Longest heartbeat that a bank may ask for, in milliseconds.
pub const HEARTBEAT_MS_MAX: u32 = 30_000;
/// A peer that is silent for this many heartbeats is dead.
pub const SILENT_HEARTBEATS: u64 = 3;
/// Time without acknowledgement progress after which a reader is too slow, in nanoseconds.
pub const PROGRESS_NS_MAX: u64 = 30_000_000_000;
/// Time that the answer to a SIGN_OFF may take, in nanoseconds.
pub const SIGN_OFF_NS_MAX: u64 = 5_000_000_000;
/// A bank acknowledges at the latest after this many confirmed messages.
pub const ACKNOWLEDGE_EVERY: u32 = 32;
/// A bank acknowledges at the latest this long after a confirmation, in nanoseconds.
pub const ACKNOWLEDGE_DELAY_NS: u64 = 20_000_000;
