//! Payments: own accounts, clocks, answers of the wrong bank, what the switch refuses by its rules and limits.

use torap_bank::{PayOrder, Payee, Request as Bank, WaitFor};
use torap_node::{
    control::Request as Ctl,
    demo::{Day, Lab, Line, Told, customer_of},
};

use super::{
    Case, about, account_of, again, brief, entry, form, go_through, is_found, look_up, pay,
    pay_edited, set, stray_uetr, update,
};

pub(super) const CASES: &[Case] = &[
    Case {
        line: Line {
            title: "Me2Me to an account that the directory knows as the payer's",
            rows: &["O-05"],
            run: own_account_known,
        },
        moved: &[("CASP", -5), ("HSBK", 5)],
    },
    Case {
        line: Line {
            title: "the payment's own time ends first",
            rows: &["O-12"],
            run: own_time_ends,
        },
        moved: &[("CASP", -12), ("HSBK", 12)],
    },
    Case {
        line: Line {
            title: "an answer about a payment of another bank, and about none",
            rows: &["O-17"],
            run: answer_unasked,
        },
        moved: &[("CASP", -17), ("HSBK", 17)],
    },
    Case {
        line: Line {
            title: "Me2Me, the confirmation comes late",
            rows: &["O-19"],
            run: confirmation_late,
        },
        moved: &[("CASP", -19), ("HSBK", 19)],
    },
    Case {
        line: Line {
            title: "a bank outside the service",
            rows: &["O-27"],
            run: outside_service,
        },
        moved: &[("CASP", -27), ("IRTY", 27)],
    },
    Case {
        line: Line {
            title: "banks that are no participants",
            rows: &["O-28"],
            run: no_participants,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "the payee's bank rejects with a code that the switch has as well",
            rows: &["O-10"],
            run: rejected_with_code_of_switch,
        },
        moved: &[("CASP", -10), ("HSBK", 10)],
    },
    Case {
        line: Line {
            title: "paying for a bank without being its technical sender",
            rows: &["O-30"],
            run: not_technical_sender,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "the entry changed since the look-up",
            rows: &["O-33"],
            run: alias_changed,
        },
        moved: &[("CASP", -33), ("HSBK", 33)],
    },
    Case {
        line: Line {
            title: "above the customer's amount for the day",
            rows: &["O-36"],
            run: customer_amount,
        },
        moved: &[("CASP", -36), ("HSBK", 36)],
    },
    Case {
        line: Line {
            title: "above the customer's number for the day",
            rows: &["O-37"],
            run: customer_count,
        },
        moved: &[("CASP", -74), ("HSBK", 74)],
    },
    Case {
        line: Line {
            title: "above the payer's bank's amount for the day",
            rows: &["O-38"],
            run: participant_amount,
        },
        moved: &[("TSES", -38), ("HSBK", 38)],
    },
    Case {
        line: Line {
            title: "the directory changes under a payment",
            rows: &["O-46"],
            run: overtaken,
        },
        moved: &[("CASP", -46), ("HSBK", 46)],
    },
];

#[test]
fn payments_come_out_as_documented() {
    go_through(CASES);
}

/// Customer `number` of Kaspi pays an account of the same person at Halyk.
fn own(day: &Day, number: u32, amount: &str) -> Result<torap_bank::SentPayment, String> {
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: customer_of("HSBK", number)?.iban.as_str().into(),
        name: customer_of("CASP", number)?.name,
        person: None,
    };
    let order = PayOrder {
        me2me: true,
        ..PayOrder::new(number, payee, Some(amount))
    };
    day.pay_with("CASP", order)
}

fn questions(day: &Day) -> Result<String, String> {
    let kind = Some("acmt.023".to_string());
    let asked = WaitFor {
        kind,
        ..WaitFor::default()
    };
    Ok(format!("{} asked", day.count("HSBK", &asked)?))
}

