//! Arbitrary commands of the instant rail, and finished payments.

use proptest::{option, prelude::*, sample::select};
use torap_domain::*;

use super::*;
use crate::{directory, instant};

pub(in crate::codec) fn finished() -> BoxedStrategy<instant::Finished> {
    (
        (key(), uetr(), fingerprint(), position(), position(), time()),
        (
            final_outcome(),
            service(),
            money(),
            money(),
            participant(),
            participant(),
        ),
    )
        .prop_map(
            |(
                (key, uetr, fingerprint, submitted, decided, decided_at),
                (outcome, service, amount, returned, debtor_agent, creditor_agent),
            )| instant::Finished {
                key,
                uetr,
                fingerprint,
                submitted,
                decided,
                decided_at,
                outcome,
                service,
                amount,
                returned,
                debtor_agent,
                creditor_agent,
            },
        )
        .boxed()
}

pub(in crate::codec) fn instant_command() -> BoxedStrategy<instant::Command> {
    use instant::Command;
    prop_oneof![
        4 => credit_transfer().prop_map(Command::CreditTransfer),
        2 => answer().prop_map(Command::Answer),
        1 => confirm_answer().prop_map(Command::ConfirmAnswer),
        2 => return_().prop_map(Command::Return),
        2 => (source(), references(), id("[A-Z0-9]{1,35}", CancellationId::parse), bic(), code(), option::of(history()))
            .prop_map(|(source, references, cancellation_id, instructing_agent, reason_code, original)| {
                Command::Recall(instant::Recall {
                    source, references, cancellation_id, instructing_agent, reason_code, original,
                })
            }),
        1 => (source(), references(), bic(), code()).prop_map(
            |(source, references, instructing_agent, reason_code)| {
                Command::Resolution(instant::Resolution { source, references, instructing_agent, reason_code })
            },
        ),
        1 => (source(), references(), key(), bic(), option::of(history())).prop_map(
            |(source, references, key, instructing_agent, original)| {
                Command::StatusRequest(instant::StatusRequest {
                    source, references, key, instructing_agent, original,
                })
            },
        ),
        1 => (source(), settings())
            .prop_map(|(source, settings)| Command::SetSettings { source, settings }),
        1 => (source(), service(), option::of(participant()), limits()).prop_map(
            |(source, service, participant, limits)| Command::SetLimits {
                source, service, participant, limits,
            },
        ),
        1 => (source(), code(), span(), span()).prop_map(|(source, reason_code, window, answer_within)| {
            Command::SetRecallRule {
                source,
                rule: instant::RecallRule { reason_code, window, answer_within },
            }
        }),
    ].boxed()
}

pub(in crate::codec) fn credit_transfer() -> BoxedStrategy<instant::CreditTransfer> {
    let parties = (bic(), bic(), iban(), person_id(), bic());
    let payee = (
        option::of(iban()),
        option::of(person_id()),
        option::of(alias_fact()),
        option::of(select(vec![
            instant::PayeeFact::Matched,
            instant::PayeeFact::Mismatch,
            instant::PayeeFact::Unknown,
        ])),
        option::of((id("[A-Z0-9]{1,35}", QrId::parse), any::<bool>())),
        option::of(history()),
    );
    let head = (
        source(),
        service(),
        references(),
        key(),
        fingerprint(),
        money(),
        time(),
    );
    (head, parties, payee)
        .prop_map(
            |(
                (source, service, references, key, fingerprint, amount, accepted),
                (instructing_agent, debtor_agent, debtor_account, debtor, creditor_agent),
                (creditor_account, creditor, alias, payee, qr, history),
            )| instant::CreditTransfer {
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
                qr: qr.map(|(id, dynamic)| instant::QrFact { id, dynamic }),
                history,
            },
        )
        .boxed()
}

pub(in crate::codec) fn alias_fact() -> BoxedStrategy<instant::AliasFact> {
    use instant::AliasResolution;
    let resolution = prop_oneof![
        (bic(), iban(), person_id()).prop_map(|(agent, iban, person)| AliasResolution::Found {
            agent,
            iban,
            person
        }),
        Just(AliasResolution::Unknown),
        Just(AliasResolution::Suspended),
    ];
    (
        any::<u64>(),
        position(),
        position(),
        option::of(position()),
        resolution,
    )
        .prop_map(
            |(alias, as_of, changed_at, expected, resolution)| instant::AliasFact {
                alias: directory::AliasKey(alias),
                as_of,
                changed_at,
                expected,
                resolution,
            },
        )
        .boxed()
}

