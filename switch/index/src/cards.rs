//! Card transactions: what leads to one, and what each record did to it.
//!
//! There is no stream of card messages, so what the switch sent is nowhere but in the effects of its records: they are kept here as
//! steps, a row for each record and transaction. A step that a later record brings about a message ([`CardOf::Message`]) is found
//! through the position of that message, which the rows of its transaction name.

use std::collections::BTreeSet;

use torap_domain::{CardReason, Money, ParticipantId, Position, card::Stan};
use torap_engine::{
    Command, Event,
    cards::{self, CardKey, Decision, Effect, Letter, Message, Trace},
    codec::{FactsError, LayoutRule, Reader, Writer},
};

/// Layout of the steps of a row.
const VERSION: u8 = 1;
const NAME: &str = "card-steps";

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CardOf {
    /// The transaction or reversal with this key.
    Transaction(CardKey),
    /// The message at this position, when the record does not say whose key it has.
    Message(Position),
}

/// What an acquirer, an issuer or a scheme knows a message by. Hashes are compared, so a record may carry another name: read it
/// and compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardName<'a> {
    /// DE37 of a participant's request, advice or reversal, without blanks at the end.
    Retrieval {
        participant: ParticipantId,
        retrieval: &'a str,
    },
    /// Day of DE7, and DE11: of a participant's message, or of one that the switch sent to it.
    Trace {
        participant: ParticipantId,
        /// `MMDD`
        day: u32,
        stan: Stan,
    },
}

/// What the switch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardStep {
    /// 0100 or 0200 to the issuer.
    Asked {
        to: ParticipantId,
        trace: Trace,
    },
    /// An enquiry to a scheme.
    Enquired {
        to: ParticipantId,
        trace: Trace,
    },
    /// 0110 or 0210 to the acquirer.
    Answered {
        to: ParticipantId,
        again: bool,
    },
    /// 0130, 0230, 0410 or 0430.
    Replied {
        to: ParticipantId,
        refusal: Option<CardReason>,
        again: bool,
    },
    /// 0120, 0220 or 0420 from the queue of a participant.
    Sent {
        to: ParticipantId,
        letter: CardLetter,
        trace: Trace,
        repeat: bool,
    },
    Decided(Decision),
    Posted {
        debit: ParticipantId,
        credit: ParticipantId,
        amount: Money,
        reversal: bool,
    },
    /// The transaction does not stand, or only this of it.
    Reversed {
        stands: Money,
    },
    /// Only this of the transaction stands: the rest was given back by file, or a case claims it.
    Reduced {
        stands: Money,
        disputed: bool,
    },
    /// The authorisation can no longer be completed.
    Ended {
        completed: Money,
    },
    /// An issuer's answer came after the decision.
    LateAnswer {
        issuer: ParticipantId,
        approved: bool,
    },
    /// A reversal came before its original.
    Blocked,
}

/// What was sent from a queue. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CardLetter {
    Advice = 1,
    Reversal = 2,
}

/// What one record did to one transaction; nothing but itself if it is a message that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRecord {
    pub position: Position,
    pub steps: Vec<CardStep>,
}

impl CardName<'_> {
    /// The text whose hash stands in the table of identifiers. No identifier of a message has a zero byte.
    pub(crate) fn text(&self) -> String {
        match self {
            CardName::Retrieval {
                participant,
                retrieval,
            } => format!("card-37\0{}\0{retrieval}", participant.value()),
            CardName::Trace {
                participant,
                day,
                stan,
            } => format!(
                "card-11\0{}\0{:04}{:06}",
                participant.value(),
                day,
                stan.value()
            ),
        }
    }

    /// By DE7 and DE11.
    pub fn trace(participant: ParticipantId, trace: Trace) -> CardName<'static> {
        CardName::Trace {
            participant,
            day: trace.transmitted.value() / 1_000_000,
            stan: trace.stan,
        }
    }
}

