use super::*;

/// A sign-on: nothing in it is secret.
const SIGN_ON: &str =
    "30383030822000008000000004000000000000003131323131333034303530303030303130333630 31303031";

/// A purchase with card number, track, tagged data, PIN block and chip data.
const PURCHASE: &str = r#"{"mti":"0200","fields":{"2":"4000001234567899","3":"000000","4":"000000125000","7":"1121130405","11":"000123","12":"180405",
"13":"1121","18":"5411","22":"051","24":"200","25":"00","32":"601","35":"4000001234567899=28122011234500001230","37":"632613000123",
"41":"T0000012","42":"M00000000000012","43":"Magnum Express Dostyk    Almaty       KZ","48":{"CH":"POS","FS":"042","WA":"AP"},"49":"398",
"52":"1A2B3C4D5E6F7081","53":"0000000100000000","55":{"5A":"4000001234567899","9F26":"1122334455667788","DF01":"010203"}}}"#;

struct Ran {
    output: String,
    log: String,
    ending: Result<Ending, Failure>,
}

impl Ran {
    /// Exit status, as `main` makes it.
    fn status(&self) -> u8 {
        match &self.ending {
            Ok(Ending::Done) => 0,
            Ok(Ending::Refused) | Err(Failure::Failed(_)) => 1,
            Err(Failure::Usage(_)) => 2,
        }
    }

    #[track_caller]
    fn failure(&self) -> &str {
        match &self.ending {
            Err(Failure::Usage(text) | Failure::Failed(text)) => text,
            Ok(ending) => panic!("{ending:?}: {}", self.output),
        }
    }
}

#[derive(Debug, clap::Parser)]
struct Program {
    #[command(flatten)]
    card: Arguments,
}

fn run_with(mut input: &[u8], arguments: &[&str]) -> Ran {
    let arguments = ["card"].iter().chain(arguments);
    let program = <Program as clap::Parser>::try_parse_from(arguments).unwrap();
    let (mut output, mut log) = (Vec::new(), Vec::new());
    let ending = program.card.command.run(&mut Streams {
        input: &mut input,
        output: &mut output,
        log: &mut log,
    });
    Ran {
        output: String::from_utf8(output).unwrap(),
        log: String::from_utf8(log).unwrap(),
        ending,
    }
}

fn run(arguments: &[&str]) -> Ran {
    run_with(b"", arguments)
}

/// The purchase in hexadecimal digits.
fn purchase() -> String {
    let ran = run(&["encode", PURCHASE]);
    assert_eq!(ran.status(), 0, "{}", ran.output);
    ran.output.trim_end().to_owned()
}

#[test]
fn decode_prints_number_and_value_and_masks_what_is_secret() {
    let ran = run(&["decode", &purchase()]);
    assert_eq!(ran.status(), 0);
    assert_eq!(ran.log, "");
    let expected = "0200
  2 400000******7899
  3 000000
  4 000000125000
  7 1121130405
 11 000123
 12 180405
 13 1121
 18 5411
 22 051
 24 200
 25 00
 32 601
 35 *************************************
 37 632613000123
 41 T0000012
 42 M00000000000012
 43 Magnum Express Dostyk    Almaty       KZ
 48.CH POS
 48.FS 042
 48.WA AP
 49 398
 52 ****************
 53 0000000100000000
 55.5A 400000******7899
 55.9F26 1122334455667788
 55.DF01 010203
";
    assert_eq!(ran.output, expected);
}

#[test]
fn explain_names_form_place_and_meaning_and_masks_as_well() {
    let ran = run(&["explain", &purchase()]);
    assert_eq!(ran.status(), 0);
    for line in [
        "0200 Financial request (national, 285 bytes)",
        "  2 Primary account number [n LL 12..19, bytes 12+18] 400000******7899",
        " 24 Function code [n 3, bytes 81+3] 200 = Financial, not authorised before",
        "    .CH Channel [bytes 212+3] POS = Terminal of a merchant",
        "    .DF01 (not in the table) [bytes 282+3] 010203",
    ] {
        assert!(
            ran.output.lines().any(|own| own == line),
            "{line}\n{}",
            ran.output
        );
    }
    let json = run(&["explain", "--json", &purchase()]);
    let value: serde_json::Value = serde_json::from_str(&json.output).unwrap();
    assert_eq!(value["fields"][0]["value"], "400000******7899");
    assert_eq!(value["name"], "Financial request");
    for output in [ran.output, json.output] {
        assert!(!output.contains("4000001234567899"), "{output}");
        assert!(!output.contains("1A2B3C4D"), "{output}");
    }
}

