//! What happened in ancillary settlement, into the running digest.

use super::Mix;
use crate::{
    ancillary::Event,
    codec::{Writer, put_ancillary_event},
};

pub(super) fn event(mix: &mut Mix, event: &Event) {
    let mut bytes = Vec::new();
    put_ancillary_event(event, &mut Writer::new(&mut bytes));
    mix.word(0x78 << 32);
    mix.bytes(&bytes);
}
