//! Recalls that the switch answers itself, and answers that nobody waits for.

use torap_bank::{Request as Bank, Seen, SentPayment, WaitFor};
use torap_node::{
    control::Request as Ctl,
    demo::{Day, Lab, Line, Told},
};

use super::{
    Case, about, brief, edited, go_through, message_id, next_number, rejected, settled, stray_uetr,
};

const DAY_MS: u64 = 86_400_000;

pub(super) const CASES: &[Case] = &[
    Case {
        line: Line {
            title: "the payee's bank does not answer in time",
            rows: &["O-103", "O-109"],
            run: not_answered,
        },
        moved: &[("CASP", -103), ("IRTY", 103)],
    },
    Case {
        line: Line {
            title: "a recall of a payment that is not known",
            rows: &["O-105"],
            run: unknown,
        },
        moved: &[("CASP", -105), ("IRTY", 105)],
    },
    Case {
        line: Line {
            title: "a recall of what was returned",
            rows: &["O-106"],
            run: returned,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "a recall after its window, and for a reason without a rule",
            rows: &["O-107"],
            run: window_over,
        },
        moved: &[("CASP", -107), ("IRTY", 107)],
    },
    Case {
        line: Line {
            title: "two recalls of one payment",
            rows: &["O-108"],
            run: in_progress,
        },
        moved: &[("CASP", -108), ("IRTY", 108)],
    },
    Case {
        line: Line {
            title: "an answer to a recall by a bank that was not asked",
            rows: &["O-109"],
            run: not_asked,
        },
        moved: &[("CASP", -218), ("HSBK", 109), ("IRTY", 109)],
    },
    Case {
        line: Line {
            title: "a recall by another bank",
            rows: &["O-110"],
            run: by_another,
        },
        moved: &[("CASP", -110), ("HSBK", -110), ("IRTY", 220)],
    },
];

#[test]
fn recalls_come_out_as_documented() {
    go_through(CASES);
}

fn request(sent: &SentPayment, reason: &str) -> Bank {
    Bank::Recall {
        uetr: sent.uetr.clone(),
        reason: reason.into(),
    }
}

/// Sends a recall and waits for the next camt.029 about the payment of this UETR.
fn recall(day: &Day, code: &str, request: &Bank, uetr: &str) -> Result<String, String> {
    let since = next_number(day, code)?;
    day.ask(code, request)?;
    answer(day, code, uetr, since).map(|seen| brief(&seen))
}

fn answer(day: &Day, code: &str, uetr: &str, since: u64) -> Result<Seen, String> {
    day.wait(
        code,
        WaitFor {
            since,
            kind: Some("camt.029".into()),
            uetr: Some(uetr.into()),
            ..WaitFor::default()
        },
    )
}

/// Sends a recall that reaches the payee's bank.
fn forwarded(day: &Day, sent: &SentPayment, payee: &str) -> Result<(), String> {
    let since = next_number(day, payee)?;
    day.ask("CASP", &request(sent, "DUPL"))?;
    let came = WaitFor {
        since,
        ..about("camt.056", sent)
    };
    day.wait(payee, came).map(|_| ())
}

fn refusal(sent: &SentPayment) -> Bank {
    Bank::RefuseRecall {
        uetr: sent.uetr.clone(),
        reason: "LEGL".into(),
    }
}

/// The payee's bank refuses, and the payer's bank hears it.
fn refused(day: &Day, payee: &str, sent: &SentPayment) -> Result<String, String> {
    let since = next_number(day, "CASP")?;
    day.ask(payee, &refusal(sent))?;
    answer(day, "CASP", &sent.uetr, since).map(|seen| brief(&seen))
}

/// The payee's bank refuses, but nobody waits for it: the code of the admi.002.
fn refused_in_vain(day: &Day, code: &str, refusal: &Bank) -> Result<String, String> {
    let id = message_id(&day.ask(code, refusal)?)?;
    rejected(day, code, &id).map(|seen| brief(&seen))
}

fn rule(day: &Day, reason: &str, window_ms: u64, answer_within_ms: u64) -> Result<(), String> {
    day.ctl(&Ctl::SetRecallRule {
        by: Lab::by(),
        reason: reason.into(),
        window_ms,
        answer_within_ms,
    })
    .map(|_| ())
}

