//! The calls by which a driver moves a session, the same for both ends; written once.

/// Gives a session that has a `link` the calls of both ends.
macro_rules! link_methods {
    ($session:ident) => {
        impl $session {
            /// Takes bytes from the stream by copying them. Returns how many were taken: fewer than offered
            /// only when [`INPUT_BYTES_MAX`](crate::wire::limits::INPUT_BYTES_MAX) bytes wait to be decoded
            /// (in the switch, before sign-on, `SIGN_ON_FRAME_BYTES_MAX`); offer the rest again after polling
            /// events.
            #[must_use = "bytes that were not taken have to be offered again"]
            pub fn handle_bytes(&mut self, bytes: &[u8], now: u64) -> usize {
                self.link.handle_bytes(bytes, now)
            }

            /// The buffer into which a driver reads the socket, without a copy; then [`Self::handle_input`].
            /// Read only while [`Self::wants_input`].
            pub fn input(&mut self) -> &mut BytesMut {
                self.link.input()
            }

            /// Bytes were read into [`Self::input`].
            pub fn handle_input(&mut self, now: u64) {
                self.link.handle_input(now);
            }

            /// The stream ended or broke. What was read before is still delivered, then `Closed`.
            pub fn handle_end(&mut self, now: u64) {
                self.link.handle_end(now);
            }

            /// Whether the socket should be read now: not while paused, full or closed.
            pub fn wants_input(&mut self) -> bool {
                self.link.wants_input()
            }

            /// Moves all pending output to the end of `out`: a swap without a copy when `out` is empty. Call
            /// it when the last output is written; reuse one buffer per link. True if there is something.
            pub fn poll_output(&mut self, out: &mut BytesMut, now: u64) -> bool {
                self.link.poll_output(out, now)
            }

            /// When [`Self::handle_timeout`] wants to be called next; ask again after every other call.
            pub fn poll_timeout(&mut self) -> Option<u64> {
                self.link.poll_timeout()
            }

            /// Does what time demands: heartbeat, acknowledgement, giving up.
            pub fn handle_timeout(&mut self, now: u64) {
                self.link.handle_timeout(now);
            }

            /// Holds the intake back: nothing is decoded, and the peer's silence does not count.
            pub fn pause(&mut self) {
                self.link.pause();
            }

            /// Ends [`Self::pause`]; poll events afterwards.
            pub fn resume(&mut self) {
                self.link.resume();
            }

            /// What may be sent now; `None` when the window or the output is full or the session is not open.
            pub fn wants(&self) -> Option<Wants> {
                self.link.wants()
            }

            /// Sends a message; its body is copied into the output.
            ///
            /// # Errors
            /// Nothing was sent; [`SendError`] says why.
            pub fn send(
                &mut self,
                sequence: Sequence,
                message: &Outgoing<'_>,
            ) -> Result<(), SendError> {
                self.link.send(sequence, message)
            }

            /// Ends the session in good order; `moved` says where the service went, as `host:port`, if it
            /// did. What the peer sent meanwhile is still taken, until its own SIGN_OFF or five seconds.
            ///
            /// # Panics
            /// If there are more or longer addresses than the limits allow.
            pub fn sign_off(&mut self, moved: &[String]) {
                self.link.sign_off(moved);
            }

            /// Whether the session is over: only pending output and events remain.
            pub fn is_closed(&self) -> bool {
                self.link.is_closed()
            }
        }
    };
}
