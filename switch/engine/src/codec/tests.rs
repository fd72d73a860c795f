use std::{fs, path::Path};

use proptest::prelude::*;
use torap_domain::{Position, Reason};

use super::{arbitrary, samples, *};
use crate::{Outbound, cards, clearing, directory, instant};

fn encoded(command: &Command) -> (u16, Vec<u8>) {
    let mut facts = Vec::new();
    let kind = encode(command, &mut facts);
    (kind, facts)
}

fn stored<T: Stored>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}

/// The rule that refuses the bytes, and the field it names.
fn refusal(kind: u16, facts: &[u8]) -> (&'static str, LayoutRule) {
    let error = decode(kind, facts).unwrap_err();
    (error.field, error.rule)
}

#[test]
fn every_kind_has_one_number_from_0x10_on_and_a_sample() {
    let mut numbers: Vec<u16> = Kind::ALL.iter().map(|kind| kind.number()).collect();
    assert!(numbers.iter().all(|number| *number >= 0x10));
    assert!(numbers.is_sorted());
    numbers.dedup();
    assert_eq!(numbers.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        assert_eq!(Kind::from_number(kind.number()), Some(*kind));
    }
    let sampled: Vec<Kind> = samples::commands().iter().map(Kind::of).collect();
    assert_eq!(sampled, Kind::ALL);
}

#[test]
fn the_page_of_layouts_lists_every_kind() {
    let page = include_str!("../../../../docs/facts.md");
    for kind in Kind::ALL {
        let (number, name) = (kind.number(), kind.name());
        let row = format!("| {number:#04x} | `{name}` | {} |", kind.version());
        assert!(page.contains(&row), "{row} is missing");
        let fields = format!("| {number:#04x} `{name}` | ");
        assert!(page.contains(&fields), "fields of {name} are missing");
    }
    let stored = [
        (Outbound::NAME, Outbound::VERSION),
        (instant::Finished::NAME, instant::Finished::VERSION),
        (directory::Record::NAME, directory::Record::VERSION),
        (cards::Finished::NAME, cards::Finished::VERSION),
    ];
    for (name, version) in stored {
        let row = format!("| `{name}` | {version} |");
        assert!(page.contains(&row), "{row} is missing");
    }
}

#[test]
fn every_layout_is_the_one_of_its_golden_file() {
    for command in samples::commands() {
        let (kind, facts) = encoded(&command);
        let kind = Kind::from_number(kind).unwrap();
        check_golden(kind.name(), &facts);
        assert_eq!(decode(kind.number(), &facts), Ok(command));
    }
    for (command, name) in samples::reports::answers().into_iter().zip([
        "report-answer-balances",
        "report-answer-failed",
        "report-answer-limits",
        "report-request-payments",
        "report-answer-payments",
    ]) {
        let (kind, facts) = encoded(&Command::Reports(command.clone()));
        check_golden(name, &facts);
        assert_eq!(decode(kind, &facts), Ok(Command::Reports(command)));
    }
    check_golden(Outbound::NAME, &stored(&samples::outbound()));
    for (message, name) in samples::clearing::messages().into_iter().zip([
        "outbound-clearing-status",
        "outbound-clearing-forward",
        "outbound-clearing-report",
        "outbound-clearing-refused",
    ]) {
        let entry = Outbound {
            message,
            ..samples::outbound()
        };
        check_golden(name, &stored(&entry));
        assert_eq!(Outbound::decode(&stored(&entry)), Ok(entry));
    }
    for (message, name) in samples::settlement::messages().into_iter().zip([
        "outbound-imts-status",
        "outbound-imts-forward",
        "outbound-withdrawal-answer",
        "outbound-imts-receipt",
        "outbound-imts-day",
        "outbound-report",
        "outbound-imts-notice",
    ]) {
        let entry = Outbound {
            message,
            ..samples::outbound()
        };
        check_golden(name, &stored(&entry));
        assert_eq!(Outbound::decode(&stored(&entry)), Ok(entry));
    }
    let entry = Outbound {
        message: samples::mass::message(),
        ..samples::outbound()
    };
    check_golden("outbound-mass-status", &stored(&entry));
    assert_eq!(Outbound::decode(&stored(&entry)), Ok(entry));
    check_golden(instant::Finished::NAME, &stored(&samples::finished()));
    check_golden(directory::Record::NAME, &stored(&samples::record()));
    check_golden(cards::Finished::NAME, &stored(&samples::cards::finished()));
}

/// Compares with `golden/<name>.hex`; with TORAP_BLESS in the environment it writes the file first.
fn check_golden(name: &str, bytes: &[u8]) {
    let path = Path::new("src/codec/golden").join(format!("{name}.hex"));
    let mut hex = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            hex.push_str(&format!("{byte:02x}"));
        }
        hex.push('\n');
    }
    if std::env::var_os("TORAP_BLESS").is_some() {
        fs::write(&path, &hex).unwrap();
    }
    let golden =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(hex, golden, "{name} is not written as its golden file says");
}