/// The rows of one record, in a buffer that is used again.
#[derive(Debug, Default)]
pub(crate) struct CardRows {
    /// With what they are about, in the order they happened; a row without a step says that the record is there.
    pub(crate) steps: Vec<(CardOf, Option<CardStep>)>,
    /// Names with the record they lead to.
    pub(crate) names: Vec<(String, Position)>,
}

impl CardRows {
    /// Gathers what a record brings. `events` are all of its events.
    pub(crate) fn gather(
        &mut self,
        position: Position,
        command: &Command,
        events: &[Event],
        effects: &[Effect],
    ) {
        self.steps.clear();
        self.names.clear();
        let own = match command {
            Command::Cards(command) => self.command(position, command),
            _ => None,
        };
        if let Command::Cards(cards::Command::Present(present)) = command {
            self.presented(position, present, events);
        }
        let mut decided = None;
        for event in events {
            if let Event::Card(event) = event {
                if let cards::Event::Decided(finished) = event {
                    decided = Some((finished.submitted, finished.key));
                }
                self.event(event);
            }
        }
        for effect in effects {
            self.effect(effect, position, own, decided);
        }
    }

    /// The key of the message, if it moves a transaction.
    fn command(&mut self, position: Position, command: &cards::Command) -> Option<CardKey> {
        let (origin, references, key, about) = match command {
            cards::Command::Request(request) => {
                let transaction = &request.transaction;
                (
                    request.origin,
                    transaction.references,
                    transaction.key,
                    None,
                )
            }
            cards::Command::Advice(advice) => {
                let transaction = &advice.transaction;
                let about = advice.completes.map(|original| original.key);
                (
                    advice.origin,
                    transaction.references,
                    transaction.key,
                    about,
                )
            }
            cards::Command::Reversal(reversal) => (
                reversal.origin,
                reversal.references,
                reversal.key,
                Some(reversal.original.key),
            ),
            cards::Command::Acknowledged(acknowledged) => {
                let name = CardName::trace(acknowledged.origin.participant, acknowledged.trace);
                self.names.push((name.text(), position));
                return None;
            }
            _ => return None,
        };
        let participant = origin.participant;
        let retrieval = CardName::Retrieval {
            participant,
            retrieval: references.retrieval.as_str(),
        };
        let trace = CardName::trace(participant, references.trace);
        self.names.push((retrieval.text(), position));
        self.names.push((trace.text(), position));
        for key in [Some(key), about].into_iter().flatten() {
            self.steps.push((CardOf::Transaction(key), None));
        }
        Some(key)
    }

    /// A piece of a presentment file: each line that was taken belongs to itself and to its original, and is named as that is.
    fn presented(&mut self, position: Position, present: &cards::Present, events: &[Event]) {
        let taken: BTreeSet<CardKey> = events
            .iter()
            .filter_map(|event| match event {
                Event::Card(cards::Event::Decided(finished)) => Some(finished.key),
                _ => None,
            })
            .collect();
        for line in present
            .lines
            .iter()
            .filter(|line| taken.contains(&line.key))
        {
            let name = CardName::Retrieval {
                participant: present.participant,
                retrieval: line.retrieval.as_str(),
            };
            self.names.push((name.text(), position));
            let original = line.known.map(|known| known.transaction.key);
            for key in [Some(line.key), original].into_iter().flatten() {
                self.steps.push((CardOf::Transaction(key), None));
            }
        }
    }

