//! Cards: at terminals, machines and in web shops; hosts that misbehave, a scheme that is cut off, an HSM that stops.

use serde_json::Value;
use torap_bank::card::{Order, PinUse, Request as CardRequest, Seen, SentTransaction, WaitFor};
use torap_domain::{CardService, card::Channel};

use super::Line;
use crate::{
    control::{CardShow, Request},
    demo::{
        day::{Day, Told, about, card_brief},
        lab::{CARD_HOSTS, Lab, SCHEME_HOST},
    },
};

pub(super) static APPROVED: Line = Line {
    title: "card: purchase at a terminal",
    rows: &["C-02"],
    run: approved,
};
pub(super) static DECLINED: Line = Line {
    title: "card: more than there is on the account",
    rows: &["C-03"],
    run: declined,
};
pub(super) static WRONG_PIN: Line = Line {
    title: "card: cash with a wrong PIN, then with the right one",
    rows: &["C-02", "C-03"],
    run: wrong_pin,
};
pub(super) static SILENT: Line = Line {
    title: "card: the issuer is silent, and reversed",
    rows: &["C-34"],
    run: silent,
};
pub(super) static LATE: Line = Line {
    title: "card: the issuer's answer after the decision",
    rows: &["C-40"],
    run: late,
};
pub(super) static REPEATED: Line = Line {
    title: "card: the same purchase again",
    rows: &["C-80"],
    run: repeated,
};
pub(super) static STAND_IN: Line = Line {
    title: "card: the issuer is away, the switch stands in",
    rows: &["C-30", "C-73"],
    run: stand_in,
};
pub(super) static PRE_AUTHORISED: Line = Line {
    title: "card: pre-authorisation and completion",
    rows: &["C-01", "C-90"],
    run: pre_authorised,
};
pub(super) static PARTLY_REVERSED: Line = Line {
    title: "card: partial reversal",
    rows: &["C-51"],
    run: partly_reversed,
};
pub(super) static REFUNDED: Line = Line {
    title: "card: refund",
    rows: &["C-07"],
    run: refunded,
};
pub(super) static SCHEME_ASKED: Line = Line {
    title: "card: the foreign scheme adds its data",
    rows: &["C-120"],
    run: scheme_asked,
};
pub(super) static SCHEME_CUT: Line = Line {
    title: "card: the scheme's link is cut, and it goes on without",
    rows: &["C-121"],
    run: scheme_cut,
};
pub(super) static HSM_STOPPED: Line = Line {
    title: "card: the HSM stops, and comes back",
    rows: &["C-113"],
    run: hsm_stopped,
};
pub(super) static CLOSED: Line = Line {
    title: "card: the session is closed, and all totals agree",
    rows: &["C-130", "C-131"],
    run: closed,
};

/// An order of the bank's card number `card`.
pub(super) fn order(
    service: CardService,
    channel: Channel,
    issuer: &str,
    card: u32,
    amount: &str,
) -> Result<Order, String> {
    let mut hosts = CARD_HOSTS.iter();
    let host = hosts.find(|host| host.code == issuer);
    let host = host.ok_or_else(|| format!("no card host {issuer}"))?;
    Ok(Order::new(service, channel, host.prefix, card, amount))
}

pub(super) fn purchase(issuer: &str, amount: &str) -> Result<Order, String> {
    order(CardService::Purchase, Channel::Pos, issuer, 0, amount)
}

fn cash(issuer: &str, amount: &str, pin: PinUse) -> Result<Order, String> {
    let order = order(CardService::Cash, Channel::Atm, issuer, 1, amount)?;
    Ok(Order { pin, ..order })
}

/// A message of a type about a transaction.
pub(super) fn of_type(mti: &str, sent: &SentTransaction) -> WaitFor {
    WaitFor {
        mti: Some(mti.into()),
        ..about(sent)
    }
}

/// What a reversal or an advice of the acquirer is answered with.
fn answer_to(mti: &str, sent: &Value) -> WaitFor {
    WaitFor {
        mti: Some(mti.into()),
        stan: sent["stan"].as_str().map(String::from),
        ..WaitFor::default()
    }
}

fn has_tag(seen: &Seen, tag: &str) -> bool {
    seen.tags.iter().any(|(name, _)| name == tag)
}

fn with_or_without(seen: &Seen, tag: &str) -> String {
    let word = if has_tag(seen, tag) {
        "with"
    } else {
        "without"
    };
    format!("{word} {tag}")
}

fn approved(day: &mut Day) -> Result<Told, String> {
    let sent = day.transact("CASP", purchase("HSBK", "1500.00")?)?;
    let seen = day.card_wait(
        "CASP",
        WaitFor {
            is_answer: true,
            ..about(&sent)
        },
    )?;
    let asked = day.card_count("HSBK", of_type("0200", &sent))?;
    Ok(Told::new("1500.00, MAC both ways")
        .check("0210 00", card_brief(&seen))
        .check("with IF", with_or_without(&seen, "IF"))
        .check("issuer asked 1", format!("issuer asked {asked}")))
}

