//! What is accepted, and what of it is remembered.

use super::*;

/// The captured fields of an accepted document, in a closure because they borrow the parser.
fn captured(text: &str, look: impl FnOnce(Slots<'_, '_>)) {
    let mut parser = Parser::with_captures(&CAPTURES);
    let parsed = parser.parse(text.as_bytes(), Mode::SchemaOnly).unwrap();
    look(parsed.document().unwrap().slots());
}

#[test]
fn fields_of_the_bench_document() {
    captured(BENCH, |slots| {
        assert_eq!(
            slots.text(pacs_008::MSG_ID).unwrap(),
            "HSBKKZKX20261121000000000001234"
        );
        assert_eq!(slots.text(pacs_008::AMOUNT).unwrap(), "15250.00");
        assert_eq!(slots.text(pacs_008::AMOUNT_CCY).unwrap(), "KZT");
        assert_eq!(
            slots.text(pacs_008::DEBTOR).unwrap(),
            "АХМЕТОВА АЙГЕРИМ СЕРИКОВНА"
        );
        assert_eq!(
            slots.text(pacs_008::REMITTANCE).unwrap(),
            "Перевод по номеру телефона & без комиссии"
        );
        assert_eq!(
            slots.raw(pacs_008::REMITTANCE).unwrap(),
            "Перевод по номеру телефона &amp; без комиссии".as_bytes()
        );
        assert!(slots.has_escapes(pacs_008::REMITTANCE));
        assert!(!slots.has_escapes(pacs_008::MSG_ID));
        assert_eq!(slots.count(pacs_008::TRANSACTION), 1);
        assert!(!slots.is_present(pacs_008::ULTIMATE_DEBTOR));
        assert_eq!(slots.text(pacs_008::ULTIMATE_DEBTOR), None);
        assert_eq!(slots.count(pacs_008::ULTIMATE_DEBTOR), 0);
        let agent = &BENCH[slots.element_range(pacs_008::CREDITOR_AGENT).unwrap()];
        assert!(
            agent.starts_with("<CdtrAgt>") && agent.ends_with("</CdtrAgt>"),
            "{agent}"
        );
        let inner = &BENCH[slots.content_range(pacs_008::CREDITOR_AGENT).unwrap()];
        assert_eq!(format!("<CdtrAgt>{inner}</CdtrAgt>"), agent);
    });
}

