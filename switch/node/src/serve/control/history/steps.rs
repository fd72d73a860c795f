//! The steps of one payment, in log order: what came in, what the switch did, what went out and whether it has arrived.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};
use torap_domain::{ParticipantId, Position, Time};
use torap_engine::{
    Command, Message, Outbound, References, Status,
    instant::{self, FinalOutcome, Finished, UnderWay, Verdict},
};
use torap_index::{Index, IndexError};

use crate::serve::switch::Switch;

/// What is known of the payment itself.
pub(super) struct Payment {
    pub(super) finished: Option<Finished>,
    pub(super) under_way: Option<UnderWay>,
}

/// What the records tell.
pub(super) struct Told {
    pub(super) identifiers: Value,
    pub(super) steps: Vec<Value>,
    pub(super) originals: Vec<Value>,
}

/// Reads the records at `positions`, which rise, and the outbound entries they caused.
pub(super) fn tell(
    switch: &Switch,
    payment: &Payment,
    positions: &[Position],
) -> Result<Told, IndexError> {
    let mut teller = Teller {
        switch,
        payment,
        positions: positions.iter().copied().collect(),
        involved: payment.sides().into_iter().collect(),
        told: Told {
            identifiers: Value::Null,
            steps: Vec::new(),
            originals: Vec::new(),
        },
    };
    for position in positions {
        teller.record(*position)?;
    }
    Ok(teller.told)
}

impl Payment {
    fn sides(&self) -> Vec<ParticipantId> {
        match (&self.finished, &self.under_way) {
            (Some(finished), _) => vec![finished.debtor_agent, finished.creditor_agent],
            (None, Some(payment)) => vec![payment.debtor_agent, payment.creditor_agent],
            (None, None) => Vec::new(),
        }
    }

    fn submitted(&self) -> Option<Position> {
        let finished = self.finished.map(|finished| finished.submitted);
        finished.or(self.under_way.map(|payment| payment.submitted))
    }

    /// Reserved, or refused at once.
    fn was_reserved(&self) -> bool {
        let finished = self.finished.as_ref();
        finished.is_none_or(|finished| finished.decided != finished.submitted)
    }

    fn is_decided_at(&self, position: Position) -> bool {
        let finished = self.finished.as_ref();
        finished.is_some_and(|finished| finished.decided == position)
    }
}

struct Teller<'a> {
    switch: &'a Switch,
    payment: &'a Payment,
    positions: BTreeSet<Position>,
    /// Whose outbound streams may hold entries about the payment.
    involved: BTreeSet<ParticipantId>,
    told: Told,
}

