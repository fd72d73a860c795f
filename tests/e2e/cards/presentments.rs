//! Presentment files of dual messages, and disputes about card transactions, through the program.

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    sync::OnceLock,
    time::{Duration, Instant},
};

use serde_json::Value;
use torap_bank::card::Order;
use torap_domain::Date;
use torap_node::{
    control::{By, CardShow, Request as ControlRequest},
    presentment::{self, FileLine},
};

use super::lab::{CardLab, Keys, purchase};
use crate::program::{now, stderr, stdout, torap};

const WITHIN: Duration = Duration::from_secs(60);

/// What the operator types.
struct Operator {
    dir: String,
}

impl Operator {
    fn of(lab: &CardLab) -> Operator {
        Operator {
            dir: lab.path().to_string_lossy().into_owned(),
        }
    }

    fn text(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut arguments = vec!["--dir", &self.dir, "ctl", "--reference", "PAPER-7"];
        arguments.extend_from_slice(words);
        let output = torap(&arguments);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        (output.status.code(), text)
    }

    fn json(&self, words: &[&str]) -> (Option<i32>, Value) {
        let (code, text) = self.text(&[&["--json"], words].concat());
        let value = serde_json::from_str(text.trim());
        (
            code,
            value.unwrap_or_else(|error| panic!("{words:?}: {error}: {text}")),
        )
    }

    fn ok(&self, words: &[&str]) -> Value {
        let (code, value) = self.json(words);
        assert_eq!(code, Some(0), "{words:?}: {value}");
        value
    }

    /// The lines of a file, with their verdicts.
    fn lines(&self, file: &str) -> Vec<Value> {
        let shown = self.ok(&["card", "presentments", "--file", file, "--lines"]);
        shown["shown"].as_array().expect("lines").clone()
    }
}

/// The day on which the tests began.
fn today() -> Date {
    static TODAY: OnceLock<Date> = OnceLock::new();
    *TODAY.get_or_init(|| Date::from_time(now()))
}

/// A line about a transaction of ACQB, as its own books have it.
fn line(lab: &CardLab, kind: char, reference: &str, retrieval: &str, amount: &str) -> FileLine {
    let id = format!("ACQB:{retrieval}");
    let history = lab.told(&ControlRequest::CardTransaction { id });
    let text = |key: &str| history[key].as_str().expect("text").to_owned();
    let approval = lab.answer(retrieval).approval.unwrap_or_default();
    FileLine {
        kind,
        reference: reference.into(),
        retrieval: retrieval.into(),
        terminal: text("terminal"),
        card: text("card"),
        approval: if kind == 'P' { approval } else { String::new() },
        amount: amount.into(),
        date: today().to_string(),
        mcc: "5411".into(),
    }
}

fn authorised(lab: &CardLab, card: u32, amount: &str) -> String {
    let order = Order {
        service: "pre-authorisation".into(),
        ..purchase(card, amount)
    };
    let (reference, code) = lab.transact(order);
    assert_eq!(code, "00");
    reference
}

fn written(lab: &CardLab, file_id: &str, lines: &[FileLine]) -> PathBuf {
    let path = lab.path().join(format!("{file_id}.csv"));
    fs::write(&path, presentment::write("ACQB", file_id, today(), lines)).expect("written");
    path
}

/// Count and amount of a side's sum in the open session.
fn sum(lab: &CardLab, code: &str, side: &str, of: &str) -> String {
    let sessions = lab.show(CardShow::Sessions);
    let rows = sessions["sessions"].as_array().expect("rows");
    let row = rows
        .iter()
        .find(|row| row["participant"] == code && row["side"] == side);
    row.map_or("0 / 0.00".into(), |row| {
        row[of].as_str().expect("text").into()
    })
}

