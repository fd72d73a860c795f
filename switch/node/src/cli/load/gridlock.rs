//! A gridlock of IMTS beside a load of instant payments: it is there before the first of them, the solver looks at it again and again while they
//! flow, and dissolves it in one command before they end.
//!
//! All banks pay in rings: in each round every bank pays one some places further the same amount, and nobody has any money. Before all
//! others of the first bank stands a payment that nobody can ever cover. The rule `fifo` finds nothing to settle, whatever it tries;
//! `bypass` leaves that one payment out, and perhaps a few that it did not get to, and settles all others at once.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::Value;
use torap_settlement::lsm::SEARCH_STEPS_MAX;

use super::{Arguments, RailName, operators};
use crate::{
    cli::Failure,
    control::{Client, Request, RtgsChange, RtgsMove, RtgsPriority, RtgsRule},
};

/// Payments that wait, at most: one resolution settles as many.
const PAYMENTS_MAX: u32 = 65_536;
/// Fewer banks make pairs, which the engine offsets by itself.
const BANKS_MIN: usize = 3;
/// Connections that queue the payments.
const CONNECTIONS: usize = 16;
/// Between two looks at the queue.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The part of the load's time after which the gridlock is dissolved.
const DISSOLVED_AFTER: f64 = 0.8;

/// What became of the gridlock.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Line {
    queued: usize,
    banks: usize,
    /// Times that the solver looked at the whole queue by the rule `fifo`, which settles nothing, and the longest of them.
    looks: usize,
    look_ms_max: f64,
    /// Payments that settled in the one resolution by the rule `bypass`, and the time from the order until all was durable.
    resolved: u64,
    resolved_ms: f64,
    /// Payments that it left out, and that settled by the rule `fifo` once the one that cannot be covered was withdrawn.
    then_resolved: u64,
}

impl Line {
    /// Whether all that waited has settled.
    pub(super) fn is_dissolved(&self) -> bool {
        usize::try_from(self.resolved + self.then_resolved) == Ok(self.queued)
    }
}

/// The gridlock while the load runs.
#[derive(Debug)]
pub(super) struct Gridlock {
    line: Arc<Mutex<Line>>,
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

/// What can be wrong with the flag is refused before anything starts.
pub(super) fn check(arguments: &Arguments) -> Result<(), Failure> {
    let Some(payments) = arguments.gridlock else {
        return Ok(());
    };
    let refuse = |text: String| Err(Failure::Usage(format!("--gridlock: {text}")));
    if arguments.rail != RailName::Instant || arguments.overload.is_some() {
        return refuse("only with --rail instant and without --overload".into());
    }
    if arguments.banks < BANKS_MIN {
        return refuse(format!("at least --banks {BANKS_MIN}"));
    }
    let least = u32::try_from(arguments.banks).unwrap_or(u32::MAX);
    if !(least..=PAYMENTS_MAX).contains(&payments) {
        return refuse(format!(
            "{payments} is not between {least}, one of each bank, and {PAYMENTS_MAX}"
        ));
    }
    Ok(())
}

impl Gridlock {
    /// Queues the payments, and begins to look at them; `banks` are the codes of participants, whose settlement accounts are empty.
    pub(super) fn start(
        socket: &Path,
        banks: &[String],
        payments: u32,
        load: Duration,
    ) -> Result<Gridlock, Failure> {
        let mut control = Client::connect(socket)?;
        operators::open_day(&mut control)?;
        let blocking = pay(&mut control, banks, 0, 1, "50000000000000.00", "blocks")?;
        let blocking = blocking["position"]
            .as_u64()
            .ok_or_else(|| "a queued payment has no position".to_string())?;
        // A ring that is not closed would never settle.
        let payments = payments - payments % u32::try_from(banks.len()).unwrap_or(1);
        queue(socket, banks, payments)?;
        let line = Arc::new(Mutex::new(Line {
            queued: payments as usize,
            banks: banks.len(),
            ..Line::default()
        }));
        let (stop, stopped) = mpsc::channel();
        let watch = Watch {
            control,
            blocking,
            line: Arc::clone(&line),
            stopped,
            dissolved_at: Instant::now() + load.mul_f64(DISSOLVED_AFTER),
        };
        let thread = thread::Builder::new()
            .name("gridlock".into())
            .spawn(move || watch.run())
            .map_err(|error| Failure::Failed(format!("cannot start a thread: {error}")))?;
        Ok(Gridlock {
            line,
            stop,
            thread: Some(thread),
        })
    }

