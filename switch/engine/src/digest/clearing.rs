//! The clearing system's part of the running digest.

use torap_clearing::SessionId;

use super::{Mix, rejected};
use crate::{
    Message, Status,
    clearing::{Event, Row},
};

pub(super) fn event(mix: &mut Mix, event: &Event) {
    match event {
        Event::SessionClosed {
            session: closed,
            settled,
            left_out,
            amount,
        } => {
            mix.word(0xA1);
            session(mix, closed);
            mix.word(u64::from(*settled) << 32 | u64::from(*left_out));
            mix.word(amount.minor());
        }
        Event::Net {
            session: of,
            row: net,
        } => {
            mix.word(0xA2);
            session(mix, of);
            row(mix, net);
        }
        Event::SessionReported { session: reported } => {
            mix.word(0xA3);
            session(mix, reported);
        }
        Event::SessionHeld { session: held } => {
            mix.word(0xA4);
            session(mix, held);
        }
        Event::Withdrawn { key } => {
            mix.word(0xA5);
            mix.pair(key.0);
        }
    }
}

/// A message of the clearing system; others leave no trace here.
pub(super) fn message(mix: &mut Mix, message: &Message) {
    match message {
        Message::ClearingStatus {
            original,
            first,
            items,
            status,
            session: decided,
        } => {
            mix.word(0xA8 << 16 | u64::from(*first));
            mix.word(original.0);
            mix.word(*items);
            mix.word(match *status {
                Status::Pending => 1,
                Status::Settled => 2,
                Status::Rejected { reason, agent_code } => rejected(reason, agent_code),
            });
            if let Some(decided) = decided {
                session(mix, decided);
            }
        }
        Message::ClearingForward {
            original,
            first,
            items,
            session: settled,
        } => {
            mix.word(0xA9 << 16 | u64::from(*first));
            mix.word(original.0);
            mix.word(*items);
            session(mix, settled);
        }
        Message::ClearingRefused {
            original,
            first,
            items,
        } => {
            mix.word(0xAB << 16 | u64::from(*first));
            mix.word(original.0);
            mix.word(*items);
        }
        Message::ClearingReport {
            session: reported,
            sent,
            debits,
            received,
            credits,
            left_out,
            left_out_amount,
        } => {
            mix.word(0xAA);
            session(mix, reported);
            for (items, amount) in [
                (sent, debits),
                (received, credits),
                (left_out, left_out_amount),
            ] {
                mix.word(u64::from(*items));
                mix.word(amount.minor());
            }
        }
        _ => {}
    }
}

fn session(mix: &mut Mix, session: &SessionId) {
    let date = u64::from(session.date.days().cast_unsigned());
    mix.word(date << 8 | u64::from(session.number));
}

fn row(mix: &mut Mix, row: &Row) {
    mix.word(u64::from(row.participant.0));
    for (items, amount) in [
        (row.sent, row.debits),
        (row.received, row.credits),
        (row.left_out, row.left_out_amount),
    ] {
        mix.word(u64::from(items));
        mix.word(amount);
    }
}
