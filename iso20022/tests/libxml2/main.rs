//! Differential test: under no profile the parser accepts exactly what libxml2 accepts, document type declarations and processing
//! instructions aside. Instances of every XSD in use are generated and mutated; `xmllint` is the judge.
//!
//! Skipped, with the reason printed, where `xmllint` or the folder of XSDs is missing.

mod instance;
mod mutation;
mod oracle;
mod random;
mod samples;
mod values;

use torap_iso20022::check::{Profile, check};
use torap_iso20022::{MessageType, Refusal, Rule};

use oracle::{Case, Oracle};
use random::Random;

/// Change it to walk other paths; a failure prints it together with the document.
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
    let mut random = Random::new(SEED);
    let mut cases = Vec::new();
    for message in MessageType::all() {
        let mut coverage = instance::Coverage::default();
        let mut valid = instance::generate(message, &mut coverage, &mut random);
        valid.extend(instance::wildcards(message, &mut random));
        for document in valid {
            let written = document.write(&mut random);
            for _ in 0..MUTATIONS {
                cases.push(Case {
                    message,
                    bytes: mutation::mutate(&document, &mut random),
                });
            }
            cases.push(Case {
                message,
                bytes: written,
            });
        }
        cases.extend(
            mutation::by_hand(message)
                .into_iter()
                .map(|bytes| Case { message, bytes }),
        );
    }
    assert!(cases.len() >= 3_000, "only {} documents", cases.len());
    compare(&oracle, &cases);
}

#[test]
fn values_of_every_simple_type() {
    let Some(oracle) = Oracle::find() else {
        return;
    };
    let cases = values::cases(&mut Random::new(SEED));
    assert!(cases.len() >= 1_000, "only {} values", cases.len());
    compare(&oracle, &cases);
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
        "{} of {} disagree, seed {SEED:#x}",
        disagreements.len(),
        cases.len()
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
