//! A switch in memory for the tests and the bench of the generator: real sessions and messages, no journal, no money. Every message
//! that a bank sends is parsed and validated in full.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::BytesMut;
use torap_domain::{Bic, ParticipantId, Sequence};
use torap_gateway::session::{
    Admission, Credentials, Outgoing, Secret, ServerConfig, ServerEvent, ServerSession,
};
use torap_gateway::wire::{ContentType, Mode, Name, Nonce};
use torap_iso20022::profile::{Direction, Formats};
use torap_iso20022::view::{
    Body, BusinessHeader, CreditTransfer, Message, Original, Reader, Reject, StatusReport,
    TransactionStatus,
};
use torap_iso20022::write;

use crate::serving::Answering;

const SWITCH_BIC: &str = "TORPKZKA";
/// 2026-11-21T09:15:27+05:00.
const CREATED_NS: u64 = 1_795_234_527_000_000_000;

/// What the switch does with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Forwards it and settles.
    Settle,
    /// Refuses it without forwarding.
    Reject(&'static str),
    /// Settles and says so twice.
    Twice,
    /// Says PDNG before it settles.
    Pending,
    /// Forwards it and never answers.
    Silent,
    /// Settles, and then tells the payer's bank RJCT.
    Contradict,
    /// Settles for the payer's bank, rejects for the payee's.
    TwoFaced,
    /// Forwards it to the payer's own bank.
    Misroute,
    /// admi.002.
    NotTaken,
    /// An answer that is no message.
    Garbage,
    /// A final answer under another UETR.
    WrongUetr,
}

/// A participant that may sign on.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) code: Name,
    pub(crate) bic: Bic,
    pub(crate) secret: Secret,
}

pub(crate) struct FakeSwitch {
    accounts: Vec<Account>,
    streams: Vec<Stream>,
    connections: Vec<Connection>,
    reader: Reader,
    behave: Box<dyn FnMut(u64) -> Behaviour + Send>,
    payments: u64,
    pending: HashMap<String, Pending>,
    /// Payments by TxId and how often each came.
    pub(crate) received: BTreeMap<String, u32>,
    pub(crate) answers_received: u64,
    written: u64,
}

struct Stream {
    inbound_held: Sequence,
    /// Sequence of the first kept message.
    first: u64,
    kept: VecDeque<Vec<u8>>,
    connection: Option<usize>,
}

struct Connection {
    session: ServerSession,
    account: Option<usize>,
}

struct Pending {
    payer: usize,
    payee: usize,
    behaviour: Behaviour,
    original: OwnedOriginal,
}

#[derive(Clone)]
struct OwnedOriginal {
    message_id: String,
    transaction_id: String,
    uetr: String,
}

impl FakeSwitch {
    /// `behave` says what happens to each payment, by the order in which they come.
    pub(crate) fn new(
        accounts: Vec<Account>,
        formats: Formats,
        behave: impl FnMut(u64) -> Behaviour + Send + 'static,
    ) -> FakeSwitch {
        let stream = |_: &Account| Stream {
            inbound_held: Sequence::ZERO,
            first: 1,
            kept: VecDeque::new(),
            connection: None,
        };
        FakeSwitch {
            streams: accounts.iter().map(stream).collect(),
            accounts,
            connections: Vec::new(),
            reader: Reader::new(formats),
            behave: Box::new(behave),
            payments: 0,
            pending: HashMap::new(),
            received: BTreeMap::new(),
            answers_received: 0,
            written: 0,
        }
    }

    /// The switch has earlier messages for the bank and from it.
    pub(crate) fn with_history(
        mut self,
        account: usize,
        inbound: u64,
        outbound: u64,
    ) -> FakeSwitch {
        self.streams[account].inbound_held = Sequence::new(inbound);
        self.streams[account].first = outbound + 1;
        self
    }

    /// A new connection; its number.
    pub(crate) fn accept(&mut self, now: u64) -> usize {
        let name = Name::parse("FAKE").unwrap();
        let nonce = Nonce([u8::try_from(self.connections.len() % 251).unwrap(); 32]);
        let session = ServerSession::new(ServerConfig::new(name, Mode::Test), nonce, &[], now);
        self.connections.push(Connection {
            session,
            account: None,
        });
        self.connections.len() - 1
    }

