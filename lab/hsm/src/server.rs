//! The socket of a simulated HSM: one thread a connection, each with its own door to the token and its own key cache.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use torap_hsm::limits::FRAME_BYTES_MAX;
use zeroize::Zeroize;

use crate::behaviour::{self, Behaviour, InForce};
use crate::host;
use crate::machine::Machine;
use crate::token::{Token, TokenVault};

/// Most connections at a time; one more is closed at once.
pub const CONNECTIONS_MAX: usize = 64;
/// Bytes read at a time: what came together is answered together.
const READ_BYTES: usize = 64 * 1024;
/// Time that a client may take to read an answer.
const WRITE_TIME_MAX: Duration = Duration::from_secs(10);
/// Pause after the listener failed, as it does when there are no more file descriptors.
const LISTEN_PAUSE: Duration = Duration::from_millis(100);

/// An HSM that listens and is about to serve.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    token: Token,
    in_force: InForce,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Listens for clients, and for commands in the folder.
    ///
    /// # Errors
    /// The address is none of this machine's own, is taken, or another HSM runs on the folder.
    pub fn listen(
        token: Token,
        dir: &Path,
        address: SocketAddr,
        behaviour: Behaviour,
    ) -> io::Result<Server> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a simulated HSM listens on a loopback address only",
            ));
        }
        let listener = TcpListener::bind(address)?;
        let in_force = InForce::default();
        in_force.set(behaviour);
        let commands = behaviour::listen(dir)?;
        let obeying = in_force.clone();
        thread::Builder::new()
            .name("commands".into())
            .spawn(move || behaviour::obey(&commands, &obeying))?;
        Ok(Server {
            listener,
            token,
            in_force,
            connections: Arc::default(),
        })
    }

    /// Where it listens; the port is chosen by the system if it was given as 0.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process ends.
    pub fn run(&self) {
        for stream in self.listener.incoming() {
            match stream {
                Ok(stream) => self.take(stream),
                Err(error) => {
                    tracing::warn!(%error, "no connection could be taken");
                    thread::sleep(LISTEN_PAUSE);
                }
            }
        }
    }

    fn take(&self, stream: TcpStream) {
        if self.connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS_MAX {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            tracing::warn!(CONNECTIONS_MAX, "too many connections: one more is closed");
            return;
        }
        let token = self.token.clone();
        let in_force = self.in_force.clone();
        let connections = Arc::clone(&self.connections);
        let serving = thread::Builder::new().name("client".into()).spawn(move || {
            serve(&token, &in_force, stream);
            // Whoever sees the number fall knows that this connection's token session is closed.
            connections.fetch_sub(1, Ordering::Release);
        });
        if let Err(error) = serving {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            tracing::warn!(%error, "no thread for a connection");
        }
    }
}

fn serve(token: &Token, in_force: &InForce, stream: TcpStream) {
    let machine = token.vault().and_then(Machine::new);
    let mut machine = match machine {
        Ok(machine) => machine,
        Err(fault) => {
            tracing::error!(%fault, "the token cannot be used");
            return;
        }
    };
    let mut connection = Connection {
        stream,
        read: vec![0; READ_BYTES],
        input: BytesMut::with_capacity(READ_BYTES + FRAME_BYTES_MAX),
        output: BytesMut::with_capacity(READ_BYTES),
    };
    match connection.run(&mut machine, in_force) {
        Ok(()) => {}
        Err(error) => tracing::warn!(%error, "a connection is over"),
    }
}

/// A client's connection. Its buffers hold PANs and PIN blocks, encrypted, and are wiped when they go.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    input: BytesMut,
    output: BytesMut,
}

impl Connection {
    fn run(&mut self, machine: &mut Machine<TokenVault>, in_force: &InForce) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        self.stream.set_write_timeout(Some(WRITE_TIME_MAX))?;
        loop {
            let length = match self.stream.read(&mut self.read) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            match in_force.get() {
                Behaviour::Silent => continue,
                Behaviour::Slow(delay_ms) => thread::sleep(Duration::from_millis(delay_ms)),
                Behaviour::Normal | Behaviour::Die => {}
            }
            self.input.extend_from_slice(&self.read[..length]);
            let served = host::serve(machine, &mut self.input, &mut self.output, |fault| {
                tracing::error!(%fault, "the token failed");
            });
            self.stream.write_all(&self.output)?;
            self.output.zeroize();
            self.output.clear();
            served.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.read.zeroize();
        self.input.zeroize();
        self.output.zeroize();
    }
}

#[cfg(test)]
mod tests;
