//! What comes from a card host: sign-on, messages, and the HSM's word on both.

use std::{sync::Arc, time::Instant};

use torap_core::{Intake as CoreIntake, Secrets};
use torap_domain::{CardReason, ParticipantId, card::InstitutionId};
use torap_engine::{
    Command,
    cards::{self, MacFact, Origin},
};
use torap_gateway::{
    card::{
        crosswalk::{Crossed, Toward, is_national},
        members::Member,
        translate::{Inbound, Intake, Pending, QuestionNumber, Translated, unreadable},
        transport::Framed,
    },
    codes_card::response,
};
use torap_hsm::{Failure, Response};

use super::{Driver, bare};
use crate::serve::card::{
    hsm::ReplyTo,
    links::{Link, Question},
};

/// A message that waits for an HSM.
pub(super) struct Asked {
    pending: Box<Pending>,
    purpose: Purpose,
}

enum Purpose {
    Message,
    SignOn {
        participant: ParticipantId,
        framed: Framed,
    },
}

impl Driver {
    /// Somebody says who they are. Only what is proven reaches the log.
    pub(super) async fn sign_on(&mut self, institution: InstitutionId, framed: Framed) {
        let network = self.cards.network();
        let refusal = match network.by_institution(institution) {
            None => Some("nobody has this institution number"),
            Some(member) => self.turned_away(member),
        };
        let member = network
            .by_institution(institution)
            .filter(|_| refusal.is_none());
        let Some(member) = member else {
            let why = refusal.unwrap_or_default();
            return self.refuse(&framed, CardReason::NotMember, why);
        };
        let participant = member.participant;
        match self.translate(participant, &framed) {
            Translated::Ready(intake) => self.admit(participant, &framed, intake).await,
            Translated::Ask(pending) => {
                let purpose = Purpose::SignOn {
                    participant,
                    framed,
                };
                self.ask(pending, purpose).await;
            }
            // The link has read it before.
            Translated::Unreadable { .. } => {
                self.refuse(&framed, CardReason::ProfileViolation, "unreadable");
            }
        }
    }

