//! From a participant's message to one command, with what the log keeps of it and what only the memory may hold.
//!
//! It never refuses by itself: what cannot be read, breaks a rule of its step, or fails a check is a command too, so that every message stands
//! in the log with its reason, and the engine answers. What only an HSM can tell is asked for before the command is queued: a message that
//! needs it becomes a [`Pending`], which lists its questions, takes the answers in any order, and is then the command.
//!
//! What it never does: it keeps no state between messages, asks nobody by itself, and neither sends nor waits.

mod pending;
mod questions;

use std::sync::Arc;

use bytes::Bytes;
use torap_domain::{CardReason, Time};
use torap_engine::cards::{
    Acknowledged, Administrative, Advice, Answer, ChipFact, Class, Command, FileUpdate, KeyAnswer,
    KeyCommand, MacFact, Malformed, Network, NetworkAction, Origin, Reconciliation, Request,
    Reversal, Route, SchemeAnswer, Transaction, Verdict,
};
use torap_iso8583::{Dialect, Message, Refusal, Step, check_step};

use self::questions::Needs;
use super::evidence::write_head;
use super::facts::{self, Wrong};
use super::framing::Tpdu;
use super::members::CardNetwork;
use super::network::purpose;
use super::secrets;
use super::vault::CardVault;
use crate::codes_card::{Meaning, meaning};

pub use pending::{Delivered, Pending, QuestionNumber};

/// A message as it came, in the national dialect; of a link that speaks another one, as `crosswalk` took it across.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// Whose link it came on, and on which.
    pub origin: Origin,
    /// The TPDU in front of it.
    pub tpdu: Option<Tpdu>,
    /// The message; not kept.
    pub message: &'a [u8],
    /// The bytes under its MAC as they stood on the wire, and the MAC, if the link's dialect is another one.
    pub wire: Option<WireMac<'a>>,
    /// The wall clock.
    pub now: Time,
    /// Whether new requests are to be refused because too much waits.
    pub overloaded: bool,
    /// Whether an HSM takes questions: what could not be sent without one is refused at once.
    pub hsm_is_up: bool,
}

/// What a MAC covers, as it stood on the wire.
#[derive(Debug, Clone, Copy)]
pub struct WireMac<'a> {
    /// The bytes before the MAC.
    pub covered: &'a [u8],
    /// The MAC.
    pub mac: &'a [u8],
}

/// A command on its way to the queue.
#[derive(Clone, PartialEq, Eq)]
pub struct Intake {
    /// Its facts.
    pub command: Command,
    /// What the log keeps of the message; empty if it could not be read.
    pub evidence: Bytes,
    /// What only the memory holds: of requests and of schemes' answers.
    pub secrets: Bytes,
}

/// What became of a message.
#[derive(Debug)]
pub enum Translated {
    /// Queue it.
    Ready(Intake),
    /// An HSM has to be asked first.
    Ask(Box<Pending>),
    /// The bytes are no message of the dialect: queue the command, which leaves it in the log, and tell the peer on its link.
    Unreadable {
        /// For the log.
        intake: Intake,
        /// For the peer.
        refusal: Refusal,
    },
}

/// Makes commands of messages. One per link: it keeps buffers only.
#[derive(Debug)]
pub struct CardTranslator {
    vault: Arc<CardVault>,
}

/// Facts of a message, before its MAC and PIN are known.
struct Read {
    command: Command,
    /// The card number goes into the evidence, sealed.
    seals_card: bool,
    /// The message itself is needed to write the next one.
    keeps_message: bool,
    needs: Needs,
}

impl CardTranslator {
    /// A translator that hashes and seals with this vault.
    pub fn new(vault: Arc<CardVault>) -> CardTranslator {
        CardTranslator { vault }
    }

