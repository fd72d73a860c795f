//! One connection of a card host: socket on one side, link state machine in the middle, intake and mailbox on the other.
//!
//! A connection waits for nobody else. When intake is full it stops reading its own socket; what an HSM has to say about a message comes
//! through the mailbox, and other messages go on meanwhile.

mod inbound;
mod outbound;

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{io::Interest, net::TcpStream};
use torap_core::{Intake as CoreIntake, Secrets};
use torap_engine::{
    Command,
    cards::{self, LinkNumber},
};
use torap_gateway::card::{
    link::{CardLink, CloseReason, LinkConfig, LinkEvent},
    render::CardRenderer,
    translate::CardTranslator,
};

use self::{
    inbound::Asked,
    outbound::{Held, Unsealed},
};
use super::{
    Cards,
    doors::Admission,
    links::{Link, Mailbox, Question},
};
use crate::serve::switch::Switch;

/// How long the last words may take to leave.
const FAREWELL_WAIT: Duration = Duration::from_secs(2);
/// Messages of one link that wait for an HSM, at most; then nothing more is read from it.
const ASKED_MAX: usize = 4_096;

pub(super) struct Driver {
    switch: Arc<Switch>,
    cards: Arc<Cards>,
    socket: TcpStream,
    address: SocketAddr,
    admission: Admission,
    number: LinkNumber,
    link: CardLink,
    mailbox: Arc<Mailbox>,
    /// Once somebody has signed on.
    signed_on: Option<Arc<Link>>,
    translator: CardTranslator,
    renderer: CardRenderer,
    /// Bytes for the socket, and how many of them it has taken.
    output: Vec<u8>,
    written: usize,
    /// The message that is being written, used again.
    message: Vec<u8>,
    last_ticket: u64,
    /// Messages that came in and wait for an HSM.
    asked: HashMap<u64, Asked>,
    /// Messages that go out and wait for their MAC.
    unsealed: HashMap<u64, Unsealed>,
    /// Messages that go out when there is an HSM again.
    held: Held,
    /// A command that found intake full.
    stalled: Option<Box<CoreIntake>>,
    signing_off: bool,
    closed: Option<CloseReason>,
}

