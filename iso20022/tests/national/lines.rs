//! Files of instant payments: a message taken apart into its lines, each a message that the rail takes.

use torap_iso20022::profile::Direction;
use torap_iso20022::view::{
    BATCH_ITEMS_MAX, Body, BusinessHeader, CreditTransfer, Lines, MASS_SERVICE,
    OUTSIDE_LINES_BYTES_MAX, Reader, accepted_at,
};
use torap_iso20022::write;

use crate::formats::formats;
use crate::samples::{self, CARRIED, by_account, header};

const UETRS: [&str; 3] = [
    "00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000002",
    "00000000-0000-4000-8000-000000000003",
];
const IDS: [&str; 3] = ["TX-1", "TX-2", "TX-3"];

fn transfers() -> Vec<CreditTransfer<'static>> {
    let ids = IDS.into_iter().zip(UETRS).zip(1_u64..);
    ids.map(|((transaction_id, uetr), number)| CreditTransfer {
        message_id: "1/2/SALARY",
        transaction_id,
        uetr,
        tiyn: number * 100,
        ..by_account()
    })
    .collect()
}

fn of_mass(message_id: &str) -> BusinessHeader<'_> {
    BusinessHeader {
        service: Some(MASS_SERVICE),
        ..header(message_id)
    }
}

fn file() -> String {
    let mut out = Vec::new();
    let carried = write::Carried {
        total: false,
        ..CARRIED
    };
    let header = of_mass("1/2/SALARY");
    write::credit_transfers(&mut out, Some(&header), &transfers(), &carried);
    String::from_utf8(out).unwrap()
}

/// Behind NbOfTxs.
fn with_sums(text: &str, control: &str, total: &str) -> String {
    let sums = format!(
        "<NbOfTxs>3</NbOfTxs><CtrlSum>{control}</CtrlSum><TtlIntrBkSttlmAmt Ccy=\"KZT\">{total}</TtlIntrBkSttlmAmt>"
    );
    text.replacen("<NbOfTxs>3</NbOfTxs>", &sums, 1)
}

#[test]
fn every_line_is_the_message_that_it_would_have_been_alone() {
    let text = with_sums(&file(), "6", "6.00");
    let mut reader = Reader::new(formats());
    let read = reader.read(text.as_bytes(), Direction::ToSwitch).unwrap();
    assert_eq!(read.body, Body::Clearing);
    let lines = Lines::of(text.as_bytes()).unwrap();
    assert_eq!((lines.count(), lines.message_id()), (3, "1/2/SALARY"));
    assert_eq!(lines.message_type(), read.message_type);
    for (place, expected) in transfers().into_iter().enumerate() {
        let mut alone = Vec::new();
        lines.write(place, &header(lines.message_id()), &mut alone);
        let read = reader.read(&alone, Direction::ToSwitch).unwrap();
        assert_eq!(read.body, Body::CreditTransfer(expected.clone()));
        let later = accepted_at(&alone, samples::CREATED_NS + 5_000_000_000).unwrap();
        let read = reader.read(&later, Direction::ToSwitch).unwrap();
        let accepted_ns = samples::CREATED_NS + 5_000_000_000;
        assert_eq!(
            read.body,
            Body::CreditTransfer(CreditTransfer {
                accepted_ns,
                ..expected
            })
        );
    }
    let mut none = Vec::new();
    lines.write(3, &header("1/2/SALARY"), &mut none);
    assert!(none.is_empty());
}

#[test]
fn what_a_sender_carries_along_and_prefixes_stay_as_they_are() {
    let text = file()
        .replace("<Document xmlns=", "<p:Document xmlns:p=")
        .replace("</Document>", "</p:Document>");
    let (before, document) = text.split_once("<p:Document").unwrap();
    let (opening, rest) = document.split_once('>').unwrap();
    let (inside, behind) = rest.split_once("</p:Document>").unwrap();
    let inside = inside
        .replace("</", "\u{1}")
        .replace('<', "<p:")
        .replace('\u{1}', "</p:");
    let text = format!("{before}<p:Document{opening}>{inside}</p:Document>{behind}");
    let mut reader = Reader::new(formats());
    reader.read(text.as_bytes(), Direction::ToSwitch).unwrap();
    let lines = Lines::of(text.as_bytes()).unwrap();
    let mut alone = Vec::new();
    lines.write(1, &header("1/2/SALARY"), &mut alone);
    let alone = String::from_utf8(alone).unwrap();
    assert!(alone.contains("<p:StrtNm>"), "{alone}");
    let read = reader.read(alone.as_bytes(), Direction::ToSwitch).unwrap();
    assert_eq!(read.body, Body::CreditTransfer(transfers().remove(1)));
}

#[test]
fn number_and_sums_of_a_file_are_those_of_its_lines() {
    let refused = |text: &str| Lines::of(text.as_bytes()).unwrap_err();
    let code = |text: &str| refused(text).code().to_owned();
    let text = file();
    let wrong = text.replacen("<NbOfTxs>3<", "<NbOfTxs>2<", 1);
    assert_eq!(code(&wrong), "number-of-lines");
    assert_eq!(code(&with_sums(&text, "7", "6")), "sum-of-lines");
    assert_eq!(code(&with_sums(&text, "6", "6.01")), "sum-of-lines");
    assert_eq!(refused(&with_sums(&text, "6", "7")).reason(), Some("AM10"));
    // An amount that is none of the rail is refused with its line, whatever the sum.
    let odd = text.replacen("\">1.00</IntrBkSttlmAmt>", "\">1.001</IntrBkSttlmAmt>", 1);
    assert_ne!(odd, text);
    assert!(Lines::of(with_sums(&odd, "6", "6").as_bytes()).is_ok());

    let start = text.find("<CdtTrfTxInf>").unwrap();
    let end = text.rfind("</CdtTrfTxInf>").unwrap() + "</CdtTrfTxInf>".len();
    let one = text[start..]
        .split_inclusive("</CdtTrfTxInf>")
        .next()
        .unwrap();
    let many = |count: usize| {
        let stated = format!("<NbOfTxs>{count}<");
        let all = format!("{}{}{}", &text[..start], one.repeat(count), &text[end..]);
        all.replacen("<NbOfTxs>3<", &stated, 1)
    };
    let most = many(BATCH_ITEMS_MAX);
    assert_eq!(Lines::of(most.as_bytes()).unwrap().count(), BATCH_ITEMS_MAX);
    assert_eq!(code(&many(BATCH_ITEMS_MAX + 1)), "lines-at-most");
}

#[test]
fn what_every_line_would_carry_along_is_bounded() {
    let text = file();
    let start = text.find("<Document").unwrap();
    let first = text.find("<CdtTrfTxInf>").unwrap();
    let behind = text.find("</Document>").unwrap() + "</Document>".len();
    let last = text.rfind("</CdtTrfTxInf>").unwrap() + "</CdtTrfTxInf>".len();
    let room = OUTSIDE_LINES_BYTES_MAX - (first - start) - (behind - last);
    for at in [first, last] {
        let with = |bytes: usize| format!("{}{}{}", &text[..at], " ".repeat(bytes), &text[at..]);
        assert_eq!(Lines::of(with(room).as_bytes()).unwrap().count(), 3);
        let refused = Lines::of(with(room + 1).as_bytes()).unwrap_err();
        assert_eq!(
            (refused.code(), refused.reason()),
            ("bytes-outside-lines", Some("CH16"))
        );
    }
}
