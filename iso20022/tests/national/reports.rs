//! Statements, reports and notifications: as the golden file, and valid against their schemas with everything and with nothing in them.

use torap_iso20022::write::{
    AccountAnswer, AccountFigures, AccountReport, BilateralLimit, PaymentAnswer, PaymentLine,
    REPORT_PAGES_MAX, REPORT_TIYN_MAX, ReportBalance, ReportEntry, ReportPage, ReportSums,
    account_answer, payment_answer, report_begin, report_end, report_page,
};
use torap_iso20022::{Mode, Parser};

use crate::written::xmllint_accepts;

/// 2026-11-21T09:15:27.123+05:00.
const NOW: u64 = 1_795_234_527_123_000_000;
const MIDNIGHT: u64 = 1_795_201_200_000_000_000;

fn balances() -> [ReportBalance; 2] {
    [
        ReportBalance {
            code: "OPBD",
            tiyn: -15,
            at_ns: MIDNIGHT,
        },
        ReportBalance {
            code: "CLBD",
            tiyn: 999_999_999_999_999_999,
            at_ns: NOW,
        },
    ]
}

fn entry(number: u64) -> ReportEntry<'static> {
    ReportEntry {
        number: Some(number),
        tiyn: REPORT_TIYN_MAX,
        is_credit: number.is_multiple_of(2),
        booked_ns: NOW,
        reference: "18446744073709551615",
        code: "RPAY",
        uetr: Some("f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        transaction_id: Some("A&B <1>"),
        counterparty: Some("HSBKKZKX"),
        balance: Some(-1),
    }
}

fn bare(number: u64) -> ReportEntry<'static> {
    ReportEntry {
        number: None,
        uetr: None,
        transaction_id: None,
        counterparty: None,
        balance: None,
        ..entry(number)
    }
}

fn page<'a>(number: u32, balances: &'a [ReportBalance]) -> ReportPage<'a> {
    ReportPage {
        id: "IMTS-2026-11-21",
        page: Some((number, number == REPORT_PAGES_MAX)),
        sequence: Some(20_778),
        created_ns: NOW,
        period_ns: Some((MIDNIGHT, NOW)),
        account: "IMTS",
        owner: "CASPKZKA",
        servicer: "TORPKZKA",
        balances,
        sums: Some(ReportSums {
            debits: 2,
            debited: 700,
            credits: 1,
            credited: 650,
        }),
        information: Some("No entries & nothing else."),
    }
}

/// With everything, with nothing that may be missing, and without entries.
fn all() -> Vec<(&'static str, AccountReport, Vec<u8>)> {
    let mut documents = Vec::new();
    for (name, report) in [
        ("statement", AccountReport::Statement),
        ("intraday", AccountReport::Intraday),
        ("notification", AccountReport::Notification),
    ] {
        let both = balances();
        let balances: &[ReportBalance] = match report {
            AccountReport::Notification => &[],
            _ => &both,
        };
        let mut full = Vec::new();
        let query = Some(("Q-1", "camt.060.001.05"));
        report_begin(&mut full, None, report, "T0001-7", NOW, query);
        let entries = (1..=2).map(entry).chain((3..=4).map(bare));
        report_page(&mut full, report, &page(1, balances), entries);
        let last = page(REPORT_PAGES_MAX, balances);
        report_page(&mut full, report, &last, std::iter::empty());
        report_end(&mut full, None, report);
        documents.push((name, report, full));
        let mut least = Vec::new();
        report_begin(&mut least, None, report, "T0001-8", NOW, None);
        let empty = ReportPage {
            page: None,
            sequence: None,
            period_ns: None,
            sums: None,
            information: None,
            ..page(1, balances)
        };
        report_page(&mut least, report, &empty, std::iter::empty());
        report_end(&mut least, None, report);
        documents.push((name, report, least));
    }
    documents
}

#[test]
fn reports_are_valid_against_their_schemas() {
    for (name, report, bytes) in all() {
        let label = Parser::new()
            .parse(&bytes, Mode::SchemaOnly)
            .map(|parsed| parsed.label().document);
        let label = label.unwrap_or_else(|refusal| {
            panic!("{name}: {refusal}\n{}", String::from_utf8_lossy(&bytes))
        });
        assert_eq!(label, Some(report.message_type()));
    }
    xmllint_accepts(all().into_iter().map(|(name, _, bytes)| (name, bytes)));
}

#[test]
fn a_statement_is_as_its_golden_file() {
    let (_, _, bytes) = all().remove(0);
    let text = String::from_utf8(bytes).unwrap().replace("><", ">\n<") + "\n";
    let golden = std::path::Path::new("tests/golden/statement.xml");
    if std::env::var_os("TORAP_BLESS").is_some() {
        std::fs::write(golden, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden).unwrap_or_default(), text);
}

fn line() -> PaymentLine<'static> {
    PaymentLine {
        transaction_id: "A&B <1>",
        uetr: Some("f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        tiyn: REPORT_TIYN_MAX,
        date: Some("2026-11-21"),
        payer: "HSBKKZKX",
        payee: "CASPKZKA",
        is_credit: false,
        end: Some("RJTD"),
        since_ns: Some(NOW),
        reason: Some(("TM01", "The latest time has come.")),
        priority: Some("HIGH"),
        from_ns: Some(MIDNIGHT),
        till_ns: Some(NOW),
    }
}

/// Answers about accounts and payments, with everything and with nothing that may be missing.
fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let bare = PaymentLine {
        date: None,
        end: None,
        since_ns: None,
        reason: None,
        priority: None,
        from_ns: None,
        is_credit: true,
        ..line()
    };
    let without = |line| PaymentLine { uetr: None, ..line };
    let lines = [line(), without(line()), without(bare.clone()), bare];
    let mut documents = Vec::new();
    for payments in [&lines[..], &[]] {
        let mut bytes = Vec::new();
        let answer = PaymentAnswer {
            message_id: "T0001-9",
            created_ns: NOW,
            page: (1, payments.is_empty()),
            query: ("Q-7", "camt.005.001.08"),
            payments,
            sum: (!payments.is_empty()).then_some(REPORT_TIYN_MAX),
        };
        payment_answer(&mut bytes, None, &answer);
        documents.push(("camt.006", bytes));
    }
    let limit = BilateralLimit {
        towards: "CASPKZKA",
        tiyn: REPORT_TIYN_MAX,
        left: 0,
    };
    let balances = [("BALANCE", -1, None), ("QUEUED", 7, Some(2))];
    let account = AccountFigures {
        account: "IMTS",
        balances: &balances,
        multilateral_limit: Some(0),
        bilateral_limits: &[limit, limit],
    };
    let accounts = [
        account.clone(),
        AccountFigures {
            account: "INST",
            multilateral_limit: None,
            bilateral_limits: &[],
            ..account
        },
    ];
    let mut bytes = Vec::new();
    let answer = AccountAnswer {
        message_id: "T0001-10",
        created_ns: NOW,
        query: None,
        at_ns: NOW,
        accounts: &accounts,
        owner: "HSBKKZKX",
    };
    account_answer(&mut bytes, None, &answer);
    documents.push(("camt.004", bytes));
    documents
}

#[test]
fn answers_are_valid_against_their_schemas() {
    for (name, bytes) in answers() {
        let parsed = Parser::new().parse(&bytes, Mode::SchemaOnly).map(|_| ());
        parsed.unwrap_or_else(|refusal| {
            panic!("{name}: {refusal}\n{}", String::from_utf8_lossy(&bytes))
        });
    }
    xmllint_accepts(answers());
}