impl Teller<'_> {
    fn record(&mut self, position: Position) -> Result<(), IndexError> {
        let (command, time, original) = match self.switch.records().read(position) {
            Ok(read) => read,
            Err(error) => {
                let step = json!({ "position": position.value(), "what": "gone", "detail": error.to_string() });
                self.told.steps.push(step);
                return self.sent(position);
            }
        };
        let time = Time::from_nanos(time);
        let from = command.source().and_then(|source| source.link());
        self.involved.extend(from);
        if let Some(bytes) = original.filter(|_| from.is_some()) {
            self.original(position, time, from, &bytes);
        }
        if let Some(references) = references(&command)
            && Some(position) == self.payment.submitted()
        {
            self.told.identifiers = json!({
                "message_id": references.message_id.as_str(),
                "instruction_id": references.instruction_id.as_ref().map(|id| id.as_str()),
                "end_to_end_id": references.end_to_end_id.as_ref().map(|id| id.as_str()),
                "transaction_id": references.transaction_id.as_str(),
            });
        }
        let (what, detail) = self.what(position, &command);
        self.step(position, time, what, from, detail);
        self.consequences(position, time, &command);
        self.sent(position)
    }

    /// What a record is to this payment.
    fn what(&self, position: Position, command: &Command) -> (&'static str, String) {
        let Command::Instant(command) = command else {
            return ("clock", "the time for an answer was over".into());
        };
        match command {
            instant::Command::CreditTransfer(transfer) => {
                let id = transfer.references.message_id.as_str();
                if Some(position) == self.payment.submitted() {
                    ("received", format!("pacs.008 {id}"))
                } else {
                    ("repeated", format!("pacs.008 {id}"))
                }
            }
            instant::Command::Answer(answer) => {
                let verdict = match answer.verdict {
                    Verdict::Accept => "ACSP".to_owned(),
                    Verdict::Reject { agent_code } => {
                        format!("RJCT {}", String::from_utf8_lossy(&agent_code))
                    }
                };
                let detail = format!("pacs.002 {} {verdict}", answer.message_id.as_str());
                if self.payment.is_decided_at(position) {
                    ("answered", detail)
                } else {
                    ("answered-without-effect", detail)
                }
            }
            instant::Command::ConfirmAnswer(answer) => {
                let verdict = if answer.confirmed {
                    "match"
                } else {
                    "no match"
                };
                let detail = format!("acmt.024 {} {verdict}", answer.message_id.as_str());
                ("confirmed", detail)
            }
            instant::Command::Return(one) => (
                "return",
                format!(
                    "pacs.004 {} {}",
                    one.return_id.as_str(),
                    super::decimal(one.amount)
                ),
            ),
            instant::Command::Recall(recall) => (
                "recall",
                format!(
                    "camt.056 {} {}",
                    recall.cancellation_id.as_str(),
                    String::from_utf8_lossy(&recall.reason_code)
                ),
            ),
            instant::Command::Resolution(resolution) => (
                "recall-refused",
                format!(
                    "camt.029 {} {}",
                    resolution.references.message_id.as_str(),
                    String::from_utf8_lossy(&resolution.reason_code)
                ),
            ),
            instant::Command::StatusRequest(request) => (
                "asked",
                format!("pacs.028 {}", request.references.message_id.as_str()),
            ),
            instant::Command::SetSettings { .. }
            | instant::Command::SetLimits { .. }
            | instant::Command::SetRecallRule { .. } => ("changed", String::new()),
        }
    }

    /// What the switch did with the money because of the record.
    fn consequences(&mut self, position: Position, time: Time, command: &Command) {
        let is_transfer = matches!(
            command,
            Command::Instant(instant::Command::CreditTransfer(_))
        );
        if is_transfer && Some(position) == self.payment.submitted() && self.payment.was_reserved()
        {
            self.step(position, time, "reserved", None, String::new());
        }
        let Some(finished) = self.payment.finished.filter(|one| one.decided == position) else {
            return;
        };
        let (what, detail) = match finished.outcome {
            FinalOutcome::Settled => ("posted", super::decimal(finished.amount)),
            FinalOutcome::Rejected { reason, .. } => ("rejected", reason.name().to_string()),
            FinalOutcome::Tombstone => ("never-received", String::new()),
        };
        self.step(position, time, what, None, detail);
    }

    /// The outbound entries about this payment that the record caused.
    fn sent(&mut self, position: Position) -> Result<(), IndexError> {
        let network = self.switch.network();
        let mut streams = BTreeSet::new();
        for participant in &self.involved {
            let sponsor = network.by_id(*participant).and_then(|view| view.sponsor);
            streams.extend([Some(*participant), sponsor].into_iter().flatten());
        }
        for stream in streams {
            for entry in self.switch.index.outbound_caused(stream, position)? {
                if self.is_about(&entry) {
                    self.entry(&entry);
                }
            }
        }
        Ok(())
    }

    /// One record may decide many payments; an entry names the record it is about.
    fn is_about(&self, entry: &Outbound) -> bool {
        original_of(&entry.message).is_some_and(|original| self.positions.contains(&original))
    }

    fn entry(&mut self, entry: &Outbound) {
        let stream = self.switch.outbox.stream(entry.to);
        let delivered = match stream.held_by_bank() {
            Some(held) if held >= entry.sequence => "delivered",
            Some(_) => "not delivered yet",
            None => "delivery unknown: not signed on since the start",
        };
        let (what, text) = text_of(&entry.message);
        let detail = format!("{text} {}-{} {delivered}", entry.to.value(), entry.sequence);
        self.step(entry.cause, entry.time, what, Some(entry.to), detail);
    }

    fn step(
        &mut self,
        position: Position,
        time: Time,
        what: &str,
        who: Option<ParticipantId>,
        detail: String,
    ) {
        self.told.steps.push(json!({
            "time": time.to_string(),
            "position": position.value(),
            "what": what,
            "who": who.map_or("TORAP".to_owned(), |id| self.code(id)),
            "detail": detail,
        }));
    }

    fn original(
        &mut self,
        position: Position,
        time: Time,
        from: Option<ParticipantId>,
        bytes: &Bytes,
    ) {
        self.told.originals.push(json!({
            "time": time.to_string(),
            "position": position.value(),
            "from": from.map(|id| self.code(id)),
            "text": String::from_utf8_lossy(bytes),
        }));
    }

    fn code(&self, id: ParticipantId) -> String {
        let network = self.switch.network();
        let view = network.by_id(id);
        view.map_or_else(
            || id.value().to_string(),
            |view| view.code.as_str().to_owned(),
        )
    }
}

