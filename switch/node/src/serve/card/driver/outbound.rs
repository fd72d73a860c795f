//! What goes to a card host: messages are written when the link has room for them, and sealed by an HSM where MACs are agreed.
//!
//! What no HSM has sealed is held and asked for again until its time has passed; when the link ends first it goes to another one of the
//! participant, as what waits in the mailbox does. Nothing of it has been handed to a socket, so nothing is sent twice.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use torap_domain::{Position, Span, Time};
use torap_engine::{
    Command,
    cards::{Effect, Message as EffectMessage},
};
use torap_gateway::card::{
    crosswalk::{Toward, covered, from_national, is_national, put_mac},
    framing::Tpdu,
    render::{MacWanted, Record, Records, RenderError, records_of},
};
use torap_hsm::{Failure, Request, Response};
use torap_iso8583::{Dialect, Message};

use super::Driver;
use crate::serve::card::{
    hsm::ReplyTo,
    links::{Kept, Outgoing, Question},
};

/// Between two tries to have messages sealed.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long a message without a time of its own may wait for an HSM, from its record on. Letters come again after 15 s, and an acquirer
/// that has no answer after 25 s reverses.
const SEALED_WITHIN: Span = Span::from_secs(12);
/// Messages of one link that wait for an HSM to come back, at most; the oldest makes room.
const HELD_MAX: usize = 4_096;

/// A message that lacks its MAC.
pub(super) struct Unsealed {
    outgoing: Outgoing,
    tpdu: Option<Tpdu>,
    message: Vec<u8>,
}

/// Messages that no HSM would seal, and when they are tried again.
#[derive(Default)]
pub(super) struct Held {
    messages: VecDeque<Outgoing>,
    again_at: Option<Instant>,
}

impl Held {
    /// When to try again.
    pub(super) fn again_at(&self) -> Option<Instant> {
        self.again_at
    }

    /// True if one had to make room.
    fn push(&mut self, outgoing: Outgoing) -> bool {
        let full = self.messages.len() >= HELD_MAX;
        if full {
            self.messages.pop_front();
        }
        self.messages.push_back(outgoing);
        self.again_at.get_or_insert(Instant::now() + AGAIN_AFTER);
        full
    }
}

/// After this a message is not sent any more: the engine has decided without it, or it comes again by rule.
fn time_of(effect: &Effect) -> Time {
    match effect.message {
        EffectMessage::Request { expires, .. } | EffectMessage::Enquiry { expires, .. } => expires,
        _ => effect.time.saturating_add(SEALED_WITHIN),
    }
}

impl Driver {
    /// Writes what waits, as far as the link has room.
    pub(super) fn send_waiting(&mut self) {
        while self.link.has_room() {
            let Some(outgoing) = self.mailbox.next_outgoing() else {
                break;
            };
            self.send(outgoing);
        }
    }

    fn send(&mut self, outgoing: Outgoing) {
        let effect = &outgoing.effect;
        let expires = match effect.message {
            EffectMessage::Request { expires, .. } | EffectMessage::Enquiry { expires, .. } => {
                Some(expires)
            }
            _ => None,
        };
        if expires.is_some_and(|expires| self.switch.wall_clock() >= expires) {
            // The engine has decided without it.
            return;
        }
        let mut message = std::mem::take(&mut self.message);
        message.clear();
        match self.render(&outgoing, &mut message) {
            Ok((tpdu, None)) => {
                self.cards.count.sent.increment(1);
                self.link.send(tpdu, &message);
                self.message = message;
            }
            Ok((tpdu, Some(wanted))) => {
                let unsealed = Unsealed {
                    outgoing,
                    tpdu,
                    message,
                };
                self.seal(unsealed, &wanted);
            }
            // A restart took what it is made of: the engine has decided without it.
            Err(RenderError::NoSecrets) => {}
            Err(error) => {
                self.cards.count.unwritten.increment(1);
                tracing::error!(to = effect.to.value(), cause = effect.cause.value(), %error, "a card message cannot be written");
            }
        }
    }