#[test]
fn a_reason_unmasks_and_is_logged_with_its_control_characters_escaped() {
    let ran = run(&[
        "decode",
        "--json",
        "--unmask",
        "ticket 7\n\u{1b}[2J",
        &purchase(),
    ]);
    assert_eq!(ran.status(), 0);
    assert_eq!(
        ran.log,
        "torap: card numbers and secrets are shown: ticket 7\\n\\u{1b}[2J\n"
    );
    let blanks = |text: &str| text.replace('\n', "");
    assert_eq!(blanks(&ran.output), blanks(PURCHASE));
    for reason in ["", "  "] {
        let ran = run(&["decode", "--unmask", reason, SIGN_ON]);
        assert_eq!((ran.status(), ran.output.as_str()), (2, ""));
        assert_eq!(ran.failure(), "--unmask: a reason is expected");
    }
}

#[test]
fn nothing_is_shown_if_the_reason_cannot_be_logged() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let hex = purchase();
    let arguments = ["card", "decode", "--unmask", "ticket 7", &hex];
    let program = <Program as clap::Parser>::try_parse_from(arguments).unwrap();
    let mut output = Vec::new();
    let ending = program.card.command.run(&mut Streams {
        input: &mut &b""[..],
        output: &mut output,
        log: &mut Closed,
    });
    assert!(matches!(ending, Err(Failure::Failed(_))));
    assert!(output.is_empty());
}