pub(in crate::codec) fn answer() -> BoxedStrategy<instant::Answer> {
    use instant::Verdict;
    let verdict = prop_oneof![
        Just(Verdict::Accept),
        code().prop_map(|agent_code| Verdict::Reject { agent_code })
    ];
    (
        source(),
        message_id(),
        any::<u8>(),
        uetr(),
        transaction_id(),
        verdict,
    )
        .prop_map(
            |(source, message_id, message_version, uetr, transaction_id, verdict)| {
                instant::Answer {
                    source,
                    message_id,
                    message_version,
                    uetr,
                    transaction_id,
                    verdict,
                }
            },
        )
        .boxed()
}

pub(in crate::codec) fn confirm_answer() -> BoxedStrategy<instant::ConfirmAnswer> {
    (source(), message_id(), any::<u8>(), uetr(), any::<bool>())
        .prop_map(
            |(source, message_id, message_version, uetr, confirmed)| instant::ConfirmAnswer {
                source,
                message_id,
                message_version,
                uetr,
                confirmed,
            },
        )
        .boxed()
}

pub(in crate::codec) fn return_() -> BoxedStrategy<instant::Return> {
    (
        source(),
        references(),
        id("[A-Z0-9]{1,35}", ReturnId::parse),
        key(),
        fingerprint(),
        bic(),
        money(),
        code(),
        option::of(history()),
        option::of(history()),
    )
        .prop_map(
            |(
                source,
                references,
                return_id,
                key,
                fingerprint,
                instructing_agent,
                amount,
                reason_code,
                history,
                original,
            )| instant::Return {
                source,
                references,
                return_id,
                key,
                fingerprint,
                instructing_agent,
                amount,
                reason_code,
                history,
                original,
            },
        )
        .boxed()
}

pub(in crate::codec) fn settings() -> BoxedStrategy<instant::Settings> {
    (
        bic(),
        [span(), span(), span(), span(), span(), span()],
        any::<bool>(),
        any::<[u32; 4]>(),
    )
        .prop_map(
            |(switch_bic, spans, same_participant_allowed, tokens)| instant::Settings {
                switch_bic,
                payment_within: spans[0],
                receiver_within: spans[1],
                confirm_within: spans[2],
                clock_skew_max: spans[3],
                same_participant_allowed,
                return_window: spans[4],
                contest_window: spans[5],
                lookup_capacity: tokens[0],
                lookup_refill_per_s: tokens[1],
                lookup_hit_cost: tokens[2],
                lookup_miss_cost: tokens[3],
            },
        )
        .boxed()
}

pub(in crate::codec) fn limits() -> BoxedStrategy<instant::Limits> {
    (
        option::of(money()),
        option::of(money()),
        option::of(any::<u32>()),
        option::of(money()),
    )
        .prop_map(
            |(
                payment_max,
                customer_day_amount_max,
                customer_day_count_max,
                participant_day_amount_max,
            )| {
                instant::Limits {
                    payment_max,
                    customer_day_amount_max,
                    customer_day_count_max,
                    participant_day_amount_max,
                }
            },
        )
        .boxed()
}

pub(in crate::codec) fn history() -> BoxedStrategy<instant::History> {
    use instant::History;
    prop_oneof![
        position().prop_map(|as_of| History::Unknown { as_of }),
        (position(), finished()).prop_map(|(as_of, finished)| History::Known { as_of, finished }),
    ]
    .boxed()
}

pub(in crate::codec) fn final_outcome() -> BoxedStrategy<instant::FinalOutcome> {
    use instant::FinalOutcome;
    prop_oneof![
        Just(FinalOutcome::Settled),
        (reason(), option::of(code()))
            .prop_map(|(reason, agent_code)| FinalOutcome::Rejected { reason, agent_code }),
        Just(FinalOutcome::Tombstone),
    ]
    .boxed()
}
