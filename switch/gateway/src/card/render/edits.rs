//! What is to be different in a message that is written from another one, in ascending order.

use torap_iso8583::{Change, Edit, FieldSet, Message, Mti, Refusal, Writer};

/// Most fields that one message changes.
const EDITS_MAX: usize = 40;

/// The MAC before there is one.
const NO_MAC_YET: [u8; 8] = [0; 8];

/// Edits in ascending order of their fields.
pub(super) struct Edits<'e> {
    list: [Edit<'e>; EDITS_MAX],
    length: usize,
}

impl<'e> Edits<'e> {
    pub(super) fn new() -> Edits<'e> {
        Edits {
            list: [Edit::Remove(0); EDITS_MAX],
            length: 0,
        }
    }

    /// The field has this value. Fields have to come in ascending order; a test writes every kind of message.
    pub(super) fn set(&mut self, field: u8, value: &'e [u8]) -> &mut Self {
        self.push(Edit::Set(field, value))
    }

    /// The field has this value, if there is one; else it stays as it is.
    pub(super) fn set_if(&mut self, field: u8, value: Option<&'e [u8]>) -> &mut Self {
        match value {
            Some(value) => self.set(field, value),
            None => self,
        }
    }

    fn push(&mut self, edit: Edit<'e>) -> &mut Self {
        if let Some(place) = self.list.get_mut(self.length) {
            *place = edit;
            self.length += 1;
        }
        self
    }

    fn as_slice(&self) -> &[Edit<'e>] {
        self.list.get(..self.length).unwrap_or_default()
    }

    /// Appends the message `base` as another type, with the fields of `keep` that it has, and the edits. With `mac`, room for a MAC at its
    /// end: in field 64 if there is no field above it, else in 128.
    pub(super) fn splice(
        mut self,
        base: &Message<'_>,
        mti: Mti,
        keep: FieldSet,
        mac: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        // A MAC that came is never sent on.
        let keep = keep.difference(FieldSet::of(&[64, 128]));
        if mac {
            let fields = base.fields().intersection(keep);
            self.reserve_mac(fields);
        }
        let change = Change {
            mti: Some(mti),
            keep,
            edits: self.as_slice(),
        };
        base.splice(out, &change)
    }

    /// Appends a message that has the edits and nothing else.
    pub(super) fn write(mut self, mti: Mti, mac: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if mac {
            self.reserve_mac(FieldSet::EMPTY);
        }
        let before = out.len();
        let mut writer = Writer::start(torap_iso8583::Dialect::national(), mti, out);
        let mut written = Ok(());
        for edit in self.as_slice() {
            if let Edit::Set(field, value) = edit
                && let Err(refusal) = writer.field(*field, value)
            {
                written = Err(refusal);
                break;
            }
        }
        let written = written.and(writer.finish());
        if written.is_err() {
            out.truncate(before);
        }
        written
    }

    fn reserve_mac(&mut self, kept: FieldSet) {
        let is_above = |field: u8| field > 64;
        let edited = self.as_slice().iter().any(|edit| is_above(edit.field()));
        if edited || kept.iter().any(is_above) {
            self.set(128, &NO_MAC_YET);
            return;
        }
        self.set(64, &NO_MAC_YET);
    }
}

/// The lowest `N` decimal digits of a number.
pub(super) fn digits<const N: usize>(number: u64) -> [u8; N] {
    let mut rest = number;
    let mut digits = [b'0'; N];
    for place in digits.iter_mut().rev() {
        // A remainder of ten fits a byte.
        *place += (rest % 10) as u8;
        rest /= 10;
    }
    digits
}
