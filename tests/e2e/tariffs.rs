//! Tariffs as the operator uses them: a table that is refused, tried and set, payments, and what the month comes to from the log.

use std::{fs, path::Path};

use serde_json::Value;
use torap_bank::Payee;
use torap_domain::{Date, Time};
use torap_node::demo::{Day, customer_of};

use crate::program::{lab, stderr, stdout, torap};

/// `torap ctl tariff` and others in a folder.
struct Operator {
    dir: String,
}

impl Operator {
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut arguments = vec!["--dir", &self.dir, "ctl", "--reference", "T-1"];
        arguments.extend_from_slice(words);
        let output = torap(&arguments);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        (output.status.code(), text)
    }

    /// Standard output of what must succeed.
    fn text(&self, words: &[&str]) -> String {
        let mut arguments = vec!["--dir", &self.dir, "ctl", "--reference", "T-1"];
        arguments.extend_from_slice(words);
        let output = torap(&arguments);
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn json(&self, words: &[&str]) -> Value {
        let text = self.text(&[&["--json"], words].concat());
        serde_json::from_str(&text).expect("JSON")
    }
}

fn today() -> Date {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    Date::from_time(Time::from_nanos(
        u64::try_from(now.as_nanos()).expect("a clock before 2554"),
    ))
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    path.to_string_lossy().into_owned()
}

fn pay(day: &Day, number: u32, amount: &str) {
    let customer = customer_of("HSBK", number).expect("customer");
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    };
    let sent = day.pay("CASP", number, payee, amount).expect("payment");
    assert_eq!(day.outcome("CASP", &sent).expect("outcome"), "ACSC");
}

const TABLE: &str = r#"
[[charge]]
item = "c2c-account"
pays = "sender"
amount_to = "100.00"
fixed = "2.00"

[[charge]]
item = "c2c-account"
pays = "sender"
millionths = 10000
least = "3.00"

[[charge]]
item = "c2c-account"
pays = "receiver"
fixed = "0.25"

[[charge]]
item = "archive"
pays = "sender"
fixed = "100.00"

[[minimum]]
participant = "TSES"
amount = "500.00"
"#;

/// The row of a participant in an array of an answer.
fn row<'a>(value: &'a Value, key: &str, code: &str) -> &'a Value {
    let rows = value[key].as_array().expect(key);
    rows.iter()
        .find(|row| row["participant"] == code)
        .unwrap_or_else(|| panic!("{code}: {value}"))
}

