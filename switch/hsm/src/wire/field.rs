//! Fields: tag, length, value. Readers step over what they do not know, unless it is marked critical.

use crate::key_block::KeyBlock;
use crate::limits::FIELDS_MAX;
use crate::pan::Pan;
use crate::pin::{PinBlock, PinFormat};
use crate::status::Status;

/// The bit of a tag that forbids stepping over it.
const CRITICAL: u16 = 0x8000;
/// Tags known by name are below this number.
const KNOWN_MAX: usize = 32;

open_enum! {
    /// What a field holds. Bit 15 of the tag on the wire says "critical" and is no part of the number.
    Field(u16) {
        1 Data "Echo: 0 to 64 bytes. MAC commands: the text, 0 to 32,768 bytes."
        2 Key "A key block under the master key: the key that is used."
        3 TargetKey "TranslatePin: the receiver's zone key, a key block under the master key."
        4 PinKey "VerifyPin: the PIN verification key, a key block under the master key."
        5 Kek "The key encryption key, a key block under the master key."
        6 Block "ImportKey: a key block under the key encryption key."
        7 Format "u8: the format of the PIN block: 0, 1, 3 or 4."
        8 TargetFormat "u8: the format wished: 0, 3 or 4."
        9 PinBlock "8 or 16 bytes, encrypted."
        10 Pan "8 to 19 ASCII digits."
        11 Pvv "5 bytes: u8 key index 0 to 9, then 4 ASCII digits."
        12 Method "u8: 1 algorithm 3 with padding 1, 2 algorithm 3 with padding 2, 3 AES-CMAC."
        13 Mac "8 to 16 bytes."
        14 Verdict "u8: 1 right, 2 wrong."
        15 Usage "2 ASCII characters as in a key block."
        16 Algorithm "1 ASCII character as in a key block."
        17 Bits "u16: the length of a key."
        18 Mode "1 ASCII character as in a key block."
        19 Export "1 ASCII character as in a key block."
        20 CheckValue "3 to 5 bytes."
        21 Name "1 to 64 bytes of UTF-8."
        22 InFlightMax "u32: most requests under way on one connection."
    }
}

/// The fields of one frame, by name.
#[derive(Clone)]
pub(super) struct Fields<'a>([Option<&'a [u8]>; KNOWN_MAX]);

impl<'a> Fields<'a> {
    /// Sorts the fields of a frame.
    ///
    /// # Errors
    /// `Malformed`: too many, given twice, or past the end. `UnknownField`: unknown and critical.
    pub(super) fn read(mut rest: &'a [u8]) -> Result<Fields<'a>, Status> {
        let mut fields = Fields([None; KNOWN_MAX]);
        for _ in 0..FIELDS_MAX {
            if rest.is_empty() {
                return Ok(fields);
            }
            let (&[t0, t1, l0, l1], behind) = rest.split_first_chunk().ok_or(Status::Malformed)?;
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            let (value, behind) = behind.split_at_checked(length).ok_or(Status::Malformed)?;
            rest = behind;
            let tag = u16::from_be_bytes([t0, t1]);
            match Field::from_code(tag & !CRITICAL) {
                Field::Other(_) if tag & CRITICAL != 0 => return Err(Status::UnknownField),
                Field::Other(_) => {}
                field => {
                    let slot = fields.0.get_mut(usize::from(field.code()));
                    let slot = slot.ok_or(Status::Malformed)?;
                    if slot.replace(value).is_some() {
                        return Err(Status::Malformed);
                    }
                }
            }
        }
        if rest.is_empty() {
            Ok(fields)
        } else {
            Err(Status::Malformed)
        }
    }

    pub(super) fn bytes(&self, field: Field) -> Result<&'a [u8], Status> {
        let slot = self.0.get(usize::from(field.code())).copied().flatten();
        slot.ok_or(Status::Malformed)
    }

    /// At most `bytes_max` bytes.
    pub(super) fn bytes_upto(&self, field: Field, bytes_max: usize) -> Result<&'a [u8], Status> {
        let value = self.bytes(field)?;
        if value.len() > bytes_max {
            return Err(Status::Malformed);
        }
        Ok(value)
    }

    pub(super) fn array<const N: usize>(&self, field: Field) -> Result<[u8; N], Status> {
        <[u8; N]>::try_from(self.bytes(field)?).map_err(|_| Status::Malformed)
    }

    pub(super) fn u8(&self, field: Field) -> Result<u8, Status> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(super) fn text(&self, field: Field, bytes_max: usize) -> Result<&'a str, Status> {
        let value = self.bytes_upto(field, bytes_max)?;
        std::str::from_utf8(value).map_err(|_| Status::Malformed)
    }

    /// A key block whose outline is right.
    pub(super) fn key_block(&self, field: Field) -> Result<KeyBlock<'a>, Status> {
        let text = std::str::from_utf8(self.bytes(field)?).map_err(|_| Status::KeyBlockInvalid)?;
        KeyBlock::parse(text).map_err(|_| Status::KeyBlockInvalid)
    }

    pub(super) fn pan(&self) -> Result<Pan<'a>, Status> {
        Pan::parse(self.bytes(Field::Pan)?).map_err(|_| Status::Malformed)
    }

    pub(super) fn format(&self, field: Field) -> Result<PinFormat, Status> {
        self.u8(field).map(PinFormat::from_code)
    }

    pub(super) fn pin_block(&self) -> Result<PinBlock, Status> {
        PinBlock::from_bytes(self.bytes(Field::PinBlock)?).ok_or(Status::Malformed)
    }
}
