//! The switch's side of one connection: the real session, translation and rendering, around the simulated bytes.
//!
//! It follows the program's connection step by step, without sockets and waiting: what a task awaits there is a state here.

use bytes::{Bytes, BytesMut};
use torap_core::Intake;
use torap_domain::{ParticipantId, Sequence};
use torap_engine::{Command, Source, links};
use torap_gateway::{
    render::Renderer,
    session::{Admission, Credentials, Outgoing, Sent, ServerConfig, ServerEvent, ServerSession},
    translate::{Inbound, Translator, refused_by_session},
    wire::{ContentType, ErrorCode, Mode, Name, Nonce},
};

use crate::{
    host::secret_of,
    node::Node,
    stream::{Fetched, Kept},
};

/// Output gathered before the pipe has to take some.
const OUTPUT_BYTES_MAX: usize = 256 << 10;
/// Entries rebuilt from the log in one go.
const REBUILD_MAX: usize = 64;
/// The read side may be behind; ask again after this.
const REBUILD_RETRY_NS: u64 = 5_000_000;

pub(crate) struct Gate {
    id: u64,
    session: ServerSession,
    translator: Translator,
    renderer: Renderer,
    pub(crate) output: BytesMut,
    body: Vec<u8>,
    standing: Standing,
    /// A command that found intake full.
    stalled: Option<Intake>,
    rebuild_at: Option<u64>,
    pub(crate) closed: bool,
}

/// How far the participant has come in.
#[derive(Debug)]
enum Standing {
    Stranger,
    /// Its sign-on is on the way into the log.
    Admitting {
        participant: ParticipantId,
        session: u64,
        held: Sequence,
        ticket: Option<u64>,
    },
    SignedOn(SignedOn),
    Gone,
}

#[derive(Debug, Clone, Copy)]
struct SignedOn {
    participant: ParticipantId,
    session: u64,
    /// Entries up to here were published before this sign-on: they may have been delivered before.
    published_before: Sequence,
    acknowledged: Sequence,
}

/// What a turn of the gate tells the rest of the simulation.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The connection that this one takes over from.
    pub(crate) supersedes: Option<u64>,
    /// A promise was broken.
    pub(crate) violation: Option<String>,
    /// Entries sent that had been published before the sign-on.
    pub(crate) resent: u64,
    /// An entry that could not be written from the log.
    pub(crate) unwritten: Option<String>,
}

impl Gate {
    pub(crate) fn new(id: u64, nonce: u64, now: u64) -> Gate {
        let name = Name::parse("torap").unwrap_or_else(|| unreachable!("`torap` is a name"));
        let config = ServerConfig::new(name, Mode::Test);
        Gate {
            id,
            session: ServerSession::new(config, nonce_of(nonce), &[], now),
            translator: Translator::new(),
            renderer: Renderer::new(),
            output: BytesMut::new(),
            body: Vec::new(),
            standing: Standing::Stranger,
            stalled: None,
            rebuild_at: None,
            closed: false,
        }
    }

    /// Whether bytes may be handed in.
    pub(crate) fn reads(&mut self) -> bool {
        self.stalled.is_none() && self.session.wants_input()
    }

    pub(crate) fn take_bytes(&mut self, bytes: &[u8], now: u64) {
        self.session.input().extend_from_slice(bytes);
        self.session.handle_input(now);
    }

    pub(crate) fn take_end(&mut self, now: u64) {
        self.session.handle_end(now);
    }

    pub(crate) fn next_at(&mut self) -> Option<u64> {
        let session = self.session.poll_timeout();
        [session, self.rebuild_at].into_iter().flatten().min()
    }

    /// Everything that can be done now.
    pub(crate) fn work(&mut self, node: &mut Node, now: u64, wall: u64) -> Told {
        let mut told = Told::default();
        if self.closed {
            return told;
        }
        if self.session.poll_timeout().is_some_and(|at| at <= now) {
            self.session.handle_timeout(now);
        }
        self.retry_stalled(node);
        while self.stalled.is_none() {
            let Some(event) = self.session.poll_event() else {
                break;
            };
            self.handle(event, node, &mut told);
        }
        self.acknowledge(node);
        // Also when there is no room: an old wish would wake the connection over and over while its bank reads nothing.
        self.rebuild_at = None;
        if !self.closed && self.output.len() < OUTPUT_BYTES_MAX {
            self.pump(node, now, wall, &mut told);
        }
        self.session.poll_output(&mut self.output, now);
        if self.closed {
            self.leave(node);
        }
        told
    }

