//! Change of zone keys begun by the switch: which member's keys are being changed, how far it is, and how long the set before is still taken.
//!
//! A change is ordered by the operator or asked for by the member; the HSM makes the keys outside and the log learns their check values. Each key
//! is then handed over by a letter of the member's queue, which the member acknowledges with the check value that it found, and the set is put into
//! use by another letter. Nothing but check values is here: key blocks stay with the gateway.
//!
//! Memory: one entry for each member whose keys were ever changed.

use std::collections::BTreeMap;

use torap_domain::{
    CardReason, ParticipantId, Position, Reason, Span, Text, Time, card::ResponseCode,
};

use super::{Letter, MacFact, Origin, Trace, answers, members, queue};
use crate::{
    Outcome, Output, Source, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
};

/// How long the set before is taken, unless the operator says otherwise.
pub const KEY_OVERLAP: Span = Span::from_secs(24 * 3600);
/// How long it may be taken at most.
pub const KEY_OVERLAP_MAX: Span = Span::from_secs(30 * 24 * 3600);
/// Fewest hexadecimal digits by which a check value is recognised: three bytes.
pub const CHECK_DIGITS_MIN: usize = 6;

/// A key's check value in upper-case hexadecimal digits.
pub type CheckDigits = Text<16>;

/// What a zone key is for. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum KeyUse {
    /// PIN blocks.
    Pin = 1,
    /// MACs.
    Mac = 2,
}

/// Which zone keys are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUses {
    pub pin: bool,
    pub mac: bool,
}

/// How long new keys are. The number is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum KeyLength {
    /// As those that they replace.
    #[default]
    AsBefore = 0,
    Bits128 = 1,
    /// Of AES keys alone.
    Bits256 = 2,
}

/// The keys of a set as an HSM made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewKeys {
    pub set: u16,
    pub pin: Option<CheckDigits>,
    pub mac: Option<CheckDigits>,
}

/// A change under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The record that ordered it: its identifier.
    pub ordered: Position,
    pub uses: KeyUses,
    pub length: KeyLength,
    /// How long the set before is taken once the new one is in use.
    pub overlap: Span,
    pub stage: KeyStage,
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStage {
    /// An HSM is to make the keys.
    Making,
    /// This key has been put into the member's queue, and is not acknowledged.
    HandingOver { keys: NewKeys, of: KeyUse },
    /// The member has every key of the set and is told to use it; it may do so from here on.
    PuttingIntoUse { keys: NewKeys },
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyOutcome {
    /// The record that ordered it.
    pub ordered: Position,
    pub ended: Time,
    /// The set that was made, 0 if none was.
    pub set: u16,
    pub result: KeyResult,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyResult {
    /// The new set is in use.
    Changed,
    /// The member refused a key, or to use the set, with this code.
    RefusedByMember(ResponseCode),
    /// The member found another check value, or stated none.
    CheckValueWrong,
    /// The HSM refused to make or to wrap the keys; the name of its status.
    RefusedByHsm(Text<48>),
    /// The operator took it back.
    Cancelled,
    /// The operator set the member's key set by hand.
    Superseded,
}

/// What is known of one member's zone keys beside the set in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyState {
    pub change: Option<KeyChange>,
    /// The set before, and until when messages under it are taken. None: the one before in number, without end.
    pub before: Option<(u16, Time)>,
    pub last: Option<KeyOutcome>,
}

/// 0810 of a member to a letter about keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAnswer {
    pub origin: Origin,
    pub trace: Trace,
    pub mac: MacFact,
    pub code: ResponseCode,
    /// KV of DE125: the check value that the member found.
    pub check_value: Option<CheckDigits>,
}

/// Commands about zone keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCommand {
    /// The operator orders a change.
    Order {
        source: Source,
        participant: ParticipantId,
        uses: KeyUses,
        length: KeyLength,
        overlap: Span,
    },
    /// An HSM has made the keys of the change that the record `ordered` began, or refuses to; the blocks are on the disk.
    Made {
        participant: ParticipantId,
        ordered: Position,
        made: Result<NewKeys, Text<48>>,
    },
    Answer(KeyAnswer),
    /// The operator takes a change back, as long as the new set is not being put into use.
    Cancel {
        source: Source,
        participant: ParticipantId,
    },
}

/// Keys of members by participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keys(BTreeMap<ParticipantId, KeyState>);

impl Keys {
    pub(super) fn get(&self, id: ParticipantId) -> KeyState {
        self.0.get(&id).copied().unwrap_or_default()
    }

