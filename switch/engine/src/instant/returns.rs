//! Returns.

use super::Return;
use crate::{Outcome, Output, Stamp, engine};

pub(super) fn apply(_: &mut engine::State, _: Stamp, _: &Return, _: &mut Output) -> Outcome {
    Outcome::Accepted
}