    /// Translates one message. `network` is what the durable log says at this moment.
    pub fn translate(&self, inbound: &Inbound<'_>, network: &CardNetwork) -> Translated {
        let message = match Message::parse(Dialect::national(), inbound.message) {
            Ok(message) => message,
            Err(refusal) => return unreadable(inbound.origin, refusal),
        };
        let read = self
            .read(inbound, &message, network)
            .unwrap_or_else(|wrong| self.refused(inbound, &message, wrong));
        let evidence = self.evidence(inbound, &message, &read);
        let secrets = if read.keeps_message {
            secrets::begin(inbound.message)
        } else {
            Vec::new()
        };
        if read.needs.is_empty() {
            return Translated::Ready(Intake {
                command: read.command,
                evidence,
                secrets: Bytes::from(secrets),
            });
        }
        let pending = Pending::new(read.command, evidence, secrets, read.needs);
        Translated::Ask(Box::new(pending))
    }

    fn read(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        let mti = message.mti();
        match (mti.class(), mti.function()) {
            (1 | 2, 0) => self.request(inbound, message, network),
            (1 | 2, 1) => self.answer(inbound, message, network),
            (1 | 2, 2) => self.advice(inbound, message, network),
            (4, 0 | 2) => self.reversal(inbound, message, network),
            (3, 0) => self.file_update(inbound, message, network),
            (5, 0 | 2) => self.reconciliation(inbound, message, network),
            (6, 0 | 2) => self.administrative(inbound, message, network),
            (6, 1) if is_scheme(inbound, network) => self.scheme_answer(inbound, message, network),
            (1 | 2 | 4, 3) => self.acknowledged(inbound, message, network, Step::FromIssuer),
            (8, 1) => self.network_answer(inbound, message, network),
            (5 | 6, 1 | 3) => self.acknowledged(inbound, message, network, Step::FromParticipant),
            (8, 0) => self.network(inbound, message, network),
            _ => Err(Wrong::new(
                CardReason::FunctionNotSupported,
                0,
                "message-type",
            )),
        }
    }

