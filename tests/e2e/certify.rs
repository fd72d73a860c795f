//! The certification bench and a simulated host as two processes, of either rail, every frame over a socket.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Lines, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{program, stderr, stdout, torap};

/// Ends with the test, whatever happens to it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn torap_in(dir: &Path) -> Command {
    let mut command = Command::new(program());
    command.arg("--end-with-parent").arg("--dir").arg(dir);
    command
}

/// The bench, and its lines; the first one says where it listens.
struct Bench {
    process: Ended,
    lines: Lines<BufReader<ChildStdout>>,
    told: PathBuf,
}

impl Bench {
    fn start(dir: &Path, arguments: &[&str]) -> (Bench, String) {
        let told = dir.join("told");
        let mut process = torap_in(dir)
            .args(["certify", "--participant", "HSBK", "--simulated"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(File::create(&told).expect("a file"))
            .spawn()
            .map(Ended)
            .expect("torap runs");
        let lines = BufReader::new(process.0.stdout.take().expect("its output")).lines();
        let mut bench = Bench {
            process,
            lines,
            told,
        };
        let first = bench.next();
        let address = first.strip_prefix("listening on ");
        let address = address.unwrap_or_else(|| panic!("{first}"));
        (bench, address.into())
    }

    fn next(&mut self) -> String {
        self.lines.next().and_then(Result::ok).unwrap_or_default()
    }

    /// Its status, the report's name, and what it told.
    fn end(mut self) -> (Option<i32>, String, String) {
        let report = self.next();
        let status = self.process.0.wait().expect("it ends");
        let told = fs::read_to_string(&self.told).expect("its progress");
        (status.code(), report, told)
    }
}

/// The participant's data with its side of the keys, as it would fill it in.
fn write_data(dir: &Path) -> String {
    let made = torap_in(dir)
        .args(["hsm-sim", "keys", "--participant", "HSBK"])
        .output()
        .expect("torap runs");
    assert!(made.status.success(), "{}", stderr(&made));
    let pattern = "certify data --participant HSBK --institution 601 --prefix 93986010";
    let pattern = torap(&pattern.split(' ').collect::<Vec<_>>());
    let data = stdout(&pattern).replace("mac = false", "mac = true");
    let data = format!("keys = \"../hsm/keys/HSBK.toml\"\n{data}");
    fs::create_dir(dir.join("certify")).expect("a folder");
    fs::write(dir.join("certify/HSBK.toml"), &data).expect("a file");
    data
}

#[test]
fn a_simulated_host_is_certified_and_a_changed_report_is_found_out() {
    let dir = TempDir::new().expect("temporary folder");
    let data = write_data(dir.path());
    // The host's own clocks are tested without sockets.
    let arguments = ["--skip-slow", "--framing", "ascii-4", "--tpdu"];
    let (bench, address) = Bench::start(dir.path(), &arguments);
    let _host = torap_in(dir.path())
        .args(["bank", "card", "run", "HSBK", "--card", &address])
        .args(["--institution", "601", "--prefix", "93986010", "--mac"])
        .args(["--framing", "ascii-4", "--tpdu", "--links", "2"])
        .stderr(Stdio::null())
        .spawn()
        .map(Ended)
        .expect("torap runs");
    let (status, report, told) = bench.end();
    assert_eq!(status, Some(0), "{told}");

    let verified = torap(&["certify", "verify", &report]);
    assert!(verified.status.success(), "{}", stdout(&verified));
    let text = fs::read_to_string(&report).expect("the report");
    let page = Path::new(&report).with_extension("html");
    let page = fs::read_to_string(page).expect("the page");
    let cards = data.lines().filter(|line| line.contains("pan = "));
    for card in cards.filter_map(|line| line.split('"').nth(1)) {
        assert!(!text.contains(card) && !page.contains(card));
    }
    let forged = dir.path().join("forged.json");
    let changed = text.replacen("\"verdict\": \"left-out\"", "\"verdict\": \"passed\"", 1);
    assert_ne!(changed, text);
    fs::write(&forged, changed).expect("a file");
    let verified = torap(&["certify", "verify", &forged.display().to_string()]);
    assert_eq!(verified.status.code(), Some(1), "{}", stdout(&verified));
}

/// Data and secret of a bank on the instant rail, and the bank, which may be scripted from the start.
fn write_instant_data(dir: &Path) -> String {
    let data = torap(&[
        "certify",
        "data",
        "--rail",
        "instant",
        "--participant",
        "HSBK",
        "--bic",
        "HSBKKZKX",
        "--bank-code",
        "601",
    ]);
    let data = stdout(&data);
    fs::create_dir(dir.join("certify")).expect("a folder");
    fs::write(dir.join("certify/HSBK-instant.toml"), &data).expect("a file");
    fs::create_dir_all(dir.join("secrets")).expect("a folder");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut secret = options
        .open(dir.join("secrets/HSBK.secret"))
        .expect("a file");
    secret
        .write_all("5a".repeat(32).as_bytes())
        .expect("written");
    data
}

fn start_bank(dir: &Path, address: &str, behave: &[&str]) -> Ended {
    torap_in(dir)
        .args([
            "bank",
            "run",
            "HSBK",
            "--bic",
            "HSBKKZKX",
            "--bank-code",
            "601",
        ])
        .args(["--switch", address, "--mode", "test"])
        .args(behave.iter().flat_map(|behave| ["--behave", behave]))
        .stderr(Stdio::null())
        .spawn()
        .map(Ended)
        .expect("torap runs")
}

#[test]
fn a_simulated_bank_is_certified_on_the_instant_rail() {
    let dir = TempDir::new().expect("temporary folder");
    let data = write_instant_data(dir.path());
    let (bench, address) = Bench::start(dir.path(), &["--rail", "instant"]);
    let bank = start_bank(dir.path(), &address, &[]);
    let (status, report, told) = bench.end();
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains(" passed, 0 failed, 0 left out"), "{told}");
    let text = fs::read_to_string(&report).expect("the report");
    for line in data
        .lines()
        .filter(|line| line.starts_with(['i', 'n', 'p']))
    {
        let value = line.split('"').nth(1).unwrap_or_default();
        let names_a_customer = ["iban = ", "name = ", "person = ", "phone = "];
        if names_a_customer.iter().any(|key| line.starts_with(key)) {
            assert!(!text.contains(value), "{line}");
        }
    }
    let verified = torap(&["certify", "verify", &report]);
    assert!(verified.status.success(), "{}", stdout(&verified));

    // The bank goes on with its stream; so does the bench.
    let only = ["--rail", "instant", "--only", "L-01", "--only", "S-01"];
    let listen = [&only[..], &["--listen", &address]].concat();
    let (bench, _) = Bench::start(dir.path(), &listen);
    let (status, _, told) = bench.end();
    assert_eq!(status, Some(0), "{told}");
    drop(bank);
}

#[test]
fn a_wrong_bank_fails_the_cases_that_show_it_and_no_others() {
    let dir = TempDir::new().expect("temporary folder");
    write_instant_data(dir.path());
    let cases = ["R-01", "R-04", "R-05"].map(|case| ["--only", case]);
    let arguments = [&["--rail", "instant"][..], &cases.concat()].concat();
    let (bench, address) = Bench::start(dir.path(), &arguments);
    let _bank = start_bank(dir.path(), &address, &["wrong-id", "garbage"]);
    let (status, report, told) = bench.end();
    assert_eq!(status, Some(1), "{told}");
    let report: Value = serde_json::from_str(&fs::read_to_string(report).expect("the report"))
        .expect("the report is JSON");
    let cases = report["report"]["cases"].as_array().expect("its cases");
    let verdicts: Vec<(&str, &str)> = cases
        .iter()
        .map(|case| {
            let text = |key: &str| case[key].as_str().unwrap_or_default();
            (text("id"), text("verdict"))
        })
        .collect();
    let expected = [("R-01", "failed"), ("R-04", "failed"), ("R-05", "passed")];
    assert_eq!(verdicts, expected, "{told}");
    assert!(told.contains("TxId is `"), "{told}");
}
