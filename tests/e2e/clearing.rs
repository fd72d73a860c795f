//! The clearing system as the operator uses it: files that stream in pieces, a crash between, a session, its report.

use std::fmt::Write as _;

use serde_json::Value;
use torap_domain::{BankCode, Date, Iban, IinBin, Time};

use crate::program::{lab, stderr, stdout, torap};

/// `torap ctl --json` in a folder.
struct Operator {
    dir: String,
}

impl Operator {
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut arguments = vec!["--dir", &self.dir, "ctl", "--json", "--reference", "T-1"];
        arguments.extend_from_slice(words);
        let output = torap(&arguments);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        (output.status.code(), text)
    }

    fn ok(&self, words: &[&str]) -> Value {
        let (code, text) = self.run(words);
        assert_eq!(code, Some(0), "{words:?}: {text}");
        let last = text.trim_end().lines().last().expect("an answer");
        serde_json::from_str(last).expect("JSON")
    }

    fn clearing(&self, words: &[&str]) -> Value {
        self.ok(&[&["clearing"], words].concat())
    }
}

/// The date of now, UTC+5.
fn today() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now = u64::try_from(now.as_nanos()).expect("a clock before 2554");
    Date::from_time(Time::from_nanos(now)).to_string()
}

fn account(bank: u16) -> String {
    let bank = BankCode::from_value(bank).expect("a bank code");
    let iban = Iban::for_kz(bank, "0000000000001").expect("an IBAN");
    iban.as_str().to_owned()
}

/// A line of a file: an item from Kaspi to Halyk.
fn line(number: u32, amount: &str, date: &str) -> String {
    let person = (90_010_100_010..)
        .find_map(IinBin::with_check)
        .expect("an IIN");
    format!(
        "TX-{number},00000000-0000-4000-8000-{number:012},E2E,{amount},{date},,{},{person},Ертай,19,{},{person},Айгүл,17,911,\
         налог, за ноябрь\n",
        account(722),
        account(601),
    )
}

