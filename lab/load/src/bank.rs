//! One bank's end: its link, what it has to say, and its payments.

use std::collections::VecDeque;

use torap_domain::{Sequence, Text};
use torap_gateway::session::{ClientConfig, ClientSession, Outgoing};
use torap_gateway::wire::{ContentType, Mode, Nonce};

use crate::incoming::Forwarded;
use crate::ledger::Ledger;
use crate::payment::Writer;
use crate::plan::LoadBank;

/// A message to the switch, kept until the switch holds it: small enough to write it again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Letter {
    /// A payment by its number over all banks.
    Payment { number: u64, created_ns: u64 },
    /// The ACSP to a forwarded payment.
    Answer(Answer),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    number: u64,
    created_ns: u64,
    message_name: Text<35>,
    message_id: Text<35>,
    end_to_end_id: Text<35>,
    transaction_id: Text<35>,
    uetr: Text<36>,
}

#[derive(Debug)]
pub(crate) struct Bank {
    /// Place in the plan.
    place: usize,
    details: LoadBank,
    /// The present link, or the last one with its last words.
    session: Option<ClientSession>,
    /// Signed on with the present session.
    is_open: bool,
    /// Last sequence of the switch's stream that was dealt with.
    held: Sequence,
    /// Sequence of the first letter.
    first: u64,
    letters: VecDeque<Letter>,
    /// Was it ever signed on? Only then is `first` known.
    is_known: bool,
    answers: u64,
    pub(crate) payments: Ledger,
}

impl Bank {
    pub(crate) fn new(place: usize, details: LoadBank) -> Bank {
        Bank {
            place,
            held: details.held,
            details,
            session: None,
            is_open: false,
            first: 1,
            letters: VecDeque::new(),
            is_known: false,
            answers: 0,
            payments: Ledger::default(),
        }
    }

    pub(crate) fn code(&self) -> &str {
        self.details.code.as_str()
    }

    pub(crate) fn bic(&self) -> &str {
        self.details.bic.as_str()
    }

    pub(crate) fn session(&mut self) -> Option<&mut ClientSession> {
        self.session.as_mut()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// A connection was made.
    pub(crate) fn connected(&mut self, mode: Mode, nonce: Nonce, now: u64) {
        let LoadBank {
            code, bic, secret, ..
        } = &self.details;
        let mut config = ClientConfig::new(*code, mode, vec![*bic], secret.clone());
        config.held = self.held;
        self.session = Some(ClientSession::new(config, nonce, &[], now));
    }

    /// The session is over; its last words may still be written.
    pub(crate) fn disconnected(&mut self) {
        self.is_open = false;
    }

    /// The switch holds everything up to here; the first sign-on also says where this bank's stream stands.
    pub(crate) fn signed_on(&mut self, held_by_switch: Sequence) {
        self.is_open = true;
        if self.is_known {
            self.acknowledged(held_by_switch);
        } else {
            self.is_known = true;
            self.first = held_by_switch.next().value();
        }
    }

    pub(crate) fn acknowledged(&mut self, upto: Sequence) {
        while self.first <= upto.value() && self.letters.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// A message of the switch was dealt with.
    pub(crate) fn hold(&mut self, sequence: Sequence) {
        self.held = sequence;
    }

    /// Lets the switch know what was dealt with.
    pub(crate) fn confirm(&mut self) {
        if let Some(session) = &mut self.session {
            session.confirm(self.held);
        }
    }

    /// The letter with this sequence, if the switch does not hold it yet.
    pub(crate) fn letter(&self, sequence: Sequence) -> Option<&Letter> {
        let place = sequence.value().checked_sub(self.first)?;
        self.letters.get(usize::try_from(place).ok()?)
    }

    pub(crate) fn post_payment(&mut self, number: u64, created_ns: u64) {
        self.letters
            .push_back(Letter::Payment { number, created_ns });
    }

    /// `false` if the identifiers are longer than any may be.
    pub(crate) fn post_answer(&mut self, forwarded: &Forwarded<'_>, created_ns: u64) -> bool {
        let answer = || {
            Some(Answer {
                number: self.answers,
                created_ns,
                message_name: forwarded.message_name.try_into().ok()?,
                message_id: forwarded.message_id.try_into().ok()?,
                end_to_end_id: forwarded.end_to_end_id.try_into().ok()?,
                transaction_id: forwarded.transaction_id.try_into().ok()?,
                uetr: forwarded.uetr.try_into().ok()?,
            })
        };
        let Some(answer) = answer() else {
            return false;
        };
        self.answers += 1;
        self.letters.push_back(Letter::Answer(answer));
        true
    }

    /// Sends what waits, as far as the window allows. True if a further letter would leave at once.
    pub(crate) fn flush(&mut self, writer: &mut Writer, body: &mut Vec<u8>) -> bool {
        let Some(session) = self.session.as_mut().filter(|_| self.is_open) else {
            return false;
        };
        loop {
            let Some(wants) = session.wants() else {
                return false;
            };
            let place = wants.next.value().checked_sub(self.first);
            let letter = place.and_then(|place| self.letters.get(usize::try_from(place).ok()?));
            let Some(letter) = letter else {
                return true;
            };
            body.clear();
            letter.write(self.place, writer, body);
            if session
                .send(wants.next, &Outgoing::new(ContentType::Iso20022Xml, body))
                .is_err()
            {
                return false;
            }
        }
    }
}

impl Letter {
    fn write(&self, bank: usize, writer: &mut Writer, out: &mut Vec<u8>) {
        match self {
            Letter::Payment { number, created_ns } => {
                writer.write_payment(*number, *created_ns, out);
            }
            Letter::Answer(answer) => {
                let forwarded = Forwarded {
                    message_name: answer.message_name.as_str(),
                    message_id: answer.message_id.as_str(),
                    end_to_end_id: answer.end_to_end_id.as_str(),
                    transaction_id: answer.transaction_id.as_str(),
                    uetr: answer.uetr.as_str(),
                };
                writer.write_acceptance(bank, answer.number, &forwarded, answer.created_ns, out);
            }
        }
    }
}