    fn request(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromAcquirer)?;
        message.check_subfields()?;
        if inbound.overloaded {
            return Err(Wrong::new(CardReason::Overloaded, 0, "overloaded"));
        }
        let (mac, mut needs) = Needs::mac(inbound, message, network);
        let mut transaction = self.transaction(inbound, message, network, mac)?;
        if Needs::cannot_be_sent(inbound, network, transaction.route) {
            // Nothing is asked: whatever comes out, the issuer cannot be.
            transaction.mac = MacFact::Unavailable;
            needs = Needs::default();
        }
        let pin = needs.pin(inbound, message, network, transaction.route);
        let command = Command::Request(Request {
            origin: inbound.origin,
            repeat: message.mti().is_repeat(),
            transaction,
            pin,
            chip: if message.has(55) {
                ChipFact::Unchecked
            } else {
                ChipFact::Absent
            },
            token: facts::is_token(message)?,
            partial_supported: facts::takes_a_part(message),
        });
        Ok(Read {
            command,
            seals_card: true,
            keeps_message: true,
            needs,
        })
    }

    fn transaction(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
        mac: MacFact,
    ) -> Result<Transaction, Wrong> {
        let participant = inbound.origin.participant;
        let class = class_of(message)?;
        let references = facts::references(message)?;
        let card = facts::card(message, &self.vault)?;
        Ok(Transaction {
            class,
            key: facts::key(message, class.number(), participant, &references),
            fingerprint: facts::fingerprint(message, &card),
            references,
            card,
            route: route(inbound, message, network)?,
            service: facts::service(message)?,
            channel: facts::channel(message)?,
            entry: facts::entry(message)?,
            mcc: facts::mcc(message)?,
            amount: facts::amount(message)?,
            cash_back: facts::cash_back(message)?,
            mac,
        })
    }

    fn advice(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromAcquirer)?;
        message.check_subfields()?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let transaction = self.transaction(inbound, message, network, mac)?;
        let completes = matches!(message.get(24), Some(b"201" | b"202"));
        let completes = completes
            .then(|| facts::original(message, inbound.origin.participant, &transaction.references));
        let command = Command::Advice(Advice {
            origin: inbound.origin,
            repeat: message.mti().is_repeat(),
            transaction,
            approval: facts::approval(message)?,
            completes: completes.transpose()?,
        });
        Ok(Read {
            command,
            seals_card: true,
            keeps_message: false,
            needs,
        })
    }

    fn reversal(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromAcquirer)?;
        message.check_subfields()?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let participant = inbound.origin.participant;
        let references = facts::references(message)?;
        let card = facts::card(message, &self.vault)?;
        facts::tenge(message)?;
        let command = Command::Reversal(Reversal {
            origin: inbound.origin,
            repeat: message.mti().is_repeat(),
            advice: message.mti().function() == 2,
            key: facts::key(message, message.mti().class(), participant, &references),
            fingerprint: facts::fingerprint(message, &card),
            references,
            card,
            mac,
            original: facts::original(message, participant, &references)?,
            stands: facts::stands(message)?,
        });
        Ok(Read::plain(command, needs))
    }

    fn answer(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromIssuer)?;
        message.check_subfields()?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let code = facts::response(message)?;
        let verdict = match meaning(code) {
            Meaning::Approved => Verdict::Approve {
                approval: facts::approval(message)?,
                part: None,
            },
            Meaning::Part => Verdict::Approve {
                approval: facts::approval(message)?,
                part: Some(facts::amount(message)?),
            },
            Meaning::Declined => Verdict::Decline { code },
        };
        let command = Command::Answer(Answer {
            origin: inbound.origin,
            class: class_of(message)?,
            trace: facts::trace(message)?,
            mac,
            verdict,
        });
        Ok(Read::plain(command, needs))
    }

    fn scheme_answer(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromScheme)?;
        message.check_subfields()?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let code = facts::response(message)?;
        let command = Command::SchemeAnswer(SchemeAnswer {
            origin: inbound.origin,
            trace: facts::trace(message)?,
            mac,
            declines: (meaning(code) != Meaning::Approved).then_some(code),
        });
        Ok(Read {
            // The card behind a token is needed once, for the request to the issuer.
            keeps_message: true,
            ..Read::plain(command, needs)
        })
    }

    fn acknowledged(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
        step: Step,
    ) -> Result<Read, Wrong> {
        check_step(message, step)?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let command = Command::Acknowledged(Acknowledged {
            origin: inbound.origin,
            trace: facts::trace(message)?,
            mac,
            code: facts::response(message)?,
        });
        Ok(Read::plain(command, needs))
    }

    /// 0810: of one to a key that was handed over, the check value counts.
    fn network_answer(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        if message.get(70) != Some(purpose::KEY_HANDED_OVER) {
            return self.acknowledged(inbound, message, network, Step::FromParticipant);
        }
        check_step(message, Step::FromParticipant)?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let command = Command::Keys(KeyCommand::Answer(KeyAnswer {
            origin: inbound.origin,
            trace: facts::trace(message)?,
            mac,
            code: facts::response(message)?,
            check_value: questions::stated_check_value(message),
        }));
        Ok(Read::plain(command, needs))
    }

    fn file_update(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromParticipant)?;
        message.check_subfields()?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let command = Command::FileUpdate(FileUpdate {
            origin: inbound.origin,
            trace: facts::trace(message)?,
            mac,
            card: facts::card(message, &self.vault)?,
            route: route(inbound, message, network)?,
            action: facts::stop_action(message)?,
        });
        Ok(Read::plain(command, needs))
    }

    fn reconciliation(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromParticipant)?;
        message.check_subfields()?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let (side, totals) = facts::totals(message)?;
        let institution = message.has(99).then(|| facts::institution(message, 99));
        let command = Command::Reconciliation(Reconciliation {
            origin: inbound.origin,
            trace: facts::trace(message)?,
            mac,
            advice: message.mti().function() == 2,
            institution: institution.transpose()?,
            session: facts::settlement_day(message)?,
            side,
            totals,
        });
        Ok(Read::plain(command, needs))
    }

    fn administrative(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromParticipant)?;
        message.check_subfields()?;
        let (mac, needs) = Needs::mac(inbound, message, network);
        let to = message.has(100).then(|| facts::institution(message, 100));
        let command = Command::Administrative(Administrative {
            origin: inbound.origin,
            trace: facts::trace(message)?,
            mac,
            advice: message.mti().function() == 2,
            to: to.transpose()?,
        });
        Ok(Read::plain(command, needs))
    }

    fn network(
        &self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<Read, Wrong> {
        check_step(message, Step::FromParticipant)?;
        message.check_subfields()?;
        let (mac, mut needs) = Needs::mac(inbound, message, network);
        let action = match facts::field(message, 70)? {
            purpose::SIGN_ON => NetworkAction::SignOn,
            purpose::SIGN_OFF => NetworkAction::SignOff,
            purpose::ECHO => NetworkAction::Echo,
            purpose::CUT_OVER => NetworkAction::CutOver,
            // The key is taken before the command; the command itself changes nothing yet.
            purpose::KEY_HANDED_OVER => {
                needs.key_import(inbound, message, network)?;
                NetworkAction::Echo
            }
            purpose::KEY_IN_USE => NetworkAction::KeyChange {
                key_set: questions::key_in_use(inbound, message, network)?,
            },
            purpose::KEY_REQUEST => NetworkAction::KeyRequest {
                uses: questions::key_request(inbound, message, network)?,
            },
            _ => {
                return Err(Wrong::new(
                    CardReason::FunctionNotSupported,
                    70,
                    "network-management-code",
                ));
            }
        };
        let command = Command::Network(Network {
            origin: inbound.origin,
            trace: facts::trace(message)?,
            mac,
            action,
        });
        Ok(Read::plain(command, needs))
    }

    /// A message that was read and is at fault: it is answered if it is one that is answered and says what to repeat.
    fn refused(&self, inbound: &Inbound<'_>, message: &Message<'_>, wrong: Wrong) -> Read {
        let trace = match message.mti().answer() {
            Some(_) => facts::trace(message).ok(),
            None => None,
        };
        let command = malformed(inbound.origin, trace, wrong);
        Read::plain(command, Needs::default())
    }

    fn evidence(&self, inbound: &Inbound<'_>, message: &Message<'_>, read: &Read) -> Bytes {
        let mut out = Vec::with_capacity(message.bytes().len() + 80);
        let card = match &read.command {
            Command::Request(Request { transaction, .. })
            | Command::Advice(Advice { transaction, .. })
                if read.seals_card =>
            {
                Some(transaction.card.hash)
            }
            // Its answer names the card again.
            Command::FileUpdate(update) => Some(update.card.hash),
            _ => None,
        };
        write_head(Dialect::national(), inbound.tpdu, card.is_some(), &mut out);
        if let (Some(card), Some(digits)) = (card, message.get(2)) {
            self.vault.seal(digits, card, &mut out);
        }
        message.redacted(&mut out);
        Bytes::from(out)
    }
}

