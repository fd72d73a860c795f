//! Drives a simulated bank: socket, session, clock, and a control socket for scripts. Its card host is driven beside it ([`card`]).

pub mod card;

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use bytes::{Buf, BytesMut};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Interest},
    net::{TcpStream, UnixListener, UnixStream},
    sync::{mpsc, oneshot},
};
use torap_bank::{Bank, LinkOrder, Request, WaitFor};
use torap_domain::Sequence;
use torap_gateway::{
    session::{ClientConfig, ClientEvent, ClientSession, Outgoing, Secret},
    wire::{Mode, Name, Nonce},
};

use crate::{
    control::LINE_BYTES_MAX,
    folder::{SECRET_BYTES, random_bytes},
    serve::wall_clock,
};

/// Pause before the bank connects again.
const RECONNECT_AFTER: Duration = Duration::from_millis(100);
/// Requests that wait for the driver.
const REQUESTS_MAX: usize = 64;

/// Where and as whom the bank signs on.
#[derive(Clone, Debug)]
pub struct Sign {
    pub switch: SocketAddr,
    pub mode: Mode,
    pub secret: [u8; SECRET_BYTES],
}

type Answer = oneshot::Sender<Result<Value, String>>;
type Asked = (Request, Answer);

/// Where requests of scripts go.
#[derive(Clone)]
struct Senders {
    bank: Option<mpsc::Sender<Asked>>,
    card: Option<mpsc::Sender<card::Asked>>,
}

struct Waiting {
    filter: WaitFor,
    until: Instant,
    answer: Answer,
}

/// Runs a bank, or its card host, or both, until its script says stop or a signal comes. Scripts talk to it at `control`.
///
/// # Errors
/// The control socket cannot be opened, a card door cannot be opened, or the bank's name is none.
pub async fn run(
    bank: Option<(Bank, Sign)>,
    host: Option<(torap_bank::card::CardHost, card::Door)>,
    control: &Path,
) -> Result<(), String> {
    let listener = open_control(control)?;
    let (bank_sender, requests) = mpsc::channel(REQUESTS_MAX);
    let (card_sender, card_requests) = mpsc::channel(REQUESTS_MAX);
    let senders = Senders {
        bank: bank.as_ref().map(|_| bank_sender),
        card: host.as_ref().map(|_| card_sender),
    };
    let task = tokio::spawn(serve_control(listener, senders));
    let result = tokio::select! {
        result = run_bank(bank, requests) => result,
        result = card::run(host, card_requests) => result,
    };
    task.abort();
    // The socket's file goes with the bank; a leftover does no harm.
    let _ = std::fs::remove_file(control);
    result
}

/// Runs the bank; without one it never ends.
async fn run_bank(
    bank: Option<(Bank, Sign)>,
    requests: mpsc::Receiver<Asked>,
) -> Result<(), String> {
    let Some((bank, sign)) = bank else {
        return std::future::pending().await;
    };
    let mut driver = Driver {
        held: Sequence::new(0),
        sent: Sequence::new(0),
        waiting: Vec::new(),
        started: Instant::now(),
        stays_down: false,
        stop: false,
        requests,
        bank,
        sign,
    };
    driver.run().await
}

fn open_control(path: &Path) -> Result<UnixListener, String> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", path.display()));
        }
        _ => {}
    }
    UnixListener::bind(path).map_err(|error| format!("{}: cannot listen: {error}", path.display()))
}

struct Driver {
    bank: Bank,
    sign: Sign,
    /// Last of the switch's sequences that the bank holds.
    held: Sequence,
    /// Last of the bank's sequences that ever went out.
    sent: Sequence,
    waiting: Vec<Waiting>,
    requests: mpsc::Receiver<Asked>,
    started: Instant,
    stays_down: bool,
    stop: bool,
}

/// An open connection.
struct Link {
    socket: TcpStream,
    session: ClientSession,
    output: BytesMut,
    is_open: bool,
    closed: bool,
}

