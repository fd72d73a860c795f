//! What all threads of a running switch share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use torap_core::Released;
use torap_domain::{ParticipantId, Position, Sequence, Time};
use torap_engine::{Effect, Engine, Outcome, participants::View};
use torap_gateway::{
    session::{Credentials, Secret},
    translate::{Network, Translator},
};
use torap_index::{Index, RocksIndex};

use super::{
    congestion::Congestion, intake::Intake, lookups::IndexLookups, outbox::Outbox,
    records::LogRecords, registry::Registry,
};
use crate::folder::{Folder, read_secret};

/// Switch-wide state, shared by connections, control and threads.
pub struct Switch {
    pub folder: Folder,
    pub config: crate::config::Config,
    pub intake: Intake,
    pub outbox: Arc<Outbox>,
    pub registry: Registry,
    pub published: Arc<Published>,
    pub congestion: Arc<Congestion>,
    pub index: Arc<RocksIndex>,
    pub epoch: u32,
    pub(super) lookups: IndexLookups,
    pub(super) records: LogRecords,
    /// Where the log's segments lie.
    pub(super) store: torap_journal::Folders,
    /// How the log's threads do.
    pub(super) journal: torap_journal::Watch,
    pub(super) follower: super::follow::FollowerHandle,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) clock: Clock,
    /// Held from what index and log are asked about a card transaction until the command that says so is durable: what one operator
    /// takes of it another one sees.
    pub(super) known_facts: tokio::sync::Mutex<()>,
    /// The card side, if there is one.
    pub cards: Option<Arc<super::card::Cards>>,
}

/// The clock of all state machines: nanoseconds since the switch started.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

/// What the core thread tells everybody, as of the durable end of the log.
#[derive(Debug)]
pub struct Published {
    /// Last durable position.
    pub durable: AtomicU64,
    /// Last position given to the journal.
    pub appended: AtomicU64,
    /// End of what the duplicate window has forgotten.
    pub window_dropped_upto: AtomicU64,
    network: RwLock<Arc<Network>>,
    /// Kept apart from `network`: one view a participant, changed in place.
    views: Mutex<Vec<View>>,
}

impl Published {
    pub fn new(
        views: Vec<View>,
        durable: u64,
        window_dropped_upto: u64,
        switch_bic: torap_domain::Bic,
    ) -> Published {
        let network = Network::new(switch_bic, &views);
        Published {
            durable: AtomicU64::new(durable),
            appended: AtomicU64::new(durable),
            window_dropped_upto: AtomicU64::new(window_dropped_upto),
            network: RwLock::new(Arc::new(network)),
            views: Mutex::new(views),
        }
    }

    /// Takes over what a released command changed.
    pub(super) fn note(&self, released: &Released<'_>) {
        if released.views.is_empty() || matches!(released.outcome, Outcome::AlreadyApplied) {
            return;
        }
        let mut views = self.views.lock();
        for view in released.views {
            match views.iter_mut().find(|known| known.id == view.id) {
                Some(known) => *known = view.clone(),
                None => views.push(view.clone()),
            }
        }
        let switch_bic = self.network.read().switch_bic();
        *self.network.write() = Arc::new(Network::new(switch_bic, &views));
    }

    pub fn network(&self) -> Arc<Network> {
        Arc::clone(&self.network.read())
    }

    pub fn views(&self) -> Vec<View> {
        self.views.lock().clone()
    }
}

impl Switch {
    pub fn translator(&self) -> Translator {
        Translator::new()
    }

    pub fn network(&self) -> Arc<Network> {
        self.published.network()
    }

    pub(super) fn lookups(&self) -> &IndexLookups {
        &self.lookups
    }

    pub(super) fn records(&self) -> &LogRecords {
        &self.records
    }

    /// Wall clock in nanoseconds since 1970 UTC.
    pub fn wall_clock(&self) -> Time {
        wall_clock()
    }

    /// Clock of the session state machines: nanoseconds since the switch started.
    pub fn monotonic(&self) -> u64 {
        self.clock.monotonic()
    }

    /// A session's time as an instant to sleep until.
    pub fn instant_of(&self, monotonic: u64) -> Instant {
        self.clock.instant_of(monotonic)
    }

    /// What a sign-on under this name must prove; `None` for an unknown name or one without a readable secret.
    pub(super) fn credentials(&self, code: &str) -> Option<Credentials> {
        let network = self.network();
        let view = network.by_code(code)?;
        let secret = match read_secret(&self.folder.secret(view.code.as_str())) {
            Ok(secret) => Secret::new(secret),
            Err(error) => {
                tracing::warn!(%error, "a participant signs on without a usable secret on our side");
                return None;
            }
        };
        Some(Credentials {
            secret,
            participant: view.id,
            bics: network.bics_of(view.id),
        })
    }

    /// An outbound entry that memory no longer holds, from the index; `None` while the read side is behind it.
    pub(super) fn rebuild(&self, participant: ParticipantId, sequence: Sequence) -> Option<Effect> {
        match self.index.outbound(participant, sequence) {
            Ok(outbound) => outbound.map(Effect::from),
            Err(error) => {
                tracing::error!(%error, "the index cannot be read");
                None
            }
        }
    }

    /// Resolves when the switch is to stop.
    pub(super) async fn stopping(&self) {
        let mut stop = self.stop.clone();
        // The sender lives as long as the process; its loss means the end as well.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    pub fn durable(&self) -> u64 {
        self.published.durable.load(Ordering::Acquire)
    }

    /// Asks the read side's engine. Its state holds everything that anybody has been told until now.
    ///
    /// # Errors
    /// The read side has ended.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, String> {
        let after = Position::new(self.durable());
        self.follower.ask(after, question).await
    }
}

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    /// The time.
    pub fn monotonic(self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// A time of this clock as an instant to sleep until.
    pub fn instant_of(self, monotonic: u64) -> Instant {
        self.0 + Duration::from_nanos(monotonic)
    }

    /// From now until a time of this clock; zero if it has passed.
    pub fn until(self, monotonic: u64) -> Duration {
        Duration::from_nanos(monotonic.saturating_sub(self.monotonic()))
    }
}

/// Wall clock in nanoseconds since 1970 UTC.
pub fn wall_clock() -> Time {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
