//! A small country for tests: two banks with money, signed on, and the commands of payments between them.

use torap_domain::{
    BankCode, Bic, Epoch, Iban, IinBin, MessageId, Money, ParticipantId, Sequence, Service, Text,
    Time, TransactionId, Uetr,
};
use torap_engine::{
    Command, References, Source,
    instant::{self, Answer, CreditTransfer, Fingerprint, PaymentKey, Verdict},
    links,
    participants::{self, Direction, PositionMode, Profile, State},
};

/// The payers' bank.
pub(crate) const CASPI: ParticipantId = ParticipantId(1);
/// The payees' bank.
pub(crate) const HALYK: ParticipantId = ParticipantId(2);

/// 21 November 2026, 09:15 in Almaty.
pub(crate) const MORNING: Time = Time::from_nanos(1_795_234_500_000_000_000);

/// Everything before the first payment: both banks added, active, funded and signed on.
pub(crate) fn opening() -> Vec<Command> {
    let participants = |command| Command::Participants(command);
    let mut commands = vec![start(1)];
    for (code, bic, bank_code) in [("CASP", "CASPKZKA", "722"), ("HSBK", "HSBKKZKX", "601")] {
        let profile = profile(code, bic, bank_code);
        let mode = PositionMode::Prefunded;
        commands.push(participants(participants::Command::Add {
            source: operator(),
            profile,
            mode,
        }));
    }
    for participant in [CASPI, HALYK] {
        let state = State::Active;
        commands.push(participants(participants::Command::SetState {
            source: operator(),
            participant,
            state,
        }));
        let (direction, amount) = (Direction::In, Money::kzt(100_000_000_000));
        commands.push(participants(participants::Command::Fund {
            source: operator(),
            participant,
            direction,
            amount,
        }));
        commands.push(sign_on(participant, 1));
    }
    commands
}

pub(crate) fn start(epoch: u32) -> Command {
    Command::Start {
        epoch: Epoch(epoch),
        binary: Text::truncated("torap test"),
    }
}

pub(crate) fn sign_on(participant: ParticipantId, session: u64) -> Command {
    Command::Links(links::Command::Up {
        participant,
        session,
        received: Sequence::ZERO,
    })
}

pub(crate) fn operator() -> Source {
    Source::Operator {
        name: Text::truncated("Aigul"),
        reference: Text::truncated("paper 7"),
    }
}

/// Payment `number` from a customer of one bank to one of the other, as message `sequence` on the payer's link.
pub(crate) fn transfer(number: u64, sequence: u64, accepted: Time) -> Command {
    Command::Instant(instant::Command::CreditTransfer(CreditTransfer {
        source: Source::Link {
            participant: CASPI,
            sequence: Sequence(sequence),
        },
        service: Service::C2cAccount,
        references: references(number),
        key: key(number),
        fingerprint: Fingerprint(key(number).0),
        amount: Money::kzt(100 + number),
        accepted,
        instructing_agent: bic("CASPKZKA"),
        debtor_agent: bic("CASPKZKA"),
        debtor_account: iban("722", number),
        debtor: person(number),
        creditor_agent: bic("HSBKKZKX"),
        creditor_account: Some(iban("601", number)),
        creditor: None,
        alias: None,
        payee: None,
        qr: None,
        history: None,
    }))
}

/// The payee's bank accepts payment `number`, as message `sequence` on its link.
pub(crate) fn accept(number: u64, sequence: u64) -> Command {
    let references = references(number);
    Command::Instant(instant::Command::Answer(Answer {
        source: Source::Link {
            participant: HALYK,
            sequence: Sequence(sequence),
        },
        message_id: references.message_id,
        message_version: 1,
        uetr: references.uetr,
        transaction_id: references.transaction_id,
        verdict: Verdict::Accept,
    }))
}

pub(crate) fn key(number: u64) -> PaymentKey {
    PaymentKey(
        (u128::from(number) + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .to_be_bytes(),
    )
}

fn references(number: u64) -> References {
    References {
        message_id: MessageId::format(format_args!("M{number}")).unwrap(),
        instruction_id: None,
        end_to_end_id: None,
        transaction_id: TransactionId::format(format_args!("T{number}")).unwrap(),
        uetr: Uetr::from_random(key(number).0),
        message_version: 1,
    }
}

fn profile(code: &str, primary: &str, bank_code: &str) -> Profile {
    Profile {
        code: Text::truncated(code),
        name: Text::truncated(code),
        bics: vec![bic(primary)],
        bank_codes: vec![BankCode::parse(bank_code).unwrap()],
        sponsor: None,
        technical_senders: vec![],
        services: Service::ALL.to_vec(),
        floor: None,
        ceiling: None,
    }
}

fn bic(text: &str) -> Bic {
    Bic::parse(text).unwrap()
}

fn iban(bank_code: &str, number: u64) -> Iban {
    Iban::for_kz(
        BankCode::parse(bank_code).unwrap(),
        &format!("{number:013}"),
    )
    .unwrap()
}

fn person(number: u64) -> IinBin {
    (0..)
        .find_map(|more| IinBin::with_check(85_010_100_000 + number % 100_000 + more))
        .unwrap()
}
