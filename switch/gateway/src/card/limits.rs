//! Every limit of a card link, by name. `docs/cards.md` repeats them for the reader outside.

/// Largest message behind a length header and a TPDU, in bytes. The longest message of the dialects is well below.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// Most bytes of a TPDU.
pub const TPDU_BYTES: usize = 5;
/// Unread input that a link holds before it takes no more, in bytes.
pub const INPUT_BYTES_MAX: usize = 256 * 1024;
/// Unsent output above which a link takes no more messages to send, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 256 * 1024;
/// Keep-alives in a row, without a message between them, after which the link is closed: nobody needs so many.
pub const KEEP_ALIVES_IN_A_ROW_MAX: u32 = 10_000;

/// Time from the connection to the participant's sign-on, in nanoseconds.
pub const SIGN_ON_NS_MAX: u64 = 30_000_000_000;
/// Time without a sent frame after which a keep-alive is sent, in nanoseconds, unless configured otherwise.
pub const KEEP_ALIVE_NS: u64 = 15_000_000_000;
/// Time without a received frame after which the link asks for an echo, in nanoseconds, unless configured otherwise.
pub const ECHO_IDLE_NS: u64 = 30_000_000_000;
/// Time that the answer to an echo may take, in nanoseconds, unless configured otherwise.
pub const ECHO_ANSWER_NS_MAX: u64 = 10_000_000_000;
/// Time in which unsent output has to move, in nanoseconds: a host that reads nothing for so long is given up.
pub const PROGRESS_NS_MAX: u64 = 30_000_000_000;
/// Time that the answer to a sign-off may take, in nanoseconds.
pub const SIGN_OFF_NS_MAX: u64 = 5_000_000_000;
/// Messages in a row that could not be read as messages, after which the link is closed.
pub const UNREADABLE_IN_A_ROW_MAX: u32 = 64;
