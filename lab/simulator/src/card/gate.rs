//! The switch's side of one card link: the real link, translation and rendering, around the simulated bytes.
//!
//! It follows the program's driver step by step; what the driver awaits (room in intake) is a state here.

use std::{collections::BTreeSet, rc::Rc};

use bytes::Bytes;
use torap_core::{Intake, Secrets};
use torap_domain::{CardReason, ParticipantId, Position, Time};
use torap_engine::{
    Command,
    cards::{self, LinkNumber, Message, Origin, Trace},
};
use torap_gateway::{
    card::{
        framing::Framing,
        link::{CardLink, LinkConfig, LinkEvent},
        render::{CardRenderer, Record, Records, RenderError, records_of},
        translate::{self, CardTranslator, Inbound, Translated},
        transport::{Framed, TransportConfig},
    },
    codes_card::response,
};
use torap_iso8583::Dialect;

use super::{
    desk::{Kept, Outgoing},
    seed::{SWITCH, institution_id},
};
use crate::node::{Node, plain};

/// What was ever handed to links, in all lives of the switch: no request and no first letter may be handed out twice.
#[derive(Debug, Default)]
pub(crate) struct HandedOut {
    /// Records of requests.
    requests: BTreeSet<Position>,
    /// The first sending of letters.
    letters: BTreeSet<(ParticipantId, Trace)>,
}

pub(crate) struct CardGate {
    /// Whose door it is.
    only: ParticipantId,
    number: LinkNumber,
    link: CardLink,
    translator: CardTranslator,
    renderer: CardRenderer,
    signed_on: bool,
    pub(crate) output: Vec<u8>,
    /// A command that found intake full.
    stalled: Option<Intake>,
    pub(crate) closed: bool,
}

impl CardGate {
    pub(crate) fn new(
        only: ParticipantId,
        framing: Framing,
        node: &mut Node,
        now: u64,
        wall: u64,
    ) -> CardGate {
        let config = LinkConfig::new(
            TransportConfig::new(framing),
            Dialect::national(),
            institution_id(SWITCH),
        );
        let vault = node.desk.vault();
        CardGate {
            only,
            number: node.desk.next_link(),
            link: CardLink::new(config, now, Time::from_nanos(wall)),
            translator: CardTranslator::new(std::sync::Arc::clone(&vault)),
            renderer: CardRenderer::new(vault),
            signed_on: false,
            output: Vec::new(),
            stalled: None,
            closed: false,
        }
    }

    /// Whether bytes may be handed in.
    pub(crate) fn reads(&self) -> bool {
        self.stalled.is_none() && self.link.wants_input()
    }

    pub(crate) fn take_bytes(&mut self, bytes: &[u8], now: u64) {
        self.link.input().extend_from_slice(bytes);
        self.link.handle_input(now);
    }

    pub(crate) fn take_end(&mut self, now: u64) {
        self.link.handle_end(now);
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        self.link.poll_timeout()
    }

    /// Everything that can be done now; gives the promise that was broken.
    pub(crate) fn work(
        &mut self,
        node: &mut Node,
        handed_out: &mut HandedOut,
        now: u64,
        wall: u64,
    ) -> Option<String> {
        if self.closed {
            return None;
        }
        let mut violation = None;
        self.link.handle_timeout(now, Time::from_nanos(wall));
        self.retry_stalled(node);
        while self.stalled.is_none() {
            let Some(event) = self.link.poll_event() else {
                break;
            };
            match event {
                LinkEvent::SignOn {
                    institution,
                    framed,
                } => self.sign_on(institution, &framed, node, wall),
                LinkEvent::Message(framed) => self.take_message(&framed, node, wall),
                LinkEvent::Closed(_) => self.closed = true,
            }
        }
        while self.link.has_room() && self.signed_on {
            let Some(outgoing) = node.desk.next_outgoing(self.number) else {
                break;
            };
            let sent = self.send(&outgoing, node, handed_out, wall);
            violation = violation.or(sent.err());
        }
        if self.output.is_empty() || self.closed {
            self.link.poll_output(&mut self.output, now);
        }
        if self.closed {
            self.retire(node);
        }
        violation
    }

    /// Somebody says who they are, at a door that only one participant knows.
    fn sign_on(
        &mut self,
        institution: torap_domain::card::InstitutionId,
        framed: &Framed,
        node: &mut Node,
        wall: u64,
    ) {
        let network = node.desk.network();
        let participant = network
            .by_institution(institution)
            .map(|member| member.participant)
            .filter(|participant| *participant == self.only);
        let translated = self.translate(framed, node, wall);
        let (Some(participant), Translated::Ready(intake)) = (participant, translated) else {
            return self.link.refuse(framed, response(CardReason::NotMember));
        };
        if !matches!(intake.command, cards::Command::Network(_)) {
            let code = response(CardReason::FunctionNotSupported);
            return self.link.refuse(framed, code);
        }
        if !node.desk.add(self.number, participant) {
            return self.link.refuse(framed, response(CardReason::Overloaded));
        }
        self.signed_on = true;
        let up = cards::Command::LinkUp {
            participant,
            link: self.number,
        };
        node.tell(Command::Cards(up));
        self.link.open();
        self.queue(core_intake(intake), node);
    }

    fn take_message(&mut self, framed: &Framed, node: &mut Node, wall: u64) {
        if !self.signed_on {
            return;
        }
        match self.translate(framed, node, wall) {
            Translated::Ready(intake) => self.queue(core_intake(intake), node),
            Translated::Unreadable { intake, refusal } => {
                self.link.unreadable(framed, &refusal);
                self.queue(core_intake(intake), node);
            }
            Translated::Ask(pending) => {
                // No HSM: as in the program when none takes a question.
                let mut pending = pending;
                for number in pending.questions().to_vec() {
                    pending.fail(number);
                }
                let (intake, _) = pending.finish();
                self.queue(core_intake(intake), node);
            }
        }
    }

