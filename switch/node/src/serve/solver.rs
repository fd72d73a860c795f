//! The solver of IMTS: looks for queued payments that settle all at once, away from the core, on demand or by the clock.

use std::{sync::Arc, time::Duration};

use torap_domain::Position;
use torap_engine::{
    Command, Source,
    settlement::{self, RESOLUTION_MAX, SolverOrder},
};
use torap_settlement::lsm;

use super::switch::Switch;
use crate::control::RtgsRule;

/// What a solver found in the queue as it stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Rising; none if nothing settles.
    pub payments: Vec<Position>,
    pub value: u128,
    /// Payments looked at.
    pub steps: u64,
}

/// Solves the queue as the read side sees it, on a thread of its own.
///
/// # Errors
/// The read side has ended, or more settles at once than one command holds.
pub async fn solve(switch: &Switch, rule: RtgsRule, steps_max: u64) -> Result<Found, String> {
    let order = match rule {
        RtgsRule::Fifo => SolverOrder::Kept,
        RtgsRule::Bypass => SolverOrder::Bypassed,
    };
    let gridlock = switch.ask(move |engine| engine.gridlock(order)).await?;
    let Some(gridlock) = gridlock else {
        return Ok(Found::default());
    };
    let solved = tokio::task::spawn_blocking(move || {
        let solution = match rule {
            RtgsRule::Fifo => lsm::fifo(&gridlock.problem),
            RtgsRule::Bypass => lsm::bypass(&gridlock.problem, steps_max).solution,
        };
        (solution, gridlock.ids)
    });
    let (solution, ids) = solved.await.map_err(|error| error.to_string())?;
    let settled = solution.settled.iter();
    let mut payments: Vec<Position> = settled
        .filter_map(|place| ids.get(*place as usize).copied())
        .collect();
    if payments.len() > RESOLUTION_MAX {
        return Err(format!(
            "one resolution settles at most {RESOLUTION_MAX} payments"
        ));
    }
    payments.sort_unstable();
    Ok(Found {
        payments,
        value: solution.value,
        steps: solution.steps,
    })
}

/// Resolves every `every` while payments wait, keeping every bank's order, until it is aborted. What is found and no longer holds when
/// it comes to the core is refused there, and found again.
pub(super) async fn run(switch: Arc<Switch>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let found = match solve(&switch, RtgsRule::Fifo, 0).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the queue of IMTS is not solved");
                continue;
            }
        };
        if found.payments.is_empty() {
            continue;
        }
        let count = found.payments.len();
        let resolve = settlement::Command::Resolve {
            source: Source::Switch,
            payments: found.payments,
        };
        match switch.intake.decide(Command::Settlement(resolve)).await {
            Ok(decided) => {
                tracing::info!(count, outcome = ?decided.outcome, "payments resolved by the clock");
            }
            // The switch is stopping.
            Err(_) => return,
        }
    }
}
