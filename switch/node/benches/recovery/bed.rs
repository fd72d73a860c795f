//! A log of payments straight to the disk, through the real core and journal but without a network, and starts on it.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use torap_core::{Core, CoreLimits, Intake, Recovered};
use torap_domain::{
    BankCode, Bic, Epoch, Iban, IinBin, MessageId, Money, ParticipantId, Position, Sequence,
    Service, Span, Text, Time, TransactionId, Uetr,
};
use torap_engine::{
    Command, Engine, References, Source,
    instant::{self, Answer, CreditTransfer, Fingerprint, Verdict},
    links,
    participants::{self, Direction, PositionMode, Profile, State},
};
use torap_gateway::translate::payment_key;
use torap_journal::{Journal, Log, ThreadOptions, ThreadedJournal};
use torap_node::{
    config::Config,
    folder::Folder,
    serve::{StartUp, journal_options, segments, start_up},
};

/// The payers' bank and the payees'.
const BANKS: [(ParticipantId, &str, &str, &str); 2] = [
    (ParticipantId(1), "CASP", "CASPKZKA", "722"),
    (ParticipantId(2), "HSBK", "HSBKKZKX", "601"),
];
/// Customers of each bank.
const CUSTOMERS: u64 = 1_000_000;
/// Payments whose records go to the journal together.
const RUN_PAYMENTS: u64 = 512;
/// Time between two records: 10,000 payments a second.
const STEP: Span = Span::from_nanos(50_000);
/// 1 November 2024, 08:00 in Almaty.
const BEGINS: Time = Time::from_nanos(1_730_430_000_000_000_000);
/// A small original, as bytes of a message would be.
const ORIGINAL: &[u8] = b"<Document>a small original of a generated payment</Document>";

/// What one run came to.
#[derive(Debug)]
pub struct Outcome {
    pub log_bytes: u64,
    /// Digest of the state that wrote the log.
    pub digest: u64,
    /// Payments after the snapshot.
    pub snapshot_age: u64,
    /// Size of that snapshot, and how long writing it took.
    pub snapshot: Option<(u64, Duration)>,
    pub start_up: StartUp,
}

/// Writes `payments`, with a snapshot `age` payments before the end, and starts on them. `generated` is told when the log is
/// complete.
pub fn run(
    root: &Path,
    payments: u64,
    age: u64,
    generated: &mut dyn FnMut(),
) -> Result<Outcome, String> {
    let folder = Folder::choose(Some(root));
    folder.create()?;
    let config = Config::read(&folder.configuration())?;
    let mut writer = Writer::new();
    let before = payments.saturating_sub(age);
    writer.write(&folder, &config, before)?;
    // Index and snapshot, as a switch that stopped there would have left them.
    let prepared = start_up(&folder, &config, true)?;
    writer.write(&folder, &config, payments)?;
    generated();
    let start_up = start_up(&folder, &config, false)?;
    Ok(Outcome {
        log_bytes: bytes_of(&folder.journal())?,
        digest: writer.core.engine().digest(),
        snapshot_age: payments - before,
        snapshot: prepared.written,
        start_up,
    })
}

/// The core that writes the log, without doors.
struct Writer {
    core: Core,
    now: Time,
    /// Payments written.
    written: u64,
}

impl Writer {
    fn new() -> Writer {
        let limits = CoreLimits {
            follower_lag_max: u64::MAX,
            ..CoreLimits::default()
        };
        let mut core = Core::new(Engine::new(), Recovered::genesis(), limits);
        for command in opening() {
            offer(&mut core, command, b"");
        }
        Writer {
            core,
            now: BEGINS,
            written: 0,
        }
    }

    /// Goes on until `payments` have been written, and closes the journal.
    fn write(&mut self, folder: &Folder, config: &Config, payments: u64) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("generating: {error}");
        let reached = self.core.last().position.value();
        let options = journal_options(folder, config, reached)?;
        let medium = segments(folder, config)?.joined();
        let (log, _) = Log::open(medium, options).map_err(|error| failed(&error))?;
        let threads = ThreadOptions::default();
        let mut journal = ThreadedJournal::start(log, threads, Box::new(|_| {}))
            .map_err(|error| failed(&error))?;
        while self.written < payments {
            let run = RUN_PAYMENTS.min(payments - self.written);
            for number in self.written..self.written + run {
                offer(&mut self.core, transfer(number, self.now), ORIGINAL);
                offer(&mut self.core, accept(number), ORIGINAL);
            }
            self.written += run;
            self.drain(&mut journal)?;
        }
        journal.close().map_err(|error| failed(&error))
    }

    /// Everything offered goes to the journal, and what is durable is released.
    fn drain(&mut self, journal: &mut ThreadedJournal) -> Result<(), String> {
        loop {
            let mut batch = journal.batch();
            self.now = self.now.saturating_add(STEP);
            let stepped = self.core.step(self.now, &mut batch);
            let stepped = stepped.map_err(|error| format!("generating: {error}"))?;
            if !batch.is_empty() {
                let appended = journal.append(batch);
                appended.map_err(|error| format!("generating: {error}"))?;
                self.now = self.core.last().time;
            }
            let durable = Position(journal.durable_upto());
            while self.core.release(durable).is_some() {}
            if self.core.waiting() == 0 {
                return Ok(());
            }
            if stepped.records == 0 {
                // The backlog is full: the journal's thread has to sync first.
                std::thread::yield_now();
            }
        }
    }
}