#[test]
fn a_file_collects_what_was_authorised_and_every_line_has_its_verdict() {
    let lab = CardLab::start(Keys::None);
    let operator = Operator::of(&lab);
    let first = authorised(&lab, 1, "100.00");
    let second = authorised(&lab, 2, "50.00");
    let (bought, code) = lab.transact(purchase(3, "200.00"));
    assert_eq!(code, "00");
    let mut unmatched = line(&lab, 'P', "A-3", &first, "1.00");
    unmatched.retrieval = "999999999999".into();
    let mut other_card = line(&lab, 'P', "A-4", &first, "1.00");
    other_card.card = "999999******0000".into();
    let lines = vec![
        line(&lab, 'P', "A-1", &first, "60.00"),
        line(&lab, 'P', "A-2", &first, "40.00"),
        unmatched,
        other_card,
        line(&lab, 'P', "A-5", &second, "50.01"),
        line(&lab, 'P', "A-6", &second, "50.00"),
        line(&lab, 'P', "A-1", &first, "60.00"),
        line(&lab, 'R', "A-8", &bought, "50.00"),
        line(&lab, 'R', "A-9", &bought, "150.01"),
        line(&lab, 'P', "A-10", &bought, "1.00"),
    ];

    // A file with a wrong line is not taken at all, and each wrong line is named.
    let path = written(&lab, "WRONG", &lines);
    let text = fs::read_to_string(&path).expect("read");
    let wrong = text.replace("A-2,", "A 2,").replace(",50.01,", ",fifty,");
    fs::write(&path, wrong).expect("written");
    let file = path.to_string_lossy().into_owned();
    let (code, said) = operator.text(&["card", "present", &file]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("WRONG.csv:3: reference: 1 to 23 printable"),
        "{said}"
    );
    assert!(said.contains("WRONG.csv:6: amount: "), "{said}");
    assert!(said.contains("nothing of the file was presented"), "{said}");
    assert_eq!(sum(&lab, "ACQB", "acquirer", "debits"), "1 / 200.00");

    let file = written(&lab, "FILE-1", &lines)
        .to_string_lossy()
        .into_owned();
    let (code, told) = operator.json(&["card", "present", &file]);
    assert_eq!(code, Some(1), "{told}");
    assert_eq!((&told["taken"], &told["refused"]), (&4.into(), &6.into()));
    assert_eq!(told["purchases_taken"], "150.00");
    let shown = operator.lines("FILE-1");
    let verdicts: Vec<&str> = shown
        .iter()
        .filter_map(|row| row["verdict"].as_str())
        .collect();
    let expected = [
        "taken",
        "taken",
        "unmatched",
        "mismatch",
        "over-tolerance",
        "taken",
        "duplicate",
        "taken",
        "refund-exceeds",
        "wrong-kind",
    ];
    assert_eq!(verdicts, expected);
    assert_eq!(sum(&lab, "ACQB", "acquirer", "debits"), "4 / 350.00");
    assert_eq!(sum(&lab, "ISSB", "issuer", "credits"), "1 / 50.00");
    let (_, csv) = operator.text(&[
        "card",
        "presentments",
        "--file",
        "FILE-1",
        "--csv",
        "--only",
        "refused",
    ]);
    assert_eq!(csv.lines().count(), 7, "{csv}");
    assert!(
        csv.contains("\n3,purchase,unmatched,1.00,A-3,999999999999,"),
        "{csv}"
    );

    // Once more it is known, and under another name each line is.
    let (code, told) = operator.json(&["card", "present", &file]);
    assert_eq!((code, &told["taken"]), (Some(1), &4.into()));
    let renamed = written(&lab, "FILE-2", &lines[..1])
        .to_string_lossy()
        .into_owned();
    let (_, told) = operator.json(&["card", "present", &renamed]);
    assert_eq!((&told["taken"], &told["refused"]), (&0.into(), &1.into()));
    assert_eq!(operator.lines("FILE-2")[0]["verdict"], "duplicate");

    // The issuer heard of each by 0220, one at a time.
    for reference in [&first, &second, &bought] {
        lab.hears("ISSB", "0220", reference);
    }
    let deadline = Instant::now() + WITHIN;
    while lab.count("ISSB", "0220", &first) < 2 {
        assert!(Instant::now() < deadline);
    }
    // The authorisation's history tells of its presentments.
    let history = operator.ok(&["card", "transaction", &format!("ACQB:{first}")]);
    let steps = history["steps"].as_array().expect("steps");
    let posted = steps.iter().filter(|row| row["what"] == "posted").count();
    assert_eq!(posted, 2, "{history}");
    lab.has_no_complaint();
}

