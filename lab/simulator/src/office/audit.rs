//! What a replay of the whole log says of everything that back offices did, and whether banks heard the same.

use std::collections::BTreeMap;

use serde::Serialize;
use torap_domain::{ParticipantId, Position, Reason, Uetr};
use torap_engine::{
    Command, Engine, Event, Message, Outcome, Receipt, Status, approval, clearing,
    instant::PaymentKey,
    settlement::{self, End},
};
use torap_follower::SnapshotStore;
use torap_journal::Reader;

use super::{
    Office, approval::Approvals, delivery::Deliveries, dispute::Disputes, fund::Funds,
    heard::Answers, mass::Files, presentment::Presentments, stated::Reports, tariff::Tariffs,
};
use crate::{host::Host, plan::Plan};

/// How much of it there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfficeCounts {
    /// Banks' own messages to IMTS and items to the clearing system that were decided.
    pub wire: u64,
    /// Pages of statements, and notices of entries.
    pub pages: u64,
    pub notices: u64,
    /// Answers about balances, and extracts of a day that was not over.
    pub figures: u64,
    pub extracts: u64,
    /// Settlements of card nets in IMTS, and who was short in them.
    pub card_settlements: u64,
    pub defaults: u64,
    /// Deliveries versus payment that settled.
    pub deliveries: u64,
    /// Steps of disputes.
    pub disputes: u64,
    /// Of these, steps of cases about card transactions.
    pub card_disputes: u64,
    /// Lines of presentment files, and those that were taken.
    pub presented: u64,
    pub presented_taken: u64,
    /// Tariff tables that took effect at a time of their own.
    pub tariffs_due: u64,
    /// Lines of files of instant payments, and those that settled.
    pub lines: u64,
    pub lines_settled: u64,
    /// Orders that ran after an approval.
    pub approved: u64,
    /// What the tariffs of the run charge, in tiyn.
    pub charged: u64,
}

impl OfficeCounts {
    /// Adds those of another run.
    pub(crate) fn add(&mut self, other: &OfficeCounts) {
        self.wire += other.wire;
        self.pages += other.pages;
        self.notices += other.notices;
        self.figures += other.figures;
        self.extracts += other.extracts;
        self.card_settlements += other.card_settlements;
        self.defaults += other.defaults;
        self.deliveries += other.deliveries;
        self.disputes += other.disputes;
        self.card_disputes += other.card_disputes;
        self.presented += other.presented;
        self.presented_taken += other.presented_taken;
        self.tariffs_due += other.tariffs_due;
        self.lines += other.lines;
        self.lines_settled += other.lines_settled;
        self.approved += other.approved;
        self.charged += other.charged;
    }
}

/// Everything of back offices that a replay tells.
pub(crate) struct Audit {
    plan: Plan,
    approvals: Approvals,
    disputes: Disputes,
    files: Files,
    presentments: Presentments,
    reports: Reports,
    tariffs: Tariffs,
    funds: Funds,
    deliveries: Deliveries,
    wire: WireEnds,
    /// Commands that wait for an approval, by the record of their proposal.
    proposed: BTreeMap<Position, Command>,
    /// Amounts of settled payments, in tiyn.
    amounts: BTreeMap<PaymentKey, u64>,
    broken: Option<String>,
}

impl Audit {
    pub(crate) fn new(plan: &Plan) -> Audit {
        Audit {
            plan: plan.clone(),
            approvals: Approvals::new(),
            disputes: Disputes::default(),
            files: Files::default(),
            presentments: Presentments::new(plan.office.authorisations_live()),
            reports: Reports::new(),
            tariffs: Tariffs::default(),
            funds: Funds::default(),
            deliveries: Deliveries::default(),
            wire: WireEnds::default(),
            proposed: BTreeMap::new(),
            amounts: BTreeMap::new(),
            broken: None,
        }
    }

