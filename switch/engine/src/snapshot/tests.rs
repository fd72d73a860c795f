mod ancillary;
mod cards;

use std::{fs, path::Path};

use torap_domain::{
    CancellationId, Epoch, MessageId, Money, Phone, Position, QrId, Reason, ReturnId, Service,
    Span, Text,
};

use super::{END, Part, SnapshotError, frame};
use crate::{
    Bounds, Command, Engine, Output, Stamp,
    digest::StateDigest,
    directory,
    instant::{
        self, AliasFact, AliasResolution, Fingerprint, Limits, PaymentKey, QrFact, Recall,
        RecallRule, Return, Settings, StatusRequest, Verdict,
    },
    participants, qr,
    world::{CASP, HSBK, IRTY, TSES, World, bic, iban, key, operator, person, references},
};

fn bytes_of(engine: &Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.snapshot(&mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// An engine in which every part holds something.
fn full() -> World {
    let mut world = World::new();
    configure(&mut world);
    // Finished in every way: settled and partly returned, rejected, refused at once, never received.
    world.settled(1, Service::Qr, 100);
    give_back(&mut world);
    for (number, amount) in [(2, 50), (3, 5_000_000)] {
        let payment = world.payment(number, Service::C2cAccount, amount);
        world.apply(Command::Instant(instant::Command::CreditTransfer(payment)));
    }
    world.answer(
        2,
        Verdict::Reject {
            agent_code: *b"AC06",
        },
    );
    let source = world.link(CASP);
    world.accept(Command::Instant(instant::Command::StatusRequest(
        StatusRequest {
            source,
            references: references(4),
            key: key(4),
            instructing_agent: bic(CASP),
            original: None,
        },
    )));
    world.settled(5, Service::C2cAccount, 70);
    recall(&mut world);
    register(&mut world);
    under_way(&mut world);
    world.state(
        TSES,
        participants::State::Suspended {
            debits: true,
            credits: false,
        },
    );
    world.succeed(IRTY, HSBK);
    world.sign(TSES, false);
    world
}

fn configure(world: &mut World) {
    let source = operator();
    let limits = Limits {
        payment_max: Some(Money::kzt(1_000_000)),
        customer_day_amount_max: Some(Money::kzt(2_000_000)),
        customer_day_count_max: Some(50),
        participant_day_amount_max: Some(Money::kzt(90_000_000)),
    };
    let settings = Settings {
        same_participant_allowed: true,
        ..Settings::initial()
    };
    let rule = RecallRule {
        reason_code: *b"DUPL",
        window: Span::from_secs(1_000),
        answer_within: Span::from_secs(500),
    };
    let service = Service::C2cAccount;
    let commands = [
        instant::Command::SetLimits {
            source,
            service,
            participant: None,
            limits,
        },
        instant::Command::SetLimits {
            source,
            service,
            participant: Some(HSBK),
            limits,
        },
        instant::Command::SetSettings { source, settings },
        instant::Command::SetRecallRule { source, rule },
    ];
    for command in commands {
        world.accept(Command::Instant(command));
    }
    let bounds = Bounds {
        duplicate_window_entries: 1_000,
        ..Bounds::DEFAULT
    };
    world.accept(Command::Bounds { source, bounds });
}

fn give_back(world: &mut World) {
    let source = world.link(HSBK);
    world.accept(Command::Instant(instant::Command::Return(Return {
        source,
        references: references(1),
        return_id: ReturnId::parse("RETURN-1").unwrap(),
        key: PaymentKey([101; 16]),
        fingerprint: Fingerprint([101; 16]),
        instructing_agent: bic(HSBK),
        amount: Money::kzt(40),
        reason_code: *b"CUST",
        history: None,
        original: None,
    })));
}

fn recall(world: &mut World) {
    let source = world.link(CASP);
    world.accept(Command::Instant(instant::Command::Recall(Recall {
        source,
        references: references(5),
        cancellation_id: CancellationId::parse("CANCEL-5").unwrap(),
        instructing_agent: bic(CASP),
        reason_code: *b"DUPL",
        original: None,
    })));
}

fn register(world: &mut World) {
    let source = world.link(HSBK);
    let expires = world.now().saturating_add(Span::from_secs(600));
    world.accept(Command::Qr(qr::Command::Register(qr::Register {
        source,
        reference: MessageId::parse("R-1").unwrap(),
        id: QrId::parse("CODE-1").unwrap(),
        merchant_account: iban(HSBK, 2),
        amount: Money::kzt(15),
        expires,
    })));
    let source = world.link(HSBK);
    let account = directory::Account {
        participant: HSBK,
        agent: bic(HSBK),
        iban: iban(HSBK, 9),
        name: Text::truncated("A B"),
    };
    world.accept(Command::Directory(directory::Command::Change(
        directory::Change {
            source,
            reference: MessageId::parse("R-2").unwrap(),
            phone: Phone::parse("+77011234567").unwrap(),
            person: person(2),
            action: directory::Action::Register { account },
            found: directory::Found {
                as_of: world.stamp.position,
                record: None,
            },
        },
    )));
}

/// By phone, and of a dynamic code.
fn under_way(world: &mut World) {
    let mut by_phone = world.payment(6, Service::C2cPhone, 30);
    by_phone.creditor_agent = Settings::initial().switch_bic;
    by_phone.creditor_account = None;
    by_phone.alias = Some(AliasFact {
        alias: directory::AliasKey::of(Phone::parse("+77011234567").unwrap()),
        as_of: world.stamp.position,
        changed_at: world.stamp.position,
        expected: None,
        resolution: AliasResolution::Found {
            agent: bic(HSBK),
            iban: iban(HSBK, 9),
            person: person(2),
        },
    });
    world.accept(Command::Instant(instant::Command::CreditTransfer(by_phone)));
    let mut of_code = world.payment(7, Service::Qr, 15);
    let id = QrId::parse("CODE-1").unwrap();
    of_code.qr = Some(QrFact { id, dynamic: true });
    world.accept(Command::Instant(instant::Command::CreditTransfer(of_code)));
    let counted = world.payment(8, Service::C2cAccount, 20);
    world.accept(Command::Instant(instant::Command::CreditTransfer(counted)));
}

#[test]
fn the_layout_is_the_one_of_its_golden_file() {
    let bytes = bytes_of(&full().engine);
    check_golden("engine", &bytes);
    assert!(Engine::restore(&bytes, 0).is_ok());
}

/// Compares with `golden/<name>.hex`; with TORAP_BLESS in the environment it writes the file first.
fn check_golden(name: &str, bytes: &[u8]) {
    let mut hex = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            hex.push_str(&format!("{byte:02x}"));
        }
        hex.push('\n');
    }
    let path = Path::new("src/snapshot/golden").join(format!("{name}.hex"));
    if std::env::var_os("TORAP_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &hex).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    assert_eq!(
        hex, golden,
        "the snapshot is not written as its golden file says"
    );
}

