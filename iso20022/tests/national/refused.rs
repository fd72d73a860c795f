//! What the profile refuses, each with its place, code and status reason; and what it lets pass.

use torap_iso20022::profile::{self, Direction};
use torap_iso20022::view::{Body, Reader, TransferService};

use crate::formats::formats;
use crate::samples::{self, header, identifier};
use crate::written;

/// Reads `body` after replacing `from` by `to`, and compares the verdict: `ok`, or `path code reason`.
#[track_caller]
pub(crate) fn check(body: &Body<'_>, from: &str, to: &str, expect: &str) {
    let text = String::from_utf8(written(Some(&header(identifier(body))), body)).unwrap();
    assert!(text.contains(from), "nothing to replace: {from}\n{text}");
    check_text(&text.replace(from, to), expect);
}

#[track_caller]
fn check_text(text: &str, expect: &str) {
    let verdict = match Reader::new(formats()).read(text.as_bytes(), Direction::ToSwitch) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => {
            assert!(refusal.offset <= text.len());
            format!(
                "{} {} {}",
                refusal.path,
                refusal.code(),
                refusal.reason().unwrap_or("-")
            )
        }
    };
    assert_eq!(verdict, expect, "{text}");
}

fn by_account() -> Body<'static> {
    Body::CreditTransfer(samples::by_account())
}

/// Shortens the paths of a credit transfer.
fn transfer(rest: &str) -> String {
    format!("/Document/FIToFICstmrCdtTrf/{rest}")
}

#[test]
fn the_bench_document_passes() {
    let bench = include_bytes!("../../benches/data/pacs008-84.xml");
    let label = profile::check(bench, &formats()).unwrap();
    assert_eq!(label.to_string(), "pacs.008.001.10");
    let message = Reader::new(formats())
        .read(bench, Direction::ToSwitch)
        .unwrap();
    assert_eq!(message.body, by_account());
}

#[test]
fn one_payment_cleared_by_the_switch() {
    let body = by_account();
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, &transfer(expect));
    check(
        "<NbOfTxs>1</NbOfTxs>",
        "<NbOfTxs>2</NbOfTxs>",
        "GrpHdr/NbOfTxs fixed-value AM18",
    );
    check(
        "<SttlmMtd>CLRG",
        "<SttlmMtd>INDA",
        "GrpHdr/SttlmInf/SttlmMtd fixed-value FF03",
    );
    check(
        "<Cd>INST<",
        "<Cd>SEPA<",
        "GrpHdr/PmtTpInf/SvcLvl/Cd fixed-value FF04",
    );
    check(">SLEV<", ">SHAR<", "CdtTrfTxInf/ChrgBr fixed-value CH16");
    let text = String::from_utf8(written(None, &body)).unwrap();
    let start = text.find("<CdtTrfTxInf>").unwrap();
    let end = text.find("</CdtTrfTxInf>").unwrap() + "</CdtTrfTxInf>".len();
    let twice = format!("{}{}{}", &text[..end], &text[start..end], &text[end..]);
    check_text(&twice, &transfer("CdtTrfTxInf once AM18"));
}

#[test]
fn the_service_code_chooses_the_table() {
    let body = by_account();
    check(&body, "<Prtry>C2C2<", "<Prtry>C2C<", "ok");
    let place = transfer("GrpHdr/PmtTpInf/LclInstrm/Prtry service-code FF05");
    check(&body, "<Prtry>C2C2<", "<Prtry>B2B<", &place);
    check(
        &body,
        "<LclInstrm><Prtry>C2C2</Prtry></LclInstrm>",
        "",
        &place,
    );
    check(
        &body,
        "<LclInstrm><Prtry>C2C2</Prtry></LclInstrm>",
        "<LclInstrm><Cd>C2C2</Cd></LclInstrm>",
        &place,
    );
    let both = "</PmtId><PmtTpInf><LclInstrm><Prtry>C2C2</Prtry></LclInstrm></PmtTpInf>";
    check(
        &body,
        "</PmtId>",
        both,
        &transfer("CdtTrfTxInf/PmtTpInf/LclInstrm/Prtry one-place FF05"),
    );
    let mut reader = Reader::new(formats());
    for (body, service) in [
        (samples::by_account(), TransferService::C2cAccount),
        (samples::by_phone(), TransferService::C2cPhone),
        (samples::own_accounts(), TransferService::Me2Me),
        (samples::by_qr(), TransferService::Qr),
    ] {
        let bytes = written(None, &Body::CreditTransfer(body));
        let Body::CreditTransfer(transfer) = reader.read(&bytes, Direction::ToSwitch).unwrap().body
        else {
            panic!()
        };
        assert_eq!(transfer.service, service);
    }
}