    /// The core has decided something that this connection may wait for.
    pub(crate) fn decided(&mut self, decided: u64, node: &Node) {
        let Standing::Admitting {
            participant,
            session,
            ticket,
            ..
        } = self.standing
        else {
            return;
        };
        if ticket != Some(decided) {
            return;
        }
        let Some(stream) = node.streams.get(&participant) else {
            return;
        };
        let (inbound_held, outbound_last) = (stream.inbound_durable(), stream.last());
        self.session.admit(Admission {
            inbound_held,
            outbound_last,
        });
        self.standing = Standing::SignedOn(SignedOn {
            participant,
            session,
            published_before: outbound_last,
            acknowledged: inbound_held,
        });
    }

    /// A newer connection of the same participant: everything of this one goes into the log first.
    pub(crate) fn supersede(&mut self, node: &mut Node, now: u64) {
        self.session.supersede();
        self.session.poll_output(&mut self.output, now);
        self.closed = true;
        self.leave(node);
    }

    fn handle(&mut self, event: ServerEvent, node: &mut Node, told: &mut Told) {
        match event {
            ServerEvent::SecretWanted { name } => {
                let network = node.network();
                let credentials = network.by_code(name.as_str()).map(|view| Credentials {
                    secret: secret_of(view.code.as_str()),
                    participant: view.id,
                    bics: network.bics_of(view.id),
                });
                self.session.provide_secret(credentials);
            }
            ServerEvent::Authenticated {
                participant, held, ..
            } => self.admit(participant, held, node, told),
            ServerEvent::Message(message) => {
                self.take_message(message.sequence, message.content_type, &message.body, node);
            }
            ServerEvent::Refused { sequence, code } => self.take_refused(sequence, code, node),
            ServerEvent::Acknowledged { .. } | ServerEvent::PeerError(_) => {}
            ServerEvent::Closed(_) => self.closed = true,
        }
    }

    fn admit(
        &mut self,
        participant: ParticipantId,
        held: Sequence,
        node: &mut Node,
        told: &mut Told,
    ) {
        if !node.is_open() {
            self.session.refuse(ErrorCode::Overloaded);
            return;
        }
        let outbound_last = node
            .streams
            .get(&participant)
            .map(crate::stream::Stream::last);
        if outbound_last.is_some_and(|last| held > last) {
            told.violation = Some(format!(
                "participant {} holds entry {} of its stream, which ends at {} in the log: an answer was sent that the journal does not hold",
                participant.value(),
                held.value(),
                outbound_last.map_or(0, Sequence::value)
            ));
        }
        told.supersedes = node.current.insert(participant, self.id);
        let session = node.new_session();
        // The older session's last words come before this one's sign-on: the caller ends it and then calls `sign_on`.
        self.standing = Standing::Admitting {
            participant,
            session,
            held,
            ticket: None,
        };
    }

    /// Puts the sign-on into the log, once the older session has ended.
    pub(crate) fn sign_on(&mut self, node: &mut Node) {
        if let Standing::Admitting {
            participant,
            session,
            held,
            ticket: ticket @ None,
        } = &mut self.standing
        {
            let up = links::Command::Up {
                participant: *participant,
                session: *session,
                received: *held,
            };
            *ticket = Some(node.ask(Command::Links(up)));
        }
    }

    fn take_message(
        &mut self,
        sequence: Sequence,
        content_type: ContentType,
        body: &Bytes,
        node: &mut Node,
    ) {
        let Standing::SignedOn(signed_on) = &self.standing else {
            return;
        };
        let inbound = Inbound {
            participant: signed_on.participant,
            sequence,
            content_type,
            body,
        };
        let network = node.network();
        let overloaded = node.is_overloaded();
        let translated = self
            .translator
            .translate(inbound, &network, &node.lookups, overloaded);
        let evidence = Bytes::copy_from_slice(&translated.evidence);
        self.queue(
            Intake {
                command: translated.command,
                evidence,
                secrets: torap_core::Secrets::NONE,
                ticket: None,
            },
            node,
        );
    }

    fn take_refused(&mut self, sequence: Sequence, code: ErrorCode, node: &mut Node) {
        let Standing::SignedOn(signed_on) = &self.standing else {
            return;
        };
        let source = Source::Link {
            participant: signed_on.participant,
            sequence,
        };
        let command = refused_by_session(source, code);
        self.queue(crate::node::plain(command, None), node);
    }

    fn queue(&mut self, intake: Intake, node: &mut Node) {
        if let Err(intake) = node.push(intake) {
            self.session.pause();
            self.stalled = Some(intake);
        }
    }

