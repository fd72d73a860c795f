use torap_domain::{Date, Money, Text};
use torap_engine::clearing::{self, LineRule, Priority, Submit};
use torap_iso20022::{
    view::{BusinessHeader, CLEARING_SERVICE, PersonNumber},
    write::{self, Batch, BatchItem, BatchParty},
};

use super::*;
use crate::fixtures::{
    ACCEPTED_NS, CASP, HSBK, PAYEE_IBAN, PAYEE_IIN, PAYER_IBAN, PAYER_IIN, SWITCH, bic, written,
};

/// `count` items from HSBK to CASP of 1.00, 2.00, …
fn message(count: u32) -> String {
    let header = BusinessHeader {
        from: HSBK,
        to: SWITCH,
        message_id: "HSBK-ICS-1",
        service: Some(CLEARING_SERVICE),
        created_ns: ACCEPTED_NS,
        possible_duplicate: false,
    };
    let batch = Batch {
        message_id: "HSBK-ICS-1",
        created_ns: ACCEPTED_NS,
        settlement_date: "2026-11-23",
        instructing_agent: HSBK,
        instructed_agent: SWITCH,
    };
    let party = |name, number, iban, agent, sector| BatchParty {
        name,
        number: PersonNumber::Iin(number),
        iban,
        agent,
        sector,
    };
    let ids: Vec<(String, String)> = (1..=count)
        .map(|number| {
            let uetr = format!("00000000-0000-4000-8000-{number:012}");
            (format!("TX-{number}"), uetr)
        })
        .collect();
    let items: Vec<BatchItem<'_>> = (1_u64..)
        .zip(&ids)
        .map(|(number, (id, uetr))| BatchItem {
            is_high: number == 1,
            instruction_id: None,
            end_to_end_id: "E2E",
            transaction_id: id,
            uetr,
            clearing_reference: "NONE",
            tiyn: 100 * number,
            debtor: party("АХМЕТОВА АЙГЕРИМ", PAYER_IIN, PAYER_IBAN, HSBK, "19"),
            creditor: party("ИВАНОВ & СЫН", PAYEE_IIN, PAYEE_IBAN, CASP, "17"),
            knp: "911",
            remittance: Some("налог"),
            list: None,
        })
        .collect();
    let body = written(|out| write::batch(out, Some(&header), &batch, &items));
    String::from_utf8(body.to_vec()).unwrap()
}

fn submission(text: String) -> Submit {
    match command_from(1, &Bytes::from(text), &Known::default()) {
        Command::Clearing(clearing::Command::Submit(submit)) => submit,
        other => panic!("{other:?}"),
    }
}

/// What the message is refused with: path, code, and the name of the rule.
fn refused(text: String) -> (String, String, String) {
    let refusal = refusal_from(1, &Bytes::from(text), &Known::default());
    let rule = refusal.rule.as_str().split(':').next().unwrap().to_owned();
    (
        refusal.path.as_str().into(),
        refusal.code.as_str().into(),
        rule,
    )
}

#[test]
fn every_item_of_a_message_is_taken_in_its_order() {
    for count in [1, 3, 512] {
        let submit = submission(message(count));
        assert_eq!(submit.items.len(), count as usize);
        assert_eq!(submit.message_id.as_str(), "HSBK-ICS-1");
        assert_eq!((submit.instructing_agent, submit.piece), (bic(HSBK), None));
        for (number, item) in (1_u64..).zip(&submit.items) {
            assert_eq!(item.transaction_id.as_str(), format!("TX-{number}"));
            assert_eq!(item.amount, Money::kzt(100 * number));
        }
    }
}

#[test]
fn an_item_has_everything_that_the_payees_bank_gets() {
    let submit = submission(message(2));
    let [first, second] = submit.items.as_slice() else {
        panic!()
    };
    assert_eq!(
        (first.priority, second.priority),
        (Priority::High, Priority::Normal)
    );
    assert_eq!(first.value_date, Date::parse("2026-11-23").unwrap());
    assert_eq!(first.key, payment_key(ParticipantId(1), "TX-1"));
    assert_eq!(
        (first.debtor.agent, first.creditor.agent),
        (bic(HSBK), bic(CASP))
    );
    assert_eq!(first.creditor.account.as_str(), PAYEE_IBAN);
    assert_eq!(first.creditor.name.as_str(), "ИВАНОВ & СЫН");
    assert_eq!(first.creditor.sector.to_string(), "17");
    assert_eq!(first.purpose.to_string(), "911");
    assert_eq!(
        first.remittance.as_ref().map(|line| line.as_str()),
        Some("налог")
    );
    assert_ne!(first.fingerprint, second.fingerprint);
}

