//! Answers as frames.

use bytes::BytesMut;

use super::field::{Field, Fields};
use super::frame::{Frame, FrameWriter, Kind, VERSION};
use crate::key::CheckValue;
use crate::limits::{ECHO_BYTES_MAX, NAME_BYTES_MAX};
use crate::mac::Mac;
use crate::request::Command;
use crate::response::{Diagnosis, NewKey, Response, Verdict};
use crate::status::Status;

/// An answer that breaks the protocol; who sent it cannot be trusted with more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecodable;

/// Writes the answer to the request with this correlation as one frame at the end of `out`. An answer whose echo or
/// name is above its limit is cut to it.
pub fn encode_response(
    command: Command,
    correlation: u64,
    answer: &Result<Response, Status>,
    out: &mut BytesMut,
) {
    let status = answer
        .as_ref()
        .map_or_else(|status| *status, |_| Status::Done);
    let mut frame = FrameWriter::begin(out, Kind::Response, command, status, correlation);
    match answer {
        Err(_) => {}
        Ok(Response::Echo(data)) => {
            frame.field(Field::Data, data.get(..ECHO_BYTES_MAX).unwrap_or(data));
        }
        Ok(Response::Diagnose(diagnosis)) => {
            let mut end = diagnosis.name.len().min(NAME_BYTES_MAX);
            while !diagnosis.name.is_char_boundary(end) {
                end = end.saturating_sub(1);
            }
            let name = diagnosis.name.get(..end).unwrap_or_default();
            frame.field(Field::Name, name.as_bytes());
            frame.field(Field::CheckValue, diagnosis.master_key.as_bytes());
            frame.field(Field::InFlightMax, &diagnosis.in_flight_max.to_be_bytes());
        }
        Ok(Response::TranslatePin(block)) => frame.field(Field::PinBlock, block.as_bytes()),
        Ok(Response::VerifyPin(verdict) | Response::VerifyMac(verdict)) => {
            let number = match verdict {
                Verdict::Right => 1,
                Verdict::Wrong => 2,
            };
            frame.field(Field::Verdict, &[number]);
        }
        Ok(Response::GenerateMac(mac)) => frame.field(Field::Mac, mac.as_bytes()),
        Ok(Response::ImportKey(key) | Response::ExportKey(key) | Response::GenerateKey(key)) => {
            frame.field(Field::Block, key.block.as_str().as_bytes());
            frame.field(Field::CheckValue, key.check_value.as_bytes());
        }
        Ok(Response::CheckKey(value)) => frame.field(Field::CheckValue, value.as_bytes()),
    }
    frame.finish();
}

/// Reads the answer in a frame: the response, or the status by which the HSM refused.
///
/// # Errors
/// [`Undecodable`]: it is no answer of this protocol.
pub fn decode_response(frame: &Frame<'_>) -> Result<Result<Response, Status>, Undecodable> {
    if frame.kind != Kind::Response || frame.version != VERSION {
        return Err(Undecodable);
    }
    if frame.status != Status::Done {
        return Ok(Err(frame.status));
    }
    let fields = Fields::read(frame.fields).map_err(|_| Undecodable)?;
    read(frame.command, &fields)
        .map(Ok)
        .map_err(|_| Undecodable)
}

fn read(command: Command, fields: &Fields<'_>) -> Result<Response, Status> {
    Ok(match command {
        Command::Echo => Response::Echo(fields.bytes_upto(Field::Data, ECHO_BYTES_MAX)?.to_vec()),
        Command::Diagnose => Response::Diagnose(Diagnosis {
            name: fields.text(Field::Name, NAME_BYTES_MAX)?.to_owned(),
            master_key: check_value(fields)?,
            in_flight_max: fields.array(Field::InFlightMax).map(u32::from_be_bytes)?,
        }),
        Command::TranslatePin => Response::TranslatePin(fields.pin_block()?),
        Command::VerifyPin => Response::VerifyPin(verdict(fields)?),
        Command::GenerateMac => {
            let mac = Mac::from_bytes(fields.bytes(Field::Mac)?);
            Response::GenerateMac(mac.ok_or(Status::Malformed)?)
        }
        Command::VerifyMac => Response::VerifyMac(verdict(fields)?),
        Command::ImportKey => Response::ImportKey(new_key(fields)?),
        Command::ExportKey => Response::ExportKey(new_key(fields)?),
        Command::GenerateKey => Response::GenerateKey(new_key(fields)?),
        Command::CheckKey => Response::CheckKey(check_value(fields)?),
        Command::Other(_) => return Err(Status::UnknownCommand),
    })
}

fn new_key(fields: &Fields<'_>) -> Result<NewKey, Status> {
    Ok(NewKey {
        block: fields.key_block(Field::Block)?.to_ref(),
        check_value: check_value(fields)?,
    })
}

fn check_value(fields: &Fields<'_>) -> Result<CheckValue, Status> {
    CheckValue::from_bytes(fields.bytes(Field::CheckValue)?).ok_or(Status::Malformed)
}

fn verdict(fields: &Fields<'_>) -> Result<Verdict, Status> {
    match fields.u8(Field::Verdict)? {
        1 => Ok(Verdict::Right),
        2 => Ok(Verdict::Wrong),
        _ => Err(Status::Malformed),
    }
}
