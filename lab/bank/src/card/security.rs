//! PIN blocks and MACs of a simulated host: it is its own HSM.

use torap_domain::Time;
use torap_gateway::card::crosswalk::{covered, put_mac};
use torap_hsm::{KeyBlock, KeyUsage, Mac, MacMethod, Padding, PinBlock, PinFormat};
use torap_hsm_sim::Pin;
use torap_hsm_sim::soft::{BankKeys, KeyAge, ZoneKey};
use torap_iso8583::{Dialect, Message};

use super::message::{Draft, text};
use super::pan::TestCard;

/// What is agreed with the switch, and the keys for it.
#[derive(Debug)]
pub struct Security {
    keys: Option<BankKeys>,
    /// Every message carries a MAC, but for the exceptions of docs/cards.md.
    mac: bool,
    /// Number of the key set in use, as DE53 names it.
    key_set: u32,
    /// The set before, whose keys are still understood.
    before: Option<u32>,
    /// The set that is being handed over.
    next: Option<u32>,
    /// Whose keys make what is sent.
    speaks: KeyAge,
}

/// What a MAC is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacVerdict {
    NotAgreed,
    Good,
    Bad,
    Missing,
}

/// What a PIN block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinVerdict {
    Absent,
    Right,
    Wrong,
    /// Not a PIN block of this card under this key.
    Unreadable,
}

/// DE70 of an echo, which never carries a MAC.
const ECHO: &str = "301";
/// DE70 of a sign-on; a switch that cannot tell who asks, or has no HSM, refuses it without one.
const SIGN_ON: &str = "001";
/// DE70 of a sign-off; the switch's own carries none, nor does the answer to it.
const SIGN_OFF: &str = "002";
/// Digits of DE53 before those of the MAC: format and set of a PIN block, or the set that a message about keys means.
const ABOUT_DIGITS: usize = 8;
/// DE24 of the word that a frame was no message, which carries none.
const UNREADABLE: &str = "610";

impl Security {
    /// Without keys there are neither PINs nor MACs.
    pub fn new(keys: Option<BankKeys>, mac: bool, key_set: u32) -> Security {
        Security {
            mac: mac && keys.is_some(),
            keys,
            key_set,
            before: None,
            next: None,
            speaks: KeyAge::Now,
        }
    }

    /// Whether MACs are agreed.
    pub fn has_mac(&self) -> bool {
        self.mac
    }

    /// Whether PINs can be sent.
    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Adds the PIN block of a card to a request. `format` overrides the one that goes with the key.
    ///
    /// # Errors
    /// There is no key, or the format does not go with it.
    pub fn add_pin(
        &self,
        draft: &mut Draft,
        card: &TestCard,
        pin: &Pin,
        format: Option<PinFormat>,
    ) -> Result<(), String> {
        let keys = self.keys.as_ref().ok_or("pin: this host has no keys")?;
        let format = format.unwrap_or_else(|| keys.pin_format());
        let block = keys.encrypt_pin_under(self.speaks, format, pin, card.pan_for_pin());
        let block = block.map_err(|error| format!("pin: {error}"))?;
        let field = if format == PinFormat::Iso4 { 110 } else { 52 };
        draft.set(field, block.as_bytes());
        draft.set(53, self.control(Some(format)));
        Ok(())
    }

    /// Compares the PIN block of a request with the card's PIN.
    pub fn pin_verdict(&self, message: &Message<'_>, card: &TestCard) -> PinVerdict {
        let Some(bytes) = message.get(52).or_else(|| message.get(110)) else {
            return PinVerdict::Absent;
        };
        let format = match text(message, 53).get(..2) {
            Some("00") => PinFormat::Iso0,
            Some("01") => PinFormat::Iso1,
            Some("03") => PinFormat::Iso3,
            Some("04") => PinFormat::Iso4,
            _ => return PinVerdict::Unreadable,
        };
        let (Some(keys), Some(block)) = (&self.keys, PinBlock::from_bytes(bytes)) else {
            return PinVerdict::Unreadable;
        };
        let Some(age) = self.age_of(message, 2) else {
            return PinVerdict::Unreadable;
        };
        match keys.decrypt_pin_under(age, format, &block, card.pan_for_pin()) {
            Ok(pin) if pin.is(&card.pin()) => PinVerdict::Right,
            Ok(_) => PinVerdict::Wrong,
            Err(_) => PinVerdict::Unreadable,
        }
    }

    /// A message's bytes, with a MAC if one is agreed.
    ///
    /// # Errors
    /// A value does not fit the dialect, or no MAC can be made.
    pub fn sealed(&self, draft: &Draft, dialect: &Dialect, now: Time) -> Result<Vec<u8>, String> {
        let purpose = draft.text(70);
        let is_exempt = purpose == ECHO || (draft.mti() == 810 && purpose == SIGN_OFF);
        let written = |draft: &Draft| draft.write(dialect, now).map_err(|error| error.to_string());
        let (Some(keys), true, false) = (&self.keys, self.mac, is_exempt) else {
            return written(draft);
        };
        let mut draft = draft.clone();
        let has_pin = draft.get(52).is_some() || draft.get(110).is_some();
        if !has_pin {
            // An 0800 about keys says in front which set it is about.
            let about = match draft.mti() {
                800 => draft.text(53),
                _ => String::new(),
            };
            let control = self.control(None);
            let (front, own) = control.split_at(ABOUT_DIGITS);
            draft.set(
                53,
                format!("{}{own}", about.get(..ABOUT_DIGITS).unwrap_or(front)),
            );
        }
        draft.set(if draft.has_above_64() { 128 } else { 64 }, [0; 8]);
        let mut bytes = written(&draft)?;
        let mac = keys.mac_under(self.speaks, covered(dialect, &bytes));
        let mac = mac.map_err(|error| format!("MAC: {error}"))?;
        put_mac(dialect, &mut bytes, mac.first_8());
        Ok(bytes)
    }

