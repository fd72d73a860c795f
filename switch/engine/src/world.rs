//! A small world for tests of the engine's rules: four banks, active, funded and signed on.
//!
//! After every command money is conserved, entries of statements explain every balance, the outbound streams have no holes, and the engine goes on as the one restored
//! from its own snapshot; so every scenario is also a test of the snapshot.

use std::collections::BTreeMap;

use torap_domain::{
    BankCode, Bic, Iban, IinBin, MessageId, Money, ParticipantId, Position, QrId, Reason, Sequence,
    Service, Span, Text, Time, TransactionId, Uetr,
};

use crate::{
    Command, Effect, Engine, Event, Message, Outcome, Output, References, Source, Stamp, Status,
    instant::{self, Answer, CreditTransfer, Fingerprint, Finished, PaymentKey, QrFact, Verdict},
    links,
    participants::{self, Direction, PositionMode, Profile},
    reports::tests::Before,
};

/// Participants in the order of their addition.
pub(crate) const CASP: ParticipantId = ParticipantId(1);
pub(crate) const HSBK: ParticipantId = ParticipantId(2);
pub(crate) const IRTY: ParticipantId = ParticipantId(3);
pub(crate) const TSES: ParticipantId = ParticipantId(4);
/// All four.
pub(crate) const BANK_IDS: [ParticipantId; 4] = [CASP, HSBK, IRTY, TSES];
/// No participant.
pub(crate) const NOBODY: ParticipantId = ParticipantId(77);

const BANKS: [(&str, &str, u16); 4] = [
    ("CASP", "CASPKZKA", 722),
    ("HSBK", "HSBKKZKX", 601),
    ("IRTY", "IRTYKZKA", 965),
    ("TSES", "TSESKZKA", 998),
];

/// What every bank has at the start, in tiyn.
pub(crate) const FUNDS: u64 = 100_000_000;

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) out: Output,
    pub(crate) stamp: Stamp,
    sessions: BTreeMap<ParticipantId, u64>,
    received: BTreeMap<ParticipantId, u64>,
    sent: BTreeMap<ParticipantId, u64>,
}

impl World {
    pub(crate) fn new() -> World {
        let mut world = World {
            engine: Engine::new(),
            out: Output::new(),
            stamp: Stamp {
                position: Position::ZERO,
                time: Time::parse("2026-11-21T09:00:00+05:00").unwrap(),
            },
            sessions: BTreeMap::new(),
            received: BTreeMap::new(),
            sent: BTreeMap::new(),
        };
        for (participant, (code, agent, bank_code)) in (1..).map(ParticipantId).zip(BANKS) {
            world.add(participant, code, agent, bank_code);
        }
        world
    }

    fn add(&mut self, participant: ParticipantId, code: &str, agent: &str, bank_code: u16) {
        let profile = Profile {
            code: Text::truncated(code),
            name: Text::truncated(code),
            bics: vec![Bic::parse(agent).unwrap()],
            bank_codes: vec![BankCode::from_value(bank_code).unwrap()],
            sponsor: None,
            technical_senders: Vec::new(),
            services: Service::ALL.to_vec(),
            floor: None,
            ceiling: None,
        };
        let source = operator();
        let commands = [
            participants::Command::Add {
                source,
                profile,
                mode: PositionMode::Prefunded,
            },
            participants::Command::SetState {
                source,
                participant,
                state: participants::State::Active,
            },
            participants::Command::Fund {
                source,
                participant,
                direction: Direction::In,
                amount: Money::kzt(FUNDS),
            },
        ];
        for command in commands {
            self.accept(Command::Participants(command));
        }
        self.sign(participant, true);
    }

    /// Signs a participant on, with a session of its own, or off.
    pub(crate) fn sign(&mut self, participant: ParticipantId, up: bool) {
        let session = self.sessions.entry(participant).or_default();
        *session += u64::from(up);
        let session = *session;
        self.accept(Command::Links(if up {
            links::Command::Up {
                participant,
                session,
                received: Sequence::ZERO,
            }
        } else {
            links::Command::Down {
                participant,
                session,
            }
        }));
    }

