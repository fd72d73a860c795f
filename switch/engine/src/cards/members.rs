//! Members: participants of card traffic, their connections and sign-on, and the switch's own trace numbers towards each.

use std::collections::BTreeMap;

use torap_domain::{
    Asset, CardReason, Money, ParticipantId, Reason,
    card::{InstitutionId, Stan, Transmission},
};
use torap_ledger::{AccountId, AccountKey, Book};

use super::{
    Event, INSTITUTIONS_MAX, KeyState, LINKS_MAX, LinkNumber, MacFact, MemberView, Origin, Profile,
    TableRule, Trace, keys, sessions,
};
use crate::{
    Outcome, Output, Source, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
};

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(super) profile: Profile,
    /// Its card account.
    pub(super) account: AccountId,
    links: Vec<LinkNumber>,
    signed_on: bool,
    /// The last trace number given towards it.
    stan: Stan,
    /// Whether its net debit was last seen at the alert or above.
    pub(super) near_cap: bool,
    /// Requests that wait for its answer.
    pub(super) asked: u32,
}

/// Every member, by participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    list: Vec<Option<Member>>,
    by_institution: BTreeMap<InstitutionId, ParticipantId>,
}

/// The account of the operator's fees; opened with the first member.
pub(super) const FEES: AccountKey = AccountKey {
    owner: ParticipantId::SWITCH,
    book: Book::CardFees,
    asset: Asset::Kzt,
};

/// The counter-account of nets that are settled elsewhere; opened with the first member.
pub(super) const SETTLEMENT: AccountKey = AccountKey {
    owner: ParticipantId::SWITCH,
    book: Book::CardSettlement,
    asset: Asset::Kzt,
};

impl Members {
    pub(super) fn new() -> Members {
        Members::default()
    }

    #[inline]
    pub(super) fn get(&self, id: ParticipantId) -> Option<&Member> {
        self.list.get(id.index())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: ParticipantId) -> Option<&mut Member> {
        self.list.get_mut(id.index())?.as_mut()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ParticipantId> + '_ {
        let slots = (0_u16..).zip(&self.list);
        slots.filter_map(|(id, member)| member.is_some().then_some(ParticipantId(id)))
    }

    /// Whose connections reach the member: its host's, or its own.
    #[inline]
    pub(super) fn reach(&self, id: ParticipantId) -> ParticipantId {
        let host = self.get(id).and_then(|member| member.profile.host);
        host.unwrap_or(id)
    }

    /// Whether messages may be sent to the member now.
    #[inline]
    pub(super) fn is_reachable(&self, id: ParticipantId) -> bool {
        self.get(self.reach(id)).is_some_and(Member::is_reachable)
    }

    pub(super) fn by_institution(&self, institution: InstitutionId) -> Option<ParticipantId> {
        self.by_institution.get(&institution).copied()
    }

    /// The member that sends with this institution, if the connection may send for it.
    #[inline]
    pub(super) fn acquirer(
        &self,
        origin: &Origin,
        institution: InstitutionId,
    ) -> Result<ParticipantId, CardReason> {
        let own = self
            .get(origin.participant)
            .is_some_and(|member| member.profile.institutions.contains(&institution));
        if own {
            return Ok(origin.participant);
        }
        let acquirer = self
            .by_institution(institution)
            .ok_or(CardReason::AcquirerUnbound)?;
        if self.reach(acquirer) == origin.participant {
            Ok(acquirer)
        } else {
            Err(CardReason::AcquirerUnbound)
        }
    }

    /// The sender of a message whose MAC is as agreed.
    #[inline]
    pub(super) fn sender(&self, origin: &Origin, mac: MacFact) -> Result<&Member, CardReason> {
        let member = self.get(origin.participant).ok_or(CardReason::NotMember)?;
        match (mac, member.profile.mac) {
            (MacFact::Good, _) | (MacFact::NotRequired | MacFact::Missing, false) => Ok(member),
            (MacFact::Bad, _) => Err(CardReason::MacWrong),
            (MacFact::NotRequired | MacFact::Missing, true) => Err(CardReason::MacMissing),
            (MacFact::Unavailable, _) => Err(CardReason::MacUnavailable),
        }
    }

    /// As [`Members::sender`], and it has signed on.
    #[inline]
    pub(super) fn signed_on(&self, origin: &Origin, mac: MacFact) -> Result<&Member, CardReason> {
        let member = self.sender(origin, mac)?;
        if member.is_reachable() {
            Ok(member)
        } else {
            Err(CardReason::NotSignedOn)
        }
    }

    /// The next trace towards whoever has the connections `to`.
    pub(super) fn next_trace(&mut self, to: ParticipantId, stamp: Stamp) -> Trace {
        let stan = match self.get_mut(to) {
            Some(member) => {
                member.stan = member.stan.next();
                member.stan
            }
            None => FIRST,
        };
        Trace {
            transmitted: Transmission::at(stamp.time),
            stan,
        }
    }

