//! A host that connects over TCP.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use torap_domain::Time;
use torap_gateway::card::framing::Framing;
use torap_gateway::card::transport::{Transport, TransportConfig};

use super::{Ask, Incoming, Peer};

/// Connections at a time; more are closed at once.
pub const LINKS_MAX: usize = 16;
/// How long a host may take to read what it is sent.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Asks a host to begin something.
pub type Asking = Box<dyn FnMut(&Ask) -> Result<(), String>>;

/// The bench's door.
pub struct SocketPeer {
    listener: TcpListener,
    config: TransportConfig,
    links: Vec<Link>,
    next_number: usize,
    waiting: VecDeque<Incoming>,
    started: Instant,
    asking: Asking,
}

struct Link {
    number: usize,
    stream: TcpStream,
    transport: Transport,
}

impl SocketPeer {
    /// Listens for the host.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn listen(address: SocketAddr, framing: Framing, asking: Asking) -> io::Result<SocketPeer> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(SocketPeer {
            listener,
            config: TransportConfig::new(framing),
            links: Vec::new(),
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

    fn monotonic(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Waits until something comes, and takes it.
    fn turn(&mut self, rest: Duration) {
        let now = self.monotonic();
        for link in &mut self.links {
            link.transport.handle_timeout(now);
        }
        self.flush();
        let timers = self.links.iter();
        let timer = timers
            .filter_map(|link| link.transport.poll_timeout())
            .min();
        let timer = timer.map(|at| Duration::from_nanos(at.saturating_sub(now)));
        let pause = timer.map_or(rest, |timer| timer.min(rest));
        let timeout = Timespec::try_from(pause).ok();
        let mut waiting = vec![PollFd::new(&self.listener, PollFlags::IN)];
        let streams = self.links.iter().map(|link| &link.stream);
        waiting.extend(streams.map(|stream| PollFd::new(stream, PollFlags::IN)));
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
            if prepared.is_err() || self.links.len() == LINKS_MAX {
                continue;
            }
            let transport = Transport::new(self.config, self.monotonic());
            self.links.push(Link {
                number: self.next_number,
                stream,
                transport,
            });
            let connected = Incoming::Connected(self.next_number);
            self.waiting.push_back(connected);
            self.next_number += 1;
        }
    }

    fn read(&mut self) {
        let now = self.monotonic();
        let mut buffer = vec![0; READ_BYTES];
        for link in &mut self.links {
            link.read(&mut buffer, now);
        }
        let waiting = &mut self.waiting;
        self.links.retain_mut(|link| {
            while let Some(next) = link.transport.next_message() {
                match next {
                    Ok(framed) => {
                        let message = framed.message.to_vec();
                        waiting.push_back(Incoming::Message(link.number, message));
                    }
                    Err(_) => {
                        waiting.push_back(Incoming::Ended(link.number));
                        return false;
                    }
                }
            }
            true
        });
    }

    /// Writes all that is to be sent; a host that does not read is cut off.
    fn flush(&mut self) {
        let now = self.monotonic();
        let waiting = &mut self.waiting;
        self.links.retain_mut(|link| {
            let mut output = Vec::new();
            link.transport.poll_output(&mut output, now);
            let written = write_all(&mut link.stream, &output);
            if written.is_err() {
                waiting.push_back(Incoming::Ended(link.number));
            }
            written.is_ok()
        });
    }
}

impl Link {
    fn read(&mut self, buffer: &mut [u8], now: u64) {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => self.transport.handle_end(now),
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    if self.transport.handle_bytes(bytes, now) == count {
                        continue;
                    }
                    // A host that sends faster than anybody could read is cut off.
                    self.transport.handle_end(now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => self.transport.handle_end(now),
            }
            return;
        }
    }
}

pub(super) fn write_all(stream: &mut TcpStream, output: &[u8]) -> io::Result<()> {
    let end = Instant::now() + WRITE_WITHIN;
    let mut rest = output;
    while !rest.is_empty() {
        match stream.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < end => {
                let mut waiting = [PollFd::new(&*stream, PollFlags::OUT)];
                let pause = Timespec {
                    tv_sec: 1,
                    tv_nsec: 0,
                };
                // An interruption is as good as nothing.
                let _ = poll(&mut waiting, Some(&pause));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Peer for SocketPeer {
    fn now(&self) -> Time {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Time::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    fn next(&mut self, within: Duration) -> Option<Incoming> {
        let end = Instant::now() + within;
        loop {
            self.flush();
            if let Some(incoming) = self.waiting.pop_front() {
                return Some(incoming);
            }
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return None;
            }
            self.turn(rest);
        }
    }

    fn send(&mut self, link: usize, message: &[u8]) {
        if let Some(link) = self.links.iter_mut().find(|known| known.number == link) {
            link.transport.send(None, message);
        }
        self.flush();
    }

    fn keep_alive(&mut self, link: usize) {
        let mut frame = Vec::new();
        self.config.framing.write_keep_alive(&mut frame);
        self.flush();
        if let Some(link) = self.links.iter_mut().find(|known| known.number == link) {
            // A link that breaks here is found at the next reading.
            let _ = write_all(&mut link.stream, &frame);
        }
    }

    fn cut(&mut self) {
        self.links.clear();
        self.waiting.clear();
    }

    fn ask(&mut self, ask: &Ask) -> Result<(), String> {
        (self.asking)(ask)
    }
}

impl std::fmt::Debug for SocketPeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SocketPeer({} links)", self.links.len())
    }
}
