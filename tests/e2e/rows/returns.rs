//! Returns: what gives money back, and what does not.

use serde_json::Value;
use torap_bank::{PayOrder, Payee, Request as Bank, SentPayment, WaitFor};
use torap_domain::{
    Bic, Text,
    qr::{MerchantAccount, QrCode},
};
use torap_node::demo::{Day, Line, Told, customer_of};

use super::{
    Case, about, account_of, balances, brief, edited, fund, go_through, link, message_id,
    next_number, set, set_state, settled, stray_uetr, text, until,
};

pub(super) const CASES: &[Case] = &[
    Case {
        line: Line {
            title: "the same return again",
            rows: &["O-82"],
            run: same_again,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "part of a person's payment",
            rows: &["O-83"],
            run: in_part,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "more than the payment, or than what is left of it",
            rows: &["O-84"],
            run: too_much,
        },
        moved: &[("CASP", -4), ("HSBK", 4)],
    },
    Case {
        line: Line {
            title: "a return of a payment that is not known",
            rows: &["O-86"],
            run: unknown,
        },
        moved: &[("CASP", -86), ("HSBK", 86)],
    },
    Case {
        line: Line {
            title: "a return of a payment in flight, and of a rejected one",
            rows: &["O-87"],
            run: not_settled,
        },
        moved: &[("CASP", -87), ("HSBK", 87)],
    },
    Case {
        line: Line {
            title: "a return by another bank",
            rows: &["O-88"],
            run: by_another,
        },
        moved: &[("CASP", -176), ("HSBK", 88), ("IRTY", 88)],
    },
    Case {
        line: Line {
            title: "a return after the window",
            rows: &["O-89"],
            run: after_window,
        },
        moved: &[("CASP", -89), ("HSBK", 89)],
    },
    Case {
        line: Line {
            title: "a return without the money",
            rows: &["O-90"],
            run: without_money,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "returns from and to suspended banks",
            rows: &["O-91"],
            run: suspended,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "a return while the payer's bank is away",
            rows: &["O-92"],
            run: payer_away,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "the identifier of another return",
            rows: &["O-93"],
            run: other_identifier,
        },
        moved: &[("CASP", -93), ("HSBK", 93)],
    },
];

#[test]
fn returns_come_out_as_documented() {
    go_through(CASES);
}

fn request(sent: &SentPayment, amount: Option<&str>) -> Bank {
    Bank::Return {
        uetr: sent.uetr.clone(),
        amount: amount.map(String::from),
        reason: "CUST".into(),
    }
}

/// Sends a return; the bank's own words about it, and the switch's answer.
fn give_back(day: &Day, code: &str, request: &Bank) -> Result<(Value, String), String> {
    let own = day.ask(code, request)?;
    let answer = answer(day, code, &message_id(&own)?, 0)?;
    Ok((own, answer))
}

fn answer(day: &Day, code: &str, message: &str, since: u64) -> Result<String, String> {
    let filter = WaitFor {
        since,
        kind: Some("pacs.002".into()),
        reference: Some(message.into()),
        ..WaitFor::default()
    };
    day.wait(code, filter).map(|seen| brief(&seen))
}

/// How often the payer's bank was given the payment back.
fn came_back(day: &Day, sent: &SentPayment) -> Result<String, String> {
    Ok(format!(
        "{} back",
        day.count("CASP", &about("pacs.004", sent))?
    ))
}

fn same_again(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "HSBK", "82.00")?;
    let (own, first) = give_back(day, "HSBK", &request(&sent, None))?;
    let since = next_number(day, "HSBK")?;
    day.ask("HSBK", &Bank::Again)?;
    let second = answer(day, "HSBK", &message_id(&own)?, since)?;
    day.wait("CASP", about("pacs.004", &sent))?;
    Ok(Told::new("82.00 twice")
        .check("ACSC", first)
        .check("ACSC", second)
        .check("1 back", came_back(day, &sent)?))
}

fn in_part(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "HSBK", "83.00")?;
    let (_, part) = give_back(day, "HSBK", &request(&sent, Some("80.00")))?;
    let nothing = came_back(day, &sent)?;
    let (_, new) = give_back(day, "HSBK", &request(&sent, None))?;
    Ok(Told::new("80.00 of 83.00, then 83.00")
        .check("RJCT AG13", part)
        .check("0 back", nothing)
        .check("ACSC", new))
}

/// A payment of the shop's static code.
fn shop(day: &Day, amount: &str) -> Result<SentPayment, String> {
    let account = MerchantAccount {
        bank: Bic::parse("HSBKKZKX").map_err(|error| error.to_string())?,
        iban: customer_of("HSBK", 84)?.iban,
        merchant_id: Text::truncated("SHOP-84"),
        bin: None,
    };
    let code = QrCode::new_static(account, 5411, "Дүкен", "Алматы", None)
        .map_err(|error| error.to_string())?
        .encode();
    let sent = day.pay_with("CASP", PayOrder::new(84, Payee::Qr { code }, Some(amount)))?;
    day.outcome("CASP", &sent)?;
    Ok(sent)
}

fn too_much(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "HSBK", "84.00")?;
    let (_, above) = give_back(day, "HSBK", &request(&sent, Some("84.01")))?;
    let (_, new) = give_back(day, "HSBK", &request(&sent, None))?;
    let bought = shop(day, "10.00")?;
    let (_, part) = give_back(day, "HSBK", &request(&bought, Some("6.00")))?;
    let (_, rest) = give_back(day, "HSBK", &request(&bought, Some("4.01")))?;
    Ok(Told::new("84.01 of 84.00; 6.00 and 4.01 of 10.00")
        .check("RJCT AM09", above)
        .check("ACSC", new)
        .check("ACSC", part)
        .check("RJCT AM09", rest))
}

