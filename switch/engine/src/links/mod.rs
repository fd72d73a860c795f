//! Links: who is signed on, what was received from each participant, and the outbound stream of each.
//!
//! This is the one place where an outbound entry is made, so that every stream is contiguous. An indirect participant has no
//! stream of its own: it is reached through its sponsor's.

mod command;

pub use command::{Command, Refusal};

use torap_domain::{Bic, Iban, Money, ParticipantId, Reason, Sequence, Time};

use crate::{
    Effect, Event, Message, Outbound, Outcome, Output, References, Source, Stamp,
    codec::{FactsError, Reader, Writer},
    engine,
};

/// One participant's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Whose stream reaches the participant: its own, or its sponsor's.
    stream: ParticipantId,
    /// The session that is up.
    up: Option<u64>,
    /// The highest session number of this epoch.
    session: u64,
    pub(crate) inbound_last: Sequence,
    pub(crate) outbound_last: Sequence,
}

/// Every link, by participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    links: Vec<Link>,
}

/// An outbound entry before it has its sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'a> {
    message: Message,
    expires: Option<Time>,
    references: Option<&'a References>,
    amount: Option<Money>,
    resolved: Option<&'a (Bic, Iban)>,
}

impl<'a> Letter<'a> {
    pub(crate) fn new(message: Message) -> Letter<'a> {
        Letter {
            message,
            expires: None,
            references: None,
            amount: None,
            resolved: None,
        }
    }

    /// Never delivered at or after `time`.
    pub(crate) fn expires(mut self, time: Time) -> Letter<'a> {
        self.expires = Some(time);
        self
    }

    /// What the text repeats from the original message, if it is at hand.
    pub(crate) fn references(mut self, references: &'a References) -> Letter<'a> {
        self.references = Some(references);
        self
    }

    pub(crate) fn amount(mut self, amount: Money) -> Letter<'a> {
        self.amount = Some(amount);
        self
    }

    /// For a forward by phone.
    pub(crate) fn resolved(mut self, resolved: Option<&'a (Bic, Iban)>) -> Letter<'a> {
        self.resolved = resolved;
        self
    }
}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    /// A participant was added or its sponsor changed: `stream` reaches it from now on.
    pub(crate) fn route(&mut self, participant: ParticipantId, stream: ParticipantId) {
        let slots = participant.index().saturating_add(1);
        while self.links.len() < slots {
            // Slots are given in the order of identifiers, so the length is one.
            let id = ParticipantId(u16::try_from(self.links.len()).unwrap_or(u16::MAX));
            self.links.push(Link {
                stream: id,
                up: None,
                session: 0,
                inbound_last: Sequence::ZERO,
                outbound_last: Sequence::ZERO,
            });
        }
        if let Some(link) = self.links.get_mut(participant.index()) {
            link.stream = stream;
        }
    }

    pub(crate) fn get(&self, participant: ParticipantId) -> Option<&Link> {
        self.links.get(participant.index())
    }

    /// Whether the link that reaches `participant` is signed on.
    pub(crate) fn is_up(&self, participant: ParticipantId) -> bool {
        let stream = self.get(participant).map(|link| link.stream);
        stream
            .and_then(|stream| self.get(stream))
            .is_some_and(Link::is_up)
    }

    /// Notes a message from a participant's link. Ok(false): it was applied before. A gap cannot come from a gateway, which
    /// hands messages over in their order; should one come, the message counts and the missing ones are given up, because
    /// refusing would stop the link for good.
    pub(crate) fn receive(
        &mut self,
        participant: ParticipantId,
        sequence: Sequence,
    ) -> Result<bool, Reason> {
        let link = self
            .links
            .get_mut(participant.index())
            .filter(|_| participant != ParticipantId::SWITCH)
            .ok_or(Reason::UnboundSender)?;
        if sequence <= link.inbound_last {
            return Ok(false);
        }
        link.inbound_last = sequence;
        Ok(true)
    }

    /// Adds an entry to the stream that reaches `to`. Nothing is sent to the switch itself.
    pub(crate) fn send(
        &mut self,
        out: &mut Output,
        stamp: Stamp,
        to: ParticipantId,
        letter: Letter<'_>,
    ) {
        let Some(stream) = self.get(to).map(|link| link.stream) else {
            return;
        };
        let Some(link) = self.links.get_mut(stream.index()) else {
            return;
        };
        if stream == ParticipantId::SWITCH {
            return;
        }
        link.outbound_last = link.outbound_last.next();
        out.effects.push(Effect {
            outbound: Outbound {
                to: stream,
                sequence: link.outbound_last,
                cause: stamp.position,
                time: stamp.time,
                expires: letter.expires,
                message: letter.message,
            },
            references: letter.references.copied(),
            amount: letter.amount,
            resolved: letter.resolved.copied(),
        });
    }

    /// Answers a message that is not carried out with its reason.
    pub(crate) fn reject(
        &mut self,
        out: &mut Output,
        stamp: Stamp,
        source: &Source,
        reason: Reason,
    ) -> Outcome {
        if let Some(link) = source.link() {
            let message = Message::Reject {
                original: stamp.position,
                reason,
            };
            self.send(out, stamp, link, Letter::new(message));
        }
        out.event(Event::Refused { reason });
        Outcome::Refused(reason)
    }

    /// A process opened the log: nobody is signed on.
    pub(crate) fn start(&mut self, out: &mut Output) {
        for (link, id) in self.links.iter_mut().zip(0..) {
            if link.up.take().is_some() {
                let participant = ParticipantId(id);
                out.event(Event::LinkChanged {
                    participant,
                    up: false,
                });
            }
            link.session = 0;
        }
    }

    /// Sessions are numbered upwards within an epoch, so one that is not above the last came too late to count.
    fn sign_on(&mut self, participant: ParticipantId, session: u64) -> bool {
        let Some(link) = self.links.get_mut(participant.index()) else {
            return false;
        };
        let newer = session > link.session;
        if newer {
            link.session = session;
            link.up = Some(session);
        }
        newer
    }

    fn sign_off(&mut self, participant: ParticipantId, session: u64) -> bool {
        match self.links.get_mut(participant.index()) {
            Some(link) if link.up == Some(session) => {
                link.up = None;
                true
            }
            _ => false,
        }
    }
}