fn declined(day: &mut Day) -> Result<Told, String> {
    let order = order(CardService::Purchase, Channel::Pos, "HSBK", 2, "250.00")?;
    let (prefix, card) = (order.prefix.clone(), order.card);
    let balance = "100.00".to_string();
    day.card(
        "HSBK",
        CardRequest::SetBalance {
            prefix,
            card,
            balance,
        },
    )?;
    let sent = day.transact("CASP", order)?;
    Ok(Told::new("250.00 of 100.00").check("0210 51", day.card_outcome("CASP", &sent)?))
}

fn wrong_pin(day: &mut Day) -> Result<Told, String> {
    let wrong = day.transact("CASP", cash("HSBK", "100.00", PinUse::Wrong)?)?;
    let wrong = day.card_outcome("CASP", &wrong)?;
    let right = day.transact("CASP", cash("HSBK", "100.00", PinUse::Right)?)?;
    Ok(Told::new("100.00 twice")
        .check("0210 55", wrong)
        .check("0210 00", day.card_outcome("CASP", &right)?))
}

fn silent(day: &mut Day) -> Result<Told, String> {
    day.card_behave("IRTY", "silent")?;
    let sent = day.transact("CASP", purchase("IRTY", "30.00")?)?;
    let outcome = day.card_outcome("CASP", &sent)?;
    let reversal = day.card_wait("IRTY", of_type("0420", &sent))?;
    Ok(Told::new("30.00, answer within 2 s")
        .check("0210 91", outcome)
        .check(
            "issuer 0420 68",
            format!("issuer {}", card_brief(&reversal)),
        ))
}

fn late(day: &mut Day) -> Result<Told, String> {
    day.card_behave("IRTY", "delay:2500")?;
    let sent = day.transact("CASP", purchase("IRTY", "31.00")?)?;
    let outcome = day.card_outcome("CASP", &sent)?;
    day.card_wait("IRTY", of_type("0420", &sent))?;
    // Its answer leaves the issuer after that of the one before, on the same link.
    day.card_behave("IRTY", "delay:1000")?;
    let next = day.transact("CASP", purchase("IRTY", "32.00")?)?;
    let after = day.card_outcome("CASP", &next)?;
    let answers = day.card_count("CASP", of_type("0210", &sent))?;
    Ok(Told::new("31.00, answer after 2.5 s")
        .check("0210 91", outcome)
        .check("answers 1", format!("answers {answers}"))
        .check("next 0210 00", format!("next {after}")))
}

fn repeated(day: &mut Day) -> Result<Told, String> {
    let sent = day.transact("CASP", purchase("HSBK", "40.00")?)?;
    let first = day.card_wait("CASP", of_type("0210", &sent))?;
    day.card(
        "CASP",
        CardRequest::Again {
            reference: sent.reference.clone(),
            repeat: true,
            amount: None,
        },
    )?;
    let again = WaitFor {
        since: first.number + 1,
        ..of_type("0210", &sent)
    };
    let second = day.card_wait("CASP", again)?;
    let asked = day.card_count("HSBK", about(&sent))?;
    let same = if first.approval.is_some() && first.approval == second.approval {
        "same approval"
    } else {
        "another approval"
    };
    Ok(Told::new("40.00, 0200 and 0201")
        .check("0210 00", card_brief(&second))
        .check("same approval", same)
        .check("issuer asked 1", format!("issuer asked {asked}")))
}

fn stand_in(day: &mut Day) -> Result<Told, String> {
    day.card("HSBK", CardRequest::Link { up: false })?;
    day.lab.wait_for_card_host("HSBK", false)?;
    let small = day.transact("CASP", purchase("HSBK", "500.00")?)?;
    let small_outcome = day.card_outcome("CASP", &small)?;
    let large = day.transact("CASP", purchase("HSBK", "50000.00")?)?;
    let large_outcome = day.card_outcome("CASP", &large)?;
    day.card("HSBK", CardRequest::Link { up: true })?;
    day.lab.wait_for_card_host("HSBK", true)?;
    let advice = day.card_wait("HSBK", of_type("0220", &small))?;
    Ok(Told::new("500.00 and 50000.00")
        .check("0210 00", small_outcome)
        .check("0210 61", large_outcome)
        .check(
            "advice with SI",
            format!("advice {}", with_or_without(&advice, "SI")),
        ))
}

fn pre_authorised(day: &mut Day) -> Result<Told, String> {
    let order = order(
        CardService::PreAuthorisation,
        Channel::Pos,
        "HSBK",
        3,
        "3000.00",
    )?;
    let held = day.transact("CASP", order)?;
    let outcome = day.card_outcome("CASP", &held)?;
    let completion = day.card(
        "CASP",
        CardRequest::Complete {
            reference: held.reference.clone(),
            amount: "2000.00".into(),
        },
    )?;
    let answer = day.card_wait("CASP", answer_to("0230", &completion))?;
    let booked = WaitFor {
        mti: Some("0220".into()),
        ..WaitFor::default()
    };
    let booked = day.card_wait("HSBK", booked)?.amount;
    Ok(Told::new("3000.00, then 2000.00")
        .check("0110 00", outcome)
        .check("0230 00", card_brief(&answer))
        .check("issuer 200000", format!("issuer {}", booked.unwrap_or(0))))
}