fn unknown(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "HSBK", "86.00")?;
    let stray = stray_uetr(day)?;
    let request = edited(request(&sent, None), &[(&sent.uetr, &stray)]);
    let (_, answer) = give_back(day, "HSBK", &request)?;
    Ok(Told::new("86.00 of nothing")
        .check("RJCT AG09", answer)
        .check("0 back", came_back(day, &sent)?))
}

fn not_settled(day: &mut Day) -> Result<Told, String> {
    day.behave("HSBK", "silent")?;
    let sent = day.pay("CASP", 87, account_of("HSBK", 87)?, "87.00")?;
    day.wait("HSBK", about("pacs.008", &sent))?;
    let (_, in_flight) = give_back(day, "HSBK", &request(&sent, None))?;
    let answer = Bank::Answer {
        uetr: sent.uetr.clone(),
        transaction_id: sent.transaction_id.clone(),
        reason: None,
    };
    day.ask("HSBK", &answer)?;
    let outcome = day.outcome("CASP", &sent)?;
    day.behave("HSBK", "reject:AC04")?;
    let rejected = day.pay("CASP", 87, account_of("HSBK", 87)?, "87.00")?;
    day.outcome("HSBK", &rejected)?;
    let (_, after) = give_back(day, "HSBK", &request(&rejected, None))?;
    Ok(Told::new("87.00")
        .check("RJCT FF12", in_flight)
        .check("ACSC", outcome)
        .check("RJCT FF12", after))
}

fn by_another(day: &mut Day) -> Result<Told, String> {
    let halyks = settled(day, "CASP", "HSBK", "88.00")?;
    let fortes = settled(day, "CASP", "IRTY", "88.00")?;
    let pretended = [
        (fortes.uetr.as_str(), halyks.uetr.as_str()),
        (&fortes.transaction_id, &halyks.transaction_id),
    ];
    let request = edited(request(&fortes, None), &pretended);
    let (_, answer) = give_back(day, "IRTY", &request)?;
    Ok(Told::new("88.00 that Halyk has")
        .check("RJCT NARR", answer)
        .check("0 back", came_back(day, &halyks)?))
}

fn after_window(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "HSBK", "89.00")?;
    set(day, "return_window_ms", 1)?;
    let (_, answer) = give_back(day, "HSBK", &request(&sent, None))?;
    set(day, "return_window_ms", 395 * 86_400_000)?;
    Ok(Told::new("89.00 after 1 ms")
        .check("RJCT DT05", answer)
        .check("0 back", came_back(day, &sent)?))
}

fn without_money(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "TSES", "90.00")?;
    // What the laboratory gave it, and the payment.
    let all = 100_090;
    until("the position", || Ok(balances(day)?["TSES"] == all * 100))?;
    fund(day, "TSES", -all)?;
    let (_, short) = give_back(day, "TSES", &request(&sent, None))?;
    fund(day, "TSES", all)?;
    let (_, new) = give_back(day, "TSES", &request(&sent, None))?;
    Ok(Told::new("90.00, first without money")
        .check("RJCT AM04", short)
        .check("ACSC", new))
}

fn suspended(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "HSBK", "91.00")?;
    let mut told = Told::new("91.00");
    for (code, state, expected) in [
        ("HSBK", "suspended-debits", "RJCT AG10"),
        ("CASP", "suspended-credits", "RJCT AG11"),
        // A closing bank may still give back.
        ("HSBK", "closing", "ACSC"),
    ] {
        set_state(day, code, state)?;
        let (_, answer) = give_back(day, "HSBK", &request(&sent, None))?;
        set_state(day, code, "active")?;
        told = told.check(expected, answer);
    }
    Ok(told)
}

fn payer_away(day: &mut Day) -> Result<Told, String> {
    let sent = settled(day, "CASP", "HSBK", "92.00")?;
    link(day, "CASP", false)?;
    let (_, answer) = give_back(day, "HSBK", &request(&sent, None))?;
    let before = came_back(day, &sent)?;
    link(day, "CASP", true)?;
    let came = day.wait("CASP", about("pacs.004", &sent))?;
    Ok(Told::new("92.00 to a bank without a link")
        .check("ACSC", answer)
        .check("0 back", before)
        .check("92.00", came.amount.unwrap_or_default()))
}

fn other_identifier(day: &mut Day) -> Result<Told, String> {
    let first = settled(day, "CASP", "HSBK", "93.00")?;
    let second = settled(day, "CASP", "HSBK", "93.00")?;
    let (own, answer_to_first) = give_back(day, "HSBK", &request(&first, None))?;
    let since = next_number(day, "HSBK")?;
    let other = [
        (first.uetr.as_str(), second.uetr.as_str()),
        (&first.transaction_id, &second.transaction_id),
    ];
    day.ask("HSBK", &edited(Bank::Again, &other))?;
    let mixed = answer(day, "HSBK", &message_id(&own)?, since)?;
    Ok(
        Told::new(format!("{} for two payments", text(&own, "return_id")?))
            .check("ACSC", answer_to_first)
            .check("RJCT AM05", mixed)
            .check("0 back", came_back(day, &second)?),
    )
}
