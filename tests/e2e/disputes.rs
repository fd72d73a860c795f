//! Disputes as the operator leads them: a case through all its stages, documents, a crash, and the money after each step.

use serde_json::Value;
use torap_bank::{Payee, Request, WaitFor};
use torap_node::demo::{Day, customer_of};

use crate::program::{lab, stderr, stdout, torap};

struct Operator {
    dir: String,
}

impl Operator {
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut arguments = vec![
            "--dir",
            &self.dir,
            "ctl",
            "--json",
            "--reference",
            "LETTER-3",
        ];
        arguments.extend_from_slice(words);
        let output = torap(&arguments);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        (output.status.code(), text)
    }

    fn ok(&self, words: &[&str]) -> Value {
        let (code, text) = self.run(words);
        assert_eq!(code, Some(0), "{words:?}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    fn dispute(&self, words: &[&str]) -> Value {
        self.ok(&[&["dispute"], words].concat())
    }

    /// What the switch refuses, with its rule.
    fn refused(&self, words: &[&str]) -> String {
        let (code, text) = self.run(&[&["dispute"], words].concat());
        assert_eq!(code, Some(1), "{words:?}: {text}");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["refused"]["rule"]
            .as_str()
            .expect("a rule")
            .to_owned()
    }

    /// Tiyn on a position.
    fn position(&self, code: &str) -> i64 {
        let positions = self.ok(&["positions"]);
        assert_eq!(positions["conserved"], true, "{positions}");
        let rows = positions["positions"].as_array().expect("positions");
        let row = rows.iter().find(|row| row["participant"] == code);
        let row = row.unwrap_or_else(|| panic!("{positions}"));
        let text = row["balance"].as_str().expect("a balance");
        text.replace('.', "").parse().expect("an amount")
    }
}

#[test]
fn a_case_goes_through_its_stages_with_its_money_also_after_a_crash() {
    let (dir, lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    let mut day = Day::new(lab);
    let customer = customer_of("HSBK", 3).expect("customer");
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    };
    let sent = day.pay("CASP", 2, payee, "1000.00").expect("payment");
    assert_eq!(day.outcome("CASP", &sent).expect("outcome"), "ACSC");
    let uetr = sent.uetr.as_str();
    let (casp, hsbk) = (operator.position("CASP"), operator.position("HSBK"));
    let stands = |tiyn: i64| {
        assert_eq!(operator.position("CASP"), casp + tiyn);
        assert_eq!(operator.position("HSBK"), hsbk - tiyn);
    };

    assert_eq!(
        operator.refused(&["open", "HSBK", uetr, "FRAD"]),
        "original-mismatch"
    );
    assert_eq!(operator.refused(&["open", "CASP", uetr, "WHY?"]), "request");
    let opened = operator.dispute(&["open", "CASP", uetr, "FRAD"]);
    let case = opened["position"].to_string();
    stands(0);
    // Both banks are told on their links, each in its role, and nobody else.
    let told = |day: &Day, code: &str, event: &str, parameters: &str| {
        let filter = WaitFor {
            kind: Some("admi.004".into()),
            status: Some(event.into()),
            ..WaitFor::default()
        };
        let seen = day.wait(code, filter).expect("a notice");
        let text = seen.text.expect("parameters");
        let hex = uetr.replace('-', "");
        let expected = format!("{case} {hex} {parameters}");
        assert!(text.contains(&expected), "{expected} in {text}");
    };
    told(
        &day,
        "CASP",
        "DSPO",
        "CLAIMANT retrieval FRAD 0.00 0.00 RESPONDENT",
    );
    told(
        &day,
        "HSBK",
        "DSPO",
        "RESPONDENT retrieval FRAD 0.00 0.00 RESPONDENT",
    );
    assert_eq!(
        operator.refused(&["open", "CASP", uetr, "FRAD"]),
        "entry-exists"
    );

    let receipt = dir.path().join("receipt.pdf");
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    std::fs::write(&receipt, &bytes).expect("written");
    operator.dispute(&["attach", &case, "HSBK", &receipt.to_string_lossy()]);
    operator.dispute(&["respond", &case, "HSBK", "answer"]);
    operator.dispute(&["respond", &case, "CASP", "claim", "--amount", "900.00"]);
    stands(90_000);
    let wrong = ["respond", &case, "CASP", "represent", "--amount", "1.00"];
    assert_eq!(operator.refused(&wrong), "original-mismatch");
    operator.dispute(&["respond", &case, "HSBK", "represent", "--amount", "700.00"]);
    stands(20_000);
    operator.dispute(&["respond", &case, "CASP", "escalate", "--amount", "500.00"]);

    day.lab.kill_switch().expect("killed");
    day.lab.start_switch().expect("started");

    stands(20_000);
    operator.dispute(&["respond", &case, "HSBK", "decline"]);
    operator.dispute(&["rule", &case, "450.00"]);
    stands(45_000);
    day.lab.wait_for_links().expect("signed on");
    told(
        &day,
        "CASP",
        "DSPE",
        "CLAIMANT closed: ruled FRAD 450.00 250.00 NOBODY",
    );
    told(
        &day,
        "HSBK",
        "DSPE",
        "RESPONDENT closed: ruled FRAD 450.00 -250.00 NOBODY",
    );
    for (code, steps) in [("CASP", 5), ("HSBK", 5), ("IRTY", 0), ("TSES", 0)] {
        let step = WaitFor {
            kind: Some("admi.004".into()),
            status: Some("DSPS".into()),
            ..WaitFor::default()
        };
        assert_eq!(day.count(code, &step).expect("counted"), steps, "{code}");
    }
    let books = day.ask("CASP", &Request::Books).expect("books");
    assert_eq!(
        books["violations"].as_array().map(Vec::len),
        Some(0),
        "{books}"
    );
    assert_eq!(
        operator.refused(&["rule", &case, "1.00"]),
        "operator-refused"
    );

    let shown = operator.dispute(&["show", &case]);
    assert_eq!(
        (&shown["stage"], &shown["end"]),
        (&"closed".into(), &"ruled".into())
    );
    assert_eq!(shown["stands"], "450.00");
    let steps = shown["steps"].as_array().expect("steps");
    let stages: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["stage"].as_str())
        .collect();
    let expected = [
        "retrieval",
        "answered",
        "chargeback",
        "represented",
        "pre-arbitration",
        "arbitration",
        "closed",
    ];
    assert_eq!(stages, expected);
    let out = dir.path().join("copy.pdf");
    let root = operator.dir.clone();
    let written = torap(&[
        "--dir",
        &root,
        "ctl",
        "dispute",
        "evidence",
        &case,
        "1",
        "--out",
        &out.to_string_lossy(),
    ]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert_eq!(std::fs::read(&out).expect("a copy"), bytes);
    let hash = blake3_of(&shown);
    assert!(stdout(&written).contains(&hash), "{}", stdout(&written));
    let open = operator.dispute(&["list", "--open"]);
    assert_eq!(open["disputes"].as_array().map(Vec::len), Some(0));
    let theirs = operator.dispute(&["list", "--participant", "HSBK"]);
    assert_eq!(theirs["disputes"][0]["case"].to_string(), case);
}

fn blake3_of(shown: &Value) -> String {
    let hash = shown["documents"][0]["hash"].as_str().expect("a hash");
    assert_eq!(hash.len(), 64);
    hash.to_owned()
}
