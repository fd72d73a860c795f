//! The bench against simulated hosts: a good one passes every case, and each way of being bad is found.

mod memory;

use torap_bank::card::Security;
use torap_hsm_sim::ceremony::{KeyKinds, make_keys};
use torap_hsm_sim::machine::Machine;
use torap_hsm_sim::soft::{BankKeys, SoftVault};

use self::memory::{MemoryPeer, Twist};
use super::*;
use crate::catalogue::{self, CARD};
use crate::report::Verdict;

const PREFIX: &str = "93986010";

/// The same keys for bench and host.
fn keys() -> Option<BankKeys> {
    let vault = SoftVault::with_master(&[7; 32], [1; 32]).unwrap();
    let mut machine = Machine::new(vault).unwrap();
    let (_, file) = make_keys(&mut machine, "HSBK", KeyKinds::default()).unwrap();
    Some(BankKeys::open(&file, [3; 32]).unwrap())
}

fn subject() -> Subject {
    Subject::simulated("HSBK", "601", PREFIX).unwrap()
}

fn run(peer: &mut MemoryPeer, security: Security, choice: &Choice) -> Vec<Outcome> {
    let catalogue = catalogue::read::<Step>(CARD).unwrap();
    let mut bench = CardBench::new(subject(), security, peer, 77).unwrap();
    bench.run(&catalogue, choice, &mut |_| ())
}

fn plain() -> Security {
    Security::new(None, false, 1)
}

fn failures(outcomes: &[Outcome]) -> Vec<String> {
    let failed = outcomes
        .iter()
        .filter_map(|outcome| match &outcome.verdict {
            Verdict::Failed(why) => Some(format!("{}: {why}", outcome.id)),
            _ => None,
        });
    failed.collect()
}

fn only(cases: &[&str]) -> Choice {
    Choice {
        only: cases.iter().map(|case| (*case).to_string()).collect(),
        ..Choice::default()
    }
}

#[test]
fn a_simulated_host_passes_every_case() {
    let mut peer = MemoryPeer::new(PREFIX, keys(), true, Twist::None);
    let security = Security::new(keys(), true, 1);
    let outcomes = run(&mut peer, security, &Choice::default());
    assert_eq!(failures(&outcomes), [""; 0]);
    let passed = outcomes
        .iter()
        .filter(|outcome| outcome.verdict == Verdict::Passed);
    assert_eq!(
        passed.count(),
        catalogue::read::<Step>(CARD).unwrap().cases.len()
    );
}

#[test]
fn without_keys_some_cases_are_left_out_and_say_so() {
    let mut peer = MemoryPeer::new(PREFIX, None, false, Twist::None);
    let choice = Choice {
        skip_slow: true,
        ..Choice::default()
    };
    let outcomes = run(&mut peer, plain(), &choice);
    assert_eq!(failures(&outcomes), [""; 0]);
    let verdict = |id: &str| {
        let mut outcomes = outcomes.iter();
        let outcome = outcomes.find(|outcome| outcome.id == id).unwrap();
        outcome.verdict.words().1.to_string()
    };
    assert_eq!(verdict("I-05"), "no zone keys are agreed");
    assert_eq!(verdict("I-27"), "no MACs are agreed");
    assert!(verdict("A-05").contains("such cases were not wanted"));
    assert_eq!(verdict("I-01"), "");
}

#[test]
fn a_host_without_a_role_is_not_asked_for_it() {
    let mut peer = MemoryPeer::new(PREFIX, None, false, Twist::None);
    let catalogue = catalogue::read::<Step>(CARD).unwrap();
    let mut subject = subject();
    subject.acquirer = false;
    let mut bench = CardBench::new(subject, plain(), &mut peer, 77).unwrap();
    let outcomes = bench.run(&catalogue, &only(&["A-"]), &mut |_| ());
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        assert_eq!(
            outcome.verdict.words(),
            ("left-out", "the participant does not have this role")
        );
    }
}

#[test]
fn bad_hosts_fail_where_they_are_bad() {
    for (twist, case, expect) in [
        (Twist::Deaf, "I-01", "no 0210 came"),
        (Twist::Field(37, "000000000000"), "I-01", "field 37"),
        (Twist::Field(39, "05"), "I-01", "DE39 is 05"),
        (Twist::Field(39, "00"), "I-09", "DE39 is 00"),
        (
            Twist::Without(38),
            "I-01",
            "field 38: an approval has its code",
        ),
        (Twist::Field(4, "000000000001"), "I-01", "field 4"),
        (Twist::Twice, "I-08", "nobody asked for"),
        (
            Twist::Greedy,
            "I-25",
            "changed by -2000 tiyn, and not by -1000",
        ),
        (Twist::NoSignOn, "K-0", "did not sign on"),
        (Twist::WrongInstitution, "K-01", "field 33"),
        (Twist::Garbage, "I-01", "cannot be read"),
    ] {
        let mut peer = MemoryPeer::new(PREFIX, None, false, twist);
        let outcomes = run(&mut peer, plain(), &only(&[case]));
        let texts = failures(&outcomes).join("; ");
        assert!(texts.contains(expect), "{twist:?}: {texts}");
    }
}

