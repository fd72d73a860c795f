//! The directory's commands, and look-ups.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use torap_bank::{Request as Bank, WaitFor};
use torap_node::{
    control::Request as Ctl,
    demo::{Day, Lab, Line, Told, customer_of},
};

use super::{
    Case, about_number, brief, edited, entry, go_through, is_found, look_up, message_id,
    next_number, rejected, set, set_state, text, until,
};

pub(super) const CASES: &[Case] = &[
    Case {
        line: Line {
            title: "a bank changes and removes its own entry",
            rows: &["O-141", "O-142", "O-144"],
            run: own_entry,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "a bank touches what is another bank's",
            rows: &["O-143"],
            run: foreign,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "two persons under one number: look-up, claim, the operator's release",
            rows: &["O-122", "O-147", "O-149", "O-151"],
            run: two_persons,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "claims while one is open, contests that come too late or twice",
            rows: &["O-150"],
            run: claims,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "two changes and a look-up at the same moment",
            rows: &["O-124", "O-152"],
            run: overtaken,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "look-ups of a bank that may not pay",
            rows: &["O-125"],
            run: may_not_look_up,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "a look-up of an account",
            rows: &["O-126"],
            run: account_looked_up,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "commands that are wrong",
            rows: &["O-153"],
            run: wrong_commands,
        },
        moved: &[],
    },
];

#[test]
fn the_directory_answers_as_documented() {
    go_through(CASES);
}

/// Registers the account of the bank's customer under the number and person of another's.
fn register(day: &Day, code: &str, number: u32, whose: (&str, u32)) -> Result<String, String> {
    let owner = customer_of(whose.0, whose.1)?;
    let account = customer_of(code, number)?.iban;
    let command = entry("register", owner.phone, owner.person, &account, &owner.name);
    let answer = day.command(code, command)?;
    is_found(day, owner.phone, &account)?;
    Ok(answer)
}

/// A command about a customer's number and person.
fn about(command: &str, whose: (&str, u32)) -> Result<Value, String> {
    let owner = customer_of(whose.0, whose.1)?;
    Ok(about_number(command, owner.phone, owner.person))
}

fn claim(whose: (&str, u32)) -> Result<Value, String> {
    let mut command = about("claim", whose)?;
    command["consent"] = "CONSENT-1".into();
    Ok(command)
}

/// The notice of this event that the bank got from message `since` on.
fn notice(day: &Day, code: &str, event: &str, since: u64) -> Result<String, String> {
    let filter = WaitFor {
        since,
        kind: Some("admi.004".into()),
        status: Some(event.into()),
        ..WaitFor::default()
    };
    day.wait(code, filter).map(|seen| brief(&seen))
}

fn own_entry(day: &mut Day) -> Result<Told, String> {
    let owner = customer_of("HSBK", 41)?;
    let other = customer_of("HSBK", 141)?.iban;
    let change = || entry("change", owner.phone, owner.person, &other, &owner.name);
    let unknown = day.command("HSBK", change())?;
    let first = register(day, "HSBK", 41, ("HSBK", 41))?;
    let twice = register(day, "HSBK", 41, ("HSBK", 41))?;
    let changed = [
        day.command("HSBK", change())?,
        day.command("HSBK", change())?,
    ];
    is_found(day, owner.phone, &other)?;
    let removed = [
        day.command("HSBK", about("remove", ("HSBK", 41))?)?,
        day.command("HSBK", about("remove", ("HSBK", 41))?)?,
    ];
    let [changed, changed_again] = changed;
    let [removed, removed_again] = removed;
    Ok(Told::new("register, change, remove, each twice")
        .check("refused entry-unknown", unknown)
        .check("accepted", first)
        .check("refused entry-exists", twice)
        .check("accepted", changed)
        .check("accepted", changed_again)
        .check("accepted", removed)
        .check("refused entry-unknown", removed_again))
}

fn foreign(day: &mut Day) -> Result<Told, String> {
    let registered = register(day, "HSBK", 43, ("HSBK", 43))?;
    let owner = customer_of("HSBK", 43)?;
    let register = entry(
        "register",
        owner.phone,
        owner.person,
        &owner.iban,
        &owner.name,
    );
    let mut in_its_name = about("remove", ("HSBK", 43))?;
    in_its_name["bank"] = "HSBKKZKX".into();
    Ok(Told::new("Kaspi with Halyk's account and in Halyk's name")
        .check("accepted", registered)
        .check(
            "refused account-bank-mismatch",
            day.command("CASP", register)?,
        )
        .check("refused unbound-sender", day.command("CASP", in_its_name)?))
}

