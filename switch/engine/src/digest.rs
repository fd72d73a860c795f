//! Digests: one that runs along with the log, cheap enough for every command, and one over a whole state.
//!
//! The mix takes 64-bit words: `state = fold((state ^ word) * MULTIPLIER)`, where `fold` xors the two halves of the 128-bit
//! product. It finds every difference that comes by accident, such as two binaries or machines that decide differently. It is
//! no defence against somebody who wants equal digests: the journal's hash chain is.

use torap_domain::{Money, Reason};

use crate::{
    CardCycle, Effect, Event, Message, Notice, Outbound, Outcome, Output, Stamp, Standing, Status,
    codec::{Layout, Writer},
    instant::{FinalOutcome, Finished, PaymentKey},
    participants::Direction,
};

mod ancillary;
mod cards;
mod clearing;
mod disputes;
mod settlement;

/// Odd, with about as many ones as zeros.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
/// State before anything was mixed in; not zero, so that leading zeros count.
const START: u64 = 0x6A09_E667_F3BC_C909;

/// Of a text, to find it by.
pub(crate) fn of_text(text: &str) -> u64 {
    let mut mix = Mix(START);
    mix.bytes(text.as_bytes());
    mix.0
}

/// The mix itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mix(u64);

impl Mix {
    fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word).wrapping_mul(u128::from(MULTIPLIER));
        // The length of the chain is mixed in with every word, so that no word can leave the state at zero for good.
        self.0 = ((product >> 64) as u64 ^ product as u64).wrapping_add(START);
    }

    fn pair(&mut self, words: [u8; 16]) {
        let value = u128::from_le_bytes(words);
        self.word(value as u64);
        self.word((value >> 64) as u64);
    }

    /// Bytes with their length.
    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            self.word(u64::from_le_bytes(last));
        }
    }
}

/// Digest over (stamp, outcome, events, effects) of every command so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningDigest(Mix);

impl RunningDigest {
    /// Before the first command.
    pub fn new() -> RunningDigest {
        RunningDigest::resume(START)
    }

    /// Goes on from a value that [`RunningDigest::value`] gave.
    pub fn resume(value: u64) -> RunningDigest {
        RunningDigest(Mix(value))
    }

    /// The digest up to here.
    pub fn value(&self) -> u64 {
        self.0.0
    }

    pub(crate) fn fold_output(&mut self, stamp: Stamp, output: &Output) {
        self.0.word(stamp.position.0);
        self.0.word(stamp.time.nanos());
        self.0.word(match output.outcome {
            Outcome::Accepted => 1,
            Outcome::AlreadyApplied => 2,
            Outcome::Refused(reason) => tagged(3, reason),
        });
        for event in &output.events {
            self.event(event);
        }
        for effect in &output.effects {
            self.effect(effect);
        }
        for effect in &output.cards {
            cards::effect(&mut self.0, effect);
        }
    }

    fn event(&mut self, event: &Event) {
        let mix = &mut self.0;
        match event {
            Event::PaymentReserved {
                key,
                debtor_agent,
                creditor_agent,
                amount,
            } => {
                mix.word(0x11);
                mix.pair(key.0);
                mix.word(u64::from(debtor_agent.0) << 16 | u64::from(creditor_agent.0));
                mix.word(amount.minor());
            }
            Event::PaymentFinished(finished) => self.finished(0x12, finished),
            Event::PaymentReturned { original, returned } => {
                self.payment(0x13, original, *returned);
            }
            Event::ReturnFinished(finished) => self.finished(0x14, finished),
            Event::DirectoryChanged(record) => self.layout(0x15, record.as_ref()),
            Event::DirectoryImported {
                participant,
                agent,
                entries,
            } => {
                self.layout(0x16, agent);
                self.0.word(u64::from(participant.0));
                for entry in entries {
                    self.layout(0x17, entry);
                }
            }
            Event::ParticipantChanged(view) => {
                mix.word(0x18);
                mix.word(u64::from(view.id.0));
                mix.bytes(view.code.as_bytes());
                mix.bytes(view.name.as_bytes());
            }
            Event::LinkChanged { participant, up } => {
                mix.word(0x19);
                mix.word(u64::from(participant.0) << 1 | u64::from(*up));
            }
            Event::PositionChanged {
                participant,
                funded,
                direction,
            } => {
                mix.word(0x1A);
                mix.word(u64::from(participant.0) << 1 | u64::from(*direction == Direction::In));
                mix.word(funded.minor());
            }
            Event::LateAnswer {
                key,
                accepted,
                decided_at,
            } => {
                mix.word(0x1B << 1 | u64::from(*accepted));
                mix.pair(key.0);
                mix.word(decided_at.nanos());
            }
            Event::Refused { reason } => mix.word(tagged(0x1C, *reason)),
            Event::Card(event) => cards::event(mix, event),
            Event::Settlement(event) => settlement::event(mix, event),
            Event::Clearing(event) => clearing::event(mix, event),
            Event::Ancillary(event) => ancillary::event(mix, event),
            Event::Dispute(event) => disputes::event(mix, event),
        }
    }

