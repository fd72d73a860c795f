//! Cases of the card rail: the bench as the switch that a card host connects to.

mod acquiring;
mod issuing;
mod keys;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use torap_bank::card::{Draft, Security, SessionBook, TestCard, Trace};
use torap_domain::Time;

use crate::bench::{self, Choice, Rail};
use crate::catalogue::card::{KeySet, Step};
use crate::catalogue::{Case, Catalogue, Need, Role};
use crate::peer::Peer;
use crate::report::{Line, Outcome};
use crate::subject::Subject;

/// DE33 of what the bench sends: the switch's.
const SWITCH: &str = "900";
/// DE32 of what it sends to an issuer: an acquirer of nobody's.
const ACQUIRER: &str = "999";
/// How long a host may take to connect and to sign on.
const SIGN_ON_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to answer what it is asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(12);
/// After a failed case nothing more may come for so long before the next begins.
const SETTLE_WITHIN: Duration = Duration::from_millis(300);
/// Messages that are waited for after a failed case, at most.
const SETTLE_MESSAGES_MAX: usize = 100;

/// The bench.
pub struct CardBench<'b> {
    peer: &'b mut dyn Peer,
    subject: Subject,
    security: Security,
    card: TestCard,
    /// Connections that there are, and whether the host has signed on.
    links: Vec<(usize, bool)>,
    /// Sign-ons that came.
    sign_ons: u32,
    stan: u32,
    references: u32,
    session: String,
    session_date: String,
    totals: SessionBook,
    /// Of the case under way.
    kept: BTreeMap<String, Kept>,
    /// Messages of the host's of the whole run: a repeat may come later than its case.
    seen: BTreeMap<(u16, Trace), Seen>,
    balances: BTreeMap<String, i128>,
    last_request: Option<String>,
    last_letter: Option<Draft>,
    patience: Duration,
    lines: Vec<Line>,
}

/// A message that a case knows by a name.
#[derive(Clone)]
struct Kept {
    draft: Draft,
    trace: Trace,
    link: usize,
    /// DE38 of its approval.
    approval: String,
}

/// What became of a message of the host's.
#[derive(Clone, Default)]
struct Seen {
    answer: Option<Draft>,
    reversed: bool,
    /// What stands of it, in tiyn.
    stands: u64,
}

impl<'b> CardBench<'b> {
    /// A bench for one participant. `seed` chooses session and references of the run.
    ///
    /// # Errors
    /// The participant's data is wrong.
    pub fn new(
        subject: Subject,
        security: Security,
        peer: &'b mut dyn Peer,
        seed: u32,
    ) -> Result<CardBench<'b>, String> {
        let card = subject.test_card()?;
        // A session of the run's own: what the host did before does not count.
        let (month, day) = (1 + seed % 12, 1 + seed / 12 % 28);
        let session = format!("{month:02}{day:02}");
        let year = torap_domain::Date::from_time(peer.now()).ymd().0;
        Ok(CardBench {
            session_date: format!("{year:04}{session}01"),
            session,
            peer,
            subject,
            security,
            card,
            links: Vec::new(),
            sign_ons: 0,
            stan: 0,
            references: seed % 1_000_000,
            totals: SessionBook::default(),
            kept: BTreeMap::new(),
            seen: BTreeMap::new(),
            balances: BTreeMap::new(),
            last_request: None,
            last_letter: None,
            patience: Duration::ZERO,
            lines: Vec::new(),
        })
    }

    /// Goes through the catalogue; `progress` is called after each case.
    pub fn run(
        &mut self,
        catalogue: &Catalogue<Step>,
        choice: &Choice,
        progress: &mut dyn FnMut(&Outcome),
    ) -> Vec<Outcome> {
        bench::run(self, catalogue, choice, progress)
    }

    fn kept(&self, name: &str) -> Result<Kept, String> {
        let kept = self.kept.get(name).cloned();
        kept.ok_or_else(|| format!("catalogue: nothing is called `{name}`"))
    }

    fn next_stan(&mut self) -> u32 {
        self.stan += 1;
        self.stan
    }

    fn now(&self) -> Time {
        self.peer.now()
    }
}