#[test]
fn a_restored_engine_goes_on_as_the_one_it_came_from() {
    let mut world = full();
    let bytes = bytes_of(&world.engine);
    let mut restored = Engine::restore(&bytes, 12345).unwrap();
    assert_eq!(bytes_of(&restored), bytes);
    assert_eq!(restored.digest(), world.engine.digest());
    assert_eq!(restored.stats().in_flight, 3);
    assert_eq!(
        restored.limits(Service::C2cAccount, Some(HSBK)),
        world.engine.limits(Service::C2cAccount, Some(HSBK))
    );
    // Everything that is open runs out, in the same order.
    let mut out = Output::new();
    for _ in 0..5 {
        let time = restored.next_deadline();
        assert_eq!(time, world.engine.next_deadline());
        let stamp = Stamp {
            position: world.stamp.position.next(),
            time: time
                .unwrap_or(world.stamp.time)
                .saturating_add(Span::from_nanos(1)),
        };
        world.stamp = stamp;
        world.engine.apply(stamp, &Command::Tick, &mut world.out);
        restored.apply(stamp, &Command::Tick, &mut out);
        assert_eq!(out.events, world.out.events);
        assert_eq!(out.effects, world.out.effects);
        assert_eq!(restored.digest(), world.engine.digest());
    }
    assert_eq!(restored.next_deadline(), None);
    assert_eq!(restored.stats().in_flight, 0);
}

#[test]
fn an_empty_engine_is_small_and_restores() {
    let bytes = bytes_of(&Engine::new());
    assert!(bytes.len() < 1_000, "{}", bytes.len());
    let restored = Engine::restore(&bytes, 0).unwrap();
    assert_eq!(restored.digest(), Engine::new().digest());
    assert_eq!(restored.digest(), Engine::seeded(7).digest());
}

#[test]
fn any_single_damaged_byte_is_found() {
    let bytes = bytes_of(&full().engine);
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert!(Engine::restore(&damaged, 0).is_err(), "byte {place}");
    }
    for length in 0..bytes.len() {
        assert!(
            Engine::restore(&bytes[..length], 0).is_err(),
            "length {length}"
        );
    }
    let longer = [&*bytes, &[0]].concat();
    assert!(Engine::restore(&longer, 0).is_err());
}

