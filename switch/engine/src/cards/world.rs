//! The four banks of [`crate::world`] with card profiles: CASP and IRTY acquire and issue, HSBK issues, TSES is a foreign scheme's
//! host. Every command is also a test of the snapshot, as there.

use torap_domain::{
    CardReason, CardService, Money, ParticipantId, Span, Text, Time,
    card::{
        ApprovalCode, CardHash, Channel, EntryMode, InstitutionId, Mcc, Prefix, ResponseCode, Stan,
        Transmission, TruncatedPan,
    },
};

use super::*;
use crate::{
    Outcome,
    world::{CASP, HSBK, IRTY, TSES, World, operator},
};

/// Digits of a card of HSBK, for which the switch may stand in.
pub(crate) const OF_HSBK: &[u8; 16] = b"9860120000000012";
/// Of IRTY, for which it may not.
pub(crate) const OF_IRTY: &[u8; 16] = b"9860130000000011";
/// Of HSBK, of the foreign scheme.
pub(crate) const FOREIGN: &[u8; 16] = b"4000000000000002";

pub(crate) const AMOUNT: u64 = 100_000;
/// What the fee table takes of [`AMOUNT`]: 1 % to the issuer, 50 tiyn from the acquirer, 20 from the issuer.
pub(crate) const INTERCHANGE: u64 = 1_000;

pub(crate) struct Rail {
    pub(crate) world: World,
    version: u32,
}

impl Rail {
    pub(crate) fn new() -> Rail {
        let mut rail = Rail {
            world: World::new(),
            version: 0,
        };
        for id in [CASP, HSBK, IRTY, TSES] {
            rail.member(id, profile(id));
            rail.connect(id, u32::from(id.0));
        }
        rail.bins(ranges());
        let source = operator();
        rail.accept(Command::SetFees {
            source,
            rows: vec![fee_row()],
        });
        rail.accept(Command::SetStandIn {
            source,
            number: 1,
            rule: Some(stand_in()),
        });
        rail.scheme(Without::CarryOn);
        rail
    }

    pub(crate) fn member(&mut self, participant: ParticipantId, profile: Profile) {
        self.accept(Command::SetMember {
            source: operator(),
            participant,
            profile,
        });
    }

    pub(crate) fn bins(&mut self, ranges: Vec<BinRange>) {
        self.version += 1;
        self.accept(Command::SetBins {
            source: operator(),
            version: self.version,
            ranges,
        });
    }

    pub(crate) fn scheme(&mut self, without: Without) {
        self.accept(Command::SetScheme {
            source: operator(),
            number: 1,
            scheme: Some(Scheme {
                host: TSES,
                within: Span::from_millis(800),
                channels: Channels(Channel::Web.bit()),
                without,
            }),
        });
    }

    pub(crate) fn settings(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = *self.world.engine.card_settings();
        change(&mut settings);
        self.accept(Command::SetSettings {
            source: operator(),
            settings,
        });
    }

    /// A connection, and the sign-on.
    pub(crate) fn connect(&mut self, participant: ParticipantId, link: u32) {
        self.accept(Command::LinkUp {
            participant,
            link: LinkNumber(link),
        });
        self.network(participant, NetworkAction::SignOn);
    }

    pub(crate) fn disconnect(&mut self, participant: ParticipantId) {
        self.accept(Command::LinkDown {
            participant,
            link: LinkNumber(u32::from(participant.0)),
        });
    }

    pub(crate) fn network(&mut self, participant: ParticipantId, action: NetworkAction) {
        let trace = self.trace(900_000);
        self.accept(Command::Network(Network {
            origin: origin(participant),
            trace,
            mac: MacFact::NotRequired,
            action,
        }));
    }

    pub(crate) fn apply(&mut self, command: Command) -> Outcome {
        self.world.apply(crate::Command::Cards(command))
    }

    pub(crate) fn accept(&mut self, command: Command) {
        self.world.accept(crate::Command::Cards(command));
    }

