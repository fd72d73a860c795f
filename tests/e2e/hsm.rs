//! The simulated HSM as a process: its ceremony, its answers over loopback, its misbehaviour, and what it never writes.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use torap_hsm::{
    Failure, KeyRef, MacMethod, Pan, PinFormat, PinSource, PinTarget, Request, Response, Status,
    Verdict,
};
use torap_hsm_sim::{
    Pin,
    behaviour::DIED,
    client::Client,
    key_file::{BankKeyFile, SwitchKeyFile},
    soft::BankKeys,
};

use crate::program::{program, stderr};

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const PAN: &str = "9999500000000004";
const PIN: &str = "904317";

/// A running `torap hsm-sim`, ended with the test; everything it says goes into a file.
struct Hsm {
    child: Child,
    address: SocketAddr,
    told: PathBuf,
}

impl Hsm {
    fn start(dir: &Path) -> Hsm {
        let told = dir.join("told");
        let mut child = Command::new(program())
            .args(["--dir", &dir.display().to_string(), "--end-with-parent"])
            .args(["hsm-sim", "--listen", "127.0.0.1:0"])
            .env("TORAP_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(File::create(&told).expect("a file"))
            .spawn()
            .expect("torap runs");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on ");
        let address = address.and_then(|address| address.parse().ok());
        let address = address
            .unwrap_or_else(|| panic!("{line}{}", fs::read_to_string(&told).unwrap_or_default()));
        Hsm {
            child,
            address,
            told,
        }
    }
}

impl Drop for Hsm {
    fn drop(&mut self) {
        // It may have died already, as it was told to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn torap_in(dir: &Path, arguments: &[&str]) {
    let output = Command::new(program())
        .arg("--dir")
        .arg(dir)
        .args(arguments)
        .output()
        .expect("torap runs");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
}

fn keys(dir: &Path, code: &str) -> (torap_hsm_sim::key_file::ParticipantKeys, BankKeys) {
    let text = |name: &str| fs::read_to_string(dir.join("hsm/keys").join(name)).expect("key file");
    let switch = SwitchKeyFile::parse(&text("switch.toml")).expect("a key file");
    let bank = BankKeyFile::parse(&text(&format!("{code}.toml"))).expect("a key file");
    let bank = BankKeys::open(&bank, [1; 32]).expect("the bank's keys");
    (switch.participant(code).expect("its keys").clone(), bank)
}

fn key(entry: &torap_hsm_sim::key_file::KeyEntry) -> KeyRef {
    KeyRef::parse(&entry.block).expect("a key block")
}

#[test]
fn a_pin_and_a_mac_pass_between_two_banks_and_nothing_of_them_is_written() {
    let dir = TempDir::new().expect("a temporary folder");
    let dir = dir.path();
    torap_in(dir, &["hsm-sim", "keys", "--participant", "CASP", "HSBK"]);
    let hsm = Hsm::start(dir);
    let (from, acquirer) = keys(dir, "CASP");
    let (to, issuer) = keys(dir, "HSBK");
    let mut client = Client::connect(hsm.address).expect("a connection");
    let pan = Pan::parse(PAN.as_bytes()).expect("a PAN");
    let pin = Pin::new(PIN.as_bytes()).expect("a PIN");
    let (from_key, to_key) = (key(&from.zpk), key(&to.zpk));
    let block = acquirer
        .encrypt_pin(PinFormat::Iso0, &pin, pan)
        .expect("a block");
    let translate = |to_format| Request::TranslatePin {
        from: PinSource {
            key: from_key.block(),
            format: PinFormat::Iso0,
            block: block.clone(),
        },
        to: PinTarget {
            key: to_key.block(),
            format: to_format,
        },
        pan,
    };
    let mut ask = |request: &Request<'_>| client.ask(request, PATIENCE).expect("up");
    match ask(&translate(PinFormat::Iso3)) {
        Ok(Response::TranslatePin(block)) => {
            let read = issuer.decrypt_pin(PinFormat::Iso3, &block, pan);
            assert!(read.expect("a PIN").is(&pin));
        }
        other => panic!("{other:?}"),
    }
    let refused = Failure::Refused(Status::TranslationForbidden);
    assert_eq!(ask(&translate(PinFormat::Iso1)).err(), Some(refused));
    let data = format!("0200{PAN}");
    let mac = acquirer
        .mac(MacMethod::AesCmac, data.as_bytes())
        .expect("a MAC");
    let zak = key(&from.zak);
    let answer = ask(&Request::VerifyMac {
        key: zak.block(),
        method: MacMethod::AesCmac,
        data: data.as_bytes(),
        mac,
    });
    assert!(matches!(answer, Ok(Response::VerifyMac(Verdict::Right))));

    // Whatever it has written, logs at their loudest included: no card number, no PIN block, no key, in any spelling.
    let bank_text = fs::read_to_string(dir.join("hsm/keys/CASP.toml")).expect("key file");
    let zmk = bank_text
        .lines()
        .find_map(|line| line.strip_prefix("zmk = "))
        .expect("the zone master key")
        .trim_matches('"')
        .to_owned();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let secrets = [
        PAN.to_owned(),
        PIN.to_owned(),
        zmk.clone(),
        zmk.to_lowercase(),
        hex(block.as_bytes()),
        hex(mac.as_bytes()),
    ];
    let banks: Vec<PathBuf> = ["CASP", "HSBK"]
        .map(|code| dir.join(format!("hsm/keys/{code}.toml")))
        .into();
    let mut files = 0;
    for path in files_below(dir) {
        // A bank's own file holds its zone master key: that is what it is for.
        if banks.contains(&path) {
            continue;
        }
        files += 1;
        let bytes = fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{}", path.display());
        }
        let raw_zmk: Vec<u8> = (0..zmk.len() / 2)
            .map(|at| u8::from_str_radix(&zmk[2 * at..2 * at + 2], 16).expect("hexadecimal"))
            .collect();
        let found = bytes.windows(raw_zmk.len()).any(|part| part == raw_zmk);
        assert!(!found, "{}", path.display());
    }
    assert!(files >= 5, "{files} files");
    assert!(hsm.told.is_file());
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("its kind");
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files
}

#[test]
fn the_hsm_is_slow_silent_or_dead_on_command_and_keeps_its_keys() {
    let dir = TempDir::new().expect("a temporary folder");
    let dir = dir.path();
    torap_in(dir, &["hsm-sim", "keys", "--participant", "CASP"]);
    let mut hsm = Hsm::start(dir);
    let mut client = Client::connect(hsm.address).expect("a connection");
    let mut echo = |timeout| client.ask(&Request::Echo(b"x"), timeout);
    assert!(matches!(echo(PATIENCE), Ok(Ok(_))));
    torap_in(dir, &["hsm-sim", "behave", "slow:200"]);
    assert!(matches!(echo(PATIENCE), Ok(Ok(_))));
    let impatient = Duration::from_millis(20);
    assert!(matches!(echo(impatient), Ok(Err(Failure::TimedOut))));
    torap_in(dir, &["hsm-sim", "behave", "silent"]);
    assert!(matches!(echo(impatient), Ok(Err(Failure::TimedOut))));
    torap_in(dir, &["hsm-sim", "behave", "normal"]);
    assert!(matches!(echo(PATIENCE), Ok(Ok(_))));
    torap_in(dir, &["hsm-sim", "behave", "die"]);
    let status = hsm.child.wait().expect("its end");
    assert_eq!(status.code(), Some(DIED.into()));
    assert!(matches!(
        echo(PATIENCE),
        Ok(Err(Failure::LinkLost)) | Err(_)
    ));

    // Another process on the same folder has the same master key.
    let hsm = Hsm::start(dir);
    let mut client = Client::connect(hsm.address).expect("a connection");
    let (keys, _) = keys(dir, "CASP");
    let zpk = key(&keys.zpk);
    match client.ask(&Request::CheckKey(zpk.block()), PATIENCE) {
        Ok(Ok(Response::CheckKey(value))) => {
            assert_eq!(value.to_string(), keys.zpk.check_value);
        }
        other => panic!("{other:?}"),
    }
}
