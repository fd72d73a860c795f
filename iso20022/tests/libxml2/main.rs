//! Differential test: under no profile the parser accepts exactly what libxml2 accepts, document type declarations and processing
//! instructions aside. Instances of every XSD in use are generated and mutated; `xmllint` is the judge.
//!
//! Skipped, with the reason printed, where `xmllint` or the folder of XSDs is missing.
#![expect(
    clippy::print_stdout,
    reason = "says what was skipped and how much was compared"
)]

mod instance;
mod mutation;
mod oracle;
mod random;
mod samples;
mod spellings;
mod values;

use torap_iso20022::check::{Profile, check};
use torap_iso20022::{MessageType, Refusal, Rule};

use oracle::{Case, Oracle};
use random::Random;

/// The seed unless `TORAP_TEST_SEED` gives another; a failure prints the one it used.
const SEED: u64 = 0x7061_6373_2E30_3038;

/// Mutated documents for each generated one.
const MUTATIONS: usize = 4;

/// Disagreements printed in full.
const PRINTED_MAX: usize = 12;

#[test]
fn generated_and_mutated_documents() {
    let Some(oracle) = Oracle::find() else {
        return;
    };
    let mut random = Random::new(seed());
    let mut cases = Vec::new();
    for message in MessageType::all() {
        let mut coverage = instance::Coverage::default();
        for document in instance::generate(message, &mut coverage, &mut random) {
            for _ in 0..MUTATIONS {
                let bytes = mutation::mutate(&document, &mut random);
                cases.push(Case { message, bytes });
            }
            let bytes = document.write(&mut random);
            cases.push(Case { message, bytes });
        }
        let wild = instance::wildcards(message, &mut random);
        let odd = mutation::by_hand(message);
        let written = wild.iter().map(|document| document.write(&mut random));
        cases.extend(written.chain(odd).map(|bytes| Case { message, bytes }));
    }
    assert!(cases.len() >= 3_000, "only {} documents", cases.len());
    compare(&oracle, &cases);
}

/// A document is accepted in an envelope exactly when header and message are each accepted alone.
#[test]
fn envelopes() {
    let Some(oracle) = Oracle::find() else {
        return;
    };
    let mut random = Random::new(seed());
    let mut parts = |is_header: bool| {
        let mut cases = Vec::new();
        for message in
            MessageType::all().filter(|message| (message.root_element() == "AppHdr") == is_header)
        {
            let documents =
                instance::generate(message, &mut instance::Coverage::default(), &mut random);
            for document in documents.iter().cycle().take(40) {
                let bytes = mutation::part(document, &mut random);
                cases.push(Case { message, bytes });
            }
        }
        cases
    };
    let (headers, documents) = (parts(true), parts(false));
    let good_headers = oracle.verdicts(&headers);
    let good_documents = oracle.verdicts(&documents);
    let mut accepted = 0;
    for (i, document) in documents.iter().enumerate() {
        let h = i % headers.len();
        let header = &headers[h];
        let wrapper = random.pick(&[
            "Envelope xmlns=\"urn:torap:envelope:1\"",
            "w:Other xmlns:w='urn:w' a='1'",
        ]);
        let name = wrapper.split(' ').next().unwrap();
        let bytes = [
            format!("<{wrapper}>\n").as_bytes(),
            &header.bytes,
            b"<!-- between -->\n",
            &document.bytes,
            format!("</{name}>").as_bytes(),
        ]
        .concat();
        let expected = good_headers[h] && good_documents[i];
        let ours = check(&bytes, Profile::None);
        assert_eq!(ours.is_ok(), expected, "{ours:?}\n{}", bytes.escape_ascii());
        accepted += usize::from(expected);
    }
    assert!(
        accepted * 10 > documents.len() && accepted * 10 < documents.len() * 9,
        "{accepted} of {}",
        documents.len()
    );
}

#[test]
fn values_of_every_simple_type() {
    let Some(oracle) = Oracle::find() else {
        return;
    };
    let cases = values::cases(&mut Random::new(seed()));
    assert!(cases.len() >= 1_000, "only {} values", cases.len());
    compare(&oracle, &cases);
}

fn seed() -> u64 {
    std::env::var("TORAP_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap())
}

/// Checks that parser and oracle agree on every case, and that the cases hold enough of both verdicts to mean something.
fn compare(oracle: &Oracle, cases: &[Case]) {
    let verdicts = oracle.verdicts(cases);
    let mut disagreements = Vec::new();
    let mut accepted = 0;
    let mut skipped = 0;
    for (case, oracle_accepts) in cases.iter().zip(verdicts) {
        let ours = check(&case.bytes, Profile::None);
        accepted += usize::from(oracle_accepts);
        if ours.as_ref().is_err_and(is_always_refused) {
            skipped += 1;
            continue;
        }
        if ours.is_ok() != oracle_accepts {
            disagreements.push((case, ours));
        }
    }
    println!(
        "{} documents, {accepted} accepted by libxml2, {skipped} with DTD or PI",
        cases.len()
    );
    for (case, ours) in disagreements.iter().take(PRINTED_MAX) {
        let theirs = oracle.explain(case);
        let ours = ours
            .as_ref()
            .map_or_else(ToString::to_string, ToString::to_string);
        println!(
            "--- {} ours: {ours}\nlibxml2: {theirs}\n{}",
            case.message,
            case.bytes.escape_ascii()
        );
    }
    assert!(
        disagreements.is_empty(),
        "{} of {} disagree, seed {:#x}",
        disagreements.len(),
        cases.len(),
        seed()
    );
    assert!(
        accepted * 10 > cases.len(),
        "only {accepted} of {} are valid",
        cases.len()
    );
    assert!(
        accepted * 10 < cases.len() * 9,
        "{accepted} of {} are valid",
        cases.len()
    );
}

/// The one difference there is meant to be.
fn is_always_refused(refusal: &Refusal) -> bool {
    matches!(refusal.rule, Rule::Doctype | Rule::ProcessingInstruction)
}
