use torap_domain::{Money, ParticipantId, Span, Text};
use torap_engine::{
    Command, Source, approval,
    participants::{self, Direction, State},
    schedule,
};
use torap_iso20022::view::Body;

use super::world::{CASP, HSBK, IRTY, Received, TSES, World, operator};
use crate::fixtures::{PAYEE_IIN, PAYEE_PHONE, PAYER_IIN};

/// Receiver, code and parameters of the notices among what was received.
fn events(received: &[Received]) -> Vec<(u16, String, Vec<String>)> {
    let read = |one: &Received| {
        let xml = one.text.starts_with("<?xml");
        let read = xml.then(|| {
            one.with(|message| match &message.body {
                Body::EventNotice(notice) => {
                    assert!(notice.description.is_some() && notice.time_ns.is_some());
                    Some((
                        notice.code.to_owned(),
                        notice.parameters.iter().map(str::to_owned).collect(),
                    ))
                }
                _ => None,
            })
        });
        read.flatten()
            .map(|(code, parameters)| (one.to, code, parameters))
    };
    received.iter().filter_map(read).collect()
}

fn event(to: u16, code: &str, parameters: &[&str]) -> (u16, String, Vec<String>) {
    (
        to,
        code.to_owned(),
        parameters
            .iter()
            .map(|parameter| (*parameter).to_owned())
            .collect(),
    )
}

fn entry(command: &str, person: &str, rest: &str) -> String {
    format!(
        r#"{{"command":"{command}","reference":"N-1","phone":"{PAYEE_PHONE}","person":"{person}"{rest}}}"#
    )
}

fn account(bank_code: &str) -> String {
    let code = torap_domain::BankCode::parse(bank_code).unwrap();
    let iban = torap_domain::Iban::for_kz(code, "0000000000001").unwrap();
    format!(r#","iban":"{iban}","name":"ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ""#)
}

#[test]
fn funding_and_its_marks() {
    let mut world = World::new();
    let received = world.fund(HSBK, Direction::Out, 6_000_000);
    let expected = [
        event(HSBK, "FUND", &["OUT", "60000.00", "ORDER-7"]),
        event(HSBK, "FLOR", &["40000.00"]),
    ];
    let mut found = events(&received);
    found.sort_by_key(|(_, code, _)| code != "FUND");
    assert_eq!(found, expected);
    let received = world.fund(HSBK, Direction::In, 30_000_000);
    assert!(events(&received).contains(&event(HSBK, "CEIL", &["340000.00"])));
    assert_eq!(
        events(&world.set_state(HSBK, State::Closing)),
        [event(HSBK, "PART", &["closing"])]
    );
    let halves = State::Suspended {
        debits: true,
        credits: false,
    };
    assert_eq!(
        events(&world.set_state(CASP, halves)),
        [event(CASP, "PART", &["suspended-debits"])]
    );
}

#[test]
fn a_change_that_waited_is_told_like_one_that_did_not() {
    let mut world = World::new();
    let fund = Command::Participants(participants::Command::Fund {
        source: operator(),
        participant: ParticipantId(HSBK),
        direction: Direction::In,
        amount: Money::kzt(100),
    });
    let told = [event(HSBK, "FUND", &["IN", "1.00", "ORDER-7"])];
    let wait = Span::from_secs(60);
    let order = |world: &World| {
        Command::Schedule(schedule::Command::Order {
            source: operator(),
            at: world.last().time.saturating_add(wait),
            command: Box::new(fund.clone()),
        })
    };
    // For its time.
    let ordered = order(&world);
    world.order(ordered);
    assert_eq!(events(&world.wait(wait)), told);
    // For another operator, and for both.
    world.order(Command::Approval(approval::Command::SetSettings {
        source: operator(),
        settings: approval::Settings {
            families: approval::Families::ALL,
            within: Span::from_secs(3600),
        },
    }));
    let approved = |world: &mut World, command: Command| {
        world.order(Command::Approval(approval::Command::Propose {
            source: operator(),
            command: Box::new(command),
        }));
        let id = world.last().position;
        world.order(Command::Approval(approval::Command::Decide {
            source: Source::Operator {
                name: Text::truncated("daniyar"),
                reference: Text::truncated("ORDER-8"),
            },
            id,
            approves: true,
        }))
    };
    assert_eq!(events(&approved(&mut world, fund.clone())), told);
    let ordered = order(&world);
    assert_eq!(events(&approved(&mut world, ordered)), []);
    assert_eq!(events(&world.wait(wait)), told);
}

#[test]
fn claims_and_suspensions() {
    let mut world = World::new();
    world.receive_json(CASP, &entry("register", PAYEE_IIN, &account("722")));
    world.receive_json(IRTY, &entry("register", PAYEE_IIN, &account("965")));
    let claimed = world.receive_json(IRTY, &entry("claim", PAYEE_IIN, r#","consent":"C-1""#));
    assert_eq!(
        events(&claimed),
        [event(CASP, "CLAM", &[PAYEE_PHONE, PAYEE_IIN])]
    );
    let contested = world.receive_json(CASP, &entry("contest", PAYEE_IIN, ""));
    assert!(
        events(&contested).contains(&event(IRTY, "CLRV", &[PAYEE_PHONE, PAYEE_IIN])),
        "{contested:?}"
    );
    let suspended = world.receive_json(TSES, &entry("register", PAYER_IIN, &account("998")));
    let told = events(&suspended);
    assert!(
        told.contains(&event(CASP, "SUSP", &[PAYEE_PHONE]))
            && told.contains(&event(IRTY, "SUSP", &[PAYEE_PHONE])),
        "{told:?}"
    );
    assert!(
        suspended.iter().all(|one| !one.text.contains(PAYER_IIN)),
        "nobody is told who else claims the number"
    );
    let released = world.order_json(&entry("release", PAYEE_IIN, ""));
    assert!(
        events(&released)
            .iter()
            .any(|(_, code, parameters)| code == "RLSD" && parameters == &[PAYEE_PHONE]),
        "{released:?}"
    );
    for kind in [
        "alias-claimed",
        "claim-contested",
        "alias-suspended",
        "alias-released",
    ] {
        assert!(world.seen.contains(kind), "{kind}");
    }
}
