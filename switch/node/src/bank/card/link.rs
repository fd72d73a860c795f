//! One link of a card host: connects or is connected to, frames, and comes back when it is lost.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::Interest,
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc},
    task::JoinHandle,
};
use torap_gateway::card::transport::{Transport, TransportConfig};

use super::{Door, Way};

/// Pause before a link connects again.
const RECONNECT_AFTER: Duration = Duration::from_millis(100);
/// How long a link sleeps if nothing is to be done.
const REST: Duration = Duration::from_secs(3600);

/// What a link tells the host.
#[derive(Debug)]
pub(super) enum Event {
    Up,
    Message(Bytes),
    Down(String),
}

/// What the host wants of a link.
pub(super) enum Order {
    Send(Vec<u8>),
    /// Cut the connection, then come back.
    Cut,
    StayDown,
    ComeBack,
}

struct Link {
    number: usize,
    way: Way,
    listener: Option<Arc<Mutex<TcpListener>>>,
    config: TransportConfig,
    orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<(usize, Event)>,
    stays_down: bool,
    started: Instant,
}

/// Starts a task for each link.
///
/// # Errors
/// The door that the switch connects to cannot be opened.
pub(super) async fn start(
    door: &Door,
    inboxes: Vec<mpsc::Receiver<Order>>,
    events: mpsc::Sender<(usize, Event)>,
) -> Result<Vec<JoinHandle<()>>, String> {
    let listener = match door.way {
        Way::Connect(_) => None,
        Way::Listen(address) => {
            let listener = TcpListener::bind(address).await;
            let listener = listener.map_err(|error| format!("{address}: {error}"))?;
            Some(Arc::new(Mutex::new(listener)))
        }
    };
    let tasks = inboxes.into_iter().enumerate().map(|(number, orders)| {
        let mut link = Link {
            number,
            way: door.way,
            listener: listener.clone(),
            config: TransportConfig::new(door.framing),
            orders,
            events: events.clone(),
            stays_down: false,
            started: Instant::now(),
        };
        tokio::spawn(async move { link.run().await })
    });
    Ok(tasks.collect())
}

/// Why a connection is over.
enum End {
    Lost,
    /// The host is gone.
    Host,
}

impl Link {
    async fn run(&mut self) {
        loop {
            let end = match self.connect().await {
                Some(socket) => self.serve(socket).await,
                None => End::Lost,
            };
            match end {
                End::Host => return,
                End::Lost if self.rest().await => return,
                End::Lost => {}
            }
        }
    }

    async fn connect(&self) -> Option<TcpStream> {
        if self.stays_down {
            return None;
        }
        match (self.way, &self.listener) {
            (Way::Connect(address), _) => self.connect_to(address).await,
            // Links take turns at the door.
            (Way::Listen(_), Some(listener)) => {
                let listener = listener.lock().await;
                listener.accept().await.ok().map(|(socket, _)| socket)
            }
            (Way::Listen(_), None) => None,
        }
    }

    async fn connect_to(&self, address: SocketAddr) -> Option<TcpStream> {
        TcpStream::connect(address).await.ok()
    }

    /// Waits before the next connection, and longer while it is to stay down. True if the host is gone.
    async fn rest(&mut self) -> bool {
        let end = Instant::now() + RECONNECT_AFTER;
        while self.stays_down || Instant::now() < end {
            let longest = if self.stays_down {
                Instant::now() + REST
            } else {
                end
            };
            match tokio::time::timeout_at(longest.into(), self.orders.recv()).await {
                Ok(None) => return true,
                Ok(Some(Order::StayDown)) => self.stays_down = true,
                Ok(Some(Order::ComeBack)) => self.stays_down = false,
                // There is no connection to send on or to cut.
                Ok(Some(Order::Send(_) | Order::Cut)) | Err(_) => {}
            }
        }
        false
    }

    async fn serve(&mut self, socket: TcpStream) -> End {
        let mut transport = Transport::new(self.config, self.now());
        if socket.set_nodelay(true).is_err() || self.tell(Event::Up).await.is_err() {
            return End::Host;
        }
        let mut output = Vec::new();
        let mut written = 0;
        loop {
            transport.handle_timeout(self.now());
            if let Err(end) = self.take_messages(&mut transport).await {
                return self.ended(end).await;
            }
            if let Err(error) = write(
                &socket,
                &mut transport,
                &mut output,
                &mut written,
                self.now(),
            ) {
                return self.ended(error.to_string()).await;
            }
            let interest = if written < output.len() {
                Interest::READABLE | Interest::WRITABLE
            } else {
                Interest::READABLE
            };
            let deadline = transport.poll_timeout().map_or_else(
                || Instant::now() + REST,
                |at| self.started + Duration::from_nanos(at),
            );
            tokio::select! {
                ready = socket.ready(interest) => {
                    let readable = ready.is_ok_and(|ready| ready.is_readable());
                    if readable && transport.wants_input() {
                        match socket.try_read_buf(transport.input()) {
                            Ok(0) => transport.handle_end(self.now()),
                            Ok(_) => transport.handle_input(self.now()),
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                            Err(error) => return self.ended(error.to_string()).await,
                        }
                    }
                }
                order = self.orders.recv() => match order {
                    None => return End::Host,
                    Some(Order::Send(message)) => {
                        transport.send(None, &message);
                    }
                    Some(Order::Cut) => return self.ended("cut".into()).await,
                    Some(Order::StayDown) => {
                        self.stays_down = true;
                        return self.ended("cut".into()).await;
                    }
                    Some(Order::ComeBack) => {}
                },
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
    }

    async fn take_messages(&mut self, transport: &mut Transport) -> Result<(), String> {
        while let Some(next) = transport.next_message() {
            let framed = next.map_err(|broken| format!("{broken:?}"))?;
            self.tell(Event::Message(framed.message)).await?;
        }
        Ok(())
    }

    async fn ended(&mut self, reason: String) -> End {
        match self.tell(Event::Down(reason)).await {
            Ok(()) => End::Lost,
            Err(_) => End::Host,
        }
    }

    async fn tell(&self, event: Event) -> Result<(), String> {
        let told = self.events.send((self.number, event)).await;
        told.map_err(|_| "the host is gone".into())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Writes as much as the socket takes.
fn write(
    socket: &TcpStream,
    transport: &mut Transport,
    output: &mut Vec<u8>,
    written: &mut usize,
    now: u64,
) -> io::Result<()> {
    loop {
        if *written == output.len() {
            output.clear();
            *written = 0;
            if !transport.poll_output(output, now) {
                return Ok(());
            }
        }
        match socket.try_write(output.get(*written..).unwrap_or_default()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => *written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
