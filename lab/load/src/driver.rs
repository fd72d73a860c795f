//! Drives a generator over TCP: one thread, non-blocking sockets, `ppoll` with nanoseconds.
//!
//! A payment that is due must leave at once: the timers of the usual runtimes come a millisecond late.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Buf, BytesMut};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{ClockId, clock_gettime};

use crate::card::{CardGenerator, CardPlan};
use crate::generator::Generator;
use crate::limits::{CONNECT_NS_MAX, READ_BYTES, RECONNECT_NS, SIGN_OFF_NS_MAX};
use crate::outcome::{Outcome, Progress};
use crate::plan::{Failure, Plan};

/// Time between two calls of the caller's progress function.
const PROGRESS_NS: u64 = 1_000_000_000;
/// From this rate on, and in a closed loop, the sockets are looked after at most every `ROUND_NS`: what comes and goes in between
/// shares one system call, and the switch keeps its processor.
const ROUNDS_FROM_RATE: u32 = 4_000;
const ROUND_NS: u64 = 200_000;

/// A generator as its driver sees it: links with bytes both ways, and a clock. Links are numbered from 0.
pub(crate) trait Traffic {
    fn links(&self) -> usize;
    /// Whether the link is not there. What [`Traffic::poll_output`] still gives are its last words on the old one.
    fn wants_link(&mut self, link: usize) -> bool;
    fn connected(&mut self, link: usize, nonce: [u8; 32], now: u64);
    fn handle_bytes(&mut self, link: usize, bytes: &[u8], now: u64);
    fn handle_end(&mut self, link: usize, now: u64);
    /// Does what is due; called after every round of input and when [`Traffic::poll_timeout`] has come.
    fn advance(&mut self, now: u64);
    /// Moves the link's pending output to the end of `out`.
    fn poll_output(&mut self, link: usize, out: &mut BytesMut, now: u64);
    fn poll_timeout(&mut self) -> Option<u64>;
    fn is_done(&self, now: u64) -> bool;
    fn sign_off(&mut self);
    fn progress(&self, now: u64) -> Progress;
    fn outcome(self, own_cpu: Duration) -> Result<Outcome, Failure>;

    fn has_links(&mut self) -> bool {
        (0..self.links()).any(|link| !self.wants_link(link))
    }
}