fn offer(core: &mut Core, command: Command, original: &'static [u8]) {
    let intake = Intake {
        command,
        evidence: Bytes::from_static(original),
        secrets: torap_core::Secrets::NONE,
        ticket: None,
    };
    assert!(core.offer(intake).is_ok(), "a run fits into the intake");
}

/// Bytes written in the segments, whole files: the zeros ahead of the last record are part of the log's room.
fn bytes_of(folder: &Path) -> Result<u64, String> {
    let listed = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let sizes = listed.map(|entry| entry.and_then(|entry| entry.metadata()));
    sizes
        .map(|metadata| metadata.map(|metadata| metadata.len()))
        .sum::<std::io::Result<u64>>()
        .map_err(|error| error.to_string())
}

fn opening() -> Vec<Command> {
    let source = Source::Operator {
        name: Text::truncated("bench"),
        reference: Text::truncated("recovery"),
    };
    let mut commands = vec![Command::Start {
        epoch: Epoch(1),
        binary: Text::truncated("recovery bench"),
    }];
    for (_, code, primary, bank_code) in BANKS {
        let profile = Profile {
            code: Text::truncated(code),
            name: Text::truncated(code),
            bics: vec![bic(primary)],
            bank_codes: vec![bank(bank_code)],
            sponsor: None,
            technical_senders: Vec::new(),
            services: Service::ALL.to_vec(),
            floor: None,
            ceiling: None,
        };
        let mode = PositionMode::Prefunded;
        commands.push(Command::Participants(participants::Command::Add {
            source,
            profile,
            mode,
        }));
    }
    for (participant, ..) in BANKS {
        let state = State::Active;
        commands.push(Command::Participants(participants::Command::SetState {
            source,
            participant,
            state,
        }));
        let (direction, amount) = (Direction::In, Money::kzt(1_000_000_000_000_000));
        commands.push(Command::Participants(participants::Command::Fund {
            source,
            participant,
            direction,
            amount,
        }));
        commands.push(Command::Links(links::Command::Up {
            participant,
            session: 1,
            received: Sequence::ZERO,
        }));
    }
    commands
}

fn transfer(number: u64, accepted: Time) -> Command {
    let [
        (participant, _, payer, payer_code),
        (_, _, payee, payee_code),
    ] = BANKS;
    let customer = number.wrapping_mul(0x9e37_79b9) % CUSTOMERS;
    Command::Instant(instant::Command::CreditTransfer(CreditTransfer {
        source: Source::Link {
            participant,
            sequence: Sequence(number + 1),
        },
        service: Service::C2cAccount,
        references: references(number),
        key: payment_key(participant, transaction_id(number).as_str()),
        fingerprint: Fingerprint(scattered(number)),
        amount: Money::kzt(100 + number % 1_000),
        accepted,
        instructing_agent: bic(payer),
        debtor_agent: bic(payer),
        debtor_account: iban(payer_code, customer),
        debtor: person(customer),
        creditor_agent: bic(payee),
        creditor_account: Some(iban(payee_code, customer)),
        creditor: None,
        alias: None,
        payee: None,
        qr: None,
        history: None,
    }))
}

fn accept(number: u64) -> Command {
    let References {
        message_id,
        transaction_id,
        uetr,
        ..
    } = references(number);
    Command::Instant(instant::Command::Answer(Answer {
        source: Source::Link {
            participant: BANKS[1].0,
            sequence: Sequence(number + 1),
        },
        message_id,
        message_version: 1,
        uetr,
        transaction_id,
        verdict: Verdict::Accept,
    }))
}

fn references(number: u64) -> References {
    References {
        message_id: MessageId::format(format_args!("M{number}")).expect("an identifier"),
        instruction_id: None,
        end_to_end_id: None,
        transaction_id: transaction_id(number),
        uetr: Uetr::from_random(scattered(number)),
        message_version: 1,
    }
}

fn transaction_id(number: u64) -> TransactionId {
    TransactionId::format(format_args!("T{number}")).expect("an identifier")
}

/// As hashes and random numbers are.
fn scattered(number: u64) -> [u8; 16] {
    (u128::from(number) + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        .to_be_bytes()
}

fn bic(text: &str) -> Bic {
    Bic::parse(text).expect("a BIC")
}

fn bank(code: &str) -> BankCode {
    BankCode::parse(code).expect("a bank code")
}

fn iban(bank_code: &str, number: u64) -> Iban {
    Iban::for_kz(bank(bank_code), &format!("{number:013}")).expect("an account")
}

fn person(number: u64) -> IinBin {
    // One number in eleven was never issued; the next one was.
    (0..)
        .find_map(|more| IinBin::with_check(85_010_100_000 + number + more))
        .expect("a person")
}
