//! Every flag and argument of `torap ctl card` that may be wrong: the refusal names it, and the rule.

use std::{io::Write, process::Stdio};

use super::lab::{CardLab, Keys};
use crate::program::{stderr, stdout};

/// Arguments, the place that is named, and a part of the rule.
const WRONG: [(&[&str], &str, &str); 17] = [
    (&["card", "bins", "99x"], "prefix", "1 to 11 digits"),
    (&["card", "transaction", "?"], "id", "a position, CODE:DE37"),
    (
        &["card", "transaction", "ACQB:1399/000001"],
        "id",
        "CODE:MMDD/DE11",
    ),
    (
        &["card", "transaction", "NOBK:1"],
        "code",
        "no participant `NOBK`",
    ),
    (&["card", "session", "yesterday"], "session", ""),
    (&["card", "settle", "2026-13-01"], "session", ""),
    (
        &["card", "settle", "2026-13-01", "--in-imts"],
        "session",
        "",
    ),
    (
        &["card", "settlement", "debits-first", "--within", "0"],
        "within",
        "from a minute to a day",
    ),
    (
        &["card", "settlement", "debits-first", "--within", "1441"],
        "within",
        "from a minute to a day",
    ),
    (
        &["card", "settlement", "debits-first", "--interim", "25:00"],
        "interim",
        "",
    ),
    (
        &[
            "card",
            "settlement",
            "debits-first",
            "--interim",
            "12:00",
            "--interim",
            "11:00",
        ],
        "interim",
        "times of day rise",
    ),
    (
        &["card", "key-change", "NOBK"],
        "code",
        "no participant `NOBK`",
    ),
    (
        &["card", "key-change", "ISSB", "--overlap-hours", "721"],
        "overlap_hours",
        "at most 720 hours",
    ),
    (
        &["card", "key-change", "ISSB", "--bits", "192"],
        "bits",
        "192 is none of 128, 256",
    ),
    (
        &["card", "key-change", "ISSB", "--bits", "256"],
        "bits",
        "its PIN key is of Triple DES",
    ),
    (
        &["--effective", "tomorrow", "card", "cut-over"],
        "effective",
        "",
    ),
    (
        &["--effective", "2027-06-01T00:00:00+05:00", "card", "status"],
        "effective",
        "no effective time",
    ),
];

#[test]
fn a_wrong_value_names_its_flag_and_the_rule() {
    let lab = CardLab::start(Keys::Pins);
    for (words, place, rule) in WRONG {
        let all = [&["ctl", "--json", "--reference", "T-1"], words].concat();
        let (code, answer) = lab.run(&all);
        assert_eq!(code, Some(1), "{words:?}: {answer}");
        let refused = &answer["refused"];
        assert_eq!(refused["place"], place, "{words:?}: {answer}");
        let text = refused["text"].as_str().expect("a text");
        assert!(!text.is_empty() && text.contains(rule), "{words:?}: {text}");
    }
    // What is wrong whatever the switch says is wrong use.
    for (words, named) in [
        (&["card", "stop", "broken"][..], "<CAUSE>"),
        (&["card", "settlement", "never"], "<CARD_NETS>"),
        (
            &["card", "settlement", "elsewhere", "--cap-percent", "x"],
            "--cap-percent",
        ),
        (
            &["card", "key-change", "ISSB", "--cancel", "--bits", "128"],
            "--bits",
        ),
        (&["card", "set", "/no/such/file"], "/no/such/file"),
    ] {
        let output = lab.ctl_text(words);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.contains(named), "{words:?}: {told}");
    }
}

#[test]
fn a_card_number_comes_by_standard_input_and_a_wrong_one_is_named() {
    let lab = CardLab::start(Keys::None);
    for (words, number, place) in [
        (&["card", "stop", "lost"][..], "12x", "pan"),
        // No BIN range holds it.
        (&["card", "release"], "4000000000000002", "pan"),
    ] {
        let mut child = lab.ctl_child(words, Stdio::piped());
        let mut input = child.stdin.take().expect("its input");
        input.write_all(number.as_bytes()).expect("read");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        let answer = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["refused"]["place"], place, "{answer}");
        assert!(!answer.to_string().contains(number), "{answer}");
    }
}