    fn entry(&mut self, id: ParticipantId) -> &mut KeyState {
        self.0.entry(id).or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl KeyUses {
    fn any(self) -> bool {
        self.pin || self.mac
    }
}

impl NewKeys {
    /// The check value of a key.
    pub fn check_value(&self, of: KeyUse) -> Option<CheckDigits> {
        match of {
            KeyUse::Pin => self.pin,
            KeyUse::Mac => self.mac,
        }
    }

    /// The key that is handed over first.
    fn first(&self) -> Option<KeyUse> {
        let keys = [(self.pin, KeyUse::Pin), (self.mac, KeyUse::Mac)];
        keys.into_iter().find_map(|(key, of)| key.map(|_| of))
    }
}

impl KeyChange {
    /// The set that was made, if it was.
    pub fn set(&self) -> Option<u16> {
        match self.stage {
            KeyStage::Making => None,
            KeyStage::HandingOver { keys, .. } | KeyStage::PuttingIntoUse { keys } => {
                Some(keys.set)
            }
        }
    }
}

impl KeyState {
    /// The set that the member may use already, although the switch does not.
    pub fn next_set(&self) -> Option<u16> {
        match self.change?.stage {
            KeyStage::PuttingIntoUse { keys } => Some(keys.set),
            KeyStage::Making | KeyStage::HandingOver { .. } => None,
        }
    }
}

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &KeyCommand,
    out: &mut Output,
) -> Outcome {
    match command {
        KeyCommand::Order {
            source,
            participant,
            uses,
            length,
            overlap,
        } => {
            let sound = *overlap <= KEY_OVERLAP_MAX && may_begin(state, *participant, *uses);
            let outcome = state.configure(source, sound, out, |state| {
                begin(state, stamp, *participant, (*uses, *length), *overlap);
            });
            if outcome == Outcome::Accepted {
                members::changed(state, *participant, out);
            }
            outcome
        }
        KeyCommand::Made {
            participant,
            ordered,
            made,
        } => apply_made(state, stamp, *participant, *ordered, made, out),
        KeyCommand::Answer(answer) => answers::apply_key_answer(state, stamp, answer, out),
        KeyCommand::Cancel {
            source,
            participant,
        } => cancel(state, stamp, source, *participant, out),
    }
}

/// A member asks for new keys. A change that is under way is what it asked for.
pub(super) fn ask(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    uses: KeyUses,
) -> Result<(), CardReason> {
    if state.cards.keys.get(id).change.is_some() {
        return Ok(());
    }
    if !may_begin(state, id, uses) {
        return Err(CardReason::FunctionNotSupported);
    }
    begin(state, stamp, id, (uses, KeyLength::AsBefore), KEY_OVERLAP);
    Ok(())
}

/// A member says that it uses this set from now on, which it handed over itself.
pub(super) fn put_into_use(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    set: u16,
) -> Result<(), CardReason> {
    if state.cards.keys.get(id).change.is_some() {
        return Err(CardReason::FunctionNotSupported);
    }
    replace(state, stamp, id, set, KEY_OVERLAP);
    Ok(())
}

/// The operator has set the member's profile: another key set ends what was under way.
pub(super) fn superseded(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    before: u16,
    set: u16,
    out: &mut Output,
) {
    if before == set {
        return;
    }
    if state.cards.keys.get(id).change.is_some() {
        end(state, stamp, id, KeyResult::Superseded);
        withdraw(state, stamp, id, out);
    }
    let until = stamp.time.saturating_add(KEY_OVERLAP);
    state.cards.keys.entry(id).before = Some((before, until));
}

/// Keys belong to connections: a member at a processing centre has its centre's.
fn may_begin(state: &engine::State, id: ParticipantId, uses: KeyUses) -> bool {
    let member = state.cards.members.get(id);
    let own = member
        .is_some_and(|member| member.profile.host.is_none() && member.profile.key_set < u16::MAX);
    own && uses.any() && state.cards.keys.get(id).change.is_none()
}

fn begin(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    (uses, length): (KeyUses, KeyLength),
    overlap: Span,
) {
    state.cards.keys.entry(id).change = Some(KeyChange {
        ordered: stamp.position,
        uses,
        length,
        overlap,
        stage: KeyStage::Making,
    });
}

fn apply_made(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    ordered: Position,
    made: &Result<NewKeys, Text<48>>,
    out: &mut Output,
) -> Outcome {
    let waiting = state
        .cards
        .keys
        .get(id)
        .change
        .filter(|change| change.ordered == ordered && change.stage == KeyStage::Making);
    let Some(change) = waiting else {
        // It was taken back meanwhile, or the keys were made twice.
        return Outcome::Refused(Reason::OperatorRefused);
    };
    match made {
        Err(status) => end(state, stamp, id, KeyResult::RefusedByHsm(*status)),
        Ok(keys) => {
            let newest = state
                .cards
                .members
                .get(id)
                .map(|member| member.profile.key_set);
            let follows = newest.is_some_and(|newest| keys.set > newest);
            let asked = KeyUses {
                pin: keys.pin.is_some(),
                mac: keys.mac.is_some(),
            };
            let Some(first) = keys.first().filter(|_| follows && asked == change.uses) else {
                return Outcome::Refused(Reason::OperatorRefused);
            };
            hand_over(state, stamp, id, *keys, first, out);
        }
    }
    members::changed(state, id, out);
    Outcome::Accepted
}

fn hand_over(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    keys: NewKeys,
    of: KeyUse,
    out: &mut Output,
) {
    set_stage(state, id, KeyStage::HandingOver { keys, of });
    let letter = Letter::KeyHandedOver { set: keys.set, of };
    queue::push(state, stamp, id, letter, out);
}

fn set_stage(state: &mut engine::State, id: ParticipantId, stage: KeyStage) {
    if let Some(change) = &mut state.cards.keys.entry(id).change {
        change.stage = stage;
    }
}

/// A letter about keys was acknowledged: the next one follows, or the change is over.
pub(super) fn acknowledged(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    letter: &Letter,
    code: ResponseCode,
    check_value: Option<CheckDigits>,
    out: &mut Output,
) {
    let Some(change) = state.cards.keys.get(id).change else {
        return;
    };
    let approved = code == ResponseCode::APPROVED;
    match (change.stage, *letter) {
        (KeyStage::HandingOver { keys, of }, Letter::KeyHandedOver { set, of: told })
            if set == keys.set && of == told =>
        {
            if !approved {
                end(state, stamp, id, KeyResult::RefusedByMember(code));
            } else if !agrees(keys.check_value(of), check_value) {
                end(state, stamp, id, KeyResult::CheckValueWrong);
            } else if of == KeyUse::Pin && keys.mac.is_some() {
                hand_over(state, stamp, id, keys, KeyUse::Mac, out);
            } else {
                set_stage(state, id, KeyStage::PuttingIntoUse { keys });
                queue::push(state, stamp, id, Letter::KeyInUse { set }, out);
            }
        }
        (KeyStage::PuttingIntoUse { keys }, Letter::KeyInUse { set }) if set == keys.set => {
            if approved {
                end(state, stamp, id, KeyResult::Changed);
                replace(state, stamp, id, set, change.overlap);
            } else {
                end(state, stamp, id, KeyResult::RefusedByMember(code));
            }
        }
        _ => return,
    }
    members::changed(state, id, out);
}

/// Whether the member found the check value, or the beginning of it.
fn agrees(ours: Option<CheckDigits>, theirs: Option<CheckDigits>) -> bool {
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return false;
    };
    theirs.as_str().len() >= CHECK_DIGITS_MIN && ours.as_str().starts_with(theirs.as_str())
}

