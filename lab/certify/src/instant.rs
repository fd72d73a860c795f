//! Cases of the instant rail: the bench as the switch that a bank's host connects to.
//!
//! Sign-on, sequences and acknowledgements are those of the switch itself ([`ServerSession`](torap_gateway::session::ServerSession));
//! messages are written and read with the tables that the switch uses.

mod facts;
mod link;
mod mask;
mod outgoing;
mod paying;
mod receiving;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use torap_domain::{BankCode, Bic, Time};
use torap_gateway::wire::Mode;
use torap_iso20022::view::{BusinessHeader, Reader};

use self::facts::Facts;
use self::link::{Link, Received};
use self::outgoing::Stream;
use crate::bench::{self, Choice, Rail};
use crate::catalogue::instant::Step;
use crate::catalogue::{Case, Catalogue, Need, Role};
use crate::peer::stream::Streams;
use crate::report::{Line, Outcome};
use crate::subject::instant::{Account, ModeName, Subject};

/// The bank on the other side of every payment.
const BENCH_BIC: &str = "BNCHKZKA";
/// Code of its accounts.
const BENCH_BANK: &str = "999";
/// Numbers of its customers: who is paid, and who pays.
const BENCH_PAYEE: u32 = 1;
const BENCH_PAYER: u32 = 2;
/// How long a host may take to connect and to sign on.
const SIGN_ON_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to leave a link that has become useless.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// A payee's bank has this long to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(7);
/// How long an amount that was asked for may take, unless there is more patience.
const AMOUNT_WITHIN: Duration = Duration::from_secs(10);
/// After a failed case nothing more may come for so long before the next begins.
const SETTLE_WITHIN: Duration = Duration::from_millis(300);
/// Messages that are waited for after a failed case, at most.
const SETTLE_MESSAGES_MAX: usize = 100;

/// The bench.
pub struct InstantBench<'b> {
    streams: &'b mut dyn Streams,
    subject: Subject,
    bic: Bic,
    mode: Mode,
    secret: [u8; 32],
    reader: Reader,
    payee: Account,
    payer: Account,
    links: Vec<Link>,
    /// The link on which the host signed on last.
    current: Option<usize>,
    /// What the switch says to the host.
    stream: Stream,
    /// Last of the host's sequences that the bench has acknowledged.
    held: u64,
    /// Sign-ons that came.
    sign_ons: u32,
    /// The next sign-on is answered with a wrong proof.
    lies: bool,
    /// The next message is taken for lost.
    loses: bool,
    /// The frame broken in this case is no reason to fail.
    pardons: bool,
    /// Numbers of the errors that the host sent.
    errors: Vec<u16>,
    /// What is wrong, though no step waits for it.
    complaint: Option<String>,
    inbox: VecDeque<Received>,
    counter: u64,
    seed: u64,
    /// Of the case under way.
    kept: BTreeMap<String, Kept>,
    lost: BTreeMap<String, Received>,
    balances: BTreeMap<String, i128>,
    patience: Duration,
    lines: Vec<Line>,
}

/// A message that a case knows by a name.
#[derive(Clone, Debug)]
struct Kept {
    facts: Facts,
    /// As the bench sent it, marked as a repeat.
    marked: Vec<u8>,
}

/// Where a host and the bench stand: what an earlier run left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Last of the host's sequences that the bench has acknowledged.
    pub held: u64,
}

impl<'b> InstantBench<'b> {
    /// A bench for one participant. `seed` makes identifiers of the run.
    ///
    /// # Errors
    /// The participant's data is wrong.
    pub fn new(
        subject: Subject,
        secret: [u8; 32],
        streams: &'b mut dyn Streams,
        standing: Standing,
        seed: u64,
    ) -> Result<InstantBench<'b>, String> {
        let bank = BankCode::parse(BENCH_BANK).map_err(|error| format!("bench: {error}"))?;
        let bic = Bic::parse(&subject.bic).map_err(|error| format!("bic: {error}"))?;
        let mode = match subject.mode {
            ModeName::Test => Mode::Test,
            ModeName::Live => Mode::Live,
        };
        Ok(InstantBench {
            streams,
            bic,
            mode,
            subject,
            secret,
            reader: Reader::new(*torap_gateway::formats()),
            payee: Account::simulated(bank, BENCH_PAYEE),
            payer: Account::simulated(bank, BENCH_PAYER),
            links: Vec::new(),
            current: None,
            stream: Stream::default(),
            held: standing.held,
            sign_ons: 0,
            lies: false,
            loses: false,
            pardons: false,
            errors: Vec::new(),
            complaint: None,
            inbox: VecDeque::new(),
            counter: 0,
            seed,
            kept: BTreeMap::new(),
            lost: BTreeMap::new(),
            balances: BTreeMap::new(),
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

    /// Where the next run has to go on.
    pub fn standing(&self) -> Standing {
        Standing { held: self.held }
    }

    fn kept(&self, name: &str) -> Result<Kept, String> {
        let kept = self.kept.get(name).cloned();
        kept.ok_or_else(|| format!("catalogue: nothing is called `{name}`"))
    }

    fn keep(&mut self, name: &str, facts: Facts, marked: Vec<u8>) {
        self.kept.insert(name.into(), Kept { facts, marked });
    }

    /// A fresh identifier, unique over runs.
    fn identifier(&mut self, kind: char) -> String {
        self.counter += 1;
        format!(
            "BNCH-{kind}{:x}-{:x}",
            self.seed & 0xffff_ffff,
            self.counter
        )
    }

    fn header<'a>(
        &'a self,
        message_id: &'a str,
        now: u64,
        possible_duplicate: bool,
    ) -> BusinessHeader<'a> {
        BusinessHeader {
            from: &self.subject.switch_bic,
            to: &self.subject.bic,
            message_id,
            service: None,
            created_ns: now,
            possible_duplicate,
        }
    }