fn references(command: &Command) -> Option<References> {
    match command {
        Command::Instant(instant::Command::CreditTransfer(transfer)) => Some(transfer.references),
        Command::Instant(instant::Command::StatusRequest(request)) => Some(request.references),
        _ => None,
    }
}

/// The record that an entry is about.
fn original_of(message: &Message) -> Option<Position> {
    match message {
        Message::Forward { original }
        | Message::Confirm { original }
        | Message::Status { original, .. }
        | Message::ForwardReturn { original }
        | Message::ForwardRecall { original }
        | Message::ForwardResolution { original }
        | Message::Resolution { original, .. }
        | Message::NotReceived { original } => Some(*original),
        // Messages about many items are no step of one payment.
        Message::ClearingStatus { .. }
        | Message::MassStatus { .. }
        | Message::ClearingForward { .. }
        | Message::ClearingRefused { .. }
        | Message::ClearingReport { .. }
        // IMTS has its own queue and list of what has ended.
        | Message::ImtsStatus { .. }
        | Message::ImtsForward { .. }
        | Message::WithdrawalAnswer { .. }
        | Message::ImtsReceipt { .. }
        | Message::ImtsDay { .. }
        | Message::Report { .. }
        | Message::ImtsNotice { .. }
        | Message::LookUpAnswer { .. }
        | Message::Reject { .. }
        | Message::CommandAnswer { .. }
        | Message::Notice { .. } => None,
    }
}

fn text_of(message: &Message) -> (&'static str, &'static str) {
    match message {
        Message::Forward { .. } => ("forwarded", "pacs.008"),
        Message::Confirm { .. } => ("confirmation-asked", "acmt.023"),
        Message::Status { status, .. } => (
            "status",
            match status {
                Status::Pending => "pacs.002 PDNG",
                Status::Settled => "pacs.002 ACSC",
                Status::Rejected { .. } => "pacs.002 RJCT",
            },
        ),
        Message::ForwardReturn { .. } => ("return-forwarded", "pacs.004"),
        Message::ForwardRecall { .. } => ("recall-forwarded", "camt.056"),
        Message::ForwardResolution { .. } => ("refusal-forwarded", "camt.029"),
        Message::Resolution { .. } => ("recall-answered", "camt.029"),
        Message::NotReceived { .. } => ("status", "pacs.002 RJCT never received"),
        Message::LookUpAnswer { .. } => ("look-up", "acmt.024"),
        Message::Reject { .. } => ("reject", "admi.002"),
        Message::CommandAnswer { .. } => ("answer", "JSON"),
        Message::Notice { .. } => ("notice", "admi.004"),
        Message::MassStatus { .. } => ("lines", "pacs.002"),
        Message::ClearingStatus { .. } => ("items", "pacs.002"),
        Message::ClearingRefused { .. } => ("items", "pacs.002 RJCT"),
        Message::ClearingForward { .. } => ("items-forwarded", "pacs.008"),
        Message::ClearingReport { .. } => ("session-report", "admi.004"),
        Message::ImtsStatus { .. } => ("rtgs-status", "pacs.002"),
        Message::ImtsForward { .. } => ("rtgs-forwarded", "pacs.008, pacs.009 or pacs.004"),
        Message::WithdrawalAnswer { .. } => ("rtgs-withdrawal", "camt.029"),
        Message::ImtsReceipt { .. } => ("liquidity", "camt.025"),
        Message::ImtsDay { .. } => ("business-day", "admi.004"),
        Message::Report { .. } => ("report", "camt.053, camt.052, camt.004 or camt.006"),
        Message::ImtsNotice { .. } => ("entry", "camt.054"),
    }
}