#[test]
fn a_month_comes_to_the_same_at_every_reading_also_after_a_crash() {
    let (dir, lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    let mut day = Day::new(lab);
    pay(&day, 1, "50.00");

    // Refused as a whole, with the place; nothing is set.
    let bad = TABLE.replace("\"0.25\"", "\"0.255\"");
    let (code, said) = operator.run(&["tariff", "set", &write(dir.path(), "bad.toml", &bad)]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("charge[2].fixed: "), "{said}");
    let bad = write(dir.path(), "unknown.toml", "[[charge]]\nitm = 1\n");
    let (code, said) = operator.run(&["tariff", "set", &bad]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("unknown.toml") && said.contains("itm"),
        "{said}"
    );
    assert_eq!(operator.json(&["tariff", "show"])["set_at"], 0);

    // Tried on something that might be, then set.
    let file = write(dir.path(), "table.toml", TABLE);
    let might = [
        "--item",
        "c2c-account",
        "--sender",
        "CASP",
        "--receiver",
        "HSBK",
    ];
    let might = [&["tariff", "try", &file, "--amount", "1000.00"], &might[..]].concat();
    let tried = operator.json(&might);
    assert_eq!(tried["charges"][0]["fee"], "10.00");
    assert_eq!(tried["charges"][1]["fee"], "0.25");
    assert_eq!(operator.json(&["tariff", "show"])["set_at"], 0);
    let set = operator.json(&["tariff", "set", &file]);
    let table = &set["position"];
    assert_eq!(&operator.json(&["tariff", "show"])["set_at"], table);

    pay(&day, 2, "100.00");
    pay(&day, 3, "100.01");
    pay(&day, 4, "1000.00");
    operator.json(&["tariff", "note", "IRTY", "archive", "--count", "3"]);
    let (code, said) = operator.run(&["tariff", "note", "IRTY", "qr"]);
    assert_eq!(code, Some(1), "{said}");

    let today = today().to_string();
    let month = &today[..7];
    let invoice = ["tariff", "invoice", "--month", month];
    let first = operator.json(&invoice);
    assert_eq!(first["complete"], false);
    assert_eq!(row(&first, "participants", "CASP")["charged"], "15.00");
    assert_eq!(row(&first, "participants", "HSBK")["due"], "0.75");
    assert_eq!(row(&first, "participants", "IRTY")["due"], "300.00");
    let least = row(&first, "participants", "TSES");
    assert_eq!(
        (&least["top_up_to_minimum"], &least["due"]),
        (&"500.00".into(), &"500.00".into())
    );
    assert_eq!(first["due"], "815.75");
    let line = row(&first, "lines", "CASP");
    assert_eq!(
        (&line["table"], &line["row"], &line["count"]),
        (table, &0.into(), &1.into())
    );

    // The same day by another table: the payment before the first table counts too, since it is asked what it would have come to.
    let other = TABLE.replace("\"2.00\"", "\"4.00\"");
    let other = write(dir.path(), "other.toml", &other);
    let tried = operator.json(&["tariff", "try", &other, "--day", &today]);
    let casp = row(&tried, "participants", "CASP");
    assert_eq!(
        (&casp["in_force"], &casp["tried"]),
        (&"15.00".into(), &"21.00".into())
    );
    assert_eq!(casp["difference"], "6.00");

    // Single charges sum up to the invoice.
    let export = operator.text(&["tariff", "export", "--month", month]);
    let mut lines = export.lines();
    assert!(
        lines
            .next()
            .expect("a heading")
            .starts_with("position,time,item,")
    );
    let fees: Vec<&str> = lines
        .map(|line| line.rsplit(',').next().expect("a fee"))
        .collect();
    assert_eq!(
        fees,
        ["2.00", "0.25", "3.00", "0.25", "10.00", "0.25", "300.00"]
    );

    // After a crash, from a snapshot, from the first record, and without a switch: the same bytes.
    let csv = [&invoice[..], &["--csv"]].concat();
    let charges = operator.text(&csv);
    assert!(
        charges.contains(&format!("{month},TSES,top-up-to-minimum,,,,,,,500.00\n")),
        "{charges}"
    );
    day.lab.kill_switch().expect("killed");
    assert_eq!(operator.text(&csv), charges);
    day.lab.start_switch().expect("started");
    operator.json(&["snapshot"]);
    assert_eq!(operator.text(&csv), charges);
    assert_eq!(
        operator.text(&[&csv[..], &["--from-genesis"]].concat()),
        charges
    );
    assert_eq!(
        operator.text(&["tariff", "export", "--month", month]),
        export
    );
    assert_eq!(&operator.json(&["tariff", "show"])["set_at"], table);
}

#[test]
fn a_table_waits_for_its_time() {
    let (dir, lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    let file = write(dir.path(), "table.toml", TABLE);
    let later = today().add_days(40).start().expect("a time").to_string();
    let set = ["--effective", &later, "tariff", "set", &file];
    operator.json(&set);
    let (code, said) = operator.run(&set);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("entry-exists"), "{said}");
    assert_eq!(operator.json(&["tariff", "show"])["set_at"], 0);
    let waiting = operator.text(&["--json", "schedule"]);
    assert!(waiting.contains("tariff-set"), "{waiting}");
    for words in [
        &["tariff", "invoice"][..],
        &["tariff", "invoice", "--month", "2026-13"],
        &["tariff", "try"],
        &["tariff", "export", "--day", "yesterday"],
        &[
            "tariff",
            "invoice",
            "--day",
            "2026-11-01",
            "--participant",
            "NOPE",
        ],
    ] {
        let (code, said) = operator.run(words);
        assert_eq!(code, Some(2), "{words:?}: {said}");
    }
}
