//! The card side of a running switch: doors and links of card hosts, the HSMs, and what translation and rendering look up.
//!
//! A link is one task with a state machine of `torap-gateway`; what it takes becomes commands in the intake, and what the core releases
//! reaches it through its mailbox. Nothing here decides about a payment, and nothing is sent that is not in the log.

mod dispatch;
mod doors;
mod driver;
pub(super) mod hsm;
mod key_maker;
mod keys;
pub(super) mod links;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use metrics::{Counter, counter, describe_counter};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use torap_core::Published as CorePublished;
use torap_domain::ParticipantId;
use torap_engine::{Engine, cards::MemberView};
use torap_gateway::card::{
    keys::{MadeKey, ZoneUse},
    members::CardNetwork,
    translate::Delivered,
    vault::CardVault,
};

pub(super) use self::doors::{Door, accept, connect_all, open_doors};
pub(super) use self::key_maker::make_keys;
pub use self::{
    dispatch::Dispatch,
    keys::{CardKeys, FirstKeys},
};
use self::{
    hsm::Hsms,
    key_maker::Wanted,
    links::{Link, Links, Outgoing},
};
use super::switch::{Clock, Published};
use crate::{
    config,
    folder::{Folder, random_bytes, read_or_create_secret},
};

/// What all links of card hosts share.
pub struct Cards {
    pub(super) config: config::Card,
    pub(super) links: Links,
    pub(super) hsms: Arc<Hsms>,
    vault: Arc<CardVault>,
    network: RwLock<Arc<CardNetwork>>,
    /// Members as the log has them, by participant; kept apart from `network`, which is made from them.
    views: Mutex<BTreeMap<ParticipantId, MemberView>>,
    keys: Mutex<CardKeys>,
    /// A change of keys was ordered.
    key_orders: Notify,
    folder: Folder,
    published: Arc<Published>,
    count: Counts,
}

/// What is counted for Prometheus.
struct Counts {
    /// Messages that no link could take.
    unsent: Counter,
    /// Messages that had to make room.
    dropped: Counter,
    /// Messages that could not be written.
    unwritten: Counter,
    received: Counter,
    sent: Counter,
}

impl Cards {
    /// The card side as the log says at its durable end.
    ///
    /// # Errors
    /// Names the key file that cannot be read or made.
    pub fn open(
        folder: &Folder,
        config: &config::Card,
        engine: &Engine,
        published: Arc<Published>,
        clock: Clock,
    ) -> Result<Cards, String> {
        let key = read_or_create_secret(&folder.card_key())?;
        let salt: [u8; 32] = random_bytes()?;
        let salt = salt.first_chunk().copied().unwrap_or_default();
        let hsms = Hsms::new(
            config.hsm.iter().map(|hsm| hsm.address),
            Duration::from_millis(config.hsm_timeout_ms),
            clock,
        );
        let views = engine
            .card_members()
            .map(|view| (view.participant, view))
            .collect();
        let cards = Cards {
            config: config.clone(),
            links: Links::default(),
            hsms: Arc::new(hsms),
            vault: Arc::new(CardVault::new(key, salt)),
            network: RwLock::new(Arc::new(CardNetwork::new(config.institution.0))),
            views: Mutex::new(views),
            keys: Mutex::new(CardKeys::read(folder)?),
            key_orders: Notify::new(),
            folder: folder.clone(),
            published,
            count: Counts::new(),
        };
        cards.rebuild(Some(engine.card_bins()));
        Ok(cards)
    }

    /// What the durable log says at this moment.
    pub fn network(&self) -> Arc<CardNetwork> {
        Arc::clone(&self.network.read())
    }

    /// What hides card numbers.
    pub fn vault(&self) -> &Arc<CardVault> {
        &self.vault
    }

    /// Takes over what a released record changed.
    fn publish(&self, published: &[CorePublished]) {
        let mut bins = None;
        for change in published {
            match change {
                CorePublished::Bins(table) => bins = Some(Arc::clone(table)),
                CorePublished::Member(view) => {
                    let wants_keys = view.keys.change.as_ref().is_some_and(key_maker::wants);
                    self.views
                        .lock()
                        .insert(view.participant, view.as_ref().clone());
                    // The maker looks at the views as soon as it wakes.
                    if wants_keys {
                        self.key_orders.notify_one();
                    }
                }
            }
        }
        self.rebuild(bins);
    }

