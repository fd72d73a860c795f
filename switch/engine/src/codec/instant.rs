//! Layouts of the commands of the instant rail, and of finished payments.

use super::{FactsError, Layout, LayoutRule, Reader, Writer, block::Block, reader::Flags};
use crate::instant::{
    AliasFact, AliasResolution, Answer, Command, ConfirmAnswer, CreditTransfer, FinalOutcome,
    Fingerprint, Finished, History, Limits, PayeeFact, PaymentKey, QrFact, Recall, RecallRule,
    Resolution, Return, Settings, StatusRequest, Verdict,
};

/// Appends what follows the version byte.
pub(super) fn put(command: &Command, writer: &mut Writer<'_>) {
    match command {
        Command::CreditTransfer(payment) => writer.put(payment),
        Command::Answer(answer) => writer.put(answer),
        Command::ConfirmAnswer(answer) => writer.put(answer),
        Command::Return(command) => writer.put(command),
        Command::Recall(recall) => writer.put(recall),
        Command::Resolution(resolution) => writer.put(resolution),
        Command::StatusRequest(request) => writer.put(request),
        Command::SetSettings { source, settings } => {
            writer.put(source);
            writer.put(settings);
        }
        Command::SetLimits {
            source,
            service,
            participant,
            limits,
        } => {
            writer.put(source);
            writer.put(service);
            writer.put(participant);
            writer.put(limits);
        }
        Command::SetRecallRule { source, rule } => {
            writer.put(source);
            writer.put(rule);
        }
    }
}

pub(super) fn take_settings(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::SetSettings {
        source: reader.field("source")?,
        settings: reader.field("settings")?,
    })
}

pub(super) fn take_limits(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::SetLimits {
        source: reader.field("source")?,
        service: reader.field("service")?,
        participant: reader.field("participant")?,
        limits: reader.field("limits")?,
    })
}

pub(super) fn take_recall_rule(reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    Ok(Command::SetRecallRule {
        source: reader.field("source")?,
        rule: reader.field("rule")?,
    })
}