#[test]
fn amounts() {
    let body = by_account();
    let amount = "IntrBkSttlmAmt Ccy=\"KZT\">15250.00";
    let whole = format!("<{amount}");
    let total = format!("<Ttl{amount}</TtlIntrBkSttlmAmt>");
    let place = |code: &str| transfer(&format!("CdtTrfTxInf/IntrBkSttlmAmt {code}"));
    let check = |to: &str, expect: &str| {
        let text = String::from_utf8(written(None, &body))
            .unwrap()
            .replace(&total, "");
        check_text(
            &text.replace(&whole, &format!("<IntrBkSttlmAmt Ccy=\"KZT\">{to}")),
            expect,
        );
    };
    for right in ["15250", "15250.5", "0.01", "0015250.00"] {
        check(right, "ok");
    }
    check("15250.000", &place("amount-decimals AM12"));
    check("15250.123", &place("amount-decimals AM12"));
    check("0.00", &place("amount-zero AM01"));
    check("0", &place("amount-zero AM01"));
    for odd in ["+1", ".5", "5.", "1&#48;"] {
        check(
            odd,
            &place(if odd.contains('&') {
                "plain-text AM12"
            } else {
                "amount-form AM12"
            }),
        );
    }
    check("999999999999999999", &place("amount-range AM12"));
    check(
        "-1",
        "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt min-inclusive -",
    );
}

#[test]
fn totals_and_currencies() {
    let body = by_account();
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, expect);
    let total = "<TtlIntrBkSttlmAmt Ccy=\"KZT\">15250.00";
    check(total, "<TtlIntrBkSttlmAmt Ccy=\"KZT\">15250", "ok");
    let place = transfer("GrpHdr/TtlIntrBkSttlmAmt total-equals-amount AM10");
    check(total, "<TtlIntrBkSttlmAmt Ccy=\"KZT\">15250.01", &place);
    check(
        total,
        "<TtlIntrBkSttlmAmt Ccy=\"USD\">15250.00",
        &transfer("GrpHdr/TtlIntrBkSttlmAmt/@Ccy fixed-value AM03"),
    );
    let place = transfer("CdtTrfTxInf/IntrBkSttlmAmt/@Ccy fixed-value AM03");
    check(
        "<IntrBkSttlmAmt Ccy=\"KZT\"",
        "<IntrBkSttlmAmt Ccy=\"USD\"",
        &place,
    );
}

#[test]
fn times_have_an_offset() {
    let body = by_account();
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, expect);
    let accepted = "AccptncDtTm>2026-11-21T09:15:27.101+05:00";
    let place = |code: &str| transfer(&format!("CdtTrfTxInf/AccptncDtTm {code}"));
    check(accepted, "AccptncDtTm>2026-11-21T04:15:27Z", "ok");
    check(accepted, "AccptncDtTm>2026-11-21T24:00:00+05:00", "ok");
    check(
        accepted,
        "AccptncDtTm>2026-11-21T09:15:27",
        &place("date-time-offset TM01"),
    );
    check(
        accepted,
        "AccptncDtTm>12026-11-21T09:15:27Z",
        &place("date-time-form TM01"),
    );
    check(
        accepted,
        "AccptncDtTm>1970-01-01T00:00:00+05:00",
        &place("date-time-range TM01"),
    );
    check(
        "<AccptncDtTm>2026-11-21T09:15:27.101+05:00</AccptncDtTm>",
        "",
        &place("mandatory CH21"),
    );
    check(
        "<CreDtTm>2026-11-21T09:15:27.123+05:00",
        "<CreDtTm>2026-11-21T09:15:27.123",
        &transfer("GrpHdr/CreDtTm date-time-offset DT02"),
    );
    check(
        "SttlmDt>2026-11-21<",
        "SttlmDt>2026-11-21Z<",
        &transfer("GrpHdr/IntrBkSttlmDt date-form DT01"),
    );
}