    /// Checks the MAC of a message from the switch in the national dialect.
    pub fn mac_verdict(&self, message: &Message<'_>) -> MacVerdict {
        let wire = message.before_mac();
        self.mac_verdict_on(message, wire)
    }

    /// The same of a message that came in any dialect: what its MAC covers, and the MAC, as they stood on the wire.
    pub(crate) fn mac_verdict_on(
        &self,
        message: &Message<'_>,
        wire: Option<(&[u8], &[u8])>,
    ) -> MacVerdict {
        let purpose = text(message, 70);
        let is_exempt = match (message.mti().class(), message.mti().is_answer()) {
            (8, true) if purpose == SIGN_ON => text(message, 39) != "00",
            (8, is_answer) => purpose == ECHO || (purpose == SIGN_OFF && !is_answer),
            (6, false) => text(message, 24) == UNREADABLE,
            _ => false,
        };
        let (Some(keys), true, false) = (&self.keys, self.mac, is_exempt) else {
            return MacVerdict::NotAgreed;
        };
        let Some((covered, mac)) = wire else {
            return MacVerdict::Missing;
        };
        match (Mac::from_bytes(mac), self.age_of(message, 10)) {
            (Some(mac), Some(age)) if keys.verify_mac_under(age, covered, &mac) => MacVerdict::Good,
            _ => MacVerdict::Bad,
        }
    }

    /// Which keys DE53 names from this place on; none if it names a set that is neither in use nor on its way.
    fn age_of(&self, message: &Message<'_>, at: usize) -> Option<KeyAge> {
        let named = text(message, 53);
        let set: u32 = named.get(at..at + 6).unwrap_or("0").parse().ok()?;
        match set {
            0 => Some(KeyAge::Now),
            set if set == self.key_set => Some(KeyAge::Now),
            set if Some(set) == self.next => Some(KeyAge::Next),
            set if Some(set) == self.before => Some(KeyAge::Before),
            _ => None,
        }
    }

    /// Takes a key of a set that the switch hands over under the zone master key (DE125). A key of the set in use is one that came again.
    ///
    /// # Errors
    /// It is none, or none for this host.
    pub(crate) fn take_key(
        &mut self,
        set: u32,
        block: &str,
        check_value: &str,
    ) -> Result<(), String> {
        let keys = self.keys.as_mut().ok_or("this host has no keys")?;
        if set == self.key_set {
            return Ok(());
        }
        let block = KeyBlock::parse(block).map_err(|error| error.to_string())?;
        if self.next != Some(set) {
            keys.forget_next();
        }
        keys.take(block, check_value)
            .map_err(|error| error.to_string())?;
        self.next = Some(set);
        Ok(())
    }

    /// Number of the set in use.
    pub fn key_set(&self) -> u32 {
        self.key_set
    }

    /// Whose keys make what is sent from now on; those in force unless this says otherwise.
    pub fn speak_under(&mut self, age: KeyAge) {
        self.speaks = age;
    }

    /// Makes a key of a new set, as whoever hands it over: the block under the zone master key, and its check value.
    ///
    /// # Errors
    /// There are no keys to be changed.
    pub fn make_key(&mut self, set: u32, of: ZoneKey) -> Result<(String, String), String> {
        let keys = self.keys.as_mut().ok_or("this host has no keys")?;
        if self.next != Some(set) {
            keys.forget_next();
        }
        self.next = Some(set);
        keys.make_next(of).map_err(|error| error.to_string())
    }

    /// The set that was being handed over comes to nothing.
    pub fn forget_next(&mut self) {
        self.next = None;
        if let Some(keys) = &mut self.keys {
            keys.forget_next();
        }
    }

    /// The set that is in use from now on; false if none of its keys was handed over.
    pub fn use_set(&mut self, set: u32) -> bool {
        if set == self.key_set {
            return true;
        }
        let (Some(keys), true) = (&mut self.keys, self.next == Some(set)) else {
            return false;
        };
        keys.put_into_use();
        self.before = Some(self.key_set);
        self.next = None;
        self.key_set = set;
        true
    }

    /// DE53.
    fn control(&self, pin: Option<PinFormat>) -> String {
        let format = match pin {
            Some(PinFormat::Iso0) => 0,
            Some(PinFormat::Iso1) => 1,
            Some(PinFormat::Iso3) => 3,
            Some(PinFormat::Iso4) => 4,
            Some(PinFormat::Other(_)) | None => 99,
        };
        let algorithm = match &self.keys {
            Some(keys) if self.mac => match method(keys) {
                MacMethod::Algorithm3(_) => 1,
                MacMethod::AesCmac => 2,
            },
            _ => 0,
        };
        let set = match self.speaks {
            KeyAge::Now => None,
            KeyAge::Before => self.before,
            KeyAge::Next => self.next,
        };
        let set = set.unwrap_or(self.key_set);
        format!("{format:02}{set:06}{algorithm:02}{set:06}")
    }
}

/// The method that goes with the MAC key; algorithm 3 with padding method 2.
fn method(keys: &BankKeys) -> MacMethod {
    match keys.mac_usage() {
        KeyUsage::MacAlgorithm3 => MacMethod::Algorithm3(Padding::Method2),
        _ => MacMethod::AesCmac,
    }
}