    pub(crate) fn state(&mut self, participant: ParticipantId, state: participants::State) {
        self.accept(Command::Participants(participants::Command::SetState {
            source: operator(),
            participant,
            state,
        }));
    }

    pub(crate) fn succeed(&mut self, participant: ParticipantId, successor: ParticipantId) {
        self.accept(Command::Participants(participants::Command::SetSuccessor {
            source: operator(),
            participant,
            successor,
        }));
    }

    /// Goes on by the newest rules, as a new log of the switch does from its first command on.
    pub(crate) fn newest_rules(&mut self) {
        self.accept(Command::Rules {
            source: operator(),
            version: crate::RULES_NEWEST,
        });
    }

    /// The source of the next message on a participant's link.
    pub(crate) fn link(&mut self, participant: ParticipantId) -> Source {
        let last = self.received.entry(participant).or_default();
        *last += 1;
        Source::Link {
            participant,
            sequence: Sequence(*last),
        }
    }

    /// The clock goes on.
    pub(crate) fn wait(&mut self, span: Span) {
        self.stamp.time = self.stamp.time.checked_add(span).unwrap();
    }

    pub(crate) fn now(&self) -> Time {
        self.stamp.time
    }

    /// Applies a command a millisecond after the last one.
    pub(crate) fn apply(&mut self, command: Command) -> Outcome {
        self.wait(Span::from_millis(1));
        self.stamp.position = self.stamp.position.next();
        let before = Before::of(&self.engine);
        self.engine.apply(self.stamp, &command, &mut self.out);
        for effect in &self.out.effects {
            let last = self.sent.entry(effect.outbound.to).or_default();
            *last += 1;
            assert_eq!(
                effect.outbound.sequence,
                Sequence(*last),
                "a hole in a stream"
            );
        }
        self.engine.conservation().unwrap();
        before.check(&self.engine, self.stamp, &self.out.events);
        self.restart();
        self.out.outcome
    }

    /// Goes on as the engine that its own snapshot gives.
    fn restart(&mut self) {
        let mut bytes = Vec::new();
        self.engine
            .snapshot(&mut |piece| bytes.extend_from_slice(piece));
        let restored = Engine::restore(&bytes, self.stamp.position.value()).unwrap();
        assert_eq!(restored.digest(), self.engine.digest());
        assert_eq!(restored.next_deadline(), self.engine.next_deadline());
        self.engine = restored;
    }

    pub(crate) fn accept(&mut self, command: Command) {
        let shown = format!("{command:?}");
        assert_eq!(self.apply(command), Outcome::Accepted, "{shown}");
    }

    /// The command is refused for `reason`, and followers are told.
    pub(crate) fn refuse(&mut self, command: Command, reason: Reason) {
        let shown = format!("{command:?}");
        assert_eq!(self.apply(command), Outcome::Refused(reason), "{shown}");
    }

    pub(crate) fn tick(&mut self) {
        self.accept(Command::Tick);
    }

    /// What the last command sent to a participant, in order.
    pub(crate) fn sent_to(&self, participant: ParticipantId) -> Vec<Message> {
        let theirs = |effect: &&Effect| effect.outbound.to == participant;
        let effects = self.out.effects.iter().filter(theirs);
        effects.map(|effect| effect.outbound.message).collect()
    }