    /// Makes the published view anew. Members and tables change rarely; sign-ons and queues do now and then.
    fn rebuild(&self, bins: Option<Arc<torap_engine::cards::BinTable>>) {
        let participants = self.published.network();
        let code_of = |id| participants.by_id(id).map(|view| view.code);
        let mut network = self.network.write();
        let bins = bins.unwrap_or_else(|| Arc::clone(&network.bins));
        let ring = self
            .keys
            .lock()
            .ring(|code| participants.by_code(code).map(|view| view.id), &bins);
        let mut new = CardNetwork::new(network.switch)
            .with_bins(bins)
            .with_keys(Arc::new(ring));
        for view in self.views.lock().values() {
            if let Some(code) = code_of(view.participant) {
                new = new.with_member(view, code);
            }
        }
        *network = Arc::new(new);
    }

    /// Keeps a zone key that a participant handed over, on the disk first.
    ///
    /// # Errors
    /// The file cannot be written; the key is not used.
    fn keep(&self, delivered: &Delivered) -> Result<(), String> {
        let code = self
            .published
            .network()
            .by_id(delivered.participant)
            .map(|view| view.code)
            .ok_or("the participant is not known")?;
        {
            let mut keys = self.keys.lock();
            let mut changed = keys.clone();
            changed.add(code.as_str(), delivered);
            changed.write(&self.folder.card_keys())?;
            *keys = changed;
        }
        self.rebuild(None);
        Ok(())
    }

    /// Keeps a set of zone keys that an HSM made for a participant, on the disk first.
    fn offer(
        &self,
        participant: ParticipantId,
        set: u16,
        newest: u16,
        made: &[MadeKey],
    ) -> Result<(), String> {
        let code = self
            .published
            .network()
            .by_id(participant)
            .map(|view| view.code)
            .ok_or("the participant is not known")?;
        {
            let mut keys = self.keys.lock();
            let mut changed = keys.clone();
            changed.offer(code.as_str(), set, newest, made);
            changed.write(&self.folder.card_keys())?;
            *keys = changed;
        }
        self.rebuild(None);
        Ok(())
    }

    /// Changes of keys that wait for an HSM to make them.
    fn keys_wanted(&self) -> Vec<Wanted> {
        let views = self.views.lock();
        let wanted = views.values().filter_map(|view| {
            let change = view.keys.change.filter(key_maker::wants)?;
            Some(Wanted {
                participant: view.participant,
                change,
                newest: view.profile.key_set,
            })
        });
        wanted.collect()
    }

    /// The sets of a participant's zone keys, for PIN blocks and for MACs.
    pub fn key_sets(&self, code: &str) -> (Vec<u16>, Vec<u16>) {
        let keys = self.keys.lock();
        (keys.sets(code, ZoneUse::Pin), keys.sets(code, ZoneUse::Mac))
    }

    /// Whether new keys can be handed over to a participant.
    pub fn can_change_keys(&self, code: &str) -> bool {
        self.keys.lock().can_change(code)
    }

    /// Hands a message to a link of its receiver.
    fn post(&self, outgoing: Outgoing) -> Option<Arc<Link>> {
        let link = self
            .links
            .post(outgoing, self.config.waiting_max, &self.count.dropped);
        if link.is_none() {
            self.count.unsent.increment(1);
        }
        link
    }

    /// A link is over: what waited for it goes to others of its participant.
    fn retire(&self, link: &Link) {
        self.links.remove(link);
        for outgoing in link.mailbox.close() {
            if let Some(other) = self.post(outgoing) {
                other.mailbox.changed.notify_one();
            }
        }
    }
}

impl Counts {
    fn new() -> Counts {
        let describe = |name: &'static str, text: &'static str| {
            describe_counter!(name, text);
            counter!(name)
        };
        Counts {
            unsent: describe(
                "torap_card_messages_without_link_total",
                "card messages whose receiver had no link",
            ),
            dropped: describe(
                "torap_card_messages_dropped_total",
                "card messages that made room for newer ones",
            ),
            unwritten: describe(
                "torap_card_messages_unwritten_total",
                "card messages that could not be written or sealed",
            ),
            received: describe(
                "torap_card_messages_received_total",
                "card messages of participants",
            ),
            sent: describe(
                "torap_card_messages_sent_total",
                "card messages to participants",
            ),
        }
    }
}

/// The process writes no core dump and lets nobody of its own user look into its memory: keys of hashes, card numbers and PIN blocks under
/// way are there.
///
/// # Errors
/// The system refuses.
pub fn forbid_core_dumps() -> Result<(), String> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(|error| format!("core dumps: {error}"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| format!("core dumps: {error}"))
}