fn not_answered(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "IRTY", "103.00")?;
    rule(day, "DUPL", 14 * DAY_MS, 300)?;
    let outcome = recall(day, "CASP", &request(&sent, "DUPL"), &sent.uetr)?;
    let late = refused_in_vain(day, "IRTY", &refusal(&sent))?;
    rule(day, "DUPL", 14 * DAY_MS, 21 * DAY_MS)?;
    forwarded(day, &sent, "IRTY")?;
    let new = refused(day, "IRTY", &sent)?;
    Ok(Told::new("103.00, 0.3 s for the answer; then again")
        .check("RJCR NOAS", outcome)
        .check("- AG09", late)
        .check("RJCR LEGL", new))
}

fn unknown(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "IRTY", "105.00")?;
    let stray = stray_uetr(day)?;
    let request = edited(request(&sent, "DUPL"), &[(&sent.uetr, &stray)]);
    let outcome = recall(day, "CASP", &request, &stray)?;
    Ok(Told::new("105.00 never paid").check("RJCR NOOR", outcome))
}

fn returned(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "IRTY", "106.00")?;
    let back = Bank::Return {
        uetr: sent.uetr.clone(),
        amount: None,
        reason: "CUST".into(),
    };
    day.ask("IRTY", &back)?;
    day.wait("CASP", about("pacs.004", &sent))?;
    let outcome = recall(day, "CASP", &request(&sent, "DUPL"), &sent.uetr)?;
    Ok(Told::new("106.00, back already").check("RJCR ARDT", outcome))
}

fn window_over(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "IRTY", "107.00")?;
    rule(day, "TECH", 1, 21 * DAY_MS)?;
    let over = recall(day, "CASP", &request(&sent, "TECH"), &sent.uetr)?;
    rule(day, "TECH", 14 * DAY_MS, 21 * DAY_MS)?;
    let none = recall(day, "CASP", &request(&sent, "UPAY"), &sent.uetr)?;
    let heard = day.count("IRTY", &about("camt.056", &sent))?;
    Ok(Told::new("107.00 for TECH after 1 ms, for UPAY")
        .check("RJCR NARR", over)
        .check("RJCR NARR", none)
        .check("0 forwards", format!("{heard} forwards")))
}

fn in_progress(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "IRTY", "108.00")?;
    forwarded(day, &sent, "IRTY")?;
    let second = recall(day, "CASP", &request(&sent, "DUPL"), &sent.uetr)?;
    let answered = refused(day, "IRTY", &sent)?;
    let heard = day.count("IRTY", &about("camt.056", &sent))?;
    let status = second.split(' ').next().unwrap_or_default();
    Ok(Told::new("108.00 twice")
        .check("PDCR", status)
        .check("RJCR LEGL", answered)
        .check("1 forward", format!("{heard} forward")))
}

fn not_asked(day: &mut Day) -> Result<Told, String> {
    let halyks = settled(day, "CASP", "HSBK", "109.00")?;
    let fortes = settled(day, "CASP", "IRTY", "109.00")?;
    forwarded(day, &halyks, "HSBK")?;
    let answered = refused(day, "HSBK", &halyks)?;
    let twice = refused_in_vain(day, "HSBK", &refusal(&halyks))?;
    forwarded(day, &fortes, "IRTY")?;
    let pretended = [
        (halyks.uetr.as_str(), fortes.uetr.as_str()),
        (&halyks.transaction_id, &fortes.transaction_id),
    ];
    let other = refused_in_vain(day, "HSBK", &edited(refusal(&halyks), &pretended))?;
    let still_open = refused(day, "IRTY", &fortes)?;
    Ok(Told::new("109.00 at Halyk and at Forte")
        .check("RJCR LEGL", answered)
        .check("- AG09", twice)
        .check("- AG09", other)
        .check("RJCR LEGL", still_open))
}

fn by_another(day: &mut Day) -> Result<Told, String> {
    let kaspis = settled(day, "CASP", "IRTY", "110.00")?;
    let halyks = settled(day, "HSBK", "IRTY", "110.00")?;
    let pretended = [
        (halyks.uetr.as_str(), kaspis.uetr.as_str()),
        (&halyks.transaction_id, &kaspis.transaction_id),
    ];
    let request = edited(request(&halyks, "DUPL"), &pretended);
    let outcome = recall(day, "HSBK", &request, &kaspis.uetr)?;
    let heard = day.count("IRTY", &about("camt.056", &kaspis))?;
    Ok(Told::new("110.00 that Kaspi paid")
        .check("RJCR NARR", outcome)
        .check("0 forwards", format!("{heard} forwards")))
}
