use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

pub(super) fn parse(line: &str) -> Result<Arguments, String> {
    let words = std::iter::once("load").chain(line.split_whitespace());
    Line::try_parse_from(words)
        .map(|line| line.arguments)
        .map_err(|error| error.to_string())
}

fn plan_of(line: &str) -> Plan {
    let arguments = parse(line).unwrap();
    let banks = (0..arguments.banks).map(own_switch::placeholder).collect();
    plan(&arguments, arguments.switch, Mode::Test, banks)
}

#[test]
fn the_documented_lines_are_understood() {
    let plan = plan_of("--rail instant --banks 4 --rate 2000 --duration 30");
    assert_eq!(
        (plan.rate, plan.duration, plan.banks.len()),
        (2000, Duration::from_secs(30), 4)
    );
    assert_eq!(
        (plan.in_flight_max, plan.check_every),
        (limits::IN_FLIGHT_MAX, 1000)
    );
    assert_eq!(plan.check(), Ok(()));
    assert_eq!(plan_of("--rate 0").in_flight_max, 512);
    assert_eq!(plan_of("--rate 2000 --inflight 7").in_flight_max, 7);
    assert!(parse("--own-switch --work-dir /data").unwrap().own_switch);
}

#[test]
fn wrong_flags_are_refused_with_their_name() {
    let refused = |line: &str, word: &str| {
        let text = match parse(line) {
            Err(text) => text,
            Ok(_) => match usage(plan_of(line).check()) {
                Err(Failure::Usage(text)) => text,
                other => panic!("{line}: {other:?}"),
            },
        };
        assert!(text.contains(word), "{line}: {text}");
    };
    refused("--rail cash", "--rail");
    refused("--banks 1", "--banks: 1 is not between 2 and 32");
    refused("--banks 33", "--banks: 33");
    refused("--rate 2000000", "--rate");
    refused("--duration 0", "--duration");
    refused(
        "--duration 5 --warm-up 5",
        "--warm-up: 5 is not between 0 and 4",
    );
    refused("--inflight 0", "--inflight");
    refused("--check-every 0", "--check-every");
    refused("--work-dir /data", "--own-switch");
    refused("--own-switch --switch 127.0.0.1:1", "--switch");
    refused("--gridlock 10", "--own-switch");
}

#[test]
fn a_gridlock_goes_with_a_plain_instant_load_of_three_banks() {
    let checked = |line: &str| gridlock::check(&parse(&format!("--own-switch {line}")).unwrap());
    assert!(checked("--gridlock 10000 --banks 30").is_ok());
    for (line, word) in [
        ("--gridlock 10 --rail card", "--rail instant"),
        ("--gridlock 10 --overload", "--overload"),
        ("--gridlock 10 --banks 2", "--banks 3"),
        ("--gridlock 3", "3 is not between 4,"),
        ("--gridlock 65537", "65537"),
    ] {
        let Err(Failure::Usage(text)) = checked(line) else {
            panic!("{line} is taken");
        };
        assert!(text.contains(word), "{line}: {text}");
    }
}

fn participant(code: &str) -> Participant {
    Participant {
        code: code.into(),
        bics: vec!["HSBKKZKX".into(), "HSBKKZKA".into()],
        bank_codes: vec!["601".into()],
        state: "active".into(),
        link_up: false,
        sponsor: None,
        outbound_last: 17,
    }
}

fn chosen(participants: &[Participant], wanted: usize) -> Result<Vec<String>, Failure> {
    let banks = choose(
        participants.to_vec(),
        wanted,
        |code| code != "NOFILE",
        |_| Ok([1; 32]),
    )?;
    Ok(banks
        .iter()
        .map(|bank| bank.code.as_str().to_string())
        .collect())
}

#[test]
fn only_participants_that_can_take_part_are_chosen() {
    let all = [
        Participant {
            state: "suspended".into(),
            ..participant("AWAY")
        },
        Participant {
            link_up: true,
            ..participant("BUSY")
        },
        Participant {
            sponsor: Some(1),
            ..participant("INDIRECT")
        },
        Participant {
            bank_codes: vec![],
            ..participant("NOCODE")
        },
        participant("NOFILE"),
        participant("ONE"),
        participant("TWO"),
        participant("THREE"),
    ];
    assert_eq!(chosen(&all, 2).unwrap(), ["ONE", "TWO"]);
    let Err(Failure::Failed(text)) = chosen(&all, 4) else {
        panic!("four were chosen");
    };
    assert!(text.contains("of 8 participants only 3"), "{text}");
    let banks = choose(all.to_vec(), 3, |code| code != "NOFILE", |_| Ok([1; 32])).unwrap();
    assert_eq!(
        (banks[0].held, banks[0].bic.as_str()),
        (Sequence::new(17), "HSBKKZKX")
    );
    assert!(matches!(
        choose(
            all.to_vec(),
            3,
            |_| true,
            |code| Err(format!("{code}: unreadable"))
        ),
        Err(Failure::Failed(_))
    ));
}

#[test]
fn the_own_switch_gets_a_configuration_that_it_accepts() {
    let config = crate::config::Config::parse(own_switch::CONFIGURATION).unwrap();
    assert_eq!(
        (config.listen.iso20022.port(), config.mode),
        (0, crate::config::Mode::Test)
    );
    let network: toml::Value = toml::from_str(&own_switch::network(32)).unwrap();
    let participants = network["participant"].as_array().unwrap();
    let bics: std::collections::BTreeSet<_> = participants
        .iter()
        .map(|row| row["bics"][0].as_str().unwrap())
        .collect();
    assert_eq!((participants.len(), bics.len()), (32, 32));
    assert_eq!(participants[31]["bank_codes"][0].as_str(), Some("932"));
}
