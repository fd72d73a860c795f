//! The card links that are signed on, and what waits for each of them.
//!
//! A message goes to the link that its question came on, else to the one of the participant that has least to do. When a link ends,
//! what still waits for it goes to another one: nothing that was handed to a socket is ever sent a second time.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use torap_domain::ParticipantId;
use torap_engine::cards::{Command, Effect, LINKS_MAX, LinkNumber};
use torap_gateway::card::translate::QuestionNumber;
use torap_hsm::{Failure, Response};

/// A record that a message is made of, kept in memory from its release on.
pub struct Kept {
    /// Its facts.
    pub command: Command,
    /// What the log keeps of the message.
    pub evidence: Bytes,
    /// What only the memory holds.
    pub secrets: Bytes,
}

/// A message on its way to a link. A record that is not here is read from the log.
pub struct Outgoing {
    pub effect: Effect,
    pub original: Option<Arc<Kept>>,
    pub second: Option<Arc<Kept>>,
    /// The scheme was asked about the request.
    pub enquired: bool,
}

/// What an HSM said to a question of a link.
pub struct HsmAnswer {
    /// The link's own number of what waits for it.
    pub ticket: u64,
    pub question: Question,
    pub outcome: Result<Response, Failure>,
}

/// What a link asks an HSM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// About a message that came in.
    Of(QuestionNumber),
    /// The MAC of a message that goes out.
    Seal,
    /// A key for a change; no link asks that.
    Key,
}

/// What waits for one connection.
#[derive(Default)]
pub struct Mailbox {
    items: Mutex<Items>,
    pub changed: Notify,
}

#[derive(Default)]
struct Items {
    outgoing: VecDeque<Outgoing>,
    answers: VecDeque<HsmAnswer>,
    closed: bool,
}

/// A link that is signed on.
pub struct Link {
    pub number: LinkNumber,
    pub participant: ParticipantId,
    pub address: SocketAddr,
    pub since: Instant,
    pub mailbox: Arc<Mailbox>,
}

/// All links that are signed on.
#[derive(Default)]
pub struct Links {
    last: AtomicU32,
    turn: AtomicUsize,
    of: RwLock<HashMap<ParticipantId, Vec<Arc<Link>>>>,
}

/// Nothing more can be posted to a mailbox.
struct Closed(Outgoing);

impl Mailbox {
    /// Takes an HSM's answer.
    pub fn answer(&self, answer: HsmAnswer) {
        self.items.lock().answers.push_back(answer);
        self.changed.notify_one();
    }

    /// The next answer of an HSM.
    pub fn next_answer(&self) -> Option<HsmAnswer> {
        self.items.lock().answers.pop_front()
    }

    /// The next message to be sent.
    pub fn next_outgoing(&self) -> Option<Outgoing> {
        self.items.lock().outgoing.pop_front()
    }

    /// Messages that wait.
    pub fn waiting(&self) -> usize {
        self.items.lock().outgoing.len()
    }

    /// Puts messages in front of all that wait, in their order: they were taken out, and could not be sent.
    pub fn put_back(&self, messages: impl DoubleEndedIterator<Item = Outgoing>) {
        let mut items = self.items.lock();
        for outgoing in messages.rev() {
            items.outgoing.push_front(outgoing);
        }
    }

    /// Ends it; what waited is given back.
    pub fn close(&self) -> VecDeque<Outgoing> {
        let mut items = self.items.lock();
        items.closed = true;
        items.answers.clear();
        std::mem::take(&mut items.outgoing)
    }

    /// Adds a message; the oldest goes if there are too many. True if none had to go.
    fn post(&self, outgoing: Outgoing, most: usize) -> Result<bool, Box<Closed>> {
        let mut items = self.items.lock();
        if items.closed {
            return Err(Box::new(Closed(outgoing)));
        }
        let full = items.outgoing.len() >= most;
        if full {
            items.outgoing.pop_front();
        }
        items.outgoing.push_back(outgoing);
        Ok(!full)
    }
}

impl Links {
    /// A number for a connection, never given before by this process.
    pub fn next_number(&self) -> LinkNumber {
        LinkNumber(self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1))
    }

    /// Adds a link; false if its participant has as many as it may.
    pub fn add(&self, link: Arc<Link>) -> bool {
        let mut of = self.of.write();
        let links = of.entry(link.participant).or_default();
        let room = links.len() < LINKS_MAX;
        if room {
            links.push(link);
        }
        room
    }

    /// Takes a link out.
    pub fn remove(&self, link: &Link) {
        let mut of = self.of.write();
        if let Some(links) = of.get_mut(&link.participant) {
            links.retain(|known| known.number != link.number);
        }
    }

    /// All of them, by participant.
    pub fn all(&self) -> Vec<Arc<Link>> {
        let of = self.of.read();
        let mut links: Vec<_> = of.values().flatten().cloned().collect();
        links.sort_by_key(|link| (link.participant, link.number));
        links
    }

    /// Puts a message in the mailbox of a link of its receiver, which is returned; `None` if there is no link. `most` messages wait for
    /// one link; `dropped` counts those that had to go.
    pub fn post(
        &self,
        outgoing: Outgoing,
        most: usize,
        dropped: &metrics::Counter,
    ) -> Option<Arc<Link>> {
        let mut outgoing = outgoing;
        let mut refused: Vec<LinkNumber> = Vec::new();
        loop {
            let link = self.choose(&outgoing.effect, &refused)?;
            match link.mailbox.post(outgoing, most) {
                Ok(all_kept) => {
                    if !all_kept {
                        dropped.increment(1);
                    }
                    return Some(link);
                }
                Err(closed) => {
                    // It is ending just now.
                    refused.push(link.number);
                    outgoing = closed.0;
                }
            }
        }
    }

    fn choose(&self, effect: &Effect, refused: &[LinkNumber]) -> Option<Arc<Link>> {
        let of = self.of.read();
        let links = of.get(&effect.to)?;
        let open = || links.iter().filter(|link| !refused.contains(&link.number));
        let preferred = open().find(|link| Some(link.number) == effect.link);
        if let Some(link) = preferred {
            return Some(Arc::clone(link));
        }
        if links.len() == 1 {
            return open().next().cloned();
        }
        // Starts somewhere else each time, so that equals take turns.
        let start = self.turn.fetch_add(1, Ordering::Relaxed) % links.len().max(1);
        let (before, after) = links.split_at_checked(start)?;
        after
            .iter()
            .chain(before)
            .filter(|link| !refused.contains(&link.number))
            .min_by_key(|link| link.mailbox.waiting())
            .cloned()
    }
}

#[cfg(test)]
mod tests;
