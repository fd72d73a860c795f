//! Every limit of a load run, by name.

/// Fewest banks: a payment has two sides in two banks.
pub const BANKS_MIN: usize = 2;
/// Most banks in one run.
pub const BANKS_MAX: usize = 32;
/// Customers over all banks, drawn uniformly for each payment.
pub const CUSTOMERS: u32 = 1 << 20;
/// Highest rate, in payments per second.
pub const RATE_MAX: u32 = 1_000_000;
/// Longest run, in seconds.
pub const DURATION_S_MAX: u64 = 7 * 24 * 3600;
/// Most payments without a final answer at a time.
pub const IN_FLIGHT_MAX: u32 = 1 << 20;
/// Time after the last payment was sent in which its final answer may come, in seconds.
pub const DRAIN_S: u64 = 15;
/// Of so many incoming messages one is parsed and validated in full, unless the plan says otherwise.
pub const CHECK_EVERY: u32 = 1000;
/// Decided payments that each bank remembers, so that a repeated final answer is compared with the first.
pub const DECIDED_KEPT: usize = 1 << 16;
/// Breaches that are kept with their text; the rest is counted.
pub const BREACHES_KEPT: usize = 20;
/// Codes of rejections that are told apart; further ones count as `other`.
pub const REJECTION_CODES_MAX: usize = 64;
/// Part of a message that is searched for its elements, in bytes.
pub const SCAN_BYTES_MAX: usize = 16 * 1024;
/// Links lost in one run before it is given up.
pub const LINKS_LOST_MAX: u64 = 1000;
/// Pause before a lost link is made again, in nanoseconds.
pub const RECONNECT_NS: u64 = 100_000_000;
/// Time in which a connection must be made, in nanoseconds.
pub const CONNECT_NS_MAX: u64 = 1_000_000_000;
/// Time in which all banks must have signed on, in nanoseconds.
pub const SIGN_ON_NS_MAX: u64 = 15_000_000_000;
/// Time that signing off may take at the end, in nanoseconds.
pub const SIGN_OFF_NS_MAX: u64 = 2_000_000_000;
/// Bytes read from a socket at once.
pub const READ_BYTES: usize = 256 * 1024;
/// Most links of one member of the card rail.
pub const CARD_LINKS_MAX: usize = 16;
