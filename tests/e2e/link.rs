//! What a bank's link promises when sessions follow each other, and for messages at the limit.

use serde_json::Value;
use torap_bank::{PayOrder, Payee, Request as BankRequest, WaitFor};
use torap_domain::Time;
use torap_gateway::{
    session::{CloseReason, SendError},
    wire::limits::{BANK_MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX},
};
use torap_node::{
    control::Request,
    demo::{Day, Lab, customer_of},
};

use crate::{
    program::{lab, now},
    raw_bank::RawBank,
};

/// Ends a bank's simulated host, to take its link by hand.
fn dismiss(lab: &Lab, code: &str) {
    // It may be gone before it has answered.
    let _ = lab.bank(code, &BankRequest::Stop);
}

fn to_halyk(account: u32, amount: &str) -> PayOrder {
    let customer = customer_of("HSBK", account).expect("customer");
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    };
    PayOrder::new(account, payee, Some(amount))
}

#[test]
fn a_second_sign_on_is_served_at_once_though_the_first_socket_stays_open() {
    let (_dir, lab) = lab();
    dismiss(&lab, "HSBK");
    // Twice, so that whoever is in the way stays in it.
    let mut first = RawBank::sign_on(&lab, "HSBK", "HSBKKZKX");
    let mut second = RawBank::sign_on(&lab, "HSBK", "HSBKKZKX");
    let mut third = RawBank::sign_on(&lab, "HSBK", "HSBKKZKX");
    let day = Day::new(lab);
    let sent = day.pay_with("CASP", to_halyk(5, "7.00")).expect("payment");
    // The switch gives the payment up after seconds, and sends a SKIP if it comes to it then.
    third.message(&["pacs.008", &sent.uetr]);
    for older in [&mut first, &mut second] {
        let reason = older.closed();
        let CloseReason::PeerError(error) = &reason else {
            panic!("{reason:?}")
        };
        assert_eq!(error.number, 28, "{reason:?}");
    }
}

#[test]
fn the_largest_message_of_a_bank_is_passed_on_and_nothing_behind_it_waits() {
    let (_dir, lab) = lab();
    dismiss(&lab, "CASP");
    let mut casp = RawBank::sign_on(&lab, "CASP", "CASPKZKA");
    let day = Day::new(lab);
    // The switch adds a header to what it passes on, so it takes in less than it sends.
    let whole = payment("WIDE-1", MESSAGE_BYTES_MAX);
    assert_eq!(casp.send(&whole), Err(SendError::TooLarge));
    casp.send(&payment("WIDE-2", BANK_MESSAGE_BYTES_MAX))
        .expect("as large as SIGNED_ON says");
    casp.send(&payment("WIDE-3", 4096)).expect("a small one");
    for tx in ["WIDE-2", "WIDE-3"] {
        let filter = WaitFor {
            kind: Some("pacs.008".into()),
            uetr: Some(uetr(tx)),
            ..WaitFor::default()
        };
        day.wait("HSBK", filter).expect("the payee's bank has it");
        casp.message(&["pacs.002", tx, "ACSC"]);
    }
    let status: Value = day.ctl(&Request::Status).expect("status");
    assert_eq!(status["conserved"], true);
}

/// A pacs.008 without a header, made as long as wanted by a comment.
fn payment(tx: &str, bytes: usize) -> Vec<u8> {
    let (debtor, creditor) = (
        customer_of("CASP", 3).expect("customer"),
        customer_of("HSBK", 4).expect("customer"),
    );
    let time = Time::to_string(&now());
    let text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10\"><FIToFICstmrCdtTrf><GrpHdr><MsgId>M-{tx}</MsgId>\
         <CreDtTm>{time}</CreDtTm><NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr><CdtTrfTxInf><PmtId>\
         <EndToEndId>NOTPROVIDED</EndToEndId><TxId>{tx}</TxId><UETR>{uetr}</UETR></PmtId><PmtTpInf><SvcLvl><Cd>INST</Cd></SvcLvl>\
         <LclInstrm><Prtry>C2C2</Prtry></LclInstrm></PmtTpInf><IntrBkSttlmAmt Ccy=\"KZT\">3.00</IntrBkSttlmAmt>\
         <AccptncDtTm>{time}</AccptncDtTm><ChrgBr>SLEV</ChrgBr><InstgAgt><FinInstnId><BICFI>CASPKZKA</BICFI></FinInstnId></InstgAgt>\
         <InstdAgt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></InstdAgt><Dbtr><Nm>{}</Nm><Id><PrvtId><Othr><Id>{}</Id><SchmeNm>\
         <Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id></Dbtr><DbtrAcct><Id><IBAN>{}</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId>\
         <BICFI>CASPKZKA</BICFI></FinInstnId></DbtrAgt><CdtrAgt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></CdtrAgt><Cdtr>\
         <Nm>{}</Nm></Cdtr><CdtrAcct><Id><IBAN>{}</IBAN></Id></CdtrAcct><Purp><Prtry>119</Prtry></Purp><!--@--></CdtTrfTxInf>\
         </FIToFICstmrCdtTrf></Document>",
        debtor.name,
        debtor.person,
        debtor.iban.as_str(),
        creditor.name,
        creditor.iban.as_str(),
        uetr = uetr(tx),
    );
    let padding = "y".repeat(bytes + 1 - text.len());
    text.replace('@', &padding).into_bytes()
}

/// A UETR made of the last character of a name.
fn uetr(tx: &str) -> String {
    let last = tx.bytes().last().expect("a name");
    format!("a0000000-0000-4000-8000-0000000000{last:02x}")
}