/// The message with one text replaced in its second item.
fn spoiled(text: &str, from: &str, to: &str) -> String {
    let second = text.find("<TxId>TX-2</TxId>").unwrap();
    let (before, behind) = text.split_at(second);
    assert!(behind.contains(from), "{from}");
    format!("{before}{}", behind.replacen(from, to, 1))
}

#[test]
fn an_item_that_breaks_the_table_is_refused_alone() {
    let text = message(3);
    let check = |from: &str, to: &str, code: &str, words: &str| {
        let submit = submission(spoiled(&text, from, to));
        let taken: Vec<&str> = submit
            .items
            .iter()
            .map(|item| item.transaction_id.as_str())
            .collect();
        assert_eq!(taken, ["TX-1", "TX-3"], "{from}");
        let [refused] = submit.refused.as_slice() else {
            panic!("{:?}", submit.refused);
        };
        assert_eq!((refused.number, refused.code.as_str()), (2, code));
        assert_eq!(refused.transaction_id, Some(Text::truncated("TX-2")));
        assert!(
            refused.text.as_str().starts_with(words),
            "{:?}",
            refused.text
        );
        assert_eq!(submit.instructing_agent, bic(HSBK));
    };
    let item = "CdtTrfTxInf[2]";
    check(
        "KZ45722S000054326792",
        "KZ45722S000054326793",
        "AC03",
        &format!("{item}/CdtrAcct/Id/IBAN iban-check-digits: "),
    );
    check(
        "<Prtry>911</Prtry>",
        "<Prtry>91</Prtry>",
        "FF07",
        &format!("{item}/Purp/Prtry knp: "),
    );
    check(
        "<Nm>ИВАНОВ &amp; СЫН</Nm>",
        "",
        "BE22",
        &format!("{item}/Cdtr/Nm "),
    );
    check(
        PAYEE_IIN,
        "790305300458",
        "BE17",
        &format!("{item}/Cdtr/Id/PrvtId/Othr/Id "),
    );
    // All of them, also the first: the sender is known from the group header.
    let all = text.replace("<Prtry>911</Prtry>", "<Prtry>91</Prtry>");
    let submit = submission(all);
    assert_eq!((submit.items.len(), submit.refused.len()), (0, 3));
}

#[test]
fn what_is_not_one_items_refuses_the_message() {
    let text = message(3);
    let header = "/Document/FIToFICstmrCdtTrf/GrpHdr";
    let method = refused(text.replacen("<SttlmMtd>CLRG", "<SttlmMtd>INDA", 1));
    assert_eq!(method.0, format!("{header}/SttlmInf/SttlmMtd"));
    let schema = refused(spoiled(&text, "<ChrgBr>SLEV", "<ChrgBr>NONE"));
    assert!(schema.0.contains("ChrgBr"), "{schema:?}");
    // The sums are those of the message as it was sent, with the refused item.
    let spoiled = spoiled(&text, "<Prtry>911</Prtry>", "<Prtry>91</Prtry>");
    let sum = refused(spoiled.replacen("<CtrlSum>6.00</CtrlSum>", "<CtrlSum>4.00</CtrlSum>", 1));
    assert_eq!((sum.1.as_str(), sum.2.as_str()), ("AM10", "sum-of-items"));
}

#[test]
fn number_and_sums_are_those_of_the_items() {
    let text = message(3);
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        refused(text.replacen(from, to, 1))
    };
    let number = changed("<NbOfTxs>3</NbOfTxs>", "<NbOfTxs>4</NbOfTxs>");
    assert_eq!(
        (number.1.as_str(), number.2.as_str()),
        ("AM18", "number-of-items")
    );
    let sum = changed("<CtrlSum>6.00</CtrlSum>", "<CtrlSum>6.01</CtrlSum>");
    assert_eq!((sum.1.as_str(), sum.2.as_str()), ("AM10", "sum-of-items"));
    let many = refused(message(513));
    assert_eq!(
        (many.1.as_str(), many.2.as_str()),
        ("AM18", "items-at-most")
    );
}