#[test]
fn encode_takes_what_decode_printed_in_every_dialect() {
    for (dialect, mti) in [
        ("national", "0800"),
        ("iso87-ascii", "0800"),
        ("iso93-bcd", "1804"),
    ] {
        let json =
            format!(r#"{{"mti":"{mti}","fields":{{"7":"1121130405","11":"000001","33":"601"}}}}"#);
        let hex = run(&["encode", "--dialect", dialect, &json]);
        assert_eq!(hex.status(), 0, "{dialect}: {}", hex.output);
        let again = run(&[
            "decode",
            "--json",
            "--dialect",
            dialect,
            hex.output.trim_end(),
        ]);
        assert_eq!(again.output.trim_end(), json, "{dialect}");
    }
}

#[test]
fn what_was_masked_cannot_be_encoded() {
    let masked = run(&["decode", "--json", &purchase()]);
    let ran = run(&["encode", masked.output.trim_end()]);
    assert_eq!(ran.status(), 1);
    assert_eq!(
        ran.output,
        "refused fields.2: is masked; decode with --unmask to have the value\n"
    );
}

#[test]
fn format_alone_is_checked_without_a_step() {
    let wrong_digit = PURCHASE.replace("\"2\":\"4000001234567899\"", "\"2\":\"4000001234567890\"");
    let hex = run(&["encode", &wrong_digit]);
    assert_eq!(hex.status(), 0);
    let hex = hex.output.trim_end();
    assert_eq!(run(&["decode", hex]).status(), 0);
    for command in ["decode", "explain"] {
        let ran = run(&[command, "--step", "from-acquirer", hex]);
        assert_eq!(ran.status(), 1, "{}", ran.output);
        assert_eq!(
            ran.output,
            "refused field 2: the card number ends with its check digit (ISO/IEC 7812) luhn\n"
        );
    }
    let ran = run(&["encode", "--step", "from-acquirer", &wrong_digit]);
    assert_eq!(ran.status(), 1, "{}", ran.output);
    let ran = run(&["decode", "--step", "from-acquirer", &purchase()]);
    assert_eq!(ran.status(), 0, "{}", ran.output);
    let ran = run(&["decode", "--step", "from-scheme", &purchase()]);
    assert_eq!(
        ran.output,
        "refused message type 0200 is not expected at step from-scheme not-expected\n"
    );
}

#[test]
fn a_refusal_names_field_offset_and_rule_in_words_and_in_json() {
    let hex = purchase().replacen("303030303030", "30303030303A", 1);
    let ran = run(&["decode", &hex]);
    assert_eq!(ran.status(), 1);
    assert_eq!(
        ran.output,
        "refused field 3 at byte 35: not of type n character-set\n"
    );
    let ran = run(&["decode", "--json", &hex]);
    assert_eq!(ran.status(), 1);
    let value: serde_json::Value = serde_json::from_str(&ran.output).unwrap();
    assert_eq!(
        value["refused"],
        serde_json::json!({"place": null, "field": 3, "subfield": null, "offset": 35, "rule": "character-set",
            "text": "field 3 at byte 35: not of type n character-set"})
    );
}

#[test]
fn the_inside_of_structured_fields_is_checked_too() {
    let ran = run(&["encode", r#"{"mti":"0200","fields":{"48":"CH09POS"}}"#]);
    assert_eq!(ran.status(), 1);
    assert_eq!(
        ran.output,
        "refused field 48.CH at byte 15: the bytes end before it does truncated\n"
    );
}

#[test]
fn files_and_standard_input_hold_one_message_a_line() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("messages.hex");
    let text = format!(
        "# a sign-on, twice\n{SIGN_ON}\n\n{}\n30\n",
        SIGN_ON.to_lowercase()
    );
    std::fs::write(&file, &text).unwrap();
    let name = file.to_str().unwrap();
    let message = "0800\n  7 1121130405\n 11 000001\n 33 601\n 70 001\n";
    let refused = "refused message type at byte 0: the bytes end before it does truncated\n";
    let ran = run(&["decode", name]);
    assert_eq!(ran.status(), 1);
    assert_eq!(ran.output, format!("{message}{message}{name}:5: {refused}"));
    for arguments in [&["decode"][..], &["decode", "-"]] {
        let ran = run_with(text.as_bytes(), arguments);
        assert_eq!(
            ran.output,
            format!("{message}{message}standard input:5: {refused}")
        );
    }
    let jsons = format!("{PURCHASE}\n{PURCHASE}\n{{\"mti\":\"0200\",\"fields\":{{\"65\":\"\"}}}}");
    let ran = run_with(jsons.as_bytes(), &["encode"]);
    assert_eq!(ran.status(), 1);
    let hex = purchase();
    assert_eq!(
        ran.output,
        format!(
            "{hex}\n{hex}\nstandard input: message 3: refused fields.65: is no field of national\n"
        )
    );
}

#[test]
fn wrong_use_is_told_from_a_refused_message() {
    let ran = run(&["decode", "--dialect", "iso99", SIGN_ON]);
    assert_eq!(ran.status(), 2);
    assert!(
        ran.failure().starts_with(
            "--dialect iso99: neither national, iso87-ascii, iso93-bcd nor a file to read:"
        ),
        "{}",
        ran.failure()
    );
    let ran = run(&["decode", "--step", "midway", SIGN_ON]);
    assert_eq!(ran.status(), 2);
    assert!(
        ran.failure()
            .starts_with("--step midway: there are from-acquirer, ")
    );
    let ran = run(&["decode", "no-such-file"]);
    assert_eq!(ran.status(), 2);
    for (command, wrong) in [("decode", "303"), ("encode", "{\"mti\""), ("encode", "{}")] {
        assert_eq!(run(&[command, wrong]).status(), 1, "{wrong}");
    }
    let ran = run_with(b"0200 this is none", &["decode"]);
    assert_eq!(
        ran.output,
        "standard input:1: refused character 6 is no hexadecimal digit\n"
    );
}

#[test]
fn an_argument_that_may_have_been_a_message_is_not_repeated() {
    let hex = purchase().replace('F', "G");
    let ran = run(&["decode", &hex]);
    assert_eq!(ran.status(), 2);
    let (shown, _) = ran
        .failure()
        .split_once("…: neither hexadecimal digits")
        .unwrap();
    assert_eq!(shown, &hex[..20]);
    let ran = run(&["encode", &format!("[{PURCHASE}]")]);
    assert_eq!(ran.status(), 2);
    assert!(
        !ran.failure().contains("4000001234567899"),
        "{}",
        ran.failure()
    );
}

#[test]
fn a_dialect_may_come_from_a_file_and_a_wrong_one_is_refused_by_its_path() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("own.toml");
    let own = r#"
name = "own"
version = 1987
mti = "bcd"
bitmap = "binary"
[messages]
rows = [{ mti = "0800", name = "Network management" }]
[fields]
rows = [{ n = 11, name = "STAN", type = "n", length = "6", encoding = "bcd-right" }]
"#;
    std::fs::write(&file, own).unwrap();
    let name = file.to_str().unwrap();
    let ran = run(&["decode", "--dialect", name, "08000020000000000000 000123"]);
    assert_eq!(ran.output, "0800\n 11 000123\n");
    std::fs::write(&file, own.replace("\"6\"", "\"6..\"")).unwrap();
    let ran = run(&["decode", "--dialect", name, SIGN_ON]);
    assert_eq!(ran.status(), 2);
    assert!(
        ran.failure()
            .starts_with(&format!("--dialect {name}: fields.rows[0].length: ")),
        "{}",
        ran.failure()
    );
}