    fn render(
        &mut self,
        outgoing: &Outgoing,
        message: &mut Vec<u8>,
    ) -> Result<(Option<Tpdu>, Option<MacWanted>), RenderError> {
        let [original, second] = records_of(&outgoing.effect);
        let original = self.record(original, outgoing.original.as_ref())?;
        let second = self.record(second, outgoing.second.as_ref())?;
        let records = Records {
            original: original.as_deref().map(Kept::record),
            second: second.as_deref().map(Kept::record),
            enquired: outgoing.enquired,
        };
        let network = self.cards.network();
        let rendered = self
            .renderer
            .render(&outgoing.effect, &records, &network, message)?;
        let dialect = self.link.dialect();
        if !is_national(dialect) {
            let mut crossed = Vec::with_capacity(message.len().saturating_mul(2));
            let national = Message::parse(Dialect::national(), message)?;
            let now = self.switch.wall_clock();
            from_national(&national, dialect, Toward::Host, now, &mut crossed)?;
            *message = crossed;
        }
        Ok((rendered.tpdu, rendered.mac))
    }

    /// A record from memory, else from the log.
    fn record(
        &self,
        position: Option<Position>,
        kept: Option<&Arc<Kept>>,
    ) -> Result<Option<Arc<Kept>>, RenderError> {
        if let Some(kept) = kept {
            return Ok(Some(Arc::clone(kept)));
        }
        let Some(position) = position else {
            return Ok(None);
        };
        let (command, _, evidence) = self.switch.records().read(position).map_err(|error| {
            tracing::error!(%error, "a record of a card message cannot be read");
            RenderError::NoRecord
        })?;
        let Command::Cards(command) = command else {
            return Err(RenderError::Mismatch);
        };
        Ok(Some(Arc::new(Kept {
            command,
            evidence: evidence.unwrap_or_default(),
            secrets: Bytes::new(),
        })))
    }

    /// Asks an HSM for the MAC.
    fn seal(&mut self, unsealed: Unsealed, wanted: &MacWanted) {
        let ticket = self.next_ticket();
        let data = covered(self.link.dialect(), &unsealed.message);
        let request = Request::GenerateMac {
            key: wanted.key.block(),
            method: wanted.method,
            data,
        };
        let reply_to = ReplyTo {
            mailbox: Arc::clone(&self.mailbox),
            ticket,
            question: Question::Seal,
        };
        if self.cards.hsms.ask(&request, reply_to) {
            self.unsealed.insert(ticket, unsealed);
        } else {
            self.hold(unsealed.outgoing);
        }
    }

    /// The MAC is there: the message leaves.
    pub(super) fn sealed(&mut self, ticket: u64, outcome: Result<Response, Failure>) {
        let Some(mut unsealed) = self.unsealed.remove(&ticket) else {
            return;
        };
        let mac = match outcome {
            Ok(Response::GenerateMac(mac)) => mac,
            // Another time it may be there, or answer.
            Err(Failure::TimedOut | Failure::LinkLost | Failure::Unintelligible) => {
                return self.hold(unsealed.outgoing);
            }
            Ok(_) | Err(Failure::Refused(_)) => return self.unsealable(),
        };
        if put_mac(self.link.dialect(), &mut unsealed.message, mac.first_8()) {
            self.cards.count.sent.increment(1);
            self.link.send(unsealed.tpdu, &unsealed.message);
        }
    }

    /// Keeps a message for the time when there is an HSM again.
    fn hold(&mut self, outgoing: Outgoing) {
        if self.held.push(outgoing) {
            self.unsealable();
        }
    }

    /// Tries again what no HSM would seal.
    pub(super) fn send_held(&mut self) {
        if self.held.again_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        let now = self.switch.wall_clock();
        for outgoing in std::mem::take(&mut self.held).messages {
            if now >= time_of(&outgoing.effect) {
                self.unsealable();
            } else {
                self.send(outgoing);
            }
        }
    }

    /// The link has ended: what is not sealed waits for another one, in the order in which it was to leave.
    pub(super) fn give_back_unsealed(&mut self) {
        let mut unsealed: Vec<(u64, Unsealed)> =
            std::mem::take(&mut self.unsealed).into_iter().collect();
        unsealed.sort_unstable_by_key(|(ticket, _)| *ticket);
        let held = std::mem::take(&mut self.held).messages;
        let waiting = unsealed.into_iter().map(|(_, unsealed)| unsealed.outgoing);
        self.mailbox.put_back(held.into_iter().chain(waiting));
    }

    /// Without a MAC the receiver would refuse it. The engine's clocks decide: a letter is asked for again, a request times out, an answer
    /// is fetched by a repeat.
    fn unsealable(&self) {
        self.cards.count.unwritten.increment(1);
        tracing::warn!(address = %self.address, "no HSM made the MAC of a card message, which is not sent");
    }
}

impl Kept {
    fn record(&self) -> Record<'_> {
        Record {
            command: &self.command,
            evidence: &self.evidence,
            secrets: &self.secrets,
        }
    }
}