    /// What became of it; ends it if it has not been dissolved.
    pub(super) fn finish(mut self) -> Result<Line, Failure> {
        self.end()?;
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(line.clone())
    }

    fn end(&mut self) -> Result<(), Failure> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        // Nobody listens if it has ended.
        let _ = self.stop.send(());
        match thread.join() {
            Ok(ended) => ended.map_err(|text| format!("gridlock: {text}").into()),
            Err(_) => Err(Failure::Failed("the gridlock's thread panicked".into())),
        }
    }
}

impl Drop for Gridlock {
    fn drop(&mut self) {
        // The load has failed already, and says why.
        let _ = self.end();
    }
}

/// Looks at the queue until it is dissolved.
struct Watch {
    control: Client,
    /// The payment that nobody can cover.
    blocking: u64,
    line: Arc<Mutex<Line>>,
    stopped: mpsc::Receiver<()>,
    dissolved_at: Instant,
}

impl Watch {
    fn run(mut self) -> Result<(), String> {
        while Instant::now() < self.dissolved_at {
            let (_, took) = self.resolve(RtgsRule::Fifo)?;
            self.note(|line| {
                line.looks += 1;
                line.look_ms_max = line.look_ms_max.max(took);
            });
            if self.stopped.recv_timeout(LOOK_EVERY).is_ok() {
                break;
            }
        }
        let (settled, took) = self.resolve(RtgsRule::Bypass)?;
        self.note(|line| {
            line.resolved = settled;
            line.resolved_ms = took;
        });
        let withdrawn = RtgsChange::Queued {
            id: self.blocking,
            to: RtgsMove::Withdrawn,
        };
        operators::change(&mut self.control, withdrawn)?;
        let (settled, _) = self.resolve(RtgsRule::Fifo)?;
        self.note(|line| line.then_resolved = settled);
        Ok(())
    }

    /// Payments that settled, and the milliseconds until the answer.
    fn resolve(&mut self, rule: RtgsRule) -> Result<(u64, f64), String> {
        let began = Instant::now();
        let solved = self.control.must(&Request::RtgsResolve {
            by: operators::by(),
            rule,
            steps_max: SEARCH_STEPS_MAX,
        })?;
        let took = began.elapsed().as_micros() as f64 / 1000.0;
        Ok((solved["settled"].as_u64().unwrap_or(0), took))
    }

    fn note(&self, change: impl FnOnce(&mut Line)) {
        change(&mut self.line.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Queues the rings, each bank's payments on one connection, so that their order is the rounds'.
fn queue(socket: &Path, banks: &[String], payments: u32) -> Result<(), Failure> {
    let share = |connection: usize| -> Result<(), String> {
        let mut control = Client::connect(socket)?;
        for place in (connection..banks.len()).step_by(CONNECTIONS) {
            let rounds = (place..payments as usize).step_by(banks.len()).enumerate();
            for (round, _) in rounds {
                let further = 1 + round % (banks.len() - 1);
                let amount = format!("{}.00", 1000 + round);
                let id = format!("ring-{round}-{place}");
                pay(&mut control, banks, place, further, &amount, &id)?;
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let share = &share;
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|connection| scope.spawn(move || share(connection)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(ended) => ended,
                Err(_) => Err("a connection's thread panicked".to_string()),
            })
    })?;
    Ok(())
}

/// An order of the bank at `place` to the one so many places further.
fn pay(
    control: &mut Client,
    banks: &[String],
    place: usize,
    further: usize,
    amount: &str,
    id: &str,
) -> Result<Value, String> {
    let payment = RtgsChange::Pay {
        from: banks[place].clone(),
        to: banks[(place + further) % banks.len()].clone(),
        amount: amount.into(),
        priority: RtgsPriority::Normal,
        id: id.into(),
        earliest: None,
        latest: None,
    };
    operators::change(control, payment)
}
