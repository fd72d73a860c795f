//! A message that waits for an HSM: its questions, and what their answers make of it.

use bytes::Bytes;
use torap_domain::CardReason;
use torap_engine::cards::{Command, KeyCommand, MacFact, Malformed, Network, PinFact};
use torap_hsm::{Failure, KeyRef, Pan, PinSource, PinTarget, Request, Response, Status, Verdict};

use super::questions::{ImportNeed, Needs, PinNeed};
use super::{Intake, malformed};
use crate::card::facts::Wrong;
use crate::card::keys::ZoneUse;
use crate::card::secrets::{self, ForwardedPin};

/// Names one question of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuestionNumber {
    /// Is the MAC right?
    Mac,
    /// Translate the PIN block.
    TranslatePin,
    /// Is the PIN right?
    VerifyPin,
    /// Take a zone key.
    ImportKey,
}

/// A zone key that a participant handed over and the HSM took: keep it before the command is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Whose zone.
    pub participant: torap_domain::ParticipantId,
    /// The set it belongs to.
    pub set: u16,
    /// What it is for.
    pub of: ZoneUse,
    /// The key block under the HSM's master key.
    pub key: KeyRef,
}

/// A message whose command waits for answers of an HSM. A question that nobody took, or that came to nothing, is answered by
/// [`Pending::fail`]; the command says then that it could not be found out.
#[derive(Debug)]
pub struct Pending {
    command: Command,
    evidence: Bytes,
    secrets: Vec<u8>,
    needs: Needs,
    /// Questions without an answer.
    open: Vec<QuestionNumber>,
    verified: Option<Verdict>,
    delivered: Option<Delivered>,
}

impl Pending {
    pub(super) fn new(
        command: Command,
        evidence: Bytes,
        secrets: Vec<u8>,
        needs: Needs,
    ) -> Pending {
        let verifies = needs.pin.as_ref().is_some_and(|pin| pin.verify.is_some());
        let open = [
            (needs.mac.is_some(), QuestionNumber::Mac),
            (needs.pin.is_some(), QuestionNumber::TranslatePin),
            (verifies, QuestionNumber::VerifyPin),
            (needs.import.is_some(), QuestionNumber::ImportKey),
        ];
        Pending {
            command,
            evidence,
            secrets,
            needs,
            open: open
                .into_iter()
                .filter_map(|(asked, number)| asked.then_some(number))
                .collect(),
            verified: None,
            delivered: None,
        }
    }

    /// The questions that are not answered yet.
    pub fn questions(&self) -> &[QuestionNumber] {
        &self.open
    }

