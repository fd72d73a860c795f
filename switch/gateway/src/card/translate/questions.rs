//! What a message needs from an HSM before its command may be queued: which key, which block, which bytes.

use torap_domain::{CardReason, ParticipantId, Text, Time};
use torap_engine::cards::{CheckDigits, KeyUses, MacFact, PinFact, Route};
use torap_hsm::{KeyRef, Mac, MacMethod, PinBlock, PinFormat, Pvv};
use torap_iso8583::Message;

use super::Inbound;
use crate::card::facts::{Wrong, decimal};
use crate::card::keys::{ZoneUse, mac_code, mac_method, pin_format_under};
use crate::card::members::{CardNetwork, Member};
use crate::card::vault::ClearPan;

/// What has to be asked.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) mac: Option<MacNeed>,
    pub(super) pin: Option<PinNeed>,
    pub(super) import: Option<ImportNeed>,
}

/// Is this MAC right?
pub(super) struct MacNeed {
    pub(super) key: KeyRef,
    pub(super) method: MacMethod,
    pub(super) data: Vec<u8>,
    pub(super) mac: Mac,
}

/// Translate this PIN block; and try it, where that is delegated.
pub(super) struct PinNeed {
    pub(super) from_key: KeyRef,
    pub(super) from: PinFormat,
    pub(super) block: PinBlock,
    pub(super) to_key: KeyRef,
    pub(super) to: PinFormat,
    pub(super) to_set: u16,
    pub(super) pan: ClearPan,
    pub(super) verify: Option<(KeyRef, Pvv)>,
}

/// Take this zone key under the HSM's own master key.
#[derive(Debug)]
pub(super) struct ImportNeed {
    pub(super) participant: ParticipantId,
    pub(super) key_encryption: KeyRef,
    pub(super) block: KeyRef,
    /// In hexadecimal, as the sender states it.
    pub(super) check_value: String,
    pub(super) set: u16,
    pub(super) of: ZoneUse,
}

/// DE53: PIN format 2, PIN key set 6, MAC algorithm 2, MAC key set 6.
struct Security<'a>(&'a [u8]);

impl Needs {
    pub(super) fn is_empty(&self) -> bool {
        self.mac.is_none() && self.pin.is_none() && self.import.is_none()
    }

