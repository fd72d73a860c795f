//! From the core to the card links: what is released goes to the mailbox of a link, together with the records that it is made of as far
//! as they are in memory. The counterpart of the program's dispatch and list of links, of one life of its process.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    sync::Arc,
};

use bytes::Bytes;
use torap_core::{Published, Released};
use torap_domain::{ParticipantId, Position, Text};
use torap_engine::{
    Command, Engine,
    cards::{self, BinTable, Effect, LINKS_MAX, LinkNumber, MemberView, Message},
};
use torap_gateway::card::{members::CardNetwork, render::records_of, vault::CardVault};

use super::seed::{SWITCH, institution_id};

/// A record that a message is made of, kept in memory from its release on.
pub(crate) struct Kept {
    pub(crate) command: cards::Command,
    pub(crate) evidence: Bytes,
    pub(crate) secrets: Bytes,
}

/// A message on its way to a link.
pub(crate) struct Outgoing {
    pub(crate) effect: Effect,
    pub(crate) original: Option<Rc<Kept>>,
    pub(crate) second: Option<Rc<Kept>>,
    pub(crate) enquired: bool,
}

struct UnderWay {
    record: Rc<Kept>,
    enquired: bool,
}

struct Mailbox {
    participant: ParticipantId,
    waiting: VecDeque<Outgoing>,
}

pub(crate) struct Desk {
    vault: Arc<CardVault>,
    network: Rc<CardNetwork>,
    members: BTreeMap<ParticipantId, MemberView>,
    /// Requests under way.
    kept: BTreeMap<Position, UnderWay>,
    links: BTreeMap<LinkNumber, Mailbox>,
    last_link: u32,
    turn: usize,
    /// Last record of before this life.
    pub(crate) began: Position,
}

impl Desk {
    /// The card side as the log says at its durable end. `salt` is another one in each life.
    pub(crate) fn open(
        engine: &Engine,
        began: Position,
        seed: u64,
        salt: u64,
        code_of: impl Fn(ParticipantId) -> Option<Text<35>>,
    ) -> Desk {
        let key = *blake3::hash(&seed.to_le_bytes()).as_bytes();
        let mut salts = [0; 16];
        salts[..8].copy_from_slice(&salt.to_le_bytes());
        let mut desk = Desk {
            vault: Arc::new(CardVault::new(key, salts)),
            network: Rc::new(CardNetwork::new(institution_id(SWITCH))),
            members: engine
                .card_members()
                .map(|view| (view.participant, view))
                .collect(),
            kept: BTreeMap::new(),
            links: BTreeMap::new(),
            last_link: 0,
            turn: 0,
            began,
        };
        desk.rebuild(Some(engine.card_bins()), code_of);
        desk
    }

    pub(crate) fn network(&self) -> Rc<CardNetwork> {
        Rc::clone(&self.network)
    }

    pub(crate) fn vault(&self) -> Arc<CardVault> {
        Arc::clone(&self.vault)
    }

    /// A number for a connection, never given before in this life.
    pub(crate) fn next_link(&mut self) -> LinkNumber {
        self.last_link += 1;
        LinkNumber(self.last_link)
    }

    /// A link has signed on; false if its participant has as many as it may.
    pub(crate) fn add(&mut self, link: LinkNumber, participant: ParticipantId) -> bool {
        let theirs = self
            .links
            .values()
            .filter(|mailbox| mailbox.participant == participant);
        if theirs.count() >= LINKS_MAX {
            return false;
        }
        let mailbox = Mailbox {
            participant,
            waiting: VecDeque::new(),
        };
        self.links.insert(link, mailbox);
        true
    }

    /// A link is over: what waited for it goes to others of its participant.
    pub(crate) fn retire(&mut self, link: LinkNumber) {
        let Some(mailbox) = self.links.remove(&link) else {
            return;
        };
        for outgoing in mailbox.waiting {
            self.post(outgoing);
        }
    }

    pub(crate) fn next_outgoing(&mut self, link: LinkNumber) -> Option<Outgoing> {
        self.links.get_mut(&link)?.waiting.pop_front()
    }

