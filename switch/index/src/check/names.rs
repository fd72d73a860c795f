//! Identifiers and UETRs lead to the records that carry them.

use torap_domain::{
    EndToEndId, InstructionId, MessageId, Money, Position, Sequence, TransactionId,
};
use torap_engine::{
    Command, Event, References, Source,
    instant::{self, Answer, CreditTransfer, Fingerprint, StatusRequest, Verdict},
};

use super::{A, B, Changes, Index, bic, iban, key, payment, person, stamp, status, uetr};

/// The pacs.008 of payment `number`, with identifiers `M…`, `I…`, `E…` and `T…`.
pub(crate) fn transfer(number: u64) -> Command {
    Command::Instant(instant::Command::CreditTransfer(CreditTransfer {
        source: link(number),
        service: torap_domain::Service::C2cAccount,
        references: references(number),
        key: key(number),
        fingerprint: Fingerprint([7; 16]),
        amount: Money::kzt(1_525_000),
        accepted: super::time(number),
        instructing_agent: bic(),
        debtor_agent: bic(),
        debtor_account: iban(number),
        debtor: person(number),
        creditor_agent: bic(),
        creditor_account: Some(iban(number + 1)),
        creditor: None,
        alias: None,
        payee: None,
        qr: None,
        history: None,
    }))
}

/// A question about payment `number`, as message `Q…`.
pub(crate) fn question(number: u64, message: u64) -> Command {
    let references = References {
        message_id: MessageId::format(format_args!("Q{message}")).unwrap(),
        ..references(number)
    };
    Command::Instant(instant::Command::StatusRequest(StatusRequest {
        source: link(number),
        references,
        key: key(number),
        instructing_agent: bic(),
        original: None,
    }))
}

fn answer(number: u64) -> Command {
    Command::Instant(instant::Command::Answer(Answer {
        source: link(number),
        message_id: MessageId::format(format_args!("N{number}")).unwrap(),
        message_version: 1,
        uetr: uetr(number),
        transaction_id: references(number).transaction_id,
        verdict: Verdict::Accept,
    }))
}

fn link(sequence: u64) -> Source {
    Source::Link {
        participant: A,
        sequence: Sequence(sequence),
    }
}

fn references(number: u64) -> References {
    References {
        message_id: MessageId::format(format_args!("M{number}")).unwrap(),
        instruction_id: InstructionId::format(format_args!("I{number}")).ok(),
        end_to_end_id: EndToEndId::format(format_args!("E{number}")).ok(),
        transaction_id: TransactionId::format(format_args!("T{number}")).unwrap(),
        uetr: uetr(number),
        message_version: 1,
    }
}

fn reserved(number: u64) -> Event {
    Event::PaymentReserved {
        key: key(number),
        debtor_agent: A,
        creditor_agent: B,
        amount: Money::kzt(1),
    }
}

pub(super) fn identifiers_lead_to_records(index: &impl Index) {
    let mut changes = Changes::new();
    let mut push = |position: u64, command: &Command, mut events: Vec<Event>| {
        changes.push(stamp(position), command, &mut events, &[]);
    };
    push(10, &transfer(1), vec![reserved(1)]);
    let finished = torap_engine::instant::Finished {
        submitted: Position(10),
        ..payment(1, 11)
    };
    push(11, &answer(1), vec![Event::PaymentFinished(finished)]);
    // Once more, an answer that comes too late, and a question.
    push(12, &transfer(1), vec![]);
    push(13, &answer(1), vec![]);
    push(14, &question(1, 5), vec![]);
    push(15, &transfer(2), vec![reserved(2)]);
    index.apply(&changes, Position(15)).unwrap();

    let positions = |found: Vec<Position>| found.iter().map(|one| one.value()).collect::<Vec<_>>();
    let identified = |text: &str| positions(index.identified(text, 10).unwrap());
    for text in ["M1", "I1", "E1"] {
        assert_eq!(identified(text), [10, 12], "{text}");
    }
    assert_eq!(identified("Q5"), [14]);
    assert_eq!(identified("E2"), [15]);
    assert_eq!(identified("T1"), [], "the key leads there");
    assert_eq!(identified("M"), []);
    assert_eq!(positions(index.identified("M1", 1).unwrap()), [10]);
    let concerning = |number, max| positions(index.records_of(&uetr(number), max).unwrap());
    assert_eq!(concerning(1, 10), [12, 13, 14]);
    assert_eq!(concerning(1, 2), [12, 13]);
    assert_eq!(concerning(2, 10), []);
}

pub(super) fn entries_are_found_by_their_cause(index: &impl Index) {
    let mut changes = Changes::new();
    // Causes 10, 12, 14 …; every third record brings two entries of A's stream, and B gets one each time.
    let (mut to_a, mut to_b) = (0, 0);
    let mut expected = Vec::new();
    for position in (10..70).step_by(2) {
        let mut effects = Vec::new();
        for _ in 0..if position % 3 == 0 { 2 } else { 1 } {
            to_a += 1;
            effects.push(status(A, to_a, position));
        }
        to_b += 1;
        effects.push(status(B, to_b, position));
        let of_a: Vec<_> = effects
            .iter()
            .filter(|effect| effect.outbound.to == A)
            .map(|effect| effect.outbound)
            .collect();
        expected.push((position, of_a));
        changes.push(stamp(position), &Command::Tick, &mut Vec::new(), &effects);
    }
    assert_eq!(index.outbound_caused(A, Position(10)).unwrap(), []);
    index.apply(&changes, Position(70)).unwrap();
    for (position, of_a) in expected {
        let found = index.outbound_caused(A, Position(position)).unwrap();
        assert_eq!(found, of_a);
        assert_eq!(
            index.outbound_caused(A, Position(position + 1)).unwrap(),
            []
        );
        assert_eq!(
            index.outbound_caused(B, Position(position)).unwrap().len(),
            1
        );
    }
    assert_eq!(index.outbound_caused(A, Position(9)).unwrap(), []);
    assert_eq!(index.outbound_caused(A, Position(u64::MAX)).unwrap(), []);
}