#[test]
fn layouts_are_compact() {
    // The longest payment that occurs, with every optional fact.
    let payment = Command::Instant(instant::Command::CreditTransfer(samples::credit_transfer()));
    assert!(
        encoded(&payment).1.len() < 400,
        "{}",
        encoded(&payment).1.len()
    );
    // The common one: by account, no facts but the window's.
    let common = instant::CreditTransfer {
        alias: None,
        payee: None,
        qr: None,
        ..samples::credit_transfer()
    };
    let common = Command::Instant(instant::Command::CreditTransfer(common));
    assert!(
        encoded(&common).1.len() < 290,
        "{}",
        encoded(&common).1.len()
    );
    let card = Command::Cards(cards::Command::Request(samples::cards::request()));
    assert!(encoded(&card).1.len() < 160, "{}", encoded(&card).1.len());
    assert!(stored(&samples::cards::finished()).len() < 240);
    assert!(stored(&samples::outbound()).len() <= 68);
    let submit = &samples::clearing::commands()[0];
    let submit = Command::Clearing(submit.clone());
    assert!(
        encoded(&submit).1.len() < 700,
        "{}",
        encoded(&submit).1.len()
    );
    assert!(stored(&samples::finished()).len() <= 112);
}

#[test]
fn damaged_facts_name_the_field_and_the_rule() {
    let (start, facts) = encoded(&Command::Start {
        epoch: torap_domain::Epoch(7),
        binary: torap_domain::Text::truncated("torap"),
    });
    assert_eq!(
        refusal(0x0f, &facts),
        ("kind", LayoutRule::UnknownKind(0x0f))
    );
    assert_eq!(refusal(start, &[]), ("version", LayoutRule::Truncated));
    let mut other_version = facts.clone();
    other_version[0] = 9;
    assert_eq!(
        refusal(start, &other_version),
        ("version", LayoutRule::UnknownVersion(9))
    );
    assert_eq!(
        refusal(start, &facts[..3]),
        ("epoch", LayoutRule::Truncated)
    );
    assert_eq!(
        refusal(start, &facts[..8]),
        ("binary", LayoutRule::Truncated)
    );
    let mut longer = facts.clone();
    longer.push(0);
    assert_eq!(refusal(start, &longer), ("end", LayoutRule::Trailing));
    let mut not_text = facts.clone();
    not_text[6] = 0xff;
    assert_eq!(refusal(start, &not_text), ("binary", LayoutRule::Value));
    // The length 5 written as if it were more than 254.
    let mut long_form = facts[..5].to_vec();
    long_form.extend_from_slice(&[0xff, 5, 0, 0, 0]);
    long_form.extend_from_slice(b"torap");
    assert_eq!(
        refusal(start, &long_form),
        ("binary", LayoutRule::NotShortest)
    );

    let (rules, facts) = encoded(&Command::Rules {
        source: crate::Source::Switch,
        version: 1,
    });
    let mut tag = facts.clone();
    tag[1] = 4;
    assert_eq!(refusal(rules, &tag), ("source", LayoutRule::Tag));
    let error = decode(rules, &tag).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rules, field source at byte 1: the tag or number is in no table"
    );
}

/// Each of these kinds is a plain one with a part more: without the part its bytes would be a second form of the plain one.
#[test]
fn a_kind_whose_part_is_empty_is_refused() {
    for kind in [Kind::ClearingSubmitPart, Kind::ClearingSetLists] {
        let command = samples::commands()
            .into_iter()
            .find(|command| Kind::of(command) == kind)
            .unwrap();
        let emptied = match command {
            Command::Clearing(clearing::Command::Submit(mut submit)) => {
                submit.refused.clear();
                clearing::Command::Submit(submit)
            }
            Command::Clearing(clearing::Command::SetPurposes { source, .. }) => {
                let rows = Vec::new();
                clearing::Command::SetPurposes { source, rows }
            }
            other => panic!("{other:?} has no part of its own"),
        };
        let (plain, mut facts) = encoded(&Command::Clearing(emptied));
        assert!(decode(plain, &facts).is_ok());
        assert_ne!(plain, kind.number());
        // The empty part, where it is written as a list of its own.
        for _ in 0..2 {
            assert!(decode(kind.number(), &facts).is_err(), "{}", kind.name());
            facts.push(0);
        }
    }
}