    fn translate(&self, framed: &Framed, node: &Node, wall: u64) -> Translated {
        let inbound = Inbound {
            origin: Origin {
                participant: self.only,
                link: self.number,
            },
            tpdu: framed.tpdu,
            message: &framed.message,
            wire: None,
            now: Time::from_nanos(wall),
            overloaded: node.is_overloaded(),
            hsm_is_up: false,
        };
        self.translator.translate(&inbound, &node.desk.network())
    }

    fn queue(&mut self, intake: Intake, node: &mut Node) {
        if let Err(intake) = node.push(intake) {
            self.link.pause();
            self.stalled = Some(intake);
        }
    }

    fn retry_stalled(&mut self, node: &mut Node) {
        let Some(intake) = self.stalled.take() else {
            return;
        };
        match node.push(intake) {
            Ok(()) => self.link.resume(),
            Err(intake) => self.stalled = Some(intake),
        }
    }

    fn send(
        &mut self,
        outgoing: &Outgoing,
        node: &Node,
        handed_out: &mut HandedOut,
        wall: u64,
    ) -> Result<(), String> {
        let effect = &outgoing.effect;
        let expires = match effect.message {
            Message::Request { expires, .. } | Message::Enquiry { expires, .. } => Some(expires),
            _ => None,
        };
        if expires.is_some_and(|expires| Time::from_nanos(wall) >= expires) {
            // The engine has decided without it.
            return Ok(());
        }
        let mut message = Vec::with_capacity(512);
        let tpdu = match self.render(outgoing, node, &mut message) {
            Ok(tpdu) => tpdu,
            Err(RenderError::NoSecrets) => return Ok(()),
            Err(error) => {
                return Err(format!(
                    "a card message to participant {} because of record {} cannot be written: {error}",
                    effect.to.value(),
                    effect.cause.value()
                ));
            }
        };
        self.link.send(tpdu, &message);
        check(outgoing, node, handed_out)
    }

    fn render(
        &mut self,
        outgoing: &Outgoing,
        node: &Node,
        message: &mut Vec<u8>,
    ) -> Result<Option<torap_gateway::card::framing::Tpdu>, RenderError> {
        let [original, second] = records_of(&outgoing.effect);
        let original = record(original, outgoing.original.as_ref(), node)?;
        let second = record(second, outgoing.second.as_ref(), node)?;
        let records = Records {
            original: original.as_deref().map(Kept::record),
            second: second.as_deref().map(Kept::record),
            enquired: outgoing.enquired,
        };
        let network = node.desk.network();
        let rendered = self
            .renderer
            .render(&outgoing.effect, &records, &network, message)?;
        Ok(rendered.tpdu)
    }

    /// What was taken stays; what waits goes to another link; then the log learns that this one is down.
    fn retire(&mut self, node: &mut Node) {
        if let Some(intake) = self.stalled.take() {
            node.tell_with(intake);
        }
        if std::mem::take(&mut self.signed_on) {
            node.desk.retire(self.number);
            node.tell(Command::Cards(cards::Command::LinkDown {
                participant: self.only,
                link: self.number,
            }));
        }
    }
}

impl Kept {
    fn record(&self) -> Record<'_> {
        Record {
            command: &self.command,
            evidence: &self.evidence,
            secrets: &self.secrets,
        }
    }
}

/// A record from memory, else from the log.
fn record(
    position: Option<Position>,
    kept: Option<&Rc<Kept>>,
    node: &Node,
) -> Result<Option<Rc<Kept>>, RenderError> {
    if let Some(kept) = kept {
        return Ok(Some(Rc::clone(kept)));
    }
    let Some(position) = position else {
        return Ok(None);
    };
    let (command, evidence) = node
        .records
        .read(position)
        .map_err(|_| RenderError::NoRecord)?;
    let Command::Cards(command) = command else {
        return Err(RenderError::Mismatch);
    };
    Ok(Some(Rc::new(Kept {
        command,
        evidence: evidence.unwrap_or_default(),
        secrets: Bytes::new(),
    })))
}

/// What holds for every message that is handed to a link.
fn check(outgoing: &Outgoing, node: &Node, handed_out: &mut HandedOut) -> Result<(), String> {
    let effect = &outgoing.effect;
    let (to, cause) = (effect.to, effect.cause.value());
    if cause > node.durable() {
        return Err(format!(
            "a card message to participant {} is sent because of record {cause}, but the journal holds only {}: an answer was sent \
             that the journal does not hold",
            to.value(),
            node.durable()
        ));
    }
    match effect.message {
        Message::Request { original, .. } => {
            if original <= node.desk.began {
                return Err(format!(
                    "the card request of record {} is sent by another process than the one that took it",
                    original.value()
                ));
            }
            if !handed_out.requests.insert(original) {
                return Err(format!(
                    "the card request of record {} is sent to its issuer twice",
                    original.value()
                ));
            }
        }
        Message::Queued { trace, repeat, .. } | Message::ClosingTotals { trace, repeat, .. }
            if !repeat && !handed_out.letters.insert((to, trace)) =>
        {
            return Err(format!(
                "letter {}/{} to participant {} is sent twice without its mark",
                trace.transmitted,
                trace.stan,
                to.value()
            ));
        }
        _ => {}
    }
    Ok(())
}

fn core_intake(intake: translate::Intake) -> Intake {
    Intake {
        evidence: intake.evidence,
        secrets: Secrets(intake.secrets),
        ..plain(Command::Cards(intake.command), None)
    }
}