    /// Takes what became free with a record.
    pub(crate) fn take(
        &mut self,
        released: &Released<'_>,
        code_of: impl Fn(ParticipantId) -> Option<Text<35>>,
    ) {
        let mut bins = None;
        for change in released.published {
            match change {
                Published::Bins(table) => bins = Some(Arc::clone(table)),
                Published::Member(view) => {
                    self.members.insert(view.participant, view.as_ref().clone());
                }
            }
        }
        if !released.published.is_empty() {
            self.rebuild(bins, code_of);
        }
        let own = match released.command {
            Command::Cards(command) if !released.cards.is_empty() => Some(Rc::new(Kept {
                command: command.clone(),
                evidence: released.evidence.clone(),
                secrets: released.secrets.0.clone(),
            })),
            _ => None,
        };
        for effect in released.cards {
            let outgoing = self.outgoing(effect, released.stamp.position, own.as_ref());
            self.post(outgoing);
        }
    }

    fn rebuild(
        &mut self,
        bins: Option<Arc<BinTable>>,
        code_of: impl Fn(ParticipantId) -> Option<Text<35>>,
    ) {
        let bins = bins.unwrap_or_else(|| Arc::clone(&self.network.bins));
        let mut network = CardNetwork::new(self.network.switch).with_bins(bins);
        for view in self.members.values() {
            if let Some(code) = code_of(view.participant) {
                network = network.with_member(view, code);
            }
        }
        self.network = Rc::new(network);
    }

    fn outgoing(
        &mut self,
        effect: &Effect,
        position: Position,
        own: Option<&Rc<Kept>>,
    ) -> Outgoing {
        let [original, second] = records_of(effect);
        let find = |wanted: Option<Position>| {
            let wanted = wanted?;
            if wanted == position {
                return own.cloned();
            }
            self.kept.get(&wanted).map(|kept| Rc::clone(&kept.record))
        };
        let (original_record, second) = (find(original), find(second));
        let mut enquired = false;
        if let Some(original) = original {
            enquired = self.kept.get(&original).is_some_and(|kept| kept.enquired);
            match effect.message {
                Message::Enquiry { .. } => self.keep(original, original_record.clone(), true),
                Message::Request { .. } => {
                    // What goes out now is the last that is made of secrets.
                    let bare = original_record.as_deref().map(|kept| {
                        Rc::new(Kept {
                            command: kept.command.clone(),
                            evidence: kept.evidence.clone(),
                            secrets: Bytes::new(),
                        })
                    });
                    self.keep(original, bare, enquired);
                }
                Message::Answer { .. } => {
                    self.kept.remove(&original);
                }
                _ => {}
            }
        }
        Outgoing {
            effect: *effect,
            original: original_record,
            second,
            enquired,
        }
    }

    fn keep(&mut self, position: Position, record: Option<Rc<Kept>>, enquired: bool) {
        if let Some(record) = record {
            self.kept.insert(position, UnderWay { record, enquired });
        }
    }

    /// To the link that its question came on, else to the one that has least to do; nowhere if there is none.
    fn post(&mut self, outgoing: Outgoing) {
        let to = outgoing.effect.to;
        let preferred = outgoing.effect.link.filter(|link| {
            self.links
                .get(link)
                .is_some_and(|mailbox| mailbox.participant == to)
        });
        let theirs: Vec<LinkNumber> = self
            .links
            .iter()
            .filter(|(_, mailbox)| mailbox.participant == to)
            .map(|(link, _)| *link)
            .collect();
        self.turn += 1;
        let start = self.turn % theirs.len().max(1);
        let chosen = preferred.or_else(|| {
            let in_turn = theirs[start..].iter().chain(&theirs[..start]);
            in_turn
                .min_by_key(|link| {
                    self.links
                        .get(link)
                        .map_or(0, |mailbox| mailbox.waiting.len())
                })
                .copied()
        });
        if let Some(mailbox) = chosen.and_then(|link| self.links.get_mut(&link)) {
            mailbox.waiting.push_back(outgoing);
        }
    }
}