    fn event(&mut self, event: &cards::Event) {
        let (key, step) = match event {
            cards::Event::Decided(finished) => (finished.key, CardStep::Decided(finished.decision)),
            cards::Event::Posted(posting) => (
                posting.key,
                CardStep::Posted {
                    debit: posting.debit,
                    credit: posting.credit,
                    amount: posting.amount,
                    reversal: posting.reversal,
                },
            ),
            cards::Event::Reversed {
                original, stands, ..
            } => (*original, CardStep::Reversed { stands: *stands }),
            cards::Event::Reduced {
                original,
                stands,
                case,
            } => (
                *original,
                CardStep::Reduced {
                    stands: *stands,
                    disputed: case.is_some(),
                },
            ),
            cards::Event::AuthorisationEnded { key, completed } => (
                *key,
                CardStep::Ended {
                    completed: *completed,
                },
            ),
            cards::Event::LateAnswer {
                key,
                issuer,
                approved,
            } => (
                *key,
                CardStep::LateAnswer {
                    issuer: *issuer,
                    approved: *approved,
                },
            ),
            cards::Event::Blocked { original, .. } => (*original, CardStep::Blocked),
            _ => return,
        };
        self.steps.push((CardOf::Transaction(key), Some(step)));
    }

    fn effect(
        &mut self,
        effect: &Effect,
        position: Position,
        own: Option<CardKey>,
        decided: Option<(Position, CardKey)>,
    ) {
        let to = effect.to;
        let (original, step, trace) = match effect.message {
            Message::Request {
                original, trace, ..
            } => (original, CardStep::Asked { to, trace }, Some(trace)),
            Message::Enquiry {
                original, trace, ..
            } => (original, CardStep::Enquired { to, trace }, Some(trace)),
            Message::Answer {
                original, again, ..
            } => (original, CardStep::Answered { to, again }, None),
            Message::Reply {
                original,
                refusal,
                again,
                ..
            } => {
                // Replies to everything else are about no transaction.
                if own.is_none() {
                    return;
                }
                let step = CardStep::Replied { to, refusal, again };
                (original, step, None)
            }
            Message::Queued {
                letter,
                trace,
                repeat,
            } => {
                let (original, letter) = match letter {
                    Letter::Advice { original, .. } => (original, CardLetter::Advice),
                    Letter::Reversal { original, .. } => (original, CardLetter::Reversal),
                    _ => return,
                };
                let step = CardStep::Sent {
                    to,
                    letter,
                    trace,
                    repeat,
                };
                (original, step, (!repeat).then_some(trace))
            }
            Message::Reconciled { .. } | Message::ClosingTotals { .. } => return,
        };
        let of = match (own, decided) {
            (Some(key), _) if original == position => CardOf::Transaction(key),
            (_, Some((submitted, key))) if submitted == original => CardOf::Transaction(key),
            _ => CardOf::Message(original),
        };
        self.steps.push((of, Some(step)));
        if let Some(trace) = trace {
            self.names
                .push((CardName::trace(to, trace).text(), original));
        }
    }

    /// Puts the steps of each thing together and gives them in turn, as they are stored.
    pub(crate) fn each(&mut self, mut row: impl FnMut(CardOf, &[u8])) {
        // The sort is stable: steps of one thing stay in their order.
        self.steps.sort_by_key(|(of, _)| *of);
        let mut bytes = Vec::new();
        for run in self.steps.chunk_by(|(one, _), (other, _)| one == other) {
            bytes.clear();
            let mut writer = Writer::new(&mut bytes);
            writer.u8(VERSION);
            for step in run.iter().filter_map(|(_, step)| step.as_ref()) {
                put(step, &mut writer);
            }
            if let Some((of, _)) = run.first() {
                row(*of, &bytes);
            }
        }
    }
}

