//! Messages that are not carried out, and questions about payments.

use std::{fs::OpenOptions, io::Write};

use torap_bank::{PayOrder, Request as Bank, SentPayment, WaitFor};
use torap_node::demo::{Day, Line, Told};

use super::{
    Case, about, account_of, again, brief, go_through, message_id, next_number, pay_edited,
    rejected, set, settled,
};

pub(super) const CASES: &[Case] = &[
    Case {
        line: Line {
            title: "messages that break the usage tables",
            rows: &["O-51"],
            run: usage,
        },
        moved: &[("CASP", -51), ("HSBK", 51)],
    },
    Case {
        line: Line {
            title: "speaking for a bank that is not bound to the session",
            rows: &["O-52"],
            run: unbound,
        },
        moved: &[("CASP", -52), ("HSBK", 52)],
    },
    Case {
        line: Line {
            title: "messages that no bank sends, and some that nobody answers",
            rows: &["O-54", "O-55"],
            run: not_on_rail,
        },
        moved: &[("CASP", -54), ("HSBK", 54)],
    },
    Case {
        line: Line {
            title: "a content type without a meaning",
            rows: &["O-56"],
            run: frame_refused,
        },
        moved: &[("CASP", -56), ("HSBK", 56)],
    },
    Case {
        line: Line {
            title: "status of a payment in flight",
            rows: &["O-70"],
            run: status_in_flight,
        },
        moved: &[("CASP", -70), ("HSBK", 70)],
    },
    Case {
        line: Line {
            title: "status with identifiers of different payments, and by another bank",
            rows: &["O-73"],
            run: status_mismatch,
        },
        moved: &[("CASP", -146), ("HSBK", 146)],
    },
    // The last one: it leaves the switch with a short queue.
    Case {
        line: Line {
            title: "more payments at once than the intake holds",
            rows: &["O-53"],
            run: overloaded,
        },
        moved: &[("CASP", -FLOOD), ("HSBK", FLOOD)],
    },
];

/// Payments in one write.
const FLOOD: i64 = 300;

#[test]
fn messages_are_answered_as_documented() {
    go_through(CASES);
}

fn order(amount: &str) -> Result<PayOrder, String> {
    Ok(PayOrder::new(3, account_of("HSBK", 3)?, Some(amount)))
}

/// A payment that is spoilt, then the same one as it should be: nothing was used up.
fn spoilt_then_right(
    day: &Day,
    amount: &str,
    spoilt: (&str, &str),
) -> Result<(String, String, String), String> {
    let sent = pay_edited(day, "CASP", order(amount)?, &[spoilt])?;
    let refusal = rejected(day, "CASP", &sent.message_id)?;
    let forwards = day.count("HSBK", &about("pacs.008", &sent))?;
    let place = refusal.text.clone().unwrap_or_default();
    if forwards > 0 {
        return Err("the spoilt payment was forwarded".into());
    }
    Ok((brief(&refusal), place, again(day, "CASP", &sent)?))
}

fn names(text: &str, element: &str) -> String {
    if text.contains(element) {
        element.to_string()
    } else {
        text.to_string()
    }
}

fn usage(day: &mut Day) -> Result<Told, String> {
    let spoilt = ("<ChrgBr>SLEV", "<ChrgBr>SHAR");
    let (code, place, right) = spoilt_then_right(day, "51.00", spoilt)?;
    // The payee's bank's messages are held to the tables as well.
    let sent = settled(day, "CASP", "HSBK", "510.00")?;
    let back = |reason: &str| Bank::Return {
        uetr: sent.uetr.clone(),
        amount: None,
        reason: reason.into(),
    };
    let id = message_id(&day.ask("HSBK", &back("AGNT"))?)?;
    let returned = brief(&rejected(day, "HSBK", &id)?);
    day.ask("HSBK", &back("CUST"))?;
    let came = day.wait("CASP", about("pacs.004", &sent))?;
    Ok(Told::new("51.00; a return of 510.00")
        .check("- CH16", code)
        .check("ChrgBr", names(&place, "ChrgBr"))
        .check("ACSC", right)
        .check("- CH16", returned)
        .check("510.00", came.amount.unwrap_or_default()))
}

fn unbound(day: &mut Day) -> Result<Told, String> {
    let spoilt = (
        "<InstgAgt><FinInstnId><BICFI>CASPKZKA",
        "<InstgAgt><FinInstnId><BICFI>HSBKKZKX",
    );
    let (code, place, right) = spoilt_then_right(day, "52.00", spoilt)?;
    Ok(Told::new("52.00 in Halyk's name, then in its own")
        .check("- AG08", code)
        .check("InstgAgt", names(&place, "InstgAgt"))
        .check("ACSC", right))
}

const EVENT_NOTICE: &str = r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:admi.004.001.02"><SysEvtNtfctn><EvtInf><EvtCd>FLOR</EvtCd></EvtInf></SysEvtNtfctn></Document>"#;
const ACKNOWLEDGEMENT: &str = r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:admi.011.001.01"><SysEvtAck><MsgId>ROW-55</MsgId></SysEvtAck></Document>"#;
const REJECT: &str = r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:admi.002.001.01"><admi.002.001.01><RltdRef><Ref>ROW-55</Ref></RltdRef><Rsn><RjctgPtyRsn>FF01</RjctgPtyRsn></Rsn></admi.002.001.01></Document>"#;
const INITIATION: &str = r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn/></Document>"#;