    pub(crate) fn refuse(&mut self, command: Command) {
        let reason = torap_domain::Reason::OperatorRefused;
        self.world.refuse(crate::Command::Cards(command), reason);
    }

    /// A request of [`AMOUNT`] from CASP that `change` makes its own; `number` makes its identity.
    pub(crate) fn request(
        &mut self,
        number: u32,
        card: &[u8; 16],
        change: impl FnOnce(&mut Request),
    ) -> Request {
        let mut request = Request {
            origin: origin(CASP),
            repeat: false,
            transaction: self.transaction(number, card),
            pin: PinFact::Absent,
            chip: ChipFact::Absent,
            token: false,
            partial_supported: false,
        };
        change(&mut request);
        self.accept(Command::Request(request));
        request
    }

    /// A purchase with a card of HSBK that waits for its answer.
    pub(crate) fn asked(&mut self, number: u32) -> (Request, Trace) {
        let request = self.request(number, OF_HSBK, |_| ());
        (request, self.forwarded())
    }

    /// As [`Rail::asked`], approved.
    pub(crate) fn approved(&mut self, number: u32) -> Request {
        let (request, trace) = self.asked(number);
        self.answer(HSBK, trace, approve());
        assert!(matches!(self.decision(), Decision::Approved { .. }));
        request
    }

    /// An approved authorisation of [`AMOUNT`].
    pub(crate) fn authorised(&mut self, number: u32) -> Request {
        let request = self.request(number, OF_HSBK, |request| {
            request.transaction.class = Class::Authorisation;
            request.transaction.service = CardService::PreAuthorisation;
        });
        let trace = self.forwarded();
        self.answer_of(HSBK, Class::Authorisation, trace, approve());
        request
    }

    pub(crate) fn transaction(&self, number: u32, card: &[u8; 16]) -> Transaction {
        let table = self.world.engine.card_bins();
        let route = table.route(card, self.now()).map(|(route, _)| route);
        Transaction {
            class: Class::Financial,
            key: key(2, number),
            fingerprint: Fingerprint([number as u8; 16]),
            references: self.references(number),
            card: card_of(card),
            route,
            service: CardService::Purchase,
            channel: Channel::Pos,
            entry: EntryMode::Stripe,
            mcc: Mcc::new(5411).unwrap(),
            amount: Money::kzt(AMOUNT),
            cash_back: Money::kzt(0),
            mac: MacFact::NotRequired,
        }
    }

    pub(crate) fn references(&self, number: u32) -> References {
        References {
            trace: self.trace(number),
            acquirer: institution(CASP),
            retrieval: Text::truncated("632500000001"),
            terminal: Text::truncated("TERM0001"),
        }
    }

    pub(crate) fn trace(&self, number: u32) -> Trace {
        Trace {
            transmitted: Transmission::at(self.now()),
            stan: Stan::new(number).unwrap(),
        }
    }

    /// A reversal of what `original` was, with the identity of `number`.
    pub(crate) fn reverse(
        &mut self,
        number: u32,
        original: &Transaction,
        stands: Option<u64>,
    ) -> Reversal {
        let reversal = Reversal {
            origin: origin(CASP),
            repeat: false,
            advice: true,
            key: key(4, number),
            fingerprint: Fingerprint([number as u8; 16]),
            references: self.references(number),
            card: original.card,
            mac: MacFact::NotRequired,
            original: named(original),
            stands: stands.map(Money::kzt),
        };
        self.accept(Command::Reversal(reversal));
        reversal
    }

    pub(crate) fn advise(&mut self, number: u32, change: impl FnOnce(&mut Advice)) -> Advice {
        let mut advice = Advice {
            origin: origin(CASP),
            repeat: false,
            transaction: self.transaction(number, OF_HSBK),
            approval: ApprovalCode::parse(b"OFF001").ok(),
            completes: None,
        };
        change(&mut advice);
        self.accept(Command::Advice(advice));
        advice
    }

