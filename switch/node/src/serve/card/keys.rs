//! `card-keys.toml`: the key blocks of card participants. Each is under the HSM's own master key and tells nothing without that HSM.
//!
//! ```toml
//! [[participant]]
//! code = "HSBK"
//! zmk = "D0144K1AB00E0000…"     # protects zone keys on their way
//! pvk = "D0112V2TV00E0000…"     # verifies PINs on its behalf, if that is agreed
//!
//! [[participant.set]]
//! number = 1                    # as DE53 and the member's key_set name it
//! zpk = "D0112P0TB00E0000…"
//! zak = "D0112M6AC00E0000…"
//! zpk_handed = "D0112P0TB00E0000…"   # of a set that the switch made: under the zmk, as it is handed over
//! ```
//! A key change adds a set and writes the file anew. `torap hsm-sim keys` writes it too, for participants of a laboratory.

use std::{collections::BTreeMap, fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use serde::{Deserialize, Serialize};
use torap_domain::ParticipantId;
use torap_engine::cards::BinTable;
use torap_gateway::card::{
    keys::{KeyRing, MadeKey, MemberKeys, ZoneKeys, ZoneUse},
    translate::Delivered,
};
use torap_hsm::KeyRef;

use crate::folder::Folder;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    participant: Vec<Row>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    zmk: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pvk: Option<String>,
    #[serde(default)]
    set: Vec<Set>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    number: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    zpk: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zak: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zpk_handed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zak_handed: Option<String>,
}

/// Key blocks by the code of their participant.
#[derive(Clone, Debug, Default)]
pub struct CardKeys {
    of: BTreeMap<String, Keys>,
}

#[derive(Clone, Debug, Default)]
struct Keys {
    zones: MemberKeys,
    pin_verification: Option<KeyRef>,
}

/// What a key ceremony gives a participant: key blocks under the HSM's own master key.
#[derive(Clone, Copy)]
pub struct FirstKeys<'a> {
    pub zmk: &'a str,
    pub zpk: &'a str,
    pub zak: &'a str,
    pub pvk: Option<&'a str>,
}

impl std::fmt::Debug for FirstKeys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FirstKeys(…)")
    }
}

impl CardKeys {
    /// Reads the file; without it there are no keys.
    ///
    /// # Errors
    /// Names the file, the participant and the key, and never shows a block.
    pub fn read(folder: &Folder) -> Result<CardKeys, String> {
        let path = folder.card_keys();
        match read(&path)? {
            Some(text) => {
                CardKeys::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
            }
            None => Ok(CardKeys::default()),
        }
    }

    fn parse(text: &str) -> Result<CardKeys, String> {
        let file: File = toml::from_str(text).map_err(|error| error.message().to_string())?;
        let mut keys = CardKeys::default();
        for row in file.participant {
            let of = &row.code;
            let mut zones = MemberKeys {
                key_encryption: block(of, "zmk", row.zmk.as_deref())?,
                sets: Vec::new(),
            };
            for set in &row.set {
                let place = format!("set {}", set.number);
                if zones.set(set.number).is_some() {
                    return Err(format!("participant {of}: {place}: is there twice"));
                }
                zones.sets.push(ZoneKeys {
                    set: set.number,
                    pin: block(of, &format!("{place}: zpk"), set.zpk.as_deref())?,
                    mac: block(of, &format!("{place}: zak"), set.zak.as_deref())?,
                    pin_handed: block(
                        of,
                        &format!("{place}: zpk_handed"),
                        set.zpk_handed.as_deref(),
                    )?,
                    mac_handed: block(
                        of,
                        &format!("{place}: zak_handed"),
                        set.zak_handed.as_deref(),
                    )?,
                });
                zones.sets.sort_by_key(|set| set.set);
            }
            let pin_verification = block(of, "pvk", row.pvk.as_deref())?;
            let row = Keys {
                zones,
                pin_verification,
            };
            if keys.of.insert(of.clone(), row).is_some() {
                return Err(format!("participant {of}: is there twice"));
            }
        }
        Ok(keys)
    }

