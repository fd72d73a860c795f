//! A client that waits: for tests, benches and tools of a laboratory. The switch drives [`HsmLink`] by itself.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use torap_hsm::{
    Answer, Diagnosis, DownReason, Failure, HsmEvent, HsmLink, HsmLinkConfig, NotTaken, PaymentHsm,
    Request, RequestId, Response,
};
use zeroize::Zeroize;

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

/// One connection to an HSM, driven by the thread that asks. It does not connect again.
pub struct Client {
    link: HsmLink,
    stream: TcpStream,
    began: Instant,
    read: Vec<u8>,
    output: BytesMut,
    diagnosis: Option<Diagnosis>,
}

/// Why a client is of no more use.
#[derive(Debug)]
pub enum ClientError {
    /// The socket failed.
    Socket(io::Error),
    /// The connection is over.
    Down(DownReason),
    /// The request was not taken.
    NotTaken(NotTaken),
}

impl Client {
    /// Connects and waits until the HSM has said who it is.
    ///
    /// # Errors
    /// [`ClientError::Socket`] or [`ClientError::Down`].
    pub fn connect(address: SocketAddr) -> Result<Client, ClientError> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let began = Instant::now();
        let mut client = Client {
            link: HsmLink::new(HsmLinkConfig::default(), 0),
            stream,
            began,
            read: vec![0; READ_BYTES],
            output: BytesMut::new(),
            diagnosis: None,
        };
        loop {
            match client.next_event()? {
                HsmEvent::Connect => {
                    let now = client.now();
                    client.link.handle_connected(now);
                }
                HsmEvent::Up(diagnosis) => {
                    client.diagnosis = Some(diagnosis);
                    return Ok(client);
                }
                HsmEvent::Disconnect(reason) => return Err(ClientError::Down(reason)),
                HsmEvent::Answer(_) => {}
            }
        }
    }

    /// Who the HSM said that it is.
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        self.diagnosis.as_ref()
    }

    /// Sends a request without waiting for the answer; it leaves with the next wait.
    ///
    /// # Errors
    /// [`ClientError::NotTaken`].
    pub fn send(
        &mut self,
        request: &Request<'_>,
        timeout: Duration,
    ) -> Result<RequestId, ClientError> {
        let now = self.now();
        let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let deadline = now.saturating_add(timeout);
        self.link
            .request(request, deadline, now)
            .map_err(ClientError::NotTaken)
    }

    /// Waits for the next answer, to whichever request.
    ///
    /// # Errors
    /// [`ClientError::Down`] when all answers have been told and the connection is over.
    pub fn wait(&mut self) -> Result<Answer, ClientError> {
        loop {
            match self.next_event()? {
                HsmEvent::Answer(answer) => return Ok(answer),
                HsmEvent::Disconnect(reason) => return Err(ClientError::Down(reason)),
                HsmEvent::Connect | HsmEvent::Up(_) => {}
            }
        }
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// [`ClientError`] if the request was not taken or the connection is over.
    pub fn ask(
        &mut self,
        request: &Request<'_>,
        timeout: Duration,
    ) -> Result<Result<Response, Failure>, ClientError> {
        let id = self.send(request, timeout)?;
        loop {
            let answer = self.wait()?;
            if answer.id == id {
                return Ok(answer.outcome);
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn next_event(&mut self) -> Result<HsmEvent, ClientError> {
        loop {
            if let Some(event) = self.link.poll_event() {
                return Ok(event);
            }
            if self.link.poll_output(&mut self.output) {
                let written = self.stream.write_all(&self.output);
                self.output.zeroize();
                self.output.clear();
                written?;
            }
            self.turn()?;
        }
    }

    /// Reads once, until the link wants to be called.
    fn turn(&mut self) -> io::Result<()> {
        let now = self.now();
        let wait = self.link.poll_timeout().map(|at| at.saturating_sub(now));
        if wait == Some(0) {
            self.link.handle_timeout(now);
            return Ok(());
        }
        self.stream
            .set_read_timeout(wait.map(Duration::from_nanos))?;
        let length = match self.stream.read(&mut self.read) {
            Ok(length) => length,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::Interrupted
                ) =>
            {
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) => return Err(error),
        };
        let now = self.now();
        if length == 0 {
            self.link.handle_end(now);
            return Ok(());
        }
        // The input is empty: every event was polled before.
        let taken = self.link.handle_bytes(&self.read[..length], now);
        debug_assert_eq!(taken, length);
        Ok(())
    }
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> ClientError {
        ClientError::Socket(error)
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Socket(error) => error.fmt(f),
            ClientError::Down(reason) => write!(f, "the connection is over: {reason:?}"),
            ClientError::NotTaken(why) => write!(f, "not taken: {why:?}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
