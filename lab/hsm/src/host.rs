//! An HSM's side of a connection without I/O: bytes in, bytes out.

use bytes::{Buf, BytesMut};
use torap_hsm::wire::{Frame, FrameError, Kind, decode_request, encode_response};
use torap_hsm::{Response, Status};

use crate::machine::Machine;
use crate::vault::{Fault, Refusal, Vault};

/// Answers every whole request in `input` at the end of `out`, in order. Returns how many.
///
/// # Errors
/// What came is no request of this protocol; the connection has to be closed. Answers before it stand in `out`.
pub fn serve<V: Vault>(
    machine: &mut Machine<V>,
    input: &mut BytesMut,
    out: &mut BytesMut,
    mut on_fault: impl FnMut(&Fault),
) -> Result<usize, FrameError> {
    let mut served = 0;
    while let Some((frame, length)) = Frame::first(input)? {
        if frame.kind != Kind::Request {
            return Err(FrameError {
                offset: 5,
                rule: "an HSM takes requests",
            });
        }
        let answer = answer(machine, &frame, &mut on_fault);
        encode_response(frame.command, frame.correlation, &answer, out);
        input.advance(length);
        served += 1;
    }
    Ok(served)
}

fn answer<V: Vault>(
    machine: &mut Machine<V>,
    frame: &Frame<'_>,
    on_fault: &mut impl FnMut(&Fault),
) -> Result<Response, Status> {
    let request = decode_request(frame)?;
    machine.execute(&request).map_err(|refusal| match refusal {
        Refusal::Status(status) => status,
        Refusal::Fault(fault) => {
            on_fault(&fault);
            Status::InternalFault
        }
    })
}