impl Layout for CreditTransfer {
    fn put(&self, writer: &mut Writer<'_>) {
        let CreditTransfer {
            source,
            service,
            references,
            key,
            fingerprint,
            amount,
            accepted,
            instructing_agent,
            debtor_agent,
            debtor_account,
            debtor,
            creditor_agent,
            creditor_account,
            creditor,
            alias,
            payee,
            qr,
            history,
        } = self;
        let flags = Flags::of(&[
            creditor_account.is_some(),
            creditor.is_some(),
            alias.is_some(),
            payee.is_some(),
            qr.is_some(),
            history.is_some(),
        ]);
        let mut fixed = Block::<60>::new();
        fixed.field([flags.0]);
        fixed.field([service.number()]);
        fixed.field(key.0);
        fixed.field(fingerprint.0);
        fixed.field(amount.asset().number().to_le_bytes());
        fixed.field(amount.minor().to_le_bytes());
        fixed.field(accepted.nanos().to_le_bytes());
        fixed.field(debtor.value().to_le_bytes());
        fixed.write(writer);
        writer.put(source);
        writer.put(references);
        writer.put(instructing_agent);
        writer.put(debtor_agent);
        writer.put(debtor_account);
        writer.put(creditor_agent);
        writer.optional(creditor_account);
        writer.optional(creditor);
        writer.optional(alias);
        writer.optional(payee);
        writer.optional(qr);
        writer.optional(history);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<CreditTransfer, FactsError> {
        let flags = reader.flags("flags", 0b11_1111)?;
        Ok(CreditTransfer {
            service: reader.field("service")?,
            key: reader.field("key")?,
            fingerprint: reader.field("fingerprint")?,
            amount: reader.field("amount")?,
            accepted: reader.field("accepted")?,
            debtor: reader.field("debtor")?,
            source: reader.field("source")?,
            references: reader.field("references")?,
            instructing_agent: reader.field("instructing agent")?,
            debtor_agent: reader.field("debtor agent")?,
            debtor_account: reader.field("debtor account")?,
            creditor_agent: reader.field("creditor agent")?,
            creditor_account: reader.optional("creditor account", flags.has(0))?,
            creditor: reader.optional("creditor", flags.has(1))?,
            alias: reader.optional("alias", flags.has(2))?,
            payee: reader.optional("payee", flags.has(3))?,
            qr: reader.optional("QR", flags.has(4))?,
            history: reader.optional("history", flags.has(5))?,
        })
    }
}

impl Layout for AliasFact {
    fn put(&self, writer: &mut Writer<'_>) {
        let AliasFact {
            alias,
            as_of,
            changed_at,
            expected,
            resolution,
        } = self;
        writer.put(alias);
        writer.put(as_of);
        writer.put(changed_at);
        writer.put(expected);
        match resolution {
            AliasResolution::Found {
                agent,
                iban,
                person,
            } => {
                writer.u8(1);
                writer.put(agent);
                writer.put(iban);
                writer.put(person);
            }
            AliasResolution::Unknown => writer.u8(2),
            AliasResolution::Suspended => writer.u8(3),
        }
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<AliasFact, FactsError> {
        Ok(AliasFact {
            alias: reader.field("alias key")?,
            as_of: reader.field("alias as of")?,
            changed_at: reader.field("alias changed at")?,
            expected: reader.field("alias expected")?,
            resolution: take_resolution(reader)?,
        })
    }
}

fn take_resolution(reader: &mut Reader<'_>) -> Result<AliasResolution, FactsError> {
    let offset = reader.offset();
    Ok(match reader.u8("alias resolution")? {
        1 => AliasResolution::Found {
            agent: reader.field("resolved agent")?,
            iban: reader.field("resolved account")?,
            person: reader.field("resolved person")?,
        },
        2 => AliasResolution::Unknown,
        3 => AliasResolution::Suspended,
        _ => return Err(reader.error("alias resolution", offset, LayoutRule::Tag)),
    })
}

impl Layout for PayeeFact {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(match self {
            PayeeFact::Matched => 1,
            PayeeFact::Mismatch => 2,
            PayeeFact::Unknown => 3,
        });
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<PayeeFact, FactsError> {
        reader.tag(field, |tag| match tag {
            1 => Some(PayeeFact::Matched),
            2 => Some(PayeeFact::Mismatch),
            3 => Some(PayeeFact::Unknown),
            _ => None,
        })
    }
}

impl Layout for Verdict {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            Verdict::Accept => writer.u8(1),
            Verdict::Reject { agent_code } => {
                writer.u8(2);
                writer.put(agent_code);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Verdict, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => Verdict::Accept,
            2 => Verdict::Reject {
                agent_code: reader.field("agent code")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for History {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            History::Unknown { as_of } => {
                writer.u8(1);
                writer.put(as_of);
            }
            History::Known { as_of, finished } => {
                writer.u8(2);
                writer.put(as_of);
                writer.put(finished);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<History, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => History::Unknown {
                as_of: reader.field("history as of")?,
            },
            2 => History::Known {
                as_of: reader.field("history as of")?,
                finished: reader.field("finished")?,
            },
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for FinalOutcome {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            FinalOutcome::Settled => writer.u8(1),
            FinalOutcome::Rejected { reason, agent_code } => {
                writer.u8(2);
                writer.put(reason);
                writer.put(agent_code);
            }
            FinalOutcome::Tombstone => writer.u8(3),
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<FinalOutcome, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => FinalOutcome::Settled,
            2 => FinalOutcome::Rejected {
                reason: reader.field("reason")?,
                agent_code: reader.field("agent code")?,
            },
            3 => FinalOutcome::Tombstone,
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

impl Layout for Limits {
    fn put(&self, writer: &mut Writer<'_>) {
        let Limits {
            payment_max,
            customer_day_amount_max,
            customer_day_count_max,
            participant_day_amount_max,
        } = self;
        let flags = Flags::of(&[
            payment_max.is_some(),
            customer_day_amount_max.is_some(),
            customer_day_count_max.is_some(),
            participant_day_amount_max.is_some(),
        ]);
        writer.u8(flags.0);
        writer.optional(payment_max);
        writer.optional(customer_day_amount_max);
        writer.optional(customer_day_count_max);
        writer.optional(participant_day_amount_max);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Limits, FactsError> {
        let flags = reader.flags("limit flags", 0b1111)?;
        Ok(Limits {
            payment_max: reader.optional("payment max", flags.has(0))?,
            customer_day_amount_max: reader.optional("customer day amount max", flags.has(1))?,
            customer_day_count_max: reader.optional("customer day count max", flags.has(2))?,
            participant_day_amount_max: reader
                .optional("participant day amount max", flags.has(3))?,
        })
    }
}

impl Layout for PaymentKey {
    #[inline]
    fn put(&self, writer: &mut Writer<'_>) {
        writer.bytes(&self.0);
    }

    #[inline]
    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<PaymentKey, FactsError> {
        reader.array(field).map(PaymentKey)
    }
}

impl Layout for Fingerprint {
    #[inline]
    fn put(&self, writer: &mut Writer<'_>) {
        writer.bytes(&self.0);
    }

    #[inline]
    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Fingerprint, FactsError> {
        reader.array(field).map(Fingerprint)
    }
}

fields! {
    QrFact {
        id: "QR id",
        dynamic: "QR dynamic",
    }
    Answer {
        source: "source",
        message_id: "message id",
        message_version: "message version",
        uetr: "UETR",
        transaction_id: "transaction id",
        verdict: "verdict",
    }
    ConfirmAnswer {
        source: "source",
        message_id: "message id",
        message_version: "message version",
        uetr: "UETR",
        confirmed: "confirmed",
    }
    Return {
        source: "source",
        references: "references",
        return_id: "return id",
        key: "key",
        fingerprint: "fingerprint",
        instructing_agent: "instructing agent",
        amount: "amount",
        reason_code: "reason code",
        history: "history",
        original: "original",
    }
    Recall {
        source: "source",
        references: "references",
        cancellation_id: "cancellation id",
        instructing_agent: "instructing agent",
        reason_code: "reason code",
        original: "original",
    }
    Resolution {
        source: "source",
        references: "references",
        instructing_agent: "instructing agent",
        reason_code: "reason code",
    }
    StatusRequest {
        source: "source",
        references: "references",
        key: "key",
        instructing_agent: "instructing agent",
        original: "original",
    }
    RecallRule {
        reason_code: "reason code",
        window: "window",
        answer_within: "answer within",
    }
    Settings {
        switch_bic: "switch BIC",
        payment_within: "payment within",
        receiver_within: "receiver within",
        confirm_within: "confirm within",
        clock_skew_max: "clock skew max",
        same_participant_allowed: "same participant allowed",
        return_window: "return window",
        contest_window: "contest window",
        lookup_capacity: "look-up capacity",
        lookup_refill_per_s: "look-up refill per s",
        lookup_hit_cost: "look-up hit cost",
        lookup_miss_cost: "look-up miss cost",
    }
    Finished {
        key: "key",
        uetr: "UETR",
        fingerprint: "fingerprint",
        submitted: "submitted",
        decided: "decided",
        decided_at: "decided at",
        outcome: "outcome",
        service: "service",
        amount: "amount",
        returned: "returned",
        debtor_agent: "debtor agent",
        creditor_agent: "creditor agent",
    }
}
