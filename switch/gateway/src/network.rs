//! What a gateway knows of the participants: a read-only picture, made anew whenever one of them changes.
//!
//! Why it exists: translation needs to know whose BIC a BIC is many times a payment, and the engine is another thread's. The
//! picture may be a moment behind; the engine checks again whatever decides about money.

use std::collections::HashMap;

use torap_domain::{BankCode, Bic, ParticipantId};
use torap_engine::participants::View;

/// Participants by identifier, short code, BIC and bank code.
#[derive(Debug, Clone)]
pub struct Network {
    switch_bic: Bic,
    /// In the order of identifiers.
    views: Vec<View>,
    institutions: HashMap<[u8; 8], ParticipantId>,
    bank_codes: HashMap<BankCode, ParticipantId>,
    codes: HashMap<String, ParticipantId>,
}

impl Network {
    /// The picture of `views` around the switch with this BIC. Where two participants name one code, the first keeps it.
    pub fn new(switch_bic: Bic, views: &[View]) -> Network {
        let mut views = views.to_vec();
        views.sort_by_key(|view| view.id);
        let mut network = Network {
            switch_bic,
            views: Vec::new(),
            institutions: HashMap::new(),
            bank_codes: HashMap::new(),
            codes: HashMap::new(),
        };
        for view in &views {
            for bic in &view.bics {
                network
                    .institutions
                    .entry(institution(bic))
                    .or_insert(view.id);
            }
            for code in &view.bank_codes {
                network.bank_codes.entry(*code).or_insert(view.id);
            }
            network
                .codes
                .entry(view.code.as_str().to_owned())
                .or_insert(view.id);
        }
        network.views = views;
        network
    }

    /// The switch's own BIC.
    pub fn switch_bic(&self) -> Bic {
        self.switch_bic
    }

    /// Whether a BIC is the switch's; the branch is not compared.
    pub fn is_switch(&self, bic: &Bic) -> bool {
        self.switch_bic.same_institution(bic)
    }

    /// A participant by its identifier.
    pub fn by_id(&self, id: ParticipantId) -> Option<&View> {
        let place = self.views.binary_search_by_key(&id, |view| view.id).ok()?;
        self.views.get(place)
    }

    /// A participant by its short code, the name at sign-on.
    pub fn by_code(&self, code: &str) -> Option<&View> {
        self.codes.get(code).and_then(|id| self.by_id(*id))
    }

    /// Whom a BIC leads to: the participant of its institution, or the one that took it over.
    pub fn by_bic(&self, bic: &Bic) -> Option<&View> {
        self.owner(bic)
            .and_then(|view| self.by_id(self.successor(view.id)))
    }

    /// Whose own BIC a BIC is, also after a merger.
    pub fn owner(&self, bic: &Bic) -> Option<&View> {
        self.institutions
            .get(&institution(bic))
            .and_then(|id| self.by_id(*id))
    }

    /// Whom the bank code of an IBAN leads to, successors followed.
    pub fn by_bank_code(&self, code: BankCode) -> Option<&View> {
        let owner = self.bank_codes.get(&code)?;
        self.by_id(self.successor(*owner))
    }

    /// Whether messages on the link of `participant` may speak for the institution of `bic`: its own, one that it sponsors,
    /// sends for or took over.
    pub fn may_send(&self, participant: ParticipantId, bic: &Bic) -> bool {
        self.by_bic(bic)
            .is_some_and(|view| self.acts_for(participant, view))
    }

    /// Every BIC that the link of `participant` may speak for, its own ones first.
    pub fn bics_of(&self, participant: ParticipantId) -> Vec<Bic> {
        let own = self.views.iter().filter(|view| view.id == participant);
        let others = self.views.iter().filter(|view| {
            let end = self.by_id(self.successor(view.id));
            view.id != participant && end.is_some_and(|end| self.acts_for(participant, end))
        });
        own.chain(others)
            .flat_map(|view| view.bics.iter().copied())
            .collect()
    }

    /// The end of the chain of mergers; `id` itself if nobody took it over.
    pub fn successor(&self, id: ParticipantId) -> ParticipantId {
        let mut end = id;
        // The engine refuses cycles; the bound holds against a picture that is between two changes.
        for _ in 0..self.views.len() {
            match self.by_id(end).and_then(|view| view.successor) {
                Some(next) => end = next,
                None => break,
            }
        }
        end
    }

    fn acts_for(&self, agent: ParticipantId, participant: &View) -> bool {
        agent == participant.id
            || participant.sponsor == Some(agent)
            || participant.technical_senders.contains(&agent)
            || self.successor(agent) == participant.id
    }
}

fn institution(bic: &Bic) -> [u8; 8] {
    let eight = bic.institution().as_bytes().first_chunk::<8>();
    eight.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
