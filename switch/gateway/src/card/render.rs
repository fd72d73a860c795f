//! From an effect of the engine to the bytes of one message.
//!
//! The text is made of the effect, the records that it names and the published view, and of nothing else: what goes out a second time is made
//! the same way. Requests are made of the secrets of their record, which are gone after a restart; everything else is made of redacted
//! evidence, so that it can be written at any later time. Messages are written in the national dialect; `crosswalk` takes them into another.
//!
//! What it never does: it decides nothing, repeats nothing, and no answer to an acquirer carries a card number.

mod answer;
mod edits;
mod fresh;
mod key_change;
mod letter;
mod request;
mod switch_data;

use std::sync::Arc;

use bytes::Bytes;
use torap_domain::Position;
use torap_engine::cards::{Command, Effect, Letter, Message as Outgoing};
use torap_hsm::{KeyRef, MacMethod};
use torap_iso8583::{Message, Refusal};

use super::evidence::{Evidence, EvidenceError};
use super::framing::Tpdu;
use super::keys::{mac_code, mac_method};
use super::members::{CardNetwork, Member};
use super::vault::CardVault;

/// A record that an effect names: from memory, or read back from the log.
#[derive(Clone, Copy)]
pub struct Record<'r> {
    /// Its facts.
    pub command: &'r Command,
    /// What is kept of the message.
    pub evidence: &'r Bytes,
    /// What only the memory holds; empty after a restart.
    pub secrets: &'r Bytes,
}

/// The records that an effect is made of, as [`records_of`] lists them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Records<'r> {
    /// The message that is answered, sent on, advised of or reversed.
    pub original: Option<Record<'r>>,
    /// The answer of an issuer or scheme.
    pub second: Option<Record<'r>>,
    /// Whether the scheme was asked about the request.
    pub enquired: bool,
}

/// What has become of a message apart from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The TPDU of the message that it answers.
    pub tpdu: Option<Tpdu>,
    /// A MAC has to be put over its last eight bytes, which are zeros.
    pub mac: Option<MacWanted>,
}

/// How a message gets its MAC: over everything but its last eight bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacWanted {
    /// The zone key.
    pub key: KeyRef,
    /// How.
    pub method: MacMethod,
}

/// Why a message could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenderError {
    /// The process that took the request is gone, and with it what the message would be made of.
    NoSecrets,
    /// A record that the effect names is not at hand.
    NoRecord,
    /// What the log keeps of it cannot be read.
    Evidence(EvidenceError),
    /// The card number that was sealed cannot be opened: another card key, or damage.
    NoCard,
    /// The receiver takes no part in card traffic.
    NotMember,
    /// The receiver wants MACs, and no key of its newest set is known.
    NoMacKey,
    /// A key that is to be handed over is not in the key file.
    NoKey,
    /// The codec refuses what was to be written.
    Refused(Refusal),
    /// The record is of a kind that the effect cannot be about.
    Mismatch,
}

/// The records that an effect needs: the original, and a second one.
pub fn records_of(effect: &Effect) -> [Option<Position>; 2] {
    use torap_engine::cards::Enrichment;
    match &effect.message {
        Outgoing::Request {
            original,
            enrichment,
            ..
        } => {
            let second = match enrichment {
                Enrichment::Answered(answer) => Some(*answer),
                Enrichment::NotAsked | Enrichment::Missing => None,
            };
            [Some(*original), second]
        }
        Outgoing::Enquiry { original, .. }
        | Outgoing::Reply { original, .. }
        | Outgoing::Reconciled { original, .. } => [Some(*original), None],
        Outgoing::Answer {
            original, answer, ..
        } => [Some(*original), *answer],
        Outgoing::Queued { letter, .. } => match letter {
            Letter::Advice { original, .. }
            | Letter::Reversal { original, .. }
            | Letter::Administrative { original, .. } => [Some(*original), None],
            Letter::Notice(_)
            | Letter::CutOver { .. }
            | Letter::Totals { .. }
            | Letter::KeyHandedOver { .. }
            | Letter::KeyInUse { .. } => [None, None],
        },
        Outgoing::ClosingTotals { .. } => [None, None],
    }
}

/// Writes messages; one per link, because it keeps buffers.
#[derive(Debug)]
pub struct CardRenderer {
    vault: Arc<CardVault>,
    scratch: Scratch,
}

/// Buffers of field values, used again.
#[derive(Debug, Default)]
struct Scratch {
    /// DE48.
    additional: Vec<u8>,
    /// DE55.
    chip: Vec<u8>,
    /// DE63.
    switch: Vec<u8>,
    /// DE44.
    words: Vec<u8>,
}

/// What every kind of message is written with.
struct Context<'c> {
    effect: &'c Effect,
    records: &'c Records<'c>,
    network: &'c CardNetwork,
    receiver: &'c Member,
    vault: &'c CardVault,
    mac: Option<MacWanted>,
}

impl CardRenderer {
    /// A renderer that opens card numbers with this vault.
    pub fn new(vault: Arc<CardVault>) -> CardRenderer {
        CardRenderer {
            vault,
            scratch: Scratch::default(),
        }
    }