fn two_persons(day: &mut Day) -> Result<Told, String> {
    let (holder, newcomer) = (customer_of("HSBK", 49)?, customer_of("TSES", 49)?);
    let told = Told::new("Halyk's customer, then Jusan's")
        .check("accepted", register(day, "HSBK", 49, ("HSBK", 49))?);
    let since = (next_number(day, "HSBK")?, next_number(day, "TSES")?);
    let command = entry(
        "register",
        holder.phone,
        newcomer.person,
        &newcomer.iban,
        &newcomer.name,
    );
    let told = told
        .check("accepted", day.command("TSES", command)?)
        .check("SUSP", notice(day, "HSBK", "SUSP", since.0)?)
        .check("SUSP", notice(day, "TSES", "SUSP", since.1)?);
    is_found(day, holder.phone, &newcomer.iban)?;
    let told = told
        .check("refused AG01", brief(&look_up(day, "CASP", holder.phone)?))
        .check(
            "refused alias-suspended",
            day.command("HSBK", claim(("HSBK", 49))?)?,
        );
    let mut release = about_number("release", holder.phone, newcomer.person);
    release["reference"] = "LETTER-49".into();
    day.ctl(&Ctl::Directory {
        by: Lab::by(),
        command: release,
    })?;
    let told = told
        .check("RLSD", notice(day, "HSBK", "RLSD", since.0)?)
        .check("RLSD", notice(day, "TSES", "RLSD", since.1)?);
    let found = look_up_settled(day, "CASP", holder.phone)?;
    Ok(told.check("found TSESKZKA", found))
}

/// Looks a number up until the directory does not change under the question.
fn look_up_settled(day: &Day, code: &str, phone: torap_domain::Phone) -> Result<String, String> {
    loop {
        let found = look_up(day, code, phone)?;
        if found.reason.as_deref() != Some("NORR") {
            let status = brief(&found);
            return Ok(format!("{status} {}", found.bank.unwrap_or_default()));
        }
    }
}

fn claims(day: &mut Day) -> Result<Told, String> {
    let whose = ("HSBK", 50);
    let told = Told::new("one person at three banks")
        .check("accepted", register(day, "HSBK", 50, whose)?)
        .check("accepted", register(day, "IRTY", 50, whose)?)
        .check("accepted", register(day, "TSES", 50, whose)?)
        .check("accepted", day.command("IRTY", claim(whose)?)?)
        .check("refused claim-open", day.command("TSES", claim(whose)?)?);
    let since = next_number(day, "IRTY")?;
    let contest = || day.command("HSBK", about("contest", whose)?);
    let told = told
        .check("accepted", contest()?)
        .check("CLRV", notice(day, "IRTY", "CLRV", since)?)
        .check("refused claim-unknown", contest()?)
        .check("refused claim-open", day.command("TSES", claim(whose)?)?);
    // Another number, under which a claim can be contested for no more than a moment.
    let whose = ("HSBK", 51);
    set(day, "contest_window_ms", 1)?;
    let told = told
        .check("accepted", register(day, "HSBK", 51, whose)?)
        .check("accepted", register(day, "IRTY", 51, whose)?)
        .check("accepted", day.command("IRTY", claim(whose)?)?);
    let claimed = Instant::now();
    until("the end of the moment", || {
        Ok(claimed.elapsed() > Duration::from_millis(1))
    })?;
    let told = told.check(
        "refused claim-unknown",
        day.command("HSBK", about("contest", whose)?)?,
    );
    set(day, "contest_window_ms", 86_400_000)?;
    Ok(told)
}

