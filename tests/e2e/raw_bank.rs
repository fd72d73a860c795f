//! A bank's end of a link held by hand: a session on a socket, without a host behind it that answers or reconnects.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use torap_domain::{Bic, Sequence};
use torap_gateway::{
    session::{
        ClientConfig, ClientEvent, ClientSession, CloseReason, Message, Outgoing, Secret, SendError,
    },
    wire::{ContentType, Mode, Name, Nonce},
};
use torap_node::demo::Lab;

/// How long the switch may take to say something.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who signs on, and as what.
pub struct SignOn<'a> {
    pub code: &'a str,
    pub bics: &'a [&'a str],
    /// What the bank says it holds of the switch's stream.
    pub held: u64,
    /// The secret of another participant, to fail by.
    pub secret_of: &'a str,
}

impl<'a> SignOn<'a> {
    pub fn new(code: &'a str, bic: &'a [&'a str]) -> SignOn<'a> {
        SignOn {
            code,
            bics: bic,
            held: 0,
            secret_of: code,
        }
    }

    /// Connects and signs on; the events so far are read.
    pub fn connect(&self, lab: &Lab) -> RawBank {
        let file = lab.folder().secret(self.secret_of);
        let secret = std::fs::read_to_string(&file).expect("a secret");
        let secret = Secret::from_hex(secret.trim()).expect("64 digits");
        let bics = self.bics.iter().map(|bic| Bic::parse(bic).expect("a BIC"));
        let name = Name::parse(self.code).expect("a name");
        let mut config = ClientConfig::new(name, Mode::Live, bics.collect(), secret);
        config.held = Sequence::new(self.held);
        // Nothing is to be said by the clock while a test looks.
        config.heartbeat_ms = Some(30_000);
        let socket = TcpStream::connect(lab.address()).expect("connect");
        socket.set_nodelay(true).expect("no delay");
        let mut bank = RawBank {
            socket,
            session: ClientSession::new(config, Nonce([7; 32]), &[], 0),
            start: Instant::now(),
            output: BytesMut::new(),
            next: Sequence::new(1),
        };
        bank.flush();
        bank
    }
}

/// A link and what has been read from it.
pub struct RawBank {
    socket: TcpStream,
    session: ClientSession,
    start: Instant,
    output: BytesMut,
    /// The next sequence of the bank's own stream.
    next: Sequence,
}

impl RawBank {
    /// Signs on, which must succeed.
    pub fn sign_on(lab: &Lab, code: &str, bic: &str) -> RawBank {
        let mut bank = SignOn::new(code, &[bic]).connect(lab);
        bank.signed_on();
        bank
    }

    /// Reads until the session is open.
    pub fn signed_on(&mut self) {
        match self.event() {
            ClientEvent::SignedOn { held_by_switch, .. } => self.next = held_by_switch.next(),
            other => panic!("not signed on: {other:?}"),
        }
    }

    /// What comes next; waits for it.
    pub fn event(&mut self) -> ClientEvent {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(event) = self.session.poll_event() {
                self.flush();
                return event;
            }
            self.flush();
            assert!(Instant::now() < end, "the switch says nothing");
            self.read();
        }
    }

    /// The next message whose text holds all the words; every message before it is confirmed and passed over.
    pub fn message(&mut self, words: &[&str]) -> Message {
        loop {
            match self.event() {
                ClientEvent::Message(message) => {
                    self.session.confirm(message.sequence);
                    let text = String::from_utf8_lossy(&message.body);
                    if words.iter().all(|word| text.contains(word)) {
                        self.flush();
                        return message;
                    }
                }
                ClientEvent::Skipped { sequence } => self.session.confirm(sequence),
                ClientEvent::Closed(reason) => panic!("closed: {reason:?}"),
                ClientEvent::Acknowledged { .. } => {}
                other => panic!("unexpected: {other:?}"),
            }
        }
    }

    /// Why the switch ended the session; whatever came before is passed over.
    pub fn closed(&mut self) -> CloseReason {
        loop {
            if let ClientEvent::Closed(reason) = self.event() {
                return reason;
            }
        }
    }

    /// Sends a message of XML.
    pub fn send(&mut self, text: &[u8]) -> Result<(), SendError> {
        self.send_as(ContentType::Iso20022Xml, text)
    }

    /// Sends bytes that no session would.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        // The switch may have closed already; reading tells.
        let _ = self.socket.write_all(bytes);
    }

    /// Sends a message.
    pub fn send_as(&mut self, content_type: ContentType, text: &[u8]) -> Result<(), SendError> {
        let message = Outgoing::new(content_type, text);
        self.session.send(self.next, &message)?;
        self.next = self.next.next();
        self.flush();
        Ok(())
    }

    fn flush(&mut self) {
        let now = self.now();
        self.session.poll_output(&mut self.output, now);
        // The switch may have closed already; reading tells.
        let _ = self.socket.write_all(&self.output);
        self.output.clear();
    }

    fn read(&mut self) {
        let patience = Some(Duration::from_millis(200));
        self.socket.set_read_timeout(patience).expect("timeout");
        let mut buffer = [0; 64 << 10];
        match self.socket.read(&mut buffer) {
            Ok(0) => self.session.handle_end(self.now()),
            Ok(read) => {
                let taken = self.session.handle_bytes(&buffer[..read], self.now());
                assert_eq!(taken, read, "events are polled, so there is room");
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => self.session.handle_end(self.now()),
        }
        let now = self.now();
        self.session.handle_timeout(now);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).expect("a short test")
    }
}