fn own_account_known(day: &mut Day) -> Result<Told, String> {
    let (payer, account) = (customer_of("CASP", 5)?, customer_of("HSBK", 5)?.iban);
    let command = entry("register", payer.phone, payer.person, &account, &payer.name);
    let registered = day.command("HSBK", command)?;
    is_found(day, payer.phone, &account)?;
    let sent = own(day, 5, "5.00")?;
    Ok(Told::new("5.00")
        .check("accepted", registered)
        .check("ACSC", day.outcome("CASP", &sent)?)
        .check("ACSC", day.outcome("HSBK", &sent)?)
        .check("0 asked", questions(day)?)
        .check("ACSC", again(day, "CASP", &sent)?))
}

fn own_time_ends(day: &mut Day) -> Result<Told, String> {
    set(day, "receiver_within_ms", 3_000)?;
    set(day, "payment_within_ms", 3_000)?;
    day.behave("HSBK", "silent")?;
    let order = PayOrder {
        accepted_shift_ms: -1_500,
        ..PayOrder::new(12, account_of("HSBK", 12)?, Some("12.00"))
    };
    let sent = day.pay_with("CASP", order)?;
    let (payer, payee) = (day.outcome("CASP", &sent)?, day.outcome("HSBK", &sent)?);
    set(day, "payment_within_ms", 10_000)?;
    set(day, "receiver_within_ms", 7_000)?;
    let same = again(day, "CASP", &sent)?;
    let (_, new) = pay(day, ("CASP", 12), account_of("HSBK", 12)?, "12.00")?;
    Ok(Told::new("12.00, accepted 1.5 of 3 s ago")
        .check("RJCT AB06", payer)
        .check("RJCT AB06", payee)
        .check("RJCT AB06", same)
        .check("ACSC", new))
}

fn rejected_with_code_of_switch(day: &mut Day) -> Result<Told, String> {
    let mut told = Told::new("10.00 thrice");
    for code in ["AM05", "AB10"] {
        day.behave("HSBK", &format!("reject:{code}"))?;
        let (sent, outcome) = pay(day, ("CASP", 10), account_of("HSBK", 10)?, "10.00")?;
        let rejected = format!("RJCT {code}");
        told = told
            .check(&rejected, outcome)
            .check(&rejected, again(day, "CASP", &sent)?);
    }
    let (_, new) = pay(day, ("CASP", 10), account_of("HSBK", 10)?, "10.00")?;
    Ok(told.check("ACSC", new))
}

fn answer_unasked(day: &mut Day) -> Result<Told, String> {
    let (sent, outcome) = pay(day, ("CASP", 17), account_of("HSBK", 17)?, "17.00")?;
    let answer = |uetr: &str, code: &str| -> Result<String, String> {
        let request = Bank::Answer {
            uetr: uetr.into(),
            transaction_id: sent.transaction_id.clone(),
            reason: Some("AC04".into()),
        };
        day.ask(code, &request)?;
        let filter = WaitFor {
            kind: Some("admi.002".into()),
            ..WaitFor::default()
        };
        day.wait(code, filter).map(|seen| brief(&seen))
    };
    let (other, none) = (
        answer(&sent.uetr, "IRTY")?,
        answer(&stray_uetr(day)?, "HSBK")?,
    );
    let told = day.count("CASP", &about("pacs.002", &sent))?;
    Ok(Told::new("17.00")
        .check("ACSC", outcome)
        .check("- AG09", other)
        .check("- AG09", none)
        .check("1 outcome", format!("{told} outcome")))
}

fn confirmation_late(day: &mut Day) -> Result<Told, String> {
    set(day, "confirm_within_ms", 300)?;
    day.behave("HSBK", "confirm-late:1000")?;
    let sent = own(day, 19, "19.00")?;
    let payer = day.outcome("CASP", &sent)?;
    let late = WaitFor {
        kind: Some("admi.002".into()),
        ..WaitFor::default()
    };
    let late = brief(&day.wait("HSBK", late)?);
    let forwards = day.count("HSBK", &about("pacs.008", &sent))?;
    set(day, "confirm_within_ms", 3_000)?;
    let same = again(day, "CASP", &sent)?;
    let new = own(day, 19, "19.00")?;
    Ok(Told::new("19.00, confirmed after 1 s of 0.3")
        .check("RJCT BE01", payer)
        .check("- AG09", late)
        .check("0 forwards", format!("{forwards} forwards"))
        .check("RJCT BE01", same)
        .check("ACSC", day.outcome("CASP", &new)?))
}