    /// Takes a record; `engine` is the state after it.
    pub(crate) fn record(&mut self, applied: &Taken<'_>, engine: &Engine) {
        let told = (applied.command, applied.outcome);
        let (stamp, events) = (applied.stamp, applied.events);
        let approved = match applied.command {
            Command::Approval(approval::Command::Propose { command, .. }) => {
                self.proposed.insert(stamp.position, (**command).clone());
                None
            }
            Command::Approval(approval::Command::Decide {
                id, approves: true, ..
            }) => self.proposed.get(id),
            _ => None,
        };
        self.files.record(told, events);
        self.wire.record(applied);
        if self.plan.office.reports {
            let effects = applied.effects;
            let told = self
                .reports
                .record(engine, stamp, told, effects, self.plan.banks);
            if let Err(text) = told {
                self.broken.get_or_insert(text);
            }
        }
        for event in events {
            if let Event::PaymentFinished(finished) = event {
                self.amounts.insert(finished.key, finished.amount.minor());
            }
        }
        let checked = self
            .approvals
            .record(engine, stamp, told, events)
            .and_then(|()| self.disputes.record(engine, stamp, events))
            .and_then(|()| self.presentments.record(engine, stamp, told, events))
            .and_then(|()| self.tariffs.record(engine, stamp, told, (events, approved)))
            .and_then(|()| self.funds.record(engine, stamp, told, events))
            .and_then(|()| self.deliveries.record(stamp, told, events));
        if let Err(text) = checked {
            self.broken.get_or_insert(text);
        }
    }

    /// Money that cases and lines of files moved to a position, beside what its bank's own books know.
    pub(crate) fn moved(&self, participant: ParticipantId) -> i128 {
        let disputes = self.disputes.moved.get(&participant).copied();
        let lines = self.files.paid.get(&participant).copied();
        disputes.unwrap_or(0) - lines.unwrap_or(0)
    }

    /// Everything at the end. `outcomes` tells how many a payment has.
    pub(crate) fn check(
        &self,
        engine: &Engine,
        (hosts, office): (&[Host], Option<&Office>),
        outcomes: impl Fn(&PaymentKey) -> usize,
        (log, snapshots): (&Reader, &SnapshotStore),
    ) -> Result<OfficeCounts, String> {
        if let Some(text) = &self.broken {
            return Err(text.clone());
        }
        self.approvals.check(engine)?;
        self.disputes.check(&self.amounts)?;
        self.files.check(office.map(Office::mass), outcomes)?;
        if let Some(office) = office {
            office.presenting().check(engine)?;
        }
        self.reports.check(engine)?;
        self.funds.check(engine)?;
        self.deliveries.check(engine)?;
        if self.plan.office.wire {
            self.wire.check(engine, hosts)?;
        }
        let charged = if self.plan.office.has_tariffs() {
            self.tariffs.check(engine, (log, snapshots))?
        } else {
            0
        };
        let (lines, lines_settled) = self.files.counts();
        Ok(OfficeCounts {
            wire: self.wire.decided,
            pages: self.reports.pages,
            notices: self.reports.notices,
            figures: self.reports.figures,
            extracts: self.reports.extracts,
            card_settlements: self.funds.settlements,
            defaults: self.funds.defaults,
            deliveries: self.deliveries.settled,
            disputes: self.disputes.steps,
            card_disputes: self.disputes.card_steps,
            presented: self.presentments.lines,
            presented_taken: self.presentments.taken,
            tariffs_due: self.tariffs.due,
            lines,
            lines_settled,
            approved: self.approvals.ran,
            charged: u64::try_from(charged).unwrap_or(u64::MAX),
        })
    }
}

/// One record of the log, as a replay applied it.
pub(crate) struct Taken<'a> {
    pub(crate) stamp: torap_engine::Stamp,
    pub(crate) command: &'a Command,
    pub(crate) outcome: Outcome,
    pub(crate) events: &'a [Event],
    pub(crate) effects: &'a [torap_engine::Effect],
}