    fn go(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Cut => {
                self.cut();
                Ok(())
            }
            Step::SignOn => self.wait_for_sign_on(),
            Step::FalseProof => self.false_proof(),
            Step::Idle { heartbeats } => self.idle(*heartbeats),
            Step::SignOff => self.sign_off(),
            Step::Frame { what } => self.bad_frame(*what),
            Step::Skip => self.skip(),
            Step::UnknownContent => self.unknown_content(),
            Step::Text { text } => self.text(text),
            Step::Acknowledged { within_ms } => {
                self.acknowledged(Duration::from_millis(*within_ms))
            }
            Step::Left => self.left(),
            Step::Quiet { within_ms } => self.quiet(Duration::from_millis(*within_ms)),
            Step::Pay(pay) => self.pay(pay),
            Step::PayAgain { of } => self.send_again(of),
            Step::Burst { count, amount } => self.burst(*count, amount),
            Step::Decide(decide) => self.decide(decide),
            Step::Confirm { person } => self.confirm(*person),
            Step::Found { of, found } => self.found(of, *found),
            Step::Return { of, again } => self.give_back(of, *again),
            Step::Recall { of, reason, name } => self.recall(of, reason, name),
            Step::Resolve { of, reason } => self.resolve(of, reason),
            Step::Reject { of, code } => self.reject(of, code),
            Step::Notice { code, parameters } => self.notice(code, parameters),
            Step::CommandAnswer { of, reason } => self.command_answer(of, reason.as_deref()),
            Step::Prepare { behave } => self.prepare(behave),
            Step::Ask(ask) => self.ask(ask),
            Step::Await(wanted) => self.await_message(wanted),
            Step::Lose { name } => self.lose(name),
            Step::Resent { of, within_ms } => self.resent(of, Duration::from_millis(*within_ms)),
            Step::Balance { keep, than, change } => {
                self.balance(keep.as_deref(), than.as_deref(), change.as_deref())
            }
        }
    }
}

impl Rail for InstantBench<'_> {
    type Step = Step;

    fn now(&self) -> Time {
        self.streams.now()
    }

    fn begin_case(&mut self, patience: Duration) {
        self.patience = patience;
        self.kept.clear();
        self.lost.clear();
        self.balances.clear();
        self.errors.clear();
        self.lines.clear();
        (self.lies, self.loses, self.pardons) = (false, false, false);
        self.complaint = None;
    }

    fn unsuited(&self, case: &Case<Step>) -> Option<&'static str> {
        let has_role = match case.role {
            Role::Both => true,
            Role::Payer => self.subject.payer,
            Role::Payee => self.subject.payee,
            Role::Acquirer | Role::Issuer => false,
        };
        let missing = case.needs.iter().find_map(|need| match need {
            Need::Balance if !self.subject.balance => Some("its balance cannot be seen"),
            Need::Balance => None,
            Need::Keys | Need::Mac => Some("the instant rail has no such thing"),
        });
        (!has_role)
            .then_some("the participant does not have this role")
            .or(missing)
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        self.go(step)
    }

    /// What still comes belongs to the case that failed, and what is still owed to the host is forgotten with the link.
    fn settle_down(&mut self) {
        self.pardons = true;
        (self.lies, self.loses) = (false, false);
        for _ in 0..SETTLE_MESSAGES_MAX {
            self.complaint = None;
            if let Ok(None) = self.next_message(SETTLE_WITHIN) {
                break;
            }
        }
        self.inbox.clear();
        self.complaint = None;
    }

    fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }
}

impl std::fmt::Debug for InstantBench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InstantBench({})", self.subject.participant)
    }
}

#[cfg(test)]
mod tests;
