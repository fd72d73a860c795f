//! A host on plain byte streams, for rails whose sessions live in the bench.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;
use torap_domain::Time;

use super::Ask;
use super::socket::{LINKS_MAX, write_all};

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

/// What comes from the host. Streams are numbered as they come.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Connected(usize),
    Bytes(usize, Vec<u8>),
    Ended(usize),
}

/// Where the answer to something that was asked will be.
pub type Answer = Receiver<Result<Value, String>>;

/// A host with its streams and a clock.
pub trait Streams {
    /// The wall clock.
    fn now(&self) -> Time;
    /// Nanoseconds of a clock that never goes back.
    fn monotonic(&self) -> u64;
    /// The next thing from the host, waiting for it as long as stated; `None` if nothing came.
    fn next(&mut self, within: Duration) -> Option<Heard>;
    /// Sends bytes on a stream.
    fn write(&mut self, stream: usize, bytes: &[u8]);
    /// Ends a stream.
    fn close(&mut self, stream: usize);
    /// Fresh random bytes.
    ///
    /// # Errors
    /// The system has none.
    fn nonce(&mut self) -> Result<[u8; 32], String>;
    /// Asks the host to begin something, or for an amount.
    fn ask(&mut self, ask: &Ask) -> Answer;
}

/// Asks a host.
pub type Asking = Box<dyn FnMut(&Ask) -> Answer>;

/// The bench's door for TCP.
pub struct TcpStreams {
    listener: TcpListener,
    streams: Vec<(usize, TcpStream)>,
    next_number: usize,
    waiting: VecDeque<Heard>,
    started: Instant,
    asking: Asking,
}

impl TcpStreams {
    /// Listens for the host.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn listen(address: SocketAddr, asking: Asking) -> io::Result<TcpStreams> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(TcpStreams {
            listener,
            streams: Vec::new(),
            next_number: 0,
            waiting: VecDeque::new(),
            started: Instant::now(),
            asking,
        })
    }

    /// Where the host connects to.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Waits until something comes, and takes it.
    fn turn(&mut self, rest: Duration) {
        let timeout = Timespec::try_from(rest).ok();
        let mut waiting = vec![PollFd::new(&self.listener, PollFlags::IN)];
        let streams = self.streams.iter();
        waiting.extend(streams.map(|(_, stream)| PollFd::new(stream, PollFlags::IN)));
        // An interruption is as good as nothing.
        let _ = poll(&mut waiting, timeout.as_ref());
        drop(waiting);
        self.accept();
        self.read();
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            let prepared = stream
                .set_nonblocking(true)
                .and_then(|()| stream.set_nodelay(true));
            if prepared.is_err() || self.streams.len() == LINKS_MAX {
                continue;
            }
            self.waiting.push_back(Heard::Connected(self.next_number));
            self.streams.push((self.next_number, stream));
            self.next_number += 1;
        }
    }

    /// One read a stream and turn: what does not fit waits in the system.
    fn read(&mut self) {
        let mut buffer = vec![0; READ_BYTES];
        let waiting = &mut self.waiting;
        self.streams
            .retain_mut(|(number, stream)| match stream.read(&mut buffer) {
                Ok(0) => {
                    waiting.push_back(Heard::Ended(*number));
                    false
                }
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    waiting.push_back(Heard::Bytes(*number, bytes.to_vec()));
                    true
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) =>
                {
                    true
                }
                Err(_) => {
                    waiting.push_back(Heard::Ended(*number));
                    false
                }
            });
    }
}

impl Streams for TcpStreams {
    fn now(&self) -> Time {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Time::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    fn monotonic(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn next(&mut self, within: Duration) -> Option<Heard> {
        let end = Instant::now() + within;
        loop {
            if let Some(heard) = self.waiting.pop_front() {
                return Some(heard);
            }
            let rest = end.saturating_duration_since(Instant::now());
            self.turn(rest);
            if rest.is_zero() && self.waiting.is_empty() {
                return None;
            }
        }
    }

    fn write(&mut self, stream: usize, bytes: &[u8]) {
        if let Some((number, stream)) = self
            .streams
            .iter_mut()
            .find(|(number, _)| *number == stream)
            && write_all(stream, bytes).is_err()
        {
            self.waiting.push_back(Heard::Ended(*number));
        }
    }

    fn close(&mut self, stream: usize) {
        self.streams.retain(|(number, _)| *number != stream);
    }

    fn nonce(&mut self) -> Result<[u8; 32], String> {
        let mut bytes = [0; 32];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| "the system has no random bytes")?;
        Ok(bytes)
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        (self.asking)(ask)
    }
}

impl std::fmt::Debug for TcpStreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TcpStreams({} streams)", self.streams.len())
    }
}
