use std::collections::HashSet;

use torap_domain::{Iban, IinBin, Phone, Uetr};
use torap_iso20022::profile::Direction;
use torap_iso20022::view::{Body, PersonNumber, Reader, TransferService};

use super::*;

const CREATED_NS: u64 = 1_795_234_527_123_000_000;

fn writer(banks: u16) -> Writer {
    let bank = |number: u16| {
        let letter = char::from(b'A' + u8::try_from(number).unwrap());
        let bic = Bic::parse(&format!("BN{letter}KKZKA")).unwrap();
        (bic, BankCode::from_value(900 + number).unwrap())
    };
    Writer::new(Identity::new(0xfeed_beef), (0..banks).map(bank).collect())
}

/// Payments spread over the whole range of numbers.
fn numbers() -> impl Iterator<Item = u64> {
    (0..1000).map(|place| crate::identity::mixed(place) % crate::identity::NUMBER_END)
}

#[test]
fn payments_hold_what_their_number_says_and_pass_the_national_profile() {
    let mut reader = Reader::new(*torap_gateway::formats());
    for banks in [2, 7] {
        let mut writer = writer(banks);
        for number in numbers() {
            let mut body = Vec::new();
            writer.write_payment(number, CREATED_NS, &mut body);
            let text = String::from_utf8(body).unwrap();
            let message = reader
                .read(text.as_bytes(), Direction::ToSwitch)
                .unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
            assert!(message.header.is_none());
            let Body::CreditTransfer(transfer) = message.body else {
                panic!("{:?}", message.message_type);
            };
            check(&writer, number, &transfer);
        }
    }
}

fn check(writer: &Writer, number: u64, transfer: &torap_iso20022::view::CreditTransfer<'_>) {
    let terms = writer.terms(number);
    assert_ne!(terms.payer, terms.payee);
    let payer = writer.customer(terms.payer, terms.payer_customer);
    let payee = writer.customer(terms.payee, terms.payee_customer);
    let (payer_bic, payee_bic) = (
        writer.bic(terms.payer).as_str(),
        writer.bic(terms.payee).as_str(),
    );
    assert_eq!(transfer.service, TransferService::C2cAccount);
    assert_eq!(
        (transfer.instructing_agent, transfer.debtor_agent),
        (payer_bic, payer_bic)
    );
    assert_eq!(
        (transfer.instructed_agent, transfer.creditor_agent),
        (Some(payee_bic), payee_bic)
    );
    assert_eq!(
        (transfer.created_ns, transfer.accepted_ns),
        (CREATED_NS, CREATED_NS)
    );
    assert_eq!(transfer.settlement_date, Some("2026-11-21"));
    assert_eq!(transfer.tiyn, terms.tiyn);
    assert!((10_000..2_010_000).contains(&terms.tiyn));
    assert_eq!(
        writer
            .identity
            .number_of_transaction(transfer.transaction_id),
        Some(number)
    );
    assert_eq!(
        writer
            .identity
            .number_of_message(transfer.message_id, payer_bic),
        Some(number)
    );
    assert_eq!(Uetr::parse(transfer.uetr), Ok(writer.identity.uetr(number)));
    for (party, iban, phone, customer) in [
        (&transfer.debtor, Some(transfer.debtor_iban), None, payer),
        (
            &transfer.creditor,
            transfer.creditor_iban,
            transfer.creditor_phone,
            payee,
        ),
    ] {
        assert_eq!(
            party.name.as_deref(),
            Some(customer.name.join(" ").as_str())
        );
        let Some(PersonNumber::Iin(person)) = party.number else {
            panic!("{:?}", party.number);
        };
        assert_eq!(IinBin::parse(person), Ok(customer.person));
        assert_eq!(Phone::parse(party.phone.unwrap()), Ok(customer.phone));
        assert_eq!(Iban::parse(iban.unwrap()), Ok(customer.iban));
        if let Some(phone) = phone {
            assert_eq!(Phone::parse(phone), Ok(customer.phone));
        }
    }
    assert!(transfer.creditor_phone.is_some());
}