impl Driver {
    async fn run(&mut self) -> Result<(), String> {
        let name =
            Name::parse(&self.bank.config().code).ok_or("the code is no name for the wire")?;
        while !self.stop {
            let link = if self.stays_down {
                None
            } else {
                TcpStream::connect(self.sign.switch).await.ok()
            };
            match link {
                Some(socket) => {
                    if let Err(error) = self.serve_link(socket, name).await {
                        tracing::debug!(%error, "link lost");
                    }
                }
                None => self.rest(RECONNECT_AFTER).await,
            }
            if !self.stop && !self.stays_down {
                self.rest(RECONNECT_AFTER).await;
            }
        }
        Ok(())
    }

    /// Waits without a link, but goes on answering scripts.
    async fn rest(&mut self, longest: Duration) {
        let end = Instant::now() + longest;
        while !self.stop && Instant::now() < end {
            let asked = tokio::time::timeout_at(end.into(), self.requests.recv()).await;
            if let Ok(Some(asked)) = asked {
                self.ask(asked);
            }
            self.follow_orders(None);
            self.settle_waits();
        }
    }

    async fn serve_link(&mut self, socket: TcpStream, name: Name) -> Result<(), String> {
        socket
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let mut config = ClientConfig::new(
            name,
            self.sign.mode,
            vec![self.bank.config().bic],
            Secret::new(self.sign.secret),
        );
        config.held = self.held;
        let session = ClientSession::new(config, Nonce(random_bytes()?), &[], self.monotonic());
        let mut link = Link {
            socket,
            session,
            output: BytesMut::new(),
            is_open: false,
            closed: false,
        };
        while !self.stop {
            self.work(&mut link);
            link.write().map_err(|error| error.to_string())?;
            if link.closed {
                return Ok(());
            }
            self.wait(&mut link)
                .await
                .map_err(|error| error.to_string())?;
        }
        link.session.sign_off(&[]);
        link.session.poll_output(&mut link.output, self.monotonic());
        link.write().map_err(|error| error.to_string())
    }

    fn work(&mut self, link: &mut Link) {
        let now = self.monotonic();
        link.session.handle_timeout(now);
        self.bank.handle_timeout(wall_clock().nanos());
        while let Some(event) = link.session.poll_event() {
            self.handle(link, event);
        }
        link.session.confirm(self.held);
        self.follow_orders(Some(link));
        while let Some(wants) = link.session.wants() {
            let Some(letter) = self.bank.next_to_send(wants.next) else {
                break;
            };
            let mut outgoing = Outgoing::new(letter.content_type, &letter.body);
            outgoing.possible_duplicate = wants.next <= self.sent;
            if link.session.send(wants.next, &outgoing).is_err() {
                break;
            }
            self.sent = self.sent.max(wants.next);
        }
        link.session.poll_output(&mut link.output, self.monotonic());
        self.settle_waits();
    }

    fn handle(&mut self, link: &mut Link, event: ClientEvent) {
        match event {
            ClientEvent::SignedOn { held_by_switch, .. } => {
                link.is_open = true;
                self.bank.signed_on(held_by_switch);
                tracing::info!(code = %self.bank.config().code, "signed on");
            }
            ClientEvent::Message(message) => {
                let now = wall_clock().nanos();
                self.bank.receive(
                    message.content_type,
                    &message.body,
                    message.possible_duplicate,
                    now,
                );
                self.held = message.sequence;
            }
            ClientEvent::Skipped { sequence } => {
                self.bank.skipped();
                self.held = sequence;
            }
            ClientEvent::Refused { sequence, code } => {
                tracing::warn!(?code, "a message of the switch could not be taken");
                self.held = sequence;
            }
            ClientEvent::Acknowledged { upto } => self.bank.acknowledged(upto),
            ClientEvent::PeerError(error) => {
                tracing::info!(number = error.number, text = %error.text, "the switch reports an error");
                self.bank
                    .refused_by_switch(error.number, error.text.as_str());
            }
            ClientEvent::Closed(reason) => {
                tracing::info!(?reason, "link closed");
                link.closed = true;
            }
        }
    }

    fn follow_orders(&mut self, mut link: Option<&mut Link>) {
        while let Some(order) = self.bank.poll_link_order() {
            self.stays_down = order == LinkOrder::Down;
            if let (LinkOrder::Down | LinkOrder::Reconnect, Some(link)) =
                (order, link.as_deref_mut())
            {
                link.closed = true;
            }
        }
    }