    /// A process opened the log: nobody is connected.
    pub(super) fn start(&mut self) -> Vec<ParticipantId> {
        let mut lost = Vec::new();
        for (slot, member) in (0_u16..).zip(&mut self.list) {
            let Some(member) = member else {
                continue;
            };
            if member.signed_on || !member.links.is_empty() {
                member.signed_on = false;
                member.links.clear();
                lost.push(ParticipantId(slot));
            }
        }
        lost
    }

    /// A host is a member of its own, institutions are nobody else's, and a foreign scheme's host has no cards and no terminals.
    pub(super) fn accepts(
        &self,
        participant: ParticipantId,
        profile: &Profile,
    ) -> Result<(), TableRule> {
        let roles = profile.roles;
        if let Some(host) = profile.host {
            let is_host_of_others = self
                .ids()
                .any(|id| id != participant && self.reach(id) == participant);
            let own = self
                .get(host)
                .is_some_and(|member| member.profile.host.is_none());
            if host == participant || !own || is_host_of_others {
                return Err(TableRule::HostUnfit);
            }
        }
        let free = profile.institutions.iter().all(|institution| {
            self.by_institution(*institution)
                .is_none_or(|owner| owner == participant)
        });
        if !free {
            return Err(TableRule::InstitutionTaken);
        }
        if roles.acquirer && profile.institutions.is_empty() {
            return Err(TableRule::InstitutionMissing);
        }
        if roles.scheme && (roles.acquirer || roles.issuer) {
            return Err(TableRule::RolesApart);
        }
        if profile.institutions.len() > INSTITUTIONS_MAX {
            return Err(TableRule::InstitutionsTooMany);
        }
        Ok(())
    }

    /// Gives a copy of the list a profile, for [`Members::accepts`] alone: a new member of it has no account.
    pub(super) fn imagine(&mut self, participant: ParticipantId, profile: &Profile) {
        self.place(participant, profile, AccountId(0));
    }

    /// Gives a member its profile; a new one has `account`.
    fn place(&mut self, participant: ParticipantId, profile: &Profile, account: AccountId) {
        let slot = participant.index();
        if self.list.len() <= slot {
            self.list.resize(slot.saturating_add(1), None);
        }
        if let Some(place) = self.list.get_mut(slot) {
            match place {
                Some(member) => member.profile = profile.clone(),
                None => {
                    *place = Some(Member {
                        profile: profile.clone(),
                        account,
                        links: Vec::new(),
                        signed_on: false,
                        stan: Stan::MIN,
                        near_cap: false,
                        asked: 0,
                    });
                }
            }
        }
        self.index();
    }

    fn index(&mut self) {
        let mut by_institution = BTreeMap::new();
        for id in self.ids() {
            let institutions = self
                .get(id)
                .map(|member| member.profile.institutions.iter());
            for institution in institutions.into_iter().flatten() {
                by_institution.entry(*institution).or_insert(id);
            }
        }
        self.by_institution = by_institution;
    }

    pub(super) fn view(
        &self,
        id: ParticipantId,
        queued: usize,
        keys: KeyState,
    ) -> Option<MemberView> {
        let member = self.get(id)?;
        Some(MemberView {
            participant: id,
            profile: member.profile.clone(),
            signed_on: member.signed_on,
            links: member.links.clone(),
            queued,
            keys,
        })
    }
}

/// Zero is never given.
const FIRST: Stan = match Stan::new(1) {
    Some(stan) => stan,
    None => unreachable!(),
};

impl Member {
    pub(super) fn is_reachable(&self) -> bool {
        self.signed_on && !self.links.is_empty()
    }

    pub(super) fn is_signed_on(&self) -> bool {
        self.signed_on
    }

    /// The keys that the HSM took last.
    pub(super) fn set_keys(&mut self, key_set: u16) {
        self.profile.key_set = key_set;
    }

    pub(super) fn sign(&mut self, on: bool) {
        self.signed_on = on;
    }

    fn connect(&mut self, link: LinkNumber) -> bool {
        let new = !self.links.contains(&link) && self.links.len() < LINKS_MAX;
        if new {
            self.links.push(link);
        }
        new
    }

    fn disconnect(&mut self, link: LinkNumber) -> bool {
        let before = self.links.len();
        self.links.retain(|other| *other != link);
        if self.links.is_empty() {
            self.signed_on = false;
        }
        self.links.len() != before
    }
}

/// Gives a participant its card profile, and the accounts of the rail with the first.
pub(super) fn set(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    participant: ParticipantId,
    profile: &Profile,
    out: &mut Output,
) -> Outcome {
    let sound = state.participants.get(participant).is_some()
        && state.cards.members.accepts(participant, profile).is_ok();
    let key_set = state
        .cards
        .members
        .get(participant)
        .map(|member| member.profile.key_set);
    let outcome = state.configure(source, sound, out, |state| {
        state.ledger.open(FEES);
        state.ledger.open(SETTLEMENT);
        let account = state.ledger.open(AccountKey {
            owner: participant,
            book: Book::Card,
            asset: Asset::Kzt,
        });
        state.cards.members.place(participant, profile, account);
        sessions::begin(state, stamp);
    });
    if outcome == Outcome::Accepted {
        if let Some(before) = key_set {
            keys::superseded(state, stamp, participant, before, profile.key_set, out);
        }
        changed(state, participant, out);
    }
    outcome
}