/// Snapshot: the links in the order of participants, the switch's unused one first.
impl State {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(u32::try_from(self.links.len()).unwrap_or(u32::MAX));
        for link in &self.links {
            writer.put(&link.stream);
            writer.put(&link.up);
            writer.u64(link.session);
            writer.put(&link.inbound_last);
            writer.put(&link.outbound_last);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        for _ in 0..reader.u32("links")? {
            state.links.push(Link {
                stream: reader.field("stream")?,
                up: reader.field("up")?,
                session: reader.u64("session")?,
                inbound_last: reader.field("inbound_last")?,
                outbound_last: reader.field("outbound_last")?,
            });
        }
        Ok(state)
    }
}

impl Link {
    pub(crate) fn is_up(&self) -> bool {
        self.up.is_some()
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    match command {
        Command::Up {
            participant,
            session,
            received: _,
        } => {
            if state.participants.get(*participant).is_none() {
                return Outcome::Refused(Reason::UnknownParticipant);
            }
            if state.links.sign_on(*participant, *session) {
                out.event(Event::LinkChanged {
                    participant: *participant,
                    up: true,
                });
            }
            Outcome::Accepted
        }
        Command::Down {
            participant,
            session,
        } => {
            if state.links.sign_off(*participant, *session) {
                out.event(Event::LinkChanged {
                    participant: *participant,
                    up: false,
                });
            }
            Outcome::Accepted
        }
        Command::Refused { source, refusal } => refused(state, stamp, source, refusal, out),
        Command::Noted { .. } => Outcome::Accepted,
    }
}

fn refused(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    refusal: &Refusal,
    out: &mut Output,
) -> Outcome {
    let reason = refusal.reason;
    if !refusal.json {
        return state.links.reject(out, stamp, source, reason);
    }
    if let Some(link) = source.link() {
        let message = Message::CommandAnswer {
            original: stamp.position,
            refusal: Some(reason),
        };
        state.links.send(out, stamp, link, Letter::new(message));
    }
    out.event(Event::Refused { reason });
    Outcome::Refused(reason)
}

#[cfg(test)]
mod tests;
