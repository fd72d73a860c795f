//! The running digest's part of disputes.

use super::Mix;
use crate::disputes::{Event, Move};

pub(super) fn event(mix: &mut Mix, event: &Event) {
    mix.word(0xB0 << 8 | event.stage as u64);
    mix.word(event.case.0);
    mix.word(event.stands);
    let (tag, amount) = match event.moved {
        Move::Nothing => (0, 0),
        Move::ToClaimant(amount) => (1, amount),
        Move::ToRespondent(amount) => (2, amount),
    };
    mix.word(tag);
    mix.word(amount);
}
