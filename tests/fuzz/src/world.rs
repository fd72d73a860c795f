//! A small network: four banks of their own and one that settles through the first, active, funded and signed on.

use torap_domain::{
    BankCode, Bic, CancellationId, Iban, IinBin, MessageId, Money, ParticipantId, Phone, Position,
    QrId, ReturnId, Sequence, Service, Span, Text, Time, TransactionId, Uetr,
};
use torap_engine::{
    Command, Engine, Output, References, Source, Stamp, directory,
    instant::{
        self, Answer, CreditTransfer, Fingerprint, PayeeFact, PaymentKey, QrFact, Recall, Return,
        StatusRequest, Verdict,
    },
    links,
    participants::{self, Direction, PositionMode, Profile},
    qr,
};

/// Participants, from 1.
pub const BANKS: u16 = 5;
/// Settles through participant 1.
pub const INDIRECT: u16 = 5;
/// On each position at the start, in tiyn.
pub const FUNDS: u64 = 1_000_000;

const NAMES: [(&str, &str, u16); BANKS as usize] = [
    ("CASP", "CASPKZKA", 722),
    ("HSBK", "HSBKKZKX", 601),
    ("IRTY", "IRTYKZKA", 965),
    ("TSES", "TSESKZKA", 998),
    ("INDI", "INDIKZKA", 777),
];

/// An engine, its clock, and the sequences of its links.
#[derive(Debug)]
pub struct World {
    pub engine: Engine,
    pub out: Output,
    pub stamp: Stamp,
    received: [u64; BANKS as usize],
    session: u64,
}

/// The engine of a new world.
pub fn new() -> Engine {
    World::new().engine
}

/// An engine that holds something of everything.
pub fn busy() -> Engine {
    let mut world = World::new();
    for number in 1..12 {
        let payment = world.payment(
            number,
            1 + u16::from(number % 3),
            4,
            u64::from(number),
            Service::C2cAccount,
        );
        world.apply(&Command::Instant(instant::Command::CreditTransfer(payment)));
        if number % 3 > 0 {
            let answer = world.answer(number, 4, number % 2 == 0);
            world.apply(&answer);
        }
    }
    let recall = world.recall(2, 3);
    world.apply(&recall);
    for number in 0..4 {
        let register = world.qr_register(number, 3, 500);
        world.apply(&register);
        let alias = world.alias(number, 2);
        world.apply(&alias);
    }
    world.engine
}

impl World {
    pub fn new() -> World {
        let mut world = World {
            engine: Engine::new(),
            out: Output::new(),
            stamp: Stamp {
                position: Position::ZERO,
                time: Time::parse("2026-11-21T22:00:00+05:00").expect("a time"),
            },
            received: [0; BANKS as usize],
            session: 0,
        };
        for number in 1..=BANKS {
            world.add(ParticipantId(number));
        }
        world
    }

    fn add(&mut self, participant: ParticipantId) {
        let (code, agent, bank_code) = NAMES[participant.index() - 1];
        let profile = Profile {
            code: Text::truncated(code),
            name: Text::truncated(code),
            bics: vec![Bic::parse(agent).expect("a BIC")],
            bank_codes: vec![BankCode::from_value(bank_code).expect("a bank code")],
            sponsor: (participant.0 == INDIRECT).then_some(ParticipantId(1)),
            technical_senders: Vec::new(),
            services: Service::ALL.to_vec(),
            floor: None,
            ceiling: None,
        };
        let source = operator();
        self.apply(&Command::Participants(participants::Command::Add {
            source,
            profile,
            mode: PositionMode::Prefunded,
        }));
        self.apply(&Command::Participants(participants::Command::SetState {
            source,
            participant,
            state: participants::State::Active,
        }));
        if participant.0 != INDIRECT {
            let fund = fund(participant, Direction::In, FUNDS);
            self.apply(&fund);
        }
        let up = self.sign(participant, true);
        self.apply(&up);
    }

    /// Applies a command a millisecond after the last one.
    pub fn apply(&mut self, command: &Command) {
        self.wait(Span::from_millis(1));
        self.stamp.position = self.stamp.position.next();
        self.engine.apply(self.stamp, command, &mut self.out);
    }

    pub fn wait(&mut self, span: Span) {
        self.stamp.time = self.stamp.time.saturating_add(span);
    }

    /// The next message on a participant's link.
    pub fn link(&mut self, participant: ParticipantId) -> Source {
        let last = &mut self.received[participant.index() - 1];
        *last += 1;
        Source::Link {
            participant,
            sequence: Sequence(*last),
        }
    }

    pub fn sign(&mut self, participant: ParticipantId, up: bool) -> Command {
        self.session += u64::from(up);
        let session = self.session;
        Command::Links(if up {
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
        })
    }

