//! The HSMs of a switch: every question goes to one that is up, and its answer to the link that asked.
//!
//! A question is asked once. An HSM that is lost takes its questions with it, and whoever asked learns it at once; the next message goes to
//! another HSM.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use tokio::{io::Interest, net::TcpStream, sync::Notify};
use torap_hsm::{
    Answer, Diagnosis, HsmEvent, HsmLink, HsmLinkConfig, PaymentHsm, Request, RequestId,
};
use zeroize::Zeroize;

use super::links::{HsmAnswer, Mailbox, Question};
use crate::serve::switch::Clock;

/// Who waits for an answer.
pub struct ReplyTo {
    pub mailbox: Arc<Mailbox>,
    pub ticket: u64,
    pub question: Question,
}

/// The HSMs.
pub struct Hsms {
    lines: Vec<Line>,
    clock: Clock,
    within: Duration,
    turn: AtomicUsize,
}

/// One HSM.
struct Line {
    address: SocketAddr,
    state: Mutex<State>,
    wake: Notify,
}

struct State {
    link: HsmLink,
    waiting: HashMap<RequestId, ReplyTo>,
    /// What it said of itself, while it is up.
    diagnosis: Option<Diagnosis>,
    answered: u64,
    failed: u64,
}

/// An HSM as the operator sees it.
pub struct HsmView {
    pub address: SocketAddr,
    pub name: Option<String>,
    pub under_way: usize,
    pub answered: u64,
    pub failed: u64,
    pub late: u64,
}

impl Hsms {
    /// `within`: how long an HSM may take for a question.
    pub fn new(
        addresses: impl Iterator<Item = SocketAddr>,
        within: Duration,
        clock: Clock,
    ) -> Hsms {
        let line = |address| Line {
            address,
            state: Mutex::new(State {
                link: HsmLink::new(HsmLinkConfig::default(), clock.monotonic()),
                waiting: HashMap::new(),
                diagnosis: None,
                answered: 0,
                failed: 0,
            }),
            wake: Notify::new(),
        };
        Hsms {
            lines: addresses.map(line).collect(),
            clock,
            within,
            turn: AtomicUsize::new(0),
        }
    }

    /// Whether one of them takes questions.
    pub fn is_up(&self) -> bool {
        self.lines
            .iter()
            .any(|line| line.state.lock().diagnosis.is_some())
    }

    /// Asks one of them; false if none takes the question.
    pub fn ask(&self, request: &Request<'_>, reply_to: ReplyTo) -> bool {
        let now = self.clock.monotonic();
        let within = u64::try_from(self.within.as_nanos()).unwrap_or(u64::MAX);
        let deadline = now.saturating_add(within);
        let start = self.turn.fetch_add(1, Ordering::Relaxed) % self.lines.len().max(1);
        let Some((before, after)) = self.lines.split_at_checked(start) else {
            return false;
        };
        for line in after.iter().chain(before) {
            let mut state = line.state.lock();
            if let Ok(id) = state.link.request(request, deadline, now) {
                state.waiting.insert(id, reply_to);
                drop(state);
                line.wake.notify_one();
                return true;
            }
        }
        false
    }

    /// All of them, in the order of the configuration.
    pub fn views(&self) -> Vec<HsmView> {
        let view = |line: &Line| {
            let state = line.state.lock();
            HsmView {
                address: line.address,
                name: state
                    .diagnosis
                    .as_ref()
                    .map(|diagnosis| diagnosis.name.to_string()),
                under_way: state.waiting.len(),
                answered: state.answered,
                failed: state.failed,
                late: state.link.late_answers(),
            }
        };
        self.lines.iter().map(view).collect()
    }

    /// Drives the connections for as long as the task lives.
    pub async fn drive(self: Arc<Self>) {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..self.lines.len() {
            let hsms = Arc::clone(&self);
            tasks.spawn(async move {
                if let Some(line) = hsms.lines.get(number) {
                    line.drive(hsms.clock).await;
                }
            });
        }
        tasks.join_all().await;
    }
}