#[test]
fn payments_have_the_shape_of_the_bench_document() {
    let mut writer = writer(4);
    for number in numbers().take(100) {
        let mut body = Vec::new();
        writer.write_payment(number, CREATED_NS, &mut body);
        let text = String::from_utf8(body).unwrap();
        let elements = text.matches('<').count() - text.matches("</").count() - 1;
        assert_eq!(elements, 84, "start tags, without the declaration");
        assert!((3200..3450).contains(&text.len()), "{} bytes", text.len());
        assert!(!text.contains(['{', '}']));
    }
}

#[test]
fn the_same_number_gives_the_same_bytes_and_other_numbers_other_parties() {
    let (mut once, mut again) = (writer(4), writer(4));
    let mut parties = HashSet::new();
    for number in 0..1000 {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        once.write_payment(number, CREATED_NS, &mut first);
        again.write_payment(number, CREATED_NS + 1, &mut Vec::new());
        again.write_payment(number, CREATED_NS, &mut second);
        assert_eq!(first, second);
        let terms = once.terms(number);
        parties.extend([terms.payer_customer, terms.payee_customer]);
    }
    // 2000 draws of a million: hardly any customer twice.
    assert!(parties.len() > 1980, "{}", parties.len());
}

#[test]
fn every_pair_of_banks_and_customers_of_all_of_them_take_part() {
    let writer = writer(4);
    let mut pairs = HashSet::new();
    for number in 0..10_000 {
        let terms = writer.terms(number);
        pairs.insert((terms.payer, terms.payee));
        for (bank, customer) in [
            (terms.payer, terms.payer_customer),
            (terms.payee, terms.payee_customer),
        ] {
            assert_eq!(customer as usize % 4, bank, "a customer has one bank");
            assert!(customer < CUSTOMERS);
        }
    }
    assert_eq!(pairs.len(), 12);
}

#[test]
fn acceptances_pass_the_national_profile() {
    let mut reader = Reader::new(*torap_gateway::formats());
    let mut writer = writer(2);
    let forwarded = Forwarded {
        message_name: "pacs.008.001.10",
        message_id: "MESSAGE",
        end_to_end_id: "E2E",
        transaction_id: "TX",
        uetr: "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    };
    let mut ids = HashSet::new();
    for answer in [0, 1, 999_999_999_999] {
        let mut body = Vec::new();
        writer.write_acceptance(1, answer, &forwarded, CREATED_NS, &mut body);
        let message = reader.read(&body, Direction::ToSwitch).unwrap();
        let Body::StatusReport(report) = message.body else {
            panic!("{:?}", message.message_type);
        };
        assert_eq!(report.status, TransactionStatus::Acsp);
        assert_eq!(report.instructing_agent, Some("BNBKKZKA"));
        assert_eq!(report.original.transaction_id, forwarded.transaction_id);
        assert_eq!(report.original.uetr, forwarded.uetr);
        assert_eq!(report.original.message_id, Some(forwarded.message_id));
        assert!(ids.insert(report.message_id.to_string()));
        // Never taken for a payment of the same number.
        assert_eq!(
            writer
                .identity
                .number_of_message(report.message_id, "BNBKKZKA"),
            None
        );
    }
}

#[test]
fn identifiers_of_another_run_are_foreign() {
    let (ours, others) = (Identity::new(1), Identity::new(2));
    let mut id = Vec::new();
    others.write_transaction_id(5, &mut id);
    let id = String::from_utf8(id).unwrap();
    assert_eq!(others.number_of_transaction(&id), Some(5));
    assert_eq!(ours.number_of_transaction(&id), None);
    for wrong in ["", "TX", "TX00000000000001", &id[..27], &format!("{id}0")] {
        assert_eq!(others.number_of_transaction(wrong), None, "{wrong}");
        assert_eq!(others.number_of_message(wrong, "TX"), None, "{wrong}");
    }
    assert_ne!(ours.uetr(5), others.uetr(5));
}
