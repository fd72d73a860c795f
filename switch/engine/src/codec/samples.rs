//! One fixed command of every kind, whose bytes the golden files hold.

mod ancillary;
mod approval;
pub(super) mod cards;
pub(super) mod clearing;
mod disputes;
pub(super) mod mass;
pub(super) mod reports;
pub(super) mod settlement;
mod tariffs;

use torap_domain::*;

use crate::{
    Bounds, Command, Message, Outbound, References, Source, Standing, Status, directory, instant,
    links, participants, qr, schedule,
};

/// One command of every kind, in the order of the kinds.
pub(super) fn commands() -> Vec<Command> {
    let mut all: Vec<Command> = Vec::new();
    all.extend(instant_commands().into_iter().map(Command::Instant));
    all.extend(directory_commands().into_iter().map(Command::Directory));
    all.extend(qr_commands().into_iter().map(Command::Qr));
    all.extend(links_commands().into_iter().map(Command::Links));
    all.extend(
        participants_commands()
            .into_iter()
            .map(Command::Participants),
    );
    all.extend([
        Command::Schedule(schedule::Command::Order {
            source: operator(),
            at: time(),
            command: Box::new(Command::Rules {
                source: operator(),
                version: 1,
            }),
        }),
        Command::Schedule(schedule::Command::Withdraw {
            source: operator(),
            at: time(),
            id: Position(77),
        }),
        Command::Tick,
        Command::Start {
            epoch: Epoch(3),
            binary: Text::truncated("torap 0.1.0"),
        },
        Command::Rules {
            source: operator(),
            version: 1,
        },
        Command::Mark {
            upto: Position(4096),
            digest: 0x0123_4567_89ab_cdef,
        },
        Command::Bounds {
            source: operator(),
            bounds: Bounds {
                duplicate_window_entries: 16_777_216,
                in_flight_max: 65_536,
                customers_per_day_max: 4_194_304,
                open_recalls_max: 100_000,
                open_qr_codes_max: 1_000_000,
                recent_alias_changes_max: 65_536,
            },
        },
    ]);
    all.extend(cards::commands().into_iter().map(Command::Cards));
    all.extend(settlement::commands().into_iter().map(Command::Settlement));
    all.extend(clearing::commands().into_iter().map(Command::Clearing));
    let later = settlement::later_commands();
    all.extend(later.into_iter().map(Command::Settlement));
    all.push(Command::Clearing(clearing::cancel()));
    all.extend(ancillary::commands().into_iter().map(Command::Ancillary));
    all.extend(tariffs::commands().into_iter().map(Command::Tariffs));
    all.extend(mass::commands().into_iter().map(Command::Mass));
    all.extend(disputes::commands().into_iter().map(Command::Disputes));
    all.extend(reports::commands().into_iter().map(Command::Reports));
    all.push(Command::Cards(cards::present()));
    all.push(Command::Disputes(disputes::open_card()));
    all.extend(approval::commands().into_iter().map(Command::Approval));
    all.push(Command::Clearing(clearing::purposes()));
    all.push(Command::Settlement(settlement::modification()));
    all.push(Command::Clearing(clearing::part()));
    all.push(Command::Clearing(clearing::lists()));
    all.extend(mass::later_commands().into_iter().map(Command::Mass));
    all
}

/// A payment by phone with a dynamic QR code and all facts: the longest that occurs.
pub(super) fn credit_transfer() -> instant::CreditTransfer {
    instant::CreditTransfer {
        source: link(),
        service: Service::C2cPhone,
        references: references(),
        key: instant::PaymentKey(*b"key of a payment"),
        fingerprint: instant::Fingerprint(*b"its fingerprint."),
        amount: Money::kzt(1_525_000),
        accepted: time(),
        instructing_agent: bic("CASPKZKA"),
        debtor_agent: bic("CASPKZKA"),
        debtor_account: iban(722, "C000004100100"),
        debtor: person(90_010_112_345),
        creditor_agent: bic("TORPKZKA"),
        creditor_account: Some(iban(125, "KZT5004100100")),
        creditor: Some(person(85_121_254_321)),
        alias: Some(instant::AliasFact {
            alias: directory::AliasKey(0x1122_3344_5566_7788),
            as_of: Position(999),
            changed_at: Position(500),
            expected: Some(Position(500)),
            resolution: instant::AliasResolution::Found {
                agent: bic("HSBKKZKX"),
                iban: iban(601, "A000007200200"),
                person: person(85_121_254_321),
            },
        }),
        payee: Some(instant::PayeeFact::Unknown),
        qr: Some(instant::QrFact {
            id: QrId::parse("QR-2026-000017").unwrap(),
            dynamic: true,
        }),
        history: Some(instant::History::Unknown {
            as_of: Position(999),
        }),
    }
}

