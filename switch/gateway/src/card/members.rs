//! Who takes part in card traffic and where cards belong, as the log says at its durable end: what translation and rendering look up.

use std::collections::BTreeMap;
use std::sync::Arc;

use torap_domain::card::InstitutionId;
use torap_domain::{ParticipantId, Text};
use torap_engine::cards::{BinTable, KeyState, MemberView, Profile};
use torap_iso8583::Dialect;

use super::keys::KeyRing;

/// A participant of card traffic.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its number.
    pub participant: ParticipantId,
    /// Its short code, for DE63.
    pub code: Text<35>,
    /// Its card profile.
    pub profile: Profile,
    /// What its links speak; the national dialect, if the profile names one that the program does not know.
    pub dialect: &'static Dialect,
    /// Whether it takes requests.
    pub signed_on: bool,
    /// Letters that wait for it.
    pub queued: usize,
    /// Its zone keys beside the set in use.
    pub keys: KeyState,
}

/// A published view: never changed, replaced as a whole.
#[derive(Debug, Clone)]
pub struct CardNetwork {
    /// The switch's own institution number.
    pub switch: InstitutionId,
    /// Where cards belong.
    pub bins: Arc<BinTable>,
    /// Key blocks.
    pub keys: Arc<KeyRing>,
    members: BTreeMap<ParticipantId, Member>,
    institutions: BTreeMap<InstitutionId, ParticipantId>,
}

impl CardNetwork {
    /// A view without members and cards.
    pub fn new(switch: InstitutionId) -> CardNetwork {
        CardNetwork {
            switch,
            bins: Arc::new(BinTable::empty()),
            keys: Arc::new(KeyRing::default()),
            members: BTreeMap::new(),
            institutions: BTreeMap::new(),
        }
    }

    /// The view in which a member is as `view` says.
    #[must_use]
    pub fn with_member(&self, view: &MemberView, code: Text<35>) -> CardNetwork {
        let mut network = self.clone();
        let profile = view.profile.clone();
        network
            .institutions
            .retain(|_, participant| *participant != view.participant);
        for institution in &profile.institutions {
            network.institutions.insert(*institution, view.participant);
        }
        let dialect = Dialect::built_in(profile.dialect.as_str());
        let member = Member {
            participant: view.participant,
            code,
            profile,
            dialect: dialect.unwrap_or_else(Dialect::national),
            signed_on: view.signed_on,
            queued: view.queued,
            keys: view.keys,
        };
        network.members.insert(view.participant, member);
        network
    }

    /// The view with another BIN table.
    #[must_use]
    pub fn with_bins(&self, bins: Arc<BinTable>) -> CardNetwork {
        CardNetwork {
            bins,
            ..self.clone()
        }
    }

    /// The view with other keys.
    #[must_use]
    pub fn with_keys(&self, keys: Arc<KeyRing>) -> CardNetwork {
        CardNetwork {
            keys,
            ..self.clone()
        }
    }

    /// A member.
    pub fn member(&self, participant: ParticipantId) -> Option<&Member> {
        self.members.get(&participant)
    }

    /// All members.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// The member whose links and keys reach a participant: its processing centre, if it has one, else itself.
    pub fn host_of(&self, participant: ParticipantId) -> Option<&Member> {
        let member = self.members.get(&participant)?;
        match member.profile.host {
            Some(host) => self.members.get(&host),
            None => Some(member),
        }
    }

    /// The member of an institution number.
    pub fn by_institution(&self, institution: InstitutionId) -> Option<&Member> {
        self.members.get(self.institutions.get(&institution)?)
    }
}
