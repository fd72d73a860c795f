//! What happened in IMTS, into the running digest.

use torap_domain::Time;

use super::{Mix, rejected};
use crate::{
    DayEvent, Message, Receipt, Status, Withdrawal,
    codec::{Layout, Writer},
    participants::Direction,
    settlement::Event,
};

pub(super) fn event(mix: &mut Mix, event: &Event) {
    match event {
        Event::Funded {
            participant,
            direction,
            amount,
        } => {
            mix.word(
                0x71 << 32 | u64::from(participant.0) << 1 | u64::from(*direction == Direction::In),
            );
            mix.word(amount.minor());
        }
        Event::Transferred {
            participant,
            direction,
            amount,
        } => {
            mix.word(
                0x72 << 32 | u64::from(participant.0) << 1 | u64::from(*direction == Direction::In),
            );
            mix.word(amount.minor());
        }
        Event::Queued { id } => {
            mix.word(0x73 << 32);
            mix.word(id.0);
        }
        Event::Finished(done) => {
            let mut bytes = Vec::new();
            done.put(&mut Writer::new(&mut bytes));
            mix.word(0x74 << 32);
            mix.bytes(&bytes);
        }
        Event::Opened { until } => {
            mix.word(0x75 << 32);
            mix.word(until.nanos());
        }
        Event::Overnight {
            participant,
            amount,
        } => {
            mix.word(0x76 << 32 | u64::from(participant.0));
            mix.word(amount.minor());
        }
        Event::Closed => mix.word(0x77 << 32),
    }
}

/// A message of IMTS; others leave no trace here.
pub(super) fn message(mix: &mut Mix, message: &Message) {
    match *message {
        Message::ImtsStatus {
            original,
            status,
            decided,
            decided_at,
        } => {
            mix.word(0x78 << 32);
            mix.word(original.0);
            mix.word(match status {
                Status::Pending => 1,
                Status::Settled => 2,
                Status::Rejected { reason, agent_code } => rejected(reason, agent_code),
            });
            mix.word(decided.0);
            mix.word(decided_at.nanos());
        }
        Message::ImtsForward {
            original,
            settled_at,
        } => {
            mix.word(0x79 << 32);
            mix.word(original.0);
            mix.word(settled_at.nanos());
        }
        Message::WithdrawalAnswer {
            original,
            withdrawal,
        } => {
            mix.word(0x7A << 32 | number(withdrawal));
            mix.word(original.0);
        }
        Message::ImtsReceipt { original, receipt } => {
            mix.word(0x7B << 32);
            mix.word(original.0);
            match receipt {
                Receipt::Done => mix.word(1),
                Receipt::Waits { opens } => {
                    mix.word(2);
                    mix.word(opens.nanos());
                }
                Receipt::Refused { reason } => mix.word(rejected(reason, None)),
                Receipt::Unchanged { withdrawal } => mix.word(3 << 16 | number(withdrawal)),
            }
        }
        Message::ImtsDay { event } => match event {
            DayEvent::Opened { until, cut_off } => times(mix, 0x7C, until, cut_off),
            DayEvent::Extended { until, cut_off } => times(mix, 0x7D, until, cut_off),
            DayEvent::CutOff => mix.word(0x7E << 32),
            DayEvent::Closed => mix.word(0x7F << 32),
        },
        _ => {}
    }
}

const fn number(withdrawal: Withdrawal) -> u64 {
    match withdrawal {
        Withdrawal::Done => 1,
        Withdrawal::Settled => 2,
        Withdrawal::Ended => 3,
        Withdrawal::Unknown => 4,
    }
}

fn times(mix: &mut Mix, tag: u64, until: Time, cut_off: Option<Time>) {
    mix.word(tag << 32);
    mix.word(until.nanos());
    mix.word(cut_off.map_or(0, Time::nanos));
}
