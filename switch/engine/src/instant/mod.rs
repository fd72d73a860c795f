//! The instant rail: payments, answers, status queries, returns and recalls.
//!
//! A payment is admitted or refused by `payment`, waits in `in_flight` for the asks of `asks`, is decided in `decision`
//! and is remembered in `window`; `payments` finds it wherever it is.

mod answers;
mod asks;
mod command;
mod customers;
mod decision;
mod in_flight;
mod limits;
mod payment;
mod payments;
pub(crate) mod recalls;
mod returns;
mod settings;
mod status;
mod under_way;
mod window;

pub use command::{
    AliasFact, AliasResolution, Answer, Command, ConfirmAnswer, CreditTransfer, FinalOutcome,
    Fingerprint, Finished, History, Limits, PayeeFact, PaymentKey, QrFact, Recall, RecallRule,
    Resolution, Return, Settings, StatusRequest, Verdict,
};
pub use payments::PayeeLoad;
pub use under_way::UnderWay;

pub(crate) use decision::{answer_again, expire_first};
pub(crate) use payment::is_transient;
pub(crate) use payments::{Found, Payments};

use torap_domain::{Asset, Position, Time};

use crate::{
    Bounds, Outcome, Output, Stamp,
    codec::{FactsError, Reader, Writer},
    engine, mass,
};

/// Everything the rail remembers.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) limits: limits::State,
    pub(crate) payments: Payments,
    pub(crate) recalls: recalls::State,
}

impl State {
    pub(crate) fn new(seed: u64) -> State {
        State {
            settings: Settings::initial(),
            limits: limits::State::new(seed),
            payments: Payments::new(Bounds::DEFAULT.duplicate_window_entries, seed),
            recalls: recalls::State::new(),
        }
    }

    /// When the first payment under way must be decided.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        let (time, position, _) = self.payments.first_due()?;
        Some((time, position))
    }

    /// Reads the places that the identifiers and the payer of a message lead to; the value means nothing.
    pub(crate) fn touch(&self, command: &Command) -> u64 {
        if self.payments.is_near() && self.limits.is_near() {
            return 0;
        }
        match command {
            Command::CreditTransfer(transfer) => {
                let uetr = &transfer.references.uetr;
                self.payments.touch(Some(&transfer.key), uetr)
                    ^ self.limits.touch(transfer.debtor, transfer.service)
            }
            Command::Answer(answer) => self.payments.touch(None, &answer.uetr),
            Command::ConfirmAnswer(_)
            | Command::Return(_)
            | Command::Recall(_)
            | Command::Resolution(_)
            | Command::StatusRequest(_)
            | Command::SetSettings { .. }
            | Command::SetLimits { .. }
            | Command::SetRecallRule { .. } => 0,
        }
    }

    /// Everything but the window, which is written in pieces.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.settings);
        self.limits.write(writer);
        self.payments.write(writer);
        self.recalls.write(writer);
    }

    /// Reads what [`State::write`] wrote; the window stays empty.
    pub(crate) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<State, FactsError> {
        Ok(State {
            settings: reader.field("settings")?,
            limits: limits::State::read(reader, seed)?,
            payments: Payments::read(reader, seed)?,
            recalls: recalls::State::read(reader)?,
        })
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    match command {
        Command::CreditTransfer(transfer) => {
            let outcome = payment::apply(state, stamp, transfer, out);
            mass::decided(state, stamp, transfer, outcome, out);
            outcome
        }
        Command::Answer(answer) => answers::apply(state, stamp, answer, out),
        Command::ConfirmAnswer(answer) => answers::apply_confirmation(state, stamp, answer, out),
        Command::Return(payment_return) => returns::apply(state, stamp, payment_return, out),
        Command::Recall(recall) => recalls::apply_recall(state, stamp, recall, out),
        Command::Resolution(resolution) => recalls::apply_resolution(state, stamp, resolution, out),
        Command::StatusRequest(request) => status::apply(state, stamp, request, out),
        Command::SetSettings { source, settings } => {
            let sound = settings.check(&state.participants).is_ok();
            state.configure(source, sound, out, |state| {
                state.instant.settings = *settings;
            })
        }
        Command::SetLimits {
            source,
            service,
            participant,
            limits,
        } => {
            let known = participant.is_none_or(|id| state.participants.get(id).is_some());
            state.configure(source, known && in_tenge(limits), out, |state| {
                state.instant.limits.set(*service, *participant, *limits);
            })
        }
        Command::SetRecallRule { source, rule } => recalls::apply_rule(state, source, rule, out),
    }
}

fn in_tenge(limits: &Limits) -> bool {
    let amounts = [
        limits.payment_max,
        limits.customer_day_amount_max,
        limits.participant_day_amount_max,
    ];
    let mut stated = amounts.into_iter().flatten();
    stated.all(|amount| amount.asset() == Asset::Kzt)
}