fn replace(state: &mut engine::State, stamp: Stamp, id: ParticipantId, set: u16, overlap: Span) {
    let Some(member) = state.cards.members.get_mut(id) else {
        return;
    };
    let before = member.profile.key_set;
    member.set_keys(set);
    if before != set {
        let until = stamp.time.saturating_add(overlap);
        state.cards.keys.entry(id).before = Some((before, until));
    }
}

fn end(state: &mut engine::State, stamp: Stamp, id: ParticipantId, result: KeyResult) {
    let entry = state.cards.keys.entry(id);
    if let Some(change) = entry.change.take() {
        entry.last = Some(KeyOutcome {
            ordered: change.ordered,
            ended: stamp.time,
            set: change.set().unwrap_or(0),
            result,
        });
    }
}

fn cancel(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    id: ParticipantId,
    out: &mut Output,
) -> Outcome {
    let change = state.cards.keys.get(id).change;
    let sound = change.is_some_and(|change| {
        // Once it was told to use the set it may do so at any moment.
        !matches!(change.stage, KeyStage::PuttingIntoUse { .. })
    });
    let outcome = state.configure(source, sound, out, |state| {
        end(state, stamp, id, KeyResult::Cancelled);
    });
    if outcome == Outcome::Accepted {
        withdraw(state, stamp, id, out);
        members::changed(state, id, out);
    }
    outcome
}

/// No letter about keys waits any more.
fn withdraw(state: &mut engine::State, stamp: Stamp, id: ParticipantId, out: &mut Output) {
    queue::withdraw(state, stamp, id, Letter::is_about_keys, out);
}

/// Snapshot.
impl Keys {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        for (id, state) in &self.0 {
            writer.put(id);
            writer.put(state);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Keys, FactsError> {
        let mut keys = Keys::default();
        for _ in 0..reader.u32("members with keys")? {
            let offset = reader.offset();
            let id: ParticipantId = reader.field("participant")?;
            if keys.0.last_key_value().is_some_and(|(last, _)| *last >= id) {
                return Err(reader.error("participant", offset, LayoutRule::Value));
            }
            keys.0.insert(id, reader.field("key state")?);
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests;