fn outside_service(day: &mut Day) -> Result<Told, String> {
    let mut without = form("IRTY");
    without.services = Some(vec!["c2c-phone".into(), "me2me".into(), "qr".into()]);
    update(day, without)?;
    let (_, to) = pay(day, ("CASP", 27), account_of("IRTY", 27)?, "27.00")?;
    let (_, from) = pay(day, ("IRTY", 27), account_of("CASP", 27)?, "27.00")?;
    update(day, form("IRTY"))?;
    let (_, new) = pay(day, ("CASP", 27), account_of("IRTY", 27)?, "27.00")?;
    Ok(Told::new("27.00 each way")
        .check("RJCT AG03", to)
        .check("RJCT AG03", from)
        .check("ACSC", new))
}

fn no_participants(day: &mut Day) -> Result<Told, String> {
    let customer = customer_of("HSBK", 28)?;
    let stranger = Payee::Account {
        bank: "ABCDKZKA".into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    };
    let (_, to) = pay(day, ("CASP", 28), stranger, "28.00")?;
    let order = PayOrder::new(28, account_of("HSBK", 28)?, Some("28.00"));
    let stranger = (
        "<DbtrAgt><FinInstnId><BICFI>CASPKZKA",
        "<DbtrAgt><FinInstnId><BICFI>ABCDKZKA",
    );
    let from = pay_edited(day, "CASP", order, &[stranger])?;
    Ok(Told::new("to ABCDKZKA and from it")
        .check("RJCT RC02", to)
        .check("RJCT RC02", day.outcome("CASP", &from)?))
}

fn not_technical_sender(day: &mut Day) -> Result<Told, String> {
    let halyks = (
        "<DbtrAgt><FinInstnId><BICFI>CASPKZKA",
        "<DbtrAgt><FinInstnId><BICFI>HSBKKZKX",
    );
    let order = PayOrder::new(30, account_of("IRTY", 30)?, Some("30.00"));
    let sent = pay_edited(day, "CASP", order, &[halyks])?;
    let payer = day.outcome("CASP", &sent)?;
    let forwards = day.count("IRTY", &about("pacs.008", &sent))?;
    Ok(Told::new("30.00 for Halyk")
        .check("RJCT AG08", payer)
        .check("0 forwards", format!("{forwards} forwards")))
}

fn alias_changed(day: &mut Day) -> Result<Told, String> {
    let (payee, other) = (customer_of("HSBK", 33)?, customer_of("HSBK", 133)?.iban);
    let with = |command: &str, iban| entry(command, payee.phone, payee.person, iban, &payee.name);
    let registered = day.command("HSBK", with("register", &payee.iban))?;
    is_found(day, payee.phone, &payee.iban)?;
    let before = look_up(day, "CASP", payee.phone)?;
    let changed = day.command("HSBK", with("change", &other))?;
    is_found(day, payee.phone, &other)?;
    let pay = |resolution_id: Option<String>| {
        let payee = Payee::Phone {
            phone: payee.phone.to_string(),
            bank: None,
            person: None,
        };
        let order = PayOrder {
            resolution_id,
            ..PayOrder::new(33, payee, Some("33.00"))
        };
        let sent = day.pay_with("CASP", order)?;
        day.outcome("CASP", &sent)
    };
    let overtaken = pay(before.resolution_id)?;
    let after = look_up(day, "CASP", payee.phone)?;
    Ok(Told::new("33.00, looked up before a change and after it")
        .check("accepted", registered)
        .check("accepted", changed)
        .check("RJCT AC15", overtaken)
        .check("ACSC", pay(after.resolution_id)?))
}