/// The engine refuses many of them, after they are in the log: a log that cannot be read again would be lost for it.
#[test]
fn whatever_stands_inside_an_order_or_a_proposal_can_be_read() {
    let source = crate::Source::Switch;
    let at = torap_domain::Time::from_nanos(7);
    for command in samples::commands() {
        let inner = Box::new(command.clone());
        let order = Command::Schedule(crate::schedule::Command::Order {
            source,
            at,
            command: inner,
        });
        if !matches!(command, Command::Schedule(_) | Command::Approval(_)) {
            let (kind, facts) = encoded(&order);
            assert_eq!(decode(kind, &facts).as_ref(), Ok(&order));
        }
        let proposal = Command::Approval(crate::approval::Command::Propose {
            source,
            command: Box::new(command.clone()),
        });
        if !matches!(command, Command::Approval(_)) {
            let (kind, facts) = encoded(&proposal);
            assert_eq!(decode(kind, &facts).as_ref(), Ok(&proposal));
        }
    }
}

#[test]
fn an_outbound_flag_without_its_field_is_refused() {
    let entry = Outbound {
        expires: None,
        message: crate::Message::Forward {
            original: Position(1000),
        },
        ..samples::outbound()
    };
    let plain = stored(&entry);
    for flag in [0b10, 0b100, 0b1000, 0b1_0000] {
        let mut bytes = plain.clone();
        bytes[1] |= flag;
        let error = Outbound::decode(&bytes).unwrap_err();
        assert_eq!((error.field, error.rule), ("flags", LayoutRule::Tag));
    }
    // A refusal flag makes the answer carry its reason.
    let answer = Outbound {
        message: crate::Message::CommandAnswer {
            original: Position(1000),
            refusal: Some(Reason::EntryExists),
        },
        ..entry
    };
    assert_eq!(Outbound::decode(&stored(&answer)), Ok(answer));
}

#[test]
fn a_huge_count_reserves_no_memory() {
    // An import that claims four thousand million entries in a few bytes.
    let (kind, mut facts) = encoded(&Command::Directory(directory::Command::Import {
        source: crate::Source::Switch,
        participant: torap_domain::ParticipantId(1),
        entries: Vec::new(),
    }));
    facts.pop();
    facts.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(refusal(kind, &facts), ("phone", LayoutRule::Truncated));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn commands_survive_the_round_trip(command in arbitrary::command()) {
        let (kind, facts) = encoded(&command);
        prop_assert_eq!(decode(kind, &facts), Ok(command));
    }

    #[test]
    fn stored_values_survive_the_round_trip(
        outbound in arbitrary::outbound(),
        finished in arbitrary::finished(),
        record in arbitrary::record(),
        card in arbitrary::card_finished(),
    ) {
        prop_assert_eq!(cards::Finished::decode(&stored(&card)), Ok(card));
        // The longest is a case that expires, which none does.
        prop_assert!(stored(&outbound).len() <= 105);
        prop_assert_eq!(Outbound::decode(&stored(&outbound)), Ok(outbound));
        prop_assert_eq!(instant::Finished::decode(&stored(&finished)), Ok(finished));
        prop_assert_eq!(directory::Record::decode(&stored(&record)), Ok(record));
    }

    /// Whatever the bytes, reading ends; and what is read is written as the same bytes.
    #[test]
    fn arbitrary_bytes_never_panic(kind in 0_u16..0xe0, bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_bytes(kind, &bytes);
        check_stored::<Outbound>(&bytes);
        check_stored::<instant::Finished>(&bytes);
        check_stored::<directory::Record>(&bytes);
        check_stored::<cards::Finished>(&bytes);
    }

    #[test]
    fn mutated_bytes_never_panic(
        command in arbitrary::command(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<proptest::sample::Index>(),
    ) {
        let (kind, mut facts) = encoded(&command);
        for (place, byte) in changes {
            let place = place.index(facts.len());
            facts[place] = byte;
        }
        check_bytes(kind, &facts);
        check_bytes(kind, &facts[..cut.index(facts.len())]);
    }

    #[test]
    fn mutated_stored_values_never_panic(
        outbound in arbitrary::outbound(),
        record in arbitrary::record(),
        place in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = stored(&outbound);
        let at = place.index(bytes.len());
        bytes[at] = byte;
        check_stored::<Outbound>(&bytes);
        let mut bytes = stored(&record);
        let at = place.index(bytes.len());
        bytes[at] = byte;
        check_stored::<directory::Record>(&bytes);
    }
}

fn check_bytes(kind: u16, bytes: &[u8]) {
    if let Ok(command) = decode(kind, bytes) {
        assert_eq!(encoded(&command), (kind, bytes.to_vec()));
    }
}

fn check_stored<T: Stored>(bytes: &[u8]) {
    if let Ok(value) = T::decode(bytes) {
        assert_eq!(stored(&value), bytes);
    }
}
