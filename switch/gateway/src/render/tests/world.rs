//! A switch without journal, index and sockets: translator, engine, renderer, and the log in between.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use torap_domain::{BankCode, Money, ParticipantId, Position, Sequence, Service, Span, Text, Time};
use torap_engine::{
    Command, Effect, Engine, Event, Message, Notice, Outbound, Output, Source, Stamp, links,
    participants::{self, Direction, PositionMode, Profile, State},
};
use torap_iso20022::{
    profile::Direction as MessageDirection,
    view::{self, Body, Reader},
};

use crate::{
    fixtures::{ACCEPTED_NS, BANKS, Known, SWITCH, bic, cold},
    formats,
    render::{RecordError, Records, Renderer},
    translate::{Inbound, Network, Translator, command_from_json},
    wire::ContentType,
};

pub(super) const HSBK: u16 = 1;
pub(super) const CASP: u16 = 2;
pub(super) const IRTY: u16 = 3;
pub(super) const TSES: u16 = 4;

/// Everything that was ordered, by position.
#[derive(Debug, Default)]
pub(super) struct Log(BTreeMap<Position, (Command, Bytes)>);

impl Log {
    pub(super) fn with(records: impl IntoIterator<Item = (u64, Command, Bytes)>) -> Log {
        Log(records
            .into_iter()
            .map(|(at, command, bytes)| (Position::new(at), (command, bytes)))
            .collect())
    }

    fn record(&self, position: Position) -> Result<&(Command, Bytes), RecordError> {
        self.0
            .get(&position)
            .ok_or_else(|| RecordError::new(position, "there is no such record".into()))
    }
}

impl Records for Log {
    fn facts(&self, position: Position) -> Result<Command, RecordError> {
        self.record(position).map(|(command, _)| command.clone())
    }

    fn evidence(&self, position: Position) -> Result<Bytes, RecordError> {
        let (_, evidence) = self.record(position)?;
        let missing = || RecordError::new(position, "its original is not kept".into());
        (!evidence.is_empty())
            .then(|| evidence.clone())
            .ok_or_else(missing)
    }
}

/// A log that must not be asked.
struct Closed;

impl Records for Closed {
    fn facts(&self, position: Position) -> Result<Command, RecordError> {
        Err(RecordError::new(position, "the log was asked".into()))
    }

    fn evidence(&self, position: Position) -> Result<Bytes, RecordError> {
        Err(RecordError::new(position, "the log was asked".into()))
    }
}

/// One text that a bank received.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) to: u16,
    pub(super) content_type: ContentType,
    pub(super) text: String,
    pub(super) effect: Effect,
}

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) network: Network,
    pub(super) known: Known,
    pub(super) stamp: Stamp,
    /// Kinds of messages written so far.
    pub(super) seen: BTreeSet<&'static str>,
    log: Log,
    out: Output,
    translator: Translator,
    renderer: Renderer,
    sequences: BTreeMap<u16, u64>,
}

impl World {
    /// Four banks with 100,000 tenge each; HSBK wants notices below 50,000 and above 200,000.
    pub(super) fn new() -> World {
        let mut world = World {
            engine: Engine::new(),
            network: Network::new(bic(SWITCH), &[]),
            known: Known::default(),
            stamp: Stamp {
                position: Position::ZERO,
                time: Time::from_nanos(ACCEPTED_NS - 3_600_000_000_000),
            },
            seen: BTreeSet::new(),
            log: Log::default(),
            out: Output::new(),
            translator: Translator::new(),
            renderer: Renderer::new(),
            sequences: BTreeMap::new(),
        };
        for (id, (code, agent, bank_code)) in (1..).zip(BANKS) {
            world.add(id, code, agent, bank_code);
        }
        world.stamp.time = Time::from_nanos(ACCEPTED_NS);
        world
    }

    fn add(&mut self, id: u16, code: &str, agent: &str, bank_code: &str) {
        let profile = Profile {
            code: Text::truncated(code),
            name: Text::truncated(code),
            bics: vec![bic(agent)],
            bank_codes: vec![BankCode::parse(bank_code).unwrap()],
            sponsor: None,
            technical_senders: Vec::new(),
            services: Service::ALL.to_vec(),
            floor: (id == HSBK).then_some(Money::kzt(5_000_000)),
            ceiling: (id == HSBK).then_some(Money::kzt(20_000_000)),
        };
        let mode = PositionMode::Prefunded;
        self.order(Command::Participants(participants::Command::Add {
            source: operator(),
            profile,
            mode,
        }));
        self.set_state(id, State::Active);
        self.fund(id, Direction::In, 10_000_000);
        self.sign_on(id);
    }

    pub(super) fn set_state(&mut self, id: u16, state: State) -> Vec<Received> {
        let command = participants::Command::SetState {
            source: operator(),
            participant: ParticipantId(id),
            state,
        };
        self.order(Command::Participants(command))
    }

    pub(super) fn fund(&mut self, id: u16, direction: Direction, tiyn: u64) -> Vec<Received> {
        let (source, participant, amount) = (operator(), ParticipantId(id), Money::kzt(tiyn));
        self.order(Command::Participants(participants::Command::Fund {
            source,
            participant,
            direction,
            amount,
        }))
    }

