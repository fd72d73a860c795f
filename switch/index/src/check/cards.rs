//! Card transactions: names, and what each record did.

use torap_domain::{
    Asset, CardService, Date, Money, ParticipantId, Position, Text,
    card::{
        CardHash, Channel, EntryMode, InstitutionId, Mcc, ResponseCode, Stan, Transmission,
        TruncatedPan,
    },
};
use torap_engine::{
    Command, Event,
    cards::{
        self, Acknowledged, Answer, Card, CardKey, ChipFact, Class, Decider, Decision, Effect,
        Enrichment, Fees, Fingerprint, Finished, Letter, LinkNumber, MacFact, Message, Origin,
        Original, PinFact, References, Request, Reversal, ReversalCause, Side, Trace, Transaction,
        Verdict,
    },
};

use super::{A, B, stamp, time};
use crate::{CardLetter, CardName, CardOf, CardStep, Changes, Index};

const PURCHASE: CardKey = CardKey(*b"key of the first");
const REVERSAL: CardKey = CardKey(*b"key of the other");

fn trace(number: u32) -> Trace {
    Trace {
        transmitted: Transmission::parse(b"1121041527").unwrap(),
        stan: Stan::new(number).unwrap(),
    }
}

fn references(number: u32) -> References {
    References {
        trace: trace(number),
        acquirer: InstitutionId::parse("601001").unwrap(),
        retrieval: Text::truncated("632512123456"),
        terminal: Text::truncated("TERM0001"),
    }
}

fn origin(participant: ParticipantId) -> Origin {
    Origin {
        participant,
        link: LinkNumber(1),
    }
}

fn card() -> Card {
    Card {
        hash: CardHash(*b"hash of a number"),
        pan: TruncatedPan::from_parts(986_012, 3456, 16).unwrap(),
    }
}

fn request() -> Command {
    Command::Cards(cards::Command::Request(Request {
        origin: origin(A),
        repeat: false,
        transaction: Transaction {
            class: Class::Financial,
            key: PURCHASE,
            fingerprint: Fingerprint([1; 16]),
            references: references(1),
            card: card(),
            route: None,
            service: CardService::Purchase,
            channel: Channel::Pos,
            entry: EntryMode::Contactless,
            mcc: Mcc::new(5411).unwrap(),
            amount: Money::kzt(1000),
            cash_back: Money::zero(Asset::Kzt),
            mac: MacFact::NotRequired,
        },
        pin: PinFact::Absent,
        chip: ChipFact::Absent,
        token: false,
        partial_supported: false,
    }))
}

fn reversal() -> Command {
    Command::Cards(cards::Command::Reversal(Reversal {
        origin: origin(A),
        repeat: false,
        advice: true,
        key: REVERSAL,
        fingerprint: Fingerprint([2; 16]),
        references: references(2),
        card: card(),
        mac: MacFact::NotRequired,
        original: Original {
            key: PURCHASE,
            class: Class::Financial,
            trace: trace(1),
        },
        stands: None,
    }))
}

fn answer() -> Command {
    Command::Cards(cards::Command::Answer(Answer {
        origin: origin(B),
        class: Class::Financial,
        trace: trace(77),
        mac: MacFact::NotRequired,
        verdict: Verdict::Approve {
            approval: None,
            part: None,
        },
    }))
}

fn acknowledged() -> Command {
    Command::Cards(cards::Command::Acknowledged(Acknowledged {
        origin: origin(B),
        trace: trace(78),
        mac: MacFact::NotRequired,
        code: ResponseCode::parse(b"00").unwrap(),
    }))
}

fn decision() -> Decision {
    Decision::Approved {
        approval: None,
        amount: Money::kzt(1000),
        by: Decider::Issuer,
    }
}

fn session() -> Date {
    Date::from_time(time(1))
}

fn decided() -> Event {
    Event::Card(cards::Event::Decided(Finished {
        key: PURCHASE,
        fingerprint: Fingerprint([1; 16]),
        class: Class::Financial,
        decision: decision(),
        submitted: Position(10),
        decided: Position(11),
        decided_at: time(11),
        references: references(1),
        card: card(),
        service: CardService::Purchase,
        channel: Channel::Pos,
        mcc: Mcc::new(5411).unwrap(),
        product: 1,
        amount: Money::kzt(1000),
        acquirer: A,
        issuer: B,
        asked: Some(trace(77)),
        session: session(),
        fees: None,
    }))
}

