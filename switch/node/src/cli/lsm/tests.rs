use serde_json::Value;

use super::{problem::Input, *};

fn solved(rule: Rule, text: &str) -> Value {
    let json: Json = serde_json::from_str(text).unwrap();
    let input = Input::read(&json).unwrap();
    serde_json::from_str(&solve(&input, rule, 1_000).unwrap()).unwrap()
}

const CIRCLE: &str = r#"{"banks":[
    {"id":"A","balance":0,"bilateral_limits":{"B":100}},{"id":"B","balance":0},{"id":"C","balance":0}],
  "payments":[
    {"id":"1","from":"A","to":"B","amount":100,"priority":"high"},
    {"id":"2","from":"B","to":"C","amount":100,"priority":1},
    {"id":"3","from":"C","to":"A","amount":100}]}"#;

#[test]
fn prints_what_settles_in_the_order_of_the_queue() {
    let mut output = solved(Rule::Fifo, CIRCLE);
    assert!(output["micros"].is_u64() && output["steps"].as_u64() >= Some(3));
    output["micros"] = 0.into();
    output["steps"] = 0.into();
    let expected = r#"{"settled":["1","2","3"],"count":3,"value":300,"steps":0,"micros":0}"#;
    assert_eq!(output, serde_json::from_str::<Value>(expected).unwrap());
    let tight = CIRCLE.replace("\"B\":100", "\"B\":99");
    assert_eq!(solved(Rule::Fifo, &tight)["count"], 0);
}

#[test]
fn bypass_says_how_good_it_is() {
    let output = solved(Rule::Bypass, CIRCLE);
    assert_eq!(output["exact"], true);
    assert_eq!(output["upper_bound"], 300);
    assert_eq!(output["gap"], 0);
}

#[test]
fn an_empty_queue_settles_nothing() {
    for rule in [Rule::Fifo, Rule::Bypass] {
        let output = solved(rule, r#"{"banks":[],"payments":[]}"#);
        assert_eq!((&output["count"], &output["value"]), (&0.into(), &0.into()));
        assert_eq!(output["settled"], serde_json::json!([]));
    }
}

#[test]
fn sums_beyond_a_machine_word_are_printed() {
    let payment =
        |id| format!(r#"{{"id":"{id}","from":"A","to":"B","amount":18446744073709551615}}"#);
    let back = r#"{"id":"back","from":"B","to":"A","amount":18446744073709551615}"#;
    let text = format!(
        r#"{{"banks":[{{"id":"A","balance":18446744073709551615}},{{"id":"B","balance":0}}],"payments":[{},{},{back}]}}"#,
        payment("1"),
        payment("2"),
    );
    let json: Json = serde_json::from_str(&text).unwrap();
    let input = Input::read(&json).unwrap();
    let printed = solve(&input, Rule::Fifo, 0).unwrap();
    assert!(
        printed.contains("\"value\":55340232221128654845"),
        "{printed}"
    );
}

/// The error of an input, which must name the place and say what is wrong.
fn refused(text: &str) -> String {
    match serde_json::from_str::<Json>(text) {
        Ok(json) => Input::read(&json).unwrap_err(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_name_the_place_and_the_rule() {
    let with = |from: &str, to: &str| refused(&CIRCLE.replacen(from, to, 1));
    let cases = [
        (
            with(r#""to":"C""#, r#""to":"X""#),
            "payments[1].to: no bank `X` is listed",
        ),
        (
            with(r#""from":"C""#, r#""from":"X""#),
            "payments[2].from: no bank `X` is listed",
        ),
        (
            with(r#""id":"2""#, r#""id":"1""#),
            "payments[1].id: a second payment `1`",
        ),
        (
            with(r#""id":"B""#, r#""id":"A""#),
            "banks[1].id: a second bank `A`",
        ),
        (
            with(r#""from":"B","to":"C""#, r#""from":"C","to":"C""#),
            "payments[1]: from and to are one bank",
        ),
        (
            with(r#"{"B":100}"#, r#"{"X":100}"#),
            "banks[0].bilateral_limits.X: no bank `X` is listed",
        ),
        (
            with(r#"{"B":100}"#, r#"{"A":100}"#),
            "banks[0].bilateral_limits.A: a bank has no limit towards itself",
        ),
        (
            with(r#"{"B":100}"#, r#"{"B":100,"B":5}"#),
            "banks[0].bilateral_limits.B: stated twice",
        ),
        (
            with(r#"{"B":100}"#, "7"),
            "banks[0].bilateral_limits: an object is needed, not 7",
        ),
        (
            with(r#""balance":0"#, r#""balance":0,"colour":1"#),
            "banks[0]: unknown member `colour`",
        ),
        (
            with(r#""id":"3","#, ""),
            "payments[2]: member `id` is missing",
        ),
        (
            with(r#""id":"3""#, r#""id":"""#),
            "payments[2].id: is empty",
        ),
        (
            with(r#""id":"3""#, r#""id":3"#),
            "payments[2].id: a text is needed, not 3",
        ),
    ];
    for (error, expected) in cases {
        assert_eq!(error, expected);
    }
    for amount in [
        "0",
        "-1",
        "1.5",
        "18446744073709551616",
        "1e3",
        "\"100\"",
        "null",
    ] {
        let error = with(r#""amount":100"#, &format!(r#""amount":{amount}"#));
        let start = "payments[0].amount: a whole number of tiyn from 1 to 18446744073709551615 is needed, not ";
        assert!(error.starts_with(start), "{amount}: {error}");
    }
    for balance in ["-1", "0.5", "18446744073709551616"] {
        let error = with(r#""balance":0"#, &format!(r#""balance":{balance}"#));
        assert!(
            error.starts_with("banks[0].balance: a whole number of tiyn from 0"),
            "{error}"
        );
    }
    assert!(refused("{").contains("line 1 column 1"), "{}", refused("{"));
    assert_eq!(refused("[]"), "the input: an object is needed, not a list");
    assert_eq!(
        refused(r#"{"banks":[]}"#),
        "the input: member `payments` is missing"
    );
    assert_eq!(
        refused(r#"{"banks":{},"payments":[]}"#),
        "banks: a list is needed, not an object"
    );
}
