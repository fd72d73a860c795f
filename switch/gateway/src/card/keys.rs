//! Which key blocks go with which participant: its zone keys by set, its key-encrypting key, and the keys of delegated PIN verification.
//!
//! A [`KeyRef`] is a key block under the HSM's own master key: it opens nothing outside of that HSM, so it may stand in files and logs.
//! The newest set of a participant is engine state (`Profile::key_set`); messages to it are made with that set, and those from it may also
//! use the set before for a time, and the one that they were just told to use (`KeyState`).

use std::collections::BTreeMap;

use torap_domain::{ParticipantId, Time};
use torap_engine::cards::KeyState;
use torap_hsm::{KeyAlgorithm, KeyRef, KeyUsage, MacMethod, Padding, PinFormat};

/// Sets kept of one participant.
pub const KEY_SETS_MAX: usize = 8;

/// The zone keys of one set, shared with one participant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZoneKeys {
    /// Its number, as DE53 names it.
    pub set: u16,
    /// Under which PIN blocks travel, both ways.
    pub pin: Option<KeyRef>,
    /// Under which MACs are made, both ways.
    pub mac: Option<KeyRef>,
    /// The PIN key as it is handed over to the participant, under its key-encrypting key, if the switch made it.
    pub pin_handed: Option<KeyRef>,
    /// The MAC key so.
    pub mac_handed: Option<KeyRef>,
}

/// A key that an HSM of the switch made for a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeKey {
    /// What it is for.
    pub of: ZoneUse,
    /// Under the HSM's own master key.
    pub key: KeyRef,
    /// Under the participant's key-encrypting key.
    pub handed: KeyRef,
}

/// The keys of one participant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberKeys {
    /// Under which new zone keys are handed over (0800, DE125).
    pub key_encryption: Option<KeyRef>,
    /// By rising number.
    pub sets: Vec<ZoneKeys>,
}

/// All key blocks that the card side knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing {
    /// Zone keys.
    pub members: BTreeMap<ParticipantId, MemberKeys>,
    /// PIN verification keys, by the number of the stand-in rule whose cards they are for.
    pub pin_verification: BTreeMap<u16, KeyRef>,
}

/// What a zone key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneUse {
    /// PIN blocks.
    Pin,
    /// MACs.
    Mac,
}

impl KeyRing {
    /// The keys of one set of a participant.
    pub fn set(&self, participant: ParticipantId, set: u16) -> Option<&ZoneKeys> {
        self.members.get(&participant)?.set(set)
    }

    /// Adds a zone key, in the place of one of the same set and use. The oldest set goes if there are too many.
    pub fn add(&mut self, participant: ParticipantId, set: u16, of: ZoneUse, key: KeyRef) {
        let keys = self.members.entry(participant).or_default();
        let place = match keys.sets.binary_search_by_key(&set, |keys| keys.set) {
            Ok(place) => place,
            Err(place) => {
                // What is not handed over stays the key of the set before.
                let before = place
                    .checked_sub(1)
                    .and_then(|before| keys.sets.get(before));
                let keys_of_set = ZoneKeys {
                    set,
                    pin_handed: None,
                    mac_handed: None,
                    ..before.cloned().unwrap_or_default()
                };
                keys.sets.insert(place, keys_of_set);
                place
            }
        };
        if let Some(keys) = keys.sets.get_mut(place) {
            match of {
                ZoneUse::Pin => {
                    keys.pin = Some(key);
                    keys.pin_handed = None;
                }
                ZoneUse::Mac => {
                    keys.mac = Some(key);
                    keys.mac_handed = None;
                }
            }
        }
        if keys.sets.len() > KEY_SETS_MAX {
            keys.sets.remove(0);
        }
    }
}

impl MemberKeys {
    /// The keys of one set.
    pub fn set(&self, set: u16) -> Option<&ZoneKeys> {
        let place = self.sets.binary_search_by_key(&set, |keys| keys.set).ok()?;
        self.sets.get(place)
    }

    /// Whether messages from the participant may name the set while `newest` is in use: it is that one, the one that it was told to use,
    /// or the one before, as long as that is taken.
    pub fn takes(&self, set: u16, newest: u16, state: &KeyState, now: Time) -> bool {
        let before = match state.before {
            Some((before, until)) => (now < until).then_some(before),
            None => {
                let lower = self.sets.iter().rev().find(|keys| keys.set < newest);
                lower.map(|keys| keys.set)
            }
        };
        set == newest || state.next_set() == Some(set) || before == Some(set)
    }

    /// Puts in a set that the switch made. Sets above `newest` are remains of changes that came to nothing, and go; the oldest goes if
    /// there are too many. A key that was not made anew stays the one of `newest`.
    pub fn offer(&mut self, set: u16, newest: u16, made: &[MadeKey]) {
        self.sets.retain(|keys| keys.set <= newest);
        let mut new = ZoneKeys {
            set,
            pin_handed: None,
            mac_handed: None,
            ..self.set(newest).cloned().unwrap_or_default()
        };
        for made in made {
            let (key, handed) = match made.of {
                ZoneUse::Pin => (&mut new.pin, &mut new.pin_handed),
                ZoneUse::Mac => (&mut new.mac, &mut new.mac_handed),
            };
            *key = Some(made.key.clone());
            *handed = Some(made.handed.clone());
        }
        self.sets.push(new);
        if self.sets.len() > KEY_SETS_MAX {
            self.sets.remove(0);
        }
    }
}

/// How a MAC is made with this key: its block says for what it may be used. ISO 9797-1 algorithm 3 goes with padding method 2.
pub fn mac_method(key: &KeyRef) -> Option<MacMethod> {
    match key.block().usage() {
        KeyUsage::MacAlgorithm3 => Some(MacMethod::Algorithm3(Padding::Method2)),
        KeyUsage::MacCmac => Some(MacMethod::AesCmac),
        _ => None,
    }
}

/// The code of a MAC method in DE53.
pub fn mac_code(method: MacMethod) -> [u8; 2] {
    match method {
        MacMethod::Algorithm3(_) => *b"01",
        MacMethod::AesCmac => *b"02",
    }
}

/// The format in which PIN blocks leave under this key: 4 under AES; under Triple DES 3 stays 3, and everything else becomes 0.
pub fn pin_format_under(key: &KeyRef, from: PinFormat) -> Option<PinFormat> {
    match (key.block().algorithm(), from) {
        (KeyAlgorithm::Aes, _) => Some(PinFormat::Iso4),
        (KeyAlgorithm::Tdes, PinFormat::Iso3) => Some(PinFormat::Iso3),
        (KeyAlgorithm::Tdes, _) => Some(PinFormat::Iso0),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
