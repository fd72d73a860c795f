//! Participants: who they are, what they may do, which codes lead to them, and their positions.
//!
//! A direct participant settles on its own position; an indirect one on its sponsor's, and is reached through it. Everything
//! here is changed by the operator's commands alone. The module's state is `Participants`; [`State`] is the standing of one.

mod change;
mod codes;
mod command;
mod position;

pub(crate) use change::apply;
pub use command::{CODES_MAX, Command, Direction, PositionMode, Profile, State};
pub use position::PositionView;
pub(crate) use position::watch;

use torap_domain::{BankCode, Bic, ParticipantId, Reason, Sequence, Service, Text};
use torap_ledger::AccountId;

use crate::{
    Source,
    codec::{FactsError, Reader, Writer},
    links,
};
use codes::Codes;

/// From this version of the rules on the bank that takes over has what the other one had under way.
pub(crate) const RULES_TAKE_OVER: u32 = 2;
/// Participants, at most.
pub const PARTICIPANTS_MAX: usize = 4096;

/// One participant as the engine keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Participant {
    pub(crate) profile: Profile,
    pub(crate) state: State,
    pub(crate) successor: Option<ParticipantId>,
    pub(crate) mode: PositionMode,
    /// Its own position; not used while it has a sponsor.
    account: AccountId,
    /// Whether the available position was last seen below the floor, or above the ceiling.
    below_floor: bool,
    above_ceiling: bool,
}

/// Every participant, in the order of identifiers, and the tables of their codes.
#[derive(Clone, Debug)]
pub(crate) struct Participants {
    list: Vec<Participant>,
    codes: Codes,
}

/// A participant as gateways and reports see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub id: ParticipantId,
    pub code: Text<35>,
    pub name: Text<96>,
    /// The first is the primary one.
    pub bics: Vec<Bic>,
    pub bank_codes: Vec<BankCode>,
    pub sponsor: Option<ParticipantId>,
    pub technical_senders: Vec<ParticipantId>,
    pub services: Vec<Service>,
    pub state: State,
    pub successor: Option<ParticipantId>,
    pub link_up: bool,
    /// Last message taken from its link.
    pub inbound_last: Sequence,
    /// Last entry of its outbound stream.
    pub outbound_last: Sequence,
}

impl Participants {
    pub(crate) fn new() -> Participants {
        Participants {
            list: Vec::new(),
            codes: Codes::new(),
        }
    }

    pub(crate) fn get(&self, id: ParticipantId) -> Option<&Participant> {
        self.list.get(id.index().checked_sub(1)?)
    }

    fn get_mut(&mut self, id: ParticipantId) -> Option<&mut Participant> {
        self.list.get_mut(id.index().checked_sub(1)?)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = ParticipantId> + Clone + use<> {
        let last = u16::try_from(self.list.len()).unwrap_or(u16::MAX);
        (1..=last).map(ParticipantId)
    }

    /// Whom a BIC leads to: its institution's participant, or that one's successor.
    pub(crate) fn by_bic(&self, bic: &Bic) -> Option<ParticipantId> {
        self.codes.by_bic(bic)
    }

    /// Whom a bank code leads to, successors followed.
    pub(crate) fn by_bank_code(&self, code: BankCode) -> Option<ParticipantId> {
        self.codes.by_bank_code(code)
    }

    /// The participant that took over, at the end of the chain; `id` itself if none did.
    pub(crate) fn successor(&self, id: ParticipantId) -> ParticipantId {
        let mut end = id;
        // Cycles are refused when a successor is set; the bound holds against damage.
        for _ in 0..self.list.len() {
            match self.get(end).and_then(|participant| participant.successor) {
                Some(next) => end = next,
                None => break,
            }
        }
        end
    }

    /// Whom `id` has taken over, directly or with others.
    pub(crate) fn taken_over_by(
        &self,
        id: ParticipantId,
    ) -> impl Iterator<Item = ParticipantId> + '_ {
        self.ids()
            .filter(move |other| *other != id && self.successor(*other) == id)
    }

    /// Who settles and is reached for `id`: its sponsor, or itself.
    pub(crate) fn settles_through(&self, id: ParticipantId) -> ParticipantId {
        let sponsor = self
            .get(id)
            .and_then(|participant| participant.profile.sponsor);
        sponsor.unwrap_or(id)
    }

    /// The account that `id` settles on.
    pub(crate) fn account(&self, id: ParticipantId) -> Option<AccountId> {
        let settling = self.get(self.settles_through(id))?;
        Some(settling.account)
    }

    /// Whether new payments may leave the participant.
    pub(crate) fn may_debit(&self, id: ParticipantId) -> Result<(), Reason> {
        self.standing(id, |state| match state {
            State::Certifying | State::Closing => Err(Reason::SenderNotActive),
            State::Suspended { debits: true, .. } => Err(Reason::SenderSuspended),
            State::Active | State::Suspended { .. } => Ok(()),
        })
    }