/// The chunks of a snapshot, without head and end.
fn chunks(bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut rest = &bytes[6..];
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let tag = u16::from_le_bytes(rest[..2].try_into().unwrap());
        let length = u32::from_le_bytes(rest[2..6].try_into().unwrap()) as usize;
        chunks.push((tag, rest[6..6 + length].to_vec()));
        rest = &rest[6 + length..];
    }
    assert_eq!(chunks.pop().unwrap().0, END);
    chunks
}

/// A snapshot of the chunks, with a right digest.
fn assembled(chunks: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"TPES\x04\x00".to_vec();
    let mut digest = StateDigest::new();
    for (tag, payload) in chunks {
        digest.feed(payload);
        bytes.extend_from_slice(&frame(*tag, payload.len()));
        bytes.extend_from_slice(payload);
    }
    bytes.extend_from_slice(&frame(END, 8));
    bytes.extend_from_slice(&digest.value().to_le_bytes());
    bytes
}

#[test]
fn no_bytes_panic_even_with_a_right_digest() {
    let bytes = bytes_of(&full().engine);
    let whole = chunks(&bytes);
    assert_eq!(assembled(&whole), bytes);
    let (mut read, mut refused) = (0, 0);
    for chunk in 0..whole.len() {
        for place in 0..whole[chunk].1.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[chunk].1[place] ^= flip;
                match Engine::restore(&assembled(&damaged), 0) {
                    Ok(mut engine) => {
                        read += 1;
                        run_out(&mut engine);
                    }
                    Err(_) => refused += 1,
                }
            }
        }
        let mut shorter = whole.clone();
        shorter[chunk].1.pop();
        assert!(
            Engine::restore(&assembled(&shorter), 0).is_err(),
            "chunk {chunk}"
        );
        let mut longer = whole.clone();
        longer[chunk].1.push(0);
        assert!(
            Engine::restore(&assembled(&longer), 0).is_err(),
            "chunk {chunk}"
        );
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

/// Whatever was read is a state: what is open in it can run out.
fn run_out(engine: &mut Engine) {
    let last = engine.last();
    let (Some(position), time) = (last.position.0.checked_add(1), torap_domain::Time::MAX) else {
        return;
    };
    let stamp = Stamp {
        position: Position(position),
        time,
    };
    engine.apply(stamp, &Command::Tick, &mut Output::new());
    engine.conservation().unwrap();
}

#[test]
fn chunks_come_in_their_order_and_complete() {
    let whole = chunks(&bytes_of(&full().engine));
    for chunk in 0..whole.len() {
        let mut missing = whole.clone();
        missing.remove(chunk);
        let restored = Engine::restore(&assembled(&missing), 0);
        // Without its entries a window is empty, which is a state, too.
        let only_entries =
            whole[chunk].0 == Part::Window as u16 && whole[chunk - 1].0 == Part::Window as u16;
        assert_eq!(restored.is_ok(), only_entries, "chunk {chunk}");
        let mut twice = whole.clone();
        twice.insert(chunk, whole[chunk].clone());
        assert!(
            Engine::restore(&assembled(&twice), 0).is_err(),
            "chunk {chunk}"
        );
        if chunk > 0 {
            let mut swapped = whole.clone();
            swapped.swap(chunk - 1, chunk);
            assert!(
                Engine::restore(&assembled(&swapped), 0).is_err(),
                "chunk {chunk}"
            );
        }
    }
}

#[test]
fn errors_name_what_is_wrong() {
    let bytes = bytes_of(&Engine::new());
    let error = |bytes: &[u8]| Engine::restore(bytes, 0).unwrap_err();
    assert_eq!(error(b"nothing"), SnapshotError::Magic);
    assert_eq!(error(b""), SnapshotError::Magic);
    for found in [3, 5] {
        let mut other = bytes.clone();
        other[4] = found;
        let found = u16::from(found);
        assert_eq!(error(&other), SnapshotError::Version { found });
    }
    assert_eq!(error(&bytes[..20]), SnapshotError::Frame { offset: 6 });
    let mut other = bytes.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    assert_eq!(error(&other), SnapshotError::Digest);
    let mut whole = chunks(&bytes);
    whole[0].1[4..8].fill(0);
    let state = SnapshotError::State {
        rule: "the bounds are sound",
    };
    assert_eq!(error(&assembled(&whole)), state);
    for error in [
        SnapshotError::Magic,
        SnapshotError::Version { found: 2 },
        SnapshotError::Frame { offset: 6 },
        SnapshotError::Digest,
        state,
    ] {
        assert!(error.to_string().len() > 10);
    }
}