fn put(step: &CardStep, writer: &mut Writer<'_>) {
    match step {
        CardStep::Asked { to, trace } => {
            writer.u8(1);
            writer.put(to);
            writer.put(trace);
        }
        CardStep::Enquired { to, trace } => {
            writer.u8(2);
            writer.put(to);
            writer.put(trace);
        }
        CardStep::Answered { to, again } => {
            writer.u8(3);
            writer.put(to);
            writer.u8(u8::from(*again));
        }
        CardStep::Replied { to, refusal, again } => {
            writer.u8(4);
            writer.put(to);
            writer.u8(u8::from(*again));
            writer.u8(u8::from(refusal.is_some()));
            if let Some(refusal) = refusal {
                writer.put(refusal);
            }
        }
        CardStep::Sent {
            to,
            letter,
            trace,
            repeat,
        } => {
            writer.u8(5);
            writer.put(to);
            writer.u8(*letter as u8);
            writer.put(trace);
            writer.u8(u8::from(*repeat));
        }
        CardStep::Decided(decision) => {
            writer.u8(6);
            writer.put(decision);
        }
        CardStep::Posted {
            debit,
            credit,
            amount,
            reversal,
        } => {
            writer.u8(7);
            writer.put(debit);
            writer.put(credit);
            writer.put(amount);
            writer.u8(u8::from(*reversal));
        }
        CardStep::Reversed { stands } => {
            writer.u8(8);
            writer.put(stands);
        }
        CardStep::Ended { completed } => {
            writer.u8(9);
            writer.put(completed);
        }
        CardStep::LateAnswer { issuer, approved } => {
            writer.u8(10);
            writer.put(issuer);
            writer.u8(u8::from(*approved));
        }
        CardStep::Blocked => writer.u8(11),
        CardStep::Reduced { stands, disputed } => {
            writer.u8(12);
            writer.put(stands);
            writer.u8(u8::from(*disputed));
        }
    }
}

/// Reads the steps of a row.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<CardStep>, FactsError> {
    let mut reader = Reader::new(NAME, bytes);
    reader.version(VERSION)?;
    let mut steps = Vec::new();
    while reader.offset() < bytes.len() {
        steps.push(take(&mut reader)?);
    }
    reader.finish()?;
    Ok(steps)
}

fn take(reader: &mut Reader<'_>) -> Result<CardStep, FactsError> {
    let offset = reader.offset();
    Ok(match reader.u8("step")? {
        1 => CardStep::Asked {
            to: reader.field("to")?,
            trace: reader.field("trace")?,
        },
        2 => CardStep::Enquired {
            to: reader.field("to")?,
            trace: reader.field("trace")?,
        },
        3 => CardStep::Answered {
            to: reader.field("to")?,
            again: flag(reader, "again")?,
        },
        4 => {
            let to = reader.field("to")?;
            let again = flag(reader, "again")?;
            let refusal = match flag(reader, "refused")? {
                true => Some(reader.field("refusal")?),
                false => None,
            };
            CardStep::Replied { to, refusal, again }
        }
        5 => CardStep::Sent {
            to: reader.field("to")?,
            letter: letter(reader)?,
            trace: reader.field("trace")?,
            repeat: flag(reader, "repeat")?,
        },
        6 => CardStep::Decided(reader.field("decision")?),
        7 => CardStep::Posted {
            debit: reader.field("debit")?,
            credit: reader.field("credit")?,
            amount: reader.field("amount")?,
            reversal: flag(reader, "reversal")?,
        },
        8 => CardStep::Reversed {
            stands: reader.field("stands")?,
        },
        9 => CardStep::Ended {
            completed: reader.field("completed")?,
        },
        10 => CardStep::LateAnswer {
            issuer: reader.field("issuer")?,
            approved: flag(reader, "approved")?,
        },
        11 => CardStep::Blocked,
        12 => CardStep::Reduced {
            stands: reader.field("stands")?,
            disputed: flag(reader, "disputed")?,
        },
        _ => return Err(reader.error("step", offset, LayoutRule::Value)),
    })
}

fn flag(reader: &mut Reader<'_>, field: &'static str) -> Result<bool, FactsError> {
    let offset = reader.offset();
    match reader.u8(field)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(reader.error(field, offset, LayoutRule::Value)),
    }
}

fn letter(reader: &mut Reader<'_>) -> Result<CardLetter, FactsError> {
    let offset = reader.offset();
    match reader.u8("letter")? {
        1 => Ok(CardLetter::Advice),
        2 => Ok(CardLetter::Reversal),
        _ => Err(reader.error("letter", offset, LayoutRule::Value)),
    }
}

#[cfg(test)]
mod tests;