#[test]
fn identifiers() {
    let body = by_account();
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, expect);
    let place = |rest: &str| transfer(&format!("CdtTrfTxInf/PmtId/{rest}"));
    check(
        ">TX2026",
        ">TX#2026",
        &place("TxId identifier-characters RR10"),
    );
    check(">TX2026", ">TX&amp;2026", &place("TxId plain-text RR10"));
    check(
        ">TX2026",
        ">TX<!-- a -->2026",
        &place("TxId plain-text RR10"),
    );
    check(
        ">E2E-2026",
        ">Ж2E-2026",
        &place("EndToEndId identifier-characters FF08"),
    );
    check(
        "<TxId>TX20261121091527123000001234</TxId>",
        "",
        &place("TxId mandatory CH21"),
    );
    check(
        &format!("<UETR>{}</UETR>", samples::UETR),
        "",
        &place("UETR mandatory CH21"),
    );
    let place = "/AppHdr/BizMsgIdr identifier-of-document CH16";
    check("<BizMsgIdr>HSBK", "<BizMsgIdr>CASP", place);
    check(
        "<MsgDefIdr>pacs.008.001.10",
        "<MsgDefIdr>pacs.008.001.08",
        "/AppHdr/MsgDefIdr definition-of-document CH16",
    );
    check(
        "<BizSvc>torap.inst.1",
        "<BizSvc>torap.inst.2",
        "/AppHdr/BizSvc fixed-value CH16",
    );
    check(
        "<CreDt>2026-11-21T09:15:27.123+05:00",
        "<CreDt>2026-11-21T09:15:27",
        "/AppHdr/CreDt date-time-offset DT02",
    );
}

#[test]
fn agents() {
    let body = by_account();
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, expect);
    let instructing = "<InstgAgt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></InstgAgt>";
    check(
        instructing,
        "",
        &transfer("GrpHdr/InstgAgt/FinInstnId/BICFI mandatory CH21"),
    );
    let both = format!("SLEV</ChrgBr>{instructing}");
    check(
        "SLEV</ChrgBr>",
        &both,
        &transfer("CdtTrfTxInf/InstgAgt/FinInstnId/BICFI one-place RC01"),
    );
    let by_name =
        |agent: &str| format!("<{agent}><FinInstnId><Nm>Bank</Nm></FinInstnId></{agent}>");
    for agent in ["DbtrAgt", "CdtrAgt"] {
        let bic = if agent == "DbtrAgt" {
            "HSBKKZKX"
        } else {
            "CASPKZKA"
        };
        let from = format!("<{agent}><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></{agent}>");
        check(
            &from,
            &by_name(agent),
            &transfer(&format!(
                "CdtTrfTxInf/{agent}/FinInstnId/BICFI mandatory CH21"
            )),
        );
    }
    // In the transaction instead of the group header is as good.
    let text = String::from_utf8(written(None, &body)).unwrap();
    check_text(
        &text
            .replace(instructing, "")
            .replace("SLEV</ChrgBr>", &both),
        "ok",
    );
}

#[test]
fn parties_and_accounts() {
    let body = by_account();
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, expect);
    let place = |rest: &str| transfer(&format!("CdtTrfTxInf/{rest}"));
    check(
        "<IBAN>KZ14601",
        "<IBAN>KZ15601",
        &place("DbtrAcct/Id/IBAN iban-check-digits AC02"),
    );
    check(
        "<IBAN>KZ45722",
        "<IBAN>KZ46722",
        &place("CdtrAcct/Id/IBAN iban-check-digits AC03"),
    );
    check(
        "<DbtrAcct><Id><IBAN>KZ146010002011451923</IBAN></Id>",
        "<DbtrAcct>",
        &place("DbtrAcct/Id/IBAN mandatory RR01"),
    );
    check(
        "<Id>850712400122<",
        "<Id>850712400123<",
        &place("Dbtr/Id/PrvtId/Othr/Id iin-check-digit BE16"),
    );
    check(
        "<Id>790305300457<",
        "<Id>790305300458<",
        &place("Cdtr/Id/PrvtId/Othr/Id iin-check-digit BE17"),
    );
    check(
        "<Nm>АХМЕТОВА АЙГЕРИМ СЕРИКОВНА</Nm>",
        "",
        &place("Dbtr/Nm mandatory RR02"),
    );
    check(
        "<Nm>ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ</Nm>",
        "",
        &place("Cdtr/Nm creditor-name BE22"),
    );
    check(
        "+7-7011234567",
        "+7-1011234567",
        &place("Dbtr/CtctDtls/MobNb phone-not-mobile BE18"),
    );
    check(
        "<Purp><Prtry>119</Prtry></Purp>",
        "",
        &place("Purp/Prtry mandatory FF07"),
    );
    check(
        "<Purp><Prtry>119",
        "<Purp><Prtry>11",
        &place("Purp/Prtry knp FF07"),
    );
    // Of an account that is given, the alias is not looked at.
    check("<Id>+77779876543</Id>", "<Id>nobody</Id>", "ok");
}

