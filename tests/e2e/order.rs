//! Write, sync, send: seen from outside, by the system calls of the running switch.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use torap_bank::{PayOrder, Payee, SentPayment, WaitFor};
use torap_node::demo::{Day, customer_of};

use crate::program::lab_with;

const PAYMENTS: u32 = 5;
/// How long the tracer may take to write its last lines.
const TRACED_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// Result of a call that did not return.
const UNKNOWN: i64 = i64::MIN;

/// A system call of the trace. `began` and `ended` are lines of the trace, which are in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    name: String,
    text: String,
    began: usize,
    ended: usize,
    result: i64,
}

impl Call {
    fn is_on_segment(&self) -> bool {
        let handle = self.text.split('>').next().unwrap_or_default();
        handle.ends_with(".seg")
    }

    fn is_receipt(&self) -> bool {
        matches!(self.name.as_str(), "recvfrom" | "read" | "recvmsg") && self.result > 0
    }

    fn is_sending(&self) -> bool {
        matches!(
            self.name.as_str(),
            "sendto" | "sendmsg" | "write" | "writev"
        ) && self.text.contains("<TCP:")
    }
}

/// Reads what `strace -f -yy` wrote; calls that another thread interrupted stand on two lines.
fn parse(trace: &str) -> Vec<Call> {
    let mut unfinished: HashMap<&str, (usize, &str, String)> = HashMap::new();
    let mut calls = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, rest)) = text.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        let (began, name, text) = if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some((began, name, first)) = unfinished.remove(thread) else {
                continue;
            };
            let rest = resumed.split_once("resumed>").map_or("", |(_, rest)| rest);
            (began, name, first + rest)
        } else {
            let Some((name, text)) = rest.split_once('(') else {
                continue;
            };
            if let Some(first) = text.strip_suffix("<unfinished ...>") {
                unfinished.insert(thread, (line, name, first.to_string()));
                continue;
            }
            (line, name, text.to_string())
        };
        let Some((_, result)) = text.rsplit_once(" = ") else {
            continue;
        };
        let result = result.split(' ').next().and_then(|text| text.parse().ok());
        let result = result.unwrap_or(UNKNOWN);
        calls.push(Call {
            name: name.to_string(),
            text,
            began,
            ended: line,
            result,
        });
    }
    // The switch was ended in these; what they send may have arrived all the same.
    let ended = unfinished.into_values().map(|(began, name, text)| Call {
        name: name.to_string(),
        text,
        began,
        ended: usize::MAX,
        result: UNKNOWN,
    });
    calls.extend(ended);
    calls
}

/// Checks every message that was sent about the payment: behind the receipt that led to it, a segment was written and then synced
/// before the sending began. Gives their number.
fn check(calls: &[Call], uetr: &str) -> Result<usize, String> {
    let mut sent = 0;
    let about = calls.iter().filter(|call| call.text.contains(uetr));
    for sending in about.clone().filter(|call| call.is_sending()) {
        sent += 1;
        let receipt = about
            .clone()
            .filter(|call| call.is_receipt() && call.ended < sending.began)
            .max_by_key(|call| call.ended)
            .ok_or_else(|| format!("line {}: sent without a receipt", sending.began + 1))?;
        let is_durable = calls.iter().any(|write| {
            write.name == "pwrite64"
                && write.is_on_segment()
                && write.result > 0
                && write.began > receipt.ended
                && calls.iter().any(|sync| {
                    sync.name == "fdatasync"
                        && sync.is_on_segment()
                        && sync.result == 0
                        && sync.began > write.ended
                        && sync.ended < sending.began
                })
        });
        if !is_durable {
            return Err(format!(
                "line {}: sent before what was received in line {} was written and synced",
                sending.began + 1,
                receipt.ended + 1
            ));
        }
    }
    Ok(sent)
}

fn traced_lab(trace: &Path) -> (tempfile::TempDir, torap_node::demo::Lab) {
    let calls = "trace=pwrite64,fdatasync,sendto,sendmsg,write,writev,recvfrom,recvmsg,read";
    lab_with(|options| {
        let words = [
            "strace",
            "-D",
            "-f",
            "-q",
            "-yy",
            "-s",
            "65536",
            "-e",
            "signal=none",
            "-e",
            calls,
            "-o",
        ];
        options.launcher = words.iter().map(|word| (*word).into()).collect();
        options.launcher.push(trace.as_os_str().to_owned());
        options.segment_mib = 17;
    })
}

#[test]
fn every_answer_leaves_after_its_record_was_written_and_synced() {
    let folder = tempfile::TempDir::new().expect("temporary folder");
    let trace = folder.path().join("trace");
    let (_dir, lab) = traced_lab(&trace);
    let mut day = Day::new(lab);
    let mut payments = Vec::new();
    for number in 0..PAYMENTS {
        let customer = customer_of("HSBK", number).expect("customer");
        let payee = Payee::Account {
            bank: "HSBKKZKX".into(),
            iban: customer.iban.as_str().into(),
            name: customer.name,
            person: None,
        };
        let order = PayOrder::new(number, payee, Some("1.00"));
        let sent = day.pay_with("CASP", order).expect("payment");
        for code in ["CASP", "HSBK"] {
            let outcome = WaitFor {
                kind: Some("pacs.002".into()),
                uetr: Some(sent.uetr.clone()),
                is_final: true,
                ..WaitFor::default()
            };
            day.wait(code, outcome).expect("an outcome");
        }
        payments.push(sent);
    }
    day.lab.kill_switch().expect("kill");
    // The payment to the payee's bank, and the outcome to both. The tracer outlives the switch and may still be writing.
    let end = Instant::now() + TRACED_WITHIN;
    let seen = || {
        let calls = parse(&fs::read_to_string(&trace).expect("the trace"));
        let checked = |payment: &SentPayment| check(&calls, &payment.uetr);
        payments.iter().map(checked).collect::<Vec<_>>()
    };
    let expected = vec![Ok(3); payments.len()];
    while seen() != expected && Instant::now() < end {
        std::thread::sleep(POLL);
    }
    assert_eq!(seen(), expected);
}

#[test]
fn the_check_notices_an_answer_that_leaves_too_early() {
    let early = "\
7 recvfrom(9<TCP:[a->b]>, \"pay U\", 99, 0, NULL, NULL) = 5
8 pwrite64(5</j/1.seg>, \"x\", 1, 0) = 1
8 fdatasync(5</j/1.seg> <unfinished ...>
7 sendto(9<TCP:[a->b]>, \"done U\", 6, 0, NULL, 0) = 6
8 <... fdatasync resumed>) = 0
";
    let late = "\
7 recvfrom(9<TCP:[a->b]>, \"pay U\", 99, 0, NULL, NULL) = 5
8 pwrite64(5</j/1.seg>, \"x\", 1, 0) = 1
8 fdatasync(5</j/1.seg> <unfinished ...>
8 <... fdatasync resumed>) = 0
7 sendto(9<TCP:[a->b]>, \"done U\", 6, 0, NULL, 0) = 6
";
    assert_eq!(check(&parse(late), "U"), Ok(1));
    assert!(check(&parse(early), "U").is_err());
    let cut = early.lines().take(4).collect::<Vec<_>>().join("\n");
    assert!(check(&parse(&cut), "U").is_err());
    assert!(check(&parse(&cut.replace("= 6", "= ?")), "U").is_err());
    assert!(check(&parse(&late.replace("pwrite64", "read")), "U").is_err());
    assert!(
        check(
            &parse(&late.replace("resumed>) = 0", "resumed>) = -1 EIO")),
            "U"
        )
        .is_err()
    );
}