fn reversed() -> Event {
    let none = Money::zero(Asset::Kzt);
    Event::Card(cards::Event::Reversed {
        original: PURCHASE,
        reversal: REVERSAL,
        stands: none,
        fees: Fees {
            interchange: none,
            interchange_to: Side::Issuer,
            switch_acquirer: none,
            switch_issuer: none,
        },
        session: session(),
    })
}

fn effect(to: ParticipantId, cause: u64, message: Message) -> Effect {
    Effect {
        to,
        link: None,
        cause: Position(cause),
        time: time(cause),
        message,
    }
}

fn letter(cause: u64, repeat: bool) -> Effect {
    let letter = Letter::Reversal {
        original: Position(10),
        class: Class::Financial,
        about: trace(77),
        reversal: Some(Position(12)),
        amount: Money::kzt(1000),
        stands: Money::kzt(0),
        cause: ReversalCause::Acquirer,
        session: session(),
    };
    let message = Message::Queued {
        letter,
        trace: trace(78),
        repeat,
    };
    effect(B, cause, message)
}

fn asked() -> Effect {
    let message = Message::Request {
        original: Position(10),
        class: Class::Financial,
        trace: trace(77),
        session: session(),
        expires: time(30),
        enrichment: Enrichment::NotAsked,
    };
    effect(B, 10, message)
}

fn answered() -> Effect {
    let message = Message::Answer {
        original: Position(10),
        class: Class::Financial,
        references: references(1),
        decision: decision(),
        answer: Some(Position(11)),
        session: session(),
        fees: None,
        again: false,
    };
    effect(A, 11, message)
}

fn replied() -> Effect {
    let message = Message::Reply {
        original: Position(12),
        trace: trace(2),
        refusal: None,
        session: session(),
        again: false,
    };
    effect(A, 12, message)
}

/// A purchase, its answer, its reversal, the letter to the issuer, its repeat and the acknowledgement.
pub(super) fn a_card_transaction_is_found_with_all_that_was_done(index: &impl Index) {
    let mut changes = Changes::new();
    let mut push = |position: u64, command: Command, mut events: Vec<Event>, effects: &[Effect]| {
        changes.push_with_cards(stamp(position), &command, &mut events, &[], effects);
    };
    push(10, request(), vec![], &[asked()]);
    push(11, answer(), vec![decided()], &[answered()]);
    push(
        12,
        reversal(),
        vec![reversed()],
        &[replied(), letter(12, false)],
    );
    push(13, Command::Tick, vec![], &[letter(13, true)]);
    push(14, acknowledged(), vec![], &[]);
    index.apply(&changes, Position(14)).unwrap();

    let named = |name: CardName<'_>| {
        let found = index.card_named(&name, 10).unwrap();
        found.iter().map(|one| one.value()).collect::<Vec<_>>()
    };
    let retrieval = |participant| CardName::Retrieval {
        participant,
        retrieval: "632512123456",
    };
    assert_eq!(named(retrieval(A)), [10, 12]);
    assert_eq!(named(retrieval(B)), [0; 0]);
    assert_eq!(named(CardName::trace(A, trace(1))), [10]);
    assert_eq!(
        named(CardName::trace(B, trace(77))),
        [10],
        "as the issuer knows it"
    );
    assert_eq!(named(CardName::trace(B, trace(78))), [10, 14]);

    let done = |of: CardOf| {
        let found = index.card_records(of, 10).unwrap();
        let rows = found.into_iter();
        rows.map(|row| (row.position.value(), row.steps))
            .collect::<Vec<_>>()
    };
    let sent = |repeat| CardStep::Sent {
        to: B,
        letter: CardLetter::Reversal,
        trace: trace(78),
        repeat,
    };
    let to_issuer = CardStep::Asked {
        to: B,
        trace: trace(77),
    };
    let to_acquirer = CardStep::Answered {
        to: A,
        again: false,
    };
    let stands = Money::kzt(0);
    assert_eq!(
        done(CardOf::Transaction(PURCHASE)),
        [
            (10, vec![to_issuer]),
            (11, vec![CardStep::Decided(decision()), to_acquirer]),
            (12, vec![CardStep::Reversed { stands }]),
        ]
    );
    let reply = CardStep::Replied {
        to: A,
        refusal: None,
        again: false,
    };
    assert_eq!(done(CardOf::Transaction(REVERSAL)), [(12, vec![reply])]);
    assert_eq!(
        done(CardOf::Message(Position(10))),
        [(12, vec![sent(false)]), (13, vec![sent(true)])]
    );
    assert_eq!(
        index
            .card_records(CardOf::Transaction(PURCHASE), 1)
            .unwrap()
            .len(),
        1
    );
}
