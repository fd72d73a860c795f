//! The desk of files: hands lines that wait in as payments, few at a time, so that the payments of customers pass between them.
//!
//! What waits stands in the engine, and the lines in the evidence of the piece's record; the desk remembers nothing that matters. So after
//! a crash it goes on with what waits, and nobody has to send anything again. A line that the engine has taken waits no more.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::task::JoinSet;
use torap_domain::{ParticipantId, Phone, Position, Reason, Uetr};
use torap_engine::{
    Command, Source,
    directory::Record,
    instant::{self, CreditTransfer, History, PaymentKey},
    mass::{self, Due, Miss},
};
use torap_gateway::{
    render::Records,
    translate::{Lookups, Translator},
};

use super::{lookups::IndexLookups, switch::Switch};

/// Lines that go in at once, and how long until the next: 500 a second at most.
const LINES_AT_ONCE: usize = 10;
const LINES_EVERY: Duration = Duration::from_millis(20);
/// How long between two looks while nothing waits.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Pieces that are held taken apart, up to 5 MiB each and mostly below 2: one of every bank that has a file going in.
const PIECES_AT_HAND_MAX: usize = 48;

/// Hands in what waits, until it is aborted.
pub(super) async fn run(switch: Arc<Switch>) {
    let mut desk = Desk {
        translator: Translator::new(),
        at_hand: HashMap::new(),
    };
    let mut after = ParticipantId::SWITCH;
    loop {
        let now = switch.wall_clock();
        let due = switch.ask(move |engine| engine.mass_due(now, LINES_AT_ONCE, after));
        // The read side has ended, and so does the switch.
        let Ok(due) = due.await else {
            return;
        };
        if due.is_empty() {
            desk.at_hand.clear();
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        // Customers come first: a line waits without its clock.
        if !switch.intake.is_overloaded() {
            after = due.last().map_or(after, |line| line.participant);
            if desk.hand_in(&switch, &due).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(LINES_EVERY).await;
    }
}

/// The switch is stopping.
struct Stopping;

struct Desk {
    translator: Translator,
    /// The lines of pieces by their record.
    at_hand: HashMap<Position, Arc<Vec<Bytes>>>,
}

impl Desk {
    /// Hands lines in beside each other, and waits until all are decided.
    async fn hand_in(&mut self, switch: &Arc<Switch>, due: &[Due]) -> Result<(), Stopping> {
        if self.at_hand.len() >= PIECES_AT_HAND_MAX {
            self.at_hand
                .retain(|position, _| due.iter().any(|line| line.position == *position));
        }
        let mut decisions = JoinSet::new();
        for line in due {
            let (command, evidence) = match self.payment(switch, line).await {
                Ok((transfer, evidence)) => {
                    let command = instant::Command::CreditTransfer(transfer);
                    (Command::Instant(command), evidence)
                }
                Err(reason) => (missed(line, reason), Bytes::new()),
            };
            let switch = Arc::clone(switch);
            decisions
                .spawn(async move { switch.intake.decide_with(command, evidence).await.is_ok() });
        }
        while let Some(decided) = decisions.join_next().await {
            if !decided.unwrap_or(false) {
                return Err(Stopping);
            }
        }
        Ok(())
    }

    /// The payment that a line becomes now, and its message; or why it can be none.
    async fn payment(
        &mut self,
        switch: &Arc<Switch>,
        due: &Due,
    ) -> Result<(CreditTransfer, Bytes), Reason> {
        let lines = self.lines(switch, due.position).await?;
        let line = lines.get(usize::from(due.place));
        let line = line.ok_or(Reason::MalformedMessage)?;
        let network = switch.network();
        let lookups = Unhurried(switch.lookups());
        let at = (due.participant, switch.wall_clock());
        let translated = self.translator.line(line, at, &network, &lookups);
        let (transfer, evidence) = translated.map_err(|refusal| refusal.reason)?;
        if transfer.key != due.line.key || transfer.references.uetr != due.line.uetr {
            // The agent of the line leads to another participant by now.
            return Err(Reason::UnboundSender);
        }
        let payee = network.by_bic(&transfer.creditor_agent);
        if payee.is_some_and(|payee| switch.congestion.is_congested(payee.id)) {
            return Err(Reason::Overloaded);
        }
        Ok((transfer, evidence))
    }

    /// The lines of a piece, read from the log and taken apart away from the threads that serve banks.
    async fn lines(
        &mut self,
        switch: &Arc<Switch>,
        position: Position,
    ) -> Result<Arc<Vec<Bytes>>, Reason> {
        if let Some(lines) = self.at_hand.get(&position) {
            return Ok(Arc::clone(lines));
        }
        let records = switch.records().clone();
        let read = tokio::task::spawn_blocking(move || {
            let evidence = records.evidence(position);
            let evidence = evidence.map_err(|error| error.to_string())?;
            let lines = Translator::new().lines(&evidence);
            lines.map_err(|refused| refused.to_string())
        });
        let read = read.await.map_err(|error| error.to_string());
        let lines = read.and_then(|read| read).map_err(|error| {
            tracing::error!(position = position.value(), %error, "a piece of a file cannot be read");
            Reason::InternalLimit
        })?;
        let lines = Arc::new(lines);
        self.at_hand.insert(position, Arc::clone(&lines));
        Ok(lines)
    }
}

fn missed(due: &Due, reason: Reason) -> Command {
    Command::Mass(mass::Command::Miss(Miss {
        source: Source::Switch,
        participant: due.participant,
        file: due.file,
        piece: due.piece,
        place: due.place,
        reason,
    }))
}

/// Look-ups for a line, which may wait: a payee's bank that has too much to answer is no fault of the line.
struct Unhurried<'a>(&'a IndexLookups);

impl Lookups for Unhurried<'_> {
    fn alias(&self, phone: Phone) -> (Position, Option<Record>) {
        self.0.alias(phone)
    }

    fn by_key(&self, key: &PaymentKey) -> Option<History> {
        self.0.by_key(key)
    }

    fn by_uetr(&self, uetr: &Uetr) -> Option<History> {
        self.0.by_uetr(uetr)
    }

    fn is_congested(&self, _: ParticipantId) -> bool {
        false
    }
}
