//! One entry while it is written: what every message of the switch has, and what its text is derived from.

use torap_domain::{Bic, Iban, Position, Text, TransactionId, Uetr};
use torap_engine::{
    Command, Effect, References, approval,
    instant::{self, AliasResolution, CreditTransfer},
    schedule,
};
use torap_iso20022::{
    MessageType,
    view::{Assignment, BusinessHeader},
};

use super::{Records, RenderError};
use crate::{network::Network, versions};

/// BizSvc of the rail.
const SERVICE: &str = "torap.inst.1";

/// An entry, who gets it, and where the rest can be read.
pub(super) struct Entry<'a> {
    pub(super) effect: &'a Effect,
    /// The original message of the record that the entry forwards.
    pub(super) evidence: Option<&'a [u8]>,
    pub(super) records: &'a dyn Records,
    pub(super) network: &'a Network,
    pub(super) switch: Bic,
    pub(super) receiver: Bic,
    id: Text<35>,
    possible_duplicate: bool,
}

/// What a text repeats from the message that it is about.
pub(super) struct Original {
    pub(super) references: References,
    pub(super) version: MessageType,
    /// Of a payment by phone, if the directory knew it: the payee's bank and account.
    pub(super) resolved: Option<(Bic, Iban)>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(
        effect: &'a Effect,
        evidence: Option<&'a [u8]>,
        records: &'a dyn Records,
        network: &'a Network,
        possible_duplicate: bool,
    ) -> Result<Entry<'a>, RenderError> {
        let outbound = &effect.outbound;
        let view = network.by_id(outbound.to);
        let receiver = view.and_then(|view| view.bics.first()).copied();
        // A participant's number and a sequence have at most 5 and 20 digits.
        let id = Text::format(format_args!(
            "T{:04}-{}",
            outbound.to.value(),
            outbound.sequence
        ));
        Ok(Entry {
            effect,
            evidence,
            records,
            network,
            switch: network.switch_bic(),
            receiver: receiver.ok_or(RenderError::Receiver(outbound.to))?,
            id: id.unwrap_or(Text::EMPTY),
            possible_duplicate,
        })
    }

    /// Identifier of a message of the switch's own.
    pub(super) fn id(&self) -> &str {
        self.id.as_str()
    }

    /// When the entry was made, nanoseconds since 1970 UTC.
    pub(super) fn created_ns(&self) -> u64 {
        self.effect.outbound.time.nanos()
    }

    /// The header for a message with the given identifier.
    pub(super) fn header<'h>(&'h self, message_id: &'h str) -> BusinessHeader<'h> {
        BusinessHeader {
            from: self.switch.as_str(),
            to: self.receiver.as_str(),
            message_id,
            service: Some(SERVICE),
            created_ns: self.created_ns(),
            possible_duplicate: self.possible_duplicate,
        }
    }

    /// The assignment of a message of the switch's own.
    pub(super) fn assignment(&self) -> Assignment<'_> {
        Assignment {
            id: self.id(),
            assigner: self.switch.as_str(),
            assignee: self.receiver.as_str(),
            created_ns: self.created_ns(),
        }
    }

    /// What the text repeats from the message at `position`: from the effect, or else from the record.
    pub(super) fn original(&self, position: Position) -> Result<Original, RenderError> {
        let (references, resolved) = match self.effect.references {
            Some(references) => (references, self.effect.resolved),
            None => self.recorded(position)?,
        };
        let version = versions::message(references.message_version);
        let version = version.ok_or(RenderError::Facts {
            position,
            expected: "of a known message version",
        })?;
        Ok(Original {
            references,
            version,
            resolved,
        })
    }

    /// The operator's command at a position: alone, inside what made it wait for its time or for another operator, or where another
    /// operator's approval found it.
    pub(super) fn ordered(&self, position: Position) -> Result<Command, RenderError> {
        let mut command = self.records.facts(position)?;
        if let Command::Approval(approval::Command::Decide { id, .. }) = command {
            command = self.records.facts(id)?;
        }
        loop {
            command = match command {
                Command::Schedule(schedule::Command::Order { command, .. })
                | Command::Approval(approval::Command::Propose { command, .. }) => *command,
                command => return Ok(command),
            };
        }
    }

    /// The facts of a credit transfer.
    pub(super) fn credit_transfer(
        &self,
        position: Position,
    ) -> Result<CreditTransfer, RenderError> {
        match self.records.facts(position)? {
            Command::Instant(instant::Command::CreditTransfer(transfer)) => Ok(transfer),
            _ => Err(RenderError::Facts {
                position,
                expected: "a credit transfer",
            }),
        }
    }

    fn recorded(
        &self,
        position: Position,
    ) -> Result<(References, Option<(Bic, Iban)>), RenderError> {
        let Command::Instant(command) = self.records.facts(position)? else {
            return Err(RenderError::Facts {
                position,
                expected: "a message of the instant rail",
            });
        };
        match command {
            instant::Command::CreditTransfer(transfer) => {
                Ok((transfer.references, resolved(&transfer)))
            }
            // An answer to a return names the return where an answer to a payment names the payment.
            instant::Command::Return(payment_return) => {
                let return_id = TransactionId::parse(payment_return.return_id.as_str());
                let transaction_id = return_id.unwrap_or(payment_return.references.transaction_id);
                Ok((
                    References {
                        transaction_id,
                        ..payment_return.references
                    },
                    None,
                ))
            }
            instant::Command::Recall(recall) => Ok((recall.references, None)),
            instant::Command::Resolution(resolution) => Ok((resolution.references, None)),
            instant::Command::StatusRequest(request) => Ok((request.references, None)),
            instant::Command::Answer(_)
            | instant::Command::ConfirmAnswer(_)
            | instant::Command::SetSettings { .. }
            | instant::Command::SetLimits { .. }
            | instant::Command::SetRecallRule { .. } => Err(RenderError::Facts {
                position,
                expected: "a message with references",
            }),
        }
    }
}

/// The payee's bank and account that the directory gave for a payment by phone.
pub(super) fn resolved(transfer: &CreditTransfer) -> Option<(Bic, Iban)> {
    match transfer.alias?.resolution {
        AliasResolution::Found {
            agent,
            iban,
            person: _,
        } => Some((agent, iban)),
        AliasResolution::Unknown | AliasResolution::Suspended => None,
    }
}

/// A UETR in its groups: `f47ac10b-58cc-4372-a567-0e02b2c3d479`.
pub(super) fn hyphenated(uetr: Uetr) -> Text<36> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let places = (0..36).filter(|place| !matches!(place, 8 | 13 | 18 | 23));
    let digits = uetr
        .bytes()
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf]);
    for (place, digit) in places.zip(digits) {
        if let (Some(slot), Some(character)) =
            (text.get_mut::<usize>(place), DIGITS.get(usize::from(digit)))
        {
            *slot = *character;
        }
    }
    std::str::from_utf8(&text)
        .ok()
        .and_then(|text| Text::try_from(text).ok())
        .unwrap_or(Text::EMPTY)
}
