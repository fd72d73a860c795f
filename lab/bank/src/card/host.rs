//! The card host: links, who gets which message, and what its driver calls.

mod received;
mod requests;

use std::collections::{BTreeMap, VecDeque};

use torap_domain::Time;
use torap_gateway::card::crosswalk::{Crossed, Toward, is_national};
use torap_hsm_sim::soft::BankKeys;
use torap_iso8583::{Dialect, Message, Step, check_step};

use super::acquirer::{Acquirer, Patience, Post};
use super::behaviour::Script;
use super::books::Books;
use super::control::{Seen, Side, WaitFor};
use super::issuer::Issuer;
use super::message::{Draft, Trace, national_mti, tag, text};
use super::scheme::SchemeHost;
use super::security::{MacVerdict, Security};
use super::terminal::set_times;
use super::totals::{SessionBook, Totals};

/// Who the host is.
#[derive(Clone, Debug)]
pub struct Config {
    /// Participant code.
    pub code: String,
    /// DE32 and DE33 of what it sends, digits.
    pub institution: String,
    /// Prefixes of the cards that it issues; for a scheme's host, of the cards that have its tokens.
    pub prefixes: Vec<String>,
    /// It is the host of a foreign scheme, and nothing else.
    pub is_scheme: bool,
    /// Prefixes of cards that a scheme must never hear of.
    pub local_prefixes: Vec<String>,
    pub dialect: &'static Dialect,
    /// Every message carries a MAC.
    pub mac: bool,
    /// The key set that is in use at the start.
    pub key_set: u32,
    pub patience: Patience,
    /// Distinguishes references of this run from those of earlier ones.
    pub seed: u64,
}

/// What the driver has to do.
#[derive(PartialEq, Eq)]
pub enum Output {
    /// Put a message on that link.
    Message {
        link: usize,
        bytes: Vec<u8>,
    },
    /// Cut the links at once, then come back.
    Reconnect,
    /// Cut them and stay away.
    Down,
    Up,
}

/// Messages remembered for scripts, at most.
const SEEN_MAX: usize = 100_000;
/// Pause before a sign-on that was refused is sent again, in nanoseconds.
const SIGN_ON_AGAIN_NS: u64 = 500_000_000;
/// Tags of DE48 that scripts may look at.
const SHOWN_TAGS: [&str; 16] = [
    "CH", "EC", "DR", "FS", "FR", "FO", "IF", "SF", "TP", "SI", "SC", "ST", "SM", "TL", "VR", "LT",
];

/// Totals remembered on either way, at most.
const TOLD_MAX: usize = 256;

/// 0500 or 0520 of this host's own.
#[derive(Debug)]
struct Reconciling {
    trace: Trace,
    session: String,
    side: Side,
    totals: Totals,
}

/// One connection to the switch.
#[derive(Clone, Copy, Debug, Default)]
struct LinkState {
    is_up: bool,
    is_signed_on: bool,
    /// The sign-on that waits for its answer.
    sign_on: Option<Trace>,
}

/// A simulated participant's card host. See the module for what it checks.
#[derive(Debug)]
pub struct CardHost {
    config: Config,
    security: Security,
    links: Vec<LinkState>,
    next_link: usize,
    acquirer: Acquirer,
    issuer: Issuer,
    scheme: SchemeHost,
    sessions: SessionBook,
    /// Totals that were sent and not answered.
    reconciling: VecDeque<Reconciling>,
    /// What the switch told of sessions that it had closed.
    told: VecDeque<(String, Side, Totals)>,
    books: Books,
    script: Script,
    outputs: VecDeque<Output>,
    /// What must arrive and has no link yet.
    waiting: VecDeque<Draft>,
    /// What goes out later, by time and number.
    later: BTreeMap<(Time, u64), (usize, Draft)>,
    later_number: u64,
    sign_on_at: Option<Time>,
    stan: u32,
    reference: u64,
    seen: VecDeque<Seen>,
    next_seen: u64,
    now: Time,
}

