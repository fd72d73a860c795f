//! A bank's own door for files of instant payments: one message of many lines, a crash in the middle, and every line paid once.

use serde_json::Value;
use torap_bank::{PayOrder, Payee, Request as BankRequest, SentPayment, WaitFor};
use torap_node::demo::{Day, customer_of};

use crate::program::{lab, stderr, stdout, torap};

const LINES: u32 = 300;

/// From one customer of Kaspi to one of Halyk.
fn order(number: u32, iban: Option<&str>) -> PayOrder {
    let customer = customer_of("HSBK", number).expect("a customer");
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: iban.unwrap_or(customer.iban.as_str()).into(),
        name: customer.name,
        person: None,
    };
    PayOrder::new(number, payee, Some("1.00"))
}

fn send(day: &Day, message_id: &str, orders: Vec<PayOrder>) -> Vec<SentPayment> {
    let request = BankRequest::PayFile {
        message_id: message_id.into(),
        orders,
    };
    let sent = day.ask("CASP", &request).expect("sent");
    serde_json::from_value(sent).expect("identifiers")
}

fn line(payment: &SentPayment, status: &str) -> WaitFor {
    WaitFor {
        kind: Some("pacs.002".into()),
        status: Some(status.into()),
        uetr: Some(payment.uetr.clone()),
        ..WaitFor::default()
    }
}

fn forward(payment: &SentPayment) -> WaitFor {
    WaitFor {
        kind: Some("pacs.008".into()),
        uetr: Some(payment.uetr.clone()),
        ..WaitFor::default()
    }
}

#[test]
fn a_file_of_a_bank_goes_on_by_itself_after_a_crash_and_pays_every_line_once() {
    let (_dir, mut lab) = lab();
    lab.wait_for_links().expect("signed on");
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let mut day = Day::new(lab);
    let file = || -> Value {
        let words = [
            "--dir", &dir, "ctl", "--json", "mass", "file", "CASP", "SALARY", "--lines",
        ];
        let output = torap(&words);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{text}");
        serde_json::from_str(&text).expect("JSON")
    };

    let sent = send(
        &day,
        "1/2/SALARY",
        (1..=LINES).map(|number| order(number, None)).collect(),
    );
    day.wait("CASP", line(&sent[LINES as usize - 1], "ACTC"))
        .expect("accepted for processing");
    // As soon as a line has been forwarded, the others are somewhere on the way.
    day.wait("HSBK", forward(&sent[20])).expect("forwarded");
    day.lab.kill_switch().expect("killed");
    day.lab.start_switch().expect("started");
    day.lab.wait_for_links().expect("signed on");
    // Nobody sends anything again.
    let mut settled = 0;
    for payment in &sent {
        let outcome = day
            .outcome("CASP", payment)
            .expect("every line has an outcome");
        assert!(
            outcome == "ACSC" || outcome.starts_with("RJCT AB"),
            "{outcome}"
        );
        settled += u64::from(outcome == "ACSC");
        let forwards = day.count("HSBK", &forward(payment)).expect("counted");
        assert!(forwards <= 1, "{payment:?} was forwarded {forwards} times");
    }
    assert!(settled >= u64::from(LINES) / 2, "{settled}");
    let known = file();
    let counts = ["lines", "settled", "waiting", "not_paid", "next_piece"];
    let counts = counts.map(|key| known[key].as_u64().expect("a number"));
    assert_eq!(counts, [u64::from(LINES), settled, 0, 0, 2], "{known}");

    // The last piece, with a line that breaks a table: it is refused alone, at once.
    let last = vec![order(301, None), order(302, Some("KZ45722S000054326793"))];
    let last = send(&day, "2/2/SALARY", last);
    let wrong = day.wait("CASP", line(&last[1], "RJCT")).expect("refused");
    assert_eq!(wrong.reason.as_deref(), Some("AC03"));
    assert_eq!(day.outcome("CASP", &last[0]).expect("an outcome"), "ACSC");
    // The same message again: each line as it stands, and nothing is paid again.
    day.ask("CASP", &BankRequest::Again).expect("sent");
    let again = WaitFor {
        since: wrong.number + 1,
        ..line(&last[1], "RJCT")
    };
    let again = day.wait("CASP", again).expect("refused again");
    let first_again = WaitFor {
        since: again.number,
        ..line(&last[0], "ACSC")
    };
    day.wait("CASP", first_again)
        .expect("settled, as it stands");
    assert_eq!(day.count("HSBK", &forward(&last[0])).expect("counted"), 1);
    // Other lines under a piece that was taken: refused as a whole.
    send(&day, "1/2/SALARY", vec![order(303, None)]);
    let reject = WaitFor {
        kind: Some("admi.002".into()),
        reference: Some("1/2/SALARY".into()),
        ..WaitFor::default()
    };
    let reject = day.wait("CASP", reject).expect("a reject");
    assert_eq!(reject.reason.as_deref(), Some("AM05"));
    // A piece that is not the next one.
    send(&day, "2/3/OTHER", vec![order(304, None)]);
    let reject = WaitFor {
        kind: Some("admi.002".into()),
        reference: Some("2/3/OTHER".into()),
        ..WaitFor::default()
    };
    day.wait("CASP", reject).expect("a reject");
    let known = file();
    assert_eq!(
        (&known["complete"], &known["lines"]),
        (&true.into(), &301.into()),
        "{known}"
    );
    assert_eq!(day.differences().expect("books"), Vec::<String>::new());
}
