//! One participant's connection: socket on one side, session state machine in the middle, intake and outbox on the other.
//!
//! A connection never waits for another one. When intake is full it stops reading its own socket; when its bank does not read, its
//! entries leave the memory and are rebuilt from the log later.

use std::{
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::TcpStream,
    sync::{Notify, OwnedSemaphorePermit},
};
use torap_core::Intake as CoreIntake;
use torap_domain::{Bic, ParticipantId, Sequence};
use torap_engine::{Command, Source, links};
use torap_gateway::{
    render::Renderer,
    session::{Admission, CloseReason, Outgoing, SendError, Sent, ServerEvent, ServerSession},
    translate::{Inbound, Translator},
    wire::{ContentType, ErrorCode, Name},
};

use super::{
    listener::Doorway,
    outbox::{Fetched, Kept, Stream},
    registry::Registration,
    strangers::Stranger,
    switch::Switch,
};

/// Output gathered before it is written to the socket.
const OUTPUT_BYTES_MAX: usize = 256 << 10;
/// Outbound entries rebuilt from the log in one go, so that a long catch-up leaves room for others.
const REBUILD_MAX: usize = 64;
/// How long a new connection waits for the older session of its participant to end.
const SUPERSEDE_WAIT: Duration = Duration::from_secs(5);
/// How long the last words may take to leave.
const FAREWELL_WAIT: Duration = Duration::from_secs(2);
/// Input that is read and thrown away so that the last words arrive, at most.
const DRAIN_BYTES_MAX: usize = 32 << 20;
/// The read side may be behind; ask again after this.
const REBUILD_RETRY: Duration = Duration::from_millis(5);

pub(super) struct Connection {
    switch: Arc<Switch>,
    /// Something new stands in the stream, or a newer session takes over. Nobody else waits for it.
    wake: Arc<Notify>,
    socket: TcpStream,
    address: IpAddr,
    doorway: Arc<Doorway>,
    /// Until the peer has proved who it is.
    stranger: Option<Stranger>,
    /// Whom the peer says it is.
    named: Option<Name>,
    session: ServerSession,
    translator: Translator,
    renderer: Renderer,
    output: BytesMut,
    body: Vec<u8>,
    signed_on: Option<SignedOn>,
    /// A command that found intake full.
    stalled: Option<Box<CoreIntake>>,
    /// The next entry must be rebuilt, but the read side has not come that far.
    rebuild_at: Option<Instant>,
    /// The switch stops, and the bank has been told.
    signing_off: bool,
    closed: Option<CloseReason>,
}

struct SignedOn {
    participant: ParticipantId,
    /// Among those that have signed on.
    place: OwnedSemaphorePermit,
    stream: Arc<Stream>,
    registration: Registration,
    /// Entries up to here were published before this sign-on: they may have been delivered before.
    published_before: Sequence,
    acknowledged: Sequence,
}

impl Connection {
    pub(super) fn new(
        switch: Arc<Switch>,
        (socket, address): (TcpStream, IpAddr),
        session: ServerSession,
        doorway: Arc<Doorway>,
    ) -> Connection {
        let translator = switch.translator();
        let wake = Arc::new(Notify::new());
        let stranger = doorway.strangers.enter(Arc::clone(&wake));
        Connection {
            switch,
            wake,
            socket,
            address,
            doorway,
            stranger: Some(stranger),
            named: None,
            session,
            translator,
            renderer: Renderer::new(),
            output: BytesMut::new(),
            body: Vec::new(),
            signed_on: None,
            stalled: None,
            rebuild_at: None,
            signing_off: false,
            closed: None,
        }
    }

    /// Serves the connection to its end, and tells the log when a signed-on participant is gone.
    pub(super) async fn run(mut self) -> CloseReason {
        loop {
            self.work().await;
            if let Err(error) = self.write() {
                tracing::debug!(%error, "write failed");
                self.session.handle_end(self.switch.monotonic());
            }
            if let Some(reason) = self.closed.take() {
                // First the log and whoever takes over: a peer that is gone must not hold up its own next session.
                self.sign_off().await;
                self.farewell(&reason).await;
                return reason;
            }
            if let Err(error) = self.wait().await {
                tracing::debug!(%error, "read failed");
                self.session.handle_end(self.switch.monotonic());
            }
        }
    }