/// What the log says that became of banks' messages to IMTS and the clearing system.
#[derive(Debug, Default)]
struct WireEnds {
    /// Payments and returns that were taken, by record: the bank, its message, and what its payee calls it.
    taken: BTreeMap<Position, (ParticipantId, String, String)>,
    /// How payments that were taken stand: none in the queue, or whether they have settled.
    stand: BTreeMap<Position, Option<bool>>,
    /// What each bank should have heard of each of its messages.
    answers: BTreeMap<(ParticipantId, String), Answers>,
    /// Where settled payments should have come in.
    received: BTreeMap<(ParticipantId, String), u32>,
    receipts: BTreeMap<(ParticipantId, String), Answers>,
    /// Liquidity transfers that wait for a business day, by record: the bank and its message.
    waiting: BTreeMap<Position, (ParticipantId, String)>,
    withdrawals: BTreeMap<(ParticipantId, String), Answers>,
    /// Items that were submitted by their banks.
    items: BTreeMap<Uetr, ParticipantId>,
    decided: u64,
}

impl WireEnds {
    fn record(&mut self, applied: &Taken<'_>) {
        let link = applied.command.source().and_then(|source| source.link());
        if let Some(link) = link {
            self.of_link(applied, link);
        }
        for effect in applied.effects {
            if let Message::ImtsReceipt { original, receipt } = effect.outbound.message
                && original != applied.stamp.position
                && let Some((bank, message)) = self.waiting.remove(&original)
            {
                let answers = self.receipts.entry((bank, message)).or_default();
                match receipt {
                    Receipt::Done => answers.settled += 1,
                    Receipt::Waits { .. } => answers.pending += 1,
                    Receipt::Refused { .. } | Receipt::Unchanged { .. } => answers.rejected += 1,
                }
            }
        }
        for event in applied.events {
            match event {
                Event::Settlement(settlement::Event::Queued { id }) => {
                    self.stand.insert(*id, None);
                    if let Some((bank, message, _)) = self.taken.get(id) {
                        let key = (*bank, message.clone());
                        self.answers.entry(key).or_default().pending += 1;
                    }
                }
                Event::Settlement(settlement::Event::Finished(done)) => {
                    self.stand.insert(done.id, Some(done.end == End::Settled));
                    let Some((bank, message, name)) = self.taken.get(&done.id) else {
                        continue;
                    };
                    let answers = self.answers.entry((*bank, message.clone())).or_default();
                    if done.end == End::Settled {
                        answers.settled += 1;
                        *self.received.entry((done.to, name.clone())).or_default() += 1;
                    } else {
                        answers.rejected += 1;
                    }
                }
                _ => {}
            }
        }
    }

