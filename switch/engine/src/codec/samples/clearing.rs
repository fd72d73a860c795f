//! One fixed command of every kind of the clearing system.

use torap_clearing::{Priority, SessionId};
use torap_domain::*;

use super::{bic, iban, link, message_id, operator, person, references, transaction_id, uetr};
use crate::{
    Message, Status,
    clearing::{
        Beneficiaries, Cancellation, Command, FileKey, Line, LineRule, ListUse, Order, Party,
        Piece, PurposeRow, RefusedLine, RefusedOrder, Settings, Submit,
    },
    instant::{Fingerprint, PaymentKey},
};

pub(in crate::codec) fn commands() -> [Command; 4] {
    [
        Command::Submit(Submit {
            source: link(),
            message_id: message_id(),
            message_version: 10,
            instructing_agent: bic("CASPKZKA"),
            piece: Some(Piece {
                file: FileKey(*b"a file of items."),
                number: 7,
                last: true,
            }),
            items: vec![tax(), plain()],
            refused: Vec::new(),
        }),
        Command::Withdraw {
            source: operator(),
            uetr: uetr(),
        },
        Command::Close { source: operator() },
        Command::SetSettings {
            source: operator(),
            settings: Settings {
                amount_max: Money::kzt(500_000_000),
                closes_at: [11, 15].map(|hour| Span::from_secs(hour * 3600)).to_vec(),
                days_ahead: 3,
                items_max: 2_097_152,
                days: vec![
                    (date("2026-12-31"), DayOverride::Closed),
                    (date("2027-01-09"), DayOverride::Working),
                ],
            },
        },
    ]
}

/// Taxes to two accounts, and one purpose to one.
pub(super) fn purposes() -> Command {
    let row = |from: &str, to: &str, accounts: Vec<Iban>| PurposeRow {
        from: Knp::parse(from).unwrap(),
        to: Knp::parse(to).unwrap(),
        accounts,
        list: ListUse::Allowed,
    };
    Command::SetPurposes {
        source: operator(),
        rows: vec![
            row("010", "010", vec![plain().creditor.account]),
            row(
                "901",
                "999",
                vec![tax().creditor.account, tax().debtor.account],
            ),
        ],
    }
}

/// Behind a command of IMTS, in the order of numbers.
pub(in crate::codec) fn cancel() -> Command {
    Command::Cancel(Cancellation {
        source: link(),
        key: PaymentKey(*b"key of an item.."),
        references: references(),
        cancellation_id: CancellationId::parse("CXL-1").unwrap(),
        instructing_agent: bic("CASPKZKA"),
    })
}

/// A message of which an item is refused, behind a command of IMTS.
pub(in crate::codec) fn part() -> Command {
    Command::Submit(Submit {
        source: link(),
        message_id: message_id(),
        message_version: 1,
        instructing_agent: bic("CASPKZKA"),
        piece: None,
        items: vec![Order {
            list: Some(Beneficiaries {
                lines: 3,
                start: 1_234,
                length: 900,
                digest: *b"digest of a list",
            }),
            ..plain()
        }],
        refused: vec![RefusedOrder {
            number: 2,
            instruction_id: None,
            end_to_end_id: Some(Text::truncated("E2E-1")),
            transaction_id: Some(Text::truncated("TX-1")),
            uetr: Some(uetr()),
            code: Text::truncated("AC03"),
            text: Text::truncated("CdtTrfTxInf[2]/CdtrAcct/Id/IBAN iban-check-digits: not an IBAN"),
            lines: vec![RefusedLine {
                number: 3,
                rule: LineRule::Period,
            }],
            more: 1,
        }],
    })
}

/// A purpose that has a list.
pub(in crate::codec) fn lists() -> Command {
    Command::SetPurposes {
        source: operator(),
        rows: vec![PurposeRow {
            from: Knp::parse("010").unwrap(),
            to: Knp::parse("012").unwrap(),
            accounts: vec![plain().creditor.account],
            list: ListUse::Required,
        }],
    }
}

/// Outbound messages of the clearing system, each with every field.
pub(in crate::codec) fn messages() -> [Message; 4] {
    let session = SessionId {
        date: date("2026-11-23"),
        number: 2,
    };
    [
        Message::ClearingStatus {
            original: Position(1000),
            first: 64,
            items: 0x8000_0000_0000_0005,
            status: Status::Rejected {
                reason: Reason::InsufficientFunds,
                agent_code: None,
            },
            session: Some(session),
        },
        Message::ClearingForward {
            original: Position(1000),
            first: 128,
            items: 0b1010,
            session,
        },
        Message::ClearingReport {
            session,
            sent: 1_000,
            debits: Money::kzt(123_456_789),
            received: 900,
            credits: Money::kzt(987_654_321),
            left_out: 3,
            left_out_amount: Money::kzt(3_000),
        },
        Message::ClearingRefused {
            original: Position(1000),
            first: 64,
            items: 0b11,
        },
    ]
}

/// With every optional field.
fn tax() -> Order {
    Order {
        key: PaymentKey(*b"key of an item.."),
        fingerprint: Fingerprint(*b"its fingerprint."),
        uetr: uetr(),
        transaction_id: transaction_id(),
        instruction_id: Some(InstructionId::parse("INSTR-1").unwrap()),
        end_to_end_id: EndToEndId::parse("E2E-1").unwrap(),
        amount: Money::kzt(4_250_000),
        value_date: date("2026-11-23"),
        priority: Priority::High,
        debtor: Party {
            agent: bic("CASPKZKA"),
            account: iban(722, "C000004100100"),
            number: person(90_010_112_345),
            name: Line::parse("Ертай Болатұлы").unwrap(),
            sector: SectorCode::parse("19").unwrap(),
        },
        creditor: Party {
            agent: bic("HSBKKZKX"),
            account: iban(601, "A000007200200"),
            number: person(90_010_112_346),
            name: Line::parse("Айгүл Сериковна").unwrap(),
            sector: SectorCode::parse("17").unwrap(),
        },
        purpose: Knp::parse("911").unwrap(),
        remittance: Line::parse("Налог за ноябрь"),
        list: None,
    }
}

fn plain() -> Order {
    Order {
        uetr: Uetr::from_random([5; 16]),
        instruction_id: None,
        priority: Priority::Normal,
        remittance: None,
        ..tax()
    }
}

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}
