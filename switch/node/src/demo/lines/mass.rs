//! A file of instant payments from a bank's link.

use torap_bank::{PayOrder, Request as BankRequest, SentPayment, WaitFor};

use super::{Line, payments::account_of};
use crate::demo::day::{Day, Told, kind};

pub(super) static FILE: Line = Line {
    title: "a file of three salaries, one with a wrong account",
    rows: &["O-01"],
    run: file,
};

fn file(day: &mut Day) -> Result<Told, String> {
    let mut orders = Vec::new();
    for number in 20..23 {
        orders.push(PayOrder::new(
            number,
            account_of("HSBK", number)?,
            Some("3500.00"),
        ));
    }
    if let Some(torap_bank::Payee::Account { iban, .. }) =
        orders.last_mut().map(|order| &mut order.payee)
    {
        // Its check digits are wrong.
        *iban = "KZ45722S000054326793".into();
    }
    let request = BankRequest::PayFile {
        message_id: "1/1/SALARIES".into(),
        orders,
    };
    let sent: Vec<SentPayment> =
        serde_json::from_value(day.ask("CASP", &request)?).map_err(|error| error.to_string())?;
    let [first, second, wrong] = sent.as_slice() else {
        return Err("three lines were sent".into());
    };
    let taken = WaitFor {
        kind: kind("pacs.002"),
        status: Some("ACTC".into()),
        uetr: Some(first.uetr.clone()),
        ..WaitFor::default()
    };
    let taken = day.wait("CASP", taken)?;
    Ok(Told::new("3 × 3 500.00")
        .check("ACTC", taken.status.unwrap_or_default())
        .check("ACSC", day.outcome("CASP", first)?)
        .check("ACSC", day.outcome("CASP", second)?)
        .check("RJCT AC03", day.outcome("CASP", wrong)?))
}
