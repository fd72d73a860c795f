//! Who is certified: the data that the bench needs of a participant, from a file that the participant fills in.

pub mod instant;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use torap_bank::card::TestCard;

/// Prefix of the cards with which a host is asked to buy at its terminals.
pub const BENCH_PREFIX: &str = "93980000";
/// The number behind it of the card that they are asked to use.
pub const BENCH_CARD: u32 = 1;
/// Numbers behind a simulated bank's prefix: a card that it has, and one that nobody has.
const KNOWN_CARD: u32 = 7;
const UNKNOWN_CARD: u32 = 5_000_000;

/// A participant's test data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Participant code.
    pub participant: String,
    /// Institution number, DE33 of its sign-on.
    pub institution: String,
    /// It acquires.
    #[serde(default = "yes")]
    pub acquirer: bool,
    /// It issues.
    #[serde(default = "yes")]
    pub issuer: bool,
    /// A number of its own that nobody has, with a right check digit.
    pub unknown_pan: String,
    /// Its side of the keys, as `torap hsm-sim keys` writes it; without it no PINs and no MACs.
    pub keys: Option<PathBuf>,
    #[serde(default = "one")]
    pub key_set: u32,
    /// Every message carries a MAC.
    #[serde(default)]
    pub mac: bool,
    /// A card with at least 1,000.00 tenge on its account.
    pub card: CardData,
}

/// A test card. No card of a person may stand here.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardData {
    pub pan: String,
    /// YYMM
    pub expiry: String,
    pub pin: String,
    pub verification: String,
    pub track2: String,
}

impl CardData {
    fn of(card: &TestCard) -> CardData {
        CardData {
            pan: card.pan().into(),
            expiry: card.expiry().into(),
            pin: card.pin_text().into(),
            verification: card.verification().into(),
            track2: card.track2().into(),
        }
    }

    /// The bench's card, which whoever is asked to buy has to know.
    ///
    /// # Errors
    /// It cannot be written as TOML.
    pub fn of_bench() -> Result<String, String> {
        let card = TestCard::new(BENCH_PREFIX, BENCH_CARD);
        let card = card.ok_or("bench: it has no card")?;
        toml::to_string(&CardData::of(&card)).map_err(|error| error.to_string())
    }
}

impl std::fmt::Debug for CardData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardData(…)")
    }
}

impl Subject {
    /// Reads a participant's file.
    ///
    /// # Errors
    /// Place and rule.
    pub fn parse(text: &str) -> Result<Subject, String> {
        let subject: Subject = toml::from_str(text).map_err(|error| error.message().to_string())?;
        subject.test_card()?;
        if !torap_iso8583::luhn(subject.unknown_pan.as_bytes()) {
            return Err("unknown_pan: its check digit is wrong".into());
        }
        if subject.mac && subject.keys.is_none() {
            return Err("mac: needs keys".into());
        }
        Ok(subject)
    }

    /// The data of a simulated bank, whose cards everybody can compute.
    ///
    /// # Errors
    /// The prefix is none, or too long for a number that nobody has.
    pub fn simulated(
        participant: &str,
        institution: &str,
        prefix: &str,
    ) -> Result<Subject, String> {
        let card = |number| {
            let card = TestCard::new(prefix, number);
            card.ok_or_else(|| format!("`{prefix}` is no prefix of 6 to 8 digits"))
        };
        let (known, unknown) = (card(KNOWN_CARD)?, card(UNKNOWN_CARD)?);
        Ok(Subject {
            participant: participant.into(),
            institution: institution.into(),
            acquirer: true,
            issuer: true,
            unknown_pan: unknown.pan().into(),
            keys: None,
            key_set: 1,
            mac: false,
            card: CardData::of(&known),
        })
    }

    /// As the file that [`Subject::parse`] reads.
    ///
    /// # Errors
    /// It cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }

    pub(crate) fn test_card(&self) -> Result<TestCard, String> {
        let card = &self.card;
        let known = TestCard::known(
            &card.pan,
            &card.expiry,
            &card.pin,
            &card.verification,
            &card.track2,
        );
        known.ok_or_else(|| "card: its number has no right check digit, or its PIN is none".into())
    }
}

const fn yes() -> bool {
    true
}

const fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_bank_s_file_reads_back() {
        let subject = Subject::simulated("HSBK", "601", "93986010").unwrap();
        let read = Subject::parse(&subject.to_toml().unwrap()).unwrap();
        assert_eq!(read.card.pan, subject.card.pan);
        assert_eq!(read.unknown_pan, subject.unknown_pan);
        assert!(!format!("{read:?}").contains(&subject.card.pan));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let subject = Subject::simulated("HSBK", "601", "93986010").unwrap();
        let check = |change: fn(&mut Subject), expect: &str| {
            let mut subject = subject.clone();
            change(&mut subject);
            let refused = Subject::parse(&subject.to_toml().unwrap()).unwrap_err();
            assert!(refused.contains(expect), "{refused}");
        };
        check(
            |subject| subject.card.pan = "4111111111111112".into(),
            "card:",
        );
        check(|subject| subject.card.pin = "12".into(), "card:");
        check(|subject| subject.unknown_pan = "1".into(), "unknown_pan:");
        check(|subject| subject.mac = true, "mac: needs keys");
        assert!(Subject::parse("participant = 1").is_err());
        assert!(Subject::simulated("HSBK", "601", "1").is_err());
    }
}
