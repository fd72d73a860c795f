//! What an HSM's work costs: in the token, in memory, and through the socket. `cargo bench -p torap-hsm-sim`.

use std::hint::black_box;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{BenchmarkId, Criterion, Throughput};
use torap_hsm::wire::encode_request;
use torap_hsm::{
    KeyRef, Mac, MacMethod, Padding, Pan, PinBlock, PinFormat, PinSource, PinTarget, Request,
};
use torap_hsm_sim::behaviour::Behaviour;
use torap_hsm_sim::ceremony::{self, KeyKinds};
use torap_hsm_sim::client::Client;
use torap_hsm_sim::key_file::ParticipantKeys;
use torap_hsm_sim::server::Server;
use torap_hsm_sim::soft::{BankKeys, SoftVault};
use torap_hsm_sim::token::{CONFIGURATION_VARIABLE, Token, TokenFolder};
use torap_hsm_sim::{Cipher, Machine, Pin, Vault, host};

/// Set in the process that has the token library's environment.
const FOLDER_VARIABLE: &str = "TORAP_BENCH_TOKEN";
const PAN: &[u8] = b"9999500000000004";
/// A card message of the usual size.
const MESSAGE: &[u8] = &[0x30; 400];
/// Requests that come together.
const TOGETHER: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    let Some(dir) = std::env::var_os(FOLDER_VARIABLE) else {
        return in_a_process_of_its_own();
    };
    let folder = TokenFolder::prepare(dir.as_ref()).expect("a folder");
    let token = Token::open(&folder).expect("a token");
    let machine = |token: &Token| Machine::new(token.vault().expect("a vault")).expect("a machine");
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(3))
        .warm_up_time(Duration::from_millis(500))
        .configure_from_args();
    bench_machine(&mut criterion, "token", &mut machine(&token));
    let vault = SoftVault::with_master(&[7; 32], [1; 32]).expect("a vault");
    bench_machine(
        &mut criterion,
        "memory",
        &mut Machine::new(vault).expect("a machine"),
    );
    bench_socket(&mut criterion, &token, folder.path(), &mut machine(&token));
    criterion.final_summary();
}

/// The token library reads its environment once a process.
fn in_a_process_of_its_own() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let folder = TokenFolder::prepare(dir.path()).expect("a folder");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .arg0("hsm")
        .args(std::env::args_os().skip(1))
        .env(FOLDER_VARIABLE, dir.path())
        .env(CONFIGURATION_VARIABLE, folder.configuration());
    let status = command.status().expect("this program runs");
    assert!(status.success());
}

/// Two zones, each with its keys, and what a bank sends.
struct World {
    tdes: Zone,
    aes: Zone,
}

struct Zone {
    zpk: KeyRef,
    zak: KeyRef,
    pvk: KeyRef,
    block: PinBlock,
    mac: Mac,
    bank: BankKeys,
}

impl World {
    fn new<V: Vault>(machine: &mut Machine<V>) -> World {
        let mut zone = |cipher, mac, format, method| {
            let kinds = KeyKinds {
                zone_master: Cipher::Aes,
                pin: cipher,
                mac,
            };
            let (keys, bank) = ceremony::make_keys(machine, "CASP", kinds).expect("keys");
            let bank = BankKeys::open(&bank, [2; 32]).expect("the bank's keys");
            Zone::new(&keys, bank, format, method)
        };
        let algorithm_3 = MacMethod::Algorithm3(Padding::Method2);
        World {
            tdes: zone(Cipher::Tdes, Cipher::Tdes, PinFormat::Iso0, algorithm_3),
            aes: zone(
                Cipher::Aes,
                Cipher::Aes,
                PinFormat::Iso4,
                MacMethod::AesCmac,
            ),
        }
    }
}

impl Zone {
    fn new(keys: &ParticipantKeys, bank: BankKeys, format: PinFormat, method: MacMethod) -> Zone {
        let key = |block: &str| KeyRef::parse(block).expect("a key block");
        Zone {
            zpk: key(&keys.zpk.block),
            zak: key(&keys.zak.block),
            pvk: key(&keys.pvk.as_ref().expect("a key").block),
            block: bank.encrypt_pin(format, &pin(), pan()).expect("a block"),
            mac: bank.mac(method, MESSAGE).expect("a MAC"),
            bank,
        }
    }