    fn retry_stalled(&mut self, node: &mut Node) {
        let Some(intake) = self.stalled.take() else {
            return;
        };
        match node.push(intake) {
            Ok(()) => self.session.resume(),
            Err(intake) => self.stalled = Some(intake),
        }
    }

    fn acknowledge(&mut self, node: &Node) {
        let Standing::SignedOn(signed_on) = &mut self.standing else {
            return;
        };
        let Some(stream) = node.streams.get(&signed_on.participant) else {
            return;
        };
        let durable = stream.inbound_durable();
        if durable > signed_on.acknowledged {
            signed_on.acknowledged = durable;
            self.session.acknowledge(durable);
        }
    }

    /// Moves what the bank may have now from the stream into the session.
    fn pump(&mut self, node: &Node, now: u64, wall: u64, told: &mut Told) {
        let Standing::SignedOn(signed_on) = self.standing else {
            return;
        };
        let Some(stream) = node.streams.get(&signed_on.participant) else {
            return;
        };
        let mut rebuilt = 0;
        while let Some(wants) = self.session.wants() {
            let kept = match stream.fetch(wants.next) {
                Fetched::Future => break,
                Fetched::Kept(kept) => kept,
                Fetched::Older if rebuilt == REBUILD_MAX => {
                    self.rebuild_at = Some(now + 1);
                    break;
                }
                Fetched::Older => match node.rebuild(signed_on.participant, wants.next) {
                    Some(effect) => {
                        rebuilt += 1;
                        Kept {
                            effect,
                            evidence: None,
                        }
                    }
                    None => {
                        self.rebuild_at = Some(now + REBUILD_RETRY_NS);
                        break;
                    }
                },
            };
            let possible_duplicate = wants.next <= signed_on.published_before;
            told.resent += u64::from(possible_duplicate);
            if !self.send(wants.next, &kept, possible_duplicate, node, wall, told) {
                break;
            }
        }
    }

    fn send(
        &mut self,
        sequence: Sequence,
        kept: &Kept,
        possible_duplicate: bool,
        node: &Node,
        wall: u64,
        told: &mut Told,
    ) -> bool {
        let outbound = &kept.effect.outbound;
        if outbound.cause.value() > node.durable() {
            told.violation = Some(format!(
                "entry {} to participant {} is sent because of record {}, but the journal holds only {}: an answer was sent that \
                 the journal does not hold",
                sequence.value(),
                outbound.to.value(),
                outbound.cause.value(),
                node.durable()
            ));
        }
        let expired = outbound
            .expires
            .is_some_and(|expires| wall >= expires.nanos());
        if expired {
            return self.session.skip(sequence).is_ok();
        }
        self.body.clear();
        let rendered = self.renderer.render(
            &kept.effect,
            kept.evidence.as_deref(),
            &node.records,
            &node.network(),
            possible_duplicate,
            &mut self.body,
        );
        match rendered {
            Ok(content_type) => {
                let mut outgoing = Outgoing::new(content_type, &self.body);
                outgoing.possible_duplicate = possible_duplicate;
                match self.session.send_or_skip(sequence, &outgoing) {
                    Ok(Sent::Message) => true,
                    Ok(Sent::Skipped(error)) => {
                        told.unwritten = Some(format!(
                            "entry {} to participant {} cannot be sent: {error}",
                            sequence.value(),
                            outbound.to.value()
                        ));
                        true
                    }
                    Err(_) => false,
                }
            }
            Err(error) => {
                told.unwritten = Some(format!(
                    "entry {} to participant {} cannot be written: {error}",
                    sequence.value(),
                    outbound.to.value()
                ));
                self.session.skip(sequence).is_ok()
            }
        }
    }

    /// What was queued stays; then the log learns that the link is down.
    fn leave(&mut self, node: &mut Node) {
        if let Some(intake) = self.stalled.take() {
            node.tell_with(intake);
        }
        let (participant, session) = match std::mem::replace(&mut self.standing, Standing::Gone) {
            Standing::SignedOn(signed_on) => (signed_on.participant, signed_on.session),
            Standing::Admitting {
                participant,
                session,
                ticket: Some(_),
                ..
            } => (participant, session),
            Standing::Stranger | Standing::Admitting { .. } | Standing::Gone => return,
        };
        if node.current.get(&participant) == Some(&self.id) {
            node.current.remove(&participant);
        }
        let down = links::Command::Down {
            participant,
            session,
        };
        node.tell(Command::Links(down));
    }
}

/// A nonce made from a draw.
pub(crate) fn nonce_of(draw: u64) -> Nonce {
    Nonce(*blake3::hash(&draw.to_le_bytes()).as_bytes())
}