pub(super) fn finished() -> instant::Finished {
    instant::Finished {
        key: instant::PaymentKey(*b"key of a payment"),
        uetr: uetr(),
        fingerprint: instant::Fingerprint(*b"its fingerprint."),
        submitted: Position(1000),
        decided: Position(1002),
        decided_at: time(),
        outcome: instant::FinalOutcome::Rejected {
            reason: Reason::ReceiverRejected,
            agent_code: Some(*b"AC04"),
        },
        service: Service::Qr,
        amount: Money::kzt(1_525_000),
        returned: Money::kzt(25_000),
        debtor_agent: ParticipantId(1),
        creditor_agent: ParticipantId(2),
    }
}

pub(super) fn record() -> directory::Record {
    directory::Record {
        phone: phone(),
        persons: vec![directory::Person {
            person: person(85_121_254_321),
            accounts: vec![account()],
            default: 0,
            claim: Some(directory::Claim {
                at: Position(70),
                time: time(),
                gaining: ParticipantId(2),
                losing: ParticipantId(3),
                consent: Text::truncated("CONSENT-1"),
                contested: true,
            }),
        }],
        suspended: true,
        changed_at: Position(500),
    }
}

/// The longest entry: a rejection with the bank's own code that also expires.
pub(super) fn outbound() -> Outbound {
    Outbound {
        to: ParticipantId(2),
        sequence: Sequence(77),
        cause: Position(1002),
        time: time(),
        expires: Some(time()),
        message: Message::Status {
            original: Position(1000),
            status: Status::Rejected {
                reason: Reason::ReceiverRejected,
                agent_code: Some(*b"AC04"),
            },
            decided: Position(1002),
            decided_at: time(),
            repeat: true,
        },
    }
}

fn instant_commands() -> [instant::Command; 10] {
    use instant::Command;
    [
        Command::CreditTransfer(credit_transfer()),
        Command::Answer(instant::Answer {
            source: link(),
            message_id: message_id(),
            message_version: 12,
            uetr: uetr(),
            transaction_id: transaction_id(),
            verdict: instant::Verdict::Reject {
                agent_code: *b"AC04",
            },
        }),
        Command::ConfirmAnswer(instant::ConfirmAnswer {
            source: link(),
            message_id: message_id(),
            message_version: 3,
            uetr: uetr(),
            confirmed: true,
        }),
        Command::Return(instant::Return {
            source: link(),
            references: references(),
            return_id: ReturnId::parse("RTR-1").unwrap(),
            key: instant::PaymentKey(*b"key of a return."),
            fingerprint: instant::Fingerprint(*b"its fingerprint."),
            instructing_agent: bic("HSBKKZKX"),
            amount: Money::kzt(25_000),
            reason_code: *b"CUST",
            history: Some(instant::History::Unknown {
                as_of: Position(999),
            }),
            original: Some(instant::History::Known {
                as_of: Position(999),
                finished: finished(),
            }),
        }),
        Command::Recall(instant::Recall {
            source: link(),
            references: references(),
            cancellation_id: CancellationId::parse("CXL-1").unwrap(),
            instructing_agent: bic("CASPKZKA"),
            reason_code: *b"DUPL",
            original: None,
        }),
        Command::Resolution(instant::Resolution {
            source: link(),
            references: references(),
            instructing_agent: bic("HSBKKZKX"),
            reason_code: *b"LEGL",
        }),
        Command::StatusRequest(instant::StatusRequest {
            source: link(),
            references: references(),
            key: instant::PaymentKey(*b"key of a payment"),
            instructing_agent: bic("CASPKZKA"),
            original: None,
        }),
        Command::SetSettings {
            source: operator(),
            settings: settings(),
        },
        Command::SetLimits {
            source: operator(),
            service: Service::Qr,
            participant: Some(ParticipantId(4)),
            limits: instant::Limits {
                payment_max: Some(Money::kzt(100_000_000)),
                customer_day_amount_max: None,
                customer_day_count_max: Some(50),
                participant_day_amount_max: None,
            },
        },
        Command::SetRecallRule {
            source: operator(),
            rule: instant::RecallRule {
                reason_code: *b"DUPL",
                window: Span::from_secs(14 * 86_400),
                answer_within: Span::from_secs(21 * 86_400),
            },
        },
    ]
}

fn directory_commands() -> [directory::Command; 3] {
    use directory::Command;
    [
        Command::Change(directory::Change {
            source: link(),
            reference: message_id(),
            phone: phone(),
            person: person(85_121_254_321),
            action: directory::Action::Register { account: account() },
            found: directory::Found {
                as_of: Position(999),
                record: Some(record()),
            },
        }),
        Command::LookUp(directory::LookUp {
            source: link(),
            message_id: message_id(),
            verification_id: MessageId::parse("VRF-1").unwrap(),
            message_version: 3,
            instructing_agent: bic("CASPKZKA"),
            phone: phone(),
            person: Some(person(85_121_254_321)),
            chosen: Some(bic("HSBKKZKX")),
            as_of: Position(999),
            found: directory::LookUpFound::Hit {
                agent: bic("HSBKKZKX"),
                masked_name: Text::truncated("Айгүл С."),
                changed_at: Position(500),
            },
        }),
        Command::Import {
            source: operator(),
            participant: ParticipantId(2),
            entries: vec![directory::ImportEntry {
                phone: phone(),
                person: person(85_121_254_321),
                iban: iban(601, "A000007200200"),
                name: Text::truncated("Айгүл Сериковна"),
            }],
        },
    ]
}

