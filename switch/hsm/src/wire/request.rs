//! Requests as frames.

use bytes::BytesMut;

use super::field::{Field, Fields};
use super::frame::{Frame, FrameWriter, Kind, VERSION};
use crate::key::{KeyAlgorithm, KeyExport, KeyMode, KeyUsage};
use crate::limits::{ECHO_BYTES_MAX, MAC_DATA_BYTES_MAX};
use crate::mac::{Mac, MacMethod};
use crate::pin::Pvv;
use crate::port::NotTaken;
use crate::request::{Command, KeySpec, PinSource, PinTarget, Request};
use crate::status::Status;

/// Writes a request as one frame at the end of `out`.
///
/// # Errors
/// [`NotTaken::TooLong`]: echo data or the text under a MAC is above its limit; nothing was written.
pub fn encode_request(
    request: &Request<'_>,
    correlation: u64,
    out: &mut BytesMut,
) -> Result<(), NotTaken> {
    match request {
        Request::Echo(data) if data.len() > ECHO_BYTES_MAX => return Err(NotTaken::TooLong),
        Request::GenerateMac { data, .. } | Request::VerifyMac { data, .. }
            if data.len() > MAC_DATA_BYTES_MAX =>
        {
            return Err(NotTaken::TooLong);
        }
        _ => {}
    }
    let command = request.command();
    let mut frame = FrameWriter::begin(out, Kind::Request, command, Status::Done, correlation);
    match request {
        Request::Echo(data) => frame.field(Field::Data, data),
        Request::Diagnose => {}
        Request::TranslatePin { from, to, pan } => {
            write_source(&mut frame, from);
            frame.field(Field::TargetKey, to.key.as_str().as_bytes());
            frame.field(Field::TargetFormat, &[to.format.code()]);
            frame.field(Field::Pan, pan.digits());
        }
        Request::VerifyPin {
            from,
            pan,
            pvk,
            pvv,
        } => {
            write_source(&mut frame, from);
            frame.field(Field::PinKey, pvk.as_str().as_bytes());
            frame.field(Field::Pan, pan.digits());
            let [d0, d1, d2, d3] = *pvv.digits();
            frame.field(Field::Pvv, &[pvv.index(), d0, d1, d2, d3]);
        }
        Request::GenerateMac { key, method, data } => {
            frame.field(Field::Key, key.as_str().as_bytes());
            frame.field(Field::Method, &[method.number()]);
            frame.field(Field::Data, data);
        }
        Request::VerifyMac {
            key,
            method,
            data,
            mac,
        } => {
            frame.field(Field::Key, key.as_str().as_bytes());
            frame.field(Field::Method, &[method.number()]);
            frame.field(Field::Data, data);
            frame.field(Field::Mac, mac.as_bytes());
        }
        Request::ImportKey { kek, block } => {
            frame.field(Field::Kek, kek.as_str().as_bytes());
            frame.field(Field::Block, block.as_str().as_bytes());
        }
        Request::ExportKey { kek, key } => {
            frame.field(Field::Kek, kek.as_str().as_bytes());
            frame.field(Field::Key, key.as_str().as_bytes());
        }
        Request::GenerateKey(spec) => write_spec(&mut frame, spec),
        Request::CheckKey(key) => frame.field(Field::Key, key.as_str().as_bytes()),
    }
    frame.finish();
    Ok(())
}

fn write_source(frame: &mut FrameWriter<'_>, from: &PinSource<'_>) {
    frame.field(Field::Key, from.key.as_str().as_bytes());
    frame.field(Field::Format, &[from.format.code()]);
    frame.field(Field::PinBlock, from.block.as_bytes());
}

fn write_spec(frame: &mut FrameWriter<'_>, spec: &KeySpec) {
    frame.field(Field::Usage, &spec.usage.code());
    frame.field(Field::Algorithm, &[spec.algorithm.code()]);
    frame.field(Field::Bits, &spec.bits.to_be_bytes());
    frame.field(Field::Mode, &[spec.mode.code()]);
    frame.field(Field::Export, &[spec.export.code()]);
}

/// Reads the request in a frame, without copying.
///
/// # Errors
/// What the HSM answers instead: [`Status`].
pub fn decode_request<'a>(frame: &Frame<'a>) -> Result<Request<'a>, Status> {
    if frame.version != VERSION {
        return Err(Status::UnsupportedVersion);
    }
    let fields = Fields::read(frame.fields)?;
    Ok(match frame.command {
        Command::Echo => Request::Echo(fields.bytes_upto(Field::Data, ECHO_BYTES_MAX)?),
        Command::Diagnose => Request::Diagnose,
        Command::TranslatePin => Request::TranslatePin {
            from: read_source(&fields)?,
            to: PinTarget {
                key: fields.key_block(Field::TargetKey)?,
                format: fields.format(Field::TargetFormat)?,
            },
            pan: fields.pan()?,
        },
        Command::VerifyPin => Request::VerifyPin {
            from: read_source(&fields)?,
            pan: fields.pan()?,
            pvk: fields.key_block(Field::PinKey)?,
            pvv: read_pvv(&fields)?,
        },
        Command::GenerateMac => Request::GenerateMac {
            key: fields.key_block(Field::Key)?,
            method: read_method(&fields)?,
            data: fields.bytes_upto(Field::Data, MAC_DATA_BYTES_MAX)?,
        },
        Command::VerifyMac => Request::VerifyMac {
            key: fields.key_block(Field::Key)?,
            method: read_method(&fields)?,
            data: fields.bytes_upto(Field::Data, MAC_DATA_BYTES_MAX)?,
            mac: Mac::from_bytes(fields.bytes(Field::Mac)?).ok_or(Status::Malformed)?,
        },
        Command::ImportKey => Request::ImportKey {
            kek: fields.key_block(Field::Kek)?,
            block: fields.key_block(Field::Block)?,
        },
        Command::ExportKey => Request::ExportKey {
            kek: fields.key_block(Field::Kek)?,
            key: fields.key_block(Field::Key)?,
        },
        Command::GenerateKey => Request::GenerateKey(KeySpec {
            usage: KeyUsage::from_code(fields.array(Field::Usage)?),
            algorithm: KeyAlgorithm::from_code(fields.u8(Field::Algorithm)?),
            bits: fields.array(Field::Bits).map(u16::from_be_bytes)?,
            mode: KeyMode::from_code(fields.u8(Field::Mode)?),
            export: KeyExport::from_code(fields.u8(Field::Export)?),
        }),
        Command::CheckKey => Request::CheckKey(fields.key_block(Field::Key)?),
        Command::Other(_) => return Err(Status::UnknownCommand),
    })
}

fn read_source<'a>(fields: &Fields<'a>) -> Result<PinSource<'a>, Status> {
    Ok(PinSource {
        key: fields.key_block(Field::Key)?,
        format: fields.format(Field::Format)?,
        block: fields.pin_block()?,
    })
}

fn read_pvv(fields: &Fields<'_>) -> Result<Pvv, Status> {
    let [index, digits @ ..] = fields.array::<5>(Field::Pvv)?;
    Pvv::new(index, digits).ok_or(Status::Malformed)
}

fn read_method(fields: &Fields<'_>) -> Result<MacMethod, Status> {
    MacMethod::from_number(fields.u8(Field::Method)?).ok_or(Status::Malformed)
}
