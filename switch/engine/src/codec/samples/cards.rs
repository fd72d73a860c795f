//! One fixed command of every kind of the card rail.

use torap_domain::{
    CardReason, CardService, Date, Money, ParticipantId, Position, Span, Text, Time,
    card::{
        ApprovalCode, CardHash, Channel, EntryMode, InstitutionId, Mcc, MonthDay, Prefix,
        ResponseCode, Stan, Transmission, TruncatedPan,
    },
};

use super::operator;
use crate::cards::*;

/// In the order of the kinds.
pub(super) fn commands() -> Vec<Command> {
    let mut all = messages();
    all.extend(configuration());
    all
}

fn messages() -> Vec<Command> {
    vec![
        Command::Request(request()),
        Command::Advice(Advice {
            origin: origin(),
            repeat: true,
            transaction: transaction(),
            approval: Some(approval()),
            completes: Some(original()),
        }),
        Command::Reversal(Reversal {
            origin: origin(),
            repeat: true,
            advice: true,
            key: CardKey(*b"key of a reversa"),
            fingerprint: Fingerprint(*b"its fingerprint."),
            references: references(),
            card: card(),
            mac: MacFact::Good,
            original: original(),
            stands: Some(Money::kzt(500_000)),
        }),
        Command::Answer(Answer {
            origin: origin(),
            class: Class::Financial,
            trace: trace(),
            mac: MacFact::Good,
            verdict: Verdict::Approve {
                approval: Some(approval()),
                part: Some(Money::kzt(500_000)),
            },
        }),
        Command::SchemeAnswer(SchemeAnswer {
            origin: origin(),
            trace: trace(),
            mac: MacFact::NotRequired,
            declines: Some(code("62")),
        }),
        Command::Acknowledged(Acknowledged {
            origin: origin(),
            trace: trace(),
            mac: MacFact::Good,
            code: ResponseCode::APPROVED,
        }),
        Command::FileUpdate(FileUpdate {
            origin: origin(),
            trace: trace(),
            mac: MacFact::Good,
            card: card(),
            route: Some(route()),
            action: StopAction::Stop {
                cause: StopCause::Stolen,
            },
        }),
        Command::Reconciliation(Reconciliation {
            origin: origin(),
            trace: trace(),
            mac: MacFact::Good,
            advice: true,
            institution: Some(institution()),
            session: MonthDay::parse(b"1121").unwrap(),
            side: Side::Issuer,
            totals: totals(),
        }),
        Command::Administrative(Administrative {
            origin: origin(),
            trace: trace(),
            mac: MacFact::Good,
            advice: false,
            to: Some(institution()),
        }),
        Command::Network(Network {
            origin: origin(),
            trace: trace(),
            mac: MacFact::Good,
            action: NetworkAction::KeyChange { key_set: 7 },
        }),
        Command::Malformed(Malformed {
            origin: origin(),
            trace: Some(trace()),
            reason: CardReason::ProfileViolation,
            field: 55,
            rule: Text::truncated("field-missing"),
        }),
        Command::LinkUp {
            participant: ParticipantId(1),
            link: LinkNumber(12),
        },
        Command::LinkDown {
            participant: ParticipantId(1),
            link: LinkNumber(12),
        },
    ]
}

fn configuration() -> Vec<Command> {
    let source = operator();
    vec![
        Command::SetSettings {
            source,
            settings: settings(),
        },
        Command::SetBins {
            source,
            version: 3,
            ranges: vec![range()],
        },
        Command::SetFees {
            source,
            rows: vec![fee_row()],
        },
        Command::SetLifetimes {
            source,
            rows: vec![LifetimeRow {
                mcc_from: mcc(3501),
                mcc_to: mcc(3999),
                within: Span::from_secs(30 * 86_400),
                above_percent: 15,
            }],
        },
        Command::SetStandIn {
            source,
            number: 4,
            rule: Some(stand_in()),
        },
        Command::SetScheme {
            source,
            number: 2,
            scheme: Some(Scheme {
                host: ParticipantId(9),
                within: Span::from_millis(800),
                channels: Channels(Channel::Web.bit()),
                without: Without::CarryOn,
            }),
        },
        Command::SetMember {
            source,
            participant: ParticipantId(1),
            profile: profile(),
        },
        Command::StopList {
            source,
            card: card(),
            issuer: ParticipantId(2),
            action: StopAction::Release,
        },
        Command::CutOver { source },
        Command::SettleSession {
            source,
            session: Date::from_ymd(2026, 11, 21).unwrap(),
        },
        Command::Keys(KeyCommand::Order {
            source,
            participant: ParticipantId(1),
            uses: KeyUses {
                pin: true,
                mac: true,
            },
            length: KeyLength::AsBefore,
            overlap: KEY_OVERLAP,
        }),
        Command::Keys(KeyCommand::Made {
            participant: ParticipantId(1),
            ordered: Position(1000),
            made: Ok(NewKeys {
                set: 8,
                pin: Some(Text::truncated("A1B2C3")),
                mac: Some(Text::truncated("0102030405")),
            }),
        }),
        Command::Keys(KeyCommand::Answer(KeyAnswer {
            origin: origin(),
            trace: trace(),
            mac: MacFact::Good,
            code: ResponseCode::APPROVED,
            check_value: Some(Text::truncated("A1B2C3")),
        })),
        Command::Keys(KeyCommand::Cancel {
            source,
            participant: ParticipantId(1),
        }),
        Command::SetTables {
            source,
            parts: parts(),
        },
    ]
}

