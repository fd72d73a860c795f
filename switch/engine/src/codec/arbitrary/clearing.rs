//! Arbitrary values of the clearing system.

use proptest::{option, prelude::*, sample::select};
use torap_clearing::{Priority, SessionId};
use torap_domain::*;

use super::*;
use crate::instant::PaymentKey;
use crate::{
    Message, Status,
    clearing::{
        Cancellation, Command, FileKey, Line, Order, Party, Piece, PurposeRow, Settings, Submit,
    },
};

pub(in crate::codec) fn clearing_command() -> BoxedStrategy<Command> {
    prop_oneof![
        3 => submit().prop_map(Command::Submit),
        1 => (source(), uetr()).prop_map(|(source, uetr)| Command::Withdraw { source, uetr }),
        1 => source().prop_map(|source| Command::Close { source }),
        1 => (source(), settings())
            .prop_map(|(source, settings)| Command::SetSettings { source, settings }),
        1 => (source(), prop::collection::vec(purpose_row(), 0..3))
            .prop_map(|(source, rows)| Command::SetPurposes { source, rows }),
        1 => (source(), any::<[u8; 16]>(), references(), message_id(), bic()).prop_map(
            |(source, key, references, id, instructing_agent)| Command::Cancel(Cancellation {
                source,
                key: PaymentKey(key),
                references,
                cancellation_id: CancellationId::parse(id.as_str()).unwrap(),
                instructing_agent,
            })
        ),
    ]
    .boxed()
}

fn purpose_row() -> BoxedStrategy<PurposeRow> {
    let knp = || (0_u16..1_000).prop_map(|code| Knp::from_value(code).unwrap());
    (knp(), knp(), prop::collection::vec(iban(), 0..3))
        .prop_map(|(from, to, accounts)| PurposeRow {
            from,
            to,
            accounts,
            list: crate::clearing::ListUse::Allowed,
        })
        .boxed()
}

pub(in crate::codec) fn clearing_message() -> BoxedStrategy<Message> {
    let status = prop_oneof![
        Just(Status::Pending),
        Just(Status::Settled),
        reason().prop_map(|reason| Status::Rejected {
            reason,
            agent_code: None
        }),
    ];
    let sums = ((any::<u32>(), money()), (any::<u32>(), money()));
    prop_oneof![
        (
            position(),
            any::<u16>(),
            any::<u64>(),
            status,
            option::of(session())
        )
            .prop_map(|(original, first, items, status, session)| {
                Message::ClearingStatus {
                    original,
                    first,
                    items,
                    status,
                    session,
                }
            }),
        (position(), any::<u16>(), any::<u64>(), session()).prop_map(
            |(original, first, items, session)| Message::ClearingForward {
                original,
                first,
                items,
                session,
            }
        ),
        (position(), any::<u16>(), any::<u64>()).prop_map(|(original, first, items)| {
            Message::ClearingRefused {
                original,
                first,
                items,
            }
        }),
        (session(), sums, any::<u32>(), money()).prop_map(
            |(session, ((sent, debits), (received, credits)), left_out, left_out_amount)| {
                Message::ClearingReport {
                    session,
                    sent,
                    debits,
                    received,
                    credits,
                    left_out,
                    left_out_amount,
                }
            }
        ),
    ]
    .boxed()
}

fn submit() -> BoxedStrategy<Submit> {
    let piece =
        (any::<[u8; 16]>(), any::<u32>(), any::<bool>()).prop_map(|(file, number, last)| Piece {
            file: FileKey(file),
            number,
            last,
        });
    let items = prop::collection::vec(order(), 0..4);
    (
        source(),
        message_id(),
        any::<u8>(),
        bic(),
        option::of(piece),
        items,
    )
        .prop_map(
            |(source, message_id, message_version, instructing_agent, piece, items)| Submit {
                source,
                message_id,
                message_version,
                instructing_agent,
                piece,
                items,
                refused: Vec::new(),
            },
        )
        .boxed()
}

fn order() -> BoxedStrategy<Order> {
    let identifiers = (
        key(),
        fingerprint(),
        uetr(),
        transaction_id(),
        option::of(id("[A-Za-z0-9/-]{1,35}", InstructionId::parse)),
        id("[A-Za-z0-9/-]{1,35}", EndToEndId::parse),
    );
    let terms = (money(), date(), select(&Priority::ALL[..]), 0_u16..=999);
    (identifiers, terms, party(), party(), option::of(line()))
        .prop_map(|(identifiers, terms, debtor, creditor, remittance)| {
            let (key, fingerprint, uetr, transaction_id, instruction_id, end_to_end_id) =
                identifiers;
            let (amount, value_date, priority, purpose) = terms;
            Order {
                key,
                fingerprint,
                uetr,
                transaction_id,
                instruction_id,
                end_to_end_id,
                amount,
                value_date,
                priority,
                debtor,
                creditor,
                purpose: Knp::from_value(purpose).unwrap(),
                remittance,
                list: None,
            }
        })
        .boxed()
}

fn party() -> BoxedStrategy<Party> {
    let sector = (1_u8..=2, 1_u8..=9);
    (bic(), iban(), person_id(), line(), sector)
        .prop_map(
            |(agent, account, number, name, (residency, sector))| Party {
                agent,
                account,
                number,
                name,
                sector: SectorCode::from_value(residency * 10 + sector).unwrap(),
            },
        )
        .boxed()
}

fn settings() -> BoxedStrategy<Settings> {
    let day = (date(), any::<bool>()).prop_map(|(date, worked)| {
        let what = if worked {
            DayOverride::Working
        } else {
            DayOverride::Closed
        };
        (date, what)
    });
    (
        money(),
        prop::collection::vec(span(), 0..4),
        any::<u8>(),
        any::<u32>(),
        prop::collection::vec(day, 0..3),
    )
        .prop_map(
            |(amount_max, closes_at, days_ahead, items_max, days)| Settings {
                amount_max,
                closes_at,
                days_ahead,
                items_max,
                days,
            },
        )
        .boxed()
}

fn session() -> BoxedStrategy<SessionId> {
    (date(), any::<u8>())
        .prop_map(|(date, number)| SessionId { date, number })
        .boxed()
}

fn date() -> BoxedStrategy<Date> {
    any::<i32>().prop_map(Date::from_days).boxed()
}

fn line() -> BoxedStrategy<Line<140>> {
    "[а-яa-z0-9 ]{1,140}"
        .prop_map(|text| Line::parse(&text).unwrap())
        .boxed()
}
