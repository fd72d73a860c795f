//! What the payee's bank receives: the Document's bytes as the payer's bank wrote them, or with only the payee's side replaced.

use torap_iso20022::profile::Direction;
use torap_iso20022::view::{Body, BusinessHeader, Reader, TransferService};
use torap_iso20022::write::{self, Resolved};

use crate::formats::formats;
use crate::samples::{self, header, identifier};
use crate::written;

const RESOLVED: Resolved<'static> = Resolved {
    bic: "CASPKZKA",
    iban: "KZ45722S000054326792",
    phone: "+77779876543",
};

fn onward(message_id: &str) -> BusinessHeader<'_> {
    BusinessHeader {
        from: samples::SWITCH,
        to: "CASPKZKA",
        ..header(message_id)
    }
}

#[test]
fn a_document_is_forwarded_unaltered() {
    let bench = include_bytes!("../../benches/data/pacs008-84.xml");
    let mut reader = Reader::new(formats());
    let received = reader.read(bench, Direction::ToSwitch).unwrap();
    let Body::CreditTransfer(transfer) = &received.body else {
        panic!("{received:?}")
    };
    let header = onward(transfer.message_id);
    let mut out = Vec::new();
    write::forward(
        &mut out,
        &header,
        received.message_type,
        &bench[received.document.clone()],
    );

    let forwarded = reader.read(&out, Direction::FromSwitch).unwrap();
    assert_eq!(forwarded.header, Some(header));
    assert_eq!(
        out[forwarded.document.clone()],
        bench[received.document.clone()]
    );
    assert_eq!(forwarded.body, received.body);
    assert_eq!(forwarded.message_type, received.message_type);
}

/// Forwards a payment by phone and checks that only the payee's side changed.
fn check_resolved(input: &str) -> String {
    let mut reader = Reader::new(formats());
    let received = reader
        .read(input.as_bytes(), Direction::ToSwitch)
        .unwrap_or_else(|refusal| panic!("{refusal}\n{input}"));
    let Body::CreditTransfer(before) = received.body.clone() else {
        panic!("{received:?}")
    };
    assert_eq!(before.service, TransferService::C2cPhone);
    let mut out = b"kept".to_vec();
    let spliced = write::forward_resolved(
        &mut out,
        &onward(before.message_id),
        received.message_type,
        input.as_bytes(),
        received.document.clone(),
        &received.splice.clone().unwrap(),
        &RESOLVED,
    );
    assert!(spliced);
    let out = out.strip_prefix(b"kept").unwrap().to_vec();
    let forwarded = reader
        .read(&out, Direction::FromSwitch)
        .unwrap_or_else(|refusal| panic!("{refusal}\n{}", String::from_utf8_lossy(&out)));
    let Body::CreditTransfer(after) = forwarded.body else {
        panic!("{forwarded:?}")
    };
    let mut expected = before.clone();
    expected.service = TransferService::C2cAccount;
    expected.creditor_agent = RESOLVED.bic;
    expected.creditor_iban = Some(RESOLVED.iban);
    expected.instructed_agent = before.instructed_agent.map(|_| RESOLVED.bic);
    assert_eq!(after, expected);
    String::from_utf8(out[forwarded.document].to_vec()).unwrap()
}

#[test]
fn a_payment_by_phone_gets_the_bank_and_account_found() {
    let body = Body::CreditTransfer(samples::by_phone());
    let input = String::from_utf8(written(Some(&header(identifier(&body))), &body)).unwrap();
    let document = check_resolved(&input);
    // Everything outside the three elements is as it was.
    let source = &input[input.find("<Document").unwrap()..input.find("</Envelope>").unwrap()];
    let agent = "<FinInstnId><BICFI>TORPKZKA</BICFI></FinInstnId>";
    let expected = source
        .replace(agent, "<FinInstnId><BICFI>CASPKZKA</BICFI></FinInstnId>")
        .replace(
            "<CdtrAcct><Prxy>",
            "<CdtrAcct><Id><IBAN>KZ45722S000054326792</IBAN></Id><Prxy>",
        );
    assert_eq!(document, expected);
}

#[test]
fn without_an_instructed_agent_two_elements_are_replaced() {
    let mut transfer = samples::by_phone();
    transfer.instructed_agent = None;
    let input = String::from_utf8(written(None, &Body::CreditTransfer(transfer))).unwrap();
    let document = check_resolved(&input);
    assert_eq!(document.matches("CASPKZKA").count(), 1, "{document}");
    assert!(!document.contains("InstdAgt"), "{document}");
}

#[test]
fn prefixes_blanks_and_other_content_of_the_elements_are_minded() {
    let input =
        String::from_utf8(written(None, &Body::CreditTransfer(samples::by_phone()))).unwrap();
    let prefixed = input
        .replace("</", "</d:")
        .replace('<', "<d:")
        .replace("<d:/", "</")
        .replace("<d:?", "<?")
        .replace("<d:Document xmlns=", "<d:Document xmlns:d=");
    check_resolved(&prefixed);
    let declared_again = input.replace(
        "<CdtrAgt><FinInstnId>",
        "<CdtrAgt  xmlns = 'urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10' ><FinInstnId>",
    );
    check_resolved(&declared_again);
    let fuller = input
        .replace(
            "<CdtrAgt><FinInstnId><BICFI>TORPKZKA</BICFI>",
            "<CdtrAgt ><FinInstnId><BICFI>TORPKZKA</BICFI><Nm>Torap</Nm>",
        )
        .replace(
            "<CdtrAcct><Prxy>",
            "<CdtrAcct\n><Id><Othr><Id>X</Id></Othr></Id><Ccy>KZT</Ccy><Prxy>",
        );
    let document = check_resolved(&fuller);
    assert!(
        !document.contains("Torap") && !document.contains("Othr><Id>X"),
        "{document}"
    );
}

#[test]
fn ranges_of_another_message_leave_the_buffer_as_it_was() {
    let input = written(None, &Body::CreditTransfer(samples::by_phone()));
    let mut reader = Reader::new(formats());
    let received = reader.read(&input, Direction::ToSwitch).unwrap();
    let (document, splice) = (received.document.clone(), received.splice.clone().unwrap());
    for length in [
        0,
        10,
        splice.creditor_agent.start + 3,
        splice.creditor_account.end - 1,
        document.end - 1,
    ] {
        let mut out = b"kept".to_vec();
        let cut = &input[..length];
        let header = onward("X");
        assert!(!write::forward_resolved(
            &mut out,
            &header,
            received.message_type,
            cut,
            document.clone(),
            &splice,
            &RESOLVED
        ));
        assert_eq!(out, b"kept");
    }
}
