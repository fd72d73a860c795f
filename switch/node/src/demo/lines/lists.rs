//! Payments in the clearing system for many persons at once: a list of beneficiaries, right and with a wrong line.

use torap_bank::WaitFor;
use torap_iso20022::{
    view::{BusinessHeader, CLEARING_SERVICE, PersonNumber},
    write::{self, Batch, BatchItem, BatchParty},
};

use super::{Line, clearing, enquiries::send, rtgs};
use crate::{
    control::{ClearingShow, Request, RtgsChange},
    demo::{
        day::{Day, Told, kind},
        lab::{Lab, SWITCH_BIC},
    },
};

pub(super) static LISTED: Line = Line {
    title: "contributions for two persons in one ICS item, and a list with a wrong line",
    rows: &["I-1", "I-10", "I-17"],
    run: listed,
};

const UETRS: [&str; 2] = [
    "4c9a7b10-2d58-4f3e-8b61-7a0d5e9c1001",
    "4c9a7b10-2d58-4f3e-8b61-7a0d5e9c1002",
];

/// A line of a list.
fn line(name: &str, iin: &str, tenge: &str) -> String {
    format!(
        "<Strd><RfrdDocAmt><RmtdAmt Ccy=\"KZT\">{tenge}</RmtdAmt></RfrdDocAmt><Invcee><Nm>{name}</Nm><Id><PrvtId><Othr>\
         <Id>{iin}</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id></Invcee>\
         <TaxRmt><Rcrd><Prd><Yr>2026</Yr><Tp>MM10</Tp></Prd></Rcrd></TaxRmt></Strd>"
    )
}

/// The text of the first message of a kind that has all of `parts`.
fn text_with(day: &Day, bank: &str, what: &str, parts: &[&str]) -> Result<String, String> {
    let mut since = 0;
    loop {
        let filter = WaitFor {
            since,
            kind: kind(what),
            ..WaitFor::default()
        };
        let seen = day.wait(bank, filter)?;
        since = seen.number + 1;
        let text = seen.text.unwrap_or_default();
        if parts.iter().all(|part| text.contains(part)) {
            return Ok(text);
        }
    }
}

/// What stands between two texts; nothing if they are not there.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    rest.split_once(to).map_or("", |(found, _)| found)
}

/// One message of HSBK with an item for each list, of 3.00 each.
fn submit(day: &Day, date: &str, lists: [&str; 2]) -> Result<(), String> {
    let now = rtgs::now()?.nanos();
    let [payer, payee] = [clearing::account("HSBK")?, clearing::account("CASP")?];
    let party = |name, iban, agent| BatchParty {
        name,
        number: PersonNumber::Iin("850712400122"),
        iban,
        agent,
        sector: "19",
    };
    let items: Vec<BatchItem<'_>> = UETRS
        .iter()
        .zip(lists)
        .zip(["DEMO-LIST-1", "DEMO-LIST-2"])
        .map(|((uetr, list), transaction_id)| BatchItem {
            is_high: false,
            instruction_id: None,
            end_to_end_id: "NOTPROVIDED",
            transaction_id,
            uetr,
            clearing_reference: "",
            tiyn: 300,
            debtor: party("Ертай Болатұлы", &payer, "HSBKKZKX"),
            creditor: party("Зейнетақы қоры", &payee, "CASPKZKA"),
            knp: "010",
            remittance: None,
            list: Some(list.as_bytes()),
        })
        .collect();
    let batch = Batch {
        message_id: "DEMO-LISTS",
        created_ns: now,
        settlement_date: date,
        instructing_agent: "HSBKKZKX",
        instructed_agent: SWITCH_BIC,
    };
    let header = BusinessHeader {
        from: "HSBKKZKX",
        to: SWITCH_BIC,
        message_id: batch.message_id,
        service: Some(CLEARING_SERVICE),
        created_ns: now,
        possible_duplicate: false,
    };
    send(day, "HSBK", |out| {
        write::batch(out, Some(&header), &batch, &items)
    })
}

fn listed(day: &mut Day) -> Result<Told, String> {
    let by = Lab::by();
    let what = ClearingShow::Session;
    let open = day.ctl(&Request::Clearing { what })?;
    let session = open["session"].as_str().ok_or("no session")?.to_owned();
    let date = session.split('/').next().unwrap_or_default();
    let funded = RtgsChange::Fund {
        code: "HSBK".into(),
        amount: "3.00".into(),
        out: false,
    };
    rtgs::change(day, funded)?;
    let right = line("Айгүл", "850712400122", "1.00") + &line("Ержан", "790305300457", "2.00");
    // Its check digit is wrong.
    let wrong = line("Айгүл", "850712400122", "1.00") + &line("Ержан", "790305300458", "2.00");
    submit(day, date, [&right, &wrong])?;
    let taken = text_with(day, "HSBK", "pacs.002", &["DEMO-LIST-1"])?;
    let refused = text_with(day, "HSBK", "pacs.002", &["DEMO-LIST-2", "line 2: "])?;
    day.ctl(&Request::ClearingClose { by })?;
    let got = text_with(day, "CASP", "pacs.008", &["<TxId>DEMO-LIST-1</TxId>"])?;
    let lines = if got.contains(&right) {
        "2 lines byte for byte"
    } else {
        "another list"
    };
    let of_first = between(&taken, "DEMO-LIST-1", "</TxInfAndSts>");
    let of_second = between(&refused, "DEMO-LIST-2", "</TxInfAndSts>");
    let place = between(of_second, "<AddtlInf>line ", ":");
    let told = Told::new("3.00 for two, and 3.00 with a wrong IIN in line 2");
    Ok(told
        .check("PDNG", between(of_first, "<TxSts>", "<"))
        .check(
            "RJCT RR07, line 2 BE17",
            format!(
                "{} {}, line {place} {}",
                between(of_second, "<TxSts>", "<"),
                between(of_second, "<Cd>", "<"),
                code_of_line(of_second)
            ),
        )
        .check("CASP 2 lines byte for byte", format!("CASP {lines}")))
}

/// The code of the first wrong line: the last one before its words.
fn code_of_line(text: &str) -> &str {
    let before = text
        .split_once("<AddtlInf>line ")
        .map_or("", |(before, _)| before);
    let last = before.rsplit_once("<Cd>").map_or("", |(_, last)| last);
    last.split('<').next().unwrap_or_default()
}