#[test]
fn text_is_resolved() {
    for (written, text) in [
        ("a<!-- note -->b", "ab"),
        ("<![CDATA[<a> & ]]>b", "<a> & b"),
        ("&lt;&#1046;&#x416;&apos;&quot;&gt;", "<ЖЖ'\">"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("&#13;", "\r"),
        (" a ", " a "),
    ] {
        captured(&with("HSBKKZKX20261121000000000001234", written), |slots| {
            assert_eq!(slots.text(pacs_008::MSG_ID).unwrap(), text);
            assert_eq!(slots.raw(pacs_008::MSG_ID).unwrap(), written.as_bytes());
            assert_eq!(slots.has_escapes(pacs_008::MSG_ID), written != text);
        });
    }
}

#[test]
fn blanks_around_a_number_are_no_part_of_it() {
    for written in [" 1.5 ", "\n1.5", "&#32;1.5<!-- x --> "] {
        captured(
            &with(
                ">15250.00</IntrBkSttlmAmt>",
                &format!(">{written}</IntrBkSttlmAmt>"),
            ),
            |slots| {
                assert_eq!(slots.text(pacs_008::AMOUNT).unwrap(), "1.5");
            },
        );
    }
}

#[test]
fn an_attribute_value_is_resolved() {
    let written = "<IntrBkSttlmAmt  Ccy = '&#75;ZT' >15250.00</IntrBkSttlmAmt ><AccptncDtTm>";
    let text = with(
        "<IntrBkSttlmAmt Ccy=\"KZT\">15250.00</IntrBkSttlmAmt>\n      <AccptncDtTm>",
        written,
    );
    captured(&text, |slots| {
        assert_eq!(slots.text(pacs_008::AMOUNT_CCY).unwrap(), "KZT");
        assert_eq!(slots.raw(pacs_008::AMOUNT_CCY).unwrap(), b"&#75;ZT");
    });
}

#[test]
fn repetitions_are_counted_and_remembered() {
    let start = BENCH.find("<CdtTrfTxInf>").unwrap();
    let end = BENCH.find("</CdtTrfTxInf>").unwrap() + "</CdtTrfTxInf>".len();
    let again = BENCH[start..end].replace("TX20261121091527123000001234", "SECOND");
    let text = format!("{}{again}{}", &BENCH[..end], &BENCH[end..]);
    captured(&text, |slots| {
        assert_eq!(slots.count(pacs_008::TX_ID), 2);
        assert_eq!(
            slots.text(pacs_008::TX_ID).unwrap(),
            "TX20261121091527123000001234"
        );
        let all: Vec<_> = slots
            .occurrences(pacs_008::TX_ID)
            .map(|found| found.text())
            .collect();
        assert_eq!(all, ["TX20261121091527123000001234", "SECOND"]);
    });
}

#[test]
fn fields_below_a_wildcard() {
    let own = "</RmtInf><SplmtryData><Envlp><o:Own xmlns:o='urn:o'><o:Value>v&amp;w</o:Value><Mark/></o:Own></Envlp></SplmtryData>";
    captured(&with("</RmtInf>", own), |slots| {
        assert_eq!(slots.raw(pacs_008::OWN_DATA).unwrap(), b"v&amp;w");
        assert!(slots.is_present(pacs_008::OWN_MARK));
    });
}

#[test]
fn prefixes_and_other_spellings() {
    let mut text = bare()
        .replace("</", "</d:")
        .replace("<", "<d:")
        .replace("<d:/d:", "</d:");
    text = text.replace("xmlns=", "xmlns:d=");
    captured(&text, |slots| assert_eq!(slots.count(pacs_008::TX_ID), 1));
    check(bare().replace('\n', "\r\n"), "pacs.008.001.10");
    check(
        bare().replace("\n", "").replace("> ", ">"),
        "pacs.008.001.10",
    );
    check(format!("\u{FEFF}{BENCH}<!-- end -->\n"), "pacs.008.001.10");
}

#[test]
fn header_and_message() {
    check(HEADER, "head.001.001.03");
    let text = envelope(&format!("\n{HEADER}\n{}\n", bare()));
    for mode in [Mode::SchemaOnly, Mode::National] {
        let mut parser = Parser::with_captures(&CAPTURES);
        let parsed = parser.parse(text.as_bytes(), mode).unwrap();
        assert_eq!(
            parsed.label().to_string(),
            "head.001.001.03+pacs.008.001.10"
        );
        assert_eq!(parsed.envelope().unwrap().name, b"Envelope");
        assert_eq!(
            parsed.envelope().unwrap().namespace,
            b"urn:torap:envelope:1"
        );
        let (header, document) = (parsed.header().unwrap(), parsed.document().unwrap());
        assert_eq!(header.bytes(), HEADER.as_bytes());
        assert_eq!(document.bytes(), bare().trim_end().as_bytes());
        assert_eq!(header.message(), MessageType::HEAD_001_001_03);
        assert_eq!(document.message(), MessageType::PACS_008_001_10);
        assert_eq!(header.slots().text(head_001::IDENTIFIER).unwrap(), "B1");
        assert_eq!(document.slots().count(pacs_008::TX_ID), 1);
        assert!(header.is_self_contained() && document.is_self_contained());
    }
}

#[test]
fn a_foreign_envelope() {
    let text = format!("<a><b x='1'><c>{HEADER}<!-- and -->{}</c></b></a>", bare());
    check(&text, "head.001.001.03+pacs.008.001.10");
    let mut parser = Parser::new();
    let parsed = parser.parse(text.as_bytes(), Mode::SchemaOnly).unwrap();
    assert_eq!(
        (
            parsed.envelope().unwrap().namespace,
            parsed.envelope().unwrap().name
        ),
        (&b""[..], &b"a"[..])
    );
    assert!(
        parser
            .parse(bare().as_bytes(), Mode::SchemaOnly)
            .unwrap()
            .envelope()
            .is_none()
    );
}

#[test]
fn parts_that_lean_on_the_envelope() {
    let own = "urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10";
    let plain = bare().replace(&format!(" xmlns=\"{own}\""), "");
    let prefixed = plain
        .replace("<Document>", "<d:Document>")
        .replace("</Document>", "</d:Document>");
    let lax = |inner: &str| {
        with(
            "</RmtInf>",
            &format!("</RmtInf><SplmtryData><Envlp>{inner}</Envlp></SplmtryData>"),
        )
    };
    let lax = |inner: &str| lax(inner).split_off(BENCH.find("<Document").unwrap());
    let instance = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
    let located = |prefix: &str| {
        let place = format!("<Document{prefix}:schemaLocation='urn:a a.xsd'");
        bare().replacen("<Document", &place, 1)
    };
    for (is_self_contained, outer, document) in [
        (true, String::new(), bare().to_owned()),
        (true, format!(" xmlns='{own}'"), bare().to_owned()),
        (false, format!(" xmlns='{own}'"), plain.clone()),
        (
            false,
            format!(" xmlns='{own}' xmlns:d='{own}'"),
            prefixed.clone(),
        ),
        (
            true,
            " xmlns:o='urn:o'".to_owned(),
            lax("<o:a xmlns:o='urn:o'/>"),
        ),
        (false, " xmlns:o='urn:o'".to_owned(), lax("<o:a/>")),
        (false, " xmlns:o='urn:o'".to_owned(), lax("<a o:b='1'/>")),
        (false, format!(" {instance}"), located(" xsi")),
        (true, String::new(), located(&format!(" {instance} xsi"))),
    ] {
        let text = format!("<Wrapper{outer}>{HEADER}{document}</Wrapper>");
        let mut parser = Parser::new();
        let parsed = parser.parse(text.as_bytes(), Mode::SchemaOnly).unwrap();
        assert_eq!(
            parsed.document().unwrap().is_self_contained(),
            is_self_contained,
            "{outer} {document}"
        );
    }
}

#[test]
fn a_parser_forgets() {
    let mut parser = Parser::with_captures(&CAPTURES);
    let text = envelope(&format!("{HEADER}{}", bare()));
    parser.parse(text.as_bytes(), Mode::National).unwrap();
    let half = &text.as_bytes()[..text.len() / 2];
    for broken in [&b"<a"[..], b"<Envelope xmlns='urn:torap:envelope:1'>", half] {
        parser.parse(broken, Mode::National).unwrap_err();
        let parsed = parser.parse(HEADER.as_bytes(), Mode::National).unwrap();
        assert!(parsed.document().is_none());
        assert_eq!(parsed.header().unwrap().slots().count(head_001::MESSAGE), 1);
    }
}

#[test]
fn every_message_is_found_by_its_names() {
    for message in MessageType::all() {
        assert_eq!(
            MessageType::from_identifier(message.as_str()),
            Some(message)
        );
        assert_eq!(
            MessageType::from_namespace(message.namespace().as_bytes()),
            Some(message)
        );
        assert!(message.kind().versions().any(|version| version == message));
        assert_eq!(message.root_element(), message.kind().root_element());
    }
    assert_eq!(MessageType::PACS_008_001_10.as_str(), "pacs.008.001.10");
    assert_eq!(MessageType::from_identifier("pacs.008.001.99"), None);
    assert_eq!(MessageType::from_namespace(b"urn:other"), None);
}

#[test]
fn spelling_mistakes_in_paths_are_found() {
    crate::captures! {
        mod mistaken for MessageKind::Pacs008 {
            RIGHT = "FIToFICstmrCdtTrf/GrpHdr/MsgId",
            WRONG = "FIToFICstmrCdtTrf/GrpHdr/MsgID",
            TOO_DEEP = "FIToFICstmrCdtTrf/GrpHdr/MsgId/Id",
            BELOW_ANY = "FIToFICstmrCdtTrf/SplmtryData/Envlp/Any/Name",
        }
    }
    assert_eq!(
        mistaken::TABLE.unknown_paths(),
        [
            "FIToFICstmrCdtTrf/GrpHdr/MsgID",
            "FIToFICstmrCdtTrf/GrpHdr/MsgId/Id"
        ]
    );
    assert_eq!(
        mistaken::TABLE.path(mistaken::BELOW_ANY),
        "FIToFICstmrCdtTrf/SplmtryData/Envlp/Any/Name"
    );
    let _ = (mistaken::RIGHT, mistaken::WRONG, mistaken::TOO_DEEP);
    assert!(pacs_008::TABLE.unknown_paths().is_empty());
}