    pub(crate) fn answer(&mut self, issuer: ParticipantId, trace: Trace, verdict: Verdict) {
        self.answer_of(issuer, Class::Financial, trace, verdict);
    }

    pub(crate) fn answer_of(
        &mut self,
        issuer: ParticipantId,
        class: Class,
        trace: Trace,
        verdict: Verdict,
    ) {
        self.accept(Command::Answer(Answer {
            origin: origin(issuer),
            class,
            trace,
            mac: MacFact::NotRequired,
            verdict,
        }));
    }

    pub(crate) fn acknowledge(&mut self, participant: ParticipantId, trace: Trace) {
        self.accept(Command::Acknowledged(Acknowledged {
            origin: origin(participant),
            trace,
            mac: MacFact::NotRequired,
            code: ResponseCode::APPROVED,
        }));
    }

    pub(crate) fn now(&self) -> Time {
        self.world.now()
    }

    /// Time passes, and what is due is decided.
    pub(crate) fn tick_after(&mut self, span: Span) {
        self.world.wait(span);
        self.world.tick();
    }

    /// What the last command sent to a participant.
    pub(crate) fn sent_to(&self, to: ParticipantId) -> Vec<Message> {
        let theirs = self.world.out.cards.iter().filter(|effect| effect.to == to);
        theirs.map(|effect| effect.message).collect()
    }

    /// The trace of the one request that the last command sent to an issuer.
    pub(crate) fn forwarded(&self) -> Trace {
        let traces = self
            .world
            .out
            .cards
            .iter()
            .filter_map(|effect| match effect.message {
                Message::Request { trace, .. } => Some(trace),
                _ => None,
            });
        let traces: Vec<Trace> = traces.collect();
        assert_eq!(traces.len(), 1, "{:?}", self.world.out.cards);
        traces[0]
    }

    /// The decision that CASP was told by the last command.
    pub(crate) fn decision(&self) -> Decision {
        match self.sent_to(CASP)[..] {
            [Message::Answer { decision, .. }] => decision,
            ref other => panic!("{other:?}"),
        }
    }

    /// The reason that CASP was declined for by the last command.
    pub(crate) fn declined(&self) -> CardReason {
        match self.decision() {
            Decision::Declined { reason, .. } => reason,
            approved => panic!("{approved:?}"),
        }
    }

    /// How CASP's advice, reversal or other message was answered by the last command.
    pub(crate) fn replied(&self) -> Option<CardReason> {
        match self.sent_to(CASP)[..] {
            [Message::Reply { refusal, .. }] => refusal,
            ref other => panic!("{other:?}"),
        }
    }

    /// The letters that the last command sent to a member, with their traces and whether they are repeats.
    pub(crate) fn letters(&self, to: ParticipantId) -> Vec<(Letter, Trace, bool)> {
        let letters = self
            .sent_to(to)
            .into_iter()
            .filter_map(|message| match message {
                Message::Queued {
                    letter,
                    trace,
                    repeat,
                } => Some((letter, trace, repeat)),
                _ => None,
            });
        letters.collect()
    }

    /// The one letter that the last command sent to a member.
    pub(crate) fn letter(&self, to: ParticipantId) -> (Letter, Trace) {
        match self.letters(to)[..] {
            [(letter, trace, _)] => (letter, trace),
            ref other => panic!("{other:?}"),
        }
    }

    /// Balance of a member's card account, in tiyn.
    pub(crate) fn balance(&self, id: ParticipantId) -> i128 {
        let account = self
            .world
            .engine
            .state
            .cards
            .members
            .get(id)
            .unwrap()
            .account;
        self.world.engine.state.ledger.balance(account)
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let events = self
            .world
            .out
            .events
            .iter()
            .filter_map(|event| match event {
                crate::Event::Card(event) => Some(event.clone()),
                _ => None,
            });
        events.collect()
    }