impl Line {
    async fn drive(&self, clock: Clock) {
        let mut socket: Option<TcpStream> = None;
        let mut output = BytesMut::new();
        loop {
            let (connect, deadline) = self.turn(&mut socket, &mut output, clock);
            if connect {
                // The link gives up after a time of its own, so a connection that hangs is not waited for beyond it.
                let limit = deadline.map_or(Duration::from_secs(2), |at| clock.until(at));
                let made = tokio::time::timeout(limit, TcpStream::connect(self.address)).await;
                let mut state = self.state.lock();
                match made {
                    Ok(Ok(stream)) => {
                        // Small frames that somebody waits for.
                        let _ = stream.set_nodelay(true);
                        socket = Some(stream);
                        state.link.handle_connected(clock.monotonic());
                    }
                    Ok(Err(_)) | Err(_) => state.link.handle_end(clock.monotonic()),
                }
                continue;
            }
            if let Err(error) = self
                .exchange(socket.as_ref(), &mut output, deadline, clock)
                .await
            {
                tracing::debug!(hsm = %self.address, %error, "connection ended");
                self.state.lock().link.handle_end(clock.monotonic());
            }
        }
    }

    /// Everything that needs no waiting. Whether a connection is to be made, and when time demands something next.
    fn turn(
        &self,
        socket: &mut Option<TcpStream>,
        output: &mut BytesMut,
        clock: Clock,
    ) -> (bool, Option<u64>) {
        let mut connect = false;
        let mut answers = Vec::new();
        let mut state = self.state.lock();
        state.link.handle_timeout(clock.monotonic());
        while let Some(event) = state.link.poll_event() {
            match event {
                HsmEvent::Connect => connect = true,
                HsmEvent::Disconnect(reason) => {
                    if state.diagnosis.take().is_some() {
                        tracing::warn!(hsm = %self.address, ?reason, "HSM lost");
                    }
                    *socket = None;
                    output.zeroize();
                    output.clear();
                    connect = false;
                }
                HsmEvent::Up(diagnosis) => {
                    tracing::info!(hsm = %self.address, name = %diagnosis.name, "HSM is up");
                    state.diagnosis = Some(diagnosis);
                }
                HsmEvent::Answer(answer) => state.take(answer, &mut answers),
            }
        }
        state.link.poll_output(output);
        let deadline = state.link.poll_timeout();
        drop(state);
        for (reply_to, outcome) in answers {
            reply_to.mailbox.answer(HsmAnswer {
                ticket: reply_to.ticket,
                question: reply_to.question,
                outcome,
            });
        }
        (connect, deadline)
    }

    /// Waits for the socket, a question or a deadline, and moves bytes.
    async fn exchange(
        &self,
        socket: Option<&TcpStream>,
        output: &mut BytesMut,
        deadline: Option<u64>,
        clock: Clock,
    ) -> io::Result<()> {
        let sleep =
            tokio::time::sleep(deadline.map_or(Duration::from_secs(60), |at| clock.until(at)));
        let Some(socket) = socket else {
            tokio::select! {
                () = sleep => {}
                () = self.wake.notified() => {}
            }
            return Ok(());
        };
        write(socket, output)?;
        let interest = if output.is_empty() {
            Interest::READABLE
        } else {
            Interest::READABLE | Interest::WRITABLE
        };
        let ready = tokio::select! {
            ready = socket.ready(interest) => ready?,
            () = self.wake.notified() => return Ok(()),
            () = sleep => return Ok(()),
        };
        if ready.is_readable() {
            self.read(socket, clock)?;
        }
        Ok(())
    }

    fn read(&self, socket: &TcpStream, clock: Clock) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        match socket.try_read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                let mut state = self.state.lock();
                let bytes = buffer.get_mut(..read).unwrap_or_default();
                // The link's input holds more than one read, and events are polled after every read.
                let taken = state.link.handle_bytes(bytes, clock.monotonic());
                bytes.zeroize();
                match taken == read {
                    true => Ok(()),
                    false => Err(io::Error::other("the HSM sends more than it was asked")),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl State {
    fn take(
        &mut self,
        answer: Answer,
        answers: &mut Vec<(ReplyTo, Result<torap_hsm::Response, torap_hsm::Failure>)>,
    ) {
        match answer.outcome {
            Ok(_) => self.answered = self.answered.saturating_add(1),
            Err(_) => self.failed = self.failed.saturating_add(1),
        }
        if let Some(reply_to) = self.waiting.remove(&answer.id) {
            answers.push((reply_to, answer.outcome));
        }
    }
}

/// Writes as much as the socket takes, and wipes what it took.
fn write(socket: &TcpStream, output: &mut BytesMut) -> io::Result<()> {
    while !output.is_empty() {
        match socket.try_write(output) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                if let Some(written) = output.get_mut(..written) {
                    written.zeroize();
                }
                output.advance(written);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
