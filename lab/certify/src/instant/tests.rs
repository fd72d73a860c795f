//! The bench against simulated banks: a good one passes every case, and each way of being bad is found.

mod memory;

use self::memory::{MemoryBank, SECRET, Twist};
use super::*;
use crate::catalogue::{self, INSTANT, Kind};
use crate::report::Verdict;

fn subject() -> Subject {
    Subject::simulated("HSBK", "HSBKKZKX", "601").unwrap()
}

fn run(bank: &mut MemoryBank, choice: &Choice) -> Vec<Outcome> {
    let catalogue = catalogue::read::<Step>(INSTANT).unwrap();
    let mut bench = InstantBench::new(subject(), SECRET, bank, Standing::default(), 77).unwrap();
    bench.run(&catalogue, choice, &mut |_| ())
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
fn a_simulated_bank_passes_every_case() {
    let mut bank = MemoryBank::new(Twist::None);
    let outcomes = run(&mut bank, &Choice::default());
    assert_eq!(failures(&outcomes), [""; 0]);
    let passed = outcomes
        .iter()
        .filter(|outcome| outcome.verdict == Verdict::Passed);
    let cases = catalogue::read::<Step>(INSTANT).unwrap().cases;
    assert_eq!(passed.count(), cases.len());
}

#[test]
fn a_second_run_goes_on_where_the_first_ended() {
    let mut bank = MemoryBank::new(Twist::None);
    let catalogue = catalogue::read::<Step>(INSTANT).unwrap();
    let mut standing = Standing::default();
    for _ in 0..2 {
        let mut bench = InstantBench::new(subject(), SECRET, &mut bank, standing, 77).unwrap();
        let outcomes = bench.run(&catalogue, &only(&["L-01", "R-01", "S-01"]), &mut |_| ());
        assert_eq!(failures(&outcomes), [""; 0]);
        let held = bench.standing().held;
        assert!(held > standing.held);
        standing = bench.standing();
    }
}

#[test]
fn bad_banks_fail_where_they_are_bad() {
    for (twist, case, expect) in [
        (Twist::Mute("FIToFIPmtStsRpt"), "R-01", "no pacs.002 came"),
        (
            Twist::Instead("<TxSts>ACSP", "<TxSts>ACCC"),
            "R-01",
            "is refused",
        ),
        (
            Twist::Instead("<OrgnlUETR>", "<OrgnlUETR>0"),
            "R-01",
            "is refused",
        ),
        (
            Twist::Instead("<OrgnlTxId>BNCH", "<OrgnlTxId>HSBK"),
            "R-01",
            "TxId is `HSBK-T",
        ),
        (
            Twist::Instead("<Vrfctn>true", "<Vrfctn>false"),
            "R-17",
            "A negative answer carries a reason code",
        ),
        (Twist::Instead("HSBKKZKX", "HSBKKZKA"), "S-01", "AppHdr/Fr"),
        (
            Twist::Instead(">10.00<", ">10.01<"),
            "S-01",
            "its amount is 1001 tiyn",
        ),
        (
            Twist::CreditsAtOnce,
            "R-02",
            "the balance changed by 1000 tiyn, and not by 0",
        ),
        (
            Twist::CreditsAtOnce,
            "R-08",
            "the balance changed by 1000 tiyn, and not by 0",
        ),
        (
            Twist::CountsEvery,
            "R-10",
            "the balance changed by 2000 tiyn, and not by 1000",
        ),
        (Twist::NoSignOn, "L-03", "did not sign on"),
        (Twist::WrongSecret, "L-01", "23 bad-credentials"),
        (Twist::Trusting, "L-02", "it stayed"),
        (Twist::Unsafe, "L-06", "it acknowledged 0 of 1"),
        (
            Twist::Unmarked,
            "S-17",
            "it came again without POSSIBLE_DUPLICATE",
        ),
        (Twist::Dead, "L-04", "60 peer-silent"),
        (Twist::Idle, "S-01", "no pacs.008 came"),
    ] {
        let mut bank = MemoryBank::new(twist);
        let outcomes = run(&mut bank, &only(&["L-01", case]));
        let texts = failures(&outcomes).join("; ");
        assert!(texts.contains(expect), "{twist:?}: {texts}");
    }
}

#[test]
fn what_a_participant_does_not_do_or_show_is_left_out_and_said_so() {
    let mut bank = MemoryBank::new(Twist::None);
    let catalogue = catalogue::read::<Step>(INSTANT).unwrap();
    let subject = Subject {
        payer: false,
        balance: false,
        ..subject()
    };
    let mut bench = InstantBench::new(subject, SECRET, &mut bank, Standing::default(), 77).unwrap();
    let outcomes = bench.run(&catalogue, &only(&["R-01", "R-04", "S-01"]), &mut |_| ());
    let words: Vec<_> = outcomes.iter().map(|one| one.verdict.words()).collect();
    assert_eq!(
        words,
        [
            ("left-out", "its balance cannot be seen"),
            ("passed", ""),
            ("left-out", "the participant does not have this role"),
        ]
    );
}

#[test]
fn no_report_names_a_customer() {
    let mut bank = MemoryBank::new(Twist::None);
    let outcomes = run(&mut bank, &Choice::default());
    let text = serde_json::to_string(&outcomes).unwrap();
    let bench = BankCode::parse(BENCH_BANK).unwrap();
    for account in [
        subject().account,
        Account::simulated(bench, BENCH_PAYEE),
        Account::simulated(bench, BENCH_PAYER),
    ] {
        let phone = account.phone.trim_start_matches('+');
        for secret in [&account.iban, &account.name, &account.person] {
            assert!(!text.contains(secret.as_str()), "{secret}");
        }
        assert!(!text.contains(phone) && !text.contains(&phone[1..]));
    }
    assert!(text.contains("<IBAN>KZ****************"));
}

#[test]
fn the_catalogue_says_what_each_case_shows() {
    let catalogue = catalogue::read::<Step>(INSTANT).unwrap();
    let page = include_str!("../../../../docs/outcomes.md");
    let mut ids: Vec<&str> = Vec::new();
    let mut negative = 0;
    for case in &catalogue.cases {
        assert!(!ids.contains(&case.id.as_str()), "{} stands twice", case.id);
        ids.push(&case.id);
        assert!(!case.rows.is_empty() && !case.text.is_empty());
        for row in &case.rows {
            assert!(page.contains(&format!("| {row} |")), "{}: {row}", case.id);
        }
        negative += usize::from(case.kind == Kind::Negative);
    }
    assert!(negative * 3 > ids.len());
}

#[test]
fn the_page_is_the_catalogue() {
    let page = include_str!("../../../../docs/certification.md");
    let table = catalogue::read::<Step>(INSTANT).unwrap().markdown();
    assert!(
        page.contains(&table),
        "docs/certification.md is not what `torap certify catalogue --rail instant` prints"
    );
}