    pub(crate) fn totals(&self, id: ParticipantId, side: Side) -> Totals {
        let session = self.world.engine.state.cards.sessions.current(self.now());
        self.world
            .engine
            .state
            .cards
            .sessions
            .totals(session, id, side)
    }
}

/// What CASP has after a purchase of [`AMOUNT`], in the words of the fee table.
pub(crate) fn acquired() -> i128 {
    i128::from(AMOUNT) - i128::from(INTERCHANGE) - 50
}

/// What the issuer has after it.
pub(crate) fn issued() -> i128 {
    -i128::from(AMOUNT) + i128::from(INTERCHANGE) - 20
}

pub(crate) fn profile(id: ParticipantId) -> Profile {
    let scheme = id == TSES;
    Profile {
        roles: Roles {
            acquirer: !scheme && id != HSBK,
            issuer: !scheme,
            scheme,
        },
        institutions: vec![institution(id)],
        host: None,
        dialect: Text::truncated("national"),
        mac: false,
        key_set: 1,
        services: Services::ALL,
        cap: None,
    }
}

pub(crate) fn ranges() -> Vec<BinRange> {
    let range = |prefix, issuer, scheme, stand_in| BinRange {
        prefix: Prefix::parse(prefix).unwrap(),
        issuer,
        product: 1,
        scheme,
        local: scheme == 0,
        stand_in,
        from: Time::EPOCH,
        until: None,
    };
    vec![
        range("986012", HSBK, 0, 1),
        range("986013", IRTY, 0, 0),
        range("400000", HSBK, 1, 0),
    ]
}

pub(crate) fn fee_row() -> FeeRow {
    let rate = |fixed, millionths| Rate {
        fixed: Money::kzt(fixed),
        millionths,
        least: Money::kzt(0),
        most: None,
    };
    FeeRow {
        product: Some(1),
        service: None,
        channel: None,
        mcc_from: Mcc::NONE,
        mcc_to: Mcc::new(9999).unwrap(),
        amount_from: Money::kzt(0),
        amount_to: Money::kzt(AMOUNT_MAX),
        from: Time::EPOCH,
        until: None,
        tariff: Tariff {
            interchange: rate(0, 10_000),
            interchange_to: Side::Issuer,
            switch_acquirer: rate(50, 0),
            switch_issuer: rate(20, 0),
        },
    }
}

pub(crate) fn stand_in() -> StandIn {
    StandIn {
        services: Services(
            CardService::Purchase.bit()
                | CardService::PreAuthorisation.bit()
                | CardService::Cash.bit(),
        ),
        channels: Channels::ALL,
        amount_max: Money::kzt(2 * AMOUNT),
        day_amount_max: Money::kzt(5 * AMOUNT),
        day_count_max: 3,
        pin_delegated: false,
        cryptogram_keys: false,
        floor: Money::kzt(AMOUNT / 2),
    }
}

pub(crate) fn approve() -> Verdict {
    Verdict::Approve {
        approval: ApprovalCode::parse(b"ISS001").ok(),
        part: None,
    }
}

pub(crate) fn decline(code: &str) -> Verdict {
    Verdict::Decline {
        code: ResponseCode::parse(code.as_bytes()).unwrap(),
    }
}

pub(crate) fn origin(participant: ParticipantId) -> Origin {
    Origin {
        participant,
        link: LinkNumber(u32::from(participant.0)),
    }
}

pub(crate) fn key(class: u8, number: u32) -> CardKey {
    let mut bytes = [class; 16];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    CardKey(bytes)
}

pub(crate) fn card_of(digits: &[u8; 16]) -> Card {
    Card {
        hash: CardHash(*digits),
        pan: TruncatedPan::from_pan(digits).unwrap(),
    }
}

pub(crate) fn institution(id: ParticipantId) -> InstitutionId {
    InstitutionId::parse(&format!("7000{}", id.0)).unwrap()
}

/// A transaction as DE90 names it.
pub(crate) fn named(original: &Transaction) -> Original {
    Original {
        key: original.key,
        class: original.class,
        trace: original.references.trace,
    }
}