    /// The verdict on the MAC as far as it is known without an HSM, and the question if it is not.
    pub(super) fn mac(
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> (MacFact, Needs) {
        let without = |fact| (fact, Needs::default());
        let Some(member) = network.member(inbound.origin.participant) else {
            return without(MacFact::NotRequired);
        };
        if !member.profile.mac {
            return without(MacFact::NotRequired);
        }
        let covered = match inbound.wire {
            Some(wire) => Some((wire.covered, wire.mac)),
            None => message.before_mac(),
        };
        let Some((covered, mac)) = covered else {
            return without(MacFact::Missing);
        };
        let security = Security::of(message);
        let set = match security.mac_set() {
            0 => member.profile.key_set,
            set => set,
        };
        let key = key_from(network, member, set, ZoneUse::Mac, inbound.now);
        let method = key.as_ref().and_then(mac_method);
        let (Some(key), Some(method), Some(mac)) = (key, method, Mac::from_bytes(mac)) else {
            return without(MacFact::Bad);
        };
        if security
            .mac_algorithm()
            .is_some_and(|code| code != mac_code(method))
        {
            return without(MacFact::Bad);
        }
        let need = MacNeed {
            key,
            method,
            data: covered.to_vec(),
            mac,
        };
        let needs = Needs {
            mac: Some(need),
            ..Needs::default()
        };
        // Until the HSM has answered.
        (MacFact::Unavailable, needs)
    }

    /// What is known of the PIN without an HSM, and the question if there is one.
    pub(super) fn pin(
        &mut self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
        route: Option<Route>,
    ) -> PinFact {
        let (Some(block), Some(pan)) =
            (message.get(52).or_else(|| message.get(110)), message.get(2))
        else {
            return PinFact::Absent;
        };
        // Without an issuer there is nothing to ask, and the engine says so.
        let range = route.and_then(|route| network.bins.range(route));
        let issuer = range.and_then(|range| network.host_of(range.issuer));
        let (Some(range), Some(issuer)) = (range, issuer) else {
            return PinFact::Unavailable;
        };
        let need = pin_need(inbound, message, network, issuer, block, pan);
        let Some(mut need) = need else {
            return PinFact::Refused;
        };
        let pvk = network.keys.pin_verification.get(&range.stand_in);
        let delegated = range.stand_in != 0 && need.from != PinFormat::Iso1;
        if let Some(pvk) = pvk.filter(|_| delegated) {
            need.verify = pvv(message).map(|pvv| (pvk.clone(), pvv));
        }
        self.pin = Some(need);
        PinFact::Unavailable
    }

    /// Whether the request could not be sent for want of an HSM: its issuer wants MACs.
    pub(super) fn cannot_be_sent(
        inbound: &Inbound<'_>,
        network: &CardNetwork,
        route: Option<Route>,
    ) -> bool {
        let range = route.and_then(|route| network.bins.range(route));
        let issuer = range.and_then(|range| network.host_of(range.issuer));
        !inbound.hsm_is_up && issuer.is_some_and(|issuer| issuer.profile.mac)
    }

    /// A key handed over in DE125.
    pub(super) fn key_import(
        &mut self,
        inbound: &Inbound<'_>,
        message: &Message<'_>,
        network: &CardNetwork,
    ) -> Result<(), Wrong> {
        let wrong = |rule| Wrong::new(CardReason::ProfileViolation, 125, rule);
        let participant = inbound.origin.participant;
        let keys = network.keys.members.get(&participant);
        let key_encryption = keys.and_then(|keys| keys.key_encryption.clone());
        let key_encryption = key_encryption.ok_or(Wrong::new(
            CardReason::FunctionNotSupported,
            125,
            "no-key-encryption-key",
        ))?;
        let member = network.member(participant);
        if member.is_some_and(|member| member.keys.change.is_some()) {
            return Err(wrong("key-change-under-way"));
        }
        let text = |tag: &[u8]| {
            let value = message.tag(125, tag)?;
            value
                .and_then(|value| std::str::from_utf8(value).ok())
                .ok_or(wrong("missing-key-data"))
        };
        let block = KeyRef::parse(text(b"KB")?).map_err(|_| wrong("key-block"))?;
        let set = decimal(text(b"KS")?.as_bytes()).and_then(|set| u16::try_from(set).ok());
        let newest = member.map_or(0, |member| member.profile.key_set);
        let of = match text(b"KU")? {
            "P" => ZoneUse::Pin,
            "M" => ZoneUse::Mac,
            _ => return Err(wrong("key-use")),
        };
        self.import = Some(ImportNeed {
            participant,
            key_encryption,
            block,
            check_value: text(b"KV")?.to_string(),
            // A set that is in use, or was, stays what it is.
            set: set.filter(|set| *set > newest).ok_or(wrong("key-set"))?,
            of,
        });
        Ok(())
    }
}

/// The set that DE53 names, which must have been handed over.
pub(super) fn key_in_use(
    inbound: &Inbound<'_>,
    message: &Message<'_>,
    network: &CardNetwork,
) -> Result<u16, Wrong> {
    let security = Security::of(message);
    let set = security.pin_set().max(security.mac_set());
    match network.keys.set(inbound.origin.participant, set) {
        Some(keys) => Ok(keys.set),
        None => Err(Wrong::new(
            CardReason::ProfileViolation,
            53,
            "unknown-key-set",
        )),
    }
}

/// The keys that a participant asks the switch for: the one that KU of DE125 names, or both. It must have keys that can be replaced, and one
/// under which new ones can be handed over.
pub(super) fn key_request(
    inbound: &Inbound<'_>,
    message: &Message<'_>,
    network: &CardNetwork,
) -> Result<KeyUses, Wrong> {
    let none = Wrong::new(
        CardReason::FunctionNotSupported,
        125,
        "no-key-encryption-key",
    );
    let participant = inbound.origin.participant;
    let keys = network.keys.members.get(&participant);
    let keys = keys.filter(|keys| keys.key_encryption.is_some());
    let newest = network
        .member(participant)
        .map_or(0, |member| member.profile.key_set);
    let held = keys.and_then(|keys| keys.set(newest)).ok_or(none)?;
    let wrong = Wrong::new(CardReason::ProfileViolation, 125, "key-use");
    let of = match message.has(125) {
        true => message.tag(125, b"KU")?,
        false => None,
    };
    let uses = KeyUses {
        pin: held.pin.is_some() && of != Some(b"M"),
        mac: held.mac.is_some() && of != Some(b"P"),
    };
    let known = matches!(of, None | Some(b"P" | b"M"));
    (known && (uses.pin || uses.mac))
        .then_some(uses)
        .ok_or(wrong)
}

/// The check value that a participant states of a key that it was handed (KV of DE125), in capitals.
pub(super) fn stated_check_value(message: &Message<'_>) -> Option<CheckDigits> {
    let value = message.tag(125, b"KV").ok()??;
    let text = std::str::from_utf8(value).ok()?;
    Text::try_from(text.to_ascii_uppercase().as_str()).ok()
}

fn pin_need(
    inbound: &Inbound<'_>,
    message: &Message<'_>,
    network: &CardNetwork,
    issuer: &Member,
    block: &[u8],
    pan: &[u8],
) -> Option<PinNeed> {
    let sender = network.member(inbound.origin.participant)?;
    let security = Security::of(message);
    let from = security.pin_format()?;
    let from_key = key_from(
        network,
        sender,
        security.pin_set(),
        ZoneUse::Pin,
        inbound.now,
    )?;
    let to_set = issuer.profile.key_set;
    let to_key = network.keys.set(issuer.participant, to_set)?.pin.clone()?;
    Some(PinNeed {
        from,
        block: PinBlock::from_bytes(block)?,
        to: pin_format_under(&to_key, from)?,
        from_key,
        to_key,
        to_set,
        pan: ClearPan::new(pan)?,
        verify: None,
    })
}

/// A key that a participant may use now: of its newest set, of the one that it is told to use, or of the one before.
fn key_from(
    network: &CardNetwork,
    member: &Member,
    set: u16,
    of: ZoneUse,
    now: Time,
) -> Option<KeyRef> {
    let keys = network.keys.members.get(&member.participant)?;
    if !keys.takes(set, member.profile.key_set, &member.keys, now) {
        return None;
    }
    let keys = keys.set(set)?;
    match of {
        ZoneUse::Pin => keys.pin.clone(),
        ZoneUse::Mac => keys.mac.clone(),
    }
}

/// PVKI and PVV behind the service code of track 2: `card number = YYMM service-code(3) PVKI(1) PVV(4) …`.
fn pvv(message: &Message<'_>) -> Option<Pvv> {
    let track = message.get(35)?;
    let separator = track.iter().position(|byte| matches!(byte, b'=' | b'D'))?;
    let data = track.get(separator + 1..)?;
    let index = data.get(7)?.checked_sub(b'0')?;
    let digits = data.get(8..12)?.try_into().ok()?;
    Pvv::new(index, digits)
}

impl<'a> Security<'a> {
    fn of(message: &Message<'a>) -> Security<'a> {
        Security(message.get(53).unwrap_or_default())
    }

    fn pin_format(&self) -> Option<PinFormat> {
        match self.0.get(..2)? {
            b"00" => Some(PinFormat::Iso0),
            b"01" => Some(PinFormat::Iso1),
            b"03" => Some(PinFormat::Iso3),
            b"04" => Some(PinFormat::Iso4),
            _ => None,
        }
    }

    fn pin_set(&self) -> u16 {
        self.set(2)
    }

    /// None where no algorithm is named.
    fn mac_algorithm(&self) -> Option<[u8; 2]> {
        let code: [u8; 2] = self.0.get(8..10)?.try_into().ok()?;
        (code != *b"00").then_some(code)
    }

    fn mac_set(&self) -> u16 {
        self.set(10)
    }

    /// Zero where none is named; sets above the highest number are nobody's.
    fn set(&self, at: usize) -> u16 {
        let digits = self.0.get(at..at + 6).and_then(decimal);
        digits.map_or(0, |set| u16::try_from(set).unwrap_or(u16::MAX))
    }
}

impl std::fmt::Debug for MacNeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MacNeed({:?}, {} bytes)", self.method, self.data.len())
    }
}

impl std::fmt::Debug for PinNeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PinNeed({:?} to {:?})", self.from, self.to)
    }
}
