//! A fake switch behind a real socket, for tests and benches of both rails.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A switch without sockets: connections are numbered.
pub(crate) trait Answering {
    fn accept(&mut self, now: u64) -> usize;
    fn handle_bytes(&mut self, connection: usize, bytes: &[u8], now: u64);
    fn handle_end(&mut self, connection: usize, now: u64);
    fn handle_timeout(&mut self, connection: usize, now: u64);
    fn poll_output(&mut self, connection: usize, out: &mut BytesMut, now: u64);
    fn is_closed(&self, connection: usize) -> bool;
}

/// A fake switch behind a real socket, on a thread of its own until it is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Peer {
    stream: TcpStream,
    connection: usize,
    output: BytesMut,
}

impl Served {
    pub(crate) fn start(switch: impl Answering + Send + 'static) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || serve(switch, &listener, &stopping));
        Served {
            address,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the fake switch panicked"
            );
        }
    }
}

fn serve(mut switch: impl Answering, listener: &TcpListener, stop: &AtomicBool) {
    let started = Instant::now();
    let now = || u64::try_from(started.elapsed().as_nanos()).unwrap();
    let mut peers: Vec<Peer> = Vec::new();
    let mut input = vec![0; 256 * 1024];
    let heartbeat = Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    listener.set_nonblocking(true).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let mut waiting = vec![PollFd::new(listener, PollFlags::IN)];
        for peer in &peers {
            let writing = if peer.output.is_empty() {
                PollFlags::empty()
            } else {
                PollFlags::OUT
            };
            waiting.push(PollFd::new(&peer.stream, PollFlags::IN | writing));
        }
        poll(&mut waiting, Some(&heartbeat)).unwrap();
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true).unwrap();
            stream.set_nodelay(true).unwrap();
            peers.push(Peer {
                stream,
                connection: switch.accept(now()),
                output: BytesMut::new(),
            });
        }
        for peer in &mut peers {
            match peer.stream.read(&mut input) {
                Ok(0) => switch.handle_end(peer.connection, now()),
                Ok(count) => switch.handle_bytes(peer.connection, &input[..count], now()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => switch.handle_end(peer.connection, now()),
            }
            switch.handle_timeout(peer.connection, now());
        }
        peers.retain_mut(|peer| {
            switch.poll_output(peer.connection, &mut peer.output, now());
            while !peer.output.is_empty() {
                match peer.stream.write(&peer.output) {
                    Ok(written) => peer.output.advance(written),
                    Err(_) => break,
                }
            }
            !switch.is_closed(peer.connection)
        });
    }
}
