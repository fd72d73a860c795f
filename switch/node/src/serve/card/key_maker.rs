//! Keys for key changes that the switch began: an HSM makes them and wraps them for their member, they are put on the disk, and the log learns
//! their check values.
//!
//! What an HSM cannot do now is tried again until it can, or until the change is taken back. A crash between disk and log leaves blocks that
//! nobody was told of; the keys are then made anew in their place.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use torap_domain::{ParticipantId, Position, Text};
use torap_engine::{
    Command,
    cards::{self, KeyChange, KeyCommand, KeyLength, KeyStage, NewKeys},
};
use torap_gateway::card::keys::{MadeKey, MemberKeys, ZoneUse};
use torap_hsm::{
    CheckValue, Failure, KeyAlgorithm, KeyExport, KeyMode, KeyRef, KeySpec, KeyUsage, NewKey,
    Request, Response, Status,
};

use super::{
    Cards,
    hsm::ReplyTo,
    links::{Mailbox, Question},
};
use crate::serve::{intake::Stopped, switch::Switch};

/// Between two tries.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Bytes of key material of an AES key of 256 bits in a block: its length, itself, and padding to whole blocks.
const LONG_KEY_DIGITS: usize = 96;
/// Hexadecimal digits of a block's MAC.
const MAC_DIGITS: usize = 32;

/// A change whose keys are to be made.
pub(super) struct Wanted {
    pub(super) participant: ParticipantId,
    pub(super) change: KeyChange,
    /// The set in use.
    pub(super) newest: u16,
}