/// Runs a plan of card traffic, as [`run`] does one of instant payments.
///
/// # Errors
/// As [`run`].
pub fn run_cards(
    plan: CardPlan,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, Failure> {
    let doors = plan.members.iter();
    let doors = doors.flat_map(|member| std::iter::repeat_n(member.door, plan.links));
    let (doors, rate) = (doors.collect(), plan.rate);
    let seed = u64::from_le_bytes(random_bytes()?);
    let started = Instant::now();
    let generator = CardGenerator::new(plan, seed, wall_clock(), 0)?;
    drive(generator, doors, rate, started, progress)
}

/// Runs a plan against the switch: signs every bank on, pays, waits for the answers, signs off. Blocks the calling thread.
///
/// `progress` is called once a second and may end the run.
///
/// # Errors
/// The plan is wrong, a bank cannot sign on or is turned away, or `progress` broke off.
pub fn run(
    plan: &Plan,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let seed = u64::from_le_bytes(random_bytes()?);
    let generator = Generator::new(plan, seed, wall_clock(), 0)?;
    let doors = vec![plan.switch; generator.links()];
    drive(generator, doors, plan.rate, started, progress)
}

fn drive<T: Traffic>(
    generator: T,
    doors: Vec<SocketAddr>,
    rate: u32,
    started: Instant,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, Failure> {
    let cpu_at_start = own_cpu();
    let links = doors.into_iter().map(Link::to).collect();
    let mut driver = Driver {
        generator,
        started,
        links,
        input: vec![0; READ_BYTES],
        round_ns: if rate == 0 || rate >= ROUNDS_FROM_RATE {
            ROUND_NS
        } else {
            0
        },
    };
    driver.pay(progress)?;
    driver.sign_off()?;
    driver
        .generator
        .outcome(own_cpu().saturating_sub(cpu_at_start))
}

struct Driver<T> {
    generator: T,
    started: Instant,
    links: Vec<Link>,
    input: Vec<u8>,
    round_ns: u64,
}

struct Link {
    /// Where the switch waits for it.
    door: SocketAddr,
    stream: Option<TcpStream>,
    output: BytesMut,
    retry_at: u64,
    is_readable: bool,
}

impl Link {
    fn to(door: SocketAddr) -> Link {
        Link {
            door,
            stream: None,
            output: BytesMut::new(),
            retry_at: 0,
            is_readable: false,
        }
    }
}

impl<T: Traffic> Driver<T> {
    fn pay(
        &mut self,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let mut report_at = PROGRESS_NS;
        loop {
            let now = self.now();
            self.connect(now)?;
            self.read();
            let now = self.now();
            self.generator.advance(now);
            self.write();
            if self.generator.is_done(now) {
                return Ok(());
            }
            if now >= report_at {
                report_at = now + PROGRESS_NS;
                if progress(&self.generator.progress(now)).is_break() {
                    return Err(Failure::Interrupted);
                }
            }
            self.wait(now, report_at)?;
        }
    }

    fn sign_off(&mut self) -> Result<(), Failure> {
        let until = self.now() + SIGN_OFF_NS_MAX;
        self.generator.sign_off();
        while self.generator.has_links() && self.now() < until {
            self.write();
            self.wait(self.now(), until)?;
            self.read();
            let now = self.now();
            self.generator.advance(now);
        }
        self.write();
        Ok(())
    }

    /// Makes the links that are missing.
    fn connect(&mut self, now: u64) -> Result<(), Failure> {
        for (bank, link) in self.links.iter_mut().enumerate() {
            if !self.generator.wants_link(bank) || now < link.retry_at {
                continue;
            }
            *link = Link {
                retry_at: now + RECONNECT_NS,
                ..Link::to(link.door)
            };
            let connected =
                TcpStream::connect_timeout(&link.door, Duration::from_nanos(CONNECT_NS_MAX));
            // A switch that is not there yet is tried again, until signing on has taken too long.
            let Ok(stream) = connected else {
                continue;
            };
            let options = stream
                .set_nodelay(true)
                .and_then(|()| stream.set_nonblocking(true));
            options.map_err(|error| Failure::System(format!("{}: {error}", link.door)))?;
            link.stream = Some(stream);
            self.generator.connected(bank, random_bytes()?, now);
        }
        Ok(())
    }

    fn read(&mut self) {
        for (bank, link) in self.links.iter_mut().enumerate() {
            if !std::mem::take(&mut link.is_readable) {
                continue;
            }
            let Some(mut stream) = link.stream.as_ref() else {
                continue;
            };
            loop {
                let read = stream.read(&mut self.input);
                let now = nanos_since(self.started);
                match read {
                    Ok(count) if count > 0 => {
                        let bytes = self.input.get(..count).unwrap_or_default();
                        self.generator.handle_bytes(bank, bytes, now);
                        if count == READ_BYTES {
                            continue;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // The end of the stream, or a broken one.
                    _ => {
                        self.generator.handle_end(bank, now);
                        link.stream = None;
                    }
                }
                break;
            }
        }
    }

    fn write(&mut self) {
        let now = self.now();
        for (bank, link) in self.links.iter_mut().enumerate() {
            if link.output.is_empty() {
                self.generator.poll_output(bank, &mut link.output, now);
            }
            if let Some(stream) = &link.stream
                && let Err(error) = write_some(stream, &mut link.output)
                && error.kind() != io::ErrorKind::WouldBlock
            {
                self.generator.handle_end(bank, now);
                link.stream = None;
            }
            if link.stream.is_none() || self.generator.wants_link(bank) {
                // The last words are written; nobody takes the rest.
                link.stream = None;
                link.output.clear();
            }
        }
    }

    /// Waits until a socket or the clock has something to do.
    fn wait(&mut self, now: u64, at_latest: u64) -> Result<(), Failure> {
        let mut until = self
            .generator
            .poll_timeout()
            .map_or(at_latest, |at| at.min(at_latest));
        for (bank, link) in self.links.iter().enumerate() {
            if link.stream.is_none() && self.generator.wants_link(bank) {
                until = until.min(link.retry_at);
            }
        }
        if let Some(rest) = (now + self.round_ns).checked_sub(self.now())
            && self.round_ns > 0
        {
            std::thread::sleep(Duration::from_nanos(rest));
        }
        let pause = Duration::from_nanos(until.saturating_sub(self.now()));
        let timeout = Timespec::try_from(pause).ok();
        let mut places = Vec::new();
        let mut waiting = Vec::new();
        for (bank, link) in self.links.iter().enumerate() {
            if let Some(stream) = &link.stream {
                let writing = if link.output.is_empty() {
                    PollFlags::empty()
                } else {
                    PollFlags::OUT
                };
                waiting.push(PollFd::new(stream, PollFlags::IN | writing));
                places.push(bank);
            }
        }
        match poll(&mut waiting, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Failure::System(format!("poll: {error}"))),
        }
        let wakes = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
        let readable: Vec<bool> = waiting
            .iter()
            .map(|place| place.revents().intersects(wakes))
            .collect();
        for (bank, is_readable) in places.into_iter().zip(readable) {
            self.links[bank].is_readable = is_readable;
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        nanos_since(self.started)
    }
}

fn write_some(mut stream: &TcpStream, output: &mut BytesMut) -> io::Result<()> {
    while !output.is_empty() {
        match stream.write(output) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => output.advance(written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn nanos_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds since 1970.
fn wall_clock() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Processor time of this thread, which does all the work.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn random_bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    // Requests of at most 256 bytes are always filled.
    match getrandom(&mut bytes[..], GetRandomFlags::empty()) {
        Ok(count) if count == N => Ok(bytes),
        Ok(_) => Err(Failure::System(
            "the operating system gives no randomness".into(),
        )),
        Err(error) => Err(Failure::System(format!("randomness: {error}"))),
    }
}

#[cfg(test)]
mod tests;