    /// Gives a participant the keys of a ceremony as its set 1, in place of all that it had.
    ///
    /// # Errors
    /// A block is none; names the key, and never shows the block.
    pub fn begin(&mut self, code: &str, first: &FirstKeys<'_>) -> Result<(), String> {
        let keys = Keys {
            zones: MemberKeys {
                key_encryption: block(code, "zmk", Some(first.zmk))?,
                sets: vec![ZoneKeys {
                    set: 1,
                    pin: block(code, "zpk", Some(first.zpk))?,
                    mac: block(code, "zak", Some(first.zak))?,
                    ..ZoneKeys::default()
                }],
            },
            pin_verification: block(code, "pvk", first.pvk)?,
        };
        self.of.insert(code.to_string(), keys);
        Ok(())
    }

    /// Adds a zone key that a participant handed over.
    pub fn add(&mut self, code: &str, delivered: &Delivered) {
        let of = self.of.entry(code.to_string()).or_default();
        let mut ring = KeyRing::default();
        ring.members
            .insert(delivered.participant, std::mem::take(&mut of.zones));
        ring.add(
            delivered.participant,
            delivered.set,
            delivered.of,
            delivered.key.clone(),
        );
        if let Some(zones) = ring.members.remove(&delivered.participant) {
            of.zones = zones;
        }
    }

    /// Puts in a set that an HSM made for a participant, above its set `newest`.
    pub fn offer(&mut self, code: &str, set: u16, newest: u16, made: &[MadeKey]) {
        let of = self.of.entry(code.to_string()).or_default();
        of.zones.offer(set, newest, made);
    }

    /// Whether new keys can be handed over to a participant: it has a zone master key.
    pub fn can_change(&self, code: &str) -> bool {
        let keys = self.of.get(code);
        keys.is_some_and(|keys| keys.zones.key_encryption.is_some())
    }

    /// Writes the file, wholly or not at all.
    ///
    /// # Errors
    /// Names the file.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let write = || -> std::io::Result<()> {
            let new = path.with_extension("toml.new");
            let mut options = fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|error| format!("{}: {error}", path.display()))
    }

    fn text(&self) -> String {
        let text = |key: &KeyRef| key.as_str().to_string();
        let row = |(code, keys): (&String, &Keys)| Row {
            code: code.clone(),
            zmk: keys.zones.key_encryption.as_ref().map(text),
            pvk: keys.pin_verification.as_ref().map(text),
            set: keys
                .zones
                .sets
                .iter()
                .map(|set| Set {
                    number: set.set,
                    zpk: set.pin.as_ref().map(text),
                    zak: set.mac.as_ref().map(text),
                    zpk_handed: set.pin_handed.as_ref().map(text),
                    zak_handed: set.mac_handed.as_ref().map(text),
                })
                .collect(),
        };
        let file = File {
            participant: self.of.iter().map(row).collect(),
        };
        // Tables of strings and numbers always have a text.
        toml::to_string(&file).unwrap_or_default()
    }

    /// The keys as translation and rendering look them up. PIN verification keys go with the stand-in rules that the table names for their
    /// issuer's cards.
    pub fn ring(
        &self,
        participant: impl Fn(&str) -> Option<ParticipantId>,
        bins: &BinTable,
    ) -> KeyRing {
        let mut ring = KeyRing::default();
        for (code, keys) in &self.of {
            let Some(id) = participant(code) else {
                continue;
            };
            ring.members.insert(id, keys.zones.clone());
            let Some(key) = &keys.pin_verification else {
                continue;
            };
            let rules = bins
                .ranges()
                .iter()
                .filter(|range| range.issuer == id && range.stand_in != 0);
            for range in rules {
                ring.pin_verification.insert(range.stand_in, key.clone());
            }
        }
        ring
    }

    /// The sets of a participant that have a key for this use, for the operator.
    pub fn sets(&self, code: &str, of: ZoneUse) -> Vec<u16> {
        let Some(keys) = self.of.get(code) else {
            return Vec::new();
        };
        let has = |set: &&ZoneKeys| match of {
            ZoneUse::Pin => set.pin.is_some(),
            ZoneUse::Mac => set.mac.is_some(),
        };
        keys.zones
            .sets
            .iter()
            .filter(has)
            .map(|set| set.set)
            .collect()
    }
}

fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn block(code: &str, key: &str, text: Option<&str>) -> Result<Option<KeyRef>, String> {
    let parse =
        |text| KeyRef::parse(text).map_err(|error| format!("participant {code}: {key}: {error}"));
    text.map(parse).transpose()
}

#[cfg(test)]
mod tests;