#[test]
fn a_link_submits_for_its_own_bank() {
    let body = Bytes::from(message(1));
    let refusal = refusal_from(2, &body, &Known::default());
    assert_eq!(refusal.reason, Reason::UnboundSender);
}

#[test]
fn an_item_is_taken_back_by_its_key() {
    let request = crate::fixtures::recall();
    let header = BusinessHeader {
        from: HSBK,
        to: SWITCH,
        message_id: request.assignment.id,
        service: Some(CLEARING_SERVICE),
        created_ns: ACCEPTED_NS,
        possible_duplicate: false,
    };
    let body = written(|out| write::cancellation_request(out, Some(&header), &request));
    match command_from(1, &body, &Known::default()) {
        Command::Clearing(clearing::Command::Cancel(cancellation)) => {
            assert_eq!(cancellation.key, payment_key(ParticipantId(1), "TX-1"));
            assert_eq!(cancellation.cancellation_id.as_str(), "CXL-1");
            assert_eq!(cancellation.instructing_agent, bic(HSBK));
        }
        other => panic!("{other:?}"),
    }
}

/// A line of a list of beneficiaries.
fn line(iin: &str, tenge: &str, month: &str) -> String {
    format!(
        "<Strd><RfrdDocAmt><RmtdAmt Ccy=\"KZT\">{tenge}</RmtdAmt></RfrdDocAmt><Invcee><Nm>Ертай &amp; Со</Nm><Id><PrvtId>\
         <Othr><Id>{iin}</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id></Invcee>\
         <TaxRmt><Rcrd><Prd><Yr>2026</Yr><Tp>{month}</Tp></Prd></Rcrd></TaxRmt></Strd>"
    )
}

/// Three items, the second with these lines; its amount is 2.00.
fn listed(lines: &str) -> String {
    let with = format!("<Ustrd>налог</Ustrd>{lines}");
    spoiled(&message(3), "<Ustrd>налог</Ustrd>", &with)
}

#[test]
fn a_list_is_named_by_its_place_in_the_message() {
    let lines = line(PAYEE_IIN, "1.50", "MM10") + "\n<!-- - -->" + &line(PAYEE_IIN, "0.50", "MM11");
    let text = listed(&lines);
    let submit = submission(text.clone());
    let lists: Vec<_> = submit.items.iter().map(|item| item.list).collect();
    let [None, Some(list), None] = lists.as_slice() else {
        panic!("{lists:?} {:?}", submit.refused);
    };
    let (start, length) = (list.start as usize, list.length as usize);
    assert_eq!(&text[start..start + length], lines);
    assert_eq!(list.lines, 2);
    let second = &submit.items[1];
    assert_eq!(
        second.remittance.as_ref().map(|line| line.as_str()),
        Some("налог")
    );
    // Another list under the same identifier is another content.
    let other = submission(listed(
        &(line(PAYEE_IIN, "1.50", "MM10") + &line(PAYEE_IIN, "0.50", "MM12")),
    ));
    assert_ne!(other.items[1].fingerprint, second.fingerprint);
    assert_ne!(
        submission(message(3)).items[1].fingerprint,
        second.fingerprint
    );
}

