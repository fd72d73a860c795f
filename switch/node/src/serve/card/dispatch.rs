//! From the core thread to the links: every released card effect goes to a mailbox, together with the records it is made of as far as
//! they are still in memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use torap_core::Released;
use torap_domain::Position;
use torap_engine::{
    Command,
    cards::{Effect, Message},
};
use torap_gateway::card::render::records_of;

use super::{
    Cards,
    links::{Kept, Link, Outgoing},
};

/// Requests whose records are kept for their answers, at most; older answers are made from the log.
const KEPT_MAX: usize = 131_072;

/// The core thread's end of the card side.
pub struct Dispatch {
    cards: Arc<Cards>,
    /// Requests under way.
    kept: HashMap<Position, UnderWay>,
    /// In the order in which they came, with those that are over.
    order: VecDeque<Position>,
    /// Links that got something since the last announcement.
    touched: Vec<Arc<Link>>,
}

struct UnderWay {
    record: Arc<Kept>,
    enquired: bool,
}

impl Dispatch {
    pub fn new(cards: Arc<Cards>) -> Dispatch {
        Dispatch {
            cards,
            kept: HashMap::new(),
            order: VecDeque::new(),
            touched: Vec::new(),
        }
    }

    /// Takes what became free with a record.
    pub fn take(&mut self, released: &Released<'_>) {
        if !released.published.is_empty() {
            self.cards.publish(released.published);
        }
        if released.cards.is_empty() {
            return;
        }
        let own = own_record(released);
        for effect in released.cards {
            let outgoing = self.outgoing(effect, released.stamp.position, own.as_ref());
            if let Some(link) = self.cards.post(outgoing)
                && self
                    .touched
                    .last()
                    .is_none_or(|last| !Arc::ptr_eq(last, &link))
            {
                self.touched.push(link);
            }
        }
    }

    /// Wakes the links that got something.
    pub fn announce(&mut self) {
        for link in self.touched.drain(..) {
            link.mailbox.changed.notify_one();
        }
    }

    fn outgoing(
        &mut self,
        effect: &Effect,
        position: Position,
        own: Option<&Arc<Kept>>,
    ) -> Outgoing {
        let [original, second] = records_of(effect);
        let find = |wanted: Option<Position>| {
            let wanted = wanted?;
            if wanted == position {
                return own.cloned();
            }
            self.kept.get(&wanted).map(|kept| Arc::clone(&kept.record))
        };
        let (original_record, second) = (find(original), find(second));
        let mut enquired = false;
        if let Some(original) = original {
            enquired = self.kept.get(&original).is_some_and(|kept| kept.enquired);
            match effect.message {
                Message::Enquiry { .. } => self.keep(original, original_record.as_ref(), true),
                Message::Request { .. } => {
                    // What goes out now is the last that is made of secrets.
                    let bare = original_record.as_deref().map(Kept::without_secrets);
                    self.keep(original, bare.as_ref(), enquired);
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

    fn keep(&mut self, position: Position, record: Option<&Arc<Kept>>, enquired: bool) {
        let Some(record) = record else { return };
        let under_way = UnderWay {
            record: Arc::clone(record),
            enquired,
        };
        if self.kept.insert(position, under_way).is_none() {
            self.order.push_back(position);
        }
        // Most of the oldest are over; what is not is read from the log.
        while self.order.len() > KEPT_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.kept.remove(&oldest);
            }
        }
    }
}

/// The record that was released, to be kept.
fn own_record(released: &Released<'_>) -> Option<Arc<Kept>> {
    let Command::Cards(command) = released.command else {
        return None;
    };
    Some(Arc::new(Kept {
        command: command.clone(),
        evidence: released.evidence.clone(),
        secrets: released.secrets.0.clone(),
    }))
}

impl Kept {
    fn without_secrets(&self) -> Arc<Kept> {
        Arc::new(Kept {
            command: self.command.clone(),
            evidence: self.evidence.clone(),
            secrets: Bytes::new(),
        })
    }
}