    fn finished(&mut self, tag: u64, finished: &Finished) {
        let mix = &mut self.0;
        mix.word(tag << 32 | u64::from(finished.service.number()));
        mix.pair(finished.key.0);
        mix.pair(finished.uetr.bytes());
        mix.pair(finished.fingerprint.0);
        mix.word(finished.submitted.0);
        mix.word(finished.decided.0);
        mix.word(finished.decided_at.nanos());
        mix.word(finished.amount.minor());
        mix.word(finished.returned.minor());
        mix.word(u64::from(finished.debtor_agent.0) << 16 | u64::from(finished.creditor_agent.0));
        mix.word(match finished.outcome {
            FinalOutcome::Settled => 1,
            FinalOutcome::Rejected { reason, agent_code } => rejected(reason, agent_code),
            FinalOutcome::Tombstone => 2,
        });
    }

    fn payment(&mut self, tag: u64, key: &PaymentKey, amount: Money) {
        self.0.word(tag);
        self.0.pair(key.0);
        self.0.word(amount.minor());
    }

    /// Rare events by their stored form.
    fn layout(&mut self, tag: u64, value: &impl Layout) {
        let mut bytes = Vec::new();
        value.put(&mut Writer::new(&mut bytes));
        self.0.word(tag);
        self.0.bytes(&bytes);
    }

    /// References are left out: they are copies of the record's facts.
    fn effect(&mut self, effect: &Effect) {
        outbound(&mut self.0, &effect.outbound);
        if let Some(amount) = effect.amount {
            self.0.word(amount.minor());
        }
        if let Some((agent, account)) = &effect.resolved {
            self.0.bytes(agent.as_str().as_bytes());
            self.0.bytes(account.as_str().as_bytes());
        }
    }
}

impl Default for RunningDigest {
    fn default() -> RunningDigest {
        RunningDigest::new()
    }
}

/// Digest over the bytes of a whole state, fed in pieces; where the pieces end does not matter.
#[derive(Clone, Debug)]
pub(crate) struct StateDigest {
    mix: Mix,
    length: u64,
    /// Bytes that do not fill a word yet, lowest first.
    rest: u64,
}

impl StateDigest {
    pub(crate) fn new() -> StateDigest {
        StateDigest {
            mix: Mix(START),
            length: 0,
            rest: 0,
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let filled = (self.length % 8) as usize;
        let to_border = 8_usize.wrapping_sub(filled) % 8;
        let (first, rest) = bytes.split_at(to_border.min(bytes.len()));
        self.feed_bytes(first);
        let (words, last) = rest.as_chunks::<8>();
        for word in words {
            self.mix.word(u64::from_le_bytes(*word));
        }
        self.length = self.length.wrapping_add(size_of_val(words) as u64);
        self.feed_bytes(last);
    }

    /// The digest of everything fed so far.
    pub(crate) fn value(&self) -> u64 {
        let mut mix = self.mix;
        mix.word(self.rest);
        mix.word(self.length);
        mix.0
    }

    fn feed_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let place = (self.length % 8) as u32;
            self.rest |= u64::from(*byte) << (place.wrapping_mul(8) & 63);
            self.length = self.length.wrapping_add(1);
            if self.length.is_multiple_of(8) {
                self.mix.word(self.rest);
                self.rest = 0;
            }
        }
    }
}

fn tagged(tag: u64, reason: Reason) -> u64 {
    tag << 16 | u64::from(reason.code_number())
}

fn rejected(reason: Reason, agent_code: Option<[u8; 4]>) -> u64 {
    let code = agent_code.map_or(0, u32::from_le_bytes);
    u64::from(code) << 32 | tagged(3, reason)
}

fn outbound(mix: &mut Mix, outbound: &Outbound) {
    mix.word(u64::from(outbound.to.0));
    mix.word(outbound.sequence.0);
    mix.word(outbound.cause.0);
    mix.word(outbound.time.nanos());
    if let Some(expires) = outbound.expires {
        mix.word(expires.nanos());
    }
    message(mix, &outbound.message);
}