#[test]
fn what_is_held_must_be_somebodys() {
    let mut whole = chunks(&bytes_of(&full().engine));
    // Without its payments under way the ledger's holds are nobody's.
    let empty = chunks(&bytes_of(&World::new().engine));
    whole[4] = empty[4].clone();
    let error = Engine::restore(&assembled(&whole), 0).unwrap_err();
    let rule = "what is held is held for payments under way";
    assert_eq!(error, SnapshotError::State { rule });
}

#[test]
fn a_start_and_a_mark_change_no_money() {
    let mut world = full();
    let positions: Vec<_> = world.engine.positions().collect();
    let binary = Text::truncated("torap 0.1.0");
    world.accept(Command::Start {
        epoch: Epoch(3),
        binary,
    });
    world.accept(Command::Mark {
        upto: world.stamp.position,
        digest: 5,
    });
    assert_eq!(world.engine.positions().collect::<Vec<_>>(), positions);
    assert_eq!(world.engine.stats().in_flight, 3);
    let reason = Reason::OperatorRefused;
    let source = operator();
    world.refuse(
        Command::Rules {
            source,
            version: 99,
        },
        reason,
    );
    world.accept(Command::Rules { source, version: 1 });
    let source = world.link(CASP);
    world.refuse(Command::Rules { source, version: 1 }, reason);
    let bounds = Bounds {
        in_flight_max: 0,
        ..Bounds::DEFAULT
    };
    let source = operator();
    world.refuse(Command::Bounds { source, bounds }, reason);
}

#[test]
fn positions_without_backing_are_found() {
    let mut world = full();
    let position = world.engine.state.participants.account(CASP).unwrap();
    let mirror = world.engine.state.mirror();
    let ledger = &mut world.engine.state.ledger;
    ledger.transfer(mirror, position, Money::kzt(1)).unwrap();
    let funded = i128::from(4 * crate::world::FUNDS) + 1;
    assert_eq!(
        world.engine.conservation(),
        Err(crate::Imbalance::Backing {
            positions: funded,
            technical: funded - 1,
        })
    );
    let refused = Engine::restore(&bytes_of(&world.engine), 0).unwrap_err();
    let rule = "the positions are backed";
    assert_eq!(refused, SnapshotError::State { rule });
}

/// A business day with something of everything that IMTS remembers.
#[test]
fn the_layout_of_imts_is_the_one_of_its_golden_file() {
    use torap_domain::{Date, DayOverride};

    use crate::{
        participants::Direction,
        settlement::{Change, Command as Imts, Hours, Payment, Priority},
    };
    let mut world = World::new();
    let (source, participant) = (operator(), CASP);
    let until = world.now().saturating_add(Span::from_secs(3_600));
    let payment = |to, amount, priority, reference: &str| Payment {
        from: CASP,
        to,
        amount: Money::kzt(amount),
        priority,
        reference: Text::truncated(reference),
        earliest: None,
        latest: Some(until),
    };
    let pay = |payment| Imts::Pay { source, payment };
    let commands = [
        Imts::Open {
            source,
            cut_off: None,
            until,
        },
        Imts::SetHours {
            source,
            hours: Some(Hours {
                opens: Span::from_secs(9 * 3_600),
                cut_off: Span::from_secs(17 * 3_600),
                closes: Span::from_secs(18 * 3_600),
            }),
        },
        Imts::SetDay {
            source,
            date: Date::from_days(20_789),
            day: Some(DayOverride::Closed),
        },
        Imts::Fund {
            source,
            participant,
            direction: Direction::In,
            amount: Money::kzt(1_000),
        },
        Imts::SetCreditLine {
            source,
            participant,
            amount: Money::kzt(50),
        },
        Imts::SetLimit {
            source,
            participant,
            towards: Some(HSBK),
            amount: Some(Money::kzt(700)),
        },
        Imts::SetLimit {
            source,
            participant,
            towards: None,
            amount: Some(Money::kzt(900)),
        },
        Imts::Reserve {
            source,
            participant,
            amount: Money::kzt(10),
        },
        pay(payment(HSBK, 700, Priority::Normal, "SETTLED")),
        pay(payment(HSBK, 1, Priority::High, "WAITS")),
        pay(payment(IRTY, 5_000, Priority::Normal, "TOO-MUCH")),
    ];
    for command in commands {
        world.accept(Command::Settlement(command));
    }
    let id = world.stamp.position;
    let change = Change::Withdraw;
    world.accept(Command::Settlement(Imts::Change { source, id, change }));
    let bytes = bytes_of(&world.engine);
    check_golden("settlement", &bytes);
    let restored = Engine::restore(&bytes, 0).unwrap();
    assert_eq!(restored.settlement_queue().count(), 1);
    assert_eq!(restored.settlement_done().count(), 2);
    assert_eq!(restored.settlement_limits().count(), 2);
    assert_eq!(restored.imts_day(), world.engine.imts_day());
}