    pub fn payment(
        &mut self,
        number: u8,
        from: u16,
        to: u16,
        amount: u64,
        service: Service,
    ) -> CreditTransfer {
        let (debtor, creditor) = (ParticipantId(from), ParticipantId(to));
        CreditTransfer {
            source: self.link(debtor),
            service,
            references: references(number),
            key: key(number),
            fingerprint: Fingerprint([number; 16]),
            amount: Money::kzt(amount),
            accepted: self.stamp.time,
            instructing_agent: bic(debtor),
            debtor_agent: bic(debtor),
            debtor_account: iban(debtor, 1),
            debtor: person(u64::from(number % 3)),
            creditor_agent: bic(creditor),
            creditor_account: Some(iban(creditor, 2)),
            creditor: Some(person(u64::from(number % 3))),
            alias: None,
            payee: (service == Service::Me2Me).then_some(PayeeFact::Matched),
            qr: (service == Service::Qr).then(|| QrFact {
                id: QrId::parse("STATIC").expect("an id"),
                dynamic: false,
            }),
            history: None,
        }
    }

    pub fn answer(&mut self, number: u8, by: u16, accept: bool) -> Command {
        let verdict = if accept {
            Verdict::Accept
        } else {
            Verdict::Reject {
                agent_code: *b"AC04",
            }
        };
        Command::Instant(instant::Command::Answer(Answer {
            source: self.link(ParticipantId(by)),
            message_id: message_id(number),
            message_version: 0,
            uetr: uetr(number),
            transaction_id: references(number).transaction_id,
            verdict,
        }))
    }

    /// A return of `amount`; `attempt` makes its own identifier.
    pub fn give_back(&mut self, number: u8, attempt: u8, by: u16, amount: u64) -> Command {
        let mut own = [attempt; 16];
        own[0] = 0xff;
        Command::Instant(instant::Command::Return(Return {
            source: self.link(ParticipantId(by)),
            references: references(number),
            return_id: ReturnId::parse(&format!("R-{attempt}")).expect("an id"),
            key: PaymentKey(own),
            fingerprint: Fingerprint([attempt; 16]),
            instructing_agent: bic(ParticipantId(by)),
            amount: Money::kzt(amount),
            reason_code: *b"CUST",
            history: None,
            original: None,
        }))
    }

    pub fn recall(&mut self, number: u8, by: u16) -> Command {
        Command::Instant(instant::Command::Recall(Recall {
            source: self.link(ParticipantId(by)),
            references: references(number),
            cancellation_id: CancellationId::parse(&format!("C-{number}")).expect("an id"),
            instructing_agent: bic(ParticipantId(by)),
            reason_code: *b"DUPL",
            original: None,
        }))
    }

    pub fn query(&mut self, number: u8, by: u16) -> Command {
        Command::Instant(instant::Command::StatusRequest(StatusRequest {
            source: self.link(ParticipantId(by)),
            references: references(number),
            key: key(number),
            instructing_agent: bic(ParticipantId(by)),
            original: None,
        }))
    }

    pub fn qr_register(&mut self, number: u8, by: u16, amount: u64) -> Command {
        let merchant = ParticipantId(by);
        Command::Qr(qr::Command::Register(qr::Register {
            source: self.link(merchant),
            reference: message_id(number),
            id: qr_id(number),
            merchant_account: iban(merchant, 2),
            amount: Money::kzt(amount),
            expires: self.stamp.time.saturating_add(Span::from_secs(60)),
        }))
    }

    pub fn alias(&mut self, number: u8, by: u16) -> Command {
        let bank = ParticipantId(by);
        Command::Directory(directory::Command::Import {
            source: operator(),
            participant: bank,
            entries: vec![directory::ImportEntry {
                phone: Phone::parse(&format!("+7701000{number:04}")).expect("a number"),
                person: person(1),
                iban: iban(bank, 1),
                name: Text::truncated("A. Name"),
            }],
        })
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

pub fn operator() -> Source {
    Source::Operator {
        name: Text::truncated("a.operator"),
        reference: Text::truncated("ORDER-1"),
    }
}

pub fn fund(participant: ParticipantId, direction: Direction, amount: u64) -> Command {
    Command::Participants(participants::Command::Fund {
        source: operator(),
        participant,
        direction,
        amount: Money::kzt(amount),
    })
}

pub fn bic(bank: ParticipantId) -> Bic {
    let (_, agent, _) = NAMES[bank.index() - 1];
    Bic::parse(agent).expect("a BIC")
}

pub fn iban(bank: ParticipantId, number: u32) -> Iban {
    let (_, _, code) = NAMES[bank.index() - 1];
    let code = BankCode::from_value(code).expect("a bank code");
    Iban::for_kz(code, &format!("{number:013}")).expect("an IBAN")
}

pub fn person(number: u64) -> IinBin {
    let mut issued = (90_010_100_000..).filter_map(IinBin::with_check);
    let place = usize::try_from(number).expect("a small number");
    issued.nth(place).expect("there are many")
}

pub fn key(number: u8) -> PaymentKey {
    PaymentKey([number; 16])
}

pub fn uetr(number: u8) -> Uetr {
    Uetr::from_random([number; 16])
}

pub fn qr_id(number: u8) -> QrId {
    QrId::parse(&format!("QR-{number}")).expect("an id")
}

fn message_id(number: u8) -> MessageId {
    MessageId::parse(&format!("MSG-{number}")).expect("an id")
}

fn references(number: u8) -> References {
    References {
        message_id: message_id(number),
        instruction_id: None,
        end_to_end_id: None,
        transaction_id: TransactionId::parse(&format!("TX-{number}")).expect("an id"),
        uetr: uetr(number),
        message_version: 0,
    }
}