#[test]
fn an_acquirer_that_sends_nothing_fails() {
    let mut peer = MemoryPeer::new(PREFIX, None, false, Twist::Idle);
    let outcomes = run(&mut peer, plain(), &only(&["A-01"]));
    assert_eq!(failures(&outcomes), ["A-01: step 2: no 0200 came"]);
}

#[test]
fn hosts_that_are_careless_with_keys_fail_where_they_are() {
    for (twist, case, expect) in [
        (Twist::Trusting, "Z-01", "field 39: `00` in place of `88`"),
        (Twist::Obedient, "Z-02", "field 39: `00` in place of `30`"),
        (
            Twist::WrongValue,
            "Z-03",
            "KV is not the check value of the key",
        ),
        (Twist::Forgetful, "Z-05", "DE39 is 55"),
        (Twist::Idle, "Z-06", "no 0200 came"),
        (Twist::Idle, "Z-07", "no 0800 came"),
    ] {
        let mut peer = MemoryPeer::new(PREFIX, keys(), false, twist);
        let security = Security::new(keys(), false, 1);
        let outcomes = run(&mut peer, security, &only(&["Z-"]));
        let failed = failures(&outcomes);
        let found = failed
            .iter()
            .any(|text| text.starts_with(case) && text.contains(expect));
        assert!(found, "{twist:?}: {failed:?}");
    }
}

#[test]
fn no_report_holds_a_key_block() {
    let mut peer = MemoryPeer::new(PREFIX, keys(), true, Twist::None);
    let security = Security::new(keys(), true, 1);
    let outcomes = run(&mut peer, security, &only(&["Z-03"]));
    assert_eq!(failures(&outcomes), [""; 0]);
    let text = serde_json::to_string(&outcomes).unwrap();
    // Blocks of version D begin with their version, length and usage.
    for head in ["P0TE", "M6AG", "P0AE"] {
        assert!(!text.contains(head), "{head}");
    }
    assert!(text.contains("KS") && text.contains("KV"));
}

#[test]
fn a_missing_mac_is_found() {
    let mut peer = MemoryPeer::new(PREFIX, keys(), false, Twist::None);
    let outcomes = run(&mut peer, Security::new(keys(), true, 1), &only(&["K-01"]));
    let texts = failures(&outcomes).join("; ");
    assert!(texts.contains("MAC: Missing"), "{texts}");
}

#[test]
fn no_report_holds_a_card_number() {
    let mut peer = MemoryPeer::new(PREFIX, keys(), true, Twist::None);
    let security = Security::new(keys(), true, 1);
    let outcomes = run(&mut peer, security, &Choice::default());
    let text = serde_json::to_string(&outcomes).unwrap();
    let subject = subject();
    let bench_card = TestCard::new(crate::subject::BENCH_PREFIX, 1).unwrap();
    for secret in [
        subject.card.pan.as_str(),
        subject.unknown_pan.as_str(),
        subject.card.track2.as_str(),
        bench_card.pan(),
    ] {
        assert!(!text.contains(secret));
    }
    assert!(text.contains("939860******"));
}

#[test]
fn the_catalogue_says_what_each_case_shows() {
    let catalogue = catalogue::read::<Step>(CARD).unwrap();
    let mut ids: Vec<&str> = Vec::new();
    let mut negative = 0;
    for case in &catalogue.cases {
        assert!(!ids.contains(&case.id.as_str()), "{} stands twice", case.id);
        ids.push(&case.id);
        assert!(
            !case.rows.is_empty() && !case.text.is_empty(),
            "{}",
            case.id
        );
        negative += usize::from(case.kind == catalogue::Kind::Negative);
    }
    assert!(negative * 3 > ids.len());
}

#[test]
fn every_row_of_the_catalogue_is_a_row_of_the_outcomes() {
    let page = include_str!("../../../../docs/outcomes-cards.md");
    for case in catalogue::read::<Step>(CARD).unwrap().cases {
        for row in &case.rows {
            assert!(page.contains(&format!("| {row} |")), "{}: {row}", case.id);
        }
    }
}

#[test]
fn the_page_is_the_catalogue() {
    let page = include_str!("../../../../docs/certification.md");
    let table = catalogue::read::<Step>(CARD).unwrap().markdown();
    assert!(
        page.contains(&table),
        "docs/certification.md is not what `torap certify catalogue` prints"
    );
}