fn message(mix: &mut Mix, message: &Message) {
    let (tag, original) = match *message {
        Message::Forward { original } => (0x21, original),
        Message::Confirm { original } => (0x22, original),
        Message::Status {
            original,
            status,
            decided,
            decided_at,
            repeat,
        } => {
            mix.word(match status {
                Status::Pending => 1,
                Status::Settled => 2,
                Status::Rejected { reason, agent_code } => rejected(reason, agent_code),
            });
            mix.word(decided.0);
            mix.word(decided_at.nanos());
            (0x23 << 1 | u64::from(repeat), original)
        }
        Message::ForwardReturn { original } => (0x24, original),
        Message::ForwardRecall { original } => (0x25, original),
        Message::ForwardResolution { original } => (0x26, original),
        Message::Resolution { original, reason } => (tagged(0x27, reason), original),
        Message::LookUpAnswer { original, refusal } => (refusable(0x28, refusal), original),
        Message::Reject { original, reason } => (tagged(0x29, reason), original),
        Message::CommandAnswer { original, refusal } => (refusable(0x2A, refusal), original),
        Message::Notice { notice: told } => {
            notice(mix, told);
            return;
        }
        Message::NotReceived { original } => (0x2C, original),
        Message::ClearingStatus { .. }
        | Message::ClearingForward { .. }
        | Message::ClearingRefused { .. }
        | Message::ClearingReport { .. } => {
            clearing::message(mix, message);
            return;
        }
        Message::ImtsStatus { .. }
        | Message::ImtsForward { .. }
        | Message::WithdrawalAnswer { .. }
        | Message::ImtsReceipt { .. }
        | Message::ImtsDay { .. } => {
            settlement::message(mix, message);
            return;
        }
        Message::Report { original } => (0x90, original),
        Message::MassStatus {
            original,
            first,
            lines,
            standing,
        } => {
            mix.word(u64::from(first));
            mix.word(lines);
            mix.word(match standing {
                Standing::Accepted => 1,
                Standing::Pending => 2,
                Standing::Refused { reason } => tagged(3, reason),
                Standing::Broken => 4,
            });
            (0x92, original)
        }
        Message::ImtsNotice { entry } => {
            mix.word(
                u64::from(entry.kind as u8) << 8 | u64::from(entry.direction == Direction::In),
            );
            mix.word(entry.amount.minor());
            (0x91, entry.position)
        }
    };
    mix.word(tag);
    mix.word(original.0);
}

fn refusable(tag: u64, refusal: Option<Reason>) -> u64 {
    tag << 16 | refusal.map_or(0, |reason| u64::from(reason.code_number()))
}

fn notice(mix: &mut Mix, notice: Notice) {
    if let Some(words) = of_settlement(&notice) {
        words.into_iter().for_each(|word| mix.word(word));
        return;
    }
    let (tag, value) = match notice {
        Notice::Floor { available } => (0x31, available.minor()),
        Notice::Ceiling { available } => (0x32, available.minor()),
        Notice::AliasClaimed { claim } => (0x33, claim.0),
        Notice::ClaimContested { claim } => (0x34, claim.0),
        Notice::AliasSuspended { claim } => (0x35, claim.0),
        Notice::AliasReleased { release } => (0x36, release.0),
        Notice::StateChanged { change } => (0x37, change.0),
        Notice::Funded { funding } => (0x38, funding.0),
        Notice::CardNet { .. }
        | Notice::Defaulted { .. }
        | Notice::FundUsed { .. }
        | Notice::NetLost { .. }
        | Notice::TopUpCalled { .. }
        | Notice::Case(_) => return,
    };
    mix.word(tag);
    mix.word(value);
}

/// Notices about settlement and disputes, by tag and what was decided; others give nothing.
fn of_settlement(notice: &Notice) -> Option<[u64; 4]> {
    let of =
        |of: &CardCycle| u64::from(of.session.days().cast_unsigned()) << 16 | u64::from(of.cycle);
    Some(match notice {
        Notice::CardNet {
            of: cycle,
            direction,
            net,
            moved,
        } => {
            let is_in = u64::from(*direction == Direction::In);
            [0x39 << 1 | is_in, of(cycle), net.minor(), moved.minor()]
        }
        Notice::Defaulted {
            of: cycle,
            contribution,
            short,
        } => [0x3A, of(cycle), contribution.minor(), short.minor()],
        Notice::FundUsed { of: cycle, amount } => [0x3B, of(cycle), amount.minor(), 0],
        Notice::NetLost { of: cycle, amount } => [0x3C, of(cycle), amount.minor(), 0],
        Notice::TopUpCalled { missing, required } => [0x3D, missing.minor(), required.minor(), 0],
        Notice::Case(case) => {
            let step = (case.step as u64) << 16 | (case.stage as u64) << 8;
            let role = u64::from(case.is_claimant);
            [0x3E, case.case.0, step | role, case.stands]
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