    fn of_link(&mut self, applied: &Taken<'_>, link: ParticipantId) {
        let position = applied.stamp.position;
        let answered = |effect: &torap_engine::Effect| match effect.outbound.message {
            Message::ImtsStatus {
                original,
                status: Status::Rejected { .. },
                ..
            } => original == position,
            _ => false,
        };
        match applied.command {
            Command::Settlement(settlement::Command::Instruct(instruction)) => {
                let references = &instruction.references;
                let (message, name) = (references.message_id.to_string(), references.uetr);
                if self.is_repeat(applied) {
                    self.repeated((link, message), &name.to_string());
                    return;
                }
                self.entered(applied, link, (message, name.to_string()), answered);
            }
            Command::Settlement(settlement::Command::Return(back)) => {
                let message = back.references.message_id.to_string();
                self.entered(
                    applied,
                    link,
                    (message, back.return_id.to_string()),
                    answered,
                );
            }
            Command::Settlement(settlement::Command::MoveLiquidity(order)) => {
                self.decided += 1;
                let moved = applied.events.iter().any(|event| {
                    matches!(event, Event::Settlement(settlement::Event::Transferred { amount, .. }) if *amount == order.amount)
                });
                let key = (link, order.message_id.to_string());
                let answers = self.receipts.entry(key).or_default();
                match applied.outcome {
                    Outcome::Accepted if moved => answers.settled += 1,
                    // The same order once more, which was done.
                    Outcome::Accepted if is_done(applied) && answers.settled > 0 => {
                        answers.settled += 1;
                    }
                    Outcome::Accepted => {
                        answers.pending += 1;
                        let waits = (link, order.message_id.to_string());
                        self.waiting.insert(position, waits);
                    }
                    Outcome::Refused(_) if moved => answers.settled += 1000,
                    Outcome::Refused(_) => answers.rejected += 1,
                    Outcome::AlreadyApplied => {}
                }
            }
            Command::Settlement(settlement::Command::Modify(modification)) => {
                self.decided += 1;
                let key = (link, modification.message_id.to_string());
                let answers = self.receipts.entry(key).or_default();
                match applied.outcome {
                    Outcome::Accepted => answers.settled += 1,
                    Outcome::Refused(_) => answers.rejected += 1,
                    Outcome::AlreadyApplied => {}
                }
            }
            Command::Settlement(settlement::Command::Cancel(cancellation)) => {
                self.decided += 1;
                let key = (link, cancellation.cancellation_id.to_string());
                let answers = self.withdrawals.entry(key).or_default();
                let ended = applied.events.iter().any(|event| {
                    matches!(event, Event::Settlement(settlement::Event::Finished(done)) if done.end == End::Withdrawn)
                });
                if ended {
                    answers.settled += 1;
                } else {
                    answers.rejected += 1;
                }
            }
            Command::Clearing(command) => self.of_clearing(applied, command, link),
            _ => {}
        }
    }

    fn of_clearing(
        &mut self,
        applied: &Taken<'_>,
        command: &clearing::Command,
        link: ParticipantId,
    ) {
        match command {
            clearing::Command::Cancel(cancellation) => {
                self.decided += 1;
                let key = (link, cancellation.cancellation_id.to_string());
                let answers = self.withdrawals.entry(key).or_default();
                let withdrawn = applied.events.iter().any(|event| {
                    matches!(event, Event::Clearing(clearing::Event::Withdrawn { .. }))
                });
                if withdrawn {
                    answers.settled += 1;
                } else {
                    answers.rejected += 1;
                }
            }
            clearing::Command::Submit(submit) => {
                self.decided += submit.items.len() as u64;
                for item in &submit.items {
                    self.items.entry(item.uetr).or_insert(link);
                }
            }
            _ => {}
        }
    }

    /// A payment of IMTS that was given before with the same content: it is answered as it stands, behind what it was told. What else is
    /// called a repeat is refused in its own record.
    fn is_repeat(&self, applied: &Taken<'_>) -> bool {
        let reason = Reason::DuplicateReplay;
        let refused = applied
            .effects
            .iter()
            .any(|effect| match effect.outbound.message {
                Message::ImtsStatus {
                    original,
                    status: Status::Rejected { reason: told, .. },
                    ..
                } => original == applied.stamp.position && told == reason,
                _ => false,
            });
        applied.outcome == Outcome::Refused(reason) && !refused
    }

    fn repeated(&mut self, key: (ParticipantId, String), name: &str) {
        self.decided += 1;
        let mut taken = self.taken.iter().rev();
        let first = taken.find(|(_, (bank, _, known))| *bank == key.0 && known == name);
        let stands = first.and_then(|(id, _)| self.stand.get(id).copied());
        let answers = self.answers.entry(key).or_default();
        match stands {
            Some(None) => answers.pending += 1,
            Some(Some(true)) => answers.settled += 1,
            Some(Some(false)) => answers.rejected += 1,
            // Answered as a repeat of nothing: no bank hears so much.
            None => answers.settled += 1000,
        }
    }

