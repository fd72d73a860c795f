//! Arbitrary values of everything that is stored. Each strategy is boxed: nested, they would not fit on a test's stack.

use proptest::{
    array::{uniform4, uniform16},
    collection::vec,
    option,
    prelude::*,
    sample::select,
};
use torap_domain::*;

use crate::{
    Bounds, Command, Message, Notice, Outbound, References, Source, Status, directory, instant,
    links, participants, qr,
};

/// Any command; every kind is reached.
pub(super) fn command() -> BoxedStrategy<Command> {
    prop_oneof![
        8 => instant_command().prop_map(Command::Instant),
        3 => directory_command().prop_map(Command::Directory),
        2 => qr_command().prop_map(Command::Qr),
        3 => links_command().prop_map(Command::Links),
        4 => participants_command().prop_map(Command::Participants),
        1 => Just(Command::Tick),
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

pub(super) fn outbound() -> BoxedStrategy<Outbound> {
    (
        participant(),
        sequence(),
        position(),
        time(),
        option::of(time()),
        message(),
    )
        .prop_map(|(to, sequence, cause, time, expires, message)| Outbound {
            to,
            sequence,
            cause,
            time,
            expires,
            message,
        })
        .boxed()
}

pub(super) fn finished() -> BoxedStrategy<instant::Finished> {
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

pub(super) fn record() -> BoxedStrategy<directory::Record> {
    (phone(), vec(person(), 0..4), any::<bool>(), position())
        .prop_map(
            |(phone, persons, suspended, changed_at)| directory::Record {
                phone,
                persons,
                suspended,
                changed_at,
            },
        )
        .boxed()
}

fn instant_command() -> BoxedStrategy<instant::Command> {
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

pub(super) fn credit_transfer() -> BoxedStrategy<instant::CreditTransfer> {
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

fn alias_fact() -> BoxedStrategy<instant::AliasFact> {
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

fn answer() -> BoxedStrategy<instant::Answer> {
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

fn confirm_answer() -> BoxedStrategy<instant::ConfirmAnswer> {
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

fn return_() -> BoxedStrategy<instant::Return> {
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

fn settings() -> BoxedStrategy<instant::Settings> {
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

fn limits() -> BoxedStrategy<instant::Limits> {
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

fn history() -> BoxedStrategy<instant::History> {
    use instant::History;
    prop_oneof![
        position().prop_map(|as_of| History::Unknown { as_of }),
        (position(), finished()).prop_map(|(as_of, finished)| History::Known { as_of, finished }),
    ]
    .boxed()
}

fn final_outcome() -> BoxedStrategy<instant::FinalOutcome> {
    use instant::FinalOutcome;
    prop_oneof![
        Just(FinalOutcome::Settled),
        (reason(), option::of(code()))
            .prop_map(|(reason, agent_code)| FinalOutcome::Rejected { reason, agent_code }),
        Just(FinalOutcome::Tombstone),
    ]
    .boxed()
}

fn directory_command() -> BoxedStrategy<directory::Command> {
    use directory::{Change, Command, Found, ImportEntry, LookUp, LookUpFound};
    let found =
        (position(), option::of(record())).prop_map(|(as_of, record)| Found { as_of, record });
    let change = (
        source(),
        message_id(),
        phone(),
        person_id(),
        action(),
        found,
    )
        .prop_map(|(source, reference, phone, person, action, found)| {
            Command::Change(Change {
                source,
                reference,
                phone,
                person,
                action,
                found,
            })
        });
    let look_up_found = prop_oneof![
        (bic(), text::<96>(), position()).prop_map(|(agent, masked_name, changed_at)| {
            LookUpFound::Hit {
                agent,
                masked_name,
                changed_at,
            }
        }),
        Just(LookUpFound::Suspended),
        Just(LookUpFound::Miss),
    ];
    let look_up = (
        (source(), message_id(), message_id(), any::<u8>(), bic()),
        (
            phone(),
            option::of(person_id()),
            option::of(bic()),
            position(),
            look_up_found,
        ),
    )
        .prop_map(
            |(
                (source, message_id, verification_id, message_version, instructing_agent),
                (phone, person, chosen, as_of, found),
            )| {
                Command::LookUp(LookUp {
                    source,
                    message_id,
                    verification_id,
                    message_version,
                    instructing_agent,
                    phone,
                    person,
                    chosen,
                    as_of,
                    found,
                })
            },
        );
    let entry =
        (phone(), person_id(), iban(), text::<96>()).prop_map(|(phone, person, iban, name)| {
            ImportEntry {
                phone,
                person,
                iban,
                name,
            }
        });
    let import =
        (source(), participant(), vec(entry, 0..6)).prop_map(|(source, participant, entries)| {
            Command::Import {
                source,
                participant,
                entries,
            }
        });
    prop_oneof![change, look_up, import].boxed()
}

fn action() -> BoxedStrategy<directory::Action> {
    use directory::Action;
    prop_oneof![
        account().prop_map(|account| Action::Register { account }),
        account().prop_map(|account| Action::Change { account }),
        participant().prop_map(|participant| Action::Remove { participant }),
        (participant(), text::<35>())
            .prop_map(|(gaining, consent)| Action::Claim { gaining, consent }),
        participant().prop_map(|losing| Action::Contest { losing }),
        option::of(participant()).prop_map(|participant| Action::Release { participant }),
    ]
    .boxed()
}

fn account() -> BoxedStrategy<directory::Account> {
    (participant(), bic(), iban(), text::<96>())
        .prop_map(|(participant, agent, iban, name)| directory::Account {
            participant,
            agent,
            iban,
            name,
        })
        .boxed()
}

fn person() -> BoxedStrategy<directory::Person> {
    let claim = (
        position(),
        time(),
        participant(),
        participant(),
        text::<35>(),
        any::<bool>(),
    )
        .prop_map(
            |(at, time, gaining, losing, consent, contested)| directory::Claim {
                at,
                time,
                gaining,
                losing,
                consent,
                contested,
            },
        );
    (
        person_id(),
        vec(account(), 0..4),
        any::<u8>(),
        option::of(claim),
    )
        .prop_map(|(person, accounts, default, claim)| directory::Person {
            person,
            accounts,
            default,
            claim,
        })
        .boxed()
}

fn qr_command() -> BoxedStrategy<qr::Command> {
    let qr_id = || id("[A-Z0-9]{1,35}", QrId::parse);
    prop_oneof![
        (source(), message_id(), qr_id(), iban(), money(), time()).prop_map(
            |(source, reference, id, merchant_account, amount, expires)| {
                qr::Command::Register(qr::Register {
                    source,
                    reference,
                    id,
                    merchant_account,
                    amount,
                    expires,
                })
            }
        ),
        (source(), message_id(), qr_id()).prop_map(|(source, reference, id)| {
            qr::Command::Cancel {
                source,
                reference,
                id,
            }
        }),
    ]
    .boxed()
}

fn links_command() -> BoxedStrategy<links::Command> {
    use links::{Command, Refusal};
    prop_oneof![
        source().prop_map(|source| Command::Noted { source }),
        (participant(), any::<u64>(), sequence()).prop_map(|(participant, session, received)| {
            Command::Up {
                participant,
                session,
                received,
            }
        }),
        (participant(), any::<u64>()).prop_map(|(participant, session)| Command::Down {
            participant,
            session
        }),
        (
            source(),
            reason(),
            option::of(message_id()),
            any::<bool>(),
            text::<200>(),
            text::<120>(),
            text::<35>()
        )
            .prop_map(|(source, reason, reference, json, path, rule, code)| {
                Command::Refused {
                    source,
                    refusal: Refusal {
                        reason,
                        reference,
                        json,
                        path,
                        rule,
                        code,
                    },
                }
            }),
    ]
    .boxed()
}

fn participants_command() -> BoxedStrategy<participants::Command> {
    use participants::{Command, Direction, PositionMode, State};
    let mode = || {
        prop_oneof![
            Just(PositionMode::Prefunded),
            money().prop_map(PositionMode::NetDebitCap)
        ]
    };
    let state = prop_oneof![
        Just(State::Certifying),
        Just(State::Active),
        any::<(bool, bool)>().prop_map(|(debits, credits)| State::Suspended { debits, credits }),
        Just(State::Closing),
    ];
    prop_oneof![
        (source(), profile(), mode()).prop_map(|(source, profile, mode)| Command::Add {
            source,
            profile,
            mode
        }),
        (source(), participant(), profile()).prop_map(|(source, participant, profile)| {
            Command::Update {
                source,
                participant,
                profile,
            }
        }),
        (source(), participant(), state).prop_map(|(source, participant, state)| {
            Command::SetState {
                source,
                participant,
                state,
            }
        }),
        (source(), participant(), mode()).prop_map(|(source, participant, mode)| {
            Command::SetPositionMode {
                source,
                participant,
                mode,
            }
        }),
        (source(), participant(), participant()).prop_map(|(source, participant, successor)| {
            Command::SetSuccessor {
                source,
                participant,
                successor,
            }
        }),
        (
            source(),
            participant(),
            select(vec![Direction::In, Direction::Out]),
            money()
        )
            .prop_map(|(source, participant, direction, amount)| Command::Fund {
                source,
                participant,
                direction,
                amount
            }),
    ]
    .boxed()
}

fn profile() -> BoxedStrategy<participants::Profile> {
    let bank_code = (0_u16..1000).prop_map(|value| BankCode::from_value(value).unwrap());
    (
        (text::<35>(), text::<96>(), vec(bic(), 0..9)),
        (
            vec(bank_code, 0..9),
            option::of(participant()),
            vec(participant(), 0..9),
        ),
        (
            vec(service(), 0..5),
            option::of(money()),
            option::of(money()),
        ),
    )
        .prop_map(
            |(
                (code, name, bics),
                (bank_codes, sponsor, technical_senders),
                (services, floor, ceiling),
            )| participants::Profile {
                code,
                name,
                bics,
                bank_codes,
                sponsor,
                technical_senders,
                services,
                floor,
                ceiling,
            },
        )
        .boxed()
}

fn message() -> BoxedStrategy<Message> {
    let status = prop_oneof![
        Just(Status::Pending),
        Just(Status::Settled),
        (reason(), option::of(code()))
            .prop_map(|(reason, agent_code)| Status::Rejected { reason, agent_code }),
    ];
    let about = position().prop_flat_map(|original| {
        select(vec![
            Message::Forward { original },
            Message::Confirm { original },
            Message::ForwardReturn { original },
            Message::ForwardRecall { original },
            Message::ForwardResolution { original },
            Message::NotReceived { original },
        ])
    });
    let with_reason = (position(), reason()).prop_flat_map(|(original, reason)| {
        select(vec![
            Message::Resolution { original, reason },
            Message::Reject { original, reason },
        ])
    });
    let with_refusal = (position(), option::of(reason())).prop_flat_map(|(original, refusal)| {
        select(vec![
            Message::LookUpAnswer { original, refusal },
            Message::CommandAnswer { original, refusal },
        ])
    });
    let notice = (position(), money()).prop_flat_map(|(at, available)| {
        select(vec![
            Notice::Floor { available },
            Notice::Ceiling { available },
            Notice::AliasClaimed { claim: at },
            Notice::ClaimContested { claim: at },
            Notice::AliasSuspended { claim: at },
            Notice::AliasReleased { release: at },
            Notice::StateChanged { change: at },
            Notice::Funded { funding: at },
        ])
    });
    prop_oneof![
        about,
        with_reason,
        with_refusal,
        notice.prop_map(|notice| Message::Notice { notice }),
        (position(), status, position(), time(), any::<bool>()).prop_map(
            |(original, status, decided, decided_at, repeat)| Message::Status {
                original,
                status,
                decided,
                decided_at,
                repeat,
            }
        ),
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
