//! A drill: what a default would cost, on a copy of the day.
//!
//! The engine itself decides, on a state that was rebuilt from the log and is thrown away: the participant's money leaves its
//! settlement account (its credit line and its contribution to the guarantee fund stay), the card session is cut over, IMTS is open,
//! and the debtors' time passes. Nothing is written.

use serde_json::{Value, json};
use torap_domain::{Money, ParticipantId, Span, Text};
use torap_engine::{
    Command, Engine, Outcome, Output, Source, Stamp,
    ancillary::{self, Method, Settings},
    cards,
    participants::Direction,
    settlement,
};

use crate::serve::report_row;

/// Deadlines that are lived through, at most: whatever waits from before has its own time.
const STEPS_MAX: usize = 10_000;
/// For requests under way to be decided after the cut-over.
const DECIDED_WITHIN: Span = Span::from_secs(120);
/// How long the business day of IMTS is held open, unless the calendar begins the next one before.
const OPEN_FOR: Span = Span::from_secs(7 * 24 * 3600);

/// The copy, and where it stands.
struct Scratch {
    engine: Engine,
    stamp: Stamp,
    out: Output,
}

impl Scratch {
    fn apply(&mut self, after: Span, command: &Command) -> Outcome {
        self.stamp = Stamp {
            position: self.stamp.position.next(),
            time: self.stamp.time.saturating_add(after),
        };
        self.engine.apply(self.stamp, command, &mut self.out);
        self.out.outcome
    }

    fn must(&mut self, what: &str, command: Command) -> Result<(), String> {
        match self.apply(Span::from_millis(1), &command) {
            Outcome::Accepted | Outcome::AlreadyApplied => Ok(()),
            Outcome::Refused(reason) => Err(format!("{what}: {}", reason.text())),
        }
    }

    /// Time passes until nothing of card sessions waits.
    fn live(&mut self) -> Result<(), String> {
        self.apply(DECIDED_WITHIN, &Command::Tick);
        for _ in 0..STEPS_MAX {
            if self.engine.card_settlements().next().is_none() {
                return Ok(());
            }
            let due = self.engine.next_deadline().unwrap_or(self.stamp.time);
            let after = due.saturating_since(self.stamp.time);
            self.apply(after.max(Span::from_millis(1)), &Command::Tick);
        }
        Err("card sessions do not settle".into())
    }
}

/// Runs a default of `debtor` in the card session that is open in `engine`, and tells who loses what.
///
/// # Errors
/// There is no card session to end, or the debtor is unknown.
pub fn run(engine: Engine, debtor: ParticipantId) -> Result<Value, String> {
    let source = Source::Operator {
        name: Text::truncated("drill"),
        reference: Text::truncated("drill"),
    };
    let session = engine.card_session_views().last();
    let session = session.ok_or("there is no card session")?.session;
    let settings = engine.ancillary_settings().clone();
    let stamp = engine.last();
    let mut scratch = Scratch {
        engine,
        stamp,
        out: Output::new(),
    };
    if settings.card_nets.is_none() {
        let settings = Settings {
            card_nets: Some(Method::Simultaneous),
            ..settings
        };
        let command = ancillary::Command::SetSettings { source, settings };
        scratch.must("settings", Command::Ancillary(command))?;
    }
    let mut accounts = scratch.engine.settlement_accounts();
    let account = accounts.find(|account| account.participant == debtor);
    drop(accounts);
    let account = account.ok_or("the debtor has no settlement account of its own")?;
    let gone = u64::try_from(account.balance.max(0)).unwrap_or(u64::MAX);
    if gone > 0 {
        let command = settlement::Command::Fund {
            source,
            participant: debtor,
            direction: Direction::Out,
            amount: Money::kzt(gone),
        };
        scratch.must("the debtor's money", Command::Settlement(command))?;
    }
    let now = scratch.stamp.time;
    let until = now.saturating_add(OPEN_FOR);
    let ends_by = scratch.engine.imts_ends_by(now);
    let until = ends_by.map_or(until, |end| until.min(end));
    let open = settlement::Command::Open {
        source,
        cut_off: None,
        until,
    };
    scratch.must("IMTS", Command::Settlement(open))?;
    let before = fund(&scratch.engine);
    let cut_over = cards::Command::CutOver { source };
    scratch.must("the card session", Command::Cards(cut_over))?;
    scratch.live()?;
    Ok(told(&scratch.engine, debtor, session, gone, &before))
}

fn fund(engine: &Engine) -> Vec<(ParticipantId, u64)> {
    let rows = engine.guarantee_fund();
    rows.map(|row| (row.participant, row.contribution))
        .collect()
}

fn told(
    engine: &Engine,
    debtor: ParticipantId,
    session: torap_domain::Date,
    gone: u64,
    before: &[(ParticipantId, u64)],
) -> Value {
    let code = |id: ParticipantId| match engine.participant_view(id) {
        Some(view) => view.code.as_str().to_owned(),
        None => "operator".to_owned(),
    };
    let reports = engine.card_settlement_reports();
    let report = reports.filter(|report| report.session == session).last();
    let rows: Vec<Value> = report
        .into_iter()
        .flat_map(|report| report.rows.iter().map(|row| report_row(report, row, &code)))
        .collect();
    let of = report.map_or(&[][..], |report| &report.rows);
    let sum = |amount: fn(&ancillary::Row) -> u64| tenge(of.iter().map(amount).sum());
    let after = fund(engine);
    let fund: Vec<Value> = before
        .iter()
        .map(|(id, amount)| {
            let now = after.iter().find(|(other, _)| other == id);
            json!({
                "participant": code(*id),
                "before": tenge(*amount),
                "after": tenge(now.map_or(0, |(_, amount)| *amount)),
            })
        })
        .collect();
    json!({
        "session": session.to_string(),
        "debtor": code(debtor),
        "taken_from_its_account_first": tenge(gone),
        "debts": sum(|row| row.owes),
        "paid_from_accounts": sum(|row| row.paid),
        "paid_from_own_contributions": sum(|row| row.own_contribution),
        "short": sum(|row| row.short),
        "borne_by_the_fund": sum(|row| row.fund),
        "borne_by_creditors": sum(|row| row.lost),
        "conserved": engine.conservation().is_ok(),
        "participants": rows,
        "fund": fund,
    })
}

fn tenge(tiyn: u64) -> String {
    format!("{}.{:02}", tiyn / 100, tiyn % 100)
}