    fn entered(
        &mut self,
        applied: &Taken<'_>,
        link: ParticipantId,
        (message, name): (String, String),
        answered: impl Fn(&torap_engine::Effect) -> bool,
    ) {
        self.decided += 1;
        match applied.outcome {
            Outcome::Accepted => {
                let position = applied.stamp.position;
                self.answers.entry((link, message.clone())).or_default();
                self.taken.insert(position, (link, message, name));
            }
            Outcome::Refused(_) => {
                let told = applied.effects.iter().filter(|effect| answered(effect));
                let told = told.count() as u32;
                self.answers.entry((link, message)).or_default().rejected += told;
            }
            Outcome::AlreadyApplied => {}
        }
    }

    /// Banks heard what the log says, no more and no less.
    fn check(&self, engine: &Engine, hosts: &[Host]) -> Result<(), String> {
        for (place, host) in hosts.iter().enumerate() {
            let bank = ParticipantId::new(place as u16 + 1);
            let code = host.code;
            let heard = &host.heard;
            let pairs = [
                ("payment", &self.answers, &heard.imts),
                ("liquidity transfer", &self.receipts, &heard.receipts),
            ];
            for (what, log, heard) in pairs {
                for ((_, message), wanted) in log.iter().filter(|((of, _), _)| *of == bank) {
                    let found = heard.get(message).copied().unwrap_or_default();
                    if found != *wanted {
                        return Err(format!(
                            "{what} {message} of {code}: {wanted:?} in the log, {found:?} for its bank"
                        ));
                    }
                }
            }
            for ((_, id), wanted) in self.withdrawals.iter().filter(|((of, _), _)| *of == bank) {
                let found = heard.withdrawals.get(id).copied().unwrap_or_default();
                if (found.settled, found.rejected) != (wanted.settled, wanted.rejected) {
                    return Err(format!(
                        "withdrawal {id} of {code}: {wanted:?} in the log, {found:?} for its bank"
                    ));
                }
            }
            for ((to, name), count) in &self.received {
                let found = heard.received.get(name).copied().unwrap_or(0);
                if *to == bank && found != *count {
                    return Err(format!(
                        "payment {name} settled {count} times for {code}, which received it {found} times"
                    ));
                }
            }
            self.check_items(engine, bank, host)?;
        }
        Ok(())
    }

    fn check_items(&self, engine: &Engine, bank: ParticipantId, host: &Host) -> Result<(), String> {
        for (uetr, from) in &self.items {
            let Some(item) = engine.clearing_item(uetr) else {
                continue;
            };
            let name = uetr.to_string();
            if *from == bank {
                let heard = host.heard.items.get(&name).copied().unwrap_or_default();
                let sound = match item.status {
                    Status::Settled => heard.settled >= 1,
                    Status::Pending => heard.settled == 0 && heard.pending >= 1,
                    Status::Rejected { .. } => heard.settled == 0 && heard.rejected >= 1,
                };
                if !sound {
                    return Err(format!(
                        "item {name} is {:?} for the clearing system, and {heard:?} for {}",
                        item.status, host.code
                    ));
                }
            }
            let received = host.heard.items_received.get(&name).copied().unwrap_or(0);
            let wanted = u32::from(item.status == Status::Settled && item.creditor_agent == bank);
            if received != wanted {
                return Err(format!(
                    "item {name} ({:?}): {} received it {received} times",
                    item.status, host.code
                ));
            }
        }
        Ok(())
    }
}

/// Whether the record answers its liquidity transfer as done.
fn is_done(applied: &Taken<'_>) -> bool {
    let position = applied.stamp.position;
    let mut effects = applied.effects.iter();
    effects.any(|effect| match effect.outbound.message {
        Message::ImtsReceipt { original, receipt } => {
            original == position && receipt == Receipt::Done
        }
        _ => false,
    })
}
