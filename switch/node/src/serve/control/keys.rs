//! Changes of zone keys as the operator orders and sees them.

use torap_domain::{ParticipantId, Span, Time};
use torap_engine::cards::{
    self, KEY_OVERLAP, KEY_OVERLAP_MAX, KeyChange, KeyCommand, KeyLength, KeyOutcome, KeyResult,
    KeyStage, KeyUse, KeyUses,
};
use torap_hsm::KeyAlgorithm;

use super::change;
use crate::{
    control::{By, Refusal},
    serve::switch::Switch,
};

/// The command of an order. Both keys are changed as far as the member has them, unless one is named.
pub(super) fn order(
    switch: &Switch,
    by: &By,
    code: &str,
    (pin, mac): (bool, bool),
    (overlap_hours, bits): (Option<u64>, Option<u16>),
) -> Result<cards::Command, Refusal> {
    let (participant, held) = member(switch, code)?;
    let both = pin == mac;
    let uses = KeyUses {
        pin: (both && held.pin) || (pin && !both),
        mac: (both && held.mac) || (mac && !both),
    };
    if (uses.pin && !held.pin) || (uses.mac && !held.mac) || !(uses.pin || uses.mac) {
        let text = "card-keys.toml has no such key of the set in use, which could be replaced";
        return Err(Refusal::of_request("keys", text));
    }
    let overlap = overlap_hours.map_or(KEY_OVERLAP, |hours| {
        Span::from_secs(hours.saturating_mul(3600))
    });
    if overlap > KEY_OVERLAP_MAX {
        let hours = KEY_OVERLAP_MAX.secs() / 3600;
        let text = format!("at most {hours} hours");
        return Err(Refusal::of_request("overlap_hours", text));
    }
    let length = length(switch, participant, uses, bits)?;
    Ok(cards::Command::Keys(KeyCommand::Order {
        source: change::source(by)?,
        participant,
        uses,
        length,
        overlap,
    }))
}

/// The length that is ordered. Only AES has keys of 256 bits.
fn length(
    switch: &Switch,
    participant: ParticipantId,
    uses: KeyUses,
    bits: Option<u16>,
) -> Result<KeyLength, Refusal> {
    let refused = |text: String| Refusal::of_request("bits", text);
    match bits {
        None => return Ok(KeyLength::AsBefore),
        Some(128) => return Ok(KeyLength::Bits128),
        Some(256) => {}
        Some(other) => return Err(refused(format!("{other} is none of 128, 256"))),
    }
    let network = super::cards::side(switch)?.network();
    let newest = network
        .member(participant)
        .map(|member| member.profile.key_set);
    let keys = network.keys.members.get(&participant);
    let set = newest.and_then(|newest| keys?.set(newest));
    let is_tdes = |key: Option<&torap_hsm::KeyRef>| {
        key.is_some_and(|key| key.block().algorithm() == KeyAlgorithm::Tdes)
    };
    for (wanted, key, name, other) in [
        (
            uses.pin,
            set.and_then(|set| set.pin.as_ref()),
            "PIN",
            "--mac",
        ),
        (
            uses.mac,
            set.and_then(|set| set.mac.as_ref()),
            "MAC",
            "--pin",
        ),
    ] {
        if wanted && is_tdes(key) {
            let text = format!(
                "its {name} key is of Triple DES, which has no 256 bits; {other} changes the other key alone"
            );
            return Err(refused(text));
        }
    }
    Ok(KeyLength::Bits256)
}

/// The command that takes a change back.
pub(super) fn cancel(switch: &Switch, by: &By, code: &str) -> Result<cards::Command, Refusal> {
    Ok(cards::Command::Keys(KeyCommand::Cancel {
        source: change::source(by)?,
        participant: change::participant_id(switch, code)?,
    }))
}

/// A member to which keys can be handed over, and the keys of its set in use.
fn member(switch: &Switch, code: &str) -> Result<(ParticipantId, KeyUses), Refusal> {
    let refused = |text: &str| Refusal::of_request("code", text);
    let participant = change::participant_id(switch, code)?;
    let cards = super::cards::side(switch)?;
    let network = cards.network();
    let member = network
        .member(participant)
        .ok_or_else(|| refused("the participant has no card profile"))?;
    if member.profile.host.is_some() {
        return Err(refused(
            "its processing centre has the keys: change the keys of that one",
        ));
    }
    if member.keys.change.is_some() {
        return Err(refused(
            "a change of its keys is under way; see `torap ctl card status`",
        ));
    }
    if !cards.can_change_keys(code) {
        return Err(refused(
            "card-keys.toml has no zone master key of it (zmk), under which keys are handed over",
        ));
    }
    let newest = member.profile.key_set;
    let (pin, mac) = cards.key_sets(code);
    let held = KeyUses {
        pin: pin.contains(&newest),
        mac: mac.contains(&newest),
    };
    Ok((participant, held))
}

/// The set before, and until when it is taken.
pub(super) fn before((set, until): (u16, Time)) -> String {
    format!("{set} until {until}")
}

/// How far a change is.
pub(super) fn change(change: &KeyChange) -> String {
    match change.stage {
        KeyStage::Making => "an HSM is to make the keys".into(),
        KeyStage::HandingOver { keys, of } => {
            let of = match of {
                KeyUse::Pin => "PIN",
                KeyUse::Mac => "MAC",
            };
            format!("{of} key of set {} is being handed over", keys.set)
        }
        KeyStage::PuttingIntoUse { keys } => format!("set {} is being put into use", keys.set),
    }
}

/// What became of the last one.
pub(super) fn outcome(outcome: &KeyOutcome) -> String {
    let result = match outcome.result {
        KeyResult::Changed => "in use".to_string(),
        KeyResult::RefusedByMember(code) => format!("refused by the host with {code}"),
        KeyResult::CheckValueWrong => "the host found another check value".into(),
        KeyResult::RefusedByHsm(status) => format!("refused by the HSM: {status}"),
        KeyResult::Cancelled => "taken back".into(),
        KeyResult::Superseded => "ended by a key set that was set by hand".into(),
    };
    match outcome.set {
        0 => format!("{result}, {}", outcome.ended),
        set => format!("set {set}: {result}, {}", outcome.ended),
    }
}