    /// Whether new payments may go to the participant.
    pub(crate) fn may_credit(&self, id: ParticipantId) -> Result<(), Reason> {
        self.standing(id, |state| match state {
            State::Certifying | State::Closing => Err(Reason::ReceiverNotActive),
            State::Suspended { credits: true, .. } => Err(Reason::ReceiverSuspended),
            State::Active | State::Suspended { .. } => Ok(()),
        })
    }

    /// The sender of a message: the participant that the instructing agent leads to, if the link may send for it.
    pub(crate) fn sender(
        &self,
        source: &Source,
        instructing_agent: &Bic,
    ) -> Result<ParticipantId, Reason> {
        let link = source.link().ok_or(Reason::UnboundSender)?;
        if self.is_primary(link, instructing_agent) {
            return Ok(link);
        }
        let sender = self
            .by_bic(instructing_agent)
            .ok_or(Reason::UnboundSender)?;
        if self.acts_for(link, sender) {
            Ok(sender)
        } else {
            Err(Reason::UnboundSender)
        }
    }

    /// Whether messages from `agent` count as `participant`'s: it is the same, was taken over by it, sponsors it or is one of
    /// its technical senders.
    pub(crate) fn acts_for(&self, agent: ParticipantId, participant: ParticipantId) -> bool {
        if agent == participant {
            return true;
        }
        let listed = self.get(participant).is_some_and(|participant| {
            participant.profile.sponsor == Some(agent)
                || participant.profile.technical_senders.contains(&agent)
        });
        listed || self.successor(agent) == participant
    }

    /// Whether the participant may send and receive payments of the service.
    pub(crate) fn offers(&self, id: ParticipantId, service: Service) -> bool {
        self.get(id)
            .is_some_and(|participant| participant.profile.services.contains(&service))
    }

    pub(crate) fn view(&self, id: ParticipantId, links: &links::State) -> Option<View> {
        let participant = self.get(id)?;
        let link = links.get(id)?;
        let profile = participant.profile.clone();
        Some(View {
            id,
            code: profile.code,
            name: profile.name,
            bics: profile.bics,
            bank_codes: profile.bank_codes,
            sponsor: profile.sponsor,
            technical_senders: profile.technical_senders,
            services: profile.services,
            state: participant.state,
            successor: participant.successor,
            link_up: link.is_up(),
            inbound_last: link.inbound_last,
            outbound_last: link.outbound_last,
        })
    }

    /// Whether the BIC is the primary one of a participant that nobody took over: nearly every message, and no table is asked.
    fn is_primary(&self, id: ParticipantId, bic: &Bic) -> bool {
        self.get(id).is_some_and(|participant| {
            participant.successor.is_none() && participant.profile.bics.first() == Some(bic)
        })
    }

    /// Applies a rule to the standing of a participant and then to its sponsor's.
    fn standing(
        &self,
        id: ParticipantId,
        rule: impl Fn(State) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let participant = self.get(id).ok_or(Reason::UnknownParticipant)?;
        rule(participant.state)?;
        match participant.profile.sponsor {
            None => Ok(()),
            Some(sponsor) => {
                let sponsor = self.get(sponsor).ok_or(Reason::UnknownParticipant)?;
                rule(sponsor.state)
            }
        }
    }

    /// Brings the tables of codes up to date after a change.
    fn index(&mut self) {
        let ids = || self.list.iter().zip(self.ids());
        let bics = ids().flat_map(|(participant, id)| {
            let end = self.successor(id);
            participant.profile.bics.iter().map(move |bic| (bic, end))
        });
        let bank_codes = ids().flat_map(|(participant, id)| {
            let end = self.successor(id);
            let codes = participant.profile.bank_codes.iter();
            codes.map(move |code| (*code, end))
        });
        self.codes = Codes::build(bics, bank_codes);
    }
}

/// Snapshot: the participants in the order of identifiers. The tables of codes are built again.
impl Participants {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        for participant in &self.list {
            writer.put(&participant.profile);
            writer.put(&participant.state);
            writer.put(&participant.successor);
            writer.put(&participant.mode);
            writer.u32(participant.account.0);
            writer.put(&participant.below_floor);
            writer.put(&participant.above_ceiling);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Participants, FactsError> {
        let mut participants = Participants::new();
        for _ in 0..reader.u32("participants")? {
            participants.list.push(Participant {
                profile: reader.field("profile")?,
                state: reader.field("state")?,
                successor: reader.field("successor")?,
                mode: reader.field("mode")?,
                account: AccountId(reader.u32("account")?),
                below_floor: reader.field("below_floor")?,
                above_ceiling: reader.field("above_ceiling")?,
            });
        }
        participants.index();
        Ok(participants)
    }
}

#[cfg(test)]
mod tests;
