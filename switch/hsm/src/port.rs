//! The port itself: what every adapter to an HSM offers to the switch.

use bytes::BytesMut;

use crate::request::{Command, Request};
use crate::response::{Diagnosis, Response};
use crate::status::Status;

/// Names one request of one adapter; rises with every request and is never used again, also after a reconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Why a request was not taken. Nothing was sent; no answer will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no HSM at the moment.
    Down,
    /// As many requests as allowed are under way, or the output is full.
    Full,
    /// Its deadline has passed already.
    TooLate,
    /// Echo data or the text under a MAC is longer than its limit.
    TooLong,
}

/// Why a request that was taken came to nothing. What needed the HSM is refused (DE39 96); it is not sent again by
/// the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The HSM refused.
    Refused(Status),
    /// No answer by the deadline. A later one is dropped.
    TimedOut,
    /// The connection broke before the answer.
    LinkLost,
    /// The answer could not be understood; the connection is given up.
    Unintelligible,
}

/// The end of a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Which request.
    pub id: RequestId,
    /// What it was.
    pub command: Command,
    /// When it was taken, in the driver's nanoseconds.
    pub asked_at: u64,
    /// What came of it.
    pub outcome: Result<Response, Failure>,
}

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownReason {
    /// It could not be made, or the HSM did not say in time who it is.
    Unreachable,
    /// It ended.
    LinkLost,
    /// The HSM was asked and said nothing for too long.
    Silent,
    /// The HSM sent what cannot be understood.
    Unintelligible,
}

/// What the driver has to know or to do.
#[derive(Debug, Clone)]
pub enum HsmEvent {
    /// Make a connection now; then call `handle_connected`, or `handle_end` if that failed.
    Connect,
    /// Close the connection, if there still is one; there will be a `Connect` later.
    Disconnect(DownReason),
    /// The HSM has said who it is; requests are taken.
    Up(Diagnosis),
    /// A request is over. Every request that was taken gets exactly one.
    Answer(Answer),
}

/// A payment HSM as the switch sees it: asynchronous, bounded, never blocking. An adapter is a state machine without
/// I/O; a driver owns its socket and its clock. `now` is nanoseconds of any clock that never goes back.
///
/// One turn of a driver:
/// ```text
/// read the socket → handle_bytes(now) → poll_event() until None → request()… → poll_output() → write the socket
/// and handle_timeout(now) when poll_timeout() has come
/// ```
pub trait PaymentHsm {
    /// Asks. The answer comes as an event, at the latest soon after `deadline`.
    ///
    /// # Errors
    /// [`NotTaken`]: nothing was sent.
    fn request(
        &mut self,
        request: &Request<'_>,
        deadline: u64,
        now: u64,
    ) -> Result<RequestId, NotTaken>;

    /// Whether a request would be taken now.
    fn takes_requests(&self) -> bool;

    /// Requests under way, the adapter's own echo included.
    fn in_flight(&self) -> usize;

    /// The connection wished by [`HsmEvent::Connect`] stands.
    fn handle_connected(&mut self, now: u64);

    /// Takes bytes from the connection by copying them. Returns how many: fewer than offered only when the input is
    /// full; offer the rest again after polling events.
    #[must_use = "bytes that were not taken have to be offered again"]
    fn handle_bytes(&mut self, bytes: &[u8], now: u64) -> usize;

    /// The connection ended, broke or could not be made. What was read before is still delivered.
    fn handle_end(&mut self, now: u64);

    /// Does what time demands: deadlines, echo, giving up, connecting again.
    fn handle_timeout(&mut self, now: u64);

    /// When `handle_timeout` wants to be called next; ask again after every other call.
    fn poll_timeout(&self) -> Option<u64>;

    /// What happened next; call until `None`.
    fn poll_event(&mut self) -> Option<HsmEvent>;

    /// Moves all pending output to the end of `out`; true if there is something. The bytes hold PANs and encrypted
    /// PIN blocks: the driver wipes `out` once it is written.
    fn poll_output(&mut self, out: &mut BytesMut) -> bool;
}
