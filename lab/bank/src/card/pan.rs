//! Cards of simulated issuers: made from a prefix and a number, so that every process agrees on them. No card here was ever issued.

use torap_hsm::Pan;
use torap_hsm_sim::Pin;
use torap_iso8583::check_digit;

/// Digits of the cards' numbers.
const PAN_DIGITS: usize = 16;
/// When all of them expire, YYMM.
pub const EXPIRY: &str = "3512";
/// Service code on the stripe: international, chip, PIN where it can be asked for.
const SERVICE_CODE: &str = "201";

/// A card. It holds what its holder knows, and shows none of it in `Debug`.
#[derive(Clone)]
pub struct TestCard {
    number: u32,
    pan: String,
    expiry: String,
    pin: String,
    verification: String,
    track2: String,
}

impl TestCard {
    /// Card `number` of an issuer's prefix of 6 to 11 digits; `None` if the prefix is none, or the number does not fit behind it.
    pub fn new(prefix: &str, number: u32) -> Option<TestCard> {
        let is_prefix =
            (6..=11).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let width = PAN_DIGITS - 1 - prefix.len().min(11);
        let body = format!("{number:0width$}");
        if !is_prefix || body.len() > width {
            return None;
        }
        let mut pan = format!("{prefix}{body}");
        pan.push(char::from(check_digit(pan.as_bytes())?));
        let mixed = mix(&pan);
        Some(TestCard {
            number,
            expiry: EXPIRY.into(),
            pin: format!("{:04}", mixed % 10_000),
            verification: format!("{:03}", mixed / 10_000 % 1_000),
            track2: format!("{pan}={EXPIRY}{SERVICE_CODE}{:05}", mixed % 100_000),
            pan,
        })
    }

    /// A test card of a real issuer; `None` if the number has no right check digit, or the PIN is none.
    pub fn known(
        pan: &str,
        expiry: &str,
        pin: &str,
        verification: &str,
        track2: &str,
    ) -> Option<TestCard> {
        let is_sound = (12..=19).contains(&pan.len())
            && torap_iso8583::luhn(pan.as_bytes())
            && Pin::new(pin.as_bytes()).is_some();
        is_sound.then(|| TestCard {
            number: 0,
            pan: pan.into(),
            expiry: expiry.into(),
            pin: pin.into(),
            verification: verification.into(),
            track2: track2.into(),
        })
    }

    /// Its number behind the prefix.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// DE2.
    pub fn pan(&self) -> &str {
        &self.pan
    }

    /// DE14, YYMM.
    pub fn expiry(&self) -> &str {
        &self.expiry
    }

    /// For PIN blocks.
    pub fn pan_for_pin(&self) -> Pan<'_> {
        Pan::parse(self.pan.as_bytes())
            .unwrap_or_else(|error| unreachable!("a card number of 12 to 19 digits: {error:?}"))
    }

    /// The PIN as digits, for the data that a participant fills in.
    pub fn pin_text(&self) -> &str {
        &self.pin
    }

    /// What its holder types.
    pub fn pin(&self) -> Pin {
        Pin::new(self.pin.as_bytes()).unwrap_or_else(|| unreachable!("checked when it was made"))
    }

    /// What its holder would never type.
    pub fn wrong_pin(&self) -> Pin {
        let wrong: Vec<u8> = self
            .pin
            .bytes()
            .map(|digit| b'0' + (digit - b'0' + 1) % 10)
            .collect();
        Pin::new(&wrong).unwrap_or_else(|| unreachable!("as many digits as the right one"))
    }

    /// Three digits printed on the card.
    pub fn verification(&self) -> &str {
        &self.verification
    }

    /// DE35: number, expiry, service code and the issuer's own digits.
    pub fn track2(&self) -> &str {
        &self.track2
    }
}

/// A card number that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CardNumber(pub(crate) String);

impl std::fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CardNumber({} digits)", self.0.len())
    }
}

impl std::fmt::Debug for TestCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TestCard({})", self.number)
    }
}

/// FNV-1a, then splitmix64's last steps: spreads digits, keeps no secret.
fn mix(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use torap_iso8583::luhn;

    #[test]
    fn cards_are_the_same_everywhere_and_sound() {
        let card = TestCard::new("93987220", 3).unwrap();
        assert_eq!(card.pan(), TestCard::new("93987220", 3).unwrap().pan());
        assert!(card.pan().starts_with("93987220") && card.pan().len() == 16);
        assert!(luhn(card.pan().as_bytes()));
        assert!(!card.pin().is(&card.wrong_pin()));
        assert!(card.track2().starts_with(card.pan()));
        assert!(card.track2().len() <= 37);
    }

    #[test]
    fn what_is_no_prefix_has_no_cards() {
        assert!(TestCard::new("12345", 0).is_none());
        assert!(TestCard::new("123456789012", 0).is_none());
        assert!(TestCard::new("12345a", 0).is_none());
        assert!(TestCard::new("12345678901", 10_000).is_none());
        assert!(TestCard::new("12345678901", 9_999).is_some());
    }

    #[test]
    fn debug_shows_no_card_number() {
        let card = TestCard::new("93987220", 3).unwrap();
        assert_eq!(format!("{card:?}"), "TestCard(3)");
    }
}
