//! Facts that a gateway looks up before queueing, from the index.

use std::sync::{Arc, atomic::Ordering};

use torap_domain::{ParticipantId, Phone, Position, Uetr};
use torap_engine::{
    directory::Record,
    instant::{History, PaymentKey},
};
use torap_gateway::translate::Lookups;
use torap_index::{AsOf, Index, IndexError, RocksIndex};

use super::{congestion::Congestion, switch::Published};

#[derive(Debug)]
pub struct IndexLookups {
    index: Arc<RocksIndex>,
    published: Arc<Published>,
    congestion: Arc<Congestion>,
}

impl IndexLookups {
    pub fn new(
        index: Arc<RocksIndex>,
        published: Arc<Published>,
        congestion: Arc<Congestion>,
    ) -> IndexLookups {
        IndexLookups {
            index,
            published,
            congestion,
        }
    }

    /// While the window has dropped nothing, the engine itself knows everything.
    fn is_needed(&self) -> bool {
        self.published.window_dropped_upto.load(Ordering::Acquire) > 0
    }

    fn history(
        found: Result<AsOf<Option<torap_engine::instant::Finished>>, IndexError>,
    ) -> Option<History> {
        match found {
            Ok(AsOf {
                value: Some(finished),
                as_of,
            }) => Some(History::Known { as_of, finished }),
            Ok(AsOf { as_of, value: None }) => Some(History::Unknown { as_of }),
            Err(error) => {
                tracing::error!(%error, "the index cannot be read");
                // As of the beginning: the engine refuses it as too old, and the bank sends again.
                Some(History::Unknown {
                    as_of: Position::new(0),
                })
            }
        }
    }
}

impl Lookups for IndexLookups {
    fn alias(&self, phone: Phone) -> (Position, Option<Record>) {
        match self.index.alias(phone) {
            Ok(AsOf { as_of, value }) => (as_of, value),
            Err(error) => {
                tracing::error!(%error, "the index cannot be read");
                (Position::new(0), None)
            }
        }
    }

    fn by_key(&self, key: &PaymentKey) -> Option<History> {
        self.is_needed()
            .then(|| self.index.payment_by_key(key))
            .and_then(IndexLookups::history)
    }

    fn by_uetr(&self, uetr: &Uetr) -> Option<History> {
        self.is_needed()
            .then(|| self.index.payment_by_uetr(uetr))
            .and_then(IndexLookups::history)
    }

    fn is_congested(&self, payee: ParticipantId) -> bool {
        self.congestion.is_congested(payee)
    }
}