/// A connection came or went.
pub(super) fn link(
    state: &mut engine::State,
    participant: ParticipantId,
    link: LinkNumber,
    up: bool,
    out: &mut Output,
) -> Outcome {
    let Some(member) = state.cards.members.get_mut(participant) else {
        return Outcome::Refused(Reason::UnknownParticipant);
    };
    let different = if up {
        member.connect(link)
    } else {
        member.disconnect(link)
    };
    if different {
        if !up {
            let reachable = member.is_reachable();
            if !reachable {
                state.cards.queues.rest(participant);
            }
        }
        changed(state, participant, out);
    }
    Outcome::Accepted
}

/// Tells gateways.
pub(super) fn changed(state: &engine::State, participant: ParticipantId, out: &mut Output) {
    if let Some(view) = state.cards.member_view(participant) {
        out.card_event(Event::MemberChanged(Box::new(view)));
    }
}

/// What a member owes the others, net: posted obligations and fees that are not settled.
pub(super) fn net_debit(state: &engine::State, id: ParticipantId) -> u64 {
    let account = state.cards.members.get(id).map(|member| member.account);
    let balance = account.map_or(0, |account| state.ledger.balance(account));
    // A balance is far inside 64 bits: it is a sum of amounts of days.
    u64::try_from(0_i128.saturating_sub(balance)).unwrap_or(0)
}

/// The most that a member may owe: its agreed cap, and at most the part of its contribution to the guarantee fund that the settings
/// of ancillary settlement name. A member without an agreed cap has none.
pub(super) fn cap(state: &engine::State, id: ParticipantId) -> Option<Money> {
    let cap = state.cards.members.get(id)?.profile.cap?;
    let percent = u128::from(state.ancillary.cap_percent());
    if percent == 0 {
        return Some(cap);
    }
    let settling = state.participants.settles_through(id);
    let contribution = u128::from(state.contribution(settling));
    let backed = contribution.saturating_mul(percent) / 100;
    let backed = u64::try_from(backed).unwrap_or(u64::MAX);
    Some(Money::from_minor(cap.minor().min(backed), cap.asset()))
}

/// Tells when the net debit of a member reached the alert, and followers when it is back below.
pub(super) fn watch_cap(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    out: &mut Output,
) {
    let Some(member) = state.cards.members.get(id) else {
        return;
    };
    let was_near = member.near_cap;
    let Some(cap) = cap(state, id) else {
        return;
    };
    let net_debit = net_debit(state, id);
    let percent = u128::from(state.cards.settings.cap_alert_percent);
    let alert = u128::from(cap.minor()).saturating_mul(percent) / 100;
    let near = u128::from(net_debit) >= alert && net_debit > 0;
    if near == was_near {
        return;
    }
    if let Some(member) = state.cards.members.get_mut(id) {
        member.near_cap = near;
    }
    let net_debit = Money::kzt(net_debit);
    out.card_event(Event::NetDebit {
        participant: id,
        net_debit,
        cap,
        near,
    });
    if near {
        let notice = super::Notice::NetDebit {
            participant: id,
            net_debit,
            cap,
        };
        let letter = super::Letter::Notice(notice);
        super::queue::push(state, stamp, id, letter, out);
    }
}

/// Snapshot.
impl Members {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        for member in &self.list {
            writer.put(&member.is_some());
            if let Some(member) = member {
                writer.put(&member.profile);
                writer.u32(member.account.0);
                writer.list(&member.links);
                writer.put(&member.signed_on);
                writer.put(&member.stan);
                writer.put(&member.near_cap);
            }
        }
    }

    /// Requests that wait for an answer are counted when they are read.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Members, FactsError> {
        let mut members = Members::new();
        for _ in 0..reader.u32("members")? {
            let offset = reader.offset();
            let present: bool = reader.field("member")?;
            if !present {
                members.list.push(None);
                continue;
            }
            let member = Member {
                profile: reader.field("profile")?,
                account: AccountId(reader.u32("account")?),
                links: reader.list("links")?,
                signed_on: reader.field("signed on")?,
                stan: reader.field("STAN")?,
                near_cap: reader.field("near cap")?,
                asked: 0,
            };
            if member.links.len() > LINKS_MAX {
                return Err(reader.error("links", offset, LayoutRule::Value));
            }
            members.list.push(Some(member));
        }
        members.index();
        Ok(members)
    }

    /// Whether every member has a card account of its own in the ledger.
    pub(super) fn have_accounts(&self, ledger: &torap_ledger::Ledger) -> bool {
        self.ids().all(|id| {
            let account = self
                .get(id)
                .and_then(|member| ledger.account(member.account));
            account.is_some_and(|account| {
                let key = account.key();
                key.owner == id && key.book == Book::Card
            })
        })
    }
}