fn parts() -> Vec<TablePart> {
    vec![
        TablePart::Settings(settings()),
        TablePart::Member {
            participant: ParticipantId(1),
            profile: profile(),
        },
        TablePart::StandIn {
            number: 4,
            rule: Some(stand_in()),
        },
        TablePart::Scheme {
            number: 2,
            scheme: None,
        },
        TablePart::Bins {
            version: 3,
            ranges: vec![range()],
        },
        TablePart::Fees(vec![fee_row()]),
        TablePart::Lifetimes(Vec::new()),
    ]
}

/// The longest that occurs.
pub(in crate::codec) fn request() -> Request {
    Request {
        origin: origin(),
        repeat: true,
        transaction: transaction(),
        pin: PinFact::Translated,
        chip: ChipFact::Unchecked,
        token: true,
        partial_supported: true,
    }
}

pub(in crate::codec) fn finished() -> Finished {
    Finished {
        key: CardKey(*b"key of a purchas"),
        fingerprint: Fingerprint(*b"its fingerprint."),
        class: Class::Financial,
        decision: Decision::Approved {
            approval: Some(approval()),
            amount: Money::kzt(1_525_000),
            by: Decider::StandIn,
        },
        submitted: Position(1000),
        decided: Position(1002),
        decided_at: Time::parse("2026-11-21T09:15:27.123456789+05:00").unwrap(),
        references: references(),
        card: card(),
        service: CardService::Purchase,
        channel: Channel::Pos,
        mcc: mcc(5411),
        product: 3,
        amount: Money::kzt(1_525_000),
        acquirer: ParticipantId(1),
        issuer: ParticipantId(2),
        asked: Some(trace()),
        session: Date::from_ymd(2026, 11, 21).unwrap(),
        fees: Some(Fees {
            interchange: Money::kzt(16_775),
            interchange_to: Side::Issuer,
            switch_acquirer: Money::kzt(300),
            switch_issuer: Money::kzt(200),
        }),
    }
}

pub(in crate::codec) fn known() -> Known {
    Known {
        submitted: Position(77),
        at: Time::EPOCH,
        transaction: transaction(),
        acquirer: ParticipantId(7),
        issuer: ParticipantId(8),
        approval: Some(approval()),
        approved: Money::kzt(1_000_000),
        stands: Money::kzt(900_000),
        asked: Some(trace()),
    }
}

/// A purchase that is known, and a refund that is not.
pub(in crate::codec) fn present() -> Command {
    let line = Line {
        number: 1,
        kind: LineKind::Purchase,
        key: CardKey(*b"key of the line."),
        reference: Text::truncated("ARN0001"),
        retrieval: Text::truncated("632500000001"),
        terminal: Text::truncated("TERM0001"),
        card: card().pan,
        approval: Some(approval()),
        amount: Money::kzt(1_000_000),
        date: Date::from_days(20_000),
        mcc: mcc(5411),
        presented: false,
        known: Some(known()),
    };
    let refund = Line {
        number: 2,
        kind: LineKind::Refund,
        approval: None,
        presented: true,
        known: None,
        ..line
    };
    Command::Present(Present {
        source: operator(),
        participant: ParticipantId(7),
        piece: crate::clearing::Piece {
            file: crate::clearing::FileKey(*b"key of the file."),
            number: 1,
            last: true,
        },
        header: Header {
            file_id: Text::truncated("FILE-1"),
            date: Date::from_days(20_000),
            lines: 2,
            purchases: 1_000_000,
            refunds: 1_000_000,
        },
        lines: vec![line, refund],
    })
}

