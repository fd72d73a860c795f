use torap_iso20022::{
    profile::Direction,
    view::{Body, Reader},
    write,
};

use super::*;
use crate::{
    fixtures::{
        self, BENCH, answer, by_account, by_phone, confirmation, header, look_up, payment, recall,
        resolution, status_request, written,
    },
    formats,
};

/// Comments that look like what is searched for.
const COMMENT: &str = "<!-- <Document><CdtrAcct><MsgId>X</MsgId> </Document> a > b -->";

fn messages() -> Vec<Vec<u8>> {
    let mut messages = vec![
        BENCH.to_vec(),
        payment(&by_account()).to_vec(),
        payment(&by_phone()).to_vec(),
        written(|out| write::credit_transfer(out, None, &by_phone(), &Default::default())).to_vec(),
        written(|out| {
            write::status_report(
                out,
                None,
                &answer(torap_iso20022::view::TransactionStatus::Acsp, None),
            )
        })
        .to_vec(),
        written(|out| {
            write::payment_return(
                out,
                Some(&header("CASPKZKA", "CASP-RTR-1")),
                &fixtures::payment_return(),
            )
        })
        .to_vec(),
        written(|out| write::status_request(out, None, &status_request())).to_vec(),
        written(|out| write::cancellation_request(out, None, &recall())).to_vec(),
        written(|out| {
            write::resolution(out, Some(&header("CASPKZKA", "CASP-RES-1")), &resolution())
        })
        .to_vec(),
        written(|out| write::verification_request(out, None, &look_up())).to_vec(),
        written(|out| write::verification_report(out, None, &confirmation(true))).to_vec(),
    ];
    let prefixed: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| with_prefix(message))
        .collect();
    messages.extend(prefixed);
    let commented: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| with_comments(message))
        .collect();
    messages.extend(commented);
    messages
}

/// The Document in a namespace prefix.
fn with_prefix(message: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(message).unwrap();
    let (before, rest) = text.split_at(text.find("<Document").unwrap());
    let (document, after) = rest.split_at(rest.find("</Document>").unwrap() + "</Document>".len());
    let document = document
        .replace("</", "\u{1}")
        .replace('<', "<d:")
        .replace('\u{1}', "</d:")
        .replace(" xmlns=", "\n xmlns:d = ");
    format!("{before}{document}{after}").into_bytes()
}

/// Comments and blanks wherever elements may stand apart.
fn with_comments(message: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(message).unwrap();
    let spread = text.replace("><", &format!(">\n{COMMENT} <"));
    // Not inside an empty element of text: those become two tags with a comment between, which stays valid for containers only.
    format!("{spread}\n{COMMENT}{COMMENT}\n").into_bytes()
}

fn reader() -> Reader {
    Reader::new(*formats::formats())
}

/// What the validator says: the Document, and for a payment by phone what a forward replaces.
fn expected(reader: &mut Reader, bytes: &[u8]) -> Option<(Range<usize>, Option<PhoneParts>)> {
    let message = reader.read(bytes, Direction::Either).ok()?;
    let phone = match &message.body {
        Body::CreditTransfer(transfer) if transfer.creditor_iban.is_none() => {
            let start =
                transfer.creditor_phone.unwrap().as_ptr() as usize - bytes.as_ptr() as usize;
            Some(start..start + transfer.creditor_phone.unwrap().len())
        }
        _ => None,
    };
    let parts = phone.map(|phone| PhoneParts {
        splice: message.splice.clone().unwrap(),
        phone,
    });
    Some((message.document, parts))
}

fn agrees(reader: &mut Reader, bytes: &[u8]) -> bool {
    let Some((range, parts)) = expected(reader, bytes) else {
        return false;
    };
    assert_eq!(
        document(bytes),
        Some(range.clone()),
        "{}",
        String::from_utf8_lossy(bytes)
    );
    if parts.is_some() {
        let found = phone_parts(bytes, &range)
            .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(bytes)));
        let trimmed = PhoneParts {
            phone: trimmed(bytes, found.phone),
            ..found
        };
        assert_eq!(Some(trimmed), parts, "{}", String::from_utf8_lossy(bytes));
    }
    true
}

fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let text = std::str::from_utf8(&bytes[range.clone()]).unwrap();
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

#[test]
fn the_walk_finds_what_the_validator_found() {
    let mut reader = reader();
    for message in messages() {
        assert!(
            agrees(&mut reader, &message),
            "{}",
            String::from_utf8_lossy(&message)
        );
    }
}

#[test]
fn the_walk_agrees_with_the_validator_on_mutations_and_panics_on_none() {
    let mut random = crate::fixtures::Random::new(0x5eed);
    let mut reader = reader();
    let mut valid = 0;
    for message in messages() {
        for _ in 0..120 {
            let mutated = random.mutate(&message);
            valid += u32::from(agrees(&mut reader, &mutated));
            let _ = message_id(&mutated);
            let _ = is_credit_transfer(&mutated);
            let whole = document(&mutated).unwrap_or(0..mutated.len());
            let _ = phone_parts(&mutated, &whole);
        }
    }
    assert!(
        valid > 100,
        "mutations that stay valid are what this test is about: {valid}"
    );
}

#[test]
fn the_identification_is_read_from_what_is_not_valid() {
    let id = |text: &str| message_id(text.as_bytes()).map(|id| id.as_str().to_owned());
    assert_eq!(
        id("<a><BizMsgIdr>B-1</BizMsgIdr><MsgId>M-1</MsgId>").as_deref(),
        Some("B-1")
    );
    assert_eq!(
        id("<x:GrpHdr><x:MsgId> M-2 </x:MsgId><broken").as_deref(),
        Some("M-2")
    );
    assert_eq!(
        id("<Assgnmt><Id>A-3</Id></Assgnmt>").as_deref(),
        Some("A-3")
    );
    assert_eq!(
        id("<OrgnlGrpInf><OrgnlMsgId>O-4</OrgnlMsgId></OrgnlGrpInf>"),
        None
    );
    assert_eq!(id("<MsgId>not;allowed</MsgId>"), None);
    assert_eq!(id("<MsgId>never closed"), None);
    assert_eq!(id("not xml at all"), None);
    assert_eq!(id(""), None);
    let far = format!("<a>{}<MsgId>M-5</MsgId>", " ".repeat(START_BYTES_MAX));
    assert_eq!(
        id(&far),
        None,
        "nobody makes the switch search a whole megabyte"
    );
}

#[test]
fn a_credit_transfer_is_told_by_its_namespace() {
    assert!(is_credit_transfer(&payment(&by_account())));
    assert!(is_credit_transfer(BENCH));
    assert!(!is_credit_transfer(&written(|out| write::status_request(
        out,
        None,
        &status_request()
    ))));
    // The name of the definition in a header or a reference does not count.
    let report = written(|out| {
        write::status_report(
            out,
            None,
            &answer(torap_iso20022::view::TransactionStatus::Acsp, None),
        )
    });
    assert!(report.windows(8).any(|window| window == b"pacs.008") && !is_credit_transfer(&report));
}

#[test]
fn fragments_have_no_parts() {
    for fragment in [
        "",
        "<",
        "<a",
        "<a>",
        "<!--",
        "<!-- -->",
        "<?xml?>",
        "<Document/>",
        "</Document>",
        "<Envelope><Document></Envelope>",
        "<!-->",
        "-->",
    ] {
        let bytes = fragment.as_bytes();
        let _ = document(bytes);
        assert_eq!(phone_parts(bytes, &(0..bytes.len())), None, "{fragment}");
        assert_eq!(phone_parts(bytes, &(5..99)), None, "{fragment}");
    }
    assert_eq!(document(b"<Document/>"), None);
}
