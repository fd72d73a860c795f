//! Flags, files and exit statuses: 0 done, 1 refused, 2 wrong use.

use std::fs;

use tempfile::TempDir;

use crate::program::{lab, program, stderr, stdout, torap};

fn bench_document() -> String {
    "../iso20022/benches/data/pacs008-84.xml".to_owned()
}

#[test]
fn check_accepts_a_right_message_and_names_place_rule_and_code_of_a_wrong_one() {
    let dir = TempDir::new().expect("temporary folder");
    let right = bench_document();
    let text = fs::read_to_string(&right).expect("bench document");
    let wrong = dir.path().join("wrong.xml");
    fs::write(&wrong, text.replace("850712400122", "850712400123")).expect("write");
    let wrong = wrong.to_string_lossy().into_owned();
    let output = torap(&["check", &right, &wrong]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<String> = stdout(&output).lines().map(String::from).collect();
    assert_eq!(lines[0], format!("{right}: ok pacs.008.001.10"));
    assert!(
        lines[1].starts_with(&format!(
            "{wrong}: refused /Document/FIToFICstmrCdtTrf/CdtTrfTxInf/Dbtr/"
        )),
        "{}",
        lines[1]
    );
    assert_eq!(
        torap(&["check", "--profile", "none", &wrong]).status.code(),
        Some(0)
    );
    assert_eq!(torap(&["check", &right]).status.code(), Some(0));
}

#[test]
fn check_refuses_a_missing_file_as_wrong_use() {
    let output = torap(&["check", "/no/such/file.xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("/no/such/file.xml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn unknown_commands_and_flags_are_wrong_use() {
    for arguments in [
        &["fly"][..],
        &["serve", "--fast"],
        &["check"],
        &["qr", "encode"],
        &[],
    ] {
        assert_eq!(torap(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn qr_codes_round_trip_with_cyrillic_names_and_a_picture() {
    let dir = TempDir::new().expect("temporary folder");
    let png = dir.path().join("code.png");
    let arguments = [
        "qr",
        "encode",
        "--bank",
        "HSBKKZKX",
        "--iban",
        "KZ146010002011451923",
        "--merchant-id",
        "SHOP-1",
        "--mcc",
        "5411",
        "--name",
        "Дүкен",
        "--city",
        "Алматы",
        "--amount",
        "1250.00",
        "--id",
        "QR-1",
        "--expires",
        "2030-01-01T00:00:00+05:00",
        "--png",
        &png.to_string_lossy(),
    ];
    let encoded = torap(&arguments);
    assert!(encoded.status.success(), "{}", stderr(&encoded));
    assert!(fs::read(&png).expect("picture").starts_with(b"\x89PNG"));
    let text = stdout(&encoded);
    let decoded = torap(&["qr", "decode", text.trim_end()]);
    assert!(decoded.status.success(), "{}", stderr(&decoded));
    let value: serde_json::Value = serde_json::from_str(&stdout(&decoded)).expect("JSON");
    assert_eq!(
        (
            value["name"].as_str(),
            value["amount"].as_str(),
            value["id"].as_str()
        ),
        (Some("Дүкен"), Some("1250.00"), Some("QR-1"))
    );
    let damaged = text.trim_end().replace("1250.00", "9250.00");
    let refused = torap(&["qr", "decode", &damaged]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stdout(&refused).starts_with("refused "),
        "{}",
        stdout(&refused)
    );
}

#[test]
fn a_wrong_configuration_is_refused_with_its_path_before_anything_starts() {
    for (file, text, named) in [
        ("torap.toml", "[listen]\nport = 7801\n", "port"),
        (
            "torap.toml",
            "[listen]\niso20022 = \"0.0.0.0:7801\"\n",
            "allow_plain_tcp",
        ),
        ("torap.toml", "[gateway]\nthreads = 0\n", "gateway.threads"),
        (
            "network.toml",
            "[[participant]]\ncode = \"A/B\"\nname = \"x\"\nbics = []\n",
            "participant[0]",
        ),
        ("network.toml", "switch_bic = \"WRONG\"\n", "switch_bic"),
        ("network.toml", "[limits.cash]\n", "limits.cash"),
    ] {
        let dir = TempDir::new().expect("temporary folder");
        fs::write(dir.path().join(file), text).expect("write");
        let output = torap(&["--dir", &dir.path().to_string_lossy(), "serve"]);
        assert!(!output.status.success(), "{file}: {text}");
        let error = stderr(&output);
        assert!(error.contains(file) && error.contains(named), "{error}");
        assert!(
            !dir.path().join("data").exists(),
            "{file}: something was started"
        );
    }
}

#[test]
fn ctl_without_a_switch_says_what_to_start() {
    let dir = TempDir::new().expect("temporary folder");
    let output = torap(&["--dir", &dir.path().to_string_lossy(), "ctl", "status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("torap serve"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_secret_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().expect("temporary folder");
    let secret = dir.path().join("HSBK.secret");
    fs::write(&secret, "00".repeat(32)).expect("write");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("mode");
    let path = secret.to_string_lossy().into_owned();
    let arguments = [
        "--dir",
        &dir.path().to_string_lossy(),
        "bank",
        "run",
        "HSBK",
        "--bic",
        "HSBKKZKX",
        "--bank-code",
        "601",
        "--secret",
        &path,
    ];
    let output = torap(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("chmod 600"), "{}", stderr(&output));
}

#[test]
fn two_switches_on_one_folder_are_one_too_many() {
    let (_dir, lab) = crate::program::lab();
    let output = std::process::Command::new(program())
        .args(["--dir", &lab.folder().root().to_string_lossy(), "serve"])
        .output()
        .expect("torap runs");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn card_messages_are_read_masked_and_unmasked_with_a_reason_on_standard_error() {
    let json = r#"{"mti":"0200","fields":{"2":"4000001234567899","11":"000123"}}"#;
    let hex = stdout(&torap(&["card", "encode", json]));
    let hex = hex.trim_end();
    let masked = torap(&["card", "decode", "--dialect", "national", hex]);
    assert_eq!(masked.status.code(), Some(0));
    assert_eq!(stdout(&masked), "0200\n  2 400000******7899\n 11 000123\n");
    let shown = torap(&["card", "decode", "--json", "--unmask", "ticket 7", hex]);
    assert_eq!(stdout(&shown).trim_end(), json);
    assert!(stderr(&shown).contains("ticket 7"), "{}", stderr(&shown));
    let refused = torap(&["card", "decode", "--step", "from-acquirer", hex]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        stdout(&refused),
        "refused field 3: must be there missing-field\n"
    );
    assert_eq!(
        torap(&["card", "decode", "--dialect", "none", hex])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn an_import_tells_which_rows_the_directory_did_not_take() {
    let (dir, lab) = lab();
    let root = lab.folder().root().to_string_lossy().into_owned();
    let import = |bank: &str, rows: &[String]| {
        let file = dir.path().join("customers.csv");
        std::fs::write(&file, rows.join("\n")).expect("write");
        let file = file.to_string_lossy().into_owned();
        let words = [
            "--dir",
            &root,
            "ctl",
            "--reference",
            "T-1",
            "directory",
            "import",
            bank,
            &file,
        ];
        let output = torap(&words);
        (output.status.code(), stdout(&output))
    };
    let row = |bank: &str, number: u32, phone: u32| {
        let customer = torap_node::demo::customer_of(bank, number).expect("customer");
        let phone = torap_node::demo::customer_of("HSBK", phone)
            .expect("customer")
            .phone;
        let (person, iban) = (customer.person, customer.iban.as_str());
        format!("{phone},{person},{iban},{}", customer.name)
    };
    let halyk: Vec<String> = (200..203)
        .map(|number| row("HSBK", number, number))
        .collect();
    assert_eq!(
        import("HSBK", &halyk),
        (Some(0), "3 rows imported\n".into())
    );
    // A repeated import is no loss.
    let (code, text) = import("HSBK", &halyk);
    assert_eq!(
        (code, text.as_str()),
        (Some(0), "0 rows imported, 3 there already\n")
    );
    // A second bank's rows under numbers of the first one's customers are.
    let kaspi = [
        "phone,person,iban,name".to_string(),
        row("CASP", 201, 201),
        row("CASP", 210, 210),
    ];
    let (code, text) = import("CASP", &kaspi);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("1 rows imported, 1 held\n"), "{text}");
    assert!(text.contains("customers.csv:2: held: the number"), "{text}");
}

#[test]
fn load_refuses_a_live_switch_unless_it_is_meant() {
    let (_dir, lab) = lab();
    let root = lab.folder().root().to_string_lossy().into_owned();
    let address = lab.address().to_string();
    let positions = || stdout(&torap(&["--dir", &root, "ctl", "--json", "positions"]));
    let before = positions();
    for rail in ["instant", "rtgs", "ics"] {
        let words = [
            "--dir",
            &root,
            "load",
            "--rail",
            rail,
            "--switch",
            &address,
            "--duration",
            "1",
        ];
        let output = torap(&words);
        assert_eq!(output.status.code(), Some(2), "{rail}: {}", stderr(&output));
        assert!(stderr(&output).contains("--live"), "{}", stderr(&output));
    }
    assert_eq!(positions(), before);
}

#[test]
fn a_second_switch_on_one_folder_is_refused_in_words_and_logs_are_plain_text() {
    let (_dir, lab) = lab();
    let root = lab.folder().root().to_string_lossy().into_owned();
    let output = torap(&["--dir", &root, "serve"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(
        text.contains("another process has this journal open"),
        "{text}"
    );
    let log = fs::read_to_string(lab.folder().root().join("switch.log")).expect("a log");
    assert!(log.contains("INFO"), "{log}");
    for text in [text, log] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn check_reads_no_more_than_a_message_may_have() {
    let output = torap(&["check", "/dev/zero"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("more than"), "{}", stderr(&output));
}