fn transaction() -> Transaction {
    Transaction {
        class: Class::Financial,
        key: CardKey(*b"key of a purchas"),
        fingerprint: Fingerprint(*b"its fingerprint."),
        references: references(),
        card: card(),
        route: Some(route()),
        service: CardService::PurchaseWithCashBack,
        channel: Channel::Pos,
        entry: EntryMode::Contactless,
        mcc: mcc(5411),
        amount: Money::kzt(1_525_000),
        cash_back: Money::kzt(500_000),
        mac: MacFact::Good,
    }
}

fn settings() -> Settings {
    Settings {
        whole_within: Span::from_secs(20),
        issuer_within: Span::from_secs(12),
        queue_within: Span::from_secs(15),
        queue_within_max: Span::from_secs(300),
        transmission_ahead_max: Span::from_secs(300),
        transmission_age_max: Span::from_secs(3600),
        cut_over_at: Some(Span::from_secs(20 * 3600)),
        cap_alert_percent: 80,
        cap_declines: Services(0b11),
        bounds: Bounds {
            in_flight_max: 65_536,
            window_entries: 8_388_608,
            authorisations_max: 2_097_152,
            queue_max: 1_048_576,
            stop_list_max: 4_194_304,
            stand_in_cards_max: 1_048_576,
        },
    }
}

fn range() -> BinRange {
    BinRange {
        prefix: Prefix::parse("98601234").unwrap(),
        issuer: ParticipantId(2),
        product: 3,
        scheme: 0,
        local: true,
        stand_in: 4,
        from: Time::EPOCH,
        until: Some(Time::parse("2030-01-01T00:00:00+05:00").unwrap()),
    }
}

fn fee_row() -> FeeRow {
    let rate = Rate {
        fixed: Money::kzt(100),
        millionths: 11_000,
        least: Money::kzt(0),
        most: Some(Money::kzt(1_000_000)),
    };
    FeeRow {
        product: Some(3),
        service: Some(CardService::Purchase),
        channel: Some(Channel::Pos),
        mcc_from: mcc(0),
        mcc_to: mcc(9999),
        amount_from: Money::kzt(0),
        amount_to: Money::kzt(u64::MAX),
        from: Time::EPOCH,
        until: None,
        tariff: Tariff {
            interchange: rate,
            interchange_to: Side::Issuer,
            switch_acquirer: rate,
            switch_issuer: rate,
        },
    }
}

fn stand_in() -> StandIn {
    StandIn {
        services: Services(0b1),
        channels: Channels(0b1110),
        amount_max: Money::kzt(3_000_000),
        day_amount_max: Money::kzt(10_000_000),
        day_count_max: 5,
        pin_delegated: true,
        cryptogram_keys: false,
        floor: Money::kzt(1_000_000),
    }
}

fn profile() -> Profile {
    Profile {
        roles: Roles {
            acquirer: true,
            issuer: true,
            scheme: false,
        },
        institutions: vec![institution()],
        host: Some(ParticipantId(5)),
        dialect: Text::truncated("national"),
        mac: true,
        key_set: 7,
        services: Services::ALL,
        cap: Some(Money::kzt(100_000_000_000)),
    }
}

fn totals() -> Totals {
    let sum = |count, tiyn| Sum {
        count,
        amount: Money::kzt(tiyn),
    };
    Totals {
        debits: sum(10, 1000),
        debit_reversals: sum(1, 100),
        credits: sum(2, 200),
        credit_reversals: sum(0, 0),
        fees_paid: Money::kzt(20),
        fees_received: Money::kzt(10),
    }
}

fn origin() -> Origin {
    Origin {
        participant: ParticipantId(1),
        link: LinkNumber(12),
    }
}

fn references() -> References {
    References {
        trace: trace(),
        acquirer: institution(),
        retrieval: Text::truncated("632512123456"),
        terminal: Text::truncated("TERM0001"),
    }
}

fn original() -> Original {
    Original {
        key: CardKey(*b"key of the first"),
        class: Class::Authorisation,
        trace: trace(),
    }
}

fn trace() -> Trace {
    Trace {
        transmitted: Transmission::parse(b"1121041527").unwrap(),
        stan: Stan::new(123_456).unwrap(),
    }
}

fn card() -> Card {
    Card {
        hash: CardHash(*b"hash of a number"),
        pan: TruncatedPan::from_parts(986_012, 3456, 16).unwrap(),
    }
}

fn route() -> Route {
    Route {
        version: 3,
        range: 17,
    }
}

fn institution() -> InstitutionId {
    InstitutionId::parse("00700001").unwrap()
}

fn approval() -> ApprovalCode {
    ApprovalCode::parse(b"A1B2C3").unwrap()
}

fn code(text: &str) -> ResponseCode {
    ResponseCode::parse(text.as_bytes()).unwrap()
}

fn mcc(value: u16) -> Mcc {
    Mcc::new(value).unwrap()
}
