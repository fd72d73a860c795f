//! A bank's end and the switch's end joined by two byte pipes, and the frames of a rude peer.

use bytes::BytesMut;
use torap_domain::{Bic, ParticipantId, Sequence};

use crate::session::*;
use crate::wire::*;

pub(super) const SECOND: u64 = 1_000_000_000;

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn bic(text: &str) -> Bic {
    Bic::parse(text).unwrap()
}

pub(super) fn secret() -> Secret {
    Secret::new(std::array::from_fn(|at| at as u8))
}

pub(super) fn client_config() -> ClientConfig {
    ClientConfig::new(name("alatau"), Mode::Test, vec![bic("CASPKZKA")], secret())
}

pub(super) fn server_config() -> ServerConfig {
    ServerConfig::new(name("torap"), Mode::Test)
}

pub(super) fn credentials() -> Option<Credentials> {
    let bics = vec![bic("CASPKZKA"), bic("CASPKZKAXXX")];
    Some(Credentials {
        secret: secret(),
        participant: ParticipantId(1),
        bics,
    })
}

/// Small reproducible randomness (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(super) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Both ends, with what each was told, as text.
pub(super) struct Pair {
    pub(super) client: ClientSession,
    pub(super) server: ServerSession,
    pub(super) now: u64,
    pub(super) credentials: Option<Credentials>,
    pub(super) admission: Admission,
    pub(super) client_log: Vec<ClientEvent>,
    pub(super) server_log: Vec<ServerEvent>,
    /// Every byte that left either side: bank → switch, switch → bank.
    pub(super) sent: (Vec<u8>, Vec<u8>),
}

impl Pair {
    pub(super) fn new(client: ClientConfig, server: ServerConfig) -> Pair {
        Pair {
            client: ClientSession::new(client, Nonce([0xc1; 32]), b"", 0),
            server: ServerSession::new(server, Nonce([0x5e; 32]), b"", 0),
            now: 0,
            credentials: credentials(),
            admission: Admission {
                inbound_held: Sequence(0),
                outbound_last: Sequence(0),
            },
            client_log: Vec::new(),
            server_log: Vec::new(),
            sent: (Vec::new(), Vec::new()),
        }
    }

    /// A pair that has signed on; the logs are empty again.
    pub(super) fn open() -> Pair {
        Pair::new(client_config(), server_config()).opened()
    }

    pub(super) fn opened(mut self) -> Pair {
        self.run();
        assert!(
            matches!(self.client_log[..], [ClientEvent::SignedOn { .. }]),
            "{:?}",
            self.client_log
        );
        self.client_log.clear();
        self.server_log.clear();
        self.sent = (Vec::new(), Vec::new());
        self
    }

    /// Moves bytes both ways until nothing moves any more.
    pub(super) fn run(&mut self) {
        let mut out = BytesMut::new();
        loop {
            self.poll_events();
            let mut quiet = true;
            if self.client.poll_output(&mut out, self.now) {
                self.sent.0.extend_from_slice(&out);
                self.server_gets(&out.split());
                quiet = false;
            }
            if self.server.poll_output(&mut out, self.now) {
                self.sent.1.extend_from_slice(&out);
                self.client_gets(&out.split());
                quiet = false;
            }
            if quiet {
                return;
            }
        }
    }

    pub(super) fn server_gets(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.server.handle_bytes(bytes, self.now);
            bytes = &bytes[taken..];
            self.poll_events();
        }
    }

    pub(super) fn client_gets(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.client.handle_bytes(bytes, self.now);
            bytes = &bytes[taken..];
            self.poll_events();
        }
    }

    /// Lets time pass for both ends, deadline by deadline, with the bytes that they cause delivered.
    pub(super) fn wait_until(&mut self, until: u64) {
        loop {
            let next = [self.client.poll_timeout(), self.server.poll_timeout()]
                .into_iter()
                .flatten()
                .min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.now = next.max(self.now);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            self.run();
        }
        self.now = until;
    }

    fn poll_events(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.client_log.push(event);
        }
        while let Some(event) = self.server.poll_event() {
            match event {
                ServerEvent::SecretWanted { .. } => {
                    self.server.provide_secret(self.credentials.clone())
                }
                ServerEvent::Authenticated { .. } => self.server.admit(self.admission),
                _ => {}
            }
            self.server_log.push(event);
        }
    }

    pub(super) fn client_closed(&self) -> Option<&CloseReason> {
        self.client_log.iter().find_map(|event| match event {
            ClientEvent::Closed(reason) => Some(reason),
            _ => None,
        })
    }

    pub(super) fn server_closed(&self) -> Option<&CloseReason> {
        self.server_log.iter().find_map(|event| match event {
            ServerEvent::Closed(reason) => Some(reason),
            _ => None,
        })
    }

    /// Both ends agree that the switch refused the link with this code.
    pub(super) fn assert_refused_by_server(&self, code: ErrorCode) {
        assert_eq!(self.server_closed(), Some(&CloseReason::Refused(code)));
        assert!(self.server.is_closed());
        match self.client_closed() {
            Some(CloseReason::PeerError(error)) => assert_eq!(error.code(), Some(code)),
            other => panic!("{other:?}"),
        }
    }

    /// Both ends agree that the bank refused the link with this code.
    pub(super) fn assert_refused_by_client(&self, code: ErrorCode) {
        assert_eq!(self.client_closed(), Some(&CloseReason::Refused(code)));
        assert!(self.client.is_closed());
        match self.server_closed() {
            Some(CloseReason::PeerError(error)) => assert_eq!(error.code(), Some(code)),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn bank_sends(&mut self, sequence: u64, body: &[u8]) {
        let message = Outgoing::new(ContentType::Iso20022Xml, body);
        self.client.send(Sequence(sequence), &message).unwrap();
    }

    pub(super) fn switch_sends(&mut self, sequence: u64, body: &[u8]) {
        let message = Outgoing::new(ContentType::Iso20022Xml, body);
        self.server.send(Sequence(sequence), &message).unwrap();
    }
}

/// A frame with any content at all.
pub(super) fn raw(
    frame_type: FrameType,
    flags: Flags,
    headers: &[(Tag, &[u8])],
    body: &[u8],
) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = FrameWriter::begin(&mut out, 1, frame_type, flags);
    for (tag, value) in headers {
        writer.value(*tag, value);
    }
    writer.finish(body);
    out.to_vec()
}

/// A DATA frame of the instant rail.
pub(super) fn raw_data(
    sequence: u64,
    flags: Flags,
    content_type: Option<u16>,
    body: &[u8],
) -> Vec<u8> {
    let sequence = sequence.to_be_bytes();
    let content_type = content_type.map(u16::to_be_bytes);
    let mut headers: Vec<(Tag, &[u8])> = vec![(Tag::Sequence, &sequence)];
    if let Some(content_type) = &content_type {
        headers.push((Tag::ContentType, content_type));
    }
    raw(FrameType::Data, flags, &headers, body)
}

/// The frames in a stretch of output, parsed.
pub(super) fn packets(bytes: &[u8]) -> Vec<Packet> {
    let mut decoder = FrameDecoder::new();
    decoder.lift_sign_on_limit();
    let mut stream = BytesMut::from(bytes);
    let mut packets = Vec::new();
    while let Some(frame) = decoder.next(&mut stream).unwrap() {
        packets.push(Packet::parse(&frame).unwrap());
    }
    assert!(stream.is_empty());
    packets
}