/// The messages leave in one write, so that the second and the third are looked up before the first is in the directory.
fn overtaken(day: &mut Day) -> Result<Told, String> {
    let owner = customer_of("HSBK", 52)?;
    let [first, second] = ["ROW-152-1", "ROW-152-2"].map(|reference| {
        let mut command = entry(
            "register",
            owner.phone,
            owner.person,
            &owner.iban,
            &owner.name,
        );
        command["reference"] = reference.into();
        Bank::Command { command }
    });
    let question = Bank::LookUp {
        phone: owner.phone.to_string(),
        person: None,
        bank: None,
    };
    let requests = vec![first, second, question];
    let sent = day.ask("HSBK", &Bank::Together { requests })?;
    let answer = |kind: &str, reference: String| {
        let filter = WaitFor {
            kind: Some(kind.into()),
            reference: Some(reference),
            ..WaitFor::default()
        };
        day.wait("HSBK", filter).map(|seen| brief(&seen))
    };
    let first = answer("json", text(&sent[0], "reference")?)?;
    let second = answer("json", text(&sent[1], "reference")?)?;
    let found = answer("acmt.024", text(&sent[2], "verification_id")?)?;
    is_found(day, owner.phone, &owner.iban)?;
    let repeated = register(day, "HSBK", 52, ("HSBK", 52))?;
    Ok(Told::new("three messages in one write")
        .check("accepted", first)
        .check("refused retry-later", second)
        .check("refused NORR", found)
        .check("refused entry-exists", repeated)
        .check("found HSBKKZKX", look_up_settled(day, "HSBK", owner.phone)?))
}

fn may_not_look_up(day: &mut Day) -> Result<Told, String> {
    let registered = register(day, "HSBK", 53, ("HSBK", 53))?;
    let phone = customer_of("HSBK", 53)?.phone;
    let mut told = Told::new(phone.to_string()).check("accepted", registered);
    for state in ["suspended-debits", "certifying"] {
        set_state(day, "TSES", state)?;
        told = told.check("refused BNOR", brief(&look_up(day, "TSES", phone)?));
    }
    set_state(day, "TSES", "active")?;
    Ok(told.check("found HSBKKZKX", look_up_settled(day, "TSES", phone)?))
}

fn account_looked_up(day: &mut Day) -> Result<Told, String> {
    let owner = customer_of("HSBK", 54)?;
    let question = Bank::LookUp {
        phone: owner.phone.to_string(),
        person: Some(owner.person.to_string()),
        bank: None,
    };
    let proxy = format!(
        "<Acct><Prxy><Tp><Cd>TELE</Cd></Tp><Id>{}</Id></Prxy></Acct>",
        owner.phone
    );
    let account = format!("<Acct><Id><IBAN>{}</IBAN></Id></Acct>", owner.iban.as_str());
    let asked = day.ask("CASP", &edited(question, &[(&proxy, &account)]))?;
    let answer = rejected(day, "CASP", &message_id(&asked)?)?;
    Ok(Told::new(owner.iban.as_str().to_string()).check("- CH17", brief(&answer)))
}

fn wrong_commands(day: &mut Day) -> Result<Told, String> {
    let phone = customer_of("HSBK", 55)?.phone.to_string();
    let person = customer_of("HSBK", 55)?.person.to_string();
    let mut told = Told::new("a wrong key, a wrong value, a missing one, no command");
    for (place, command) in [
        (
            "colour",
            json!({ "command": "remove", "phone": phone, "person": person, "colour": "red" }),
        ),
        (
            "phone",
            json!({ "command": "remove", "phone": "12", "person": person }),
        ),
        ("person", json!({ "command": "remove", "phone": phone })),
        ("command", json!({ "command": "explode", "phone": phone })),
    ] {
        let since = next_number(day, "HSBK")?;
        day.ask("HSBK", &Bank::Command { command })?;
        let filter = WaitFor {
            since,
            kind: Some("json".into()),
            ..WaitFor::default()
        };
        let seen = day.wait("HSBK", filter)?;
        let words = seen.text.clone().unwrap_or_default();
        let found = if words.split(": ").any(|part| part == place) {
            place
        } else {
            words.as_str()
        };
        told = told
            .check("refused profile-violation", brief(&seen))
            .check(place, found);
    }
    // No JSON at all: there is no reference to repeat.
    let since = next_number(day, "HSBK")?;
    let frame = Bank::Frame {
        content_type: 2,
        text: "{".into(),
    };
    day.ask("HSBK", &frame)?;
    let filter = WaitFor {
        since,
        kind: Some("json".into()),
        ..WaitFor::default()
    };
    let status = day.wait("HSBK", filter)?.status;
    Ok(told.check("refused", status.unwrap_or_default()))
}