#[test]
fn a_file_streams_in_pieces_also_after_a_crash_and_a_session_settles_it() {
    let (dir, mut lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    // Today's session, whatever day it is, which does not close by itself meanwhile.
    let today = today();
    operator.clearing(&["set", "--closes-at", "23:59", "--worked", &today]);
    let session = operator.clearing(&["session"])["session"].clone();
    let session = session.as_str().expect("an open session").to_owned();
    let date = session.split('/').next().expect("a date");
    operator.ok(&["rtgs", "fund", "CASP", "600.00"]);

    // 600 items of one tenge, one of them of nothing, and one more than there are funds for.
    let mut text = String::new();
    for number in 1..=601 {
        let amount = if number == 300 { "0.00" } else { "1.00" };
        text.push_str(&line(number, amount, date));
    }
    let whole = dir.path().join("whole.csv");
    std::fs::write(&whole, &text).expect("written");
    // The first submission breaks off at a line that is no item, after one whole piece.
    let broken = dir.path().join("broken.csv");
    let cut: String = text.lines().take(400).fold(String::new(), |mut cut, line| {
        let _ = writeln!(cut, "{line}");
        cut
    });
    std::fs::write(&broken, cut + "no item\n").expect("written");
    let (broken, whole) = (broken.to_string_lossy(), whole.to_string_lossy());
    let submit =
        |file: &str| operator.run(&["clearing", "submit", "CASP", file, "--file-id", "TAXES-1"]);
    let (code, said) = submit(&broken);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("broken.csv:401: 16 fields are needed"),
        "{said}"
    );
    let file = operator.clearing(&["file", "CASP", "TAXES-1"]);
    assert_eq!(
        (&file["next_piece"], &file["accepted"]),
        (&2.into(), &256.into())
    );

    lab.kill_switch().expect("killed");
    lab.start_switch().expect("started");
    lab.wait_for_links().expect("signed on");

    // It goes on with the second piece; the item of nothing is refused by its line, and the rest is taken.
    let (code, said) = submit(&whole);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(r#""line":300"#) && said.contains("amount-zero"),
        "{said}"
    );
    let file = operator.clearing(&["file", "CASP", "TAXES-1"]);
    assert_eq!(
        (&file["accepted"], &file["complete"]),
        (&600.into(), &true.into())
    );
    // Once more, nothing is taken.
    submit(&whole);
    let waiting = operator.clearing(&["session"]);
    assert_eq!(waiting["items_known"], 600);
    assert_eq!(waiting["if_it_closed_now"][0]["net"], "-600.00");

    let withdrawn = "00000000-0000-4000-8000-000000000002";
    operator.clearing(&["withdraw", withdrawn]);
    operator.ok(&["rtgs", "defund", "CASP", "1.50"]);
    let (code, said) = operator.run(&["clearing", "close"]);
    assert_eq!(code, Some(0), "{said}");

    // 599 wait and there are funds for 598: the last one is left out.
    let report = operator.clearing(&["report", &session]);
    let payer = &report["participants"][0];
    assert_eq!(payer["participant"], "CASP");
    assert_eq!(
        (&payer["paid"], &payer["left_out"]),
        (&598.into(), &1.into())
    );
    assert_eq!(payer["net"], "-598.00");
    let stands = |number: u32| {
        let uetr = format!("00000000-0000-4000-8000-{number:012}");
        let item = operator.clearing(&["item", &uetr]);
        (item["status"].to_string(), item["reason"].to_string())
    };
    assert_eq!(stands(1).0, r#""ACSC""#);
    assert_eq!(stands(2).1, r#""item-withdrawn""#);
    assert_eq!(
        stands(601),
        (r#""RJCT""#.into(), r#""insufficient-funds""#.into())
    );
    let status = operator.ok(&["rtgs", "status"]);
    assert_eq!(status["conserved"], true, "{status}");
    let accounts = status["accounts"].as_array().expect("accounts");
    let balance = |code: &str| {
        let row = accounts.iter().find(|row| row["participant"] == code);
        row.expect("an account")["balance"].clone()
    };
    assert_eq!(
        (balance("CASP"), balance("HSBK")),
        ("0.50".into(), "598.00".into())
    );

    // Everything of it replays to the same state.
    lab.kill_switch().expect("killed");
    lab.start_switch().expect("started");
    assert_eq!(operator.clearing(&["report", &session]), report);
}

#[test]
fn what_the_door_does_not_understand_is_named() {
    let (_dir, lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    for (words, place) in [
        (&["set", "--closes-at", "25:00"][..], "closes_at"),
        (&["set", "--closed", "tomorrow"][..], "closed, worked"),
        (&["withdraw", "not-a-uetr"][..], "uetr"),
        (&["report", "2020-01-01/1"][..], "session"),
    ] {
        let (code, text) = operator.run(&[&["clearing"], words].concat());
        assert_eq!(code, Some(1), "{text}");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(answer["refused"]["place"], place);
    }
    let (code, text) = operator.run(&[
        "clearing",
        "set",
        "--closes-at",
        "15:00",
        "--closes-at",
        "10:00",
    ]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("operator-refused"), "{text}");
    let session = operator.clearing(&["session"]);
    assert_eq!(session["session"], Value::Null);
}

#[test]
fn taxes_go_to_the_accounts_of_their_purpose_and_to_no_other() {
    let (dir, mut lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    operator.clearing(&["set", "--closes-at", "23:59"]);
    let session = operator.clearing(&["session"])["session"].clone();
    let date = session.as_str().expect("an open session")[..10].to_owned();
    let file = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_string_lossy().into_owned()
    };
    let table = |knp: &str, account: &str| {
        format!("[[purpose]]\nknp = {knp}\naccounts = [\"{account}\"]\n")
    };

    // What is wrong is named with its row.
    for (text, place) in [
        (table("[\"91\"]", &account(601)), "purpose[0].knp"),
        (table("[\"911\", \"910\"]", &account(601)), "purpose[0].knp"),
        (table("[\"911\"]", "KZ00"), "purpose[0].accounts"),
        (table("[\"911\"]", &account(601)).repeat(2), "purpose"),
    ] {
        let wrong = file("wrong.toml", text);
        let (code, said) = operator.run(&["clearing", "set-purposes", &wrong]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("\"place\":\"{place}\"")), "{said}");
    }

    // Taxes go to another account than that of the lines, but for one of another purpose.
    let treasury = account(965);
    let right = file("right.toml", table("[\"901\", \"999\"]", &treasury));
    operator.clearing(&["set-purposes", &right]);
    lab.kill_switch().expect("killed");
    lab.start_switch().expect("started");
    lab.wait_for_links().expect("signed on");
    let shown = operator.clearing(&["purposes"]);
    assert_eq!(
        shown["purposes"][0]["accounts"],
        treasury.as_str(),
        "{shown}"
    );
    let lines = line(1, "1.00", &date) + &line(2, "1.00", &date).replace(",911,", ",119,");
    let lines = file("lines.csv", lines);
    let (code, said) = operator.run(&["clearing", "submit", "CASP", &lines]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(r#""line":1"#) && said.contains("purpose-account-mismatch"),
        "{said}"
    );
    assert!(said.contains(r#""accepted":1"#), "{said}");

    // Put right, the line is taken.
    let right = file("right.toml", table("[\"901\", \"999\"]", &account(601)));
    operator.clearing(&["set-purposes", &right]);
    let again = ["clearing", "submit", "CASP", &lines, "--file-id", "AGAIN"];
    let (code, said) = operator.run(&again);
    assert_eq!(code, Some(0), "{said}");
}