impl Driver {
    pub(super) fn new(
        switch: Arc<Switch>,
        cards: Arc<Cards>,
        socket: TcpStream,
        address: SocketAddr,
        config: LinkConfig,
        admission: Admission,
    ) -> Driver {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%address, %error, "TCP_NODELAY");
        }
        let number = cards.links.next_number();
        let link = CardLink::new(config, switch.monotonic(), switch.wall_clock());
        Driver {
            translator: CardTranslator::new(Arc::clone(cards.vault())),
            renderer: CardRenderer::new(Arc::clone(cards.vault())),
            switch,
            cards,
            socket,
            address,
            admission,
            number,
            link,
            mailbox: Arc::default(),
            signed_on: None,
            output: Vec::new(),
            written: 0,
            message: Vec::new(),
            last_ticket: 0,
            asked: HashMap::new(),
            unsealed: HashMap::new(),
            held: Held::default(),
            stalled: None,
            signing_off: false,
            closed: None,
        }
    }

    /// Serves the connection to its end, and tells the log when a signed-on link is gone.
    pub(super) async fn run(mut self) -> CloseReason {
        let reason = loop {
            self.work().await;
            if let Err(error) = self.write() {
                tracing::debug!(address = %self.address, %error, "write failed");
                self.link.handle_end(self.switch.monotonic());
                self.take_events().await;
            }
            if let Some(reason) = self.closed.take() {
                break reason;
            }
            if let Err(error) = self.wait().await {
                tracing::debug!(address = %self.address, %error, "read failed");
                self.link.handle_end(self.switch.monotonic());
            }
        };
        self.farewell().await;
        self.retire().await;
        tracing::info!(address = %self.address, reason = reason.name(), "card link closed");
        reason
    }

    /// Everything that can be done without waiting for the socket.
    async fn work(&mut self) {
        self.link
            .handle_timeout(self.switch.monotonic(), self.switch.wall_clock());
        self.retry_stalled();
        while let Some(answer) = self.mailbox.next_answer() {
            match answer.question {
                Question::Of(number) => self.answered(answer.ticket, number, &answer.outcome).await,
                Question::Seal => self.sealed(answer.ticket, answer.outcome),
                Question::Key => {}
            }
        }
        self.take_events().await;
        if self.switch.is_stopping() && !self.signing_off {
            self.signing_off = true;
            self.link.sign_off();
            self.take_events().await;
        }
        self.send_held();
        self.send_waiting();
        // What the socket has not taken stays with the link, whose bounds on it hold.
        if self.output.is_empty() {
            self.link
                .poll_output(&mut self.output, self.switch.monotonic());
        }
    }

    async fn take_events(&mut self) {
        while self.has_room() {
            let Some(event) = self.link.poll_event() else {
                break;
            };
            match event {
                LinkEvent::SignOn {
                    institution,
                    framed,
                } => self.sign_on(institution, framed).await,
                LinkEvent::Message(framed) => self.take_message(&framed).await,
                LinkEvent::Closed(reason) => self.closed = Some(reason),
            }
        }
    }

    /// Whether another message may be taken.
    fn has_room(&self) -> bool {
        self.stalled.is_none() && self.asked.len() < ASKED_MAX
    }

    fn queue(&mut self, intake: CoreIntake) {
        if let Err(intake) = self.switch.intake.try_push(intake)
            // The core has ended, as after a failed sync: nobody takes it any more.
            && !self.switch.intake.is_stopping()
        {
            self.link.pause();
            self.stalled = Some(intake);
        }
    }

    fn retry_stalled(&mut self) {
        let Some(intake) = self.stalled.take() else {
            return;
        };
        match self.switch.intake.try_push(*intake) {
            Err(intake) if !self.switch.intake.is_stopping() => self.stalled = Some(intake),
            Ok(()) | Err(_) => self.link.resume(),
        }
    }

    fn next_ticket(&mut self) -> u64 {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.last_ticket
    }

    /// Writes as much as the socket takes now.
    fn write(&mut self) -> io::Result<()> {
        while let Some(rest) = self.output.get(self.written..)
            && !rest.is_empty()
        {
            match self.socket.try_write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.written = self.written.saturating_add(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(())
    }

    /// Waits for the socket, the mailbox, room in intake, or a deadline; reads what has come.
    async fn wait(&mut self) -> io::Result<()> {
        let deadline = match self.link.poll_timeout() {
            Some(at) => self.switch.instant_of(at),
            None => Instant::now() + Duration::from_secs(3600),
        };
        let deadline = self
            .held
            .again_at()
            .map_or(deadline, |again| deadline.min(again));
        let reading = self.link.wants_input() && self.has_room();
        let interest = match (reading, self.output.is_empty()) {
            (true, true) => Some(Interest::READABLE),
            (true, false) => Some(Interest::READABLE | Interest::WRITABLE),
            (false, false) => Some(Interest::WRITABLE),
            (false, true) => None,
        };
        let switch = &self.switch;
        let ready = tokio::select! {
            ready = ready(&self.socket, interest) => Some(ready?),
            () = self.mailbox.changed.notified() => None,
            () = switch.stopping(), if !self.signing_off => None,
            () = switch.intake.room(), if self.stalled.is_some() => None,
            () = tokio::time::sleep_until(deadline.into()) => None,
        };
        if reading && ready.is_some_and(|ready| ready.is_readable()) {
            return self.read();
        }
        Ok(())
    }

    fn read(&mut self) -> io::Result<()> {
        match self.socket.try_read_buf(self.link.input()) {
            Ok(0) => self.link.handle_end(self.switch.monotonic()),
            Ok(_) => self.link.handle_input(self.switch.monotonic()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Gives the last words a moment to leave.
    async fn farewell(&mut self) {
        let flush = async {
            loop {
                if self.output.is_empty() {
                    self.link
                        .poll_output(&mut self.output, self.switch.monotonic());
                }
                let sent = self.write().is_ok();
                if !sent || self.output.is_empty() || self.socket.writable().await.is_err() {
                    break;
                }
            }
        };
        // A host that does not read its farewell does not get it.
        let _ = tokio::time::timeout(FAREWELL_WAIT, flush).await;
    }

    /// What was taken stays; what waits goes to another link; then the log learns that this one is down.
    async fn retire(&mut self) {
        for (_, asked) in std::mem::take(&mut self.asked) {
            self.give_up(asked).await;
        }
        if let Some(intake) = self.stalled.take() {
            let _ = self.switch.intake.push(*intake).await;
        }
        let Some(link) = self.signed_on.take() else {
            return;
        };
        self.give_back_unsealed();
        self.cards.retire(&link);
        let down = cards::Command::LinkDown {
            participant: link.participant,
            link: link.number,
        };
        let _ = self.switch.intake.push(bare(down)).await;
    }
}

/// A command without a message.
fn bare(command: cards::Command) -> CoreIntake {
    CoreIntake {
        command: Command::Cards(command),
        evidence: bytes::Bytes::new(),
        secrets: Secrets::NONE,
        ticket: None,
    }
}

async fn ready(socket: &TcpStream, interest: Option<Interest>) -> io::Result<tokio::io::Ready> {
    match interest {
        Some(interest) => socket.ready(interest).await,
        None => std::future::pending().await,
    }
}