#[test]
fn the_number_of_a_party_is_the_one_marked() {
    let body = by_account();
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, expect);
    let place = transfer("CdtTrfTxInf/Dbtr/Id/PrvtId/Othr/Id debtor-number RR01");
    let iin = "<Othr><Id>850712400122</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr>";
    let passport = "<Othr><Id>N01234567</Id><SchmeNm><Cd>CCPT</Cd></SchmeNm></Othr>";
    check(iin, passport, &place);
    check(iin, "<Othr><Id>850712400122</Id></Othr>", &place);
    check(iin, &format!("{passport}{iin}"), "ok");
    check(
        iin,
        &format!("<Othr><Id>1</Id></Othr>{iin}{passport}"),
        "ok",
    );
    let company = |scheme: &str| {
        format!("<OrgId><Othr><Id>980540000397</Id><SchmeNm>{scheme}</SchmeNm></Othr></OrgId>")
    };
    let person = format!("<PrvtId>{iin}</PrvtId>");
    check(&person, &company("<Cd>TXID</Cd>"), "ok");
    check(&person, &company("<Prtry>BIN</Prtry>"), "ok");
    check(&person, &company("<Cd>BANK</Cd>"), &place);
    let wrong = company("<Cd>TXID</Cd>").replace("397", "398");
    check(
        &person,
        &wrong,
        &transfer("CdtTrfTxInf/Dbtr/Id/OrgId/Othr/Id iin-check-digit BE16"),
    );
}

#[test]
fn sector_codes_are_read_by_their_side() {
    let mut reader = Reader::new(formats());
    let both = samples::by_qr();
    for (kod, kbe) in [
        (None, None),
        (Some("19"), None),
        (None, Some("17")),
        (Some("19"), Some("17")),
    ] {
        let bytes = written(
            None,
            &Body::CreditTransfer(torap_iso20022::view::CreditTransfer {
                kod,
                kbe,
                ..both.clone()
            }),
        );
        let Body::CreditTransfer(read) = reader.read(&bytes, Direction::ToSwitch).unwrap().body
        else {
            panic!()
        };
        assert_eq!((read.kod, read.kbe), (kod, kbe));
    }
    let body = Body::CreditTransfer(both);
    let place = |code: &str| transfer(&format!("CdtTrfTxInf/RgltryRptg/Dtls/Cd {code} RR05"));
    check(&body, "<Cd>17</Cd>", "<Cd>10</Cd>", &place("sector"));
    check(
        &body,
        "<Cd>19</Cd>",
        "<Cd>39</Cd>",
        &place("sector-residency"),
    );
    check(&body, ">CRED<", ">DEBT<", &place("sector-codes"));
    check(&body, ">CRED<", ">BOTH<", "ok");
}

#[test]
fn by_phone() {
    let body = Body::CreditTransfer(samples::by_phone());
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, expect);
    let place = |rest: &str| transfer(&format!("CdtTrfTxInf/CdtrAcct/Prxy/{rest}"));
    check("<Id>+77779876543</Id>", "<Id>8 (777) 987-65-43</Id>", "ok");
    check(
        "<Id>+77779876543</Id>",
        "<Id>+71119876543</Id>",
        &place("Id phone-not-mobile BE23"),
    );
    check(
        "<Cd>TELE</Cd></Tp><Id>+7777",
        "<Cd>EMAL</Cd></Tp><Id>+7777",
        &place("Tp/Cd fixed-value BE23"),
    );
    let account = "<CdtrAcct><Prxy><Tp><Cd>TELE</Cd></Tp><Id>+77779876543</Id></Prxy></CdtrAcct>";
    check(account, "", &place("Tp/Cd mandatory BE23"));
    check(
        account,
        "<CdtrAcct><Prxy><Tp><Cd>TELE</Cd></Tp><Id>+77779876543</Id></Prxy></CdtrAcct>",
        "ok",
    );
}

#[test]
fn own_accounts_need_the_number_and_an_account_or_phone() {
    let transfer_body = samples::own_accounts();
    let body = Body::CreditTransfer(transfer_body.clone());
    let place = |rest: &str| transfer(&format!("CdtTrfTxInf/{rest}"));
    let id = "<Id><PrvtId><Othr><Id>850712400122</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id>";
    let text = String::from_utf8(written(None, &body)).unwrap();
    let (before, after) = text.rsplit_once(id).unwrap();
    check_text(
        &format!("{before}{after}"),
        &place("Cdtr/Id/PrvtId/Othr/Id creditor-number-present BE17"),
    );
    let iban = "<CdtrAcct><Id><IBAN>KZ45722S000054326792</IBAN></Id></CdtrAcct>";
    check(
        &body,
        iban,
        "",
        &place("CdtrAcct/Id/IBAN account-or-phone AC03"),
    );
    let phone = |kind: &str, id: &str| {
        format!("<CdtrAcct><Prxy><Tp><Cd>{kind}</Cd></Tp><Id>{id}</Id></Prxy></CdtrAcct>")
    };
    check(&body, iban, &phone("TELE", "+77779876543"), "ok");
    check(
        &body,
        iban,
        &phone("EMAL", "+77779876543"),
        &place("CdtrAcct/Prxy/Id account-or-phone BE23"),
    );
    check(
        &body,
        iban,
        &phone("TELE", "+71119876543"),
        &place("CdtrAcct/Prxy/Id phone-not-mobile BE23"),
    );
}

