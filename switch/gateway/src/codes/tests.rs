use std::collections::{BTreeMap, BTreeSet};

use super::*;

const DOCUMENT: &str = include_str!("../../../../docs/outcomes.md");

/// Codes in docs/outcomes.md that are no reason's: statuses, the more exact codes of refused messages, reasons of recalls.
const OTHER_CODES: [&str; 18] = [
    "ACSC", "ACSP", "AC03", "AM09", "CH16", "CH17", "CH21", "CUST", "DUPL", "FF03", "FRAD", "PDCR",
    "PDNG", "RJCR", "RJCT", "RR10", "TECH", "NORR",
];

/// The table of docs/outcomes.md: name of the reason, then its three codes.
fn documented() -> BTreeMap<String, [String; 3]> {
    let rows = DOCUMENT
        .lines()
        .skip_while(|line| *line != "<!-- codes -->")
        .take_while(|line| *line != "<!-- /codes -->");
    rows.filter_map(|line| {
        let cells: Vec<&str> = line
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let [reason, status, cancellation, verification, ..] = cells.as_slice() else {
            return None;
        };
        Reason::from_name(reason)?;
        Some((
            reason.to_string(),
            [
                status.to_string(),
                cancellation.to_string(),
                verification.to_string(),
            ],
        ))
    })
    .collect()
}

#[test]
fn the_document_has_the_same_table() {
    let expected: BTreeMap<String, [String; 3]> = Reason::ALL
        .iter()
        .map(|reason| {
            (
                reason.name().to_owned(),
                [
                    status(*reason),
                    cancellation(*reason),
                    verification(*reason),
                ]
                .map(String::from),
            )
        })
        .collect();
    let documented = documented();
    for (reason, codes) in &expected {
        assert_eq!(
            documented.get(reason),
            Some(codes),
            "docs/outcomes.md should have:\n| `{reason}` | `{}` |",
            codes.join("` | `")
        );
    }
    assert_eq!(documented.len(), expected.len());
}

#[test]
fn every_code_has_the_form_of_an_external_code() {
    for reason in Reason::ALL {
        for code in [
            status(*reason),
            cancellation(*reason),
            verification(*reason),
        ] {
            assert!(
                code.len() == 4
                    && code
                        .bytes()
                        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()),
                "{reason} {code}"
            );
        }
    }
}

#[test]
fn the_codes_that_banks_program_against_do_not_move() {
    let promised = [
        (Reason::ReceiverOffline, "AB08"),
        (Reason::ReceiverTimeout, "AB05"),
        (Reason::SwitchTimeout, "AB06"),
        (Reason::SenderSuspended, "AG10"),
        (Reason::ReceiverSuspended, "AG11"),
        (Reason::AcceptanceTooOld, "TM01"),
        (Reason::AcceptanceInFuture, "TM01"),
        (Reason::InsufficientFunds, "AM04"),
        (Reason::AmountAboveServiceLimit, "AM02"),
        (Reason::ParticipantDayLimit, "AM13"),
        (Reason::DuplicateMismatch, "AM05"),
        (Reason::NotReceived, "AG09"),
        (Reason::Tombstoned, "AG09"),
    ];
    for (reason, code) in promised {
        assert_eq!(status(reason), code, "{reason}");
    }
    assert_eq!(cancellation(Reason::AlreadyReturned), "ARDT");
    assert_eq!(cancellation(Reason::OriginalUnknown), "NOOR");
    assert_eq!(cancellation(Reason::ReceiverTimeout), "NOAS");
}

#[test]
fn every_sentence_fits_its_field() {
    // AddtlInf is Max105Text; a sentence that is cut tells less than it should.
    for reason in Reason::ALL {
        assert!(reason.text().chars().count() <= 105, "{reason}");
    }
}

#[test]
fn every_row_of_the_document_has_its_cells_and_its_own_identifier() {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| O-"));
    let mut seen = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 7, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        assert!(seen.insert(cells[0]), "{row}");
    }
    assert!(seen.len() > 100, "{}", seen.len());
}

#[test]
fn every_code_of_the_document_exists() {
    let tables = [status, cancellation, verification];
    let known: BTreeSet<&str> = Reason::ALL
        .iter()
        .flat_map(|reason| tables.map(|table| table(*reason)))
        .chain(OTHER_CODES)
        .collect();
    for row in DOCUMENT.lines().filter(|line| line.starts_with("| O-")) {
        for quoted in row
            .split('`')
            .skip(1)
            .step_by(2)
            .flat_map(|quoted| quoted.split(' '))
        {
            let is_code = quoted.len() == 4
                && quoted
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            assert!(!is_code || known.contains(quoted), "{quoted} in {row}");
        }
    }
}