/// Limits of C2C by account: amount and number a customer may pay in a day, amount that a bank may.
fn limit(
    day: &Day,
    code: Option<&str>,
    amount: Option<&str>,
    count: u32,
    bank: Option<&str>,
) -> Result<(), String> {
    day.ctl(&Ctl::SetLimits {
        by: Lab::by(),
        service: "c2c-account".into(),
        code: code.map(String::from),
        payment_max: Some("5000000.00".into()),
        customer_day_amount_max: Some(amount.unwrap_or("10000000.00").into()),
        customer_day_count_max: Some(count),
        participant_day_amount_max: bank.map(String::from),
    })
    .map(|_| ())
}

fn customer_amount(day: &mut Day) -> Result<Told, String> {
    limit(day, None, Some("30.00"), 200, None)?;
    let pay = |from: u32| -> Result<String, String> {
        Ok(pay(day, ("CASP", from), account_of("HSBK", 36)?, "18.00")?.1)
    };
    let told = Told::new("18.00 by three, 30.00 allowed")
        .check("ACSC", pay(36)?)
        .check("RJCT AM14", pay(36)?)
        .check("ACSC", pay(136)?);
    limit(day, None, None, 200, None)?;
    Ok(told)
}

fn customer_count(day: &mut Day) -> Result<Told, String> {
    limit(day, None, None, 1, None)?;
    let pay = |from: u32| -> Result<String, String> {
        Ok(pay(day, ("CASP", from), account_of("HSBK", 37)?, "37.00")?.1)
    };
    let told = Told::new("37.00 by three, one each allowed")
        .check("ACSC", pay(37)?)
        .check("RJCT AM21", pay(37)?)
        .check("ACSC", pay(137)?);
    limit(day, None, None, 200, None)?;
    Ok(told)
}

fn participant_amount(day: &mut Day) -> Result<Told, String> {
    limit(day, Some("TSES"), None, 200, Some("30.00"))?;
    let pay = |from: u32| -> Result<String, String> {
        Ok(pay(day, ("TSES", from), account_of("HSBK", 38)?, "19.00")?.1)
    };
    let told = Told::new("19.00 three times, 30.00 allowed").check("ACSC", pay(38)?);
    let told = told.check("RJCT AM13", pay(138)?);
    limit(day, Some("TSES"), None, 200, Some("1000000.00"))?;
    Ok(told.check("ACSC", pay(138)?))
}

/// Kaspi changes what the directory holds of the payee and pays him in one breath: what was looked up for the payment is older
/// than the change.
fn overtaken(day: &mut Day) -> Result<Told, String> {
    let payee = customer_of("HSBK", 46)?;
    let second = customer_of("CASP", 46)?.iban;
    let first = entry(
        "register",
        payee.phone,
        payee.person,
        &payee.iban,
        &payee.name,
    );
    let registered = day.command("HSBK", first)?;
    is_found(day, payee.phone, &payee.iban)?;
    let change = entry("register", payee.phone, payee.person, &second, &payee.name);
    let target = Payee::Phone {
        phone: payee.phone.to_string(),
        bank: None,
        person: None,
    };
    let order = PayOrder::new(46, target, Some("46.00"));
    let both = Bank::Together {
        requests: vec![Bank::Command { command: change }, Bank::Pay(order)],
    };
    let sent = serde_json::from_value(day.ask("CASP", &both)?[1].take())
        .map_err(|error| error.to_string())?;
    let first = brief(&day.answer("CASP", &sent, 0)?);
    is_found(day, payee.phone, &second)?;
    Ok(Told::new("46.00 while the directory changes")
        .check("accepted", registered)
        .check("- AB10", first)
        .check("ACSC", again(day, "CASP", &sent)?)
        .check("ACSC", again(day, "CASP", &sent)?))
}
