//! Batches on the instant rail: a file of salaries, a crash of the switch in between, and what became of every line.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use serde_json::Value;
use torap_domain::{BankCode, Iban, IinBin};
use torap_node::demo::customer_of;

use crate::program::{lab, stderr, stdout, torap};

const WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

struct Operator {
    dir: String,
}

impl Operator {
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut arguments = vec!["--dir", &self.dir, "ctl", "--json", "--reference", "PAY-11"];
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

    fn position(&self, code: &str) -> String {
        let positions = self.ok(&["positions"]);
        let rows = positions["positions"].as_array().expect("positions");
        let row = rows.iter().find(|row| row["participant"] == code);
        row.unwrap_or_else(|| panic!("{positions}"))["balance"].to_string()
    }

    /// What became of a file once no line of it is under way.
    fn finished(&self, file: &str) -> Value {
        let deadline = Instant::now() + WITHIN;
        loop {
            let value = self.ok(&["mass", "file", "CASP", file, "--lines"]);
            if value["under_way"] == 0 && value["waiting"] == 0 {
                return value;
            }
            assert!(Instant::now() < deadline, "{value}");
            std::thread::sleep(POLL);
        }
    }
}

/// A salary from a company at Kaspi to a customer of Halyk.
fn line(number: u32, amount: &str) -> String {
    let company = (90_040_000_010..)
        .find_map(IinBin::with_check)
        .expect("a BIN");
    let bank = BankCode::from_value(722).expect("a bank code");
    let account = Iban::for_kz(bank, "0000000000077").expect("an IBAN");
    let payee = customer_of("HSBK", number % 50 + 1).expect("a customer");
    format!(
        "SAL-{number},00000000-0000-4000-8000-{number:012},NOTPROVIDED,{amount},{},{company},ТОО Жұмыс,17,{},{},{},19,311,\
         зарплата, ноябрь\n",
        account.as_str(),
        payee.iban.as_str(),
        payee.person,
        payee.name,
    )
}

#[test]
fn a_file_of_salaries_is_paid_line_by_line_also_after_a_crash() {
    let (dir, mut lab) = lab();
    lab.wait_for_links().expect("signed on");
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    // A company pays more often than a person.
    operator.ok(&[
        "limits",
        "set",
        "c2c-account",
        "--participant",
        "CASP",
        "--payment-max",
        "5000000.00",
    ]);
    let before = operator.position("CASP");
    // 600 lines of one tenge; one is above every limit.
    let mut text = String::new();
    for number in 1..=600 {
        let amount = if number == 300 {
            "900000000000.00"
        } else {
            "1.00"
        };
        text.push_str(&line(number, amount));
    }
    let whole = dir.path().join("salaries.csv");
    std::fs::write(&whole, &text).expect("written");
    let broken = dir.path().join("broken.csv");
    let cut = text.lines().take(400).fold(String::new(), |mut cut, line| {
        let _ = writeln!(cut, "{line}");
        cut
    });
    std::fs::write(&broken, cut + "no line\n").expect("written");
    let submit = |file: &std::path::Path| {
        let file = file.to_string_lossy().into_owned();
        operator.run(&["mass", "submit", "CASP", &file, "--file-id", "SALARY-11"])
    };
    // It breaks off at a line that is none, after one whole piece.
    let (code, said) = submit(&broken);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("broken.csv:401: 14 fields are needed"),
        "{said}"
    );
    let file = operator.ok(&["mass", "file", "CASP", "SALARY-11"]);
    assert_eq!(
        (&file["next_piece"], &file["lines"]),
        (&2.into(), &256.into())
    );

    lab.kill_switch().expect("killed");
    lab.start_switch().expect("started");
    lab.wait_for_links().expect("signed on");

    let (code, said) = submit(&whole);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(r#""line":300"#), "{said}");
    let done = operator.finished("SALARY-11");
    assert_eq!(
        (&done["lines"], &done["complete"], &done["not_paid"]),
        (&600.into(), &true.into(), &0.into()),
        "{done}"
    );
    // All of them at the payee's bank in the end, or rejected for a reason; none twice, whatever the crash did.
    let settled = done["settled"].as_u64().expect("a number");
    let rejected = done["rejected"].as_u64().expect("a number");
    assert_eq!(settled + rejected, 600, "{done}");
    let lines = done["shown"].as_array().expect("lines");
    assert_eq!(lines.len(), 600);
    assert_eq!(lines[299]["status"], "rejected", "{}", lines[299]);
    assert!(settled >= 300, "{done}");
    let paid = format!("{settled}.00");
    assert_eq!(done["settled_amount"], paid.as_str());
    let moved = |before: &str, after: &str| {
        let tiyn = |text: &str| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            digits.parse::<u64>().expect("an amount")
        };
        tiyn(before) - tiyn(after)
    };
    let after = operator.position("CASP");
    assert_eq!(moved(&before, &after), settled * 100);

    // The whole file once more: nothing is paid again.
    let (_, said) = submit(&whole);
    assert!(!said.contains("duplicate"), "{said}");
    assert_eq!(operator.position("CASP"), after);
    let again = operator.finished("SALARY-11");
    assert_eq!(again["settled"], done["settled"]);
    // Nor under another name.
    let file = whole.to_string_lossy().into_owned();
    let (code, said) = operator.run(&["mass", "submit", "CASP", &file, "--file-id", "OTHER"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("duplicate-mismatch"), "{said}");
    assert_eq!(operator.position("CASP"), after);
    let status = operator.ok(&["status"]);
    assert_eq!(status["conserved"], true, "{status}");
}

#[test]
fn what_is_wrong_with_a_line_is_named_before_anything_is_paid() {
    let (dir, lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    let good = line(1, "1.00");
    for (from, to, named) in [
        ("1.00", "1.001", "amount"),
        ("SAL-1,", "SAL-1,x", "uetr"),
        (",311,", ",3111,", "message"),
    ] {
        let file = dir.path().join("wrong.csv");
        let text = format!(
            "{good}{}",
            line(2, "1.00")
                .replace("SAL-2", "SAL-1")
                .replacen(from, to, 1)
        );
        std::fs::write(&file, text).expect("written");
        let (code, said) = operator.run(&["mass", "submit", "CASP", &file.to_string_lossy()]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("wrong.csv:2: "), "{said}");
        assert!(said.contains(&format!("lines[1].{named}")), "{said}");
        let (code, said) = operator.run(&["mass", "file", "CASP", "wrong.csv"]);
        assert_eq!(code, Some(1), "nothing of it is known: {said}");
    }
}
