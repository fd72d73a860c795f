use std::time::Duration;

use torap_hsm::{
    Failure, KeyAlgorithm, KeyExport, KeyMode, KeyRef, KeySpec, KeyUsage, MacMethod, Pan,
    PinFormat, PinSource, PinTarget, Request, Response,
};

use super::*;
use crate::ceremony::{self, KeyKinds};
use crate::client::{Client, ClientError};
use crate::pin_block::Pin;
use crate::soft::BankKeys;
use crate::test_token::with_token;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const HERE: &str = "127.0.0.1:0";

/// A server in a thread. The process must not end while a connection's thread is inside the token: the library is taken down
/// under it, and the process dies of a signal.
struct Running {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Drop for Running {
    /// Waits for the connections, whose clients are gone by now, to leave the token.
    fn drop(&mut self) {
        while self.connections.load(Ordering::Acquire) > 0 {
            thread::yield_now();
        }
    }
}

fn start(token: &Token, dir: &Path) -> Running {
    let address = HERE.parse().expect("an address");
    let server = Server::listen(token.clone(), dir, address, Behaviour::Normal);
    let server = server.expect("a server");
    let running = Running {
        address: server.address().expect("its address"),
        connections: Arc::clone(&server.connections),
    };
    thread::spawn(move || server.run());
    running
}

#[test]
fn many_requests_of_many_clients_are_under_way_at_once() {
    with_token(
        "server::tests::many_requests_of_many_clients_are_under_way_at_once",
        |folder, token| {
            let vault = token.vault().expect("a vault");
            let mut machine = Machine::new(vault).expect("a machine");
            let kinds = KeyKinds::default();
            let (switch, bank) = ceremony::make_keys(&mut machine, "CASP", kinds).expect("keys");
            let bank = BankKeys::open(&bank, [1; 32]).expect("the bank's keys");
            let running = start(&token, folder.path());
            let address = running.address;
            let pan = Pan::parse(b"9999500000000004").expect("a PAN");
            let pin = Pin::new(b"904317").expect("a PIN");
            let block = bank.encrypt_pin(PinFormat::Iso0, &pin, pan);
            let block = block.expect("a block");
            let mac = bank.mac(MacMethod::AesCmac, b"0200").expect("a MAC");
            let bank = std::sync::Mutex::new(bank);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let mut client = Client::connect(address).expect("a connection");
                        let key = |text: &str| KeyRef::parse(text).expect("a key block");
                        let (zpk, zak) = (key(&switch.zpk.block), key(&switch.zak.block));
                        let mut open = std::collections::BTreeSet::new();
                        for _ in 0..500 {
                            let translate = Request::TranslatePin {
                                from: PinSource {
                                    key: zpk.block(),
                                    format: PinFormat::Iso0,
                                    block: block.clone(),
                                },
                                to: PinTarget {
                                    key: zpk.block(),
                                    format: PinFormat::Iso3,
                                },
                                pan,
                            };
                            open.insert(client.send(&translate, PATIENCE).expect("taken"));
                            let verify = Request::VerifyMac {
                                key: zak.block(),
                                method: MacMethod::AesCmac,
                                data: b"0200",
                                mac,
                            };
                            open.insert(client.send(&verify, PATIENCE).expect("taken"));
                        }
                        while !open.is_empty() {
                            let answer = client.wait().expect("an answer");
                            assert!(open.remove(&answer.id));
                            match answer.outcome {
                                Ok(Response::TranslatePin(block)) => {
                                    let bank = bank.lock().expect("the bank's keys");
                                    let read = bank.decrypt_pin(PinFormat::Iso3, &block, pan);
                                    assert!(read.expect("a PIN").is(&pin));
                                }
                                Ok(Response::VerifyMac(verdict)) => {
                                    assert_eq!(verdict, torap_hsm::Verdict::Right);
                                }
                                other => panic!("{other:?}"),
                            }
                        }
                    });
                }
            });
        },
    );
}

#[test]
fn it_misbehaves_when_it_is_told_to() {
    with_token(
        "server::tests::it_misbehaves_when_it_is_told_to",
        |folder, token| {
            let dir = folder.path();
            let running = start(&token, dir);
            let address = running.address;
            let mut client = Client::connect(address).expect("a connection");
            let name = client.diagnosis().map(|diagnosis| diagnosis.name.clone());
            assert!(name.is_some_and(|name| name.contains("hsm-sim")));
            let mut echo = |timeout| client.ask(&Request::Echo(b"x"), timeout).expect("up");
            assert!(echo(PATIENCE).is_ok());
            behaviour::command(dir, Behaviour::Slow(300)).expect("told");
            let began = std::time::Instant::now();
            assert!(echo(PATIENCE).is_ok());
            assert!(began.elapsed() >= Duration::from_millis(300));
            let impatient = Duration::from_millis(1);
            assert_eq!(echo(impatient).err(), Some(Failure::TimedOut));
            behaviour::command(dir, Behaviour::Silent).expect("told");
            assert_eq!(
                echo(Duration::from_millis(50)).err(),
                Some(Failure::TimedOut)
            );
            behaviour::command(dir, Behaviour::Normal).expect("told");
            assert!(echo(PATIENCE).is_ok());
        },
    );
}

#[test]
fn nonsense_ends_its_own_connection_alone() {
    with_token(
        "server::tests::nonsense_ends_its_own_connection_alone",
        |folder, token| {
            let running = start(&token, folder.path());
            let address = running.address;
            let mut client = Client::connect(address).expect("a connection");
            let mut stranger = TcpStream::connect(address).expect("a connection");
            stranger.write_all(&[0xFF; 64]).expect("written");
            let mut rest = Vec::new();
            // The server may reset a connection whose bytes it did not read.
            let _ = stranger.read_to_end(&mut rest);
            assert!(rest.is_empty());
            let spec = KeySpec {
                usage: KeyUsage::PinEncryption,
                algorithm: KeyAlgorithm::Aes,
                bits: 256,
                mode: KeyMode::EncryptAndDecrypt,
                export: KeyExport::Trusted,
            };
            let made = client.ask(&Request::GenerateKey(spec), PATIENCE);
            assert!(matches!(made, Ok(Ok(Response::GenerateKey(_)))), "{made:?}");
        },
    );
}

#[test]
fn it_listens_to_this_machine_alone_and_one_runs_on_a_folder() {
    with_token(
        "server::tests::it_listens_to_this_machine_alone_and_one_runs_on_a_folder",
        |folder, token| {
            let listen = |address: &str| {
                let address = address.parse().expect("an address");
                Server::listen(token.clone(), folder.path(), address, Behaviour::Normal)
            };
            let outside = listen("0.0.0.0:0").expect_err("not loopback");
            assert_eq!(outside.kind(), io::ErrorKind::InvalidInput);
            let first = listen(HERE).expect("a server");
            let second = listen(HERE).expect_err("the folder is taken");
            assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
            drop(first);
        },
    );
}

#[test]
fn one_connection_too_many_is_closed() {
    with_token(
        "server::tests::one_connection_too_many_is_closed",
        |folder, token| {
            let running = start(&token, folder.path());
            let address = running.address;
            let connect = || Client::connect(address);
            let clients: Vec<Client> = (0..CONNECTIONS_MAX)
                .map(|_| connect().expect("a connection"))
                .collect();
            assert!(matches!(
                connect(),
                Err(ClientError::Down(_) | ClientError::Socket(_))
            ));
            drop(clients);
        },
    );
}