    /// Everything that can be done without waiting for the socket.
    async fn work(&mut self) {
        self.check_orders();
        self.session.handle_timeout(self.switch.monotonic());
        self.retry_stalled();
        while self.stalled.is_none() {
            let Some(event) = self.session.poll_event() else {
                break;
            };
            self.handle(event).await;
        }
        self.check_end();
        self.acknowledge();
        // Also when there is no room: an old wish would wake the connection over and over while its bank reads nothing.
        self.rebuild_at = None;
        if self.output.len() < OUTPUT_BYTES_MAX {
            self.pump();
            self.session
                .poll_output(&mut self.output, self.switch.monotonic());
        }
    }

    async fn handle(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::SecretWanted { name } => {
                self.named = Some(name);
                if self.doorway.failures.are_too_many((self.address, name)) {
                    self.session.refuse_proof_with(ErrorCode::TooManyAttempts);
                }
                let credentials = self.switch.credentials(name.as_str());
                self.session.provide_secret(credentials);
            }
            ServerEvent::Authenticated {
                participant,
                held,
                bics,
                ..
            } => {
                self.stranger = None;
                self.admit(participant, held, bics).await;
            }
            ServerEvent::Message(message) => {
                self.take_message(message.sequence, message.content_type, message.body)
            }
            ServerEvent::Refused { sequence, code } => self.take_refused(sequence, code),
            ServerEvent::Acknowledged { upto } => {
                if let Some(signed_on) = &self.signed_on {
                    signed_on.stream.bank_holds(upto);
                }
            }
            ServerEvent::PeerError(error) => {
                tracing::info!(number = error.number, text = ?error.text, "the bank reports an error")
            }
            ServerEvent::Closed(reason) => {
                let failed = matches!(
                    reason,
                    CloseReason::Refused(ErrorCode::BadCredentials | ErrorCode::TooManyAttempts)
                );
                if let (true, Some(name)) = (failed, self.named) {
                    self.doorway.failures.note((self.address, name));
                }
                self.closed = Some(reason);
            }
        }
    }

    /// Ends the participant's older session, puts the sign-on into the log, and opens the session.
    async fn admit(&mut self, participant: ParticipantId, held: Sequence, bics: Vec<Bic>) {
        let network = self.switch.network();
        let view = network.by_id(participant);
        if view.is_some_and(|view| view.sponsor.is_some()) {
            // It has no stream of its own: its sponsor's link carries what is its.
            self.session.refuse(ErrorCode::NotAdmitted);
            return;
        }
        let stream = self.switch.outbox.stream(participant);
        if held > stream.last() {
            // Before anything is changed: the older session is good.
            self.session.refuse(ErrorCode::HeldAhead);
            return;
        }
        let registration = self
            .switch
            .registry
            .replace(participant, Arc::clone(&self.wake), SUPERSEDE_WAIT)
            .await;
        // The older session has given its place back.
        let Ok(place) = Arc::clone(&self.doorway.sessions).try_acquire_owned() else {
            self.session.refuse(ErrorCode::Overloaded);
            return;
        };
        let up = links::Command::Up {
            participant,
            session: registration.session(),
            received: held,
        };
        if self.switch.intake.decide(Command::Links(up)).await.is_err() {
            self.session.refuse(ErrorCode::Overloaded);
            return;
        }
        stream.listen(Arc::clone(&self.wake));
        let (inbound_held, outbound_last) = (stream.inbound_durable(), stream.last());
        self.session.admit(Admission {
            inbound_held,
            outbound_last,
        });
        stream.bank_holds(held);
        tracing::info!(
            participant = participant.value(),
            held = held.value(),
            "signed on"
        );
        self.translator.bind(bics);
        self.signed_on = Some(SignedOn {
            participant,
            place,
            stream,
            registration,
            published_before: outbound_last,
            acknowledged: inbound_held,
        });
    }

    fn take_message(&mut self, sequence: Sequence, content_type: ContentType, body: Bytes) {
        let Some(signed_on) = &self.signed_on else {
            return;
        };
        let inbound = Inbound {
            participant: signed_on.participant,
            sequence,
            content_type,
            body: &body,
        };
        let network = self.switch.network();
        let overloaded = self.switch.intake.is_overloaded();
        let translated =
            self.translator
                .translate(inbound, &network, self.switch.lookups(), overloaded);
        // The body is a slice of the read buffer, which must not be held on to.
        let evidence = Bytes::copy_from_slice(&translated.evidence);
        self.queue(CoreIntake {
            command: translated.command,
            evidence,
            secrets: torap_core::Secrets::NONE,
            ticket: None,
        });
    }

    /// The session could not take the message, but its sequence counts: the log says so.
    fn take_refused(&mut self, sequence: Sequence, code: ErrorCode) {
        let Some(signed_on) = &self.signed_on else {
            return;
        };
        let source = Source::Link {
            participant: signed_on.participant,
            sequence,
        };
        let command = torap_gateway::translate::refused_by_session(source, code);
        self.queue(CoreIntake {
            command,
            evidence: Bytes::new(),
            secrets: torap_core::Secrets::NONE,
            ticket: None,
        });
    }

    fn queue(&mut self, intake: CoreIntake) {
        if let Err(intake) = self.switch.intake.try_push(intake)
            // The core has ended, as after a failed sync: nobody takes it any more, and it was never acknowledged.
            && !self.switch.intake.is_stopping()
        {
            self.session.pause();
            self.stalled = Some(intake);
        }
    }

    fn retry_stalled(&mut self) {
        let Some(intake) = self.stalled.take() else {
            return;
        };
        match self.switch.intake.try_push(*intake) {
            Err(intake) if !self.switch.intake.is_stopping() => self.stalled = Some(intake),
            Ok(()) | Err(_) => self.session.resume(),
        }
    }

    /// A newer session or the end of the switch.
    fn check_orders(&mut self) {
        if self
            .signed_on
            .as_ref()
            .is_some_and(|signed_on| signed_on.registration.is_superseded())
        {
            self.session.supersede();
        } else if self.stranger.as_ref().is_some_and(Stranger::must_leave) {
            self.session.refuse(ErrorCode::Overloaded);
        } else if self.switch.is_stopping() && !self.signing_off {
            self.signing_off = true;
            match self.signed_on {
                Some(_) => self.session.sign_off(&[]),
                None => self.closed = Some(CloseReason::LinkLost),
            }
        }
    }

    /// A session that is over is left also while a command of it waits for room: `sign_off` sees to the command.
    fn check_end(&mut self) {
        while self.session.is_closed()
            && let Some(event) = self.session.poll_event()
        {
            if let ServerEvent::Closed(reason) = event {
                self.closed = Some(reason);
            }
        }
    }

    fn acknowledge(&mut self) {
        let Some(signed_on) = &mut self.signed_on else {
            return;
        };
        let durable = signed_on.stream.inbound_durable();
        if durable > signed_on.acknowledged {
            signed_on.acknowledged = durable;
            self.session.acknowledge(durable);
        }
    }

    /// Moves what the bank may have now from the stream into the session.
    fn pump(&mut self) {
        let Some(signed_on) = &self.signed_on else {
            return;
        };
        let (stream, participant) = (Arc::clone(&signed_on.stream), signed_on.participant);
        let published_before = signed_on.published_before;
        let mut rebuilt = 0;
        while let Some(wants) = self.session.wants() {
            let kept = match stream.fetch(wants.next) {
                Fetched::Future => break,
                Fetched::Kept(kept) => kept,
                Fetched::Older if rebuilt == REBUILD_MAX => {
                    self.rebuild_at = Some(Instant::now());
                    break;
                }
                Fetched::Older => match self.switch.rebuild(participant, wants.next) {
                    Some(effect) => {
                        rebuilt += 1;
                        Kept {
                            effect,
                            evidence: None,
                        }
                    }
                    None => {
                        self.rebuild_at = Some(Instant::now() + REBUILD_RETRY);
                        break;
                    }
                },
            };
            if self
                .send(wants.next, &kept, wants.next <= published_before)
                .is_err()
            {
                break;
            }
        }
    }

    fn send(
        &mut self,
        sequence: Sequence,
        kept: &Kept,
        possible_duplicate: bool,
    ) -> Result<(), SendError> {
        let expired = kept
            .effect
            .outbound
            .expires
            .is_some_and(|expires| self.switch.wall_clock() >= expires);
        if expired {
            return self.session.skip(sequence);
        }
        self.body.clear();
        let network = self.switch.network();
        let evidence = kept.evidence.as_deref();
        let rendered = self.renderer.render(
            &kept.effect,
            evidence,
            self.switch.records(),
            &network,
            possible_duplicate,
            &mut self.body,
        );
        match rendered {
            Ok(content_type) => {
                let mut outgoing = Outgoing::new(content_type, &self.body);
                outgoing.possible_duplicate = possible_duplicate;
                // What banks may send fits with a header; only an entry from before that rule can be too large.
                if let Sent::Skipped(error) = self.session.send_or_skip(sequence, &outgoing)? {
                    note_unwritable(kept, sequence, &error);
                }
                Ok(())
            }
            Err(error) => {
                // Only a log without the original (expired by policy) can lead here; the sequence must not be lost.
                self.session.skip(sequence)?;
                note_unwritable(kept, sequence, &error);
                Ok(())
            }
        }
    }

    /// Writes as much as the socket takes now.
    fn write(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match self.socket.try_write(&self.output) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.output.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits for the socket, the stream, room in intake, or a deadline; reads what has come.
    async fn wait(&mut self) -> io::Result<()> {
        let deadline = self.deadline();
        let reading = self.session.wants_input() && self.stalled.is_none();
        let interest = match (reading, self.output.is_empty()) {
            (true, true) => Some(Interest::READABLE),
            (true, false) => Some(Interest::READABLE | Interest::WRITABLE),
            (false, false) => Some(Interest::WRITABLE),
            (false, true) => None,
        };
        let switch = Arc::clone(&self.switch);
        let ready = tokio::select! {
            ready = ready(&self.socket, interest) => Some(ready?),
            () = self.wake.notified() => None,
            () = switch.stopping(), if !self.signing_off => None,
            () = switch.intake.room(), if self.stalled.is_some() => None,
            () = tokio::time::sleep_until(deadline.into()) => None,
        };
        if ready.is_some_and(|ready| ready.is_readable()) && reading {
            return self.read();
        }
        Ok(())
    }

    fn deadline(&mut self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let session = self
            .session
            .poll_timeout()
            .map_or(far, |at| self.switch.instant_of(at));
        self.rebuild_at.map_or(session, |at| at.min(session))
    }

    fn read(&mut self) -> io::Result<()> {
        match self.socket.try_read_buf(self.session.input()) {
            Ok(0) => self.session.handle_end(self.switch.monotonic()),
            Ok(_) => self.session.handle_input(self.switch.monotonic()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Gives the last words (an error, a sign-off) a moment to leave.
    async fn farewell(&mut self, reason: &CloseReason) {
        self.session
            .poll_output(&mut self.output, self.switch.monotonic());
        if self.stranger.is_some() {
            // A stranger gets what the socket takes at once: its place is another's already.
            let _ = self.write();
            return;
        }
        let refused = matches!(reason, CloseReason::Refused(_));
        let flush = async {
            while !self.output.is_empty() && self.socket.writable().await.is_ok() {
                if self.write().is_err() {
                    return;
                }
            }
            if refused {
                self.drain().await;
            }
        };
        // A bank that does not read its farewell does not get it.
        let _ = tokio::time::timeout(FAREWELL_WAIT, flush).await;
    }

    /// Ends the switch's side and reads the bank's to its end: input that nobody reads would have the system reset the connection, and
    /// the error in front of it would be lost.
    async fn drain(&mut self) {
        let mut unread = vec![0; 64 << 10];
        let mut left = DRAIN_BYTES_MAX;
        if self.socket.shutdown().await.is_err() {
            return;
        }
        while left > 0 && self.socket.readable().await.is_ok() {
            match self.socket.try_read(&mut unread) {
                Ok(0) => return,
                Ok(read) => left = left.saturating_sub(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    /// What was queued stays; then the log learns that the link is down.
    async fn sign_off(&mut self) {
        let Some(signed_on) = self.signed_on.take() else {
            return;
        };
        if let Some(intake) = self.stalled.take() {
            let _ = self.switch.intake.push(*intake).await;
        }
        let participant = signed_on.participant;
        let down = links::Command::Down {
            participant,
            session: signed_on.registration.session(),
        };
        let _ = self
            .switch
            .intake
            .push(CoreIntake {
                command: Command::Links(down),
                evidence: Bytes::new(),
                secrets: torap_core::Secrets::NONE,
                ticket: None,
            })
            .await;
        tracing::info!(participant = participant.value(), "signed off");
        drop(signed_on.place);
        signed_on.registration.finish();
    }
}

/// A SKIP went in place of an entry.
fn note_unwritable(kept: &Kept, sequence: Sequence, error: &dyn std::error::Error) {
    tracing::error!(
        participant = kept.effect.outbound.to.value(),
        sequence = sequence.value(),
        %error,
        "an outbound entry cannot be written; a SKIP takes its place"
    );
    super::metrics::unwritable();
}

async fn ready(socket: &TcpStream, interest: Option<Interest>) -> io::Result<tokio::io::Ready> {
    match interest {
        Some(interest) => socket.ready(interest).await,
        None => std::future::pending().await,
    }
}