    pub(crate) fn handle_bytes(&mut self, connection: usize, bytes: &[u8], now: u64) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.connections[connection].session.handle_bytes(rest, now);
            rest = &rest[taken..];
            self.handle_events(connection);
        }
    }

    pub(crate) fn handle_end(&mut self, connection: usize, now: u64) {
        self.connections[connection].session.handle_end(now);
        self.handle_events(connection);
    }

    pub(crate) fn handle_timeout(&mut self, connection: usize, now: u64) {
        self.connections[connection].session.handle_timeout(now);
        self.handle_events(connection);
    }

    pub(crate) fn poll_output(&mut self, connection: usize, out: &mut BytesMut, now: u64) -> bool {
        let Connection { session, account } = &mut self.connections[connection];
        if let Some(stream) = account.map(|account| &self.streams[account]) {
            while let Some(wants) = session.wants() {
                let place = usize::try_from(wants.next.value() - stream.first).unwrap();
                let Some(body) = stream.kept.get(place) else {
                    break;
                };
                let outgoing = Outgoing::new(ContentType::Iso20022Xml, body);
                if session.send(wants.next, &outgoing).is_err() {
                    break;
                }
            }
        }
        session.poll_output(out, now)
    }

    pub(crate) fn is_closed(&self, connection: usize) -> bool {
        self.connections[connection].session.is_closed()
    }

    fn handle_events(&mut self, connection: usize) {
        while let Some(event) = self.connections[connection].session.poll_event() {
            match event {
                ServerEvent::SecretWanted { name } => {
                    let account = self
                        .accounts
                        .iter()
                        .position(|account| account.code == name);
                    let credentials = account.map(|place| Credentials {
                        secret: self.accounts[place].secret.clone(),
                        participant: ParticipantId::new(u16::try_from(place + 1).unwrap()),
                        bics: vec![self.accounts[place].bic],
                    });
                    self.connections[connection]
                        .session
                        .provide_secret(credentials);
                }
                ServerEvent::Authenticated {
                    participant, held, ..
                } => {
                    self.admit(connection, participant.index() - 1, held);
                }
                ServerEvent::Message(message) => {
                    let account = self.connections[connection].account.unwrap();
                    self.streams[account].inbound_held = message.sequence;
                    self.handle_message(account, &message.body);
                    self.connections[connection]
                        .session
                        .acknowledge(message.sequence);
                }
                ServerEvent::Acknowledged { upto } => {
                    let account = self.connections[connection].account.unwrap();
                    self.streams[account].drop_to(upto);
                }
                ServerEvent::Refused { code, .. } => panic!("refused on the link: {code:?}"),
                ServerEvent::PeerError(error) => panic!("the bank complains: {error:?}"),
                ServerEvent::Closed(_) => {}
            }
        }
    }

    fn admit(&mut self, connection: usize, account: usize, held: Sequence) {
        if let Some(older) = self.streams[account].connection.replace(connection) {
            self.connections[older].session.supersede();
            self.connections[older].account = None;
        }
        let stream = &mut self.streams[account];
        stream.drop_to(held);
        let outbound_last = Sequence::new(stream.first + stream.kept.len() as u64 - 1);
        let admission = Admission {
            inbound_held: stream.inbound_held,
            outbound_last,
        };
        self.connections[connection].account = Some(account);
        self.connections[connection].session.admit(admission);
    }

    fn handle_message(&mut self, account: usize, bytes: &[u8]) {
        let read = self.reader.read(bytes, Direction::ToSwitch);
        let message = read.unwrap_or_else(|refusal| {
            panic!(
                "a bank's message is refused: {refusal}\n{}",
                String::from_utf8_lossy(bytes)
            )
        });
        match &message.body {
            Body::CreditTransfer(transfer) => self.take(account, &message, transfer, bytes),
            Body::StatusReport(report) => {
                assert_eq!(report.status, TransactionStatus::Acsp);
                self.answers_received += 1;
                if let Some(pending) = self.pending.remove(report.original.transaction_id) {
                    assert_eq!(report.original.uetr, pending.original.uetr);
                    assert_eq!(account, pending.payee, "answered by another bank");
                    self.finish(&pending);
                }
            }
            other => panic!("a bank sent {other:?}"),
        }
    }

    fn take(
        &mut self,
        payer: usize,
        message: &Message<'_>,
        transfer: &CreditTransfer<'_>,
        bytes: &[u8],
    ) {
        assert_eq!(
            transfer.instructing_agent,
            self.accounts[payer].bic.as_str()
        );
        let times = self
            .received
            .entry(transfer.transaction_id.to_string())
            .or_default();
        *times += 1;
        let behaviour = (self.behave)(self.payments);
        self.payments += 1;
        let payee = self.place_of(transfer.creditor_agent);
        let original = OwnedOriginal {
            message_id: transfer.message_id.to_string(),
            transaction_id: transfer.transaction_id.to_string(),
            uetr: transfer.uetr.to_string(),
        };
        match behaviour {
            Behaviour::Reject(code) => {
                self.tell(payer, &original, TransactionStatus::Rjct, Some(code));
                return;
            }
            Behaviour::NotTaken => return self.reject(payer, transfer.message_id),
            Behaviour::Garbage => return self.streams[payer].push(b"<no message".to_vec()),
            Behaviour::Pending => self.tell(payer, &original, TransactionStatus::Pdng, None),
            _ => {}
        }
        let to = if behaviour == Behaviour::Misroute {
            payer
        } else {
            payee
        };
        let mut forward = Vec::with_capacity(bytes.len() + 1024);
        // BizMsgIdr repeats the identifier of the Document.
        let header = self.header(to, transfer.message_id);
        let document = &bytes[message.document.clone()];
        write::forward(&mut forward, &header, message.message_type, document);
        self.streams[to].push(forward);
        let pending = Pending {
            payer,
            payee: to,
            behaviour,
            original,
        };
        self.pending
            .insert(transfer.transaction_id.to_string(), pending);
    }

    fn finish(&mut self, pending: &Pending) {
        let Pending {
            payer,
            payee,
            behaviour,
            original,
        } = pending;
        let acsc = TransactionStatus::Acsc;
        match behaviour {
            Behaviour::Silent => return,
            Behaviour::WrongUetr => {
                let uetr = "f47ac10b-58cc-4372-a567-0e02b2c3d479".to_string();
                let other = OwnedOriginal {
                    uetr,
                    ..original.clone()
                };
                return self.tell(*payer, &other, acsc, None);
            }
            _ => self.tell(*payer, original, acsc, None),
        }
        match behaviour {
            Behaviour::TwoFaced => {
                self.tell(*payee, original, TransactionStatus::Rjct, Some("AB06"))
            }
            _ => self.tell(*payee, original, acsc, None),
        }
        match behaviour {
            Behaviour::Twice => self.tell(*payer, original, acsc, None),
            Behaviour::Contradict => {
                self.tell(*payer, original, TransactionStatus::Rjct, Some("AB06"));
            }
            _ => {}
        }
    }

    fn tell(
        &mut self,
        to: usize,
        original: &OwnedOriginal,
        status: TransactionStatus,
        reason: Option<&str>,
    ) {
        let id = self.next_id();
        let report = StatusReport {
            message_id: &id,
            created_ns: CREATED_NS,
            instructing_agent: Some(SWITCH_BIC),
            instructed_agent: Some(self.accounts[to].bic.as_str()),
            status_id: None,
            original: Original {
                message_id: Some(&original.message_id),
                message_name: Some("pacs.008.001.10"),
                instruction_id: None,
                end_to_end_id: None,
                transaction_id: &original.transaction_id,
                uetr: &original.uetr,
            },
            status,
            reason,
            reason_text: reason.map(|_| "refused by the script".into()),
            accepted_ns: Some(CREATED_NS),
            settlement_date: None,
            clearing_reference: Some("123456"),
        };
        let mut body = Vec::with_capacity(2048);
        write::status_report(&mut body, Some(&self.header(to, &id)), &report);
        self.streams[to].push(body);
    }

    fn reject(&mut self, to: usize, related: &str) {
        let reject = Reject {
            related: related.into(),
            reason: "CH21".into(),
            rejected_ns: Some(CREATED_NS),
            location: None,
            description: None,
            additional: None,
        };
        let id = self.next_id();
        let mut body = Vec::new();
        write::reject(&mut body, Some(&self.header(to, &id)), &reject);
        self.streams[to].push(body);
    }

    fn header<'a>(&'a self, to: usize, message_id: &'a str) -> BusinessHeader<'a> {
        BusinessHeader {
            from: SWITCH_BIC,
            to: self.accounts[to].bic.as_str(),
            message_id,
            service: Some("torap.inst.1"),
            created_ns: CREATED_NS,
            possible_duplicate: false,
        }
    }

    fn next_id(&mut self) -> String {
        self.written += 1;
        format!("T{:012}", self.written)
    }

    fn place_of(&self, bic: &str) -> usize {
        self.accounts
            .iter()
            .position(|account| account.bic.as_str() == bic)
            .unwrap()
    }
}

impl Stream {
    fn push(&mut self, body: Vec<u8>) {
        self.kept.push_back(body);
    }

    fn drop_to(&mut self, upto: Sequence) {
        while self.first <= upto.value() && self.kept.pop_front().is_some() {
            self.first += 1;
        }
    }
}

impl Answering for FakeSwitch {
    fn accept(&mut self, now: u64) -> usize {
        FakeSwitch::accept(self, now)
    }

    fn handle_bytes(&mut self, connection: usize, bytes: &[u8], now: u64) {
        FakeSwitch::handle_bytes(self, connection, bytes, now);
    }

    fn handle_end(&mut self, connection: usize, now: u64) {
        FakeSwitch::handle_end(self, connection, now);
    }

    fn handle_timeout(&mut self, connection: usize, now: u64) {
        FakeSwitch::handle_timeout(self, connection, now);
    }

    fn poll_output(&mut self, connection: usize, out: &mut BytesMut, now: u64) {
        FakeSwitch::poll_output(self, connection, out, now);
    }

    fn is_closed(&self, connection: usize) -> bool {
        FakeSwitch::is_closed(self, connection)
    }
}