    /// Appends the message of an effect, in the national dialect.
    ///
    /// # Errors
    /// Nothing has been appended, and [`RenderError`] says why. An answer that cannot be written is fetched by a repeat; a letter is asked
    /// for again by the engine's timers.
    pub fn render(
        &mut self,
        effect: &Effect,
        records: &Records<'_>,
        network: &CardNetwork,
        out: &mut Vec<u8>,
    ) -> Result<Rendered, RenderError> {
        let receiver = network.member(effect.to).ok_or(RenderError::NotMember)?;
        let context = Context {
            effect,
            records,
            network,
            receiver,
            vault: &self.vault,
            mac: mac_wanted(network, receiver)?,
        };
        let before = out.len();
        let tpdu = context.write(&mut self.scratch, out);
        match tpdu {
            Ok(tpdu) => Ok(Rendered {
                tpdu,
                mac: context.mac,
            }),
            Err(error) => {
                out.truncate(before);
                Err(error)
            }
        }
    }
}

impl<'c> Context<'c> {
    fn write(&self, scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<Option<Tpdu>, RenderError> {
        match &self.effect.message {
            Outgoing::Request { .. } => self.write_request(scratch, out).map(|()| None),
            Outgoing::Enquiry { .. } => self.write_enquiry(scratch, out).map(|()| None),
            Outgoing::Answer { .. } => self.write_answer(scratch, out),
            Outgoing::Reply { .. } => self.write_reply(scratch, out),
            Outgoing::Reconciled { .. } => self.write_reconciled(scratch, out),
            Outgoing::Queued {
                letter,
                trace,
                repeat,
            } => self
                .write_letter(letter, *trace, *repeat, scratch, out)
                .map(|()| None),
            Outgoing::ClosingTotals { .. } => {
                self.write_closing_totals(scratch, out).map(|()| None)
            }
        }
    }

    fn original(&self) -> Result<Record<'c>, RenderError> {
        self.records.original.ok_or(RenderError::NoRecord)
    }

    /// DE53 of a message with or without a PIN block; none if there is neither PIN block nor MAC.
    fn security(&self, pin: Option<(u8, u32)>) -> Option<[u8; 16]> {
        if pin.is_none() && self.mac.is_none() {
            return None;
        }
        let (format, pin_set) = pin.unwrap_or((99, 0));
        let (algorithm, mac_set) = match &self.mac {
            Some(wanted) => (
                mac_code(wanted.method),
                u32::from(self.receiver.profile.key_set),
            ),
            None => (*b"00", 0),
        };
        let mut field = [b'0'; 16];
        let (head, rest) = field.split_at_mut(2);
        head.copy_from_slice(&edits::digits::<2>(u64::from(format)));
        let (set, rest) = rest.split_at_mut(6);
        set.copy_from_slice(&edits::digits::<6>(u64::from(pin_set)));
        let (code, set) = rest.split_at_mut(2);
        code.copy_from_slice(&algorithm);
        set.copy_from_slice(&edits::digits::<6>(u64::from(mac_set)));
        Some(field)
    }
}

impl<'r> Record<'r> {
    fn evidence(&self) -> Result<Evidence<'r>, RenderError> {
        Evidence::read(self.evidence).map_err(RenderError::Evidence)
    }
}

impl From<Refusal> for RenderError {
    fn from(refusal: Refusal) -> RenderError {
        RenderError::Refused(refusal)
    }
}

/// How messages to a member get their MACs; none, if none are agreed.
fn mac_wanted(network: &CardNetwork, receiver: &Member) -> Result<Option<MacWanted>, RenderError> {
    if !receiver.profile.mac {
        return Ok(None);
    }
    let keys = network
        .keys
        .set(receiver.participant, receiver.profile.key_set);
    let key = keys.and_then(|keys| keys.mac.clone());
    let method = key.as_ref().and_then(mac_method);
    match (key, method) {
        (Some(key), Some(method)) => Ok(Some(MacWanted { key, method })),
        _ => Err(RenderError::NoMacKey),
    }
}

/// The redacted message of evidence.
fn image<'r>(evidence: &Evidence<'r>) -> Result<Message<'r>, RenderError> {
    evidence.message().map_err(RenderError::Evidence)
}

impl std::fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("command", self.command)
            .field("evidence", &self.evidence.len())
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

impl std::fmt::Display for RenderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RenderError::NoSecrets => f.write_str("what it is made of is gone with the process"),
            RenderError::NoRecord => f.write_str("a record that it names is not at hand"),
            RenderError::Evidence(error) => error.fmt(f),
            RenderError::NoCard => f.write_str("the card number cannot be opened"),
            RenderError::NotMember => f.write_str("the receiver takes no part in card traffic"),
            RenderError::NoMacKey => {
                f.write_str("no MAC key of the receiver's newest set is known")
            }
            RenderError::NoKey => {
                f.write_str("the key that is to be handed over is not in the key file")
            }
            RenderError::Refused(refusal) => refusal.fmt(f),
            RenderError::Mismatch => f.write_str("the record is not what the effect is about"),
        }
    }
}

impl std::error::Error for RenderError {}

#[cfg(test)]
mod tests;
