//! Every limit of the port and its protocol, by name. `docs/hsm.md` repeats them for the reader outside.

/// The fixed part in front of every frame, in bytes.
pub const PREFIX_BYTES: usize = 20;
/// Largest whole frame, prefix included, in bytes.
pub const FRAME_BYTES_MAX: usize = 40 * 1024;
/// Most fields in one frame.
pub const FIELDS_MAX: usize = 32;
/// Longest text under a MAC, in bytes.
pub const MAC_DATA_BYTES_MAX: usize = 32 * 1024;
/// Longest key block, in characters.
pub const KEY_BLOCK_CHARS_MAX: usize = 1024;
/// Most optional blocks in the header of a key block.
pub const OPTIONAL_BLOCKS_MAX: u8 = 16;
/// Longest data in an echo, in bytes.
pub const ECHO_BYTES_MAX: usize = 64;
/// Longest name of an HSM, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 64;
/// Fewest digits of a PAN (ISO/IEC 7812-1).
pub const PAN_DIGITS_MIN: usize = 8;
/// Most digits of a PAN (ISO/IEC 7812-1).
pub const PAN_DIGITS_MAX: usize = 19;
/// Fewest bytes of a MAC that is verified: a shorter one is too easily guessed.
pub const MAC_BYTES_MIN: usize = 8;
/// Most bytes of a MAC.
pub const MAC_BYTES_MAX: usize = 16;

/// Most requests under way on one link, unless the configuration or the HSM says fewer.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 4096;
/// Unsent output above which a link takes no more requests, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 1024 * 1024;
/// Unread input that a link holds before it takes no more, in bytes.
pub const INPUT_BYTES_MAX: usize = 1024 * 1024;
/// Longest time that a request may wait for its answer, in nanoseconds; a later deadline counts as this one.
pub const REQUEST_NS_MAX: u64 = 30_000_000_000;
/// Time that a connection may take until the HSM has said who it is, in nanoseconds.
pub const CONNECT_NS_MAX: u64 = 2_000_000_000;
/// Idle time after which a link sends an echo, in nanoseconds.
pub const ECHO_NS: u64 = 5_000_000_000;
/// Silence of an HSM that has been asked something after which the connection is given up, in nanoseconds.
pub const SILENCE_NS_MAX: u64 = 3_000_000_000;
/// First pause before a new connection, in nanoseconds; doubles with every failure.
pub const RECONNECT_NS_MIN: u64 = 100_000_000;
/// Longest pause before a new connection, in nanoseconds.
pub const RECONNECT_NS_MAX: u64 = 5_000_000_000;