    /// A question as an HSM takes it.
    pub fn request(&self, number: QuestionNumber) -> Option<Request<'_>> {
        Some(match number {
            QuestionNumber::Mac => {
                let need = self.needs.mac.as_ref()?;
                Request::VerifyMac {
                    key: need.key.block(),
                    method: need.method,
                    data: &need.data,
                    mac: need.mac,
                }
            }
            QuestionNumber::TranslatePin => {
                let need = self.needs.pin.as_ref()?;
                Request::TranslatePin {
                    from: source(need),
                    to: PinTarget {
                        key: need.to_key.block(),
                        format: need.to,
                    },
                    pan: Pan::parse(need.pan.digits()).ok()?,
                }
            }
            QuestionNumber::VerifyPin => {
                let need = self.needs.pin.as_ref()?;
                let (pvk, pvv) = need.verify.as_ref()?;
                Request::VerifyPin {
                    from: source(need),
                    pan: Pan::parse(need.pan.digits()).ok()?,
                    pvk: pvk.block(),
                    pvv: pvv.clone(),
                }
            }
            QuestionNumber::ImportKey => {
                let need = self.needs.import.as_ref()?;
                Request::ImportKey {
                    kek: need.key_encryption.block(),
                    block: need.block.block(),
                }
            }
        })
    }

    /// Takes the answer to a question; one that was answered before, or never asked, changes nothing.
    pub fn answer(&mut self, number: QuestionNumber, outcome: &Result<Response, Failure>) {
        if !self.close(number) {
            return;
        }
        match (number, outcome) {
            (QuestionNumber::Mac, Ok(Response::VerifyMac(verdict))) => {
                let fact = match verdict {
                    Verdict::Right => MacFact::Good,
                    Verdict::Wrong => MacFact::Bad,
                };
                set_mac(&mut self.command, fact);
            }
            (QuestionNumber::Mac, Err(Failure::Refused(status))) if is_ours(*status) => {
                set_mac(&mut self.command, MacFact::Bad);
            }
            (QuestionNumber::TranslatePin, Ok(Response::TranslatePin(block))) => {
                if let Some(need) = &self.needs.pin {
                    let pin = ForwardedPin {
                        format: need.to,
                        set: u32::from(need.to_set),
                        block: block.clone(),
                    };
                    secrets::set_pin(&mut self.secrets, &pin);
                }
                self.set_pin(PinFact::Translated);
            }
            (QuestionNumber::TranslatePin, Err(Failure::Refused(status))) if is_ours(*status) => {
                self.set_pin(PinFact::Refused);
            }
            (QuestionNumber::VerifyPin, Ok(Response::VerifyPin(verdict))) => {
                self.verified = Some(*verdict);
            }
            (QuestionNumber::ImportKey, outcome) => self.import(outcome),
            // The fact stays what it was made with: it could not be found out.
            _ => {}
        }
    }

    /// A question was not taken by any HSM.
    pub fn fail(&mut self, number: QuestionNumber) {
        self.answer(number, &Err(Failure::LinkLost));
    }

    /// The command, once every question is answered; and the key to be kept first, if one was handed over.
    pub fn finish(mut self) -> (Intake, Option<Delivered>) {
        if let Command::Request(request) = &mut self.command
            && request.pin == PinFact::Translated
        {
            request.pin = match self.verified {
                Some(Verdict::Right) => PinFact::Verified,
                Some(Verdict::Wrong) => PinFact::Wrong,
                // The issuer verifies it.
                None => PinFact::Translated,
            };
        }
        let intake = Intake {
            command: self.command,
            evidence: self.evidence,
            secrets: Bytes::from(self.secrets),
        };
        (intake, self.delivered)
    }

    fn close(&mut self, number: QuestionNumber) -> bool {
        let before = self.open.len();
        self.open.retain(|open| *open != number);
        self.open.len() < before
    }

    fn set_pin(&mut self, fact: PinFact) {
        if let Command::Request(request) = &mut self.command {
            request.pin = fact;
        }
    }

    fn import(&mut self, outcome: &Result<Response, Failure>) {
        let Some(need) = &self.needs.import else {
            return;
        };
        let wrong = |rule| Some(Wrong::new(CardReason::ProfileViolation, 125, rule));
        let wrong = match outcome {
            Ok(Response::ImportKey(new)) => {
                let stated = need.check_value.as_str();
                let is_right = new.check_value.to_string().starts_with(stated);
                if is_right {
                    self.delivered = Some(delivered(need, new.block.clone()));
                    None
                } else {
                    wrong("check-value")
                }
            }
            Err(Failure::Refused(status)) if is_ours(*status) => wrong("key-block-refused"),
            _ => Some(Wrong::new(
                CardReason::MacUnavailable,
                125,
                "hsm-unavailable",
            )),
        };
        if let (Some(wrong), Command::Network(Network { origin, trace, .. })) =
            (wrong, &self.command)
        {
            self.command = malformed(*origin, Some(*trace), wrong);
        }
    }
}

fn source(need: &PinNeed) -> PinSource<'_> {
    PinSource {
        key: need.from_key.block(),
        format: need.from,
        block: need.block.clone(),
    }
}

fn delivered(need: &ImportNeed, key: KeyRef) -> Delivered {
    Delivered {
        participant: need.participant,
        set: need.set,
        of: need.of,
        key,
    }
}

/// Whether a refusal is about what was asked, rather than about the HSM's own state.
fn is_ours(status: Status) -> bool {
    !matches!(
        status,
        Status::Overloaded | Status::InternalFault | Status::Other(_)
    )
}

fn set_mac(command: &mut Command, fact: MacFact) {
    let mac = match command {
        Command::Request(request) => &mut request.transaction.mac,
        Command::Advice(advice) => &mut advice.transaction.mac,
        Command::Reversal(reversal) => &mut reversal.mac,
        Command::Answer(answer) => &mut answer.mac,
        Command::SchemeAnswer(answer) => &mut answer.mac,
        Command::Acknowledged(acknowledged) => &mut acknowledged.mac,
        Command::FileUpdate(update) => &mut update.mac,
        Command::Reconciliation(reconciliation) => &mut reconciliation.mac,
        Command::Administrative(administrative) => &mut administrative.mac,
        Command::Network(network) => &mut network.mac,
        Command::Keys(KeyCommand::Answer(answer)) => &mut answer.mac,
        // A message at fault is refused for its fault, whatever its MAC.
        Command::Malformed(Malformed { .. }) => return,
        _ => return,
    };
    *mac = fact;
}