#[test]
fn a_file_goes_on_after_a_crash_and_no_line_is_taken_twice() {
    let mut lab = CardLab::start(Keys::None);
    let held = authorised(&lab, 1, "400.00");
    let base = line(&lab, 'P', "X", &held, "1.00");
    let lines: Vec<FileLine> = (1..=400)
        .map(|number| FileLine {
            reference: format!("C-{number}"),
            ..base.clone()
        })
        .collect();
    let path = written(&lab, "LONG", &lines);
    let file = path.to_string_lossy().into_owned();
    // The first piece, as the command would have handed it in.
    let header = presentment::FileHeader {
        acquirer: "ACQB".into(),
        file_id: "LONG".into(),
        date: today().to_string(),
        lines: 400,
        purchases: 40_000,
        refunds: 0,
    };
    let piece = ControlRequest::CardPresent {
        by: By {
            operator: "test".into(),
            reference: "PAPER-7".into(),
        },
        header,
        number: 1,
        last: false,
        first: 1,
        numbers: Vec::new(),
        lines: lines[..256].to_vec(),
    };
    lab.client().must(&piece).expect("taken");
    assert_eq!(sum(&lab, "ACQB", "acquirer", "debits"), "256 / 256.00");

    lab.switch.as_mut().expect("running").kill();
    lab.start_switch();
    lab.is_signed_on("ISSB", true);

    let operator = Operator::of(&lab);
    // Whoever hands the first piece in again changes nothing.
    lab.client().must(&piece).expect("known");
    let told = operator.ok(&["card", "present", &file]);
    assert_eq!(
        (&told["taken"], &told["complete"]),
        (&400.into(), &true.into())
    );
    assert_eq!(sum(&lab, "ACQB", "acquirer", "debits"), "400 / 400.00");
    let last = operator.lines("LONG").last().cloned().expect("a line");
    assert_eq!(
        (&last["line"], &last["reference"]),
        (&400.into(), &"C-400".into())
    );
    lab.has_no_complaint();
}

#[test]
fn lines_of_a_full_issuer_are_put_off_and_go_on_later() {
    let mut lab = CardLab::start(Keys::None);
    let operator = Operator::of(&lab);
    let held = authorised(&lab, 1, "400.00");
    let base = line(&lab, 'P', "X", &held, "1.00");
    let lines: Vec<FileLine> = (1..=100)
        .map(|number| FileLine {
            reference: format!("F-{number}"),
            ..base.clone()
        })
        .collect();
    let settings = lab.path().join("settings.toml");
    fs::write(&settings, "[card.settings]\nqueue_max = 40\n").expect("written");
    operator.ok(&["card", "set", &settings.to_string_lossy()]);
    let path = written(&lab, "FULL", &lines);
    let file = path.to_string_lossy().into_owned();

    // Nobody takes the issuer's letters: half of its queue is filled, and the rest of the file is put off.
    lab.end_host("ISSB");
    let child = lab.ctl_child(&["card", "present", &file], Stdio::null());
    let deadline = Instant::now() + WITHIN;
    let told = loop {
        let told = operator.ok(&["card", "presentments"]);
        if told["files"][0]["complete"] == true {
            break told["files"][0].clone();
        }
        assert!(Instant::now() < deadline, "{told}");
    };
    assert_eq!((&told["taken"], &told["refused"]), (&20.into(), &80.into()));
    let put_off = lab.told(&ControlRequest::CardPutOff {
        code: "ACQB".into(),
        file: "FULL".into(),
        after: 98,
    });
    assert_eq!(put_off["numbers"], serde_json::json!([99, 100]));

    // The issuer is back, its letters are answered, and the command that waits goes on with the others.
    lab.start_host("ISSB");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(sum(&lab, "ACQB", "acquirer", "debits"), "100 / 100.00");
    let told = operator.ok(&["card", "present", &file]);
    assert_eq!((&told["taken"], &told["refused"]), (&100.into(), &0.into()));
}

