//! Key changes begun by the switch: a key is handed over, and a set is put into use.
//!
//! The key blocks stand in the key file and nowhere in the log; check values are the engine's.

use torap_engine::cards::{KeyStage, KeyUse, Trace};

use super::edits::{Edits, digits};
use super::request::mti_of;
use super::{Context, RenderError, Scratch};
use crate::card::network::purpose;

/// PIN block format in DE53 where there is no PIN block.
const NO_PIN: u8 = 99;

impl Context<'_> {
    /// 0800, DE70 101: DE125 holds the key block under the receiver's key-encrypting key, its check value, set and use; DE53 names the set
    /// where that of a PIN block stands.
    pub(super) fn write_key_handed_over(
        &self,
        set: u16,
        of: KeyUse,
        trace: Trace,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let keys = self.network.keys.set(self.receiver.participant, set);
        let keys = keys.ok_or(RenderError::NoKey)?;
        let (block, key_use) = match of {
            KeyUse::Pin => (&keys.pin_handed, b"P"),
            KeyUse::Mac => (&keys.mac_handed, b"M"),
        };
        let block = block.as_ref().ok_or(RenderError::NoKey)?;
        let change = self.receiver.keys.change;
        let check_value = change.and_then(|change| match change.stage {
            KeyStage::HandingOver { keys, .. } if keys.set == set => keys.check_value(of),
            _ => None,
        });
        let check_value = check_value.ok_or(RenderError::Mismatch)?;
        let data = &mut scratch.additional;
        data.clear();
        tag(b"KB", block.as_str().as_bytes(), data);
        tag(b"KS", &digits::<6>(u64::from(set)), data);
        tag(b"KU", key_use, data);
        tag(b"KV", check_value.as_bytes(), data);
        self.write_key_message(purpose::KEY_HANDED_OVER, set, Some(data), trace, out)
    }

    /// 0800, DE70 161.
    pub(super) fn write_key_in_use(
        &self,
        set: u16,
        trace: Trace,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        self.write_key_message(purpose::KEY_IN_USE, set, None, trace, out)
    }

    fn write_key_message(
        &self,
        purpose: &[u8],
        set: u16,
        data: Option<&[u8]>,
        trace: Trace,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let transmitted = digits::<10>(u64::from(trace.transmitted.value()));
        let stan = digits::<6>(u64::from(trace.stan.value()));
        let switch = self.network.switch.to_string();
        let security = self.security(Some((NO_PIN, u32::from(set))));
        let mut edits = Edits::new();
        edits
            .set(7, &transmitted)
            .set(11, &stan)
            .set(33, switch.as_bytes())
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set(70, purpose)
            .set_if(125, data);
        edits.write(mti_of(800)?, self.mac.is_some(), out)?;
        Ok(())
    }
}

/// A tag of DE125: two characters, a length of three digits, the value.
fn tag(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(&digits::<3>(value.len() as u64));
    out.extend_from_slice(value);
}