#[test]
fn a_qr_payment_names_its_code_once() {
    let body = Body::CreditTransfer(samples::by_qr());
    let check = |from: &str, to: &str, expect: &str| check(&body, from, to, expect);
    let place = |code: &str| {
        transfer(&format!(
            "CdtTrfTxInf/RmtInf/Strd/CdtrRefInf/Ref {code} RR07"
        ))
    };
    let reference = |kind: &str| {
        format!(
            "<Strd><CdtrRefInf><Tp><CdOrPrtry>{kind}</CdOrPrtry></Tp><Ref>QR-2026-000017</Ref></CdtrRefInf></Strd>"
        )
    };
    let qr = reference("<Prtry>QR</Prtry>");
    check(
        &qr,
        &reference("<Prtry>INV</Prtry>"),
        &place("qr-reference"),
    );
    check(&qr, &reference("<Cd>SCOR</Cd>"), &place("qr-reference"));
    check(&qr, "<Ustrd>none</Ustrd>", &place("qr-reference"));
    check(&qr, &format!("{}{qr}", reference("<Cd>SCOR</Cd>")), "ok");
    check(&qr, &format!("{qr}{qr}"), &place("qr-reference"));
    check("<Ref>QR-", "<Ref>QR#", &place("identifier-characters"));
}

#[test]
fn a_document_stands_alone() {
    let body = by_account();
    let text = String::from_utf8(written(Some(&header(identifier(&body))), &body)).unwrap();
    let namespace = " xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10\"";
    let inner = &text[text.find("<Document").unwrap()..text.find("</Envelope>").unwrap()];
    let prefixed = inner
        .replace(namespace, "")
        .replace("</", "</d:")
        .replace('<', "<d:")
        .replace("<d:/", "</");
    let leaning = text.replace(inner, &prefixed).replace(
        "<Envelope ",
        "<Envelope xmlns:d=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10\" ",
    );
    check_text(&leaning, "/Document self-contained CH21");
}

#[test]
fn a_refused_payment_can_be_identified() {
    let mut reader = Reader::new(formats());
    let text = String::from_utf8(written(None, &by_account()))
        .unwrap()
        .replace("KZ45722", "KZ46722");
    assert!(reader.read(text.as_bytes(), Direction::ToSwitch).is_err());
    let identity = reader.identify(text.as_bytes()).unwrap();
    assert_eq!(identity.message_type.as_str(), "pacs.008.001.10");
    assert_eq!(identity.message_id, Some("HSBKKZKX20261121000000000001234"));
    assert_eq!(identity.instructing_agent, Some("HSBKKZKX"));
    assert_eq!(
        identity.transaction_id,
        Some("TX20261121091527123000001234")
    );
    assert_eq!(identity.uetr, Some(samples::UETR));
    let recall = written(
        None,
        &Body::CancellationRequest(samples::cancellation_request()),
    );
    assert_eq!(
        reader.identify(&recall).unwrap().instructing_agent,
        Some("HSBKKZKX")
    );
    assert_eq!(reader.identify(b"<Document/>"), None);
}

#[test]
fn escaped_free_text_is_decoded() {
    let text = String::from_utf8(written(None, &by_account())).unwrap();
    let text = text
        .replace("ИВАНОВ", "ИВАНОВ &lt;&#1057;&gt;")
        .replace("&amp; без", "&#x26; без");
    let message = Reader::new(formats())
        .read(text.as_bytes(), Direction::ToSwitch)
        .unwrap();
    let Body::CreditTransfer(transfer) = message.body else {
        panic!()
    };
    assert_eq!(
        transfer.creditor.name.as_deref(),
        Some("ИВАНОВ <С> СЕРГЕЙ ПЕТРОВИЧ")
    );
    assert_eq!(
        transfer.remittance.as_deref(),
        Some("Перевод по номеру телефона & без комиссии")
    );
}
