//! A whole HSM in memory, without a socket.

use std::fmt;

use bytes::BytesMut;
use torap_hsm::wire::FrameError;
use torap_hsm::{Request, Response, Status};

use super::SoftVault;
use crate::host;
use crate::machine::Machine;
use crate::vault::{Fault, Refusal};

/// Answers as `torap hsm-sim` does, by the same rules, deterministically. For simulators and tests.
///
/// ```
/// use torap_hsm::{Request, Response};
/// use torap_hsm_sim::soft::SoftHsm;
///
/// let mut hsm = SoftHsm::new(&[7; 32], [1; 32]).unwrap();
/// let answer = hsm.execute(&Request::Echo(b"are you there")).unwrap();
/// assert!(matches!(answer, Response::Echo(data) if data == b"are you there"));
/// ```
pub struct SoftHsm(Machine<SoftVault>);

impl SoftHsm {
    /// An HSM with this master key; `seed` makes everything random.
    ///
    /// # Errors
    /// Never with a master key of 32 bytes; the vault's signature allows it.
    pub fn new(master: &[u8; 32], seed: [u8; 32]) -> Result<SoftHsm, Fault> {
        Machine::new(SoftVault::with_master(master, seed)?).map(SoftHsm)
    }

    /// Does what it is asked.
    ///
    /// # Errors
    /// The status that it would answer with.
    pub fn execute(&mut self, request: &Request<'_>) -> Result<Response, Status> {
        self.0.execute(request).map_err(|refusal| match refusal {
            Refusal::Status(status) => status,
            Refusal::Fault(_) => Status::InternalFault,
        })
    }

    /// Answers every whole request in `input` at the end of `out`, in order. Returns how many.
    ///
    /// # Errors
    /// What came is no request; the connection has to be closed.
    pub fn serve(&mut self, input: &mut BytesMut, out: &mut BytesMut) -> Result<usize, FrameError> {
        host::serve(&mut self.0, input, out, |_| {})
    }

    /// The machine, for a key ceremony.
    pub fn machine(&self) -> &Machine<SoftVault> {
        &self.0
    }
}

impl fmt::Debug for SoftHsm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftHsm(…)")
    }
}