/// Why there are no keys.
enum Not {
    /// An HSM says so, or there is nothing to make them from: it stays so.
    Refused(&'static str),
    /// No HSM could be asked.
    Now,
}

/// Makes keys as long as the switch runs.
pub(in crate::serve) async fn make_keys(switch: Arc<Switch>, cards: Arc<Cards>) {
    // Orders whose command was taken; what gateways know of them may be a moment older.
    let mut done: BTreeSet<(ParticipantId, Position)> = BTreeSet::new();
    loop {
        let mut later = false;
        let all = cards.keys_wanted();
        done.retain(|(participant, ordered)| {
            let is_it = |wanted: &Wanted| {
                wanted.participant == *participant && wanted.change.ordered == *ordered
            };
            all.iter().any(is_it)
        });
        for wanted in all {
            let order = (wanted.participant, wanted.change.ordered);
            if done.contains(&order) {
                continue;
            }
            let made = match make(&cards, &wanted).await {
                Ok(keys) => Ok(keys),
                Err(Not::Refused(status)) => Err(Text::truncated(status)),
                Err(Not::Now) => {
                    later = true;
                    continue;
                }
            };
            if let Err(status) = &made {
                tracing::warn!(participant = wanted.participant.value(), %status, "no zone keys can be made");
            }
            let command = KeyCommand::Made {
                participant: wanted.participant,
                ordered: wanted.change.ordered,
                made,
            };
            let command = Command::Cards(cards::Command::Keys(command));
            if let Err(Stopped) = switch.intake.decide(command).await {
                return;
            }
            done.insert(order);
        }
        if later {
            tokio::time::sleep(AGAIN_AFTER).await;
        } else {
            cards.key_orders.notified().await;
        }
    }
}

/// The keys of a change, on the disk.
async fn make(cards: &Cards, wanted: &Wanted) -> Result<NewKeys, Not> {
    let ring = Arc::clone(&cards.network().keys);
    let keys = ring.members.get(&wanted.participant);
    let keys = keys.ok_or(Not::Refused("no-keys"))?;
    let set = wanted.newest.checked_add(1).ok_or(Not::Refused("no-set"))?;
    let mut new = NewKeys {
        set,
        pin: None,
        mac: None,
    };
    let mut made = Vec::new();
    let uses = wanted.change.uses;
    for (of, is_wanted) in [(ZoneUse::Pin, uses.pin), (ZoneUse::Mac, uses.mac)] {
        if !is_wanted {
            continue;
        }
        let which = (wanted.newest, of, wanted.change.length);
        let (key, value) = make_one(cards, keys, which).await?;
        let value = Some(Text::truncated(&value.to_string()));
        match of {
            ZoneUse::Pin => new.pin = value,
            ZoneUse::Mac => new.mac = value,
        }
        made.push(key);
    }
    cards
        .offer(wanted.participant, set, wanted.newest, &made)
        .map_err(|error| {
            tracing::error!(%error, "new zone keys cannot be kept");
            Not::Now
        })?;
    Ok(new)
}

async fn make_one(
    cards: &Cards,
    keys: &MemberKeys,
    (newest, of, length): (u16, ZoneUse, KeyLength),
) -> Result<(MadeKey, CheckValue), Not> {
    let zone_master = keys.key_encryption.as_ref();
    let zone_master = zone_master.ok_or(Not::Refused("no-zone-master-key"))?;
    let current = keys.set(newest).and_then(|set| match of {
        ZoneUse::Pin => set.pin.as_ref(),
        ZoneUse::Mac => set.mac.as_ref(),
    });
    let current = current.ok_or(Not::Refused("no-key-to-replace"))?;
    let request = Request::GenerateKey(spec(current, of, length));
    let NewKey { block, check_value } = match ask(cards, &request).await? {
        Response::GenerateKey(new) => new,
        _ => return Err(Not::Now),
    };
    let request = Request::ExportKey {
        kek: zone_master.block(),
        key: block.block(),
    };
    match ask(cards, &request).await? {
        Response::ExportKey(handed) if handed.check_value == check_value => {
            let made = MadeKey {
                of,
                key: block,
                handed: handed.block,
            };
            Ok((made, check_value))
        }
        Response::ExportKey(_) => Err(Not::Refused("check-values-differ")),
        _ => Err(Not::Now),
    }
}

/// A key like the one that it replaces: its use and cipher; unless a length is ordered 256 bits if it is AES of 256, else 128. What the cipher does
/// not have the HSM refuses.
fn spec(current: &KeyRef, of: ZoneUse, length: KeyLength) -> KeySpec {
    let block = current.block();
    let key_digits = block.payload().len().saturating_sub(MAC_DIGITS);
    let is_long = block.algorithm() == KeyAlgorithm::Aes && key_digits >= LONG_KEY_DIGITS;
    let usage: KeyUsage = block.usage();
    KeySpec {
        usage,
        algorithm: block.algorithm(),
        bits: match (length, is_long) {
            (KeyLength::Bits256, _) | (KeyLength::AsBefore, true) => 256,
            (KeyLength::Bits128, _) | (KeyLength::AsBefore, false) => 128,
        },
        mode: match of {
            ZoneUse::Pin => KeyMode::EncryptAndDecrypt,
            ZoneUse::Mac => KeyMode::GenerateAndVerify,
        },
        export: KeyExport::Trusted,
    }
}

async fn ask(cards: &Cards, request: &Request<'_>) -> Result<Response, Not> {
    let mailbox = Arc::new(Mailbox::default());
    let reply_to = ReplyTo {
        mailbox: Arc::clone(&mailbox),
        ticket: 0,
        question: Question::Key,
    };
    if !cards.hsms.ask(request, reply_to) {
        return Err(Not::Now);
    }
    // Every question that is taken gets an answer.
    let outcome = loop {
        match mailbox.next_answer() {
            Some(answer) => break answer.outcome,
            None => mailbox.changed.notified().await,
        }
    };
    match outcome {
        Ok(response) => Ok(response),
        Err(Failure::Refused(Status::Overloaded | Status::InternalFault | Status::Other(_))) => {
            Err(Not::Now)
        }
        Err(Failure::Refused(status)) => Err(Not::Refused(status.name())),
        Err(_) => Err(Not::Now),
    }
}

/// Whether a change waits for its keys.
pub(super) fn wants(change: &KeyChange) -> bool {
    change.stage == KeyStage::Making
}