    /// The one status that the last command sent to a participant.
    pub(crate) fn status_to(&self, participant: ParticipantId) -> (Status, bool) {
        match self.sent_to(participant).as_slice() {
            [Message::Status { status, repeat, .. }] => (*status, *repeat),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn available(&self, participant: ParticipantId) -> i128 {
        let mut positions = self.engine.positions();
        let position = positions.find(|position| position.participant == participant);
        position.unwrap().available
    }

    /// A payment of `amount` tiyn from CASP to HSBK, by account; `number` makes its identifiers.
    pub(crate) fn payment(&mut self, number: u8, service: Service, amount: u64) -> CreditTransfer {
        CreditTransfer {
            source: self.link(CASP),
            service,
            references: references(number),
            key: key(number),
            fingerprint: Fingerprint([number; 16]),
            amount: Money::kzt(amount),
            accepted: self.now(),
            instructing_agent: bic(CASP),
            debtor_agent: bic(CASP),
            debtor_account: iban(CASP, 1),
            debtor: person(1),
            creditor_agent: bic(HSBK),
            creditor_account: Some(iban(HSBK, 2)),
            creditor: Some(person(if service == Service::Me2Me { 1 } else { 2 })),
            alias: None,
            payee: (service == Service::Me2Me).then_some(instant::PayeeFact::Matched),
            qr: (service == Service::Qr).then(|| QrFact {
                id: QrId::parse("STATIC").unwrap(),
                dynamic: false,
            }),
            history: None,
        }
    }

    /// The payee's bank answers the payment of `number`.
    pub(crate) fn answer(&mut self, number: u8, verdict: Verdict) {
        let source = self.link(HSBK);
        self.accept(Command::Instant(instant::Command::Answer(Answer {
            source,
            message_id: MessageId::parse("ANSWER").unwrap(),
            message_version: 0,
            uetr: uetr(number),
            transaction_id: references(number).transaction_id,
            verdict,
        })));
    }

    /// A payment from CASP to HSBK that is settled.
    pub(crate) fn settled(&mut self, number: u8, service: Service, amount: u64) -> Finished {
        let payment = self.payment(number, service, amount);
        self.accept(Command::Instant(instant::Command::CreditTransfer(payment)));
        self.answer(number, Verdict::Accept);
        self.finished()
    }

    /// The payment or return that the last command finished.
    pub(crate) fn finished(&self) -> Finished {
        let finished = self.out.events.iter().find_map(|event| match event {
            Event::PaymentFinished(finished) | Event::ReturnFinished(finished) => Some(*finished),
            _ => None,
        });
        finished.unwrap()
    }
}

pub(crate) fn operator() -> Source {
    Source::Operator {
        name: Text::truncated("a.operator"),
        reference: Text::truncated("ORDER-1"),
    }
}

/// The BIC of one of the four banks.
pub(crate) fn bic(bank: ParticipantId) -> Bic {
    let (_, agent, _) = BANKS[bank.index() - 1];
    Bic::parse(agent).unwrap()
}

/// An account at one of the four banks.
pub(crate) fn iban(bank: ParticipantId, number: u32) -> Iban {
    let (_, _, code) = BANKS[bank.index() - 1];
    let code = BankCode::from_value(code).unwrap();
    Iban::for_kz(code, &format!("{number:013}")).unwrap()
}

/// One of a row of persons.
pub(crate) fn person(number: u64) -> IinBin {
    let mut issued = (90_010_100_000..).filter_map(IinBin::with_check);
    issued.nth(usize::try_from(number).unwrap()).unwrap()
}

pub(crate) fn uetr(number: u8) -> Uetr {
    Uetr::from_random([number; 16])
}

pub(crate) fn key(number: u8) -> PaymentKey {
    PaymentKey([number; 16])
}

pub(crate) fn references(number: u8) -> References {
    References {
        message_id: MessageId::parse(&format!("MSG-{number}")).unwrap(),
        instruction_id: None,
        end_to_end_id: None,
        transaction_id: TransactionId::parse(&format!("TX-{number}")).unwrap(),
        uetr: uetr(number),
        message_version: 0,
    }
}

pub(crate) fn rejected(reason: Reason) -> Status {
    Status::Rejected {
        reason,
        agent_code: None,
    }
}
