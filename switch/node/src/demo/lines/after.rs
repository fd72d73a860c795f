//! What comes after a payment: returns, recalls, status queries.

use torap_bank::{PayOrder, Request as BankRequest, WaitFor};
use torap_domain::Uetr;

use super::{Line, payments::account_of};
use crate::demo::day::{Day, Told, brief, kind};

pub(super) static RETURNED: Line = Line {
    title: "Forte returns a payment",
    rows: &["O-80"],
    run: returned,
};
pub(super) static RETURNED_TWICE: Line = Line {
    title: "a return of what is returned",
    rows: &["O-85"],
    run: returned_twice,
};
pub(super) static RECALL_PAID_BACK: Line = Line {
    title: "recall, paid back",
    rows: &["O-100", "O-102"],
    run: recall_paid_back,
};
pub(super) static RECALL_REFUSED: Line = Line {
    title: "recall, refused by the payee's bank",
    rows: &["O-101"],
    run: recall_refused,
};
pub(super) static RECALL_UNSETTLED: Line = Line {
    title: "recall of a rejected payment",
    rows: &["O-104"],
    run: recall_unsettled,
};
pub(super) static STATUS_KNOWN: Line = Line {
    title: "status of a settled payment",
    rows: &["O-71"],
    run: status_known,
};
pub(super) static STATUS_UNKNOWN: Line = Line {
    title: "status of a payment never received",
    rows: &["O-72", "O-63"],
    run: status_unknown,
};

/// Returns a payment; the switch's answer to the return.
pub(super) fn give_back(
    day: &Day,
    code: &str,
    uetr: &str,
    amount: Option<&str>,
) -> Result<String, String> {
    let request = BankRequest::Return {
        uetr: uetr.into(),
        amount: amount.map(String::from),
        reason: "CUST".into(),
    };
    let sent = day.ask(code, &request)?;
    let reference = sent["message_id"].as_str().map(String::from);
    day.wait(
        code,
        WaitFor {
            kind: kind("pacs.002"),
            reference,
            is_final: true,
            ..WaitFor::default()
        },
    )
    .map(|seen| brief(&seen))
}

fn returned(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 5, account_of("IRTY", 5)?, "410.00")?;
    day.outcome("CASP", &sent)?;
    let status = give_back(day, "IRTY", &sent.uetr, None)?;
    let came = day.wait(
        "CASP",
        WaitFor {
            kind: kind("pacs.004"),
            uetr: Some(sent.uetr.clone()),
            ..WaitFor::default()
        },
    )?;
    Ok(Told::new("410.00").check("ACSC", status).check(
        "410.00 back",
        format!("{} back", came.amount.unwrap_or_default()),
    ))
}

fn returned_twice(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 5, account_of("IRTY", 5)?, "420.00")?;
    day.outcome("CASP", &sent)?;
    let first = give_back(day, "IRTY", &sent.uetr, None)?;
    let second = give_back(day, "IRTY", &sent.uetr, None)?;
    Ok(Told::new("420.00 twice")
        .check("ACSC", first)
        .check("RJCT", second.split(' ').next().unwrap_or_default()))
}

fn recall(day: &Day, uetr: &str) -> Result<(), String> {
    day.ask(
        "CASP",
        &BankRequest::Recall {
            uetr: uetr.into(),
            reason: "DUPL".into(),
        },
    )?;
    Ok(())
}

fn recall_paid_back(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 5, account_of("IRTY", 6)?, "430.00")?;
    day.outcome("CASP", &sent)?;
    recall(day, &sent.uetr)?;
    day.wait(
        "IRTY",
        WaitFor {
            kind: kind("camt.056"),
            uetr: Some(sent.uetr.clone()),
            ..WaitFor::default()
        },
    )?;
    let status = give_back(day, "IRTY", &sent.uetr, None)?;
    let came = day.wait(
        "CASP",
        WaitFor {
            kind: kind("pacs.004"),
            uetr: Some(sent.uetr.clone()),
            ..WaitFor::default()
        },
    )?;
    Ok(Told::new("430.00").check("ACSC", status).check(
        "430.00 back",
        format!("{} back", came.amount.unwrap_or_default()),
    ))
}

fn recall_refused(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 5, account_of("IRTY", 6)?, "440.00")?;
    day.outcome("CASP", &sent)?;
    recall(day, &sent.uetr)?;
    let uetr = Some(sent.uetr.clone());
    day.wait(
        "IRTY",
        WaitFor {
            kind: kind("camt.056"),
            uetr: uetr.clone(),
            ..WaitFor::default()
        },
    )?;
    day.ask(
        "IRTY",
        &BankRequest::RefuseRecall {
            uetr: sent.uetr.clone(),
            reason: "LEGL".into(),
        },
    )?;
    let answer = day.wait(
        "CASP",
        WaitFor {
            kind: kind("camt.029"),
            uetr,
            ..WaitFor::default()
        },
    )?;
    Ok(Told::new("440.00").check("RJCR LEGL", brief(&answer)))
}

fn recall_unsettled(day: &mut Day) -> Result<Told, String> {
    day.behave("IRTY", "reject:AC06")?;
    let sent = day.pay("CASP", 5, account_of("IRTY", 6)?, "450.00")?;
    let outcome = day.outcome("CASP", &sent)?;
    recall(day, &sent.uetr)?;
    let answer = day.wait(
        "CASP",
        WaitFor {
            kind: kind("camt.029"),
            uetr: Some(sent.uetr.clone()),
            ..WaitFor::default()
        },
    )?;
    Ok(Told::new("450.00")
        .check("RJCT AC06", outcome)
        .check("RJCR", answer.status.unwrap_or_default()))
}

fn status_known(day: &mut Day) -> Result<Told, String> {
    let sent = day.pay("CASP", 5, account_of("IRTY", 6)?, "460.00")?;
    day.outcome("CASP", &sent)?;
    let known = WaitFor {
        kind: kind("pacs.002"),
        uetr: Some(sent.uetr.clone()),
        ..WaitFor::default()
    };
    let since = day.wait("CASP", known)?.number + 1;
    day.ask(
        "CASP",
        &BankRequest::Status {
            uetr: sent.uetr.clone(),
            transaction_id: sent.transaction_id.clone(),
        },
    )?;
    Ok(Told::new("460.00").check("ACSC", brief(&day.outcome_since("CASP", &sent, since)?)))
}

/// An unknown identifier is buried: a payment that comes later under it is refused, so "never received" is safe to act on.
fn status_unknown(day: &mut Day) -> Result<Told, String> {
    let (uetr, transaction_id) = (
        Uetr::from_random(*b"day's status qry").to_string(),
        "CASP-NEVER-SENT".to_string(),
    );
    day.ask(
        "CASP",
        &BankRequest::Status {
            uetr: uetr.clone(),
            transaction_id: transaction_id.clone(),
        },
    )?;
    let filter = WaitFor {
        kind: kind("pacs.002"),
        uetr: Some(uetr.clone()),
        ..WaitFor::default()
    };
    let answer = day.wait("CASP", filter)?;
    let mut order = PayOrder::new(5, account_of("IRTY", 6)?, Some("470.00"));
    (order.transaction_id, order.uetr) = (Some(transaction_id), Some(uetr));
    let sent = day.pay_with("CASP", order)?;
    let later = brief(&day.outcome_since("CASP", &sent, answer.number + 1)?);
    Ok(Told::new("asked, then sent")
        .check("RJCT AG09", brief(&answer))
        .check("RJCT", later.split(' ').next().unwrap_or_default()))
}
