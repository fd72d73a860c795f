//! Arbitrary values of everything that is stored. Each strategy is boxed: nested, they would not fit on a test's stack.

mod aliases;
mod ancillary;
mod approval;
mod cards;
mod clearing;
mod disputes;
mod mass;
mod others;
mod payments;
mod reports;
mod settlement;
mod streams;
mod tariffs;

pub(super) use aliases::*;
pub(super) use ancillary::ancillary_command;
pub(super) use approval::approval_command;
pub(super) use cards::{card_finished, cards_command};
pub(super) use clearing::{clearing_command, clearing_message};
pub(super) use disputes::disputes_command;
pub(super) use mass::{mass_command, mass_message};
pub(super) use others::*;
pub(super) use payments::*;
pub(super) use reports::reports_command;
pub(super) use settlement::{settlement_command, settlement_message};
pub(super) use streams::*;
pub(super) use tariffs::tariffs_command;

use proptest::{
    array::{uniform4, uniform16},
    option,
    prelude::*,
    sample::select,
};
use torap_domain::*;

use crate::{Bounds, Command, References, Source, instant, schedule};

/// Any command; every kind is reached.
pub(super) fn command() -> BoxedStrategy<Command> {
    prop_oneof![
        8 => instant_command().prop_map(Command::Instant),
        3 => directory_command().prop_map(Command::Directory),
        2 => qr_command().prop_map(Command::Qr),
        3 => links_command().prop_map(Command::Links),
        4 => participants_command().prop_map(Command::Participants),
        6 => cards_command().prop_map(Command::Cards),
        5 => settlement_command().prop_map(Command::Settlement),
        3 => clearing_command().prop_map(Command::Clearing),
        3 => ancillary_command().prop_map(Command::Ancillary),
        2 => tariffs_command().prop_map(Command::Tariffs),
        1 => mass_command().prop_map(Command::Mass),
        3 => disputes_command().prop_map(Command::Disputes),
        3 => reports_command().prop_map(Command::Reports),
        1 => approval_command().prop_map(Command::Approval),
        1 => Just(Command::Tick),
        1 => schedule_command().prop_map(Command::Schedule),
        1 => (any::<u32>(), text::<64>())
            .prop_map(|(epoch, binary)| Command::Start { epoch: Epoch(epoch), binary }),
        1 => (source(), any::<u32>())
            .prop_map(|(source, version)| Command::Rules { source, version }),
        1 => (position(), any::<u64>()).prop_map(|(upto, digest)| Command::Mark { upto, digest }),
        1 => (source(), any::<[u32; 6]>()).prop_map(|(source, [a, b, c, d, e, f])| {
            let bounds = Bounds {
                duplicate_window_entries: a,
                in_flight_max: b,
                customers_per_day_max: c,
                open_recalls_max: d,
                open_qr_codes_max: e,
                recent_alias_changes_max: f,
            };
            Command::Bounds { source, bounds }
        }),
    ]
    .boxed()
}

fn schedule_command() -> BoxedStrategy<schedule::Command> {
    let change = prop_oneof![
        participants_command().prop_map(Command::Participants),
        (source(), any::<u32>()).prop_map(|(source, version)| Command::Rules { source, version }),
    ];
    prop_oneof![
        (source(), time(), change).prop_map(|(source, at, command)| schedule::Command::Order {
            source,
            at,
            command: Box::new(command),
        }),
        (source(), time(), position()).prop_map(|(source, at, id)| schedule::Command::Withdraw {
            source,
            at,
            id
        }),
    ]
    .boxed()
}

fn source() -> BoxedStrategy<Source> {
    prop_oneof![
        (participant(), sequence()).prop_map(|(participant, sequence)| Source::Link {
            participant,
            sequence
        }),
        (text::<35>(), text::<35>())
            .prop_map(|(name, reference)| Source::Operator { name, reference }),
        Just(Source::Switch),
    ]
    .boxed()
}