fn qr_commands() -> [qr::Command; 2] {
    let id = QrId::parse("QR-2026-000017").unwrap();
    [
        qr::Command::Register(qr::Register {
            source: link(),
            reference: message_id(),
            id,
            merchant_account: iban(601, "A000007200200"),
            amount: Money::kzt(450_000),
            expires: time(),
        }),
        qr::Command::Cancel {
            source: link(),
            reference: message_id(),
            id,
        },
    ]
}

fn links_commands() -> [links::Command; 4] {
    use links::Command;
    [
        Command::Up {
            participant: ParticipantId(2),
            session: 9,
            received: Sequence(76),
        },
        Command::Down {
            participant: ParticipantId(2),
            session: 9,
        },
        Command::Refused {
            source: link(),
            refusal: links::Refusal {
                reason: Reason::MalformedMessage,
                reference: Some(message_id()),
                json: true,
                path: Text::truncated("/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt"),
                rule: Text::truncated("at most two decimals"),
                code: Text::truncated("AM12"),
            },
        },
        Command::Noted { source: link() },
    ]
}

fn participants_commands() -> [participants::Command; 6] {
    use participants::Command;
    let participant = ParticipantId(5);
    let profile = participants::Profile {
        code: Text::truncated("HSBK"),
        name: Text::truncated("Народный банк"),
        bics: vec![bic("HSBKKZKX"), bic("HSBKKZKXALM")],
        bank_codes: vec![BankCode::from_value(601).unwrap()],
        sponsor: Some(ParticipantId(1)),
        technical_senders: vec![ParticipantId(3)],
        services: Service::ALL.to_vec(),
        floor: Some(Money::kzt(1_000_000)),
        ceiling: None,
    };
    [
        Command::Add {
            source: operator(),
            profile: profile.clone(),
            mode: participants::PositionMode::NetDebitCap(Money::kzt(5_000_000)),
        },
        Command::Update {
            source: operator(),
            participant,
            profile,
        },
        Command::SetState {
            source: operator(),
            participant,
            state: participants::State::Suspended {
                debits: true,
                credits: false,
            },
        },
        Command::SetPositionMode {
            source: operator(),
            participant,
            mode: participants::PositionMode::Prefunded,
        },
        Command::SetSuccessor {
            source: operator(),
            participant,
            successor: ParticipantId(6),
        },
        Command::Fund {
            source: operator(),
            participant,
            direction: participants::Direction::Out,
            amount: Money::kzt(100_000_000),
        },
    ]
}

fn settings() -> instant::Settings {
    instant::Settings {
        switch_bic: bic("TORPKZKA"),
        payment_within: Span::from_secs(10),
        receiver_within: Span::from_secs(7),
        confirm_within: Span::from_secs(3),
        clock_skew_max: Span::from_secs(2),
        same_participant_allowed: false,
        return_window: Span::from_secs(395 * 86_400),
        contest_window: Span::from_secs(86_400),
        lookup_capacity: 100,
        lookup_refill_per_s: 10,
        lookup_hit_cost: 1,
        lookup_miss_cost: 5,
    }
}

fn account() -> directory::Account {
    directory::Account {
        participant: ParticipantId(2),
        agent: bic("HSBKKZKX"),
        iban: iban(601, "A000007200200"),
        name: Text::truncated("Айгүл Сериковна"),
    }
}

fn link() -> Source {
    Source::Link {
        participant: ParticipantId(1),
        sequence: Sequence(42),
    }
}

fn operator() -> Source {
    Source::Operator {
        name: Text::truncated("a.operator"),
        reference: Text::truncated("ORDER-17"),
    }
}

fn references() -> References {
    References {
        message_id: message_id(),
        instruction_id: Some(InstructionId::parse("INSTR-2026-000001").unwrap()),
        end_to_end_id: Some(EndToEndId::parse("E2E-2026-11-21-000001").unwrap()),
        transaction_id: transaction_id(),
        uetr: uetr(),
        message_version: 10,
    }
}

fn message_id() -> MessageId {
    MessageId::parse("CASP-20261121-0000001").unwrap()
}

fn transaction_id() -> TransactionId {
    TransactionId::parse("TX-20261121-0000001").unwrap()
}

fn uetr() -> Uetr {
    Uetr::parse("8a562c67-ca16-48ba-b074-65581be6f011").unwrap()
}

fn bic(text: &str) -> Bic {
    Bic::parse(text).unwrap()
}

fn iban(bank: u16, account: &str) -> Iban {
    Iban::for_kz(BankCode::from_value(bank).unwrap(), account).unwrap()
}

fn person(prefix: u64) -> IinBin {
    IinBin::with_check(prefix).unwrap()
}

fn phone() -> Phone {
    Phone::parse("+77011234567").unwrap()
}

fn time() -> Time {
    Time::parse("2026-11-21T09:15:27.123+05:00").unwrap()
}