fn partly_reversed(day: &mut Day) -> Result<Told, String> {
    let sent = day.transact("CASP", purchase("HSBK", "1000.00")?)?;
    let outcome = day.card_outcome("CASP", &sent)?;
    let reversal = day.card(
        "CASP",
        CardRequest::Reverse {
            reference: sent.reference.clone(),
            stands: Some("400.00".into()),
            request: false,
        },
    )?;
    let answer = day.card_wait("CASP", answer_to("0430", &reversal))?;
    let stands = day.card_wait("HSBK", of_type("0420", &sent))?.stands;
    Ok(Told::new("1000.00, of which 400.00 stands")
        .check("0210 00", outcome)
        .check("0430 00", card_brief(&answer))
        .check("issuer 40000", format!("issuer {}", stands.unwrap_or(0))))
}

fn refunded(day: &mut Day) -> Result<Told, String> {
    let sent = day.transact("CASP", purchase("IRTY", "700.00")?)?;
    let outcome = day.card_outcome("CASP", &sent)?;
    let refund = day.card(
        "CASP",
        CardRequest::Refund {
            reference: sent.reference,
            amount: "150.00".into(),
        },
    )?;
    let refund: SentTransaction =
        serde_json::from_value(refund).map_err(|error| error.to_string())?;
    Ok(Told::new("700.00, then 150.00 back")
        .check("0210 00", outcome)
        .check("0210 00", day.card_outcome("CASP", &refund)?))
}

/// A purchase in a web shop with a card of the scheme: its outcome, and what the issuer was asked.
fn in_web_shop(day: &Day, amount: &str) -> Result<(String, Seen), String> {
    let order = order(CardService::Purchase, Channel::Web, "TSES", 4, amount)?;
    let sent = day.transact("CASP", order)?;
    let outcome = day.card_outcome("CASP", &sent)?;
    Ok((outcome, day.card_wait("TSES", of_type("0200", &sent))?))
}

fn scheme_asked(day: &mut Day) -> Result<Told, String> {
    let (outcome, asked) = in_web_shop(day, "80.00")?;
    Ok(Told::new("80.00 in a web shop")
        .check("0210 00", outcome)
        .check(
            "issuer with FS",
            format!("issuer {}", with_or_without(&asked, "FS")),
        ))
}

fn scheme_cut(day: &mut Day) -> Result<Told, String> {
    let scheme = SCHEME_HOST.code;
    day.card(scheme, CardRequest::Link { up: false })?;
    day.lab.wait_for_card_host(scheme, false)?;
    let (outcome, asked) = in_web_shop(day, "81.00")?;
    day.card(scheme, CardRequest::Link { up: true })?;
    day.lab.wait_for_card_host(scheme, true)?;
    Ok(Told::new("81.00 in a web shop")
        .check("0210 00", outcome)
        .check(
            "issuer without FS",
            format!("issuer {}", with_or_without(&asked, "FS")),
        ))
}

fn hsm_stopped(day: &mut Day) -> Result<Told, String> {
    day.lab.set_hsm(false)?;
    let with_pin = day.transact("IRTY", cash("TSES", "90.00", PinUse::Right)?)?;
    let with_pin = day.card_outcome("IRTY", &with_pin)?;
    let without = day.transact("IRTY", purchase("TSES", "91.00")?)?;
    let without = day.card_outcome("IRTY", &without)?;
    day.lab.set_hsm(true)?;
    let again = day.transact("IRTY", cash("TSES", "90.00", PinUse::Right)?)?;
    Ok(Told::new("90.00 with a PIN, 91.00 without, 90.00 later")
        .check("0210 96", with_pin)
        .check("0210 00", without)
        .check("0210 00", day.card_outcome("IRTY", &again)?))
}

/// Sides that the switch has totals of.
fn sides(day: &Day) -> Result<Vec<(String, String)>, String> {
    let sessions = day.ctl(&Request::Card {
        what: CardShow::Sessions,
    })?;
    let rows = sessions["sessions"].as_array().ok_or("sessions: none")?;
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_string();
    let sides = rows.iter();
    Ok(sides
        .map(|row| (text(row, "participant"), text(row, "side")))
        .collect())
}

fn closed(day: &mut Day) -> Result<Told, String> {
    let sides = sides(day)?;
    day.ctl(&Request::CardCutOver { by: Lab::by() })?;
    let mut agreeing = 0;
    for host in &CARD_HOSTS {
        let wanted = sides.iter().filter(|(code, _)| code == host.code).count();
        let mut since = 0;
        for _ in 0..wanted {
            let totals = WaitFor {
                since,
                mti: Some("0520".into()),
                ..WaitFor::default()
            };
            since = day.card_wait(host.code, totals)?.number + 1;
        }
        let books = day.card(host.code, CardRequest::Books)?;
        if books["violations_count"] == 0 {
            agreeing += wanted;
        }
    }
    let expected = format!("{} totals agree", sides.len());
    Ok(Told::new("cut-over by the operator").check(expected, format!("{agreeing} totals agree")))
}