    pub(super) fn sign_on(&mut self, id: u16) {
        let (participant, received) = (ParticipantId(id), Sequence::ZERO);
        self.order(Command::Links(links::Command::Up {
            participant,
            session: self.stamp.position.value() + 1,
            received,
        }));
    }

    pub(super) fn sign_off(&mut self, id: u16) {
        let up = self
            .log
            .0
            .iter()
            .rev()
            .find_map(|(_, (command, _))| match command {
                Command::Links(links::Command::Up {
                    participant,
                    session,
                    ..
                }) if participant.value() == id => Some(*session),
                _ => None,
            });
        let participant = ParticipantId(id);
        self.order(Command::Links(links::Command::Down {
            participant,
            session: up.unwrap(),
        }));
    }

    /// A message on a bank's link.
    pub(super) fn receive(&mut self, from: u16, body: &Bytes) -> Vec<Received> {
        self.receive_as(from, ContentType::Iso20022Xml, body)
    }

    /// A JSON command on a bank's link.
    pub(super) fn receive_json(&mut self, from: u16, text: &str) -> Vec<Received> {
        self.receive_as(
            from,
            ContentType::CommandJson,
            &Bytes::copy_from_slice(text.as_bytes()),
        )
    }

    pub(super) fn order_json(&mut self, text: &str) -> Vec<Received> {
        let command =
            command_from_json(operator(), text.as_bytes(), &self.network, &self.known).unwrap();
        self.order(command)
    }

    fn receive_as(&mut self, from: u16, content_type: ContentType, body: &Bytes) -> Vec<Received> {
        let sequence = self.sequences.entry(from).or_default();
        *sequence += 1;
        let inbound = Inbound {
            participant: ParticipantId(from),
            sequence: Sequence::new(*sequence),
            content_type,
            body,
        };
        let translated = self
            .translator
            .translate(inbound, &self.network, &self.known, false);
        self.apply(translated.command, translated.evidence)
    }

    /// Time passes, and what is due is decided.
    pub(super) fn wait(&mut self, span: Span) -> Vec<Received> {
        self.stamp.time = self.stamp.time.saturating_add(span);
        self.order(Command::Tick)
    }

    /// Place and time of the last record.
    pub(super) fn last(&self) -> torap_engine::Stamp {
        self.stamp
    }

    pub(super) fn order(&mut self, command: Command) -> Vec<Received> {
        self.apply(command, Bytes::new())
    }

    fn apply(&mut self, command: Command, evidence: Bytes) -> Vec<Received> {
        self.stamp.position = self.stamp.position.next();
        self.stamp.time = self.stamp.time.saturating_add(Span::from_millis(1));
        self.engine.apply(self.stamp, &command, &mut self.out);
        self.log
            .0
            .insert(self.stamp.position, (command, evidence.clone()));
        self.known.as_of = self.stamp.position.value();
        for event in &self.out.events {
            match event {
                Event::DirectoryChanged(record) => {
                    self.known
                        .aliases
                        .insert(record.phone.value(), (**record).clone());
                }
                Event::ParticipantChanged(_) => {
                    let views: Vec<_> = self.engine.participant_views().collect();
                    self.network = Network::new(bic(SWITCH), &views);
                }
                _ => {}
            }
        }
        let effects = self.out.effects.clone();
        effects
            .iter()
            .map(|effect| self.written(effect, &evidence))
            .collect()
    }

    /// The text of an entry, which must be the same however it comes about.
    fn written(&mut self, effect: &Effect, evidence: &Bytes) -> Received {
        let at_hand = forwards(&effect.outbound.message) == Some(self.stamp.position);
        let hot = self.text(
            effect,
            at_hand.then_some(&**evidence),
            false,
            &self.log_or_closed(effect, at_hand),
        );
        let alone = cold(effect.outbound);
        let cold = self.text(&alone, None, false, &LogRef::Open);
        assert!(
            hot == cold,
            "{:?}\n{}\n{}",
            effect.outbound.message,
            hot.1,
            cold.1
        );
        let resent = self.text(&alone, None, true, &LogRef::Open);
        let marked = resent.1.replace("<PssblDplct>true</PssblDplct>", "");
        assert_eq!(marked, cold.1);
        assert_eq!(
            marked != resent.1,
            cold.0 == ContentType::Iso20022Xml,
            "a resend is marked"
        );
        if cold.0 == ContentType::Iso20022Xml {
            self.check(&cold.1, effect);
        }
        self.seen.insert(kind(&effect.outbound.message));
        let outbound = &effect.outbound;
        Received {
            to: outbound.to.value(),
            content_type: cold.0,
            text: cold.1,
            effect: *effect,
        }
    }

    /// What the engine had at hand must do where it gave references and the original is there.
    fn log_or_closed(&self, effect: &Effect, at_hand: bool) -> LogRef {
        let is_status = matches!(effect.outbound.message, Message::Status { .. });
        let complete = effect.references.is_some() && (at_hand || is_status);
        if complete {
            LogRef::Closed
        } else {
            LogRef::Open
        }
    }