impl CardHost {
    /// A host without links.
    pub fn new(config: Config, keys: Option<BankKeys>) -> CardHost {
        CardHost {
            security: Security::new(keys, config.mac, config.key_set),
            links: Vec::new(),
            next_link: 0,
            acquirer: Acquirer::new(config.patience),
            issuer: Issuer::new(&config.code, config.prefixes.clone()),
            scheme: SchemeHost::new(config.prefixes.clone(), config.local_prefixes.clone()),
            sessions: SessionBook::default(),
            reconciling: VecDeque::new(),
            told: VecDeque::new(),
            books: Books::default(),
            script: Script::default(),
            outputs: VecDeque::new(),
            waiting: VecDeque::new(),
            later: BTreeMap::new(),
            later_number: 0,
            sign_on_at: None,
            stan: 0,
            reference: 0,
            seen: VecDeque::new(),
            next_seen: 1,
            now: Time::EPOCH,
            config,
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Links that are signed on.
    pub fn signed_on(&self) -> usize {
        self.links.iter().filter(|link| link.is_signed_on).count()
    }

    /// A TCP connection is there, whoever made it: the host signs on.
    pub fn link_up(&mut self, link: usize, now: Time) {
        self.now = now;
        if self.links.len() <= link {
            self.links.resize(link + 1, LinkState::default());
        }
        self.links[link] = LinkState {
            is_up: true,
            ..LinkState::default()
        };
        self.sign_on(link);
    }

    /// The connection is gone.
    pub fn link_down(&mut self, link: usize, now: Time) {
        self.now = now;
        if let Some(link) = self.links.get_mut(link) {
            *link = LinkState::default();
        }
    }

    /// When [`CardHost::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Time> {
        let later = self.later.first_key_value().map(|((at, _), _)| *at);
        [later, self.acquirer.poll_timeout(), self.sign_on_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Sends what was delayed until now, and does what the acquirer's clocks demand.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let (link, draft) = entry.remove();
            let is_sent = self.answer_if_up(link, &draft);
            if is_sent && let Some(trace) = Trace::of_draft(&draft) {
                // A repeat that it was silent towards meanwhile has its answer now.
                self.issuer.was_answered(trace);
            }
        }
        let stan = &mut self.stan;
        let posts = self.acquirer.handle_timeout(now, &mut || next_stan(stan));
        self.post_all(posts);
        if self.sign_on_at.is_some_and(|at| at <= now) {
            self.sign_on_at = None;
            for link in 0..self.links.len() {
                if self.links[link].is_up && !self.links[link].is_signed_on {
                    self.sign_on(link);
                }
            }
        }
    }

    /// What the driver has to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The first message that fits.
    pub fn find(&self, filter: &WaitFor) -> Option<&Seen> {
        self.seen.iter().find(|seen| filter.fits(seen))
    }

    // Sending.

    fn sign_on(&mut self, link: usize) {
        let draft = self.network(b"001");
        self.links[link].sign_on = super::acquirer::trace_of(&draft);
        self.send(link, &draft);
    }

    /// 0800 with a purpose.
    fn network(&mut self, purpose: &[u8]) -> Draft {
        let mut draft = Draft::new(800);
        set_times(&mut draft, self.now);
        draft.set(11, format!("{:06}", next_stan(&mut self.stan)));
        draft.set(33, &self.config.institution).set(70, purpose);
        draft
    }

    /// Puts a message on a link as it is.
    fn send(&mut self, link: usize, draft: &Draft) {
        match self.security.sealed(draft, self.config.dialect, self.now) {
            Ok(bytes) => self.outputs.push_back(Output::Message { link, bytes }),
            Err(text) => self.books.violation("this host", &text),
        }
    }

    /// Puts an answer on the link of its question, or on another if that one is gone.
    fn answer(&mut self, link: usize, draft: &Draft) {
        self.answer_if_up(link, draft);
    }

    /// As [`CardHost::answer`]; false if no link is signed on.
    fn answer_if_up(&mut self, link: usize, draft: &Draft) -> bool {
        let is_there = self.links.get(link).is_some_and(|link| link.is_signed_on);
        let link = if is_there {
            Some(link)
        } else {
            self.any_link()
        };
        if let Some(link) = link {
            self.send(link, draft);
        }
        link.is_some()
    }

    /// The signed-on links take turns.
    fn any_link(&mut self) -> Option<usize> {
        let count = self.links.len();
        let mut turns = (0..count).map(|turn| (self.next_link + turn) % count.max(1));
        let link = turns.find(|link| self.links[*link].is_signed_on)?;
        self.next_link = link + 1;
        Some(link)
    }

    /// Sends on any link.
    ///
    /// # Errors
    /// There is none.
    fn send_anywhere(&mut self, draft: &Draft) -> Result<(), String> {
        let link = self.any_link().ok_or("no link is signed on")?;
        self.send(link, draft);
        Ok(())
    }

    /// Sends what must arrive: now, or as soon as there is a link.
    fn post(&mut self, draft: Draft) {
        if self.send_anywhere(&draft).is_err() {
            self.waiting.push_back(draft);
        }
    }

    fn post_all(&mut self, posts: Vec<Post>) {
        for Post(draft) in posts {
            self.post(draft);
        }
    }

    fn send_later(&mut self, link: usize, draft: Draft, after_ms: u64) {
        let at = super::acquirer::after(self.now, after_ms);
        self.later_number += 1;
        self.later.insert((at, self.later_number), (link, draft));
    }

    // Receiving.

    /// A message came on a link.
    pub fn receive(&mut self, link: usize, bytes: &[u8], now: Time) {
        self.now = now;
        let dialect = self.config.dialect;
        let own = Message::parse(dialect, bytes);
        let own = own.and_then(|own| Ok((own, Crossed::read(dialect, bytes, Toward::Host)?)));
        let read = own.as_ref().map_err(|refusal| *refusal);
        let read = read.and_then(|(own, crossed)| {
            let message = Message::parse(Dialect::national(), crossed.national())?;
            Ok((own, crossed, message))
        });
        let (own, crossed, message) = match read {
            Ok(read) => read,
            Err(refusal) => {
                self.books
                    .violation("the switch", &format!("unreadable: {refusal}"));
                return;
            }
        };
        self.see(link, &message);
        self.check(&message);
        if !is_national(dialect) {
            self.check(own);
        }
        let wire = crossed.wire().map(|wire| (wire.covered, wire.mac));
        match self.security.mac_verdict_on(&message, wire) {
            MacVerdict::NotAgreed | MacVerdict::Good => {}
            verdict @ (MacVerdict::Bad | MacVerdict::Missing) => {
                let about = text(&message, 37);
                self.books
                    .violation(&about, &format!("its MAC: {verdict:?}"));
                return;
            }
        }
        self.take(link, &message);
    }

    /// Presence rules of the step: the national ones, and those that the host's own dialect has.
    fn check(&mut self, message: &Message<'_>) {
        let step = match (national_mti(message) / 100, message.mti().is_answer()) {
            (1 | 2 | 4, false) => Step::ToIssuer,
            (1 | 2 | 4, true) => Step::ToAcquirer,
            (6, false) if self.config.is_scheme => Step::ToScheme,
            _ => Step::ToParticipant,
        };
        let dialect = message.dialect();
        if !is_national(dialect) && dialect.presence(message.mti(), step).is_none() {
            return;
        }
        if let Err(error) = check_step(message, step) {
            let about = format!("{:04} {}", national_mti(message), text(message, 37));
            self.books.violation(&about, &error.to_string());
        }
    }

    fn see(&mut self, link: usize, message: &Message<'_>) {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let tags = SHOWN_TAGS
            .into_iter()
            .filter_map(|name| Some((name.to_string(), tag(message, 48, name)?)));
        let pan = some(text(message, 2));
        let seen = Seen {
            number: self.next_seen,
            mti: format!("{:04}", national_mti(message)),
            code: some(text(message, 39)),
            reference: some(text(message, 37)),
            stan: some(text(message, 11)),
            approval: some(text(message, 38)),
            amount: message.number(4),
            stands: text(message, 95)
                .get(..12)
                .and_then(|text| text.parse().ok()),
            session: some(text(message, 15)),
            purpose: some(text(message, 70)),
            settlement: some(text(message, 66)),
            text: some(text(message, 44)),
            pan: pan.map(|pan| torap_iso8583::Mask::Pan.shown(&pan, torap_iso8583::Unmask::No)),
            tags: tags.collect(),
            link,
        };
        self.next_seen += 1;
        if self.seen.len() == SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(seen);
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A message holds cardholder data.
        match self {
            Output::Message { link, bytes } => {
                write!(f, "Message({} bytes on link {link})", bytes.len())
            }
            Output::Reconnect => f.write_str("Reconnect"),
            Output::Down => f.write_str("Down"),
            Output::Up => f.write_str("Up"),
        }
    }
}

pub(super) fn next_stan(stan: &mut u32) -> u32 {
    *stan = if *stan >= 999_999 { 1 } else { *stan + 1 };
    *stan
}