fn not_on_rail(day: &mut Day) -> Result<Told, String> {
    let refused = |text: &str| -> Result<String, String> {
        let since = next_number(day, "CASP")?;
        day.ask("CASP", &Bank::Raw { text: text.into() })?;
        let filter = WaitFor {
            since,
            kind: Some("admi.002".into()),
            ..WaitFor::default()
        };
        day.wait("CASP", filter).map(|seen| brief(&seen))
    };
    let (notice, request) = (refused(EVENT_NOTICE)?, refused(INITIATION)?);
    let since = next_number(day, "CASP")?;
    for text in [ACKNOWLEDGEMENT, REJECT] {
        day.ask("CASP", &Bank::Raw { text: text.into() })?;
    }
    // Messages of a link are answered in their order: after the payment's outcome nothing about those before can come.
    settled(day, "CASP", "HSBK", "54.00")?;
    let answers = WaitFor {
        since,
        kind: Some("admi.002".into()),
        ..WaitFor::default()
    };
    let answers = day.count("CASP", &answers)?;
    Ok(Told::new("admi.004, pain.001; admi.011, admi.002")
        .check("- FF03", notice)
        .check("- FF01", request)
        .check("0 answers", format!("{answers} answers")))
}

fn frame_refused(day: &mut Day) -> Result<Told, String> {
    let frame = Bank::Frame {
        content_type: 77,
        text: "anything".into(),
    };
    day.ask("CASP", &frame)?;
    let next = |kind: &str| -> Result<String, String> {
        let filter = WaitFor {
            kind: Some(kind.into()),
            ..WaitFor::default()
        };
        day.wait("CASP", filter).map(|seen| brief(&seen))
    };
    let (error, reject) = (next("error")?, next("admi.002")?);
    settled(day, "CASP", "HSBK", "56.00")?;
    Ok(Told::new("content type 77, then a payment")
        .check("- 43", error)
        .check("- FF01", reject))
}

fn ask(day: &Day, code: &str, uetr: &str, transaction_id: &str) -> Result<String, String> {
    let request = Bank::Status {
        uetr: uetr.into(),
        transaction_id: transaction_id.into(),
    };
    message_id(&day.ask(code, &request)?)
}

fn status_in_flight(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "delay:1000")?;
    let sent: SentPayment = day.pay_with("CASP", order("70.00")?)?;
    day.wait("HSBK", about("pacs.008", &sent))?;
    ask(day, "CASP", &sent.uetr, &sent.transaction_id)?;
    let pending = brief(&day.wait("CASP", about("pacs.002", &sent))?);
    let outcome = day.outcome("CASP", &sent)?;
    let forwards = day.count("HSBK", &about("pacs.008", &sent))?;
    Ok(Told::new("70.00, answer after 1 s")
        .check("PDNG", pending)
        .check("ACSC", outcome)
        .check("1 forward", format!("{forwards} forward"))
        .check("ACSC", again(day, "CASP", &sent)?))
}

fn status_mismatch(day: &mut Day) -> Result<Told, String> {
    let first = settled(day, "CASP", "HSBK", "73.00")?;
    let second = settled(day, "CASP", "HSBK", "73.00")?;
    let mixed = ask(day, "CASP", &first.uetr, &second.transaction_id)?;
    let another = ask(day, "IRTY", &first.uetr, &first.transaction_id)?;
    Ok(Told::new("73.00 twice")
        .check("- NARR", brief(&rejected(day, "CASP", &mixed)?))
        .check("- NARR", brief(&rejected(day, "IRTY", &another)?))
        .check("ACSC", again(day, "CASP", &first)?))
}

/// The switch starts with the shortest queue that it takes, and a bank sends hundreds of payments in one write.
fn overloaded(day: &mut Day) -> Result<Told, String> {
    let file = day.lab.folder().configuration();
    let at = |error: std::io::Error| format!("{}: {error}", file.display());
    let mut configuration = OpenOptions::new().append(true).open(&file).map_err(at)?;
    configuration
        .write_all(b"\n[core]\nintake_max = 16\n")
        .map_err(at)?;
    day.lab.kill_switch()?;
    day.lab.start_switch()?;
    day.lab.wait_for_links()?;
    // Time enough to send again one by one.
    set(day, "payment_within_ms", 60_000)?;
    // A customer may pay 200 times a day.
    let order = |number: i64| -> Result<Bank, String> {
        let from = u32::try_from(number / 100).map_err(|error| error.to_string())?;
        let payee = account_of("HSBK", 3)?;
        Ok(Bank::Pay(PayOrder::new(100 + from, payee, Some("1.00"))))
    };
    let requests = (0..FLOOD)
        .map(order)
        .collect::<Result<Vec<Bank>, String>>()?;
    let sent = day.ask("CASP", &Bank::Together { requests })?;
    let sent: Vec<SentPayment> = serde_json::from_value(sent).map_err(|error| error.to_string())?;
    let (mut paused, mut others) = (0, Vec::new());
    for payment in &sent {
        let mut answered = brief(&day.answer("CASP", payment, 0)?);
        // The intake may be full of the others still.
        while answered == "- ED06" {
            paused += 1;
            let since = next_number(day, "CASP")?;
            let request = Bank::PayAgain {
                transaction_id: payment.transaction_id.clone(),
                amount: None,
            };
            let again = day.ask("CASP", &request)?;
            let again = serde_json::from_value(again).map_err(|error| error.to_string())?;
            answered = brief(&day.answer("CASP", &again, since)?);
        }
        others.push(answered);
    }
    let settled = others.iter().filter(|outcome| *outcome == "ACSC").count();
    Ok(Told::new(format!("{FLOOD} payments of 1.00 in one write"))
        .check(
            "some were put off",
            if paused > 0 {
                "some were put off"
            } else {
                "none was put off"
            },
        )
        .check(format!("{FLOOD} settled"), format!("{settled} settled")))
}