    fn text(
        &mut self,
        effect: &Effect,
        evidence: Option<&[u8]>,
        resend: bool,
        log: &LogRef,
    ) -> (ContentType, String) {
        let records: &dyn Records = match log {
            LogRef::Open => &self.log,
            LogRef::Closed => &Closed,
        };
        let mut out = b"before".to_vec();
        let written =
            self.renderer
                .render(effect, evidence, records, &self.network, resend, &mut out);
        let content_type =
            written.unwrap_or_else(|error| panic!("{:?}: {error}", effect.outbound.message));
        let text = String::from_utf8(out).unwrap();
        (
            content_type,
            text.strip_prefix("before").unwrap().to_owned(),
        )
    }

    /// Valid for the receiver, from the switch to it, and with the identifier that its place in the stream gives.
    fn check(&self, text: &str, effect: &Effect) {
        let outbound: &Outbound = &effect.outbound;
        let mut reader = Reader::new(*formats::formats());
        let message = reader.read(text.as_bytes(), MessageDirection::FromSwitch);
        let message = message.unwrap_or_else(|refused| panic!("{refused}\n{text}"));
        let header = message.header.unwrap();
        let receiver = self.network.by_id(outbound.to).unwrap().bics[0];
        assert_eq!((header.from, header.to), (SWITCH, receiver.as_str()));
        assert_eq!(
            header.created_ns / 1_000_000,
            outbound.time.nanos() / 1_000_000
        );
        if forwards(&outbound.message).is_none() {
            assert_eq!(
                header.message_id,
                format!("T{:04}-{}", outbound.to.value(), outbound.sequence)
            );
        }
        assert!(!matches!(message.body, Body::Other));
    }
}

enum LogRef {
    Open,
    Closed,
}

impl Received {
    /// The text read as a bank would.
    pub(super) fn with<T>(&self, look: impl FnOnce(&view::Message<'_>) -> T) -> T {
        let mut reader = Reader::new(*formats::formats());
        look(
            &reader
                .read(self.text.as_bytes(), MessageDirection::FromSwitch)
                .unwrap(),
        )
    }

    /// Status, code and the settlement date of a pacs.002.
    pub(super) fn status(&self) -> (&'static str, Option<String>, bool) {
        self.with(|message| match &message.body {
            Body::StatusReport(report) => (
                report.status.as_str(),
                report.reason.map(str::to_owned),
                report.settlement_date.is_some(),
            ),
            other => panic!("not a status report: {other:?}"),
        })
    }
}

/// The record whose Document an entry carries.
pub(super) fn forwards(message: &Message) -> Option<Position> {
    match message {
        Message::Forward { original }
        | Message::ForwardReturn { original }
        | Message::ForwardRecall { original }
        | Message::ForwardResolution { original } => Some(*original),
        _ => None,
    }
}

pub(super) fn kind(message: &Message) -> &'static str {
    match message {
        Message::Forward { .. } => "forward",
        Message::Confirm { .. } => "confirm",
        Message::Status { .. } => "status",
        Message::ForwardReturn { .. } => "forward-return",
        Message::ForwardRecall { .. } => "forward-recall",
        Message::ForwardResolution { .. } => "forward-resolution",
        Message::Resolution { .. } => "resolution",
        Message::LookUpAnswer { .. } => "look-up-answer",
        Message::Reject { .. } => "reject",
        Message::CommandAnswer { .. } => "command-answer",
        Message::NotReceived { .. } => "not-received",
        Message::ClearingStatus { .. } => "clearing-status",
        Message::ClearingForward { .. } => "clearing-forward",
        Message::ClearingRefused { .. } => "clearing-refused",
        Message::ClearingReport { .. } => "clearing-report",
        Message::ImtsStatus { .. } => "imts-status",
        Message::ImtsForward { .. } => "imts-forward",
        Message::WithdrawalAnswer { .. } => "withdrawal-answer",
        Message::ImtsReceipt { .. } => "imts-receipt",
        Message::ImtsDay { .. } => "imts-day",
        Message::Report { .. } => "report",
        Message::ImtsNotice { .. } => "imts-notice",
        Message::MassStatus { .. } => "mass-status",
        Message::Notice { notice } => match notice {
            Notice::Floor { .. } => "floor",
            Notice::Ceiling { .. } => "ceiling",
            Notice::AliasClaimed { .. } => "alias-claimed",
            Notice::ClaimContested { .. } => "claim-contested",
            Notice::AliasSuspended { .. } => "alias-suspended",
            Notice::AliasReleased { .. } => "alias-released",
            Notice::StateChanged { .. } => "state-changed",
            Notice::Funded { .. } => "funded",
            Notice::CardNet { .. } => "card-net",
            Notice::Defaulted { .. } => "defaulted",
            Notice::FundUsed { .. } => "fund-used",
            Notice::NetLost { .. } => "net-lost",
            Notice::TopUpCalled { .. } => "top-up-called",
            Notice::Case(_) => "case",
        },
    }
}

pub(super) fn operator() -> Source {
    Source::Operator {
        name: Text::truncated("asel"),
        reference: Text::truncated("ORDER-7"),
    }
}
