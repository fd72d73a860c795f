//! The certification bench and a simulated card host as two processes: zone keys, MACs and PINs, every frame over a socket.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

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
    let told = dir.path().join("told");
    let mut bench = torap_in(dir.path())
        .args(["certify", "--participant", "HSBK", "--simulated"])
        // The host's own clocks are tested without sockets.
        .args(["--skip-slow", "--framing", "ascii-4", "--tpdu"])
        .stdout(Stdio::piped())
        .stderr(File::create(&told).expect("a file"))
        .spawn()
        .map(Ended)
        .expect("torap runs");
    let mut lines = BufReader::new(bench.0.stdout.take().expect("its output")).lines();
    let mut next = || lines.next().and_then(Result::ok).unwrap_or_default();
    let first = next();
    let address = first.strip_prefix("listening on ");
    let address = address.unwrap_or_else(|| panic!("{first}"));
    let _host = torap_in(dir.path())
        .args(["bank", "card", "run", "HSBK", "--card", address])
        .args(["--institution", "601", "--prefix", "93986010", "--mac"])
        .args(["--framing", "ascii-4", "--tpdu", "--links", "2"])
        .stderr(Stdio::null())
        .spawn()
        .map(Ended)
        .expect("torap runs");
    let report = next();
    let status = bench.0.wait().expect("it ends");
    let told = fs::read_to_string(told).expect("its progress");
    assert!(status.success(), "{told}");

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