    fn source(&self) -> PinSource<'_> {
        PinSource {
            key: self.zpk.block(),
            format: self.bank.pin_format(),
            block: self.block.clone(),
        }
    }

    fn target(&self) -> PinTarget<'_> {
        PinTarget {
            key: self.zpk.block(),
            format: self.bank.pin_format(),
        }
    }

    fn verify(&self, method: MacMethod) -> Request<'_> {
        Request::VerifyMac {
            key: self.zak.block(),
            method,
            data: MESSAGE,
            mac: self.mac,
        }
    }
}

fn pan() -> Pan<'static> {
    Pan::parse(PAN).expect("a PAN")
}

fn pin() -> Pin {
    Pin::new(b"904317").expect("a PIN")
}

fn translation<'a>(from: &'a Zone, to: &'a Zone) -> Request<'a> {
    Request::TranslatePin {
        from: from.source(),
        to: to.target(),
        pan: pan(),
    }
}

fn bench_machine<V: Vault>(criterion: &mut Criterion, name: &str, machine: &mut Machine<V>) {
    let world = World::new(machine);
    let World { tdes, aes } = &world;
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    for (what, request) in [
        ("translate 0 to 0", translation(tdes, tdes)),
        ("translate 0 to 4", translation(tdes, aes)),
        ("translate 4 to 4", translation(aes, aes)),
        (
            "verify PIN",
            Request::VerifyPin {
                from: tdes.source(),
                pan: pan(),
                pvk: tdes.pvk.block(),
                pvv: tdes.bank.pvv(1, pan(), &pin()).expect("a value"),
            },
        ),
        (
            "verify algorithm 3, 400 bytes",
            tdes.verify(MacMethod::Algorithm3(Padding::Method2)),
        ),
        ("verify CMAC, 400 bytes", aes.verify(MacMethod::AesCmac)),
        ("check a key", Request::CheckKey(tdes.zpk.block())),
    ] {
        group.bench_function(what, |bencher| {
            bencher.iter(|| machine.execute(black_box(&request)).expect("done"));
        });
    }
    // As a connection does it: frames in, frames out, what came together at once.
    for (what, request) in [
        ("translate 0 to 0", translation(tdes, tdes)),
        ("verify CMAC, 400 bytes", aes.verify(MacMethod::AesCmac)),
    ] {
        let mut frames = BytesMut::new();
        for correlation in 0..TOGETHER {
            encode_request(&request, correlation, &mut frames).expect("within the limits");
        }
        group.throughput(Throughput::Elements(TOGETHER));
        group.bench_function(BenchmarkId::new("frames", what), |bencher| {
            let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
            bencher.iter(|| {
                input.extend_from_slice(&frames);
                output.clear();
                host::serve(machine, &mut input, &mut output, |_| {}).expect("requests")
            });
        });
    }
    group.finish();
}

fn bench_socket<V: Vault>(
    criterion: &mut Criterion,
    token: &Token,
    dir: &Path,
    machine: &mut Machine<V>,
) {
    let world = World::new(machine);
    let address = "127.0.0.1:0".parse().expect("an address");
    let server = Server::listen(token.clone(), dir, address, Behaviour::Normal);
    let server = server.expect("a server");
    let address = server.address().expect("its address");
    std::thread::spawn(move || server.run());
    let mut client = Client::connect(address).expect("a connection");
    let request = translation(&world.tdes, &world.tdes);
    let mut group = criterion.benchmark_group("socket");
    for together in [1, TOGETHER] {
        group.throughput(Throughput::Elements(together));
        group.bench_function(BenchmarkId::new("translate 0 to 0", together), |bencher| {
            bencher.iter(|| {
                for _ in 0..together {
                    client.send(&request, PATIENCE).expect("taken");
                }
                for _ in 0..together {
                    client.wait().expect("an answer").outcome.expect("done");
                }
            });
        });
    }
    group.finish();
}