impl Read {
    /// Of this message nothing but its evidence is kept.
    fn plain(command: Command, needs: Needs) -> Read {
        Read {
            command,
            seals_card: false,
            keeps_message: false,
            needs,
        }
    }
}

/// What becomes of bytes that are no message of the link's dialect, or cannot be taken into the national one.
pub fn unreadable(origin: Origin, refusal: Refusal) -> Translated {
    let intake = Intake {
        command: malformed(origin, None, Wrong::from(refusal)),
        // Bytes that cannot be read cannot be redacted either.
        evidence: Bytes::new(),
        secrets: Bytes::new(),
    };
    Translated::Unreadable { intake, refusal }
}

fn malformed(origin: Origin, trace: Option<torap_engine::cards::Trace>, wrong: Wrong) -> Command {
    Command::Malformed(Malformed {
        origin,
        trace,
        reason: wrong.reason,
        field: wrong.field,
        rule: wrong.rule,
    })
}

fn class_of(message: &Message<'_>) -> Result<Class, Wrong> {
    Class::from_number(message.mti().class()).ok_or(Wrong::new(
        CardReason::FunctionNotSupported,
        0,
        "message-type",
    ))
}

fn route(
    inbound: &Inbound<'_>,
    message: &Message<'_>,
    network: &CardNetwork,
) -> Result<Option<Route>, Wrong> {
    let found = network.bins.route(facts::pan(message)?, inbound.now);
    Ok(found.map(|(route, _)| route))
}

fn is_scheme(inbound: &Inbound<'_>, network: &CardNetwork) -> bool {
    network
        .member(inbound.origin.participant)
        .is_some_and(|member| member.profile.roles.scheme)
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake")
            .field("command", &self.command)
            .field("evidence", &self.evidence.len())
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
