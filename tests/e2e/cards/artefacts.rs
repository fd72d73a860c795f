//! What a run leaves behind holds no card number, PIN, PIN block, track or key: journal (not even encrypted here), index, snapshots,
//! logs at the finest level, metrics, and no core dump.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
};

use torap_bank::card::{Order, PinUse, TestCard};
use torap_node::control::Request as ControlRequest;

use super::lab::{CardLab, FOREIGN, Keys, LOCAL, purchase};

/// Their middle digits are no zeros, as which those of a truncated number are written.
const CARDS: [(&str, u32); 3] = [(LOCAL, 1), (LOCAL, 2), (FOREIGN, 4)];

/// What must never be found, in every form in which it might stand.
fn forbidden(lab: &CardLab) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (prefix, number) in CARDS {
        let card = TestCard::new(prefix, number).expect("a card");
        let pan = card.pan();
        all.push((format!("PAN {prefix}:{number}"), pan.into()));
        let packed: Vec<u8> = (0..pan.len() / 2)
            .filter_map(|place| u8::from_str_radix(pan.get(2 * place..2 * place + 2)?, 16).ok())
            .collect();
        all.push((format!("packed PAN {prefix}:{number}"), packed));
        all.push((
            format!("track 2 of {prefix}:{number}"),
            card.track2().into(),
        ));
    }
    // Zone keys in clear: the banks' side of the ceremony has the zone master keys, which stay in that folder.
    for code in ["ACQB", "ISSB"] {
        let path = lab.path().join(format!("hsm/keys/{code}.toml"));
        let text = fs::read_to_string(path).expect("key file");
        let zmk = text
            .lines()
            .find_map(|line| line.strip_prefix("zmk = \""))
            .and_then(|rest| rest.strip_suffix('"'))
            .expect("a key");
        all.push((format!("zone master key of {code}"), zmk.into()));
        let clear: Vec<u8> = (0..zmk.len() / 2)
            .filter_map(|place| u8::from_str_radix(zmk.get(2 * place..2 * place + 2)?, 16).ok())
            .collect();
        all.push((format!("zone master key of {code}, bytes"), clear));
    }
    all
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folder").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            // The laboratory's HSM and its key files are where keys belong.
            if path.file_name().is_none_or(|name| name != "hsm") {
                files(&path, found);
            }
        } else if path.is_file() {
            found.push(path);
        }
    }
}

fn metrics(lab: &CardLab) -> Vec<u8> {
    let ready = lab.ready["metrics"]
        .as_str()
        .expect("an address")
        .to_string();
    let mut stream = TcpStream::connect(ready).expect("metrics");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .expect("a request");
    let mut text = Vec::new();
    stream.read_to_end(&mut text).expect("an answer");
    text
}

#[test]
fn nothing_of_a_card_is_left_behind() {
    let mut lab = CardLab::start(Keys::Macs);
    let stripe = Order {
        entry: Some("stripe".into()),
        pin: PinUse::Right,
        ..purchase(CARDS[1].1, "100.00")
    };
    assert_eq!(lab.transact(stripe).1, "00");
    let wrong = Order {
        service: "cash".into(),
        channel: "atm".into(),
        entry: None,
        pin: PinUse::Wrong,
        ..purchase(CARDS[0].1, "101.00")
    };
    assert_eq!(lab.transact(wrong).1, "55");
    let web = Order {
        prefix: FOREIGN.into(),
        channel: "web".into(),
        entry: None,
        ..purchase(CARDS[2].1, "102.00")
    };
    assert_eq!(lab.transact(web).1, "00");
    lab.behave("ISSB", "silent", 1);
    let (reference, _) = lab.transact(purchase(CARDS[0].1, "103.00"));
    lab.hears("ISSB", "0220", &reference);
    lab.client()
        .must(&ControlRequest::Snapshot)
        .expect("a snapshot");
    let metrics = metrics(&lab);
    let text = String::from_utf8_lossy(&metrics);
    for name in [
        "torap_card_messages_received_total",
        "torap_journal_records_total",
        "torap_journal_segments_ready",
        "torap_journal_segments_late_total 0",
        "torap_journal_preparations_failed_total 0",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }

    // A crash dumps nothing.
    let pid = lab.switch.as_ref().expect("a switch").pid;
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("a limit");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    lab.switch.take().expect("a switch").kill();

    let mut paths = Vec::new();
    files(lab.path(), &mut paths);
    assert!(
        paths
            .iter()
            .any(|path| path.starts_with(lab.path().join("data/journal"))),
        "{paths:?}"
    );
    let mut artefacts: Vec<(String, Vec<u8>)> = paths
        .iter()
        .map(|path| (path.display().to_string(), fs::read(path).expect("a file")))
        .collect();
    artefacts.push(("metrics".into(), metrics));
    for (what, needle) in forbidden(&lab) {
        assert!(needle.len() >= 8, "{what} is long enough to be looked for");
        for (name, bytes) in &artefacts {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{what} stands in {name}");
        }
    }
}