    async fn wait(&mut self, link: &mut Link) -> io::Result<()> {
        let interest = if link.output.is_empty() {
            Interest::READABLE
        } else {
            Interest::READABLE | Interest::WRITABLE
        };
        let deadline = self.deadline(link);
        tokio::select! {
            ready = link.socket.ready(interest) => {
                if ready?.is_readable() {
                    match link.socket.try_read_buf(link.session.input()) {
                        Ok(0) => link.session.handle_end(self.monotonic()),
                        Ok(_) => link.session.handle_input(self.monotonic()),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            asked = self.requests.recv() => match asked {
                Some(asked) => self.ask(asked),
                None => self.stop = true,
            },
            () = tokio::time::sleep_until(deadline.into()) => {}
        }
        Ok(())
    }

    fn deadline(&self, link: &mut Link) -> Instant {
        let mut deadline = Instant::now() + Duration::from_secs(3600);
        if let Some(at) = link.session.poll_timeout() {
            deadline = deadline.min(self.started + Duration::from_nanos(at));
        }
        if let Some(at) = self.bank.poll_timeout() {
            deadline = deadline.min(
                Instant::now() + Duration::from_nanos(at.saturating_sub(wall_clock().nanos())),
            );
        }
        self.waiting
            .iter()
            .map(|waiting| waiting.until)
            .fold(deadline, Instant::min)
    }

    fn ask(&mut self, (request, answer): Asked) {
        let result = match request {
            Request::Stop => {
                self.stop = true;
                Ok(json!({ "stopping": true }))
            }
            Request::Wait { filter, within_ms } => {
                let until = Instant::now() + Duration::from_millis(within_ms);
                self.waiting.push(Waiting {
                    filter,
                    until,
                    answer,
                });
                return;
            }
            request => self.bank.handle(request, wall_clock().nanos()),
        };
        // The script may be gone.
        let _ = answer.send(result);
    }

    /// Answers scripts whose message has come or whose patience is over.
    fn settle_waits(&mut self) {
        let waiting: VecDeque<Waiting> = std::mem::take(&mut self.waiting).into();
        for waiting in waiting {
            if let Some(seen) = self.bank.find(&waiting.filter) {
                let _ = waiting
                    .answer
                    .send(serde_json::to_value(seen).map_err(|error| error.to_string()));
            } else if waiting.until <= Instant::now() {
                let _ = waiting
                    .answer
                    .send(Err("nothing that fits has come in time".into()));
            } else {
                self.waiting.push(waiting);
            }
        }
    }

    fn monotonic(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Link {
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
}

impl Senders {
    /// Hands a request to whom it is meant for, and waits for the answer.
    async fn ask(&self, request: Request) -> Result<Value, String> {
        let gone = || "the bank has stopped".to_string();
        let (sender, receiver) = oneshot::channel();
        let sent = match (request, &self.bank, &self.card) {
            (Request::Card { request }, _, Some(card)) => {
                let asked = (card::Wish::Request(Box::new(request)), sender);
                card.send(asked).await.map_err(|_| gone())
            }
            (Request::Card { .. }, _, None) => Err("do: this bank has no card side".into()),
            (Request::Stop, None, Some(card)) => card
                .send((card::Wish::Stop, sender))
                .await
                .map_err(|_| gone()),
            (request, Some(bank), _) => bank.send((request, sender)).await.map_err(|_| gone()),
            (_, None, _) => Err("do: this is a card host and no more".into()),
        };
        sent?;
        receiver.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn serve_control(listener: UnixListener, senders: Senders) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, senders.clone()));
    }
}

async fn converse(stream: UnixStream, senders: Senders) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut lines)
            .take(LINE_BYTES_MAX as u64)
            .read_line(&mut line)
            .await?
            == 0
        {
            return Ok(());
        }
        let answer = match serde_json::from_str::<Request>(&line) {
            Err(error) => Err(error.to_string()),
            Ok(request) => senders.ask(request).await,
        };
        let value = match answer {
            Ok(result) => json!({ "ok": true, "result": result }),
            Err(text) => json!({ "ok": false, "refused": text }),
        };
        write.write_all(format!("{value}\n").as_bytes()).await?;
    }
}