#[test]
fn a_list_with_wrong_lines_refuses_its_item_and_names_them() {
    let right = line(PAYEE_IIN, "1.00", "MM10");
    let check = |lines: String, code: &str, words: &str, wrong: &[(u16, LineRule)]| {
        let submit = submission(listed(&lines));
        assert_eq!(submit.items.len(), 2, "{lines}");
        let refused = &submit.refused[0];
        assert_eq!((refused.number, refused.code.as_str()), (2, code));
        let place = format!("CdtTrfTxInf[2]/RmtInf/Strd {words}");
        assert!(
            refused.text.as_str().starts_with(&place),
            "{:?}",
            refused.text
        );
        let named: Vec<(u16, LineRule)> = refused
            .lines
            .iter()
            .map(|line| (line.number, line.rule))
            .collect();
        assert_eq!(named, wrong);
        assert_eq!(refused.transaction_id, Some(Text::truncated("TX-2")));
        refused.more
    };
    check(right.clone(), "AM10", "list-sum", &[]);
    let of = |rule: LineRule, line: String| {
        check(right.clone() + &line, "RR07", "list-lines", &[(2, rule)]);
    };
    of(LineRule::Repeated, right.clone());
    of(LineRule::Number, line("790305300458", "1.00", "MM10"));
    of(
        LineRule::Number,
        line(PAYER_IIN, "1.00", "MM10").replace("NIDN", "CUST"),
    );
    // The BIN of a company is not a person's.
    let company = torap_domain::IinBin::with_check(90_044_112_345).unwrap();
    of(LineRule::Number, line(&company.to_string(), "1.00", "MM10"));
    of(LineRule::Amount, line(PAYER_IIN, "0.00", "MM10"));
    of(
        LineRule::Amount,
        line(PAYER_IIN, "1.00", "MM10").replace("KZT", "USD"),
    );
    of(LineRule::Period, line(PAYER_IIN, "1.00", "QTR1"));
    of(
        LineRule::Name,
        line(PAYER_IIN, "1.00", "MM10").replace("<Nm>Ертай &amp; Со</Nm>", ""),
    );
    of(LineRule::Name, "<Strd/>".into());
    // The first ten are named, the others counted.
    let many = right.clone() + &"<Strd/>".repeat(13);
    let wrong: Vec<(u16, LineRule)> = (2..12).map(|number| (number, LineRule::Name)).collect();
    assert_eq!(check(many, "RR07", "list-lines: 13 of 14", &wrong), 3);
    check("<Strd/>".repeat(513), "RR07", "list-at-most", &[]);
    let prefixed = right.replace(
        "<Strd>",
        "<Strd xmlns:p=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10\">",
    );
    check(prefixed, "RR07", "list-plain", &[]);
    // xsi is declared on Document, and the document to the receiver does not declare it.
    let attributed = right.replace("<Strd>", "<Strd xsi:schemaLocation=\"a b\">");
    let xsi = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    let declared = listed(&attributed).replacen("<Document ", &format!("<Document {xsi} "), 1);
    assert!(declared.contains(xsi));
    let refused = &submission(declared).refused[0];
    assert!(
        refused.text.as_str().contains("list-plain"),
        "{:?}",
        refused.text
    );
    // A colon in text is nobody's prefix.
    let text = right.replace("Ертай", "<!-- a:b -->Ертай: ");
    assert_eq!(
        submission(listed(&(text.clone() + &line(PAYEE_IIN, "1.00", "MM11"))))
            .refused
            .len(),
        0
    );
    let other = listed("<Strd/>").replace("pacs.008.001.10", "pacs.008.001.12");
    let submit = submission(other);
    assert!(submit.refused[0].text.as_str().contains("list-version"));
}

#[test]
fn lists_of_a_message_are_bounded_together() {
    let mut text = message(5);
    for _ in 0..5 {
        let lines = format!("<Ustrd>налог</Ustrd><!-- -->{}", "<Strd/>".repeat(512));
        text = text.replacen(
            "<Ustrd>налог</Ustrd></RmtInf>",
            &format!("{lines}</RmtInf>"),
            1,
        );
    }
    let many = refused(text);
    assert_eq!(
        (many.1.as_str(), many.2.as_str()),
        ("AM18", "lists-at-most")
    );
}

#[test]
fn what_stands_around_items_and_lines_is_bounded_with_their_number() {
    // A header of 160 KiB would be read for each of 512 lines.
    let padded = |lines: &str| {
        let around = format!("<GrpHdr><!--{}-->", "+ ".repeat(80 << 10));
        listed(lines).replacen("<GrpHdr>", &around, 1)
    };
    let lines = "<Strd/>".repeat(512);
    let many = refused(padded(&lines));
    assert_eq!(
        (many.1.as_str(), many.2.as_str()),
        ("AM18", "parts-at-most")
    );
    let few = submission(padded(&"<Strd/>".repeat(100)));
    assert_eq!((few.items.len(), few.refused.len()), (2, 1));
}