impl Rail for CardBench<'_> {
    type Step = Step;

    fn now(&self) -> Time {
        self.peer.now()
    }

    fn begin_case(&mut self, patience: Duration) {
        self.patience = patience;
        self.kept.clear();
        self.balances.clear();
        self.lines.clear();
        self.speak_under(KeySet::Now);
        // A set that a failed case left half handed over is of no use to the next.
        self.security.forget_next();
    }

    fn unsuited(&self, case: &Case<Step>) -> Option<&'static str> {
        let has_role = match case.role {
            Role::Both => true,
            Role::Acquirer => self.subject.acquirer,
            Role::Issuer => self.subject.issuer,
            Role::Payer | Role::Payee => false,
        };
        let missing = case.needs.iter().find_map(|need| match need {
            Need::Keys if !self.security.has_keys() => Some("no zone keys are agreed"),
            Need::Mac if !self.security.has_mac() => Some("no MACs are agreed"),
            Need::Keys | Need::Mac => None,
            Need::Balance => Some("the card rail asks for no balance"),
        });
        (!has_role)
            .then_some("the participant does not have this role")
            .or(missing)
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Cut => {
                self.peer.cut();
                self.links.clear();
                Ok(())
            }
            Step::SignOn => self.wait_for_sign_on(),
            Step::Network { purpose } => self.network(purpose),
            Step::KeepAlive => {
                let link = self.link()?;
                self.peer.keep_alive(link);
                Ok(())
            }
            Step::Garbage { hex } => self.garbage(hex),
            Step::Quiet { within_ms } => self.quiet(Duration::from_millis(*within_ms)),
            Step::Request(request) => self.request(request),
            Step::Answer { code } => self.answer(code),
            Step::NotApproved { within_ms } => self.not_approved(Duration::from_millis(*within_ms)),
            Step::Burst { count, order } => self.burst(*count, order),
            Step::Balance { keep, than, change } => {
                self.balance(keep.as_deref(), than.as_deref(), change.as_deref())
            }
            Step::Advice { order } => self.advice(order),
            Step::Completion { of, amount } => self.completion(of, amount),
            Step::Reversal { of, why, stands } => self.reversal(of, why, stands.as_deref()),
            Step::Again => self.again(),
            Step::Acknowledged { code } => self.acknowledged(code),
            Step::ClosingTotals { side, agrees } => self.closing_totals(*side, *agrees),
            Step::Ask { say, what, of } => self.ask(say, what, of.as_deref()),
            Step::Await(wanted) => self.await_message(wanted),
            Step::AwaitReversal(wanted) => self.await_reversal(wanted),
            Step::AwaitTotals { side } => self.await_totals(*side),
            Step::Reply { to, code, set } => self.reply(to, code, set),
            Step::HandOver(wanted) => self.hand_over(wanted),
            Step::PutIntoUse(wanted) => self.put_into_use(*wanted),
            Step::SpeakUnder { keys } => {
                self.speak_under(*keys);
                Ok(())
            }
            Step::AwaitKeyRequest { within_ms } => {
                self.await_key_request(Duration::from_millis(*within_ms))
            }
        }
    }

    /// What still comes belongs to the case that failed.
    fn settle_down(&mut self) {
        for _ in 0..SETTLE_MESSAGES_MAX {
            if let Ok(None) = self.next_message(SETTLE_WITHIN) {
                return;
            }
        }
    }

    fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }
}

impl std::fmt::Debug for CardBench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CardBench({})", self.subject.participant)
    }
}

/// Tiyn of an amount in tenge, perhaps with a sign.
pub(crate) fn tiyn(text: &str) -> Result<i128, String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    torap_domain::Money::parse(digits, torap_domain::Asset::Kzt)
        .map(|money| sign * i128::from(money.minor()))
        .map_err(|error| format!("catalogue: `{text}`: {error}"))
}

/// As [`tiyn`], of an amount without a sign.
pub(crate) fn amount_of(text: &str) -> Result<u64, String> {
    u64::try_from(tiyn(text)?).map_err(|_| format!("catalogue: `{text}` has a sign"))
}

#[cfg(test)]
mod tests;
