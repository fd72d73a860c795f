//! Lines of a file that were put off come again: each is judged as if it came for the first time, and has its verdict where it stood before.

use std::collections::BTreeMap;

use torap_domain::Reason;

use super::{LineVerdict, Present, Presentments, decide};
use crate::{Outcome, Output, Stamp, engine};

impl Presentments {
    /// Whether the piece brings lines of its file: `Ok(false)` if none of them is put off any more.
    pub(super) fn admit_again(&self, present: &Present) -> Result<bool, Reason> {
        let file = self.files.get(&(present.participant, present.piece.file));
        let file = file.ok_or(Reason::PieceOutOfOrder)?;
        if file.header != present.header {
            return Err(Reason::DuplicateMismatch);
        }
        let numbers = present.lines.iter().map(|line| line.number);
        if present.piece.last || !numbers.is_sorted_by(|one, next| one < next) {
            return Err(Reason::ProfileViolation);
        }
        let mut put_off = false;
        for line in &present.lines {
            let known = place(line.number).and_then(|place| file.lines.get(place));
            let known = known.ok_or(Reason::PieceOutOfOrder)?;
            let is_same = (known.number, known.kind, known.key, known.amount)
                == (line.number, line.kind, line.key, line.amount.minor());
            if !is_same {
                return Err(Reason::DuplicateMismatch);
            }
            put_off |= known.verdict == LineVerdict::QueueFull;
        }
        Ok(put_off)
    }
}

/// Lines are numbered from 1, without a hole.
fn place(number: u32) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}

/// Judges the lines that are put off. What was decided before stays.
pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    present: &Present,
    out: &mut Output,
) -> Outcome {
    let key = (present.participant, present.piece.file);
    let mut given_back = BTreeMap::new();
    for line in &present.lines {
        let files = &state.cards.presentments.files;
        let known = place(line.number).and_then(|place| files.get(&key)?.lines.get(place));
        if known.is_none_or(|known| known.verdict != LineVerdict::QueueFull) {
            continue;
        }
        let verdict = decide(
            state,
            stamp,
            (present.participant, line),
            &mut given_back,
            out,
        );
        let file = state.cards.presentments.files.get_mut(&key);
        if let Some(file) = file
            && let Some(known) = place(line.number).and_then(|place| file.lines.get_mut(place))
        {
            known.verdict = verdict;
            file.at = stamp.time;
        }
    }
    Outcome::Accepted
}