    /// Why this participant may not sign on at this door.
    fn turned_away(&self, member: &Member) -> Option<&'static str> {
        let code = member.code.as_str();
        if self
            .admission
            .only
            .as_deref()
            .is_some_and(|only| only != code)
        {
            return Some("the link is another participant's");
        }
        if member.profile.host.is_some() {
            return Some("its processing centre signs on for it");
        }
        if !self.admission.trusted && !member.profile.mac {
            return Some(
                "without a MAC it signs on at a link of its own, from an address that is known",
            );
        }
        if self.link.dialect().name() != member.dialect.name() {
            return Some("the shared door speaks the national dialect only");
        }
        None
    }

    fn refuse(&mut self, framed: &Framed, reason: CardReason, why: &'static str) {
        tracing::warn!(address = %self.address, why, "card sign-on refused");
        self.link.refuse(framed, response(reason));
    }

    /// A sign-on whose MAC is known to be right, or need not be there.
    async fn admit(&mut self, participant: ParticipantId, framed: &Framed, intake: Intake) {
        let reason = match &intake.command {
            cards::Command::Network(network) => match network.mac {
                MacFact::Good | MacFact::NotRequired => None,
                MacFact::Bad => Some((CardReason::MacWrong, "its MAC is wrong")),
                MacFact::Missing => Some((CardReason::MacMissing, "it has no MAC")),
                MacFact::Unavailable => Some((CardReason::MacUnavailable, "no HSM can say")),
            },
            cards::Command::Malformed(malformed) => {
                Some((malformed.reason, "the message breaks a rule"))
            }
            _ => Some((CardReason::FunctionNotSupported, "it is no sign-on")),
        };
        if let Some((reason, why)) = reason {
            return self.refuse(framed, reason, why);
        }
        let link = Arc::new(Link {
            number: self.number,
            participant,
            address: self.address,
            since: Instant::now(),
            mailbox: Arc::clone(&self.mailbox),
        });
        if !self.cards.links.add(Arc::clone(&link)) {
            return self.refuse(
                framed,
                CardReason::Overloaded,
                "it has all links that it may have",
            );
        }
        self.signed_on = Some(Arc::clone(&link));
        let up = cards::Command::LinkUp {
            participant,
            link: self.number,
        };
        if self.switch.intake.push(bare(up)).await.is_err() {
            return self.refuse(framed, CardReason::Overloaded, "the switch stops");
        }
        tracing::info!(address = %self.address, participant = participant.value(), link = self.number.0, "card link signed on");
        self.link.open();
        self.queue(core_intake(intake));
    }

    pub(super) async fn take_message(&mut self, framed: &Framed) {
        let Some(participant) = self.signed_on.as_ref().map(|link| link.participant) else {
            return;
        };
        self.cards.count.received.increment(1);
        match self.translate(participant, framed) {
            Translated::Ready(intake) => self.queue(core_intake(intake)),
            Translated::Ask(pending) => self.ask(pending, Purpose::Message).await,
            Translated::Unreadable { intake, refusal } => {
                self.link.unreadable(framed, &refusal);
                self.queue(core_intake(intake));
            }
        }
    }

    fn translate(&self, participant: ParticipantId, framed: &Framed) -> Translated {
        let origin = Origin {
            participant,
            link: self.number,
        };
        let dialect = self.link.dialect();
        let crossed = if is_national(dialect) {
            None
        } else {
            match Crossed::read(dialect, &framed.message, Toward::Switch) {
                Ok(crossed) => Some(crossed),
                Err(refusal) => return unreadable(origin, refusal),
            }
        };
        let inbound = Inbound {
            origin,
            tpdu: framed.tpdu,
            message: crossed
                .as_ref()
                .map_or(&framed.message, |crossed| crossed.national()),
            wire: crossed.as_ref().and_then(|crossed| crossed.wire()),
            now: self.switch.wall_clock(),
            overloaded: self.switch.intake.is_overloaded(),
            hsm_is_up: self.cards.hsms.is_up(),
        };
        self.translator.translate(&inbound, &self.cards.network())
    }

    async fn ask(&mut self, pending: Box<Pending>, purpose: Purpose) {
        if let Some(asked) = self.put(pending, purpose) {
            self.done(asked).await;
        }
    }

    /// Puts a message's questions to the HSMs; gives it back if none of them takes any.
    fn put(&mut self, mut pending: Box<Pending>, purpose: Purpose) -> Option<Asked> {
        let ticket = self.next_ticket();
        for number in pending.questions().to_vec() {
            let reply_to = ReplyTo {
                mailbox: Arc::clone(&self.mailbox),
                ticket,
                question: Question::Of(number),
            };
            let taken = pending
                .request(number)
                .is_some_and(|request| self.cards.hsms.ask(&request, reply_to));
            if !taken {
                pending.fail(number);
            }
        }
        let asked = Asked { pending, purpose };
        if asked.pending.questions().is_empty() {
            return Some(asked);
        }
        self.asked.insert(ticket, asked);
        None
    }

    /// An HSM has answered, or will not.
    pub(super) async fn answered(
        &mut self,
        ticket: u64,
        number: QuestionNumber,
        outcome: &Result<Response, Failure>,
    ) {
        let Some(asked) = self.asked.get_mut(&ticket) else {
            return;
        };
        asked.pending.answer(number, outcome);
        if asked.pending.questions().is_empty()
            && let Some(asked) = self.asked.remove(&ticket)
        {
            self.done(asked).await;
        }
    }

    async fn done(&mut self, asked: Asked) {
        let intake = self.finish(asked.pending);
        match asked.purpose {
            Purpose::Message => {
                if self.stalled.is_some() {
                    // It was read before intake was full, and its questions have been answered: it goes behind what waits.
                    let _ = self.switch.intake.push(core_intake(intake)).await;
                } else {
                    self.queue(core_intake(intake));
                }
            }
            Purpose::SignOn {
                participant,
                framed,
            } => self.admit(participant, &framed, intake).await,
        }
    }

    /// The link is over: a message that was read counts, a sign-on does not.
    pub(super) async fn give_up(&mut self, mut asked: Asked) {
        if matches!(asked.purpose, Purpose::SignOn { .. }) {
            return;
        }
        for number in asked.pending.questions().to_vec() {
            asked.pending.fail(number);
        }
        let intake = self.finish(asked.pending);
        let _ = self.switch.intake.push(core_intake(intake)).await;
    }

    /// The command of a message whose questions are answered; a key that came with it is on the disk then.
    fn finish(&self, pending: Box<Pending>) -> Intake {
        let (mut intake, delivered) = pending.finish();
        if let Some(delivered) = delivered
            && let Err(error) = self.cards.keep(&delivered)
        {
            tracing::error!(%error, "a zone key cannot be kept");
            if let cards::Command::Network(network) = &mut intake.command {
                // Refused like a key that no HSM could take: the host hands it over again.
                network.mac = MacFact::Unavailable;
            }
        }
        intake
    }
}

fn core_intake(intake: Intake) -> CoreIntake {
    CoreIntake {
        command: Command::Cards(intake.command),
        evidence: intake.evidence,
        secrets: Secrets(intake.secrets),
        ticket: None,
    }
}