fn references() -> BoxedStrategy<References> {
    (
        message_id(),
        option::of(id("[A-Za-z0-9/-]{1,35}", InstructionId::parse)),
        option::of(id("[A-Za-z0-9/-]{1,35}", EndToEndId::parse)),
        transaction_id(),
        uetr(),
        any::<u8>(),
    )
        .prop_map(
            |(message_id, instruction_id, end_to_end_id, transaction_id, uetr, message_version)| {
                References {
                    message_id,
                    instruction_id,
                    end_to_end_id,
                    transaction_id,
                    uetr,
                    message_version,
                }
            },
        )
        .boxed()
}

/// Text in three alphabets, cut to what fits.
fn text<const N: usize>() -> BoxedStrategy<Text<N>> {
    "[ -~А-Яа-яӘәҚқ]{0,200}"
        .prop_map(|text| Text::truncated(&text))
        .boxed()
}

fn id<T: std::fmt::Debug + 'static, E: std::fmt::Debug + 'static>(
    pattern: &'static str,
    parse: fn(&str) -> Result<T, E>,
) -> BoxedStrategy<T> {
    pattern.prop_map(move |text| parse(&text).unwrap()).boxed()
}

fn message_id() -> BoxedStrategy<MessageId> {
    id("[A-Za-z0-9/-]{1,35}", MessageId::parse).boxed()
}

fn transaction_id() -> BoxedStrategy<TransactionId> {
    id("[A-Za-z0-9/-]{1,35}", TransactionId::parse).boxed()
}

fn bic() -> BoxedStrategy<Bic> {
    id("[A-Z]{4}KZ[A-Z0-9]{2}([A-Z0-9]{3})?", Bic::parse).boxed()
}

fn iban() -> BoxedStrategy<Iban> {
    (0_u16..1000, "[0-9A-Z]{13}")
        .prop_map(|(bank, account)| {
            Iban::for_kz(BankCode::from_value(bank).unwrap(), &account).unwrap()
        })
        .boxed()
}

fn person_id() -> BoxedStrategy<IinBin> {
    (0_u64..100_000_000_000)
        .prop_filter_map("never issued", IinBin::with_check)
        .boxed()
}

fn phone() -> BoxedStrategy<Phone> {
    (select(vec![701_u64, 747, 777]), 0_u64..10_000_000)
        .prop_map(|(prefix, rest)| {
            Phone::from_value(70_000_000_000 + prefix * 10_000_000 + rest).unwrap()
        })
        .boxed()
}

fn uetr() -> BoxedStrategy<Uetr> {
    any::<[u8; 16]>().prop_map(Uetr::from_random).boxed()
}

fn key() -> BoxedStrategy<instant::PaymentKey> {
    uniform16(any::<u8>()).prop_map(instant::PaymentKey).boxed()
}

fn fingerprint() -> BoxedStrategy<instant::Fingerprint> {
    uniform16(any::<u8>())
        .prop_map(instant::Fingerprint)
        .boxed()
}

fn code() -> BoxedStrategy<[u8; 4]> {
    uniform4(any::<u8>()).boxed()
}

fn money() -> BoxedStrategy<Money> {
    any::<u64>().prop_map(Money::kzt).boxed()
}

fn position() -> BoxedStrategy<Position> {
    any::<u64>().prop_map(Position).boxed()
}

fn sequence() -> BoxedStrategy<Sequence> {
    any::<u64>().prop_map(Sequence).boxed()
}

fn participant() -> BoxedStrategy<ParticipantId> {
    any::<u16>().prop_map(ParticipantId).boxed()
}

fn time() -> BoxedStrategy<Time> {
    any::<u64>().prop_map(Time::from_nanos).boxed()
}

fn span() -> BoxedStrategy<Span> {
    any::<u64>().prop_map(Span::from_nanos).boxed()
}

fn service() -> BoxedStrategy<Service> {
    select(Service::ALL.to_vec()).boxed()
}

fn reason() -> BoxedStrategy<Reason> {
    select(Reason::ALL.to_vec()).boxed()
}
