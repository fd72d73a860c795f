use torap_domain::{Date, Money};
use torap_engine::clearing::{self, Priority, Submit};
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

#[test]
fn a_breach_names_the_item_and_refuses_the_message() {
    let text = message(3);
    let second = text.find("<TxId>TX-2</TxId>").unwrap();
    let (before, behind) = text.split_at(second);
    let spoiled = |from: &str, to: &str| {
        assert!(behind.contains(from));
        format!("{before}{}", behind.replacen(from, to, 1))
    };
    let item = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf[2]";
    assert_eq!(
        refused(spoiled("KZ45722S000054326792", "KZ45722S000054326793")),
        (
            format!("{item}/CdtrAcct/Id/IBAN"),
            "AC03".into(),
            "iban-check-digits".into()
        )
    );
    assert_eq!(
        refused(spoiled("<Prtry>911</Prtry>", "<Prtry>91</Prtry>")),
        (format!("{item}/Purp/Prtry"), "FF07".into(), "knp".into())
    );
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