#[test]
fn a_case_about_a_card_transaction_moves_obligations_also_after_a_crash() {
    let mut lab = CardLab::start(Keys::None);
    let operator = Operator::of(&lab);
    let (bought, code) = lab.transact(purchase(1, "200.00"));
    assert_eq!(code, "00");
    let id = format!("ACQB:{bought}");
    let refused = |words: &[&str]| {
        let (code, value) = operator.json(&[&["dispute"], words].concat());
        assert_eq!(code, Some(1), "{words:?}: {value}");
        value["refused"]["rule"]
            .as_str()
            .expect("a rule")
            .to_owned()
    };
    let dispute = |words: &[&str]| operator.ok(&[&["dispute"], words].concat());
    assert_eq!(refused(&["open", "ACQB", &id, "CF01"]), "original-mismatch");
    assert_eq!(refused(&["open", "ISSB", &id, "FRAD"]), "request");
    assert_eq!(
        refused(&["open", "ISSB", "ACQB:000000000000", "CF01"]),
        "request"
    );
    let case = dispute(&["open", "ISSB", &id, "CF01"])["position"].to_string();
    let paper = lab.path().join("slip.txt");
    fs::write(&paper, "signed").expect("written");
    dispute(&["attach", &case, "ACQB", &paper.to_string_lossy()]);
    dispute(&["respond", &case, "ACQB", "answer"]);
    dispute(&["respond", &case, "ISSB", "claim", "--amount", "180.00"]);
    assert_eq!(sum(&lab, "ISSB", "issuer", "debit_reversals"), "1 / 180.00");
    dispute(&["respond", &case, "ACQB", "represent", "--amount", "100.00"]);
    dispute(&["respond", &case, "ISSB", "escalate", "--amount", "100.00"]);

    lab.switch.as_mut().expect("running").kill();
    lab.start_switch();
    for code in ["ACQB", "ISSB"] {
        lab.is_signed_on(code, true);
    }

    dispute(&["respond", &case, "ACQB", "decline"]);
    dispute(&["rule", &case, "90.00"]);
    let shown = dispute(&["show", &case]);
    assert_eq!(
        (&shown["end"], &shown["stands"]),
        (&"ruled".into(), &"90.00".into())
    );
    assert_eq!(shown["uetr"], Value::Null);
    assert!(
        shown["card"]
            .as_str()
            .is_some_and(|card| card.contains("****")),
        "{shown}"
    );
    // 180 to the issuer, 100 back, 10 to the issuer.
    assert_eq!(sum(&lab, "ISSB", "issuer", "debit_reversals"), "2 / 190.00");
    assert_eq!(sum(&lab, "ISSB", "issuer", "debits"), "2 / 300.00");
    // What was claimed cannot be refunded besides.
    let refund = [line(&lab, 'R', "R-1", &bought, "20.01")];
    let file = written(&lab, "LATER", &refund)
        .to_string_lossy()
        .into_owned();
    operator.json(&["card", "present", &file]);
    assert_eq!(operator.lines("LATER")[0]["verdict"], "refund-exceeds");

    // A presentment is disputed by its own place.
    let held = authorised(&lab, 2, "30.00");
    let collect = [line(&lab, 'P', "P-1", &held, "30.00")];
    let file = written(&lab, "HELD", &collect)
        .to_string_lossy()
        .into_owned();
    operator.ok(&["card", "present", &file]);
    let position = operator.lines("HELD")[0]["position"].to_string();
    let place = format!("{position}/1");
    let case =
        dispute(&["open", "ISSB", &place, "CC01", "--claim", "30.00"])["position"].to_string();
    dispute(&["respond", &case, "ACQB", "accept"]);
    assert_eq!(dispute(&["show", &case])["stands"], "30.00");
    let open = dispute(&["list", "--open"]);
    assert_eq!(open["disputes"].as_array().map(Vec::len), Some(0));
    lab.has_no_complaint();
}
